/* SPDX-License-Identifier: Apache-2.0 */
/* What probes see of a struct health. */
#include "server/health.h"

#include "base/clock.h"

/* What the database's listener knows comes first: the ticker may wait for a database that hangs. */
static const char *
database_words(const struct health *h, const struct db *db)
{
	static const char *const words[] = {
		[DB_STATE_FINE] = "ok",
		[DB_STATE_AWAY] = "cannot be reached",
		[DB_STATE_READ_ONLY] = "takes no writes",
		[DB_STATE_NEWER] = "has a schema that this souk does not know",
	};
	enum db_state state = db_state(db);

	return state == DB_STATE_FINE && !atomic_load(&h->database) ? "cannot be written"
								    : words[state];
}

bool
health_database(const struct health *h, const struct db *db)
{
	return strcmp(database_words(h, db), "ok") == 0;
}

struct health_state
health_ask(struct health *h, const struct db *db)
{
	struct health_state s = { .database = database_words(h, db),
		.key_ring = atomic_load(&h->key_ring),
		.objects = atomic_load(&h->objects),
		.stopping = atomic_load(&h->stopping) };

	atomic_store(&h->asked_ns, clock_mono_ns());
	/*
	 * A home of objects that was there and went away stops exports, on every node alike, and
	 * nothing else: taking all nodes out of service would stop the rest, too.
	 */
	s.ready =
	    health_database(h, db) && s.key_ring && atomic_load(&h->objects_met) && !s.stopping;
	return s;
}
