/* SPDX-License-Identifier: Apache-2.0 */
/* GUIDs (RFC 4122 version 4 when made by us), random bytes and other ids. */
#ifndef SOUK_BASE_GUID_H
#define SOUK_BASE_GUID_H

#include "base/str.h"

#define GUID_TEXT_LEN 36

struct guid {
	uint8_t b[16];
};

struct guid guid_new(void); /* random, version 4 */
bool guid_is_zero(const struct guid *g);
bool guid_eq(const struct guid *a, const struct guid *b);
int guid_cmp(const struct guid *a, const struct guid *b);            /* order of the text form */
void guid_format(const struct guid *g, char out[GUID_TEXT_LEN + 1]); /* lower case */
SOUK_MUST bool guid_parse(struct str s, struct guid *ret); /* either case, hyphens required */

/*
 * Random bytes. A thread reads them from a small buffer of its own that it refills
 * from libsodium: one system call serves many ids and keys.
 */
void random_bytes(void *p, size_t n);
/* `n` characters drawn evenly from `alphabet`, and a NUL. */
void random_text(char *out, size_t n, const char *alphabet);

/*
 * Deterministic random numbers for the demo and for tests (splitmix64). Never for keys.
 */
struct prng {
	uint64_t s;
};
uint64_t prng_next(struct prng *r);
uint64_t prng_below(struct prng *r, uint64_t n); /* [0, n), n > 0 */
struct guid prng_guid(struct prng *r);

#endif
