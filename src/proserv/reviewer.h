/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server's reviewer: every rule over a kept listing, by any number of threads at once.
 *
 * What is slow to make (the engine that looks through texts) is made once, at the first review.
 */
#ifndef SOUK_PROSERV_REVIEWER_H
#define SOUK_PROSERV_REVIEWER_H

#include "proserv/catalog.h"
#include "proserv/finding.h"
#include "proserv/logo_index.h"

struct reviewer;

/* `config` must outlive it. */
SOUK_MUST enum souk_err reviewer_new(const struct config *config, struct reviewer **ret);
void reviewer_free(struct reviewer *r); /* accepts NULL */
/*
 * Reads the folder of the setting review.marks; once, before the first review. SOUK_E_INVALID names it, or the file in it that is
 * no image. SOUK_E_UNAVAILABLE: logo_start's.
 */
SOUK_MUST enum souk_err reviewer_read_marks(struct reviewer *r, struct fail *f);
const struct logo_known *reviewer_marks(const struct reviewer *r, size_t *ret_n);
/* The logos of all listings. Whoever reviews one refreshes it before, in a read transaction. */
struct logo_index *reviewer_logos(struct reviewer *r);
/* Makes ready what is slow to make, so that reviewer_run may be called where others wait. */
SOUK_MUST enum souk_err reviewer_warm(struct reviewer *r);
/* The setting review.edition. */
enum edition reviewer_edition(const struct reviewer *r);
const struct config *reviewer_config(const struct reviewer *r);

/*
 * Reviews `in` (its `text` and its context's marks are not looked at) by an edition (EDITION_NONE: the setting's) and adds to `out`; what it needs
 * beside comes from the arena of `out`. SOUK_E_NOMEM.
 */
SOUK_MUST enum souk_err reviewer_run(
    struct reviewer *r, const struct review_input *in, enum edition edition, struct findings *out);

#endif
