/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines: one a write, quoted so that no value can forge another. */
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"

#include "check.h"

#include <fcntl.h>

static int log_pipe[2], real_stderr;

static int
catch_stderr(void **state)
{
	(void)state;
	if (pipe(log_pipe) != 0 || fcntl(log_pipe[0], F_SETFL, O_NONBLOCK) != 0)
		return -1;
	real_stderr = dup(STDERR_FILENO);
	return dup2(log_pipe[1], STDERR_FILENO) < 0 ? -1 : 0;
}

static int
release_stderr(void **state)
{
	(void)state;
	(void)dup2(real_stderr, STDERR_FILENO);
	(void)close(real_stderr);
	(void)close(log_pipe[0]);
	(void)close(log_pipe[1]);
	log_setup(LOG_INFO, 0);
	return 0;
}

/* What was logged since the last call. */
static const char *
logged(void)
{
	static char text[8192];
	ssize_t n = read(log_pipe[0], text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void
test_text(void **state)
{
	const char *line;

	(void)state;
	log_setup(LOG_INFO, 0);
	log_event(LOG_INFO, "job_done", LOG_S("id", "ab-1"), LOG_I("rows", -3), LOG_S("none", NULL),
	    LOG_S("empty", ""), LOG_S("words", "two words"), LOG_S("pair", "a=b"),
	    LOG_S("lines", "x\nlevel=error"), LOG_S("quote", "a\"b\\c"),
	    LOG_S("high", "\xc3\xa9\x7f"));
	line = logged();
	assert_memory_equal(line, "ts=2", 4);
	assert_int_equal(line[3 + INSTANT_TEXT_LEN], ' ');
	assert_string_equal(line + 4 + INSTANT_TEXT_LEN,
	    "level=info event=job_done id=ab-1 rows=-3 none=- empty=\"\" words=\"two words\" "
	    "pair=\"a=b\" lines=\"x\\nlevel=error\" quote=\"a\\\"b\\\\c\" high=\"\xc3\xa9\x7f\"\n");
	log_event(LOG_WARN, "bare");
	assert_non_null(strstr(logged(), " level=warn event=bare\n"));
}

static void
test_json(void **state)
{
	json_t *v = NULL;
	const char *line;

	(void)state;
	log_setup(LOG_INFO, 1);
	log_event(LOG_ERROR, "job_done", LOG_S("id", "a\"\n"), LOG_I("rows", INT64_MIN));
	line = logged();
	assert_int_equal(json_read(str_c(line), &v, NULL), SOUK_OK);
	assert_string_equal(json_string_value(json_object_get(v, "level")), "error");
	assert_string_equal(json_string_value(json_object_get(v, "event")), "job_done");
	assert_string_equal(json_string_value(json_object_get(v, "id")), "a\"\n");
	assert_true(json_integer_value(json_object_get(v, "rows")) == INT64_MIN);
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
	json_decref(v);
}

static void
test_levels(void **state)
{
	(void)state;
	for (int least = LOG_DEBUG; least <= LOG_OFF; least++) {
		log_setup((enum log_level)least, 0);
		assert_int_equal(log_level_now(), least);
		for (int level = LOG_DEBUG; level <= LOG_ERROR; level++) {
			log_event((enum log_level)level, "e");
			assert_int_equal(logged()[0] != '\0', level >= least);
		}
	}
}

static void
test_failure(void **state)
{
	struct fail f = { 0 };

	(void)state;
	log_setup(LOG_INFO, 0);
	(void)fail_field(&f, "email", "is bad", "mend it");
	(void)fail_field(&f, "zip", "is bad", "mend it");
	log_fail(LOG_WARN, "refused", "req-1", &f);
	assert_non_null(strstr(logged(),
	    "level=warn event=refused id=req-1 error=invalid code=invalid_field "
	    "detail=\"The request has fields that cannot be accepted.\" fields=email,zip\n"));
	memset(&f, 0, sizeof(f));
	log_fail(LOG_WARN, "refused", NULL, &f);
	assert_non_null(strstr(logged(), " id=- error=ok code=- detail=\"\" fields=-\n"));
}

static void
test_unwritable_log_is_survived(void **state)
{
	(void)state;
	log_setup(LOG_INFO, 0);
	(void)close(STDERR_FILENO);
	log_event(LOG_INFO, "lost");
	assert_true(dup2(log_pipe[1], STDERR_FILENO) >= 0);
	log_event(LOG_INFO, "kept");
	assert_null(strstr(logged(), "lost"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_text, catch_stderr, release_stderr),
		cmocka_unit_test_setup_teardown(test_json, catch_stderr, release_stderr),
		cmocka_unit_test_setup_teardown(test_levels, catch_stderr, release_stderr),
		cmocka_unit_test_setup_teardown(test_failure, catch_stderr, release_stderr),
		cmocka_unit_test_setup_teardown(
		    test_unwritable_log_is_survived, catch_stderr, release_stderr),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
