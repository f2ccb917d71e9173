/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a JSON document into plain structs by a table: what members an object may have, of which
 * type, and where each goes. Strict, and every fault at once; see listing.h for what that means.
 */
#ifndef SOUK_PROSERV_SHAPE_H
#define SOUK_PROSERV_SHAPE_H

#include "base/arena.h"
#include "base/calendar.h"
#include "base/json.h"

#include <stddef.h>

enum field_type {
	FIELD_TEXT,     /* struct str */
	FIELD_TRUTH,    /* struct str, whatever it was: a text, or "given" for true or an object */
	FIELD_PRESENT,  /* bool: anything but null and "" */
	FIELD_BOOL,     /* bool */
	FIELD_DAY,      /* day_t, else DAY_NONE */
	FIELD_INSTANT,  /* instant_t; `also`: bool, whether it was there */
	FIELD_MINUTE,   /* int, else -1 */
	FIELD_AMOUNT,   /* money_t, from a decimal text; `also`: bool */
	FIELD_WORD,     /* an enum: place in `words` from 1, else 0 */
	FIELD_WEEKDAYS, /* uint8_t, bit 0 is Sunday; `also`: bool */
	FIELD_TEXTS,    /* struct str *; `also`: size_t, their number */
	FIELD_DAYS,     /* day_t *; `also`: size_t */
	FIELD_OBJECT,   /* a struct of `shape` in place; `also`: bool, or SIZE_MAX */
	FIELD_LIST      /* pointer to structs of `shape`; `also`: size_t */
};

struct shape;

struct field {
	const char *name;
	enum field_type type;
	size_t at; /* offset in the struct */
	size_t also;
	const char *const *words; /* NULL-terminated */
	const struct shape *shape;
	size_t
	    marks; /* FIELD_LIST, FIELD_TEXTS: offset of a bool that says it was there; 0: none */
};

struct shape {
	const struct field *fields;
	size_t n;
	size_t size; /* of the struct */
};

#define SHAPE(table, type)                                                                         \
	{                                                                                          \
		(table), sizeof(table) / sizeof((table)[0]), sizeof(type)                          \
	}

/*
 * Reads `text` (of at most `bytes_max`) into *out, which has `s->size` bytes and is overwritten.
 * Arrays have at most `items_max` elements.
 */
SOUK_MUST enum souk_err shape_read(struct str text, size_t bytes_max, size_t items_max,
    const struct shape *s, struct arena *a, void *out, struct fail *f);
/* The same for a document that is an array of such objects. */
SOUK_MUST enum souk_err shape_read_list(struct str text, size_t bytes_max, size_t items_max,
    const struct shape *s, struct arena *a, void **ret, size_t *ret_n, struct fail *f);

#endif
