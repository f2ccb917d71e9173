/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/feeds_where.h"

#include "delivery/s3_profile.h"
#include "feeds/source_bucket.h"

#include <stdlib.h>

#define SCHEME "s3://"

enum souk_err
feeds_where_open(const char *where, void *arg, struct feed_source **ret, struct fail *f)
{
	struct s3_client *client = NULL;
	struct str rest, name;
	char *bucket;
	enum souk_err err;

	if (strncmp(where, SCHEME, strlen(SCHEME)) != 0)
		return feed_source_folder(where, ret, f);
	rest = str_c(where + strlen(SCHEME));
	(void)str_split(&rest, '/', &name);
	if (!(bucket = strndup(name.p, name.n)))
		return fail_set(f, SOUK_E_NOMEM, "out_of_memory", "out of memory");
	err = s3_profile_client(bucket, "s3://BUCKET", arg, "--endpoint-url", &client, f);
	if (err == SOUK_OK)
		err = feed_source_bucket(client, rest.p ? rest.p : "", ret, f);
	free(bucket);
	return err;
}
