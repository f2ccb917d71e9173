/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a fulfilment is proved by, and what a seller's come to.
 *
 * An evidence file has all of one order: who and what, the calendar that the deadline went by with the holidays up to the
 * end, the verdict of first_contact.h on the events, each event, and of each mail when it was written and sent, to whom,
 * what it said and what became of it; and the same as a listing
 * document has it, so that `souk review` can be asked for its own verdict. Mails that were erased are still told of, without recipient and text.
 */
#ifndef SOUK_PROSERV_FULFILMENT_EVIDENCE_H
#define SOUK_PROSERV_FULFILMENT_EVIDENCE_H

#include "proserv/fulfilment.h"

/*
 * One JSON object into `out`. For the seller and the operator; else SOUK_E_NOT_FOUND. Personal data: the caller has it
 * audited (`ret_seller_id`).
 */
SOUK_MUST enum souk_err fulfilment_evidence(struct db_tx *tx, struct vault *v,
    const struct tenant_scope *s, const struct guid *id, struct buf *out,
    char ret_seller_id[static ACCOUNT_ID_LEN + 1]);
/* That object as one HTML page, for a screen or a printer; every text is escaped. */
SOUK_MUST enum souk_err fulfilment_evidence_html(struct str evidence, struct buf *out);

/*
 * Of the fulfilments accepted within [from, to), elements of the open array: one object a seller, with how many there
 * are, are open, were met, were missed, became void, were granted, the median of the hours to first contact, and the part
 * that was met of what was met or missed. Sellers see theirs only. `seller_id` "": all.
 */
SOUK_MUST enum souk_err fulfilment_statistics(struct db_tx *tx, const struct tenant_scope *s,
    struct str seller_id, instant_t from, instant_t to, struct jw *out, struct fail *f);

#endif
