/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The logos of a change set's listings.
 *
 * Which ones a set submits is known once its changes are tried. They are fetched between that try and the next, outside of
 * transactions, and kept with the set: whoever takes the job over after a crash does not fetch them again, and what is reviewed
 * is what comes into force, whatever stands at the address by then.
 */
#include "proserv/change_int.h"

#include "proserv/logo_kept.h"

static struct wanted_logo *
wanted(struct logos *x, const struct guid *product_id, struct str url)
{
	struct wanted_logo *v;

	for (size_t i = 0; i < x->n; i++)
		if (guid_eq(&x->v[i].product_id, product_id) && str_eq_c(url, x->v[i].url))
			return &x->v[i];
	if (x->n == CHANGES_MAX || url.n > LOGO_URL_MAX)
		return NULL;
	v = &x->v[x->n++];
	*v = (struct wanted_logo){ .product_id = *product_id };
	memcpy(v->url, url.p, url.n);
	return v;
}

/* Does the set put the listing's logo before the reviewers? */
static bool
is_submitted(const struct entity *e)
{
	return entity_touched_by(e, STR("logo")) != NULL || e->release != NULL ||
	       (e->visible != NULL && e->visibility == VISIBILITY_PUBLIC);
}

static enum souk_err
refuse_at_once(struct work *w, struct entity *e, const struct listing *l)
{
	if (e->is_live && config_bool(reviewer_config(w->reviewer), SET_REVIEW_FETCH_LOGOS) &&
	    !str_eq(l->logo.url, e->logo_before) && logo_url_fits(l->logo.url))
		change_error_at(w, e->first, "LOGO_CHANGED", STR("/logo/url"),
		    STR("The logo of a listing that is released has to be fetched first"),
		    "change it by a change request");
	return SOUK_OK;
}

/* *ret_found: the set's own, or, unless the set names the logo anew, the one in force. */
static enum souk_err
find_kept(struct work *w, const struct entity *e, struct logo_row *ret, bool *ret_found)
{
	bool anew = w->logos != NULL && entity_touched_by(e, STR("logo")) != NULL;
	enum souk_err r = SOUK_E_NOT_FOUND;

	if (w->set_id != NULL)
		r = logo_row_find(w->tx, w->seller_id, &e->id, w->set_id, w->mem, ret);
	if (r == SOUK_E_NOT_FOUND && !anew)
		r = logo_row_find(w->tx, w->seller_id, &e->id, NULL, w->mem, ret);
	*ret_found = r == SOUK_OK;
	return r == SOUK_E_NOT_FOUND ? SOUK_OK : r;
}

enum souk_err
work_logo(struct work *w, struct entity *e, struct listing *l, struct review_input *in)
{
	struct logo_row *row = ARENA_NEW(w->mem, struct logo_row);
	const struct wanted_logo *x;
	bool found = false;
	enum souk_err r = row != NULL ? find_kept(w, e, row, &found) : SOUK_E_NOMEM;

	if (r == SOUK_OK && found)
		r = logo_take(row, w->mem, l, in);
	if (r != SOUK_OK || in->logo != NULL)
		return r;
	if (w->set_id == NULL)
		return refuse_at_once(w, e, l);
	if (w->logos == NULL || !is_submitted(e) || !logo_url_fits(l->logo.url))
		return SOUK_OK;
	x = wanted(w->logos, &e->id, l->logo.url);
	if (x != NULL && x->reason[0] != '\0')
		in->logo_unreadable = x->reason;
	return SOUK_OK;
}

/* ---- fetching -------------------------------------------------------------------------- */

struct keeping {
	const struct job *job;
	const struct change_set_row *set;
	struct logo_row row;
};

static enum souk_err
keep_tx(struct db_tx *tx, void *arg)
{
	struct keeping *k = arg;
	bool found = false;
	enum souk_err r = job_check(tx, k->job);

	/* Nothing is changed: whoever cancels the set meanwhile comes before this, or after it. */
	if (r != SOUK_OK ||
	    (r = change_set_row_update(tx, k->set, CHANGE_PREPARING, &found)) != SOUK_OK)
		return r;
	if (!found)
		return SOUK_E_CONFLICT;
	k->row.fetched_at = db_now(tx);
	return logo_row_put(tx, &k->row);
}

static enum souk_err
keep(struct db *db, const struct job *j, const struct change_set_row *set,
    const struct wanted_logo *x, struct str bytes)
{
	struct keeping k = { .job = j,
		.set = set,
		.row = {
		    .product_id = x->product_id, .change_set_id = set->id, .url = str_c(x->url) } };

	memcpy(k.row.seller_id, set->seller_id, sizeof(k.row.seller_id));
	logo_inspect(bytes, &k.row.facts);
	sha256(bytes.p, bytes.n, k.row.digest);
	return db_write(db, keep_tx, &k);
}

enum souk_err
logos_fetch(struct logos *x, struct logo_fetcher *fetcher, struct db *db, const struct job *j,
    const struct change_set_row *set, bool last, struct fail *f)
{
	enum souk_err r = logo_start(f), later = SOUK_OK;

	for (size_t i = 0; r == SOUK_OK && i < x->n; i++) {
		struct wanted_logo *v = &x->v[i];
		char reason[LOGO_REASON_MAX];
		struct buf bytes = { 0 };
		enum logo_fetched got = logo_fetch(fetcher, v->url, &bytes, reason);

		if (got == LOGO_FETCHED)
			r = keep(db, j, set, v, buf_str(&bytes));
		else if (got == LOGO_UNREADABLE || last)
			memcpy(v->reason, reason, sizeof(reason));
		else
			later = fail_set(f, SOUK_E_UNAVAILABLE, "logo_away",
			    "a logo cannot be fetched now: %s", reason);
		buf_done(&bytes);
	}
	logo_thread_end();
	return r == SOUK_OK ? later : r;
}
