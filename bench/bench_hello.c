/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The peer that requests are measured against: libmicrohttpd's hello world on epoll threads.
 *
 *     bench_hello [THREADS [PORT]]      prints the port, serves until it is killed
 *
 * The answer is as long as the one that souk gives to GET /api/v1/whoami.
 */
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char hello[] =
    "{\"hello\":\"world\",\"padding\":\"................................................"
    "................................................................................"
    "................................................................................\"}";

static enum MHD_Result
answer(void *cls, struct MHD_Connection *c, const char *url, const char *method,
    const char *version, const char *data, size_t *n, void **ctx)
{
	static int seen;
	struct MHD_Response *r;
	enum MHD_Result done;

	(void)cls;
	(void)url;
	(void)method;
	(void)version;
	(void)data;
	/* The first call has the headers only; answering it, or a body, would close the connection. */
	if (!*ctx) {
		*ctx = &seen;
		return MHD_YES;
	}
	if (*n > 0) {
		*n = 0;
		return MHD_YES;
	}
	r = MHD_create_response_from_buffer(sizeof(hello) - 1, hello, MHD_RESPMEM_PERSISTENT);
	(void)MHD_add_response_header(r, "Content-Type", "application/json");
	done = MHD_queue_response(c, MHD_HTTP_OK, r);
	MHD_destroy_response(r);
	return done;
}

int
main(int argc, char **argv)
{
	unsigned threads = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 2;
	unsigned port = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;
	struct MHD_Daemon *d = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, (uint16_t)port, NULL,
	    NULL, answer, NULL, MHD_OPTION_THREAD_POOL_SIZE, threads > 1 ? threads : 0u,
	    MHD_OPTION_CONNECTION_LIMIT, 4096u, MHD_OPTION_CONNECTION_TIMEOUT, 30u, MHD_OPTION_END);
	const union MHD_DaemonInfo *info;

	if (!d || !(info = MHD_get_daemon_info(d, MHD_DAEMON_INFO_BIND_PORT))) {
		(void)fprintf(stderr, "bench_hello: cannot listen\n");
		return 3;
	}
	(void)printf("%u\n", info->port);
	(void)fflush(stdout);
	for (;;)
		(void)pause();
}
