/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditions first, in the order of RFC 9110 13.2.2, then the range. A header that cannot
 * be read is passed over, as the RFC has it for dates and ranges.
 */
#include "server/s3_select.h"

/* ---- entity tags ----------------------------------------------------------------------- */

/* S3's clients send tags with quotes and without. `weak` may match: If-None-Match only. */
static bool
tag_is(struct str tag, struct str etag, bool weak)
{
	if (str_starts(tag, STR("W/"))) {
		if (!weak)
			return false;
		tag = (struct str){ tag.p + 2, tag.n - 2 };
	}
	if (tag.n >= 2 && tag.p[0] == '"' && tag.p[tag.n - 1] == '"')
		tag = (struct str){ tag.p + 1, tag.n - 2 };
	return str_eq(tag, etag);
}

/* Tags of ours hold no comma. */
static bool
list_has(struct str list, struct str etag, bool weak)
{
	struct str rest = list, tag;

	if (str_eq(str_trim(list), STR("*")))
		return true;
	while (str_split(&rest, ',', &tag))
		if (tag_is(str_trim(tag), etag, weak))
			return true;
	return false;
}

/* ---- dates ----------------------------------------------------------------------------- */

static int64_t
whole_seconds(instant_t t)
{
	return t >= 0 ? t / SECOND_MS : -((-t + SECOND_MS - 1) / SECOND_MS);
}

/* *ret: modified after the date? False when there is no date to compare with. */
static bool
compare_date(struct str date, instant_t modified_at, bool *ret_after)
{
	instant_t t;

	if (!date.p || !instant_parse_http(str_trim(date), &t))
		return false;
	*ret_after = whole_seconds(modified_at) > whole_seconds(t);
	return true;
}

/* ---- ranges ---------------------------------------------------------------------------- */

enum range_kind { RANGE_NONE, RANGE_SOME, RANGE_OUTSIDE };

/* Digits, however many: what is too large for any object is UINT64_MAX. */
static bool
position(struct str s, uint64_t *ret)
{
	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	if (!str_to_u64(s, UINT64_MAX, ret))
		*ret = UINT64_MAX;
	return true;
}

/* "-n" */
static enum range_kind
last_bytes(struct str count, uint64_t size, struct s3_selection *s)
{
	uint64_t n;

	if (!position(count, &n))
		return RANGE_NONE;
	if (n == 0 || size == 0)
		return RANGE_OUTSIDE;
	s->length = n < size ? n : size;
	s->from = size - s->length;
	return RANGE_SOME;
}

/* One range of bytes; several, other units and nonsense are passed over. */
static enum range_kind
range_parse(struct str header, uint64_t size, struct s3_selection *s)
{
	struct str spec = str_trim(header), unit, first;
	uint64_t from, to = UINT64_MAX;

	if (!str_split(&spec, '=', &unit) || !str_eq_nocase(unit, STR("bytes")) || !spec.p)
		return RANGE_NONE;
	if (!str_split(&spec, '-', &first) || !spec.p)
		return RANGE_NONE;
	if (first.n == 0)
		return last_bytes(spec, size, s);
	if (!position(first, &from) || (spec.n > 0 && !position(spec, &to)) || from > to)
		return RANGE_NONE;
	if (from >= size)
		return RANGE_OUTSIDE;
	s->from = from;
	s->length = (to < size ? to + 1 : size) - from;
	return RANGE_SOME;
}

/* An object without bytes has no range of them, but a part. */
static enum range_kind
part_range(uint64_t part, uint64_t size)
{
	if (part > 1)
		return RANGE_OUTSIDE;
	return size > 0 ? RANGE_SOME : RANGE_NONE;
}

/* If-Range: the range only counts for the very same object. */
static bool
range_counts(struct str if_range, struct str etag, instant_t modified_at)
{
	struct str value;
	instant_t t;

	if (!if_range.p)
		return true;
	value = str_trim(if_range);
	if (instant_parse_http(value, &t))
		return whole_seconds(t) == whole_seconds(modified_at);
	return tag_is(value, etag, false);
}

/* ---- all together ---------------------------------------------------------------------- */

/* NULL: all hold. */
static const char *
failed_condition(const struct s3_conditions *c, struct str etag, instant_t modified_at)
{
	bool after;

	if (c->if_match.p)
		return list_has(c->if_match, etag, false) ? NULL : "If-Match";
	if (compare_date(c->if_unmodified_since, modified_at, &after) && after)
		return "If-Unmodified-Since";
	return NULL;
}

static bool
not_modified(const struct s3_conditions *c, struct str etag, instant_t modified_at)
{
	bool after;

	if (c->if_none_match.p)
		return list_has(c->if_none_match, etag, true);
	return compare_date(c->if_modified_since, modified_at, &after) && !after;
}

void
s3_select(const struct s3_conditions *c, struct str etag, instant_t modified_at, uint64_t size,
    struct s3_selection *ret)
{
	struct s3_selection s = { .outcome = S3_WHOLE, .length = size };
	enum range_kind kind = RANGE_NONE;

	s.condition = failed_condition(c, etag, modified_at);
	if (s.condition) {
		s.outcome = S3_PRECONDITION;
	} else if (not_modified(c, etag, modified_at)) {
		s.outcome = S3_NOT_MODIFIED;
	} else {
		if (c->part > 0)
			kind = part_range(c->part, size);
		else if (c->range.p && range_counts(c->if_range, etag, modified_at))
			kind = range_parse(c->range, size, &s);
		if (kind == RANGE_SOME)
			s.outcome = S3_PART;
		else if (kind == RANGE_OUTSIDE)
			s.outcome = S3_UNSATISFIABLE;
	}
	if (s.outcome != S3_WHOLE && s.outcome != S3_PART)
		s.from = s.length = 0;
	*ret = s;
}
