/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQL of contact_version.
 *
 * The danger here is a plan: each statement must use the index named beside it, or a
 * seller with a million contacts makes everybody wait. 9223372036854775807 is written out
 * because a partial index serves a statement only when its condition stands there.
 */
#include "psc/contact_store.h"

#include "market/id_owner.h"

#include <assert.h>

#define LIVE "superseded_at = 9223372036854775807 AND operation < 3"
#define V_LIVE "v.superseded_at = 9223372036854775807 AND v.operation < 3"
#define ROW                                                                                        \
	"seller_id, operation_time, contact_id, created_at, operation, slot, product_id, "         \
	"subscription_id, subscription_start, buyer_id, email_index, data_key, sealed"
#define V_ROW                                                                                      \
	"v.seller_id, v.operation_time, v.contact_id, v.created_at, v.operation, v.slot, "         \
	"v.product_id, v.subscription_id, v.subscription_start, v.buyer_id, v.email_index, "       \
	"v.data_key, v.sealed"
/* A buyer's subscriptions (subscription_by_buyer), of each the live contacts (contact_live). */
#define OF_BUYER                                                                                   \
	"SELECT " V_ROW " FROM subscription s JOIN contact_version v "                             \
	"ON v.seller_id = s.seller_id AND v.subscription_id = s.subscription_id AND " V_LIVE " "

enum {
	Q_HOME,
	Q_UNTIL,
	Q_SLOTS,
	Q_KNOWN,
	Q_LIVE,
	Q_ONE,
	Q_OF_BUYER,
	Q_OF_BUYER_WITH,
	Q_BY_EMAIL,
	Q_INSERT,
	Q_SUPERSEDE,
	Q_ERASE,
	Q_PRUNE,
	Q_KEYS,
	Q_SET_KEY,
	Q__COUNT
};

static const char *const sql[Q__COUNT] = {
	[Q_HOME] =
	    "SELECT s.seller_id, s.buyer_id, s.product_id, s.starts_at, "
	    "CASE WHEN s.state = 'active' THEN 1 ELSE 0 END, p.psc_enabled, c.exported_until "
	    "FROM subscription s "
	    "JOIN product p ON p.seller_id = s.seller_id AND p.product_id = s.product_id "
	    "LEFT JOIN psc_coverage c ON c.seller_id = s.seller_id "
	    "WHERE s.seller_id = $1 AND s.subscription_id = $2",
	[Q_UNTIL] = "SELECT exported_until FROM psc_coverage WHERE seller_id = $1",
	/* contact_live */
	[Q_SLOTS] = "SELECT slot FROM contact_version "
		    "WHERE seller_id = $1 AND subscription_id = $2 AND " LIVE,
	/* contact_history */
	[Q_KNOWN] =
	    "SELECT 1 FROM contact_version WHERE seller_id = $1 AND contact_id = $2 LIMIT 1",
	/* contact_live */
	[Q_LIVE] = "SELECT " ROW " FROM contact_version "
		   "WHERE seller_id = $1 AND subscription_id = $2 AND " LIVE " "
		   "ORDER BY created_at, contact_id",
	/* contact_history, from its newest row: a contact that was edited often costs no more than another. */
	[Q_ONE] = "SELECT " ROW " FROM contact_version "
		  "WHERE seller_id = $1 AND contact_id = $2 AND " LIVE " "
		  "ORDER BY operation_time DESC LIMIT 1",
	/* fan-out: a buyer's own contacts, with whatever seller. */
	[Q_OF_BUYER] = OF_BUYER "WHERE s.buyer_id = $1 LIMIT $2",
	[Q_OF_BUYER_WITH] = OF_BUYER "WHERE s.buyer_id = $1 AND s.seller_id = $2 LIMIT $3",
	/* fan-out: the operator looks a person's address up. contact_by_email. */
	[Q_BY_EMAIL] = "SELECT " ROW " FROM contact_version "
		       "WHERE email_index = $1 AND " LIVE " LIMIT $2",
	[Q_INSERT] =
	    "INSERT INTO contact_version (seller_id, operation_time, contact_id, created_at, "
	    "operation, slot, product_id, subscription_id, subscription_start, buyer_id, "
	    "email_index, data_key, sealed, superseded_at) VALUES "
	    "($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 9223372036854775807)",
	[Q_SUPERSEDE] = "UPDATE contact_version SET superseded_at = $1 "
			"WHERE seller_id = $2 AND operation_time = $3 AND contact_id = $4 "
			"AND superseded_at = 9223372036854775807",
	/* contact_history */
	[Q_ERASE] = "DELETE FROM contact_version WHERE seller_id = $1 AND contact_id = $2",
	/* fan-out: upkeep of the whole table. contact_superseded. */
	[Q_PRUNE] = "DELETE FROM contact_version WHERE (seller_id, operation_time, contact_id) IN "
		    "(SELECT seller_id, operation_time, contact_id FROM contact_version "
		    "WHERE superseded_at < $1 AND superseded_at < 9223372036854775807 LIMIT $2)",
	/* fan-out: key rotation walks the whole table in primary key order. */
	[Q_KEYS] =
	    "SELECT seller_id, operation_time, contact_id, data_key FROM contact_version "
	    "WHERE (seller_id, operation_time, contact_id) > ($1, $2, $3) AND data_key IS NOT NULL "
	    "ORDER BY seller_id, operation_time, contact_id LIMIT $4",
	[Q_SET_KEY] = ("UPDATE contact_version SET data_key = $1 "
		       "WHERE seller_id = $2 AND operation_time = $3 AND contact_id = $4"),
};

struct db_texts contact_texts = { .component = "psc.contact", .sql = sql, .n = Q__COUNT };

static void
copy_account(struct str s, char out[ACCOUNT_ID_LEN + 1])
{
	size_t n = s.n < ACCOUNT_ID_LEN ? s.n : ACCOUNT_ID_LEN;

	memcpy(out, s.p, n);
	out[n] = '\0';
}

enum souk_err
contact_store_home(struct db_tx *tx, const struct guid *subscription_id, struct contact_home *ret)
{
	struct id_owner owner;
	struct db_stmt *st;
	enum souk_err err = id_owner_find(tx, ID_SUBSCRIPTION, subscription_id, &owner);

	if (err != SOUK_OK)
		return err;
	st = db_stmt(tx, &contact_texts, Q_HOME);
	db_bind_c(st, 1, owner.seller_id);
	db_bind_guid(st, 2, subscription_id);
	if ((err = db_one(st)) != SOUK_OK)
		return err;
	copy_account(db_text(st, 0), ret->seller_id);
	copy_account(db_text(st, 1), ret->buyer_id);
	ret->subscription_id = *subscription_id;
	ret->product_id = db_guid(st, 2);
	ret->subscription_start = db_int(st, 3);
	ret->active = db_int(st, 4) != 0;
	ret->psc_enabled = db_int(st, 5) != 0;
	ret->exported_until = db_is_null(st, 6) ? INSTANT_MIN : db_int(st, 6);
	db_reset(st);
	return SOUK_OK;
}

enum souk_err
contact_store_exported_until(struct db_tx *tx, struct str seller_id, instant_t *ret)
{
	struct db_stmt *st = db_stmt(tx, &contact_texts, Q_UNTIL);
	enum souk_err err;

	db_bind_text(st, 1, seller_id);
	err = db_one(st);
	if (err == SOUK_OK)
		*ret = db_int(st, 0);
	else if (err == SOUK_E_NOT_FOUND)
		*ret = INSTANT_MIN;
	db_reset(st);
	return err == SOUK_E_NOT_FOUND ? SOUK_OK : err;
}

enum souk_err
contact_store_slots(
    struct db_tx *tx, struct str seller_id, const struct guid *subscription_id, unsigned *ret)
{
	struct db_stmt *st = db_stmt(tx, &contact_texts, Q_SLOTS);
	unsigned taken = 0;
	enum souk_err err;
	bool row;

	db_bind_text(st, 1, seller_id);
	db_bind_guid(st, 2, subscription_id);
	while ((err = db_step(st, &row)) == SOUK_OK && row)
		taken |= 1U << (db_int(st, 0) & 7);
	if (err == SOUK_OK)
		*ret = taken;
	return err;
}

enum souk_err
contact_store_known(
    struct db_tx *tx, struct str seller_id, const struct guid *contact_id, bool *ret)
{
	struct db_stmt *st = db_stmt(tx, &contact_texts, Q_KNOWN);
	enum souk_err err;

	db_bind_text(st, 1, seller_id);
	db_bind_guid(st, 2, contact_id);
	err = db_one(st);
	db_reset(st);
	if (err != SOUK_OK && err != SOUK_E_NOT_FOUND)
		return err;
	*ret = err == SOUK_OK;
	return SOUK_OK;
}

struct db_stmt *
contact_store_live(struct db_tx *tx, struct str seller_id, const struct guid *subscription_id)
{
	struct db_stmt *st = db_stmt(tx, &contact_texts, Q_LIVE);

	db_bind_text(st, 1, seller_id);
	db_bind_guid(st, 2, subscription_id);
	return st;
}

struct db_stmt *
contact_store_one(struct db_tx *tx, struct str seller_id, const struct guid *contact_id)
{
	struct db_stmt *st = db_stmt(tx, &contact_texts, Q_ONE);

	db_bind_text(st, 1, seller_id);
	db_bind_guid(st, 2, contact_id);
	return st;
}

struct db_stmt *
contact_store_of_buyer(struct db_tx *tx, struct str buyer_id, struct str seller_id, int64_t max)
{
	struct db_stmt *st =
	    db_stmt(tx, &contact_texts, seller_id.n > 0 ? Q_OF_BUYER_WITH : Q_OF_BUYER);
	int i = 1;

	db_bind_text(st, i++, buyer_id);
	if (seller_id.n > 0)
		db_bind_text(st, i++, seller_id);
	db_bind_int(st, i, max);
	return st;
}

struct db_stmt *
contact_store_by_email(struct db_tx *tx, const uint8_t index[VAULT_BLIND_LEN], int64_t max)
{
	struct db_stmt *st = db_stmt(tx, &contact_texts, Q_BY_EMAIL);

	db_bind_blob(st, 1, index, VAULT_BLIND_LEN);
	db_bind_int(st, 2, max);
	return st;
}

enum souk_err
contact_store_step(struct db_stmt *st, bool *ret_row, struct contact_row *ret)
{
	enum souk_err err = db_step(st, ret_row);
	struct str index;

	if (err != SOUK_OK || !*ret_row)
		return err;
	*ret = (struct contact_row){ .operation_time = db_int(st, 1),
		.id = db_guid(st, 2),
		.created_at = db_int(st, 3),
		.operation = (enum contact_operation)db_int(st, 4),
		.slot = (int)db_int(st, 5),
		.product_id = db_guid(st, 6),
		.subscription_id = db_guid(st, 7),
		.subscription_start = db_int(st, 8),
		.wrapped = db_blob(st, 11),
		.sealed = db_blob(st, 12) };
	copy_account(db_text(st, 0), ret->seller_id);
	copy_account(db_text(st, 9), ret->buyer_id);
	index = db_blob(st, 10);
	memcpy(ret->email_index, index.p ? index.p : "",
	    index.n == VAULT_BLIND_LEN ? VAULT_BLIND_LEN : 0);
	return SOUK_OK;
}

enum souk_err
contact_store_insert(struct db_tx *tx, const struct contact_row *row)
{
	struct db_stmt *st = db_stmt(tx, &contact_texts, Q_INSERT);
	bool live = row->operation != CONTACT_DELETE;

	db_bind_text(st, 1, str_c(row->seller_id));
	db_bind_int(st, 2, row->operation_time);
	db_bind_guid(st, 3, &row->id);
	db_bind_int(st, 4, row->created_at);
	db_bind_int(st, 5, row->operation);
	if (live)
		db_bind_int(st, 6, row->slot);
	else
		db_bind_null(st, 6);
	db_bind_guid(st, 7, &row->product_id);
	db_bind_guid(st, 8, &row->subscription_id);
	db_bind_int(st, 9, row->subscription_start);
	db_bind_text(st, 10, str_c(row->buyer_id));
	if (live) {
		db_bind_blob(st, 11, row->email_index, VAULT_BLIND_LEN);
		db_bind_blob(st, 12, row->wrapped.p, row->wrapped.n);
		db_bind_blob(st, 13, row->sealed.p, row->sealed.n);
	} else {
		db_bind_null(st, 11);
		db_bind_null(st, 12);
		db_bind_null(st, 13);
	}
	return db_run_later(st);
}

enum souk_err
contact_store_supersede(struct db_tx *tx, struct str seller_id, const struct guid *contact_id,
    instant_t operation_time, instant_t by)
{
	struct db_stmt *st = db_stmt(tx, &contact_texts, Q_SUPERSEDE);
	int64_t n = 0;
	enum souk_err err;

	db_bind_int(st, 1, by);
	db_bind_text(st, 2, seller_id);
	db_bind_int(st, 3, operation_time);
	db_bind_guid(st, 4, contact_id);
	if ((err = db_run(st, &n)) != SOUK_OK)
		return err;
	return n == 1 ? SOUK_OK : SOUK_E_PRECONDITION;
}

enum souk_err
contact_store_erase(struct db_tx *tx, struct str seller_id, const struct guid *contact_id)
{
	struct db_stmt *st = db_stmt(tx, &contact_texts, Q_ERASE);

	db_bind_text(st, 1, seller_id);
	db_bind_guid(st, 2, contact_id);
	return db_run_later(st);
}

enum souk_err
contact_store_prune(struct db_tx *tx, instant_t before, int64_t max, int64_t *ret_n)
{
	struct db_stmt *st = db_stmt(tx, &contact_texts, Q_PRUNE);

	db_bind_int(st, 1, before);
	db_bind_int(st, 2, max);
	return db_run(st, ret_n);
}

enum souk_err
contact_store_keys(struct db_tx *tx, const struct contact_key *after, size_t max,
    struct contact_key *ret, size_t *ret_n)
{
	struct contact_key from = *after; /* the first row read may overwrite it */
	struct db_stmt *st = db_stmt(tx, &contact_texts, Q_KEYS);
	size_t n = 0;
	enum souk_err err;
	bool row;

	db_bind_text(st, 1, str_c(from.seller_id));
	db_bind_int(st, 2, from.operation_time);
	db_bind_guid(st, 3, &from.contact_id);
	db_bind_int(st, 4, (int64_t)max);
	while ((err = db_step(st, &row)) == SOUK_OK && row) {
		struct str key = db_blob(st, 3);

		assert(n < max); /* LIMIT */
		if (key.n != VAULT_WRAPPED_LEN) {
			db_reset(st);
			return SOUK_E_STORAGE;
		}
		copy_account(db_text(st, 0), ret[n].seller_id);
		ret[n].operation_time = db_int(st, 1);
		ret[n].contact_id = db_guid(st, 2);
		memcpy(ret[n].wrapped, key.p, VAULT_WRAPPED_LEN);
		n++;
	}
	if (err == SOUK_OK)
		*ret_n = n;
	return err;
}

enum souk_err
contact_store_set_key(struct db_tx *tx, const struct contact_key *k)
{
	struct db_stmt *st = db_stmt(tx, &contact_texts, Q_SET_KEY);

	db_bind_blob(st, 1, k->wrapped, VAULT_WRAPPED_LEN);
	db_bind_text(st, 2, str_c(k->seller_id));
	db_bind_int(st, 3, k->operation_time);
	db_bind_guid(st, 4, &k->contact_id);
	return db_run(st, NULL);
}
