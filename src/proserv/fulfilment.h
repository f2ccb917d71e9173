/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fulfilments: the two-business-day rule as a clock with evidence (specs/proserv.md 4).
 *
 * None is missed: the transaction that creates a subscription to a services product puts a job (market/subscription.h)
 * with it, and the job opens the fulfilment; so both are there or neither, and a crash in between only delays the
 * opening, not the clock, which runs from the acceptance. Its key is the subscription's id: opened twice it is one. The
 * end of a subscription closes it the same way.
 *
 * States: waiting -> contacted, delayed (until a promised time) -> granted. What is waited for runs out at `due_at`:
 * the deadline of first contact while waiting, the promise while delayed, nothing else. Before it the seller is
 * reminded, at it the fulfilment is overdue, some time later the operator is told, each once for each such end; one job
 * at a time looks again (`timer_at` names it; others that still run find that they are not it). A new promise
 * begins anew.
 *
 * A notice or a confirmation that did not reach the buyer is none: once its mail has bounced or failed, it counts no
 * more, nor does the contact that it was, and the fulfilment waits again for what it waited for without them.
 *
 * Whether the rule was kept is computed by first_contact.h from the events that count, and never stored.
 */
#ifndef SOUK_PROSERV_FULFILMENT_H
#define SOUK_PROSERV_FULFILMENT_H

#include "base/config.h"
#include "delivery/mail.h"
#include "market/page.h"
#include "market/subscription.h"
#include "proserv/first_contact.h"
#include "store/job.h"

#define FULFILMENT_JOB SUBSCRIPTION_SERVICES_JOB
#define FULFILMENT_TIMER_JOB "fulfilment-timer"
#define FULFILMENT_TOPIC                                                                           \
	"souk-fulfilments" /* a seller that has a topic of this name is told there */
#define FULFILMENT_PROMISE_MAX_DAYS 366
#define FULFILMENT_TEXT_MAX 4000 /* bytes of next steps or a reason */
#define FULFILMENT_EVENTS_MAX 200

enum fulfilment_state {
	FULFILMENT_WAITING,
	FULFILMENT_CONTACTED,
	FULFILMENT_DELAYED,
	FULFILMENT_GRANTED
};
const char *fulfilment_state_word(enum fulfilment_state s);

struct fulfilment {
	char seller_id[ACCOUNT_ID_LEN + 1], buyer_id[ACCOUNT_ID_LEN + 1];
	struct guid id, product_id; /* id: of the subscription */
	instant_t accepted_at, deadline;
	int64_t calendar; /* revision */
	enum fulfilment_state state;
	/* 0 in all that follow: not. */
	instant_t first_contact_at, promised_at, granted_at, closed_at;
	instant_t due_at, due_since, reminded_at, overdue_at, escalated_at, timer_at;
	int64_t events;
	instant_t opened_at, changed_at;
	int64_t revision;
};

/* The first four are those of listing documents. */
enum fulfilment_event_kind {
	FE_CONTACT,
	FE_DELAY_NOTICE,
	FE_ACCESS_GRANTED,
	FE_ACCESS_CONFIRMATION,
	FE_OPENED,
	FE_REMINDER,
	FE_OVERDUE,
	FE_ESCALATION,
	FE_DEADLINE_CHANGED,
	FE_CLOSED,
	FE_UNDELIVERED, /* the mail of an earlier event did not reach the buyer */
	FE__COUNT
};
const char *fulfilment_event_word(enum fulfilment_event_kind k);

struct fulfilment_record { /* of an event */
	int64_t number;
	enum fulfilment_event_kind kind;
	instant_t at, recorded_at, promised, due; /* the last two 0: none */
	bool
	    undelivered; /* its mail did not reach the buyer, so it does not count; fulfilment_records sets it */
	struct str detail, mail_event, actor;
};

/* What the jobs and the changes need beside the transaction. */
struct fulfilment_rules {
	struct vault *vault;
	int64_t remind_ms;   /* before the end; 0: never */
	int64_t escalate_ms; /* after it */
};
struct fulfilment_rules fulfilment_rules_of(struct vault *v, const struct config *c);

/* ---- what sellers tell ---- */

/*
 * Each is the seller's own, or the operator's for it (else SOUK_E_NOT_FOUND; SOUK_E_DENIED for the buyer), takes the
 * revision that the caller saw (0: any), and gives back the fulfilment as it now is. SOUK_E_CONFLICT:
 * "fulfilment_closed", "access_granted" (already).
 */
struct fulfilment_contact {
	struct str channel; /* "email", "phone", "meeting", "portal", "other" */
	instant_t
	    at; /* 0: now. Of the past: not before acceptance, and once it is overdue only the operator may tell of one in time */
};
SOUK_MUST enum souk_err fulfilment_contact(struct db_tx *tx, const struct fulfilment_rules *rules,
    const struct tenant_scope *s, const struct guid *id, int64_t seen,
    const struct fulfilment_contact *in, struct fulfilment *ret, struct fail *f);

struct fulfilment_mail_to {
	struct mail_party to;    /* the buyer's contact */
	struct mail_party reply; /* mailbox "": none */
	struct str language;     /* "": any */
};
struct fulfilment_delay {
	struct fulfilment_mail_to mail;
	instant_t promised; /* of `promised_day` DAY_NONE */
	day_t promised_day; /* else: the close of that day on the seller's calendar */
	struct str reason;  /* for the mail; may be "" */
};
/* Promises access and mails that. The mail is a first contact, too. */
SOUK_MUST enum souk_err fulfilment_delay(struct db_tx *tx, const struct fulfilment_rules *rules,
    const struct tenant_scope *s, const struct guid *id, int64_t seen,
    const struct fulfilment_delay *in, struct fulfilment *ret, struct fail *f);

struct fulfilment_grant {
	struct fulfilment_mail_to mail;
	struct str next_steps;
};
SOUK_MUST enum souk_err fulfilment_grant(struct db_tx *tx, const struct fulfilment_rules *rules,
    const struct tenant_scope *s, const struct guid *id, int64_t seen,
    const struct fulfilment_grant *in, struct fulfilment *ret, struct fail *f);

/*
 * For the operator: computes the deadlines anew by the seller's present calendar, of those fulfilments that wait and are
 * not overdue; none becomes overdue by it (a deadline that would lie in the past stays). After `after` (zero: from the
 * first), at most `max`; *ret_last is the last one looked at, *ret_changed how many got another deadline.
 */
SOUK_MUST enum souk_err fulfilment_recompute(struct db_tx *tx, const struct fulfilment_rules *rules,
    const struct tenant_scope *s, struct str seller_id, const struct guid *after, size_t max,
    size_t *ret_seen, struct guid *ret_last, int64_t *ret_changed, struct fail *f);

/* ---- reading ---- */

/* Sellers see those of their products, buyers their own, the operator all. */
SOUK_MUST enum souk_err fulfilment_get(
    struct db_tx *tx, const struct tenant_scope *s, const struct guid *id, struct fulfilment *ret);
struct fulfilment_filter {
	struct str seller_id, buyer_id; /* "": any */
	struct str state;               /* "": any; "open": neither granted nor closed */
	bool overdue;                   /* those only */
};
SOUK_MUST enum souk_err fulfilment_list(struct db_tx *tx, const struct tenant_scope *s,
    const struct fulfilment_filter *q, struct page *p, struct arena *mem, struct jw *out,
    struct fail *f);
/* A buyer is not told of reminders, escalations and calendars. */
void fulfilment_json(const struct fulfilment *x, const struct tenant_scope *s, instant_t now,
    struct jw *out, const char *key);
/* The member "events" of an open object; of the kinds that the scope may see. */
SOUK_MUST enum souk_err fulfilment_events_json(
    struct db_tx *tx, const struct tenant_scope *s, const struct fulfilment *x, struct jw *out);

/* ---- jobs; ctx is a struct fulfilment_rules ---- */

/* A job MAIL_UNDELIVERED_JOB: notes it, if the mail is a fulfilment's to its buyer. */
enum job_outcome fulfilment_job_undelivered(
    void *rules, struct db *db, const struct job *j, struct fail *f);
enum job_outcome fulfilment_job(void *ctx, struct db *db, const struct job *j, struct fail *f);
enum job_outcome fulfilment_job_timer(
    void *ctx, struct db *db, const struct job *j, struct fail *f);

#endif
