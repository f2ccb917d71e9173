/* SPDX-License-Identifier: Apache-2.0 */
/* What another edition of the rules would do to the listings that others can see, before it is switched on. */
#ifndef SOUK_PROSERV_REVIEW_EFFECT_H
#define SOUK_PROSERV_REVIEW_EFFECT_H

#include "proserv/review_task.h"
#include "proserv/reviewer.h"

struct effect_page {
	enum edition to;   /* the other edition; compared with the setting's */
	struct guid after; /* listings after this id; in and out */
	size_t limit;      /* listings to look at */
	/* Out: */
	size_t looked, changed; /* changed: those that are told */
	size_t stopped, freed;  /* listings that would be at fault, and no longer be at fault */
	bool more;
};

/*
 * In a read transaction. One element of `w` for each listing that would be judged otherwise: {"listing", "sellerId",
 * "title", "visibility", "before", "after", "added": findings, "gone": findings}, with "before" and "after" of "passed",
 * "pending", "blocked". Decisions and waivers count as they stand; what logos are like does not, as it is the same in all editions.
 * `mem` is reset for each listing.
 */
SOUK_MUST enum souk_err review_effect(
    struct db_tx *tx, struct reviewer *r, struct effect_page *p, struct arena *mem, struct jw *w);

#endif
