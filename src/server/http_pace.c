/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One thread that looks once a second. Connections note seconds of its own count, so that
 * a request costs no look at the clock.
 */
#include "server/http_pace.h"

#include "base/clock.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>

#define BODY_BYTES_A_SECOND 1024

struct http_pace {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t told, none;
	bool stop, ended;
	unsigned patience_s;
	struct http_paced *first;
	_Atomic uint64_t now_s; /* from 1 */
};

static uint64_t
now(struct http_pace *p)
{
	return atomic_load_explicit(&p->now_s, memory_order_relaxed);
}

/* The library finds the end of the connection as if its client had gone. */
static void
end_late_ones(struct http_pace *p)
{
	uint64_t s = now(p), until;

	for (struct http_paced *c = p->first; c; c = c->next) {
		until = atomic_load_explicit(&c->until_s, memory_order_relaxed);
		if (until != 0 && s > until)
			(void)shutdown(c->fd, SHUT_RDWR);
	}
}

static void *
run(void *arg)
{
	struct http_pace *p = arg;
	uint64_t began = clock_mono_ns();

	(void)pthread_mutex_lock(&p->lock);
	while (!p->stop) {
		(void)clock_cond_wait_ms(&p->told, &p->lock, 1000);
		atomic_store_explicit(&p->now_s,
		    1 + (clock_mono_ns() - began) / UINT64_C(1000000000), memory_order_relaxed);
		end_late_ones(p);
	}
	(void)pthread_mutex_unlock(&p->lock);
	return NULL;
}

enum souk_err
http_pace_start(unsigned patience_s, struct http_pace **ret)
{
	struct http_pace *p = calloc(1, sizeof(*p));

	if (!p)
		return SOUK_E_NOMEM;
	p->patience_s = patience_s;
	atomic_init(&p->now_s, 1);
	(void)pthread_mutex_init(&p->lock, NULL);
	clock_cond_init(&p->told);
	clock_cond_init(&p->none);
	if (pthread_create(&p->thread, NULL, run, p) != 0) {
		free(p);
		return SOUK_E_NOMEM;
	}
	*ret = p;
	return SOUK_OK;
}

void
http_pace_add(struct http_pace *p, struct http_paced *c, int fd)
{
	c->fd = fd;
	http_pace_head(p, c);
	(void)pthread_mutex_lock(&p->lock);
	c->next = p->first;
	c->link = &p->first;
	if (c->next)
		c->next->link = &c->next;
	p->first = c;
	if (p->ended)
		(void)shutdown(fd, SHUT_RDWR);
	(void)pthread_mutex_unlock(&p->lock);
}

void
http_pace_remove(struct http_pace *p, struct http_paced *c)
{
	if (!c->link)
		return;
	(void)pthread_mutex_lock(&p->lock);
	*c->link = c->next;
	if (c->next)
		c->next->link = c->link;
	if (!p->first)
		(void)pthread_cond_signal(&p->none);
	(void)pthread_mutex_unlock(&p->lock);
	c->link = NULL;
}

static void
wait_until(struct http_paced *c, uint64_t s)
{
	atomic_store_explicit(&c->until_s, s, memory_order_relaxed);
}

void
http_pace_head(struct http_pace *p, struct http_paced *c)
{
	wait_until(c, now(p) + p->patience_s);
}

void
http_pace_body(struct http_pace *p, struct http_paced *c, uint64_t got)
{
	if (got == 0)
		c->body_s = now(p) + p->patience_s;
	wait_until(c, c->body_s + got / BODY_BYTES_A_SECOND);
}

void
http_pace_rest(struct http_paced *c)
{
	wait_until(c, 0);
}

void
http_pace_end(struct http_pace *p)
{
	(void)pthread_mutex_lock(&p->lock);
	p->ended = true;
	for (struct http_paced *c = p->first; c; c = c->next)
		(void)shutdown(c->fd, SHUT_RDWR);
	while (p->first)
		(void)pthread_cond_wait(&p->none, &p->lock);
	(void)pthread_mutex_unlock(&p->lock);
}

void
http_pace_stop(struct http_pace *p)
{
	if (!p)
		return;
	(void)pthread_mutex_lock(&p->lock);
	p->stop = true;
	(void)pthread_cond_signal(&p->told);
	(void)pthread_mutex_unlock(&p->lock);
	(void)pthread_join(p->thread, NULL);
	(void)pthread_cond_destroy(&p->told);
	(void)pthread_cond_destroy(&p->none);
	(void)pthread_mutex_destroy(&p->lock);
	free(p);
}
