/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Subscriptions: form, what they lean on, who may see them, their end.
 *
 * Whoever may see a subscription may go on to its contacts: the scope check in
 * subscription_get is the gate to personal data.
 */
#include "market/subscription.h"

#include "market/check.h"
#include "market/market_store.h"
#include "market/scope.h"
#include "store/job.h"

#include <stdio.h>

enum {
	M_ID,
	M_SELLER,
	M_PRODUCT,
	M_OFFER,
	M_BUYER,
	M_KIND,
	M_QUANTITY,
	M_STARTS,
	M_ENDS,
	M_TRIAL_ENDS,
	M__COUNT
};

static void
check_kind(struct check *c, const struct json_member *m, struct str *io)
{
	struct str word = pricing_word(json_member_str(m));

	if (m->got && word.p)
		*io = word;
	else if (m->got)
		check_fail(c, m->name, "is no kind of pricing",
		    "give one of hourly, monthly, annual, metered, contract, free, byol");
}

static void
check_quantity(struct check *c, const struct json_member *m, int64_t *io)
{
	json_int_t n = m->got ? json_integer_value(m->got) : 1;

	if (n < 1 || n > SUBSCRIPTION_QUANTITY_MAX)
		check_fail(c, m->name, "is out of range", "give 1 to 1000000000");
	else if (m->got)
		*io = n;
}

/* What stands in exported records, or was agreed on. */
static void
check_unchanged(struct check *c, const struct subscription *s, const struct subscription *base)
{
	check_fixed(c, "subscriptionId", guid_eq(&s->id, &base->id));
	check_fixed(c, "sellerId", strcmp(s->seller_id, base->seller_id) == 0);
	check_fixed(c, "productId", guid_eq(&s->product_id, &base->product_id));
	check_fixed(c, "offerId", guid_eq(&s->offer_id, &base->offer_id));
	check_fixed(c, "buyerId", strcmp(s->buyer_id, base->buyer_id) == 0);
	check_fixed(c, "kind", str_eq(s->kind, base->kind));
	check_fixed(c, "startsAt", s->starts_at == base->starts_at);
	check_fixed(c, "trialEndsAt", s->trial_ends_at == base->trial_ends_at);
}

enum souk_err
subscription_parse(
    const json_t *o, const struct subscription *base, struct subscription *ret, struct fail *f)
{
	bool new = base == NULL;
	struct json_member m[M__COUNT] = {
		[M_ID] = { .name = "subscriptionId", .kind = JSON_K_STR },
		[M_SELLER] = { .name = "sellerId", .kind = JSON_K_STR },
		[M_PRODUCT] = { .name = "productId", .kind = JSON_K_STR, .required = new },
		[M_OFFER] = { .name = "offerId", .kind = JSON_K_STR, .nullable = true },
		[M_BUYER] = { .name = "buyerId", .kind = JSON_K_STR, .required = new },
		[M_KIND] = { .name = "kind", .kind = JSON_K_STR, .required = new },
		[M_QUANTITY] = { .name = "quantity", .kind = JSON_K_INT },
		[M_STARTS] = { .name = "startsAt", .kind = JSON_K_STR },
		[M_ENDS] = { .name = "endsAt", .kind = JSON_K_STR, .nullable = true },
		[M_TRIAL_ENDS] = { .name = "trialEndsAt", .kind = JSON_K_STR, .nullable = true },
	};
	struct subscription v = { .quantity = 1, .active = true };
	struct check c = { .f = f };

	if (base)
		v = *base;
	c.err = json_take(o, m, M__COUNT, f);
	check_guid(&c, &m[M_ID], &v.id);
	check_account_id(&c, &m[M_SELLER], v.seller_id);
	check_guid(&c, &m[M_PRODUCT], &v.product_id);
	check_guid(&c, &m[M_OFFER], &v.offer_id);
	check_account_id(&c, &m[M_BUYER], v.buyer_id);
	check_kind(&c, &m[M_KIND], &v.kind);
	check_quantity(&c, &m[M_QUANTITY], &v.quantity);
	check_instant(&c, &m[M_STARTS], &v.starts_at);
	check_instant(&c, &m[M_ENDS], &v.ends_at);
	check_instant(&c, &m[M_TRIAL_ENDS], &v.trial_ends_at);
	check_period(&c, v.starts_at, v.ends_at);
	if (base)
		check_unchanged(&c, &v, base);
	if (c.err == SOUK_OK)
		*ret = v;
	return c.err;
}

/* A trial comes before what is paid: it is over before the subscription is. */
static void
check_trial(struct check *c, const struct subscription *s)
{
	instant_t lasts = s->trial_ends_at - s->starts_at;

	if (s->trial_ends_at == 0)
		return;
	if (lasts < TRIAL_DAYS_MIN * DAY_MS || lasts > TRIAL_DAYS_MAX * DAY_MS)
		check_fail(c, "trialEndsAt", "makes no free trial of 5 to 31 days",
		    "give a time 5 to 31 days after startsAt, or none");
	else if (s->ends_at != 0 && s->ends_at <= s->trial_ends_at)
		check_fail(
		    c, "trialEndsAt", "is not before endsAt", "give a time before endsAt, or none");
}

static void
check_offer(struct check *c, const struct subscription_basis *basis)
{
	if (!basis->has_offer)
		check_fail(c, "offerId", "is no offer of this seller",
		    "create the offer first, or leave it out");
	else if (!basis->offer_fits)
		check_fail(c, "offerId", "is an offer of another product or for another buyer",
		    "give an offer for this product and buyer, or leave it out");
}

/* Every fact that is named but not as it should be; conflicts of state come after. */
static void
check_basis(struct check *c, const struct subscription *s, const struct subscription_basis *basis)
{
	if (strcmp(s->seller_id, basis->seller_id) != 0) {
		check_fail(c, "productId", "is no product of this seller",
		    "create the product first, or correct sellerId");
		return;
	}
	if (!basis->is_buyer)
		check_fail(c, "buyerId", "is no buyer's account",
		    "create the account first, with buyer true");
	if (!basis->has_kind)
		check_fail(c, "kind", "is not among the product's pricing",
		    "give one of the product's kinds of pricing");
	if (!guid_is_zero(&s->offer_id))
		check_offer(c, basis);
	check_period(c, s->starts_at, s->ends_at);
	check_trial(c, s);
}

static enum souk_err
check_state(const struct subscription *s, const struct subscription_basis *basis, struct fail *f)
{
	if (basis->is_draft)
		return fail_conflict(f, "product_draft", "productId", "is a draft still",
		    "publish the product first");
	if (s->active && basis->is_withdrawn)
		return fail_conflict(f, "product_restricted", "productId",
		    "is restricted to its present subscribers", "give another product");
	if (s->active && basis->suspended[0] != '\0')
		return fail_set(f, SOUK_E_CONFLICT, "listing_suspended",
		    "New subscriptions to this product are suspended: %s.", basis->suspended);
	if (!guid_is_zero(&s->offer_id) && s->active && !basis->offer_active)
		return fail_conflict(f, "offer_expired", "offerId", "is an expired offer",
		    "give an active one, or leave it out");
	if (basis->taken)
		return fail_conflict(f, "subscription_exists", "subscriptionId",
		    "is a subscription already", "change that one, or give another id");
	return SOUK_OK;
}

static enum souk_err
tell_fulfilment(struct db_tx *tx, const struct subscription *s)
{
	char id[GUID_TEXT_LEN + 1], payload[GUID_TEXT_LEN + 32];

	guid_format(&s->id, id);
	(void)snprintf(payload, sizeof(payload), "{\"subscriptionId\":\"%s\"}", id);
	return job_put(tx,
	    &(struct job_new){ .kind = SUBSCRIPTION_SERVICES_JOB,
		.seller_id = str_c(s->seller_id),
		.payload = str_c(payload) },
	    NULL);
}

static bool
is_carried_over(struct db_tx *tx, const struct subscription *s)
{
	instant_t began = s->starts_at < s->created_at ? s->starts_at : s->created_at;

	return db_now(tx) - began > SUBSCRIPTION_CARRIED_OVER_MS;
}

enum souk_err
subscription_create(
    struct db_tx *tx, const struct tenant_scope *s, struct subscription *sub, struct fail *f)
{
	struct subscription new = *sub;
	struct subscription_basis basis = { 0 };
	struct check c = { .f = f };
	enum souk_err r = scope_operator(s, f);

	if (r != SOUK_OK)
		return r;
	if ((r = account_hold(tx, str_c(new.buyer_id), false)) != SOUK_OK)
		return r;
	r = subscription_find_basis(tx, &new, &basis);
	if (r != SOUK_OK && r != SOUK_E_NOT_FOUND)
		return r;
	if (r == SOUK_E_NOT_FOUND)
		return fail_field(f, "productId", "is no product", "create the product first");
	if (new.seller_id[0] == '\0')
		memcpy(new.seller_id, basis.seller_id, sizeof(new.seller_id));
	if (new.created_at == 0)
		new.created_at = db_now(tx);
	if (new.starts_at == 0)
		new.starts_at = new.created_at;
	new.active = new.ended_at == 0;
	check_basis(&c, &new, &basis);
	if ((r = c.err) != SOUK_OK || (r = check_state(&new, &basis, f)) != SOUK_OK)
		return r;
	if (guid_is_zero(&new.id))
		new.id = guid_new();
	new.changed_at = new.created_at;
	new.revision = 1;
	if ((r = subscription_insert(tx, &new)) == SOUK_OK && basis.is_services && new.active &&
	    !is_carried_over(tx, &new))
		r = tell_fulfilment(tx, &new);
	if (r == SOUK_OK)
		*sub = new;
	return r;
}

enum souk_err
subscription_change(struct db_tx *tx, const struct tenant_scope *s, struct subscription *sub,
    int64_t seen_revision, struct fail *f)
{
	struct subscription new;
	struct check c = { .f = f };
	int64_t old_revision;
	bool found = false;
	enum souk_err r = scope_operator(s, f);

	if (r != SOUK_OK)
		return r;
	if ((r = lock_subject(tx, &sub->id, sizeof(sub->id))) != SOUK_OK ||
	    (r = subscription_find(tx, &sub->id, &new)) != SOUK_OK)
		return r == SOUK_E_NOT_FOUND ? fail_not_found(f) : r;
	if (seen_revision != 0 && seen_revision != new.revision)
		return fail_revision(f);
	if (!new.active)
		return fail_conflict(f, "subscription_ended", "subscriptionId", "has ended",
		    "make a new subscription");
	check_period(&c, new.starts_at, sub->ends_at);
	if (c.err != SOUK_OK)
		return c.err;
	old_revision = new.revision;
	new.quantity = sub->quantity;
	new.ends_at = sub->ends_at;
	new.changed_at = db_now(tx);
	new.revision = old_revision + 1;
	if ((r = subscription_update(tx, &new, old_revision, &found)) != SOUK_OK)
		return r;
	if (!found)
		return fail_revision(f);
	*sub = new;
	return SOUK_OK;
}

static bool
may_see(const struct tenant_scope *s, const struct subscription *sub)
{
	return scope_sells(s, str_c(sub->seller_id)) || scope_buys(s, str_c(sub->buyer_id));
}

enum souk_err
subscription_get(struct db_tx *tx, const struct tenant_scope *s, const struct guid *id,
    struct arena *mem, struct subscription *ret)
{
	struct subscription sub;
	enum souk_err r = subscription_find(tx, id, &sub);

	(void)mem; /* every slice is a literal */
	if (r != SOUK_OK)
		return r;
	if (!may_see(s, &sub))
		return SOUK_E_NOT_FOUND;
	*ret = sub;
	return SOUK_OK;
}

static size_t
emit(struct db_stmt *st, struct jw *out, void *key)
{
	struct subscription s;

	subscription_row(st, &s);
	subscription_json(&s, out, NULL);
	memcpy(key, &s.id, sizeof(s.id));
	return sizeof(s.id);
}

/*
 * The rows of a filter within the scope; NULL when there can be none. A seller who also
 * buys has two views: as seller of its products, as buyer of others'.
 */
static struct db_stmt *
rows(struct db_tx *tx, const struct tenant_scope *s, const struct subscription_filter *q,
    const struct guid *after, size_t limit)
{
	struct str own = tenant_account(s);
	struct subscription_filter sold = *q, bought = *q;
	bool as_seller, as_buyer;

	if (tenant_is_operator(s))
		return subscription_rows(tx, q, after, limit);
	as_seller = tenant_is_seller(s) && (q->seller_id.n == 0 || scope_is(s, q->seller_id));
	as_buyer = tenant_is_buyer(s) && (q->buyer_id.n == 0 || scope_is(s, q->buyer_id));
	if (own.n == 0 || (!as_seller && !as_buyer))
		return NULL;
	if (as_seller && as_buyer && q->seller_id.n == 0 && q->buyer_id.n == 0)
		return subscription_rows_both(tx, own, q, after, limit);
	sold.seller_id = own;
	bought.buyer_id = own;
	/* With one side given as its own, that view holds all of the other's. */
	if (as_seller && (!as_buyer || q->seller_id.n > 0))
		return subscription_rows(tx, &sold, after, limit);
	return subscription_rows(tx, &bought, after, limit);
}

enum souk_err
subscription_list(struct db_tx *tx, const struct tenant_scope *s,
    const struct subscription_filter *q, struct page *p, struct arena *mem, struct jw *out,
    struct fail *f)
{
	struct guid after;
	struct db_stmt *st;
	enum souk_err r;

	if ((r = page_begin_guid(p, &after, f)) != SOUK_OK)
		return r;
	st = rows(tx, s, q, &after, p->limit + 1);
	if (st)
		return page_rows(p, st, emit, mem, out);
	p->next = STR("");
	return SOUK_OK;
}

enum souk_err
subscription_lapsed(
    struct db_tx *tx, const struct tenant_scope *s, size_t max, struct guid *ret_ids, size_t *ret_n)
{
	struct db_stmt *st;
	size_t n = 0;
	bool row = false;
	enum souk_err r = SOUK_OK;

	if (!tenant_is_operator(s))
		return SOUK_E_DENIED;
	st = subscription_ids_lapsed(tx, db_now(tx), max);
	while ((r = db_step(st, &row)) == SOUK_OK && row)
		ret_ids[n++] = db_guid(st, 0);
	if (r == SOUK_OK)
		*ret_n = n;
	return r;
}

enum souk_err
subscription_mark_ended(struct db_tx *tx, const struct tenant_scope *s, struct subscription *sub,
    instant_t at, bool *ret_already)
{
	struct subscription new;
	struct product_standing p;
	bool found = false;
	int64_t old_revision;
	enum souk_err r = subscription_find(tx, &sub->id, &new);

	if (r != SOUK_OK)
		return r;
	if (!may_see(s, &new))
		return SOUK_E_NOT_FOUND;
	if (!scope_buys(s, str_c(new.buyer_id)))
		return SOUK_E_DENIED;
	if (new.active) {
		old_revision = new.revision;
		new.active = false;
		new.ended_at = at;
		new.changed_at = db_now(tx);
		new.revision = old_revision + 1;
		r = subscription_update(tx, &new, old_revision, &found);
		if (r == SOUK_OK && !found)
			r = SOUK_E_UNAVAILABLE; /* somebody was faster: run again */
		if (r == SOUK_OK &&
		    (r = product_find_standing(tx, &new.product_id, &p)) == SOUK_OK &&
		    str_eq_c(p.type, "services"))
			r = tell_fulfilment(tx, &new);
	}
	if (r != SOUK_OK)
		return r;
	*ret_already = !found;
	*sub = new;
	return SOUK_OK;
}

void
subscription_json(const struct subscription *s, struct jw *out, const char *key)
{
	jw_open(out, key, '{');
	jw_guid(out, "subscriptionId", &s->id);
	jw_c(out, "sellerId", s->seller_id);
	jw_guid(out, "productId", &s->product_id);
	if (guid_is_zero(&s->offer_id))
		jw_null(out, "offerId");
	else
		jw_guid(out, "offerId", &s->offer_id);
	jw_c(out, "buyerId", s->buyer_id);
	jw_str(out, "kind", s->kind);
	jw_int(out, "quantity", s->quantity);
	jw_instant(out, "startsAt", s->starts_at);
	json_instant_opt(out, "trialEndsAt", s->trial_ends_at);
	json_instant_opt(out, "endsAt", s->ends_at);
	json_instant_opt(out, "endedAt", s->ended_at);
	jw_c(out, "state", s->active ? "active" : "ended");
	jw_instant(out, "createdAt", s->created_at);
	jw_instant(out, "changedAt", s->changed_at);
	jw_int(out, "revision", s->revision);
	jw_close(out, '}');
}
