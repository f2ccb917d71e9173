/* SPDX-License-Identifier: Apache-2.0 */
/* Files: whole or not at all (style H19). */
#ifndef SOUK_BASE_IO_H
#define SOUK_BASE_IO_H

#include "base/str.h"

#include <stdint.h>

/* Reads a whole file of at most `max` bytes into `b`. Errors name the path. */
SOUK_MUST enum souk_err io_read_file(const char *path, size_t max, struct buf *b, struct fail *f);
/* Writes beside `path`, checks every write, fsyncs, renames, fsyncs the directory. */
SOUK_MUST enum souk_err io_write_file(
    const char *path, struct str data, unsigned mode, struct fail *f);
SOUK_MUST enum souk_err io_write_all(
    int fd, const void *p, size_t n); /* SOUK_E_STORAGE on failure */
SOUK_MUST enum souk_err io_sync_dir(const char *dir);
SOUK_MUST enum souk_err io_make_dir(
    const char *path, unsigned mode, struct fail *f); /* parents too; exists is fine */

/* Where produced bytes go: a file, an object being sealed, a hash, a response. */
struct sink {
	enum souk_err (*write)(struct sink *s, const void *p, size_t n);
};

#endif
