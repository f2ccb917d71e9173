/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Access keys and bearer tokens as things that are made, listed and deleted.
 *
 * A secret leaves here once, in the answer to its making; what stays is sealed or hashed.
 */
#include "access/access_int.h"
#include "access/access_store.h"

#include "audit/audit.h"
#include "base/secret.h"
#include "base/utf8.h"

#include <stdio.h>

/* A user with more of them has lost count, or is a script gone wrong. */
#define KEYS_PER_USER 20
#define TOKENS_PER_USER 1000
#define LABEL_MAX 100

/* SOUK_E_NOT_FOUND when the account is not the scope's to deal with. */
static enum souk_err
account_check(const struct tenant_scope *s, const char *account_id)
{
	return tenant_is_operator(s) || str_eq_c(tenant_account(s), account_id) ? SOUK_OK
										: SOUK_E_NOT_FOUND;
}

static enum souk_err
user_check(struct db_tx *tx, const struct tenant_scope *s, const struct guid *user_id,
    char ret_account[ACCOUNT_ID_LEN + 1])
{
	char account[ACCOUNT_ID_LEN + 1];
	enum souk_err err = access_store_user_account(tx, user_id, account);

	if (err == SOUK_OK)
		err = account_check(s, account);
	if (err == SOUK_OK)
		memcpy(ret_account, account, sizeof(account));
	return err;
}

static enum souk_err
policy_check(struct str policy, struct fail *f)
{
	struct policy *p = NULL;
	enum souk_err err = policy.n > 0 ? policy_parse(policy, &p, f) : SOUK_OK;

	policy_free(p);
	return err;
}

static enum souk_err
audit(struct db_tx *tx, const struct access *a, const struct tenant_scope *s, const char *action,
    const char *kind, struct str id)
{
	char resource[80];
	int n = snprintf(resource, sizeof(resource), "%s/%.*s", kind, (int)id.n, id.p);
	const struct audit_entry e = { .account_id = tenant_account(s),
		.actor = tenant_actor(s),
		.action = action,
		.resource = { resource, n > 0 && (size_t)n < sizeof(resource) ? (size_t)n : 0 },
		.purpose = STR(""),
		.seller_id = STR(""),
		.count = 1,
		.request_id = tenant_request(s) };

	return audit_append(tx, access_vault(a), &e);
}

/* `n` bytes, random, or the generator's when a demo must come out the same each time. */
static void
draw(struct prng *random, uint8_t *out, size_t n)
{
	if (!random) {
		random_bytes(out, n);
		return;
	}
	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)prng_next(random);
}

/* Text of `n` characters of an alphabet whose size is a power of two: every byte serves, evenly. */
static void
draw_text(struct prng *random, char *out, size_t n, const char *alphabet)
{
	size_t mask = strlen(alphabet) - 1;

	draw(random, (uint8_t *)out, n);
	for (size_t i = 0; i < n; i++)
		out[i] = alphabet[(unsigned char)out[i] & mask];
	out[n] = '\0';
}

static enum souk_err
key_add(struct db_tx *tx, struct access *a, const struct guid *user_id, const char *account_id,
    struct str policy, const struct new_key *k)
{
	struct str id = str_c(k->access_key_id);
	struct data_key key;
	struct wrapped_key wrapped;
	uint8_t sealed[SECRET_KEY_LEN + VAULT_OVERHEAD];
	struct key_row row = { .access_key_id = id,
		.account_id = str_c(account_id),
		.user_id = *user_id,
		.policy = policy,
		.data_key = { (const char *)wrapped.b, sizeof(wrapped.b) },
		.secret = { (const char *)sealed, sizeof(sealed) } };

	vault_key_new(access_vault(a), id, &key, &wrapped);
	vault_seal(&key, id, k->secret, SECRET_KEY_LEN, sealed);
	wipe(&key, sizeof(key));
	return access_store_key_add(tx, &row);
}

enum souk_err
access_key_create(struct db_tx *tx, struct access *a, const struct tenant_scope *s,
    const struct guid *user_id, struct str policy, struct prng *random, struct new_key *ret,
    struct fail *f)
{
	struct new_key k = { .access_key_id = "SOUK" };
	char account[ACCOUNT_ID_LEN + 1];
	int64_t n = 0;
	enum souk_err err;

	if ((err = user_check(tx, s, user_id, account)) != SOUK_OK ||
	    (err = lock_owner(tx, str_c(account))) != SOUK_OK ||
	    (err = policy_check(policy, f)) != SOUK_OK ||
	    (err = access_store_key_count(tx, user_id, &n)) != SOUK_OK)
		return err;
	if (n >= KEYS_PER_USER)
		return fail_set(f, SOUK_E_LIMIT, "access_key_limit",
		    "A user has at most %d access keys; delete one first.", KEYS_PER_USER);
	draw_text(
	    random, k.access_key_id + 4, ACCESS_KEY_ID_LEN - 4, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
	draw_text(random, k.secret, SECRET_KEY_LEN,
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
	if ((err = key_add(tx, a, user_id, account, policy, &k)) == SOUK_OK &&
	    (err = audit(tx, a, s, "access:CreateKey", "key", str_c(k.access_key_id))) == SOUK_OK)
		*ret = k;
	wipe(&k, sizeof(k));
	return err;
}

static enum souk_err
key_check(struct db_tx *tx, const struct tenant_scope *s, struct str access_key_id)
{
	char account[ACCOUNT_ID_LEN + 1];
	enum souk_err err = access_store_key_account(tx, access_key_id, account);

	return err == SOUK_OK ? account_check(s, account) : err;
}

enum souk_err
access_key_facts(struct db_tx *tx, const struct tenant_scope *s, struct str access_key_id,
    struct arena *mem, struct login_facts *ret)
{
	enum souk_err err = key_check(tx, s, access_key_id);

	return err == SOUK_OK ? access_store_key_facts(tx, access_key_id, mem, ret) : err;
}

static enum souk_err
key_set_state(struct db_tx *tx, struct access *a, const struct tenant_scope *s,
    struct str access_key_id, bool active)
{
	enum souk_err err = access_store_key_state(tx, access_key_id, active);

	return err != SOUK_OK ? err
			      : audit(tx, a, s, active ? "access:EnableKey" : "access:DisableKey",
				    "key", access_key_id);
}

static enum souk_err
key_set_policy(struct db_tx *tx, struct access *a, const struct tenant_scope *s,
    struct str access_key_id, struct str policy, struct fail *f)
{
	enum souk_err err;

	if ((err = policy_check(policy, f)) != SOUK_OK ||
	    (err = access_store_key_policy(tx, access_key_id, policy)) != SOUK_OK)
		return err;
	return audit(tx, a, s, "access:ChangeKey", "key", access_key_id);
}

enum souk_err
access_key_change(struct db_tx *tx, struct access *a, const struct tenant_scope *s,
    struct str access_key_id, const struct login_change *change, struct fail *f)
{
	enum souk_err err = key_check(tx, s, access_key_id);

	if (err == SOUK_OK && change->policy)
		err = key_set_policy(tx, a, s, access_key_id, *change->policy, f);
	if (err == SOUK_OK && change->active)
		err = key_set_state(tx, a, s, access_key_id, *change->active);
	return err == SOUK_OK ? access_changed(tx, a) : err;
}

enum souk_err
access_key_delete(
    struct db_tx *tx, struct access *a, const struct tenant_scope *s, struct str access_key_id)
{
	enum souk_err err;

	if ((err = key_check(tx, s, access_key_id)) != SOUK_OK ||
	    (err = access_store_key_remove(tx, access_key_id)) != SOUK_OK ||
	    (err = access_changed(tx, a)) != SOUK_OK)
		return err;
	return audit(tx, a, s, "access:DeleteKey", "key", access_key_id);
}

enum souk_err
access_key_list(
    struct db_tx *tx, const struct tenant_scope *s, const struct guid *user_id, struct jw *out)
{
	char account[ACCOUNT_ID_LEN + 1];
	enum souk_err err = user_check(tx, s, user_id, account);

	return err == SOUK_OK ? access_store_key_list(tx, user_id, out) : err;
}

enum souk_err
access_key_get(
    struct db_tx *tx, const struct tenant_scope *s, struct str access_key_id, struct jw *out)
{
	enum souk_err err = key_check(tx, s, access_key_id);

	return err == SOUK_OK ? access_store_key_get(tx, access_key_id, out) : err;
}

static enum souk_err
label_check(struct str label, struct fail *f)
{
	if (!utf8_valid(label) || utf8_has_control(label) || utf8_length(label) > LABEL_MAX)
		return fail_field(f, "label", "is too long or has characters that cannot be shown",
		    "give at most 100 characters on one line");
	return SOUK_OK;
}

static enum souk_err
expiry_check(struct db_tx *tx, instant_t expires_at, struct fail *f)
{
	if (expires_at != 0 && expires_at <= db_now(tx))
		return fail_field(
		    f, "expiresAt", "is in the past", "give a later instant, or none");
	return SOUK_OK;
}

static enum souk_err
token_check(struct db_tx *tx, struct str label, struct str policy, instant_t expires_at,
    const struct guid *user_id, struct fail *f)
{
	int64_t n = 0;
	enum souk_err err;

	if ((err = label_check(label, f)) != SOUK_OK ||
	    (err = expiry_check(tx, expires_at, f)) != SOUK_OK ||
	    (err = policy_check(policy, f)) != SOUK_OK ||
	    (err = access_store_token_count(tx, user_id, &n)) != SOUK_OK)
		return err;
	if (n >= TOKENS_PER_USER)
		return fail_set(f, SOUK_E_LIMIT, "token_limit",
		    "A user has at most %d tokens; delete one first.", TOKENS_PER_USER);
	return SOUK_OK;
}

/* "souk_" and 32 bytes in base64url. */
static void
token_text(const uint8_t raw[32], char out[TOKEN_LEN + 1])
{
	static const char alphabet[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	uint32_t bits = 0;
	unsigned have = 0;
	size_t at = 5;

	memcpy(out, "souk_", 5);
	for (size_t i = 0; i < 32; i++) {
		bits = bits << 8 | raw[i];
		for (have += 8; have >= 6; have -= 6)
			out[at++] = alphabet[bits >> (have - 6) & 63];
	}
	out[at++] = alphabet[bits << (6 - have) & 63];
	out[at] = '\0';
}

enum souk_err
token_create(struct db_tx *tx, struct access *a, const struct tenant_scope *s,
    const struct guid *user_id, struct str label, struct str policy, instant_t expires_at,
    struct prng *random, struct new_token *ret, struct fail *f)
{
	struct new_token t = { .id = random ? prng_guid(random) : guid_new() };
	char account[ACCOUNT_ID_LEN + 1], id[GUID_TEXT_LEN + 1];
	struct token_row row = { .id = t.id,
		.user_id = *user_id,
		.account_id = { account, ACCOUNT_ID_LEN },
		.label = label,
		.policy = policy,
		.expires_at = expires_at };
	uint8_t raw[32];
	enum souk_err err;

	if ((err = user_check(tx, s, user_id, account)) != SOUK_OK ||
	    (err = lock_owner(tx, str_c(account))) != SOUK_OK ||
	    (err = token_check(tx, label, policy, expires_at, user_id, f)) != SOUK_OK)
		return err;
	draw(random, raw, sizeof(raw));
	token_text(raw, t.token);
	sha256(t.token, TOKEN_LEN, row.hash);
	guid_format(&t.id, id);
	if ((err = access_store_token_add(tx, &row)) == SOUK_OK &&
	    (err = audit(tx, a, s, "access:CreateToken", "token", str_c(id))) == SOUK_OK)
		*ret = t;
	wipe(raw, sizeof(raw));
	wipe(&t, sizeof(t));
	return err;
}

/* Is the token the scope's to deal with? */
static enum souk_err
token_owned(struct db_tx *tx, const struct tenant_scope *s, const struct guid *token_id)
{
	char account[ACCOUNT_ID_LEN + 1];
	enum souk_err err = access_store_token_account(tx, token_id, account);

	return err == SOUK_OK ? account_check(s, account) : err;
}

enum souk_err
token_facts(struct db_tx *tx, const struct tenant_scope *s, const struct guid *token_id,
    struct arena *mem, struct login_facts *ret)
{
	enum souk_err err = token_owned(tx, s, token_id);

	return err == SOUK_OK ? access_store_token_facts(tx, token_id, mem, ret) : err;
}

static enum souk_err
token_change_check(struct db_tx *tx, const struct login_change *change, struct fail *f)
{
	enum souk_err err;

	if ((change->label && (err = label_check(*change->label, f)) != SOUK_OK) ||
	    (change->policy && (err = policy_check(*change->policy, f)) != SOUK_OK) ||
	    (change->expires_at && (err = expiry_check(tx, *change->expires_at, f)) != SOUK_OK))
		return err;
	return SOUK_OK;
}

enum souk_err
token_change(struct db_tx *tx, struct access *a, const struct tenant_scope *s,
    const struct guid *token_id, const struct login_change *change, struct fail *f)
{
	char id[GUID_TEXT_LEN + 1];
	enum souk_err err;

	if ((err = token_owned(tx, s, token_id)) != SOUK_OK ||
	    (err = token_change_check(tx, change, f)) != SOUK_OK)
		return err;
	if (change->label)
		err = access_store_token_label(tx, token_id, *change->label);
	if (err == SOUK_OK && change->policy)
		err = access_store_token_policy(tx, token_id, *change->policy);
	if (err == SOUK_OK && change->expires_at)
		err = access_store_token_expiry(tx, token_id, *change->expires_at);
	if (err != SOUK_OK || (err = access_changed(tx, a)) != SOUK_OK)
		return err;
	guid_format(token_id, id);
	return audit(tx, a, s, "access:ChangeToken", "token", str_c(id));
}

enum souk_err
token_delete(
    struct db_tx *tx, struct access *a, const struct tenant_scope *s, const struct guid *token_id)
{
	char id[GUID_TEXT_LEN + 1];
	enum souk_err err;

	guid_format(token_id, id);
	if ((err = token_owned(tx, s, token_id)) != SOUK_OK ||
	    (err = access_store_token_remove(tx, token_id)) != SOUK_OK ||
	    (err = access_changed(tx, a)) != SOUK_OK)
		return err;
	return audit(tx, a, s, "access:DeleteToken", "token", str_c(id));
}

enum souk_err
token_list(
    struct db_tx *tx, const struct tenant_scope *s, const struct guid *user_id, struct jw *out)
{
	char account[ACCOUNT_ID_LEN + 1];
	enum souk_err err = user_check(tx, s, user_id, account);

	return err == SOUK_OK ? access_store_token_list(tx, user_id, out) : err;
}

enum souk_err
token_get(
    struct db_tx *tx, const struct tenant_scope *s, const struct guid *token_id, struct jw *out)
{
	enum souk_err err = token_owned(tx, s, token_id);

	return err == SOUK_OK ? access_store_token_get(tx, token_id, out) : err;
}

enum souk_err
access_rewrap(struct db_tx *tx, struct vault *v, struct buf *cursor, size_t max,
    int64_t *ret_changed, bool *ret_done)
{
	struct buf id = { 0 }, data_key = { 0 };
	int64_t n = 0;
	enum souk_err err = SOUK_OK;

	for (size_t i = 0; i < max && err == SOUK_OK; i++) {
		struct wrapped_key wrapped;
		bool changed = false;

		if ((err = access_store_key_next(tx, buf_str(cursor), &id, &data_key)) != SOUK_OK ||
		    (err = vault_key_rewrap(
			 v, buf_str(&id), buf_str(&data_key), &wrapped, &changed)) != SOUK_OK)
			break;
		if (changed)
			err = access_store_key_rewrapped(tx, buf_str(&id),
			    (struct str){ (const char *)wrapped.b, sizeof(wrapped.b) });
		n += changed;
		buf_clear(cursor);
		buf_add_str(cursor, buf_str(&id));
	}
	buf_done(&id);
	buf_done(&data_key);
	if (err != SOUK_OK && err != SOUK_E_NOT_FOUND)
		return err;
	*ret_done = err == SOUK_E_NOT_FOUND;
	*ret_changed = n;
	return SOUK_OK;
}
