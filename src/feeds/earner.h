/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose feeds they are: who receives positive revenue (negative when it is paid out). Where there is none, who
 * pays the operator's fees; where there are none either, who sends negative revenue (his cost).
 */
#ifndef SOUK_FEEDS_EARNER_H
#define SOUK_FEEDS_EARNER_H

#include "feeds/events.h"

enum earner_sign { EARNER_RECEIVES, EARNER_PAYS_FEES, EARNER_PAYS_COST, EARNER__SIGNS };

struct earner {
	uint32_t who[EARNER__SIGNS]; /* feeds.accounts; INTERN_NONE: no event with this sign */
	bool several[EARNER__SIGNS];
};

void earner_start(struct earner *s);
void earner_see(struct earner *s, const struct event *e);
void earner_join(struct earner *to, const struct earner *from);
/* INTERN_NONE when the events do not tell. SOUK_E_INVALID, of --seller: there are several. */
SOUK_MUST enum souk_err earner_found(const struct earner *s, uint32_t *ret, struct fail *f);
/*
 * An account id, or the account number that one account has had; one without events in the months asked for gets a
 * number that no event has. Needs ACC_ACCOUNT_ID and ACC_AWS_ACCOUNT_ID of the history. SOUK_E_INVALID, of --seller: no account of the feeds.
 */
SOUK_MUST enum souk_err earner_by_name(
    const struct feeds *fs, struct str name, uint32_t *ret, struct fail *f);

#endif
