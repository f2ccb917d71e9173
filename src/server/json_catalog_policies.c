/* SPDX-License-Identifier: Apache-2.0 */
/* The Catalog API: resource policies, by which other accounts may read an entity (specs/proserv.md 6.1). */
#include "server/catalog_int.h"

#include "proserv/resource_policy.h"
#include "server/rest.h"

struct sharing {
	struct catalog_arn arn;
	enum entity_kind kind;
	struct guid id;
	struct str text;
	struct resource_policy policy;
};

/* Change sets have ARNs, too, and no policies. */
static enum souk_err
take(struct call *c, struct str arn, struct sharing **ret)
{
	struct sharing *s = ARENA_NEW(c->arena, struct sharing);
	enum souk_err r;

	if (!s)
		return SOUK_E_LIMIT;
	*s = (struct sharing){ .kind = ENTITY_PRODUCT };
	c->input = *ret = s;
	if ((r = catalog_arn_take(c, arn, &s->arn)) != SOUK_OK)
		return r;
	return entity_type_parse(s->arn.type, &s->kind) &&
		       entity_id_parse(entity_prefix(s->kind), s->arn.id, &s->id)
		   ? SOUK_OK
		   : fail_field(&c->fail, "ResourceArn", "is not that of an entity",
			 "give one that DescribeEntity tells");
}

static enum souk_err
query_parse(struct call *c)
{
	struct str arn = call_query(c, "resourceArn");
	struct sharing *s;

	if (!arn.p)
		return fail_field(&c->fail, "resourceArn", "is missing", "give an entity's ARN");
	return take(c, arn, &s);
}

static enum souk_err
put_parse(struct call *c)
{
	struct json_member m[] = { { .name = "ResourceArn", .kind = JSON_K_STR, .required = true },
		{ .name = "Policy", .kind = JSON_K_STR, .required = true } };
	struct sharing *s;
	char account[ACCOUNT_ID_LEN + 1] = "";
	struct str arn;
	enum souk_err r;

	if ((r = json_take(c->body, m, 2, &c->fail)) != SOUK_OK ||
	    (r = take(c, json_member_str(&m[0]), &s)) != SOUK_OK)
		return r;
	s->text = json_member_str(&m[1]);
	if (s->arn.account.n == ACCOUNT_ID_LEN)
		memcpy(account, s->arn.account.p, ACCOUNT_ID_LEN);
	arn = entity_arn(c->arena, c->svc->region, account, entity_type(s->kind),
	    arena_strndup(c->arena, s->arn.id.p, s->arn.id.n));
	if (!arn.p)
		return SOUK_E_NOMEM;
	return resource_policy_read(s->text, arn, c->arena, &s->policy, &c->fail);
}

static enum souk_err
get_run(struct call *c, struct db_tx *tx)
{
	const struct sharing *s = c->input;
	char seller[ACCOUNT_ID_LEN + 1] = "";
	struct buf policy = { 0 };
	struct jw w;
	enum souk_err r = catalog_arn_owner(c, tx, &s->arn, seller);

	if (r == SOUK_OK && (r = policy_row_find(tx, str_c(seller), &s->id, &policy)) == SOUK_OK) {
		jw_init(&w, &c->out);
		jw_open(&w, NULL, '{');
		jw_str(&w, "Policy", buf_str(&policy));
		jw_close(&w, '}');
	}
	buf_done(&policy);
	return r;
}

static enum souk_err
answer(struct call *c, const struct sharing *s, const char *seller)
{
	rest_audit(c, "resource-policy", s->arn.id, str_c(seller));
	buf_add_c(&c->out, "{}");
	return SOUK_OK;
}

static enum souk_err
put_run(struct call *c, struct db_tx *tx)
{
	const struct sharing *s = c->input;
	char seller[ACCOUNT_ID_LEN + 1] = "";
	enum souk_err r = catalog_arn_owner(c, tx, &s->arn, seller);

	if (r != SOUK_OK ||
	    (r = resource_policy_put(tx, str_c(seller), &s->id, s->text, &s->policy)) != SOUK_OK)
		return r;
	return answer(c, s, seller);
}

static enum souk_err
delete_run(struct call *c, struct db_tx *tx)
{
	const struct sharing *s = c->input;
	char seller[ACCOUNT_ID_LEN + 1] = "";
	enum souk_err r = catalog_arn_owner(c, tx, &s->arn, seller);

	if (r != SOUK_OK || (r = resource_policy_drop(tx, str_c(seller), &s->id)) != SOUK_OK)
		return r;
	return answer(c, s, seller);
}

static const struct op ops[] = {
	{ "GET", "/GetResourcePolicy", CATALOG_ACTION "GetResourcePolicy", 0, OP_READ | OP_NO_BODY,
	    query_parse, get_run },
	{ "POST", "/PutResourcePolicy", CATALOG_ACTION "PutResourcePolicy", CATALOG_BODY, OP_WRITE,
	    put_parse, put_run },
	{ "DELETE", "/DeleteResourcePolicy", CATALOG_ACTION "DeleteResourcePolicy", 0,
	    OP_WRITE | OP_NO_BODY, query_parse, delete_run },
};
const struct catalog_table catalog_policies = { ops, sizeof(ops) / sizeof(ops[0]) };
