/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Host, path and query of an S3 request. Keys are bytes: nothing is cleaned up, "//" and
 * "../" are part of the key (a key never becomes a file name).
 */
#include "server/s3_request.h"

#include "base/utf8.h"
#include "delivery/object.h"
#include "server/s3_error.h"

/* ---- where ----------------------------------------------------------------------------- */

/* DNS names have no case, bucket names have one. */
static struct str
lower(struct str s, struct arena *mem)
{
	char *p = arena_strndup(mem, s.p, s.n);

	for (size_t i = 0; p && i < s.n; i++)
		if (p[i] >= 'A' && p[i] <= 'Z')
			p[i] = (char)(p[i] - 'A' + 'a');
	return (struct str){ p, p ? s.n : 0 };
}

static enum souk_err
decode(struct str raw, bool plus_is_space, struct arena *mem, struct str *ret, struct fail *f)
{
	char *out = arena_alloc(mem, raw.n + 1);
	size_t n = 0;

	if (!out)
		return s3_fail(f, "SlowDown", NULL);
	if (!percent_decode(raw, plus_is_space, out, &n) || !utf8_valid((struct str){ out, n }))
		return s3_fail(f, "InvalidURI",
		    "Couldn't parse the specified URI: it has to be UTF-8, percent-encoded.");
	*ret = (struct str){ out, n };
	return SOUK_OK;
}

enum souk_err
s3_address_parse(struct str host_bucket, struct str raw_path, struct arena *mem,
    struct s3_address *ret, struct fail *f)
{
	struct s3_address a = { .bucket = STR(""), .key = STR("") };
	struct str rest, part;
	enum souk_err err;

	if (raw_path.n == 0 || raw_path.p[0] != '/')
		return s3_fail(f, "InvalidURI", NULL);
	rest = (struct str){ raw_path.p + 1, raw_path.n - 1 };
	a.virtual_host = host_bucket.n > 0;
	if (a.virtual_host) {
		a.bucket = lower(host_bucket, mem);
	} else if (rest.n > 0) {
		(void)str_split(&rest, '/', &part);
		if ((err = decode(part, false, mem, &a.bucket, f)) != SOUK_OK)
			return err;
	}
	if ((a.virtual_host || raw_path.n > 1) && !bucket_name_valid(a.bucket))
		return s3_fail(f, "InvalidBucketName", NULL);
	if (rest.n > 0 && (err = decode(rest, false, mem, &a.key, f)) != SOUK_OK)
		return err;
	if (a.key.n > OBJECT_KEY_MAX)
		return s3_fail(f, "KeyTooLongError", NULL);
	*ret = a;
	return SOUK_OK;
}

/* ---- parameters ------------------------------------------------------------------------ */

enum souk_err
s3_params_parse(struct str raw_query, struct arena *mem, struct s3_params *ret, struct fail *f)
{
	struct s3_params q = { .n = 0 };
	struct str rest = raw_query, part, name;
	size_t max = 1;
	enum souk_err err;

	for (size_t i = 0; i < raw_query.n; i++)
		max += raw_query.p[i] == '&';
	if (!(q.p = arena_array(mem, max, sizeof(*q.p))))
		return s3_fail(f, "SlowDown", NULL);
	while (str_split(&rest, '&', &part)) {
		if (part.n == 0)
			continue;
		(void)str_split(&part, '=', &name);
		if (!part.p)
			part = STR("");
		if ((err = decode(name, true, mem, &q.p[q.n].name, f)) != SOUK_OK ||
		    (err = decode(part, true, mem, &q.p[q.n].value, f)) != SOUK_OK)
			return err;
		q.n++;
	}
	*ret = q;
	return SOUK_OK;
}

struct str
s3_param(const struct s3_params *q, const char *name)
{
	for (size_t i = 0; i < q->n; i++)
		if (str_eq_c(q->p[i].name, name))
			return q->p[i].value;
	return (struct str){ NULL, 0 };
}

/* ---- which operation ------------------------------------------------------------------- */

/* Parameters that make another operation of the same method and path. */
static const struct {
	const char *param, *what;
} foreign[] = {
	{ "uploads", "multipart upload" },
	{ "uploadId", "multipart upload" },
	{ "partNumber", "multipart upload" },
	{ "delete", "deleting objects" },
	{ "acl", "access control lists" },
	{ "versioning", "versioning" },
	{ "versions", "versioning" },
	{ "versionId", "versioning" },
	{ "tagging", "tagging" },
	{ "policy", "bucket policies" },
	{ "policyStatus", "bucket policies" },
	{ "lifecycle", "lifecycle rules" },
	{ "cors", "CORS rules" },
	{ "website", "website hosting" },
	{ "logging", "bucket logging" },
	{ "notification", "bucket notifications" },
	{ "replication", "replication" },
	{ "encryption", "encryption settings" },
	{ "object-lock", "object lock" },
	{ "legal-hold", "object lock" },
	{ "retention", "object lock" },
	{ "torrent", "torrents" },
	{ "restore", "restoring archived objects" },
	{ "select", "selecting from objects" },
	{ "attributes", "object attributes" },
	{ "accelerate", "transfer acceleration" },
	{ "requestPayment", "requester pays" },
	{ "analytics", "analytics settings" },
	{ "inventory", "inventories" },
	{ "metrics", "metrics settings" },
	{ "intelligent-tiering", "storage tiers" },
	{ "ownershipControls", "ownership controls" },
	{ "publicAccessBlock", "public access settings" },
	{ "session", "directory buckets" },
	{ "renameObject", "renaming objects" },
	{ "append", "appending to objects" },
};

/* What S3 has and souk has not, told by method and target alone. */
static const struct {
	const char *method;
	enum s3_target { ON_SERVICE, ON_BUCKET, ON_OBJECT } target;
	const char *what;
} absent[] = {
	{ "PUT", ON_BUCKET, "making buckets over S3 (sellers do it in the portal or over REST)" },
	{ "DELETE", ON_BUCKET, "deleting buckets over S3" },
	{ "POST", ON_BUCKET, "uploading with a form" },
	{ "DELETE", ON_OBJECT, "deleting objects (they expire)" },
};

static const struct {
	const char *method;
	enum s3_target target;
	enum s3_op op;
} present[] = {
	{ "GET", ON_SERVICE, S3_LIST_BUCKETS },
	{ "GET", ON_BUCKET, S3_LIST_OBJECTS },
	{ "HEAD", ON_BUCKET, S3_HEAD_BUCKET },
	{ "GET", ON_OBJECT, S3_GET_OBJECT },
	{ "HEAD", ON_OBJECT, S3_HEAD_OBJECT },
	{ "PUT", ON_OBJECT, S3_PUT_OBJECT },
};

/* Of an upload, except that whole objects have a part to read, too. */
static bool
names_part(const char *param, struct str method, enum s3_target target)
{
	return strcmp(param, "partNumber") == 0 && target == ON_OBJECT &&
	       (str_eq_c(method, "GET") || str_eq_c(method, "HEAD"));
}

static const char *
foreign_param(struct str method, enum s3_target target, const struct s3_params *q)
{
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		if (s3_param(q, foreign[i].param).p &&
		    !names_part(foreign[i].param, method, target))
			return foreign[i].what;
	return NULL;
}

static enum s3_op
listing_of(const struct s3_params *q)
{
	if (s3_param(q, "location").p)
		return S3_GET_BUCKET_LOCATION;
	return s3_param(q, "list-type").p ? S3_LIST_OBJECTS_V2 : S3_LIST_OBJECTS;
}

enum s3_op
s3_op_of(
    struct str method, const struct s3_address *a, const struct s3_params *q, const char **ret_what)
{
	enum s3_target target = a->key.n > 0 ? ON_OBJECT : a->bucket.n > 0 ? ON_BUCKET : ON_SERVICE;

	*ret_what = target == ON_SERVICE ? NULL : foreign_param(method, target, q);
	if (*ret_what)
		return S3_NOT_IMPLEMENTED;
	for (size_t i = 0; i < sizeof(present) / sizeof(present[0]); i++)
		if (present[i].target == target && str_eq_c(method, present[i].method))
			return present[i].op == S3_LIST_OBJECTS ? listing_of(q) : present[i].op;
	for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++)
		if (absent[i].target == target && str_eq_c(method, absent[i].method)) {
			*ret_what = absent[i].what;
			return S3_NOT_IMPLEMENTED;
		}
	return S3_METHOD_NOT_ALLOWED;
}
