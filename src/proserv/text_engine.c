/* SPDX-License-Identifier: Apache-2.0 */
/* The terms in vectorscan; see text_engine.h. */
#include "proserv/text_needle.h"
#include "proserv/text_number.h"

#include <hs.h>
#include <stdlib.h>

#define LATE 4096  /* more hits than can end within the length of a term */
#define HEADS 1024 /* that are kept before they are looked at */

struct text_engine {
	struct text_table *table;
	struct folded_terms terms;
	struct needle_set sets[TERMS__COUNT];
};

struct hit_list {
	struct term_hit *v;
	size_t cap;
};

/* Where vectorscan found a head: the index of its first needle, and its end, counted from the blank before the text. */
struct found_head {
	uint32_t needle, end;
};

struct text_scratch {
	hs_scratch_t *hs;
	struct text_folded folded;
	struct buf plain;
	struct hit_list hits[TERMS__COUNT];
	struct hit_list made; /* not of terms */
	struct found_head heads[HEADS];
};

struct finder {
	const struct folded_terms *terms;
	const struct needle_set *set;
	struct hit_list *hits;
	struct str text;
	const char *plain;
	unsigned languages;
	struct found_head *heads;
	size_t n, n_heads;
	bool full, failed;
};

/* What is not ASCII is a letter but for signs of currency. */
bool
folded_is_letter(struct str text, size_t at)
{
	while (at > 0 && ((unsigned char)text.p[at] & 0xc0) == 0x80)
		at--;
	if (text.n - at >= 3 && memcmp(text.p + at, "\xe2\x82", 2) == 0)
		return false;
	return !(text.n - at >= 2 && text.p[at] == '\xc2');
}

static void
add_hit(struct finder *f, size_t start, size_t end, uint16_t term, uint64_t classes)
{
	if (f->n == f->hits->cap) {
		size_t cap = f->hits->cap ? 2 * f->hits->cap : 1024;
		struct term_hit *p = reallocarray(f->hits->v, cap, sizeof(*p));

		if (p == NULL) {
			f->failed = true;
			return;
		}
		f->hits->v = p;
		f->hits->cap = cap;
	}
	f->hits->v[f->n++] = (struct term_hit){
		.start = (uint32_t)start, .end = (uint32_t)end, .term = term, .classes = classes
	};
	f->full = f->n >= TERM_HITS_MAX + LATE;
}

/* Whose head and next bytes are there: is it the term, as a word, and one of the listing's languages? */
static bool
stands_at(const struct finder *f, const struct needle *v, size_t start)
{
	size_t end = start + v->length;

	return end <= f->text.n && (!v->closed || f->plain[end] == ' ') &&
	       (v->valid & f->languages) &&
	       (v->whole ||
		   memcmp(f->text.p + start, folded_term(f->terms, v->term).p, v->length) == 0);
}

/* Which terms are there where heads were found? */
static void
look_at_heads(struct finder *f)
{
	for (size_t i = 0; i < f->n_heads && !f->full && !f->failed; i++) {
		const struct needle *v = &f->set->v[f->heads[i].needle];
		size_t end = f->heads[i].end;
		uint32_t next;

		memcpy(&next, f->plain + end - 1, sizeof(next));
		for (bool more = true; more; more = !v++->last) {
			if ((uint64_t)(next ^ v->next) << v->skip & UINT32_MAX)
				continue;
			if (end > v->back && stands_at(f, v, end - v->back - 1))
				add_hit(f, end - v->back - 1, end - v->back - 1 + v->length,
				    v->term, terms[v->term].classes);
		}
	}
	f->n_heads = 0;
}

/* Kept for many to be looked at together: the waits for memory that each of them means then overlap. */
static int
on_head(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *context)
{
	struct finder *f = context;

	(void)from;
	(void)flags;
	f->heads[f->n_heads++] = (struct found_head){ .needle = id, .end = (uint32_t)to };
	if (f->n_heads == HEADS)
		look_at_heads(f);
	return f->full || f->failed;
}

enum souk_err
text_engine_new(struct text_engine **ret, struct fail *f)
{
	struct text_engine *e = calloc(1, sizeof(*e));
	enum souk_err r;

	_Static_assert(sizeof(struct term_hit) <= 24, "hits are many");
	if (e == NULL)
		return fail_set(f, SOUK_E_NOMEM, "memory", "the scanner does not fit into memory");
	r = text_table_new(&e->table);
	if (r != SOUK_OK)
		(void)fail_set(f, r, "text_engine", "ICU's data cannot be read; install libicu72");
	else if ((r = folded_terms_make(e->table, &e->terms)) != SOUK_OK)
		(void)fail_set(f, r, "memory", "the scanner does not fit into memory");
	for (int set = 0; set < TERMS__COUNT && r == SOUK_OK; set++)
		r = needle_set_make(&e->terms, (enum term_set)set, &e->sets[set], f);
	if (r != SOUK_OK) {
		text_engine_free(e);
		return r;
	}
	*ret = e;
	return SOUK_OK;
}

void
text_engine_free(struct text_engine *e)
{
	if (e == NULL)
		return;
	for (int set = 0; set < TERMS__COUNT; set++)
		needle_set_done(&e->sets[set]);
	folded_terms_done(&e->terms);
	text_table_free(e->table);
	free(e);
}

const struct text_table *
text_engine_table(const struct text_engine *e)
{
	return e->table;
}

enum souk_err
text_scratch_new(const struct text_engine *e, struct text_scratch **ret)
{
	struct text_scratch *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return SOUK_E_NOMEM;
	for (int set = 0; set < TERMS__COUNT; set++)
		if (hs_alloc_scratch(e->sets[set].db, &s->hs) != HS_SUCCESS) {
			text_scratch_free(s);
			return SOUK_E_NOMEM;
		}
	*ret = s;
	return SOUK_OK;
}

void
text_scratch_free(struct text_scratch *s)
{
	if (s == NULL)
		return;
	hs_free_scratch(s->hs);
	text_fold_done(&s->folded);
	buf_done(&s->plain);
	for (int set = 0; set < TERMS__COUNT; set++)
		free(s->hits[set].v);
	free(s->made.v);
	free(s);
}

struct text_folded *
text_scratch_folded(struct text_scratch *s)
{
	return &s->folded;
}

/* Hits that the scanner makes itself. */
static void
find_numbers(struct finder *f)
{
	static const uint64_t classes[] = {
		[NUMBER_AMOUNT] = TERM(AMOUNT),
		[NUMBER_CARD] = TERM(CARD),
		[NUMBER_IBAN] = TERM(IBAN),
		[NUMBER_BANK] = TERM(BANK),
	};
	struct number number;
	size_t at = 0;

	while (!f->full && !f->failed && text_number_next(f->text, &at, &number))
		add_hit(f, number.start, number.end, TERM_MADE, classes[number.kind]);
}

/* No word, so none of the terms. */
static void
find_ampersands(struct finder *f)
{
	const char *p = f->text.p, *end = f->text.p + f->text.n;

	for (; !f->full && !f->failed && p < end && (p = memchr(p, '&', (size_t)(end - p))) != NULL;
	     p++)
		add_hit(
		    f, (size_t)(p - f->text.p), (size_t)(p - f->text.p) + 1, TERM_MADE, TERM(ORG));
}

/* By their ends, and the longer first. */
static inline bool
is_after(const struct term_hit *a, const struct term_hit *b)
{
	return a->end > b->end || (a->end == b->end && a->start > b->start);
}

/* They are in the order of their heads' ends: none is far from its place. */
static void
order_terms(struct term_hit *v, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct term_hit own = v[i];
		size_t k = i;

		for (; k > 0 && is_after(&v[k - 1], &own); k--)
			v[k] = v[k - 1];
		v[k] = own;
	}
}

/* Puts the hits that were made among the terms. */
static bool
merge(struct finder *f, const struct term_hit *made, size_t n_made)
{
	size_t n = f->n;
	struct term_hit *v;

	for (size_t i = 0; i < n_made && !f->failed; i++)
		add_hit(f, 0, 0, TERM_MADE, 0);
	v = f->hits->v;
	for (size_t to = f->n; n_made > 0 && !f->failed; to--)
		v[to - 1] =
		    n > 0 && is_after(&v[n - 1], &made[n_made - 1]) ? v[--n] : made[--n_made];
	return !f->failed;
}

enum souk_err
text_engine_find(const struct text_engine *e, struct text_scratch *s, enum term_set set,
    const struct text_folded *folded, size_t n, unsigned languages, struct term_hits *ret)
{
	/* Of no text at all there is no address either. */
	struct str text = { n > 0 ? folded->out.p : "", n };
	struct finder f = { .terms = &e->terms,
		.set = &e->sets[set],
		.hits = &s->hits[set],
		.heads = s->heads,
		.text = text,
		.languages = languages != 0 ? languages : LANG_ALL };
	struct finder made = { .hits = &s->made, .text = text };
	hs_error_t r;

	buf_clear(&s->plain);
	if (n > UINT32_MAX - 2 || folded->failed || !buf_reserve(&s->plain, n + PLAIN_ROOM))
		return SOUK_E_NOMEM;
	f.plain = text_plain(text, s->plain.p);
	r = hs_scan(f.set->db, f.plain - 1, (unsigned)n + 2, 0, s->hs, on_head, &f);
	if (r != HS_SUCCESS && r != HS_SCAN_TERMINATED)
		return SOUK_E_INTERNAL;
	look_at_heads(&f);
	order_terms(f.hits->v, f.n);
	if (set == TERMS_PROSE)
		find_numbers(&made);
	else
		find_ampersands(&made);
	if (made.failed || !merge(&f, made.hits->v, made.n))
		return SOUK_E_NOMEM;
	ret->cut = f.n >= TERM_HITS_MAX;
	ret->n = ret->cut ? TERM_HITS_MAX : f.n;
	ret->v = f.hits->v;
	return SOUK_OK;
}
