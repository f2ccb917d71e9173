/* SPDX-License-Identifier: Apache-2.0 */
/* Decimal amounts in 128 bits; products are taken in 256. */
#include "base/money.h"

typedef unsigned __int128 u128;

#define U128_MAX (~(u128)0)

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Most amounts: at most 18 digits in all, so that 64 bits hold them. False for all others, right or wrong. */
static bool
parse_short(struct str s, money_t *ret)
{
	static const int64_t scale[MONEY_DECIMALS + 1] = { 10000000000, 1000000000, 100000000,
		10000000, 1000000, 100000, 10000, 1000, 100, 10, 1 };
	size_t i = s.n > 0 && s.p[0] == '-', decimals = 0;
	bool negative = i > 0, point = false;
	int64_t v = 0;

	if (s.n == i || s.n - i > MONEY_WHOLE_DIGITS || !is_digit(s.p[i]) ||
	    !is_digit(s.p[s.n - 1]))
		return false;
	for (; i < s.n; i++) {
		if (is_digit(s.p[i])) {
			v = v * 10 + (s.p[i] - '0');
			decimals += point;
		} else if (s.p[i] == '.' && !point) {
			point = true;
		} else {
			return false;
		}
	}
	if (decimals > MONEY_DECIMALS)
		return false;
	*ret = (money_t)(negative ? -v : v) * scale[decimals];
	return true;
}

enum money_fault
money_parse(struct str s, money_t *ret)
{
	bool negative = s.n > 0 && s.p[0] == '-';
	size_t i = negative, whole = 0, decimals = 0;
	money_t m = 0;

	if (parse_short(s, ret))
		return MONEY_OK;
	if (s.n == 0)
		return MONEY_EMPTY;
	for (; i < s.n && is_digit(s.p[i]); i++) {
		/* Zeros in front are tolerated, but do not count. */
		whole += whole > 0 || s.p[i] != '0';
		if (whole <= MONEY_WHOLE_DIGITS)
			m = m * 10 + (s.p[i] - '0');
	}
	if (i == negative)
		return MONEY_SYNTAX;
	if (i < s.n && s.p[i] == '.') {
		for (i++; i < s.n && is_digit(s.p[i]); i++)
			if (++decimals <= MONEY_DECIMALS)
				m = m * 10 + (s.p[i] - '0');
		if (decimals == 0)
			return MONEY_SYNTAX;
	}
	if (i < s.n)
		return MONEY_SYNTAX;
	if (whole > MONEY_WHOLE_DIGITS)
		return MONEY_RANGE;
	if (decimals > MONEY_DECIMALS)
		return MONEY_TOO_FINE;
	for (; decimals < MONEY_DECIMALS; decimals++)
		m *= 10;
	*ret = negative ? -m : m;
	return MONEY_OK;
}

const char *
money_fault_what(enum money_fault f)
{
	switch (f) {
	case MONEY_EMPTY:
		return "is empty";
	case MONEY_SYNTAX:
		return "is not an amount";
	case MONEY_TOO_FINE:
		return "has more than 10 decimals";
	case MONEY_RANGE:
		return "is out of range";
	case MONEY_OK:
	default:
		return NULL;
	}
}

const char *
money_fault_fix(enum money_fault f)
{
	switch (f) {
	case MONEY_EMPTY:
		return "give an amount, 0 if there is none";
	case MONEY_SYNTAX:
		return "write digits with a decimal point, as in -1234.56, without exponent or "
		       "separators";
	case MONEY_TOO_FINE:
		return "round it to 10 decimals";
	case MONEY_RANGE:
		return "give an amount of at most 18 digits before the decimal point";
	case MONEY_OK:
	default:
		return NULL;
	}
}

static u128
magnitude(money_t m)
{
	return m < 0 ? -(u128)m : (u128)m;
}

static uint64_t
power_of_ten(unsigned n)
{
	static const uint64_t power[MONEY_DECIMALS + 1] = { 1, 10, 100, 1000, 10000, 100000,
		1000000, 10000000, 100000000, 1000000000, 10000000000 };

	return power[n];
}

/* The magnitude in units of 10^-decimals, half-up. */
static u128
rounded(money_t m, unsigned decimals)
{
	uint64_t p = power_of_ten(decimals < MONEY_DECIMALS ? MONEY_DECIMALS - decimals : 0);
	u128 v = magnitude(m);

	if (v <= UINT64_MAX)
		return (uint64_t)v / p + ((uint64_t)v % p >= p - p / 2);
	return v / p + (v % p >= p - p / 2);
}

money_t
money_round(money_t m, unsigned decimals)
{
	uint64_t p = power_of_ten(decimals < MONEY_DECIMALS ? MONEY_DECIMALS - decimals : 0);
	u128 up;

	if (p == 1 || __builtin_mul_overflow(rounded(m, decimals), p, &up) || up > U128_MAX / 2)
		return m;
	return m < 0 ? -(money_t)up : (money_t)up;
}

static inline size_t
put_digit(char *text, size_t n, unsigned i, unsigned decimals, unsigned digit)
{
	if (i == decimals && decimals > 0)
		text[n++] = '.';
	text[n++] = (char)('0' + digit);
	return n;
}

/* Digits of `v` with a point before the last `decimals`, written backwards and turned. */
static size_t
put_decimal(u128 v, bool negative, unsigned decimals, char *out)
{
	char text[MONEY_TEXT_SIZE];
	uint64_t low;
	unsigned i = 0;
	size_t n = 0;

	negative = negative && v != 0;
	for (; v > UINT64_MAX; v /= 10)
		n = put_digit(text, n, i++, decimals, (unsigned)(v % 10));
	for (low = (uint64_t)v; i <= decimals || low != 0; low /= 10)
		n = put_digit(text, n, i++, decimals, (unsigned)(low % 10));
	if (negative)
		text[n++] = '-';
	for (size_t k = 0; k < n; k++)
		out[k] = text[n - 1 - k];
	out[n] = '\0';
	return n;
}

size_t
money_format(money_t m, unsigned decimals, char out[MONEY_TEXT_SIZE])
{
	if (decimals > MONEY_DECIMALS)
		decimals = MONEY_DECIMALS;
	return put_decimal(rounded(m, decimals), m < 0, decimals, out);
}

size_t
money_format_exact(money_t m, unsigned least, char out[MONEY_TEXT_SIZE])
{
	u128 v = magnitude(m);
	unsigned decimals = MONEY_DECIMALS;

	for (; decimals > least && v <= UINT64_MAX && (uint64_t)v % 10 == 0; decimals--)
		v = (uint64_t)v / 10;
	for (; decimals > least && v % 10 == 0; decimals--)
		v /= 10;
	return put_decimal(v, m < 0, decimals, out);
}

void
buf_add_money(struct buf *b, money_t m, unsigned decimals)
{
	char text[MONEY_TEXT_SIZE];

	buf_add(b, text, money_format(m, decimals, text));
}

/* 256 bits, the low limb first. */
static void
multiply(u128 a, u128 b, uint64_t out[4])
{
	uint64_t x[2] = { (uint64_t)a, (uint64_t)(a >> 64) };
	uint64_t y[2] = { (uint64_t)b, (uint64_t)(b >> 64) };

	memset(out, 0, 4 * sizeof(out[0]));
	for (unsigned i = 0; i < 2; i++) {
		u128 carry = 0;

		for (unsigned j = 0; j < 2; j++) {
			carry += (u128)x[i] * y[j] + out[i + j];
			out[i + j] = (uint64_t)carry;
			carry >>= 64;
		}
		out[i + 2] = (uint64_t)carry;
	}
}

/* p / d, half-up, bit by bit; false when it does not fit 127 bits. */
static bool
divide(const uint64_t p[4], u128 d, u128 *ret)
{
	u128 rest = 0, q = 0;

	for (int bit = 255; bit >= 0; bit--) {
		bool out = rest >> 127 != 0;

		rest = rest << 1 | (p[bit / 64] >> (bit % 64) & 1);
		if (q >> 126 != 0)
			return false;
		q <<= 1;
		if (out || rest >= d) {
			rest -= d;
			q |= 1;
		}
	}
	q += rest >= d - d / 2;
	if (q > U128_MAX / 2)
		return false;
	*ret = q;
	return true;
}

bool
money_share(money_t a, money_t n, money_t d, money_t *ret)
{
	uint64_t product[4];
	u128 q;

	if (d == 0)
		return false;
	multiply(magnitude(a), magnitude(n), product);
	if (!divide(product, magnitude(d), &q))
		return false;
	*ret = (a < 0) ^ (n < 0) ^ (d < 0) ? -(money_t)q : (money_t)q;
	return true;
}

bool
money_mul(money_t a, money_t b, money_t *ret)
{
	money_t product;

	/* Most products fit: an amount below 10^9 times a rate below 1. */
	if (__builtin_mul_overflow(a, b, &product))
		return money_share(a, b, MONEY_ONE, ret);
	*ret = product / MONEY_ONE;
	product %= MONEY_ONE;
	*ret += (product >= MONEY_ONE / 2) - (product <= -(MONEY_ONE / 2));
	return true;
}
