/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may be enrolled in enhanced data sharing.
 *
 * An enrolled seller gets buyers' addresses and domains; so each requirement is either seen in
 * the facts or decided by a person, and whoever brings forward something else is decided anew.
 */
#include "edsp/enrol.h"

#include "base/utf8.h"
#include "edsp/enrol_store.h"
#include "market/account.h"
#include "market/check.h"
#include "market/product.h"

#include <stdio.h>

#define DOCUMENT_MAX 1024
#define TERMS_MAX 64
#define NOTE_MAX 500
#define PRODUCTS_SHOWN 50
#define ATTESTS_MAX 4

struct requirement {
	const char *name, *title;
	bool document, effective_on, terms; /* what is asked for */
	const char *attests[ATTESTS_MAX + 1];
};

static const struct requirement requirements[EDSP_REQUIREMENTS] = {
	[EDSP_R1] = { .name = "EDSP-R1", .title = "Every public product has an annual price" },
	[EDSP_R2] = { .name = "EDSP-R2",
	    .title = "A sales compensation plan covers all marketplace subscription revenue",
	    .document = true,
	    .attests = { "hourly", "monthly", "annual", "metered" } },
	[EDSP_R3] = { .name = "EDSP-R3",
	    .title = "The marketplace compensation plan was formally announced",
	    .document = true,
	    .effective_on = true },
	[EDSP_R4] = { .name = "EDSP-R4",
	    .title = "The terms on the use of data are agreed to",
	    .terms = true,
	    .attests = { "confidential", "no-lead-generation" } },
	[EDSP_R5] = { .name = "EDSP-R5",
	    .title =
		"Data is used to motivate field sales through formal compensation plans, and for "
		"nothing "
		"else",
	    .attests = { "field-sales-compensation-only" } },
};

/* ---- what is given ---- */

/* All words of the requirement, in its order; `list` may have them in any. */
static void
check_attests(struct check *c, const struct json_member *m, const struct requirement *q,
    struct arena *mem, struct str *io)
{
	struct buf b = { 0 };
	size_t n = 0;

	for (; q->attests[n]; n++) {
		bool there = false;

		for (size_t i = 0; i < json_array_size(m->got); i++) {
			const json_t *v = json_array_get(m->got, i);

			there |=
			    json_is_string(v) && strcmp(json_string_value(v), q->attests[n]) == 0;
		}
		if (!there && m->got)
			check_fail(c, "attests", "leaves out what the requirement asks for",
			    "attest every word that the requirement lists");
		buf_printf(&b, "%s\"%s\"", n == 0 ? "[" : ",", q->attests[n]);
	}
	if (m->got && json_array_size(m->got) != n)
		check_fail(c, "attests", "has words that the requirement does not list",
		    "attest what it lists, each once");
	buf_add_c(&b, n == 0 ? "[]" : "]");
	*io = buf_ok(&b) ? arena_str(mem, buf_str(&b)) : (struct str){ NULL, 0 };
	if (!io->p)
		c->err = SOUK_E_NOMEM;
	buf_done(&b);
}

static void
check_date(struct check *c, const struct json_member *m, struct str *io)
{
	instant_t t;
	struct str s = json_member_str(m);

	if (m->got && (s.n != 10 || !instant_parse(s, &t)))
		check_fail(c, m->name, "is not a date", "write it as 2026-01-31");
	else if (m->got)
		*io = s;
}

enum souk_err
edsp_evidence_parse(const json_t *o, enum edsp_requirement q, struct arena *mem,
    struct edsp_evidence *ret, struct fail *f)
{
	const struct requirement *r = &requirements[q];
	struct json_member all[] = {
		{ .name = "document", .kind = JSON_K_STR, .required = true },
		{ .name = "effectiveOn", .kind = JSON_K_STR, .required = true },
		{ .name = "termsVersion", .kind = JSON_K_STR, .required = true },
		{ .name = "attests", .kind = JSON_K_ARR, .required = true },
	};
	const bool asked[] = { r->document, r->effective_on, r->terms, r->attests[0] != NULL };
	struct json_member m[sizeof(asked)];
	struct json_member *at[sizeof(asked)] = { NULL };
	struct edsp_evidence e = { STR(""), STR(""), STR(""), STR("[]") };
	struct check c = { .f = f };
	size_t n = 0;

	if (q == EDSP_R1)
		return fail_set(f, SOUK_E_CONFLICT, "computed",
		    "This requirement is looked up among the products; nothing can be given for "
		    "it.");
	for (size_t i = 0; i < sizeof(asked); i++)
		if (asked[i]) {
			m[n] = all[i];
			at[i] = &m[n++];
		}
	c.err = json_take(o, m, n, f);
	if (at[0])
		check_text(&c, at[0], 1, DOCUMENT_MAX, &e.document);
	if (at[1])
		check_date(&c, at[1], &e.effective_on);
	if (at[2])
		check_text(&c, at[2], 1, TERMS_MAX, &e.terms_version);
	if (at[3])
		check_attests(&c, at[3], r, mem, &e.attests);
	if (c.err == SOUK_OK)
		*ret = e;
	return c.err;
}

/* Sellers manage their own; so does the operator for them. */
static bool
may_see(const struct tenant_scope *s, struct str seller_id)
{
	return tenant_is_operator(s) || (tenant_is_seller(s) && seller_id.n == ACCOUNT_ID_LEN &&
					    str_eq(tenant_account(s), seller_id));
}

/* SOUK_E_NOT_FOUND unless the account is a seller's that the scope may see. */
static enum souk_err
check_seller(struct db_tx *tx, const struct tenant_scope *s, struct str seller_id)
{
	struct arena *mem;
	struct account a;
	enum souk_err r;

	if (!may_see(s, seller_id))
		return SOUK_E_NOT_FOUND;
	if (!(mem = arena_new(65536)))
		return SOUK_E_NOMEM;
	r = account_get(tx, s, seller_id, mem, &a);
	if (r == SOUK_OK && !a.is_seller)
		r = SOUK_E_NOT_FOUND;
	arena_free(mem);
	return r;
}

enum souk_err
edsp_evidence_give(struct db_tx *tx, const struct tenant_scope *s, struct str seller_id,
    enum edsp_requirement q, const struct edsp_evidence *e, struct fail *f)
{
	struct evidence_row row = {
		.requirement = q, .e = *e, .given_by = tenant_actor(s), .given_at = db_now(tx)
	};
	enum souk_err r;

	if ((r = check_seller(tx, s, seller_id)) != SOUK_OK)
		return r == SOUK_E_NOT_FOUND ? fail_not_found(f) : r;
	if ((r = lock_owner(tx, seller_id)) != SOUK_OK)
		return r;
	return evidence_put(tx, seller_id, &row);
}

enum souk_err
edsp_evidence_decide(struct db_tx *tx, const struct tenant_scope *s, struct str seller_id,
    enum edsp_requirement q, bool accepted, struct str note, struct fail *f)
{
	struct evidence_row row = { .requirement = q,
		.e = { STR(""), STR(""), STR(""), STR("[]") },
		.given_by = STR(""),
		.decision = accepted ? EVIDENCE_ACCEPTED : EVIDENCE_REFUSED,
		.note = note,
		.decided_by = tenant_actor(s),
		.decided_at = db_now(tx) };
	bool found = false;
	enum souk_err r;

	if (!tenant_is_operator(s))
		return fail_set(
		    f, SOUK_E_DENIED, "operator_only", "Only the operator may do this.");
	if (!utf8_valid(note) || utf8_has_control(note) || utf8_length(note) > NOTE_MAX)
		return fail_field(
		    f, "note", "is not a text of up to 500 characters", "say it in fewer words");
	if ((r = check_seller(tx, s, seller_id)) != SOUK_OK)
		return r == SOUK_E_NOT_FOUND ? fail_not_found(f) : r;
	if ((r = lock_owner(tx, seller_id)) != SOUK_OK)
		return r;
	/* Of R1 nothing is given; the decision needs its row. */
	if (q == EDSP_R1 && (r = evidence_put(tx, seller_id, &row)) != SOUK_OK)
		return r;
	r = evidence_decide(tx, seller_id, &row, &found);
	if (r == SOUK_OK && !found)
		return fail_set(f, SOUK_E_CONFLICT, "nothing_given",
		    "Nothing was brought forward for this requirement yet.");
	return r;
}

/* ---- what is met ---- */

struct products {
	int64_t n, unmet,
	    open; /* all public ones; without an annual price; that cannot carry one */
};

/* Could it have an annual price? What costs nothing here, and services, could not. */
static bool
can_be_annual(const struct enrol_product *p)
{
	static const char *const priced[] = { "hourly", "monthly", "annual", "metered",
		"contract" };

	if (str_eq_c(p->type, "services"))
		return false;
	for (size_t i = 0; i < sizeof(priced) / sizeof(priced[0]); i++)
		if (pricing_has(p->pricing, str_c(priced[i])))
			return true;
	return false;
}

/* Looks at all; writes the first that are not as they should be into *out, when given. */
static enum souk_err
look_at_products(struct db_tx *tx, struct str seller_id, struct jw *out, struct products *ret)
{
	struct db_stmt *st = enrol_products(tx, seller_id);
	struct products n = { .n = 0 };
	struct enrol_product p;
	enum souk_err r;
	bool row;

	while ((r = db_step(st, &row)) == SOUK_OK && row) {
		bool open;

		enrol_product_row(st, &p);
		n.n++;
		if (pricing_has(p.pricing, STR("annual")))
			continue;
		open = !can_be_annual(&p);
		n.open += open;
		n.unmet += !open;
		if (!out || n.open + n.unmet > PRODUCTS_SHOWN)
			continue;
		jw_open(out, NULL, '{');
		jw_guid(out, "productId", &p.id);
		jw_c(out, "state", open ? "needs-decision" : "unmet");
		jw_close(out, '}');
	}
	if (r == SOUK_OK)
		*ret = n;
	return r;
}

static const char *
state_of(enum edsp_requirement q, const struct products *p, bool given, enum evidence_decision d)
{
	if (q == EDSP_R1 && (p->n == 0 || p->unmet > 0))
		return "unmet";
	if (q == EDSP_R1 && p->open == 0)
		return "met";
	if (!given)
		return q == EDSP_R1 ? "needs-decision" : "missing";
	return d == EVIDENCE_ACCEPTED  ? "met"
	       : d == EVIDENCE_REFUSED ? "refused"
				       : "needs-decision";
}

static void
evidence_json(struct jw *out, enum edsp_requirement q, const struct evidence_row *row)
{
	const struct requirement *r = &requirements[q];

	if (q != EDSP_R1) {
		jw_open(out, "evidence", '{');
		if (r->document)
			jw_str(out, "document", row->e.document);
		if (r->effective_on)
			jw_str(out, "effectiveOn", row->e.effective_on);
		if (r->terms)
			jw_str(out, "termsVersion", row->e.terms_version);
		if (r->attests[0])
			jw_raw(out, "attests", row->e.attests);
		jw_str(out, "givenBy", row->given_by);
		jw_instant(out, "givenAt", row->given_at);
		jw_close(out, '}');
	}
	if (row->decision == EVIDENCE_OPEN)
		return;
	jw_open(out, "decision", '{');
	jw_c(out, "decision", row->decision == EVIDENCE_ACCEPTED ? "accepted" : "refused");
	jw_str(out, "note", row->note);
	jw_str(out, "decidedBy", row->decided_by);
	jw_instant(out, "decidedAt", row->decided_at);
	jw_close(out, '}');
}

static void
asked_json(struct jw *out, const struct requirement *r)
{
	jw_open(out, "asks", '[');
	if (r->document)
		jw_c(out, NULL, "document");
	if (r->effective_on)
		jw_c(out, NULL, "effectiveOn");
	if (r->terms)
		jw_c(out, NULL, "termsVersion");
	if (r->attests[0])
		jw_c(out, NULL, "attests");
	jw_close(out, ']');
	jw_open(out, "attests", '[');
	for (size_t i = 0; r->attests[i]; i++)
		jw_c(out, NULL, r->attests[i]);
	jw_close(out, ']');
}

/* `row` NULL: nothing was given. */
static enum souk_err
requirement_json(struct db_tx *tx, struct str seller_id, struct jw *out, enum edsp_requirement q,
    const struct evidence_row *row)
{
	const struct requirement *r = &requirements[q];
	struct products p = { .n = 0 };
	enum souk_err err = SOUK_OK;

	jw_open(out, NULL, '{');
	jw_c(out, "requirement", r->name);
	jw_c(out, "title", r->title);
	asked_json(out, r);
	if (q == EDSP_R1) {
		jw_open(out, "products", '[');
		err = look_at_products(tx, seller_id, out, &p);
		jw_close(out, ']');
		jw_int(out, "productsTotal", p.open + p.unmet);
	}
	jw_c(out, "state", state_of(q, &p, row != NULL, row ? row->decision : EVIDENCE_OPEN));
	if (row)
		evidence_json(out, q, row);
	jw_close(out, '}');
	return err;
}

/*
 * Calls `each` for every requirement in order, with what was given or NULL. There are five rows at
 * most: they are read once for each.
 */
static enum souk_err
for_each(struct db_tx *tx, struct str seller_id,
    enum souk_err (*each)(void *arg, enum edsp_requirement q, const struct evidence_row *row),
    void *arg)
{
	for (int q = 0; q < EDSP_REQUIREMENTS; q++) {
		struct db_stmt *st = evidence_rows(tx, seller_id);
		struct evidence_row row;
		bool more = false, found = false;
		enum souk_err r = SOUK_OK;

		while (!found && (r = db_step(st, &more)) == SOUK_OK && more)
			found =
			    evidence_row(st, &row) && row.requirement == (enum edsp_requirement)q;
		if (r == SOUK_OK)
			r = each(arg, (enum edsp_requirement)q, found ? &row : NULL);
		db_reset(st);
		if (r != SOUK_OK)
			return r;
	}
	return SOUK_OK;
}

struct looking {
	struct db_tx *tx;
	struct str seller_id;
	struct jw *out;
	struct fail *f;
	bool unmet;
};

static enum souk_err
write_each(void *arg, enum edsp_requirement q, const struct evidence_row *row)
{
	struct looking *l = arg;

	return requirement_json(l->tx, l->seller_id, l->out, q, row);
}

enum souk_err
edsp_requirements_json(
    struct db_tx *tx, const struct tenant_scope *s, struct str seller_id, struct jw *out)
{
	struct looking l = { .tx = tx, .seller_id = seller_id, .out = out };
	enum souk_err r = check_seller(tx, s, seller_id);

	return r == SOUK_OK ? for_each(tx, seller_id, write_each, &l) : r;
}

static enum souk_err
ask_each(void *arg, enum edsp_requirement q, const struct evidence_row *row)
{
	struct looking *l = arg;
	struct products p = { .n = 0 };
	enum souk_err r = q == EDSP_R1 ? look_at_products(l->tx, l->seller_id, NULL, &p) : SOUK_OK;
	const char *state;

	if (r != SOUK_OK)
		return r;
	state = state_of(q, &p, row != NULL, row ? row->decision : EVIDENCE_OPEN);
	if (strcmp(state, "met") == 0)
		return SOUK_OK;
	l->unmet = true;
	(void)fail_field(l->f, requirements[q].name, "is not met",
	    q == EDSP_R1 ? "look at its products, and decide about those that need it"
			 : "give the evidence, and have the operator accept it");
	return SOUK_OK;
}

enum souk_err
edsp_enrolment_set(struct db_tx *tx, const struct tenant_scope *s, struct str seller_id,
    bool enrolled, struct enrolment *ret, struct fail *f)
{
	struct looking l = { .tx = tx, .seller_id = seller_id, .f = f };
	struct enrolment e;
	enum souk_err r;

	if (!enrolled || !tenant_is_operator(s))
		return enrolment_set(tx, s, seller_id, EDSP_PROGRAM, enrolled, ret, f);
	/* Nobody changes products or evidence between the look and the standing. */
	if ((r = lock_owner(tx, seller_id)) != SOUK_OK)
		return r;
	r = enrolment_get(tx, s, seller_id, EDSP_PROGRAM, &e);
	if ((r == SOUK_OK && !e.enrolled) || r == SOUK_E_NOT_FOUND)
		r = check_seller(tx, s, seller_id) == SOUK_OK
			? for_each(tx, seller_id, ask_each, &l)
			: SOUK_OK; /* whose it is not is said below */
	if (r != SOUK_OK)
		return r;
	if (l.unmet)
		return fail_set(f, SOUK_E_CONFLICT, "requirements_unmet",
		    "The seller does not meet all requirements of the program.");
	return enrolment_set(tx, s, seller_id, EDSP_PROGRAM, enrolled, ret, f);
}

enum souk_err
edsp_participates(struct db_tx *tx, struct str seller_id, bool *ret)
{
	return enrol_store_participates(tx, seller_id, ret);
}
