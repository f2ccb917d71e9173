/* SPDX-License-Identifier: Apache-2.0 */
/* What the mail files of delivery/ share. */
#ifndef SOUK_DELIVERY_MAIL_INT_H
#define SOUK_DELIVERY_MAIL_INT_H

#include "base/str.h"

#include <gmime/gmime.h>

/* Starts GMime, once; from any thread. */
void mail_gmime(void);

/* The mailbox with its domain in ASCII; *ret_utf8 becomes true when the part before the @ is not. */
SOUK_MUST enum souk_err mail_wire_address(struct str mailbox, struct buf *ret, bool *ret_utf8);

#endif
