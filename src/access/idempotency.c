/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kept answers: find, keep, forget.
 *
 * An answer may repeat what a buyer entered, so it is sealed like a contact, with a data
 * key of its own that goes when its subject is erased.
 */
#include "access/idempotency_store.h"

#include "base/digest.h"
#include "base/secret.h"

#include <stdlib.h>

#define KEY_MAX 255
#define KEPT_MS (24 * HOUR_MS)

enum souk_err
idempotency_make(const struct vault *v, struct str key, struct str method, struct str path,
    struct str body, struct idempotency *ret, struct fail *f)
{
	struct buf b = { 0 };
	uint8_t body_hash[SHA256_LEN];
	bool fine = key.n > 0 && key.n <= KEY_MAX;

	for (size_t i = 0; i < key.n && fine; i++)
		fine = key.p[i] > ' ' && key.p[i] <= '~';
	if (!fine)
		return fail_field(f, "Idempotency-Key",
		    "is empty, too long or has other characters",
		    "give 1 to 255 visible ASCII characters");
	sha256(body.p, body.n, body_hash);
	buf_add_str(&b, method);
	buf_add_char(&b, '\n');
	buf_add_str(&b, path);
	buf_add_char(&b, '\n');
	buf_add(&b, body_hash, sizeof(body_hash));
	if (!buf_ok(&b)) {
		buf_done(&b);
		return SOUK_E_NOMEM;
	}
	vault_mac(v, "idempotency.key", key, ret->key_hash);
	vault_mac(v, "idempotency.request", buf_str(&b), ret->request_hash);
	buf_done(&b);
	return SOUK_OK;
}

/* What an answer is sealed for: it opens under no other account or key. */
static struct str
context(struct str account_id, const void *key_hash, char out[ACCOUNT_ID_LEN + 32])
{
	size_t n = account_id.n < ACCOUNT_ID_LEN ? account_id.n : ACCOUNT_ID_LEN;

	if (n > 0)
		memcpy(out, account_id.p, n);
	memcpy(out + n, key_hash, 32);
	return (struct str){ out, n + 32 };
}

static enum souk_err
answer_open(struct vault *v, struct str ctx, const struct idempotency_row *row, struct buf *ret)
{
	struct data_key key;
	size_t n;
	enum souk_err err;

	if (row->answer.n < VAULT_OVERHEAD)
		return SOUK_E_INTERNAL;
	n = row->answer.n - VAULT_OVERHEAD;
	if (!buf_reserve(ret, n))
		return SOUK_E_NOMEM;
	if ((err = vault_key_unwrap(v, ctx, row->data_key, &key)) != SOUK_OK)
		return err;
	err = vault_unseal(&key, ctx, row->answer, (uint8_t *)ret->p + ret->n);
	if (err == SOUK_OK) {
		ret->n += n;
		ret->p[ret->n] = '\0';
	}
	wipe(&key, sizeof(key));
	return err;
}

enum souk_err
idempotency_find(struct db_tx *tx, struct vault *v, const struct tenant_scope *s,
    const struct idempotency *i, bool *ret_found, int *ret_status, struct buf *ret_answer,
    struct fail *f)
{
	char room[ACCOUNT_ID_LEN + 32];
	struct str ctx = context(tenant_account(s), i->key_hash, room);
	struct idempotency_row row;
	enum souk_err err = lock_subject(tx, ctx.p, ctx.n);

	/* The same request at the same time waits here for the other one's answer. */
	if (err != SOUK_OK)
		return err;
	err = idempotency_row_find(tx, tenant_account(s), i->key_hash, db_now(tx) - KEPT_MS, &row);

	if (err == SOUK_E_NOT_FOUND) {
		*ret_found = false;
		return SOUK_OK;
	}
	if (err != SOUK_OK)
		return err;
	if (!secret_equal(
		row.request_hash.p, row.request_hash.n, i->request_hash, sizeof(i->request_hash))) {
		err = fail_set(f, SOUK_E_CONFLICT, "idempotency_key_reused",
		    "This Idempotency-Key was used with another request; use a new one.");
	} else if (row.erased) {
		err = fail_set(f, SOUK_E_CONFLICT, "subject_erased",
		    "This request was carried out; what it made has been erased since.");
	} else if ((err = answer_open(v, ctx, &row, ret_answer)) == SOUK_OK) {
		*ret_status = row.status;
		*ret_found = true;
	}
	idempotency_row_done(&row);
	return err;
}

enum souk_err
idempotency_keep(struct db_tx *tx, struct vault *v, const struct tenant_scope *s,
    const struct idempotency *i, const struct guid *subject, int status, struct str answer)
{
	char room[ACCOUNT_ID_LEN + 32];
	struct str ctx = context(tenant_account(s), i->key_hash, room);
	uint8_t *sealed = malloc(answer.n + VAULT_OVERHEAD);
	struct data_key key;
	struct wrapped_key wrapped;
	struct idempotency_new row = { .account_id = tenant_account(s),
		.key = i,
		.subject = subject,
		.status = status,
		.data_key = { (const char *)wrapped.b, sizeof(wrapped.b) },
		.answer = { (const char *)sealed, answer.n + VAULT_OVERHEAD } };
	enum souk_err err;

	if (!sealed)
		return SOUK_E_NOMEM;
	vault_key_new(v, ctx, &key, &wrapped);
	vault_seal(&key, ctx, answer.p, answer.n, sealed);
	wipe(&key, sizeof(key));
	err = idempotency_row_add(tx, &row, db_now(tx) - KEPT_MS);
	free(sealed);
	return err;
}

enum souk_err
idempotency_forget(struct db_tx *tx, const struct guid *subject)
{
	int64_t n = 0;
	enum souk_err err = idempotency_row_erase(tx, subject, &n);

	if (err == SOUK_OK && n > 0)
		db_scrub(tx);
	return err;
}

enum souk_err
idempotency_prune(struct db_tx *tx, instant_t before, int64_t *ret_n)
{
	enum souk_err err = idempotency_row_prune(tx, before, ret_n);

	/* They go for good: keys and sealed answers still stand in the log. */
	if (err == SOUK_OK && *ret_n > 0)
		db_scrub(tx);
	return err;
}

/* One row behind the cursor, which is the account id and the key's hash. */
static enum souk_err
rewrap_one(struct db_tx *tx, struct vault *v, struct buf *cursor, struct idempotency_place *at,
    int64_t *changed)
{
	size_t n = cursor->n < 32 ? 0 : cursor->n - 32;
	struct str account = { n > 0 ? cursor->p : "", n };
	struct str hash = { cursor->n < 32 ? "" : cursor->p + n, cursor->n < 32 ? 0 : 32 };
	char room[ACCOUNT_ID_LEN + 32];
	struct wrapped_key wrapped;
	struct str ctx;
	bool is_new = false;
	enum souk_err err = idempotency_row_next(tx, account, hash, at);

	if (err != SOUK_OK)
		return err;
	if (at->key_hash.n != 32)
		return SOUK_E_INTERNAL;
	ctx = context(buf_str(&at->account_id), at->key_hash.p, room);
	err = vault_key_rewrap(v, ctx, buf_str(&at->data_key), &wrapped, &is_new);
	if (err == SOUK_OK && is_new)
		err = idempotency_row_rewrapped(
		    tx, at, (struct str){ (const char *)wrapped.b, sizeof(wrapped.b) });
	*changed += is_new;
	buf_clear(cursor);
	buf_add_str(cursor, ctx);
	return err;
}

enum souk_err
idempotency_rewrap(struct db_tx *tx, struct vault *v, struct buf *cursor, size_t max,
    int64_t *ret_changed, bool *ret_done)
{
	struct idempotency_place at = { 0 };
	int64_t changed = 0;
	enum souk_err err = SOUK_OK;

	for (size_t i = 0; i < max && err == SOUK_OK; i++)
		err = rewrap_one(tx, v, cursor, &at, &changed);
	buf_done(&at.account_id);
	buf_done(&at.key_hash);
	buf_done(&at.data_key);
	if (err != SOUK_OK && err != SOUK_E_NOT_FOUND)
		return err;
	*ret_done = err == SOUK_E_NOT_FOUND;
	*ret_changed = changed;
	return SOUK_OK;
}
