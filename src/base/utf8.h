/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8: validity, code points, control characters. */
#ifndef SOUK_BASE_UTF8_H
#define SOUK_BASE_UTF8_H

#include "base/str.h"

/*
 * Length (1..4) of the well-formed sequence that `s` begins with, its code point in
 * *ret; 0 when `s` is empty or does not begin with one.
 */
size_t utf8_next(struct str s, uint32_t *ret);
/* Well-formed UTF-8 (no overlongs, no surrogates, at most U+10FFFF)? */
bool utf8_valid(struct str s);
/* Code points in valid UTF-8. */
size_t utf8_length(struct str s);
/* Any C0, DEL or C1 control, or a line or paragraph separator (U+2028, U+2029)? `s` is valid UTF-8. */
bool utf8_has_control(struct str s);
/* Nothing to see (spaces, fillers, zero-width characters, direction marks), or empty? `s` is valid UTF-8. */
bool utf8_is_blank(struct str s);

#endif
