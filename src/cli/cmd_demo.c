/* SPDX-License-Identifier: Apache-2.0 */
/*
 * souk demo: a made-up marketplace. The same seed makes the same sellers, products,
 * buyers, offers, subscriptions, contacts and data feeds, ids and history included; access keys and
 * tokens are random all the same, because a demo too can be reached by others.
 */
#include "base/json.h"
#include "base/country.h"
#include "cli/cli.h"
#include "cli/demo_data.h"
#include "cli/demo_edsp.h"
#include "cli/demo_proserv.h"
#include "delivery/role.h"
#include "market/market.h"
#include "market/tenant_make.h"
#include "psc/contact.h"

#include <stdlib.h>

#define DEMO_BUYERS 12       /* times the scale */
#define DEMO_SUBSCRIPTIONS 3 /* of each buyer */
#define DEMO_TRIAL_DAYS 14
#define DEMO_SCALE_MAX 100000
/* Among the products of the first seller: one has a listing, for the other. */
#define DEMO_SERVICES (demo_n_products - 1)
#define DEMO_SERVED 1
#define DEMO_EPOCH INT64_C(1735689600000) /* 2025-01-01T00:00:00Z: history is always in the past */
#define DEMO_ROLE "MarketplaceCommerceAnalyticsRole"

struct demo_seller {
	char id[ACCOUNT_ID_LEN + 1];
	struct new_key key;
	struct new_token token;
	char bucket[40];
};

struct demo_buyer {
	char id[ACCOUNT_ID_LEN + 1];
	const struct demo_place *place;
	struct new_token token;
	struct guid room; /* a subscription that takes another contact */
};

struct demo {
	struct installation *in;
	struct tenant_scope scope;
	int64_t scale, seed;
	struct prng random;
	const char *region;
	char operator_id[ACCOUNT_ID_LEN + 1];
	struct new_token operator_token;
	struct demo_seller *sellers;
	struct demo_buyer *buyers;
	size_t n_buyers;
	struct product *products; /* n_sellers x n_products */
	struct guid *offers;      /* one of each product */
	int64_t n_subscriptions, n_contacts;
	struct arena *arena; /* of one record */
	struct progress progress;
	struct fail fail;
};

/* ---- logins ---- */

static enum souk_err
add_login(struct demo *d, struct db_tx *tx, const char *account, struct new_key *key,
    struct new_token *token)
{
	struct user u = {
		.id = prng_guid(&d->random), .name = STR("root"), .state = STR("active")
	};
	enum souk_err r;

	memcpy(u.account_id, account, sizeof(u.account_id));
	if ((r = user_create(tx, &d->scope, &u, &d->fail)) != SOUK_OK)
		return r;
	if (key != NULL && (r = access_key_create(tx, d->in->access, &d->scope, &u.id, STR(""),
				NULL, key, &d->fail)) != SOUK_OK)
		return r;
	return token_create(
	    tx, d->in->access, &d->scope, &u.id, STR("demo"), STR(""), 0, NULL, token, &d->fail);
}

/* The operator exists since init; the demo gives it a user and a token of its own. */
static enum souk_err
add_operator_login(struct demo *d, struct db_tx *tx)
{
	struct buf b = { 0 };
	struct jw w;
	struct page page = { .limit = 200 };
	json_t *list = NULL;
	const json_t *a;
	size_t i;
	enum souk_err r;
	struct user u = { .name = STR("demo"), .state = STR("active") };

	jw_init(&w, &b);
	jw_open(&w, NULL, '[');
	r = account_list(tx, &d->scope, &page, d->arena, &w, &d->fail);
	jw_close(&w, ']');
	if (r == SOUK_OK)
		r = json_read(buf_str(&b), &list, &d->fail);
	json_array_foreach(list, i, a) if (json_is_true(json_object_get(a, "operator")))(void)
	    snprintf(d->operator_id, sizeof(d->operator_id), "%s",
		json_string_value(json_object_get(a, "accountId")));
	if (r == SOUK_OK && d->operator_id[0] == '\0')
		r = fail_set(&d->fail, SOUK_E_CONFLICT, "no_operator",
		    "the installation has no operator account");
	if (r == SOUK_OK) {
		memcpy(u.account_id, d->operator_id, sizeof(u.account_id));
		r = user_create(tx, &d->scope, &u, &d->fail);
		if (r == SOUK_E_CONFLICT) {
			d->fail = (struct fail){ 0 };
			r = fail_set(&d->fail, SOUK_E_CONFLICT, "demo_exists",
			    "the demo is in this data directory already; make another with `souk "
			    "init`");
		}
	}
	if (r == SOUK_OK)
		r = token_create(tx, d->in->access, &d->scope, &u.id, STR("demo"), STR(""), 0, NULL,
		    &d->operator_token, &d->fail);
	json_decref(list);
	buf_done(&b);
	return r;
}

/* ---- sellers ---- */

static enum souk_err
add_delivery(struct demo *d, struct db_tx *tx, struct demo_seller *s)
{
	struct str id = str_c(s->id);
	int64_t revision;
	char *policy;
	enum souk_err r;

	(void)snprintf(s->bucket, sizeof(s->bucket), "demo-exports-%s", s->id);
	policy = arena_printf(d->arena,
	    "{\"Version\":\"2012-10-17\",\"Statement\":["
	    "{\"Effect\":\"Allow\",\"Action\":[\"s3:PutObject\",\"s3:GetBucketLocation\"],"
	    "\"Resource\":[\"arn:aws:s3:::%s\",\"arn:aws:s3:::%s/*\"]},"
	    "{\"Effect\":\"Allow\",\"Action\":[\"sns:Publish\",\"sns:GetTopicAttributes\"],"
	    "\"Resource\":\"arn:aws:sns:%s:%s:exports\"}]}",
	    s->bucket, s->bucket, d->region, s->id);
	if (policy == NULL)
		return SOUK_E_NOMEM;
	if ((r = bucket_create(tx, &d->scope, id, str_c(s->bucket), &d->fail)) != SOUK_OK ||
	    (r = topic_create(tx, &d->scope, id, STR("exports"), &d->fail)) != SOUK_OK)
		return r;
	return role_put(
	    tx, &d->scope, id, STR(DEMO_ROLE), str_c(policy), 0, true, &revision, &d->fail);
}

static enum souk_err
add_products(struct demo *d, struct db_tx *tx, const struct demo_seller *s, size_t first)
{
	enum souk_err r = SOUK_OK;

	for (size_t i = 0; i < demo_n_products && r == SOUK_OK; i++) {
		const struct demo_product *m = &demo_products[i];
		struct offer o = { .id = prng_guid(&d->random),
			.name = STR("Standard terms"),
			.visibility = STR("public"),
			.state = STR("active"),
			.starts_at = DEMO_EPOCH,
			.created_at = DEMO_EPOCH };
		struct product *p = &d->products[first + i];

		*p = (struct product){ .id = prng_guid(&d->random),
			.title = str_c(m->title),
			.type = str_c(m->type),
			.pricing = str_c(m->pricing),
			.dimensions = m->dimensions ? str_c(m->dimensions) : STR(""),
			.support_email = STR("support@seller.example"),
			.support_phone = STR("+1 800 555 0100"),
			.support_url = STR("https://seller.example/support"),
			.psc_enabled = m->psc,
			.state = STR("public"),
			.created_at = DEMO_EPOCH };
		memcpy(p->seller_id, s->id, sizeof(p->seller_id));
		for (size_t k = 0; k < PRODUCT_CODE_LEN; k++)
			p->code[k] =
			    "abcdefghijklmnopqrstuvwxyz0123456789"[prng_below(&d->random, 36)];
		if ((r = product_create(tx, &d->scope, p, &d->fail)) != SOUK_OK)
			return r;
		o.product_id = p->id;
		memcpy(o.seller_id, s->id, sizeof(o.seller_id));
		d->offers[first + i] = o.id;
		if ((r = offer_create(tx, &d->scope, &o, &d->fail)) == SOUK_OK)
			r = demo_rate(tx, &d->scope, m, &o.id, (uint64_t)d->seed + first + i,
			    d->arena, &d->fail);
	}
	return r;
}

/*
 * The last seller is not enrolled: something to enrol, and the refusal to see. The first is in enhanced
 * data sharing, too.
 */
static enum souk_err
add_seller(struct demo *d, struct db_tx *tx, size_t i)
{
	struct demo_seller *s = &d->sellers[i];
	const struct demo_place *place = &demo_places[(i * 5 + 2) % demo_n_places];
	struct account a = { .name = str_c(demo_sellers[i]),
		.country = str_c(place->country),
		.city = str_c(place->city),
		.region = str_c(place->region),
		.postal_code = str_c(place->postal_code),
		.email_domain = STR("seller.example"),
		.state = STR("active"),
		.is_seller = true,
		.paid_seller = true,
		.created_at = DEMO_EPOCH };
	struct enrolment e;
	enum souk_err r;

	(void)snprintf(s->id, sizeof(s->id), "%012zu", 700100 + i);
	memcpy(a.id, s->id, sizeof(a.id));
	if ((r = account_create(tx, &d->scope, &a, &d->fail)) != SOUK_OK ||
	    (r = add_login(d, tx, s->id, &s->key, &s->token)) != SOUK_OK ||
	    (r = add_delivery(d, tx, s)) != SOUK_OK ||
	    (r = add_products(d, tx, s, i * demo_n_products)) != SOUK_OK)
		return r;
	if (i + 1 < demo_n_sellers)
		r = enrolment_set(tx, &d->scope, str_c(s->id), "psc", true, &e, &d->fail);
	if (r == SOUK_OK && i == 0)
		r = demo_enrol_edsp(tx, &d->scope, str_c(s->id), &d->fail);
	if (r == SOUK_OK && i == 0)
		r = demo_listing(
		    tx, &d->products[DEMO_SERVICES], &d->products[DEMO_SERVED], d->arena);
	return r;
}

/* ---- buyers, subscriptions, contacts ---- */

static instant_t
later(struct demo *d, instant_t t, int64_t days)
{
	return t + (instant_t)prng_below(&d->random, (uint64_t)(days * DAY_MS)) + 1;
}

static struct contact_fields
make_person(struct demo *d, const struct demo_buyer *b)
{
	const struct demo_place *p = b->place;
	bool full = prng_below(&d->random, 3) != 0;
	bool us = strcmp(p->country, "US") == 0;
	unsigned n = (unsigned)prng_below(&d->random, 10000);

	return (struct contact_fields){
		.organization = str_c(p->company),
		.given_name = str_c(p->given[prng_below(&d->random, 3)]),
		.surname = str_c(p->surname[prng_below(&d->random, 3)]),
		.telephone = str_c(arena_printf(d->arena, "%s 555 %04u", p->calling_code, n)),
		.email = str_c(arena_printf(d->arena, "contact%u@buyer%s.example", n, b->id + 6)),
		.title = full ? str_c(p->title) : STR(""),
		.country = full ? str_c(p->country) : STR(""),
		.zip = full && us ? str_c(p->postal_code) : STR(""),
	};
}

/* One contact's life: added, perhaps edited once or twice, perhaps deleted. */
static enum souk_err
add_contact(struct demo *d, struct db_tx *tx, const struct demo_buyer *b, const struct guid *sub,
    instant_t after)
{
	struct contact_preset at = { .id = prng_guid(&d->random), .at = later(d, after, 30) };
	struct contact_fields f = make_person(d, b);
	struct contact made;
	uint64_t fate = prng_below(&d->random, 10);
	uint64_t edits = fate < 3 ? 1 + prng_below(&d->random, 2) : 0;
	enum souk_err r = contact_add(tx, d->in->vault, &d->scope, sub, &f, &at, &made, &d->fail);

	d->n_contacts++;
	for (uint64_t i = 0; i < edits && r == SOUK_OK; i++) {
		at.at = later(d, at.at, 60);
		f = make_person(d, b);
		r = contact_edit(
		    tx, d->in->vault, &d->scope, sub, &made.id, 0, &f, &at, &made, &d->fail);
	}
	if (r == SOUK_OK && fate == 9) {
		at.at = later(d, at.at, 60);
		r = contact_delete(tx, d->in->vault, &d->scope, sub, &made.id, 0, &at, &d->fail);
	}
	return r;
}

static enum souk_err
add_subscription(struct demo *d, struct db_tx *tx, struct demo_buyer *b, size_t i)
{
	size_t which = (size_t)prng_below(&d->random, demo_n_sellers * demo_n_products);
	const struct product *p;
	struct subscription s = { .id = prng_guid(&d->random), .active = true };
	int64_t deleted;
	enum souk_err r;

	if (i == 0) /* every buyer has one that takes contacts, of an enrolled seller */
		which = (size_t)(b - d->buyers) % (demo_n_sellers - 1) * demo_n_products;
	p = &d->products[which];
	memcpy(s.seller_id, p->seller_id, sizeof(s.seller_id));
	memcpy(s.buyer_id, b->id, sizeof(s.buyer_id));
	s.product_id = p->id;
	s.offer_id = d->offers[which];
	s.kind = str_c(demo_products[which % demo_n_products].kind);
	s.quantity = 1 + (int64_t)prng_below(&d->random, 20);
	s.starts_at = DEMO_EPOCH + (instant_t)prng_below(&d->random, 120) * DAY_MS;
	s.created_at = s.starts_at;
	if (str_eq_c(s.kind, "metered"))
		s.trial_ends_at = s.starts_at + DEMO_TRIAL_DAYS * DAY_MS;
	if ((r = subscription_create(tx, &d->scope, &s, &d->fail)) != SOUK_OK)
		return r;
	d->n_subscriptions++;
	if (i == 0)
		b->room = s.id;
	if ((r = demo_usage(tx, &d->scope, &s, (uint64_t)(d->seed + d->n_subscriptions))) !=
		SOUK_OK ||
	    (r = demo_fees(tx, &d->scope, &s, (uint64_t)(d->seed + d->n_subscriptions), d->arena,
		 &d->fail)) != SOUK_OK)
		return r;
	if (!p->psc_enabled)
		return SOUK_OK;
	for (uint64_t n = 1 + prng_below(&d->random, 4); n > 0 && r == SOUK_OK; n--)
		r = add_contact(d, tx, b, &s.id, s.starts_at);
	if (r == SOUK_OK && i > 0 && prng_below(&d->random, 6) == 0)
		r = psc_end_subscription(tx, d->in->vault, &d->scope, &s.id,
		    s.starts_at + 200 * DAY_MS, &s, &deleted, d->arena, &d->fail);
	return r;
}

static enum souk_err
add_buyer(struct demo *d, struct db_tx *tx, size_t i)
{
	struct demo_buyer *b = &d->buyers[i];
	struct account a;
	enum souk_err r;

	b->place = &demo_places[i % demo_n_places];
	(void)snprintf(b->id, sizeof(b->id), "%012zu", 20250000 + i);
	a = (struct account){ .name = str_c(b->place->company),
		.country = str_c(b->place->country),
		.city = str_c(b->place->city),
		.region = str_c(b->place->region),
		.postal_code = str_c(b->place->postal_code),
		.email_domain = str_c(arena_printf(d->arena, "buyer%s.example", b->id + 6)),
		.state = STR("active"),
		.is_buyer = true,
		.created_at = DEMO_EPOCH };
	memcpy(a.id, b->id, sizeof(a.id));
	if ((r = account_create(tx, &d->scope, &a, &d->fail)) != SOUK_OK ||
	    (r = add_login(d, tx, b->id, NULL, &b->token)) != SOUK_OK)
		return r;
	for (size_t k = 0; k < DEMO_SUBSCRIPTIONS && r == SOUK_OK; k++) {
		arena_reset(d->arena);
		r = add_subscription(d, tx, b, k);
	}
	return r;
}

/* Accepted just now: its clock of two business days runs. */
static enum souk_err
add_order(struct demo *d, struct db_tx *tx)
{
	const struct product *p = &d->products[DEMO_SERVICES];
	struct subscription s = { .id = prng_guid(&d->random),
		.active = true,
		.product_id = p->id,
		.offer_id = d->offers[DEMO_SERVICES],
		.kind = STR("contract"),
		.quantity = 1,
		.starts_at = db_now(tx),
		.created_at = db_now(tx) };

	memcpy(s.seller_id, p->seller_id, sizeof(s.seller_id));
	memcpy(s.buyer_id, d->buyers[0].id, sizeof(s.buyer_id));
	d->n_subscriptions++;
	return subscription_create(tx, &d->scope, &s, &d->fail);
}

static enum souk_err
fill(struct db_tx *tx, void *arg)
{
	struct demo *d = arg;
	enum souk_err r;

	d->random = (struct prng){ .s = (uint64_t)d->seed };
	d->n_subscriptions = d->n_contacts = 0;
	r = add_operator_login(d, tx);
	for (size_t i = 0; i < demo_n_sellers && r == SOUK_OK; i++) {
		arena_reset(d->arena);
		r = add_seller(d, tx, i);
	}
	for (size_t i = 0; i < d->n_buyers && r == SOUK_OK; i++) {
		r = add_buyer(d, tx, i);
		progress_update(&d->progress, (int64_t)i);
	}
	return r == SOUK_OK ? add_order(d, tx) : r;
}

/* ---- what it prints ---- */

static void
print_json(const struct demo *d)
{
	struct buf b = { 0 };
	struct jw w;

	jw_init(&w, &b);
	jw_open(&w, NULL, '{');
	jw_open(&w, "operator", '{');
	jw_c(&w, "accountId", d->operator_id);
	jw_c(&w, "token", d->operator_token.token);
	jw_close(&w, '}');
	jw_open(&w, "buyers", '[');
	for (size_t i = 0; i < d->n_buyers; i++) {
		jw_open(&w, NULL, '{');
		jw_c(&w, "accountId", d->buyers[i].id);
		jw_c(&w, "token", d->buyers[i].token.token);
		jw_guid(&w, "subscriptionId", &d->buyers[i].room);
		jw_close(&w, '}');
	}
	jw_close(&w, ']');
	jw_open(&w, "sellers", '[');
	for (size_t i = 0; i < demo_n_sellers; i++) {
		const struct demo_seller *s = &d->sellers[i];
		char arn[160];

		jw_open(&w, NULL, '{');
		jw_c(&w, "accountId", s->id);
		jw_c(&w, "token", s->token.token);
		jw_c(&w, "accessKeyId", s->key.access_key_id);
		jw_c(&w, "secretAccessKey", s->key.secret);
		(void)snprintf(arn, sizeof(arn), "arn:aws:iam::%s:role/" DEMO_ROLE, s->id);
		jw_c(&w, "roleArn", arn);
		jw_c(&w, "bucket", s->bucket);
		(void)snprintf(arn, sizeof(arn), "arn:aws:sns:%s:%s:exports", d->region, s->id);
		jw_c(&w, "topicArn", arn);
		jw_close(&w, '}');
	}
	jw_close(&w, ']');
	jw_close(&w, '}');
	(void)puts(b.p != NULL ? b.p : "{}");
	buf_done(&b);
}

static void
print_text(const struct demo *d)
{
	(void)printf("%zu sellers, %zu buyers, %lld subscriptions, %lld contacts\n\n"
		     "operator  %s  token %s\n",
	    demo_n_sellers, d->n_buyers, (long long)d->n_subscriptions, (long long)d->n_contacts,
	    d->operator_id, d->operator_token.token);
	for (size_t i = 0; i < demo_n_sellers; i++)
		(void)printf("seller    %s  key %s  secret %s\n                        token %s\n",
		    d->sellers[i].id, d->sellers[i].key.access_key_id, d->sellers[i].key.secret,
		    d->sellers[i].token.token);
	for (size_t i = 0; i < d->n_buyers && i < 3; i++)
		(void)printf("buyer     %s  token %s\n", d->buyers[i].id, d->buyers[i].token.token);
	(void)printf("\nThese are shown once; --json prints all of them.\n");
}

/* ---- the command ---- */

struct options {
	struct cli_common common;
	int64_t scale, seed;
};

static error_t
option(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 's':
		if (!str_to_i64(str_c(arg), &o->scale) || o->scale < 1 || o->scale > DEMO_SCALE_MAX)
			cli_usage(
			    "--scale: is not a number from 1 to %d; give one, as in --scale 10",
			    DEMO_SCALE_MAX);
		return 0;
	case 'r':
		if (!str_to_i64(str_c(arg), &o->seed))
			cli_usage("--seed: is not a whole number; give one, as in --seed 7");
		return 0;
	default:
		return cli_common_option(&o->common, key, arg, state);
	}
}

static enum souk_err
run_demo(struct demo *d)
{
	enum souk_err r;

	d->n_buyers = (size_t)(DEMO_BUYERS * d->scale);
	d->sellers = calloc(demo_n_sellers, sizeof(*d->sellers));
	d->buyers = calloc(d->n_buyers, sizeof(*d->buyers));
	d->products = calloc(demo_n_sellers * demo_n_products, sizeof(*d->products));
	d->offers = calloc(demo_n_sellers * demo_n_products, sizeof(*d->offers));
	d->arena = arena_new(1 << 20);
	if (d->sellers == NULL || d->buyers == NULL || d->products == NULL || d->offers == NULL ||
	    d->arena == NULL)
		return fail_set(&d->fail, SOUK_E_NOMEM, "memory", "out of memory");
	progress_begin(&d->progress, "demo", (int64_t)d->n_buyers);
	r = country_load(&d->fail);
	if (r == SOUK_OK)
		r = db_bulk(d->in->db, fill, d);
	if (r == SOUK_OK)
		r = demo_feeds(d->in, d->sellers[0].id, (uint64_t)d->seed, &d->fail);
	progress_end(&d->progress);
	return r;
}

int
cmd_demo(int argc, char **argv)
{
	static const struct argp_option options[] = { CLI_COMMON_OPTIONS,
		{ "scale", 's', "N", 0, "N times 12 buyers (default 1)", 0 },
		{ "seed", 'r', "N", 0, "Another made-up marketplace (default 1)", 0 }, { 0 } };
	static const struct argp argp = { options, option, NULL,
		"Fills a data directory with a made-up marketplace, the same for the same seed, "
		"and prints its "
		"logins once.\v"
		"Example: souk demo --data ./data --scale 2 --seed 7 --json",
		NULL, NULL, NULL };
	struct options o = { .scale = 1, .seed = 1 };
	struct installation in;
	struct demo d = { .scope = tenant_for_cli("demo") };
	enum souk_err r;
	int code = CLI_DONE;

	cli_parse(&argp, argc, argv, &o.common, &o);
	if (!cli_open(&o.common, false, &in, &code))
		return code;
	d.in = &in;
	d.scale = o.scale;
	d.seed = o.seed;
	d.region = config_text(in.config, SET_REGION);
	r = run_demo(&d);
	if (r != SOUK_OK)
		code = cli_fail(&d.fail, r);
	else if (o.common.json)
		print_json(&d);
	else
		print_text(&d);
	arena_free(d.arena);
	free(d.products);
	free(d.offers);
	free(d.buyers);
	free(d.sellers);
	installation_close(&in);
	return code;
}
