/* SPDX-License-Identifier: Apache-2.0 */
/*
 * S3's error documents. Clients decide by code, people read the message: both come from
 * one table. A document quotes nothing but the caller's own request.
 */
#include "server/s3_error.h"

#include "server/s3_xml.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

struct row {
	const char *code;
	int status;
	enum souk_err err; /* what the failure is to the rest of souk */
	const char *message;
};

static const struct row rows[] = {
	{ "AccessControlListNotSupported", 400, SOUK_E_INVALID,
	    "Buckets have no access control lists here: a bucket is its seller's alone." },
	{ "AccessDenied", 403, SOUK_E_DENIED, "Access Denied" },
	{ "AuthorizationHeaderMalformed", 400, SOUK_E_UNAUTHENTICATED,
	    "The authorization header is malformed." },
	{ "AuthorizationQueryParametersError", 400, SOUK_E_UNAUTHENTICATED,
	    "The query parameters of the presigned request are not right." },
	{ "BadDigest", 400, SOUK_E_INVALID,
	    "The Content-MD5 or checksum value that you specified did not match what the server "
	    "received." },
	{ "EntityTooLarge", 400, SOUK_E_LIMIT,
	    "Your proposed upload exceeds the maximum allowed object size." },
	{ "IncompleteBody", 400, SOUK_E_INVALID,
	    "The request body is shorter or longer than its headers say." },
	{ "InternalError", 500, SOUK_E_INTERNAL,
	    "We encountered an internal error. Please try again." },
	{ "InvalidArgument", 400, SOUK_E_INVALID, "Invalid argument." },
	{ "InvalidBucketName", 400, SOUK_E_INVALID, "The specified bucket is not valid." },
	{ "InvalidDigest", 400, SOUK_E_INVALID, "The Content-MD5 you specified is not valid." },
	{ "InvalidPartNumber", 416, SOUK_E_INVALID, "The requested partnumber is not satisfiable" },
	{ "InvalidRange", 416, SOUK_E_INVALID, "The requested range is not satisfiable" },
	{ "InvalidRequest", 400, SOUK_E_INVALID, "Invalid request." },
	{ "InvalidStorageClass", 400, SOUK_E_INVALID,
	    "The storage class you specified is not valid; objects here are STANDARD." },
	{ "InvalidToken", 400, SOUK_E_UNAUTHENTICATED, "The provided token is not valid." },
	{ "InvalidURI", 400, SOUK_E_INVALID, "Couldn't parse the specified URI." },
	{ "KeyTooLongError", 400, SOUK_E_INVALID,
	    "Your key is too long; a key has at most 1024 bytes." },
	{ "MetadataTooLarge", 400, SOUK_E_LIMIT,
	    "Your metadata headers exceed the maximum allowed metadata size." },
	{ "MethodNotAllowed", 405, SOUK_E_INVALID,
	    "The specified method is not allowed against this resource." },
	{ "MissingContentLength", 411, SOUK_E_INVALID,
	    "You must provide the Content-Length HTTP header." },
	{ "NoSuchBucket", 404, SOUK_E_NOT_FOUND, "The specified bucket does not exist" },
	{ "NoSuchKey", 404, SOUK_E_NOT_FOUND, "The specified key does not exist." },
	{ "NotImplemented", 501, SOUK_E_INVALID,
	    "A header or parameter you provided implies functionality that is not implemented." },
	{ "OperationAborted", 409, SOUK_E_CONFLICT,
	    "A conflicting operation is in progress against this resource. Try again." },
	{ "PreconditionFailed", 412, SOUK_E_PRECONDITION,
	    "At least one of the pre-conditions you specified did not hold" },
	{ "RequestTimeTooSkewed", 403, SOUK_E_UNAUTHENTICATED,
	    "The difference between the request time and the current time is too large." },
	{ "RequestTimeout", 400, SOUK_E_UNAVAILABLE, "The upload took too long; send it again." },
	{ "ServiceUnavailable", 503, SOUK_E_UNAVAILABLE, "Please try again." },
	{ "SignatureDoesNotMatch", 403, SOUK_E_UNAUTHENTICATED,
	    "The request signature we calculated does not match the signature you provided. Check "
	    "your access key, secret key and signing method." },
	{ "SlowDown", 503, SOUK_E_LIMIT, "Please reduce your request rate." },
	{ "XAmzContentSHA256Mismatch", 400, SOUK_E_INVALID,
	    "The provided 'x-amz-content-sha256' header does not match what was computed." },
};

static const struct row *
row_of(const char *code)
{
	for (size_t i = 0; code && i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i].code, code) == 0)
			return &rows[i];
	return NULL;
}

enum souk_err
s3_fail(struct fail *f, const char *code, const char *fmt, ...)
{
	const struct row *row = row_of(code);
	char text[sizeof(f->detail)];
	va_list ap;

	assert(row);
	if (!fmt)
		return fail_set(f, row->err, row->code, "%s", row->message);
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return fail_set(f, row->err, row->code, "%s", text);
}

void
s3_error_extra(struct s3_error *e, const char *name, struct str value)
{
	if (value.n == 0 || e->n_extra == S3_EXTRAS_MAX)
		return;
	e->extra[e->n_extra].name = name;
	e->extra[e->n_extra++].value = value;
}

/* What a lower layer's word means to an S3 client. */
static const char *
code_of_word(const char *word)
{
	static const struct {
		const char *word, *code;
	} words[] = {
		{ "no_such_bucket", "NoSuchBucket" },
		{ "key_too_long", "KeyTooLongError" },
		{ "upload_too_slow", "RequestTimeout" },
		{ "body_too_large", "EntityTooLarge" },
	};

	for (size_t i = 0; word && i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i].word, word) == 0)
			return words[i].code;
	return NULL;
}

static const char *
code_of_err(enum souk_err err)
{
	switch (err) {
	case SOUK_E_INVALID:
		return "InvalidArgument";
	case SOUK_E_UNAUTHENTICATED:
	case SOUK_E_DENIED:
		return "AccessDenied";
	case SOUK_E_NOT_FOUND:
		return "NoSuchKey";
	case SOUK_E_CONFLICT:
		return "OperationAborted";
	case SOUK_E_PRECONDITION:
		return "PreconditionFailed";
	case SOUK_E_LIMIT:
	case SOUK_E_NOMEM:
		return "SlowDown";
	case SOUK_E_UNAVAILABLE:
		return "ServiceUnavailable";
	case SOUK_OK:
	case SOUK_E_INTERNAL:
	case SOUK_E_STORAGE:
	case SOUK_E_UNCERTAIN:
	case SOUK_E__COUNT:
		break;
	}
	return "InternalError";
}

/* Trouble of ours is put in S3's words: ours are for the log. */
static bool
is_our_fault(enum souk_err err)
{
	return err == SOUK_E_INTERNAL || err == SOUK_E_NOMEM || err == SOUK_E_STORAGE ||
	       err == SOUK_E_UNCERTAIN;
}

void
s3_error_of(enum souk_err err, const struct fail *f, struct s3_error *e)
{
	const struct row *row = row_of(f->code);
	const char *code = row ? NULL : code_of_word(f->code);

	if (!row)
		row = row_of(code ? code : code_of_err(err));
	e->code = row->code;
	e->status = row->status;
	e->message = str_c(row->message);
	if (is_our_fault(err))
		return;
	if (f->detail[0])
		e->message = str_c(f->detail);
	else if (f->n > 0 && f->entry[0].what[0])
		e->message = str_c(f->entry[0].what);
}

/* ---- refused signatures ---------------------------------------------------------------- */

static const char *
code_of_why(enum sigv4_why why, bool presigned)
{
	switch (why) {
	case SIGV4_NO_CREDENTIALS:
	case SIGV4_EXPIRED:
	case SIGV4_NOT_YET:
	case SIGV4_UNSIGNED_HEADER:
		return "AccessDenied";
	case SIGV4_TWO_METHODS:
		return "InvalidArgument";
	case SIGV4_UNSUPPORTED:
	case SIGV4_MISSING_HASH:
		return "InvalidRequest";
	case SIGV4_MALFORMED:
	case SIGV4_SCOPE:
		return presigned ? "AuthorizationQueryParametersError"
				 : "AuthorizationHeaderMalformed";
	case SIGV4_QUERY_PARAMETERS:
		return "AuthorizationQueryParametersError";
	case SIGV4_CLOCK:
		return "RequestTimeTooSkewed";
	case SIGV4_BODY_HASH:
		return "XAmzContentSHA256Mismatch";
	case SIGV4_TOKEN:
		return "InvalidToken";
	case SIGV4_SIGNATURE:
		return "SignatureDoesNotMatch";
	case SIGV4_OK:
	case SIGV4_FAILED:
	case SIGV4__COUNT:
		break;
	}
	return "InternalError";
}

static struct str
instant_text(instant_t t, struct arena *mem)
{
	char text[INSTANT_TEXT_LEN + 1];

	/* S3 has whole seconds here. */
	instant_format(t - ((t % SECOND_MS) + SECOND_MS) % SECOND_MS, text);
	memmove(text + 19, "Z", 2);
	return arena_str(mem, str_c(text));
}

static struct str
number_text(int64_t n, struct arena *mem)
{
	return str_c(arena_printf(mem, "%lld", (long long)n));
}

/* "41 57 53 34": shows what an editor hides. */
static struct str
bytes_text(struct str s, struct arena *mem)
{
	static const char hex[] = "0123456789abcdef";
	char *out = s.n > 0 ? arena_alloc(mem, 3 * s.n) : NULL;

	if (!out)
		return STR("");
	for (size_t i = 0; i < s.n; i++) {
		out[3 * i] = hex[(unsigned char)s.p[i] >> 4];
		out[3 * i + 1] = hex[(unsigned char)s.p[i] & 15];
		out[3 * i + 2] = ' ';
	}
	return (struct str){ out, 3 * s.n - 1 };
}

static void
extras_of_why(const struct sigv4_result *r, struct str region, int64_t skew_ms, struct arena *mem,
    struct s3_error *e)
{
	switch (r->why) {
	case SIGV4_SCOPE:
		s3_error_extra(e, "Region", region);
		break;
	case SIGV4_CLOCK:
		s3_error_extra(e, "RequestTime", r->amz_date);
		s3_error_extra(e, "ServerTime", instant_text(r->server_time, mem));
		s3_error_extra(e, "MaxAllowedSkewMilliseconds", number_text(skew_ms, mem));
		break;
	case SIGV4_EXPIRED:
		s3_error_extra(e, "X-Amz-Expires", number_text(r->expires_s, mem));
		s3_error_extra(
		    e, "Expires", instant_text(r->request_time + r->expires_s * SECOND_MS, mem));
		s3_error_extra(e, "ServerTime", instant_text(r->server_time, mem));
		break;
	case SIGV4_NOT_YET:
		s3_error_extra(e, "ServerTime", instant_text(r->server_time, mem));
		break;
	case SIGV4_UNSIGNED_HEADER:
		s3_error_extra(e, "HeadersNotSigned", r->unsigned_name);
		break;
	case SIGV4_SIGNATURE:
		s3_error_extra(e, "AWSAccessKeyId", r->access_key_id);
		s3_error_extra(e, "StringToSign", r->to_sign);
		s3_error_extra(e, "StringToSignBytes", bytes_text(r->to_sign, mem));
		s3_error_extra(e, "CanonicalRequest", r->canonical);
		s3_error_extra(e, "CanonicalRequestBytes", bytes_text(r->canonical, mem));
		break;
	case SIGV4_OK:
	case SIGV4_NO_CREDENTIALS:
	case SIGV4_TWO_METHODS:
	case SIGV4_UNSUPPORTED:
	case SIGV4_MALFORMED:
	case SIGV4_MISSING_HASH:
	case SIGV4_BODY_HASH:
	case SIGV4_TOKEN:
	case SIGV4_QUERY_PARAMETERS:
	case SIGV4_FAILED:
	case SIGV4__COUNT:
		break;
	}
}

/* Where S3's own sentence is what people search the web for. */
static struct str
message_of_why(const struct sigv4_result *r, const struct row *row)
{
	if (r->why == SIGV4_EXPIRED)
		return STR("Request has expired");
	if (r->why == SIGV4_SIGNATURE || r->detail.n == 0)
		return str_c(row->message);
	return r->detail;
}

void
s3_error_of_signature(const struct sigv4_result *r, bool presigned, struct str region,
    int64_t skew_ms, struct arena *mem, struct s3_error *e)
{
	const struct row *row;

	if (r->why == SIGV4_FAILED)
		row = row_of(code_of_err(r->err));
	else
		row = row_of(code_of_why(r->why, presigned));
	e->code = row->code;
	e->status = row->status;
	e->message = message_of_why(r, row);
	extras_of_why(r, region, skew_ms, mem, e);
}

/* ---- the document ---------------------------------------------------------------------- */

/* Line ends stay line ends: people read CanonicalRequest off a terminal. */
static void
element(struct buf *out, const char *name, struct str value)
{
	struct str rest = value, line;

	s3_xml_open(out, name);
	while (str_split(&rest, '\n', &line)) {
		buf_add_xml(out, line);
		if (rest.p)
			buf_add_char(out, '\n');
	}
	s3_xml_close(out, name);
}

void
s3_error_write(const struct s3_error *e, struct buf *out)
{
	assert(e->message.n > 0);
	buf_add_c(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>");
	element(out, "Code", str_c(e->code));
	element(out, "Message", e->message);
	for (size_t i = 0; i < e->n_extra; i++)
		element(out, e->extra[i].name, e->extra[i].value);
	if (e->resource.n > 0)
		element(out, "Resource", e->resource);
	element(out, "RequestId", e->request_id);
	element(out, "HostId", STR(S3_HOST_ID));
	buf_add_c(out, "</Error>");
}
