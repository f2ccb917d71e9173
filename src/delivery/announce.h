/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is told of a data set: the endpoints of souk's own topic, or, when the request's role has
 * an SNS remote, the topic of that service. Inside delivery/ and for the programs' jobs.
 */
#ifndef SOUK_DELIVERY_ANNOUNCE_H
#define SOUK_DELIVERY_ANNOUNCE_H

#include "delivery/request.h"

/* Are messages of this role for an SNS service? */
bool announce_leaves(struct db_tx *tx, struct str seller_id, struct str role_arn);
/*
 * May the request's topic be told, and is it there as far as souk knows? SOUK_E_NOT_FOUND and
 * SOUK_E_DENIED with a sentence for the notification.
 */
SOUK_MUST enum souk_err announce_check(
    struct db_tx *tx, const struct data_set_request *r, struct fail *f);
/* Keeps the message (psc 9) and puts its jobs, in the caller's transaction; announce_check has passed. */
SOUK_MUST enum souk_err announce(
    struct db_tx *tx, const struct data_set_request *r, bool success, struct str reason);
/* Puts the jobs of the success message again; *ret_jobs 0: nobody is subscribed. */
SOUK_MUST enum souk_err announce_again(
    struct db_tx *tx, const struct data_set_request *r, size_t *ret_jobs);

#endif
