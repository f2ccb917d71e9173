/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is it usable: e-mail addresses, domain names, telephone numbers.
 *
 * These say what a message could be sent to and a person could dial, not whether anybody
 * answers there. Nothing is changed: what is plausible is stored as it was given.
 */
#ifndef SOUK_BASE_EMAIL_H
#define SOUK_BASE_EMAIL_H

#include "base/str.h"

#define EMAIL_MAX 254      /* code points (RFC 5321 4.5.3.1.3 leaves 254 of a path) */
#define EMAIL_LOCAL_MAX 64 /* bytes (RFC 5321 4.5.3.1.1) */
#define DOMAIN_MAX 253     /* bytes of the ASCII form */
#define PHONE_MAX 25       /* code points (psc 2.1) */

/*
 * A mailbox of RFC 5321 with the UTF-8 of RFC 6531: a dot-atom or a quoted string, '@', a
 * domain as below. No comments, no address literals, no display name.
 */
bool email_plausible(struct str s);

/*
 * A host name with at least one dot, each label valid by IDNA2008 (RFC 5891, mapped as UTS 46
 * has it), without a trailing dot; no IP address. `out` (may be NULL) gets the ASCII form in
 * lower case and a NUL; it is untouched when false.
 */
bool domain_plausible(struct str s, char out[DOMAIN_MAX + 1]);

/*
 * 3 to 15 digits (E.164), '+' only in front; blanks ( ) - . / between them; at the end
 * perhaps an extension: "x123", "ext 123", "ext. 123". Parentheses pair. At most 25 characters.
 */
bool phone_plausible(struct str s);

#endif
