/* SPDX-License-Identifier: Apache-2.0 */
/* Which files `souk review` is asked for: files as they are, of folders everything below that ends in ".json". */
#ifndef SOUK_CLI_REVIEW_FILES_H
#define SOUK_CLI_REVIEW_FILES_H

#include "base/str.h"

struct review_files {
	char **path;
	size_t n, cap;
};

/* Adds FILE or what is in DIR. Errors name the path; a folder without any such file is one. Links to folders are not followed. */
SOUK_MUST enum souk_err review_files_add(struct review_files *l, const char *path, struct fail *f);
void review_files_sort(struct review_files *l); /* by their bytes */
void review_files_done(struct review_files *l);

#endif
