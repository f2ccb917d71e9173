/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A feed's keys with their versions over time: rules 1 to 7 of data-feeds 2.
 *
 * Of the rows with one key and one valid_from the greatest update_date wins; among equal ones the row whose columns,
 * in their documented order, compare greater byte by byte. A winner with a delete_date takes that version away.
 * Everything is read-only once loaded, so any thread may ask.
 */
#ifndef SOUK_FEEDS_HISTORY_H
#define SOUK_FEEDS_HISTORY_H

#include "feeds/read.h"

#define HISTORY_NONE UINT32_MAX
#define HISTORY_END INT64_C(253370764800000) /* 9999-01-01: where the newest version ends */

struct history;

struct version {
	instant_t valid_from;
	instant_t until; /* the next valid_from, or HISTORY_END */
	instant_t update_date;
	uint32_t key;
	uint32_t file; /* of the source */
	uint64_t offset;
	const uint32_t *cells; /* for history_cell */
};

struct history_query {
	struct feed_source *source;
	enum feed feed;
	uint64_t columns;   /* to keep; the key and history columns need not be named */
	instant_t known_at; /* rows recorded later do not exist (rule 5); INSTANT_NONE: all do */
	struct fault_sink *faults;
	unsigned threads; /* 0: as many as there are processors */
};

/* A feed without files gives an empty history. */
SOUK_MUST enum souk_err history_load(
    const struct history_query *q, struct history **ret, struct fail *f);
void history_free(struct history *h); /* accepts NULL */

/* Keys are numbered from 0. `parts` are the key's columns in their order; HISTORY_NONE when unknown. */
size_t history_keys(const struct history *h);
uint32_t history_key(const struct history *h, const struct str *parts);
/* Oldest first; none for a key whose versions were all deleted. */
const struct version *history_versions(const struct history *h, uint32_t key, size_t *ret_n);

/* NULL for HISTORY_NONE, or without such a version. */
const struct version *history_latest(const struct history *h, uint32_t key);
/* valid_from <= t < until; an account's first version begins a day earlier (rule 7). */
const struct version *history_asof(const struct history *h, uint32_t key, instant_t t);

/* A column that was kept; {"", 0} for others. Valid as long as the history. */
struct str history_cell(const struct history *h, const struct version *v, unsigned column);

/* Of one key's versions, as history_asof. */
const struct version *versions_asof(const struct version *v, size_t n, instant_t t);

/* A version's number among all of the history, and the version of a number. */
uint32_t history_number(const struct history *h, const struct version *v);
const struct version *history_numbered(const struct history *h, uint32_t number);

#endif
