/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Titles as buyers see them: which two would be taken for the same.
 *
 * Compatibility forms and case are folded, what cannot be seen is dropped, runs of blanks are one, and
 * characters that look alike (UTS 39 confusables, by ICU, which maintains that table) become one. Case is folded before
 * looks are compared ("AI" is "ai") and after ("PayPaI" looks like "PayPal", "paypai" does not): two keys.
 */
#ifndef SOUK_PROSERV_TITLE_H
#define SOUK_PROSERV_TITLE_H

#include "base/arena.h"

#define TITLE_KEYS 2
#define TITLE_KEYED_MAX 1024 /* bytes of a title that count */

/*
 * Two titles clash when they share a key. Returns how many of ret[] were made (1 when both are the
 * same, 0 for a title with nothing to see); they are UTF-8 in `a`. SOUK_E_NOMEM: the arena is full.
 */
SOUK_MUST enum souk_err title_keys(
    struct str title, struct arena *a, struct str ret[TITLE_KEYS], size_t *ret_n);

#endif
