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

#define MOVE(from, to) "UPDATE audit_entry SET seq = " to " WHERE seq = " from " AND" OURS
#define EDIT(column, value) "UPDATE audit_entry SET " column " = " value " WHERE seq = 5 AND" OURS
#define FORGE(seq)                                                                                 \
	"INSERT INTO audit_entry SELECT chain, " seq ", at, account_id, actor, action, resource,"  \
	" seller_id, purpose, outcome, count, request_id, substr(mac, 1, 1) FROM audit_entry"      \
	" WHERE seq = 3 AND" OURS
#define COPY(seq)                                                                                  \
	"INSERT INTO audit_entry SELECT chain, " seq ", at, account_id, actor, action, resource,"  \
	" seller_id, purpose, outcome, count, request_id, mac FROM audit_entry WHERE seq = 3 "     \
	"AND" OURS

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
	{ { EDIT("mac", "(SELECT seal FROM audit_head WHERE" OURS ")") }, "edited", 5 },
	{ { EDIT("mac", "substr(mac, 1, 0)") }, "edited", 5 },
	{ { EDIT("mac", "(SELECT mac FROM audit_entry WHERE seq = 4 AND" OURS ")") }, "edited", 5 },
	/* The border between two fields moved. */
	{ { EDIT("actor", "actor || 'psc'"), EDIT("action", "substr(action, 4)") }, "edited", 5 },
	{ { "UPDATE audit_entry SET count = 0 WHERE seq = 1 AND" OURS }, "edited", 1 },
	{ { "UPDATE audit_entry SET count = 0 WHERE seq = 12 AND" OURS }, "edited", 12 },
	{ { "UPDATE audit_entry SET count = 77 WHERE" OURS }, "edited", 1 },

	{ { "DELETE FROM audit_entry WHERE seq = 1 AND" OURS }, "removed", 1 },
	{ { "DELETE FROM audit_entry WHERE seq = 5 AND" OURS }, "removed", 5 },
	{ { "DELETE FROM audit_entry WHERE seq IN (5, 6, 9) AND" OURS }, "removed", 5 },
	{ { "DELETE FROM audit_entry WHERE seq < 12 AND" OURS }, "removed", 1 },
	/* Removed, and the numbers closed up. */
	{ { "DELETE FROM audit_entry WHERE seq = 5 AND" OURS,
	      "UPDATE audit_entry SET seq = -seq + 1 WHERE seq > 5 AND" OURS,
	      "UPDATE audit_entry SET seq = -seq WHERE seq < 0 AND" OURS },
	    "removed", 5 },
	{ { "DELETE FROM audit_entry WHERE seq IN (1, 2, 3) AND" OURS,
	      "UPDATE audit_entry SET seq = -seq + 3 WHERE seq > 3 AND" OURS,
	      "UPDATE audit_entry SET seq = -seq WHERE seq < 0 AND" OURS },
	    "removed", 1 },
	{ { "DELETE FROM audit_entry WHERE seq = 11 AND" OURS, MOVE("12", "11") }, "removed", 11 },

	{ { MOVE("5", "99"), MOVE("6", "5"), MOVE("99", "6") }, "reordered", 5 },
	{ { MOVE("1", "99"), MOVE("2", "1"), MOVE("99", "2") }, "reordered", 1 },
	{ { MOVE("11", "99"), MOVE("12", "11"), MOVE("99", "12") }, "reordered", 11 },
	{ { MOVE("3", "99"), MOVE("9", "3"), MOVE("99", "9") }, "reordered", 3 },
	/* One taken out and put back further on, all between them moved up. */
	{ { MOVE("4", "99"), MOVE("5", "4"), MOVE("6", "5"), MOVE("99", "6") }, "reordered", 4 },
	{ { MOVE("12", "13") }, "reordered", 12 },
	{ { MOVE("5", "99") }, "reordered", 5 },

	/* Pushed in, all behind it moved on. */
	{ { "UPDATE audit_entry SET seq = -seq - 1 WHERE seq > 4 AND" OURS,
	      "UPDATE audit_entry SET seq = -seq WHERE seq < 0 AND" OURS, FORGE("5") },
	    "inserted", 5 },
	{ { "UPDATE audit_entry SET seq = -seq - 1 WHERE seq > 4 AND" OURS,
	      "UPDATE audit_entry SET seq = -seq WHERE seq < 0 AND" OURS, COPY("5") },
	    "inserted", 5 },
	{ { FORGE("13") }, "inserted", 13 },
	{ { COPY("13") }, "inserted", 13 },
	{ { FORGE("0") }, "inserted", 1 },
	{ { FORGE("-7") }, "inserted", 1 },

	{ { "DELETE FROM audit_entry WHERE seq = 12 AND" OURS }, "cut off the end", 12 },
	{ { "DELETE FROM audit_entry WHERE seq > 3 AND" OURS }, "cut off the end", 4 },
	{ { "DELETE FROM audit_entry WHERE" OURS }, "cut off the end", 1 },

	{ { "DELETE FROM audit_head WHERE" OURS }, "head missing", 12 },
	{ { "UPDATE audit_head SET seq = 11 WHERE" OURS }, "head edited", 12 },
	{ { "UPDATE audit_head SET mac = seal WHERE" OURS }, "head edited", 12 },
	{ { "UPDATE audit_head SET seal = mac WHERE" OURS }, "head edited", 12 },
	{ { "UPDATE audit_head SET seal = substr(seal, 1, 1) WHERE" OURS }, "head edited", 12 },
	{ { "DELETE FROM audit_entry WHERE seq > 8 AND" OURS,
	      "UPDATE audit_head SET seq = 8, mac = (SELECT mac FROM audit_entry WHERE seq = 8 "
	      "AND" OURS ") WHERE" OURS },
	    "head edited", 8 },
	{ { "DELETE FROM audit_entry WHERE seq > 8 AND" OURS, "DELETE FROM audit_head WHERE" OURS },
	    "head missing", 8 },
	{ { "UPDATE audit_head SET seq = 0, mac = seal WHERE" OURS,
	      "DELETE FROM audit_entry WHERE" OURS },
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
		rep = verify(p, NULL);
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
	assert_int_equal(audit_verify(p->db, q->vault, NULL, &rep), SOUK_OK);
	audit_report_done(&rep);
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
	struct audit_report empty = verify(p, NULL), five, nine, rep;
	char other[300];

	append(p, 1, 5);
	five = verify(p, NULL);
	append(p, 6, 4);
	nine = verify(p, NULL);
	assert_null(verify(p, empty.anchor).what);
	assert_null(verify(p, five.anchor).what);
	assert_null(verify(p, nine.anchor).what);

	(void)snprintf(other, sizeof(other), "6:%s", last_head(&five) + 2);
	rep = verify(p, anchor_of(&nine, other));
	assert_string_equal(rep.what, "anchor differs");
	assert_int_equal(rep.bad_seq, 6);
	(void)snprintf(other, sizeof(other), "%s", last_head(&nine));
	other[65] = other[65] == '0' ? '1' : '0';
	rep = verify(p, anchor_of(&nine, other));
	assert_string_equal(rep.what, "anchor differs");
	assert_int_equal(rep.bad_seq, 9);
	(void)snprintf(other, sizeof(other), "10:%s", last_head(&nine) + 2);
	rep = verify(p, anchor_of(&nine, other));
	assert_string_equal(rep.what, "anchor missing");
	assert_int_equal(rep.bad_seq, 10);
	(void)snprintf(other, sizeof(other), "0:%s", last_head(&nine) + 2);
	rep = verify(p, anchor_of(&nine, other));
	assert_string_equal(rep.what, "anchor differs");
	/* A chain that is not there at all. */
	(void)snprintf(other, sizeof(other), "%s,99999/3:%s", empty.anchor, last_head(&nine) + 2);
	rep = verify(p, other);
	assert_string_equal(rep.what, "anchor missing");
	assert_int_equal(rep.bad_chain, 99999);
}

static void
test_anchor_texts(void **state)
{
	static const char hex[] =
	    "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
	static const struct {
		const char *before, *after;
		bool fine;
	} texts[] = {
		{ "5:", "", true },
		{ "0:", "", true },
		{ "5:", ",", false },
		{ "-1:", "", false },
		{ ":", "", false },
		{ "", "", false },
		{ "5", "", false },
		{ "5:", "0", false },
		{ "5:0", "", false },
		{ "5:g", "", false },
		{ "0/5:", "", false }, /* chain 0 goes without its number */
		{ "-1/5:", "", false },
		{ "/5:", "", false },
		{ "7/5:", "", true },
		{ "5:", ",7/5:", false },
	};
	char text[200];

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		(void)snprintf(text, sizeof(text), "%s%s%s", texts[i].before, hex, texts[i].after);
		if (audit_anchor_is(text) != texts[i].fine)
			fail_msg("%s", text);
		(void)snprintf(
		    text, sizeof(text), "1:%s,%s%s%s", hex, texts[i].before, hex, texts[i].after);
		if (audit_anchor_is(text) != texts[i].fine)
			fail_msg("%s", text);
	}
	assert_false(audit_anchor_is(""));
}

/* What an attacker with the rights of the database does: all of it kept, and put back later. */
static enum souk_err
keep_all(struct db_tx *tx, void *arg)
{
	static const char *const sql[] = {
		"CREATE TABLE kept_entry AS SELECT * FROM audit_entry",
		"CREATE TABLE kept_head AS SELECT * FROM audit_head",
		"DELETE FROM audit_entry",
		"DELETE FROM audit_head",
		"INSERT INTO audit_entry SELECT * FROM kept_entry",
		"INSERT INTO audit_head SELECT * FROM kept_head",
	};
	static struct db_texts texts = { .component = "attack", .sql = sql, .n = COUNT(sql) };
	const bool *put_back = arg;
	struct attack a = { .texts = &texts, .q = *put_back ? 2 : 0, .n = *put_back ? 4 : 2 };

	return attack_run(tx, &a);
}

/* An old copy of the whole log put back is sound in itself: the anchor alone shows it. */
static void
test_anchor_shows_an_old_copy(void **state)
{
	struct place *p = *state;
	struct audit_report noted, rep;
	bool put_back = false;

	append(p, 0, 5);
	assert_int_equal(db_write(p->db, keep_all, &put_back), SOUK_OK);
	append(p, 5, 5);
	noted = verify(p, NULL);
	put_back = true;
	assert_int_equal(db_write(p->db, keep_all, &put_back), SOUK_OK);
	assert_sound(p, 5);
	rep = verify(p, noted.anchor);
	assert_string_equal(rep.what, "anchor missing");
	/* Nor does appending until the number is reached again help. */
	place_open_again(p);
	append(p, 100, 5);
	rep = verify(p, noted.anchor);
	assert_string_equal(rep.what, "anchor differs");
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
	rep = verify(p, NULL);
	assert_string_equal(rep.what, "edited");
	assert_int_equal(rep.bad_seq, 9999);
	assert_int_equal(rep.entries, 9998 + p->mentions);
	assert_int_equal(db_write(p->db, attack_run, &cut), SOUK_OK);
	rep = verify(p, NULL);
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
		cmocka_unit_test(test_anchor_texts),
		IN_PLACE(test_anchor_shows_an_old_copy),
		IN_PLACE(test_ten_thousand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
