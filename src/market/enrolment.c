/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Enrolments: who is in which program, since when.
 *
 * An enrolled seller gets buyers' data: only the operator changes a standing.
 */
#include "market/enrolment.h"

#include "market/account.h"
#include "market/check.h"
#include "market/market_store.h"
#include "market/scope.h"

static const char *const programs[] = { "psc", "edsp", "proserv", NULL };

/* Which enrolment is meant; false when there cannot be such a one. */
static bool
name_it(struct str seller_id, const char *program, struct enrolment *ret)
{
	*ret = (struct enrolment){ .program = word_find(programs, str_c(program)) };
	if (!account_id_valid(seller_id) || !ret->program.p)
		return false;
	memcpy(ret->seller_id, seller_id.p, ACCOUNT_ID_LEN);
	return true;
}

enum souk_err
enrolment_get(struct db_tx *tx, const struct tenant_scope *s, struct str seller_id,
    const char *program, struct enrolment *ret)
{
	struct enrolment e;
	enum souk_err r;

	if (!scope_sells(s, seller_id) || !name_it(seller_id, program, &e))
		return SOUK_E_NOT_FOUND;
	if ((r = enrolment_find(tx, &e)) == SOUK_OK)
		*ret = e;
	return r;
}

static enum souk_err
check_seller(struct db_tx *tx, struct str seller_id, struct fail *f)
{
	struct account_roles account = { 0 };
	bool found = false;
	enum souk_err r = account_find_roles(tx, seller_id, &found, &account);

	if (r != SOUK_OK || account.is_seller)
		return r;
	if (!found)
		return fail_not_found(f);
	return fail_conflict(f, "not_a_seller", "sellerId", "is no seller's account",
	    "set seller to true on the account first");
}

enum souk_err
enrolment_set(struct db_tx *tx, const struct tenant_scope *s, struct str seller_id,
    const char *program, bool enrolled, struct enrolment *ret, struct fail *f)
{
	struct enrolment e;
	int64_t old_revision;
	bool found = false, known;
	enum souk_err r;

	if ((r = scope_operator(s, f)) != SOUK_OK)
		return r;
	if (!name_it(seller_id, program, &e))
		return fail_not_found(f);
	if ((r = lock_owner(tx, seller_id)) != SOUK_OK ||
	    (r = check_seller(tx, seller_id, f)) != SOUK_OK)
		return r;
	r = enrolment_find(tx, &e);
	known = r == SOUK_OK;
	if (r != SOUK_OK && r != SOUK_E_NOT_FOUND)
		return r;
	if (!known && !enrolled)
		return fail_not_found(f);
	if (!known || e.enrolled != enrolled) {
		old_revision = e.revision;
		e.enrolled = enrolled;
		e.revision = old_revision + 1;
		if ((r = enrolment_begins(tx, seller_id, &e.since)) != SOUK_OK)
			return r;
		if (enrolled)
			e.enrolled_since = e.since;
		r = known ? enrolment_update(tx, &e, old_revision, &found)
			  : enrolment_insert(tx, &e);
		if (r != SOUK_OK)
			return r;
		if (known && !found)
			return fail_revision(f);
	}
	*ret = e;
	return SOUK_OK;
}

void
enrolment_json(const struct enrolment *e, struct jw *out, const char *key)
{
	jw_open(out, key, '{');
	jw_c(out, "sellerId", e->seller_id);
	jw_str(out, "program", e->program);
	jw_c(out, "state", e->enrolled ? "enrolled" : "withdrawn");
	jw_instant(out, "since", e->since);
	json_instant_opt(out, "enrolledSince", e->enrolled_since);
	json_instant_opt(out, "enrolledUntil", e->enrolled ? 0 : e->since);
	jw_int(out, "revision", e->revision);
	jw_close(out, '}');
}
