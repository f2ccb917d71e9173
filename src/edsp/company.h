/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which company a buyer is of: by the domain of its e-mail, by its name.
 *
 * Two hosts are of one company when their registrable domains are equal (the public suffix list
 * decides what that is). Providers of free mail are nobody's domain (edsp 1: "it can be a generic
 * mail provider"). Two names are of one company when they are equal folded.
 */
#ifndef SOUK_EDSP_COMPANY_H
#define SOUK_EDSP_COMPANY_H

#include "base/email.h"
#include "base/str.h"

/* Reads the public suffix list; later calls are free. Thread-safe. Fails when there is none. */
SOUK_MUST enum souk_err company_load(struct fail *f);

enum domain_kind {
	DOMAIN_COMPANY,  /* the registrable domain is in `out` */
	DOMAIN_FREE,     /* mail of anybody: never a company's */
	DOMAIN_SUFFIX,   /* a public suffix: many companies are below it */
	DOMAIN_UNUSABLE, /* no host name, or empty */
};

/*
 * The registrable domain of a host name in any case, with or without a final dot or what stands
 * before an '@'. company_load must have succeeded. `out` is untouched unless DOMAIN_COMPANY.
 */
enum domain_kind company_domain(struct str host, char out[DOMAIN_MAX + 1]);

#define FOLDED_MAX 512 /* bytes of a folded text; longer ones are cut at a character */

/*
 * Text as it is compared: compatibility forms and case folded, diacritics dropped, every run of
 * what is neither letter nor digit one blank, none at the ends. What follows broken UTF-8 is left out.
 * Returns the length; `out` is NUL-terminated.
 */
size_t text_fold(struct str text, char out[FOLDED_MAX + 1]);

/* Is it of letters that fold fast (below U+0240)? Others are worth remembering. */
bool text_is_latin(struct str text);

/*
 * A company's name as it is compared: folded, '&' read as "and", single letters joined ("S. A."
 * is "sa"), legal forms taken off the end ("GmbH & Co. KG", "Inc.") as long as a name is left,
 * and "the" off the start.
 */
size_t company_fold(struct str name, char out[FOLDED_MAX + 1]);

/* A postal code as it is compared: upper case, letters and digits only; at most 16 of them. */
#define POSTAL_MAX 16
size_t postal_fold(struct str code, char out[POSTAL_MAX + 1]);

#endif
