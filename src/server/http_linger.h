/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Closing a connection whose request was not read to its end (RFC 9112 9.6).
 *
 * Closing a socket that still receives resets the connection, and the reset can overtake
 * the answer (413, 401) on its way to the client. So the sending side is shut first and
 * what comes in is thrown away for a short while.
 */
#ifndef SOUK_SERVER_HTTP_LINGER_H
#define SOUK_SERVER_HTTP_LINGER_H

#include "base/error.h"

struct http_linger;

SOUK_MUST enum souk_err http_linger_start(struct http_linger **ret);
/* Takes over `fd`, whose sending side is shut already; closes it soon. */
void http_linger_add(struct http_linger *l, int fd);
void http_linger_stop(struct http_linger *l); /* closes what is left; accepts NULL */

#endif
