/* SPDX-License-Identifier: Apache-2.0 */
/* Change sets: what is refused when they are read, and how the gate's answers let them go on. */
#include "unit/market/market_test.h"

#include "audit/audit.h"
#include "proserv/change_int.h"
#include "proserv/review_gate.h"

#include <unistd.h>

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

static void
work(struct world *w, size_t want)
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
	ctx = (struct change_job_ctx){ .reviewer = reviewer };
	assert_int_equal(job_run_due(w->db, &kind, 1, 3, &ctx, &ran), SOUK_OK);
	assert_int_equal(ran, want);
	reviewer_free(reviewer);
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
	};
	struct fail f = { .err = SOUK_OK };
	int failed;

	if (config_load("/nonexistent", &config, &f) != SOUK_OK)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	config_free(config);
	return failed;
}
