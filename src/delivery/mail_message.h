/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A mail as the bytes that go over the wire (RFC 5322, MIME, RFC 6532), and what comes back
 * when it could not be delivered (RFC 3464). GMime writes and reads them.
 */
#ifndef SOUK_DELIVERY_MAIL_MESSAGE_H
#define SOUK_DELIVERY_MAIL_MESSAGE_H

#include "base/clock.h"
#include "base/guid.h"
#include "delivery/mail_template.h"

struct mail_message {
	struct guid id; /* Message-ID <ID@DOMAIN of from>; the same on every try */
	int round;      /* above 1: <ID.ROUND@DOMAIN>, for a person had it sent again */
	instant_t date; /* when it was written */
	struct mail_party from, to, reply_to; /* reply_to.mailbox "": none */
	struct mail_parts parts;
};

#define MAIL_NAME_MAX 200 /* bytes of a shown name */

/* Is it one that mail_message_build takes? Names `field`. */
SOUK_MUST enum souk_err mail_party_check(
    const struct mail_party *p, const char *field, struct fail *f);

/*
 * The same bytes for the same message. Lines end with CRLF and none is longer than SMTP
 * allows; it says that a program wrote it, so that no program answers (RFC 3834). *ret_utf8: an
 * address has characters that only servers with SMTPUTF8 take. SOUK_E_INVALID names
 * "from", "to", "replyTo": what is no address, or holds a line break.
 */
SOUK_MUST enum souk_err mail_message_build(
    const struct mail_message *m, struct buf *ret, bool *ret_utf8, struct fail *f);

/* What a server or its user's program sent back. */
struct mail_report {
	enum mail_report_kind {
		MAIL_REPORT_NONE, /* no delivery status: an answer by a person or a holiday notice */
		MAIL_REPORT_DELAYED, /* not yet */
		MAIL_REPORT_FAILED
	} kind;
	bool has_id;
	struct guid id;  /* of the mail it is about: our Message-ID or the returned head's */
	int round;       /* of the same, from 1 */
	char status[12]; /* "5.1.1", "" when none was said */
};

#define MAIL_REPORT_MAX (1 << 20) /* bytes read */

/*
 * Reads a whole returned message. Hostile text is bounded: nothing is kept but what is above, no
 * address, no text. SOUK_E_INVALID when it is no mail at all, or longer than MAIL_REPORT_MAX.
 */
SOUK_MUST enum souk_err mail_report_read(
    struct str message, struct mail_report *ret, struct fail *f);

#endif
