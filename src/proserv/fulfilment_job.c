/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The jobs of fulfilments: opening and closing them with their subscription, and looking at the clock.
 *
 * Whatever a job does is committed with its end (store/job.h), so that a reminder, a miss, an escalation
 * happens once, whoever dies.
 */
#include "proserv/fulfilment_int.h"

#include "market/tenant_make.h"
#include "proserv/business_calendar.h"
#include "proserv/fulfilment_mail.h"

#define JOB_ARENA ((size_t)4 << 20)

struct run {
	const struct fulfilment_rules *rules;
	const struct job *job;
	struct tenant_scope scope;
	struct guid id;
	instant_t at; /* of a timer */
	struct fail *f;
};

/* {"subscriptionId"} and, of a timer, {"at"}: our own. */
static bool
read_payload(struct run *r)
{
	json_t *o = NULL;
	bool ok = json_read(r->job->payload, &o, NULL) == SOUK_OK;

	ok = ok &&
	     guid_parse(str_c(json_string_value(json_object_get(o, "subscriptionId"))), &r->id);
	r->at = ok ? json_integer_value(json_object_get(o, "at")) : 0;
	json_decref(o);
	return ok;
}

static enum job_outcome
run_in(struct db *db, db_fn *fn, struct run *r)
{
	enum souk_err err;

	if (!read_payload(r)) {
		(void)fail_set(r->f, SOUK_E_INTERNAL, "payload", "the job's payload is not ours");
		return JOB_DEAD;
	}
	if ((err = db_write(db, fn, r)) == SOUK_OK)
		return JOB_DONE;
	if (r->f->err == SOUK_OK)
		(void)fail_set(r->f, err, "fulfilment", "the fulfilment cannot be written (%s)",
		    souk_err_word(err));
	return JOB_RETRY;
}

/* ---- opening and closing --------------------------------------------------------------- */

static enum souk_err
set_deadline(struct db_tx *tx, struct fulfilment *x, struct fail *f)
{
	struct arena *mem = arena_new(JOB_ARENA);
	struct business_calendar c;
	enum souk_err err =
	    mem ? business_calendar_load(tx, str_c(x->seller_id), mem, &c) : SOUK_E_NOMEM;

	if (err == SOUK_OK) {
		err = first_contact_deadline(&c.times, x->accepted_at, &x->deadline, f);
		x->calendar = c.revision;
	}
	arena_free(mem);
	return err;
}

static enum souk_err
open_one(struct db_tx *tx, const struct run *r, const struct subscription *sub)
{
	struct fulfilment x = { .id = sub->id,
		.product_id = sub->product_id,
		.accepted_at = sub->created_at,
		.state = FULFILMENT_WAITING,
		.opened_at = db_now(tx),
		.changed_at = db_now(tx),
		.revision = 1 };
	enum souk_err err;

	memcpy(x.seller_id, sub->seller_id, sizeof(x.seller_id));
	memcpy(x.buyer_id, sub->buyer_id, sizeof(x.buyer_id));
	/* The calendar that it goes by must not be dropped meanwhile. */
	if ((err = lock_owner_shared(tx, str_c(x.seller_id))) != SOUK_OK ||
	    (err = set_deadline(tx, &x, r->f)) != SOUK_OK)
		return err;
	fulfilment_wait(&x, x.deadline, x.accepted_at);
	x.events = 1;
	if ((err = fulfilment_put_timer(tx, r->rules, &x)) != SOUK_OK ||
	    (err = fulfilment_insert(tx, &x)) != SOUK_OK)
		return err;
	x.events = 0;
	if ((err = fulfilment_note(tx, &r->scope, &x,
		 (struct fulfilment_record){ .kind = FE_OPENED, .due = x.deadline }, r->f)) !=
	    SOUK_OK)
		return err;
	return fulfilment_tell(tx, &x, "opened");
}

static enum souk_err
close_one(struct db_tx *tx, const struct run *r, struct fulfilment *x, instant_t at)
{
	enum souk_err err;

	x->closed_at = at;
	fulfilment_wait(x, 0, db_now(tx));
	err = fulfilment_note(
	    tx, &r->scope, x, (struct fulfilment_record){ .kind = FE_CLOSED, .at = at }, r->f);
	return err == SOUK_OK ? fulfilment_save(tx, r->rules, x, "closed") : err;
}

static enum souk_err
follow_tx(struct db_tx *tx, void *arg)
{
	struct run *r = arg;
	struct subscription sub;
	struct fulfilment x;
	enum souk_err err;

	if ((err = lock_subject(tx, &r->id, sizeof(r->id))) != SOUK_OK)
		return err;
	err = subscription_get(tx, &r->scope, &r->id, NULL, &sub);
	if (err == SOUK_E_NOT_FOUND)
		return job_finish(tx, r->job);
	if (err != SOUK_OK)
		return err;
	err = fulfilment_find(tx, &r->id, &x);
	if (err == SOUK_E_NOT_FOUND)
		err = sub.active ? open_one(tx, r, &sub) : SOUK_OK;
	else if (err == SOUK_OK && !sub.active && x.closed_at == 0)
		err = close_one(tx, r, &x, sub.ended_at);
	return err == SOUK_OK ? job_finish(tx, r->job) : err;
}

enum job_outcome
fulfilment_job(void *ctx, struct db *db, const struct job *j, struct fail *f)
{
	struct run r = { .rules = ctx,
		.job = j,
		.scope = tenant_for_job(str_c(j->seller_id), "fulfilment"),
		.f = f };

	return run_in(db, follow_tx, &r);
}

/* ---- mails that did not arrive ----------------------------------------------------------- */

struct undelivered {
	struct run run;
	struct arena *mem; /* of one try */
	struct str event;  /* "fulfilment/ID/N", or another's */
};

/* *ret NULL: it is no mail to a buyer, or was noted before. */
static enum souk_err
find_lost(struct db_tx *tx, struct undelivered *u, const struct fulfilment *x,
    struct fulfilment_records *all, const struct fulfilment_record **ret)
{
	enum souk_err err = fulfilment_records(tx, x, u->mem, all);

	*ret = NULL;
	for (size_t i = 0; err == SOUK_OK && i < all->n; i++) {
		const struct fulfilment_record *k = &all->v[i];

		if ((k->kind == FE_DELAY_NOTICE || k->kind == FE_ACCESS_CONFIRMATION) &&
		    !k->undelivered && str_eq(k->mail_event, u->event))
			*ret = k;
	}
	return err;
}

static enum souk_err
note_lost(struct db_tx *tx, struct undelivered *u, struct fulfilment *x)
{
	struct run *r = &u->run;
	struct fulfilment_records *all = ARENA_NEW(u->mem, struct fulfilment_records);
	const struct fulfilment_record *lost = NULL;
	char event[FULFILMENT_MAIL_EVENT_SIZE];
	const char *what;
	enum souk_err err = all != NULL ? find_lost(tx, u, x, all, &lost) : SOUK_E_NOMEM;

	if (err != SOUK_OK || lost == NULL)
		return err;
	what = fulfilment_event_word(lost->kind);
	if ((err = fulfilment_note(tx, &r->scope, x,
		 (struct fulfilment_record){
		     .kind = FE_UNDELIVERED, .detail = str_c(what), .mail_event = u->event },
		 r->f)) != SOUK_OK ||
	    (err = fulfilment_records(tx, x, u->mem, all)) != SOUK_OK)
		return err;
	if (x->state != FULFILMENT_GRANTED && x->closed_at == 0)
		fulfilment_count_again(x, all);
	fulfilment_mail_event(x, x->events, event);
	err = fulfilment_mail_undelivered(tx, r->rules->vault, &r->scope, x, what, event, r->f);
	return err == SOUK_OK ? fulfilment_save(tx, r->rules, x, "undelivered") : err;
}

static enum souk_err
undelivered_tx(struct db_tx *tx, void *arg)
{
	struct undelivered *u = arg;
	struct run *r = &u->run;
	struct fulfilment x;
	enum souk_err err;

	arena_reset(u->mem);
	if ((err = lock_subject(tx, &r->id, sizeof(r->id))) != SOUK_OK)
		return err;
	err = fulfilment_find(tx, &r->id, &x);
	if (err == SOUK_OK)
		err = note_lost(tx, u, &x);
	return err == SOUK_OK || err == SOUK_E_NOT_FOUND ? job_finish(tx, r->job) : err;
}

static enum souk_err
finish_tx(struct db_tx *tx, void *arg)
{
	return job_finish(tx, ((struct undelivered *)arg)->run.job);
}

enum job_outcome
fulfilment_job_undelivered(void *ctx, struct db *db, const struct job *j, struct fail *f)
{
	struct undelivered u = { .run = { .rules = ctx,
				     .job = j,
				     .scope = tenant_for_job(str_c(j->seller_id), "fulfilment"),
				     .f = f },
		.mem = arena_new(JOB_ARENA) };
	json_t *o = NULL;
	bool ours = false;
	enum souk_err err = u.mem != NULL ? json_read(j->payload, &o, f) : SOUK_E_NOMEM;

	if (err == SOUK_OK) {
		u.event = str_c(json_string_value(json_object_get(o, "event")));
		ours = fulfilment_mail_event_read(u.event, &u.run.id);
		err = db_write(db, ours ? undelivered_tx : finish_tx, &u);
	}
	json_decref(o);
	arena_free(u.mem);
	if (err == SOUK_OK)
		return JOB_DONE;
	if (f->err == SOUK_OK)
		(void)fail_set(f, err, "fulfilment", "the fulfilment cannot be written (%s)",
		    souk_err_word(err));
	return JOB_RETRY;
}

/* ---- the clock ------------------------------------------------------------------------- */

static enum souk_err
notice(struct db_tx *tx, const struct run *r, struct fulfilment *x, enum fulfilment_event_kind kind,
    const struct mail_kind *mail)
{
	char event[FULFILMENT_MAIL_EVENT_SIZE];
	enum souk_err err;

	fulfilment_mail_event(x, x->events + 1, event);
	if ((err = fulfilment_note(tx, &r->scope, x,
		 (struct fulfilment_record){
		     .kind = kind, .due = x->due_at, .mail_event = str_c(event) },
		 r->f)) != SOUK_OK ||
	    (err = fulfilment_mail_notice(tx, r->rules->vault, &r->scope, x, mail, event,
		 str_c(x->seller_id), r->f)) != SOUK_OK)
		return err;
	if (kind == FE_ESCALATION && (err = fulfilment_mail_notice(tx, r->rules->vault, &r->scope,
					  x, mail, event, STR(""), r->f)) != SOUK_OK)
		return err;
	return fulfilment_tell(tx, x, fulfilment_event_word(kind));
}

/* All that is due. A reminder that comes too late is none. */
static enum souk_err
look(struct db_tx *tx, const struct run *r, struct fulfilment *x)
{
	instant_t now = db_now(tx);
	enum souk_err err = SOUK_OK;

	if (x->overdue_at == 0 && x->reminded_at == 0 && now <= x->due_at &&
	    fulfilment_next_look(x, r->rules) <= now) {
		x->reminded_at = now;
		err = notice(tx, r, x, FE_REMINDER, &fulfilment_reminder_mail);
	}
	if (err == SOUK_OK && x->overdue_at == 0 && now > x->due_at) {
		x->overdue_at = now;
		err = notice(tx, r, x, FE_OVERDUE, &fulfilment_overdue_mail);
	}
	if (err == SOUK_OK && x->overdue_at != 0 && x->escalated_at == 0 &&
	    now > x->due_at + r->rules->escalate_ms) {
		x->escalated_at = now;
		err = notice(tx, r, x, FE_ESCALATION, &fulfilment_escalation_mail);
	}
	return err;
}

static enum souk_err
look_tx(struct db_tx *tx, void *arg)
{
	struct run *r = arg;
	struct fulfilment x;
	enum souk_err err;

	if ((err = lock_subject(tx, &r->id, sizeof(r->id))) != SOUK_OK)
		return err;
	err = fulfilment_find(tx, &r->id, &x);
	if (err != SOUK_OK && err != SOUK_E_NOT_FOUND)
		return err;
	/* Another timer has taken over, or nothing runs any more. */
	if (err == SOUK_E_NOT_FOUND || x.timer_at != r->at || x.due_at == 0)
		return job_finish(tx, r->job);
	if ((err = look(tx, r, &x)) != SOUK_OK)
		return err;
	x.timer_at = 0;
	if ((err = fulfilment_put_timer(tx, r->rules, &x)) != SOUK_OK)
		return err;
	x.changed_at = db_now(tx);
	x.revision++;
	if ((err = fulfilment_update(tx, &x)) != SOUK_OK)
		return err;
	return job_finish(tx, r->job);
}

enum job_outcome
fulfilment_job_timer(void *ctx, struct db *db, const struct job *j, struct fail *f)
{
	struct run r = { .rules = ctx,
		.job = j,
		.scope = tenant_for_job(str_c(j->seller_id), "fulfilment-timer"),
		.f = f };

	return run_in(db, look_tx, &r);
}
