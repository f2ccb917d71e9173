/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What kind of network address is it? A server that posts to addresses its tenants name is
 * a way into the network it stands in, so everything that is not plainly public is
 * refused unless the operator allows it (sigv4-and-s3 4.3).
 */
#ifndef SOUK_DELIVERY_ADDRESS_H
#define SOUK_DELIVERY_ADDRESS_H

#include "base/str.h"

#include <sys/socket.h>

enum address_kind {
	ADDRESS_PUBLIC,
	ADDRESS_LOOPBACK,
	ADDRESS_PRIVATE, /* private, shared (CGNAT), link-local, unique local */
	ADDRESS_USELESS  /* unspecified, multicast, reserved, documentation: refused always */
};

/*
 * Of the address itself and, for forms of IPv6 that carry an IPv4 address (mapped,
 * compatible, NAT64, 6to4), of the one inside.
 */
enum address_kind address_kind(const struct sockaddr *a);
/* Of a literal host ("10.0.0.1", "[::1]", "::1"); false when it is a name. */
SOUK_MUST bool address_kind_literal(struct str host, enum address_kind *ret);

#endif
