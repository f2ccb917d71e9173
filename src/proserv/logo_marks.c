/* SPDX-License-Identifier: Apache-2.0 */
/* Images in files: reserved marks; see logo_kept.h. */
#include "proserv/logo_kept.h"

#include "base/utf8.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

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

bool
logo_inspect_file(int fd, struct logo_facts *ret)
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
read_mark(const char *option, int dir, const char *name, struct arena *mem, struct logo_known *ret,
    struct fail *f)
{
	struct logo_facts l = { .blank = true };
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 || !logo_inspect_file(fd, &l) || l.trouble != NULL || l.blank)
		return fail_set(f, SOUK_E_INVALID, "no_mark",
		    "%s: %.100s: %s; give an image as a logo must be, of 110 to 10,000 pixels "
		    "each way",
		    option, name,
		    l.trouble == NULL ? "it shows nothing, or cannot be read" : l.trouble);
	ret->name = arena_str(mem, without_ending(str_c(name)));
	ret->hash = l.hash;
	return ret->name.p != NULL ? SOUK_OK : SOUK_E_NOMEM;
}

enum souk_err
logo_marks_read(const char *option, const char *folder, struct arena *mem, struct review_context *c,
    struct fail *f)
{
	struct dirent **names = NULL;
	enum souk_err err = logo_start(f);
	int n, dir;

	if (err != SOUK_OK)
		return err;
	n = scandir(folder, &names, is_image, alphasort);
	if (n < 0)
		return fail_set(f, SOUK_E_INVALID, "no_folder",
		    "%s: %.100s cannot be read; give a folder of images", option, folder);
	dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	c->marks = arena_array(mem, (size_t)n + 1, sizeof(*c->marks));
	if (c->marks == NULL)
		err = fail_set(f, SOUK_E_NOMEM, "out_of_memory", "no memory for the marks");
	for (int i = 0; i < n; i++) {
		if (err == SOUK_OK)
			err =
			    read_mark(option, dir, names[i]->d_name, mem, &c->marks[c->n_marks], f);
		c->n_marks += err == SOUK_OK;
		free(names[i]);
	}
	free(names);
	if (dir >= 0)
		(void)close(dir);
	return err;
}
