/* SPDX-License-Identifier: Apache-2.0 */
/* What handlers ask of a call: parameters, entity tags, pages (see dispatch.h). */
#include "server/dispatch.h"

#include <stdio.h>
#include <stdlib.h>

#define PAGE_LIMIT_DEFAULT 50

bool
call_method_is(const struct call *c, const char *method)
{
	struct str m = c->req->method;

	if (str_eq(m, STR("HEAD")))
		m = STR("GET");
	return str_eq_c(m, method);
}

/* A decoded copy in the arena; p NULL when an escape is broken or memory is short. */
static struct str
decode(struct call *c, struct str raw, bool plus_is_space)
{
	char *p = arena_alloc(c->arena, raw.n + 1);
	size_t n;

	if (!p || !percent_decode(raw, plus_is_space, p, &n))
		return (struct str){ NULL, 0 };
	return (struct str){ p, n };
}

static bool
needs_decoding(struct str s)
{
	return s.n > 0 && (memchr(s.p, '%', s.n) || memchr(s.p, '+', s.n));
}

struct str
call_query(struct call *c, const char *name)
{
	struct str rest = c->req->query, pair, key;

	while (str_split(&rest, '&', &pair)) {
		if (!str_split(&pair, '=', &key))
			continue;
		if (needs_decoding(key))
			key = decode(c, key, true);
		if (!key.p || !str_eq_c(key, name))
			continue;
		if (!pair.p)
			return STR("");
		return needs_decoding(pair) ? decode(c, pair, true) : pair;
	}
	return (struct str){ NULL, 0 };
}

bool
call_match(struct call *c, const char *pattern)
{
	struct str path = c->req->path, part;
	const char *p = pattern, *end = path.p + path.n, *s = path.p;
	unsigned n = 0;

	while (*p && s < end) {
		if (*p != '{') {
			if (*p++ != *s++)
				return false;
			continue;
		}
		part.p = s;
		while (s < end && *s != '/')
			s++;
		part.n = (size_t)(s - part.p);
		if (part.n == 0 || n == ROUTE_PARAMS_MAX)
			return false;
		c->params[n++] = part;
		p = strchr(p, '}') + 1;
	}
	if (*p || s < end)
		return false;
	for (unsigned i = 0; i < n; i++)
		if (memchr(c->params[i].p, '%', c->params[i].n)) {
			c->params[i] = decode(c, c->params[i], false);
			if (!c->params[i].p)
				return false;
		}
	return true;
}

/* One strong tag of ours: a number in quotes. */
static bool
parse_tag(struct str tag, int64_t *ret)
{
	tag = str_trim(tag);
	if (tag.n < 3 || tag.p[0] != '"' || tag.p[tag.n - 1] != '"')
		return false;
	return str_to_i64((struct str){ tag.p + 1, tag.n - 2 }, ret) && *ret > 0;
}

/* One If-Match of possibly several: "*", or tags between commas. True when it matches. */
static bool
match_tags(struct str tags, int64_t present, int64_t *io_seen)
{
	struct str tag;
	int64_t revision;

	if (str_eq(str_trim(tags), STR("*"))) {
		*io_seen = 0;
		return true;
	}
	while (str_split(&tags, ',', &tag)) {
		if (!parse_tag(tag, &revision))
			continue;
		if (revision == present || *io_seen == 0)
			*io_seen = revision;
		if (revision == present)
			return true;
	}
	return false;
}

enum souk_err
call_if_match(struct call *c, int64_t present, int64_t *ret_seen)
{
	int64_t seen = 0;
	bool absent = true, match = false;

	for (size_t i = 0; i < c->req->n_headers && !match; i++) {
		if (!str_eq_nocase(c->req->headers[i].name, STR("If-Match")))
			continue;
		absent = false;
		match = match_tags(c->req->headers[i].value, present, &seen);
	}
	if (!absent && !match && seen == 0)
		return fail_set(&c->fail, SOUK_E_PRECONDITION, "precondition_failed",
		    "If-Match has no entity tag that this resource ever had.");
	*ret_seen = seen;
	return SOUK_OK;
}

void
call_etag(struct call *c, int64_t revision)
{
	struct buf b = { 0 };

	buf_add_char(&b, '"');
	buf_add_i64(&b, revision);
	buf_add_char(&b, '"');
	call_header(c, "ETag", buf_str(&b));
	buf_done(&b);
}

void
call_header(struct call *c, const char *name, struct str value)
{
	http_response_header(&c->response, name, arena_strndup(c->arena, value.p, value.n));
}

bool
purpose_valid(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!memchr("abcdefghijklmnopqrstuvwxyz0123456789-", s.p[i], 37))
			return false;
	return s.n > 0 && s.n <= 64;
}

enum souk_err
call_param_guid(struct call *c, unsigned i, struct guid *ret)
{
	return guid_parse(c->params[i], ret) ? SOUK_OK : SOUK_E_NOT_FOUND;
}

enum souk_err
call_page(struct call *c, struct page *ret)
{
	struct str limit = call_query(c, "limit"), cursor = call_query(c, "cursor");
	uint64_t n = PAGE_LIMIT_DEFAULT;

	if (limit.p && (!str_to_u64(limit, PAGE_LIMIT_MAX, &n) || n == 0))
		return fail_field(&c->fail, "limit", "is not a number of entries",
		    "give a whole number from 1 to 200");
	*ret = (struct page){ .limit = (size_t)n,
		.list = c->op ? c->op->pattern : NULL,
		.cursor = cursor.p ? cursor : STR("") };
	return SOUK_OK;
}
