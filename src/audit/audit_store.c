/* SPDX-License-Identifier: Apache-2.0 */
/* Statements on the audit chain. */
#include "audit/audit_store.h"

#define ROW                                                                                        \
	"SELECT chain, seq, at, account_id, actor, action, resource, seller_id, purpose, "         \
	"outcome, count,"                                                                          \
	" request_id, mac FROM audit_entry"

#define AUDIT_SQL(X)                                                                               \
	X(Q_HEAD, "SELECT seq, mac, seal FROM audit_head WHERE chain = $1")                        \
	X(Q_HEAD_INSERT, "INSERT INTO audit_head (seq, mac, seal, chain) VALUES ($1, $2, $3, $4)") \
	X(Q_HEAD_UPDATE, "UPDATE audit_head SET seq = $1, mac = $2, seal = $3 WHERE chain = $4")   \
	X(Q_INSERT,                                                                                \
	    "INSERT INTO audit_entry (chain, seq, at, account_id, actor, action, resource,"        \
	    " seller_id, purpose, outcome, count, request_id, mac)"                                \
	    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)")                    \
	X(Q_LAST, "SELECT seq FROM audit_entry WHERE chain = $1 ORDER BY seq DESC LIMIT 1")        \
	X(Q_CHAIN_OF_HEAD,                                                                         \
	    "SELECT chain FROM audit_head WHERE chain >= $1 ORDER BY chain LIMIT 1")               \
	X(Q_CHAIN_OF_ENTRY,                                                                        \
	    "SELECT chain FROM audit_entry WHERE chain >= $1 ORDER BY chain LIMIT 1")              \
	X(Q_AFTER, ROW " WHERE chain = $1 AND seq > $2 ORDER BY seq LIMIT $3")                     \
	X(Q_BEFORE, ROW " WHERE chain = $1 AND seq < $2 ORDER BY seq DESC LIMIT $3")               \
	X(Q_OLDER, ROW " WHERE (at, chain, seq) < ($1, $2, $3)"                                    \
		       " ORDER BY at DESC, chain DESC, seq DESC LIMIT $4")

enum audit_q {
#define X(id, sql) id,
	AUDIT_SQL(X)
#undef X
	    Q__COUNT
};

static const char *const sql_texts[Q__COUNT] = {
#define X(id, sql) [id] = sql,
	AUDIT_SQL(X)
#undef X
};

struct db_texts audit_texts = { .component = "audit", .sql = sql_texts, .n = Q__COUNT };

static void
mac_column(struct db_stmt *st, int col, uint8_t out[AUDIT_MAC_LEN])
{
	struct str b = db_blob(st, col);

	if (b.n == AUDIT_MAC_LEN)
		memcpy(out, b.p, AUDIT_MAC_LEN);
}

enum souk_err
audit_store_head(struct db_tx *tx, int64_t chain, struct audit_head *ret)
{
	struct db_stmt *st = db_stmt(tx, &audit_texts, Q_HEAD);
	struct audit_head h = { .chain = chain };
	enum souk_err r;

	db_bind_int(st, 1, chain);
	if ((r = db_one(st)) != SOUK_OK)
		return r;
	h.seq = db_int(st, 0);
	mac_column(st, 1, h.mac);
	mac_column(st, 2, h.seal);
	db_reset(st);
	*ret = h;
	return SOUK_OK;
}

enum souk_err
audit_store_head_put(struct db_tx *tx, const struct audit_head *h, bool first, bool later)
{
	struct db_stmt *st = db_stmt(tx, &audit_texts, first ? Q_HEAD_INSERT : Q_HEAD_UPDATE);

	db_bind_int(st, 1, h->seq);
	db_bind_blob(st, 2, h->mac, AUDIT_MAC_LEN);
	db_bind_blob(st, 3, h->seal, AUDIT_MAC_LEN);
	db_bind_int(st, 4, h->chain);
	return later ? db_run_later(st) : db_run(st, NULL);
}

enum souk_err
audit_store_insert(struct db_tx *tx, const struct audit_row *r, bool later)
{
	struct db_stmt *st = db_stmt(tx, &audit_texts, Q_INSERT);

	db_bind_int(st, 1, r->chain);
	db_bind_int(st, 2, r->seq);
	db_bind_int(st, 3, r->at);
	db_bind_text(st, 4, r->account_id);
	db_bind_text(st, 5, r->actor);
	db_bind_text(st, 6, r->action);
	db_bind_text(st, 7, r->resource);
	db_bind_text(st, 8, r->seller_id);
	db_bind_text(st, 9, r->purpose);
	db_bind_text(st, 10, r->outcome);
	db_bind_int(st, 11, r->count);
	db_bind_text(st, 12, r->request_id);
	db_bind_blob(st, 13, r->mac.p, r->mac.n);
	return later ? db_run_later(st) : db_run(st, NULL);
}

/* The one number that a text with one parameter gives. */
static enum souk_err
number(struct db_tx *tx, enum audit_q q, int64_t arg, int64_t *ret)
{
	struct db_stmt *st = db_stmt(tx, &audit_texts, q);
	enum souk_err r;

	db_bind_int(st, 1, arg);
	if ((r = db_one(st)) != SOUK_OK)
		return r;
	*ret = db_int(st, 0);
	db_reset(st);
	return SOUK_OK;
}

enum souk_err
audit_store_last(struct db_tx *tx, int64_t chain, int64_t *ret)
{
	enum souk_err r = number(tx, Q_LAST, chain, ret);

	if (r == SOUK_E_NOT_FOUND) {
		*ret = 0;
		return SOUK_OK;
	}
	return r;
}

enum souk_err
audit_store_chain_from(struct db_tx *tx, int64_t from, int64_t *ret)
{
	int64_t of_head = 0, of_entry = 0;
	enum souk_err head = number(tx, Q_CHAIN_OF_HEAD, from, &of_head);
	enum souk_err entry = head == SOUK_OK || head == SOUK_E_NOT_FOUND
				  ? number(tx, Q_CHAIN_OF_ENTRY, from, &of_entry)
				  : head;

	if (entry != SOUK_OK && entry != SOUK_E_NOT_FOUND)
		return entry;
	if (head != SOUK_OK && entry != SOUK_OK)
		return SOUK_E_NOT_FOUND;
	*ret = entry != SOUK_OK || (head == SOUK_OK && of_head < of_entry) ? of_head : of_entry;
	return SOUK_OK;
}

static struct db_stmt *
rows(struct db_tx *tx, enum audit_q q, int64_t chain, int64_t seq, int64_t max)
{
	struct db_stmt *st = db_scan(tx, &audit_texts, q);

	db_bind_int(st, 1, chain);
	db_bind_int(st, 2, seq);
	db_bind_int(st, 3, max);
	return st;
}

struct db_stmt *
audit_store_after(struct db_tx *tx, int64_t chain, int64_t seq, int64_t max)
{
	return rows(tx, Q_AFTER, chain, seq, max);
}

struct db_stmt *
audit_store_before(struct db_tx *tx, int64_t seq, int64_t max)
{
	return rows(tx, Q_BEFORE, AUDIT_CHAIN, seq, max);
}

struct db_stmt *
audit_store_older(struct db_tx *tx, int64_t at, int64_t chain, int64_t seq, int64_t max)
{
	struct db_stmt *st = db_scan(tx, &audit_texts, Q_OLDER);

	db_bind_int(st, 1, at);
	db_bind_int(st, 2, chain);
	db_bind_int(st, 3, seq);
	db_bind_int(st, 4, max);
	return st;
}

enum souk_err
audit_store_next(struct db_stmt *st, struct audit_row *ret, bool *ret_row)
{
	enum souk_err r;
	bool row;

	if ((r = db_step(st, &row)) != SOUK_OK)
		return r;
	*ret_row = row;
	if (row)
		*ret = (struct audit_row){
			.chain = db_int(st, 0),
			.seq = db_int(st, 1),
			.at = db_int(st, 2),
			.account_id = db_text(st, 3),
			.actor = db_text(st, 4),
			.action = db_text(st, 5),
			.resource = db_text(st, 6),
			.seller_id = db_text(st, 7),
			.purpose = db_text(st, 8),
			.outcome = db_text(st, 9),
			.count = db_int(st, 10),
			.request_id = db_text(st, 11),
			.mac = db_blob(st, 12),
		};
	return SOUK_OK;
}
