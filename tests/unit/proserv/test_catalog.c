/* SPDX-License-Identifier: Apache-2.0 */
/* Kept listings: rows, whole documents, what the marketplace knows, suspension, the gate, waiting change sets. */
#include "unit/market/market_test.h"

#include "base/config.h"
#include "proserv/change.h"
#include "proserv/logo_store.h"
#include "proserv/reviewer.h"
#include "proserv/review_gate.h"

#define DOCUMENT "{\"title\":\"Lift and shift\",\"categories\":[\"Training\"]}"

static struct config *config;

static struct listing_row
make(struct world *w, const char *title)
{
	struct product p = world_product(
	    w, arena_printf(w->mem,
		   "{'sellerId':'" SELLER
		   "','title':'%s','type':'services','pricing':['contract'],'state':'limited'}",
		   title));
	struct listing_row l = { .product_id = p.id,
		.document = STR(DOCUMENT),
		.data_use = STR("{\"accepted\":true,\"date\":\"2020-01-01\",\"version\":\"1\"}"),
		.targeting = STR("[]"),
		.revision = 1,
		.edition = EDITION_G21,
		.due_at = 1,
		.created_at = 1,
		.changed_at = 1 };

	(void)snprintf(l.seller_id, sizeof(l.seller_id), "%s", SELLER);
	assert_int_equal(listing_set_title(&l, p.title, w->mem), SOUK_OK);
	assert_int_equal(listing_row_insert(w->tx, &l), SOUK_OK);
	return l;
}

static struct listing_row
find(struct world *w, const struct guid *id)
{
	struct listing_row l;

	assert_int_equal(listing_row_find(w->tx, STR(SELLER), id, w->mem, &l), SOUK_OK);
	return l;
}

static void
rows(struct world *w)
{
	struct listing_row l = make(w, "Lift and shift"), got;
	bool found = false;

	assert_int_equal(
	    listing_row_find(w->tx, STR(SELLER_B), &l.product_id, w->mem, &got), SOUK_E_NOT_FOUND);
	got = find(w, &l.product_id);
	assert_true(str_eq_c(got.document, DOCUMENT));
	assert_true(str_eq_c(got.product.state, "limited"));
	assert_true(got.seller.active);
	got.revision = 2;
	got.document = STR("{}");
	assert_int_equal(listing_row_update(w->tx, &got, 2, &found), SOUK_OK);
	assert_false(found);
	assert_int_equal(listing_row_update(w->tx, &got, 1, &found), SOUK_OK);
	assert_true(found);
	/* A review that began before a change counts for nothing, nor does a second one beside another. */
	got.standing = STANDING_PASSED;
	assert_int_equal(listing_row_reviewed(w->tx, &got, &found), SOUK_OK);
	assert_false(found);
	got = find(w, &l.product_id);
	got.standing = STANDING_PASSED;
	got.due_at = 5000;
	assert_int_equal(listing_row_reviewed(w->tx, &got, &found), SOUK_OK);
	assert_true(found);
	got.standing = STANDING_BLOCKED;
	assert_int_equal(listing_row_reviewed(w->tx, &got, &found), SOUK_OK);
	assert_false(found);
	got = find(w, &l.product_id);
	assert_int_equal(got.standing, STANDING_PASSED);
	assert_int_equal(got.reviewed_revision, 2);
	/* Only ever earlier. */
	assert_int_equal(listing_row_due(w->tx, STR(SELLER), &l.product_id, 6000), SOUK_OK);
	assert_int_equal(find(w, &l.product_id).due_at, 5000);
	assert_int_equal(listing_row_due(w->tx, STR(SELLER), &l.product_id, 4000), SOUK_OK);
	assert_int_equal(find(w, &l.product_id).due_at, 4000);
}
WORLD_TEST(rows)

static void
whole_document(struct world *w)
{
	struct listing_row l = make(w, "Lift and shift");
	struct listing_offer_row o = { .id = world_guid(SUB_ID),
		.product_id = l.product_id,
		.document = STR("{\"name\":\"N\",\"expires\":\"2026-01-31\"}"),
		.released = true };
	struct buf b = { 0 }, offers = { 0 };
	struct listing doc;
	instant_t last;

	assert_true(instant_parse(STR("2026-01-31T23:59:59Z"), &last));
	l = find(w, &l.product_id);
	buf_add_char(&offers, '[');
	listing_offer_document(&o, 0, last, &offers);
	buf_add_char(&offers, ',');
	listing_offer_document(&o, 0, last + 1000, &offers);
	buf_add_char(&offers, ',');
	listing_offer_document(&o, last, last + 1000, &offers);
	buf_add_char(&offers, ']');
	listing_document(&l, buf_str(&offers), &b);
	assert_int_equal(listing_read(buf_str(&b), w->mem, &doc, world_fail(w)), SOUK_OK);
	assert_true(str_starts(doc.id, STR("prod-")));
	assert_true(str_eq_c(doc.seller.id, SELLER));
	assert_true(doc.seller.data_use_terms.accepted);
	assert_int_equal(doc.visibility, VISIBILITY_LIMITED);
	assert_int_equal(doc.product_state, PRODUCT_ACTIVE);
	assert_true(str_eq_c(doc.title, "Lift and shift"));
	assert_int_equal(doc.n_offers, 3);
	assert_int_equal(doc.offers[0].state, OFFER_RELEASED);
	assert_int_equal(doc.offers[1].state, OFFER_EXPIRED);
	assert_int_equal(doc.offers[2].state, OFFER_ACCEPTED);
	buf_done(&b);
	buf_done(&offers);
}
WORLD_TEST(whole_document)

static void
context(struct world *w)
{
	struct listing_row a = make(w, "Lift and shift");
	struct str named[2];
	struct listing l = { .title = STR("LIFT  and shift"), .associated_products = { named, 2 } };
	struct review_context whole, narrow;
	char id[ENTITY_ID_MAX];

	(void)make(w, "Something else");
	entity_id_write(PRODUCT_PREFIX, &a.product_id, id);
	named[0] = str_c(id);
	named[1] = STR("prod-22222222-2222-4222-8222-222222222222");
	assert_int_equal(listing_context_new(w->tx, config, w->mem, &whole), SOUK_OK);
	assert_true(whole.has_as_of && whole.has_products && whole.has_titles);
	assert_int_equal(whole.n_titles, 2);
	assert_true(whole.n_products > 2); /* the world's own, too */
	assert_non_null(review_context_product(&whole, str_c(id)));
	assert_int_equal(listing_context_for(w->tx, config, &l, w->mem, &narrow), SOUK_OK);
	assert_int_equal(narrow.n_titles, 1);
	assert_true(str_eq_c(narrow.titles[0].listing, id));
	assert_int_equal(narrow.n_products, 1);
	assert_non_null(review_context_product(&narrow, str_c(id)));
	assert_int_equal(narrow.products[0].visibility, VISIBILITY_LIMITED);
	assert_false(narrow.has_categories);
	/* What is removed takes no title. */
	a = find(w, &a.product_id);
	a.removed_at = 1;
	a.revision = 2;
	assert_int_equal(listing_row_update(w->tx, &a, 1, &(bool){ false }), SOUK_OK);
	assert_int_equal(listing_context_for(w->tx, config, &l, w->mem, &narrow), SOUK_OK);
	assert_int_equal(narrow.n_titles, 0);
}
WORLD_TEST(context)

static void
ids(struct world *w)
{
	struct guid g = world_guid(SUB_ID), got;
	char id[ENTITY_ID_MAX];

	(void)w;
	entity_id_write(OFFER_PREFIX, &g, id);
	assert_true(entity_id_parse(OFFER_PREFIX, str_c(id), &got) && guid_eq(&g, &got));
	assert_false(entity_id_parse(PRODUCT_PREFIX, str_c(id), &got));
	assert_false(entity_id_parse(PRODUCT_PREFIX, STR("prod-"), &got));
	assert_false(entity_id_parse(PRODUCT_PREFIX, STR(""), &got));
}
WORLD_TEST(ids)

static enum gate
ask(struct world *w, enum severity s, enum finding_kind k)
{
	struct findings found;
	struct finding one = { .rule = &rules[0], .severity = s, .kind = k };
	static const struct listing nothing;
	struct gate_request q = {
		.seller_id = STR(SELLER), .listing = &nothing, .findings = &found
	};
	enum gate ret = GATE_REJECTED;

	findings_init(&found, w->mem);
	found.v = &one;
	found.n = 1;
	assert_int_equal(review_gate(w->tx, &q, w->mem, &ret, &w->out), SOUK_OK);
	return ret;
}

static void
gate(struct world *w)
{
	assert_int_equal(ask(w, SEVERITY_WARNING, KIND_DETERMINISTIC), GATE_PASS);
	assert_int_equal(ask(w, SEVERITY_WARNING, KIND_HEURISTIC), GATE_WAIT);
	assert_int_equal(ask(w, SEVERITY_INFO, KIND_HUMAN), GATE_WAIT);
}
WORLD_TEST(gate)

/* The reviewer makes its engine once and looks through texts. */
static void
reviewer(struct world *w)
{
	struct reviewer *r = NULL;
	struct listing l = { .support_description =
				 STR("Send your credit card number by e-mail.") };
	struct findings found;
	bool seen = false;

	assert_int_equal(reviewer_new(config, &r), SOUK_OK);
	/* The first one of all has no text. */
	findings_init(&found, w->mem);
	assert_int_equal(
	    reviewer_run(r,
		&(struct review_input){ .listing = &(struct listing){ .sku = STR("") } },
		EDITION_NONE, &found),
	    SOUK_OK);
	for (int i = 0; i < 2; i++) {
		findings_init(&found, w->mem);
		assert_int_equal(
		    reviewer_run(r, &(struct review_input){ .listing = &l }, EDITION_NONE, &found),
		    SOUK_OK);
		for (size_t k = 0; k < found.n; k++)
			seen |= strcmp(found.v[k].rule->id, "PS-CUST-02") == 0;
		assert_true(seen && findings_block(&found));
	}
	reviewer_free(r);
}
WORLD_TEST(reviewer)

static void
resume(struct world *w)
{
	struct change_set_row c = { .id = world_guid(SUB_ID),
		.actor = STR("test"),
		.name = STR("N"),
		.waiting = true,
		.changes = STR("[]"),
		.started_at = 1 };
	struct job_depth depth;

	(void)snprintf(c.seller_id, sizeof(c.seller_id), "%s", SELLER);
	(void)snprintf(c.account_id, sizeof(c.account_id), "%s", SELLER);
	assert_int_equal(change_set_row_insert(w->tx, &c), SOUK_OK);
	for (int i = 0; i < 2; i++) /* the second time it does not wait */
		assert_int_equal(change_set_resume(w->tx, STR(SELLER), &c.id), SOUK_OK);
	assert_int_equal(job_depth(w->tx, &depth), SOUK_OK);
	assert_int_equal(depth.waiting, 1);
	assert_int_equal(change_set_row_find(w->tx, STR(SELLER), &c.id, w->mem, &c), SOUK_OK);
	assert_false(c.waiting);
}
WORLD_TEST(resume)

static struct guid over_id, sub_id;
static instant_t logo_since;

/* In force since then. */
static void
give_logo(struct world *w, const struct guid *product_id)
{
	struct logo_row l = {
		.product_id = *product_id, .change_set_id = { { 1 } }, .url = STR("u")
	};

	memcpy(l.seller_id, SELLER, ACCOUNT_ID_LEN);
	assert_int_equal(logo_row_put(w->tx, &l), SOUK_OK);
	assert_int_equal(logo_rows_enforce(w->tx, STR(SELLER), &l.change_set_id), SOUK_OK);
	logo_since = db_now(w->tx);
}

static void
restrict_sold(struct world *w)
{
	struct listing_row l = make(w, "Going");
	struct subscription s;
	struct product p;
	char id[GUID_TEXT_LEN + 1];

	over_id = l.product_id;
	guid_format(&over_id, id);
	s = world_subscription(w,
	    arena_printf(w->mem, "{'productId':'%s','buyerId':'" BUYER "','kind':'contract'}", id));
	sub_id = s.id;
	assert_int_equal(product_get(w->tx, &w->op, &over_id, w->mem, &p), SOUK_OK);
	p.state = STR("restricted");
	assert_int_equal(product_change(w->tx, &w->op, &p, 0, world_fail(w)), SOUK_OK);
	s.id = (struct guid){ 0 };
	assert_int_equal(subscription_create(w->tx, &w->op, &s, world_fail(w)), SOUK_E_CONFLICT);
	assert_code(w, "product_restricted");
	give_logo(w, &over_id);
}

static void
end_subscription(struct world *w)
{
	struct subscription s = { .id = sub_id };
	bool already;

	assert_int_equal(
	    subscription_mark_ended(w->tx, &w->op, &s, db_now(w->tx), &already), SOUK_OK);
}

static void
is_removed(struct world *w)
{
	struct guid after = { { 0 } };
	struct db_stmt *st;
	bool row;

	assert_true(find(w, &over_id).removed_at != 0);
	st = listing_rows_of(w->tx, STR(SELLER), &after, 10);
	assert_int_equal(db_step(st, &row), SOUK_OK);
	assert_false(row);
	/* Who keeps all logos in memory sees that it went. */
	st = logo_rows_changed(w->tx, logo_since);
	assert_true(db_step(st, &row) == SOUK_OK && row && db_int(st, 3) == 0);
	db_reset(st);
}

/* Who subscribes keeps it; once nobody does, it is gone. */
static void
run_removed_at_last(void **state)
{
	struct world *w = *state;
	int64_t n = -1;

	world_run(state, restrict_sold);
	clock_sleep_ms(2);
	assert_int_equal(listings_remove_over(w->db, &n), SOUK_OK);
	assert_int_equal(n, 0);
	world_run(state, end_subscription);
	assert_int_equal(listings_remove_over(w->db, &n), SOUK_OK);
	assert_int_equal(n, 1);
	assert_int_equal(listings_remove_over(w->db, &n), SOUK_OK);
	assert_int_equal(n, 0);
	world_run(state, is_removed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT(rows),
		UNIT(whole_document),
		UNIT(context),
		UNIT(ids),
		UNIT(gate),
		UNIT(reviewer),
		UNIT(resume),
		UNIT(removed_at_last),
	};
	struct fail f = { .err = SOUK_OK };
	int failed;

	if (config_load("/nonexistent", &config, &f) != SOUK_OK)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	config_free(config);
	return failed;
}
