/* SPDX-License-Identifier: Apache-2.0 */
/* The table behind text_fold.h. For text_table.c, which makes it, and text_fold.c, which reads it. */
#ifndef SOUK_PROSERV_TEXT_FOLD_INT_H
#define SOUK_PROSERV_TEXT_FOLD_INT_H

#include "proserv/text_fold.h"

#define FOLD_CODES 0x20000 /* code points above are kept, but for those that cannot be seen */
#define FOLD_LONGEST 8     /* bytes of a replacement; longer ones become a blank */

/*
 * An entry: in its low byte one of these, or the number (1..3) of the bytes that follow in the others. FOLD_POOL: these
 * hold the place in the pool of a length and so many bytes.
 */
#define FOLD_KEEP 0u
#define FOLD_POOL 4u
#define FOLD_DROP 5u
#define FOLD_HIDDEN 6u
#define FOLD_BLANK 7u
#define FOLD_KIND 0x7fu
#define FOLD_LOOK 0x80u /* of another alphabet, and looks like the Latin letter it becomes */

struct text_table {
	uint32_t entry[FOLD_CODES];
	struct buf pool;
};

/* Writes a code point as UTF-8, up to four bytes; returns how many. */
static inline size_t
fold_utf8(uint32_t code, char out[4])
{
	size_t n = 0;

	if (code < 0x80) {
		out[n++] = (char)code;
		return n;
	}
	if (code < 0x800) {
		out[n++] = (char)(0xc0 | code >> 6);
	} else if (code < 0x10000) {
		out[n++] = (char)(0xe0 | code >> 12);
		out[n++] = (char)(0x80 | (code >> 6 & 0x3f));
	} else {
		out[n++] = (char)(0xf0 | code >> 18);
		out[n++] = (char)(0x80 | (code >> 12 & 0x3f));
		out[n++] = (char)(0x80 | (code >> 6 & 0x3f));
	}
	out[n++] = (char)(0x80 | (code & 0x3f));
	return n;
}

#endif
