/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Puts events into the groups that become lines: first by a dense number (the interned
 * transaction reference, say), then by a short key of numbers. Groups come out in the order of
 * their texts, so that neither numbers nor threads show.
 *
 * Two passes over the events and a sort of each reference's few: nothing is hashed, nothing is
 * allocated per group. One reference with millions of events costs n log n.
 */
#ifndef SOUK_FEEDS_GROUP_H
#define SOUK_FEEDS_GROUP_H

#include "base/str.h"

#define GROUP_PARTS 6
#define GROUP_NONE UINT32_MAX

struct group {
	uint32_t primary;
	uint32_t first, n; /* of the members */
	uint32_t key[GROUP_PARTS];
};

struct group_by {
	size_t n_events;    /* below UINT32_MAX */
	size_t n_primaries; /* numbers are below */
	unsigned parts;     /* of a key */
	/* The first event at or behind `event`, at least n_events when there is none. NULL: all numbers are events. */
	uint32_t (*next)(const void *ctx, uint32_t event);
	/* An event's group; false: it belongs to none. Called twice for each, from any thread. */
	bool (*key)(const void *ctx, uint32_t event, uint32_t *ret_primary, uint32_t *ret_key);
	struct str (*primary_text)(const void *ctx, uint32_t primary);
	/* The order of two keys of one primary, by text; 0 only for equal keys. */
	int (*compare)(const void *ctx, const uint32_t *a, const uint32_t *b);
	const void *ctx;
	unsigned threads;
};

struct groups {
	struct group *groups; /* in the order of output */
	size_t n;
	uint32_t *members; /* events: each group's stand together, in ascending order */
	size_t n_members;
};

SOUK_MUST enum souk_err groups_make(const struct group_by *by, struct groups *ret);
void groups_free(struct groups *g);

/* Which is first as text, bytes compared: negative, 0, positive. */
int text_order(struct str a, struct str b);

#endif
