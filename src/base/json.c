/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON in and out.
 *
 * Reading takes bytes from anybody: nesting is counted before jansson recurses, and
 * jansson's own messages are not used because they quote the text.
 */
#include "base/json.h"

#include <stdio.h>

#define DEPTH_MAX 32

/* The offset just behind the string literal that begins at `i`, or the text's end. */
static size_t
skip_string(struct str t, size_t i)
{
	for (i++; i < t.n && t.p[i] != '"'; i++)
		if (t.p[i] == '\\')
			i++;
	return i < t.n ? i + 1 : t.n;
}

/* The offset of the first bracket that nests too deep, or the text's length. */
static size_t
too_deep_at(struct str t)
{
	size_t depth = 0;

	for (size_t i = 0; i < t.n;) {
		char c = t.p[i];

		if (c == '"') {
			i = skip_string(t, i);
			continue;
		}
		if ((c == '{' || c == '[') && ++depth > DEPTH_MAX)
			return i;
		if ((c == '}' || c == ']') && depth > 0)
			depth--;
		i++;
	}
	return t.n;
}

static const char *
mistake_of(const json_error_t *e)
{
	/* Only what a sender can cause; the rest is one sentence. */
	switch ((int)json_error_code(e)) {
	case json_error_premature_end_of_input:
		return "ends too early";
	case json_error_end_of_input_expected:
		return "goes on behind the end of the document";
	case json_error_invalid_utf8:
		return "is not valid UTF-8";
	case json_error_duplicate_key:
		return "has a member twice";
	case json_error_null_character:
	case json_error_null_byte_in_key:
		return "has a NUL character in a string";
	case json_error_numeric_overflow:
		return "has a number out of range";
	default:
		return "is not valid JSON";
	}
}

static enum souk_err
refuse(struct fail *f, const char *mistake, size_t byte, int line, const char *fix)
{
	char what[160];

	(void)snprintf(what, sizeof(what), line > 0 ? "%s at byte %zu (line %d)" : "%s at byte %zu",
	    mistake, byte, line);
	(void)fail_set(f, SOUK_E_INVALID, "invalid_json", "The body %s.", what);
	return fail_field(f, "body", what, fix);
}

enum souk_err
json_read(struct str text, json_t **ret, struct fail *f)
{
	json_error_t e;
	size_t deep = too_deep_at(text);
	json_t *v;

	if (deep < text.n)
		return refuse(f, "nests too deeply", deep, 0, "use at most 32 levels");
	v = json_loadb(text.p ? text.p : "", text.n, JSON_REJECT_DUPLICATES, &e);
	if (v) {
		*ret = v;
		return SOUK_OK;
	}
	if (json_error_code(&e) == json_error_out_of_memory)
		return fail_set(f, SOUK_E_NOMEM, "out_of_memory", "No memory to read the body.");
	return refuse(f, mistake_of(&e), e.position > 0 ? (size_t)e.position : 0, e.line,
	    "send one JSON object or array in UTF-8");
}

static size_t
skip_blanks(struct str t, size_t i)
{
	while (i < t.n && strchr(" \t\r\n", t.p[i]) && t.p[i] != '\0')
		i++;
	return i;
}

/* The offset just behind the value that begins at `i`. */
static size_t
skip_value(struct str t, size_t i)
{
	size_t depth = 0;

	while (i < t.n) {
		char c = t.p[i];

		if (c == '"') {
			i = skip_string(t, i);
		} else {
			if (depth == 0 && strchr(",}] \t\r\n", c))
				break;
			depth += c == '{' || c == '[';
			depth -= c == '}' || c == ']';
			i++;
		}
		if (depth == 0 && (c == '"' || c == '}' || c == ']'))
			break;
	}
	return i;
}

/* Does the string literal, quotes included, say `name`? */
static bool
literal_is(struct str literal, const char *name)
{
	json_t *v;
	bool same;

	if (!memchr(literal.p, '\\', literal.n))
		return str_eq_c((struct str){ literal.p + 1, literal.n - 2 }, name);
	v = json_loadb(literal.p, literal.n, JSON_DECODE_ANY, NULL);
	same = v && strcmp(json_string_value(v), name) == 0;
	json_decref(v);
	return same;
}

bool
json_raw_member(struct str text, const char *name, struct str *ret)
{
	size_t i = skip_blanks(text, 0), end;
	bool found;

	if (i >= text.n || text.p[i] != '{')
		return false;
	for (i = skip_blanks(text, i + 1); i < text.n && text.p[i] == '"';
	     i = skip_blanks(text, i)) {
		end = skip_string(text, i);
		found = literal_is((struct str){ text.p + i, end - i }, name);
		i = skip_blanks(text, end); /* the colon */
		i = skip_blanks(text, i + 1);
		end = skip_value(text, i);
		if (found) {
			*ret = (struct str){ text.p + i, end - i };
			return true;
		}
		i = skip_blanks(text, end);
		i += i < text.n && text.p[i] == ',';
	}
	return false;
}

void
jw_init(struct jw *w, struct buf *out)
{
	*w = (struct jw){ .out = out };
}

/* Comma and key before a value. */
static void
jw_begin(struct jw *w, const char *key)
{
	if (w->comma)
		buf_add_char(w->out, ',');
	if (key) {
		json_add_quoted(w->out, str_c(key));
		buf_add_char(w->out, ':');
	}
	w->comma = true;
}

void
jw_open(struct jw *w, const char *key, char bracket)
{
	jw_begin(w, key);
	buf_add_char(w->out, bracket);
	w->comma = false;
}

void
jw_close(struct jw *w, char bracket)
{
	buf_add_char(w->out, bracket);
	w->comma = true;
}

void
jw_raw(struct jw *w, const char *key, struct str json)
{
	jw_begin(w, key);
	buf_add_str(w->out, json);
}

void
jw_str(struct jw *w, const char *key, struct str v)
{
	jw_begin(w, key);
	json_add_quoted(w->out, v);
}

void
jw_c(struct jw *w, const char *key, const char *v)
{
	if (v)
		jw_str(w, key, str_c(v));
	else
		jw_null(w, key);
}

void
jw_str_opt(struct jw *w, const char *key, struct str v)
{
	if (v.n > 0)
		jw_str(w, key, v);
}

void
jw_int(struct jw *w, const char *key, int64_t v)
{
	jw_begin(w, key);
	buf_add_i64(w->out, v);
}

void
jw_bool(struct jw *w, const char *key, bool v)
{
	jw_raw(w, key, v ? STR("true") : STR("false"));
}

void
jw_null(struct jw *w, const char *key)
{
	jw_raw(w, key, STR("null"));
}

void
jw_guid(struct jw *w, const char *key, const struct guid *g)
{
	char text[GUID_TEXT_LEN + 1];

	guid_format(g, text);
	jw_str(w, key, (struct str){ text, GUID_TEXT_LEN });
}

void
jw_instant(struct jw *w, const char *key, instant_t t)
{
	char text[INSTANT_TEXT_LEN + 1];

	instant_format(t, text);
	jw_str(w, key, (struct str){ text, INSTANT_TEXT_LEN });
}

static int
dump_to_buf(const char *p, size_t n, void *out)
{
	buf_add(out, p, n);
	return 0;
}

void
jw_value(struct jw *w, const char *key, const json_t *v)
{
	jw_begin(w, key);
	if (json_dump_callback(v, dump_to_buf, w->out, JSON_COMPACT | JSON_ENCODE_ANY) != 0)
		w->out->failed = true;
}

static void
add_escape(struct buf *b, char c)
{
	static const char hex[] = "0123456789abcdef";
	static const char letters[] = "\"\"\\\\\bb\ff\nn\rr\tt";
	unsigned char u = (unsigned char)c;

	for (const char *l = letters; *l; l += 2)
		if (*l == c) {
			buf_add(b, (char[]){ '\\', l[1] }, 2);
			return;
		}
	buf_add(b, (char[]){ '\\', 'u', '0', '0', hex[u >> 4], hex[u & 15] }, 6);
}

void
json_add_quoted(struct buf *b, struct str s)
{
	size_t from = 0;

	buf_add_char(b, '"');
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if ((unsigned char)c >= 0x20 && c != '"' && c != '\\')
			continue;
		buf_add(b, s.p + from, i - from);
		add_escape(b, c);
		from = i + 1;
	}
	if (from < s.n)
		buf_add(b, s.p + from, s.n - from);
	buf_add_char(b, '"');
}

static bool
kind_is(const json_t *v, enum json_kind kind)
{
	switch (kind) {
	case JSON_K_STR:
		return json_is_string(v);
	case JSON_K_INT:
		return json_is_integer(v);
	case JSON_K_BOOL:
		return json_is_boolean(v);
	case JSON_K_OBJ:
		return json_is_object(v);
	case JSON_K_ARR:
		return json_is_array(v);
	case JSON_K_ANY:
		return true;
	}
	return false;
}

static const char *
kind_word(enum json_kind kind)
{
	static const char *const words[] = {
		[JSON_K_STR] = "a string",
		[JSON_K_INT] = "a whole number",
		[JSON_K_BOOL] = "true or false",
		[JSON_K_OBJ] = "an object",
		[JSON_K_ARR] = "an array",
		[JSON_K_ANY] = "a value",
	};

	return words[kind];
}

/* Looks like a member's name, not like something a person would have typed as a value? */
static bool
is_plain_name(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_");

	return n > 0 && n <= 40 && s[n] == '\0';
}

static enum souk_err
take_unknown(const json_t *o, const struct json_member *m, size_t n, struct fail *f)
{
	enum souk_err err = SOUK_OK;
	const char *key;
	json_t *v;
	union {
		const json_t *in;
		json_t *out; /* jansson's iterator wants it so, and only reads */
	} all = { .in = o };

	json_object_foreach(all.out, key, v)
	{
		size_t i = 0;

		while (i < n && strcmp(m[i].name, key) != 0)
			i++;
		if (i == n)
			err = fail_field(f, is_plain_name(key) ? key : "(unknown member)",
			    "is not a member of this object", "remove it");
	}
	return err;
}

static enum souk_err
take_one(const json_t *o, struct json_member *m, struct fail *f)
{
	const json_t *v = json_object_get(o, m->name);
	char fix[80];

	m->got = NULL;
	m->got_null = json_is_null(v);
	if (m->got_null && m->nullable)
		return SOUK_OK;
	if (!v)
		return m->required ? fail_field(f, m->name, "is missing", "add it") : SOUK_OK;
	if (!kind_is(v, m->kind)) {
		(void)snprintf(fix, sizeof(fix), "give %s", kind_word(m->kind));
		return fail_field(f, m->name, "has the wrong type", fix);
	}
	m->got = v;
	return SOUK_OK;
}

enum souk_err
json_take(const json_t *o, struct json_member *m, size_t n, struct fail *f)
{
	enum souk_err err = SOUK_OK;

	if (!json_is_object(o))
		return fail_field(f, "body", "is not an object", "give an object");
	for (size_t i = 0; i < n; i++)
		if (take_one(o, &m[i], f) != SOUK_OK)
			err = SOUK_E_INVALID;
	if (take_unknown(o, m, n, f) != SOUK_OK)
		err = SOUK_E_INVALID;
	return err;
}

struct str
json_member_str(const struct json_member *m)
{
	if (!m->got)
		return STR("");
	return (struct str){ json_string_value(m->got), json_string_length(m->got) };
}
