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

/* Runs one command and waits at most ANSWER_MS for it. */
static bool
ask(struct db *db, PGconn *h, const char *sql)
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

		ok &= s == PGRES_COMMAND_OK ||
		      (s == PGRES_TUPLES_OK && strcmp(PQgetvalue(res, 0, 0), "f") == 0);
		PQclear(res);
	}
	return ok;
}

/* Until the connection fails or it is time to stop. */
static void
listen_on(struct db *db, PGconn *h)
{
	uint64_t look_at = 0;

	if (!ask(db, h, "LISTEN souk"))
		return;
	tell_all(db);
	while (!atomic_load(&db->pg->stop)) {
		if (clock_mono_ns() >= look_at) {
			if (!ask(db, h, "SELECT pg_is_in_recovery()"))
				return;
			atomic_store(&db->pg->heard_at, clock_mono_ns());
			pg_answered(db);
			look_at = clock_mono_ns() + (uint64_t)LOOK_MS * 1000000;
		}
		hear(db, h);
		if (sleep_on(db, PQsocket(h), LOOK_MS) && !PQconsumeInput(h))
			return;
	}
}

static void *
listener_main(void *arg)
{
	struct db *db = arg;
	bool away = false;

	while (!atomic_load(&db->pg->stop)) {
		PGconn *h = NULL;
		struct fail f = { 0 };
		uint64_t began = clock_mono_ns();

		if (pg_connect(db->path, "souk listen", ANSWER_MS, &h, &f) == SOUK_OK) {
			if (away)
				log_event(LOG_INFO, "database_back", LOG_I("listening", 1));
			listen_on(db, h);
		} else {
			if (clock_mono_ns() - began < QUICK_NS)
				pg_answered(db);
			if (!away)
				log_event(LOG_ERROR, "database_away", LOG_S("reason", f.detail));
		}
		PQfinish(h);
		away = true;
		if (!atomic_load(&db->pg->stop))
			(void)sleep_on(db, -1, 500);
	}
	return NULL;
}

bool
pg_reachable(const struct db *db)
{
	uint64_t heard = atomic_load(&db->pg->heard_at);

	return heard != 0 && clock_mono_ns() - heard < AWAY_NS;
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
