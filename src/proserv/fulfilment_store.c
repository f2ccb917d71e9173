/* SPDX-License-Identifier: Apache-2.0 */
/* Statements on fulfilments and their events. */
#include "proserv/fulfilment_store.h"

#include "market/market_store.h"

#define CHANGING                                                                                   \
	"calendar, deadline, state, first_contact_at, promised_at, granted_at, closed_at, due_at," \
	" due_since, reminded_at, overdue_at, escalated_at, timer_at, events, changed_at, "        \
	"revision"
#define COLUMNS                                                                                    \
	"seller_id, subscription_id, product_id, buyer_id, accepted_at, opened_at, " CHANGING
#define MATCHES(state, overdue, now)                                                               \
	" AND (state = " state " OR " state " = '' OR (" state                                     \
	" = 'open' AND state <> 'granted' AND closed_at IS NULL))"                                 \
	" AND (" overdue " = 0 OR (due_at IS NOT NULL AND due_at < " now "))"

#define FULFILMENT_SQL(X)                                                                          \
	X(Q_INSERT,                                                                                \
	    "INSERT INTO fulfilment (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9,"     \
	    " $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)")                   \
	X(Q_UPDATE,                                                                                \
	    "UPDATE fulfilment SET calendar = $1, deadline = $2, state = $3,"                      \
	    " first_contact_at = $4, promised_at = $5, granted_at = $6, closed_at = $7,"           \
	    " due_at = $8, due_since = $9, reminded_at = $10, overdue_at = $11,"                   \
	    " escalated_at = $12, timer_at = $13, events = $14, changed_at = $15, revision = $16"  \
	    " WHERE seller_id = $17 AND subscription_id = $18 AND revision = $19")                 \
	X(Q_FIND, "SELECT " COLUMNS " FROM fulfilment"                                             \
		  " WHERE seller_id = $1 AND subscription_id = $2")                                \
	X(Q_LIST_SELLER, "SELECT " COLUMNS                                                         \
			 " FROM fulfilment WHERE seller_id = $1 AND subscription_id > $2" MATCHES( \
			     "$3", "$4", "$5") " AND (buyer_id = $6 OR $6 = '')"                   \
					       " ORDER BY subscription_id LIMIT $7")               \
	/* fan-out: a buyer's with every seller */                                                 \
	X(Q_LIST_BUYER, "SELECT " COLUMNS                                                          \
			" FROM fulfilment WHERE buyer_id = $1 AND subscription_id > $2" MATCHES(   \
			    "$3", "$4", "$5") " ORDER BY subscription_id LIMIT $6")                \
	/* fan-out: what an account sells and what it buys */                                      \
	X(Q_LIST_BOTH,                                                                             \
	    "SELECT " COLUMNS " FROM fulfilment WHERE (seller_id = $1 OR buyer_id = $1)"           \
	    " AND subscription_id > $2" MATCHES(                                                   \
		"$3", "$4", "$5") " ORDER BY subscription_id LIMIT $6")                            \
	/* fan-out: the operator's list of all */                                                  \
	X(Q_LIST_ALL, "SELECT " COLUMNS " FROM fulfilment WHERE subscription_id > $1" MATCHES(     \
			  "$2", "$3", "$4") " ORDER BY subscription_id LIMIT $5")                  \
	X(Q_ACCEPTED, "SELECT " COLUMNS " FROM fulfilment"                                         \
		      " WHERE seller_id = $1 AND accepted_at >= $2 AND accepted_at < $3")          \
	/* fan-out: the operator's statistics of all sellers */                                    \
	X(Q_ACCEPTED_ALL, "SELECT " COLUMNS " FROM fulfilment"                                     \
			  " WHERE accepted_at >= $1 AND accepted_at < $2 ORDER BY seller_id")      \
	X(Q_EVENT, "INSERT INTO fulfilment_event (seller_id, subscription_id, number, kind, at,"   \
		   " recorded_at, promised, due, detail, mail_event, actor)"                       \
		   " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)")                       \
	X(Q_EVENTS, "SELECT number, kind, at, recorded_at, promised, due, detail, mail_event,"     \
		    " actor FROM fulfilment_event WHERE seller_id = $1 AND subscription_id = $2"   \
		    " ORDER BY number")

enum fulfilment_q {
#define X(id, sql) id,
	FULFILMENT_SQL(X)
#undef X
	    Q__COUNT
};

static const char *const sql_texts[Q__COUNT] = {
#define X(id, sql) [id] = sql,
	FULFILMENT_SQL(X)
#undef X
};

struct db_texts fulfilment_texts = {
	.component = "proserv.fulfilment", .sql = sql_texts, .n = Q__COUNT
};

/* The columns of CHANGING, from parameter i on. */
static void
bind_changing(struct db_stmt *st, int i, const struct fulfilment *x)
{
	db_bind_int(st, i, x->calendar);
	db_bind_int(st, i + 1, x->deadline);
	db_bind_c(st, i + 2, fulfilment_state_word(x->state));
	store_bind_instant(st, i + 3, x->first_contact_at);
	store_bind_instant(st, i + 4, x->promised_at);
	store_bind_instant(st, i + 5, x->granted_at);
	store_bind_instant(st, i + 6, x->closed_at);
	store_bind_instant(st, i + 7, x->due_at);
	db_bind_int(st, i + 8, x->due_since);
	store_bind_instant(st, i + 9, x->reminded_at);
	store_bind_instant(st, i + 10, x->overdue_at);
	store_bind_instant(st, i + 11, x->escalated_at);
	store_bind_instant(st, i + 12, x->timer_at);
	db_bind_int(st, i + 13, x->events);
	db_bind_int(st, i + 14, x->changed_at);
	db_bind_int(st, i + 15, x->revision);
}

enum souk_err
fulfilment_insert(struct db_tx *tx, const struct fulfilment *x)
{
	struct db_stmt *st = db_stmt(tx, &fulfilment_texts, Q_INSERT);

	db_bind_c(st, 1, x->seller_id);
	db_bind_guid(st, 2, &x->id);
	db_bind_guid(st, 3, &x->product_id);
	db_bind_c(st, 4, x->buyer_id);
	db_bind_int(st, 5, x->accepted_at);
	db_bind_int(st, 6, x->opened_at);
	bind_changing(st, 7, x);
	return db_run(st, NULL);
}

enum souk_err
fulfilment_update(struct db_tx *tx, const struct fulfilment *x)
{
	struct db_stmt *st = db_stmt(tx, &fulfilment_texts, Q_UPDATE);
	bool found = false;
	enum souk_err r;

	bind_changing(st, 1, x);
	db_bind_c(st, 17, x->seller_id);
	db_bind_guid(st, 18, &x->id);
	db_bind_int(st, 19, x->revision - 1);
	r = store_changed(st, &found);
	return r == SOUK_OK && !found ? SOUK_E_UNAVAILABLE : r;
}

static enum fulfilment_state
state_of(struct str word)
{
	enum fulfilment_state s = FULFILMENT_WAITING;

	for (int i = FULFILMENT_WAITING; i <= FULFILMENT_GRANTED; i++)
		if (str_eq_c(word, fulfilment_state_word((enum fulfilment_state)i)))
			s = (enum fulfilment_state)i;
	return s;
}

void
fulfilment_row(struct db_stmt *st, struct fulfilment *ret)
{
	*ret = (struct fulfilment){ .id = db_guid(st, 1),
		.product_id = db_guid(st, 2),
		.accepted_at = db_int(st, 4),
		.opened_at = db_int(st, 5),
		.calendar = db_int(st, 6),
		.deadline = db_int(st, 7),
		.state = state_of(db_text(st, 8)),
		.first_contact_at = db_int(st, 9),
		.promised_at = db_int(st, 10),
		.granted_at = db_int(st, 11),
		.closed_at = db_int(st, 12),
		.due_at = db_int(st, 13),
		.due_since = db_int(st, 14),
		.reminded_at = db_int(st, 15),
		.overdue_at = db_int(st, 16),
		.escalated_at = db_int(st, 17),
		.timer_at = db_int(st, 18),
		.events = db_int(st, 19),
		.changed_at = db_int(st, 20),
		.revision = db_int(st, 21) };
	store_account_id(st, 0, ret->seller_id);
	store_account_id(st, 3, ret->buyer_id);
}

enum souk_err
fulfilment_find(struct db_tx *tx, const struct guid *id, struct fulfilment *ret)
{
	struct db_stmt *st;
	enum souk_err r = store_owned_row(tx, &fulfilment_texts, Q_FIND, ID_SUBSCRIPTION, id, &st);

	if (r != SOUK_OK)
		return r;
	fulfilment_row(st, ret);
	db_reset(st);
	return SOUK_OK;
}

static void
bind_matches(struct db_stmt *st, int i, const struct fulfilment_filter *q, instant_t now)
{
	db_bind_text(st, i, q->state);
	db_bind_int(st, i + 1, q->overdue);
	db_bind_int(st, i + 2, now);
}

struct db_stmt *
fulfilment_rows(struct db_tx *tx, const struct fulfilment_filter *q, instant_t now,
    const struct guid *after, size_t limit)
{
	struct db_stmt *st;

	if (q->seller_id.n > 0) {
		st = db_stmt(tx, &fulfilment_texts, Q_LIST_SELLER);
		db_bind_text(st, 1, q->seller_id);
		db_bind_guid(st, 2, after);
		bind_matches(st, 3, q, now);
		db_bind_text(st, 6, q->buyer_id);
		db_bind_int(st, 7, (int64_t)limit);
	} else if (q->buyer_id.n > 0) {
		st = db_stmt(tx, &fulfilment_texts, Q_LIST_BUYER);
		db_bind_text(st, 1, q->buyer_id);
		db_bind_guid(st, 2, after);
		bind_matches(st, 3, q, now);
		db_bind_int(st, 6, (int64_t)limit);
	} else {
		st = db_stmt(tx, &fulfilment_texts, Q_LIST_ALL);
		db_bind_guid(st, 1, after);
		bind_matches(st, 2, q, now);
		db_bind_int(st, 5, (int64_t)limit);
	}
	return st;
}

struct db_stmt *
fulfilment_rows_both(struct db_tx *tx, struct str account_id, const struct fulfilment_filter *q,
    instant_t now, const struct guid *after, size_t limit)
{
	struct db_stmt *st = db_stmt(tx, &fulfilment_texts, Q_LIST_BOTH);

	db_bind_text(st, 1, account_id);
	db_bind_guid(st, 2, after);
	bind_matches(st, 3, q, now);
	db_bind_int(st, 6, (int64_t)limit);
	return st;
}

struct db_stmt *
fulfilment_rows_accepted(struct db_tx *tx, struct str seller_id, instant_t from, instant_t to)
{
	bool all = seller_id.n == 0;
	struct db_stmt *st = db_scan(tx, &fulfilment_texts, all ? Q_ACCEPTED_ALL : Q_ACCEPTED);

	if (!all)
		db_bind_text(st, 1, seller_id);
	db_bind_int(st, all ? 1 : 2, from);
	db_bind_int(st, all ? 2 : 3, to);
	return st;
}

enum souk_err
fulfilment_event_insert(
    struct db_tx *tx, const struct fulfilment *x, const struct fulfilment_record *e)
{
	struct db_stmt *st = db_stmt(tx, &fulfilment_texts, Q_EVENT);

	db_bind_c(st, 1, x->seller_id);
	db_bind_guid(st, 2, &x->id);
	db_bind_int(st, 3, e->number);
	db_bind_c(st, 4, fulfilment_event_word(e->kind));
	db_bind_int(st, 5, e->at);
	db_bind_int(st, 6, e->recorded_at);
	store_bind_instant(st, 7, e->promised);
	store_bind_instant(st, 8, e->due);
	db_bind_text(st, 9, e->detail);
	db_bind_text(st, 10, e->mail_event);
	db_bind_text(st, 11, e->actor);
	return db_run(st, NULL);
}

struct db_stmt *
fulfilment_event_rows(struct db_tx *tx, const struct fulfilment *x)
{
	struct db_stmt *st = db_stmt(tx, &fulfilment_texts, Q_EVENTS);

	db_bind_c(st, 1, x->seller_id);
	db_bind_guid(st, 2, &x->id);
	return st;
}

void
fulfilment_event_row(struct db_stmt *st, struct fulfilment_record *ret)
{
	struct str word = db_text(st, 1);

	*ret = (struct fulfilment_record){ .number = db_int(st, 0),
		.at = db_int(st, 2),
		.recorded_at = db_int(st, 3),
		.promised = db_int(st, 4),
		.due = db_int(st, 5),
		.detail = db_text(st, 6),
		.mail_event = db_text(st, 7),
		.actor = db_text(st, 8) };
	for (int k = 0; k < FE__COUNT; k++)
		if (str_eq_c(word, fulfilment_event_word((enum fulfilment_event_kind)k)))
			ret->kind = (enum fulfilment_event_kind)k;
}
