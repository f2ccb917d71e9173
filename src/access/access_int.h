/* SPDX-License-Identifier: Apache-2.0 */
/* Where principals come from: the database, or what a test or a benchmark says. For src/access and those only. */
#ifndef SOUK_ACCESS_ACCESS_INT_H
#define SOUK_ACCESS_ACCESS_INT_H

#include "access/cache.h"
#include "access/principal.h"
#include "base/digest.h"

/*
 * SOUK_E_UNAUTHENTICATED: unknown, expired, disabled, suspended. *ret is the caller's to
 * release. Called from many threads.
 */
struct access_source {
	enum souk_err (*by_token)(
	    void *ctx, const uint8_t token_hash[SHA256_LEN], struct principal **ret);
	enum souk_err (*by_key)(void *ctx, struct str access_key_id, struct principal **ret,
	    uint8_t ret_secret[SECRET_KEY_LEN]);
	/* The number that every change elsewhere moves. */
	enum souk_err (*generation)(void *ctx, int64_t *ret);
	void *ctx;
};

SOUK_MUST enum souk_err access_new_from(const struct access_source *source, struct access **ret);
struct vault *access_vault(const struct access *a);
void access_forget(struct access *a); /* empties the cache now */
size_t access_cached(struct access *a);

#endif
