/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clean pages: a file layer (VFS) that zeroes the unused middle of every page it writes.
 *
 * SQLite's secure_delete zeroes a row where it is deleted. But when a page overflows and
 * its rows are shared out again, the page they came from is laid out anew without
 * clearing the middle, and keeps images of rows that now live elsewhere; deleting those
 * rows later does not touch them. (Measured with SQLite 3.40: of 10,000 rows deleted out
 * of 20,000, 79 could still be read in the file.) So every page that goes into the
 * database file passes here. The write-ahead log cannot be mended likewise, since its
 * checksums are made before; it is emptied after an erasure (db_upkeep.c), which also makes
 * the writer read its pages anew, so that only pages that passed here come back.
 */
#include "store/db_sqlite.h"

#include <pthread.h>

#define PAGE_MAX 65536

static pthread_once_t once = PTHREAD_ONCE_INIT;
static sqlite3_vfs *base_vfs;
static sqlite3_vfs clean_vfs;
/* The file methods of the base layer, and the same with our write. Set under `lock`, then constant. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const sqlite3_io_methods *base_methods;
static sqlite3_io_methods clean_methods;

static size_t
number16(const unsigned char *p)
{
	return ((size_t)p[0] << 8) | p[1];
}

/* Where the unused middle of a b-tree page begins and ends (file format 1.6); false on other pages. */
static bool
middle(const unsigned char *page, size_t n, bool first, size_t *ret_from, size_t *ret_to)
{
	size_t head = first ? 100 : 0, from, to;
	unsigned char kind = page[head];
	bool interior = kind == 2 || kind == 5, leaf = kind == 10 || kind == 13;

	if (!interior && !leaf)
		return false;
	from = head + (interior ? 12 : 8) + 2 * number16(page + head + 3);
	to = number16(page + head + 5);
	if (to == 0)
		to = PAGE_MAX;
	if (from > to || to > n)
		return false;
	*ret_from = from;
	*ret_to = to;
	return true;
}

static bool
is_zero(const unsigned char *p, size_t n)
{
	return n == 0 || (p[0] == 0 && memcmp(p, p + 1, n - 1) == 0);
}

bool
sqlite_page_clean(unsigned char *page, size_t n, bool first)
{
	size_t from, to;

	if (!middle(page, n, first, &from, &to) || is_zero(page + from, to - from))
		return false;
	memset(page + from, 0, to - from);
	return true;
}

static int
clean_write(sqlite3_file *file, const void *p, int n, sqlite3_int64 at)
{
	unsigned char copy[PAGE_MAX];
	size_t from, to;

	/* The database file is written in whole pages; anything else is not ours to judge. */
	if (n < 512 || n > PAGE_MAX || at % n != 0 || at / n > SQLITE_PAGES_MAX ||
	    !middle(p, (size_t)n, at == 0, &from, &to) ||
	    is_zero((const unsigned char *)p + from, to - from))
		return base_methods->xWrite(file, p, n, at);
	memcpy(copy, p, (size_t)n);
	memset(copy + from, 0, to - from);
	return base_methods->xWrite(file, copy, n, at);
}

static int
clean_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *ret_flags)
{
	int rc = base_vfs->xOpen(base_vfs, name, file, flags, ret_flags);

	(void)vfs;
	if (rc != SQLITE_OK || !(flags & SQLITE_OPEN_MAIN_DB))
		return rc;
	(void)pthread_mutex_lock(&lock);
	if (!base_methods) {
		base_methods = file->pMethods;
		clean_methods = *base_methods;
		clean_methods.xWrite = clean_write;
		if (clean_methods.iVersion > 3)
			clean_methods.iVersion = 3; /* as far as the struct we know goes */
	}
	if (file->pMethods == base_methods)
		file->pMethods = &clean_methods;
	else
		rc = SQLITE_CANTOPEN; /* a file system without locks: not for a database */
	(void)pthread_mutex_unlock(&lock);
	if (rc != SQLITE_OK) {
		(void)file->pMethods->xClose(file);
		file->pMethods = NULL;
	}
	return rc;
}

static void
set_up(void)
{
	/* Memory statistics cost a global lock per allocation; nobody reads them. */
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	(void)sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
	if (sqlite3_initialize() != SQLITE_OK)
		return;
	base_vfs = sqlite3_vfs_find(NULL);
	if (!base_vfs)
		return;
	clean_vfs = *base_vfs;
	clean_vfs.zName = "souk";
	clean_vfs.pNext = NULL;
	clean_vfs.xOpen = clean_open;
	(void)sqlite3_vfs_register(&clean_vfs, 0);
}

const char *
sqlite_clean_vfs(void)
{
	(void)pthread_once(&once, set_up);
	return "souk";
}
