/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plausibility of e-mail addresses, domain names and telephone numbers.
 *
 * Runs on bytes from strangers, also a million times in an import: plain ASCII never
 * reaches libidn2.
 */
#include "base/email.h"

#include "base/utf8.h"

#include <idn2.h>

#define DOMAIN_INPUT_MAX 1024 /* bytes: more than any form of 253 ASCII bytes needs */
#define LABEL_MAX 63

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_alnum(char c)
{
	return is_digit(c) || is_letter(c);
}

static bool
is_in(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

/*
 * A non-ASCII character that nobody sees or that controls: two addresses that differ in it
 * only look the same. U+200C and U+200D shape words of some scripts and stay (RFC 5892 A.1).
 */
static bool
is_hidden(struct str one, uint32_t cp)
{
	return cp >= 0x80 && cp != 0x200c && cp != 0x200d &&
	       (utf8_is_blank(one) || utf8_has_control(one));
}

/* Valid UTF-8 without such characters? */
static bool
shows_itself(struct str s)
{
	uint32_t cp;

	for (size_t i = 0, n; i < s.n; i += n) {
		struct str one = { s.p + i, s.n - i };

		if ((n = utf8_next(one, &cp)) == 0)
			return false;
		one.n = n;
		if (is_hidden(one, cp))
			return false;
	}
	return true;
}

/* One label of the ASCII form, in lower case (RFC 5890 2.3.1: "??--" is kept for A-labels). */
static bool
label_ok(struct str l)
{
	if (l.n == 0 || l.n > LABEL_MAX || l.p[0] == '-' || l.p[l.n - 1] == '-')
		return false;
	for (size_t i = 0; i < l.n; i++)
		if (!is_alnum(l.p[i]) && l.p[i] != '-')
			return false;
	return l.n < 4 || l.p[2] != '-' || l.p[3] != '-' || str_starts(l, STR("xn--"));
}

static bool
all_digits(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_digit(s.p[i]))
			return false;
	return true;
}

/* The rules that hold for every ASCII form. A last label of digits is an IPv4 address or nothing. */
static bool
ascii_domain_ok(struct str s)
{
	struct str rest = s, label = { NULL, 0 };
	size_t labels = 0;

	if (s.n == 0 || s.n > DOMAIN_MAX)
		return false;
	while (str_split(&rest, '.', &label)) {
		if (!label_ok(label))
			return false;
		labels++;
	}
	return labels >= 2 && !all_digits(label);
}

/* Is there anything that only libidn2 can judge: non-ASCII, or a label that claims to be encoded? */
static bool
needs_idna(struct str lower)
{
	for (size_t i = 0; i < lower.n; i++)
		if ((unsigned char)lower.p[i] >= 0x80)
			return true;
	return memmem(lower.p, lower.n, "xn--", 4) != NULL;
}

static bool
to_ascii(const char *lower, char out[DOMAIN_MAX + 1])
{
	uint8_t *ascii = NULL;
	bool ok = false;
	size_t n;

	if (idn2_lookup_u8((const uint8_t *)lower, &ascii,
		IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL | IDN2_USE_STD3_ASCII_RULES) != IDN2_OK)
		return false;
	n = strlen((const char *)ascii);
	if (n <= DOMAIN_MAX) {
		memcpy(out, ascii, n + 1);
		ok = true;
	}
	idn2_free(ascii);
	return ok;
}

bool
domain_plausible(struct str s, char out[DOMAIN_MAX + 1])
{
	char lower[DOMAIN_INPUT_MAX + 1], ascii[DOMAIN_MAX + 1];
	struct str result = { lower, s.n };

	if (s.n == 0 || s.n > DOMAIN_INPUT_MAX || memchr(s.p, '\0', s.n))
		return false;
	for (size_t i = 0; i < s.n; i++)
		lower[i] = s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] + ('a' - 'A')) : s.p[i];
	lower[s.n] = '\0';
	if (needs_idna(result)) {
		if (!shows_itself(s) || !to_ascii(lower, ascii))
			return false;
		result = str_c(ascii);
	}
	if (!ascii_domain_ok(result))
		return false;
	if (out) {
		memcpy(out, result.p, result.n);
		out[result.n] = '\0';
	}
	return true;
}

/* atext of RFC 5322, and every visible non-ASCII character (RFC 6531 3.3). */
static bool
dot_atom_ok(struct str s)
{
	char before = '.';

	for (size_t i = 0; i < s.n; before = s.p[i++]) {
		char c = s.p[i];

		if ((unsigned char)c < 0x80 && !is_alnum(c) && !is_in(c, "!#$%&'*+-/=?^_`{|}~."))
			return false;
		if (c == '.' && before == '.')
			return false;
	}
	return before != '.';
}

/* "..." with a backslash before what needs one; something must be inside. `s` is valid UTF-8. */
static bool
quoted_ok(struct str s)
{
	if (s.n < 3 || s.p[s.n - 1] != '"' || utf8_has_control(s))
		return false;
	for (size_t i = 1; i < s.n - 1; i++) {
		if (s.p[i] == '"')
			return false;
		if (s.p[i] == '\\') {
			i++;
			if (i == s.n - 1 || (unsigned char)s.p[i] >= 0x80)
				return false;
		}
	}
	return true;
}

bool
email_plausible(struct str s)
{
	const char *at = s.n > 0 ? memrchr(s.p, '@', s.n) : NULL;
	struct str local, domain;

	if (!at || !shows_itself(s) || utf8_length(s) > EMAIL_MAX)
		return false;
	local = (struct str){ s.p, (size_t)(at - s.p) };
	domain = (struct str){ at + 1, s.n - local.n - 1 };
	if (local.n == 0 || local.n > EMAIL_LOCAL_MAX)
		return false;
	return (local.p[0] == '"' ? quoted_ok(local) : dot_atom_ok(local)) &&
	       domain_plausible(domain, NULL);
}

/* Cuts an extension off the end of `*s`; false when it is there but has no or other than digits. */
static bool
cut_extension(struct str *s)
{
	size_t i = 0;
	struct str ext;

	while (i < s->n && !is_letter(s->p[i]))
		i++;
	if (i == s->n)
		return true;
	ext = (struct str){ s->p + i, s->n - i };
	for (s->n = i; s->n > 0 && s->p[s->n - 1] == ' ';)
		s->n--;
	if (ext.n >= 3 && str_eq_nocase((struct str){ ext.p, 3 }, STR("ext"))) {
		ext.p += 3, ext.n -= 3;
		if (ext.n > 0 && ext.p[0] == '.')
			ext.p++, ext.n--;
	} else if (ext.p[0] == 'x' || ext.p[0] == 'X') {
		ext.p++, ext.n--;
	} else {
		return false;
	}
	if (ext.n > 0 && ext.p[0] == ' ')
		ext.p++, ext.n--;
	return ext.n > 0 && all_digits(ext);
}

bool
phone_plausible(struct str s)
{
	size_t digits = 0;
	bool open = false;

	/* Every accepted character is one byte, so bytes count code points here. */
	if (s.n == 0 || s.n > PHONE_MAX || s.p[0] == ' ' || !cut_extension(&s) || s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		/* No country code begins with 0 (E.164): nobody could dial that. */
		if (is_digit(c) && digits++ == 0 && c == '0' && s.p[0] == '+')
			return false;
		if (is_digit(c))
			continue;
		if (c == '(' || c == ')') {
			if (open == (c == '('))
				return false;
			open = !open;
		} else if (c == '+' ? i > 0 : !is_in(c, " -./"))
			return false;
	}
	if (!is_digit(s.p[0]) && s.p[0] != '+' && s.p[0] != '(')
		return false;
	if (!is_digit(s.p[s.n - 1]) && s.p[s.n - 1] != ')')
		return false;
	return !open && digits >= 3 && digits <= 15;
}
