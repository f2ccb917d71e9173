/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GetObject and HeadObject. Exports hold personal data: each GetObject that gives bytes is
 * audited, durably before the first byte leaves; HeadObject gives none. The file is
 * opened in the snapshot that found its row and read as the client takes it, so that a
 * replacement meanwhile disturbs nobody and memory does not grow with the object.
 */
#include "server/s3_int.h"

#include "server/s3_headers.h"
#include "server/s3_select.h"

#include <assert.h>

#define PART_MAX 10000 /* S3's */

/* SDKs read the first part first, to see whether there are more. */
static enum souk_err
parse_part(struct call *c)
{
	struct s3_call *s = s3_of(c);
	struct str number = s3_param(&s->params, "partNumber");

	s->get.part = 0;
	if (!number.p)
		return SOUK_OK;
	if (!str_to_u64(number, PART_MAX, &s->get.part) || s->get.part == 0)
		return s3_fail(&c->fail, "InvalidArgument",
		    "Part number must be an integer between 1 and %d, inclusive", PART_MAX);
	if (http_header(c->req, "Range").p)
		return s3_fail(&c->fail, "InvalidRequest",
		    "Cannot specify both Range header and partNumber query parameter");
	return SOUK_OK;
}

enum souk_err
s3_get_parse(struct call *c)
{
	enum souk_err err;

	if ((err = parse_part(c)) != SOUK_OK)
		return err;
	return s3_headers_check(&s3_of(c)->params, &c->fail);
}

/* ---- finding --------------------------------------------------------------------------- */

/* Who may not list must not learn which keys there are (3.6). */
static enum souk_err
no_such_key(struct call *c)
{
	const struct s3_call *s = s3_of(c);
	struct str bucket = s3_arn(c, s->at.bucket, STR(""));

	if (!bucket.p)
		return SOUK_E_LIMIT;
	if (!principal_may(c->who, "s3:ListBucket", bucket))
		return s3_fail(&c->fail, "AccessDenied", NULL);
	return s3_fail(&c->fail, "NoSuchKey", NULL);
}

static enum souk_err
find_object(struct call *c, struct db_tx *tx, struct object *ret)
{
	const struct s3_call *s = s3_of(c);
	struct bucket b;
	enum souk_err err;

	err = object_get(tx, c->scope, s->at.bucket, s->at.key, c->arena, ret);
	if (err != SOUK_E_NOT_FOUND)
		return err;
	err = s3_bucket(c, tx, &b);
	return err == SOUK_OK ? no_such_key(c) : err;
}

static void
select_bytes(struct call *c, const struct object *o, struct s3_selection *ret)
{
	const struct http_request *r = c->req;
	const struct s3_conditions conditions = {
		.if_match = http_header(r, "If-Match"),
		.if_none_match = http_header(r, "If-None-Match"),
		.if_modified_since = http_header(r, "If-Modified-Since"),
		.if_unmodified_since = http_header(r, "If-Unmodified-Since"),
		.if_range = http_header(r, "If-Range"),
		.range = http_header(r, "Range"),
		.part = s3_of(c)->get.part,
	};

	s3_select(&conditions, o->etag, o->modified_at, (uint64_t)o->size, ret);
}

/* ---- headers --------------------------------------------------------------------------- */

static void
printed_header(struct call *c, const char *name, const char *value)
{
	http_response_header(&c->response, name, value);
}

static void
date_headers(struct call *c, const struct object *o)
{
	char text[INSTANT_HTTP_LEN + 1];

	instant_format_http(o->modified_at, text);
	call_header(c, "Last-Modified", str_c(text));
	instant_format_http(o->expires_at, text);
	printed_header(c, "x-amz-expiration",
	    arena_printf(c->arena, "expiry-date=\"%s\", rule-id=\"retention\"", text));
}

/* What the writer gave, else what souk knows of every object. Of whole objects only. */
static void
add_checksum(struct call *c, const struct object *o)
{
	struct str value = o->checksum, name = STR("");
	enum checksum_kind k;
	struct buf text = { 0 };

	(void)str_split(&value, ':', &name);
	k = checksum_of_name(name);
	if (k == CHECKSUM_NONE || !value.p) {
		k = CHECKSUM_SHA256;
		buf_add_base64(&text, o->sha256, sizeof(o->sha256));
		value = buf_str(&text);
	}
	call_header(c, checksum_header(k), value);
	printed_header(c, "x-amz-checksum-type", "FULL_OBJECT");
	buf_done(&text);
}

static bool
wants_checksum(const struct call *c)
{
	return str_eq_nocase(http_header(c->req, "x-amz-checksum-mode"), STR("ENABLED"));
}

static enum souk_err
object_headers(struct call *c, const struct object *o, const struct s3_selection *sel)
{
	const struct s3_call *s = s3_of(c);

	http_response_header(&c->response, "x-amz-id-2", S3_HOST_ID);
	printed_header(c, "ETag", arena_printf(c->arena, "\"%.*s\"", (int)o->etag.n, o->etag.p));
	date_headers(c, o);
	http_response_header(&c->response, "Accept-Ranges", "bytes");
	/* Objects share their origin with the portal: nothing in them may run as part of it. */
	http_response_header(
	    &c->response, "Content-Security-Policy", "default-src 'none'; sandbox");
	http_response_header(&c->response, "X-Content-Type-Options", "nosniff");
	if (sel->outcome == S3_PART)
		printed_header(c, "Content-Range",
		    arena_printf(c->arena, "bytes %llu-%llu/%lld", (unsigned long long)sel->from,
			(unsigned long long)(sel->from + sel->length - 1), (long long)o->size));
	if (sel->outcome == S3_WHOLE && wants_checksum(c))
		add_checksum(c, o);
	return s3_headers_answer(o->content_type, o->headers, &s->params, c->arena, &c->response);
}

/* ---- bytes ----------------------------------------------------------------------------- */

static enum souk_err
read_bytes(void *ctx, uint64_t offset, void *p, size_t n, size_t *ret_n)
{
	struct s3_call *s = ctx;
	const struct s3_get *g = &s->get;
	uint64_t left;

	assert(s->magic == S3_MAGIC && offset <= g->length);
	if (g->err != SOUK_OK)
		return g->err;
	left = g->length - offset;
	return object_read(
	    g->reader, (int64_t)(g->from + offset), p, n < left ? n : (size_t)left, ret_n);
}

static void
fetch(struct slow_task *t)
{
	struct s3_get *g = (struct s3_get *)((char *)t - offsetof(struct s3_get, task));

	g->err = object_reader_fetch(
	    g->reader, (int64_t)(g->from + g->wanted), (int64_t)(g->length - g->wanted));
	http_more(g->c->x);
}

/* Few threads serve all connections: what is far away is waited for on another. */
static bool
bytes_ready(void *ctx, uint64_t offset)
{
	struct s3_call *s = ctx;
	struct s3_get *g = &s->get;

	assert(s->magic == S3_MAGIC && offset <= g->length);
	if (g->err != SOUK_OK || object_reader_ready(g->reader, (int64_t)(g->from + offset)))
		return true;
	g->wanted = offset;
	g->task.run = fetch;
	call_slowly(g->c, &g->task);
	return false;
}

/* The first bytes decide whether there is an answer at all: nobody can take a status back. */
static enum souk_err
fetch_first(struct call *c)
{
	struct s3_get *g = &s3_of(c)->get;
	enum souk_err err = object_reader_fetch(g->reader, (int64_t)g->from, (int64_t)g->length);

	if (err != SOUK_OK)
		c->audit.action = NULL; /* nothing was given */
	return err;
}

void
s3_get_done(struct s3_get *g)
{
	object_reader_free(g->reader);
	g->reader = NULL;
}

/* HEAD: the length alone is wanted. */
static enum souk_err
read_nothing(void *ctx, uint64_t offset, void *p, size_t n, size_t *ret_n)
{
	(void)ctx;
	(void)offset;
	(void)p;
	(void)n;
	*ret_n = 0;
	return SOUK_OK;
}

static void
audit_read(struct call *c, const struct object *o)
{
	char id[GUID_TEXT_LEN + 1];

	guid_format(&o->id, id);
	c->audit.action = "s3:GetObject";
	c->audit.resource =
	    str_c(arena_printf(c->arena, "%.*s/%s", (int)o->bucket.n, o->bucket.p, id));
	c->audit.seller_id = arena_str(c->arena, tenant_account(c->scope));
	c->audit.count = 1;
}

/* ---- answers --------------------------------------------------------------------------- */

static enum souk_err
refuse(struct call *c, const struct object *o, const struct s3_selection *sel)
{
	struct s3_call *s = s3_of(c);
	const char *size = arena_printf(c->arena, "%lld", (long long)o->size);

	s->error.n_extra = 0;
	if (sel->outcome == S3_PRECONDITION) {
		s3_error_extra(&s->error, "Condition", str_c(sel->condition));
		return s3_fail(&c->fail, "PreconditionFailed", NULL);
	}
	if (s->get.part > 0) {
		s3_error_extra(&s->error, "ActualPartCount", STR("1"));
		s3_error_extra(
		    &s->error, "PartNumberRequested", s3_param(&s->params, "partNumber"));
		return s3_fail(&c->fail, "InvalidPartNumber", NULL);
	}
	s3_error_extra(&s->error, "RangeRequested", http_header(c->req, "Range"));
	s3_error_extra(&s->error, "ActualObjectSize", str_c(size));
	s->content_range = arena_printf(c->arena, "bytes */%lld", (long long)o->size);
	return s3_fail(&c->fail, "InvalidRange", NULL);
}

/* Everything but the bytes. *ret_sel says which of them are wanted. */
static enum souk_err
answer_head(struct call *c, struct db_tx *tx, struct object *ret_o, struct s3_selection *ret_sel)
{
	enum souk_err err;

	if ((err = find_object(c, tx, ret_o)) != SOUK_OK)
		return err;
	select_bytes(c, ret_o, ret_sel);
	if (ret_sel->outcome == S3_PRECONDITION || ret_sel->outcome == S3_UNSATISFIABLE)
		return refuse(c, ret_o, ret_sel);
	if ((err = object_headers(c, ret_o, ret_sel)) != SOUK_OK)
		return err;
	c->response.status = ret_sel->outcome == S3_NOT_MODIFIED ? 304
			     : ret_sel->outcome == S3_PART       ? 206
								 : 200;
	c->response.length = ret_sel->length;
	return SOUK_OK;
}

enum souk_err
s3_head_object(struct call *c, struct db_tx *tx)
{
	struct s3_selection sel;
	struct object o;
	enum souk_err err;

	if ((err = answer_head(c, tx, &o, &sel)) != SOUK_OK)
		return err;
	if (sel.outcome != S3_NOT_MODIFIED)
		c->response.read = read_nothing;
	return SOUK_OK;
}

enum souk_err
s3_get_object(struct call *c, struct db_tx *tx)
{
	struct s3_call *s = s3_of(c);
	struct s3_selection sel;
	struct object o;
	enum souk_err err;

	c->fetch = NULL;
	if ((err = answer_head(c, tx, &o, &sel)) != SOUK_OK || sel.outcome == S3_NOT_MODIFIED)
		return err;
	s3_get_done(&s->get);
	if ((err = object_reader_open(c->svc->objects, &o, &s->get.reader)) != SOUK_OK)
		return err;
	s->get.from = sel.from;
	s->get.length = sel.length;
	s->get.c = c;
	s->get.err = SOUK_OK;
	if (sel.length > 0 && !object_reader_ready(s->get.reader, (int64_t)sel.from))
		c->fetch = fetch_first;
	c->response.read_ready = bytes_ready;
	c->response.read = read_bytes;
	c->response.read_ctx = s;
	audit_read(c, &o);
	return c->audit.resource.p && c->audit.seller_id.p ? SOUK_OK : SOUK_E_LIMIT;
}
