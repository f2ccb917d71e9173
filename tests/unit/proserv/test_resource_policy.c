/* SPDX-License-Identifier: Apache-2.0 */
/* Resource policies: what is refused and where, what others see by one, and what stays the owner's. */
#include "unit/market/market_test.h"

#include "proserv/entity.h"
#include "proserv/resource_policy.h"

#define ARN                                                                                        \
	"arn:aws:aws-marketplace:us-east-1:" SELLER                                                \
	":AWSMarketplace/ProfessionalServicesProduct/prod-" PRODUCT_ID
#define OTHER_ARN                                                                                  \
	"arn:aws:aws-marketplace:us-east-1:" SELLER                                                \
	":AWSMarketplace/ProfessionalServicesProduct/prod-" SUB_ID
#define ACTION(a) "'aws-marketplace:" a "'"
#define DOCUMENT_OF(statement) "{'Version':'2012-10-17','Statement':[" statement "]}"
#define STATEMENT(principal, action, resource)                                                     \
	"{'Effect':'Allow','Principal':" principal ",'Action':" action ",'Resource':" resource "}"
#define FINE STATEMENT("{'AWS':'" SELLER_B "'}", ACTION("DescribeEntity"), "'" ARN "'")

/* ---- reading --------------------------------------------------------------------------- */

static enum souk_err
read_text(struct world *w, const char *text, struct resource_policy *ret)
{
	char *quoted = arena_strdup(w->mem, text);

	for (char *p = quoted; *p; p++)
		if (*p == '\'')
			*p = '"';
	return resource_policy_read(str_c(quoted), STR(ARN), w->mem, ret, world_fail(w));
}

static void
reads(struct world *w)
{
	struct resource_policy p = { .n = 99 };

	assert_int_equal(read_text(w, DOCUMENT_OF(FINE), &p), SOUK_OK);
	assert_int_equal(p.n, 1);
	assert_string_equal(p.v[0].account, SELLER_B);
	assert_true(p.v[0].may[SHARED_DESCRIBE]);
	assert_false(p.v[0].may[SHARED_LIST]);
	/* An account once, with what all statements allow; action names are without case. */
	assert_int_equal(read_text(w,
			     "{'Id':'x','Statement':[" FINE
			     "," STATEMENT("{'AWS':['" BUYER "','arn:aws:iam::" SELLER_B ":root']}",
				 "['AWS-marketplace:listentities']", "['" ARN "']") "]}",
			     &p),
	    SOUK_OK);
	assert_int_equal(p.n, 2);
	assert_true(p.v[0].may[SHARED_DESCRIBE] && p.v[0].may[SHARED_LIST]);
	assert_string_equal(p.v[1].account, BUYER);
	assert_true(!p.v[1].may[SHARED_DESCRIBE] && p.v[1].may[SHARED_LIST]);
}
WORLD_TEST(reads)

/* Each with the place that the refusal names. */
static const struct {
	const char *text, *field;
} bad[] = {
	{ "", "Policy" },
	{ "{", "Policy" },
	{ "[]", "Policy" },
	{ "'text'", "Policy" },
	{ "{'Statement':[" FINE "],'Statement':[]}", "Policy" },
	{ "{}", "Policy.Statement" },
	{ DOCUMENT_OF(""), "Policy.Statement" },
	{ "{'Statement':{}}", "Policy.Statement" },
	{ "{'Version':'2008-10-17','Statement':[" FINE "]}", "Policy.Version" },
	{ "{'Version':7,'Statement':[" FINE "]}", "Policy.Version" },
	{ "{'Colour':'red','Statement':[" FINE "]}", "Policy.Colour" },
	{ DOCUMENT_OF("7"), "Policy.Statement[0]" },
	{ DOCUMENT_OF(FINE ",'x'"), "Policy.Statement[1]" },
	{ DOCUMENT_OF("{'Effect':'Deny','Principal':{'AWS':'" SELLER_B
		      "'},'Action':" ACTION("ListEntities") ",'Resource':'" ARN "'}"),
	    "Policy.Statement[0].Effect" },
	{ DOCUMENT_OF("{'Principal':{'AWS':'" SELLER_B
		      "'},'Action':" ACTION("ListEntities") ",'Resource':'" ARN "'}"),
	    "Policy.Statement[0].Effect" },
	{ DOCUMENT_OF("{'Effect':'Allow','Principal':{'AWS':'" SELLER_B "'},'Action':" ACTION(
	      "ListEntities") ",'Resource':'" ARN "','Condition':{}}"),
	    "Policy.Statement[0].Condition" },
	{ DOCUMENT_OF("{'Effect':'Allow','NotPrincipal':{'AWS':'" SELLER_B
		      "'},'Action':" ACTION("ListEntities") ",'Resource':'" ARN "'}"),
	    "Policy.Statement[0].NotPrincipal" },
	/* Principals. */
	{ DOCUMENT_OF(STATEMENT("'*'", ACTION("ListEntities"), "'" ARN "'")),
	    "Policy.Statement[0].Principal" },
	{ DOCUMENT_OF(STATEMENT("{'AWS':'*'}", ACTION("ListEntities"), "'" ARN "'")),
	    "Policy.Statement[0].Principal" },
	{ DOCUMENT_OF(STATEMENT("{'AWS':[]}", ACTION("ListEntities"), "'" ARN "'")),
	    "Policy.Statement[0].Principal" },
	{ DOCUMENT_OF(STATEMENT("{'AWS':7}", ACTION("ListEntities"), "'" ARN "'")),
	    "Policy.Statement[0].Principal" },
	{ DOCUMENT_OF(STATEMENT("{'AWS':'12345678901'}", ACTION("ListEntities"), "'" ARN "'")),
	    "Policy.Statement[0].Principal" },
	{ DOCUMENT_OF(STATEMENT("{'AWS':'1234567890123'}", ACTION("ListEntities"), "'" ARN "'")),
	    "Policy.Statement[0].Principal" },
	{ DOCUMENT_OF(STATEMENT(
	      "{'AWS':'arn:aws:iam::" SELLER_B ":user/x'}", ACTION("ListEntities"), "'" ARN "'")),
	    "Policy.Statement[0].Principal" },
	{ DOCUMENT_OF(
	      STATEMENT("{'Service':'ram.amazonaws.com'}", ACTION("ListEntities"), "'" ARN "'")),
	    "Policy.Statement[0].Principal" },
	{ DOCUMENT_OF(FINE
	      "," STATEMENT("{'AWS':['" SELLER_B "','x']}", ACTION("ListEntities"), "'" ARN "'")),
	    "Policy.Statement[1].Principal" },
	{ DOCUMENT_OF(STATEMENT(
	      "{'AWS':'" SELLER_B "','Federated':'x'}", ACTION("ListEntities"), "'" ARN "'")),
	    "Policy.Statement[0].Principal" },
	/* Actions. */
	{ DOCUMENT_OF(STATEMENT("{'AWS':'" SELLER_B "'}", ACTION("StartChangeSet"), "'" ARN "'")),
	    "Policy.Statement[0].Action" },
	{ DOCUMENT_OF(STATEMENT("{'AWS':'" SELLER_B "'}", ACTION("*"), "'" ARN "'")),
	    "Policy.Statement[0].Action" },
	{ DOCUMENT_OF(STATEMENT("{'AWS':'" SELLER_B "'}", "'*'", "'" ARN "'")),
	    "Policy.Statement[0].Action" },
	{ DOCUMENT_OF(STATEMENT("{'AWS':'" SELLER_B "'}", "'DescribeEntity'", "'" ARN "'")),
	    "Policy.Statement[0].Action" },
	{ DOCUMENT_OF(STATEMENT("{'AWS':'" SELLER_B "'}", "[]", "'" ARN "'")),
	    "Policy.Statement[0].Action" },
	{ DOCUMENT_OF(STATEMENT("{'AWS':'" SELLER_B "'}", "[7]", "'" ARN "'")),
	    "Policy.Statement[0].Action" },
	/* Resources. */
	{ DOCUMENT_OF(STATEMENT("{'AWS':'" SELLER_B "'}", ACTION("ListEntities"), "'*'")),
	    "Policy.Statement[0].Resource" },
	{ DOCUMENT_OF(
	      STATEMENT("{'AWS':'" SELLER_B "'}", ACTION("ListEntities"), "'" OTHER_ARN "'")),
	    "Policy.Statement[0].Resource" },
	{ DOCUMENT_OF(STATEMENT(
	      "{'AWS':'" SELLER_B "'}", ACTION("ListEntities"), "['" ARN "','" OTHER_ARN "']")),
	    "Policy.Statement[0].Resource" },
};

static void
refuses(struct world *w)
{
	struct resource_policy p = { .n = 99 };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (read_text(w, bad[i].text, &p) != SOUK_E_INVALID)
			fail_msg("taken: %s", bad[i].text);
		assert_field(w, bad[i].field);
	}
	assert_int_equal(p.n, 99); /* left as it was */
	/* The action is named, but nothing that is no word of an action. */
	(void)read_text(w,
	    DOCUMENT_OF(STATEMENT("{'AWS':'" SELLER_B "'}", ACTION("StartChangeSet"), "'" ARN "'")),
	    &p);
	assert_non_null(strstr(w->f.entry[0].what, "aws-marketplace:StartChangeSet"));
	(void)read_text(w,
	    DOCUMENT_OF(STATEMENT("{'AWS':'" SELLER_B "'}", "'ann@example.com'", "'" ARN "'")), &p);
	assert_null(strstr(w->f.entry[0].what, "example"));
	(void)read_text(w,
	    arena_printf(w->mem,
		DOCUMENT_OF(STATEMENT("{'AWS':'" SELLER_B "'}", "'%s'", "'" ARN "'")),
		letters(w, 61)),
	    &p);
	assert_null(strstr(w->f.entry[0].what, letters(w, 9)));
}
WORLD_TEST(refuses)

/* A policy of `n` characters, one of them of two bytes when `wide`. */
static enum souk_err
read_long(struct world *w, size_t n, bool wide)
{
	struct resource_policy p;
	struct buf b = { 0 };
	enum souk_err r;

	buf_add_c(&b, "{\"Id\":\"");
	buf_add_c(&b, wide ? "\xc3\xbf" : "x");
	for (const char *c = "\",\"Version\":\"2012-10-17\",\"Statement\":[" FINE "]}"; *c; c++)
		buf_add_char(&b, *c == '\'' ? '"' : *c);
	for (size_t have = b.n - wide; have < n; have++)
		buf_add_char(&b, " \t\n\r"[have % 4]);
	r = resource_policy_read(buf_str(&b), STR(ARN), w->mem, &p, world_fail(w));
	buf_done(&b);
	return r;
}

static void
characters(struct world *w)
{
	static const struct str marks[] = { STR("\xc4\x80"), STR("\x7f"), STR("\x01") };
	struct resource_policy p;

	assert_int_equal(read_long(w, RESOURCE_POLICY_MAX, false), SOUK_OK);
	assert_int_equal(read_long(w, RESOURCE_POLICY_MAX, true), SOUK_OK);
	assert_int_equal(read_long(w, RESOURCE_POLICY_MAX + 1, true), SOUK_E_INVALID);
	assert_field(w, "Policy");
	for (size_t i = 0; i < 3; i++) {
		struct buf b = { 0 };
		enum souk_err r;

		buf_add_c(&b, "{\"Id\":\"");
		buf_add_str(&b, marks[i]);
		for (const char *c = "\",\"Statement\":[" FINE "]}"; *c; c++)
			buf_add_char(&b, *c == '\'' ? '"' : *c);
		r = resource_policy_read(buf_str(&b), STR(ARN), w->mem, &p, world_fail(w));
		assert_int_equal(r, i == 1 ? SOUK_OK : SOUK_E_INVALID);
		buf_done(&b);
	}
}
WORLD_TEST(characters)

/* ---- what it does ---------------------------------------------------------------------- */

static struct guid
make(struct world *w, const char *title)
{
	struct product p = world_product(
	    w, arena_printf(w->mem,
		   "{'sellerId':'" SELLER
		   "','title':'%s','type':'services','pricing':['contract'],'state':'limited'}",
		   title));
	struct listing_row l = { .product_id = p.id,
		.document = STR("{\"title\":\"T\"}"),
		.data_use = STR("{}"),
		.targeting = STR("[]"),
		.revision = 1,
		.edition = EDITION_G21,
		.due_at = 1,
		.created_at = 1,
		.changed_at = 1 };

	(void)snprintf(l.seller_id, sizeof(l.seller_id), "%s", SELLER);
	assert_int_equal(listing_row_insert(w->tx, &l), SOUK_OK);
	return p.id;
}

static struct guid
make_offer(struct world *w, const struct guid *product)
{
	struct listing_offer_row o = { .id = guid_new(),
		.product_id = *product,
		.document = STR("{\"name\":\"N\",\"buyers\":[{\"account\":\"" BUYER "\"}]}"),
		.extra = STR("{}"),
		.market_offers = STR("{}"),
		.revision = 1,
		.created_at = 1,
		.changed_at = 1 };

	(void)snprintf(o.seller_id, sizeof(o.seller_id), "%s", SELLER);
	assert_int_equal(listing_offer_row_insert(w->tx, &o), SOUK_OK);
	return o.id;
}

static void
share(struct world *w, const struct guid *id, const char *account, bool describe, bool list)
{
	struct policy_grant g = { .may = { [SHARED_DESCRIBE] = describe, [SHARED_LIST] = list } };
	struct resource_policy p = { .v = &g, .n = 1 };

	(void)snprintf(g.account, sizeof(g.account), "%s", account);
	assert_int_equal(resource_policy_put(w->tx, STR(SELLER), id, STR("{}"), &p), SOUK_OK);
}

static struct str
name_of(struct world *w, const char *prefix, const struct guid *id)
{
	char text[ENTITY_ID_MAX];

	entity_id_write(prefix, id, text);
	return arena_str(w->mem, str_c(text));
}

/* Who asks for an entity: SOUK_OK, and by a policy or not. */
static void
asks(struct world *w, const struct tenant_scope *s, struct str id, enum souk_err want, bool shared)
{
	struct entity_document e = { 0 };
	bool by_policy = !shared;

	assert_int_equal(entity_read(w->tx, s, id, w->mem, &e, &by_policy), want);
	assert_int_equal(by_policy, shared);
	/* What others made of it is between the seller and the operator. */
	if (want == SOUK_OK && str_starts(id, STR(PRODUCT_PREFIX)))
		assert_int_equal(
		    memmem(e.details.p, e.details.n, "\"Standing\"", 10) == NULL, shared);
	/* Reading is all that was given. */
	assert_int_equal(entity_get(w->tx, s, id, w->mem, &e),
	    want == SOUK_OK && shared ? SOUK_E_NOT_FOUND : want);
}

static bool
count(void *arg, const struct entity_summary *e)
{
	(void)e;
	++*(size_t *)arg;
	return true;
}

static size_t
listed(struct world *w, const struct tenant_scope *s, enum entity_kind kind)
{
	size_t n = 0;

	assert_int_equal(entity_all_shared(w->tx, s, kind, count, &n), SOUK_OK);
	return n;
}

static void
shares(struct world *w)
{
	struct guid a = make(w, "A"), b = make(w, "B"), offer = make_offer(w, &a);
	struct str id = name_of(w, PRODUCT_PREFIX, &a), other = name_of(w, PRODUCT_PREFIX, &b);
	struct str offer_id = name_of(w, OFFER_PREFIX, &offer);

	asks(w, &w->seller_b, id, SOUK_E_NOT_FOUND, false);
	asks(w, &w->seller, id, SOUK_OK, false);
	asks(w, &w->op, id, SOUK_OK, false);
	share(w, &a, SELLER_B, true, false);
	share(w, &b, SELLER_B, false, true);
	share(w, &offer, BUYER, true, true);
	/* Each what its policy says, and nobody else. */
	asks(w, &w->seller_b, id, SOUK_OK, true);
	asks(w, &w->seller_b, other, SOUK_E_NOT_FOUND, false);
	asks(w, &w->seller_b, offer_id, SOUK_E_NOT_FOUND, false);
	asks(w, &w->buyer, id, SOUK_E_NOT_FOUND, false);
	asks(w, &w->buyer, offer_id, SOUK_OK, true);
	asks(w, &w->both, id, SOUK_E_NOT_FOUND, false);
	asks(w, &w->seller, id, SOUK_OK, false);
	asks(w, &w->op, id, SOUK_OK, false);
	assert_int_equal(listed(w, &w->seller_b, ENTITY_PRODUCT), 1);
	assert_int_equal(listed(w, &w->seller_b, ENTITY_OFFER), 0);
	assert_int_equal(listed(w, &w->buyer, ENTITY_OFFER), 1);
	assert_int_equal(listed(w, &w->buyer, ENTITY_PRODUCT), 0);
	assert_int_equal(listed(w, &w->seller, ENTITY_PRODUCT), 0);
	/* An id of one kind is none of another. */
	asks(w, &w->seller_b, name_of(w, OFFER_PREFIX, &a), SOUK_E_NOT_FOUND, false);
	/* Another policy takes the place of the first, whole. */
	share(w, &a, BUYER, false, true);
	asks(w, &w->seller_b, id, SOUK_E_NOT_FOUND, false);
	assert_int_equal(listed(w, &w->buyer, ENTITY_PRODUCT), 1);
	/* The owner's own account is nobody else. */
	share(w, &a, SELLER, true, true);
	asks(w, &w->seller, id, SOUK_OK, false);
	assert_int_equal(listed(w, &w->seller, ENTITY_PRODUCT), 0);
	assert_int_equal(listed(w, &w->buyer, ENTITY_PRODUCT), 0);
}
WORLD_TEST(shares)

static void
ends(struct world *w)
{
	struct guid a = make(w, "A");
	struct str id = name_of(w, PRODUCT_PREFIX, &a);
	struct buf text = { 0 };

	assert_int_equal(policy_row_find(w->tx, STR(SELLER), &a, &text), SOUK_E_NOT_FOUND);
	assert_int_equal(resource_policy_drop(w->tx, STR(SELLER), &a), SOUK_E_NOT_FOUND);
	share(w, &a, SELLER_B, true, true);
	assert_int_equal(policy_row_find(w->tx, STR(SELLER), &a, &text), SOUK_OK);
	assert_true(str_eq_c(buf_str(&text), "{}"));
	buf_done(&text);
	/* Another seller's row of that id is another row. */
	assert_int_equal(resource_policy_drop(w->tx, STR(SELLER_B), &a), SOUK_E_NOT_FOUND);
	asks(w, &w->seller_b, id, SOUK_OK, true);
	assert_int_equal(resource_policy_drop(w->tx, STR(SELLER), &a), SOUK_OK);
	asks(w, &w->seller_b, id, SOUK_E_NOT_FOUND, false);
	assert_int_equal(listed(w, &w->seller_b, ENTITY_PRODUCT), 0);
	/* What is removed is removed for all. */
	share(w, &a, SELLER_B, true, true);
	assert_int_equal(listing_row_remove(w->tx, STR(SELLER), &a, 2), SOUK_OK);
	asks(w, &w->seller_b, id, SOUK_E_NOT_FOUND, false);
	assert_int_equal(listed(w, &w->seller_b, ENTITY_PRODUCT), 0);
}
WORLD_TEST(ends)

/* More than are read at once. */
static void
many(struct world *w)
{
	for (int i = 0; i < 205; i++) {
		struct guid id = make(w, arena_printf(w->mem, "Many %d", i));
		struct guid offer = make_offer(w, &id);

		share(w, &id, SELLER_B, false, true);
		share(w, &offer, SELLER_B, false, i % 2 == 0);
	}
	assert_int_equal(listed(w, &w->seller_b, ENTITY_PRODUCT), 205);
	assert_int_equal(listed(w, &w->seller_b, ENTITY_OFFER), 103);
}
WORLD_TEST(many)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT(reads),
		UNIT(refuses),
		UNIT(characters),
		UNIT(shares),
		UNIT(ends),
		UNIT(many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
