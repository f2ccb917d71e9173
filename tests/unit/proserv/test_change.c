/* SPDX-License-Identifier: Apache-2.0 */
/* Change sets: what is refused when they are read, and how the gate's answers let them go on. */
#include "unit/market/market_test.h"

#include "audit/audit.h"
#include "proserv/change_int.h"
#include "proserv/logo_store.h"
#include "proserv/review_gate.h"

#include <unistd.h>

#define TRIES 3

static struct config *config;
static enum gate answer;
static unsigned asked;

/* In the place of people. */
enum souk_err
__wrap_review_gate(struct db_tx *tx, const struct gate_request *q, struct arena *mem,
    enum gate *ret, struct buf *reasons)
{
	(void)tx;
	(void)mem;
	assert_true(str_eq_c(q->seller_id, SELLER));
	assert_false(findings_block(q->findings));
	assert_true(q->findings->n > 0);
	asked++;
	*ret = answer;
	if (answer == GATE_REJECTED)
		buf_add_c(reasons, "The terms are not clear");
	return SOUK_OK;
}

/* The audit wants an installation; what is appended is its own tests' business. */
enum souk_err
__wrap_audit_append(struct db_tx *tx, const struct vault *v, const struct audit_entry *e)
{
	(void)tx;
	(void)v;
	assert_true(str_eq_c(e->seller_id, SELLER));
	return SOUK_OK;
}

static enum logo_fetched fetch_says;
static unsigned fetches;
static void (*meanwhile)(void);

/* In the place of the network; what else happens meanwhile. */
enum logo_fetched
__wrap_logo_fetch(
    struct logo_fetcher *f, const char *url, struct buf *out, char reason[static LOGO_REASON_MAX])
{
	(void)f;
	assert_string_equal(url, "https://logos.s3.eu-central-1.amazonaws.com/l.png");
	fetches++;
	if (meanwhile)
		meanwhile();
	(void)snprintf(reason, LOGO_REASON_MAX, "HTTP status 503");
	if (fetch_says == LOGO_FETCHED)
		buf_add_c(out, "no image");
	return fetch_says;
}

/* ---- reading --------------------------------------------------------------------------- */

static const struct {
	const char *field; /* "" fine */
	const char *text;
} requests[] = {
#define ONE(change) "{'Catalog':'AWSMarketplace','ChangeSet':[" change "]}"
#define NEW                                                                                        \
	"{'ChangeType':'CreateProduct','Entity':{'Type':'ProfessionalServicesProduct@1.0'},'"      \
	"DetailsDocument':{}"
#define OLD(details)                                                                               \
	"{'ChangeType':'UpdateInformation','Entity':{'Type':'ProfessionalServicesProduct@1.0',"    \
	"'Identifier':'prod-" SUB_ID "'}," details "}"
	{ "", ONE(NEW "}") },
	{ "", ONE(OLD("'Details':'{}'")) },
	{ "", ONE(NEW ",'ChangeName':'a'},{'ChangeType':'UpdateInformation','Entity':{'Type':"
		      "'ProfessionalServicesProduct@1.0','Identifier':'$a.Entity.Identifier'},"
		      "'DetailsDocument':{}}") },
	{ "body", "[]" },
	{ "Catalog", "{'ChangeSet':[" NEW "}]}" },
	{ "Catalog", "{'Catalog':7,'ChangeSet':[" NEW "}]}" },
	{ "Catalog", "{'Catalog':'Mine','ChangeSet':[" NEW "}]}" },
	{ "ChangeSet", "{'Catalog':'AWSMarketplace'}" },
	{ "ChangeSet", "{'Catalog':'AWSMarketplace','ChangeSet':{}}" },
	{ "ChangeSet", ONE("") },
	{ "ChangeSet[0].", ONE("7") },
	{ "ChangeSet[1].", ONE(NEW "},null") },
	{ "ChangeSet[0].ChangeType", ONE("{'Entity':{},'DetailsDocument':{}}") },
	{ "ChangeSet[0].ChangeType",
	    ONE("{'ChangeType':7,'Entity':{'Type':'Offer@1.0'},'DetailsDocument':{}}") },
	{ "ChangeSet[0].ChangeType",
	    ONE("{'ChangeType':'SetDocument','Entity':{'Type':'ProfessionalServicesProduct@1.0','"
		"Identifier':'prod-" SUB_ID "'},'DetailsDocument':{}}") },
	{ "ChangeSet[0].ChangeType",
	    ONE("{'ChangeType':'ReleaseProduct','Entity':{'Type':'Offer@1.0','Identifier':'"
		"offer-" SUB_ID "'},'DetailsDocument':{}}") },
	{ "ChangeSet[0].Entity",
	    ONE("{'ChangeType':'CreateProduct','Entity':'x','DetailsDocument':{}}") },
	{ "ChangeSet[0].Entity.Type",
	    ONE("{'ChangeType':'CreateProduct','Entity':{},'DetailsDocument':{}}") },
	{ "ChangeSet[0].Entity.Type", ONE("{'ChangeType':'CreateProduct','Entity':{'Type':'"
					  "ProfessionalServicesProduct'},'DetailsDocument':{}}") },
	{ "ChangeSet[0].Entity.Colour", ONE("{'ChangeType':'CreateProduct','Entity':{'Type':'Offer@"
					    "1.0','Colour':1},'DetailsDocument':{}}") },
	{ "ChangeSet[0].Entity.Identifier",
	    ONE("{'ChangeType':'UpdateInformation','Entity':{'Type':'Offer@1.0','Identifier':'"
		"prod-" SUB_ID "'},'DetailsDocument':{}}") },
	{ "ChangeSet[0].Entity.Identifier",
	    ONE("{'ChangeType':'UpdateInformation','Entity':{'Type':'Offer@1.0','Identifier':'"
		"offer-" SUB_ID "@0'},'DetailsDocument':{}}") },
	{ "ChangeSet[0].Entity.Identifier",
	    ONE("{'ChangeType':'UpdateInformation','Entity':{'Type':'Offer@1.0','Identifier':'"
		"offer-" SUB_ID "@x'},'DetailsDocument':{}}") },
	{ "ChangeSet[0].Details", ONE(OLD("'Details':7")) },
	{ "ChangeSet[0].Details", ONE(OLD("'Details':'nothing'")) },
	{ "ChangeSet[0].Details", ONE(OLD("'Details':'7'")) },
	{ "ChangeSet[0].DetailsDocument", ONE(OLD("'DetailsDocument':'{}'")) },
	{ "ChangeSet[0].Details", ONE(OLD("'Details':'{}','DetailsDocument':{}")) },
	{ "ChangeSet[0].Details", ONE(OLD("'Details':null")) },
	{ "ChangeSet[0].ChangeName", ONE(NEW ",'ChangeName':''}") },
	{ "ChangeSet[0].ChangeName", ONE(NEW ",'ChangeName':'a b'}") },
	{ "ChangeSet[0].ChangeName", ONE(NEW ",'ChangeName':7}") },
	{ "ChangeSet[1].ChangeName", ONE(NEW ",'ChangeName':'a'}," NEW ",'ChangeName':'a'}") },
	{ "ChangeSet[0].EntityTags", ONE(NEW ",'EntityTags':[{'Key':'a'}]}") },
	{ "ChangeSet[0].EntityTags",
	    ONE(OLD("'EntityTags':[{'Key':'a','Value':''}],'DetailsDocument':{}")) },
	{ "ChangeSet[1].ChangeType",
	    ONE(OLD("'DetailsDocument':{}") "," OLD("'DetailsDocument':{}")) },
	{ "ChangeSet[0].Details",
	    ONE(OLD("'DetailsDocument':{'a':[{'b':'$x.Entity.Identifier'}]}")) },
	{ "ChangeSet[0].Entity.Identifier",
	    ONE(NEW ",'ChangeName':'a','DetailsDocument':{'x':'$b.Entity.Identifier'}}," NEW
		    ",'ChangeName':'b','DetailsDocument':{'x':'$c.Entity.Identifier'}}," NEW
		    ",'ChangeName':'c','DetailsDocument':{'x':'$a.Entity.Identifier'}}") },
	{ "ChangeSetName",
	    "{'Catalog':'AWSMarketplace','ChangeSetName':' ','ChangeSet':[" NEW "}]}" },
	{ "ClientRequestToken",
	    "{'Catalog':'AWSMarketplace','ClientRequestToken':'a b','ChangeSet':[" NEW "}]}" },
	{ "Intent", "{'Catalog':'AWSMarketplace','Intent':'apply','ChangeSet':[" NEW "}]}" },
	{ "Intent", "{'Catalog':'AWSMarketplace','Intent':true,'ChangeSet':[" NEW "}]}" },
	{ "ChangeSetTags",
	    "{'Catalog':'AWSMarketplace','ChangeSetTags':[],'ChangeSet':[" NEW "}]}" },
};

static void
reading(struct world *w)
{
	struct change_request *q = ARENA_NEW(w->mem, struct change_request);

	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		bool fine = requests[i].field[0] == '\0';
		char *text = arena_strdup(w->mem, requests[i].text), *twice;
		enum souk_err r;

		/* The members of NEW that are given again: the later ones count. */
		while ((twice = strstr(text, "'DetailsDocument':{},'ChangeName':'")) &&
		       strstr(twice, "'x':'$"))
			memset(twice, ' ', strlen("'DetailsDocument':{},"));
		r = change_request_read(world_json(w, text), w->mem, q, world_fail(w));
		if (r != (fine ? SOUK_OK : SOUK_E_INVALID))
			fail_msg(
			    "%s: %s %s", requests[i].text, souk_err_word(r), w->f.entry[0].field);
		if (!fine)
			assert_field(w, requests[i].field);
	}
}
WORLD_TEST(reading)

static void
references(struct world *w)
{
	struct change_request *q = ARENA_NEW(w->mem, struct change_request);
	char id[ENTITY_ID_MAX];
	json_t *body = world_json(w, ONE(NEW ",'ChangeName':'a'}," OLD("'Details':'{}'")));

	json_object_set_new(json_array_get(json_object_get(body, "ChangeSet"), 1), "Details",
	    json_string("{\"ProductTitle\":\"$a.Entity.Identifier\",\"Sku\":\"$a.Entity\"}"));
	assert_int_equal(change_request_read(body, w->mem, q, world_fail(w)), SOUK_OK);
	entity_id_write(PRODUCT_PREFIX, &q->v[0].entity_id, id);
	assert_string_equal(
	    json_string_value(json_object_get(q->v[1].details, "ProductTitle")), id);
	assert_string_equal(
	    json_string_value(json_object_get(q->v[1].details, "Sku")), "$a.Entity");
	assert_true(q->v[1].was_text && !q->v[0].was_text);
}
WORLD_TEST(references)

/* ---- going on -------------------------------------------------------------------------- */

/* A limited product that nothing blocks. */
#define DOCUMENT                                                                                   \
	"{\"title\":\"Warehouse Lift\",\"short_description\":\"We move a warehouse.\","            \
	"\"long_description\":\"Value, see https://docs.example.com/x. Additional AWS "            \
	"infrastructure charges are the customer's.\",\"support_description\":\"By e-mail.\","     \
	"\"logo\":{\"url\":\"https://logos.s3.eu-central-1.amazonaws.com/l.png\"},"                \
	"\"highlights\":[\"One\"],\"categories\":[\"Training\"],\"associated_products\":[{"        \
	"\"id\":\"prod-" PRODUCT_ID                                                                \
	"\"}],\"dimensions\":[{\"key\":\"a\",\"name\":\"A\",\"description\":\"A\"}],"              \
	"\"landing_page\":{\"contacts\":[{\"kind\":\"email\",\"value\":\"a@example.com\"}]},"      \
	"\"terms\":{\"kind\":\"url\",\"value\":\"https://www.example.com/terms\"}}"

static struct guid product, set;

static void
begin(struct world *w)
{
	struct product p =
	    world_product(w, "{'sellerId':'" SELLER "','title':'Warehouse "
			     "Lift','type':'services','pricing':['contract'],'state':'limited'}");
	struct listing_row l = { .product_id = p.id,
		.document = STR(DOCUMENT),
		.data_use = STR("{\"accepted\":true,\"date\":\"2020-01-01\",\"version\":\"1\"}"),
		.targeting = STR("[]"),
		.revision = 1,
		.edition = EDITION_G21,
		.created_at = 1,
		.changed_at = 1 };
	struct guid lake;
	struct account a;

	product = p.id;
	lake = world_guid(PRODUCT_ID);
	assert_int_equal(product_get(w->tx, &w->op, &lake, w->mem, &p), SOUK_OK);
	p.state = STR("public");
	assert_int_equal(product_change(w->tx, &w->op, &p, 0, world_fail(w)), SOUK_OK);
	(void)snprintf(l.seller_id, sizeof(l.seller_id), "%s", SELLER);
	assert_int_equal(listing_row_insert(w->tx, &l), SOUK_OK);
	assert_int_equal(account_get(w->tx, &w->op, STR(SELLER), w->mem, &a), SOUK_OK);
	a.paid_seller = true;
	assert_int_equal(account_change(w->tx, &w->op, &a, 0, world_fail(w)), SOUK_OK);
}

static void
ask_public(struct world *w)
{
	struct change_request *q = ARENA_NEW(w->mem, struct change_request);
	char id[ENTITY_ID_MAX];
	char *text;

	entity_id_write(PRODUCT_PREFIX, &product, id);
	text = arena_printf(w->mem,
	    ONE("{'ChangeType':'UpdateVisibility','Entity':{'Type':'ProfessionalServicesProduct@1."
		"0',"
		"'Identifier':'%s'},'DetailsDocument':{'TargetVisibility':'Public'}}"),
	    id);
	assert_int_equal(
	    change_request_read(world_json(w, text), w->mem, q, world_fail(w)), SOUK_OK);
	assert_int_equal(change_set_start(w->tx, &w->seller, q, &(struct change_limits){ 5 },
			     w->mem, &set, world_fail(w)),
	    SOUK_OK);
}

static void
resume(struct world *w)
{
	assert_int_equal(change_set_resume(w->tx, STR(SELLER), &set), SOUK_OK);
}

/* With a fetcher (never looked into) or without. */
static size_t
work_with(struct world *w, void *fetcher)
{
	struct reviewer *reviewer = NULL;
	struct change_job_ctx ctx;
	static const struct job_kind kind = { .kind = CHANGE_SET_JOB,
		.metric = 0,
		.backoff_ms = 1,
		.backoff_max_ms = 1,
		.lease_ms = MINUTE_MS,
		.run = proserv_job_change_set,
		.dead = proserv_job_change_set_dead };
	size_t ran = 0;

	assert_int_equal(reviewer_new(config, &reviewer), SOUK_OK);
	ctx = (struct change_job_ctx){ .reviewer = reviewer, .logos = fetcher };
	assert_int_equal(job_run_due(w->db, &kind, 1, TRIES, &ctx, &ran), SOUK_OK);
	reviewer_free(reviewer);
	return ran;
}

static void
work(struct world *w, size_t want)
{
	assert_int_equal(work_with(w, NULL), want);
}

static const char *want_state, *want_code;
static enum change_status want_status;
static bool want_waiting;

static void
look(struct world *w)
{
	struct change_request *q = ARENA_NEW(w->mem, struct change_request);
	struct change_set_row row;
	struct product p;
	json_t *kept;

	assert_int_equal(change_set_get(w->tx, &w->seller, &set, w->mem, &row), SOUK_OK);
	assert_int_equal(json_read(row.changes, &kept, NULL), SOUK_OK);
	assert_int_equal(changes_read(kept, w->mem, q), SOUK_OK);
	assert_int_equal(row.status, want_status);
	assert_int_equal(row.waiting, want_waiting);
	if (want_code)
		assert_string_equal(q->v[0].n_errors ? q->v[0].errors[0].code : "none", want_code);
	assert_int_equal(product_get(w->tx, &w->op, &product, w->mem, &p), SOUK_OK);
	assert_true(str_eq_c(p.state, want_state));
	json_decref(kept);
}

static void
expect(void **state, enum change_status status, bool waiting, const char *product_state,
    const char *code)
{
	want_status = status;
	want_waiting = waiting;
	want_state = product_state;
	want_code = code;
	world_run(state, look);
}

static void
run_gate_passes(void **state)
{
	world_run(state, begin);
	world_run(state, ask_public);
	answer = GATE_PASS;
	work(*state, 1);
	expect(state, CHANGE_SUCCEEDED, false, "public", NULL);
}

static void
run_gate_waits(void **state)
{
	world_run(state, begin);
	world_run(state, ask_public);
	answer = GATE_WAIT;
	asked = 0;
	work(*state, 1);
	expect(state, CHANGE_PREPARING, true, "limited", NULL);
	work(*state, 0); /* nothing polls */
	assert_int_equal(asked, 1);
	world_run(state, resume);
	world_run(state, resume);
	work(*state, 1);
	expect(state, CHANGE_PREPARING, true, "limited", NULL);
	world_run(state, resume);
	answer = GATE_PASS;
	work(*state, 1);
	expect(state, CHANGE_SUCCEEDED, false, "public", NULL);
	assert_int_equal(asked, 3);
}

static void
run_gate_rejects(void **state)
{
	world_run(state, begin);
	world_run(state, ask_public);
	answer = GATE_REJECTED;
	work(*state, 1);
	expect(state, CHANGE_FAILED, false, "limited", "REVIEW_REJECTED");
	/* Nothing is locked any more. */
	world_run(state, ask_public);
	answer = GATE_PASS;
	work(*state, 1);
	expect(state, CHANGE_SUCCEEDED, false, "public", NULL);
}

static void
cancel(struct world *w)
{
	struct change_set_row row;

	assert_int_equal(change_set_cancel(w->tx, &w->seller_b, &set, w->mem, &row, world_fail(w)),
	    SOUK_E_NOT_FOUND);
	assert_int_equal(
	    change_set_cancel(w->tx, &w->seller, &set, w->mem, &row, world_fail(w)), SOUK_OK);
}

/* Decided when the seller no longer wants it. */
static void
run_cancelled_while_waiting(void **state)
{
	world_run(state, begin);
	world_run(state, ask_public);
	answer = GATE_WAIT;
	work(*state, 1);
	world_run(state, cancel);
	world_run(state, resume);
	work(*state, 0);
	expect(state, CHANGE_CANCELLED, false, "limited", NULL);
}

/* Cancelled before the job had its turn: the job ends, the set stays as it is. */
static void
run_cancelled_at_once(void **state)
{
	world_run(state, begin);
	world_run(state, ask_public);
	world_run(state, cancel);
	answer = GATE_PASS;
	work(*state, 1);
	expect(state, CHANGE_CANCELLED, false, "limited", NULL);
}

static void
fail_product(struct world *w)
{
	struct listing_row l;
	bool found = false;

	/* What the set leans on changes after it was tried: the title is gone. */
	assert_int_equal(listing_row_find(w->tx, STR(SELLER), &product, w->mem, &l), SOUK_OK);
	l.document = STR("{}");
	l.revision = 2;
	assert_int_equal(listing_row_update(w->tx, &l, 1, &found), SOUK_OK);
	assert_true(found);
}

static void
set_applying(struct world *w)
{
	struct change_set_row row;
	bool found = false;

	assert_int_equal(change_set_row_find(w->tx, STR(SELLER), &set, w->mem, &row), SOUK_OK);
	row.status = CHANGE_APPLYING;
	assert_int_equal(change_set_row_update(w->tx, &row, CHANGE_PREPARING, &found), SOUK_OK);
	assert_true(found);
}

/* As a process left it that died between the two steps. */
static void
run_died_while_applying(void **state)
{
	world_run(state, begin);
	world_run(state, ask_public);
	world_run(state, set_applying);
	answer = GATE_REJECTED; /* not asked again */
	work(*state, 1);
	expect(state, CHANGE_SUCCEEDED, false, "public", NULL);
}

static void
run_found_at_fault_while_applying(void **state)
{
	world_run(state, begin);
	world_run(state, ask_public);
	world_run(state, set_applying);
	world_run(state, fail_product);
	work(*state, 1);
	expect(state, CHANGE_FAILED, false, "limited", NULL);
}

/* ---- logos ----------------------------------------------------------------------------- */

static struct world *racing;

static enum souk_err
cancel_tx(struct db_tx *tx, void *arg)
{
	struct world *w = arg;
	struct change_set_row row;

	return change_set_cancel(tx, &w->seller, &set, w->mem, &row, world_fail(w));
}

static void
cancel_meanwhile(void)
{
	meanwhile = NULL;
	assert_int_equal(db_write(racing->db, cancel_tx, racing), SOUK_OK);
}

static bool want_logo;

static void
look_for_logo(struct world *w)
{
	struct logo_row l;

	assert_int_equal(logo_row_find(w->tx, STR(SELLER), &product, &set, w->mem, &l),
	    want_logo ? SOUK_OK : SOUK_E_NOT_FOUND);
}

static void
begin_fetching(void **state, enum logo_fetched says)
{
	world_run(state, begin);
	world_run(state, ask_public);
	answer = GATE_PASS;
	fetch_says = says;
	fetches = 0;
}

static void
run_logo_is_none(void **state)
{
	begin_fetching(state, LOGO_FETCHED);
	assert_int_equal(work_with(*state, &fetches), 1);
	assert_int_equal(fetches, 1);
	expect(state, CHANGE_FAILED, false, "limited", "PS_DET_08");
	want_logo = false;
	world_run(state, look_for_logo);
}

/* What is fetched by then is not kept for a set that has ended. */
static void
run_cancelled_while_fetching(void **state)
{
	begin_fetching(state, LOGO_FETCHED);
	racing = *state;
	meanwhile = cancel_meanwhile;
	for (size_t ran = 1; ran > 0 || fetches == 0; (void)usleep(5000))
		ran = work_with(*state, &fetches);
	assert_int_equal(fetches, 1);
	expect(state, CHANGE_CANCELLED, false, "limited", NULL);
	want_logo = false;
	world_run(state, look_for_logo);
}

static void
run_address_is_away(void **state)
{
	begin_fetching(state, LOGO_LATER);
	for (int i = 0; fetches < TRIES && i < 1000; i++, (void)usleep(2000)) {
		expect(state, CHANGE_PREPARING, false, "limited", NULL);
		(void)work_with(*state, &fetches);
	}
	assert_int_equal(fetches, TRIES);
	expect(state, CHANGE_FAILED, false, "limited", "PS_DET_07");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT(reading),
		UNIT(references),
		UNIT(gate_passes),
		UNIT(gate_waits),
		UNIT(gate_rejects),
		UNIT(cancelled_while_waiting),
		UNIT(cancelled_at_once),
		UNIT(died_while_applying),
		UNIT(found_at_fault_while_applying),
		UNIT(logo_is_none),
		UNIT(cancelled_while_fetching),
		UNIT(address_is_away),
	};
	struct fail f = { .err = SOUK_OK };
	int failed;

	if (config_load("/nonexistent", &config, &f) != SOUK_OK ||
	    config_set(config, SET_JOB_ATTEMPTS, "3", &f) != SOUK_OK)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	config_free(config);
	return failed;
}
