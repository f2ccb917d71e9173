/* SPDX-License-Identifier: Apache-2.0 */
/* Setting a remote: what may stand in it, and who may lend whose credentials. */
#include "delivery/remote_int.h"

#include "delivery/object.h"
#include "delivery/post.h"

#include <stdio.h>

static enum souk_err
bad(struct fail *f, const struct remote_new *n, const char *member, const char *what,
    const char *fix)
{
	char field[64];

	(void)snprintf(field, sizeof(field), "%s.%s", remote_kind_word(n->kind), member);
	return fail_field(f, field, what, fix);
}

/* Printable ASCII without blanks, 1..max bytes; it becomes part of a header. */
static bool
is_token(struct str s, size_t max)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] >= 0x7f)
			return false;
	return s.n > 0 && s.n <= max;
}

static bool
is_region(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
		    c != '-' && c != '_')
			return false;
	}
	return s.n > 0 && s.n <= REMOTE_REGION_MAX;
}

static enum souk_err
check_endpoint(const struct remote_rules *rules, const struct remote_new *n, struct fail *f)
{
	struct fail words = { 0 };
	const char *host = n->endpoint.n > 8 ? memchr(n->endpoint.p, ':', n->endpoint.n) : NULL;
	struct str after = { 0 };

	if (n->endpoint.n > REMOTE_ENDPOINT_MAX)
		return bad(f, n, "endpoint", "is too long", "give at most 255 bytes");
	if (post_url_check(n->endpoint, rules->allow_private || n->by_operator, &words) != SOUK_OK)
		return words.n > 0 ? bad(f, n, "endpoint", words.entry[0].what, words.entry[0].fix)
				   : SOUK_E_NOMEM;
	if (host)
		after =
		    (struct str){ host + 3, n->endpoint.n - (size_t)(host + 3 - n->endpoint.p) };
	if (!host || memchr(after.p, '/', after.n) || memchr(after.p, '?', after.n))
		return bad(f, n, "endpoint", "holds more than a host and a port",
		    "give one like https://s3.eu-central-1.amazonaws.com");
	return SOUK_OK;
}

static enum souk_err
check_encryption(const struct remote_new *n, struct fail *f)
{
	bool kms = str_eq(n->encryption, STR("aws:kms"));

	if (!kms && !str_eq(n->encryption, STR("none")) && !str_eq(n->encryption, STR("AES256")))
		return bad(
		    f, n, "encryption", "is not one that is known", "give none, AES256 or aws:kms");
	if (n->kms_key_id.n > 0 && !kms)
		return bad(f, n, "kmsKeyId", "is for another encryption",
		    "leave it out, or make encryption aws:kms");
	if (n->kms_key_id.n > 0 && !is_token(n->kms_key_id, REMOTE_KMS_KEY_MAX))
		return bad(f, n, "kmsKeyId", "is not a key id",
		    "give the key's id or ARN, at most 256 characters");
	return SOUK_OK;
}

static enum souk_err
check_names(const struct remote_new *n, struct fail *f)
{
	bool s3 = n->kind == REMOTE_S3;
	const char *member = s3 ? "buckets" : "topics";

	if (n->n_names == 0)
		return bad(f, n, member, "is empty",
		    s3 ? "name the buckets that the credentials may be used for"
		       : "give the ARNs of the topics that the credentials may be used for");
	for (size_t i = 0; i < n->n_names; i++)
		if (!(s3 ? bucket_name_valid(n->names[i]) : sns_arn_valid(n->names[i])))
			return bad(f, n, member, "holds a name that is none",
			    s3 ? "give names of 3 to 63 lower-case letters, digits, '-' and '.'"
			       : "give ARNs like arn:aws:sns:eu-central-1:123456789012:ready");
	return SOUK_OK;
}

static enum souk_err
check_seller_key(const struct remote_new *n, struct fail *f)
{
	if (n->n_names > 0)
		return bad(f, n, n->kind == REMOTE_S3 ? "buckets" : "topics",
		    "is for the operator's credentials",
		    "leave it out: your key's own policy says what it may be used for");
	if (!is_token(n->access_key_id, REMOTE_KEY_ID_MAX))
		return bad(f, n, "accessKeyId", "is missing or not an access key id",
		    "give the id of an access key at the endpoint");
	if (n->secret.p && !is_token(n->secret, REMOTE_SECRET_MAX))
		return bad(f, n, "secretAccessKey", "is not a secret access key",
		    "give it as the endpoint's owner showed it, without blanks");
	return SOUK_OK;
}

static enum souk_err
check_new(const struct remote_rules *rules, const struct remote_new *n, struct fail *f)
{
	enum souk_err err;

	if ((err = check_endpoint(rules, n, f)) != SOUK_OK)
		return err;
	if (!is_region(n->region))
		return bad(f, n, "region", "is missing or not a region",
		    "give the endpoint's, such as eu-central-1");
	if (n->kind == REMOTE_S3 && (err = check_encryption(n, f)) != SOUK_OK)
		return err;
	if (!n->by_operator)
		return check_seller_key(n, f);
	if (n->access_key_id.n > 0 || n->secret.p)
		return bad(f, n, "accessKeyId", "is given beside the operator's credentials",
		    "leave it and secretAccessKey out");
	return check_names(n, f);
}

/* ---- the operator's ---- */

static bool
same_facts(const struct remote_row *a, const struct remote_row *b)
{
	return strcmp(a->endpoint, b->endpoint) == 0 && strcmp(a->region, b->region) == 0 &&
	       a->path_style == b->path_style && strcmp(a->encryption, b->encryption) == 0 &&
	       strcmp(a->kms_key_id, b->kms_key_id) == 0;
}

/* Is it word for word what the operator lent? */
static enum souk_err
check_lent(struct db_tx *tx, struct str seller_id, struct str role, const struct remote_new *n,
    const struct remote_row *old, const struct remote_row *row, struct fail *f)
{
	struct buf had = { 0 };
	struct jw w;
	size_t commas = 0;
	enum souk_err err = SOUK_OK;
	bool same = old && old->by_operator && same_facts(old, row);

	for (size_t i = 0; same && i < n->n_names && err == SOUK_OK; i++)
		err = reach_row_find(tx, seller_id, role, n->kind, n->names[i]);
	if (same && err == SOUK_OK) {
		jw_init(&w, &had);
		err = reach_rows_json(tx, seller_id, role, n->kind, &w);
		for (size_t i = 0; i < had.n; i++)
			commas += had.p[i] == ',';
		same = commas + 1 == n->n_names;
		buf_done(&had);
	}
	if (!same || err == SOUK_E_NOT_FOUND)
		return fail_set(f, SOUK_E_DENIED, "operator_credentials",
		    "Only the operator makes a role use the operator's credentials, or changes "
		    "what such a role reaches; give credentials of your own.");
	return err;
}

static enum souk_err
lend(struct db_tx *tx, struct str seller_id, struct str role, const struct remote_new *n,
    const struct remote_row *row, struct fail *f)
{
	static const char all[] = "delivery_reach";
	/* No two operators lend at a time. Nobody who has this lock waits for an owner's. */
	enum souk_err err = lock_subject(tx, all, sizeof(all));

	if (err != SOUK_OK)
		return err;
	for (size_t i = 0; i < n->n_names; i++) {
		err = reach_row_of_another(tx, seller_id, n->kind, n->names[i]);
		if (err == SOUK_OK)
			return fail_set(f, SOUK_E_CONFLICT, "reached_by_another",
			    "Another seller reaches a %s of that name with the operator's "
			    "credentials; give each seller one of its own.",
			    n->kind == REMOTE_S3 ? "bucket" : "topic");
		if (err != SOUK_E_NOT_FOUND)
			return err;
	}
	if ((err = reach_rows_delete(tx, seller_id, role, n->kind)) != SOUK_OK ||
	    (err = remote_row_put(tx, seller_id, role, n->kind, row)) != SOUK_OK)
		return err;
	for (size_t i = 0; i < n->n_names && err == SOUK_OK; i++)
		err = reach_row_add(tx, seller_id, role, n->kind, n->names[i]);
	return err;
}

/* ---- the seller's ---- */

static enum souk_err
seal(struct vault *v, struct str seller_id, struct str role, const struct remote_new *n,
    struct remote_row *row)
{
	char context[512];
	struct data_key key;
	struct wrapped_key wrapped;

	if (!remote_context(seller_id, role, n->kind, row->endpoint, context, sizeof(context)))
		return SOUK_E_INTERNAL;
	vault_key_new(v, str_c(context), &key, &wrapped);
	vault_seal(&key, str_c(context), n->secret.p, n->secret.n, row->secret);
	wipe(&key, sizeof(key));
	memcpy(row->data_key, wrapped.b, sizeof(row->data_key));
	row->secret_n = n->secret.n + VAULT_OVERHEAD;
	return SOUK_OK;
}

static enum souk_err
keep_seller_key(struct db_tx *tx, struct vault *v, struct str seller_id, struct str role,
    const struct remote_new *n, const struct remote_row *old, struct remote_row *row,
    struct fail *f)
{
	bool same = old && !old->by_operator && strcmp(old->endpoint, row->endpoint) == 0 &&
		    strcmp(old->access_key_id, row->access_key_id) == 0;
	enum souk_err err = SOUK_OK;

	if (n->secret.p) {
		err = seal(v, seller_id, role, n, row);
	} else if (same) {
		memcpy(row->data_key, old->data_key, sizeof(row->data_key));
		memcpy(row->secret, old->secret, sizeof(row->secret));
		row->secret_n = old->secret_n;
	} else {
		return bad(f, n, "secretAccessKey", "is missing",
		    "give it; it is kept only for the same endpoint and accessKeyId");
	}
	if (err == SOUK_OK)
		err = reach_rows_delete(tx, seller_id, role, n->kind);
	db_scrub(tx);
	return err == SOUK_OK ? remote_row_put(tx, seller_id, role, n->kind, row) : err;
}

static void
copy_text(char *out, size_t size, struct str s)
{
	(void)snprintf(out, size, "%.*s", (int)s.n, s.p ? s.p : "");
}

enum souk_err
remote_put(struct db_tx *tx, struct vault *v, const struct remote_rules *rules,
    const struct tenant_scope *s, struct str seller_id, struct str role,
    const struct remote_new *given, struct fail *f)
{
	struct remote_new n = *given;
	struct remote_row old, row = { 0 };
	bool exists;
	enum souk_err err;

	if (n.endpoint.n > 0 && n.endpoint.p[n.endpoint.n - 1] == '/')
		n.endpoint.n--;
	if (n.kind == REMOTE_SNS)
		n.encryption = STR("none");
	if ((err = check_new(rules, &n, f)) != SOUK_OK)
		return err;
	err = remote_row_load(tx, seller_id, role, n.kind, &old);
	exists = err == SOUK_OK;
	if (err != SOUK_OK && err != SOUK_E_NOT_FOUND)
		return err;
	copy_text(row.endpoint, sizeof(row.endpoint), n.endpoint);
	copy_text(row.region, sizeof(row.region), n.region);
	copy_text(row.encryption, sizeof(row.encryption), n.encryption);
	copy_text(row.kms_key_id, sizeof(row.kms_key_id), n.kms_key_id);
	copy_text(row.access_key_id, sizeof(row.access_key_id), n.access_key_id);
	row.path_style = n.path_style;
	row.by_operator = n.by_operator;
	if (!n.by_operator)
		return keep_seller_key(tx, v, seller_id, role, &n, exists ? &old : NULL, &row, f);
	if (!tenant_is_operator(s))
		return check_lent(tx, seller_id, role, &n, exists ? &old : NULL, &row, f);
	if (exists && !old.by_operator)
		db_scrub(tx);
	return lend(tx, seller_id, role, &n, &row, f);
}

enum souk_err
remote_remove(struct db_tx *tx, struct str seller_id, struct str role, enum remote_kind kind)
{
	bool was_there;
	enum souk_err err = reach_rows_delete(tx, seller_id, role, kind);

	if (err == SOUK_OK)
		err = remote_row_delete(tx, seller_id, role, kind, &was_there);
	if (err == SOUK_OK && was_there)
		db_scrub(tx);
	return err;
}
