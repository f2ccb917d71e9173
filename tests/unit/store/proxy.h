/* SPDX-License-Identifier: Apache-2.0 */
/* A TCP proxy in front of the server that misbehaves at the right byte. Clear text only. */
#ifndef SOUK_TESTS_STORE_PROXY_H
#define SOUK_TESTS_STORE_PROXY_H

#include <stdatomic.h>
#include <stdbool.h>

enum proxy_mode {
	PROXY_PASS,
	PROXY_STALL,             /* nothing goes through any more; connections stay */
	PROXY_CUT_BEFORE_COMMIT, /* once: the next COMMIT does not get to the server */
	PROXY_CUT_AFTER_COMMIT,  /* once: it does, its answer does not get back */
	PROXY_STALL_AT_COMMIT /* from the next COMMIT on, which does not get through, nothing does */
};

struct proxy {
	int listener, port;
	char socket[256]; /* the server's, a path */
	_Atomic int mode;
	_Atomic bool stop;
	_Atomic unsigned at_work;
	_Atomic unsigned cut; /* times that it cut */
};

/* `dir` and `server_port` name the server's socket. Fails the test when it cannot. */
void proxy_start(struct proxy *p, const char *dir, const char *server_port);
void proxy_stop(struct proxy *p);

#endif
