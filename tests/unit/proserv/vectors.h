/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cases of tests/vectors/proserv: a listing and a context that no rule minds, and for each case what is
 * changed in them and what the rule then says. "set": pointer to value (null takes the member or element away),
 * "text": pointer to [n, word], the word n times; "list": pointer to [n, value], the value n times, '#' in its
 * texts replaced by the number ("##": two digits). "want": "E /pointer", H for a question to a person.
 */
#ifndef TESTS_PROSERV_VECTORS_H
#define TESTS_PROSERV_VECTORS_H

#include "base/json.h"
#include "proserv/logo.h"

json_t *vectors_read(const char *name); /* of that directory */
/* The listing or context as the case has it, as a new reference. */
json_t *vectors_listing(const json_t *base, const json_t *c);
json_t *vectors_context(const json_t *base, const json_t *c);
/*
 * What the case's "logo" was found to be, in *l: bytes, format ("none", "PNG" ...), width, height, damaged, ground (a colour), hash.
 * NULL: it has none.
 */
const struct logo_facts *vectors_logo(const json_t *c, struct logo_facts *l);

#endif
