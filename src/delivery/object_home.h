/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the sealed files of objects are: a directory, or a bucket of an S3 store. For
 * object_*.c only.
 *
 * A home knows ids and sealed bytes, nothing of rows and keys. A file is written to a file
 * descriptor, kept or dropped as a whole, then read in pieces and never changed.
 */
#ifndef SOUK_DELIVERY_OBJECT_HOME_H
#define SOUK_DELIVERY_OBJECT_HOME_H

#include "base/clock.h"
#include "base/guid.h"
#include "base/io.h"
#include "delivery/object.h"

struct object_home;

struct object_home_ops {
	bool
	    remote; /* reading may take seconds, and an open file may be removed under its reader */
	/* A descriptor to write to. */
	enum souk_err (*create)(struct object_home *h, const struct guid *id, int *ret_fd);
	/* Whole and durable after. Closes `fd` in any case. */
	enum souk_err (*keep)(struct object_home *h, const struct guid *id, int fd);
	/* Takes away what was created or kept, as far as it can; `fd` -1 when closed. */
	void (*drop)(struct object_home *h, const struct guid *id, int fd);
	/* *ret_fd is for `read`; -1 when the home needs none. */
	enum souk_err (*open)(struct object_home *h, const struct guid *id, int *ret_fd);
	/* Exactly n bytes; SOUK_E_STORAGE when they are not there. */
	enum souk_err (*read)(
	    struct object_home *h, const struct guid *id, int fd, void *p, size_t n, int64_t at);
	/* SOUK_OK also when there is none. */
	enum souk_err (*remove)(struct object_home *h, const struct guid *id);
	/*
	 * Asks `is_known` about some files that are too old for a writer to be about to put
	 * their row, and removes those that are not; further ones at the next call.
	 */
	enum souk_err (*scan)(struct object_home *h,
	    enum souk_err (*is_known)(void *ctx, const struct guid *id, bool *ret), void *ctx);
	/* Can files be written, read and removed? Not for a home that is always there: NULL. */
	enum souk_err (*probe)(struct object_home *h, struct fail *f);
	/* What the last call that depended on the home's being there met. */
	enum souk_err (*state)(struct object_home *h, struct fail *f);
	void (*free)(struct object_home *h);
};

/* First member of each implementation. */
struct object_home {
	const struct object_home_ops *ops;
};

SOUK_MUST enum souk_err object_home_dir(
    const char *data_dir, struct object_home **ret, struct fail *f);
/* `spool` is a directory for what is being written; it holds nameless files only. */
SOUK_MUST enum souk_err object_home_s3(const struct config *c, const char *data_dir,
    int64_t retention_ms, struct object_home **ret, struct fail *f);

#endif
