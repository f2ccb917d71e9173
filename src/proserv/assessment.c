/* SPDX-License-Identifier: Apache-2.0 */
/* Assessments out of kept reviews; see assessment.h. */
#include "proserv/assessment.h"

#include "market/id_owner.h"
#include "proserv/review_task.h"

#include <stdio.h>

#define LISTINGS_AT_ONCE 200
#define OF_LISTING "assessment-" /* the entity's id, and when it was reviewed */
#define OF_SET "assessment-set-" /* the set's id, and which of its entities it is about */

const char *
control_result_word(enum control_result r)
{
	static const char *const words[] = { [CONTROL_PASS] = "PASS",
		[CONTROL_FAIL] = "FAIL",
		[CONTROL_NOT_EXECUTED] = "NOT_EXECUTED",
		[CONTROL_EXEMPTION_PASS] = "EXEMPTION_PASS" };

	return words[r];
}

static struct str
text_of(const json_t *o, const char *member)
{
	const json_t *v = json_object_get(o, member);

	return json_is_string(v) ? (struct str){ json_string_value(v), json_string_length(v) }
				 : STR("");
}

/* ---- of listings ----------------------------------------------------------------------- */

/* False: there is none of it. */
static bool
of_listing(const struct listing_row *l, struct assessment *ret)
{
	if (l->reviewed_at == 0 || l->removed_at != 0 || l->standing == STANDING_UNREVIEWED)
		return false;
	*ret = (struct assessment){ .edition = l->edition,
		.result = l->standing == STANDING_PASSED    ? ASSESSMENT_PASS
			  : l->standing == STANDING_PENDING ? ASSESSMENT_UNDECIDED
							    : ASSESSMENT_FAIL,
		.created_at = l->reviewed_at,
		.expires_at = l->due_at };
	entity_id_write(PRODUCT_PREFIX, &l->product_id, ret->entity_id);
	(void)snprintf(ret->id, sizeof(ret->id), OF_LISTING "%s-%lld", ret->entity_id,
	    (long long)l->reviewed_at);
	return true;
}

static enum souk_err
find_listing(struct db_tx *tx, const struct tenant_scope *s, const struct guid *id,
    struct arena *mem, struct listing_row *ret)
{
	struct str seller = tenant_account(s);
	struct id_owner owner;
	enum souk_err r;

	if (tenant_is_operator(s)) {
		if ((r = id_owner_find(tx, ID_PRODUCT, id, &owner)) != SOUK_OK)
			return r;
		seller = str_c(owner.seller_id);
	}
	return listing_row_find(tx, seller, id, mem, ret);
}

/* The listing that `id` names. */
static enum souk_err
one_listing(
    struct db_tx *tx, const struct tenant_scope *s, struct str id, assessment_each *each, void *arg)
{
	struct arena *mem;
	struct listing_row l;
	struct assessment a;
	struct guid guid;
	enum souk_err r;

	if (!entity_id_parse(PRODUCT_PREFIX, id, &guid))
		return SOUK_OK;
	if (!(mem = arena_new((size_t)16 << 20)))
		return SOUK_E_NOMEM;
	r = find_listing(tx, s, &guid, mem, &l);
	if (r == SOUK_OK && of_listing(&l, &a))
		(void)each(arg, &a);
	arena_free(mem);
	return r == SOUK_E_NOT_FOUND ? SOUK_OK : r;
}

static enum souk_err
all_listings(struct db_tx *tx, const struct tenant_scope *s, assessment_each *each, void *arg)
{
	struct guid after = { { 0 } };
	size_t n = LISTINGS_AT_ONCE;
	enum souk_err r = SOUK_OK;
	bool row = false, more = true;

	while (r == SOUK_OK && more && n == LISTINGS_AT_ONCE) {
		struct db_stmt *st =
		    tenant_is_operator(s)
			? listing_rows_all(tx, &after, LISTINGS_AT_ONCE)
			: listing_rows_of(tx, tenant_account(s), &after, LISTINGS_AT_ONCE);

		for (n = 0; more && (r = db_step(st, &row)) == SOUK_OK && row; n++) {
			struct assessment a;
			struct listing_row l;

			listing_row(st, &l);
			after = l.product_id;
			if (of_listing(&l, &a))
				more = each(arg, &a);
		}
		if (!more)
			db_reset(st);
	}
	return r;
}

/* ---- of change sets -------------------------------------------------------------------- */

/* Did its review come to anything? */
static bool
is_assessed(const struct change_set_row *set, instant_t now)
{
	if (set->ended_at != 0 && set->ended_at + CHANGE_SET_KEPT < now)
		return false;
	return set->status == CHANGE_SUCCEEDED ||
	       (set->status == CHANGE_FAILED && set->failure == FAILURE_CLIENT) ||
	       (set->status == CHANGE_PREPARING && set->waiting);
}

/* The set's entities in the order of its changes, each once; their number. */
static size_t
entities_of(const json_t *changes, struct str ret[static CHANGES_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(changes); i++) {
		struct str id = text_of(json_array_get(changes, i), "entityId");
		bool before = false;

		for (size_t k = 0; k < n; k++)
			before |= str_eq(ret[k], id);
		if (!before && n < CHANGES_MAX && id.n < ENTITY_ID_MAX)
			ret[n++] = id;
	}
	return n;
}

static bool
has_errors(const json_t *changes, struct str entity)
{
	for (size_t i = 0; i < json_array_size(changes); i++) {
		const json_t *o = json_array_get(changes, i);

		if (str_eq(text_of(o, "entityId"), entity) &&
		    json_array_size(json_object_get(o, "errors")) > 0)
			return true;
	}
	return false;
}

/* `part` counts the entities from 1. */
static void
of_set(const struct change_set_row *set, const json_t *changes, struct str entity, size_t part,
    enum edition edition, struct assessment *ret)
{
	*ret = (struct assessment){ .edition = edition,
		.result = set->status == CHANGE_PREPARING ? ASSESSMENT_UNDECIDED
			  : has_errors(changes, entity)   ? ASSESSMENT_FAIL
							  : ASSESSMENT_PASS,
		.created_at = set->started_at,
		.expires_at = set->ended_at != 0 ? set->ended_at + CHANGE_SET_KEPT : 0 };
	memcpy(ret->entity_id, entity.p, entity.n);
	guid_format(&set->id, ret->change_set_id);
	(void)snprintf(ret->id, sizeof(ret->id), OF_SET "%s-%zu", ret->change_set_id, part);
}

static enum souk_err
each_of_set(const struct change_set_row *set, enum edition edition, struct str entity_id,
    assessment_each *each, void *arg, bool *ret_more)
{
	struct str entities[CHANGES_MAX];
	json_t *changes = NULL;
	size_t n;
	enum souk_err r = json_read(set->changes, &changes, NULL);

	if (r != SOUK_OK)
		return r;
	n = entities_of(changes, entities);
	for (size_t i = 0; i < n && *ret_more; i++) {
		struct assessment a;

		if (entity_id.n > 0 && !str_eq(entities[i], entity_id))
			continue;
		of_set(set, changes, entities[i], i + 1, edition, &a);
		*ret_more = each(arg, &a);
	}
	json_decref(changes);
	return SOUK_OK;
}

static enum souk_err
one_set(struct db_tx *tx, const struct tenant_scope *s, enum edition edition, struct str entity_id,
    struct str id, assessment_each *each, void *arg)
{
	struct arena *mem;
	struct change_set_row set;
	struct guid guid;
	bool more = true;
	enum souk_err r;

	if (!guid_parse(id, &guid))
		return SOUK_OK;
	if (!(mem = arena_new((size_t)16 << 20)))
		return SOUK_E_NOMEM;
	r = change_set_get(tx, s, &guid, mem, &set);
	if (r == SOUK_OK && is_assessed(&set, db_now(tx)))
		r = each_of_set(&set, edition, entity_id, each, arg, &more);
	arena_free(mem);
	return r == SOUK_E_NOT_FOUND ? SOUK_OK : r;
}

static enum souk_err
all_sets(struct db_tx *tx, const struct tenant_scope *s, enum edition edition, struct str entity_id,
    assessment_each *each, void *arg)
{
	struct str seller = tenant_is_operator(s) ? STR("") : tenant_account(s);
	struct guid first = { { 0 } };
	struct db_stmt *st = change_set_rows(tx, seller, INSTANT_MAX, &first, ASSESSMENT_SETS_MAX);
	bool row = false, more = true;
	enum souk_err r;

	while ((r = db_step(st, &row)) == SOUK_OK && row && more) {
		struct change_set_row set;

		change_set_row(st, &set);
		if (is_assessed(&set, db_now(tx)) &&
		    (r = each_of_set(&set, edition, entity_id, each, arg, &more)) != SOUK_OK)
			break;
	}
	db_reset(st);
	return r;
}

enum souk_err
assessment_all(struct db_tx *tx, const struct tenant_scope *s, enum edition edition,
    struct str entity_id, struct str change_set_id, assessment_each *each, void *arg)
{
	enum souk_err r;

	if (change_set_id.n > 0)
		return one_set(tx, s, edition, entity_id, change_set_id, each, arg);
	r = entity_id.n > 0 ? one_listing(tx, s, entity_id, each, arg)
			    : all_listings(tx, s, each, arg);
	return r == SOUK_OK ? all_sets(tx, s, edition, entity_id, each, arg) : r;
}

/* ---- controls -------------------------------------------------------------------------- */

/* Room for one more in an array that lives in the arena. */
static bool
make_room(struct arena *mem, void **io, size_t n, size_t *io_cap, size_t size)
{
	size_t cap = *io_cap > 0 ? 2 * *io_cap : 4;
	void *v;

	if (n < *io_cap)
		return true;
	if (!(v = arena_array(mem, cap, size)))
		return false;
	if (n > 0)
		memcpy(v, *io, n * size);
	*io = v;
	*io_cap = cap;
	return true;
}

/* The control of that id, added when it is not there; NULL: no memory. */
static struct control *
control_of(struct controls *c, struct str id, struct arena *mem)
{
	void *v = c->v;

	for (size_t i = 0; i < c->n; i++)
		if (str_eq(c->v[i].id, id))
			return &c->v[i];
	if (!make_room(mem, &v, c->n, &c->cap, sizeof(*c->v)))
		return NULL;
	c->v = v;
	c->v[c->n] = (struct control){ .id = arena_str(mem, id) };
	return c->v[c->n].id.p ? &c->v[c->n++] : NULL;
}

/* What is worse counts. */
static void
control_is(struct control *c, enum control_result r)
{
	static const int rank[] = { [CONTROL_PASS] = 0,
		[CONTROL_EXEMPTION_PASS] = 1,
		[CONTROL_NOT_EXECUTED] = 2,
		[CONTROL_FAIL] = 3 };

	if (rank[r] > rank[c->result])
		c->result = r;
}

/* Its slices are copied; the code is the control's, with '_' for '-'. */
static enum souk_err
add_error(struct control *c, struct arena *mem, const struct control_error *e)
{
	char *code = arena_strndup(mem, c->id.p, c->id.n);
	struct control_error *to;
	void *v = c->errors;

	if (!code || !make_room(mem, &v, c->n_errors, &c->cap, sizeof(*c->errors)))
		return SOUK_E_NOMEM;
	for (char *p = code; *p; p++)
		if (*p == '-')
			*p = '_';
	c->errors = v;
	to = &c->errors[c->n_errors];
	*to = (struct control_error){ .code = str_c(code),
		.message = arena_str(mem, e->message),
		.severity = arena_str(mem, e->severity),
		.pointer = arena_str(mem, e->pointer),
		.evidence = arena_str(mem, e->evidence) };
	if (!to->message.p || !to->severity.p || !to->pointer.p || !to->evidence.p)
		return SOUK_E_NOMEM;
	c->n_errors++;
	return SOUK_OK;
}

/* What a person has to decide, or decided against. What a heuristic saw is among the findings. */
static enum souk_err
add_task(struct controls *c, const struct review_task *t, instant_t now, struct arena *mem)
{
	struct control *to = control_of(c, t->rule, mem);
	struct control_error e = { .message = t->state == TASK_REJECTED ? t->reason : t->message,
		.severity = t->state == TASK_REJECTED ? STR("error") : STR("question"),
		.pointer = t->pointer,
		.evidence = t->evidence };

	if (!to)
		return SOUK_E_NOMEM;
	if (t->state == TASK_APPROVED)
		return SOUK_OK;
	if (t->state == TASK_WAIVED && t->waived_until > now) {
		control_is(to, CONTROL_EXEMPTION_PASS);
		return SOUK_OK;
	}
	control_is(to, t->state == TASK_REJECTED ? CONTROL_FAIL : CONTROL_NOT_EXECUTED);
	return add_error(to, mem, &e);
}

static enum souk_err
add_finding(struct controls *c, const json_t *o, struct arena *mem)
{
	struct str letter = text_of(o, "severity"), message = text_of(o, "message");
	bool fault = str_eq_c(letter, "E") && str_eq_c(text_of(o, "kind"), "deterministic");
	bool waived = json_is_object(json_object_get(o, "waived"));
	struct control *to = control_of(c, text_of(o, "rule"), mem);
	struct control_error e = { .message = message,
		.severity = str_eq_c(letter, "E")   ? STR("error")
			    : str_eq_c(letter, "W") ? STR("warning")
						    : STR("note"),
		.pointer = text_of(o, "pointer"),
		.evidence = text_of(o, "evidence") };

	if (!to)
		return SOUK_E_NOMEM;
	if (waived)
		control_is(to, CONTROL_EXEMPTION_PASS);
	else if (fault)
		control_is(to, CONTROL_FAIL);
	else if (str_starts(message, STR(NOT_CHECKED)))
		control_is(to, CONTROL_NOT_EXECUTED);
	return add_error(to, mem, &e);
}

/* Offers are reviewed with their change sets, fulfilments have clocks of their own. */
static bool
is_of_listing(const struct rule *rule)
{
	static const char *const others[] = { "PS-OFF-", "PS-USE-01", "PS-USE-02", "PS-USE-03" };

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (str_starts(str_c(rule->id), str_c(others[i])))
			return false;
	return true;
}

/* One rule says of all that the logo was not looked at. */
static void
note_logo(struct controls *c)
{
	static const char *const others[] = { "PS-DET-09", "PS-DET-10", "PS-DET-11" };
	bool unseen = false;

	for (size_t i = 0; i < c->n; i++)
		unseen |=
		    str_eq_c(c->v[i].id, "PS-DET-08") && c->v[i].result == CONTROL_NOT_EXECUTED;
	for (size_t i = 0; unseen && i < c->n; i++)
		for (size_t k = 0; k < sizeof(others) / sizeof(others[0]); k++)
			if (str_eq_c(c->v[i].id, others[k]))
				control_is(&c->v[i], CONTROL_NOT_EXECUTED);
}

static enum souk_err
add_findings(struct db_tx *tx, const struct listing_row *l, struct arena *mem, struct controls *c)
{
	struct buf text = { 0 };
	json_t *list = NULL;
	enum souk_err r = findings_row_find(tx, str_c(l->seller_id), &l->product_id, &text);

	if (r == SOUK_OK)
		r = buf_ok(&text) ? json_read(buf_str(&text), &list, NULL) : SOUK_E_NOMEM;
	for (size_t i = 0; r == SOUK_OK && i < json_array_size(list); i++)
		r = add_finding(c, json_array_get(list, i), mem);
	note_logo(c);
	json_decref(list);
	buf_done(&text);
	return r == SOUK_E_NOT_FOUND ? SOUK_OK : r;
}

/* People decide about what is public; before that their tasks are those of the change set that waits. */
static enum souk_err
add_tasks(struct db_tx *tx, const struct listing_row *l, struct arena *mem, struct controls *c)
{
	struct review_task *v = NULL;
	size_t n = 0;
	enum souk_err r;

	if (visibility_of_state(l->product.state) != VISIBILITY_PUBLIC)
		return SOUK_OK;
	r = tasks_read(task_rows_of_listing(tx, str_c(l->seller_id), &l->product_id), mem, &v, &n);
	for (size_t i = 0; r == SOUK_OK && i < n; i++)
		if (v[i].present && v[i].kind != KIND_DETERMINISTIC)
			r = add_task(c, &v[i], db_now(tx), mem);
	return r;
}

static enum souk_err
get_of_listing(struct db_tx *tx, const struct tenant_scope *s, const struct guid *id,
    struct str asked, struct arena *mem, struct assessment *ret, struct controls *c)
{
	struct listing_row l;
	enum souk_err r = find_listing(tx, s, id, mem, &l);

	/* It was reviewed anew since. */
	if (r == SOUK_OK && (!of_listing(&l, ret) || !str_eq_c(asked, ret->id)))
		r = SOUK_E_NOT_FOUND;
	for (size_t i = 0; r == SOUK_OK && i < n_rules; i++)
		if ((rules[i].editions & (unsigned)ret->edition) != 0 && is_of_listing(&rules[i]) &&
		    !control_of(c, str_c(rules[i].id), mem))
			r = SOUK_E_NOMEM;
	if (r == SOUK_OK && (r = add_findings(tx, &l, mem, c)) == SOUK_OK)
		r = add_tasks(tx, &l, mem, c);
	return r;
}

/* "PS_DET_13" is PS-DET-13's; what is no rule's stays as it is. */
static struct str
control_id(struct str code, struct arena *mem)
{
	char *id = arena_strndup(mem, code.p, code.n);

	for (char *p = id; p && *p; p++)
		if (*p == '_')
			*p = '-';
	return id && rule_find(str_c(id)) ? str_c(id) : code;
}

static enum souk_err
add_change_errors(const json_t *changes, struct str entity, struct arena *mem, struct controls *c)
{
	enum souk_err r = SOUK_OK;

	for (size_t i = 0; i < json_array_size(changes); i++) {
		const json_t *o = json_array_get(changes, i),
			     *errors = json_object_get(o, "errors");

		if (!str_eq(text_of(o, "entityId"), entity))
			continue;
		for (size_t k = 0; r == SOUK_OK && k < json_array_size(errors); k++) {
			const json_t *x = json_array_get(errors, k);
			struct control_error e = { .message = text_of(x, "message"),
				.severity = STR("error"),
				.pointer = STR(""),
				.evidence = STR("") };
			struct control *to =
			    control_of(c, control_id(text_of(x, "code"), mem), mem);

			if (!to)
				return SOUK_E_NOMEM;
			control_is(to, CONTROL_FAIL);
			r = add_error(to, mem, &e);
		}
	}
	return r;
}

static enum souk_err
add_set_tasks(struct db_tx *tx, const struct change_set_row *set, struct str entity,
    struct arena *mem, struct controls *c)
{
	struct review_task *v = NULL;
	struct guid id;
	size_t n = 0;
	enum souk_err r;

	if (!entity_id_parse(PRODUCT_PREFIX, entity, &id))
		return SOUK_OK;
	r = tasks_read(task_rows_of_set(tx, str_c(set->seller_id), &set->id), mem, &v, &n);
	for (size_t i = 0; r == SOUK_OK && i < n; i++)
		if (guid_eq(&v[i].product_id, &id))
			r = add_task(c, &v[i], db_now(tx), mem);
	return r;
}

static enum souk_err
get_of_set(struct db_tx *tx, const struct tenant_scope *s, enum edition edition,
    const struct guid *id, size_t part, struct arena *mem, struct assessment *ret,
    struct controls *c)
{
	struct str entities[CHANGES_MAX];
	struct change_set_row set;
	json_t *changes = NULL;
	enum souk_err r = change_set_get(tx, s, id, mem, &set);

	if (r == SOUK_OK && !is_assessed(&set, db_now(tx)))
		r = SOUK_E_NOT_FOUND;
	if (r != SOUK_OK || (r = json_read(set.changes, &changes, NULL)) != SOUK_OK)
		return r;
	if (part < 1 || part > entities_of(changes, entities)) {
		r = SOUK_E_NOT_FOUND;
	} else {
		struct str entity = entities[part - 1];

		of_set(&set, changes, entity, part, edition, ret);
		if ((r = add_change_errors(changes, entity, mem, c)) == SOUK_OK)
			r = add_set_tasks(tx, &set, entity, mem, c);
	}
	json_decref(changes);
	return r;
}

/* What stands before the last '-' of `s`, after `prefix`, and the number after it. */
static bool
take_parts(struct str s, struct str prefix, struct str *ret_id, uint64_t *ret_number)
{
	size_t at = s.n;

	if (!str_starts(s, prefix))
		return false;
	while (at > prefix.n && s.p[at - 1] != '-')
		at--;
	if (at <= prefix.n)
		return false;
	*ret_id = (struct str){ s.p + prefix.n, at - 1 - prefix.n };
	return str_to_u64((struct str){ s.p + at, s.n - at }, INT64_MAX, ret_number);
}

enum souk_err
assessment_get(struct db_tx *tx, const struct tenant_scope *s, enum edition edition, struct str id,
    struct arena *mem, struct assessment *ret, struct controls *ret_controls)
{
	struct controls c = { .n = 0 };
	struct assessment a;
	struct str of;
	struct guid guid;
	uint64_t number;
	enum souk_err r = SOUK_E_NOT_FOUND;

	if (take_parts(id, STR(OF_SET), &of, &number) && guid_parse(of, &guid))
		r = get_of_set(tx, s, edition, &guid, (size_t)number, mem, &a, &c);
	else if (take_parts(id, STR(OF_LISTING), &of, &number) &&
		 entity_id_parse(PRODUCT_PREFIX, of, &guid))
		r = get_of_listing(tx, s, &guid, id, mem, &a, &c);
	if (r == SOUK_OK) {
		*ret = a;
		*ret_controls = c;
	}
	return r;
}
