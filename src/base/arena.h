/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Request arena: memory that lives as long as one request or one job.
 *
 * Not for secrets (nothing is wiped; see secret.h). An arena has a ceiling, so
 * that no input can make a request grow without bound. Not thread-safe.
 */
#ifndef SOUK_BASE_ARENA_H
#define SOUK_BASE_ARENA_H

#include "base/error.h"
#include "base/str.h"

#include <stddef.h>

struct arena;

/* A new arena that will hold at most `limit` bytes. NULL when out of memory. */
struct arena *arena_new(size_t limit);
void arena_free(struct arena *a);  /* accepts NULL */
void arena_reset(struct arena *a); /* forgets everything, keeps the first block for reuse */

/* Zeroed, aligned for any type. NULL when the ceiling or memory is reached. */
void *arena_alloc(struct arena *a, size_t size);
/* `n` elements of `size`, checked for overflow. */
void *arena_array(struct arena *a, size_t n, size_t size);
/* A NUL-terminated copy; NULL as above. */
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_printf(struct arena *a, const char *fmt, ...) SOUK_PRINTF(2, 3);
/* A copy of a slice (NUL-terminated behind its end); {NULL,0} when full. */
struct str arena_str(struct arena *a, struct str s);

#define ARENA_NEW(a, type) ((type *)arena_alloc((a), sizeof(type)))

#endif
