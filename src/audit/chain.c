/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the chain's MACs cover.
 *
 * The danger is two entries with one text: then one could be exchanged for the other.
 * This is a format on disk: entries written once must verify for ever.
 */
#include "audit/chain.h"

#include "base/digest.h"

#include <endian.h>

#define DOMAIN_ENTRY "audit.entry"
#define DOMAIN_HEAD "audit.head"

static void
add_number(struct buf *b, int64_t v)
{
	uint64_t u = htobe64((uint64_t)v);

	buf_add(b, &u, sizeof(u));
}

static void
add_text(struct buf *b, struct str s)
{
	add_number(b, (int64_t)s.n);
	buf_add_str(b, s);
}

void
chain_text(const struct audit_row *r, struct buf *ret)
{
	buf_clear(ret);
	/* Room at once: most entries need no more, and growing copies. */
	if (!buf_reserve(ret, 512))
		return;
	add_number(ret, r->chain);
	add_number(ret, r->at);
	add_text(ret, r->account_id);
	add_text(ret, r->actor);
	add_text(ret, r->action);
	add_text(ret, r->resource);
	add_text(ret, r->seller_id);
	add_text(ret, r->purpose);
	add_text(ret, r->outcome);
	add_number(ret, r->count);
	add_text(ret, r->request_id);
}

enum souk_err
chain_mac(const struct vault *v, struct buf *text, int64_t seq, const uint8_t prev[AUDIT_MAC_LEN],
    uint8_t ret[AUDIT_MAC_LEN])
{
	size_t n = text->n;

	add_number(text, seq);
	buf_add(text, prev, AUDIT_MAC_LEN);
	if (!buf_ok(text))
		return SOUK_E_NOMEM;
	vault_mac(v, DOMAIN_ENTRY, buf_str(text), ret);
	text->n = n;
	return SOUK_OK;
}

void
chain_seal(const struct vault *v, const struct audit_head *h, uint8_t ret[AUDIT_MAC_LEN])
{
	uint64_t number[2] = { htobe64((uint64_t)h->chain), htobe64((uint64_t)h->seq) };
	char text[sizeof(number) + AUDIT_MAC_LEN];

	memcpy(text, number, sizeof(number));
	memcpy(text + sizeof(number), h->mac, AUDIT_MAC_LEN);
	vault_mac(v, DOMAIN_HEAD, (struct str){ text, sizeof(text) }, ret);
}

enum souk_err
chain_was_begun(struct db_tx *tx, bool *ret)
{
	struct buf fingerprint = { 0 };
	enum souk_err r = db_meta_get(tx, VAULT_FINGERPRINT_META, &fingerprint);

	buf_done(&fingerprint);
	if (r != SOUK_OK && r != SOUK_E_NOT_FOUND)
		return r;
	*ret = r == SOUK_OK;
	return SOUK_OK;
}

bool
chain_seal_fits(const struct vault *v, const struct audit_head *h)
{
	uint8_t want[AUDIT_MAC_LEN];

	chain_seal(v, h, want);
	return secret_equal(want, AUDIT_MAC_LEN, h->seal, AUDIT_MAC_LEN);
}
