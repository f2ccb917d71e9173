/* SPDX-License-Identifier: Apache-2.0 */
/* Reading fulfilments: who sees which, and what of them. */
#include "proserv/fulfilment_int.h"

#include "market/check.h"
#include "market/scope.h"

enum souk_err
fulfilment_get(
    struct db_tx *tx, const struct tenant_scope *s, const struct guid *id, struct fulfilment *ret)
{
	struct fulfilment x;
	enum souk_err r = fulfilment_find(tx, id, &x);

	if (r != SOUK_OK)
		return r;
	if (!scope_sells(s, str_c(x.seller_id)) && !scope_buys(s, str_c(x.buyer_id)))
		return SOUK_E_NOT_FOUND;
	*ret = x;
	return SOUK_OK;
}

struct fulfilment_verdict
fulfilment_verdict(const struct fulfilment *x, instant_t now)
{
	const struct fulfilment_event contact = {
		.kind = EVENT_CONTACT, .has_at = true, .at = x->first_contact_at
	};
	const struct listing_fulfilment f = { .has_accepted = true,
		.accepted = x->accepted_at,
		.events = &contact,
		.n_events = x->first_contact_at != 0 };
	instant_t as_of = x->closed_at != 0 && x->closed_at < now ? x->closed_at : now;

	return fulfilment_judge(&f, x->deadline, &as_of);
}

const char *
fulfilment_verdict_word(const struct fulfilment *x, const struct fulfilment_verdict *v)
{
	switch (v->contact) {
	case FIRST_CONTACT_MET:
		return "met";
	case FIRST_CONTACT_MISSED:
		return "missed";
	case FIRST_CONTACT_UNKNOWN:
	case FIRST_CONTACT_OPEN:
		break;
	}
	return x->closed_at != 0 ? "void" : "open";
}

void
fulfilment_json(const struct fulfilment *x, const struct tenant_scope *s, instant_t now,
    struct jw *out, const char *key)
{
	struct fulfilment_verdict v = fulfilment_verdict(x, now);

	jw_open(out, key, '{');
	jw_guid(out, "subscriptionId", &x->id);
	jw_c(out, "sellerId", x->seller_id);
	jw_guid(out, "productId", &x->product_id);
	jw_c(out, "buyerId", x->buyer_id);
	jw_c(out, "state", fulfilment_state_word(x->state));
	jw_bool(out, "overdue", x->due_at != 0 && now > x->due_at);
	jw_instant(out, "acceptedAt", x->accepted_at);
	jw_instant(out, "deadline", x->deadline);
	jw_c(out, "firstContact", fulfilment_verdict_word(x, &v));
	json_instant_opt(out, "firstContactAt", x->first_contact_at);
	jw_int(out, "lateMinutes", v.late_ms / MINUTE_MS);
	json_instant_opt(out, "promisedAt", x->promised_at);
	json_instant_opt(out, "grantedAt", x->granted_at);
	json_instant_opt(out, "closedAt", x->closed_at);
	if (scope_sells(s, str_c(x->seller_id))) {
		json_instant_opt(out, "dueAt", x->due_at);
		json_instant_opt(out, "remindedAt", x->reminded_at);
		json_instant_opt(out, "overdueAt", x->overdue_at);
		json_instant_opt(out, "escalatedAt", x->escalated_at);
		jw_int(out, "calendarRevision", x->calendar);
		jw_instant(out, "openedAt", x->opened_at);
	}
	jw_instant(out, "changedAt", x->changed_at);
	jw_int(out, "revision", x->revision);
	jw_close(out, '}');
}

/* ---- lists ----------------------------------------------------------------------------- */

/* The rows of a filter within the scope; NULL when there can be none. */
static struct db_stmt *
rows(struct db_tx *tx, const struct tenant_scope *s, const struct fulfilment_filter *q,
    const struct guid *after, size_t limit)
{
	struct str own = tenant_account(s);
	struct fulfilment_filter sold = *q, bought = *q;
	bool as_seller, as_buyer;

	if (tenant_is_operator(s))
		return fulfilment_rows(tx, q, db_now(tx), after, limit);
	as_seller = tenant_is_seller(s) && (q->seller_id.n == 0 || scope_is(s, q->seller_id));
	as_buyer = tenant_is_buyer(s) && (q->buyer_id.n == 0 || scope_is(s, q->buyer_id));
	if (own.n == 0 || (!as_seller && !as_buyer))
		return NULL;
	if (as_seller && as_buyer && q->seller_id.n == 0 && q->buyer_id.n == 0)
		return fulfilment_rows_both(tx, own, q, db_now(tx), after, limit);
	sold.seller_id = own;
	bought.buyer_id = own;
	/* With one side given as its own, that view holds all of the other's. */
	if (as_seller && (!as_buyer || q->seller_id.n > 0))
		return fulfilment_rows(tx, &sold, db_now(tx), after, limit);
	return fulfilment_rows(tx, &bought, db_now(tx), after, limit);
}

/* A page's emit gets the writer only: this one knows for whom it writes. */
struct writer {
	struct jw jw;
	const struct tenant_scope *scope;
	instant_t now;
};

static size_t
emit(struct db_stmt *st, struct jw *out, void *key)
{
	const struct writer *w = (const struct writer *)(const void *)out;
	struct fulfilment x;

	fulfilment_row(st, &x);
	fulfilment_json(&x, w->scope, w->now, out, NULL);
	memcpy(key, &x.id, sizeof(x.id));
	return sizeof(x.id);
}

enum souk_err
fulfilment_list(struct db_tx *tx, const struct tenant_scope *s, const struct fulfilment_filter *q,
    struct page *p, struct arena *mem, struct jw *out, struct fail *f)
{
	struct writer w = { .jw = *out, .scope = s, .now = db_now(tx) };
	struct guid after;
	struct db_stmt *st;
	enum souk_err r = page_begin_guid(p, &after, f);

	if (r != SOUK_OK)
		return r;
	p->next = STR("");
	if ((st = rows(tx, s, q, &after, p->limit + 1)) == NULL)
		return SOUK_OK;
	r = page_rows(p, st, emit, mem, &w.jw);
	*out = w.jw;
	return r;
}

static bool
may_be_told(const struct tenant_scope *s, const struct fulfilment *x, enum fulfilment_event_kind k)
{
	return scope_sells(s, str_c(x->seller_id)) ||
	       (k != FE_REMINDER && k != FE_ESCALATION && k != FE_OVERDUE && k != FE_UNDELIVERED);
}

void
fulfilment_record_json(const struct fulfilment_record *e, bool inside, struct jw *out)
{
	jw_int(out, "number", e->number);
	jw_c(out, "kind", fulfilment_event_word(e->kind));
	jw_instant(out, "at", e->at);
	jw_instant(out, "recordedAt", e->recorded_at);
	if (e->promised != 0)
		jw_instant(out, "promised", e->promised);
	if (e->due != 0)
		jw_instant(out, "due", e->due);
	if (e->kind == FE_CONTACT)
		jw_str(out, "channel", e->detail);
	if (e->kind == FE_UNDELIVERED)
		jw_str(out, "of", e->detail);
	if (inside)
		jw_str(out, "actor", e->actor);
}

enum souk_err
fulfilment_events_json(
    struct db_tx *tx, const struct tenant_scope *s, const struct fulfilment *x, struct jw *out)
{
	struct db_stmt *st = fulfilment_event_rows(tx, x);
	bool inside = scope_sells(s, str_c(x->seller_id)), row = false;
	enum souk_err r;

	jw_open(out, "events", '[');
	while ((r = db_step(st, &row)) == SOUK_OK && row) {
		struct fulfilment_record e;

		fulfilment_event_row(st, &e);
		if (!may_be_told(s, x, e.kind))
			continue;
		jw_open(out, NULL, '{');
		fulfilment_record_json(&e, inside, out);
		jw_close(out, '}');
	}
	jw_close(out, ']');
	return r;
}
