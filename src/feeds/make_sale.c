/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens to a made-up sale. All of it follows from the sale's number, so that each month
 * can tell anew what of earlier sales falls into it, and nothing need be remembered.
 */
#include "feeds/make_int.h"

uint64_t
make_sales_before(const struct make_world *w, int month)
{
	return w->sales * (unsigned)month / (unsigned)w->o->months;
}

static void
draw_buyer(const struct make_world *w, struct make_sale *s)
{
	unsigned orgs = make_orgs_in(w, s->month), members;
	/* Some buy much, most a little. */
	unsigned a = make_draw(s->h, 1, orgs), b = make_draw(s->h, 2, orgs);

	s->org = a < b ? a : b;
	s->place = make_place_of(w, s->org);
	members = make_members(w, s->org);
	s->n_users = members > 1 && make_percent(s->h, 3, 10) ? 2 : 1;
	if (members > 2 && make_percent(s->h, 4, 3))
		s->n_users = MAKE_USERS;
	s->user[0] = make_draw(s->h, 5, members);
	for (unsigned i = 1; i < MAKE_USERS; i++)
		s->user[i] = (s->user[i - 1] + 1) % members;
	s->currency = 0;
	while (strcmp(make_currencies[s->currency], s->place->currency) != 0)
		s->currency++;
	if (make_percent(s->h, 6, 6)) /* some pay in dollars wherever they are */
		s->currency = 0;
}

static void
draw_price(struct make_sale *s)
{
	static const unsigned whole[] = { 9, 49, 100, 250, 999, 1200, 5000, 24000 };
	int64_t price = (int64_t)whole[make_draw(s->h, 7, 8)] * MAKE_ONE;

	if (s->currency == 3) /* no parts of a yen */
		price *= 150;
	else if (make_percent(s->h, 8, 50)) /* metered: many decimals */
		price += (int64_t)make_draw(s->h, 9, 99999999) / 100 * 100;
	else if (make_percent(s->h, 10, 50))
		price += (int64_t)make_draw(s->h, 11, 100) * (MAKE_ONE / 100);
	s->price = price;
}

static void
draw_fate(const struct make_world *w, struct make_sale *s)
{
	unsigned when = make_draw(s->h, 12, 100);
	unsigned odd = make_draw(s->h, 13, 1000);
	bool plain = w->o->plain;

	s->collect = when < 60 ? 1 : when < 85 ? 2 : when < 95 ? 3 : -1;
	s->late = odd < 8 && !plain;
	s->taken_back = odd >= 10 && odd < 13 && !plain;
	s->change = plain || odd < 20 || odd >= 28 ? CHANGE_NONE
		    : odd < 24                     ? CHANGE_SAME_DAY
						   : CHANGE_NEXT_MONTH;
	s->moved = s->change == CHANGE_NEXT_MONTH && odd % 2 == 0;
	s->forgiven = odd >= 30 && odd < 40;
	s->n_flex = odd >= 40 && odd < 55 ? 1 + odd % 3 : 0;
	s->parts = s->collect > 0 && odd >= 60 && odd < 75;
	if (s->taken_back || s->forgiven)
		s->collect = -1;
	if ((s->late || s->change == CHANGE_NEXT_MONTH) && s->collect == 1)
		s->collect = 2;
	s->slot = make_draw(s->h, 14, 4) == 0 ? 1 : 0;
}

void
make_sale(const struct make_world *w, int month, uint64_t index, struct make_sale *s)
{
	uint64_t first = make_sales_before(w, month);
	uint64_t n = make_sales_before(w, month + 1) - first;

	*s = (struct make_sale){
		.h = make_key(w->seed, KIND_SALE, index, 0), .index = index, .month = month
	};
	s->day = 1 + (int)((index - first) * (uint64_t)w->days[month] / n);
	draw_buyer(w, s);
	s->product = make_draw(s->h, 15, w->products);
	s->role = make_product_role(s->product);
	if (s->role == ROLE_MADE)
		s->n_users = 1;
	draw_price(s);
	draw_fate(w, s);
}

unsigned
make_bills(const struct make_sale *s, struct make_bill bills[MAKE_BILLS])
{
	unsigned n = 0, odd = make_draw(s->h, 16, 1000);
	int refund = 1 + (int)(odd % 2);
	int after = s->collect < 0 ? -1 : s->collect > refund ? s->collect : refund + 1;

	bills[n++] = (struct make_bill){ 0, BILL_PLAIN, 0, 1, 1, s->collect };
	for (unsigned i = 1; i <= s->n_flex; i++)
		bills[n++] = (struct make_bill){ i, BILL_PLAIN, (int)i, 1, 1,
			s->collect < 0 ? -1 : (int)i + 1 };
	if (s->forgiven || s->taken_back)
		return n;
	if (odd < 15) /* in full, and in part */
		bills[n++] = (struct make_bill){ 4, BILL_REFUND, refund, 1, 1, after };
	else if (odd < 30)
		bills[n++] = (struct make_bill){ 4, BILL_REFUND, refund, 1, 3, after };
	else if (odd < 34)
		bills[n++] = (struct make_bill){ 4, BILL_TAX_REFUND, refund, 1, 1, after };
	if (odd >= 40 && odd < 50)
		bills[n++] = (struct make_bill){ 5, BILL_CREDIT, 1, 1, 10, after };
	else if (odd >= 50 && odd < 53) /* a demonstration: nothing remains */
		bills[n++] = (struct make_bill){ 5, BILL_CREDIT, 0, 1, 1, s->collect };
	if (odd >= 60 && odd < 64)
		bills[n++] =
		    (struct make_bill){ 6, BILL_ADJUSTMENT, 1, odd % 2 == 0 ? 1 : -1, 20, after };
	return n;
}

static void
add_line(struct make_line *lines, unsigned *n, const struct make_line *l)
{
	if (l->amount != 0)
		lines[(*n)++] = *l;
}

/* What one end user's use brings, as a plain bill has it. */
static unsigned
plain_lines(const struct make_world *w, const struct make_sale *s, unsigned user, int64_t price,
    struct make_line *lines)
{
	uint64_t payer = make_account(w, s->org, 0);
	struct make_line l = { .type = "SELLER_REV_SHARE", .no = user, .from_payer = true };
	unsigned n = 0;

	l.from = s->role == ROLE_MADE ? make_reseller(w, s->product + s->org) : payer;
	l.to = w->seller;
	l.user = s->role == ROLE_MADE ? 0 : make_account(w, s->org, s->user[user]);
	l.amount = price;
	l.impacting = true;
	add_line(lines, &n, &l);
	if (s->place->tax > 0 && s->role != ROLE_MADE) {
		struct make_line tax = l;

		tax.type = s->place->remitted ? "AWS_TAX_SHARE" : "SELLER_TAX_SHARE";
		tax.to = s->place->remitted ? 0 : w->seller;
		tax.impacting = !s->place->remitted;
		tax.tax = true;
		tax.base = price;
		tax.amount = price * s->place->tax / 1000 / (MAKE_ONE / 100) * (MAKE_ONE / 100);
		add_line(lines, &n, &tax);
	}
	l.from = w->seller;
	l.from_payer = false;
	if (s->role == ROLE_RESOLD) {
		l.to = make_manufacturer(w, s->product);
		l.amount = -price / 5 * 4;
		add_line(lines, &n, &l);
	}
	if (s->role != ROLE_MADE) {
		l.type = "AWS_REV_SHARE";
		l.to = 0;
		l.amount = -(price * 3 / 100);
		add_line(lines, &n, &l);
	}
	return n;
}

/* Lines of a refund or credit: the plain ones with their types' other name, the other sign, in part. */
static unsigned
turned(const struct make_bill *b, struct make_line *lines, unsigned n)
{
	static const char *const names[][3] = {
		{ "SELLER_REV_SHARE", "SELLER_REV_SHARE_REFUND", "SELLER_REV_SHARE_CREDIT" },
		{ "AWS_REV_SHARE", "AWS_REV_SHARE_REFUND", "AWS_REV_SHARE_CREDIT" },
		{ "SELLER_TAX_SHARE", "SELLER_TAX_SHARE_REFUND", NULL },
		{ "AWS_TAX_SHARE", "AWS_TAX_SHARE_REFUND", NULL },
	};
	unsigned kept = 0;

	for (unsigned i = 0; i < n; i++) {
		struct make_line l = lines[i];
		unsigned k = 0;

		if (l.tax ? b->kind == BILL_CREDIT : b->kind == BILL_TAX_REFUND)
			continue;
		while (strcmp(names[k][0], l.type) != 0)
			k++;
		l.type = names[k][b->kind == BILL_CREDIT ? 2 : 1];
		l.amount = -(l.amount * b->num / b->den);
		l.base = -(l.base * b->num / b->den);
		add_line(lines, &kept, &l);
	}
	return kept;
}

unsigned
make_lines(const struct make_world *w, const struct make_sale *s, const struct make_bill *b,
    bool wrong, struct make_line lines[MAKE_LINES])
{
	int64_t price = wrong && !s->moved ? s->price / 10 * 11 : s->price;
	unsigned n = 0;

	if (b->kind == BILL_ADJUSTMENT) {
		lines[0] = (struct make_line){ .type = "BALANCE_ADJUSTMENT",
			.from = w->seller,
			.amount = price * b->num / b->den,
			.impacting = true,
			.no_product = s->index % 2 == 0 };
		return lines[0].amount != 0;
	}
	for (unsigned user = 0; user < s->n_users; user++)
		n += plain_lines(w, s, user, price / (int)s->n_users, lines + n);
	return b->kind == BILL_PLAIN ? n : turned(b, lines, n);
}

uint64_t
make_event_key(const struct make_world *w, const struct make_sale *s, const struct make_bill *b,
    unsigned line, enum make_event e)
{
	return make_key(w->seed, KIND_EVENT, s->index, (b->no * 32u + line) * 8u + (unsigned)e) | 1;
}

int64_t
make_bill_time(const struct make_world *w, const struct make_sale *s, const struct make_bill *b)
{
	int month = s->month + b->lag;
	int day = s->day < w->days[month] ? s->day : w->days[month];

	/* Some from before the account's first row says it exists (rule 7). */
	return w->start[month] + (day - 1) * INT64_C(86400) + make_draw(s->h, 20 + b->no, 79200);
}
