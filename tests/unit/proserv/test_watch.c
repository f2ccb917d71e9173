/* SPDX-License-Identifier: Apache-2.0 */
/* Listings under review: tasks, decisions, standing, and reviews that are cut off. */
#include "unit/delivery/world.h"
#include "unit/database.h"

#include "delivery/mail.h"
#include "market/market.h"
#include "proserv/change_store.h"
#include "proserv/review_gate.h"
#include "proserv/watch_batch.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#define GOOD                                                                                       \
	"{\"title\":\"%s\",\"short_description\":\"Short.\",\"highlights\":[\"One\"],"             \
	"\"categories\":[\"Training\"],\"long_description\":\"## Key features\\n\\n- https:"       \
	"//docs.example.com\"}"

struct made {
	struct world *w;
	const char *state;
	size_t n;
	struct guid *ids;
};

static enum souk_err
make_tx(struct db_tx *tx, void *arg)
{
	struct made *m = arg;
	struct fail f = { .err = SOUK_OK };
	enum souk_err r = SOUK_OK;

	for (size_t i = 0; r == SOUK_OK && i < m->n; i++) {
		char title[32], document[400];
		struct product p = { .title = str_c(title),
			.type = STR("services"),
			.pricing = STR("[\"contract\"]"),
			.dimensions = STR(""),
			.solution_id = STR(""),
			.solution_title = STR(""),
			.support_email = STR(""),
			.support_phone = STR(""),
			.support_url = STR(""),
			.state = str_c(m->state) };
		struct listing_row l = { .data_use = STR(""),
			.targeting = STR("[]"),
			.revision = 1,
			.edition = EDITION_G21,
			.due_at = 1,
			.created_at = 1,
			.changed_at = 1 };

		(void)snprintf(title, sizeof(title), "Listing %zu", i);
		(void)snprintf(document, sizeof(document), GOOD, title);
		memcpy(p.seller_id, SELLER.p, ACCOUNT_ID_LEN);
		memcpy(l.seller_id, SELLER.p, ACCOUNT_ID_LEN);
		l.document = str_c(document);
		if ((r = product_create(tx, &m->w->operator_, &p, &f)) != SOUK_OK)
			break;
		l.product_id = m->ids[i] = p.id;
		if ((r = listing_set_title(&l, p.title, m->w->mem)) == SOUK_OK)
			r = listing_row_insert(tx, &l);
	}
	return r;
}

static void
make(struct world *w, const char *state, size_t n, struct guid *ids)
{
	struct made m = { w, state, n, ids };

	IN_WRITE(w, make_tx, &m);
}

static enum souk_err
address_tx(struct db_tx *tx, void *arg)
{
	struct world *w = arg;
	struct mail_address a = { .party = { STR(""), STR("notices@example.com") },
		.language = STR("") };

	return mail_addresses_set(tx, w->vault, SELLER, &a, 1, NULL);
}

static struct watch_ctx
context_of(struct world *w)
{
	struct watch_ctx c = { .vault = w->vault };

	assert_ok(reviewer_new(w->config, &c.reviewer));
	return c;
}

/* ---- standing -------------------------------------------------------------------------- */

static void
steps(void **state)
{
	static const struct {
		const char *product;
		enum standing from;
		instant_t grace_until;
		bool blocks, open;
		enum standing to;
		instant_t grace, due;
		enum standing_step step;
	} t[] = {
		{ "draft", STANDING_UNREVIEWED, 0, true, false, STANDING_BLOCKED, 0, 0, STEP_NONE },
		{ "draft", STANDING_UNREVIEWED, 0, false, false, STANDING_PASSED, 0, 0, STEP_NONE },
		{ "public", STANDING_UNREVIEWED, 0, false, false, STANDING_PASSED, 0, 1700,
		    STEP_NONE },
		{ "public", STANDING_PASSED, 0, false, true, STANDING_PENDING, 0, 1700, STEP_NONE },
		{ "limited", STANDING_PASSED, 0, true, false, STANDING_GRACE, 1200, 1200,
		    STEP_GRACE },
		{ "public", STANDING_PENDING, 0, true, true, STANDING_GRACE, 1200, 1200,
		    STEP_GRACE },
		{ "public", STANDING_GRACE, 1001, true, false, STANDING_GRACE, 1001, 1001,
		    STEP_NONE },
		{ "public", STANDING_GRACE, 1000, true, false, STANDING_SUSPENDED, 0, 1700,
		    STEP_SUSPEND },
		{ "public", STANDING_SUSPENDED, 0, true, false, STANDING_SUSPENDED, 0, 1700,
		    STEP_NONE },
		{ "public", STANDING_GRACE, 1100, false, false, STANDING_PASSED, 0, 1700,
		    STEP_LIFT },
		{ "restricted", STANDING_SUSPENDED, 0, false, true, STANDING_PENDING, 0, 1700,
		    STEP_LIFT },
	};
	const struct standing_rules times = { .grace_ms = 200, .every_ms = 700 };

	(void)state;
	for (size_t i = 0; i < COUNT(t); i++) {
		struct listing_row l = { .standing = t[i].from,
			.grace_until = t[i].grace_until,
			.product.state = str_c(t[i].product) };
		struct judged j = { .blocks = t[i].blocks, .open = t[i].open };
		struct standing_change c;

		standing_next(&l, &j, &times, 1000, &c);
		if (c.to != t[i].to || c.grace_until != t[i].grace || c.due_at != t[i].due ||
		    c.step != t[i].step)
			fail_msg("row %zu: %s until %lld, due %lld, step %d", i,
			    standing_word(c.to), (long long)c.grace_until, (long long)c.due_at,
			    (int)c.step);
	}
	/* A waiver's end is looked at when it comes. */
	struct judged j = { .waived_until = 1100 };
	struct listing_row l = { .product.state = STR("public") };
	struct standing_change c;

	standing_next(&l, &j, &times, 1000, &c);
	assert_int_equal(c.due_at, 1100);
}

/* ---- reviews that count for nothing ---------------------------------------------------- */

struct keeping {
	struct batch *b;
	struct guid id;
};

static enum souk_err
mark_tx(struct db_tx *tx, void *arg)
{
	struct keeping *k = arg;

	return review_mark(tx, SELLER, &k->id, db_now(tx));
}

static enum souk_err
keep_tx(struct db_tx *tx, void *arg)
{
	struct keeping *k = arg;

	return batch_keep(tx, k->b, &k->b->items[0]);
}

static void
overtaken(void **state)
{
	struct world *w = *state;
	struct watch_ctx c = context_of(w);
	struct keeping k;

	make(w, "public", 1, &k.id);
	assert_ok(batch_new(&c, &w->operator_, &k.b));
	for (int late = 1; late >= 0; late--) {
		IN_READ(w, batch_read, k.b);
		assert_int_equal(k.b->n, 1);
		assert_ok(batch_review(k.b));
		if (late)
			IN_WRITE(w, mark_tx, &k);
		for (int twice = 0; twice < 2; twice++)
			IN_WRITE(w, keep_tx, &k);
		assert_int_equal(
		    world_int(w, "SELECT COUNT(*) FROM listing_review WHERE standing = 'grace'"),
		    !late);
		assert_int_equal(world_int(w, "SELECT COUNT(*) FROM audit_entry"
					      " WHERE action = 'review:BeginGrace'"),
		    !late);
		assert_int_equal(world_int(w, "SELECT COUNT(*) FROM listing_findings"), !late);
	}
	IN_READ(w, batch_read, k.b);
	assert_int_equal(k.b->n, 0); /* not due any more */
	batch_free(k.b);
	reviewer_free(c.reviewer);
}

/* ---- logos ----------------------------------------------------------------------------- */

#define LOGOS 45 /* more than a thread takes at once */

static enum souk_err
logos_tx(struct db_tx *tx, void *arg)
{
	const struct guid *ids = arg, set = { { 1 } };
	enum souk_err r = SOUK_OK;

	for (size_t i = 0; r == SOUK_OK && i < LOGOS; i++) {
		struct logo_row l = { .product_id = ids[i],
			.change_set_id = set,
			.url = STR(""),
			.facts.hash = { { i, UINT64_MAX, 0x5555555555555555U << i % 2, i * i } } };

		memcpy(l.seller_id, SELLER.p, ACCOUNT_ID_LEN);
		r = logo_row_put(tx, &l);
	}
	return r == SOUK_OK ? logo_rows_enforce(tx, SELLER, &set) : r;
}

static bool
is_alike(const struct batch_item *x)
{
	static const char rule[] = "PS-SETUP-07";

	return memmem(x->findings.p, x->findings.n, rule, sizeof(rule) - 1) != NULL;
}

/* Each listing is compared with those of others as they are when it is reviewed. */
static void
others_logos(void **state)
{
	struct world *w = *state;
	struct watch_ctx c = context_of(w);
	struct logo_shown theirs = { .seller_id = "999999999999",
		.product_id = { { 0xff } },
		.shown = true,
		.hash = { { 44, UINT64_MAX, 0x5555555555555555U, 44 * 44 } } };
	struct guid ids[LOGOS];
	struct batch *b;

	make(w, "public", LOGOS, ids);
	IN_WRITE(w, logos_tx, ids);
	assert_ok(batch_new(&c, &w->operator_, &b));
	for (int there = 0; there < 2; there++) {
		IN_READ(w, batch_read, b);
		assert_int_equal(b->n, LOGOS);
		if (there)
			assert_ok(logo_index_put(reviewer_logos(c.reviewer), &theirs, 1));
		assert_ok(batch_review(b));
		for (size_t i = 0; i < LOGOS; i++) {
			const struct batch_item *x = &b->items[i];
			bool like = there && x->logo->facts.hash.bits[2] == theirs.hash.bits[2];

			assert_true(x->like.found == like);
			assert_true(is_alike(x) == like);
		}
	}
	batch_free(b);
	reviewer_free(c.reviewer);
}

/* ---- cut off --------------------------------------------------------------------------- */

#define MANY 250
#define LEASE_MS 150

static enum souk_err
put_tx(struct db_tx *tx, void *arg)
{
	(void)arg;
	return job_put(
	    tx, &(struct job_new){ .kind = REVIEW_JOB, .payload = STR("{\"rules\":true}") }, NULL);
}

static enum souk_err
end_tx(struct db_tx *tx, void *arg)
{
	return job_finish(tx, arg);
}

/* Mails are somebody else's. */
static enum job_outcome
leave(void *ctx, struct db *db, const struct job *j, struct fail *f)
{
	struct job copy = *j;

	(void)ctx;
	(void)f;
	return db_write(db, end_tx, &copy) == SOUK_OK ? JOB_DONE : JOB_RETRY;
}

static void
run_job(struct world *w)
{
	struct watch_ctx c = context_of(w);
	const struct job_kind kinds[] = { { .kind = REVIEW_JOB,
					      .backoff_ms = 1,
					      .backoff_max_ms = 1,
					      .lease_ms = LEASE_MS,
					      .run = proserv_job_review },
		{ .kind = MAIL_JOB, .lease_ms = LEASE_MS, .run = leave } };
	size_t ran;

	assert_ok(job_run_due(w->db, kinds, 2, 1000, &c, &ran));
	reviewer_free(c.reviewer);
}

static int64_t
in_grace(struct world *w)
{
	return world_int(w, "SELECT COUNT(*) FROM listing_review WHERE standing = 'grace'");
}

/* Ends the process as soon as more is kept than was. */
static void *
end_soon(void *arg)
{
	struct world *w = arg;
	int64_t before = in_grace(w);

	while (in_grace(w) == before)
		clock_sleep_ms(1);
	(void)raise(SIGKILL);
	return NULL;
}

/* In a process of its own; was it cut off? */
static bool
run_and_cut(struct world *w)
{
	pthread_t cutter;
	pid_t pid;
	int status = 0;

	db_close(w->db); /* the child has the database to itself */
	w->db = NULL;
	if ((pid = fork()) == 0) {
		struct db_options o = { .path = test_database(w->dir) };

		if (db_open(&o, &w->db, NULL) == SOUK_OK &&
		    pthread_create(&cutter, NULL, end_soon, w) == 0)
			run_job(w);
		_exit(0);
	}
	assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
	world_reopen(w);
	return WIFSIGNALED(status);
}

static void
cut_off(void **state)
{
	struct world *w = *state;
	struct guid *ids = calloc(MANY, sizeof(*ids));
	bool between = false;

	assert_non_null(ids);
	make(w, "public", MANY, ids);
	free(ids);
	IN_WRITE(w, address_tx, w);
	IN_WRITE(w, put_tx, NULL);
	for (int i = 0; i < MANY && run_and_cut(w); i++) {
		between |= in_grace(w) > 0 && in_grace(w) < MANY;
		clock_sleep_ms(LEASE_MS + 20);
	}
	clock_sleep_ms(LEASE_MS + 20);
	run_job(w);
	assert_true(between);
	assert_int_equal(in_grace(w), MANY);
	assert_int_equal(world_int(w, "SELECT COUNT(*) FROM listing_findings"), MANY);
	assert_int_equal(world_int(w, "SELECT COUNT(*) FROM mail"), MANY);
	assert_int_equal(world_int(w, "SELECT COUNT(*) FROM audit_entry"
				      " WHERE action = 'review:BeginGrace'"),
	    MANY);
	assert_int_equal(
	    world_int(w, "SELECT COUNT(*) FROM listing_review WHERE due_at <= reviewed_at"), 0);
	assert_int_equal(
	    world_int(w, "SELECT COUNT(*) FROM job WHERE kind = 'review' AND state = 2"), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps),
		cmocka_unit_test_setup_teardown(overtaken, world_make, world_remove),
		cmocka_unit_test_setup_teardown(others_logos, world_make, world_remove),
		cmocka_unit_test_setup_teardown(cut_off, world_make, world_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
