/* SPDX-License-Identifier: Apache-2.0 */
/* REST: what people decide about listings, how listings stand, what another edition of the rules would do. */
#include "server/rest.h"

#include "market/check.h"
#include "market/id_owner.h"
#include "proserv/catalog.h"
#include "proserv/review_effect.h"
#include "proserv/review_task.h"

#define EFFECT_LIMIT 100 /* listings a page */
#define EFFECT_ARENA ((size_t)64 << 20)

/* ---- tasks ----------------------------------------------------------------------------- */

struct task_key {
	instant_t at;
	struct guid id;
};

static size_t
emit(struct db_stmt *st, struct jw *w, void *key, bool to_operator)
{
	struct task_key *k = key;
	struct review_task t;

	task_row(st, &t);
	jw_open(w, NULL, '{');
	task_json(&t, to_operator, w);
	jw_close(w, '}');
	memset(k, 0, sizeof(*k));
	k->at = t.opened_at;
	k->id = t.id;
	return sizeof(*k);
}

static size_t
emit_to_operator(struct db_stmt *st, struct jw *w, void *key)
{
	return emit(st, w, key, true);
}

static size_t
emit_to_seller(struct db_stmt *st, struct jw *w, void *key)
{
	return emit(st, w, key, false);
}

static enum souk_err
query_listing(struct call *c, struct guid *id, const struct guid **ret)
{
	struct str text = call_query(c, "listing");

	*ret = NULL;
	if (!text.p)
		return SOUK_OK;
	if (!entity_id_parse(PRODUCT_PREFIX, text, id))
		return fail_field(
		    &c->fail, "listing", "is not the id of a listing", "give prod- and its GUID");
	*ret = id;
	return SOUK_OK;
}

static enum souk_err
query_state(struct call *c, enum task_state *ret)
{
	struct str word = call_query(c, "state");

	*ret = TASK_OPEN;
	if (!word.p)
		return SOUK_OK;
	for (int i = 0; i < TASK__COUNT; i++)
		if (str_eq_c(word, task_state_words[i])) {
			*ret = (enum task_state)i;
			return SOUK_OK;
		}
	return fail_field(
	    &c->fail, "state", "is none of those", "give open, approved, rejected or waived");
}

static enum souk_err
query_words(struct call *c, struct task_query *q)
{
	q->rule = call_query(c, "rule");
	q->kind = call_query(c, "kind");
	if (q->rule.p && rule_find(q->rule) == NULL)
		return fail_field(
		    &c->fail, "rule", "is not the id of a rule", "give one like PS-DET-13");
	if (q->kind.p && !str_eq_c(q->kind, "deterministic") && !str_eq_c(q->kind, "heuristic") &&
	    !str_eq_c(q->kind, "human"))
		return fail_field(
		    &c->fail, "kind", "is none of those", "give deterministic, heuristic or human");
	return SOUK_OK;
}

/* Sellers ask for their own; a listing's owner is looked up for the operator. */
static enum souk_err
query_seller(struct call *c, struct db_tx *tx, struct task_query *q, struct id_owner *owner)
{
	enum souk_err r = rest_query_account(c, "sellerId", &q->seller_id);

	if (r != SOUK_OK)
		return r;
	if (!tenant_is_operator(c->scope)) {
		if (!tenant_is_seller(c->scope))
			return SOUK_E_NOT_FOUND;
		q->seller_id = tenant_account(c->scope);
	} else if (q->product_id != NULL && q->seller_id.n == 0) {
		if ((r = id_owner_find(tx, ID_PRODUCT, q->product_id, owner)) != SOUK_OK)
			return r;
		q->seller_id = str_c(owner->seller_id);
	}
	return SOUK_OK;
}

static enum souk_err
tasks_list(struct call *c, struct db_tx *tx)
{
	struct task_query q = { .limit = 0 };
	struct task_key key = { .at = INT64_MIN };
	struct id_owner owner;
	struct guid listing;
	struct page p;
	struct jw w;
	size_t n = 0;
	enum souk_err r;

	if ((r = call_page(c, &p)) != SOUK_OK || (r = query_state(c, &q.state)) != SOUK_OK ||
	    (r = query_listing(c, &listing, &q.product_id)) != SOUK_OK ||
	    (r = query_words(c, &q)) != SOUK_OK ||
	    (r = query_seller(c, tx, &q, &owner)) != SOUK_OK ||
	    (r = page_begin(&p, &key, sizeof(key), &n, &c->fail)) != SOUK_OK)
		return r;
	if (n != 0 && n != sizeof(key))
		return page_bad_cursor(&c->fail);
	q.after = key.at;
	q.after_id = key.id;
	q.limit = p.limit + 1;
	rest_list_open(c, &w);
	r = page_rows(&p, task_rows(tx, &q),
	    tenant_is_operator(c->scope) ? emit_to_operator : emit_to_seller, c->arena, &w);
	rest_list_close(&w, p.next);
	return r;
}

static enum souk_err
decisions_json(struct db_tx *tx, const struct review_task *t, struct jw *w)
{
	struct db_stmt *st = decision_rows(tx, str_c(t->seller_id), &t->id);
	char day[DAY_TEXT_LEN + 1];
	enum souk_err r;
	bool row;

	jw_open(w, "decisions", '[');
	while ((r = db_step(st, &row)) == SOUK_OK && row) {
		struct guid user = db_guid(st, 1);

		jw_open(w, NULL, '{');
		jw_str(w, "verdict", db_text(st, 0));
		jw_guid(w, "userId", &user);
		json_text_opt(w, "userName", db_text(st, 2));
		jw_str(w, "reason", db_text(st, 3));
		if (!db_is_null(st, 4)) {
			day_write(day_of(db_int(st, 4) - 1), day);
			jw_c(w, "until", day);
		}
		jw_instant(w, "decidedAt", db_int(st, 5));
		jw_close(w, '}');
	}
	jw_close(w, ']');
	return r;
}

static enum souk_err
task_answer(struct call *c, struct db_tx *tx, const struct review_task *t)
{
	bool to_operator = tenant_is_operator(c->scope);
	enum souk_err r = SOUK_OK;
	struct jw w;

	jw_init(&w, &c->out);
	jw_open(&w, NULL, '{');
	task_json(t, to_operator, &w);
	jw_str(&w, "excerpt", t->excerpt);
	if (to_operator)
		r = decisions_json(tx, t, &w);
	jw_close(&w, '}');
	call_etag(c, t->revision);
	return r;
}

static enum souk_err
task_show(struct call *c, struct db_tx *tx)
{
	struct review_task t;
	struct guid id;
	enum souk_err r;

	if ((r = call_param_guid(c, 0, &id)) != SOUK_OK ||
	    (r = task_get(tx, c->scope, &id, c->arena, &t)) != SOUK_OK)
		return r;
	return task_answer(c, tx, &t);
}

static enum souk_err
decision_read(struct call *c)
{
	struct decision *d = ARENA_NEW(c->arena, struct decision);
	enum souk_err r = rest_need_body(c);

	if (!d)
		return SOUK_E_LIMIT;
	c->input = d;
	return r == SOUK_OK ? decision_parse(c->body, clock_now(), d, &c->fail) : r;
}

static enum souk_err
task_decide_call(struct call *c, struct db_tx *tx)
{
	bool two = config_bool(c->svc->config, SET_REVIEW_TWO_PEOPLE);
	struct review_task t;
	struct guid id;
	int64_t seen = 0;
	enum souk_err r;

	if ((r = call_param_guid(c, 0, &id)) != SOUK_OK ||
	    (r = task_get(tx, c->scope, &id, c->arena, &t)) != SOUK_OK ||
	    (r = call_if_match(c, t.revision, &seen)) != SOUK_OK ||
	    (r = task_decide(tx, c->scope, principal_user(c->who), &t, c->input, seen, two,
		 &c->fail)) != SOUK_OK)
		return r;
	rest_audit_guid(c, "review-task", &t.id, arena_str(c->arena, str_c(t.seller_id)));
	return task_answer(c, tx, &t);
}

/* ---- standing -------------------------------------------------------------------------- */

static size_t
emit_standing(struct db_stmt *st, struct jw *w, void *key)
{
	struct guid id = db_guid(st, 1);
	char text[ENTITY_ID_MAX];

	entity_id_write(PRODUCT_PREFIX, &id, text);
	jw_open(w, NULL, '{');
	jw_c(w, "listing", text);
	jw_str(w, "sellerId", db_text(st, 0));
	jw_str(w, "title", db_text(st, 2));
	jw_str(w, "standing", db_text(st, 3));
	json_instant_opt(w, "graceUntil", db_int(st, 4));
	json_instant_opt(w, "reviewedAt", db_int(st, 5));
	jw_close(w, '}');
	memcpy(key, &id, sizeof(id));
	return sizeof(id);
}

static enum souk_err
query_standing(struct call *c, struct str *ret)
{
	*ret = call_query(c, "standing");
	for (int s = STANDING_UNREVIEWED; ret->p && s <= STANDING_SUSPENDED; s++)
		if (str_eq_c(*ret, standing_word((enum standing)s)))
			return SOUK_OK;
	return fail_field(&c->fail, "standing", ret->p ? "is none of those" : "is missing",
	    "give unreviewed, passed, pending, blocked, grace or suspended");
}

static enum souk_err
standings_list(struct call *c, struct db_tx *tx)
{
	struct str standing;
	struct guid after = { 0 };
	struct page p;
	struct jw w;
	enum souk_err r;

	if (!tenant_is_operator(c->scope))
		return SOUK_E_NOT_FOUND;
	if ((r = query_standing(c, &standing)) != SOUK_OK || (r = call_page(c, &p)) != SOUK_OK ||
	    (r = page_begin_guid(&p, &after, &c->fail)) != SOUK_OK)
		return r;
	rest_list_open(c, &w);
	r = page_rows(
	    &p, standing_rows(tx, standing, &after, p.limit + 1), emit_standing, c->arena, &w);
	rest_list_close(&w, p.next);
	return r;
}

static enum souk_err
counts_json(struct db_stmt *st, const char *key, struct jw *w)
{
	char word[16];
	enum souk_err r;
	bool row;

	jw_open(w, key, '{');
	while ((r = db_step(st, &row)) == SOUK_OK && row) {
		struct str s = db_text(st, 0);

		if (s.n >= sizeof(word))
			continue;
		memcpy(word, s.p, s.n);
		word[s.n] = '\0';
		jw_int(w, word, db_int(st, 1));
	}
	jw_close(w, '}');
	return r;
}

static enum souk_err
summary_show(struct call *c, struct db_tx *tx)
{
	struct jw w;
	enum souk_err r;

	if (!tenant_is_operator(c->scope))
		return SOUK_E_NOT_FOUND;
	jw_init(&w, &c->out);
	jw_open(&w, NULL, '{');
	jw_c(&w, "edition", config_text(c->svc->config, SET_REVIEW_EDITION));
	if ((r = counts_json(standing_counts(tx), "standings", &w)) == SOUK_OK)
		r = counts_json(task_counts(tx), "tasks", &w);
	jw_close(&w, '}');
	return r;
}

/* ---- one listing ----------------------------------------------------------------------- */

/* The seller's own, or anybody's for the operator; the path has a GUID, with or without "prod-". */
static enum souk_err
find_listing(struct call *c, struct db_tx *tx, struct listing_row *ret)
{
	struct id_owner owner;
	struct guid id;
	enum souk_err r;

	if (!entity_id_parse(PRODUCT_PREFIX, c->params[0], &id) &&
	    (r = call_param_guid(c, 0, &id)) != SOUK_OK)
		return r;
	if ((r = id_owner_find(tx, ID_PRODUCT, &id, &owner)) != SOUK_OK)
		return r;
	if (!tenant_is_operator(c->scope) &&
	    !(tenant_is_seller(c->scope) && str_eq_c(tenant_account(c->scope), owner.seller_id)))
		return SOUK_E_NOT_FOUND;
	return listing_row_find(tx, str_c(owner.seller_id), &id, c->arena, ret);
}

static enum souk_err
tasks_json(struct call *c, struct db_tx *tx, const struct listing_row *l, struct jw *w)
{
	struct db_stmt *st = task_rows_of_listing(tx, str_c(l->seller_id), &l->product_id);
	struct review_task t;
	enum souk_err r;
	bool row;

	jw_open(w, "tasks", '[');
	while ((r = db_step(st, &row)) == SOUK_OK && row) {
		task_row(st, &t);
		if (!t.present)
			continue;
		jw_open(w, NULL, '{');
		task_json(&t, tenant_is_operator(c->scope), w);
		jw_close(w, '}');
	}
	jw_close(w, ']');
	return r;
}

static enum souk_err
listing_show(struct call *c, struct db_tx *tx)
{
	struct buf findings = { 0 };
	char id[ENTITY_ID_MAX];
	struct listing_row l;
	struct jw w;
	enum souk_err r = find_listing(c, tx, &l);

	if (r != SOUK_OK)
		return r;
	r = findings_row_find(tx, str_c(l.seller_id), &l.product_id, &findings);
	if (r != SOUK_OK && r != SOUK_E_NOT_FOUND)
		goto out;
	jw_init(&w, &c->out);
	jw_open(&w, NULL, '{');
	entity_id_write(PRODUCT_PREFIX, &l.product_id, id);
	jw_c(&w, "listing", id);
	jw_c(&w, "sellerId", l.seller_id);
	jw_c(&w, "standing", standing_word(l.standing));
	jw_c(&w, "edition", edition_word(l.edition));
	json_instant_opt(&w, "graceUntil", l.grace_until);
	json_text_opt(&w, "suspended", l.product.suspended);
	json_instant_opt(&w, "reviewedAt", l.reviewed_at);
	json_instant_opt(&w, "dueAt", l.due_at);
	jw_bool(&w, "current", l.reviewed_revision == l.revision);
	jw_raw(&w, "findings", findings.n > 0 ? buf_str(&findings) : STR("[]"));
	r = tasks_json(c, tx, &l, &w);
	jw_close(&w, '}');
out:
	buf_done(&findings);
	return r;
}

static enum souk_err
listing_review(struct call *c, struct db_tx *tx)
{
	struct listing_row l;
	enum souk_err r = find_listing(c, tx, &l);

	if (r == SOUK_OK)
		r = review_mark(tx, str_c(l.seller_id), &l.product_id, db_now(tx));
	if (r != SOUK_OK)
		return r;
	rest_audit_guid(c, "listing", &l.product_id, arena_str(c->arena, str_c(l.seller_id)));
	c->response.status = 202;
	return SOUK_OK;
}

/* ---- another edition ------------------------------------------------------------------- */

struct effect {
	struct call *c;
	struct effect_page page;
	struct arena *mem;
	struct buf items;
};

static enum souk_err
effect_tx(struct db_tx *tx, void *arg)
{
	struct effect *e = arg;
	struct jw w;

	buf_clear(&e->items);
	jw_init(&w, &e->items);
	return review_effect(tx, e->c->svc->reviewer, &e->page, e->mem, &w);
}

/* On a thread that may wait: two reviews of each listing take their time. */
static enum souk_err
effect_fetch(struct call *c)
{
	struct effect *e = c->input;
	char cursor[GUID_TEXT_LEN + 1];
	struct jw w;
	enum souk_err r = SOUK_E_NOMEM;

	if ((e->mem = arena_new(EFFECT_ARENA)) != NULL)
		r = db_read(c->svc->db, effect_tx, e);
	arena_free(e->mem);
	if (r == SOUK_OK) {
		jw_init(&w, &c->out);
		jw_open(&w, NULL, '{');
		jw_open(&w, "items", '[');
		buf_add_str(&c->out, buf_str(&e->items));
		jw_close(&w, ']');
		jw_int(&w, "looked", (int64_t)e->page.looked);
		jw_int(&w, "changed", (int64_t)e->page.changed);
		jw_int(&w, "stopped", (int64_t)e->page.stopped);
		jw_int(&w, "freed", (int64_t)e->page.freed);
		guid_format(&e->page.after, cursor);
		if (e->page.more)
			jw_c(&w, "next", cursor);
		jw_close(&w, '}');
	}
	buf_done(&e->items);
	return r;
}

static enum souk_err
effect_show(struct call *c, struct db_tx *tx)
{
	struct effect *e = ARENA_NEW(c->arena, struct effect);
	struct str cursor = call_query(c, "cursor");

	(void)tx;
	if (!tenant_is_operator(c->scope))
		return SOUK_E_NOT_FOUND;
	if (!e)
		return SOUK_E_LIMIT;
	*e = (struct effect){ .c = c,
		.page = { .to = edition_of(c->params[0]), .limit = EFFECT_LIMIT } };
	if (e->page.to == EDITION_NONE)
		return SOUK_E_NOT_FOUND;
	if (cursor.p && !guid_parse(cursor, &e->page.after))
		return page_bad_cursor(&c->fail);
	c->input = e;
	c->fetch = effect_fetch;
	return SOUK_OK;
}

#define TASKS "/api/v1/review-tasks"
#define LISTING "/api/v1/listings/{listingId}/standing"
#define READ OP_READ | OP_NO_BODY
static const struct op ops[] = {
	{ "GET", TASKS, "review:ReadTasks", 0, READ, NULL, tasks_list },
	{ "GET", TASKS "/{taskId}", "review:ReadTasks", 0, READ, NULL, task_show },
	{ "POST", TASKS "/{taskId}/decisions", "review:Decide", REST_BODY, OP_WRITE | OP_IDEMPOTENT,
	    decision_read, task_decide_call },
	{ "GET", "/api/v1/review-summary", "review:ReadStandings", 0, READ, NULL, summary_show },
	{ "GET", "/api/v1/review-standings", "review:ReadStandings", 0, READ, NULL,
	    standings_list },
	{ "GET", "/api/v1/review-editions/{edition}/effect", "review:ReadEffect", 0, READ, NULL,
	    effect_show },
	{ "GET", LISTING, "review:ReadListing", 0, READ, NULL, listing_show },
	{ "POST", LISTING "/reviews", "review:AskReview", REST_BODY, OP_WRITE, rest_no_members,
	    listing_review },
};
const struct rest_table rest_review = { ops, sizeof(ops) / sizeof(ops[0]) };
