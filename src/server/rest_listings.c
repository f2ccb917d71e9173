/* SPDX-License-Identifier: Apache-2.0 */
/*
 * REST: listings of professional services in the form of the listing document, their reviews and change requests.
 *
 * A document is replaced at once, as long as no change set is under way; what changes who sees a listing is a change
 * request, which takes its time (proserv/change.h).
 */
#include "server/rest.h"

#include "market/id_owner.h"
#include "market/market.h"
#include "proserv/entity.h"
#include "proserv/logo_kept.h"
#include "proserv/review_gate.h"

#include <stdio.h>
#include <stdlib.h>

#define LISTING_BODY ((size_t)1 << 20)
#define ARENA_BYTES ((size_t)256 << 20)

/* "prod-GUID" as documents have it, or the GUID alone, as products have it. */
static enum souk_err
path_id(struct call *c, struct guid *ret)
{
	return entity_id_parse(PRODUCT_PREFIX, c->params[0], ret) ? SOUK_OK
								  : call_param_guid(c, 0, ret);
}

/* Whose the listing of the path is; SOUK_E_NOT_FOUND to others. */
static enum souk_err
path_listing(
    struct call *c, struct db_tx *tx, struct guid *ret, char seller[static ACCOUNT_ID_LEN + 1])
{
	struct id_owner owner;
	enum souk_err r;

	if ((r = path_id(c, ret)) != SOUK_OK ||
	    (r = id_owner_find(tx, ID_PRODUCT, ret, &owner)) != SOUK_OK)
		return r;
	if (!tenant_is_operator(c->scope) &&
	    (!tenant_is_seller(c->scope) || !str_eq_c(tenant_account(c->scope), owner.seller_id)))
		return SOUK_E_NOT_FOUND;
	memcpy(seller, owner.seller_id, ACCOUNT_ID_LEN + 1);
	return SOUK_OK;
}

static enum souk_err
path_row(struct call *c, struct db_tx *tx, struct arena *mem, struct listing_row *ret)
{
	char seller[ACCOUNT_ID_LEN + 1];
	struct guid id;
	enum souk_err r = path_listing(c, tx, &id, seller);

	if (r == SOUK_OK)
		r = listing_row_find(tx, str_c(seller), &id, mem, ret);
	return r == SOUK_OK && ret->removed_at != 0 ? SOUK_E_NOT_FOUND : r;
}

/* ---- showing --------------------------------------------------------------------------- */

static void
put_time(struct jw *w, const char *key, instant_t t)
{
	if (t != 0)
		jw_instant(w, key, t);
	else
		jw_null(w, key);
}

static void
put_head(struct jw *w, const struct listing_row *l)
{
	char id[ENTITY_ID_MAX];

	entity_id_write(PRODUCT_PREFIX, &l->product_id, id);
	jw_c(w, "listingId", id);
	jw_guid(w, "productId", &l->product_id);
	jw_c(w, "sellerId", l->seller_id);
	jw_str(w, "title", l->product.title);
	jw_c(w, "visibility", visibility_word(visibility_of_state(l->product.state)));
	jw_c(w, "standing", standing_word(l->standing));
	if (l->product.suspended.n > 0)
		jw_str(w, "suspended", l->product.suspended);
	else
		jw_null(w, "suspended");
	put_time(w, "graceUntil", l->grace_until);
	put_time(w, "reviewedAt", l->reviewed_at);
	jw_instant(w, "createdAt", l->created_at);
	jw_instant(w, "changedAt", l->changed_at);
	jw_int(w, "revision", l->revision);
}

/* JSON array of the listing's offers, as of the listing document. */
static enum souk_err
put_offers(struct db_tx *tx, const struct listing_row *l, struct buf *out)
{
	struct db_stmt *st = listing_offer_rows_of_product(tx, str_c(l->seller_id), &l->product_id);
	enum souk_err r;
	bool row;

	buf_add_char(out, '[');
	while ((r = db_step(st, &row)) == SOUK_OK && row) {
		struct listing_offer_row o;

		listing_offer_row(st, &o);
		if (out->n > 1)
			buf_add_char(out, ',');
		listing_offer_document(&o, 0, db_now(tx), out);
	}
	buf_add_char(out, ']');
	return r == SOUK_OK && !buf_ok(out) ? SOUK_E_NOMEM : r;
}

static enum souk_err
listing_answer(struct call *c, struct db_tx *tx, const struct listing_row *l)
{
	struct buf offers = { 0 }, document = { 0 };
	struct jw w;
	enum souk_err r = put_offers(tx, l, &offers);

	if (r == SOUK_OK) {
		listing_document(l, buf_str(&offers), &document);
		r = buf_ok(&document) ? SOUK_OK : SOUK_E_NOMEM;
	}
	if (r == SOUK_OK) {
		jw_init(&w, &c->out);
		jw_open(&w, NULL, '{');
		put_head(&w, l);
		jw_raw(&w, "targeting", l->targeting);
		jw_raw(&w, "document", buf_str(&document));
		jw_close(&w, '}');
		call_etag(c, l->revision);
	}
	buf_done(&offers);
	buf_done(&document);
	return r;
}

static enum souk_err
listing_show(struct call *c, struct db_tx *tx)
{
	struct listing_row l;
	enum souk_err r = path_row(c, tx, c->arena, &l);

	return r == SOUK_OK ? listing_answer(c, tx, &l) : r;
}

static size_t
emit(struct db_stmt *st, struct jw *out, void *key)
{
	struct listing_row l;

	listing_row(st, &l);
	jw_open(out, NULL, '{');
	put_head(out, &l);
	jw_close(out, '}');
	memcpy(key, &l.product_id, sizeof(l.product_id));
	return sizeof(l.product_id);
}

static enum souk_err
listings_list(struct call *c, struct db_tx *tx)
{
	struct guid after;
	struct str seller;
	struct page p;
	struct jw w;
	enum souk_err r;

	if ((r = call_page(c, &p)) != SOUK_OK ||
	    (r = rest_query_account(c, "sellerId", &seller)) != SOUK_OK ||
	    (r = page_begin_guid(&p, &after, &c->fail)) != SOUK_OK)
		return r;
	if (!tenant_is_operator(c->scope)) {
		if (!tenant_is_seller(c->scope) ||
		    (seller.n > 0 && !str_eq(seller, tenant_account(c->scope))))
			return SOUK_E_NOT_FOUND;
		seller = tenant_account(c->scope);
	}
	rest_list_open(c, &w);
	r = page_rows(&p,
	    seller.n > 0 ? listing_rows_of(tx, seller, &after, p.limit + 1)
			 : listing_rows_all(tx, &after, p.limit + 1),
	    emit, c->arena, &w);
	rest_list_close(&w, p.next);
	return r;
}

/* ---- writing --------------------------------------------------------------------------- */

struct writing {
	json_t *document; /* NULL: as it is */
};

static enum souk_err
read_document(struct call *c, bool required)
{
	struct json_member m[] = {
		{ .name = "document", .kind = JSON_K_OBJ, .required = required }
	};
	struct writing *x = ARENA_NEW(c->arena, struct writing);
	enum souk_err r = SOUK_OK;

	if (!x)
		return SOUK_E_LIMIT;
	c->input = x;
	if (required)
		r = rest_need_body(c);
	if (r == SOUK_OK && c->body)
		r = json_take(c->body, m, 1, &c->fail);
	if (r != SOUK_OK)
		return r;
	x->document = json_object_get(c->body, "document");
	/* It takes a while, once. */
	return reviewer_warm(c->svc->reviewer);
}

static enum souk_err
listing_read_new(struct call *c)
{
	return read_document(c, true);
}

static enum souk_err
write_document(struct call *c, struct db_tx *tx, struct str seller, const struct guid *id, bool new,
    json_t *document)
{
	struct arena *mem = arena_new(ARENA_BYTES);
	struct change_request *q = mem ? ARENA_NEW(mem, struct change_request) : NULL;
	json_t *nothing = json_object();
	enum souk_err r = SOUK_E_NOMEM;

	if (q && nothing) {
		if (new)
			q->v[q->n++] = (struct change){ .kind = change_create_product(),
				.entity_id = *id,
				.details = nothing };
		q->v[q->n++] = (struct change){
			.kind = change_set_document(), .entity_id = *id, .details = document
		};
		r = changes_make(tx, c->svc->reviewer, seller, q, mem, &c->fail);
	}
	json_decref(nothing);
	arena_free(mem);
	return r;
}

static enum souk_err
listing_add(struct call *c, struct db_tx *tx)
{
	const struct writing *x = c->input;
	struct str seller = tenant_account(c->scope);
	struct guid id = guid_new();
	struct listing_row l;
	enum souk_err r;

	if (!tenant_is_seller(c->scope))
		return fail_set(
		    &c->fail, SOUK_E_DENIED, "not_a_seller", "Only sellers may make listings.");
	if ((r = write_document(c, tx, seller, &id, true, x->document)) != SOUK_OK ||
	    (r = listing_row_find(tx, seller, &id, c->arena, &l)) != SOUK_OK ||
	    (r = listing_answer(c, tx, &l)) != SOUK_OK)
		return r;
	rest_created_guid(c, "/api/v1/listings/", &id);
	rest_audit_guid(c, "listing", &id, seller);
	return SOUK_OK;
}

static enum souk_err
listing_put(struct call *c, struct db_tx *tx)
{
	const struct writing *x = c->input;
	struct listing_row l;
	int64_t seen;
	enum souk_err r;

	if ((r = path_row(c, tx, c->arena, &l)) != SOUK_OK)
		return r;
	/* Whoever else changes it waits, so that the revision that was seen still is. */
	if ((r = lock_owner(tx, str_c(l.seller_id))) != SOUK_OK ||
	    (r = path_row(c, tx, c->arena, &l)) != SOUK_OK ||
	    (r = call_if_match(c, l.revision, &seen)) != SOUK_OK)
		return r;
	if (seen != 0 && seen != l.revision)
		return SOUK_E_PRECONDITION;
	if ((r = write_document(c, tx, str_c(l.seller_id), &l.product_id, false, x->document)) !=
		SOUK_OK ||
	    (r = path_row(c, tx, c->arena, &l)) != SOUK_OK ||
	    (r = listing_answer(c, tx, &l)) != SOUK_OK)
		return r;
	rest_audit_guid(c, "listing", &l.product_id, str_c(l.seller_id));
	return SOUK_OK;
}

/* ---- review, without keeping anything -------------------------------------------------- */

static enum souk_err
review_read(struct call *c)
{
	return read_document(c, false);
}

/* The row as it would be with another document. */
static enum souk_err
with_document(struct listing_row *l, const json_t *document, struct arena *mem)
{
	static const char *const servers[] = { "id", "seller", "edition", "visibility",
		"product_state", "offers", "fulfilments" };
	json_t *copy = json_deep_copy(document);
	struct buf b = { 0 };
	struct jw w;

	if (!copy)
		return SOUK_E_NOMEM;
	jw_init(&w, &b);
	if (json_object_get(json_object_get(copy, "seller"), "data_use_terms")) {
		jw_value(
		    &w, NULL, json_object_get(json_object_get(copy, "seller"), "data_use_terms"));
		l->data_use = arena_str(mem, buf_str(&b));
		buf_clear(&b);
		jw_init(&w, &b);
	}
	for (size_t i = 0; i < sizeof(servers) / sizeof(servers[0]); i++)
		(void)json_object_del(copy, servers[i]);
	jw_value(&w, NULL, copy);
	l->document = arena_str(mem, buf_str(&b));
	buf_done(&b);
	json_decref(copy);
	return l->document.p && l->data_use.p ? SOUK_OK : SOUK_E_NOMEM;
}

static void
review_answer(struct call *c, const struct listing *l, const struct findings *found)
{
	struct jw w;

	jw_init(&w, &c->out);
	jw_open(&w, NULL, '{');
	jw_c(&w, "edition", edition_word(reviewer_edition(c->svc->reviewer)));
	jw_bool(&w, "blocks", findings_block(found));
	jw_open(&w, "findings", '[');
	for (size_t i = 0; i < found->n; i++)
		finding_json(&w, &found->v[i], STR(""), l->id);
	jw_close(&w, ']');
	jw_close(&w, '}');
}

static enum souk_err
review_row(struct call *c, struct db_tx *tx, struct listing_row *row, struct arena *mem)
{
	const struct writing *x = c->input;
	struct buf offers = { 0 }, text = { 0 };
	struct review_context context;
	struct findings found;
	struct listing l;
	struct review_input in = { .listing = &l, .context = &context };
	enum souk_err r = x->document ? with_document(row, x->document, mem) : SOUK_OK;

	if (r == SOUK_OK && (r = put_offers(tx, row, &offers)) == SOUK_OK) {
		listing_document(row, buf_str(&offers), &text);
		r = buf_ok(&text) ? listing_read(buf_str(&text), mem, &l, &c->fail) : SOUK_E_NOMEM;
	}
	buf_done(&offers);
	buf_done(&text);
	findings_init(&found, mem);
	if (r != SOUK_OK ||
	    (r = listing_context_for(tx, c->svc->config, &l, mem, &context)) != SOUK_OK ||
	    (r = logo_take_in_force(tx, str_c(row->seller_id), &row->product_id, mem, &l, &in)) !=
		SOUK_OK ||
	    (r = logo_index_refresh(reviewer_logos(c->svc->reviewer), tx)) != SOUK_OK ||
	    (r = logo_find_nearest(reviewer_logos(c->svc->reviewer), &in, mem, &context)) !=
		SOUK_OK ||
	    (r = reviewer_run(c->svc->reviewer, &in, EDITION_NONE, &found)) != SOUK_OK ||
	    (r = review_gate_waive(tx, str_c(row->seller_id), &row->product_id, mem, &found)) !=
		SOUK_OK)
		return r;
	review_answer(c, &l, &found);
	return SOUK_OK;
}

static enum souk_err
listing_review(struct call *c, struct db_tx *tx)
{
	struct arena *mem = arena_new(ARENA_BYTES);
	struct listing_row row;
	enum souk_err r = mem ? path_row(c, tx, mem, &row) : SOUK_E_NOMEM;

	if (r == SOUK_OK)
		r = review_row(c, tx, &row, mem);
	arena_free(mem);
	return r;
}

/* ---- change requests ------------------------------------------------------------------- */

/* {"type", "details", "name"?, "offer"?} as a change of the Catalog API. */
static enum souk_err
read_change(struct call *c, const json_t *o, const char *listing, json_t *list)
{
	enum { TYPE, DETAILS, NAME, OFFER, COUNT };
	struct json_member m[COUNT] = {
		[TYPE] = { .name = "type", .kind = JSON_K_STR, .required = true },
		[DETAILS] = { .name = "details", .kind = JSON_K_ANY },
		[NAME] = { .name = "name", .kind = JSON_K_STR },
		[OFFER] = { .name = "offer", .kind = JSON_K_STR },
	};
	enum souk_err r = json_take(o, m, COUNT, &c->fail);
	struct str offer = json_member_str(&m[OFFER]);
	json_t *change, *entity;

	if (r != SOUK_OK)
		return r;
	entity = json_pack(
	    "{s:s}", "Type", entity_type_versioned(m[OFFER].got ? ENTITY_OFFER : ENTITY_PRODUCT));
	/* "" is an offer that is to be made. */
	if (entity && (!m[OFFER].got || offer.n > 0) &&
	    json_object_set_new(entity, "Identifier",
		m[OFFER].got ? json_stringn(offer.p, offer.n) : json_string(listing)) != 0) {
		json_decref(entity);
		entity = NULL;
	}
	change = json_pack("{s:O,s:o}", "ChangeType", m[TYPE].got, "Entity", entity);
	if (!change ||
	    json_object_set_new(change, "DetailsDocument",
		m[DETAILS].got ? json_deep_copy(m[DETAILS].got) : json_object()) != 0 ||
	    (m[NAME].got &&
		json_object_set_new(change, "ChangeName", json_deep_copy(m[NAME].got)) != 0) ||
	    json_array_append(list, change) != 0)
		r = SOUK_E_NOMEM;
	json_decref(change);
	return r;
}

static enum souk_err
request_read(struct call *c)
{
	struct json_member m[] = { { .name = "changes", .kind = JSON_K_ARR, .required = true } };
	struct change_request *q = ARENA_NEW(c->arena, struct change_request);
	char listing[ENTITY_ID_MAX];
	json_t *body, *list;
	struct guid id;
	enum souk_err r;

	if (!q)
		return SOUK_E_LIMIT;
	c->input = q;
	if ((r = path_id(c, &id)) != SOUK_OK || (r = rest_need_body(c)) != SOUK_OK ||
	    (r = json_take(c->body, m, 1, &c->fail)) != SOUK_OK)
		return r;
	entity_id_write(PRODUCT_PREFIX, &id, listing);
	list = json_array();
	for (size_t i = 0; i < json_array_size(m[0].got) && r == SOUK_OK; i++)
		r = list ? read_change(c, json_array_get(m[0].got, i), listing, list)
			 : SOUK_E_NOMEM;
	body = json_pack("{s:s,s:o}", "Catalog", CATALOG, "ChangeSet", list);
	/* It lives as long as the call's body: what is read borrows from it. */
	if (!body || json_object_set_new(c->body, "request", body) != 0)
		return SOUK_E_NOMEM;
	return r == SOUK_OK ? change_request_read(body, c->arena, q, &c->fail) : r;
}

static bool
is_rejected(const struct change_request *q)
{
	for (size_t i = 0; i < q->n; i++)
		for (size_t k = 0; k < q->v[i].n_errors; k++)
			if (strcmp(q->v[i].errors[k].code, "REVIEW_REJECTED") == 0)
				return true;
	return false;
}

/* As the marketplace's portal calls it. */
static const char *
portal_status(const struct change_set_row *row, const struct change_request *q)
{
	static const char *const words[CHANGE__COUNT] = {
		[CHANGE_PREPARING] = "Preparing changes",
		[CHANGE_APPLYING] = "Applying changes",
		[CHANGE_SUCCEEDED] = "Succeeded",
		[CHANGE_FAILED] = "Failed",
		[CHANGE_CANCELLED] = "Cancelled",
	};

	if (row->status == CHANGE_PREPARING && row->waiting)
		return "Under review";
	return row->status == CHANGE_FAILED && is_rejected(q) ? "Action required"
							      : words[row->status];
}

static void
put_change(struct jw *w, const struct change *x)
{
	char id[ENTITY_ID_MAX];

	entity_id_write(entity_prefix(x->entity), &x->entity_id, id);
	jw_open(w, NULL, '{');
	jw_str(w, "type", x->type);
	jw_c(w, "entityType", entity_type(x->entity));
	jw_c(w, "entityId", id);
	jw_str_opt(w, "name", x->name);
	jw_value(w, "details", x->details);
	jw_open(w, "errors", '[');
	for (size_t i = 0; i < x->n_errors; i++) {
		jw_open(w, NULL, '{');
		jw_c(w, "code", x->errors[i].code);
		jw_c(w, "message", x->errors[i].message);
		jw_close(w, '}');
	}
	jw_close(w, ']');
	jw_close(w, '}');
}

static enum souk_err
put_request(struct call *c, struct jw *w, const struct change_set_row *row)
{
	struct change_request *q = ARENA_NEW(c->arena, struct change_request);
	json_t *kept = NULL;
	enum souk_err r = q ? json_read(row->changes, &kept, NULL) : SOUK_E_NOMEM;

	if (r == SOUK_OK && (r = changes_read(kept, c->arena, q)) == SOUK_OK) {
		jw_open(w, NULL, '{');
		jw_guid(w, "changeRequestId", &row->id);
		jw_c(w, "sellerId", row->seller_id);
		jw_str(w, "name", row->name);
		jw_c(w, "intent", row->validate ? "VALIDATE" : "APPLY");
		jw_c(w, "status", portal_status(row, q));
		jw_c(w, "apiStatus", change_status_words[row->status]);
		jw_c(w, "failureCode", change_failure_word(row->failure));
		jw_instant(w, "startedAt", row->started_at);
		put_time(w, "endedAt", row->ended_at);
		jw_open(w, "changes", '[');
		for (size_t i = 0; i < q->n; i++)
			put_change(w, &q->v[i]);
		jw_close(w, ']');
		jw_close(w, '}');
	}
	json_decref(kept);
	return r;
}

static enum souk_err
request_answer(struct call *c, const struct change_set_row *row)
{
	struct jw w;
	enum souk_err r;

	jw_init(&w, &c->out);
	if ((r = put_request(c, &w, row)) != SOUK_OK)
		buf_clear(&c->out);
	return r;
}

static enum souk_err
request_add(struct call *c, struct db_tx *tx)
{
	struct change_limits limits = { config_int(c->svc->config, SET_CATALOG_OPEN_CHANGE_SETS) };
	struct change_set_row row;
	struct listing_row l;
	struct guid id;
	enum souk_err r;

	if ((r = path_row(c, tx, c->arena, &l)) != SOUK_OK ||
	    (r = change_set_start(tx, c->scope, c->input, &limits, c->arena, &id, &c->fail)) !=
		SOUK_OK ||
	    (r = change_set_get(tx, c->scope, &id, c->arena, &row)) != SOUK_OK ||
	    (r = request_answer(c, &row)) != SOUK_OK)
		return r;
	rest_created_guid(c, "/api/v1/change-requests/", &id);
	rest_audit_guid(c, "change-set", &id, str_c(l.seller_id));
	return SOUK_OK;
}

static enum souk_err
request_show(struct call *c, struct db_tx *tx)
{
	struct change_set_row row;
	struct guid id;
	enum souk_err r;

	if ((r = call_param_guid(c, 0, &id)) != SOUK_OK ||
	    (r = change_set_get(tx, c->scope, &id, c->arena, &row)) != SOUK_OK)
		return r;
	return request_answer(c, &row);
}

static enum souk_err
request_cancel(struct call *c, struct db_tx *tx)
{
	struct change_set_row row;
	struct guid id;
	enum souk_err r;

	if ((r = call_param_guid(c, 0, &id)) != SOUK_OK ||
	    (r = change_set_cancel(tx, c->scope, &id, c->arena, &row, &c->fail)) != SOUK_OK ||
	    (r = request_answer(c, &row)) != SOUK_OK)
		return r;
	rest_audit_guid(c, "change-set", &id, str_c(row.seller_id));
	return SOUK_OK;
}

/* Where the last one that was shown stands. */
struct request_key {
	instant_t at;
	struct guid id;
};

static enum souk_err
requests_begin(const struct page *p, instant_t *ret_at, struct guid *ret_id, struct fail *f)
{
	struct request_key key = { .at = INSTANT_MAX };
	size_t n = 0;
	enum souk_err r = page_begin(p, &key, sizeof(key), &n, f);

	if (r == SOUK_OK && n != 0 && n != sizeof(key))
		return page_bad_cursor(f);
	*ret_at = key.at;
	*ret_id = key.id;
	return r;
}

/* What they change is left to the single one. */
static size_t
emit_request(struct db_stmt *st, struct jw *w, void *key)
{
	struct change_set_row row;
	static const struct change_request none;
	struct request_key k;

	change_set_row(st, &row);
	jw_open(w, NULL, '{');
	jw_guid(w, "changeRequestId", &row.id);
	jw_c(w, "sellerId", row.seller_id);
	jw_str(w, "name", row.name);
	jw_c(w, "status", portal_status(&row, &none));
	jw_c(w, "apiStatus", change_status_words[row.status]);
	jw_instant(w, "startedAt", row.started_at);
	put_time(w, "endedAt", row.ended_at);
	jw_close(w, '}');
	k = (struct request_key){ row.started_at, row.id };
	memcpy(key, &k, sizeof(k));
	return sizeof(k);
}

static enum souk_err
requests_list(struct call *c, struct db_tx *tx)
{
	struct str seller;
	struct guid before_id = { { 0 } };
	instant_t before = 0;
	struct page p;
	struct jw w;
	enum souk_err r;

	if ((r = call_page(c, &p)) != SOUK_OK ||
	    (r = rest_query_account(c, "sellerId", &seller)) != SOUK_OK ||
	    (r = requests_begin(&p, &before, &before_id, &c->fail)) != SOUK_OK)
		return r;
	if (!tenant_is_operator(c->scope)) {
		if (!tenant_is_seller(c->scope) ||
		    (seller.n > 0 && !str_eq(seller, tenant_account(c->scope))))
			return SOUK_E_NOT_FOUND;
		seller = tenant_account(c->scope);
	}
	rest_list_open(c, &w);
	r = page_rows(&p, change_set_rows(tx, seller, before, &before_id, p.limit + 1),
	    emit_request, c->arena, &w);
	rest_list_close(&w, p.next);
	return r;
}

#define LISTINGS "/api/v1/listings"
#define REQUESTS "/api/v1/change-requests"

static const struct op ops[] = {
	{ "GET", LISTINGS, "proserv:ReadListings", 0, OP_READ | OP_NO_BODY, NULL, listings_list },
	{ "POST", LISTINGS, "proserv:WriteListings", LISTING_BODY, OP_WRITE | OP_IDEMPOTENT,
	    listing_read_new, listing_add },
	{ "GET", LISTINGS "/{listingId}", "proserv:ReadListings", 0, OP_READ | OP_NO_BODY, NULL,
	    listing_show },
	{ "PUT", LISTINGS "/{listingId}", "proserv:WriteListings", LISTING_BODY, OP_WRITE,
	    listing_read_new, listing_put },
	{ "POST", LISTINGS "/{listingId}/review", "proserv:ReadListings", LISTING_BODY, OP_READ,
	    review_read, listing_review },
	{ "POST", LISTINGS "/{listingId}/change-requests", "proserv:WriteListings", LISTING_BODY,
	    OP_WRITE | OP_IDEMPOTENT, request_read, request_add },
	{ "GET", REQUESTS, "proserv:ReadListings", 0, OP_READ | OP_NO_BODY, NULL, requests_list },
	{ "GET", REQUESTS "/{changeRequestId}", "proserv:ReadListings", 0, OP_READ | OP_NO_BODY,
	    NULL, request_show },
	{ "DELETE", REQUESTS "/{changeRequestId}", "proserv:WriteListings", 0,
	    OP_WRITE | OP_NO_BODY, NULL, request_cancel },
};
const struct rest_table rest_listings = { ops, sizeof(ops) / sizeof(ops[0]) };
