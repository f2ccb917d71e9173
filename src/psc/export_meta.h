/* SPDX-License-Identifier: Apache-2.0 */
/* The metadata file beside a data set (specs/psc.md 8): inside psc/ only. */
#ifndef SOUK_PSC_EXPORT_META_H
#define SOUK_PSC_EXPORT_META_H

#include "psc/export.h"

/* Appends the document. `r` is as it will be delivered; `why_empty` NULL when there are rows. */
void export_meta_write(const struct data_set_request *r, const char *why_empty, struct buf *out);

#endif
