/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policy documents: parsed once, asked often.
 *
 * The danger is a rule that reads stricter than it acts. So a document is refused unless
 * every member of it is one that is honoured here.
 */
#include "access/policy.h"

#include "base/json.h"
#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>

#define POLICY_TEXT_MAX 6144 /* of an IAM managed policy */
#define STATEMENTS_MAX 50
#define PATTERN_MAX 1024

struct statement {
	enum policy_verdict effect;
	const struct str *actions, *resources;
	size_t n_actions, n_resources;
};

struct policy {
	size_t n;
	struct statement *statements; /* all in one allocation with this struct */
};

/* One member of a statement, by name and place: "policy.Statement[3].Action". */
static enum souk_err
refuse(struct fail *f, size_t at, const char *member, const char *what, const char *fix)
{
	char field[80];

	(void)snprintf(field, sizeof(field), "policy.Statement[%zu].%s", at, member);
	return fail_field(f, field, what, fix);
}

/* json_take for an object inside a request: members are named with the place where they are. */
static enum souk_err
take_at(const char *place, const json_t *o, struct json_member *m, size_t n, struct fail *f)
{
	struct fail own = { .err = SOUK_OK };
	enum souk_err err = json_take(o, m, n, f ? &own : NULL);
	char field[80];

	for (size_t i = 0; i < own.n; i++) {
		(void)snprintf(field, sizeof(field), "%s.%s", place, own.entry[i].field);
		(void)fail_field(f, field, own.entry[i].what, own.entry[i].fix);
	}
	return err;
}

static bool
is_action(struct str s)
{
	const char *colon = s.n > 0 ? memchr(s.p, ':', s.n) : NULL;

	if (str_eq(s, STR("*")))
		return true;
	if (!colon || colon == s.p || colon == s.p + s.n - 1 || s.n > PATTERN_MAX)
		return false;
	for (const char *p = s.p; p < s.p + s.n; p++) {
		bool letter = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
			      (*p >= '0' && *p <= '9') || *p == '-' || *p == '_';

		/* A wildcard in the service's name would grant services that are yet to come. */
		if (!letter && p != colon && (p < colon || (*p != '*' && *p != '?')))
			return false;
	}
	return true;
}

static bool
is_resource(struct str s)
{
	return str_eq(s, STR("*")) ||
	       (s.n <= PATTERN_MAX && str_starts(s, STR("arn:")) && !utf8_has_control(s));
}

struct list_rule {
	const char *member;
	bool (*valid)(struct str s);
	const char *what, *fix;
};

static const struct list_rule action_rule = { "Action", is_action, "is not an action",
	"give \"*\" or \"service:Name\", with * and ? in the name only" };
static const struct list_rule resource_rule = { "Resource", is_resource, "is not a resource",
	"give \"*\" or a pattern that begins with \"arn:\"" };

static struct str
json_slice(const json_t *v)
{
	return (struct str){ json_string_value(v), json_string_length(v) };
}

/* One string or a list of them; counts patterns and their bytes. */
static enum souk_err
list_check(const json_t *v, size_t at, const struct list_rule *rule, size_t *n, size_t *bytes,
    struct fail *f)
{
	size_t count = json_is_array(v) ? json_array_size(v) : 1;

	if (count == 0)
		return refuse(f, at, rule->member, "is empty", "name at least one");
	for (size_t i = 0; i < count; i++) {
		const json_t *e = json_is_array(v) ? json_array_get(v, i) : v;

		if (!json_is_string(e))
			return refuse(
			    f, at, rule->member, "is of a wrong type", "give a string or a list");
		if (!rule->valid(json_slice(e)))
			return refuse(f, at, rule->member, rule->what, rule->fix);
		*bytes += json_string_length(e);
	}
	*n += count;
	return SOUK_OK;
}

/* Members that would look as if they narrowed something. */
static enum souk_err
unsupported_check(const json_t *o, size_t at, struct fail *f)
{
	static const char *const names[] = { "NotAction", "NotResource", "Principal",
		"NotPrincipal", "Condition" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (json_object_get(o, names[i]))
			return refuse(f, at, names[i], "is not supported",
			    "say it with Effect, Action and Resource");
	return SOUK_OK;
}

static enum souk_err
statement_check(const json_t *o, size_t at, size_t *n, size_t *bytes, struct fail *f)
{
	struct json_member m[] = {
		{ .name = "Sid", .kind = JSON_K_STR },
		{ .name = "Effect", .kind = JSON_K_STR, .required = true },
		{ .name = "Action", .kind = JSON_K_ANY, .required = true },
		{ .name = "Resource", .kind = JSON_K_ANY, .required = true },
	};
	char place[48];
	enum souk_err err;

	(void)snprintf(place, sizeof(place), "policy.Statement[%zu]", at);
	if (!json_is_object(o))
		return fail_field(
		    f, place, "is not an object", "give every statement as an object");
	if ((err = unsupported_check(o, at, f)) != SOUK_OK ||
	    (err = take_at(place, o, m, sizeof(m) / sizeof(m[0]), f)) != SOUK_OK)
		return err;
	if (!str_eq(json_member_str(&m[1]), STR("Allow")) &&
	    !str_eq(json_member_str(&m[1]), STR("Deny")))
		return refuse(f, at, "Effect", "is unknown", "give \"Allow\" or \"Deny\"");
	if ((err = list_check(m[2].got, at, &action_rule, n, bytes, f)) != SOUK_OK)
		return err;
	return list_check(m[3].got, at, &resource_rule, n, bytes, f);
}

/* The whole document's form; what has to be allocated for it. */
static enum souk_err
document_check(
    const json_t *o, const json_t **ret_list, size_t *ret_n, size_t *ret_bytes, struct fail *f)
{
	struct json_member m[] = {
		{ .name = "Version", .kind = JSON_K_STR },
		{ .name = "Id", .kind = JSON_K_STR },
		{ .name = "Statement", .kind = JSON_K_ARR, .required = true },
	};
	size_t n = 0, bytes = 0;
	enum souk_err err;

	if (!json_is_object(o))
		return fail_field(f, "policy", "is not a JSON object", "give a policy document");
	if ((err = take_at("policy", o, m, sizeof(m) / sizeof(m[0]), f)) != SOUK_OK)
		return err;
	if (m[0].got && !str_eq(json_member_str(&m[0]), STR("2012-10-17")))
		return fail_field(f, "policy.Version", "is unknown", "give \"2012-10-17\"");
	if (json_array_size(m[2].got) == 0 || json_array_size(m[2].got) > STATEMENTS_MAX)
		return fail_field(
		    f, "policy.Statement", "holds none or too many", "give 1 to 50 statements");
	for (size_t i = 0; i < json_array_size(m[2].got); i++)
		if ((err = statement_check(json_array_get(m[2].got, i), i, &n, &bytes, f)) !=
		    SOUK_OK)
			return err;
	*ret_list = m[2].got;
	*ret_n = n;
	*ret_bytes = bytes;
	return SOUK_OK;
}

/* Where the patterns of a document are put, one behind the other. */
struct room {
	struct str *patterns;
	char *bytes;
};

static size_t
list_copy(const json_t *v, struct room *room, const struct str **ret)
{
	size_t count = json_is_array(v) ? json_array_size(v) : 1;

	*ret = room->patterns;
	for (size_t i = 0; i < count; i++) {
		struct str s = json_slice(json_is_array(v) ? json_array_get(v, i) : v);

		if (s.n > 0)
			memcpy(room->bytes, s.p, s.n);
		*room->patterns++ = (struct str){ room->bytes, s.n };
		room->bytes += s.n;
	}
	return count;
}

static struct policy *
policy_new(const json_t *list, size_t n_patterns, size_t bytes)
{
	size_t n = json_array_size(list);
	struct policy *p = calloc(
	    1, sizeof(*p) + n * sizeof(struct statement) + n_patterns * sizeof(struct str) + bytes);
	struct room room;

	if (!p)
		return NULL;
	p->n = n;
	p->statements = (struct statement *)(p + 1);
	room.patterns = (struct str *)(p->statements + n);
	room.bytes = (char *)(room.patterns + n_patterns);
	for (size_t i = 0; i < n; i++) {
		const json_t *o = json_array_get(list, i);
		struct statement *s = &p->statements[i];

		s->effect = strcmp(json_string_value(json_object_get(o, "Effect")), "Deny") == 0
				? POLICY_DENY
				: POLICY_ALLOW;
		s->n_actions = list_copy(json_object_get(o, "Action"), &room, &s->actions);
		s->n_resources = list_copy(json_object_get(o, "Resource"), &room, &s->resources);
	}
	return p;
}

enum souk_err
policy_parse(struct str json, struct policy **ret, struct fail *f)
{
	const json_t *list = NULL;
	struct policy *p;
	json_t *doc = NULL;
	size_t n = 0, bytes = 0;
	enum souk_err err;

	if (json.n > POLICY_TEXT_MAX)
		return fail_field(f, "policy", "is too long", "use at most 6144 bytes");
	if ((err = json_read(json, &doc, f)) != SOUK_OK ||
	    (err = document_check(doc, &list, &n, &bytes, f)) != SOUK_OK)
		goto out;
	if (!(p = policy_new(list, n, bytes))) {
		err = fail_set(f, SOUK_E_NOMEM, "out_of_memory", "No memory for the policy.");
		goto out;
	}
	*ret = p;
out:
	json_decref(doc);
	return err;
}

void
policy_free(struct policy *p)
{
	free(p);
}

static char
fold(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

bool
policy_match(struct str pattern, struct str text, bool nocase)
{
	size_t p = 0, t = 0, star = SIZE_MAX, from = 0;

	/* Only the last star seen is ever retried: what an earlier one took cannot matter. */
	while (t < text.n) {
		if (p < pattern.n && pattern.p[p] == '*') {
			star = p++;
			from = t;
		} else if (p < pattern.n &&
			   (pattern.p[p] == '?' || pattern.p[p] == text.p[t] ||
			       (nocase && fold(pattern.p[p]) == fold(text.p[t])))) {
			p++;
			t++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			t = ++from;
		} else {
			return false;
		}
	}
	while (p < pattern.n && pattern.p[p] == '*')
		p++;
	return p == pattern.n;
}

static bool
any_match(const struct str *patterns, size_t n, struct str text, bool nocase)
{
	for (size_t i = 0; i < n; i++)
		if (policy_match(patterns[i], text, nocase))
			return true;
	return false;
}

enum policy_verdict
policy_decide(const struct policy *p, struct str action, struct str resource)
{
	enum policy_verdict verdict = POLICY_SILENT;

	for (size_t i = 0; i < p->n && verdict != POLICY_DENY; i++) {
		const struct statement *s = &p->statements[i];

		if (s->effect > verdict && any_match(s->actions, s->n_actions, action, true) &&
		    any_match(s->resources, s->n_resources, resource, false))
			verdict = s->effect;
	}
	return verdict;
}

/* ---- one policy within another ---- */

/* Does `outer` match all that `inner` matches? `inner` is taken as text: its wildcards stand for themselves. */
static bool
pattern_covers(struct str outer, struct str inner, bool nocase)
{
	size_t o = 0, i = 0, star = SIZE_MAX, from = 0;

	while (i < inner.n) {
		if (o < outer.n && outer.p[o] == '*') {
			star = o++;
			from = i;
		} else if (o < outer.n && inner.p[i] != '*' &&
			   (outer.p[o] == '?' || outer.p[o] == inner.p[i] ||
			       (nocase && fold(outer.p[o]) == fold(inner.p[i])))) {
			o++;
			i++;
		} else if (star != SIZE_MAX) {
			o = star + 1;
			i = ++from;
		} else {
			return false;
		}
	}
	while (o < outer.n && outer.p[o] == '*')
		o++;
	return o == outer.n;
}

static bool
any_covers(const struct str *outer, size_t n, struct str inner, bool nocase)
{
	for (size_t i = 0; i < n; i++)
		if (pattern_covers(outer[i], inner, nocase))
			return true;
	return false;
}

static bool
all_covered(
    const struct str *outer, size_t n_outer, const struct str *inner, size_t n_inner, bool nocase)
{
	for (size_t i = 0; i < n_inner; i++)
		if (!any_covers(outer, n_outer, inner[i], nocase))
			return false;
	return true;
}

/* Can no text match both? Told by what stands before the first wildcard of each. */
static bool
patterns_apart(struct str a, struct str b, bool nocase)
{
	size_t n = 0;

	while (n < a.n && n < b.n && !strchr("*?", a.p[n]) && !strchr("*?", b.p[n])) {
		if (a.p[n] != b.p[n] && !(nocase && fold(a.p[n]) == fold(b.p[n])))
			return true;
		n++;
	}
	return (n == a.n && n < b.n && b.p[n] != '*') || (n == b.n && n < a.n && a.p[n] != '*');
}

static bool
all_apart(const struct str *a, size_t n_a, const struct str *b, size_t n_b, bool nocase)
{
	for (size_t i = 0; i < n_a; i++)
		for (size_t k = 0; k < n_b; k++)
			if (!patterns_apart(a[i], b[k], nocase))
				return false;
	return true;
}

/* One action of an allowing statement, on all its resources. */
static bool
action_allowed(const struct policy *outer, struct str action, const struct statement *s)
{
	for (size_t i = 0; i < outer->n; i++) {
		const struct statement *o = &outer->statements[i];

		if (o->effect == POLICY_ALLOW &&
		    any_covers(o->actions, o->n_actions, action, true) &&
		    all_covered(o->resources, o->n_resources, s->resources, s->n_resources, false))
			return true;
	}
	return false;
}

/* What `d` denies, `inner` denies too, or does not allow. */
static bool
deny_kept(const struct policy *inner, const struct statement *d)
{
	bool allowed = false;

	for (size_t i = 0; i < inner->n; i++) {
		const struct statement *s = &inner->statements[i];

		if (s->effect == POLICY_DENY &&
		    all_covered(s->actions, s->n_actions, d->actions, d->n_actions, true) &&
		    all_covered(s->resources, s->n_resources, d->resources, d->n_resources, false))
			return true;
		allowed |=
		    s->effect == POLICY_ALLOW &&
		    !all_apart(s->actions, s->n_actions, d->actions, d->n_actions, true) &&
		    !all_apart(s->resources, s->n_resources, d->resources, d->n_resources, false);
	}
	return !allowed;
}

bool
policy_within(const struct policy *inner, const struct policy *outer)
{
	static const struct str all = STR("*");
	struct statement any = { .effect = POLICY_ALLOW,
		.actions = &all,
		.resources = &all,
		.n_actions = 1,
		.n_resources = 1 };
	const struct policy everything = { .n = 1, .statements = &any };

	if (!outer)
		return true;
	if (!inner)
		inner = &everything;
	for (size_t i = 0; i < inner->n; i++) {
		const struct statement *s = &inner->statements[i];

		for (size_t k = 0; s->effect == POLICY_ALLOW && k < s->n_actions; k++)
			if (!action_allowed(outer, s->actions[k], s))
				return false;
	}
	for (size_t i = 0; i < outer->n; i++)
		if (outer->statements[i].effect == POLICY_DENY &&
		    !deny_kept(inner, &outer->statements[i]))
			return false;
	return true;
}
