/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes know of each other, and a caller's limit holds over all of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "server/beat.h"
#include "store/node.h"
#include "unit/database.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LIMIT 100
#define WHO STR("token:11111111-1111-4111-8111-111111111111")

/* Two nodes: each its own opening of the database, its own bucket, one ring. */
struct node_of {
	struct services svc;
	struct rate *rate;
	struct beat *beat;
};

struct place {
	char dir[64];
	struct config *config;
	struct vault *vault;
	struct node_of a, b;
};

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static void
begin_node(struct place *p, struct node_of *n)
{
	struct fail f = { 0 };

	assert_int_equal(
	    db_open(&(struct db_options){ .path = test_database(p->dir), .create = true },
		&n->svc.db, &f),
	    SOUK_OK);
	n->svc.vault = p->vault;
	n->svc.config = p->config;
	assert_non_null(n->rate = rate_new(LIMIT, 7));
	assert_int_equal(beat_new(&n->svc, n->rate, &n->beat), SOUK_OK);
}

static void
end_node(struct node_of *n)
{
	beat_end(n->beat);
	rate_free(n->rate);
	db_close(n->svc.db);
	*n = (struct node_of){ 0 };
}

static int
set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));
	struct fail f = { 0 };
	char path[96];

	assert_non_null(p);
	(void)snprintf(p->dir, sizeof(p->dir), "/tmp/souk-beat-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	(void)snprintf(path, sizeof(path), "%s/keyring.json", p->dir);
	assert_int_equal(vault_ring_create(path, &f), SOUK_OK);
	(void)snprintf(path, sizeof(path), "%s/souk.ini", p->dir);
	assert_int_equal(config_load(path, &p->config, &f), SOUK_OK);
	assert_int_equal(vault_open(p->config, p->dir, &p->vault, &f), SOUK_OK);
	begin_node(p, &p->a);
	begin_node(p, &p->b);
	*state = p;
	return 0;
}

static int
tear_down(void **state)
{
	struct place *p = *state;

	end_node(&p->a);
	end_node(&p->b);
	test_database_drop(p->dir);
	vault_close(p->vault);
	config_free(p->config);
	(void)nftw(p->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(p);
	return 0;
}

/* How many of `n` calls at this moment are let through. */
static int
take(struct rate *r, int n, uint64_t now)
{
	int let = 0;

	while (n-- > 0)
		let += rate_take(r, WHO, now);
	return let;
}

static void
test_report_and_charge(void **state)
{
	struct rate *a = rate_new(LIMIT, 7), *b = rate_new(LIMIT, 7), *other = rate_new(LIMIT, 8);
	struct buf report = { 0 };
	uint64_t now = UINT64_C(100000000000), second = UINT64_C(1000000000);

	(void)state;
	rate_report(a, &report);
	assert_int_equal(report.n, 0);
	assert_int_equal(take(a, 2 * LIMIT, now), LIMIT);
	rate_report(a, &report);
	assert_int_equal(report.n, 6);
	/* All of it is gone on the other node, too: it is that caller's, and comes back with time. */
	rate_charge(b, buf_str(&report), now);
	assert_int_equal(take(b, LIMIT, now), 0);
	assert_int_equal(take(b, LIMIT, now + second / 2), LIMIT / 2);
	assert_true(rate_take(b, STR("token:somebody else"), now));
	/* Told once. */
	buf_clear(&report);
	rate_report(a, &report);
	assert_int_equal(report.n, 0);
	/* With another seed it would be another caller. */
	assert_int_equal(take(a, LIMIT, now + second), LIMIT);
	rate_report(a, &report);
	rate_charge(other, buf_str(&report), now);
	assert_int_equal(take(other, LIMIT, now), LIMIT);
	/* A report that is cut off, or nonsense, ends nothing for long. */
	rate_charge(b, (struct str){ report.p, 5 }, now + 10 * second);
	assert_int_equal(take(b, LIMIT, now + 10 * second), LIMIT);
	memset(report.p, 0xff, report.n);
	rate_charge(b, buf_str(&report), now + 20 * second);
	assert_int_equal(take(b, LIMIT, now + 20 * second), LIMIT);
	buf_done(&report);
	rate_free(a);
	rate_free(b);
	rate_free(other);
}

/* Ten seconds of two greedy callers with one name: each node lets through what the other left. */
static void
test_long_run(void **state)
{
	struct rate *r[2] = { rate_new(LIMIT, 7), rate_new(LIMIT, 7) };
	struct buf report[2] = { { 0 }, { 0 } };
	uint64_t now = UINT64_C(100000000000);
	int let = 0;

	(void)state;
	for (int tick = 0; tick < 3000; tick++, now += 10000000) {
		for (int i = 0; i < 2; i++)
			let += take(r[i], 5, now);
		if (tick % 100 != 99)
			continue;
		for (int i = 0; i < 2; i++) {
			buf_clear(&report[i]);
			rate_report(r[i], &report[i]);
		}
		for (int i = 0; i < 2; i++)
			rate_charge(r[i], buf_str(&report[1 - i]), now);
	}
	/* 30 seconds, and what both let through before they heard of each other. */
	assert_in_range(let, 25 * LIMIT, 34 * LIMIT);
	for (int i = 0; i < 2; i++) {
		rate_free(r[i]);
		buf_done(&report[i]);
	}
}

static void
test_limit_over_nodes(void **state)
{
	struct place *p = *state;
	bool shared = db_is_shared(p->a.svc.db);

	beat_once(p->a.beat);
	beat_once(p->b.beat);
	beat_once(p->a.beat);
	assert_int_equal(take(p->a.rate, LIMIT, clock_mono_ns()), LIMIT);
	beat_once(p->a.beat);
	/* A reader that comes late misses nothing. */
	beat_once(p->a.beat);
	beat_once(p->b.beat);
	/* One process serves an embedded database: nothing to tell, and the disk is spared. */
	if (shared)
		assert_in_range(take(p->b.rate, LIMIT, clock_mono_ns()), 0, LIMIT / 2);
	else
		assert_int_equal(take(p->b.rate, LIMIT, clock_mono_ns()), LIMIT);
	/* Nor is it charged twice: after the second that was used up all is there again. */
	clock_sleep_ms(1100);
	beat_once(p->b.beat);
	assert_in_range(take(p->b.rate, LIMIT, clock_mono_ns()), shared ? LIMIT / 2 : 1, LIMIT);
}

struct seen {
	int n;
	struct node last;
};

static enum souk_err
see(const struct node *n, struct str used, void *arg)
{
	struct seen *s = arg;

	(void)used;
	s->n++;
	s->last = *n;
	return SOUK_OK;
}

static enum souk_err
see_all(struct db_tx *tx, void *arg)
{
	struct seen *s = arg;

	s->n = 0;
	return node_each(tx, see, s);
}

static enum souk_err
make_old(struct db_tx *tx, void *arg)
{
	static const char *const sql[] = { "UPDATE node SET seen_at = seen_at - 700000" };
	static struct db_texts texts = { .component = "age", .sql = sql, .n = 1 };

	(void)arg;
	return db_run(db_stmt(tx, &texts, 0), NULL);
}

static void
test_rows(void **state)
{
	struct place *p = *state;
	struct seen s = { 0 };

	beat_once(p->a.beat);
	assert_int_equal(db_read(p->a.svc.db, see_all, &s), SOUK_OK);
	assert_int_equal(s.n, 1);
	assert_true(s.last.host[0] != '\0');
	assert_string_equal(s.last.version, SOUK_VERSION);
	assert_int_equal(s.last.schema, db_schema_version());
	assert_int_equal(s.last.ring_current, 1);
	assert_int_equal(s.last.ring_newest, 1);
	assert_true(s.last.started_at > 0 && s.last.seen_at >= s.last.started_at);
	/* A ring that changed shows at the next beat. */
	assert_int_equal(vault_ring_prepare(p->vault, NULL), SOUK_OK);
	beat_once(p->a.beat);
	assert_int_equal(db_read(p->a.svc.db, see_all, &s), SOUK_OK);
	assert_int_equal(s.last.ring_current, 1);
	assert_int_equal(s.last.ring_newest, 2);
	/* One that was killed is forgotten by the others; one that stops leaves nothing. */
	assert_int_equal(db_write(p->a.svc.db, make_old, NULL), SOUK_OK);
	beat_once(p->b.beat);
	assert_int_equal(db_read(p->a.svc.db, see_all, &s), SOUK_OK);
	assert_int_equal(s.n, 1);
	assert_int_equal(metric_value(MET_NODES, 0), 1);
	end_node(&p->b);
	assert_int_equal(db_read(p->a.svc.db, see_all, &s), SOUK_OK);
	assert_int_equal(s.n, 0);
	begin_node(p, &p->b);
}

static enum souk_err
want_newest(struct db_tx *tx, void *arg)
{
	(void)arg;
	return db_meta_put(tx, VAULT_NEWEST_META, STR("2"));
}

/* A rotation asks for a key that no node has: rings that commands print are read again. */
static void
test_rotation_is_heard(void **state)
{
	struct place *p = *state;
	struct fail f = { 0 };
	struct vault *by_file = p->vault, *v;
	char command[120];

	(void)snprintf(command, sizeof(command), "cat %s/keyring.json", p->dir);
	assert_int_equal(config_set(p->config, SET_KEY_RING_COMMAND, command, &f), SOUK_OK);
	assert_int_equal(vault_open(p->config, p->dir, &v, &f), SOUK_OK);
	p->a.svc.vault = v;
	assert_int_equal(vault_ring_add(by_file, &f), SOUK_OK);
	assert_int_equal(db_write(p->a.svc.db, want_newest, NULL), SOUK_OK);
	assert_int_equal(vault_current(v), 1);
	beat_once(p->a.beat);
	assert_int_equal(vault_current(v), 2);
	p->a.svc.vault = by_file;
	vault_close(v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_report_and_charge),
		cmocka_unit_test(test_long_run),
		cmocka_unit_test_setup_teardown(test_limit_over_nodes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rows, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rotation_is_heard, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
