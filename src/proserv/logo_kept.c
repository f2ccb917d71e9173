/* SPDX-License-Identifier: Apache-2.0 */
/* Fetched logos for reviews; see logo_kept.h. */
#include "proserv/logo_kept.h"

#include "proserv/catalog.h"

#define KNOWN_AT_FIRST 64

enum souk_err
logo_take(const struct logo_row *row, struct arena *mem, struct listing *l, struct review_input *in)
{
	char digest[2 * SHA256_LEN + 1];

	if (!str_eq(row->url, l->logo.url))
		return SOUK_OK;
	hex_encode(row->digest, SHA256_LEN, digest);
	l->logo.digest = arena_str(mem, str_c(digest));
	in->logo = &row->facts;
	return l->logo.digest.p != NULL ? SOUK_OK : SOUK_E_NOMEM;
}

enum souk_err
logo_take_in_force(struct db_tx *tx, struct str seller_id, const struct guid *product_id,
    struct arena *mem, struct listing *l, struct review_input *in)
{
	struct logo_row *row = ARENA_NEW(mem, struct logo_row);
	enum souk_err r =
	    row != NULL ? logo_row_find(tx, seller_id, product_id, NULL, mem, row) : SOUK_E_NOMEM;

	if (r == SOUK_E_NOT_FOUND)
		return SOUK_OK;
	return r == SOUK_OK ? logo_take(row, mem, l, in) : r;
}

bool
logo_has_likeness(const struct review_input *in)
{
	return in->logo != NULL && in->logo->trouble == NULL && !in->logo->blank;
}

static enum souk_err
take_known(struct db_stmt *st, struct arena *mem, struct logo_known *ret)
{
	struct guid id = db_guid(st, 1);
	char name[ENTITY_ID_MAX];

	entity_id_write(PRODUCT_PREFIX, &id, name);
	*ret = (struct logo_known){ .name = arena_str(mem, str_c(name)),
		.seller = arena_str(mem, db_text(st, 0)) };
	if (!logo_hash_read(db_text(st, 2), &ret->hash))
		return SOUK_E_INTERNAL;
	return ret->name.p != NULL && ret->seller.p != NULL ? SOUK_OK : SOUK_E_NOMEM;
}

enum souk_err
logos_known_read(struct db_tx *tx, struct arena *mem, struct review_context *c)
{
	struct db_stmt *st = logo_hashes(tx);
	struct logo_known *v = NULL;
	size_t n = 0, cap = 0;
	enum souk_err r;
	bool row;

	while ((r = db_step(st, &row)) == SOUK_OK && row) {
		if (n == cap) {
			struct logo_known *more;

			cap = cap > 0 ? 2 * cap : KNOWN_AT_FIRST;
			more = arena_array(mem, cap, sizeof(*v));
			if (more != NULL && n > 0)
				memcpy(more, v, n * sizeof(*v));
			v = more;
		}
		r = v != NULL ? take_known(st, mem, &v[n++]) : SOUK_E_NOMEM;
		if (r != SOUK_OK) {
			db_reset(st);
			return r;
		}
	}
	c->logos = v;
	c->n_logos = n;
	return r;
}
