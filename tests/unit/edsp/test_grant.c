/* SPDX-License-Identifier: Apache-2.0 */
/* Who may see whose commissions, on either engine; sealed plans; how runs come to be locked. */
#include "unit/market/market_test.h"

#include "edsp/commission_store.h"
#include "edsp/kept_plan.h"
#include "market/enrolment.h"
#include "market/user.h"

#include <unistd.h>

struct place {
	char dir[64], ring[96];
	struct config *config;
	struct vault *vault;
};
static struct place here;

static int
ring_setup(void **state)
{
	struct fail f = { 0 };
	char ini[128];

	(void)state;
	(void)snprintf(here.dir, sizeof(here.dir), "/tmp/souk-grant-XXXXXX");
	if (!mkdtemp(here.dir))
		return -1;
	(void)snprintf(here.ring, sizeof(here.ring), "%s/keyring.json", here.dir);
	(void)snprintf(ini, sizeof(ini), "%s/souk.ini", here.dir);
	if (config_load(ini, &here.config, &f) != SOUK_OK ||
	    vault_ring_create(here.ring, &f) != SOUK_OK)
		return -1;
	return vault_open(here.config, here.dir, &here.vault, &f) == SOUK_OK ? 0 : -1;
}

static int
ring_teardown(void **state)
{
	(void)state;
	vault_close(here.vault);
	config_free(here.config);
	(void)unlink(here.ring);
	(void)rmdir(here.dir);
	return 0;
}

/* ---- helpers ---- */

static struct guid
user_of(struct world *w, const char *account, const char *name)
{
	struct user u = { .name = str_c(name), .state = STR("active") };

	(void)snprintf(u.account_id, sizeof(u.account_id), "%s", account);
	assert_int_equal(user_create(w->tx, &w->op, &u, world_fail(w)), SOUK_OK);
	return u.id;
}

static void
enrol(struct world *w, const char *seller, bool in)
{
	struct enrolment e;

	assert_int_equal(
	    enrolment_set(w->tx, &w->op, str_c(seller), "edsp", in, &e, world_fail(w)), SOUK_OK);
}

static enum souk_err
grant(struct world *w, const struct tenant_scope *s, const char *seller, struct guid user,
    const char *text)
{
	struct commission_grant g;
	enum souk_err r = commission_grant_parse(world_json(w, text), &g, world_fail(w));

	g.user_id = user;
	return r == SOUK_OK
		   ? commission_grant_set(w->tx, s, str_c(seller), &g, w->mem, world_fail(w))
		   : r;
}

static bool
sees_by(struct world *w, const struct tenant_scope *s, const char *seller, struct guid user,
    const char *who)
{
	struct commission_grant g;
	enum souk_err r = commission_grant_get(w->tx, s, str_c(seller), &user, w->mem, &g);

	if (r == SOUK_OK)
		r = commission_grant_covers(w->tx, here.vault, str_c(seller), &g, str_c(who));
	assert_true(r == SOUK_OK || r == SOUK_E_NOT_FOUND);
	return r == SOUK_OK;
}

static bool
sees(struct world *w, struct guid user, const char *who)
{
	return sees_by(w, &w->seller, SELLER, user, who);
}

#define PERSON(id, more) "{'id':'" id "','name':'N'" more "}"
#define PLAN(people)                                                                               \
	"{'schema':'souk-plan-1','name':'P','rounding':{'mode':'half-up','decimals':2},"           \
	"'representatives':[" people "],'territories':[{'id':'all','everything':true,"             \
	"'credits':[{'representative':'ana','percent':100}]}],'rates':[{'id':'r','revenue':"       \
	"['hourly','monthly','annual','metered'],'base':'gross','payOn':'billed','percent':'5',"   \
	"'clawback':[]}]}"
/* kim is below ana, ana below mia: mia's team are both. */
#define TEAM                                                                                       \
	PERSON("ana", ",'manager':'mia'")                                                          \
	"," PERSON("kim", ",'manager':'ana'") "," PERSON("ben", "") "," PERSON("mia", "")

static void
plan(struct world *w, const char *seller, const char *text)
{
	struct buf b = { 0 };
	struct jw j;
	int64_t revision;

	jw_init(&j, &b);
	jw_value(&j, NULL, world_json(w, text));
	assert_int_equal(kept_plan_check(buf_str(&b), "", world_fail(w)), SOUK_OK);
	assert_int_equal(kept_plan_put(w->tx, here.vault, &w->seller, str_c(seller), buf_str(&b), 0,
			     &revision, world_fail(w)),
	    SOUK_OK);
	buf_done(&b);
}

/* ---- who sees whose ---- */

static void
matrix(struct world *w)
{
	static const struct {
		const char *name, *grant;
		bool ana, kim, ben;
	} rows[] = {
		{ "fay", "{'role':'finance','purpose':'pay'}", true, true, true },
		{ "ana", "{'role':'representative','representative':'ana','purpose':'pay'}", true,
		    false, false },
		{ "mia", "{'role':'manager','representative':'mia','purpose':'pay'}", true, true,
		    false },
		{ "lead", "{'role':'manager','representative':'ana','purpose':'pay'}", true, true,
		    false },
		{ "sue", "{'role':'support','purpose':'pay'}", false, false, false },
		{ "eve", NULL, false, false, false },
	};

	enrol(w, SELLER, true);
	plan(w, SELLER, PLAN(TEAM));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct guid u = user_of(w, SELLER, rows[i].name);

		if (rows[i].grant)
			assert_int_equal(grant(w, &w->seller, SELLER, u, rows[i].grant), SOUK_OK);
		assert_int_equal(sees(w, u, "ana"), rows[i].ana);
		assert_int_equal(sees(w, u, "kim"), rows[i].kim);
		assert_int_equal(sees(w, u, "ben"), rows[i].ben);
		/* Not through another's scope, nor the operator's. */
		assert_false(sees_by(w, &w->op, SELLER, u, "ana"));
		assert_false(sees_by(w, &w->seller_b, SELLER, u, "ana"));
		assert_false(sees_by(w, &w->seller_b, SELLER_B, u, "ana"));
		assert_false(sees_by(w, &w->buyer, SELLER, u, "ana"));
	}
}
WORLD_TEST(matrix)

static void
ex_manager(struct world *w)
{
	struct guid u = user_of(w, SELLER, "mia");

	enrol(w, SELLER, true);
	assert_int_equal(grant(w, &w->seller, SELLER, u,
			     "{'role':'manager','representative':'mia','purpose':'pay'}"),
	    SOUK_OK);
	assert_false(sees(w, u, "ana")); /* no plan */
	assert_true(sees(w, u, "mia"));
	plan(w, SELLER, PLAN(TEAM));
	assert_true(sees(w, u, "ana"));
	plan(w, SELLER,
	    PLAN(PERSON("ana", ",'manager':'ben'") "," PERSON("ben", "") "," PERSON("mia", "")));
	assert_false(sees(w, u, "ana"));
	assert_true(sees(w, u, "mia"));
	plan(w, SELLER,
	    PLAN(PERSON("ana", ",'manager':'mia'") "," PERSON("mia", ",'until':'2020-12-31'")));
	assert_false(sees(w, u, "ana"));
	plan(w, SELLER,
	    PLAN(PERSON("ana", ",'manager':'mia'") "," PERSON("mia", ",'from':'2999-01-01'")));
	assert_false(sees(w, u, "ana"));
}
WORLD_TEST(ex_manager)

static void
revoked_and_withdrawn(struct world *w)
{
	const char *finance = "{'role':'finance','purpose':'pay'}";
	struct guid u = user_of(w, SELLER, "fay"), other = user_of(w, SELLER_B, "fay");
	struct jw list;

	assert_int_equal(grant(w, &w->seller, SELLER, u, finance), SOUK_E_CONFLICT);
	assert_code(w, "not_enrolled");
	enrol(w, SELLER, true);
	enrol(w, SELLER_B, true);
	assert_int_equal(grant(w, &w->op, SELLER, u, finance), SOUK_E_NOT_FOUND);
	assert_int_equal(grant(w, &w->seller_b, SELLER, u, finance), SOUK_E_NOT_FOUND);
	assert_int_equal(grant(w, &w->seller, SELLER, other, finance), SOUK_E_NOT_FOUND);
	assert_int_equal(grant(w, &w->seller, SELLER, u, finance), SOUK_OK);
	assert_true(sees(w, u, "ana"));
	assert_int_equal(
	    commission_grant_remove(w->tx, &w->seller_b, STR(SELLER), &u), SOUK_E_NOT_FOUND);
	assert_int_equal(commission_grant_remove(w->tx, &w->seller, STR(SELLER), &u), SOUK_OK);
	assert_false(sees(w, u, "ana"));
	assert_int_equal(
	    commission_grant_remove(w->tx, &w->seller, STR(SELLER), &u), SOUK_E_NOT_FOUND);
	assert_int_equal(grant(w, &w->seller, SELLER, u, finance), SOUK_OK);
	enrol(w, SELLER, false);
	assert_false(sees(w, u, "ana"));
	enrol(w, SELLER, true); /* in the same millisecond */
	assert_false(sees(w, u, "ana"));
	list = world_list_begin(w);
	assert_int_equal(commission_grant_list(w->tx, &w->seller, STR(SELLER), &list), SOUK_OK);
	assert_int_equal(world_list_end(w, &list), 1);
	assert_out(w, "\"inForce\":false", true);
	assert_int_equal(grant(w, &w->seller, SELLER, u, finance), SOUK_OK);
	assert_true(sees(w, u, "ana"));
}
WORLD_TEST(revoked_and_withdrawn)

static void
assert_refused(struct world *w, const char *text, const char *field)
{
	struct commission_grant g;

	assert_int_equal(
	    commission_grant_parse(world_json(w, text), &g, world_fail(w)), SOUK_E_INVALID);
	assert_field(w, field);
}

static void
members(struct world *w)
{
	assert_refused(w, "{'role':'king','purpose':'pay'}", "role");
	assert_refused(w, "{'role':'finance'}", "purpose");
	assert_refused(w, "{'role':'finance','purpose':'Pay!'}", "purpose");
	assert_refused(w, "{'role':'representative','purpose':'pay'}", "representative");
	assert_refused(
	    w, "{'role':'finance','representative':'a','purpose':'p'}", "representative");
	assert_refused(w, "{'role':'support','buyerColumns':true,'purpose':'p'}", "buyerColumns");
	assert_refused(w, "{'role':'finance','purpose':'p','colour':'red'}", "colour");
}
WORLD_TEST(members)

/* ---- plans ---- */

static void
sealed_plans(struct world *w)
{
	struct guid id, second;
	struct plan_row row;
	struct plan p;
	struct str text;
	struct buf cursor = { 0 };
	int64_t revision, changed;
	bool done;

	assert_int_equal(kept_plan_newest(w->tx, STR(SELLER), &id, &revision), SOUK_E_NOT_FOUND);
	plan(w, SELLER, PLAN(TEAM));
	assert_int_equal(kept_plan_newest(w->tx, STR(SELLER), &id, &revision), SOUK_OK);
	assert_int_equal(revision, 1);
	assert_int_equal(kept_plan_put(w->tx, here.vault, &w->seller, STR(SELLER), STR("{}"), 7,
			     &revision, world_fail(w)),
	    SOUK_E_PRECONDITION);
	plan(w, SELLER, PLAN(TEAM));
	assert_int_equal(kept_plan_newest(w->tx, STR(SELLER), &second, &revision), SOUK_OK);
	assert_int_equal(revision, 2);
	assert_int_equal(
	    kept_plan_load(w->tx, here.vault, STR(SELLER), &id, w->mem, &p, &text), SOUK_OK);
	assert_int_equal(p.n_representatives, 4);
	assert_int_equal(kept_plan_load(w->tx, here.vault, STR(SELLER_B), &id, w->mem, &p, NULL),
	    SOUK_E_NOT_FOUND);
	/* What is kept is sealed, and opens in its place only. */
	assert_int_equal(plan_row_load(w->tx, STR(SELLER), &id, w->mem, &row), SOUK_OK);
	assert_null(memmem(row.sealed.p, row.sealed.n, "souk-plan", 9));
	assert_int_equal(plan_row_put(w->tx, STR(SELLER_B), &row, STR("t")), SOUK_OK);
	assert_int_equal(
	    kept_plan_text(w->tx, here.vault, STR(SELLER_B), &id, w->mem, &text), SOUK_E_STORAGE);
	assert_int_equal(kept_plan_rewrap(w->tx, here.vault, &cursor, 2, &changed, &done), SOUK_OK);
	assert_false(done);
	assert_int_equal(
	    kept_plan_rewrap(w->tx, here.vault, &cursor, 100, &changed, &done), SOUK_OK);
	assert_true(done && changed == 0);
	buf_done(&cursor);
}
WORLD_TEST(sealed_plans)

/* ---- runs ---- */

static struct kept_run
start(struct world *w, const struct guid *user, int32_t month, bool simulate)
{
	struct run_request q = { .month = month, .simulate = simulate };
	struct kept_run run;

	assert_int_equal(kept_run_start(w->tx, here.vault, &w->seller, STR(SELLER), user, &q,
			     w->mem, &run, world_fail(w)),
	    SOUK_OK);
	return run;
}

/* As the job leaves it. */
static void
finish(struct world *w, struct kept_run *run, int64_t locks_seen)
{
	run->state = RUN_DONE;
	run->digest = STR("d1");
	run->locks_seen = locks_seen;
	assert_int_equal(run_row_end(w->tx, STR(SELLER), run), SOUK_OK);
	assert_int_equal(run_row_end(w->tx, STR(SELLER), run), SOUK_E_CONFLICT);
}

static enum souk_err
approve(struct world *w, const struct kept_run *run, const struct guid *user, const char *digest)
{
	struct kept_run now;

	return kept_run_approve(w->tx, &w->seller, STR(SELLER), &run->id, user, str_c(digest),
	    w->mem, &now, world_fail(w));
}

#define MONTH (2026 * 12)

static void
approvals(struct world *w)
{
	struct guid fay = user_of(w, SELLER, "fay"), fred = user_of(w, SELLER, "fred");
	struct commission_setting two = { .two_people = true };
	struct run_request again = { .month = MONTH };
	struct kept_run run, twin, next, gone;

	plan(w, SELLER, PLAN(TEAM));
	run = start(w, &fay, MONTH, true);
	finish(w, &run, 0);
	assert_int_equal(approve(w, &run, &fred, "d1"), SOUK_E_CONFLICT);
	assert_code(w, "not_approvable");
	run = start(w, &fay, MONTH, false);
	twin = start(w, &fay, MONTH + 1, false);
	assert_int_equal(approve(w, &run, &fred, ""), SOUK_E_CONFLICT); /* waiting */
	finish(w, &run, 0);
	finish(w, &twin, 0);
	assert_int_equal(approve(w, &run, &fred, "d2"), SOUK_E_INVALID);
	assert_field(w, "digest");
	assert_int_equal(commission_setting_set(w->tx, &w->op, STR(SELLER), 0, &two, world_fail(w)),
	    SOUK_E_NOT_FOUND);
	assert_int_equal(
	    commission_setting_set(w->tx, &w->seller, STR(SELLER), 0, &two, world_fail(w)),
	    SOUK_OK);
	assert_int_equal(approve(w, &run, &fay, "d1"), SOUK_E_CONFLICT);
	assert_code(w, "second_person");
	assert_int_equal(approve(w, &run, &fred, "d1"), SOUK_OK);
	assert_int_equal(approve(w, &run, &fred, "d1"), SOUK_E_CONFLICT);
	assert_int_equal(approve(w, &twin, &fred, "d1"), SOUK_E_CONFLICT);
	assert_code(w, "stale_run");
	assert_int_equal(kept_run_start(w->tx, here.vault, &w->seller, STR(SELLER), &fay, &again,
			     w->mem, &next, world_fail(w)),
	    SOUK_E_CONFLICT);
	assert_code(w, "month_locked");
	next = start(w, &fay, MONTH + 1, false);
	finish(w, &next, 1);
	assert_int_equal(approve(w, &next, &fred, "d1"), SOUK_OK);
	assert_int_equal(
	    kept_run_get(w->tx, STR(SELLER_B), &run.id, w->mem, &gone), SOUK_E_NOT_FOUND);
}
WORLD_TEST(approvals)

int
main(void)
{
	const struct CMUnitTest tests[] = { UNIT(matrix), UNIT(ex_manager),
		UNIT(revoked_and_withdrawn), UNIT(members), UNIT(sealed_plans), UNIT(approvals) };

	return cmocka_run_group_tests(tests, ring_setup, ring_teardown);
}
