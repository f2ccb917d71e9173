/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opens the listening socket before the HTTP library sees it: only so can a port in use,
 * an unknown host and a forbidden port each be told apart and explained.
 */
#include "server/http_listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 1024
#define UNSENT_MAX (128 * 1024)

enum souk_err
listen_parse(struct str text, char *host, size_t host_size, uint16_t *ret_port, struct fail *f)
{
	const char *colon = text.n ? memrchr(text.p, ':', text.n) : NULL;
	struct str h, port;
	uint64_t number;

	if (!colon)
		return fail_field(
		    f, "listen", "has no port", "give HOST:PORT, like 127.0.0.1:8080");
	h = (struct str){ text.p, (size_t)(colon - text.p) };
	port = (struct str){ colon + 1, text.n - h.n - 1 };
	if (h.n >= 2 && h.p[0] == '[' && h.p[h.n - 1] == ']')
		h = (struct str){ h.p + 1, h.n - 2 };
	else if (h.n && memchr(h.p, ':', h.n))
		return fail_field(f, "listen", "is an IPv6 address without brackets",
		    "give [ADDRESS]:PORT, like [::1]:8080");
	if (!str_to_u64(port, UINT16_MAX, &number))
		return fail_field(f, "listen", "has no usable port", "give a port from 0 to 65535");
	if (h.n == 0 || h.n >= host_size)
		return fail_field(
		    f, "listen", "has no usable host", "give HOST:PORT, like 127.0.0.1:8080");
	memcpy(host, h.p, h.n);
	host[h.n] = '\0';
	*ret_port = (uint16_t)number;
	return SOUK_OK;
}

static struct addrinfo *
resolve(const char *host, uint16_t port)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_PASSIVE | AI_NUMERICSERV };
	struct addrinfo *all = NULL;
	char service[8];

	(void)snprintf(service, sizeof(service), "%u", port);
	return getaddrinfo(host, service, &hints, &all) == 0 ? all : NULL;
}

static bool
address_is_loopback(const struct sockaddr *a)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (a->sa_family == AF_INET) {
		memcpy(&v4, a, sizeof(v4));
		return (ntohl(v4.sin_addr.s_addr) >> 24) == 127;
	}
	if (a->sa_family != AF_INET6)
		return false;
	memcpy(&v6, a, sizeof(v6));
	return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr);
}

bool
listen_is_loopback(const char *host)
{
	struct addrinfo *all = resolve(host, 0);
	bool is = all != NULL;

	for (const struct addrinfo *a = all; a; a = a->ai_next)
		is = is && address_is_loopback(a->ai_addr);
	if (all)
		freeaddrinfo(all);
	return is;
}

static int
bind_one(const struct addrinfo *a)
{
	int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), saved;
	const int one = 1, unsent = UNSENT_MAX;

	if (fd < 0)
		return -1;
	/*
	 * Connections inherit it: the kernel takes no more than this beyond what the peer's window
	 * lets it send. Else megabytes wait in the socket of who reads slowly, nothing is written
	 * for longer than an idle connection lives, and the download is cut.
	 */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof(unsent));
	/* A restart must not wait for connections of the last run to time out. */
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	saved = errno;
	(void)close(fd);
	errno = saved;
	return -1;
}

static enum souk_err
explain(int error, const char *host, uint16_t port, struct fail *f)
{
	if (error == EADDRINUSE)
		return fail_set(f, SOUK_E_CONFLICT, "port_in_use",
		    "listen: port %u on %s is in use; `ss -ltnp 'sport = :%u'` shows by whom, and "
		    "--listen HOST:0 picks a free one",
		    port, host, port);
	if (error == EACCES)
		return fail_set(f, SOUK_E_DENIED, "port_forbidden",
		    "listen: port %u needs privileges; use one from 1024 on, or a proxy in front",
		    port);
	if (error == EADDRNOTAVAIL)
		return fail_set(f, SOUK_E_INVALID, "no_such_address",
		    "listen: %s is not an address of this machine; `ip address` lists them", host);
	return fail_set(
	    f, SOUK_E_UNAVAILABLE, "listen", "listen: %s port %u cannot be opened", host, port);
}

static uint16_t
port_of(int fd)
{
	struct sockaddr_storage a;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	socklen_t n = sizeof(a);

	if (getsockname(fd, (struct sockaddr *)&a, &n) != 0)
		return 0;
	if (a.ss_family == AF_INET6) {
		memcpy(&v6, &a, sizeof(v6));
		return ntohs(v6.sin6_port);
	}
	memcpy(&v4, &a, sizeof(v4));
	return ntohs(v4.sin_port);
}

enum souk_err
listen_open(const char *host, uint16_t port, int *ret_fd, uint16_t *ret_port, struct fail *f)
{
	struct addrinfo *all = resolve(host, port);
	int fd = -1, error = 0;

	if (!all)
		return fail_set(f, SOUK_E_INVALID, "no_such_address",
		    "listen: the host is not known; use an address like 127.0.0.1");
	for (const struct addrinfo *a = all; a && fd < 0; a = a->ai_next) {
		fd = bind_one(a);
		error = fd < 0 ? errno : 0;
	}
	freeaddrinfo(all);
	if (fd < 0)
		return explain(error, host, port, f);
	*ret_fd = fd;
	*ret_port = port_of(fd);
	return SOUK_OK;
}
