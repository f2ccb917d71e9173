/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ticker. A step that fails is logged and tried again at its next turn: nothing here
 * may stop the service.
 */
#include "server/upkeep.h"

#include "base/log.h"
#include "edsp/publish.h"
#include "proserv/change.h"
#include "proserv/watch.h"
#include "psc/contact.h"
#include "store/job.h"

#include <stdlib.h>

#define TICK_MS 1000
#define MAIL_EVERY 60                  /* ticks, the first one included */
#define DROP_EVERY 60                  /* ticks */
#define LAPSE_EVERY 60                 /* ticks, the first one included */
#define PUBLISH_EVERY 60               /* ticks, the first one included */
#define PROBE_EVERY 10                 /* ticks between looks for a home of objects that is away */
#define PING_IDLE 30                   /* ticks between looks at the disk when no probe asks */
#define ASKED_NS UINT64_C(60000000000) /* a probe that asked so recently counts as present */
#define KEEP_ANSWERS DAY_MS            /* access/idempotency.h */
#define KEEP_JOBS (30 * DAY_MS)
#define CHUNK 1000 /* versions dropped in one transaction: writers wait that long */
#define MAIL_CHUNK 200
#define CHUNKS 100 /* of them in one round */

struct upkeep {
	const struct services *svc;
	pthread_t thread, objects;
	bool has_objects; /* a thread of their own: a home far away may let it wait */
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
drop_change_sets(struct db_tx *tx, void *arg)
{
	struct drop *d = arg;

	return change_set_prune(tx, db_now(tx) - CHANGE_SET_KEPT, &d->n);
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

	if (!object_store_remote(svc->objects))
		note("objects", object_expire(svc->objects, &objects));
	note("answers", db_write(svc->db, drop_answers, &d));
	note("jobs", db_write(svc->db, drop_jobs, &d));
	note("change_sets", db_write(svc->db, drop_change_sets, &d));
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

	/* Of a database that is away its listener has told, with the reason. */
	if (fine != atomic_load(&svc->health->database) && db_state(svc->db) == DB_STATE_FINE)
		log_event(fine ? LOG_INFO : LOG_ERROR,
		    fine ? "database_writable" : "database_not_writable");
	atomic_store(&svc->health->database, fine);
}

/* What others met when they used it. */
static void
look_at_objects(const struct services *svc)
{
	struct fail f = { .err = SOUK_OK };
	bool fine = object_store_state(svc->objects, &f) == SOUK_OK;

	if (fine)
		atomic_store(&svc->health->objects_met, true);
	if (fine == atomic_load(&svc->health->objects))
		return;
	if (fine)
		log_event(LOG_INFO, "object_store_back");
	else
		log_fail(LOG_ERROR, "object_store_away", "-", &f);
	atomic_store(&svc->health->objects, fine);
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
remove_listings(const struct services *svc)
{
	int64_t n = 0;

	note("listings", listings_remove_over(svc->db, &n));
	if (n > 0)
		log_event(LOG_INFO, "listings_removed", LOG_I("count", n));
}

static void
publish(const struct services *svc)
{
	int64_t n = 0;

	note("publish", publish_due(svc->db, &n));
	if (n > 0)
		log_event(LOG_INFO, "publications_put", LOG_I("count", n));
}

struct mail_work {
	instant_t keep_ms;
	int64_t erased;
	size_t put;
	struct mail_counts counts;
};

static enum souk_err
erase_mails(struct db_tx *tx, void *arg)
{
	struct mail_work *w = arg;

	return mail_erase_old(tx, db_now(tx) - w->keep_ms, MAIL_CHUNK, &w->erased);
}

static enum souk_err
unpark_mails(struct db_tx *tx, void *arg)
{
	struct mail_work *w = arg;

	return mail_unpark(tx, MAIL_CHUNK, &w->put);
}

static enum souk_err
count_mails(struct db_tx *tx, void *arg)
{
	struct mail_work *w = arg;

	return mail_count(tx, &w->counts);
}

void
upkeep_mail(const struct services *svc)
{
	struct mail_work w = { .keep_ms = config_int(svc->config, SET_MAIL_KEEP_DAYS) * DAY_MS,
		.erased = MAIL_CHUNK,
		.put = MAIL_CHUNK };
	enum souk_err r = SOUK_OK;

	for (int i = 0; i < CHUNKS && r == SOUK_OK && w.erased == MAIL_CHUNK; i++)
		r = db_write(svc->db, erase_mails, &w);
	note("mails", r);
	if (mail_sender_has_server(svc->mail)) {
		r = SOUK_OK;
		for (int i = 0; i < CHUNKS && r == SOUK_OK && w.put == MAIL_CHUNK; i++)
			r = db_write(svc->db, unpark_mails, &w);
		note("parked mails", r);
		return;
	}
	note("count of mails", db_read(svc->db, count_mails, &w));
	if (w.counts.waiting > 0)
		log_event(LOG_WARN, "mails_wait_for_server", LOG_I("count", w.counts.waiting),
		    LOG_S("fix", "set mail.server"));
}

static void
tick(const struct services *svc, uint64_t n)
{
	uint64_t asked = atomic_load(&svc->health->asked_ns);

	look_at_ring(svc);
	look_at_objects(svc);
	access_refresh(svc->access);
	if (n % PING_IDLE == 0 || (asked != 0 && clock_mono_ns() - asked < ASKED_NS))
		look_at_database(svc);
	if (n % LAPSE_EVERY == 0)
		upkeep_lapse(svc);
	if (n % LAPSE_EVERY == 0)
		remove_listings(svc);
	if (n % PUBLISH_EVERY == 0)
		publish(svc);
	if (svc->watch != NULL)
		note("reviews", watch_tick(svc->watch, svc->db));
	if (n % MAIL_EVERY == 0)
		upkeep_mail(svc);
	if (n % DROP_EVERY == DROP_EVERY - 1)
		upkeep_drop(svc);
}

static void
tick_objects(const struct services *svc, uint64_t n)
{
	struct fail f = { .err = SOUK_OK };
	int64_t expired;

	if (n % PROBE_EVERY == PROBE_EVERY - 1 && !atomic_load(&svc->health->objects))
		(void)!object_store_probe(svc->objects, &f);
	if (n % DROP_EVERY == DROP_EVERY - 1)
		note("objects", object_expire(svc->objects, &expired));
}

static void
run_ticks(struct upkeep *u, void (*each)(const struct services *svc, uint64_t n))
{
	(void)pthread_mutex_lock(&u->lock);
	for (uint64_t n = 0; !u->stop; n++) {
		(void)pthread_mutex_unlock(&u->lock);
		each(u->svc, n);
		(void)pthread_mutex_lock(&u->lock);
		if (!u->stop)
			(void)clock_cond_wait_ms(&u->told, &u->lock, TICK_MS);
	}
	(void)pthread_mutex_unlock(&u->lock);
}

static void *
run(void *arg)
{
	run_ticks(arg, tick);
	return NULL;
}

static void *
run_objects(void *arg)
{
	run_ticks(arg, tick_objects);
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
	u->has_objects = object_store_remote(svc->objects);
	if (u->has_objects && pthread_create(&u->objects, NULL, run_objects, u) != 0) {
		u->has_objects = false;
		upkeep_end(u);
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
	(void)pthread_cond_broadcast(&u->told);
	(void)pthread_mutex_unlock(&u->lock);
	(void)pthread_join(u->thread, NULL);
	if (u->has_objects)
		(void)pthread_join(u->objects, NULL);
	(void)pthread_mutex_destroy(&u->lock);
	(void)pthread_cond_destroy(&u->told);
	free(u);
}
