/* SPDX-License-Identifier: Apache-2.0 */
#include "vectors.h"

#include "check.h"

#include "base/io.h"

#include <stdio.h>
#include <stdlib.h>

json_t *
vectors_read(const char *name)
{
	struct buf b = { 0 };
	struct fail f = { 0 };
	json_t *v = NULL;
	char path[512];
	enum souk_err r;

	(void)snprintf(path, sizeof(path), SOUK_SOURCE "/tests/vectors/proserv/%s", name);
	r = io_read_file(path, 1 << 20, &b, &f);
	if (r == SOUK_OK)
		r = json_read(buf_str(&b), &v, &f);
	if (r != SOUK_OK)
		fail_msg("%s: %s", path, f.detail);
	buf_done(&b);
	return v;
}

/* Puts a value (stolen; NULL takes away) where the pointer says. */
static void
put(json_t *doc, const char *pointer, json_t *value)
{
	char path[128], *part = path, *next;
	json_t *o = doc;

	assert_int_equal(pointer[0], '/');
	(void)snprintf(path, sizeof(path), "%s", pointer + 1);
	while ((next = strchr(part, '/')) != NULL) {
		*next = '\0';
		o = json_is_array(o) ? json_array_get(o, strtoul(part, NULL, 10))
				     : json_object_get(o, part);
		assert_non_null(o);
		part = next + 1;
	}
	if (json_is_array(o) && value != NULL)
		assert_int_equal(json_array_set_new(o, strtoul(part, NULL, 10), value), 0);
	else if (json_is_array(o))
		assert_int_equal(json_array_remove(o, strtoul(part, NULL, 10)), 0);
	else if (value != NULL)
		assert_int_equal(json_object_set_new(o, part, value), 0);
	else
		(void)json_object_del(o, part);
}

static json_t *
repeated_text(const json_t *spec)
{
	struct buf b = { 0 };
	json_t *v;

	for (json_int_t i = json_integer_value(json_array_get(spec, 0)); i > 0; i--)
		buf_add_c(&b, json_string_value(json_array_get(spec, 1)));
	v = json_string(b.p);
	buf_done(&b);
	return v;
}

static json_t *
numbered(const json_t *value, json_int_t i)
{
	struct buf b = { 0 };
	char *text = json_dumps(value, JSON_ENCODE_ANY);
	json_t *v;

	for (const char *p = text; *p != '\0'; p++) {
		if (p[0] == '#' && p[1] == '#')
			buf_printf(&b, "%02d", (int)i);
		else if (p[0] == '#')
			buf_printf(&b, "%d", (int)i);
		else
			buf_add_char(&b, *p);
		p += p[0] == '#' && p[1] == '#';
	}
	v = json_loads(b.p, JSON_DECODE_ANY, NULL);
	assert_non_null(v);
	buf_done(&b);
	free(text);
	return v;
}

static json_t *
repeated_value(const json_t *spec)
{
	json_t *list = json_array();

	for (json_int_t i = 0; i < json_integer_value(json_array_get(spec, 0)); i++)
		(void)json_array_append_new(list, numbered(json_array_get(spec, 1), i));
	return list;
}

json_t *
vectors_listing(const json_t *base, const json_t *c)
{
	json_t *doc = json_deep_copy(base), *value;
	const char *pointer;

	json_object_foreach(json_object_get(c, "set"), pointer, value)
	    put(doc, pointer, json_is_null(value) ? NULL : json_deep_copy(value));
	json_object_foreach(json_object_get(c, "text"), pointer, value)
	    put(doc, pointer, repeated_text(value));
	json_object_foreach(json_object_get(c, "list"), pointer, value)
	    put(doc, pointer, repeated_value(value));
	return doc;
}

json_t *
vectors_context(const json_t *base, const json_t *c)
{
	json_t *doc = json_deep_copy(base), *value;
	const char *pointer;

	json_object_foreach(json_object_get(c, "context"), pointer, value)
	    put(doc, pointer, json_is_null(value) ? NULL : json_deep_copy(value));
	return doc;
}

static unsigned
number_or(const json_t *v, const char *name, unsigned otherwise)
{
	const json_t *n = json_object_get(v, name);

	return n != NULL ? (unsigned)json_integer_value(n) : otherwise;
}

const struct logo_facts *
vectors_logo(const json_t *c, struct logo_facts *l)
{
	static const char *const formats[] = { "none", "PNG", "JPG", "GIF" };
	const json_t *v = json_object_get(c, "logo");
	const char *format = json_string_value(json_object_get(v, "format"));
	const char *hash = json_string_value(json_object_get(v, "hash"));
	unsigned ground = number_or(v, "ground", 0xffffff);

	if (v == NULL)
		return NULL;
	*l = (struct logo_facts){ .bytes = number_or(v, "bytes", 1000),
		.format = LOGO_PNG,
		.width = number_or(v, "width", 200),
		.height = number_or(v, "height", 200),
		.damaged = json_is_true(json_object_get(v, "damaged")),
		.ground = ground == 0xffffff ? GROUND_WHITE : GROUND_COLOURED,
		.colour = { (unsigned char)(ground >> 16), (unsigned char)(ground >> 8),
		    (unsigned char)ground },
		.blank = hash == NULL };
	l->trouble = l->damaged ? "it is a case" : NULL;
	for (unsigned i = 0; format != NULL && i < 4; i++)
		if (strcmp(format, formats[i]) == 0)
			l->format = (enum logo_format)i;
	if (hash != NULL && !logo_hash_read(str_c(hash), &l->hash))
		fail_msg("%s is no hash", hash);
	return l;
}
