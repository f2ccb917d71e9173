/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where feed files come from: a folder, or anything that can list files and read them at an offset.
 *
 * Layout (data-feeds 1): FEED/year=YYYY/month=MM/NAME.csv or NAME.csv.gz, FEED being any of the
 * names of feeds/feed.h. Files are sorted by feed, year, month and name.
 */
#ifndef SOUK_FEEDS_SOURCE_H
#define SOUK_FEEDS_SOURCE_H

#include "feeds/feed.h"

#include <pthread.h>
#include <stdint.h>

struct feed_file {
	enum feed feed;
	unsigned year, month;
	char *name;    /* for people: the path below the source's root; owned by the source */
	uint64_t size; /* in bytes as stored; of an opened .gz file: inflated */
	bool gz;
	bool open;
	int spill; /* an inflated .gz file without a name, or -1 */
};

/* What a kind of source does. Calls on different files, and reads of one, may come from several threads. */
struct feed_source_ops {
	/* Up to `n` stored bytes at `offset`; fewer only at the end. Sets no more than *ret_n and `f`. */
	enum souk_err (*read)(void *context, const struct feed_file *file, uint64_t offset, void *p,
	    size_t n, size_t *ret_n, struct fail *f);
	void (*close)(void *context); /* may be NULL */
};

struct feed_source {
	const struct feed_source_ops *ops;
	void *context;
	struct feed_file *files;
	size_t n;
	pthread_mutex_t lock; /* of opening */
};

/*
 * The feeds below `dir`. Errors: no feed folder at all; one feed under two names; a month's file both
 * plain and compressed; a month that is none; what is no regular file. Other files are left alone.
 */
SOUK_MUST enum souk_err feed_source_folder(
    const char *dir, struct feed_source **ret, struct fail *f);
/*
 * For other kinds: an empty source; takes `context` over (also on failure). Then add each file by its
 * path below the root; *ret_taken is false for a path that is not a feed file. Last, settle: sorts and refuses doubles.
 */
SOUK_MUST enum souk_err feed_source_new(
    const struct feed_source_ops *ops, void *context, struct feed_source **ret, struct fail *f);
SOUK_MUST enum souk_err feed_source_add(
    struct feed_source *s, const char *path, uint64_t size, bool *ret_taken, struct fail *f);
SOUK_MUST enum souk_err feed_source_settle(struct feed_source *s, struct fail *f);
void feed_source_free(struct feed_source *s); /* accepts NULL */
/* Opens what a caller calls `where`; feed_source_folder does, for folders. */
typedef enum souk_err feed_opener(
    const char *where, void *arg, struct feed_source **ret, struct fail *f);

/* The files of one feed: [*ret_first, *ret_first + *ret_n). */
void feed_source_of(const struct feed_source *s, enum feed feed, size_t *ret_first, size_t *ret_n);

/*
 * Makes a file readable at any offset and its size that of the text: a .gz file is inflated into a file
 * without a name in $TMPDIR (0600, gone with the process). Later calls are free.
 */
SOUK_MUST enum souk_err feed_source_open(struct feed_source *s, size_t file, struct fail *f);
/* Exactly `n` bytes of the text at `offset`, within its size; a file that shrank meanwhile is an error. */
SOUK_MUST enum souk_err feed_source_read(
    struct feed_source *s, size_t file, uint64_t offset, void *p, size_t n, struct fail *f);

#endif
