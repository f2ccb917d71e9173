/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The course of a call (see dispatch.h). One function a stage; each returns SOUK_OK to go
 * on, and the first that does not ends the call through the family's `fail`.
 *
 * The danger here is a call that ends twice or never: every path from `begin` leads to
 * exactly one http_answer, in `finish`, except where a write is queued, whose `done` calls it.
 */
#include "server/dispatch.h"

#include "base/log.h"
#include "server/families.h"
#include "server/kept_answer.h"
#include "server/rate.h"
#include "server/slow.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <strings.h>

#define LOG_LINES 10 /* a second, of requests that failed by our fault */
#define SLOW_THREADS 2
#define SLOW_THREADS_REMOTE 16        /* where each waits for a store far away */
#define UNWANTED_BODY UINT64_C(65536) /* of one that comes where none is taken */
#define LARGE_BODY ((size_t)2 << 20)  /* one larger is not read on a connection's thread */
#define OUT_KEEP ((size_t)64 * 1024)  /* a larger answer buffer is not kept for the next call */

struct dispatcher {
	const struct services *svc;
	struct rate *rate; /* NULL: no limit */
	struct slow *slow; /* ends streamed bodies */
	/* Reads of a database on another machine, which may let them wait; NULL: it is embedded. */
	struct slow *readers;
};

/* A call and what only the dispatcher knows of it; lives in the connection's memory. */
struct running {
	struct dispatcher *d;
	const struct api_family *family;
	uint64_t began_ns;
	bool has_key;  /* an Idempotency-Key came */
	bool replayed; /* the answer is one kept earlier */
	bool
	    denied; /* a read that the caller's policy does not allow: to be audited before the answer */
	enum souk_err outcome;
	struct idempotency key;
	struct buf kept;
	int kept_status;
	struct db_write write;
	struct slow_task task;
	struct call c; /* last: its fail is not cleared between calls */
};

/* ---- ending ---------------------------------------------------------------------------- */

static void
clear_fail(struct fail *f)
{
	f->err = SOUK_OK;
	f->code = NULL;
	f->detail[0] = '\0';
	f->n = f->n_total = 0;
}

/* Forgets what `run` wrote: it failed, or runs again. */
static void
clear_answer(struct call *c)
{
	if (c->response.read_done)
		c->response.read_done(c->response.read_ctx);
	c->response = (struct http_response){ .status = 0 };
	buf_clear(&c->out);
	c->content_type = NULL;
}

/*
 * May a failure of ours have a line of its own? When the database is away every call fails:
 * ten a second say it all. *ret_others: how many were left out before this one.
 */
static bool
may_log(unsigned *ret_others)
{
	static _Atomic uint64_t second;
	static _Atomic unsigned lines, others;
	uint64_t now = clock_mono_ns() / UINT64_C(1000000000) + 1;

	if (atomic_exchange(&second, now) != now)
		atomic_store(&lines, 0);
	if (atomic_fetch_add(&lines, 1) >= LOG_LINES) {
		atomic_fetch_add(&others, 1);
		return false;
	}
	*ret_others = atomic_exchange(&others, 0);
	return true;
}

/* One line for what is ours to mend, and one for who was not let in. */
static void
log_failure(const struct running *k, enum souk_err err)
{
	const struct call *c = &k->c;
	int status = c->response.status;
	struct str a = c->scope ? tenant_account(c->scope) : STR("");
	char account[ACCOUNT_ID_LEN + 1] = "";
	unsigned others = 0;

	/* What souk does not offer is the caller's to mend, though S3 has it among the 500s. */
	bool ours = status >= 500 && status != 501;

	if (!ours && status != 401 && status != 403 && c->refused == 0)
		return;
	if (ours && !may_log(&others))
		return;
	memcpy(account, a.p, a.n <= ACCOUNT_ID_LEN ? a.n : 0);
	log_event(ours ? LOG_ERROR : LOG_INFO, ours ? "request_failed" : "request_refused",
	    LOG_S("id", c->request_id), LOG_S("api", k->family->name),
	    LOG_S("operation", c->op && c->op->action ? c->op->action : "-"),
	    LOG_S("account", account), LOG_S("error", souk_err_word(err)),
	    LOG_S("code", c->fail.code), LOG_S("detail", c->fail.detail), LOG_I("status", status),
	    LOG_I("others", others));
}

static int
status_of(const struct call *c)
{
	if (c->response.status != 0)
		return c->response.status;
	return c->out.n > 0 || c->response.body.n > 0 || c->response.read ? 200 : 204;
}

static bool
has_header(const struct http_response *r, const char *name)
{
	for (size_t i = 0; i < r->n_headers; i++)
		if (strcasecmp(r->headers[i].name, name) == 0)
			return true;
	return false;
}

/* Status, headers and body of an answer that `run` or the family's `fail` has written. */
static void
complete_answer(struct running *k)
{
	struct call *c = &k->c;
	struct http_response *r = &c->response;

	r->status = status_of(c);
	if (!r->read && !r->body.p)
		r->body = buf_str(&c->out);
	if (r->body.n > 0)
		http_response_header(
		    r, "Content-Type", c->content_type ? c->content_type : k->family->content_type);
	http_response_header(r, k->family->id_header, c->request_id);
	/* What somebody may see does not belong into anybody's cache; a presigned URL looks public to one. */
	if (c->who && !has_header(r, "Cache-Control"))
		http_response_header(r, "Cache-Control", "no-store");
	if (str_eq(c->req->method, STR("HEAD")))
		r->head_only = true;
}

/* The words of a failure must not fail: without memory the answer has none. */
static void
word_failure(struct running *k, enum souk_err err)
{
	struct call *c = &k->c;

	clear_answer(c);
	if (c->fail.err == SOUK_OK)
		c->fail.err = err;
	k->family->fail(c, err);
	if (!buf_ok(&c->out)) {
		buf_done(&c->out);
		c->response.status = 500;
	}
	log_failure(k, err);
}

static void
finish(struct running *k, enum souk_err err)
{
	struct call *c = &k->c;

	if (err == SOUK_OK && !buf_ok(&c->out))
		err = SOUK_E_NOMEM;
	if (err != SOUK_OK)
		word_failure(k, err);
	complete_answer(k);
	metric_add(MET_HTTP_REQUESTS,
	    MET_LABEL2(k->family->metric, MET_STATUS(c->response.status), MSTATUS__COUNT), 1);
	http_answer(c->x, &c->response);
}

/* ---- transactions ---------------------------------------------------------------------- */

static enum souk_err
run_read(struct db_tx *tx, void *arg)
{
	struct call *c = arg;

	return c->op->run(c, tx);
}

static void
audited(struct db_write *w, enum souk_err err)
{
	struct running *k = w->arg;

	finish(k, err == SOUK_OK ? k->outcome : err);
}

static enum souk_err
append_audit(struct db_tx *tx, void *arg)
{
	struct running *k = arg;

	return audit_append(tx, k->d->svc->vault, &k->c.audit);
}

/* Who and for what; handlers say what was read and how much. */
static void
complete_audit(struct call *c)
{
	c->audit.account_id = tenant_account(c->scope);
	c->audit.actor = tenant_actor(c->scope);
	c->audit.request_id = (struct str){ c->request_id, GUID_TEXT_LEN };
	if (c->audit.purpose.n == 0)
		c->audit.purpose = c->purpose;
}

/* A thread that has only this call to serve commits it itself. */
static void
submit(struct running *k)
{
	struct db *db = k->d->svc->db;

	if (!http_alone(k->c.x) || !db_write_alone(db, &k->write))
		db_write_async(db, &k->write);
}

static bool
is_id(struct str s)
{
	struct guid g;
	size_t digits = 0;

	while (digits < s.n && s.p[digits] >= '0' && s.p[digits] <= '9')
		digits++;
	return guid_parse(s, &g) || (s.n > 0 && s.n <= GUID_TEXT_LEN && digits == s.n);
}

/* The operation's pattern with the ids that were given; other words of the caller's say who knows what. */
static struct str
asked_for(struct call *c)
{
	const char *pattern = c->op->pattern ? c->op->pattern : "*";
	size_t n = 0;
	char *text =
	    arena_alloc(c->arena, strlen(pattern) + ROUTE_PARAMS_MAX * (size_t)GUID_TEXT_LEN);
	char *end = text;

	if (!text)
		return str_c(pattern);
	while (*pattern) {
		if (*pattern == '{' && n < ROUTE_PARAMS_MAX && is_id(c->params[n++])) {
			end = mempcpy(end, c->params[n - 1].p, c->params[n - 1].n);
			pattern = strchr(pattern, '}') + 1;
		} else {
			*end++ = *pattern++;
		}
	}
	return (struct str){ text, (size_t)(end - text) };
}

/* A read that was refused is told as one that was granted; of what it would have shown, nothing. */
static void
audit_refusal(struct running *k)
{
	struct call *c = &k->c;
	bool refused = k->outcome == SOUK_E_DENIED ||
		       (k->outcome == SOUK_E_NOT_FOUND && (c->op->flags & OP_AUDIT_ABSENT));

	if (!refused || !c->scope)
		return;
	c->audit.action = c->op->action;
	c->audit.resource = asked_for(c);
	c->audit.refused = true;
	c->audit.count = 0;
}

static void
end_read(struct running *k)
{
	struct call *c = &k->c;

	if (c->op->flags & OP_AUDIT)
		audit_refusal(k);
	if (!(c->op->flags & OP_AUDIT) || !c->audit.action) {
		finish(k, k->outcome);
		return;
	}
	complete_audit(c);
	k->write = (struct db_write){ .fn = append_audit, .arg = k, .done = audited };
	submit(k);
}

static void
fetch(struct slow_task *t)
{
	struct running *k = (struct running *)((char *)t - offsetof(struct running, task));

	k->outcome = k->c.fetch(&k->c);
	end_read(k);
}

static void
start_read(struct running *k)
{
	k->outcome = db_read(k->d->svc->db, run_read, &k->c);
	if (k->outcome != SOUK_OK || !k->c.fetch) {
		end_read(k);
		return;
	}
	k->task.run = fetch;
	slow_add(k->d->slow, &k->task);
}

/* *ret_found: an earlier answer is there and nothing is to be done. */
static enum souk_err
find_kept(struct running *k, struct db_tx *tx, bool *ret_found)
{
	struct call *c = &k->c;

	buf_clear(&k->kept);
	return idempotency_find(tx, k->d->svc->vault, c->scope, &k->key, ret_found, &k->kept_status,
	    &k->kept, &c->fail);
}

static enum souk_err
keep(struct running *k, struct db_tx *tx)
{
	struct call *c = &k->c;
	struct buf text = { 0 };
	enum souk_err r;

	kept_answer_write(&c->response, buf_str(&c->out), &text);
	r = !buf_ok(&text)
		? SOUK_E_NOMEM
		: idempotency_keep(tx, k->d->svc->vault, c->scope, &k->key,
		      guid_is_zero(&c->subject) ? NULL : &c->subject, status_of(c), buf_str(&text));
	buf_done(&text);
	return r;
}

/* An answer given once more is read once more, whatever is in it: a person, a new secret. */
static enum souk_err
audit_replay(struct running *k, struct db_tx *tx)
{
	struct call *c = &k->c;
	struct str resource = k->family->resource ? k->family->resource(c) : STR("*");

	if (!resource.p)
		return SOUK_E_LIMIT;
	c->audit = (struct audit_entry){
		.action = c->op->action, .resource = resource, .purpose = STR("replay"), .count = 1
	};
	complete_audit(c);
	return audit_append(tx, k->d->svc->vault, &c->audit);
}

static enum souk_err
run_write(struct db_tx *tx, void *arg)
{
	struct running *k = arg;
	struct call *c = &k->c;
	enum souk_err r;

	clear_answer(c);
	clear_fail(&c->fail);
	c->subject = (struct guid){ { 0 } };
	c->audit = (struct audit_entry){ .action = NULL };
	k->replayed = false;
	if (k->has_key && (r = find_kept(k, tx, &k->replayed)) != SOUK_OK)
		return r;
	if (k->replayed)
		return audit_replay(k, tx);
	r = c->op->run(c, tx);
	if (r == SOUK_OK && c->audit.action) {
		complete_audit(c);
		r = audit_append(tx, k->d->svc->vault, &c->audit);
	}
	return r == SOUK_OK && k->has_key ? keep(k, tx) : r;
}

static void
written(struct db_write *w, enum souk_err err)
{
	struct running *k = w->arg;
	struct call *c = &k->c;

	if (err == SOUK_OK && k->replayed)
		err = kept_answer_read(
		    buf_str(&k->kept), k->kept_status, c->arena, &c->response, &c->out);
	buf_clear(&k->kept);
	finish(k, err);
}

static void
start(struct running *k)
{
	struct call *c = &k->c;

	if (c->op->flags & OP_NO_DB) {
		finish(k, c->op->run(c, NULL));
	} else if (c->op->flags & OP_READ) {
		start_read(k);
	} else {
		k->write = (struct db_write){ .fn = run_write, .arg = k, .done = written };
		submit(k);
	}
}

/* ---- before the transaction ------------------------------------------------------------ */

static enum souk_err
take_purpose(struct call *c)
{
	struct str p = http_header(c->req, "X-Souk-Purpose");

	c->purpose = p.p ? p : STR("");
	if (!p.p || purpose_valid(p))
		return SOUK_OK;
	return fail_field(&c->fail, "X-Souk-Purpose", "is not a purpose",
	    "give a word of at most 64 of a-z, 0-9 and '-', like self-service");
}

static enum souk_err
authorise(struct running *k)
{
	struct call *c = &k->c;
	struct str resource = k->family->resource ? k->family->resource(c) : STR("*");
	enum souk_err r = principal_scope(
	    c->who, (struct str){ c->request_id, GUID_TEXT_LEN }, c->arena, &c->scope);

	if (r != SOUK_OK)
		return r;
	if (!resource.p)
		return SOUK_E_LIMIT;
	if (k->d->rate && !rate_take(k->d->rate, tenant_actor(c->scope), k->began_ns))
		return fail_set(&c->fail, SOUK_E_LIMIT, "rate_limited",
		    "Too many requests a second with this key or token; slow down.");
	if (!principal_may(c->who, c->op->action, resource)) {
		metric_add(MET_AUTH_REFUSED, MAUTH_DENIED, 1);
		k->denied = (c->op->flags & OP_AUDIT) != 0;
		return fail_set(&c->fail, SOUK_E_DENIED, "access_denied",
		    "Your policy does not allow %s here.", c->op->action);
	}
	return take_purpose(c);
}

static enum souk_err
authenticate(struct running *k)
{
	struct call *c = &k->c;
	enum souk_err r;

	if (c->op->flags & OP_PUBLIC)
		return SOUK_OK;
	r = k->family->authenticate(c);
	if (r == SOUK_E_UNAUTHENTICATED)
		metric_add(MET_AUTH_REFUSED, c->refused, 1);
	if (r != SOUK_OK)
		return r;
	assert(c->who && c->op->action);
	return authorise(k);
}

static enum souk_err
find_op(struct running *k)
{
	struct call *c = &k->c;

	c->op = k->family->find(c);
	if (c->op)
		return SOUK_OK;
	assert(c->fail.err != SOUK_OK);
	return c->fail.err;
}

static enum souk_err
plan_body(struct running *k, struct http_body_plan *plan)
{
	struct call *c = &k->c;

	if (c->op->flags & OP_NO_BODY) {
		plan->cap = UNWANTED_BODY;
		return SOUK_OK;
	}
	plan->cap = c->op->body_cap;
	return c->op->flags & OP_STREAM ? k->family->body(c, &plan->stream) : SOUK_OK;
}

static enum souk_err
take_key(struct running *k)
{
	struct call *c = &k->c;
	struct str key = http_header(c->req, "Idempotency-Key");

	if (!(c->op->flags & OP_IDEMPOTENT) || !key.p)
		return SOUK_OK;
	k->has_key = true;
	return idempotency_make(
	    k->d->svc->vault, key, c->req->method, c->req->path, c->req->body, &k->key, &c->fail);
}

/* From the body being there to the transaction. */
static enum souk_err
prepare(struct running *k)
{
	struct call *c = &k->c;
	const struct api_family *f = k->family;
	enum souk_err r;

	if (f->late && (r = authenticate(k)) != SOUK_OK)
		return r;
	if (f->verify && (r = f->verify(c)) != SOUK_OK)
		return r;
	if (f->json && !(c->op->flags & (OP_STREAM | OP_NO_BODY)) && c->req->body.n > 0 &&
	    (r = json_read(c->req->body, &c->body, &c->fail)) != SOUK_OK)
		return r;
	if (c->op->parse && (r = c->op->parse(c)) != SOUK_OK)
		return r;
	return take_key(k);
}

/* ---- the HTTP seam's three calls ------------------------------------------------------- */

static struct running *
running_init(struct dispatcher *d, struct http_exchange *x)
{
	struct running *k = http_memory(x);
	struct buf out = k->c.out, kept = k->kept;
	struct guid id = guid_new();

	memset(k, 0, offsetof(struct running, c) + offsetof(struct call, fail));
	clear_fail(&k->c.fail);
	k->d = d;
	k->kept = kept;
	k->began_ns = clock_mono_ns();
	k->c.out = out;
	k->c.svc = d->svc;
	k->c.x = x;
	k->c.req = http_request(x);
	k->c.arena = http_arena(x);
	k->family = family_of(d->svc, k->c.req);
	guid_format(&id, k->c.request_id);
	return k;
}

static enum souk_err
begin(void *ctx, struct http_exchange *x, struct http_body_plan *plan, void **ret_state)
{
	struct running *k = running_init(ctx, x);
	enum souk_err r;

	*ret_state = k;
	if ((r = find_op(k)) == SOUK_OK && !k->family->late)
		r = authenticate(k);
	if (k->denied) { /* answered once the refusal is durable, in `complete` */
		plan->cap = UNWANTED_BODY;
		return SOUK_OK;
	}
	if (r != SOUK_OK || (r = plan_body(k, plan)) != SOUK_OK)
		finish(k, r);
	return r;
}

static void
go_on(struct running *k)
{
	k->outcome = k->denied ? SOUK_E_DENIED : prepare(k);
	if (k->outcome == SOUK_OK)
		start(k);
	else if (k->denied)
		end_read(k);
	else
		finish(k, k->outcome);
}

static void
go_on_slowly(struct slow_task *t)
{
	go_on((struct running *)((char *)t - offsetof(struct running, task)));
}

static void
complete(void *ctx, struct http_exchange *x, void *state, enum souk_err err)
{
	struct running *k = state;

	(void)ctx;
	(void)x;
	if (k->denied)
		err = SOUK_OK; /* whatever came with it */
	if (err == SOUK_E_LIMIT && k->c.fail.err == SOUK_OK)
		(void)fail_set(&k->c.fail, err, "body_too_large",
		    "The body is longer than this operation takes (%zu bytes).", k->c.op->body_cap);
	if (err != SOUK_OK) {
		finish(k, err);
	} else if ((k->c.op->flags & OP_STREAM) || k->c.req->body.n > LARGE_BODY) {
		/* What was streamed went to a file, and making that durable takes its time; so does much JSON. */
		k->task.run = go_on_slowly;
		slow_add(k->d->slow, &k->task);
	} else if (k->d->readers && (k->c.op->flags & OP_READ)) {
		k->task.run = go_on_slowly;
		slow_add(k->d->readers, &k->task);
	} else {
		go_on(k);
	}
}

static void
over(void *ctx, struct http_exchange *x, void *state)
{
	struct running *k = state;
	struct call *c = &k->c;
	uint64_t ns = clock_mono_ns() - k->began_ns;

	(void)ctx;
	(void)x;
	metric_observe_ns(MET_HTTP_SECONDS, k->family->metric, ns);
	if (log_level_now() <= LOG_DEBUG)
		log_event(LOG_DEBUG, "request", LOG_S("id", c->request_id),
		    LOG_S("api", k->family->name),
		    LOG_S("operation", c->op && c->op->action ? c->op->action : "-"),
		    LOG_I("status", c->response.status), LOG_I("us", ns / 1000));
	if (k->family->over)
		k->family->over(c);
	json_decref(c->body);
	c->body = NULL;
	principal_release(c->who);
	c->who = NULL;
	if (c->out.cap > OUT_KEEP)
		buf_done(&c->out);
	else
		buf_clear(&c->out);
}

void
call_slowly(struct call *c, struct slow_task *t)
{
	struct running *k = (struct running *)((char *)c - offsetof(struct running, c));

	slow_add(k->d->slow, t);
}

enum souk_err
dispatcher_new(const struct services *svc, struct dispatcher **ret)
{
	struct dispatcher *d = calloc(1, sizeof(*d));
	int64_t per_second = config_int(svc->config, SET_REQUESTS_PER_SECOND);
	unsigned threads =
	    svc->objects && object_store_remote(svc->objects) ? SLOW_THREADS_REMOTE : SLOW_THREADS;
	union {
		uint8_t b[VAULT_BLIND_LEN];
		uint64_t n[VAULT_BLIND_LEN / sizeof(uint64_t)];
	} seed;
	unsigned readers = (unsigned)config_int(svc->config, SET_DATABASE_READERS);
	enum souk_err r = SOUK_E_NOMEM;

	if (!d)
		return r;
	d->svc = svc;
	vault_blind(svc->vault, "server.rate", STR("seed"), seed.b);
	if ((per_second > 0 && !(d->rate = rate_new(per_second, seed.n[0]))) ||
	    (r = slow_new(threads, &d->slow)) != SOUK_OK ||
	    (db_is_shared(svc->db) && (r = slow_new(readers, &d->readers)) != SOUK_OK)) {
		dispatcher_free(d);
		return r;
	}
	*ret = d;
	return SOUK_OK;
}

struct rate *
dispatcher_rate(struct dispatcher *d)
{
	return d->rate;
}

void
dispatcher_free(struct dispatcher *d)
{
	if (!d)
		return;
	slow_free(d->slow);
	slow_free(d->readers);
	rate_free(d->rate);
	free(d);
}

struct http_app
dispatcher_app(struct dispatcher *d)
{
	return (struct http_app){ .ctx = d, .begin = begin, .complete = complete, .over = over };
}

size_t
dispatcher_memory(void)
{
	return sizeof(struct running);
}

void
dispatcher_memory_done(void *memory)
{
	struct running *k = memory;

	buf_done(&k->c.out);
	buf_done(&k->kept);
}
