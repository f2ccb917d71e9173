/* SPDX-License-Identifier: Apache-2.0 */
/* Grants; see grant.h. */
#include "edsp/grant.h"

#include "edsp/commission_store.h"
#include "edsp/enrol.h"
#include "edsp/kept_plan.h"
#include "edsp/line.h"
#include "market/check.h"
#include "market/user.h"

#define REPRESENTATIVE_MAX 64 /* as ids of plans */
#define PURPOSE_MAX 64
#define PLAN_ARENA ((size_t)256 << 20)

const char *const commission_role_words[COMMISSION_ROLE__COUNT + 1] = {
	[COMMISSION_SUPPORT] = "support",
	[COMMISSION_REPRESENTATIVE] = "representative",
	[COMMISSION_MANAGER] = "manager",
	[COMMISSION_FINANCE] = "finance",
};

bool
commission_role_find(struct str word, enum commission_role *ret)
{
	for (int i = 0; i < COMMISSION_ROLE__COUNT; i++)
		if (str_eq_c(word, commission_role_words[i])) {
			*ret = (enum commission_role)i;
			return true;
		}
	return false;
}

/* ---- giving ---- */

static bool
is_purpose(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!memchr("abcdefghijklmnopqrstuvwxyz0123456789-", s.p[i], 37))
			return false;
	return s.n > 0 && s.n <= PURPOSE_MAX;
}

static void
check_representative(struct check *c, const struct json_member *m, struct commission_grant *g)
{
	bool wanted = g->role == COMMISSION_REPRESENTATIVE || g->role == COMMISSION_MANAGER;

	check_text(c, m, 1, REPRESENTATIVE_MAX, &g->representative);
	if (wanted && !m->got)
		check_fail(c, m->name, "is missing", "say who of the plan this user is");
	if (!wanted && m->got)
		check_fail(c, m->name, "does not go with this role", "leave it out");
}

enum souk_err
commission_grant_parse(const json_t *o, struct commission_grant *ret, struct fail *f)
{
	struct json_member m[] = { { .name = "role", .kind = JSON_K_STR, .required = true },
		{ .name = "representative", .kind = JSON_K_STR },
		{ .name = "buyerColumns", .kind = JSON_K_BOOL },
		{ .name = "purpose", .kind = JSON_K_STR, .required = true } };
	struct commission_grant g = { .representative = STR(""), .purpose = STR("") };
	struct check c = { .f = f };
	struct str word = STR("support");

	if ((c.err = json_take(o, m, 4, f)) != SOUK_OK)
		return c.err;
	check_word(&c, &m[0], commission_role_words, &word);
	if (!commission_role_find(word, &g.role))
		return c.err;
	check_representative(&c, &m[1], &g);
	check_bool(&m[2], &g.buyer_columns);
	if (g.role == COMMISSION_SUPPORT && g.buyer_columns)
		check_fail(&c, m[2].name, "does not go with this role",
		    "leave it out: support sees nothing");
	g.purpose = json_member_str(&m[3]);
	if (!is_purpose(g.purpose))
		check_fail(&c, m[3].name, "is not a purpose",
		    "give a word of up to 64 of a-z, 0-9 and '-'");
	if (c.err == SOUK_OK)
		*ret = g;
	return c.err;
}

/* Not the operator: whom a seller trusts with its commissions is nobody else's business. */
static bool
is_own(const struct tenant_scope *s, struct str seller_id)
{
	return tenant_is_seller(s) && !tenant_is_operator(s) && seller_id.n == ACCOUNT_ID_LEN &&
	       str_eq(tenant_account(s), seller_id);
}

enum souk_err
commission_grant_set(struct db_tx *tx, const struct tenant_scope *s, struct str seller_id,
    const struct commission_grant *g, struct arena *mem, struct fail *f)
{
	struct enrolment e;
	struct user u;
	enum souk_err r;

	if (!is_own(s, seller_id))
		return SOUK_E_NOT_FOUND;
	if ((r = lock_owner(tx, seller_id)) != SOUK_OK ||
	    (r = user_get(tx, s, &g->user_id, mem, &u)) != SOUK_OK)
		return r;
	if (!str_eq_c(seller_id, u.account_id))
		return SOUK_E_NOT_FOUND;
	r = enrolment_get(tx, s, seller_id, EDSP_PROGRAM, &e);
	if (r == SOUK_E_NOT_FOUND || (r == SOUK_OK && !e.enrolled))
		return fail_set(f, SOUK_E_CONFLICT, "not_enrolled",
		    "The seller is not enrolled in enhanced data sharing; there is nothing to "
		    "see.");
	return r == SOUK_OK ? grant_row_put(tx, seller_id, g, e.revision, tenant_actor(s)) : r;
}

enum souk_err
commission_grant_remove(struct db_tx *tx, const struct tenant_scope *s, struct str seller_id,
    const struct guid *user_id)
{
	return is_own(s, seller_id) ? grant_row_drop(tx, seller_id, user_id) : SOUK_E_NOT_FOUND;
}

enum souk_err
commission_grant_get(struct db_tx *tx, const struct tenant_scope *s, struct str seller_id,
    const struct guid *user_id, struct arena *mem, struct commission_grant *ret)
{
	struct commission_grant g;
	enum souk_err r;

	if (!is_own(s, seller_id))
		return SOUK_E_NOT_FOUND;
	if ((r = grant_row_find(tx, seller_id, user_id, mem, &g)) != SOUK_OK)
		return r;
	if (g.role == COMMISSION_SUPPORT)
		return SOUK_E_NOT_FOUND;
	*ret = g;
	return SOUK_OK;
}

void
commission_grant_json(const struct commission_grant *g, struct jw *out)
{
	jw_open(out, NULL, '{');
	jw_guid(out, "userId", &g->user_id);
	jw_c(out, "role", commission_role_words[g->role]);
	jw_str_opt(out, "representative", g->representative);
	jw_bool(out, "buyerColumns", g->buyer_columns);
	jw_str(out, "purpose", g->purpose);
	jw_str(out, "grantedBy", g->granted_by);
	jw_instant(out, "grantedAt", g->granted_at);
	jw_bool(out, "inForce", g->in_force);
	jw_close(out, '}');
}

enum souk_err
commission_grant_list(
    struct db_tx *tx, const struct tenant_scope *s, struct str seller_id, struct jw *out)
{
	struct commission_grant g;
	struct db_stmt *st;
	enum souk_err r;
	bool row;

	if (!is_own(s, seller_id))
		return SOUK_E_NOT_FOUND;
	st = grant_rows(tx, seller_id);
	while ((r = db_step(st, &row)) == SOUK_OK && row) {
		grant_row(st, &g);
		commission_grant_json(&g, out);
	}
	return r;
}

/* ---- whose statements ---- */

static uint32_t
find(const struct plan *p, struct str id)
{
	for (uint32_t i = 0; i < p->n_representatives; i++)
		if (str_eq(p->representatives[i].id, id))
			return i;
	return NO_INDEX;
}

/* Is `who` below the manager now? Who left, or has nobody below them any more, manages nobody. */
static bool
manages(const struct plan *p, struct str manager, struct str who, day_t today)
{
	uint32_t m = find(p, manager), r = find(p, who);
	const struct plan_days *days;

	if (m == NO_INDEX || r == NO_INDEX)
		return false;
	days = &p->representatives[m].days;
	if (today < days->from || today > days->until)
		return false;
	/* plan_check refuses circles. */
	for (r = p->representatives[r].manager; r != NO_INDEX; r = p->representatives[r].manager)
		if (r == m)
			return true;
	return false;
}

enum souk_err
commission_grant_covers(struct db_tx *tx, struct vault *v, struct str seller_id,
    const struct commission_grant *g, struct str representative)
{
	struct arena *mem;
	struct plan p;
	struct guid id;
	int64_t revision;
	enum souk_err r;

	if (g->role == COMMISSION_FINANCE)
		return SOUK_OK;
	if (g->role == COMMISSION_SUPPORT || g->representative.n == 0)
		return SOUK_E_NOT_FOUND;
	if (str_eq(g->representative, representative))
		return SOUK_OK;
	if (g->role != COMMISSION_MANAGER)
		return SOUK_E_NOT_FOUND;
	if (!(mem = arena_new(PLAN_ARENA)))
		return SOUK_E_NOMEM;
	if ((r = kept_plan_newest(tx, seller_id, &id, &revision)) == SOUK_OK)
		r = kept_plan_load(tx, v, seller_id, &id, mem, &p, NULL);
	if (r == SOUK_OK && !manages(&p, g->representative, representative, day_of(db_now(tx))))
		r = SOUK_E_NOT_FOUND;
	arena_free(mem);
	return r;
}

/* ---- how runs are approved ---- */

enum souk_err
commission_setting_get(struct db_tx *tx, const struct tenant_scope *s, struct str seller_id,
    struct commission_setting *ret)
{
	struct commission_setting set = { .two_people = false, .revision = 1 };
	enum souk_err r;

	if (!is_own(s, seller_id))
		return SOUK_E_NOT_FOUND;
	r = setting_row_get(tx, seller_id, &set.two_people, &set.revision);
	if (r != SOUK_OK && r != SOUK_E_NOT_FOUND)
		return r;
	*ret = set;
	return SOUK_OK;
}

enum souk_err
commission_setting_set(struct db_tx *tx, const struct tenant_scope *s, struct str seller_id,
    int64_t seen, struct commission_setting *io, struct fail *f)
{
	struct commission_setting old;
	enum souk_err r;

	if (!is_own(s, seller_id))
		return SOUK_E_NOT_FOUND;
	if ((r = lock_owner(tx, seller_id)) != SOUK_OK ||
	    (r = commission_setting_get(tx, s, seller_id, &old)) != SOUK_OK)
		return r;
	if (seen != 0 && seen != old.revision)
		return fail_set(f, SOUK_E_PRECONDITION, "precondition_failed",
		    "The setting was changed meanwhile.");
	r = setting_row_put(tx, seller_id, io->two_people, tenant_actor(s), old.revision + 1);
	if (r == SOUK_OK)
		io->revision = old.revision + 1;
	return r;
}
