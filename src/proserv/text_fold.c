/* SPDX-License-Identifier: Apache-2.0 */
/* Folding texts; see text_fold.h. */
#include "base/utf8.h"
#include "proserv/text_fold_int.h"

#include <stdlib.h>

#define TAG_MAX 256 /* bytes of a tag; what is longer is no tag */
#define COMMENT_MAX 4096
#define LOOK_AHEAD 16 /* characters without width in a row that are looked past */
#define SAME_WORD 32  /* bytes: two alphabets so near are told once */
#define ROOM 64       /* what one character adds at most, and a block of 16 */

typedef uint8_t bytes16 __attribute__((vector_size(16)));
typedef int8_t signed16 __attribute__((vector_size(16)));

struct cursor {
	const struct text_table *t;
	const unsigned char *p;
	size_t n, i;
	uint32_t field;
	struct text_folded *f;
	size_t line;           /* where the line begins */
	size_t no_comment_end; /* no comment ends before it */
	bool in_a_run;         /* the last character could not be seen */
};

void
text_fold_done(struct text_folded *f)
{
	buf_done(&f->out);
	free(f->steps);
	*f = (struct text_folded){ .steps = NULL };
}

void
text_fold_clear(struct text_folded *f)
{
	buf_clear(&f->out);
	f->n_steps = f->n_hidden = 0;
	f->right_to_left = f->failed = false;
}

static void
add_step(struct text_folded *f, size_t origin)
{
	if (f->n_steps == f->cap_steps) {
		size_t cap = f->cap_steps ? 2 * f->cap_steps : 256;
		struct fold_step *p = reallocarray(f->steps, cap, sizeof(*p));

		if (p == NULL) {
			f->failed = true;
			return;
		}
		f->steps = p;
		f->cap_steps = cap;
	}
	f->steps[f->n_steps++] =
	    (struct fold_step){ .folded = (uint32_t)f->out.n, .text = (uint32_t)origin };
}

/* The byte that comes next in the folded text is that at `origin`. */
static inline void
keep_step(struct text_folded *f, size_t origin)
{
	const struct fold_step *last = &f->steps[f->n_steps - 1];

	if (f->out.n - last->folded != origin - last->text)
		add_step(f, origin);
}

static inline char
last_of(const struct cursor *c)
{
	return c->f->out.n > 0 ? c->f->out.p[c->f->out.n - 1] : '\n';
}

static inline bool
is_gap(char b)
{
	return b == ' ' || b == '\n';
}

static inline void
emit(struct cursor *c, size_t origin, char b)
{
	if (b == ' ' && is_gap(last_of(c)))
		return;
	keep_step(c->f, origin);
	c->f->out.p[c->f->out.n++] = b;
}

static inline bool
is_letter(unsigned char b)
{
	return (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') || b >= 0x80;
}

static inline bool
is_latin(unsigned char b)
{
	return (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') || (b >= '0' && b <= '9');
}

static void
note_hidden(struct cursor *c, enum hiding kind, size_t origin, uint32_t code)
{
	struct text_folded *f = c->f;

	if (f->n_hidden < HIDDEN_MAX)
		f->hidden[f->n_hidden] = (struct hidden){
			.kind = kind, .field = c->field, .at = (uint32_t)origin, .code = code
		};
	f->n_hidden++;
}

/* Between two Latin letters nothing without width has a use. */
static bool
inside_word(const struct cursor *c, size_t i)
{
	struct str rest = { (const char *)c->p + i, c->n - i };

	if (!is_latin((unsigned char)last_of(c)))
		return false;
	for (size_t k = 0; k < LOOK_AHEAD && rest.n > 0; k++) {
		uint32_t code = 0;
		size_t len = utf8_next(rest, &code);

		if (code < 0x80 || len == 0)
			return len != 0 && is_latin((unsigned char)code);
		if (code >= FOLD_CODES || (c->t->entry[code] & FOLD_KIND) != FOLD_HIDDEN)
			return false;
		rest = (struct str){ rest.p + len, rest.n - len };
	}
	return false;
}

static void
fold_hidden(struct cursor *c, size_t origin, uint32_t code)
{
	if ((code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069))
		note_hidden(c, HIDDEN_DIRECTION, origin, code);
	else if (!c->in_a_run && inside_word(c, c->i))
		note_hidden(c, HIDDEN_WIDTH, origin, code);
}

static void
note_look(struct cursor *c, size_t origin, uint32_t code)
{
	const struct hidden *last = c->f->n_hidden > 0 && c->f->n_hidden <= HIDDEN_MAX
					? &c->f->hidden[c->f->n_hidden - 1]
					: NULL;
	bool before = origin > 0 && c->p[origin - 1] < 0x80 && is_letter(c->p[origin - 1]);
	bool after = c->i < c->n && c->p[c->i] < 0x80 && is_letter(c->p[c->i]);

	if ((before || after) && !(last != NULL && last->kind == HIDDEN_LOOK &&
				     last->field == c->field && origin - last->at < SAME_WORD))
		note_hidden(c, HIDDEN_LOOK, origin, code);
}

static bool
is_right_to_left(uint32_t code)
{
	return (code >= 0x590 && code < 0x900) || (code >= 0xfb1d && code < 0xfe00) ||
	       (code >= 0xfe70 && code < 0xff00);
}

/* One character that is not ASCII; c->i is behind it already. */
static void
fold_code(struct cursor *c, size_t origin, uint32_t code)
{
	uint32_t e = code < FOLD_CODES ? c->t->entry[code] : FOLD_KEEP;
	bool in_a_run = false;

	if (code >= 0xe0000 && code < 0xe1000)
		e = code >= 0xe0100 && code < 0xe01f0 ? FOLD_DROP : FOLD_HIDDEN;
	if (e & FOLD_LOOK)
		note_look(c, origin, code);
	c->f->right_to_left |= is_right_to_left(code);
	switch (e & FOLD_KIND) {
	case FOLD_KEEP:
		keep_step(c->f, origin);
		c->f->out.n += fold_utf8(code, c->f->out.p + c->f->out.n);
		break;
	case FOLD_POOL: {
		const char *s = c->t->pool.p + (e >> 8);

		keep_step(c->f, origin);
		memcpy(c->f->out.p + c->f->out.n, s + 1, (size_t)s[0]);
		c->f->out.n += (size_t)s[0];
		break;
	}
	case FOLD_DROP:
		break;
	case FOLD_HIDDEN:
		fold_hidden(c, origin, code);
		in_a_run = true;
		break;
	case FOLD_BLANK:
		emit(c, origin, ' ');
		break;
	default:
		for (uint32_t k = 1; k <= (e & FOLD_KIND); k++)
			emit(c, origin, (char)(e >> (8 * k)));
		break;
	}
	c->in_a_run = in_a_run;
}

static void
fold_ascii(struct cursor *c, size_t origin, unsigned char b)
{
	c->in_a_run = false;
	if (b < 0x20 || b == 0x7f)
		b = ' ';
	else if (b >= 'A' && b <= 'Z')
		b |= 0x20;
	emit(c, origin, (char)b);
}

/* Does what follows the line feed at `i` begin something new: a blank line, an item, a heading, the end? */
static bool
begins_anew(const struct cursor *c, size_t i)
{
	size_t digits = 0;

	for (i++; i < c->n && (c->p[i] == ' ' || c->p[i] == '\t' || c->p[i] == '\r'); i++)
		if (i - c->i > ROOM)
			return false;
	if (i >= c->n || c->p[i] == '\n')
		return true;
	while (
	    digits < 3 && i + digits < c->n && c->p[i + digits] >= '0' && c->p[i + digits] <= '9')
		digits++;
	if (digits > 0)
		return i + digits < c->n && (c->p[i + digits] == '.' || c->p[i + digits] == ')');
	return memchr("-*+#>|", c->p[i], 6) != NULL ||
	       (c->n - i >= 3 && memcmp(c->p + i, "\xe2\x80\xa2", 3) == 0);
}

static void
fold_line_feed(struct cursor *c)
{
	bool ended = c->line < c->n && (c->p[c->line] == '#' || c->p[c->line] == '|');

	if (ended || begins_anew(c, c->i)) {
		if (last_of(c) == ' ')
			c->f->out.n--;
		while (c->f->n_steps > 1 && c->f->steps[c->f->n_steps - 1].folded > c->f->out.n)
			c->f->n_steps--;
		if (last_of(c) != '\n')
			emit(c, c->i, '\n');
	} else {
		emit(c, c->i, ' ');
	}
	c->line = ++c->i;
}

static bool
is_inline_tag(const unsigned char *name, size_t n)
{
	static const char *const names[] = { "a", "abbr", "b", "big", "code", "del", "em", "font",
		"i", "ins", "mark", "s", "small", "span", "strong", "sub", "sup", "tt", "u",
		"wbr" };

	for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++)
		if (str_eq_nocase((struct str){ (const char *)name, n }, str_c(names[k])))
			return true;
	return false;
}

/* Behind the comment whose text begins at `from`; `from` itself when it does not end soon. What was searched is not searched again. */
static size_t
comment_end(struct cursor *c, size_t from)
{
	size_t start = from > c->no_comment_end ? from : c->no_comment_end;
	size_t most = c->n - from < COMMENT_MAX ? c->n : from + COMMENT_MAX;
	const unsigned char *end =
	    most > start ? memmem(c->p + start, most - start, "-->", 3) : NULL;

	if (end != NULL)
		return (size_t)(end - c->p) + 3;
	c->no_comment_end = most > start + 2 ? most - 2 : start;
	return from;
}

/* "<!-- -->" and inline tags vanish, other tags are blanks, anything else is a sign. */
static void
fold_less(struct cursor *c)
{
	const unsigned char *p = c->p + c->i, *end;
	size_t left = c->n - c->i, name = 1, n = 0;

	if (left >= 4 && memcmp(p, "<!--", 4) == 0) {
		c->i = comment_end(c, c->i + 4);
		return;
	}
	if (left > 1 && p[1] == '/')
		name++;
	while (name + n < left && n < ROOM && is_latin(p[name + n]))
		n++;
	end = n > 0 ? memchr(p, '>', left < TAG_MAX ? left : TAG_MAX) : NULL;
	if (end == NULL || (name + n < left && p[name + n] == ':')) {
		emit(c, c->i, ' ');
		c->i++;
		return;
	}
	if (!is_inline_tag(p + name, n))
		emit(c, c->i, ' ');
	c->i += (size_t)(end - p) + 1;
}

/* The code point of "&name;" or "&#12;" and how long that is; 0 when it is none. */
static uint32_t
entity(const unsigned char *p, size_t n, size_t *ret_n)
{
	static const struct {
		const char *name;
		uint32_t code;
	} names[] = { { "&amp;", '&' }, { "&lt;", '<' }, { "&gt;", '>' }, { "&quot;", '"' },
		{ "&apos;", '\'' }, { "&nbsp;", 0xa0 }, { "&shy;", 0xad }, { "&zwj;", 0x200d },
		{ "&zwnj;", 0x200c } };
	uint32_t code = 0;
	size_t i = 2, base = 10;

	for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
		*ret_n = strlen(names[k].name);
		if (n >= *ret_n && memcmp(p, names[k].name, *ret_n) == 0)
			return names[k].code;
	}
	if (n < 4 || p[1] != '#')
		return 0;
	if (p[2] == 'x' || p[2] == 'X') {
		base = 16;
		i++;
	}
	for (; i < n && i < 11 && p[i] != ';'; i++) {
		uint32_t d =
		    p[i] <= '9' ? p[i] - (uint32_t)'0' : (p[i] | 0x20) - (uint32_t)'a' + 10;

		if (d >= base)
			return 0;
		code = code * (uint32_t)base + d;
	}
	*ret_n = i + 1;
	return i < n && p[i] == ';' && code < 0x110000 && (code < 0xd800 || code >= 0xe000) ? code
											    : 0;
}

static void
fold_ampersand(struct cursor *c)
{
	size_t origin = c->i, len = 1;
	uint32_t code = entity(c->p + c->i, c->n - c->i, &len);

	if (code == 0) {
		emit(c, c->i++, '&');
		return;
	}
	c->i += len;
	if (code < 0x80)
		fold_ascii(c, origin, (unsigned char)code);
	else
		fold_code(c, origin, code);
}

/* Signs that Markdown puts on words, and hyphens: true when it was one of them. */
static bool
fold_sign(struct cursor *c)
{
	unsigned char next = c->i + 1 < c->n ? c->p[c->i + 1] : ' ';
	bool between = is_letter((unsigned char)last_of(c)) && is_letter(next);

	switch (c->p[c->i]) {
	case '*':
	case '`':
		c->i++;
		return true;
	case '_':
		if (between)
			return false;
		c->i++;
		return true;
	case '\\':
		c->i++;
		return true;
	case '-':
		emit(c, c->i++, between ? ' ' : '-');
		return true;
	case '<':
		fold_less(c);
		return true;
	case '&':
		fold_ampersand(c);
		return true;
	case '\n':
		fold_line_feed(c);
		return true;
	default:
		return false;
	}
}

/* Lowers the next bytes, up to 16, into the output; returns how many of them need nothing else. */
static inline size_t
fold_block(struct cursor *c)
{
	struct text_folded *f = c->f;
	bytes16 v = { 0 }, bad;
	signed16 before = { 0 }, c8;
	uint64_t half[2];
	size_t n = c->n - c->i;

	if (n >= 16) {
		memcpy(&v, c->p + c->i, 16);
		memcpy(&before, c->p + c->i - 1, 16);
	} else {
		memcpy(&v, c->p + c->i, n);
		memcpy(&before, c->p + c->i - 1, n);
	}
	c8 = (signed16)v; /* what is not ASCII is less than zero */
	bad = (bytes16)((c8 < 0x20) | (c8 == 0x7f) | (c8 == '*') | (c8 == '-') | (c8 == '<') |
			(c8 == '&') | ((c8 > '[') & (c8 < 'a')) | ((c8 == ' ') & (before == ' ')));
	memcpy(half, &bad, 16);
	n = half[0]   ? (size_t)__builtin_ctzll(half[0]) / 8
	    : half[1] ? 8 + (size_t)__builtin_ctzll(half[1]) / 8
		      : 16;
	v |= (bytes16)((c8 > '@') & (c8 < '[')) & 0x20;
	memcpy(f->out.p + f->out.n, &v, 16);
	return n;
}

void
text_fold_add(const struct text_table *t, struct str text, uint32_t field, struct text_folded *f)
{
	struct cursor c = {
		.t = t, .p = (const unsigned char *)text.p, .n = text.n, .field = field, .f = f
	};

	add_step(f, 0);
	while (c.i < c.n && !f->failed) {
		uint32_t code = 0;
		size_t len;

		if (!buf_reserve(&f->out, c.n - c.i + ROOM)) {
			f->failed = true;
			return;
		}
		if (c.i > 0 && (len = fold_block(&c)) > 0) {
			if (!(c.p[c.i] == ' ' && is_gap(last_of(&c)))) {
				keep_step(f, c.i);
				f->out.n += len;
				c.i += len;
				c.in_a_run = false;
				continue;
			}
		}
		if (c.p[c.i] < 0x80) {
			if (!fold_sign(&c)) {
				fold_ascii(&c, c.i, c.p[c.i]);
				c.i++;
			}
			continue;
		}
		len = utf8_next((struct str){ text.p + c.i, c.n - c.i }, &code);
		c.i += len ? len : 1;
		if (len == 0)
			emit(&c, c.i - 1, ' ');
		else
			fold_code(&c, c.i - len, code);
	}
	if (!buf_reserve(&f->out, ROOM)) {
		f->failed = true;
		return;
	}
	keep_step(f, text.n);
	f->out.p[f->out.n++] = '\n';
	f->out.p[f->out.n] = '\0';
}

uint32_t
text_fold_origin(const struct text_folded *f, uint32_t at)
{
	size_t low = 0, high = f->n_steps;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (f->steps[middle].folded <= at)
			low = middle;
		else
			high = middle;
	}
	return f->n_steps > 0 ? f->steps[low].text + (at - f->steps[low].folded) : 0;
}
