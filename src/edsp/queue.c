/* SPDX-License-Identifier: Apache-2.0 */
/* For finance: lines that pay nobody and what could mend it; lines that another plan would move. */
#include "edsp/statement.h"

#include "base/csv.h"
#include "edsp/territory_int.h"

#include <stdlib.h>

#define ARENA_LIMIT ((size_t)2 << 30)

struct suggester {
	const struct territory_index *t;
	const struct commission_run *run;
	struct arena *arena;
	/* Companies of the queue's lines: to a rule that maps other lines of theirs, NOBODY while none is known. */
	struct text_map domains, names;
};
#define NOBODY (UINT32_MAX - 1)

void
suggester_free(struct suggester *s)
{
	if (s == NULL)
		return;
	text_map_done(&s->domains);
	text_map_done(&s->names);
	arena_free(s->arena);
	free(s);
}

static bool
domain_of(const struct commission_line *l, char out[DOMAIN_MAX + 1])
{
	return l->email_domain.n > 0 && company_domain(l->email_domain, out) == DOMAIN_COMPANY;
}

static bool
want(struct suggester *s, struct text_map *m, struct str key)
{
	uint64_t hash = text_map_hash(key);

	if (text_map_find(m, key, hash) != TEXT_MAP_NONE)
		return true;
	key = arena_str(s->arena, key);
	return key.p != NULL && text_map_put(m, key, hash, NOBODY) != TEXT_MAP_NONE;
}

static void
learn(struct text_map *m, struct str key, uint32_t rule)
{
	uint64_t hash = text_map_hash(key);

	for (size_t i = hash & m->mask; m->slots[i].hash != 0; i = (i + 1) & m->mask)
		if (m->slots[i].hash == hash &&
		    str_eq((struct str){ m->slots[i].p, m->slots[i].n }, key)) {
			/* The first rule of the plan, whatever the order of lines. */
			if (rule < m->slots[i].value)
				m->slots[i].value = rule;
			return;
		}
}

enum souk_err
suggester_new(
    const struct territory_index *t, const struct commission_run *run, struct suggester **ret)
{
	struct suggester *s = calloc(1, sizeof(*s));
	char out[FOLDED_MAX + 1];
	bool good = s != NULL && (s->arena = arena_new(ARENA_LIMIT)) != NULL &&
		    text_map_init(&s->domains, 64) == SOUK_OK &&
		    text_map_init(&s->names, 64) == SOUK_OK;

	for (size_t i = 0; i < run->n_queue && good; i++) {
		const struct commission_line *l = &run->lines[run->queue[i].line];
		size_t n;

		if (run->queue[i].reason != QUEUE_UNMAPPED)
			continue;
		if (domain_of(l, out))
			good = want(s, &s->domains, str_c(out));
		if (good && (n = company_fold(l->company, out)) > 0)
			good = want(s, &s->names, (struct str){ out, n });
	}
	if (!good) {
		suggester_free(s);
		return SOUK_E_NOMEM;
	}
	s->t = t;
	s->run = run;
	for (size_t i = 0; i < run->n_lines && s->domains.n + s->names.n > 0; i++) {
		const struct territory_hit *hit = &run->hits[i];
		size_t n;

		if (hit->rule == NO_INDEX || hit->other != NO_INDEX)
			continue;
		if (s->domains.n > 0 && domain_of(&run->lines[i], out))
			learn(&s->domains, str_c(out), hit->rule);
		if (s->names.n > 0 && (n = company_fold(run->lines[i].company, out)) > 0)
			learn(&s->names, (struct str){ out, n }, hit->rule);
	}
	*ret = s;
	return SOUK_OK;
}

static void
add(struct suggestion *out, size_t *n, enum suggestion_why why, uint32_t rule)
{
	if (rule >= NOBODY)
		return;
	for (size_t i = 0; i < *n; i++)
		if (out[i].rule == rule)
			return;
	out[(*n)++] = (struct suggestion){ .why = why, .rule = rule };
}

size_t
suggest(
    const struct suggester *s, const struct queue_entry *e, struct suggestion out[SUGGESTIONS_MAX])
{
	const struct commission_line *l = &s->run->lines[e->line];
	char key[PLACE_KEY_MAX + 1];
	size_t n = 0, k;

	if (e->reason != QUEUE_UNMAPPED)
		return 0;
	if (domain_of(l, key))
		add(out, &n, SUGGEST_DOMAIN,
		    text_map_find(&s->domains, str_c(key), text_map_hash(str_c(key))));
	if ((k = company_fold(l->company, key)) > 0)
		add(out, &n, SUGGEST_COMPANY,
		    text_map_find(
			&s->names, (struct str){ key, k }, text_map_hash((struct str){ key, k })));
	for (enum match_level level = MATCH_STATE; level <= MATCH_COUNTRY && l->country.n == 2;
	     level++) {
		k = place_key(level, l->country, l->state, l->city, key);
		add(out, &n, level == MATCH_STATE ? SUGGEST_STATE : SUGGEST_COUNTRY,
		    text_map_find(&s->t->near, (struct str){ key, k },
			text_map_hash((struct str){ key, k })));
	}
	return n;
}

/* ---- what people read ---- */

static void
field(struct buf *out, struct str s)
{
	csv_field(out, s);
	buf_add_char(out, ',');
}

static void
line_fields(const struct commission_line *l, struct buf *out)
{
	char date[DAY_TEXT_SIZE], money[MONEY_TEXT_SIZE];

	plan_day_format(day_of(l->invoice_date), date);
	field(out, str_c(date));
	field(out, l->transaction);
	field(out, l->product_code);
	field(out, l->payer_number);
	field(out, l->company);
	field(out, l->email_domain);
	field(out, l->country);
	field(out, l->state);
	field(out, l->city);
	field(out, l->postal_code);
	field(out, l->currency);
	field(out, (struct str){ money, money_format_exact(l->billed.gross, 2, money) });
}
#define LINE_HEAD                                                                                  \
	"Date,Transaction Reference ID,Product Code,Customer AWS Account Number,Company,"          \
	"Email Domain,Country,State,City,Zip Code,Currency,Gross Revenue,"

static bool
in_months(const struct commission_line *l, struct month_range months)
{
	int32_t m = plan_period_of(PERIOD_MONTH, day_of(l->invoice_date));

	return m >= months.from && m <= months.until;
}

static void
describe(const struct commission_run *run, const struct suggester *s, const struct queue_entry *e,
    struct buf *b)
{
	static const char *const whys[] = { [SUGGEST_DOMAIN] =
						"other accounts of this e-mail domain",
		[SUGGEST_COMPANY] = "other accounts of this company",
		[SUGGEST_STATE] = "the same state",
		[SUGGEST_COUNTRY] = "the same country" };
	const struct plan *p = run->plan;
	struct suggestion out[SUGGESTIONS_MAX];
	size_t n = suggest(s, e, out);

	for (size_t i = 0; i < n; i++)
		buf_printf(b, "%s%s: %.*s", i > 0 ? "; " : "", whys[out[i].why],
		    (int)p->territories[out[i].rule].id.n, p->territories[out[i].rule].id.p);
	switch ((enum queue_reason)e->reason) {
	case QUEUE_UNMAPPED:
		buf_add_c(b, n == 0 ? "add a territory for this account, company or place" : "");
		break;
	case QUEUE_AMBIGUOUS:
		buf_printf(b, "add this account to one of: %.*s (by domain); %.*s (by name)",
		    (int)p->territories[e->rule].id.n, p->territories[e->rule].id.p,
		    (int)p->territories[e->other].id.n, p->territories[e->other].id.p);
		break;
	case QUEUE_NO_RATE:
		buf_printf(b, "add a rate of this currency for %.*s",
		    (int)p->representatives[e->representative].id.n,
		    p->representatives[e->representative].id.p);
		break;
	case QUEUE_NO_SALE:
		buf_add_c(b, "nothing to do if the sale is older than these feeds");
		break;
	case QUEUE__COUNT:
		break;
	}
}

void
queue_csv(const struct commission_run *run, const struct suggester *s, struct month_range months,
    struct buf *out)
{
	buf_add_c(out, "Reason," LINE_HEAD "Suggestions\r\n");
	for (size_t i = 0; i < run->n_queue; i++) {
		const struct queue_entry *e = &run->queue[i];
		struct buf b = { 0 };

		if (!in_months(&run->lines[e->line], months))
			continue;
		field(out, str_c(queue_reason_words[e->reason]));
		line_fields(&run->lines[e->line], out);
		describe(run, s, e, &b);
		csv_field(out, buf_str(&b));
		buf_add_c(out, "\r\n");
		out->failed |= b.failed;
		buf_done(&b);
	}
}

/* "t-acme: ana 60%, ben 40%" */
static void
add_hit(const struct plan *p, const struct territory_hit *h, struct buf *b)
{
	const struct plan_rule *rule = h->rule != NO_INDEX ? &p->territories[h->rule] : NULL;

	if (rule == NULL || h->other != NO_INDEX) {
		buf_add_c(b, rule == NULL ? "unmapped" : "ambiguous");
		return;
	}
	buf_add_str(b, rule->id);
	for (size_t i = 0; i < rule->n_credits; i++) {
		char percent[PERCENT_TEXT_SIZE];

		percent_format(rule->credits[i].percent, percent);
		buf_add_c(b, i > 0 ? ", " : ": ");
		buf_add_str(b, p->representatives[rule->credits[i].representative].id);
		buf_add_char(b, ' ');
		buf_add_c(b, percent);
	}
}

struct place_in_order {
	uint32_t line;
	const struct commission_line *lines;
};

static int
compare_for_print(const void *pa, const void *pb)
{
	const struct place_in_order *a = pa, *b = pb;
	const struct commission_line *x = &a->lines[a->line], *y = &b->lines[b->line];
	const struct str parts[][2] = { { x->transaction, y->transaction },
		{ x->product_id, y->product_id }, { x->end_user, y->end_user },
		{ x->currency, y->currency } };

	if (x->invoice_date != y->invoice_date)
		return x->invoice_date < y->invoice_date ? -1 : 1;
	for (size_t i = 0; i < 4; i++) {
		size_t n = parts[i][0].n < parts[i][1].n ? parts[i][0].n : parts[i][1].n;
		int c = n > 0 ? memcmp(parts[i][0].p, parts[i][1].p, n) : 0;

		if (c == 0)
			c = (parts[i][0].n > parts[i][1].n) - (parts[i][0].n < parts[i][1].n);
		if (c != 0)
			return c;
	}
	return 0;
}

enum souk_err
moved_lines_csv(const struct commission_run *is, const struct commission_run *would_be,
    struct month_range months, struct buf *out, size_t *ret_n)
{
	struct place_in_order *v = malloc((is->n_lines + 1) * sizeof(*v));
	struct buf from = { 0 }, to = { 0 };
	size_t n = 0;

	if (v == NULL)
		return SOUK_E_NOMEM;
	*ret_n = 0;
	for (size_t i = 0; i < is->n_lines; i++)
		if (in_months(&is->lines[i], months))
			v[n++] = (struct place_in_order){ (uint32_t)i, is->lines };
	qsort(v, n, sizeof(*v), compare_for_print);
	buf_add_c(out, LINE_HEAD "Now,Then\r\n");
	for (size_t i = 0; i < n; i++) {
		buf_clear(&from);
		buf_clear(&to);
		add_hit(is->plan, &is->hits[v[i].line], &from);
		add_hit(would_be->plan, &would_be->hits[v[i].line], &to);
		if (str_eq(buf_str(&from), buf_str(&to)))
			continue;
		line_fields(&is->lines[v[i].line], out);
		field(out, buf_str(&from));
		csv_field(out, buf_str(&to));
		buf_add_c(out, "\r\n");
		(*ret_n)++;
	}
	out->failed |= from.failed || to.failed;
	buf_done(&from);
	buf_done(&to);
	free(v);
	return SOUK_OK;
}
