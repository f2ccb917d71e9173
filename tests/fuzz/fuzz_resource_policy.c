/* SPDX-License-Identifier: Apache-2.0 */
/* Resource policies: whatever is taken names accounts, each once, and lets each of them do something. */
#include "proserv/resource_policy.h"

#include "base/utf8.h"
#include "market/account.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct str arn =
	    STR("arn:aws:aws-marketplace:us-east-1:123456789012:AWSMarketplace/Offer/offer-1");
	struct arena *mem = arena_new((size_t)1 << 20);
	struct fail f = { .err = SOUK_OK };
	struct resource_policy p = { .n = 0 };

	assert(mem);
	/* Texts in the program are UTF-8: a JSON body of other bytes is refused before. */
	if (!utf8_valid((struct str){ (const char *)data, n }) ||
	    resource_policy_read((struct str){ (const char *)data, n }, arn, mem, &p, &f) !=
		SOUK_OK) {
		assert(p.n == 0);
		arena_free(mem);
		return 0;
	}
	assert(p.n > 0 && f.err == SOUK_OK);
	for (size_t i = 0; i < p.n; i++) {
		assert(account_id_valid(str_c(p.v[i].account)));
		assert(p.v[i].may[SHARED_DESCRIBE] || p.v[i].may[SHARED_LIST]);
		for (size_t k = 0; k < i; k++)
			assert(strcmp(p.v[k].account, p.v[i].account) != 0);
	}
	arena_free(mem);
	return 0;
}
