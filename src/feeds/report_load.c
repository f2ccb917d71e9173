/* SPDX-License-Identifier: Apache-2.0 */
/* Loads what a fold needs of the feeds, and finds whose feeds they are. */
#include "feeds/report_int.h"

#include <stdlib.h>

#define ACCOUNT_COLUMNS                                                                            \
	(COLUMN(ACC_AWS_ACCOUNT_ID) | COLUMN(ACC_MAILING_ADDRESS_ID) |                             \
	    COLUMN(ACC_TAX_ADDRESS_ID) | COLUMN(ACC_TAX_LEGAL_NAME))
#define ADDRESS_COLUMNS                                                                            \
	(COLUMN(ADR_COUNTRY) | COLUMN(ADR_STATE_OR_REGION) | COLUMN(ADR_CITY) |                    \
	    COLUMN(ADR_POSTAL_CODE) | COLUMN(ADR_EMAIL_DOMAIN))
#define PRODUCT_COLUMNS (COLUMN(PRD_PRODUCT_CODE) | COLUMN(PRD_TITLE))

/* Interned accounts or products to keys of their history, so that a line looks nothing up by text. */
static uint32_t *
keys_of(const struct intern *in, const struct history *h)
{
	uint32_t bound = intern_bound(in);
	uint32_t *keys = calloc((size_t)bound + 1, sizeof(*keys));

	for (uint32_t i = 0; keys != NULL && i < bound; i++) {
		struct str text = intern_text(in, i);

		keys[i] = text.n > 0 ? history_key(h, &text) : HISTORY_NONE;
	}
	return keys;
}

/*
 * Whose revenue an event is: the receiver's of a positive one, the sender's of a negative one (his cost), read the
 * other way round when it is paid out.
 */
static uint32_t
earner(const struct fold *f, uint32_t event)
{
	const struct event *e = event_at(f->feeds, event);
	bool positive = (e->amount > 0) == (e->action != ACTION_DISBURSED);

	if (e->type != TYPE_SELLER_REV_SHARE || e->amount == 0 || e->action == ACTION_FORGIVEN)
		return INTERN_NONE;
	return positive ? event_more_at(f->feeds, event)->to : e->from;
}

static enum souk_err
seller_from_events(struct fold *f, struct fail *fail)
{
	for (uint32_t i = events_next(f->feeds, 0); i != EVENT_NONE;
	     i = events_next(f->feeds, i + 1)) {
		uint32_t who = earner(f, i);

		if (who == INTERN_NONE || who == f->seller)
			continue;
		if (f->seller != INTERN_NONE)
			return fail_field(fail, "--seller",
			    "is missing, and these feeds hold revenue of more than one seller",
			    "say whose report this is: an account id or its 12 digits");
		f->seller = who;
	}
	return SOUK_OK;
}

/* An account id, or an account number that one account has had. */
static enum souk_err
seller_by_name(struct fold *f, struct fail *fail)
{
	struct str name = f->request->seller;
	uint32_t bound = intern_bound(f->feeds->accounts);

	f->seller = intern_find(f->feeds->accounts, name);
	for (uint32_t a = 0; a < bound && f->seller == INTERN_NONE; a++) {
		size_t n = 0;
		const struct version *v =
		    f->account_key[a] != HISTORY_NONE
			? history_versions(f->feeds->account, f->account_key[a], &n)
			: NULL;

		for (size_t i = 0; i < n; i++)
			if (str_eq(
				history_cell(f->feeds->account, &v[i], ACC_AWS_ACCOUNT_ID), name))
				f->seller = a;
	}
	return f->seller != INTERN_NONE
		   ? SOUK_OK
		   : fail_field(fail, "--seller", "is no account of these feeds' billing events",
			 "give an account id of the account feed, or its 12 digits; or leave it "
			 "out");
}

enum souk_err
fold_load_events(struct fold *f, const struct fold_needs *n, struct fail *fail)
{
	const struct report_request *q = f->request;
	bool all = n->all_months || q->all_months;
	struct events_query e = { .source = q->source,
		.known_at = q->known_at,
		.month_from = all ? MONTHS_FROM : month_of(q->from),
		.month_to = all ? MONTHS_TO : month_of(q->to),
		.actions = n->actions,
		.types = n->types,
		.flags = EVENTS_MORE,
		.account_columns = ACCOUNT_COLUMNS,
		.address_columns = ADDRESS_COLUMNS,
		.product_columns = PRODUCT_COLUMNS,
		.faults = q->faults,
		.threads = q->threads };
	struct feeds *feeds = NULL;
	enum souk_err r = feeds_load(&e, &feeds, fail);

	f->loaded = feeds;
	f->feeds = feeds;
	return r;
}

enum souk_err
fold_load(struct fold *f, const struct fold_needs *n, struct fail *fail)
{
	enum souk_err r = fold_load_events(f, n, fail);

	return r == SOUK_OK ? fold_know(f, fail) : r;
}

enum souk_err
fold_know(struct fold *f, struct fail *fail)
{
	f->account_key = keys_of(f->feeds->accounts, f->feeds->account);
	f->product_key = keys_of(f->feeds->products, f->feeds->product);
	f->codes = calloc(CURRENCY_COUNT, sizeof(*f->codes));
	for (currency_t c = 0; f->codes != NULL && c < CURRENCY_COUNT; c++)
		currency_text(c, f->codes[c]);
	if (f->account_key == NULL || f->product_key == NULL || f->codes == NULL)
		return fail_set(fail, SOUK_E_NOMEM, "memory", "out of memory");
	f->seller = INTERN_NONE;
	if (f->request->seller.n > 0)
		return seller_by_name(f, fail);
	return f->loaded != NULL ? seller_from_events(f, fail) : SOUK_OK;
}

void
fold_free(struct fold *f)
{
	if (f->done != NULL)
		f->done(f);
	else
		free(f->own);
	groups_free(&f->groups);
	free(f->sequence);
	free(f->account_key);
	free(f->product_key);
	free(f->codes);
	feeds_free(f->loaded);
}
