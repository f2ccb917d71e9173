/* SPDX-License-Identifier: Apache-2.0 */
/* What the statement files of this layer share: optional values, copies, yes-or-no questions. */
#include "market/market_store.h"

#include <assert.h>

enum souk_err
store_exists(struct db_stmt *st, bool *ret)
{
	bool row = false;
	enum souk_err r = db_step(st, &row);

	db_reset(st);
	if (r == SOUK_OK)
		*ret = row;
	return r;
}

enum souk_err
store_id_taken(struct db_tx *tx, enum id_kind kind, const struct guid *id, bool *ret)
{
	struct id_owner owner;
	enum souk_err r = id_owner_find(tx, kind, id, &owner);

	if (r != SOUK_OK && r != SOUK_E_NOT_FOUND)
		return r;
	*ret = r == SOUK_OK;
	return SOUK_OK;
}

enum souk_err
store_owned_row(struct db_tx *tx, struct db_texts *t, unsigned q, enum id_kind kind,
    const struct guid *id, struct db_stmt **ret)
{
	struct id_owner owner;
	struct db_stmt *st;
	enum souk_err r = id_owner_find(tx, kind, id, &owner);

	if (r != SOUK_OK)
		return r;
	st = db_stmt(tx, t, q);
	db_bind_c(st, 1, owner.seller_id);
	db_bind_guid(st, 2, id);
	if ((r = db_one(st)) == SOUK_OK)
		*ret = st;
	else
		db_reset(st);
	return r;
}

enum souk_err
store_changed(struct db_stmt *st, bool *ret)
{
	int64_t changes = 0;
	enum souk_err r = db_run(st, &changes);

	if (r == SOUK_OK)
		*ret = changes > 0;
	return r;
}

enum souk_err
store_keep(struct arena *mem, struct str *const *slices)
{
	for (; *slices; slices++) {
		struct str kept = (*slices)->n > 0 ? arena_str(mem, **slices) : STR("");

		if (!kept.p)
			return SOUK_E_NOMEM;
		**slices = kept;
	}
	return SOUK_OK;
}

void
store_account_id(struct db_stmt *st, int col, char out[static ACCOUNT_ID_LEN + 1])
{
	struct str id = db_text(st, col);

	assert(id.n <= ACCOUNT_ID_LEN); /* the schema's CHECK */
	if (id.n > 0)
		memcpy(out, id.p, id.n);
	out[id.n] = '\0';
}

void
store_bind_instant(struct db_stmt *st, int i, instant_t t)
{
	if (t == 0)
		db_bind_null(st, i);
	else
		db_bind_int(st, i, t);
}

void
store_bind_guid_opt(struct db_stmt *st, int i, const struct guid *g)
{
	if (guid_is_zero(g))
		db_bind_null(st, i);
	else
		db_bind_guid(st, i, g);
}

void
store_bind_text_opt(struct db_stmt *st, int i, struct str s)
{
	if (s.n == 0)
		db_bind_null(st, i);
	else
		db_bind_text(st, i, s);
}
