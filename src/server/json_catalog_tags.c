/* SPDX-License-Identifier: Apache-2.0 */
/* The Catalog API: tags (specs/proserv.md 6). */
#include "server/catalog_int.h"

#include "base/utf8.h"
#include "server/rest.h"

#include <stdio.h>

#define TAGS_MAX 50
#define KEY_MAX 128
#define VALUE_MAX 256

struct tagging {
	struct catalog_arn arn;
	const json_t *list; /* tags or keys */
};

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
	t->list = list ? m[1].got : NULL;
	if ((r = catalog_arn_take(c, json_member_str(&m[0]), &t->arn)) != SOUK_OK)
		return r;
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

	if ((r = catalog_arn_owner(c, tx, &t->arn, seller)) != SOUK_OK ||
	    (r = lock_owner(tx, str_c(seller))) != SOUK_OK)
		return r;
	for (size_t i = 0; r == SOUK_OK && i < json_array_size(t->list); i++) {
		const json_t *o = json_array_get(t->list, i);

		r = catalog_tag_put(tx, str_c(seller), t->arn.resource,
		    text_of(json_object_get(o, "Key")), text_of(json_object_get(o, "Value")));
	}
	if (r != SOUK_OK || (r = count_tags(tx, str_c(seller), t->arn.resource, &n)) != SOUK_OK)
		return r;
	if (n > TAGS_MAX)
		return fail_field(
		    &c->fail, "Tags", "would be more than 50 of the resource", "remove some first");
	rest_audit(c, "tags", t->arn.id, str_c(seller));
	empty_answer(c);
	return SOUK_OK;
}

static enum souk_err
untag_run(struct call *c, struct db_tx *tx)
{
	const struct tagging *t = c->input;
	char seller[ACCOUNT_ID_LEN + 1] = "";
	enum souk_err r = catalog_arn_owner(c, tx, &t->arn, seller);

	for (size_t i = 0; r == SOUK_OK && i < json_array_size(t->list); i++)
		r = catalog_tag_drop(
		    tx, str_c(seller), t->arn.resource, text_of(json_array_get(t->list, i)));
	if (r != SOUK_OK)
		return r;
	rest_audit(c, "tags", t->arn.id, str_c(seller));
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
	enum souk_err r = catalog_arn_owner(c, tx, &t->arn, seller);

	if (r != SOUK_OK)
		return r;
	jw_init(&w, &c->out);
	jw_open(&w, NULL, '{');
	jw_str(&w, "ResourceArn", t->arn.arn);
	jw_open(&w, "Tags", '[');
	st = catalog_tags(tx, str_c(seller), t->arn.resource);
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

static const struct op ops[] = {
	{ "POST", "/TagResource", CATALOG_ACTION "TagResource", CATALOG_BODY, OP_WRITE, tag_parse,
	    tag_run },
	{ "POST", "/UntagResource", CATALOG_ACTION "UntagResource", CATALOG_BODY, OP_WRITE,
	    untag_parse, untag_run },
	{ "POST", "/ListTagsForResource", CATALOG_ACTION "ListTagsForResource", CATALOG_BODY,
	    OP_READ, tags_parse, tags_run },
};
const struct catalog_table catalog_tagging = { ops, sizeof(ops) / sizeof(ops[0]) };
