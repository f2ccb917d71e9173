/* SPDX-License-Identifier: Apache-2.0 */
/* S3's result documents. Values are escaped in one place, `element`. */
#include "server/s3_xml.h"

#include "base/digest.h"
#include "base/utf8.h"
#include "server/s3_error.h"

#define DECLARATION "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define NAMESPACE " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\""
#define TOKEN_VERSION 1
#define TOKEN_HEAD 5 /* version, CRC-32 of the key */

void
s3_xml_open(struct buf *out, const char *name)
{
	buf_add_char(out, '<');
	buf_add_c(out, name);
	buf_add_char(out, '>');
}

void
s3_xml_close(struct buf *out, const char *name)
{
	buf_add_c(out, "</");
	buf_add_c(out, name);
	buf_add_char(out, '>');
}

static void
element(struct buf *out, const char *name, struct str value)
{
	s3_xml_open(out, name);
	buf_add_xml(out, value);
	s3_xml_close(out, name);
}

/* A key or a piece of one, in the encoding that was asked for. */
static void
key_element(struct buf *out, const char *name, struct str key, bool url)
{
	if (!url) {
		element(out, name, key);
		return;
	}
	s3_xml_open(out, name);
	/* Clients decode a plus as a space: '+' and ' ' are both escaped. */
	buf_add_percent(out, key, "/");
	s3_xml_close(out, name);
}

static void
number_element(struct buf *out, const char *name, int64_t n)
{
	s3_xml_open(out, name);
	buf_add_i64(out, n);
	s3_xml_close(out, name);
}

/* Whole seconds, as in Last-Modified: `aws s3 sync` compares the two. */
static void
instant_element(struct buf *out, const char *name, instant_t t)
{
	char text[INSTANT_TEXT_LEN + 1];

	instant_format(t - ((t % SECOND_MS) + SECOND_MS) % SECOND_MS, text);
	element(out, name, str_c(text));
}

static void
owner_element(struct buf *out, struct str account)
{
	buf_add_c(out, "<Owner>");
	element(out, "ID", account);
	element(out, "DisplayName", account);
	buf_add_c(out, "</Owner>");
}

void
s3_xml_buckets(
    struct buf *out, struct str account, struct str prefix, const struct bucket *buckets, size_t n)
{
	buf_add_c(out, DECLARATION "<ListAllMyBucketsResult" NAMESPACE ">");
	owner_element(out, account);
	buf_add_c(out, "<Buckets>");
	for (size_t i = 0; i < n; i++) {
		if (!str_starts(str_c(buckets[i].name), prefix))
			continue;
		buf_add_c(out, "<Bucket>");
		element(out, "Name", str_c(buckets[i].name));
		instant_element(out, "CreationDate", buckets[i].created_at);
		buf_add_c(out, "</Bucket>");
	}
	buf_add_c(out, "</Buckets>");
	if (prefix.p)
		element(out, "Prefix", prefix);
	buf_add_c(out, "</ListAllMyBucketsResult>");
}

void
s3_xml_location(struct buf *out, struct str region)
{
	buf_add_c(out, DECLARATION "<LocationConstraint" NAMESPACE ">");
	/* us-east-1 is older than the constraint and has none. */
	if (!str_eq(region, STR("us-east-1")))
		buf_add_xml(out, region);
	buf_add_c(out, "</LocationConstraint>");
}

/* ---- listings -------------------------------------------------------------------------- */

static void
object_element(struct buf *out, const struct object_entry *e, bool url)
{
	key_element(out, "Key", e->key, url);
	instant_element(out, "LastModified", e->modified_at);
	buf_add_c(out, "<ETag>&quot;");
	buf_add_xml(out, e->etag);
	buf_add_c(out, "&quot;</ETag>");
	number_element(out, "Size", e->size);
}

static void
entries(struct buf *out, struct str account, const struct s3_list_args *args,
    const struct object_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		if (l->entries[i].is_prefix)
			continue;
		buf_add_c(out, "<Contents>");
		object_element(out, &l->entries[i], args->url);
		if (args->owner)
			owner_element(out, account);
		buf_add_c(out, "<StorageClass>STANDARD</StorageClass></Contents>");
	}
	for (size_t i = 0; i < l->n; i++) {
		if (!l->entries[i].is_prefix)
			continue;
		buf_add_c(out, "<CommonPrefixes>");
		key_element(out, "Prefix", l->entries[i].key, args->url);
		buf_add_c(out, "</CommonPrefixes>");
	}
}

static void
position_v1(struct buf *out, const struct s3_list_args *args, struct str last)
{
	key_element(out, "Marker", args->after, args->url);
	/* Without a delimiter clients go on at the last key themselves. */
	if (last.p && args->delimiter.n > 0)
		key_element(out, "NextMarker", last, args->url);
}

static void
position_v2(struct buf *out, const struct s3_list_args *args, struct str last, size_t n)
{
	if (args->start_after.p)
		key_element(out, "StartAfter", args->start_after, args->url);
	if (args->token.p)
		element(out, "ContinuationToken", args->token);
	if (last.p) {
		buf_add_c(out, "<NextContinuationToken>");
		s3_token_write(last, out);
		buf_add_c(out, "</NextContinuationToken>");
	}
	number_element(out, "KeyCount", (int64_t)n);
}

void
s3_xml_list(struct buf *out, struct str account, const struct s3_list_args *args,
    const struct object_list *l)
{
	struct str last = { NULL, 0 }; /* where the next page goes on; p NULL: there is none */

	if (l->truncated && l->n > 0)
		last = l->entries[l->n - 1].key;
	buf_add_c(out, DECLARATION "<ListBucketResult" NAMESPACE ">");
	element(out, "Name", l->bucket);
	key_element(out, "Prefix", args->prefix, args->url);
	if (args->v2)
		position_v2(out, args, last, l->n);
	else
		position_v1(out, args, last);
	number_element(out, "MaxKeys", (int64_t)args->max_keys);
	if (args->delimiter.n > 0)
		key_element(out, "Delimiter", args->delimiter, args->url);
	if (args->url)
		element(out, "EncodingType", STR("url"));
	element(out, "IsTruncated", last.p ? STR("true") : STR("false"));
	entries(out, account, args, l);
	buf_add_c(out, "</ListBucketResult>");
}

/* ---- parameters ------------------------------------------------------------------------ */

static struct str
or_empty(struct str s)
{
	return s.p ? s : STR("");
}

static enum souk_err
max_keys_parse(struct str text, size_t *ret, struct fail *f)
{
	uint64_t n;

	if (!text.p || text.n == 0) {
		*ret = S3_LIST_MAX;
		return SOUK_OK;
	}
	if (!str_to_u64(text, INT32_MAX, &n))
		return s3_fail(f, "InvalidArgument",
		    "Argument max-keys must be an integer between 0 and 2147483647");
	*ret = n < S3_LIST_MAX ? (size_t)n : S3_LIST_MAX;
	return SOUK_OK;
}

static enum souk_err
position_parse(const struct s3_params *q, struct arena *mem, struct s3_list_args *a, struct fail *f)
{
	if (!a->v2) {
		a->marker = s3_param(q, "marker");
		a->after = or_empty(a->marker);
		return SOUK_OK;
	}
	a->start_after = s3_param(q, "start-after");
	a->token = s3_param(q, "continuation-token");
	a->after = or_empty(a->start_after);
	if (a->token.p && !s3_token_read(a->token, mem, &a->after))
		return s3_fail(
		    f, "InvalidArgument", "The continuation token provided is incorrect");
	return SOUK_OK;
}

enum souk_err
s3_list_parse(
    const struct s3_params *q, bool v2, struct arena *mem, struct s3_list_args *ret, struct fail *f)
{
	struct s3_list_args a = { .v2 = v2 };
	struct str encoding = s3_param(q, "encoding-type");
	enum souk_err err;

	a.prefix = or_empty(s3_param(q, "prefix"));
	a.delimiter = or_empty(s3_param(q, "delimiter"));
	a.owner = !v2 || str_eq(s3_param(q, "fetch-owner"), STR("true"));
	if (v2 && !str_eq(s3_param(q, "list-type"), STR("2")))
		return s3_fail(f, "InvalidArgument", "Invalid List Type specified in Request");
	if (encoding.p && !str_eq(encoding, STR("url")))
		return s3_fail(
		    f, "InvalidArgument", "Invalid Encoding Method specified in Request");
	a.url = encoding.p != NULL;
	if ((err = max_keys_parse(s3_param(q, "max-keys"), &a.max_keys, f)) != SOUK_OK ||
	    (err = position_parse(q, mem, &a, f)) != SOUK_OK)
		return err;
	*ret = a;
	return SOUK_OK;
}

/*
 * The check sum is no protection, and none is needed: a token says no more than start-after.
 * It lets a token cut off or made up be refused instead of listing from anywhere.
 */
void
s3_token_write(struct str key, struct buf *out)
{
	uint32_t crc = crc32_update(0, key.p, key.n);
	struct buf raw = { 0 };

	buf_add_char(&raw, TOKEN_VERSION);
	buf_add(&raw, &crc, sizeof(crc));
	buf_add_str(&raw, key);
	buf_add_base64(out, raw.p, raw.n);
	out->failed |= raw.failed;
	buf_done(&raw);
}

bool
s3_token_read(struct str token, struct arena *mem, struct str *ret_key)
{
	char *raw = arena_alloc(mem, token.n + 1);
	struct str key;
	uint32_t crc;
	size_t n = 0;

	if (!raw || !base64_decode(token, raw, token.n, &n) || n <= TOKEN_HEAD ||
	    raw[0] != TOKEN_VERSION)
		return false;
	key = (struct str){ raw + TOKEN_HEAD, n - TOKEN_HEAD };
	memcpy(&crc, raw + 1, sizeof(crc));
	if (crc != crc32_update(0, key.p, key.n) || !utf8_valid(key))
		return false;
	*ret_key = key;
	return true;
}
