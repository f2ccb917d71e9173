/* SPDX-License-Identifier: Apache-2.0 */
/* A statement as one HTML page: for a screen, a phone, a printer. Buyers' texts are escaped, always. */
#include "edsp/statement.h"

#include <stdio.h>

static const char style[] =
    ":root{--ink:#16191f;--soft:#5f6b7a;--line:#d5dbdb;--back:#fff;--band:#f7f8f8;--neg:#9b1c1c;--"
    "accent:#0b5cad}\n"
    "@media "
    "(prefers-color-scheme:dark){:root{--ink:#e6e8eb;--soft:#a5afbb;--line:#3a4351;--back:#12161c;"
    "--band:#1a2029;--neg:#ff9d96;--accent:#7cb8f5}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0 auto;max-width:76rem;padding:2rem "
    "1.25rem;background:var(--back);color:var(--ink);"
    "font:15px/1.45 system-ui,-apple-system,\"Segoe UI\",Roboto,\"DejaVu Sans\",sans-serif}\n"
    "h1{font-size:1.6rem;line-height:1.2;margin:0 0 .25rem}h2{font-size:1.1rem;margin:2rem 0 "
    ".5rem}\n"
    "p{margin:.25rem 0}.soft{color:var(--soft);overflow-wrap:anywhere}.d{white-space:nowrap}\n"
    ".sums{display:flex;flex-wrap:wrap;gap:.75rem;margin:1.25rem 0}\n"
    ".sum{border:1px solid var(--line);border-top:3px solid "
    "var(--accent);border-radius:4px;padding:.75rem 1rem;min-width:13rem}\n"
    ".sum b{display:block;font-size:1.5rem;font-variant-numeric:tabular-nums}\n"
    ".sum "
    "span{display:block;color:var(--soft);font-size:.85rem;font-variant-numeric:tabular-nums}\n"
    "table{border-collapse:collapse;width:100%;font-size:.86rem}\n"
    "th{text-align:left;color:var(--soft);font-weight:600;border-bottom:2px solid "
    "var(--line);padding:.4rem .5rem;vertical-align:bottom}\n"
    "td{border-bottom:1px solid var(--line);padding:.4rem "
    ".5rem;vertical-align:top;overflow-wrap:anywhere}\n"
    "tbody tr:nth-child(even){background:var(--band)}\n"
    ".n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}.neg{color:var(--neg)"
    "}\n"
    ".why{color:var(--soft)}small{color:var(--soft);display:block}\n"
    "tfoot td{font-weight:700;border-top:2px solid var(--line)}\n"
    "@media (max-width:46rem){body{padding:1.25rem "
    ".9rem}thead{display:none}table,tbody,tfoot,tr,td{display:block;width:100%}\n"
    "tbody tr{border:1px solid var(--line);border-radius:4px;margin:0 0 .75rem;padding:.35rem "
    ".7rem}\n"
    "td{display:grid;grid-template-columns:6.5rem minmax(0,1fr);border:0;padding:.2rem 0}\n"
    "td::before{content:attr(data-l);color:var(--soft)}td.n{text-align:left;white-space:normal}\n"
    "td:empty{display:none}td.k{font-weight:700}tfoot tr{padding:.35rem .7rem}.sum{flex:1 1 "
    "100%}}\n"
    "@media print{@page{size:A4 "
    "landscape;margin:12mm}body{max-width:none;padding:0;font-size:9pt;background:#fff;color:#000}"
    "\n"
    "thead{display:table-header-group}tr,.sum{break-inside:avoid}tbody "
    "tr:nth-child(even){background:none}"
    ".neg{color:#000}}\n";

static void
add_money(struct buf *b, money_t m, unsigned decimals)
{
	buf_add_money(b, m, decimals);
}

static void
add_exact(struct buf *b, money_t m)
{
	char text[MONEY_TEXT_SIZE];

	buf_add(b, text, money_format_exact(m, 2, text));
}

static void
head(const struct statement *s, const char *period, struct buf *b)
{
	const struct plan_representative *r = &s->run->plan->representatives[s->representative];

	buf_add_c(b,
	    "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
	    "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
	    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none';style-src "
	    "'unsafe-inline'\">"
	    "<meta name=\"referrer\" content=\"no-referrer\"><title>Commission statement, ");
	buf_add_xml(b, r->name);
	buf_printf(b,
	    ", %s</title><style>\n%s</style></head><body>\n<header><h1>Commission "
	    "statement</h1>\n<p><strong>",
	    period, style);
	buf_add_xml(b, r->name);
	buf_add_c(b, "</strong> (");
	buf_add_xml(b, r->id);
	buf_add_c(b, r->team.n > 0 ? ", team " : "");
	buf_add_xml(b, r->team);
	buf_printf(b, ") &middot; %s</p>\n<p class=\"soft\">Plan: ", period);
	buf_add_xml(b, s->run->plan->name);
	buf_printf(b, " &middot; %s &middot; as known %s%s%s</p></header>\n",
	    s->locked ? "approved and locked" : "simulation, nothing is approved",
	    s->known_at != NULL ? s->known_at : "when it was made",
	    s->digest != NULL ? " &middot; run " : "", s->digest != NULL ? s->digest : "");
}

static void
sums(const struct statement *s, struct buf *b)
{
	struct statement_total t[STATEMENT_CURRENCIES_MAX];
	size_t n = statement_totals(s, t, STATEMENT_CURRENCIES_MAX);
	unsigned decimals = s->run->plan->decimals;

	buf_add_c(b, "<div class=\"sums\">\n");
	for (size_t i = 0; i < n; i++) {
		buf_add_c(b, "<div class=\"sum\"><b>");
		add_money(b, t[i].sum, decimals);
		buf_add_char(b, ' ');
		buf_add_xml(b, t[i].currency);
		buf_add_c(b, "</b><span>earned ");
		add_money(b, t[i].earned, decimals);
		buf_add_c(b, "</span><span>taken back ");
		add_money(b, t[i].taken, decimals);
		buf_add_c(b, "</span><span>adjustments ");
		add_money(b, t[i].adjusted, decimals);
		buf_add_c(b, "</span></div>\n");
	}
	buf_add_c(b, n == 0 ? "<p>No lines in this period.</p></div>\n" : "</div>\n");
}

static void
cell(struct buf *b, const char *label, const char *class)
{
	buf_printf(b, "<td data-l=\"%s\"%s%s%s>", label, class[0] != '\0' ? " class=\"" : "", class,
	    class[0] != '\0' ? "\"" : "");
}

static void
buyer_cells(const struct commission_line *l, struct buf *b)
{
	cell(b, "Transaction", "k");
	buf_add_xml(b, l->transaction);
	buf_add_c(b, "</td>");
	cell(b, "Product", "");
	buf_add_c(b, "<div>");
	buf_add_xml(b, l->product_title.n > 0 ? l->product_title : l->product_code);
	buf_add_c(b, "</div></td>");
	cell(b, "Customer", "");
	buf_add_c(b, "<div>");
	buf_add_xml(b, l->company.n > 0 ? l->company : l->payer_number);
	buf_add_c(b, "<small>");
	if (l->company.n > 0)
		buf_add_xml(b, l->payer_number);
	buf_add_c(b, l->country.n > 0 ? " " : "");
	buf_add_xml(b, l->country);
	if (l->end_user_number.n > 0 && !str_eq(l->end_user_number, l->payer_number)) {
		buf_add_c(b, "<br>used by ");
		buf_add_xml(b, l->end_user_number);
	}
	buf_add_c(b, "</small></div></td>");
}

static void
source_cells(const struct statement *s, const struct commission_item *i, struct buf *b)
{
	char percent[PERCENT_TEXT_SIZE];

	percent_format(i->percent, percent);
	cell(b, "Amount", "n");
	buf_add_c(b, "<div>");
	add_exact(b, i->amount);
	buf_printf(b, "<small>%s of it credited</small></div></td>", percent);
	cell(b, "Rule, rate", "");
	buf_add_c(b, "<div>");
	buf_add_xml(b, item_rule(s->run, i)->id);
	buf_printf(
	    b, "<small>by %s%s; rate ", match_level_words[i->level], i->overlay ? ", overlay" : "");
	buf_add_xml(b, s->run->plan->rates[i->rate].id);
	buf_add_c(b, "</small></div></td>");
}

static void
amount_cell(const struct statement *s, const struct commission_line *l, money_t m, struct buf *b)
{
	cell(b, "Commission", m < 0 ? "n k neg" : "n k");
	buf_add_c(b, "<span>");
	add_money(b, m, s->run->plan->decimals);
	buf_add_char(b, ' ');
	buf_add_xml(b, l->currency);
	buf_add_c(b, "</span></td></tr>\n");
}

static void
item_row(const struct statement *s, const struct commission_item *i, struct buf *b)
{
	const struct commission_line *l = &s->run->lines[i->line];
	char date[DAY_TEXT_SIZE];

	plan_day_format(i->day, date);
	buf_add_c(b, "<tr>");
	cell(b, "Date", "");
	buf_printf(b, "<div class=\"d\">%s<small>%s</small></div></td>", date,
	    commission_part_words[i->part]);
	buyer_cells(l, b);
	source_cells(s, i, b);
	cell(b, "Arithmetic", "why");
	buf_add_c(b, "<span>");
	item_arithmetic(s->run, i, b);
	buf_add_c(b, "</span></td>");
	amount_cell(s, l, i->commission, b);
}

static void
adjustment_row(const struct statement *s, const struct adjustment *a, struct buf *b)
{
	const struct commission_item *i = a->item != NO_INDEX ? &s->run->items[a->item] : NULL;
	struct commission_line gone = { .transaction = a->transaction,
		.product_code = a->product_id,
		.currency = a->currency };
	const struct commission_line *l = i != NULL ? &s->run->lines[i->line] : &gone;
	char month[MONTH_TEXT_SIZE];

	month_format(a->month, month);
	buf_add_c(b, "<tr>");
	cell(b, "Of", "");
	buf_printf(b, "<div>%s<small>%s</small></div></td>", month, commission_part_words[a->part]);
	buyer_cells(l, b);
	if (i != NULL) {
		source_cells(s, i, b);
	} else {
		cell(b, "Amount", "n");
		buf_add_c(b, "</td>");
		cell(b, "Rule, rate", "");
		buf_add_c(b, "</td>");
	}
	cell(b, "Arithmetic", "why");
	buf_add_c(b, "<span>");
	adjustment_arithmetic(s, a, b);
	buf_add_c(b, "</span></td>");
	amount_cell(s, l, a->is - a->was, b);
}

static void
table_head(const char *title, const char *first, struct buf *b)
{
	buf_printf(b,
	    "<h2>%s</h2>\n<table><thead><tr><th scope=\"col\">%s</th><th "
	    "scope=\"col\">Transaction</th>"
	    "<th scope=\"col\">Product</th><th scope=\"col\">Customer</th><th scope=\"col\" "
	    "class=\"n\">Amount</th>"
	    "<th scope=\"col\">Rule, rate</th><th scope=\"col\">Arithmetic</th><th scope=\"col\" "
	    "class=\"n\">Commission</th>"
	    "</tr></thead><tbody>\n",
	    title, first);
}

void
statement_html(const struct statement *s, struct buf *b)
{
	char from[MONTH_TEXT_SIZE], until[MONTH_TEXT_SIZE], period[2 * MONTH_TEXT_SIZE + 8];
	size_t first, end;

	month_format(s->months.from, from);
	month_format(s->months.until, until);
	if (s->months.from == s->months.until)
		(void)snprintf(period, sizeof(period), "%s", from);
	else
		(void)snprintf(period, sizeof(period), "%s to %s", from, until);
	head(s, period, b);
	sums(s, b);
	statement_items(s, &first, &end);
	table_head("Lines", "Date", b);
	for (size_t i = first; i < end; i++)
		if (statement_has(s, statement_item(s, i)))
			item_row(s, statement_item(s, i), b);
	buf_add_c(b, "</tbody></table>\n");
	if (s->n_adjustments > 0) {
		table_head("Adjustments of locked months", "Of", b);
		for (size_t i = 0; i < s->n_adjustments; i++)
			adjustment_row(s, &s->adjustments[i], b);
		buf_add_c(b, "</tbody></table>\n");
	}
	buf_printf(b,
	    "<p class=\"soft\">Each commission is rounded half-up, once, to %u decimals. Amounts "
	    "of different "
	    "currencies are never added. Confidential: for %s and who pays them "
	    "only.</p>\n</body></html>\n",
	    s->run->plan->decimals, "the person named above");
}
