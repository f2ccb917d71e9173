/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the headers of a PutObject before a byte of its body is taken. */
#include "server/s3_put_args.h"

#include "server/s3_error.h"
#include "server/s3_headers.h"

static bool
is_chunked(enum sigv4_payload payload)
{
	return payload == SIGV4_BODY_CHUNKS_SIGNED || payload == SIGV4_BODY_CHUNKS_SIGNED_TRAILER ||
	       payload == SIGV4_BODY_CHUNKS_UNSIGNED_TRAILER;
}

/* ---- what souk has not ----------------------------------------------------------------- */

/* Headers (or beginnings of them) that ask for more than an object; values that ask for no more. */
static const struct {
	const char *header;
	bool prefix;
	const char *harmless[3]; /* any case */
	const char *code;
} asked[] = {
	{ "x-amz-copy-source", true, { NULL }, "NotImplemented" },
	{ "x-amz-acl", false, { "private", "bucket-owner-full-control" },
	    "AccessControlListNotSupported" },
	{ "x-amz-grant-", true, { NULL }, "AccessControlListNotSupported" },
	{ "x-amz-server-side-encryption", true, { "AES256", "false" }, "NotImplemented" },
	{ "x-amz-storage-class", false, { "STANDARD" }, "InvalidStorageClass" },
	{ "x-amz-tagging", false, { NULL }, "NotImplemented" },
	{ "x-amz-object-lock-", true, { NULL }, "NotImplemented" },
	{ "x-amz-website-redirect-location", false, { NULL }, "NotImplemented" },
	{ "x-amz-write-offset-bytes", false, { "0" }, "NotImplemented" },
};

static bool
is_asked(const struct sigv4_header *h, size_t i)
{
	struct str name = h->name, want = str_c(asked[i].header);

	if (name.n < want.n || (name.n > want.n && !asked[i].prefix))
		return false;
	name.n = want.n;
	return str_eq_nocase(name, want);
}

static bool
is_harmless(struct str value, size_t i)
{
	for (size_t k = 0; k < 3 && asked[i].harmless[k]; k++)
		if (str_eq_nocase(value, str_c(asked[i].harmless[k])))
			return true;
	return false;
}

static enum souk_err
refuse_asked(const struct http_request *r, struct fail *f)
{
	for (size_t h = 0; h < r->n_headers; h++)
		for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++)
			if (is_asked(&r->headers[h], i) && !is_harmless(r->headers[h].value, i))
				return s3_fail(f, asked[i].code, NULL);
	return SOUK_OK;
}

/* ---- length ---------------------------------------------------------------------------- */

static enum souk_err
length_parse(const struct http_request *r, bool chunked, uint64_t *ret, struct fail *f)
{
	struct str text =
	    http_header(r, chunked ? "x-amz-decoded-content-length" : "Content-Length");
	uint64_t n;

	if (!text.p)
		return s3_fail(f, "MissingContentLength",
		    chunked ? "You must provide the x-amz-decoded-content-length HTTP header."
			    : NULL);
	if (!str_to_u64(str_trim(text), UINT64_MAX, &n))
		return s3_fail(f, "InvalidArgument", "The length of the body is not a number.");
	if (n > S3_OBJECT_MAX)
		return s3_fail(f, "EntityTooLarge", NULL);
	*ret = n;
	return SOUK_OK;
}

/* ---- digests --------------------------------------------------------------------------- */

static enum souk_err
md5_parse(const struct http_request *r, struct s3_put_args *a, struct fail *f)
{
	struct str text = http_header(r, "Content-MD5");
	size_t n = 0;

	if (!text.p)
		return SOUK_OK;
	if (!base64_decode(str_trim(text), a->md5, sizeof(a->md5), &n) || n != sizeof(a->md5))
		return s3_fail(f, "InvalidDigest", NULL);
	a->has_md5 = true;
	return SOUK_OK;
}

/* Checksum headers; other x-amz-checksum- headers say what kind it is, which the name says too. */
static enum souk_err
checksum_headers_parse(const struct http_request *r, struct s3_put_args *a, struct fail *f)
{
	for (size_t i = 0; i < r->n_headers; i++) {
		enum checksum_kind k = checksum_of_header(r->headers[i].name);

		if (k == CHECKSUM_NONE)
			continue;
		if (a->checksum != CHECKSUM_NONE)
			return s3_fail(f, "InvalidRequest",
			    "Expecting a single x-amz-checksum- header. Multiple checksum Types "
			    "are not allowed.");
		a->checksum = k;
		a->declared = str_trim(r->headers[i].value);
		if (!checksum_parse(k, a->declared, a->sum))
			return s3_fail(f, "InvalidRequest", "Value for %s header is invalid.",
			    checksum_header(k));
	}
	return SOUK_OK;
}

/* Whether the trailer is one we know is for aws_chunked to say. */
static enum souk_err
trailer_parse(const struct http_request *r, bool chunked, struct s3_put_args *a, struct fail *f)
{
	struct str trailer = str_trim(http_header(r, "x-amz-trailer"));

	if (trailer.n == 0)
		return SOUK_OK;
	if (!chunked)
		return s3_fail(f, "InvalidRequest",
		    "x-amz-trailer needs a body of the form that x-amz-content-sha256 names.");
	if (a->checksum != CHECKSUM_NONE)
		return s3_fail(
		    f, "InvalidRequest", "Expecting a single x-amz-checksum- header or trailer.");
	a->trailer = trailer;
	a->checksum = checksum_of_header(trailer);
	return SOUK_OK;
}

/* ---- conditions ------------------------------------------------------------------------ */

static enum souk_err
conditions_parse(const struct http_request *r, struct s3_put_args *a, struct fail *f)
{
	struct str none = str_trim(http_header(r, "If-None-Match"));
	struct str match = str_trim(http_header(r, "If-Match"));

	if (none.n > 0 && !str_eq(none, STR("*")))
		return s3_fail(f, "NotImplemented", "PutObject takes If-None-Match: * only.");
	if (match.n >= 2 && match.p[0] == '"' && match.p[match.n - 1] == '"')
		match = (struct str){ match.p + 1, match.n - 2 };
	if (str_eq(match, STR("*")) || (none.n > 0 && match.n > 0))
		return s3_fail(f, "NotImplemented",
		    "PutObject takes one entity tag in If-Match, or If-None-Match: *.");
	a->if_none = none.n > 0;
	a->if_match = match.n > 0 ? match : STR("");
	return SOUK_OK;
}

enum souk_err
s3_put_args_parse(const struct http_request *r, enum sigv4_payload payload, struct arena *mem,
    struct s3_put_args *ret, struct fail *f)
{
	struct s3_put_args a = { .declared = STR(""), .trailer = STR("") };
	bool chunked = is_chunked(payload);
	enum souk_err err;

	if ((err = refuse_asked(r, f)) != SOUK_OK ||
	    (err = length_parse(r, chunked, &a.length, f)) != SOUK_OK ||
	    (err = md5_parse(r, &a, f)) != SOUK_OK ||
	    (err = checksum_headers_parse(r, &a, f)) != SOUK_OK ||
	    (err = trailer_parse(r, chunked, &a, f)) != SOUK_OK ||
	    (err = conditions_parse(r, &a, f)) != SOUK_OK ||
	    (err = s3_headers_store(r, mem, &a.headers, &a.content_type, f)) != SOUK_OK)
		return err;
	*ret = a;
	return SOUK_OK;
}
