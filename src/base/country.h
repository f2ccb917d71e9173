/* SPDX-License-Identifier: Apache-2.0 */
/* ISO 3166-1 alpha-2 codes from the iso-codes package (read once; design 5). */
#ifndef SOUK_BASE_COUNTRY_H
#define SOUK_BASE_COUNTRY_H

#include "base/str.h"

/* Reads the list; later calls are free. Thread-safe. Fails when iso-codes is not installed. */
SOUK_MUST enum souk_err country_load(struct fail *f);
/* An assigned alpha-2 code, upper case exactly? country_load must have succeeded. */
bool country_known(struct str code);
/* English name of a known code, NULL otherwise. */
const char *country_name(struct str code);

#endif
