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

enum souk_err
earner_by_name(const struct feeds *fs, struct str name, uint32_t *ret, struct fail *f)
{
	uint32_t bound = intern_bound(fs->accounts);

	*ret = intern_find(fs->accounts, name);
	for (uint32_t a = 0; a < bound && *ret == INTERN_NONE; a++) {
		struct str id = intern_text(fs->accounts, a);
		uint32_t key = id.n > 0 ? history_key(fs->account, &id) : HISTORY_NONE;
		size_t n = 0;
		const struct version *v =
		    key != HISTORY_NONE ? history_versions(fs->account, key, &n) : NULL;

		for (size_t i = 0; i < n; i++)
			if (str_eq(history_cell(fs->account, &v[i], ACC_AWS_ACCOUNT_ID), name))
				*ret = a;
	}
	return *ret != INTERN_NONE
		   ? SOUK_OK
		   : fail_field(f, "--seller", "is no account of these feeds' billing events",
			 "give an account id of the account feed, or its 12 digits; or leave it "
			 "out");
}
