/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of mails: tables mail, mail_template and mail_address. */
#include "delivery/mail_store.h"

#include <stdio.h>

#define MAIL_COLUMNS                                                                               \
	"mail_id, seller_id, event, kind, state, parked, round, attempts, status, reason, report," \
	" created_at, since, tried_at, sent_at, bounced_at, erased_at"

#define TEMPLATE_COLUMNS "kind, language, subject, body, html, changed_by, changed_at, revision"

enum {
	Q_PUT,
	Q_ID_OF_EVENT,
	Q_LOAD,
	Q_OF_EVENT,
	Q_OWNER,
	Q_SEALED,
	Q_SET,
	Q_ERASE,
	Q_NEXT_TO,
	Q_NEXT_TO_ALL,
	Q_NEXT_OLD,
	Q_NEXT_PARKED,
	Q_LIST,
	Q_LIST_ALL,
	Q_COUNT,
	Q_OLDEST,
	Q_KEY_AFTER,
	Q_KEY_SET,
	Q_ADDRESS_KEY_AFTER,
	Q_ADDRESS_KEY_SET,
	Q_ADDRESSES,
	Q_ADDRESS_PUT,
	Q_ADDRESSES_DROP,
	Q_TEMPLATE_BEST,
	Q_TEMPLATE_GET,
	Q_TEMPLATE_PUT,
	Q_TEMPLATE_DROP,
	Q_TEMPLATES,
	Q_TEMPLATE_REVISION,
	Q_TEMPLATE_COUNT,
	Q__COUNT
};

static const char *const sql[Q__COUNT] = {
	[Q_PUT] =
	    "INSERT INTO mail (seller_id, mail_id, event, kind, state, parked, round, attempts,"
	    " status, reason, report, created_at, since, to_index, data_key, sealed)"
	    " VALUES ($1, $2, $3, $4, 0, 0, 1, 0, 0, '', '', $5, $6, $7, $8, $9)"
	    " ON CONFLICT (seller_id, event) DO NOTHING",
	[Q_ID_OF_EVENT] = "SELECT mail_id FROM mail WHERE seller_id = $1 AND event = $2",
	[Q_LOAD] = "SELECT " MAIL_COLUMNS " FROM mail WHERE seller_id = $1 AND mail_id = $2",
	[Q_OF_EVENT] = "SELECT " MAIL_COLUMNS " FROM mail WHERE seller_id = $1 AND event = $2",
	/* fan-out: a Message-ID and an operator name a mail by its id alone */
	[Q_OWNER] = "SELECT seller_id FROM mail WHERE mail_id = $1",
	[Q_SEALED] = "SELECT data_key, sealed FROM mail"
		     " WHERE seller_id = $1 AND mail_id = $2 AND data_key IS NOT NULL",
	[Q_SET] = "UPDATE mail SET state = $1, parked = $2, round = $3, attempts = $4, status = $5,"
		  " reason = $6, report = $7, since = $8, tried_at = $9, sent_at = $10,"
		  " bounced_at = $11, erased_at = $12 WHERE seller_id = $13 AND mail_id = $14",
	[Q_ERASE] = "UPDATE mail SET to_index = NULL, data_key = NULL, sealed = NULL"
		    " WHERE seller_id = $1 AND mail_id = $2",
	[Q_NEXT_TO] = "SELECT mail_id, seller_id FROM mail WHERE seller_id = $1 AND to_index = $2"
		      " AND to_index IS NOT NULL LIMIT 1",
	/* fan-out: the operator erases one person's mails, whichever seller's */
	[Q_NEXT_TO_ALL] = "SELECT mail_id, seller_id FROM mail WHERE to_index = $1"
			  " AND to_index IS NOT NULL LIMIT 1",
	/* fan-out: upkeep erases what is old, whoever's */
	[Q_NEXT_OLD] = "SELECT mail_id, seller_id FROM mail WHERE data_key IS NOT NULL"
		       " AND created_at < $1 ORDER BY created_at LIMIT 1",
	/* fan-out: upkeep puts jobs for what waited for a server, whoever's */
	[Q_NEXT_PARKED] = "SELECT mail_id, seller_id FROM mail WHERE parked = 1"
			  " ORDER BY created_at LIMIT 1",
	[Q_LIST] = "SELECT " MAIL_COLUMNS " FROM mail WHERE seller_id = $1"
		   " AND (created_at, mail_id) < ($2, $3) AND state BETWEEN $4 AND $5"
		   " ORDER BY created_at DESC, mail_id DESC LIMIT $6",
	/* fan-out: the operator looks at the mails of all */
	[Q_LIST_ALL] = "SELECT " MAIL_COLUMNS " FROM mail"
		       " WHERE (created_at, mail_id) < ($1, $2) AND state BETWEEN $3 AND $4"
		       " ORDER BY created_at DESC, mail_id DESC LIMIT $5",
	/* fan-out: how the operator's mail fares */
	[Q_COUNT] = "SELECT count(*) FROM mail"
		    " WHERE state = $1 AND state <> 1 AND parked >= $2",
	/* fan-out: the same */
	[Q_OLDEST] = "SELECT min(since) FROM mail WHERE state = 0 AND state <> 1",
	/* fan-out: rotation rewraps every seller's keys */
	[Q_KEY_AFTER] = "SELECT seller_id, mail_id, data_key FROM mail"
			" WHERE (seller_id, mail_id) > ($1, $2) AND data_key IS NOT NULL"
			" ORDER BY seller_id, mail_id LIMIT 1",
	[Q_KEY_SET] = "UPDATE mail SET data_key = $1 WHERE seller_id = $2 AND mail_id = $3"
		      " AND data_key IS NOT NULL",
	/* fan-out: the same */
	[Q_ADDRESS_KEY_AFTER] =
	    "SELECT seller_id, slot, data_key FROM mail_address"
	    " WHERE (seller_id, slot) > ($1, $2) ORDER BY seller_id, slot LIMIT 1",
	[Q_ADDRESS_KEY_SET] =
	    "UPDATE mail_address SET data_key = $1 WHERE seller_id = $2 AND slot = $3",
	[Q_ADDRESSES] = "SELECT slot, data_key, sealed FROM mail_address"
			" WHERE seller_id = $1 ORDER BY slot",
	[Q_ADDRESS_PUT] = "INSERT INTO mail_address (seller_id, slot, data_key, sealed, changed_at)"
			  " VALUES ($1, $2, $3, $4, $5)",
	[Q_ADDRESSES_DROP] = "DELETE FROM mail_address WHERE seller_id = $1",
	[Q_TEMPLATE_BEST] = "SELECT subject, body, html FROM mail_template WHERE seller_id = $1"
			    " AND kind = $2 AND language IN ($3, $4, '')"
			    " ORDER BY length(language) DESC LIMIT 1",
	[Q_TEMPLATE_GET] = "SELECT " TEMPLATE_COLUMNS " FROM mail_template"
			   " WHERE seller_id = $1 AND kind = $2 AND language = $3",
	[Q_TEMPLATE_PUT] =
	    "INSERT INTO mail_template (seller_id, kind, language, subject, body, html, changed_by,"
	    " changed_at, revision) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
	    " ON CONFLICT (seller_id, kind, language) DO UPDATE SET subject = excluded.subject,"
	    " body = excluded.body, html = excluded.html, changed_by = excluded.changed_by,"
	    " changed_at = excluded.changed_at, revision = excluded.revision",
	[Q_TEMPLATE_DROP] =
	    "DELETE FROM mail_template WHERE seller_id = $1 AND kind = $2 AND language = $3",
	[Q_TEMPLATES] = "SELECT kind, language, subject, '', '', changed_by, changed_at, revision"
			" FROM mail_template"
			" WHERE seller_id = $1 AND kind = $2 ORDER BY language LIMIT $3",
	[Q_TEMPLATE_REVISION] = "SELECT revision FROM mail_template"
				" WHERE seller_id = $1 AND kind = $2 AND language = $3",
	[Q_TEMPLATE_COUNT] =
	    "SELECT count(*) FROM mail_template WHERE seller_id = $1 AND kind = $2",
};
struct db_texts mail_texts = { .component = "mail", .sql = sql, .n = Q__COUNT };

/* ---- mails ---- */

enum souk_err
mail_row_put(struct db_tx *tx, const struct mail_put *m, struct guid *ret_id, bool *ret_new)
{
	struct db_stmt *st = db_stmt(tx, &mail_texts, Q_PUT);
	int64_t n = 0;
	enum souk_err r;

	db_bind_text(st, 1, m->seller_id);
	db_bind_guid(st, 2, &m->id);
	db_bind_text(st, 3, m->event);
	db_bind_c(st, 4, m->kind);
	db_bind_int(st, 5, db_now(tx));
	db_bind_int(st, 6, db_now(tx));
	db_bind_blob(st, 7, m->to_index, VAULT_BLIND_LEN);
	db_bind_blob(st, 8, m->sealed->key.b, sizeof(m->sealed->key.b));
	db_bind_blob(st, 9, m->sealed->bytes.p, m->sealed->bytes.n);
	if ((r = db_run(st, &n)) != SOUK_OK)
		return r;
	*ret_new = n > 0;
	*ret_id = m->id;
	if (n > 0)
		return SOUK_OK;
	st = db_stmt(tx, &mail_texts, Q_ID_OF_EVENT);
	db_bind_text(st, 1, m->seller_id);
	db_bind_text(st, 2, m->event);
	if ((r = db_one(st)) == SOUK_OK)
		*ret_id = db_guid(st, 0);
	db_reset(st);
	return r;
}

static void
read_mail(struct db_stmt *st, struct mail_row *m)
{
	*m = (struct mail_row){ .id = db_guid(st, 0),
		.seller_id = db_text(st, 1),
		.event = db_text(st, 2),
		.kind = db_text(st, 3),
		.state = (enum mail_state)db_int(st, 4),
		.parked = db_int(st, 5) != 0,
		.round = (int)db_int(st, 6),
		.attempts = (int)db_int(st, 7),
		.status = (int)db_int(st, 8),
		.reason = db_text(st, 9),
		.report = db_text(st, 10),
		.created_at = db_int(st, 11),
		.since = db_int(st, 12),
		.tried_at = db_int(st, 13),
		.sent_at = db_int(st, 14),
		.bounced_at = db_int(st, 15),
		.erased_at = db_int(st, 16) };
}

static bool
keep(struct arena *mem, struct str *s)
{
	*s = s->n > 0 ? arena_str(mem, *s) : STR("");
	return s->p != NULL;
}

static enum souk_err
one_mail(struct db_stmt *st, struct arena *mem, struct mail_row *ret)
{
	enum souk_err r = db_one(st);

	if (r == SOUK_OK) {
		read_mail(st, ret);
		if (!keep(mem, &ret->seller_id) || !keep(mem, &ret->event) ||
		    !keep(mem, &ret->kind) || !keep(mem, &ret->reason) || !keep(mem, &ret->report))
			r = SOUK_E_LIMIT;
	}
	db_reset(st);
	return r;
}

enum souk_err
mail_row_load(struct db_tx *tx, struct str seller_id, const struct guid *id, struct arena *mem,
    struct mail_row *ret)
{
	struct db_stmt *st = db_stmt(tx, &mail_texts, Q_LOAD);

	db_bind_text(st, 1, seller_id);
	db_bind_guid(st, 2, id);
	return one_mail(st, mem, ret);
}

enum souk_err
mail_row_of_event(struct db_tx *tx, struct str seller_id, struct str event, struct arena *mem,
    struct mail_row *ret)
{
	struct db_stmt *st = db_stmt(tx, &mail_texts, Q_OF_EVENT);

	db_bind_text(st, 1, seller_id);
	db_bind_text(st, 2, event);
	return one_mail(st, mem, ret);
}

enum souk_err
mail_row_owner(
    struct db_tx *tx, const struct guid *id, struct arena *mem, struct str *ret_seller_id)
{
	struct db_stmt *st = db_stmt(tx, &mail_texts, Q_OWNER);
	struct str s;
	enum souk_err r;

	db_bind_guid(st, 1, id);
	if ((r = db_one(st)) == SOUK_OK) {
		s = db_text(st, 0);
		if (keep(mem, &s))
			*ret_seller_id = s;
		else
			r = SOUK_E_LIMIT;
	}
	db_reset(st);
	return r;
}

enum souk_err
mail_row_sealed(struct db_tx *tx, struct str seller_id, const struct guid *id, struct arena *mem,
    struct str *ret_key, struct str *ret_sealed)
{
	struct db_stmt *st = db_stmt(tx, &mail_texts, Q_SEALED);
	struct str key, sealed;
	enum souk_err r;

	db_bind_text(st, 1, seller_id);
	db_bind_guid(st, 2, id);
	if ((r = db_one(st)) == SOUK_OK) {
		key = db_blob(st, 0);
		sealed = db_blob(st, 1);
		if (keep(mem, &key) && keep(mem, &sealed)) {
			*ret_key = key;
			*ret_sealed = sealed;
		} else {
			r = SOUK_E_LIMIT;
		}
	}
	db_reset(st);
	return r;
}

static void
bind_time(struct db_stmt *st, int i, instant_t t)
{
	if (t == 0)
		db_bind_null(st, i);
	else
		db_bind_int(st, i, t);
}

enum souk_err
mail_row_set(struct db_tx *tx, const struct mail_row *m)
{
	struct db_stmt *st = db_stmt(tx, &mail_texts, Q_SET);

	db_bind_int(st, 1, (int64_t)m->state);
	db_bind_int(st, 2, m->parked);
	db_bind_int(st, 3, m->round);
	db_bind_int(st, 4, m->attempts);
	db_bind_int(st, 5, m->status);
	db_bind_text(st, 6, m->reason);
	db_bind_text(st, 7, m->report);
	db_bind_int(st, 8, m->since);
	bind_time(st, 9, m->tried_at);
	bind_time(st, 10, m->sent_at);
	bind_time(st, 11, m->bounced_at);
	bind_time(st, 12, m->erased_at);
	db_bind_text(st, 13, m->seller_id);
	db_bind_guid(st, 14, &m->id);
	return db_run(st, NULL);
}

enum souk_err
mail_row_erase(struct db_tx *tx, struct str seller_id, const struct guid *id)
{
	struct db_stmt *st = db_stmt(tx, &mail_texts, Q_ERASE);

	db_bind_text(st, 1, seller_id);
	db_bind_guid(st, 2, id);
	return db_run(st, NULL);
}

static enum souk_err
next_mail(struct db_stmt *st, struct guid *ret_id, struct arena *mem, struct str *ret_seller_id)
{
	struct str s;
	enum souk_err r = db_one(st);

	if (r == SOUK_OK) {
		*ret_id = db_guid(st, 0);
		s = db_text(st, 1);
		if (keep(mem, &s))
			*ret_seller_id = s;
		else
			r = SOUK_E_LIMIT;
	}
	db_reset(st);
	return r;
}

enum souk_err
mail_row_next_to(struct db_tx *tx, struct str seller_id, const uint8_t index[VAULT_BLIND_LEN],
    struct guid *ret_id, struct arena *mem, struct str *ret_seller_id)
{
	struct db_stmt *st = db_stmt(tx, &mail_texts, seller_id.p ? Q_NEXT_TO : Q_NEXT_TO_ALL);
	int i = 1;

	if (seller_id.p)
		db_bind_text(st, i++, seller_id);
	db_bind_blob(st, i, index, VAULT_BLIND_LEN);
	return next_mail(st, ret_id, mem, ret_seller_id);
}

enum souk_err
mail_row_next_old(struct db_tx *tx, instant_t before, struct guid *ret_id, struct arena *mem,
    struct str *ret_seller_id)
{
	struct db_stmt *st = db_stmt(tx, &mail_texts, Q_NEXT_OLD);

	db_bind_int(st, 1, before);
	return next_mail(st, ret_id, mem, ret_seller_id);
}

enum souk_err
mail_row_next_parked(
    struct db_tx *tx, struct guid *ret_id, struct arena *mem, struct str *ret_seller_id)
{
	return next_mail(db_stmt(tx, &mail_texts, Q_NEXT_PARKED), ret_id, mem, ret_seller_id);
}

/* A list's key: time and id of the last entry. */
struct list_key {
	int64_t at;
	struct guid id;
};

static size_t
emit_mail(struct db_stmt *st, struct jw *out, void *key)
{
	struct mail_row m;
	struct list_key k;

	read_mail(st, &m);
	k = (struct list_key){ .at = m.created_at, .id = m.id };
	jw_open(out, NULL, '{');
	mail_row_json(&m, out);
	jw_close(out, '}');
	memcpy(key, &k, sizeof(k));
	return sizeof(k);
}

enum souk_err
mail_rows_list(struct db_tx *tx, const struct mail_filter *q, struct page *p, struct arena *mem,
    struct jw *out, struct fail *f)
{
	struct list_key k = { .at = INT64_MAX };
	struct db_stmt *st;
	size_t n = 0;
	int i = 1;
	enum souk_err r = page_begin(p, &k, sizeof(k), &n, f);

	if (r != SOUK_OK)
		return r;
	if (n != 0 && n != sizeof(k))
		return page_bad_cursor(f);
	st = db_stmt(tx, &mail_texts, q->seller_id.p ? Q_LIST : Q_LIST_ALL);
	if (q->seller_id.p)
		db_bind_text(st, i++, q->seller_id);
	db_bind_int(st, i++, k.at);
	db_bind_guid(st, i++, &k.id);
	db_bind_int(st, i++, q->state < 0 ? MAIL_WAITING : q->state);
	db_bind_int(st, i++, q->state < 0 ? MAIL_WITHDRAWN : q->state);
	db_bind_int(st, i, (int64_t)p->limit + 1);
	return page_rows(p, st, emit_mail, mem, out);
}

static enum souk_err
count(struct db_tx *tx, enum mail_state state, int parked, int64_t *ret)
{
	struct db_stmt *st = db_stmt(tx, &mail_texts, Q_COUNT);
	enum souk_err r;

	db_bind_int(st, 1, (int64_t)state);
	db_bind_int(st, 2, parked);
	if ((r = db_one(st)) == SOUK_OK)
		*ret = db_int(st, 0);
	db_reset(st);
	return r;
}

enum souk_err
mail_rows_count(struct db_tx *tx, struct mail_counts *ret)
{
	struct mail_counts c = { 0 };
	struct db_stmt *st;
	enum souk_err r;

	if ((r = count(tx, MAIL_WAITING, 0, &c.waiting)) != SOUK_OK ||
	    (r = count(tx, MAIL_WAITING, 1, &c.parked)) != SOUK_OK ||
	    (r = count(tx, MAIL_BOUNCED, 0, &c.bounced)) != SOUK_OK ||
	    (r = count(tx, MAIL_FAILED, 0, &c.failed)) != SOUK_OK)
		return r;
	st = db_stmt(tx, &mail_texts, Q_OLDEST);
	if ((r = db_one(st)) == SOUK_OK) {
		c.oldest_waiting = db_int(st, 0);
		*ret = c;
	}
	db_reset(st);
	return r;
}

/* ---- rotation ---- */

enum souk_err
mail_key_after(struct db_tx *tx, bool address, const struct mail_key *after, struct mail_key *ret)
{
	struct db_stmt *st = db_stmt(tx, &mail_texts, address ? Q_ADDRESS_KEY_AFTER : Q_KEY_AFTER);
	struct str seller, key;
	enum souk_err r;

	db_bind_c(st, 1, after->seller_id);
	if (address)
		db_bind_int(st, 2, after->slot);
	else
		db_bind_guid(st, 2, &after->id);
	if ((r = db_one(st)) == SOUK_OK) {
		seller = db_text(st, 0);
		key = db_blob(st, 2);
		*ret = (struct mail_key){ .n = key.n };
		if (address)
			ret->slot = db_int(st, 1);
		else
			ret->id = db_guid(st, 1);
		if (seller.n > ACCOUNT_ID_LEN || key.n > sizeof(ret->wrapped)) {
			r = SOUK_E_STORAGE;
		} else {
			memcpy(ret->seller_id, seller.p, seller.n);
			memcpy(ret->wrapped, key.p, key.n);
		}
	}
	db_reset(st);
	return r;
}

enum souk_err
mail_key_set(
    struct db_tx *tx, bool address, const struct mail_key *k, const struct wrapped_key *fresh)
{
	struct db_stmt *st = db_stmt(tx, &mail_texts, address ? Q_ADDRESS_KEY_SET : Q_KEY_SET);

	db_bind_blob(st, 1, fresh->b, sizeof(fresh->b));
	db_bind_c(st, 2, k->seller_id);
	if (address)
		db_bind_int(st, 3, k->slot);
	else
		db_bind_guid(st, 3, &k->id);
	return db_run(st, NULL);
}

/* ---- addresses ---- */

enum souk_err
mail_address_rows(struct db_tx *tx, struct str seller_id, struct arena *mem,
    struct mail_address_row out[MAIL_ADDRESSES_MAX], size_t *ret_n)
{
	struct db_stmt *st = db_stmt(tx, &mail_texts, Q_ADDRESSES);
	size_t n = 0;
	bool row = false;
	enum souk_err r;

	db_bind_text(st, 1, seller_id);
	while ((r = db_step(st, &row)) == SOUK_OK && row && n < MAIL_ADDRESSES_MAX) {
		out[n] =
		    (struct mail_address_row){ (int)db_int(st, 0), db_blob(st, 1), db_blob(st, 2) };
		if (!keep(mem, &out[n].key) || !keep(mem, &out[n].sealed)) {
			r = SOUK_E_LIMIT;
			break;
		}
		n++;
	}
	db_reset(st);
	if (r == SOUK_OK)
		*ret_n = n;
	return r;
}

enum souk_err
mail_address_put(struct db_tx *tx, struct str seller_id, int slot, const struct mail_sealed *s)
{
	struct db_stmt *st = db_stmt(tx, &mail_texts, Q_ADDRESS_PUT);

	db_bind_text(st, 1, seller_id);
	db_bind_int(st, 2, slot);
	db_bind_blob(st, 3, s->key.b, sizeof(s->key.b));
	db_bind_blob(st, 4, s->bytes.p, s->bytes.n);
	db_bind_int(st, 5, db_now(tx));
	return db_run(st, NULL);
}

enum souk_err
mail_address_drop_all(struct db_tx *tx, struct str seller_id)
{
	struct db_stmt *st = db_stmt(tx, &mail_texts, Q_ADDRESSES_DROP);

	db_bind_text(st, 1, seller_id);
	return db_run(st, NULL);
}

/* ---- templates ---- */

static bool
keep_parts(struct arena *mem, struct mail_parts *p)
{
	return keep(mem, &p->subject) && keep(mem, &p->text) && keep(mem, &p->html);
}

enum souk_err
mail_template_best(struct db_tx *tx, struct str seller_id, const char *kind, struct str language,
    struct arena *mem, struct mail_parts *ret)
{
	struct db_stmt *st = db_stmt(tx, &mail_texts, Q_TEMPLATE_BEST);
	struct str rest = language, first = STR("");
	enum souk_err r;

	(void)str_split(&rest, '-', &first);
	db_bind_text(st, 1, seller_id);
	db_bind_c(st, 2, kind);
	db_bind_text(st, 3, language);
	db_bind_text(st, 4, first);
	if ((r = db_one(st)) == SOUK_OK) {
		*ret = (struct mail_parts){ db_text(st, 0), db_text(st, 1), db_text(st, 2) };
		r = keep_parts(mem, ret) ? SOUK_OK : SOUK_E_LIMIT;
	}
	db_reset(st);
	return r;
}

static enum souk_err
read_template(struct db_stmt *st, struct arena *mem, struct mail_own *t)
{
	*t = (struct mail_own){ .kind = db_text(st, 0),
		.language = db_text(st, 1),
		.parts = { db_text(st, 2), db_text(st, 3), db_text(st, 4) },
		.changed_by = db_text(st, 5),
		.changed_at = db_int(st, 6),
		.revision = db_int(st, 7) };
	return keep(mem, &t->kind) && keep(mem, &t->language) && keep_parts(mem, &t->parts) &&
		       keep(mem, &t->changed_by)
		   ? SOUK_OK
		   : SOUK_E_LIMIT;
}

enum souk_err
mail_template_row_get(struct db_tx *tx, struct str seller_id, struct str kind, struct str language,
    struct arena *mem, struct mail_own *ret)
{
	struct db_stmt *st = db_stmt(tx, &mail_texts, Q_TEMPLATE_GET);
	enum souk_err r;

	db_bind_text(st, 1, seller_id);
	db_bind_text(st, 2, kind);
	db_bind_text(st, 3, language);
	if ((r = db_one(st)) == SOUK_OK)
		r = read_template(st, mem, ret);
	db_reset(st);
	return r;
}

enum souk_err
mail_template_row_put(struct db_tx *tx, struct str seller_id, const struct mail_own *t)
{
	struct db_stmt *st = db_stmt(tx, &mail_texts, Q_TEMPLATE_PUT);

	db_bind_text(st, 1, seller_id);
	db_bind_text(st, 2, t->kind);
	db_bind_text(st, 3, t->language);
	db_bind_text(st, 4, t->parts.subject);
	db_bind_text(st, 5, t->parts.text);
	db_bind_text(st, 6, t->parts.html);
	db_bind_text(st, 7, t->changed_by);
	db_bind_int(st, 8, t->changed_at);
	db_bind_int(st, 9, t->revision);
	return db_run(st, NULL);
}

enum souk_err
mail_template_row_drop(struct db_tx *tx, struct str seller_id, struct str kind, struct str language)
{
	struct db_stmt *st = db_stmt(tx, &mail_texts, Q_TEMPLATE_DROP);
	int64_t n = 0;
	enum souk_err r;

	db_bind_text(st, 1, seller_id);
	db_bind_text(st, 2, kind);
	db_bind_text(st, 3, language);
	r = db_run(st, &n);
	return r == SOUK_OK && n == 0 ? SOUK_E_NOT_FOUND : r;
}

enum souk_err
mail_template_rows(struct db_tx *tx, struct str seller_id, struct str kind, struct arena *mem,
    struct mail_own *out, size_t max, size_t *ret_n)
{
	struct db_stmt *st = db_stmt(tx, &mail_texts, Q_TEMPLATES);
	size_t n = 0;
	bool row = false;
	enum souk_err r;

	db_bind_text(st, 1, seller_id);
	db_bind_text(st, 2, kind);
	db_bind_int(st, 3, (int64_t)max);
	while ((r = db_step(st, &row)) == SOUK_OK && row && n < max)
		if ((r = read_template(st, mem, &out[n++])) != SOUK_OK)
			break;
	db_reset(st);
	if (r == SOUK_OK)
		*ret_n = n;
	return r;
}

static enum souk_err
one_number(struct db_stmt *st, int64_t *ret)
{
	enum souk_err r = db_one(st);

	if (r == SOUK_OK)
		*ret = db_int(st, 0);
	db_reset(st);
	return r;
}

enum souk_err
mail_template_revision(struct db_tx *tx, struct str seller_id, const char *kind,
    struct str language, int64_t *ret_revision)
{
	struct db_stmt *st = db_stmt(tx, &mail_texts, Q_TEMPLATE_REVISION);

	db_bind_text(st, 1, seller_id);
	db_bind_c(st, 2, kind);
	db_bind_text(st, 3, language);
	return one_number(st, ret_revision);
}

enum souk_err
mail_template_count(struct db_tx *tx, struct str seller_id, const char *kind, int64_t *ret)
{
	struct db_stmt *st = db_stmt(tx, &mail_texts, Q_TEMPLATE_COUNT);

	db_bind_text(st, 1, seller_id);
	db_bind_c(st, 2, kind);
	return one_number(st, ret);
}
