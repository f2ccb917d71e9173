/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walking the audit chain, and naming what was done to it.
 *
 * Memory does not grow with the chain: it is read in pages, each in a snapshot of its own
 * so that the write-ahead log can be emptied meanwhile. Entries never change, so pages of
 * different moments fit; the walk ends at the last entry of the first moment.
 *
 * Every finding rests on a MAC that only the ring's holder can make; which of the words
 * fits best is then a matter of looking at the rows around it (struct finding).
 */
#include "audit/audit.h"

#include "audit/chain.h"
#include "base/digest.h"

#define PAGE_ROWS 5000

#define W_EDITED "edited"
#define W_REMOVED "removed"
#define W_REORDERED "reordered"
#define W_INSERTED "inserted"
#define W_CUT "cut off the end"
#define W_HEAD_MISSING "head missing"
#define W_HEAD_EDITED "head edited"
#define W_HEAD_OTHER "head does not match"
#define W_ANCHOR_MISSING "anchor missing"
#define W_ANCHOR_DIFFERS "anchor differs"

/* The last entry found sound. */
struct place {
	int64_t seq;
	uint8_t mac[AUDIT_MAC_LEN];
};

struct walk {
	const struct vault *v;
	struct buf text; /* of one entry */

	/* as of the first moment */
	bool has_head, begun;
	struct audit_head head;
	int64_t last;

	bool has_anchor;
	struct place anchor;

	struct place at;
	/* set by one page, taken over when its snapshot was read to the end */
	struct place next;
	int64_t bad; /* the first entry that does not fit; 0: none so far */
	const char *what;
};

static enum souk_err
begin(struct db_tx *tx, void *arg)
{
	struct walk *w = arg;
	enum souk_err r = audit_store_head(tx, &w->head);

	w->has_head = r == SOUK_OK;
	if (r != SOUK_OK && r != SOUK_E_NOT_FOUND)
		return r;
	if ((r = chain_was_begun(tx, &w->begun)) != SOUK_OK)
		return r;
	return audit_store_last(tx, &w->last);
}

/* At most `max` rows behind the last sound one; from the lowest number there is, were it negative. */
static struct db_stmt *
rows_left(struct db_tx *tx, const struct walk *w, int64_t max)
{
	return audit_store_after(tx, w->at.seq > 0 ? w->at.seq : INT64_MIN, max);
}

static bool
mac_eq(const uint8_t a[AUDIT_MAC_LEN], struct str b)
{
	return secret_equal(a, AUDIT_MAC_LEN, b.p, b.n);
}

/* Would `row` be sound as number `seq` after an entry with MAC `prev`? */
static enum souk_err
fits(struct walk *w, const struct audit_row *row, int64_t seq, const uint8_t prev[AUDIT_MAC_LEN],
    bool *ret)
{
	uint8_t mac[AUDIT_MAC_LEN];
	enum souk_err r;

	chain_text(row, &w->text);
	if ((r = chain_mac(w->v, &w->text, seq, prev, mac)) == SOUK_OK)
		*ret = mac_eq(mac, row->mac);
	return r;
}

/* Is the place just reached the anchor's, and another entry? */
static bool
anchor_differs(const struct walk *w, const struct place *p)
{
	return w->has_anchor && w->anchor.seq == p->seq &&
	       !secret_equal(w->anchor.mac, AUDIT_MAC_LEN, p->mac, AUDIT_MAC_LEN);
}

static void
found(struct walk *w, int64_t seq, const char *what)
{
	w->bad = seq;
	w->what = what;
}

static enum souk_err
take(struct walk *w, const struct audit_row *row)
{
	enum souk_err r;
	bool ok;

	if ((r = fits(w, row, w->next.seq + 1, w->next.mac, &ok)) != SOUK_OK)
		return r;
	if (!ok || row->seq != w->next.seq + 1) {
		found(w, w->next.seq + 1, NULL);
		return SOUK_OK;
	}
	w->next.seq = row->seq;
	memcpy(w->next.mac, row->mac.p, AUDIT_MAC_LEN);
	if (anchor_differs(w, &w->next))
		found(w, row->seq, W_ANCHOR_DIFFERS);
	return SOUK_OK;
}

static enum souk_err
walk_page(struct db_tx *tx, void *arg)
{
	struct walk *w = arg;
	struct db_stmt *st = rows_left(tx, w, PAGE_ROWS);
	struct audit_row row;
	enum souk_err r;
	bool more;

	w->next = w->at;
	found(w, 0, NULL);
	while ((r = audit_store_next(st, &row, &more)) == SOUK_OK && more && w->bad == 0 &&
	       row.seq <= w->last)
		if ((r = take(w, &row)) != SOUK_OK)
			break;
	db_reset(st);
	/* Fewer than `last` says: gone since the first moment. */
	if (r == SOUK_OK && w->bad == 0 && w->next.seq == w->at.seq)
		found(w, w->at.seq + 1, NULL);
	return r;
}

/* ---- naming ---- */

/* What the rows around the break say. */
struct finding {
	int64_t seq;         /* the number at which the chain breaks */
	struct place owner;  /* where the entry that belongs there is now; seq 0: nowhere */
	struct place before; /* the row before that one */
	bool has_row;        /* a row has the number */
	bool row_is_ours;    /* with an owner elsewhere: it is an entry of another place */
	bool next_fits;      /* the row after it names its MAC as the one before */
	bool shifted;        /* it, or the row after it, is sound under a higher number */
};

/* The MAC a row carries, zeros when it has another length. */
static struct place
place_of(const struct audit_row *row)
{
	struct place p = { .seq = row->seq };

	if (row->mac.n == AUDIT_MAC_LEN)
		memcpy(p.mac, row->mac.p, AUDIT_MAC_LEN);
	return p;
}

/* Looks through all that is left for the entry that belongs at the break. */
static enum souk_err
find_owner(struct db_tx *tx, struct walk *w, struct finding *f)
{
	struct db_stmt *st = rows_left(tx, w, INT64_MAX);
	struct place before = w->at;
	struct audit_row row;
	enum souk_err r;
	bool more, ok = false;

	while ((r = audit_store_next(st, &row, &more)) == SOUK_OK && more) {
		if ((r = fits(w, &row, f->seq, w->at.mac, &ok)) != SOUK_OK)
			break;
		if (ok) {
			f->owner = place_of(&row);
			f->before = before;
			break;
		}
		before = place_of(&row);
	}
	db_reset(st);
	return r;
}

/* The row at the break: was the owner exchanged with it, or pushed on by it? */
static enum souk_err
look_at_row(struct walk *w, struct finding *f, const struct audit_row *row)
{
	enum souk_err r = SOUK_OK;

	f->has_row = row->seq == f->seq;
	if (f->owner.seq == 0)
		return SOUK_OK;
	/* All between the two moved by one, or only the two changed places. */
	if ((r = fits(w, row, f->seq + 1, f->owner.mac, &f->row_is_ours)) == SOUK_OK &&
	    !f->row_is_ours)
		r = fits(w, row, f->owner.seq, f->before.mac, &f->row_is_ours);
	return r;
}

/* The row at the break and the one after it. */
static enum souk_err
look_around(struct db_tx *tx, struct walk *w, struct finding *f)
{
	struct db_stmt *st = rows_left(tx, w, 2);
	/* How many are gone, if the numbers after them were closed up. */
	int64_t gone = w->has_head && w->head.seq > w->last ? w->head.seq - w->last : 0;
	struct audit_row row;
	struct place here;
	enum souk_err r;
	bool more;

	if ((r = audit_store_next(st, &row, &more)) != SOUK_OK || !more ||
	    (r = look_at_row(w, f, &row)) != SOUK_OK)
		goto out;
	here = place_of(&row);
	f->shifted = gone > 0 && mac_eq(w->head.mac, row.mac);
	if ((r = audit_store_next(st, &row, &more)) != SOUK_OK || !more ||
	    (r = fits(w, &row, row.seq, here.mac, &f->next_fits)) != SOUK_OK)
		goto out;
	if (gone > 0 && !f->shifted)
		r = fits(w, &row, row.seq + gone, here.mac, &f->shifted);
out:
	db_reset(st);
	return r;
}

static const char *
name(const struct walk *w, const struct finding *f)
{
	if (f->owner.seq == f->seq)
		return W_INSERTED; /* before it, under a number that no entry has */
	if (f->owner.seq != 0)
		return f->has_row && !f->row_is_ours ? W_INSERTED : W_REORDERED;
	if (!f->has_row)
		return W_REMOVED;
	if (w->has_head && chain_seal_fits(w->v, &w->head) && f->seq > w->head.seq)
		return W_INSERTED;
	return f->shifted && !f->next_fits ? W_REMOVED : W_EDITED;
}

static enum souk_err
diagnose(struct db_tx *tx, void *arg)
{
	struct walk *w = arg;
	struct finding f = { .seq = w->bad };
	enum souk_err r;

	if ((r = find_owner(tx, w, &f)) != SOUK_OK || (r = look_around(tx, w, &f)) != SOUK_OK)
		return r;
	w->what = name(w, &f);
	return SOUK_OK;
}

/* ---- the whole ---- */

/* The entries are sound as far as they go: is their end the right one? */
static void
check_end(struct walk *w)
{
	int64_t last = w->at.seq;

	if (!w->has_head && (last > 0 || w->begun))
		found(w, last > 0 ? last : 1, W_HEAD_MISSING);
	else if (w->has_head && !chain_seal_fits(w->v, &w->head))
		found(w, last > 0 ? last : 1, W_HEAD_EDITED);
	else if (w->has_head && w->head.seq > last)
		found(w, last + 1, W_CUT);
	else if (w->has_head && !secret_equal(w->head.mac, AUDIT_MAC_LEN, w->at.mac, AUDIT_MAC_LEN))
		found(w, last, W_HEAD_OTHER);
	else if (w->has_anchor && w->anchor.seq > last)
		found(w, w->anchor.seq, W_ANCHOR_MISSING);
}

static enum souk_err
run(struct db *db, struct walk *w)
{
	enum souk_err r;

	if ((r = db_read(db, begin, w)) != SOUK_OK)
		return r;
	/* The head of an empty chain is number 0 and zeros. */
	if (anchor_differs(w, &w->at))
		found(w, 1, W_ANCHOR_DIFFERS);
	while (w->bad == 0 && w->at.seq != w->last) {
		if ((r = db_read(db, walk_page, w)) != SOUK_OK)
			return r;
		w->at = w->next;
	}
	if (w->bad == 0)
		check_end(w);
	else if (!w->what)
		r = db_read(db, diagnose, w);
	return r;
}

enum souk_err
audit_verify(struct db *db, const struct vault *v, int64_t anchor_seq, const char *anchor,
    struct audit_report *ret)
{
	struct walk w = { .v = v, .has_anchor = anchor != NULL, .anchor.seq = anchor_seq };
	enum souk_err r;
	size_t n;

	if (anchor &&
	    (anchor_seq < 0 || !hex_decode(str_c(anchor), w.anchor.mac, AUDIT_MAC_LEN, &n) ||
		n != AUDIT_MAC_LEN))
		return SOUK_E_INVALID;
	if ((r = run(db, &w)) == SOUK_OK) {
		*ret = (struct audit_report){
			.entries = w.at.seq, .bad_seq = w.bad, .what = w.what, .head_seq = w.at.seq
		};
		hex_encode(w.at.mac, AUDIT_MAC_LEN, ret->head);
	}
	buf_done(&w.text);
	return r;
}
