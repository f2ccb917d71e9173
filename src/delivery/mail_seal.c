/* SPDX-License-Identifier: Apache-2.0 */
/* Sealing what mails and addresses say. */
#include "base/email.h"
#include "base/secret.h"
#include "delivery/mail_int.h"
#include "delivery/mail_store.h"

#include <assert.h>
#include <stdlib.h>

static struct mail_place_of
place_of(char what, struct str seller_id, const void *id, size_t n)
{
	struct mail_place_of at = { { what } };

	assert(seller_id.n <= ACCOUNT_ID_LEN && n <= sizeof(struct guid));
	if (seller_id.n > 0)
		memcpy(at.b + 1, seller_id.p, seller_id.n);
	memcpy(at.b + 1 + ACCOUNT_ID_LEN, id, n);
	return at;
}

struct mail_place_of
mail_place(struct str seller_id, const struct guid *id)
{
	return place_of('m', seller_id, id->b, sizeof(id->b));
}

struct mail_place_of
mail_address_place(struct str seller_id, int slot)
{
	uint8_t n = (uint8_t)slot;

	return place_of('a', seller_id, &n, 1);
}

static struct str
bytes_of(const struct mail_place_of *at)
{
	return (struct str){ at->b, sizeof(at->b) };
}

static void
pack(const struct str *texts, size_t n, char *out)
{
	for (size_t i = 0; i < n; i++) {
		for (int k = 0; k < 4; k++)
			*out++ = (char)(uint8_t)(texts[i].n >> (8 * k));
		if (texts[i].n > 0)
			out = mempcpy(out, texts[i].p, texts[i].n);
	}
}

enum souk_err
mail_seal(struct vault *v, const struct mail_place_of *at, const struct str *texts, size_t n,
    struct mail_sealed *ret)
{
	struct data_key key;
	size_t size = 0;
	char *plain;

	for (size_t i = 0; i < n; i++) {
		if (texts[i].n > MAIL_SEALED_MAX)
			return SOUK_E_LIMIT;
		size += 4 + texts[i].n;
	}
	if (size + VAULT_OVERHEAD > MAIL_SEALED_MAX)
		return SOUK_E_LIMIT;
	buf_clear(&ret->bytes);
	if (!buf_reserve(&ret->bytes, size + VAULT_OVERHEAD) || !(plain = malloc(size)))
		return SOUK_E_NOMEM;
	pack(texts, n, plain);
	vault_key_new(v, bytes_of(at), &key, &ret->key);
	vault_seal(&key, bytes_of(at), plain, size, (uint8_t *)ret->bytes.p);
	ret->bytes.n = size + VAULT_OVERHEAD;
	wipe(&key, sizeof(key));
	wipe(plain, size);
	free(plain);
	return SOUK_OK;
}

static bool
unpack(struct str plain, struct str *texts, size_t n)
{
	const unsigned char *p = (const unsigned char *)plain.p;
	size_t left = plain.n, len;

	for (size_t i = 0; i < n; i++) {
		if (left < 4)
			return false;
		len = (size_t)p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16 | (size_t)p[3] << 24;
		if (len > left - 4)
			return false;
		texts[i] = (struct str){ (const char *)p + 4, len };
		p += 4 + len;
		left -= 4 + len;
	}
	return left == 0;
}

enum souk_err
mail_unseal(struct vault *v, const struct mail_place_of *at, struct str key, struct str sealed,
    struct arena *mem, struct str *texts, size_t n)
{
	struct data_key k;
	uint8_t *plain;
	enum souk_err r;

	if (sealed.n < VAULT_OVERHEAD || vault_key_unwrap(v, bytes_of(at), key, &k) != SOUK_OK)
		return SOUK_E_STORAGE;
	plain = arena_alloc(mem, sealed.n);
	r = plain ? vault_unseal(&k, bytes_of(at), sealed, plain) : SOUK_E_LIMIT;
	wipe(&k, sizeof(k));
	if (r == SOUK_E_LIMIT)
		return r;
	return r == SOUK_OK &&
		       unpack(
			   (struct str){ (const char *)plain, sealed.n - VAULT_OVERHEAD }, texts, n)
		   ? SOUK_OK
		   : SOUK_E_STORAGE;
}

enum souk_err
mail_address_index(const struct vault *v, struct str mailbox, uint8_t out[VAULT_BLIND_LEN])
{
	struct buf b = { 0 };
	bool utf8;
	enum souk_err r = mail_wire_address(mailbox, &b, &utf8);

	if (r == SOUK_OK) {
		for (size_t i = 0; i < b.n; i++)
			if (b.p[i] >= 'A' && b.p[i] <= 'Z')
				b.p[i] = (char)(b.p[i] + ('a' - 'A'));
		vault_blind(v, "mail.to", buf_str(&b), out);
	}
	if (b.n > 0)
		wipe(b.p, b.n);
	buf_done(&b);
	return r;
}
