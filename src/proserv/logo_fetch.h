/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fetching the logo that a listing names, as anybody could: no credentials, no redirects, no private addresses, bounded
 * size and time. specs/proserv.md PS-DET-07.
 */
#ifndef SOUK_PROSERV_LOGO_FETCH_H
#define SOUK_PROSERV_LOGO_FETCH_H

#include "base/config.h"
#include "delivery/post.h"
#include "proserv/logo.h"

#define LOGO_FETCH_MS 15000
#define LOGO_URL_MAX POST_URL_MAX
#define LOGO_REASON_MAX 96

struct logo_fetcher;
/* *ret NULL: the setting review.fetch-logos is off. SOUK_E_NOMEM. */
SOUK_MUST enum souk_err logo_fetcher_new(
    const struct config *c, struct logo_fetcher **ret, struct fail *f);
void logo_fetcher_free(struct logo_fetcher *f); /* nobody may be fetching; accepts NULL */

/* Can it be that of a public object? Only then it is worth fetching; PS-DET-07 says what is wrong with others. */
bool logo_url_fits(struct str url);

enum logo_fetched {
	LOGO_FETCHED,
	LOGO_UNREADABLE, /* not for the public */
	LOGO_LATER       /* may be so another time */
};
/*
 * The bytes into `out`: of a logo that is too large a little more than LOGO_BYTES_MAX. Otherwise `reason` in words that
 * hold nothing of the address. Any number of threads at once.
 */
enum logo_fetched logo_fetch(
    struct logo_fetcher *f, const char *url, struct buf *out, char reason[static LOGO_REASON_MAX]);

#endif
