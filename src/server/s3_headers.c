/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stored headers. What comes in here goes out as a header one day: control characters
 * are refused on both ways, so that no value can end a header line.
 */
#include "server/s3_headers.h"

#include "base/json.h"
#include "base/utf8.h"
#include "server/s3_error.h"

static const struct {
	const char *header, *stored, *param;
} kept[] = {
	{ "Cache-Control", "cache-control", "response-cache-control" },
	{ "Content-Disposition", "content-disposition", "response-content-disposition" },
	{ "Content-Encoding", "content-encoding", "response-content-encoding" },
	{ "Content-Language", "content-language", "response-content-language" },
	{ "Expires", "expires", "response-expires" },
};
#define KEPT_N (sizeof(kept) / sizeof(kept[0]))

#define META STR("x-amz-meta-")

static bool
is_fit(struct str value)
{
	return utf8_valid(value) && !utf8_has_control(value);
}

static enum souk_err
unfit(struct fail *f, const char *name)
{
	return s3_fail(f, "InvalidArgument", "%s must be UTF-8 without control characters.", name);
}

/* Without aws-chunked, which is the coding of the transfer, not of the object. */
static struct str
content_coding(struct str value, struct arena *mem)
{
	struct str rest = value, part;
	char *p = arena_alloc(mem, value.n + 1);
	size_t n = 0;

	if (!p)
		return STR("");
	while (str_split(&rest, ',', &part)) {
		part = str_trim(part);
		if (part.n == 0 || str_eq_nocase(part, STR("aws-chunked")))
			continue;
		if (n > 0)
			p[n++] = ',';
		memcpy(p + n, part.p, part.n);
		n += part.n;
	}
	return (struct str){ p, n };
}

static enum souk_err
store_kept(const struct http_request *r, struct arena *mem, struct jw *w, struct fail *f)
{
	size_t bytes = http_header(r, "Content-Type").n;

	for (size_t i = 0; i < KEPT_N; i++) {
		struct str v = http_header(r, kept[i].header);

		if (!v.p)
			continue;
		if (!is_fit(v))
			return unfit(f, kept[i].header);
		bytes += v.n;
		if (strcmp(kept[i].stored, "content-encoding") == 0)
			v = content_coding(v, mem);
		jw_str_opt(w, kept[i].stored, v);
	}
	if (bytes > S3_KEPT_MAX_BYTES)
		return s3_fail(f, "MetadataTooLarge",
		    "The headers to keep with the object are at most %d bytes in all.",
		    S3_KEPT_MAX_BYTES);
	return SOUK_OK;
}

/* Lower case, in the arena; NULL when the name is unfit or memory is short. */
static const char *
meta_name(struct str name, struct arena *mem)
{
	char *p = arena_strndup(mem, name.p, name.n);

	for (size_t i = 0; p && i < name.n; i++) {
		if (p[i] >= 'A' && p[i] <= 'Z')
			p[i] = (char)(p[i] - 'A' + 'a');
		else if (p[i] <= ' ' || p[i] == 0x7f || p[i] == '"' || p[i] == '\\')
			return NULL;
	}
	return p;
}

static enum souk_err
store_meta(const struct http_request *r, struct arena *mem, struct jw *w, struct fail *f)
{
	size_t n = 0, bytes = 0;

	for (size_t i = 0; i < r->n_headers; i++) {
		const struct sigv4_header *h = &r->headers[i];
		const char *name;

		if (h->name.n <= META.n || !str_eq_nocase((struct str){ h->name.p, META.n }, META))
			continue;
		name = meta_name(h->name, mem);
		if (!name || !is_fit(h->value))
			return unfit(f, "User metadata");
		bytes += h->name.n - META.n + h->value.n;
		if (++n > S3_META_MAX || bytes > S3_META_MAX_BYTES)
			return s3_fail(f, "MetadataTooLarge",
			    "User metadata is at most %d entries of %d bytes in all.", S3_META_MAX,
			    S3_META_MAX_BYTES);
		jw_str(w, name, h->value);
	}
	return SOUK_OK;
}

enum souk_err
s3_headers_store(const struct http_request *r, struct arena *mem, struct str *ret_json,
    struct str *ret_content_type, struct fail *f)
{
	struct str type = http_header(r, "Content-Type"), json;
	struct buf text = { 0 };
	struct jw w;
	enum souk_err err;

	jw_init(&w, &text);
	jw_open(&w, NULL, '{');
	if (type.p && !is_fit(type))
		err = unfit(f, "Content-Type");
	else if ((err = store_kept(r, mem, &w, f)) == SOUK_OK)
		err = store_meta(r, mem, &w, f);
	jw_close(&w, '}');
	json = text.n > 2 ? arena_str(mem, buf_str(&text)) : STR("");
	if (err == SOUK_OK && (!buf_ok(&text) || !json.p))
		err = SOUK_E_NOMEM;
	buf_done(&text);
	if (err != SOUK_OK)
		return err;
	*ret_json = json;
	*ret_content_type = type.p ? type : STR("");
	return SOUK_OK;
}

enum souk_err
s3_headers_check(const struct s3_params *q, struct fail *f)
{
	struct str type = s3_param(q, "response-content-type");
	size_t bytes = type.n;

	if (!is_fit(type))
		return unfit(f, "response-content-type");
	for (size_t i = 0; i < KEPT_N; i++) {
		struct str v = s3_param(q, kept[i].param);

		if (!is_fit(v))
			return unfit(f, kept[i].param);
		bytes += v.n;
	}
	if (bytes > S3_KEPT_MAX_BYTES)
		return s3_fail(f, "InvalidArgument",
		    "The response- parameters are at most %d bytes in all.", S3_KEPT_MAX_BYTES);
	return SOUK_OK;
}

static enum souk_err
put(struct http_response *r, const char *name, struct str value, struct arena *mem)
{
	const char *copy = arena_strndup(mem, value.p, value.n);

	if (!copy)
		return SOUK_E_LIMIT;
	http_response_header(r, name, copy);
	return SOUK_OK;
}

static enum souk_err
put_string(struct http_response *r, const char *name, const json_t *v, struct arena *mem)
{
	return put(r, name, (struct str){ json_string_value(v), json_string_length(v) }, mem);
}

/* Stored or put in its place by a parameter. */
static enum souk_err
put_kept(
    const json_t *stored, const struct s3_params *q, struct arena *mem, struct http_response *r)
{
	enum souk_err err = SOUK_OK;

	for (size_t i = 0; i < KEPT_N && err == SOUK_OK; i++) {
		struct str v = s3_param(q, kept[i].param);
		const json_t *j = json_object_get(stored, kept[i].stored);

		if (v.p)
			err = put(r, kept[i].header, v, mem);
		else if (json_is_string(j))
			err = put_string(r, kept[i].header, j, mem);
	}
	return err;
}

static enum souk_err
put_meta(json_t *stored, struct arena *mem, struct http_response *r)
{
	const char *name, *copy;
	json_t *v;

	json_object_foreach(stored, name, v)
	{
		if (!str_starts(str_c(name), META))
			continue;
		if (!(copy = arena_strdup(mem, name)) || put_string(r, copy, v, mem) != SOUK_OK)
			return SOUK_E_LIMIT;
	}
	return SOUK_OK;
}

enum souk_err
s3_headers_answer(struct str content_type, struct str json, const struct s3_params *q,
    struct arena *mem, struct http_response *r)
{
	struct str type = s3_param(q, "response-content-type");
	json_t *stored = NULL;
	enum souk_err err;

	if (json.n > 0 && json_read(json, &stored, NULL) != SOUK_OK)
		return SOUK_E_STORAGE;
	if ((err = put(r, "Content-Type", type.n > 0 ? type : content_type, mem)) == SOUK_OK &&
	    (err = put_kept(stored, q, mem, r)) == SOUK_OK)
		err = put_meta(stored, mem, r);
	json_decref(stored);
	return err;
}
