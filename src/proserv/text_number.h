/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers in folded text that mean money: amounts, payment cards, bank accounts. */
#ifndef SOUK_PROSERV_TEXT_NUMBER_H
#define SOUK_PROSERV_TEXT_NUMBER_H

#include "base/str.h"

enum number_kind {
	NUMBER_AMOUNT, /* with a currency beside it */
	NUMBER_CARD,   /* a card scheme's prefix and length, and the check digit (ISO/IEC 7812) */
	NUMBER_IBAN,   /* the country's length and the check digits (ISO 13616) */
	NUMBER_BANK /* nine digits that hold the check digit of the American Bankers Association */
};

struct number {
	enum number_kind kind;
	size_t start, end;
};

/* The next one that begins at or after *at, which moves on behind it; false at the end. */
bool text_number_next(struct str folded, size_t *at, struct number *ret);

/* Digits, at most 19 of them, as 0..9. */
bool card_number_plausible(const uint8_t *digits, size_t n);
/* Without blanks, in lower case. */
bool iban_plausible(struct str s);
bool routing_number_plausible(struct str s);

#endif
