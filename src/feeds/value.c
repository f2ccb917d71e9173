/* SPDX-License-Identifier: Apache-2.0 */
/* Cells as values. */
#include "feeds/value.h"

#define FINE ((struct value_fault){ NULL, NULL })

struct value_fault
value_instant(struct str s, instant_t *ret)
{
	instant_t t;

	if (!instant_parse(s, &t))
		return (
		    struct value_fault){ "is not an instant", "write it as 2024-05-31T23:59:59Z" };
	if (t < VALUE_INSTANT_MIN || t > VALUE_INSTANT_MAX)
		return (struct value_fault){ "is out of range", "give an instant of 1970 to 9999" };
	*ret = t;
	return FINE;
}

struct value_fault
value_money(struct str s, money_t *ret)
{
	enum money_fault f = money_parse(s, ret);

	return (struct value_fault){ money_fault_what(f), money_fault_fix(f) };
}

struct value_fault
value_currency(struct str s, currency_t *ret)
{
	currency_t c = currency_of(s);

	if (c == CURRENCY_NONE)
		return (struct value_fault){ "is not a currency of ISO 4217",
			"give three capital letters, as in USD" };
	*ret = c;
	return FINE;
}

struct value_fault
value_bool(struct str s, bool *ret)
{
	if (s.n != 1 || (s.p[0] != '0' && s.p[0] != '1'))
		return (struct value_fault){ "is neither 0 nor 1", "give 1 for yes and 0 for no" };
	*ret = s.p[0] == '1';
	return FINE;
}

struct value_fault
value_int(struct str s, uint32_t *ret)
{
	uint64_t v;

	if (!str_to_u64(s, INT32_MAX, &v))
		return (
		    struct value_fault){ "is not a number", "give a whole number, digits only" };
	*ret = (uint32_t)v;
	return FINE;
}

struct value_fault
value_action(struct str s, enum event_action *ret)
{
	enum event_action a = event_action_named(s);

	if (a == ACTION__COUNT)
		return (struct value_fault){ "is not an action",
			"give INVOICED, FORGIVEN or DISBURSED" };
	*ret = a;
	return FINE;
}

struct value_fault
value_type(struct str s, enum event_type *ret)
{
	enum event_type t = event_type_named(s);

	if (t == TYPE__COUNT)
		return (struct value_fault){ "is not a transaction type",
			"give one like SELLER_REV_SHARE or AWS_REV_SHARE_REFUND, in capitals" };
	*ret = t;
	return FINE;
}

struct value_fault
value_check(const struct feed_column *c, struct str s)
{
	union {
		instant_t instant;
		money_t money;
		currency_t currency;
		bool truth;
		uint32_t number;
		enum event_action action;
		enum event_type type;
	} v;

	if (s.n == 0)
		return c->filled ? (struct value_fault){ "is empty", "give its value" } : FINE;
	switch (c->type) {
	case COLUMN_INSTANT:
		return value_instant(s, &v.instant);
	case COLUMN_MONEY:
		return value_money(s, &v.money);
	case COLUMN_CURRENCY:
		return value_currency(s, &v.currency);
	case COLUMN_BOOL:
		return value_bool(s, &v.truth);
	case COLUMN_INT:
		return value_int(s, &v.number);
	case COLUMN_ACTION:
		return value_action(s, &v.action);
	case COLUMN_EVENT_TYPE:
		return value_type(s, &v.type);
	case COLUMN_TEXT:
	default:
		return FINE;
	}
}
