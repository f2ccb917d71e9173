/* SPDX-License-Identifier: Apache-2.0 */
/* Loading: dimensions, then passes over the billing events until nothing is in doubt. */
#include "feeds/events.h"

#include "feeds/events_scan.h"

#include <stdlib.h>

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

enum souk_err
feeds_load(const struct events_query *q, struct feeds **ret, struct fail *f)
{
	struct feeds *fs = calloc(1, sizeof(*fs));
	uint64_t bytes = 0, ignored;
	enum souk_err err = currency_load(f);

	if (!fs)
		return out_of_memory(f);
	fs->source = q->source;
	if (err == SOUK_OK && (!(fs->accounts = intern_new()) || !(fs->products = intern_new()) ||
				  !(fs->addresses = intern_new()) ||
				  !(fs->references = intern_new()) || !(fs->others = intern_new())))
		err = out_of_memory(f);
	if (err == SOUK_OK && q->account_columns)
		err = need_feed(q->source, FEED_ACCOUNT, &ignored, f);
	if (err == SOUK_OK && q->address_columns)
		err = need_feed(q->source, FEED_ADDRESS, &ignored, f);
	if (err == SOUK_OK && q->product_columns)
		err = need_feed(q->source, FEED_PRODUCT, &ignored, f);
	if (err == SOUK_OK &&
	    (err = need_feed(q->source, FEED_BILLING_EVENT, &bytes, f)) == SOUK_OK &&
	    (err = load_dimension(q, FEED_ACCOUNT, q->account_columns, &fs->account, f)) ==
		SOUK_OK &&
	    (err = load_dimension(q, FEED_ADDRESS, q->address_columns, &fs->address, f)) ==
		SOUK_OK &&
	    (err = load_dimension(q, FEED_PRODUCT, q->product_columns, &fs->product, f)) ==
		SOUK_OK &&
	    (err = events_store_new(q->source, q->flags & EVENTS_MORE,
		 q->month_from <= MONTHS_FROM && q->month_to >= MONTHS_TO, bytes, &fs->store, f)) ==
		SOUK_OK)
		err = events_scan(q, fs, bytes, f);
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
