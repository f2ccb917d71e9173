/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate: one writing transaction at a time in this process, in the order of asking.
 *
 * The engine has a lock of its own (other processes exist), but waits for it by asking
 * again and again; here the next one is woken.
 */
#include "store/db_int.h"

struct db_turn {
	struct db_turn *next;
};

void
gate_init(struct db_gate *g)
{
	(void)pthread_mutex_init(&g->lock, NULL);
	clock_cond_init(&g->left);
}

void
gate_done(struct db_gate *g)
{
	(void)pthread_mutex_destroy(&g->lock);
	(void)pthread_cond_destroy(&g->left);
}

static void
queue_up(struct db_gate *g, struct db_turn *mine)
{
	struct db_turn **end = &g->first;

	while (*end)
		end = &(*end)->next;
	*end = mine;
}

static void
step_out(struct db_gate *g, const struct db_turn *mine)
{
	struct db_turn **at = &g->first;

	while (*at != mine)
		at = &(*at)->next;
	*at = mine->next;
}

bool
gate_enter(struct db *db)
{
	struct db_gate *g = &db->gate;
	struct db_turn mine = { 0 };
	uint64_t now, until = clock_mono_ns() + (uint64_t)DB_GATE_MS * 1000000;
	bool in;

	(void)pthread_mutex_lock(&g->lock);
	queue_up(g, &mine);
	while ((g->taken || g->first != &mine) && (now = clock_mono_ns()) < until)
		(void)clock_cond_wait_ms(
		    &g->left, &g->lock, (int64_t)((until - now) / 1000000) + 1);
	in = !g->taken && g->first == &mine;
	step_out(g, &mine);
	g->taken |= in;
	if (!in)
		(void)pthread_cond_broadcast(&g->left); /* whoever stood behind may be first now */
	(void)pthread_mutex_unlock(&g->lock);
	return in;
}

bool
gate_try(struct db *db)
{
	struct db_gate *g = &db->gate;
	bool in;

	(void)pthread_mutex_lock(&g->lock);
	in = !g->taken && !g->first;
	g->taken |= in;
	(void)pthread_mutex_unlock(&g->lock);
	return in;
}

void
gate_leave(struct db *db)
{
	struct db_gate *g = &db->gate;
	bool wanted;

	(void)pthread_mutex_lock(&g->lock);
	g->taken = false;
	wanted = g->first != NULL;
	(void)pthread_mutex_unlock(&g->lock);
	if (wanted)
		(void)pthread_cond_broadcast(&g->left);
}
