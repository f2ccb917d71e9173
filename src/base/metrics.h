/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counters and histograms in Prometheus text format. Labels are words of ours only.
 *
 * Metrics are rows of a table here; adding to one is a relaxed atomic add.
 */
#ifndef SOUK_BASE_METRICS_H
#define SOUK_BASE_METRICS_H

#include "base/str.h"

#include <stdint.h>

enum metric_id {
	MET_INFO,               /* gauge, always 1; its label is the program's version */
	MET_HTTP_REQUESTS,      /* counter by family and status class */
	MET_HTTP_SECONDS,       /* histogram by family */
	MET_AUTH_REFUSED,       /* counter by reason */
	MET_JOBS_DONE,          /* counter by kind and outcome (done, retry, dead) */
	MET_JOB_SECONDS,        /* histogram by kind */
	MET_JOB_QUEUE,          /* gauge by state; of the installation, not of the node */
	MET_JOB_OLDEST_SECONDS, /* gauge: age of the oldest job that is due; the same */
	MET_EXPORT_ROWS,        /* counter by operation */
	MET_DB_COMMITS,         /* counter */
	MET_DB_COMMIT_SECONDS,  /* histogram */
	MET_DB_WRITES,          /* counter: transaction functions; per commit = grouping */
	MET_DB_SCRUB_PENDING,   /* gauge: erasures whose log pages are not overwritten yet */
	MET_DB_UP,            /* gauge: did the database answer lately, and does it take writes? */
	MET_DB_CONNECTIONS,   /* gauge by use: connections open to a database server */
	MET_DB_LISTENS,       /* counter: times the listener connected; 1 when nothing was lost */
	MET_DB_READS_WAITING, /* gauge: reads that wait for a connection of the pool */
	MET_DB_RETRIES,       /* counter by reason: transactions run again */
	MET_DB_FAILURES,      /* counter by reason: what failed for the database's sake */
	MET_DB_QUEUED,        /* gauge: writes that wait for a connection */
	MET_DB_REFUSED,       /* counter: writes refused because too many waited, or too long */
	MET_NODES,            /* gauge: processes that serve this installation */
	MET_NOTIFICATIONS,    /* counter by outcome */
	MET_OBJECT_BYTES,     /* counter by direction */
	MET_OBJECT_STORE_UP,  /* gauge: did the home of objects answer as it should? */
	MET_OBJECT_STORE_ERRORS, /* counter by kind */
	MET__COUNT
};

/* `label` is a small index into the metric's own label table (metrics.c), 0 when it has none. */
void metric_add(enum metric_id id, unsigned label, uint64_t n);
void metric_set(enum metric_id id, unsigned label, int64_t value);
/* Raises a gauge, or lowers it. */
void metric_move(enum metric_id id, unsigned label, int64_t by);
void metric_observe_ns(enum metric_id id, unsigned label, uint64_t ns);
uint64_t metric_value(enum metric_id id, unsigned label);
/* The whole exposition, text format 0.0.4. */
void metrics_write(struct buf *b);

/* Label indexes. */
enum met_family { FAM_REST, FAM_JSON, FAM_S3, FAM_SNS, FAM_OPS, FAM__COUNT };
enum met_outcome { OUT_DONE, OUT_RETRY, OUT_DEAD, OUT__COUNT };
enum met_job {
	MJOB_EXPORT,
	MJOB_NOTIFY,
	MJOB_CONFIRM,
	MJOB_MAIL,
	MJOB_HOUSEKEEPING,
	MJOB_OTHER,
	MJOB__COUNT
};
enum met_op { MOP_CREATE, MOP_UPDATE, MOP_DELETE, MOP__COUNT };
enum met_auth {
	MAUTH_MISSING,
	MAUTH_MALFORMED,
	MAUTH_BAD,
	MAUTH_CLOCK,
	MAUTH_DENIED,
	MAUTH__COUNT
};
enum met_queue { MQUEUE_WAITING, MQUEUE_RUNNING, MQUEUE_DEAD, MQUEUE__COUNT };
enum met_use { MUSE_READ, MUSE_WRITE, MUSE_LISTEN, MUSE__COUNT };
enum met_retry { MRETRY_CONFLICT, MRETRY_CONNECTION, MRETRY__COUNT };
enum met_fault {
	MFAULT_OTHER,
	MFAULT_AWAY,      /* no connection, or it was lost */
	MFAULT_READ_ONLY, /* a standby */
	MFAULT_FULL,      /* too many connections, no memory */
	MFAULT_CONFLICT,  /* in the way of others, time and again */
	MFAULT_LOCK,      /* a lock was not free in time */
	MFAULT_SLOW,      /* it took too long */
	MFAULT_DISK,      /* full or failing */
	MFAULT_REFUSED,   /* user, password, privilege */
	MFAULT_UNCERTAIN, /* nobody knows whether it was committed */
	MFAULT__COUNT
};
enum met_store { MSTORE_PASSING, MSTORE_LASTING, MSTORE__COUNT };
enum met_direction { MDIR_IN, MDIR_OUT, MDIR__COUNT };
/* HTTP status class of MET_HTTP_REQUESTS: MET_LABEL2(family, MET_STATUS(404), MSTATUS__COUNT). */
enum { MSTATUS__COUNT = 5 };
#define MET_STATUS(status) ((unsigned)(status) / 100 - 1)
#define MET_LABEL2(a, b, nb) ((unsigned)(a) * (unsigned)(nb) + (unsigned)(b))

#endif
