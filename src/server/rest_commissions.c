/* SPDX-License-Identifier: Apache-2.0 */
/*
 * REST: commission plans, runs, statements and who may see them.
 *
 * Two locks, one after the other: the login's policy names the operation, a grant says whose lines it shows (edsp/grant.h).
 * Every read is audited with its purpose before the answer leaves, a refused one as refused; what a caller may not see is
 * not there.
 */
#include "server/rest.h"

#include "edsp/grant.h"
#include "edsp/kept_plan.h"
#include "edsp/kept_run.h"
#include "edsp/run_archive.h"

#define SELLER "/api/v1/sellers/{sellerId}"
#define PLAN SELLER "/commission-plan"
#define RUNS SELLER "/commission-runs"
#define GRANTS SELLER "/commission-grants"
#define SETTINGS SELLER "/commission-settings"

/* ---- whose lines ---- */

/* The caller's grant at this seller. */
static enum souk_err
granted(struct call *c, struct db_tx *tx, struct str *ret_seller, struct commission_grant *ret)
{
	enum souk_err r = rest_seller(c, 0, ret_seller);

	return r == SOUK_OK ? commission_grant_get(
				  tx, c->scope, *ret_seller, principal_user(c->who), c->arena, ret)
			    : r;
}

static enum souk_err
as_finance(struct call *c, struct db_tx *tx, struct str *ret_seller, struct commission_grant *ret)
{
	enum souk_err r = granted(c, tx, ret_seller, ret);

	return r == SOUK_OK && ret->role != COMMISSION_FINANCE ? SOUK_E_NOT_FOUND : r;
}

/* Who gives grants: a user of the seller's own whom nothing limits. */
static enum souk_err
as_root(struct call *c, struct str *ret_seller)
{
	enum souk_err r = rest_seller(c, 0, ret_seller);

	if (r != SOUK_OK)
		return r;
	return tenant_is_operator(c->scope) || !principal_is_unlimited(c->who) ? SOUK_E_NOT_FOUND
									       : SOUK_OK;
}

static void
audit(struct call *c, const char *kind, struct str id, struct str seller,
    const struct commission_grant *g)
{
	rest_audit(c, kind, id, seller);
	c->audit.purpose = c->purpose.n > 0 ? c->purpose : g->purpose;
}

static void
audit_run(struct call *c, const struct guid *run, const char *what, struct str seller,
    const struct commission_grant *g)
{
	char id[GUID_TEXT_LEN + 1];
	char *text;

	guid_format(run, id);
	text = arena_printf(c->arena, "%s%s", id, what);
	audit(c, "commission-run", str_c(text ? text : id), seller, g);
	if (!text)
		c->audit.resource = STR("commission-run");
}

/* Asked for, granted, and for the purpose that it was granted for. */
static enum souk_err
wants_buyers(struct call *c, const struct commission_grant *g, bool *ret)
{
	struct str word = call_query(c, "buyerColumns");

	if (word.p && !str_eq_c(word, "true") && !str_eq_c(word, "false"))
		return fail_field(
		    &c->fail, "buyerColumns", "is not a truth value", "give true or false");
	*ret = word.p && str_eq_c(word, "true");
	return *ret && (!g->buyer_columns || !str_eq(c->purpose, g->purpose)) ? SOUK_E_NOT_FOUND
									      : SOUK_OK;
}

/* ---- plans ---- */

static enum souk_err
plan_show(struct call *c, struct db_tx *tx)
{
	struct commission_grant g;
	struct str seller, text;
	struct guid id;
	int64_t revision;
	enum souk_err r;

	if ((r = as_finance(c, tx, &seller, &g)) != SOUK_OK ||
	    (r = kept_plan_newest(tx, seller, &id, &revision)) != SOUK_OK ||
	    (r = kept_plan_text(tx, c->svc->vault, seller, &id, c->arena, &text)) != SOUK_OK)
		return r;
	buf_add_str(&c->out, text);
	call_etag(c, revision);
	audit(c, "commission-plan", seller, seller, &g);
	return SOUK_OK;
}

static enum souk_err
plan_read_body(struct call *c)
{
	struct str *text = ARENA_NEW(c->arena, struct str);
	enum souk_err r = rest_need_body(c);

	if (!text)
		return SOUK_E_LIMIT;
	if (r != SOUK_OK || (r = rest_text(c, c->body, text)) != SOUK_OK)
		return r;
	c->input = text;
	return kept_plan_check(*text, "", &c->fail);
}

static enum souk_err
plan_put(struct call *c, struct db_tx *tx)
{
	const struct str *text = c->input;
	struct commission_grant g;
	struct str seller;
	struct guid id;
	int64_t present = 0, seen = 0;
	enum souk_err r;

	if ((r = as_finance(c, tx, &seller, &g)) != SOUK_OK)
		return r;
	r = kept_plan_newest(tx, seller, &id, &present);
	if ((r != SOUK_OK && r != SOUK_E_NOT_FOUND) ||
	    (r = call_if_match(c, present, &seen)) != SOUK_OK ||
	    (r = kept_plan_put(
		 tx, c->svc->vault, c->scope, seller, *text, seen, &present, &c->fail)) != SOUK_OK)
		return r;
	buf_add_str(&c->out, *text);
	call_etag(c, present);
	audit(c, "commission-plan", seller, seller, &g);
	return SOUK_OK;
}

/* ---- runs ---- */

static enum souk_err
run_read(struct call *c)
{
	struct run_request *q = ARENA_NEW(c->arena, struct run_request);
	enum souk_err r = rest_need_body(c);

	if (!q)
		return SOUK_E_LIMIT;
	c->input = q;
	return r == SOUK_OK ? run_request_parse(c->body, q, &c->fail) : r;
}

static enum souk_err
dry_read(struct call *c)
{
	struct run_request *q = ARENA_NEW(c->arena, struct run_request);
	const json_t *plan = NULL;
	enum souk_err r = rest_need_body(c);

	if (!q)
		return SOUK_E_LIMIT;
	c->input = q;
	if (r != SOUK_OK || (r = run_request_parse_dry(c->body, q, &plan, &c->fail)) != SOUK_OK ||
	    (r = rest_text(c, plan, &q->plan)) != SOUK_OK)
		return r;
	return kept_plan_check(q->plan, "/plan", &c->fail);
}

static void
run_answer(struct call *c, const struct kept_run *run, bool all)
{
	struct jw w;

	jw_init(&w, &c->out);
	kept_run_json(run, all, &w, NULL);
}

/* Both ways in. */
static enum souk_err
run_start(struct call *c, struct db_tx *tx)
{
	struct commission_grant g;
	struct kept_run run;
	struct str seller;
	const char *prefix;
	enum souk_err r;

	if ((r = as_finance(c, tx, &seller, &g)) != SOUK_OK ||
	    (r = kept_run_start(tx, c->svc->vault, c->scope, seller, principal_user(c->who),
		 c->input, c->arena, &run, &c->fail)) != SOUK_OK)
		return r;
	prefix = arena_printf(
	    c->arena, "/api/v1/sellers/%.*s/commission-runs/", (int)seller.n, seller.p);
	if (!prefix)
		return SOUK_E_LIMIT;
	run_answer(c, &run, true);
	rest_created_guid(c, prefix, &run.id);
	audit_run(c, &run.id, "", seller, &g);
	return SOUK_OK;
}

/* A run and the grant. Who is not finance sees what was approved. */
static enum souk_err
find_run(struct call *c, struct db_tx *tx, struct str *ret_seller, struct commission_grant *ret_g,
    struct kept_run *ret)
{
	struct guid id;
	enum souk_err r;

	if ((r = granted(c, tx, ret_seller, ret_g)) != SOUK_OK ||
	    (r = call_param_guid(c, 1, &id)) != SOUK_OK ||
	    (r = kept_run_get(tx, *ret_seller, &id, c->arena, ret)) != SOUK_OK)
		return r;
	return ret_g->role != COMMISSION_FINANCE && ret->state != RUN_LOCKED ? SOUK_E_NOT_FOUND
									     : SOUK_OK;
}

static enum souk_err
runs_list(struct call *c, struct db_tx *tx)
{
	struct commission_grant g;
	struct str seller;
	struct page p;
	struct jw w;
	enum souk_err r;

	if ((r = granted(c, tx, &seller, &g)) != SOUK_OK || (r = call_page(c, &p)) != SOUK_OK)
		return r;
	rest_list_open(c, &w);
	if ((r = kept_run_list(tx, seller, &p, g.role != COMMISSION_FINANCE, c->arena, &w,
		 &c->fail)) != SOUK_OK) {
		buf_clear(&c->out);
		return r;
	}
	rest_list_close(&w, p.next);
	audit(c, "commission-runs", seller, seller, &g);
	return SOUK_OK;
}

static enum souk_err
run_show(struct call *c, struct db_tx *tx)
{
	struct commission_grant g;
	struct kept_run run;
	struct str seller;
	enum souk_err r = find_run(c, tx, &seller, &g, &run);

	if (r != SOUK_OK)
		return r;
	run_answer(c, &run, g.role == COMMISSION_FINANCE);
	audit_run(c, &run.id, "", seller, &g);
	return SOUK_OK;
}

static enum souk_err
digest_read(struct call *c)
{
	return rest_read_text(c, "digest");
}

static enum souk_err
run_approve(struct call *c, struct db_tx *tx)
{
	const struct str *digest = c->input;
	struct commission_grant g;
	struct kept_run run;
	struct str seller;
	struct guid id;
	enum souk_err r;

	if ((r = as_finance(c, tx, &seller, &g)) != SOUK_OK ||
	    (r = call_param_guid(c, 1, &id)) != SOUK_OK ||
	    (r = kept_run_approve(tx, c->scope, seller, &id, principal_user(c->who), *digest,
		 c->arena, &run, &c->fail)) != SOUK_OK)
		return r;
	run_answer(c, &run, true);
	audit_run(c, &run.id, "", seller, &g);
	return SOUK_OK;
}

/* ---- documents ---- */

struct wanted {
	struct str seller;
	struct guid run;
	const char *name;
};

/* On a thread that may wait: objects may be elsewhere. */
static enum souk_err
fetch_document(struct call *c)
{
	const struct wanted *d = c->input;

	return run_archive_read(c->svc->db, c->svc->objects, d->seller, &d->run, d->name, &c->out);
}

static enum souk_err
want(struct call *c, struct str seller, const struct guid *run, const char *name)
{
	struct wanted *d = ARENA_NEW(c->arena, struct wanted);

	if (!d || !name)
		return SOUK_E_LIMIT;
	*d = (struct wanted){ .seller = seller, .run = *run, .name = name };
	c->input = d;
	c->fetch = fetch_document;
	return SOUK_OK;
}

static enum souk_err
read_form(struct call *c, enum run_form *ret)
{
	struct str word = call_query(c, "format");

	*ret = FORM_CSV;
	if (!word.p)
		return SOUK_OK;
	for (int i = 0; i < FORM__COUNT; i++)
		if (str_eq_c(word, run_form_words[i])) {
			*ret = (enum run_form)i;
			return SOUK_OK;
		}
	return fail_field(
	    &c->fail, "format", "is none of those there are", "give csv, json, html or xlsx");
}

static enum souk_err
statement_show(struct call *c, struct db_tx *tx)
{
	static const char *const types[FORM__COUNT] = { [FORM_CSV] = "text/csv; charset=utf-8",
		[FORM_JSON] = "application/json",
		[FORM_HTML] = "text/html; charset=utf-8",
		[FORM_XLSX] = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" };
	char name[RUN_DOCUMENT_MAX];
	struct str seller, who = c->params[2];
	struct commission_grant g;
	struct kept_run run;
	enum run_form form;
	bool buyers;
	enum souk_err r;

	if ((r = find_run(c, tx, &seller, &g, &run)) != SOUK_OK ||
	    (r = commission_grant_covers(tx, c->svc->vault, seller, &g, who)) != SOUK_OK ||
	    (r = wants_buyers(c, &g, &buyers)) != SOUK_OK || (r = read_form(c, &form)) != SOUK_OK)
		return r;
	run_statement_name(who, form, buyers, run.state == RUN_LOCKED, name);
	c->content_type = types[form];
	audit_run(c, &run.id, buyers ? "/statement+buyers" : "/statement", seller, &g);
	return want(c, seller, &run.id, arena_strdup(c->arena, name));
}

/* The queue, or what a dry run would move: finance's. */
static enum souk_err
list_show(struct call *c, struct db_tx *tx, const char *what, const char *with_buyers)
{
	struct commission_grant g;
	struct kept_run run;
	struct str seller;
	bool buyers;
	enum souk_err r;

	if ((r = find_run(c, tx, &seller, &g, &run)) != SOUK_OK)
		return r;
	if (g.role != COMMISSION_FINANCE)
		return SOUK_E_NOT_FOUND;
	if ((r = wants_buyers(c, &g, &buyers)) != SOUK_OK)
		return r;
	c->content_type = "text/csv; charset=utf-8";
	audit_run(c, &run.id, buyers ? "/lines+buyers" : "/lines", seller, &g);
	return want(c, seller, &run.id, buyers ? with_buyers : what);
}

static enum souk_err
queue_show(struct call *c, struct db_tx *tx)
{
	return list_show(c, tx, RUN_QUEUE, RUN_QUEUE_BUYER);
}

static enum souk_err
moved_show(struct call *c, struct db_tx *tx)
{
	return list_show(c, tx, RUN_MOVED, RUN_MOVED_BUYER);
}

/* ---- grants and settings ---- */

static enum souk_err
grants_list(struct call *c, struct db_tx *tx)
{
	struct str seller;
	struct jw w;
	enum souk_err r = as_root(c, &seller);

	if (r != SOUK_OK)
		return r;
	rest_list_open(c, &w);
	if ((r = commission_grant_list(tx, c->scope, seller, &w)) != SOUK_OK) {
		buf_clear(&c->out);
		return r;
	}
	rest_list_close(&w, STR(""));
	rest_audit(c, "commission-grants", seller, seller);
	return SOUK_OK;
}

static enum souk_err
grant_read(struct call *c)
{
	struct commission_grant *g = ARENA_NEW(c->arena, struct commission_grant);
	enum souk_err r = rest_need_body(c);

	if (!g)
		return SOUK_E_LIMIT;
	c->input = g;
	return r == SOUK_OK ? commission_grant_parse(c->body, g, &c->fail) : r;
}

static enum souk_err
grant_put(struct call *c, struct db_tx *tx)
{
	struct commission_grant g = *(const struct commission_grant *)c->input;
	struct str seller;
	struct jw w;
	enum souk_err r;

	if ((r = as_root(c, &seller)) != SOUK_OK ||
	    (r = call_param_guid(c, 1, &g.user_id)) != SOUK_OK ||
	    (r = commission_grant_set(tx, c->scope, seller, &g, c->arena, &c->fail)) != SOUK_OK)
		return r;
	g.granted_by = tenant_actor(c->scope);
	g.granted_at = db_now(tx);
	g.in_force = true;
	jw_init(&w, &c->out);
	commission_grant_json(&g, &w);
	rest_audit_guid(c, "commission-grant", &g.user_id, seller);
	c->audit.purpose = g.purpose;
	return SOUK_OK;
}

static enum souk_err
grant_remove(struct call *c, struct db_tx *tx)
{
	struct str seller;
	struct guid user;
	enum souk_err r;

	if ((r = as_root(c, &seller)) != SOUK_OK || (r = call_param_guid(c, 1, &user)) != SOUK_OK ||
	    (r = commission_grant_remove(tx, c->scope, seller, &user)) != SOUK_OK)
		return r;
	rest_audit_guid(c, "commission-grant", &user, seller);
	return SOUK_OK;
}

static void
setting_answer(struct call *c, const struct commission_setting *s)
{
	struct jw w;

	jw_init(&w, &c->out);
	jw_open(&w, NULL, '{');
	jw_bool(&w, "twoPeople", s->two_people);
	jw_close(&w, '}');
	call_etag(c, s->revision);
}

static enum souk_err
setting_show(struct call *c, struct db_tx *tx)
{
	struct commission_setting s;
	struct str seller;
	enum souk_err r;

	if ((r = as_root(c, &seller)) != SOUK_OK ||
	    (r = commission_setting_get(tx, c->scope, seller, &s)) != SOUK_OK)
		return r;
	setting_answer(c, &s);
	return SOUK_OK;
}

static enum souk_err
setting_read(struct call *c)
{
	struct json_member m[] = { { .name = "twoPeople", .kind = JSON_K_BOOL, .required = true } };
	struct commission_setting *s = ARENA_NEW(c->arena, struct commission_setting);
	enum souk_err r = rest_need_body(c);

	if (!s)
		return SOUK_E_LIMIT;
	*s = (struct commission_setting){ .revision = 0 };
	c->input = s;
	if (r != SOUK_OK || (r = json_take(c->body, m, 1, &c->fail)) != SOUK_OK)
		return r;
	s->two_people = json_is_true(m[0].got);
	return SOUK_OK;
}

static enum souk_err
setting_put(struct call *c, struct db_tx *tx)
{
	struct commission_setting s = *(const struct commission_setting *)c->input, old;
	struct str seller;
	int64_t seen = 0;
	enum souk_err r;

	if ((r = as_root(c, &seller)) != SOUK_OK ||
	    (r = commission_setting_get(tx, c->scope, seller, &old)) != SOUK_OK ||
	    (r = call_if_match(c, old.revision, &seen)) != SOUK_OK ||
	    (r = commission_setting_set(tx, c->scope, seller, seen, &s, &c->fail)) != SOUK_OK)
		return r;
	setting_answer(c, &s);
	rest_audit(c, "commission-settings", seller, seller);
	return SOUK_OK;
}

#define SHOW (OP_READ | OP_AUDIT | OP_AUDIT_ABSENT | OP_NO_BODY)

static const struct op ops[] = {
	{ "GET", PLAN, "edsp:ReadCommissionPlan", 0, SHOW, NULL, plan_show },
	{ "PUT", PLAN, "edsp:SetCommissionPlan", KEPT_PLAN_BYTES, OP_WRITE, plan_read_body,
	    plan_put },
	{ "POST", PLAN "/dry-run", "edsp:RunCommissions", KEPT_PLAN_BYTES, OP_WRITE, dry_read,
	    run_start },
	{ "GET", RUNS, "edsp:ReadCommissions", 0, SHOW, NULL, runs_list },
	{ "POST", RUNS, "edsp:RunCommissions", REST_BODY, OP_WRITE, run_read, run_start },
	{ "GET", RUNS "/{runId}", "edsp:ReadCommissions", 0, SHOW, NULL, run_show },
	{ "POST", RUNS "/{runId}/approve", "edsp:ApproveCommissions", REST_BODY, OP_WRITE,
	    digest_read, run_approve },
	{ "GET", RUNS "/{runId}/statements/{representative}", "edsp:ReadCommissions", 0, SHOW, NULL,
	    statement_show },
	{ "GET", RUNS "/{runId}/queue", "edsp:ReadCommissions", 0, SHOW, NULL, queue_show },
	{ "GET", RUNS "/{runId}/moved", "edsp:ReadCommissions", 0, SHOW, NULL, moved_show },
	{ "GET", GRANTS, "edsp:SetCommissionGrants", 0, SHOW, NULL, grants_list },
	{ "PUT", GRANTS "/{userId}", "edsp:SetCommissionGrants", REST_BODY, OP_WRITE, grant_read,
	    grant_put },
	{ "DELETE", GRANTS "/{userId}", "edsp:SetCommissionGrants", 0, OP_WRITE | OP_NO_BODY, NULL,
	    grant_remove },
	{ "GET", SETTINGS, "edsp:SetCommissionGrants", 0, OP_READ | OP_NO_BODY, NULL,
	    setting_show },
	{ "PUT", SETTINGS, "edsp:SetCommissionGrants", REST_BODY, OP_WRITE, setting_read,
	    setting_put },
};
const struct rest_table rest_commissions = { ops, sizeof(ops) / sizeof(ops[0]) };
