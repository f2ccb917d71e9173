/* SPDX-License-Identifier: Apache-2.0 */
/*
 * StartSupportDataExport up to its answer: the window (specs/psc.md 4), the
 * request and its job.
 */
#include "psc/export.h"

#include "psc/contact_store.h"
#include "psc/export_names.h"
#include "psc/export_store.h"

static const struct request_rules rules = {
	.instant = "fromDate",
	.known = export_type_known,
	.types = "Member must satisfy enum value set: "
		 "[customer_support_contacts_data, test_customer_support_contacts_data]",
};
static const struct request_kinds kinds = { PSC_EXPORT_JOB, PSC_EXPORT_AWAY_JOB };

enum souk_err
psc_export_check(const struct tenant_scope *s, const struct request_params *p, struct fail *f)
{
	instant_t from;

	return request_params_check(s, &rules, p, &from, f);
}

enum souk_err
psc_export_window(struct db_tx *tx, struct str seller_id, instant_t *ret_end)
{
	instant_t end = db_now(tx) - PSC_LAG_MS, until = INSTANT_MIN;
	/* Whoever changes a contact of this seller is waited for, whatever holds its commit up. */
	enum souk_err err = lock_owner(tx, seller_id);

	if (err == SOUK_OK)
		err = contact_store_exported_until(tx, seller_id, &until);
	/* Of a clock that was set back: to end earlier than the last one would take back what it told. */
	if (err == SOUK_OK && until > end)
		end = until;
	if (err != SOUK_OK || (err = export_store_cover(tx, seller_id, end)) != SOUK_OK)
		return err;
	*ret_end = end;
	return SOUK_OK;
}

enum souk_err
psc_export_start(struct db_tx *tx, struct vault *v, const struct tenant_scope *s,
    const struct request_params *p, struct guid *ret_request_id, struct fail *f)
{
	struct data_set_request r = { .received_at = db_now(tx) };
	struct str seller = tenant_account(s);
	enum souk_err err;

	(void)v;
	if ((err = request_params_check(s, &rules, p, &r.from_at, f)) != SOUK_OK ||
	    (err = lock_owner(tx, seller)) != SOUK_OK)
		return err;
	request_from_params(s, p, &r);
	r.coverage_start = r.from_at;
	/* The test set covers nothing; it ends when it is made (8), which is not known yet. */
	r.coverage_end = r.received_at;
	if (export_type_is_real(p->data_set_type) &&
	    (err = psc_export_window(tx, seller, &r.coverage_end)) != SOUK_OK)
		return err;
	if ((err = request_start(tx, &r, p->customer_values, &kinds, f)) != SOUK_OK)
		return err;
	*ret_request_id = r.id;
	return SOUK_OK;
}
