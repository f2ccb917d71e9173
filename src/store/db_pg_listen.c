/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The listener: hears what other nodes tell (LISTEN), and looks each second whether the
 * database answers.
 *
 * News are hints: whoever hears them looks into the database. After a gap all are told, because
 * something may have been missed.
 */
#include "store/db_pg.h"

#include "base/log.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LOOK_MS 1000
#define ANSWER_MS 2000
#define QUICK_NS UINT64_C(1500000000) /* who refuses this fast does answer */
#define AWAY_NS UINT64_C(3500000000)  /* no answer for this long: away */

static void
tell_all(struct db *db)
{
	for (int n = 0; n < DB_NEWS__COUNT; n++)
		db_hear(db, (enum db_news)n);
	db_bell_ring(&db->bell);
}

/* Waits for the socket or the end; false when nothing came. */
static bool
sleep_on(struct db *db, int fd, int ms)
{
	struct pollfd p[2] = { { .fd = db->pg->wake[0], .events = POLLIN },
		{ .fd = fd, .events = POLLIN } };

	return poll(p, fd >= 0 ? 2 : 1, ms) > 0 && fd >= 0 && p[1].revents != 0;
}

static void
hear(struct db *db, PGconn *h)
{
	PGnotify *n;

	while ((n = PQnotifies(h))) {
		int news = n->extra && n->extra[0] ? n->extra[0] - '0' : -1;

		if (news >= 0 && news < DB_NEWS__COUNT)
			db_hear(db, (enum db_news)news);
		if (news == DB_NEWS_JOBS)
			db_bell_ring(&db->bell);
		PQfreemem(n);
	}
}

/* Runs one command and waits at most ANSWER_MS for it; *ret_number is its row's, if it gives one. */
static bool
ask(struct db *db, PGconn *h, const char *sql, long *ret_number)
{
	uint64_t until = clock_mono_ns() + (uint64_t)ANSWER_MS * 1000000;
	PGresult *res;
	bool ok = true;

	if (!PQsendQuery(h, sql))
		return false;
	while (PQisBusy(h)) {
		if (clock_mono_ns() >= until || atomic_load(&db->pg->stop))
			return false;
		(void)sleep_on(db, PQsocket(h), 100);
		if (!PQconsumeInput(h))
			return false;
	}
	while ((res = PQgetResult(h))) {
		ExecStatusType s = PQresultStatus(res);

		if (s == PGRES_TUPLES_OK && PQntuples(res) == 1)
			*ret_number = strtol(PQgetvalue(res, 0, 0), NULL, 10);
		else
			ok &= s == PGRES_COMMAND_OK;
		PQclear(res);
	}
	return ok;
}

/* ---- what is told ---- */

static void
found(struct db *db, enum db_state state, const char *why)
{
	struct db_pg *p = db->pg;

	if (state == DB_STATE_FINE && p->told)
		log_event(LOG_INFO, "database_back");
	if (state != DB_STATE_FINE && (!p->told || state != atomic_load(&p->state)))
		log_event(LOG_ERROR,
		    state == DB_STATE_NEWER       ? "database_newer"
		    : state == DB_STATE_READ_ONLY ? "database_read_only"
						  : "database_away",
		    LOG_S("reason", why));
	p->told = state != DB_STATE_FINE;
	atomic_store(&p->state, state);
	if (state != DB_STATE_AWAY)
		atomic_store(&p->heard_at, clock_mono_ns());
}

/* 0: fine, 1: a standby, 2: serves newer programs only. */
static bool
look(struct db *db, PGconn *h)
{
	char sql[200];
	long n = 0;

	(void)snprintf(sql, sizeof(sql),
	    "SELECT CASE WHEN pg_is_in_recovery() THEN 1"
	    " WHEN (SELECT max(runs_from) FROM souk_schema) > %d THEN 2 ELSE 0 END",
	    db_schema_version());
	if (!ask(db, h, sql, &n))
		return false;
	if (n == 1)
		found(db, DB_STATE_READ_ONLY, "the server is a standby");
	else if (n == 2)
		found(db, DB_STATE_NEWER,
		    "its schema serves newer souk only; stop this node and start it with the new "
		    "program");
	else
		found(db, DB_STATE_FINE, NULL);
	return n != 1;
}

/* Until the connection fails, leads to a standby, or it is time to stop. */
static void
listen_on(struct db *db, PGconn *h)
{
	uint64_t look_at = 0;
	long none;

	if (!ask(db, h, "LISTEN souk", &none))
		return;
	tell_all(db);
	while (!atomic_load(&db->pg->stop)) {
		if (clock_mono_ns() >= look_at) {
			if (!look(db, h))
				return;
			pg_answered(db);
			look_at = clock_mono_ns() + (uint64_t)LOOK_MS * 1000000;
		}
		hear(db, h);
		if (sleep_on(db, PQsocket(h), LOOK_MS) && !PQconsumeInput(h))
			return;
	}
}

static void
listen_counted(struct db *db, PGconn *h)
{
	metric_add(MET_DB_LISTENS, 0, 1);
	metric_set(MET_DB_CONNECTIONS, MUSE_LISTEN, 1);
	listen_on(db, h);
	metric_set(MET_DB_CONNECTIONS, MUSE_LISTEN, 0);
	/* A connection that was cut may come back at once, and then nothing was away. */
	if (pg_state(db) == DB_STATE_AWAY)
		found(db, DB_STATE_AWAY, "it does not answer");
}

static void
not_connected(struct db *db, const struct fail *f)
{
	enum met_fault fault = pg_fault_of(f->code);

	metric_add(MET_DB_FAILURES, fault, 1);
	if (fault == MFAULT_FULL) /* it answers; those who have connections go on */
		atomic_store(&db->pg->heard_at, clock_mono_ns());
	else
		found(
		    db, fault == MFAULT_READ_ONLY ? DB_STATE_READ_ONLY : DB_STATE_AWAY, f->detail);
}

static void *
listener_main(void *arg)
{
	struct db *db = arg;

	while (!atomic_load(&db->pg->stop)) {
		PGconn *h = NULL;
		struct fail f = { 0 };
		uint64_t began = clock_mono_ns();

		if (pg_connect(db->path, "souk listen",
			&(struct pg_limits){ ANSWER_MS, ANSWER_MS, 0 }, &h, &f) == SOUK_OK) {
			listen_counted(db, h);
		} else {
			if (clock_mono_ns() - began < QUICK_NS)
				pg_answered(db);
			not_connected(db, &f);
		}
		PQfinish(h);
		if (!atomic_load(&db->pg->stop))
			(void)sleep_on(db, -1, 500);
	}
	return NULL;
}

enum db_state
pg_state(const struct db *db)
{
	uint64_t heard = atomic_load(&db->pg->heard_at);

	if (heard == 0 || clock_mono_ns() - heard >= AWAY_NS)
		return DB_STATE_AWAY;
	return atomic_load(&db->pg->state);
}

bool
pg_silent(const struct db *db)
{
	uint64_t at = atomic_load_explicit(&db->pg->answered_at, memory_order_relaxed);
	uint64_t now = clock_mono_ns();

	return now > at && now - at > AWAY_NS;
}

void
pg_answered(struct db *db)
{
	atomic_store_explicit(&db->pg->answered_at, clock_mono_ns(), memory_order_relaxed);
}

enum souk_err
pg_listen_start(struct db *db)
{
	pg_answered(db);
	if (pipe2(db->pg->wake, O_CLOEXEC) != 0 ||
	    pthread_create(&db->pg->listener, NULL, listener_main, db) != 0)
		return SOUK_E_INTERNAL;
	/* The migrations have just run over a connection of their own. */
	atomic_store(&db->pg->heard_at, clock_mono_ns());
	db->pg->listening = true;
	return SOUK_OK;
}

void
pg_listen_stop(struct db *db)
{
	struct db_pg *p = db->pg;

	atomic_store(&p->stop, true);
	if (p->wake[1] >= 0)
		(void)!write(p->wake[1], "", 1);
	if (p->listening)
		(void)pthread_join(p->listener, NULL);
	for (int i = 0; i < 2; i++)
		if (p->wake[i] >= 0)
			(void)close(p->wake[i]);
}
