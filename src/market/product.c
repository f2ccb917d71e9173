/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Products: form, the PSC switch, who may see them.
 *
 * psc_enabled decides whether buyers' contacts leave for the seller; it is on only for
 * what psc 11 lets in, and since when is this file's to say.
 */
#include "market/product.h"

#include "base/email.h"
#include "market/account.h"
#include "market/check.h"
#include "market/dimension.h"
#include "market/market_store.h"
#include "market/scope.h"

#include <stdio.h>

#define CODE_ALPHABET "abcdefghijklmnopqrstuvwxyz0123456789"
#define URL_MAX 2048

static const char *const types[] = { "ami", "container", "saas", "data", "ml", "services", NULL };
static const char *const states[] = { "draft", "limited", "public", "restricted", NULL };
static const char *const pricings[] = { "hourly", "monthly", "annual", "metered", "contract",
	"free", "byol", NULL };
#define PRICINGS_MAX 7

enum {
	M_ID,
	M_SELLER,
	M_CODE,
	M_TITLE,
	M_TYPE,
	M_PRICING,
	M_DIMENSIONS,
	M_SOLUTION,
	M_SOLUTION_TITLE,
	M_EMAIL,
	M_PHONE,
	M_URL,
	M_PSC,
	M_STATE,
	M__COUNT
};

struct str
pricing_word(struct str s)
{
	return word_find(pricings, s);
}

bool
pricing_has(struct str pricing, struct str kind)
{
	/* The text is ours (check_pricing): words without escapes, so a quoted one is a member. */
	char quoted[16];

	if (kind.n == 0 || kind.n > sizeof(quoted) - 2 || pricing.n == 0)
		return false;
	quoted[0] = quoted[kind.n + 1] = '"';
	memcpy(quoted + 1, kind.p, kind.n);
	return memmem(pricing.p, pricing.n, quoted, kind.n + 2) != NULL;
}

struct str
product_type_word(struct str s)
{
	return word_find(types, s);
}

static void
check_code(struct check *c, const struct json_member *m, char io[static PRODUCT_CODE_LEN + 1])
{
	struct str s = json_member_str(m);
	bool ok = s.n == PRODUCT_CODE_LEN;

	if (!m->got)
		return;
	for (size_t i = 0; ok && i < s.n; i++)
		ok = memchr(CODE_ALPHABET, s.p[i], sizeof(CODE_ALPHABET) - 1) != NULL;
	if (!ok) {
		check_fail(c, m->name, "is no product code",
		    "give 25 lower-case letters and digits, or leave it out to get one");
		return;
	}
	memcpy(io, s.p, s.n);
	io[s.n] = '\0';
}

/* Marks the kind that `v` names; false when it is none, or marked already. */
static bool
take_pricing(const json_t *v, bool has[static PRICINGS_MAX])
{
	for (size_t k = 0; k < PRICINGS_MAX; k++)
		if (json_is_string(v) && strcmp(json_string_value(v), pricings[k]) == 0) {
			if (has[k])
				return false;
			has[k] = true;
			return true;
		}
	return false;
}

/* Pricing kinds, written in the order of the table above and each once. */
static void
check_pricing(struct check *c, const struct json_member *m, struct arena *mem, struct str *io)
{
	bool has[PRICINGS_MAX] = { false };
	char text[128] = "";
	size_t n = m->got ? json_array_size(m->got) : 0, i = 0, len = 0;
	struct str kept;

	if (!m->got)
		return;
	while (i < n && take_pricing(json_array_get(m->got, i), has))
		i++;
	if (i == 0 || i < n) {
		check_fail(c, m->name, "is no list of kinds of pricing",
		    "give one or more of hourly, monthly, annual, metered, contract, free, byol, "
		    "each once");
		return;
	}
	for (size_t k = 0; k < PRICINGS_MAX; k++)
		if (has[k])
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s\"%s\"",
			    len > 0 ? "," : "[", pricings[k]);
	(void)snprintf(text + len, sizeof(text) - len, "]");
	kept = arena_str(mem, str_c(text));
	if (kept.p)
		*io = kept;
	else
		c->err = SOUK_E_NOMEM;
}

static bool
port_ok(struct str s)
{
	uint64_t port;

	return str_to_u64(s, 65535, &port) && port > 0;
}

/* https, a host name, perhaps a port, then visible ASCII: a link that buyers are shown. */
static bool
url_plausible(struct str s)
{
	struct str rest, host;

	if (s.n > URL_MAX || s.n < 8 || !str_eq_nocase((struct str){ s.p, 8 }, STR("https://")))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~' || strchr("<>\"{}|\\^`", s.p[i]))
			return false;
	rest = host = (struct str){ s.p + 8, s.n - 8 };
	for (host.n = 0; host.n < rest.n && !strchr("/?#", host.p[host.n]);)
		host.n++;
	rest = host;
	if (memchr(host.p, ':', host.n)) {
		if (!str_split(&rest, ':', &host) || !port_ok(rest))
			return false;
	}
	return domain_plausible(host, NULL);
}

static void
check_plausible(struct check *c, const struct json_member *m, bool (*plausible)(struct str),
    const char *what, const char *fix, struct str *io)
{
	struct str s = json_member_str(m);

	if (m->got_null || (m->got && s.n == 0))
		*io = STR("");
	else if (m->got && plausible(s))
		*io = s;
	else if (m->got)
		check_fail(c, m->name, what, fix);
}

static void
check_support(struct check *c, const struct json_member *m, struct product *io)
{
	check_plausible(c, &m[M_EMAIL], email_plausible, "is no usable e-mail address",
	    "give one like support@example.com", &io->support_email);
	check_plausible(c, &m[M_PHONE], phone_plausible, "is no usable telephone number",
	    "give at most 25 characters like +1 202 555 0100 x12", &io->support_phone);
	check_plausible(c, &m[M_URL], url_plausible, "is no usable address of a web page",
	    "give one like https://example.com/support", &io->support_url);
}

/* psc 11: PSC-Q2 a way to reach support, PSC-Q11 only AMI-based products. */
static void
check_psc(struct check *c, const struct product *p)
{
	if (!p->psc_enabled)
		return;
	if (!str_eq_c(p->type, "ami"))
		check_fail(c, "pscEnabled", "is true for a product that is no ami",
		    "set it to false, or type to ami");
	if (p->support_email.n == 0 && p->support_phone.n == 0 && p->support_url.n == 0)
		check_fail(c, "supportEmail", "is missing, and so are supportPhone and supportUrl",
		    "give a way to reach support, or set pscEnabled to false");
}

enum souk_err
product_parse(const json_t *o, const struct product *base, struct arena *mem, struct product *ret,
    struct fail *f)
{
	bool new = base == NULL;
	struct json_member m[M__COUNT] = {
		[M_ID] = { .name = "productId", .kind = JSON_K_STR },
		[M_SELLER] = { .name = "sellerId", .kind = JSON_K_STR, .required = new },
		[M_CODE] = { .name = "productCode", .kind = JSON_K_STR },
		[M_TITLE] = { .name = "title", .kind = JSON_K_STR, .required = new },
		[M_TYPE] = { .name = "type", .kind = JSON_K_STR, .required = new },
		[M_PRICING] = { .name = "pricing", .kind = JSON_K_ARR, .required = new },
		[M_DIMENSIONS] = { .name = "dimensions", .kind = JSON_K_ARR, .nullable = true },
		[M_SOLUTION] = { .name = "solutionId", .kind = JSON_K_STR, .nullable = true },
		[M_SOLUTION_TITLE] = { .name = "solutionTitle",
		    .kind = JSON_K_STR,
		    .nullable = true },
		[M_EMAIL] = { .name = "supportEmail", .kind = JSON_K_STR, .nullable = true },
		[M_PHONE] = { .name = "supportPhone", .kind = JSON_K_STR, .nullable = true },
		[M_URL] = { .name = "supportUrl", .kind = JSON_K_STR, .nullable = true },
		[M_PSC] = { .name = "pscEnabled", .kind = JSON_K_BOOL },
		[M_STATE] = { .name = "state", .kind = JSON_K_STR },
	};
	struct product p = { .state = STR("draft"),
		.suspended = STR(""),
		.dimensions = STR(""),
		.solution_id = STR(""),
		.solution_title = STR("") };
	struct check c = { .f = f };

	if (base)
		p = *base;
	c.err = json_take(o, m, M__COUNT, f);
	check_guid(&c, &m[M_ID], &p.id);
	check_account_id(&c, &m[M_SELLER], p.seller_id);
	check_code(&c, &m[M_CODE], p.code);
	check_fixed(&c, "productId", new || guid_eq(&p.id, &base->id));
	check_fixed(&c, "sellerId", new || strcmp(p.seller_id, base->seller_id) == 0);
	check_fixed(&c, "productCode", new || strcmp(p.code, base->code) == 0);
	check_text(&c, &m[M_TITLE], 1, 255, &p.title);
	check_word(&c, &m[M_TYPE], types, &p.type);
	check_pricing(&c, &m[M_PRICING], mem, &p.pricing);
	check_dimensions(&c, &m[M_DIMENSIONS], mem, &p.dimensions);
	check_text(&c, &m[M_SOLUTION], 0, SOLUTION_ID_MAX, &p.solution_id);
	check_text(&c, &m[M_SOLUTION_TITLE], 0, 255, &p.solution_title);
	check_support(&c, m, &p);
	check_bool(&m[M_PSC], &p.psc_enabled);
	check_word(&c, &m[M_STATE], states, &p.state);
	if (c.err == SOUK_OK)
		check_psc(&c, &p);
	if (c.err == SOUK_OK && (p.solution_id.n == 0) != (p.solution_title.n == 0))
		check_fail(&c, p.solution_id.n == 0 ? "solutionId" : "solutionTitle",
		    "is missing beside the other", "give both, or null for both");
	if (c.err == SOUK_OK)
		*ret = p;
	return c.err;
}

static enum souk_err
check_seller(struct db_tx *tx, const char *seller_id, struct fail *f)
{
	struct account_roles account = { 0 };
	bool found = false;
	enum souk_err r = account_find_roles(tx, str_c(seller_id), &found, &account);

	if (r != SOUK_OK || account.is_seller)
		return r;
	return fail_field(
	    f, "sellerId", "is no seller's account", "create the account first, with seller true");
}

static enum souk_err
check_free(struct db_tx *tx, const struct product *p, struct fail *f)
{
	bool taken = false;
	enum souk_err r = product_taken(tx, p, &taken);

	if (r == SOUK_OK && taken)
		return fail_conflict(f, "product_exists", "productCode",
		    "or productId belongs to a product already",
		    "change that product, or give others");
	return r;
}

enum souk_err
product_create(struct db_tx *tx, const struct tenant_scope *s, struct product *p, struct fail *f)
{
	struct product new = *p;
	struct check c = { .f = f };
	enum souk_err r = scope_operator(s, f);

	if (r != SOUK_OK)
		return r;
	check_psc(&c, &new);
	if (guid_is_zero(&new.id))
		new.id = guid_new();
	if (new.code[0] == '\0')
		random_text(new.code, PRODUCT_CODE_LEN, CODE_ALPHABET);
	/* Codes are one name space for all sellers, which no constraint of a distributed table can keep. */
	if ((r = c.err) != SOUK_OK ||
	    (r = lock_subject(tx, new.code, strlen(new.code))) != SOUK_OK ||
	    (r = lock_owner(tx, str_c(new.seller_id))) != SOUK_OK ||
	    (r = check_seller(tx, new.seller_id, f)) != SOUK_OK)
		return r;
	if ((r = check_free(tx, &new, f)) != SOUK_OK)
		return r;
	if (new.created_at == 0)
		new.created_at = db_now(tx);
	if (!new.psc_enabled)
		new.psc_enabled_since = 0;
	else if (new.psc_enabled_since == 0)
		new.psc_enabled_since = new.created_at;
	new.changed_at = new.created_at;
	new.revision = 1;
	if ((r = product_insert(tx, &new)) == SOUK_OK)
		*p = new;
	return r;
}

/* Subscriptions and exports lean on what a published product is. */
static enum souk_err
check_published(const struct product *p, const struct product_standing *old, struct fail *f)
{
	if (old->is_draft)
		return SOUK_OK;
	if (str_eq_c(p->state, "draft"))
		return fail_conflict(f, "product_published", "state", "cannot become draft again",
		    "give limited, public or restricted");
	if (!str_eq(p->type, old->type))
		return fail_conflict(f, "product_published", "type",
		    "cannot change once the product is published", "make another product");
	return SOUK_OK;
}

enum souk_err
product_change(struct db_tx *tx, const struct tenant_scope *s, struct product *p,
    int64_t seen_revision, struct fail *f)
{
	struct product new = *p;
	struct product_standing old;
	struct check c = { .f = f };
	bool found = false;
	enum souk_err r = scope_operator(s, f);

	if (r != SOUK_OK)
		return r;
	/* Found once to know whose it is, and once as it stands while nobody else changes it. */
	if ((r = product_find_standing(tx, &p->id, &old)) != SOUK_OK ||
	    (r = lock_owner(tx, str_c(old.seller_id))) != SOUK_OK ||
	    (r = product_find_standing(tx, &p->id, &old)) != SOUK_OK)
		return r == SOUK_E_NOT_FOUND ? fail_not_found(f) : r;
	if (seen_revision != 0 && seen_revision != old.revision)
		return fail_revision(f);
	check_psc(&c, &new);
	if ((r = c.err) != SOUK_OK || (r = check_published(&new, &old, f)) != SOUK_OK)
		return r;
	memcpy(new.seller_id, old.seller_id, sizeof(new.seller_id));
	memcpy(new.code, old.code, sizeof(new.code));
	new.created_at = old.created_at;
	new.changed_at = db_now(tx);
	new.revision = old.revision + 1;
	new.psc_enabled_since = new.psc_enabled ? old.psc_enabled_since : 0;
	if (old.psc_enabled_since == 0 && p->psc_enabled &&
	    (r = enrolment_begins(tx, str_c(new.seller_id), &new.psc_enabled_since)) != SOUK_OK)
		return r;
	if ((r = product_update(tx, &new, old.revision, &found)) != SOUK_OK)
		return r;
	if (!found)
		return fail_revision(f);
	*p = new;
	return SOUK_OK;
}

enum souk_err
product_set_suspended(struct db_tx *tx, const struct tenant_scope *s, const struct guid *id,
    struct str reason, struct fail *f)
{
	struct id_owner owner;
	enum souk_err r = scope_operator(s, f);

	if (r != SOUK_OK)
		return r;
	if ((r = id_owner_find(tx, ID_PRODUCT, id, &owner)) != SOUK_OK)
		return r == SOUK_E_NOT_FOUND ? fail_not_found(f) : r;
	/* Not in the middle of a character. */
	if (reason.n > SUSPENDED_MAX)
		for (reason.n = SUSPENDED_MAX;
		     reason.n > 0 && ((unsigned char)reason.p[reason.n] & 0xc0) == 0x80;)
			reason.n--;
	return product_update_suspended(tx, str_c(owner.seller_id), id, reason);
}

static enum souk_err
may_see(struct db_tx *tx, const struct tenant_scope *s, const struct product *p, bool *ret)
{
	*ret = scope_sells(s, str_c(p->seller_id)) ||
	       (tenant_is_buyer(s) && str_eq_c(p->state, "public"));
	if (*ret || !tenant_is_buyer(s))
		return SOUK_OK;
	return product_bought_by(tx, p, tenant_account(s), ret);
}

enum souk_err
product_get(struct db_tx *tx, const struct tenant_scope *s, const struct guid *id,
    struct arena *mem, struct product *ret)
{
	struct product p;
	bool seen = false;
	enum souk_err r;

	if ((r = product_find(tx, id, mem, &p)) != SOUK_OK ||
	    (r = may_see(tx, s, &p, &seen)) != SOUK_OK)
		return r;
	if (!seen)
		return SOUK_E_NOT_FOUND;
	*ret = p;
	return SOUK_OK;
}

static size_t
emit(struct db_stmt *st, struct jw *out, void *key)
{
	struct product p;

	product_row(st, &p);
	product_json(&p, out, NULL);
	memcpy(key, &p.id, sizeof(p.id));
	return sizeof(p.id);
}

/* The rows that the scope may list; NULL when there can be none. */
static struct db_stmt *
rows(struct db_tx *tx, const struct tenant_scope *s, struct str seller_id, const struct guid *after,
    size_t limit)
{
	struct str own = tenant_is_seller(s) ? tenant_account(s) : STR("");

	if (seller_id.n > 0) {
		bool sells = scope_sells(s, seller_id);

		return sells || tenant_is_buyer(s)
			   ? product_rows_of(tx, seller_id, !sells, after, limit)
			   : NULL;
	}
	if (tenant_is_operator(s))
		return product_rows_all(tx, after, limit);
	if (tenant_is_buyer(s))
		return product_rows_public(tx, own, after, limit);
	return own.n > 0 ? product_rows_of(tx, own, false, after, limit) : NULL;
}

enum souk_err
product_list(struct db_tx *tx, const struct tenant_scope *s, struct str seller_id, struct page *p,
    struct arena *mem, struct jw *out, struct fail *f)
{
	struct guid after;
	struct db_stmt *st;
	enum souk_err r;

	if ((r = page_begin_guid(p, &after, f)) != SOUK_OK)
		return r;
	st = rows(tx, s, seller_id, &after, p->limit + 1);
	if (st)
		return page_rows(p, st, emit, mem, out);
	p->next = STR("");
	return SOUK_OK;
}

void
product_json(const struct product *p, struct jw *out, const char *key)
{
	jw_open(out, key, '{');
	jw_guid(out, "productId", &p->id);
	jw_c(out, "sellerId", p->seller_id);
	jw_c(out, "productCode", p->code);
	jw_str(out, "title", p->title);
	jw_str(out, "type", p->type);
	jw_raw(out, "pricing", p->pricing);
	jw_raw(out, "dimensions", p->dimensions.n > 0 ? p->dimensions : STR("[]"));
	json_text_opt(out, "solutionId", p->solution_id);
	json_text_opt(out, "solutionTitle", p->solution_title);
	jw_str(out, "supportEmail", p->support_email);
	jw_str(out, "supportPhone", p->support_phone);
	jw_str(out, "supportUrl", p->support_url);
	jw_bool(out, "pscEnabled", p->psc_enabled);
	json_instant_opt(out, "pscEnabledSince", p->psc_enabled_since);
	jw_str(out, "state", p->state);
	json_text_opt(out, "suspended", p->suspended);
	jw_instant(out, "createdAt", p->created_at);
	jw_instant(out, "changedAt", p->changed_at);
	jw_int(out, "revision", p->revision);
	jw_close(out, '}');
}
