/* SPDX-License-Identifier: Apache-2.0 */
/* Sales compensation by hand: amounts, payers, addresses, months, variants, what is left out. */
#include "folder.h"

#include "feeds/sales.h"

#define EVENTS "billing_event_v1/year=2024/month=05/data.csv"

/* from, user, product, action, type, amount, currency, impacting, invoice date, address, reference; ids are numbered. */
#define E(id, from, user, product, action, type, amount, currency, impacting, date, address, ref)  \
	id "," from ",to," user "," product "," action "," type ",,," amount "," currency          \
	   "," impacting "," date ",,,,," address "," ref ",,," date ",," date ",\n"
#define SALE(id, ref, amount)                                                                      \
	E(id, "acc-p", "acc-u", "prod-1", "INVOICED", "SELLER_REV_SHARE", amount, "USD", "1",      \
	    "2024-05-10T00:00:00Z", "adr-1", ref)

static void
write_dimensions(const char *dir)
{
	folder_clear(dir);
	folder_text(dir, "account_v1/year=2024/month=01/data.csv",
	    ACCOUNT_HEADER "acc-p,111111111111,,adr-mail,,,,2024-01-01,,2024-01-01,\n"
			   "acc-p,111111111112,,adr-mail,,,,2024-06-01,,2024-06-01,\n"
			   "acc-u,222222222222,,,,,,2024-05-11,,2024-05-11,\n"
			   "acc-s,999999999999,,,,,,2024-01-01,,2024-01-01,\n");
	folder_text(dir, "piifeed/year=2024/month=01/data.csv",
	    ADDRESS_HEADER
	    "adr-1,111111111111,one.example,One,US,WA,Seattle,98101,,,,2024-01-01,,,2024-01-01,\n"
	    "adr-2,111111111111,two.example,Two,DE,BE,Berlin,10115,,,,2024-01-01,,,2024-01-01,\n"
	    "adr-3,111111111111,three.example,Three,FR,,Paris,75001,,,,2024-01-01,,,2024-01-01,\n"
	    "adr-3,222222222222,four.example,Four,ES,,Madrid,28001,,,,2024-01-01,,,2024-01-01,\n"
	    "adr-mail,111111111111,mail.example,Mail,IT,,Rome,00100,,,,2024-01-01,,,2024-01-01,\n");
	folder_text(dir, "product_v1/year=2024/month=01/data.csv",
	    PRODUCT_HEADER "prod-1,m,code-1,Old title,2024-01-01,,2024-01-01,\n"
			   "prod-1,m,code-1,New title,2024-07-01,,2024-07-01,\n"
			   "prod-2,m,code-2,Second,2024-01-01,,2024-01-01,\n");
}

static struct sales *
fold(const char *dir, const struct sales_request *base, struct feed_source **ret_source)
{
	struct sales_request q = *base;
	struct sales *s = NULL;
	struct fail f = { 0 };

	q.source = *ret_source = folder_source(dir);
	if (q.month_to == 0) {
		q.month_from = MONTHS_FROM;
		q.month_to = MONTHS_TO;
	}
	if (q.known_at == 0)
		q.known_at = INSTANT_NONE;
	q.threads = 2;
	if (sales_fold(&q, &s, &f) != SOUK_OK)
		fail_msg("%s %s %s", f.detail, f.entry[0].field, f.entry[0].what);
	return s;
}

static void
add(struct buf *b, struct str s)
{
	buf_add_str(b, s);
	buf_add_char(b, ' ');
}

/* "reference payer-number user-number city domain title product-code gross fee net currency month payer events\n" */
static void
expect(const char *dir, const char *events, const struct sales_request *q, const char *want)
{
	struct feed_source *source;
	struct buf text = { 0 };
	struct sales *s;
	char part[8];

	buf_printf(&text, "%s%s", EVENT_HEADER, events);
	folder_write(dir, EVENTS, text.p, text.n);
	buf_clear(&text);
	s = fold(dir, q, &source);
	for (size_t i = 0; i < sales_count(s); i++) {
		struct sales_line l;
		size_t n;

		sales_at(s, i, &l);
		(void)sales_events(s, i, &n);
		assert_int_equal(n, l.n_events);
		add(&text, l.reference);
		add(&text, l.payer_account);
		add(&text, l.end_user_account);
		add(&text, l.city);
		add(&text, l.email_domain);
		add(&text, l.product_code);
		for (enum sales_amount a = 0; a < SALES__AMOUNTS; a++) {
			buf_add_money(&text, l.amount[a], 2);
			buf_add_char(&text, a + 1 < SALES__AMOUNTS ? '/' : ' ');
		}
		buf_add_money(&text, l.net, 2);
		currency_text(l.currency, part);
		buf_printf(&text, " %s ", part);
		month_text(l.month, part);
		buf_printf(&text, "%s %.*s %zu\n", part, (int)l.payer_id.n, l.payer_id.p, n);
	}
	assert_string_equal(text_of(&text), want);
	buf_done(&text);
	sales_free(s);
	feed_source_free(source);
}

static void
test_amounts(void **state)
{
	static const char events[] = SALE("1", "t1", "100") E("2", "acc-s", "acc-u", "prod-1",
	    "INVOICED", "AWS_REV_SHARE", "-5.005", "USD", "1", "2024-05-10", "adr-1", "t1")
	    E("3", "acc-p", "acc-u", "prod-1", "INVOICED", "SELLER_REV_SHARE_REFUND", "-10", "USD",
		"1", "2024-05-10", "adr-1", "t1") E("4", "acc-s", "acc-u", "prod-1", "INVOICED",
		"AWS_REV_SHARE_REFUND", "0.5", "USD", "1", "2024-05-10", "adr-1", "t1") E("5",
		"acc-p", "acc-u", "prod-1", "INVOICED", "SELLER_REV_SHARE_CREDIT", "-3", "USD", "1",
		"2024-05-10", "adr-1", "t1") E("6", "acc-s", "acc-u", "prod-1", "INVOICED",
		"AWS_REV_SHARE_CREDIT", "0.25", "USD", "1", "2024-05-10", "adr-1", "t1")
		E("7", "acc-p", "acc-u", "prod-1", "INVOICED", "SELLER_TAX_SHARE", "8", "USD", "1",
		    "2024-05-10", "adr-1", "t1") E("8", "acc-p", "acc-u", "prod-1", "INVOICED",
		    "SELLER_TAX_SHARE_REFUND", "-1", "USD", "1", "2024-05-10", "adr-1", "t1")
	    /* Neither counts: not the seller's balance; a correction of problems; what was paid out. */
	    E("9", "acc-p", "acc-u", "prod-1", "INVOICED", "AWS_TAX_SHARE", "77", "USD", "0",
		"2024-06-10", "adr-2", "t1") E("10", "acc-s", "acc-u", "prod-1", "INVOICED",
		"BALANCE_ADJUSTMENT", "77", "USD", "1", "2024-06-10", "adr-2", "t1")
		E("11", "acc-s", "acc-u", "prod-1", "DISBURSED", "AWS_REV_SHARE", "5", "USD", "1",
		    "2024-06-10", "adr-2", "t1")
	    /* Forgiven: nothing is left of it. */
	    SALE("12", "t2", "40") E("13", "acc-p", "acc-u", "prod-1", "FORGIVEN",
		"SELLER_REV_SHARE", "-40", "USD", "1", "2024-05-20", "adr-1", "t2");
	const char *dir = *state;

	write_dimensions(dir);
	expect(dir, events, &(struct sales_request){ 0 },
	    "t1 111111111111 222222222222 Seattle one.example code-1 "
	    "100.00/-5.01/-10.00/0.50/-3.00/0.25/0.00/8.00/-1.00 82.75 USD "
	    "2024-05 acc-p 8\n");
	expect(dir, events, &(struct sales_request){ .variant = SALES_QUERY },
	    "t1 111111111111 222222222222 Seattle one.example code-1 "
	    "100.00/-5.01/-10.00/0.50/-3.00/0.25/0.00/8.00/-1.00 89.75 USD "
	    "2024-05 acc-p 8\n");
}

/* One transaction over products, users, currencies and months; the unknown; order of the output. */
static void
test_lines(void **state)
{
	static const char events[] = SALE("1", "t2", "100") SALE("2", "t1", "1") E("3", "acc-p",
	    "acc-p", "prod-1", "INVOICED", "SELLER_REV_SHARE", "2", "USD", "1", "2024-06-10",
	    "adr-1", "t2") E("4", "acc-p", "acc-u", "prod-2", "INVOICED", "SELLER_REV_SHARE", "3",
	    "USD", "1", "2024-05-10", "adr-1", "t2") E("5", "acc-p", "acc-u", "prod-1", "INVOICED",
	    "SELLER_REV_SHARE", "4", "EUR", "1", "2024-05-10", "adr-1", "t2")
	    E("6", "acc-p", "acc-u", "prod-1", "INVOICED", "SELLER_REV_SHARE", "5", "USD", "1",
		"2024-06-10", "adr-1", "t2") E("7", "acc-x", "", "prod-x", "INVOICED",
		"SELLER_REV_SHARE", "-6", "USD", "1", "2024-05-10", "adr-x", "") E("8", "acc-x", "",
		"", "INVOICED", "SELLER_REV_SHARE", "7", "USD", "1", "2024-05-10", "", "");
	const char *dir = *state;

	write_dimensions(dir);
	expect(dir, events, &(struct sales_request){ 0 },
	    "      7.00/0.00/0.00/0.00/0.00/0.00/0.00/0.00/0.00 7.00 USD 2024-05 acc-x 1\n"
	    "      -6.00/0.00/0.00/0.00/0.00/0.00/0.00/0.00/0.00 -6.00 USD 2024-05 acc-x 1\n"
	    "t1 111111111111 222222222222 Seattle one.example code-1 "
	    "1.00/0.00/0.00/0.00/0.00/0.00/0.00/0.00/0.00 1.00 USD 2024-05 acc-p 1\n"
	    /* The payer moved in June, and has no address of that name there. */
	    "t2 111111111112 111111111112   code-1 2.00/0.00/0.00/0.00/0.00/0.00/0.00/0.00/0.00 "
	    "2.00 "
	    "USD 2024-06 acc-p 1\n"
	    "t2 111111111111 222222222222 Seattle one.example code-1 "
	    "4.00/0.00/0.00/0.00/0.00/0.00/0.00/0.00/0.00 4.00 EUR 2024-05 acc-p 1\n"
	    "t2 111111111111 222222222222 Seattle one.example code-1 "
	    "100.00/0.00/0.00/0.00/0.00/0.00/0.00/0.00/0.00 100.00 USD 2024-05 acc-p 1\n"
	    "t2 111111111112 222222222222   code-1 5.00/0.00/0.00/0.00/0.00/0.00/0.00/0.00/0.00 "
	    "5.00 "
	    "USD 2024-06 acc-p 1\n"
	    "t2 111111111111 222222222222 Seattle one.example code-2 "
	    "3.00/0.00/0.00/0.00/0.00/0.00/0.00/0.00/0.00 3.00 USD 2024-05 acc-p 1\n");
	/* The query makes one line of two months. */
	expect(dir,
	    SALE("1", "t2", "100") E("6", "acc-p", "acc-u", "prod-1", "INVOICED",
		"SELLER_REV_SHARE", "5", "USD", "1", "2024-06-10", "adr-1", "t2"),
	    &(struct sales_request){ .variant = SALES_QUERY },
	    "t2 111111111112 222222222222   code-1 105.00/0.00/0.00/0.00/0.00/0.00/0.00/0.00/0.00 "
	    "105.00 USD 2024-06 acc-p 2\n");
	expect(dir,
	    SALE("1", "t2", "100") E("6", "acc-p", "acc-u", "prod-1", "INVOICED",
		"SELLER_REV_SHARE", "5", "USD", "1", "2024-06-10", "adr-1", "t2"),
	    &(struct sales_request){
		.month_from = MONTH_OF(2024, 5), .month_to = MONTH_OF(2024, 5) },
	    "t2 111111111111 222222222222 Seattle one.example code-1 "
	    "100.00/0.00/0.00/0.00/0.00/0.00/0.00/0.00/0.00 100.00 USD 2024-05 acc-p 1\n");
}

/* Few references, so that some thread has only such as begin alike: they are in the order of their texts all the same. */
static void
test_order(void **state)
{
	static const char *const names[] = { "", "alike-000-1", "alike-000-10", "alike-000-2", "b",
		"b-long-enough", "zz" };
	const char *dir = *state;

	write_dimensions(dir);
	for (unsigned set = 0; set < 1U << COUNT(names); set += 3) {
		struct feed_source *source;
		struct buf text = { 0 };
		struct sales *s;
		size_t line = 0;

		buf_add_c(&text, EVENT_HEADER);
		for (size_t i = COUNT(names); i-- > 0;)
			if (set >> i & 1)
				buf_printf(&text, SALE("%zu", "%s", "1"), i, names[i]);
		folder_write(dir, EVENTS, text.p, text.n);
		s = fold(dir, &(struct sales_request){ 0 }, &source);
		for (size_t i = 0; i < COUNT(names); i++) {
			struct sales_line l;

			if (!(set >> i & 1))
				continue;
			sales_at(s, line++, &l);
			assert_true(str_eq_c(l.reference, names[i]));
		}
		assert_int_equal(sales_count(s), line);
		sales_free(s);
		feed_source_free(source);
		buf_done(&text);
	}
}

static const char *
city_of(const char *dir, const char *events, const struct sales_request *q, char out[32])
{
	struct feed_source *source;
	struct buf text = { 0 };
	struct sales_line l;
	struct sales *s;

	buf_printf(&text, "%s%s", EVENT_HEADER, events);
	folder_write(dir, EVENTS, text.p, text.n);
	s = fold(dir, q, &source);
	assert_int_equal(sales_count(s), 1);
	sales_at(s, 0, &l);
	(void)snprintf(out, 32, "%.*s", (int)l.city.n, l.city.p);
	sales_free(s);
	feed_source_free(source);
	buf_done(&text);
	return out;
}

#define PAID(id, from, date, address, impacting)                                                   \
	E(id, from, "acc-u", "prod-1", "DISBURSED", "SELLER_REV_SHARE", "-100", "USD", impacting,  \
	    date, address, "t1")

static void
test_addresses(void **state)
{
	const char *dir = *state;
	struct sales_request all = { 0 }, may = { .month_from = MONTH_OF(2024, 5),
		.month_to = MONTH_OF(2024, 5) };
	char city[32];

	write_dimensions(dir);
	for (int i = 0; i < 2; i++) {
		const struct sales_request *q = i ? &may : &all;

		/* Payments of later months, and rows that stand before what they pay, count as well. */
		assert_string_equal(
		    city_of(dir,
			PAID("2", "acc-p", "2024-06-10", "adr-2", "1") SALE("1", "t1", "100"), q,
			city),
		    "Berlin");
		assert_string_equal(
		    city_of(dir,
			PAID("2", "acc-p", "2024-08-10", "adr-3", "1") SALE("1", "t1", "100")
			    PAID("3", "acc-p", "2024-07-10", "adr-2", "1"),
			q, city),
		    "Paris");
		/* Equal instants: the greater address. Another's payment, one that is not the seller's, one without address: none. */
		assert_string_equal(
		    city_of(dir,
			SALE("1", "t1", "100") PAID("2", "acc-p", "2024-08-10", "adr-2", "1")
			    PAID("3", "acc-p", "2024-08-10", "adr-3", "1"),
			q, city),
		    "Paris");
		assert_string_equal(
		    city_of(dir,
			SALE("1", "t1", "100") PAID("2", "acc-u", "2024-08-10", "adr-2", "1")
			    PAID("3", "acc-p", "2024-08-10", "adr-3", "0")
				PAID("4", "acc-p", "2024-08-10", "", "1"),
			q, city),
		    "Seattle");
	}
	assert_string_equal(city_of(dir,
				E("1", "acc-p", "", "prod-1", "INVOICED", "SELLER_REV_SHARE", "1",
				    "USD", "1", "2024-05-10", "", "t1"),
				&all, city),
	    "Rome");
	assert_string_equal(
	    city_of(dir,
		SALE("1", "t1", "100") E("2", "acc-p", "acc-u", "prod-1", "INVOICED",
		    "SELLER_REV_SHARE", "1", "USD", "1", "2024-05-10", "adr-2", "t1"),
		&all, city),
	    "Berlin");
}

/* An event between two accounts; 2024-05-10, of t1. */
#define BETWEEN(id, from, to, action, type, amount)                                                \
	id "," from "," to ",acc-u,prod-1," action "," type ",,," amount                           \
	   ",USD,1,2024-05-10T00:00:00Z,,,,,adr-1,t1,,,2024-05-10T00:00:00Z,,"                     \
	   "2024-05-10T00:00:00Z,\n"

/* A reseller's deal (data-feeds 4.4): the buyer pays 100, the manufacturer gets 80, the operator 0.20. */
#define DEAL(payer, seller)                                                                        \
	BETWEEN("1", payer, seller, "INVOICED", "SELLER_REV_SHARE", "100")                         \
	BETWEEN("2", seller, "maker", "INVOICED", "SELLER_REV_SHARE", "-80")                       \
	BETWEEN("3", seller, "AWS", "INVOICED", "AWS_REV_SHARE", "-0.2")

/* What the seller passes on is cost, and the seller no payer; the query takes whoever is greatest, and adds. */
static void
test_reseller(void **state)
{
	const char *dir = *state;

	write_dimensions(dir);
	expect(dir, DEAL("acc-p", "acc-s"), &(struct sales_request){ 0 },
	    "t1 111111111111 222222222222 Seattle one.example code-1 "
	    "100.00/-0.20/0.00/0.00/0.00/0.00/-80.00/0.00/0.00 19.80 USD 2024-05 acc-p 3\n");
	expect(dir, DEAL("acc-p", "acc-s"), &(struct sales_request){ .variant = SALES_QUERY },
	    "t1 999999999999 222222222222   code-1 "
	    "20.00/-0.20/0.00/0.00/0.00/0.00/0.00/0.00/0.00 19.80 USD 2024-05 acc-s 3\n");
	/* Taken back in part: 10 to the buyer, 8 from the manufacturer. Forgiven: neither makes another the seller. */
	expect(dir,
	    DEAL("acc-p", "acc-s")
		BETWEEN("4", "acc-p", "acc-s", "INVOICED", "SELLER_REV_SHARE_REFUND", "-10")
		    BETWEEN("5", "acc-s", "maker", "INVOICED", "SELLER_REV_SHARE_REFUND", "8")
			BETWEEN("6", "acc-p", "acc-s", "FORGIVEN", "SELLER_REV_SHARE", "-50")
			    BETWEEN("7", "acc-s", "maker", "FORGIVEN", "SELLER_REV_SHARE", "40"),
	    &(struct sales_request){ 0 },
	    "t1 111111111111 222222222222 Seattle one.example code-1 "
	    "50.00/-0.20/-10.00/0.00/0.00/0.00/-32.00/0.00/0.00 7.80 USD 2024-05 acc-p 7\n");
	/* No revenue in the month: who pays the fees is the seller. */
	expect(dir,
	    BETWEEN("1", "acc-s", "AWS", "INVOICED", "AWS_REV_SHARE_REFUND", "0.1")
		BETWEEN("2", "acc-s", "maker", "INVOICED", "SELLER_REV_SHARE_REFUND", "8")
		    BETWEEN("3", "acc-p", "acc-s", "INVOICED", "SELLER_REV_SHARE_REFUND", "-10"),
	    &(struct sales_request){ 0 },
	    "t1 111111111111 222222222222 Seattle one.example code-1 "
	    "0.00/0.00/-10.00/0.10/0.00/0.00/8.00/0.00/0.00 -1.90 USD 2024-05 acc-p 3\n");
}

static void
refuse(const char *dir, struct str seller, const char *want)
{
	struct sales_request q = { .source = folder_source(dir),
		.known_at = INSTANT_NONE,
		.month_from = MONTHS_FROM,
		.month_to = MONTHS_TO,
		.seller = seller,
		.threads = 2 };
	struct sales *s = NULL;
	struct fail f = { 0 };

	assert_int_equal(sales_fold(&q, &s, &f), SOUK_E_INVALID);
	assert_string_equal(f.entry[0].field, "--seller");
	assert_non_null(strstr(f.entry[0].what, want));
	feed_source_free(q.source);
}

/* Two sellers in one folder, in one transaction: acc-s sells on what it buys of acc-u. */
static void
test_sellers(void **state)
{
	static const char events[] = DEAL("acc-p", "acc-s")
	    BETWEEN("4", "acc-s", "acc-u", "INVOICED", "SELLER_REV_SHARE", "70")
		BETWEEN("5", "acc-u", "AWS", "INVOICED", "AWS_REV_SHARE", "-7")
		    BETWEEN("6", "acc-u", "acc-u", "DISBURSED", "SELLER_REV_SHARE", "-70");
	const char *dir = *state;

	write_dimensions(dir);
	expect(dir, events, &(struct sales_request){ .seller = STR("222222222222") },
	    "t1 999999999999 222222222222   code-1 "
	    "70.00/-7.00/0.00/0.00/0.00/0.00/0.00/0.00/0.00 63.00 USD 2024-05 acc-s 2\n");
	expect(dir, events, &(struct sales_request){ .seller = STR("maker") },
	    "t1 999999999999 222222222222   code-1 -80.00/0.00/0.00/0.00/0.00/0.00/0.00/0.00/0.00 "
	    "-80.00 "
	    "USD 2024-05 acc-s 1\n");
	refuse(dir, STR(""), "more than one seller");
	refuse(dir, STR("000000000001"), "is no account");
}

static void
test_totals(void **state)
{
	const char *dir = *state;
	struct feed_source *source;
	struct buf text = { 0 };
	const struct sales_total *t;
	struct sales *s;
	size_t n;

	write_dimensions(dir);
	buf_add_c(
	    &text, EVENT_HEADER SALE("1", "t1", "100") SALE("2", "t2", "7") SALE("3", "t2", "-7"));
	buf_add_c(&text, E("4", "acc-p", "acc-u", "prod-1", "INVOICED", "SELLER_REV_SHARE", "5",
			     "EUR", "1", "2024-06-10", "adr-1", "t1"));
	folder_write(dir, EVENTS, text.p, text.n);
	s = fold(dir, &(struct sales_request){ 0 }, &source);
	t = sales_totals(s, &n);
	assert_int_equal(n, 2);
	assert_true(t[0].currency == currency_of(STR("EUR")) && t[0].net == 5 * MONEY_ONE &&
		    t[0].lines == 1);
	assert_true(t[1].net == 100 * MONEY_ONE && t[1].lines == 1 && t[1].events == 3);
	assert_true(t[1].left_out[SALES_GROSS] == 0);
	sales_free(s);
	feed_source_free(source);
	buf_done(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_amounts),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_reseller),
		cmocka_unit_test(test_sellers),
		cmocka_unit_test(test_totals),
	};

	return cmocka_run_group_tests_name("feeds.sales", tests, folder_make, folder_remove);
}
