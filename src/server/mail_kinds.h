/* SPDX-License-Identifier: Apache-2.0 */
/* All kinds of mails that this program sends, for who writes templates. */
#ifndef SOUK_SERVER_MAIL_KINDS_H
#define SOUK_SERVER_MAIL_KINDS_H

#include "delivery/mail_template.h"

extern const struct mail_kind *const mail_kinds[];
extern const size_t mail_kinds_n;
/* NULL: there is none of that name. */
const struct mail_kind *mail_kind_find(struct str name);

#endif
