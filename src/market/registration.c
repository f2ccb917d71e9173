/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Registration tokens.
 *
 * Who can make one up can register as somebody else's customer, so a token is looked into only behind its MAC.
 */
#include "market/registration.h"

#include "base/digest.h"
#include "market/check.h"
#include "market/market_store.h"
#include "market/scope.h"

#define DOMAIN "market.registration"
#define TOLD (sizeof(struct guid) + sizeof(uint64_t)) /* what is behind the MAC */
#define TOKEN (TOLD + SHA256_LEN)

_Static_assert(REGISTRATION_TOKEN_LEN == 2 * TOKEN, "a token in hexadecimal");
_Static_assert(sizeof(((struct registered *)0)->product_code) == PRODUCT_CODE_LEN + 1, "a code");

enum souk_err
registration_make(struct db_tx *tx, const struct vault *v, const struct tenant_scope *s,
    const struct guid *subscription, struct arena *mem, char out[static REGISTRATION_TOKEN_LEN + 1],
    instant_t *ret_until, struct fail *f)
{
	struct product_standing p;
	struct subscription sub;
	uint8_t token[TOKEN];
	uint64_t until = (uint64_t)(db_now(tx) + REGISTRATION_MS);
	enum souk_err r = subscription_get(tx, s, subscription, mem, &sub);

	if (r == SOUK_OK && !scope_buys(s, str_c(sub.buyer_id)))
		r = SOUK_E_NOT_FOUND;
	if (r != SOUK_OK || (r = product_find_standing(tx, &sub.product_id, &p)) != SOUK_OK)
		return r;
	if (!str_eq_c(p.type, "saas"))
		return fail_conflict(f, "product_not_saas", "subscriptionId",
		    "is for a product that is no saas", "register for SaaS products only");
	if (!sub.active)
		return fail_conflict(f, "subscription_ended", "subscriptionId", "has ended",
		    "make a new subscription");
	memcpy(token, &sub.id, sizeof(sub.id));
	for (size_t i = 0; i < sizeof(until); i++)
		token[sizeof(sub.id) + i] = (uint8_t)(until >> (56 - 8 * i));
	vault_mac(v, DOMAIN, (struct str){ (const char *)token, TOLD }, token + TOLD);
	hex_encode(token, sizeof(token), out);
	*ret_until = (instant_t)until;
	return SOUK_OK;
}

/* What the token tells; false for what we did not make. */
static bool
open_token(const struct vault *v, struct str text, struct guid *ret_id, instant_t *ret_until)
{
	uint8_t token[TOKEN], mac[SHA256_LEN];
	uint64_t until = 0;
	size_t n = 0;

	if (text.n != REGISTRATION_TOKEN_LEN || !hex_decode(text, token, sizeof(token), &n))
		return false;
	vault_mac(v, DOMAIN, (struct str){ (const char *)token, TOLD }, mac);
	if (!secret_equal(mac, sizeof(mac), token + TOLD, SHA256_LEN))
		return false;
	memcpy(ret_id, token, sizeof(*ret_id));
	for (size_t i = 0; i < sizeof(until); i++)
		until = until << 8 | token[sizeof(*ret_id) + i];
	*ret_until = (instant_t)until;
	return true;
}

enum souk_err
registration_resolve(struct db_tx *tx, const struct vault *v, const struct tenant_scope *s,
    struct str token, enum registration *ret_state, struct registered *ret)
{
	struct product_standing p;
	struct subscription sub;
	struct guid id;
	instant_t until;
	enum souk_err r;

	*ret_state = REGISTRATION_INVALID;
	if (!open_token(v, token, &id, &until))
		return SOUK_OK;
	if ((r = subscription_find(tx, &id, &sub)) != SOUK_OK)
		return r == SOUK_E_NOT_FOUND ? SOUK_OK : r;
	if (!tenant_is_seller(s) || !scope_is(s, str_c(sub.seller_id)))
		return SOUK_OK;
	if ((r = product_find_standing(tx, &sub.product_id, &p)) != SOUK_OK)
		return r;
	*ret_state = until > db_now(tx) ? REGISTRATION_FINE : REGISTRATION_EXPIRED;
	memcpy(ret->buyer_id, sub.buyer_id, sizeof(ret->buyer_id));
	memcpy(ret->product_code, p.code, sizeof(ret->product_code));
	return SOUK_OK;
}
