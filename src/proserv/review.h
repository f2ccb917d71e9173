/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reviewing a listing: every rule of an edition against what is known.
 *
 * review_run is pure: no clock, no files (but the system's time zones), the same findings for the same
 * input, on any number of threads at once. What a rule needs and is not given (the context or a part of
 * it, the logo's facts, the texts' hits) makes it say so as information instead of guessing.
 */
#ifndef SOUK_PROSERV_REVIEW_H
#define SOUK_PROSERV_REVIEW_H

#include "proserv/finding.h"
#include "proserv/logo.h"

struct text_hits; /* proserv/text.h: what the scanner found in the listing's texts */

struct context_product {
	struct str id, title, maker;
	enum visibility visibility;
};

struct context_title {
	struct str listing, title;
};

/* A key of a title (proserv/title.h) and the place of the title in `titles`. */
struct context_key {
	struct str key;
	size_t title;
};

/* As the context's document tells a logo: `logos` has it with its hash. */
struct context_logo {
	struct str listing, seller, hash;
};

/* What the marketplace knows (section 4). Each part may be missing, which is not the same as empty. */
struct review_context {
	bool has_as_of, has_categories, has_products, has_titles;
	instant_t as_of;                   /* taken as now */
	struct str data_use_terms_version; /* the current one; empty: not told */
	struct texts categories;
	struct context_product *products; /* by id */
	size_t n_products;
	struct context_title *titles;
	size_t n_titles;
	struct context_key *keys; /* of all titles, ordered: review_context_order makes them */
	size_t n_keys;
	/* Logos of listings (`name` is the listing), and marks that are reserved. */
	struct context_logo *logo_texts;
	size_t n_logo_texts;
	struct logo_known *logos, *marks;
	size_t n_logos, n_marks;
};

/* Reads a context document; as listing_read. The result is ordered. */
SOUK_MUST enum souk_err review_context_read(
    struct str text, struct arena *a, struct review_context *ret, struct fail *f);
/* For a context that was put together otherwise: keys the titles, orders what review_run looks up. */
SOUK_MUST enum souk_err review_context_order(struct review_context *c, struct arena *a);
/* NULL: not known. */
const struct context_product *review_context_product(const struct review_context *c, struct str id);

/* Everything about one listing that a rule may look at. Only `listing` must be there. */
struct review_input {
	const struct listing *listing;
	const struct review_context *context;
	const struct text_hits *text;
	const struct logo_facts *logo;
	const char
	    *logo_unreadable; /* why it could not be fetched; NULL: it could, or was not tried */
};

struct review_options {
	enum edition edition; /* EDITION_NONE: the document's own, or else G21 */
	/* Rules that are left out, by their place in `rules`: n_rules of them. NULL: none. */
	const bool *skip;
};

/*
 * Adds to `out` (findings_init) what the rules find, in the order of pointer, then rule. SOUK_E_NOMEM
 * when the arena of `out` is full. `o` may be NULL.
 */
SOUK_MUST enum souk_err review_run(
    const struct review_input *in, const struct review_options *o, struct findings *out);

#endif
