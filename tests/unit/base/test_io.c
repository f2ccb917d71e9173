/* SPDX-License-Identifier: Apache-2.0 */
/* Files: whole or not at all, and nothing left behind by a failure. */
#include "base/io.h"

#include "check.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

static char dir[64];
static char path[128];

static const char *
in_dir(const char *name)
{
	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static int
make_dir(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/souk_test_io.XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int
remove_dir(void **state)
{
	char command[128];

	(void)state;
	(void)snprintf(command, sizeof(command), "%s/deep/er", dir);
	(void)rmdir(command);
	(void)rmdir(in_dir("deep"));
	(void)unlink(in_dir("file"));
	return rmdir(dir); /* fails when a test left something behind */
}

static size_t
files_in_dir(void)
{
	DIR *d = opendir(dir);
	size_t n = 0;

	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d));)
		n += e->d_name[0] != '.';
	(void)closedir(d);
	return n;
}

static void
test_write_then_read(void **state)
{
	struct buf b = { 0 };
	struct stat st;

	(void)state;
	assert_int_equal(io_write_file(in_dir("file"), STR("one"), 0600, NULL), SOUK_OK);
	assert_int_equal(io_write_file(path, STR("two, longer"), 0640, NULL), SOUK_OK);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(files_in_dir(), 1);
	buf_add_c(&b, ">");
	assert_int_equal(io_read_file(path, 11, &b, NULL), SOUK_OK); /* exactly the limit */
	assert_string_equal(b.p, ">two, longer");
	assert_int_equal(io_write_file(path, (struct str){ NULL, 0 }, 0600, NULL), SOUK_OK);
	buf_clear(&b);
	assert_int_equal(io_read_file(path, 0, &b, NULL), SOUK_OK);
	assert_int_equal(b.n, 0);
	buf_done(&b);
}

static void
test_read_refusals(void **state)
{
	struct buf b = { 0 };
	struct fail f = { 0 };

	(void)state;
	buf_add_c(&b, "kept");
	assert_int_equal(io_write_file(in_dir("file"), STR("12345"), 0600, NULL), SOUK_OK);
	assert_int_equal(io_read_file(path, 4, &b, &f), SOUK_E_LIMIT);
	assert_string_equal(b.p, "kept");
	assert_non_null(strstr(f.detail, path));
	assert_int_equal(io_read_file(in_dir("absent"), 4, &b, &f), SOUK_E_NOT_FOUND);
	assert_non_null(strstr(f.detail, "absent"));
	assert_non_null(strstr(f.detail, "No such file"));
	assert_int_equal(io_read_file(in_dir("file/x"), 4, &b, &f), SOUK_E_NOT_FOUND);
	assert_int_equal(io_read_file(dir, 4, &b, &f), SOUK_E_STORAGE);
	assert_string_equal(b.p, "kept");
	buf_done(&b);
}

static void
test_large_file(void **state)
{
	struct buf b = { 0 }, back = { 0 };

	(void)state;
	for (uint64_t i = 0; i < 100000; i++)
		buf_add_u64(&b, i);
	assert_int_equal(io_write_file(in_dir("file"), buf_str(&b), 0600, NULL), SOUK_OK);
	assert_int_equal(io_read_file(path, b.n, &back, NULL), SOUK_OK);
	assert_true(str_eq(buf_str(&b), buf_str(&back)));
	assert_int_equal(io_read_file(path, b.n - 1, &back, NULL), SOUK_E_LIMIT);
	assert_int_equal(back.n, b.n);
	buf_done(&b);
	buf_done(&back);
}

static void
test_failed_write_leaves_nothing(void **state)
{
	struct fail f = { 0 };
	char name[5000];

	(void)state;
	assert_int_equal(
	    io_write_file(in_dir("absent/file"), STR("x"), 0600, &f), SOUK_E_NOT_FOUND);
	assert_non_null(strstr(f.detail, "absent/file"));
	assert_int_equal(mkdir(in_dir("deep"), 0700), 0);
	assert_int_not_equal(
	    io_write_file(path, STR("x"), 0600, &f), SOUK_OK); /* a directory is there */
	assert_int_equal(rmdir(path), 0);
	(void)unlink(in_dir("file"));
	assert_int_equal(files_in_dir(), 0);
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(io_write_file(name, STR("x"), 0600, &f), SOUK_E_STORAGE);
}

static void
test_write_all_fails_on_a_full_disk(void **state)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(io_write_all(fd, "x", 1), SOUK_E_STORAGE);
	assert_int_equal(io_write_all(fd, NULL, 0), SOUK_OK);
	(void)close(fd);
	assert_int_equal(io_write_all(-1, "x", 1), SOUK_E_STORAGE);
}

static void
test_make_dir(void **state)
{
	struct fail f = { 0 };
	struct stat st;

	(void)state;
	assert_int_equal(io_make_dir(in_dir("deep//er/"), 0700, NULL), SOUK_OK);
	assert_int_equal(io_make_dir(in_dir("deep/er"), 0700, NULL), SOUK_OK);
	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISDIR(st.st_mode) && (st.st_mode & 0777) == 0700);
	assert_int_equal(io_write_file(in_dir("file"), STR("x"), 0600, NULL), SOUK_OK);
	assert_int_not_equal(io_make_dir(path, 0700, &f), SOUK_OK);
	assert_int_not_equal(io_make_dir(in_dir("file/x"), 0700, &f), SOUK_OK);
	assert_int_not_equal(io_make_dir("", 0700, &f), SOUK_OK);
	assert_int_equal(io_make_dir("/", 0700, &f), SOUK_OK);
	assert_int_equal(io_sync_dir(dir), SOUK_OK);
	assert_int_equal(io_sync_dir(in_dir("file")), SOUK_E_STORAGE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_write_then_read),
		cmocka_unit_test(test_read_refusals),
		cmocka_unit_test(test_large_file),
		cmocka_unit_test(test_failed_write_leaves_nothing),
		cmocka_unit_test(test_write_all_fails_on_a_full_disk),
		cmocka_unit_test(test_make_dir),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
