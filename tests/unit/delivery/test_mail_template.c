/* SPDX-License-Identifier: Apache-2.0 */
/* Templates of mails: what is refused when they are saved, and what a value can do to a mail. */
#include "delivery/mail_template.h"

#include "check.h"

#include <stdlib.h>

static const struct mail_place places[] = {
	{ .name = "product", .about = "the product's title" },
	{ .name = "promised_date", .about = "when access will be there", .required = true },
};
static const struct mail_kind kind = { .name = "test.notice", .places = places, .n_places = 2 };

static void
assert_refused(
    const char *subject, struct str text, const char *html, const char *field, const char *what)
{
	struct fail f = { .err = SOUK_OK };
	struct mail_parts t = { str_c(subject), text, str_c(html) };

	assert_int_equal(mail_template_check(&kind, &t, &f), SOUK_E_INVALID);
	assert_string_equal(f.entry[0].field, field);
	assert_non_null(strstr(f.entry[0].what, what));
	assert_true(f.entry[0].fix[0] != '\0');
}

static void
accepts_what_can_be_sent(void **state)
{
	static const struct mail_parts good[] = {
		{ STR("Access to {{product}}"), STR("On {{promised_date}}."), STR("") },
		{ STR("x"), STR("{{ promised_date\t}}\r\n\t{{product}} } {"), STR("") },
		{ STR("Zugang f\xc3\xbcr Sie"), STR("{{promised_date}}"),
		    STR("<p>{{promised_date}}</p>") },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_ok(mail_template_check(&kind, &good[i], NULL));
}

static void
refuses_what_cannot(void **state)
{
	char *longest = malloc(MAIL_TEXT_MAX + 2);
	char subject[4 * MAIL_SUBJECT_MAX + 8] = "";

	(void)state;
	assert_refused("", STR("{{promised_date}}"), "", "subject", "empty");
	assert_refused(" \xe2\x80\x8b ", STR("{{promised_date}}"), "", "subject", "empty");
	assert_refused("x", STR(" \n"), "", "text", "empty");
	assert_refused("a\nBcc: b@example.com", STR("{{promised_date}}"), "", "subject", "control");
	assert_refused("x", STR("{{promised_date}}\0"), "", "text", "control");
	assert_refused("x", STR("{{promised_date}}\x1b[1m"), "", "text", "control");
	assert_refused("x", STR("{{promised_date}}\xff"), "", "text", "UTF-8");
	assert_refused("x", STR("no date"), "", "text", "{{promised_date}}");
	assert_refused(
	    "x", STR("{{promised_date}}"), "<p>no date</p>", "html", "{{promised_date}}");
	assert_refused("x", STR("{{promised_date}} {{promisedDate}}"), "", "text", "do not have");
	assert_refused("{{produkt}}", STR("{{promised_date}}"), "", "subject", "do not have");
	assert_refused("x", STR("{{promised_date}} {{}}"), "", "text", "do not have");
	assert_refused("x", STR("{{promised_date}} {{product"), "", "text", "without }}");
	assert_refused("{{", STR("{{promised_date}}"), "", "subject", "without }}");

	memset(longest, 'x', MAIL_TEXT_MAX + 1);
	memcpy(longest, "{{promised_date}}", 17);
	assert_ok(mail_template_check(
	    &kind, &(struct mail_parts){ STR("x"), { longest, MAIL_TEXT_MAX }, STR("") }, NULL));
	assert_refused("x", (struct str){ longest, MAIL_TEXT_MAX + 1 }, "", "text", "too long");
	free(longest);

	struct buf many = { 0 };

	for (int i = 0; i < MAIL_PLACES_MAX; i++)
		buf_add_c(&many, "{{promised_date}}");
	assert_ok(mail_template_check(
	    &kind, &(struct mail_parts){ STR("x"), buf_str(&many), STR("") }, NULL));
	buf_add_c(&many, "{{product}}");
	assert_refused("x", buf_str(&many), "", "text", "too many");
	buf_done(&many);
	for (int i = 0; i < MAIL_SUBJECT_MAX; i++)
		memcpy(subject + 2 * i, "\xc3\xa9", 3);
	assert_ok(mail_template_check(&kind,
	    &(struct mail_parts){ str_c(subject), STR("{{promised_date}}"), STR("") }, NULL));
	memcpy(subject + 2 * MAIL_SUBJECT_MAX, "e", 2);
	assert_refused(subject, STR("{{promised_date}}"), "", "subject", "too long");
}

static void
values_stay_values(void **state)
{
	static const struct mail_value values[] = {
		{ "product", STR("A & B <script>\r\nBcc: x@example.com \"q\" {{promised_date}}") },
		{ "promised_date", STR("2026-12-01") },
	};
	struct mail_parts t = { STR("On {{product}}!"), STR("{{product}}|{{promised_date}}|"),
		STR("<a title=\"{{product}}\">{{promised_date}}</a>") };
	struct mail_text out = { 0 };

	(void)state;
	assert_ok(mail_template_fill(&t, values, 2, &out, NULL));
	/* One line, and a place in a value is text. */
	assert_string_equal(
	    out.subject.p, "On A & B <script>  Bcc: x@example.com \"q\" {{promised_date}}!");
	assert_string_equal(
	    out.text.p, "A & B <script>\r\nBcc: x@example.com \"q\" {{promised_date}}|2026-12-01|");
	assert_non_null(strstr(out.html.p, "A &amp; B &lt;script&gt;"));
	assert_non_null(strstr(out.html.p, "&quot;q&quot;"));
	assert_non_null(strstr(out.html.p, ">2026-12-01</a>"));
	mail_text_done(&out);
}

static void
no_place_goes_out_empty(void **state)
{
	static const struct mail_value values[] = { { "product", STR("A") } };
	struct mail_parts t = { STR("x"), STR("{{product}} {{promised_date}}"), STR("") };
	struct mail_text out = { 0 };
	struct fail f = { .err = SOUK_OK };

	(void)state;
	assert_int_equal(mail_template_fill(&t, values, 1, &out, &f), SOUK_E_INVALID);
	assert_string_equal(f.code, "place_without_value");
	mail_text_done(&out);
}

static void
long_values_make_no_long_subject(void **state)
{
	char name[1002] = "x"; /* so that the cut falls into a character */
	struct mail_value values[] = { { "product", { name, 1001 } } };
	struct mail_parts t = { STR("{{product}}"), STR("{{product}}"), STR("") };
	struct mail_text out = { 0 };

	(void)state;
	for (int i = 0; i < 500; i++)
		memcpy(name + 1 + 2 * i, "\xc3\xa9", 2);
	assert_ok(mail_template_fill(&t, values, 1, &out, NULL));
	assert_int_equal(out.subject.n, 399 + 3);
	assert_memory_equal(out.subject.p + 397, "\xc3\xa9\xe2\x80\xa6", 6);
	assert_int_equal(out.text.n, 1001);
	values[0].value.n = 399;
	assert_ok(mail_template_fill(&t, values, 1, &out, NULL));
	assert_int_equal(out.subject.n, 399);
	mail_text_done(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts_what_can_be_sent),
		cmocka_unit_test(refuses_what_cannot),
		cmocka_unit_test(values_stay_values),
		cmocka_unit_test(long_values_make_no_long_subject),
		cmocka_unit_test(no_place_goes_out_empty),
	};

	return cmocka_run_group_tests_name("delivery.mail_template", tests, NULL, NULL);
}
