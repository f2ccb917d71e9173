/* SPDX-License-Identifier: Apache-2.0 */
#include "tls_hook.h"

#include "base/clock.h"
#include "check.h"

#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

struct tls_hook {
	int listener, wake[2], port;
	gnutls_certificate_credentials_t credentials;
	pthread_t thread;
	atomic_size_t count;
	pthread_mutex_t lock; /* of the answer */
	struct str answer;
	char request[4096];
};

static void
make_certificate(struct tls_hook *h, const char *pem_path)
{
	time_t now = (time_t)(clock_now() / SECOND_MS);
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t crt;
	gnutls_datum_t pem;
	FILE *f;

	assert_int_equal(gnutls_x509_privkey_init(&key), 0);
	assert_int_equal(gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
			     GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
	    0);
	assert_int_equal(gnutls_x509_crt_init(&crt), 0);
	assert_int_equal(gnutls_x509_crt_set_version(crt, 3), 0);
	assert_int_equal(gnutls_x509_crt_set_serial(crt, "\x01", 1), 0);
	assert_int_equal(gnutls_x509_crt_set_activation_time(crt, now - 3600), 0);
	assert_int_equal(gnutls_x509_crt_set_expiration_time(crt, now + 3600), 0);
	assert_int_equal(gnutls_x509_crt_set_dn(crt, "CN=localhost", NULL), 0);
	assert_int_equal(gnutls_x509_crt_set_subject_alt_name(
			     crt, GNUTLS_SAN_DNSNAME, "localhost", 9, GNUTLS_FSAN_SET),
	    0);
	assert_int_equal(gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME,
			     TLS_HOOK_NAME, sizeof(TLS_HOOK_NAME) - 1, GNUTLS_FSAN_APPEND),
	    0);
	assert_int_equal(gnutls_x509_crt_set_basic_constraints(crt, 1, -1), 0);
	assert_int_equal(gnutls_x509_crt_set_key(crt, key), 0);
	assert_int_equal(gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0), 0);
	assert_int_equal(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &pem), 0);
	assert_non_null(f = fopen(pem_path, "w"));
	assert_int_equal(fwrite(pem.data, 1, pem.size, f), pem.size);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(gnutls_certificate_allocate_credentials(&h->credentials), 0);
	assert_int_equal(gnutls_certificate_set_x509_key(h->credentials, &crt, 1, key), 0);
	gnutls_free(pem.data);
	gnutls_x509_crt_deinit(crt);
	gnutls_x509_privkey_deinit(key);
}

static void
send_all(struct tls_hook *h, gnutls_session_t s)
{
	struct str rest;
	ssize_t n;

	(void)pthread_mutex_lock(&h->lock);
	rest = h->answer;
	(void)pthread_mutex_unlock(&h->lock);
	if (rest.n == 0) {
		(void)poll(&(struct pollfd){ .fd = h->wake[0], .events = POLLIN }, 1, 20000);
		return;
	}
	while (rest.n > 0 && (n = gnutls_record_send(s, rest.p, rest.n)) > 0)
		rest = (struct str){ rest.p + n, rest.n - (size_t)n };
	(void)gnutls_bye(s, GNUTLS_SHUT_WR);
}

static void
converse(struct tls_hook *h, int fd)
{
	gnutls_session_t s;
	ssize_t n;
	int rc;

	assert_int_equal(gnutls_init(&s, GNUTLS_SERVER | GNUTLS_NO_SIGNAL), 0);
	assert_int_equal(gnutls_set_default_priority(s), 0);
	assert_int_equal(gnutls_credentials_set(s, GNUTLS_CRD_CERTIFICATE, h->credentials), 0);
	gnutls_transport_set_int(s, fd);
	gnutls_handshake_set_timeout(s, 5000);
	do {
		rc = gnutls_handshake(s);
	} while (rc < 0 && !gnutls_error_is_fatal(rc));
	if (rc == 0 && (n = gnutls_record_recv(s, h->request, sizeof(h->request) - 1)) > 0) {
		h->request[n] = '\0';
		atomic_fetch_add(&h->count, 1);
		send_all(h, s);
	}
	gnutls_deinit(s);
}

static void *
serve(void *arg)
{
	struct tls_hook *h = arg;
	struct pollfd p[2] = { { .fd = h->listener, .events = POLLIN },
		{ .fd = h->wake[0], .events = POLLIN } };
	int fd;

	while (poll(p, 2, 20000) > 0 && p[1].revents == 0)
		if ((fd = accept(h->listener, NULL, NULL)) >= 0) {
			converse(h, fd);
			(void)close(fd);
		}
	return NULL;
}

struct tls_hook *
tls_hook_start(const char *pem_path)
{
	struct tls_hook *h = calloc(1, sizeof(*h));
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);

	assert_non_null(h);
	(void)pthread_mutex_init(&h->lock, NULL);
	h->answer = STR("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
	make_certificate(h, pem_path);
	assert_int_equal(pipe(h->wake), 0);
	h->listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(h->listener, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(h->listener, 16), 0);
	assert_int_equal(getsockname(h->listener, (struct sockaddr *)&a, &len), 0);
	h->port = ntohs(a.sin_port);
	assert_int_equal(pthread_create(&h->thread, NULL, serve, h), 0);
	return h;
}

void
tls_hook_stop(struct tls_hook *h)
{
	(void)close(h->wake[1]);
	(void)pthread_join(h->thread, NULL);
	(void)close(h->wake[0]);
	(void)close(h->listener);
	gnutls_certificate_free_credentials(h->credentials);
	free(h);
}

void
tls_hook_answer(struct tls_hook *h, struct str answer)
{
	(void)pthread_mutex_lock(&h->lock);
	h->answer = answer;
	(void)pthread_mutex_unlock(&h->lock);
}

const char *
tls_hook_seen(const struct tls_hook *h)
{
	return h->request;
}

int
tls_hook_port(const struct tls_hook *h)
{
	return h->port;
}

size_t
tls_hook_count(struct tls_hook *h)
{
	return atomic_load(&h->count);
}
