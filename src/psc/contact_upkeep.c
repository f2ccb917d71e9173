/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Upkeep of contact rows: dropping versions no export needs, rewrapping keys after rotation.
 *
 * Dropping too early would make an export lose a contact that was edited since its
 * window's end; hence the minute beyond the lag, and the look at waiting requests.
 */
#include "psc/contact_store.h"

#include "psc/export.h"
#include "psc/export_names.h"

#define PRUNE_MARGIN_MS MINUTE_MS
#define REWRAP_MAX 256 /* rows at once, however many the caller allows */

enum souk_err
contact_prune(struct db_tx *tx, size_t max, int64_t *ret_n)
{
	instant_t before = db_now(tx) - PSC_LAG_MS - PRUNE_MARGIN_MS;
	instant_t oldest = INSTANT_MAX;
	enum souk_err err =
	    request_oldest_coverage(tx, PSC_EXPORT_JOB, PSC_EXPORT_AWAY_JOB, &oldest);

	if (err != SOUK_OK)
		return err;
	err = contact_store_prune(tx, oldest < before ? oldest : before, (int64_t)max, ret_n);
	/* Their contact lives, and with it the key: in the log they could be read for long. */
	if (err == SOUK_OK && *ret_n > 0)
		db_scrub(tx);
	return err;
}

static enum souk_err
rewrap_one(struct db_tx *tx, struct vault *v, struct contact_key *k, int64_t *changed)
{
	struct wrapped_key now;
	bool was_old = false;
	enum souk_err err = vault_key_rewrap(v,
	    (struct str){ (const char *)k->contact_id.b, sizeof(k->contact_id.b) },
	    (struct str){ (const char *)k->wrapped, sizeof(k->wrapped) }, &now, &was_old);

	if (err != SOUK_OK || !was_old)
		return err;
	memcpy(k->wrapped, now.b, sizeof(now.b));
	(*changed)++;
	return contact_store_set_key(tx, k);
}

/* The cursor is the last row's contact_key without its wrapped key; empty before the first. */
enum souk_err
contact_rewrap(struct db_tx *tx, struct vault *v, struct buf *cursor, size_t max,
    int64_t *ret_changed, bool *ret_done)
{
	struct contact_key keys[REWRAP_MAX];
	struct contact_key after = { .operation_time = INT64_MIN };
	const size_t cursor_n = offsetof(struct contact_key, wrapped);
	int64_t changed = 0;
	size_t n = 0;
	enum souk_err err;

	if (cursor->n == cursor_n)
		memcpy(&after, cursor->p, cursor_n);
	max = max < REWRAP_MAX ? max : REWRAP_MAX;
	if ((err = contact_store_keys(tx, &after, max, keys, &n)) != SOUK_OK)
		return err;
	for (size_t i = 0; i < n; i++)
		if ((err = rewrap_one(tx, v, &keys[i], &changed)) != SOUK_OK)
			return err;
	if (n > 0) {
		buf_clear(cursor);
		buf_add(cursor, &keys[n - 1], cursor_n);
		if (!buf_ok(cursor))
			return SOUK_E_NOMEM;
	}
	*ret_changed = changed;
	*ret_done = n < max;
	return SOUK_OK;
}
