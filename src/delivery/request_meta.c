/* SPDX-License-Identifier: Apache-2.0 */
/* What the metadata files of all data sets have in common (specs/psc.md 8, edsp 2). */
#include "delivery/request_job.h"

static void
write_location(struct jw *w, const char *name, struct str bucket, struct str key)
{
	jw_open(w, name, '{');
	jw_str(w, "bucketName", bucket);
	jw_str(w, "key", key);
	jw_close(w, '}');
}

static void
write_parameters(struct jw *w, const struct data_set_request *r, const char *instant)
{
	jw_open(w, "dataSetRequestParameters", '{');
	jw_str(w, "sellerAccountId", str_c(r->seller_id));
	jw_str(w, "dataSetType", r->data_set_type);
	jw_instant(w, instant, r->from_at);
	jw_str(w, "roleNameArn", r->role_arn);
	jw_str(w, "destinationS3BucketName", r->bucket);
	if (r->prefix.p)
		jw_str(w, "destinationS3Prefix", r->prefix);
	jw_str(w, "snsTopicArn", r->topic_arn);
	if (!str_eq(r->customer_values, STR("{}")))
		jw_raw(w, "customerDefinedValues", r->customer_values);
	jw_close(w, '}');
}

void
request_meta_open(const struct data_set_request *r, const char *instant, struct jw *w)
{
	jw_open(w, NULL, '{');
	jw_guid(w, "dataSetRequestId", &r->id);
	jw_open(w, "dataSetCoverageRange", '{');
	jw_instant(w, "startDateTime", r->coverage_start);
	jw_instant(w, "endDateTime", r->coverage_end);
	jw_close(w, '}');
	write_parameters(w, r, instant);
	write_location(w, "dataSetS3Location", r->bucket, r->csv_key);
	write_location(w, "dataSetMetaDataS3Location", r->bucket, r->meta_key);
}

void
request_meta_file(const struct data_set_request *r, const char *why_empty, struct jw *w)
{
	char hash[2 * sizeof(r->csv_sha256) + 1];

	hex_encode(r->csv_sha256, sizeof(r->csv_sha256), hash);
	jw_int(w, "sizeBytes", r->csv_bytes);
	jw_c(w, "sha256", hash);
	if (why_empty)
		jw_c(w, "emptyReason", why_empty);
}
