/* SPDX-License-Identifier: Apache-2.0 */
/* Files to review; see review_files.h. */
#include "cli/review_files.h"

#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <sys/stat.h>

static enum souk_err
add(struct review_files *l, const char *path, struct fail *f)
{
	if (l->n == l->cap) {
		size_t cap = l->cap > 0 ? 2 * l->cap : 64;
		char **grown = reallocarray(l->path, cap, sizeof(*grown));

		if (grown == NULL)
			return fail_set(
			    f, SOUK_E_NOMEM, "out_of_memory", "no memory for the list of files");
		l->path = grown;
		l->cap = cap;
	}
	l->path[l->n] = strdup(path);
	if (l->path[l->n] == NULL)
		return fail_set(
		    f, SOUK_E_NOMEM, "out_of_memory", "no memory for the list of files");
	l->n++;
	return SOUK_OK;
}

static enum souk_err
cannot_read(struct fail *f, const char *path, int error)
{
	return fail_set(f, SOUK_E_STORAGE, "unreadable", "%.150s: cannot be read (%s)", path,
	    strerrordesc_np(error));
}

static enum souk_err
visit(struct review_files *l, const FTSENT *e, struct fail *f)
{
	switch (e->fts_info) {
	case FTS_DNR:
	case FTS_ERR:
	case FTS_NS:
		return cannot_read(f, e->fts_path, e->fts_errno);
	case FTS_F:
	case FTS_SL:
	case FTS_SLNONE:
		return str_ends(str_c(e->fts_name), STR(".json")) ? add(l, e->fts_path, f)
								  : SOUK_OK;
	default:
		return SOUK_OK;
	}
}

static enum souk_err
add_folder(struct review_files *l, const char *dir, struct fail *f)
{
	char *path = strdup(dir);
	char *paths[] = { path, NULL };
	FTS *walk = path != NULL ? fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL) : NULL;
	enum souk_err r = walk != NULL ? SOUK_OK : cannot_read(f, dir, errno);
	size_t before = l->n;

	for (FTSENT *e; r == SOUK_OK && (e = fts_read(walk)) != NULL;)
		r = visit(l, e, f);
	if (walk != NULL)
		(void)fts_close(walk);
	free(path);
	if (r == SOUK_OK && l->n == before)
		return fail_set(f, SOUK_E_NOT_FOUND, "no_files",
		    "%.150s: has no file that ends in .json; give the folder with the listings",
		    dir);
	return r;
}

enum souk_err
review_files_add(struct review_files *l, const char *path, struct fail *f)
{
	struct stat st;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return add_folder(l, path, f);
	return add(l, path, f); /* what is not there is told when it is read */
}

static int
by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void
review_files_sort(struct review_files *l)
{
	if (l->n > 1)
		qsort(l->path, l->n, sizeof(*l->path), by_bytes);
}

void
review_files_done(struct review_files *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->path[i]);
	free(l->path);
	*l = (struct review_files){ 0 };
}
