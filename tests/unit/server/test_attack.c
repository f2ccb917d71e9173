/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What somebody would try who has a login and means no good: other spellings of what a
 * policy denies, logins that may more than their maker, ids of others, replies out of a
 * cache. Each case was an open door once.
 */
#include "place.h"

#include "base/log.h"

#include <ctype.h>
#include <stdio.h>

#define PERSON(name)                                                                               \
	"{\"organization\":\"Example\",\"givenName\":\"" name                                      \
	"\",\"surname\":\"Quist\",\"telephoneNumber\":\"+1 206 555 0100\",\"emailAddress\":"       \
	"\"person@example.com\"}"
#define ALL "{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}"

/* A user of the account with this policy (JSON; NULL: none), and a token of it. */
static struct login
make_user(struct place *p, const char *account, const char *name, const char *policy)
{
	struct login l = { .token = "" };
	char path[128], body[1024];
	struct reply r;

	(void)snprintf(path, sizeof(path), "/api/v1/accounts/%s/users", account);
	(void)snprintf(
	    body, sizeof(body), "{\"name\":\"%s\",\"policy\":%s}", name, policy ? policy : "null");
	r = ask(p, &p->op, "POST", path, body, NULL);
	assert_status(r, 201);
	assert_true(guid_parse(str_c(reply_text(&r, "userId")), &l.user));
	(void)snprintf(path, sizeof(path), "/api/v1/users/%s/tokens", reply_text(&r, "userId"));
	reply_done(&r);
	r = ask(p, &p->op, "POST", path, "{}", NULL);
	assert_status(r, 201);
	(void)snprintf(l.token, sizeof(l.token), "%s", reply_text(&r, "token"));
	reply_done(&r);
	return l;
}

static long
status_of(
    struct place *p, const struct login *as, const char *method, const char *path, const char *body)
{
	struct reply r = ask(p, as, method, path, body, NULL);
	long status = r.status;

	reply_done(&r);
	return status;
}

static void
denied_however_it_is_spelled(void **state)
{
	struct place *p = *state;
	char id[GUID_TEXT_LEN + 1], policy[400], path[200];
	struct login l;

	guid_format(&p->sub, id);
	(void)snprintf(policy, sizeof(policy),
	    "{\"Statement\":[" ALL ",{\"Effect\":\"Deny\",\"Action\":\"psc:*\",\"Resource\":"
	    "\"arn:souk:psc::" BUYER ":subscriptions/%s/*\"}]}",
	    id);
	l = make_user(p, BUYER, "narrow", policy);
	assert_int_equal(status_of(p, &l, "GET", p->contacts, NULL), 403);
	assert_int_equal(status_of(p, &l, "HEAD", p->contacts, NULL), 403);
	(void)snprintf(
	    path, sizeof(path), "/api/v1/subscriptions/%%%02x%s/contacts", id[0], id + 1);
	assert_int_equal(status_of(p, &l, "GET", path, NULL), 403);
	for (char *c = id; *c; c++)
		*c = (char)toupper((unsigned char)*c);
	(void)snprintf(path, sizeof(path), "/api/v1/subscriptions/%s/contacts", id);
	assert_int_equal(status_of(p, &l, "GET", path, NULL), 403);
	/* Both spellings are fine for those who may. */
	assert_int_equal(status_of(p, &p->buyer, "GET", path, NULL), 200);
}

/* Opting out is an action of its own (docs/operators.md): a deny on contacts is not enough. */
static void
opting_out_is_denied_by_name(void **state)
{
	static const char out[] = "{\"scope\":\"everywhere\"}";
	struct place *p = *state;
	char policy[512];
	struct login l;

	(void)snprintf(policy, sizeof(policy),
	    "{\"Statement\":[" ALL ",{\"Effect\":\"Deny\",\"Action\":\"psc:*\",\"Resource\":"
	    "\"arn:souk:psc::" BUYER ":subscriptions/*\"},{\"Effect\":\"Deny\",\"Action\":"
	    "\"psc:*Contact*\",\"Resource\":\"*\"}]}");
	l = make_user(p, BUYER, "some", policy);
	assert_int_equal(status_of(p, &l, "GET", p->contacts, NULL), 403);
	assert_int_equal(status_of(p, &l, "POST", "/api/v1/opt-outs", out), 200);
	(void)snprintf(policy, sizeof(policy),
	    "{\"Statement\":[" ALL ",{\"Effect\":\"Deny\",\"Action\":[\"psc:DeleteContact\","
	    "\"psc:OptOut\"],\"Resource\":\"*\"}]}");
	l = make_user(p, BUYER, "other", policy);
	assert_int_equal(status_of(p, &l, "GET", p->contacts, NULL), 200);
	assert_int_equal(status_of(p, &l, "POST", "/api/v1/opt-outs", out), 403);
	(void)snprintf(policy, sizeof(policy),
	    "{\"Statement\":[" ALL ",{\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":"
	    "\"arn:souk:psc::" BUYER ":opt-outs\"}]}");
	l = make_user(p, BUYER, "third", policy);
	assert_int_equal(status_of(p, &l, "POST", "/api/v1/opt-outs", out), 403);
}

#define ONLY(actions)                                                                              \
	"{\"Statement\":[{\"Effect\":\"Allow\",\"Action\":" actions ",\"Resource\":\"*\"}]}"

static void
nobody_gives_more_than_he_has(void **state)
{
	struct place *p = *state;
	struct login l = make_user(p, BUYER, "clerk", ONLY("[\"access:*\",\"psc:ReadContacts\"]"));
	char tokens[128], own_tokens[128], keys[128], own[128], id[GUID_TEXT_LEN + 1];
	struct login narrow = { .token = "" };
	struct reply r;

	guid_format(&p->buyer.user, id);
	(void)snprintf(tokens, sizeof(tokens), "/api/v1/users/%s/tokens", id);
	(void)snprintf(keys, sizeof(keys), "/api/v1/users/%s/access-keys", id);
	guid_format(&l.user, id);
	(void)snprintf(own, sizeof(own), "/api/v1/users/%s", id);
	(void)snprintf(own_tokens, sizeof(own_tokens), "/api/v1/users/%s/tokens", id);

	/* A login of one who may everything, a user who may everything, no policy for oneself. */
	r = ask(p, &l, "POST", tokens, "{}", NULL);
	assert_status(r, 403);
	assert_string_equal(reply_text(&r, "code"), "policy_too_wide");
	reply_done(&r);
	assert_int_equal(status_of(p, &l, "POST", keys, "{}"), 403);
	assert_int_equal(status_of(p, &l, "POST", tokens, "{\"policy\":" ONLY("\"*\"") "}"), 403);
	assert_int_equal(
	    status_of(p, &l, "POST", "/api/v1/accounts/" BUYER "/users", "{\"name\":\"x\"}"), 403);
	assert_int_equal(status_of(p, &l, "POST", "/api/v1/accounts/" BUYER "/users",
			     "{\"name\":\"x\",\"policy\":" ONLY("\"psc:*\"") "}"),
	    403);
	assert_int_equal(status_of(p, &l, "PATCH", own, "{\"policy\":null}"), 403);
	assert_int_equal(
	    status_of(p, &l, "PATCH", own, "{\"policy\":" ONLY("[\"access:*\",\"psc:*\"]") "}"),
	    403);

	/* What stays within is fine: for others, for oneself. */
	assert_int_equal(
	    status_of(p, &l, "POST", tokens, "{\"policy\":" ONLY("\"psc:ReadContacts\"") "}"), 201);
	assert_int_equal(status_of(p, &l, "POST", own_tokens, "{}"), 201);
	assert_int_equal(status_of(p, &l, "POST", "/api/v1/accounts/" BUYER "/users",
			     "{\"name\":\"x\",\"policy\":" ONLY("\"access:WhoAmI\"") "}"),
	    201);

	/* A token that may less than its user makes none that may as much as the user. */
	r = ask(p, &p->buyer, "POST", tokens, "{\"policy\":" ONLY("\"access:*\"") "}", NULL);
	assert_status(r, 201);
	(void)snprintf(narrow.token, sizeof(narrow.token), "%s", reply_text(&r, "token"));
	reply_done(&r);
	assert_int_equal(status_of(p, &narrow, "POST", tokens, "{}"), 403);
	assert_int_equal(
	    status_of(p, &narrow, "POST", tokens, "{\"policy\":" ONLY("\"access:*\"") "}"), 201);
	/* Whose user it is comes first: others' are not there. */
	guid_format(&p->other_buyer.user, id);
	(void)snprintf(tokens, sizeof(tokens), "/api/v1/users/%s/tokens", id);
	assert_int_equal(status_of(p, &l, "POST", tokens, "{}"), 404);
}

/* Makes a login of the user with this body; its path. */
static void
make_login(struct place *p, const struct guid *user, const char *kind, const char *body, char *path,
    size_t size)
{
	char id[GUID_TEXT_LEN + 1], at[128];
	struct reply r;

	guid_format(user, id);
	(void)snprintf(at, sizeof(at), "/api/v1/users/%s/%s", id, kind);
	r = ask(p, &p->buyer, "POST", at, body, NULL);
	assert_status(r, 201);
	(void)snprintf(path, size, "%s", reply_header(&r, "Location"));
	reply_done(&r);
}

/* A change gives too: what a login may after it must be within what the changer may. */
static void
nobody_gives_more_by_changing(void **state)
{
	struct place *p = *state;
	struct login l = make_user(p, BUYER, "clerk", ONLY("[\"access:*\",\"psc:ReadContacts\"]"));
	char token[128], key[128], narrow_token[128], narrow_key[128], user[128],
	    id[GUID_TEXT_LEN + 1];
	struct reply r;

	make_login(p, &p->buyer.user, "tokens", "{}", token, sizeof(token));
	make_login(p, &p->buyer.user, "access-keys", "{}", key, sizeof(key));
	make_login(p, &p->buyer.user, "tokens", "{\"policy\":" ONLY("\"psc:ReadContacts\"") "}",
	    narrow_token, sizeof(narrow_token));
	make_login(p, &p->buyer.user, "access-keys",
	    "{\"policy\":" ONLY("\"psc:ReadContacts\"") "}", narrow_key, sizeof(narrow_key));

	/* Taking a policy away, a wider one, and what a wider login has: longer, or again. */
	r = ask(p, &l, "PATCH", narrow_token, "{\"policy\":null}", NULL);
	assert_status(r, 403);
	assert_string_equal(reply_text(&r, "code"), "policy_too_wide");
	reply_done(&r);
	assert_int_equal(status_of(p, &l, "PATCH", narrow_key, "{\"policy\":null}"), 403);
	assert_int_equal(
	    status_of(p, &l, "PATCH", narrow_key, "{\"policy\":" ONLY("\"*\"") "}"), 403);
	assert_int_equal(
	    status_of(p, &l, "PATCH", token, "{\"policy\":" ONLY("\"psc:*\"") "}"), 403);
	assert_int_equal(status_of(p, &l, "PATCH", token, "{\"expiresAt\":null}"), 403);
	assert_int_equal(status_of(p, &l, "PATCH", key, "{\"state\":\"disabled\"}"), 204);
	assert_int_equal(status_of(p, &l, "PATCH", key, "{\"state\":\"active\"}"), 403);
	/* Nothing of it was done. */
	assert_int_equal(status_of(p, &p->buyer, "PATCH", key, "{\"state\":\"active\"}"), 204);
	r = ask(p, &p->buyer, "GET", narrow_key, NULL, NULL);
	assert_non_null(json_object_get(r.json, "policy"));
	reply_done(&r);

	/* What stays within is fine, also for a login that was wider. */
	assert_int_equal(status_of(p, &l, "PATCH", token, "{\"label\":\"crm\"}"), 204);
	assert_int_equal(
	    status_of(p, &l, "PATCH", token, "{\"policy\":" ONLY("\"access:WhoAmI\"") "}"), 204);
	assert_int_equal(status_of(p, &l, "PATCH", token, "{\"expiresAt\":null}"), 204);
	assert_int_equal(status_of(p, &l, "PATCH", narrow_key, "{\"state\":\"disabled\"}"), 204);
	assert_int_equal(status_of(p, &l, "PATCH", narrow_key, "{\"state\":\"active\"}"), 204);

	/* A user's logins come back with the user. */
	guid_format(&p->buyer.user, id);
	(void)snprintf(user, sizeof(user), "/api/v1/users/%s", id);
	assert_int_equal(status_of(p, &l, "PATCH", user, "{\"state\":\"disabled\"}"), 200);
	assert_int_equal(status_of(p, &l, "PATCH", user, "{\"state\":\"active\"}"), 403);
	assert_int_equal(status_of(p, &p->op, "PATCH", user, "{\"state\":\"active\"}"), 200);
	assert_int_equal(
	    status_of(p, &p->other_buyer, "PATCH", narrow_key, "{\"state\":\"active\"}"), 404);
	assert_int_equal(status_of(p, &p->other_buyer, "PATCH", token, "{\"label\":\"x\"}"), 404);
}

/* What is made or changed with a token that ends does not outlive it. */
static void
nothing_outlives_its_maker(void **state)
{
	static const char end[] = "2199-01-01T00:00:00.000Z";
	static const struct {
		const char *body;
		long status;
		const char *expires; /* NULL: refused */
	} cases[] = {
		{ NULL, 201, end },
		{ "{}", 201, end },
		{ "{\"expiresAt\":\"2199-01-01T00:00:00Z\"}", 201, end },
		{ "{\"expiresAt\":\"2198-01-01T00:00:00Z\"}", 201, "2198-01-01T00:00:00.000Z" },
		{ "{\"expiresAt\":\"2199-01-01T00:00:00.001Z\"}", 422, NULL },
		{ "{\"expiresAt\":null}", 422, NULL },
	};
	struct place *p = *state;
	struct login brief = { .token = "" };
	char tokens[128], keys[128], lasting[128], ending[128], key[128], id[GUID_TEXT_LEN + 1];
	struct reply r;

	guid_format(&p->buyer.user, id);
	(void)snprintf(tokens, sizeof(tokens), "/api/v1/users/%s/tokens", id);
	(void)snprintf(keys, sizeof(keys), "/api/v1/users/%s/access-keys", id);
	make_login(p, &p->buyer.user, "tokens", "{}", lasting, sizeof(lasting));
	make_login(p, &p->buyer.user, "access-keys", "{}", key, sizeof(key));
	r = ask(p, &p->buyer, "POST", tokens, "{\"expiresAt\":\"2199-01-01T00:00:00Z\"}", NULL);
	assert_status(r, 201);
	(void)snprintf(brief.token, sizeof(brief.token), "%s", reply_text(&r, "token"));
	(void)snprintf(ending, sizeof(ending), "%s", reply_header(&r, "Location"));
	reply_done(&r);

	for (size_t i = 0; i < COUNT(cases); i++) {
		r = ask(p, &brief, "POST", tokens, cases[i].body, NULL);
		if (r.status != cases[i].status)
			fail_msg("row %zu: %ld %s", i, r.status, r.body.p);
		if (cases[i].expires)
			assert_string_equal(reply_text(&r, "expiresAt"), cases[i].expires);
		else
			assert_string_equal(reply_text(&r, "code"), "invalid_field");
		reply_done(&r);
	}
	r = ask(p, &brief, "POST", keys, "{}", NULL);
	assert_status(r, 403);
	assert_string_equal(reply_text(&r, "code"), "expiring_token");
	reply_done(&r);

	/* Its own end, another's, and what others would keep. */
	assert_int_equal(status_of(p, &brief, "PATCH", ending, "{\"expiresAt\":null}"), 422);
	assert_int_equal(
	    status_of(p, &brief, "PATCH", lasting, "{\"expiresAt\":\"2199-01-02T00:00:00Z\"}"),
	    422);
	assert_int_equal(status_of(p, &brief, "PATCH", lasting, "{\"policy\":null}"), 403);
	assert_int_equal(status_of(p, &brief, "PATCH", key, "{\"policy\":null}"), 403);
	assert_int_equal(status_of(p, &brief, "PATCH", key, "{\"state\":\"disabled\"}"), 204);
	assert_int_equal(status_of(p, &brief, "PATCH", key, "{\"state\":\"active\"}"), 403);
	assert_int_equal(status_of(p, &brief, "PATCH", lasting, "{\"label\":\"x\"}"), 204);
	assert_int_equal(status_of(p, &brief, "PATCH", ending, "{\"policy\":null}"), 204);
	assert_int_equal(
	    status_of(p, &brief, "PATCH", lasting, "{\"expiresAt\":\"2198-01-02T00:00:00Z\"}"),
	    204);
	/* A token that does not end may all of it, and makes ones that do not. */
	assert_int_equal(status_of(p, &p->buyer, "PATCH", ending, "{\"expiresAt\":null}"), 204);
	r = ask(p, &p->buyer, "POST", tokens, "{}", NULL);
	assert_status(r, 201);
	assert_null(json_object_get(r.json, "expiresAt"));
	reply_done(&r);
	assert_int_equal(status_of(p, &brief, "POST", keys, "{}"), 201);
}

/* Ids that somebody may choose would tell him which ones others have. */
static void
ids_of_users_cannot_be_asked_for(void **state)
{
	struct place *p = *state;
	const struct guid nowhere = guid_new();
	char taken[128], fresh[128], id[GUID_TEXT_LEN + 1];
	struct reply a, b;

	guid_format(&p->other_buyer.user, id);
	(void)snprintf(taken, sizeof(taken), "{\"name\":\"x\",\"userId\":\"%s\"}", id);
	guid_format(&nowhere, id);
	(void)snprintf(fresh, sizeof(fresh), "{\"name\":\"x\",\"userId\":\"%s\"}", id);
	a = ask(p, &p->buyer, "POST", "/api/v1/accounts/" BUYER "/users", taken, NULL);
	b = ask(p, &p->buyer, "POST", "/api/v1/accounts/" BUYER "/users", fresh, NULL);
	assert_status(a, 422);
	assert_status(b, 422);
	(void)json_object_del(a.json, "requestId");
	(void)json_object_del(b.json, "requestId");
	assert_true(json_equal(a.json, b.json));
	reply_done(&a);
	reply_done(&b);
	assert_int_equal(
	    status_of(p, &p->op, "POST", "/api/v1/accounts/" BUYER "/users", fresh), 201);
}

/* Who asks for a kept answer sees the person in it again. */
static void
replies_kept_are_read_again(void **state)
{
	static const char *const key[] = { "Idempotency-Key: one", NULL };
	struct place *p = *state;
	struct reply a = ask(p, &p->buyer, "POST", p->contacts, PERSON("Zoe"), key), b, log;
	const json_t *e;

	assert_status(a, 201);
	b = ask(p, &p->buyer, "POST", p->contacts, PERSON("Zoe"), key);
	assert_status(b, 201);
	assert_string_equal(reply_header(&b, "Cache-Control"), "no-store");
	log = ask(p, &p->op, "GET", "/api/v1/audit-entries?limit=1", NULL, NULL);
	e = json_array_get(json_object_get(log.json, "items"), 0);
	assert_string_equal(json_string_value(json_object_get(e, "action")), "psc:AddContact");
	assert_string_equal(json_string_value(json_object_get(e, "purpose")), "replay");
	assert_string_equal(
	    json_string_value(json_object_get(e, "requestId")), reply_header(&b, "X-Request-Id"));
	reply_done(&log);
	reply_done(&a);
	reply_done(&b);
}

static void
nothing_of_anybody_is_cached(void **state)
{
	static const char *const paths[] = { "/api/v1/whoami", "/api/v1/accounts/" BUYER,
		"/api/v1/accounts/" BUYER "/users", "/api/v1/audit-entries", "/api/v1/products",
		"/api/v1/users/00000000-0000-4000-8000-000000000000" };
	struct place *p = *state;

	for (size_t i = 0; i < COUNT(paths); i++) {
		struct reply r = ask(p, &p->buyer, "GET", paths[i], NULL, NULL);

		assert_string_equal(reply_header(&r, "Cache-Control"), "no-store");
		reply_done(&r);
	}
}

static enum souk_err
write_much(struct db_tx *tx, void *arg)
{
	enum souk_err r = SOUK_OK;

	for (int i = 0; i < 10000 && r == SOUK_OK; i++)
		r = audit_append(tx, arg,
		    &(struct audit_entry){ .account_id = STR(OTHER_BUYER),
			.actor = STR("test"),
			.action = "psc:ReadContacts",
			.resource = STR("x"),
			.seller_id = STR(""),
			.purpose = STR("test"),
			.request_id = STR("r") });
	return r;
}

/* Nobody hides what he did, or what was done to him, behind many entries of his own. */
static void
audit_is_not_buried_by_others(void **state)
{
	struct place *p = *state;
	struct reply r = ask(p, &p->buyer, "POST", p->contacts, PERSON("Zoe"), NULL);
	char path[100] = "/api/v1/audit-entries";
	size_t found = 0;

	assert_status(r, 201);
	reply_done(&r);
	assert_int_equal(db_write(p->svc.db, write_much, p->svc.vault), SOUK_OK);
	for (int i = 0; i < 4 && path[0] != '\0'; i++) {
		const char *next;

		r = ask(p, &p->buyer, "GET", path, NULL, NULL);
		assert_status(r, 200);
		found += json_array_size(json_object_get(r.json, "items"));
		next = json_string_value(json_object_get(r.json, "next"));
		(void)snprintf(path, sizeof(path), "%s%s",
		    next ? "/api/v1/audit-entries?cursor=" : "", next ? next : "");
		reply_done(&r);
	}
	assert_int_equal(found, 1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, place_setup, place_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(denied_however_it_is_spelled),
		T(opting_out_is_denied_by_name),
		T(nobody_gives_more_than_he_has),
		T(nobody_gives_more_by_changing),
		T(nothing_outlives_its_maker),
		T(ids_of_users_cannot_be_asked_for),
		T(replies_kept_are_read_again),
		T(nothing_of_anybody_is_cached),
		T(audit_is_not_buried_by_others),
	};

	log_setup(LOG_OFF, 0);
	return cmocka_run_group_tests_name("server.attack", tests, NULL, NULL);
}
