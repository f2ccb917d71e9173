/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sealed files in a directory: DATA/objects/ab/GUID.
 *
 * Their readers keep them open: unlinking disturbs nobody.
 */
#include "delivery/object_home.h"
#include "delivery/object_int.h"

#include "base/metrics.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIRECTORIES 256

struct dir_home {
	struct object_home home;
	atomic_uint scan;        /* next directory to look through, 0..255 */
	char dir[PATH_MAX - 64]; /* DATA/objects */
};

static void
dir_path(const struct dir_home *d, unsigned first, char out[PATH_MAX])
{
	(void)snprintf(out, PATH_MAX, "%s/%02x", d->dir, first);
}

static void
file_path(const struct dir_home *d, const struct guid *id, char out[PATH_MAX])
{
	char text[GUID_TEXT_LEN + 1];

	guid_format(id, text);
	(void)snprintf(out, PATH_MAX, "%s/%02x/%s", d->dir, id->b[0], text);
}

static enum souk_err
dir_create(struct object_home *h, const struct guid *id, int *ret_fd)
{
	struct dir_home *d = (struct dir_home *)h;
	int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
	char path[PATH_MAX], dir[PATH_MAX];
	bool made = false;
	int fd;

	file_path(d, id, path);
	if ((fd = open(path, flags, 0600)) < 0 && errno == ENOENT) {
		dir_path(d, id->b[0], dir);
		if (mkdir(dir, 0700) != 0 && errno != EEXIST)
			return SOUK_E_STORAGE;
		made = true;
		fd = open(path, flags, 0600);
	}
	if (fd < 0)
		return SOUK_E_STORAGE;
	*ret_fd = fd;
	return made ? io_sync_dir(d->dir) : SOUK_OK;
}

static enum souk_err
dir_keep(struct object_home *h, const struct guid *id, int fd)
{
	struct dir_home *d = (struct dir_home *)h;
	char dir[PATH_MAX];
	bool fine = fsync(fd) == 0;

	fine = close(fd) == 0 && fine;
	dir_path(d, id->b[0], dir);
	return fine ? io_sync_dir(dir) : SOUK_E_STORAGE;
}

static void
dir_drop(struct object_home *h, const struct guid *id, int fd)
{
	char path[PATH_MAX];

	if (fd >= 0)
		(void)close(fd);
	file_path((struct dir_home *)h, id, path);
	(void)unlink(path);
}

static enum souk_err
dir_open(struct object_home *h, const struct guid *id, int *ret_fd)
{
	char path[PATH_MAX];
	int fd;

	file_path((struct dir_home *)h, id, path);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return SOUK_E_STORAGE;
	*ret_fd = fd;
	return SOUK_OK;
}

static enum souk_err
dir_read(struct object_home *h, const struct guid *id, int fd, void *bytes, size_t n, int64_t at)
{
	uint8_t *p = bytes;
	ssize_t got;

	(void)h;
	(void)id;
	while (n > 0) {
		got = pread(fd, p, n, at);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return SOUK_E_STORAGE;
		p += got;
		at += got;
		n -= (size_t)got;
	}
	return SOUK_OK;
}

static enum souk_err
dir_remove(struct object_home *h, const struct guid *id)
{
	char path[PATH_MAX];

	file_path((struct dir_home *)h, id, path);
	return unlink(path) == 0 || errno == ENOENT ? SOUK_OK : SOUK_E_STORAGE;
}

/* Old enough that no writer can be about to put its row. */
static bool
is_old(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
	       (instant_t)st.st_mtim.tv_sec * SECOND_MS + OBJECT_ORPHAN_MS < clock_now();
}

/* One directory a call: a restored, older database leaves such files; nothing is in a hurry. */
static enum souk_err
dir_scan(struct object_home *h,
    enum souk_err (*is_known)(void *ctx, const struct guid *id, bool *ret), void *ctx)
{
	struct dir_home *home = (struct dir_home *)h;
	enum souk_err err = SOUK_OK;
	const struct dirent *e;
	char path[PATH_MAX];
	struct guid id;
	bool known;
	DIR *d;

	dir_path(home, atomic_fetch_add(&home->scan, 1) % DIRECTORIES, path);
	if (!(d = opendir(path)))
		return errno == ENOENT ? SOUK_OK : SOUK_E_STORAGE;
	while (err == SOUK_OK && (e = readdir(d))) {
		if (!guid_parse(str_c(e->d_name), &id) || !is_old(dirfd(d), e->d_name))
			continue;
		if ((err = is_known(ctx, &id, &known)) == SOUK_OK && !known &&
		    unlinkat(dirfd(d), e->d_name, 0) != 0)
			err = SOUK_E_STORAGE;
	}
	(void)closedir(d);
	return err;
}

static enum souk_err
dir_state(struct object_home *h, struct fail *f)
{
	(void)h;
	(void)f;
	return SOUK_OK;
}

static void
dir_free(struct object_home *h)
{
	free(h);
}

static const struct object_home_ops dir_ops = {
	.create = dir_create,
	.keep = dir_keep,
	.drop = dir_drop,
	.open = dir_open,
	.read = dir_read,
	.remove = dir_remove,
	.scan = dir_scan,
	.state = dir_state,
	.free = dir_free,
};

enum souk_err
object_home_dir(const char *data_dir, struct object_home **ret, struct fail *f)
{
	struct dir_home *d = calloc(1, sizeof(*d));
	enum souk_err err;
	int n;

	if (!d)
		return fail_set(f, SOUK_E_NOMEM, "out_of_memory", "no memory for the buckets");
	d->home.ops = &dir_ops;
	n = snprintf(d->dir, sizeof(d->dir), "%s/objects", data_dir);
	if (n < 0 || (size_t)n >= sizeof(d->dir))
		err = fail_set(f, SOUK_E_INVALID, "path_too_long",
		    "the data directory's path is too long for objects; use a shorter one");
	else
		err = io_make_dir(d->dir, 0700, f);
	if (err != SOUK_OK) {
		free(d);
		return err;
	}
	metric_set(MET_OBJECT_STORE_UP, 0, 1);
	*ret = &d->home;
	return SOUK_OK;
}
