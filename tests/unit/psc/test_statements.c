/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every statement of the program is one that the engine prepares on the schema, also those that no other test
 * comes by. A check in tools/lint holds this list to the tables of texts that there are.
 */
#include "world.h"

#include "access/access_store.h"
#include "access/idempotency_store.h"
#include "audit/audit_store.h"
#include "delivery/mail_store.h"
#include "delivery/object_int.h"
#include "delivery/remote_int.h"
#include "delivery/request_int.h"
#include "delivery/role_int.h"
#include "delivery/topic_int.h"
#include "market/charge_store.h"
#include "market/market_store.h"
#include "edsp/commission_store.h"
#include "edsp/enrol_store.h"
#include "edsp/facts_store.h"
#include "edsp/publish_store.h"
#include "proserv/catalog_store.h"
#include "proserv/change_store.h"
#include "proserv/logo_store.h"
#include "proserv/resource_policy_store.h"
#include "proserv/review_store.h"
#include "market/usage_store.h"
#include "proserv/business_calendar_store.h"
#include "proserv/fulfilment_store.h"
#include "psc/export_store.h"
#include "store/job_int.h"
#include "store/node.h"
#include "unit/database.h"

static struct db_texts *const all[] = { &access_texts, &account_texts, &audit_texts, &change_texts,
	&business_calendar_texts, &listing_texts, &commission_texts, &contact_texts,
	&edsp_enrol_texts, &edsp_facts_texts, &edsp_publish_texts, &enrolment_texts, &export_texts,
	&fee_texts, &fulfilment_texts, &id_owner_texts, &idempotency_texts, &job_texts, &logo_texts,
	&mail_texts, &node_texts, &object_texts, &offer_texts, &product_texts, &rate_texts,
	&remote_texts, &request_texts, &resource_policy_texts, &review_texts, &role_texts,
	&subscription_texts, &topic_texts, &usage_texts, &user_texts };

/* The embedded engine compiles a statement whose parameters are unbound; it is not run. */
static enum souk_err
explain_tx(struct db_tx *tx, void *arg)
{
	const struct db_texts *t = arg;
	struct db_texts plans = { .component = t->component, .n = t->n };
	char *made[64];
	bool row;

	assert_in_range(t->n, 1, COUNT(made));
	for (unsigned q = 0; q < t->n; q++)
		assert_true(asprintf(&made[q], "EXPLAIN %s", t->sql[q]) > 0);
	plans.sql = (const char *const *)made;
	for (unsigned q = 0; q < t->n; q++) {
		struct db_stmt *st = db_stmt(tx, &plans, q);

		if (db_step(st, &row) != SOUK_OK || !row)
			fail_msg("%s: %s", t->component, t->sql[q]);
		db_reset(st);
		free(made[q]);
	}
	return SOUK_OK;
}

static void
all_prepare(void **state)
{
	struct world *w = world_new();

	(void)state;
	for (size_t i = 0; i < COUNT(all); i++)
		if (!test_on_postgres())
			assert_ok(db_write(w->db, explain_tx, all[i]));
		else
			for (unsigned q = 0; q < all[i]->n; q++)
				assert_true(test_database_prepares(w->dir, all[i]->sql[q]));
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(all_prepare) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
