/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a review found, in the form of section 5 of the listing document.
 */
#ifndef SOUK_PROSERV_FINDING_H
#define SOUK_PROSERV_FINDING_H

#include "base/json.h"
#include "proserv/rule.h"

/* Who lets a finding pass, why, and until when; see waiver.h. */
struct waiver;

struct finding {
	const struct rule *rule;
	enum severity severity;
	enum finding_kind kind;
	struct str pointer; /* RFC 6901, into the listing */
	struct str message;
	struct str
	    evidence; /* of a heuristic the words it rests on; may be empty. At most EVIDENCE_MAX bytes */
	const char *hint;
	const struct waiver *waiver; /* NULL: not waived */
};

#define EVIDENCE_MAX 160
/* What the message begins with when a rule was not given what it goes by. */
#define NOT_CHECKED "Not checked: "
/* One rule tells of at most so many places of a listing; the last one says that there are more. */
#define FINDINGS_PER_RULE 50
/* Enough of an arena for the findings of one listing. */
#define FINDINGS_ARENA ((size_t)8 << 20)

/* Everything is in the arena. */
struct findings {
	struct arena *a;
	struct finding *v;
	size_t n, cap;
	bool failed; /* the arena was full: something is missing */
};

void findings_init(struct findings *f, struct arena *a);
/* Does one of them block: an error that nobody waived? */
bool findings_block(const struct findings *f);

/*
 * Writes one as an object of section 5 (an element when `w` is within an array). `file` may be empty:
 * then the member is left out.
 */
void finding_json(struct jw *w, const struct finding *f, struct str file, struct str listing_id);

#endif
