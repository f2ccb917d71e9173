/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents in order, read in one pass; see shape_int.h.
 *
 * The danger is to take what the exact way refuses. So everything that is not plainly right ends this way.
 */
#include "proserv/shape_int.h"

#include "base/money.h"
#include "base/utf8.h"

#define DEPTH_MAX 32 /* of json_read */

struct cursor {
	const char *p, *end;
	struct arena *a;
	size_t items_max;
	unsigned depth;
};

static void
skip_blanks(struct cursor *c)
{
	while (c->p < c->end && (*c->p == ' ' || *c->p == '\n' || *c->p == '\r' || *c->p == '\t'))
		c->p++;
}

static bool
take(struct cursor *c, char expected)
{
	skip_blanks(c);
	if (c->p == c->end || *c->p != expected)
		return false;
	c->p++;
	return true;
}

static bool
take_word(struct cursor *c, const char *word)
{
	size_t n = strlen(word);

	skip_blanks(c);
	if ((size_t)(c->end - c->p) < n || memcmp(c->p, word, n) != 0)
		return false;
	c->p += n;
	return true;
}

typedef int8_t signed16 __attribute__((vector_size(16)));

/* How many bytes of a string need no look: ASCII, no quotes, escapes or control characters. In blocks. */
static size_t
plain_run(const char *p, size_t n)
{
	size_t i = 0;

	for (; n - i >= 16; i += 16) {
		signed16 v;
		uint64_t half[2];

		memcpy(&v, p + i, 16);
		v = (signed16)((v < 0x20) | (v == '"') | (v == '\\'));
		memcpy(half, &v, 16);
		if (half[0])
			return i + (size_t)__builtin_ctzll(half[0]) / 8;
		if (half[1])
			return i + 8 + (size_t)__builtin_ctzll(half[1]) / 8;
	}
	return i;
}

/* What stands between the quotes, escapes and all; the quote that ends it is taken. */
static bool
take_quoted(struct cursor *c, struct str *ret, bool *ret_escapes)
{
	unsigned char high = 0;
	bool escapes = false;
	const char *from;

	if (!take(c, '"'))
		return false;
	from = c->p;
	c->p += plain_run(c->p, (size_t)(c->end - c->p));
	for (; c->p < c->end && *c->p != '"'; c->p++) {
		unsigned char b = (unsigned char)*c->p;

		high |= b;
		if (b < 0x20)
			return false;
		if (b == '\\') {
			escapes = true;
			if (++c->p == c->end || strchr("\"\\/bfnrt", *c->p) == NULL ||
			    *c->p == '\0')
				return false;
			c->p += plain_run(c->p + 1, (size_t)(c->end - c->p) - 1);
		}
	}
	if (c->p == c->end)
		return false;
	*ret = (struct str){ from, (size_t)(c->p++ - from) };
	*ret_escapes = escapes;
	return high < 0x80 || utf8_valid(*ret);
}

static char
escaped(char c)
{
	switch (c) {
	case 'b':
		return '\b';
	case 'f':
		return '\f';
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	default:
		return c;
	}
}

static bool
take_text(struct cursor *c, struct str *ret)
{
	struct str raw;
	bool escapes;
	char *out;
	size_t n = 0;

	if (!take_quoted(c, &raw, &escapes))
		return false;
	if (raw.n == 0) {
		*ret = (struct str){ "", 0 };
		return true;
	}
	out = arena_strndup(c->a, raw.p, raw.n);
	if (out == NULL)
		return false;
	while (escapes && raw.n > 0) {
		const char *escape = memchr(raw.p, '\\', raw.n);
		size_t run = escape != NULL ? (size_t)(escape - raw.p) : raw.n;

		memcpy(out + n, raw.p, run);
		n += run;
		if (escape != NULL) {
			out[n++] = escaped(escape[1]);
			run += 2;
		}
		raw = (struct str){ raw.p + run, raw.n - run };
	}
	if (escapes)
		out[n] = '\0';
	*ret = (struct str){ out, escapes ? n : raw.n };
	return true;
}

/* A text that becomes something else: it needs no copy, and has no escapes when it is right. */
static bool
take_plain(struct cursor *c, struct str *ret)
{
	bool escapes;

	return take_quoted(c, ret, &escapes) && !escapes;
}

static bool
take_bool(struct cursor *c, bool *ret)
{
	*ret = take_word(c, "true");
	return *ret || take_word(c, "false");
}

static bool
take_one_of(struct cursor *c, const char *const *words, int *ret)
{
	struct str s;

	if (!take_plain(c, &s))
		return false;
	*ret = 0;
	if (s.n == 0)
		return true;
	while (words[*ret] != NULL && !str_eq_c(s, words[*ret]))
		++*ret;
	return words[(*ret)++] != NULL;
}

static bool
take_day(struct cursor *c, day_t *ret)
{
	struct str s;

	return take_plain(c, &s) && (s.n == 0 || day_parse(s, ret));
}

static bool
take_weekdays(struct cursor *c, uint8_t *ret)
{
	bool first = true;
	int day;

	if (!take(c, '['))
		return false;
	for (; !take(c, ']'); first = false) {
		if ((!first && !take(c, ',')) || !take_one_of(c, shape_weekday_words, &day) ||
		    day == 0)
			return false;
		*ret |= (uint8_t)(1u << (day - 1));
	}
	return true;
}

/* The leaves. */
static bool
read_leaf(struct cursor *c, const struct field *d, char *out)
{
	void *to = out + d->at;
	bool *has = (bool *)(void *)(out + d->also);
	struct str s;

	switch (d->type) {
	case FIELD_TEXT:
	case FIELD_TRUTH:
		return take_text(c, to);
	case FIELD_PRESENT:
		*(bool *)to = take_plain(c, &s) && s.n > 0;
		return *(bool *)to;
	case FIELD_BOOL:
		return take_bool(c, to);
	case FIELD_DAY:
		return take_day(c, to);
	case FIELD_INSTANT:
		*has = take_plain(c, &s) && instant_parse(s, to);
		return *has;
	case FIELD_MINUTE:
		return take_plain(c, &s) && minute_parse(s, to);
	case FIELD_AMOUNT:
		*has = take_plain(c, &s) && money_parse(s, to) == MONEY_OK;
		return *has;
	case FIELD_WORD:
		return take_one_of(c, d->words, to);
	case FIELD_WEEKDAYS:
		*has = true;
		return take_weekdays(c, to);
	case FIELD_TEXTS:
	case FIELD_DAYS:
	case FIELD_OBJECT:
	case FIELD_LIST:
		break;
	}
	return false;
}

static bool read_object(struct cursor *c, const struct shape *s, char *out);

/* How large an element is; 0 for lists that are read elsewhere. */
static size_t
element_size(const struct field *d)
{
	return d->type == FIELD_TEXTS  ? sizeof(struct str)
	       : d->type == FIELD_DAYS ? sizeof(day_t)
	       : d->type == FIELD_LIST ? d->shape->size
				       : 0;
}

static bool
read_element(struct cursor *c, const struct field *d, char *to)
{
	if (d->type == FIELD_TEXTS)
		return take_text(c, (struct str *)(void *)to);
	if (d->type == FIELD_DAYS) {
		*(day_t *)(void *)to = DAY_NONE;
		return take_day(c, (day_t *)(void *)to);
	}
	shape_set_absent(d->shape, to);
	return read_object(c, d->shape, to);
}

/* Elements are put one behind the other; room grows by doubling, as the arena never moves what it gave. */
static bool
read_elements(struct cursor *c, const struct field *d, char **ret, size_t *ret_n)
{
	size_t size = element_size(d), n = 0, cap = 0;
	char *items = NULL, *grown;

	if (size == 0 || !take(c, '[') || ++c->depth > DEPTH_MAX)
		return false;
	while (!take(c, ']')) {
		if (n > 0 && !take(c, ','))
			return false;
		if (n == c->items_max)
			return false;
		if (n == cap) {
			cap = cap > 0 ? 2 * cap : 4;
			grown = arena_array(c->a, cap, size);
			if (grown == NULL)
				return false;
			if (n > 0)
				memcpy(grown, items, n * size);
			items = grown;
		}
		if (!read_element(c, d, items + n++ * size))
			return false;
	}
	c->depth--;
	*ret = items;
	*ret_n = n;
	return true;
}

static bool
read_list(struct cursor *c, const struct field *d, char *out)
{
	char *items = NULL;
	size_t n = 0;

	if (!read_elements(c, d, &items, &n))
		return false;
	memcpy(out + d->at, &items, sizeof(items));
	*(size_t *)(void *)(out + d->also) = n;
	if (d->marks != 0)
		*(bool *)(void *)(out + d->marks) = true;
	return true;
}

static bool
read_value(struct cursor *c, const struct field *d, char *out)
{
	if (take_word(c, "null"))
		return true;
	if (element_size(d) > 0)
		return read_list(c, d, out);
	if (d->type != FIELD_OBJECT)
		return read_leaf(c, d, out);
	if (d->also != SIZE_MAX)
		*(bool *)(void *)(out + d->also) = true;
	return read_object(c, d->shape, out + d->at);
}

/* From the one behind the last: documents mostly have their members in the order of the table. */
static size_t
find_field(const struct shape *s, size_t from, struct str name)
{
	for (size_t k = 0; k < s->n; k++) {
		size_t i = from + k < s->n ? from + k : from + k - s->n;

		if (strncmp(s->fields[i].name, name.p, name.n) == 0 &&
		    s->fields[i].name[name.n] == '\0')
			return i;
	}
	return SIZE_MAX;
}

static bool
read_object(struct cursor *c, const struct shape *s, char *out)
{
	uint64_t seen = 0;
	size_t next = 0;
	struct str name;

	if (!take(c, '{') || ++c->depth > DEPTH_MAX || s->n > 64)
		return false;
	while (!take(c, '}')) {
		if (seen != 0 && !take(c, ','))
			return false;
		if (!take_plain(c, &name) || !take(c, ':'))
			return false;
		next = find_field(s, next, name);
		if (next == SIZE_MAX || (seen >> next & 1) != 0)
			return false;
		seen |= UINT64_C(1) << next;
		if (!read_value(c, &s->fields[next], out))
			return false;
		next++;
	}
	c->depth--;
	return true;
}

bool
shape_read_straight(
    struct str text, size_t items_max, const struct shape *s, struct arena *a, char *out)
{
	struct cursor c = { .p = text.p, .end = text.p + text.n, .a = a, .items_max = items_max };

	if (text.n == 0 || !read_object(&c, s, out))
		return false;
	skip_blanks(&c);
	return c.p == c.end;
}
