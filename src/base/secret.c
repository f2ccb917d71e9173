/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory for secrets over libsodium, and the process settings that keep secrets
 * and personal data out of core dumps and away from debuggers.
 */
#include "base/secret.h"

#include <sodium.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

enum souk_err
secret_init(struct secret *s, size_t n)
{
	unsigned char *p;

	if (sodium_init() < 0)
		return SOUK_E_INTERNAL;
	if (!(p = sodium_malloc(n)))
		return SOUK_E_NOMEM;
	memset(p, 0, n);
	*s = (struct secret){ .p = p, .n = n };
	return SOUK_OK;
}

void
secret_done(struct secret *s)
{
	sodium_free(s->p);
	*s = (struct secret){ .p = NULL, .n = 0 };
}

void
wipe(void *p, size_t n)
{
	sodium_memzero(p, n);
}

enum souk_err
secret_process_init(void)
{
	const struct rlimit none = { .rlim_cur = 0, .rlim_max = 0 };

	if (sodium_init() < 0 || setrlimit(RLIMIT_CORE, &none) != 0)
		return SOUK_E_INTERNAL;
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	/* LeakSanitizer looks at its own process with ptrace, which this forbids. */
	if (prctl(PR_SET_DUMPABLE, 0) != 0)
		return SOUK_E_INTERNAL;
#endif
	return SOUK_OK;
}
