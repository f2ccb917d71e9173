/* SPDX-License-Identifier: Apache-2.0 */
/* souk import feeds: a seller's folder of data feeds, kept for its data sets. */
#ifndef SOUK_CLI_IMPORT_FEEDS_H
#define SOUK_CLI_IMPORT_FEEDS_H

#include "server/installation.h"

/*
 * Checks the feeds below `dir` (feeds/check.h), says what is wrong, and keeps all files or none.
 * Returns an exit status.
 */
int import_feeds(struct installation *in, const char *seller, const char *dir, bool json);

#endif
