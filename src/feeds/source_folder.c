/* SPDX-License-Identifier: Apache-2.0 */
/* Feed files in a folder: read with pread, so that a file cut short is an error and not a signal. */
#include "feeds/source.h"

#include "feeds/fault.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEPTH 4 /* FEED/year=YYYY/month=MM/FILE */

struct folder {
	int dir;
};

static void
folder_close(void *context)
{
	struct folder *folder = context;

	if (folder->dir >= 0)
		(void)close(folder->dir);
	free(folder);
}

static enum souk_err
cannot_read(const char *name, struct fail *f)
{
	return fail_set(f, errno == ENOENT || errno == ENOTDIR ? SOUK_E_INVALID : SOUK_E_STORAGE,
	    "read_failed", "%.200s cannot be read: %s", name, strerrordesc_np(errno));
}

static enum souk_err
folder_read(void *context, const struct feed_file *file, uint64_t offset, void *p, size_t n,
    size_t *ret_n, struct fail *f)
{
	struct folder *folder = context;
	int fd = openat(folder->dir, file->name, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	if (fd < 0)
		return cannot_read(file->name, f);
	do {
		got = pread(fd, p, n, (off_t)offset);
	} while (got < 0 && errno == EINTR);
	(void)close(fd);
	if (got < 0)
		return cannot_read(file->name, f);
	*ret_n = (size_t)got;
	return SOUK_OK;
}

static const struct feed_source_ops folder_ops = { .read = folder_read, .close = folder_close };

static enum souk_err
add_file(struct feed_source *s, int dir, const char *name, const char *path, struct fail *f)
{
	struct feed_fault fault = { .file = path,
		.column = "",
		.what = "is not a regular file",
		.fix = "put the feed's file there" };
	struct stat st;
	bool taken;
	enum souk_err err;

	if (fstatat(dir, name, &st, 0) != 0)
		return cannot_read(path, f);
	err = feed_source_add(s, path, (uint64_t)st.st_size, &taken, f);
	if (err == SOUK_OK && taken && !S_ISREG(st.st_mode))
		err = fault_fail(&fault, f);
	return err;
}

static enum souk_err walk(struct feed_source *s, int parent, const char *name, const char *path,
    unsigned depth, struct fail *f);

/* Is it worth a look? Feed folders, then years, then months, then files. */
static bool
may_hold(const char *name, unsigned depth)
{
	switch (depth) {
	case 0:
		return feed_of_folder(str_c(name)) != FEED__COUNT;
	case 1:
		return str_starts(str_c(name), STR("year="));
	case 2:
		return str_starts(str_c(name), STR("month="));
	default:
		return true;
	}
}

static enum souk_err
visit(struct feed_source *s, int dir, const char *name, const char *path, unsigned depth,
    struct fail *f)
{
	char *below = NULL;
	enum souk_err err;

	if (name[0] == '.' || !may_hold(name, depth))
		return SOUK_OK;
	if (asprintf(&below, "%s%s%s", path, *path ? "/" : "", name) < 0)
		return fail_set(f, SOUK_E_NOMEM, "out_of_memory", "No memory to list the feeds.");
	if (depth + 1 == DEPTH)
		err = add_file(s, dir, name, below, f);
	else
		err = walk(s, dir, name, below, depth + 1, f);
	free(below);
	return err;
}

static enum souk_err
walk(struct feed_source *s, int parent, const char *name, const char *path, unsigned depth,
    struct fail *f)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	enum souk_err err = SOUK_OK;
	struct dirent *e;

	if (!d) {
		err = cannot_read(*path ? path : "the folder of feeds", f);
		if (fd >= 0)
			(void)close(fd);
		return err;
	}
	while (err == SOUK_OK && (errno = 0, e = readdir(d)))
		err = visit(s, dirfd(d), e->d_name, path, depth, f);
	if (err == SOUK_OK && errno != 0)
		err = cannot_read(path, f);
	(void)closedir(d);
	return err;
}

enum souk_err
feed_source_folder(const char *dir, struct feed_source **ret, struct fail *f)
{
	struct folder *folder = malloc(sizeof(*folder));
	struct feed_source *s = NULL;
	enum souk_err err;

	if (!folder)
		return fail_set(f, SOUK_E_NOMEM, "out_of_memory", "No memory to list the feeds.");
	folder->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder->dir < 0) {
		err = cannot_read(dir, f);
		folder_close(folder);
		return err;
	}
	if ((err = feed_source_new(&folder_ops, folder, &s, f)) != SOUK_OK)
		return err;
	if ((err = walk(s, folder->dir, ".", "", 0, f)) == SOUK_OK)
		err = feed_source_settle(s, f);
	if (err != SOUK_OK) {
		feed_source_free(s);
		return err;
	}
	*ret = s;
	return SOUK_OK;
}
