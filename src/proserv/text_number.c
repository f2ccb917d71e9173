/* SPDX-License-Identifier: Apache-2.0 */
/* Money's numbers; see text_number.h. */
#include "proserv/text_number.h"

#include <stdlib.h>

#define CARD_MIN 13
#define CARD_MAX 19
#define IBAN_MIN 15
#define IBAN_MAX 34
#define ROUTING 9
#define AMOUNT_MAX 24

static inline bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool
is_alnum(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z');
}

static bool
word_at(struct str s, size_t i)
{
	return i < s.n && (is_alnum(s.p[i]) || s.p[i] == '_');
}

static bool
luhn(const uint8_t *d, size_t n)
{
	unsigned sum = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned v = d[n - 1 - i];

		if (i % 2 == 1)
			v = v * 2 > 9 ? v * 2 - 9 : v * 2;
		sum += v;
	}
	return sum % 10 == 0;
}

/* The schemes' prefixes and the lengths they give out. */
static const struct {
	uint16_t from, to; /* the first four digits */
	uint8_t least, most;
} schemes[] = {
	{ 2221, 2720, 16, 16 },
	{ 3000, 3059, 14, 14 },
	{ 3400, 3499, 15, 15 },
	{ 3528, 3589, 16, 19 },
	{ 3600, 3699, 14, 14 },
	{ 3700, 3799, 15, 15 },
	{ 3800, 3999, 14, 14 },
	{ 4000, 4999, 16, 16 },
	{ 4000, 4999, 13, 13 },
	{ 4000, 4999, 19, 19 },
	{ 5100, 5599, 16, 16 },
	{ 6011, 6011, 16, 19 },
	{ 6200, 6299, 16, 19 },
	{ 6440, 6599, 16, 19 },
};

bool
card_number_plausible(const uint8_t *d, size_t n)
{
	unsigned prefix;
	bool same = true;

	if (n < CARD_MIN || n > CARD_MAX)
		return false;
	for (size_t i = 1; i < n; i++)
		same &= d[i] == d[0];
	prefix = d[0] * 1000u + d[1] * 100u + d[2] * 10u + d[3];
	for (size_t i = 0; !same && i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (prefix >= schemes[i].from && prefix <= schemes[i].to && n >= schemes[i].least &&
		    n <= schemes[i].most && luhn(d, n))
			return true;
	return false;
}

/* ISO 13616 registry: country and length. */
static const char iban_lengths[][5] = { "ad24", "ae23", "al28", "at20", "az28", "ba20", "be16",
	"bg22", "bh22", "br29", "by28", "ch21", "cr22", "cy28", "cz24", "de22", "dk18", "do28",
	"ee20", "eg29", "es24", "fi18", "fo18", "fr27", "gb22", "ge22", "gi23", "gl18", "gr27",
	"gt28", "hr21", "hu28", "ie22", "il23", "iq23", "is26", "it27", "jo30", "kw30", "kz20",
	"lb28", "lc32", "li21", "lt20", "lu20", "lv21", "mc27", "md24", "me22", "mk19", "mr27",
	"mt31", "mu30", "nl18", "no15", "pk24", "pl28", "ps29", "pt25", "qa29", "ro24", "rs22",
	"sa24", "sc31", "se24", "si19", "sk24", "sm27", "st25", "sv28", "tl23", "tn24", "tr26",
	"ua29", "va22", "vg24", "xk20" };

static size_t
iban_length(const char *country)
{
	for (size_t i = 0; i < sizeof(iban_lengths) / sizeof(iban_lengths[0]); i++)
		if (memcmp(iban_lengths[i], country, 2) == 0)
			return (size_t)(iban_lengths[i][2] - '0') * 10 +
			       (size_t)(iban_lengths[i][3] - '0');
	return 0;
}

bool
iban_plausible(struct str s)
{
	unsigned rest = 0;

	if (s.n < IBAN_MIN || s.n > IBAN_MAX || s.n != iban_length(s.p) || !is_digit(s.p[2]) ||
	    !is_digit(s.p[3]))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[(i + 4) % s.n];

		if (is_digit(c))
			rest = (rest * 10 + (unsigned)(c - '0')) % 97;
		else if (is_alnum(c))
			rest = (rest * 100 + (unsigned)(c - 'a') + 10) % 97;
		else
			return false;
	}
	return rest == 1;
}

/* The first two digits are those of a Federal Reserve district or of a thrift, electronic or traveller's cheque. */
bool
routing_number_plausible(struct str s)
{
	static const unsigned weights[3] = { 3, 7, 1 };
	unsigned sum = 0, prefix;

	if (s.n != ROUTING)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (!is_digit(s.p[i]))
			return false;
		sum += weights[i % 3] * (unsigned)(s.p[i] - '0');
	}
	prefix = (unsigned)(s.p[0] - '0') * 10 + (unsigned)(s.p[1] - '0');
	return sum % 10 == 0 && sum > 0 &&
	       (prefix <= 12 || (prefix >= 21 && prefix <= 32) || (prefix >= 61 && prefix <= 72) ||
		   prefix == 80);
}

/* Two letters in front of the digits at `i`; blanks may part groups. */
static bool
iban_at(struct str s, size_t i, struct number *ret)
{
	char plain[IBAN_MAX];
	size_t n = 0, k, want;

	if (i < 2 || !is_alnum(s.p[i - 1]) || is_digit(s.p[i - 1]) || is_digit(s.p[i - 2]) ||
	    !is_alnum(s.p[i - 2]) || (i > 2 && word_at(s, i - 3)))
		return false;
	want = iban_length(s.p + i - 2);
	for (k = i - 2; k < s.n && n < want; k++) {
		if (is_alnum(s.p[k]))
			plain[n++] = s.p[k];
		else if ((s.p[k] != ' ' && s.p[k] != '-') || !word_at(s, k + 1))
			break;
	}
	if (n < IBAN_MIN || word_at(s, k) || !iban_plausible((struct str){ plain, n }))
		return false;
	*ret = (struct number){ NUMBER_IBAN, i - 2, k };
	return true;
}

/* Digits in groups; the card's number may end with any of them, other digits may follow after a blank. */
static bool
card_at(struct str s, size_t i, struct number *ret)
{
	uint8_t d[CARD_MAX];
	size_t n = 0, k = i;
	char part = '\0';

	if (i > 0 &&
	    (word_at(s, i - 1) || s.p[i - 1] == '-' || s.p[i - 1] == '.' || s.p[i - 1] == '+'))
		return false;
	while (k < s.n && n < CARD_MAX) {
		if (is_digit(s.p[k])) {
			d[n++] = (uint8_t)(s.p[k++] - '0');
			if (k < s.n && is_digit(s.p[k]))
				continue;
			if (!word_at(s, k) && card_number_plausible(d, n) &&
			    !(k + 1 < s.n && s.p[k] == '-' && word_at(s, k + 1))) {
				*ret = (struct number){ NUMBER_CARD, i, k };
				return true;
			}
			continue;
		}
		if ((s.p[k] != ' ' && s.p[k] != '-') || (part != '\0' && part != s.p[k]) ||
		    k + 1 >= s.n || !is_digit(s.p[k + 1]))
			return false;
		part = s.p[k++];
	}
	return false;
}

#define WORD(s)                                                                                    \
	{                                                                                          \
		s, sizeof(s) - 1                                                                   \
	}

/* Followed or led by a border where they are words. */
static const struct str before_amount[] = { WORD("$"), WORD("\xe2\x82\xac"), WORD("\xc2\xa3"),
	WORD("\xc2\xa5"), WORD("usd"), WORD("eur"), WORD("gbp"), WORD("jpy"), WORD("brl"),
	WORD("chf"), WORD("cad"), WORD("aud"), WORD("\xe2\x82\xb9"), WORD("inr"), WORD("euro") };
static const struct str after_amount[] = { WORD("$"), WORD("\xe2\x82\xac"), WORD("\xc2\xa3"),
	WORD("\xc2\xa5"), WORD("usd"), WORD("eur"), WORD("gbp"), WORD("jpy"), WORD("brl"),
	WORD("chf"), WORD("cad"), WORD("aud"), WORD("inr"), WORD("euro"), WORD("euros"),
	WORD("dollar"), WORD("dollars"), WORD("dolares"), WORD("pounds"), WORD("reais"),
	WORD("\xe5\x86\x86"), WORD("\xe4\xb8\x87\xe5\x86\x86"), WORD("yen") };

static bool
currency_before(struct str s, size_t i, size_t *ret)
{
	size_t end = i > 0 && s.p[i - 1] == ' ' ? i - 1 : i;

	for (size_t k = 0; k < sizeof(before_amount) / sizeof(before_amount[0]); k++) {
		struct str w = before_amount[k];

		/* Few end alike: the last byte spares most comparisons. */
		if (end >= w.n && s.p[end - 1] == w.p[w.n - 1] &&
		    memcmp(s.p + end - w.n, w.p, w.n) == 0 &&
		    (!is_alnum(w.p[0]) || end == w.n || !word_at(s, end - w.n - 1))) {
			*ret = end - w.n;
			return true;
		}
	}
	return false;
}

static bool
currency_after(struct str s, size_t i, size_t *ret)
{
	size_t start = i < s.n && s.p[i] == ' ' ? i + 1 : i;

	for (size_t k = 0; k < sizeof(after_amount) / sizeof(after_amount[0]); k++) {
		struct str w = after_amount[k];

		if (s.n - start >= w.n && s.p[start] == w.p[0] &&
		    memcmp(s.p + start, w.p, w.n) == 0 &&
		    (!is_alnum(w.p[0]) || !word_at(s, start + w.n))) {
			*ret = start + w.n;
			return true;
		}
	}
	return false;
}

/* Digits with what groups them; longer ones are no amounts. */
static size_t
number_end(struct str s, size_t i)
{
	size_t most = s.n - i < AMOUNT_MAX ? s.n : i + AMOUNT_MAX;

	while (
	    i < most && (is_digit(s.p[i]) || ((s.p[i] == '.' || s.p[i] == ',' || s.p[i] == '\'') &&
						 i + 1 < s.n && is_digit(s.p[i + 1]))))
		i++;
	return i;
}

static bool
amount_at(struct str s, size_t i, struct number *ret)
{
	size_t start = i, end = number_end(s, i);
	bool before = currency_before(s, i, &start), after = currency_after(s, end, &end);

	*ret = (struct number){ NUMBER_AMOUNT, start, end };
	return before || after;
}

static bool
routing_at(struct str s, size_t i, struct number *ret)
{
	*ret = (struct number){ NUMBER_BANK, i, i + ROUTING };
	return s.n - i >= ROUTING && !word_at(s, i + ROUTING) && (i == 0 || !word_at(s, i - 1)) &&
	       routing_number_plausible((struct str){ s.p + i, ROUTING });
}

typedef uint8_t bytes16 __attribute__((vector_size(16)));

static size_t
next_digit(struct str s, size_t i)
{
	for (; i + 16 <= s.n; i += 16) {
		bytes16 v;
		uint64_t half[2];

		memcpy(&v, s.p + i, 16);
		v = (bytes16)((bytes16)(v - '0') < 10);
		memcpy(half, &v, 16);
		if (half[0])
			return i + (size_t)__builtin_ctzll(half[0]) / 8;
		if (half[1])
			return i + 8 + (size_t)__builtin_ctzll(half[1]) / 8;
	}
	while (i < s.n && !is_digit(s.p[i]))
		i++;
	return i;
}

bool
text_number_next(struct str s, size_t *at, struct number *ret)
{
	for (size_t i = next_digit(s, *at); i < s.n; i = next_digit(s, i)) {
		if (iban_at(s, i, ret) || card_at(s, i, ret) || routing_at(s, i, ret) ||
		    amount_at(s, i, ret)) {
			*at = ret->end > i ? ret->end : i + 1;
			return true;
		}
		while (i < s.n && is_digit(s.p[i]))
			i++;
	}
	*at = s.n;
	return false;
}
