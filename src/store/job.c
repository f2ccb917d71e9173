/* SPDX-License-Identifier: Apache-2.0 */
/* Putting and ending jobs, inside the caller's transaction. */
#include "store/job.h"

#include "store/db_int.h"
#include "store/job_int.h"

#include <assert.h>

enum souk_err
job_put(struct db_tx *tx, const struct job_new *j, struct guid *ret_id)
{
	struct guid id = j->id;
	enum souk_err err;

	assert(strlen(j->kind) < sizeof(((struct job *)0)->kind) && j->seller_id.n <= 12);
	if (j->payload.n > JOB_PAYLOAD_MAX)
		return SOUK_E_LIMIT;
	if (guid_is_zero(&id))
		id = guid_new();
	err = job_row_put(tx, &id, j, j->run_after ? j->run_after : db_now(tx));
	if (err != SOUK_OK)
		return err;
	db_on_commit(tx, db_bell_ring, db_bell(tx_db(tx)));
	if (ret_id)
		*ret_id = id;
	return db_tell(tx, DB_NEWS_JOBS);
}

enum souk_err
job_finish(struct db_tx *tx, const struct job *j)
{
	return job_row_end(tx, j, JOB_S_DONE, NULL);
}

enum souk_err
job_kill(struct db_tx *tx, const struct job *j, const char *reason)
{
	return job_row_end(tx, j, JOB_S_DEAD, reason);
}

const char *
job_state_word(enum job_state s)
{
	switch (s) {
	case JOB_READY:
		return "waiting";
	case JOB_LEASED:
		return "running";
	case JOB_S_DONE:
		return "done";
	case JOB_S_DEAD:
		return "failed";
	}
	return "failed";
}
