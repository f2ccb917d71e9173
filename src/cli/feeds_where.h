/* SPDX-License-Identifier: Apache-2.0 */
/* What people name when they say where feeds are: a folder, or s3://BUCKET/PREFIX. */
#ifndef SOUK_CLI_FEEDS_WHERE_H
#define SOUK_CLI_FEEDS_WHERE_H

#include "feeds/source.h"

#define OPT_ENDPOINT_URL 0x380 /* of every command that reads feeds */
#define CLI_ENDPOINT_OPTION                                                                        \
	{                                                                                          \
		"endpoint-url", OPT_ENDPOINT_URL, "URL", 0,                                        \
		    "The store of an s3:// bucket (default: AWS_ENDPOINT_URL, else AWS)", 0        \
	}

/* A feed_opener: `arg` is a const char *, the value of --endpoint-url, or NULL. */
SOUK_MUST enum souk_err feeds_where_open(
    const char *where, void *arg, struct feed_source **ret, struct fail *f);

#endif
