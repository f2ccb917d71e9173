/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The job behind GenerateDataSet; its course is delivery/request_job.h.
 *
 * The danger is a file with buyers' columns for somebody who does not participate any more: whether
 * the seller does is fixed when the columns are chosen, and asked again before each file is shown.
 */
#include "edsp/data_set.h"

#include "edsp/enrol.h"
#include "edsp/facts.h"
#include "edsp/feed_objects.h"
#include "edsp/from_feeds.h"
#include "market/account.h"
#include "market/tenant_make.h"

#define ENDING_CSV ".csv"
#define ENDING_META ".meta.json"

/*
 * x->state: the set, whether the seller participated when the columns were chosen, and of disbursed
 * sets the days of the disbursement that is meant (0: there is none) and of the one before.
 * x->own: the feeds, when the set is made from them and there are any.
 */
enum { STATE_SET, STATE_PARTICIPANT, STATE_PAYOUT, STATE_PAYOUT_BEFORE };

/* ---- which publication ---- */

static enum data_set
set_of(const struct request_run *x)
{
	return (enum data_set)x->state[STATE_SET];
}

static instant_t
day_of(instant_t t)
{
	return t - t % DAY_MS;
}

static enum souk_err
refuse(struct request_run *x, const char *code, const char *before, const char *what)
{
	char *sentence = arena_printf(x->mem, "%s%s", before, what);

	return request_refuse(
	    x, SOUK_E_NOT_FOUND, code, sentence ? sentence : "The data set is not published.");
}

static enum souk_err
joined_at(struct request_run *x, struct db_tx *tx, instant_t *ret)
{
	struct tenant_scope scope = tenant_for_job(str_c(x->r.seller_id), "data-set");
	struct account a;
	enum souk_err err = account_get(tx, &scope, str_c(x->r.seller_id), x->mem, &a);

	if (err == SOUK_OK)
		*ret = a.created_at;
	return err;
}

/* A day as people read it, in the arena. */
static const char *
day_text(struct request_run *x, instant_t t)
{
	char text[INSTANT_TEXT_LEN + 1];
	char *day;

	instant_format(t, text);
	day = arena_strndup(x->mem, text, 10);
	return day ? day : "?";
}

/* Is there such a publication? The order is that in which a caller can do something about it. */
static enum souk_err
check_published(struct request_run *x, struct db_tx *tx, instant_t publication)
{
	enum data_set d = set_of(x);
	instant_t joined = 0;
	enum souk_err err;

	if (publication < data_set_since(d))
		return refuse(x, "not_published", "This data set was first published on ",
		    day_text(x, data_set_since(d)));
	if (publication > x->r.received_at)
		return refuse(x, "not_published",
		    "The data set is not yet published; it will be on ", day_text(x, publication));
	if ((err = joined_at(x, tx, &joined)) != SOUK_OK)
		return err;
	if (publication <= day_of(joined))
		return refuse(x, "not_published",
		    "There is no data before the seller joined, which was on ",
		    day_text(x, joined));
	return SOUK_OK;
}

static bool
is_disbursed(const struct request_run *x)
{
	return data_set_info(set_of(x))->rhythm == RHYTHM_DISBURSED;
}

static enum souk_err
check_offered(struct request_run *x)
{
	const struct data_set_info *info = data_set_info(set_of(x));

	if (data_set_deprecated(set_of(x)))
		return refuse(x, "deprecated", "This data set is no longer published: ",
		    info->note ? info->note : "nothing took its place");
	if (!facts_have(set_of(x)) && !x->own)
		return refuse(x, "no_feeds",
		    "This data set is made from data feeds, and there are none of the seller's "
		    "here",
		    "");
	return SOUK_OK;
}

/* The day that names the file: of a disbursed set the disbursement's, once it is found. */
static instant_t
publication_of(const struct request_run *x)
{
	return is_disbursed(x) && x->state[STATE_PAYOUT] != 0
		   ? x->state[STATE_PAYOUT]
		   : data_set_publication(set_of(x), x->r.from_at);
}

static enum souk_err
coverage_of(struct request_run *x, instant_t publication, struct instant_range *ret)
{
	if (!is_disbursed(x))
		return data_set_coverage(set_of(x), publication, ret) ? SOUK_OK : SOUK_E_INTERNAL;
	if (x->state[STATE_PAYOUT] == 0)
		return refuse(x, "not_published",
		    "No disbursement was found in the 31 days before the publication date", "");
	*ret = (struct instant_range){ x->state[STATE_PAYOUT_BEFORE] + DAY_MS,
		publication + DAY_MS - SECOND_MS };
	return SOUK_OK;
}

/* Before all else: the feeds, and what they say about disbursements. */
static enum souk_err
look(struct request_run *x)
{
	struct payout_days days = { 0, 0 };
	struct feed_source *source = NULL;
	enum data_set d;
	enum souk_err err;

	if (!data_set_find(x->r.data_set_type, &d) || data_set_deprecated(d) || facts_have(d))
		return SOUK_OK;
	x->state[STATE_SET] = (int64_t)d;
	err =
	    feed_objects_source(x->db, x->ctx->to.objects, str_c(x->r.seller_id), &source, x->fail);
	if (err != SOUK_OK)
		return err == SOUK_E_NOT_FOUND ? SOUK_OK : err;
	x->own = source;
	if (!is_disbursed(x))
		return SOUK_OK;
	err = from_feeds_payout(source, x->r.from_at, &days, x->fail);
	if (err != SOUK_OK && err != SOUK_E_NOT_FOUND)
		return err;
	x->state[STATE_PAYOUT] = days.latest;
	/* Of the first one there is none before: it covers a month and a day. */
	x->state[STATE_PAYOUT_BEFORE] =
	    days.before > 0 ? days.before : days.latest - (DATA_SET_LOOK_BACK_DAYS + 1) * DAY_MS;
	return SOUK_OK;
}

static void
done(struct request_run *x)
{
	feed_source_free(x->own);
}

static struct str
key_of(struct request_run *x, instant_t publication, const char *ending)
{
	struct str prefix = x->r.prefix;
	char name[DATA_SET_FILE_NAME_MAX];

	data_set_file_name(set_of(x), publication, name);
	while (prefix.n > 0 && prefix.p[prefix.n - 1] == '/')
		prefix.n--;
	return str_c(arena_printf(x->mem, "%.*s%s%s%s", (int)prefix.n, prefix.n ? prefix.p : "",
	    prefix.n ? "/" : "", name, ending));
}

static enum souk_err
begin(struct request_run *x, struct db_tx *tx)
{
	struct instant_range covers;
	instant_t publication;
	bool participant = false;
	enum data_set d;
	enum souk_err err;

	if (!data_set_find(x->r.data_set_type, &d))
		return refuse(x, "no_such_set", "There is no such data set.", "");
	x->state[STATE_SET] = (int64_t)d;
	if ((err = check_offered(x)) != SOUK_OK)
		return err;
	publication = publication_of(x);
	if ((err = check_published(x, tx, publication)) != SOUK_OK ||
	    (err = edsp_participates(tx, str_c(x->r.seller_id), &participant)) != SOUK_OK)
		return err;
	if ((err = coverage_of(x, publication, &covers)) != SOUK_OK)
		return err;
	x->state[STATE_PARTICIPANT] = participant;
	x->r.coverage_start = covers.from;
	x->r.coverage_end = covers.to;
	x->r.csv_key = key_of(x, publication, ENDING_CSV);
	x->r.meta_key = key_of(x, publication, ENDING_META);
	return x->r.csv_key.p && x->r.meta_key.p ? SOUK_OK : SOUK_E_NOMEM;
}

/* ---- making it ---- */

static enum souk_err
check(struct request_run *x, struct db_tx *tx)
{
	bool participant = false;
	enum souk_err err = edsp_participates(tx, str_c(x->r.seller_id), &participant);

	if (err != SOUK_OK)
		return err;
	if (data_set_info(set_of(x))->participants_only && !participant)
		return request_refuse(x, SOUK_E_DENIED, "not_enrolled",
		    "The seller is not enrolled in enhanced data sharing.");
	if (x->state[STATE_PARTICIPANT] && !participant)
		return fail_set(x->fail, SOUK_E_UNAVAILABLE, "withdrawn",
		    "The seller was withdrawn from enhanced data sharing meanwhile.");
	return SOUK_OK;
}

static enum souk_err
write_from_feeds(struct request_run *x, struct sink *out)
{
	struct from_feeds_request q = { .source = x->own,
		.seller_id = str_c(x->r.seller_id),
		.data_set = set_of(x),
		.covers = { x->r.coverage_start, x->r.coverage_end },
		.known_at = publication_of(x) + DAY_MS - SECOND_MS,
		.participant = x->state[STATE_PARTICIPANT] != 0 };
	enum souk_err err = from_feeds_write(&q, out, &x->r.rows_create, x->fail);

	if (err == SOUK_OK && x->r.rows_create == 0)
		x->why_empty = "the feeds have nothing of the kind for the covered time";
	if (err == SOUK_E_INVALID) /* the feeds: they will be the same next time */
		x->refused = true;
	return err;
}

static enum souk_err
write(struct request_run *x, struct sink *out)
{
	struct facts_request q = { .seller_id = str_c(x->r.seller_id),
		.data_set = set_of(x),
		.covers = { x->r.coverage_start, x->r.coverage_end },
		.known_at = data_set_publication(set_of(x), x->r.from_at) + DAY_MS,
		.participant = x->state[STATE_PARTICIPANT] != 0 };
	struct facts_stats s = { .rows = 0 };
	enum souk_err err;

	if (x->own)
		return write_from_feeds(x, out);
	if ((err = facts_write(x->db, x->ctx->vault, &q, out, &s, x->fail)) != SOUK_OK)
		return err;
	x->r.rows_create = s.rows;
	x->why_empty = s.why_empty;
	return SOUK_OK;
}

/* The specification's example has no times of receipt and completion: so files of one request are one. */
static void
meta(const struct request_run *x, struct buf *out)
{
	struct jw w;

	jw_init(&w, out);
	request_meta_open(&x->r, "dataSetPublicationDate", &w);
	jw_int(&w, "rowCount", x->r.rows_create);
	jw_bool(&w, "participant", x->state[STATE_PARTICIPANT] != 0);
	if (x->own && feed_objects_set_aside(x->own) > 0)
		jw_int(&w, "feedRowsSetAside", (int64_t)feed_objects_set_aside(x->own));
	request_meta_file(&x->r, x->why_empty, &w);
	jw_close(&w, '}');
	buf_add_char(out, '\n');
}

static const struct request_maker maker = {
	.actor = "data-set",
	.action = "edsp:DataSet",
	.purpose = "field-sales-compensation",
	.look = look,
	.done = done,
	.begin = begin,
	.check = check,
	.write = write,
	.meta = meta,
};

enum job_outcome
edsp_job_data_set(void *ctx, struct db *db, const struct job *j, struct fail *f)
{
	return request_job_run(&maker, ctx, db, j, f);
}

enum souk_err
edsp_job_data_set_dead(void *ctx, struct db_tx *tx, const struct job *j, const struct fail *f)
{
	return request_job_dead(&maker, ctx, tx, j, f);
}
