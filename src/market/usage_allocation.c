/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Usage allocations: how a buyer shares its usage out over tags, in one spelling.
 *
 * Callers send them in any order; only in one spelling can a repeat be told from a change.
 */
#include "market/usage.h"

#include <stdlib.h>

#define TAGS_MAX 5
#define KEY_MAX 100
#define VALUE_MAX 256

struct tag {
	struct str key, value;
};

struct part {
	size_t at;        /* of its tags in all texts, each with a NUL behind it */
	const char *tags; /* as JSON, sorted by key; "" none */
	int64_t quantity;
};

static enum souk_err
bad_part(struct fail *f, const char *why)
{
	return fail_set(f, SOUK_E_INVALID, "InvalidUsageAllocationsException", "%s", why);
}

static enum souk_err
bad_tag(struct fail *f, const char *why)
{
	return fail_set(f, SOUK_E_INVALID, "InvalidTagException", "%s", why);
}

static bool
tag_text(const json_t *v, size_t max, struct str *ret)
{
	static const char fine[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				   "+ -=._:/@";
	struct str s;

	if (!json_is_string(v))
		return false;
	s = (struct str){ json_string_value(v), json_string_length(v) };
	if (s.n < 1 || s.n > max || strspn(s.p, fine) != s.n)
		return false;
	*ret = s;
	return true;
}

static int
by_key(const void *a, const void *b)
{
	return strcmp(((const struct tag *)a)->key.p, ((const struct tag *)b)->key.p);
}

static int
by_tags(const void *a, const void *b)
{
	return strcmp(((const struct part *)a)->tags, ((const struct part *)b)->tags);
}

/* Keys and values have no letter that JSON escapes. */
static void
spell_tags(const struct tag *tag, size_t n, struct buf *out)
{
	for (size_t i = 0; i < n; i++)
		buf_printf(out, "%s{\"Key\":\"%s\",\"Value\":\"%s\"}", i == 0 ? "[" : ",",
		    tag[i].key.p, tag[i].value.p);
	buf_add_char(out, ']');
}

static enum souk_err
read_tags(const json_t *list, struct buf *out, struct fail *f)
{
	struct tag tag[TAGS_MAX];
	size_t n = json_array_size(list);

	if (!list || json_is_null(list))
		return SOUK_OK;
	if (!json_is_array(list) || n < 1 || n > TAGS_MAX)
		return bad_tag(f, "Tags must be a list of 1 to 5 tags.");
	for (size_t i = 0; i < n; i++) {
		const json_t *o = json_array_get(list, i);

		if (!json_is_object(o) ||
		    !tag_text(json_object_get(o, "Key"), KEY_MAX, &tag[i].key) ||
		    !tag_text(json_object_get(o, "Value"), VALUE_MAX, &tag[i].value))
			return bad_tag(f, "A tag needs a Key of 1 to 100 and a Value of 1 to 256 "
					  "characters of a-zA-Z0-9+ -=._:/@");
	}
	qsort(tag, n, sizeof(*tag), by_key);
	for (size_t i = 1; i < n; i++)
		if (str_eq(tag[i - 1].key, tag[i].key))
			return bad_tag(f, "A tag's key stands twice in one allocation.");
	spell_tags(tag, n, out);
	return SOUK_OK;
}

static enum souk_err
read_part(const json_t *o, struct buf *texts, struct part *ret, struct fail *f)
{
	const json_t *q = json_object_get(o, "AllocatedUsageQuantity");
	enum souk_err r;

	if (!json_is_integer(q) || json_integer_value(q) < 0 ||
	    json_integer_value(q) > USAGE_QUANTITY_MAX)
		return bad_part(
		    f, "AllocatedUsageQuantity must be a whole number of 0 to 2147483647.");
	ret->quantity = json_integer_value(q);
	ret->at = texts->n;
	r = read_tags(json_object_get(o, "Tags"), texts, f);
	buf_add_char(texts, '\0');
	return r;
}

static enum souk_err
spell(const struct part *part, size_t n, struct arena *mem, struct str *ret)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < n; i++) {
		buf_printf(&b, "%s{\"AllocatedUsageQuantity\":%lld", i == 0 ? "[" : ",",
		    (long long)part[i].quantity);
		if (part[i].tags[0] != '\0')
			buf_printf(&b, ",\"Tags\":%s", part[i].tags);
		buf_add_char(&b, '}');
	}
	buf_add_char(&b, ']');
	*ret = buf_ok(&b) ? arena_str(mem, buf_str(&b)) : (struct str){ NULL, 0 };
	buf_done(&b);
	return ret->p ? SOUK_OK : SOUK_E_LIMIT;
}

static enum souk_err
read_parts(const json_t *list, struct part *part, size_t n, struct buf *texts, int64_t *ret_sum,
    struct fail *f)
{
	enum souk_err r = SOUK_OK;

	*ret_sum = 0;
	for (size_t i = 0; i < n && r == SOUK_OK; i++) {
		r = read_part(json_array_get(list, i), texts, &part[i], f);
		*ret_sum += part[i].quantity;
	}
	if (r != SOUK_OK || !buf_ok(texts))
		return r != SOUK_OK ? r : SOUK_E_NOMEM;
	for (size_t i = 0; i < n; i++)
		part[i].tags = texts->p + part[i].at;
	return SOUK_OK;
}

static enum souk_err
in_one_spelling(const json_t *list, struct part *part, size_t n, int64_t quantity,
    struct buf *texts, struct arena *mem, struct str *ret, struct fail *f)
{
	int64_t sum = 0;
	enum souk_err r = read_parts(list, part, n, texts, &sum, f);

	if (r != SOUK_OK)
		return r;
	if (sum != quantity)
		return bad_part(f, "The allocated quantities do not sum to the record's quantity.");
	qsort(part, n, sizeof(*part), by_tags);
	for (size_t i = 1; i < n; i++)
		if (strcmp(part[i - 1].tags, part[i].tags) == 0)
			return bad_part(f, "Two allocations have the same tags, or none both.");
	return spell(part, n, mem, ret);
}

enum souk_err
usage_allocations(
    const json_t *list, int64_t quantity, struct arena *mem, struct str *ret, struct fail *f)
{
	size_t n = json_array_size(list);
	struct buf texts = { 0 };
	struct part *part;
	enum souk_err r;

	if (!list || json_is_null(list)) {
		*ret = STR("");
		return SOUK_OK;
	}
	if (!json_is_array(list) || n < 1 || n > USAGE_ALLOCATIONS_MAX)
		return bad_part(f, "UsageAllocations must be a list of 1 to 2500 allocations.");
	if (!(part = calloc(n, sizeof(*part))))
		return SOUK_E_NOMEM;
	r = in_one_spelling(list, part, n, quantity, &texts, mem, ret, f);
	buf_done(&texts);
	free(part);
	return r;
}
