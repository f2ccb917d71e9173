/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Appending to the audit chain and listing it.
 *
 * The danger is mending what somebody broke: an append that went on from a head that is
 * not ours would hide that entries were cut off. So the head's seal is checked before
 * each append, and a chain with a wrong or missing head takes no more entries. Only the end
 * that we put there ourselves, with nobody after us, is gone on from without a look.
 */
#include "audit/audit.h"

#include "audit/chain.h"
#include "base/json.h"

#define OUTCOME_ALLOWED STR("allowed")
#define OUTCOME_REFUSED STR("refused")

/* Rows one call of audit_list looks at; a rare filter goes on with the next page. */
#define SCAN_MAX 10000

/* What db_lane_memo holds for us: the end that the lane's last transaction left. */
struct memo {
	int64_t seq; /* 0: not known */
	uint8_t mac[AUDIT_MAC_LEN];
};
_Static_assert(sizeof(struct memo) <= DB_LANE_MEMO, "db.h");

struct end {
	struct audit_head head;
	bool first; /* the chain is empty */
	bool later; /* the database was not asked about it: its answers need no waiting for */
	bool lane;  /* of this lane's chain: its head is put once, when the transaction ends */
};

/* Chain 0's end, or SOUK_E_INTERNAL when it is not ours to go on from. */
static enum souk_err
end_of_first(struct db_tx *tx, const struct vault *v, struct end *ret)
{
	enum souk_err r = audit_store_head(tx, AUDIT_CHAIN, &ret->head);
	int64_t last;
	bool begun;

	ret->first = r == SOUK_E_NOT_FOUND;
	if (r == SOUK_OK)
		return chain_seal_fits(v, &ret->head) ? SOUK_OK : SOUK_E_INTERNAL;
	if (r != SOUK_E_NOT_FOUND)
		return r;
	ret->head = (struct audit_head){ .chain = AUDIT_CHAIN };
	if ((r = audit_store_last(tx, AUDIT_CHAIN, &last)) != SOUK_OK ||
	    (r = chain_was_begun(tx, &begun)) != SOUK_OK)
		return r;
	return last == 0 && !begun ? SOUK_OK : SOUK_E_INTERNAL;
}

/*
 * The chain's head as the last append left it. Once a transaction: each of a row's changes in one
 * transaction makes the next one dearer on PostgreSQL.
 */
static enum souk_err
put_head(struct db_tx *tx, void *arg)
{
	const struct vault *v = arg;
	const struct memo *memo = db_lane_memo(tx);
	struct audit_head h = { .chain = db_lane(tx), .seq = memo->seq };

	memcpy(h.mac, memo->mac, sizeof(h.mac));
	chain_seal(v, &h, h.seal);
	return audit_store_head_put(tx, &h, false, true);
}

/* Puts the row behind the end, which it moves on. */
static enum souk_err
put(struct db_tx *tx, const struct vault *v, struct audit_row *row, struct end *end)
{
	struct buf text = { 0 };
	uint8_t mac[AUDIT_MAC_LEN];
	enum souk_err r;

	row->chain = end->head.chain;
	row->seq = end->head.seq + 1;
	row->at = db_now(tx);
	row->mac = (struct str){ (const char *)mac, sizeof(mac) };
	chain_text(row, &text);
	if ((r = chain_mac(v, &text, row->seq, end->head.mac, mac)) != SOUK_OK ||
	    (r = audit_store_insert(tx, row, end->later)) != SOUK_OK)
		goto out;
	end->head.seq = row->seq;
	memcpy(end->head.mac, mac, sizeof(mac));
	if (end->lane && !end->first) {
		db_before_commit(tx, put_head, (void *)(uintptr_t)v); /* which only reads it */
	} else {
		chain_seal(v, &end->head, end->head.seal);
		r = audit_store_head_put(tx, &end->head, end->first, end->later);
	}
out:
	buf_done(&text);
	return r;
}

/*
 * A lane's first entry ever: chain 0 tells of it, in the same transaction. Nobody has lane 0
 * where there are several, so chain 0 needs a lock; once in the life of a lane.
 */
static enum souk_err
begin_chain(struct db_tx *tx, const struct vault *v, int64_t chain)
{
	struct end end = { 0 };
	struct audit_row row = { .actor = STR("audit"),
		.action = STR(AUDIT_BEGIN),
		.outcome = OUTCOME_ALLOWED,
		.count = chain };
	int64_t last;
	enum souk_err r;

	if ((r = lock_subject(tx, AUDIT_BEGIN, sizeof(AUDIT_BEGIN))) != SOUK_OK ||
	    (r = audit_store_last(tx, chain, &last)) != SOUK_OK)
		return r;
	if (last != 0)
		return SOUK_E_INTERNAL;
	/* Were it begun already, chain 0 tells of it twice: that is how its loss shows. */
	return (r = end_of_first(tx, v, &end)) == SOUK_OK ? put(tx, v, &row, &end) : r;
}

/* The end to go on from. */
static enum souk_err
load_end(struct db_tx *tx, const struct vault *v, struct end *ret)
{
	const struct memo *memo = db_lane_memo(tx);
	int64_t chain = db_lane(tx);
	enum souk_err r;

	*ret = (struct end){ .head.chain = chain, .lane = true };
	if (memo->seq != 0) {
		ret->head.seq = memo->seq;
		memcpy(ret->head.mac, memo->mac, sizeof(memo->mac));
		ret->later = true;
		return SOUK_OK;
	}
	if (chain == AUDIT_CHAIN)
		return end_of_first(tx, v, ret);
	if ((r = audit_store_head(tx, chain, &ret->head)) == SOUK_OK)
		return chain_seal_fits(v, &ret->head) ? SOUK_OK : SOUK_E_INTERNAL;
	if (r != SOUK_E_NOT_FOUND)
		return r;
	ret->first = true;
	return begin_chain(tx, v, chain);
}

enum souk_err
audit_append(struct db_tx *tx, const struct vault *v, const struct audit_entry *e)
{
	struct memo *memo = db_lane_memo(tx);
	struct end end;
	struct audit_row row = { .account_id = e->account_id,
		.actor = e->actor,
		.action = str_c(e->action),
		.resource = e->resource,
		.seller_id = e->seller_id,
		.purpose = e->purpose,
		.outcome = e->refused ? OUTCOME_REFUSED : OUTCOME_ALLOWED,
		.count = e->count,
		.request_id = e->request_id };
	enum souk_err r;

	if ((r = load_end(tx, v, &end)) == SOUK_OK && (r = put(tx, v, &row, &end)) == SOUK_OK) {
		memo->seq = end.head.seq;
		memcpy(memo->mac, end.head.mac, sizeof(memo->mac));
	}
	/* A number that is taken: the chain is broken, the caller's request is not at fault. */
	return r == SOUK_E_CONFLICT ? SOUK_E_INTERNAL : r;
}

/* ---- listing ---- */

static bool
wanted(const struct audit_filter *q, const struct audit_row *r)
{
	return (q->account_id.n == 0 || str_eq(q->account_id, r->account_id)) &&
	       (q->seller_id.n == 0 || str_eq(q->seller_id, r->seller_id));
}

static void
write_entry(struct jw *w, const struct audit_row *r)
{
	jw_open(w, NULL, '{');
	jw_int(w, "chain", r->chain);
	jw_int(w, "seq", r->seq);
	jw_instant(w, "at", r->at);
	jw_str(w, "accountId", r->account_id);
	jw_str(w, "actor", r->actor);
	jw_str(w, "action", r->action);
	jw_str(w, "resource", r->resource);
	jw_str(w, "sellerId", r->seller_id);
	jw_str(w, "purpose", r->purpose);
	jw_str(w, "outcome", r->outcome);
	jw_int(w, "count", r->count);
	jw_str(w, "requestId", r->request_id);
	jw_close(w, '}');
}

bool
audit_place_parse(struct str text, struct audit_place *ret)
{
	int64_t n[3];

	for (int i = 0; i < 3; i++) {
		const char *dot = i < 2 ? memchr(text.p, '.', text.n) : text.p + text.n;
		size_t len = dot ? (size_t)(dot - text.p) : 0;

		if (!dot || !str_to_i64((struct str){ text.p, len }, &n[i]))
			return false;
		if (i < 2)
			text = (struct str){ dot + 1, text.n - len - 1 };
	}
	*ret = (struct audit_place){ .at = n[0], .chain = n[1], .seq = n[2] };
	return n[1] >= 0 && n[2] > 0;
}

void
audit_place_add(struct buf *b, const struct audit_place *p)
{
	buf_add_i64(b, p->at);
	buf_add_char(b, '.');
	buf_add_i64(b, p->chain);
	buf_add_char(b, '.');
	buf_add_i64(b, p->seq);
}

/* One chain has the order of its numbers, whatever the clock did; several have that of time. */
static enum souk_err
rows_before(struct db_tx *tx, const struct audit_place *p, struct db_stmt **ret)
{
	int64_t other;
	enum souk_err r = audit_store_chain_from(tx, AUDIT_CHAIN + 1, &other);

	if (r == SOUK_E_NOT_FOUND)
		*ret = audit_store_before(tx, p->seq > 0 ? p->seq : INT64_MAX, SCAN_MAX + 1);
	else if (r == SOUK_OK && p->seq > 0)
		*ret = audit_store_older(tx, p->at, p->chain, p->seq, SCAN_MAX + 1);
	else if (r == SOUK_OK)
		*ret = audit_store_older(tx, INT64_MAX, INT64_MAX, INT64_MAX, SCAN_MAX + 1);
	return r == SOUK_E_NOT_FOUND ? SOUK_OK : r;
}

enum souk_err
audit_list(struct db_tx *tx, const struct audit_filter *q, struct buf *out,
    struct audit_place *ret_next, size_t *ret_n)
{
	struct audit_place last = { 0 };
	struct db_stmt *st;
	struct audit_row row;
	struct jw w;
	size_t n = 0, seen = 0;
	enum souk_err r = rows_before(tx, &q->before, &st);
	bool more = true;

	if (r != SOUK_OK)
		return r;
	jw_init(&w, out);
	/* One row further than the page: is there a next one? */
	while ((r = audit_store_next(st, &row, &more)) == SOUK_OK && more && n < q->limit &&
	       seen++ < SCAN_MAX) {
		last = (struct audit_place){ .at = row.at, .chain = row.chain, .seq = row.seq };
		if (wanted(q, &row)) {
			write_entry(&w, &row);
			n++;
		}
	}
	db_reset(st);
	if (r != SOUK_OK)
		return r;
	if (!buf_ok(out))
		return SOUK_E_NOMEM;
	*ret_next = more ? last : (struct audit_place){ 0 };
	*ret_n = n;
	return SOUK_OK;
}
