/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What SQLite's planner believes about the large tables.
 *
 * Without figures it takes every seller for a handful of rows and looks a contact up by
 * walking the seller's whole part of the clustered table: right in a test, ruinous with a
 * million contacts. The figures are fixed, not measured (nothing runs ANALYZE), so that every
 * installation has the plans the tests check: a large seller's, which serve small ones too.
 */
#include "store/db_sqlite.h"

/* Rows of the index, then how many of them share each longer beginning of its key. */
static const char figures[] =
    "ANALYZE sqlite_schema;" /* only makes the table of figures, or reads it */
    "DELETE FROM sqlite_stat1;"
    "INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES "
    "('contact_version', 'contact_version', '1000000 50000 5 1'),"
    "('contact_version', 'contact_live', '1000000 50000 5 1'),"
    "('contact_version', 'contact_history', '1000000 50000 2'),"
    "('contact_version', 'contact_by_email', '1000000 2'),"
    "('contact_version', 'contact_superseded', '100000 5'),"
    "('subscription', 'subscription', '200000 10000 1'),"
    "('subscription', 'subscription_by_id', '200000 1'),"
    "('subscription', 'subscription_by_buyer', '200000 20 1');"
    "ANALYZE sqlite_schema";

enum souk_err
conn_set_figures(struct conn *c)
{
	enum souk_err err = conn_begin(c, true);

	if (err != SOUK_OK)
		return err;
	if ((err = conn_exec(c, figures)) == SOUK_OK)
		return conn_commit(c);
	conn_rollback(c);
	return err;
}
