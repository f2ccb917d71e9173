/* SPDX-License-Identifier: Apache-2.0 */
/* Enrolments: a seller's standing in a program. The operator sets them for now. See market.h. */
#ifndef SOUK_MARKET_ENROLMENT_H
#define SOUK_MARKET_ENROLMENT_H

#include "base/json.h"
#include "market/tenant.h"
#include "store/db.h"

struct enrolment {
	char seller_id[ACCOUNT_ID_LEN + 1];
	struct str program; /* "psc", "edsp", "proserv": always a literal */
	bool enrolled;
	instant_t since;          /* of the present standing */
	instant_t enrolled_since; /* of the last enrolled one; 0: not known */
	int64_t revision;
};
/* SOUK_E_NOT_FOUND when the seller never enrolled. The operator and the seller see it. */
SOUK_MUST enum souk_err enrolment_get(struct db_tx *tx, const struct tenant_scope *s,
    struct str seller_id, const char *program, struct enrolment *ret);
/*
 * Setting what is already so changes nothing. The seller must be one; who never enrolled
 * cannot withdraw (SOUK_E_NOT_FOUND). The caller audits it.
 */
SOUK_MUST enum souk_err enrolment_set(struct db_tx *tx, const struct tenant_scope *s,
    struct str seller_id, const char *program, bool enrolled, struct enrolment *ret,
    struct fail *f);
void enrolment_json(const struct enrolment *e, struct jw *out, const char *key);

#endif
