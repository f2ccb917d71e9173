/* SPDX-License-Identifier: Apache-2.0 */
/* Locked memory, wiping, and a process that leaves no core dump. */
#include "base/secret.h"

#include "check.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

static void
test_zeroed_and_forgotten(void **state)
{
	struct secret s = { 0 };

	(void)state;
	assert_int_equal(secret_init(&s, 33), SOUK_OK);
	assert_int_equal(s.n, 33);
	for (size_t i = 0; i < s.n; i++)
		assert_int_equal(s.p[i], 0);
	memset(s.p, 0xff, s.n);
	secret_done(&s);
	assert_null(s.p);
	assert_int_equal(s.n, 0);
	secret_done(&s);
}

static void
test_too_large_leaves_it_untouched(void **state)
{
	struct secret s = { .p = NULL, .n = 7 };

	(void)state;
	assert_int_equal(secret_init(&s, SIZE_MAX - 10), SOUK_E_NOMEM);
	assert_int_equal(s.n, 7);
}

static void
test_wipe(void **state)
{
	unsigned char p[5] = { 1, 2, 3, 4, 5 };

	(void)state;
	wipe(p + 1, 3);
	assert_memory_equal(p, ((unsigned char[]){ 1, 0, 0, 0, 5 }), 5);
	wipe(p, 0);
}

/* A byte behind the end must kill the process, not read on. */
static void
test_guarded(void **state)
{
	struct secret s = { 0 };
	int status = 0;
	pid_t child;

	(void)state;
	assert_int_equal(secret_init(&s, 16), SOUK_OK);
	assert_true((child = fork()) >= 0);
	if (child == 0) {
		(void)signal(SIGSEGV, SIG_DFL);
		_exit(((volatile unsigned char *)s.p)[16]);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	secret_done(&s);
}

static void
test_process(void **state)
{
	struct rlimit core;

	(void)state;
	assert_int_equal(secret_process_init(), SOUK_OK);
	assert_int_equal(secret_process_init(), SOUK_OK);
	assert_int_equal(getrlimit(RLIMIT_CORE, &core), 0);
	assert_true(core.rlim_cur == 0 && core.rlim_max == 0);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	assert_int_equal(prctl(PR_GET_DUMPABLE), 0);
#endif
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zeroed_and_forgotten),
		cmocka_unit_test(test_too_large_leaves_it_untouched),
		cmocka_unit_test(test_wipe),
		cmocka_unit_test(test_guarded),
		cmocka_unit_test(test_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
