/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is due, and the job that delivers a feed file.
 *
 * The danger is to publish twice, or to somebody who was withdrawn: so the row that says it was
 * published and the request come in one transaction under the seller's lock, which looks at the standing
 * again; and the jobs ask once more.
 */
#include "edsp/publish.h"

#include "delivery/request_start.h"
#include "edsp/data_set.h"
#include "edsp/enrol.h"
#include "edsp/feed_objects.h"
#include "edsp/publish_store.h"
#include "market/account.h"
#include "market/tenant_make.h"

#include <stdio.h>
#include <stdlib.h>

#define SELLERS_AT_ONCE 200
#define ARENA_MAX ((size_t)4 * 1024 * 1024)

static const struct request_kinds set_kinds = { EDSP_DATA_SET_JOB, EDSP_DATA_SET_AWAY_JOB };
static const struct request_kinds feed_kinds = { FEED_FILE_JOB, FEED_FILE_AWAY_JOB };

/* One seller's turn. */
struct turn {
	char seller_id[ACCOUNT_ID_LEN + 1];
	bool dry; /* only look whether anything is due */
	bool due, full;
	int64_t n;
	struct arena *mem;
	struct publication_plan plan;
	bool looked; /* `paid` is known */
	struct feed_note paid;
};

instant_t
publication_latest(enum data_set d, instant_t now)
{
	instant_t at = now - PUBLISH_AFTER_MS, day = data_set_publication(d, at);

	/* Of a monthly set it is the 15th of this month or of the last. */
	if (day > at)
		day = data_set_publication(d, day - 20 * DAY_MS);
	return day;
}

/* ---- what is due ---- */

static enum souk_err
put_request(struct turn *t, struct db_tx *tx, struct str what, struct str version, instant_t at,
    const struct request_kinds *kinds)
{
	struct data_set_request r = { .data_set_type = what,
		.from_at = at,
		.coverage_start = at,
		.coverage_end = at,
		.role_arn = t->plan.role_arn,
		.bucket = t->plan.bucket,
		.prefix = t->plan.prefix,
		.topic_arn = t->plan.topic_arn,
		.requested_by = STR("job:publication"),
		.received_at = db_now(tx) };
	enum souk_err err;

	memcpy(r.seller_id, t->seller_id, sizeof(r.seller_id));
	if ((err = request_start(tx, &r, NULL, kinds, NULL)) != SOUK_OK)
		return err;
	t->n++;
	return publication_put(tx, str_c(t->seller_id), what, version, &r.id);
}

/* Puts it unless it was put; what does not fit now comes at a later turn. */
static enum souk_err
publish_one(struct turn *t, struct db_tx *tx, struct str what, struct str version, instant_t at,
    const struct request_kinds *kinds)
{
	bool known = true;
	enum souk_err err = publication_known(tx, str_c(t->seller_id), what, version, &known);

	if (err != SOUK_OK || known || t->full)
		return err;
	t->due = true;
	if (t->dry)
		return SOUK_OK;
	err = put_request(t, tx, what, version, at, kinds);
	t->full = err == SOUK_E_LIMIT;
	return t->full ? SOUK_OK : err;
}

/* The publication of that day. */
static enum souk_err
publish_set(struct turn *t, struct db_tx *tx, enum data_set d, instant_t at)
{
	char day[INSTANT_TEXT_LEN + 1];

	instant_format(at, day);
	return publish_one(
	    t, tx, str_c(data_set_info(d)->name), (struct str){ day, 10 }, at, &set_kinds);
}

/* From when on the seller's disbursements count: as a request has it, nothing from before it joined. */
static enum souk_err
look_for_payouts(struct turn *t, struct db_tx *tx)
{
	struct str seller = str_c(t->seller_id);
	struct tenant_scope scope = tenant_for_job(seller, "publication");
	instant_t now = db_now(tx), from = now - now % DAY_MS - DATA_SET_LOOK_BACK_DAYS * DAY_MS;
	struct account a;
	enum souk_err err = account_get(tx, &scope, seller, t->mem, &a);

	if (err != SOUK_OK)
		return err;
	if (from <= a.created_at)
		from = a.created_at - a.created_at % DAY_MS + DAY_MS;
	err = feed_objects_payouts(tx, seller, from, t->mem, &t->paid);
	t->looked = err == SOUK_OK;
	return err;
}

/* One set, of each disbursement. */
static enum souk_err
publish_paid(struct turn *t, struct db_tx *tx, enum data_set d)
{
	enum souk_err err = t->looked ? SOUK_OK : look_for_payouts(t, tx);

	for (size_t i = 0; err == SOUK_OK && i < t->paid.n_payouts; i++)
		if (t->paid.payouts[i] + PUBLISH_PAYOUT_MS <= db_now(tx))
			err = publish_set(t, tx, d, t->paid.payouts[i]);
	return err;
}

static enum souk_err
publish_sets(struct turn *t, struct db_tx *tx)
{
	json_t *list = NULL;
	enum souk_err err = json_read(t->plan.data_sets, &list, NULL);

	for (size_t i = 0; err == SOUK_OK && i < json_array_size(list); i++) {
		enum data_set d;

		if (!data_set_find(str_c(json_string_value(json_array_get(list, i))), &d))
			continue; /* of a newer program */
		err = data_set_info(d)->rhythm == RHYTHM_DISBURSED
			  ? publish_paid(t, tx, d)
			  : publish_set(t, tx, d, publication_latest(d, db_now(tx)));
	}
	json_decref(list);
	return err;
}

static enum souk_err
publish_feeds(struct turn *t, struct db_tx *tx)
{
	struct object_list l = { .bucket = STR(FEED_OBJECTS_BUCKET), .max_keys = 1000 };
	enum souk_err err = SOUK_OK;

	do {
		err = object_list_of(tx, str_c(t->seller_id), t->mem, &l);
		for (size_t i = 0; i < l.n && err == SOUK_OK; i++)
			err = publish_one(t, tx, l.entries[i].key, l.entries[i].etag,
			    l.entries[i].modified_at, &feed_kinds);
		if (l.n > 0)
			l.after = l.entries[l.n - 1].key;
	} while (err == SOUK_OK && l.truncated && !t->full);
	return err;
}

static enum souk_err
turn_tx(struct db_tx *tx, void *arg)
{
	struct turn *t = arg;
	struct str seller = str_c(t->seller_id);
	bool participant = false;
	enum souk_err err = t->dry ? SOUK_OK : lock_owner(tx, seller);

	arena_reset(t->mem);
	feed_note_done(&t->paid);
	t->looked = false;
	t->n = 0;
	t->due = t->full = false;
	if (err != SOUK_OK || (err = edsp_participates(tx, seller, &participant)) != SOUK_OK ||
	    !participant)
		return err;
	err = plan_store_load(tx, seller, t->mem, &t->plan);
	if (err == SOUK_E_NOT_FOUND)
		return SOUK_OK;
	if (err == SOUK_OK)
		err = publish_sets(t, tx);
	if (err == SOUK_OK && t->plan.feeds)
		err = publish_feeds(t, tx);
	return err;
}

/* A look costs no write; most turns find nothing. */
static enum souk_err
take_turn(struct db *db, struct turn *t, int64_t *io_n)
{
	enum souk_err err;

	t->dry = true;
	if ((err = db_read(db, turn_tx, t)) != SOUK_OK || !t->due)
		return err;
	t->dry = false;
	if ((err = db_write(db, turn_tx, t)) == SOUK_OK)
		*io_n += t->n;
	return err;
}

struct sellers {
	char id[SELLERS_AT_ONCE][ACCOUNT_ID_LEN + 1];
	size_t n;
	char after[ACCOUNT_ID_LEN + 1];
};

static enum souk_err
sellers_tx(struct db_tx *tx, void *arg)
{
	struct sellers *s = arg;
	struct db_stmt *st = plan_store_sellers(tx, str_c(s->after), SELLERS_AT_ONCE);
	enum souk_err err;
	bool row;

	s->n = 0;
	while ((err = db_step(st, &row)) == SOUK_OK && row) {
		struct str id = db_text(st, 0);

		(void)snprintf(s->id[s->n], sizeof(s->id[0]), "%.*s", (int)id.n, id.p);
		s->n++;
	}
	return err;
}

enum souk_err
publish_due(struct db *db, int64_t *ret_n)
{
	struct turn t = { .mem = arena_new(ARENA_MAX) };
	struct sellers s = { .after = "" };
	enum souk_err err = t.mem ? SOUK_OK : SOUK_E_NOMEM, first = SOUK_OK;

	*ret_n = 0;
	do {
		if (err == SOUK_OK)
			err = db_read(db, sellers_tx, &s);
		for (size_t i = 0; i < s.n && err == SOUK_OK; i++) {
			enum souk_err one;

			memcpy(t.seller_id, s.id[i], sizeof(t.seller_id));
			one = take_turn(db, &t, ret_n);
			first = first == SOUK_OK ? one : first;
		}
		if (s.n > 0)
			memcpy(s.after, s.id[s.n - 1], sizeof(s.after));
	} while (err == SOUK_OK && s.n == SELLERS_AT_ONCE);
	arena_free(t.mem);
	feed_note_done(&t.paid);
	return err != SOUK_OK ? err : first;
}

/* ---- a feed file ---- */

static struct str
key_of(struct request_run *x, const char *ending)
{
	struct str prefix = x->r.prefix, name = x->r.data_set_type;

	while (prefix.n > 0 && prefix.p[prefix.n - 1] == '/')
		prefix.n--;
	if (str_ends(name, STR(".csv")))
		name.n -= 4;
	return str_c(arena_printf(x->mem, "%.*s%s%.*s%s", (int)prefix.n, prefix.n ? prefix.p : "",
	    prefix.n ? "/" : "", (int)name.n, name.p, ending));
}

static enum souk_err
begin(struct request_run *x, struct db_tx *tx)
{
	(void)tx;
	x->r.csv_key = key_of(x, ".csv");
	x->r.meta_key = key_of(x, ".meta.json");
	return x->r.csv_key.p && x->r.meta_key.p ? SOUK_OK : SOUK_E_NOMEM;
}

static enum souk_err
check(struct request_run *x, struct db_tx *tx)
{
	bool participant = false;
	enum souk_err err = edsp_participates(tx, str_c(x->r.seller_id), &participant);

	if (err == SOUK_OK && !participant)
		return request_refuse(x, SOUK_E_DENIED, "not_enrolled",
		    "The seller is not enrolled in enhanced data sharing.");
	return err;
}

static enum souk_err
write(struct request_run *x, struct sink *out)
{
	enum souk_err err = feed_objects_copy(
	    x->db, x->ctx->to.objects, str_c(x->r.seller_id), x->r.data_set_type, out, x->fail);

	if (err == SOUK_E_NOT_FOUND)
		return request_refuse(x, err, "no_feeds", "The feed file is not kept any more.");
	return err;
}

static void
meta(const struct request_run *x, struct buf *out)
{
	struct jw w;

	jw_init(&w, out);
	request_meta_open(&x->r, "dataSetPublicationDate", &w);
	request_meta_file(&x->r, NULL, &w);
	jw_close(&w, '}');
	buf_add_char(out, '\n');
}

static const struct request_maker maker = {
	.actor = "publication",
	.action = "edsp:FeedFile",
	.purpose = "field-sales-compensation",
	.begin = begin,
	.check = check,
	.write = write,
	.meta = meta,
};

enum job_outcome
edsp_job_feed_file(void *ctx, struct db *db, const struct job *j, struct fail *f)
{
	return request_job_run(&maker, ctx, db, j, f);
}

enum souk_err
edsp_job_feed_file_dead(void *ctx, struct db_tx *tx, const struct job *j, const struct fail *f)
{
	return request_job_dead(&maker, ctx, tx, j, f);
}
