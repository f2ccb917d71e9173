/* SPDX-License-Identifier: Apache-2.0 */
/* Buckets and listings: names, sizes and dates, nothing of what objects hold. */
#include "server/s3_int.h"

#include "server/s3_xml.h"

static void
answer_xml(struct call *c)
{
	c->response.status = 200;
	http_response_header(&c->response, "x-amz-id-2", S3_HOST_ID);
}

enum souk_err
s3_bucket(struct call *c, struct db_tx *tx, struct bucket *ret)
{
	enum souk_err err = bucket_get(tx, c->scope, s3_of(c)->at.bucket, ret);

	return err == SOUK_E_NOT_FOUND ? s3_fail(&c->fail, "NoSuchBucket", NULL) : err;
}

enum souk_err
s3_list_buckets(struct call *c, struct db_tx *tx)
{
	struct str account = tenant_account(c->scope);
	struct bucket *buckets = NULL;
	size_t n = 0;
	enum souk_err err;

	/* Who is no seller has none. */
	err = bucket_list(tx, c->scope, account, c->arena, &buckets, &n);
	if (err != SOUK_OK && err != SOUK_E_NOT_FOUND)
		return err;
	answer_xml(c);
	s3_xml_buckets(&c->out, account, s3_param(&s3_of(c)->params, "prefix"), buckets, n);
	return SOUK_OK;
}

enum souk_err
s3_get_bucket_location(struct call *c, struct db_tx *tx)
{
	struct bucket b;
	enum souk_err err;

	if ((err = s3_bucket(c, tx, &b)) != SOUK_OK)
		return err;
	answer_xml(c);
	s3_xml_location(&c->out, str_c(c->svc->region));
	return SOUK_OK;
}

enum souk_err
s3_head_bucket(struct call *c, struct db_tx *tx)
{
	struct bucket b;
	enum souk_err err;

	if ((err = s3_bucket(c, tx, &b)) != SOUK_OK)
		return err;
	answer_xml(c);
	http_response_header(&c->response, "x-amz-bucket-region", c->svc->region);
	return SOUK_OK;
}

enum souk_err
s3_list_objects(struct call *c, struct db_tx *tx)
{
	const struct s3_call *s = s3_of(c);
	struct s3_list_args args;
	struct object_list l;
	struct bucket b;
	enum souk_err err;

	if ((err = s3_list_parse(
		 &s->params, s->op == S3_LIST_OBJECTS_V2, c->arena, &args, &c->fail)) != SOUK_OK ||
	    (err = s3_bucket(c, tx, &b)) != SOUK_OK)
		return err;
	l = (struct object_list){ .bucket = s->at.bucket,
		.prefix = args.prefix,
		.delimiter = args.delimiter,
		.after = args.after,
		.max_keys = args.max_keys };
	if ((err = object_list(tx, c->scope, c->arena, &l)) != SOUK_OK)
		return err;
	answer_xml(c);
	http_response_header(&c->response, "x-amz-bucket-region", c->svc->region);
	s3_xml_list(&c->out, str_c(b.seller_id), &args, &l);
	return SOUK_OK;
}
