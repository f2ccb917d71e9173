/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One signed request to a store, sent again where that is safe.
 *
 * The body is in memory and hashed into the signature, so that a store takes it whole or
 * refuses it. The address is checked when the socket is made, as in post.c.
 */
#include "delivery/s3_client_int.h"

#include "access/sigv4.h"
#include "base/guid.h"
#include "delivery/address.h"

#include <assert.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#define PAUSE_MS 150 /* before the second try, then four times that; each plus as much at random */
#define SLOW_MS 300000  /* for an answer that takes the store minutes */
#define BYTES_PER_MS 64 /* a body slower than this times out */
#define ERROR_BODY_MAX ((size_t)64 << 10)

/* ---- signing ---- */

struct signed_request {
	struct sigv4_header h[S3_HEADERS_MAX + 8];
	size_t n;
	struct buf path, names, text, authorization;
	char date[INSTANT_AMZ_LEN + 1], hash[2 * SHA256_LEN + 1], md5[32];
};

static void
sign_add(struct signed_request *s, struct str name, struct str value)
{
	assert(s->n < sizeof(s->h) / sizeof(s->h[0]));
	s->h[s->n++] = (struct sigv4_header){ .name = name, .value = value };
}

static int
header_order(const void *a, const void *b)
{
	const struct sigv4_header *x = a, *y = b;
	size_t n = x->name.n < y->name.n ? x->name.n : y->name.n;
	int c = memcmp(x->name.p, y->name.p, n);

	return c != 0 ? c : (x->name.n > y->name.n) - (x->name.n < y->name.n);
}

static void
collect_headers(const struct s3_client *c, const struct s3_call *q, struct signed_request *s)
{
	uint8_t sum[SHA256_LEN];
	struct md5_ctx md5;
	struct buf text = { 0 };

	instant_format_amz(clock_now(), s->date);
	sha256(q->body.p, q->body.n, sum);
	hex_encode(sum, sizeof(sum), s->hash);
	sign_add(s, STR("host"), str_c(c->host));
	sign_add(s, STR("x-amz-date"), str_c(s->date));
	sign_add(s, STR("x-amz-content-sha256"), str_c(s->hash));
	if (c->session_token)
		sign_add(s, STR("x-amz-security-token"), str_c(c->session_token));
	if (q->has_md5) {
		md5_init(&md5);
		md5_update(&md5, q->body.n, (const uint8_t *)q->body.p);
		md5_digest(&md5, MD5_LEN, sum);
		buf_add_base64(&text, sum, MD5_LEN);
		(void)snprintf(s->md5, sizeof(s->md5), "%s", text.p ? text.p : "");
		buf_done(&text);
		sign_add(s, STR("content-md5"), str_c(s->md5));
	}
	for (size_t i = 0; q->headers[i]; i++) {
		struct str value = str_c(q->headers[i]), name;

		(void)str_split(&value, ':', &name);
		sign_add(s, name, str_trim(value));
	}
	qsort(s->h, s->n, sizeof(s->h[0]), header_order);
	for (size_t i = 0; i < s->n; i++) {
		if (i > 0)
			buf_add_char(&s->names, ';');
		buf_add_str(&s->names, s->h[i].name);
	}
}

static enum souk_err
sign(const struct s3_client *c, const struct s3_call *q, struct signed_request *s)
{
	struct sigv4_req req = { .method = str_c(q->method), .query = str_c(q->query) };
	struct str day = { .p = s->date, .n = 8 };
	struct buf scope = { 0 }, canonical = { 0 }, to_sign = { 0 };
	uint8_t key[SHA256_LEN];
	char signature[65];
	enum souk_err err;

	collect_headers(c, q, s);
	buf_add_char(&s->path, '/');
	if (c->path_style) {
		buf_add_c(&s->path, c->bucket);
		if (q->key.n > 0)
			buf_add_char(&s->path, '/');
	}
	buf_add_percent(&s->path, q->key, "/");
	req.path = buf_str(&s->path);
	req.headers = s->h;
	req.n_headers = s->n;
	buf_printf(&scope, "%.8s/%s/s3/aws4_request", s->date, c->region);
	err = sigv4_canonical(&req, true, buf_str(&s->names), str_c(s->hash), &canonical);
	if (err == SOUK_OK) {
		sigv4_to_sign(str_c(s->date), buf_str(&scope), buf_str(&canonical), &to_sign);
		sigv4_signing_key((struct str){ (const char *)c->secret.p, c->secret.n }, day,
		    str_c(c->region), STR("s3"), key);
		sigv4_signature(key, buf_str(&to_sign), signature);
		wipe(key, sizeof(key));
		buf_printf(&s->authorization,
		    "AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s",
		    c->access_key_id, scope.p ? scope.p : "", s->names.p ? s->names.p : "",
		    signature);
		if (!buf_ok(&to_sign) || !buf_ok(&scope) || !buf_ok(&s->path) ||
		    !buf_ok(&s->authorization))
			err = SOUK_E_NOMEM;
	}
	buf_done(&scope);
	buf_done(&canonical);
	buf_done(&to_sign);
	return err;
}

static void
signed_done(struct signed_request *s)
{
	buf_done(&s->path);
	buf_done(&s->names);
	buf_done(&s->text);
	buf_done(&s->authorization);
}

static bool
list_add(struct curl_slist **list, const char *line)
{
	struct curl_slist *more = curl_slist_append(*list, line);

	if (more)
		*list = more;
	return more != NULL;
}

/* NULL when out of memory. The host is libcurl's to send, as the URL says it. */
static struct curl_slist *
header_list(struct signed_request *s)
{
	struct curl_slist *list = NULL;
	bool ok = list_add(&list, "Expect:") && list_add(&list, "Accept:"), type = false;

	for (size_t i = 0; ok && i < s->n; i++) {
		if (str_eq(s->h[i].name, STR("host")))
			continue;
		type |= str_eq(s->h[i].name, STR("content-type"));
		buf_clear(&s->text);
		buf_add_str(&s->text, s->h[i].name);
		buf_add_c(&s->text, ": ");
		buf_add_str(&s->text, s->h[i].value);
		ok = buf_ok(&s->text) && list_add(&list, s->text.p);
	}
	buf_clear(&s->text);
	buf_add_c(&s->text, "Authorization: ");
	buf_add_str(&s->text, buf_str(&s->authorization));
	ok = ok && buf_ok(&s->text) && list_add(&list, s->text.p) &&
	     (type || list_add(&list, "Content-Type:"));
	if (ok)
		return list;
	curl_slist_free_all(list);
	return NULL;
}

/* ---- one try ---- */

struct sending {
	const struct s3_client *c;
	struct s3_call *q;
	CURL *curl;
	unsigned refused, opened; /* sockets not made, and made */
};

static bool
address_fits(const struct s3_client *c, enum address_kind kind)
{
	if (kind == ADDRESS_USELESS)
		return false;
	if (c->plain)
		return c->allow_private &&
		       (kind == ADDRESS_LOOPBACK || (kind != ADDRESS_PUBLIC && c->allow_plain));
	return kind == ADDRESS_PUBLIC || c->allow_private;
}

static curl_socket_t
open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct sending *s = ctx;

	if (purpose != CURLSOCKTYPE_IPCXN || !address_fits(s->c, address_kind(&a->addr))) {
		s->refused++;
		return CURL_SOCKET_BAD;
	}
	s->opened++;
	return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

static void
keep_text(struct str s, char *out, size_t out_size)
{
	if (s.n >= out_size)
		return;
	memcpy(out, s.p, s.n);
	out[s.n] = '\0';
}

static size_t
on_header(char *p, size_t size, size_t n, void *ctx)
{
	struct sending *s = ctx;
	struct s3_call *q = s->q;
	struct str value = { .p = p, .n = size * n }, name;

	(void)str_split(&value, ':', &name);
	value = str_trim(value);
	if (str_starts(name, STR("HTTP/"))) {
		q->etag[0] = q->region[0] = '\0';
		q->kms = false;
		q->modified_at = 0;
	} else if (str_eq_nocase(name, STR("ETag"))) {
		if (value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"')
			value = (struct str){ .p = value.p + 1, .n = value.n - 2 };
		keep_text(value, q->etag, sizeof(q->etag));
	} else if (str_eq_nocase(name, STR("x-amz-bucket-region"))) {
		keep_text(value, q->region, sizeof(q->region));
	} else if (str_eq_nocase(name, STR("x-amz-server-side-encryption"))) {
		q->kms |= str_starts(value, STR("aws:kms"));
	} else if (str_eq_nocase(name, STR("x-amz-server-side-encryption-customer-algorithm"))) {
		q->kms = true;
	} else if (str_eq_nocase(name, STR("Last-Modified"))) {
		(void)!instant_parse_http(value, &q->modified_at);
	}
	return size * n;
}

static size_t
on_body(char *p, size_t size, size_t n, void *ctx)
{
	struct sending *s = ctx;
	struct s3_call *q = s->q;
	long status = 0;

	n *= size;
	(void)curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, &status);
	if (q->into && status >= 200 && status < 300) {
		if (n > q->into_n - q->received) {
			q->overflow = true;
			return 0;
		}
		memcpy(q->into + q->received, p, n);
		q->received += n;
		return n;
	}
	if (q->text.n + n > (status >= 200 && status < 300 ? S3_ANSWER_MAX : ERROR_BODY_MAX)) {
		q->overflow = true;
		return 0;
	}
	buf_add(&q->text, p, n);
	return n;
}

/* Everything that bounds or restricts, the same for every request. */
static CURLcode
set_rules(CURL *c, const struct s3_client *client, const struct s3_call *q)
{
	size_t bytes = q->body.n > q->into_n ? q->body.n : q->into_n;
	long whole = (q->slow ? SLOW_MS : client->stall_ms) + (long)(bytes / BYTES_PER_MS);
	CURLcode rc = CURLE_OK;

#define SET(option, value)                                                                         \
	do {                                                                                       \
		if (rc == CURLE_OK)                                                                \
			rc = curl_easy_setopt(c, (option), (value));                               \
	} while (0)

	SET(CURLOPT_PROTOCOLS_STR, client->plain ? "http" : "https");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_PATH_AS_IS, 1L);
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_CONNECTTIMEOUT_MS, client->connect_ms);
	SET(CURLOPT_TIMEOUT_MS, client->connect_ms + whole);
	if (!q->slow) {
		SET(CURLOPT_LOW_SPEED_LIMIT, 1024L);
		SET(CURLOPT_LOW_SPEED_TIME, client->stall_ms / 1000 + 1);
	}
	SET(CURLOPT_MAXCONNECTS, 4L);
	SET(CURLOPT_UPLOAD_BUFFERSIZE, 256L * 1024);
	SET(CURLOPT_BUFFERSIZE, 128L * 1024);
	SET(CURLOPT_USERAGENT, "souk/" SOUK_VERSION);
	if (client->ca_file)
		SET(CURLOPT_CAINFO, client->ca_file);
	return rc;
}

static CURLcode
set_up(struct sending *s, const char *url, struct curl_slist *headers)
{
	const struct s3_call *q = s->q;
	CURL *c = s->curl;
	CURLcode rc = set_rules(c, s->c, q);

	SET(CURLOPT_URL, url);
	SET(CURLOPT_HTTPHEADER, headers);
	SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
	SET(CURLOPT_OPENSOCKETDATA, s);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, s);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, s);
	if (strcmp(q->method, "HEAD") == 0) {
		SET(CURLOPT_NOBODY, 1L);
	} else if (strcmp(q->method, "PUT") == 0 || strcmp(q->method, "POST") == 0) {
		SET(CURLOPT_POST, 1L);
		SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->body.n);
		SET(CURLOPT_POSTFIELDS, q->body.n > 0 ? q->body.p : "");
		SET(CURLOPT_CUSTOMREQUEST, q->method);
	} else {
		SET(CURLOPT_HTTPGET, 1L);
		SET(CURLOPT_CUSTOMREQUEST, q->method);
	}
#undef SET
	return rc;
}

static enum s3_fault
fault_of_curl(CURLcode rc, const struct sending *s)
{
	switch ((int)rc) {
	case CURLE_COULDNT_RESOLVE_HOST:
		return S3_NAME;
	case CURLE_COULDNT_CONNECT:
		return s->refused > 0 && s->opened == 0 ? S3_ADDRESS : S3_CONNECTION;
	case CURLE_OPERATION_TIMEDOUT:
		return S3_TIMEOUT;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_CERTPROBLEM:
		return S3_TLS;
	case CURLE_OUT_OF_MEMORY:
		return S3_MEMORY;
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_URL_MALFORMAT:
	case CURLE_WEIRD_SERVER_REPLY:
		return S3_PROTOCOL;
	default:
		return S3_CONNECTION;
	}
}

static enum souk_err
judge(struct sending *s, CURLcode rc, struct s3_error *e)
{
	struct s3_call *q = s->q;
	curl_off_t length = -1;

	(void)curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, &q->status);
	(void)curl_easy_getinfo(s->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	q->length = (int64_t)length;
	/* Cut off by us: of a refusal the head and what came of the body are enough. */
	if (q->overflow && q->status >= 200 && q->status < 300)
		return s3_strange(s->c, e, "it is longer than asked for");
	if (rc != CURLE_OK && !q->overflow) {
		q->status = 0;
		return s3_fault_set(s->c, e, fault_of_curl(rc, s), "");
	}
	if (!buf_ok(&q->text))
		return s3_fault_set(s->c, e, S3_MEMORY, "");
	return s3_judge(s->c, q, e);
}

static enum souk_err
try_once(struct s3_client *c, struct s3_call *q, struct s3_error *e)
{
	struct signed_request sr = { .n = 0 };
	struct sending s = { .c = c, .q = q };
	struct curl_slist *headers = NULL;
	struct curl_handle *h = NULL;
	struct buf url = { 0 };
	enum souk_err err;
	CURLcode rc;

	*e = (struct s3_error){ .status = 0 };
	q->received = 0;
	q->overflow = false;
	q->length = -1;
	buf_clear(&q->text);
	if (sign(c, q, &sr) != SOUK_OK || !(headers = header_list(&sr)) ||
	    !(h = curl_pool_take(&c->pool))) {
		err = s3_fault_set(c, e, S3_MEMORY, "");
		goto out;
	}
	buf_printf(&url, "%s%s%s%s", c->origin, sr.path.p, q->query[0] ? "?" : "", q->query);
	s.curl = h->curl;
	rc = buf_ok(&url) ? set_up(&s, url.p, headers) : CURLE_OUT_OF_MEMORY;
	if (rc == CURLE_OK)
		rc = curl_easy_perform(h->curl);
	err = judge(&s, rc, e);
out:
	if (h)
		curl_pool_give_back(&c->pool, h);
	curl_slist_free_all(headers);
	buf_done(&url);
	signed_done(&sr);
	return err;
}

/* ---- tries ---- */

void
s3_call_add(struct s3_call *q, const char *header)
{
	size_t n = 0;

	while (q->headers[n])
		n++;
	assert(n + 1 < S3_HEADERS_MAX);
	q->headers[n] = header;
}

/* Connecting to a name or address that is wrong will not go better in a second. */
static bool
worth_another(enum s3_fault f)
{
	return f == S3_BUSY || f == S3_TIMEOUT || f == S3_CONNECTION || f == S3_CHECKSUM;
}

void
s3_pause(unsigned tries)
{
	uint16_t r;
	int64_t ms = PAUSE_MS;

	for (unsigned i = 1; i < tries; i++)
		ms *= 4;
	random_bytes(&r, sizeof(r));
	clock_sleep_ms(ms + ms * r / UINT16_MAX);
}

enum souk_err
s3_run(struct s3_client *c, struct s3_call *q, struct s3_error *e)
{
	enum souk_err err;

	for (q->tries = 1;; q->tries++) {
		err = try_once(c, q, e);
		if (err == SOUK_OK || q->once || q->tries >= S3_TRIES || !worth_another(e->fault))
			return err;
		s3_pause(q->tries);
	}
}
