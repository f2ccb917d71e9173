/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole requests through a whole server: what the dispatcher promises about
 * authentication, audit, idempotency and races must hold over the wire.
 */
#include "place.h"

#include "access/sigv4.h"
#include "base/digest.h"
#include "base/log.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define PERSON(name)                                                                               \
	"{\"organization\":\"Example\",\"givenName\":\"" name                                      \
	"\",\"surname\":\"Quist\",\"telephoneNumber\":\"+1 206 555 0100\",\"emailAddress\":"       \
	"\"person@example.com\"}"

static void
path_of(char *out, size_t size, const char *before, const struct guid *id, const char *after)
{
	char text[GUID_TEXT_LEN + 1];

	guid_format(id, text);
	(void)snprintf(out, size, "%s%s%s", before, text, after);
}

static void
asks_who_calls(void **state)
{
	struct place *p = *state;
	struct reply r = ask(p, NULL, "GET", "/api/v1/whoami", NULL, NULL);

	assert_status(r, 401);
	assert_string_equal(reply_header(&r, "WWW-Authenticate"), "Bearer realm=\"souk\"");
	assert_string_equal(reply_header(&r, "X-Request-Id"), reply_text(&r, "requestId"));
	reply_done(&r);
	r = ask(p, &(struct login){ .token = "souk_wrong" }, "GET", "/api/v1/whoami", NULL, NULL);
	assert_status(r, 401);
	assert_string_equal(reply_text(&r, "code"), "invalid_token");
	reply_done(&r);
	r = ask(p, NULL, "GET", "/api/v1/whoami", NULL,
	    (const char *[]){ "Authorization: Basic dTpw", NULL });
	assert_status(r, 401);
	reply_done(&r);
	r = ask(p, &p->buyer, "GET", "/api/v1/whoami", NULL, NULL);
	assert_status(r, 200);
	assert_string_equal(reply_text(&r, "accountId"), BUYER);
	reply_done(&r);
	/* HEAD says how long the answer would be, and no more. */
	r = ask(p, &p->buyer, "HEAD", "/api/v1/whoami", NULL, NULL);
	assert_status(r, 200);
	assert_int_equal(r.body.n, 0);
	assert_true(strtoul(reply_header(&r, "Content-Length"), NULL, 10) > 0);
	reply_done(&r);
}

static void
refuses_bad_requests_by_name(void **state)
{
	static const struct {
		const char *method, *path, *body; /* path NULL: the buyer's contacts */
		long status;
		const char *code;
	} cases[] = {
		{ "GET", "/api/v1/nothing", NULL, 404, "no_such_route" },
		{ "GET", "/api/v1/", NULL, 404, "no_such_route" },
		{ "DELETE", NULL, NULL, 405, "method_not_allowed" },
		{ "POST", NULL, NULL, 400, "body_missing" },
		{ "POST", NULL, "{", 400, "invalid_json" },
		{ "POST", NULL, "{}x", 400, "invalid_json" },
		{ "POST", NULL, "{\"title\":\"a\",\"title\":\"b\"}", 400, "invalid_json" },
		{ "POST", NULL, "{\"title\":\"\xff\"}", 400, "invalid_json" },
		{ "POST", NULL, "[]", 422, "invalid_field" },
		{ "POST", NULL, "7", 400, "invalid_json" },
		{ "POST", NULL, "{}", 422, "invalid_field" },
		{ "GET", "/api/v1/accounts?limit=0", NULL, 422, "invalid_field" },
		{ "GET", "/api/v1/accounts?cursor=***", NULL, 422, "invalid_field" },
		{ "GET", "/api/v1/subscriptions?state=x", NULL, 422, "invalid_field" },
		{ "GET", "/api/v1/subscriptions?productId=x", NULL, 422, "invalid_field" },
		{ "GET", "/api/v1/subscriptions?productId=%zz", NULL, 400, "invalid_query" },
		{ "GET", "/api/v1/subscriptions?state=%", NULL, 400, "invalid_query" },
		{ "GET", "/api/v1/subscriptions?%00state=ended", NULL, 400, "invalid_query" },
		{ "GET", "/api/v1/accounts?cursor=%4", NULL, 400, "invalid_query" },
		{ "GET", "/api/v1/users/not-a-guid", NULL, 404, "not_found" },
		{ "GET", "/api/v1/sellers/" SELLER "/buckets", NULL, 404, "not_found" },
		{ "GET", "/api/v1/sellers/x/buckets", NULL, 404, "not_found" },
	};
	struct place *p = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct reply r = ask(p, &p->buyer, cases[i].method,
		    cases[i].path ? cases[i].path : p->contacts, cases[i].body, NULL);

		if (r.status != cases[i].status)
			fail_msg("row %zu: %ld %s", i, r.status, r.body.p);
		assert_string_equal(reply_text(&r, "code"), cases[i].code);
		assert_non_null(strstr(reply_header(&r, "Content-Type"), "problem+json"));
		if (r.status == 405)
			assert_string_equal(reply_header(&r, "Allow"), "GET, HEAD, POST");
		reply_done(&r);
	}
}

static void
wants_json_and_not_too_much(void **state)
{
	struct place *p = *state;
	char *big = malloc((10 << 20) + 1);
	struct reply r;

	memset(big, ' ', 10 << 20);
	big[10 << 20] = '\0';
	r = ask(p, &p->buyer, "POST", p->contacts, big, NULL);
	assert_status(r, 413);
	assert_string_equal(reply_text(&r, "code"), "body_too_large");
	assert_string_equal(reply_header(&r, "Connection"), "close");
	reply_done(&r);
	free(big);
	r = ask(p, &p->buyer, "POST", p->contacts, PERSON("Zoe"),
	    (const char *[]){ "Content-Type: text/plain", NULL });
	assert_status(r, 415);
	reply_done(&r);
	r = ask(p, &p->buyer, "POST", p->contacts, PERSON("Zoe"),
	    (const char *[]){ "Content-Type: application/json; charset=utf-8", NULL });
	assert_status(r, 201);
	reply_done(&r);
	r = ask(p, &p->buyer, "GET", p->contacts, NULL,
	    (const char *[]){ "X-Souk-Purpose: Not A Word", NULL });
	assert_status(r, 422);
	reply_done(&r);
}

static void
contacts_live_and_die(void **state)
{
	struct place *p = *state;
	struct reply r = ask(p, &p->buyer, "POST", p->contacts, PERSON("Zoe"), NULL);
	char at[256], first[64], tag[80];

	assert_status(r, 201);
	assert_string_equal(reply_header(&r, "Cache-Control"), "no-store");
	(void)snprintf(at, sizeof(at), "%s", reply_header(&r, "Location"));
	assert_memory_equal(at, p->contacts, strlen(p->contacts));
	(void)snprintf(first, sizeof(first), "%s", reply_header(&r, "ETag"));
	reply_done(&r);

	r = ask(p, &p->buyer, "GET", at, NULL, NULL);
	assert_status(r, 200);
	assert_string_equal(reply_header(&r, "ETag"), first);
	assert_string_equal(reply_text(&r, "givenName"), "Zoe");
	reply_done(&r);

	(void)snprintf(tag, sizeof(tag), "If-Match: %s", first);
	r = ask(p, &p->buyer, "PUT", at, PERSON("Ann"), (const char *[]){ tag, NULL });
	assert_status(r, 200);
	assert_string_not_equal(reply_header(&r, "ETag"), first);
	reply_done(&r);
	/* Who edits what he saw before is told, and nothing is lost. */
	r = ask(p, &p->buyer, "PUT", at, PERSON("Eve"), (const char *[]){ tag, NULL });
	assert_status(r, 412);
	reply_done(&r);
	r = ask(p, &p->buyer, "DELETE", at, NULL, (const char *[]){ "If-Match: \"bogus\"", NULL });
	assert_status(r, 412);
	reply_done(&r);
	r = ask(p, &p->buyer, "GET", at, NULL, NULL);
	assert_string_equal(reply_text(&r, "givenName"), "Ann");
	reply_done(&r);

	r = ask(p, &p->buyer, "DELETE", at, NULL, NULL);
	assert_status(r, 204);
	assert_int_equal(r.body.n, 0);
	reply_done(&r);
	r = ask(p, &p->buyer, "GET", at, NULL, NULL);
	assert_status(r, 404);
	reply_done(&r);
}

/* The documents of two refusals, but for the request's id. */
static void
assert_same_words(struct reply *a, struct reply *b)
{
	(void)json_object_del(a->json, "requestId");
	(void)json_object_del(b->json, "requestId");
	if (a->status != b->status || !json_equal(a->json, b->json))
		fail_msg("%s\n%s", a->body.p, b->body.p);
}

static void
foreign_looks_like_absent(void **state)
{
	struct place *p = *state;
	char foreign[160], absent[160];
	const struct guid nowhere = guid_new();
	struct reply mine = ask(p, &p->other_buyer, "POST", p->contacts, PERSON("Zoe"), NULL);

	assert_status(mine, 404);
	reply_done(&mine);
	path_of(foreign, sizeof(foreign), "/api/v1/subscriptions/", &p->sub, "");
	path_of(absent, sizeof(absent), "/api/v1/subscriptions/", &nowhere, "");
	for (int i = 0; i < 3; i++) {
		static const char *const tails[] = { "", "/contacts",
			"/contacts/00000000-0000-4000-8000-000000000001" };
		char a[256], b[256];
		struct reply ra, rb;

		(void)snprintf(a, sizeof(a), "%s%s", foreign, tails[i]);
		(void)snprintf(b, sizeof(b), "%s%s", absent, tails[i]);
		ra = ask(p, &p->other_buyer, "GET", a, NULL, NULL);
		rb = ask(p, &p->other_buyer, "GET", b, NULL, NULL);
		assert_status(ra, 404);
		assert_same_words(&ra, &rb);
		reply_done(&ra);
		reply_done(&rb);
	}
}

static void
repeats_answers_by_key(void **state)
{
	static const char *const key[] = { "Idempotency-Key: one", NULL };
	struct place *p = *state;
	struct reply a = ask(p, &p->buyer, "POST", p->contacts, PERSON("Zoe"), key), b;
	char at[256];

	assert_status(a, 201);
	(void)snprintf(at, sizeof(at), "%s", reply_header(&a, "Location"));
	b = ask(p, &p->buyer, "POST", p->contacts, PERSON("Zoe"), key);
	assert_status(b, 201);
	assert_string_equal(a.body.p, b.body.p);
	assert_string_equal(reply_header(&b, "Location"), at);
	assert_true(strlen(reply_header(&b, "ETag")) > 2);
	reply_done(&a);
	reply_done(&b);
	b = ask(p, &p->buyer, "POST", p->contacts, PERSON("Ann"), key);
	assert_status(b, 409);
	assert_string_equal(reply_text(&b, "code"), "idempotency_key_reused");
	reply_done(&b);
	/* Keys are an account's own. */
	b = ask(p, &p->other_buyer, "POST", "/api/v1/opt-outs", "{\"scope\":\"everywhere\"}", key);
	assert_status(b, 200);
	reply_done(&b);
	/* A failure is not kept: the same key works once the request does. */
	b = ask(p, &p->buyer, "POST", p->contacts, "{}",
	    (const char *[]){ "Idempotency-Key: two", NULL });
	assert_status(b, 422);
	reply_done(&b);
	b = ask(p, &p->buyer, "POST", p->contacts, PERSON("Ann"),
	    (const char *[]){ "Idempotency-Key: two", NULL });
	assert_status(b, 201);
	reply_done(&b);
	b = ask(p, &p->buyer, "DELETE", at, NULL, NULL);
	assert_status(b, 204);
	reply_done(&b);
	b = ask(p, &p->buyer, "POST", p->contacts, PERSON("Zoe"), key);
	assert_status(b, 409);
	assert_null(strstr(b.body.p, "Zoe"));
	reply_done(&b);
}

struct racer {
	pthread_t thread;
	struct place *p;
	long status;
};

static void *
add_one(void *arg)
{
	struct racer *x = arg;
	struct reply r = ask(x->p, &x->p->buyer, "POST", x->p->contacts, PERSON("Zoe"), NULL);

	x->status = r.status;
	reply_done(&r);
	return NULL;
}

static void
never_a_sixth_contact(void **state)
{
	struct place *p = *state;
	struct racer all[20];
	int made = 0, refused = 0;
	struct reply r;

	for (size_t i = 0; i < COUNT(all); i++) {
		all[i] = (struct racer){ .p = p };
		assert_int_equal(pthread_create(&all[i].thread, NULL, add_one, &all[i]), 0);
	}
	for (size_t i = 0; i < COUNT(all); i++) {
		(void)pthread_join(all[i].thread, NULL);
		made += all[i].status == 201;
		refused += all[i].status == 409;
	}
	assert_int_equal(made, 5);
	assert_int_equal(refused, 15);
	r = ask(p, &p->buyer, "GET", p->contacts, NULL, NULL);
	assert_int_equal(json_array_size(json_object_get(r.json, "items")), 5);
	reply_done(&r);
}

/* The newest audit entry. */
static struct reply
newest_entry(struct place *p, const json_t **ret)
{
	struct reply r = ask(p, &p->op, "GET", "/api/v1/audit-entries?limit=1", NULL, NULL);

	*ret = json_array_get(json_object_get(r.json, "items"), 0);
	assert_non_null(*ret);
	return r;
}

static const char *
text_of(const json_t *o, const char *member)
{
	const char *s = json_string_value(json_object_get(o, member));

	return s ? s : "";
}

static void
reads_are_in_the_audit(void **state)
{
	struct place *p = *state;
	struct reply added = ask(p, &p->buyer, "POST", p->contacts, PERSON("Zoe"), NULL), r, log;
	const json_t *e;

	r = ask(p, &p->buyer, "GET", p->contacts, NULL, NULL);
	log = newest_entry(p, &e);
	assert_string_equal(text_of(e, "action"), "psc:ReadContacts");
	assert_string_equal(text_of(e, "requestId"), reply_header(&r, "X-Request-Id"));
	assert_string_equal(text_of(e, "purpose"), "self-service");
	assert_string_equal(text_of(e, "sellerId"), SELLER);
	assert_int_equal(json_integer_value(json_object_get(e, "count")), 1);
	reply_done(&log);
	reply_done(&r);
	r = ask(p, &p->op, "GET", p->contacts, NULL,
	    (const char *[]){ "X-Souk-Purpose: dispute-17", NULL });
	log = newest_entry(p, &e);
	assert_string_equal(text_of(e, "purpose"), "dispute-17");
	reply_done(&log);
	reply_done(&r);
	r = ask(p, &p->op, "POST", "/api/v1/contact-searches",
	    "{\"emailAddress\":\"person@example.com\",\"purpose\":\"access-request\"}", NULL);
	assert_status(r, 200);
	assert_int_equal(json_array_size(json_object_get(r.json, "items")), 1);
	log = newest_entry(p, &e);
	assert_string_equal(text_of(e, "action"), "psc:SearchContacts");
	assert_string_equal(text_of(e, "purpose"), "access-request");
	assert_null(strstr(log.body.p, "person@"));
	reply_done(&log);
	reply_done(&r);
	/* Others see what their own account did, and only that. */
	r = ask(p, &p->other_buyer, "GET", "/api/v1/audit-entries", NULL, NULL);
	assert_status(r, 200);
	assert_int_equal(json_array_size(json_object_get(r.json, "items")), 0);
	reply_done(&r);
	r = ask(p, &p->buyer, "GET", "/api/v1/audit-entries", NULL, NULL);
	assert_int_equal(json_array_size(json_object_get(r.json, "items")), 2);
	reply_done(&r);
	reply_done(&added);
}

static void
changes_of_facts_are_in_the_audit(void **state)
{
	struct place *p = *state;
	struct reply r =
	    ask(p, &p->op, "PATCH", "/api/v1/accounts/" BUYER, "{\"city\":\"Cadiz\"}", NULL);
	struct reply log;
	const json_t *e;

	assert_status(r, 200);
	log = newest_entry(p, &e);
	assert_string_equal(text_of(e, "action"), "market:ChangeAccount");
	assert_string_equal(text_of(e, "resource"), "account/" BUYER);
	reply_done(&log);
	reply_done(&r);
	/* What failed changed nothing and is not in it. */
	r = ask(p, &p->op, "PATCH", "/api/v1/accounts/" BUYER, "{\"city\":\"Cadiz\"}",
	    (const char *[]){ "If-Match: \"1\"", NULL });
	assert_status(r, 412);
	log = newest_entry(p, &e);
	assert_string_not_equal(text_of(e, "requestId"), reply_header(&r, "X-Request-Id"));
	reply_done(&log);
	reply_done(&r);
}

static void
pages_through_lists(void **state)
{
	struct place *p = *state;
	char path[256] = "/api/v1/accounts?limit=3";
	struct reply r;
	size_t all = 0;

	for (int i = 0; i < 5 && path[0] != '\0'; i++) {
		const char *next;

		r = ask(p, &p->op, "GET", path, NULL, NULL);
		assert_status(r, 200);
		all += json_array_size(json_object_get(r.json, "items"));
		next = json_string_value(json_object_get(r.json, "next"));
		(void)snprintf(path, sizeof(path), "%s%s",
		    next ? "/api/v1/accounts?limit=3&cursor=" : "", next ? next : "");
		reply_done(&r);
	}
	assert_int_equal(all, 4);
	r = ask(p, &p->buyer, "GET", "/api/v1/accounts", NULL, NULL);
	assert_int_equal(json_array_size(json_object_get(r.json, "items")), 1);
	reply_done(&r);
}

/* A cursor is of one list: another one says so, and does not begin somewhere. */
static void
cursors_are_of_one_list(void **state)
{
	static const char *const others[] = { "/api/v1/products", "/api/v1/offers",
		"/api/v1/accounts", "/api/v1/accounts/" BUYER "/users", "/api/v1/audit-entries",
		"/api/v1/sellers/" SELLER "/deliveries" };
	struct place *p = *state;
	char path[256], next[128];
	struct reply r = ask(p, &p->op, "GET", "/api/v1/subscriptions?limit=1", NULL, NULL);

	assert_status(r, 200);
	(void)snprintf(next, sizeof(next), "%s", reply_text(&r, "next"));
	reply_done(&r);
	(void)snprintf(path, sizeof(path), "/api/v1/subscriptions?cursor=%s", next);
	r = ask(p, &p->op, "GET", path, NULL, NULL);
	assert_status(r, 200);
	assert_int_equal(json_array_size(json_object_get(r.json, "items")), 1);
	reply_done(&r);
	for (size_t i = 0; i < COUNT(others); i++) {
		(void)snprintf(path, sizeof(path), "%s?cursor=%s", others[i], next);
		r = ask(p, &p->op, "GET", path, NULL, NULL);
		assert_status(r, 422);
		reply_done(&r);
	}
}

/* Where the answer says it is, there it is, for its account and without its secret. */
static void
made_logins_are_where_location_says(void **state)
{
	static const struct {
		const char *what, *id, *secret;
	} cases[] = {
		{ "/access-keys", "accessKeyId", "secretAccessKey" },
		{ "/tokens", "tokenId", "token" },
	};
	struct place *p = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		char path[128], where[128], id[64], secret[64];
		struct reply r;

		path_of(path, sizeof(path), "/api/v1/users/", &p->buyer.user, cases[i].what);
		r = ask(p, &p->buyer, "POST", path, "{}", NULL);
		assert_status(r, 201);
		(void)snprintf(where, sizeof(where), "%s", reply_header(&r, "Location"));
		(void)snprintf(id, sizeof(id), "%s", reply_text(&r, cases[i].id));
		(void)snprintf(secret, sizeof(secret), "%s", reply_text(&r, cases[i].secret));
		reply_done(&r);
		r = ask(p, &p->buyer, "GET", where, NULL, NULL);
		assert_status(r, 200);
		assert_string_equal(reply_text(&r, cases[i].id), id);
		assert_null(strstr(r.body.p, secret));
		reply_done(&r);
		r = ask(p, &p->op, "GET", where, NULL, NULL);
		assert_status(r, 200);
		reply_done(&r);
		r = ask(p, &p->other_buyer, "GET", where, NULL, NULL);
		assert_status(r, 404);
		reply_done(&r);
	}
}

/* Buckets, topics, endpoints: as the lists have them, and nobody else's. */
static void
delivery_places_are_where_location_says(void **state)
{
	static const char base[] = "/api/v1/sellers/" SELLER;
	static const struct {
		const char *list, *body, *member, *value;
	} cases[] = {
		{ "/buckets", "{\"name\":\"exports-one\"}", "name", "exports-one" },
		{ "/topics", "{\"name\":\"ready\"}", "name", "ready" },
		{ "/topics/ready/endpoints", "{\"url\":\"https://hooks.seller.example/x\"}", "url",
		    "https://hooks.seller.example/x" },
	};
	static const char *const absent[] = { "/buckets/exports-two", "/buckets/X", "/topics/none",
		"/topics/ready/endpoints/00000000-0000-4000-8000-000000000001",
		"/topics/ready/endpoints/x" };
	struct place *p = *state;
	char path[192], where[192];
	struct reply r, list;

	for (size_t i = 0; i < COUNT(cases); i++) {
		(void)snprintf(path, sizeof(path), "%s%s", base, cases[i].list);
		r = ask(p, &p->seller, "POST", path, cases[i].body, NULL);
		assert_status(r, 201);
		(void)snprintf(where, sizeof(where), "%s", reply_header(&r, "Location"));
		reply_done(&r);
		r = ask(p, &p->seller, "GET", where, NULL, NULL);
		assert_status(r, 200);
		assert_string_equal(reply_text(&r, cases[i].member), cases[i].value);
		list = ask(p, &p->seller, "GET", path, NULL, NULL);
		(void)json_object_del(r.json, "jobs"); /* of one endpoint only */
		assert_true(
		    json_equal(json_array_get(json_object_get(list.json, "items"), 0), r.json));
		reply_done(&list);
		reply_done(&r);
		r = ask(p, &p->op, "GET", where, NULL, NULL);
		assert_status(r, 200);
		reply_done(&r);
		r = ask(p, &p->buyer, "GET", where, NULL, NULL);
		assert_status(r, 404);
		reply_done(&r);
	}
	for (size_t i = 0; i < COUNT(absent); i++) {
		(void)snprintf(path, sizeof(path), "%s%s", base, absent[i]);
		r = ask(p, &p->seller, "GET", path, NULL, NULL);
		assert_status(r, 404);
		reply_done(&r);
	}
	/* The operator asks for a seller's, not for anybody's. */
	r = ask(p, &p->op, "GET", "/api/v1/sellers/" BUYER "/buckets/exports-one", NULL, NULL);
	assert_status(r, 404);
	reply_done(&r);
	/* An endpoint belongs to its topic. */
	r = ask(p, &p->seller, "POST", "/api/v1/sellers/" SELLER "/topics", "{\"name\":\"more\"}",
	    NULL);
	reply_done(&r);
	(void)snprintf(path, sizeof(path), "%s/topics/more%s", base,
	    where + strlen(base) + strlen("/topics/ready"));
	r = ask(p, &p->seller, "GET", path, NULL, NULL);
	assert_status(r, 404);
	reply_done(&r);
	r = ask(p, &p->seller, "DELETE", path, NULL, NULL);
	assert_status(r, 404);
	reply_done(&r);
	r = ask(p, &p->seller, "DELETE", where, NULL, NULL);
	assert_status(r, 204);
	reply_done(&r);
}

static void
logins_come_and_go_at_once(void **state)
{
	struct place *p = *state;
	struct login made = { .token = "" };
	char path[128], token_path[160];
	struct reply r;

	path_of(path, sizeof(path), "/api/v1/users/", &p->buyer.user, "/tokens");
	/* Nobody makes himself a token of somebody else's. */
	r = ask(p, &p->other_buyer, "POST", path, "{\"label\":\"x\"}", NULL);
	assert_status(r, 404);
	reply_done(&r);
	r = ask(p, &p->buyer, "POST", path,
	    "{\"label\":\"narrow\",\"policy\":{\"Version\":\"2012-10-17\",\"Statement\":[{"
	    "\"Effect\":\"Allow\",\"Action\":\"access:*\",\"Resource\":"
	    "\"arn:souk:access::" BUYER ":whoami\"}]}}",
	    NULL);
	assert_status(r, 201);
	(void)snprintf(made.token, sizeof(made.token), "%s", reply_text(&r, "token"));
	(void)snprintf(
	    token_path, sizeof(token_path), "/api/v1/tokens/%s", reply_text(&r, "tokenId"));
	reply_done(&r);
	r = ask(p, &made, "GET", "/api/v1/whoami", NULL, NULL);
	assert_status(r, 200);
	reply_done(&r);
	r = ask(p, &made, "GET", p->contacts, NULL, NULL);
	assert_status(r, 403);
	assert_string_equal(reply_text(&r, "code"), "access_denied");
	reply_done(&r);
	r = ask(p, &made, "GET", path, NULL, NULL);
	assert_status(r, 403);
	reply_done(&r);
	r = ask(p, &p->buyer, "DELETE", token_path, NULL, NULL);
	assert_status(r, 204);
	reply_done(&r);
	r = ask(p, &made, "GET", "/api/v1/whoami", NULL, NULL);
	assert_status(r, 401);
	reply_done(&r);
	r = ask(p, &p->buyer, "POST", path, "{\"policy\":{\"Statement\":[{\"NotAction\":\"*\"}]}}",
	    NULL);
	assert_status(r, 422);
	reply_done(&r);
	/* A suspended account is out, also with what is cached. */
	r = ask(p, &p->op, "PATCH", "/api/v1/accounts/" BUYER, "{\"state\":\"suspended\"}", NULL);
	assert_status(r, 200);
	reply_done(&r);
	r = ask(p, &p->buyer, "GET", "/api/v1/whoami", NULL, NULL);
	assert_status(r, 401);
	reply_done(&r);
}

/* A change of a login counts at once, and says what it cannot do. */
static void
logins_change_at_once(void **state)
{
	static const struct {
		const char *key, *body, *field; /* key: of an access key, else of a token */
	} refused[] = {
		{ "k", "{}", "body" },
		{ "k", "{\"state\":null}", "state" },
		{ "k", "{\"state\":\"off\"}", "state" },
		{ "k", "{\"label\":\"x\"}", "label" },
		{ "k", "{\"policy\":{\"Statement\":[]}}", "policy.Statement" },
		{ "k", "{\"policy\":\"x\"}", "policy" },
		{ NULL, "{}", "body" },
		{ NULL, "{\"label\":null}", "label" },
		{ NULL, "{\"label\":\"a\\nb\"}", "label" },
		{ NULL, "{\"state\":\"active\"}", "state" },
		{ NULL, "{\"expiresAt\":\"tomorrow\"}", "expiresAt" },
		{ NULL, "{\"expiresAt\":\"1970-01-01T00:00:00Z\"}", "expiresAt" },
		{ NULL, "{\"policy\":{\"Statement\":[1]}}", "policy.Statement[0]" },
	};
	struct place *p = *state;
	struct login made = { .token = "" };
	char tokens[128], token[128], key[64];
	struct reply r;

	path_of(tokens, sizeof(tokens), "/api/v1/users/", &p->buyer.user, "/tokens");
	(void)snprintf(key, sizeof(key), "/api/v1/access-keys/%s", p->buyer.key.access_key_id);
	r = ask(p, &p->buyer, "POST", tokens, "{\"label\":\"x\"}", NULL);
	assert_status(r, 201);
	(void)snprintf(made.token, sizeof(made.token), "%s", reply_text(&r, "token"));
	(void)snprintf(token, sizeof(token), "%s", reply_header(&r, "Location"));
	reply_done(&r);
	for (size_t i = 0; i < COUNT(refused); i++) {
		r = ask(p, &p->buyer, "PATCH", refused[i].key ? key : token, refused[i].body, NULL);
		if (r.status != 422 ||
		    strcmp(json_string_value(json_object_get(
			       json_array_get(json_object_get(r.json, "errors"), 0), "field")),
			refused[i].field) != 0)
			fail_msg("row %zu: %ld %s", i, r.status, r.body.p);
		reply_done(&r);
	}
	r = ask(p, &made, "GET", p->contacts, NULL, NULL);
	assert_status(r, 200);
	reply_done(&r);
	r = ask(p, &p->buyer, "PATCH", token,
	    "{\"label\":\"y\",\"expiresAt\":\"2199-01-01T00:00:00Z\",\"policy\":{\"Statement\":[{"
	    "\"Effect\":\"Allow\",\"Action\":\"access:*\",\"Resource\":\"*\"}]}}",
	    NULL);
	assert_status(r, 204);
	reply_done(&r);
	r = ask(p, &made, "GET", p->contacts, NULL, NULL);
	assert_status(r, 403);
	reply_done(&r);
	r = ask(p, &p->buyer, "GET", token, NULL, NULL);
	assert_string_equal(reply_text(&r, "label"), "y");
	assert_string_equal(reply_text(&r, "expiresAt"), "2199-01-01T00:00:00.000Z");
	assert_non_null(json_object_get(r.json, "policy"));
	reply_done(&r);
	r = ask(p, &p->buyer, "PATCH", token, "{\"policy\":null,\"expiresAt\":null}", NULL);
	assert_status(r, 204);
	reply_done(&r);
	r = ask(p, &p->buyer, "GET", token, NULL, NULL);
	assert_string_equal(reply_text(&r, "label"), "y");
	assert_null(json_object_get(r.json, "expiresAt"));
	assert_null(json_object_get(r.json, "policy"));
	reply_done(&r);
	r = ask(p, &made, "GET", p->contacts, NULL, NULL);
	assert_status(r, 200);
	reply_done(&r);
}

static void
opts_out_and_ends(void **state)
{
	struct place *p = *state;
	char sub[GUID_TEXT_LEN + 1], body[128], path[160];
	struct reply r = ask(p, &p->buyer, "POST", p->contacts, PERSON("Zoe"), NULL);

	reply_done(&r);
	guid_format(&p->sub, sub);
	(void)snprintf(
	    body, sizeof(body), "{\"scope\":\"everywhere\",\"subscriptionId\":\"%s\"}", sub);
	r = ask(p, &p->buyer, "POST", "/api/v1/opt-outs", body, NULL);
	assert_status(r, 422);
	reply_done(&r);
	r = ask(p, &p->buyer, "POST", "/api/v1/opt-outs", "{\"scope\":\"seller\"}", NULL);
	assert_status(r, 422);
	reply_done(&r);
	r = ask(p, &p->buyer, "POST", "/api/v1/opt-outs", "{\"scope\":\"everywhere\"}", NULL);
	assert_status(r, 200);
	assert_int_equal(json_integer_value(json_object_get(r.json, "deleted")), 1);
	reply_done(&r);
	(void)snprintf(path, sizeof(path), "/api/v1/subscriptions/%s/end", sub);
	r = ask(p, &p->buyer, "POST", path, NULL, NULL);
	assert_status(r, 403);
	reply_done(&r);
	r = ask(p, &p->op, "POST", path, "{}", NULL);
	assert_status(r, 200);
	assert_string_equal(reply_text(&r, "state"), "ended");
	reply_done(&r);
	r = ask(p, &p->buyer, "POST", p->contacts, PERSON("Zoe"), NULL);
	assert_status(r, 409);
	assert_string_equal(reply_text(&r, "code"), "subscription_ended");
	reply_done(&r);
}

static void
slows_down_who_is_too_fast(void **state)
{
	struct place *p = *state;
	struct reply r;
	int limited = 0;

	for (int i = 0; i < 8; i++) {
		r = ask(p, &p->buyer, "GET", "/api/v1/whoami", NULL, NULL);
		if (r.status == 429) {
			limited++;
			assert_string_equal(reply_header(&r, "Retry-After"), "1");
			assert_string_equal(reply_text(&r, "code"), "rate_limited");
		}
		reply_done(&r);
	}
	assert_in_range(limited, 3, 5);
	r = ask(p, &p->other_buyer, "GET", "/api/v1/whoami", NULL, NULL);
	assert_status(r, 200);
	reply_done(&r);
}

/* ---- AWS JSON -------------------------------------------------------------------------- */

#define SCOPE_TAIL "/us-east-1/marketplacecommerceanalytics/aws4_request"

/* Signs as botocore does: content-type;host;x-amz-date;x-amz-target. */
static struct reply
ask_signed(struct place *p, const struct login *as, const char *body, int64_t skew)
{
	char amz[INSTANT_AMZ_LEN + 1], host[32], date[64], auth[400], hash[65], signature[65];
	char scope[80];
	uint8_t digest[32], key[32];
	struct buf canonical = { 0 }, to_sign = { 0 };
	struct sigv4_header h[] = { { STR("content-type"), STR("application/x-amz-json-1.1") },
		{ STR("host"), { host, 0 } }, { STR("x-amz-date"), { amz, INSTANT_AMZ_LEN } },
		{ STR("x-amz-target"),
		    STR("MarketplaceCommerceAnalytics20150701.StartSupportDataExport") } };
	struct sigv4_req q = { .method = STR("POST"),
		.path = STR("/"),
		.query = STR(""),
		.headers = h,
		.n_headers = 4 };

	instant_format_amz(clock_now() + skew, amz);
	h[1].value.n =
	    (size_t)snprintf(host, sizeof(host), "127.0.0.1:%u", http_server_port(p->http));
	(void)snprintf(scope, sizeof(scope), "%.8s" SCOPE_TAIL, amz);
	sha256(body, strlen(body), digest);
	hex_encode(digest, 32, hash);
	assert_int_equal(
	    sigv4_canonical(&q, false, STR("content-type;host;x-amz-date;x-amz-target"),
		str_c(hash), &canonical),
	    SOUK_OK);
	sigv4_to_sign(h[2].value, str_c(scope), buf_str(&canonical), &to_sign);
	sigv4_signing_key((struct str){ as->key.secret, SECRET_KEY_LEN }, (struct str){ amz, 8 },
	    STR("us-east-1"), STR("marketplacecommerceanalytics"), key);
	sigv4_signature(key, buf_str(&to_sign), signature);
	(void)snprintf(auth, sizeof(auth),
	    "Authorization: AWS4-HMAC-SHA256 Credential=%s/%s, "
	    "SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature=%s",
	    as->key.access_key_id, scope, signature);
	(void)snprintf(date, sizeof(date), "X-Amz-Date: %s", amz);
	buf_done(&canonical);
	buf_done(&to_sign);
	return ask(p, NULL, "POST", "/", body,
	    (const char *[]){ "Content-Type: application/x-amz-json-1.1",
		"X-Amz-Target: MarketplaceCommerceAnalytics20150701.StartSupportDataExport", date,
		auth, NULL });
}

#define EXPORT(from)                                                                               \
	"{\"dataSetType\":\"test_customer_support_contacts_data\",\"fromDate\":" from              \
	",\"roleNameArn\":\"arn:aws:iam::" SELLER ":role/R\",\"destinationS3BucketName\":\"b\","   \
	"\"snsTopicArn\":\"arn:aws:sns:us-east-1:" SELLER ":t\"}"

static void
starts_exports_for_signed_calls(void **state)
{
	struct place *p = *state;
	struct reply r = ask_signed(p, &p->seller, EXPORT("1470366890.334"), 0), log;
	char path[160];

	assert_status(r, 200);
	assert_string_equal(reply_header(&r, "Content-Type"), "application/x-amz-json-1.1");
	assert_int_equal(strlen(reply_header(&r, "x-amzn-RequestId")), GUID_TEXT_LEN);
	(void)snprintf(path, sizeof(path), "/api/v1/sellers/" SELLER "/deliveries/%s",
	    reply_text(&r, "dataSetRequestId"));
	log = ask(p, &p->seller, "GET", path, NULL, NULL);
	assert_status(log, 200);
	assert_string_equal(reply_text(&log, "fromDate"), "2016-08-05T03:14:50.334Z");
	assert_string_equal(reply_text(&log, "state"), "waiting");
	reply_done(&log);
	/* Another seller's, a buyer's: not there. */
	log = ask(p, &p->buyer, "GET", path, NULL, NULL);
	assert_status(log, 404);
	reply_done(&log);
	reply_done(&r);
}

static void
lets_no_seller_fill_the_queue(void **state)
{
	struct place *p = *state;
	struct reply r;

	for (int i = 0; i < 100; i++) {
		r = ask_signed(p, &p->seller, EXPORT("1"), 0);
		assert_status(r, 200);
		reply_done(&r);
	}
	r = ask_signed(p, &p->seller, EXPORT("1"), 0);
	assert_status(r, 400);
	assert_string_equal(reply_text(&r, "__type"), "ThrottlingException");
	reply_done(&r);
}

static void
refuses_what_is_not_signed_well(void **state)
{
	struct place *p = *state;
	struct login wrong = p->seller, unknown = p->seller;
	struct reply a, b;

	wrong.key.secret[0] = wrong.key.secret[0] == 'x' ? 'y' : 'x';
	memcpy(unknown.key.access_key_id, "SOUKAAAAAAAAAAAAAAAA", ACCESS_KEY_ID_LEN);
	a = ask_signed(p, &wrong, EXPORT("1"), 0);
	b = ask_signed(p, &unknown, EXPORT("1"), 0);
	assert_status(a, 400);
	assert_string_equal(reply_text(&a, "__type"), "InvalidSignatureException");
	assert_same_words(&a, &b);
	reply_done(&a);
	reply_done(&b);
	a = ask_signed(p, &p->seller, EXPORT("1"), -6 * MINUTE_MS);
	assert_string_equal(reply_text(&a, "__type"), "InvalidSignatureException");
	assert_string_equal(reply_header(&a, "x-amzn-ErrorType"), "InvalidSignatureException");
	reply_done(&a);
	a = ask_signed(p, &p->seller, EXPORT("1"), 4 * MINUTE_MS);
	assert_status(a, 200);
	reply_done(&a);
	a = ask_signed(p, &p->seller, "{\"dataSetType\":", 0);
	assert_string_equal(reply_text(&a, "__type"), "SerializationException");
	reply_done(&a);
	a = ask_signed(p, &p->buyer, EXPORT("1"), 0);
	assert_string_equal(reply_text(&a, "__type"), "AccessDeniedException");
	reply_done(&a);
	/* Another region's name would be one that no policy denies. */
	a = ask_signed(p, &p->seller,
	    "{\"dataSetType\":\"test_customer_support_contacts_data\",\"fromDate\":1,"
	    "\"roleNameArn\":\"arn:aws:iam::" SELLER ":role/R\",\"destinationS3BucketName\":\"b\","
	    "\"snsTopicArn\":\"arn:aws:sns:us-east-2:" SELLER ":t\"}",
	    0);
	assert_string_equal(reply_text(&a, "__type"), "ValidationException");
	reply_done(&a);
	a = ask(p, NULL, "POST", "/", "{}",
	    (const char *[]){
		"X-Amz-Target: MarketplaceCommerceAnalytics20150701.StartSupportDataExport",
		NULL });
	assert_string_equal(reply_text(&a, "__type"), "MissingAuthenticationTokenException");
	reply_done(&a);
}

/* ---- operations, links ----------------------------------------------------------------- */

static void
tells_operations_how_it_is(void **state)
{
	struct place *p = *state;
	struct reply r = ask(p, NULL, "GET", "/healthz", NULL, NULL);

	assert_status(r, 200);
	reply_done(&r);
	r = ask(p, NULL, "GET", "/readyz", NULL, NULL);
	assert_status(r, 200);
	reply_done(&r);
	atomic_store(&p->health.database, false);
	r = ask(p, NULL, "GET", "/readyz", NULL, NULL);
	assert_status(r, 503);
	assert_string_equal(reply_text(&r, "database"), "cannot be written");
	reply_done(&r);
	atomic_store(&p->health.database, true);
	atomic_store(&p->health.stopping, true);
	r = ask(p, NULL, "GET", "/readyz", NULL, NULL);
	assert_status(r, 503);
	reply_done(&r);
	r = ask(p, NULL, "GET", "/metrics", NULL, NULL);
	assert_status(r, 200);
	assert_non_null(
	    strstr(r.body.p, "souk_http_requests_total{family=\"ops\",status=\"5xx\"}"));
	reply_done(&r);
	r = ask(p, NULL, "POST", "/healthz", NULL, NULL);
	assert_status(r, 405);
	reply_done(&r);
	r = ask(p, NULL, "GET", "/", NULL, NULL);
	assert_status(r, 200);
	reply_done(&r);
}

static void
serves_the_certificate_and_no_guessed_link(void **state)
{
	struct place *p = *state;
	char path[200];
	struct reply r;

	(void)snprintf(path, sizeof(path), "/sns/%s.pem", topics_cert_name(p->svc.topics));
	r = ask(p, NULL, "GET", path, NULL, NULL);
	assert_status(r, 200);
	assert_string_equal(r.body.p, topics_cert_pem(p->svc.topics));
	reply_done(&r);
	r = ask(p, NULL, "GET", "/sns/other.pem", NULL, NULL);
	assert_status(r, 404);
	reply_done(&r);
	r = ask(p, NULL, "GET",
	    "/sns?Action=ConfirmSubscription&TopicArn=arn%3Aaws%3Asns%3Aus-east-1%3A" SELLER
	    "%3At&Token=guess",
	    NULL, NULL);
	assert_status(r, 404);
	reply_done(&r);
	r = ask(p, NULL, "GET", "/sns?Action=Other", NULL, NULL);
	assert_status(r, 400);
	reply_done(&r);
}

static void
upkeep_starts_and_ends(void **state)
{
	struct place *p = *state;
	struct upkeep *u;

	upkeep_drop(&p->svc);
	assert_int_equal(upkeep_begin(&p->svc, &u), SOUK_OK);
	upkeep_end(u);
	assert_true(atomic_load(&p->health.database));
	assert_true(atomic_load(&p->health.key_ring));
}

#define T(f) cmocka_unit_test_setup_teardown(f, place_setup, place_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(asks_who_calls),
		T(refuses_bad_requests_by_name),
		T(wants_json_and_not_too_much),
		T(contacts_live_and_die),
		T(foreign_looks_like_absent),
		T(repeats_answers_by_key),
		T(never_a_sixth_contact),
		T(reads_are_in_the_audit),
		T(changes_of_facts_are_in_the_audit),
		T(pages_through_lists),
		T(cursors_are_of_one_list),
		T(made_logins_are_where_location_says),
		T(delivery_places_are_where_location_says),
		T(logins_come_and_go_at_once),
		T(logins_change_at_once),
		T(opts_out_and_ends),
		cmocka_unit_test_setup_teardown(
		    slows_down_who_is_too_fast, place_setup_limited, place_teardown),
		T(starts_exports_for_signed_calls),
		T(lets_no_seller_fill_the_queue),
		T(refuses_what_is_not_signed_well),
		T(tells_operations_how_it_is),
		T(serves_the_certificate_and_no_guessed_link),
		T(upkeep_starts_and_ends),
	};

	log_setup(LOG_OFF, 0);
	return cmocka_run_group_tests_name("server.server", tests, NULL, NULL);
}
