/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The node's row: `used` holds what was let through in each of the last seconds, newest last, so
 * that a reader that comes a little late misses nothing:
 *
 *   8 bytes number of the report, 4 bytes its length, what rate_report gave; up to REPORTS of them
 *
 * Numbers are big-endian. A report is charged once: readers remember each node's last number.
 */
#include "server/beat.h"

#include "base/log.h"
#include "store/node.h"

#include <endian.h>
#include <stdlib.h>
#include <stdio.h>
#include <unistd.h>

#define TICK_MS 1000
#define REPORTS 4
#define NODES_MAX 256 /* whose reports we know the last of; more are not charged */

struct heard {
	struct guid id;
	uint64_t number;
};

struct beat {
	const struct services *svc;
	struct rate *rate;
	struct node me;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t told;
	bool started, stop;

	uint64_t number; /* of the newest report */
	struct buf report[REPORTS];
	struct buf used;
	uint64_t put_ns; /* when the row was refreshed; 0: never */
	bool had_news;   /* the row has reports that are not empty */

	size_t n_heard;
	struct heard heard[NODES_MAX];
	int64_t n_nodes, ring_newest; /* of those that run */
};

/* ---- telling --------------------------------------------------------------------------- */

static void
add_number(struct buf *b, uint64_t v)
{
	v = htobe64(v);
	buf_add(b, &v, sizeof(v));
}

/* True when the row has something to say that it does not say yet. */
static bool
next_report(struct beat *b)
{
	struct buf *r = &b->report[++b->number % REPORTS];
	bool news = false;

	buf_clear(r);
	rate_report(b->rate, r);
	buf_clear(&b->used);
	for (uint64_t n = b->number >= REPORTS ? b->number - REPORTS + 1 : 1; n <= b->number; n++) {
		r = &b->report[n % REPORTS];
		if (!buf_ok(r) || r->n == 0)
			continue;
		add_number(&b->used, n);
		add_number(&b->used, r->n);
		buf_add_str(&b->used, buf_str(r));
		news = true;
	}
	return news;
}

static enum souk_err
put(struct db_tx *tx, void *arg)
{
	struct beat *b = arg;
	enum souk_err r = node_forget(tx);

	if (b->me.started_at == 0)
		b->me.started_at = db_now(tx);
	return r == SOUK_OK ? node_put(tx, &b->me, buf_str(&b->used)) : r;
}

static void
tell(struct beat *b)
{
	bool news = b->rate && db_is_shared(b->svc->db) && next_report(b);
	uint64_t now = clock_mono_ns();
	int64_t current = vault_current(b->svc->vault), newest = vault_newest(b->svc->vault);
	enum souk_err r;

	if (b->put_ns != 0 && !news && !b->had_news && current == b->me.ring_current &&
	    newest == b->me.ring_newest &&
	    now - b->put_ns < (uint64_t)node_beat_ms(b->svc->db) * 1000000)
		return;
	b->me.ring_current = current;
	b->me.ring_newest = newest;
	if ((r = db_write(b->svc->db, put, b)) == SOUK_OK) {
		b->put_ns = now;
		b->had_news = news;
	}
	/* The database's absence is told of elsewhere; the row is tried again each second. */
}

/* ---- hearing --------------------------------------------------------------------------- */

/* The last number heard of this node; a new one's reports so far are not charged. */
static struct heard *
heard_of(struct beat *b, const struct guid *id, bool *ret_new)
{
	*ret_new = false;
	for (size_t i = 0; i < b->n_heard; i++)
		if (guid_eq(&b->heard[i].id, id))
			return &b->heard[i];
	if (b->n_heard == NODES_MAX)
		return NULL;
	*ret_new = true;
	b->heard[b->n_heard] = (struct heard){ .id = *id };
	return &b->heard[b->n_heard++];
}

static uint64_t
take_number(struct str *s)
{
	uint64_t v = 0;

	memcpy(&v, s->p, sizeof(v));
	*s = (struct str){ s->p + sizeof(v), s->n - sizeof(v) };
	return be64toh(v);
}

static void
charge(struct beat *b, const struct guid *id, struct str used)
{
	bool is_new;
	struct heard *h = heard_of(b, id, &is_new);
	uint64_t now = clock_mono_ns();

	while (h && used.n >= 16) {
		uint64_t number = take_number(&used), n = take_number(&used);

		if (n > used.n)
			return;
		if (number > h->number) {
			if (!is_new)
				rate_charge(b->rate, (struct str){ used.p, (size_t)n }, now);
			h->number = number;
		}
		used = (struct str){ used.p + n, used.n - (size_t)n };
	}
}

struct look {
	struct beat *b;
	struct db_tx *tx;
};

static enum souk_err
hear_one(const struct node *n, struct str used, void *arg)
{
	struct look *l = arg;
	struct beat *b = l->b;

	if (db_now(l->tx) - n->seen_at > node_gone_ms(b->svc->db))
		return SOUK_OK;
	b->n_nodes++;
	if (n->ring_newest > b->ring_newest)
		b->ring_newest = n->ring_newest;
	if (b->rate && !guid_eq(&n->id, &b->me.id))
		charge(b, &n->id, used);
	return SOUK_OK;
}

/* A rotation may want a key that no node has yet. */
static enum souk_err
hear_of_rotation(struct beat *b, struct db_tx *tx)
{
	struct buf text = { 0 };
	int64_t wanted;
	enum souk_err r = db_meta_get(tx, VAULT_NEWEST_META, &text);

	if (r == SOUK_OK && str_to_i64(buf_str(&text), &wanted) && wanted > b->ring_newest)
		b->ring_newest = wanted;
	buf_done(&text);
	return r == SOUK_E_NOT_FOUND ? SOUK_OK : r;
}

static enum souk_err
hear(struct db_tx *tx, void *arg)
{
	struct look l = { .b = arg, .tx = tx };
	enum souk_err r;

	l.b->n_nodes = l.b->ring_newest = 0;
	r = node_each(tx, hear_one, &l);
	return r == SOUK_OK ? hear_of_rotation(l.b, tx) : r;
}

void
beat_once(struct beat *b)
{
	struct fail f = { .err = SOUK_OK };

	tell(b);
	if (!db_is_shared(b->svc->db) && b->n_nodes > 0)
		return;
	if (db_read(b->svc->db, hear, b) != SOUK_OK)
		return;
	metric_set(MET_NODES, 0, b->n_nodes);
	/* Somebody has a key that we have not: a ring that a command prints is asked for again. */
	if (b->ring_newest > vault_newest(b->svc->vault) &&
	    vault_read_again(b->svc->vault, &f) != SOUK_OK)
		log_fail(LOG_WARN, "key_ring_unreadable", "-", &f);
}

/* ---- the thread ------------------------------------------------------------------------ */

static void *
run(void *arg)
{
	struct beat *b = arg;

	(void)pthread_mutex_lock(&b->lock);
	while (!b->stop) {
		(void)pthread_mutex_unlock(&b->lock);
		beat_once(b);
		(void)pthread_mutex_lock(&b->lock);
		if (!b->stop)
			(void)clock_cond_wait_ms(&b->told, &b->lock, TICK_MS);
	}
	(void)pthread_mutex_unlock(&b->lock);
	return NULL;
}

enum souk_err
beat_new(const struct services *svc, struct rate *rate, struct beat **ret)
{
	struct beat *b = calloc(1, sizeof(*b));

	if (!b)
		return SOUK_E_NOMEM;
	b->svc = svc;
	b->rate = rate;
	b->me = (struct node){ .id = guid_new(), .schema = db_schema_version() };
	if (gethostname(b->me.host, sizeof(b->me.host) - 1) != 0)
		(void)snprintf(b->me.host, sizeof(b->me.host), "unknown");
	(void)snprintf(b->me.version, sizeof(b->me.version), "%s", SOUK_VERSION);
	(void)pthread_mutex_init(&b->lock, NULL);
	clock_cond_init(&b->told);
	*ret = b;
	return SOUK_OK;
}

enum souk_err
beat_begin(const struct services *svc, struct rate *rate, struct beat **ret)
{
	struct beat *b;
	enum souk_err r = beat_new(svc, rate, &b);

	if (r != SOUK_OK)
		return r;
	beat_once(b);
	if (pthread_create(&b->thread, NULL, run, b) != 0) {
		beat_end(b);
		return SOUK_E_NOMEM;
	}
	b->started = true;
	*ret = b;
	return SOUK_OK;
}

static enum souk_err
leave(struct db_tx *tx, void *arg)
{
	const struct beat *b = arg;

	return node_remove(tx, &b->me.id);
}

void
beat_end(struct beat *b)
{
	if (!b)
		return;
	(void)pthread_mutex_lock(&b->lock);
	b->stop = true;
	(void)pthread_cond_signal(&b->told);
	(void)pthread_mutex_unlock(&b->lock);
	if (b->started)
		(void)pthread_join(b->thread, NULL);
	/* What stays when this fails, the others forget after a while. */
	if (b->put_ns != 0 && db_write(b->svc->db, leave, b) != SOUK_OK)
		log_event(LOG_WARN, "node_row_left");
	for (size_t i = 0; i < REPORTS; i++)
		buf_done(&b->report[i]);
	buf_done(&b->used);
	(void)pthread_mutex_destroy(&b->lock);
	(void)pthread_cond_destroy(&b->told);
	free(b);
}
