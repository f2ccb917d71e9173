/* SPDX-License-Identifier: Apache-2.0 */
/* What reviews of kept listings go by: the logo that was fetched, those of all other sellers, and reserved marks. */
#ifndef SOUK_PROSERV_LOGO_KEPT_H
#define SOUK_PROSERV_LOGO_KEPT_H

#include "proserv/logo_index.h"
#include "proserv/logo_store.h"
#include "proserv/review.h"

/*
 * Has the listing reviewed with this logo (in->logo, l->logo.digest) if it is that of the address that the listing names; else
 * nothing changes. The row must outlive the review. SOUK_E_NOMEM.
 */
SOUK_MUST enum souk_err logo_take(
    const struct logo_row *row, struct arena *mem, struct listing *l, struct review_input *in);
/* The same with the listing's logo in force, if it has one. */
SOUK_MUST enum souk_err logo_take_in_force(struct db_tx *tx, struct str seller_id,
    const struct guid *product_id, struct arena *mem, struct listing *l, struct review_input *in);
/* Can it be compared with others? */
bool logo_has_likeness(const struct review_input *in);

/* c->logos: the nearest of another seller, or none. The first is for who searched for many at once. SOUK_E_NOMEM. */
SOUK_MUST enum souk_err logo_take_nearest(
    const struct logo_search *s, struct arena *mem, struct review_context *c);
SOUK_MUST enum souk_err logo_find_nearest(struct logo_index *x, const struct review_input *in,
    struct arena *mem, struct review_context *c);

/*
 * Reads every .png, .jpg, .jpeg and .gif of the folder into c->marks, each named as its file without the ending.
 * SOUK_E_INVALID with the file's name when one is no image that can be compared; `option` is what named the folder.
 */
SOUK_MUST enum souk_err logo_marks_read(const char *option, const char *folder, struct arena *mem,
    struct review_context *c, struct fail *f);
/* The bytes of an open file, looked at: little more than LOGO_BYTES_MAX of them. Closes it; false: it cannot be read. */
SOUK_MUST bool logo_inspect_file(int fd, struct logo_facts *ret);

#endif
