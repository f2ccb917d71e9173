/* SPDX-License-Identifier: Apache-2.0 */
/* Products: form, the PSC switch, ids and codes, who sees them. */
#include "market_test.h"

#include <pthread.h>

#define CODE_B "abcdefghijklmnopqrstuvwx2"

static enum souk_err
parse(struct world *w, const char *text, const struct product *base, struct product *ret)
{
	return product_parse(world_json(w, text), base, w->mem, ret, world_fail(w));
}

static enum souk_err
parse_with(struct world *w, const char *member, const char *value)
{
	struct product p;
	json_t *o = world_json(
	    w, "{'sellerId':'" SELLER "','title':'T','type':'ami','pricing':['hourly']}");
	json_t *v = json_loads(value, JSON_DECODE_ANY, NULL);

	assert_non_null(v);
	assert_int_equal(json_object_set_new(o, member, v), 0);
	return product_parse(o, NULL, w->mem, &p, world_fail(w));
}

static void
assert_refused(struct world *w, const char *member, const char *value)
{
	if (parse_with(w, member, value) != SOUK_E_INVALID)
		fail_msg("%s: %s accepted", member, value);
	assert_int_equal(w->f.n_total, 1);
	assert_field(w, member);
}

static void
assert_accepted(struct world *w, const char *member, const char *value)
{
	if (parse_with(w, member, value) != SOUK_OK)
		fail_msg("%s: %s refused", member, value);
}

static void
form(struct world *w)
{
	assert_accepted(w, "productId", "\"" PRODUCT_ID "\"");
	assert_refused(w, "productId", "\"1\"");
	assert_refused(w, "sellerId", "\"101\"");
	assert_accepted(w, "productCode", "\"" CODE "\"");
	assert_refused(w, "productCode", "\"abcdefghijklmnopqrstuvwx\"");
	assert_refused(w, "productCode", "\"abcdefghijklmnopqrstuvwx12\"");
	assert_refused(w, "productCode", "\"Abcdefghijklmnopqrstuvwx1\"");
	assert_refused(w, "productCode", "\"abcdefghijklmnopqrstuvw-1\"");
	assert_accepted(w, "title", arena_printf(w->mem, "\"%s\"", letters(w, 255)));
	assert_refused(w, "title", arena_printf(w->mem, "\"%s\"", letters(w, 256)));
	assert_refused(w, "title", "\"\"");
	assert_refused(w, "type", "\"AMI\"");
	assert_refused(w, "state", "\"deleted\"");
	assert_refused(w, "pricing", "[]");
	assert_refused(w, "pricing", "\"hourly\"");
	assert_refused(w, "pricing", "[1]");
	assert_refused(w, "pricing", "[\"hourly\",\"weekly\"]");
	assert_refused(w, "pricing", "[\"hourly\",\"hourly\"]");
	assert_accepted(w, "pricing",
	    "[\"byol\",\"free\",\"contract\",\"metered\",\"annual\",\"monthly\",\"hourly\"]");
	assert_accepted(w, "supportEmail", "\"\"");
	assert_accepted(w, "supportEmail", "null");
	assert_refused(w, "supportEmail", "\"support@localhost\"");
	assert_accepted(w, "supportPhone", "\"+1 202 555 0100\"");
	assert_refused(w, "supportPhone", "\"ask Anna\"");
	assert_refused(w, "pscEnabled", "\"yes\"");
	assert_refused(w, "pscEnabledSince", "\"2026-01-01T00:00:00Z\"");
}
WORLD_TEST(form)

static void
support_url(struct world *w)
{
	assert_accepted(w, "supportUrl", "\"https://example.com\"");
	assert_accepted(w, "supportUrl", "\"HTTPS://Example.com:8443/a?b=c#d\"");
	assert_accepted(w, "supportUrl", "\"https://example.com?q\"");
	assert_accepted(w, "supportUrl",
	    arena_printf(w->mem, "\"https://example.com/%s\"", letters(w, 2048 - 20)));
	assert_refused(w, "supportUrl",
	    arena_printf(w->mem, "\"https://example.com/%s\"", letters(w, 2048 - 19)));
	assert_refused(w, "supportUrl", "\"http://example.com\"");
	assert_refused(w, "supportUrl", "\"javascript:alert(1)\"");
	assert_refused(w, "supportUrl", "\"https://\"");
	assert_refused(w, "supportUrl", "\"https:///a\"");
	assert_refused(w, "supportUrl", "\"https://localhost/\"");
	assert_refused(w, "supportUrl", "\"https://127.0.0.1/\"");
	assert_refused(w, "supportUrl", "\"https://[::1]/\"");
	assert_refused(w, "supportUrl", "\"https://user:pw@example.com/\"");
	assert_refused(w, "supportUrl", "\"https://example.com:0/\"");
	assert_refused(w, "supportUrl", "\"https://example.com:65536/\"");
	assert_refused(w, "supportUrl", "\"https://example.com:/\"");
	assert_refused(w, "supportUrl", "\"https://example.com/a b\"");
	assert_refused(w, "supportUrl", "\"https://example.com/\\\"><script>\"");
}
WORLD_TEST(support_url)

static void
pricing(struct world *w)
{
	struct product p;

	assert_int_equal(parse(w,
			     "{'sellerId':'" SELLER "','title':'T','type':'saas',"
			     "'pricing':['free','monthly']}",
			     NULL, &p),
	    SOUK_OK);
	assert_true(str_eq_c(p.pricing, "[\"monthly\",\"free\"]"));
	assert_true(pricing_has(p.pricing, STR("free")));
	assert_true(pricing_has(p.pricing, STR("monthly")));
	assert_false(pricing_has(p.pricing, STR("month")));
	assert_false(pricing_has(p.pricing, STR("hourly")));
	assert_false(pricing_has(p.pricing, STR("")));
	assert_false(pricing_has(STR(""), STR("free")));
	assert_null(pricing_word(STR("weekly")).p);
}
WORLD_TEST(pricing)

static void
every_field_is_named(struct world *w)
{
	struct product p;

	assert_int_equal(parse(w,
			     "{'sellerId':'x','title':7,'pricing':[],'supportEmail':'x',"
			     "'supportPhone':'x','supportUrl':'x','shoe':1}",
			     NULL, &p),
	    SOUK_E_INVALID);
	assert_int_equal(w->f.n_total, 8);
	assert_field(w, "sellerId");
	assert_field(w, "title");
	assert_field(w, "type");
	assert_field(w, "pricing");
	assert_field(w, "supportEmail");
	assert_field(w, "supportPhone");
	assert_field(w, "supportUrl");
	assert_field(w, "shoe");
}
WORLD_TEST(every_field_is_named)

#define ENABLED(type, way)                                                                         \
	arena_printf(w->mem,                                                                       \
	    "{'sellerId':'" SELLER "','title':'T','pricing':['free'],'type':'%s',"                 \
	    "'pscEnabled':true,%s}",                                                               \
	    type, way)

/* psc 11: PSC-Q2, PSC-Q11. */
static void
who_may_be_enabled(struct world *w)
{
	static const char *const ways[] = { "'supportEmail':'s@example.com'",
		"'supportPhone':'+12025550100'", "'supportUrl':'https://example.com'" };
	struct product p, enabled;

	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(parse(w, ENABLED("ami", ways[i]), NULL, &p), SOUK_OK);
		assert_int_equal(parse(w, ENABLED("data", ways[i]), NULL, &p), SOUK_E_INVALID);
		assert_field(w, "pscEnabled");
	}
	assert_int_equal(parse_with(w, "pscEnabled", "true"), SOUK_E_INVALID);
	assert_field(w, "supportEmail");

	/* Nor can the ground be taken away from under an enabled one. */
	enabled =
	    world_product(w, "{'sellerId':'" SELLER "','title':'T','pricing':['free'],'type':'ami',"
			     "'pscEnabled':true,'supportEmail':'s@example.com'}");
	assert_int_equal(parse(w, "{'supportEmail':null}", &enabled, &p), SOUK_E_INVALID);
	assert_int_equal(parse(w, "{'type':'saas'}", &enabled, &p), SOUK_E_INVALID);
	p = enabled;
	p.support_email = STR("");
	assert_int_equal(product_change(w->tx, &w->op, &p, 0, world_fail(w)), SOUK_E_INVALID);
	p.id = (struct guid){ 0 };
	p.code[0] = '\0';
	assert_int_equal(product_create(w->tx, &w->op, &p, world_fail(w)), SOUK_E_INVALID);
}
WORLD_TEST(who_may_be_enabled)

static struct product
get(struct world *w, const struct guid *id)
{
	struct product p;

	assert_int_equal(product_get(w->tx, &w->op, id, w->mem, &p), SOUK_OK);
	return p;
}

static struct product
change(struct world *w, const struct guid *id, const char *patch)
{
	struct product base = get(w, id), p;

	assert_int_equal(parse(w, patch, &base, &p), SOUK_OK);
	assert_int_equal(product_change(w->tx, &w->op, &p, base.revision, world_fail(w)), SOUK_OK);
	return p;
}

static void
enabled_since_creation(struct world *w)
{
	struct guid id = world_guid(PRODUCT_ID);

	assert_int_equal(get(w, &id).psc_enabled_since, get(w, &id).created_at);
	w->noted = get(w, &id).created_at;
}

static void
enabled_since_a_change(struct world *w)
{
	struct guid id = world_guid(PRODUCT_ID);
	struct product p = change(w, &id, "{'title':'Renamed'}"), preset;

	assert_true(p.changed_at > w->noted);
	assert_int_equal(p.psc_enabled_since, w->noted); /* still the same enabling */
	p = change(w, &id, "{'pscEnabled':false}");
	assert_int_equal(p.psc_enabled_since, 0);
	assert_int_equal(get(w, &id).psc_enabled_since, 0);
	p = change(w, &id, "{'pscEnabled':true}");
	assert_int_equal(get(w, &id).psc_enabled_since, p.changed_at);

	preset = p;
	preset.id = (struct guid){ 0 };
	preset.code[0] = '\0';
	preset.created_at = 1000;
	preset.psc_enabled_since = 2000;
	assert_int_equal(product_create(w->tx, &w->op, &preset, world_fail(w)), SOUK_OK);
	assert_int_equal(preset.psc_enabled_since, 2000);
	preset.id = (struct guid){ 0 };
	preset.code[0] = '\0';
	preset.psc_enabled = false;
	assert_int_equal(product_create(w->tx, &w->op, &preset, world_fail(w)), SOUK_OK);
	assert_int_equal(preset.psc_enabled_since, 0);
}

/* The clock was set back since an export: the next one must still see that this product is new. */
static void
enabled_not_behind_an_export(struct world *w)
{
	struct guid id = world_guid(PRODUCT_ID);
	instant_t until = clock_now() + HOUR_MS;
	struct product p = change(w, &id, "{'pscEnabled':false}");

	world_exported(w, p.seller_id, until);
	p = change(w, &id, "{'pscEnabled':true}");
	assert_int_equal(p.psc_enabled_since, until);
	assert_int_equal(get(w, &id).psc_enabled_since, until);
}
WORLD_TEST(enabled_not_behind_an_export)

static void
run_enabled_since(void **state)
{
	world_run(state, enabled_since_creation);
	clock_sleep_ms(5);
	world_run(state, enabled_since_a_change);
}

static void
creating(struct world *w)
{
	struct product p, q;

	assert_int_equal(
	    parse(w, "{'sellerId':'" SELLER "','title':'T','type':'saas','pricing':['free']}", NULL,
		&p),
	    SOUK_OK);
	assert_true(str_eq_c(p.state, "draft"));
	assert_int_equal(product_create(w->tx, &w->seller, &p, world_fail(w)), SOUK_E_DENIED);
	q = p;
	assert_int_equal(product_create(w->tx, &w->op, &q, world_fail(w)), SOUK_OK);
	assert_false(guid_is_zero(&q.id));
	assert_int_equal(strlen(q.code), PRODUCT_CODE_LEN);
	assert_int_equal(strspn(q.code, "abcdefghijklmnopqrstuvwxyz0123456789"), PRODUCT_CODE_LEN);
	assert_string_equal(get(w, &q.id).code, q.code);

	memcpy(p.seller_id, BUYER, sizeof(p.seller_id));
	assert_int_equal(product_create(w->tx, &w->op, &p, world_fail(w)), SOUK_E_INVALID);
	assert_field(w, "sellerId");
	memcpy(p.seller_id, NOBODY, sizeof(p.seller_id));
	assert_int_equal(product_create(w->tx, &w->op, &p, world_fail(w)), SOUK_E_INVALID);
	assert_field(w, "sellerId");
}
WORLD_TEST(creating)

/* Exported records name products by id and by code alone. */
static void
ids_and_codes_are_one_name_space(struct world *w)
{
	struct product p;

	assert_int_equal(parse(w,
			     "{'sellerId':'" SELLER_B "','productCode':'" CODE
			     "','title':'T','type':'saas','pricing':['free']}",
			     NULL, &p),
	    SOUK_OK);
	assert_int_equal(product_create(w->tx, &w->op, &p, world_fail(w)), SOUK_E_CONFLICT);
	assert_code(w, "product_exists");
	memcpy(p.code, CODE_B, sizeof(p.code));
	p.id = world_guid(PRODUCT_ID);
	assert_int_equal(product_create(w->tx, &w->op, &p, world_fail(w)), SOUK_E_CONFLICT);
	p.id = world_guid(SUB_ID);
	assert_int_equal(product_create(w->tx, &w->op, &p, world_fail(w)), SOUK_OK);
}
WORLD_TEST(ids_and_codes_are_one_name_space)

static void
changing(struct world *w)
{
	struct guid id = world_guid(PRODUCT_ID);
	struct product base = get(w, &id), p;

	assert_int_equal(
	    parse(w,
		"{'productId':'" SUB_ID "','sellerId':'" SELLER_B "','productCode':'" CODE_B "'}",
		&base, &p),
	    SOUK_E_INVALID);
	assert_int_equal(w->f.n_total, 3);
	assert_field(w, "productId");
	assert_field(w, "sellerId");
	assert_field(w, "productCode");
	assert_int_equal(
	    parse(w,
		"{'productId':'" PRODUCT_ID "','sellerId':'" SELLER "','productCode':'" CODE "'}",
		&base, &p),
	    SOUK_OK);
	assert_int_equal(product_change(w->tx, &w->op, &p, 2, world_fail(w)), SOUK_E_PRECONDITION);
	assert_int_equal(product_change(w->tx, &w->seller, &p, 1, world_fail(w)), SOUK_E_DENIED);
	assert_int_equal(product_change(w->tx, &w->op, &p, 1, world_fail(w)), SOUK_OK);
	assert_int_equal(get(w, &id).revision, 2);

	assert_int_equal(parse(w, "{'state':'draft'}", &base, &p), SOUK_OK);
	assert_int_equal(product_change(w->tx, &w->op, &p, 0, world_fail(w)), SOUK_E_CONFLICT);
	assert_code(w, "product_published");
	assert_int_equal(parse(w, "{'type':'saas','pscEnabled':false}", &base, &p), SOUK_OK);
	assert_int_equal(product_change(w->tx, &w->op, &p, 0, world_fail(w)), SOUK_E_CONFLICT);
	assert_int_equal(get(w, &id).revision, 2);
	p.id = world_guid(SUB_ID);
	assert_int_equal(product_change(w->tx, &w->op, &p, 0, world_fail(w)), SOUK_E_NOT_FOUND);

	p = world_product(
	    w, "{'sellerId':'" SELLER "','title':'T','pricing':['free'],'type':'ami'}");
	p = change(w, &p.id, "{'type':'saas'}");
	assert_true(str_eq_c(get(w, &p.id).type, "saas"));
	p = change(w, &p.id, "{'state':'restricted'}");
	p = change(w, &p.id, "{'state':'public'}");
}
WORLD_TEST(changing)

static void
assert_seen(
    struct world *w, const struct tenant_scope *s, const struct guid *id, enum souk_err want)
{
	struct product p = { .revision = 77 };

	assert_int_equal(product_get(w->tx, s, id, w->mem, &p), want);
	if (want != SOUK_OK)
		assert_int_equal(p.revision, 77);
}

static void
who_sees_them(struct world *w)
{
	struct guid limited = world_guid(PRODUCT_ID), missing = world_guid(SUB_ID), id;

	assert_seen(w, &w->op, &limited, SOUK_OK);
	assert_seen(w, &w->seller, &limited, SOUK_OK);
	assert_seen(w, &w->seller_b, &limited, SOUK_E_NOT_FOUND);
	assert_seen(w, &w->seller_b, &missing, SOUK_E_NOT_FOUND);
	assert_seen(w, &w->op, &missing, SOUK_E_NOT_FOUND);
	assert_seen(w, &w->buyer, &limited, SOUK_OK); /* subscribes to it */
	assert_seen(w, &w->buyer_b, &limited, SOUK_E_NOT_FOUND);
	assert_seen(w, &w->both, &limited, SOUK_E_NOT_FOUND);

	id = world_product(w, "{'sellerId':'" SELLER "','title':'P','pricing':['free'],"
			      "'type':'saas','state':'public'}")
		 .id;
	assert_seen(w, &w->buyer_b, &id, SOUK_OK);
	assert_seen(w, &w->both, &id, SOUK_OK);
	assert_seen(w, &w->seller_b, &id, SOUK_E_NOT_FOUND);
	id = world_product(w, "{'sellerId':'" BOTH "','title':'D','pricing':['free'],"
			      "'type':'saas','state':'draft'}")
		 .id;
	assert_seen(w, &w->both, &id, SOUK_OK);
	assert_seen(w, &w->buyer, &id, SOUK_E_NOT_FOUND);
}
WORLD_TEST(who_sees_them)

static size_t
list(struct world *w, const struct tenant_scope *s, const char *seller)
{
	struct page p = { .limit = 200 };
	struct jw out = world_list_begin(w);

	assert_int_equal(
	    product_list(w->tx, s, str_c(seller), &p, w->mem, &out, world_fail(w)), SOUK_OK);
	assert_int_equal(p.next.n, 0);
	return world_list_end(w, &out);
}

static void
listing(struct world *w)
{
	struct tenant_scope job = tenant_for_job(STR(SELLER), "export");

	/* There: one limited of SELLER. */
	(void)world_product(w, "{'sellerId':'" SELLER "','title':'P','pricing':['free'],"
			       "'type':'saas','state':'public'}");
	(void)world_product(w, "{'sellerId':'" SELLER_B "','title':'P','pricing':['free'],"
			       "'type':'saas','state':'public'}");
	(void)world_product(w, "{'sellerId':'" BOTH "','title':'D','pricing':['free'],"
			       "'type':'saas','state':'draft'}");
	assert_int_equal(list(w, &w->op, ""), 4);
	assert_int_equal(list(w, &w->op, SELLER), 2);
	assert_int_equal(list(w, &w->op, NOBODY), 0);
	assert_int_equal(list(w, &w->seller, ""), 2);
	assert_int_equal(list(w, &w->seller, SELLER), 2);
	assert_int_equal(list(w, &w->seller, SELLER_B), 0);
	assert_int_equal(list(w, &w->seller, NOBODY), 0);
	assert_int_equal(list(w, &job, ""), 2);
	assert_int_equal(list(w, &w->buyer_b, ""), 2);
	assert_int_equal(list(w, &w->buyer_b, SELLER), 1);
	assert_int_equal(list(w, &w->buyer_b, BOTH), 0);
	assert_int_equal(list(w, &w->both, ""), 3);
	assert_int_equal(list(w, &w->both, BOTH), 1);
	assert_int_equal(list(w, &w->both, SELLER), 1);
}
WORLD_TEST(listing)

static void
json_form(struct world *w)
{
	struct guid id = world_guid(PRODUCT_ID);
	struct product p = get(w, &id);
	struct jw out;

	buf_clear(&w->out);
	jw_init(&out, &w->out);
	product_json(&p, &out, NULL);
	assert_out(w,
	    "{\"productId\":\"" PRODUCT_ID "\",\"sellerId\":\"" SELLER "\",\"productCode\":\"" CODE
	    "\",\"title\":\"Image\",\"type\":\"ami\",\"pricing\":[\"hourly\",\"annual\"],"
	    "\"dimensions\":[],\"solutionId\":null,\"solutionTitle\":null,"
	    "\"supportEmail\":\"support@example.com\",\"supportPhone\":\"\",\"supportUrl\":\"\","
	    "\"pscEnabled\":true,\"pscEnabledSince\":\"20",
	    true);
	assert_out(w, "\"revision\":1}", true);
	p.psc_enabled_since = 0;
	product_json(&p, &out, NULL);
	assert_out(w, "\"pscEnabledSince\":null", true);
}
WORLD_TEST(json_form)

/* ---- two sellers want one code ---- */

struct making {
	struct world *w;
	const char *seller;
	enum souk_err err;
};

static enum souk_err
make_slowly(struct db_tx *tx, void *arg)
{
	struct making *m = arg;
	struct product p = { .title = STR("T"),
		.type = STR("ami"),
		.pricing = STR("[\"hourly\"]"),
		.state = STR("public") };
	struct fail f = { 0 };
	enum souk_err r;

	memcpy(p.seller_id, m->seller, sizeof(p.seller_id));
	memcpy(p.code, CODE_B, sizeof(p.code));
	r = product_create(tx, &m->w->op, &p, &f);
	clock_sleep_ms(50); /* the other one looks meanwhile */
	return r;
}

static void *
make_main(void *arg)
{
	struct making *m = arg;

	m->err = db_write(m->w->db, make_slowly, m);
	return NULL;
}

static void
nothing(struct world *w)
{
	(void)w;
}

static void
test_one_code_for_two_sellers_at_once(void **state)
{
	struct world *w;
	struct making m[2];
	pthread_t t[2];

	world_run(state, nothing); /* makes the sellers */
	w = *state;
	for (int i = 0; i < 2; i++) {
		m[i] = (struct making){ .w = w, .seller = i ? SELLER_B : SELLER };
		assert_int_equal(pthread_create(&t[i], NULL, make_main, &m[i]), 0);
	}
	for (int i = 0; i < 2; i++)
		(void)pthread_join(t[i], NULL);
	assert_true((m[0].err == SOUK_OK) != (m[1].err == SOUK_OK));
	assert_int_equal(m[0].err == SOUK_OK ? m[1].err : m[0].err, SOUK_E_CONFLICT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT(form),
		UNIT(support_url),
		UNIT(pricing),
		UNIT(every_field_is_named),
		UNIT(who_may_be_enabled),
		UNIT(enabled_since),
		UNIT(enabled_not_behind_an_export),
		UNIT(creating),
		UNIT(ids_and_codes_are_one_name_space),
		UNIT(changing),
		UNIT(who_sees_them),
		UNIT(listing),
		UNIT(json_form),
		cmocka_unit_test_setup_teardown(
		    test_one_code_for_two_sellers_at_once, world_setup, world_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
