/* SPDX-License-Identifier: Apache-2.0 */
/* Settings: defaults, order of precedence, and every mistake with its place and fix. */
#include "base/config.h"
#include "base/io.h"

#include "check.h"

static char ini[64];

static int
make_file(void **state)
{
	char dir[] = "/tmp/souk_test_config.XXXXXX";

	(void)state;
	if (!mkdtemp(dir))
		return -1;
	(void)snprintf(ini, sizeof(ini), "%s/souk.ini", dir);
	return 0;
}

static int
remove_file(void **state)
{
	(void)state;
	(void)unlink(ini);
	*strrchr(ini, '/') = '\0';
	return rmdir(ini);
}

static enum souk_err
load(struct str text, struct config **ret, struct fail *f)
{
	assert_int_equal(io_write_file(ini, text, 0600, NULL), SOUK_OK);
	return config_load(ini, ret, f);
}

static void
test_defaults(void **state)
{
	struct config *c = NULL;

	(void)state;
	assert_int_equal(config_load("/nonexistent/souk.ini", &c, NULL), SOUK_OK);
	assert_string_equal(config_text(c, SET_LISTEN), "127.0.0.1:8080");
	assert_string_equal(config_text(c, SET_REGION), "us-east-1");
	assert_string_equal(config_text(c, SET_TLS_CERT), "");
	assert_int_equal(config_int(c, SET_OBJECT_RETENTION_DAYS), 30);
	assert_int_equal(config_int(c, SET_BODY_MAX_BYTES), 1048576);
	assert_int_equal(config_int(c, SET_CLOCK_SKEW_SECONDS), 300);
	assert_int_equal(config_int(c, SET_CLOCK_SKEW_S3_SECONDS), 900);
	assert_false(config_bool(c, SET_TOPIC_PRIVATE_ADDRESSES));
	assert_string_equal(config_source(c, SET_LISTEN), "default");
	config_free(c);
	config_free(NULL);
}

static void
test_rows_are_complete(void **state)
{
	(void)state;
	for (size_t i = 0; i < SET__COUNT; i++) {
		const struct setting_row *r = &setting_rows[i];

		assert_row(i, r->name && r->name[0] && r->deflt && r->help);
		assert_row(i, r->help[strlen(r->help) - 1] == '.');
		assert_row(i,
		    strspn(r->name, "abcdefghijklmnopqrstuvwxyz0123456789.-") == strlen(r->name));
		assert_row(i, (r->kind == SETTING_INT) == (r->max > r->min));
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(r->name, setting_rows[k].name);
	}
}

static void
test_file(void **state)
{
	struct config *c = NULL;

	(void)state;
	assert_int_equal(load(STR("# a comment\r\n; another\r\n\r\n  listen = [::1]:0 \r\n"
				  "region=eu-central-1\ntls-cert = /a b=c.pem\n"
				  "topic.private-addresses = true\njob.workers = 64\npublic-url ="),
			     &c, NULL),
	    SOUK_OK);
	assert_string_equal(config_text(c, SET_LISTEN), "[::1]:0");
	assert_string_equal(config_source(c, SET_LISTEN), "souk.ini:4");
	assert_string_equal(config_text(c, SET_REGION), "eu-central-1");
	assert_string_equal(config_text(c, SET_TLS_CERT), "/a b=c.pem");
	assert_string_equal(config_text(c, SET_PUBLIC_URL), "");
	assert_true(config_bool(c, SET_TOPIC_PRIVATE_ADDRESSES));
	assert_int_equal(config_int(c, SET_JOB_WORKERS), 64);
	config_free(c);
}

static void
test_file_refusals(void **state)
{
	static const struct {
		struct str text;
		const char *field;
		const char *words; /* in "what; fix" */
	} rows[] = {
		{ STR("\nlisten\n"), "souk.ini:2", "NAME = VALUE" },
		{ STR("[server]\n"), "souk.ini:1", "NAME = VALUE" },
		{ STR("listn = 127.0.0.1:1\n"), "souk.ini:1: listn", "is not a setting" },
		{ STR("= 5\n"), "souk.ini:1: ", "is not a setting" },
		{ STR("Listen = 127.0.0.1:1\n"), "souk.ini:1: Listen", "is not a setting" },
		{ STR("\xff = 5\n"), "souk.ini:1", "UTF-8" },
		{ STR("a\0b = 5\n"), "souk.ini:1", "UTF-8" },
		{ STR("region = a\n\nregion = a\n"), "souk.ini:3: region", "on line 1; keep one" },
		{ STR("region = \xff\n"), "souk.ini:1: region", "UTF-8" },
		{ STR("region = a\0b\n"), "souk.ini:1: region", "control" },
		{ STR("job.workers = 0\n"), "souk.ini:1: job.workers", "from 1 to 64" },
		{ STR("job.workers = 65\n"), "souk.ini:1: job.workers", "from 1 to 64" },
		{ STR("job.workers = two\n"), "souk.ini:1: job.workers", "whole number" },
		{ STR("job.workers = \n"), "souk.ini:1: job.workers", "whole number" },
		{ STR("job.workers = 2 # two\n"), "souk.ini:1: job.workers", "whole number" },
		{ STR("job.workers = 99999999999999999999\n"), "souk.ini:1: job.workers", "whole" },
		{ STR("behind-proxy = yes\n"), "souk.ini:1: behind-proxy", "true|false" },
		{ STR("log.level = loud\n"), "souk.ini:1: log.level", "debug|info|warn|error|off" },
		{ STR("log.level = info|warn\n"), "souk.ini:1: log.level", "one of" },
		{ STR("log.format =\n"), "souk.ini:1: log.format", "text|json" },
		{ STR("listen = 8080\n"), "souk.ini:1: listen", "HOST:PORT" },
		{ STR("listen = :8080\n"), "souk.ini:1: listen", "HOST:PORT" },
		{ STR("listen = host:\n"), "souk.ini:1: listen", "HOST:PORT" },
		{ STR("listen = host:65536\n"), "souk.ini:1: listen", "HOST:PORT" },
		{ STR("listen = ::1:8080\n"), "souk.ini:1: listen", "HOST:PORT" },
		{ STR("listen = []:8080\n"), "souk.ini:1: listen", "HOST:PORT" },
		{ STR("listen = [::1]8080\n"), "souk.ini:1: listen", "HOST:PORT" },
		{ STR("public-url = souk.example\n"), "souk.ini:1: public-url", "https://" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct config *c = NULL;
		struct fail f = { 0 };
		char line[512];

		assert_row(i, load(rows[i].text, &c, &f) == SOUK_E_INVALID && !c);
		assert_string_equal(f.entry[0].field, rows[i].field);
		fail_line(&f, line, sizeof(line));
		assert_row(i, strstr(line, rows[i].words) != NULL);
		assert_row(i, f.entry[0].fix[0] != '\0');
	}
}

static void
test_value_is_never_repeated(void **state)
{
	struct config *c = NULL;
	struct fail f = { 0 };
	char line[512];

	(void)state;
	assert_int_equal(load(STR("log.level = hunter2\n"), &c, &f), SOUK_E_INVALID);
	fail_line(&f, line, sizeof(line));
	assert_null(strstr(line, "hunter2"));
}

static void
test_unreadable_file(void **state)
{
	struct config *c = NULL;
	struct fail f = { 0 };

	(void)state;
	assert_int_equal(config_load("/tmp", &c, &f), SOUK_E_STORAGE);
	assert_null(c);
	assert_non_null(strstr(f.detail, "/tmp"));
}

static void
test_precedence(void **state)
{
	struct config *c = NULL;
	struct fail f = { 0 };

	(void)state;
	assert_int_equal(setenv("SOUK_TOPIC_RETRY_SECONDS", "7", 1), 0);
	assert_int_equal(setenv("SOUK_SERVICE_HOST", "10.0.0.1", 1), 0); /* not ours */
	assert_int_equal(
	    load(STR("topic.retry-seconds = 5\njob.attempts = 5\n"), &c, NULL), SOUK_OK);
	assert_int_equal(config_int(c, SET_TOPIC_RETRY_SECONDS), 7);
	assert_string_equal(config_source(c, SET_TOPIC_RETRY_SECONDS), "SOUK_TOPIC_RETRY_SECONDS");
	assert_int_equal(config_int(c, SET_JOB_ATTEMPTS), 5);
	assert_int_equal(config_set(c, SET_TOPIC_RETRY_SECONDS, "9", NULL), SOUK_OK);
	assert_int_equal(config_int(c, SET_TOPIC_RETRY_SECONDS), 9);
	assert_string_equal(config_text(c, SET_TOPIC_RETRY_SECONDS), "9");
	assert_string_equal(config_source(c, SET_TOPIC_RETRY_SECONDS), "command line");
	assert_int_equal(config_set(c, SET_TOPIC_RETRY_SECONDS, "0", &f), SOUK_E_INVALID);
	assert_string_equal(f.entry[0].field, "topic.retry-seconds");
	assert_int_equal(config_int(c, SET_TOPIC_RETRY_SECONDS), 9);
	config_free(c);
	c = NULL;
	memset(&f, 0, sizeof(f));
	assert_int_equal(setenv("SOUK_TOPIC_RETRY_SECONDS", "", 1), 0);
	assert_int_equal(load(STR(""), &c, &f), SOUK_E_INVALID);
	assert_string_equal(f.entry[0].field, "SOUK_TOPIC_RETRY_SECONDS");
	assert_null(c);
	assert_int_equal(unsetenv("SOUK_TOPIC_RETRY_SECONDS"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_rows_are_complete),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_file_refusals),
		cmocka_unit_test(test_value_is_never_repeated),
		cmocka_unit_test(test_unreadable_file),
		cmocka_unit_test(test_precedence),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
