/* SPDX-License-Identifier: Apache-2.0 */
/* Logos beside the documents that name them, and the folder of reserved marks. */
#ifndef SOUK_CLI_REVIEW_LOGO_H
#define SOUK_CLI_REVIEW_LOGO_H

#include "base/arena.h"
#include "proserv/review.h"

/*
 * The facts of the logo that a document names: `file` is a path below the folder of `document`, without ".." and
 * without symbolic links on its way. SOUK_E_INVALID with the field /logo/file when it is none or cannot be read; no more
 * than LOGO_BYTES_MAX bytes of it are looked at.
 */
SOUK_MUST enum souk_err review_logo_read(
    const char *document, struct str file, struct logo_facts *ret, struct fail *f);

/*
 * Reads every .png, .jpg, .jpeg and .gif of the folder into c->marks, each named as its file without the ending.
 * SOUK_E_INVALID with the file's name when one is no image that can be compared.
 */
SOUK_MUST enum souk_err review_marks_read(
    const char *folder, struct arena *a, struct review_context *c, struct fail *f);

#endif
