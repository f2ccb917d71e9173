/* SPDX-License-Identifier: Apache-2.0 */
/* Loading: dimensions, then passes over the billing events until nothing is in doubt. */
#include "feeds/events.h"

#include "feeds/event_parse.h"

#include <stdlib.h>

struct pass {
	const struct events_query *q;
	struct feeds *fs;
	struct bloom *references; /* that passed by; NULL when every one is wanted */
	struct put_context put;
	struct event_parser parser;
	const struct feed_reading *reading;
	bool again;
};

static enum souk_err
out_of_memory(struct fail *f)
{
	return fail_set(f, SOUK_E_NOMEM, "out_of_memory", "No memory for the billing events.");
}

static bool
put_text(struct intern *in, struct str s, uint32_t *ret)
{
	return intern_put(in, s, text_hash(s), ret, NULL);
}

static enum souk_err
intern_cells(struct pass *p, const struct str *cell, struct event_in *in, struct fail *f)
{
	struct feeds *fs = p->fs;
	struct event *e = &in->e;
	bool ok = put_text(fs->accounts, cell[BE_FROM_ACCOUNT_ID], &e->from) &&
		  put_text(fs->accounts, cell[BE_END_USER_ACCOUNT_ID], &e->end_user) &&
		  put_text(fs->products, cell[BE_PRODUCT_ID], &e->product) &&
		  put_text(fs->addresses, cell[BE_BILLING_ADDRESS_ID], &e->address) &&
		  put_text(fs->references, cell[BE_TRANSACTION_REFERENCE_ID], &e->reference);

	if (ok && (p->q->flags & EVENTS_MORE))
		ok = put_text(fs->accounts, cell[BE_TO_ACCOUNT_ID], &in->more.to) &&
		     put_text(fs->others, cell[BE_INVOICE_ID], &in->more.invoice) &&
		     put_text(fs->others, cell[BE_BANK_TRACE_ID], &in->more.bank_trace) &&
		     put_text(fs->others, cell[BE_BROKER_ID], &in->more.broker);
	return ok ? SOUK_OK : out_of_memory(f);
}

static enum souk_err
take_row(void *arg, const struct feed_row *row, struct fail *f)
{
	struct pass *p = arg;
	struct event_in in = { .e = { .file = (uint32_t)row->file,
				   .offset = row->offset & ((UINT64_C(1) << 48) - 1) } };
	unsigned column = 0;
	bool seen;
	struct value_fault fault = event_parse(&p->parser, row->cell, &in, &seen, &column);
	enum souk_err err;

	if (fault.what)
		return feed_row_fault(p->reading, row, column, fault.what, fault.fix, f);
	p->fs->rows += !p->again;
	if (!seen)
		return SOUK_OK;
	if (in.e.extra && p->references &&
	    intern_find(p->fs->references, row->cell[BE_TRANSACTION_REFERENCE_ID]) == INTERN_NONE) {
		bloom_add(p->references, text_hash(row->cell[BE_TRANSACTION_REFERENCE_ID]));
		in.e.extra = false;
	}
	in.e.kept = in.e.kept || in.e.extra;
	if (in.e.kept && (err = intern_cells(p, row->cell, &in, f)) != SOUK_OK)
		return err;
	return events_store_put(p->fs->store, &p->put, &in, 1, f);
}

/* Have references passed by that a later row made known? */
static bool
references_in_doubt(const struct pass *p)
{
	uint32_t n = intern_bound(p->fs->references);

	for (uint32_t i = 0; p->references && i < n; i++) {
		struct str s = intern_text(p->fs->references, i);

		if (s.n > 0 && bloom_may_have(p->references, text_hash(s)))
			return true;
	}
	return false;
}

static enum souk_err
no_fault(struct fault_sink *s, const struct feed_fault *fault, struct str row, struct fail *f)
{
	(void)s;
	(void)fault;
	(void)row;
	(void)f;
	return SOUK_OK; /* told in the first pass */
}

static enum souk_err
load_events(const struct events_query *q, struct feeds *fs, uint64_t bytes, struct fail *f)
{
	struct fault_sink told = { .take = no_fault };
	struct pass p = { .q = q, .fs = fs };
	struct feed_reading reading = { .source = q->source,
		.feed = FEED_BILLING_EVENT,
		.columns = event_columns(q),
		.faults = q->faults,
		.row = take_row,
		.arg = &p };
	enum souk_err err = SOUK_OK;
	bool more = true;

	event_parser_init(&p.parser, q);
	p.reading = &reading;
	if ((q->flags & EVENTS_PAID) && p.parser.months_limited &&
	    !(p.references = bloom_new(bytes / 320 + 1, UINT64_C(64) * 1024 * 1024)))
		return out_of_memory(f);
	while (more && err == SOUK_OK) {
		if ((err = feed_read(&reading, f)) == SOUK_OK) {
			more = events_store_again(fs->store);
			more = (!p.again && references_in_doubt(&p)) || more;
		}
		p.again = true;
		reading.faults = &told;
	}
	if (err == SOUK_OK)
		err = events_store_settle(fs->store, f);
	put_context_done(&p.put);
	bloom_free(p.references);
	return err;
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
		err = load_events(q, fs, bytes, f);
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
