/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exact decimal money (design 3.6): never floating point, rounded half-up once, at output.
 *
 * A money_t counts units of 10^-10 of a currency, which it does not know: amounts of
 * different currencies are never added. What is read lies below 10^18 in magnitude, so
 * that ten thousand million such amounts still add up within a money_t.
 */
#ifndef SOUK_BASE_MONEY_H
#define SOUK_BASE_MONEY_H

#include "base/str.h"

typedef __int128 money_t;

#define MONEY_DECIMALS 10
#define MONEY_ONE ((money_t)10000000000) /* one whole unit of the currency */
#define MONEY_WHOLE_DIGITS 18            /* at most, of an amount that is read */

enum money_fault {
	MONEY_OK = 0,
	MONEY_EMPTY,
	MONEY_SYNTAX,   /* an exponent, a plus, blanks, separators, a bare point ... */
	MONEY_TOO_FINE, /* more than MONEY_DECIMALS, even if they are zeros */
	MONEY_RANGE     /* 10^18 or more */
};

/* `-?digits[.digits]` and nothing else. *ret is untouched on a fault. */
enum money_fault money_parse(struct str s, money_t *ret);
/* What is wrong and how to mend it, for an error text; NULL for MONEY_OK. */
const char *money_fault_what(enum money_fault f);
const char *money_fault_fix(enum money_fault f);

/* Half-up, ties away from zero, to `decimals` of 0..10. */
money_t money_round(money_t m, unsigned decimals);

/* Any money_t, rounded as money_round does, with exactly `decimals` digits behind the point; never "-0". */
#define MONEY_TEXT_SIZE 48
size_t money_format(money_t m, unsigned decimals, char out[MONEY_TEXT_SIZE]); /* its length */
/* The same without trailing zeros, at least `least` decimals: what was read, written again. */
size_t money_format_exact(money_t m, unsigned least, char out[MONEY_TEXT_SIZE]);
void buf_add_money(struct buf *b, money_t m, unsigned decimals);

/* False, and *ret untouched, when the result does not fit. */
SOUK_MUST static inline bool
money_add(money_t a, money_t b, money_t *ret)
{
	money_t sum;

	if (__builtin_add_overflow(a, b, &sum))
		return false;
	*ret = sum;
	return true;
}

/* a * b at ten decimals, half-up: an amount times a rate. */
SOUK_MUST bool money_mul(money_t a, money_t b, money_t *ret);
/* a * n / d at ten decimals, half-up: a share. False for d == 0 as well. */
SOUK_MUST bool money_share(money_t a, money_t n, money_t d, money_t *ret);

#endif
