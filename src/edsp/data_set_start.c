/* SPDX-License-Identifier: Apache-2.0 */
/* GenerateDataSet up to its answer; what comes of it is said in the notification (psc 3.5). */
#include "edsp/data_set.h"

static bool
is_known(struct str type)
{
	enum data_set d;

	return data_set_find(type, &d);
}

static const struct request_rules rules = {
	.instant = "dataSetPublicationDate",
	.known = is_known,
	.types = "Member must satisfy enum value set: the data set types of this service",
};
static const struct request_kinds kinds = { EDSP_DATA_SET_JOB, EDSP_DATA_SET_AWAY_JOB };

enum souk_err
edsp_data_set_check(const struct tenant_scope *s, const struct request_params *p,
    bool refuse_deprecated, struct fail *f)
{
	enum data_set d;
	instant_t at;
	enum souk_err err = request_params_check(s, &rules, p, &at, f);

	if (err != SOUK_OK || !refuse_deprecated || !data_set_find(p->data_set_type, &d) ||
	    !data_set_deprecated(d))
		return err;
	return fail_set(f, SOUK_E_INVALID, "ValidationException",
	    "1 validation error detected: Value at 'dataSetType' failed to satisfy constraint: "
	    "Member is no longer published; %s",
	    data_set_info(d)->note ? data_set_info(d)->note : "nothing took its place");
}

enum souk_err
edsp_data_set_start(struct db_tx *tx, const struct tenant_scope *s, const struct request_params *p,
    struct guid *ret_request_id, struct fail *f)
{
	struct data_set_request r = { .received_at = db_now(tx) };
	enum souk_err err;

	if ((err = request_params_check(s, &rules, p, &r.from_at, f)) != SOUK_OK ||
	    (err = lock_owner(tx, tenant_account(s))) != SOUK_OK)
		return err;
	request_from_params(s, p, &r);
	/* What it covers is found by its job. */
	r.coverage_start = r.coverage_end = r.from_at;
	if ((err = request_start(tx, &r, p->customer_values, &kinds, f)) != SOUK_OK)
		return err;
	*ret_request_id = r.id;
	return SOUK_OK;
}
