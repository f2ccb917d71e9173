/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes that say they are an image: the facts agree with each other, and what is decoded is within the limits. */
#include "proserv/logo.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static bool started;
	struct logo_facts l, again;

	if (!started) {
		enum souk_err r = logo_start(NULL);

		assert(r == SOUK_OK);
		started = true;
	}
	logo_inspect((struct str){ (const char *)data, n }, &l);
	assert(l.bytes == n && (l.format != LOGO_OTHER || l.trouble));
	assert(!l.damaged || l.trouble);
	if (!l.trouble) {
		assert(l.width >= LOGO_EDGE_MIN && l.width <= LOGO_EDGE_MAX);
		assert(l.height >= LOGO_EDGE_MIN && l.height <= LOGO_EDGE_MAX);
		assert(l.ground != GROUND_UNKNOWN);
		logo_inspect((struct str){ (const char *)data, n }, &again);
		assert(!again.trouble && logo_distance(&l.hash, &again.hash) == 0);
	}
	return 0;
}
