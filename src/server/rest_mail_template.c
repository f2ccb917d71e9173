/* SPDX-License-Identifier: Apache-2.0 */
/* REST: templates of mails, and where notices go. */
#include "server/rest_mail.h"

#include "delivery/mail_own.h"
#include "server/mail_kinds.h"

#define TEMPLATE_BODY ((size_t)1 << 20)
#define LANGUAGE_ANY "default" /* in the path; no BCP 47 tag begins with so many letters */

/* Whose: a seller's, or of the operator's own ("operator"), "". */
static enum souk_err
read_owner(struct call *c, struct str *ret)
{
	if (tenant_is_operator(c->scope) && str_eq(c->params[0], STR(MAIL_OPERATOR))) {
		*ret = STR("");
		return SOUK_OK;
	}
	return rest_seller(c, 0, ret);
}

static const struct mail_kind *
read_kind(struct call *c)
{
	return mail_kind_find(c->params[1]);
}

static enum souk_err
read_language(struct call *c, struct str *ret)
{
	char *out = arena_alloc(c->arena, MAIL_LANGUAGE_MAX + 1);

	if (!out)
		return SOUK_E_LIMIT;
	if (!str_eq(c->params[2], STR(LANGUAGE_ANY)) &&
	    (c->params[2].n == 0 || !mail_language(c->params[2], out)))
		return SOUK_E_NOT_FOUND;
	*ret = str_c(out);
	return SOUK_OK;
}

/* ---- showing --------------------------------------------------------------------------- */

static void
parts_json(struct jw *w, const struct mail_parts *p)
{
	jw_str(w, "subject", p->subject);
	jw_str(w, "text", p->text);
	jw_str_opt(w, "html", p->html);
}

static struct str
language_word(struct str language)
{
	return language.n > 0 ? language : STR(LANGUAGE_ANY);
}

static void
places_json(struct jw *w, const struct mail_kind *k)
{
	jw_open(w, "places", '[');
	for (size_t i = 0; i < k->n_places; i++) {
		jw_open(w, NULL, '{');
		jw_c(w, "name", k->places[i].name);
		jw_c(w, "about", k->places[i].about);
		jw_bool(w, "required", k->places[i].required);
		jw_c(w, "sample", k->places[i].sample ? k->places[i].sample : "");
		jw_close(w, '}');
	}
	jw_close(w, ']');
}

static enum souk_err
kind_json(
    struct call *c, struct db_tx *tx, struct str owner, const struct mail_kind *k, struct jw *w)
{
	struct mail_own own[MAIL_OWN_MAX];
	size_t n = 0;
	enum souk_err r = mail_own_list(tx, owner, str_c(k->name), c->arena, own, &n);

	jw_open(w, NULL, '{');
	jw_c(w, "kind", k->name);
	jw_c(w, "about", k->about);
	jw_bool(w, "operators", k->operators);
	places_json(w, k);
	jw_open(w, "builtIn", '{');
	parts_json(w, &k->deflt);
	jw_close(w, '}');
	jw_open(w, "own", '[');
	for (size_t i = 0; i < n; i++) {
		jw_open(w, NULL, '{');
		jw_str(w, "language", language_word(own[i].language));
		jw_str(w, "subject", own[i].parts.subject);
		jw_instant(w, "changedAt", own[i].changed_at);
		jw_int(w, "revision", own[i].revision);
		jw_close(w, '}');
	}
	jw_close(w, ']');
	jw_close(w, '}');
	return r;
}

static enum souk_err
templates_list(struct call *c, struct db_tx *tx)
{
	struct str owner;
	struct jw w;
	enum souk_err r = read_owner(c, &owner);

	if (r != SOUK_OK)
		return r;
	rest_list_open(c, &w);
	for (size_t i = 0; i < mail_kinds_n && r == SOUK_OK; i++)
		r = kind_json(c, tx, owner, mail_kinds[i], &w);
	rest_list_close(&w, STR(""));
	return r;
}

static enum souk_err
find_own(struct call *c, struct db_tx *tx, struct str *ret_owner, struct mail_own *ret)
{
	const struct mail_kind *k = read_kind(c);
	struct str language;
	enum souk_err r = read_owner(c, ret_owner);

	if (r != SOUK_OK || !k)
		return k ? r : SOUK_E_NOT_FOUND;
	if ((r = read_language(c, &language)) != SOUK_OK)
		return r;
	return mail_own_get(tx, *ret_owner, str_c(k->name), language, c->arena, ret);
}

static void
own_json(struct call *c, const struct mail_kind *k, const struct mail_own *t)
{
	struct jw w;

	jw_init(&w, &c->out);
	jw_open(&w, NULL, '{');
	jw_str(&w, "kind", t->kind);
	jw_str(&w, "language", language_word(t->language));
	parts_json(&w, &t->parts);
	jw_instant(&w, "changedAt", t->changed_at);
	jw_str(&w, "changedBy", t->changed_by);
	/* False: saved for an earlier edition of the kind, passed over until it is mended. */
	jw_bool(&w, "usable", mail_template_check(k, &t->parts, NULL) == SOUK_OK);
	jw_close(&w, '}');
	call_etag(c, t->revision);
}

static enum souk_err
template_show(struct call *c, struct db_tx *tx)
{
	struct mail_own t;
	struct str owner;
	enum souk_err r = find_own(c, tx, &owner, &t);

	if (r == SOUK_OK)
		own_json(c, read_kind(c), &t);
	return r;
}

/* ---- saving and trying ----------------------------------------------------------------- */

struct template_input {
	struct mail_parts parts;
	const json_t *values;
};

static enum souk_err
template_read(struct call *c)
{
	struct json_member m[] = { { .name = "subject", .kind = JSON_K_STR, .required = true },
		{ .name = "text", .kind = JSON_K_STR, .required = true },
		{ .name = "html", .kind = JSON_K_STR }, { .name = "values", .kind = JSON_K_OBJ } };
	struct template_input *in = ARENA_NEW(c->arena, struct template_input);
	bool tries = c->op->method[0] == 'P' && c->op->method[1] == 'O';
	enum souk_err r = rest_need_body(c);

	if (!in)
		return SOUK_E_LIMIT;
	c->input = in;
	if (r != SOUK_OK || (r = json_take(c->body, m, tries ? 4 : 3, &c->fail)) != SOUK_OK)
		return r;
	in->parts = (struct mail_parts){ json_member_str(&m[0]), json_member_str(&m[1]),
		json_member_str(&m[2]) };
	in->values = tries ? m[3].got : NULL;
	return SOUK_OK;
}

static enum souk_err
template_put(struct call *c, struct db_tx *tx)
{
	const struct template_input *in = c->input;
	const struct mail_kind *k = read_kind(c);
	struct mail_own t = { .revision = 0 };
	struct str owner = STR(""), language;
	int64_t seen = 0, revision = 0;
	enum souk_err r = find_own(c, tx, &owner, &t);

	if (r != SOUK_OK && (r != SOUK_E_NOT_FOUND || !k))
		return r;
	if ((r = read_owner(c, &owner)) != SOUK_OK ||
	    (r = read_language(c, &language)) != SOUK_OK ||
	    (r = call_if_match(c, t.revision, &seen)) != SOUK_OK ||
	    (r = mail_own_put(tx, c->scope, owner, k, language, &in->parts, seen, &revision,
		 &c->fail)) != SOUK_OK ||
	    (r = find_own(c, tx, &owner, &t)) != SOUK_OK)
		return r;
	own_json(c, k, &t);
	rest_audit(c, "mail-template", str_c(k->name), owner);
	return SOUK_OK;
}

static enum souk_err
template_remove(struct call *c, struct db_tx *tx)
{
	struct mail_own t;
	struct str owner;
	enum souk_err r = find_own(c, tx, &owner, &t);

	if (r != SOUK_OK || (r = mail_own_drop(tx, owner, t.kind, t.language)) != SOUK_OK)
		return r;
	rest_audit(c, "mail-template", t.kind, owner);
	return SOUK_OK;
}

static enum souk_err
template_try(struct call *c, struct db_tx *tx)
{
	const struct template_input *in = c->input;
	const struct mail_kind *k = read_kind(c);
	struct mail_text t = { 0 };
	struct str owner;
	struct jw w;
	enum souk_err r = read_owner(c, &owner);

	(void)tx;
	if (r != SOUK_OK || !k)
		return k ? r : SOUK_E_NOT_FOUND;
	if ((r = mail_own_preview(k, &in->parts, in->values, &t, &c->fail)) == SOUK_OK) {
		jw_init(&w, &c->out);
		jw_open(&w, NULL, '{');
		parts_json(&w, &(struct mail_parts){
				   buf_str(&t.subject), buf_str(&t.text), buf_str(&t.html) });
		jw_close(&w, '}');
	}
	mail_text_done(&t);
	return r;
}

/* ---- addresses for notices ------------------------------------------------------------- */

struct addresses_input {
	struct mail_address a[MAIL_ADDRESSES_MAX];
	size_t n;
};

static enum souk_err
addresses_read(struct call *c)
{
	struct json_member all = { .name = "addresses", .kind = JSON_K_ARR, .required = true };
	struct addresses_input *in = ARENA_NEW(c->arena, struct addresses_input);
	enum souk_err r = rest_need_body(c);

	if (!in)
		return SOUK_E_LIMIT;
	c->input = in;
	if (r != SOUK_OK || (r = json_take(c->body, &all, 1, &c->fail)) != SOUK_OK)
		return r;
	in->n = json_array_size(all.got);
	if (in->n > MAIL_ADDRESSES_MAX)
		return fail_field(&c->fail, "addresses", "has too many entries", "give at most 5");
	for (size_t i = 0; i < in->n && r == SOUK_OK; i++) {
		struct json_member m[] = {
			{ .name = "address", .kind = JSON_K_STR, .required = true },
			{ .name = "name", .kind = JSON_K_STR },
			{ .name = "language", .kind = JSON_K_STR }
		};

		if (!json_is_object(json_array_get(all.got, i)))
			return fail_field(&c->fail, "addresses", "has an entry that is no object",
			    "give objects with address, name and language");
		r = json_take(json_array_get(all.got, i), m, 3, &c->fail);
		in->a[i] =
		    (struct mail_address){ { json_member_str(&m[1]), json_member_str(&m[0]) },
			    json_member_str(&m[2]) };
	}
	return r;
}

static enum souk_err
addresses_answer(struct call *c, struct db_tx *tx, struct str owner)
{
	struct mail_address a[MAIL_ADDRESSES_MAX];
	struct jw w;
	size_t n = 0;
	enum souk_err r = mail_addresses_get(tx, c->svc->vault, owner, c->arena, a, &n);

	if (r != SOUK_OK)
		return r;
	jw_init(&w, &c->out);
	jw_open(&w, NULL, '{');
	jw_open(&w, "addresses", '[');
	for (size_t i = 0; i < n; i++) {
		jw_open(&w, NULL, '{');
		jw_str(&w, "address", a[i].party.mailbox);
		jw_str_opt(&w, "name", a[i].party.name);
		jw_str_opt(&w, "language", a[i].language);
		jw_close(&w, '}');
	}
	jw_close(&w, ']');
	jw_close(&w, '}');
	rest_audit(c, "mail-addresses", owner, owner);
	return SOUK_OK;
}

static enum souk_err
addresses_show(struct call *c, struct db_tx *tx)
{
	struct str owner;
	enum souk_err r = read_owner(c, &owner);

	return r == SOUK_OK ? addresses_answer(c, tx, owner) : r;
}

static enum souk_err
addresses_put(struct call *c, struct db_tx *tx)
{
	const struct addresses_input *in = c->input;
	struct str owner;
	enum souk_err r;

	if ((r = read_owner(c, &owner)) != SOUK_OK ||
	    (r = mail_addresses_set(tx, c->svc->vault, owner, in->a, in->n, &c->fail)) != SOUK_OK)
		return r;
	return addresses_answer(c, tx, owner);
}

#define READ OP_READ | OP_NO_BODY
#define TEMPLATES "/api/v1/sellers/{sellerId}/mail-templates"
#define ONE TEMPLATES "/{kind}/{language}"
#define ADDRESSES "/api/v1/sellers/{sellerId}/mail-addresses"

static const struct op ops[] = {
	{ "GET", TEMPLATES, "delivery:ReadTemplates", 0, READ, NULL, templates_list },
	{ "POST", TEMPLATES "/{kind}/preview", "delivery:ReadTemplates", TEMPLATE_BODY, OP_READ,
	    template_read, template_try },
	{ "GET", ONE, "delivery:ReadTemplates", 0, READ, NULL, template_show },
	{ "PUT", ONE, "delivery:SetTemplate", TEMPLATE_BODY, OP_WRITE, template_read,
	    template_put },
	{ "DELETE", ONE, "delivery:SetTemplate", 0, OP_WRITE | OP_NO_BODY, NULL, template_remove },
	{ "GET", ADDRESSES, "delivery:ReadMailAddresses", 0, READ | OP_AUDIT, NULL,
	    addresses_show },
	{ "PUT", ADDRESSES, "delivery:SetMailAddresses", REST_BODY, OP_WRITE, addresses_read,
	    addresses_put },
};
const struct rest_table rest_mail_template = { ops, sizeof(ops) / sizeof(ops[0]) };
