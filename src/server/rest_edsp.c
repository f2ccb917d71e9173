/* SPDX-License-Identifier: Apache-2.0 */
/* REST: requirements for enrolment in enhanced data sharing. */
#include "server/rest.h"

#include "edsp/enrol.h"

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

#define REQUIREMENTS "/api/v1/sellers/{sellerId}/enrolments/edsp/requirements"

static const struct op ops[] = {
	{ "GET", REQUIREMENTS, "market:ReadEnrolments", 0, OP_READ | OP_NO_BODY, NULL,
	    requirements_list },
	{ "PUT", REQUIREMENTS "/{requirement}", "market:GiveEvidence", REST_BODY, OP_WRITE,
	    evidence_read, evidence_put },
	{ "PUT", REQUIREMENTS "/{requirement}/decision", "market:SetEnrolment", REST_BODY, OP_WRITE,
	    decision_read, decision_put },
};
const struct rest_table rest_edsp = { ops, sizeof(ops) / sizeof(ops[0]) };
