/* SPDX-License-Identifier: Apache-2.0 */
/* The mail to a seller whose data set could not be delivered. */
#ifndef SOUK_DELIVERY_REQUEST_MAIL_H
#define SOUK_DELIVERY_REQUEST_MAIL_H

#include "delivery/mail.h"
#include "delivery/request.h"

extern const struct mail_kind request_failed_mail;

/*
 * To the seller's addresses for notices, in the transaction that makes the request failed; one for each time that it fails:
 * one that was tried again may fail again. No addresses: no mail.
 */
SOUK_MUST enum souk_err request_mail_failed(struct db_tx *tx, struct vault *v,
    const struct data_set_request *r, struct str reason, struct fail *f);

#endif
