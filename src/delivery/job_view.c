/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs as JSON. Reasons are words of ours: no URL and no token is in them. */
#include "delivery/job_view.h"

#define JOBS_SHOWN 200

static void
job_json(const struct job_row *j, struct jw *out)
{
	jw_open(out, NULL, '{');
	jw_guid(out, "jobId", &j->id);
	jw_c(out, "kind", j->kind);
	jw_c(out, "state", job_state_word(j->state));
	jw_int(out, "attempts", j->attempts);
	jw_instant(out, "createdAt", j->created_at);
	if (j->state == JOB_READY)
		jw_instant(out, "nextAttemptAt", j->run_after);
	if (j->finished_at != 0)
		jw_instant(out, "finishedAt", j->finished_at);
	jw_str_opt(out, "reason", str_c(j->reason));
	jw_close(out, '}');
}

enum souk_err
jobs_json(struct db_tx *tx, struct str seller_id, const struct guid *request_id, struct arena *mem,
    struct jw *out)
{
	struct job_row *jobs;
	size_t n;
	enum souk_err err;

	if (!(jobs = arena_array(mem, JOBS_SHOWN, sizeof(*jobs))))
		return SOUK_E_NOMEM;
	if ((err = job_list(tx, seller_id, request_id, jobs, JOBS_SHOWN, &n)) != SOUK_OK)
		return err;
	jw_open(out, "jobs", '[');
	for (size_t i = 0; i < n; i++)
		job_json(&jobs[i], out);
	jw_close(out, ']');
	return SOUK_OK;
}
