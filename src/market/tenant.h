/* SPDX-License-Identifier: Apache-2.0 */
/*
 * On whose behalf a call runs. Tenant is a parameter, never ambient (style H12): every
 * function that reads or writes marketplace data takes a scope first. A scope is made
 * only by authentication and by the audited constructors of tenant_make.h, which the
 * access layer, the job handlers and the command line may include and nobody else (a
 * test checks the includes).
 */
#ifndef SOUK_MARKET_TENANT_H
#define SOUK_MARKET_TENANT_H

#include "base/str.h"

#include <stdbool.h>

#define ACCOUNT_ID_LEN 12

struct tenant_scope;

/* The account the caller belongs to: 12 digits ("" for the installation's own jobs). */
struct str tenant_account(const struct tenant_scope *s);
bool tenant_is_operator(
    const struct tenant_scope *s);                   /* may see and change every account's facts */
bool tenant_is_buyer(const struct tenant_scope *s);  /* acts for its own subscriptions */
bool tenant_is_seller(const struct tenant_scope *s); /* acts for its own products */
/* For the audit: "token:GUID", "key:ID", "cli:demo", "job:export". */
struct str tenant_actor(const struct tenant_scope *s);
struct str tenant_request(const struct tenant_scope *s); /* request id, "" when none */

#endif
