/* SPDX-License-Identifier: Apache-2.0 */
/* Posting with libcurl; see post.h for what it guards against. */
#include "delivery/post.h"

#include "delivery/address.h"
#include "delivery/curl_pool.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

struct poster {
	bool allow_private;
	char *ca_file; /* NULL: none */
	long timeout_ms;
	struct curl_pool pool;
};

/* ---- the URL's text ---- */

static enum souk_err
bad_url(struct fail *f, const char *what, const char *fix)
{
	return fail_field(f, "url", what, fix);
}

static bool
is_local_name(struct str host)
{
	return str_eq_nocase(host, STR("localhost")) || str_eq_nocase(host, STR("localhost."));
}

/* A host that is an address, or names this machine, can be judged before connecting. */
static enum souk_err
check_host(struct str host, bool plain, bool allow_private, struct fail *f)
{
	enum address_kind kind = ADDRESS_PUBLIC;

	if (is_local_name(host))
		kind = ADDRESS_LOOPBACK;
	else
		(void)!address_kind_literal(host, &kind);
	if (kind == ADDRESS_USELESS || (kind != ADDRESS_PUBLIC && !allow_private))
		return bad_url(f, "leads to an address that is not public",
		    "give a public host; the operator can allow others");
	if (plain && kind != ADDRESS_LOOPBACK)
		return bad_url(f, "is not https", "begin it with https://");
	return SOUK_OK;
}

static enum souk_err
check_parts(CURLU *u, bool allow_private, struct fail *f)
{
	char *scheme = NULL, *host = NULL, *fragment = NULL, *zone = NULL;
	bool plain;
	enum souk_err err = SOUK_E_INTERNAL;

	if (curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
	    curl_url_get(u, CURLUPART_HOST, &host, 0) != CURLUE_OK || !host[0]) {
		err = bad_url(f, "has no host", "give one like https://hooks.example.com/souk");
		goto out;
	}
	(void)curl_url_get(u, CURLUPART_FRAGMENT, &fragment, 0);
	(void)curl_url_get(u, CURLUPART_ZONEID, &zone, 0);
	plain = str_eq_nocase(str_c(scheme), STR("http"));
	if (!plain && !str_eq_nocase(str_c(scheme), STR("https")))
		err = bad_url(f, "is not https", "begin it with https://");
	else if (fragment || zone)
		err = bad_url(f, "has a fragment or zone", "leave out what follows # or %");
	else
		err = check_host(str_c(host), plain, allow_private, f);
out:
	curl_free(scheme);
	curl_free(host);
	curl_free(fragment);
	curl_free(zone);
	return err;
}

/* libcurl forgives "https:/host" and "https:///host"; others would read a path there. */
static bool
has_authority(struct str url)
{
	const char *colon = memchr(url.p, ':', url.n);
	size_t at = colon ? (size_t)(colon - url.p) : url.n;

	return at + 3 < url.n && memcmp(url.p + at, "://", 3) == 0 && url.p[at + 3] != '/';
}

enum souk_err
post_url_check(struct str url, bool allow_private, struct fail *f)
{
	char text[POST_URL_MAX + 1];
	CURLU *u;
	CURLUcode rc;
	enum souk_err err;

	if (url.n == 0 || url.n > POST_URL_MAX)
		return bad_url(f, "is empty or too long", "give one of at most 2048 bytes");
	for (size_t i = 0; i < url.n; i++)
		if (url.p[i] <= ' ' || url.p[i] >= 0x7f || url.p[i] == '\\')
			return bad_url(f, "holds a character no URL has",
			    "percent-encode it; write host names in their ASCII form");
	if (!has_authority(url))
		return bad_url(f, "has no host", "give one like https://hooks.example.com/souk");
	memcpy(text, url.p, url.n);
	text[url.n] = '\0';
	if (!(u = curl_url()))
		return SOUK_E_NOMEM;
	rc = curl_url_set(u, CURLUPART_URL, text, CURLU_DISALLOW_USER);
	if (rc == CURLUE_USER_NOT_ALLOWED)
		err = bad_url(f, "holds a user name", "leave out what stands before @");
	else if (rc != CURLUE_OK)
		err = bad_url(f, "is not a URL", "give one like https://hooks.example.com/souk");
	else
		err = check_parts(u, allow_private, f);
	curl_url_cleanup(u);
	return err;
}

/* ---- sending ---- */

/* One call's own; libcurl hands it back to the callbacks. */
struct sending {
	bool allow_private;
	bool plain;
	unsigned refused, opened; /* sockets not made, and made */
	size_t received, max;
	struct buf *body; /* NULL: not wanted */
	struct curl_slist *connect_to;
	bool keeps_more; /* of a longer answer, too, what came */
};

static curl_socket_t
open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct sending *s = ctx;
	enum address_kind kind = address_kind(&a->addr);
	bool ok = s->plain
		      ? s->allow_private && kind == ADDRESS_LOOPBACK
		      : kind == ADDRESS_PUBLIC || (s->allow_private && kind != ADDRESS_USELESS);

	if (purpose != CURLSOCKTYPE_IPCXN || !ok) {
		s->refused++;
		return CURL_SOCKET_BAD;
	}
	s->opened++;
	return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

static size_t
receive(char *p, size_t size, size_t n, void *ctx)
{
	struct sending *s = ctx;

	s->received += size * n;
	if (s->body && (s->received <= s->max || s->keeps_more))
		buf_add(s->body, p, size * n);
	return s->received <= s->max ? size * n : 0;
}

static CURLcode
set_up(CURL *c, const struct poster *p, const struct post *what, struct curl_slist *headers,
    struct sending *s)
{
	CURLcode rc = CURLE_OK;

#define SET(option, value)                                                                         \
	do {                                                                                       \
		if (rc == CURLE_OK)                                                                \
			rc = curl_easy_setopt(c, (option), (value));                               \
	} while (0)

	SET(CURLOPT_URL, what->url);
	SET(CURLOPT_PROTOCOLS_STR, s->allow_private ? "https,http" : "https");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_TIMEOUT_MS, p->timeout_ms);
	SET(CURLOPT_CONNECTTIMEOUT_MS, p->timeout_ms);
	SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
	SET(CURLOPT_OPENSOCKETDATA, s);
	SET(CURLOPT_WRITEFUNCTION, receive);
	SET(CURLOPT_WRITEDATA, s);
	SET(CURLOPT_USERAGENT, what->user_agent);
	SET(CURLOPT_HTTPHEADER, headers);
	SET(CURLOPT_CONNECT_TO, s->connect_to);
	if (what->get) {
		SET(CURLOPT_HTTPGET, 1L);
	} else {
		SET(CURLOPT_POST, 1L);
		SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)what->body.n);
		SET(CURLOPT_POSTFIELDS, what->body.p);
	}
	SET(CURLOPT_MAXCONNECTS, 4L);
	/* The directory of the system's certificates stays; this file comes on top. */
	if (p->ca_file)
		SET(CURLOPT_CAINFO, p->ca_file);
#undef SET
	return rc;
}

static void
answer(struct post_answer *a, enum post_outcome outcome, const char *reason)
{
	a->outcome = outcome;
	(void)snprintf(a->reason, sizeof(a->reason), "%s", reason);
}

static void
judge_status(struct post_answer *a)
{
	enum post_outcome outcome = POST_LATER;

	if (a->status >= 200 && a->status < 300)
		outcome = POST_DONE;
	else if (a->status >= 400 && a->status < 500 && a->status != 429)
		outcome = POST_NEVER;
	a->outcome = outcome;
	(void)snprintf(a->reason, sizeof(a->reason), "HTTP status %ld%s", a->status,
	    a->status >= 300 && a->status < 400 ? ", redirects are not followed" : "");
}

static void
judge_no_connection(CURL *c, const struct sending *s, struct post_answer *a)
{
	long e = 0;

	(void)curl_easy_getinfo(c, CURLINFO_OS_ERRNO, &e);
	if (s->refused > 0 && s->opened == 0)
		answer(a, POST_NEVER, "the address is not public and not allowed");
	else if (e == ECONNREFUSED)
		answer(a, POST_LATER, "connection refused");
	else
		answer(a, POST_LATER, "no connection to the host");
}

static const struct {
	CURLcode code;
	enum post_outcome outcome;
	const char *reason;
} failures[] = {
	{ CURLE_COULDNT_RESOLVE_HOST, POST_LATER, "host name not found" },
	{ CURLE_OPERATION_TIMEDOUT, POST_LATER, "no answer in time" },
	{ CURLE_PEER_FAILED_VERIFICATION, POST_LATER, "the host's certificate is not trusted" },
	{ CURLE_SSL_CACERT_BADFILE, POST_LATER, "the file of trusted certificates is unusable" },
	{ CURLE_SSL_CONNECT_ERROR, POST_LATER, "TLS handshake failed" },
	{ CURLE_GOT_NOTHING, POST_LATER, "connection closed without an answer" },
	{ CURLE_RECV_ERROR, POST_LATER, "connection broken" },
	{ CURLE_SEND_ERROR, POST_LATER, "connection broken" },
	{ CURLE_PARTIAL_FILE, POST_LATER, "connection broken" },
	{ CURLE_OUT_OF_MEMORY, POST_LATER, "out of memory" },
	{ CURLE_UNSUPPORTED_PROTOCOL, POST_NEVER, "the URL is not https" },
	{ CURLE_URL_MALFORMAT, POST_NEVER, "the URL is malformed" },
};

static void
judge(CURL *c, CURLcode rc, const struct sending *s, struct post_answer *a)
{
	(void)curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &a->status);
	if (rc == CURLE_OK || (rc == CURLE_WRITE_ERROR && s->received > s->max)) {
		judge_status(a);
		return;
	}
	a->status = 0;
	if (rc == CURLE_COULDNT_CONNECT) {
		judge_no_connection(c, s, a);
		return;
	}
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++)
		if (failures[i].code == rc) {
			answer(a, failures[i].outcome, failures[i].reason);
			return;
		}
	/* libcurl's fixed text for the code: nothing of the request is in it */
	answer(a, POST_LATER, curl_easy_strerror(rc));
}

/* NULL when out of memory. An empty Expect: no waiting for "100 Continue". */
static struct curl_slist *
header_list(const char *const *headers)
{
	struct curl_slist *list = curl_slist_append(NULL, "Expect:"), *more;

	for (size_t i = 0; list && headers[i]; i++) {
		if (!(more = curl_slist_append(list, headers[i]))) {
			curl_slist_free_all(list);
			return NULL;
		}
		list = more;
	}
	return list;
}

/* Whatever the URL's host and port are. False when out of memory. */
static bool
connect_to(const char *there, struct curl_slist **ret)
{
	char *text = NULL;

	if (asprintf(&text, "::%s", there) < 0)
		return false;
	*ret = curl_slist_append(NULL, text);
	free(text);
	return *ret != NULL;
}

static bool
is_plain(const char *url)
{
	return strlen(url) >= 5 && str_eq_nocase((struct str){ .p = url, .n = 5 }, STR("http:"));
}

void
poster_send(struct poster *p, const struct post *what, struct post_answer *ret)
{
	struct sending s = { .allow_private = p->allow_private || what->allow_private,
		.plain = is_plain(what->url),
		.max = what->answer_max > 0 ? what->answer_max : POST_ANSWER_MAX,
		.keeps_more = what->answer_max > 0,
		.body = what->ret_body };
	struct post_answer a = { .outcome = POST_LATER };
	struct curl_slist *headers = header_list(what->headers);
	struct curl_handle *h = headers ? curl_pool_take(&p->pool) : NULL;
	CURLcode rc;

	if (h && what->connect_to && !connect_to(what->connect_to, &s.connect_to)) {
		curl_pool_give_back(&p->pool, h);
		h = NULL;
	}

	if (!h) {
		answer(&a, POST_LATER, "out of memory");
	} else {
		rc = set_up(h->curl, p, what, headers, &s);
		if (rc == CURLE_OK)
			rc = curl_easy_perform(h->curl);
		judge(h->curl, rc, &s, &a);
		curl_pool_give_back(&p->pool, h);
	}
	curl_slist_free_all(headers);
	curl_slist_free_all(s.connect_to);
	*ret = a;
}

enum souk_err
poster_new(const struct post_rules *r, struct poster **ret)
{
	struct poster *p;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !(p = calloc(1, sizeof(*p))))
		return SOUK_E_NOMEM;
	if (r->ca_file[0] && !(p->ca_file = strdup(r->ca_file))) {
		free(p);
		return SOUK_E_NOMEM;
	}
	p->allow_private = r->allow_private;
	p->timeout_ms = (long)r->timeout_ms;
	curl_pool_init(&p->pool);
	*ret = p;
	return SOUK_OK;
}

void
poster_free(struct poster *p)
{
	if (!p)
		return;
	curl_pool_done(&p->pool);
	free(p->ca_file);
	free(p);
	curl_global_cleanup();
}
