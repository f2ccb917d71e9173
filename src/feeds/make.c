/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the feeds of a made-up seller, month by month, day by day; see make.h. */
#include "feeds/make_int.h"

#include "base/clock.h"

/*
 * Rows of the billing event feed that a sale brings, as measured: the more months, the fewer
 * of their sales are still unpaid when the feeds end.
 */
static double
events_a_sale(int months)
{
	static const double few[] = { 2.68, 3.80, 4.605, 4.806, 5.02, 5.18 };

	return months <= 6 ? few[months - 1] : 5.63 - 3.68 / months;
}

static void
lay_out_time(struct make_world *w)
{
	for (int i = 0; i < MAKE_MONTHS_MAX + 16; i++) {
		int month = w->o->from_month + i;
		char text[24];
		instant_t t = 0;

		(void)snprintf(
		    text, sizeof(text), "%04d-%02d-01", month / 12 % 10000, month % 12 + 1);
		if (!instant_parse(str_c(text), &t))
			t = INSTANT_MAX;
		w->start[i] = t / SECOND_MS;
		if (i > 0)
			w->days[i - 1] = (int)((w->start[i] - w->start[i - 1]) / 86400);
	}
}

static uint64_t
at_least(uint64_t n, uint64_t least, uint64_t most)
{
	return n < least ? least : n > most ? most : n;
}

static void
make_world(struct make_world *w, const struct make_options *o, struct make_out *out)
{
	*w = (struct make_world){ .o = o, .out = out, .seed = make_mix(o->seed) };
	w->sales = at_least(
	    (uint64_t)((double)o->events / events_a_sale(o->months)), 1, UINT64_C(1) << 31);
	w->orgs = (unsigned)at_least(o->events / 150, 14, 200000);
	w->products = (unsigned)at_least(o->events / 2000, 5, 24);
	w->seller = make_key(w->seed, KIND_SELLER, 0, 0) | 1;
	lay_out_time(w);
}

enum souk_err
feeds_make(const struct make_options *o, struct make_result *ret, struct fail *f)
{
	struct make_out out;
	struct make_world w;
	struct make_cursor cursor = { 0 };
	struct make_payouts payouts = { 0 };
	struct buf b = { 0 };

	make_out_open(&out, o, f);
	make_world(&w, o, &out);
	for (int month = 0; month < o->months && out.err == SOUK_OK; month++) {
		make_out_month(&out, o->from_month + month);
		make_people_month(&w, month);
		make_catalog_month(&w, month);
		for (int day = 1; day <= w.days[month] && out.err == SOUK_OK; day++) {
			make_events_day(&w, month, day, &cursor);
			make_payouts_day(&w, month, day, &payouts);
			if (o->progress != NULL)
				o->progress(o->progress_arg, out.rows[FEED_BILLING_EVENT]);
		}
	}
	if (make_out_close(&out) != SOUK_OK)
		return out.err;
	*ret = (struct make_result){ .events = out.rows[FEED_BILLING_EVENT], .bytes = out.bytes };
	for (unsigned i = 0; i < FEED__COUNT; i++)
		ret->rows += out.rows[i];
	make_account_number(&b, w.seed, 0);
	make_id(&b, w.seller);
	if (!buf_ok(&b))
		return fail_set(f, SOUK_E_NOMEM, "memory", "out of memory");
	(void)snprintf(
	    ret->seller, sizeof(ret->seller), "%.12s", o->seller != NULL ? o->seller : b.p);
	(void)snprintf(ret->account_id, sizeof(ret->account_id), "%.40s", b.p + 13);
	buf_done(&b);
	return SOUK_OK;
}
