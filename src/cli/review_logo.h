/* SPDX-License-Identifier: Apache-2.0 */
/* Logos beside the documents that name them. */
#ifndef SOUK_CLI_REVIEW_LOGO_H
#define SOUK_CLI_REVIEW_LOGO_H

#include "proserv/review.h"

/*
 * The facts of the logo that a document names: `file` is a path below the folder of `document`, without ".." and
 * without symbolic links on its way. SOUK_E_INVALID with the field /logo/file when it is none or cannot be read; no more
 * than LOGO_BYTES_MAX bytes of it are looked at.
 */
SOUK_MUST enum souk_err review_logo_read(
    const char *document, struct str file, struct logo_facts *ret, struct fail *f);

#endif
