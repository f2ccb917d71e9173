/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQL of exports. The scan is the hot loop of souk: it must be one range of the primary
 * key, in its order, without a sort or a look-up per row.
 */
#include "psc/export_store.h"

#include <stdlib.h>

enum { Q_ENROLMENT, Q_PRODUCTS, Q_SCAN, Q_COVER, Q__COUNT };

static const char *const sql[Q__COUNT] = {
	[Q_ENROLMENT] = "SELECT since FROM enrolment "
			"WHERE seller_id = $1 AND program = 'psc' AND state = 'enrolled'",
	[Q_PRODUCTS] = "SELECT product_id, product_code, psc_enabled_since FROM product "
		       "WHERE seller_id = $1 AND psc_enabled = 1 AND psc_enabled_since < $2 "
		       "ORDER BY product_id",
	/* The primary key's range; the columns in the order of the table. */
	[Q_SCAN] = "SELECT operation_time, contact_id, created_at, operation, product_id, "
		   "subscription_id, subscription_start, buyer_id, data_key, sealed "
		   "FROM contact_version WHERE seller_id = $1 AND operation_time >= $2 "
		   "AND operation_time < $3 AND superseded_at >= $3 "
		   "ORDER BY operation_time, contact_id",
	[Q_COVER] =
	    "INSERT INTO psc_coverage (seller_id, exported_until) VALUES ($1, $2) "
	    "ON CONFLICT (seller_id) DO UPDATE SET exported_until = excluded.exported_until "
	    "WHERE psc_coverage.exported_until < excluded.exported_until",
};

struct db_texts export_texts = { .component = "psc.export", .sql = sql, .n = Q__COUNT };

enum souk_err
export_store_enrolment(struct db_tx *tx, struct str seller_id, instant_t *ret_since)
{
	struct db_stmt *st = db_stmt(tx, &export_texts, Q_ENROLMENT);
	enum souk_err err;

	db_bind_text(st, 1, seller_id);
	if ((err = db_one(st)) == SOUK_OK)
		*ret_since = db_int(st, 0);
	db_reset(st);
	return err;
}

static enum souk_err
grow(struct export_product **all, size_t n, size_t *cap)
{
	size_t more = *cap ? 2 * *cap : 16;
	struct export_product *p;

	if (n < *cap)
		return SOUK_OK;
	p = reallocarray(*all, more, sizeof(*p));
	if (!p)
		return SOUK_E_NOMEM;
	*all = p;
	*cap = more;
	return SOUK_OK;
}

enum souk_err
export_store_products(struct db_tx *tx, struct str seller_id, instant_t end,
    struct export_product **ret, size_t *ret_n)
{
	struct db_stmt *st = db_stmt(tx, &export_texts, Q_PRODUCTS);
	struct export_product *all = NULL;
	size_t n = 0, cap = 0;
	enum souk_err err;
	bool row;

	db_bind_text(st, 1, seller_id);
	db_bind_int(st, 2, end);
	while ((err = db_step(st, &row)) == SOUK_OK && row) {
		if ((err = grow(&all, n, &cap)) != SOUK_OK)
			break;
		all[n] = (struct export_product){ .id = db_guid(st, 0), .since = db_int(st, 2) };
		export_prefix_make(&all[n].id, db_text(st, 1), &all[n].prefix);
		n++;
	}
	db_reset(st);
	if (err != SOUK_OK) {
		free(all);
		return err;
	}
	*ret = all;
	*ret_n = n;
	return SOUK_OK;
}

struct db_stmt *
export_store_scan(struct db_tx *tx, struct str seller_id, instant_t from, instant_t end)
{
	struct db_stmt *st = db_scan(tx, &export_texts, Q_SCAN);

	db_bind_text(st, 1, seller_id);
	db_bind_int(st, 2, from);
	db_bind_int(st, 3, end);
	return st;
}

void
export_store_read(struct db_stmt *st, struct export_version *ret)
{
	ret->operation_time = db_int(st, 0);
	ret->contact_id = db_guid(st, 1);
	ret->created_at = db_int(st, 2);
	ret->operation = db_int(st, 3);
	ret->product_id = db_guid(st, 4);
	ret->subscription_id = db_guid(st, 5);
	ret->subscription_start = db_int(st, 6);
	ret->buyer_id = db_text(st, 7);
	ret->wrapped = db_blob(st, 8);
	ret->sealed = db_blob(st, 9);
}

enum souk_err
export_store_cover(struct db_tx *tx, struct str seller_id, instant_t end)
{
	struct db_stmt *st = db_stmt(tx, &export_texts, Q_COVER);

	db_bind_text(st, 1, seller_id);
	db_bind_int(st, 2, end);
	return db_run(st, NULL);
}
