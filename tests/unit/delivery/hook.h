/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tiny endpoint on a loopback port: answers each POST as scripted and keeps what came.
 * The script's last step repeats.
 */
#ifndef SOUK_TESTS_DELIVERY_HOOK_H
#define SOUK_TESTS_DELIVERY_HOOK_H

#include "base/str.h"

#define HOOK_HANG (-1)     /* takes the request, never answers */
#define HOOK_CLOSE (-2)    /* closes without an answer */
#define HOOK_HUGE (-3)     /* 200, and a body that does not end */
#define HOOK_REDIRECT (-4) /* 302 to itself, under /elsewhere */
#define HOOK_SEEN_MAX 64

struct hook_seen {
	char head[4096];
	char *body;
};

struct hook;
struct hook *hook_start(const int *script, size_t n);
void hook_stop(struct hook *h);
int hook_port(const struct hook *h);
/* "http://127.0.0.1:PORT/hook" */
const char *hook_url(const struct hook *h);
/* Requests so far; those below the count do not change any more. */
size_t hook_count(struct hook *h);
const struct hook_seen *hook_seen(struct hook *h, size_t i);
/* Value of a header of a request, in a static buffer; NULL when absent. */
const char *hook_header(const struct hook_seen *s, const char *name);

#endif
