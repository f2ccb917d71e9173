/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dimensions of a product.
 *
 * A batch of usage asks about each of its records, so a key is looked up in the text itself: a quote within
 * a name is escaped there, so `{"key":"` begins an entry and nothing else.
 */
#include "market/dimension.h"

#include <string.h>

#define ENTRY "{\"key\":\""
#define METERED "\",\"type\":\"metered\""
#define ENTRY_MAX (sizeof(ENTRY METERED) + DIMENSION_KEY_MAX)

static const char *const types[] = { "metered", "entitled", NULL };

struct dimension {
	struct str key, type, name, description, unit;
};

enum { M_KEY, M_TYPE, M_NAME, M_DESCRIPTION, M_UNIT, M__COUNT };

static bool
key_fine(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~' || s.p[i] == '"' || s.p[i] == '\\')
			return false;
	return s.n > 0 && s.n <= DIMENSION_KEY_MAX;
}

static bool
read_one(struct check *c, const json_t *o, struct dimension *ret)
{
	struct json_member m[M__COUNT] = {
		[M_KEY] = { .name = "key", .kind = JSON_K_STR, .required = true },
		[M_TYPE] = { .name = "type", .kind = JSON_K_STR },
		[M_NAME] = { .name = "name", .kind = JSON_K_STR },
		[M_DESCRIPTION] = { .name = "description", .kind = JSON_K_STR },
		[M_UNIT] = { .name = "unit", .kind = JSON_K_STR },
	};
	struct dimension d = {
		.type = STR("metered"), .description = STR(""), .unit = STR("Units")
	};

	if (json_is_string(o)) {
		d.key = (struct str){ json_string_value(o), json_string_length(o) };
	} else {
		enum souk_err err = json_take(o, m, M__COUNT, c->f);

		if (err != SOUK_OK)
			c->err = err;
		d.key = json_member_str(&m[M_KEY]);
		check_word(c, &m[M_TYPE], types, &d.type);
		check_text(c, &m[M_DESCRIPTION], 0, 255, &d.description);
		check_text(c, &m[M_UNIT], 1, DIMENSION_UNIT_MAX, &d.unit);
	}
	d.name = d.key;
	check_text(c, &m[M_NAME], 1, 255, &d.name);
	if (c->err == SOUK_OK && !key_fine(d.key))
		check_fail(c, "dimensions", "have a key that is none",
		    "give 1 to 255 letters, digits and signs, without blanks, quotes and \\");
	*ret = d;
	return c->err == SOUK_OK;
}

static void
spell(struct jw *w, const struct dimension *d)
{
	jw_open(w, NULL, '{');
	jw_str(w, "key", d->key);
	jw_str(w, "type", d->type);
	jw_str(w, "name", d->name);
	jw_str(w, "description", d->description);
	jw_str(w, "unit", d->unit);
	jw_close(w, '}');
}

void
check_dimensions(struct check *c, const struct json_member *m, struct arena *mem, struct str *io)
{
	size_t n = json_array_size(m->got);
	struct buf text = { 0 };
	struct dimension d;
	struct jw w;
	struct str kept;

	if (m->got_null || (m->got && n == 0))
		*io = STR("");
	if (!m->got || n == 0)
		return;
	if (n > DIMENSIONS_MAX) {
		check_fail(c, m->name, "are too many", "give at most 200");
		return;
	}
	jw_init(&w, &text);
	jw_open(&w, NULL, '[');
	for (size_t i = 0; i < n && read_one(c, json_array_get(m->got, i), &d); i++) {
		if (buf_ok(&text) && i > 0 && dimension_listed(buf_str(&text), d.key)) {
			check_fail(c, m->name, "have a key twice", "give each key once");
			break;
		}
		spell(&w, &d);
	}
	jw_close(&w, ']');
	kept = buf_ok(&text) ? arena_str(mem, buf_str(&text)) : (struct str){ NULL, 0 };
	buf_done(&text);
	if (!kept.p)
		c->err = SOUK_E_NOMEM;
	else if (c->err == SOUK_OK)
		*io = kept;
}

static bool
has(struct str dimensions, struct str key, const char *ending)
{
	char entry[ENTRY_MAX];
	char *end = entry;

	if (dimensions.n == 0)
		return true;
	if (!key_fine(key))
		return false;
	end = mempcpy(end, ENTRY, sizeof(ENTRY) - 1);
	end = mempcpy(end, key.p, key.n);
	end = mempcpy(end, ending, strlen(ending));
	return memmem(dimensions.p, dimensions.n, entry, (size_t)(end - entry)) != NULL;
}

bool
dimension_metered(struct str dimensions, struct str key)
{
	return has(dimensions, key, METERED);
}

bool
dimension_listed(struct str dimensions, struct str key)
{
	return has(dimensions, key, "\"");
}
