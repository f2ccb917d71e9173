/* SPDX-License-Identifier: Apache-2.0 */
/* What a listing's words must not say. */
#include "proserv/rules_text.h"
#include "proserv/text_person.h"

#include <stdio.h>

#define MEMBER(m) (1u << MEMBER_##m)
#define PROSE                                                                                      \
	(~(MEMBER(DIMENSION_NAME) | MEMBER(DIMENSION_TEXT) | MEMBER(OFFER_NAME) |                  \
	    MEMBER(EVENT_TEXT)))
#define DIMENSIONS (MEMBER(DIMENSION_NAME) | MEMBER(DIMENSION_TEXT))

const char *
text_pointer(struct review *r, const struct text_field *f)
{
	switch (f->member) {
	case MEMBER_TITLE:
		return "/title";
	case MEMBER_SHORT:
		return "/short_description";
	case MEMBER_LONG:
		return "/long_description";
	case MEMBER_SUPPORT:
		return "/support_description";
	case MEMBER_DIMENSION_NAME:
		return at(r, "/dimensions/%u/name", f->index);
	case MEMBER_DIMENSION_TEXT:
		return at(r, "/dimensions/%u/description", f->index);
	case MEMBER_OFFER_NAME:
		return at(r, "/offers/%u/name", f->index);
	case MEMBER_HIGHLIGHT:
		return at(r, "/highlights/%u", f->index);
	case MEMBER_KEYWORD:
		return at(r, "/keywords/%u", f->index);
	case MEMBER_RESOURCE_NAME:
		return at(r, "/resources/%u/name", f->index);
	case MEMBER_DOC_TEXT:
		return at(r, "/docs/%u/text", f->index);
	case MEMBER_EVENT_TEXT:
		return at(r, "/fulfilments/%u/events/%u/text", f->index, f->inner);
	}
	return "";
}

const struct text_field *
text_field_of(const struct review *r, enum text_member member)
{
	for (size_t i = 0; i < r->text->n_fields; i++)
		if (r->text->fields[i].member == member)
			return &r->text->fields[i];
	return NULL;
}

#define SECRET_DIGITS 9 /* so many in a row may be an account or a card */

/* Where a number begins that is not to be repeated: digits with at most a blank or a dash between two. */
static size_t
secret_number(struct str s)
{
	size_t start = 0, digits = 0;

	for (size_t i = 0; i < s.n; i++) {
		bool is_digit = s.p[i] >= '0' && s.p[i] <= '9';
		bool joins = i > 0 && (s.p[i] == ' ' || s.p[i] == '-') && s.p[i - 1] >= '0' &&
			     s.p[i - 1] <= '9';

		if (is_digit && digits++ == 0)
			start = i;
		if (digits >= SECRET_DIGITS)
			return start;
		if (!is_digit && !joins)
			digits = 0;
	}
	return s.n;
}

static struct str
words_of(const struct review *r, const struct suspicion *s)
{
	const struct text_field *f = &r->text->fields[s->field];
	struct str words = { f->text.p + s->start, s->end - s->start };

	words.n = secret_number(words);
	return words;
}

/* One finding for each suspicion of the kind in the members (a set of bits). */
static void
tell(struct review *r, enum suspicion_kind kind, unsigned members, const char *what)
{
	for (size_t i = 0; r->text != NULL && i < r->text->n_suspicions; i++) {
		const struct suspicion *s = &r->text->suspicions[i];
		const struct text_field *f = &r->text->fields[s->field];

		if (s->kind == kind && (members & 1u << f->member))
			finding_add(r, text_pointer(r, f), words_of(r, s), "%s (score %u of 100)",
			    what, s->score);
	}
}

void
find_dimension_billing(struct review *r)
{
	tell(r, SUSPECT_BILLING, DIMENSIONS,
	    "The dimension's text points to billing outside the marketplace");
}

void
find_outside_billing(struct review *r)
{
	tell(r, SUSPECT_BILLING, PROSE, "The text points to payment outside the marketplace");
}

void
find_offence(struct review *r)
{
	tell(r, SUSPECT_OFFENCE, ~0u, "This word may be offensive");
}

static void
tell_hiding(struct review *r, const struct suspicion *s)
{
	char code[16];

	(void)snprintf(code, sizeof(code), "U+%04X", (unsigned)s->code);
	finding_add(r, text_pointer(r, &r->text->fields[s->field]), str_c(code),
	    "A character at byte %u hides words from readers or from searches (score %u of 100)",
	    s->start, s->score);
}

void
find_abuse(struct review *r)
{
	if (r->text == NULL)
		return;
	tell(r, SUSPECT_ABUSE, ~0u, "The text may offer what the acceptable use policy forbids");
	tell(r, SUSPECT_LINK, ~0u, "This link does not show where it leads");
	for (size_t i = 0; i < r->text->n_suspicions; i++)
		if (r->text->suspicions[i].kind == SUSPECT_HIDING)
			tell_hiding(r, &r->text->suspicions[i]);
	if (r->text->cut)
		finding_add(
		    r, "", NO_EVIDENCE, "The texts have more suspicious words than are looked at");
}

/* Numbers of cards and accounts are not repeated. */
void
find_payment_data(struct review *r)
{
	const uint64_t numbers = TERM(CARD) | TERM(IBAN) | TERM(BANK);

	for (size_t i = 0; r->text != NULL && i < r->text->n_suspicions; i++) {
		const struct suspicion *s = &r->text->suspicions[i];
		const struct text_field *f = &r->text->fields[s->field];

		if (s->kind != SUSPECT_PAY_DATA)
			continue;
		if (s->classes & numbers)
			finding_add(r, text_pointer(r, f), NO_EVIDENCE,
			    "At byte %u is the number of %s; its check digits are right (score %u "
			    "of 100)",
			    s->start, s->classes & TERM(CARD) ? "a payment card" : "a bank account",
			    s->score);
		else
			finding_add(r, text_pointer(r, f), words_of(r, s),
			    "The text asks for payment data (score %u of 100)", s->score);
	}
}

void
find_credentials(struct review *r)
{
	const struct listing *l = r->listing;

	tell(r, SUSPECT_CREDENTIALS, ~0u,
	    "The text asks for credentials; use a role that is assumed");
	if (!l->needs_resources && !l->deploys_agent)
		tell(r, SUSPECT_DEPLOYS, PROSE | DIMENSIONS,
		    "The text speaks of deploying, and the listing says that it needs no "
		    "resources");
}

/* Nothing that parts one thing that is named from the next. */
static bool
is_one_name(struct str between)
{
	for (size_t i = 0; i < between.n; i++)
		if (memchr(",;:()/|", between.p[i], 7) != NULL ||
		    (between.n - i >= 3 && memcmp(between.p + i, " - ", 3) == 0))
			return false;
	return true;
}

/* Is [start, end) of a name part of an organisation's, as in "Foster Brothers" and "Mr Cooper, Inc."? */
static bool
is_organisation(const struct review *r, size_t field, size_t start, size_t end)
{
	struct str text = r->text->fields[field].text;

	for (size_t i = 0; i < r->text->n_suspicions; i++) {
		const struct suspicion *s = &r->text->suspicions[i];
		size_t from = s->end < start ? s->end : end, to = s->end < start ? start : s->start;
		struct str between = { text.p + from, to > from ? to - from : 0 };

		if (s->kind == SUSPECT_ORG && s->field == field &&
		    (is_one_name(between) || (s->start >= end && str_eq(between, STR(", ")))))
			return true;
	}
	return false;
}

/* In Japanese the form of address stands behind the name. */
static bool
is_addressed(const struct text_field *f, const struct suspicion *s)
{
	return (unsigned char)f->text.p[s->start] >= 0xe3 ||
	       personal_follows(f->text, s->start, s->end);
}

static void
look_at_offer(struct review *r, size_t field)
{
	const struct text_field *f = &r->text->fields[field];
	const char *pointer = text_pointer(r, f);
	struct personal_place p;

	if (personal_contact(f->text, &p))
		finding_add(r, pointer, NO_EVIDENCE, "The name has %s at byte %zu",
		    p.kind == PERSONAL_EMAIL ? "an e-mail address" : "a telephone number", p.start);
	if (personal_name(f->text, &p) && !is_organisation(r, field, p.start, p.end))
		finding_add(r, pointer, NO_EVIDENCE,
		    "The name may have that of a person at byte %zu (score 70 of 100)", p.start);
	for (size_t i = 0; i < r->text->n_suspicions; i++) {
		const struct suspicion *s = &r->text->suspicions[i];

		if (s->field != field)
			continue;
		if (s->kind != SUSPECT_HONOR && s->kind != SUSPECT_STREET)
			continue;
		if (is_organisation(r, field, s->start, s->end))
			continue;
		if (s->kind == SUSPECT_HONOR && is_addressed(f, s))
			finding_add(r, pointer, words_of(r, s),
			    "The name may have that of a person at byte %u (score %u of 100)",
			    s->end, s->score);
		if (s->kind == SUSPECT_STREET && personal_address(f->text, s->start, s->end))
			finding_add(r, pointer, words_of(r, s),
			    "The name may have a postal address (score %u of 100)", s->score);
	}
}

void
find_personal_data(struct review *r)
{
	for (size_t i = 0; r->text != NULL && i < r->text->n_fields; i++)
		if (r->text->fields[i].member == MEMBER_OFFER_NAME)
			look_at_offer(r, i);
}
