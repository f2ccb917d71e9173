/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The input of StartChangeSet: form, names, references.
 *
 * References are put in place here, once and for all: a new entity has its future id before anything is kept.
 */
#include "proserv/change_int.h"

#include "base/utf8.h"

#include <stdio.h>

#define NAME_MAX_LEN 100
#define TOKEN_MAX 64
#define DETAILS_DEPTH 24
#define TAGS_MAX 50
#define TAG_KEY_MAX 128
#define TAG_VALUE_MAX 256

static const struct {
	const char *type, *versioned, *prefix;
} types[ENTITY__COUNT] = {
	[ENTITY_PRODUCT] = { "ProfessionalServicesProduct", "ProfessionalServicesProduct@1.0",
	    PRODUCT_PREFIX },
	[ENTITY_OFFER] = { "Offer", "Offer@1.0", OFFER_PREFIX },
};

const char *
entity_type(enum entity_kind k)
{
	return types[k].type;
}

const char *
entity_type_versioned(enum entity_kind k)
{
	return types[k].versioned;
}

const char *
entity_prefix(enum entity_kind k)
{
	return types[k].prefix;
}

bool
entity_type_parse(struct str s, enum entity_kind *ret)
{
	for (int k = 0; k < ENTITY__COUNT; k++)
		if (str_eq_c(s, types[k].type) || str_eq_c(s, types[k].versioned)) {
			*ret = (enum entity_kind)k;
			return true;
		}
	return false;
}

/* ---- one change ------------------------------------------------------------------------ */

struct reading {
	struct change_request *q;
	struct arena *mem;
	struct fail *f;
	json_t *list;
	size_t at;                            /* the change being read */
	bool needs[CHANGES_MAX][CHANGES_MAX]; /* [a][b]: a refers to b */
};

static enum souk_err
wrong(struct reading *r, const char *member, const char *what, const char *fix)
{
	char field[80];

	(void)snprintf(field, sizeof(field), "ChangeSet[%zu].%.50s", r->at, member);
	return fail_field(r->f, field, what, fix);
}

/* json_take's words name members of the change: say of which. */
static enum souk_err
take(struct reading *r, const json_t *o, struct json_member *m, size_t n, const char *where)
{
	struct fail one = { .err = SOUK_OK };
	enum souk_err err = json_take(o, m, n, &one);

	for (size_t i = 0; i < one.n; i++) {
		char field[176];

		(void)snprintf(field, sizeof(field), "%s%s", where, one.entry[i].field);
		field[60] = '\0';
		(void)wrong(r, field, one.entry[i].what, one.entry[i].fix);
	}
	if (err != SOUK_OK && one.n == 0)
		return wrong(r, "", "is not what it should be", "give a JSON object");
	return err;
}

static bool
is_word(struct str s, size_t max, const char *more)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			strchr(more, c)))
			return false;
	}
	return s.n > 0 && s.n <= max;
}

static bool
is_tag_text(const json_t *v, size_t least, size_t most)
{
	struct str s = { json_string_value(v), json_string_length(v) };

	return json_is_string(v) && utf8_length(s) >= least && utf8_length(s) <= most &&
	       !utf8_has_control(s);
}

/* [{"Key", "Value"}], each key once. */
static bool
are_tags(const json_t *a)
{
	size_t n = json_array_size(a);

	if (!json_is_array(a) || n < 1 || n > TAGS_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		const json_t *o = json_array_get(a, i), *key = json_object_get(o, "Key");

		if (json_object_size(o) != 2 || !is_tag_text(key, 1, TAG_KEY_MAX) ||
		    !is_tag_text(json_object_get(o, "Value"), 0, TAG_VALUE_MAX))
			return false;
		for (size_t k = 0; k < i; k++)
			if (json_equal(json_object_get(json_array_get(a, k), "Key"), key))
				return false;
	}
	return true;
}

static const struct change_kind *
kind_of(enum entity_kind entity, struct str type)
{
	for (size_t i = 0; i < n_change_kinds; i++)
		if (change_kinds[i].entity == entity && str_eq_c(type, change_kinds[i].type) &&
		    !change_kinds[i].internal)
			return &change_kinds[i];
	return NULL;
}

/* "$NAME.Entity.Identifier"; p NULL when it is no reference. */
static struct str
reference(struct str s)
{
	static const struct str end = { ".Entity.Identifier", 18 };

	if (s.n <= end.n + 1 || s.p[0] != '$' || !str_ends(s, end))
		return (struct str){ NULL, 0 };
	return (struct str){ s.p + 1, s.n - end.n - 1 };
}

static enum souk_err
take_entity(struct reading *r, struct change *c, const json_t *o)
{
	struct json_member m[] = { { .name = "Type", .kind = JSON_K_STR, .required = true },
		{ .name = "Identifier", .kind = JSON_K_STR, .nullable = true } };
	enum souk_err err = take(r, o, m, 2, "Entity.");

	if (err != SOUK_OK)
		return err;
	if (!entity_type_parse(json_member_str(&m[0]), &c->entity) ||
	    !str_eq_c(json_member_str(&m[0]), entity_type_versioned(c->entity)))
		return wrong(r, "Entity.Type", "is no type of entity here",
		    "give ProfessionalServicesProduct@1.0 or Offer@1.0");
	c->identifier = json_member_str(&m[1]);
	return SOUK_OK;
}

/* Either DetailsDocument, or Details, a text of JSON, which then is put in its place. */
static enum souk_err
take_details(struct reading *r, struct change *c, json_t *o)
{
	json_t *text = json_object_get(o, "Details"), *doc = json_object_get(o, "DetailsDocument");
	json_t *parsed = NULL;

	if (json_is_null(text))
		text = NULL;
	if (json_is_null(doc))
		doc = NULL;
	if (!text == !doc)
		return wrong(r, "Details", text ? "stands beside DetailsDocument" : "is missing",
		    "give either Details, a text of JSON, or DetailsDocument");
	if (text && !json_is_string(text))
		return wrong(r, "Details", "is no text", "give JSON as a text, or DetailsDocument");
	if (text && json_read((struct str){ json_string_value(text), json_string_length(text) },
			&parsed, NULL) != SOUK_OK)
		return wrong(r, "Details", "is no JSON", "give a JSON object as a text");
	if (parsed && json_object_set_new(o, "Details", parsed) != 0)
		return SOUK_E_NOMEM;
	c->details = parsed ? parsed : doc;
	c->was_text = parsed != NULL;
	if (!json_is_object(c->details) && !json_is_array(c->details))
		return wrong(r, c->was_text ? "Details" : "DetailsDocument",
		    "is neither an object nor a list", "give what the change type takes");
	if (c->kind->make == make_create_offer && json_object_get(c->details, "OfferSetId"))
		return wrong(r, c->was_text ? "Details.OfferSetId" : "DetailsDocument.OfferSetId",
		    "is not supported: there are no sets of offers here",
		    "leave it out and release each offer by itself");
	return SOUK_OK;
}

static enum souk_err
take_kind(struct reading *r, struct change *c)
{
	c->kind = kind_of(c->entity, c->type);
	if (!c->kind)
		return wrong(r, "ChangeType", "is no change of this type of entity",
		    "give one of those that docs/proserv.md lists");
	if (c->kind->creates && c->identifier.n > 0)
		return wrong(r, "Entity.Identifier", "stands in a change that makes a new entity",
		    "leave it out");
	if (!c->kind->creates && c->identifier.n == 0)
		return wrong(r, "Entity.Identifier", "is missing", "give the entity's id");
	if (c->kind->creates)
		c->entity_id = guid_new();
	return SOUK_OK;
}

static enum souk_err
take_change(struct reading *r, json_t *o)
{
	enum { TYPE, ENTITY, NAME, TAGS, DETAILS, DOCUMENT, COUNT };
	struct json_member m[COUNT] = {
		[TYPE] = { .name = "ChangeType", .kind = JSON_K_STR, .required = true },
		[ENTITY] = { .name = "Entity", .kind = JSON_K_OBJ, .required = true },
		[NAME] = { .name = "ChangeName", .kind = JSON_K_STR, .nullable = true },
		[TAGS] = { .name = "EntityTags", .kind = JSON_K_ARR, .nullable = true },
		[DETAILS] = { .name = "Details", .kind = JSON_K_ANY, .nullable = true },
		[DOCUMENT] = { .name = "DetailsDocument", .kind = JSON_K_ANY, .nullable = true },
	};
	struct change *c = &r->q->v[r->at];
	enum souk_err err;

	if (!json_is_object(o))
		return wrong(r, "", "is no object", "give a change as a JSON object");
	if ((err = take(r, o, m, COUNT, "")) != SOUK_OK)
		return err;
	c->type = json_member_str(&m[TYPE]);
	c->name = json_member_str(&m[NAME]);
	c->tags = m[TAGS].got;
	if (m[NAME].got && !is_word(c->name, CHANGE_NAME_MAX, "_-"))
		return wrong(
		    r, "ChangeName", "is no name", "give 1 to 72 letters, digits, '_' and '-'");
	if (c->tags && !are_tags(c->tags))
		return wrong(r, "EntityTags", "is no list of tags",
		    "give 1 to 50 of {Key, Value}, each key once");
	if ((err = take_entity(r, c, m[ENTITY].got)) != SOUK_OK ||
	    (err = take_kind(r, c)) != SOUK_OK)
		return err;
	if (c->tags && !c->kind->creates)
		return wrong(r, "EntityTags", "stands in a change of an entity that is there",
		    "use TagResource");
	return take_details(r, c, o);
}

/* ---- names and references -------------------------------------------------------------- */

static enum souk_err
check_names(struct reading *r)
{
	struct change_request *q = r->q;

	for (r->at = 0; r->at < q->n; r->at++)
		for (size_t k = 0; q->v[r->at].name.n > 0 && k < r->at; k++)
			if (str_eq(q->v[k].name, q->v[r->at].name))
				return wrong(r, "ChangeName", "is the name of an earlier change",
				    "give each change its own");
	return SOUK_OK;
}

/* The change that a reference names; SIZE_MAX: none. */
static size_t
named(const struct change_request *q, struct str name)
{
	for (size_t i = 0; i < q->n; i++)
		if (q->v[i].name.n > 0 && str_eq(q->v[i].name, name))
			return i;
	return SIZE_MAX;
}

/* Notes what a value refers to. */
static enum souk_err
note_references(struct reading *r, const json_t *v, unsigned depth)
{
	union {
		const json_t *in;
		json_t *out; /* jansson's iterator wants it so, and only reads */
	} all = { .in = v };
	struct str name = reference((struct str){ json_string_value(v), json_string_length(v) });
	enum souk_err err = SOUK_OK;
	const char *key;
	json_t *part;
	size_t i, to;

	if (depth > DETAILS_DEPTH)
		return wrong(
		    r, "Details", "is nested too deeply", "give what the change type takes");
	if (json_is_string(v) && name.p) {
		if ((to = named(r->q, name)) == SIZE_MAX)
			return wrong(r, "Details", "refers to a change that is not there",
			    "name a change of this set by its ChangeName");
		r->needs[r->at][to] = true;
	}
	json_object_foreach(all.out, key, part)
	{
		if (err == SOUK_OK)
			err = note_references(r, part, depth + 1);
	}
	json_array_foreach(v, i, part)
	{
		if (err == SOUK_OK)
			err = note_references(r, part, depth + 1);
	}
	return err;
}

/* Does `from` come back to itself? At most CHANGES_MAX deep: each change is walked once. */
static bool
circles(const struct reading *r, size_t from, size_t to, bool *seen)
{
	for (size_t k = 0; k < r->q->n; k++) {
		if (!r->needs[to][k])
			continue;
		if (k == from)
			return true;
		if (seen[k])
			continue;
		seen[k] = true;
		if (circles(r, from, k, seen))
			return true;
	}
	return false;
}

/* The entity of a change whose identifier is a reference; there are no circles. */
static enum souk_err
resolve(struct reading *r, struct change *c)
{
	const struct change *to = c;

	for (size_t i = 0; i < r->q->n && to->identifier.n > 0; i++) {
		struct str name = reference(to->identifier);

		if (!name.p)
			break;
		to = &r->q->v[named(r->q, name)];
	}
	if (to == c)
		return SOUK_OK;
	if (to->entity != c->entity)
		return wrong(r, "Entity.Identifier", "refers to an entity of another type",
		    "name a change of the same type of entity");
	c->entity_id = to->entity_id;
	c->revision = 0;
	return SOUK_OK;
}

/* "prod-...", and maybe "@7". */
static enum souk_err
parse_identifier(struct reading *r, struct change *c)
{
	struct str rest = c->identifier, id;
	int64_t revision = 0;

	if (c->identifier.n == 0 || reference(c->identifier).p)
		return SOUK_OK;
	if (!str_split(&rest, '@', &id) ||
	    !entity_id_parse(entity_prefix(c->entity), id, &c->entity_id) ||
	    (rest.p && (!str_to_i64(rest, &revision) || revision < 1)))
		return wrong(r, "Entity.Identifier", "is no id of such an entity",
		    c->entity == ENTITY_PRODUCT ? "give one like prod-..."
						: "give one like offer-...");
	c->revision = revision;
	return SOUK_OK;
}

static json_t *
id_text(const struct reading *r, size_t i)
{
	char text[ENTITY_ID_MAX];

	entity_id_write(entity_prefix(r->q->v[i].entity), &r->q->v[i].entity_id, text);
	return json_string(text);
}

/* Puts ids in the place of references. The strings are the body's own. */
static enum souk_err
put_ids(struct reading *r, json_t *v)
{
	const char *key;
	json_t *part, *id;
	struct str name;
	size_t i;

	json_object_foreach(v, key, part)
	{
		name = reference((struct str){ json_string_value(part), json_string_length(part) });
		if (!json_is_string(part) || !name.p) {
			if (put_ids(r, part) != SOUK_OK)
				return SOUK_E_NOMEM;
		} else if (!(id = id_text(r, named(r->q, name))) ||
			   json_object_set_new(v, key, id) != 0) {
			return SOUK_E_NOMEM;
		}
	}
	json_array_foreach(v, i, part)
	{
		name = reference((struct str){ json_string_value(part), json_string_length(part) });
		if (!json_is_string(part) || !name.p) {
			if (put_ids(r, part) != SOUK_OK)
				return SOUK_E_NOMEM;
		} else if (!(id = id_text(r, named(r->q, name))) ||
			   json_array_set_new(v, i, id) != 0) {
			return SOUK_E_NOMEM;
		}
	}
	return SOUK_OK;
}

static enum souk_err
note_all(struct reading *r)
{
	for (r->at = 0; r->at < r->q->n; r->at++) {
		struct change *c = &r->q->v[r->at];
		struct str name = reference(c->identifier);
		size_t to = name.p ? named(r->q, name) : SIZE_MAX;
		enum souk_err err;

		if (name.p && to == SIZE_MAX)
			return wrong(r, "Entity.Identifier", "refers to a change that is not there",
			    "name a change of this set by its ChangeName");
		if (to != SIZE_MAX)
			r->needs[r->at][to] = true;
		if ((err = parse_identifier(r, c)) != SOUK_OK ||
		    (err = note_references(r, c->details, 0)) != SOUK_OK)
			return err;
	}
	return SOUK_OK;
}

static enum souk_err
resolve_all(struct reading *r)
{
	enum souk_err err = note_all(r);

	for (r->at = 0; err == SOUK_OK && r->at < r->q->n; r->at++) {
		bool seen[CHANGES_MAX] = { false };

		if (circles(r, r->at, r->at, seen))
			err = wrong(r, "Entity.Identifier",
			    "refers to itself, maybe through others",
			    "let references lead to a change that makes an entity, or has an id");
	}
	for (r->at = 0; err == SOUK_OK && r->at < r->q->n; r->at++)
		err = resolve(r, &r->q->v[r->at]);
	for (size_t i = 0; err == SOUK_OK && i < r->q->n; i++) {
		json_t *o = json_array_get(r->list, i);

		err = put_ids(
		    r, json_object_get(o, r->q->v[i].was_text ? "Details" : "DetailsDocument"));
	}
	return err;
}

static enum souk_err
check_once(struct reading *r)
{
	const struct change_request *q = r->q;

	for (r->at = 0; r->at < q->n; r->at++)
		for (size_t k = 0; k < r->at; k++)
			if (q->v[k].kind == q->v[r->at].kind &&
			    guid_eq(&q->v[k].entity_id, &q->v[r->at].entity_id))
				return wrong(r, "ChangeType", "is made of the same entity twice",
				    "put both into one change");
	return SOUK_OK;
}

/* ---- the whole ------------------------------------------------------------------------- */

/* The same content gives the same hash, however it is spelled. */
static enum souk_err
hash(json_t *body, uint8_t out[static SHA256_LEN])
{
	char *text = json_dumps(body, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);

	if (!text)
		return SOUK_E_NOMEM;
	sha256(text, strlen(text), out);
	free(text);
	return SOUK_OK;
}

static bool
is_token(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '!' || s.p[i] > '~')
			return false;
	return s.n > 0 && s.n <= TOKEN_MAX;
}

static bool
is_set_name(struct str s)
{
	return s.n > 0 && utf8_length(s) <= NAME_MAX_LEN && !utf8_has_control(s) &&
	       !utf8_is_blank(s);
}

static enum souk_err
take_top(const json_t *body, struct change_request *q, const json_t **ret_list, struct fail *f)
{
	enum { WHICH, CHANGES, NAME, TOKEN, TAGS, INTENT, COUNT };
	struct json_member m[COUNT] = {
		[WHICH] = { .name = "Catalog", .kind = JSON_K_STR, .required = true },
		[CHANGES] = { .name = "ChangeSet", .kind = JSON_K_ARR, .required = true },
		[NAME] = { .name = "ChangeSetName", .kind = JSON_K_STR, .nullable = true },
		[TOKEN] = { .name = "ClientRequestToken", .kind = JSON_K_STR, .nullable = true },
		[TAGS] = { .name = "ChangeSetTags", .kind = JSON_K_ARR, .nullable = true },
		[INTENT] = { .name = "Intent", .kind = JSON_K_STR, .nullable = true },
	};
	enum souk_err err = json_take(body, m, COUNT, f);
	struct str intent;

	if (err != SOUK_OK)
		return err;
	intent = json_member_str(&m[INTENT]);
	q->name = json_member_str(&m[NAME]);
	q->token = json_member_str(&m[TOKEN]);
	q->tags = m[TAGS].got;
	q->validate = str_eq_c(intent, "VALIDATE");
	*ret_list = m[CHANGES].got;
	if (!str_eq_c(json_member_str(&m[WHICH]), CATALOG))
		err = fail_field(f, "Catalog", "is no catalog here", "give AWSMarketplace");
	if (m[NAME].got && !is_set_name(q->name))
		err = fail_field(f, "ChangeSetName", "is no name",
		    "give 1 to 100 characters, none of them control");
	if (m[TOKEN].got && !is_token(q->token))
		err = fail_field(f, "ClientRequestToken", "is no token",
		    "give 1 to 64 visible ASCII characters");
	if (q->tags && !are_tags(q->tags))
		err = fail_field(f, "ChangeSetTags", "is no list of tags",
		    "give 1 to 50 of {Key, Value}, each key once");
	if (m[INTENT].got && !q->validate && !str_eq_c(intent, "APPLY"))
		err = fail_field(f, "Intent", "is no intent", "give APPLY or VALIDATE");
	if (json_array_size(*ret_list) < 1 || json_array_size(*ret_list) > CHANGES_MAX)
		err = fail_field(
		    f, "ChangeSet", "has no change, or too many", "give 1 to 20 changes");
	return err;
}

enum souk_err
change_request_read(json_t *body, struct arena *mem, struct change_request *ret, struct fail *f)
{
	struct change_request *q = ARENA_NEW(mem, struct change_request);
	struct reading *r = ARENA_NEW(mem, struct reading);
	const json_t *list = NULL;
	enum souk_err err;

	if (!q || !r)
		return SOUK_E_NOMEM;
	if (!json_is_object(body))
		return fail_field(f, "body", "is no object", "give a JSON object");
	if ((err = take_top(body, q, &list, f)) != SOUK_OK ||
	    (err = hash(body, q->hash)) != SOUK_OK)
		return err;
	*r = (struct reading){
		.q = q, .mem = mem, .f = f, .list = json_object_get(body, "ChangeSet")
	};
	q->n = json_array_size(list);
	for (r->at = 0; r->at < q->n; r->at++) {
		enum souk_err one = take_change(r, json_array_get(list, r->at));

		err = err == SOUK_OK ? one : err;
	}
	if (err != SOUK_OK || (err = check_names(r)) != SOUK_OK ||
	    (err = resolve_all(r)) != SOUK_OK || (err = check_once(r)) != SOUK_OK)
		return err;
	*ret = *q;
	return SOUK_OK;
}
