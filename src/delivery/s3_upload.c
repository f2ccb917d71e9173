/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Uploads of a size not known before.
 *
 * Whether completing succeeded can be unknown: the answer may be lost. Then the object
 * itself tells, by the ETag that our parts must give it; only where that cannot tell (a store
 * that encrypts with keys of its own) is a vanished upload taken for a completed one.
 */
#include "delivery/s3_client_int.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

struct s3_upload {
	struct sink sink; /* first: the sink is the upload */
	struct s3_client *c;
	struct buf key, headers;
	struct s3_put_facts facts; /* points into the two */
	char *header_list[S3_HEADERS_MAX];
	struct buf id;    /* of the multipart upload; "" none yet */
	struct buf parts; /* XML of those sent */
	size_t n_parts;
	struct md5_ctx parts_md5; /* of the parts' MD5s: what the ETag is made of */
	uint8_t parts_sum[MD5_LEN];
	uint8_t *part;
	size_t held, part_size;
	int64_t size;
	struct md5_ctx md5;
	struct sha256_ctx sha;
	uint8_t md5_sum[MD5_LEN], sha_sum[SHA256_LEN];
	bool closed, asked, completed; /* asked: completing was, at least once */
	struct s3_error error; /* the first failure before closing; nothing is sent after it */
	char etag[S3_ETAG_MAX + 1];
};

/* ---- parts ---- */

struct reply {
	struct buf *id;
	char etag[S3_ETAG_MAX + 1];
};

static void
reply_text(void *ctx, const char *parent, const char *name, struct str text)
{
	struct reply *r = ctx;

	(void)parent;
	if (strcmp(name, "UploadId") == 0)
		buf_add_str(r->id, text);
}

static enum souk_err
multipart_begin(struct s3_upload *u, struct s3_error *e)
{
	static const struct s3_leaf what = { .text = reply_text };
	struct s3_call q = { .method = "POST", .key = u->facts.key, .query = "uploads=" };
	struct reply r = { .id = &u->id };
	struct buf mem = { 0 };
	enum souk_err err;

	s3_object_headers(u->c, &u->facts, &q, &mem);
	err = buf_ok(&mem) ? s3_run(u->c, &q, e) : s3_fault_set(u->c, e, S3_MEMORY, "");
	if (err == SOUK_OK && (!s3_xml_read(buf_str(&q.text), &what, &r) || u->id.n == 0)) {
		buf_clear(&u->id);
		err = s3_strange(u->c, e, "it has no upload id");
	}
	buf_done(&q.text);
	buf_done(&mem);
	return err;
}

static void
part_note(struct s3_upload *u, const char *etag)
{
	uint8_t sum[MD5_LEN];
	struct md5_ctx md5;

	md5_init(&md5);
	md5_update(&md5, u->held, u->part);
	md5_digest(&md5, MD5_LEN, sum);
	md5_update(&u->parts_md5, MD5_LEN, sum);
	buf_printf(&u->parts, "<Part><PartNumber>%zu</PartNumber><ETag>&quot;", ++u->n_parts);
	buf_add_xml(&u->parts, str_c(etag));
	buf_add_c(&u->parts, "&quot;</ETag></Part>");
	u->held = 0;
}

static enum souk_err
part_send(struct s3_upload *u, struct s3_error *e)
{
	struct s3_call q = { .method = "PUT",
		.key = u->facts.key,
		.body = { (const char *)u->part, u->held },
		.has_md5 = true };
	struct buf query = { 0 };
	enum souk_err err;

	if (u->n_parts == S3_PARTS_MAX)
		return s3_fault_set(u->c, e, S3_TOO_LARGE, "");
	if (u->id.n == 0 && (err = multipart_begin(u, e)) != SOUK_OK)
		return err;
	buf_printf(&query, "partNumber=%zu&uploadId=", u->n_parts + 1);
	buf_add_percent(&query, buf_str(&u->id), "");
	q.query = query.p;
	err = buf_ok(&query) ? s3_run(u->c, &q, e) : s3_fault_set(u->c, e, S3_MEMORY, "");
	if (err == SOUK_OK && !q.etag[0])
		err = s3_strange(u->c, e, "a part has no ETag");
	if (err == SOUK_OK)
		part_note(u, q.etag);
	buf_done(&query);
	buf_done(&q.text);
	return err;
}

/* Room for one more byte at least; a full part goes out. */
static enum souk_err
make_room(struct s3_upload *u, struct s3_error *e)
{
	size_t want;
	uint8_t *more;
	enum souk_err err;

	if (u->part && u->held == u->part_size && (err = part_send(u, e)) != SOUK_OK)
		return err;
	want = u->n_parts < S3_PARTS_SMALL ? S3_PART : S3_PART_LARGE;
	if (u->held > 0 || want == u->part_size)
		return SOUK_OK;
	if (!(more = realloc(u->part, want)))
		return s3_fault_set(u->c, e, S3_MEMORY, "");
	u->part = more;
	u->part_size = want;
	return SOUK_OK;
}

/* A full part waits until more comes: a single one is an object of its own. */
static enum souk_err
upload_write(struct sink *s, const void *bytes, size_t n)
{
	struct s3_upload *u = (struct s3_upload *)s;
	const uint8_t *p = bytes;
	size_t take;

	assert(!u->closed);
	if (u->error.fault != S3_FINE || n == 0)
		return s3_fault_err(u->error.fault);
	md5_update(&u->md5, n, p);
	sha256_update(&u->sha, n, p);
	u->size += (int64_t)n;
	while (n > 0) {
		if ((u->held == u->part_size) && make_room(u, &u->error) != SOUK_OK)
			return s3_fault_err(u->error.fault);
		take = n < u->part_size - u->held ? n : u->part_size - u->held;
		memcpy(u->part + u->held, p, take);
		u->held += take;
		p += take;
		n -= take;
	}
	return SOUK_OK;
}

/* ---- beginning and ending ---- */

/* The caller's texts need not outlive the call. */
static bool
keep_facts(struct s3_upload *u, const struct s3_put_facts *o)
{
	size_t n = 0;

	buf_add_str(&u->key, o->key);
	buf_add_str(&u->headers, o->content_type);
	u->facts = (struct s3_put_facts){ .key = buf_str(&u->key),
		.content_type = buf_str(&u->headers),
		.headers = (const char *const *)u->header_list,
		.if_none = o->if_none };
	for (; o->headers && o->headers[n]; n++)
		if (n + 1 == S3_HEADERS_MAX || !(u->header_list[n] = strdup(o->headers[n])))
			return false;
	return buf_ok(&u->key) && buf_ok(&u->headers);
}

enum souk_err
s3_upload_begin(
    struct s3_client *c, const struct s3_put_facts *o, struct s3_upload **ret, struct s3_error *e)
{
	struct s3_upload *u = calloc(1, sizeof(*u));

	*e = (struct s3_error){ .fault = S3_FINE };
	if (!u)
		return s3_fault_set(c, e, S3_MEMORY, "");
	u->sink.write = upload_write;
	u->c = c;
	md5_init(&u->md5);
	md5_init(&u->parts_md5);
	sha256_init(&u->sha);
	if (!keep_facts(u, o)) {
		s3_upload_free(u);
		return s3_fault_set(c, e, S3_MEMORY, "");
	}
	*ret = u;
	return SOUK_OK;
}

struct sink *
s3_upload_sink(struct s3_upload *u)
{
	return &u->sink;
}

enum souk_err
s3_upload_close(struct s3_upload *u, struct s3_error *e)
{
	if (!u->closed && u->error.fault == S3_FINE && u->n_parts > 0)
		(void)!part_send(u, &u->error);
	*e = u->error;
	if (u->closed || e->fault != S3_FINE)
		return s3_fault_err(e->fault);
	md5_digest(&u->md5, MD5_LEN, u->md5_sum);
	sha256_digest(&u->sha, SHA256_LEN, u->sha_sum);
	md5_digest(&u->parts_md5, MD5_LEN, u->parts_sum);
	u->closed = true;
	return SOUK_OK;
}

int64_t
s3_upload_size(const struct s3_upload *u)
{
	return u->size;
}

void
s3_upload_md5(const struct s3_upload *u, uint8_t out[16])
{
	assert(u->closed);
	memcpy(out, u->md5_sum, MD5_LEN);
}

void
s3_upload_sha256(const struct s3_upload *u, uint8_t out[32])
{
	assert(u->closed);
	memcpy(out, u->sha_sum, SHA256_LEN);
}

/* ---- completing ---- */

static enum souk_err
post_complete(struct s3_upload *u, struct s3_error *e)
{
	struct s3_call q = { .method = "POST", .key = u->facts.key, .once = true, .slow = true };
	struct buf body = { 0 }, query = { 0 };
	enum souk_err err;

	buf_add_c(&query, "uploadId=");
	buf_add_percent(&query, buf_str(&u->id), "");
	buf_add_c(
	    &body, "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
	buf_add_str(&body, buf_str(&u->parts));
	buf_add_c(&body, "</CompleteMultipartUpload>");
	q.query = query.p;
	q.body = buf_str(&body);
	s3_call_add(&q, "content-type: application/xml");
	if (u->facts.if_none)
		s3_call_add(&q, "if-none-match: *");
	if (buf_ok(&query) && buf_ok(&body) && buf_ok(&u->parts))
		err = s3_run(u->c, &q, e);
	else
		err = s3_fault_set(u->c, e, S3_MEMORY, "");
	buf_done(&q.text);
	buf_done(&query);
	buf_done(&body);
	return err;
}

/* What stands under the key now, against what was uploaded. */
static enum souk_err
look(struct s3_upload *u, enum s3_match *ret, struct s3_error *e)
{
	struct s3_call q = { .query = "" };
	enum souk_err err = s3_head_call(u->c, u->facts.key, &q, e);

	if (err == SOUK_OK) {
		*ret = q.length == u->size ? s3_etag_match(&q, u->parts_sum, u->n_parts) : S3_OTHER;
		memcpy(u->etag, q.etag, sizeof(u->etag));
	}
	buf_done(&q.text);
	return err;
}

/* The answer was lost or odd: had it happened? */
static bool
had_happened(struct s3_upload *u, enum s3_fault fault, bool tried_before)
{
	struct s3_error other;
	enum s3_match m;

	if (look(u, &m, &other) != SOUK_OK || m == S3_OTHER)
		return false;
	if (m == S3_CANNOT_TELL)
		return fault == S3_NO_KEY && tried_before;
	/* The same bytes may have been there before: then the upload still waits. */
	(void)!s3_abort(u->c, u->facts.key, buf_str(&u->id), &other);
	return true;
}

static enum souk_err
complete_parts(struct s3_upload *u, struct s3_error *e)
{
	enum s3_match m;
	bool before;
	enum souk_err err;

	for (unsigned tries = 1;; tries++) {
		before = u->asked;
		u->asked = true;
		if ((err = post_complete(u, e)) == SOUK_OK) {
			if ((err = look(u, &m, e)) == SOUK_OK && m == S3_OTHER)
				return s3_fault_set(u->c, e, S3_CHECKSUM, "");
			if (err == SOUK_OK || e->fault != S3_DENIED)
				return err;
			/* A key that may write and not read: the store has said that it is done. */
			*e = (struct s3_error){ .fault = S3_FINE };
			return SOUK_OK;
		}
		if (!s3_fault_passes(e->fault) && e->fault != S3_NO_KEY &&
		    e->fault != S3_PRECONDITION)
			return err;
		if (had_happened(u, e->fault, before)) {
			*e = (struct s3_error){ .fault = S3_FINE };
			return SOUK_OK;
		}
		if (!s3_fault_passes(e->fault) || tries == S3_TRIES)
			return err;
		s3_pause(tries);
	}
}

enum souk_err
s3_upload_complete(struct s3_upload *u, struct s3_error *e)
{
	struct str body = { .p = u->part ? (const char *)u->part : "", .n = u->held };
	enum souk_err err;

	assert(u->closed);
	*e = (struct s3_error){ .fault = S3_FINE };
	if (u->completed)
		return SOUK_OK;
	if (u->n_parts > 0) {
		err = complete_parts(u, e);
	} else if ((err = s3_put(u->c, &u->facts, body, e)) == SOUK_OK) {
		hex_encode(u->md5_sum, MD5_LEN, u->etag);
	}
	u->completed = err == SOUK_OK;
	return err;
}

const char *
s3_upload_etag(const struct s3_upload *u)
{
	return u->etag;
}

void
s3_upload_free(struct s3_upload *u)
{
	struct s3_error e;

	if (!u)
		return;
	if (u->id.n > 0 && !u->completed)
		(void)!s3_abort(u->c, u->facts.key, buf_str(&u->id), &e);
	for (size_t i = 0; i < S3_HEADERS_MAX; i++)
		free(u->header_list[i]);
	buf_done(&u->key);
	buf_done(&u->headers);
	buf_done(&u->id);
	buf_done(&u->parts);
	if (u->part) {
		wipe(u->part, u->part_size);
		free(u->part);
	}
	free(u);
}
