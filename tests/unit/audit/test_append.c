/* SPDX-License-Identifier: Apache-2.0 */
/* Appending: with the caller's transaction or not at all, gapless, and never onto a broken chain. */
#include "support.h"

#include "audit/chain.h"

#include <pthread.h>

enum {
	Q_CUT,
	Q_HEAD_BACK, /* two statements: an older head whose seal is not at hand */
	Q_HEAD_GONE = Q_HEAD_BACK + 2,
	Q_OUR_HEAD_GONE,
	Q_ALL_GONE,
	Q_OURS_GONE,
	Q_HEAD_SHORT,
	Q_HEAD_KEEP,                      /* a genuine head, noted while it was the right one ... */
	Q_HEAD_RETURN,                    /* ... and put back later: two statements */
	Q_CHAIN_GONE = Q_HEAD_RETURN + 2, /* two statements */
	Q_CHAIN_COPY = Q_CHAIN_GONE + 2,  /* two statements */
	Q__COUNT = Q_CHAIN_COPY + 2
};
static const char *const sql[Q__COUNT] = {
	[Q_CUT] = "DELETE FROM audit_entry WHERE seq > 2 AND" OURS,
	[Q_HEAD_BACK] = "DELETE FROM audit_entry WHERE seq > 2 AND" OURS,
	[Q_HEAD_BACK + 1] =
	    "UPDATE audit_head SET seq = 2,"
	    " mac = (SELECT mac FROM audit_entry e WHERE seq = 2 AND e.chain = audit_head.chain)"
	    " WHERE" OURS,
	[Q_HEAD_GONE] = "DELETE FROM audit_head",
	[Q_OUR_HEAD_GONE] = "DELETE FROM audit_head WHERE" OURS,
	[Q_ALL_GONE] = "DELETE FROM audit_entry",
	[Q_OURS_GONE] = "DELETE FROM audit_entry WHERE" OURS,
	[Q_HEAD_SHORT] = "UPDATE audit_head SET seal = substr(seal, 1, 1) WHERE" OURS,
	/* The audit's own tables are looked at for other chains: kept among the small facts. */
	[Q_HEAD_KEEP] = "CREATE TABLE kept AS SELECT * FROM audit_head",
	[Q_HEAD_RETURN] = "DELETE FROM audit_head",
	[Q_HEAD_RETURN + 1] = "INSERT INTO audit_head SELECT * FROM kept",
	[Q_CHAIN_GONE] = "DELETE FROM audit_entry WHERE" OURS,
	[Q_CHAIN_GONE + 1] = "DELETE FROM audit_head WHERE" OURS,
	[Q_CHAIN_COPY] =
	    "INSERT INTO audit_entry SELECT 100000, seq, at, account_id, actor, action,"
	    " resource, seller_id, purpose, outcome, count, request_id, mac"
	    " FROM audit_entry WHERE" OURS,
	[Q_CHAIN_COPY + 1] = "INSERT INTO audit_head SELECT 100000, seq, mac, seal FROM audit_head"
			     " WHERE" OURS,
};
static struct db_texts texts = { .component = "attack", .sql = sql, .n = Q__COUNT };

static enum souk_err
attack(struct place *p, unsigned q, unsigned n)
{
	struct attack a = { .texts = &texts, .q = q, .n = n };

	return db_write(p->db, attack_run, &a);
}

static enum souk_err
try_append(struct place *p)
{
	struct batch b = { .vault = p->vault, .from = 1000, .n = 1 };

	return db_write(p->db, batch_append, &b);
}

static void
test_empty_and_growing(void **state)
{
	struct place *p = *state;

	assert_sound(p, 0);
	for (int i = 0; i < 5; i++) {
		append(p, i, 1);
		assert_sound(p, i + 1);
	}
	append(p, 5, 20);
	assert_sound(p, 25);
}

static void
test_undone_with_its_transaction(void **state)
{
	struct place *p = *state;
	struct batch b = { .vault = p->vault, .n = 3, .after = SOUK_E_LIMIT };

	assert_int_equal(db_write(p->db, batch_append, &b), SOUK_E_LIMIT);
	assert_sound(p, 0);
	append(p, 0, 2);
	assert_int_equal(db_write(p->db, batch_append, &b), SOUK_E_LIMIT);
	assert_sound(p, 2);
	append(p, 2, 1);
	assert_sound(p, 3);
}

/* To go on from a head that is not ours would seal what the attacker left of the chain. */
static void
test_no_append_onto_a_broken_chain(void **state)
{
	static const struct {
		unsigned q, n;
		const char *what;
	} broken[] = {
		{ Q_HEAD_BACK, 2, "head edited" },
		{ Q_OUR_HEAD_GONE, 1, "head missing" },
		{ Q_HEAD_SHORT, 1, "head edited" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(broken); i++) {
		struct place *p;

		assert_int_equal(place_set_up((void **)&p), 0);
		append(p, 0, 4);
		assert_int_equal(attack(p, broken[i].q, broken[i].n), SOUK_OK);
		place_open_again(p);
		assert_int_equal(try_append(p), SOUK_E_INTERNAL);
		assert_string_equal(verify(p, NULL).what, broken[i].what);
		assert_int_equal(place_tear_down((void **)&p), 0);
	}
}

static enum souk_err
bind(struct db_tx *tx, void *arg)
{
	(void)arg;
	return db_meta_put(tx, VAULT_FINGERPRINT_META, STR("made"));
}

/* An installation that was made has entries: without any it is not a fresh one, but a robbed one. */
static void
test_all_gone(void **state)
{
	struct place *p = *state;
	struct audit_report rep;

	append(p, 0, 4);
	assert_int_equal(db_write(p->db, bind, NULL), SOUK_OK);
	append(p, 4, 1);
	assert_sound(p, 5);
	assert_int_equal(attack(p, Q_ALL_GONE, 1), SOUK_OK);
	assert_int_equal(attack(p, Q_HEAD_GONE, 1), SOUK_OK);
	place_open_again(p);
	rep = verify(p, NULL);
	assert_string_equal(rep.what, "head missing");
	assert_int_equal(rep.bad_seq, 1);
	assert_int_equal(try_append(p), SOUK_E_INTERNAL);
	assert_int_equal(verify(p, NULL).entries, 0);
}

/* With the head as it was, appending goes on behind the gap, and the gap still shows. */
static void
test_append_behind_a_cut(void **state)
{
	struct place *p = *state;
	struct audit_report rep;

	append(p, 0, 4);
	assert_int_equal(attack(p, Q_CUT, 1), SOUK_OK);
	assert_int_equal(try_append(p), SOUK_OK);
	rep = verify(p, NULL);
	assert_string_equal(rep.what, "removed");
	assert_int_equal(rep.bad_seq, 3);
	assert_int_equal(attack(p, Q_OURS_GONE, 1), SOUK_OK);
	assert_int_equal(try_append(p), SOUK_OK);
	rep = verify(p, NULL);
	assert_string_equal(rep.what, "removed");
	assert_int_equal(rep.bad_seq, 1);
}

static void
test_old_head_put_back(void **state)
{
	struct place *p = *state;
	struct audit_report noted, rep;

	append(p, 0, 2);
	assert_int_equal(attack(p, Q_HEAD_KEEP, 1), SOUK_OK);
	append(p, 2, 4);
	noted = verify(p, NULL);
	assert_int_equal(attack(p, Q_HEAD_RETURN, 2), SOUK_OK);
	rep = verify(p, NULL);
	assert_string_equal(rep.what, "head does not match");
	assert_int_equal(rep.bad_seq, 6);
	place_open_again(p);
	/* Its next number is taken: not the caller's conflict. */
	assert_int_equal(try_append(p), SOUK_E_INTERNAL);
	/* With the entries gone as well, only a head noted elsewhere shows it. */
	assert_int_equal(attack(p, Q_CUT, 1), SOUK_OK);
	assert_sound(p, 2);
	rep = verify(p, noted.anchor);
	assert_string_equal(rep.what, "anchor missing");
}

/* A whole chain taken away, head and all, or one put there that was never begun. */
static void
test_whole_chains(void **state)
{
	struct place *p = *state;
	struct audit_report noted, rep;
	int64_t ours;

	append(p, 0, 4);
	noted = verify(p, NULL);
	assert_int_equal(attack(p, Q_CHAIN_COPY, 2), SOUK_OK);
	rep = verify(p, NULL);
	assert_string_equal(rep.what, "chain inserted");
	assert_int_equal(rep.bad_chain, 100000);
	assert_int_equal(
	    attack(p, Q_CHAIN_GONE, 2), SOUK_OK); /* the copy: it has the highest number */
	assert_sound(p, 4);
	if (!p->mentions)
		return; /* chain 0 is the only one: test_all_gone */
	ours = strtoll(strchr(noted.anchor, ',') + 1, NULL, 10);
	assert_int_equal(attack(p, Q_CHAIN_GONE, 2), SOUK_OK);
	rep = verify(p, NULL);
	assert_string_equal(rep.what, "chain removed");
	assert_int_equal(rep.bad_chain, ours);
	assert_string_equal(verify(p, noted.anchor).what, "chain removed");
	/* Nor does it help that the lane begins anew. */
	place_open_again(p);
	assert_int_equal(try_append(p), SOUK_OK);
	assert_string_equal(verify(p, NULL).what, "chain removed");
}

struct appender {
	struct place *p;
	int from;
	enum souk_err err;
};

static void *
append_many(void *arg)
{
	struct appender *a = arg;

	for (int i = 0; i < 200 && a->err == SOUK_OK; i++) {
		struct batch b = { .vault = a->p->vault, .from = a->from + i, .n = 1 + i % 3 };

		a->err = db_write(a->p->db, batch_append, &b);
	}
	return NULL;
}

static void
test_threads_leave_no_gap(void **state)
{
	struct place *p = *state;
	struct appender a[4];
	pthread_t t[4];
	struct fail f = { 0 };
	struct audit_report rep;

	/* Several lanes, where there are lanes. */
	db_close(p->db);
	assert_int_equal(
	    db_open(
		&(struct db_options){ .path = test_database(p->dir), .writers = 4 }, &p->db, &f),
	    SOUK_OK);
	for (size_t i = 0; i < COUNT(t); i++) {
		a[i] = (struct appender){ .p = p, .from = (int)i * 1000 };
		assert_int_equal(pthread_create(&t[i], NULL, append_many, &a[i]), 0);
	}
	/* Verified while it grows: each moment is a sound one. */
	for (int i = 0; i < 20; i++)
		assert_null(verify(p, NULL).what);
	for (size_t i = 0; i < COUNT(t); i++) {
		assert_int_equal(pthread_join(t[i], NULL), 0);
		assert_int_equal(a[i].err, SOUK_OK);
	}
	rep = verify(p, NULL);
	assert_null(rep.what);
	assert_int_equal(rep.entries, 4 * 399 + rep.chains - 1);
	assert_true(rep.chains <= (p->mentions ? 5 : 1));
}

/* Two openings of one database stand for the server and the command line. */
static void
test_two_processes(void **state)
{
	struct place *p = *state;
	struct place other = *p;
	struct audit_report rep;

	place_open(&other);
	for (int i = 0; i < 10; i++)
		append(i % 2 ? p : &other, i, 2);
	rep = verify(p, NULL);
	assert_null(rep.what);
	assert_int_equal(rep.entries, 20 + 2 * p->mentions);
	assert_int_equal(verify(&other, NULL).entries, rep.entries);
	db_close(other.db);
	/* Whoever comes next may get the lane of the one that left. */
	for (int i = 0; i < 10; i++) {
		place_open_again(p);
		append(p, 20 + i, 1);
	}
	rep = verify(p, NULL);
	assert_null(rep.what);
	assert_int_equal(rep.entries, 30 + rep.chains - 1);
}

/* Where one field ends and the next begins is part of the text. */
static void
test_text_is_unambiguous(void **state)
{
	struct audit_row a = { .actor = STR("ab"), .action = STR("c") };
	struct audit_row b = { .actor = STR("a"), .action = STR("bc") };
	struct audit_row c = { .actor = STR("ab"), .action = STR("c"), .count = 1 };
	struct audit_row d = { .actor = STR("ab"), .action = STR("c"), .at = 1 };
	const struct audit_row *all[] = { &a, &b, &c, &d };
	struct buf x = { 0 }, y = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(all); i++)
		for (size_t j = 0; j < COUNT(all); j++) {
			chain_text(all[i], &x);
			chain_text(all[j], &y);
			assert_int_equal(str_eq(buf_str(&x), buf_str(&y)), i == j);
		}
	buf_done(&x);
	buf_done(&y);
}

/* The format on disk: what was written by an earlier program must verify for ever. */
static void
test_text_stays(void **state)
{
	static const struct audit_row row = { .seq = 7,
		.at = 258,
		.account_id = { "A", 1 },
		.actor = { "BB", 2 },
		.action = { "C", 1 },
		.outcome = { "D", 1 },
		.count = -1 };
	static const char want[] = "0000000000000000"
				   "0000000000000102"
				   "000000000000000141"
				   "00000000000000024242"
				   "000000000000000143"
				   "0000000000000000"
				   "0000000000000000"
				   "0000000000000000"
				   "000000000000000144"
				   "ffffffffffffffff"
				   "0000000000000000";
	struct buf text = { 0 }, hex = { 0 };

	(void)state;
	chain_text(&row, &text);
	buf_add_hex(&hex, text.p, text.n);
	assert_string_equal(hex.p, want);
	buf_done(&text);
	buf_done(&hex);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_PLACE(test_empty_and_growing),
		IN_PLACE(test_undone_with_its_transaction),
		cmocka_unit_test(test_no_append_onto_a_broken_chain),
		IN_PLACE(test_all_gone),
		IN_PLACE(test_append_behind_a_cut),
		IN_PLACE(test_old_head_put_back),
		IN_PLACE(test_whole_chains),
		IN_PLACE(test_threads_leave_no_gap),
		IN_PLACE(test_two_processes),
		cmocka_unit_test(test_text_is_unambiguous),
		cmocka_unit_test(test_text_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
