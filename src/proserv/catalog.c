/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents and context of kept listings; see catalog.h.
 *
 * A document is put together as text: it is read right after, and a review of a hundred thousand listings should not
 * parse each of them twice.
 */
#include "proserv/catalog.h"

#include "proserv/logo_store.h"
#include "proserv/title.h"

#include <stdio.h>

#define CATEGORIES_MAX 500

void
entity_id_write(const char *prefix, const struct guid *id, char out[static ENTITY_ID_MAX])
{
	char text[GUID_TEXT_LEN + 1];

	guid_format(id, text);
	(void)snprintf(out, ENTITY_ID_MAX, "%s%s", prefix, text);
}

bool
entity_id_parse(const char *prefix, struct str text, struct guid *ret)
{
	struct str p = str_c(prefix);

	return str_starts(text, p) && guid_parse((struct str){ text.p + p.n, text.n - p.n }, ret);
}

/* The members of a JSON object text, without its braces: ",\"a\":1", or nothing. */
static void
add_members(struct buf *out, struct str object)
{
	if (object.n <= 2)
		return;
	buf_add_char(out, ',');
	buf_add(out, object.p + 1, object.n - 2);
}

static const char *
account_status(const struct listing_row *l)
{
	return !l->seller.active ? "none" : l->seller.paid ? "paid" : "free";
}

static void
seller_json(const struct listing_row *l, struct jw *w)
{
	jw_open(w, "seller", '{');
	jw_c(w, "id", l->seller_id);
	jw_str(w, "name", l->seller.name);
	jw_str(w, "country", l->seller.country);
	jw_c(w, "account_status", account_status(l));
	if (l->data_use.n > 0)
		jw_raw(w, "data_use_terms", l->data_use);
	jw_close(w, '}');
}

void
listing_document(const struct listing_row *l, struct str offers, struct buf *out)
{
	enum visibility v = visibility_of_state(l->product.state);
	char id[ENTITY_ID_MAX];
	struct jw w;

	entity_id_write(PRODUCT_PREFIX, &l->product_id, id);
	jw_init(&w, out);
	jw_open(&w, NULL, '{');
	jw_c(&w, "id", id);
	seller_json(l, &w);
	jw_c(&w, "visibility", visibility_word(v));
	jw_c(&w, "product_state", v == VISIBILITY_DRAFT ? "Draft" : "Active");
	if (offers.n > 0)
		jw_raw(&w, "offers", offers);
	add_members(out, l->document);
	buf_add_char(out, '}');
}

/* An offer's last day is in its document: "expires":"2026-01-31". */
static bool
is_past(struct str document, instant_t now)
{
	static const char mark[] = "\"expires\":\"";
	const char *p = memmem(document.p, document.n, mark, sizeof(mark) - 1);
	struct str rest;
	day_t day;

	if (p == NULL)
		return false;
	p += sizeof(mark) - 1;
	rest = (struct str){ p, (size_t)(document.p + document.n - p) };
	if (rest.n < DAY_TEXT_LEN)
		return false;
	rest.n = DAY_TEXT_LEN;
	return day_parse(rest, &day) && day < day_of(now);
}

void
listing_offer_document(
    const struct listing_offer_row *o, instant_t accepted_at, instant_t now, struct buf *out)
{
	char id[ENTITY_ID_MAX];
	struct jw w;

	entity_id_write(OFFER_PREFIX, &o->id, id);
	jw_init(&w, out);
	jw_open(&w, NULL, '{');
	jw_c(&w, "id", id);
	jw_c(&w, "state",
	    accepted_at != 0            ? "Accepted"
	    : !o->released              ? "Draft"
	    : is_past(o->document, now) ? "Expired"
					: "Released");
	if (accepted_at != 0)
		jw_instant(&w, "accepted_at", accepted_at);
	add_members(out, o->document);
	buf_add_char(out, '}');
}

enum souk_err
listing_set_title(struct listing_row *l, struct str title, struct arena *mem)
{
	struct str key[TITLE_KEYS] = { STR(""), STR("") };
	size_t n = 0;
	enum souk_err r = title_keys(title, mem, key, &n);

	if (r != SOUK_OK)
		return r;
	l->title_key[0] = n > 0 ? key[0] : STR("");
	l->title_key[1] = n > 1 ? key[1] : STR("");
	return SOUK_OK;
}

/* ---- the end ---- */

#define OVER_AT_ONCE 100

struct over {
	struct {
		char seller_id[ACCOUNT_ID_LEN + 1];
		struct guid product_id;
	} v[OVER_AT_ONCE];
	size_t n, at;
	bool removed;
};

static enum souk_err
look_for_over(struct db_tx *tx, void *arg)
{
	struct over *o = arg;
	struct db_stmt *st = listing_rows_over(tx, OVER_AT_ONCE);
	enum souk_err r;
	bool row;

	o->n = 0;
	while ((r = db_step(st, &row)) == SOUK_OK && row) {
		struct str seller = db_text(st, 0);

		o->v[o->n].product_id = db_guid(st, 1);
		if (seller.n == ACCOUNT_ID_LEN)
			memcpy(o->v[o->n++].seller_id, seller.p, seller.n);
	}
	return r;
}

/* It may have been lifted meanwhile. */
static enum souk_err
remove_one(struct db_tx *tx, void *arg)
{
	struct over *o = arg;
	struct str seller = str_c(o->v[o->at].seller_id);
	const struct guid *id = &o->v[o->at].product_id;
	struct db_stmt *st;
	bool sold = true, restricted;
	enum souk_err r;

	o->removed = false;
	if ((r = lock_owner(tx, seller)) != SOUK_OK ||
	    (r = listing_product(tx, id, &st)) != SOUK_OK)
		return r;
	restricted = str_eq_c(db_text(st, 3), "restricted");
	db_reset(st);
	if (!restricted || (r = listing_is_sold(tx, seller, id, &sold)) != SOUK_OK || sold)
		return r;
	o->removed = true;
	if ((r = listing_row_remove(tx, seller, id, db_now(tx))) != SOUK_OK)
		return r;
	return logo_row_touch(tx, seller, id);
}

enum souk_err
listings_remove_over(struct db *db, int64_t *ret_n)
{
	struct over o = { .n = 0 };
	enum souk_err r = db_read(db, look_for_over, &o);

	*ret_n = 0;
	for (o.at = 0; r == SOUK_OK && o.at < o.n; o.at++)
		if ((r = db_write(db, remove_one, &o)) == SOUK_OK)
			*ret_n += o.removed;
	return r;
}

/* ---- what the marketplace knows ---- */

static enum souk_err
take_settings(
    const struct config *config, instant_t now, struct arena *mem, struct review_context *ret)
{
	struct str rest = str_c(config_text(config, SET_REVIEW_CATEGORIES)), part;
	struct str *v = arena_array(mem, CATEGORIES_MAX, sizeof(*v));

	if (v == NULL)
		return SOUK_E_NOMEM;
	*ret = (struct review_context){ .has_as_of = true,
		.has_products = true,
		.has_titles = true,
		.as_of = now,
		.has_categories = rest.n > 0,
		.data_use_terms_version = str_c(config_text(config, SET_REVIEW_DATA_USE_TERMS)) };
	if (rest.n == 0)
		return SOUK_OK;
	while (ret->categories.n < CATEGORIES_MAX && str_split(&rest, ',', &part))
		v[ret->categories.n++] = str_trim(part);
	ret->categories.v = v;
	return SOUK_OK;
}

static struct str
entity_text(const char *prefix, const struct guid *id, struct arena *mem)
{
	char text[ENTITY_ID_MAX];

	entity_id_write(prefix, id, text);
	return arena_str(mem, str_c(text));
}

static enum souk_err
take_product(struct db_stmt *st, struct arena *mem, struct context_product *ret)
{
	struct guid id = db_guid(st, 0);

	*ret = (struct context_product){ .id = entity_text(PRODUCT_PREFIX, &id, mem),
		.title = arena_str(mem, db_text(st, 1)),
		.maker = arena_str(mem, db_text(st, 2)),
		.visibility = visibility_of_state(db_text(st, 3)) };
	return ret->id.p && ret->title.p && ret->maker.p ? SOUK_OK : SOUK_E_NOMEM;
}

static enum souk_err
take_title(struct db_stmt *st, struct arena *mem, struct context_title *ret)
{
	struct guid id = db_guid(st, 0);

	*ret = (struct context_title){ .listing = entity_text(PRODUCT_PREFIX, &id, mem),
		.title = arena_str(mem, db_text(st, 1)) };
	return ret->listing.p && ret->title.p ? SOUK_OK : SOUK_E_NOMEM;
}

/* Room for one more in an array that lives in an arena. */
static bool
make_room(struct arena *mem, void **io, size_t n, size_t *io_cap, size_t size)
{
	size_t cap = *io_cap > 0 ? 2 * *io_cap : 64;
	void *v;

	if (n < *io_cap)
		return true;
	if (!(v = arena_array(mem, cap, size)))
		return false;
	if (n > 0)
		memcpy(v, *io, n * size);
	*io = v;
	*io_cap = cap;
	return true;
}

static enum souk_err
take_titles(struct db_stmt *st, struct arena *mem, struct review_context *c)
{
	void *v = NULL;
	size_t cap = 0;
	enum souk_err r;
	bool row;

	while ((r = db_step(st, &row)) == SOUK_OK && row) {
		r = make_room(mem, &v, c->n_titles, &cap, sizeof(*c->titles))
			? take_title(st, mem, &((struct context_title *)v)[c->n_titles])
			: SOUK_E_NOMEM;
		if (r != SOUK_OK) {
			db_reset(st);
			return r;
		}
		c->n_titles++;
	}
	c->titles = v;
	return r;
}

static enum souk_err
take_products(struct db_stmt *st, struct arena *mem, struct review_context *c)
{
	void *v = NULL;
	size_t cap = 0;
	enum souk_err r;
	bool row;

	while ((r = db_step(st, &row)) == SOUK_OK && row) {
		r = make_room(mem, &v, c->n_products, &cap, sizeof(*c->products))
			? take_product(st, mem, &((struct context_product *)v)[c->n_products])
			: SOUK_E_NOMEM;
		if (r != SOUK_OK) {
			db_reset(st);
			return r;
		}
		c->n_products++;
	}
	c->products = v;
	return r;
}

enum souk_err
listing_context_new(
    struct db_tx *tx, const struct config *config, struct arena *mem, struct review_context *ret)
{
	struct review_context c;
	enum souk_err r = take_settings(config, db_now(tx), mem, &c);

	if (r != SOUK_OK || (r = take_products(listing_products(tx), mem, &c)) != SOUK_OK ||
	    (r = take_titles(listing_titles(tx), mem, &c)) != SOUK_OK ||
	    (r = review_context_order(&c, mem)) != SOUK_OK)
		return r;
	*ret = c;
	return SOUK_OK;
}

static bool
is_named_before(const struct texts *t, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (str_eq(t->v[k], t->v[i]))
			return true;
	return false;
}

/* Of the products that the listing names. */
static enum souk_err
look_for_products(
    struct db_tx *tx, const struct listing *l, struct arena *mem, struct review_context *c)
{
	const struct texts *t = &l->associated_products;
	struct db_stmt *st;
	struct guid id;
	enum souk_err r;

	if (!(c->products = arena_array(mem, t->n + 1, sizeof(*c->products))))
		return SOUK_E_NOMEM;
	for (size_t i = 0; i < t->n; i++) {
		if (!entity_id_parse(PRODUCT_PREFIX, t->v[i], &id) || is_named_before(t, i))
			continue;
		if ((r = listing_product(tx, &id, &st)) == SOUK_E_NOT_FOUND)
			continue;
		if (r != SOUK_OK)
			return r;
		r = take_product(st, mem, &c->products[c->n_products]);
		db_reset(st);
		if (r != SOUK_OK)
			return r;
		c->n_products++;
	}
	return SOUK_OK;
}

enum souk_err
listing_context_for(struct db_tx *tx, const struct config *config, const struct listing *l,
    struct arena *mem, struct review_context *ret)
{
	struct review_context c;
	struct listing_row keys = { .title_key = { STR(""), STR("") } };
	enum souk_err r = take_settings(config, db_now(tx), mem, &c);

	if (r != SOUK_OK || (r = look_for_products(tx, l, mem, &c)) != SOUK_OK ||
	    (r = listing_set_title(&keys, l->title, mem)) != SOUK_OK)
		return r;
	if (keys.title_key[0].n > 0)
		r = take_titles(listing_titles_like(tx, keys.title_key), mem, &c);
	if (r != SOUK_OK || (r = review_context_order(&c, mem)) != SOUK_OK)
		return r;
	*ret = c;
	return SOUK_OK;
}
