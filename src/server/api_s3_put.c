/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PutObject: the body goes piece by piece to a sealed file, so that memory does not grow
 * with it. Nothing is an object before every check has passed: the row is put last.
 *
 * Closing the file waits for the disk; the dispatcher keeps that off the connections'
 * threads (OP_STREAM).
 */
#include "server/s3_int.h"

#include <assert.h>

/* ---- pieces ---------------------------------------------------------------------------- */

/* The object's own bytes. */
static enum souk_err
write_plain(struct sink *sink, const void *p, size_t n)
{
	struct s3_put *put = (struct s3_put *)((char *)sink - offsetof(struct s3_put, plain));

	checksum_update(&put->checksum, p, n);
	return object_writer_sink(put->writer)->write(object_writer_sink(put->writer), p, n);
}

/* The body as it comes. */
static enum souk_err
write_body(struct sink *sink, const void *p, size_t n)
{
	struct s3_put *put = (struct s3_put *)((char *)sink - offsetof(struct s3_put, sink));

	if (put->chunked)
		return aws_chunked_feed(put->chunked, p, n, &put->c->fail);
	return write_plain(&put->plain, p, n);
}

/* ---- beginning ------------------------------------------------------------------------- */

/* Contents are the seller's alone: also the operator, who sees the bucket, has none to put into. */
static enum souk_err
find_bucket(struct db_tx *tx, void *arg)
{
	struct call *c = arg;
	struct bucket b;
	enum souk_err err;

	if ((err = s3_bucket(c, tx, &b)) != SOUK_OK)
		return err;
	if (!str_eq_c(tenant_account(c->scope), b.seller_id))
		return s3_fail(&c->fail, "NoSuchBucket", NULL);
	return SOUK_OK;
}

static enum souk_err
open_chunked(struct call *c, struct s3_put *put)
{
	struct s3_call *s = s3_of(c);

	if (s->auth.payload == SIGV4_BODY_HASHED || s->auth.payload == SIGV4_BODY_UNSIGNED)
		return SOUK_OK;
	return aws_chunked_new(
	    &s->auth, put->args.length, put->args.trailer, &put->plain, &put->chunked, &c->fail);
}

enum souk_err
s3_put_body(struct call *c, struct sink **ret)
{
	struct s3_call *s = s3_of(c);
	struct s3_put *put = &s->put;
	enum souk_err err;

	if ((err = s3_put_args_parse(c->req, s->auth.payload, c->arena, &put->args, &c->fail)) !=
		SOUK_OK ||
	    (err = db_read(c->svc->db, find_bucket, c)) != SOUK_OK ||
	    (err = open_chunked(c, put)) != SOUK_OK ||
	    (err = object_writer_new(c->svc->objects, tenant_account(c->scope), &put->writer)) !=
		SOUK_OK)
		return err;
	put->c = c;
	put->sink.write = write_body;
	put->plain.write = write_plain;
	checksum_init(&put->checksum, put->args.checksum);
	*ret = &put->sink;
	return SOUK_OK;
}

/* ---- checking -------------------------------------------------------------------------- */

static enum souk_err
check_md5(struct call *c, const struct s3_put *put)
{
	uint8_t md5[MD5_LEN];

	object_writer_md5(put->writer, md5);
	if (!put->args.has_md5 || memcmp(md5, put->args.md5, sizeof(md5)) == 0)
		return SOUK_OK;
	return s3_fail(
	    &c->fail, "BadDigest", "The Content-MD5 you specified did not match what we received.");
}

static enum souk_err
check_sha256(struct call *c, const struct s3_put *put)
{
	const struct sigv4_result *auth = &s3_of(c)->auth;
	uint8_t sha[SHA256_LEN];

	object_writer_sha256(put->writer, sha);
	if (auth->payload != SIGV4_BODY_HASHED || memcmp(sha, auth->sha256, sizeof(sha)) == 0)
		return SOUK_OK;
	return s3_fail(&c->fail, "XAmzContentSHA256Mismatch", NULL);
}

/* A trailer's checksum has been compared already; this one is kept with the object. */
static enum souk_err
check_checksum(struct call *c, struct s3_put *put)
{
	enum checksum_kind k = put->args.checksum;
	uint8_t sum[CHECKSUM_MAX];
	struct buf text = { 0 };

	put->stored_checksum = STR("");
	if (k == CHECKSUM_NONE)
		return SOUK_OK;
	checksum_digest(&put->checksum, sum);
	if (put->args.declared.n > 0 && memcmp(sum, put->args.sum, checksum_size(k)) != 0)
		return s3_fail(&c->fail, "BadDigest",
		    "The %s you specified did not match the calculated checksum.",
		    checksum_name(k));
	buf_printf(&text, "%s:", checksum_name(k));
	buf_add_base64(&text, sum, checksum_size(k));
	put->stored_checksum = arena_str(c->arena, buf_str(&text));
	buf_done(&text);
	return put->stored_checksum.n > 0 ? SOUK_OK : SOUK_E_NOMEM;
}

enum souk_err
s3_put_verify(struct call *c)
{
	struct s3_put *put = &s3_of(c)->put;
	enum souk_err err;

	if (put->chunked && (err = aws_chunked_end(put->chunked, &c->fail)) != SOUK_OK)
		return err;
	if ((uint64_t)object_writer_size(put->writer) != put->args.length)
		return s3_fail(&c->fail, "IncompleteBody", NULL);
	if ((err = object_writer_close(put->writer)) != SOUK_OK ||
	    (err = check_md5(c, put)) != SOUK_OK || (err = check_sha256(c, put)) != SOUK_OK ||
	    (err = check_checksum(c, put)) != SOUK_OK)
		return err;
	return SOUK_OK;
}

/* ---- keeping --------------------------------------------------------------------------- */

static enum souk_err
audit_put(struct call *c, struct db_tx *tx, const struct object *o)
{
	char id[GUID_TEXT_LEN + 1];
	const char *resource;

	guid_format(&o->id, id);
	resource = arena_printf(c->arena, "%.*s/%s", (int)o->bucket.n, o->bucket.p, id);
	if (!resource)
		return SOUK_E_LIMIT;
	return audit_append(tx, c->svc->vault,
	    &(struct audit_entry){ .account_id = tenant_account(c->scope),
		.actor = tenant_actor(c->scope),
		.action = "s3:PutObject",
		.resource = str_c(resource),
		.seller_id = tenant_account(c->scope),
		.purpose = c->purpose,
		.count = 1,
		.request_id = tenant_request(c->scope) });
}

static void
answer_put(struct call *c, const struct s3_put *put, const struct object *o)
{
	struct str value = put->stored_checksum;
	struct str name;

	c->response.status = 200;
	http_response_header(&c->response, "x-amz-id-2", S3_HOST_ID);
	http_response_header(
	    &c->response, "ETag", arena_printf(c->arena, "\"%.*s\"", (int)o->etag.n, o->etag.p));
	if (value.n == 0)
		return;
	(void)str_split(&value, ':', &name);
	call_header(c, checksum_header(put->args.checksum), value);
	http_response_header(&c->response, "x-amz-checksum-type", "FULL_OBJECT");
}

enum souk_err
s3_put_object(struct call *c, struct db_tx *tx)
{
	struct s3_call *s = s3_of(c);
	struct s3_put *put = &s->put;
	const struct object_facts facts = { .bucket = s->at.bucket,
		.key = s->at.key,
		.content_type = put->args.content_type,
		.headers = put->args.headers,
		.checksum = put->stored_checksum };
	struct object o;
	enum souk_err err;

	s->error.n_extra = 0;
	err =
	    object_commit(tx, put->writer, &facts, put->args.if_none, put->args.if_match, &c->fail);
	if (err == SOUK_E_PRECONDITION)
		s3_error_extra(&s->error, "Condition",
		    put->args.if_none ? STR("If-None-Match") : STR("If-Match"));
	if (err != SOUK_OK ||
	    (err = object_get(tx, c->scope, s->at.bucket, s->at.key, c->arena, &o)) != SOUK_OK ||
	    (err = audit_put(c, tx, &o)) != SOUK_OK)
		return err;
	answer_put(c, put, &o);
	return SOUK_OK;
}

void
s3_put_done(struct s3_put *p)
{
	aws_chunked_free(p->chunked);
	object_writer_free(p->writer);
	p->chunked = NULL;
	p->writer = NULL;
}
