/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a store's refusal means, in words for who has to mend it.
 *
 * Stores differ in status and text but agree on the word in <Code>; some leave <Message>
 * empty. So the word decides, then the status. Of the store's text nothing but the word
 * and a region, both cut down to letters and digits, reaches the caller.
 */
#include "delivery/s3_client_int.h"

#include <stdarg.h>
#include <stdio.h>

static const struct {
	const char *word;
	bool passes;
	enum souk_err err;
} faults[S3_FAULT__COUNT] = {
	[S3_FINE] = { "fine", false, SOUK_OK },
	[S3_BAD_TARGET] = { "bad_target", false, SOUK_E_INVALID },
	[S3_CREDENTIALS] = { "credentials", false, SOUK_E_DENIED },
	[S3_DENIED] = { "denied", false, SOUK_E_DENIED },
	[S3_NO_BUCKET] = { "no_bucket", false, SOUK_E_NOT_FOUND },
	[S3_NO_KEY] = { "no_key", false, SOUK_E_NOT_FOUND },
	[S3_REGION] = { "region", false, SOUK_E_INVALID },
	[S3_CLOCK] = { "clock", false, SOUK_E_DENIED },
	[S3_PRECONDITION] = { "precondition", false, SOUK_E_PRECONDITION },
	[S3_REFUSED] = { "refused", false, SOUK_E_INVALID },
	[S3_REDIRECT] = { "redirect", false, SOUK_E_INVALID },
	[S3_BUSY] = { "busy", true, SOUK_E_UNAVAILABLE },
	[S3_TIMEOUT] = { "timeout", true, SOUK_E_UNAVAILABLE },
	[S3_CONNECTION] = { "connection", true, SOUK_E_UNAVAILABLE },
	[S3_NAME] = { "name", true, SOUK_E_UNAVAILABLE },
	[S3_TLS] = { "tls", false, SOUK_E_INVALID },
	[S3_ADDRESS] = { "address", false, SOUK_E_INVALID },
	[S3_CHECKSUM] = { "checksum", true, SOUK_E_STORAGE },
	[S3_PROTOCOL] = { "protocol", false, SOUK_E_STORAGE },
	[S3_TOO_LARGE] = { "too_large", false, SOUK_E_LIMIT },
	[S3_MEMORY] = { "memory", true, SOUK_E_NOMEM },
};

const char *
s3_fault_word(enum s3_fault f)
{
	return f < S3_FAULT__COUNT ? faults[f].word : "unknown";
}

bool
s3_fault_passes(enum s3_fault f)
{
	return f < S3_FAULT__COUNT && faults[f].passes;
}

enum souk_err
s3_fault_err(enum s3_fault f)
{
	return f < S3_FAULT__COUNT ? faults[f].err : SOUK_E_INTERNAL;
}

enum souk_err
s3_error_fail(const struct s3_error *e, struct fail *f)
{
	static const char *const codes[S3_FAULT__COUNT] = { "s3_fine", "s3_bad_target",
		"s3_credentials", "s3_denied", "s3_no_bucket", "s3_no_key", "s3_region", "s3_clock",
		"s3_precondition", "s3_refused", "s3_redirect", "s3_busy", "s3_timeout",
		"s3_connection", "s3_name", "s3_tls", "s3_address", "s3_checksum", "s3_protocol",
		"s3_too_large", "s3_memory" };

	return fail_set(f, s3_fault_err(e->fault), codes[e->fault], "%s", e->words);
}

/* ---- words ---- */

static const char *
or_name(const char *name, const char *plain)
{
	return name ? name : plain;
}

static void words_set(struct s3_error *e, const char *fmt, ...) SOUK_PRINTF(2, 3);

static void
words_set(struct s3_error *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(e->words, sizeof(e->words), fmt, ap);
	va_end(ap);
}

static void
credentials_words(const struct s3_client *c, struct s3_error *e)
{
	const char *id = or_name(c->names.access_key_id, "access key id");
	const char *secret = or_name(c->names.secret, "secret access key");

	if (strcmp(e->code, "InvalidAccessKeyId") == 0)
		words_set(e, "the store does not know the access key; check %s", id);
	else if (strcmp(e->code, "SignatureDoesNotMatch") == 0)
		words_set(e, "the store finds the signature wrong; check %s and %s", secret, id);
	else
		words_set(e,
		    "the store does not take the credentials; check %s and %s, or get new "
		    "ones if they were temporary",
		    id, secret);
}

static void
region_words(const struct s3_client *c, struct s3_error *e, const char *region)
{
	const char *name = or_name(c->names.region, "region");

	if (region[0])
		words_set(e, "the bucket is in region %s; set %s to it", region, name);
	else
		words_set(e, "the bucket is in another region; set %s to the right one", name);
}

static void
refused_words(const struct s3_client *c, struct s3_error *e)
{
	if (strstr(e->code, "QuotaExceeded"))
		words_set(e, "the store's quota is used up (%s); make room or raise it", e->code);
	else if (strcmp(e->code, "InvalidBucketName") == 0)
		words_set(e, "the store refuses the bucket's name; check %s",
		    or_name(c->names.bucket, "bucket"));
	else
		words_set(e, "the store refused it with HTTP status %ld %s; check %s and %s",
		    e->status, e->code, or_name(c->names.endpoint, "endpoint"),
		    or_name(c->names.bucket, "bucket"));
}

static void
answer_words(const struct s3_client *c, struct s3_error *e, const char *region)
{
	const char *endpoint = or_name(c->names.endpoint, "endpoint");
	const char *bucket = or_name(c->names.bucket, "bucket");

	if (e->fault == S3_CREDENTIALS)
		credentials_words(c, e);
	else if (e->fault == S3_DENIED)
		words_set(e,
		    "the store denies it to this access key; its policy must allow %s in the "
		    "bucket (%s)",
		    or_name(c->names.rights, "reading, writing, deleting and listing"), bucket);
	else if (e->fault == S3_NO_BUCKET)
		words_set(
		    e, "there is no such bucket; make it, or check %s and %s", bucket, endpoint);
	else if (e->fault == S3_REGION)
		region_words(c, e, region);
	else if (e->fault == S3_REDIRECT)
		words_set(e,
		    "the store redirects elsewhere (HTTP status %ld), which is not followed; "
		    "check %s and %s",
		    e->status, endpoint, or_name(c->names.region, "region"));
	else if (e->fault == S3_BUSY)
		words_set(e,
		    "the store is busy or failing (HTTP status %ld %s); it is tried again "
		    "later",
		    e->status, e->code);
	else
		refused_words(c, e);
}

/* Faults whose words need nothing but one name. */
static const char *const fixed[S3_FAULT__COUNT] = {
	[S3_FINE] = "fine",
	[S3_NO_KEY] = "there is no such object in the bucket",
	[S3_CLOCK] = "the store's clock and this machine's differ by too much; set them right",
	[S3_PRECONDITION] = "the object there is not the one expected",
	[S3_TIMEOUT] = "the store did not answer in time",
	[S3_CONNECTION] = "the connection to the store was refused or broke off",
	[S3_CHECKSUM] = "what the store holds or sent is not what was written",
	[S3_PROTOCOL] = "the answer is not that of an S3 store",
	[S3_TOO_LARGE] = "the object is larger than the store takes",
	[S3_MEMORY] = "out of memory",
};

static void
name_words(const struct s3_client *c, struct s3_error *e)
{
	const char *endpoint = or_name(c->names.endpoint, "endpoint");

	if (e->fault == S3_NAME)
		words_set(e, "the store's host name is not found; check %s%s", endpoint,
		    c->path_style ? "" : ", or use path style");
	else if (e->fault == S3_TLS)
		words_set(e,
		    "no trusted TLS connection to the store: check its certificate, %s and "
		    "%s",
		    endpoint, or_name(c->names.ca_file, "ca file"));
	else if (e->fault == S3_ADDRESS)
		words_set(e,
		    "the store's address is not public and not allowed, or is to be reached "
		    "without TLS; check %s",
		    endpoint);
	else
		words_set(e, "%s; check %s if it stays so", fixed[e->fault], endpoint);
}

enum souk_err
s3_fault_set(const struct s3_client *c, struct s3_error *e, enum s3_fault f, const char *region)
{
	e->fault = f;
	switch (f) {
	case S3_CREDENTIALS:
	case S3_DENIED:
	case S3_NO_BUCKET:
	case S3_REGION:
	case S3_REDIRECT:
	case S3_BUSY:
	case S3_REFUSED:
		answer_words(c, e, region);
		break;
	case S3_NAME:
	case S3_TLS:
	case S3_ADDRESS:
	case S3_TIMEOUT:
	case S3_CONNECTION:
	case S3_PROTOCOL:
		name_words(c, e);
		break;
	case S3_FINE:
	case S3_BAD_TARGET:
	case S3_NO_KEY:
	case S3_CLOCK:
	case S3_PRECONDITION:
	case S3_CHECKSUM:
	case S3_TOO_LARGE:
	case S3_MEMORY:
	case S3_FAULT__COUNT:
		words_set(e, "%s", fixed[f] ? fixed[f] : "");
		break;
	}
	return s3_fault_err(f);
}

enum souk_err
s3_bad_target(struct s3_error *e, const char *name, const char *what_and_fix)
{
	*e = (struct s3_error){ .fault = S3_BAD_TARGET };
	words_set(e, "%s %s", name, what_and_fix);
	return s3_fault_err(S3_BAD_TARGET);
}

enum souk_err
s3_strange(const struct s3_client *c, struct s3_error *e, const char *what)
{
	e->fault = S3_PROTOCOL;
	words_set(e, "the answer is not that of an S3 store (%s); check %s", what,
	    or_name(c->names.endpoint, "endpoint"));
	return s3_fault_err(S3_PROTOCOL);
}

/* ---- the store's words ---- */

static const struct {
	const char *code;
	enum s3_fault fault;
} meanings[] = {
	{ "AccessDenied", S3_DENIED },
	{ "AllAccessDisabled", S3_DENIED },
	{ "AccountProblem", S3_DENIED },
	{ "InvalidAccessKeyId", S3_CREDENTIALS },
	{ "SignatureDoesNotMatch", S3_CREDENTIALS },
	{ "InvalidToken", S3_CREDENTIALS },
	{ "ExpiredToken", S3_CREDENTIALS },
	{ "TokenRefreshRequired", S3_CREDENTIALS },
	{ "InvalidSecurity", S3_CREDENTIALS },
	{ "NoSuchBucket", S3_NO_BUCKET },
	{ "NoSuchKey", S3_NO_KEY },
	{ "NoSuchUpload", S3_NO_KEY },
	{ "AuthorizationHeaderMalformed", S3_REGION },
	{ "PermanentRedirect", S3_REGION },
	{ "TemporaryRedirect", S3_REDIRECT },
	{ "IllegalLocationConstraintException", S3_REGION },
	{ "RequestTimeTooSkewed", S3_CLOCK },
	{ "RequestExpired", S3_CLOCK },
	{ "PreconditionFailed", S3_PRECONDITION },
	{ "BadDigest", S3_CHECKSUM },
	{ "InvalidDigest", S3_CHECKSUM },
	{ "XAmzContentSHA256Mismatch", S3_CHECKSUM },
	{ "InvalidPart", S3_CHECKSUM },
	{ "InvalidPartOrder", S3_CHECKSUM },
	{ "QuotaExceeded", S3_REFUSED },
	{ "EntityTooLarge", S3_TOO_LARGE },
	{ "SlowDown", S3_BUSY },
	{ "ServiceUnavailable", S3_BUSY },
	{ "InternalError", S3_BUSY },
	{ "RequestTimeout", S3_BUSY },
	{ "OperationAborted", S3_BUSY },
	{ "ConditionalRequestConflict", S3_BUSY },
	{ "Throttling", S3_BUSY },
	{ "TooManyRequests", S3_BUSY },
	{ "IncompleteBody", S3_BUSY },
};

struct refusal {
	char code[48];
	char region[S3_REGION_MAX + 1];
};

/* Letters, digits and '-' of a store's word; anything else makes it none. */
static void
keep_word(struct str s, char *out, size_t out_size)
{
	out[0] = '\0';
	if (s.n >= out_size)
		return;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			c == '-'))
			return;
	}
	if (s.n > 0)
		memcpy(out, s.p, s.n);
	out[s.n] = '\0';
}

static void
refusal_text(void *ctx, const char *parent, const char *name, struct str text)
{
	struct refusal *r = ctx;

	if (strcmp(parent, "Error") != 0)
		return;
	if (strcmp(name, "Code") == 0)
		keep_word(text, r->code, sizeof(r->code));
	else if (strcmp(name, "Region") == 0)
		keep_word(text, r->region, sizeof(r->region));
}

static enum s3_fault
fault_of_status(const struct s3_call *q)
{
	if (q->status == 401 || q->status == 403)
		return S3_DENIED;
	if (q->status == 404)
		/* Whoever puts does not ask for anything: it is no store that misses something there. */
		return strcmp(q->method, "PUT") == 0 ? S3_PROTOCOL
		       : q->key.n > 0                ? S3_NO_KEY
						     : S3_NO_BUCKET;
	if (q->status == 412)
		return S3_PRECONDITION;
	if (q->status == 501)
		return S3_REFUSED;
	if (q->status == 408 || q->status == 429 || q->status >= 500)
		return S3_BUSY;
	if (q->status >= 400)
		return S3_REFUSED;
	return q->status >= 300 ? S3_REDIRECT : S3_PROTOCOL;
}

static enum s3_fault
fault_of(const struct s3_call *q, const struct refusal *r)
{
	enum s3_fault f = fault_of_status(q);

	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
		if (strcmp(meanings[i].code, r->code) == 0)
			return meanings[i].fault;
	/* A HEAD has no body: the header alone tells that the bucket is elsewhere. */
	if ((f == S3_REDIRECT || q->status == 400) && r->region[0] && !r->code[0])
		return S3_REGION;
	return f;
}

enum souk_err
s3_judge(const struct s3_client *c, const struct s3_call *q, struct s3_error *e)
{
	static const struct s3_leaf what = { .text = refusal_text };
	struct refusal r = { .code = "" };

	*e = (struct s3_error){ .status = q->status };
	if (q->text.n > 0 && !s3_xml_read(buf_str(&q->text), &what, &r))
		r.code[0] = '\0';
	if (q->status >= 200 && q->status < 300 && !r.code[0])
		return SOUK_OK;
	if (!r.region[0])
		keep_word(str_c(q->region), r.region, sizeof(r.region));
	if (strcmp(r.region, c->region) == 0)
		r.region[0] = '\0';
	memcpy(e->code, r.code, sizeof(e->code));
	return s3_fault_set(c, e, fault_of(q, &r), r.region);
}
