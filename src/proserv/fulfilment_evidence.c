/* SPDX-License-Identifier: Apache-2.0 */
/* The evidence file of one order; see fulfilment_evidence.h. */
#include "proserv/fulfilment_evidence.h"
#include "proserv/fulfilment_int.h"

#include "market/account.h"
#include "market/check.h"
#include "market/product.h"
#include "market/scope.h"
#include "proserv/business_calendar.h"

#define ORDER_ARENA ((size_t)4 << 20)
#define MAIL_ARENA (3 * MAIL_SEALED_MAX)

struct file {
	struct db_tx *tx;
	struct vault *vault;
	const struct tenant_scope *scope;
	struct fulfilment x;
	struct arena *mem;
	json_t *calendar;
	struct fulfilment_records all;
	struct jw w;
};

/* ---- the order ------------------------------------------------------------------------- */

static enum souk_err
order_json(struct file *e)
{
	struct product p;
	struct account a;
	enum souk_err r;

	if ((r = product_get(e->tx, e->scope, &e->x.product_id, e->mem, &p)) != SOUK_OK ||
	    (r = account_get(e->tx, e->scope, str_c(e->x.seller_id), e->mem, &a)) != SOUK_OK)
		return r;
	jw_open(&e->w, "order", '{');
	jw_guid(&e->w, "subscriptionId", &e->x.id);
	jw_guid(&e->w, "productId", &e->x.product_id);
	jw_str(&e->w, "productTitle", p.title);
	jw_c(&e->w, "sellerId", e->x.seller_id);
	jw_str(&e->w, "sellerName", a.name);
	jw_c(&e->w, "buyerId", e->x.buyer_id);
	jw_instant(&e->w, "acceptedAt", e->x.accepted_at);
	jw_close(&e->w, '}');
	return SOUK_OK;
}

/*
 * Its times; holidays from the day before acceptance to the deadline's: the others say nothing about it. With their names,
 * or their days alone, as a listing document has them.
 */
static void
times_json(struct file *e, const json_t *document, bool named)
{
	static const char *const members[] = { "zone", "weekend", "open", "close" };
	char from[DAY_TEXT_LEN + 1], to[DAY_TEXT_LEN + 1];
	size_t i;
	json_t *day;

	for (i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		jw_value(&e->w, members[i], json_object_get(document, members[i]));
	day_write(day_of(e->x.accepted_at) - 1, from);
	day_write(day_of(e->x.deadline) + 1, to);
	jw_open(&e->w, "holidays", '[');
	json_array_foreach(json_object_get(document, "holidays"), i, day)
	{
		const char *date = json_string_value(json_object_get(day, "date"));

		if (date == NULL || strcmp(date, from) < 0 || strcmp(date, to) > 0)
			continue;
		if (named)
			jw_value(&e->w, NULL, day);
		else
			jw_c(&e->w, NULL, date);
	}
	jw_close(&e->w, ']');
}

static enum souk_err
load_calendar(struct file *e)
{
	struct business_calendar c;
	enum souk_err r = business_calendar_load_revision(
	    e->tx, str_c(e->x.seller_id), e->x.calendar, e->mem, &c);

	return r == SOUK_OK ? json_read(c.document, &e->calendar, NULL) : r;
}

static void
calendar_json(struct file *e)
{
	jw_open(&e->w, "calendar", '{');
	jw_int(&e->w, "revision", e->x.calendar);
	times_json(e, e->calendar, true);
	jw_close(&e->w, '}');
}

/* Does a listing document have it? What did not reach the buyer was not said. */
static bool
counts(const struct fulfilment_record *k)
{
	return k->kind <= FE_ACCESS_CONFIRMATION && !k->undelivered;
}

/* The same as a fulfilment of a listing document, for `souk review`. */
static void
document_json(struct file *e)
{
	jw_open(&e->w, "document", '{');
	jw_instant(&e->w, "accepted", e->x.accepted_at);
	jw_open(&e->w, "calendar", '{');
	times_json(e, e->calendar, false);
	jw_close(&e->w, '}');
	jw_open(&e->w, "events", '[');
	for (size_t i = 0; i < e->all.n; i++) {
		const struct fulfilment_record *k = &e->all.v[i];

		if (!counts(k))
			continue;
		jw_open(&e->w, NULL, '{');
		jw_c(&e->w, "kind", fulfilment_event_word(k->kind));
		jw_instant(&e->w, "at", k->at);
		if (k->promised != 0)
			jw_instant(&e->w, "promised", k->promised);
		jw_close(&e->w, '}');
	}
	jw_close(&e->w, ']');
	jw_close(&e->w, '}');
}

/* ---- the verdict ----------------------------------------------------------------------- */

/* The events that a listing document has, as it has them. */
static size_t
as_document(const struct file *e, struct fulfilment_event out[FULFILMENT_EVENTS_MAX])
{
	static const enum event_kind kinds[] = { [FE_CONTACT] = EVENT_CONTACT,
		[FE_DELAY_NOTICE] = EVENT_DELAY_NOTICE,
		[FE_ACCESS_GRANTED] = EVENT_ACCESS_GRANTED,
		[FE_ACCESS_CONFIRMATION] = EVENT_ACCESS_CONFIRMATION };
	size_t n = 0;

	for (size_t i = 0; i < e->all.n; i++)
		if (counts(&e->all.v[i]))
			out[n++] = (struct fulfilment_event){ .kind = kinds[e->all.v[i].kind],
				.has_at = true,
				.at = e->all.v[i].at,
				.has_promised = e->all.v[i].promised != 0,
				.promised = e->all.v[i].promised };
	return n;
}

static void
verdict_json(struct file *e)
{
	static const char *const notices[] = { [DELAY_NOTICE_NOT_DUE] = "not due",
		[DELAY_NOTICE_SENT] = "sent",
		[DELAY_NOTICE_UNUSABLE] = "late",
		[DELAY_NOTICE_MISSING] = "missing" };
	struct fulfilment_event events[FULFILMENT_EVENTS_MAX];
	struct listing_fulfilment f = { .has_accepted = true,
		.accepted = e->x.accepted_at,
		.events = events,
		.n_events = as_document(e, events) };
	instant_t as_of = e->x.closed_at != 0 ? e->x.closed_at : db_now(e->tx);
	struct fulfilment_verdict v = fulfilment_judge(&f, e->x.deadline, &as_of);
	bool confirmed = true;

	for (size_t k = 0; k < f.n_events; k++)
		if (events[k].kind == EVENT_ACCESS_GRANTED)
			confirmed = confirmed && fulfilment_confirmed(&f, k);
	jw_open(&e->w, "verdict", '{');
	jw_instant(&e->w, "deadline", e->x.deadline);
	jw_c(&e->w, "firstContact", fulfilment_verdict_word(&e->x, &v));
	json_instant_opt(&e->w, "firstContactAt", v.contact_at);
	jw_int(&e->w, "lateMinutes", v.late_ms / MINUTE_MS);
	jw_c(&e->w, "delayNotice", notices[v.notice]);
	jw_bool(&e->w, "accessConfirmed", e->x.state == FULFILMENT_GRANTED && confirmed);
	jw_c(&e->w, "state", fulfilment_state_word(e->x.state));
	json_instant_opt(&e->w, "promisedAt", e->x.promised_at);
	json_instant_opt(&e->w, "grantedAt", e->x.granted_at);
	json_instant_opt(&e->w, "closedAt", e->x.closed_at);
	jw_instant(&e->w, "asOf", as_of);
	jw_close(&e->w, '}');
}

/* ---- events and their mails ------------------------------------------------------------ */

static void
party_json(struct jw *w, const char *key, const struct mail_party *p)
{
	jw_open(w, key, '{');
	jw_str_opt(w, "name", p->name);
	jw_str(w, "address", p->mailbox);
	jw_close(w, '}');
}

/* Of one event; absent when it sent none (nobody gave an address for notices). */
static enum souk_err
mail_json(struct file *e, struct str seller_id, struct str event)
{
	struct arena *mem = arena_new(MAIL_ARENA);
	struct mail_content content;
	struct mail_row m;
	enum souk_err r =
	    mem != NULL ? mail_of_event(e->tx, seller_id, event, mem, &m) : SOUK_E_NOMEM;

	if (r == SOUK_OK) {
		jw_open(&e->w, NULL, '{');
		mail_row_json(&m, &e->w);
		r = mail_open(e->tx, e->vault, seller_id, &m.id, mem, &content);
		if (r == SOUK_OK) {
			party_json(&e->w, "to", &content.to);
			jw_str(&e->w, "subject", content.parts.subject);
			jw_str(&e->w, "text", content.parts.text);
		}
		jw_close(&e->w, '}');
	}
	arena_free(mem);
	return r == SOUK_E_NOT_FOUND ? SOUK_OK : r;
}

/* A notice goes to each of up to five addresses, EVENT#1 and on. */
static enum souk_err
notices_json(struct file *e, struct str seller_id, struct str event)
{
	enum souk_err r = SOUK_OK;

	for (int i = 1; i <= MAIL_ADDRESSES_MAX && r == SOUK_OK; i++) {
		const char *one = arena_printf(e->mem, "%s#%d", event.p, i);

		r = one == NULL ? SOUK_E_LIMIT : mail_json(e, seller_id, str_c(one));
	}
	return r;
}

static enum souk_err
mails_json(struct file *e, const struct fulfilment_record *k)
{
	struct str seller = str_c(e->x.seller_id);
	enum souk_err r;

	jw_open(&e->w, "mails", '[');
	if (k->kind == FE_DELAY_NOTICE || k->kind == FE_ACCESS_CONFIRMATION)
		r = mail_json(e, seller, k->mail_event);
	else
		r = notices_json(e, seller, k->mail_event);
	/* The operator's own addresses are none of the seller's business. */
	if (r == SOUK_OK && k->kind == FE_ESCALATION && tenant_is_operator(e->scope))
		r = notices_json(e, STR(""), k->mail_event);
	jw_close(&e->w, ']');
	return r;
}

/* The mail of a contact is the notice's behind it; what did not arrive was sent before. */
static bool
sent_mails(const struct fulfilment_record *k)
{
	return k->mail_event.n > 0 && k->kind != FE_CONTACT && k->kind != FE_UNDELIVERED;
}

static enum souk_err
events_json(struct file *e)
{
	enum souk_err r = SOUK_OK;

	jw_open(&e->w, "events", '[');
	for (size_t i = 0; i < e->all.n && r == SOUK_OK; i++) {
		jw_open(&e->w, NULL, '{');
		fulfilment_record_json(&e->all.v[i], true, &e->w);
		if (sent_mails(&e->all.v[i]))
			r = mails_json(e, &e->all.v[i]);
		jw_close(&e->w, '}');
	}
	jw_close(&e->w, ']');
	return r;
}

static enum souk_err
write_file(struct file *e)
{
	enum souk_err r;

	jw_open(&e->w, NULL, '{');
	if ((r = order_json(e)) != SOUK_OK || (r = load_calendar(e)) != SOUK_OK ||
	    (r = fulfilment_records(e->tx, &e->x, e->mem, &e->all)) != SOUK_OK)
		return r;
	calendar_json(e);
	verdict_json(e);
	if ((r = events_json(e)) != SOUK_OK)
		return r;
	document_json(e);
	jw_instant(&e->w, "madeAt", db_now(e->tx));
	jw_close(&e->w, '}');
	return r;
}

enum souk_err
fulfilment_evidence(struct db_tx *tx, struct vault *v, const struct tenant_scope *s,
    const struct guid *id, struct buf *out, char ret_seller_id[static ACCOUNT_ID_LEN + 1])
{
	struct arena *mem = arena_new(ORDER_ARENA);
	struct file *e = mem != NULL ? ARENA_NEW(mem, struct file) : NULL;
	enum souk_err r = e != NULL ? fulfilment_find(tx, id, &e->x) : SOUK_E_NOMEM;

	if (r == SOUK_OK && !scope_sells(s, str_c(e->x.seller_id)))
		r = SOUK_E_NOT_FOUND;
	if (r == SOUK_OK) {
		e->tx = tx;
		e->vault = v;
		e->scope = s;
		e->mem = mem;
		jw_init(&e->w, out);
		r = write_file(e);
		json_decref(e->calendar);
		memcpy(ret_seller_id, e->x.seller_id, ACCOUNT_ID_LEN + 1);
	}
	if (r == SOUK_OK && !buf_ok(out))
		r = SOUK_E_NOMEM;
	arena_free(mem);
	return r;
}
