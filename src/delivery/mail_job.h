/* SPDX-License-Identifier: Apache-2.0 */
/* The job kind "mail": sends what was posted. */
#ifndef SOUK_DELIVERY_MAIL_JOB_H
#define SOUK_DELIVERY_MAIL_JOB_H

#include "base/config.h"
#include "delivery/mail.h"
#include "store/job.h"

/* The operator's server, by the settings mail.*; one per process. */
struct mail_sender;
/*
 * Without mail.server it sends nothing: mails wait. SOUK_E_INVALID names the setting that is wrong or missing
 * beside it.
 */
SOUK_MUST enum souk_err mail_sender_new(
    struct vault *v, const struct config *c, struct mail_sender **ret, struct fail *f);
void mail_sender_free(struct mail_sender *s);             /* no job may be running; accepts NULL */
bool mail_sender_has_server(const struct mail_sender *s); /* false for NULL */

/*
 * Context: struct mail_sender *. Sends the mail unless it waits no more, and records what came of it in one
 * transaction with the job's end. At least once: who dies (or loses its lease, or gets no answer of the database)
 * after the server took the mail and before that is recorded has it sent again, the same bytes under the
 * same Message-ID, so that the receiver can tell. Put off (4yz, no connection, a sender or login that is refused)
 * is tried again with growing pauses for mail.give-up-hours; refused for good (5yz) is bounced.
 */
enum job_outcome mail_job_send(void *sender, struct db *db, const struct job *j, struct fail *f);
/* The job died of its own (its worker, again and again): the mail has failed. */
SOUK_MUST enum souk_err mail_job_dead(struct db_tx *tx, const struct job *j, const struct fail *f);

#endif
