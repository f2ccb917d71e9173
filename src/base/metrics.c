/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metrics: one row a metric, one fixed series per combination of label words.
 *
 * Label words stand here and nowhere else, so nothing that came from outside can
 * become one and the number of series never grows.
 */
#include "base/metrics.h"

#include <assert.h>
#include <inttypes.h>
#include <stdatomic.h>

#define SERIES_MAX 25 /* FAM__COUNT * MSTATUS__COUNT is the largest */

enum metric_kind { KIND_COUNTER, KIND_GAUGE, KIND_HISTOGRAM };

struct label {
	const char *name; /* NULL: the metric does not have this label */
	const char *const *words;
	unsigned n;
};

struct metric_row {
	const char *name;
	enum metric_kind kind;
	struct label label[2]; /* series index: first * second.n + second */
	const char *help;
};

static const char *const families[FAM__COUNT] = {
	[FAM_REST] = "rest",
	[FAM_JSON] = "json",
	[FAM_S3] = "s3",
	[FAM_SNS] = "sns",
	[FAM_OPS] = "ops",
};
static const char *const statuses[MSTATUS__COUNT] = { "1xx", "2xx", "3xx", "4xx", "5xx" };
static const char *const outcomes[OUT__COUNT] = {
	[OUT_DONE] = "done",
	[OUT_RETRY] = "retry",
	[OUT_DEAD] = "dead",
};
static const char *const jobs[MJOB__COUNT] = {
	[MJOB_EXPORT] = "export",
	[MJOB_NOTIFY] = "notify",
	[MJOB_CONFIRM] = "confirm",
	[MJOB_MAIL] = "mail",
	[MJOB_HOUSEKEEPING] = "housekeeping",
	[MJOB_OTHER] = "other",
};
static const char *const operations[MOP__COUNT] = {
	[MOP_CREATE] = "create",
	[MOP_UPDATE] = "update",
	[MOP_DELETE] = "delete",
};
static const char *const reasons[MAUTH__COUNT] = {
	[MAUTH_MISSING] = "missing",
	[MAUTH_MALFORMED] = "malformed",
	[MAUTH_BAD] = "bad",
	[MAUTH_CLOCK] = "clock",
	[MAUTH_DENIED] = "denied",
};
static const char *const versions[] = { SOUK_VERSION };
static const char *const queues[MQUEUE__COUNT] = {
	[MQUEUE_WAITING] = "waiting",
	[MQUEUE_RUNNING] = "running",
	[MQUEUE_DEAD] = "dead",
};
static const char *const uses[MUSE__COUNT] = {
	[MUSE_READ] = "read",
	[MUSE_WRITE] = "write",
	[MUSE_LISTEN] = "listen",
};
static const char *const retries[MRETRY__COUNT] = {
	[MRETRY_CONFLICT] = "conflict",
	[MRETRY_CONNECTION] = "connection",
};
static const char *const faults[MFAULT__COUNT] = {
	[MFAULT_OTHER] = "other",
	[MFAULT_AWAY] = "away",
	[MFAULT_READ_ONLY] = "read_only",
	[MFAULT_FULL] = "full",
	[MFAULT_CONFLICT] = "conflict",
	[MFAULT_LOCK] = "lock",
	[MFAULT_SLOW] = "slow",
	[MFAULT_DISK] = "disk",
	[MFAULT_REFUSED] = "refused",
	[MFAULT_UNCERTAIN] = "uncertain",
};
static const char *const store_errors[MSTORE__COUNT] = {
	[MSTORE_PASSING] = "passing",
	[MSTORE_LASTING] = "lasting",
};
static const char *const directions[MDIR__COUNT] = { [MDIR_IN] = "in", [MDIR_OUT] = "out" };

#define LABEL(name, words)                                                                         \
	{                                                                                          \
		(name), (words), sizeof(words) / sizeof((words)[0])                                \
	}

static const struct metric_row rows[MET__COUNT] = {
	[MET_INFO] = { "souk_info", KIND_GAUGE, { LABEL("version", versions) },
	    "1; the label says which program this node runs." },
	[MET_HTTP_REQUESTS] = { "souk_http_requests_total", KIND_COUNTER,
	    { LABEL("family", families), LABEL("status", statuses) },
	    "HTTP requests answered, by interface and status class." },
	[MET_HTTP_SECONDS] = { "souk_http_request_duration_seconds", KIND_HISTOGRAM,
	    { LABEL("family", families) }, "Time from a request's first byte to its answer." },
	[MET_AUTH_REFUSED] = { "souk_auth_refused_total", KIND_COUNTER,
	    { LABEL("reason", reasons) },
	    "Requests refused because of who called or what they may do." },
	[MET_JOBS_DONE] = { "souk_jobs_total", KIND_COUNTER,
	    { LABEL("job", jobs), LABEL("outcome", outcomes) },
	    "Job runs that ended, by outcome." },
	[MET_JOB_SECONDS] = { "souk_job_duration_seconds", KIND_HISTOGRAM, { LABEL("job", jobs) },
	    "Time a job run took." },
	[MET_JOB_QUEUE] = { "souk_job_queue", KIND_GAUGE, { LABEL("state", queues) },
	    "Jobs of the whole installation, due or not; every node tells the same." },
	[MET_JOB_OLDEST_SECONDS] = { "souk_job_oldest_seconds", KIND_GAUGE, { { 0 } },
	    "Age of the oldest job that is due, of the whole installation." },
	[MET_EXPORT_ROWS] = { "souk_export_rows_total", KIND_COUNTER,
	    { LABEL("operation", operations) }, "Contact records written to exports." },
	[MET_DB_COMMITS] = { "souk_db_commits_total", KIND_COUNTER, { { 0 } },
	    "Write transactions committed." },
	[MET_DB_COMMIT_SECONDS] = { "souk_db_commit_duration_seconds", KIND_HISTOGRAM, { { 0 } },
	    "Time a commit took." },
	[MET_DB_WRITES] = { "souk_db_writes_total", KIND_COUNTER, { { 0 } },
	    "Writes asked for; divided by the commits, how many share one." },
	[MET_DB_SCRUB_PENDING] = { "souk_db_scrub_pending", KIND_GAUGE, { { 0 } },
	    "Erasures whose log pages are not overwritten yet." },
	[MET_DB_UP] = { "souk_db_up", KIND_GAUGE, { { 0 } },
	    "1 while the database answers and takes writes." },
	[MET_DB_CONNECTIONS] = { "souk_db_connections", KIND_GAUGE, { LABEL("use", uses) },
	    "Connections of this node to the database server, by use." },
	[MET_DB_LISTENS] = { "souk_db_listener_connects_total", KIND_COUNTER, { { 0 } },
	    "Times the listener for other nodes' news connected; more than 1: it was cut off." },
	[MET_DB_READS_WAITING] = { "souk_db_reads_waiting", KIND_GAUGE, { { 0 } },
	    "Reads that wait for a connection of the pool." },
	[MET_DB_RETRIES] = { "souk_db_retries_total", KIND_COUNTER, { LABEL("reason", retries) },
	    "Transactions run again: others were in the way, or the connection was lost." },
	[MET_DB_FAILURES] = { "souk_db_failures_total", KIND_COUNTER, { LABEL("reason", faults) },
	    "Transactions, and connections of the listener, that failed for the database's sake." },
	[MET_DB_QUEUED] = { "souk_db_queued", KIND_GAUGE, { { 0 } },
	    "Writes that wait for a database connection." },
	[MET_DB_REFUSED] = { "souk_db_refused_total", KIND_COUNTER, { { 0 } },
	    "Writes refused because too many waited, or for too long." },
	[MET_NODES] = { "souk_nodes", KIND_GAUGE, { { 0 } },
	    "Processes that serve this installation." },
	[MET_NOTIFICATIONS] = { "souk_notifications_total", KIND_COUNTER,
	    { LABEL("outcome", outcomes) }, "Topic messages sent to endpoints, by outcome." },
	[MET_OBJECT_BYTES] = { "souk_object_bytes_total", KIND_COUNTER,
	    { LABEL("direction", directions) }, "Bytes of objects stored (in) and served (out)." },
	[MET_OBJECT_STORE_UP] = { "souk_object_store_up", KIND_GAUGE, { { 0 } },
	    "1 when the home of objects did what it was last asked for." },
	[MET_OBJECT_STORE_ERRORS] = { "souk_object_store_errors_total", KIND_COUNTER,
	    { LABEL("kind", store_errors) },
	    "Calls to the home of objects that failed: passing ones (busy, away), and lasting ones "
	    "that somebody must mend." },
};

/* Upper bounds of the buckets, 100 us to 10 s; one more bucket takes what is slower. */
static const struct bucket {
	uint64_t ns;
	const char *text;
} buckets[] = {
	{ 100000, "0.0001" },
	{ 250000, "0.00025" },
	{ 500000, "0.0005" },
	{ 1000000, "0.001" },
	{ 2500000, "0.0025" },
	{ 5000000, "0.005" },
	{ 10000000, "0.01" },
	{ 25000000, "0.025" },
	{ 50000000, "0.05" },
	{ 100000000, "0.1" },
	{ 250000000, "0.25" },
	{ 500000000, "0.5" },
	{ 1000000000, "1" },
	{ 2500000000, "2.5" },
	{ 5000000000, "5" },
	{ 10000000000, "10" },
};
#define BUCKETS (sizeof(buckets) / sizeof(buckets[0]))

/* Counters and gauges use `value`; a histogram's is its sum in nanoseconds. */
static struct series {
	_Atomic uint64_t value;
	_Atomic uint64_t bucket[BUCKETS + 1];
} series[MET__COUNT][SERIES_MAX];

static unsigned
words_of(const struct label *l)
{
	return l->name ? l->n : 1;
}

static unsigned
series_of(const struct metric_row *r)
{
	return words_of(&r->label[0]) * words_of(&r->label[1]);
}

static struct series *
series_at(enum metric_id id, unsigned label)
{
	assert(id < MET__COUNT && label < series_of(&rows[id]) && label < SERIES_MAX);
	return &series[id][label];
}

void
metric_add(enum metric_id id, unsigned label, uint64_t n)
{
	atomic_fetch_add_explicit(&series_at(id, label)->value, n, memory_order_relaxed);
}

void
metric_set(enum metric_id id, unsigned label, int64_t value)
{
	atomic_store_explicit(&series_at(id, label)->value, (uint64_t)value, memory_order_relaxed);
}

void
metric_move(enum metric_id id, unsigned label, int64_t by)
{
	metric_add(id, label, (uint64_t)by); /* modulo 2^64: lowers, too */
}

void
metric_observe_ns(enum metric_id id, unsigned label, uint64_t ns)
{
	struct series *s = series_at(id, label);
	size_t i = 0;

	assert(rows[id].kind == KIND_HISTOGRAM);
	while (i < BUCKETS && ns > buckets[i].ns)
		i++;
	atomic_fetch_add_explicit(&s->bucket[i], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&s->value, ns, memory_order_relaxed);
}

static uint64_t
get(const _Atomic uint64_t *v)
{
	return atomic_load_explicit(v, memory_order_relaxed);
}

uint64_t
metric_value(enum metric_id id, unsigned label)
{
	return get(&series_at(id, label)->value);
}

/* Writes NAME SUFFIX {labels,le="..."} and a blank. */
static void
write_name(
    struct buf *b, const struct metric_row *r, const char *suffix, unsigned at, const char *le)
{
	unsigned second = words_of(&r->label[1]);
	unsigned word[2] = { at / second, at % second };
	char before = '{';

	buf_add_c(b, r->name);
	buf_add_c(b, suffix);
	for (size_t i = 0; i < 2; i++)
		if (r->label[i].name) {
			buf_printf(
			    b, "%c%s=\"%s\"", before, r->label[i].name, r->label[i].words[word[i]]);
			before = ',';
		}
	if (le) {
		buf_printf(b, "%cle=\"%s\"", before, le);
		before = ',';
	}
	buf_add_c(b, before == ',' ? "} " : " ");
}

static void
write_histogram(struct buf *b, const struct metric_row *r, const struct series *s, unsigned at)
{
	uint64_t count = 0, sum = get(&s->value);

	for (size_t i = 0; i <= BUCKETS; i++) {
		count += get(&s->bucket[i]);
		write_name(b, r, "_bucket", at, i < BUCKETS ? buckets[i].text : "+Inf");
		buf_printf(b, "%" PRIu64 "\n", count);
	}
	write_name(b, r, "_sum", at, NULL);
	buf_printf(b, "%" PRIu64 ".%09" PRIu64 "\n", sum / 1000000000, sum % 1000000000);
	write_name(b, r, "_count", at, NULL);
	buf_printf(b, "%" PRIu64 "\n", count);
}

void
metrics_write(struct buf *b)
{
	static const char *const types[] = {
		[KIND_COUNTER] = "counter",
		[KIND_GAUGE] = "gauge",
		[KIND_HISTOGRAM] = "histogram",
	};

	for (size_t id = 0; id < MET__COUNT; id++) {
		const struct metric_row *r = &rows[id];

		buf_printf(
		    b, "# HELP %s %s\n# TYPE %s %s\n", r->name, r->help, r->name, types[r->kind]);
		for (unsigned at = 0; at < series_of(r); at++) {
			const struct series *s = &series[id][at];

			if (r->kind == KIND_HISTOGRAM) {
				write_histogram(b, r, s, at);
				continue;
			}
			write_name(b, r, "", at, NULL);
			buf_add_i64(b, (int64_t)get(&s->value));
			buf_add_char(b, '\n');
		}
	}
}
