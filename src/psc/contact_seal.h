/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sealed form of a contact: inside psc/ only.
 *
 * Plain text is the eight fields in the order of the CSV file, each as a 16-bit
 * little-endian length and its bytes. It is sealed under the contact's data key with the
 * context seller | contact id | subscription id | operation time, so that no row's bytes
 * open in another row's place, nor under another buyer's subscription; the data key is
 * wrapped with the contact id as its context.
 */
#ifndef SOUK_PSC_CONTACT_SEAL_H
#define SOUK_PSC_CONTACT_SEAL_H

#include "base/clock.h"
#include "psc/contact_store.h"

#define CONTACT_PLAIN_MAX (CONTACT_SEALED_MAX - VAULT_OVERHEAD)
#define CONTACT_FIELDS 8

/* What a seal is bound to: the version's place. */
struct contact_binding {
	struct str seller_id; /* ACCOUNT_ID_LEN digits */
	const struct guid *contact_id, *subscription_id;
	instant_t operation_time;
};

/* That of a row, as long as the row stands where it is. */
struct contact_binding contact_row_binding(const struct contact_row *row);

/* The fields by number, in the order of the file; for loops over all of them. */
struct str *contact_field(struct contact_fields *c, unsigned i);

/* Bytes written to `out`. The fields must have passed contact_validate. */
size_t contact_pack(const struct contact_fields *c, uint8_t out[CONTACT_PLAIN_MAX]);
/* Slices point into `plain`. False when the bytes are no such text. */
SOUK_MUST bool contact_unpack(struct str plain, struct contact_fields *ret);

/* Seals into out (CONTACT_SEALED_MAX); returns how many bytes. */
size_t contact_seal(const struct data_key *k, const struct contact_binding *to,
    const struct contact_fields *c, uint8_t *out);
/*
 * Unwraps the data key and opens `sealed` into `plain` (sealed.n - VAULT_OVERHEAD bytes),
 * which the caller wipes; slices of *ret point there. SOUK_E_STORAGE when key or bytes are damaged or of another row.
 */
SOUK_MUST enum souk_err contact_unseal(struct vault *v, const struct contact_binding *to,
    struct str wrapped, struct str sealed, uint8_t *plain, struct contact_fields *ret);

/*
 * The blind index of an e-mail address. Equal means: same local part but for ASCII case,
 * same domain in IDNA's ASCII form. The local part's other letters count as they are.
 */
void contact_email_index(const struct vault *v, struct str email, uint8_t out[VAULT_BLIND_LEN]);

#endif
