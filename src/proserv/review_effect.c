/* SPDX-License-Identifier: Apache-2.0 */
/* Two editions side by side; see review_effect.h. */
#include "proserv/review_effect.h"

#include "proserv/logo_kept.h"
#include "proserv/standing.h"

#include <stdlib.h>

#define ROWS_ARENA ((size_t)256 << 20)

struct side {
	struct findings found;
	struct judged judged;
};

static enum souk_err
run_side(struct db_tx *tx, struct reviewer *r, const struct listing_row *row,
    const struct review_input *in, enum edition edition, struct arena *mem, struct side *ret)
{
	const struct judge how = {
		.people = visibility_of_state(row->product.state) == VISIBILITY_PUBLIC,
		.now = db_now(tx),
	};
	struct review_task *tasks = NULL;
	size_t n = 0;
	enum souk_err err;

	findings_init(&ret->found, mem);
	if ((err = reviewer_run(r, in, edition, &ret->found)) != SOUK_OK ||
	    (err = tasks_read(task_rows_of_listing(tx, str_c(row->seller_id), &row->product_id),
		 mem, &tasks, &n)) != SOUK_OK)
		return err;
	return review_judge(&ret->found, in->listing, tasks, n, &how, mem, &ret->judged);
}

static bool
counts(const struct judged_finding *x)
{
	return x->is != JUDGED_NOTE || x->finding->severity >= SEVERITY_WARNING;
}

static bool
is_in(const struct judged *j, const struct judged_finding *x)
{
	for (size_t i = 0; i < j->n; i++) {
		const struct finding *f = j->v[i].finding;

		if (f->rule == x->finding->rule && f->kind == x->finding->kind &&
		    str_eq(f->pointer, x->finding->pointer) &&
		    str_eq(f->message, x->finding->message) && j->v[i].is == x->is)
			return true;
	}
	return false;
}

static size_t
count_only(const struct judged *j, const struct judged *other)
{
	size_t n = 0;

	for (size_t i = 0; i < j->n; i++)
		n += counts(&j->v[i]) && !is_in(other, &j->v[i]);
	return n;
}

static void
only_json(const struct judged *j, const struct judged *other, const char *key, struct str id,
    struct jw *w)
{
	jw_open(w, key, '[');
	for (size_t i = 0; i < j->n; i++)
		if (counts(&j->v[i]) && !is_in(other, &j->v[i]))
			finding_json(w, j->v[i].finding, STR(""), id);
	jw_close(w, ']');
}

static const char *
word_of(const struct judged *j)
{
	return j->blocks ? "blocked" : j->open ? "pending" : "passed";
}

static enum souk_err
one(struct db_tx *tx, struct reviewer *r, struct effect_page *p, const struct listing_row *row,
    struct arena *mem, struct jw *w)
{
	struct buf text = { 0 };
	struct fail f = { .err = SOUK_OK };
	struct review_context context;
	struct side before, after;
	struct listing l;
	struct review_input in = { .listing = &l, .context = &context };
	enum souk_err err;

	listing_document(row, STR(""), &text);
	err = buf_ok(&text) ? listing_read(buf_str(&text), mem, &l, &f) : SOUK_E_NOMEM;
	buf_done(&text);
	if (err == SOUK_E_INVALID || err == SOUK_E_LIMIT)
		return SOUK_OK; /* no edition makes anything of it */
	if (err != SOUK_OK ||
	    (err = listing_context_for(tx, reviewer_config(r), &l, mem, &context)) != SOUK_OK ||
	    (err = logo_take_in_force(tx, str_c(row->seller_id), &row->product_id, mem, &l, &in)) !=
		SOUK_OK ||
	    (err = run_side(tx, r, row, &in, reviewer_edition(r), mem, &before)) != SOUK_OK ||
	    (err = run_side(tx, r, row, &in, p->to, mem, &after)) != SOUK_OK)
		return err;
	p->stopped += !before.judged.blocks && after.judged.blocks;
	p->freed += before.judged.blocks && !after.judged.blocks;
	if (count_only(&before.judged, &after.judged) == 0 &&
	    count_only(&after.judged, &before.judged) == 0)
		return SOUK_OK;
	p->changed++;
	jw_open(w, NULL, '{');
	jw_str(w, "listing", l.id);
	jw_c(w, "sellerId", row->seller_id);
	jw_str(w, "title", row->product.title);
	jw_c(w, "visibility", visibility_word(visibility_of_state(row->product.state)));
	jw_c(w, "before", word_of(&before.judged));
	jw_c(w, "after", word_of(&after.judged));
	only_json(&after.judged, &before.judged, "added", l.id, w);
	only_json(&before.judged, &after.judged, "gone", l.id, w);
	jw_close(w, '}');
	return SOUK_OK;
}

/* Rows into the arena, since each of them is looked at with statements of its own. */
static enum souk_err
read_rows(struct db_tx *tx, struct effect_page *p, struct arena *mem, struct listing_row *out,
    size_t *ret_n)
{
	struct db_stmt *st = listing_rows_live(tx, &p->after, p->limit + 1);
	enum souk_err r;
	bool row;

	*ret_n = 0;
	p->more = false;
	while ((r = db_step(st, &row)) == SOUK_OK && row) {
		struct listing_row *l = &out[*ret_n];
		struct str *const slices[] = { &l->document, &l->data_use, &l->targeting,
			&l->title_key[0], &l->title_key[1], &l->product.title, &l->product.state,
			&l->product.suspended, &l->seller.name, &l->seller.country, &l->extra };

		if (*ret_n == p->limit) {
			p->more = true;
			db_reset(st);
			return SOUK_OK;
		}
		listing_row(st, l);
		for (size_t i = 0; i < sizeof(slices) / sizeof(slices[0]); i++)
			if (!(*slices[i] = arena_str(mem, *slices[i])).p) {
				db_reset(st);
				return SOUK_E_NOMEM;
			}
		++*ret_n;
	}
	return r;
}

enum souk_err
review_effect(
    struct db_tx *tx, struct reviewer *r, struct effect_page *p, struct arena *mem, struct jw *w)
{
	struct arena *rows_mem = arena_new(ROWS_ARENA);
	struct listing_row *rows = rows_mem ? arena_array(rows_mem, p->limit, sizeof(*rows)) : NULL;
	enum souk_err err = rows ? SOUK_OK : SOUK_E_NOMEM;
	size_t n = 0;

	p->looked = p->changed = p->stopped = p->freed = 0;
	if (err == SOUK_OK)
		err = read_rows(tx, p, rows_mem, rows, &n);
	for (size_t i = 0; err == SOUK_OK && i < n; i++) {
		arena_reset(mem);
		err = one(tx, r, p, &rows[i], mem, w);
		p->looked++;
	}
	if (err == SOUK_OK && n > 0)
		p->after = rows[n - 1].product_id;
	arena_free(rows_mem);
	return err;
}
