/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct pair {
	struct proxy *p;
	int client, server;
};

static bool
send_all(int fd, const char *b, size_t n)
{
	while (n > 0) {
		ssize_t sent = send(fd, b, n, MSG_NOSIGNAL);

		if (sent <= 0)
			return false;
		b += sent;
		n -= (size_t)sent;
	}
	return true;
}

/* Bind of the prepared statement "commit" to the portal "" (protocol: 'B', length, portal, statement). */
static bool
has_commit(const char *b, size_t n)
{
	return memmem(b, n, "\0commit\0", 8) != NULL;
}

static bool
take_cut(struct proxy *p, int mode)
{
	if (!atomic_compare_exchange_strong(&p->mode, &mode, PROXY_PASS))
		return false;
	atomic_fetch_add(&p->cut, 1);
	return true;
}

/* False: it was cut. */
static bool
from_client(struct pair *x, const char *b, size_t n)
{
	struct pollfd answer = { .fd = x->server, .events = POLLIN };

	if (has_commit(b, n)) {
		int stall = PROXY_STALL_AT_COMMIT;

		if (take_cut(x->p, PROXY_CUT_BEFORE_COMMIT))
			return false;
		if (atomic_compare_exchange_strong(&x->p->mode, &stall, PROXY_STALL))
			return true;
		if (take_cut(x->p, PROXY_CUT_AFTER_COMMIT)) {
			(void)send_all(x->server, b, n);
			(void)poll(&answer, 1, 10000); /* the server has done it */
			clock_sleep_ms(100);
			return false;
		}
	}
	return send_all(x->server, b, n);
}

static void *
pair_main(void *arg)
{
	struct pair *x = arg;
	struct pollfd f[2] = { { .fd = x->client, .events = POLLIN },
		{ .fd = x->server, .events = POLLIN } };
	char b[65536];
	bool open = true;

	while (open && !atomic_load(&x->p->stop)) {
		if (atomic_load(&x->p->mode) == PROXY_STALL) {
			clock_sleep_ms(10);
			continue;
		}
		if (poll(f, 2, 10) <= 0)
			continue;
		for (int i = 0; i < 2 && open; i++) {
			ssize_t n = f[i].revents ? recv(f[i].fd, b, sizeof(b), 0) : -2;

			if (n >= -1)
				open = n > 0 && (i == 0 ? from_client(x, b, (size_t)n)
							: send_all(x->client, b, (size_t)n));
		}
	}
	(void)close(x->client);
	(void)close(x->server);
	atomic_fetch_sub(&x->p->at_work, 1);
	free(x);
	return NULL;
}

static int
to_server(const struct proxy *p)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%.100s", p->socket);
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) != 0)
		abort();
	return fd;
}

static void *
listener_main(void *arg)
{
	struct proxy *p = arg;
	struct pollfd f = { .fd = p->listener, .events = POLLIN };

	while (!atomic_load(&p->stop)) {
		struct pair *x;
		pthread_t t;

		if (poll(&f, 1, 10) <= 0 || !(x = calloc(1, sizeof(*x))))
			continue;
		x->p = p;
		x->client = accept(p->listener, NULL, NULL);
		x->server = to_server(p);
		atomic_fetch_add(&p->at_work, 1);
		if (x->client < 0 || pthread_create(&t, NULL, pair_main, x) != 0)
			abort();
		(void)pthread_detach(t);
	}
	atomic_fetch_sub(&p->at_work, 1);
	return NULL;
}

void
proxy_start(struct proxy *p, const char *dir, const char *server_port)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t n = sizeof(a);
	pthread_t t;

	*p = (struct proxy){ .at_work = 1 };
	(void)snprintf(p->socket, sizeof(p->socket), "%s/.s.PGSQL.%s", dir, server_port);
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	p->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (p->listener < 0 || bind(p->listener, (struct sockaddr *)&a, sizeof(a)) != 0 ||
	    listen(p->listener, 64) != 0 ||
	    getsockname(p->listener, (struct sockaddr *)&a, &n) != 0 ||
	    pthread_create(&t, NULL, listener_main, p) != 0)
		abort();
	p->port = ntohs(a.sin_port);
	(void)pthread_detach(t);
}

void
proxy_stop(struct proxy *p)
{
	atomic_store(&p->stop, true);
	while (atomic_load(&p->at_work) > 0)
		clock_sleep_ms(5);
	(void)close(p->listener);
}
