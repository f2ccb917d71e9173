/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One row per operation, with its permission in the row (style H11). The dispatcher
 * authenticates, authorises, sizes, parses, opens the transaction, keeps idempotent
 * answers and audits reads; a handler cannot forget any of it, and never touches the
 * socket.
 *
 * Course of a call:
 *   route -> authenticate, authorise -> body -> verify -> parse
 *   -> transaction { idempotency, run } -> audit of a read, durable -> answer.
 * A family whose signatures cover the body authenticates after it (api_family.late).
 *
 * Threads: a call belongs to one thread at a time. `run` of a write executes on the
 * database's writer, what follows a streamed body on a thread that may wait for the disk,
 * everything else on the connection's thread; the hand-over is a queue, so none needs a lock.
 */
#ifndef SOUK_SERVER_DISPATCH_H
#define SOUK_SERVER_DISPATCH_H

#include "access/access.h"
#include "access/idempotency.h"
#include "access/sigv4.h"
#include "audit/audit.h"
#include "base/config.h"
#include "base/metrics.h"
#include "delivery/mail_job.h"
#include "delivery/object.h"
#include "delivery/topic.h"
#include "server/http.h"
#include "server/slow.h"
#include "store/db.h"

/* Everything a handler may use; one per process, made by serve. */
struct services {
	const struct config *config;
	struct db *db;
	struct vault *vault;
	struct access *access;
	struct object_store *objects;
	struct topics *topics;
	const struct mail_sender *mail;
	char public_url[256];
	char s3_domain[256]; /* "BUCKET." before it names a bucket; "" when there is none */
	char region[32];
	struct health *health;
	struct reviewer *reviewer; /* of professional services listings */
	struct watch *watch;       /* looks for those that are to be reviewed again */
};

struct call;
struct health;
struct reviewer;
struct watch;
struct rate;

enum op_flag {
	OP_READ = 1,  /* `run` in a read snapshot, on this thread */
	OP_WRITE = 2, /* `run` in a write transaction; may run again: outputs only into the call */
	/*
	 * A read of personal or confidential data: `run` fills call.audit, durable before the answer. A refusal
	 * (SOUK_E_DENIED, with OP_AUDIT_ABSENT also SOUK_E_NOT_FOUND) is audited as one, by the dispatcher.
	 */
	OP_AUDIT = 4,
	OP_PUBLIC = 8,      /* no authentication (capability URLs, health) */
	OP_IDEMPOTENT = 16, /* honours Idempotency-Key */
	OP_NO_DB = 32,      /* `run` gets tx NULL */
	OP_STREAM = 64,     /* the body goes to the sink that the family's `body` gives */
	OP_NO_BODY = 128,   /* takes no body; one that comes is ignored */
	OP_AUDIT_ABSENT =
	    256 /* with OP_AUDIT: what is not there for the caller may be there for others */
};

#define ROUTE_PARAMS_MAX 3

struct op {
	const char *method;  /* REST; "" for target-dispatched APIs */
	const char *pattern; /* "/api/v1/subscriptions/{id}/contacts", or the X-Amz-Target */
	const char *action;  /* "psc:ReadContacts"; NULL only with OP_PUBLIC */
	size_t body_cap;     /* bytes; 0 with OP_NO_BODY */
	unsigned flags;
	/* Body and parameters into call.input (arena). NULL: nothing to parse. Runs before the transaction. */
	enum souk_err (*parse)(struct call *c);
	/* Fills call.response (and call.audit). Errors go into call.fail; the family words them. */
	enum souk_err (*run)(struct call *c, struct db_tx *tx);
};

struct call {
	const struct services *svc;
	struct http_exchange *x;
	const struct http_request *req;
	struct arena *arena;
	char request_id[GUID_TEXT_LEN + 1];
	const struct op *op;                 /* NULL: no such operation */
	struct str params[ROUTE_PARAMS_MAX]; /* decoded path parameters, in order */
	struct principal *who;               /* NULL for public operations */
	const struct tenant_scope *scope;
	unsigned refused;         /* enum met_auth: why `authenticate` said no, for the metric */
	json_t *body;             /* parsed JSON, NULL without a body; freed by the dispatcher */
	void *input;              /* what `parse` made */
	const char *content_type; /* of `out`; NULL: the family's */
	struct audit_entry
	    audit; /* what `run` read or changed, unless that was audited by whom it called; action NULL: nothing */
	struct guid subject; /* with OP_IDEMPOTENT: what was created, if it can be erased */
	struct str purpose;  /* header X-Souk-Purpose, "" when absent; words [a-z0-9-]{1,64} */
	void *family;        /* the API family's own, see api_family.over */
	struct http_response response; /* status 0 becomes 200, or 204 when `out` is empty */
	struct buf out;                /* the body being written; freed by the dispatcher */
	/*
	 * With OP_READ, set by `run`: what must be there before the answer begins, so that its failure can
	 * be the answer. Runs after the transaction and before the audit entry, on a thread that may wait. NULL: nothing.
	 */
	enum souk_err (*fetch)(struct call *c);
	struct fail fail; /* entries beyond n are left from earlier calls: never look there */
};

/* An API family: how it authenticates and how it words success and failure. */
struct api_family {
	const char *name;
	unsigned metric;       /* enum met_family */
	const char *id_header; /* names the request in every answer */
	const char *content_type;
	bool late; /* authenticates once the body is there: its hash is part of the signature */
	bool json; /* bodies are JSON, read into call.body before `parse` */
	/* The operation of a request and its params; NULL: none, call.fail says which kind of none. */
	const struct op *(*find)(struct call *c);
	/* Sets call.who. SOUK_E_UNAUTHENTICATED, or SOUK_E_INVALID for what is no credential at all. */
	enum souk_err (*authenticate)(struct call *c);
	/* The ARN that policies speak of; NULL: "*". */
	struct str (*resource)(struct call *c);
	/* For OP_STREAM: opens the sink of the body (kept in call.family). */
	enum souk_err (*body)(struct call *c, struct sink **ret);
	/* The body is there: before anything reads it. NULL: nothing to check. */
	enum souk_err (*verify)(struct call *c);
	/* Writes call.response and call.out from call.fail; both are empty. */
	void (*fail)(struct call *c, enum souk_err err);
	/* Frees call.family; the answer was sent or never will be. NULL: nothing to free. */
	void (*over)(struct call *c);
};

/* The dispatcher as the application behind the HTTP seam. */
struct dispatcher;
SOUK_MUST enum souk_err dispatcher_new(const struct services *svc, struct dispatcher **ret);
/* The calls it lets through; NULL: no limit. Lives as long as the dispatcher. */
struct rate *dispatcher_rate(struct dispatcher *d);
void dispatcher_free(struct dispatcher *d); /* after the HTTP server has stopped; accepts NULL */
struct http_app dispatcher_app(struct dispatcher *d);
/* For http_options: what the dispatcher keeps with each connection. */
size_t dispatcher_memory(void);
void dispatcher_memory_done(void *memory);

/* ---- for the families and their handlers ---- */

/* A query parameter, decoded into the arena; p NULL when absent. Doubled: the first. */
struct str call_query(struct call *c, const char *name);
/*
 * The revision that the caller saw, by If-Match: `present` when it is among the tags, 0 when
 * any will do (absent or "*"), else another one. SOUK_E_PRECONDITION when no tag is one of ours.
 */
SOUK_MUST enum souk_err call_if_match(struct call *c, int64_t present, int64_t *ret_seen);
void call_etag(struct call *c, int64_t revision);
SOUK_MUST enum souk_err call_param_guid(
    struct call *c, unsigned i, struct guid *ret); /* SOUK_E_NOT_FOUND when none */
SOUK_MUST enum souk_err call_page(struct call *c, struct page *ret); /* limit, cursor */
/* A header of the answer whose value is copied into the arena. */
void call_header(struct call *c, const char *name, struct str value);
/* A word of 1..64 of a-z, 0-9 and '-'. */
bool purpose_valid(struct str s);
/* Is the method this one? HEAD counts as GET. */
bool call_method_is(const struct call *c, const char *method);
/* Runs `t` on a thread that may wait. The call must not be over before it has run. */
void call_slowly(struct call *c, struct slow_task *t);
/* Matches a raw path against a pattern with {parameters}; those go to params, decoded. */
bool call_match(struct call *c, const char *pattern);

#endif
