/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes the changes of a set in one transaction: loads what they are about, changes it in memory, writes it.
 *
 * Errors do not stop the others: a seller hears of all of them at once.
 */
#include "proserv/change_int.h"

#include "market/check.h"
#include "market/dimension.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

const struct change_kind change_kinds[] = {
	{ "CreateProduct", ENTITY_PRODUCT, true, false, false, 0, make_create_product },
	{ "UpdateInformation", ENTITY_PRODUCT, false, false, false, 1, make_information },
	{ "SetDocument", ENTITY_PRODUCT, false, false, true, 1, make_document },
	{ "AddDimensions", ENTITY_PRODUCT, false, false, false, 1, make_add_dimensions },
	{ "UpdateDimensions", ENTITY_PRODUCT, false, true, false, 2, make_update_dimensions },
	{ "RestrictDimensions", ENTITY_PRODUCT, false, true, false, 3, make_restrict_dimensions },
	{ "UpdateTargeting", ENTITY_PRODUCT, false, false, false, 1, make_targeting },
	{ "ReleaseProduct", ENTITY_PRODUCT, false, false, false, 4, make_release_product },
	{ "UpdateVisibility", ENTITY_PRODUCT, false, false, false, 5, make_visibility },
	{ "CreateOffer", ENTITY_OFFER, true, false, false, 6, make_create_offer },
	{ "UpdateInformation", ENTITY_OFFER, false, false, false, 7, make_offer_information },
	{ "UpdateTargeting", ENTITY_OFFER, false, false, false, 7, make_offer_targeting },
	{ "UpdatePricingTerms", ENTITY_OFFER, false, false, false, 7, make_pricing },
	{ "UpdateValidityTerms", ENTITY_OFFER, false, false, false, 7, make_validity },
	{ "UpdatePaymentScheduleTerms", ENTITY_OFFER, false, false, false, 8, make_schedule },
	{ "UpdateLegalTerms", ENTITY_OFFER, false, false, false, 7, make_legal },
	{ "UpdateSupportTerms", ENTITY_OFFER, false, false, false, 7, make_support },
	{ "UpdateAvailability", ENTITY_OFFER, false, false, false, 7, make_availability },
	{ "ReleaseOffer", ENTITY_OFFER, false, false, false, 9, make_release_offer },
};
const size_t n_change_kinds = sizeof(change_kinds) / sizeof(change_kinds[0]);

const struct change_kind *
change_set_document(void)
{
	return &change_kinds[2];
}

const struct change_kind *
change_create_product(void)
{
	return &change_kinds[0];
}

/* ---- errors ---------------------------------------------------------------------------- */

void
change_error_in(struct arena *mem, struct change *c, const char *code, const char *text)
{
	struct change_error *v;

	if (c->n_errors == CHANGE_ERRORS_MAX)
		return;
	v = arena_array(mem, c->n_errors + 1, sizeof(*v));
	if (!v)
		return;
	if (c->n_errors > 0)
		memcpy(v, c->errors, c->n_errors * sizeof(*v));
	v[c->n_errors] = (struct change_error){ .code = code, .message = arena_strdup(mem, text) };
	if (!v[c->n_errors].message)
		v[c->n_errors].message = "This change is refused.";
	c->errors = c->own_errors = v;
	c->n_errors++;
}

void
change_error(struct work *w, struct change *c, const char *code, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	w->failed = true;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	change_error_in(w->mem, c, code, text);
}

void
change_error_at(struct work *w, struct change *c, const char *code, struct str pointer,
    struct str what, const char *hint)
{
	size_t n = c->n_errors;
	struct change_error *e;

	change_error(
	    w, c, code, "%.*s (%s) at %.*s", (int)what.n, what.p, hint, (int)pointer.n, pointer.p);
	if (c->n_errors == n)
		return;
	e = &c->own_errors[n];
	e->pointer = arena_strndup(w->mem, pointer.p, pointer.n);
	e->what = arena_strndup(w->mem, what.p, what.n);
	e->hint = arena_strdup(w->mem, hint);
}

void
change_refused(struct work *w, struct change *c, const struct fail *f)
{
	for (size_t i = 0; i < f->n; i++)
		change_error(w, c, "INVALID_INPUT", "%s: %s; %s", f->entry[i].field,
		    f->entry[i].what, f->entry[i].fix);
	if (f->n == 0)
		change_error(w, c, "INVALID_INPUT", "%s",
		    f->detail[0] ? f->detail : "The details are not what this change takes.");
}

bool
change_take(struct work *w, struct change *c, const json_t *o, struct json_member *m, size_t n)
{
	struct fail f = { .err = SOUK_OK };

	if (json_take(o, m, n, &f) == SOUK_OK)
		return true;
	change_refused(w, c, &f);
	return false;
}

/* ---- documents ------------------------------------------------------------------------- */

enum souk_err
entity_set(struct entity *e, struct change *c, const char *member, json_t *v)
{
	if (!v || json_object_set_new(e->doc, member, v) != 0)
		return SOUK_E_NOMEM;
	e->is_changed = true;
	if (e->n_touched < TOUCHED_MAX)
		e->touched[e->n_touched++] = (struct touched){ member, c };
	return SOUK_OK;
}

static const struct rename *
rename_of(const struct rename *t, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(t[i].wire, key) == 0)
			return &t[i];
	return NULL;
}

json_t *
renamed(struct work *w, struct change *c, const json_t *o, const struct rename *t, size_t n,
    const char *where)
{
	union {
		const json_t *in;
		json_t *out; /* jansson's iterator wants it so, and only reads */
	} all = { .in = o };
	json_t *ret = json_is_object(o) ? json_object() : NULL, *v;
	const char *key;
	bool fine = ret != NULL;

	json_object_foreach(all.out, key, v)
	{
		const struct rename *x = rename_of(t, n, key);

		fine = fine && x && (!x->ours || json_object_set(ret, x->ours, v) == 0);
	}
	if (fine)
		return ret;
	json_decref(ret);
	change_error(w, c, "INVALID_INPUT",
	    "%s: is no object of the members it takes; docs/proserv.md has them", where);
	return NULL;
}

json_t *
renamed_all(struct work *w, struct change *c, const json_t *a, const struct rename *t, size_t n,
    const char *where)
{
	json_t *ret = json_array(), *o, *v;
	size_t i;

	json_array_foreach(a, i, v)
	{
		o = ret ? renamed(w, c, v, t, n, where) : NULL;
		if (!o || json_array_append_new(ret, o) != 0) {
			json_decref(ret);
			return NULL;
		}
	}
	return ret;
}

bool
change_accounts(struct work *w, struct change *c, const json_t *a, size_t max)
{
	bool fine = json_is_array(a) && json_array_size(a) <= max;

	for (size_t i = 0; fine && i < json_array_size(a); i++) {
		const json_t *v = json_array_get(a, i);

		fine = json_is_string(v) && account_id_valid((struct str){
						json_string_value(v), json_string_length(v) });
		for (size_t k = 0; fine && k < i; k++)
			fine = !json_equal(json_array_get(a, k), v);
	}
	if (!fine)
		change_error(w, c, "INVALID_INPUT",
		    "BuyerAccounts: is no list of at most %zu accounts; give twelve digits each, "
		    "each "
		    "account once",
		    max);
	return fine;
}

/* ---- loading --------------------------------------------------------------------------- */

static enum souk_err
parse(struct str text, json_t **ret)
{
	return json_read(text, ret, NULL) == SOUK_OK ? SOUK_OK : SOUK_E_INTERNAL;
}

static enum souk_err
load_product(struct work *w, struct entity *e)
{
	enum souk_err r = listing_row_find(w->tx, w->seller_id, &e->id, w->mem, &e->row);

	if (r == SOUK_OK && e->row.removed_at != 0)
		return SOUK_E_NOT_FOUND;
	if (r != SOUK_OK ||
	    (r = product_get(w->tx, w->operator, & e->id, w->mem, &e->product)) != SOUK_OK ||
	    (r = parse(e->row.document, &e->doc)) != SOUK_OK ||
	    (r = parse(e->row.extra, &e->extra)) != SOUK_OK ||
	    (r = parse(e->row.targeting, &e->targeting)) != SOUK_OK)
		return r;
	if (e->row.data_use.n > 0 && (r = parse(e->row.data_use, &e->data_use)) != SOUK_OK)
		return r;
	e->visibility = visibility_of_state(e->product.state);
	e->is_live = e->visibility != VISIBILITY_DRAFT;
	return SOUK_OK;
}

/* When any of its buyers first took it; 0: nobody has. */
static enum souk_err
find_acceptance(struct work *w, struct entity *e)
{
	const char *buyer;
	json_t *v;
	enum souk_err r = SOUK_OK;

	json_object_foreach(e->market_offers, buyer, v)
	{
		struct guid id;
		instant_t at = 0;

		if (r != SOUK_OK || !guid_parse(str_c(json_string_value(v)), &id))
			continue;
		r = listing_offer_accepted(w->tx, w->seller_id, str_c(buyer), &id, &at);
		if (at != 0 && (e->accepted_at == 0 || at < e->accepted_at))
			e->accepted_at = at;
	}
	return r;
}

static enum souk_err
load_offer(struct work *w, struct entity *e)
{
	enum souk_err r = listing_offer_row_find(w->tx, w->seller_id, &e->id, w->mem, &e->offer);

	if (r != SOUK_OK || (r = parse(e->offer.document, &e->doc)) != SOUK_OK ||
	    (r = parse(e->offer.extra, &e->extra)) != SOUK_OK ||
	    (r = parse(e->offer.market_offers, &e->market_offers)) != SOUK_OK)
		return r;
	e->is_live = e->offer.released;
	return find_acceptance(w, e);
}

static struct entity *
entity_add(struct work *w, enum entity_kind kind, const struct guid *id)
{
	struct entity *e;

	if (w->n_entities == sizeof(w->entities) / sizeof(w->entities[0]))
		return NULL;
	e = &w->entities[w->n_entities++];
	*e = (struct entity){ .kind = kind, .id = *id };
	return e;
}

enum souk_err
work_entity(struct work *w, enum entity_kind kind, const struct guid *id, struct entity **ret)
{
	struct entity *e;
	enum souk_err r;

	for (size_t i = 0; i < w->n_entities; i++)
		if (w->entities[i].kind == kind && guid_eq(&w->entities[i].id, id)) {
			*ret = &w->entities[i];
			return SOUK_OK;
		}
	if (!(e = entity_add(w, kind, id)))
		return SOUK_E_INTERNAL;
	r = kind == ENTITY_PRODUCT ? load_product(w, e) : load_offer(w, e);
	*ret = e;
	return r;
}

static void
entity_done(struct entity *e)
{
	json_decref(e->doc);
	json_decref(e->extra);
	json_decref(e->data_use);
	json_decref(e->targeting);
	json_decref(e->market_offers);
}

void
work_done(struct work *w)
{
	for (size_t i = 0; i < w->n_entities; i++)
		entity_done(&w->entities[i]);
	w->n_entities = 0;
}

/* ---- writing --------------------------------------------------------------------------- */

static enum souk_err
text_of(struct work *w, const json_t *v, struct str *ret)
{
	struct buf b = { 0 };
	struct jw out;

	jw_init(&out, &b);
	jw_value(&out, NULL, v);
	*ret = buf_ok(&b) ? arena_str(w->mem, buf_str(&b)) : (struct str){ NULL, 0 };
	buf_done(&b);
	return ret->p ? SOUK_OK : SOUK_E_NOMEM;
}

static struct str
member_text(const json_t *o, const char *member)
{
	const json_t *v = json_object_get(o, member);

	return json_is_string(v) ? (struct str){ json_string_value(v), json_string_length(v) }
				 : STR("");
}

/* What the market goes by follows what the listing says. */
static enum souk_err
set_product(struct work *w, struct entity *e)
{
	static const char *const states[] = { "draft", "draft", "limited", "public", "restricted" };
	struct json_member m = { .name = "dimensions",
		.kind = JSON_K_ARR,
		.got = json_object_get(e->doc, "dimensions") };
	struct fail f = { .err = SOUK_OK };
	struct check c = { .f = &f };
	struct str title = member_text(e->doc, "title");

	e->product.title = title.n > 0 ? title : STR("Untitled");
	e->product.state = str_c(states[e->visibility]);
	e->product.dimensions = STR("");
	check_dimensions(&c, &m, w->mem, &e->product.dimensions);
	if (f.n > 0)
		change_refused(w, e->first, &f);
	return c.err == SOUK_E_NOMEM ? c.err : SOUK_OK;
}

static enum souk_err
write_product(struct work *w, struct entity *e)
{
	struct fail f = { .err = SOUK_OK };
	int64_t seen = e->row.revision;
	bool found = true;
	enum souk_err r;

	if ((r = set_product(w, e)) != SOUK_OK || w->failed ||
	    (r = text_of(w, e->doc, &e->row.document)) != SOUK_OK ||
	    (r = text_of(w, e->extra, &e->row.extra)) != SOUK_OK ||
	    (r = text_of(w, e->targeting, &e->row.targeting)) != SOUK_OK ||
	    (e->data_use && (r = text_of(w, e->data_use, &e->row.data_use)) != SOUK_OK) ||
	    (r = listing_set_title(&e->row, member_text(e->doc, "title"), w->mem)) != SOUK_OK)
		return r;
	/* Two sellers who take the same title at once: the second finds the first. */
	for (int k = 0; k < 2; k++)
		if (e->row.title_key[k].n > 0 && (r = lock_subject(w->tx, e->row.title_key[k].p,
						      e->row.title_key[k].n)) != SOUK_OK)
			return r;
	e->row.changed_at = e->row.due_at = db_now(w->tx);
	e->row.revision = seen + 1;
	if (e->is_new) {
		e->row.created_at = e->row.changed_at;
		if ((r = product_create(w->tx, w->operator, & e->product, &f)) != SOUK_OK)
			return r;
		return listing_row_insert(w->tx, &e->row);
	}
	if ((r = product_change(w->tx, w->operator, & e->product, 0, &f)) != SOUK_OK ||
	    (r = listing_row_update(w->tx, &e->row, seen, &found)) != SOUK_OK)
		return r;
	return found ? SOUK_OK : SOUK_E_UNAVAILABLE;
}

static bool
names_buyer(const json_t *buyers, const char *account)
{
	for (size_t i = 0; i < json_array_size(buyers); i++)
		if (str_eq_c(member_text(json_array_get(buyers, i), "account"), account))
			return true;
	return false;
}

/* The instant after an offer's last day. */
static instant_t
end_of_offer(const struct entity *e)
{
	day_t day;

	return day_parse(member_text(e->doc, "expires"), &day) ? (instant_t)(day + 1) * DAY_MS : 0;
}

static enum souk_err
make_market_offer(struct work *w, struct entity *e, const char *buyer, bool first)
{
	struct offer o = { .product_id = e->offer.product_id,
		.name = member_text(e->doc, "name"),
		.visibility = STR("private"),
		.state = STR("active"),
		.program = STR(""),
		.ends_at = end_of_offer(e) };
	struct fail f = { .err = SOUK_OK };
	char text[GUID_TEXT_LEN + 1];
	enum souk_err r;

	/* Nobody could take it; of a new offer the rules say so. */
	if (o.ends_at != 0 && o.ends_at <= db_now(w->tx))
		return SOUK_OK;
	if (first)
		o.id = e->id;
	if (o.name.n == 0)
		o.name = STR("Private offer");
	(void)snprintf(
	    o.seller_id, sizeof(o.seller_id), "%.*s", (int)w->seller_id.n, w->seller_id.p);
	(void)snprintf(o.buyer_id, sizeof(o.buyer_id), "%s", buyer);
	r = offer_create(w->tx, w->operator, & o, &f);
	if (r == SOUK_E_INVALID) {
		change_error(w, e->first, "INVALID_BUYER",
		    "BuyerAccounts: an account is no buyer's here; give accounts that buy");
		return SOUK_OK;
	}
	if (r != SOUK_OK)
		return r;
	guid_format(&o.id, text);
	return json_object_set_new(e->market_offers, buyer, json_string(text)) == 0 ? SOUK_OK
										    : SOUK_E_NOMEM;
}

static enum souk_err
follow_market_offer(struct work *w, struct entity *e, const char *buyer, const char *id_text)
{
	bool is_buyer = names_buyer(json_object_get(e->doc, "buyers"), buyer);
	struct fail f = { .err = SOUK_OK };
	struct offer o;
	struct guid id;
	enum souk_err r;

	if (!guid_parse(str_c(id_text), &id))
		return SOUK_E_INTERNAL;
	if ((r = offer_get(w->tx, w->operator, & id, w->mem, &o)) != SOUK_OK)
		return r;
	o.ends_at = end_of_offer(e);
	o.state = is_buyer && o.ends_at > db_now(w->tx) ? STR("active") : STR("expired");
	if (member_text(e->doc, "name").n > 0)
		o.name = member_text(e->doc, "name");
	return offer_change(w->tx, w->operator, & o, 0, &f);
}

/* One offer of the market for each buyer, as subscriptions go by them. */
static enum souk_err
follow_offer(struct work *w, struct entity *e)
{
	const json_t *buyers = json_object_get(e->doc, "buyers");
	bool first = json_object_size(e->market_offers) == 0;
	const char *buyer;
	json_t *v;
	enum souk_err r = SOUK_OK;

	json_object_foreach(e->market_offers, buyer, v)
	{
		if (r == SOUK_OK)
			r = follow_market_offer(w, e, buyer, json_string_value(v));
	}
	for (size_t i = 0; r == SOUK_OK && !w->failed && i < json_array_size(buyers); i++) {
		const char *account =
		    json_string_value(json_object_get(json_array_get(buyers, i), "account"));

		if (account && !json_object_get(e->market_offers, account)) {
			r = make_market_offer(w, e, account, first);
			first = false;
		}
	}
	return r;
}

static enum souk_err
write_offer(struct work *w, struct entity *e)
{
	int64_t seen = e->offer.revision;
	bool found = true;
	enum souk_err r;

	if ((r = text_of(w, e->doc, &e->offer.document)) != SOUK_OK ||
	    (r = text_of(w, e->extra, &e->offer.extra)) != SOUK_OK)
		return r;
	/* With a buyer who is none there is nothing to write; the rules are asked all the same. */
	if (e->offer.released && ((r = follow_offer(w, e)) != SOUK_OK || w->failed))
		return r;
	if ((r = text_of(w, e->market_offers, &e->offer.market_offers)) != SOUK_OK)
		return r;
	e->offer.revision = seen + 1;
	e->offer.changed_at = db_now(w->tx);
	if (e->is_new) {
		e->offer.created_at = e->offer.changed_at;
		return listing_offer_row_insert(w->tx, &e->offer);
	}
	r = listing_offer_row_update(w->tx, &e->offer, seen, &found);
	return r == SOUK_OK && !found ? SOUK_E_UNAVAILABLE : r;
}

enum souk_err
work_write(struct work *w, bool *ret_whole)
{
	enum souk_err r = SOUK_OK;

	*ret_whole = false;

	for (size_t i = 0; r == SOUK_OK && i < w->n_entities; i++) {
		struct entity *e = &w->entities[i];

		if (e->is_changed && e->kind == ENTITY_PRODUCT)
			r = write_product(w, e);
	}
	if (r != SOUK_OK || w->failed)
		return r;
	*ret_whole = true;
	for (size_t i = 0; r == SOUK_OK && i < w->n_entities; i++) {
		struct entity *e = &w->entities[i];

		if (e->is_changed && e->kind == ENTITY_OFFER)
			r = write_offer(w, e);
	}
	return r;
}

/* ---- the whole ------------------------------------------------------------------------- */

static enum souk_err
find_entity(struct work *w, struct change *c, struct entity **ret)
{
	enum souk_err r;

	if (!c->kind->creates)
		r = work_entity(w, c->entity, &c->entity_id, ret);
	else
		r = (*ret = entity_add(w, c->entity, &c->entity_id)) ? SOUK_OK : SOUK_E_INTERNAL;
	if (r == SOUK_E_NOT_FOUND) {
		change_error(w, c, "ENTITY_NOT_FOUND", "There is no such entity any more.");
		*ret = NULL;
		return SOUK_OK;
	}
	if (r == SOUK_OK && !(*ret)->first)
		(*ret)->first = c;
	return r;
}

static enum souk_err
make_change(struct work *w, struct change *c)
{
	struct entity *e = NULL;
	enum souk_err r = find_entity(w, c, &e);

	if (r != SOUK_OK || !e)
		return r;
	if (e->kind == ENTITY_OFFER && e->accepted_at != 0) {
		change_error(w, c, "PS_OFF_12",
		    "The offer is accepted and cannot be edited any more; create a new offer");
		return SOUK_OK;
	}
	/* What an entity is made of could not be, so there is nothing to change. */
	if (!c->kind->creates && !e->doc)
		return SOUK_OK;
	return c->kind->make(w, c, e);
}

enum souk_err
work_run(struct work *w)
{
	bool whole = false;
	enum souk_err r = SOUK_OK;

	w->n_entities = 0;
	w->failed = false;
	for (size_t i = 0; i < w->q->n; i++)
		w->q->v[i].n_errors = 0;
	for (int rank = 0; rank <= 9; rank++)
		for (size_t i = 0; r == SOUK_OK && i < w->q->n; i++)
			if (w->q->v[i].kind->rank == rank)
				r = make_change(w, &w->q->v[i]);
	if (r != SOUK_OK || w->failed || (r = work_review_before(w)) != SOUK_OK ||
	    (r = work_write(w, &whole)) != SOUK_OK || !whole)
		return r;
	return work_review(w);
}
