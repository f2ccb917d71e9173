/* SPDX-License-Identifier: Apache-2.0 */
/* Delimiters, 64 bytes at a time: a bit for each byte, then the places of the bits. */
#include "feeds/scan.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

struct masks {
	uint64_t mark, line, odd, cr; /* odd: without cr */
};

void
scan_index_plain(const char *p, size_t n, struct scan_index *x)
{
	x->n_marks = x->n_lines = x->n_odd = 0;
	for (size_t i = 0; i < n; i++) {
		char c = p[i];

		if (c == '"' || c == '\0' || (c == '\r' && (i + 1 == n || p[i + 1] != '\n')))
			x->odd[x->n_odd++] = (uint32_t)i;
		if (c == '\n')
			x->line[x->n_lines++] = (uint32_t)x->n_marks;
		if (c == ',' || c == '\n')
			x->mark[x->n_marks++] = (uint32_t)i;
	}
}

/* Writes up to eight places at once: what is too many is overwritten by the next block's. */
static inline size_t
put_places(uint32_t *to, size_t n, uint64_t mask, uint32_t base)
{
	size_t end = n + (size_t)__builtin_popcountll(mask);

	while (mask != 0) {
		to[n++] = base + (uint32_t)__builtin_ctzll(mask);
		mask &= mask - 1;
	}
	return end;
}

/* `m` are the masks of the 64 bytes at p + i, those behind n cleared. */
static inline void
take_masks(const char *p, size_t n, size_t i, struct masks m, struct scan_index *x)
{
	uint64_t lines = m.line;

	while (lines != 0) {
		uint64_t below = (lines & -lines) - 1;

		x->line[x->n_lines++] =
		    (uint32_t)(x->n_marks + (size_t)__builtin_popcountll(m.mark & below));
		lines &= lines - 1;
	}
	x->n_marks = put_places(x->mark, x->n_marks, m.mark, (uint32_t)i);
	if (__builtin_expect((m.odd | m.cr) == 0, 1))
		return;
	if (m.cr != 0) {
		bool next = i + 64 < n && p[i + 64] == '\n';

		m.odd |= m.cr & ~(m.line >> 1 | (uint64_t)next << 63);
	}
	x->n_odd = put_places(x->odd, x->n_odd, m.odd, (uint32_t)i);
}

static inline struct masks
cut(struct masks m, size_t left)
{
	uint64_t valid = left >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << left) - 1;

	return (struct masks){ m.mark & valid, m.line & valid, m.odd & valid, m.cr & valid };
}

#if defined(__x86_64__)

#define AVX2 __attribute__((target("avx2,bmi,bmi2,popcnt,lzcnt")))

AVX2 static inline uint64_t
both(__m256i a, __m256i b)
{
	return (uint32_t)_mm256_movemask_epi8(a) | (uint64_t)(uint32_t)_mm256_movemask_epi8(b)
						       << 32;
}

AVX2 static inline struct masks
masks_avx2(const char *p)
{
	const __m256i comma = _mm256_set1_epi8(','), lf = _mm256_set1_epi8('\n');
	const __m256i quote = _mm256_set1_epi8('"'), cr = _mm256_set1_epi8('\r');
	__m256i a = _mm256_loadu_si256((const __m256i *)(const void *)p);
	__m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(p + 32));
	__m256i line_a = _mm256_cmpeq_epi8(a, lf), line_b = _mm256_cmpeq_epi8(b, lf);
	__m256i mark_a = _mm256_or_si256(_mm256_cmpeq_epi8(a, comma), line_a);
	__m256i mark_b = _mm256_or_si256(_mm256_cmpeq_epi8(b, comma), line_b);
	__m256i zero = _mm256_setzero_si256();
	__m256i cr_a = _mm256_cmpeq_epi8(a, cr), cr_b = _mm256_cmpeq_epi8(b, cr);
	__m256i odd_a = _mm256_or_si256(_mm256_cmpeq_epi8(a, quote), _mm256_cmpeq_epi8(a, zero));
	__m256i odd_b = _mm256_or_si256(_mm256_cmpeq_epi8(b, quote), _mm256_cmpeq_epi8(b, zero));
	__m256i any = _mm256_or_si256(_mm256_or_si256(cr_a, cr_b), _mm256_or_si256(odd_a, odd_b));
	struct masks m = { both(mark_a, mark_b), both(line_a, line_b), 0, 0 };

	if (!_mm256_testz_si256(any, any)) {
		m.odd = both(odd_a, odd_b);
		m.cr = both(cr_a, cr_b);
	}
	return m;
}

AVX2 static void
index_avx2(const char *p, size_t n, struct scan_index *x)
{
	size_t i = 0;

	for (; i + 64 <= n; i += 64)
		take_masks(p, n, i, masks_avx2(p + i), x);
	if (i < n)
		take_masks(p, n, i, cut(masks_avx2(p + i), n - i), x);
}

static inline uint64_t
equal_sse2(const __m128i v[4], char c)
{
	uint64_t m = 0;

	for (unsigned k = 0; k < 4; k++)
		m |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v[k], _mm_set1_epi8(c)))
		     << (16 * k);
	return m;
}

static struct masks
masks_any(const char *p)
{
	__m128i v[4];
	uint64_t line;

	for (unsigned k = 0; k < 4; k++)
		v[k] = _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * k));
	line = equal_sse2(v, '\n');
	return (struct masks){ equal_sse2(v, ',') | line, line,
		equal_sse2(v, '"') | equal_sse2(v, '\0'), equal_sse2(v, '\r') };
}

#else

static struct masks
masks_any(const char *p)
{
	struct masks m = { 0, 0, 0, 0 };

	for (unsigned k = 0; k < 64; k++) {
		uint64_t bit = UINT64_C(1) << k;

		m.line |= p[k] == '\n' ? bit : 0;
		m.mark |= p[k] == ',' || p[k] == '\n' ? bit : 0;
		m.odd |= p[k] == '"' || p[k] == '\0' ? bit : 0;
		m.cr |= p[k] == '\r' ? bit : 0;
	}
	return m;
}

#endif

void
scan_index_bytes(const char *p, size_t n, struct scan_index *x)
{
	size_t i = 0;

	x->n_marks = x->n_lines = x->n_odd = 0;
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2")) {
		index_avx2(p, n, x);
		return;
	}
#endif
	for (; i + 64 <= n; i += 64)
		take_masks(p, n, i, masks_any(p + i), x);
	if (i < n)
		take_masks(p, n, i, cut(masks_any(p + i), n - i), x);
}
