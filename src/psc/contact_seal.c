/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sealing and opening contacts; the blind index of their e-mail address.
 *
 * Plain text exists here on the stack and in the caller's buffer only; both are wiped.
 */
#include "psc/contact_seal.h"

#include "base/secret.h"

#include <assert.h>
#include <idn2.h>

#define CONTEXT_LEN (ACCOUNT_ID_LEN + 2 * sizeof(struct guid) + 8)

struct context {
	char b[CONTEXT_LEN];
};

static struct context
context_of(const struct contact_binding *to)
{
	struct context c = { 0 };
	uint64_t t = (uint64_t)to->operation_time;
	char *p = c.b;

	assert(to->seller_id.n == ACCOUNT_ID_LEN);
	p = mempcpy(p, to->seller_id.p, ACCOUNT_ID_LEN);
	p = mempcpy(p, to->contact_id->b, sizeof(to->contact_id->b));
	p = mempcpy(p, to->subscription_id->b, sizeof(to->subscription_id->b));
	for (size_t i = 0; i < 8; i++)
		p[7 - i] = (char)(uint8_t)(t >> (8 * i));
	return c;
}

struct contact_binding
contact_row_binding(const struct contact_row *row)
{
	return (struct contact_binding){ str_c(row->seller_id), &row->id, &row->subscription_id,
		row->operation_time };
}

struct str *
contact_field(struct contact_fields *c, unsigned i)
{
	struct str *const all[CONTACT_FIELDS] = { &c->organization, &c->given_name, &c->surname,
		&c->telephone, &c->email, &c->title, &c->country, &c->zip };

	return all[i];
}

size_t
contact_pack(const struct contact_fields *c, uint8_t out[CONTACT_PLAIN_MAX])
{
	struct contact_fields copy = *c;
	size_t n = 0;

	for (unsigned i = 0; i < CONTACT_FIELDS; i++) {
		struct str s = *contact_field(&copy, i);

		assert(s.n <= UINT16_MAX && n + 2 + s.n <= CONTACT_PLAIN_MAX);
		out[n++] = (uint8_t)s.n;
		out[n++] = (uint8_t)(s.n >> 8);
		if (s.n > 0)
			memcpy(out + n, s.p, s.n);
		n += s.n;
	}
	return n;
}

bool
contact_unpack(struct str plain, struct contact_fields *ret)
{
	struct contact_fields c;
	const unsigned char *p = (const unsigned char *)plain.p;
	size_t left = plain.n;

	for (unsigned i = 0; i < CONTACT_FIELDS; i++) {
		size_t n;

		if (left < 2 || left - 2 < (n = (size_t)p[0] | (size_t)p[1] << 8))
			return false;
		*contact_field(&c, i) = (struct str){ (const char *)p + 2, n };
		p += 2 + n;
		left -= 2 + n;
	}
	if (left != 0)
		return false;
	*ret = c;
	return true;
}

size_t
contact_seal(const struct data_key *k, const struct contact_binding *to,
    const struct contact_fields *c, uint8_t *out)
{
	struct context ctx = context_of(to);
	uint8_t plain[CONTACT_PLAIN_MAX];
	size_t n = contact_pack(c, plain);

	vault_seal(k, (struct str){ ctx.b, sizeof(ctx.b) }, plain, n, out);
	wipe(plain, n);
	return n + VAULT_OVERHEAD;
}

enum souk_err
contact_unseal(struct vault *v, const struct contact_binding *to, struct str wrapped,
    struct str sealed, uint8_t *plain, struct contact_fields *ret)
{
	struct context ctx = context_of(to);
	struct str id = { (const char *)to->contact_id->b, sizeof(to->contact_id->b) };
	struct data_key key;
	enum souk_err err = SOUK_OK;

	if (sealed.n < VAULT_OVERHEAD || sealed.n > CONTACT_SEALED_MAX)
		return SOUK_E_STORAGE;
	if (vault_key_unwrap(v, id, wrapped, &key) != SOUK_OK)
		return SOUK_E_STORAGE;
	if (vault_unseal(&key, (struct str){ ctx.b, sizeof(ctx.b) }, sealed, plain) != SOUK_OK ||
	    !contact_unpack((struct str){ (const char *)plain, sealed.n - VAULT_OVERHEAD }, ret))
		err = SOUK_E_STORAGE;
	wipe(&key, sizeof(key));
	return err;
}

/* Room for a validated address (254 code points) and a domain in IDNA's ASCII form. */
struct plain_address {
	char text[254 * 4 + 256];
	size_t n;
};

static void
add_lower(struct plain_address *a, struct str s)
{
	for (size_t i = 0; i < s.n && a->n < sizeof(a->text); i++) {
		char c = s.p[i];

		a->text[a->n++] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
	}
}

static bool
is_ascii(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 0x80)
			return false;
	return true;
}

/* The domain as IDNA writes it in ASCII; as it stands when IDNA has no form for it. */
static void
add_domain(struct plain_address *a, struct str domain)
{
	char name[254 * 4 + 1];
	char *ascii = NULL;

	if (is_ascii(domain) || domain.n >= sizeof(name)) {
		add_lower(a, domain);
		return;
	}
	memcpy(name, domain.p, domain.n);
	name[domain.n] = '\0';
	if (idn2_to_ascii_8z(name, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) == IDN2_OK)
		add_lower(a, str_c(ascii));
	else
		add_lower(a, domain);
	idn2_free(ascii);
	wipe(name, sizeof(name));
}

void
contact_email_index(const struct vault *v, struct str email, uint8_t out[VAULT_BLIND_LEN])
{
	struct plain_address a;
	size_t at = email.n;

	a.n = 0;
	while (at > 0 && email.p[at - 1] != '@')
		at--;
	add_lower(&a, (struct str){ email.p, at });
	add_domain(&a, (struct str){ email.p + at, email.n - at });
	vault_blind(v, "psc.email", (struct str){ a.text, a.n }, out);
	wipe(&a, sizeof(a));
}
