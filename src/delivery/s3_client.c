/* SPDX-License-Identifier: Apache-2.0 */
/* The target's text, and the calls on whole objects; see s3_client.h for what they promise. */
#include "delivery/s3_client_int.h"

#include "base/guid.h"
#include "delivery/address.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- the target ---- */

static const char *
name_or(const char *name, const char *plain)
{
	return name ? name : plain;
}

static bool
given(const char *s)
{
	return s && s[0];
}

/* What may stand in a header or be signed without a thought. */
static bool
is_plain_word(const char *s, size_t max)
{
	size_t n = strlen(s);

	for (size_t i = 0; i < n; i++)
		if (s[i] <= ' ' || s[i] >= 0x7f)
			return false;
	return n > 0 && n <= max;
}

/* Loosely S3's rules: stores of one's own have older, looser names. */
static bool
is_bucket(const char *s)
{
	size_t n = strlen(s);

	return n >= 3 && n <= 63 &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") ==
		   n &&
	       s[0] != '.' && s[0] != '-' && !strstr(s, "..");
}

static bool
is_region(const char *s)
{
	size_t n = strlen(s);

	return n <= S3_REGION_MAX &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == n;
}

static enum souk_err
check_words(const struct s3_target *t, struct s3_error *e)
{
	const struct s3_names *n = &t->names;

	if (!given(t->bucket) || !is_bucket(t->bucket))
		return s3_bad_target(e, name_or(n->bucket, "bucket"),
		    "is not a bucket's name; give 3 to 63 letters, digits, '-' or '.'");
	if (t->region && !is_region(t->region))
		return s3_bad_target(
		    e, name_or(n->region, "region"), "is not a region; give one like eu-central-1");
	if (!given(t->access_key_id) || !is_plain_word(t->access_key_id, 256) ||
	    strchr(t->access_key_id, '/'))
		return s3_bad_target(e, name_or(n->access_key_id, "access key id"),
		    "is missing or not an access key id; give the one the store gave");
	if (t->secret.n == 0 || t->secret.n > 1024)
		return s3_bad_target(e, name_or(n->secret, "secret access key"),
		    "is missing or too long; give the one that belongs to the access key id");
	if (given(t->session_token) && !is_plain_word(t->session_token, 4096))
		return s3_bad_target(e, "session token", "holds characters no token has");
	if (given(t->sse) && strcmp(t->sse, "AES256") != 0 && strcmp(t->sse, "aws:kms") != 0)
		return s3_bad_target(e, "sse", "must be AES256 or aws:kms");
	if (given(t->kms_key_id) && !is_plain_word(t->kms_key_id, 2048))
		return s3_bad_target(e, "kms key id", "holds characters no key id has");
	return SOUK_OK;
}

static enum souk_err
check_host(
    const struct s3_client *c, const struct s3_target *t, const char *host, struct s3_error *e)
{
	const char *name = name_or(t->names.endpoint, "endpoint");
	enum address_kind kind = ADDRESS_PUBLIC;
	bool literal = address_kind_literal(str_c(host), &kind);

	if (!literal && str_eq_nocase(str_c(host), STR("localhost")))
		kind = ADDRESS_LOOPBACK;
	if (kind == ADDRESS_USELESS || (kind != ADDRESS_PUBLIC && !t->allow_private))
		return s3_bad_target(
		    e, name, "leads to an address that is not public; give a public host");
	if (c->plain && (!t->allow_private || (kind != ADDRESS_LOOPBACK && !t->allow_plain)))
		return s3_bad_target(e, name, "is not https; begin it with https://");
	if (literal && !t->path_style)
		return s3_bad_target(
		    e, name, "is an address, which has no names below it; use path style");
	if (!c->plain && !t->path_style && strchr(t->bucket, '.'))
		return s3_bad_target(e, name_or(t->names.bucket, "bucket"),
		    "holds a dot, which no certificate covers; use path style");
	return SOUK_OK;
}

static enum souk_err
set_origin(struct s3_client *c, const struct s3_target *t, const char *host, const char *port,
    struct s3_error *e)
{
	const char *dot = t->path_style ? "" : ".";
	const char *bucket = t->path_style ? "" : t->bucket;
	int n, m;

	n = asprintf(&c->host, "%s%s%s%s%s", bucket, dot, host, port ? ":" : "", port ? port : "");
	if (n < 0)
		c->host = NULL;
	m = c->host ? asprintf(&c->origin, "http%s://%s", c->plain ? "" : "s", c->host) : -1;
	if (m < 0)
		c->origin = NULL;
	return n < 0 || m < 0 ? s3_fault_set(c, e, S3_MEMORY, "") : SOUK_OK;
}

static enum souk_err
set_endpoint(struct s3_client *c, const struct s3_target *t, struct s3_error *e)
{
	const char *name = name_or(t->names.endpoint, "endpoint");
	char *scheme = NULL, *host = NULL, *port = NULL, *path = NULL, *more = NULL;
	CURLU *u = curl_url();
	enum souk_err err;

	if (!u)
		return s3_fault_set(c, e, S3_MEMORY, "");
	if (!given(t->endpoint) || !is_plain_word(t->endpoint, 1024) ||
	    !strstr(t->endpoint, "://") ||
	    curl_url_set(u, CURLUPART_URL, t->endpoint, CURLU_DISALLOW_USER) != CURLUE_OK ||
	    curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
	    curl_url_get(u, CURLUPART_HOST, &host, 0) != CURLUE_OK || !host[0] ||
	    curl_url_get(u, CURLUPART_PATH, &path, 0) != CURLUE_OK ||
	    (strcmp(scheme, "https") != 0 && strcmp(scheme, "http") != 0)) {
		err = s3_bad_target(
		    e, name, "is not a store's address; give one like https://s3.example.com");
	} else if (strcmp(path, "/") != 0 ||
		   curl_url_get(u, CURLUPART_QUERY, &more, 0) == CURLUE_OK ||
		   curl_url_get(u, CURLUPART_FRAGMENT, &more, 0) == CURLUE_OK) {
		err = s3_bad_target(
		    e, name, "holds more than scheme, host and port; leave out what follows");
	} else {
		c->plain = strcmp(scheme, "http") == 0;
		(void)curl_url_get(u, CURLUPART_PORT, &port, CURLU_NO_DEFAULT_PORT);
		if ((err = check_host(c, t, host, e)) == SOUK_OK)
			err = set_origin(c, t, host, port, e);
	}
	curl_free(scheme);
	curl_free(host);
	curl_free(port);
	curl_free(path);
	curl_free(more);
	curl_url_cleanup(u);
	return err;
}

/* False when out of memory. */
static bool
copy(char **to, const char *from)
{
	return !given(from) || (*to = strdup(from)) != NULL;
}

static enum souk_err
fill(struct s3_client *c, const struct s3_target *t, struct s3_error *e)
{
	enum souk_err err;

	c->path_style = t->path_style;
	c->allow_private = t->allow_private;
	c->allow_plain = t->allow_plain;
	c->connect_ms = t->connect_ms > 0 ? (long)t->connect_ms : 5000;
	c->stall_ms = t->stall_ms > 0 ? (long)t->stall_ms : 30000;
	c->names = t->names;
	if ((err = check_words(t, e)) != SOUK_OK || (err = set_endpoint(c, t, e)) != SOUK_OK)
		return err;
	(void)snprintf(
	    c->region, sizeof(c->region), "%s", given(t->region) ? t->region : "us-east-1");
	if (!copy(&c->bucket, t->bucket) || !copy(&c->access_key_id, t->access_key_id) ||
	    !copy(&c->session_token, t->session_token) || !copy(&c->sse, t->sse) ||
	    !copy(&c->kms_key_id, t->kms_key_id) || !copy(&c->ca_file, t->ca_file) ||
	    secret_init(&c->secret, t->secret.n) != SOUK_OK)
		return s3_fault_set(c, e, S3_MEMORY, "");
	memcpy(c->secret.p, t->secret.p, t->secret.n);
	return SOUK_OK;
}

enum souk_err
s3_client_new(const struct s3_target *t, struct s3_client **ret, struct s3_error *e)
{
	struct s3_client *c = calloc(1, sizeof(*c));
	enum souk_err err;

	*e = (struct s3_error){ .fault = S3_FINE };
	if (!c || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		free(c);
		e->fault = S3_MEMORY;
		(void)snprintf(e->words, sizeof(e->words), "out of memory");
		return SOUK_E_NOMEM;
	}
	curl_pool_init(&c->pool);
	if ((err = fill(c, t, e)) != SOUK_OK) {
		s3_client_free(c);
		return err;
	}
	*ret = c;
	return SOUK_OK;
}

void
s3_client_free(struct s3_client *c)
{
	if (!c)
		return;
	curl_pool_done(&c->pool);
	free(c->origin);
	free(c->host);
	free(c->bucket);
	free(c->access_key_id);
	if (c->session_token)
		wipe(c->session_token, strlen(c->session_token));
	free(c->session_token);
	free(c->sse);
	free(c->kms_key_id);
	free(c->ca_file);
	if (c->secret.p)
		secret_done(&c->secret);
	free(c);
	curl_global_cleanup();
}

/* ---- objects ---- */

void
s3_object_headers(
    const struct s3_client *c, const struct s3_put_facts *o, struct s3_call *q, struct buf *mem)
{
	size_t type, sse, kms;

	/* One text of all, so that the pointers into it are taken when it grows no more. */
	type = mem->n;
	buf_add_c(mem, "content-type: ");
	buf_add_str(mem, o->content_type.n > 0 ? o->content_type : STR("application/octet-stream"));
	buf_add_char(mem, '\0');
	sse = mem->n;
	if (c->sse) {
		buf_printf(mem, "x-amz-server-side-encryption: %s", c->sse);
		buf_add_char(mem, '\0');
	}
	kms = mem->n;
	if (c->sse && c->kms_key_id) {
		buf_printf(mem, "x-amz-server-side-encryption-aws-kms-key-id: %s", c->kms_key_id);
		buf_add_char(mem, '\0');
	}
	if (!buf_ok(mem))
		return;
	s3_call_add(q, mem->p + type);
	if (kms > sse)
		s3_call_add(q, mem->p + sse);
	if (mem->n > kms)
		s3_call_add(q, mem->p + kms);
	for (size_t i = 0; o->headers && o->headers[i]; i++)
		s3_call_add(q, o->headers[i]);
}

enum s3_match
s3_etag_match(const struct s3_call *q, const uint8_t md5[MD5_LEN], size_t parts)
{
	char want[2 * MD5_LEN + 32];
	size_t n = strlen(q->etag);

	hex_encode(md5, MD5_LEN, want);
	if (parts > 0)
		(void)snprintf(want + 2 * MD5_LEN, 32, "-%zu", parts);
	/* What does not look like an MD5 is a mark of the store's own making. */
	if (q->kms || n != strlen(want) || (parts > 0 && q->etag[2 * MD5_LEN] != '-'))
		return S3_CANNOT_TELL;
	return str_eq_nocase(str_c(q->etag), str_c(want)) ? S3_SAME : S3_OTHER;
}

static enum s3_match
body_match(const struct s3_call *q, struct str body)
{
	uint8_t sum[MD5_LEN];
	struct md5_ctx md5;

	md5_init(&md5);
	md5_update(&md5, body.n, (const uint8_t *)body.p);
	md5_digest(&md5, MD5_LEN, sum);
	return s3_etag_match(q, sum, 0);
}

/* A try before may have arrived although its answer did not: then If-None-Match finds our own object. */
static enum souk_err
look_for_own(struct s3_client *c, const struct s3_put_facts *o, struct str body, struct s3_error *e)
{
	struct s3_call q = { .query = "" };
	struct s3_error other;
	enum souk_err err = s3_head_call(c, o->key, &q, &other);
	bool own = err == SOUK_OK && q.length == (int64_t)body.n && body_match(&q, body) == S3_SAME;

	buf_done(&q.text);
	if (own)
		*e = (struct s3_error){ .fault = S3_FINE };
	return own ? SOUK_OK : s3_fault_err(e->fault);
}

enum souk_err
s3_put(struct s3_client *c, const struct s3_put_facts *o, struct str body, struct s3_error *e)
{
	struct s3_call q = {
		.method = "PUT", .key = o->key, .query = "", .body = body, .has_md5 = true
	};
	struct buf mem = { 0 };
	enum souk_err err;

	s3_object_headers(c, o, &q, &mem);
	if (o->if_none)
		s3_call_add(&q, "if-none-match: *");
	err = buf_ok(&mem) ? s3_run(c, &q, e) : s3_fault_set(c, e, S3_MEMORY, "");
	if (err == SOUK_OK && !q.etag[0])
		err = s3_strange(c, e, "it has no ETag");
	else if (err == SOUK_OK && body_match(&q, body) == S3_OTHER)
		err = s3_fault_set(c, e, S3_CHECKSUM, "");
	else if (e->fault == S3_PRECONDITION && o->if_none && q.tries > 1)
		err = look_for_own(c, o, body, e);
	buf_done(&q.text);
	buf_done(&mem);
	return err;
}

enum souk_err
s3_head_call(struct s3_client *c, struct str key, struct s3_call *q, struct s3_error *e)
{
	enum souk_err err;

	q->method = "HEAD";
	q->key = key;
	q->query = "";
	err = s3_run(c, q, e);
	if (err == SOUK_OK && q->length < 0)
		err = s3_strange(c, e, "it has no Content-Length");
	return err;
}

enum souk_err
s3_head(struct s3_client *c, struct str key, struct s3_head *ret, struct s3_error *e)
{
	struct s3_call q = { .query = "" };
	enum souk_err err = s3_head_call(c, key, &q, e);

	if (err == SOUK_OK) {
		*ret = (struct s3_head){ .size = q.length, .modified_at = q.modified_at };
		(void)snprintf(ret->etag, sizeof(ret->etag), "%s", q.etag);
	}
	buf_done(&q.text);
	return err;
}

enum souk_err
s3_get(struct s3_client *c, struct str key, struct str if_match, int64_t offset, void *p, size_t n,
    struct s3_error *e)
{
	struct s3_call q = { .method = "GET", .key = key, .query = "", .into = p, .into_n = n };
	char range[64];
	struct buf match = { 0 };
	enum souk_err err;

	(void)snprintf(range, sizeof(range), "range: bytes=%lld-%lld", (long long)offset,
	    (long long)offset + (long long)n - 1);
	s3_call_add(&q, range);
	if (if_match.n > 0) {
		buf_printf(&match, "if-match: \"%.*s\"", (int)if_match.n, if_match.p);
		if (buf_ok(&match))
			s3_call_add(&q, match.p);
	}
	err = buf_ok(&match) ? s3_run(c, &q, e) : s3_fault_set(c, e, S3_MEMORY, "");
	if (err == SOUK_OK && q.status != 206 && offset > 0)
		err = s3_strange(c, e, "it ignores ranges");
	else if (err == SOUK_OK && q.received != n)
		err = s3_fault_set(c, e, S3_CHECKSUM, "");
	buf_done(&q.text);
	buf_done(&match);
	return err;
}

enum souk_err
s3_delete(struct s3_client *c, struct str key, struct s3_error *e)
{
	struct s3_call q = { .method = "DELETE", .key = key, .query = "" };
	enum souk_err err = s3_run(c, &q, e);

	if (err != SOUK_OK && e->fault == S3_NO_KEY) {
		*e = (struct s3_error){ .fault = S3_FINE };
		err = SOUK_OK;
	}
	buf_done(&q.text);
	return err;
}

enum souk_err
s3_probe(struct s3_client *c, struct str key, struct s3_error *e)
{
	struct s3_put_facts o = { .key = key, .content_type = STR("text/plain") };
	struct guid id = guid_new();
	char text[GUID_TEXT_LEN + 1], back[GUID_TEXT_LEN];
	struct s3_error other;
	enum souk_err err;

	guid_format(&id, text);
	if ((err = s3_put(c, &o, str_c(text), e)) != SOUK_OK)
		return err;
	err = s3_get(c, key, STR(""), 0, back, sizeof(back), e);
	if (err == SOUK_OK && memcmp(back, text, sizeof(back)) != 0)
		err = s3_fault_set(c, e, S3_CHECKSUM, "");
	if (err == SOUK_OK)
		return s3_delete(c, key, e);
	(void)!s3_delete(c, key, &other);
	return err;
}
