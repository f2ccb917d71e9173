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

static const char *const controls[PG_CONTROL__COUNT] = {
	[PG_BEGIN_READ] = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY",
	[PG_BEGIN_WRITE] = "BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE",
	[PG_COMMIT] = "COMMIT",
	[PG_ROLLBACK] = "ROLLBACK",
	[PG_NOW] = "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint",
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

	/* A session that is ended while it commits may have committed. */
	if (c->in_commit && strcmp(severity, "ERROR") != 0) {
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
	if (c->use == CONN_READ && strcmp(state, "25006") == 0) {
		c->err = SOUK_E_INTERNAL; /* a write in a read transaction: our bug */
		c->again = c->broken = false;
	}
	if (c->tx == PG_TX_OPEN)
		c->tx = PG_TX_FAILED;
	return c->err;
}

/* ---- the pipeline ---- */

/* Waits until an answer can be read without blocking. */
static bool
wait_answer(struct pg_conn *c, uint64_t until)
{
	for (;;) {
		int unsent = PQflush(c->h);
		struct pollfd p = { .fd = PQsocket(c->h), .events = POLLIN };
		uint64_t now = clock_mono_ns();
		int ms = now < until ? (int)((until - now) / 1000000) + 1 : 0;

		if (unsent < 0)
			return false;
		if (!PQisBusy(c->h))
			return true;
		if (now >= until || p.fd < 0)
			return false;
		/* Nobody waits for a database that the listener has given up, but for a commit's answer. */
		if (c->of && c->use != CONN_BULK && !c->in_commit) {
			if (pg_state(c->of) == DB_STATE_AWAY)
				return false;
			ms = ms > PG_LOOK_UP_MS ? PG_LOOK_UP_MS : ms;
		}
		if (unsent > 0)
			p.events |= POLLOUT;
		if (poll(&p, 1, ms) < 0 && errno != EINTR)
			return false;
		if ((p.revents & (POLLIN | POLLERR | POLLHUP)) != 0 && !PQconsumeInput(c->h))
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

static enum souk_err
take_answer(struct pg_conn *c, const struct pg_waiting *w, PGresult *res)
{
	ExecStatusType status = PQresultStatus(res);
	enum souk_err err = SOUK_OK;

	if (status == PGRES_FATAL_ERROR)
		err = pg_failed(c, res);
	else if (status == PGRES_PIPELINE_ABORTED)
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
	PGresult *res;
	enum souk_err err;

	if (!wait_answer(c, until))
		return pg_lost(c, PQstatus(c->h) == CONNECTION_OK
				      ? "the database did not answer in time"
				      : "the connection to the database was lost");
	if (!(res = PQgetResult(c->h)))
		return pg_lost(c, "the database gave no answer");
	c->first++;
	c->n_waiting--;
	err = take_answer(c, &w, res);
	if (w.kind == PG_A_SYNC || c->broken)
		return err;
	/* Each command's answers end with nothing. */
	if (!wait_answer(c, until) || (res = PQgetResult(c->h))) {
		PQclear(res);
		return pg_lost(c, "the connection to the database was lost");
	}
	return err;
}

enum souk_err
pg_await(struct pg_conn *c, const struct pg_stmt *st)
{
	while (c->n_waiting > 0 && !c->broken && (!st || st->next_pending))
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
	if (!ok)
		return pg_lost(c, "the connection to the database was lost");
	assert(c->n_waiting < PG_WAITING_MAX);
	c->waiting[(c->first + c->n_waiting++) % PG_WAITING_MAX] =
	    (struct pg_waiting){ .kind = kind, .st = st };
	/* Room for the commands that end a transaction stays free. */
	if (c->n_waiting >= PG_WAITING_MAX - 8 && kind != PG_A_SYNC) {
		if (!PQsendFlushRequest(c->h))
			return pg_lost(c, "the connection to the database was lost");
		(void)pg_await(c, NULL);
	}
	return SOUK_OK;
}

static enum souk_err
sync_point(struct pg_conn *c)
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
	if (err != SOUK_OK)
		c->tx = PG_TX_NONE;
	return err;
}

static void
pg_rollback(struct conn *base)
{
	struct pg_conn *c = pg(base);
	enum souk_err err = c->err;
	bool again = c->again, failed = c->tx == PG_TX_FAILED;

	if (c->tx == PG_TX_NONE)
		return;
	c->tx = PG_TX_NONE;
	if (c->broken)
		return;
	/* After a failure the server skips all up to the synchronisation. */
	if (failed)
		(void)sync_point(c);
	(void)control(c, PG_ROLLBACK, PG_A_CHECK, NULL, 0);
	(void)sync_point(c);
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
	if ((err = control(c, PG_COMMIT, PG_A_COMMIT, NULL, 0)) != SOUK_OK) {
		c->tx = PG_TX_NONE;
		return err;
	}
	c->in_commit = true;
	(void)sync_point(c);
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

	while (c->now == INSTANT_MIN && c->n_waiting > 0 && !c->broken) {
		if (!PQsendFlushRequest(c->h))
			(void)pg_lost(c, "the connection to the database was lost");
		else
			(void)read_answer(c);
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
	uint64_t be = htobe64((uint64_t)key);
	char value[8];

	if (c->tx == PG_TX_FAILED)
		return c->err;
	if (c->use == CONN_BULK && (kind == DB_LOCK_SUBJECT || key == c->last_lock))
		return SOUK_OK;
	c->last_lock = key;
	shared &= c->use != CONN_BULK;
	memcpy(value, &be, sizeof(value));
	return control(c, shared ? PG_LOCK_SHARED : PG_LOCK, PG_A_CHECK, value, (int)sizeof(value));
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

/* Used unless the address says otherwise: a cut connection must show in seconds, not in minutes. */
static const struct {
	const char *name, *value;
} defaults[] = {
	{ "connect_timeout", "3" },
	{ "tcp_user_timeout", "8000" },
	{ "keepalives_idle", "4" },
	{ "keepalives_interval", "2" },
	{ "keepalives_count", "2" },
	{ "target_session_attrs", "read-write" },
};
#define N_DEFAULTS (sizeof(defaults) / sizeof(defaults[0]))

static bool
given(const PQconninfoOption *o, const char *name)
{
	for (; o->keyword; o++)
		if (strcmp(o->keyword, name) == 0)
			return o->val != NULL;
	return false;
}

/* Several hosts give several lines; those that begin with a tab only ask whether it is running, as we do. */
static void
one_line(const char *words, char *out, size_t n)
{
	size_t at = 0, len;

	for (; *words; words += len + (words[len] == '\n')) {
		len = strcspn(words, "\n");
		if (words[0] != '\t' && len > 0 && at < n)
			at += (size_t)snprintf(
			    out + at, n - at, "%s%.*s", at > 0 ? "; " : "", (int)len, words);
	}
	if (at == 0)
		(void)snprintf(out, n, "no reason given");
}

/* Kinds of failures that somebody must mend in different places. */
static const struct {
	const char *code;
	enum met_fault fault;
} connect_faults[] = {
	{ "database_read_only", MFAULT_READ_ONLY },
	{ "database_refused", MFAULT_REFUSED },
	{ "database_full", MFAULT_FULL },
	{ "database_disk", MFAULT_DISK },
};
#define N_CONNECT_FAULTS (sizeof(connect_faults) / sizeof(connect_faults[0]))

enum met_fault
pg_fault_of(const char *code)
{
	for (size_t i = 0; code && i < N_CONNECT_FAULTS; i++)
		if (strcmp(code, connect_faults[i].code) == 0)
			return connect_faults[i].fault;
	return MFAULT_AWAY;
}

static const char *
code_of(enum met_fault fault)
{
	for (size_t i = 0; i < N_CONNECT_FAULTS; i++)
		if (fault == connect_faults[i].fault)
			return connect_faults[i].code;
	return "database_failed";
}

/* libpq's own words name hosts and users, which is what is wanted here. */
static enum souk_err
cannot_connect(PGconn *h, struct fail *f)
{
	const char *words = h ? PQerrorMessage(h) : "out of memory", *code = "database_unreachable";
	const char *fix = "is it running, and is the address right?";
	char all[160];

	one_line(words, all, sizeof(all));
	if (strstr(words, "password authentication failed") ||
	    strstr(words, "no password supplied")) {
		code = "database_refused";
		fix = "give the right user and password in `database`, or in a passfile";
	} else if (strstr(words, "too many clients") || strstr(words, "too many connections") ||
		   strstr(words, "connection slots")) {
		code = "database_full";
		fix = "raise max_connections, or lower database.writers and database.readers";
	} else if (strstr(words, "certificate") || strstr(words, "SSL"))
		fix = "see sslmode, sslrootcert and sslcert in the address";
	else if (strstr(words, "session is read-only") || strstr(words, "read-only")) {
		code = "database_read_only";
		fix = "no host of the address takes writes: name the primary too, or wait for it";
	} else if (strstr(words, "does not exist"))
		fix = "make the database or the role first";
	else if (strstr(words, "pg_hba.conf"))
		fix = "allow this host and user in the server's pg_hba.conf";
	return fail_set(
	    f, SOUK_E_UNAVAILABLE, code, "the database cannot be reached: %s; %s", all, fix);
}

static enum souk_err
settings(PGconn *h, int statement_ms, struct fail *f)
{
	char sql[400], words[200];
	PGresult *res;
	bool ok;

	(void)snprintf(sql, sizeof(sql),
	    "SET statement_timeout = %d; SET lock_timeout = %d;"
	    " SET idle_in_transaction_session_timeout = %d; SET client_min_messages = warning;"
	    /*
	     * Every look-up of ours has an index. The planner knows nothing of tables that have just been
	     * made, and a plan that is kept must not be one for empty tables.
	     */
	    " SET jit = off; SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan;"
	    " SET synchronous_commit = on",
	    statement_ms, PG_LOCK_MS, statement_ms);
	res = PQexec(h, sql);
	ok = PQresultStatus(res) == PGRES_COMMAND_OK;
	pg_words(res, h, words, sizeof(words));
	PQclear(res);
	return ok ? SOUK_OK
		  : fail_set(f, SOUK_E_UNAVAILABLE, "database_failed",
			"the database refuses its settings: %s", words);
}

/* libpq would print what the server says in passing, whatever it quotes. */
static void
no_notice(void *arg, const PGresult *res)
{
	(void)arg;
	(void)res;
}

enum souk_err
pg_connect(const char *url, const char *name, int statement_ms, PGconn **ret, struct fail *f)
{
	const char *key[N_DEFAULTS + 5] = { "dbname" }, *value[N_DEFAULTS + 5] = { url };
	size_t n = 1;
	PQconninfoOption *o = PQconninfoParse(url, NULL);
	char session[64];
	PGconn *h;
	enum souk_err err;

	*ret = NULL;
	(void)snprintf(session, sizeof(session), "%s (schema %d)", name, db_schema_version());
	if (!o) /* libpq's words would quote the address, password and all */
		return fail_field(f, "database",
		    "is not an address that PostgreSQL's library reads",
		    "give postgresql://USER:PASSWORD@HOST:PORT/DATABASE, with special characters "
		    "as %XX");
	for (size_t i = 0; i < N_DEFAULTS; i++)
		if (!given(o, defaults[i].name)) {
			key[n] = defaults[i].name;
			value[n++] = defaults[i].value;
		}
	PQconninfoFree(o);
	key[n] = "fallback_application_name";
	value[n++] = session;
	key[n] = "client_encoding";
	value[n++] = "UTF8";
	h = PQconnectdbParams(key, value, 1);
	(void)PQsetNoticeReceiver(h, no_notice, NULL);
	if (PQstatus(h) != CONNECTION_OK)
		err = cannot_connect(h, f);
	else if (PQserverVersion(h) < 140000)
		err = fail_set(f, SOUK_E_INVALID, "database_too_old",
		    "database: the server is PostgreSQL %d; souk needs 14 or newer",
		    PQserverVersion(h) / 10000);
	else
		err = settings(h, statement_ms, f);
	if (err != SOUK_OK)
		PQfinish(h);
	else
		*ret = h;
	return err;
}

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
	static const char sql[] = "SELECT n::bigint FROM generate_series(1, 100000) n"
				  " WHERE pg_try_advisory_lock(1936684395, n) LIMIT 1";
	PGresult *res = PQexecParams(c->h, sql, 0, NULL, NULL, NULL, NULL, 1);
	enum souk_err err = SOUK_OK;

	if (PQresultStatus(res) != PGRES_TUPLES_OK || PQntuples(res) != 1)
		err = pg_failed(c, res);
	else
		c->lane = (int)big_endian(PQgetvalue(res, 0, 0), PQgetlength(res, 0, 0));
	c->base.own_lane = err == SOUK_OK;
	PQclear(res);
	return err;
}

static enum souk_err
prepare_controls(struct pg_conn *c)
{
	static const Oid number = 20, text = 25;

	for (unsigned t = 0; t < PG_CONTROL__COUNT; t++) {
		bool takes = t == PG_LOCK || t == PG_LOCK_SHARED || t == PG_TELL;

		if (pg_sent(c,
			PQsendPrepare(c->h, control_names[t], controls[t], takes ? 1 : 0,
			    t == PG_TELL ? &text : &number),
			PG_A_CHECK, NULL) != SOUK_OK)
			return c->err;
	}
	(void)sync_point(c);
	return pg_await(c, NULL);
}

enum souk_err
pg_conn_open(const char *url, enum conn_use use, struct conn **ret, struct fail *f)
{
	struct pg_conn *c = calloc(1, sizeof(*c));
	enum souk_err err;

	if (!c)
		return fail_set(
		    f, SOUK_E_NOMEM, "out_of_memory", "no memory for a database connection");
	c->base.ops = &pg_ops;
	c->use = use;
	if ((err = pg_connect(url, use == CONN_READ ? "souk read" : "souk write",
		 use == CONN_BULK ? PG_BULK_MS : PG_STATEMENT_MS, &c->h, f)) != SOUK_OK) {
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
		(void)fail_set(f, err, code_of(c->fault), "the database: %s", c->message);
		conn_close(&c->base);
		return err;
	}
	*ret = &c->base;
	return SOUK_OK;
}
