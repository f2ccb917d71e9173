/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AWSMPMeteringService: BatchMeterUsage and ResolveCustomer for sellers, MeterUsage and RegisterUsage
 * for what runs in a buyer's account (specs/metering-and-agreements.md 2).
 *
 * One batch is one transaction: its answer comes when all of it is durable, so nothing is ever
 * left unprocessed. Clients send again what they got no answer for; usage.h makes that harmless.
 */
#include "server/json_family.h"

#include "base/utf8.h"
#include "market/account.h"
#include "market/customer.h"
#include "market/dimension.h"
#include "market/registration.h"
#include "market/usage.h"

#include <stdlib.h>

#define SERVICE "aws-marketplace"
#define TARGET "AWSMPMeteringService."
#define BODY_CAP ((size_t)1 << 20)
#define RECORDS_MAX 25
#define TEXT_MAX 255
#define MEMBER_MAX 64
#define MS 1000.0 /* in a second */

struct record {
	const json_t *sent;
	struct usage u; /* seller and product are set once they are known */
	instant_t at;
	size_t place; /* in the request */
	enum usage_status status;
};

struct metering {
	struct str product_code;
	struct record record[RECORDS_MAX];
	size_t n;
	bool dry;
};

/* ---- members --------------------------------------------------------------------------- */

static enum souk_err
invalid(struct call *c, const char *member, const char *constraint)
{
	return fail_set(&c->fail, SOUK_E_INVALID, "ValidationException",
	    "1 validation error detected: Value at '%s' failed to satisfy constraint: %s", member,
	    constraint);
}

static enum souk_err
refuse(struct call *c, const char *code, const char *sentence)
{
	return fail_set(&c->fail, SOUK_E_INVALID, code, "%s", sentence);
}

/* A text of 1 to 255; p NULL when absent. */
static enum souk_err
take_text(struct call *c, const json_t *o, const char *member, struct str *ret)
{
	enum souk_err r = json_text(c, o, member, ret);

	if (r == SOUK_OK && ret->p &&
	    (ret->n == 0 || !utf8_valid(*ret) || utf8_has_control(*ret) ||
		utf8_length(*ret) > TEXT_MAX))
		return invalid(
		    c, member, "Member must be text of 1 to 255 characters, none of them control");
	return r;
}

static enum souk_err
take_needed(struct call *c, const json_t *o, const char *member, struct str *ret)
{
	enum souk_err r = take_text(c, o, member, ret);

	return r == SOUK_OK && !ret->p ? invalid(c, member, "Member must not be null") : r;
}

/* Epoch seconds; a double holds them to the millisecond. Text is no part of the protocol, and plain. */
static enum souk_err
take_time(struct call *c, const json_t *o, instant_t *ret)
{
	const json_t *v = json_object_get(o, "Timestamp");
	double seconds = json_number_value(v);

	if (!v || json_is_null(v))
		return invalid(c, "Timestamp", "Member must not be null");
	if (json_is_string(v) && instant_parse(str_c(json_string_value(v)), ret))
		return SOUK_OK;
	if (!json_is_number(v))
		return json_bad_type(c, "Timestamp", "a timestamp: a number of epoch seconds");
	if (!(seconds * MS >= (double)INSTANT_MIN && seconds * MS <= (double)INSTANT_MAX))
		return invalid(c, "Timestamp", "Member must be a timestamp of the years 1 to 9999");
	*ret = (instant_t)(seconds * MS);
	return SOUK_OK;
}

static enum souk_err
take_quantity(struct call *c, const json_t *o, const char *member, int64_t *ret)
{
	const json_t *v = json_object_get(o, member);

	if (!v || json_is_null(v))
		return SOUK_OK;
	if (!json_is_integer(v))
		return json_bad_type(c, member, "a whole number");
	if (json_integer_value(v) < 0 || json_integer_value(v) > USAGE_QUANTITY_MAX)
		return invalid(c, member, "Member must be between 0 and 2147483647");
	*ret = json_integer_value(v);
	return SOUK_OK;
}

static enum souk_err
take_allocations(struct call *c, struct record *x)
{
	return usage_allocations(json_object_get(x->sent, "UsageAllocations"), x->u.quantity,
	    c->arena, &x->u.allocations, &c->fail);
}

/* What a timestamp must be is the same for the whole call: one outside fails it all. */
static enum souk_err
check_times(struct call *c, struct db_tx *tx, const struct metering *m)
{
	int64_t late = config_int(c->svc->config, SET_METERING_LATE_HOURS) * HOUR_MS;

	for (size_t i = 0; i < m->n; i++)
		if (!usage_in_time(db_now(tx), m->record[i].at, late))
			return fail_set(&c->fail, SOUK_E_INVALID, "TimestampOutOfBoundsException",
			    "The timestamp of record %zu is outside of the allowed range: at most "
			    "%lld "
			    "hours ago, and not in the future.",
			    m->record[i].place + 1, (long long)(late / HOUR_MS));
	return SOUK_OK;
}

/* As with times: one dimension that the product has not fails them all. */
static enum souk_err
check_dimensions_of(struct call *c, const struct metering *m, const struct usage_product *p)
{
	for (size_t i = 0; i < m->n; i++)
		if (!dimension_metered(p->dimensions, m->record[i].u.dimension))
			return fail_set(&c->fail, SOUK_E_INVALID, "InvalidUsageDimensionException",
			    "The dimension of record %zu is none of the product's that are "
			    "metered.",
			    m->record[i].place + 1);
	return SOUK_OK;
}

static void
set_product(struct metering *m, const struct usage_product *p)
{
	for (size_t i = 0; i < m->n; i++) {
		memcpy(m->record[i].u.seller_id, p->seller_id, sizeof(p->seller_id));
		m->record[i].u.product_id = p->id;
	}
}

static void
write_id(struct jw *w, const struct record *x)
{
	if (x->status == USAGE_TAKEN || x->status == USAGE_DUPLICATE)
		jw_guid(w, "MeteringRecordId", &x->u.id);
}

/* ---- BatchMeterUsage ------------------------------------------------------------------- */

static const char *const batch_members[] = { "ProductCode", "UsageRecords" };
static const char *const record_members[] = { "Timestamp", "CustomerIdentifier",
	"CustomerAWSAccountId", "Dimension", "Quantity", "UsageAllocations", "LicenseArn" };

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Whose usage it is. What names nobody stays "": that is an answer of its own, not an error. */
static enum souk_err
take_customer(struct call *c, const json_t *o, struct usage *u)
{
	struct str name = { NULL, 0 }, account = { NULL, 0 };
	enum souk_err r;

	if ((r = take_text(c, o, "CustomerIdentifier", &name)) != SOUK_OK ||
	    (r = take_text(c, o, "CustomerAWSAccountId", &account)) != SOUK_OK)
		return r;
	if (!name.p == !account.p)
		return refuse(c, "InvalidCustomerIdentifierException",
		    "A usage record needs either CustomerIdentifier or CustomerAWSAccountId.");
	if (account.p && !account_id_valid(account))
		return invalid(c, "CustomerAWSAccountId", "Member must be 12 digits");
	if (name.p && account_id_valid(name))
		account = name;
	if (account.p)
		memcpy(u->buyer_id, account.p, ACCOUNT_ID_LEN);
	else if (!customer_account(c->svc->vault, tenant_account(c->scope), name, u->buyer_id))
		u->buyer_id[0] = '\0';
	return SOUK_OK;
}

static enum souk_err
take_record(struct call *c, const json_t *o, struct record *x)
{
	enum souk_err r;

	x->sent = o;
	x->u = (struct usage){ .source = USAGE_BATCH, .client_token = STR("") };
	if (!json_is_object(o))
		return json_bad_type(c, "A usage record", "a JSON object");
	if ((r = json_known(c, o, record_members, COUNT(record_members))) != SOUK_OK ||
	    (r = take_time(c, o, &x->at)) != SOUK_OK ||
	    (r = take_needed(c, o, "Dimension", &x->u.dimension)) != SOUK_OK ||
	    (r = take_quantity(c, o, "Quantity", &x->u.quantity)) != SOUK_OK)
		return r;
	if (json_is_string(json_object_get(o, "LicenseArn")))
		return refuse(c, "InvalidLicenseException",
		    "There are no licenses here: give ProductCode and the customer.");
	if ((r = take_customer(c, o, &x->u)) != SOUK_OK)
		return r;
	x->u.hour = usage_hour(x->at);
	return take_allocations(c, x);
}

/* In the order of their keys all transactions wait for each other in one direction only. */
static int
by_key(const void *a, const void *b)
{
	const struct record *x = a, *y = b;
	int order = x->u.hour < y->u.hour ? -1 : x->u.hour > y->u.hour;

	if (order == 0)
		order = strcmp(x->u.buyer_id, y->u.buyer_id);
	if (order == 0)
		order = str_compare(x->u.dimension, y->u.dimension);
	/* Of two for one key the first in the request stands. */
	return order != 0 ? order : x->place < y->place ? -1 : 1;
}

static enum souk_err
batch_parse(struct call *c)
{
	struct metering *m = ARENA_NEW(c->arena, struct metering);
	const json_t *list;
	enum souk_err r;

	if (!m)
		return SOUK_E_LIMIT;
	c->input = m;
	if (!json_is_object(c->body))
		return json_bad_type(c, "The body", "a JSON object");
	if (!tenant_is_seller(c->scope))
		return fail_set(&c->fail, SOUK_E_DENIED, "AccessDeniedException",
		    "Only seller accounts may meter their customers' usage.");
	list = json_object_get(c->body, "UsageRecords");
	if ((r = json_known(c, c->body, batch_members, COUNT(batch_members))) != SOUK_OK ||
	    (r = take_needed(c, c->body, "ProductCode", &m->product_code)) != SOUK_OK)
		return r;
	if (!list || json_is_null(list))
		return invalid(c, "UsageRecords", "Member must not be null");
	if (!json_is_array(list))
		return json_bad_type(c, "UsageRecords", "a list");
	if (json_array_size(list) > RECORDS_MAX)
		return invalid(
		    c, "UsageRecords", "Member must have length less than or equal to 25");
	for (; m->n < json_array_size(list); m->n++) {
		m->record[m->n].place = m->n;
		if ((r = take_record(c, json_array_get(list, m->n), &m->record[m->n])) != SOUK_OK)
			return r;
	}
	qsort(m->record, m->n, sizeof(m->record[0]), by_key);
	return SOUK_OK;
}

static enum souk_err
take_all(struct call *c, struct db_tx *tx, struct metering *m)
{
	for (size_t i = 0; i < m->n; i++) {
		struct record *x = &m->record[i];
		enum souk_err r;

		x->status = USAGE_NOT_SUBSCRIBED;
		if (x->u.buyer_id[0] != '\0' &&
		    (r = usage_take(tx, c->scope, &x->u, &x->status)) != SOUK_OK)
			return r;
	}
	return SOUK_OK;
}

static const char *const status_words[] = { [USAGE_TAKEN] = "Success",
	[USAGE_NOT_SUBSCRIBED] = "CustomerNotSubscribed",
	[USAGE_DUPLICATE] = "DuplicateRecord",
	[USAGE_TOKEN_REUSED] = "DuplicateRecord" };

static void
batch_answer(struct call *c, const struct metering *m)
{
	const struct record *in_order[RECORDS_MAX] = { NULL };
	struct jw w;

	for (size_t i = 0; i < m->n; i++)
		in_order[m->record[i].place] = &m->record[i];
	jw_init(&w, &c->out);
	jw_open(&w, NULL, '{');
	jw_open(&w, "Results", '[');
	for (size_t i = 0; i < m->n; i++) {
		jw_open(&w, NULL, '{');
		jw_value(&w, "UsageRecord", in_order[i]->sent);
		write_id(&w, in_order[i]);
		jw_c(&w, "Status", status_words[in_order[i]->status]);
		jw_close(&w, '}');
	}
	jw_close(&w, ']');
	jw_open(&w, "UnprocessedRecords", '[');
	jw_close(&w, ']');
	jw_close(&w, '}');
}

static enum souk_err
batch_run(struct call *c, struct db_tx *tx)
{
	struct metering *m = c->input;
	struct usage_product p = { .seller_id = "" };
	enum souk_err r = usage_product_sold(tx, c->scope, m->product_code, c->arena, &p);

	if (r == SOUK_E_NOT_FOUND)
		return refuse(c, "InvalidProductCodeException",
		    "The product code is none of your products'.");
	if (r != SOUK_OK || (r = check_times(c, tx, m)) != SOUK_OK ||
	    (r = check_dimensions_of(c, m, &p)) != SOUK_OK)
		return r;
	set_product(m, &p);
	if ((r = take_all(c, tx, m)) == SOUK_OK)
		batch_answer(c, m);
	return r;
}

/* ---- MeterUsage ------------------------------------------------------------------------ */

static const char *const meter_members[] = { "ProductCode", "Timestamp", "UsageDimension",
	"UsageQuantity", "DryRun", "UsageAllocations", "ClientToken" };

static enum souk_err
take_token(struct call *c, struct usage *u)
{
	struct str token = { NULL, 0 };
	enum souk_err r = json_text(c, c->body, "ClientToken", &token);

	if (r != SOUK_OK)
		return r;
	if (token.p && (token.n < 1 || token.n > MEMBER_MAX || !utf8_valid(token)))
		return invalid(c, "ClientToken", "Member must have length between 1 and 64");
	u->client_token = token.p ? token : STR("");
	return SOUK_OK;
}

static enum souk_err
meter_parse(struct call *c)
{
	struct metering *m = ARENA_NEW(c->arena, struct metering);
	struct record *x;
	const json_t *dry;
	enum souk_err r;

	if (!m)
		return SOUK_E_LIMIT;
	c->input = m;
	x = &m->record[0];
	m->n = 1;
	x->sent = c->body;
	x->u = (struct usage){ .source = USAGE_METER };
	if (!json_is_object(c->body))
		return json_bad_type(c, "The body", "a JSON object");
	dry = json_object_get(c->body, "DryRun");
	if (dry && !json_is_null(dry) && !json_is_boolean(dry))
		return json_bad_type(c, "DryRun", "a boolean");
	m->dry = json_is_true(dry);
	if ((r = json_known(c, c->body, meter_members, COUNT(meter_members))) != SOUK_OK ||
	    (r = take_needed(c, c->body, "ProductCode", &m->product_code)) != SOUK_OK ||
	    (r = take_time(c, c->body, &x->at)) != SOUK_OK ||
	    (r = take_needed(c, c->body, "UsageDimension", &x->u.dimension)) != SOUK_OK ||
	    (r = take_quantity(c, c->body, "UsageQuantity", &x->u.quantity)) != SOUK_OK ||
	    (r = take_token(c, &x->u)) != SOUK_OK)
		return r;
	x->u.hour = usage_hour(x->at);
	if (tenant_account(c->scope).n == ACCOUNT_ID_LEN)
		memcpy(x->u.buyer_id, tenant_account(c->scope).p, ACCOUNT_ID_LEN);
	return take_allocations(c, x);
}

static enum souk_err
meter_refused(struct call *c, enum usage_status status)
{
	switch (status) {
	case USAGE_NOT_SUBSCRIBED:
		return refuse(c, "CustomerNotEntitledException",
		    "The account has no subscription to the product in that hour.");
	case USAGE_DUPLICATE:
		return refuse(c, "DuplicateRequestException",
		    "Another quantity was metered for this dimension and hour already; it stands.");
	case USAGE_TOKEN_REUSED:
		return refuse(c, "IdempotencyConflictException",
		    "The ClientToken came before with other parameters.");
	case USAGE_TAKEN:
		break;
	}
	return SOUK_OK;
}

static enum souk_err
meter_run(struct call *c, struct db_tx *tx)
{
	struct metering *m = c->input;
	struct record *x = &m->record[0];
	struct usage_product p = { .seller_id = "" };
	struct jw w;
	enum souk_err r = usage_product_bought(tx, c->scope, m->product_code, c->arena, &p);

	if (r == SOUK_E_NOT_FOUND)
		return refuse(c, "InvalidProductCodeException",
		    "The product code is none of a product that the account may use.");
	if (r != SOUK_OK || (r = check_times(c, tx, m)) != SOUK_OK ||
	    (r = check_dimensions_of(c, m, &p)) != SOUK_OK)
		return r;
	if (m->dry)
		return refuse(
		    c, "DryRunOperation", "The request would have succeeded, but DryRun is set.");
	set_product(m, &p);
	if ((r = usage_take(tx, c->scope, &x->u, &x->status)) != SOUK_OK ||
	    (r = meter_refused(c, x->status)) != SOUK_OK)
		return r;
	jw_init(&w, &c->out);
	jw_open(&w, NULL, '{');
	write_id(&w, x);
	jw_close(&w, '}');
	return SOUK_OK;
}

/* ---- ResolveCustomer ------------------------------------------------------------------- */

static const char *const resolve_members[] = { "RegistrationToken" };

static enum souk_err
resolve_parse(struct call *c)
{
	struct str *token = ARENA_NEW(c->arena, struct str);
	enum souk_err r;

	if (!token)
		return SOUK_E_LIMIT;
	c->input = token;
	if (!json_is_object(c->body))
		return json_bad_type(c, "The body", "a JSON object");
	if (!tenant_is_seller(c->scope))
		return fail_set(&c->fail, SOUK_E_DENIED, "AccessDeniedException",
		    "Only seller accounts may resolve their customers.");
	if ((r = json_known(c, c->body, resolve_members, COUNT(resolve_members))) != SOUK_OK ||
	    (r = json_text(c, c->body, resolve_members[0], token)) != SOUK_OK)
		return r;
	return token->p && token->n > 0
		   ? SOUK_OK
		   : invalid(c, resolve_members[0], "Member must not be null or empty");
}

static enum souk_err
resolve_run(struct call *c, struct db_tx *tx)
{
	const struct str *token = c->input;
	char ref[CUSTOMER_REF_LEN + 1], seller[ACCOUNT_ID_LEN + 1] = "";
	enum registration state = REGISTRATION_INVALID;
	struct registered who;
	struct jw w;
	enum souk_err r = registration_resolve(tx, c->svc->vault, c->scope, *token, &state, &who);

	if (r != SOUK_OK)
		return r;
	if (state == REGISTRATION_INVALID)
		return refuse(c, "InvalidTokenException",
		    "The registration token is none of your customers'.");
	if (state == REGISTRATION_EXPIRED)
		return refuse(c, "ExpiredTokenException",
		    "The registration token has expired: let the buyer come again.");
	memcpy(seller, tenant_account(c->scope).p, ACCOUNT_ID_LEN);
	customer_ref(c->svc->vault, seller, who.buyer_id, ref);
	jw_init(&w, &c->out);
	jw_open(&w, NULL, '{');
	jw_c(&w, "CustomerIdentifier", ref);
	jw_c(&w, "ProductCode", who.product_code);
	jw_c(&w, "CustomerAWSAccountId", who.buyer_id);
	jw_close(&w, '}');
	c->audit.action = c->op->action;
	c->audit.count = 1;
	c->audit.seller_id = tenant_account(c->scope);
	c->audit.resource = str_c(arena_printf(c->arena, "account/%s", who.buyer_id));
	return c->audit.resource.p ? SOUK_OK : SOUK_E_LIMIT;
}

/* ---- RegisterUsage --------------------------------------------------------------------- */

#define KEY_VERSION 1 /* there is one key; when it changes, so does the certificate's address */

static const char *const register_members[] = { "ProductCode", "PublicKeyVersion", "Nonce" };

struct registering {
	struct str product_code, nonce;
};

static enum souk_err
register_parse(struct call *c)
{
	struct registering *m = ARENA_NEW(c->arena, struct registering);
	int64_t version = 0;
	enum souk_err r;

	if (!m)
		return SOUK_E_LIMIT;
	*m = (struct registering){ .product_code = { NULL, 0 }, .nonce = { NULL, 0 } };
	c->input = m;
	if (!json_is_object(c->body))
		return json_bad_type(c, "The body", "a JSON object");
	if ((r = json_known(c, c->body, register_members, COUNT(register_members))) != SOUK_OK ||
	    (r = take_needed(c, c->body, "ProductCode", &m->product_code)) != SOUK_OK ||
	    (r = take_quantity(c, c->body, "PublicKeyVersion", &version)) != SOUK_OK ||
	    (r = take_text(c, c->body, "Nonce", &m->nonce)) != SOUK_OK)
		return r;
	if (version < 1)
		return invalid(c, "PublicKeyVersion", "Member must be 1 or more");
	if (version != KEY_VERSION)
		return refuse(c, "InvalidPublicKeyVersionException",
		    "There is no such version of the public key; give 1.");
	return SOUK_OK;
}

static enum souk_err
sign_registration(struct call *c, const struct registering *m, instant_t now)
{
	struct buf claims = { 0 }, token = { 0 };
	struct jw w;
	enum souk_err r = SOUK_E_NOMEM;

	jw_init(&w, &claims);
	jw_open(&w, NULL, '{');
	jw_str(&w, "productCode", m->product_code);
	jw_int(&w, "publicKeyVersion", KEY_VERSION);
	if (m->nonce.p)
		jw_str(&w, "nonce", m->nonce);
	jw_int(&w, "iat", now / SECOND_MS);
	jw_close(&w, '}');
	if (buf_ok(&claims))
		r = topics_jwt(c->svc->topics, buf_str(&claims), &token);
	if (r == SOUK_OK) {
		jw_init(&w, &c->out);
		jw_open(&w, NULL, '{');
		jw_str(&w, "Signature", buf_str(&token));
		jw_close(&w, '}');
	}
	buf_done(&claims);
	buf_done(&token);
	return r;
}

static enum souk_err
register_run(struct call *c, struct db_tx *tx)
{
	const struct registering *m = c->input;
	struct usage_product p = { .seller_id = "" };
	bool entitled = false;
	enum souk_err r = usage_product_bought(tx, c->scope, m->product_code, c->arena, &p);

	if (r == SOUK_E_NOT_FOUND)
		return refuse(c, "InvalidProductCodeException",
		    "The product code is none of a product that the account may use.");
	if (r != SOUK_OK || (r = usage_entitled(tx, c->scope, &p, &entitled)) != SOUK_OK)
		return r;
	if (!entitled)
		return refuse(c, "CustomerNotEntitledException",
		    "The account has no subscription to the product.");
	return sign_registration(c, m, db_now(tx));
}

/* A dry run has a word of its own for who may not; that is found out before the body is read. */
static const char *
word(const struct call *c, enum souk_err err)
{
	json_t *o = NULL;
	bool dry = false;

	if (err != SOUK_E_DENIED || json_read(c->req->body, &o, NULL) != SOUK_OK)
		return NULL;
	dry = json_is_true(json_object_get(o, "DryRun"));
	json_decref(o);
	return dry ? "UnauthorizedException" : NULL;
}

static const struct op ops[] = {
	{ "", TARGET "BatchMeterUsage", SERVICE ":BatchMeterUsage", BODY_CAP, OP_WRITE, batch_parse,
	    batch_run },
	{ "", TARGET "MeterUsage", SERVICE ":MeterUsage", BODY_CAP, OP_WRITE, meter_parse,
	    meter_run },
	{ "", TARGET "ResolveCustomer", SERVICE ":ResolveCustomer", BODY_CAP, OP_READ | OP_AUDIT,
	    resolve_parse, resolve_run },
	{ "", TARGET "RegisterUsage", SERVICE ":RegisterUsage", BODY_CAP, OP_READ, register_parse,
	    register_run },
};

const struct json_service json_metering = {
	.service = SERVICE,
	.target = TARGET,
	.internal = "InternalServiceErrorException",
	.unknown = "There is no such operation; this service has BatchMeterUsage, "
		   "MeterUsage, RegisterUsage and ResolveCustomer.",
	.ops = ops,
	.n = COUNT(ops),
	.word = word,
};
