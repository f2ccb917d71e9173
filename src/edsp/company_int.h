/* SPDX-License-Identifier: Apache-2.0 */
/* The embedded list of free-mail providers (free_mail.txt), sorted bytewise. */
#ifndef SOUK_EDSP_COMPANY_INT_H
#define SOUK_EDSP_COMPANY_INT_H

#include <stddef.h>

extern const char *const free_mail_names[];
extern const size_t n_free_mail_names;

#endif
