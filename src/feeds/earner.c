/* SPDX-License-Identifier: Apache-2.0 */
/* The seller, from the events or by name. */
#include "feeds/earner.h"

static void
meet(struct earner *s, enum earner_sign sign, uint32_t who)
{
	if (who == INTERN_NONE || who == s->who[sign])
		return;
	if (s->who[sign] == INTERN_NONE)
		s->who[sign] = who;
	else
		s->several[sign] = true;
}

void
earner_start(struct earner *s)
{
	*s = (struct earner){ 0 };
	for (enum earner_sign i = 0; i < EARNER__SIGNS; i++)
		s->who[i] = INTERN_NONE;
}

void
earner_see(struct earner *s, const struct event *e)
{
	if (event_type_is_fee(e->type)) {
		meet(s, EARNER_PAYS_FEES, e->from);
		return;
	}
	if (e->type != TYPE_SELLER_REV_SHARE || e->amount == 0 || e->action == ACTION_FORGIVEN)
		return;
	if ((e->amount > 0) == (e->action != ACTION_DISBURSED))
		meet(s, EARNER_RECEIVES, e->to);
	else
		meet(s, EARNER_PAYS_COST, e->from);
}

void
earner_join(struct earner *to, const struct earner *from)
{
	for (enum earner_sign i = 0; i < EARNER__SIGNS; i++) {
		meet(to, i, from->who[i]);
		to->several[i] |= from->several[i];
	}
}

enum souk_err
earner_found(const struct earner *s, uint32_t *ret, struct fail *f)
{
	enum earner_sign i = 0;

	while (i < EARNER_PAYS_COST && s->who[i] == INTERN_NONE)
		i++;
	*ret = s->who[i];
	return !s->several[i]
		   ? SOUK_OK
		   : fail_field(f, "--seller",
			 "is missing, and these feeds hold revenue of more than one seller",
			 "say whose report this is: an account id or its 12 digits");
}

/* An account of the feed may have no event in the months asked for: then it gets a number that no event has. */
static bool
by_account_feed(const struct feeds *fs, struct str name, uint32_t *ret)
{
	for (uint32_t k = 0; k < history_keys(fs->account) && *ret == INTERN_NONE; k++) {
		size_t n = 0;
		const struct version *v = history_versions(fs->account, k, &n);

		for (size_t i = 0; i < n && *ret == INTERN_NONE; i++) {
			struct str id = history_cell(fs->account, &v[i], ACC_ACCOUNT_ID);

			if ((str_eq(id, name) ||
				str_eq(
				    history_cell(fs->account, &v[i], ACC_AWS_ACCOUNT_ID), name)) &&
			    !intern_put(fs->accounts, id, text_hash(id), ret, NULL))
				return false;
		}
	}
	return true;
}

enum souk_err
earner_by_name(const struct feeds *fs, struct str name, uint32_t *ret, struct fail *f)
{
	*ret = intern_find(fs->accounts, name);
	if (*ret == INTERN_NONE && !by_account_feed(fs, name, ret))
		return fail_set(f, SOUK_E_NOMEM, "memory", "out of memory");
	return *ret != INTERN_NONE
		   ? SOUK_OK
		   : fail_field(f, "--seller", "is no account of these feeds",
			 "give an account id of the account feed, or its 12 digits; or leave it "
			 "out");
}
