/* SPDX-License-Identifier: Apache-2.0 */
/* What all forms of a statement share, and CSV and JSON; see statement.h. */
#include "edsp/statement.h"

#include "base/csv.h"
#include "base/json.h"

#include <stdio.h>

void
statement_items(const struct statement *s, size_t *first, size_t *end)
{
	*first = s->run->first[s->representative];
	*end = s->run->first[s->representative + 1];
}

bool
statement_is_empty(const struct statement *s)
{
	size_t first, end;

	statement_items(s, &first, &end);
	for (size_t i = first; i < end; i++)
		if (statement_has(s, statement_item(s, i)))
			return false;
	return s->n_adjustments == 0;
}

/* The total of a currency, put in its sorted place; NULL when there are too many. */
static struct statement_total *
total_of(struct statement_total *v, size_t *n, size_t max, struct str currency)
{
	size_t i = 0;

	while (i < *n && str_compare(v[i].currency, currency) < 0)
		i++;
	if (i < *n && str_eq(v[i].currency, currency))
		return &v[i];
	if (*n == max)
		return NULL;
	memmove(v + i + 1, v + i, (*n - i) * sizeof(*v));
	v[i] = (struct statement_total){ .currency = currency };
	(*n)++;
	return &v[i];
}

size_t
statement_totals(const struct statement *s, struct statement_total *out, size_t max)
{
	size_t first, end, n = 0;

	statement_items(s, &first, &end);
	for (size_t i = first; i < end; i++) {
		const struct commission_item *item = statement_item(s, i);
		struct statement_total *t;

		if (!statement_has(s, item))
			continue;
		t = total_of(out, &n, max, s->run->lines[item->line].currency);
		if (t == NULL)
			continue;
		*(item->takes ? &t->taken : &t->earned) += item->commission;
		t->sum += item->commission;
	}
	for (size_t i = 0; i < s->n_adjustments; i++) {
		const struct adjustment *a = &s->adjustments[i];
		struct statement_total *t = total_of(out, &n, max, a->currency);

		if (t == NULL)
			continue;
		t->adjusted += a->is - a->was;
		t->sum += a->is - a->was;
	}
	return n;
}

const struct plan_rule *
item_rule(const struct commission_run *run, const struct commission_item *i)
{
	return &(i->overlay ? run->plan->overlays : run->plan->territories)[i->rule];
}

static void
add_exact(struct buf *out, money_t m)
{
	char text[MONEY_TEXT_SIZE];

	buf_add(out, text, money_format_exact(m, 2, text));
}

static void
add_percent(struct buf *out, uint32_t percent)
{
	char text[PERCENT_TEXT_SIZE];

	percent_format(percent, text);
	buf_add_c(out, text);
}

void
item_arithmetic(const struct commission_run *run, const struct commission_item *i, struct buf *out)
{
	const struct plan_rate *rate = &run->plan->rates[i->rate];
	struct commission_step steps[110];
	unsigned decimals = run->plan->decimals;
	size_t n;

	if (i->takes) {
		buf_add_c(out, "paid ");
		buf_add_money(out, i->paid, decimals);
		buf_add_c(out, " x ");
		add_exact(out, i->amount);
		buf_add_c(out, " / ");
		add_exact(out, i->standing);
		buf_add_c(out, " = ");
		buf_add_money(out, i->commission, decimals);
		return;
	}
	n = commission_steps(rate, i->before, i->credited, steps, sizeof(steps) / sizeof(steps[0]));
	for (size_t k = 0; k < n; k++) {
		buf_add_c(out, k > 0 ? " + " : "");
		add_exact(out, steps[k].amount);
		buf_add_c(out, " x ");
		add_percent(out, steps[k].percent);
		if (steps[k].factor != FACTOR_ONE)
			buf_printf(out, " x %u.%02u", steps[k].factor / 100, steps[k].factor % 100);
	}
	buf_add_c(out, " = ");
	buf_add_money(out, i->uncapped, decimals);
	if (i->commission == i->uncapped)
		return;
	buf_add_c(out, ", of which the cap of ");
	buf_add_money(out, rate->cap, decimals);
	buf_printf(out, " a %s leaves ", plan_period_words[rate->cap_over]);
	buf_add_money(out, i->commission, decimals);
}

/* ---- CSV ---- */

static void
field(struct buf *out, struct str s)
{
	csv_field(out, s);
	buf_add_char(out, ',');
}

static void
exact_field(struct buf *out, money_t m)
{
	add_exact(out, m);
	buf_add_char(out, ',');
}

static void
csv_start(
    const struct statement *s, const char *kind, int32_t month, const char *date, struct buf *out)
{
	char text[MONTH_TEXT_SIZE];

	field(out, s->run->plan->representatives[s->representative].id);
	month_format(month, text);
	field(out, str_c(text));
	field(out, str_c(kind));
	field(out, str_c(date));
}

static void
csv_buyer(const struct commission_line *l, struct buf *out)
{
	field(out, l->transaction);
	field(out, l->product_code);
	field(out, l->product_title);
	field(out, l->payer_number);
	field(out, l->end_user_number);
	field(out, l->company);
	field(out, l->country);
	field(out, l->currency);
}

static void
csv_source(const struct commission_run *run, const struct commission_item *i, struct buf *out)
{
	exact_field(out, i->amount);
	add_percent(out, i->percent);
	buf_add_char(out, ',');
	exact_field(out, i->credited);
	field(out, item_rule(run, i)->id);
	field(out, str_c(match_level_words[i->level]));
	field(out, run->plan->rates[i->rate].id);
}

static void
csv_item(const struct statement *s, const struct commission_item *i, struct buf *out)
{
	char date[DAY_TEXT_SIZE];
	struct buf arithmetic = { 0 };

	plan_day_format(i->day, date);
	csv_start(
	    s, commission_part_words[i->part], plan_period_of(PERIOD_MONTH, i->day), date, out);
	csv_buyer(&s->run->lines[i->line], out);
	csv_source(s->run, i, out);
	item_arithmetic(s->run, i, &arithmetic);
	field(out, buf_str(&arithmetic));
	out->failed |= arithmetic.failed;
	buf_done(&arithmetic);
	buf_add_money(out, i->commission, s->run->plan->decimals);
	buf_add_c(out, "\r\n");
}

void
adjustment_arithmetic(const struct statement *s, const struct adjustment *a, struct buf *out)
{
	unsigned decimals = s->run->plan->decimals;

	buf_add_c(out, a->item == NO_INDEX ? "no longer credited: " : "restated: ");
	buf_add_money(out, a->is, decimals);
	buf_add_c(out, a->was < 0 ? " + " : " - ");
	buf_add_money(out, a->was < 0 ? -a->was : a->was, decimals);
	buf_add_c(out, " = ");
	buf_add_money(out, a->is - a->was, decimals);
}

static void
csv_adjustment(const struct statement *s, const struct adjustment *a, struct buf *out)
{
	const struct commission_item *i = a->item != NO_INDEX ? &s->run->items[a->item] : NULL;
	struct commission_line gone = { .transaction = a->transaction,
		.product_code = a->product_id,
		.currency = a->currency };
	struct buf arithmetic = { 0 };

	csv_start(s, "adjustment", a->month, "", out);
	csv_buyer(i != NULL ? &s->run->lines[i->line] : &gone, out);
	if (i != NULL)
		csv_source(s->run, i, out);
	else
		buf_add_c(out, ",,,,,,");
	adjustment_arithmetic(s, a, &arithmetic);
	field(out, buf_str(&arithmetic));
	out->failed |= arithmetic.failed;
	buf_done(&arithmetic);
	buf_add_money(out, a->is - a->was, s->run->plan->decimals);
	buf_add_c(out, "\r\n");
}

void
statement_csv(const struct statement *s, bool head, struct buf *out)
{
	size_t first, end;

	if (head)
		buf_add_c(out,
		    "Representative,Month,Entry,Date,Transaction Reference ID,Product Code,Product "
		    "Title,"
		    "Customer AWS Account Number,End User AWS Account "
		    "Number,Company,Country,Currency,Amount,Credited Percent,"
		    "Credited Amount,Rule,Matched By,Rate,Arithmetic,Commission\r\n");
	statement_items(s, &first, &end);
	for (size_t i = first; i < end; i++)
		if (statement_has(s, statement_item(s, i)))
			csv_item(s, statement_item(s, i), out);
	for (size_t i = 0; i < s->n_adjustments; i++)
		csv_adjustment(s, &s->adjustments[i], out);
}

/* ---- JSON ---- */

static void
json_money(struct jw *w, const char *key, money_t m, unsigned decimals)
{
	char text[MONEY_TEXT_SIZE];

	jw_str(w, key, (struct str){ text, money_format(m, decimals, text) });
}

static void
json_exact(struct jw *w, const char *key, money_t m)
{
	char text[MONEY_TEXT_SIZE];

	jw_str(w, key, (struct str){ text, money_format_exact(m, 2, text) });
}

static void
json_line(struct jw *w, const struct commission_line *l)
{
	jw_str(w, "transactionReferenceId", l->transaction);
	jw_str(w, "productCode", l->product_code);
	jw_str(w, "productTitle", l->product_title);
	jw_str(w, "customerAccount", l->payer_number);
	jw_str_opt(w, "endUserAccount", l->end_user_number);
	jw_str_opt(w, "company", l->company);
	jw_str_opt(w, "country", l->country);
	jw_str(w, "currency", l->currency);
}

static void
json_source(struct jw *w, const struct commission_run *run, const struct commission_item *i)
{
	char percent[PERCENT_TEXT_SIZE];

	json_exact(w, "amount", i->amount);
	percent_format(i->percent, percent);
	jw_c(w, "creditedPercent", percent);
	json_exact(w, "creditedAmount", i->credited);
	jw_str(w, "rule", item_rule(run, i)->id);
	jw_c(w, "matchedBy", match_level_words[i->level]);
	jw_bool(w, "overlay", i->overlay);
	jw_str(w, "rate", run->plan->rates[i->rate].id);
}

static void
json_item(struct jw *w, const struct statement *s, const struct commission_item *i)
{
	char date[DAY_TEXT_SIZE];
	struct buf arithmetic = { 0 };

	plan_day_format(i->day, date);
	jw_open(w, NULL, '{');
	jw_c(w, "entry", commission_part_words[i->part]);
	jw_c(w, "date", date);
	json_line(w, &s->run->lines[i->line]);
	json_source(w, s->run, i);
	item_arithmetic(s->run, i, &arithmetic);
	jw_str(w, "arithmetic", buf_str(&arithmetic));
	w->out->failed |= arithmetic.failed;
	buf_done(&arithmetic);
	json_money(w, "commission", i->commission, s->run->plan->decimals);
	jw_close(w, '}');
}

static void
json_adjustment(struct jw *w, const struct statement *s, const struct adjustment *a)
{
	const struct commission_item *i = a->item != NO_INDEX ? &s->run->items[a->item] : NULL;
	struct commission_line gone = { .transaction = a->transaction,
		.product_code = a->product_id,
		.currency = a->currency };
	char month[MONTH_TEXT_SIZE];
	struct buf arithmetic = { 0 };

	month_format(a->month, month);
	jw_open(w, NULL, '{');
	jw_c(w, "entry", "adjustment");
	jw_c(w, "month", month);
	jw_c(w, "of", commission_part_words[a->part]);
	json_line(w, i != NULL ? &s->run->lines[i->line] : &gone);
	if (i != NULL)
		json_source(w, s->run, i);
	json_money(w, "was", a->was, s->run->plan->decimals);
	json_money(w, "is", a->is, s->run->plan->decimals);
	adjustment_arithmetic(s, a, &arithmetic);
	jw_str(w, "arithmetic", buf_str(&arithmetic));
	w->out->failed |= arithmetic.failed;
	buf_done(&arithmetic);
	json_money(w, "commission", a->is - a->was, s->run->plan->decimals);
	jw_close(w, '}');
}

static void
json_totals(struct jw *w, const struct statement *s)
{
	struct statement_total totals[STATEMENT_CURRENCIES_MAX];
	size_t n = statement_totals(s, totals, STATEMENT_CURRENCIES_MAX);

	jw_open(w, "totals", '[');
	for (size_t i = 0; i < n; i++) {
		jw_open(w, NULL, '{');
		jw_str(w, "currency", totals[i].currency);
		json_money(w, "earned", totals[i].earned, s->run->plan->decimals);
		json_money(w, "takenBack", totals[i].taken, s->run->plan->decimals);
		json_money(w, "adjusted", totals[i].adjusted, s->run->plan->decimals);
		json_money(w, "commission", totals[i].sum, s->run->plan->decimals);
		jw_close(w, '}');
	}
	jw_close(w, ']');
}

void
statement_json(const struct statement *s, struct buf *out)
{
	const struct plan_representative *r = &s->run->plan->representatives[s->representative];
	char from[MONTH_TEXT_SIZE], until[MONTH_TEXT_SIZE];
	size_t first, end;
	struct jw w;

	month_format(s->months.from, from);
	month_format(s->months.until, until);
	jw_init(&w, out);
	jw_open(&w, NULL, '{');
	jw_str(&w, "representative", r->id);
	jw_str(&w, "name", r->name);
	jw_str_opt(&w, "team", r->team);
	jw_c(&w, "from", from);
	jw_c(&w, "until", until);
	jw_str(&w, "plan", s->run->plan->name);
	jw_c(&w, "knownAt", s->known_at);
	jw_c(&w, "run", s->digest);
	jw_bool(&w, "locked", s->locked);
	jw_c(&w, "rounding", "half-up");
	jw_int(&w, "decimals", s->run->plan->decimals);
	json_totals(&w, s);
	jw_open(&w, "entries", '[');
	statement_items(s, &first, &end);
	for (size_t i = first; i < end; i++)
		if (statement_has(s, statement_item(s, i)))
			json_item(&w, s, statement_item(s, i));
	for (size_t i = 0; i < s->n_adjustments; i++)
		json_adjustment(&w, s, &s->adjustments[i]);
	jw_close(&w, ']');
	jw_close(&w, '}');
	buf_add_char(out, '\n');
}
