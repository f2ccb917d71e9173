/* SPDX-License-Identifier: Apache-2.0 */
/* Address classes: every block at both its ends, and one address beyond. */
#include "delivery/address.h"

#include "check.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static const struct {
	const char *text;
	enum address_kind kind;
} cases[] = {
	{ "0.0.0.0", ADDRESS_USELESS },
	{ "0.255.255.255", ADDRESS_USELESS },
	{ "1.0.0.0", ADDRESS_PUBLIC },
	{ "9.255.255.255", ADDRESS_PUBLIC },
	{ "10.0.0.0", ADDRESS_PRIVATE },
	{ "10.255.255.255", ADDRESS_PRIVATE },
	{ "11.0.0.0", ADDRESS_PUBLIC },
	{ "100.63.255.255", ADDRESS_PUBLIC },
	{ "100.64.0.0", ADDRESS_PRIVATE },
	{ "100.127.255.255", ADDRESS_PRIVATE },
	{ "100.128.0.0", ADDRESS_PUBLIC },
	{ "126.255.255.255", ADDRESS_PUBLIC },
	{ "127.0.0.1", ADDRESS_LOOPBACK },
	{ "127.255.255.255", ADDRESS_LOOPBACK },
	{ "128.0.0.0", ADDRESS_PUBLIC },
	{ "169.253.255.255", ADDRESS_PUBLIC },
	{ "169.254.169.254", ADDRESS_PRIVATE },
	{ "169.255.0.0", ADDRESS_PUBLIC },
	{ "172.15.255.255", ADDRESS_PUBLIC },
	{ "172.16.0.0", ADDRESS_PRIVATE },
	{ "172.31.255.255", ADDRESS_PRIVATE },
	{ "172.32.0.0", ADDRESS_PUBLIC },
	{ "192.0.0.8", ADDRESS_PRIVATE },
	{ "192.0.1.0", ADDRESS_PUBLIC },
	{ "192.0.2.1", ADDRESS_USELESS },
	{ "192.88.99.1", ADDRESS_USELESS },
	{ "192.167.255.255", ADDRESS_PUBLIC },
	{ "192.168.0.0", ADDRESS_PRIVATE },
	{ "192.169.0.0", ADDRESS_PUBLIC },
	{ "198.17.255.255", ADDRESS_PUBLIC },
	{ "198.18.0.0", ADDRESS_PRIVATE },
	{ "198.19.255.255", ADDRESS_PRIVATE },
	{ "198.20.0.0", ADDRESS_PUBLIC },
	{ "198.51.100.7", ADDRESS_USELESS },
	{ "203.0.113.9", ADDRESS_USELESS },
	{ "203.0.114.0", ADDRESS_PUBLIC },
	{ "223.255.255.255", ADDRESS_PUBLIC },
	{ "224.0.0.1", ADDRESS_USELESS },
	{ "239.255.255.255", ADDRESS_USELESS },
	{ "240.0.0.0", ADDRESS_USELESS },
	{ "255.255.255.255", ADDRESS_USELESS },
	{ "::", ADDRESS_USELESS },
	{ "::1", ADDRESS_LOOPBACK },
	{ "::2", ADDRESS_USELESS },
	{ "::10.0.0.1", ADDRESS_PRIVATE },
	{ "::127.0.0.1", ADDRESS_LOOPBACK },
	{ "::ffff:127.0.0.1", ADDRESS_LOOPBACK },
	{ "::ffff:10.1.2.3", ADDRESS_PRIVATE },
	{ "::ffff:169.254.169.254", ADDRESS_PRIVATE },
	{ "::ffff:224.0.0.1", ADDRESS_USELESS },
	{ "::ffff:8.8.8.8", ADDRESS_PUBLIC },
	{ "::ffff:0:10.0.0.1", ADDRESS_PRIVATE },
	{ "64:ff9b::10.0.0.1", ADDRESS_PRIVATE },
	{ "64:ff9b::127.0.0.1", ADDRESS_LOOPBACK },
	{ "64:ff9b::8.8.8.8", ADDRESS_PUBLIC },
	{ "64:ff9b:1::8.8.8.8", ADDRESS_PRIVATE },
	{ "64:ff9b:2::8.8.8.8", ADDRESS_USELESS },
	{ "100::1", ADDRESS_USELESS },
	{ "2002:7f00:1::", ADDRESS_LOOPBACK },
	{ "2002:a00:1::1", ADDRESS_PRIVATE },
	{ "2002:c0a8:101::1", ADDRESS_PRIVATE },
	{ "2002:808:808::1", ADDRESS_PUBLIC },
	{ "2001::1", ADDRESS_PRIVATE },
	{ "2001:2::1", ADDRESS_PRIVATE },
	{ "2001:db8::1", ADDRESS_USELESS },
	{ "2001:db8:ffff::1", ADDRESS_USELESS },
	{ "2001:db9::1", ADDRESS_PUBLIC },
	{ "2001:4860:4860::8888", ADDRESS_PUBLIC },
	{ "2606:4700::1", ADDRESS_PUBLIC },
	{ "3ffe::1", ADDRESS_PUBLIC },
	{ "3fff::1", ADDRESS_USELESS },
	{ "3fff:fff::1", ADDRESS_USELESS },
	{ "3fff:1000::1", ADDRESS_PUBLIC },
	{ "4000::1", ADDRESS_USELESS },
	{ "fbff::1", ADDRESS_USELESS },
	{ "fc00::1", ADDRESS_PRIVATE },
	{ "fdff:ffff::1", ADDRESS_PRIVATE },
	{ "fe80::1", ADDRESS_PRIVATE },
	{ "febf::1", ADDRESS_PRIVATE },
	{ "fec0::1", ADDRESS_PRIVATE },
	{ "feff::1", ADDRESS_PRIVATE },
	{ "ff02::1", ADDRESS_USELESS },
};

static enum address_kind
by_socket(const char *text)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
		return address_kind((struct sockaddr *)&v4);
	assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
	return address_kind((struct sockaddr *)&v6);
}

static void
test_classes(void **state)
{
	enum address_kind kind;
	char bracketed[80];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		if (by_socket(cases[i].text) != cases[i].kind)
			fail_msg("%s: %d", cases[i].text, (int)by_socket(cases[i].text));
		assert_true(address_kind_literal(str_c(cases[i].text), &kind));
		assert_int_equal(kind, cases[i].kind);
		(void)snprintf(bracketed, sizeof(bracketed), "[%s]", cases[i].text);
		assert_true(address_kind_literal(str_c(bracketed), &kind));
		assert_int_equal(kind, cases[i].kind);
	}
}

static void
test_other_families_are_refused(void **state)
{
	struct sockaddr a = { .sa_family = AF_UNIX };

	(void)state;
	assert_int_equal(address_kind(&a), ADDRESS_USELESS);
}

static void
test_names_are_no_literals(void **state)
{
	static const char *const names[] = { "", "localhost", "a.example", "10.0.0", "1.2.3.4.5",
		"[::1", "::g", "[]", "256.1.1.1",
		"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc:dddd:eeee" };
	enum address_kind kind = ADDRESS_PUBLIC;

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++)
		if (address_kind_literal(str_c(names[i]), &kind))
			fail_msg("taken for an address: %s", names[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_classes),
		cmocka_unit_test(test_other_families_are_refused),
		cmocka_unit_test(test_names_are_no_literals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
