/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A feed file without the rows that cannot be read, to be kept where nobody would mend it any more.
 *
 * A file without such rows is given byte for byte. Of another, the header as it stands and the rows that can be read, each as
 * it stands and with LF at its end; the others go to the sink of faults. What is wrong with the file as a whole is an error.
 */
#ifndef SOUK_FEEDS_SIFT_H
#define SOUK_FEEDS_SIFT_H

#include "base/io.h"
#include "feeds/fault.h"
#include "feeds/source.h"

/* `faults` NULL: strict, as in fault.h. *ret_set_aside: rows that were. */
SOUK_MUST enum souk_err feed_sift(struct feed_source *s, size_t file, struct fault_sink *faults,
    struct sink *out, uint64_t *ret_set_aside, struct fail *f);

#endif
