/* SPDX-License-Identifier: Apache-2.0 */
/* Loads what a fold needs of the feeds, and finds whose feeds they are. */
#include "feeds/earner.h"
#include "feeds/report_int.h"

#include <stdlib.h>

#define ACCOUNT_COLUMNS                                                                            \
	(COLUMN(ACC_ACCOUNT_ID) | COLUMN(ACC_AWS_ACCOUNT_ID) | COLUMN(ACC_MAILING_ADDRESS_ID) |    \
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

static enum souk_err
seller_from_events(struct fold *f, struct fail *fail)
{
	struct earner s;

	earner_start(&s);
	for (uint32_t i = events_next(f->feeds, 0); i != EVENT_NONE;
	     i = events_next(f->feeds, i + 1))
		earner_see(&s, event_at(f->feeds, i));
	return earner_found(&s, &f->seller, fail);
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
		.flags = (n->skip & SKIP_MORE) != SKIP_MORE ? EVENTS_MORE : 0U,
		/* No line shows who carried the sale out. */
		.skip = n->skip | COLUMN(BE_BROKER_ID),
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
	enum souk_err r = SOUK_OK;

	f->seller = INTERN_NONE;
	if (f->request->seller.n > 0)
		r = earner_by_name(f->feeds, f->request->seller, &f->seller, fail);
	else if (f->loaded != NULL)
		r = seller_from_events(f, fail);
	if (r != SOUK_OK)
		return r;
	f->account_key = keys_of(f->feeds->accounts, f->feeds->account);
	f->product_key = keys_of(f->feeds->products, f->feeds->product);
	f->codes = calloc(CURRENCY_COUNT, sizeof(*f->codes));
	for (currency_t c = 0; f->codes != NULL && c < CURRENCY_COUNT; c++)
		currency_text(c, f->codes[c]);
	if (f->account_key == NULL || f->product_key == NULL || f->codes == NULL)
		return fail_set(fail, SOUK_E_NOMEM, "memory", "out of memory");
	return SOUK_OK;
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
	free(f->event_slots);
	free(f->account_key);
	free(f->product_key);
	free(f->codes);
	feeds_free(f->loaded);
}
