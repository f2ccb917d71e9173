/* SPDX-License-Identifier: Apache-2.0 */
/* souk import feeds: a seller's folder of data feeds, kept for its data sets. */
#ifndef SOUK_CLI_IMPORT_FEEDS_H
#define SOUK_CLI_IMPORT_FEEDS_H

#include "server/installation.h"

struct import_feeds_options {
	const char *seller;
	const char *where;   /* a folder, or s3://BUCKET/PREFIX */
	char *endpoint;      /* of the bucket's store, NULL */
	bool lenient;        /* rows that cannot be read are set aside; other findings are told */
	const char *rejects; /* where to, NULL: nowhere */
	bool json;
};

/*
 * Checks the feeds (feeds/check.h), says what is wrong, and keeps all files or none. Returns an exit
 * status.
 */
int import_feeds(struct installation *in, const struct import_feeds_options *o);

#endif
