/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks of JSON members.
 *
 * What passes here is stored and shown to others: a check that is too kind lets a control
 * character or half a character into every export.
 */
#include "market/check.h"

#include "base/currency.h"
#include "base/utf8.h"
#include "market/account.h"

#include <stdio.h>

void
check_fail(struct check *c, const char *field, const char *what, const char *fix)
{
	c->err = fail_field(c->f, field, what, fix);
}

void
check_text(struct check *c, const struct json_member *m, size_t min, size_t max, struct str *io)
{
	struct str s = json_member_str(m);
	char fix[80];
	size_t n;

	if (m->got_null)
		*io = STR("");
	if (!m->got)
		return;
	if (!utf8_valid(s) || utf8_has_control(s)) {
		check_fail(c, m->name, "has control characters or is not UTF-8",
		    "give text of one line in UTF-8");
		return;
	}
	n = utf8_length(s);
	if (n > max || n < min || (min > 0 && utf8_is_blank(s))) {
		(void)snprintf(fix, sizeof(fix), "give %zu to %zu characters", min, max);
		check_fail(c, m->name, n > max ? "is too long" : "is empty", fix);
		return;
	}
	*io = s;
}

struct str
word_find(const char *const *words, struct str s)
{
	for (; *words; words++)
		if (str_eq_c(s, *words))
			return str_c(*words);
	return (struct str){ NULL, 0 };
}

void
check_word(struct check *c, const struct json_member *m, const char *const *words, struct str *io)
{
	char fix[160] = "give one of";
	struct str found;
	size_t n;

	if (!m->got)
		return;
	found = word_find(words, json_member_str(m));
	if (found.p) {
		*io = found;
		return;
	}
	for (size_t i = 0; words[i]; i++) {
		n = strlen(fix);
		(void)snprintf(fix + n, sizeof(fix) - n, "%s %s", i > 0 ? "," : "", words[i]);
	}
	check_fail(c, m->name, "is none of the known words", fix);
}

void
check_account_id(struct check *c, const struct json_member *m, char io[static ACCOUNT_ID_LEN + 1])
{
	struct str s = json_member_str(m);

	if (m->got_null)
		io[0] = '\0';
	if (!m->got)
		return;
	if (!account_id_valid(s)) {
		check_fail(c, m->name, "is no account id",
		    "give twelve digits as text, leading zeroes included");
		return;
	}
	memcpy(io, s.p, ACCOUNT_ID_LEN);
	io[ACCOUNT_ID_LEN] = '\0';
}

void
check_guid(struct check *c, const struct json_member *m, struct guid *io)
{
	struct guid g;

	if (m->got_null)
		*io = (struct guid){ 0 };
	if (!m->got)
		return;
	if (!guid_parse(json_member_str(m), &g) || guid_is_zero(&g))
		check_fail(
		    c, m->name, "is no GUID", "give one like 01234567-89ab-4cde-8f01-23456789abcd");
	else
		*io = g;
}

void
check_instant(struct check *c, const struct json_member *m, instant_t *io)
{
	instant_t t;

	if (m->got_null)
		*io = 0;
	if (!m->got)
		return;
	if (!instant_parse(json_member_str(m), &t))
		check_fail(
		    c, m->name, "is no point in time", "give one like 2026-01-31T00:00:00.000Z");
	else if (t <= 0)
		check_fail(
		    c, m->name, "is too early", "give a time after 1970-01-01T00:00:00.000Z");
	else
		*io = t;
}

void
check_period(struct check *c, instant_t start, instant_t end)
{
	if (start != 0 && end != 0 && end <= start)
		check_fail(c, "endsAt", "is not after startsAt", "give a later time, or none");
}

void
check_money(struct check *c, const struct json_member *m, money_t *io)
{
	enum money_fault fault;

	if (!m->got)
		return;
	fault = money_parse(json_member_str(m), io);
	if (fault != MONEY_OK)
		check_fail(c, m->name, money_fault_what(fault), money_fault_fix(fault));
}

void
check_currency(struct check *c, const struct json_member *m, char io[static 4])
{
	struct str s = json_member_str(m);

	if (!m->got)
		return;
	if (currency_of(s) == CURRENCY_NONE) {
		check_fail(c, m->name, "is no currency", "give a code of ISO 4217, as in USD");
		return;
	}
	memcpy(io, s.p, 3);
	io[3] = '\0';
}

void
check_bool(const struct json_member *m, bool *io)
{
	if (m->got)
		*io = json_is_true(m->got);
}

void
check_fixed(struct check *c, const char *field, bool same)
{
	if (!same)
		check_fail(c, field, "cannot be changed", "leave it out or give the present value");
}

enum souk_err
fail_conflict(
    struct fail *f, const char *code, const char *field, const char *what, const char *fix)
{
	enum souk_err r = fail_set(f, SOUK_E_CONFLICT, code, "%s %s.", field, what);

	(void)fail_field(f, field, what, fix);
	return r;
}

enum souk_err
fail_revision(struct fail *f)
{
	return fail_set(f, SOUK_E_PRECONDITION, "revision_mismatch",
	    "It was changed since it was read: read it again and repeat the change.");
}

enum souk_err
fail_not_found(struct fail *f)
{
	return fail_set(f, SOUK_E_NOT_FOUND, "not_found", "There is nothing of this id.");
}

void
json_instant_opt(struct jw *out, const char *key, instant_t t)
{
	if (t == 0)
		jw_null(out, key);
	else
		jw_instant(out, key, t);
}

void
json_text_opt(struct jw *out, const char *key, struct str s)
{
	if (s.n == 0)
		jw_null(out, key);
	else
		jw_str(out, key, s);
}
