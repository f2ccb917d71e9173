/* SPDX-License-Identifier: Apache-2.0 */
/* JSON: what is refused and how it is told, the writer, declared members. */
#include "base/json.h"

#include "check.h"

static void
test_refusals_tell_place_and_no_text(void **state)
{
	static const struct {
		const char *text;
		const char *what;
	} bad[] = {
		{ "", "ends too early at byte 0 (line 1)" },
		{ "   ", "ends too early at byte 3 (line 1)" },
		{ "{\"Garcia\":1,\"Garcia\":2}", "has a member twice at byte" },
		{ "{\"Garcia\":1} x", "goes on behind the end" },
		{ "{\"Garcia\":1}{}", "goes on behind the end" },
		{ "{\"Garcia\":\"a\\u0000b\"}", "has a NUL character" },
		{ "{\"a\\u0000Garcia\":1}", "has a NUL character" },
		{ "{\"Garcia\":\"\xff\"}", "is not valid UTF-8" },
		{ "{\"Garcia\":\"\xc0\xaf\"}", "is not valid UTF-8" },
		{ "{\"Garcia\":\"\xed\xa0\x80\"}", "is not valid UTF-8" },
		{ "{\"Garcia\":99999999999999999999}", "has a number out of range" },
		{ "{\"Garcia\":1e999}", "has a number out of range" },
		{ "{\"Garcia\":1", "ends too early" },
		{ "{\"Garcia", "ends too early" },
		{ "{\"Garcia\":1,}", "is not valid JSON" },
		{ "{Garcia:1}", "is not valid JSON" },
		{ "{'Garcia':1}", "is not valid JSON" },
		{ "[1,2,]", "is not valid JSON" },
		{ "[01]", "is not valid JSON" },
		{ "[NaN]", "is not valid JSON" },
		{ "[\"a\nGarcia\"]", "is not valid JSON" },
		{ "[\"\\uD800 Garcia\"]", "is not valid JSON" },
		{ "\xef\xbb\xbf{}", "is not valid JSON" },
		{ "\"Garcia\"", "is not valid JSON" },
		{ "5", "is not valid JSON" },
		{ "null", "is not valid JSON" },
		{ "{\"a\":1}/* Garcia */", "goes on behind the end" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct fail f = { 0 };
		json_t *v = NULL;
		char line[512];

		assert_row(i, json_read(str_c(bad[i].text), &v, &f) == SOUK_E_INVALID && !v);
		assert_string_equal(f.code, "invalid_json");
		assert_string_equal(f.entry[0].field, "body");
		if (!strstr(f.entry[0].what, bad[i].what))
			fail_msg("row %zu: %s", i, f.entry[0].what);
		fail_line(&f, line, sizeof(line));
		assert_null(strstr(line, "Garcia"));
		assert_null(strstr(f.detail, "Garcia"));
	}
	assert_int_equal(json_read(STR("{"), &(json_t *){ NULL }, NULL), SOUK_E_INVALID);
	assert_int_equal(
	    json_read((struct str){ "{}\0", 3 }, &(json_t *){ NULL }, NULL), SOUK_E_INVALID);
}

static void
add_many(struct buf *b, const char *s, int n)
{
	for (int i = 0; i < n; i++)
		buf_add_c(b, s);
}

static enum souk_err
read_nested(const char *open, const char *close, int depth, bool *ret_said)
{
	struct buf b = { 0 };
	struct fail f = { 0 };
	json_t *v = NULL;
	enum souk_err err;

	add_many(&b, open, depth);
	add_many(&b, close, depth);
	err = json_read(buf_str(&b), &v, &f);
	*ret_said = f.n == 1 && strstr(f.entry[0].what, "nests too deeply");
	json_decref(v);
	buf_done(&b);
	return err;
}

static void
test_depth(void **state)
{
	json_t *v = NULL;
	bool said;

	(void)state;
	assert_int_equal(read_nested("[", "]", 32, &said), SOUK_OK);
	assert_int_equal(read_nested("[", "]", 33, &said), SOUK_E_INVALID);
	assert_true(said);
	assert_int_equal(read_nested("[{\"a\":", "}]", 17, &said), SOUK_E_INVALID);
	assert_true(said);
	assert_int_equal(read_nested("[", "", 1000000, &said), SOUK_E_INVALID);
	assert_true(said);
	/* Brackets in strings do not nest, and neither do neighbours. */
	assert_int_equal(
	    json_read(STR("[\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[\"]"), &v, NULL), SOUK_OK);
	json_decref(v);
	assert_int_equal(json_read(STR("[[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],"
				       "[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[]]"),
			     &v, NULL),
	    SOUK_OK);
	json_decref(v);
}

static void
test_raw_member(void **state)
{
	static const struct {
		const char *text;
		const char *raw; /* of "fromDate"; NULL when there is none */
	} rows[] = {
		{ "{\"fromDate\":1470366890.334}", "1470366890.334" },
		{ " { \"a\" : {\"fromDate\":1} , \"fromDate\" : -1.5E+9 } ", "-1.5E+9" },
		{ "{\"a\":[\"fromDate\",{\"b\":\"}]\\\"\"}],\"fromDate\":\"2016\"}", "\"2016\"" },
		{ "{\"from\\u0044ate\":1}", "1" },
		{ "{\"fromDate\":[1, {\"x\":[]}], \"b\":2}", "[1, {\"x\":[]}]" },
		{ "{\"fromDate\":null\n}", "null" },
		{ "{\"a\":\"\\\\\",\"fromDate\":true}", "true" },
		{ "{\"fromdate\":1,\"a\":{\"fromDate\":1}}", NULL },
		{ "{}", NULL },
		{ "[\"fromDate\",1]", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct str raw = { NULL, 0 };
		bool found = json_raw_member(str_c(rows[i].text), "fromDate", &raw);

		assert_row(i, found == (rows[i].raw != NULL));
		assert_row(i, !found || str_eq_c(raw, rows[i].raw));
	}
}

static void
test_writer(void **state)
{
	struct buf b = { 0 };
	struct jw w;
	struct guid g = { { 0x12, 0x3e, 0x45, 0x67, 0xe8, 0x9b, 0x42, 0xd3, 0xa4, 0x56, 0x42, 0x66,
	    0x14, 0x17, 0x40, 0x00 } };
	json_t *v = json_pack("{s:[i,b]}", "x", 1, 0);

	(void)state;
	jw_init(&w, &b);
	jw_open(&w, NULL, '{');
	jw_open(&w, "list", '[');
	jw_int(&w, NULL, INT64_MIN);
	jw_bool(&w, NULL, true);
	jw_open(&w, NULL, '{');
	jw_close(&w, '}');
	jw_null(&w, NULL);
	jw_close(&w, ']');
	jw_c(&w, "s", "a\"b");
	jw_c(&w, "none", NULL);
	jw_str_opt(&w, "empty", STR(""));
	jw_str_opt(&w, "full", STR("x"));
	jw_guid(&w, "id", &g);
	jw_instant(&w, "at", 1470366890334);
	jw_raw(&w, "raw", STR("1.50"));
	jw_value(&w, "v", v);
	jw_bool(&w, "k\n", false);
	jw_close(&w, '}');
	assert_string_equal(b.p,
	    "{\"list\":[-9223372036854775808,true,{},null],\"s\":\"a\\\"b\",\"none\":null,"
	    "\"full\":\"x\",\"id\":\"123e4567-e89b-42d3-a456-426614174000\","
	    "\"at\":\"2016-08-05T03:14:50.334Z\",\"raw\":1.50,\"v\":{\"x\":[1,false]},"
	    "\"k\\n\":false}");
	json_decref(v);
	buf_done(&b);
}

/* Every code point comes back from jansson as it went in. */
static void
test_quoting_reads_back(void **state)
{
	struct buf b = { 0 };
	json_t *v = NULL;

	(void)state;
	json_add_quoted(&b, STR("\b\f\n\r\t\x01\x1f\x7f\"\\/\xc3\xa9"));
	assert_string_equal(b.p, "\"\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\\\"\\\\/\xc3\xa9\"");
	for (unsigned c = 1; c < 0x80; c++) {
		char text[] = { 'x', (char)c, 'y' };

		buf_clear(&b);
		buf_add_char(&b, '[');
		json_add_quoted(&b, (struct str){ text, 3 });
		buf_add_char(&b, ']');
		assert_int_equal(json_read(buf_str(&b), &v, NULL), SOUK_OK);
		assert_memory_equal(json_string_value(json_array_get(v, 0)), text, 3);
		json_decref(v);
	}
	buf_done(&b);
}

static json_t *
parsed(const char *text)
{
	json_t *v = NULL;

	assert_int_equal(json_read(str_c(text), &v, NULL), SOUK_OK);
	return v;
}

#define MEMBERS                                                                                    \
	{                                                                                          \
		{ .name = "name", .kind = JSON_K_STR, .required = true },                          \
		    { .name = "size", .kind = JSON_K_INT },                                        \
		    { .name = "live", .kind = JSON_K_BOOL },                                       \
		    { .name = "title", .kind = JSON_K_STR, .nullable = true },                     \
		    { .name = "map", .kind = JSON_K_OBJ }, { .name = "list", .kind = JSON_K_ARR }, \
		    { .name = "any", .kind = JSON_K_ANY },                                         \
	}

static void
test_take(void **state)
{
	struct json_member m[] = MEMBERS;
	json_t *o =
	    parsed("{\"name\":\"\\u00e9\",\"size\":5,\"live\":true,\"title\":null,\"map\":{},"
		   "\"list\":[],\"any\":1.5}");

	(void)state;
	assert_int_equal(json_take(o, m, COUNT(m), NULL), SOUK_OK);
	assert_true(str_eq_c(json_member_str(&m[0]), "\xc3\xa9"));
	assert_int_equal(json_integer_value(m[1].got), 5);
	assert_true(json_is_true(m[2].got));
	assert_null(m[3].got);
	assert_true(m[3].got_null);
	assert_int_equal(json_member_str(&m[3]).n, 0);
	assert_true(json_is_real(m[6].got));
	json_decref(o);
	o = parsed("{\"name\":\"x\"}");
	assert_int_equal(json_take(o, m, COUNT(m), NULL), SOUK_OK);
	assert_null(m[1].got); /* of an earlier object */
	assert_false(m[3].got_null);
	json_decref(o);
}

static void
test_take_names_every_mistake(void **state)
{
	struct json_member m[] = MEMBERS;
	struct fail f = { 0 };
	static const char *const want[] = { "name", "size", "live", "title", "map", "list",
		"colour", "(unknown member)" };
	json_t *o = parsed("{\"size\":5.0,\"live\":\"true\",\"title\":7,\"map\":[],\"list\":{},"
			   "\"colour\":1,\"someone@x.example\":2}");

	(void)state;
	assert_int_equal(json_take(o, m, COUNT(m), &f), SOUK_E_INVALID);
	assert_int_equal(f.n, COUNT(want));
	for (size_t i = 0; i < COUNT(want); i++)
		assert_string_equal(f.entry[i].field, want[i]);
	assert_string_equal(f.entry[0].what, "is missing");
	assert_string_equal(f.entry[1].fix, "give a whole number");
	json_decref(o);
}

static void
test_take_refusals(void **state)
{
	static const char *const bad[] = { "[]", "{\"name\":null}", "{\"name\":1}", "{}",
		"{\"name\":\"x\",\"size\":null}", "{\"name\":\"x\",\"size\":\"5\"}",
		"{\"name\":\"x\",\"Name\":\"x\"}", "{\"name\":\"x\",\"\":1}" };
	struct json_member m[] = MEMBERS;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		json_t *o = parsed(bad[i]);

		assert_row(i, json_take(o, m, COUNT(m), NULL) == SOUK_E_INVALID);
		json_decref(o);
	}
	assert_int_equal(json_take(NULL, m, COUNT(m), NULL), SOUK_E_INVALID);
}

/* Bytes changed at random: refused or read, never more. Sanitizers watch. */
static void
test_mangled_text(void **state)
{
	static const char seed[] =
	    "{\"fromDate\":1470366890.334,\"map\":{\"k\":[1,\"\\u00e9\\n\"]},"
	    "\"s\":\"a\\\\\",\"b\":[true,null,{}]}";
	struct prng r = { 11 };
	char text[sizeof(seed)];
	struct str raw;

	(void)state;
	for (int round = 0; round < 50000; round++) {
		size_t n = 1 + prng_below(&r, sizeof(seed) - 1);
		json_t *v = NULL;

		memcpy(text, seed, sizeof(seed));
		for (uint64_t k = prng_below(&r, 4); k > 0; k--)
			text[prng_below(&r, n)] = "{}[]\":,\\ \x00\xff"
						  "0eu"[prng_below(&r, 14)];
		if (json_read((struct str){ text, n }, &v, NULL) != SOUK_OK)
			continue;
		if (json_raw_member((struct str){ text, n }, "fromDate", &raw))
			assert_true(raw.n > 0 && raw.p >= text && raw.p + raw.n <= text + n);
		else
			assert_null(json_object_get(v, "fromDate"));
		json_decref(v);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refusals_tell_place_and_no_text),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_raw_member),
		cmocka_unit_test(test_writer),
		cmocka_unit_test(test_quoting_reads_back),
		cmocka_unit_test(test_take),
		cmocka_unit_test(test_take_names_every_mistake),
		cmocka_unit_test(test_take_refusals),
		cmocka_unit_test(test_mangled_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
