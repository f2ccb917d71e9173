/* SPDX-License-Identifier: Apache-2.0 */
/* Arrays that grow. */
#ifndef SOUK_BASE_ARRAY_H
#define SOUK_BASE_ARRAY_H

#include "base/error.h"

#include <stdbool.h>

/*
 * Room for one more behind `n` elements of `size` bytes: nothing to do while n < *cap; else the array is reallocated
 * to hold twice as many, `first` (not 0) when it had none. `v` is the address of the pointer to it, of any type (NULL: none
 * yet); the caller frees it with free(). False: out of memory, or more bytes than a size_t counts; nothing has changed then.
 */
SOUK_MUST bool array_grow(void *v, size_t n, size_t *cap, size_t first, size_t size);
#define ARRAY_ROOM(v, n, cap, first) array_grow(&(v), (n), &(cap), (first), sizeof(*(v)))

/*
 * Room for n (not 0) elements, not zeroed; the caller frees it with free(). Of megabytes and more in huge pages
 * where there are: a page is given out, and found again, once for 512. NULL: out of memory.
 */
SOUK_MUST void *array_large(size_t n, size_t size);

#endif
