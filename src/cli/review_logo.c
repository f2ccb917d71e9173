/* SPDX-License-Identifier: Apache-2.0 */
/* Logos as files; see review_logo.h. */
#include "cli/review_logo.h"

#include "proserv/logo_kept.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
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
	if (!logo_inspect_file(fd, ret))
		return fail_field(f, "/logo/file", "cannot be read", "give a regular file");
	return SOUK_OK;
}
