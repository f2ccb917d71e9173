/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of the buyer-entered fields: both sides of every limit, and what is said about it. */
#include "world.h"

#include "psc/contact_seal.h"

static char long_text[4096];

/* `n` times the same character, then `tail`. */
static struct str
many(const char *c, size_t n, const char *tail)
{
	static char text[16][4096];
	static unsigned next;
	char *out = text[next++ % 16];
	size_t k = strlen(c);

	for (size_t i = 0; i < n; i++)
		memcpy(out + i * k, c, k);
	(void)snprintf(out + n * k, 4096 - n * k, "%s", tail);
	return str_c(out);
}

static struct contact_fields
good(void)
{
	return (struct contact_fields){ .organization = STR("Example Corp"),
		.given_name = STR("Jane"),
		.surname = STR("Roe"),
		.telephone = STR("+1 206 555 0100"),
		.email = STR("jane@example.com") };
}

/* Exactly one entry, for `field`; with `fix` when it is not NULL. */
static void
refused(const struct contact_fields *c, const char *field, const char *fix)
{
	struct fail f = { 0 };

	if (contact_validate(c, &f) != SOUK_E_INVALID)
		fail_msg("%s: accepted", field);
	assert_int_equal(f.n_total, 1);
	assert_string_equal(f.entry[0].field, field);
	if (fix)
		assert_string_equal(f.entry[0].fix, fix);
}

static void
accepted(const struct contact_fields *c)
{
	struct fail f = { 0 };

	if (contact_validate(c, &f) != SOUK_OK)
		fail_msg("%s %s", f.entry[0].field, f.entry[0].what);
}

static void
lengths_count_code_points(void **state)
{
	static const struct {
		size_t offset;
		const char *name;
		size_t max;
	} fields[] = { { offsetof(struct contact_fields, organization), "organization", 255 },
		{ offsetof(struct contact_fields, given_name), "givenName", 100 },
		{ offsetof(struct contact_fields, surname), "surname", 100 },
		{ offsetof(struct contact_fields, title), "title", 255 } };
	static const char *const letters[] = { "x", "\xc3\xa9", "\xe6\xa0\xaa",
		"\xf0\x9f\x98\x80" };

	(void)state;
	for (size_t i = 0; i < COUNT(fields); i++)
		for (size_t k = 0; k < COUNT(letters); k++) {
			struct contact_fields c = good();
			struct str *s = (struct str *)((char *)&c + fields[i].offset);

			*s = many(letters[k], fields[i].max, "");
			accepted(&c);
			*s = many(letters[k], fields[i].max + 1, "");
			refused(&c, fields[i].name, NULL);
		}
}

static void
required_fields_hold_something(void **state)
{
	static const struct str empty[] = { STR(""), STR(" "), STR("\xc2\xa0"), STR("\xe2\x80\x8b"),
		STR("   \xe3\x80\x80") };

	(void)state;
	for (unsigned i = 0; i < 5; i++)
		for (size_t k = 0; k < COUNT(empty); k++) {
			static const char *const names[] = { "organization", "givenName", "surname",
				"telephoneNumber", "emailAddress" };
			struct contact_fields c = good();

			*contact_field(&c, i) = empty[k];
			refused(&c, names[i], NULL);
		}
}

static void
text_is_clean_utf8(void **state)
{
	static const struct str bad[] = { STR("a\nb"), STR("a\rb"), STR("a\tb"), STR("a\0b"),
		STR("a\x7f"), STR("a\xc2\x85"), STR("a\xe2\x80\xa8"), STR("\xff"), STR("\xc0\xaf"),
		STR("\xed\xa0\x80"), STR("\xc3") };

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		for (unsigned k = 0; k < CONTACT_FIELDS; k++) {
			struct contact_fields c = good();
			struct fail f = { 0 };

			*contact_field(&c, k) = bad[i];
			assert_row(i, contact_validate(&c, &f) == SOUK_E_INVALID);
			assert_row(i, f.n_total == 1);
		}
}

static void
nothing_is_trimmed_or_escaped(void **state)
{
	struct contact_fields c = good();

	(void)state;
	c.organization = STR(" =SUM(A1), \"x\" ");
	c.title = STR(" ");
	accepted(&c);
	assert_true(str_eq(c.organization, STR(" =SUM(A1), \"x\" ")));
}

static void
telephone_and_email_are_usable(void **state)
{
	static const struct {
		const char *phone, *email, *field;
	} rows[] = { { "+1 (206) 555-0100 ext. 12", "jane@example.com", NULL }, /* 25 characters */
		{ "+1 (206) 555-0100 ext. 123", "jane@example.com", "telephoneNumber" },
		{ "555-0100", "jane@example.com", NULL },
		{ "call me", "jane@example.com", "telephoneNumber" },
		{ "12", "jane@example.com", "telephoneNumber" },
		{ "555-0100", "jane", "emailAddress" }, { "555-0100", "jane@", "emailAddress" },
		{ "555-0100", "jane@@example.com", "emailAddress" },
		{ "555-0100", "jane@localhost", "emailAddress" },
		{ "555-0100",
		    "j\xc3\xb6rg@b\xc3\xbc"
		    "cher.example",
		    NULL } };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct contact_fields c = good();

		c.telephone = str_c(rows[i].phone);
		c.email = str_c(rows[i].email);
		if (rows[i].field)
			refused(&c, rows[i].field, NULL);
		else
			accepted(&c);
	}
}

static void
email_takes_254(void **state)
{
	struct contact_fields c = good();
	char *p = long_text;

	(void)state;
	/* 64 of a local part, '@', three labels of 61 and their dots, "com": 254. */
	p += snprintf(p, 100, "%s@", many("a", 64, "").p);
	for (int i = 0; i < 3; i++)
		p += snprintf(p, 100, "%s.", many("b", 61, "").p);
	(void)snprintf(p, 10, "com");
	assert_int_equal(strlen(long_text), 254);
	c.email = str_c(long_text);
	accepted(&c);
	(void)snprintf(p, 10, "info");
	c.email = str_c(long_text);
	refused(&c, "emailAddress", NULL);
}

static void
country_is_iso_3166(void **state)
{
	static const struct {
		const char *code;
		bool fine;
	} rows[] = { { "US", true }, { "ES", true }, { "GB", true }, { "us", false },
		{ "UK", false }, { "XX", false }, { "USA", false }, { "U", false }, { "U ", false },
		{ "\xc3\x9cS", false } };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct contact_fields c = good();
		struct fail f = { 0 };

		c.country = str_c(rows[i].code);
		assert_row(i, (contact_validate(&c, &f) == SOUK_OK) == rows[i].fine);
		assert_row(i, rows[i].fine || strcmp(f.entry[0].field, "countryCode") == 0);
	}
}

static void
zip_is_five_digits_of_the_us(void **state)
{
	static const struct {
		const char *zip, *country, *fix;
	} rows[] = { { "02201", "US", NULL }, { "2201", "US", "give exactly five digits" },
		{ "022010", "US", "give at most 5 characters" },
		{ "0220a", "US", "give exactly five digits" },
		{ "\xd9\xa0\xd9\xa0\xd9\xa0\xd9\xa0\xd9\xa0", "US", "give exactly five digits" },
		{ "02201", "", "set countryCode to US" },
		{ "02201", "DE", "leave zipCode out, or set countryCode to US" },
		{ "     ", "US", "give exactly five digits" } };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct contact_fields c = good();

		c.zip = str_c(rows[i].zip);
		c.country = str_c(rows[i].country);
		if (rows[i].fix)
			refused(&c, "zipCode", rows[i].fix);
		else
			accepted(&c);
	}
}

static void
all_offending_fields_are_named(void **state)
{
	struct contact_fields c = { .zip = STR("x"), .country = STR("x") };
	struct fail f = { 0 };

	(void)state;
	assert_int_equal(contact_validate(&c, &f), SOUK_E_INVALID);
	assert_int_equal(f.n_total, 7);
	assert_string_equal(f.code, "invalid_field");
}

static enum souk_err
parse(const char *text, struct fail *f)
{
	struct contact_fields c;
	json_t *o = NULL;
	enum souk_err err;

	assert_ok(json_read(str_c(text), &o, f));
	err = contact_parse(o, &c, f);
	json_decref(o);
	return err;
}

#define REST5                                                                                      \
	"\"organization\":\"Example\",\"givenName\":\"Jane\",\"surname\":\"Roe\","                 \
	"\"telephoneNumber\":\"555-0100\""

static void
parse_names_every_member(void **state)
{
	static const struct {
		const char *text, *fields; /* space before each */
	} rows[] = {
		{ "{" REST5 ",\"emailAddress\":\"jane@example.com\"}", "" },
		{ "{" REST5
		  ",\"emailAddress\":\"jane@example.com\",\"title\":null,\"countryCode\":null,"
		  "\"zipCode\":null}",
		    "" },
		{ "{" REST5 "}", " emailAddress" },
		{ "{" REST5 ",\"emailAddress\":null}", " emailAddress" },
		{ "{" REST5 ",\"emailAddress\":7,\"title\":\"\\u0007\"}", " emailAddress title" },
		{ "{" REST5 ",\"emailAddress\":\"jane@example.com\",\"zip\":\"02201\"}", " zip" },
		{ "{" REST5 ",\"emailAddress\":\"jane@example.com\",\"a b\":1}",
		    " (unknown member)" },
		{ "[]", " body" },
		{ "{}", " organization givenName surname telephoneNumber emailAddress" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fail f = { 0 };
		char got[512] = "";
		enum souk_err err = parse(rows[i].text, &f);

		for (size_t k = 0; k < f.n; k++)
			(void)snprintf(
			    got + strlen(got), sizeof(got) - strlen(got), " %s", f.entry[k].field);
		assert_row(i, (err == SOUK_OK) == (rows[i].fields[0] == '\0'));
		assert_string_equal(got, rows[i].fields);
	}
}

static void
no_words_quote_the_input(void **state)
{
	struct contact_fields c = good();
	struct fail f = { 0 };

	(void)state;
	c.email = STR(SECRET_MARK);
	c.telephone = STR(SECRET_MARK);
	c.country = STR(SECRET_MARK);
	c.organization = many(SECRET_MARK, 100, "");
	assert_int_equal(contact_validate(&c, &f), SOUK_E_INVALID);
	for (size_t i = 0; i < f.n; i++) {
		assert_null(strstr(f.entry[i].what, SECRET_MARK));
		assert_null(strstr(f.entry[i].fix, SECRET_MARK));
	}
	assert_null(strstr(f.detail, SECRET_MARK));
}

static void
json_has_what_is_there(void **state)
{
	struct contact c = { .fields = good(), .created_at = 1000, .changed_at = 2000 };
	struct buf b = { 0 };
	struct jw w;

	(void)state;
	jw_init(&w, &b);
	contact_json(&c, &w, NULL);
	assert_string_equal(b.p,
	    "{\"contactId\":\"00000000-0000-0000-0000-000000000000\","
	    "\"subscriptionId\":\"00000000-0000-0000-0000-000000000000\","
	    "\"organization\":\"Example Corp\",\"givenName\":\"Jane\",\"surname\":\"Roe\","
	    "\"telephoneNumber\":\"+1 206 555 0100\",\"emailAddress\":\"jane@example.com\","
	    "\"createdAt\":\"1970-01-01T00:00:01.000Z\",\"changedAt\":\"1970-01-01T00:00:02."
	    "000Z\"}");
	buf_done(&b);
}

/* ---- packing and sealing ---- */

static void
packs_and_unpacks(void **state)
{
	struct contact_fields c = good(), back;
	uint8_t plain[CONTACT_PLAIN_MAX];
	size_t n;

	(void)state;
	c.organization = many("\xf0\x9f\x98\x80", 255, "");
	c.title = many("\xf0\x9f\x98\x80", 255, "");
	c.given_name = many("\xf0\x9f\x98\x80", 100, "");
	c.surname = many("\xf0\x9f\x98\x80", 100, "");
	c.zip = STR("02201");
	c.country = STR("US");
	accepted(&c);
	n = contact_pack(&c, plain);
	assert_true(contact_unpack((struct str){ (char *)plain, n }, &back));
	for (unsigned i = 0; i < CONTACT_FIELDS; i++)
		assert_true(str_eq(*contact_field(&c, i), *contact_field(&back, i)));
	/* Cut anywhere, or with a byte more: no contact. */
	for (size_t i = 0; i < n; i++)
		assert_false(contact_unpack((struct str){ (char *)plain, i }, &back));
	plain[n] = 0;
	assert_false(contact_unpack((struct str){ (char *)plain, n + 1 }, &back));
}

static void
seal_binds_the_row(void **state)
{
	struct world *w = world_new();
	struct contact_fields c = good(), back;
	struct guid id = guid_new(), sub = guid_new(), other = guid_new();
	struct contact_binding to = { str_c(SELLER), &id, &sub, 77 };
	const struct contact_binding wrong[] = {
		{ str_c(OTHER_SELLER), &id, &sub, 77 },
		{ str_c(SELLER), &other, &sub, 77 },
		{ str_c(SELLER), &id, &other, 77 },
		{ str_c(SELLER), &id, &sub, 78 },
	};
	struct data_key key;
	struct wrapped_key wrapped;
	uint8_t sealed[CONTACT_SEALED_MAX], plain[CONTACT_PLAIN_MAX];
	struct str wr = { (char *)wrapped.b, sizeof(wrapped.b) }, se;

	(void)state;
	vault_key_new(w->vault, (struct str){ (char *)id.b, 16 }, &key, &wrapped);
	se = (struct str){ (char *)sealed, contact_seal(&key, &to, &c, sealed) };
	assert_ok(contact_unseal(w->vault, &to, wr, se, plain, &back));
	assert_true(str_eq(back.email, c.email));
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_row(i, contact_unseal(w->vault, &wrong[i], wr, se, plain, &back) != SOUK_OK);
	sealed[20] ^= 1;
	assert_int_not_equal(contact_unseal(w->vault, &to, wr, se, plain, &back), SOUK_OK);
	se.n = VAULT_OVERHEAD - 1;
	assert_int_equal(contact_unseal(w->vault, &to, wr, se, plain, &back), SOUK_E_STORAGE);
	world_free(w);
}

static void
blind_index_knows_equal_addresses(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} rows[] = { { "Jane.Roe@Example.COM", "jane.roe@example.com", true },
		{ "jane@b\xc3\xbc"
		  "cher.example",
		    "jane@xn--bcher-kva.example", true },
		{ "jane@B\xc3\x9c"
		  "CHER.example",
		    "jane@xn--bcher-kva.example", true },
		{ "jane@example.com", "jane@example.org", false },
		{ "j\xc3\xb6rg@example.com", "j\xc3\x96rg@example.com", false },
		{ "janer@example.com", "jane@example.com", false } };
	struct world *w = world_new();

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint8_t a[VAULT_BLIND_LEN], b[VAULT_BLIND_LEN];

		contact_email_index(w->vault, str_c(rows[i].a), a);
		contact_email_index(w->vault, str_c(rows[i].b), b);
		assert_row(i, (memcmp(a, b, sizeof(a)) == 0) == rows[i].same);
	}
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lengths_count_code_points),
		cmocka_unit_test(required_fields_hold_something),
		cmocka_unit_test(text_is_clean_utf8),
		cmocka_unit_test(nothing_is_trimmed_or_escaped),
		cmocka_unit_test(telephone_and_email_are_usable),
		cmocka_unit_test(email_takes_254),
		cmocka_unit_test(country_is_iso_3166),
		cmocka_unit_test(zip_is_five_digits_of_the_us),
		cmocka_unit_test(all_offending_fields_are_named),
		cmocka_unit_test(parse_names_every_member),
		cmocka_unit_test(no_words_quote_the_input),
		cmocka_unit_test(json_has_what_is_there),
		cmocka_unit_test(packs_and_unpacks),
		cmocka_unit_test(seal_binds_the_row),
		cmocka_unit_test(blind_index_knows_equal_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
