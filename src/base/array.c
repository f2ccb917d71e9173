/* SPDX-License-Identifier: Apache-2.0 */
/* Arrays that grow; see array.h. */
#include "base/array.h"

#include <stdlib.h>
#include <string.h>

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
