/* SPDX-License-Identifier: Apache-2.0 */
/* Where an account's notices go. */
#include "delivery/mail_message.h"
#include "delivery/mail_store.h"

#include <stdio.h>

#define ADDRESS_TEXTS 3 /* name, mailbox, language */

static enum souk_err
check(const struct mail_address *a, size_t i, char language[MAIL_LANGUAGE_MAX + 1], struct fail *f)
{
	char field[48];
	enum souk_err r;

	(void)snprintf(field, sizeof(field), "addresses/%zu/address", i);
	if ((r = mail_party_check(&a->party, field, f)) != SOUK_OK)
		return r;
	(void)snprintf(field, sizeof(field), "addresses/%zu/language", i);
	return mail_language(a->language, language)
		   ? SOUK_OK
		   : fail_field(f, field, "is no language", "give one like de or pt-br");
}

enum souk_err
mail_addresses_set(struct db_tx *tx, struct vault *v, struct str seller_id,
    const struct mail_address *a, size_t n, struct fail *f)
{
	struct mail_sealed sealed = { 0 };
	char language[MAIL_LANGUAGE_MAX + 1];
	enum souk_err r;

	if (n > MAIL_ADDRESSES_MAX)
		return fail_field(f, "addresses", "has too many entries", "give at most 5");
	if ((r = lock_owner(tx, seller_id)) != SOUK_OK)
		return r;
	db_scrub(tx);
	r = mail_address_drop_all(tx, seller_id);
	for (size_t i = 0; i < n && r == SOUK_OK; i++) {
		int slot = (int)i + 1;
		struct mail_place_of at = mail_address_place(seller_id, slot);

		if ((r = check(&a[i], i, language, f)) != SOUK_OK)
			break;
		r = mail_seal(v, &at,
		    (const struct str[]){ a[i].party.name, a[i].party.mailbox, str_c(language) },
		    ADDRESS_TEXTS, &sealed);
		if (r == SOUK_OK)
			r = mail_address_put(tx, seller_id, slot, &sealed);
	}
	buf_done(&sealed.bytes);
	return r;
}

enum souk_err
mail_addresses_get(struct db_tx *tx, struct vault *v, struct str seller_id, struct arena *mem,
    struct mail_address out[MAIL_ADDRESSES_MAX], size_t *ret_n)
{
	struct mail_address_row rows[MAIL_ADDRESSES_MAX];
	struct str t[ADDRESS_TEXTS];
	size_t n = 0;
	enum souk_err r = mail_address_rows(tx, seller_id, mem, rows, &n);

	for (size_t i = 0; i < n && r == SOUK_OK; i++) {
		struct mail_place_of at = mail_address_place(seller_id, rows[i].slot);

		r = mail_unseal(v, &at, rows[i].key, rows[i].sealed, mem, t, ADDRESS_TEXTS);
		if (r == SOUK_OK)
			out[i] = (struct mail_address){ { t[0], t[1] }, t[2] };
	}
	if (r == SOUK_OK)
		*ret_n = n;
	return r;
}
