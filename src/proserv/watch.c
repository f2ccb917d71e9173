/* SPDX-License-Identifier: Apache-2.0 */
/* Looking for listings that are due; see watch.h. */
#include "proserv/watch.h"

#include "proserv/watch_batch.h"

#include <stdio.h>
#include <stdlib.h>

#define LOOK_EVERY 2              /* ticks between looks for changed products and sellers */
#define LOOK_BACK (3 * MINUTE_MS) /* longer than a transaction takes to become visible */
#define STALE_MAX 1000

struct watch {
	const struct watch_ctx *ctx;
	uint64_t ticks;
	bool rules_known, logos_known;
	instant_t looked_at;
	char rules[WATCH_RULES_LEN + 1];
	bool due, rules_changed;
	size_t n_stale;
};

void
watch_rules(const struct reviewer *reviewer, char out[static WATCH_RULES_LEN + 1])
{
	static const enum setting_id settings[] = { SET_REVIEW_EDITION, SET_REVIEW_CATEGORIES,
		SET_REVIEW_DATA_USE_TERMS };
	struct buf b = { 0 };
	uint8_t sum[SHA256_LEN];
	size_t n_marks;
	const struct logo_known *marks = reviewer_marks(reviewer, &n_marks);

	buf_printf(&b, "%s", SOUK_VERSION);
	for (size_t i = 0; i < n_rules; i++)
		buf_printf(
		    &b, "\n%s %u %u", rules[i].id, rules[i].editions, (unsigned)rules[i].severity);
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		buf_printf(&b, "\n%s", config_text(reviewer_config(reviewer), settings[i]));
	for (size_t i = 0; i < n_marks; i++) {
		char hash[LOGO_HASH_TEXT + 1];

		logo_hash_write(&marks[i].hash, hash);
		buf_printf(&b, "\n%s %.*s", hash, (int)marks[i].name.n, marks[i].name.p);
	}
	sha256(b.p, b.n, sum);
	hex_encode(sum, SHA256_LEN, out);
	buf_done(&b);
}

enum souk_err
watch_new(const struct watch_ctx *ctx, struct watch **ret)
{
	struct watch *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return SOUK_E_NOMEM;
	w->ctx = ctx;
	watch_rules(ctx->reviewer, w->rules);
	*ret = w;
	return SOUK_OK;
}

void
watch_free(struct watch *w)
{
	free(w);
}

/* ---- looking ---- */

static enum souk_err
meta_is(struct db_tx *tx, const char *name, const char *value, bool *ret)
{
	struct buf b = { 0 };
	enum souk_err r = db_meta_get(tx, name, &b);

	if (r == SOUK_OK || r == SOUK_E_NOT_FOUND) {
		*ret = r == SOUK_OK && str_eq_c(buf_str(&b), value);
		r = SOUK_OK;
	}
	buf_done(&b);
	return r;
}

static enum souk_err
look(struct db_tx *tx, void *arg)
{
	struct watch *w = arg;
	bool same = true;
	enum souk_err r = review_is_due(tx, db_now(tx), &w->due);

	w->rules_changed = false;
	if (r != SOUK_OK || w->rules_known ||
	    (r = meta_is(tx, WATCH_RULES_META, w->rules, &same)) != SOUK_OK || same)
		return r;
	return review_is_any(tx, &w->rules_changed);
}

static enum souk_err
mark_stale(struct db_tx *tx, void *arg)
{
	struct watch *w = arg;
	struct place {
		char seller_id[ACCOUNT_ID_LEN + 1];
		struct guid product_id;
	} *v = calloc(STALE_MAX, sizeof(*v));
	instant_t since = w->looked_at > LOOK_BACK ? w->looked_at - LOOK_BACK : 0;
	struct db_stmt *st;
	size_t n = 0;
	enum souk_err r;
	bool row;

	if (v == NULL)
		return SOUK_E_NOMEM;
	st = review_rows_stale(tx, since, db_now(tx), STALE_MAX);
	while ((r = db_step(st, &row)) == SOUK_OK && row) {
		struct str id = db_text(st, 0);

		(void)snprintf(v[n].seller_id, sizeof(v[n].seller_id), "%.*s", (int)id.n, id.p);
		v[n++].product_id = db_guid(st, 1);
	}
	for (size_t i = 0; r == SOUK_OK && i < n; i++)
		r = review_mark(tx, str_c(v[i].seller_id), &v[i].product_id, db_now(tx));
	free(v);
	w->n_stale = n;
	return r;
}

static enum souk_err
count_stale(struct db_tx *tx, void *arg)
{
	struct watch *w = arg;
	instant_t since = w->looked_at > LOOK_BACK ? w->looked_at - LOOK_BACK : 0;
	struct db_stmt *st = review_rows_stale(tx, since, db_now(tx), 1);
	enum souk_err r;
	bool row;

	w->n_stale = 0;
	while ((r = db_step(st, &row)) == SOUK_OK && row)
		w->n_stale++;
	return r;
}

static enum souk_err
read_logos(struct db_tx *tx, void *arg)
{
	struct watch *w = arg;

	return logo_index_refresh(reviewer_logos(w->ctx->reviewer), tx);
}

/* A look costs no write; most find nothing. */
static enum souk_err
look_for_stale(struct watch *w, struct db *db)
{
	instant_t began = clock_now();
	enum souk_err r = db_read(db, count_stale, w);

	while (r == SOUK_OK && w->n_stale > 0) {
		r = db_write(db, mark_stale, w);
		if (w->n_stale < STALE_MAX)
			break;
	}
	if (r == SOUK_OK)
		w->looked_at = began;
	return r;
}

static enum souk_err
put_job(struct db_tx *tx, void *arg)
{
	struct watch *w = arg;
	const char *payload = w->rules_changed ? "{\"rules\":true}" : "{}";
	bool has = false;
	enum souk_err r = lock_subject(tx, REVIEW_JOB, sizeof(REVIEW_JOB) - 1);

	if (r != SOUK_OK || (r = review_has_job(tx, REVIEW_JOB, &has)) != SOUK_OK)
		return r;
	if (has) {
		w->rules_changed = false;
		return SOUK_OK;
	}
	return job_put(
	    tx, &(struct job_new){ .kind = REVIEW_JOB, .payload = str_c(payload) }, NULL);
}

enum souk_err
watch_tick(struct watch *w, struct db *db)
{
	enum souk_err r = SOUK_OK;
	bool asked;

	/* All of them take long to read: nobody has to wait for it. */
	if (!w->logos_known && (r = db_read(db, read_logos, w)) == SOUK_OK)
		w->logos_known = true;
	if (r == SOUK_OK && w->ticks++ % LOOK_EVERY == 0)
		r = look_for_stale(w, db);
	if (r != SOUK_OK || (r = db_read(db, look, w)) != SOUK_OK)
		return r;
	asked = w->rules_changed;
	if (!asked)
		w->rules_known = true;
	if (!asked && !w->due)
		return SOUK_OK;
	/* Of a job that is there already nobody knows which rules it was put for: this one comes after it. */
	if ((r = db_write(db, put_job, w)) == SOUK_OK && asked)
		w->rules_known = w->rules_changed;
	return r;
}
