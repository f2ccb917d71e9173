/* SPDX-License-Identifier: Apache-2.0 */
/* SMTP with libcurl: what was said last tells whose fault a refusal is. */
#include "delivery/mail_smtp.h"

#include "delivery/address.h"
#include "delivery/curl_pool.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#define IDLE_SECONDS 30L

struct mailer {
	char *url, *user, *password, *ca_file; /* "" none */
	bool plain;
	long timeout_ms;
	struct curl_pool pool;
};

/* ---- the server ---- */

static bool
is_here(const char *host)
{
	enum address_kind kind = ADDRESS_PUBLIC;

	return str_eq_nocase(str_c(host), STR("localhost")) ||
	       (address_kind_literal(str_c(host), &kind) && kind == ADDRESS_LOOPBACK);
}

static enum souk_err
check_url(const struct mail_rules *r, const char *scheme, const char *host, const char *path,
    const char *query, struct fail *f)
{
	bool here = is_here(host);

	if (!str_eq_nocase(str_c(scheme), STR("smtp")) &&
	    !str_eq_nocase(str_c(scheme), STR("smtps")))
		return fail_field(f, "mail.server", "is neither smtp nor smtps",
		    "give one like smtp://mail.example.com:587");
	if ((path && path[0] && strcmp(path, "/") != 0) || query)
		return fail_field(f, "mail.server", "has more than a host and a port",
		    "give one like smtp://mail.example.com:587");
	if (r->plain && !here)
		return fail_field(f, "mail.plain", "is only for a server on this machine",
		    "leave it off: mails go over TLS");
	return SOUK_OK;
}

enum souk_err
mail_rules_check(const struct mail_rules *r, struct fail *f)
{
	char *scheme = NULL, *host = NULL, *path = NULL, *query = NULL;
	CURLU *u = curl_url();
	enum souk_err err;

	if (!u)
		return SOUK_E_NOMEM;
	if (curl_url_set(u, CURLUPART_URL, r->url, CURLU_DISALLOW_USER) != CURLUE_OK ||
	    curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
	    curl_url_get(u, CURLUPART_HOST, &host, 0) != CURLUE_OK || !host[0]) {
		err = fail_field(f, "mail.server", "is no server's address",
		    "give one like smtp://mail.example.com:587, the login in mail.user");
	} else {
		(void)curl_url_get(u, CURLUPART_PATH, &path, 0);
		(void)curl_url_get(u, CURLUPART_QUERY, &query, 0);
		err = check_url(r, scheme, host, path, query, f);
	}
	curl_free(scheme);
	curl_free(host);
	curl_free(path);
	curl_free(query);
	curl_url_cleanup(u);
	return err;
}

static char *
copy(const char *s)
{
	return strdup(s ? s : "");
}

enum souk_err
mailer_new(const struct mail_rules *r, struct mailer **ret)
{
	struct mailer *m;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !(m = calloc(1, sizeof(*m))))
		return SOUK_E_NOMEM;
	m->url = copy(r->url);
	m->user = copy(r->user);
	m->password = copy(r->password);
	m->ca_file = copy(r->ca_file);
	m->plain = r->plain;
	m->timeout_ms = (long)r->timeout_ms;
	curl_pool_init(&m->pool);
	if (!m->url || !m->user || !m->password || !m->ca_file) {
		mailer_free(m);
		return SOUK_E_NOMEM;
	}
	*ret = m;
	return SOUK_OK;
}

/*
 * Ends a connection without a word, because libcurl would say QUIT and wait minutes for the answer of a server
 * that hangs, and because after a time-out an answer to this mail may come yet, which the next one must not read.
 */
static void
cut(CURL *c)
{
	curl_socket_t s = CURL_SOCKET_BAD;

	if (curl_easy_getinfo(c, CURLINFO_ACTIVESOCKET, &s) == CURLE_OK && s != CURL_SOCKET_BAD)
		(void)shutdown(s, SHUT_RDWR);
}

void
mailer_free(struct mailer *m)
{
	if (!m)
		return;
	for (struct curl_handle *h = m->pool.idle; h; h = h->next)
		cut(h->curl);
	curl_pool_done(&m->pool);
	free(m->url);
	free(m->user);
	if (m->password)
		explicit_bzero(m->password, strlen(m->password));
	free(m->password);
	free(m->ca_file);
	free(m);
}

/* ---- sending ---- */

enum step { STEP_GREET, STEP_FROM, STEP_RCPT, STEP_DATA };

struct sending {
	struct str rest;
	enum step step; /* of the last command that was sent */
	bool utf8;      /* the mail is for servers with SMTPUTF8 only */
	bool has_utf8;  /* this one is */
};

static size_t
give(char *out, size_t size, size_t n, void *ctx)
{
	struct sending *s = ctx;
	size_t most = size * n < s->rest.n ? size * n : s->rest.n;

	if (s->utf8 && !s->has_utf8)
		return CURL_READFUNC_ABORT;
	memcpy(out, s->rest.p, most);
	s->rest.p += most;
	s->rest.n -= most;
	return most;
}

static int
watch(CURL *c, curl_infotype type, char *data, size_t n, void *ctx)
{
	struct sending *s = ctx;
	struct str line = { .p = data, .n = n };

	(void)c;
	if (type == CURLINFO_HEADER_IN && s->step == STEP_GREET && n > 4 &&
	    str_eq_nocase(str_trim((struct str){ data + 4, n - 4 }), STR("SMTPUTF8")))
		s->has_utf8 = true;
	if (type != CURLINFO_HEADER_OUT)
		return 0;
	if (str_starts(line, STR("EHLO ")))
		s->has_utf8 = false; /* what is offered without TLS is not what counts */
	else if (str_starts(line, STR("MAIL ")))
		s->step = STEP_FROM;
	else if (str_starts(line, STR("RCPT ")))
		s->step = STEP_RCPT;
	else if (str_starts(line, STR("DATA")))
		s->step = STEP_DATA;
	return 0;
}

static void
answer(struct mail_answer *a, enum mail_outcome outcome, const char *reason)
{
	a->outcome = outcome;
	(void)snprintf(a->reason, sizeof(a->reason), "%s", reason);
}

static const struct {
	CURLcode code;
	const char *reason;
} failures[] = {
	{ CURLE_COULDNT_RESOLVE_HOST, "the mail server's name was not found" },
	{ CURLE_COULDNT_CONNECT, "no connection to the mail server" },
	{ CURLE_OPERATION_TIMEDOUT, "no answer of the mail server in time" },
	{ CURLE_PEER_FAILED_VERIFICATION, "the mail server's certificate is not trusted" },
	{ CURLE_SSL_CACERT_BADFILE, "the file of trusted certificates is unusable" },
	{ CURLE_SSL_CONNECT_ERROR, "TLS handshake with the mail server failed" },
	{ CURLE_USE_SSL_FAILED, "the mail server does not offer STARTTLS" },
	{ CURLE_LOGIN_DENIED, "the mail server refused the login" },
	{ CURLE_GOT_NOTHING, "the mail server closed the connection" },
	{ CURLE_RECV_ERROR, "connection to the mail server broken" },
	{ CURLE_SEND_ERROR, "connection to the mail server broken" },
	{ CURLE_OUT_OF_MEMORY, "out of memory" },
};

static bool
is_about_login(long status)
{
	return status == 530 || status == 534 || status == 535 || status == 538;
}

static void
judge_refusal(enum step step, struct mail_answer *a)
{
	if (is_about_login(a->status))
		answer(a, MAIL_LATER, "the mail server refused the login");
	else if (step == STEP_GREET)
		answer(a, MAIL_LATER, "the mail server does not serve this machine");
	else if (step == STEP_FROM)
		answer(a, MAIL_LATER, "the mail server refused the sender");
	else if (a->status < 500)
		answer(a, MAIL_LATER, "the mail server wants it later");
	else
		answer(a, MAIL_REFUSED,
		    step == STEP_RCPT ? "the mail server refused the recipient"
				      : "the mail server refused the mail");
}

static void
judge(CURL *c, CURLcode rc, const struct sending *s, struct mail_answer *a)
{
	(void)curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &a->status);
	if (rc != CURLE_OK && s->utf8 && !s->has_utf8 && s->step != STEP_GREET) {
		answer(
		    a, MAIL_REFUSED, "the mail server does not take such addresses (no SMTPUTF8)");
		return;
	}
	if (rc == CURLE_OK) {
		a->outcome = MAIL_DONE;
		return;
	}
	if ((rc == CURLE_SEND_ERROR || rc == CURLE_WEIRD_SERVER_REPLY || rc == CURLE_LOGIN_DENIED ||
		rc == CURLE_REMOTE_ACCESS_DENIED) &&
	    a->status >= 400) {
		judge_refusal(s->step, a);
		return;
	}
	a->status = 0;
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++)
		if (failures[i].code == rc) {
			answer(a, MAIL_LATER, failures[i].reason);
			return;
		}
	/* libcurl's fixed text for the code: nothing of the mail is in it */
	answer(a, MAIL_LATER, curl_easy_strerror(rc));
}

static CURLcode
set_up(CURL *c, const struct mailer *m, const char *from, struct curl_slist *to, struct sending *s)
{
	CURLcode rc = CURLE_OK;

#define SET(option, value)                                                                         \
	do {                                                                                       \
		if (rc == CURLE_OK)                                                                \
			rc = curl_easy_setopt(c, (option), (value));                               \
	} while (0)

	SET(CURLOPT_URL, m->url);
	SET(CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_TIMEOUT_MS, m->timeout_ms);
	SET(CURLOPT_CONNECTTIMEOUT_MS, m->timeout_ms);
	SET(CURLOPT_USE_SSL, (long)(m->plain ? CURLUSESSL_NONE : CURLUSESSL_ALL));
	SET(CURLOPT_MAIL_FROM, from);
	SET(CURLOPT_MAIL_RCPT, to);
	SET(CURLOPT_UPLOAD, 1L);
	SET(CURLOPT_READFUNCTION, give);
	SET(CURLOPT_READDATA, s);
	SET(CURLOPT_VERBOSE, 1L);
	SET(CURLOPT_DEBUGFUNCTION, watch);
	SET(CURLOPT_DEBUGDATA, s);
	SET(CURLOPT_MAXCONNECTS, 1L);
	SET(CURLOPT_MAXAGE_CONN, IDLE_SECONDS);
	/* What a server offers is said once in a connection. */
	SET(CURLOPT_FRESH_CONNECT, (long)s->utf8);
	if (m->user[0]) {
		SET(CURLOPT_USERNAME, m->user);
		SET(CURLOPT_PASSWORD, m->password);
	}
	/* The directory of the system's certificates stays; this file comes on top. */
	if (m->ca_file[0])
		SET(CURLOPT_CAINFO, m->ca_file);
#undef SET
	return rc;
}

static char *
in_brackets(struct str address)
{
	struct buf b = { 0 };

	buf_add_char(&b, '<');
	buf_add_str(&b, address);
	buf_add_char(&b, '>');
	if (buf_ok(&b))
		return b.p;
	buf_done(&b);
	return NULL;
}

void
mailer_send(struct mailer *m, const struct mail_envelope *e, struct mail_answer *ret)
{
	struct mail_answer a = { .outcome = MAIL_LATER };
	struct sending s = { .rest = e->message, .utf8 = e->utf8 };
	char *from = in_brackets(e->from), *to = in_brackets(e->to);
	struct curl_slist *list = to ? curl_slist_append(NULL, to) : NULL;
	struct curl_handle *h = from && list ? curl_pool_take(&m->pool) : NULL;
	CURLcode rc;

	if (!h) {
		answer(&a, MAIL_LATER, "out of memory");
	} else {
		rc = set_up(h->curl, m, from, list, &s);
		if (rc == CURLE_OK)
			rc = curl_easy_perform(h->curl);
		judge(h->curl, rc, &s, &a);
		/* After a refusal in words both sides know where they are; else nobody uses it again. */
		if (rc != CURLE_OK && (a.status == 0 || rc == CURLE_ABORTED_BY_CALLBACK)) {
			cut(h->curl);
			curl_pool_drop(h);
		} else {
			curl_pool_give_back(&m->pool, h);
		}
	}
	curl_slist_free_all(list);
	free(from);
	free(to);
	*ret = a;
}
