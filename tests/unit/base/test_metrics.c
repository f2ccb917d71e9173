/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics: labels, bucket bounds, sums from several threads, the text format. */
#include "base/metrics.h"

#include "check.h"

#include <pthread.h>

static bool
has_line(struct str text, const char *line)
{
	struct str part;

	while (str_split(&text, '\n', &part))
		if (str_eq_c(part, line))
			return true;
	return false;
}

static bool
exposed(const char *line)
{
	struct buf b = { 0 };
	bool found;

	metrics_write(&b);
	found = has_line(buf_str(&b), line);
	buf_done(&b);
	return found;
}

static void
test_labels(void **state)
{
	(void)state;
	metric_add(MET_HTTP_REQUESTS, MET_LABEL2(FAM_REST, MET_STATUS(204), MSTATUS__COUNT), 3);
	metric_add(MET_HTTP_REQUESTS, MET_LABEL2(FAM_OPS, MET_STATUS(599), MSTATUS__COUNT), 1);
	metric_add(MET_JOBS_DONE, MET_LABEL2(MJOB_OTHER, OUT_DEAD, OUT__COUNT), 2);
	metric_add(MET_AUTH_REFUSED, MAUTH_DENIED, 5);
	metric_add(MET_EXPORT_ROWS, MOP_DELETE, 7);
	metric_add(MET_OBJECT_BYTES, MDIR_OUT, UINT64_C(1) << 40);
	metric_add(MET_DB_COMMITS, 0, 4);
	assert_true(exposed("souk_http_requests_total{family=\"rest\",status=\"2xx\"} 3"));
	assert_true(exposed("souk_http_requests_total{family=\"ops\",status=\"5xx\"} 1"));
	assert_true(exposed("souk_http_requests_total{family=\"rest\",status=\"1xx\"} 0"));
	assert_true(exposed("souk_jobs_total{job=\"other\",outcome=\"dead\"} 2"));
	assert_true(exposed("souk_auth_refused_total{reason=\"denied\"} 5"));
	assert_true(exposed("souk_export_rows_total{operation=\"delete\"} 7"));
	assert_true(exposed("souk_object_bytes_total{direction=\"out\"} 1099511627776"));
	assert_true(exposed("souk_db_commits_total 4"));
	assert_int_equal(metric_value(MET_AUTH_REFUSED, MAUTH_DENIED), 5);
}

static void
test_gauge(void **state)
{
	(void)state;
	metric_set(MET_JOB_QUEUE, MQUEUE_WAITING, 9);
	metric_set(MET_JOB_QUEUE, MQUEUE_WAITING, -2);
	assert_true(exposed("# TYPE souk_job_queue gauge"));
	assert_true(exposed("souk_job_queue{state=\"waiting\"} -2"));
	metric_move(MET_DB_CONNECTIONS, MUSE_READ, 3);
	metric_move(MET_DB_CONNECTIONS, MUSE_READ, -2);
	assert_true(exposed("souk_db_connections{use=\"read\"} 1"));
	metric_move(MET_DB_CONNECTIONS, MUSE_READ, -1);
	assert_true(exposed("souk_db_connections{use=\"read\"} 0"));
}

static void
test_histogram_bounds(void **state)
{
	(void)state;
	metric_observe_ns(MET_DB_COMMIT_SECONDS, 0, 0);
	metric_observe_ns(MET_DB_COMMIT_SECONDS, 0, 100000); /* a bound belongs to its bucket */
	metric_observe_ns(MET_DB_COMMIT_SECONDS, 0, 100001);
	metric_observe_ns(MET_DB_COMMIT_SECONDS, 0, UINT64_C(10000000000));
	metric_observe_ns(MET_DB_COMMIT_SECONDS, 0, UINT64_C(10000000001));
	assert_true(exposed("# TYPE souk_db_commit_duration_seconds histogram"));
	assert_true(exposed("souk_db_commit_duration_seconds_bucket{le=\"0.0001\"} 2"));
	assert_true(exposed("souk_db_commit_duration_seconds_bucket{le=\"0.00025\"} 3"));
	assert_true(exposed("souk_db_commit_duration_seconds_bucket{le=\"5\"} 3"));
	assert_true(exposed("souk_db_commit_duration_seconds_bucket{le=\"10\"} 4"));
	assert_true(exposed("souk_db_commit_duration_seconds_bucket{le=\"+Inf\"} 5"));
	assert_true(exposed("souk_db_commit_duration_seconds_count 5"));
	assert_true(exposed("souk_db_commit_duration_seconds_sum 20.000200002"));
	metric_observe_ns(MET_HTTP_SECONDS, FAM_S3, 1);
	assert_true(
	    exposed("souk_http_request_duration_seconds_bucket{family=\"s3\",le=\"0.0001\"} 1"));
	assert_true(exposed("souk_http_request_duration_seconds_sum{family=\"s3\"} 0.000000001"));
}

static void *
add_many(void *arg)
{
	for (int i = 0; i < 50000; i++) {
		metric_add(MET_DB_WRITES, 0, 1);
		metric_observe_ns(MET_JOB_SECONDS, MJOB_NOTIFY, 2);
	}
	return arg;
}

static void
test_threads_lose_nothing(void **state)
{
	pthread_t t[4];

	(void)state;
	for (size_t i = 0; i < COUNT(t); i++)
		assert_int_equal(pthread_create(&t[i], NULL, add_many, NULL), 0);
	for (size_t i = 0; i < COUNT(t); i++)
		(void)pthread_join(t[i], NULL);
	assert_true(exposed("souk_db_writes_total 200000"));
	assert_true(exposed("souk_job_duration_seconds_count{job=\"notify\"} 200000"));
	assert_int_equal(metric_value(MET_JOB_SECONDS, MJOB_NOTIFY), 400000);
}

/* Each line is HELP, TYPE, or NAME{LABELS} VALUE with a name that was announced. */
static void
test_whole_text_is_well_formed(void **state)
{
	struct buf b = { 0 };
	struct str rest, line, name = { NULL, 0 };
	size_t types = 0;

	(void)state;
	metrics_write(&b);
	assert_int_equal(b.p[b.n - 1], '\n');
	rest = (struct str){ b.p, b.n - 1 };
	while (str_split(&rest, '\n', &line)) {
		if (str_starts(line, STR("# HELP souk_"))) {
			line = (struct str){ line.p + 7, line.n - 7 };
			assert_true(str_split(&line, ' ', &name));
			assert_true(str_ends(line, STR(".")));
		} else if (str_starts(line, STR("# TYPE "))) {
			types++;
			assert_true(str_starts((struct str){ line.p + 7, line.n - 7 }, name));
		} else {
			assert_true(str_starts(line, name));
			assert_true(line.p[line.n - 1] >= '0' && line.p[line.n - 1] <= '9');
		}
	}
	assert_int_equal(types, MET__COUNT);
	buf_done(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_labels),
		cmocka_unit_test(test_gauge),
		cmocka_unit_test(test_histogram_bounds),
		cmocka_unit_test(test_threads_lose_nothing),
		cmocka_unit_test(test_whole_text_is_well_formed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
