/* SPDX-License-Identifier: Apache-2.0 */
/* The table of all kinds of mails; see mail_kinds.h. */
#include "server/mail_kinds.h"

#include "delivery/request_mail.h"
#include "proserv/fulfilment_mail.h"
#include "proserv/standing.h"

const struct mail_kind *const mail_kinds[] = {
	&request_failed_mail,
	&standing_mails[0],
	&standing_mails[1],
	&standing_mails[2],
	&fulfilment_delay_mail,
	&fulfilment_access_mail,
	&fulfilment_reminder_mail,
	&fulfilment_overdue_mail,
	&fulfilment_escalation_mail,
	&fulfilment_undelivered_mail,
};
const size_t mail_kinds_n = sizeof(mail_kinds) / sizeof(mail_kinds[0]);

const struct mail_kind *
mail_kind_find(struct str name)
{
	for (size_t i = 0; i < mail_kinds_n; i++)
		if (str_eq_c(name, mail_kinds[i]->name))
			return mail_kinds[i];
	return NULL;
}
