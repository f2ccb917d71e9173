/* SPDX-License-Identifier: Apache-2.0 */
/* What the two tables on mails share. */
#ifndef SOUK_SERVER_REST_MAIL_H
#define SOUK_SERVER_REST_MAIL_H

#include "server/rest.h"

#define MAIL_OPERATOR                                                                              \
	"operator" /* in place of a seller's id: the installation's own; for the operator */

#endif
