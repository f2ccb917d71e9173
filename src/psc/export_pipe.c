/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ring between stepping rows and writing text.
 *
 * Batches are numbered; number n sits in slot n % RING. Three counters say everything:
 * those before `written` are free, those before `taken` are being formatted or are text,
 * those before `filled` are packed. Only the reading thread packs, either formats, and
 * whoever finds the next text in order writes it while the other keeps off (`writing`).
 * Plain text is in the batches' text and in the threads' scratch; both are wiped.
 */
#include "psc/export_pipe.h"

#include "base/secret.h"
#include "psc/contact_seal.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#define RING 16
#define BATCH_ROWS 512
#define BATCH_BYTES ((size_t)256 * 1024) /* sealed bytes; at least a few of the largest rows */

struct packed {
	struct export_row row;
	uint32_t at, sealed_n; /* in bytes[]: the wrapped key, then the sealed record */
};

struct batch {
	struct packed rows[BATCH_ROWS];
	uint8_t bytes[BATCH_BYTES];
	size_t n, bytes_n;
	size_t room; /* what the text takes at most */
	struct buf text;
	bool ready; /* text is there */
};

/* What a thread needs for itself. */
struct bench {
	struct export_days days;
	uint8_t plain[CONTACT_PLAIN_MAX];
};

struct export_pipe {
	struct vault *vault;
	char seller_id[ACCOUNT_ID_LEN + 1];
	struct sink *out;
	bool may_start, started;
	pthread_t worker;
	struct bench here, there; /* the reading thread's, the worker's */
	struct batch *ring;

	pthread_mutex_t lock; /* guards what follows, and `ready` */
	pthread_cond_t changed;
	uint64_t filled, taken, written;
	bool writing, ended;
	enum souk_err err; /* the first */
	bool has_damaged;
	struct guid damaged;
};

static struct batch *
slot(struct export_pipe *p, uint64_t number)
{
	return &p->ring[number % RING];
}

/* A buffer large enough before any text is in it: growing would leave copies behind. */
static bool
make_room(struct buf *b, size_t room)
{
	buf_clear(b);
	if (b->cap > room)
		return true;
	if (b->p)
		wipe(b->p, b->cap);
	buf_done(b);
	return buf_reserve(b, room);
}

static enum souk_err
format_batch(struct export_pipe *p, struct bench *w, struct batch *b, struct guid *ret_damaged)
{
	struct contact_binding to = { .seller_id = str_c(p->seller_id) };

	if (!make_room(&b->text, b->room))
		return SOUK_E_NOMEM;
	for (size_t i = 0; i < b->n; i++) {
		const struct packed *r = &b->rows[i];
		const char *bytes = (const char *)b->bytes + r->at;
		struct contact_fields c = { 0 };

		to.contact_id = &r->row.contact_id;
		to.subscription_id = &r->row.subscription_id;
		to.operation_time = r->row.operation_time;
		if (r->row.op != EXPORT_DELETE &&
		    contact_unseal(p->vault, &to, (struct str){ bytes, VAULT_WRAPPED_LEN },
			(struct str){ bytes + VAULT_WRAPPED_LEN, r->sealed_n }, w->plain,
			&c) != SOUK_OK) {
			*ret_damaged = r->row.contact_id;
			return SOUK_E_STORAGE;
		}
		export_row_write(&b->text, &w->days, &r->row, &c);
	}
	assert(b->text.n <= b->room);
	return buf_ok(&b->text) ? SOUK_OK : SOUK_E_NOMEM;
}

/* Keeps the first failure and, for a record that does not open, whose it is. */
static void
note(struct export_pipe *p, enum souk_err err, const struct guid *damaged)
{
	if (p->err != SOUK_OK)
		return;
	p->err = err;
	if (damaged && err == SOUK_E_STORAGE) {
		p->has_damaged = true;
		p->damaged = *damaged;
	}
}

static void
write_next(struct export_pipe *p)
{
	struct batch *b = slot(p, p->written);
	enum souk_err err;

	p->writing = true;
	(void)pthread_mutex_unlock(&p->lock);
	err = p->out->write(p->out, b->text.p, b->text.n);
	(void)pthread_mutex_lock(&p->lock);
	p->writing = false;
	b->ready = false;
	p->written++;
	note(p, err, NULL);
}

static void
format_next(struct export_pipe *p, struct bench *w)
{
	struct batch *b = slot(p, p->taken++);
	struct guid damaged = { { 0 } };
	enum souk_err err;

	(void)pthread_mutex_unlock(&p->lock);
	err = format_batch(p, w, b, &damaged);
	(void)pthread_mutex_lock(&p->lock);
	b->ready = true;
	note(p, err, &damaged);
}

/* Does the next thing there is to do, with the lock held before and after; false when there is none. */
static bool
work_once(struct export_pipe *p, struct bench *w)
{
	if (p->err != SOUK_OK)
		return false;
	if (!p->writing && p->written < p->taken && slot(p, p->written)->ready)
		write_next(p);
	else if (p->taken < p->filled)
		format_next(p, w);
	else
		return false;
	(void)pthread_cond_broadcast(&p->changed);
	return true;
}

static bool
is_over(const struct export_pipe *p)
{
	return p->err != SOUK_OK || (p->ended && p->written == p->filled);
}

static void *
worker(void *arg)
{
	struct export_pipe *p = arg;

	(void)pthread_mutex_lock(&p->lock);
	while (!is_over(p))
		if (!work_once(p, &p->there))
			(void)pthread_cond_wait(&p->changed, &p->lock);
	(void)pthread_mutex_unlock(&p->lock);
	return NULL;
}

enum souk_err
export_pipe_new(struct vault *v, struct str seller_id, struct sink *out, unsigned threads,
    struct export_pipe **ret)
{
	struct export_pipe *p = calloc(1, sizeof(*p));

	assert(seller_id.n == ACCOUNT_ID_LEN);
	if (!p || !(p->ring = calloc(RING, sizeof(*p->ring)))) {
		free(p);
		return SOUK_E_NOMEM;
	}
	p->vault = v;
	memcpy(p->seller_id, seller_id.p, ACCOUNT_ID_LEN);
	p->out = out;
	p->may_start = threads > 1;
	(void)pthread_mutex_init(&p->lock, NULL);
	clock_cond_init(&p->changed);
	*ret = p;
	return SOUK_OK;
}

/* Hands the batch being packed over and waits for a free one, working meanwhile. */
static enum souk_err
publish(struct export_pipe *p, bool last)
{
	enum souk_err err;

	(void)pthread_mutex_lock(&p->lock);
	p->filled++;
	(void)pthread_cond_broadcast(&p->changed);
	/* A small export is done before a thread would have started. */
	if (p->may_start && !p->started && p->filled > 1 && !last)
		p->started = pthread_create(&p->worker, NULL, worker, p) == 0;
	while (p->err == SOUK_OK && (p->filled - p->written == RING || !p->started))
		if (!work_once(p, &p->here)) {
			if (!p->started)
				break;
			(void)pthread_cond_wait(&p->changed, &p->lock);
		}
	err = p->err;
	(void)pthread_mutex_unlock(&p->lock);
	if (err == SOUK_OK) {
		struct batch *b = slot(p, p->filled);

		b->n = b->bytes_n = b->room = 0;
	}
	return err;
}

static enum souk_err
refuse(struct export_pipe *p, const struct guid *damaged)
{
	(void)pthread_mutex_lock(&p->lock);
	note(p, SOUK_E_STORAGE, damaged);
	(void)pthread_cond_broadcast(&p->changed);
	(void)pthread_mutex_unlock(&p->lock);
	return SOUK_E_STORAGE;
}

enum souk_err
export_pipe_add(
    struct export_pipe *p, const struct export_row *row, struct str wrapped, struct str sealed)
{
	struct batch *b = slot(p, p->filled); /* `filled` changes on this thread only */
	bool opens = row->op != EXPORT_DELETE;
	size_t n = opens ? VAULT_WRAPPED_LEN + sealed.n : 0;
	struct packed *r;
	enum souk_err err;

	if (opens && (wrapped.n != VAULT_WRAPPED_LEN || sealed.n > CONTACT_SEALED_MAX))
		return refuse(p, &row->contact_id);
	if (b->n == BATCH_ROWS || b->bytes_n + n > BATCH_BYTES) {
		if ((err = publish(p, false)) != SOUK_OK)
			return err;
		b = slot(p, p->filled);
	}
	r = &b->rows[b->n++];
	r->row = *row;
	r->at = (uint32_t)b->bytes_n;
	r->sealed_n = (uint32_t)sealed.n;
	if (opens) {
		memcpy(b->bytes + b->bytes_n, wrapped.p, VAULT_WRAPPED_LEN);
		memcpy(b->bytes + b->bytes_n + VAULT_WRAPPED_LEN, sealed.p, sealed.n);
	}
	b->bytes_n += n;
	b->room += export_row_room(opens ? sealed.n : 0);
	return SOUK_OK;
}

/* Everything packed is written, or something failed; the worker is gone. */
static void
settle(struct export_pipe *p)
{
	(void)pthread_mutex_lock(&p->lock);
	p->ended = true;
	(void)pthread_cond_broadcast(&p->changed);
	while (!is_over(p))
		if (!work_once(p, &p->here))
			(void)pthread_cond_wait(&p->changed, &p->lock);
	(void)pthread_mutex_unlock(&p->lock);
	if (p->started)
		(void)pthread_join(p->worker, NULL);
	p->started = false;
}

enum souk_err
export_pipe_end(struct export_pipe *p)
{
	enum souk_err err = slot(p, p->filled)->n > 0 ? publish(p, true) : SOUK_OK;

	settle(p);
	return err != SOUK_OK ? err : p->err;
}

const struct guid *
export_pipe_damaged(const struct export_pipe *p)
{
	return p->has_damaged ? &p->damaged : NULL;
}

void
export_pipe_free(struct export_pipe *p)
{
	if (!p)
		return;
	(void)pthread_mutex_lock(&p->lock);
	note(p, SOUK_E_INTERNAL, NULL); /* nothing more, if it was not over */
	(void)pthread_mutex_unlock(&p->lock);
	settle(p);
	for (size_t i = 0; i < RING; i++) {
		if (p->ring[i].text.p)
			wipe(p->ring[i].text.p, p->ring[i].text.cap);
		buf_done(&p->ring[i].text);
	}
	(void)pthread_cond_destroy(&p->changed);
	(void)pthread_mutex_destroy(&p->lock);
	free(p->ring);
	wipe(&p->here.plain, sizeof(p->here.plain));
	wipe(&p->there.plain, sizeof(p->there.plain));
	free(p);
}
