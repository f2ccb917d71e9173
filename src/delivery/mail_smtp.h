/* SPDX-License-Identifier: Apache-2.0 */
/* Handing a mail to the operator's SMTP server. */
#ifndef SOUK_DELIVERY_MAIL_SMTP_H
#define SOUK_DELIVERY_MAIL_SMTP_H

#include "base/error.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct mail_rules {
	const char *url;  /* smtp://HOST[:PORT] or smtps://HOST[:PORT] */
	const char *user; /* "" none */
	const char *password;
	const char *ca_file; /* more trusted certificates; "" none */
	bool plain;          /* without TLS, too: only for a server on this machine */
	int64_t timeout_ms;  /* of one mail, connecting included */
};

/*
 * Is this a server that mail can be given to? smtp or smtps, a host, no user, path or query; `plain` and a
 * password only with a loopback host. Names the setting.
 */
SOUK_MUST enum souk_err mail_rules_check(const struct mail_rules *r, struct fail *f);

/* Thread-safe; keeps connections open between mails. */
struct mailer;
SOUK_MUST enum souk_err mailer_new(const struct mail_rules *r, struct mailer **ret);
void mailer_free(struct mailer *m); /* nobody may be sending; accepts NULL */

struct mail_envelope {
	struct str from, to; /* wire addresses */
	struct str message;  /* bytes of mail_message_build */
	bool utf8;           /* as it said: refused by a server without SMTPUTF8 */
};

enum mail_outcome {
	MAIL_DONE,   /* taken over by the server */
	MAIL_LATER,  /* may work another time, or once the operator has mended something */
	MAIL_REFUSED /* the server says that this recipient or this mail never will (5yz) */
};

struct mail_answer {
	enum mail_outcome outcome;
	long status;     /* of SMTP; 0 without one */
	char reason[96]; /* words of ours: a server's own may hold the address */
};

void mailer_send(struct mailer *m, const struct mail_envelope *e, struct mail_answer *ret);

#endif
