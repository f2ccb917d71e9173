/* SPDX-License-Identifier: Apache-2.0 */
/* Makes lines on several threads, as text where the sink wants them so, and hands them on in order. */
#include "feeds/report_int.h"

#include "feeds/parallel.h"

#include <stdlib.h>

#define BATCH 512 /* lines a thread makes at a time */

struct run {
	const struct lines *l;
	struct report_sink *s;
	struct made_line *made;
	struct buf *texts;
	size_t first, n; /* lines of the batch under way */
	unsigned parts;  /* it is made in */
};

static enum souk_err
no_memory(struct fail *f)
{
	return fail_set(f, SOUK_E_NOMEM, "memory", "out of memory");
}

static enum souk_err
make_part(void *ctx, unsigned i, struct fail *fail)
{
	struct run *r = ctx;
	size_t to = parallel_part(r->n, i + 1, r->parts);

	for (size_t l = parallel_part(r->n, i, r->parts); l < to; l++) {
		struct made_line *m = &r->made[l];
		struct buf *text = &r->texts[l];

		memset(m, 0, sizeof(*m));
		r->l->make(r->l->ctx, r->first + l, m);
		if (r->s->format == NULL || m->overflow || m->print != FOLD_PRINT)
			continue;
		buf_clear(text);
		r->s->format(r->s, &m->line, text);
		if (!buf_ok(text))
			return no_memory(fail);
		m->line.text = buf_str(text);
	}
	return SOUK_OK;
}

static enum souk_err
hand_on(const struct run *r, struct fail *fail)
{
	enum souk_err e = SOUK_OK;

	for (size_t l = 0; e == SOUK_OK && l < r->n; l++) {
		const struct made_line *m = &r->made[l];

		e = r->l->take(r->l->ctx, r->first + l, m, fail);
		if (e == SOUK_OK && m->print == FOLD_PRINT)
			e = r->s->line(r->s, &m->line, fail);
	}
	return e;
}

enum souk_err
lines_run(const struct lines *l, struct report_sink *s, struct fail *fail)
{
	unsigned threads = parallel_threads(l->threads);
	size_t most = (size_t)threads * BATCH;
	struct run r = { .l = l,
		.s = s,
		.made = calloc(most, sizeof(*r.made)),
		.texts = calloc(most, sizeof(*r.texts)) };
	enum souk_err e = r.made != NULL && r.texts != NULL ? SOUK_OK : no_memory(fail);

	for (; e == SOUK_OK && r.first < l->n; r.first += r.n) {
		r.n = l->n - r.first < most ? l->n - r.first : most;
		r.parts = r.n < BATCH / 4 ? 1 : threads;
		e = parallel_run(r.parts, make_part, &r, fail);
		if (e == SOUK_OK)
			e = hand_on(&r, fail);
	}
	for (size_t i = 0; r.texts != NULL && i < most; i++)
		buf_done(&r.texts[i]);
	free(r.texts);
	free(r.made);
	return e;
}
