/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the rules say of what a set makes, as errors of its changes.
 *
 * A draft may be unfinished: what counts against it is what this set said. What is released has to be whole, but for
 * faults that were there before and that this set does not touch: else nobody could mend one of two.
 */
#include "proserv/change_int.h"

#include "proserv/logo_kept.h"
#include "proserv/review_gate.h"

#include <stdlib.h>

/* The arena of documents and findings is the work's own. */
static enum souk_err
read_document(
    struct work *w, struct entity *e, struct str text, struct listing *ret, bool *ret_fine)
{
	struct fail f = { .err = SOUK_OK };
	enum souk_err r = listing_read(text, w->mem, ret, &f);

	*ret_fine = r == SOUK_OK;
	if (r != SOUK_E_INVALID && r != SOUK_E_LIMIT)
		return r;
	for (size_t i = 0; i < f.n; i++)
		change_error_at(w, e->first, "INVALID_INPUT", str_c(f.entry[i].field),
		    str_c(f.entry[i].what), f.entry[i].fix);
	if (f.n == 0)
		change_error(w, e->first, "INVALID_INPUT", "%s", f.detail);
	return SOUK_OK;
}

/* For the gate, what people decide about as well: the likeness to others' logos, which is no fault. */
static enum souk_err
review(struct work *w, struct review_input *in, const struct guid *product, bool for_gate,
    struct findings *out)
{
	struct review_context context;
	enum souk_err r =
	    listing_context_for(w->tx, reviewer_config(w->reviewer), in->listing, w->mem, &context);

	in->context = &context;
	findings_init(out, w->mem);
	if (r != SOUK_OK ||
	    (for_gate && (r = logo_find_nearest(
			      reviewer_logos(w->reviewer), in, w->mem, &context)) != SOUK_OK) ||
	    (r = reviewer_run(w->reviewer, in, EDITION_NONE, out)) != SOUK_OK)
		return r;
	return review_gate_waive(w->tx, w->seller_id, product, w->mem, out);
}

/* The member that a pointer begins with: "/title" is "title". */
static struct str
first_member(struct str pointer)
{
	struct str rest = pointer, part = STR("");

	/* What stands before the first slash is nothing. */
	for (int i = 0; i < 2; i++)
		if (!str_split(&rest, '/', &part))
			return STR("");
	return part;
}

struct change *
entity_touched_by(const struct entity *e, struct str member)
{
	for (size_t i = 0; i < e->n_touched; i++)
		if (str_eq_c(member, e->touched[i].member) || e->touched[i].member[0] == '\0')
			return e->touched[i].by;
	return NULL;
}

static bool
was_there(const struct findings *before, const struct finding *f)
{
	for (size_t i = 0; i < before->n; i++)
		if (before->v[i].rule == f->rule && str_eq(before->v[i].pointer, f->pointer))
			return true;
	return false;
}

/* "PS-DET-13" as codes are spelled: "PS_DET_13". */
static const char *
code_of(struct work *w, const struct rule *rule)
{
	char *code = arena_strdup(w->mem, rule->id);

	for (char *p = code; p && *p; p++)
		if (*p == '-')
			*p = '_';
	return code ? code : "RULE";
}

static void
refuse(struct work *w, struct change *c, const struct finding *f, struct str pointer)
{
	change_error_at(w, c, code_of(w, f->rule), pointer, f->message, f->hint);
}

static bool
blocks(const struct finding *f)
{
	return f->severity == SEVERITY_ERROR && f->waiver == NULL;
}

static enum souk_err
review_product(struct work *w, struct entity *e, const struct findings *before)
{
	struct buf text = { 0 };
	struct listing_row row;
	struct listing l;
	struct review_input in = { .listing = &l };
	bool public = e->visible && e->visibility == VISIBILITY_PUBLIC;
	bool fine = false;
	enum souk_err r = listing_row_find(w->tx, w->seller_id, &e->id, w->mem, &row);

	if (r == SOUK_OK) {
		listing_document(&row, STR(""), &text);
		r = buf_ok(&text) ? read_document(w, e, buf_str(&text), &l, &fine) : SOUK_E_NOMEM;
	}
	buf_done(&text);
	if (r != SOUK_OK || !fine || (r = work_logo(w, e, &l, &in)) != SOUK_OK ||
	    (r = review(w, &in, &e->id, public, &e->found)) != SOUK_OK)
		return r;
	if (public && w->n_gated < CHANGES_MAX)
		w->gated[w->n_gated++] = (struct gated){ e->id, e->visible, l, e->found };
	for (size_t i = 0; i < e->found.n; i++) {
		const struct finding *f = &e->found.v[i];
		struct change *by = entity_touched_by(e, first_member(f->pointer));

		if (!blocks(f))
			continue;
		if (e->release || public)
			refuse(w, by ? by : e->release ? e->release : e->visible, f, f->pointer);
		else if (e->visible)
			continue; /* going back is always possible */
		else if (by && (e->is_live || by->kind->make != make_document))
			refuse(w, by, f, f->pointer);
		else if (e->is_live && !was_there(before, f))
			refuse(w, e->first, f, f->pointer);
	}
	return SOUK_OK;
}

/* The offer alone beside its listing: other offers' faults are their own. */
static enum souk_err
review_offer(struct work *w, struct entity *e)
{
	static const struct str at = { "/offers/0", 9 };
	struct buf text = { 0 }, offers = { 0 };
	struct listing_row row;
	struct listing_offer_row offer = e->offer;
	struct findings found;
	struct listing l;
	struct review_input in = { .listing = &l };
	bool fine = false;
	enum souk_err r = listing_row_find(w->tx, w->seller_id, &e->offer.product_id, w->mem, &row);

	/* Released with a day that is past it would count as expired, of which less is asked. */
	if (e->release)
		offer.released = false;
	if (r == SOUK_OK) {
		buf_add_char(&offers, '[');
		listing_offer_document(&offer, 0, db_now(w->tx), &offers);
		buf_add_char(&offers, ']');
		listing_document(&row, buf_str(&offers), &text);
		r = buf_ok(&text) && buf_ok(&offers)
			? read_document(w, e, buf_str(&text), &l, &fine)
			: SOUK_E_NOMEM;
	}
	buf_done(&text);
	buf_done(&offers);
	if (r != SOUK_OK || !fine ||
	    (r = review(w, &in, &e->offer.product_id, false, &found)) != SOUK_OK)
		return r;
	for (size_t i = 0; i < found.n; i++) {
		const struct finding *f = &found.v[i];
		struct str rest = f->pointer;
		struct change *by;

		if (!blocks(f) || !str_starts(f->pointer, at))
			continue;
		rest = (struct str){ rest.p + at.n, rest.n - at.n };
		by = entity_touched_by(e, first_member(rest));
		if (e->offer.released)
			refuse(w, by ? by : e->release ? e->release : e->first, f, rest);
		else if (by)
			refuse(w, by, f, rest);
	}
	return SOUK_OK;
}

/* As it was before the set, for what is live. The rows are written by now: the work's own copy has the old document. */
enum souk_err
work_review(struct work *w)
{
	enum souk_err r = SOUK_OK;

	for (size_t i = 0; r == SOUK_OK && i < w->n_entities; i++) {
		struct entity *e = &w->entities[i];

		if (!e->is_changed)
			continue;
		r = e->kind == ENTITY_PRODUCT ? review_product(w, e, &e->before)
					      : review_offer(w, e);
	}
	return r;
}

enum souk_err
work_review_before(struct work *w)
{
	enum souk_err r = SOUK_OK;

	for (size_t i = 0; r == SOUK_OK && i < w->n_entities; i++) {
		struct entity *e = &w->entities[i];
		struct fail f = { .err = SOUK_OK };
		struct buf text = { 0 };
		struct listing l;
		struct review_input in = { .listing = &l };

		findings_init(&e->before, w->mem);
		if (e->kind != ENTITY_PRODUCT || !e->is_live || !e->is_changed)
			continue;
		listing_document(&e->row, STR(""), &text);
		r = buf_ok(&text) ? listing_read(buf_str(&text), w->mem, &l, &f) : SOUK_E_NOMEM;
		buf_done(&text);
		if (r != SOUK_OK)
			return r;
		e->logo_before = l.logo.url;
		r = logo_take_in_force(w->tx, w->seller_id, &e->id, w->mem, &l, &in);
		if (r == SOUK_OK)
			r = review(w, &in, &e->id, false, &e->before);
	}
	return r;
}
