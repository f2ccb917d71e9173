/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statements behind data sets from facts. All give the same columns, so that one reader serves them.
 *
 * Every one is of one seller. What was used first in a window needs all that was used before: one pass
 * over the seller's usage, grouped, and no index that each record would have to pay for.
 */
#include "edsp/facts_store.h"

#define BUYER " a.account_id, a.country, a.region, a.city, a.postal_code, a.email_domain,"
#define PRODUCT " p.product_id, p.product_code, p.title,"
#define OFFER " o.offer_id, o.visibility,"
#define SUBSCRIPTION " s.subscription_id, s.kind, s.quantity, s.starts_at,"
#define NONE " NULL, NULL"
#define JOINS(of)                                                                                  \
	" JOIN product p ON p.seller_id = " of ".seller_id AND p.product_id = " of ".product_id"   \
	" JOIN account a ON a.account_id = " of ".buyer_id"                                        \
	" LEFT JOIN offer o ON o.seller_id = " of ".seller_id AND o.offer_id = " of ".offer_id"
#define ORDERED " ORDER BY s.buyer_id, s.product_id, s.subscription_id"

/* Subscriptions that were in force at $2, as known at $3. */
#define IN_FORCE                                                                                   \
	" WHERE s.seller_id = $1 AND s.starts_at <= $2"                                            \
	" AND (s.ended_at IS NULL OR s.ended_at > $2) AND s.created_at < $3"
/* The one before it: same buyer and product, paid up-front too. */
#define PREVIOUS(column)                                                                           \
	"(SELECT q." column " FROM subscription q WHERE q.seller_id = s.seller_id"                 \
	" AND q.buyer_id = s.buyer_id AND q.product_id = s.product_id"                             \
	" AND q.kind IN ('annual', 'contract') AND q.starts_at < s.starts_at"                      \
	" ORDER BY q.starts_at DESC, q.subscription_id LIMIT 1)"

#define FACTS_SQL(X)                                                                               \
	X(Q_HOURLY, "SELECT" BUYER PRODUCT OFFER SUBSCRIPTION " NULL," NONE                        \
		    " FROM subscription s" JOINS("s") IN_FORCE                                     \
	    " AND s.kind NOT IN ('annual', 'contract')" ORDERED)                                   \
	X(Q_ANNUAL,                                                                                \
	    "SELECT" BUYER PRODUCT OFFER SUBSCRIPTION " NULL," PREVIOUS(                           \
		"subscription_id") ", " PREVIOUS("offer_id") " FROM subscription s" JOINS("s")     \
		IN_FORCE " AND s.kind IN ('annual', 'contract')" ORDERED)                          \
	X(Q_USAGE, "SELECT" BUYER PRODUCT OFFER " NULL, NULL, s.units, NULL, s.dimension," NONE    \
		   " FROM (SELECT u.seller_id, u.buyer_id, u.product_id, r.offer_id,"              \
		   " u.dimension, CAST(sum(u.quantity) AS BIGINT) AS units"                        \
		   " FROM usage_record u JOIN subscription r ON r.seller_id = u.seller_id"         \
		   " AND r.subscription_id = u.subscription_id"                                    \
		   " WHERE u.seller_id = $1 AND u.hour >= $2 AND u.hour <= $3"                     \
		   " AND u.received_at < $4 AND u.quantity > 0"                                    \
		   " GROUP BY u.seller_id, u.buyer_id, u.product_id, r.offer_id, u.dimension) AS " \
		   "s" JOINS("s") " ORDER BY s.buyer_id, s.product_id, s.dimension, s.offer_id")   \
	X(Q_NEW_INSTANCES,                                                                         \
	    "SELECT" BUYER PRODUCT " NULL, NULL, NULL, NULL, s.n, NULL, s.dimension," NONE         \
	    " FROM (SELECT u.seller_id, u.buyer_id, u.product_id, u.dimension,"                    \
	    " CAST(1 AS BIGINT) AS n FROM usage_record u WHERE u.seller_id = $1"                   \
	    " AND u.hour <= $2 AND u.received_at < $3 AND u.quantity > 0"                          \
	    " GROUP BY u.seller_id, u.buyer_id, u.product_id, u.dimension"                         \
	    " HAVING min(u.hour) >= $4) AS s"                                                      \
	    " JOIN product p ON p.seller_id = s.seller_id AND p.product_id = s.product_id"         \
	    " JOIN account a ON a.account_id = s.buyer_id"                                         \
	    " ORDER BY s.buyer_id, s.product_id, s.dimension")                                     \
	X(Q_NEW,                                                                                   \
	    "SELECT" BUYER PRODUCT OFFER SUBSCRIPTION " NULL," NONE " FROM subscription s" JOINS(  \
		"s") " WHERE s.seller_id = $1"                                                     \
		     " AND s.starts_at >= $2 AND s.starts_at <= $3 AND s.created_at < $4" ORDERED) \
	X(Q_CANCELED,                                                                              \
	    "SELECT" BUYER PRODUCT OFFER SUBSCRIPTION " NULL," NONE " FROM subscription s" JOINS(  \
		"s") " WHERE s.seller_id = $1"                                                     \
		     " AND s.ended_at >= $2 AND s.ended_at <= $3 AND s.created_at < $4" ORDERED)

enum facts_q {
#define X(id, sql) id,
	FACTS_SQL(X)
#undef X
	    Q__COUNT
};

static const char *const sql_texts[Q__COUNT] = {
#define X(id, sql) [id] = sql,
	FACTS_SQL(X)
#undef X
};

struct db_texts edsp_facts_texts = { .component = "edsp.facts", .sql = sql_texts, .n = Q__COUNT };

/* The last millisecond of the window: its end is told to the second. */
static instant_t
last_ms(const struct facts_request *q)
{
	return q->covers.to + SECOND_MS - 1;
}

static struct db_stmt *
scan_window(struct db_tx *tx, const struct facts_request *q, unsigned text)
{
	struct db_stmt *st = db_scan(tx, &edsp_facts_texts, text);

	db_bind_text(st, 1, q->seller_id);
	db_bind_int(st, 2, q->covers.from);
	db_bind_int(st, 3, last_ms(q));
	db_bind_int(st, 4, q->known_at);
	return st;
}

static struct db_stmt *
scan_state(struct db_tx *tx, const struct facts_request *q, unsigned text)
{
	struct db_stmt *st = db_scan(tx, &edsp_facts_texts, text);

	db_bind_text(st, 1, q->seller_id);
	db_bind_int(st, 2, last_ms(q));
	db_bind_int(st, 3, q->known_at);
	if (text == Q_NEW_INSTANCES)
		db_bind_int(st, 4, q->covers.from);
	return st;
}

struct db_stmt *
facts_scan(struct db_tx *tx, const struct facts_request *q)
{
	if (q->data_set == DS_SUBSCRIBER_HOURLY_MONTHLY)
		return scan_state(tx, q, Q_HOURLY);
	if (q->data_set == DS_SUBSCRIBER_ANNUAL)
		return scan_state(tx, q, Q_ANNUAL);
	if (q->data_set == DS_DAILY_NEW_INSTANCES)
		return scan_state(tx, q, Q_NEW_INSTANCES);
	if (q->data_set == DS_DAILY_USAGE_BY_INSTANCE_TYPE)
		return scan_window(tx, q, Q_USAGE);
	if (q->data_set == DS_DAILY_NEW_SUBSCRIBERS)
		return scan_window(tx, q, Q_NEW);
	if (q->data_set == DS_DAILY_CANCELED_SUBSCRIBERS)
		return scan_window(tx, q, Q_CANCELED);
	return NULL;
}

void
facts_read(struct db_stmt *st, struct fact_row *ret)
{
	*ret = (struct fact_row){
		.buyer_id = db_text(st, 0),
		.country = db_text(st, 1),
		.region = db_text(st, 2),
		.city = db_text(st, 3),
		.postal_code = db_text(st, 4),
		.email_domain = db_text(st, 5),
		.product_id = db_guid(st, 6),
		.product_code = db_text(st, 7),
		.product_title = db_text(st, 8),
		.offer_id = db_guid(st, 9),
		.visibility = db_text(st, 10),
		.subscription_id = db_guid(st, 11),
		.kind = db_text(st, 12),
		.quantity = db_int(st, 13),
		.starts_at = db_int(st, 14),
		.dimension = db_text(st, 15),
		.is_renewal = !db_is_null(st, 16),
		.previous_offer_id = db_guid(st, 17),
	};
}
