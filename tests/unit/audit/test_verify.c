/* SPDX-License-Identifier: Apache-2.0 */
/* Every way to tamper with the chain that needs no ring: found, placed and named. */
#include "support.h"

#define ENTRIES 12

/* Each case: what the attacker runs on a chain of 12, and what must be found. */
struct tampering {
	const char *sql[6];
	const char *what;
	int64_t bad_seq;
};

#define MOVE(from, to) "UPDATE audit_entry SET seq = " to " WHERE seq = " from
#define EDIT(column, value) "UPDATE audit_entry SET " column " = " value " WHERE seq = 5"
#define FORGE(seq)                                                                                 \
	"INSERT INTO audit_entry SELECT chain, " seq ", at, account_id, actor, action, resource,"  \
	" seller_id, purpose, outcome, count, request_id, x'00' FROM audit_entry WHERE seq = 3"
#define COPY(seq)                                                                                  \
	"INSERT INTO audit_entry SELECT chain, " seq ", at, account_id, actor, action, resource,"  \
	" seller_id, purpose, outcome, count, request_id, mac FROM audit_entry WHERE seq = 3"

static const struct tampering tamperings[] = {
	{ { EDIT("at", "at + 1") }, "edited", 5 },
	{ { EDIT("account_id", "'000000000003'") }, "edited", 5 },
	{ { EDIT("actor", "'cli:export'") }, "edited", 5 },
	{ { EDIT("action", "'psc:Nothing'") }, "edited", 5 },
	{ { EDIT("resource", "''") }, "edited", 5 },
	{ { EDIT("seller_id", "'000000000008'") }, "edited", 5 },
	{ { EDIT("purpose", "'other'") }, "edited", 5 },
	{ { EDIT("outcome", "'allowed'") }, "edited", 5 },
	{ { EDIT("count", "count + 1") }, "edited", 5 },
	{ { EDIT("request_id", "'s'") }, "edited", 5 },
	{ { EDIT("mac", "zeroblob(32)") }, "edited", 5 },
	{ { EDIT("mac", "x''") }, "edited", 5 },
	{ { EDIT("mac", "(SELECT mac FROM audit_entry WHERE seq = 4)") }, "edited", 5 },
	/* The border between two fields moved. */
	{ { EDIT("actor", "actor || 'psc'"), EDIT("action", "substr(action, 4)") }, "edited", 5 },
	{ { "UPDATE audit_entry SET count = 0 WHERE seq = 1" }, "edited", 1 },
	{ { "UPDATE audit_entry SET count = 0 WHERE seq = 12" }, "edited", 12 },
	{ { "UPDATE audit_entry SET count = 77" }, "edited", 1 },

	{ { "DELETE FROM audit_entry WHERE seq = 1" }, "removed", 1 },
	{ { "DELETE FROM audit_entry WHERE seq = 5" }, "removed", 5 },
	{ { "DELETE FROM audit_entry WHERE seq IN (5, 6, 9)" }, "removed", 5 },
	{ { "DELETE FROM audit_entry WHERE seq < 12" }, "removed", 1 },
	/* Removed, and the numbers closed up. */
	{ { "DELETE FROM audit_entry WHERE seq = 5",
	      "UPDATE audit_entry SET seq = -seq + 1 WHERE seq > 5",
	      "UPDATE audit_entry SET seq = -seq WHERE seq < 0" },
	    "removed", 5 },
	{ { "DELETE FROM audit_entry WHERE seq IN (1, 2, 3)",
	      "UPDATE audit_entry SET seq = -seq + 3 WHERE seq > 3",
	      "UPDATE audit_entry SET seq = -seq WHERE seq < 0" },
	    "removed", 1 },
	{ { "DELETE FROM audit_entry WHERE seq = 11", MOVE("12", "11") }, "removed", 11 },

	{ { MOVE("5", "99"), MOVE("6", "5"), MOVE("99", "6") }, "reordered", 5 },
	{ { MOVE("1", "99"), MOVE("2", "1"), MOVE("99", "2") }, "reordered", 1 },
	{ { MOVE("11", "99"), MOVE("12", "11"), MOVE("99", "12") }, "reordered", 11 },
	{ { MOVE("3", "99"), MOVE("9", "3"), MOVE("99", "9") }, "reordered", 3 },
	/* One taken out and put back further on, all between them moved up. */
	{ { MOVE("4", "99"), MOVE("5", "4"), MOVE("6", "5"), MOVE("99", "6") }, "reordered", 4 },
	{ { MOVE("12", "13") }, "reordered", 12 },
	{ { MOVE("5", "99") }, "reordered", 5 },

	/* Pushed in, all behind it moved on. */
	{ { "UPDATE audit_entry SET seq = -seq - 1 WHERE seq > 4",
	      "UPDATE audit_entry SET seq = -seq WHERE seq < 0", FORGE("5") },
	    "inserted", 5 },
	{ { "UPDATE audit_entry SET seq = -seq - 1 WHERE seq > 4",
	      "UPDATE audit_entry SET seq = -seq WHERE seq < 0", COPY("5") },
	    "inserted", 5 },
	{ { FORGE("13") }, "inserted", 13 },
	{ { COPY("13") }, "inserted", 13 },
	{ { FORGE("0") }, "inserted", 1 },
	{ { FORGE("-7") }, "inserted", 1 },

	{ { "DELETE FROM audit_entry WHERE seq = 12" }, "cut off the end", 12 },
	{ { "DELETE FROM audit_entry WHERE seq > 3" }, "cut off the end", 4 },
	{ { "DELETE FROM audit_entry" }, "cut off the end", 1 },

	{ { "DELETE FROM audit_head" }, "head missing", 12 },
	{ { "UPDATE audit_head SET seq = 11" }, "head edited", 12 },
	{ { "UPDATE audit_head SET mac = zeroblob(32)" }, "head edited", 12 },
	{ { "UPDATE audit_head SET seal = zeroblob(32)" }, "head edited", 12 },
	{ { "UPDATE audit_head SET seal = x'01'" }, "head edited", 12 },
	{ { "DELETE FROM audit_entry WHERE seq > 8",
	      "UPDATE audit_head SET seq = 8, mac = (SELECT mac FROM audit_entry WHERE seq = 8)" },
	    "head edited", 8 },
	{ { "DELETE FROM audit_entry WHERE seq > 8", "DELETE FROM audit_head" }, "head missing",
	    8 },
	{ { "UPDATE audit_head SET seq = 0, mac = zeroblob(32)", "DELETE FROM audit_entry" },
	    "head edited", 1 },
};

/* All texts in one table, as the engine wants them. */
static const char *tamper_sql[COUNT(tamperings) * COUNT(tamperings[0].sql)];
static struct db_texts tamper_texts = {
	.component = "attack", .sql = tamper_sql, .n = COUNT(tamper_sql)
};

static void
gather(void)
{
	for (size_t i = 0; i < COUNT(tamper_sql); i++) {
		const char *one =
		    tamperings[i / COUNT(tamperings[0].sql)].sql[i % COUNT(tamperings[0].sql)];

		tamper_sql[i] = one ? one : "SELECT 1";
	}
}

static void
test_tampering_is_found_and_named(void **state)
{
	(void)state;
	gather();
	for (size_t i = 0; i < COUNT(tamperings); i++) {
		const struct tampering *t = &tamperings[i];
		struct attack a = { .texts = &tamper_texts,
			.q = (unsigned)(i * COUNT(t->sql)),
			.n = COUNT(t->sql) };
		struct audit_report rep;
		struct place *p;

		assert_int_equal(place_set_up((void **)&p), 0);
		append(p, 1, ENTRIES);
		assert_sound(p, ENTRIES);
		assert_int_equal(db_write(p->db, attack_run, &a), SOUK_OK);
		rep = verify(p, 0, NULL);
		if (!rep.what || strcmp(rep.what, t->what) != 0 || rep.bad_seq != t->bad_seq)
			fail_msg("row %zu: entry %lld %s", i, (long long)rep.bad_seq,
			    rep.what ? rep.what : "sound");
		assert_int_equal(place_tear_down((void **)&p), 0);
	}
}

/* The same ring, or no entry is sound: what another installation wrote does not fit here. */
static void
test_other_ring(void **state)
{
	struct place *p = *state, *q;
	struct audit_report rep;

	assert_int_equal(place_set_up((void **)&q), 0);
	append(p, 0, 3);
	assert_int_equal(audit_verify(p->db, q->vault, 0, NULL, &rep), SOUK_OK);
	assert_string_equal(rep.what, "edited");
	assert_int_equal(rep.bad_seq, 1);
	assert_int_equal(place_tear_down((void **)&q), 0);
}

static void
test_rotation_keeps_the_chain(void **state)
{
	struct place *p = *state;
	struct fail f = { 0 };

	append(p, 0, 3);
	assert_int_equal(vault_ring_add(p->vault, &f), SOUK_OK);
	append(p, 3, 3);
	assert_int_equal(vault_ring_retire(p->vault, &f), SOUK_OK);
	append(p, 6, 3);
	assert_sound(p, 9);
}

static void
test_anchor(void **state)
{
	struct place *p = *state;
	struct audit_report empty = verify(p, 0, NULL), five, nine, rep;
	char other[65];

	append(p, 1, 5);
	five = verify(p, 0, NULL);
	append(p, 6, 4);
	nine = verify(p, 0, NULL);
	assert_null(verify(p, empty.head_seq, empty.head).what);
	assert_null(verify(p, five.head_seq, five.head).what);
	assert_null(verify(p, nine.head_seq, nine.head).what);

	rep = verify(p, 6, five.head);
	assert_string_equal(rep.what, "anchor differs");
	assert_int_equal(rep.bad_seq, 6);
	(void)snprintf(other, sizeof(other), "%s", nine.head);
	other[63] = other[63] == '0' ? '1' : '0';
	rep = verify(p, 9, other);
	assert_string_equal(rep.what, "anchor differs");
	assert_int_equal(rep.bad_seq, 9);
	rep = verify(p, 10, nine.head);
	assert_string_equal(rep.what, "anchor missing");
	assert_int_equal(rep.bad_seq, 10);
	rep = verify(p, 0, nine.head);
	assert_string_equal(rep.what, "anchor differs");

	assert_int_equal(audit_verify(p->db, p->vault, 5, "", &rep), SOUK_E_INVALID);
	assert_int_equal(audit_verify(p->db, p->vault, 5, five.head + 2, &rep), SOUK_E_INVALID);
	other[0] = 'g';
	assert_int_equal(audit_verify(p->db, p->vault, 5, other, &rep), SOUK_E_INVALID);
	assert_int_equal(audit_verify(p->db, p->vault, -1, five.head, &rep), SOUK_E_INVALID);
}

/* An old copy of the whole database put back is sound in itself: the anchor alone shows it. */
static void
test_anchor_shows_an_old_copy(void **state)
{
	struct place *p = *state;
	struct place old = *p;
	struct audit_report noted, rep;
	struct fail f = { 0 };
	char path[96];

	append(p, 0, 5);
	(void)snprintf(path, sizeof(path), "%s/old.db", p->dir);
	assert_int_equal(db_backup(p->db, path, &f), SOUK_OK);
	append(p, 5, 5);
	noted = verify(p, 0, NULL);
	assert_int_equal(db_open(&(struct db_options){ .path = path }, &old.db, &f), SOUK_OK);
	assert_sound(&old, 5);
	rep = verify(&old, noted.head_seq, noted.head);
	assert_string_equal(rep.what, "anchor missing");
	/* Nor does appending until the number is reached again help. */
	append(&old, 100, 5);
	rep = verify(&old, noted.head_seq, noted.head);
	assert_string_equal(rep.what, "anchor differs");
	db_close(old.db);
}

/* More than one page, broken behind the first. */
static void
test_ten_thousand(void **state)
{
	static const char *const sql[] = { "UPDATE audit_entry SET count = -1 WHERE seq = 9999",
		"DELETE FROM audit_entry WHERE seq = 5001" };
	static struct db_texts texts = { .component = "attack", .sql = sql, .n = COUNT(sql) };
	struct attack edit = { .texts = &texts, .q = 0, .n = 1 };
	struct attack cut = { .texts = &texts, .q = 1, .n = 1 };
	struct place *p = *state;
	struct audit_report rep;

	append(p, 0, 5000);
	assert_sound(p, 5000);
	append(p, 5000, 5000);
	assert_sound(p, 10000);
	append(p, 10000, 1);
	assert_sound(p, 10001);
	assert_int_equal(db_write(p->db, attack_run, &edit), SOUK_OK);
	rep = verify(p, 0, NULL);
	assert_string_equal(rep.what, "edited");
	assert_int_equal(rep.bad_seq, 9999);
	assert_int_equal(rep.entries, 9998);
	assert_int_equal(db_write(p->db, attack_run, &cut), SOUK_OK);
	rep = verify(p, 0, NULL);
	assert_string_equal(rep.what, "removed");
	assert_int_equal(rep.bad_seq, 5001);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tampering_is_found_and_named),
		IN_PLACE(test_other_ring),
		IN_PLACE(test_rotation_keeps_the_chain),
		IN_PLACE(test_anchor),
		IN_PLACE(test_anchor_shows_an_old_copy),
		IN_PLACE(test_ten_thousand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
