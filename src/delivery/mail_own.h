/* SPDX-License-Identifier: Apache-2.0 */
/* Templates of an account's own, in place of the program's. Sellers write theirs, the operator ("") all sellers'. */
#ifndef SOUK_DELIVERY_MAIL_OWN_H
#define SOUK_DELIVERY_MAIL_OWN_H

#include "delivery/mail.h"

#define MAIL_OWN_MAX 50 /* languages of one kind */

struct mail_own {
	struct str kind, language; /* of `language` "" serves any */
	struct mail_parts parts;
	struct str changed_by;
	instant_t changed_at;
	int64_t revision; /* counts from 1; for If-Match */
};

/* SOUK_E_NOT_FOUND: none of its own in this language. */
SOUK_MUST enum souk_err mail_own_get(struct db_tx *tx, struct str seller_id, struct str kind,
    struct str language, struct arena *mem, struct mail_own *ret);
/* All of a kind, by language, their subjects without their texts. `out` has MAIL_OWN_MAX. */
SOUK_MUST enum souk_err mail_own_list(struct db_tx *tx, struct str seller_id, struct str kind,
    struct arena *mem, struct mail_own *out, size_t *ret_n);
/*
 * Saves one that mail_template_check accepts. `language` is as mail_language has it. `seen`: the revision that the caller
 * has seen, 0 when it does not care; another one is SOUK_E_PRECONDITION. SOUK_E_DENIED: a seller, and the kind is the
 * operator's. SOUK_E_LIMIT: more than MAIL_OWN_MAX languages. The caller has checked whose it is.
 */
SOUK_MUST enum souk_err mail_own_put(struct db_tx *tx, const struct tenant_scope *s,
    struct str seller_id, const struct mail_kind *k, struct str language,
    const struct mail_parts *parts, int64_t seen, int64_t *ret_revision, struct fail *f);
SOUK_MUST enum souk_err mail_own_drop(
    struct db_tx *tx, struct str seller_id, struct str kind, struct str language);

/*
 * Checks it, then fills it with `values` (a JSON object; NULL none), the kind's samples where it gives none.
 * SOUK_E_INVALID names what is unknown, no text or too long, beside the template's own faults.
 */
SOUK_MUST enum souk_err mail_own_preview(const struct mail_kind *k, const struct mail_parts *parts,
    const json_t *values, struct mail_text *ret, struct fail *f);

#endif
