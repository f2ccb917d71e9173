/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files on their way to somebody else's store. They are written at the disk's pace and sent at
 * the store's, so that no snapshot of the database stays open (and keeps what was erased) while
 * a slow store takes its time.
 *
 * A spool is a file without a name, sealed in chunks with a key that only this process's memory
 * holds: when the process dies, however it dies, nothing is left.
 */
#ifndef SOUK_DELIVERY_SPOOL_H
#define SOUK_DELIVERY_SPOOL_H

#include "base/io.h"
#include "vault/vault.h"

struct spool;
/* In directory `dir`. SOUK_E_STORAGE when no file can be made there. */
SOUK_MUST enum souk_err spool_new(struct vault *v, const char *dir, struct spool **ret);
void spool_free(struct spool *s); /* accepts NULL */
struct sink *spool_sink(struct spool *s);
/* Ends the data; size and hash are known from here on. */
SOUK_MUST enum souk_err spool_close(struct spool *s);
int64_t spool_size(const struct spool *s);
void spool_sha256(const struct spool *s, uint8_t out[32]);
/*
 * Writes all of it to `out`, from the start, as often as it is called. `go_on` (may be NULL) is
 * asked before each chunk of 64 KiB; what it returns but SOUK_OK ends it. Damage: SOUK_E_STORAGE.
 */
SOUK_MUST enum souk_err spool_send(
    struct spool *s, struct sink *out, enum souk_err (*go_on)(void *arg), void *arg);

#endif
