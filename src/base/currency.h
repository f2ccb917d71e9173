/* SPDX-License-Identifier: Apache-2.0 */
/* ISO 4217 alphabetic codes from the iso-codes package (read once; design 5). */
#ifndef SOUK_BASE_CURRENCY_H
#define SOUK_BASE_CURRENCY_H

#include "base/str.h"

#include <stdint.h>

/* A code as a number of its three letters (A = 0, base 26): small, and ordered as text is. */
typedef uint16_t currency_t;
#define CURRENCY_COUNT 17576
#define CURRENCY_NONE ((currency_t)UINT16_MAX)

/* Reads the list; later calls are free. Thread-safe. Fails when iso-codes is not installed. */
SOUK_MUST enum souk_err currency_load(struct fail *f);
/* CURRENCY_NONE for what ISO 4217 does not list. currency_load must have succeeded. */
currency_t currency_of(struct str code);
/* "USD", NUL-terminated. */
void currency_text(currency_t c, char out[4]);

#endif
