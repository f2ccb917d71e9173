/* SPDX-License-Identifier: Apache-2.0 */
/* The two ways of shape.h. */
#ifndef SOUK_PROSERV_SHAPE_INT_H
#define SOUK_PROSERV_SHAPE_INT_H

#include "proserv/shape.h"

extern const char *const shape_weekday_words[]; /* "Sun" first; NULL behind the last */

/* Days, minutes and texts that are absent, in place. */
void shape_set_absent(const struct shape *s, char *out);

/*
 * Reads straight into *out (absent already), without a tree in between: a document that is in order takes a
 * tenth of the time. False for all else, be it at fault or only unusual (an escape by number, a document that does
 * not fit): then *out is of no use, and shape_read_by_tree tells what is the matter, if anything is.
 */
SOUK_MUST bool shape_read_straight(
    struct str text, size_t items_max, const struct shape *s, struct arena *a, char *out);

/* The exact way; as shape_read. */
SOUK_MUST enum souk_err shape_read_by_tree(struct str text, size_t items_max, const struct shape *s,
    struct arena *a, void *out, struct fail *f);

#endif
