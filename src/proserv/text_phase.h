/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a text tells what is before a purchase, or after it. */
#ifndef SOUK_PROSERV_TEXT_PHASE_H
#define SOUK_PROSERV_TEXT_PHASE_H

#include "base/str.h"

#include <stdbool.h>

enum purchase_phase { BEFORE_PURCHASE, AFTER_PURCHASE };

/*
 * Does folded text have a word for before (or after) with one for buying close behind it, as in "before you place an
 * order" and "sobald Sie gekauft haben"? What is told with "afterwards", behind the first, is after it. The end of a
 * contract is no purchase: "before your subscription expires" is neither. In our languages that put blanks between
 * words; false of other texts. Linear in the text.
 */
bool text_tells_phase(struct str folded, enum purchase_phase phase);

#endif
