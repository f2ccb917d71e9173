/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A key ring's text. Besides memory errors: what is refused leaves no key behind, and what is
 * accepted reads the same once written anew.
 */
#include "vault/ring.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static bool
is_wiped(const struct ring_keys *k)
{
	const uint8_t *p = (const uint8_t *)k;
	uint8_t any = 0;

	for (size_t i = 0; i < sizeof(*k); i++)
		any |= p[i];
	return any == 0;
}

static void
check_written(const struct ring_keys *k, struct ring_keys *again)
{
	struct secret text = { 0 };
	size_t n = 0;
	enum souk_err r = ring_format(k, &text, &n);

	assert(r == SOUK_OK);
	assert(!ring_parse((struct str){ (const char *)text.p, n }, again));
	assert(again->n == k->n && again->current == k->current && ring_keys_akin(k, again));
	secret_done(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct ring_keys *k, *again;

	if (!k)
		k = ring_keys_new();
	if (!again)
		again = ring_keys_new();
	assert(k && again);
	if (ring_parse((struct str){ (const char *)data, n }, k))
		assert(is_wiped(k));
	else
		check_written(k, again);
	return 0;
}
