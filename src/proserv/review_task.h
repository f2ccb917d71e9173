/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tasks of reviews: what a person has to decide about a listing, and what was decided.
 *
 * A task is one place of a listing with one piece of evidence: the words a heuristic rests on, the text that a question is
 * about, the fault that somebody may answer for. Its digest is of these, so the same is never asked twice: a
 * decision holds as long as the evidence does, and comes back with it.
 */
#ifndef SOUK_PROSERV_REVIEW_TASK_H
#define SOUK_PROSERV_REVIEW_TASK_H

#include "base/json.h"
#include "proserv/review_store.h"

/* Adds the text that stands at a finding's pointer, of arrays all elements; nothing where there is none. */
void listing_part(const struct listing *l, struct str pointer, struct buf *out);
/* Of a finding about `l`. Faults go by their message, so that they need no listing (NULL). */
void task_digest(const struct finding *f, const struct listing *l, uint8_t ret[static SHA256_LEN]);

/* ---- what findings come to ---- */

enum judgement {
	JUDGED_NOTE,  /* nobody is asked, nothing is stopped */
	JUDGED_FINE,  /* decided in the seller's favour */
	JUDGED_OPEN,  /* somebody has to decide */
	JUDGED_BLOCKS /* a fault, or decided against the seller */
};

struct judged_finding {
	struct finding *finding;
	uint8_t digest[SHA256_LEN]; /* of what tasks are made of; zero of notes */
	struct review_task *task;   /* NULL: there is none */
	enum judgement is;
};

struct judge {
	bool people; /* heuristics and questions are decided (the listing is public, or is to be) */
	bool two_people; /* an approval needs two */
	instant_t now;
};

struct judged {
	struct judged_finding *v; /* one for each finding, in their order */
	size_t n;
	bool blocks, open;
	instant_t waived_until; /* when the first waiver of these ends; 0 none */
};

/*
 * Holds findings (of `l`; those about its offers and fulfilments are notes) against the listing's tasks. Waivers that
 * hold are noted in the findings. Everything is in `mem`.
 */
SOUK_MUST enum souk_err review_judge(struct findings *found, const struct listing *l,
    struct review_task *tasks, size_t n_tasks, const struct judge *how, struct arena *mem,
    struct judged *ret);

/* Tasks of a statement of task rows, in the arena. */
SOUK_MUST enum souk_err tasks_read(
    struct db_stmt *st, struct arena *mem, struct review_task **ret, size_t *ret_n);

/*
 * Keeps what was judged: new tasks for what is open or blocks, old ones open again, those that the listing does not have any more
 * out of the queue. With a change set (NULL: none) open tasks are what it waits for, and others stay as they are.
 */
SOUK_MUST enum souk_err tasks_settle(struct db_tx *tx, struct str seller_id,
    const struct guid *product_id, const struct listing *l, const struct judged *j,
    struct review_task *tasks, size_t n_tasks, const struct guid *change_set_id);
/* What is wrong: "PS-DET-13 keep one to three categories; ..." Rules once, as many as fit into `max` bytes. */
void judged_reason(const struct judged *j, size_t max, struct buf *out);

/* ---- decisions ---- */

enum verdict { VERDICT_APPROVE, VERDICT_REJECT, VERDICT_WAIVE };

struct decision {
	enum verdict verdict;
	struct str reason; /* for the seller; may be empty with VERDICT_APPROVE */
	instant_t until;   /* VERDICT_WAIVE: its end */
};

/* Members verdict, reason, until (the last day, in UTC). */
SOUK_MUST enum souk_err decision_parse(
    const json_t *o, instant_t now, struct decision *ret, struct fail *f);
/*
 * The operator decides. *t becomes what it is then. Where two people have to approve (`two_people`, and a change set
 * waits), the first leaves it open. The last decision that a change set waits for lets it go on, and the listing is
 * reviewed again. SOUK_E_PRECONDITION: it was decided meanwhile (`seen`; 0 any). SOUK_E_CONFLICT: "same_person";
 * "fault_stands" (a fault can only be waived); "not_present".
 */
SOUK_MUST enum souk_err task_decide(struct db_tx *tx, const struct tenant_scope *s,
    const struct guid *user, struct review_task *t, const struct decision *d, int64_t seen,
    bool two_people, struct fail *f);
/* Sellers see their own, the operator all. SOUK_E_NOT_FOUND. */
SOUK_MUST enum souk_err task_get(struct db_tx *tx, const struct tenant_scope *s,
    const struct guid *id, struct arena *mem, struct review_task *ret);
/* Members of an open object. People are told to the operator only. */
void task_json(const struct review_task *t, bool to_operator, struct jw *w);

#endif
