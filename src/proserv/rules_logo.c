/* SPDX-License-Identifier: Apache-2.0 */
/* PS-DET-08 to 11, PS-SETUP-06 and 07: what the logo's bytes are, and what it looks like. */
#include "proserv/logo.h"
#include "proserv/rules_int.h"

#include <ctype.h>

void
check_logo_format(struct review *r)
{
	const struct logo_facts *l = r->logo;

	if (l == NULL && r->logo_unreadable != NULL)
		return; /* PS-DET-07 says so */
	if (l == NULL)
		not_checked(
		    r, "/logo/file", "the logo itself, so its format, ground, size and likeness");
	else if (l->format == LOGO_OTHER)
		finding_add(
		    r, "/logo", NO_EVIDENCE, "The logo is %s", logo_format_word(LOGO_OTHER));
	else if (l->damaged)
		finding_add(r, "/logo", NO_EVIDENCE, "The logo is a damaged %s: %s",
		    logo_format_word(l->format), l->trouble);
}

void
find_logo_ground(struct review *r)
{
	const struct logo_facts *l = r->logo;

	if (l == NULL || l->trouble != NULL || l->ground != GROUND_COLOURED)
		return;
	finding_add(r, "/logo",
	    str_c(at(r, "#%02x%02x%02x", l->colour[0], l->colour[1], l->colour[2])),
	    "The logo's background is neither white nor transparent");
}

void
check_logo_bytes(struct review *r)
{
	if (r->logo != NULL && r->logo->bytes > LOGO_BYTES_MAX)
		finding_add(r, "/logo", NO_EVIDENCE,
		    "The logo has %zu bytes, where at most %u may be", r->logo->bytes,
		    LOGO_BYTES_MAX);
}

void
check_logo_size(struct review *r)
{
	const struct logo_facts *l = r->logo;

	if (l == NULL || l->width == 0)
		return;
	if (l->width < LOGO_EDGE_MIN || l->height < LOGO_EDGE_MIN || l->width > LOGO_EDGE_MAX ||
	    l->height > LOGO_EDGE_MAX)
		finding_add(
		    r, "/logo", NO_EVIDENCE, "The logo is %u by %u pixels", l->width, l->height);
}

/* Does it stand in the text, with no letter before or behind it? */
static bool
has_word(struct str text, const char *word)
{
	size_t n = strlen(word);

	for (size_t i = 0; i + n <= text.n; i++)
		if (str_eq_nocase((struct str){ text.p + i, n }, (struct str){ word, n }) &&
		    (i == 0 || !isalpha((unsigned char)text.p[i - 1])) &&
		    (i + n == text.n || !isalpha((unsigned char)text.p[i + n])))
			return true;
	return false;
}

static bool
names_aws(struct str text)
{
	return has_word(text, "aws") || has_word(text, "amazon");
}

/* What stands behind the last slash, without a query. */
static struct str
base_name(struct str path)
{
	const char *end = path.n > 0 ? memchr(path.p, '?', path.n) : NULL, *slash;

	if (end != NULL)
		path.n = (size_t)(end - path.p);
	slash = path.n > 0 ? memrchr(path.p, '/', path.n) : NULL;
	return slash == NULL ? path
			     : (struct str){ slash + 1, (size_t)(path.p + path.n - slash - 1) };
}

static void
tell_near(struct review *r, const struct logo_near *near, const char *what)
{
	finding_add(r, "/logo",
	    str_c(at(r, "%.*s, %u of %u alike", (int)near->known->name.n, near->known->name.p,
		LOGO_HASH_BITS - near->distance, LOGO_HASH_BITS)),
	    "The logo looks like %s", what);
}

/* The nearest reserved mark: one of AWS, or of anybody else. */
static struct logo_near
near_mark(const struct review *r)
{
	const struct logo_facts *l = r->logo;

	return l == NULL || l->trouble != NULL || l->blank
		   ? (struct logo_near){ NULL, 0 }
		   : logo_nearest(r->context->marks, r->context->n_marks, &l->hash, NO_EVIDENCE);
}

void
find_aws_mark(struct review *r)
{
	struct str file = base_name(r->listing->logo.file);
	struct str url = base_name(r->listing->logo.url);
	struct logo_near near = near_mark(r);

	if (names_aws(file) || names_aws(url))
		finding_add(r, names_aws(file) ? "/logo/file" : "/logo/url",
		    names_aws(file) ? file : url, "The logo's file is named after AWS");
	if (near.known != NULL && names_aws(near.known->name))
		tell_near(r, &near, "an AWS mark");
}

void
find_foreign_logo(struct review *r)
{
	const struct logo_facts *l = r->logo;
	struct logo_near near = near_mark(r);

	if (near.known != NULL && !names_aws(near.known->name))
		tell_near(r, &near, "a mark of somebody else");
	if (l == NULL || l->trouble != NULL || l->blank || r->listing->seller.id.n == 0)
		return;
	near =
	    logo_nearest(r->context->logos, r->context->n_logos, &l->hash, r->listing->seller.id);
	if (near.known != NULL)
		tell_near(r, &near, "that of another seller's listing");
}
