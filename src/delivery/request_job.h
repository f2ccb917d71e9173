/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making and delivering what a request asked for (specs/psc.md 7, 8, 9, edsp 2): the course that the jobs
 * of all programs share. A program says what is in the files, and whether they may be delivered still.
 */
#ifndef SOUK_DELIVERY_REQUEST_JOB_H
#define SOUK_DELIVERY_REQUEST_JOB_H

#include "base/io.h"
#include "delivery/destination.h"
#include "delivery/request.h"
#include "store/job.h"

/* One per process. */
struct request_job_ctx {
	struct vault *vault;
	struct destinations to;
	struct job_runner *const
	    *jobs;       /* who runs it, for stopping early; NULL: nobody says stop */
	const void *own; /* the program's own; may be NULL */
};

struct request_maker;

/* One run of a job. A maker's functions get it. */
struct request_run {
	const struct request_maker *maker;
	const struct request_job_ctx *ctx;
	const struct job *job;
	struct db *db;
	struct arena *mem; /* of the run, 256 KiB */
	struct fail *fail;
	struct data_set_request r; /* `begin` sets csv_key and meta_key, `write` the rows */
	const char *why_empty;     /* `write`: why there are no rows; NULL when there are */
	int64_t state[4];          /* the maker's, zero at first */
	void *own;                 /* the maker's, `done` frees it */
	bool refused;              /* what failed will fail again: the words are in `fail` */
	/* the course's own */
	bool answered; /* the request waits no more: nothing to do but to end the job */
	struct destination *to;
	struct destination_file *csv, *meta;
};

struct request_maker {
	const char *actor;            /* of the audit, when nobody asked: "export" */
	const char *action, *purpose; /* of the audit */
	/* Before all else, not inside a transaction; of x->r only what was asked for is known. May be NULL. */
	enum souk_err (*look)(struct request_run *x);
	void (*done)(struct request_run *x); /* at the end, however it came; may be NULL */
	/* In a snapshot, before anything is made: names and coverage. May come again. */
	enum souk_err (*begin)(struct request_run *x, struct db_tx *tx);
	/* May it be delivered still? Asked before the work, before each file is shown, and as it is recorded. */
	enum souk_err (*check)(struct request_run *x, struct db_tx *tx);
	/* The file. SOUK_E_DENIED is refused for good. Not inside a transaction. */
	enum souk_err (*write)(struct request_run *x, struct sink *out);
	/* The metadata file; size and hash of the file are in x->r. */
	void (*meta)(const struct request_run *x, struct buf *out);
	void (*delivered)(const struct request_run *x); /* for metrics; may be NULL */
};

/* Fails for good, with a sentence for the notification. Returns `err`. */
enum souk_err request_refuse(
    struct request_run *x, enum souk_err err, const char *code, const char *sentence);

enum job_outcome request_job_run(const struct request_maker *m, const struct request_job_ctx *ctx,
    struct db *db, const struct job *j, struct fail *f);
/* Hook for dead letters: request_failed. */
SOUK_MUST enum souk_err request_job_dead(const struct request_maker *m,
    const struct request_job_ctx *ctx, struct db_tx *tx, const struct job *j, const struct fail *f);

/* ---- the metadata's common members (psc 8) ---- */
/* From the opening bracket to the locations; `instant`: the request's member that r->from_at is. */
void request_meta_open(const struct data_set_request *r, const char *instant, struct jw *w);
/* Size and hash of the file, and why it is empty, if it is. */
void request_meta_file(const struct data_set_request *r, const char *why_empty, struct jw *w);

#endif
