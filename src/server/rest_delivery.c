/* SPDX-License-Identifier: Apache-2.0 */
/* REST: a seller's delivery roles, buckets and delivery log. */
#include "server/rest.h"

#include "delivery/request.h"
#include "delivery/role.h"

/* ---- roles ----------------------------------------------------------------------------- */

struct new_role {
	struct str name, policy;
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

/* {name, policy} for a new one, {policy} for a change. */
static enum souk_err
take_role(struct call *c, bool is_new)
{
	struct new_role *n = ARENA_NEW(c->arena, struct new_role);
	struct json_member m[] = {
		{ .name = "policy", .kind = JSON_K_OBJ, .required = true },
		{ .name = "name", .kind = JSON_K_STR, .required = true },
	};
	enum souk_err r = rest_need_body(c);

	if (!n)
		return SOUK_E_LIMIT;
	if (r != SOUK_OK || (r = json_take(c->body, m, is_new ? 2 : 1, &c->fail)) != SOUK_OK ||
	    (r = rest_text(c, m[0].got, &n->policy)) != SOUK_OK)
		return r;
	if (is_new)
		n->name = json_member_str(&m[1]);
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
role_add(struct call *c, struct db_tx *tx)
{
	const struct new_role *n = c->input;
	struct str seller;
	int64_t revision;
	enum souk_err r;

	if ((r = rest_seller(c, 0, &seller)) != SOUK_OK ||
	    (r = role_put(tx, c->scope, seller, n->name, n->policy, 0, true, &revision,
		 &c->fail)) != SOUK_OK ||
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
