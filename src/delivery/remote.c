/* SPDX-License-Identifier: Apache-2.0 */
/* Remotes in use: shown, asked, opened, rewrapped. */
#include "delivery/remote_int.h"

#include "market/account.h"

#include <stdio.h>

const char *
remote_kind_word(enum remote_kind k)
{
	return k == REMOTE_S3 ? "s3" : "sns";
}

struct remote_rules
remote_rules_of(const struct config *c)
{
	return (struct remote_rules){
		.allow_private = config_bool(c, SET_DELIVERY_PRIVATE_ADDRESSES),
		.ca_file = config_text(c, SET_DELIVERY_CA_FILE),
		.operator_key = { [REMOTE_S3] = { config_text(c, SET_DELIVERY_S3_KEY_ID),
				      config_text(c, SET_DELIVERY_S3_SECRET) },
		    [REMOTE_SNS] = { config_text(c, SET_DELIVERY_SNS_KEY_ID),
			config_text(c, SET_DELIVERY_SNS_SECRET) } },
	};
}

bool
remote_context(struct str seller_id, struct str role, enum remote_kind kind, const char *endpoint,
    char *out, size_t out_size)
{
	int n = snprintf(out, out_size, "delivery_remote/%.*s/%.*s/%s/%s", (int)seller_id.n,
	    seller_id.p, (int)role.n, role.p, remote_kind_word(kind), endpoint);

	return n > 0 && (size_t)n < out_size;
}

bool
sns_arn_valid(struct str arn)
{
	struct str rest = arn, arn_word, partition, service, region, account;

	if (arn.n > REMOTE_NAME_MAX || !str_split(&rest, ':', &arn_word) ||
	    !str_split(&rest, ':', &partition) || !str_split(&rest, ':', &service) ||
	    !str_split(&rest, ':', &region) || !str_split(&rest, ':', &account) || !rest.p ||
	    !str_eq(arn_word, STR("arn")) || !str_eq(service, STR("sns")) || partition.n == 0 ||
	    region.n == 0 || !account_id_valid(account) || rest.n == 0 || rest.n > 261)
		return false;
	for (size_t i = 0; i < arn.n; i++) {
		char c = arn.p[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
		    (c == '\0' || !strchr(":_-.", c)))
			return false;
	}
	return true;
}

/* ---- shown ---- */

static enum souk_err
remote_json(struct db_tx *tx, struct str seller_id, struct str role, enum remote_kind kind,
    const struct remote_row *r, struct jw *out)
{
	enum souk_err err = SOUK_OK;

	jw_open(out, remote_kind_word(kind), '{');
	jw_c(out, "endpoint", r->endpoint);
	jw_c(out, "region", r->region);
	if (kind == REMOTE_S3) {
		jw_bool(out, "pathStyle", r->path_style);
		jw_c(out, "encryption", r->encryption);
		jw_str_opt(out, "kmsKeyId", str_c(r->kms_key_id));
	}
	jw_c(out, "credentials", r->by_operator ? "operator" : "seller");
	jw_str_opt(out, "accessKeyId", str_c(r->access_key_id));
	if (r->by_operator) {
		jw_open(out, kind == REMOTE_S3 ? "buckets" : "topics", '[');
		err = reach_rows_json(tx, seller_id, role, kind, out);
		jw_close(out, ']');
	}
	jw_close(out, '}');
	return err;
}

enum souk_err
remotes_json(struct db_tx *tx, struct str seller_id, struct str role, struct jw *out)
{
	struct remote_row r;
	enum souk_err err = SOUK_OK;

	for (unsigned k = 0; k < REMOTE__COUNT && err == SOUK_OK; k++) {
		err = remote_row_load(tx, seller_id, role, (enum remote_kind)k, &r);
		if (err == SOUK_OK)
			err = remote_json(tx, seller_id, role, (enum remote_kind)k, &r, out);
		else if (err == SOUK_E_NOT_FOUND)
			err = SOUK_OK;
	}
	return err;
}

/* ---- asked ---- */

/* The operator's credentials go no further than he said. */
static enum souk_err
check_reach(struct db_tx *tx, struct str seller_id, struct str role, enum remote_kind kind,
    const struct remote_row *r, struct str name, struct fail *f)
{
	enum souk_err err;

	if (!r->by_operator)
		return SOUK_OK;
	err = reach_row_find(tx, seller_id, role, kind, name);
	if (err == SOUK_E_NOT_FOUND)
		return fail_set(f, SOUK_E_DENIED, "not_reached",
		    "The delivery role uses the operator's credentials, which are not for this %s; "
		    "ask the operator to add it.",
		    kind == REMOTE_S3 ? "bucket" : "topic");
	return err;
}

enum souk_err
remote_check(struct db_tx *tx, struct str seller_id, struct str role, enum remote_kind kind,
    struct str name, struct fail *f)
{
	struct remote_row r;
	enum souk_err err = remote_row_load(tx, seller_id, role, kind, &r);

	return err == SOUK_OK ? check_reach(tx, seller_id, role, kind, &r, name, f) : err;
}

/* ---- opened ---- */

static enum souk_err
take_operator_key(
    const struct remote_rules *rules, enum remote_kind kind, struct remote *r, struct fail *f)
{
	const char *id = rules->operator_key[kind].access_key_id;
	const char *secret = rules->operator_key[kind].secret;
	size_t n = strlen(secret);
	enum souk_err err;

	if (!id[0] || n == 0 || strlen(id) > REMOTE_KEY_ID_MAX)
		return fail_set(f, SOUK_E_DENIED, "no_operator_credentials",
		    "The delivery role uses the operator's credentials, but the operator has set "
		    "none (delivery.%s-access-key-id, delivery.%s-secret-access-key).",
		    remote_kind_word(kind), remote_kind_word(kind));
	if ((err = secret_init(&r->secret, n)) != SOUK_OK)
		return err;
	memcpy(r->secret.p, secret, n);
	(void)snprintf(r->access_key_id, sizeof(r->access_key_id), "%s", id);
	return SOUK_OK;
}

static enum souk_err
open_secret(struct vault *v, struct str seller_id, struct str role, enum remote_kind kind,
    const struct remote_row *row, struct remote *r)
{
	char context[512];
	struct data_key key;
	enum souk_err err;

	if (!remote_context(seller_id, role, kind, row->endpoint, context, sizeof(context)))
		return SOUK_E_INTERNAL;
	if ((err = secret_init(&r->secret, row->secret_n - VAULT_OVERHEAD)) != SOUK_OK)
		return err;
	err = vault_key_unwrap(v, str_c(context),
	    (struct str){ (const char *)row->data_key, sizeof(row->data_key) }, &key);
	if (err == SOUK_OK)
		err = vault_unseal(&key, str_c(context),
		    (struct str){ (const char *)row->secret, row->secret_n }, r->secret.p);
	wipe(&key, sizeof(key));
	return err;
}

enum souk_err
remote_load(struct db_tx *tx, struct vault *v, const struct remote_rules *rules,
    struct str seller_id, struct str role, enum remote_kind kind, struct str name,
    struct remote *ret, struct fail *f)
{
	struct remote_row row;
	struct remote r = { 0 };
	enum souk_err err;

	if ((err = remote_row_load(tx, seller_id, role, kind, &row)) != SOUK_OK ||
	    (err = check_reach(tx, seller_id, role, kind, &row, name, f)) != SOUK_OK)
		return err;
	(void)snprintf(r.endpoint, sizeof(r.endpoint), "%s", row.endpoint);
	(void)snprintf(r.region, sizeof(r.region), "%s", row.region);
	(void)snprintf(r.encryption, sizeof(r.encryption), "%s", row.encryption);
	(void)snprintf(r.kms_key_id, sizeof(r.kms_key_id), "%s", row.kms_key_id);
	(void)snprintf(r.access_key_id, sizeof(r.access_key_id), "%s", row.access_key_id);
	r.path_style = row.path_style;
	r.by_operator = row.by_operator;
	err = row.by_operator ? take_operator_key(rules, kind, &r, f)
			      : open_secret(v, seller_id, role, kind, &row, &r);
	if (err != SOUK_OK) {
		secret_done(&r.secret);
		return err;
	}
	*ret = r;
	return SOUK_OK;
}

void
remote_done(struct remote *r)
{
	secret_done(&r->secret);
}

/* ---- rewrapped ---- */

static enum souk_err
rewrap_one(struct db_tx *tx, struct vault *v, const struct remote_sealed *r, int64_t *n)
{
	char context[512];
	struct wrapped_key wrapped;
	bool changed = false;
	enum souk_err err;

	if (!remote_context(str_c(r->seller_id), str_c(r->role), r->kind, r->endpoint, context,
		sizeof(context)))
		return SOUK_E_INTERNAL;
	err = vault_key_rewrap(v, str_c(context),
	    (struct str){ (const char *)r->data_key, sizeof(r->data_key) }, &wrapped, &changed);
	if (err == SOUK_OK && changed)
		err = remote_row_rewrapped(tx, r, &wrapped);
	*n += err == SOUK_OK && changed;
	return err;
}

enum souk_err
remote_rewrap(struct db_tx *tx, struct vault *v, struct buf *cursor, size_t max,
    int64_t *ret_changed, bool *ret_done)
{
	struct remote_sealed r;
	int64_t n = 0;
	enum souk_err err = SOUK_OK;

	for (size_t i = 0; i < max && err == SOUK_OK; i++) {
		if ((err = remote_row_next(tx, buf_str(cursor), &r)) != SOUK_OK ||
		    (err = rewrap_one(tx, v, &r, &n)) != SOUK_OK)
			break;
		buf_clear(cursor);
		buf_printf(cursor, "%s %s %s", r.seller_id, r.role, remote_kind_word(r.kind));
		err = buf_ok(cursor) ? SOUK_OK : SOUK_E_NOMEM;
	}
	if (err != SOUK_OK && err != SOUK_E_NOT_FOUND)
		return err;
	*ret_done = err == SOUK_E_NOT_FOUND;
	*ret_changed = n;
	return SOUK_OK;
}
