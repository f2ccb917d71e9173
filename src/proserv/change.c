/* SPDX-License-Identifier: Apache-2.0 */
/* Starting, showing, cancelling and going on with change sets; see change.h. */
#include "proserv/change_int.h"

#include "proserv/logo_store.h"
#include "proserv/review_gate.h"

#include "market/id_owner.h"

#include <stdio.h>

#define ROW_BYTES ((size_t)32 << 20)

static enum souk_err
put_job(struct db_tx *tx, struct str seller_id, const struct guid *id)
{
	return job_put(tx,
	    &(struct job_new){ .kind = CHANGE_SET_JOB,
		.seller_id = seller_id,
		.request_id = id,
		.payload = STR("{}") },
	    NULL);
}

/* ---- the kept form --------------------------------------------------------------------- */

static void
write_errors(const struct change *c, struct jw *w)
{
	jw_open(w, "errors", '[');
	for (size_t i = 0; i < c->n_errors; i++) {
		jw_open(w, NULL, '{');
		jw_c(w, "code", c->errors[i].code);
		jw_c(w, "message", c->errors[i].message);
		jw_close(w, '}');
	}
	jw_close(w, ']');
}

void
changes_write(const struct change_request *q, struct buf *out)
{
	char id[ENTITY_ID_MAX];
	struct jw w;

	jw_init(&w, out);
	jw_open(&w, NULL, '[');
	for (size_t i = 0; i < q->n; i++) {
		const struct change *c = &q->v[i];

		entity_id_write(entity_prefix(c->entity), &c->entity_id, id);
		jw_open(&w, NULL, '{');
		jw_c(&w, "type", c->kind->type);
		jw_c(&w, "entityType", entity_type(c->entity));
		jw_c(&w, "entityId", id);
		jw_str_opt(&w, "name", c->name);
		jw_value(&w, "details", c->details);
		if (c->was_text)
			jw_bool(&w, "text", true);
		if (c->tags)
			jw_value(&w, "tags", c->tags);
		write_errors(c, &w);
		jw_close(&w, '}');
	}
	jw_close(&w, ']');
}

static struct str
text_of(const json_t *o, const char *member)
{
	const json_t *v = json_object_get(o, member);

	return json_is_string(v) ? (struct str){ json_string_value(v), json_string_length(v) }
				 : STR("");
}

static enum souk_err
read_errors(const json_t *a, struct arena *mem, struct change *c)
{
	struct change_error *v = arena_array(mem, json_array_size(a) + 1, sizeof(*v));

	if (!v)
		return SOUK_E_NOMEM;
	for (size_t i = 0; i < json_array_size(a); i++) {
		const json_t *o = json_array_get(a, i);

		v[i].code = json_string_value(json_object_get(o, "code"));
		v[i].message = json_string_value(json_object_get(o, "message"));
		if (!v[i].code || !v[i].message)
			return SOUK_E_INTERNAL;
	}
	c->errors = v;
	c->n_errors = json_array_size(a);
	return SOUK_OK;
}

static const struct change_kind *
kind_of(enum entity_kind entity, struct str type)
{
	for (size_t i = 0; i < n_change_kinds; i++)
		if (change_kinds[i].entity == entity && str_eq_c(type, change_kinds[i].type))
			return &change_kinds[i];
	return NULL;
}

enum souk_err
changes_read(const json_t *kept, struct arena *mem, struct change_request *ret)
{
	enum souk_err r = SOUK_OK;

	*ret = (struct change_request){ .n = json_array_size(kept) };
	if (ret->n > CHANGES_MAX)
		return SOUK_E_INTERNAL;
	for (size_t i = 0; i < ret->n && r == SOUK_OK; i++) {
		const json_t *o = json_array_get(kept, i);
		struct change *c = &ret->v[i];

		c->type = text_of(o, "type");
		if (!entity_type_parse(text_of(o, "entityType"), &c->entity) ||
		    !(c->kind = kind_of(c->entity, c->type)) ||
		    !entity_id_parse(
			entity_prefix(c->entity), text_of(o, "entityId"), &c->entity_id))
			return SOUK_E_INTERNAL;
		c->name = text_of(o, "name");
		c->details = json_object_get(o, "details");
		c->was_text = json_is_true(json_object_get(o, "text"));
		c->tags = json_object_get(o, "tags");
		r = read_errors(json_object_get(o, "errors"), mem, c);
	}
	return r;
}

/* ---- starting -------------------------------------------------------------------------- */

/* Whose the entities are; all one seller's, and one that the caller may change. */
static enum souk_err
find_owner(struct db_tx *tx, const struct tenant_scope *s, const struct change *c,
    char ret[static ACCOUNT_ID_LEN + 1])
{
	struct str own = tenant_account(s);
	struct id_owner owner;
	enum souk_err r;

	if (!tenant_is_operator(s)) {
		(void)snprintf(ret, ACCOUNT_ID_LEN + 1, "%.*s", (int)own.n, own.p);
		return SOUK_OK;
	}
	if (c->entity == ENTITY_OFFER)
		return listing_offer_owner(tx, &c->entity_id, ret);
	if ((r = id_owner_find(tx, ID_PRODUCT, &c->entity_id, &owner)) == SOUK_OK)
		memcpy(ret, owner.seller_id, sizeof(owner.seller_id));
	return r;
}

static bool
is_new_here(const struct change_request *q, const struct guid *id)
{
	for (size_t i = 0; i < q->n; i++)
		if (q->v[i].kind->creates && guid_eq(&q->v[i].entity_id, id))
			return true;
	return false;
}

static enum souk_err
find_seller(struct db_tx *tx, const struct tenant_scope *s, const struct change_request *q,
    char ret[static ACCOUNT_ID_LEN + 1], struct fail *f)
{
	bool found = false;

	for (size_t i = 0; i < q->n; i++) {
		char one[ACCOUNT_ID_LEN + 1] = "";
		enum souk_err r;

		if (is_new_here(q, &q->v[i].entity_id))
			continue;
		if ((r = find_owner(tx, s, &q->v[i], one)) != SOUK_OK)
			return r;
		if (found && strcmp(ret, one) != 0)
			return fail_set(f, SOUK_E_INVALID, "two_sellers",
			    "The entities of a change set must be of one seller.");
		memcpy(ret, one, sizeof(one));
		found = true;
	}
	/* What is new is the caller's own, unless it comes with what is a seller's. */
	if (found)
		return SOUK_OK;
	(void)snprintf(
	    ret, ACCOUNT_ID_LEN + 1, "%.*s", (int)tenant_account(s).n, tenant_account(s).p);
	if (tenant_is_seller(s))
		return SOUK_OK;
	return fail_set(
	    f, SOUK_E_DENIED, "not_a_seller", "Only sellers may make listings and offers.");
}

/* Is it there, and as the caller saw it? */
static enum souk_err
check_there(struct db_tx *tx, struct str seller_id, const struct change *c, struct arena *mem,
    struct fail *f)
{
	struct listing_row l;
	struct listing_offer_row o;
	bool product = c->entity == ENTITY_PRODUCT;
	enum souk_err r = product ? listing_row_find(tx, seller_id, &c->entity_id, mem, &l)
				  : listing_offer_row_find(tx, seller_id, &c->entity_id, mem, &o);

	if (r == SOUK_OK && product && l.removed_at != 0)
		r = SOUK_E_NOT_FOUND;
	if (r != SOUK_OK)
		return r;
	if (c->revision != 0 && c->revision != (product ? l.revision : o.revision))
		return fail_set(f, SOUK_E_INVALID, "revision",
		    "An entity was changed since the revision in its Identifier: describe it "
		    "again.");
	return SOUK_OK;
}

static enum souk_err
check_changes(struct db_tx *tx, const struct tenant_scope *s, struct str seller_id,
    const struct change_request *q, struct arena *mem, struct fail *f)
{
	enum souk_err r = SOUK_OK;

	for (size_t i = 0; i < q->n && r == SOUK_OK; i++) {
		if (q->v[i].kind->operator_only && !tenant_is_operator(s))
			return fail_set(f, SOUK_E_DENIED, "operator_only",
			    "Only the marketplace's operator may make the change %s.",
			    q->v[i].kind->type);
		if (!is_new_here(q, &q->v[i].entity_id))
			r = check_there(tx, seller_id, &q->v[i], mem, f);
	}
	return r;
}

enum souk_err
change_lock_entities(struct db_tx *tx, const struct change_set_row *row,
    const struct change_request *q, struct fail *f)
{
	for (size_t i = 0; i < q->n; i++) {
		bool taken = false, before = false;
		enum souk_err r;

		for (size_t k = 0; k < i; k++)
			before |= guid_eq(&q->v[k].entity_id, &q->v[i].entity_id);
		if (before)
			continue;
		r = entity_lock_take(
		    tx, str_c(row->seller_id), &q->v[i].entity_id, &row->id, &taken);
		if (r != SOUK_OK)
			return r;
		if (taken)
			return fail_set(f, SOUK_E_CONFLICT, "entity_locked",
			    "An entity of this change set is being changed by another one: wait "
			    "for "
			    "its end.");
	}
	return SOUK_OK;
}

static enum souk_err
check_quota(
    struct db_tx *tx, struct str seller_id, const struct change_limits *limits, struct fail *f)
{
	int64_t n = 0;
	enum souk_err r = change_set_count_open(tx, seller_id, &n);

	if (r == SOUK_OK && n >= limits->open)
		return fail_set(f, SOUK_E_LIMIT, "change_set_quota",
		    "There are %lld change sets under way, which is the most allowed: wait for an "
		    "end.",
		    (long long)n);
	return r;
}

static enum souk_err
put_tags(
    struct db_tx *tx, struct str seller_id, const char *type, struct str id, const json_t *tags)
{
	char resource[128];
	enum souk_err r = SOUK_OK;

	(void)snprintf(resource, sizeof(resource), CATALOG "/%s/%.*s", type, (int)id.n, id.p);
	for (size_t i = 0; i < json_array_size(tags) && r == SOUK_OK; i++)
		r = catalog_tag_put(tx, seller_id, str_c(resource),
		    text_of(json_array_get(tags, i), "Key"),
		    text_of(json_array_get(tags, i), "Value"));
	return r;
}

enum souk_err
changes_put_tags(struct db_tx *tx, struct str seller_id, const struct change_request *q)
{
	enum souk_err r = SOUK_OK;
	char id[ENTITY_ID_MAX];

	for (size_t i = 0; i < q->n && r == SOUK_OK; i++) {
		entity_id_write(entity_prefix(q->v[i].entity), &q->v[i].entity_id, id);
		r = put_tags(tx, seller_id, entity_type(q->v[i].entity), str_c(id), q->v[i].tags);
	}
	return r;
}

static enum souk_err
insert(
    struct db_tx *tx, struct change_set_row *row, const struct change_request *q, struct arena *mem)
{
	char id[GUID_TEXT_LEN + 1];
	struct buf b = { 0 };
	enum souk_err r;

	changes_write(q, &b);
	row->changes = buf_ok(&b) ? arena_str(mem, buf_str(&b)) : (struct str){ NULL, 0 };
	buf_done(&b);
	if (!row->changes.p)
		return SOUK_E_NOMEM;
	guid_format(&row->id, id);
	if ((r = change_set_row_insert(tx, row)) != SOUK_OK ||
	    (r = put_tags(tx, str_c(row->seller_id), "ChangeSet", str_c(id), q->tags)) != SOUK_OK)
		return r;
	return put_job(tx, str_c(row->seller_id), &row->id);
}

/* *ret_found: the token was used, for the same. */
static enum souk_err
find_repeat(struct db_tx *tx, const struct change_set_row *row, struct arena *mem,
    struct guid *ret_id, bool *ret_found, struct fail *f)
{
	struct change_set_row old;
	enum souk_err r;

	*ret_found = false;
	if (row->token.n == 0)
		return SOUK_OK;
	r = change_set_row_of_token(
	    tx, str_c(row->seller_id), str_c(row->account_id), row->token, mem, &old);
	if (r != SOUK_OK)
		return r == SOUK_E_NOT_FOUND ? SOUK_OK : r;
	if (memcmp(old.request_hash, row->request_hash, sizeof(old.request_hash)) != 0)
		return fail_set(f, SOUK_E_INVALID, "token_reused",
		    "The ClientRequestToken was used for another change set: give a new one.");
	*ret_id = old.id;
	*ret_found = true;
	return SOUK_OK;
}

enum souk_err
change_set_start(struct db_tx *tx, const struct tenant_scope *s, const struct change_request *q,
    const struct change_limits *limits, struct arena *mem, struct guid *ret_id, struct fail *f)
{
	struct change_set_row row = { .id = guid_new(),
		.actor = tenant_actor(s),
		.name = q->name,
		.validate = q->validate,
		.token = q->token,
		.status = CHANGE_PREPARING,
		.started_at = db_now(tx) };
	bool found = false;
	enum souk_err r;

	memcpy(row.request_hash, q->hash, sizeof(row.request_hash));
	(void)snprintf(row.account_id, sizeof(row.account_id), "%.*s", (int)tenant_account(s).n,
	    tenant_account(s).p);
	if (q->name.n == 0)
		row.name = str_c(arena_printf(mem, "Submitted by %s", row.account_id));
	if ((r = find_seller(tx, s, q, row.seller_id, f)) != SOUK_OK ||
	    (r = lock_owner(tx, str_c(row.seller_id))) != SOUK_OK ||
	    (r = find_repeat(tx, &row, mem, ret_id, &found, f)) != SOUK_OK || found)
		return r;
	if ((r = check_changes(tx, s, str_c(row.seller_id), q, mem, f)) != SOUK_OK ||
	    (r = check_quota(tx, str_c(row.seller_id), limits, f)) != SOUK_OK ||
	    (!q->validate && (r = change_lock_entities(tx, &row, q, f)) != SOUK_OK) ||
	    (r = insert(tx, &row, q, mem)) != SOUK_OK)
		return r;
	*ret_id = row.id;
	return SOUK_OK;
}

/* ---- afterwards ------------------------------------------------------------------------ */

enum souk_err
change_set_get(struct db_tx *tx, const struct tenant_scope *s, const struct guid *id,
    struct arena *mem, struct change_set_row *ret)
{
	char seller[ACCOUNT_ID_LEN + 1] = "";
	enum souk_err r = SOUK_OK;

	if (tenant_is_operator(s))
		r = change_set_owner(tx, id, seller);
	else
		(void)snprintf(
		    seller, sizeof(seller), "%.*s", (int)tenant_account(s).n, tenant_account(s).p);
	if (r == SOUK_OK)
		r = change_set_row_find(tx, str_c(seller), id, mem, ret);
	if (r == SOUK_OK && ret->ended_at != 0 && ret->ended_at + CHANGE_SET_KEPT < db_now(tx))
		return SOUK_E_NOT_FOUND;
	return r;
}

enum souk_err
change_set_cancel(struct db_tx *tx, const struct tenant_scope *s, const struct guid *id,
    struct arena *mem, struct change_set_row *ret, struct fail *f)
{
	bool found = false;
	enum souk_err r = change_set_get(tx, s, id, mem, ret);

	if (r != SOUK_OK)
		return r;
	if (ret->status == CHANGE_PREPARING) {
		ret->status = CHANGE_CANCELLED;
		ret->waiting = false;
		ret->ended_at = db_now(tx);
		r = change_set_row_update(tx, ret, CHANGE_PREPARING, &found);
	}
	if (r == SOUK_OK && !found)
		return fail_set(f, SOUK_E_CONFLICT, "not_cancellable",
		    "The change set can no longer be cancelled: it is being applied or has ended.");
	if (r == SOUK_OK)
		r = entity_lock_drop(tx, str_c(ret->seller_id), id);
	if (r == SOUK_OK)
		r = logo_rows_forget(tx, str_c(ret->seller_id), id);
	return r == SOUK_OK ? review_gate_forget(tx, str_c(ret->seller_id), id, mem) : r;
}

enum souk_err
change_set_resume(struct db_tx *tx, struct str seller_id, const struct guid *change_set_id)
{
	struct arena *mem = arena_new(ROW_BYTES);
	struct change_set_row c;
	bool found = false;
	enum souk_err r =
	    mem ? change_set_row_find(tx, seller_id, change_set_id, mem, &c) : SOUK_E_NOMEM;

	if (r == SOUK_OK && c.status == CHANGE_PREPARING && c.waiting) {
		c.waiting = false;
		r = change_set_row_update(tx, &c, CHANGE_PREPARING, &found);
		if (r == SOUK_OK && found)
			r = put_job(tx, seller_id, change_set_id);
	}
	arena_free(mem);
	return r == SOUK_E_NOT_FOUND ? SOUK_OK : r;
}
