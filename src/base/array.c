/* SPDX-License-Identifier: Apache-2.0 */
/* Arrays that grow; see array.h. */
#include "base/array.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HUGE_PAGE ((size_t)2 << 20)

bool
array_grow(void *v, size_t n, size_t *cap, size_t first, size_t size)
{
	size_t more = first, bytes;
	void *p;

	if (n < *cap)
		return true;
	if (*cap > 0 && __builtin_mul_overflow(*cap, (size_t)2, &more))
		return false;
	if (__builtin_mul_overflow(more, size, &bytes))
		return false;
	memcpy(&p, v, sizeof(p)); /* whatever type it points to */
	p = realloc(p, bytes);
	if (p == NULL)
		return false;
	memcpy(v, &p, sizeof(p));
	*cap = more;
	return true;
}

void *
array_large(size_t n, size_t size)
{
	size_t bytes;
	void *p;

	if (__builtin_mul_overflow(n, size, &bytes) || bytes > SIZE_MAX - HUGE_PAGE)
		return NULL;
	if (bytes < HUGE_PAGE)
		return malloc(bytes);
	bytes = (bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
	p = aligned_alloc(HUGE_PAGE, bytes);
	if (p != NULL)
		(void)madvise(p, bytes, MADV_HUGEPAGE);
	return p;
}
