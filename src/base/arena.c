/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arena of chained blocks. The newest block serves; a request that does not fit
 * opens another. The ceiling counts what was handed out, so a caller's limit
 * means the same whatever the block sizes are.
 */
#include "base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define BLOCK_FIRST ((size_t)8 * 1024)
#define BLOCK_MAX ((size_t)256 * 1024)
#define ALIGN alignof(max_align_t)

struct block {
	struct block *older;
	size_t cap;
	size_t used;
	alignas(max_align_t) unsigned char mem[];
};

struct arena {
	size_t limit;
	size_t held;
	struct block *newest;
};

static struct block *
block_new(size_t cap, struct block *older)
{
	struct block *b;

	if (cap > SIZE_MAX - sizeof(*b) || !(b = malloc(sizeof(*b) + cap)))
		return NULL;
	b->older = older;
	b->cap = cap;
	b->used = 0;
	return b;
}

struct arena *
arena_new(size_t limit)
{
	struct arena *a = malloc(sizeof(*a));

	if (!a)
		return NULL;
	*a = (struct arena){ .limit = limit, .newest = block_new(BLOCK_FIRST, NULL) };
	if (!a->newest) {
		free(a);
		return NULL;
	}
	return a;
}

void
arena_reset(struct arena *a)
{
	struct block *b;

	while ((b = a->newest)->older) {
		a->newest = b->older;
		free(b);
	}
	a->newest->used = 0;
	a->held = 0;
}

void
arena_free(struct arena *a)
{
	if (!a)
		return;
	arena_reset(a);
	free(a->newest);
	free(a);
}

void *
arena_alloc(struct arena *a, size_t size)
{
	struct block *b = a->newest;
	size_t need, cap;
	void *p;

	size += size == 0; /* an empty piece has an address of its own, and its price */
	if (size > a->limit - a->held)
		return NULL;
	need = (size + ALIGN - 1) & ~(ALIGN - 1);
	if (need < size)
		return NULL;
	if (need > b->cap - b->used) {
		cap = b->cap < BLOCK_MAX ? 2 * b->cap : BLOCK_MAX;
		if (!(b = block_new(need > cap ? need : cap, b)))
			return NULL;
		a->newest = b;
	}
	p = b->mem + b->used;
	b->used += need;
	/* Padding counts too, or a million empty strings would cost nothing. */
	a->held = need > a->limit - a->held ? a->limit : a->held + need;
	return memset(p, 0, need);
}

void *
arena_array(struct arena *a, size_t n, size_t size)
{
	size_t total;

	return __builtin_mul_overflow(n, size, &total) ? NULL : arena_alloc(a, total);
}

char *
arena_strndup(struct arena *a, const char *s, size_t n)
{
	char *p = n < SIZE_MAX ? arena_alloc(a, n + 1) : NULL;

	if (p && n)
		memcpy(p, s, n);
	return p;
}

char *
arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

struct str
arena_str(struct arena *a, struct str s)
{
	char *p = arena_strndup(a, s.p, s.n);

	return (struct str){ .p = p, .n = p ? s.n : 0 };
}

char *
arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *p;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || !(p = arena_alloc(a, (size_t)n + 1)))
		return NULL;
	va_start(ap, fmt);
	(void)vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return p;
}
