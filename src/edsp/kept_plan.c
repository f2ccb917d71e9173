/* SPDX-License-Identifier: Apache-2.0 */
/* Sealing, keeping and opening commission plans; see kept_plan.h. */
#include "edsp/kept_plan.h"

#include "base/country.h"
#include "base/currency.h"
#include "base/secret.h"
#include "edsp/commission_store.h"
#include "edsp/company.h"

#include <stdio.h>
#include <stdlib.h>

#define CHECK_ARENA ((size_t)256 << 20)

/* ---- sealing ---- */

/* What a seal is bound to: no plan opens in another's place, nor as another revision. */
struct context {
	char b[ACCOUNT_ID_LEN + sizeof(struct guid) + 8];
};

static struct context
context_of(struct str seller_id, const struct guid *id, int64_t revision)
{
	struct context c = { { 0 } };
	char *p = c.b;

	if (seller_id.n == ACCOUNT_ID_LEN)
		memcpy(p, seller_id.p, ACCOUNT_ID_LEN);
	p = mempcpy(p + ACCOUNT_ID_LEN, id->b, sizeof(id->b));
	for (size_t i = 0; i < 8; i++)
		p[7 - i] = (char)(uint8_t)((uint64_t)revision >> (8 * i));
	return c;
}

static struct str
bytes_of(const struct context *c)
{
	return (struct str){ c->b, sizeof(c->b) };
}

static enum souk_err
seal_and_put(struct db_tx *tx, struct vault *v, struct str seller_id, struct str text,
    struct str actor, struct plan_row *row)
{
	struct context c = context_of(seller_id, &row->id, row->revision);
	uint8_t *sealed = malloc(text.n + VAULT_OVERHEAD);
	struct wrapped_key wrapped;
	struct data_key key;
	enum souk_err r;

	if (!sealed)
		return SOUK_E_NOMEM;
	vault_key_new(
	    v, (struct str){ (const char *)row->id.b, sizeof(row->id.b) }, &key, &wrapped);
	vault_seal(&key, bytes_of(&c), text.p, text.n, sealed);
	wipe(&key, sizeof(key));
	row->data_key = (struct str){ (const char *)wrapped.b, sizeof(wrapped.b) };
	row->sealed = (struct str){ (const char *)sealed, text.n + VAULT_OVERHEAD };
	r = plan_row_put(tx, seller_id, row, actor);
	free(sealed);
	return r;
}

/* ---- keeping ---- */

/* A plan's faults as fields of a request. */
static enum souk_err
faults_to_fail(const struct plan_faults *faults, const char *prefix, struct fail *f)
{
	char field[sizeof(faults->v->at) + 16];

	for (size_t i = 0; i < faults->n; i++) {
		(void)snprintf(field, sizeof(field), "%s%s", prefix, faults->v[i].at);
		(void)fail_field(
		    f, field[0] != '\0' ? field : "/", faults->v[i].what, faults->v[i].fix);
	}
	if (!f || faults->n_total <= f->n)
		return SOUK_E_INVALID;
	f->n_total = faults->n_total;
	return fail_set(f, SOUK_E_INVALID, f->code,
	    "The plan has %zu faults; the first %zu are told here, the first %d by souk "
	    "commissions "
	    "with the plan in a file.",
	    f->n_total, f->n, PLAN_FAULTS_KEPT);
}

static enum souk_err
load_lists(struct fail *f)
{
	enum souk_err r = country_load(f);

	if (r == SOUK_OK)
		r = currency_load(f);
	return r == SOUK_OK ? company_load(f) : r;
}

static enum souk_err
read_plan(struct str text, struct arena *mem, struct plan *ret, struct plan_faults *faults)
{
	enum souk_err r = plan_read(text, mem, ret, faults);

	return r == SOUK_OK ? plan_check(ret, mem, faults) : r;
}

enum souk_err
kept_plan_check(struct str text, const char *prefix, struct fail *f)
{
	struct arena *mem = arena_new(CHECK_ARENA);
	struct plan_faults faults = { 0 };
	struct plan p;
	enum souk_err r = mem ? load_lists(f) : SOUK_E_NOMEM;

	if (r == SOUK_OK)
		r = read_plan(text, mem, &p, &faults);
	if (r == SOUK_E_INVALID)
		r = faults_to_fail(&faults, prefix, f);
	plan_faults_done(&faults);
	arena_free(mem);
	return r;
}

enum souk_err
kept_plan_put(struct db_tx *tx, struct vault *v, const struct tenant_scope *s, struct str seller_id,
    struct str text, int64_t seen, int64_t *ret_revision, struct fail *f)
{
	struct plan_row row = { .id = guid_new() };
	struct guid old;
	int64_t revision = 0;
	enum souk_err r;

	if ((r = lock_owner(tx, seller_id)) != SOUK_OK)
		return r;
	r = plan_row_newest(tx, seller_id, &old, &revision);
	if (r != SOUK_OK && r != SOUK_E_NOT_FOUND)
		return r;
	if (seen != 0 && seen != revision)
		return fail_set(f, SOUK_E_PRECONDITION, "precondition_failed",
		    "The plan was changed meanwhile.");
	row.revision = revision + 1;
	if ((r = seal_and_put(tx, v, seller_id, text, tenant_actor(s), &row)) == SOUK_OK)
		*ret_revision = row.revision;
	return r;
}

enum souk_err
kept_plan_draft(struct db_tx *tx, struct vault *v, const struct tenant_scope *s,
    struct str seller_id, struct str text, struct guid *ret_id)
{
	struct plan_row row = { .id = guid_new() };
	enum souk_err r = seal_and_put(tx, v, seller_id, text, tenant_actor(s), &row);

	if (r == SOUK_OK)
		*ret_id = row.id;
	return r;
}

enum souk_err
kept_plan_drop(struct db_tx *tx, struct str seller_id, const struct guid *id)
{
	return plan_row_drop(tx, seller_id, id);
}

/* ---- opening ---- */

enum souk_err
kept_plan_newest(struct db_tx *tx, struct str seller_id, struct guid *ret_id, int64_t *ret_revision)
{
	return plan_row_newest(tx, seller_id, ret_id, ret_revision);
}

enum souk_err
kept_plan_text(struct db_tx *tx, struct vault *v, struct str seller_id, const struct guid *id,
    struct arena *mem, struct str *ret)
{
	struct str context = { (const char *)id->b, sizeof(id->b) };
	struct data_key key;
	struct plan_row row;
	struct context c;
	char *text;
	enum souk_err r = plan_row_load(tx, seller_id, id, mem, &row);

	if (r != SOUK_OK)
		return r;
	if (row.sealed.n < VAULT_OVERHEAD)
		return SOUK_E_STORAGE;
	if (!(text = arena_alloc(mem, row.sealed.n - VAULT_OVERHEAD + 1)))
		return SOUK_E_LIMIT;
	if (vault_key_unwrap(v, context, row.data_key, &key) != SOUK_OK)
		return SOUK_E_STORAGE;
	c = context_of(seller_id, id, row.revision);
	r = vault_unseal(&key, bytes_of(&c), row.sealed, (uint8_t *)text);
	wipe(&key, sizeof(key));
	if (r != SOUK_OK)
		return SOUK_E_STORAGE;
	text[row.sealed.n - VAULT_OVERHEAD] = '\0';
	*ret = (struct str){ text, row.sealed.n - VAULT_OVERHEAD };
	return SOUK_OK;
}

enum souk_err
kept_plan_load(struct db_tx *tx, struct vault *v, struct str seller_id, const struct guid *id,
    struct arena *mem, struct plan *ret, struct str *ret_text)
{
	struct plan_faults faults = { 0 };
	struct str text;
	enum souk_err r = load_lists(NULL);

	if (r != SOUK_OK || (r = kept_plan_text(tx, v, seller_id, id, mem, &text)) != SOUK_OK)
		return r;
	r = read_plan(text, mem, ret, &faults);
	plan_faults_done(&faults);
	/* It was a plan when it was kept. */
	if (r == SOUK_E_INVALID)
		r = SOUK_E_STORAGE;
	if (r == SOUK_OK && ret_text)
		*ret_text = text;
	return r;
}

/* ---- rotation ---- */

enum souk_err
kept_plan_rewrap(struct db_tx *tx, struct vault *v, struct buf *cursor, size_t max,
    int64_t *ret_changed, bool *ret_done)
{
	struct guid after = { { 0 } };
	struct wrapped_key fresh;
	struct plan_key k;
	int64_t n = 0;
	enum souk_err r = SOUK_OK;

	if (cursor->n == sizeof(after.b))
		memcpy(after.b, cursor->p, sizeof(after.b));
	for (size_t i = 0; i < max; i++) {
		bool is_new = false;

		if ((r = plan_key_after(tx, &after, &k)) != SOUK_OK ||
		    (r = vault_key_rewrap(v, (struct str){ (const char *)k.id.b, sizeof(k.id.b) },
			 (struct str){ (const char *)k.wrapped, k.n }, &fresh, &is_new)) !=
			SOUK_OK ||
		    (is_new && (r = plan_key_set(tx, &k, &fresh)) != SOUK_OK))
			break;
		n += is_new;
		after = k.id;
	}
	if (r != SOUK_OK && r != SOUK_E_NOT_FOUND)
		return r;
	buf_clear(cursor);
	buf_add(cursor, after.b, sizeof(after.b));
	if (!buf_ok(cursor))
		return SOUK_E_NOMEM;
	*ret_done = r == SOUK_E_NOT_FOUND;
	*ret_changed = n;
	return SOUK_OK;
}
