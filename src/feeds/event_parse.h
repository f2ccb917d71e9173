/* SPDX-License-Identifier: Apache-2.0 */
/* A billing event's cells as an event, and whether a query wants it. Internal to feeds/events. */
#ifndef SOUK_FEEDS_EVENT_PARSE_H
#define SOUK_FEEDS_EVENT_PARSE_H

#include "feeds/event_store.h"

/* The columns that a query needs. */
uint64_t event_columns(const struct events_query *q);

/* Into `in`, but for its id and what is interned; its `kept` and `extra` say whether the query wants it, its reference left aside. */
struct event_parser {
	const struct events_query *q;
	bool months_limited;
	instant_t from, to; /* of the months, both included */
	/* The days met last, by their text: most rows of a file share a few. */
	struct {
		char text[16];
		instant_t midnight;
	} day[64];
};

void event_parser_init(struct event_parser *p, const struct events_query *q);
/* *ret_seen is false for a row recorded after q->known_at. On a fault *ret_column is its column. */
struct value_fault event_parse(struct event_parser *p, const struct str *cell, struct event_in *in,
    bool *ret_seen, unsigned *ret_column);

#endif
