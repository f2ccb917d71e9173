/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The S3 family: the embedded buckets for unmodified S3 clients (specs/sigv4-and-s3.md 3).
 *
 * Only sellers have buckets, and contents are the seller's alone. A bucket of somebody
 * else answers exactly as one that does not exist (404 NoSuchBucket, where S3 says 403):
 * a denial tells nothing about what exists (design 3, 9).
 */
#include "server/families.h"

#include "base/secret.h"
#include "server/s3_int.h"

#include <assert.h>

/* The largest object with the framing of aws-chunked; what is in it is measured as it comes. */
#define BODY_MAX ((size_t)(S3_OBJECT_MAX + (S3_OBJECT_MAX >> 4)))

static const struct op ops[S3_OP__COUNT] = {
	[S3_LIST_BUCKETS] = { .action = "s3:ListAllMyBuckets",
	    .flags = OP_READ | OP_NO_BODY,
	    .run = s3_list_buckets },
	[S3_GET_BUCKET_LOCATION] = { .action = "s3:GetBucketLocation",
	    .flags = OP_READ | OP_NO_BODY,
	    .run = s3_get_bucket_location },
	[S3_HEAD_BUCKET] = { .action = "s3:ListBucket",
	    .flags = OP_READ | OP_NO_BODY,
	    .run = s3_head_bucket },
	[S3_LIST_OBJECTS] = { .action = "s3:ListBucket",
	    .flags = OP_READ | OP_NO_BODY,
	    .run = s3_list_objects },
	[S3_LIST_OBJECTS_V2] = { .action = "s3:ListBucket",
	    .flags = OP_READ | OP_NO_BODY,
	    .run = s3_list_objects },
	[S3_HEAD_OBJECT] = { .action = "s3:GetObject",
	    .flags = OP_READ | OP_NO_BODY,
	    .parse = s3_get_parse,
	    .run = s3_head_object },
	[S3_GET_OBJECT] = { .action = "s3:GetObject",
	    .flags = OP_READ | OP_AUDIT | OP_NO_BODY,
	    .parse = s3_get_parse,
	    .run = s3_get_object },
	[S3_PUT_OBJECT] = { .action = "s3:PutObject",
	    .flags = OP_WRITE | OP_STREAM,
	    .body_cap = BODY_MAX,
	    .run = s3_put_object },
	/* Refused by `authenticate`: what souk lacks is told to those it knows. */
	[S3_NOT_IMPLEMENTED] = { .action = "s3:NotImplemented", .flags = OP_NO_DB | OP_NO_BODY },
	[S3_METHOD_NOT_ALLOWED] = { .action = "s3:MethodNotAllowed",
	    .flags = OP_NO_DB | OP_NO_BODY },
};

struct s3_call *
s3_of(struct call *c)
{
	struct s3_call *s = c->family;

	assert(s && s->magic == S3_MAGIC);
	return s;
}

struct str
s3_arn(struct call *c, struct str bucket, struct str key)
{
	return str_c(arena_printf(c->arena, "arn:aws:s3:::%.*s%s%.*s", (int)bucket.n, bucket.p,
	    key.n > 0 ? "/" : "", (int)key.n, key.p));
}

/* ---- routing --------------------------------------------------------------------------- */

static const struct op *
find(struct call *c)
{
	struct s3_call *s = ARENA_NEW(c->arena, struct s3_call);
	struct fail *f = &c->fail;

	if (!s) {
		(void)s3_fail(f, "SlowDown", NULL);
		return NULL;
	}
	s->magic = S3_MAGIC;
	c->family = s;
	if (s3_address_parse(bucket_host(c->svc, c->req), c->req->path, c->arena, &s->at, f) !=
		SOUK_OK ||
	    s3_params_parse(c->req->query, c->arena, &s->params, f) != SOUK_OK)
		return NULL;
	s->op = s3_op_of(c->req->method, &s->at, &s->params, &s->wanted);
	return &ops[s->op];
}

/* All buckets are named by the pattern of a policy that means all of them. */
static struct str
resource(struct call *c)
{
	const struct s3_call *s = s3_of(c);

	if (s->op == S3_LIST_BUCKETS)
		return STR("arn:aws:s3:::*");
	return s3_arn(c, s->at.bucket, s->at.key);
}

/* ---- who ------------------------------------------------------------------------------- */

static bool
is_presigned(const struct s3_call *s)
{
	return s3_param(&s->params, "X-Amz-Algorithm").p ||
	       s3_param(&s->params, "X-Amz-Credential").p ||
	       s3_param(&s->params, "X-Amz-Signature").p;
}

static unsigned
metric_of_why(enum sigv4_why why)
{
	switch (why) {
	case SIGV4_NO_CREDENTIALS:
		return MAUTH_MISSING;
	case SIGV4_CLOCK:
	case SIGV4_EXPIRED:
	case SIGV4_NOT_YET:
		return MAUTH_CLOCK;
	case SIGV4_TOKEN:
	case SIGV4_SIGNATURE:
	case SIGV4_BODY_HASH:
		return MAUTH_BAD;
	case SIGV4_OK:
	case SIGV4_TWO_METHODS:
	case SIGV4_UNSUPPORTED:
	case SIGV4_MALFORMED:
	case SIGV4_SCOPE:
	case SIGV4_UNSIGNED_HEADER:
	case SIGV4_MISSING_HASH:
	case SIGV4_QUERY_PARAMETERS:
	case SIGV4_FAILED:
	case SIGV4__COUNT:
		break;
	}
	return MAUTH_MALFORMED;
}

/* What souk has not, with the way to get what is wanted. */
static enum souk_err
refuse_op(struct call *c)
{
	const struct s3_call *s = s3_of(c);

	if (s->op == S3_METHOD_NOT_ALLOWED)
		return s3_fail(&c->fail, "MethodNotAllowed", NULL);
	if (strcmp(s->wanted, "multipart upload") == 0)
		return s3_fail(&c->fail, "NotImplemented",
		    "souk does not offer multipart upload; upload the object in one PutObject of "
		    "at most 5 GiB (AWS CLI: aws configure set default.s3.multipart_threshold "
		    "5GB).");
	return s3_fail(&c->fail, "NotImplemented",
	    "souk does not offer %s; it lists, reads and puts objects.", s->wanted);
}

static enum souk_err
authenticate(struct call *c)
{
	struct s3_call *s = s3_of(c);
	const struct http_request *r = c->req;
	const struct sigv4_rules rules = { .region = c->svc->region,
		.now = clock_now(),
		.skew_ms = config_int(c->svc->config, SET_CLOCK_SKEW_SECONDS) * SECOND_MS,
		.skew_s3_ms = config_int(c->svc->config, SET_CLOCK_SKEW_S3_SECONDS) * SECOND_MS };
	const struct sigv4_req req = { .method = r->method,
		.path = r->path,
		.query = r->query,
		.headers = r->headers,
		.n_headers = r->n_headers,
		.body_streamed = true };
	struct str owner = http_header(r, "x-amz-expected-bucket-owner");

	sigv4_verify(c->svc->access, &rules, &req, c->arena, &s->auth);
	if (s->auth.why != SIGV4_OK) {
		c->refused = metric_of_why(s->auth.why);
		return fail_set(&c->fail,
		    s->auth.why == SIGV4_FAILED ? s->auth.err : SOUK_E_UNAUTHENTICATED,
		    sigv4_why_word(s->auth.why), "%.*s", (int)s->auth.detail.n, s->auth.detail.p);
	}
	c->who = s->auth.who;
	if (owner.p && s->at.bucket.n > 0 && !str_eq(owner, principal_account(c->who)))
		return s3_fail(&c->fail, "AccessDenied", NULL);
	if (s->op == S3_NOT_IMPLEMENTED || s->op == S3_METHOD_NOT_ALLOWED)
		return refuse_op(c);
	return SOUK_OK;
}

/* A body that was read whole is what the signature says it is; a streamed one is checked by PutObject. */
static enum souk_err
verify(struct call *c)
{
	const struct s3_call *s = s3_of(c);
	uint8_t hash[SHA256_LEN];

	if (s->op == S3_PUT_OBJECT)
		return s3_put_verify(c);
	if (s->auth.payload != SIGV4_BODY_HASHED)
		return SOUK_OK;
	sha256(c->req->body.p, c->req->body.n, hash);
	if (memcmp(hash, s->auth.sha256, sizeof(hash)) == 0)
		return SOUK_OK;
	return s3_fail(&c->fail, "XAmzContentSHA256Mismatch", NULL);
}

/* ---- errors ---------------------------------------------------------------------------- */

static const char *
allowed_methods(const struct s3_call *s)
{
	if (s->at.key.n > 0)
		return "GET, HEAD, PUT";
	return s->at.bucket.n > 0 ? "GET, HEAD" : "GET";
}

static struct str
resource_path(struct call *c, const struct s3_call *s)
{
	const char *p;

	if (!s || s->at.bucket.n == 0)
		return c->req->path;
	p = arena_printf(c->arena, "/%.*s%s%.*s", (int)s->at.bucket.n, s->at.bucket.p,
	    s->at.key.n > 0 ? "/" : "", (int)s->at.key.n, s->at.key.p);
	return str_c(p);
}

static void
word_error(struct call *c, const struct s3_call *s, enum souk_err err, struct s3_error *e)
{
	if (s && s->auth.why != SIGV4_OK) {
		s3_error_of_signature(&s->auth, is_presigned(s), str_c(c->svc->region),
		    config_int(c->svc->config, SET_CLOCK_SKEW_S3_SECONDS) * SECOND_MS, c->arena, e);
	} else {
		s3_error_of(err, &c->fail, e);
	}
	if (s && strcmp(e->code, "NoSuchBucket") == 0)
		s3_error_extra(e, "BucketName", s->at.bucket);
	if (s && strcmp(e->code, "NoSuchKey") == 0)
		s3_error_extra(e, "Key", s->at.key);
}

static void
fail(struct call *c, enum souk_err err)
{
	const struct s3_call *s = c->family;
	struct s3_error e = { 0 };

	if (s)
		e = s->error;
	word_error(c, s, err, &e);
	e.request_id = str_c(c->request_id);
	e.resource = resource_path(c, s);
	c->response.status = e.status;
	http_response_header(&c->response, "x-amz-id-2", S3_HOST_ID);
	if (e.status == 405 && s)
		http_response_header(&c->response, "Allow", allowed_methods(s));
	if (e.status == 416 && s)
		http_response_header(&c->response, "Content-Range", s->content_range);
	/* To a HEAD only the status can be told. */
	if (!str_eq(c->req->method, STR("HEAD")))
		s3_error_write(&e, &c->out);
}

static void
over(struct call *c)
{
	struct s3_call *s = c->family;

	if (!s)
		return;
	s3_get_done(&s->get);
	s3_put_done(&s->put);
	wipe(s->auth.signing_key, sizeof(s->auth.signing_key));
	s->magic = 0;
}

const struct api_family api_s3 = {
	.name = "s3",
	.metric = FAM_S3,
	.id_header = "x-amz-request-id",
	.content_type = "application/xml",
	.find = find,
	.authenticate = authenticate,
	.resource = resource,
	.body = s3_put_body,
	.verify = verify,
	.fail = fail,
	.over = over,
};
