/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decisions of people; see review_task.h.
 *
 * The danger is the last one: two who decide at the same time must not both leave the change set waiting, so
 * the listing is locked before its tasks are counted.
 */
#include "proserv/review_task.h"

#include "base/calendar.h"
#include "base/utf8.h"
#include "market/check.h"
#include "proserv/change.h"
#include "proserv/catalog.h"

static const char *const verdict_words[] = {
	[VERDICT_APPROVE] = "approve",
	[VERDICT_REJECT] = "reject",
	[VERDICT_WAIVE] = "waive",
};
#define VERDICTS (sizeof(verdict_words) / sizeof(verdict_words[0]))

static bool
verdict_of(struct str word, enum verdict *ret)
{
	for (size_t i = 0; i < VERDICTS; i++)
		if (str_eq_c(word, verdict_words[i])) {
			*ret = (enum verdict)i;
			return true;
		}
	return false;
}

static enum souk_err
take_until(const struct json_member *m, instant_t now, struct decision *d, struct fail *f)
{
	struct str text = json_member_str(m);
	day_t day;

	if (d->verdict != VERDICT_WAIVE)
		return m->got == NULL ? SOUK_OK
				      : fail_field(f, "until", "is given though nothing is waived",
					    "leave it out, or give the verdict waive");
	if (m->got == NULL)
		return fail_field(f, "until", "is missing", "give the last day, as YYYY-MM-DD");
	if (!day_parse(text, &day))
		return fail_field(f, "until", "is not a day", "give one as YYYY-MM-DD");
	if (day < day_of(now) || day > day_of(now) + 366)
		return fail_field(f, "until", "is past, or more than a year away",
		    "give a day from today on, within a year");
	d->until = ((instant_t)day + 1) * DAY_MS;
	return SOUK_OK;
}

enum souk_err
decision_parse(const json_t *o, instant_t now, struct decision *ret, struct fail *f)
{
	struct json_member m[] = {
		{ .name = "verdict", .kind = JSON_K_STR, .required = true },
		{ .name = "reason", .kind = JSON_K_STR },
		{ .name = "until", .kind = JSON_K_STR },
	};
	struct decision d = { .until = 0 };
	enum souk_err r = json_take(o, m, 3, f);

	if (r != SOUK_OK)
		return r;
	if (!verdict_of(json_member_str(&m[0]), &d.verdict))
		return fail_field(
		    f, "verdict", "is none of those", "give approve, reject or waive");
	d.reason = str_trim(json_member_str(&m[1]));
	if (d.reason.n > TASK_REASON_MAX)
		return fail_field(f, "reason", "is too long", "give at most 1000 bytes");
	if (utf8_has_control(d.reason))
		return fail_field(f, "reason", "has control characters", "give one line of text");
	if (d.reason.n == 0 && d.verdict != VERDICT_APPROVE)
		return fail_field(f, "reason", "is missing",
		    d.verdict == VERDICT_REJECT ? "tell the seller what to mend"
						: "say why it may pass until then");
	if ((r = take_until(&m[2], now, &d, f)) == SOUK_OK)
		*ret = d;
	return r;
}

/* ---- deciding ---- */

static enum souk_err
check(const struct review_task *t, const struct guid *user, const struct decision *d, bool two,
    struct fail *f)
{
	if (!t->present)
		return fail_set(f, SOUK_E_CONFLICT, "not_present",
		    "The listing does not have this any more: there is nothing to decide.");
	if (t->kind == KIND_DETERMINISTIC && d->verdict != VERDICT_WAIVE)
		return fail_set(f, SOUK_E_CONFLICT, "fault_stands",
		    "A fault that a machine is sure of can only be waived until a day, or mended.");
	if (two && d->verdict != VERDICT_REJECT && t->state == TASK_OPEN &&
	    guid_eq(&t->first_by, user))
		return fail_set(f, SOUK_E_CONFLICT, "same_person",
		    "You approved this already: publication needs a second person.");
	return SOUK_OK;
}

static void
apply(struct review_task *t, const struct guid *user, const struct decision *d, bool two)
{
	bool second = two && t->state == TASK_OPEN && !guid_is_zero(&t->first_by);

	t->reason = d->reason;
	t->waived_until = d->verdict == VERDICT_WAIVE ? d->until : 0;
	if (d->verdict == VERDICT_REJECT) {
		t->first_by = t->second_by = (struct guid){ 0 };
		t->state = TASK_REJECTED;
		return;
	}
	if (second) {
		t->second_by = *user;
	} else {
		t->first_by = *user;
		t->second_by = (struct guid){ 0 };
	}
	t->state = two && !second                ? TASK_OPEN
		   : d->verdict == VERDICT_WAIVE ? TASK_WAIVED
						 : TASK_APPROVED;
}

static enum souk_err
count_open(struct db_tx *tx, struct str seller_id, const struct guid *change_set_id, int64_t *ret)
{
	struct db_stmt *st = task_rows_of_set(tx, seller_id, change_set_id);
	struct review_task t;
	enum souk_err r;
	bool row;

	*ret = 0;
	while ((r = db_step(st, &row)) == SOUK_OK && row) {
		task_row(st, &t);
		*ret += t.state == TASK_OPEN;
	}
	return r;
}

/* The last decision lets go on what waits. */
static enum souk_err
go_on(struct db_tx *tx, const struct review_task *t)
{
	struct str seller = str_c(t->seller_id);
	int64_t open = 0;
	enum souk_err r = review_mark(tx, seller, &t->product_id, db_now(tx));

	if (r != SOUK_OK || guid_is_zero(&t->change_set_id) || t->state == TASK_OPEN)
		return r;
	if ((r = count_open(tx, seller, &t->change_set_id, &open)) != SOUK_OK || open > 0)
		return r;
	return change_set_resume(tx, seller, &t->change_set_id);
}

enum souk_err
task_decide(struct db_tx *tx, const struct tenant_scope *s, const struct guid *user,
    struct review_task *t, const struct decision *d, int64_t seen, bool two_people, struct fail *f)
{
	bool two = two_people && !guid_is_zero(&t->change_set_id), found = false;
	struct review_decision row = { .verdict = str_c(verdict_words[d->verdict]),
		.user_id = *user,
		.reason = d->reason,
		.waived_until = d->until,
		.decided_at = db_now(tx) };
	int64_t was = t->revision;
	enum souk_err r;

	if (!tenant_is_operator(s))
		return SOUK_E_NOT_FOUND;
	if (seen != 0 && seen != was)
		return fail_set(f, SOUK_E_PRECONDITION, "precondition_failed",
		    "Somebody decided meanwhile: read the task again.");
	if ((r = lock_subject(tx, &t->product_id, sizeof(t->product_id))) != SOUK_OK ||
	    (r = check(t, user, d, two, f)) != SOUK_OK)
		return r;
	apply(t, user, d, two);
	t->decided_at = row.decided_at;
	t->revision++;
	if ((r = task_row_update(tx, t, was, &found)) != SOUK_OK)
		return r;
	if (!found)
		return fail_set(f, SOUK_E_PRECONDITION, "precondition_failed",
		    "Somebody decided meanwhile: read the task again.");
	if ((r = decision_row_insert(tx, t, &row)) != SOUK_OK)
		return r;
	return go_on(tx, t);
}

enum souk_err
task_get(struct db_tx *tx, const struct tenant_scope *s, const struct guid *id, struct arena *mem,
    struct review_task *ret)
{
	char owner[ACCOUNT_ID_LEN + 1];
	enum souk_err r;

	if (!tenant_is_operator(s))
		return tenant_is_seller(s) ? task_row_find(tx, tenant_account(s), id, mem, ret)
					   : SOUK_E_NOT_FOUND;
	if ((r = task_owner(tx, id, owner)) != SOUK_OK)
		return r;
	return task_row_find(tx, str_c(owner), id, mem, ret);
}

void
task_json(const struct review_task *t, bool to_operator, struct jw *w)
{
	char id[ENTITY_ID_MAX], day[DAY_TEXT_LEN + 1];
	const struct rule *rule = rule_find(t->rule);

	jw_guid(w, "taskId", &t->id);
	jw_c(w, "sellerId", t->seller_id);
	entity_id_write(PRODUCT_PREFIX, &t->product_id, id);
	jw_c(w, "listing", id);
	jw_str(w, "rule", t->rule);
	jw_c(w, "kind", finding_kind_word(t->kind));
	jw_c(w, "severity", severity_letter(t->severity));
	jw_str(w, "pointer", t->pointer);
	jw_str(w, "message", t->message);
	jw_str(w, "evidence", t->evidence);
	jw_c(w, "hint", rule != NULL ? rule->hint : "");
	jw_c(w, "state", task_state_words[t->state]);
	jw_bool(w, "present", t->present);
	jw_str_opt(w, "reason", t->state == TASK_OPEN && !to_operator ? STR("") : t->reason);
	if (t->waived_until != 0) {
		day_write(day_of(t->waived_until - 1), day);
		jw_c(w, "waivedUntil", day);
	}
	if (to_operator && !guid_is_zero(&t->first_by))
		jw_guid(w, "firstBy", &t->first_by);
	if (to_operator && !guid_is_zero(&t->second_by))
		jw_guid(w, "secondBy", &t->second_by);
	if (!guid_is_zero(&t->change_set_id))
		jw_guid(w, "changeSetId", &t->change_set_id);
	jw_instant(w, "openedAt", t->opened_at);
	if (t->decided_at != 0)
		jw_instant(w, "decidedAt", t->decided_at);
	jw_int(w, "revision", t->revision);
}
