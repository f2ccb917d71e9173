/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Idempotency-Key: a repeated creating request gets the answer of the first (design 6).
 *
 * The answer is kept sealed for 24 hours. When what was created is erased, the answer
 * loses its key too and a repeat learns only that (SOUK_E_CONFLICT, "subject_erased").
 */
#ifndef SOUK_ACCESS_IDEMPOTENCY_H
#define SOUK_ACCESS_IDEMPOTENCY_H

#include "market/tenant.h"
#include "store/db.h"
#include "vault/vault.h"

struct idempotency {
	uint8_t key_hash[32], request_hash[32];
};

/* Keyed hashes; `key` is 1..255 visible ASCII characters, else SOUK_E_INVALID naming the header. */
SOUK_MUST enum souk_err idempotency_make(const struct vault *v, struct str key, struct str method,
    struct str path, struct str body, struct idempotency *ret, struct fail *f);
/* *ret_found: there is an answer in ret_status, ret_answer. Another body: SOUK_E_CONFLICT "idempotency_key_reused". */
SOUK_MUST enum souk_err idempotency_find(struct db_tx *tx, struct vault *v,
    const struct tenant_scope *s, const struct idempotency *i, bool *ret_found, int *ret_status,
    struct buf *ret_answer, struct fail *f);
/* `subject` NULL: nothing that can be erased. */
SOUK_MUST enum souk_err idempotency_keep(struct db_tx *tx, struct vault *v,
    const struct tenant_scope *s, const struct idempotency *i, const struct guid *subject,
    int status, struct str answer);
/* Destroys the kept answers about a subject. */
SOUK_MUST enum souk_err idempotency_forget(struct db_tx *tx, const struct guid *subject);
SOUK_MUST enum souk_err idempotency_prune(struct db_tx *tx, instant_t before, int64_t *ret_n);
SOUK_MUST enum souk_err idempotency_rewrap(struct db_tx *tx, struct vault *v, struct buf *cursor,
    size_t max, int64_t *ret_changed, bool *ret_done);

#endif
