/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statements behind data sets from facts. All give the same columns, so that one reader serves them.
 *
 * Every one is of one seller. What was used first in a window needs all that was used before: one pass
 * over the seller's usage, grouped, and no index that each record would have to pay for.
 */
#include "edsp/facts_store.h"

#define BUYER " a.account_id, a.country, a.region, a.city, a.postal_code, a.email_domain,"
#define NO_BUYER " NULL, NULL, NULL, NULL, NULL, NULL,"
#define PRODUCT                                                                                    \
	" p.product_id, p.product_code, p.title, p.dimensions, p.solution_id, p.solution_title,"
#define OFFER                                                                                      \
	" o.offer_id, o.visibility, o.program, o.reseller_id,"                                     \
	" (SELECT c.name FROM account c WHERE c.account_id = o.reseller_id),"
#define NO_OFFER " NULL, NULL, NULL, NULL, NULL,"
#define SUBSCRIPTION " s.subscription_id, s.kind, s.quantity, s.starts_at,"
#define NO_MORE " NULL, NULL, NULL, NULL, NULL, NULL"
#define NONE " NULL, NULL," NO_MORE
#define OF_PRODUCT(of)                                                                             \
	" JOIN product p ON p.seller_id = " of ".seller_id AND p.product_id = " of ".product_id"
#define OF_BUYER(of) " JOIN account a ON a.account_id = " of ".buyer_id"
#define JOINS(of)                                                                                  \
	OF_PRODUCT(of)                                                                             \
	OF_BUYER(of)                                                                               \
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
/* Usage of hours from $2 to $3, as known at $4. */
#define USED                                                                                       \
	"SELECT seller_id, hour, buyer_id, product_id, subscription_id, dimension, quantity"       \
	" FROM usage_record WHERE seller_id = $1 AND hour >= $2 AND hour <= $3"                    \
	" AND received_at < $4 AND quantity > 0"
#define BY_RIGHT                                                                                   \
	" JOIN subscription r ON r.seller_id = u.seller_id"                                        \
	" AND r.subscription_id = u.subscription_id"
#define COUNTED(when, name) "CAST(sum(CASE WHEN " when " THEN 1 ELSE 0 END) AS BIGINT) AS " name

/*
 * Usage by what its hour cost, because a price may change within the day: the reader adds the rows of a line up.
 * A free trial's hours are units that are not billed.
 */
#define SQL_USAGE                                                                                  \
	"SELECT" BUYER PRODUCT OFFER " NULL, NULL, s.units, NULL, s.dimension, NULL, NULL,"        \
	" s.price, s.currency, s.billed, NULL, NULL, NULL FROM (SELECT"                            \
	" u.seller_id, u.buyer_id, u.product_id, r.offer_id, u.dimension, t.price, t.currency,"    \
	" CAST(sum(u.quantity) AS BIGINT) AS units, CAST(sum(CASE"                                 \
	" WHEN r.trial_ends_at > u.hour THEN 0 ELSE u.quantity END) AS BIGINT) AS billed"          \
	" FROM (" USED ") AS u" BY_RIGHT " LEFT JOIN offer_rate t ON t.seller_id = u.seller_id"    \
	" AND t.offer_id = r.offer_id AND t.dimension = u.dimension AND t.starts_at ="             \
	" (SELECT max(x.starts_at) FROM offer_rate x WHERE x.seller_id = $1"                       \
	" AND x.offer_id = r.offer_id AND x.dimension = u.dimension AND x.starts_at <= u.hour"     \
	" AND x.created_at < $4) GROUP BY u.seller_id, u.buyer_id, u.product_id, r.offer_id,"      \
	" u.dimension, t.price, t.currency) AS s" JOINS(                                           \
	    "s") " ORDER BY s.buyer_id, s.product_id, s.dimension, s.offer_id IS NOT NULL, "       \
		 "s.offer_id,"                                                                     \
		 " COALESCE(s.currency, ''), s.price"

#define SQL_NEW_INSTANCES                                                                          \
	"SELECT" BUYER PRODUCT NO_OFFER " NULL, NULL, s.n, NULL, s.dimension," NONE                \
	" FROM (SELECT u.seller_id, u.buyer_id, u.product_id, u.dimension,"                        \
	" CAST(1 AS BIGINT) AS n FROM usage_record u WHERE u.seller_id = $1"                       \
	" AND u.hour <= $2 AND u.received_at < $3 AND u.quantity > 0"                              \
	" GROUP BY u.seller_id, u.buyer_id, u.product_id, u.dimension"                             \
	" HAVING min(u.hour) >= $4) AS s" OF_PRODUCT("s")                                          \
	    OF_BUYER("s") " ORDER BY s.buyer_id, s.product_id, s.dimension"

#define SQL_FEES                                                                                   \
	"SELECT" BUYER PRODUCT NO_OFFER " s.subscription_id, s.kind, s.quantity, NULL,"            \
	" s.dimension, NULL, NULL, s.amount, s.currency, NULL, s.description, s.period_start,"     \
	" s.period_end FROM (SELECT e.seller_id, e.fee_id, e.subscription_id, e.kind, e.quantity," \
	" e.dimension, e.amount, e.currency, e.description, e.period_start, e.period_end,"         \
	" e.posted_at, r.buyer_id, r.product_id FROM fee e"                                        \
	" JOIN subscription r ON r.seller_id = e.seller_id"                                        \
	" AND r.subscription_id = e.subscription_id WHERE e.seller_id = $1"                        \
	" AND e.posted_at >= $2 AND e.posted_at <= $3 AND e.created_at < $4)"                      \
	" AS s" OF_PRODUCT("s")                                                                    \
	    OF_BUYER("s") " ORDER BY s.buyer_id, s.product_id, s.posted_at, s.fee_id"

/* From $1 to $2. A trial is converted when its subscription outlives it; it is over when either ends. */
#define SQL_TRIALS                                                                                 \
	"SELECT" NO_BUYER PRODUCT NO_OFFER " NULL, NULL, s.fresh, NULL, NULL, NULL, NULL,"         \
	" NULL, NULL, s.present, NULL, s.converted, s.lapsed"                                      \
	" FROM (SELECT r.seller_id, r.product_id, " COUNTED(                                       \
	    "r.starts_at >= $1 AND r.starts_at <= $2",                                             \
	    "fresh") ", " COUNTED("r.starts_at <= $2 AND r.trial_ends_at > $2"                     \
				  " AND (r.ended_at IS NULL OR r.ended_at > $2)",                  \
	    "present") ", " COUNTED("r.trial_ends_at >= $1 AND r.trial_ends_at <= $2"              \
				    " AND (r.ended_at IS NULL OR r.ended_at > r.trial_ends_at)",   \
	    "converted") ", " COUNTED("r.ended_at >= $1 AND r.ended_at <= $2"                      \
				      " AND r.ended_at <= r.trial_ends_at",                        \
	    "lapsed") " FROM subscription r WHERE r.seller_id = $3 AND r.trial_ends_at IS NOT "    \
		      "NULL"                                                                       \
		      " AND r.created_at < $4 GROUP BY r.seller_id, r.product_id) AS "             \
		      "s" OF_PRODUCT("s") " WHERE s.fresh + s.present + s.converted + s.lapsed > " \
					  "0 ORDER BY s.product_id"

/* The operator's own staff uses it on an offer of the program. */
#define SQL_DEMONSTRATED                                                                           \
	"SELECT" NO_BUYER PRODUCT NO_OFFER " NULL, NULL, s.units, NULL, s.dimension," NONE         \
	" FROM (SELECT u.seller_id, u.product_id, u.dimension,"                                    \
	" CAST(sum(u.quantity) AS BIGINT) AS units FROM (" USED ") AS u" BY_RIGHT                  \
	" JOIN offer o ON o.seller_id = u.seller_id AND o.offer_id = r.offer_id"                   \
	" AND o.program = 'FieldDemonstration'"                                                    \
	" GROUP BY u.seller_id, u.product_id, u.dimension) AS s" OF_PRODUCT(                       \
	    "s") " ORDER BY s.product_id, s.dimension"

#define FACTS_SQL(X)                                                                               \
	X(Q_HOURLY, "SELECT" BUYER PRODUCT OFFER SUBSCRIPTION " NULL," NONE                        \
		    " FROM subscription s" JOINS("s") IN_FORCE                                     \
	    " AND s.kind NOT IN ('annual', 'contract')" ORDERED)                                   \
	X(Q_ANNUAL, "SELECT" BUYER PRODUCT OFFER SUBSCRIPTION                                      \
		    " NULL, " PREVIOUS("subscription_id") ", " PREVIOUS(                           \
			"offer_id") "," NO_MORE " FROM subscription s" JOINS("s") IN_FORCE         \
	    " AND s.kind IN ('annual', 'contract')" ORDERED)                                       \
	X(Q_USAGE, SQL_USAGE)                                                                      \
	X(Q_NEW_INSTANCES, SQL_NEW_INSTANCES)                                                      \
	X(Q_FEES, SQL_FEES)                                                                        \
	X(Q_TRIALS, SQL_TRIALS)                                                                    \
	X(Q_DEMONSTRATED, SQL_DEMONSTRATED)                                                        \
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

static struct db_stmt *
scan_trials(struct db_tx *tx, const struct facts_request *q)
{
	struct db_stmt *st = db_scan(tx, &edsp_facts_texts, Q_TRIALS);

	db_bind_int(st, 1, q->covers.from);
	db_bind_int(st, 2, last_ms(q));
	db_bind_text(st, 3, q->seller_id);
	db_bind_int(st, 4, q->known_at);
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
	if (q->data_set == DS_DAILY_FEES)
		return scan_window(tx, q, Q_FEES);
	if (q->data_set == DS_DAILY_FREE_TRIAL_CONVERSIONS)
		return scan_trials(tx, q);
	if (q->data_set == DS_DAILY_NEW_SUBSCRIBERS)
		return scan_window(tx, q, Q_NEW);
	if (q->data_set == DS_DAILY_CANCELED_SUBSCRIBERS)
		return scan_window(tx, q, Q_CANCELED);
	if (q->data_set == DS_FIELD_DEMONSTRATION)
		return scan_window(tx, q, Q_DEMONSTRATED);
	return NULL;
}

/* The columns behind those of who, what and on which terms mean something else with trials. */
static void
read_amounts(struct db_stmt *st, const struct facts_request *q, struct fact_row *ret)
{
	if (q->data_set == DS_DAILY_FREE_TRIAL_CONVERSIONS) {
		ret->trials = (struct fact_trials){ .fresh = db_int(st, 19),
			.present = db_int(st, 26),
			.converted = db_int(st, 28),
			.lapsed = db_int(st, 29) };
		return;
	}
	ret->amount = db_text(st, 24);
	ret->currency = db_text(st, 25);
	ret->billed = db_int(st, 26);
	ret->description = db_text(st, 27);
	ret->period_start = db_int(st, 28);
	ret->period_end = db_int(st, 29);
}

void
facts_read(struct db_stmt *st, const struct facts_request *q, struct fact_row *ret)
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
		.dimensions = db_text(st, 9),
		.solution_id = db_text(st, 10),
		.solution_title = db_text(st, 11),
		.offer_id = db_guid(st, 12),
		.visibility = db_text(st, 13),
		.program = db_text(st, 14),
		.reseller_id = db_text(st, 15),
		.reseller_name = db_text(st, 16),
		.subscription_id = db_guid(st, 17),
		.kind = db_text(st, 18),
		.quantity = db_int(st, 19),
		.starts_at = db_int(st, 20),
		.dimension = db_text(st, 21),
		.is_renewal = !db_is_null(st, 22),
		.previous_offer_id = db_guid(st, 23),
	};
	read_amounts(st, q, ret);
}
