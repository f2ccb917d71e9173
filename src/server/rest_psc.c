/* SPDX-License-Identifier: Apache-2.0 */
/*
 * REST: support contacts, opt-outs, searches, enrolments.
 *
 * Every answer with a contact in it goes through contact_json and is audited: changes in
 * their transaction (by psc/), reads by the dispatcher before the answer leaves.
 */
#include "server/rest.h"

#include "edsp/enrol.h"
#include "market/enrolment.h"
#include "psc/contact.h"

/* ---- contacts -------------------------------------------------------------------------- */

/* What the caller did not say is clear from who it is. */
static void
audit_read(struct call *c, const struct guid *subscription, struct str seller, int64_t n)
{
	rest_audit_guid(c, "subscription", subscription, seller);
	c->audit.count = n;
	c->audit.purpose = c->purpose;
	if (c->purpose.n == 0)
		c->audit.purpose =
		    tenant_is_buyer(c->scope) ? STR("self-service") : STR("product-support");
}

static enum souk_err
contacts_list(struct call *c, struct db_tx *tx)
{
	struct contact all[CONTACTS_MAX];
	struct subscription sub;
	struct guid id;
	struct jw w;
	size_t n;
	enum souk_err r;

	if ((r = call_param_guid(c, 0, &id)) != SOUK_OK ||
	    (r = contact_list(tx, c->svc->vault, c->scope, &id, c->arena, &sub, all, &n)) !=
		SOUK_OK)
		return r;
	rest_list_open(c, &w);
	for (size_t i = 0; i < n; i++)
		contact_json(&all[i], &w, NULL);
	rest_list_close(&w, STR(""));
	audit_read(c, &id, arena_str(c->arena, str_c(sub.seller_id)), (int64_t)n);
	return SOUK_OK;
}

static void
contact_answer(struct call *c, const struct contact *k)
{
	struct jw w;

	jw_init(&w, &c->out);
	contact_json(k, &w, NULL);
	call_etag(c, k->changed_at);
}

static enum souk_err
read_ids(struct call *c, struct guid *ret_subscription, struct guid *ret_contact)
{
	enum souk_err r = call_param_guid(c, 0, ret_subscription);

	return r == SOUK_OK ? call_param_guid(c, 1, ret_contact) : r;
}

static enum souk_err
contact_show(struct call *c, struct db_tx *tx)
{
	struct subscription sub;
	struct guid id, contact;
	struct contact k;
	enum souk_err r;

	if ((r = read_ids(c, &id, &contact)) != SOUK_OK ||
	    (r = contact_get(tx, c->svc->vault, c->scope, &id, &contact, c->arena, &k)) !=
		SOUK_OK ||
	    (r = subscription_get(tx, c->scope, &id, c->arena, &sub)) != SOUK_OK)
		return r;
	contact_answer(c, &k);
	audit_read(c, &id, arena_str(c->arena, str_c(sub.seller_id)), 1);
	return SOUK_OK;
}

static enum souk_err
contact_read(struct call *c)
{
	struct contact_fields *k = ARENA_NEW(c->arena, struct contact_fields);
	enum souk_err r = rest_need_body(c);

	if (r != SOUK_OK)
		return r;
	if (!k)
		return SOUK_E_LIMIT;
	c->input = k;
	return contact_parse(c->body, k, &c->fail);
}

static enum souk_err
contact_post(struct call *c, struct db_tx *tx)
{
	char text[GUID_TEXT_LEN + 1];
	struct contact k;
	struct guid id;
	enum souk_err r;

	if ((r = call_param_guid(c, 0, &id)) != SOUK_OK ||
	    (r = contact_add(tx, c->svc->vault, c->scope, &id, c->input, NULL, &k, &c->fail)) !=
		SOUK_OK)
		return r;
	contact_answer(c, &k);
	guid_format(&k.id, text);
	rest_created_here(c, (struct str){ text, GUID_TEXT_LEN });
	c->subject = k.id;
	return SOUK_OK;
}

/* The version that the caller saw; only who says so has it looked up. */
static enum souk_err
contact_seen(struct call *c, struct db_tx *tx, const struct guid *id, const struct guid *contact,
    instant_t *ret)
{
	instant_t present = 0;
	enum souk_err r = SOUK_OK;

	if (http_header(c->req, "If-Match").p)
		r = contact_version(tx, c->scope, id, contact, &present);
	return r == SOUK_OK ? call_if_match(c, present, ret) : r;
}

static enum souk_err
contact_put(struct call *c, struct db_tx *tx)
{
	struct guid id, contact;
	struct contact k;
	int64_t seen;
	enum souk_err r;

	if ((r = read_ids(c, &id, &contact)) != SOUK_OK ||
	    (r = contact_seen(c, tx, &id, &contact, &seen)) != SOUK_OK ||
	    (r = contact_edit(tx, c->svc->vault, c->scope, &id, &contact, seen, c->input, NULL, &k,
		 &c->fail)) != SOUK_OK)
		return r;
	contact_answer(c, &k);
	return SOUK_OK;
}

static enum souk_err
contact_remove(struct call *c, struct db_tx *tx)
{
	struct guid id, contact;
	int64_t seen;
	enum souk_err r;

	if ((r = read_ids(c, &id, &contact)) != SOUK_OK ||
	    (r = contact_seen(c, tx, &id, &contact, &seen)) != SOUK_OK)
		return r;
	return contact_delete(tx, c->svc->vault, c->scope, &id, &contact, seen, NULL, &c->fail);
}

/* ---- opting out ------------------------------------------------------------------------ */

struct opt_out {
	enum opt_out_scope scope;
	struct guid subscription;
	struct str seller;
};

static bool
read_scope(struct str word, enum opt_out_scope *ret)
{
	static const struct {
		struct str word;
		enum opt_out_scope scope;
	} scopes[] = {
		{ { "subscription", 12 }, OPT_OUT_SUBSCRIPTION },
		{ { "seller", 6 }, OPT_OUT_SELLER },
		{ { "everywhere", 10 }, OPT_OUT_EVERYWHERE },
	};

	for (size_t i = 0; i < sizeof(scopes) / sizeof(scopes[0]); i++)
		if (str_eq(scopes[i].word, word)) {
			*ret = scopes[i].scope;
			return true;
		}
	return false;
}

/* A member that this scope needs, or that it must not have: what was meant must be clear. */
static enum souk_err
check_member(struct call *c, const struct json_member *m, bool wanted)
{
	if (m->got && !wanted)
		return fail_field(&c->fail, m->name, "does not go with this scope", "leave it out");
	if (!m->got && wanted)
		return fail_field(&c->fail, m->name, "is missing", "add it");
	return SOUK_OK;
}

static enum souk_err
opt_out_read(struct call *c)
{
	struct opt_out *o = ARENA_NEW(c->arena, struct opt_out);
	struct json_member m[] = {
		{ .name = "scope", .kind = JSON_K_STR, .required = true },
		{ .name = "subscriptionId", .kind = JSON_K_STR },
		{ .name = "sellerId", .kind = JSON_K_STR },
	};
	enum souk_err r = rest_need_body(c);

	if (!o)
		return SOUK_E_LIMIT;
	c->input = o;
	if (r != SOUK_OK || (r = json_take(c->body, m, 3, &c->fail)) != SOUK_OK)
		return r;
	if (!read_scope(json_member_str(&m[0]), &o->scope))
		return fail_field(
		    &c->fail, "scope", "is not a scope", "give subscription, seller or everywhere");
	if ((r = check_member(c, &m[1], o->scope == OPT_OUT_SUBSCRIPTION)) != SOUK_OK ||
	    (r = check_member(c, &m[2], o->scope == OPT_OUT_SELLER)) != SOUK_OK)
		return r;
	if (m[1].got && !guid_parse(json_member_str(&m[1]), &o->subscription))
		return fail_field(&c->fail, m[1].name, "is not a GUID", "give a subscription's id");
	if (m[2].got && !account_id_valid(json_member_str(&m[2])))
		return fail_field(
		    &c->fail, m[2].name, "is not an account id", "give twelve digits");
	o->seller = json_member_str(&m[2]);
	return SOUK_OK;
}

static enum souk_err
opt_out(struct call *c, struct db_tx *tx)
{
	const struct opt_out *o = c->input;
	int64_t deleted = 0;
	struct jw w;
	enum souk_err r = contact_opt_out(
	    tx, c->svc->vault, c->scope, o->scope, &o->subscription, o->seller, &deleted, &c->fail);

	if (r != SOUK_OK)
		return r;
	jw_init(&w, &c->out);
	jw_open(&w, NULL, '{');
	jw_int(&w, "deleted", deleted);
	jw_close(&w, '}');
	return SOUK_OK;
}

/* ---- searching ------------------------------------------------------------------------- */

static enum souk_err
search_read(struct call *c)
{
	struct str *email = ARENA_NEW(c->arena, struct str);
	struct json_member m[] = {
		{ .name = "emailAddress", .kind = JSON_K_STR, .required = true },
		{ .name = "purpose", .kind = JSON_K_STR, .required = true },
	};
	enum souk_err r = rest_need_body(c);

	if (!email)
		return SOUK_E_LIMIT;
	if (r != SOUK_OK || (r = json_take(c->body, m, 2, &c->fail)) != SOUK_OK)
		return r;
	*email = json_member_str(&m[0]);
	c->input = email;
	if (!purpose_valid(json_member_str(&m[1])))
		return fail_field(&c->fail, "purpose", "is not a purpose",
		    "give a word of at most 64 of a-z, 0-9 and '-', like access-request");
	c->purpose = json_member_str(&m[1]);
	return SOUK_OK;
}

static void
place_json(const struct contact_place *p, struct jw *w)
{
	jw_open(w, NULL, '{');
	jw_guid(w, "contactId", &p->contact_id);
	jw_guid(w, "subscriptionId", &p->subscription_id);
	jw_c(w, "sellerId", p->seller_id);
	jw_c(w, "buyerId", p->buyer_id);
	jw_close(w, '}');
}

static enum souk_err
search(struct call *c, struct db_tx *tx)
{
	const struct str *email = c->input;
	struct contact_place *places;
	struct jw w;
	size_t n;
	enum souk_err r;

	if (!tenant_is_operator(c->scope))
		return fail_set(&c->fail, SOUK_E_DENIED, "operator_only",
		    "Only the operator may search for contacts.");
	r = contact_search(tx, c->svc->vault, c->scope, *email, c->arena, &places, &n);
	if (r == SOUK_E_INVALID)
		return fail_field(&c->fail, "emailAddress", "is not an address",
		    "give one of at most 254 characters");
	if (r != SOUK_OK)
		return r;
	rest_list_open(c, &w);
	for (size_t i = 0; i < n; i++)
		place_json(&places[i], &w);
	rest_list_close(&w, STR(""));
	c->audit.action = c->op->action;
	c->audit.count = (int64_t)n;
	return SOUK_OK;
}

/* ---- enrolments ------------------------------------------------------------------------ */

static const char *const programs[] = { "edsp", "proserv", "psc" };
#define PROGRAMS (sizeof(programs) / sizeof(programs[0]))

static enum souk_err
read_program(struct call *c, const char **ret)
{
	for (size_t i = 0; i < PROGRAMS; i++)
		if (str_eq_c(c->params[1], programs[i])) {
			*ret = programs[i];
			return SOUK_OK;
		}
	return SOUK_E_NOT_FOUND;
}

static enum souk_err
enrolments_list(struct call *c, struct db_tx *tx)
{
	struct enrolment e;
	struct str seller;
	struct jw w;
	enum souk_err r = rest_seller(c, 0, &seller);

	if (r != SOUK_OK)
		return r;
	rest_list_open(c, &w);
	for (size_t i = 0; i < PROGRAMS; i++) {
		r = enrolment_get(tx, c->scope, seller, programs[i], &e);
		if (r == SOUK_OK)
			enrolment_json(&e, &w, NULL);
		else if (r != SOUK_E_NOT_FOUND)
			return r;
	}
	rest_list_close(&w, STR(""));
	return SOUK_OK;
}

static void
enrolment_answer(struct call *c, const struct enrolment *e)
{
	struct jw w;

	jw_init(&w, &c->out);
	enrolment_json(e, &w, NULL);
	call_etag(c, e->revision);
}

static enum souk_err
enrolment_show(struct call *c, struct db_tx *tx)
{
	const char *program;
	struct enrolment e;
	struct str seller;
	enum souk_err r;

	if ((r = rest_seller(c, 0, &seller)) != SOUK_OK ||
	    (r = read_program(c, &program)) != SOUK_OK ||
	    (r = enrolment_get(tx, c->scope, seller, program, &e)) != SOUK_OK)
		return r;
	enrolment_answer(c, &e);
	return SOUK_OK;
}

static enum souk_err
enrolment_read(struct call *c)
{
	struct json_member m[] = { { .name = "state", .kind = JSON_K_STR, .required = true } };
	bool *enrolled = ARENA_NEW(c->arena, bool);
	enum souk_err r = rest_need_body(c);
	struct str state;

	if (!enrolled)
		return SOUK_E_LIMIT;
	if (r != SOUK_OK || (r = json_take(c->body, m, 1, &c->fail)) != SOUK_OK)
		return r;
	state = json_member_str(&m[0]);
	if (!str_eq(state, STR("enrolled")) && !str_eq(state, STR("withdrawn")))
		return fail_field(
		    &c->fail, "state", "is not a standing", "give enrolled or withdrawn");
	*enrolled = str_eq(state, STR("enrolled"));
	c->input = enrolled;
	return SOUK_OK;
}

/* If-Match: the standing that the caller saw is the present one. */
static enum souk_err
check_seen(struct call *c, struct db_tx *tx, struct str seller, const char *program)
{
	struct enrolment e = { .revision = 0 };
	int64_t seen;
	enum souk_err r = enrolment_get(tx, c->scope, seller, program, &e);

	if ((r != SOUK_OK && r != SOUK_E_NOT_FOUND) ||
	    (r = call_if_match(c, e.revision, &seen)) != SOUK_OK)
		return r;
	return seen == 0 || e.revision == seen ? SOUK_OK : SOUK_E_PRECONDITION;
}

static enum souk_err
enrolment_put(struct call *c, struct db_tx *tx)
{
	const bool *enrolled = c->input;
	const char *program;
	struct enrolment e;
	struct str seller;
	enum souk_err r;

	if ((r = rest_seller(c, 0, &seller)) != SOUK_OK ||
	    (r = read_program(c, &program)) != SOUK_OK ||
	    (r = check_seen(c, tx, seller, program)) != SOUK_OK)
		return r;
	r = strcmp(program, EDSP_PROGRAM) == 0
		? edsp_enrolment_set(tx, c->scope, seller, *enrolled, &e, &c->fail)
		: enrolment_set(tx, c->scope, seller, program, *enrolled, &e, &c->fail);
	if (r != SOUK_OK)
		return r;
	enrolment_answer(c, &e);
	rest_audit(c, "enrolment", str_c(program), seller);
	return SOUK_OK;
}

#define READ OP_READ | OP_NO_BODY
#define MAKE OP_WRITE | OP_IDEMPOTENT
#define CONTACTS "/api/v1/subscriptions/{subscriptionId}/contacts"
static const struct op ops[] = {
	{ "GET", CONTACTS, "psc:ReadContacts", 0, READ | OP_AUDIT, NULL, contacts_list },
	{ "POST", CONTACTS, "psc:AddContact", REST_BODY, MAKE, contact_read, contact_post },
	{ "GET", CONTACTS "/{contactId}", "psc:ReadContacts", 0, READ | OP_AUDIT, NULL,
	    contact_show },
	{ "PUT", CONTACTS "/{contactId}", "psc:EditContact", REST_BODY, OP_WRITE, contact_read,
	    contact_put },
	{ "DELETE", CONTACTS "/{contactId}", "psc:DeleteContact", 0, OP_WRITE | OP_NO_BODY, NULL,
	    contact_remove },
	{ "POST", "/api/v1/opt-outs", "psc:OptOut", REST_BODY, MAKE, opt_out_read, opt_out },
	{ "POST", "/api/v1/contact-searches", "psc:SearchContacts", REST_BODY, OP_READ | OP_AUDIT,
	    search_read, search },
	{ "GET", "/api/v1/sellers/{sellerId}/enrolments", "market:ReadEnrolments", 0, READ, NULL,
	    enrolments_list },
	{ "GET", "/api/v1/sellers/{sellerId}/enrolments/{program}", "market:ReadEnrolments", 0,
	    READ, NULL, enrolment_show },
	{ "PUT", "/api/v1/sellers/{sellerId}/enrolments/{program}", "market:SetEnrolment",
	    REST_BODY, OP_WRITE, enrolment_read, enrolment_put },
};
const struct rest_table rest_psc = { ops, sizeof(ops) / sizeof(ops[0]) };
