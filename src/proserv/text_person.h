/* SPDX-License-Identifier: Apache-2.0 */
/* Personal data in short texts, such as the name of an offer. */
#ifndef SOUK_PROSERV_TEXT_PERSON_H
#define SOUK_PROSERV_TEXT_PERSON_H

#include "base/str.h"

enum personal {
	PERSONAL_NONE,
	PERSONAL_EMAIL,
	PERSONAL_PHONE,
	PERSONAL_NAME /* a given name and another behind "for", "attn:", "(" or a dash */
};

/* A place in the text. */
struct personal_place {
	enum personal kind;
	size_t start, end;
};

/* An e-mail address or a telephone number. */
bool personal_contact(struct str text, struct personal_place *ret);
/* A given name and another name where a person is named. */
bool personal_name(struct str text, struct personal_place *ret);
/* Is `at`, the end of a form of address, followed by a capitalised name? */
bool personal_follows(struct str text, size_t start, size_t at);
/* Is the street's word at [start, end) part of an address, with the number of a house? */
bool personal_address(struct str text, size_t start, size_t end);

/* ASCII, lower case, sorted. */
extern const char *const given_names[];
extern const size_t n_given_names;

#endif
