/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON and the values in it: the bytes of a member are those of its value, what is written
 * reads the same, and an instant that was understood reads the same once written.
 */
#include "base/clock.h"
#include "base/email.h"
#include "base/json.h"
#include "base/utf8.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
check_instant(struct str s)
{
	char text[INSTANT_TEXT_LEN + 1];
	instant_t t, again;
	bool (*const parsers[])(struct str, instant_t *) = { instant_parse, instant_parse_http,
		instant_parse_amz, instant_parse_epoch };

	for (size_t i = 0; i < sizeof(parsers) / sizeof(parsers[0]); i++) {
		if (!parsers[i](s, &t))
			continue;
		instant_format(t, text);
		assert(instant_parse(str_c(text), &again) && again == t);
	}
}

static void
check_text(struct str s)
{
	check_instant(s);
	if (!utf8_valid(s))
		return;
	assert(utf8_length(s) <= s.n);
	(void)utf8_has_control(s);
	(void)utf8_is_blank(s);
	(void)email_plausible(s);
	(void)phone_plausible(s);
}

static void
check_member(struct str text, const char *name, const json_t *v)
{
	struct str raw;
	bool found = json_raw_member(text, name, &raw);
	json_t *again = found ? json_loadb(raw.p, raw.n, JSON_DECODE_ANY, NULL) : NULL;

	assert(again && json_equal(again, v));
	if (json_is_number(v))
		check_instant(raw);
	else if (json_is_string(v))
		check_text((struct str){ json_string_value(v), json_string_length(v) });
	json_decref(again);
}

static void
check_document(struct str text, json_t *v)
{
	struct buf out = { 0 };
	struct jw w;
	struct fail f = { .err = SOUK_OK };
	const char *name;
	json_t *member, *again = NULL;
	enum souk_err r;

	json_object_foreach(v, name, member)
	{
		check_member(text, name, member);
	}
	jw_init(&w, &out);
	jw_value(&w, NULL, v);
	assert(buf_ok(&out));
	r = json_read(buf_str(&out), &again, &f);
	assert(r == SOUK_OK && json_equal(v, again));
	json_decref(again);
	buf_done(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str text = { (const char *)data, n };
	struct fail f = { .err = SOUK_OK };
	json_t *v = NULL;

	check_text(text);
	if (json_read(text, &v, &f) == SOUK_OK)
		check_document(text, v);
	else
		assert(f.n > 0 && !v);
	json_decref(v);
	return 0;
}
