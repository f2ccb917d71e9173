/* SPDX-License-Identifier: Apache-2.0 */
/* REST: business calendars, fulfilments and their evidence. */
#include "server/rest.h"

#include "base/utf8.h"
#include "delivery/mail_message.h"
#include "market/check.h"
#include "proserv/business_calendar.h"
#include "proserv/fulfilment_evidence.h"

#define RECOMPUTE_MAX 200 /* fulfilments in one transaction */

/* ---- calendars ------------------------------------------------------------------------- */

static void
calendar_answer(struct call *c, struct str seller, const struct business_calendar *k)
{
	struct jw w;

	jw_init(&w, &c->out);
	business_calendar_json(seller, k, &w);
	call_etag(c, k->revision);
}

static enum souk_err
calendar_show(struct call *c, struct db_tx *tx)
{
	struct business_calendar k;
	struct str seller;
	enum souk_err r;

	if ((r = rest_seller(c, 0, &seller)) != SOUK_OK ||
	    (r = business_calendar_get(tx, c->scope, seller, c->arena, &k)) != SOUK_OK)
		return r;
	calendar_answer(c, seller, &k);
	return SOUK_OK;
}

/* A file of holidays is read here, where no transaction waits for it. */
static enum souk_err
calendar_read(struct call *c)
{
	struct business_calendar *k = ARENA_NEW(c->arena, struct business_calendar);
	enum souk_err r = rest_need_body(c);

	if (!k)
		return SOUK_E_LIMIT;
	c->input = k;
	if (r != SOUK_OK)
		return r;
	return business_calendar_read(c->req->body, day_of(clock_now()), c->arena, k, &c->fail);
}

static enum souk_err
calendar_put(struct call *c, struct db_tx *tx)
{
	struct business_calendar new = *(const struct business_calendar *)c->input, old;
	struct str seller;
	int64_t seen = 0;
	enum souk_err r;

	if ((r = rest_seller(c, 0, &seller)) != SOUK_OK ||
	    (r = business_calendar_get(tx, c->scope, seller, c->arena, &old)) != SOUK_OK ||
	    (r = call_if_match(c, old.revision, &seen)) != SOUK_OK ||
	    (r = business_calendar_set(tx, c->scope, seller, seen, &new, &c->fail)) != SOUK_OK)
		return r;
	calendar_answer(c, seller, &new);
	rest_audit(c, "business-calendar", seller, seller);
	return SOUK_OK;
}

struct recompute {
	struct guid after;
};

static enum souk_err
recompute_read(struct call *c)
{
	struct json_member m[] = { { .name = "after", .kind = JSON_K_STR } };
	struct recompute *in = ARENA_NEW(c->arena, struct recompute);
	struct check k = { .f = &c->fail };

	if (!in)
		return SOUK_E_LIMIT;
	c->input = in;
	if (c->body == NULL)
		return SOUK_OK;
	k.err = json_take(c->body, m, 1, &c->fail);
	check_guid(&k, &m[0], &in->after);
	return k.err;
}

static enum souk_err
recompute(struct call *c, struct db_tx *tx)
{
	const struct recompute *in = c->input;
	struct fulfilment_rules rules = fulfilment_rules_of(c->svc->vault, c->svc->config);
	struct guid last = { 0 };
	struct str seller;
	int64_t changed = 0;
	size_t seen = 0;
	struct jw w;
	enum souk_err r;

	if ((r = rest_seller(c, 0, &seller)) != SOUK_OK ||
	    (r = fulfilment_recompute(tx, &rules, c->scope, seller, &in->after, RECOMPUTE_MAX,
		 &seen, &last, &changed, &c->fail)) != SOUK_OK)
		return r;
	jw_init(&w, &c->out);
	jw_open(&w, NULL, '{');
	jw_int(&w, "changed", changed);
	if (seen == RECOMPUTE_MAX)
		jw_guid(&w, "after", &last);
	jw_close(&w, '}');
	rest_audit(c, "fulfilments", seller, seller);
	c->audit.count = changed;
	return SOUK_OK;
}

/* ---- reading --------------------------------------------------------------------------- */

static enum souk_err
read_filter(struct call *c, struct fulfilment_filter *q)
{
	static const char *const states[] = { "open", "waiting", "contacted", "delayed", "granted",
		NULL };
	struct str state = call_query(c, "state"), overdue = call_query(c, "overdue");
	enum souk_err r;

	*q = (struct fulfilment_filter){ .state = STR("") };
	if ((r = rest_query_account(c, "sellerId", &q->seller_id)) != SOUK_OK ||
	    (r = rest_query_account(c, "buyerId", &q->buyer_id)) != SOUK_OK)
		return r;
	if (state.p && (q->state = word_find(states, state)).p == NULL)
		return fail_field(&c->fail, "state", "is no state of a fulfilment",
		    "give open, waiting, contacted, delayed or granted");
	if (overdue.p && !str_eq_c(overdue, "true") && !str_eq_c(overdue, "false"))
		return fail_field(&c->fail, "overdue", "is neither true nor false", "give true");
	q->overdue = overdue.p && str_eq_c(overdue, "true");
	return SOUK_OK;
}

static enum souk_err
fulfilments_list(struct call *c, struct db_tx *tx)
{
	struct fulfilment_filter q;
	struct page p;
	struct jw w;
	enum souk_err r;

	if ((r = call_page(c, &p)) != SOUK_OK || (r = read_filter(c, &q)) != SOUK_OK)
		return r;
	rest_list_open(c, &w);
	r = fulfilment_list(tx, c->scope, &q, &p, c->arena, &w, &c->fail);
	rest_list_close(&w, p.next);
	return r;
}

static void
fulfilment_answer(struct call *c, struct db_tx *tx, const struct fulfilment *x)
{
	struct jw w;

	jw_init(&w, &c->out);
	fulfilment_json(x, c->scope, db_now(tx), &w, NULL);
	call_etag(c, x->revision);
}

static enum souk_err
fulfilment_show(struct call *c, struct db_tx *tx)
{
	struct fulfilment x;
	struct guid id;
	struct jw w;
	enum souk_err r;

	if ((r = call_param_guid(c, 0, &id)) != SOUK_OK ||
	    (r = fulfilment_get(tx, c->scope, &id, &x)) != SOUK_OK)
		return r;
	jw_init(&w, &c->out);
	jw_open(&w, NULL, '{');
	fulfilment_json(&x, c->scope, db_now(tx), &w, "fulfilment");
	r = fulfilment_events_json(tx, c->scope, &x, &w);
	jw_close(&w, '}');
	call_etag(c, x.revision);
	return r;
}

static enum souk_err
evidence_show(struct call *c, struct db_tx *tx)
{
	struct str format = call_query(c, "format");
	char seller[ACCOUNT_ID_LEN + 1] = "";
	struct buf json = { 0 };
	struct guid id;
	enum souk_err r = call_param_guid(c, 0, &id);

	if (format.p && !str_eq_c(format, "json") && !str_eq_c(format, "html"))
		return fail_field(&c->fail, "format", "is no format", "give json or html");
	if (r == SOUK_OK)
		r = fulfilment_evidence(tx, c->svc->vault, c->scope, &id, &json, seller);
	if (r == SOUK_OK && format.p && str_eq_c(format, "html")) {
		r = fulfilment_evidence_html(buf_str(&json), &c->out);
		c->content_type = "text/html; charset=utf-8";
	} else if (r == SOUK_OK) {
		buf_add_str(&c->out, buf_str(&json));
	}
	buf_done(&json);
	if (r == SOUK_OK)
		rest_audit_guid(c, "fulfilment", &id, arena_str(c->arena, str_c(seller)));
	return r;
}

static enum souk_err
read_instant(struct call *c, const char *name, instant_t *io)
{
	struct str text = call_query(c, name);

	if (text.p && !instant_parse(text, io))
		return fail_field(
		    &c->fail, name, "is no time", "write it as 2026-12-01 or 2026-12-01T00:00:00Z");
	return SOUK_OK;
}

static enum souk_err
statistics(struct call *c, struct db_tx *tx)
{
	instant_t from = 0, to = INSTANT_MAX;
	struct str seller;
	struct jw w;
	enum souk_err r;

	if ((r = rest_query_account(c, "sellerId", &seller)) != SOUK_OK ||
	    (r = read_instant(c, "from", &from)) != SOUK_OK ||
	    (r = read_instant(c, "to", &to)) != SOUK_OK)
		return r;
	rest_list_open(c, &w);
	r = fulfilment_statistics(tx, c->scope, seller, from, to, &w, &c->fail);
	rest_list_close(&w, STR(""));
	return r;
}

/* ---- what sellers tell ----------------------------------------------------------------- */

/* The revision that the caller saw; only who says so has it looked up. */
static enum souk_err
seen(struct call *c, struct db_tx *tx, const struct guid *id, int64_t *ret)
{
	struct fulfilment x = { .revision = 0 };
	enum souk_err r = SOUK_OK;

	if (http_header(c->req, "If-Match").p)
		r = fulfilment_get(tx, c->scope, id, &x);
	return r == SOUK_OK ? call_if_match(c, x.revision, ret) : r;
}

static enum souk_err
begin(struct call *c, struct db_tx *tx, struct guid *ret_id, int64_t *ret_seen,
    struct fulfilment_rules *ret_rules)
{
	enum souk_err r = call_param_guid(c, 0, ret_id);

	*ret_rules = fulfilment_rules_of(c->svc->vault, c->svc->config);
	return r == SOUK_OK ? seen(c, tx, ret_id, ret_seen) : r;
}

static enum souk_err
told(struct call *c, struct db_tx *tx, const struct fulfilment *x)
{
	fulfilment_answer(c, tx, x);
	rest_audit_guid(c, "fulfilment", &x->id, arena_str(c->arena, str_c(x->seller_id)));
	return SOUK_OK;
}

static enum souk_err
contact_read(struct call *c)
{
	static const char *const channels[] = { "email", "phone", "meeting", "portal", "other",
		NULL };
	struct json_member m[] = { { .name = "channel", .kind = JSON_K_STR, .required = true },
		{ .name = "at", .kind = JSON_K_STR } };
	struct fulfilment_contact *in = ARENA_NEW(c->arena, struct fulfilment_contact);
	struct check k = { .f = &c->fail, .err = rest_need_body(c) };

	if (!in)
		return SOUK_E_LIMIT;
	c->input = in;
	if (k.err != SOUK_OK)
		return k.err;
	k.err = json_take(c->body, m, 2, &c->fail);
	check_word(&k, &m[0], channels, &in->channel);
	check_instant(&k, &m[1], &in->at);
	return k.err;
}

static enum souk_err
contact_post(struct call *c, struct db_tx *tx)
{
	struct fulfilment_rules rules;
	struct fulfilment x;
	struct guid id;
	int64_t revision = 0;
	enum souk_err r;

	if ((r = begin(c, tx, &id, &revision, &rules)) != SOUK_OK ||
	    (r = fulfilment_contact(tx, &rules, c->scope, &id, revision, c->input, &x, &c->fail)) !=
		SOUK_OK)
		return r;
	return told(c, tx, &x);
}

/* {"address", "name"} */
static void
check_party(struct check *k, const struct json_member *m, struct mail_party *io)
{
	struct json_member in[] = { { .name = "address", .kind = JSON_K_STR, .required = true },
		{ .name = "name", .kind = JSON_K_STR } };
	struct mail_party p = { .name = STR(""), .mailbox = STR("") };

	if (!m->got)
		return;
	if (json_take(m->got, in, 2, NULL) != SOUK_OK) {
		check_fail(k, m->name, "is no address",
		    "give an object with `address` and, if known, `name`");
		return;
	}
	p.mailbox = json_member_str(&in[0]);
	if (in[1].got)
		p.name = json_member_str(&in[1]);
	if (mail_party_check(&p, m->name, k->f) != SOUK_OK)
		k->err = SOUK_E_INVALID;
	else
		*io = p;
}

/* Text of several lines for a mail. */
static void
check_lines(struct check *k, const struct json_member *m, size_t min, struct str *io)
{
	struct str text = json_member_str(m), rest = text;
	uint32_t code = 0;
	size_t n;

	if (!m->got)
		return;
	for (; (n = utf8_next(rest, &code)) > 0; rest.p += n, rest.n -= n)
		if (code != '\n' && code != '\t' && code != '\r' &&
		    utf8_has_control((struct str){ rest.p, n }))
			break;
	if (text.n > FULFILMENT_TEXT_MAX || rest.n > 0)
		check_fail(k, m->name, "is longer than 4000 bytes, or has control characters",
		    "give a shorter text of plain lines");
	else if (min > 0 && utf8_is_blank(text))
		check_fail(k, m->name, "is empty", "say what the buyer does next");
	else
		*io = text;
}

static void
check_language(struct check *k, const struct json_member *m, struct str *io)
{
	char tag[MAIL_LANGUAGE_MAX + 1];

	if (!m->got)
		return;
	if (mail_language(json_member_str(m), tag))
		*io = json_member_str(m);
	else
		check_fail(k, m->name, "is no language", "give a tag such as \"en\" or \"pt-BR\"");
}

#define MAIL_MEMBERS                                                                               \
	{ .name = "to", .kind = JSON_K_OBJ, .required = true },                                    \
	    { .name = "replyTo", .kind = JSON_K_OBJ },                                             \
	{                                                                                          \
		.name = "language", .kind = JSON_K_STR                                             \
	}
#define MAIL_MEMBERS_N 3

static void
check_mail(struct check *k, const struct json_member *m, struct fulfilment_mail_to *io)
{
	*io = (struct fulfilment_mail_to){ .language = STR("") };
	check_party(k, &m[0], &io->to);
	check_party(k, &m[1], &io->reply);
	check_language(k, &m[2], &io->language);
}

static void
check_promised(struct check *k, const struct json_member *m, struct fulfilment_delay *io)
{
	struct str text = json_member_str(m);

	io->promised_day = DAY_NONE;
	if (m->got && !day_parse(text, &io->promised_day) && !instant_parse(text, &io->promised))
		check_fail(k, m->name, "is no date and no time",
		    "write it as 2026-12-28 (the close of that day) or 2026-12-28T12:00:00Z");
}

static enum souk_err
delay_read(struct call *c)
{
	struct json_member m[] = { MAIL_MEMBERS,
		{ .name = "promised", .kind = JSON_K_STR, .required = true },
		{ .name = "reason", .kind = JSON_K_STR } };
	struct fulfilment_delay *in = ARENA_NEW(c->arena, struct fulfilment_delay);
	struct check k = { .f = &c->fail, .err = rest_need_body(c) };

	if (!in)
		return SOUK_E_LIMIT;
	c->input = in;
	if (k.err != SOUK_OK)
		return k.err;
	in->reason = STR("");
	k.err = json_take(c->body, m, MAIL_MEMBERS_N + 2, &c->fail);
	check_mail(&k, m, &in->mail);
	check_promised(&k, &m[MAIL_MEMBERS_N], in);
	check_lines(&k, &m[MAIL_MEMBERS_N + 1], 0, &in->reason);
	return k.err;
}

static enum souk_err
delay_post(struct call *c, struct db_tx *tx)
{
	struct fulfilment_rules rules;
	struct fulfilment x;
	struct guid id;
	int64_t revision = 0;
	enum souk_err r;

	if ((r = begin(c, tx, &id, &revision, &rules)) != SOUK_OK ||
	    (r = fulfilment_delay(tx, &rules, c->scope, &id, revision, c->input, &x, &c->fail)) !=
		SOUK_OK)
		return r;
	return told(c, tx, &x);
}

static enum souk_err
grant_read(struct call *c)
{
	struct json_member m[] = { MAIL_MEMBERS,
		{ .name = "nextSteps", .kind = JSON_K_STR, .required = true } };
	struct fulfilment_grant *in = ARENA_NEW(c->arena, struct fulfilment_grant);
	struct check k = { .f = &c->fail, .err = rest_need_body(c) };

	if (!in)
		return SOUK_E_LIMIT;
	c->input = in;
	if (k.err != SOUK_OK)
		return k.err;
	k.err = json_take(c->body, m, MAIL_MEMBERS_N + 1, &c->fail);
	check_mail(&k, m, &in->mail);
	check_lines(&k, &m[MAIL_MEMBERS_N], 1, &in->next_steps);
	return k.err;
}

static enum souk_err
grant_post(struct call *c, struct db_tx *tx)
{
	struct fulfilment_rules rules;
	struct fulfilment x;
	struct guid id;
	int64_t revision = 0;
	enum souk_err r;

	if ((r = begin(c, tx, &id, &revision, &rules)) != SOUK_OK ||
	    (r = fulfilment_grant(tx, &rules, c->scope, &id, revision, c->input, &x, &c->fail)) !=
		SOUK_OK)
		return r;
	return told(c, tx, &x);
}

#define READ OP_READ | OP_NO_BODY
#define MAKE OP_WRITE | OP_IDEMPOTENT
#define CALENDAR "/api/v1/sellers/{sellerId}/business-calendar"
#define ONE "/api/v1/fulfilments/{subscriptionId}"

static const struct op ops[] = {
	{ "GET", CALENDAR, "proserv:ReadCalendar", 0, READ, NULL, calendar_show },
	{ "PUT", CALENDAR, "proserv:SetCalendar", BUSINESS_CALENDAR_BODY_MAX, OP_WRITE,
	    calendar_read, calendar_put },
	{ "POST", "/api/v1/sellers/{sellerId}/fulfilments/recompute",
	    "proserv:RecomputeFulfilments", REST_BODY, MAKE, recompute_read, recompute },
	{ "GET", "/api/v1/fulfilments", "proserv:ReadFulfilments", 0, READ, NULL,
	    fulfilments_list },
	{ "GET", ONE, "proserv:ReadFulfilments", 0, READ, NULL, fulfilment_show },
	{ "GET", ONE "/evidence", "proserv:ReadEvidence", 0, READ | OP_AUDIT, NULL, evidence_show },
	{ "POST", ONE "/contact", "proserv:ReportFulfilment", REST_BODY, MAKE, contact_read,
	    contact_post },
	{ "POST", ONE "/delay-notice", "proserv:ReportFulfilment", REST_BODY, MAKE, delay_read,
	    delay_post },
	{ "POST", ONE "/grant", "proserv:ReportFulfilment", REST_BODY, MAKE, grant_read,
	    grant_post },
	{ "GET", "/api/v1/fulfilment-statistics", "proserv:ReadFulfilments", 0, READ, NULL,
	    statistics },
};
const struct rest_table rest_fulfilment = { ops, sizeof(ops) / sizeof(ops[0]) };
