/* SPDX-License-Identifier: Apache-2.0 */
/* What the audit's tests share: a database and a vault of their own, entries, and raw SQL. */
#ifndef SOUK_TESTS_AUDIT_SUPPORT_H
#define SOUK_TESTS_AUDIT_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "audit/audit.h"
#include "unit/database.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct place {
	char dir[64];
	struct config *config;
	struct vault *vault;
	struct db *db;
	int64_t
	    mentions; /* entries of chain 0 that tell of other chains; on one lane at most one */
	bool made;    /* opened before: its tables are laid out already */
};

/*
 * The chain that is written to, in a statement of an attacker's: the embedded engine has chain 0 only,
 * PostgreSQL the lane of the one writer that these tests open.
 */
#define OURS " chain = (SELECT max(chain) FROM audit_head) "

static inline int
place_remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static inline void
place_open(struct place *p)
{
	struct fail f = { 0 };

	if (db_open(&(struct db_options){ .path = test_database(p->dir),
			.create = true,
			.distribute = test_distributes() && !p->made,
			.writers = 1 },
		&p->db, &f) != SOUK_OK)
		fail_msg("%s", f.detail);
	p->made = true;
	p->mentions = db_is_shared(p->db);
}

/* As a process that starts: it has no end of a chain in memory. */
static inline void
place_open_again(struct place *p)
{
	db_close(p->db);
	place_open(p);
}

static inline int
place_set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));
	struct fail f = { 0 };
	char path[96];

	assert_non_null(p);
	(void)snprintf(p->dir, sizeof(p->dir), "/tmp/souk-audit-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	(void)snprintf(path, sizeof(path), "%s/keyring.json", p->dir);
	assert_int_equal(vault_ring_create(path, &f), SOUK_OK);
	(void)snprintf(path, sizeof(path), "%s/souk.ini", p->dir);
	assert_int_equal(config_load(path, &p->config, &f), SOUK_OK);
	assert_int_equal(vault_open(p->config, p->dir, &p->vault, &f), SOUK_OK);
	place_open(p);
	*state = p;
	return 0;
}

static inline int
place_tear_down(void **state)
{
	struct place *p = *state;

	db_close(p->db);
	test_database_drop(p->dir);
	vault_close(p->vault);
	config_free(p->config);
	(void)nftw(p->dir, place_remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(p);
	return 0;
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, place_set_up, place_tear_down)

/* Entries of which each differs from the others. */
struct batch {
	const struct vault *vault;
	int from, n;
	enum souk_err after; /* what the transaction function returns in the end */
};

static inline enum souk_err
batch_append(struct db_tx *tx, void *arg)
{
	struct batch *b = arg;
	enum souk_err r;
	char resource[40];

	for (int i = b->from; i < b->from + b->n; i++) {
		(void)snprintf(resource, sizeof(resource), "subscription/%d", i);
		r = audit_append(tx, b->vault,
		    &(struct audit_entry){
			.account_id = i % 2 ? STR("000000000001") : STR("000000000002"),
			.actor = STR("token:f2b1f5f0-0000-4000-8000-000000000000"),
			.action = "psc:ReadContacts",
			.resource = str_c(resource),
			.seller_id = i % 3 ? STR("000000000009") : STR(""),
			.purpose = STR("support"),
			.refused = i % 5 == 0,
			.count = i,
			.request_id = STR("r") });
		if (r != SOUK_OK)
			return r;
	}
	return b->after;
}

static inline void
append(struct place *p, int from, int n)
{
	struct batch b = { .vault = p->vault, .from = from, .n = n };

	assert_int_equal(db_write(p->db, batch_append, &b), SOUK_OK);
}

/* One statement of the attacker's, who has the database but not the ring. */
struct attack {
	struct db_texts *texts;
	unsigned q, n; /* statements q to q + n - 1 */
};

static inline enum souk_err
attack_run(struct db_tx *tx, void *arg)
{
	struct attack *a = arg;
	enum souk_err r = SOUK_OK;

	for (unsigned i = 0; i < a->n && r == SOUK_OK; i++)
		r = db_run(db_stmt(tx, a->texts, a->q + i), NULL);
	return r;
}

/* The anchor is in memory that lives as long as the test. */
static inline struct audit_report
verify(struct place *p, const char *anchor)
{
	static char heads[16][4096];
	static unsigned n;
	struct audit_report rep = { 0 };
	char *head = heads[n++ % 16];

	assert_int_equal(audit_verify(p->db, p->vault, anchor, &rep), SOUK_OK);
	(void)snprintf(head, sizeof(heads[0]), "%s", rep.anchor);
	audit_report_done(&rep);
	rep.anchor = head;
	return rep;
}

/* The head of the chain that is written to: the last one, NUMBER:HEX. */
static inline const char *
last_head(const struct audit_report *rep)
{
	const char *slash = strrchr(rep->anchor, '/');

	return slash ? slash + 1 : rep->anchor;
}

/* `head`, NUMBER:HEX, as an anchor for the chain that is written to. */
static inline const char *
anchor_of(const struct audit_report *rep, const char *head)
{
	static char text[4096];
	const char *slash = strrchr(rep->anchor, '/');

	(void)snprintf(text, sizeof(text), "%.*s%s", slash ? (int)(slash + 1 - rep->anchor) : 0,
	    rep->anchor, head);
	return text;
}

static inline void
assert_sound(struct place *p, int64_t entries)
{
	struct audit_report rep = verify(p, NULL);

	if (rep.what)
		fail_msg("chain %lld entry %lld: %s", (long long)rep.bad_chain,
		    (long long)rep.bad_seq, rep.what);
	assert_int_equal(rep.bad_seq, 0);
	assert_int_equal(rep.entries, entries + (entries > 0 ? p->mentions : 0));
	assert_int_equal(strtoll(last_head(&rep), NULL, 10), entries);
	assert_int_equal(strlen(strchr(last_head(&rep), ':') + 1), 64);
}

#endif
