/* SPDX-License-Identifier: Apache-2.0 */
/* REST: what is charged and who registers: rates of offers, fees of subscriptions, registration tokens. */
#include "server/rest.h"

#include "market/fee.h"
#include "market/offer.h"
#include "market/rate.h"
#include "market/registration.h"

/* ---- rates ----------------------------------------------------------------------------- */

static void
rate_answer(struct call *c, const struct rate *v)
{
	struct jw w;

	jw_init(&w, &c->out);
	rate_json(v, &w, NULL);
}

static enum souk_err
rates_list(struct call *c, struct db_tx *tx)
{
	struct guid offer;
	struct page p;
	struct jw w;
	enum souk_err r;

	if ((r = call_param_guid(c, 0, &offer)) != SOUK_OK || (r = call_page(c, &p)) != SOUK_OK)
		return r;
	rest_list_open(c, &w);
	r = rate_list(tx, c->scope, &offer, &p, c->arena, &w, &c->fail);
	rest_list_close(&w, p.next);
	return r;
}

static enum souk_err
rate_add(struct call *c, struct db_tx *tx)
{
	char id[GUID_TEXT_LEN + 1];
	struct offer o;
	struct rate v;
	struct guid offer;
	enum souk_err r;

	if ((r = call_param_guid(c, 0, &offer)) != SOUK_OK ||
	    (r = offer_get(tx, c->scope, &offer, c->arena, &o)) != SOUK_OK ||
	    (r = rate_parse(c->body, &offer, &v, &c->fail)) != SOUK_OK ||
	    (r = rate_create(tx, c->scope, &v, c->arena, &c->fail)) != SOUK_OK)
		return r;
	rate_answer(c, &v);
	guid_format(&v.id, id);
	rest_created_here(c, (struct str){ id, GUID_TEXT_LEN });
	rest_audit_guid(c, "rate", &v.id, arena_str(c->arena, str_c(v.seller_id)));
	return SOUK_OK;
}

static enum souk_err
rate_show(struct call *c, struct db_tx *tx)
{
	struct guid offer, id;
	struct rate v;
	enum souk_err r;

	if ((r = call_param_guid(c, 0, &offer)) != SOUK_OK ||
	    (r = call_param_guid(c, 1, &id)) != SOUK_OK ||
	    (r = rate_get(tx, c->scope, &offer, &id, c->arena, &v)) != SOUK_OK)
		return r;
	rate_answer(c, &v);
	return SOUK_OK;
}

/* ---- fees ------------------------------------------------------------------------------ */

static void
fee_answer(struct call *c, const struct fee *v)
{
	struct jw w;

	jw_init(&w, &c->out);
	fee_json(v, &w, NULL);
}

static enum souk_err
fees_list(struct call *c, struct db_tx *tx)
{
	struct guid subscription;
	struct page p;
	struct jw w;
	enum souk_err r;

	if ((r = call_param_guid(c, 0, &subscription)) != SOUK_OK ||
	    (r = call_page(c, &p)) != SOUK_OK)
		return r;
	rest_list_open(c, &w);
	r = fee_list(tx, c->scope, &subscription, &p, c->arena, &w, &c->fail);
	rest_list_close(&w, p.next);
	return r;
}

static enum souk_err
fee_add(struct call *c, struct db_tx *tx)
{
	char id[GUID_TEXT_LEN + 1];
	struct subscription sub;
	struct guid subscription;
	struct fee v;
	enum souk_err r;

	if ((r = call_param_guid(c, 0, &subscription)) != SOUK_OK ||
	    (r = subscription_get(tx, c->scope, &subscription, c->arena, &sub)) != SOUK_OK ||
	    (r = fee_parse(c->body, &subscription, &v, &c->fail)) != SOUK_OK ||
	    (r = fee_create(tx, c->scope, &v, c->arena, &c->fail)) != SOUK_OK)
		return r;
	fee_answer(c, &v);
	guid_format(&v.id, id);
	rest_created_here(c, (struct str){ id, GUID_TEXT_LEN });
	rest_audit_guid(c, "fee", &v.id, arena_str(c->arena, str_c(v.seller_id)));
	return SOUK_OK;
}

static enum souk_err
fee_show(struct call *c, struct db_tx *tx)
{
	struct guid subscription, id;
	struct fee v;
	enum souk_err r;

	if ((r = call_param_guid(c, 0, &subscription)) != SOUK_OK ||
	    (r = call_param_guid(c, 1, &id)) != SOUK_OK ||
	    (r = fee_get(tx, c->scope, &subscription, &id, c->arena, &v)) != SOUK_OK)
		return r;
	fee_answer(c, &v);
	return SOUK_OK;
}

/* ---- registration ---------------------------------------------------------------------- */

static enum souk_err
registration_add(struct call *c, struct db_tx *tx)
{
	char token[REGISTRATION_TOKEN_LEN + 1];
	struct guid subscription;
	instant_t until = 0;
	struct jw w;
	enum souk_err r;

	if ((r = call_param_guid(c, 0, &subscription)) != SOUK_OK ||
	    (r = registration_make(tx, c->svc->vault, c->scope, &subscription, c->arena, token,
		 &until, &c->fail)) != SOUK_OK)
		return r;
	jw_init(&w, &c->out);
	jw_open(&w, NULL, '{');
	jw_c(&w, "registrationToken", token);
	jw_instant(&w, "expiresAt", until);
	jw_close(&w, '}');
	rest_audit_guid(c, "subscription", &subscription, STR(""));
	return SOUK_OK;
}

#define RATES "/api/v1/offers/{offerId}/rates"
#define FEES "/api/v1/subscriptions/{subscriptionId}/fees"
#define READ OP_READ | OP_NO_BODY
#define MAKE OP_WRITE | OP_IDEMPOTENT
static const struct op ops[] = {
	{ "GET", RATES, "market:ReadOffers", 0, READ, NULL, rates_list },
	{ "POST", RATES, "market:CreateRate", REST_BODY, MAKE, rest_need_body, rate_add },
	{ "GET", RATES "/{rateId}", "market:ReadOffers", 0, READ, NULL, rate_show },
	{ "GET", FEES, "market:ReadFees", 0, READ, NULL, fees_list },
	{ "POST", FEES, "market:CreateFee", REST_BODY, MAKE, rest_need_body, fee_add },
	{ "GET", FEES "/{feeId}", "market:ReadFees", 0, READ, NULL, fee_show },
	{ "POST", "/api/v1/subscriptions/{subscriptionId}/registration-tokens",
	    "market:MakeRegistrationToken", REST_BODY, OP_WRITE, rest_no_members,
	    registration_add },
};
const struct rest_table rest_charges = { ops, sizeof(ops) / sizeof(ops[0]) };
