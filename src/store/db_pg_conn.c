/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PostgreSQL connections: settings, the pipeline, transactions, and what failures mean.
 *
 * The dangers: taking silence for success (a commit is one only when the server says COMMIT
 * and warns of nothing), waiting for ever for a server that is cut off (every wait has an end), and
 * words of the server that quote values (only its SQLSTATE and the name of a constraint are kept).
 */
#include "store/db_pg.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * Each lock takes room in a table that all sessions share, a few thousand in all. So a transaction that
 * wants very many takes one instead that stands for all of them; whoever takes any one shares it.
 */
#define ALL_LOCKS "1936684397"

#define LOOK_MS 250 /* between looks whether the server is silent */

static const char *const controls[PG_CONTROL__COUNT] = {
	[PG_BEGIN_READ] = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY",
	[PG_BEGIN_WRITE] = "BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE",
	[PG_COMMIT] = "COMMIT",
	[PG_ROLLBACK] = "ROLLBACK",
	[PG_NOW] = "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint",
	[PG_LOCK_ALL] = "SELECT pg_advisory_xact_lock(" ALL_LOCKS ")",
	[PG_LOCK_FIRST] =
	    "SELECT pg_advisory_xact_lock_shared(" ALL_LOCKS "), pg_advisory_xact_lock($1)",
	[PG_LOCK_FIRST_SHARED] =
	    "SELECT pg_advisory_xact_lock_shared(" ALL_LOCKS "), pg_advisory_xact_lock_shared($1)",
	[PG_LOCK] = "SELECT pg_advisory_xact_lock($1)",
	[PG_LOCK_SHARED] = "SELECT pg_advisory_xact_lock_shared($1)",
	[PG_TELL] = "SELECT pg_notify('souk', $1)",
};
static const char *const control_names[PG_CONTROL__COUNT] = {
	[PG_BEGIN_READ] = "begin_read",
	[PG_BEGIN_WRITE] = "begin_write",
	[PG_COMMIT] = "commit",
	[PG_ROLLBACK] = "rollback",
	[PG_NOW] = "now",
	[PG_LOCK_ALL] = "lock_all",
	[PG_LOCK_FIRST] = "lock_first",
	[PG_LOCK_FIRST_SHARED] = "lock_first_shared",
	[PG_LOCK] = "lock",
	[PG_LOCK_SHARED] = "lock_shared",
	[PG_TELL] = "tell",
};

/* ---- what failures mean ---- */

struct state_row {
	const char *state; /* SQLSTATE, or its class (two characters) */
	enum souk_err err;
	bool again, broken;
	enum met_fault fault;
	const char *words;
};

/* The first that fits counts (PostgreSQL's appendix A). */
static const struct state_row state_rows[] = {
	{ "23502", SOUK_E_INTERNAL, false, false, MFAULT_OTHER, "a column must not be NULL" },
	{ "23", SOUK_E_CONFLICT, false, false, MFAULT_OTHER, "a constraint does not allow it" },
	{ "40001", SOUK_E_UNAVAILABLE, true, false, MFAULT_CONFLICT,
	    "others changed the same rows" },
	{ "40P01", SOUK_E_UNAVAILABLE, true, false, MFAULT_CONFLICT, "a deadlock with others" },
	{ "40", SOUK_E_UNAVAILABLE, true, false, MFAULT_CONFLICT, "the transaction was ended" },
	{ "55P03", SOUK_E_UNAVAILABLE, false, false, MFAULT_LOCK, "a lock was not free in time" },
	{ "57014", SOUK_E_UNAVAILABLE, false, false, MFAULT_SLOW,
	    "it took too long, or was cancelled" },
	{ "25006", SOUK_E_UNAVAILABLE, true, true, MFAULT_READ_ONLY,
	    "the server is a read-only standby" },
	{ "25P03", SOUK_E_UNAVAILABLE, true, true, MFAULT_SLOW,
	    "the transaction was idle for too long" },
	{ "25P04", SOUK_E_UNAVAILABLE, false, true, MFAULT_SLOW, "the transaction took too long" },
	{ "57P", SOUK_E_UNAVAILABLE, true, true, MFAULT_AWAY,
	    "the server is stopping or starting" },
	{ "08", SOUK_E_UNAVAILABLE, true, true, MFAULT_AWAY, "the connection failed" },
	{ "26000", SOUK_E_UNAVAILABLE, true, true, MFAULT_OTHER,
	    "prepared statements are lost (is a transaction pooler in between?)" },
	{ "0A000", SOUK_E_UNAVAILABLE, true, true, MFAULT_OTHER, "the schema has changed" },
	{ "53100", SOUK_E_STORAGE, false, false, MFAULT_DISK, "the server's disk is full" },
	{ "53300", SOUK_E_UNAVAILABLE, true, true, MFAULT_FULL,
	    "the server has too many connections" },
	{ "53", SOUK_E_UNAVAILABLE, false, false, MFAULT_FULL,
	    "the server has not enough resources" },
	{ "58", SOUK_E_STORAGE, false, false, MFAULT_DISK, "the server's disk fails" },
	{ "XX", SOUK_E_STORAGE, false, false, MFAULT_DISK, "the server found its data damaged" },
	{ "28", SOUK_E_UNAVAILABLE, false, true, MFAULT_REFUSED,
	    "the server refuses the user or password" },
	{ "42501", SOUK_E_STORAGE, false, false, MFAULT_REFUSED,
	    "the database user lacks a privilege" },
	{ "54", SOUK_E_INTERNAL, false, false, MFAULT_OTHER, "a limit of the server" },
	{ "", SOUK_E_INTERNAL, false, false, MFAULT_OTHER, "the server refuses the statement" },
};

static const struct state_row *
state_row_of(const char *state)
{
	const struct state_row *r = state_rows;

	while (strncmp(state, r->state, strlen(r->state)) != 0)
		r++;
	return r;
}

static const char *
or_empty(const char *s)
{
	return s ? s : "";
}

void
pg_words(const PGresult *res, const PGconn *h, char *out, size_t n)
{
	const char *state = or_empty(PQresultErrorField(res, PG_DIAG_SQLSTATE));
	const char *constraint = or_empty(PQresultErrorField(res, PG_DIAG_CONSTRAINT_NAME));

	if (!state[0] && PQstatus(h) != CONNECTION_OK)
		(void)snprintf(out, n, "the connection to the database was lost");
	else
		(void)snprintf(out, n, "%s (SQLSTATE %s%s%s)", state_row_of(state)->words,
		    state[0] ? state : "missing", constraint[0] ? ", " : "", constraint);
}

enum souk_err
pg_lost(struct pg_conn *c, const char *why)
{
	enum souk_err err = c->in_commit ? SOUK_E_UNCERTAIN : SOUK_E_UNAVAILABLE;

	if (!c->broken)
		(void)snprintf(c->message, sizeof(c->message), "%s", why);
	c->broken = true;
	c->again = !c->in_commit;
	if (c->err == SOUK_OK) {
		c->err = err;
		c->fault = c->in_commit ? MFAULT_UNCERTAIN : MFAULT_AWAY;
	}
	if (c->tx == PG_TX_OPEN)
		c->tx = PG_TX_FAILED;
	c->n_waiting = 0;
	return err;
}

enum souk_err
pg_failed(struct pg_conn *c, const PGresult *res)
{
	const char *state = or_empty(PQresultErrorField(res, PG_DIAG_SQLSTATE));
	const char *severity = or_empty(PQresultErrorField(res, PG_DIAG_SEVERITY_NONLOCALIZED));
	const struct state_row *r = state_row_of(state);

	/*
	 * A session that is ended while it commits may have committed, and what stands between us
	 * and the server calls a connection that it lost an ordinary error. Not when an administrator
	 * ended it and this is COMMIT's own answer: that is heeded before a commit begins or after its
	 * answer, and in the wait for a standby only with a warning. Nor when it was idle for too long.
	 */
	if (c->in_commit && (strcmp(severity, "ERROR") != 0 || strncmp(state, "08", 2) == 0) &&
	    (c->doubt || strcmp(state, "57P01") != 0) && strcmp(state, "25P03") != 0) {
		pg_words(res, c->h, c->message, sizeof(c->message));
		c->broken = true;
	}
	if (!state[0] || c->broken)
		return pg_lost(c, "the connection to the database was lost");
	if (c->err != SOUK_OK)
		return c->err; /* the first one says why */
	pg_words(res, c->h, c->message, sizeof(c->message));
	c->err = r->err;
	c->fault = r->fault;
	c->again = r->again;
	c->broken |= r->broken;
	c->all_first |= strcmp(state, "40P01") == 0;
	if (c->use == CONN_READ && strcmp(state, "25006") == 0) {
		c->err = SOUK_E_INTERNAL; /* a write in a read transaction: our bug */
		c->again = c->broken = false;
	}
	if (c->tx == PG_TX_OPEN)
		c->tx = PG_TX_FAILED;
	return c->err;
}

/* ---- the pipeline ---- */

bool
pg_wait(PGconn *h, uint64_t until, const struct db *db)
{
	for (;;) {
		int unsent = PQflush(h);
		struct pollfd p = { .fd = PQsocket(h), .events = POLLIN };
		uint64_t now = clock_mono_ns();
		int ms = now < until ? (int)((until - now) / 1000000) + 1 : 0;

		if (unsent < 0)
			return false;
		if (!PQisBusy(h))
			return true;
		if (now >= until || p.fd < 0 || (db && pg_silent(db)))
			return false;
		if (unsent > 0)
			p.events |= POLLOUT;
		if (db && ms > LOOK_MS) /* to look again whether anybody is answered */
			ms = LOOK_MS;
		if (poll(&p, 1, ms) < 0 && errno != EINTR)
			return false;
		if ((p.revents & (POLLIN | POLLERR | POLLHUP)) != 0 && !PQconsumeInput(h))
			return false;
	}
}

static int
patience_ms(const struct pg_conn *c)
{
	if (c->in_commit)
		return c->use == CONN_BULK ? PG_BULK_MS : PG_COMMIT_MS;
	return (c->use == CONN_BULK ? PG_BULK_MS : PG_STATEMENT_MS) + 5000;
}

static int64_t
big_endian(const char *p, int n)
{
	uint64_t v = n > 0 && (p[0] & 0x80) ? UINT64_MAX : 0;

	for (int i = 0; i < n; i++)
		v = v << 8 | (uint8_t)p[i];
	return (int64_t)v;
}

/*
 * The session was ended while something before the COMMIT was at work, or waited for: answers come in
 * order, so the COMMIT was not begun. Without such words nobody knows: its answer may be among those that were lost.
 */
static bool
ended_before_commit(const struct pg_waiting *w, const PGresult *res)
{
	const char *state = or_empty(PQresultErrorField(res, PG_DIAG_SQLSTATE));

	return strcmp(state, "25P03") == 0 ||
	       (w->kind != PG_A_COMMIT && w->kind != PG_A_SYNC && strcmp(state, "57P01") == 0);
}

static enum souk_err
take_answer(struct pg_conn *c, const struct pg_waiting *w, PGresult *res)
{
	ExecStatusType status = PQresultStatus(res);
	enum souk_err err = SOUK_OK;

	if (status == PGRES_FATAL_ERROR) {
		c->in_commit = c->in_commit && !ended_before_commit(w, res);
		err = pg_failed(c, res);
	} else if (status == PGRES_PIPELINE_ABORTED)
		err = c->err != SOUK_OK ? c->err : SOUK_E_INTERNAL;
	else if (w->kind == PG_A_NOW)
		c->now = big_endian(PQgetvalue(res, 0, 0), PQgetlength(res, 0, 0));
	else if (w->kind == PG_A_COMMIT)
		c->committed = strcmp(PQcmdStatus(res), "COMMIT") == 0;
	if (w->kind == PG_A_PREPARED)
		w->st->prepared =
		    err == SOUK_OK; /* what was skipped after a failure is not there */
	if (err == SOUK_OK && w->kind == PG_A_ROWS) {
		w->st->next = res;
		w->st->next_pending = false;
		return SOUK_OK;
	}
	if (w->kind == PG_A_COMMIT)
		c->in_commit = false;
	PQclear(res);
	return err;
}

/* The answer to the oldest command. */
static enum souk_err
read_answer(struct pg_conn *c)
{
	struct pg_waiting w = c->waiting[c->first % PG_WAITING_MAX];
	uint64_t until = clock_mono_ns() + (uint64_t)patience_ms(c) * 1000000;
	/* A commit has its own time, and so have large transactions. */
	const struct db *watched = c->in_commit || c->use == CONN_BULK ? NULL : c->db;
	PGresult *res;
	enum souk_err err;

	if (!pg_wait(c->h, until, watched))
		return pg_lost(c, PQstatus(c->h) == CONNECTION_OK
				      ? "the database did not answer in time"
				      : "the connection to the database was lost");
	if (!(res = PQgetResult(c->h)))
		return pg_lost(c, "the database gave no answer");
	if ((PQresultStatus(res) == PGRES_PIPELINE_SYNC) != (w.kind == PG_A_SYNC)) {
		PQclear(res);
		return pg_lost(c, "the database's answers are out of step");
	}
	pg_answered(c->db);
	c->first++;
	c->n_waiting--;
	err = take_answer(c, &w, res);
	if (w.kind == PG_A_SYNC || c->broken)
		return err;
	/* Each command's answers end with nothing. */
	if (!pg_wait(c->h, until, watched) || (res = PQgetResult(c->h))) {
		PQclear(res);
		return pg_lost(c, "the connection to the database was lost");
	}
	return err;
}

/* Is the next answer the end of a piece? It comes with what is before it. */
static bool
at_sync(const struct pg_conn *c)
{
	return c->waiting[c->first % PG_WAITING_MAX].kind == PG_A_SYNC;
}

enum souk_err
pg_await(struct pg_conn *c, const struct pg_stmt *st)
{
	while (c->n_waiting > 0 && !c->broken && (!st || st->next_pending || at_sync(c)))
		(void)read_answer(c); /* a failure is kept in the connection */
	return c->err;
}

void
pg_flush(struct pg_conn *c)
{
	if (!c->broken && PQflush(c->h) < 0)
		(void)pg_lost(c, "the connection to the database was lost");
}

enum souk_err
pg_sent(struct pg_conn *c, int ok, enum pg_answer kind, struct pg_stmt *st)
{
	if (!ok) {
		/* What the library did not take has not left whole: nobody commits it. */
		c->in_commit = c->in_commit && kind != PG_A_COMMIT;
		return pg_lost(c, "the connection to the database was lost");
	}
	assert(c->n_waiting < PG_WAITING_MAX);
	c->waiting[(c->first + c->n_waiting++) % PG_WAITING_MAX] =
	    (struct pg_waiting){ .kind = kind, .st = st };
	/* Room for the commands that end a transaction stays free. */
	if (c->n_waiting >= PG_WAITING_MAX - 8 && kind != PG_A_SYNC) {
		(void)pg_sync(c);
		(void)pg_await(c, NULL);
	}
	return SOUK_OK;
}

enum souk_err
pg_sync(struct pg_conn *c)
{
	return c->broken ? c->err : pg_sent(c, PQpipelineSync(c->h), PG_A_SYNC, NULL);
}

static enum souk_err
control(struct pg_conn *c, enum pg_control t, enum pg_answer kind, const char *value, int n)
{
	static const int binary = 1;

	if (c->broken)
		return c->err != SOUK_OK ? c->err : SOUK_E_UNAVAILABLE;
	return pg_sent(c,
	    PQsendQueryPrepared(c->h, control_names[t], value ? 1 : 0, value ? &value : NULL,
		value ? &n : NULL, value ? &binary : NULL, 1),
	    kind, NULL);
}

enum souk_err
pg_command(struct pg_conn *c, const char *sql)
{
	if (c->broken || c->tx == PG_TX_FAILED)
		return c->err;
	return pg_sent(
	    c, PQsendQueryParams(c->h, sql, 0, NULL, NULL, NULL, NULL, 1), PG_A_CHECK, NULL);
}

/* ---- transactions ---- */

static enum souk_err
pg_begin(struct conn *base, bool write)
{
	struct pg_conn *c = pg(base);
	enum souk_err err;

	assert(c->tx == PG_TX_NONE);
	c->err = SOUK_OK;
	c->again = c->doubt = c->committed = c->in_commit = false;
	c->write = write;
	c->n_locks = 0;
	c->all_locks = false;
	c->now = INSTANT_MIN;
	c->last_lock = 0;
	c->began = clock_mono_ns();
	c->message[0] = '\0';
	if (c->broken)
		return pg_lost(c, "the connection to the database was lost");
	c->tx = PG_TX_OPEN;
	if ((err = control(c, write ? PG_BEGIN_WRITE : PG_BEGIN_READ, PG_A_CHECK, NULL, 0)) ==
	    SOUK_OK)
		err = control(c, PG_NOW, PG_A_NOW, NULL, 0);
	/* A large transaction does not quarrel twice. */
	if (err == SOUK_OK && write && c->use == CONN_BULK && c->all_first) {
		c->all_locks = true;
		err = control(c, PG_LOCK_ALL, PG_A_CHECK, NULL, 0);
	}
	if (err != SOUK_OK)
		c->tx = PG_TX_NONE;
	return err;
}

static void
pg_rollback(struct conn *base)
{
	struct pg_conn *c = pg(base);
	enum souk_err err = c->err;
	bool again = c->again;
	/* What was not read yet may have failed, too; the next transaction must not take it for its own. */
	bool failed = c->tx == PG_TX_FAILED || (c->write && c->n_waiting > 0);

	if (c->tx == PG_TX_NONE)
		return;
	c->tx = PG_TX_NONE;
	if (c->broken)
		return;
	/* After a failure the server skips all up to the synchronisation. */
	if (failed)
		(void)pg_sync(c);
	(void)control(c, PG_ROLLBACK, PG_A_CHECK, NULL, 0);
	(void)pg_sync(c);
	/* The answers are read when something else is waited for; a failure's now, with the words kept. */
	if (failed) {
		char words[sizeof(c->message)];

		memcpy(words, c->message, sizeof(words));
		(void)pg_await(c, NULL);
		memcpy(c->message, words, sizeof(words));
	} else {
		pg_flush(c);
	}
	if (!c->broken) {
		c->err = err;
		c->again = again;
	}
}

static enum souk_err
pg_commit(struct conn *base)
{
	struct pg_conn *c = pg(base);
	int most_ms = c->use == CONN_BULK ? PG_BULK_MS : PG_WRITE_MS;
	enum souk_err err;

	assert(c->tx == PG_TX_OPEN);
	/* Exports lag 15 minutes behind: what takes longer than a fraction of that is given up. */
	if (clock_mono_ns() - c->began > 1000000 * (uint64_t)most_ms) {
		(void)snprintf(c->message, sizeof(c->message), "the transaction took too long");
		c->fault = MFAULT_SLOW;
		c->err = SOUK_E_UNAVAILABLE;
		pg_rollback(base);
		return SOUK_E_UNAVAILABLE;
	}
	/* From here on, for its answer may come while it is sent: when many are waited for. */
	c->in_commit = true;
	if ((err = control(c, PG_COMMIT, PG_A_COMMIT, NULL, 0)) != SOUK_OK) {
		c->tx = PG_TX_NONE;
		return err;
	}
	(void)pg_sync(c);
	(void)pg_await(c, NULL);
	if (c->committed && !c->doubt) {
		c->tx = PG_TX_NONE;
		c->err = SOUK_OK;
		return SOUK_OK;
	}
	if (c->committed || (c->in_commit && c->broken)) {
		if (c->committed)
			(void)snprintf(c->message, sizeof(c->message),
			    "the server gave up waiting for its standby");
		c->tx = PG_TX_NONE;
		c->again = false;
		c->fault = MFAULT_UNCERTAIN;
		return c->err = SOUK_E_UNCERTAIN;
	}
	/* Something before the commit failed, or the server rolled back by itself. */
	err = c->err != SOUK_OK ? c->err : SOUK_E_UNAVAILABLE;
	c->err = err;
	c->tx = PG_TX_FAILED;
	pg_rollback(base);
	return err;
}

static bool
pg_in_tx(const struct conn *base)
{
	return ((const struct pg_conn *)base)->tx == PG_TX_OPEN;
}

static bool
pg_broken(const struct conn *base)
{
	return ((const struct pg_conn *)base)->broken;
}

static bool
pg_again(const struct conn *base)
{
	return ((const struct pg_conn *)base)->again;
}

static const char *
pg_message(const struct conn *base)
{
	return ((const struct pg_conn *)base)->message;
}

static instant_t
pg_now(struct conn *base)
{
	struct pg_conn *c = pg(base);

	if (c->now == INSTANT_MIN && c->n_waiting > 0 && !c->broken) {
		(void)pg_sync(c);
		(void)pg_await(c, NULL);
	}
	/* Unknown only when the transaction has failed: it will not be kept. */
	return c->now != INSTANT_MIN ? c->now : clock_now();
}

static int
pg_lane(const struct conn *base)
{
	return ((const struct pg_conn *)base)->lane;
}

/*
 * The server has room for some thousands of locks, and a bulk transaction touches any number of
 * subjects. It takes their owner for itself instead: whoever changes a subject shares the owner.
 */
static enum souk_err
pg_lock(struct conn *base, enum db_lock kind, int64_t key, bool shared)
{
	struct pg_conn *c = pg(base);
	uint64_t be = htobe64((uint64_t)key ^ (uint64_t)c->salt);
	bool first = c->n_locks == 0;
	char value[8];

	if (c->tx == PG_TX_FAILED)
		return c->err;
	if (c->use == CONN_BULK && (kind == DB_LOCK_SUBJECT || key == c->last_lock))
		return SOUK_OK;
	if (c->all_locks)
		return SOUK_OK;
	if (c->n_locks++ >= PG_LOCKS_MAX) {
		c->all_locks = true;
		return control(c, PG_LOCK_ALL, PG_A_CHECK, NULL, 0);
	}
	c->last_lock = key;
	shared &= c->use != CONN_BULK;
	memcpy(value, &be, sizeof(value));
	return control(c,
	    shared ? (first ? PG_LOCK_FIRST_SHARED : PG_LOCK_SHARED)
		   : (first ? PG_LOCK_FIRST : PG_LOCK),
	    PG_A_CHECK, value, (int)sizeof(value));
}

static enum souk_err
pg_tell(struct conn *base, enum db_news news)
{
	struct pg_conn *c = pg(base);
	const char word[2] = { (char)('0' + (int)news), '\0' };

	if (c->tx == PG_TX_FAILED)
		return c->err;
	return control(c, PG_TELL, PG_A_CHECK, word, 1);
}

static unsigned
use_of(const struct pg_conn *c)
{
	return c->use == CONN_READ ? MUSE_READ : MUSE_WRITE;
}

static void
pg_close(struct conn *base)
{
	struct pg_conn *c = pg(base);

	pg_stmts_free(c);
	PQfinish(c->h);
	if (c->counted)
		metric_move(MET_DB_CONNECTIONS, use_of(c), -1);
	free(c);
}

static const struct conn_ops pg_ops = {
	.close = pg_close,
	.begin = pg_begin,
	.commit = pg_commit,
	.rollback = pg_rollback,
	.in_tx = pg_in_tx,
	.broken = pg_broken,
	.again = pg_again,
	.stmt = pg_stmt_of,
	.reset_open = pg_reset_open,
	.message = pg_message,
	.now = pg_now,
	.lane = pg_lane,
	.lock = pg_lock,
	.tell = pg_tell,
};

/* ---- opening ---- */

static void
note_warning(void *arg, const PGresult *res)
{
	struct pg_conn *c = arg;

	(void)res; /* its text may quote values */
	if (c->in_commit)
		c->doubt = true;
}

/* A number that no other session has: it is ours until the session ends. */
static enum souk_err
take_lane(struct pg_conn *c)
{
	static const char sql[] =
	    "SELECT n, hashtextextended(current_schema(), 0) FROM generate_series(1, 100000) n"
	    " WHERE pg_try_advisory_lock(1936684395 # hashtext(current_schema()), n) LIMIT 1";
	PGresult *res = pg_exec_in_time(c->h, sql);
	enum souk_err err = SOUK_OK;

	if (!res)
		err = pg_lost(c, "the database did not answer in time");
	else if (PQresultStatus(res) != PGRES_TUPLES_OK || PQntuples(res) != 1)
		err = pg_failed(c, res);
	else
		c->lane = (int)strtol(PQgetvalue(res, 0, 0), NULL, 10);
	if (err == SOUK_OK)
		c->salt = strtoll(PQgetvalue(res, 0, 1), NULL, 10);
	c->base.own_lane = err == SOUK_OK;
	PQclear(res);
	return err;
}

static enum souk_err
prepare_controls(struct pg_conn *c)
{
	static const Oid number = 20, text = 25;

	for (unsigned t = 0; t < PG_CONTROL__COUNT; t++) {
		bool takes = t >= PG_LOCK_FIRST && t <= PG_TELL;

		if (pg_sent(c,
			PQsendPrepare(c->h, control_names[t], controls[t], takes ? 1 : 0,
			    t == PG_TELL ? &text : &number),
			PG_A_CHECK, NULL) != SOUK_OK)
			return c->err;
	}
	(void)pg_sync(c);
	return pg_await(c, NULL);
}

enum souk_err
pg_conn_open(struct db *db, enum conn_use use, struct conn **ret, struct fail *f)
{
	struct pg_conn *c = calloc(1, sizeof(*c));
	enum souk_err err;

	if (!c)
		return fail_set(
		    f, SOUK_E_NOMEM, "out_of_memory", "no memory for a database connection");
	c->base.ops = &pg_ops;
	c->db = db;
	c->use = use;
	if ((err = pg_connect(db->path, use == CONN_READ ? "souk read" : "souk write",
		 &pg_limits_of[use], &c->h, f)) != SOUK_OK) {
		free(c);
		return err;
	}
	(void)PQsetNoticeReceiver(c->h, note_warning, c);
	if (use == CONN_WRITE || use == CONN_BULK)
		err = take_lane(c);
	if (err == SOUK_OK && (PQsetnonblocking(c->h, 1) != 0 || !PQenterPipelineMode(c->h)))
		err = pg_lost(c, "the connection cannot be used");
	if (err == SOUK_OK)
		err = prepare_controls(c);
	if (err == SOUK_OK) {
		c->counted = true;
		metric_move(MET_DB_CONNECTIONS, use_of(c), 1);
	}
	if (err != SOUK_OK) {
		(void)fail_set(f, err, pg_code_of(c->fault), "the database: %s", c->message);
		conn_close(&c->base);
		return err;
	}
	*ret = &c->base;
	return SOUK_OK;
}
