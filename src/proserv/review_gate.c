/* SPDX-License-Identifier: Apache-2.0 */
/* The gate before a listing goes public; see review_gate.h. */
#include "proserv/review_gate.h"

#include "proserv/review_task.h"

#define REASONS_MAX 2000 /* bytes */

enum souk_err
review_gate_waive(struct db_tx *tx, struct str seller_id, const struct guid *product_id,
    struct arena *mem, struct findings *io)
{
	const struct judge how = { .now = db_now(tx) };
	struct review_task *tasks = NULL;
	struct judged j;
	size_t n = 0;
	enum souk_err r =
	    tasks_read(task_rows_of_listing(tx, seller_id, product_id), mem, &tasks, &n);

	return r == SOUK_OK ? review_judge(io, NULL, tasks, n, &how, mem, &j) : r;
}

/* Nothing waits for these any more; those that are open go out of the queue. */
static enum souk_err
let_go(struct db_tx *tx, struct review_task *tasks, size_t n, const struct guid *change_set_id)
{
	enum souk_err r = SOUK_OK;

	for (size_t i = 0; r == SOUK_OK && i < n; i++) {
		struct review_task *t = &tasks[i];
		bool found;

		if (!guid_eq(&t->change_set_id, change_set_id))
			continue;
		t->change_set_id = (struct guid){ 0 };
		t->present = t->present && t->state != TASK_OPEN;
		r = task_row_update(tx, t, t->revision, &found);
	}
	return r;
}

enum souk_err
review_gate(struct db_tx *tx, const struct gate_request *q, struct arena *mem, enum gate *ret,
    struct buf *reasons)
{
	const struct judge how = { .people = true, .two_people = q->two_people, .now = q->now };
	struct findings found = *q->findings;
	struct review_task *tasks = NULL;
	struct judged j;
	size_t n = 0;
	enum souk_err r = lock_subject(tx, &q->product_id, sizeof(q->product_id));

	if (r != SOUK_OK ||
	    (r = tasks_read(task_rows_of_listing(tx, q->seller_id, &q->product_id), mem, &tasks,
		 &n)) != SOUK_OK ||
	    (r = review_judge(&found, q->listing, tasks, n, &how, mem, &j)) != SOUK_OK)
		return r;
	if (j.open) {
		*ret = GATE_WAIT;
		return tasks_settle(
		    tx, q->seller_id, &q->product_id, q->listing, &j, tasks, n, &q->change_set_id);
	}
	*ret = j.blocks ? GATE_REJECTED : GATE_PASS;
	if (j.blocks)
		judged_reason(&j, REASONS_MAX, reasons);
	return let_go(tx, tasks, n, &q->change_set_id);
}

enum souk_err
review_gate_forget(
    struct db_tx *tx, struct str seller_id, const struct guid *change_set_id, struct arena *mem)
{
	struct review_task *tasks = NULL;
	size_t n = 0;
	enum souk_err r =
	    tasks_read(task_rows_of_set(tx, seller_id, change_set_id), mem, &tasks, &n);

	return r == SOUK_OK ? let_go(tx, tasks, n, change_set_id) : r;
}
