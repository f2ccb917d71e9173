/* SPDX-License-Identifier: Apache-2.0 */
/* Words, days, periods and faults of a plan; see plan.h. */
#include "edsp/plan.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>

const char *const revenue_kind_words[REVENUE__COUNT] = {
	[REVENUE_HOURLY] = "hourly",
	[REVENUE_MONTHLY] = "monthly",
	[REVENUE_ANNUAL] = "annual",
	[REVENUE_METERED] = "metered",
};
const char *const plan_period_words[PERIOD__COUNT] = {
	[PERIOD_MONTH] = "month",
	[PERIOD_QUARTER] = "quarter",
	[PERIOD_YEAR] = "year",
};
const char *const plan_base_words[BASE__COUNT] = { [BASE_GROSS] = "gross", [BASE_NET] = "net" };
const char *const plan_pay_words[PAY__COUNT] = {
	[PAY_BILLED] = "billed",
	[PAY_DISBURSED] = "disbursed",
};

void
plan_day_format(day_t day, char out[DAY_TEXT_SIZE])
{
	char text[INSTANT_TEXT_LEN + 1];

	if (day == DAY_FIRST || day == DAY_LAST) {
		memcpy(out, "...", 4);
		return;
	}
	instant_format((instant_t)day * DAY_MS, text);
	memcpy(out, text, 10);
	out[10] = '\0';
}

int32_t
plan_period_of(enum plan_period p, day_t day)
{
	/* Days to civil year and month: the year is counted from March, so that the leap day is its last. */
	int64_t z = (int64_t)day + 719468, era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), m = (5 * doy + 2) / 153;
	int64_t month = m < 10 ? m + 3 : m - 9, year = yoe + era * 400 + (month <= 2);

	if (p == PERIOD_YEAR)
		return (int32_t)year;
	return (int32_t)(p == PERIOD_MONTH ? year * 12 + month - 1 : year * 4 + (month - 1) / 3);
}

void
percent_format(uint64_t percent, char out[PERCENT_TEXT_SIZE])
{
	char fraction[8];
	size_t n = 4;

	(void)snprintf(fraction, sizeof(fraction), "%04u", (unsigned)(percent % 10000));
	while (n > 0 && fraction[n - 1] == '0')
		n--;
	(void)snprintf(out, PERCENT_TEXT_SIZE, "%llu%s%.*s%%",
	    (unsigned long long)(percent / 10000), n > 0 ? "." : "", (int)n, fraction);
}

void
plan_faults_done(struct plan_faults *f)
{
	free(f->v);
	*f = (struct plan_faults){ 0 };
}

void
plan_fault_add(struct plan_faults *f, const char *at, const char *what, const char *fix)
{
	struct plan_fault *v;

	f->n_total++;
	if (f->n == PLAN_FAULTS_KEPT)
		return;
	if (f->n == f->cap) {
		size_t cap = f->cap > 0 ? 4 * f->cap : 16;

		v = realloc(f->v, cap * sizeof(*v));
		if (v == NULL) {
			f->out_of_memory = true;
			return;
		}
		f->v = v;
		f->cap = cap;
	}
	v = &f->v[f->n++];
	(void)snprintf(v->at, sizeof(v->at), "%s", at[0] != '\0' ? at : "/");
	(void)snprintf(v->what, sizeof(v->what), "%s", what);
	(void)snprintf(v->fix, sizeof(v->fix), "%s", fix);
}
