/* SPDX-License-Identifier: Apache-2.0 */
/* What comparing shares with finding reasons: lines that are kept, and the events behind them. */
#ifndef SOUK_FEEDS_REPORT_DIFF_INT_H
#define SOUK_FEEDS_REPORT_DIFF_INT_H

#include "feeds/intern.h"
#include "feeds/report_diff.h"
#include "feeds/row_at.h"

/* A row of the billing event feed, by its place. */
struct place {
	uint64_t offset;
	uint32_t file;
};

struct kept_line {
	size_t key, key_n; /* within the texts, as the next */
	size_t cells;      /* one behind the other, each behind its length */
	size_t first, n;   /* of the places, in order */
	size_t index;      /* which line it was */
	bool has_events;
};

/* All lines of one state of knowledge: a sink that keeps them. */
struct kept {
	struct report_sink sink;
	struct report_head head;
	struct kept_line *lines;
	size_t n, cap;
	struct place *places;
	size_t n_places, places_cap;
	struct buf texts, cell;
	bool by_reference;
};

struct str kept_key(const struct kept *k, const struct kept_line *l);
/* Copies where the cells begin; `out` has a slice for each column. */
void kept_cells(const struct kept *k, const struct kept_line *l, struct str *out);

/* One state of an event, as the columns of its row say. */
struct event_version {
	uint32_t id;
	instant_t valid_from, update_date;
	bool deleted;
	size_t cells; /* within `texts`, as above, for FEED_BILLING_EVENT's columns */
};

/* The events that lines gained or lost, with everything that the feed ever said about them. */
struct reasons {
	struct intern *ids;
	struct event_version *versions; /* by id, in the order of the feed */
	size_t n, cap;
	struct buf texts;
	struct row_reader *rows;
	struct feed_source *source;
	struct fault_sink *faults;
};

SOUK_MUST enum souk_err reasons_begin(
    struct reasons *r, const struct report_request *q, struct fail *f);
/* An event that only one side has. */
SOUK_MUST enum souk_err reasons_want(
    struct reasons *r, struct place p, uint32_t *ret_id, struct fail *f);
/* Reads the feed for all that were wanted. */
SOUK_MUST enum souk_err reasons_read(struct reasons *r, struct fail *f);
/* The version that was current at an instant; NULL: none, and *ret_known tells whether there ever was one by then. */
const struct event_version *reasons_current(
    const struct reasons *r, uint32_t id, instant_t t, bool *ret_known);
struct str reasons_cell(const struct reasons *r, const struct event_version *v, unsigned column);
void reasons_done(struct reasons *r);

#endif
