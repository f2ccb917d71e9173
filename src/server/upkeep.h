/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a running service does on its own: once a second it notices changes that other
 * processes made (key ring, logins) and looks whether it is ready; once a minute it ends
 * subscriptions whose agreed end has come, and drops what is too old. One thread.
 */
#ifndef SOUK_SERVER_UPKEEP_H
#define SOUK_SERVER_UPKEEP_H

#include "server/dispatch.h"
#include "server/health.h"

struct upkeep;

SOUK_MUST enum souk_err upkeep_begin(const struct services *svc, struct upkeep **ret);
void upkeep_end(struct upkeep *u); /* waits for what is under way; accepts NULL */
/* One round of dropping, on this thread. For tests. */
void upkeep_drop(const struct services *svc);
/* Erases what old mails say; with a server, has those sent that waited for one. For tests. */
void upkeep_mail(const struct services *svc);
/* Ends subscriptions whose agreed end has come, on this thread. For tests. */
void upkeep_lapse(const struct services *svc);

#endif
