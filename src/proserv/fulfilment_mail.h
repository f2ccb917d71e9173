/* SPDX-License-Identifier: Apache-2.0 */
/* The mails of fulfilments: to the buyer what the rule requires, to the seller and the operator what runs out. */
#ifndef SOUK_PROSERV_FULFILMENT_MAIL_H
#define SOUK_PROSERV_FULFILMENT_MAIL_H

#include "proserv/fulfilment.h"

/* To the buyer; sellers edit them. */
extern const struct mail_kind fulfilment_delay_mail, fulfilment_access_mail;
/* Notices: to the seller's addresses; the third to the operator's, too. */
extern const struct mail_kind fulfilment_reminder_mail, fulfilment_overdue_mail,
    fulfilment_escalation_mail, fulfilment_undelivered_mail;

#define FULFILMENT_MAIL_EVENT_SIZE 80
/* "fulfilment/ID/N": one mail for event N. */
void fulfilment_mail_event(
    const struct fulfilment *x, int64_t number, char out[static FULFILMENT_MAIL_EVENT_SIZE]);

/* Whose it is; false: no such event, or that of a notice ("...#1"). */
bool fulfilment_mail_event_read(struct str event, struct guid *ret);

/* `text`: the reason of a delay, or the next steps. `promised` 0: a confirmation of access. */
SOUK_MUST enum souk_err fulfilment_mail_buyer(struct db_tx *tx, struct vault *v,
    const struct tenant_scope *s, const struct fulfilment *x, const struct mail_kind *kind,
    const char *event, const struct fulfilment_mail_to *to, instant_t promised, struct str text,
    struct fail *f);
/* `seller_id` "": to the operator. */
SOUK_MUST enum souk_err fulfilment_mail_notice(struct db_tx *tx, struct vault *v,
    const struct tenant_scope *s, const struct fulfilment *x, const struct mail_kind *kind,
    const char *event, struct str seller_id, struct fail *f);
/* To the seller's addresses: the mail of `what` ("delay_notice", "access_confirmation") did not arrive. */
SOUK_MUST enum souk_err fulfilment_mail_undelivered(struct db_tx *tx, struct vault *v,
    const struct tenant_scope *s, const struct fulfilment *x, const char *what, const char *event,
    struct fail *f);

#endif
