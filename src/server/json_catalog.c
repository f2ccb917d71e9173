/* SPDX-License-Identifier: Apache-2.0 */
/* The Catalog API: change sets (specs/proserv.md 6). */
#include "server/catalog_int.h"

#include "server/rest.h"

#include <stdlib.h>

#define SETS_MAX 2000 /* that a list takes into account: the newest that match */

/* ---- StartChangeSet -------------------------------------------------------------------- */

static enum souk_err
start_parse(struct call *c)
{
	struct change_request *q = ARENA_NEW(c->arena, struct change_request);

	if (!q)
		return SOUK_E_LIMIT;
	c->input = q;
	return change_request_read(c->body, c->arena, q, &c->fail);
}

static void
ids_answer(struct call *c, struct str seller_id, const struct guid *id)
{
	char text[GUID_TEXT_LEN + 1], account[ACCOUNT_ID_LEN + 1] = "";
	struct jw w;

	guid_format(id, text);
	memcpy(account, seller_id.p, seller_id.n < ACCOUNT_ID_LEN ? seller_id.n : ACCOUNT_ID_LEN);
	jw_init(&w, &c->out);
	jw_open(&w, NULL, '{');
	jw_c(&w, "ChangeSetId", text);
	jw_str(
	    &w, "ChangeSetArn", entity_arn(c->arena, c->svc->region, account, "ChangeSet", text));
	jw_close(&w, '}');
}

static enum souk_err
start_run(struct call *c, struct db_tx *tx)
{
	struct change_limits limits = { config_int(c->svc->config, SET_CATALOG_OPEN_CHANGE_SETS) };
	struct change_set_row row;
	struct guid id;
	enum souk_err r =
	    change_set_start(tx, c->scope, c->input, &limits, c->arena, &id, &c->fail);

	/* The operator's sets are of the seller whose entities they change. */
	if (r != SOUK_OK || (r = change_set_get(tx, c->scope, &id, c->arena, &row)) != SOUK_OK)
		return r;
	ids_answer(c, str_c(row.seller_id), &id);
	rest_audit_guid(c, "change-set", &id, str_c(row.seller_id));
	return SOUK_OK;
}

/* ---- DescribeChangeSet, CancelChangeSet ------------------------------------------------ */

static enum souk_err
set_id_parse(struct call *c)
{
	return catalog_query_id(c, "changeSetId");
}

static void
put_change(struct jw *w, const struct change *c)
{
	char id[ENTITY_ID_MAX];
	struct buf details = { 0 };
	struct jw text;

	entity_id_write(entity_prefix(c->entity), &c->entity_id, id);
	jw_init(&text, &details);
	jw_value(&text, NULL, c->details);
	jw_open(w, NULL, '{');
	jw_str(w, "ChangeType", c->type);
	jw_open(w, "Entity", '{');
	jw_c(w, "Type", entity_type_versioned(c->entity));
	jw_c(w, "Identifier", id);
	jw_close(w, '}');
	jw_str(w, "Details", buf_str(&details));
	jw_value(w, "DetailsDocument", c->details);
	jw_open(w, "ErrorDetailList", '[');
	for (size_t i = 0; i < c->n_errors; i++) {
		jw_open(w, NULL, '{');
		jw_c(w, "ErrorCode", c->errors[i].code);
		jw_c(w, "ErrorMessage", c->errors[i].message);
		jw_close(w, '}');
	}
	jw_close(w, ']');
	jw_str_opt(w, "ChangeName", c->name);
	jw_close(w, '}');
	buf_done(&details);
}

static enum souk_err
put_changes(struct call *c, struct jw *w, struct str changes)
{
	struct change_request *q = ARENA_NEW(c->arena, struct change_request);
	json_t *kept = NULL;
	enum souk_err r = q ? json_read(changes, &kept, NULL) : SOUK_E_NOMEM;

	if (r == SOUK_OK && (r = changes_read(kept, c->arena, q)) == SOUK_OK) {
		jw_open(w, "ChangeSet", '[');
		for (size_t i = 0; i < q->n; i++)
			put_change(w, &q->v[i]);
		jw_close(w, ']');
	}
	json_decref(kept);
	return r;
}

static void
put_state(struct jw *w, const struct change_set_row *row)
{
	catalog_time(w, "StartTime", row->started_at);
	if (row->ended_at != 0)
		catalog_time(w, "EndTime", row->ended_at);
	jw_c(w, "Status", change_status_words[row->status]);
	if (row->failure != FAILURE_NONE)
		jw_c(w, "FailureCode", change_failure_word(row->failure));
}

static enum souk_err
describe_run(struct call *c, struct db_tx *tx)
{
	const struct str *text = c->input;
	char id_text[GUID_TEXT_LEN + 1];
	struct change_set_row row;
	struct guid id;
	struct jw w;
	enum souk_err r;

	if (!guid_parse(*text, &id))
		return SOUK_E_NOT_FOUND;
	if ((r = change_set_get(tx, c->scope, &id, c->arena, &row)) != SOUK_OK)
		return r;
	guid_format(&id, id_text);
	jw_init(&w, &c->out);
	jw_open(&w, NULL, '{');
	jw_c(&w, "ChangeSetId", id_text);
	jw_str(&w, "ChangeSetArn",
	    entity_arn(c->arena, c->svc->region, row.seller_id, "ChangeSet", id_text));
	jw_str(&w, "ChangeSetName", row.name);
	jw_c(&w, "Intent", row.validate ? "VALIDATE" : "APPLY");
	put_state(&w, &row);
	if (row.failure_text.n > 0)
		jw_str(&w, "FailureDescription", row.failure_text);
	if ((r = put_changes(c, &w, row.changes)) != SOUK_OK)
		buf_clear(&c->out);
	jw_close(&w, '}');
	return r;
}

static enum souk_err
cancel_run(struct call *c, struct db_tx *tx)
{
	const struct str *text = c->input;
	struct change_set_row row;
	struct guid id;
	enum souk_err r;

	if (!guid_parse(*text, &id))
		return SOUK_E_NOT_FOUND;
	if ((r = change_set_cancel(tx, c->scope, &id, c->arena, &row, &c->fail)) != SOUK_OK)
		return r;
	ids_answer(c, str_c(row.seller_id), &id);
	rest_audit_guid(c, "change-set", &id, str_c(row.seller_id));
	return SOUK_OK;
}

/* ---- ListChangeSets -------------------------------------------------------------------- */

struct set_entry {
	struct guid id;
	char seller_id[ACCOUNT_ID_LEN + 1];
	struct str name;
	enum change_status status;
	enum change_failure failure;
	instant_t started_at, ended_at;
	struct str entities; /* JSON array text */
};

static enum souk_err
list_parse(struct call *c)
{
	static const char *const filters[] = { "ChangeSetName", "Status", "EntityId",
		"BeforeStartTime", "AfterStartTime", "BeforeEndTime", "AfterEndTime", NULL };
	static const char *const sorts[] = { "StartTime", "EndTime", NULL };
	enum { WHICH, FILTERS, SORT, MAX, NEXT, COUNT };
	struct json_member m[COUNT] = {
		[WHICH] = { .name = "Catalog", .kind = JSON_K_STR, .required = true },
		[FILTERS] = { .name = "FilterList", .kind = JSON_K_ARR, .nullable = true },
		[SORT] = { .name = "Sort", .kind = JSON_K_OBJ, .nullable = true },
		[MAX] = { .name = "MaxResults", .kind = JSON_K_INT, .nullable = true },
		[NEXT] = { .name = "NextToken", .kind = JSON_K_STR, .nullable = true },
	};
	struct catalog_list *l = ARENA_NEW(c->arena, struct catalog_list);
	enum souk_err r;

	if (!l)
		return SOUK_E_LIMIT;
	c->input = l;
	l->limit = CATALOG_PAGE;
	if ((r = json_take(c->body, m, COUNT, &c->fail)) != SOUK_OK ||
	    (r = catalog_check(c, json_member_str(&m[WHICH]))) != SOUK_OK ||
	    (r = catalog_filters(c, m[FILTERS].got, filters, l)) != SOUK_OK ||
	    (r = catalog_sort(c, m[SORT].got, sorts, l)) != SOUK_OK)
		return r;
	return catalog_page(c, m[MAX].got, m[NEXT].got, CATALOG_PAGE, l);
}

static bool
has_entity(const struct catalog_filter *f, const json_t *changes)
{
	for (size_t i = 0; i < json_array_size(changes); i++) {
		const json_t *v = json_object_get(json_array_get(changes, i), "entityId");

		if (catalog_matches(f, (struct str){ json_string_value(v), json_string_length(v) }))
			return true;
	}
	return false;
}

static bool
set_matches(const struct catalog_list *l, const struct change_set_row *row, const json_t *changes)
{
	for (size_t i = 0; i < l->n_filters; i++) {
		const struct catalog_filter *f = &l->filters[i];
		bool fine = str_eq_c(f->name, "ChangeSetName") ? catalog_matches(f, row->name)
			    : str_eq_c(f->name, "Status")
				? catalog_matches(f, str_c(change_status_words[row->status]))
			    : str_eq_c(f->name, "EntityId") ? has_entity(f, changes)
			    : str_ends(f->name, STR("StartTime"))
				? catalog_in_time(f, row->started_at)
				: catalog_in_time(f, row->ended_at);

		if (!fine)
			return false;
	}
	return true;
}

/* Each entity once. */
static enum souk_err
entity_ids(struct arena *mem, const json_t *changes, struct str *ret)
{
	struct buf b = { 0 };
	struct jw w;

	jw_init(&w, &b);
	jw_open(&w, NULL, '[');
	for (size_t i = 0; i < json_array_size(changes); i++) {
		const json_t *v = json_object_get(json_array_get(changes, i), "entityId");
		bool before = false;

		for (size_t k = 0; k < i; k++)
			before |=
			    json_equal(json_object_get(json_array_get(changes, k), "entityId"), v);
		if (!before)
			jw_value(&w, NULL, v);
	}
	jw_close(&w, ']');
	*ret = buf_ok(&b) ? arena_str(mem, buf_str(&b)) : (struct str){ NULL, 0 };
	buf_done(&b);
	return ret->p ? SOUK_OK : SOUK_E_NOMEM;
}

static enum souk_err
take_set(struct db_stmt *st, const struct catalog_list *l, struct arena *mem, instant_t now,
    struct set_entry *ret, bool *ret_taken)
{
	struct change_set_row row;
	json_t *changes = NULL;
	enum souk_err r;

	change_set_row(st, &row);
	*ret_taken = false;
	if (row.ended_at != 0 && row.ended_at + CHANGE_SET_KEPT < now)
		return SOUK_OK;
	if ((r = json_read(row.changes, &changes, NULL)) != SOUK_OK)
		return r;
	if (set_matches(l, &row, changes)) {
		*ret = (struct set_entry){ .id = row.id,
			.name = arena_str(mem, row.name),
			.status = row.status,
			.failure = row.failure,
			.started_at = row.started_at,
			.ended_at = row.ended_at };
		memcpy(ret->seller_id, row.seller_id, sizeof(ret->seller_id));
		*ret_taken = true;
		r = ret->name.p ? entity_ids(mem, changes, &ret->entities) : SOUK_E_NOMEM;
	}
	json_decref(changes);
	return r;
}

static enum souk_err
take_sets(struct call *c, struct db_tx *tx, struct arena *mem, struct set_entry *v, size_t *ret_n)
{
	struct str seller = tenant_is_operator(c->scope) ? STR("") : tenant_account(c->scope);
	struct guid first = { { 0 } };
	struct db_stmt *st = change_set_rows(tx, seller, INSTANT_MAX, &first, 10 * SETS_MAX);
	bool row, taken;
	enum souk_err r;

	while ((r = db_step(st, &row)) == SOUK_OK && row && *ret_n < SETS_MAX) {
		if ((r = take_set(st, c->input, mem, db_now(tx), &v[*ret_n], &taken)) != SOUK_OK)
			break;
		*ret_n += taken;
	}
	db_reset(st);
	return r;
}

static int
by_start(const void *a, const void *b)
{
	const struct set_entry *x = a, *y = b;
	int order = (x->started_at > y->started_at) - (x->started_at < y->started_at);

	return order ? order : memcmp(&x->id, &y->id, sizeof(x->id));
}

static int
by_end(const void *a, const void *b)
{
	const struct set_entry *x = a, *y = b;
	instant_t ends_x = x->ended_at ? x->ended_at : INSTANT_MAX;
	instant_t ends_y = y->ended_at ? y->ended_at : INSTANT_MAX;

	return ends_x != ends_y ? (ends_x > ends_y) - (ends_x < ends_y) : by_start(a, b);
}

static void
put_set(struct call *c, struct jw *w, const struct set_entry *e)
{
	char id[GUID_TEXT_LEN + 1];
	struct change_set_row row = { .started_at = e->started_at,
		.ended_at = e->ended_at,
		.status = e->status,
		.failure = e->failure };

	guid_format(&e->id, id);
	jw_open(w, NULL, '{');
	jw_c(w, "ChangeSetId", id);
	jw_str(
	    w, "ChangeSetArn", entity_arn(c->arena, c->svc->region, e->seller_id, "ChangeSet", id));
	jw_str(w, "ChangeSetName", e->name);
	put_state(w, &row);
	jw_raw(w, "EntityIdList", e->entities);
	jw_close(w, '}');
}

static void
list_answer(struct call *c, struct set_entry *v, size_t n)
{
	const struct catalog_list *l = c->input;
	struct jw w;

	qsort(v, n, sizeof(*v), str_eq_c(l->sort_by, "EndTime") ? by_end : by_start);
	jw_init(&w, &c->out);
	jw_open(&w, NULL, '{');
	jw_open(&w, "ChangeSetSummaryList", '[');
	for (size_t i = l->offset; i < n && i < l->offset + l->limit; i++)
		put_set(c, &w, &v[l->ascending ? i : n - 1 - i]);
	jw_close(&w, ']');
	catalog_next(&w, l, n);
	jw_close(&w, '}');
}

static enum souk_err
list_run(struct call *c, struct db_tx *tx)
{
	struct arena *mem = arena_new((size_t)64 << 20);
	struct set_entry *v = mem ? arena_array(mem, SETS_MAX, sizeof(*v)) : NULL;
	size_t n = 0;
	enum souk_err r = v ? take_sets(c, tx, mem, v, &n) : SOUK_E_NOMEM;

	if (r == SOUK_OK)
		list_answer(c, v, n);
	arena_free(mem);
	return r;
}

static const struct op ops[] = {
	{ "POST", "/StartChangeSet", CATALOG_ACTION "StartChangeSet", CATALOG_BODY, OP_WRITE,
	    start_parse, start_run },
	{ "GET", "/DescribeChangeSet", CATALOG_ACTION "DescribeChangeSet", 0, OP_READ | OP_NO_BODY,
	    set_id_parse, describe_run },
	{ "PATCH", "/CancelChangeSet", CATALOG_ACTION "CancelChangeSet", 0, OP_WRITE | OP_NO_BODY,
	    set_id_parse, cancel_run },
	{ "POST", "/ListChangeSets", CATALOG_ACTION "ListChangeSets", CATALOG_BODY, OP_READ,
	    list_parse, list_run },
};
const struct catalog_table catalog_changes = { ops, sizeof(ops) / sizeof(ops[0]) };
