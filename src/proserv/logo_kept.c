/* SPDX-License-Identifier: Apache-2.0 */
/* Fetched logos for reviews; see logo_kept.h. */
#include "proserv/logo_kept.h"

#include "proserv/catalog.h"

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

/* The nearest alone: what else is known makes no difference to a review. */
enum souk_err
logo_take_nearest(const struct logo_search *s, struct arena *mem, struct review_context *c)
{
	char name[ENTITY_ID_MAX];

	c->n_logos = 0;
	if (!s->found)
		return SOUK_OK;
	if (!(c->logos = ARENA_NEW(mem, struct logo_known)))
		return SOUK_E_NOMEM;
	entity_id_write(PRODUCT_PREFIX, &s->nearest.product_id, name);
	*c->logos = (struct logo_known){ .name = arena_str(mem, str_c(name)),
		.seller = arena_str(mem, str_c(s->nearest.seller_id)),
		.hash = s->nearest.hash };
	c->n_logos = 1;
	return c->logos->name.p != NULL && c->logos->seller.p != NULL ? SOUK_OK : SOUK_E_NOMEM;
}

enum souk_err
logo_find_nearest(struct logo_index *x, const struct review_input *in, struct arena *mem,
    struct review_context *c)
{
	struct logo_search s = { .seller_id = in->listing->seller.id };

	c->n_logos = 0;
	if (!logo_has_likeness(in))
		return SOUK_OK;
	s.hash = in->logo->hash;
	logo_index_search(x, &s, 1);
	return logo_take_nearest(&s, mem, c);
}
