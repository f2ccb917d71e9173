/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Online copies: consistent, compact, and without a byte of what was erased.
 *
 * The copy is written row by row from a read snapshot (no free pages, no remains in
 * pages, unlike a copy of the file), so a backup made after an erasure cannot bring it
 * back. The danger is half a copy under the wanted name: it is removed on any failure.
 */
#include "store/db_int.h"

#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

/* Waits until the file and its name are on disk. */
static enum souk_err
sync_copy(const char *path)
{
	char dir[PATH_MAX];
	const char *slash = strrchr(path, '/');
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool ok = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		(void)close(fd);
	if (!ok)
		return SOUK_E_STORAGE;
	(void)snprintf(
	    dir, sizeof(dir), "%.*s", slash > path ? (int)(slash - path) : 1, slash ? path : ".");
	return io_sync_dir(dir);
}

static enum souk_err
copy(struct db *db, const char *path, struct fail *f)
{
	struct conn *c = NULL;
	enum souk_err err =
	    conn_open(&(struct conn_options){ .path = db->path, .use = CONN_UPKEEP }, &c, f);

	if (err != SOUK_OK)
		return err;
	if ((err = conn_copy_into(c, path)) != SOUK_OK)
		(void)fail_set(f, err, "backup_failed", "%s: cannot write the copy: %s", path,
		    conn_message(c));
	conn_close(c);
	if (err == SOUK_OK && (err = sync_copy(path)) != SOUK_OK)
		(void)fail_set(f, err, "backup_failed", "%s: cannot sync it to the disk", path);
	return err;
}

enum souk_err
lite_backup(struct db *db, const char *path, struct fail *f)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	enum souk_err err;

	if (fd < 0 && errno == EEXIST)
		return fail_set(f, SOUK_E_CONFLICT, "file_exists",
		    "%s: exists already; give the name of a new file", path);
	if (fd < 0)
		return fail_set(f, SOUK_E_STORAGE, "file_failed", "%s: cannot create: %s", path,
		    strerrordesc_np(errno));
	(void)close(fd);
	if ((err = copy(db, path, f)) != SOUK_OK)
		(void)unlink(path);
	return err;
}
