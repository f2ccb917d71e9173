/* SPDX-License-Identifier: Apache-2.0 */
/* REST: mails, what became of them, delivery reports. */
#include "server/rest_mail.h"

#include "delivery/mail_bounce.h"

#define MAIL_ARENA (3 * MAIL_SEALED_MAX)
#define REPORT_BODY ((size_t)1 << 20)

/* ---- mails ----------------------------------------------------------------------------- */

static enum souk_err
read_filter(struct call *c, struct mail_filter *ret)
{
	struct str seller = call_query(c, "sellerId"), state = call_query(c, "state");
	struct mail_filter q = { .state = -1 };
	enum souk_err r;

	if (tenant_is_operator(c->scope) && str_eq(seller, STR(MAIL_OPERATOR)))
		q.seller_id = STR("");
	else if ((r = rest_query_account(c, "sellerId", &seller)) != SOUK_OK)
		return r;
	else if (seller.n > 0)
		q.seller_id = seller;
	for (int i = MAIL_WAITING; i <= MAIL_WITHDRAWN; i++)
		if (str_eq_c(state, mail_state_word((enum mail_state)i)))
			q.state = i;
	if (state.n > 0 && q.state < 0)
		return fail_field(&c->fail, "state", "is no state of a mail",
		    "give waiting, sent, bounced, failed or withdrawn");
	*ret = q;
	return SOUK_OK;
}

static enum souk_err
mails_list(struct call *c, struct db_tx *tx)
{
	struct page p = { .limit = 0 };
	struct mail_filter q;
	struct jw w;
	enum souk_err r;

	if ((r = call_page(c, &p)) != SOUK_OK || (r = read_filter(c, &q)) != SOUK_OK)
		return r;
	rest_list_open(c, &w);
	r = mail_list(tx, c->scope, &q, &p, c->arena, &w, &c->fail);
	rest_list_close(&w, p.next);
	return r;
}

static void
party_json(struct jw *w, const char *name, const struct mail_party *p)
{
	jw_open(w, name, '{');
	jw_str_opt(w, "name", p->name);
	jw_str(w, "address", p->mailbox);
	jw_close(w, '}');
}

static void
content_json(struct jw *w, const struct mail_content *m)
{
	party_json(w, "to", &m->to);
	if (m->reply_to.mailbox.n > 0)
		party_json(w, "replyTo", &m->reply_to);
	jw_str_opt(w, "fromName", m->from_name);
	jw_str(w, "subject", m->parts.subject);
	jw_str(w, "text", m->parts.text);
	jw_str_opt(w, "html", m->parts.html);
}

static enum souk_err
mail_show(struct call *c, struct db_tx *tx)
{
	struct arena *mem = arena_new(MAIL_ARENA);
	struct mail_content content;
	struct mail_row m;
	struct guid id;
	struct jw w;
	enum souk_err r = mem ? call_param_guid(c, 0, &id) : SOUK_E_NOMEM;

	jw_init(&w, &c->out);
	if (r == SOUK_OK && (r = mail_get(tx, c->scope, &id, mem, &m)) == SOUK_OK) {
		jw_open(&w, NULL, '{');
		mail_row_json(&m, &w);
		r = mail_open(tx, c->svc->vault, m.seller_id, &id, mem, &content);
		if (r == SOUK_OK)
			content_json(&w, &content);
		jw_close(&w, '}');
		if (r == SOUK_OK || r == SOUK_E_NOT_FOUND) {
			rest_audit_guid(c, "mail", &id, arena_str(c->arena, m.seller_id));
			r = SOUK_OK; /* erased: the rest is evidence still */
		}
	}
	arena_free(mem);
	return r;
}

static enum souk_err
audit_mail(struct call *c, struct db_tx *tx, const struct guid *id)
{
	struct mail_row m;
	enum souk_err r = mail_get(tx, c->scope, id, c->arena, &m);

	if (r == SOUK_OK)
		rest_audit_guid(c, "mail", id, m.seller_id);
	return r;
}

static enum souk_err
resend(struct call *c, struct db_tx *tx)
{
	struct guid id;
	enum souk_err r;

	if ((r = call_param_guid(c, 0, &id)) != SOUK_OK ||
	    (r = mail_resend(tx, c->scope, &id, &c->fail)) != SOUK_OK)
		return r;
	return audit_mail(c, tx, &id);
}

static enum souk_err
erase(struct call *c, struct db_tx *tx)
{
	struct guid id;
	enum souk_err r;

	if ((r = call_param_guid(c, 0, &id)) != SOUK_OK ||
	    (r = mail_erase(tx, c->scope, &id)) != SOUK_OK)
		return r;
	return audit_mail(c, tx, &id);
}

static enum souk_err
address_read(struct call *c)
{
	return rest_read_text(c, "address");
}

static enum souk_err
erase_address(struct call *c, struct db_tx *tx)
{
	const struct str *address = c->input;
	int64_t n = 0;
	struct jw w;
	enum souk_err r = mail_erase_address(tx, c->svc->vault, c->scope, *address, &n, &c->fail);

	if (r != SOUK_OK)
		return r;
	jw_init(&w, &c->out);
	jw_open(&w, NULL, '{');
	jw_int(&w, "erased", n);
	jw_close(&w, '}');
	rest_audit(c, "mails", STR("address"),
	    tenant_is_operator(c->scope) ? STR("") : tenant_account(c->scope));
	c->audit.count = n;
	return SOUK_OK;
}

/* ---- the operator's -------------------------------------------------------------------- */

static enum souk_err
need_operator(struct call *c)
{
	return tenant_is_operator(c->scope) ? SOUK_OK
					    : fail_set(&c->fail, SOUK_E_DENIED, "operator_only",
						  "Only the operator may do this.");
}

static enum souk_err
status(struct call *c, struct db_tx *tx)
{
	struct mail_counts n;
	struct jw w;
	enum souk_err r;

	if ((r = need_operator(c)) != SOUK_OK || (r = mail_count(tx, &n)) != SOUK_OK)
		return r;
	jw_init(&w, &c->out);
	jw_open(&w, NULL, '{');
	jw_bool(&w, "server", mail_sender_has_server(c->svc->mail));
	jw_int(&w, "waiting", n.waiting);
	jw_int(&w, "waitForServer", n.parked);
	jw_int(&w, "bounced", n.bounced);
	jw_int(&w, "failed", n.failed);
	if (n.oldest_waiting != 0)
		jw_instant(&w, "oldestWaiting", n.oldest_waiting);
	jw_close(&w, '}');
	return SOUK_OK;
}

static enum souk_err
report_read(struct call *c)
{
	struct mail_report *report = ARENA_NEW(c->arena, struct mail_report);
	const struct str *text;
	size_t n = 0;
	char *bytes;
	enum souk_err r;

	if (!report)
		return SOUK_E_LIMIT;
	if ((r = rest_read_text(c, "message")) != SOUK_OK)
		return r;
	text = c->input;
	if (!(bytes = arena_alloc(c->arena, text->n + 1)))
		return SOUK_E_LIMIT;
	if (!base64_decode(*text, bytes, text->n, &n))
		return fail_field(&c->fail, "message", "is not base64",
		    "send the returned mail, as it came, in base64");
	c->input = report;
	return mail_report_read((struct str){ bytes, n }, report, &c->fail);
}

static enum souk_err
report(struct call *c, struct db_tx *tx)
{
	struct mail_bounced b;
	struct jw w;
	enum souk_err r;

	if ((r = need_operator(c)) != SOUK_OK || (r = mail_bounce(tx, c->input, &b)) != SOUK_OK)
		return r;
	jw_init(&w, &c->out);
	jw_open(&w, NULL, '{');
	jw_c(&w, "result", mail_bounce_word(b.what));
	if (b.what >= MAIL_BOUNCE_KNOWN)
		jw_guid(&w, "mailId", &b.id);
	jw_close(&w, '}');
	if (b.what >= MAIL_BOUNCE_DELAYED)
		rest_audit_guid(c, "mail", &b.id, arena_str(c->arena, str_c(b.seller_id)));
	return SOUK_OK;
}

#define READ OP_READ | OP_NO_BODY
#define MAILS "/api/v1/mails"

static const struct op ops[] = {
	{ "GET", MAILS, "delivery:ListMails", 0, READ, NULL, mails_list },
	{ "GET", MAILS "/{mailId}", "delivery:ReadMail", 0, READ | OP_AUDIT, NULL, mail_show },
	{ "POST", MAILS "/{mailId}/resend", "delivery:ResendMail", 0, OP_WRITE | OP_NO_BODY, NULL,
	    resend },
	{ "DELETE", MAILS "/{mailId}/content", "delivery:EraseMail", 0, OP_WRITE | OP_NO_BODY, NULL,
	    erase },
	{ "POST", "/api/v1/mail-erasures", "delivery:EraseMail", REST_BODY, OP_WRITE, address_read,
	    erase_address },
	{ "GET", "/api/v1/mail-status", "delivery:ReadMailStatus", 0, READ, NULL, status },
	{ "POST", "/api/v1/mail-reports", "delivery:ReportMail", REPORT_BODY, OP_WRITE, report_read,
	    report },
};
const struct rest_table rest_mail = { ops, sizeof(ops) / sizeof(ops[0]) };
