/* SPDX-License-Identifier: Apache-2.0 */
/* A report's file: nobody ever sees half of one. */
#include "feeds/report_out.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct fd_sink {
	struct sink sink;
	int fd;
};

struct report_file {
	struct fd_sink fd;
	struct report_sink *sink;
	enum report_format format;
	char *path, *part; /* NULL: standard output by way of a nameless file */
};

static enum souk_err
write_fd(struct sink *s, const void *p, size_t n)
{
	return io_write_all(((struct fd_sink *)s)->fd, p, n);
}

/* Beside the file that it becomes, so that renaming is one step. */
static enum souk_err
open_part(struct report_file *r, const char *path, struct fail *f)
{
	if ((r->path = strdup(path)) == NULL || asprintf(&r->part, "%s.XXXXXX.part", path) < 0)
		return fail_set(f, SOUK_E_NOMEM, "memory", "out of memory");
	if ((r->fd.fd = mkostemps(r->part, 5, O_CLOEXEC)) < 0)
		return fail_set(f, SOUK_E_INVALID, "output",
		    "--output: cannot be written there (%s); name a file in a directory that you "
		    "may write to",
		    strerrordesc_np(errno));
	return SOUK_OK;
}

static enum souk_err
open_nameless(struct report_file *r, struct fail *f)
{
	FILE *t = tmpfile();

	if (t != NULL) {
		r->fd.fd = fcntl(fileno(t), F_DUPFD_CLOEXEC, 3);
		(void)fclose(t);
	}
	return r->fd.fd >= 0 ? SOUK_OK
			     : fail_set(f, SOUK_E_STORAGE, "output",
				   "output: no temporary file can be made; make room there or "
				   "write to a file with -o");
}

enum souk_err
report_file_new(
    enum report_format format, const char *path, struct report_file **ret, struct fail *f)
{
	struct report_file *r = calloc(1, sizeof(*r));
	enum souk_err e;

	if (r == NULL)
		return fail_set(f, SOUK_E_NOMEM, "memory", "out of memory");
	r->fd = (struct fd_sink){ .sink = { write_fd }, .fd = -1 };
	r->format = format;
	e = path != NULL ? open_part(r, path, f) : open_nameless(r, f);
	if (e == SOUK_OK) {
		r->sink = format == REPORT_XLSX ? report_xlsx_sink(r->part)
						: report_text_sink(format, &r->fd.sink);
		if (r->sink == NULL)
			e = fail_set(f, SOUK_E_NOMEM, "memory", "out of memory");
	}
	if (e == SOUK_OK)
		*ret = r;
	else
		report_file_free(r);
	return e;
}

struct report_sink *
report_file_sink(struct report_file *r)
{
	return r->sink;
}

static enum souk_err
refuse(struct fail *f)
{
	return fail_set(f, SOUK_E_STORAGE, "output",
	    "output: cannot be written (%s); make room there and run it again",
	    strerrordesc_np(errno));
}

static enum souk_err
copy_out(struct report_file *r, struct fail *f)
{
	char block[64 * 1024];
	ssize_t n;

	if (lseek(r->fd.fd, 0, SEEK_SET) != 0)
		return refuse(f);
	while ((n = read(r->fd.fd, block, sizeof(block))) > 0)
		if (io_write_all(STDOUT_FILENO, block, (size_t)n) != SOUK_OK)
			return refuse(f);
	return n == 0 ? SOUK_OK : refuse(f);
}

/* The directory of a path, so that a crash does not bring the old file back; `path` is cut. */
static enum souk_err
sync_dir_of(char *path)
{
	char *slash = strrchr(path, '/');

	if (slash != NULL)
		slash[slash == path] = '\0';
	return io_sync_dir(slash != NULL ? path : ".");
}

enum souk_err
report_file_keep(struct report_file *r, struct fail *f)
{
	/* The workbook's own writer may have put another file under the name. */
	int fd = r->fd.fd;
	bool ok;

	if (r->path == NULL)
		return copy_out(r, f);
	if (r->format == REPORT_XLSX && (fd = open(r->part, O_RDONLY | O_CLOEXEC)) < 0)
		return refuse(f);
	ok = fchmod(fd, 0600) == 0 && fsync(fd) == 0;
	if (fd != r->fd.fd)
		(void)close(fd);
	if (!ok || rename(r->part, r->path) != 0)
		return refuse(f);
	free(r->part);
	r->part = NULL;
	return sync_dir_of(r->path) == SOUK_OK ? SOUK_OK : refuse(f);
}

void
report_file_free(struct report_file *r)
{
	if (r == NULL)
		return;
	if (r->format == REPORT_XLSX)
		report_xlsx_free(r->sink);
	else
		report_text_free(r->sink);
	if (r->fd.fd >= 0)
		(void)close(r->fd.fd);
	if (r->part != NULL)
		(void)unlink(r->part);
	free(r->part);
	free(r->path);
	free(r);
}
