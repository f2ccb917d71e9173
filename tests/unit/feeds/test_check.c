/* SPDX-License-Identifier: Apache-2.0 */
/* Each rule, broken on purpose in sound feeds: it is found, at its place, with what to do about it. */
#include "feeds/check.h"

#include "../base/check.h"
#include "feed_dir.h"

static const char *dir;

static int
make_feeds(void **state)
{
	(void)state;
	dir = feed_dir_made(4000, 4);
	return 0;
}

static int
remove_feeds(void **state)
{
	(void)state;
	feed_dir_remove(dir);
	return 0;
}

static struct check_result
check_against(const char *before, uint64_t limit)
{
	struct check_options o = { .dir = dir, .before = before, .limit = limit };
	struct check_result x;
	struct fail f = { 0 };

	if (feeds_check(&o, &x, &f) != SOUK_OK)
		fail_msg("check: %s", f.detail);
	for (size_t i = 0; i < x.n; i++) {
		assert_true(strlen(x.findings[i].what) > 0 && strlen(x.findings[i].fix) > 0);
		assert_true(x.findings[i].file[0] != '\0');
	}
	return x;
}

static const struct check_finding *
found(const struct check_result *x, enum check_rule rule, enum feed feed, int month, uint64_t line,
    const char *column)
{
	for (size_t i = 0; i < x->n; i++) {
		const struct check_finding *a = &x->findings[i];

		if (a->rule == rule && a->line == line && strcmp(a->column, column) == 0 &&
		    strcmp(a->file, feed_path(feed, month)) == 0)
			return a;
	}
	for (size_t i = 0; i < x->n; i++)
		print_message("%s:%llu:%s: %s [%s]\n", x->findings[i].file,
		    (unsigned long long)x->findings[i].line, x->findings[i].column,
		    x->findings[i].what, check_rule_id(x->findings[i].rule));
	fail_msg("not found: %s at line %llu, %s", check_rule_id(rule), (unsigned long long)line,
	    column);
	return NULL;
}

/* Exactly these findings of a rule, the first at the place; others may follow from it. */
static void
expect(enum check_rule rule, enum feed feed, int month, uint64_t line, const char *column,
    const char *what, uint64_t count)
{
	struct check_result x = check_against(NULL, 100);
	const struct check_finding *a = found(&x, rule, feed, month, line, column);

	if (strstr(a->what, what) == NULL)
		fail_msg("says `%s`, not `%s`", a->what, what);
	assert_int_equal(x.count[rule], count);
	feeds_check_free(&x);
}

#define END                                                                                        \
	{                                                                                          \
		FEED_COLUMNS_MAX, NULL                                                             \
	}
#define BILLING FEED_BILLING_EVENT

static const struct feed_want line_of_revenue[] = { { BE_ACTION, "DISBURSED" },
	{ BE_TRANSACTION_TYPE, "SELLER_REV_SHARE" }, END };
static const struct feed_want invoiced[] = { { BE_ACTION, "INVOICED" },
	{ BE_TRANSACTION_TYPE, "SELLER_REV_SHARE" }, END };
static const struct feed_want invoiced_fee[] = { { BE_ACTION, "INVOICED" },
	{ BE_TRANSACTION_TYPE, "AWS_REV_SHARE" }, END };
static const struct feed_want payout[] = { { BE_TRANSACTION_TYPE, "DISBURSEMENT" }, END };
static const struct feed_want forgiven[] = { { BE_ACTION, "FORGIVEN" }, END };
static const struct feed_want failure[] = { { BE_TRANSACTION_TYPE, "DISBURSEMENT_FAILURE" }, END };

/* The first such row of a month with one; the file stays loaded in *t. */
static size_t
first_row(int *month, const struct feed_want *want, struct feed_text *t)
{
	for (; *month <= FEED_MONTHS; (*month)++) {
		size_t line;

		feed_load(dir, BILLING, *month, t);
		line = feed_find(t, 1, want);
		if (line > 0)
			return line;
		feed_text_free(t);
	}
	fail_msg("no such row in the feeds");
	return 0;
}

/* Sets one cell of the first such row; returns its line as people count. */
static uint64_t
spoil(int *month, const struct feed_want *want, unsigned column, const char *value)
{
	struct feed_text t;
	size_t line = first_row(month, want, &t);

	feed_set(&t, line, column, value);
	feed_save(dir, BILLING, *month, &t);
	return line + 1;
}

static void
test_sound_feeds_have_no_findings(void **state)
{
	struct check_result x = check_against(NULL, 100);

	(void)state;
	assert_int_equal(x.total, 0);
	assert_int_equal(x.files, 9 * FEED_MONTHS);
	assert_true(x.rows > 4000 && x.bytes > 1000000);
	feeds_check_free(&x);
}

/* ---- DF-1 ---- */

static void
test_line_with_an_amount_beyond_its_parent(void **state)
{
	int month = 2;
	uint64_t line = spoil(&month, line_of_revenue, BE_AMOUNT, "-99999999");

	(void)state;
	expect(CHECK_DF1, BILLING, month, line, "amount", "is more than the line's parent", 1);
}

static void
test_line_with_the_sign_of_its_parent(void **state)
{
	int month = 2;
	uint64_t line = spoil(&month, line_of_revenue, BE_AMOUNT, "1");

	(void)state;
	expect(CHECK_DF1, BILLING, month, line, "amount", "has the sign", 1);
}

static void
test_part_of_the_parent_is_no_finding_of_its_own(void **state)
{
	int month = 2;
	struct check_result x;

	(void)state;
	(void)spoil(&month, line_of_revenue, BE_AMOUNT, "-0.01");
	x = check_against(NULL, 100);
	assert_int_equal(x.count[CHECK_DF1], 0);
	assert_int_equal(x.count[CHECK_DF2], 1);
	feeds_check_free(&x);
}

static void
test_line_of_another_type_than_its_parent(void **state)
{
	int month = 2;
	uint64_t line = spoil(&month, line_of_revenue, BE_TRANSACTION_TYPE, "SELLER_TAX_SHARE");

	(void)state;
	expect(CHECK_DF1, BILLING, month, line, "parent_billing_event_id", "of the line's type", 1);
}

static void
test_line_without_a_parent(void **state)
{
	int month = 2;
	uint64_t line = spoil(&month, line_of_revenue, BE_PARENT_BILLING_EVENT_ID, "");

	(void)state;
	expect(CHECK_DF1, BILLING, month, line, "parent_billing_event_id", "is empty", 1);
}

/* A second line for the same event, with an id of its own. */
static void
test_event_paid_twice(void **state)
{
	int month = 2;
	struct feed_text t;
	size_t line = first_row(&month, line_of_revenue, &t);

	(void)state;
	feed_insert(&t, t.n, t.line[line]);
	feed_set(&t, t.n - 1, BE_BILLING_EVENT_ID, "another0another0another0another0another0");
	line = t.n;
	feed_save(dir, BILLING, month, &t);
	expect(CHECK_DF1, BILLING, month, line, "amount", "with other lines more than", 1);
}

/* ---- DF-2 ---- */

static void
test_payout_that_its_lines_do_not_make(void **state)
{
	int month = 2;
	struct feed_text t;
	size_t line = first_row(&month, payout, &t);
	char more[64];

	(void)state;
	(void)snprintf(more, sizeof(more), "%s1", feed_cell(t.line[line], BE_AMOUNT));
	feed_text_free(&t);
	(void)spoil(&month, payout, BE_AMOUNT, "0.25");
	expect(CHECK_DF2, BILLING, month, line + 1, "amount", "together they leave -", 1);
}

static void
test_disbursement_without_lines(void **state)
{
	int month = 2;
	struct feed_text t;
	size_t line = first_row(&month, payout, &t), at;
	const char *id = feed_cell(t.line[line], BE_BILLING_EVENT_ID);
	char key[64];
	const struct feed_want lines[] = { { BE_DISBURSEMENT_BILLING_EVENT_ID, key }, END };

	(void)state;
	(void)snprintf(key, sizeof(key), "%s", id);
	while ((at = feed_find(&t, 1, lines)) > 0)
		feed_delete(&t, at);
	line = feed_find(&t, 1, (const struct feed_want[]){ { BE_BILLING_EVENT_ID, key }, END });
	feed_save(dir, BILLING, month, &t);
	expect(CHECK_DF2, BILLING, month, line + 1, "billing_event_id", "without lines", 1);
}

static void
test_line_in_another_currency_is_never_added(void **state)
{
	int month = 2;
	struct feed_text t;
	size_t line = first_row(&month, line_of_revenue, &t);
	bool yen = strcmp(feed_cell(t.line[line], BE_CURRENCY), "JPY") == 0;

	(void)state;
	feed_set(&t, line, BE_CURRENCY, yen ? "USD" : "JPY");
	feed_save(dir, BILLING, month, &t);
	expect(CHECK_DF2, BILLING, month, line + 1, "currency",
	    "currency of the line's DISBURSEMENT", 2);
	expect(CHECK_DF1, BILLING, month, line + 1, "currency", "currency of the line's parent", 1);
}

static void
test_line_without_a_disbursement(void **state)
{
	int month = 2;
	uint64_t line = spoil(&month, line_of_revenue, BE_DISBURSEMENT_BILLING_EVENT_ID, "");

	(void)state;
	expect(CHECK_DF2, BILLING, month, line, "disbursement_billing_event_id",
	    "does not name a DISBURSEMENT", 2);
}

/* ---- DF-3, DF-4, DF-5 ---- */

static void
test_forgiven_in_part(void **state)
{
	int month = 2;
	uint64_t line = spoil(&month, forgiven, BE_AMOUNT, "-0.01");

	(void)state;
	expect(CHECK_DF3, BILLING, month, line, "amount", "does not take back all", 1);
}

static void
test_forgiven_without_a_parent(void **state)
{
	int month = 2;
	uint64_t line = spoil(&month, forgiven, BE_PARENT_BILLING_EVENT_ID, "");

	(void)state;
	expect(CHECK_DF3, BILLING, month, line, "parent_billing_event_id", "is empty", 1);
}

static void
test_failure_of_another_amount(void **state)
{
	int month = 2;
	uint64_t line = spoil(&month, failure, BE_AMOUNT, "-1");

	(void)state;
	expect(CHECK_DF4, BILLING, month, line, "amount", "does not take back all", 1);
}

static void
test_failure_of_no_disbursement(void **state)
{
	int month = 1, with_failure = 2;
	struct feed_text t;
	size_t line = first_row(&month, invoiced, &t);
	char id[64];

	(void)state;
	(void)snprintf(id, sizeof(id), "%s", feed_cell(t.line[line], BE_BILLING_EVENT_ID));
	feed_text_free(&t);
	line = spoil(&with_failure, failure, BE_PARENT_BILLING_EVENT_ID, id);
	expect(CHECK_DF4, BILLING, with_failure, line, "parent_billing_event_id",
	    "does not name a DISBURSEMENT", 1);
}

/* ---- INVOICED rows of type DISBURSEMENT ---- */

/* Behind the first line of a payout, a row that shows its settlement, one cell of it spoilt; its line as people count. */
static uint64_t
show_settlement(int *month, unsigned column, const char *value)
{
	struct feed_text t;
	size_t line = first_row(month, line_of_revenue, &t);

	feed_insert(&t, line + 1, t.line[line]);
	feed_set(&t, line + 1, BE_BILLING_EVENT_ID, "0123456789012345678901234567890123456789");
	feed_set(&t, line + 1, BE_ACTION, "INVOICED");
	feed_set(&t, line + 1, BE_TRANSACTION_TYPE, "DISBURSEMENT");
	feed_set(&t, line + 1, BE_BALANCE_IMPACTING, "0");
	if (value != NULL)
		feed_set(&t, line + 1, column, value);
	feed_save(dir, BILLING, *month, &t);
	return line + 2;
}

static void
test_shown_settlements_are_sound(void **state)
{
	int month = 2;
	struct check_result x;

	(void)state;
	(void)show_settlement(&month, 0, NULL);
	x = check_against(NULL, 100);
	assert_int_equal(x.total, 0);
	feeds_check_free(&x);
}

static void
test_shown_settlement_counts_twice(void **state)
{
	int month = 2;
	uint64_t line = show_settlement(&month, BE_BALANCE_IMPACTING, "1");

	(void)state;
	expect(CHECK_DF5, BILLING, month, line, "balance_impacting", "only shows which", 1);
}

static void
test_shown_settlement_of_nothing(void **state)
{
	int month = 2;
	uint64_t line = show_settlement(&month, BE_PARENT_BILLING_EVENT_ID, "");

	(void)state;
	expect(CHECK_DF1, BILLING, month, line, "parent_billing_event_id",
	    "does not name an INVOICED event", 1);
}

static void
test_shown_settlement_by_nothing(void **state)
{
	int month = 2;
	uint64_t line = show_settlement(&month, BE_DISBURSEMENT_BILLING_EVENT_ID, "");

	(void)state;
	expect(CHECK_DF2, BILLING, month, line, "disbursement_billing_event_id",
	    "does not name a DISBURSEMENT", 1);
}

static void
test_shown_settlement_of_too_much(void **state)
{
	int month = 2;
	uint64_t line = show_settlement(&month, BE_AMOUNT, "-99999999.99");

	(void)state;
	expect(CHECK_DF1, BILLING, month, line, "amount", "does not negate", 1);
}

static void
test_shown_settlement_is_no_payout(void **state)
{
	int month = 2, with_failure = 2;
	uint64_t line;

	(void)state;
	(void)show_settlement(&month, 0, NULL);
	line = spoil(&with_failure, failure, BE_PARENT_BILLING_EVENT_ID,
	    "0123456789012345678901234567890123456789");
	expect(CHECK_DF4, BILLING, with_failure, line, "parent_billing_event_id",
	    "does not name a DISBURSEMENT", 1);
}

static void
test_balance_impact(void **state)
{
	int month = 1, month_of_tax = 1;
	uint64_t line = spoil(&month, invoiced, BE_BALANCE_IMPACTING, "0");
	const struct feed_want tax[] = { { BE_TRANSACTION_TYPE, "AWS_TAX_SHARE" }, END };
	uint64_t line_of_tax = spoil(&month_of_tax, tax, BE_BALANCE_IMPACTING, "1");

	(void)state;
	expect(CHECK_DF5, BILLING, month, line, "balance_impacting", "is 0 for what", 2);
	expect(CHECK_DF5, BILLING, month_of_tax, line_of_tax, "balance_impacting",
	    "is 1 for a tax of the operator", 2);
}

static void
test_payouts_may_count_or_not(void **state)
{
	int month = 2;
	struct check_result x;

	(void)state;
	(void)spoil(&month, payout, BE_BALANCE_IMPACTING, "1");
	x = check_against(NULL, 100);
	assert_int_equal(x.total, 0);
	feeds_check_free(&x);
}

/* ---- DF-6 ---- */

/* A tax event and the line of one of its tax items, both of January. */
static void
tax_of_january(struct feed_text *items, size_t *item, uint64_t *event_line)
{
	struct feed_text events;
	char invoice[64];
	const struct feed_want taxed[] = { { TAX_TAX_TYPE_CODE, "Sales" }, END };
	const struct feed_want event[] = { { BE_INVOICE_ID, invoice }, { BE_ACTION, "INVOICED" },
		{ BE_UPDATE_DATE, NULL }, END };
	size_t at;

	feed_load(dir, FEED_TAX_ITEM, 1, items);
	*item = feed_find(items, 1, taxed);
	(void)snprintf(
	    invoice, sizeof(invoice), "%s", feed_cell(items->line[*item], TAX_INVOICE_ID));
	feed_load(dir, BILLING, 1, &events);
	at = feed_find(&events, 1, event);
	while (at > 0 && strstr(feed_cell(events.line[at], BE_TRANSACTION_TYPE), "_TAX_") == NULL)
		at = feed_find(&events, at + 1, event);
	feed_text_free(&events);
	assert_true(at > 0);
	*event_line = at + 1;
}

static void
test_tax_items_that_do_not_make_the_tax(void **state)
{
	struct feed_text t;
	size_t item;
	uint64_t event;

	(void)state;
	tax_of_january(&t, &item, &event);
	feed_set(&t, item, TAX_TAX_AMOUNT, "0.0000001");
	feed_save(dir, FEED_TAX_ITEM, 1, &t);
	expect(CHECK_DF6, BILLING, 1, event, "amount", "differs from the tax items", 1);
}

static void
test_tax_without_items(void **state)
{
	struct feed_text t;
	char invoice[64];
	const struct feed_want same[] = { { TAX_INVOICE_ID, invoice }, END };
	size_t item;
	uint64_t event;

	(void)state;
	tax_of_january(&t, &item, &event);
	(void)snprintf(invoice, sizeof(invoice), "%s", feed_cell(t.line[item], TAX_INVOICE_ID));
	while ((item = feed_find(&t, 1, same)) > 0)
		feed_delete(&t, item);
	feed_save(dir, FEED_TAX_ITEM, 1, &t);
	expect(CHECK_DF6, BILLING, 1, event, "amount", "is a tax without tax items", 1);
}

static void
test_tax_items_in_another_currency(void **state)
{
	struct feed_text t;
	size_t item;
	uint64_t event;
	bool yen;

	(void)state;
	tax_of_january(&t, &item, &event);
	yen = strcmp(feed_cell(t.line[item], TAX_TAX_CURRENCY), "JPY") == 0;
	feed_set(&t, item, TAX_TAX_CURRENCY, yen ? "USD" : "JPY");
	feed_save(dir, FEED_TAX_ITEM, 1, &t);
	expect(CHECK_DF6, FEED_TAX_ITEM, 1, item + 1, "tax_amount", "not invoiced", 2);
}

static void
test_tax_items_of_no_tax(void **state)
{
	struct feed_text t;
	size_t item;
	uint64_t event;

	(void)state;
	tax_of_january(&t, &item, &event);
	feed_insert(&t, t.n, t.line[item]);
	item = t.n - 1;
	feed_set(&t, item, TAX_TAX_ITEM_ID, "another0another0another0another0another0");
	feed_set(&t, item, TAX_INVOICE_ID, "1");
	feed_save(dir, FEED_TAX_ITEM, 1, &t);
	expect(CHECK_DF6, FEED_TAX_ITEM, 1, item + 1, "tax_amount", "not invoiced", 1);
}

/* Before August 2021 taxes had no items. */
static void
test_old_taxes_need_no_items(void **state)
{
	const char *old = feed_dir_new();
	struct make_options o = {
		.dir = old, .events = 3000, .seed = 2, .from_month = 2021 * 12 + 2, .months = 4
	};
	struct make_result made;
	struct check_options check = { .dir = old, .limit = 10 };
	struct check_result x;
	struct fail f = { 0 };

	(void)state;
	assert_int_equal(feeds_make(&o, &made, &f), SOUK_OK);
	feed_dir_run(old, "for f in tax_item_v1/*/*/data.csv; do sed -i 2,\\$d $f; done");
	assert_int_equal(feeds_check(&check, &x, &f), SOUK_OK);
	assert_int_equal(x.total, 0);
	feeds_check_free(&x);
	feed_dir_remove(old);
}

/* ---- DF-7 ---- */

static void
test_row_twice_in_each_feed(void **state)
{
	(void)state;
	for (enum feed feed = 0; feed < FEED__COUNT; feed++) {
		struct feed_text t;
		const struct feed_info *info = feed_info(feed);
		size_t last;

		feed_load(dir, feed, 1, &t);
		feed_insert(&t, t.n, t.line[1]);
		last = t.n;
		feed_save(dir, feed, 1, &t);
		expect(CHECK_DF7, feed, 1, last, info->columns[info->key[0]].name,
		    "is there before", feed + 1);
	}
}

static void
test_correction_is_no_double(void **state)
{
	struct feed_text t;
	struct check_result x;

	(void)state;
	feed_load(dir, FEED_PRODUCT, 1, &t);
	feed_insert(&t, t.n, t.line[1]);
	feed_set(&t, t.n - 1, PRD_UPDATE_DATE, "2024-01-30T00:00:00Z");
	feed_save(dir, FEED_PRODUCT, 1, &t);
	x = check_against(NULL, 100);
	assert_int_equal(x.total, 0);
	feeds_check_free(&x);
}

/* A line that was taken back is none: its payout misses it, and what names it dangles. */
static void
test_rows_taken_back_do_not_count(void **state)
{
	int month = 2;
	struct feed_text t;
	size_t line = first_row(&month, line_of_revenue, &t);
	struct check_result x;

	(void)state;
	feed_insert(&t, t.n, t.line[line]);
	feed_set(&t, t.n - 1, BE_UPDATE_DATE, "2024-02-29T23:00:00Z");
	feed_set(&t, t.n - 1, BE_DELETE_DATE, "2024-02-29T23:00:00Z");
	feed_save(dir, BILLING, month, &t);
	feed_load(dir, FEED_PRODUCT, 1, &t);
	feed_insert(&t, t.n, t.line[1]);
	feed_set(&t, t.n - 1, PRD_UPDATE_DATE, "2024-02-01T12:00:00Z");
	feed_set(&t, t.n - 1, PRD_DELETE_DATE, "2024-02-01T12:00:00Z");
	feed_save(dir, FEED_PRODUCT, 1, &t);
	x = check_against(NULL, 100);
	assert_int_equal(x.count[CHECK_DF2], 1);
	assert_true(x.count[CHECK_LINK] > 10);
	feeds_check_free(&x);
}

/* Of an event with two valid_from the later one is what there is. */
static void
test_a_later_version_takes_the_place(void **state)
{
	int month = 2;
	struct feed_text t;
	size_t line = first_row(&month, line_of_revenue, &t);
	struct check_result x;

	(void)state;
	feed_insert(&t, t.n, t.line[line]);
	feed_set(&t, t.n - 1, BE_VALID_FROM, "2024-02-29T22:00:00Z");
	feed_set(&t, t.n - 1, BE_UPDATE_DATE, "2024-02-29T23:00:00Z");
	feed_save(dir, BILLING, month, &t);
	x = check_against(NULL, 100);
	assert_int_equal(x.total, 0);
	feeds_check_free(&x);
}

/* ---- DF-8 ---- */

/* The columns of one month in another order: read rightly, and still told. */
static void
test_header_of_another_order(void **state)
{
	char command[512];
	struct check_result x;

	(void)state;
	(void)snprintf(command, sizeof(command),
	    "awk -F, -v OFS=, '{ t = $10; $10 = $11; $11 = t; print }' %s > x && mv x %s",
	    feed_path(BILLING, 3), feed_path(BILLING, 3));
	feed_dir_run(dir, command);
	x = check_against(NULL, 100);
	(void)found(&x, CHECK_DF8, BILLING, 3, 1, "");
	assert_int_equal(x.total, 1);
	feeds_check_free(&x);
}

static const char *
earlier_copy(void)
{
	const char *before = feed_dir_new();
	char command[256];

	(void)snprintf(command, sizeof(command), "cp -r . '%s'", before);
	feed_dir_run(dir, command);
	return before;
}

static void
test_files_may_grow(void **state)
{
	const char *before = earlier_copy();
	struct check_result x;

	(void)state;
	feed_dir_run(before, "sed -i '$d' billing_event_v1/year=2024/month=06/data.csv");
	feed_dir_run(before, "rm -r offer_v1/year=2024/month=06");
	feed_dir_run(before, "gzip billing_event_v1/year=2024/month=05/data.csv");
	x = check_against(before, 100);
	assert_int_equal(x.total, 0);
	feeds_check_free(&x);
	feed_dir_remove(before);
}

static void
test_delivered_rows_stay(void **state)
{
	const char *before = earlier_copy();
	struct feed_text t;
	struct check_result x;
	size_t last;

	(void)state;
	feed_load(dir, FEED_PRODUCT, 1, &t);
	feed_set(&t, 3, PRD_TITLE, "Another Title");
	feed_save(dir, FEED_PRODUCT, 1, &t);
	feed_load(dir, FEED_ACCOUNT, 2, &t);
	feed_delete(&t, t.n - 1);
	feed_save(dir, FEED_ACCOUNT, 2, &t);
	feed_dir_run(dir, "rm -r legacy_mapping_v1/year=2024/month=02");
	feed_load(dir, BILLING, 4, &t);
	last = t.n;
	feed_set(&t, last - 1, BE_BANK_TRACE_ID, "X");
	feed_save(dir, BILLING, 4, &t);
	x = check_against(before, 100);
	(void)found(&x, CHECK_DF8, BILLING, 4, last, "");
	(void)found(&x, CHECK_DF8, FEED_PRODUCT, 1, 4, "");
	(void)found(&x, CHECK_DF8, FEED_LEGACY_MAPPING, 2, 0, "");
	assert_int_equal(x.count[CHECK_DF8], 4);
	feeds_check_free(&x);
	feed_dir_remove(before);
}

/* ---- links ---- */

static void
test_ids_that_lead_nowhere(void **state)
{
	static const struct {
		enum feed feed;
		unsigned column;
		const char *value;
	} cases[] = {
		{ FEED_ACCOUNT, ACC_MAILING_ADDRESS_ID, "nowhere" },
		{ FEED_ACCOUNT, ACC_TAX_ADDRESS_ID, "nowhere" },
		{ FEED_ADDRESS, ADR_AWS_ACCOUNT_ID, "999999999999" },
		{ FEED_PRODUCT, PRD_MANUFACTURER_ACCOUNT_ID, "nowhere" },
		{ FEED_OFFER, OFF_SELLER_ACCOUNT_ID, "nowhere" },
		{ FEED_OFFER_PRODUCT, OFP_PRODUCT_ID, "nowhere" },
		{ FEED_OFFER_TARGET, OFT_OFFER_ID, "nowhere" },
		{ BILLING, BE_FROM_ACCOUNT_ID, "nowhere" },
		{ BILLING, BE_TO_ACCOUNT_ID, "nowhere" },
		{ BILLING, BE_END_USER_ACCOUNT_ID, "nowhere" },
		{ BILLING, BE_BILLING_ADDRESS_ID, "nowhere" },
		{ BILLING, BE_PARENT_BILLING_EVENT_ID, "nowhere" },
		{ FEED_TAX_ITEM, TAX_TAXED_CUSTOMER_ACCOUNT_ID, "nowhere" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct feed_info *info = feed_info(cases[i].feed);
		struct feed_text t;
		size_t line;
		char old[256];

		feed_load(dir, cases[i].feed, 1, &t);
		/* A version that nothing supersedes, and an account without an address of its own. */
		line = t.n - 1;
		(void)snprintf(old, sizeof(old), "%s", feed_cell(t.line[line], cases[i].column));
		feed_set(&t, line, cases[i].column, cases[i].value);
		feed_save(dir, cases[i].feed, 1, &t);
		expect(CHECK_LINK, cases[i].feed, 1, line + 1, info->columns[cases[i].column].name,
		    "no", 1);
		feed_load(dir, cases[i].feed, 1, &t);
		feed_set(&t, line, cases[i].column, old);
		feed_save(dir, cases[i].feed, 1, &t);
	}
}

static void
test_links_to_a_feed_that_is_not_there_are_not_followed(void **state)
{
	struct check_result x;

	(void)state;
	feed_dir_run(dir, "rm -r address_v1 account_v1");
	x = check_against(NULL, 100);
	assert_int_equal(x.total, 0);
	assert_int_equal(x.absent, 1u << FEED_ADDRESS | 1u << FEED_ACCOUNT);
	feeds_check_free(&x);
}

static void
test_cyclic_parents(void **state)
{
	int month = 1;
	struct feed_text t;
	size_t a = first_row(&month, invoiced, &t), b = feed_find(&t, a + 1, invoiced_fee);
	char id[64];

	(void)state;
	(void)snprintf(id, sizeof(id), "%s", feed_cell(t.line[b], BE_BILLING_EVENT_ID));
	feed_set(&t, b, BE_PARENT_BILLING_EVENT_ID, feed_cell(t.line[a], BE_BILLING_EVENT_ID));
	feed_set(&t, a, BE_PARENT_BILLING_EVENT_ID, id);
	feed_save(dir, BILLING, month, &t);
	expect(CHECK_CYCLE, BILLING, month, a + 1, "parent_billing_event_id", "leads back", 1);
}

static void
test_event_that_is_its_own_parent(void **state)
{
	int month = 1;
	struct feed_text t;
	size_t a = first_row(&month, invoiced, &t);

	(void)state;
	feed_set(&t, a, BE_PARENT_BILLING_EVENT_ID, feed_cell(t.line[a], BE_BILLING_EVENT_ID));
	feed_save(dir, BILLING, month, &t);
	expect(CHECK_CYCLE, BILLING, month, a + 1, "parent_billing_event_id", "leads back", 1);
}

/* ---- values ---- */

static void
test_values_that_feeds_do_not_have(void **state)
{
	static const struct {
		enum feed feed;
		unsigned column;
		const char *value;
	} cases[] = {
		{ FEED_ACCOUNT, ACC_AWS_ACCOUNT_ID, "12345" },
		{ FEED_OFFER_TARGET, OFT_TARGET_TYPE, "Everybody" },
		{ FEED_OFFER_TARGET, OFT_POLARITY, "Neutral" },
		{ FEED_LEGACY_MAPPING, LEG_MAPPING_TYPE, "ORDER" },
		{ BILLING, BE_BROKER_ID, "SOMEBODY" },
		{ FEED_TAX_ITEM, TAX_TAX_LIABLE_PARTY, "Buyer" },
		{ FEED_TAX_ITEM, TAX_TRANSACTION_TYPE_CODE, "REVERSAL" },
		{ FEED_TAX_ITEM, TAX_JURISDICTION_LEVEL, "Galaxy" },
		{ FEED_ADDRESS, ADR_VALID_TO, "2024-02-01T00:00:00Z" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct feed_info *info = feed_info(cases[i].feed);
		struct feed_text t;
		size_t line;

		feed_load(dir, cases[i].feed, 1, &t);
		line = t.n - 1;
		feed_set(&t, line, cases[i].column, cases[i].value);
		feed_save(dir, cases[i].feed, 1, &t);
		expect(CHECK_VALUE, cases[i].feed, 1, line + 1, info->columns[cases[i].column].name,
		    "is not", i + 1);
	}
}

/* ---- findings ---- */

static void
test_limit_keeps_some_and_counts_all(void **state)
{
	struct check_result x;

	(void)state;
	feed_dir_run(dir, "sed -i 's/,USD,/,EUR,/' billing_event_v1/year=2024/month=02/data.csv");
	x = check_against(NULL, 3);
	assert_true(x.count[CHECK_DF1] > 3);
	assert_true(x.n <= 3 * CHECK__COUNT);
	for (size_t i = 1; i < x.n; i++)
		assert_true(strcmp(x.findings[i - 1].file, x.findings[i].file) < 0 ||
			    x.findings[i - 1].line <= x.findings[i].line);
	feeds_check_free(&x);
}

static void
test_no_feeds_is_an_error(void **state)
{
	struct check_options o = { .limit = 5 };
	struct check_result x;
	struct fail f = { 0 };

	(void)state;
	o.dir = feed_dir_new();
	assert_int_equal(feeds_check(&o, &x, &f), SOUK_E_INVALID);
	feeds_check_free(&x);
	feed_dir_remove(o.dir);
}

#define broken(test) cmocka_unit_test_setup_teardown(test, make_feeds, remove_feeds)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		broken(test_sound_feeds_have_no_findings),
		broken(test_line_with_an_amount_beyond_its_parent),
		broken(test_line_with_the_sign_of_its_parent),
		broken(test_part_of_the_parent_is_no_finding_of_its_own),
		broken(test_line_of_another_type_than_its_parent),
		broken(test_line_without_a_parent),
		broken(test_event_paid_twice),
		broken(test_payout_that_its_lines_do_not_make),
		broken(test_disbursement_without_lines),
		broken(test_line_in_another_currency_is_never_added),
		broken(test_line_without_a_disbursement),
		broken(test_forgiven_in_part),
		broken(test_forgiven_without_a_parent),
		broken(test_failure_of_another_amount),
		broken(test_failure_of_no_disbursement),
		broken(test_balance_impact),
		broken(test_shown_settlements_are_sound),
		broken(test_shown_settlement_counts_twice),
		broken(test_shown_settlement_of_nothing),
		broken(test_shown_settlement_by_nothing),
		broken(test_shown_settlement_of_too_much),
		broken(test_shown_settlement_is_no_payout),
		broken(test_payouts_may_count_or_not),
		broken(test_tax_items_that_do_not_make_the_tax),
		broken(test_tax_without_items),
		broken(test_tax_items_in_another_currency),
		broken(test_tax_items_of_no_tax),
		cmocka_unit_test(test_old_taxes_need_no_items),
		broken(test_row_twice_in_each_feed),
		broken(test_correction_is_no_double),
		broken(test_rows_taken_back_do_not_count),
		broken(test_a_later_version_takes_the_place),
		broken(test_header_of_another_order),
		broken(test_files_may_grow),
		broken(test_delivered_rows_stay),
		broken(test_ids_that_lead_nowhere),
		broken(test_links_to_a_feed_that_is_not_there_are_not_followed),
		broken(test_cyclic_parents),
		broken(test_event_that_is_its_own_parent),
		broken(test_values_that_feeds_do_not_have),
		broken(test_limit_keeps_some_and_counts_all),
		cmocka_unit_test(test_no_feeds_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
