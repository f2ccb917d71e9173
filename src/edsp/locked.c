/* SPDX-License-Identifier: Apache-2.0 */
/* Locked runs and what is owed beside them; see locked.h. */
#include "edsp/locked.h"

#include "base/array.h"
#include "base/digest.h"
#include "base/json.h"

#include <stdlib.h>

/* ---- digests ---- */

static void
digest_text(struct sha256_ctx *c, struct str s)
{
	uint8_t n[4] = { (uint8_t)(s.n >> 24), (uint8_t)(s.n >> 16), (uint8_t)(s.n >> 8),
		(uint8_t)s.n };

	sha256_update(c, sizeof(n), n);
	sha256_update(c, s.n, (const uint8_t *)s.p);
}

static void
digest_money(struct sha256_ctx *c, money_t m)
{
	char text[MONEY_TEXT_SIZE];

	digest_text(c, (struct str){ text, money_format(m, MONEY_DECIMALS, text) });
}

static void
digest_number(struct sha256_ctx *c, int64_t v)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%lld", (long long)v);
	digest_text(c, str_c(text));
}

static void
digest_end(struct sha256_ctx *c, char out[DIGEST_TEXT_SIZE])
{
	uint8_t bytes[SHA256_LEN];

	sha256_digest(c, sizeof(bytes), bytes);
	hex_encode(bytes, sizeof(bytes), out);
}

static void
digest_amounts(struct sha256_ctx *c, const struct line_amounts *a)
{
	const money_t all[] = { a->gross, a->fee, a->refund, a->fee_refund, a->credit,
		a->fee_credit };

	for (size_t i = 0; i < 6; i++)
		digest_money(c, all[i]);
}

void
lines_digest(const struct commission_line *lines, size_t n, char out[DIGEST_TEXT_SIZE])
{
	struct sha256_ctx c;

	sha256_init(&c);
	for (size_t i = 0; i < n; i++) {
		const struct commission_line *l = &lines[i];
		const struct str texts[] = { l->transaction, l->payer_number, l->country, l->state,
			l->city, l->postal_code, l->email_domain, l->company, l->product_id,
			l->product_code, l->end_user, l->currency };

		for (size_t k = 0; k < sizeof(texts) / sizeof(texts[0]); k++)
			digest_text(&c, texts[k]);
		digest_number(&c, l->invoice_date);
		digest_number(&c, l->kind);
		digest_amounts(&c, &l->billed);
		for (size_t k = 0; k < l->n_payouts; k++) {
			digest_number(&c, l->payouts[k].date);
			digest_amounts(&c, &l->payouts[k].amounts);
		}
	}
	digest_end(&c, out);
}

void
text_digest(struct str text, char out[DIGEST_TEXT_SIZE])
{
	struct sha256_ctx c;

	sha256_init(&c);
	sha256_update(&c, text.n, (const uint8_t *)text.p);
	digest_end(&c, out);
}

static void
digest_run(struct sha256_ctx *c, const struct locked_run *r)
{
	digest_text(c, STR("souk-locked-run-1"));
	digest_number(c, r->months.from);
	digest_number(c, r->months.until);
	digest_text(c, r->seller);
	digest_text(c, r->known_at);
	digest_text(c, r->variant);
	digest_text(c, r->plan_digest);
	digest_text(c, r->lines_digest);
	for (size_t i = 0; i < r->n_amounts; i++) {
		const struct locked_amount *a = &r->amounts[i];

		digest_text(c, a->representative_id);
		digest_number(c, a->month);
		digest_text(c, a->transaction);
		digest_text(c, a->product_id);
		digest_text(c, a->end_user);
		digest_text(c, a->currency);
		digest_number(c, a->part * 2 + a->overlay);
		digest_money(c, a->amount);
	}
}

void
run_digest(const struct locked_run *r, char out[DIGEST_TEXT_SIZE])
{
	struct sha256_ctx c;

	sha256_init(&c);
	digest_run(&c, r);
	digest_end(&c, out);
}

static void
whole_digest(const struct locked_run *r, char out[DIGEST_TEXT_SIZE])
{
	struct sha256_ctx c;

	sha256_init(&c);
	digest_run(&c, r);
	digest_text(&c, r->approved_by);
	digest_end(&c, out);
}

/* ---- the file ---- */

static void
write_amount(struct jw *w, const struct locked_amount *a)
{
	char month[MONTH_TEXT_SIZE], money[MONEY_TEXT_SIZE];

	month_format(a->month, month);
	jw_open(w, NULL, '{');
	jw_str(w, "representative", a->representative_id);
	jw_c(w, "month", month);
	jw_str(w, "transaction", a->transaction);
	jw_str(w, "product", a->product_id);
	jw_str(w, "endUser", a->end_user);
	jw_str(w, "currency", a->currency);
	jw_c(w, "part", commission_part_words[a->part]);
	jw_bool(w, "overlay", a->overlay);
	jw_str(w, "amount", (struct str){ money, money_format_exact(a->amount, 2, money) });
	jw_close(w, '}');
}

void
locked_write(const struct locked_run *r, struct buf *out)
{
	char from[MONTH_TEXT_SIZE], until[MONTH_TEXT_SIZE], digest[DIGEST_TEXT_SIZE];
	struct jw w;

	month_format(r->months.from, from);
	month_format(r->months.until, until);
	jw_init(&w, out);
	jw_open(&w, NULL, '{');
	jw_c(&w, "schema", "souk-locked-run-1");
	jw_c(&w, "from", from);
	jw_c(&w, "until", until);
	jw_str(&w, "seller", r->seller);
	jw_str(&w, "knownAt", r->known_at);
	jw_str(&w, "variant", r->variant);
	jw_str(&w, "planDigest", r->plan_digest);
	jw_str(&w, "linesDigest", r->lines_digest);
	jw_str(&w, "approvedBy", r->approved_by);
	jw_open(&w, "amounts", '[');
	for (size_t i = 0; i < r->n_amounts; i++) {
		buf_add_char(out, '\n');
		write_amount(&w, &r->amounts[i]);
	}
	jw_close(&w, ']');
	run_digest(r, digest);
	jw_c(&w, "runDigest", digest);
	whole_digest(r, digest);
	jw_c(&w, "digest", digest);
	jw_close(&w, '}');
	buf_add_char(out, '\n');
}

struct reading {
	struct arena *a;
	bool good, out_of_memory;
};

static struct str
take_text(struct reading *rd, const json_t *o, const char *name)
{
	const json_t *v = json_object_get(o, name);
	struct str s = { "", 0 };

	if (!json_is_string(v)) {
		rd->good = false;
		return s;
	}
	s = arena_str(rd->a, (struct str){ json_string_value(v), json_string_length(v) });
	rd->out_of_memory |= s.p == NULL;
	return s;
}

static int32_t
take_month(struct reading *rd, const json_t *o, const char *name)
{
	int32_t month = 0;

	if (!month_parse(take_text(rd, o, name), &month))
		rd->good = false;
	return month;
}

static void
take_amount(struct reading *rd, const json_t *o, struct locked_amount *a)
{
	struct str part = take_text(rd, o, "part");
	unsigned k = 0;

	while (k < PART__COUNT && !str_eq_c(part, commission_part_words[k]))
		k++;
	rd->good &= k < PART__COUNT && json_is_boolean(json_object_get(o, "overlay"));
	a->part = (uint8_t)k;
	a->overlay = json_is_true(json_object_get(o, "overlay"));
	a->representative_id = take_text(rd, o, "representative");
	a->month = take_month(rd, o, "month");
	a->transaction = take_text(rd, o, "transaction");
	a->product_id = take_text(rd, o, "product");
	a->end_user = take_text(rd, o, "endUser");
	a->currency = take_text(rd, o, "currency");
	rd->good &= money_parse(take_text(rd, o, "amount"), &a->amount) == MONEY_OK;
}

static void
take_run(struct reading *rd, const json_t *o, struct locked_run *r)
{
	const json_t *amounts = json_object_get(o, "amounts");

	rd->good =
	    str_eq_c(take_text(rd, o, "schema"), "souk-locked-run-1") && json_is_array(amounts);
	r->months.from = take_month(rd, o, "from");
	r->months.until = take_month(rd, o, "until");
	r->seller = take_text(rd, o, "seller");
	r->known_at = take_text(rd, o, "knownAt");
	r->variant = take_text(rd, o, "variant");
	r->plan_digest = take_text(rd, o, "planDigest");
	r->lines_digest = take_text(rd, o, "linesDigest");
	r->approved_by = take_text(rd, o, "approvedBy");
	r->run_digest = take_text(rd, o, "runDigest");
	r->digest = take_text(rd, o, "digest");
	r->n_amounts = json_array_size(amounts);
	r->amounts = arena_array(rd->a, r->n_amounts + 1, sizeof(*r->amounts));
	if (r->amounts == NULL)
		rd->out_of_memory = true;
	for (size_t i = 0; i < r->n_amounts && rd->good && !rd->out_of_memory; i++)
		take_amount(rd, json_array_get(amounts, i), &r->amounts[i]);
}

enum souk_err
locked_read(struct str json, struct arena *a, struct locked_run *ret, struct fail *f)
{
	struct reading rd = { .a = a };
	struct locked_run r = { 0 };
	char digest[DIGEST_TEXT_SIZE];
	json_t *root = NULL;
	struct fail ignored = { 0 };

	if (json_read(json, &root, &ignored) == SOUK_OK)
		take_run(&rd, root, &r);
	json_decref(root);
	if (rd.out_of_memory)
		return fail_set(
		    f, SOUK_E_NOMEM, "locked_run", "a locked run does not fit into memory");
	if (!rd.good)
		return fail_field(
		    f, "--locked", "is no locked run", "name a file that --lock wrote");
	whole_digest(&r, digest);
	if (!str_eq_c(r.digest, digest))
		return fail_field(f, "--locked", "was changed after it was locked",
		    "take the file as it was written from a backup");
	*ret = r;
	return SOUK_OK;
}

/* ---- what is owed ---- */

/* An amount of the fresh run or of a locked one, on its way to be added up with its likes. */
struct due {
	struct locked_amount key; /* amount: unused */
	money_t is, was;
	uint32_t item;
};

struct dues {
	struct due *v;
	size_t n, cap;
};

static int
compare_keys(const struct locked_amount *a, const struct locked_amount *b)
{
	const struct str texts[][2] = { { a->transaction, b->transaction },
		{ a->product_id, b->product_id }, { a->end_user, b->end_user },
		{ a->currency, b->currency } };
	int c = str_compare(a->representative_id, b->representative_id);

	if (c != 0)
		return c;
	if (a->month != b->month)
		return a->month < b->month ? -1 : 1;
	for (size_t i = 0; i < 4; i++)
		if ((c = str_compare(texts[i][0], texts[i][1])) != 0)
			return c;
	if (a->part != b->part)
		return a->part < b->part ? -1 : 1;
	return (int)a->overlay - (int)b->overlay;
}

static int
compare_dues(const void *pa, const void *pb)
{
	const struct due *a = pa, *b = pb;
	int c = compare_keys(&a->key, &b->key);

	return c != 0 ? c : (a->item > b->item) - (a->item < b->item);
}

static bool
add_due(struct dues *d, struct due v)
{
	if (!ARRAY_ROOM(d->v, d->n, d->cap, 256))
		return false;
	d->v[d->n++] = v;
	return true;
}

static bool
in_range(struct month_range r, int32_t month)
{
	return month >= r.from && month <= r.until;
}

static bool
is_locked(const struct locked_run *locked, size_t n, int32_t month)
{
	for (size_t i = 0; i < n; i++)
		if (in_range(locked[i].months, month))
			return true;
	return false;
}

static enum souk_err
gather(const struct commission_run *run, struct month_range months, const struct locked_run *locked,
    size_t n_locked, struct dues *d)
{
	for (size_t i = 0; i < run->n_items; i++) {
		const struct commission_item *item = &run->items[i];
		const struct commission_line *l = &run->lines[item->line];
		int32_t month = plan_period_of(PERIOD_MONTH, item->day);
		struct due v = { { run->plan->representatives[item->representative].id,
				     l->transaction, l->product_id, l->end_user, l->currency, month,
				     item->part, item->overlay, 0 },
			item->commission, 0, (uint32_t)i };

		if ((in_range(months, month) || is_locked(locked, n_locked, month)) &&
		    !add_due(d, v))
			return SOUK_E_NOMEM;
	}
	for (size_t i = 0; i < n_locked; i++)
		for (size_t k = 0; k < locked[i].n_amounts; k++)
			if (!add_due(d, (struct due){ locked[i].amounts[k], 0,
					    locked[i].amounts[k].amount, NO_INDEX }))
				return SOUK_E_NOMEM;
	if (d->n > 0)
		qsort(d->v, d->n, sizeof(*d->v), compare_dues);
	return SOUK_OK;
}

static void
merge(struct dues *d)
{
	size_t n = 0;

	for (size_t i = 0; i < d->n; i++) {
		if (n > 0 && compare_keys(&d->v[n - 1].key, &d->v[i].key) == 0) {
			d->v[n - 1].is += d->v[i].is;
			d->v[n - 1].was += d->v[i].was;
			continue;
		}
		d->v[n++] = d->v[i];
	}
	d->n = n;
}

static enum souk_err
refuse_locked_months(
    struct month_range months, const struct locked_run *locked, size_t n, struct fail *f)
{
	for (size_t i = 0; i < n; i++) {
		if (locked[i].months.from <= months.until && months.from <= locked[i].months.until)
			return fail_field(f, "--month", "is locked already",
			    "run a later month with --locked to adjust it, or simulate without "
			    "--locked");
		for (size_t k = 0; k < i; k++)
			if (locked[i].months.from <= locked[k].months.until &&
			    locked[k].months.from <= locked[i].months.until)
				return fail_field(f, "--locked", "names two runs of one month",
				    "name each locked run once");
	}
	return SOUK_OK;
}

static bool
known_person(const struct plan *p, struct str id)
{
	for (size_t i = 0; i < p->n_representatives; i++)
		if (str_eq(p->representatives[i].id, id))
			return true;
	return false;
}

static enum souk_err
split_dues(const struct commission_run *run, struct month_range months, const struct dues *d,
    struct settlement *out, struct fail *f)
{
	out->amounts = malloc((d->n + 1) * sizeof(*out->amounts));
	out->adjustments = malloc((d->n + 1) * sizeof(*out->adjustments));
	if (out->amounts == NULL || out->adjustments == NULL)
		return fail_set(f, SOUK_E_NOMEM, "settlement", "the run does not fit into memory");
	for (size_t i = 0; i < d->n; i++) {
		const struct due *v = &d->v[i];

		if (v->is == v->was)
			continue;
		out->amounts[out->n_amounts] = v->key;
		out->amounts[out->n_amounts++].amount = v->is - v->was;
		if (in_range(months, v->key.month))
			continue;
		if (!known_person(run->plan, v->key.representative_id))
			return fail_field(f, "/representatives",
			    "lacks a person whom a locked run paid",
			    "keep them in the plan, with `until`");
		out->adjustments[out->n_adjustments++] =
		    (struct adjustment){ v->key.representative_id, v->key.transaction,
			    v->key.product_id, v->key.end_user, v->key.currency, v->key.month,
			    v->key.part, v->key.overlay, v->was, v->is, v->item };
	}
	return SOUK_OK;
}

enum souk_err
settle(const struct commission_run *run, struct month_range months, const struct locked_run *locked,
    size_t n_locked, struct settlement *ret, struct fail *f)
{
	struct dues d = { 0 };
	struct settlement out = { 0 };
	enum souk_err r = refuse_locked_months(months, locked, n_locked, f);

	if (r != SOUK_OK)
		return r;
	r = gather(run, months, locked, n_locked, &d);
	if (r != SOUK_OK)
		(void)fail_set(f, r, "settlement", "the run does not fit into memory");
	merge(&d);
	if (r == SOUK_OK)
		r = split_dues(run, months, &d, &out, f);
	free(d.v);
	if (r == SOUK_OK)
		*ret = out;
	else
		settlement_done(&out);
	return r;
}

void
settlement_done(struct settlement *s)
{
	free(s->amounts);
	free(s->adjustments);
	*s = (struct settlement){ 0 };
}

const struct adjustment *
settlement_of(const struct settlement *s, struct str representative_id, size_t *ret_n)
{
	size_t i = 0, k;

	while (
	    i < s->n_adjustments && !str_eq(s->adjustments[i].representative_id, representative_id))
		i++;
	for (k = i; k < s->n_adjustments &&
		    str_eq(s->adjustments[k].representative_id, representative_id);)
		k++;
	*ret_n = k - i;
	return s->adjustments + i;
}
