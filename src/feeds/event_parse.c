/* SPDX-License-Identifier: Apache-2.0 */
/* From cells to events: the part of reading that is done for every row. */
#include "feeds/event_parse.h"

#include "feeds/month.h"

int
month_of_instant(instant_t t)
{
	/* Civil from days (proleptic Gregorian), for days since 1970 that are not negative. */
	int64_t day = t / DAY_MS + 719468;
	int64_t era = day / 146097, of_era = day % 146097;
	int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
	int64_t march = (5 * of_year + 2) / 153;

	return (int)((year + era * 400) * 12 + march + 2);
}

void
month_text(int month, char out[8])
{
	unsigned year = (unsigned)month / 12 % 10000, m = (unsigned)month % 12 + 1;

	for (int i = 3; i >= 0; i--, year /= 10)
		out[i] = (char)('0' + (int)(year % 10));
	out[4] = '-';
	out[5] = (char)('0' + (int)(m / 10));
	out[6] = (char)('0' + (int)(m % 10));
	out[7] = '\0';
}

uint64_t
event_columns(const struct events_query *q)
{
	uint64_t columns = COLUMN(BE_BILLING_EVENT_ID) | COLUMN(BE_FROM_ACCOUNT_ID) |
			   COLUMN(BE_TO_ACCOUNT_ID) | COLUMN(BE_END_USER_ACCOUNT_ID) |
			   COLUMN(BE_PRODUCT_ID) | COLUMN(BE_ACTION) | COLUMN(BE_TRANSACTION_TYPE) |
			   COLUMN(BE_AMOUNT) | COLUMN(BE_CURRENCY) | COLUMN(BE_BALANCE_IMPACTING) |
			   COLUMN(BE_INVOICE_DATE) | COLUMN(BE_BILLING_ADDRESS_ID) |
			   COLUMN(BE_TRANSACTION_REFERENCE_ID) | COLUMN(BE_VALID_FROM) |
			   COLUMN(BE_UPDATE_DATE) | COLUMN(BE_DELETE_DATE);

	if (q->flags & EVENTS_MORE)
		columns |= COLUMN(BE_PARENT_BILLING_EVENT_ID) |
			   COLUMN(BE_DISBURSEMENT_BILLING_EVENT_ID) | COLUMN(BE_PAYMENT_DUE_DATE) |
			   COLUMN(BE_USAGE_PERIOD_START_DATE) | COLUMN(BE_USAGE_PERIOD_END_DATE) |
			   COLUMN(BE_INVOICE_ID) | COLUMN(BE_BANK_TRACE_ID) | COLUMN(BE_BROKER_ID);
	return columns & ~q->skip;
}

void
event_parser_init(struct event_parser *p, const struct events_query *q)
{
	memset(p, 0, sizeof(*p));
	p->q = q;
	p->months_limited = q->month_from > MONTHS_FROM || q->month_to < MONTHS_TO;
	p->from = month_begin(q->month_from > MONTH_MIN ? q->month_from : MONTH_MIN);
	p->to = month_end(q->month_to < MONTH_MAX ? q->month_to : MONTH_MAX);
}

static inline bool
two_digits(const char *p, unsigned most, unsigned *ret)
{
	unsigned a = (unsigned)(unsigned char)p[0] - '0', b = (unsigned)(unsigned char)p[1] - '0';

	*ret = 10 * a + b;
	return a < 10 && b < 10 && *ret <= most;
}

/* `YYYY-MM-DDTHH:MM:SSZ` with a day that was met before; everything else as value_instant has it. */
static struct value_fault
fast_instant(struct event_parser *p, struct str s, instant_t *ret)
{
	unsigned h, m, sec;
	uint64_t year, rest;
	size_t i;

	if (s.n != 20 || s.p[10] != 'T' || s.p[13] != ':' || s.p[16] != ':' || s.p[19] != 'Z' ||
	    !two_digits(s.p + 11, 23, &h) || !two_digits(s.p + 14, 59, &m) ||
	    !two_digits(s.p + 17, 59, &sec))
		return value_instant(s, ret);
	memcpy(&year, s.p, 8);
	memcpy(&rest, s.p + 2, 8);
	i = ((year ^ rest) * UINT64_C(0x9e3779b97f4a7c15)) >> 58;
	if (memcmp(p->day[i].text, s.p, 10) != 0) {
		struct value_fault fault =
		    value_instant((struct str){ s.p, 10 }, &p->day[i].midnight);

		p->day[i].text[0] = '\0';
		if (fault.what)
			return value_instant(s, ret);
		memcpy(p->day[i].text, s.p, 10);
	}
	*ret = p->day[i].midnight + (int64_t)(h * 3600 + m * 60 + sec) * SECOND_MS;
	return (struct value_fault){ NULL, NULL };
}

static struct value_fault
filled(struct str s)
{
	return s.n > 0 ? (struct value_fault){ NULL, NULL }
		       : (struct value_fault){ "is empty", "give its value" };
}

static struct value_fault
maybe_instant(struct event_parser *p, struct str s, instant_t *ret)
{
	*ret = INSTANT_NONE;
	return s.n > 0 ? fast_instant(p, s, ret) : (struct value_fault){ NULL, NULL };
}

#define TRY(c, call)                                                                               \
	do {                                                                                       \
		struct value_fault fault_ = filled(cell[c]);                                       \
                                                                                                   \
		if (!fault_.what)                                                                  \
			fault_ = (call);                                                           \
		if (fault_.what) {                                                                 \
			*ret_column = (c);                                                         \
			return fault_;                                                             \
		}                                                                                  \
	} while (0)

#define TRY_MAYBE(c, out)                                                                          \
	do {                                                                                       \
		struct value_fault fault_ = maybe_instant(p, cell[c], (out));                      \
                                                                                                   \
		if (fault_.what) {                                                                 \
			*ret_column = (c);                                                         \
			return fault_;                                                             \
		}                                                                                  \
	} while (0)

static struct value_fault
parse_more(
    struct event_parser *p, const struct str *cell, struct event_in *in, unsigned *ret_column)
{
	static const struct text_hash none = { 0, 0 };
	struct str parent = cell[BE_PARENT_BILLING_EVENT_ID];
	struct str disbursement = cell[BE_DISBURSEMENT_BILLING_EVENT_ID];

	TRY_MAYBE(BE_PAYMENT_DUE_DATE, &in->more.payment_due);
	TRY_MAYBE(BE_USAGE_PERIOD_START_DATE, &in->more.usage_start);
	TRY_MAYBE(BE_USAGE_PERIOD_END_DATE, &in->more.usage_end);
	in->parent = parent.n ? text_hash(parent) : none;
	in->disbursement = disbursement.n ? text_hash(disbursement) : none;
	return (struct value_fault){ NULL, NULL };
}

static void
decide(struct event_parser *p, const struct str *cell, struct event *e)
{
	const struct events_query *q = p->q;
	bool in_months = e->invoice_date >= p->from && e->invoice_date <= p->to;

	e->kept = in_months && (e->balance_impacting || !(q->flags & EVENTS_BALANCE)) &&
		  (q->actions >> e->action & 1) && (q->types >> e->type & 1);
	e->extra = !e->kept && (q->flags & EVENTS_PAID) && e->action == ACTION_DISBURSED &&
		   e->balance_impacting && event_type_is_seller(e->type) &&
		   cell[BE_BILLING_ADDRESS_ID].n > 0 && cell[BE_TRANSACTION_REFERENCE_ID].n > 0;
}

struct value_fault
event_parse(struct event_parser *p, const struct str *cell, struct event_in *in, bool *ret_seen,
    unsigned *ret_column)
{
	struct event *e = &in->e;
	enum event_action action;
	enum event_type type;
	money_t amount;
	bool impacting;
	instant_t deleted;

	*ret_seen = false;
	TRY(BE_BILLING_EVENT_ID, filled(cell[BE_BILLING_EVENT_ID]));
	TRY(BE_ACTION, value_action(cell[BE_ACTION], &action));
	TRY(BE_TRANSACTION_TYPE, value_type(cell[BE_TRANSACTION_TYPE], &type));
	TRY(BE_AMOUNT, value_money(cell[BE_AMOUNT], &amount));
	TRY(BE_CURRENCY, value_currency(cell[BE_CURRENCY], &e->currency));
	TRY(BE_BALANCE_IMPACTING, value_bool(cell[BE_BALANCE_IMPACTING], &impacting));
	TRY(BE_INVOICE_DATE, fast_instant(p, cell[BE_INVOICE_DATE], &e->invoice_date));
	if (p->q->flags & EVENTS_MORE) {
		struct value_fault fault = parse_more(p, cell, in, ret_column);

		if (fault.what)
			return fault;
	}
	TRY(BE_VALID_FROM, fast_instant(p, cell[BE_VALID_FROM], &in->time.valid_from));
	TRY(BE_UPDATE_DATE, fast_instant(p, cell[BE_UPDATE_DATE], &in->time.update_date));
	TRY_MAYBE(BE_DELETE_DATE, &deleted);
	e->amount = amount;
	e->action = (unsigned)action & 15;
	e->type = (unsigned)type & 63;
	e->balance_impacting = impacting;
	e->deleted = deleted != INSTANT_NONE;
	*ret_seen = p->q->known_at == INSTANT_NONE || in->time.update_date <= p->q->known_at;
	if (!*ret_seen)
		return (struct value_fault){ NULL, NULL };
	decide(p, cell, e);
	return (struct value_fault){ NULL, NULL };
}
