/* SPDX-License-Identifier: Apache-2.0 */
/* Links in listings: are they https, and do they lead to a host with a name? */
#ifndef SOUK_PROSERV_LINKS_H
#define SOUK_PROSERV_LINKS_H

#include "base/email.h"
#include "base/str.h"

struct link {
	char host[DOMAIN_MAX + 1]; /* ASCII, lower case */
	struct str path;           /* with its slash; empty when there is none */
	struct str query;          /* behind the '?'; empty when there is none */
};

#define LINK_MAX 2048 /* bytes */

/*
 * "https://host[:port][/path][?query][#fragment]" and nothing around it: no user, no IP address, no
 * blanks or control characters. Writes *ret (may be NULL) when true; its slices borrow from `s`.
 */
bool link_parse(struct str s, struct link *ret);
/* Where the text's first "://" begins; text.n when there is none. */
size_t link_mark(struct str text);
/* Is there such a link anywhere in the text? */
bool link_within(struct str text);
/*
 * Is it an object of S3: "bucket.s3.eu-west-1.amazonaws.com", "s3.amazonaws.com" (then the path begins with the bucket),
 * dualstack, China ...?
 */
bool link_is_s3(const struct link *link);
/* Does its query hold a signature? */
bool link_is_signed(const struct link *link);

#endif
