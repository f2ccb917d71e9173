/* SPDX-License-Identifier: Apache-2.0 */
/* Makes lines on several threads, as text where the sink wants them so, and hands them on in order. */
#include "feeds/report_int.h"

#include "feeds/parallel.h"

#include <stdatomic.h>
#include <stdlib.h>

#define BATCH 1024 /* lines a thread makes, about */
#define CHUNK 64   /* that it takes at a time */

struct batch {
	struct made_line *made;
	struct buf *texts;
	size_t first, n;
};

/* While the threads make one batch, the caller's hands the one before on. */
struct run {
	const struct lines *l;
	struct report_sink *s;
	struct batch batches[2], *making, *made;
	unsigned threads;
	atomic_size_t next; /* line of `making` that nobody took yet */
};

static enum souk_err
no_memory(struct fail *f)
{
	return fail_set(f, SOUK_E_NOMEM, "memory", "out of memory");
}

static bool
make_line(const struct run *r, const struct batch *b, size_t i)
{
	struct made_line *m = &b->made[i];
	struct buf *text = &b->texts[i];

	memset(m, 0, sizeof(*m));
	r->l->make(r->l->ctx, b->first + i, m);
	if (r->s->format == NULL || m->overflow || m->print != FOLD_PRINT)
		return true;
	buf_clear(text);
	r->s->format(r->s, &m->line, text);
	m->line.text = buf_str(text);
	return buf_ok(text);
}

static enum souk_err
hand_on(const struct run *r, const struct batch *b, struct fail *fail)
{
	enum souk_err e = SOUK_OK;

	for (size_t i = 0; e == SOUK_OK && i < b->n; i++) {
		const struct made_line *m = &b->made[i];

		e = r->l->take(r->l->ctx, b->first + i, m, fail);
		if (e == SOUK_OK && m->print == FOLD_PRINT)
			e = r->s->line(r->s, &m->line, fail);
	}
	return e;
}

static enum souk_err
work(void *ctx, unsigned which, struct fail *fail)
{
	struct run *r = ctx;
	enum souk_err e = SOUK_OK;
	size_t i;

	/* parallel_run gives the last one to the caller's thread, which sinks may count on. */
	if (which == r->threads - 1)
		e = hand_on(r, r->made, fail);
	while (e == SOUK_OK && (i = atomic_fetch_add(&r->next, CHUNK)) < r->making->n)
		for (size_t to = i + CHUNK; e == SOUK_OK && i < to && i < r->making->n; i++)
			if (!make_line(r, r->making, i))
				e = no_memory(fail);
	return e;
}

static bool
batch_new(struct batch *b, size_t n)
{
	b->made = calloc(n, sizeof(*b->made));
	b->texts = calloc(n, sizeof(*b->texts));
	return b->made != NULL && b->texts != NULL;
}

static void
batch_free(struct batch *b, size_t n)
{
	for (size_t i = 0; b->texts != NULL && i < n; i++)
		buf_done(&b->texts[i]);
	free(b->texts);
	free(b->made);
}

enum souk_err
lines_run(const struct lines *l, struct report_sink *s, struct fail *fail)
{
	struct run r = { .l = l, .s = s, .threads = parallel_threads(l->threads) };
	size_t most = l->n < (size_t)r.threads * BATCH ? l->n : (size_t)r.threads * BATCH;
	enum souk_err e = SOUK_OK;

	if (l->n == 0)
		return SOUK_OK;
	/* Few lines are not worth a thread. */
	if (l->n <= CHUNK)
		r.threads = 1;
	if (!batch_new(&r.batches[0], most) || !batch_new(&r.batches[1], most))
		e = no_memory(fail);
	r.making = &r.batches[0];
	r.made = &r.batches[1];
	for (size_t first = 0; e == SOUK_OK && first < l->n + most; first += most) {
		struct batch *made = r.making;

		r.making->first = first;
		r.making->n = first >= l->n ? 0 : l->n - first < most ? l->n - first : most;
		atomic_store(&r.next, 0);
		if (r.making->n == 0)
			r.threads = 1; /* only the last is to be handed on */
		e = parallel_run(r.threads, work, &r, fail);
		r.making = r.made;
		r.made = made;
	}
	batch_free(&r.batches[0], most);
	batch_free(&r.batches[1], most);
	return e;
}
