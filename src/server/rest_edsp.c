/* SPDX-License-Identifier: Apache-2.0 */
/* REST: enhanced data sharing: requirements for enrolment, publication plans. */
#include "server/rest.h"

#include "edsp/enrol.h"
#include "edsp/publish.h"

struct decision {
	bool accepted;
	struct str note;
};

static enum souk_err
read_requirement(struct call *c, enum edsp_requirement *ret)
{
	return edsp_requirement_find(c->params[1], ret) ? SOUK_OK : SOUK_E_NOT_FOUND;
}

static enum souk_err
answer(struct call *c, struct db_tx *tx, struct str seller)
{
	struct jw w;
	enum souk_err r;

	rest_list_open(c, &w);
	r = edsp_requirements_json(tx, c->scope, seller, &w);
	if (r == SOUK_OK)
		rest_list_close(&w, STR(""));
	else
		buf_clear(&c->out);
	return r;
}

static enum souk_err
requirements_list(struct call *c, struct db_tx *tx)
{
	struct str seller;
	enum souk_err r = rest_seller(c, 0, &seller);

	return r == SOUK_OK ? answer(c, tx, seller) : r;
}

static enum souk_err
evidence_read(struct call *c)
{
	struct edsp_evidence *e = ARENA_NEW(c->arena, struct edsp_evidence);
	enum edsp_requirement q;
	enum souk_err r;

	if (!e)
		return SOUK_E_LIMIT;
	c->input = e;
	if ((r = rest_need_body(c)) != SOUK_OK || (r = read_requirement(c, &q)) != SOUK_OK)
		return r;
	return edsp_evidence_parse(c->body, q, c->arena, e, &c->fail);
}

static enum souk_err
evidence_put(struct call *c, struct db_tx *tx)
{
	enum edsp_requirement q;
	struct str seller;
	enum souk_err r;

	if ((r = rest_seller(c, 0, &seller)) != SOUK_OK ||
	    (r = read_requirement(c, &q)) != SOUK_OK ||
	    (r = edsp_evidence_give(tx, c->scope, seller, q, c->input, &c->fail)) != SOUK_OK)
		return r;
	rest_audit(c, "requirement", c->params[1], seller);
	return answer(c, tx, seller);
}

static enum souk_err
decision_read(struct call *c)
{
	struct json_member m[] = { { .name = "decision", .kind = JSON_K_STR, .required = true },
		{ .name = "note", .kind = JSON_K_STR } };
	struct decision *d = ARENA_NEW(c->arena, struct decision);
	enum souk_err r = rest_need_body(c);
	struct str word;

	if (!d)
		return SOUK_E_LIMIT;
	c->input = d;
	if (r != SOUK_OK || (r = json_take(c->body, m, 2, &c->fail)) != SOUK_OK)
		return r;
	word = json_member_str(&m[0]);
	if (!str_eq_c(word, "accepted") && !str_eq_c(word, "refused"))
		return fail_field(
		    &c->fail, "decision", "is no decision", "give accepted or refused");
	d->accepted = str_eq_c(word, "accepted");
	d->note = json_member_str(&m[1]);
	return SOUK_OK;
}

static enum souk_err
decision_put(struct call *c, struct db_tx *tx)
{
	const struct decision *d = c->input;
	enum edsp_requirement q;
	struct str seller;
	enum souk_err r;

	if ((r = rest_seller(c, 0, &seller)) != SOUK_OK ||
	    (r = read_requirement(c, &q)) != SOUK_OK ||
	    (r = edsp_evidence_decide(tx, c->scope, seller, q, d->accepted, d->note, &c->fail)) !=
		SOUK_OK)
		return r;
	rest_audit(c, "requirement", c->params[1], seller);
	return answer(c, tx, seller);
}

/* ---- publication plans ----------------------------------------------------------------- */

static void
plan_answer(struct call *c, struct str seller, const struct publication_plan *p)
{
	struct jw w;

	jw_init(&w, &c->out);
	publication_plan_json(seller, p, &w);
	call_etag(c, p->revision);
}

static enum souk_err
plan_show(struct call *c, struct db_tx *tx)
{
	struct publication_plan p;
	struct str seller;
	enum souk_err r;

	if ((r = rest_seller(c, 0, &seller)) != SOUK_OK ||
	    (r = publication_plan_get(tx, c->scope, seller, c->arena, &p)) != SOUK_OK)
		return r;
	plan_answer(c, seller, &p);
	return SOUK_OK;
}

static enum souk_err
plan_read(struct call *c)
{
	struct publication_plan *p = ARENA_NEW(c->arena, struct publication_plan);
	enum souk_err r = rest_need_body(c);

	if (!p)
		return SOUK_E_LIMIT;
	c->input = p;
	return r == SOUK_OK ? publication_plan_parse(c->body, c->arena, p, &c->fail) : r;
}

static enum souk_err
plan_put(struct call *c, struct db_tx *tx)
{
	struct publication_plan new = *(const struct publication_plan *)c->input;
	struct publication_plan old = { .revision = 0 };
	struct str seller;
	int64_t seen = 0;
	enum souk_err r = rest_seller(c, 0, &seller);

	if (r != SOUK_OK)
		return r;
	r = publication_plan_get(tx, c->scope, seller, c->arena, &old);
	if ((r != SOUK_OK && r != SOUK_E_NOT_FOUND) ||
	    (r = call_if_match(c, old.revision, &seen)) != SOUK_OK ||
	    (r = publication_plan_set(tx, c->scope, seller, seen, &new, &c->fail)) != SOUK_OK)
		return r;
	plan_answer(c, seller, &new);
	rest_audit(c, "publication-plan", seller, seller);
	return SOUK_OK;
}

static enum souk_err
plan_remove(struct call *c, struct db_tx *tx)
{
	struct str seller;
	enum souk_err r;

	if ((r = rest_seller(c, 0, &seller)) != SOUK_OK ||
	    (r = publication_plan_remove(tx, c->scope, seller)) != SOUK_OK)
		return r;
	rest_audit(c, "publication-plan", seller, seller);
	return SOUK_OK;
}

#define PLAN "/api/v1/sellers/{sellerId}/publication-plan"
#define REQUIREMENTS "/api/v1/sellers/{sellerId}/enrolments/edsp/requirements"

static const struct op ops[] = {
	{ "GET", REQUIREMENTS, "market:ReadEnrolments", 0, OP_READ | OP_NO_BODY, NULL,
	    requirements_list },
	{ "PUT", REQUIREMENTS "/{requirement}", "market:GiveEvidence", REST_BODY, OP_WRITE,
	    evidence_read, evidence_put },
	{ "PUT", REQUIREMENTS "/{requirement}/decision", "market:SetEnrolment", REST_BODY, OP_WRITE,
	    decision_read, decision_put },
	{ "GET", PLAN, "delivery:ReadPlan", 0, OP_READ | OP_NO_BODY, NULL, plan_show },
	{ "PUT", PLAN, "delivery:SetPlan", REST_BODY, OP_WRITE, plan_read, plan_put },
	{ "DELETE", PLAN, "delivery:SetPlan", 0, OP_WRITE | OP_NO_BODY, NULL, plan_remove },
};
const struct rest_table rest_edsp = { ops, sizeof(ops) / sizeof(ops[0]) };
