/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ticker. A step that fails is logged and tried again at its next turn: nothing here
 * may stop the service.
 */
#include "server/upkeep.h"

#include "base/log.h"
#include "psc/contact.h"
#include "store/job.h"

#include <stdlib.h>

#define TICK_MS 1000
#define DROP_EVERY 60                  /* ticks */
#define LAPSE_EVERY 60                 /* ticks, the first one included */
#define PING_IDLE 30                   /* ticks between looks at the disk when no probe asks */
#define ASKED_NS UINT64_C(60000000000) /* a probe that asked so recently counts as present */
#define KEEP_ANSWERS DAY_MS            /* access/idempotency.h */
#define KEEP_JOBS (30 * DAY_MS)
#define CHUNK 1000 /* versions dropped in one transaction: writers wait that long */
#define CHUNKS 100 /* of them in one round */

struct upkeep {
	const struct services *svc;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t told;
	bool stop;
};

struct drop {
	instant_t before;
	int64_t n;
};

static enum souk_err
drop_answers(struct db_tx *tx, void *arg)
{
	struct drop *d = arg;

	return idempotency_prune(tx, db_now(tx) - KEEP_ANSWERS, &d->n);
}

static enum souk_err
drop_jobs(struct db_tx *tx, void *arg)
{
	struct drop *d = arg;

	return job_prune(tx, db_now(tx) - KEEP_JOBS, &d->n);
}

static enum souk_err
drop_versions(struct db_tx *tx, void *arg)
{
	struct drop *d = arg;

	return contact_prune(tx, CHUNK, &d->n);
}

static void
note(const char *what, enum souk_err err)
{
	if (err != SOUK_OK)
		log_event(LOG_WARN, "upkeep_failed", LOG_S("step", what),
		    LOG_S("error", souk_err_word(err)));
}

void
upkeep_drop(const struct services *svc)
{
	uint64_t began = clock_mono_ns();
	struct drop d = { .n = CHUNK };
	int64_t objects;

	note("objects", object_expire(svc->objects, &objects));
	note("answers", db_write(svc->db, drop_answers, &d));
	note("jobs", db_write(svc->db, drop_jobs, &d));
	d.n = CHUNK;
	for (int i = 0; i < CHUNKS && d.n == CHUNK; i++) {
		enum souk_err r = db_write(svc->db, drop_versions, &d);

		note("versions", r);
		if (r != SOUK_OK)
			break;
	}
	metric_observe_ns(MET_JOB_SECONDS, MJOB_HOUSEKEEPING, clock_mono_ns() - began);
}

/* A wrong or missing key ring file: records can still be read with the ring in memory, but not after a restart. */
static void
look_at_ring(const struct services *svc)
{
	struct fail f = { .err = SOUK_OK };
	bool fine = vault_refresh(svc->vault, &f) == SOUK_OK;

	if (!fine && atomic_load(&svc->health->key_ring))
		log_fail(LOG_ERROR, "key_ring_unreadable", "-", &f);
	atomic_store(&svc->health->key_ring, fine);
}

static void
look_at_database(const struct services *svc)
{
	bool fine = db_ping(svc->db) == SOUK_OK;

	if (fine != atomic_load(&svc->health->database))
		log_event(fine ? LOG_INFO : LOG_ERROR,
		    fine ? "database_writable" : "database_not_writable");
	atomic_store(&svc->health->database, fine);
}

void
upkeep_lapse(const struct services *svc)
{
	int64_t ended = 0;

	note("lapse", psc_end_lapsed(svc->db, svc->vault, &ended));
	if (ended > 0)
		log_event(LOG_INFO, "subscriptions_ended", LOG_I("count", ended));
}

static void
tick(const struct services *svc, uint64_t n)
{
	uint64_t asked = atomic_load(&svc->health->asked_ns);

	look_at_ring(svc);
	access_refresh(svc->access);
	if (n % PING_IDLE == 0 || (asked != 0 && clock_mono_ns() - asked < ASKED_NS))
		look_at_database(svc);
	if (n % LAPSE_EVERY == 0)
		upkeep_lapse(svc);
	if (n % DROP_EVERY == DROP_EVERY - 1)
		upkeep_drop(svc);
}

static void *
run(void *arg)
{
	struct upkeep *u = arg;

	(void)pthread_mutex_lock(&u->lock);
	for (uint64_t n = 0; !u->stop; n++) {
		(void)pthread_mutex_unlock(&u->lock);
		tick(u->svc, n);
		(void)pthread_mutex_lock(&u->lock);
		if (!u->stop)
			(void)clock_cond_wait_ms(&u->told, &u->lock, TICK_MS);
	}
	(void)pthread_mutex_unlock(&u->lock);
	return NULL;
}

enum souk_err
upkeep_begin(const struct services *svc, struct upkeep **ret)
{
	struct upkeep *u = calloc(1, sizeof(*u));

	if (!u)
		return SOUK_E_NOMEM;
	u->svc = svc;
	(void)pthread_mutex_init(&u->lock, NULL);
	clock_cond_init(&u->told);
	if (pthread_create(&u->thread, NULL, run, u) != 0) {
		free(u);
		return SOUK_E_NOMEM;
	}
	*ret = u;
	return SOUK_OK;
}

void
upkeep_end(struct upkeep *u)
{
	if (!u)
		return;
	(void)pthread_mutex_lock(&u->lock);
	u->stop = true;
	(void)pthread_cond_signal(&u->told);
	(void)pthread_mutex_unlock(&u->lock);
	(void)pthread_join(u->thread, NULL);
	(void)pthread_mutex_destroy(&u->lock);
	(void)pthread_cond_destroy(&u->told);
	free(u);
}
