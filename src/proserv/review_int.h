/* SPDX-License-Identifier: Apache-2.0 */
/* What a rule's check sees and how it tells what it found. For rules_*.c only. */
#ifndef SOUK_PROSERV_REVIEW_INT_H
#define SOUK_PROSERV_REVIEW_INT_H

#include "proserv/review.h"

struct review {
	const struct listing *listing;
	const struct review_context *context; /* never NULL; empty when none was given */
	const struct text_hits *text;         /* may be NULL */
	const struct logo_facts *logo;        /* may be NULL */
	const char *logo_unreadable;          /* may be NULL */
	enum edition edition;                 /* one */
	/* The engine's: */
	const struct rule *rule;
	enum finding_kind kind;
	size_t n_of_rule;
	struct findings *out;
};

/* A place in the listing: at(r, "/resources/%zu/url", i). In the arena of the findings; never NULL. */
const char *at(struct review *r, const char *fmt, ...) SOUK_PRINTF(2, 3);

/* A finding with the rule's severity (a heuristic's: a warning at most) and hint. `evidence` may be empty. */
void finding_add(struct review *r, const char *pointer, struct str evidence, const char *fmt, ...)
    SOUK_PRINTF(4, 5);
/* With a severity of its own, where the requirements have two. */
void finding_add_as(struct review *r, enum severity s, const char *pointer, struct str evidence,
    const char *fmt, ...) SOUK_PRINTF(5, 6);

/* Information: what was not given, and what therefore was not checked. */
void not_checked(struct review *r, const char *pointer, const char *what);

#define NO_EVIDENCE ((struct str){ "", 0 })

#endif
