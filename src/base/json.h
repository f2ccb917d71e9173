/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON: reading through jansson (strict), writing straight into a buffer.
 */
#ifndef SOUK_BASE_JSON_H
#define SOUK_BASE_JSON_H

#include "base/clock.h"
#include "base/guid.h"
#include "base/str.h"

#include <jansson.h>

/*
 * Parses one document: duplicate members, trailing bytes, invalid UTF-8, NUL in
 * strings and nesting beyond 32 are refused with the byte offset in the words
 * (field "body"). The caller json_decref()s. Memory is bounded by the text's length.
 * The words never quote the text. The code is "invalid_json".
 */
SOUK_MUST enum souk_err json_read(struct str text, json_t **ret, struct fail *f);

/*
 * The bytes of a top-level member's value, as sent, in a text json_read has accepted:
 * for numbers whose digits matter (a json_t holds a double). False when there is none.
 */
bool json_raw_member(struct str text, const char *name, struct str *ret);

/*
 * A writer of one document. Commas and escapes are its business; balance is the
 * caller's. Keys are literals or checked text. Strings must be valid UTF-8.
 */
struct jw {
	struct buf *out;
	bool comma; /* the next value needs one before it */
};

void jw_init(struct jw *w, struct buf *out);
void jw_open(
    struct jw *w, const char *key, char bracket); /* '{' or '['; key NULL inside an array */
void jw_close(struct jw *w, char bracket);        /* '}' or ']' */
void jw_str(struct jw *w, const char *key, struct str v);
void jw_c(struct jw *w, const char *key, const char *v);      /* NULL writes null */
void jw_str_opt(struct jw *w, const char *key, struct str v); /* writes nothing when v is empty */
void jw_int(struct jw *w, const char *key, int64_t v);
void jw_bool(struct jw *w, const char *key, bool v);
void jw_null(struct jw *w, const char *key);
void jw_guid(struct jw *w, const char *key, const struct guid *g);
void jw_instant(struct jw *w, const char *key, instant_t t);   /* RFC 3339 with milliseconds */
void jw_raw(struct jw *w, const char *key, struct str json);   /* an already encoded value */
void jw_value(struct jw *w, const char *key, const json_t *v); /* compact */
/* The escapes alone, quotes included. */
void json_add_quoted(struct buf *b, struct str s);

/*
 * Declared members: what an object may have, of which type, whether required. Unknown
 * members, wrong types and missing ones become one fail entry each (all of them, not
 * only the first). Values are borrowed from `o`. An unknown member is named only when
 * it reads like a member name, so that no value ends up in the words.
 */
enum json_kind { JSON_K_STR, JSON_K_INT, JSON_K_BOOL, JSON_K_OBJ, JSON_K_ARR, JSON_K_ANY };

struct json_member {
	const char *name;
	enum json_kind kind;
	bool required;
	bool nullable;     /* null passes, if required too, and leaves got NULL */
	const json_t *got; /* set by json_take: the value, NULL when absent */
	bool got_null;     /* it was there and null */
};

SOUK_MUST enum souk_err json_take(const json_t *o, struct json_member *m, size_t n, struct fail *f);
/* Of a taken string member: its slice, empty when absent. */
struct str json_member_str(const struct json_member *m);

#endif
