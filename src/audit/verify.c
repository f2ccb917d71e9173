/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walking the audit chains, and naming what was done to them.
 *
 * Memory does not grow with the chain: it is read in pages, each in a snapshot of its own
 * so that the write-ahead log can be emptied meanwhile. Entries never change, so pages of
 * different moments fit; the walk ends at the last entry of the first moment. Which chains there are, and
 * which chain 0 tells of, is of that moment, too: a chain and its mention come in one transaction.
 *
 * Every finding rests on a MAC that only the ring's holder can make; which of the words
 * fits best is then a matter of looking at the rows around it (struct finding).
 */
#include "audit/audit.h"

#include "audit/chain.h"
#include "base/digest.h"

#include <stdlib.h>

#define PAGE_ROWS 5000
#define CHAINS_MAX 100001 /* db_lane's numbers, and 0 */

#define W_EDITED "edited"
#define W_REMOVED "removed"
#define W_REORDERED "reordered"
#define W_INSERTED "inserted"
#define W_CUT "cut off the end"
#define W_HEAD_MISSING "head missing"
#define W_HEAD_EDITED "head edited"
#define W_HEAD_OTHER "head does not match"
#define W_CHAIN_REMOVED "chain removed"
#define W_CHAIN_INSERTED "chain inserted"
#define W_ANCHOR_MISSING "anchor missing"
#define W_ANCHOR_DIFFERS "anchor differs"

/* The last entry found sound. */
struct place {
	int64_t seq;
	uint8_t mac[AUDIT_MAC_LEN];
};

/* One chain. */
struct chain {
	int64_t number;
	/* as of the first moment */
	bool has_head;
	struct audit_head head;
	int64_t last;

	int64_t begun; /* number of the entry in chain 0 that tells of it; 0: none */
	struct place at;
};

struct noted {
	int64_t chain;
	struct place place;
};

struct walk {
	const struct vault *v;
	struct buf text; /* of one entry */
	bool made;       /* the installation is a finished one */

	size_t n_chains, room;
	struct chain *chains; /* in order of their numbers, 0 first */
	struct chain *c;      /* being walked */

	size_t n_anchors;
	struct noted *anchors;
	const struct place *anchor; /* of this chain, or NULL */

	/* set by one page, taken over when its snapshot was read to the end */
	struct place next;
	int64_t bad_chain, bad; /* the first entry that does not fit; 0: none so far */
	const char *what;
};

static enum souk_err
load_chain(struct db_tx *tx, struct chain *c)
{
	enum souk_err r = audit_store_head(tx, c->number, &c->head);

	c->has_head = r == SOUK_OK;
	if (r != SOUK_OK && r != SOUK_E_NOT_FOUND)
		return r;
	return audit_store_last(tx, c->number, &c->last);
}

static enum souk_err
add_chain(struct db_tx *tx, struct walk *w, int64_t number)
{
	if (w->n_chains == w->room) {
		size_t room = w->room ? 2 * w->room : 16;
		struct chain *more = reallocarray(w->chains, room, sizeof(*more));

		if (!more)
			return SOUK_E_NOMEM;
		w->chains = more;
		w->room = room;
	}
	w->chains[w->n_chains] = (struct chain){ .number = number };
	return load_chain(tx, &w->chains[w->n_chains++]);
}

/* All chains of this moment; chain 0 also when it has nothing. */
static enum souk_err
begin(struct db_tx *tx, void *arg)
{
	struct walk *w = arg;
	int64_t number = INT64_MIN;
	enum souk_err r;

	w->n_chains = 0;
	if ((r = chain_was_begun(tx, &w->made)) != SOUK_OK ||
	    (r = add_chain(tx, w, AUDIT_CHAIN)) != SOUK_OK)
		return r;
	/* More than that were not begun by us: the first of them will be found. */
	while (w->n_chains <= CHAINS_MAX &&
	       (r = audit_store_chain_from(tx, number, &number)) == SOUK_OK) {
		if (number != AUDIT_CHAIN && (r = add_chain(tx, w, number)) != SOUK_OK)
			break;
		if (number++ == INT64_MAX)
			break;
	}
	return r == SOUK_E_NOT_FOUND ? SOUK_OK : r;
}

/* At most `max` rows behind the last sound one; from the lowest number there is, were it negative. */
static struct db_stmt *
rows_left(struct db_tx *tx, const struct walk *w, int64_t max)
{
	return audit_store_after(
	    tx, w->c->number, w->c->at.seq > 0 ? w->c->at.seq : INT64_MIN, max);
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
	return w->anchor && w->anchor->seq == p->seq &&
	       !secret_equal(w->anchor->mac, AUDIT_MAC_LEN, p->mac, AUDIT_MAC_LEN);
}

static void
found(struct walk *w, int64_t seq, const char *what)
{
	w->bad_chain = w->c->number;
	w->bad = seq;
	w->what = what;
}

static struct chain *
find_chain(struct walk *w, int64_t number)
{
	for (size_t i = 0; i < w->n_chains; i++)
		if (w->chains[i].number == number)
			return &w->chains[i];
	return NULL;
}

/* Chain 0 tells that another one was begun: it must be there, and be begun but once. */
static void
take_mention(struct walk *w, const struct audit_row *row)
{
	struct chain *c = find_chain(w, row->count);

	if (c && (c->begun == 0 || c->begun == row->seq)) {
		c->begun = row->seq;
		return;
	}
	found(w, 1, W_CHAIN_REMOVED);
	w->bad_chain = row->count;
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
	else if (w->c->number == AUDIT_CHAIN && str_eq_c(row->action, AUDIT_BEGIN))
		take_mention(w, row);
	return SOUK_OK;
}

static enum souk_err
walk_page(struct db_tx *tx, void *arg)
{
	struct walk *w = arg;
	struct db_stmt *st = rows_left(tx, w, PAGE_ROWS);
	struct audit_row row;
	enum souk_err r = SOUK_OK;
	bool more;

	w->next = w->c->at;
	found(w, 0, NULL);
	while (w->bad == 0 && (r = audit_store_next(st, &row, &more)) == SOUK_OK && more &&
	       row.seq <= w->c->last)
		if ((r = take(w, &row)) != SOUK_OK)
			break;
	db_reset(st);
	/* Fewer than `last` says: gone since the first moment. */
	if (r == SOUK_OK && w->bad == 0 && w->next.seq == w->c->at.seq)
		found(w, w->c->at.seq + 1, NULL);
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
	struct place before = w->c->at;
	struct audit_row row;
	enum souk_err r;
	bool more, ok = false;

	while ((r = audit_store_next(st, &row, &more)) == SOUK_OK && more) {
		if ((r = fits(w, &row, f->seq, w->c->at.mac, &ok)) != SOUK_OK)
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
	int64_t gone =
	    w->c->has_head && w->c->head.seq > w->c->last ? w->c->head.seq - w->c->last : 0;
	struct audit_row row;
	struct place here;
	enum souk_err r;
	bool more;

	if ((r = audit_store_next(st, &row, &more)) != SOUK_OK || !more ||
	    (r = look_at_row(w, f, &row)) != SOUK_OK)
		goto out;
	here = place_of(&row);
	f->shifted = gone > 0 && mac_eq(w->c->head.mac, row.mac);
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
	if (w->c->has_head && chain_seal_fits(w->v, &w->c->head) && f->seq > w->c->head.seq)
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
	const struct chain *c = w->c;
	int64_t last = c->at.seq;

	if (!c->has_head && (last > 0 || w->made))
		found(w, last > 0 ? last : 1, W_HEAD_MISSING);
	else if (c->has_head && !chain_seal_fits(w->v, &c->head))
		found(w, last > 0 ? last : 1, W_HEAD_EDITED);
	else if (c->has_head && c->head.seq > last)
		found(w, last + 1, W_CUT);
	else if (c->has_head && !secret_equal(c->head.mac, AUDIT_MAC_LEN, c->at.mac, AUDIT_MAC_LEN))
		found(w, last, W_HEAD_OTHER);
	else if (w->anchor && w->anchor->seq > last)
		found(w, w->anchor->seq, W_ANCHOR_MISSING);
}

static enum souk_err
walk_chain(struct db *db, struct walk *w)
{
	enum souk_err r = SOUK_OK;

	w->anchor = NULL;
	for (size_t i = 0; i < w->n_anchors; i++)
		if (w->anchors[i].chain == w->c->number)
			w->anchor = &w->anchors[i].place;
	/* The head of an empty chain is number 0 and zeros. */
	if (anchor_differs(w, &w->c->at))
		found(w, 1, W_ANCHOR_DIFFERS);
	else if (w->c->number != AUDIT_CHAIN && w->c->begun == 0)
		found(w, 1, W_CHAIN_INSERTED);
	while (w->bad == 0 && w->c->at.seq != w->c->last) {
		if ((r = db_read(db, walk_page, w)) != SOUK_OK)
			return r;
		w->c->at = w->next;
	}
	if (w->bad == 0)
		check_end(w);
	else if (!w->what)
		r = db_read(db, diagnose, w);
	return r;
}

static enum souk_err
run(struct db *db, struct walk *w)
{
	enum souk_err r = db_read(db, begin, w);

	for (size_t i = 0; i < w->n_chains && r == SOUK_OK && w->bad == 0; i++) {
		w->c = &w->chains[i];
		r = walk_chain(db, w);
	}
	for (size_t i = 0; i < w->n_anchors && r == SOUK_OK && w->bad == 0; i++)
		if (!find_chain(w, w->anchors[i].chain)) {
			w->bad_chain = w->anchors[i].chain;
			w->bad = w->anchors[i].place.seq;
			w->what = W_ANCHOR_MISSING;
		}
	return r;
}

/* ---- anchors ---- */

/* [CHAIN/]NUMBER:HEX */
static bool
parse_one(struct str s, struct noted *ret)
{
	const char *slash = memchr(s.p, '/', s.n), *colon;
	size_t n;

	*ret = (struct noted){ .chain = AUDIT_CHAIN };
	if (slash) {
		n = (size_t)(slash - s.p);
		if (!str_to_i64((struct str){ s.p, n }, &ret->chain) || ret->chain <= 0)
			return false;
		s = (struct str){ slash + 1, s.n - n - 1 };
	}
	if (!(colon = memchr(s.p, ':', s.n)))
		return false;
	n = (size_t)(colon - s.p);
	return str_to_i64((struct str){ s.p, n }, &ret->place.seq) && ret->place.seq >= 0 &&
	       hex_decode(
		   (struct str){ colon + 1, s.n - n - 1 }, ret->place.mac, AUDIT_MAC_LEN, &n) &&
	       n == AUDIT_MAC_LEN;
}

static enum souk_err
parse_anchor(const char *text, struct walk *w)
{
	size_t n = 1;

	for (const char *p = text; *p; p++)
		n += *p == ',';
	if (!(w->anchors = calloc(n, sizeof(*w->anchors))))
		return SOUK_E_NOMEM;
	for (const char *p = text; w->n_anchors < n; w->n_anchors++) {
		size_t len = strcspn(p, ",");

		if (!parse_one((struct str){ p, len }, &w->anchors[w->n_anchors]))
			return SOUK_E_INVALID;
		p += len + (p[len] != '\0');
	}
	return SOUK_OK;
}

bool
audit_anchor_is(const char *text)
{
	struct walk w = { 0 };
	bool is = parse_anchor(text, &w) == SOUK_OK;

	free(w.anchors);
	return is;
}

static enum souk_err
report(const struct walk *w, struct audit_report *ret)
{
	struct audit_report rep = { .chains = (int64_t)w->n_chains,
		.bad_chain = w->bad_chain,
		.bad_seq = w->bad,
		.what = w->what };
	struct buf anchor = { 0 };

	for (size_t i = 0; i < w->n_chains; i++) {
		const struct chain *c = &w->chains[i];

		rep.entries += c->at.seq;
		if (c->number != AUDIT_CHAIN)
			buf_printf(&anchor, ",%lld/", (long long)c->number);
		buf_add_i64(&anchor, c->at.seq);
		buf_add_char(&anchor, ':');
		buf_add_hex(&anchor, c->at.mac, AUDIT_MAC_LEN);
	}
	if (!buf_ok(&anchor) || !(rep.anchor = strdup(anchor.p))) {
		buf_done(&anchor);
		return SOUK_E_NOMEM;
	}
	buf_done(&anchor);
	*ret = rep;
	return SOUK_OK;
}

enum souk_err
audit_verify(struct db *db, const struct vault *v, const char *anchor, struct audit_report *ret)
{
	struct walk w = { .v = v };
	enum souk_err r = anchor ? parse_anchor(anchor, &w) : SOUK_OK;

	if (r == SOUK_OK && (r = run(db, &w)) == SOUK_OK)
		r = report(&w, ret);
	buf_done(&w.text);
	free(w.chains);
	free(w.anchors);
	return r;
}

void
audit_report_done(struct audit_report *rep)
{
	free(rep->anchor);
	rep->anchor = NULL;
}
