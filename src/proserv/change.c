/* SPDX-License-Identifier: Apache-2.0 */
/* Starting, ending and going on with change sets; see change.h. */
#include "proserv/change.h"

#define ROW_BYTES ((size_t)32 << 20)

static enum souk_err
put_job(struct db_tx *tx, struct str seller_id, const struct guid *id)
{
	return job_put(tx,
	    &(struct job_new){ .kind = CHANGE_SET_JOB,
		.seller_id = seller_id,
		.request_id = id,
		.payload = STR("{}") },
	    NULL);
}

enum souk_err
change_set_resume(struct db_tx *tx, struct str seller_id, const struct guid *change_set_id)
{
	struct arena *mem = arena_new(ROW_BYTES);
	struct change_set_row c;
	bool found = false;
	enum souk_err r =
	    mem ? change_set_row_find(tx, seller_id, change_set_id, mem, &c) : SOUK_E_NOMEM;

	if (r == SOUK_OK && c.status == CHANGE_PREPARING && c.waiting) {
		c.waiting = false;
		r = change_set_row_update(tx, &c, CHANGE_PREPARING, &found);
		if (r == SOUK_OK && found)
			r = put_job(tx, seller_id, change_set_id);
	}
	arena_free(mem);
	return r == SOUK_E_NOT_FOUND ? SOUK_OK : r;
}
