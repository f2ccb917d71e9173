/* SPDX-License-Identifier: Apache-2.0 */
/* The metadata file: what the specification names, then what souk adds (specs/psc.md 8). */
#include "psc/export_meta.h"

static void
write_location(struct jw *w, const char *name, struct str bucket, struct str key)
{
	jw_open(w, name, '{');
	jw_str(w, "bucketName", bucket);
	jw_str(w, "key", key);
	jw_close(w, '}');
}

static void
write_parameters(struct jw *w, const struct data_set_request *r)
{
	jw_open(w, "dataSetRequestParameters", '{');
	jw_str(w, "sellerAccountId", str_c(r->seller_id));
	jw_str(w, "dataSetType", r->data_set_type);
	jw_instant(w, "fromDate", r->from_at);
	jw_str(w, "roleNameArn", r->role_arn);
	jw_str(w, "destinationS3BucketName", r->bucket);
	if (r->prefix.p)
		jw_str(w, "destinationS3Prefix", r->prefix);
	jw_str(w, "snsTopicArn", r->topic_arn);
	if (!str_eq(r->customer_values, STR("{}")))
		jw_raw(w, "customerDefinedValues", r->customer_values);
	jw_close(w, '}');
}

static void
write_facts(struct jw *w, const struct data_set_request *r, const char *why_empty)
{
	char hash[2 * sizeof(r->csv_sha256) + 1];

	hex_encode(r->csv_sha256, sizeof(r->csv_sha256), hash);
	jw_c(w, "schemaId", PSC_SCHEMA_ID);
	jw_open(w, "rowCounts", '{');
	jw_int(w, "create", r->rows_create);
	jw_int(w, "update", r->rows_update);
	jw_int(w, "delete", r->rows_delete);
	jw_close(w, '}');
	jw_int(w, "sizeBytes", r->csv_bytes);
	jw_c(w, "sha256", hash);
	if (why_empty)
		jw_c(w, "emptyReason", why_empty);
}

void
export_meta_write(const struct data_set_request *r, const char *why_empty, struct buf *out)
{
	struct jw w;

	jw_init(&w, out);
	jw_open(&w, NULL, '{');
	jw_guid(&w, "dataSetRequestId", &r->id);
	jw_open(&w, "dataSetCoverageRange", '{');
	jw_instant(&w, "startDateTime", r->coverage_start);
	jw_instant(&w, "endDateTime", r->coverage_end);
	jw_close(&w, '}');
	write_parameters(&w, r);
	write_location(&w, "dataSetS3Location", r->bucket, r->csv_key);
	write_location(&w, "dataSetMetaDataS3Location", r->bucket, r->meta_key);
	jw_instant(&w, "requestReceivedDateTime", r->received_at);
	jw_instant(&w, "requestCompletedDateTime", r->completed_at);
	write_facts(&w, r, why_empty);
	jw_close(&w, '}');
	buf_add_char(out, '\n');
}
