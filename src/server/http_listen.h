/* SPDX-License-Identifier: Apache-2.0 */
/* The listening socket, and words for why there is none. */
#ifndef SOUK_SERVER_HTTP_LISTEN_H
#define SOUK_SERVER_HTTP_LISTEN_H

#include "base/error.h"
#include "base/str.h"

/* "HOST:PORT", "[IPv6]:PORT": host without brackets into `host`. Names the setting `listen` when it is neither. */
SOUK_MUST enum souk_err listen_parse(
    struct str text, char *host, size_t host_size, uint16_t *ret_port, struct fail *f);
/* Does the host mean this machine only? A name counts as what it resolves to, all of it. */
bool listen_is_loopback(const char *host);
/* A bound, listening, non-blocking socket and its port. The caller closes it. */
SOUK_MUST enum souk_err listen_open(
    const char *host, uint16_t port, int *ret_fd, uint16_t *ret_port, struct fail *f);

#endif
