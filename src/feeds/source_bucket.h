/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Feed files in a bucket of an S3 store, read where they are.
 *
 * Files are read in pieces, ahead of who wants them and several at once, so that a report is not slower than the
 * line to the store allows; no more than SOURCE_BUCKET_BYTES of them are in memory at a time. What is listed is what is
 * read: a file that is replaced meanwhile is an error, not a mixture of two. A request that fails is sent again a few times
 * (delivery/s3_client.h); errors name the file.
 */
#ifndef SOUK_FEEDS_SOURCE_BUCKET_H
#define SOUK_FEEDS_SOURCE_BUCKET_H

#include "delivery/s3_client.h"
#include "feeds/source.h"

#define SOURCE_BUCKET_BYTES ((size_t)96 << 20)

/*
 * The feeds whose keys begin with `prefix` ("" the bucket's root; a slash at its end may be left out). Takes the client
 * over, also on failure. What else is in the bucket is passed over. Errors: those of feed_source_folder, and the store's.
 */
SOUK_MUST enum souk_err feed_source_bucket(
    struct s3_client *client, const char *prefix, struct feed_source **ret, struct fail *f);

#endif
