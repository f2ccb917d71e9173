/* SPDX-License-Identifier: Apache-2.0 */
/* The terms in vectorscan; see text_engine.h. */
#include "proserv/text_engine.h"

#include "proserv/text_number.h"

#include <hs.h>
#include <stdlib.h>

#define FEW 32

struct text_engine {
	struct text_table *table;
	hs_database_t *db[TERMS__COUNT];
	uint8_t *length; /* of each folded term */
};

struct hit_list {
	struct term_hit *v;
	size_t cap;
};

struct text_scratch {
	hs_scratch_t *hs;
	struct text_folded folded;
	struct hit_list hits[TERMS__COUNT];
};

struct finder {
	const struct text_engine *e;
	struct hit_list *hits;
	struct str text;
	unsigned languages;
	size_t n;
	bool cut, failed;
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
	f->cut = f->n >= TERM_HITS_MAX;
}

static int
on_term(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *context)
{
	struct finder *f = context;
	const struct term *t = &terms[id];
	size_t end = (size_t)to, start = end - f->e->length[id];

	(void)from;
	(void)flags;
	if (!(t->valid & f->languages))
		return 0;
	if (!(t->flags & TERM_OPEN_BEFORE) && start > 0 && folded_is_word(f->text, start) &&
	    folded_is_word(f->text, start - 1))
		return 0;
	if (!(t->flags & TERM_OPEN_AFTER) && folded_is_word(f->text, end) &&
	    folded_is_word(f->text, end - 1))
		return 0;
	add_hit(f, start, end, (uint16_t)id, t->classes);
	return f->cut || f->failed;
}

/* What hs_compile_lit_multi is given: of each term its folded text. */
struct literals {
	const char **text;
	unsigned *flags, *ids;
	size_t *length;
	struct text_folded folded;
};

static void
literals_done(struct literals *l)
{
	free(l->text);
	free(l->flags);
	free(l->ids);
	free(l->length);
	text_fold_done(&l->folded);
}

static bool
literals_init(struct literals *l)
{
	l->text = calloc(n_terms, sizeof(*l->text));
	l->flags = calloc(n_terms, sizeof(*l->flags));
	l->ids = calloc(n_terms, sizeof(*l->ids));
	l->length = calloc(n_terms, sizeof(*l->length));
	return l->text && l->flags && l->ids && l->length;
}

/* Folds every term and keeps its length; false when one folds to nothing. */
static bool
fold_terms(struct text_engine *e, struct literals *l)
{
	for (size_t i = 0; i < n_terms && !l->folded.failed; i++) {
		size_t at = l->folded.out.n;

		text_fold_add(e->table, str_c(terms[i].text), 0, &l->folded);
		if (l->folded.out.n - at < 2 || l->folded.out.n - at > UINT8_MAX)
			return false;
		e->length[i] = (uint8_t)(l->folded.out.n - at - 1);
	}
	return !l->folded.failed;
}

static bool
in_set(size_t i, enum term_set set)
{
	return (terms[i].classes & (set == TERMS_NAMES ? NAME_CLASSES : ~NAME_CLASSES)) != 0;
}

static enum souk_err
compile_set(struct text_engine *e, struct literals *l, enum term_set set, struct fail *f)
{
	hs_compile_error_t *error = NULL;
	const char *p = l->folded.out.p;
	unsigned n = 0;

	for (size_t i = 0; i < n_terms; p += e->length[i++] + 1)
		if (in_set(i, set)) {
			l->text[n] = p;
			l->length[n] = e->length[i];
			l->ids[n++] = (unsigned)i;
		}
	if (hs_compile_lit_multi(l->text, l->flags, l->ids, l->length, n, HS_MODE_BLOCK, NULL,
		&e->db[set], &error) == HS_SUCCESS)
		return SOUK_OK;
	(void)fail_set(f, SOUK_E_INTERNAL, "text_engine", "the terms cannot be compiled: %s",
	    error != NULL ? error->message : "");
	hs_free_compile_error(error);
	return SOUK_E_INTERNAL;
}

static enum souk_err
compile(struct text_engine *e, struct fail *f)
{
	struct literals l = { .text = NULL };
	enum souk_err r = SOUK_OK;

	if (!literals_init(&l) || e->length == NULL)
		r = fail_set(f, SOUK_E_NOMEM, "memory", "the scanner does not fit into memory");
	else if (!fold_terms(e, &l))
		r = fail_set(f, SOUK_E_INTERNAL, "text_engine", "a term folds to nothing");
	for (int set = 0; set < TERMS__COUNT && r == SOUK_OK; set++)
		r = compile_set(e, &l, (enum term_set)set, f);
	literals_done(&l);
	return r;
}

enum souk_err
text_engine_new(struct text_engine **ret, struct fail *f)
{
	struct text_engine *e = calloc(1, sizeof(*e));
	enum souk_err r;

	_Static_assert(sizeof(struct term_hit) <= 24, "hits are many");
	if (e == NULL)
		return fail_set(f, SOUK_E_NOMEM, "memory", "the scanner does not fit into memory");
	e->length = calloc(n_terms, 1);
	r = text_table_new(&e->table);
	if (r != SOUK_OK)
		(void)fail_set(f, r, "text_engine", "ICU's data cannot be read; install libicu72");
	else
		r = compile(e, f);
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
		hs_free_database(e->db[set]);
	text_table_free(e->table);
	free(e->length);
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
		if (hs_alloc_scratch(e->db[set], &s->hs) != HS_SUCCESS) {
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
	for (int set = 0; set < TERMS__COUNT; set++)
		free(s->hits[set].v);
	free(s);
}

struct text_folded *
text_scratch_folded(struct text_scratch *s)
{
	return &s->folded;
}

/* Hits that the scanner makes itself, behind the terms; returns their number. */
static size_t
find_numbers(struct finder *f)
{
	static const uint64_t classes[] = {
		[NUMBER_AMOUNT] = TERM(AMOUNT),
		[NUMBER_CARD] = TERM(CARD),
		[NUMBER_IBAN] = TERM(IBAN),
		[NUMBER_BANK] = TERM(BANK),
	};
	struct number number;
	size_t at = 0, first = f->n;

	while (!f->cut && !f->failed && text_number_next(f->text, &at, &number))
		add_hit(f, number.start, number.end, TERM_MADE, classes[number.kind]);
	return f->n - first;
}

static int
by_end(const void *a, const void *b)
{
	const struct term_hit *x = a, *y = b;

	return (x->end > y->end) - (x->end < y->end);
}

/* Brings the `made` last hits to their places. Few: terms are in order already, and sorting them again costs more than finding them. */
static void
order_hits(struct term_hit *v, size_t n, size_t made)
{
	if (made > FEW) {
		qsort(v, n, sizeof(*v), by_end);
		return;
	}
	for (size_t i = n - made; i < n; i++) {
		struct term_hit own = v[i];
		size_t k = i;

		while (k > 0 && v[k - 1].end > own.end)
			k--;
		memmove(v + k + 1, v + k, (i - k) * sizeof(*v));
		v[k] = own;
	}
}

enum souk_err
text_engine_find(const struct text_engine *e, struct text_scratch *s, enum term_set set,
    const struct text_folded *folded, size_t n, unsigned languages, struct term_hits *ret)
{
	struct finder f = {
		.e = e, .hits = &s->hits[set], .text = { folded->out.p, n }, .languages = languages
	};
	size_t made = 0;
	hs_error_t r;

	if (n > UINT32_MAX || folded->failed)
		return SOUK_E_NOMEM;
	if (f.languages == 0)
		f.languages = LANG_ALL;
	/* Of no text at all there is no address either, which the library refuses. */
	if (n == 0)
		f.text.p = "";
	r = hs_scan(e->db[set], f.text.p, (unsigned)n, 0, s->hs, on_term, &f);
	if (r != HS_SUCCESS && r != HS_SCAN_TERMINATED)
		return SOUK_E_INTERNAL;
	if (set == TERMS_PROSE)
		made = find_numbers(&f);
	if (f.failed)
		return SOUK_E_NOMEM;
	order_hits(f.hits->v, f.n, made);
	*ret = (struct term_hits){ .v = f.hits->v, .n = f.n, .cut = f.cut };
	return SOUK_OK;
}
