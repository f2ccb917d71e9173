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

struct reviewer;

/* `config` must outlive it. */
SOUK_MUST enum souk_err reviewer_new(const struct config *config, struct reviewer **ret);
void reviewer_free(struct reviewer *r); /* accepts NULL */
/* Makes ready what is slow to make, so that reviewer_run may be called where others wait. */
SOUK_MUST enum souk_err reviewer_warm(struct reviewer *r);
/* The setting review.edition. */
enum edition reviewer_edition(const struct reviewer *r);
const struct config *reviewer_config(const struct reviewer *r);

/*
 * Reviews `l` by an edition (EDITION_NONE: the setting's) and adds to `out`; what it needs beside comes from the arena
 * of `out`. SOUK_E_NOMEM.
 */
SOUK_MUST enum souk_err reviewer_run(struct reviewer *r, const struct listing *l,
    const struct review_context *context, enum edition edition, struct findings *out);

#endif
