/* SPDX-License-Identifier: Apache-2.0 */
/* Made-up feeds: the same for the same options, sound, and with everything in them that is hard. */
#include "feeds/make.h"

#include "../base/check.h"
#include "feed_dir.h"
#include "feeds/check.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

static struct make_result
make(const char *dir, struct make_options o)
{
	struct make_result result = { 0 };
	struct fail f = { 0 };

	o.dir = dir;
	if (feeds_make(&o, &result, &f) != SOUK_OK)
		fail_msg("make: %s", f.detail);
	return result;
}

static const struct make_options six_months = {
	.events = 4000, .seed = 3, .from_month = FEED_YEAR * 12, .months = FEED_MONTHS
};

static void
assert_sound(const char *dir)
{
	struct check_options o = { .dir = dir, .limit = 5 };
	struct check_result x;
	struct fail f = { 0 };
	enum souk_err r = feeds_check(&o, &x, &f);

	if (r != SOUK_OK)
		fail_msg("check: %s", f.detail);
	if (x.total > 0)
		fail_msg("%s:%llu:%s: %s [%s]", x.findings[0].file,
		    (unsigned long long)x.findings[0].line, x.findings[0].column,
		    x.findings[0].what, check_rule_id(x.findings[0].rule));
	assert_int_equal(x.absent, 0);
	assert_true(x.rows > 10);
	feeds_check_free(&x);
}

static void
test_same_options_same_bytes(void **state)
{
	const char *a = feed_dir_new(), *b = feed_dir_new();
	char command[256];
	struct make_options other = six_months;

	(void)state;
	(void)make(a, six_months);
	(void)make(b, six_months);
	(void)snprintf(command, sizeof(command), "diff -r . '%s' >/dev/null", b);
	feed_dir_run(a, command);
	feed_dir_remove(b);
	b = feed_dir_new();
	other.seed++;
	(void)make(b, other);
	(void)snprintf(command, sizeof(command), "! diff -r . '%s' >/dev/null", b);
	feed_dir_run(a, command);
	feed_dir_remove(a);
	feed_dir_remove(b);
}

static void
test_twenty_seeds_are_sound(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++) {
		const char *dir = feed_dir_made(3000 * seed % 11000 + 200, seed);

		assert_sound(dir);
		feed_dir_remove(dir);
	}
}

static void
test_tiny_feeds_are_sound(void **state)
{
	(void)state;
	for (int months = 1; months <= 3; months++)
		for (uint64_t events = 1; events <= 40; events += 13) {
			const char *dir = feed_dir_new();
			struct make_options o = six_months;

			o.events = events;
			o.months = months;
			(void)make(dir, o);
			assert_sound(dir);
			feed_dir_remove(dir);
		}
}

/* As they are delivered, month by month: what is paid or forgiven was told before, and as it is paid. */
static void
test_months_so_far_are_sound(void **state)
{
	const char *dir = feed_dir_made(30000, 6);
	char command[64];

	(void)state;
	for (int month = FEED_MONTHS; month > 2; month--) {
		struct check_options o = { .dir = dir, .limit = 1000 };
		struct check_result x;
		struct fail f = { 0 };

		(void)snprintf(command, sizeof(command), "rm -r */*/month=%02d", month);
		feed_dir_run(dir, command);
		assert_int_equal(feeds_check(&o, &x, &f), SOUK_OK);
		/* Addresses may come a month late. */
		assert_int_equal(x.total, x.count[CHECK_LINK]);
		for (size_t i = 0; i < x.n; i++)
			assert_non_null(strstr(x.findings[i].column, "address"));
		feeds_check_free(&x);
	}
	feed_dir_remove(dir);
}

static void
test_backfill_stands_in_one_file(void **state)
{
	const char *dir = feed_dir_new();
	struct make_options o = six_months;

	(void)state;
	o.from_month = 2019 * 12 + 10; /* 2019-11 to 2020-06 */
	o.months = 8;
	(void)make(dir, o);
	feed_dir_run(dir,
	    "test \"$(ls -d billing_event_v1/*/* | tr '\\n' ' ')\" = "
	    "'billing_event_v1/year=2010/month=01 billing_event_v1/year=2020/month=05 "
	    "billing_event_v1/year=2020/month=06 '");
	feed_dir_run(dir, "test $(grep -c ^billing_event_id, "
			  "billing_event_v1/year=2010/month=01/data.csv) = 1");
	assert_sound(dir);
	feed_dir_remove(dir);
}

static void
test_months_without_rows_have_the_header(void **state)
{
	const char *dir = feed_dir_made(2000, 1);

	(void)state;
	feed_dir_run(dir, "test $(ls */*/*/data.csv | wc -l) = 54");
	feed_dir_run(dir, "test $(wc -l < legacy_mapping_v1/year=2024/month=06/data.csv) = 1");
	feed_dir_remove(dir);
}

static void
test_compressed_says_the_same(void **state)
{
	const char *plain = feed_dir_new(), *gz = feed_dir_new();
	struct make_options o = six_months;
	char command[256];

	(void)state;
	(void)make(plain, o);
	o.gzip = true;
	(void)make(gz, o);
	assert_sound(gz);
	feed_dir_run(gz, "gunzip -r .");
	(void)snprintf(command, sizeof(command), "diff -r . '%s' >/dev/null", plain);
	feed_dir_run(gz, command);
	feed_dir_remove(plain);
	feed_dir_remove(gz);
}

static void
test_shuffled_has_the_same_rows(void **state)
{
	const char *a = feed_dir_new(), *b = feed_dir_new();
	struct make_options o = six_months;
	char command[512];

	(void)state;
	(void)make(a, o);
	o.shuffle = true;
	(void)make(b, o);
	assert_sound(b);
	(void)snprintf(command, sizeof(command),
	    "for f in */*/*/data.csv; do "
	    "head -1 $f > h1; head -1 '%s'/$f | cmp -s - h1 || exit 1; rm h1; "
	    "sort $f > s1; sort '%s'/$f | cmp -s - s1 || exit 1; rm s1; done",
	    b, b);
	feed_dir_run(a, command);
	(void)snprintf(command, sizeof(command), "! cmp -s %s '%s'/%s",
	    "billing_event_v1/year=2024/month=02/data.csv", b,
	    "billing_event_v1/year=2024/month=02/data.csv");
	feed_dir_run(a, command);
	feed_dir_remove(a);
	feed_dir_remove(b);
}

static void
test_number_of_events_is_about_what_was_asked(void **state)
{
	static const int months[] = { 1, 3, 6, 12, 36 };

	(void)state;
	for (size_t i = 0; i < COUNT(months); i++) {
		const char *dir = feed_dir_new();
		struct make_options o = six_months;
		struct make_result x;

		o.events = 20000;
		o.months = months[i];
		x = make(dir, o);
		assert_row(i, x.events > 18000 && x.events < 22000);
		assert_row(i, x.rows > x.events && x.bytes > x.events * 400);
		feed_dir_remove(dir);
	}
}

static void
test_seller_is_the_one_that_was_asked_for(void **state)
{
	const char *dir = feed_dir_new();
	struct make_options o = six_months;
	struct make_result x;
	char command[256];

	(void)state;
	o.seller = "000000700100";
	x = make(dir, o);
	assert_string_equal(x.seller, "000000700100");
	(void)snprintf(command, sizeof(command),
	    "grep -q '^%s,000000700100,' account_v1/*/*/data.csv", x.account_id);
	feed_dir_run(dir, command);
	/* Who gets revenue from payers is this seller. */
	(void)snprintf(command, sizeof(command),
	    "! cat billing_event_v1/*/*/data.csv | awk -F, '$6==\"INVOICED\" && "
	    "$7==\"SELLER_REV_SHARE\" && $10>0 && $3!=\"%s\"' | grep -q .",
	    x.account_id);
	feed_dir_run(dir, command);
	feed_dir_remove(dir);
}

/* What the header promises: each is a filter that some row passes. */
static void
test_everything_that_is_hard_is_in(void **state)
{
	static const char *const filters[] = {
		"$7==\"SELLER_REV_SHARE_REFUND\" && $6==\"INVOICED\"",
		"$7==\"AWS_REV_SHARE_REFUND\" && $6==\"DISBURSED\"",
		"$7==\"SELLER_REV_SHARE_CREDIT\"", "$7==\"AWS_TAX_SHARE\" && $12==0",
		"$7==\"SELLER_TAX_SHARE\" && $12==1", "$7==\"AWS_TAX_SHARE_REFUND\"",
		"$7==\"SELLER_TAX_SHARE_REFUND\"", "$6==\"FORGIVEN\"",
		"$7==\"BALANCE_ADJUSTMENT\" && $5==\"\"", "$7==\"BALANCE_ADJUSTMENT\" && $5!=\"\"",
		"$7==\"DISBURSEMENT\" && $20!=\"\" && $10>0",
		"$7==\"DISBURSEMENT_FAILURE\" && $8!=\"\"", "$11==\"USD\"", "$11==\"EUR\"",
		"$11==\"GBP\"", "$11==\"JPY\"", "$11==\"AUD\"", "$21==\"AWS_EUROPE\"",
		"$7==\"SELLER_REV_SHARE\" && $6==\"INVOICED\" && $10<0",    /* to a manufacturer */
		"$7==\"SELLER_REV_SHARE\" && $6==\"INVOICED\" && $4==\"\"", /* from a reseller */
		"$14!=\"\" && $6==\"INVOICED\"",
		"$15==\"\" && $6==\"INVOICED\" && $7==\"SELLER_REV_SHARE\"",
		"$23!=$24 && $25==\"\"",                        /* corrected */
		"$25!=\"\"",                                    /* taken back */
		"$22!=$13 && $6==\"INVOICED\"",                 /* moved to another day */
		"substr($13,1,7)!=substr($23,1,7) && $23==$24", /* late */
	};
	const char *dir = feed_dir_made(40000, 5);
	char command[256];

	(void)state;
	for (size_t i = 0; i < COUNT(filters); i++) {
		(void)snprintf(command, sizeof(command),
		    "cat billing_event_v1/*/*/data.csv | grep -v ^billing_event_id | "
		    "awk -F, '%s' | grep -q . ",
		    filters[i]);
		feed_dir_run(dir, command);
	}
	/* Several end users in one transaction; one invoice of several months; the same line paid twice. */
	feed_dir_run(dir,
	    "cat billing_event_v1/*/*/data.csv | awk -F, '$6==\"INVOICED\" {print $19,$4}' | "
	    "sort -u | cut -d' ' -f1 | uniq -d | grep -q .");
	feed_dir_run(dir, "cat billing_event_v1/*/*/data.csv | awk -F, '$6==\"INVOICED\" && "
			  "$7==\"SELLER_REV_SHARE\" {print $19,substr($13,1,7)}' | sort -u | "
			  "cut -d' ' -f1 | uniq -c | awk '$1>2' | grep -q .");
	feed_dir_run(dir,
	    "cat billing_event_v1/*/*/data.csv | awk -F, '$9!=\"\" {print $8,-$10}' | "
	    "sort | uniq -d | grep -q .");
	/* Accounts that moved, addresses corrected or late, offers of all kinds. */
	feed_dir_run(dir, "cat account_v1/*/*/data.csv | cut -d, -f1,4 | sort -u | cut -d, -f1 | "
			  "uniq -d | grep -q .");
	feed_dir_run(dir, "cat product_v1/*/*/data.csv | cut -d, -f1 | sort | uniq -d | grep -q .");
	feed_dir_run(dir, "grep -q BuyerAccounts,NegativeTargeting offer_target_v1/*/*/data.csv");
	feed_dir_run(dir, "grep -q ParticipatingPrograms offer_target_v1/*/*/data.csv");
	feed_dir_run(dir, "grep -q TAXONLYREFUND tax_item_v1/*/*/data.csv");
	feed_dir_remove(dir);
}

static void
test_plain_feeds_have_each_row_once(void **state)
{
	const char *dir = feed_dir_new();
	struct make_options o = six_months;

	(void)state;
	o.plain = true;
	o.events = 20000;
	(void)make(dir, o);
	assert_sound(dir);
	feed_dir_run(dir,
	    "! cut -d, -f1 billing_event_v1/*/*/data.csv | grep -v ^billing_event_id | "
	    "sort | uniq -d | grep -q .");
	feed_dir_run(dir, "! cat billing_event_v1/*/*/data.csv | grep -v ^billing_event_id | "
			  "awk -F, '$23!=$24 || $25!=\"\"' | grep -q .");
	feed_dir_remove(dir);
}

static void
test_all_domains_are_examples(void **state)
{
	const char *dir = feed_dir_made(20000, 8);

	(void)state;
	feed_dir_run(dir, "! cat address_v1/*/*/data.csv | grep -v ^address_id | cut -d, -f3 | "
			  "grep -v '\\.example$' | grep -q .");
	feed_dir_remove(dir);
}

static void
test_a_directory_with_something_in_it_is_refused(void **state)
{
	const char *dir = feed_dir_made(100, 1);
	struct make_options o = six_months;
	struct make_result result;
	struct fail f = { 0 };

	(void)state;
	o.dir = dir;
	assert_int_equal(feeds_make(&o, &result, &f), SOUK_E_CONFLICT);
	assert_non_null(strstr(f.detail, "give a new one"));
	feed_dir_remove(dir);
}

static void
give_up(void *arg, uint64_t events)
{
	(void)arg;
	if (events > 0)
		_exit(0);
}

/* Half of the feeds must not look like feeds of half as much. */
static void
test_interrupted_it_leaves_the_directory_empty(void **state)
{
	const char *dir = feed_dir_new();
	struct make_options o = six_months;
	struct make_result result;
	char command[128];

	(void)state;
	o.dir = dir;
	o.progress = give_up;
	if (fork() == 0)
		_exit(feeds_make(&o, &result, NULL) == SOUK_OK ? 1 : 2);
	(void)wait(NULL);
	feed_dir_run(dir, "test -z \"$(ls -A)\"");
	(void)snprintf(command, sizeof(command), "rm -r '%s'.??????", dir);
	feed_dir_run("/", command);
	feed_dir_remove(dir);
}

static void
test_a_disk_that_is_full_leaves_nothing(void **state)
{
	const char *dir = feed_dir_new();
	struct make_options o = six_months;
	struct make_result result;
	struct fail f = { 0 };
	const struct rlimit little = { 100000, 100000 };
	char command[128];
	int status = 0;

	(void)state;
	o.dir = dir;
	o.events = 100000;
	if (fork() == 0) {
		(void)signal(SIGXFSZ, SIG_IGN);
		_exit(setrlimit(RLIMIT_FSIZE, &little) == 0 &&
			      feeds_make(&o, &result, &f) == SOUK_E_STORAGE
			  ? 7
			  : 8);
	}
	(void)wait(&status);
	assert_int_equal(WEXITSTATUS(status), 7);
	feed_dir_run(dir, "test -z \"$(ls -A)\"");
	(void)snprintf(command, sizeof(command), "! ls -d '%s'.* 2>/dev/null", dir);
	feed_dir_run("/", command);
	feed_dir_remove(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_options_same_bytes),
		cmocka_unit_test(test_twenty_seeds_are_sound),
		cmocka_unit_test(test_tiny_feeds_are_sound),
		cmocka_unit_test(test_months_so_far_are_sound),
		cmocka_unit_test(test_backfill_stands_in_one_file),
		cmocka_unit_test(test_months_without_rows_have_the_header),
		cmocka_unit_test(test_compressed_says_the_same),
		cmocka_unit_test(test_shuffled_has_the_same_rows),
		cmocka_unit_test(test_number_of_events_is_about_what_was_asked),
		cmocka_unit_test(test_seller_is_the_one_that_was_asked_for),
		cmocka_unit_test(test_everything_that_is_hard_is_in),
		cmocka_unit_test(test_plain_feeds_have_each_row_once),
		cmocka_unit_test(test_all_domains_are_examples),
		cmocka_unit_test(test_a_directory_with_something_in_it_is_refused),
		cmocka_unit_test(test_interrupted_it_leaves_the_directory_empty),
		cmocka_unit_test(test_a_disk_that_is_full_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
