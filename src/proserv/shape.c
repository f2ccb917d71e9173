/* SPDX-License-Identifier: Apache-2.0 */
/* JSON to structs by a table; see shape.h. */
#include "proserv/shape_int.h"

#include "base/money.h"

#include <stdio.h>

/* Where a value stands: a chain on the stack, made a pointer of only when something is wrong. */
struct place {
	const struct place *parent;
	const char *name; /* NULL: an element */
	size_t index;
};

struct reader {
	struct arena *a;
	struct fail *f;
	size_t items_max;
	bool failed;        /* something was wrong */
	bool out_of_memory; /* the arena is full */
};

static size_t
pointer_write(const struct place *p, char *out, size_t size)
{
	size_t n;

	if (p == NULL)
		return 0;
	n = pointer_write(p->parent, out, size);
	if (n + 1 >= size)
		return n;
	if (p->name != NULL)
		(void)snprintf(out + n, size - n, "/%s", p->name);
	else
		(void)snprintf(out + n, size - n, "/%zu", p->index);
	return n + strlen(out + n);
}

static void
fault(struct reader *r, const struct place *p, const char *what, const char *fix)
{
	char pointer[80] = "";

	(void)pointer_write(p, pointer, sizeof(pointer));
	(void)fail_field(r->f, pointer, what, fix);
	r->failed = true;
}

static void *
take(struct reader *r, size_t n, size_t size)
{
	void *p = arena_array(r->a, n, size);

	if (p == NULL)
		r->out_of_memory = true;
	return p;
}

static struct str
json_slice(const json_t *v)
{
	return (struct str){ json_string_value(v), json_string_length(v) };
}

static struct str
keep(struct reader *r, struct str s)
{
	static const struct str none = { "", 0 };

	if (s.n == 0)
		return none;
	s = arena_str(r->a, s);
	if (s.p != NULL)
		return s;
	r->out_of_memory = true;
	return none;
}

static struct str
text(struct reader *r, const struct place *p, const json_t *v)
{
	if (json_is_string(v))
		return keep(r, json_slice(v));
	fault(r, p, "is no text", "write a text in quotes");
	return (struct str){ "", 0 };
}

static struct str
truth(struct reader *r, const struct place *p, const json_t *v)
{
	if (json_is_string(v))
		return keep(r, json_slice(v));
	if (json_is_true(v) || (json_is_object(v) && json_object_size(v) > 0))
		return STR("given");
	if (!json_is_boolean(v) && !json_is_object(v))
		fault(r, p, "is of a wrong type", "write a text that names the record");
	return (struct str){ "", 0 };
}

static bool
boolean(struct reader *r, const struct place *p, const json_t *v)
{
	if (!json_is_boolean(v))
		fault(r, p, "is neither true nor false", "write `true` or `false`, without quotes");
	return json_is_true(v);
}

static day_t
day(struct reader *r, const struct place *p, const json_t *v)
{
	day_t d = DAY_NONE;

	if (json_is_string(v) && (json_string_length(v) == 0 || day_parse(json_slice(v), &d)))
		return d;
	fault(r, p, "is no date", "write a day of the calendar as \"2026-01-31\"");
	return DAY_NONE;
}

static bool
instant(struct reader *r, const struct place *p, const json_t *v, instant_t *ret)
{
	if (json_is_string(v) && json_string_length(v) == 0)
		return false;
	if (json_is_string(v) && instant_parse(json_slice(v), ret))
		return true;
	fault(r, p, "is no instant", "write it as \"2026-01-31T09:00:00Z\"");
	return false;
}

static int
minute(struct reader *r, const struct place *p, const json_t *v)
{
	int m = -1;

	if (json_is_string(v) && (json_string_length(v) == 0 || minute_parse(json_slice(v), &m)))
		return m;
	fault(r, p, "is no time of day", "write it as \"09:00\"; \"24:00\" is the day's end");
	return -1;
}

static bool
amount(struct reader *r, const struct place *p, const json_t *v, money_t *ret)
{
	enum money_fault m;

	if (!json_is_string(v)) {
		fault(r, p, "is no text", "write the amount in quotes, as \"1000.00\"");
		return false;
	}
	if (json_string_length(v) == 0)
		return false;
	m = money_parse(json_slice(v), ret);
	if (m != MONEY_OK)
		fault(r, p, money_fault_what(m), money_fault_fix(m));
	return m == MONEY_OK;
}

static int
word(struct reader *r, const struct place *p, const json_t *v, const char *const *words)
{
	char fix[160] = "write one of:";

	if (json_is_string(v) && json_string_length(v) == 0)
		return 0;
	for (int i = 0; words[i] != NULL; i++) {
		size_t used = strlen(fix);

		if (json_is_string(v) && str_eq_c(json_slice(v), words[i]))
			return i + 1;
		(void)snprintf(fix + used, sizeof(fix) - used, " \"%s\"", words[i]);
	}
	fault(r, p, "is none of the words that can stand here", fix);
	return 0;
}

/* How many elements: 0, and a fault, when it is no list or too long. */
static size_t
list_size(struct reader *r, const struct place *p, const json_t *v)
{
	char fix[64];

	if (!json_is_array(v)) {
		fault(r, p, "is no list", "write it in brackets");
		return 0;
	}
	if (json_array_size(v) <= r->items_max)
		return json_array_size(v);
	(void)snprintf(fix, sizeof(fix), "give at most %zu", r->items_max);
	fault(r, p, "has too many elements", fix);
	return 0;
}

const char *const shape_weekday_words[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", NULL };

static uint8_t
weekdays(struct reader *r, const struct place *p, const json_t *v)
{
	uint8_t days = 0;

	for (size_t i = 0, n = list_size(r, p, v); i < n; i++) {
		const struct place e = { p, NULL, i };
		int w = word(r, &e, json_array_get(v, i), shape_weekday_words);

		if (w > 0)
			days |= (uint8_t)(1u << (w - 1));
	}
	return days;
}

static size_t
texts(struct reader *r, const struct place *p, const json_t *v, void **ret)
{
	size_t n = list_size(r, p, v);
	struct str *t = n > 0 ? take(r, n, sizeof(*t)) : NULL;

	for (size_t i = 0; t != NULL && i < n; i++) {
		const struct place e = { p, NULL, i };

		t[i] = text(r, &e, json_array_get(v, i));
	}
	*ret = t;
	return t != NULL ? n : 0;
}

static size_t
days(struct reader *r, const struct place *p, const json_t *v, void **ret)
{
	size_t n = list_size(r, p, v);
	day_t *d = n > 0 ? take(r, n, sizeof(*d)) : NULL;

	for (size_t i = 0; d != NULL && i < n; i++) {
		const struct place e = { p, NULL, i };

		d[i] = day(r, &e, json_array_get(v, i));
	}
	*ret = d;
	return d != NULL ? n : 0;
}

void
shape_set_absent(const struct shape *s, char *out)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct field *d = &s->fields[i];

		if (d->type == FIELD_DAY)
			*(day_t *)(void *)(out + d->at) = DAY_NONE;
		else if (d->type == FIELD_MINUTE)
			*(int *)(void *)(out + d->at) = -1;
		else if (d->type == FIELD_TEXT || d->type == FIELD_TRUTH)
			*(struct str *)(void *)(out + d->at) = (struct str){ "", 0 };
		else if (d->type == FIELD_OBJECT)
			shape_set_absent(d->shape, out + d->at);
	}
}

static void read_object(
    struct reader *r, const struct place *p, const json_t *v, const struct shape *s, char *out);

static size_t
list(struct reader *r, const struct place *p, const json_t *v, const struct shape *s, void **ret)
{
	size_t n = list_size(r, p, v);
	char *items = n > 0 ? take(r, n, s->size) : NULL;

	for (size_t i = 0; items != NULL && i < n; i++) {
		const struct place e = { p, NULL, i };

		shape_set_absent(s, items + i * s->size);
		read_object(r, &e, json_array_get(v, i), s, items + i * s->size);
	}
	*ret = items;
	return items != NULL ? n : 0;
}

static bool *
bool_at(char *out, size_t at)
{
	return (bool *)(void *)(out + at);
}

/* The fields that are lists or objects. */
static void
read_nested(
    struct reader *r, const struct place *p, const json_t *v, const struct field *d, char *out)
{
	void *to = out + d->at, *items = NULL;
	size_t n = 0;

	if (d->type == FIELD_OBJECT) {
		if (d->also != SIZE_MAX)
			*bool_at(out, d->also) = true;
		read_object(r, p, v, d->shape, to);
		return;
	}
	if (d->type == FIELD_TEXTS)
		n = texts(r, p, v, &items);
	else if (d->type == FIELD_DAYS)
		n = days(r, p, v, &items);
	else
		n = list(r, p, v, d->shape, &items);
	memcpy(to, &items, sizeof(items));
	*(size_t *)(void *)(out + d->also) = n;
	if (d->marks != 0)
		*bool_at(out, d->marks) = true;
}

static void
read_field(
    struct reader *r, const struct place *p, const json_t *v, const struct field *d, char *out)
{
	void *to = out + d->at;

	switch (d->type) {
	case FIELD_TEXT:
		*(struct str *)to = text(r, p, v);
		return;
	case FIELD_TRUTH:
		*(struct str *)to = truth(r, p, v);
		return;
	case FIELD_PRESENT:
		*(bool *)to = !json_is_string(v) || json_string_length(v) > 0;
		return;
	case FIELD_BOOL:
		*(bool *)to = boolean(r, p, v);
		return;
	case FIELD_DAY:
		*(day_t *)to = day(r, p, v);
		return;
	case FIELD_INSTANT:
		*bool_at(out, d->also) = instant(r, p, v, to);
		return;
	case FIELD_MINUTE:
		*(int *)to = minute(r, p, v);
		return;
	case FIELD_AMOUNT:
		*bool_at(out, d->also) = amount(r, p, v, to);
		return;
	case FIELD_WORD:
		*(int *)to = word(r, p, v, d->words);
		return;
	case FIELD_WEEKDAYS:
		*(uint8_t *)to = weekdays(r, p, v);
		*bool_at(out, d->also) = true;
		return;
	case FIELD_TEXTS:
	case FIELD_DAYS:
	case FIELD_OBJECT:
	case FIELD_LIST:
		read_nested(r, p, v, d, out);
		return;
	}
}

/* So that no value ends up in an error's words because somebody sent it as a name. */
static bool
reads_like_a_member(const char *name)
{
	size_t n = strlen(name);

	return n > 0 && n < 40 &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") == n;
}

static void
unknown_member(struct reader *r, const struct place *p, const struct shape *s, const char *name)
{
	const struct place e = { p, name, 0 };
	char fix[160] = "members here are:";
	size_t used = strlen(fix);

	for (size_t i = 0; i < s->n && used + 1 < sizeof(fix); i++) {
		(void)snprintf(fix + used, sizeof(fix) - used, " %s", s->fields[i].name);
		used += strlen(fix + used);
	}
	if (used + 1 == sizeof(fix))
		(void)snprintf(
		    fix, sizeof(fix), "docs/proserv.md lists the members; mind the spelling");
	fault(r, reads_like_a_member(name) ? &e : p, "is no member that is known here", fix);
}

static void
read_object(
    struct reader *r, const struct place *p, const json_t *v, const struct shape *s, char *out)
{
	const char *name;
	json_t *value;

	if (!json_is_object(v)) {
		fault(r, p, "is no object", "write it in braces");
		return;
	}
	json_object_foreach((json_t *)(uintptr_t)v, name, value)
	{
		const struct field *d = s->fields, *end = s->fields + s->n;
		const struct place e = { p, name, 0 };

		while (d < end && strcmp(d->name, name) != 0)
			d++;
		if (d == end)
			unknown_member(r, p, s, name);
		else if (!json_is_null(value))
			read_field(r, &e, value, d, out);
	}
}

static enum souk_err
check_size(struct str text, size_t bytes_max, struct fail *f)
{
	return text.n <= bytes_max
		   ? SOUK_OK
		   : fail_set(f, SOUK_E_LIMIT, "document_too_large",
			 "The document is longer than %zu bytes; shorten it.", bytes_max);
}

static enum souk_err
outcome(const struct reader *r)
{
	if (r->out_of_memory)
		return fail_set(
		    r->f, SOUK_E_NOMEM, "out_of_memory", "No memory to read the document.");
	return r->failed ? SOUK_E_INVALID : SOUK_OK;
}

static void
clear(const struct shape *s, void *out)
{
	memset(out, 0, s->size);
	shape_set_absent(s, out);
}

enum souk_err
shape_read_by_tree(struct str text, size_t items_max, const struct shape *s, struct arena *a,
    void *out, struct fail *f)
{
	struct reader r = { .a = a, .f = f, .items_max = items_max };
	json_t *v = NULL;
	enum souk_err err = json_read(text, &v, f);

	if (err != SOUK_OK)
		return err;
	clear(s, out);
	read_object(&r, NULL, v, s, out);
	json_decref(v);
	return outcome(&r);
}

enum souk_err
shape_read(struct str text, size_t bytes_max, size_t items_max, const struct shape *s,
    struct arena *a, void *out, struct fail *f)
{
	enum souk_err err = check_size(text, bytes_max, f);

	if (err != SOUK_OK)
		return err;
	clear(s, out);
	return shape_read_straight(text, items_max, s, a, out)
		   ? SOUK_OK
		   : shape_read_by_tree(text, items_max, s, a, out, f);
}

enum souk_err
shape_read_list(struct str text, size_t bytes_max, size_t items_max, const struct shape *s,
    struct arena *a, void **ret, size_t *ret_n, struct fail *f)
{
	struct reader r = { .a = a, .f = f, .items_max = items_max };
	json_t *v = NULL;
	enum souk_err err = check_size(text, bytes_max, f);
	void *items = NULL;
	size_t n;

	if (err == SOUK_OK)
		err = json_read(text, &v, f);
	if (err != SOUK_OK)
		return err;
	n = list(&r, NULL, v, s, &items);
	json_decref(v);
	err = outcome(&r);
	if (err != SOUK_OK)
		return err;
	*ret = items;
	*ret_n = n;
	return SOUK_OK;
}
