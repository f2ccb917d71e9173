/* SPDX-License-Identifier: Apache-2.0 */
/* The Catalog API: assessments, what reviews of listings and of change sets found (specs/proserv.md 6.1). */
#include "server/catalog_int.h"

#include "proserv/assessment.h"
#include "proserv/reviewer.h"

#include <stdlib.h>

#define ASSESSMENTS_MAX 20000 /* that a list takes into account */
#define LIST_MEMORY ((size_t)64 << 20)
#define PAGE_MOST 100
#define CONTROLS_PAGE 50 /* when nothing is said */

static struct str
assessment_arn(struct call *c, const char *id)
{
	return entity_arn(c->arena, c->svc->region, "", "Assessment", id);
}

static void
put_assessment(struct call *c, struct jw *w, const struct assessment *a)
{
	jw_str(w, "AssessmentArn", assessment_arn(c, a->id));
	jw_c(w, "AssessmentId", a->id);
	jw_str(w, "FrameworkId",
	    str_c(arena_printf(c->arena, ASSESSMENT_FRAMEWORK "@%s", edition_word(a->edition))));
	jw_open(w, "AssessmentTargetSummary", '{');
	jw_c(w, "EntityId", a->entity_id);
	jw_str_opt(w, "ChangeSetId", str_c(a->change_set_id));
	jw_close(w, '}');
	if (a->result != ASSESSMENT_UNDECIDED)
		jw_c(w, "AssessmentResult", a->result == ASSESSMENT_PASS ? "PASS" : "FAIL");
	catalog_time(w, "CreatedAt", a->created_at);
	if (a->expires_at != 0)
		catalog_time(w, "ExpiresAt", a->expires_at);
}

/* ---- ListAssessments ------------------------------------------------------------------- */

struct wanted {
	struct catalog_list page;
	struct str framework, entity_id, change_set_id; /* "" any */
	bool of_others; /* another framework than that of services: there are none */
};

static enum souk_err
take_target(struct call *c, const json_t *o, struct wanted *x)
{
	struct json_member m[] = { { .name = "EntityId", .kind = JSON_K_STR, .nullable = true },
		{ .name = "ChangeSetId", .kind = JSON_K_STR, .nullable = true } };
	enum souk_err r = json_take(o, m, 2, &c->fail);

	if (r != SOUK_OK)
		return r;
	x->entity_id = json_member_str(&m[0]);
	x->change_set_id = json_member_str(&m[1]);
	if (x->entity_id.n == 0 && x->change_set_id.n == 0)
		return fail_field(&c->fail, "AssessmentTargetFilter", "names nothing",
		    "give EntityId, ChangeSetId or both");
	return SOUK_OK;
}

/* Of images and containers; exactly one. */
static enum souk_err
take_framework_filters(struct call *c, const json_t *o, struct wanted *x)
{
	struct json_member m[] = { { .name = "AMISecurityFilters", .kind = JSON_K_OBJ },
		{ .name = "ContainerSecurityFilters", .kind = JSON_K_OBJ } };
	enum souk_err r = json_take(o, m, 2, &c->fail);

	if (r != SOUK_OK)
		return r;
	x->of_others = true;
	return json_object_size(o) == 1 ? SOUK_OK
					: fail_field(&c->fail, "FrameworkFilters",
					      "is not of one framework", "give exactly one member");
}

static enum souk_err
list_parse(struct call *c)
{
	enum { WHICH, FRAMEWORK, TARGET, FILTERS, MAX, NEXT, COUNT };
	struct json_member m[COUNT] = {
		[WHICH] = { .name = "Catalog", .kind = JSON_K_STR, .required = true },
		[FRAMEWORK] = { .name = "FrameworkId", .kind = JSON_K_STR, .nullable = true },
		[TARGET] = { .name = "AssessmentTargetFilter",
		    .kind = JSON_K_OBJ,
		    .nullable = true },
		[FILTERS] = { .name = "FrameworkFilters", .kind = JSON_K_OBJ, .nullable = true },
		[MAX] = { .name = "MaxResults", .kind = JSON_K_INT, .nullable = true },
		[NEXT] = { .name = "NextToken", .kind = JSON_K_STR, .nullable = true },
	};
	struct wanted *x = ARENA_NEW(c->arena, struct wanted);
	enum souk_err r;

	if (!x)
		return SOUK_E_LIMIT;
	*x = (struct wanted){
		.page = { .limit = CATALOG_PAGE }, .entity_id = STR(""), .change_set_id = STR("")
	};
	c->input = x;
	if ((r = json_take(c->body, m, COUNT, &c->fail)) != SOUK_OK ||
	    (r = catalog_check(c, json_member_str(&m[WHICH]))) != SOUK_OK ||
	    (m[TARGET].got && (r = take_target(c, m[TARGET].got, x)) != SOUK_OK) ||
	    (m[FILTERS].got && (r = take_framework_filters(c, m[FILTERS].got, x)) != SOUK_OK))
		return r;
	x->framework = json_member_str(&m[FRAMEWORK]);
	return catalog_page(c, m[MAX].got, m[NEXT].got, PAGE_MOST, &x->page);
}

/* "ProfessionalServicesGuidelines", with or without "@" and an edition. */
static bool
is_framework(const struct wanted *x, const struct assessment *a)
{
	struct str rest = x->framework, name = STR(""), edition = STR("");

	if (rest.n == 0)
		return true;
	if (!str_split(&rest, '@', &name) || !str_eq_c(name, ASSESSMENT_FRAMEWORK))
		return false;
	return !str_split(&rest, '@', &edition) ||
	       (!rest.p && str_eq_c(edition, edition_word(a->edition)));
}

struct listed {
	const struct wanted *x;
	struct assessment *v;
	size_t n;
};

static bool
keep(void *arg, const struct assessment *a)
{
	struct listed *l = arg;

	if (is_framework(l->x, a))
		l->v[l->n++] = *a;
	return l->n < ASSESSMENTS_MAX;
}

/* The newest first. */
static int
by_age(const void *a, const void *b)
{
	const struct assessment *x = a, *y = b;

	return x->created_at != y->created_at ? (x->created_at < y->created_at ? 1 : -1)
					      : strcmp(x->id, y->id);
}

static enum souk_err
list_run(struct call *c, struct db_tx *tx)
{
	const struct wanted *x = c->input;
	const struct catalog_list *page = &x->page;
	struct arena *mem = arena_new(LIST_MEMORY);
	struct listed l = { .x = x };
	struct jw w;
	enum souk_err r = SOUK_OK;

	l.v = mem ? arena_array(mem, ASSESSMENTS_MAX, sizeof(*l.v)) : NULL;
	if (!l.v)
		r = SOUK_E_NOMEM;
	else if (!x->of_others)
		r = assessment_all(tx, c->scope, reviewer_edition(c->svc->reviewer), x->entity_id,
		    x->change_set_id, keep, &l);
	if (r == SOUK_OK) {
		qsort(l.v, l.n, sizeof(*l.v), by_age);
		jw_init(&w, &c->out);
		jw_open(&w, NULL, '{');
		jw_open(&w, "AssessmentSummaryList", '[');
		for (size_t i = page->offset; i < l.n && i < page->offset + page->limit; i++) {
			jw_open(&w, NULL, '{');
			put_assessment(c, &w, &l.v[i]);
			jw_close(&w, '}');
		}
		jw_close(&w, ']');
		catalog_next(&w, page, l.n);
		jw_close(&w, '}');
	}
	arena_free(mem);
	return r;
}

/* ---- DescribeAssessment ---------------------------------------------------------------- */

struct described {
	struct catalog_list page;
	struct str id;
};

/* Of an ARN of this catalog its id. */
static struct str
without_arn(struct call *c, struct str s)
{
	struct str prefix = assessment_arn(c, "");

	if (!prefix.p || !str_starts(s, prefix))
		return s;
	return (struct str){ s.p + prefix.n, s.n - prefix.n };
}

static enum souk_err
describe_parse(struct call *c)
{
	enum { WHICH, ID, MAX, NEXT, COUNT };
	struct json_member m[COUNT] = {
		[WHICH] = { .name = "Catalog", .kind = JSON_K_STR, .required = true },
		[ID] = { .name = "AssessmentIdentifier", .kind = JSON_K_STR, .required = true },
		[MAX] = { .name = "MaxResults", .kind = JSON_K_INT, .nullable = true },
		[NEXT] = { .name = "NextToken", .kind = JSON_K_STR, .nullable = true },
	};
	struct described *d = ARENA_NEW(c->arena, struct described);
	enum souk_err r;

	if (!d)
		return SOUK_E_LIMIT;
	*d = (struct described){ .page = { .limit = CONTROLS_PAGE } };
	c->input = d;
	if ((r = json_take(c->body, m, COUNT, &c->fail)) != SOUK_OK ||
	    (r = catalog_check(c, json_member_str(&m[WHICH]))) != SOUK_OK)
		return r;
	d->id = without_arn(c, json_member_str(&m[ID]));
	return catalog_page(c, m[MAX].got, m[NEXT].got, PAGE_MOST, &d->page);
}

static void
put_scope(struct jw *w, const char *name, struct str value)
{
	if (value.n == 0)
		return;
	jw_open(w, NULL, '{');
	jw_c(w, "Name", name);
	jw_str(w, "Value", value);
	jw_close(w, '}');
}

static void
put_control(struct jw *w, const struct control *x)
{
	jw_open(w, NULL, '{');
	jw_str(w, "ControlId", x->id);
	jw_c(w, "ControlAssessmentResult", control_result_word(x->result));
	jw_open(w, "Errors", '[');
	for (size_t i = 0; i < x->n_errors; i++) {
		const struct control_error *e = &x->errors[i];

		jw_open(w, NULL, '{');
		jw_str(w, "Code", e->code);
		jw_str(w, "Message", e->message);
		jw_open(w, "Scope", '[');
		put_scope(w, "SEVERITY", e->severity);
		put_scope(w, "FIELD", e->pointer);
		put_scope(w, "EVIDENCE", e->evidence);
		jw_close(w, ']');
		jw_close(w, '}');
	}
	jw_close(w, ']');
	jw_close(w, '}');
}

static enum souk_err
describe_run(struct call *c, struct db_tx *tx)
{
	const struct described *d = c->input;
	const struct catalog_list *page = &d->page;
	struct arena *mem = arena_new(LIST_MEMORY);
	struct assessment a;
	struct controls all;
	struct jw w;
	enum souk_err r = mem ? assessment_get(tx, c->scope, reviewer_edition(c->svc->reviewer),
				    d->id, mem, &a, &all)
			      : SOUK_E_NOMEM;

	if (r == SOUK_OK) {
		jw_init(&w, &c->out);
		jw_open(&w, NULL, '{');
		put_assessment(c, &w, &a);
		jw_open(&w, "ControlAssessments", '[');
		for (size_t i = page->offset; i < all.n && i < page->offset + page->limit; i++)
			put_control(&w, &all.v[i]);
		jw_close(&w, ']');
		catalog_next(&w, page, all.n);
		jw_close(&w, '}');
	}
	arena_free(mem);
	return r;
}

static const struct op ops[] = {
	{ "POST", "/ListAssessments", CATALOG_ACTION "ListAssessments", CATALOG_BODY, OP_READ,
	    list_parse, list_run },
	{ "POST", "/DescribeAssessment", CATALOG_ACTION "DescribeAssessment", CATALOG_BODY, OP_READ,
	    describe_parse, describe_run },
};
const struct catalog_table catalog_assessments = { ops, sizeof(ops) / sizeof(ops[0]) };
