/* SPDX-License-Identifier: Apache-2.0 */
/* What sellers tell of fulfilments, and how that changes them; see fulfilment.h. */
#include "proserv/fulfilment_int.h"

#include "delivery/topic.h"
#include "market/check.h"
#include "market/scope.h"
#include "proserv/business_calendar.h"
#include "proserv/fulfilment_mail.h"

#include <stdio.h>

#define CALENDAR_ARENA ((size_t)4 << 20)
#define RECORDS_ARENA ((size_t)1 << 20)

const char *
fulfilment_state_word(enum fulfilment_state s)
{
	static const char *const words[] = { "waiting", "contacted", "delayed", "granted" };

	return words[s];
}

const char *
fulfilment_event_word(enum fulfilment_event_kind k)
{
	static const char *const words[FE__COUNT] = {
		[FE_CONTACT] = "contact",
		[FE_DELAY_NOTICE] = "delay_notice",
		[FE_ACCESS_GRANTED] = "access_granted",
		[FE_ACCESS_CONFIRMATION] = "access_confirmation",
		[FE_OPENED] = "opened",
		[FE_REMINDER] = "reminder",
		[FE_OVERDUE] = "overdue",
		[FE_ESCALATION] = "escalation",
		[FE_DEADLINE_CHANGED] = "deadline_changed",
		[FE_CLOSED] = "closed",
		[FE_UNDELIVERED] = "undelivered",
	};

	return words[k];
}

struct fulfilment_rules
fulfilment_rules_of(struct vault *v, const struct config *c)
{
	return (struct fulfilment_rules){ .vault = v,
		.remind_ms = config_int(c, SET_FULFILMENT_REMINDER_HOURS) * HOUR_MS,
		.escalate_ms = config_int(c, SET_FULFILMENT_ESCALATION_HOURS) * HOUR_MS };
}

/* ---- how one changes ------------------------------------------------------------------- */

enum souk_err
fulfilment_note(struct db_tx *tx, const struct tenant_scope *s, struct fulfilment *x,
    struct fulfilment_record e, struct fail *f)
{
	if (x->events >= FULFILMENT_EVENTS_MAX)
		return fail_set(f, SOUK_E_LIMIT, "event_limit",
		    "The fulfilment has %d events, the most it may have.", FULFILMENT_EVENTS_MAX);
	e.number = ++x->events;
	e.recorded_at = db_now(tx);
	if (e.at == 0)
		e.at = e.recorded_at;
	e.actor = tenant_actor(s);
	if (e.detail.p == NULL)
		e.detail = STR("");
	if (e.mail_event.p == NULL)
		e.mail_event = STR("");
	return fulfilment_event_insert(tx, x, &e);
}

void
fulfilment_wait(struct fulfilment *x, instant_t due_at, instant_t since)
{
	x->due_at = due_at;
	x->due_since = since;
	x->reminded_at = x->overdue_at = x->escalated_at = 0;
}

/* "At the deadline" is in time, so it is overdue a millisecond later. */
instant_t
fulfilment_next_look(const struct fulfilment *x, const struct fulfilment_rules *rules)
{
	if (x->due_at == 0)
		return 0;
	if (x->overdue_at == 0 && x->reminded_at == 0 && rules->remind_ms > 0 &&
	    x->due_at - rules->remind_ms > x->due_since)
		return x->due_at - rules->remind_ms;
	if (x->overdue_at == 0)
		return x->due_at + 1;
	return x->escalated_at == 0 ? x->due_at + 1 + rules->escalate_ms : 0;
}

enum souk_err
fulfilment_put_timer(struct db_tx *tx, const struct fulfilment_rules *rules, struct fulfilment *x)
{
	instant_t at = fulfilment_next_look(x, rules);
	char id[GUID_TEXT_LEN + 1], payload[120];

	if (at == x->timer_at)
		return SOUK_OK;
	x->timer_at = at;
	if (at == 0)
		return SOUK_OK;
	guid_format(&x->id, id);
	(void)snprintf(
	    payload, sizeof(payload), "{\"subscriptionId\":\"%s\",\"at\":%lld}", id, (long long)at);
	return job_put(tx,
	    &(struct job_new){ .kind = FULFILMENT_TIMER_JOB,
		.seller_id = str_c(x->seller_id),
		.payload = str_c(payload),
		.run_after = at },
	    NULL);
}

enum souk_err
fulfilment_tell(struct db_tx *tx, const struct fulfilment *x, const char *what)
{
	struct str topic = STR(FULFILMENT_TOPIC);
	struct buf b = { 0 };
	struct jw w;
	enum souk_err r = topic_exists(tx, str_c(x->seller_id), topic);

	if (r != SOUK_OK)
		return r == SOUK_E_NOT_FOUND ? SOUK_OK : r;
	jw_init(&w, &b);
	jw_open(&w, NULL, '{');
	jw_c(&w, "event", what);
	jw_guid(&w, "subscriptionId", &x->id);
	jw_guid(&w, "productId", &x->product_id);
	jw_c(&w, "state", fulfilment_state_word(x->state));
	jw_instant(&w, "acceptedAt", x->accepted_at);
	jw_instant(&w, "deadline", x->deadline);
	json_instant_opt(&w, "promisedAt", x->promised_at);
	jw_instant(&w, "at", db_now(tx));
	jw_close(&w, '}');
	r = buf_ok(&b) ? topic_publish(tx, str_c(x->seller_id), topic, NULL, buf_str(&b), NULL)
		       : SOUK_E_NOMEM;
	buf_done(&b);
	return r;
}

enum souk_err
fulfilment_save(
    struct db_tx *tx, const struct fulfilment_rules *rules, struct fulfilment *x, const char *what)
{
	enum souk_err r = fulfilment_put_timer(tx, rules, x);

	x->changed_at = db_now(tx);
	x->revision++;
	if (r != SOUK_OK || (r = fulfilment_update(tx, x)) != SOUK_OK)
		return r;
	return fulfilment_tell(tx, x, what);
}

/* ---- what sellers tell ----------------------------------------------------------------- */

/* Locked, the seller's, as the caller saw it, and not closed. */
static enum souk_err
begin_any(struct db_tx *tx, const struct tenant_scope *s, const struct guid *id, int64_t seen,
    struct fulfilment *ret, struct fail *f)
{
	struct fulfilment x;
	enum souk_err r;

	if ((r = lock_subject(tx, id, sizeof(*id))) != SOUK_OK)
		return r;
	if ((r = fulfilment_find(tx, id, &x)) != SOUK_OK)
		return r == SOUK_E_NOT_FOUND ? fail_not_found(f) : r;
	if (!scope_sells(s, str_c(x.seller_id)))
		return scope_buys(s, str_c(x.buyer_id))
			   ? fail_set(f, SOUK_E_DENIED, "seller_only",
				 "Only the seller, or the operator for it, may do this.")
			   : fail_not_found(f);
	if (seen != 0 && seen != x.revision)
		return fail_revision(f);
	if (x.closed_at != 0)
		return fail_conflict(f, "fulfilment_closed", "subscriptionId",
		    "has ended, and its fulfilment with it", "nothing is left to do");
	*ret = x;
	return SOUK_OK;
}

static enum souk_err
given(struct fail *f)
{
	return fail_conflict(f, "access_granted", "subscriptionId", "has been given access already",
	    "nothing is left to do");
}

/* And not granted yet. */
static enum souk_err
begin(struct db_tx *tx, const struct tenant_scope *s, const struct guid *id, int64_t seen,
    struct fulfilment *ret, struct fail *f)
{
	enum souk_err r = begin_any(tx, s, id, seen, ret, f);

	return r == SOUK_OK && ret->state == FULFILMENT_GRANTED ? given(f) : r;
}

static void
met(struct fulfilment *x, instant_t at)
{
	if (x->first_contact_at == 0 || at < x->first_contact_at)
		x->first_contact_at = at;
}

static enum souk_err
check_at(struct db_tx *tx, const struct tenant_scope *s, const struct fulfilment *x, instant_t at,
    struct fail *f)
{
	instant_t now = db_now(tx);

	if (at > now)
		return fail_field(f, "at", "lies in the future", "leave it out for now");
	if (at < x->accepted_at)
		return fail_field(f, "at", "lies before the subscription was accepted",
		    "give a time after that, or leave it out for now");
	if (x->first_contact_at == 0 && now > x->deadline && at <= x->deadline &&
	    !tenant_is_operator(s))
		return fail_field(f, "at", "lies before a deadline that has passed meanwhile",
		    "leave it out; only the operator can record a contact that was in time");
	return SOUK_OK;
}

enum souk_err
fulfilment_contact(struct db_tx *tx, const struct fulfilment_rules *rules,
    const struct tenant_scope *s, const struct guid *id, int64_t seen,
    const struct fulfilment_contact *in, struct fulfilment *ret, struct fail *f)
{
	struct fulfilment x;
	instant_t at = in->at != 0 ? in->at : db_now(tx);
	enum souk_err r;

	if ((r = begin(tx, s, id, seen, &x, f)) != SOUK_OK ||
	    (r = check_at(tx, s, &x, at, f)) != SOUK_OK ||
	    (r = fulfilment_note(tx, s, &x,
		 (struct fulfilment_record){ .kind = FE_CONTACT, .at = at, .detail = in->channel },
		 f)) != SOUK_OK)
		return r;
	met(&x, at);
	if (x.state == FULFILMENT_WAITING) {
		x.state = FULFILMENT_CONTACTED;
		fulfilment_wait(&x, 0, db_now(tx));
	}
	if ((r = fulfilment_save(tx, rules, &x, "contact")) == SOUK_OK)
		*ret = x;
	return r;
}

/* A day's close on the seller's present calendar. */
static enum souk_err
close_of(struct db_tx *tx, const struct fulfilment *x, day_t day, instant_t *ret)
{
	struct arena *mem = arena_new(CALENDAR_ARENA);
	struct calendar *calendar = NULL;
	struct business_calendar c;
	enum souk_err r =
	    mem ? business_calendar_load(tx, str_c(x->seller_id), mem, &c) : SOUK_E_NOMEM;

	if (r == SOUK_OK)
		r = calendar_new(
		    &(struct calendar_spec){
			.zone = c.times.zone, .open = c.times.open, .close = c.times.close },
		    &calendar, NULL);
	if (r == SOUK_OK)
		*ret = calendar_instant(calendar, day, c.times.close);
	calendar_free(calendar);
	arena_free(mem);
	return r;
}

static enum souk_err
promise(struct db_tx *tx, const struct fulfilment *x, const struct fulfilment_delay *in,
    instant_t *ret, struct fail *f)
{
	instant_t at = in->promised, now = db_now(tx);
	enum souk_err r = SOUK_OK;

	if (in->promised_day != DAY_NONE)
		r = close_of(tx, x, in->promised_day, &at);
	if (r != SOUK_OK)
		return r;
	if (at <= now)
		return fail_field(
		    f, "promised", "lies in the past", "promise a time that is to come");
	if (at > now + FULFILMENT_PROMISE_MAX_DAYS * DAY_MS)
		return fail_field(f, "promised", "lies more than a year ahead",
		    "promise a time within the year to come");
	*ret = at;
	return SOUK_OK;
}

enum souk_err
fulfilment_delay(struct db_tx *tx, const struct fulfilment_rules *rules,
    const struct tenant_scope *s, const struct guid *id, int64_t seen,
    const struct fulfilment_delay *in, struct fulfilment *ret, struct fail *f)
{
	char event[FULFILMENT_MAIL_EVENT_SIZE];
	struct fulfilment x;
	instant_t promised = 0;
	enum souk_err r;

	if ((r = begin(tx, s, id, seen, &x, f)) != SOUK_OK ||
	    (r = promise(tx, &x, in, &promised, f)) != SOUK_OK)
		return r;
	fulfilment_mail_event(&x, x.events + (x.first_contact_at == 0 ? 2 : 1), event);
	if (x.first_contact_at == 0 &&
	    (r = fulfilment_note(tx, s, &x,
		 (struct fulfilment_record){
		     .kind = FE_CONTACT, .detail = STR("email"), .mail_event = str_c(event) },
		 f)) != SOUK_OK)
		return r;
	if ((r = fulfilment_note(tx, s, &x,
		 (struct fulfilment_record){
		     .kind = FE_DELAY_NOTICE, .promised = promised, .mail_event = str_c(event) },
		 f)) != SOUK_OK ||
	    (r = fulfilment_mail_buyer(tx, rules->vault, s, &x, &fulfilment_delay_mail, event,
		 &in->mail, promised, in->reason, f)) != SOUK_OK)
		return r;
	met(&x, db_now(tx));
	x.state = FULFILMENT_DELAYED;
	x.promised_at = promised;
	fulfilment_wait(&x, promised, db_now(tx));
	if ((r = fulfilment_save(tx, rules, &x, "delay_notice")) == SOUK_OK)
		*ret = x;
	return r;
}

/* Access, once; its confirmation again when none has reached the buyer. */
static enum souk_err
give(struct db_tx *tx, const struct tenant_scope *s, struct fulfilment *x, struct fail *f)
{
	struct fulfilment_records *all;
	struct arena *mem;
	enum souk_err r;

	if (x->state != FULFILMENT_GRANTED)
		return fulfilment_note(
		    tx, s, x, (struct fulfilment_record){ .kind = FE_ACCESS_GRANTED }, f);
	if ((mem = arena_new(RECORDS_ARENA)) == NULL)
		return SOUK_E_NOMEM;
	all = ARENA_NEW(mem, struct fulfilment_records);
	r = all != NULL ? fulfilment_records(tx, x, mem, all) : SOUK_E_NOMEM;
	if (r == SOUK_OK && !fulfilment_unconfirmed(all))
		r = given(f);
	arena_free(mem);
	return r;
}

enum souk_err
fulfilment_grant(struct db_tx *tx, const struct fulfilment_rules *rules,
    const struct tenant_scope *s, const struct guid *id, int64_t seen,
    const struct fulfilment_grant *in, struct fulfilment *ret, struct fail *f)
{
	char event[FULFILMENT_MAIL_EVENT_SIZE];
	struct fulfilment x;
	enum souk_err r;

	if ((r = begin_any(tx, s, id, seen, &x, f)) != SOUK_OK ||
	    (r = give(tx, s, &x, f)) != SOUK_OK)
		return r;
	fulfilment_mail_event(&x, x.events + 1, event);
	if ((r = fulfilment_note(tx, s, &x,
		 (struct fulfilment_record){
		     .kind = FE_ACCESS_CONFIRMATION, .mail_event = str_c(event) },
		 f)) != SOUK_OK ||
	    (r = fulfilment_mail_buyer(tx, rules->vault, s, &x, &fulfilment_access_mail, event,
		 &in->mail, 0, in->next_steps, f)) != SOUK_OK)
		return r;
	met(&x, db_now(tx));
	if (x.state != FULFILMENT_GRANTED)
		x.granted_at = db_now(tx);
	x.state = FULFILMENT_GRANTED;
	fulfilment_wait(&x, 0, db_now(tx));
	if ((r = fulfilment_save(tx, rules, &x, "access_granted")) == SOUK_OK)
		*ret = x;
	return r;
}

/* ---- another calendar ------------------------------------------------------------------ */

static enum souk_err
recompute_one(struct db_tx *tx, const struct fulfilment_rules *rules, const struct tenant_scope *s,
    const struct guid *id, const struct business_calendar *c, bool *ret_changed, struct fail *f)
{
	struct fulfilment x;
	instant_t deadline = 0;
	enum souk_err r;

	*ret_changed = false;
	if ((r = lock_subject(tx, id, sizeof(*id))) != SOUK_OK ||
	    (r = fulfilment_find(tx, id, &x)) != SOUK_OK)
		return r;
	if (x.state != FULFILMENT_WAITING || x.closed_at != 0 || db_now(tx) > x.deadline)
		return SOUK_OK;
	if ((r = first_contact_deadline(&c->times, x.accepted_at, &deadline, f)) != SOUK_OK)
		return r;
	if (deadline == x.deadline || deadline <= db_now(tx))
		return SOUK_OK;
	x.deadline = deadline;
	x.calendar = c->revision;
	fulfilment_wait(&x, deadline, x.accepted_at);
	*ret_changed = true;
	if ((r = fulfilment_note(tx, s, &x,
		 (struct fulfilment_record){ .kind = FE_DEADLINE_CHANGED, .due = deadline }, f)) !=
	    SOUK_OK)
		return r;
	return fulfilment_save(tx, rules, &x, "deadline_changed");
}

/* Ids that wait, from the list: a statement is not read while rows are written. */
static enum souk_err
waiting_ids(struct db_tx *tx, struct str seller_id, const struct guid *after, size_t max,
    struct guid *out, size_t *ret_n)
{
	struct fulfilment_filter q = {
		.seller_id = seller_id, .buyer_id = STR(""), .state = STR("waiting")
	};
	struct db_stmt *st = fulfilment_rows(tx, &q, 0, after, max);
	bool row = false;
	size_t n = 0;
	enum souk_err r;

	while ((r = db_step(st, &row)) == SOUK_OK && row) {
		struct fulfilment x;

		fulfilment_row(st, &x);
		out[n++] = x.id;
	}
	*ret_n = n;
	return r;
}

enum souk_err
fulfilment_recompute(struct db_tx *tx, const struct fulfilment_rules *rules,
    const struct tenant_scope *s, struct str seller_id, const struct guid *after, size_t max,
    size_t *ret_seen, struct guid *ret_last, int64_t *ret_changed, struct fail *f)
{
	struct arena *mem;
	struct business_calendar c;
	struct guid *ids;
	size_t n = 0;
	int64_t changed = 0;
	enum souk_err r = scope_operator(s, f);

	if (r != SOUK_OK)
		return r;
	if ((mem = arena_new(CALENDAR_ARENA)) == NULL)
		return SOUK_E_NOMEM;
	ids = arena_array(mem, max, sizeof(*ids));
	r = ids == NULL ? SOUK_E_LIMIT : business_calendar_load(tx, seller_id, mem, &c);
	if (r == SOUK_OK)
		r = waiting_ids(tx, seller_id, after, max, ids, &n);
	for (size_t i = 0; r == SOUK_OK && i < n; i++) {
		bool one = false;

		r = recompute_one(tx, rules, s, &ids[i], &c, &one, f);
		changed += one;
		*ret_last = ids[i];
	}
	*ret_seen = n;
	*ret_changed = changed;
	arena_free(mem);
	return r;
}
