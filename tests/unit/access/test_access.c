/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys and tokens in the database: who may make them, what is kept of them, and that
 * everything that should end them does so at once, here and in other processes.
 */
#include "place.h"

/* What bodies leave for the test, and the test for bodies. */
static struct new_key key;
static struct new_token token;
static struct buf out;

#define READ_ONLY                                                                                  \
	"{\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"psc:Read*\",\"Resource\":\"*\"}]}"

static void
make_both(struct place *p)
{
	assert_int_equal(
	    access_key_create(p->tx, p->access, &p->seller, &p->user, STR(""), NULL, &key, &p->f),
	    SOUK_OK);
	assert_int_equal(token_create(p->tx, p->access, &p->seller, &p->user, STR("crm"), STR(""),
			     0, NULL, &token, &p->f),
	    SOUK_OK);
}

static enum souk_err
try_key(struct access *a, const char *id)
{
	struct principal *who = NULL;
	struct access_secret secret = { "" };
	enum souk_err err = access_by_key(a, str_c(id), &who, &secret);

	if (err == SOUK_OK) {
		assert_string_equal(secret.secret, key.secret);
		assert_true(str_eq_c(principal_account(who), SELLER));
	}
	principal_release(who);
	return err;
}

static enum souk_err
try_token(struct access *a, const char *text)
{
	struct principal *who = NULL;
	enum souk_err err = access_by_token(a, str_c(text), &who);

	if (err == SOUK_OK)
		assert_true(str_eq_c(principal_account(who), SELLER));
	principal_release(who);
	return err;
}

/* Both as wanted. */
static void
assert_both(struct access *a, enum souk_err want)
{
	assert_int_equal(try_key(a, key.access_key_id), want);
	assert_int_equal(try_token(a, token.token), want);
}

static void
test_make_and_use(void **state)
{
	struct place *p = *state;
	struct principal *who = NULL;
	const struct tenant_scope *s = NULL;
	char want[64], id[GUID_TEXT_LEN + 1];

	place_run(p, make_both);
	assert_int_equal(strlen(key.access_key_id), ACCESS_KEY_ID_LEN);
	assert_memory_equal(key.access_key_id, "SOUK", 4);
	assert_int_equal(
	    strspn(key.access_key_id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"), ACCESS_KEY_ID_LEN);
	assert_int_equal(strlen(key.secret), SECRET_KEY_LEN);
	assert_int_equal(strlen(token.token), TOKEN_LEN);
	assert_int_equal(strspn(token.token + 5, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvw"
						 "xyz0123456789-_"),
	    TOKEN_LEN - 5);
	for (int i = 0; i < 2; i++)
		assert_both(p->access, SOUK_OK);
	assert_int_equal(access_by_token(p->access, str_c(token.token), &who), SOUK_OK);
	assert_true(guid_eq(principal_user(who), &p->user));
	assert_true(str_eq_c(principal_user_name(who), "root"));
	assert_int_equal(principal_scope(who, STR("r"), p->mem, &s), SOUK_OK);
	assert_true(tenant_is_seller(s) && !tenant_is_buyer(s) && !tenant_is_operator(s));
	guid_format(&token.id, id);
	(void)snprintf(want, sizeof(want), "token:%s", id);
	assert_true(str_eq_c(tenant_actor(s), want));
	principal_release(who);
	/* Neither secret nor token is anywhere in the files. */
	assert_true(place_has_bytes(p, key.access_key_id, ACCESS_KEY_ID_LEN));
	assert_false(place_has_bytes(p, key.secret, SECRET_KEY_LEN));
	assert_false(place_has_bytes(p, token.token + 5, TOKEN_LEN - 5));
}

static void
test_unknown(void **state)
{
	struct place *p = *state;
	static const char *const ids[] = { "", "SOUKAAAABBBBCCCCDDDD", "SOUKAAAABBBBCCCCDDD1",
		"soukAAAABBBBCCCCDDDD", "AKIDEXAMPLE", "SOUKAAAABBBBCCCCDDDDE" };

	place_run(p, make_both);
	for (size_t i = 0; i < COUNT(ids); i++)
		assert_int_equal(try_key(p->access, ids[i]), SOUK_E_UNAUTHENTICATED);
	token.token[TOKEN_LEN - 5] ^= 1;
	assert_int_equal(try_token(p->access, token.token), SOUK_E_UNAUTHENTICATED);
}

/* ---- everything that ends a key or a token ---- */

static void
key_state(struct place *p, bool active)
{
	assert_int_equal(access_key_change(p->tx, p->access, &p->seller, str_c(key.access_key_id),
			     &(struct login_change){ .active = &active }, &p->f),
	    SOUK_OK);
}

static void
disable_key(struct place *p)
{
	key_state(p, false);
}

static void
enable_key(struct place *p)
{
	key_state(p, true);
}

static void
delete_both(struct place *p)
{
	assert_int_equal(
	    access_key_delete(p->tx, p->access, &p->seller, str_c(key.access_key_id)), SOUK_OK);
	assert_int_equal(token_delete(p->tx, p->access, &p->seller, &token.id), SOUK_OK);
	assert_int_equal(access_key_delete(p->tx, p->access, &p->seller, str_c(key.access_key_id)),
	    SOUK_E_NOT_FOUND);
	assert_int_equal(token_delete(p->tx, p->access, &p->seller, &token.id), SOUK_E_NOT_FOUND);
}

static void
account_state(struct place *p, const char *word)
{
	struct account a;

	assert_int_equal(account_get(p->tx, &p->op, STR(SELLER), p->mem, &a), SOUK_OK);
	a.state = str_c(word);
	assert_int_equal(account_change(p->tx, &p->op, &a, 0, &p->f), SOUK_OK);
	assert_int_equal(access_changed(p->tx, p->access), SOUK_OK);
}

static void
suspend(struct place *p)
{
	account_state(p, "suspended");
}

static void
resume(struct place *p)
{
	account_state(p, "active");
}

static void
user_state(struct place *p, const char *word)
{
	struct user u;

	assert_int_equal(user_get(p->tx, &p->op, &p->user, p->mem, &u), SOUK_OK);
	u.state = str_c(word);
	assert_int_equal(user_change(p->tx, &p->op, &u, 0, &p->f), SOUK_OK);
	assert_int_equal(access_changed(p->tx, p->access), SOUK_OK);
}

static void
disable_user(struct place *p)
{
	user_state(p, "disabled");
}

static void
enable_user(struct place *p)
{
	user_state(p, "active");
}

static void
test_key_state(void **state)
{
	struct place *p = *state;

	place_run(p, make_both);
	assert_both(p->access, SOUK_OK);
	place_run(p, disable_key);
	assert_int_equal(try_key(p->access, key.access_key_id), SOUK_E_UNAUTHENTICATED);
	assert_int_equal(try_token(p->access, token.token), SOUK_OK);
	place_run(p, enable_key);
	assert_both(p->access, SOUK_OK);
}

static void
test_delete(void **state)
{
	struct place *p = *state;

	place_run(p, make_both);
	assert_both(p->access, SOUK_OK);
	place_run(p, delete_both);
	assert_both(p->access, SOUK_E_UNAUTHENTICATED);
}

static void
test_account_suspended(void **state)
{
	struct place *p = *state;

	place_run(p, make_both);
	assert_both(p->access, SOUK_OK);
	place_run(p, suspend);
	assert_both(p->access, SOUK_E_UNAUTHENTICATED);
	place_run(p, resume);
	assert_both(p->access, SOUK_OK);
}

static void
test_user_disabled(void **state)
{
	struct place *p = *state;

	place_run(p, make_both);
	assert_both(p->access, SOUK_OK);
	place_run(p, disable_user);
	assert_both(p->access, SOUK_E_UNAUTHENTICATED);
	place_run(p, enable_user);
	assert_both(p->access, SOUK_OK);
}

/* An undone change changes nothing, and what was made in it was never there. */
static void
test_undone(void **state)
{
	struct place *p = *state;
	struct new_key kept;
	struct new_token kept_token;

	place_run(p, make_both);
	kept = key;
	kept_token = token;
	assert_both(p->access, SOUK_OK);
	p->after = SOUK_E_CONFLICT;
	place_run(p, delete_both);
	assert_both(p->access, SOUK_OK);
	assert_true(access_cached(p->access) > 0);
	place_run(p, make_both);
	assert_both(p->access, SOUK_E_UNAUTHENTICATED);
	key = kept;
	token = kept_token;
	assert_both(p->access, SOUK_OK);
}

/* Another process: nothing is noticed before the refresh, everything after it. */
static void
test_other_process(void **state)
{
	struct place *p = *state;
	struct access *other = NULL;

	place_run(p, make_both);
	assert_int_equal(access_new(p->db, p->vault, &other), SOUK_OK);
	assert_both(other, SOUK_OK);
	place_run(p, delete_both);
	/* A server tells the news, at any moment from here on. */
	if (!db_is_shared(p->db))
		assert_both(other, SOUK_OK);
	access_refresh(other);
	assert_both(other, SOUK_E_UNAUTHENTICATED);
	/* What is new is known at once: nothing negative was kept of it. */
	place_run(p, make_both);
	assert_both(other, SOUK_OK);
	access_refresh(other);
	assert_true(access_cached(other) > 0);
	access_free(other);
}

/* ---- expiry ---- */

static instant_t expires_in;

static void
make_short_token(struct place *p)
{
	assert_int_equal(token_create(p->tx, p->access, &p->seller, &p->user, STR(""), STR(""),
			     db_now(p->tx) + expires_in, NULL, &token, &p->f),
	    SOUK_OK);
}

static void
test_expiry(void **state)
{
	struct place *p = *state;

	expires_in = 500; /* a busy machine takes its time to the first look */
	place_run(p, make_short_token);
	assert_int_equal(try_token(p->access, token.token), SOUK_OK);
	clock_sleep_ms(510);
	assert_int_equal(try_token(p->access, token.token), SOUK_E_UNAUTHENTICATED);
	access_forget(p->access);
	assert_int_equal(try_token(p->access, token.token), SOUK_E_UNAUTHENTICATED);
}

/* ---- whose ---- */

static void
foreign(struct place *p)
{
	struct jw w;
	struct guid none = { { 1 } };
	struct str none_at_all = STR("");
	struct login_facts facts;
	bool no = false;

	jw_init(&w, &out);
	assert_int_equal(
	    access_key_create(p->tx, p->access, &p->seller_b, &p->user, STR(""), NULL, &key, &p->f),
	    SOUK_E_NOT_FOUND);
	assert_int_equal(token_create(p->tx, p->access, &p->seller_b, &p->user, STR(""), STR(""), 0,
			     NULL, &token, &p->f),
	    SOUK_E_NOT_FOUND);
	assert_int_equal(
	    access_key_delete(p->tx, p->access, &p->seller_b, str_c(key.access_key_id)),
	    SOUK_E_NOT_FOUND);
	assert_int_equal(access_key_change(p->tx, p->access, &p->seller_b, str_c(key.access_key_id),
			     &(struct login_change){ .active = &no }, &p->f),
	    SOUK_E_NOT_FOUND);
	assert_int_equal(token_change(p->tx, p->access, &p->seller_b, &token.id,
			     &(struct login_change){ .policy = &none_at_all }, &p->f),
	    SOUK_E_NOT_FOUND);
	assert_int_equal(
	    access_key_facts(p->tx, &p->seller_b, str_c(key.access_key_id), p->mem, &facts),
	    SOUK_E_NOT_FOUND);
	assert_int_equal(
	    token_facts(p->tx, &p->seller_b, &token.id, p->mem, &facts), SOUK_E_NOT_FOUND);
	assert_int_equal(token_delete(p->tx, p->access, &p->seller_b, &token.id), SOUK_E_NOT_FOUND);
	assert_int_equal(access_key_list(p->tx, &p->seller_b, &p->user, &w), SOUK_E_NOT_FOUND);
	assert_int_equal(token_list(p->tx, &p->seller_b, &p->user, &w), SOUK_E_NOT_FOUND);
	/* Just like what does not exist. */
	assert_int_equal(access_key_list(p->tx, &p->seller_b, &none, &w), SOUK_E_NOT_FOUND);
	assert_int_equal(token_delete(p->tx, p->access, &p->op, &none), SOUK_E_NOT_FOUND);
	assert_int_equal(out.n, 0);
}

static void
operator_may(struct place *p)
{
	struct new_key k;

	assert_int_equal(
	    access_key_create(p->tx, p->access, &p->op, &p->user, STR(""), NULL, &k, &p->f),
	    SOUK_OK);
	assert_int_equal(
	    access_key_delete(p->tx, p->access, &p->op, str_c(key.access_key_id)), SOUK_OK);
	assert_int_equal(token_delete(p->tx, p->access, &p->op, &token.id), SOUK_OK);
}

static void
test_whose(void **state)
{
	struct place *p = *state;

	place_run(p, make_both);
	place_run(p, foreign);
	assert_both(p->access, SOUK_OK);
	place_run(p, operator_may);
	assert_both(p->access, SOUK_E_UNAUTHENTICATED);
}

/* ---- what is refused ---- */

static void
refusals(struct place *p)
{
	char long_label[102];
	struct new_token none = { .token = "" };

	memset(long_label, 'a', sizeof(long_label) - 1);
	long_label[101] = '\0';
	const char *const labels[] = { long_label, "two\nlines", "\xff" };

	for (size_t i = 0; i < COUNT(labels); i++) {
		memset(&p->f, 0, sizeof(p->f));
		assert_int_equal(token_create(p->tx, p->access, &p->seller, &p->user,
				     str_c(labels[i]), STR(""), 0, NULL, &none, &p->f),
		    SOUK_E_INVALID);
		assert_string_equal(p->f.entry[0].field, "label");
	}
	assert_int_equal(token_create(p->tx, p->access, &p->seller, &p->user, STR(""), STR(""),
			     db_now(p->tx), NULL, &none, NULL),
	    SOUK_E_INVALID);
	assert_int_equal(token_create(p->tx, p->access, &p->seller, &p->user, STR(""), STR("{}"), 0,
			     NULL, &none, NULL),
	    SOUK_E_INVALID);
	assert_int_equal(access_key_create(p->tx, p->access, &p->seller, &p->user,
			     STR("{\"Statement\":1}"), NULL, &key, NULL),
	    SOUK_E_INVALID);
	assert_string_equal(none.token, "");
}

static void
test_refused(void **state)
{
	place_run(*state, refusals);
}

static void
limits(struct place *p)
{
	struct new_key k;
	struct new_token t;

	for (int i = 0; i < 20; i++)
		assert_int_equal(access_key_create(p->tx, p->access, &p->seller, &p->user, STR(""),
				     NULL, &k, &p->f),
		    SOUK_OK);
	assert_int_equal(
	    access_key_create(p->tx, p->access, &p->seller, &p->user, STR(""), NULL, &k, &p->f),
	    SOUK_E_LIMIT);
	assert_string_equal(p->f.code, "access_key_limit");
	assert_int_equal(
	    access_key_create(p->tx, p->access, &p->seller_b, &p->user_b, STR(""), NULL, &k, &p->f),
	    SOUK_OK);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(token_create(p->tx, p->access, &p->seller, &p->user, STR(""),
				     STR(""), db_now(p->tx) + 1, NULL, &t, &p->f),
		    SOUK_OK);
	assert_int_equal(token_create(p->tx, p->access, &p->seller, &p->user, STR(""), STR(""), 0,
			     NULL, &t, &p->f),
	    SOUK_E_LIMIT);
}

/* Tokens that ran out make room. */
static void
test_limits(void **state)
{
	struct place *p = *state;

	place_run(p, limits);
	clock_sleep_ms(5);
	place_run(p, make_short_token);
}

/* ---- policies ---- */

static void
make_narrow(struct place *p)
{
	assert_int_equal(token_create(p->tx, p->access, &p->seller, &p->user, STR("narrow"),
			     STR(READ_ONLY), 0, NULL, &token, &p->f),
	    SOUK_OK);
}

static void
set_user_policy(struct place *p)
{
	struct user u;

	assert_int_equal(user_get(p->tx, &p->op, &p->user, p->mem, &u), SOUK_OK);
	u.policy =
	    STR("{\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"},"
		"{\"Effect\":\"Deny\",\"Action\":\"psc:ReadContacts\",\"Resource\":\"*\"}]}");
	assert_int_equal(user_change(p->tx, &p->op, &u, 0, &p->f), SOUK_OK);
	assert_int_equal(access_changed(p->tx, p->access), SOUK_OK);
}

static void
assert_may(struct place *p, const char *action, bool want)
{
	struct principal *who = NULL;

	assert_int_equal(access_by_token(p->access, str_c(token.token), &who), SOUK_OK);
	assert_int_equal(principal_may(who, action, STR("arn:aws:souk:::x")), want);
	principal_release(who);
}

static void
test_policies(void **state)
{
	struct place *p = *state;

	place_run(p, make_narrow);
	assert_may(p, "psc:ReadContacts", true);
	assert_may(p, "psc:AddContact", false);
	place_run(p, set_user_policy);
	assert_may(p, "psc:ReadContacts", false);
	assert_may(p, "psc:ReadExports", true);
	assert_may(p, "psc:AddContact", false);
}

/* ---- changes ---- */

static struct login_change wanted;

static void
change_token(struct place *p)
{
	assert_int_equal(
	    token_change(p->tx, p->access, &p->seller, &token.id, &wanted, &p->f), SOUK_OK);
}

static void
change_key(struct place *p)
{
	assert_int_equal(access_key_change(p->tx, p->access, &p->seller, str_c(key.access_key_id),
			     &wanted, &p->f),
	    SOUK_OK);
}

static bool
key_may(struct place *p, const char *action)
{
	struct principal *who = NULL;
	struct access_secret secret;
	bool may;

	assert_int_equal(
	    access_by_key(p->access, str_c(key.access_key_id), &who, &secret), SOUK_OK);
	may = principal_may(who, action, STR("arn:aws:souk:::x"));
	principal_release(who);
	return may;
}

/* What was known of a login before its change is forgotten with the commit. */
static void
test_change_policy(void **state)
{
	static const struct str read_only = STR(READ_ONLY), none = STR("");
	struct place *p = *state;

	place_run(p, make_both);
	assert_may(p, "psc:AddContact", true);
	assert_true(key_may(p, "psc:AddContact"));
	wanted = (struct login_change){ .policy = &read_only };
	place_run(p, change_token);
	place_run(p, change_key);
	assert_may(p, "psc:AddContact", false);
	assert_may(p, "psc:ReadContacts", true);
	assert_false(key_may(p, "psc:AddContact"));
	assert_true(key_may(p, "psc:ReadContacts"));
	wanted = (struct login_change){ .policy = &none };
	place_run(p, change_token);
	place_run(p, change_key);
	assert_may(p, "psc:AddContact", true);
	assert_true(key_may(p, "psc:AddContact"));
}

static void
test_change_expiry(void **state)
{
	static const instant_t never = 0;
	struct place *p = *state;
	instant_t soon;

	place_run(p, make_both);
	assert_int_equal(try_token(p->access, token.token), SOUK_OK);
	soon = clock_now() + 1500; /* a transaction on a server fits in */
	wanted = (struct login_change){ .expires_at = &soon };
	place_run(p, change_token);
	assert_int_equal(try_token(p->access, token.token), SOUK_OK);
	clock_sleep_ms(1600);
	assert_int_equal(try_token(p->access, token.token), SOUK_E_UNAUTHENTICATED);
	wanted = (struct login_change){ .expires_at = &never };
	place_run(p, change_token);
	assert_int_equal(try_token(p->access, token.token), SOUK_OK);
}

static void
refused_changes(struct place *p)
{
	static const struct str bad_label = STR("two\nlines"), bad_policy = STR("{}");
	const struct guid nobody = { { 1 } };
	instant_t past = db_now(p->tx);
	const struct {
		struct login_change change;
		const char *field;
	} rows[] = {
		{ { .label = &bad_label }, "label" },
		{ { .policy = &bad_policy }, "policy.Statement" },
		{ { .expires_at = &past }, "expiresAt" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		memset(&p->f, 0, sizeof(p->f));
		assert_int_equal(
		    token_change(p->tx, p->access, &p->seller, &token.id, &rows[i].change, &p->f),
		    SOUK_E_INVALID);
		assert_string_equal(p->f.entry[0].field, rows[i].field);
	}
	assert_int_equal(access_key_change(p->tx, p->access, &p->seller, str_c(key.access_key_id),
			     &rows[1].change, NULL),
	    SOUK_E_INVALID);
	assert_int_equal(token_change(p->tx, p->access, &p->op, &nobody, &rows[1].change, NULL),
	    SOUK_E_NOT_FOUND);
}

static void
test_change_refused(void **state)
{
	place_run(*state, make_both);
	place_run(*state, refused_changes);
	assert_both(((struct place *)*state)->access, SOUK_OK);
}

/* ---- lists, audit ---- */

static void
lists(struct place *p)
{
	struct jw w;

	buf_clear(&out);
	jw_init(&w, &out);
	jw_open(&w, NULL, '[');
	assert_int_equal(access_key_list(p->tx, &p->seller, &p->user, &w), SOUK_OK);
	assert_int_equal(token_list(p->tx, &p->seller, &p->user, &w), SOUK_OK);
	jw_close(&w, ']');
}

static void
test_lists(void **state)
{
	struct place *p = *state;
	json_t *list = NULL;

	place_run(p, make_both);
	expires_in = HOUR_MS;
	place_run(p, disable_key);
	place_run(p, make_short_token);
	place_run(p, make_narrow);
	place_run(p, lists);
	assert_int_equal(json_read(buf_str(&out), &list, NULL), SOUK_OK);
	assert_int_equal(json_array_size(list), 4);
	assert_string_equal(
	    json_string_value(json_object_get(json_array_get(list, 0), "accessKeyId")),
	    key.access_key_id);
	assert_string_equal(
	    json_string_value(json_object_get(json_array_get(list, 0), "state")), "disabled");
	assert_string_equal(
	    json_string_value(json_object_get(json_array_get(list, 1), "label")), "crm");
	assert_null(json_object_get(json_array_get(list, 1), "expiresAt"));
	assert_non_null(json_object_get(json_array_get(list, 2), "expiresAt"));
	assert_true(json_is_object(json_object_get(json_array_get(list, 3), "policy")));
	assert_null(memmem(out.p, out.n, "secret", 6));
	assert_null(memmem(out.p, out.n, "souk_", 5));
	json_decref(list);
	buf_done(&out);
}

static void
list_audit(struct place *p)
{
	const struct audit_filter q = { .limit = 100 };
	struct audit_place last;
	size_t n;

	buf_clear(&out);
	assert_int_equal(audit_list(p->tx, &q, &out, &last, &n), SOUK_OK);
}

static void
test_audited(void **state)
{
	static const char *const actions[] = { "access:CreateKey", "access:CreateToken",
		"access:DisableKey", "access:EnableKey", "access:ChangeKey", "access:ChangeToken",
		"access:DeleteKey", "access:DeleteToken" };
	static const struct str read_only = STR(READ_ONLY);
	struct place *p = *state;
	struct audit_report report = { 0 };
	char resource[64], id[GUID_TEXT_LEN + 1];

	place_run(p, make_both);
	place_run(p, disable_key);
	place_run(p, enable_key);
	wanted = (struct login_change){ .policy = &read_only };
	place_run(p, change_key);
	place_run(p, change_token);
	place_run(p, delete_both);
	place_run(p, list_audit);
	for (size_t i = 0; i < COUNT(actions); i++)
		assert_row(i, memmem(out.p, out.n, actions[i], strlen(actions[i])) != NULL);
	(void)snprintf(resource, sizeof(resource), "\"key/%s\"", key.access_key_id);
	assert_non_null(memmem(out.p, out.n, resource, strlen(resource)));
	guid_format(&token.id, id);
	(void)snprintf(resource, sizeof(resource), "\"token/%s\"", id);
	assert_non_null(memmem(out.p, out.n, resource, strlen(resource)));
	assert_null(memmem(out.p, out.n, key.secret, SECRET_KEY_LEN));
	assert_int_equal(audit_verify(p->db, p->vault, NULL, &report), SOUK_OK);
	audit_report_done(&report);
	assert_null(report.what);
	assert_int_equal(report.entries, 8 + report.chains - 1);
	buf_done(&out);
}

/* ---- determinism, rotation ---- */

static void
make_drawn(struct place *p)
{
	struct prng random = { 42 };

	assert_int_equal(access_key_create(
			     p->tx, p->access, &p->seller, &p->user, STR(""), &random, &key, &p->f),
	    SOUK_OK);
	assert_int_equal(token_create(p->tx, p->access, &p->seller, &p->user, STR(""), STR(""), 0,
			     &random, &token, &p->f),
	    SOUK_OK);
}

/* A demo of one seed has the same keys each time; and no two of one demo are alike. */
static void
test_drawn(void **state)
{
	struct place *p = *state;
	struct new_key first;
	struct new_token first_token;

	place_run(p, make_drawn);
	first = key;
	first_token = token;
	assert_both(p->access, SOUK_OK);
	place_run(p, delete_both);
	place_run(p, make_drawn);
	assert_memory_equal(&first, &key, sizeof(key));
	assert_memory_equal(&first_token, &token, sizeof(token));
	place_run(p, make_both);
	assert_string_not_equal(first.secret, key.secret);
}

static struct buf cursor;
static int64_t changed;
static bool done;

static void
rewrap_two(struct place *p)
{
	assert_int_equal(access_rewrap(p->tx, p->vault, &cursor, 2, &changed, &done), SOUK_OK);
}

/* A pass over all keys in batches of two; returns how many were rewrapped. */
static int64_t
rewrap_pass(struct place *p, int want_batches)
{
	int64_t n = 0;
	int batches = 0;

	buf_clear(&cursor);
	do {
		place_run(p, rewrap_two);
		n += changed;
		batches++;
	} while (!done);
	assert_int_equal(batches, want_batches);
	buf_done(&cursor);
	return n;
}

static void
test_rotation(void **state)
{
	struct place *p = *state;

	for (int i = 0; i < 5; i++)
		place_run(p, make_both);
	assert_int_equal(rewrap_pass(p, 3), 0);
	assert_int_equal(vault_ring_add(p->vault, &p->f), SOUK_OK);
	assert_int_equal(rewrap_pass(p, 3), 5);
	assert_int_equal(rewrap_pass(p, 3), 0);
	assert_int_equal(vault_ring_retire(p->vault, &p->f), SOUK_OK);
	access_forget(p->access);
	assert_both(p->access, SOUK_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_PLACE(test_make_and_use),
		IN_PLACE(test_unknown),
		IN_PLACE(test_key_state),
		IN_PLACE(test_delete),
		IN_PLACE(test_account_suspended),
		IN_PLACE(test_user_disabled),
		IN_PLACE(test_undone),
		IN_PLACE(test_other_process),
		IN_PLACE(test_expiry),
		IN_PLACE(test_whose),
		IN_PLACE(test_refused),
		IN_PLACE(test_limits),
		IN_PLACE(test_policies),
		IN_PLACE(test_change_policy),
		IN_PLACE(test_change_expiry),
		IN_PLACE(test_change_refused),
		IN_PLACE(test_lists),
		IN_PLACE(test_audited),
		IN_PLACE(test_drawn),
		IN_PLACE(test_rotation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
