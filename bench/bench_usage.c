/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_usage DB SECONDS ROWS: the peer of BatchMeterUsage. Inserts rows like its own into usage_record of a copy of an embedded
 * database, by SQLite alone, ROWS a transaction, each durable. Prints `rate N 1/s`.
 */
#include "base/clock.h"
#include "base/str.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

static void
die(sqlite3 *db, const char *what)
{
	(void)fprintf(stderr, "bench_usage: %s: %s\n", what, sqlite3_errmsg(db));
	exit(3);
}

static void
sql(sqlite3 *db, const char *text)
{
	if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK)
		die(db, text);
}

int
main(int argc, char **argv)
{
	static const char insert[] =
	    "INSERT INTO usage_record (seller_id, hour, product_id, buyer_id, dimension, usage_id,"
	    " subscription_id, quantity, allocations, source, client_token, received_at)"
	    " SELECT seller_id, ?1, product_id, buyer_id, ?2, randomblob(16), subscription_id, 7,"
	    " NULL, 'batch', NULL, ?1 FROM subscription LIMIT 1";
	sqlite3 *db = NULL;
	sqlite3_stmt *put;
	uint64_t began, ends;
	size_t n = 0;
	int64_t rows;

	if (argc != 4 || !str_to_i64(str_c(argv[3]), &rows) || rows < 1)
		return 2;
	if (sqlite3_open(argv[1], &db) != SQLITE_OK ||
	    sqlite3_prepare_v2(db, insert, -1, &put, NULL) != SQLITE_OK)
		die(db, argv[1]);
	sql(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
	began = clock_mono_ns();
	ends = began + (uint64_t)(strtod(argv[2], NULL) * 1e9);
	while (clock_mono_ns() < ends) {
		sql(db, "BEGIN IMMEDIATE");
		for (int64_t i = 0; i < rows; i++) {
			char dimension[32];

			(void)snprintf(dimension, sizeof(dimension), "dimension-%zu", n++);
			sqlite3_bind_int64(put, 1, INT64_C(1767225600000));
			sqlite3_bind_text(put, 2, dimension, -1, SQLITE_TRANSIENT);
			if (sqlite3_step(put) != SQLITE_DONE)
				die(db, "insert");
			sqlite3_reset(put);
		}
		sql(db, "COMMIT");
	}
	(void)printf("rate %.0f 1/s\n", (double)n * 1e9 / (double)(clock_mono_ns() - began));
	sqlite3_finalize(put);
	sqlite3_close(db);
	return 0;
}
