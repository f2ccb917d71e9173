/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Appending to the audit chain and listing it.
 *
 * The danger is mending what somebody broke: an append that went on from a head that is
 * not ours would hide that entries were cut off. So the head's seal is checked before
 * each append, and a chain with a wrong or missing head takes no more entries.
 */
#include "audit/audit.h"

#include "audit/chain.h"
#include "base/json.h"

#define OUTCOME_ALLOWED STR("allowed")
#define OUTCOME_REFUSED STR("refused")

/* Rows one call of audit_list looks at; a rare filter goes on with the next page. */
#define SCAN_MAX 10000

/* The end to go on from; *ret_first: the chain is empty. */
static enum souk_err
load_end(struct db_tx *tx, const struct vault *v, struct audit_head *ret, bool *ret_first)
{
	enum souk_err r = audit_store_head(tx, ret);
	int64_t last;
	bool begun;

	*ret_first = r == SOUK_E_NOT_FOUND;
	if (r == SOUK_OK)
		return chain_seal_fits(v, ret) ? SOUK_OK : SOUK_E_INTERNAL;
	if (r != SOUK_E_NOT_FOUND)
		return r;
	*ret = (struct audit_head){ 0 };
	if ((r = audit_store_last(tx, &last)) != SOUK_OK ||
	    (r = chain_was_begun(tx, &begun)) != SOUK_OK)
		return r;
	return last == 0 && !begun ? SOUK_OK : SOUK_E_INTERNAL;
}

enum souk_err
audit_append(struct db_tx *tx, const struct vault *v, const struct audit_entry *e)
{
	struct audit_head h;
	struct audit_row row;
	struct buf text = { 0 };
	uint8_t mac[AUDIT_MAC_LEN];
	enum souk_err r;
	bool first;

	if ((r = load_end(tx, v, &h, &first)) != SOUK_OK)
		return r;
	row = (struct audit_row){ .seq = h.seq + 1,
		.at = db_now(tx),
		.account_id = e->account_id,
		.actor = e->actor,
		.action = str_c(e->action),
		.resource = e->resource,
		.seller_id = e->seller_id,
		.purpose = e->purpose,
		.outcome = e->refused ? OUTCOME_REFUSED : OUTCOME_ALLOWED,
		.count = e->count,
		.request_id = e->request_id,
		.mac = { (const char *)mac, sizeof(mac) } };
	chain_text(&row, &text);
	if ((r = chain_mac(v, &text, row.seq, h.mac, mac)) != SOUK_OK ||
	    (r = audit_store_insert(tx, &row)) != SOUK_OK)
		goto out;
	h.seq = row.seq;
	memcpy(h.mac, mac, sizeof(mac));
	chain_seal(v, &h, h.seal);
	r = audit_store_head_put(tx, &h, first);
out:
	buf_done(&text);
	/* A number that is taken: the chain is broken, the caller's request is not at fault. */
	return r == SOUK_E_CONFLICT ? SOUK_E_INTERNAL : r;
}

/* ---- listing ---- */

static bool
wanted(const struct audit_filter *q, const struct audit_row *r)
{
	return (q->account_id.n == 0 || str_eq(q->account_id, r->account_id)) &&
	       (q->seller_id.n == 0 || str_eq(q->seller_id, r->seller_id));
}

static void
write_entry(struct jw *w, const struct audit_row *r)
{
	jw_open(w, NULL, '{');
	jw_int(w, "seq", r->seq);
	jw_instant(w, "at", r->at);
	jw_str(w, "accountId", r->account_id);
	jw_str(w, "actor", r->actor);
	jw_str(w, "action", r->action);
	jw_str(w, "resource", r->resource);
	jw_str(w, "sellerId", r->seller_id);
	jw_str(w, "purpose", r->purpose);
	jw_str(w, "outcome", r->outcome);
	jw_int(w, "count", r->count);
	jw_str(w, "requestId", r->request_id);
	jw_close(w, '}');
}

enum souk_err
audit_list(struct db_tx *tx, const struct audit_filter *q, struct buf *out, int64_t *ret_next_seq,
    size_t *ret_n)
{
	struct db_stmt *st =
	    audit_store_before(tx, q->before_seq > 0 ? q->before_seq : INT64_MAX, SCAN_MAX);
	struct audit_row row = { 0 };
	struct jw w;
	size_t n = 0, seen = 0;
	enum souk_err r = SOUK_OK;
	bool more = true;

	jw_init(&w, out);
	while (n < q->limit && (r = audit_store_next(st, &row, &more)) == SOUK_OK && more) {
		seen++;
		if (!wanted(q, &row))
			continue;
		write_entry(&w, &row);
		n++;
	}
	db_reset(st);
	if (r != SOUK_OK)
		return r;
	if (!buf_ok(out))
		return SOUK_E_NOMEM;
	/* No further row, and not because we looked at no more: that was the first entry. */
	*ret_next_seq = !more && seen < SCAN_MAX ? 0 : row.seq > 1 ? row.seq : 0;
	*ret_n = n;
	return SOUK_OK;
}
