/* SPDX-License-Identifier: Apache-2.0 */
/* What a listing's words have to say. */
#include "proserv/rules_text.h"

#include "base/utf8.h"
#include "proserv/text_phase.h"

#define STEM 5     /* bytes of a folded word that make it the same word */
#define WORD_MIN 4 /* shorter ones say nothing */
#define WALL 180   /* letters without any structure; about three sentences */
#define STEPS_MIN 2
/* What is looked at of hostile listings: */
#define WORDS_MAX 16         /* of a name */
#define NAMES_MAX 25         /* dimensions; a listing has 24 */
#define LOOKED_AT (64 << 10) /* bytes of a text in which its words are looked for */
#define PRODUCTS_MAX 8       /* related ones; a listing has four */

/* The next word of folded text: letters and digits. */
static bool
folded_word(struct str folded, size_t *at, struct str *ret)
{
	size_t i = *at, start;

	while (i < folded.n && !folded_is_word(folded, i))
		i++;
	for (start = i; i < folded.n && folded_is_word(folded, i); i++)
		;
	*at = i;
	*ret = (struct str){ folded.p + start, i - start };
	return i > start;
}

/* Does a word of the text begin like this one? */
static bool
has_word(struct str folded, struct str word)
{
	size_t n = word.n < STEM ? word.n : STEM;
	const char *p = folded.p, *end = folded.p + (folded.n < LOOKED_AT ? folded.n : LOOKED_AT);

	while (p != NULL && (size_t)(end - p) >= n &&
	       (p = memmem(p, (size_t)(end - p), word.p, n)) != NULL) {
		if (p == folded.p || !folded_is_word(folded, (size_t)(p - folded.p) - 1) ||
		    (unsigned char)word.p[0] >= 0xe3)
			return true;
		p++;
	}
	return false;
}

/* Does one of the members have a word that begins like one of `folded`? True when that has no word that says anything. */
static bool
shares_words(const struct review *r, struct str folded, unsigned members)
{
	struct str word;
	bool any = false;

	for (size_t at = 0, n = 0; n < WORDS_MAX && folded_word(folded, &at, &word);) {
		if (word.n < WORD_MIN)
			continue;
		any = true;
		n++;
		for (size_t i = 0; i < r->text->n_fields; i++)
			if ((members & 1u << r->text->fields[i].member) &&
			    has_word(r->text->fields[i].folded, word))
				return true;
	}
	return !any;
}

#define OVERVIEW (1u << MEMBER_LONG | 1u << MEMBER_SHORT | 1u << MEMBER_HIGHLIGHT)

void
find_unexplained_dimension(struct review *r)
{
	for (size_t i = 0; r->text != NULL && i < r->text->n_fields; i++) {
		const struct text_field *f = &r->text->fields[i];

		if (f->member != MEMBER_DIMENSION_NAME || f->index >= NAMES_MAX)
			continue;
		if (f->placeholder)
			finding_add(r, text_pointer(r, f), f->text,
			    "The dimension's name is a placeholder");
		else if (!shares_words(r, f->folded, OVERVIEW))
			finding_add(r, text_pointer(r, f), f->text,
			    "The overview has no word of the dimension's name");
	}
}

/* The five of professional services fit any of them. */
static bool
is_service(struct str category)
{
	static const char *const names[] = { "Assessments", "Assessment", "Implementation",
		"Managed services", "Premium support", "Training", "Professional services" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (str_eq_nocase(str_trim(category), str_c(names[i])))
			return true;
	return false;
}

/* Categories are English in listings of any language: ASCII words do not need the scanner. */
void
find_unrelated_category(struct review *r)
{
	const struct texts *t = &r->listing->categories;

	for (size_t i = 0; r->text != NULL && i < t->n && i < NAMES_MAX; i++) {
		char lower[256];
		size_t n = t->v[i].n < sizeof(lower) ? t->v[i].n : sizeof(lower);

		if (is_service(t->v[i]) || utf8_is_blank(t->v[i]))
			continue;
		for (size_t k = 0; k < n; k++) {
			char c = t->v[i].p[k];

			lower[k] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
		}
		if (!shares_words(r, (struct str){ lower, n },
			OVERVIEW | 1u << MEMBER_TITLE | 1u << MEMBER_KEYWORD |
			    1u << MEMBER_DIMENSION_NAME | 1u << MEMBER_DIMENSION_TEXT))
			finding_add(r, at(r, "/categories/%zu", i), t->v[i],
			    "No text has a word of this category; it seems unrelated");
	}
}

void
find_scope(struct review *r)
{
	uint64_t classes = 0;

	if (r->text == NULL || r->listing->associated_products.n > 0 ||
	    r->listing->aws_services.n > 0)
		return;
	for (size_t i = 0; i < r->text->n_fields; i++)
		classes |= r->text->fields[i].classes;
	if (!(classes & TERM(AWSNAME)))
		finding_add(r, "/long_description", NO_EVIDENCE,
		    "No related product is given, and no text names AWS or one of its services");
}

void
find_next_steps(struct review *r)
{
	for (size_t i = 0; r->text != NULL && i < r->text->n_fields; i++) {
		const struct text_field *f = &r->text->fields[i];

		if (f->member == MEMBER_EVENT_TEXT && !(f->classes & TERM(NEXTHEAD)) &&
		    f->next_steps < STEPS_MIN)
			finding_add_as(r, SEVERITY_WARNING, text_pointer(r, f), NO_EVIDENCE,
			    "The confirmation does not tell the next steps (%u found)",
			    f->next_steps);
	}
}

void
find_help_topics(struct review *r)
{
	static const struct {
		uint64_t class;
		const char *what;
	} topics[] = {
		{ TERM(HELPUSE), "use" },
		{ TERM(TROUBLE), "troubleshooting" },
		{ TERM(REFUND), "refunds" },
	};
	const struct text_field *f = r->text != NULL ? text_field_of(r, MEMBER_SUPPORT) : NULL;

	for (size_t i = 0; f != NULL && i < sizeof(topics) / sizeof(topics[0]); i++)
		if (!(f->classes & topics[i].class))
			finding_add(r, "/support_description", NO_EVIDENCE,
			    "The support text does not speak of %s", topics[i].what);
}

void
find_support_level(struct review *r)
{
	const struct text_field *f = r->text != NULL ? text_field_of(r, MEMBER_SUPPORT) : NULL;

	if (f != NULL && !(f->classes & TERM(LEVEL)))
		finding_add(r, "/support_description", NO_EVIDENCE,
		    "The support text states no level of support: hours, time of response, tier");
}

/* What begins an item of a list: Markdown's marks, numbers, and the signs that people type for them. */
static bool
is_item(struct str line)
{
	static const char *const signs[] = { "- ", "* ", "+ ", "-\t", "*\t", "\u2022", "\u2023",
		"\u25aa", "\u25cf", "\u25a0", "\u30fb", "\u2713", "\u2714", "\u2013 " };
	size_t digits = 0;

	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
		if (str_starts(line, str_c(signs[i])))
			return true;
	while (digits < line.n && digits < 3 && line.p[digits] >= '0' && line.p[digits] <= '9')
		digits++;
	return digits > 0 && digits + 1 < line.n && memchr(".)", line.p[digits], 2) != NULL &&
	       line.p[digits + 1] == ' ';
}

/* Number signs and a blank ("#1 in the region" is none), or the line below one: "=====". */
static bool
is_heading(struct str line)
{
	size_t n = 0;

	while (n < line.n && line.p[n] == line.p[0])
		n++;
	if (n == 0)
		return false;
	if (line.p[0] == '#')
		return n <= 6 && (n == line.n || line.p[n] == ' ' || line.p[n] == '\t');
	return (line.p[0] == '=' || line.p[0] == '-') && n >= 3 && n == line.n;
}

static bool
is_structured(struct str s)
{
	struct str line;

	while (str_split(&s, '\n', &line)) {
		line = str_trim(line);
		if (is_item(line) || is_heading(line))
			return true;
	}
	return false;
}

void
find_feature_list(struct review *r)
{
	struct str s = r->listing->long_description;

	if (r->text != NULL && !utf8_is_blank(s) && !is_structured(s))
		finding_add(r, "/long_description", NO_EVIDENCE,
		    "The overview has neither a list nor a heading that shows the key features");
}

/* Does one of the texts tell it, as a term or in other words? */
static bool
tells_phase(const struct review *r, uint64_t class, enum purchase_phase phase)
{
	for (size_t i = 0; i < r->text->n_fields; i++)
		if (r->text->fields[i].classes & class)
			return true;
	for (size_t i = 0; i < r->text->n_fields; i++)
		if (text_tells_phase(r->text->fields[i].folded, phase))
			return true;
	return false;
}

void
find_support_phases(struct review *r)
{
	if (r->text == NULL || (utf8_is_blank(r->listing->support_description) &&
				   utf8_is_blank(r->listing->long_description)))
		return;
	if (!tells_phase(r, TERM(PRE), BEFORE_PURCHASE))
		finding_add(r, "/support_description", NO_EVIDENCE,
		    "No text tells the support before the purchase");
	if (!tells_phase(r, TERM(POST), AFTER_PURCHASE))
		finding_add(r, "/support_description", NO_EVIDENCE,
		    "No text tells the support after the purchase");
}

/* ASCII is enough: what has other letters is compared byte by byte. */
static bool
names_it(const struct review *r, struct str name)
{
	char lower[256];
	size_t n = name.n < sizeof(lower) ? name.n : sizeof(lower);

	for (size_t k = 0; k < n; k++)
		lower[k] =
		    (char)(name.p[k] >= 'A' && name.p[k] <= 'Z' ? name.p[k] | 0x20 : name.p[k]);
	for (size_t i = 0; n > 0 && i < r->text->n_fields; i++) {
		const struct text_field *f = &r->text->fields[i];

		if (f->member == MEMBER_OFFER_NAME || f->member == MEMBER_EVENT_TEXT)
			continue;
		if (memmem(f->folded.p, f->folded.n, lower, n) != NULL ||
		    memmem(f->text.p, f->text.n, name.p, name.n) != NULL)
			return true;
	}
	return false;
}

void
find_product_relation(struct review *r)
{
	const struct texts *t = &r->listing->associated_products;

	for (size_t i = 0; r->text != NULL && i < t->n && i < PRODUCTS_MAX; i++) {
		const struct context_product *p =
		    r->context->has_products ? review_context_product(r->context, t->v[i]) : NULL;

		if (p != NULL && !names_it(r, str_trim(p->title)) &&
		    !names_it(r, str_trim(p->maker)))
			finding_add(r, at(r, "/associated_products/%zu", i), p->title,
			    "No text names this related product or its maker");
	}
}

void
find_cost_notice(struct review *r)
{
	if (r->text == NULL || !r->listing->needs_resources ||
	    utf8_is_blank(r->listing->long_description))
		return;
	for (size_t i = 0; i < r->text->n_suspicions; i++) {
		const struct suspicion *s = &r->text->suspicions[i];

		if (s->kind == NOTICE_COST && r->text->fields[s->field].member == MEMBER_LONG)
			return;
	}
	finding_add(r, "/long_description", NO_EVIDENCE,
	    "Nothing says that extra costs of AWS infrastructure are the customer's");
}

void
find_placeholder_title(struct review *r)
{
	const struct text_field *f = r->text != NULL ? text_field_of(r, MEMBER_TITLE) : NULL;

	if (f != NULL && !utf8_is_blank(f->text) && f->placeholder)
		finding_add(r, "/title", f->text, "The title seems to be a placeholder");
}

void
find_missing_notions(struct review *r)
{
	static const struct {
		uint64_t class;
		const char *what;
	} notions[] = {
		{ TERM(FEATURE), "features" },
		{ TERM(BENEFIT), "benefits" },
		{ TERM(USAGE), "usage" },
	};
	const struct text_field *f = r->text != NULL ? text_field_of(r, MEMBER_LONG) : NULL;

	for (size_t i = 0; f != NULL && i < sizeof(notions) / sizeof(notions[0]); i++)
		if (!(f->classes & notions[i].class))
			finding_add(r, "/long_description", NO_EVIDENCE,
			    "The overview does not tell the %s", notions[i].what);
}

/* Tags that do more than show text. */
static bool
has_active_markup(struct str s, size_t *ret)
{
	static const char *const names[] = { "<script", "<iframe", "<style", "<object", "<embed",
		"<form", "<input", "<link", "<meta", "<svg", "<base" };
	const char *p = s.p, *end = s.p + s.n;

	for (; p != NULL && p < end && (p = memchr(p, '<', (size_t)(end - p))) != NULL; p++)
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
			size_t n = strlen(names[i]);

			if ((size_t)(end - p) > n &&
			    str_eq_nocase((struct str){ p, n }, str_c(names[i])) &&
			    memchr(" />\n\t", p[n], 5) != NULL) {
				*ret = (size_t)(p - s.p);
				return true;
			}
		}
	return false;
}

/* Code points; those of scripts that write a word with one or two, such as Japanese, are two. */
static size_t
letters(struct str s)
{
	size_t n = utf8_length(s);

	for (size_t i = 0; i < s.n; i++)
		n += (unsigned char)s.p[i] >= 0xe3;
	return n;
}

void
find_formatting(struct review *r)
{
	struct str s = r->listing->long_description;
	size_t where = 0;

	if (r->text == NULL || s.n == 0)
		return;
	if (has_active_markup(s, &where))
		finding_add(r, "/long_description", NO_EVIDENCE,
		    "The markup at byte %zu is not allowed; use Markdown's headings and lists",
		    where);
	if (s.n > WALL && letters(s) > WALL && !is_structured(s) &&
	    memmem(s.p, s.n, "\n\n", 2) == NULL)
		finding_add(r, "/long_description", NO_EVIDENCE,
		    "The overview is one block of text without headings or lists");
}
