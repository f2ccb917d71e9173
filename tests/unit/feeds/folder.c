/* SPDX-License-Identifier: Apache-2.0 */
/* Folders of feeds under the system's temporary directory. */
#include "folder.h"

#include "base/io.h"

#include <ftw.h>

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *walk)
{
	(void)st;
	(void)type;
	return walk->level > 0 ? remove(path) : 0;
}

void
folder_clear(const char *dir)
{
	assert_int_equal(nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

int
folder_make(void **state)
{
	char *dir = strdup("/tmp/souk-feeds-XXXXXX");

	*state = dir;
	return dir && mkdtemp(dir) ? 0 : -1;
}

int
folder_remove(void **state)
{
	folder_clear(*state);
	(void)rmdir(*state);
	free(*state);
	return 0;
}

void
folder_write(const char *dir, const char *path, const void *bytes, size_t n)
{
	char *full = NULL, *slash;

	assert_true(asprintf(&full, "%s/%s", dir, path) > 0);
	slash = strrchr(full, '/');
	*slash = '\0';
	assert_int_equal(io_make_dir(full, 0700, NULL), SOUK_OK);
	*slash = '/';
	assert_int_equal(io_write_file(full, (struct str){ bytes, n }, 0600, NULL), SOUK_OK);
	free(full);
}

void
folder_text(const char *dir, const char *path, const char *text)
{
	folder_write(dir, path, text, strlen(text));
}

struct feed_source *
folder_source(const char *dir)
{
	struct feed_source *s = NULL;
	struct fail f = { 0 };
	char line[512];

	if (feed_source_folder(dir, &s, &f) != SOUK_OK) {
		fail_line(&f, line, sizeof(line));
		fail_msg("%s", line);
	}
	return s;
}

static enum souk_err
take(struct fault_sink *s, const struct feed_fault *fault, struct str row, struct fail *f)
{
	struct told *t = (struct told *)s;

	(void)f;
	buf_printf(
	    &t->text, "%llu:%s:%s|", (unsigned long long)fault->line, fault->column, fault->what);
	buf_add_str(&t->rows, row);
	buf_add_char(&t->rows, '|');
	return fault->fix && *fault->fix ? SOUK_OK : SOUK_E_INTERNAL;
}

void
told_init(struct told *t)
{
	*t = (struct told){ .sink.take = take };
}

void
told_done(struct told *t)
{
	buf_done(&t->text);
	buf_done(&t->rows);
}
