/* SPDX-License-Identifier: Apache-2.0 */
/* Policies: a document allows no more than itself, and a part of everything is within everything. */
#include "access/policy.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct str all =
	    STR("{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"*\","
		"\"Resource\":\"*\"}]}");
	static const struct str asked[][2] = {
		{ STR("s3:GetObject"), STR("arn:aws:s3:::bucket/key") },
		{ STR("psc:ReadContacts"), STR("*") },
		{ STR(""), STR("") },
	};
	struct fail f = { .err = SOUK_OK };
	struct policy *p = NULL, *everything = NULL;
	enum souk_err r;

	if (policy_parse((struct str){ (const char *)data, n }, &p, &f) != SOUK_OK) {
		assert(!p && f.err != SOUK_OK);
		return 0;
	}
	r = policy_parse(all, &everything, NULL);
	assert(r == SOUK_OK);
	assert(policy_within(p, everything) && policy_within(p, NULL));
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++)
		if (policy_decide(p, asked[i][0], asked[i][1]) == POLICY_ALLOW)
			assert(policy_decide(everything, asked[i][0], asked[i][1]) == POLICY_ALLOW);
	policy_free(p);
	policy_free(everything);
	return 0;
}
