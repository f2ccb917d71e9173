/* SPDX-License-Identifier: Apache-2.0 */
/* One reader of places, for checking and for filling. */
#include "delivery/mail_template.h"

#include "base/utf8.h"

#include <assert.h>
#include <stdio.h>

/* ---- reading ---- */

enum piece { PIECE_END, PIECE_TEXT, PIECE_PLACE, PIECE_OPEN };

static size_t
find(struct str s, const char two[2])
{
	for (size_t i = 0; i + 1 < s.n; i++)
		if (s.p[i] == two[0] && s.p[i + 1] == two[1])
			return i;
	return s.n;
}

static struct str
from(struct str s, size_t n)
{
	return (struct str){ .p = s.p + n, .n = s.n - n };
}

/* Takes the next piece off `*rest`; of a place, its name without blanks. */
static enum piece
next_piece(struct str *rest, struct str *ret)
{
	size_t at = find(*rest, "{{"), end;

	if (rest->n == 0)
		return PIECE_END;
	if (at > 0) {
		*ret = (struct str){ .p = rest->p, .n = at };
		*rest = from(*rest, at);
		return PIECE_TEXT;
	}
	*rest = from(*rest, 2);
	if ((end = find(*rest, "}}")) == rest->n)
		return PIECE_OPEN;
	*ret = str_trim((struct str){ .p = rest->p, .n = end });
	*rest = from(*rest, end + 2);
	return PIECE_PLACE;
}

/* ---- checking ---- */

static size_t
place_index(const struct mail_kind *k, struct str name)
{
	size_t i = 0;

	while (i < k->n_places && !str_eq_c(name, k->places[i].name))
		i++;
	return i;
}

static enum souk_err
refuse_unknown(const struct mail_kind *k, const char *field, struct fail *f)
{
	struct buf b = { 0 };
	char fix[sizeof(f->entry[0].fix)];

	for (size_t i = 0; i < k->n_places; i++)
		buf_printf(&b, "%s%s", i ? ", " : "", k->places[i].name);
	(void)snprintf(fix, sizeof(fix), "use one of: %.120s", b.p ? b.p : "");
	buf_done(&b);
	return fail_field(
	    f, field, "has a place in {{ }} that mails of this kind do not have", fix);
}

static enum souk_err
refuse_missing(const char *field, const char *name, struct fail *f)
{
	char what[sizeof(f->entry[0].what)];

	(void)snprintf(what, sizeof(what), "lacks the place {{%s}}", name);
	return fail_field(f, field, what, "put it where the reader is to find it");
}

static bool
text_is_clean(struct str s, bool one_line)
{
	uint32_t c;

	if (!utf8_valid(s))
		return false;
	if (one_line)
		return !utf8_has_control(s);
	for (size_t n; s.n > 0; s = from(s, n)) {
		n = utf8_next(s, &c);
		if (n == 0 || (c < ' ' && c != '\n' && c != '\r' && c != '\t') ||
		    (c >= 0x7f && c < 0xa0))
			return false;
	}
	return true;
}

static enum souk_err
check_places(const struct mail_kind *k, const char *field, struct str s, bool all, struct fail *f)
{
	uint64_t seen = 0;
	struct str piece;
	enum piece p;
	size_t i, n = 0;

	assert(k->n_places <= MAIL_KIND_PLACES_MAX);
	while ((p = next_piece(&s, &piece)) != PIECE_END) {
		if (p == PIECE_OPEN)
			return fail_field(
			    f, field, "has {{ without }}", "close the place: {{name}}");
		if (p != PIECE_PLACE)
			continue;
		if (++n > MAIL_PLACES_MAX)
			return fail_field(
			    f, field, "has too many places", "fill in at most 100 values");
		if ((i = place_index(k, piece)) == k->n_places)
			return refuse_unknown(k, field, f);
		seen |= UINT64_C(1) << i;
	}
	for (i = 0; all && i < k->n_places; i++)
		if (k->places[i].required && !(seen & UINT64_C(1) << i))
			return refuse_missing(field, k->places[i].name, f);
	return SOUK_OK;
}

static enum souk_err
check_part(const struct mail_kind *k, const char *field, struct str s, size_t max_bytes, bool all,
    struct fail *f)
{
	if (s.n > max_bytes)
		return fail_field(f, field, "is too long",
		    all ? "shorten it to 64 KiB, HTML to 256 KiB" : "at most 200 characters");
	if (!text_is_clean(s, !all))
		return fail_field(f, field, "is not UTF-8 or holds control characters",
		    all ? "send plain UTF-8 text" : "one line of UTF-8 text");
	return check_places(k, field, s, all, f);
}

bool
mail_language(struct str tag, char out[MAIL_LANGUAGE_MAX + 1])
{
	char low[MAIL_LANGUAGE_MAX + 1] = "";
	struct str rest = tag, part;
	bool first = true;

	if (tag.n > MAIL_LANGUAGE_MAX)
		return false;
	while (tag.n > 0 && str_split(&rest, '-', &part)) {
		if (part.n < 1 || part.n > 8 || (first && (part.n < 2 || part.n > 3)))
			return false;
		for (size_t i = 0; i < part.n; i++) {
			char c = part.p[i];
			bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

			if (!letter && (first || c < '0' || c > '9'))
				return false;
		}
		first = false;
	}
	for (size_t i = 0; i < tag.n; i++)
		low[i] =
		    (char)(tag.p[i] >= 'A' && tag.p[i] <= 'Z' ? tag.p[i] + ('a' - 'A') : tag.p[i]);
	memcpy(out, low, sizeof(low));
	return true;
}

enum souk_err
mail_template_check(const struct mail_kind *k, const struct mail_parts *t, struct fail *f)
{
	enum souk_err r;

	if (t->subject.n == 0 || (utf8_valid(t->subject) && utf8_is_blank(t->subject)))
		return fail_field(f, "subject", "is empty", "say what the mail is about");
	if (t->text.n == 0 || (utf8_valid(t->text) && utf8_is_blank(t->text)))
		return fail_field(
		    f, "text", "is empty", "every mail has a text; the HTML may be left out");
	if ((r = check_part(k, "subject", t->subject, (size_t)4 * MAIL_SUBJECT_MAX, false, f)) !=
		SOUK_OK ||
	    (r = check_part(k, "text", t->text, MAIL_TEXT_MAX, true, f)) != SOUK_OK)
		return r;
	if (utf8_length(t->subject) > MAIL_SUBJECT_MAX)
		return fail_field(f, "subject", "is too long", "at most 200 characters");
	return t->html.n == 0 ? SOUK_OK : check_part(k, "html", t->html, MAIL_HTML_MAX, true, f);
}

/* ---- filling ---- */

static void
add_plain(struct buf *b, struct str s)
{
	buf_add_str(b, s);
}

static void
add_to_line(struct buf *b, struct str s)
{
	uint32_t c;

	for (size_t n; s.n > 0; s = from(s, n)) {
		struct str one = { .p = s.p, .n = 1 };

		if ((one.n = n = utf8_next(s, &c)) == 0) {
			n = 1;
			continue;
		}
		if (utf8_has_control(one))
			buf_add_char(b, ' ');
		else
			buf_add_str(b, one);
	}
}

static enum souk_err
fill(struct str s, const struct mail_value *values, size_t n, void (*add)(struct buf *, struct str),
    struct buf *ret, struct fail *f)
{
	struct str piece;
	enum piece p;
	size_t i;

	buf_clear(ret);
	while ((p = next_piece(&s, &piece)) == PIECE_TEXT || p == PIECE_PLACE) {
		if (p == PIECE_TEXT) {
			buf_add_str(ret, piece);
			continue;
		}
		for (i = 0; i < n && !str_eq_c(piece, values[i].name); i++)
			;
		if (i == n)
			return fail_set(f, SOUK_E_INVALID, "place_without_value",
			    "the template has a place that this mail has no value for");
		add(ret, values[i].value);
	}
	if (p == PIECE_OPEN)
		return fail_set(
		    f, SOUK_E_INVALID, "bad_template", "the template has {{ without }}");
	return buf_ok(ret) ? SOUK_OK : SOUK_E_NOMEM;
}

/* Values may be long; a line that people look at is not. */
static void
shorten(struct buf *b)
{
	size_t n = MAIL_SUBJECT_FILLED_MAX;

	if (b->n <= n)
		return;
	while (n > 0 && ((unsigned char)b->p[n] & 0xc0) == 0x80)
		n--;
	b->n = n;
	b->p[n] = '\0';
	buf_add_c(b, "\xe2\x80\xa6");
}

enum souk_err
mail_template_fill(const struct mail_parts *t, const struct mail_value *values, size_t n_values,
    struct mail_text *ret, struct fail *f)
{
	enum souk_err r;

	if ((r = fill(t->subject, values, n_values, add_to_line, &ret->subject, f)) != SOUK_OK)
		return r;
	shorten(&ret->subject);
	if ((r = fill(t->text, values, n_values, add_plain, &ret->text, f)) != SOUK_OK)
		return r;
	return fill(t->html, values, n_values, buf_add_xml, &ret->html, f);
}

void
mail_text_done(struct mail_text *t)
{
	buf_done(&t->subject);
	buf_done(&t->text);
	buf_done(&t->html);
}
