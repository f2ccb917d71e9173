/* SPDX-License-Identifier: Apache-2.0 */
/* Delivery reports: what came back about a mail that a server had taken over. */
#ifndef SOUK_DELIVERY_MAIL_BOUNCE_H
#define SOUK_DELIVERY_MAIL_BOUNCE_H

#include "delivery/mail.h"
#include "delivery/mail_message.h"

struct mail_bounced {
	enum mail_bounce {
		MAIL_BOUNCE_NO_REPORT, /* it is about no mail: an answer, a holiday notice */
		MAIL_BOUNCE_UNKNOWN,   /* about a mail that is none of ours */
		MAIL_BOUNCE_KNOWN,     /* told before, or about an earlier round */
		MAIL_BOUNCE_DELAYED,
		MAIL_BOUNCE_RECORDED
	} what;
	struct guid id;
	char seller_id[ACCOUNT_ID_LEN + 1]; /* with the last three */
};

const char *mail_bounce_word(enum mail_bounce what); /* "recorded", "no-report" ... */

/*
 * Records a report. Who can send mail to where reports go and has seen a mail's Message-ID can make one up: it changes
 * that mail's state and nothing else. The caller audits it.
 */
SOUK_MUST enum souk_err mail_bounce(
    struct db_tx *tx, const struct mail_report *report, struct mail_bounced *ret);

#endif
