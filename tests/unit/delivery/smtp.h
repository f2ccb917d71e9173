/* SPDX-License-Identifier: Apache-2.0 */
/* tests/services/smtp, which ends with its standard input. */
#ifndef SOUK_TESTS_DELIVERY_SMTP_H
#define SOUK_TESTS_DELIVERY_SMTP_H

#include "check.h"

#include <sys/types.h>

struct server {
	pid_t pid;
	int in;
	char dir[64], url[64], cert[96];
};

void server_start(struct server *s, const char *scheme, const char *option);
/* How many mails it has taken over so far. */
size_t server_mails(const struct server *s);
/* The same, at its end. */
size_t server_stop(struct server *s);

#endif
