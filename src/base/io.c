/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files, whole or not at all: a reader never sees half of one, and after a crash
 * the old file or the new one is there.
 */
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Words for a failed call on `path`; the reason is errno's. */
static enum souk_err
path_fail(struct fail *f, const char *doing, const char *path)
{
	int e = errno;
	enum souk_err err = e == ENOENT || e == ENOTDIR ? SOUK_E_NOT_FOUND
			    : e == ENOMEM               ? SOUK_E_NOMEM
							: SOUK_E_STORAGE;

	return fail_set(
	    f, err, "file_failed", "%s: cannot %s: %s", path, doing, strerrordesc_np(e));
}

/* Appends what `fd` holds; errno is set when it fails with SOUK_E_STORAGE. */
static enum souk_err
read_all(int fd, size_t max, struct buf *b)
{
	size_t start = b->n;
	ssize_t got;

	for (;;) {
		if (!buf_reserve(b, 16 * 1024))
			return SOUK_E_NOMEM;
		got = read(fd, b->p + b->n, b->cap - b->n - 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return SOUK_E_STORAGE;
		b->n += (size_t)got;
		if (b->n - start > max)
			return SOUK_E_LIMIT;
		if (got == 0)
			return SOUK_OK;
	}
}

enum souk_err
io_read_file(const char *path, size_t max, struct buf *b, struct fail *f)
{
	size_t start = b->n;
	enum souk_err err;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return path_fail(f, "open", path);
	err = read_all(fd, max, b);
	if (err == SOUK_E_STORAGE)
		err = path_fail(f, "read", path);
	else if (err == SOUK_E_LIMIT)
		(void)fail_set(f, err, "file_too_large", "%s: is larger than %zu bytes", path, max);
	else if (err == SOUK_E_NOMEM)
		(void)fail_set(f, err, "out_of_memory", "%s: no memory to read it", path);
	(void)close(fd);
	if (err != SOUK_OK)
		b->n = start;
	if (b->p)
		b->p[b->n] = '\0';
	return err;
}

enum souk_err
io_write_all(int fd, const void *p, size_t n)
{
	const char *c = p;
	ssize_t put;

	while (n > 0) {
		put = write(fd, c, n);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return SOUK_E_STORAGE;
		c += put;
		n -= (size_t)put;
	}
	return SOUK_OK;
}

enum souk_err
io_sync_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return SOUK_E_STORAGE;
	r = fsync(fd);
	(void)close(fd);
	return r == 0 ? SOUK_OK : SOUK_E_STORAGE;
}

/* The directory part of `path`, "." when it has none. */
static bool
dir_of(const char *path, char out[PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	size_t n = !slash ? 0 : slash == path ? 1 : (size_t)(slash - path);

	if (n >= PATH_MAX)
		return false;
	if (n == 0)
		memcpy(out, ".", 2);
	else
		memcpy(out, path, n);
	out[n > 0 ? n : 1] = '\0';
	return true;
}

/* Fills `fd`, gives it its mode and waits for the disk. Closes it either way. */
static bool
fill_and_close(int fd, struct str data, unsigned mode)
{
	bool ok = io_write_all(fd, data.p, data.n) == SOUK_OK && fchmod(fd, (mode_t)mode) == 0 &&
		  fsync(fd) == 0;
	int e = errno;

	if (close(fd) != 0)
		return false;
	errno = e;
	return ok;
}

enum souk_err
io_write_file(const char *path, struct str data, unsigned mode, struct fail *f)
{
	char tmp[PATH_MAX], dir[PATH_MAX];
	int fd, n, e;

	n = snprintf(tmp, sizeof(tmp), "%s.tmpXXXXXX", path);
	if (n < 0 || (size_t)n >= sizeof(tmp) || !dir_of(path, dir)) {
		errno = ENAMETOOLONG;
		return path_fail(f, "write", path);
	}
	if ((fd = mkostemp(tmp, O_CLOEXEC)) < 0)
		return path_fail(f, "write", path);
	if (!fill_and_close(fd, data, mode) || rename(tmp, path) != 0) {
		e = errno;
		(void)unlink(tmp);
		errno = e;
		return path_fail(f, "write", path);
	}
	if (io_sync_dir(dir) != SOUK_OK)
		/* The new name is there now; whether it survives a power cut is not known. */
		return fail_set(
		    f, SOUK_E_UNCERTAIN, "file_failed", "%s: cannot sync its directory", path);
	return SOUK_OK;
}

/* mkdir(2), where an existing directory is fine. */
static bool
make_one(const char *path, unsigned mode)
{
	struct stat st;

	if (mkdir(path, (mode_t)mode) == 0)
		return true;
	if (errno != EEXIST || stat(path, &st) != 0)
		return false;
	errno = ENOTDIR;
	return S_ISDIR(st.st_mode);
}

enum souk_err
io_make_dir(const char *path, unsigned mode, struct fail *f)
{
	char part[PATH_MAX];
	size_t n = strlen(path);

	if (n == 0 || n >= sizeof(part)) {
		errno = n == 0 ? EINVAL : ENAMETOOLONG;
		return path_fail(f, "create the directory", path);
	}
	memcpy(part, path, n + 1);
	for (size_t i = 1; i <= n; i++) {
		if (part[i] != '/' && part[i] != '\0')
			continue;
		part[i] = '\0';
		if (!make_one(part, mode))
			return path_fail(f, "create the directory", path);
		if (i < n)
			part[i] = '/';
	}
	return SOUK_OK;
}
