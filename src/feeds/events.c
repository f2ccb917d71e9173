/* SPDX-License-Identifier: Apache-2.0 */
/* Loading: dimensions, then passes over the billing events until nothing is in doubt. */
#include "feeds/events.h"

#include "feeds/events_scan.h"

#include "feeds/parallel.h"

#include <stdlib.h>

/* Of the feed, for each transaction reference, about. */
#define REFERENCE_BYTES 2048

static enum souk_err
out_of_memory(struct fail *f)
{
	return fail_set(f, SOUK_E_NOMEM, "out_of_memory", "No memory for the billing events.");
}

static enum souk_err
load_dimension(const struct events_query *q, enum feed feed, uint64_t columns, struct history **ret,
    struct fail *f)
{
	struct history_query h = { .source = q->source,
		.feed = feed,
		.columns = columns,
		.known_at = q->known_at,
		.faults = q->faults,
		.threads = q->threads };

	return columns ? history_load(&h, ret, f) : SOUK_OK;
}

/* Sizes of the feed's files in all; an error when there are none. */
static enum souk_err
need_feed(struct feed_source *s, enum feed feed, uint64_t *ret_bytes, struct fail *f)
{
	size_t first, n;

	feed_source_of(s, feed, &first, &n);
	*ret_bytes = 0;
	for (size_t i = first; i < first + n; i++)
		*ret_bytes += s->files[i].size;
	return n > 0 ? SOUK_OK
		     : fail_set(f, SOUK_E_INVALID, "no_feed",
			   "The feed %s has no files; they are kept as "
			   "%s/year=YYYY/month=MM/data.csv",
			   feed_info(feed)->name, feed_info(feed)->folder);
}

struct loading {
	const struct events_query *q;
	struct feeds *fs;
};

static enum souk_err
load_one(void *arg, unsigned which, struct fail *f)
{
	const struct loading *l = arg;
	const struct events_query *q = l->q;

	switch (which) {
	case 0:
		return load_dimension(q, FEED_ACCOUNT, q->account_columns, &l->fs->account, f);
	case 1:
		return load_dimension(q, FEED_ADDRESS, q->address_columns, &l->fs->address, f);
	default:
		return load_dimension(q, FEED_PRODUCT, q->product_columns, &l->fs->product, f);
	}
}

/* Together, but with a sink one after the other: it is told in the order of the feeds. */
static enum souk_err
load_dimensions(const struct events_query *q, struct feeds *fs, struct fail *f)
{
	struct loading l = { q, fs };
	enum souk_err err = SOUK_OK;

	if (!q->faults && parallel_threads(q->threads) > 1)
		return parallel_run(3, load_one, &l, f);
	for (unsigned i = 0; err == SOUK_OK && i < 3; i++)
		err = load_one(&l, i, f);
	return err;
}

static enum souk_err
need_feeds(const struct events_query *q, uint64_t *ret_bytes, struct fail *f)
{
	const uint64_t columns[] = {
		[FEED_ACCOUNT] = q->account_columns,
		[FEED_ADDRESS] = q->address_columns,
		[FEED_PRODUCT] = q->product_columns,
	};
	enum souk_err err = SOUK_OK;
	uint64_t ignored;

	if (q->source->n > EVENT_FILES_MAX)
		return fail_set(f, SOUK_E_LIMIT, "too_many_files",
		    "There are more than %d files of feeds; give fewer months.", EVENT_FILES_MAX);
	for (enum feed feed = 0; err == SOUK_OK && feed < sizeof(columns) / sizeof(columns[0]);
	     feed++)
		if (columns[feed])
			err = need_feed(q->source, feed, &ignored, f);
	return err == SOUK_OK ? need_feed(q->source, FEED_BILLING_EVENT, ret_bytes, f) : err;
}

enum souk_err
feeds_load(const struct events_query *q, struct feeds **ret, struct fail *f)
{
	struct feeds *fs = calloc(1, sizeof(*fs));
	bool all = q->month_from <= MONTHS_FROM && q->month_to >= MONTHS_TO;
	uint64_t bytes = 0;
	enum souk_err err = currency_load(f);

	if (!fs)
		return out_of_memory(f);
	fs->source = q->source;
	if (err == SOUK_OK)
		err = need_feeds(q, &bytes, f);
	if (err == SOUK_OK &&
	    (!(fs->accounts = intern_new()) || !(fs->products = intern_new()) ||
		!(fs->addresses = intern_new()) || !(fs->references = intern_new()) ||
		!(fs->others = intern_new()) ||
		!intern_reserve(fs->references, all ? bytes / REFERENCE_BYTES : 0)))
		err = out_of_memory(f);
	if (err == SOUK_OK && (err = load_dimensions(q, fs, f)) == SOUK_OK &&
	    (err = events_store_new(q, bytes, &fs->store, f)) == SOUK_OK)
		err = events_scan(q, fs, f);
	if (err != SOUK_OK) {
		feeds_free(fs);
		return err;
	}
	*ret = fs;
	return SOUK_OK;
}

void
feeds_free(struct feeds *fs)
{
	if (!fs)
		return;
	history_free(fs->account);
	history_free(fs->address);
	history_free(fs->product);
	intern_free(fs->accounts);
	intern_free(fs->products);
	intern_free(fs->addresses);
	intern_free(fs->references);
	intern_free(fs->others);
	events_store_free(fs->store);
	free(fs);
}

void
events_release(struct feeds *fs)
{
	events_store_free(fs->store);
	fs->store = NULL;
}

/* ---- asking ---------------------------------------------------------------------------------------------- */

uint32_t
events_bound(const struct feeds *fs)
{
	return events_store_bound(fs->store);
}

uint32_t
events_next(const struct feeds *fs, uint32_t i)
{
	uint32_t bound = events_bound(fs);

	for (; i < bound; i++) {
		const struct event *e;

		if (!events_store_used(fs->store, i)) {
			i |= EVENT_BLOCK - 1; /* the rest of the block */
			continue;
		}
		e = events_store_at(fs->store, i);
		if (e->kept && !e->deleted)
			return i;
	}
	return EVENT_NONE;
}

const struct event *
event_at(const struct feeds *fs, uint32_t i)
{
	return events_store_at(fs->store, i);
}

const struct event_more *
event_more_at(const struct feeds *fs, uint32_t i)
{
	return events_store_more(fs->store, i);
}

enum souk_err
event_row_read(const struct feeds *fs, uint32_t i, struct event_row **row,
    const struct str **ret_cells, uint64_t *ret_line, struct fail *f)
{
	const struct event *e = event_at(fs, i);
	struct row_reader *r = (struct row_reader *)*row;
	enum souk_err err = r ? SOUK_OK : row_reader_new(fs->source, &r, f);

	*row = (struct event_row *)r;
	if (err == SOUK_OK)
		err = row_line(r, e->file, e->offset, ret_line, f);
	if (err == SOUK_OK)
		err = row_read(r, 0, e->file, e->offset, ret_cells, f);
	return err;
}

void
event_row_done(struct event_row *row)
{
	row_reader_free((struct row_reader *)row);
}
