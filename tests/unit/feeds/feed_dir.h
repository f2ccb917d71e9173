/* SPDX-License-Identifier: Apache-2.0 */
/* Made-up feeds in a temporary directory, and ways to spoil them. */
#ifndef SOUK_TESTS_FEEDS_FEED_DIR_H
#define SOUK_TESTS_FEEDS_FEED_DIR_H

#include "feeds/feed.h"
#include "feeds/make.h"

#define FEED_YEAR 2024
#define FEED_MONTHS 6

/* Six months of about `events` events from 2024-01 on. The name is valid until the next call but three. */
const char *feed_dir_made(uint64_t events, uint64_t seed);
/* An empty one. */
const char *feed_dir_new(void);
void feed_dir_remove(const char *dir);
/* Runs a command with the directory as its working directory; `%s` in it is the other one. */
void feed_dir_run(const char *dir, const char *command);

/* "billing_event_v1/year=2024/month=02/data.csv"; of static memory. */
const char *feed_path(enum feed feed, int month);

/* A file's lines; line[0] is the header. Lines end in \n, the last perhaps not. */
struct feed_text {
	char **line;
	size_t n;
};
void feed_load(const char *dir, enum feed feed, int month, struct feed_text *ret);
void feed_save(const char *dir, enum feed feed, int month, struct feed_text *t); /* and frees it */
void feed_text_free(struct feed_text *t);

/* A cell without its quotes, of a line that has no quoted one before it; valid until the next call but three. */
const char *feed_cell(const char *line, unsigned column);
void feed_set(struct feed_text *t, size_t line, unsigned column, const char *value);
void feed_insert(struct feed_text *t, size_t line, const char *text); /* a copy */
void feed_delete(struct feed_text *t, size_t line);
/* The first line from `from` on whose columns have these values: pairs, the last column FEED_COLUMNS_MAX. 0: none. */
struct feed_want {
	unsigned column;
	const char *value; /* NULL: anything but empty */
};
size_t feed_find(const struct feed_text *t, size_t from, const struct feed_want *want);

#endif
