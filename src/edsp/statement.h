/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A representative's statement: their own lines, each amount with the rule, the rate and the
 * arithmetic behind it, and nothing of anybody else's (edsp 1.2, EDSP-U3).
 */
#ifndef SOUK_EDSP_STATEMENT_H
#define SOUK_EDSP_STATEMENT_H

#include "edsp/commission.h"
#include "feeds/month.h"

/* Months since year 0: plan_period_of(PERIOD_MONTH, day). Both included. */
struct month_range {
	int32_t from, until;
};
#define MONTH_TEXT_SIZE (MONTH_TEXT_LEN + 1)

/* What a later run owes for a locked month: see locked.h. Texts are borrowed. */
struct adjustment {
	struct str representative_id, transaction, product_id, end_user, currency;
	int32_t month;
	uint8_t part;
	bool overlay;
	money_t was, is; /* paid so far; due as known now */
	uint32_t item;   /* of the run: what it is due for now, NO_INDEX: nothing any more */
};

struct statement {
	const struct commission_run *run;
	uint32_t representative;
	struct month_range months;            /* items of other months are left out */
	const struct adjustment *adjustments; /* this representative's */
	size_t n_adjustments;
	const char *known_at; /* for the head; NULL: now */
	const char *digest;   /* of the run, NULL: none */
	bool locked;
};

/* The representative's items: statement_item of [*first, *end); check statement_has for the months. */
void statement_items(const struct statement *s, size_t *first, size_t *end);
static inline const struct commission_item *
statement_item(const struct statement *s, size_t i)
{
	return &s->run->items[s->run->order[i]];
}
static inline bool
statement_has(const struct statement *s, const struct commission_item *i)
{
	int32_t m = plan_period_of(PERIOD_MONTH, i->day);

	return m >= s->months.from && m <= s->months.until;
}
bool statement_is_empty(const struct statement *s);

struct statement_total {
	struct str currency;
	money_t earned, taken, adjusted, sum;
};
/* By currency, sorted; at most `max` of them are filled, the number there are is returned. */
size_t statement_totals(const struct statement *s, struct statement_total *out, size_t max);
#define STATEMENT_CURRENCIES_MAX 64

/* "6800.00 x 5% + 2200.00 x 8% = 516.00", with what a cap left of it. */
void item_arithmetic(
    const struct commission_run *run, const struct commission_item *i, struct buf *out);
void adjustment_arithmetic(const struct statement *s, const struct adjustment *a, struct buf *out);
const struct plan_rule *item_rule(
    const struct commission_run *run, const struct commission_item *i);

/* With `head`, the line of column names first. */
void statement_csv(const struct statement *s, bool head, struct buf *out);
void statement_json(const struct statement *s, struct buf *out);
/* One page that needs nothing else, for screens, phones and paper. */
void statement_html(const struct statement *s, struct buf *out);
/* A workbook, written to `path` whole or not at all; what it is made of is in the same folder meanwhile. */
SOUK_MUST enum souk_err statement_xlsx(const struct statement *s, const char *path, struct fail *f);

/* ---- for finance: what pays nobody ---- */

enum suggestion_why { SUGGEST_DOMAIN, SUGGEST_COMPANY, SUGGEST_STATE, SUGGEST_COUNTRY };

struct suggestion {
	enum suggestion_why why;
	uint32_t rule; /* of the territories */
};
#define SUGGESTIONS_MAX 4

struct suggester;
/* Looks through the run's mapped lines for companies of the queue's. */
SOUK_MUST enum souk_err suggester_new(
    const struct territory_index *t, const struct commission_run *run, struct suggester **ret);
void suggester_free(struct suggester *s); /* accepts NULL */
/* For an unmapped line; the first is the most likely. Returns how many. */
size_t suggest(
    const struct suggester *s, const struct queue_entry *e, struct suggestion out[SUGGESTIONS_MAX]);

void queue_csv(const struct commission_run *run, const struct suggester *s,
    struct month_range months, struct buf *out);

/* Which lines another plan would map otherwise, one each: date, line, from whom, to whom. Returns how many. */
SOUK_MUST enum souk_err moved_lines_csv(const struct commission_run *is,
    const struct commission_run *would_be, struct month_range months, struct buf *out,
    size_t *ret_n);

#endif
