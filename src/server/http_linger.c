/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One thread that polls the few sockets that linger. Bounded in number, time and bytes:
 * past a bound the socket is just closed, and the client may miss the words.
 */
#include "server/http_linger.h"

#include "base/clock.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINGER_SOCKETS 64
#define LINGER_MS 2000
#define LINGER_BYTES ((size_t)64 * 1024 * 1024)

struct lingering {
	int fd;
	size_t bytes;
	uint64_t until_ns;
};

struct http_linger {
	pthread_t thread;
	pthread_mutex_t lock;
	int wake; /* eventfd */
	bool stop;
	size_t n;
	struct lingering sockets[LINGER_SOCKETS];
};

/* Reads what is there. False when the socket is done with. */
static bool
drain(struct lingering *s)
{
	char scrap[65536];
	ssize_t n;

	while ((n = recv(s->fd, scrap, sizeof(scrap), MSG_DONTWAIT)) > 0) {
		s->bytes += (size_t)n;
		if (s->bytes > LINGER_BYTES)
			return false;
	}
	return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
}

static void
sweep(struct http_linger *l)
{
	uint64_t now = clock_mono_ns();

	for (size_t i = 0; i < l->n;) {
		struct lingering *s = &l->sockets[i];

		if (!l->stop && now < s->until_ns && drain(s)) {
			i++;
			continue;
		}
		(void)close(s->fd);
		*s = l->sockets[--l->n];
	}
}

static void *
run(void *arg)
{
	struct http_linger *l = arg;
	struct pollfd p[LINGER_SOCKETS + 1];
	uint64_t woken;

	(void)pthread_mutex_lock(&l->lock);
	while (!l->stop) {
		size_t n = l->n;

		p[0] = (struct pollfd){ .fd = l->wake, .events = POLLIN };
		for (size_t i = 0; i < n; i++)
			p[i + 1] = (struct pollfd){ .fd = l->sockets[i].fd, .events = POLLIN };
		(void)pthread_mutex_unlock(&l->lock);
		(void)poll(p, (nfds_t)n + 1, n > 0 ? LINGER_MS / 4 : -1);
		(void)!read(l->wake, &woken, sizeof(woken));
		(void)pthread_mutex_lock(&l->lock);
		sweep(l);
	}
	sweep(l);
	(void)pthread_mutex_unlock(&l->lock);
	return NULL;
}

static void
wake(struct http_linger *l)
{
	const uint64_t one = 1;

	(void)!write(l->wake, &one, sizeof(one));
}

enum souk_err
http_linger_start(struct http_linger **ret)
{
	struct http_linger *l = calloc(1, sizeof(*l));

	if (!l)
		return SOUK_E_NOMEM;
	(void)pthread_mutex_init(&l->lock, NULL);
	l->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (l->wake < 0 || pthread_create(&l->thread, NULL, run, l) != 0) {
		if (l->wake >= 0)
			(void)close(l->wake);
		free(l);
		return SOUK_E_NOMEM;
	}
	*ret = l;
	return SOUK_OK;
}

void
http_linger_add(struct http_linger *l, int fd)
{
	bool taken;

	(void)pthread_mutex_lock(&l->lock);
	taken = l->n < LINGER_SOCKETS && !l->stop;
	if (taken)
		l->sockets[l->n++] = (struct lingering){ .fd = fd,
			.until_ns = clock_mono_ns() + LINGER_MS * UINT64_C(1000000) };
	(void)pthread_mutex_unlock(&l->lock);
	if (taken)
		wake(l);
	else
		(void)close(fd);
}

void
http_linger_stop(struct http_linger *l)
{
	if (!l)
		return;
	(void)pthread_mutex_lock(&l->lock);
	l->stop = true;
	(void)pthread_mutex_unlock(&l->lock);
	wake(l);
	(void)pthread_join(l->thread, NULL);
	(void)close(l->wake);
	(void)pthread_mutex_destroy(&l->lock);
	free(l);
}
