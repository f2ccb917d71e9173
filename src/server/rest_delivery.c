/* SPDX-License-Identifier: Apache-2.0 */
/* REST: a seller's delivery roles, buckets and delivery log. */
#include "server/rest.h"

#include "delivery/remote.h"
#include "delivery/request.h"
#include "delivery/role.h"

#include <stdio.h>

/* ---- roles ----------------------------------------------------------------------------- */

/* What a member "s3" or "sns" asks for: absent leaves it as it is, null removes it. */
struct remote_wish {
	bool set, remove;
	struct remote_new to;
};

struct new_role {
	struct str name, policy;
	struct remote_wish remote[REMOTE__COUNT];
};

static enum souk_err
roles_list(struct call *c, struct db_tx *tx)
{
	struct str seller;
	struct jw w;
	enum souk_err r = rest_seller(c, 0, &seller);

	if (r != SOUK_OK)
		return r;
	rest_list_open(c, &w);
	r = role_list(tx, c->scope, seller, &w);
	rest_list_close(&w, STR(""));
	return r;
}

static enum souk_err
role_answer(struct call *c, struct db_tx *tx, struct str seller, struct str name)
{
	int64_t revision;
	struct jw w;
	enum souk_err r;

	jw_init(&w, &c->out);
	r = role_get(tx, c->scope, seller, name, &w, &revision);
	if (r == SOUK_OK)
		call_etag(c, revision);
	return r;
}

static enum souk_err
role_show(struct call *c, struct db_tx *tx)
{
	struct str seller;
	enum souk_err r = rest_seller(c, 0, &seller);

	return r == SOUK_OK ? role_answer(c, tx, seller, c->params[1]) : r;
}

enum {
	R_ENDPOINT,
	R_REGION,
	R_CREDENTIALS,
	R_KEY_ID,
	R_SECRET,
	R_NAMES,
	R_SNS__COUNT,
	R_PATH_STYLE = R_SNS__COUNT,
	R_ENCRYPTION,
	R_KMS_KEY,
	R_S3__COUNT
};

static enum souk_err
take_names(struct call *c, const char *field, const json_t *list, struct remote_new *n)
{
	if (json_array_size(list) > REMOTE_NAMES_MAX)
		return fail_field(&c->fail, field, "has too many names", "give at most 20");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *v = json_array_get(list, i);

		if (!json_is_string(v))
			return fail_field(
			    &c->fail, field, "holds what is no text", "give an array of texts");
		n->names[n->n_names++] =
		    (struct str){ json_string_value(v), json_string_length(v) };
	}
	return SOUK_OK;
}

/* The words of json_take name the member alone: say whose it is. */
static enum souk_err
take_members(struct call *c, const char *kind, const json_t *o, struct json_member *m, size_t n)
{
	struct fail words = { 0 };
	char field[sizeof(words.entry[0].field) + 8];
	enum souk_err r = json_take(o, m, n, &words);

	for (size_t i = 0; i < words.n; i++) {
		(void)snprintf(field, sizeof(field), "%s.%s", kind, words.entry[i].field);
		r = fail_field(&c->fail, field, words.entry[i].what, words.entry[i].fix);
	}
	return r;
}

static enum souk_err
take_remote(
    struct call *c, enum remote_kind kind, const struct json_member *member, struct remote_wish *w)
{
	bool s3 = kind == REMOTE_S3;
	struct json_member m[R_S3__COUNT] = {
		[R_ENDPOINT] = { .name = "endpoint", .kind = JSON_K_STR, .required = true },
		[R_REGION] = { .name = "region", .kind = JSON_K_STR, .required = true },
		[R_CREDENTIALS] = { .name = "credentials", .kind = JSON_K_STR },
		[R_KEY_ID] = { .name = "accessKeyId", .kind = JSON_K_STR },
		[R_SECRET] = { .name = "secretAccessKey", .kind = JSON_K_STR },
		[R_NAMES] = { .name = s3 ? "buckets" : "topics", .kind = JSON_K_ARR },
		[R_PATH_STYLE] = { .name = "pathStyle", .kind = JSON_K_BOOL },
		[R_ENCRYPTION] = { .name = "encryption", .kind = JSON_K_STR },
		[R_KMS_KEY] = { .name = "kmsKeyId", .kind = JSON_K_STR },
	};
	struct remote_new *n = &w->to;
	const char *word = remote_kind_word(kind);
	char field[32];
	struct str whose;
	enum souk_err r;

	w->remove = member->got_null;
	w->set = member->got != NULL;
	if (!w->set)
		return SOUK_OK;
	r = take_members(c, word, member->got, m, s3 ? R_S3__COUNT : R_SNS__COUNT);
	if (r != SOUK_OK)
		return r;
	whose = json_member_str(&m[R_CREDENTIALS]);
	n->by_operator = str_eq(whose, STR("operator"));
	if (m[R_CREDENTIALS].got && !n->by_operator && !str_eq(whose, STR("seller"))) {
		(void)snprintf(field, sizeof(field), "%s.credentials", word);
		return fail_field(
		    &c->fail, field, "is not one that is known", "give seller or operator");
	}
	n->kind = kind;
	n->endpoint = json_member_str(&m[R_ENDPOINT]);
	n->region = json_member_str(&m[R_REGION]);
	n->access_key_id = json_member_str(&m[R_KEY_ID]);
	n->secret = m[R_SECRET].got ? json_member_str(&m[R_SECRET]) : (struct str){ NULL, 0 };
	n->path_style = !m[R_PATH_STYLE].got || json_is_true(m[R_PATH_STYLE].got);
	n->encryption = m[R_ENCRYPTION].got ? json_member_str(&m[R_ENCRYPTION]) : STR("none");
	n->kms_key_id = json_member_str(&m[R_KMS_KEY]);
	(void)snprintf(field, sizeof(field), "%s.%s", word, m[R_NAMES].name);
	return take_names(c, field, m[R_NAMES].got, n);
}

/* {name, policy, s3, sns} for a new one, without the name for a change. */
static enum souk_err
take_role(struct call *c, bool is_new)
{
	struct new_role *n = ARENA_NEW(c->arena, struct new_role);
	struct json_member m[] = {
		{ .name = "policy", .kind = JSON_K_OBJ, .required = true },
		{ .name = "s3", .kind = JSON_K_OBJ, .nullable = true },
		{ .name = "sns", .kind = JSON_K_OBJ, .nullable = true },
		{ .name = "name", .kind = JSON_K_STR, .required = true },
	};
	enum souk_err r = rest_need_body(c);

	if (!n)
		return SOUK_E_LIMIT;
	if (r != SOUK_OK || (r = json_take(c->body, m, is_new ? 4 : 3, &c->fail)) != SOUK_OK ||
	    (r = rest_text(c, m[0].got, &n->policy)) != SOUK_OK ||
	    (r = take_remote(c, REMOTE_S3, &m[1], &n->remote[REMOTE_S3])) != SOUK_OK ||
	    (r = take_remote(c, REMOTE_SNS, &m[2], &n->remote[REMOTE_SNS])) != SOUK_OK)
		return r;
	if (is_new)
		n->name = json_member_str(&m[3]);
	c->input = n;
	return SOUK_OK;
}

static enum souk_err
role_read_new(struct call *c)
{
	return take_role(c, true);
}

static enum souk_err
role_read_change(struct call *c)
{
	return take_role(c, false);
}

static enum souk_err
put_remotes(struct call *c, struct db_tx *tx, struct str seller, struct str role)
{
	const struct new_role *n = c->input;
	struct remote_rules rules = remote_rules_of(c->svc->config);
	enum souk_err r = SOUK_OK;

	for (unsigned k = 0; k < REMOTE__COUNT && r == SOUK_OK; k++) {
		if (n->remote[k].set)
			r = remote_put(tx, c->svc->vault, &rules, c->scope, seller, role,
			    &n->remote[k].to, &c->fail);
		else if (n->remote[k].remove)
			r = remote_remove(tx, seller, role, (enum remote_kind)k);
	}
	return r;
}

static enum souk_err
role_add(struct call *c, struct db_tx *tx)
{
	const struct new_role *n = c->input;
	struct str seller;
	int64_t revision;
	enum souk_err r;

	if ((r = rest_seller(c, 0, &seller)) != SOUK_OK ||
	    (r = role_put(tx, c->scope, seller, n->name, n->policy, 0, true, &revision,
		 &c->fail)) != SOUK_OK ||
	    (r = put_remotes(c, tx, seller, n->name)) != SOUK_OK ||
	    (r = role_answer(c, tx, seller, n->name)) != SOUK_OK)
		return r;
	rest_created_here(c, n->name);
	rest_audit(c, "role", n->name, seller);
	return SOUK_OK;
}

/* The revision that the caller saw; he may have named several. */
static enum souk_err
role_seen(struct call *c, struct db_tx *tx, struct str seller, int64_t *ret)
{
	int64_t present;
	struct jw w;
	enum souk_err r;

	jw_init(&w, &c->out);
	r = role_get(tx, c->scope, seller, c->params[1], &w, &present);
	buf_clear(&c->out);
	return r == SOUK_OK ? call_if_match(c, present, ret) : r;
}

static enum souk_err
role_change(struct call *c, struct db_tx *tx)
{
	const struct new_role *n = c->input;
	struct str seller;
	int64_t seen, revision;
	enum souk_err r;

	if ((r = rest_seller(c, 0, &seller)) != SOUK_OK ||
	    (r = role_seen(c, tx, seller, &seen)) != SOUK_OK ||
	    (r = role_put(tx, c->scope, seller, c->params[1], n->policy, seen, false, &revision,
		 &c->fail)) != SOUK_OK ||
	    (r = put_remotes(c, tx, seller, c->params[1])) != SOUK_OK ||
	    (r = role_answer(c, tx, seller, c->params[1])) != SOUK_OK)
		return r;
	rest_audit(c, "role", c->params[1], seller);
	return SOUK_OK;
}

static enum souk_err
role_remove(struct call *c, struct db_tx *tx)
{
	struct str seller;
	enum souk_err r;

	if ((r = rest_seller(c, 0, &seller)) != SOUK_OK ||
	    (r = role_delete(tx, c->scope, seller, c->params[1])) != SOUK_OK)
		return r;
	rest_audit(c, "role", c->params[1], seller);
	return SOUK_OK;
}

/* ---- buckets --------------------------------------------------------------------------- */

static void
bucket_json(const struct bucket *b, struct jw *w)
{
	jw_open(w, NULL, '{');
	jw_c(w, "name", b->name);
	jw_instant(w, "createdAt", b->created_at);
	jw_close(w, '}');
}

static enum souk_err
buckets_list(struct call *c, struct db_tx *tx)
{
	struct bucket *all;
	struct str seller;
	struct jw w;
	size_t n;
	enum souk_err r;

	if ((r = rest_seller(c, 0, &seller)) != SOUK_OK ||
	    (r = bucket_list(tx, c->scope, seller, c->arena, &all, &n)) != SOUK_OK)
		return r;
	rest_list_open(c, &w);
	for (size_t i = 0; i < n; i++)
		bucket_json(&all[i], &w);
	rest_list_close(&w, STR(""));
	return SOUK_OK;
}

static enum souk_err
bucket_add(struct call *c, struct db_tx *tx)
{
	const struct str *name = c->input;
	struct str seller;
	struct bucket b;
	struct jw w;
	enum souk_err r;

	if ((r = rest_seller(c, 0, &seller)) != SOUK_OK ||
	    (r = bucket_create(tx, c->scope, seller, *name, &c->fail)) != SOUK_OK ||
	    (r = bucket_get(tx, c->scope, *name, &b)) != SOUK_OK)
		return r;
	jw_init(&w, &c->out);
	bucket_json(&b, &w);
	rest_created_here(c, *name);
	rest_audit(c, "bucket", *name, seller);
	return SOUK_OK;
}

/* The path's bucket, of the path's seller. */
static enum souk_err
read_bucket(struct call *c, struct db_tx *tx, struct str *ret_seller, struct bucket *ret)
{
	enum souk_err r;

	if ((r = rest_seller(c, 0, ret_seller)) != SOUK_OK ||
	    (r = bucket_get(tx, c->scope, c->params[1], ret)) != SOUK_OK)
		return r;
	return str_eq_c(*ret_seller, ret->seller_id) ? SOUK_OK : SOUK_E_NOT_FOUND;
}

static enum souk_err
bucket_show(struct call *c, struct db_tx *tx)
{
	struct str seller;
	struct bucket b;
	struct jw w;
	enum souk_err r = read_bucket(c, tx, &seller, &b);

	if (r != SOUK_OK)
		return r;
	jw_init(&w, &c->out);
	bucket_json(&b, &w);
	return SOUK_OK;
}

static enum souk_err
bucket_remove(struct call *c, struct db_tx *tx)
{
	struct str seller;
	struct bucket b;
	enum souk_err r;

	if ((r = read_bucket(c, tx, &seller, &b)) != SOUK_OK)
		return r;
	if ((r = bucket_delete(tx, c->scope, c->params[1], &c->fail)) != SOUK_OK)
		return r;
	rest_audit(c, "bucket", c->params[1], seller);
	return SOUK_OK;
}

/* ---- the delivery log ------------------------------------------------------------------ */

static enum souk_err
deliveries_list(struct call *c, struct db_tx *tx)
{
	struct str seller;
	struct page p;
	struct jw w;
	enum souk_err r;

	if ((r = rest_seller(c, 0, &seller)) != SOUK_OK || (r = call_page(c, &p)) != SOUK_OK)
		return r;
	rest_list_open(c, &w);
	r = request_list(tx, c->scope, seller, &p, c->arena, &w, &c->fail);
	rest_list_close(&w, p.next);
	return r;
}

static enum souk_err
delivery_show(struct call *c, struct db_tx *tx)
{
	struct str seller;
	struct guid id;
	struct jw w;
	enum souk_err r;

	if ((r = rest_seller(c, 0, &seller)) != SOUK_OK ||
	    (r = call_param_guid(c, 1, &id)) != SOUK_OK)
		return r;
	jw_init(&w, &c->out);
	return request_get_json(tx, c->scope, seller, &id, c->arena, &w);
}

static enum souk_err
delivery_resend(struct call *c, struct db_tx *tx)
{
	struct str seller;
	struct guid id;
	struct jw w;
	enum souk_err r;

	if ((r = rest_seller(c, 0, &seller)) != SOUK_OK ||
	    (r = call_param_guid(c, 1, &id)) != SOUK_OK ||
	    (r = request_resend(tx, c->svc->vault, c->scope, seller, &id, c->arena, &c->fail)) !=
		SOUK_OK)
		return r;
	jw_init(&w, &c->out);
	return request_get_json(tx, c->scope, seller, &id, c->arena, &w);
}

#define READ OP_READ | OP_NO_BODY
#define MAKE OP_WRITE | OP_IDEMPOTENT
#define SELLER "/api/v1/sellers/{sellerId}"
static const struct op ops[] = {
	{ "GET", SELLER "/roles", "delivery:ReadRoles", 0, READ, NULL, roles_list },
	{ "POST", SELLER "/roles", "delivery:CreateRole", REST_BODY, MAKE, role_read_new,
	    role_add },
	{ "GET", SELLER "/roles/{role}", "delivery:ReadRoles", 0, READ, NULL, role_show },
	{ "PUT", SELLER "/roles/{role}", "delivery:ChangeRole", REST_BODY, OP_WRITE,
	    role_read_change, role_change },
	{ "DELETE", SELLER "/roles/{role}", "delivery:DeleteRole", 0, OP_WRITE | OP_NO_BODY, NULL,
	    role_remove },
	{ "GET", SELLER "/buckets", "delivery:ReadBuckets", 0, READ, NULL, buckets_list },
	{ "POST", SELLER "/buckets", "delivery:CreateBucket", REST_BODY, MAKE, rest_read_name,
	    bucket_add },
	{ "GET", SELLER "/buckets/{bucket}", "delivery:ReadBuckets", 0, READ, NULL, bucket_show },
	{ "DELETE", SELLER "/buckets/{bucket}", "delivery:DeleteBucket", 0, OP_WRITE | OP_NO_BODY,
	    NULL, bucket_remove },
	{ "GET", SELLER "/deliveries", "delivery:ReadDeliveries", 0, READ, NULL, deliveries_list },
	{ "GET", SELLER "/deliveries/{requestId}", "delivery:ReadDeliveries", 0, READ, NULL,
	    delivery_show },
	{ "POST", SELLER "/deliveries/{requestId}/resend", "delivery:Resend", REST_BODY, MAKE,
	    rest_no_members, delivery_resend },
};
const struct rest_table rest_delivery = { ops, sizeof(ops) / sizeof(ops[0]) };
