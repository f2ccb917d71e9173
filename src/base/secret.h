/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets are a type, not a convention (style H8): locked memory that is wiped on free. */
#ifndef SOUK_BASE_SECRET_H
#define SOUK_BASE_SECRET_H

#include "base/error.h"

#include <stddef.h>

/* sodium_malloc'd: locked, guarded, wiped, left out of core dumps. No printf path exists for it. */
struct secret {
	unsigned char *p;
	size_t n;
};

SOUK_MUST enum souk_err secret_init(struct secret *s, size_t n); /* zeroed */
void secret_done(struct secret *s);                              /* wipes, frees, sets p=NULL */
/* Wipes ordinary memory in a way the compiler keeps. */
void wipe(void *p, size_t n);

/* Once per process, first thing: libsodium, no core dumps (RLIMIT_CORE 0, PR_SET_DUMPABLE 0). */
SOUK_MUST enum souk_err secret_process_init(void);

#endif
