/* SPDX-License-Identifier: Apache-2.0 */
/* Tax items: collapsed and in order, however many threads read them and however their rows stand. */
#include "folder.h"

#include "feeds/report_tax_items.h"

#define ITEMS 4000 /* of three jurisdictions each: a file of many chunks */
#define FILE_NAME "tax_item_v1/year=2024/month=01/data.csv"
#define HEADER                                                                                     \
	"tax_item_id,invoice_id,line_item_id,customer_bill_id,tax_liable_party,"                   \
	"transaction_type_code,product_id,product_tax_code,invoice_date,"                          \
	"taxed_customer_account_id,taxed_customer_country,taxed_customer_state_or_region,"         \
	"taxed_customer_city,taxed_customer_postal_code,tax_location_code_taxed_jurisdiction,"     \
	"tax_type_code,jurisdiction_level,taxed_jurisdiction,display_price_taxability_type,"       \
	"taxable_amount,nontaxable_amount,tax_jurisdiction_rate,tax_amount,tax_currency,"          \
	"tax_calculation_reason_code,date_used_for_tax_calculation,"                               \
	"customer_exemption_certificate_id,customer_exemption_certificate_id_domain,"              \
	"customer_exemption_certificate_level,customer_exemption_code,customer_exemption_domain,"  \
	"transaction_reference_id,valid_from,insert_date,update_date,delete_date\n"

static struct report_request
request(const char *dir, unsigned threads)
{
	return (struct report_request){ .source = folder_source(dir),
		.from = 0,
		.to = INSTANT_MAX,
		.known_at = INSTANT_NONE,
		.currency = CURRENCY_NONE,
		.threads = threads };
}

/* A row of line item `n`: everything tells which one it is of; `amount` is its tax. */
static void
add_row(struct buf *b, unsigned n, unsigned level, const char *amount, const char *country,
    const char *updated, const char *deleted)
{
	static const char *const levels[] = { "City", "County", "State" };

	buf_printf(b,
	    "item-%u-%u,inv,line-%u,bill-%u,Seller,AWS,prod-%u,code-%u,2024-01-%02uT10:00:00Z,"
	    "acc-%u,%s,\"state, %u\",city-%u,zip-%u,loc-%u-%u,Sales,%s,juris-%u-%u,Exclusive,"
	    "%u.5,0,0.0%u,%s,USD,Taxable,2024-01-%02uT10:00:00Z,cert-%u,,,,dom-%u,ref-%u,"
	    "2024-01-01T00:00:00Z,,%s,%s\n",
	    n, level, n, n, n % 7, n % 7, n % 28 + 1, n % 50, country, n % 50, n % 50, n % 50, n,
	    level, levels[level], n, level, n, level + 1, amount, n % 28 + 1, n, n, n, updated,
	    deleted);
}

static void
check_text(const struct tax_record *r, enum tax_item_column column, const char *format, unsigned n)
{
	struct buf want = { 0 };

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	buf_printf(&want, format, n);
#pragma GCC diagnostic pop
	if (!str_eq(tax_cell(r, column), buf_str(&want)))
		fail_msg("column %u is not %s", (unsigned)column, want.p);
	buf_done(&want);
}

static void
check_record(const struct tax_record *r)
{
	struct str line = tax_cell(r, TAX_LINE_ITEM_ID);
	uint64_t wide;
	unsigned n;

	assert_true(str_to_u64((struct str){ line.p + 5, line.n - 5 }, ITEMS, &wide));
	n = (unsigned)wide;
	check_text(r, TAX_CUSTOMER_BILL_ID, "bill-%u", n);
	check_text(r, TAX_PRODUCT_ID, "prod-%u", n % 7);
	check_text(r, TAX_PRODUCT_TAX_CODE, "code-%u", n % 7);
	check_text(r, TAX_TAXED_CUSTOMER_ACCOUNT_ID, "acc-%u", n % 50);
	check_text(r, TAX_TAXED_CUSTOMER_STATE_OR_REGION, "state, %u", n % 50);
	check_text(r, TAX_TAXED_CUSTOMER_CITY, "city-%u", n % 50);
	check_text(r, TAX_TAXED_CUSTOMER_POSTAL_CODE, "zip-%u", n % 50);
	check_text(r, TAX_CUSTOMER_EXEMPTION_CERTIFICATE_ID, "cert-%u", n);
	check_text(r, TAX_CUSTOMER_EXEMPTION_DOMAIN, "dom-%u", n);
	check_text(r, TAX_TRANSACTION_REFERENCE_ID, "ref-%u", n);
	assert_true(str_eq_c(tax_cell(r, TAX_TAX_LIABLE_PARTY), "Seller"));
	assert_true(str_eq_c(tax_cell(r, TAX_DISPLAY_PRICE_TAXABILITY_TYPE), "Exclusive"));
	assert_true(str_eq_c(tax_cell(r, TAX_TAX_CALCULATION_REASON_CODE), "Taxable"));
	assert_int_equal(tax_cell(r, TAX_CUSTOMER_EXEMPTION_CODE).n, 0);
	assert_true(r->taxable == n * MONEY_ONE + MONEY_ONE / 2 && r->nontaxable == 0);
	assert_true(r->date == r->date_used);
	/* 1, 2 and 3 for its jurisdictions, the second corrected from 9. */
	assert_true(r->total_tax == 6 * MONEY_ONE);
}

/* Rows of jurisdictions together, or all of one level first; with corrections before and behind what they correct. */
static void
write_items(const char *dir, bool together)
{
	struct buf b = { 0 };

	buf_add_c(&b, HEADER);
	for (unsigned i = 0; i < ITEMS * 3; i++) {
		unsigned n = together ? i / 3 : i % ITEMS, level = together ? i % 3 : i / ITEMS;

		if (level == 1 && n % 2 == 0)
			add_row(&b, n, 1, "9", "US", "2024-01-01T00:00:00Z", "");
		add_row(&b, n, level,
		    level == 0   ? "1"
		    : level == 1 ? "2"
				 : "3",
		    "US", "2024-02-01T00:00:00Z", "");
		if (level == 1 && n % 2 == 1)
			add_row(&b, n, 1, "9", "DE", "2024-01-01T00:00:00Z", "");
	}
	assert_true(buf_ok(&b));
	folder_clear(dir);
	folder_text(dir, FILE_NAME, b.p);
	buf_done(&b);
}

static void
test_order(void **state)
{
	const char *dir = *state;

	for (unsigned i = 0; i < 4; i++) {
		struct report_request q;
		struct tax_items x = { 0 };

		write_items(dir, i % 2 == 0);
		q = request(dir, i < 2 ? 1 : 3);
		assert_int_equal(tax_items_read(&q, &x, NULL), SOUK_OK);
		assert_int_equal(x.n, 3 * ITEMS);
		for (size_t r = 0; r < x.n; r++) {
			check_record(x.list[r]);
			assert_true(r == 0 || x.list[r - 1]->date <= x.list[r]->date);
			/* City, County, State of one line item. */
			assert_true(str_eq(tax_cell(x.list[r], TAX_LINE_ITEM_ID),
			    tax_cell(x.list[r - r % 3], TAX_LINE_ITEM_ID)));
			assert_true(x.list[r]->tax == (money_t)(r % 3 + 1) * MONEY_ONE);
		}
		tax_items_free(&x);
		feed_source_free(q.source);
	}
}

/* What is printed of a few rows: the taxes of items, in order. */
static void
check_taxes(const char *dir, const struct report_request *asked, const char *want)
{
	struct report_request q = *asked;
	struct tax_items x = { 0 };
	struct buf got = { 0 };

	q.source = folder_source(dir);
	assert_int_equal(tax_items_read(&q, &x, NULL), SOUK_OK);
	for (size_t i = 0; i < x.n; i++) {
		buf_add_money(&got, x.list[i]->tax, 0);
		buf_add_char(&got, ' ');
	}
	assert_string_equal(text_of(&got), want);
	buf_done(&got);
	tax_items_free(&x);
	feed_source_free(q.source);
}

static void
test_versions(void **state)
{
	const char *dir = *state;
	struct report_request q = {
		.to = INSTANT_MAX, .known_at = INSTANT_NONE, .currency = CURRENCY_NONE, .threads = 2
	};
	struct buf b = { 0 };

	buf_add_c(&b, HEADER);
	add_row(&b, 1, 0, "10", "US", "2024-01-05T00:00:00Z", "");
	add_row(&b, 1, 0, "11", "US", "2024-01-06T00:00:00Z", "");
	add_row(&b, 2, 0, "20", "US", "2024-01-05T00:00:00Z", "");
	add_row(&b, 2, 0, "20", "US", "2024-01-06T00:00:00Z", "2024-01-06T00:00:00Z");
	add_row(&b, 3, 0, "31", "US", "2024-01-05T00:00:00Z", ""); /* a tie: the greater text */
	add_row(&b, 3, 0, "32", "US", "2024-01-05T00:00:00Z", "");
	add_row(&b, 4, 0, "40", "US", "2024-01-05T00:00:00Z", "");
	add_row(&b, 4, 0, "41", "CA", "2024-01-06T00:00:00Z", ""); /* moved out of the country */
	folder_clear(dir);
	folder_text(dir, FILE_NAME, b.p);
	buf_done(&b);
	check_taxes(dir, &q, "11 32 ");
	assert_true(instant_parse(STR("2024-01-05T12:00:00Z"), &q.known_at));
	check_taxes(dir, &q, "10 20 32 40 ");
	q.known_at = INSTANT_NONE;
	assert_true(
	    instant_parse(STR("2024-01-03T00:00:00Z"), &q.from)); /* line item 1 is of the 2nd */
	check_taxes(dir, &q, "32 ");
	q.from = 0;
	q.currency = currency_of(STR("EUR"));
	check_taxes(dir, &q, "");
}

/* A value that is none, though its neighbour's was met before. */
static void
test_faults(void **state)
{
	const char *dir = *state;
	struct report_request q;
	struct tax_items x = { 0 };
	struct buf b = { 0 };
	struct told told;

	told_init(&told);
	buf_add_c(&b, HEADER);
	add_row(&b, 1, 0, "1", "US", "2024-01-05T00:00:00Z", "");
	add_row(&b, 1, 1, "1.", "US", "2024-01-05T00:00:00Z", "");
	add_row(&b, 1, 2, "", "US", "2024-01-05T00:00:00Z", "");
	add_row(&b, 2, 2, "3", "US", "2024-01-05", "soon");
	add_row(&b, 2, 1, "4", "US", "", "");
	folder_clear(dir);
	folder_text(dir, FILE_NAME, b.p);
	q = request(dir, 2);
	q.faults = &told.sink;
	assert_int_equal(tax_items_read(&q, &x, NULL), SOUK_OK);
	assert_string_equal(text_of(&told.text),
	    "3:tax_amount:is not an amount|5:delete_date:is not an instant|6:update_date:is "
	    "empty|");
	assert_int_equal(x.n, 2); /* an empty amount is none */
	assert_true(x.list[1]->tax == 0);
	tax_items_free(&x);
	feed_source_free(q.source);
	told_done(&told);
	buf_done(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_faults),
	};

	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
