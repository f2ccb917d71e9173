/* SPDX-License-Identifier: Apache-2.0 */
/* A queue and its threads. */
#include "server/slow.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

struct slow {
	pthread_mutex_t lock;
	pthread_cond_t told;
	struct slow_task *first, **last;
	bool stop;
	unsigned n;
	pthread_t threads[];
};

/* NULL: stopping, and nothing is left. */
static struct slow_task *
take(struct slow *s)
{
	struct slow_task *t;

	(void)pthread_mutex_lock(&s->lock);
	while (!s->first && !s->stop)
		(void)pthread_cond_wait(&s->told, &s->lock);
	t = s->first;
	if (t && !(s->first = t->next))
		s->last = &s->first;
	(void)pthread_mutex_unlock(&s->lock);
	return t;
}

static void *
work(void *arg)
{
	struct slow *s = arg;
	struct slow_task *t;

	while ((t = take(s)))
		t->run(t);
	return NULL;
}

enum souk_err
slow_new(unsigned threads, struct slow **ret)
{
	struct slow *s = calloc(1, sizeof(*s) + threads * sizeof(s->threads[0]));

	if (!s)
		return SOUK_E_NOMEM;
	(void)pthread_mutex_init(&s->lock, NULL);
	(void)pthread_cond_init(&s->told, NULL);
	s->last = &s->first;
	for (; s->n < threads; s->n++)
		if (pthread_create(&s->threads[s->n], NULL, work, s) != 0) {
			slow_free(s);
			return SOUK_E_UNAVAILABLE;
		}
	*ret = s;
	return SOUK_OK;
}

void
slow_free(struct slow *s)
{
	if (!s)
		return;
	(void)pthread_mutex_lock(&s->lock);
	s->stop = true;
	(void)pthread_cond_broadcast(&s->told);
	(void)pthread_mutex_unlock(&s->lock);
	for (unsigned i = 0; i < s->n; i++)
		(void)pthread_join(s->threads[i], NULL);
	(void)pthread_cond_destroy(&s->told);
	(void)pthread_mutex_destroy(&s->lock);
	free(s);
}

void
slow_add(struct slow *s, struct slow_task *t)
{
	t->next = NULL;
	(void)pthread_mutex_lock(&s->lock);
	*s->last = t;
	s->last = &t->next;
	(void)pthread_cond_signal(&s->told);
	(void)pthread_mutex_unlock(&s->lock);
}
