/* SPDX-License-Identifier: Apache-2.0 */
/* The Catalog API: tags, and resource policies, which there are none of (specs/proserv.md 6). */
#include "server/catalog_int.h"

#include "base/utf8.h"
#include "server/rest.h"

#include <stdio.h>

#define TAGS_MAX 50
#define KEY_MAX 128
#define VALUE_MAX 256
#define ARN_MAX 255

struct tagging {
	struct str arn;
	struct str account;  /* of the ARN */
	struct str type, id; /* of what it names */
	struct str resource; /* "AWSMarketplace/TYPE/ID" */
	const json_t *list;  /* tags or keys */
};

/* "arn:aws:aws-marketplace:REGION:ACCOUNT:AWSMarketplace/TYPE/ID" */
static bool
take_arn(struct tagging *t)
{
	struct str rest = t->arn, part;

	for (int i = 0; i < 3; i++) {
		static const char *const parts[] = { "arn", "aws", "aws-marketplace" };

		if (!str_split(&rest, ':', &part) || !str_eq_c(part, parts[i]))
			return false;
	}
	if (t->arn.n > ARN_MAX || !str_split(&rest, ':', &part) ||
	    !str_split(&rest, ':', &t->account) || !rest.p)
		return false;
	t->resource = rest;
	return str_split(&rest, '/', &part) && str_eq_c(part, CATALOG) &&
	       str_split(&rest, '/', &t->type) && str_split(&rest, '/', &t->id) && !rest.p;
}

static enum souk_err
take(struct call *c, const char *list, enum json_kind kind)
{
	struct json_member m[] = { { .name = "ResourceArn", .kind = JSON_K_STR, .required = true },
		{ .name = list, .kind = kind, .required = true } };
	struct tagging *t = ARENA_NEW(c->arena, struct tagging);
	enum souk_err r;

	if (!t)
		return SOUK_E_LIMIT;
	c->input = t;
	if ((r = json_take(c->body, m, list ? 2 : 1, &c->fail)) != SOUK_OK)
		return r;
	t->arn = json_member_str(&m[0]);
	t->list = list ? m[1].got : NULL;
	if (!take_arn(t))
		return fail_field(&c->fail, "ResourceArn", "is no ARN of this catalog",
		    "give that of an entity or a change set");
	if (list && (json_array_size(t->list) < 1 || json_array_size(t->list) > TAGS_MAX))
		return fail_field(&c->fail, list, "is empty or too long", "give 1 to 50");
	return SOUK_OK;
}

static bool
is_text(const json_t *v, size_t least, size_t most)
{
	struct str s = { json_string_value(v), json_string_length(v) };

	return json_is_string(v) && utf8_length(s) >= least && utf8_length(s) <= most &&
	       !utf8_has_control(s);
}

static enum souk_err
tag_parse(struct call *c)
{
	enum souk_err r = take(c, "Tags", JSON_K_ARR);
	const struct tagging *t = c->input;

	for (size_t i = 0; r == SOUK_OK && i < json_array_size(t->list); i++) {
		const json_t *o = json_array_get(t->list, i);

		if (json_object_size(o) != 2 || !is_text(json_object_get(o, "Key"), 1, KEY_MAX) ||
		    !is_text(json_object_get(o, "Value"), 0, VALUE_MAX))
			r = fail_field(&c->fail, "Tags", "has one that is no tag",
			    "give {Key, Value} of 1 to 128 and 0 to 256 characters");
	}
	return r;
}

static enum souk_err
untag_parse(struct call *c)
{
	enum souk_err r = take(c, "TagKeys", JSON_K_ARR);
	const struct tagging *t = c->input;

	for (size_t i = 0; r == SOUK_OK && i < json_array_size(t->list); i++)
		if (!is_text(json_array_get(t->list, i), 1, KEY_MAX))
			r = fail_field(&c->fail, "TagKeys", "has one that is no key",
			    "give 1 to 128 characters each");
	return r;
}

static enum souk_err
tags_parse(struct call *c)
{
	return take(c, NULL, JSON_K_ANY);
}

/* Whose it is: the ARN says so, and it must be there. */
static enum souk_err
find_owner(
    struct call *c, struct db_tx *tx, const struct tagging *t, char ret[static ACCOUNT_ID_LEN + 1])
{
	struct entity_document e = { 0 };
	struct change_set_row set;
	enum entity_kind kind;
	struct guid id;
	enum souk_err r;

	if (str_eq_c(t->type, "ChangeSet")) {
		if (!guid_parse(t->id, &id))
			return SOUK_E_NOT_FOUND;
		if ((r = change_set_get(tx, c->scope, &id, c->arena, &set)) == SOUK_OK)
			memcpy(ret, set.seller_id, sizeof(set.seller_id));
	} else {
		if (!entity_type_parse(t->type, &kind) || !str_eq_c(t->type, entity_type(kind)) ||
		    !str_starts(t->id, str_c(entity_prefix(kind))))
			return SOUK_E_NOT_FOUND;
		if ((r = entity_get(tx, c->scope, t->id, c->arena, &e)) == SOUK_OK)
			memcpy(ret, e.summary.seller_id, sizeof(e.summary.seller_id));
	}
	return r == SOUK_OK && !str_eq_c(t->account, ret) ? SOUK_E_NOT_FOUND : r;
}

static struct str
text_of(const json_t *v)
{
	return (struct str){ json_string_value(v), json_string_length(v) };
}

static enum souk_err
count_tags(struct db_tx *tx, struct str seller_id, struct str resource, size_t *ret)
{
	struct db_stmt *st = catalog_tags(tx, seller_id, resource);
	enum souk_err r;
	bool row;

	while ((r = db_step(st, &row)) == SOUK_OK && row)
		(*ret)++;
	return r;
}

static void
empty_answer(struct call *c)
{
	buf_add_c(&c->out, "{}");
}

static enum souk_err
tag_run(struct call *c, struct db_tx *tx)
{
	const struct tagging *t = c->input;
	char seller[ACCOUNT_ID_LEN + 1] = "";
	size_t n = 0;
	enum souk_err r;

	if ((r = find_owner(c, tx, t, seller)) != SOUK_OK ||
	    (r = lock_owner(tx, str_c(seller))) != SOUK_OK)
		return r;
	for (size_t i = 0; r == SOUK_OK && i < json_array_size(t->list); i++) {
		const json_t *o = json_array_get(t->list, i);

		r = catalog_tag_put(tx, str_c(seller), t->resource,
		    text_of(json_object_get(o, "Key")), text_of(json_object_get(o, "Value")));
	}
	if (r != SOUK_OK || (r = count_tags(tx, str_c(seller), t->resource, &n)) != SOUK_OK)
		return r;
	if (n > TAGS_MAX)
		return fail_field(
		    &c->fail, "Tags", "would be more than 50 of the resource", "remove some first");
	rest_audit(c, "tags", t->id, str_c(seller));
	empty_answer(c);
	return SOUK_OK;
}

static enum souk_err
untag_run(struct call *c, struct db_tx *tx)
{
	const struct tagging *t = c->input;
	char seller[ACCOUNT_ID_LEN + 1] = "";
	enum souk_err r = find_owner(c, tx, t, seller);

	for (size_t i = 0; r == SOUK_OK && i < json_array_size(t->list); i++)
		r = catalog_tag_drop(
		    tx, str_c(seller), t->resource, text_of(json_array_get(t->list, i)));
	if (r != SOUK_OK)
		return r;
	rest_audit(c, "tags", t->id, str_c(seller));
	empty_answer(c);
	return SOUK_OK;
}

static enum souk_err
tags_run(struct call *c, struct db_tx *tx)
{
	const struct tagging *t = c->input;
	char seller[ACCOUNT_ID_LEN + 1] = "";
	struct db_stmt *st;
	bool row;
	struct jw w;
	enum souk_err r = find_owner(c, tx, t, seller);

	if (r != SOUK_OK)
		return r;
	jw_init(&w, &c->out);
	jw_open(&w, NULL, '{');
	jw_str(&w, "ResourceArn", t->arn);
	jw_open(&w, "Tags", '[');
	st = catalog_tags(tx, str_c(seller), t->resource);
	while ((r = db_step(st, &row)) == SOUK_OK && row) {
		jw_open(&w, NULL, '{');
		jw_str(&w, "Key", db_text(st, 0));
		jw_str(&w, "Value", db_text(st, 1));
		jw_close(&w, '}');
	}
	jw_close(&w, ']');
	jw_close(&w, '}');
	if (r != SOUK_OK)
		buf_clear(&c->out);
	return r;
}

/* ---- resource policies ----------------------------------------------------------------- */

static enum souk_err
no_policy(struct call *c, struct db_tx *tx)
{
	(void)tx;
	(void)c;
	return SOUK_E_NOT_FOUND;
}

static enum souk_err
no_sharing(struct call *c, struct db_tx *tx)
{
	(void)tx;
	return fail_field(&c->fail, "Policy", "cannot be put: services are not shared here",
	    "make private offers to buyers instead");
}

static const struct op ops[] = {
	{ "POST", "/TagResource", CATALOG_ACTION "TagResource", CATALOG_BODY, OP_WRITE, tag_parse,
	    tag_run },
	{ "POST", "/UntagResource", CATALOG_ACTION "UntagResource", CATALOG_BODY, OP_WRITE,
	    untag_parse, untag_run },
	{ "POST", "/ListTagsForResource", CATALOG_ACTION "ListTagsForResource", CATALOG_BODY,
	    OP_READ, tags_parse, tags_run },
	{ "GET", "/GetResourcePolicy", CATALOG_ACTION "GetResourcePolicy", 0, OP_NO_DB | OP_NO_BODY,
	    NULL, no_policy },
	{ "POST", "/PutResourcePolicy", CATALOG_ACTION "PutResourcePolicy", CATALOG_BODY, OP_NO_DB,
	    NULL, no_sharing },
	{ "DELETE", "/DeleteResourcePolicy", CATALOG_ACTION "DeleteResourcePolicy", 0,
	    OP_NO_DB | OP_NO_BODY, NULL, no_policy },
};
const struct catalog_table catalog_tagging = { ops, sizeof(ops) / sizeof(ops[0]) };
