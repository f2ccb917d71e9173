/* SPDX-License-Identifier: Apache-2.0 */
/* Making what is looked for of the terms; see text_needle.h. */
#include "proserv/text_needle.h"

#include <hs.h>
#include <stdlib.h>

/* Bytes. Longer heads are more to look for, shorter ones begin more words; measured, 8 is fastest. */
#define HEAD_MAX 8

typedef uint8_t bytes16 __attribute__((vector_size(16)));
typedef int8_t signed16 __attribute__((vector_size(16)));

/* A needle before its head has a place. */
struct raw {
	char head[HEAD_MAX + 1];
	struct needle needle;
};

/* What hs_compile_lit_multi is given. */
struct literals {
	const char **text;
	unsigned *flags, *ids;
	size_t *length;
};

/* Blanks what is no part of a word; notes in `signs` where a sign of currency may be. */
static inline void
plain_block(const char *in, size_t n, char *out, bytes16 *signs)
{
	bytes16 v = { 0 }, word;
	signed16 c;

	if (n >= 16)
		memcpy(&v, in, 16);
	else
		memcpy(&v, in, n);
	c = (signed16)v;
	*signs |= (bytes16)((v == 0xc2) | (v == 0xe2));
	word = (bytes16)((c < 0) | ((c > '/') & (c < ':')) | ((c > '`') & (c < '{')) | (c == '_'));
	v = (v & word) | (' ' & ~word);
	memcpy(out, &v, 16);
}

const char *
text_plain(struct str text, char *out)
{
	bytes16 signs = { 0 };
	uint64_t half[2];
	size_t i = 0;

	*out++ = ' ';
	for (; text.n - i >= 16; i += 16)
		plain_block(text.p + i, 16, out + i, &signs);
	plain_block(text.p + i, text.n - i, out + i, &signs);
	memset(out + text.n, ' ', 16);
	memcpy(half, &signs, 16);
	for (i = 0; (half[0] | half[1]) && i < text.n; i++)
		if ((unsigned char)text.p[i] >= 0x80 && !folded_is_letter(text, i))
			out[i] = ' ';
	return out;
}

enum souk_err
folded_terms_make(const struct text_table *t, struct folded_terms *ret)
{
	ret->at = calloc(n_terms + 1, sizeof(*ret->at));
	if (ret->at == NULL)
		return SOUK_E_NOMEM;
	for (size_t i = 0; i < n_terms && !ret->folded.failed; i++) {
		text_fold_add(t, str_c(terms[i].text), 0, &ret->folded);
		ret->at[i + 1] = (uint32_t)ret->folded.out.n;
	}
	return ret->folded.failed ? SOUK_E_NOMEM : SOUK_OK;
}

void
folded_terms_done(struct folded_terms *t)
{
	text_fold_done(&t->folded);
	free(t->at);
	t->at = NULL;
}

static bool
in_set(const struct term *t, enum term_set set)
{
	return (t->classes & (set == TERMS_NAMES ? NAME_CLASSES : ~NAME_CLASSES)) != 0;
}

/* False when the term is too long, or has no part of a word that could be looked for. */
static bool
make_raw(struct str text, size_t term, struct raw *ret)
{
	char room[UINT8_MAX + PLAIN_ROOM];
	struct needle *v = &ret->needle;
	const char *plain;
	bool border;
	size_t n;

	if (text.n == 0 || text.n > UINT8_MAX)
		return false;
	plain = text_plain(text, room);
	border = !(terms[term].flags & TERM_OPEN_BEFORE) && plain[0] != ' ';
	*v = (struct needle){ .length = (uint8_t)text.n,
		.term = (uint16_t)term,
		.valid = terms[term].valid,
		.closed = !(terms[term].flags & TERM_OPEN_AFTER) && plain[text.n - 1] != ' ' };
	n = border + text.n + v->closed;
	memset(ret->head, 0, sizeof(ret->head));
	memcpy(ret->head, plain - border, n < HEAD_MAX ? n : HEAD_MAX);
	n -= strlen(ret->head);
	if (n > sizeof(v->next))
		n = sizeof(v->next);
	memcpy(&v->next, plain - border + strlen(ret->head), n);
	v->skip = (uint8_t)(32 - 8 * n);
	v->whole = border + text.n <= strlen(ret->head) + n && memchr(plain, ' ', text.n) == NULL;
	v->back = (uint8_t)(strlen(ret->head) - border);
	return strspn(ret->head, " ") < strlen(ret->head);
}

static int
by_head(const void *a, const void *b)
{
	const struct raw *x = a, *y = b;
	int r = strcmp(x->head, y->head);

	return r != 0 ? r : x->needle.term - y->needle.term;
}

/* The set's needles in the order of their heads; `raw` has room for all terms. */
static enum souk_err
make_needles(const struct folded_terms *t, enum term_set set, struct raw *raw,
    struct needle_set *ret, struct fail *f)
{
	size_t n = 0;

	for (size_t i = 0; i < n_terms; i++)
		if (in_set(&terms[i], set) && !make_raw(folded_term(t, i), i, &raw[n++]))
			return fail_set(f, SOUK_E_INTERNAL, "text_engine",
			    "a term is too long, or no word: %s", terms[i].text);
	qsort(raw, n, sizeof(*raw), by_head);
	for (size_t i = 0; i < n; i++) {
		ret->v[i] = raw[i].needle;
		ret->v[i].last = i + 1 == n || strcmp(raw[i].head, raw[i + 1].head) != 0;
	}
	ret->n = n;
	return SOUK_OK;
}

static enum souk_err
compile(struct needle_set *s, const struct raw *raw, struct literals *l, struct fail *f)
{
	hs_compile_error_t *error = NULL;
	unsigned n = 0;

	for (size_t i = 0; i < s->n; i++) {
		if (i > 0 && !s->v[i - 1].last)
			continue;
		l->text[n] = raw[i].head;
		l->length[n] = strlen(raw[i].head);
		l->ids[n++] = (unsigned)i;
	}
	if (hs_compile_lit_multi(l->text, l->flags, l->ids, l->length, n, HS_MODE_BLOCK, NULL,
		&s->db, &error) == HS_SUCCESS)
		return SOUK_OK;
	(void)fail_set(f, SOUK_E_INTERNAL, "text_engine", "the terms cannot be compiled: %s",
	    error != NULL ? error->message : "");
	hs_free_compile_error(error);
	return SOUK_E_INTERNAL;
}

enum souk_err
needle_set_make(
    const struct folded_terms *t, enum term_set set, struct needle_set *ret, struct fail *f)
{
	struct raw *raw = calloc(n_terms, sizeof(*raw));
	struct literals l = { .text = calloc(n_terms, sizeof(*l.text)),
		.flags = calloc(n_terms, sizeof(*l.flags)),
		.ids = calloc(n_terms, sizeof(*l.ids)),
		.length = calloc(n_terms, sizeof(*l.length)) };
	enum souk_err r;

	ret->v = calloc(n_terms, sizeof(*ret->v));
	if (raw == NULL || l.text == NULL || l.flags == NULL || l.ids == NULL || l.length == NULL ||
	    ret->v == NULL)
		r = fail_set(f, SOUK_E_NOMEM, "memory", "the scanner does not fit into memory");
	else
		r = make_needles(t, set, raw, ret, f);
	if (r == SOUK_OK)
		r = compile(ret, raw, &l, f);
	free(raw);
	free(l.text);
	free(l.flags);
	free(l.ids);
	free(l.length);
	return r;
}

void
needle_set_done(struct needle_set *s)
{
	hs_free_database(s->db);
	free(s->v);
	*s = (struct needle_set){ .db = NULL };
}
