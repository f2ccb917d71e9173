/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Address classes, from the special-purpose registries (RFC 6890 and its successors).
 * IPv6 is closed by default: what lies outside 2000::/3 and carries no IPv4 address is
 * not public.
 */
#include "delivery/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

struct block4 {
	uint32_t base;
	int bits;
	enum address_kind kind;
};

static const struct block4 blocks4[] = {
	{ 0x00000000, 8, ADDRESS_USELESS },  /* 0.0.0.0/8 this network */
	{ 0x0a000000, 8, ADDRESS_PRIVATE },  /* 10.0.0.0/8 */
	{ 0x64400000, 10, ADDRESS_PRIVATE }, /* 100.64.0.0/10 shared, carrier NAT */
	{ 0x7f000000, 8, ADDRESS_LOOPBACK }, /* 127.0.0.0/8 */
	{ 0xa9fe0000, 16, ADDRESS_PRIVATE }, /* 169.254.0.0/16 link-local, cloud metadata */
	{ 0xac100000, 12, ADDRESS_PRIVATE }, /* 172.16.0.0/12 */
	{ 0xc0000000, 24, ADDRESS_PRIVATE }, /* 192.0.0.0/24 protocol assignments */
	{ 0xc0000200, 24, ADDRESS_USELESS }, /* 192.0.2.0/24 documentation */
	{ 0xc0586300, 24, ADDRESS_USELESS }, /* 192.88.99.0/24 6to4 relay */
	{ 0xc0a80000, 16, ADDRESS_PRIVATE }, /* 192.168.0.0/16 */
	{ 0xc6120000, 15, ADDRESS_PRIVATE }, /* 198.18.0.0/15 benchmarks */
	{ 0xc6336400, 24, ADDRESS_USELESS }, /* 198.51.100.0/24 documentation */
	{ 0xcb007100, 24, ADDRESS_USELESS }, /* 203.0.113.0/24 documentation */
	{ 0xe0000000, 4, ADDRESS_USELESS },  /* 224.0.0.0/4 multicast */
	{ 0xf0000000, 4, ADDRESS_USELESS },  /* 240.0.0.0/4 reserved, broadcast */
};

static enum address_kind
kind4(uint32_t a)
{
	for (size_t i = 0; i < sizeof(blocks4) / sizeof(blocks4[0]); i++)
		if ((a ^ blocks4[i].base) >> (32 - blocks4[i].bits) == 0)
			return blocks4[i].kind;
	return ADDRESS_PUBLIC;
}

struct block6 {
	uint8_t base[16];
	int bits;
	int inner; /* offset of the IPv4 address inside, -1: none */
	enum address_kind kind;
};

/* The first that matches decides. */
static const struct block6 blocks6[] = {
	{ { [15] = 1 }, 128, -1, ADDRESS_LOOPBACK }, /* ::1 */
	{ { 0 }, 128, -1, ADDRESS_USELESS },         /* :: */
	{ { [10] = 0xff, [11] = 0xff }, 96, 12, 0 }, /* ::ffff:0:0/96 mapped */
	{ { [8] = 0xff, [9] = 0xff }, 96, 12, 0 },   /* ::ffff:0:0:0/96 translated */
	{ { 0 }, 96, 12, 0 },                        /* ::/96 compatible */
	{ { 0x00, 0x64, 0xff, 0x9b }, 96, 12, 0 },   /* 64:ff9b::/96 NAT64 */
	{ { 0x00, 0x64, 0xff, 0x9b, 0, 1 }, 48, -1,
	    ADDRESS_PRIVATE },                                   /* 64:ff9b:1::/48 local NAT64 */
	{ { 0x20, 0x02 }, 16, 2, 0 },                            /* 2002::/16 6to4 */
	{ { 0x20, 0x01, 0x00, 0x00 }, 32, -1, ADDRESS_PRIVATE }, /* 2001::/32 Teredo */
	{ { 0x20, 0x01, 0x0d, 0xb8 }, 32, -1, ADDRESS_USELESS }, /* 2001:db8::/32 documentation */
	{ { 0x20, 0x01 }, 23, -1, ADDRESS_PRIVATE }, /* 2001::/23 protocol assignments */
	{ { 0x3f, 0xff }, 20, -1, ADDRESS_USELESS }, /* 3fff::/20 documentation */
	{ { 0x20 }, 3, -1, ADDRESS_PUBLIC },         /* 2000::/3 global unicast */
	{ { 0xfc }, 7, -1, ADDRESS_PRIVATE },        /* fc00::/7 unique local */
	{ { 0xfe, 0x80 }, 10, -1, ADDRESS_PRIVATE }, /* fe80::/10 link-local */
	{ { 0xfe, 0xc0 }, 10, -1, ADDRESS_PRIVATE }, /* fec0::/10 site-local */
};

static bool
matches6(const struct block6 *b, const uint8_t a[16])
{
	int whole = b->bits / 8, rest = b->bits % 8;

	if (memcmp(a, b->base, (size_t)whole) != 0)
		return false;
	return rest == 0 || (a[whole] ^ b->base[whole]) >> (8 - rest) == 0;
}

static enum address_kind
kind6(const uint8_t a[16])
{
	const struct block6 *b = blocks6;
	uint32_t inner;

	for (size_t i = 0; i < sizeof(blocks6) / sizeof(blocks6[0]); i++, b++) {
		if (!matches6(b, a))
			continue;
		if (b->inner < 0)
			return b->kind;
		memcpy(&inner, a + b->inner, sizeof(inner));
		return kind4(ntohl(inner));
	}
	return ADDRESS_USELESS;
}

enum address_kind
address_kind(const struct sockaddr *a)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (a->sa_family == AF_INET) {
		memcpy(&v4, a, sizeof(v4));
		return kind4(ntohl(v4.sin_addr.s_addr));
	}
	if (a->sa_family == AF_INET6) {
		memcpy(&v6, a, sizeof(v6));
		return kind6(v6.sin6_addr.s6_addr);
	}
	return ADDRESS_USELESS;
}

bool
address_kind_literal(struct str host, enum address_kind *ret)
{
	char text[INET6_ADDRSTRLEN];
	struct in_addr v4;
	struct in6_addr v6;

	if (host.n >= 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
		host = (struct str){ .p = host.p + 1, .n = host.n - 2 };
	if (host.n == 0 || host.n >= sizeof(text))
		return false;
	memcpy(text, host.p, host.n);
	text[host.n] = '\0';
	if (inet_pton(AF_INET, text, &v4) == 1)
		*ret = kind4(ntohl(v4.s_addr));
	else if (inet_pton(AF_INET6, text, &v6) == 1)
		*ret = kind6(v6.s6_addr);
	else
		return false;
	return true;
}
