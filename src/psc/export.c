/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The support data file of one window (specs/psc.md 4, 5, 6).
 *
 * A version row held at the window's end when it was not superseded before it; so "the
 * newest state as of the end" is a filter on rows that come in the file's order already.
 * What was deleted since has no rows but its tombstone, which lies behind the end: it is
 * left out now and reported next time (6 #12).
 */
#include "psc/export.h"

#include "psc/contact_store.h"
#include "psc/export_pipe.h"
#include "psc/export_store.h"

#include <stdlib.h>

struct export_call {
	struct vault *vault;
	struct str seller_id;
	instant_t from, end;
	unsigned threads;
	struct sink *out;
	struct fail *fail;
	struct psc_export_stats stats;
	bool began; /* something was written: not to be run a second time */
};

/*
 * Where each product's part of the window begins. What was enabled (or the seller
 * enrolled) within or after the window had no part in any export before it: everything
 * that holds is news. Returns the earliest.
 */
static instant_t
set_starts(const struct export_call *x, instant_t enrolled, struct export_product *p, size_t n)
{
	instant_t least = x->from;

	for (size_t i = 0; i < n; i++) {
		p[i].from = p[i].since >= x->from || enrolled >= x->from ? INSTANT_MIN : x->from;
		least = p[i].from < least ? p[i].from : least;
	}
	return least;
}

static int
by_id(const void *key, const void *product)
{
	return guid_cmp(key, &((const struct export_product *)product)->id);
}

/* `*last` is the one found before: neighbours are often of one product. */
static const struct export_product *
find_product(const struct export_product *all, size_t n, const struct guid *id,
    const struct export_product **last)
{
	const struct export_product *p = *last;

	if (p && guid_eq(&p->id, id))
		return p;
	p = bsearch(id, all, n, sizeof(*all), by_id);
	if (p)
		*last = p;
	return p;
}

static void
row_of(const struct export_version *v, const struct export_product *p, struct export_row *ret)
{
	ret->product = &p->prefix;
	ret->contact_id = v->contact_id;
	ret->subscription_id = v->subscription_id;
	ret->subscription_start = v->subscription_start;
	ret->operation_time = v->operation_time;
	memcpy(ret->buyer_id, v->buyer_id.p,
	    v->buyer_id.n < ACCOUNT_ID_LEN ? v->buyer_id.n : ACCOUNT_ID_LEN);
	ret->op = v->operation == CONTACT_DELETE ? EXPORT_DELETE
		  : v->created_at >= p->from     ? EXPORT_CREATE
						 : EXPORT_UPDATE;
}

static void
count(struct psc_export_stats *s, enum export_op op)
{
	int64_t *const counts[] = { &s->rows_create, &s->rows_update, &s->rows_delete };

	++*counts[op];
}

static enum souk_err
scan(struct export_call *x, struct db_tx *tx, struct export_pipe *pipe, instant_t from,
    const struct export_product *products, size_t n_products)
{
	struct db_stmt *st = export_store_scan(tx, x->seller_id, from, x->end);
	const struct export_product *p = NULL, *last = NULL;
	struct export_version v;
	struct export_row row = { 0 };
	enum souk_err err, ended;
	bool more;

	while ((err = db_step(st, &more)) == SOUK_OK && more) {
		export_store_read(st, &v);
		p = find_product(products, n_products, &v.product_id, &last);
		if (!p || v.operation_time < p->from)
			continue;
		row_of(&v, p, &row);
		if ((err = export_pipe_add(pipe, &row, v.wrapped, v.sealed)) != SOUK_OK)
			break;
		count(&x->stats, row.op);
	}
	db_reset(st);
	ended = export_pipe_end(pipe);
	return err != SOUK_OK ? err : ended;
}

static enum souk_err
fail_damaged(struct fail *f, const struct guid *contact_id, enum souk_err err)
{
	char id[GUID_TEXT_LEN + 1];

	if (!contact_id)
		return err;
	guid_format(contact_id, id);
	return fail_set(f, SOUK_E_STORAGE, "damaged_contact",
	    "The record of contact %s cannot be opened: it is damaged, or of another key ring.",
	    id);
}

static enum souk_err
write_rows(struct export_call *x, struct db_tx *tx, instant_t enrolled,
    struct export_product *products, size_t n)
{
	struct export_pipe *pipe = NULL;
	instant_t from = set_starts(x, enrolled, products, n);
	enum souk_err err = export_pipe_new(x->vault, x->seller_id, x->out, x->threads, &pipe);

	if (err == SOUK_OK && (err = scan(x, tx, pipe, from, products, n)) != SOUK_OK)
		err = fail_damaged(x->fail, export_pipe_damaged(pipe), err);
	export_pipe_free(pipe);
	return err;
}

static const char *
why_empty(const struct export_call *x, size_t n_products)
{
	const struct psc_export_stats *s = &x->stats;

	if (s->rows_create + s->rows_update + s->rows_delete > 0)
		return NULL;
	if (x->from >= x->end)
		return "fromDate is not before the coverage end";
	if (n_products == 0)
		return "no product was enabled for Product Support Connection at the coverage end";
	return "no contact was created, changed or deleted in the window";
}

static enum souk_err
export_tx(struct db_tx *tx, void *arg)
{
	struct export_call *x = arg;
	struct export_product *products = NULL;
	instant_t enrolled = 0;
	size_t n = 0;
	enum souk_err err;

	if (x->began)
		return SOUK_E_UNAVAILABLE;
	err = export_store_enrolment(tx, x->seller_id, &enrolled);
	if (err == SOUK_E_NOT_FOUND)
		return fail_set(x->fail, SOUK_E_DENIED, "not_enrolled",
		    "The seller is not enrolled in Product Support Connection.");
	if (err != SOUK_OK ||
	    (err = export_store_products(tx, x->seller_id, x->end, &products, &n)) != SOUK_OK)
		return err;
	x->began = true;
	err = x->out->write(x->out, export_header.p, export_header.n);
	if (err == SOUK_OK && x->from < x->end && n > 0)
		err = write_rows(x, tx, enrolled, products, n);
	if (err == SOUK_OK)
		x->stats.empty_reason = why_empty(x, n);
	free(products);
	return err;
}

enum souk_err
psc_export_write(struct db *db, struct vault *v, struct str seller_id, instant_t from,
    instant_t end, unsigned threads, struct sink *out, struct psc_export_stats *ret, struct fail *f)
{
	struct fail words = { 0 };
	struct export_call x = { .vault = v,
		.seller_id = seller_id,
		.from = from,
		.end = end,
		.threads = threads,
		.out = out,
		.fail = f ? f : &words };
	enum souk_err err;

	if (!account_id_valid(seller_id))
		return fail_field(f, "sellerId", "is not an account id", "give twelve digits");
	if ((err = db_read(db, export_tx, &x)) != SOUK_OK)
		return x.fail->err != SOUK_OK ? err
					      : fail_set(f, err, "export",
						    "The support data file could not be written.");
	*ret = x.stats;
	return SOUK_OK;
}
