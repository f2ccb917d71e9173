/* SPDX-License-Identifier: Apache-2.0 */
/* Reading, reviewing and keeping listings that are due; see watch_batch.h. */
#include "proserv/watch_batch.h"

#include "base/log.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#define BATCH_ARENA ((size_t)512 << 20)
#define WHOLE_ARENA ((size_t)4 << 30)
#define THREADS_FROM 16 /* fewer listings are not worth a thread */
#define AT_ONCE 20      /* listings that a thread takes */
#define THREAD_NICE 10  /* who asks the server goes first */

enum souk_err
batch_new(const struct watch_ctx *ctx, const struct tenant_scope *operator, struct batch ** ret)
{
	const struct config *c = reviewer_config(ctx->reviewer);
	struct batch *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return SOUK_E_NOMEM;
	b->ctx = ctx;
	b->operator= operator;
	b->rules.grace_ms = config_int(c, SET_REVIEW_GRACE_DAYS) * DAY_MS;
	b->rules.every_ms = config_int(c, SET_REVIEW_EVERY_DAYS) * DAY_MS;
	b->two_people = config_bool(c, SET_REVIEW_TWO_PEOPLE);
	b->threads = (unsigned)config_int(c, SET_REVIEW_THREADS);
	b->edition = reviewer_edition(ctx->reviewer);
	b->mem = arena_new(BATCH_ARENA);
	b->whole_mem = arena_new(WHOLE_ARENA);
	for (unsigned i = 0; i < b->threads; i++)
		b->of_thread[i] = arena_new(BATCH_ARENA);
	if (b->mem == NULL || b->whole_mem == NULL || b->of_thread[b->threads - 1] == NULL) {
		batch_free(b);
		return SOUK_E_NOMEM;
	}
	*ret = b;
	return SOUK_OK;
}

void
batch_free(struct batch *b)
{
	if (b == NULL)
		return;
	for (unsigned i = 0; i < b->threads; i++)
		arena_free(b->of_thread[i]);
	arena_free(b->mem);
	arena_free(b->whole_mem);
	free(b);
}

/* ---- reading ---- */

static int
by_id(const void *a, const void *b)
{
	const struct batch_place *x = a, *y = b;

	return guid_cmp(&x->product_id, &y->product_id);
}

static enum souk_err
read_rows(struct batch *b, struct db_tx *tx, instant_t before)
{
	struct db_stmt *st = listing_rows_due(tx, before, BATCH_MAX);
	enum souk_err r;
	bool row;

	b->n = 0;
	while ((r = db_step(st, &row)) == SOUK_OK && row) {
		struct batch_item *x = &b->items[b->n];
		struct listing_row l;
		struct str *const slices[] = { &l.document, &l.data_use, &l.targeting,
			&l.title_key[0], &l.title_key[1], &l.product.title, &l.product.state,
			&l.product.suspended, &l.seller.name, &l.seller.country, &l.extra };

		listing_row(st, &l);
		for (size_t i = 0; i < sizeof(slices) / sizeof(slices[0]); i++)
			if (!(*slices[i] = arena_str(b->mem, *slices[i])).p) {
				db_reset(st);
				return SOUK_E_NOMEM;
			}
		*x = (struct batch_item){ .row = l };
		b->places[b->n++] = (struct batch_place){ l.product_id, x };
	}
	qsort(b->places, b->n, sizeof(b->places[0]), by_id);
	return r;
}

static struct batch_item *
item_of(struct batch *b, const struct guid *product_id)
{
	const struct batch_place key = { .product_id = *product_id };
	struct batch_place *found = bsearch(&key, b->places, b->n, sizeof(b->places[0]), by_id);

	return found != NULL ? found->item : NULL;
}

static int
by_product(const void *a, const void *b)
{
	const struct review_task *x = a, *y = b;

	return guid_cmp(&x->product_id, &y->product_id);
}

static enum souk_err
read_tasks(struct batch *b, struct db_tx *tx, instant_t before)
{
	struct review_task *v = NULL;
	size_t n = 0, end;
	enum souk_err r = tasks_read(task_rows_due(tx, before, BATCH_MAX), b->mem, &v, &n);

	if (r == SOUK_OK && n > 1)
		qsort(v, n, sizeof(*v), by_product);
	for (size_t i = 0; r == SOUK_OK && i < n; i = end) {
		struct batch_item *x = item_of(b, &v[i].product_id);

		for (end = i + 1; end < n && by_product(&v[i], &v[end]) == 0;)
			end++;
		if (x != NULL) {
			x->tasks = &v[i];
			x->n_tasks = end - i;
		}
	}
	return r;
}

static enum souk_err
read_findings(struct batch *b, struct db_tx *tx, instant_t before)
{
	struct db_stmt *st = findings_rows_due(tx, before, BATCH_MAX);
	enum souk_err r;
	bool row;

	while ((r = db_step(st, &row)) == SOUK_OK && row) {
		struct guid id = db_guid(st, 0);
		struct str digest = db_blob(st, 1);
		struct batch_item *x = item_of(b, &id);

		if (x != NULL && digest.n == SHA256_LEN)
			memcpy(x->kept_digest, digest.p, SHA256_LEN);
	}
	return r;
}

static enum souk_err
add_leaning(
    struct arena *mem, struct leaning **io, size_t *io_n, const struct guid *on, struct str seen)
{
	struct leaning *v = *io;

	if ((*io_n & (*io_n - 1)) == 0) { /* room for 1, 2, 4, 8 ... */
		v = arena_array(mem, *io_n > 0 ? 2 * *io_n : 1, sizeof(*v));
		if (v == NULL)
			return SOUK_E_NOMEM;
		if (*io_n > 0)
			memcpy(v, *io, *io_n * sizeof(*v));
		*io = v;
	}
	v[*io_n] = (struct leaning){ .on_product = *on, .seen = arena_str(mem, seen) };
	if (v[*io_n].seen.p == NULL)
		return SOUK_E_NOMEM;
	++*io_n;
	return SOUK_OK;
}

static enum souk_err
read_leans(struct batch *b, struct db_tx *tx, instant_t before)
{
	struct db_stmt *st = leans_rows_due(tx, before, BATCH_MAX);
	enum souk_err r;
	bool row;

	while ((r = db_step(st, &row)) == SOUK_OK && row) {
		struct guid id = db_guid(st, 0), on = db_guid(st, 1);
		struct batch_item *x = item_of(b, &id);

		if (x == NULL)
			continue;
		r = add_leaning(b->mem, &x->leans, &x->n_leans, &on, db_text(st, 2));
		if (r != SOUK_OK) {
			db_reset(st);
			return r;
		}
	}
	return r;
}

static enum souk_err
read_logos(struct batch *b, struct db_tx *tx, instant_t before)
{
	struct db_stmt *st = logo_rows_due(tx, before, BATCH_MAX);
	enum souk_err r;
	bool row;

	while ((r = db_step(st, &row)) == SOUK_OK && row) {
		struct logo_row *l = ARENA_NEW(b->mem, struct logo_row);
		struct batch_item *x;

		r = SOUK_E_NOMEM;
		if (l != NULL) {
			logo_row(st, l);
			r = logo_row_keep(l, b->mem);
		}
		if (r != SOUK_OK) {
			db_reset(st);
			return r;
		}
		if ((x = item_of(b, &l->product_id)) != NULL)
			x->logo = l;
	}
	return r;
}

/* The document as it stands, in `mem`. */
static enum souk_err
parse(struct batch_item *x, struct arena *mem)
{
	struct buf text = { 0 };
	struct fail f = { .err = SOUK_OK };
	enum souk_err r;

	listing_document(&x->row, STR(""), &text);
	r = buf_ok(&text) ? listing_read(buf_str(&text), mem, &x->listing, &f) : SOUK_E_NOMEM;
	buf_done(&text);
	x->readable = r == SOUK_OK;
	return r == SOUK_E_INVALID || r == SOUK_E_LIMIT ? SOUK_OK : r;
}

static enum souk_err
read_each_context(struct batch *b, struct db_tx *tx)
{
	const struct config *c = reviewer_config(b->ctx->reviewer);
	enum souk_err r = logo_index_refresh(reviewer_logos(b->ctx->reviewer), tx);

	for (size_t i = 0; r == SOUK_OK && i < b->n; i++) {
		struct batch_item *x = &b->items[i];
		struct review_context *own = ARENA_NEW(b->mem, struct review_context);

		if (own == NULL)
			return SOUK_E_NOMEM;
		x->context = own;
		if ((r = parse(x, b->mem)) == SOUK_OK && x->readable)
			r = listing_context_for(tx, c, &x->listing, b->mem, own);
	}
	return r;
}

enum souk_err
batch_read(struct db_tx *tx, void *arg)
{
	struct batch *b = arg;
	const struct config *c = reviewer_config(b->ctx->reviewer);
	/* What was marked after the whole context was read may be so because the context is not true any more. */
	instant_t before = b->whole.as_of != 0 ? b->whole.as_of - 1 : db_now(tx);
	enum souk_err r;

	arena_reset(b->mem);
	b->now = db_now(tx);
	if ((r = read_rows(b, tx, before)) != SOUK_OK || b->n == 0)
		return r;
	if (b->n > BATCH_FEW && b->whole.as_of == 0) {
		arena_reset(b->whole_mem);
		r = listing_context_new(tx, c, b->whole_mem, &b->whole);
		if (r == SOUK_OK)
			r = logo_index_refresh(reviewer_logos(b->ctx->reviewer), tx);
	}
	if (r == SOUK_OK)
		r = read_tasks(b, tx, before);
	if (r == SOUK_OK)
		r = read_findings(b, tx, before);
	if (r == SOUK_OK)
		r = read_leans(b, tx, before);
	if (r == SOUK_OK)
		r = read_logos(b, tx, before);
	if (r == SOUK_OK && b->whole.as_of == 0)
		r = read_each_context(b, tx);
	return r;
}

/* ---- reviewing ---- */

static enum souk_err
note_own(struct batch_item *x, struct arena *mem)
{
	const struct listing_row *l = &x->row;
	char *seen = arena_printf(mem, "%s %s %.*s %.*s", l->seller.paid ? "paid" : "free",
	    l->seller.active ? "active" : "suspended", (int)l->product.state.n, l->product.state.p,
	    (int)l->product.title.n, l->product.title.p);

	return seen != NULL
		   ? add_leaning(mem, &x->leans_now, &x->n_leans_now, &l->product_id, str_c(seen))
		   : SOUK_E_NOMEM;
}

static bool
leans_already(const struct batch_item *x, const struct guid *on)
{
	for (size_t i = 0; i < x->n_leans_now; i++)
		if (guid_eq(&x->leans_now[i].on_product, on))
			return true;
	return false;
}

static const char *
state_of(enum visibility v)
{
	static const char *const words[] = { "", "draft", "limited", "public", "restricted" };

	return words[v];
}

/* What this review saw of the products. */
static enum souk_err
note_leans(struct batch_item *x, const struct review_context *context, struct arena *mem)
{
	const struct texts *t = &x->listing.associated_products;
	enum souk_err r = note_own(x, mem);

	for (size_t i = 0; r == SOUK_OK && i < t->n; i++) {
		const struct context_product *p = review_context_product(context, t->v[i]);
		struct guid on;
		char *seen;

		if (!entity_id_parse(PRODUCT_PREFIX, t->v[i], &on) || leans_already(x, &on))
			continue;
		seen = p != NULL ? arena_printf(mem, "%s %.*s", state_of(p->visibility),
				       (int)p->title.n, p->title.p)
				 : arena_strdup(mem, "");
		r = seen != NULL
			? add_leaning(mem, &x->leans_now, &x->n_leans_now, &on, str_c(seen))
			: SOUK_E_NOMEM;
	}
	return r;
}

/* Questions to people are tasks; the rest is what the seller is told. */
static enum souk_err
note_findings(struct batch_item *x, const struct findings *found, struct arena *mem)
{
	struct buf text = { 0 };
	struct jw w;

	jw_init(&w, &text);
	jw_open(&w, NULL, '[');
	for (size_t i = 0; i < found->n; i++)
		if (found->v[i].kind != KIND_HUMAN)
			finding_json(&w, &found->v[i], STR(""), x->listing.id);
	jw_close(&w, ']');
	sha256(text.p, text.n, x->digest);
	if (buf_ok(&text) && memcmp(x->digest, x->kept_digest, SHA256_LEN) != 0)
		x->findings = arena_str(mem, buf_str(&text));
	buf_done(&text);
	return text.failed ? SOUK_E_NOMEM : SOUK_OK;
}

static enum souk_err
review_item(struct batch *b, struct batch_item *x, struct arena *mem)
{
	const struct review_context *context = x->context;
	struct review_input in = { .listing = &x->listing };
	struct review_context own;
	const struct judge how = {
		.people = visibility_of_state(x->row.product.state) == VISIBILITY_PUBLIC,
		.now = b->now,
	};
	struct findings found;
	enum souk_err r = SOUK_OK;

	if (context == NULL) {
		context = &b->whole;
		r = parse(x, mem);
	}
	if (r != SOUK_OK || !x->readable)
		return r;
	own = *context;
	in.context = &own;
	findings_init(&found, mem);
	if ((x->logo != NULL && (r = logo_take(x->logo, mem, &x->listing, &in)) != SOUK_OK) ||
	    (r = logo_take_nearest(&x->like, mem, &own)) != SOUK_OK ||
	    (r = reviewer_run(b->ctx->reviewer, &in, b->edition, &found)) != SOUK_OK ||
	    (r = review_judge(&found, &x->listing, x->tasks, x->n_tasks, &how, mem, &x->judged)) !=
		SOUK_OK ||
	    (r = note_leans(x, context, mem)) != SOUK_OK)
		return r;
	return note_findings(x, &found, mem);
}

static void
search_logos(struct batch *b, size_t from, size_t to)
{
	struct logo_search v[AT_ONCE];
	struct batch_item *of[AT_ONCE];
	size_t n = 0;

	for (size_t i = from; i < to; i++) {
		struct batch_item *x = &b->items[i];

		if (x->logo == NULL || x->logo->facts.trouble != NULL || x->logo->facts.blank)
			continue;
		of[n] = x;
		v[n++] = (struct logo_search){ .hash = x->logo->facts.hash,
			.seller_id = str_c(x->row.seller_id) };
	}
	logo_index_search(reviewer_logos(b->ctx->reviewer), v, n);
	for (size_t i = 0; i < n; i++)
		of[i]->like = v[i];
}

static enum souk_err
review_some(struct batch *b, size_t from, size_t to, struct arena *mem)
{
	enum souk_err r = SOUK_OK;

	search_logos(b, from, to);
	for (size_t i = from; r == SOUK_OK && i < to; i++)
		r = review_item(b, &b->items[i], mem);
	return r;
}

struct worker {
	struct batch *b;
	struct arena *mem;
	atomic_size_t *next;
	bool own_thread;
	enum souk_err err;
};

static void *
work(void *arg)
{
	struct worker *w = arg;
	size_t i;

	if (w->own_thread)
		(void)setpriority(PRIO_PROCESS, 0, THREAD_NICE); /* of this thread */
	arena_reset(w->mem);
	while (w->err == SOUK_OK && (i = atomic_fetch_add(w->next, AT_ONCE)) < w->b->n) {
		w->err =
		    review_some(w->b, i, i + AT_ONCE < w->b->n ? i + AT_ONCE : w->b->n, w->mem);
		(void)sched_yield(); /* under real-time priority nice counts for nothing */
	}
	return NULL;
}

enum souk_err
batch_review(struct batch *b)
{
	unsigned n = b->n < THREADS_FROM ? 1 : b->threads, started = 0;
	struct worker w[BATCH_THREADS_MAX];
	pthread_t threads[BATCH_THREADS_MAX];
	atomic_size_t next = 0;
	enum souk_err r = SOUK_OK;

	for (unsigned i = 0; i < n; i++)
		w[i] = (struct worker){
			.b = b, .mem = b->of_thread[i], .next = &next, .own_thread = n > 1
		};
	while (
	    n > 1 && started < n && pthread_create(&threads[started], NULL, work, &w[started]) == 0)
		started++;
	if (started == 0)
		(void)work(&w[0]);
	for (unsigned i = 0; i < started; i++)
		(void)pthread_join(threads[i], NULL);
	for (unsigned i = 0; i < n && r == SOUK_OK; i++)
		r = w[i].err;
	return r;
}

/* ---- keeping ---- */

static bool
has_leaning(const struct leaning *v, size_t n, const struct leaning *x, bool as_seen)
{
	for (size_t i = 0; i < n; i++)
		if (guid_eq(&v[i].on_product, &x->on_product))
			return !as_seen || str_eq(v[i].seen, x->seen);
	return false;
}

static enum souk_err
keep_leans(struct db_tx *tx, const struct batch_item *x)
{
	struct str seller = str_c(x->row.seller_id);
	enum souk_err r = SOUK_OK;

	for (size_t i = 0; r == SOUK_OK && i < x->n_leans; i++)
		if (!has_leaning(x->leans_now, x->n_leans_now, &x->leans[i], false))
			r = leans_row_drop(tx, seller, &x->row.product_id, &x->leans[i].on_product);
	for (size_t i = 0; r == SOUK_OK && i < x->n_leans_now; i++)
		if (!has_leaning(x->leans, x->n_leans, &x->leans_now[i], true))
			r = leans_row_put(tx, seller, &x->row.product_id,
			    &x->leans_now[i].on_product, x->leans_now[i].seen);
	return r;
}

/* Nobody sees it any more. */
static enum souk_err
leave(struct db_tx *tx, const struct batch_item *x)
{
	struct listing_row l = x->row;
	bool found;

	l.standing = STANDING_UNREVIEWED;
	l.grace_until = l.due_at = 0;
	return listing_row_reviewed(tx, &l, &found);
}

/* Its document cannot be read, so nothing is known of it: looked at again another time. */
static enum souk_err
put_off(struct db_tx *tx, const struct batch *b, const struct batch_item *x)
{
	struct listing_row l = x->row;
	char id[ENTITY_ID_MAX];
	bool found;

	entity_id_write(PRODUCT_PREFIX, &l.product_id, id);
	log_event(LOG_ERROR, "listing_unreadable", LOG_S("listing", id));
	l.due_at = b->now + b->rules.every_ms;
	return listing_row_reviewed(tx, &l, &found);
}

enum souk_err
batch_keep(struct db_tx *tx, const struct batch *b, const struct batch_item *x)
{
	const struct standing_ctx ctx = { .vault = b->ctx->vault,
		.operator= b->operator,
		.topic = str_c(config_text(reviewer_config(b->ctx->reviewer), SET_REVIEW_TOPIC)) };
	struct str seller = str_c(x->row.seller_id);
	struct listing_row l = x->row;
	struct standing_change c;
	bool found = false;
	enum souk_err r;

	if (x->row.removed_at != 0)
		return leave(tx, x);
	if (!x->readable)
		return put_off(tx, b, x);
	standing_next(&x->row, &x->judged, &b->rules, b->now, &c);
	l.edition = b->edition;
	l.standing = c.to;
	l.grace_until = c.grace_until;
	l.reviewed_at = b->now;
	l.due_at = c.due_at;
	if ((r = listing_row_reviewed(tx, &l, &found)) != SOUK_OK || !found)
		return r;
	if (x->findings.p != NULL)
		r = findings_row_put(tx, seller, &l.product_id, x->digest, x->findings);
	if (r == SOUK_OK)
		r = keep_leans(tx, x);
	if (r == SOUK_OK && standing_is_live(&x->row))
		r = tasks_settle(
		    tx, seller, &l.product_id, &x->listing, &x->judged, x->tasks, x->n_tasks, NULL);
	if (r == SOUK_OK)
		r = standing_follow(tx, &ctx, &x->row, &x->judged, &c);
	return r;
}
