/* SPDX-License-Identifier: Apache-2.0 */
/* Logos as files; see review_logo.h. */
#include "cli/review_logo.h"

#include "base/io.h"
#include "base/utf8.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int
open_folder_of(const char *document)
{
	const char *slash = strrchr(document, '/');
	char folder[PATH_MAX];

	if (slash == NULL)
		return open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if ((size_t)(slash - document) + 2 > sizeof(folder))
		return -1;
	memcpy(folder, document, (size_t)(slash - document) + 1);
	folder[slash - document + 1] = '\0';
	return open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* Part by part, so that no link leads out of the folder. Closes `dir`; -1: there is no such file. */
static int
open_below(int dir, struct str path)
{
	struct str part;

	while (dir >= 0 && str_split(&path, '/', &part)) {
		bool last = path.p == NULL;
		char name[NAME_MAX + 1];
		int fd = -1;

		if (part.n > 0 && part.n < sizeof(name) && memchr(part.p, '\0', part.n) == NULL &&
		    !str_eq(part, STR("..")) && !str_eq(part, STR("."))) {
			memcpy(name, part.p, part.n);
			name[part.n] = '\0';
			fd = openat(dir, name,
			    O_NOFOLLOW | O_CLOEXEC |
				(last ? O_RDONLY | O_NONBLOCK : O_PATH | O_DIRECTORY));
		}
		(void)close(dir);
		dir = fd;
	}
	return dir;
}

/* Closes `fd`. Little more than a logo may have is read. */
static bool
read_regular(int fd, struct buf *bytes, off_t *ret_size)
{
	struct stat st;
	char piece[65536];
	ssize_t n = -1;

	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		while ((n = read(fd, piece, sizeof(piece))) > 0 && bytes->n <= LOGO_BYTES_MAX)
			buf_add(bytes, piece, (size_t)n);
	(void)close(fd);
	*ret_size = st.st_size;
	return n >= 0 && buf_ok(bytes);
}

static bool
inspect_file(int fd, struct logo_facts *ret)
{
	struct buf bytes = { 0 };
	off_t size = 0;
	bool ok = read_regular(fd, &bytes, &size);

	if (ok) {
		logo_inspect(buf_str(&bytes), ret);
		if (bytes.n > LOGO_BYTES_MAX)
			ret->bytes = (size_t)size;
	}
	buf_done(&bytes);
	return ok;
}

enum souk_err
review_logo_read(const char *document, struct str file, struct logo_facts *ret, struct fail *f)
{
	enum souk_err err = logo_start(f);
	int fd;

	if (err != SOUK_OK)
		return err;
	fd = open_below(open_folder_of(document), file);
	if (fd < 0)
		return fail_field(f, "/logo/file", "is no file below the document's folder",
		    "give a path relative to the document, without `..` and without links, or "
		    "leave it out");
	if (!inspect_file(fd, ret))
		return fail_field(f, "/logo/file", "cannot be read", "give a regular file");
	return SOUK_OK;
}

/* ---- marks ---------------------------------------------------------------------------------------------------- */

static struct str
without_ending(struct str name)
{
	static const char *const endings[] = { ".png", ".jpg", ".jpeg", ".gif" };

	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		struct str e = str_c(endings[i]);

		if (name.n > e.n && str_eq_nocase((struct str){ name.p + name.n - e.n, e.n }, e))
			return (struct str){ name.p, name.n - e.n };
	}
	return (struct str){ NULL, 0 };
}

static int
is_image(const struct dirent *e)
{
	return without_ending(str_c(e->d_name)).n > 0 && utf8_valid(str_c(e->d_name));
}

static enum souk_err
read_mark(int dir, const char *name, struct arena *a, struct logo_known *ret, struct fail *f)
{
	struct logo_facts l = { .blank = true };
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 || !inspect_file(fd, &l) || l.trouble != NULL || l.blank)
		return fail_set(f, SOUK_E_INVALID, "no_mark",
		    "--marks: %.100s: %s; give an image as a logo must be, of 110 to 10,000 pixels "
		    "each way",
		    name, l.trouble == NULL ? "it shows nothing, or cannot be read" : l.trouble);
	ret->name = arena_str(a, without_ending(str_c(name)));
	ret->hash = l.hash;
	return ret->name.p != NULL ? SOUK_OK : SOUK_E_NOMEM;
}

enum souk_err
review_marks_read(const char *folder, struct arena *a, struct review_context *c, struct fail *f)
{
	struct dirent **names = NULL;
	enum souk_err err = logo_start(f);
	int n, dir;

	if (err != SOUK_OK)
		return err;
	n = scandir(folder, &names, is_image, alphasort);
	if (n < 0)
		return fail_set(f, SOUK_E_INVALID, "no_folder",
		    "--marks: %.100s cannot be read; give a folder of images", folder);
	dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	c->marks = arena_array(a, (size_t)n + 1, sizeof(*c->marks));
	if (c->marks == NULL)
		err = fail_set(f, SOUK_E_NOMEM, "out_of_memory", "no memory for the marks");
	for (int i = 0; i < n; i++) {
		if (err == SOUK_OK)
			err = read_mark(dir, names[i]->d_name, a, &c->marks[c->n_marks], f);
		c->n_marks += err == SOUK_OK;
		free(names[i]);
	}
	free(names);
	if (dir >= 0)
		(void)close(dir);
	return err;
}
