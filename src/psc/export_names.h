/* SPDX-License-Identifier: Apache-2.0 */
/* Words and names of the data sets (specs/psc.md 3.2, 7): inside psc/ only. */
#ifndef SOUK_PSC_EXPORT_NAMES_H
#define SOUK_PSC_EXPORT_NAMES_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/str.h"

#include <stdbool.h>

#define PSC_EXPORT_JOB "psc-export"
#define PSC_EXPORT_AWAY_JOB "psc-export-s3" /* the same, to a store that may keep it waiting */

bool export_type_known(struct str data_set_type);
/* The real data, not the static test set. `data_set_type` is known. */
bool export_type_is_real(struct str data_set_type);

/*
 * "{prefix/}{type}_{from}_to_{end}" and an ending (".csv", ".meta.json"), in the arena; the
 * prefix is joined with exactly one '/'. {NULL, 0} when the arena is full.
 */
struct str export_key(struct arena *mem, struct str prefix, struct str data_set_type,
    instant_t from, instant_t end, const char *ending);

#endif
