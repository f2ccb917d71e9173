/* SPDX-License-Identifier: Apache-2.0 */
/* Statements on review tasks, decisions, findings and what reviews lean on; see review_store.h. */
#include "proserv/review_store.h"

#include "proserv/catalog_store.h"

#define TASK                                                                                       \
	"t.seller_id, t.task_id, t.product_id, t.digest, t.rule, t.kind, t.severity, t.pointer,"   \
	" t.message, t.evidence, t.excerpt, t.state, t.present, t.first_by, t.second_by, "         \
	"t.reason,"                                                                                \
	" t.waived_until, t.change_set_id, t.opened_at, t.decided_at, t.revision"
/* Those of listing_rows_due. */
#define DUE                                                                                        \
	"(SELECT seller_id, product_id FROM listing_review WHERE due_at IS NOT NULL AND"           \
	" due_at <= $1 ORDER BY due_at, product_id LIMIT $2) d"
#define OF_DUE(t) " ON " t ".seller_id = d.seller_id AND " t ".product_id = d.product_id"
/* What a review sees of a product that it leans on; of its own product the seller's account, too. */
#define SEEN                                                                                       \
	"CASE WHEN n.on_product = n.product_id THEN CASE a.paid_seller WHEN 1 THEN 'paid ' ELSE"   \
	" 'free ' END || a.state || ' ' ELSE '' END || p.state || ' ' || p.title"
/* Unless it is to be reviewed since that change. */
#define NOT_DUE(t)                                                                                 \
	" JOIN listing_review r ON r.seller_id = n.seller_id AND r.product_id = n.product_id"      \
	" AND (r.due_at IS NULL OR r.due_at > $1 OR r.due_at < " t ".changed_at)"
#define QUEUE                                                                                      \
	" t.state = $1 AND t.present = 1 AND (t.opened_at, t.task_id) > ($2, $3)"                  \
	" AND ($4 = '' OR t.rule = $4) AND ($5 = '' OR t.kind = $5)"
#define QUEUE_END " ORDER BY t.opened_at, t.task_id LIMIT "

#define REVIEW_SQL(X)                                                                              \
	X(Q_FIND, "SELECT " TASK " FROM review_task t WHERE t.seller_id = $1 AND t.task_id = $2")  \
	X(Q_INSERT,                                                                                \
	    "INSERT INTO review_task (seller_id, task_id, product_id, digest, rule, kind,"         \
	    " severity, pointer, message, evidence, excerpt, state, present, first_by, second_by," \
	    " reason, waived_until, change_set_id, opened_at, decided_at, revision)"               \
	    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17," \
	    " $18, $19, $20, $21) ON CONFLICT (seller_id, product_id, digest) DO NOTHING")         \
	X(Q_UPDATE, "UPDATE review_task SET state = $1, present = $2, first_by = $3,"              \
		    " second_by = $4, reason = $5, waived_until = $6, change_set_id = $7,"         \
		    " opened_at = $8, decided_at = $9, revision = $10"                             \
		    " WHERE seller_id = $11 AND task_id = $12 AND revision = $13")                 \
	X(Q_OF_LISTING, "SELECT " TASK " FROM review_task t"                                       \
			" WHERE t.seller_id = $1 AND t.product_id = $2")                           \
	/* fan-out: everybody's, for who reviews them */                                           \
	X(Q_TASKS_DUE, "SELECT " TASK " FROM " DUE " JOIN review_task t" OF_DUE("t"))              \
	X(Q_OF_SET, "SELECT " TASK " FROM review_task t"                                           \
		    " WHERE t.seller_id = $1 AND t.change_set_id = $2")                            \
	/* fan-out: the operator names the id alone */                                             \
	X(Q_OWNER, "SELECT seller_id FROM review_task WHERE task_id = $1")                         \
	/* fan-out: the operator's queue */                                                        \
	X(Q_QUEUE, "SELECT " TASK " FROM review_task t WHERE" QUEUE QUEUE_END "$6")                \
	X(Q_QUEUE_OF, "SELECT " TASK " FROM review_task t WHERE" QUEUE                             \
		      " AND t.seller_id = $6" QUEUE_END "$7")                                      \
	X(Q_QUEUE_OF_PRODUCT, "SELECT " TASK " FROM review_task t WHERE" QUEUE                     \
			      " AND t.seller_id = $6 AND t.product_id = $7" QUEUE_END "$8")        \
	/* fan-out: the operator's queue */                                                        \
	X(Q_COUNTS, "SELECT state, COUNT(*) FROM review_task WHERE present = 1 GROUP BY state")    \
	X(Q_DECIDE, "INSERT INTO review_decision (seller_id, task_id, number, verdict, user_id,"   \
		    " reason, waived_until, decided_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)")  \
	X(Q_DECISIONS, "SELECT d.verdict, d.user_id, u.name, d.reason, d.waived_until,"            \
		       " d.decided_at, d.number FROM review_decision d"                            \
		       " LEFT JOIN iam_user u ON u.user_id = d.user_id"                            \
		       " WHERE d.seller_id = $1 AND d.task_id = $2 ORDER BY d.number")             \
	X(Q_FINDINGS_PUT, "INSERT INTO listing_findings (seller_id, product_id, digest, findings)" \
			  " VALUES ($1, $2, $3, $4) ON CONFLICT (seller_id, product_id) DO UPDATE" \
			  " SET digest = excluded.digest, findings = excluded.findings")           \
	X(Q_FINDINGS, "SELECT findings FROM listing_findings"                                      \
		      " WHERE seller_id = $1 AND product_id = $2")                                 \
	/* fan-out: everybody's, for who reviews them */                                           \
	X(Q_FINDINGS_DUE,                                                                          \
	    "SELECT f.product_id, f.digest FROM " DUE " JOIN listing_findings f" OF_DUE("f"))      \
	X(Q_LEANS_PUT, "INSERT INTO listing_leans (seller_id, product_id, on_product, seen)"       \
		       " VALUES ($1, $2, $3, $4)"                                                  \
		       " ON CONFLICT (seller_id, product_id, on_product) DO UPDATE"                \
		       " SET seen = excluded.seen")                                                \
	X(Q_LEANS_DROP, "DELETE FROM listing_leans"                                                \
			" WHERE seller_id = $1 AND product_id = $2 AND on_product = $3")           \
	/* fan-out: everybody's, for who reviews them */                                           \
	X(Q_LEANS_DUE, "SELECT n.product_id, n.on_product, n.seen FROM " DUE                       \
		       " JOIN listing_leans n" OF_DUE("n"))                                        \
	X(Q_MARK, "UPDATE listing_review SET due_at = $1, marks = marks + 1"                       \
		  " WHERE seller_id = $2 AND product_id = $3")                                     \
	/* fan-out: pieces of all listings */                                                      \
	X(Q_NEXT, "SELECT seller_id, product_id FROM listing_review"                               \
		  " WHERE (seller_id, product_id) > ($1, $2)"                                      \
		  " ORDER BY seller_id, product_id LIMIT $3")                                      \
	/* fan-out: as above */                                                                    \
	X(Q_MARK_PIECE,                                                                            \
	    "UPDATE listing_review SET due_at = $1, marks = marks + 1"                             \
	    " WHERE (seller_id, product_id) > ($2, $3) AND (seller_id, product_id) <= ($4, $5)"    \
	    " AND reviewed_at IS NOT NULL AND due_at IS NOT NULL")                                 \
	/* fan-out: listings are related to products of all sellers */                             \
	X(Q_STALE, "SELECT n.seller_id, n.product_id FROM product p"                               \
		   " JOIN listing_leans n ON n.on_product = p.product_id"                          \
		   " JOIN account a ON a.account_id = p.seller_id" NOT_DUE(                        \
		       "p") " WHERE p.changed_at > $2 AND n.seen <> " SEEN                         \
			    " UNION SELECT n.seller_id, n.product_id FROM account a"               \
			    " JOIN listing_leans n ON n.seller_id = a.account_id"                  \
			    " AND n.on_product = n.product_id"                                     \
			    " JOIN product p ON p.seller_id = n.seller_id AND p.product_id = "     \
			    "n.product_id" NOT_DUE(                                                \
				"a") " WHERE a.changed_at > $2 AND n.seen <> " SEEN " LIMIT $3")   \
	/* fan-out: is anything to do? */                                                          \
	X(Q_IS_DUE, "SELECT 1 FROM listing_review WHERE due_at IS NOT NULL AND due_at <= $1"       \
		    " LIMIT 1")                                                                    \
	/* fan-out: as above */                                                                    \
	X(Q_IS_ANY, "SELECT 1 FROM listing_review LIMIT 1")                                        \
	X(Q_HAS_JOB, "SELECT 1 FROM job WHERE seller_id = '' AND state < 2 AND kind = $1 LIMIT 1") \
	/* fan-out: the operator's list */                                                         \
	X(Q_STANDING, "SELECT r.seller_id, r.product_id, p.title, r.standing, r.grace_until,"      \
		      " r.reviewed_at FROM listing_review r JOIN product p ON"                     \
		      " p.seller_id = r.seller_id AND p.product_id = r.product_id"                 \
		      " WHERE r.standing = $1 AND r.product_id > $2"                               \
		      " ORDER BY r.product_id LIMIT $3")                                           \
	/* fan-out: the operator's list */                                                         \
	X(Q_STANDINGS, "SELECT standing, COUNT(*) FROM listing_review GROUP BY standing")

enum review_q {
#define X(id, sql) id,
	REVIEW_SQL(X)
#undef X
	    Q__COUNT
};

static const char *const sql_texts[Q__COUNT] = {
#define X(id, sql) [id] = sql,
	REVIEW_SQL(X)
#undef X
};

struct db_texts review_texts = { .component = "review", .sql = sql_texts, .n = Q__COUNT };

const char *const task_state_words[TASK__COUNT] = {
	[TASK_OPEN] = "open",
	[TASK_APPROVED] = "approved",
	[TASK_REJECTED] = "rejected",
	[TASK_WAIVED] = "waived",
};

static void
bind_time(struct db_stmt *st, int i, instant_t t)
{
	if (t == 0)
		db_bind_null(st, i);
	else
		db_bind_int(st, i, t);
}

static void
bind_id(struct db_stmt *st, int i, const struct guid *g)
{
	if (guid_is_zero(g))
		db_bind_null(st, i);
	else
		db_bind_guid(st, i, g);
}

static struct str
text_or_empty(struct str s)
{
	return s.p ? s : STR("");
}

/* ---- tasks ---- */

static enum finding_kind
kind_of(struct str word)
{
	enum finding_kind k = KIND_DETERMINISTIC;

	while (k < KIND_HUMAN && !str_eq_c(word, finding_kind_word(k)))
		k++;
	return k;
}

static enum severity
severity_of(struct str letter)
{
	enum severity s = SEVERITY_INFO;

	while (s < SEVERITY_ERROR && !str_eq_c(letter, severity_letter(s)))
		s++;
	return s;
}

void
task_row(struct db_stmt *st, struct review_task *ret)
{
	struct str digest = db_blob(st, 3), state = db_text(st, 11);

	*ret = (struct review_task){
		.id = db_guid(st, 1),
		.product_id = db_guid(st, 2),
		.rule = db_text(st, 4),
		.kind = kind_of(db_text(st, 5)),
		.severity = severity_of(db_text(st, 6)),
		.pointer = db_text(st, 7),
		.message = db_text(st, 8),
		.evidence = db_text(st, 9),
		.excerpt = db_text(st, 10),
		.present = db_int(st, 12) != 0,
		.first_by = db_guid(st, 13),
		.second_by = db_guid(st, 14),
		.reason = db_text(st, 15),
		.waived_until = db_int(st, 16),
		.change_set_id = db_guid(st, 17),
		.opened_at = db_int(st, 18),
		.decided_at = db_int(st, 19),
		.revision = db_int(st, 20),
	};
	take_account(ret->seller_id, db_text(st, 0));
	if (digest.n == SHA256_LEN)
		memcpy(ret->digest, digest.p, digest.n);
	for (int s = 0; s < TASK__COUNT; s++)
		if (str_eq_c(state, task_state_words[s]))
			ret->state = (enum task_state)s;
}

enum souk_err
task_row_find(struct db_tx *tx, struct str seller_id, const struct guid *id, struct arena *mem,
    struct review_task *ret)
{
	struct db_stmt *st = db_stmt(tx, &review_texts, Q_FIND);
	struct review_task t;
	struct str *const slices[] = { &t.rule, &t.pointer, &t.message, &t.evidence, &t.excerpt,
		&t.reason };
	enum souk_err r;

	db_bind_text(st, 1, seller_id);
	db_bind_guid(st, 2, id);
	if ((r = db_one(st)) == SOUK_OK)
		task_row(st, &t);
	for (size_t i = 0; r == SOUK_OK && i < sizeof(slices) / sizeof(slices[0]); i++) {
		*slices[i] = arena_str(mem, *slices[i]);
		if (!slices[i]->p)
			r = SOUK_E_NOMEM;
	}
	db_reset(st);
	if (r == SOUK_OK)
		*ret = t;
	return r;
}

enum souk_err
task_row_insert(struct db_tx *tx, const struct review_task *t, bool *ret_new)
{
	struct db_stmt *st = db_stmt(tx, &review_texts, Q_INSERT);
	int64_t rows = 0;
	enum souk_err r;

	db_bind_c(st, 1, t->seller_id);
	db_bind_guid(st, 2, &t->id);
	db_bind_guid(st, 3, &t->product_id);
	db_bind_blob(st, 4, t->digest, SHA256_LEN);
	db_bind_text(st, 5, t->rule);
	db_bind_c(st, 6, finding_kind_word(t->kind));
	db_bind_c(st, 7, severity_letter(t->severity));
	db_bind_text(st, 8, t->pointer);
	db_bind_text(st, 9, t->message);
	db_bind_text(st, 10, text_or_empty(t->evidence));
	db_bind_text(st, 11, text_or_empty(t->excerpt));
	db_bind_c(st, 12, task_state_words[t->state]);
	db_bind_int(st, 13, t->present);
	bind_id(st, 14, &t->first_by);
	bind_id(st, 15, &t->second_by);
	db_bind_text(st, 16, text_or_empty(t->reason));
	bind_time(st, 17, t->waived_until);
	bind_id(st, 18, &t->change_set_id);
	db_bind_int(st, 19, t->opened_at);
	bind_time(st, 20, t->decided_at);
	db_bind_int(st, 21, t->revision);
	if ((r = db_run(st, &rows)) == SOUK_OK)
		*ret_new = rows > 0;
	return r;
}

enum souk_err
task_row_update(struct db_tx *tx, const struct review_task *t, int64_t seen, bool *ret_found)
{
	struct db_stmt *st = db_stmt(tx, &review_texts, Q_UPDATE);
	int64_t rows = 0;
	enum souk_err r;

	db_bind_c(st, 1, task_state_words[t->state]);
	db_bind_int(st, 2, t->present);
	bind_id(st, 3, &t->first_by);
	bind_id(st, 4, &t->second_by);
	db_bind_text(st, 5, text_or_empty(t->reason));
	bind_time(st, 6, t->waived_until);
	bind_id(st, 7, &t->change_set_id);
	db_bind_int(st, 8, t->opened_at);
	bind_time(st, 9, t->decided_at);
	db_bind_int(st, 10, t->revision);
	db_bind_c(st, 11, t->seller_id);
	db_bind_guid(st, 12, &t->id);
	db_bind_int(st, 13, seen);
	if ((r = db_run(st, &rows)) == SOUK_OK)
		*ret_found = rows > 0;
	return r;
}

struct db_stmt *
task_rows_of_listing(struct db_tx *tx, struct str seller_id, const struct guid *product_id)
{
	struct db_stmt *st = db_stmt(tx, &review_texts, Q_OF_LISTING);

	db_bind_text(st, 1, seller_id);
	db_bind_guid(st, 2, product_id);
	return st;
}

static struct db_stmt *
due(struct db_tx *tx, enum review_q q, instant_t now, size_t limit)
{
	struct db_stmt *st = db_stmt(tx, &review_texts, q);

	db_bind_int(st, 1, now);
	db_bind_int(st, 2, (int64_t)limit);
	return st;
}

struct db_stmt *
task_rows_due(struct db_tx *tx, instant_t now, size_t limit)
{
	return due(tx, Q_TASKS_DUE, now, limit);
}

struct db_stmt *
task_rows_of_set(struct db_tx *tx, struct str seller_id, const struct guid *change_set_id)
{
	struct db_stmt *st = db_stmt(tx, &review_texts, Q_OF_SET);

	db_bind_text(st, 1, seller_id);
	db_bind_guid(st, 2, change_set_id);
	return st;
}

enum souk_err
task_owner(struct db_tx *tx, const struct guid *id, char ret[static ACCOUNT_ID_LEN + 1])
{
	return row_owner(db_stmt(tx, &review_texts, Q_OWNER), id, ret);
}

struct db_stmt *
task_rows(struct db_tx *tx, const struct task_query *q)
{
	enum review_q which = q->seller_id.n == 0     ? Q_QUEUE
			      : q->product_id == NULL ? Q_QUEUE_OF
						      : Q_QUEUE_OF_PRODUCT;
	struct db_stmt *st = db_stmt(tx, &review_texts, which);
	int i = 1;

	db_bind_c(st, i++, task_state_words[q->state]);
	db_bind_int(st, i++, q->after);
	db_bind_guid(st, i++, &q->after_id);
	db_bind_text(st, i++, text_or_empty(q->rule));
	db_bind_text(st, i++, text_or_empty(q->kind));
	if (which != Q_QUEUE)
		db_bind_text(st, i++, q->seller_id);
	if (which == Q_QUEUE_OF_PRODUCT)
		db_bind_guid(st, i++, q->product_id);
	db_bind_int(st, i, (int64_t)q->limit);
	return st;
}

struct db_stmt *
task_counts(struct db_tx *tx)
{
	return db_stmt(tx, &review_texts, Q_COUNTS);
}

enum souk_err
decision_row_insert(struct db_tx *tx, const struct review_task *t, const struct review_decision *d)
{
	struct db_stmt *st = db_stmt(tx, &review_texts, Q_DECIDE);

	db_bind_c(st, 1, t->seller_id);
	db_bind_guid(st, 2, &t->id);
	db_bind_int(st, 3, t->revision);
	db_bind_text(st, 4, d->verdict);
	db_bind_guid(st, 5, &d->user_id);
	db_bind_text(st, 6, text_or_empty(d->reason));
	bind_time(st, 7, d->waived_until);
	db_bind_int(st, 8, d->decided_at);
	return db_run(st, NULL);
}

struct db_stmt *
decision_rows(struct db_tx *tx, struct str seller_id, const struct guid *task_id)
{
	struct db_stmt *st = db_stmt(tx, &review_texts, Q_DECISIONS);

	db_bind_text(st, 1, seller_id);
	db_bind_guid(st, 2, task_id);
	return st;
}

/* ---- findings, what was looked at ---- */

enum souk_err
findings_row_put(struct db_tx *tx, struct str seller_id, const struct guid *product_id,
    const uint8_t digest[SHA256_LEN], struct str findings)
{
	struct db_stmt *st = db_stmt(tx, &review_texts, Q_FINDINGS_PUT);

	db_bind_text(st, 1, seller_id);
	db_bind_guid(st, 2, product_id);
	db_bind_blob(st, 3, digest, SHA256_LEN);
	db_bind_text(st, 4, findings);
	return db_run(st, NULL);
}

enum souk_err
findings_row_find(
    struct db_tx *tx, struct str seller_id, const struct guid *product_id, struct buf *ret)
{
	struct db_stmt *st = db_stmt(tx, &review_texts, Q_FINDINGS);
	enum souk_err r;

	db_bind_text(st, 1, seller_id);
	db_bind_guid(st, 2, product_id);
	if ((r = db_one(st)) == SOUK_OK)
		buf_add_str(ret, db_text(st, 0));
	db_reset(st);
	return r;
}

struct db_stmt *
findings_rows_due(struct db_tx *tx, instant_t now, size_t limit)
{
	return due(tx, Q_FINDINGS_DUE, now, limit);
}

enum souk_err
leans_row_put(struct db_tx *tx, struct str seller_id, const struct guid *product_id,
    const struct guid *on_product, struct str seen)
{
	struct db_stmt *st = db_stmt(tx, &review_texts, Q_LEANS_PUT);

	db_bind_text(st, 1, seller_id);
	db_bind_guid(st, 2, product_id);
	db_bind_guid(st, 3, on_product);
	db_bind_text(st, 4, seen);
	return db_run(st, NULL);
}

enum souk_err
leans_row_drop(struct db_tx *tx, struct str seller_id, const struct guid *product_id,
    const struct guid *on_product)
{
	struct db_stmt *st = db_stmt(tx, &review_texts, Q_LEANS_DROP);

	db_bind_text(st, 1, seller_id);
	db_bind_guid(st, 2, product_id);
	db_bind_guid(st, 3, on_product);
	return db_run(st, NULL);
}

struct db_stmt *
leans_rows_due(struct db_tx *tx, instant_t now, size_t limit)
{
	return due(tx, Q_LEANS_DUE, now, limit);
}

/* ---- what is due ---- */

enum souk_err
review_mark(struct db_tx *tx, struct str seller_id, const struct guid *product_id, instant_t now)
{
	struct db_stmt *st = db_stmt(tx, &review_texts, Q_MARK);

	db_bind_int(st, 1, now);
	db_bind_text(st, 2, seller_id);
	db_bind_guid(st, 3, product_id);
	return db_run(st, NULL);
}

enum souk_err
review_mark_next(struct db_tx *tx, char io_seller[static ACCOUNT_ID_LEN + 1],
    struct guid *io_product, size_t limit, instant_t now, int64_t *ret_n)
{
	char end[ACCOUNT_ID_LEN + 1] = { 0 };
	struct guid end_product = { 0 };
	struct db_stmt *st = db_stmt(tx, &review_texts, Q_NEXT);
	enum souk_err r;
	bool row;

	*ret_n = 0;
	db_bind_c(st, 1, io_seller);
	db_bind_guid(st, 2, io_product);
	db_bind_int(st, 3, (int64_t)limit);
	while ((r = db_step(st, &row)) == SOUK_OK && row) {
		take_account(end, db_text(st, 0));
		end_product = db_guid(st, 1);
		++*ret_n;
	}
	if (r != SOUK_OK || *ret_n == 0)
		return r;
	st = db_stmt(tx, &review_texts, Q_MARK_PIECE);
	db_bind_int(st, 1, now);
	db_bind_c(st, 2, io_seller);
	db_bind_guid(st, 3, io_product);
	db_bind_c(st, 4, end);
	db_bind_guid(st, 5, &end_product);
	if ((r = db_run(st, NULL)) != SOUK_OK)
		return r;
	memcpy(io_seller, end, sizeof(end));
	*io_product = end_product;
	return SOUK_OK;
}

struct db_stmt *
review_rows_stale(struct db_tx *tx, instant_t since, instant_t now, size_t limit)
{
	struct db_stmt *st = db_stmt(tx, &review_texts, Q_STALE);

	db_bind_int(st, 1, now);
	db_bind_int(st, 2, since);
	db_bind_int(st, 3, (int64_t)limit);
	return st;
}

static enum souk_err
is_there(struct db_stmt *st, bool *ret)
{
	enum souk_err r = db_one(st);

	db_reset(st);
	if (r != SOUK_OK && r != SOUK_E_NOT_FOUND)
		return r;
	*ret = r == SOUK_OK;
	return SOUK_OK;
}

enum souk_err
review_is_due(struct db_tx *tx, instant_t now, bool *ret)
{
	struct db_stmt *st = db_stmt(tx, &review_texts, Q_IS_DUE);

	db_bind_int(st, 1, now);
	return is_there(st, ret);
}

enum souk_err
review_is_any(struct db_tx *tx, bool *ret)
{
	return is_there(db_stmt(tx, &review_texts, Q_IS_ANY), ret);
}

enum souk_err
review_has_job(struct db_tx *tx, const char *kind, bool *ret)
{
	struct db_stmt *st = db_stmt(tx, &review_texts, Q_HAS_JOB);

	db_bind_c(st, 1, kind);
	return is_there(st, ret);
}

struct db_stmt *
standing_rows(struct db_tx *tx, struct str standing, const struct guid *after, size_t limit)
{
	struct db_stmt *st = db_stmt(tx, &review_texts, Q_STANDING);

	db_bind_text(st, 1, standing);
	db_bind_guid(st, 2, after);
	db_bind_int(st, 3, (int64_t)limit);
	return st;
}

struct db_stmt *
standing_counts(struct db_tx *tx)
{
	return db_stmt(tx, &review_texts, Q_STANDINGS);
}
