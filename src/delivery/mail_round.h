/* SPDX-License-Identifier: Apache-2.0 */
/* What changes a mail's state. Private to mail*.c. */
#ifndef SOUK_DELIVERY_MAIL_ROUND_H
#define SOUK_DELIVERY_MAIL_ROUND_H

#include "delivery/mail.h"

/* Locks the mail until the transaction ends, then reads it: what whoever changes its state does first. */
SOUK_MUST enum souk_err mail_lock(struct db_tx *tx, struct str seller_id, const struct guid *id,
    struct arena *mem, struct mail_row *ret);
/* A job that sends it, for this round. */
SOUK_MUST enum souk_err mail_put_job(
    struct db_tx *tx, struct str seller_id, const struct guid *id, int round);

/* A job MAIL_UNDELIVERED_JOB. */
SOUK_MUST enum souk_err mail_put_undelivered(struct db_tx *tx, const struct mail_row *m);

#endif
