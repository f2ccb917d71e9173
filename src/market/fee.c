/* SPDX-License-Identifier: Apache-2.0 */
/* Fees: form, what they lean on, who may see them. */
#include "market/fee.h"

#include "base/currency.h"
#include "market/charge_store.h"
#include "market/dimension.h"
#include "market/market.h"
#include "market/market_store.h"
#include "market/scope.h"
#include "market/usage.h"

static const char *const kinds[] = { "hourly", "monthly", "annual", "contract", "refund", NULL };
static const char *const in_words[] = { "Hourly fee", "Monthly fee", "Annual fee", "Contract fee",
	"Refund" };

enum {
	M_ID,
	M_KIND,
	M_DESCRIPTION,
	M_AMOUNT,
	M_CURRENCY,
	M_DIMENSION,
	M_QUANTITY,
	M_START,
	M_END,
	M_POSTED,
	M_SUBSCRIPTION,
	M__COUNT
};

static struct str
words_of(struct str kind)
{
	for (size_t i = 0; kinds[i]; i++)
		if (str_eq_c(kind, kinds[i]))
			return str_c(in_words[i]);
	return STR("");
}

static void
check_rules(struct check *c, struct fee *io)
{
	bool refund = str_eq_c(io->kind, "refund");

	if (refund && io->amount >= 0)
		check_fail(c, "amount", "of a refund is not negative", "give it with a minus sign");
	if (!refund && io->amount < 0)
		check_fail(c, "amount", "of a fee is negative",
		    "give a positive amount, or make the kind refund");
	if (io->quantity < 0 || io->quantity > SUBSCRIPTION_QUANTITY_MAX)
		check_fail(c, "quantity", "is out of range", "give 0 to 1000000000");
	if ((io->period_start == 0) != (io->period_end == 0))
		check_fail(c, io->period_start == 0 ? "periodStart" : "periodEnd",
		    "is missing beside the other", "give both, or none");
	else if (io->period_end < io->period_start)
		check_fail(c, "periodEnd", "is before periodStart", "give the last instant");
	if (io->description.n == 0)
		io->description = words_of(io->kind);
}

enum souk_err
fee_parse(const json_t *o, const struct guid *subscription, struct fee *ret, struct fail *f)
{
	struct json_member m[M__COUNT] = {
		[M_ID] = { .name = "feeId", .kind = JSON_K_STR },
		[M_KIND] = { .name = "kind", .kind = JSON_K_STR, .required = true },
		[M_DESCRIPTION] = { .name = "description", .kind = JSON_K_STR },
		[M_AMOUNT] = { .name = "amount", .kind = JSON_K_STR, .required = true },
		[M_CURRENCY] = { .name = "currency", .kind = JSON_K_STR, .required = true },
		[M_DIMENSION] = { .name = "dimension", .kind = JSON_K_STR, .nullable = true },
		[M_QUANTITY] = { .name = "quantity", .kind = JSON_K_INT },
		[M_START] = { .name = "periodStart", .kind = JSON_K_STR, .nullable = true },
		[M_END] = { .name = "periodEnd", .kind = JSON_K_STR, .nullable = true },
		[M_POSTED] = { .name = "postedAt", .kind = JSON_K_STR },
		[M_SUBSCRIPTION] = { .name = "subscriptionId",
		    .kind = JSON_K_STR,
		    .required = true },
	};
	struct fee v = { .quantity = 1, .description = STR(""), .dimension = STR("") };
	struct check c = { .f = f };

	if ((c.err = currency_load(f)) != SOUK_OK)
		return c.err;
	/* What the path says is no member of the body. */
	c.err = json_take(o, m, subscription ? M_SUBSCRIPTION : M__COUNT, f);
	check_guid(&c, &m[M_ID], &v.id);
	check_word(&c, &m[M_KIND], kinds, &v.kind);
	check_text(&c, &m[M_DESCRIPTION], 1, 255, &v.description);
	check_money(&c, &m[M_AMOUNT], &v.amount);
	check_currency(&c, &m[M_CURRENCY], v.currency);
	check_text(&c, &m[M_DIMENSION], 0, USAGE_DIMENSION_MAX, &v.dimension);
	if (m[M_QUANTITY].got)
		v.quantity = json_integer_value(m[M_QUANTITY].got);
	check_instant(&c, &m[M_START], &v.period_start);
	check_instant(&c, &m[M_END], &v.period_end);
	check_instant(&c, &m[M_POSTED], &v.posted_at);
	check_guid(&c, &m[M_SUBSCRIPTION], &v.subscription_id);
	if (subscription)
		v.subscription_id = *subscription;
	if (c.err == SOUK_OK)
		check_rules(&c, &v);
	if (c.err == SOUK_OK)
		*ret = v;
	return c.err;
}

static enum souk_err
check_listed(struct db_tx *tx, const struct subscription *sub, struct str dimension,
    struct arena *mem, struct fail *f)
{
	struct product p;
	enum souk_err r;

	if (dimension.n == 0)
		return SOUK_OK;
	if ((r = product_find(tx, &sub->product_id, mem, &p)) != SOUK_OK ||
	    dimension_listed(p.dimensions, dimension))
		return r;
	return fail_field(f, "dimension", "is none that the product lists",
	    "give one of the product's dimensions, or leave it out");
}

enum souk_err
fee_create(struct db_tx *tx, const struct tenant_scope *s, struct fee *io, struct arena *mem,
    struct fail *f)
{
	struct fee new = *io;
	struct subscription sub;
	bool is_new = false;
	enum souk_err r = scope_operator(s, f);

	if (r != SOUK_OK)
		return r;
	r = subscription_find(tx, &new.subscription_id, &sub);
	if (r == SOUK_E_NOT_FOUND)
		return fail_field(
		    f, "subscriptionId", "is no subscription", "create the subscription first");
	if (r != SOUK_OK || (r = check_listed(tx, &sub, new.dimension, mem, f)) != SOUK_OK)
		return r;
	if (new.created_at == 0)
		new.created_at = db_now(tx);
	if (new.posted_at == 0)
		new.posted_at = new.created_at;
	if (new.posted_at > db_now(tx) + USAGE_AHEAD_MS)
		return fail_field(
		    f, "postedAt", "lies in the future", "give the time at which it was charged");
	memcpy(new.seller_id, sub.seller_id, sizeof(new.seller_id));
	if (guid_is_zero(&new.id))
		new.id = guid_new();
	if ((r = fee_put(tx, &new, &is_new)) != SOUK_OK)
		return r;
	if (!is_new)
		return fail_conflict(f, "fee_exists", "feeId", "is a fee already",
		    "leave the line out, or give another id: a fee never changes");
	*io = new;
	return SOUK_OK;
}

/* Whose fees they are; SOUK_E_NOT_FOUND to who may not see the subscription. */
static enum souk_err
find_subscription(struct db_tx *tx, const struct tenant_scope *s, const struct guid *subscription,
    struct arena *mem, struct fee *ret)
{
	struct subscription sub;
	enum souk_err r = subscription_get(tx, s, subscription, mem, &sub);

	if (r != SOUK_OK)
		return r;
	*ret = (struct fee){ .subscription_id = *subscription };
	memcpy(ret->seller_id, sub.seller_id, sizeof(ret->seller_id));
	return SOUK_OK;
}

enum souk_err
fee_get(struct db_tx *tx, const struct tenant_scope *s, const struct guid *subscription,
    const struct guid *id, struct arena *mem, struct fee *ret)
{
	struct fee v;
	enum souk_err r = find_subscription(tx, s, subscription, mem, &v);

	v.id = *id;
	if (r == SOUK_OK && (r = fee_find(tx, mem, &v)) == SOUK_OK)
		*ret = v;
	return r;
}

static size_t
emit(struct db_stmt *st, struct jw *out, void *key)
{
	struct fee v;

	fee_row(st, &v);
	fee_json(&v, out, NULL);
	memcpy(key, &v.id, sizeof(v.id));
	return sizeof(v.id);
}

enum souk_err
fee_list(struct db_tx *tx, const struct tenant_scope *s, const struct guid *subscription,
    struct page *p, struct arena *mem, struct jw *out, struct fail *f)
{
	struct guid after;
	struct fee of;
	enum souk_err r;

	if ((r = page_begin_guid(p, &after, f)) != SOUK_OK ||
	    (r = find_subscription(tx, s, subscription, mem, &of)) != SOUK_OK)
		return r;
	return page_rows(p, fee_rows(tx, &of, &after, p->limit + 1), emit, mem, out);
}

void
fee_json(const struct fee *v, struct jw *out, const char *key)
{
	char amount[MONEY_TEXT_SIZE];

	jw_open(out, key, '{');
	jw_guid(out, "feeId", &v->id);
	jw_guid(out, "subscriptionId", &v->subscription_id);
	jw_str(out, "kind", v->kind);
	jw_str(out, "description", v->description);
	jw_str(out, "amount", (struct str){ amount, money_format_exact(v->amount, 2, amount) });
	jw_c(out, "currency", v->currency);
	json_text_opt(out, "dimension", v->dimension);
	jw_int(out, "quantity", v->quantity);
	json_instant_opt(out, "periodStart", v->period_start);
	json_instant_opt(out, "periodEnd", v->period_end);
	jw_instant(out, "postedAt", v->posted_at);
	jw_instant(out, "createdAt", v->created_at);
	jw_close(out, '}');
}
