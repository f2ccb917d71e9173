/* SPDX-License-Identifier: Apache-2.0 */
/* The server that tests talk to. */
#include "place.h"

#include "base/country.h"
#include "market/market.h"
#include "market/tenant_make.h"
#include "unit/database.h"

#include <curl/curl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define assert_ok(x) assert_int_equal((x), SOUK_OK)

/* ---- facts ----------------------------------------------------------------------------- */

static enum souk_err
add_login(struct db_tx *tx, struct place *p, const char *account, struct login *ret)
{
	struct tenant_scope s = tenant_for_cli("test");
	struct user u = { .name = STR("root"), .state = STR("active") };
	struct new_token t;
	enum souk_err r;

	memcpy(u.account_id, account, ACCOUNT_ID_LEN + 1);
	if ((r = user_create(tx, &s, &u, NULL)) != SOUK_OK ||
	    (r = token_create(tx, p->svc.access, &s, &u.id, STR("test"), STR(""), 0, NULL, &t,
		 NULL)) != SOUK_OK ||
	    (r = access_key_create(tx, p->svc.access, &s, &u.id, STR(""), NULL, &ret->key, NULL)) !=
		SOUK_OK)
		return r;
	memcpy(ret->token, t.token, sizeof(ret->token));
	ret->user = u.id;
	return SOUK_OK;
}

static enum souk_err
add_account(struct db_tx *tx, struct place *p, const char *id, bool op, bool buyer, bool seller,
    struct login *ret)
{
	struct tenant_scope s = tenant_for_cli("test");
	struct account a = { .name = STR("Account"),
		.country = STR("US"),
		.address = STR(""),
		.city = STR(""),
		.region = STR(""),
		.postal_code = STR(""),
		.email_domain = STR(""),
		.state = STR("active"),
		.is_operator = op,
		.is_buyer = buyer,
		.is_seller = seller };
	enum souk_err r;

	memcpy(a.id, id, ACCOUNT_ID_LEN + 1);
	r = account_create(tx, &s, &a, NULL);
	return r == SOUK_OK ? add_login(tx, p, id, ret) : r;
}

static enum souk_err
add_subscription(struct db_tx *tx, struct place *p, const char *buyer, struct guid *ret)
{
	struct tenant_scope s = tenant_for_cli("test");
	struct subscription sub = {
		.product_id = p->product, .kind = STR("hourly"), .quantity = 1, .active = true
	};
	enum souk_err r;

	memcpy(sub.seller_id, SELLER, ACCOUNT_ID_LEN + 1);
	memcpy(sub.buyer_id, buyer, ACCOUNT_ID_LEN + 1);
	r = subscription_create(tx, &s, &sub, NULL);
	*ret = sub.id;
	return r;
}

static enum souk_err
fill(struct db_tx *tx, void *arg)
{
	struct place *p = arg;
	struct tenant_scope s = tenant_for_cli("test");
	struct product product = { .title = STR("Product"),
		.type = STR("ami"),
		.pricing = STR("[\"hourly\"]"),
		.support_email = STR("help@example.com"),
		.support_phone = STR(""),
		.support_url = STR(""),
		.state = STR("public"),
		.psc_enabled = true };
	enum souk_err r;

	memcpy(product.seller_id, SELLER, ACCOUNT_ID_LEN + 1);
	if ((r = add_account(tx, p, "900000000001", true, false, false, &p->op)) != SOUK_OK ||
	    (r = add_account(tx, p, BUYER, false, true, false, &p->buyer)) != SOUK_OK ||
	    (r = add_account(tx, p, OTHER_BUYER, false, true, false, &p->other_buyer)) != SOUK_OK ||
	    (r = add_account(tx, p, SELLER, false, false, true, &p->seller)) != SOUK_OK ||
	    (r = product_create(tx, &s, &product, NULL)) != SOUK_OK)
		return r;
	p->product = product.id;
	if ((r = add_subscription(tx, p, BUYER, &p->sub)) != SOUK_OK)
		return r;
	return add_subscription(tx, p, OTHER_BUYER, &p->other_sub);
}

/* ---- the server ------------------------------------------------------------------------ */

static void
open_services(struct place *p)
{
	struct fail f = { .err = SOUK_OK };
	char path[128];

	(void)snprintf(p->dir, sizeof(p->dir), "/tmp/souk-server-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	(void)snprintf(path, sizeof(path), "%s/keyring.json", p->dir);
	assert_ok(vault_ring_create(path, &f));
	(void)snprintf(path, sizeof(path), "%s/souk.ini", p->dir);
	assert_ok(config_load(path, &p->config, &f));
	assert_ok(vault_open(p->config, p->dir, &p->svc.vault, &f));
	assert_ok(db_open(
	    &(struct db_options){
		.path = test_database(p->dir), .create = true, .distribute = test_distributes() },
	    &p->svc.db, &f));
	assert_ok(access_new(p->svc.db, p->svc.vault, &p->svc.access));
	assert_ok(
	    object_store_open(p->svc.db, p->svc.vault, p->dir, 30 * DAY_MS, &p->svc.objects, &f));
	assert_ok(topics_open(p->svc.db, p->svc.vault, p->config, &p->svc.topics, &f));
	p->svc.config = p->config;
	p->svc.health = &p->health;
	(void)snprintf(p->svc.region, sizeof(p->svc.region), "us-east-1");
	atomic_store(&p->health.database, true);
	atomic_store(&p->health.key_ring, true);
	atomic_store(&p->health.objects, true);
	atomic_store(&p->health.objects_met, true);
}

static int
setup_with(void **state, const char *per_second)
{
	struct place *p = calloc(1, sizeof(*p));
	struct fail f = { .err = SOUK_OK };
	char sub[GUID_TEXT_LEN + 1];
	struct http_app app;

	open_services(p);
	assert_ok(config_set(p->config, SET_REQUESTS_PER_SECOND, per_second, &f));
	assert_ok(country_load(&f));
	assert_ok(db_write(p->svc.db, fill, p));
	assert_ok(dispatcher_new(&p->svc, &p->dispatcher));
	app = dispatcher_app(p->dispatcher);
	assert_ok(http_server_start(&(struct http_options){ .host = "127.0.0.1",
					.threads = 2,
					.connections = 64,
					.idle_seconds = 30,
					.arena_limit = (size_t)1 << 20,
					.memory = dispatcher_memory(),
					.memory_done = dispatcher_memory_done },
	    &app, &p->http, &f));
	guid_format(&p->sub, sub);
	(void)snprintf(p->contacts, sizeof(p->contacts), "/api/v1/subscriptions/%s/contacts", sub);
	*state = p;
	return 0;
}

int
place_setup(void **state)
{
	return setup_with(state, "0");
}

int
place_setup_limited(void **state)
{
	return setup_with(state, "3");
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

int
place_teardown(void **state)
{
	struct place *p = *state;

	http_server_stop(p->http, 5000);
	dispatcher_free(p->dispatcher);
	access_free(p->svc.access);
	topics_close(p->svc.topics);
	object_store_close(p->svc.objects);
	db_close(p->svc.db);
	test_database_drop(p->dir);
	vault_close(p->svc.vault);
	config_free(p->config);
	(void)nftw(p->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(p);
	return 0;
}

/* ---- the client ------------------------------------------------------------------------ */

static size_t
take(char *p, size_t size, size_t n, void *arg)
{
	buf_add(arg, p, size * n);
	return size * n;
}

struct reply
ask(struct place *p, const struct login *as, const char *method, const char *path, const char *body,
    const char *const *headers)
{
	struct reply r = { .status = 0 };
	struct curl_slist *list = curl_slist_append(NULL, "Expect:");
	CURL *c = curl_easy_init();
	char text[512];

	(void)snprintf(
	    text, sizeof(text), "http://127.0.0.1:%u%s", http_server_port(p->http), path);
	(void)curl_easy_setopt(c, CURLOPT_URL, text);
	(void)curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, method);
	(void)curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take);
	(void)curl_easy_setopt(c, CURLOPT_WRITEDATA, &r.body);
	(void)curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, take);
	(void)curl_easy_setopt(c, CURLOPT_HEADERDATA, &r.head);
	(void)curl_easy_setopt(c, CURLOPT_TIMEOUT, 20L);
	(void)curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	if (strcmp(method, "HEAD") == 0)
		(void)curl_easy_setopt(c, CURLOPT_NOBODY, 1L);
	if (body) {
		(void)curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE, (long)strlen(body));
		(void)curl_easy_setopt(c, CURLOPT_POSTFIELDS, body);
		if (!headers || !headers[0] || strncmp(headers[0], "Content-Type:", 13) != 0)
			list = curl_slist_append(list, "Content-Type: application/json");
	}
	if (as) {
		(void)snprintf(text, sizeof(text), "Authorization: Bearer %s", as->token);
		list = curl_slist_append(list, text);
	}
	for (size_t i = 0; headers && headers[i]; i++)
		list = curl_slist_append(list, headers[i]);
	(void)curl_easy_setopt(c, CURLOPT_HTTPHEADER, list);
	if (curl_easy_perform(c) == CURLE_OK)
		(void)curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &r.status);
	r.json = r.body.n ? json_loadb(r.body.p, r.body.n, 0, NULL) : NULL;
	curl_slist_free_all(list);
	curl_easy_cleanup(c);
	return r;
}

void
reply_done(struct reply *r)
{
	buf_done(&r->head);
	buf_done(&r->body);
	json_decref(r->json);
	*r = (struct reply){ .status = 0 };
}

const char *
reply_header(const struct reply *r, const char *name)
{
	static char value[512];
	char want[64];
	const char *at;

	(void)snprintf(want, sizeof(want), "\r\n%s: ", name);
	at = r->head.p ? strcasestr(r->head.p, want) : NULL;
	if (!at)
		return "";
	at += strlen(want);
	(void)snprintf(value, sizeof(value), "%.*s", (int)strcspn(at, "\r\n"), at);
	return value;
}

const char *
reply_text(const struct reply *r, const char *member)
{
	const char *s = json_string_value(json_object_get(r->json, member));

	if (!s)
		fail_msg("no %s in %s", member, r->body.p ? r->body.p : "an empty answer");
	return s;
}
