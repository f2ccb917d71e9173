/* SPDX-License-Identifier: Apache-2.0 */
/* Values of cells: what each type takes, and how to mend what it does not. */
#ifndef SOUK_FEEDS_VALUE_H
#define SOUK_FEEDS_VALUE_H

#include "base/clock.h"
#include "base/currency.h"
#include "base/money.h"
#include "feeds/feed.h"

#define VALUE_INSTANT_MIN INT64_C(0) /* 1970-01-01T00:00:00Z */
#define VALUE_INSTANT_MAX INSTANT_MAX
#define INSTANT_NONE INT64_MIN /* an empty cell */

/* What is wrong with a value, static text; both NULL when nothing is. */
struct value_fault {
	const char *what;
	const char *fix;
};

/* Any cell by its column's type and whether it must be filled; currency_load must have succeeded. */
struct value_fault value_check(const struct feed_column *c, struct str s);

/* `YYYY-MM-DDTHH:MM:SSZ` fast, every other form of instant_parse as well, within 1970..9999. */
struct value_fault value_instant(struct str s, instant_t *ret);
struct value_fault value_money(struct str s, money_t *ret);
struct value_fault value_currency(struct str s, currency_t *ret);
struct value_fault value_bool(struct str s, bool *ret);
struct value_fault value_int(struct str s, uint32_t *ret);
struct value_fault value_action(struct str s, enum event_action *ret);
struct value_fault value_type(struct str s, enum event_type *ret);

#endif
