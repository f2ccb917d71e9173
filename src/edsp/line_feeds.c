/* SPDX-License-Identifier: Apache-2.0 */
/* Lines for commissions from a seller's data feeds; see line_feeds.h. */
#include "edsp/line_feeds.h"

#include "base/array.h"
#include "base/utf8.h"
#include "edsp/line_zero.h"
#include "edsp/text_map.h"

#include <stdlib.h>

#define ARENA_LIMIT ((size_t)8 << 30)
#define UP_FRONT_DAYS 330

enum revenue_kind
revenue_kind_of(instant_t usage_start, instant_t usage_end)
{
	day_t first, last;

	if (usage_start == INSTANT_NONE || usage_end == INSTANT_NONE || usage_end <= usage_start)
		return REVENUE_ANNUAL;
	first = day_of(usage_start);
	last = day_of(usage_end - 1); /* an end at midnight is the day before */
	if ((int64_t)last - first + 1 >= UP_FRONT_DAYS)
		return REVENUE_ANNUAL;
	if (plan_period_of(PERIOD_MONTH, first) == plan_period_of(PERIOD_MONTH, last) &&
	    plan_period_of(PERIOD_MONTH, first - 1) != plan_period_of(PERIOD_MONTH, first) &&
	    plan_period_of(PERIOD_MONTH, last + 1) != plan_period_of(PERIOD_MONTH, last))
		return REVENUE_MONTHLY;
	return REVENUE_METERED;
}

static enum souk_err
out_of_memory(struct fail *f)
{
	return fail_set(
	    f, SOUK_E_NOMEM, "memory", "the lines do not fit into memory; run fewer months");
}

static enum souk_err
fold(const struct line_request *q, struct line_set *out, struct fail *f)
{
	struct sales_request r = { .source = q->source,
		.variant = q->variant,
		.known_at = q->known_at,
		.month_from = MONTHS_FROM,
		.month_to = q->month_until,
		.seller = q->seller,
		.usage = true,
		.faults = q->faults,
		.threads = q->threads };

	enum souk_err err = sales_fold(&r, &out->sales, f);

	if (err != SOUK_OK)
		return err;
	out->seller = arena_str(out->arena, sales_seller(out->sales));
	return out->seller.p != NULL ? SOUK_OK : out_of_memory(f);
}

/* ---- lines ---- */

/* Texts go to JSON and pages: what is no UTF-8 becomes question marks. */
static struct str
clean(struct line_set *s, struct str t)
{
	char *p;

	if (t.n == 0)
		return STR("");
	if (utf8_valid(t))
		return t;
	p = arena_strndup(s->arena, t.p, t.n);
	if (p == NULL)
		return STR("?");
	for (size_t i = 0; i < t.n; i++)
		if ((unsigned char)p[i] >= 0x80)
			p[i] = '?';
	return (struct str){ p, t.n };
}

static struct str
currency_str(struct line_set *s, currency_t c)
{
	char text[4];
	struct str t;

	currency_text(c, text);
	t = arena_str(s->arena, str_c(text));
	return t.p != NULL ? t : STR("");
}

static void
fill(struct line_set *s, const struct sales_line *from, struct commission_line *to)
{
	const money_t *a = from->amount;

	*to = (struct commission_line){ .transaction = clean(s, from->reference),
		.payer_number = clean(s, from->payer_account),
		.payer_id = clean(s, from->payer_id),
		.country = clean(s, from->country),
		.state = clean(s, from->state),
		.city = clean(s, from->city),
		.postal_code = clean(s, from->postal_code),
		.email_domain = clean(s, from->email_domain),
		.company = clean(s, from->company_name),
		.product_id = clean(s, from->product_id),
		.product_code = clean(s, from->product_code),
		.product_title = clean(s, from->product_title),
		.offer_id = STR(""),
		.end_user = clean(s, from->end_user_id),
		.end_user_number = clean(s, from->end_user_account),
		.currency = currency_str(s, from->currency),
		.invoice_date = from->invoice_date,
		.kind = revenue_kind_of(from->usage_start, from->usage_end),
		.billed = { a[SALES_GROSS], a[SALES_FEE] + a[SALES_COST], a[SALES_REFUND],
		    a[SALES_FEE_REFUND], a[SALES_CREDIT], a[SALES_FEE_CREDIT] } };
}

static int
compare_lines(const void *pa, const void *pb)
{
	const struct commission_line *a = pa, *b = pb;
	int c = str_compare(a->transaction, b->transaction);

	if (c == 0)
		c = str_compare(a->product_id, b->product_id);
	if (c == 0)
		c = str_compare(a->end_user, b->end_user);
	if (c == 0)
		c = str_compare(a->currency, b->currency);
	return c != 0 ? c
		      : (a->invoice_date > b->invoice_date) - (a->invoice_date < b->invoice_date);
}

struct more_lines {
	struct line_set *s;
	size_t cap;
};

static enum souk_err
take_zero(void *arg, const struct sales_line *l)
{
	struct more_lines *m = arg;

	if (m->s->n == m->cap) {
		size_t cap = m->cap + m->cap / 4 + 64;
		struct commission_line *v = realloc(m->s->lines, cap * sizeof(*v));

		if (v == NULL)
			return SOUK_E_NOMEM;
		m->s->lines = v;
		m->cap = cap;
	}
	fill(m->s, l, &m->s->lines[m->s->n++]);
	return SOUK_OK;
}

static enum souk_err
fill_all(struct line_set *s, enum sales_variant variant, struct fail *f)
{
	struct more_lines more = { s, 0 };

	s->n = sales_count(s->sales);
	more.cap = s->n + 1;
	s->lines = malloc(more.cap * sizeof(*s->lines));
	if (s->lines == NULL)
		return out_of_memory(f);
	for (size_t i = 0; i < s->n; i++) {
		struct sales_line l;

		sales_at(s->sales, i, &l);
		fill(s, &l, &s->lines[i]);
	}
	if (lines_of_zero(s->sales, variant, s->seller, take_zero, &more) != SOUK_OK)
		return out_of_memory(f);
	if (s->n > 0)
		qsort(s->lines, s->n, sizeof(*s->lines), compare_lines);
	return SOUK_OK;
}

/* ---- what was disbursed ---- */

struct paid {
	size_t line;
	struct line_payout payout;
};
struct paid_list {
	struct paid *v;
	size_t n, cap;
};

static struct str
event_key(const struct feeds *fs, const struct event *e, struct buf *b)
{
	char currency[4];

	currency_text(e->currency, currency);
	buf_clear(b);
	buf_add_str(b, intern_text(fs->references, e->reference));
	buf_add_char(b, '\xff');
	buf_add_str(b, intern_text(fs->products, e->product));
	buf_add_char(b, '\xff');
	buf_add_str(b, intern_text(fs->accounts, e->end_user));
	buf_add_char(b, '\xff');
	buf_add_c(b, currency);
	return buf_str(b);
}

static enum souk_err
index_lines(struct line_set *s, struct text_map *m)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < s->n; i++) {
		const struct commission_line *l = &s->lines[i];
		struct str key;

		buf_clear(&b);
		buf_add_str(&b, l->transaction);
		buf_add_char(&b, '\xff');
		buf_add_str(&b, l->product_id);
		buf_add_char(&b, '\xff');
		buf_add_str(&b, l->end_user);
		buf_add_char(&b, '\xff');
		buf_add_str(&b, l->currency);
		if (text_map_find(m, buf_str(&b), text_map_hash(buf_str(&b))) != TEXT_MAP_NONE)
			continue; /* the first of its months stands for them */
		key = arena_str(s->arena, buf_str(&b));
		if (key.p == NULL || b.failed ||
		    text_map_put(m, key, text_map_hash(key), (uint32_t)i) == TEXT_MAP_NONE) {
			buf_done(&b);
			return SOUK_E_NOMEM;
		}
	}
	buf_done(&b);
	return SOUK_OK;
}

/* The line of the invoice's month; of unknown invoices the latest before the payout. */
static size_t
line_for(const struct line_set *s, size_t first, int month, instant_t paid)
{
	size_t best = first;

	for (size_t i = first;
	     i < s->n && str_compare(s->lines[i].transaction, s->lines[first].transaction) == 0 &&
	     str_compare(s->lines[i].product_id, s->lines[first].product_id) == 0 &&
	     str_compare(s->lines[i].end_user, s->lines[first].end_user) == 0 &&
	     str_compare(s->lines[i].currency, s->lines[first].currency) == 0;
	     i++) {
		if (month_of_instant(s->lines[i].invoice_date) == month)
			return i;
		if (s->lines[i].invoice_date <= paid)
			best = i;
	}
	return best;
}

static money_t *
amount_for(struct line_amounts *a, enum event_type t, bool cost)
{
	money_t *const places[] = { [TYPE_SELLER_REV_SHARE] = &a->gross,
		[TYPE_SELLER_REV_SHARE_REFUND] = &a->refund,
		[TYPE_SELLER_REV_SHARE_CREDIT] = &a->credit,
		[TYPE_AWS_REV_SHARE] = &a->fee,
		[TYPE_AWS_REV_SHARE_REFUND] = &a->fee_refund,
		[TYPE_AWS_REV_SHARE_CREDIT] = &a->fee_credit };

	if (cost && event_type_is_seller(t))
		t = TYPE_AWS_REV_SHARE;
	return t <= TYPE_AWS_REV_SHARE_CREDIT ? places[t] : NULL;
}

static bool
add_paid(struct paid_list *list, struct paid p)
{
	if (!ARRAY_ROOM(list->v, list->n, list->cap, 1024))
		return false;
	list->v[list->n++] = p;
	return true;
}

static int
compare_paid(const void *pa, const void *pb)
{
	const struct paid *a = pa, *b = pb;

	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	return (a->payout.date > b->payout.date) - (a->payout.date < b->payout.date);
}

/* One flag for each event number: its payout failed. */
static bool *
failed_payouts(const struct feeds *fs)
{
	bool *failed = calloc((size_t)events_bound(fs) + 1, sizeof(*failed));

	for (uint32_t i = events_next(fs, 0); i != EVENT_NONE && failed != NULL;
	     i = events_next(fs, i + 1))
		if (event_at(fs, i)->type == TYPE_DISBURSEMENT_FAILURE &&
		    event_more_at(fs, i)->parent != EVENT_NONE)
			failed[event_more_at(fs, i)->parent] = true;
	return failed;
}

static enum souk_err
collect(const struct line_request *q, const struct line_set *s, const struct feeds *fs,
    const struct text_map *lines, struct paid_list *out)
{
	uint32_t seller = intern_find(fs->accounts, s->seller);
	bool *failed = failed_payouts(fs);
	struct buf b = { 0 };
	enum souk_err r = failed != NULL ? SOUK_OK : SOUK_E_NOMEM;

	for (uint32_t i = events_next(fs, 0); i != EVENT_NONE && r == SOUK_OK;
	     i = events_next(fs, i + 1)) {
		const struct event *e = event_at(fs, i);
		const struct event_more *more = event_more_at(fs, i);
		struct paid p = { .payout.date = e->invoice_date };
		money_t *amount = amount_for(&p.payout.amounts, (enum event_type)e->type,
		    q->variant == SALES_REPORT && e->from == seller);
		struct str key;
		uint32_t first;

		if ((q->seller.n > 0 && e->from != seller && e->to != seller) ||
		    e->action != ACTION_DISBURSED || amount == NULL || !e->current ||
		    (more->disbursement != EVENT_NONE && failed[more->disbursement]))
			continue;
		key = event_key(fs, e, &b);
		first = text_map_find(lines, key, text_map_hash(key));
		if (first == TEXT_MAP_NONE)
			continue;     /* of a line later than the months */
		*amount = -e->amount; /* what settles an invoice has its sign turned */
		p.line = line_for(s, first,
		    more->parent != EVENT_NONE
			? month_of_instant(event_at(fs, more->parent)->invoice_date)
			: -1,
		    e->invoice_date);
		if (b.failed || !add_paid(out, p))
			r = SOUK_E_NOMEM;
	}
	free(failed);
	buf_done(&b);
	return r;
}

static void
add_amounts(struct line_amounts *to, const struct line_amounts *a)
{
	to->gross += a->gross;
	to->fee += a->fee;
	to->refund += a->refund;
	to->fee_refund += a->fee_refund;
	to->credit += a->credit;
	to->fee_credit += a->fee_credit;
}

/* One payout for each line and day. */
static enum souk_err
attach(struct line_set *s, struct paid_list *list)
{
	size_t n = 0;

	if (list->n > 0)
		qsort(list->v, list->n, sizeof(*list->v), compare_paid);
	s->payouts = malloc((list->n + 1) * sizeof(*s->payouts));
	if (s->payouts == NULL)
		return SOUK_E_NOMEM;
	for (size_t i = 0; i < list->n; i++) {
		struct commission_line *l = &s->lines[list->v[i].line];

		if (i > 0 && list->v[i].line == list->v[i - 1].line &&
		    day_of(list->v[i].payout.date) == day_of(s->payouts[n - 1].date)) {
			add_amounts(&s->payouts[n - 1].amounts, &list->v[i].payout.amounts);
			continue;
		}
		if (l->n_payouts++ == 0)
			l->payouts = &s->payouts[n];
		s->payouts[n++] = list->v[i].payout;
	}
	return SOUK_OK;
}

static enum souk_err
add_payouts(const struct line_request *q, struct line_set *s, struct fail *f)
{
	struct events_query e = { .source = q->source,
		.known_at = q->known_at,
		.month_from = MONTHS_FROM,
		.month_to = q->month_until,
		.actions = ACTIONS_ALL,
		.types = ((1U << (TYPE_AWS_REV_SHARE_CREDIT + 1)) - 1) | 1U << TYPE_DISBURSEMENT |
			 1U << TYPE_DISBURSEMENT_FAILURE,
		.flags = EVENTS_MORE,
		.faults = q->faults,
		.threads = q->threads };
	struct feeds *fs = NULL;
	struct text_map lines = { 0 };
	struct paid_list list = { 0 };
	enum souk_err r = feeds_load(&e, &fs, f);

	if (r != SOUK_OK)
		return r;
	r = text_map_init(&lines, s->n);
	if (r == SOUK_OK)
		r = index_lines(s, &lines);
	if (r == SOUK_OK)
		r = collect(q, s, fs, &lines, &list);
	if (r == SOUK_OK)
		r = attach(s, &list);
	text_map_done(&lines);
	free(list.v);
	feeds_free(fs);
	return r == SOUK_OK ? r : out_of_memory(f);
}

enum souk_err
lines_from_feeds(const struct line_request *q, struct line_set *ret, struct fail *f)
{
	struct line_set s = { .arena = arena_new(ARENA_LIMIT) };
	enum souk_err r = s.arena != NULL ? fold(q, &s, f) : out_of_memory(f);

	if (r == SOUK_OK)
		r = fill_all(&s, q->variant, f);
	if (r == SOUK_OK && q->payouts)
		r = add_payouts(q, &s, f);
	if (r == SOUK_OK)
		*ret = s;
	else
		line_set_done(&s);
	return r;
}

void
line_set_done(struct line_set *s)
{
	free(s->lines);
	free(s->payouts);
	sales_free(s->sales);
	arena_free(s->arena);
	*s = (struct line_set){ 0 };
}
