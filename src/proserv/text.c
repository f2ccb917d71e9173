/* SPDX-License-Identifier: Apache-2.0 */
/* Scanning a listing's texts; see text.h. */
#include "proserv/text.h"

#include "proserv/links.h"
#include "proserv/text_int.h"

#include <stdlib.h>

#define SENTENCE_MAX 1000 /* bytes */
#define SENTENCE_TERMS_MAX 128
#define NAME_MAX_BYTES 400 /* of a name, folded, that may be a placeholder */
#define PLACE_BYTES 160    /* of a suspicion, at most */

struct scan {
	const struct text_engine *e;
	struct text_scratch *s;
	struct arena *a;
	struct text_hits *out;
	struct text_field *fields;
	uint32_t *start; /* of each field in the folded text, and the end of all */
	size_t n, cap, n_names;
	struct suspicion *found;
	size_t n_found, cap_found;
	bool failed;
	const struct text_folded *folded;
	struct str text; /* all, folded */
};

/* Classes that change what other terms of the sentence mean. */
#define CONTEXT                                                                                    \
	(TERM(NEG) | TERM(BUILD) | TERM(SECURE) | TERM(TRAIN) | TERM(SAVING) | TERM(PROTECT) |     \
	    TERM(SAFECRED))

/* A sentence: hits [first, first + n), text [start, end). */
struct sentence {
	size_t field;
	uint32_t start, end;
	struct term_hit *hits;
	size_t n;
	uint64_t classes;
};

unsigned
text_language(struct str tag)
{
	static const char names[][3] = { "en", "de", "fr", "es", "pt", "ja", "it", "nl" };

	if (tag.n < 2 || (tag.n > 2 && tag.p[2] != '-'))
		return 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (str_eq_nocase((struct str){ tag.p, 2 }, str_c(names[i])))
			return 1u << i;
	return 0;
}

static bool
is_read(const struct fulfilment_event *e)
{
	return e->kind == EVENT_ACCESS_CONFIRMATION && e->text.n > 0;
}

/* At least as many as add_fields finds. */
static size_t
count_fields(const struct listing *l)
{
	size_t n = 4 + l->highlights.n + l->keywords.n + l->n_resources + 2 * l->n_dimensions +
		   l->n_docs + l->n_offers;

	for (size_t i = 0; i < l->n_fulfilments; i++)
		for (size_t k = 0; k < l->fulfilments[i].n_events; k++)
			n += is_read(&l->fulfilments[i].events[k]);
	return n;
}

static void
add_field(struct scan *c, enum text_member member, size_t index, size_t inner, struct str text)
{
	struct text_folded *f = text_scratch_folded(c->s);

	if (text.n == 0)
		return;
	c->start[c->n] = (uint32_t)f->out.n;
	text_fold_add(text_engine_table(c->e), text, (uint32_t)c->n, f);
	c->fields[c->n++] = (struct text_field){
		.member = member, .index = (uint16_t)index, .inner = (uint16_t)inner, .text = text
	};
	c->start[c->n] = (uint32_t)f->out.n;
}

static void
add_fields(struct scan *c, const struct listing *l)
{
	add_field(c, MEMBER_TITLE, 0, 0, l->title);
	for (size_t i = 0; i < l->n_dimensions; i++)
		add_field(c, MEMBER_DIMENSION_NAME, i, 0, l->dimensions[i].name);
	for (size_t i = 0; i < l->n_offers; i++)
		add_field(c, MEMBER_OFFER_NAME, i, 0, l->offers[i].name);
	c->n_names = c->n;
	add_field(c, MEMBER_SHORT, 0, 0, l->short_description);
	add_field(c, MEMBER_LONG, 0, 0, l->long_description);
	add_field(c, MEMBER_SUPPORT, 0, 0, l->support_description);
	for (size_t i = 0; i < l->highlights.n; i++)
		add_field(c, MEMBER_HIGHLIGHT, i, 0, l->highlights.v[i]);
	for (size_t i = 0; i < l->keywords.n; i++)
		add_field(c, MEMBER_KEYWORD, i, 0, l->keywords.v[i]);
	for (size_t i = 0; i < l->n_resources; i++)
		add_field(c, MEMBER_RESOURCE_NAME, i, 0, l->resources[i].name);
	for (size_t i = 0; i < l->n_dimensions; i++)
		add_field(c, MEMBER_DIMENSION_TEXT, i, 0, l->dimensions[i].description);
	for (size_t i = 0; i < l->n_docs; i++)
		add_field(c, MEMBER_DOC_TEXT, i, 0, l->docs[i].text);
	for (size_t i = 0; i < l->n_fulfilments; i++)
		for (size_t k = 0; k < l->fulfilments[i].n_events; k++)
			if (is_read(&l->fulfilments[i].events[k]))
				add_field(
				    c, MEMBER_EVENT_TEXT, i, k, l->fulfilments[i].events[k].text);
}

/* The field that the folded byte `at` belongs to, not before field `from`. */
static size_t
field_at(const struct scan *c, size_t from, uint32_t at)
{
	while (from + 1 < c->n && at >= c->start[from + 1])
		from++;
	return from;
}

/* Where it came from in its field's text. */
static uint32_t
origin(const struct scan *c, size_t field, uint32_t at)
{
	uint32_t o = text_fold_origin(c->folded, at);

	return o < c->fields[field].text.n ? o : (uint32_t)c->fields[field].text.n;
}

static void
suspect(struct scan *c, struct suspicion s)
{
	if (c->n_found == SUSPICIONS_MAX) {
		c->out->cut = true;
		return;
	}
	if (c->n_found == c->cap_found) {
		size_t cap = c->cap_found ? 4 * c->cap_found : 16;
		struct suspicion *p = reallocarray(c->found, cap, sizeof(*p));

		if (p == NULL) {
			c->failed = true;
			return;
		}
		c->found = p;
		c->cap_found = cap;
	}
	c->found[c->n_found++] = s;
}

static void
suspect_folded(struct scan *c, enum suspicion_kind kind, uint8_t score, size_t field,
    uint32_t start, uint32_t end, uint64_t classes)
{
	uint32_t from = origin(c, field, start), to = origin(c, field, end);
	struct str text = c->fields[field].text;

	/* The byte behind may be that of the next character but one: what folds to nothing lies between. */
	while (to > from && to < text.n && ((unsigned char)text.p[to] & 0xc0) == 0x80)
		to++;
	if (to - from > PLACE_BYTES)
		to = from + PLACE_BYTES;
	while (to > from && to < text.n && ((unsigned char)text.p[to] & 0xc0) == 0x80)
		to--;
	suspect(c, (struct suspicion){ .kind = kind,
		       .score = score,
		       .field = (uint32_t)field,
		       .start = from,
		       .end = to,
		       .classes = classes });
}

/* An abbreviation's full stop ends no sentence: one or two letters before it, or one of these words. */
static bool
is_abbreviation(struct str s, size_t stop)
{
	static const char words[][8] = { "excl", "incl", "zzgl", "inkl", "approx", "max", "min",
		"bzw", "attn", "ggf", "inc", "prof" };
	char word[8] = { '\0' };
	size_t n = 0;

	while (n < stop && n < sizeof(word) && folded_is_word(s, stop - 1 - n))
		n++;
	if (n >= 1 && n <= 2 && s.p[stop - 1] >= 'a' && s.p[stop - 1] <= 'z')
		return true;
	if (n == 0 || n == sizeof(word))
		return false;
	memcpy(word, s.p + stop - n, n);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (memcmp(word, words[i], sizeof(word)) == 0)
			return true;
	return false;
}

static bool
ends_sentence(struct str s, size_t i)
{
	switch (s.p[i]) {
	case '\n':
	case ';':
		return true;
	case '!':
	case '?':
	case '.':
		if (i + 1 < s.n && s.p[i + 1] != ' ' && s.p[i + 1] != '\n')
			return false;
		return s.p[i] != '.' || !is_abbreviation(s, i);
	default:
		return false;
	}
}

typedef uint8_t bytes16 __attribute__((vector_size(16)));

/* The first byte in [i, end) that ends a sentence; `end` when there is none. */
static uint32_t
sentence_end(struct str s, uint32_t i, uint32_t end)
{
	while (i < end) {
		if (s.n - i >= 16) {
			bytes16 v;
			uint64_t half[2];

			memcpy(&v, s.p + i, 16);
			v = (bytes16)((v == '\n') | (v == ';') | (v == '!') | (v == '?') |
				      (v == '.'));
			memcpy(half, &v, 16);
			if ((half[0] | half[1]) == 0) {
				i += 16;
				continue;
			}
			i += half[0] ? (uint32_t)__builtin_ctzll(half[0]) / 8
				     : 8 + (uint32_t)__builtin_ctzll(half[1]) / 8;
		}
		if (i < end && ends_sentence(s, i))
			return i;
		i++;
	}
	return end;
}

/* The sentence of the hit at `first`, not reaching back before `from`. */
static struct sentence
sentence_of(const struct scan *c, struct term_hits *h, size_t first, uint32_t from, size_t field)
{
	struct sentence s = { .hits = h->v + first };
	uint32_t at = h->v[first].start, most, end;

	s.field = field_at(c, field, at);
	if (from < c->start[s.field])
		from = c->start[s.field];
	if (at > from + SENTENCE_MAX)
		from = at - SENTENCE_MAX;
	s.start = from < at ? from : at;
	while (s.start < at && (end = sentence_end(c->text, s.start, at)) < at)
		s.start = end + 1;
	most = c->start[s.field + 1];
	if (most > s.start + SENTENCE_MAX)
		most = s.start + SENTENCE_MAX;
	s.end = h->v[first].end;
	if (s.end < most)
		s.end = sentence_end(c->text, s.end, most);
	while (first + s.n < h->n && s.n < SENTENCE_TERMS_MAX && h->v[first + s.n].start <= s.end)
		s.n++;
	return s;
}

/* Part of a link or an address: such words say nothing about the sentence. */
static bool
in_a_link(struct str text, const struct term_hit *h)
{
	bool before = h->start > 0 && memchr("./@", text.p[h->start - 1], 3) != NULL;
	bool after =
	    h->end + 1 < text.n && text.p[h->end] == '.' && folded_is_word(text, h->end + 1);

	return before || after;
}

static inline void
take_within(struct term_hit *inner, const struct term_hit *outer, uint64_t takes)
{
	if (inner->start >= outer->start && inner->end <= outer->end &&
	    inner->end - inner->start < outer->end - outer->start)
		inner->classes &= ~takes;
}

/*
 * Terms within a shadow mean nothing; nor do those that change the meaning of others, within a longer term ("off platform" is
 * no platform) or within a link.
 */
static void
shade(const struct scan *c, struct sentence *s)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct term_hit *outer = &s->hits[i];
		uint64_t takes = outer->classes & TERM(SHADOW) ? ~UINT64_C(0)
				 : outer->classes & ~CONTEXT   ? CONTEXT
							       : 0;

		if (takes == 0)
			continue;
		/* By their ends: what is within is before it, or ends where it does. */
		for (size_t k = i; k > 0 && s->hits[k - 1].end > outer->start; k--)
			take_within(&s->hits[k - 1], outer, takes);
		for (size_t k = i + 1; k < s->n && s->hits[k].end == outer->end; k++)
			take_within(&s->hits[k], outer, takes);
	}
	for (size_t i = 0; i < s->n; i++) {
		if ((s->hits[i].classes & CONTEXT) && in_a_link(c->text, &s->hits[i]))
			s->hits[i].classes &= ~CONTEXT;
		s->classes |= s->hits[i].classes;
	}
}

/* Nothing but what binds words together between the two: none of these signs. */
static bool
beside(
    const struct scan *c, const struct term_hit *a, const struct term_hit *b, const char *parting)
{
	uint32_t from = a->end < b->end ? a->end : b->end,
		 to = a->start > b->start ? a->start : b->start;

	for (; from < to && *parting != '\0'; parting++)
		if (memchr(c->text.p + from, *parting, to - from) != NULL)
			return false;
	return true;
}

/* Does a term of the classes `by` stand beside one of `classes`? */
static bool
is_undone(const struct scan *c, const struct sentence *s, uint64_t by, uint64_t classes,
    const char *parting)
{
	if (!(s->classes & by))
		return false;
	for (size_t i = 0; i < s->n; i++) {
		if (!(s->hits[i].classes & by))
			continue;
		for (size_t k = 0; k < s->n; k++)
			if ((s->hits[k].classes & classes) &&
			    beside(c, &s->hits[i], &s->hits[k], parting))
				return true;
	}
	return false;
}

/* "We lower your bill, but AWS infrastructure costs extra" denies no costs: only what is said of the infrastructure does. */
static bool
costs_nothing(const struct scan *c, const struct sentence *s)
{
	return is_undone(c, s, TERM(NOCOST), TERM(INFRA), ",:");
}

/* A first sentence on what AWS costs, and a second that says who pays that. */
static bool
is_notice_of_two(const struct scan *c, const struct sentence *a, const struct sentence *b)
{
	struct str second = { c->text.p + b->start, b->end - b->start };

	if (a->field != b->field || (a->classes & PAIR_FIRST) != PAIR_FIRST ||
	    !(b->classes & PAIR_SECOND) || (b->classes & TERM(NOCOST)) || costs_nothing(c, a))
		return false;
	return (b->classes & TERM(COST)) || text_refers_back(second);
}

/* The place is that from the first of the terms to the last. */
static void
suspect_hits(
    struct scan *c, const struct text_pattern *p, const struct sentence *s, uint64_t classes)
{
	uint32_t from = UINT32_MAX, to = 0;

	for (size_t i = 0; i < s->n; i++)
		if (s->hits[i].classes & classes) {
			from = s->hits[i].start < from ? s->hits[i].start : from;
			to = s->hits[i].end > to ? s->hits[i].end : to;
		}
	suspect_folded(c, p->kind, p->score, s->field, from, to, s->classes & classes);
}

/* Does the sentence speak of whom it has to, beside a term of the first part? */
static bool
speaks(const struct scan *c, const struct sentence *s, const struct text_pattern *p)
{
	struct str text = { c->text.p + s->start, s->end - s->start };

	for (size_t i = 0; i < s->n; i++) {
		const struct term_hit *h = &s->hits[i];

		if ((h->classes & p->part[0]) &&
		    text_speaks(text, h->start - s->start, h->end - s->start, p->speaks))
			return true;
	}
	return false;
}

/* Do terms of the pattern's first two parts stand as near as it wants? */
static bool
is_near(const struct scan *c, const struct sentence *s, const struct text_pattern *p)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct term_hit *a = &s->hits[i];

		for (size_t k = 0; (a->classes & p->part[0]) && k < s->n; k++) {
			const struct term_hit *b = &s->hits[k];

			if ((b->classes & p->part[1]) && a->start <= b->end + p->near &&
			    b->start <= a->end + p->near && beside(c, a, b, ","))
				return true;
		}
	}
	return false;
}

static bool
try_pattern(struct scan *c, const struct sentence *s, const struct text_pattern *p)
{
	uint64_t all = 0;

	if (s->classes & p->none)
		return false;
	for (size_t i = 0; i < PATTERN_PARTS && p->part[i] != 0; i++) {
		if (!(s->classes & p->part[i]))
			return false;
		all |= p->part[i];
	}
	if (p->near > 0 && !is_near(c, s, p))
		return false;
	if (p->negatable && is_undone(c, s, TERM(NEG), all, ",:"))
		return false;
	if (p->kind == NOTICE_COST && costs_nothing(c, s))
		return false;
	if (p->speaks != SPEAKS_ANYHOW && !speaks(c, s, p))
		return false;
	suspect_hits(c, p, s, all);
	return true;
}

static void
try_patterns(struct scan *c, const struct sentence *s)
{
	unsigned done = 0; /* kinds */

	for (size_t i = 0; i < n_text_patterns; i++) {
		const struct text_pattern *p = &text_patterns[i];

		if (!(s->classes & p->part[0]) || (done & 1u << p->kind))
			continue;
		if (try_pattern(c, s, p))
			done |= 1u << p->kind;
	}
}

/* Who keeps explicit matter away has to name it. */
static bool
is_kept_away(const struct sentence *s, const struct term_hit *offence)
{
	if ((s->classes & (TERM(MODERATE) | TERM(EXPLICIT))) != (TERM(MODERATE) | TERM(EXPLICIT)))
		return false;
	for (size_t i = 0; i < s->n; i++)
		if ((s->hits[i].classes & TERM(EXPLICIT)) && s->hits[i].start < offence->end &&
		    s->hits[i].end > offence->start)
			return true;
	return false;
}

/* Part of a longer word that is offensive itself. */
static bool
is_told_with(const struct sentence *s, size_t i)
{
	const struct term_hit *h = &s->hits[i];

	for (size_t k = 0; k < s->n; k++) {
		const struct term_hit *o = &s->hits[k];

		if ((o->classes & TERM(OFFEND)) && o->start <= h->start && o->end >= h->end &&
		    (o->end - o->start > h->end - h->start || k < i))
			return k != i;
	}
	return false;
}

/* Words whose accents make the difference ("ano", "año") need them in the text. */
static void
find_offences(struct scan *c, const struct sentence *s)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct term_hit *h = &s->hits[i];
		uint32_t bytes;

		if (!(h->classes & TERM(OFFEND)) || is_told_with(s, i) || is_kept_away(s, h))
			continue;
		bytes = origin(c, s->field, h->end) - origin(c, s->field, h->start);
		if (h->term == TERM_MADE || bytes >= strlen(terms[h->term].text))
			suspect_folded(
			    c, SUSPECT_OFFENCE, 85, s->field, h->start, h->end, TERM(OFFEND));
	}
}

static void
find_masked(struct scan *c)
{
	unsigned languages = c->out->language ? c->out->language : LANG_ALL;

	for (size_t i = 0; i < c->n; i++) {
		struct masked m = { .end = 0 };

		while (text_masked_next(c->fields[i].text, languages, &m))
			suspect(c, (struct suspicion){ .kind = SUSPECT_OFFENCE,
				       .score = 75,
				       .field = (uint32_t)i,
				       .start = (uint32_t)m.start,
				       .end = (uint32_t)m.end,
				       .classes = TERM(OFFEND) });
	}
}

static void
count_steps(struct text_field *f, const struct sentence *s)
{
	for (size_t i = 0; i < s->n; i++)
		if ((s->hits[i].classes & TERM(NEXT)) && f->next_steps < 255)
			f->next_steps++;
}

static void
read_sentences(struct scan *c, struct term_hits *h)
{
	struct sentence before = { .n = 0 };
	uint32_t from = 0;

	for (size_t i = 0; i < h->n;) {
		struct sentence s = sentence_of(c, h, i, from, before.field);

		if (s.n == 0)
			s.n = 1;
		shade(c, &s);
		c->fields[s.field].classes |= s.classes;
		if (s.classes & TERM(NEXT))
			count_steps(&c->fields[s.field], &s);
		if (s.classes & TERM(OFFEND))
			find_offences(c, &s);
		try_patterns(c, &s);
		if (i > 0 && is_notice_of_two(c, &before, &s))
			suspect_folded(c, NOTICE_COST, 70, s.field, s.start, s.end, PAIR_SECOND);
		before = s;
		from = s.end;
		i += s.n;
	}
}

/* Terms that name something, and whether nothing else is there. */
static void
read_names(struct scan *c, const struct term_hits *h)
{
	size_t i = 0;

	for (size_t field = 0; field < c->n_names; field++) {
		struct text_field *f = &c->fields[field];
		uint32_t base = c->start[field], end = c->start[field + 1] - 1;
		bool covered[NAME_MAX_BYTES], anywhere = false;

		memset(covered, false, end - base < NAME_MAX_BYTES ? end - base : NAME_MAX_BYTES);
		for (; i < h->n && h->v[i].start < end; i++) {
			const struct term_hit *t = &h->v[i];

			f->classes |= t->classes;
			anywhere |= (t->classes & TERM(PANY)) != 0;
			for (uint32_t k = t->start - base;
			     (t->classes & TERM(PWORD)) && k < t->end - base && k < NAME_MAX_BYTES;
			     k++)
				covered[k] = true;
			if (f->member == MEMBER_OFFER_NAME && (t->classes & TERM(HONOR)))
				suspect_folded(
				    c, SUSPECT_HONOR, 70, field, t->start, t->end, t->classes);
			if (f->member == MEMBER_OFFER_NAME && (t->classes & TERM(STREET)))
				suspect_folded(
				    c, SUSPECT_STREET, 70, field, t->start, t->end, t->classes);
			if (f->member == MEMBER_OFFER_NAME && (t->classes & TERM(ORG)))
				suspect_folded(
				    c, SUSPECT_ORG, 70, field, t->start, t->end, t->classes);
		}
		f->placeholder = end - base <= NAME_MAX_BYTES;
		for (uint32_t k = base; k < end && f->placeholder; k++)
			if (folded_is_word(c->text, k) &&
			    !(c->text.p[k] >= '0' && c->text.p[k] <= '9'))
				f->placeholder = covered[k - base];
		f->placeholder |= anywhere;
	}
}

static void
tell_hidden(struct scan *c)
{
	size_t n = c->folded->n_hidden < HIDDEN_MAX ? c->folded->n_hidden : HIDDEN_MAX;

	for (size_t i = 0; i < n; i++) {
		const struct hidden *h = &c->folded->hidden[i];
		bool overrides = h->code == 0x202d || h->code == 0x202e;

		/* In a text with Arabic or Hebrew letters directions have their use. */
		if (h->kind == HIDDEN_DIRECTION && !overrides && c->folded->right_to_left)
			continue;
		suspect(c, (struct suspicion){ .kind = SUSPECT_HIDING,
			       .score = 90,
			       .field = h->field,
			       .start = h->at,
			       .end = h->at + 1,
			       .code = h->code });
	}
}

static bool
is_short_host(struct str host)
{
	static const char *const names[] = { "bit.ly", "tinyurl.com", "t.co", "goo.gl", "ow.ly",
		"is.gd", "buff.ly", "rebrand.ly", "cutt.ly", "rb.gy", "shorturl.at", "tiny.cc",
		"t.ly", "v.gd", "bl.ink", "s.id" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (str_eq(host, str_c(names[i])))
			return true;
	return false;
}

/* Digits and dots, or "[": no name. */
static bool
is_bare_address(struct str host)
{
	size_t dots = 0;

	for (size_t i = 0; i < host.n; i++) {
		if (host.p[i] != '.' && !(host.p[i] >= '0' && host.p[i] <= '9'))
			return host.p[0] == '[';
		dots += host.p[i] == '.';
	}
	return dots == 3;
}

static void
find_links(struct scan *c)
{
	struct str rest = c->text;
	size_t field = 0, n;

	while ((n = link_mark(rest)) < rest.n) {
		struct str host = { rest.p + n + 3, 0 };

		rest.p += n + 3;
		rest.n -= n + 3;
		while (host.n < rest.n && host.n < 255 &&
		       memchr("/?#: \n\"'()<>,", host.p[host.n], 13) == NULL)
			host.n++;
		if (is_short_host(host) || is_bare_address(host)) {
			uint32_t at = (uint32_t)(host.p - c->text.p);

			field = field_at(c, field, at);
			suspect_folded(c, SUSPECT_LINK, 80, field, at, at + (uint32_t)host.n, 0);
		}
	}
}

static bool
begin(struct scan *c, const struct listing *l, struct arena *a)
{
	c->cap = count_fields(l);
	c->a = a;
	c->out = ARENA_NEW(a, struct text_hits);
	c->fields = arena_array(a, c->cap, sizeof(*c->fields));
	c->start = malloc((c->cap + 1) * sizeof(*c->start));
	return c->out != NULL && c->fields != NULL && c->start != NULL;
}

static enum souk_err
scan(struct scan *c, const struct listing *l)
{
	struct term_hits names = { .n = 0 }, prose = { .n = 0 };
	enum souk_err r;

	c->out->language = text_language(l->language);
	c->start[0] = 0;
	text_fold_clear(text_scratch_folded(c->s));
	add_fields(c, l);
	c->folded = text_scratch_folded(c->s);
	c->text = buf_str(&c->folded->out);
	r = text_engine_find(c->e, c->s, TERMS_NAMES, c->folded,
	    c->n_names ? c->start[c->n_names] : 0, c->out->language, &names);
	if (r == SOUK_OK)
		r = text_engine_find(
		    c->e, c->s, TERMS_PROSE, c->folded, c->text.n, c->out->language, &prose);
	if (r != SOUK_OK)
		return r;
	c->out->cut = names.cut || prose.cut;
	read_names(c, &names);
	read_sentences(c, &prose);
	find_masked(c);
	find_links(c);
	tell_hidden(c);
	return c->failed ? SOUK_E_NOMEM : SOUK_OK;
}

static enum souk_err
keep(struct scan *c, const struct text_hits **ret)
{
	struct str all = arena_str(c->a, c->text);
	struct suspicion *s = arena_array(c->a, c->n_found ? c->n_found : 1, sizeof(*s));

	if (all.p == NULL || s == NULL)
		return SOUK_E_NOMEM;
	for (size_t i = 0; i < c->n; i++)
		c->fields[i].folded =
		    (struct str){ all.p + c->start[i], c->start[i + 1] - c->start[i] - 1 };
	if (c->n_found > 0)
		memcpy(s, c->found, c->n_found * sizeof(*s));
	c->out->fields = c->fields;
	c->out->n_fields = c->n;
	c->out->suspicions = s;
	c->out->n_suspicions = c->n_found;
	*ret = c->out;
	return SOUK_OK;
}

enum souk_err
text_scan(const struct text_engine *e, struct text_scratch *s, const struct listing *l,
    struct arena *a, const struct text_hits **ret)
{
	struct scan c = { .e = e, .s = s };
	enum souk_err r = SOUK_E_NOMEM;

	if (begin(&c, l, a))
		r = scan(&c, l);
	if (r == SOUK_OK)
		r = keep(&c, ret);
	free(c.start);
	free(c.found);
	return r;
}
