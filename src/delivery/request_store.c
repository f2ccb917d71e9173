/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of data set requests: table data_set_request. */
#include "delivery/request_int.h"

enum {
	Q_INSERT,
	Q_LOAD,
	Q_KIND,
	Q_DELIVERED,
	Q_FAILED,
	Q_AGAIN,
	Q_PAGE_FIRST,
	Q_PAGE_NEXT,
	Q_OLDEST,
	Q_WAITING,
	Q__COUNT
};

#define COLUMNS                                                                                    \
	" request_id, data_set_type, from_at, coverage_start, coverage_end, role_arn, bucket,"     \
	" prefix, topic_arn, customer_values, requested_by, received_at, completed_at, state,"     \
	" reason, rows_create, rows_update, rows_delete, csv_key, meta_key, csv_sha256, "          \
	"csv_bytes,"                                                                               \
	" store"                                                                                   \
	" FROM data_set_request WHERE seller_id = $1"

/* Columns of COLUMNS. */
enum {
	C_ID,
	C_TYPE,
	C_FROM,
	C_START,
	C_END,
	C_ROLE,
	C_BUCKET,
	C_PREFIX,
	C_TOPIC,
	C_VALUES,
	C_BY,
	C_RECEIVED,
	C_COMPLETED,
	C_STATE,
	C_REASON,
	C_CREATE,
	C_UPDATE,
	C_DELETE,
	C_CSV_KEY,
	C_META_KEY,
	C_SHA256,
	C_BYTES,
	C_STORE
};

static const char *const sql[Q__COUNT] = {
	[Q_INSERT] = "INSERT INTO data_set_request (seller_id, request_id, data_set_type, job_kind,"
		     " from_at, coverage_start, coverage_end, role_arn, bucket, prefix, topic_arn,"
		     " customer_values, requested_by, received_at, state)"
		     " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,"
		     " 'waiting')",
	[Q_LOAD] = "SELECT" COLUMNS " AND request_id = $2",
	[Q_KIND] = "SELECT job_kind FROM data_set_request WHERE seller_id = $1 AND request_id = $2",
	[Q_DELIVERED] = "UPDATE data_set_request SET state = 'delivered', coverage_start = $1,"
			" coverage_end = $2, completed_at = $3, reason = $4, rows_create = $5,"
			" rows_update = $6, rows_delete = $7, csv_key = $8, meta_key = $9,"
			" csv_sha256 = $10, csv_bytes = $11, store = $12"
			" WHERE seller_id = $13 AND request_id = $14 AND state = 'waiting'",
	[Q_FAILED] = "UPDATE data_set_request SET state = 'failed', completed_at = $1, reason = $2"
		     " WHERE seller_id = $3 AND request_id = $4 AND state = 'waiting'",
	[Q_AGAIN] = "UPDATE data_set_request SET state = 'waiting', completed_at = NULL,"
		    " reason = NULL"
		    " WHERE seller_id = $1 AND request_id = $2 AND state = 'failed'",
	[Q_PAGE_FIRST] = "SELECT" COLUMNS " ORDER BY received_at DESC, request_id DESC LIMIT $2",
	[Q_PAGE_NEXT] = "SELECT" COLUMNS " AND (received_at, request_id) < ($2, $3)"
			" ORDER BY received_at DESC, request_id DESC LIMIT $4",
	/* fan-out: housekeeping asks how far back any export may still look */
	[Q_OLDEST] = "SELECT min(coverage_end) FROM ("
		     "SELECT coverage_end, job_kind FROM data_set_request"
		     " WHERE state = 'waiting' UNION ALL "
		     "SELECT coverage_end, job_kind FROM data_set_request"
		     " WHERE state = 'failed' AND completed_at > $1) AS open"
		     " WHERE job_kind = $2 OR job_kind = $3",
	/* data_set_request_waiting: few, whatever the seller ever asked for */
	[Q_WAITING] = "SELECT count(*) FROM data_set_request"
		      " WHERE seller_id = $1 AND state = 'waiting'",
};

struct db_texts request_texts = { .component = "request", .sql = sql, .n = Q__COUNT };

enum souk_err
request_row_insert(struct db_tx *tx, const struct data_set_request *r, const char *job_kind)
{
	struct db_stmt *st = db_stmt(tx, &request_texts, Q_INSERT);

	db_bind_c(st, 1, r->seller_id);
	db_bind_guid(st, 2, &r->id);
	db_bind_text(st, 3, r->data_set_type);
	db_bind_c(st, 4, job_kind);
	db_bind_int(st, 5, r->from_at);
	db_bind_int(st, 6, r->coverage_start);
	db_bind_int(st, 7, r->coverage_end);
	db_bind_text(st, 8, r->role_arn);
	db_bind_text(st, 9, r->bucket);
	if (r->prefix.p)
		db_bind_text(st, 10, r->prefix);
	else
		db_bind_null(st, 10);
	db_bind_text(st, 11, r->topic_arn);
	db_bind_text(st, 12, r->customer_values.n > 0 ? r->customer_values : STR("{}"));
	db_bind_text(st, 13, r->requested_by.p ? r->requested_by : STR(""));
	db_bind_int(st, 14, r->received_at);
	return db_run(st, NULL);
}

/* False when out of memory. NULL columns read as empty text. */
static bool
take(struct db_stmt *st, int col, struct arena *mem, struct str *ret)
{
	*ret = arena_str(mem, db_text(st, col));
	return ret->p != NULL;
}

static enum souk_err
read_row(struct db_stmt *st, struct arena *mem, struct data_set_request *r)
{
	struct str sha = db_blob(st, C_SHA256);

	r->id = db_guid(st, C_ID);
	r->from_at = db_int(st, C_FROM);
	r->coverage_start = db_int(st, C_START);
	r->coverage_end = db_int(st, C_END);
	r->received_at = db_int(st, C_RECEIVED);
	r->completed_at = db_int(st, C_COMPLETED);
	r->rows_create = db_int(st, C_CREATE);
	r->rows_update = db_int(st, C_UPDATE);
	r->rows_delete = db_int(st, C_DELETE);
	r->csv_bytes = db_int(st, C_BYTES);
	if (sha.n == sizeof(r->csv_sha256))
		memcpy(r->csv_sha256, sha.p, sha.n);
	if (!take(st, C_TYPE, mem, &r->data_set_type) || !take(st, C_ROLE, mem, &r->role_arn) ||
	    !take(st, C_BUCKET, mem, &r->bucket) || !take(st, C_TOPIC, mem, &r->topic_arn) ||
	    !take(st, C_VALUES, mem, &r->customer_values) ||
	    !take(st, C_BY, mem, &r->requested_by) || !take(st, C_STATE, mem, &r->state) ||
	    !take(st, C_REASON, mem, &r->reason) || !take(st, C_CSV_KEY, mem, &r->csv_key) ||
	    !take(st, C_META_KEY, mem, &r->meta_key) || !take(st, C_STORE, mem, &r->store))
		return SOUK_E_NOMEM;
	if (!db_is_null(st, C_PREFIX) && !take(st, C_PREFIX, mem, &r->prefix))
		return SOUK_E_NOMEM;
	return SOUK_OK;
}

enum souk_err
request_row_load(struct db_tx *tx, struct str seller_id, const struct guid *id, struct arena *mem,
    struct data_set_request *ret)
{
	struct db_stmt *st = db_stmt(tx, &request_texts, Q_LOAD);
	struct data_set_request r = { 0 };
	enum souk_err err;

	db_bind_text(st, 1, seller_id);
	db_bind_guid(st, 2, id);
	if ((err = db_one(st)) == SOUK_OK && (err = read_row(st, mem, &r)) == SOUK_OK) {
		memcpy(r.seller_id, seller_id.p,
		    seller_id.n < ACCOUNT_ID_LEN ? seller_id.n : ACCOUNT_ID_LEN);
		*ret = r;
	}
	db_reset(st);
	return err;
}

enum souk_err
request_row_kind(struct db_tx *tx, struct str seller_id, const struct guid *id, struct buf *ret)
{
	struct db_stmt *st = db_stmt(tx, &request_texts, Q_KIND);
	enum souk_err err;

	db_bind_text(st, 1, seller_id);
	db_bind_guid(st, 2, id);
	if ((err = db_one(st)) == SOUK_OK) {
		buf_add_str(ret, db_text(st, 0));
		err = buf_ok(ret) ? SOUK_OK : SOUK_E_NOMEM;
	}
	db_reset(st);
	return err;
}

/* One row or it was in another state. */
static enum souk_err
run_one(struct db_stmt *st)
{
	int64_t n = 0;
	enum souk_err err;

	if ((err = db_run(st, &n)) != SOUK_OK)
		return err;
	return n == 1 ? SOUK_OK : SOUK_E_CONFLICT;
}

enum souk_err
request_row_delivered(struct db_tx *tx, const struct data_set_request *r)
{
	struct db_stmt *st = db_stmt(tx, &request_texts, Q_DELIVERED);

	db_bind_int(st, 1, r->coverage_start);
	db_bind_int(st, 2, r->coverage_end);
	db_bind_int(st, 3, r->completed_at != 0 ? r->completed_at : db_now(tx));
	if (r->reason.n > 0)
		db_bind_text(st, 4, r->reason);
	else
		db_bind_null(st, 4);
	db_bind_int(st, 5, r->rows_create);
	db_bind_int(st, 6, r->rows_update);
	db_bind_int(st, 7, r->rows_delete);
	db_bind_text(st, 8, r->csv_key);
	db_bind_text(st, 9, r->meta_key);
	db_bind_blob(st, 10, r->csv_sha256, sizeof(r->csv_sha256));
	db_bind_int(st, 11, r->csv_bytes);
	db_bind_c(st, 12, r->store.n > 0 ? r->store.p : NULL);
	db_bind_c(st, 13, r->seller_id);
	db_bind_guid(st, 14, &r->id);
	return run_one(st);
}

enum souk_err
request_row_failed(struct db_tx *tx, const struct data_set_request *r, struct str reason)
{
	struct db_stmt *st = db_stmt(tx, &request_texts, Q_FAILED);

	db_bind_int(st, 1, db_now(tx));
	db_bind_text(st, 2, reason);
	db_bind_c(st, 3, r->seller_id);
	db_bind_guid(st, 4, &r->id);
	return run_one(st);
}

enum souk_err
request_row_again(struct db_tx *tx, const struct data_set_request *r)
{
	struct db_stmt *st = db_stmt(tx, &request_texts, Q_AGAIN);

	db_bind_c(st, 1, r->seller_id);
	db_bind_guid(st, 2, &r->id);
	return run_one(st);
}

enum souk_err
request_oldest_coverage(struct db_tx *tx, const char *kind, const char *other_kind, instant_t *ret)
{
	struct db_stmt *st = db_stmt(tx, &request_texts, Q_OLDEST);
	enum souk_err err;

	/* An hour more: what may be tried again now is not looked at by another clock. */
	db_bind_int(st, 1, db_now(tx) - REQUEST_RETRY_MS - HOUR_MS);
	db_bind_c(st, 2, kind);
	db_bind_c(st, 3, other_kind);
	if ((err = db_one(st)) == SOUK_OK)
		*ret = db_is_null(st, 0) ? INSTANT_MAX : db_int(st, 0);
	db_reset(st);
	return err;
}

/* ---- as JSON ---- */

static void
result_json(struct db_stmt *st, struct jw *out)
{
	struct str sha = db_blob(st, C_SHA256);
	char hex[65] = "";

	if (sha.n == 32)
		hex_encode(sha.p, sha.n, hex);
	jw_open(out, "rowCounts", '{');
	jw_int(out, "create", db_int(st, C_CREATE));
	jw_int(out, "update", db_int(st, C_UPDATE));
	jw_int(out, "delete", db_int(st, C_DELETE));
	jw_close(out, '}');
	jw_str(out, "csvKey", db_text(st, C_CSV_KEY));
	jw_str(out, "metaKey", db_text(st, C_META_KEY));
	jw_c(out, "csvSha256", hex);
	jw_int(out, "csvBytes", db_int(st, C_BYTES));
	jw_str_opt(out, "s3Endpoint", db_text(st, C_STORE));
}

static void
members_json(struct db_stmt *st, struct jw *out)
{
	struct guid id = db_guid(st, C_ID);

	jw_guid(out, "dataSetRequestId", &id);
	jw_str(out, "dataSetType", db_text(st, C_TYPE));
	jw_str(out, "state", db_text(st, C_STATE));
	jw_str_opt(out, "reason", db_text(st, C_REASON));
	jw_instant(out, "fromDate", db_int(st, C_FROM));
	jw_open(out, "dataSetCoverageRange", '{');
	jw_instant(out, "startDateTime", db_int(st, C_START));
	jw_instant(out, "endDateTime", db_int(st, C_END));
	jw_close(out, '}');
	jw_str(out, "roleNameArn", db_text(st, C_ROLE));
	jw_str(out, "destinationS3BucketName", db_text(st, C_BUCKET));
	if (!db_is_null(st, C_PREFIX))
		jw_str(out, "destinationS3Prefix", db_text(st, C_PREFIX));
	jw_str(out, "snsTopicArn", db_text(st, C_TOPIC));
	jw_raw(out, "customerDefinedValues", db_text(st, C_VALUES));
	jw_str(out, "requestedBy", db_text(st, C_BY));
	jw_instant(out, "receivedAt", db_int(st, C_RECEIVED));
	if (!db_is_null(st, C_COMPLETED))
		jw_instant(out, "completedAt", db_int(st, C_COMPLETED));
	if (!db_is_null(st, C_CSV_KEY))
		result_json(st, out);
}

#define PAGE_KEY_LEN 24 /* received_at, request_id */

static size_t
emit(struct db_stmt *st, struct jw *out, void *key)
{
	int64_t at = db_int(st, C_RECEIVED);
	struct guid id = db_guid(st, C_ID);

	jw_open(out, NULL, '{');
	members_json(st, out);
	jw_close(out, '}');
	memcpy(key, &at, sizeof(at));
	memcpy((char *)key + sizeof(at), id.b, sizeof(id.b));
	return PAGE_KEY_LEN;
}

enum souk_err
request_rows_page(struct db_tx *tx, struct str seller_id, struct page *p, struct arena *mem,
    struct jw *out, struct fail *f)
{
	uint8_t key[PAGE_KEY_LEN];
	struct db_stmt *st;
	struct guid id;
	int64_t at;
	size_t n;
	enum souk_err err;

	if ((err = page_begin(p, key, sizeof(key), &n, f)) != SOUK_OK)
		return err;
	if (n != 0 && n != sizeof(key))
		return fail_field(f, "cursor", "is not one of a page", "leave it out");
	st = db_stmt(tx, &request_texts, n == 0 ? Q_PAGE_FIRST : Q_PAGE_NEXT);
	db_bind_text(st, 1, seller_id);
	if (n == 0) {
		db_bind_int(st, 2, (int64_t)p->limit + 1);
		return page_rows(p, st, emit, mem, out);
	}
	memcpy(&at, key, sizeof(at));
	memcpy(id.b, key + sizeof(at), sizeof(id.b));
	db_bind_int(st, 2, at);
	db_bind_guid(st, 3, &id);
	db_bind_int(st, 4, (int64_t)p->limit + 1);
	return page_rows(p, st, emit, mem, out);
}

enum souk_err
request_row_json(struct db_tx *tx, struct str seller_id, const struct guid *id, struct jw *out)
{
	struct db_stmt *st = db_stmt(tx, &request_texts, Q_LOAD);
	enum souk_err err;

	db_bind_text(st, 1, seller_id);
	db_bind_guid(st, 2, id);
	if ((err = db_one(st)) == SOUK_OK)
		members_json(st, out);
	db_reset(st);
	return err;
}

enum souk_err
request_row_waiting(struct db_tx *tx, struct str seller_id, int64_t *ret)
{
	struct db_stmt *st = db_stmt(tx, &request_texts, Q_WAITING);
	enum souk_err err;

	db_bind_text(st, 1, seller_id);
	if ((err = db_one(st)) == SOUK_OK)
		*ret = db_int(st, 0);
	db_reset(st);
	return err;
}
