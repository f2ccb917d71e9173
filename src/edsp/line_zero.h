/* SPDX-License-Identifier: Apache-2.0 */
/* The lines that sales_fold leaves out because their net is 0, though something was billed. */
#ifndef SOUK_EDSP_LINE_ZERO_H
#define SOUK_EDSP_LINE_ZERO_H

#include "feeds/sales.h"

/*
 * Of a fold with `usage`: take() for each, sorted as the fold's; its error ends it. The payer's address is the
 * invoice's: nothing is left to pay, so that there is no payment whose address would go before. The line's texts
 * live as long as the fold.
 */
SOUK_MUST enum souk_err lines_of_zero(const struct sales *s, enum sales_variant variant,
    struct str seller, enum souk_err (*take)(void *arg, const struct sales_line *l), void *arg);

#endif
