/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts the parts in order and stops them in the reverse one.
 *
 * The danger is the end: nothing may use the database once it is closed, so HTTP goes
 * first (it waits for writes under way), then jobs, then upkeep.
 */
#include "server/serve.h"

#include "base/log.h"
#include "delivery/mail_job.h"
#include "delivery/sns_job.h"
#include "edsp/data_set.h"
#include "edsp/kept_plan.h"
#include "edsp/kept_run.h"
#include "edsp/publish.h"
#include "proserv/change.h"
#include "proserv/fulfilment.h"
#include "proserv/watch.h"
#include "psc/export.h"
#include "psc/export_names.h"
#include "server/beat.h"
#include "server/http_listen.h"
#include "server/installation.h"
#include "server/upkeep.h"
#include "store/job.h"

#include <signal.h>
#include <stdio.h>

#define HTTP_STOP_MS (15 * SECOND_MS)
#define JOBS_STOP_MS (15 * SECOND_MS)
#define IDLE_SECONDS 30
#define ARENA_BESIDE_BODY ((size_t)1 << 20)

#define JOB_KINDS 16
/* Time ends the tries of a mail, not their number. */
#define MAIL_TRIES 1000000
/* A fulfilment is never given up: the rule is about it. */
#define FULFILMENT_TRIES 1000000
#define MAIL_PAUSE_MAX_MS (30 * MINUTE_MS)
/* A store that is away for an hour or two delays a delivery; it does not fail it. */
#define AWAY_TIMES 3

struct service {
	struct installation in;
	struct services svc;
	struct health health;
	struct request_job_ctx requests;
	struct logo_fetcher *logos; /* NULL: the operator wants none */
	struct change_job_ctx changes;
	struct watch_ctx watch;
	struct job_kind kinds[JOB_KINDS];
	char host[200];
	char listen_url[256];
	struct sns_sender *sns;
	struct mail_sender *mail;
	struct fulfilment_rules fulfilment;
	struct job_runner *jobs;
	struct upkeep *upkeep;
	struct beat *beat;
	struct dispatcher *dispatcher;
	struct http_server *http;
};

/* ---- jobs: one context for all kinds, each handler gets its own ------------------------ */

static enum job_outcome
run_export(void *ctx, struct db *db, const struct job *j, struct fail *f)
{
	struct service *s = ctx;

	return psc_job_export(&s->requests, db, j, f);
}

static enum souk_err
bury_export(void *ctx, struct db_tx *tx, const struct job *j, const struct fail *f)
{
	struct service *s = ctx;

	return psc_job_export_dead(&s->requests, tx, j, f);
}

static enum job_outcome
run_data_set(void *ctx, struct db *db, const struct job *j, struct fail *f)
{
	struct service *s = ctx;

	return edsp_job_data_set(&s->requests, db, j, f);
}

static enum souk_err
bury_data_set(void *ctx, struct db_tx *tx, const struct job *j, const struct fail *f)
{
	struct service *s = ctx;

	return edsp_job_data_set_dead(&s->requests, tx, j, f);
}

static enum job_outcome
run_feed_file(void *ctx, struct db *db, const struct job *j, struct fail *f)
{
	struct service *s = ctx;

	return edsp_job_feed_file(&s->requests, db, j, f);
}

static enum souk_err
bury_feed_file(void *ctx, struct db_tx *tx, const struct job *j, const struct fail *f)
{
	struct service *s = ctx;

	return edsp_job_feed_file_dead(&s->requests, tx, j, f);
}

static enum job_outcome
run_commissions(void *ctx, struct db *db, const struct job *j, struct fail *f)
{
	struct service *s = ctx;

	return edsp_job_commissions(&s->requests, db, j, f);
}

static enum souk_err
bury_commissions(void *ctx, struct db_tx *tx, const struct job *j, const struct fail *f)
{
	struct service *s = ctx;

	return edsp_job_commissions_dead(&s->requests, tx, j, f);
}

static enum job_outcome
run_change_set(void *ctx, struct db *db, const struct job *j, struct fail *f)
{
	struct service *s = ctx;

	return proserv_job_change_set(&s->changes, db, j, f);
}

static enum souk_err
bury_change_set(void *ctx, struct db_tx *tx, const struct job *j, const struct fail *f)
{
	struct service *s = ctx;

	return proserv_job_change_set_dead(&s->changes, tx, j, f);
}

static enum job_outcome
run_review(void *ctx, struct db *db, const struct job *j, struct fail *f)
{
	struct service *s = ctx;

	return proserv_job_review(&s->watch, db, j, f);
}

static enum job_outcome
run_notify(void *ctx, struct db *db, const struct job *j, struct fail *f)
{
	struct service *s = ctx;

	return topic_job_notify(s->in.topics, db, j, f);
}

static enum job_outcome
run_confirm(void *ctx, struct db *db, const struct job *j, struct fail *f)
{
	struct service *s = ctx;

	return topic_job_confirm(s->in.topics, db, j, f);
}

static enum job_outcome
run_publish(void *ctx, struct db *db, const struct job *j, struct fail *f)
{
	struct service *s = ctx;

	return sns_job_publish(s->sns, db, j, f);
}

static enum job_outcome
run_mail(void *ctx, struct db *db, const struct job *j, struct fail *f)
{
	struct service *s = ctx;

	return mail_job_send(s->mail, db, j, f);
}

static enum souk_err
bury_mail(void *ctx, struct db_tx *tx, const struct job *j, const struct fail *f)
{
	(void)ctx;
	return mail_job_dead(tx, j, f);
}

static enum job_outcome
run_fulfilment(void *ctx, struct db *db, const struct job *j, struct fail *f)
{
	struct service *s = ctx;

	return fulfilment_job(&s->fulfilment, db, j, f);
}

static enum job_outcome
run_fulfilment_timer(void *ctx, struct db *db, const struct job *j, struct fail *f)
{
	struct service *s = ctx;

	return fulfilment_job_timer(&s->fulfilment, db, j, f);
}

static enum job_outcome
run_undelivered(void *ctx, struct db *db, const struct job *j, struct fail *f)
{
	struct service *s = ctx;

	return fulfilment_job_undelivered(&s->fulfilment, db, j, f);
}

static void
set_kinds(struct service *s)
{
	int64_t pause = config_int(s->in.config, SET_TOPIC_RETRY_SECONDS) * SECOND_MS;
	int tries = (int)config_int(s->in.config, SET_TOPIC_RETRIES) + 1;

	s->kinds[0] = (struct job_kind){ .kind = "psc-export",
		.metric = MJOB_EXPORT,
		.backoff_ms = 2 * SECOND_MS,
		.backoff_max_ms = 5 * MINUTE_MS,
		.lease_ms = MINUTE_MS,
		.run = run_export,
		.dead = bury_export };
	/* Endpoints are tried at an even pace, as the service that souk speaks for does (sigv4-and-s3 4.3). */
	s->kinds[1] = (struct job_kind){ .kind = "notify",
		.metric = MJOB_NOTIFY,
		.attempts = tries,
		.backoff_ms = pause,
		.backoff_max_ms = pause,
		.waits = true,
		.lease_ms = MINUTE_MS,
		.run = run_notify };
	s->kinds[2] = s->kinds[1];
	s->kinds[2].kind = "confirm";
	s->kinds[2].metric = MJOB_CONFIRM;
	s->kinds[2].run = run_confirm;
	s->kinds[3] = s->kinds[1];
	s->kinds[3].kind = "publish";
	s->kinds[3].run = run_publish;
	s->kinds[4] = s->kinds[0];
	s->kinds[4].kind = PSC_EXPORT_AWAY_JOB;
	s->kinds[4].attempts = AWAY_TIMES * (int)config_int(s->in.config, SET_JOB_ATTEMPTS);
	s->kinds[4].backoff_max_ms = 10 * MINUTE_MS;
	s->kinds[4].waits = true;
	s->kinds[5] = s->kinds[0];
	s->kinds[5].kind = EDSP_DATA_SET_JOB;
	s->kinds[5].run = run_data_set;
	s->kinds[5].dead = bury_data_set;
	s->kinds[6] = s->kinds[4];
	s->kinds[6].kind = EDSP_DATA_SET_AWAY_JOB;
	s->kinds[6].run = run_data_set;
	s->kinds[6].dead = bury_data_set;
	s->kinds[7] = s->kinds[5];
	s->kinds[7].kind = FEED_FILE_JOB;
	s->kinds[7].run = run_feed_file;
	s->kinds[7].dead = bury_feed_file;
	s->kinds[8] = s->kinds[6];
	s->kinds[8].kind = FEED_FILE_AWAY_JOB;
	s->kinds[8].run = run_feed_file;
	s->kinds[8].dead = bury_feed_file;
	s->kinds[9] = s->kinds[5];
	s->kinds[9].kind = COMMISSION_RUN_JOB;
	s->kinds[9].run = run_commissions;
	s->kinds[9].dead = bury_commissions;
	s->kinds[10] = s->kinds[5];
	s->kinds[10].kind = CHANGE_SET_JOB;
	s->kinds[10].run = run_change_set;
	s->kinds[10].dead = bury_change_set;
	/* Work of milliseconds that a seller waits for, but for logos: who died is not waited for long. */
	s->kinds[10].lease_ms = 10 * SECOND_MS;
	s->kinds[10].waits = true;
	s->kinds[11] = s->kinds[5];
	s->kinds[11].kind = REVIEW_JOB;
	s->kinds[11].run = run_review;
	s->kinds[11].dead = NULL;
	s->kinds[12] = (struct job_kind){ .kind = MAIL_JOB,
		.metric = MJOB_MAIL,
		.attempts = MAIL_TRIES,
		.backoff_ms = config_int(s->in.config, SET_MAIL_RETRY_SECONDS) * SECOND_MS,
		.backoff_max_ms = MAIL_PAUSE_MAX_MS,
		.waits = true,
		.lease_ms = MINUTE_MS,
		.run = run_mail,
		.dead = bury_mail };
	s->kinds[13] = (struct job_kind){ .kind = FULFILMENT_JOB,
		.metric = MJOB_OTHER,
		.attempts = FULFILMENT_TRIES,
		.backoff_ms = SECOND_MS,
		.backoff_max_ms = 5 * MINUTE_MS,
		.lease_ms = MINUTE_MS,
		.run = run_fulfilment };
	s->kinds[14] = s->kinds[13];
	s->kinds[14].kind = FULFILMENT_TIMER_JOB;
	s->kinds[14].run = run_fulfilment_timer;
	s->kinds[15] = s->kinds[13];
	s->kinds[15].kind = MAIL_UNDELIVERED_JOB;
	s->kinds[15].run = run_undelivered;
}

static enum souk_err
start_jobs(struct service *s, struct fail *f)
{
	const struct config *c = s->in.config;
	enum souk_err r;

	set_kinds(s);
	if ((r = sns_sender_new(s->in.vault, c, &s->sns, f)) != SOUK_OK)
		return r;
	r = job_runner_start(s->in.db, s->kinds, JOB_KINDS,
	    (unsigned)config_int(c, SET_JOB_WORKERS), (int)config_int(c, SET_JOB_ATTEMPTS), s,
	    &s->jobs);
	return r == SOUK_OK ? r : fail_set(f, r, "jobs", "the job workers cannot be started");
}

/* ---- addresses ------------------------------------------------------------------------- */

static bool
has_tls(const struct config *c)
{
	return config_text(c, SET_TLS_CERT)[0] != '\0';
}

/* Tokens and contacts must not cross a network in the clear. */
static enum souk_err
check_listen(struct service *s, uint16_t *ret_port, struct fail *f)
{
	const struct config *c = s->in.config;
	enum souk_err r =
	    listen_parse(str_c(config_text(c, SET_LISTEN)), s->host, sizeof(s->host), ret_port, f);

	if (r != SOUK_OK)
		return r;
	if (has_tls(c) != (config_text(c, SET_TLS_KEY)[0] != '\0'))
		return fail_field(f, has_tls(c) ? "tls-key" : "tls-cert", "is missing",
		    "give both --tls-cert and --tls-key");
	if (!has_tls(c) && !config_bool(c, SET_BEHIND_PROXY) && !listen_is_loopback(s->host))
		return fail_field(f, "listen", "reaches beyond this machine without TLS",
		    "give --tls-cert and --tls-key, or --behind-proxy when a proxy ends TLS");
	return SOUK_OK;
}

static void
set_urls(struct service *s)
{
	const struct config *c = s->in.config;
	bool v6 = strchr(s->host, ':') != NULL;
	const char *public = config_text(c, SET_PUBLIC_URL);

	(void)snprintf(s->listen_url, sizeof(s->listen_url), "%s://%s%s%s:%u",
	    has_tls(c) ? "https" : "http", v6 ? "[" : "", s->host, v6 ? "]" : "",
	    http_server_port(s->http));
	(void)snprintf(
	    s->svc.public_url, sizeof(s->svc.public_url), "%s", public[0] ? public : s->listen_url);
	topics_set_public_url(s->in.topics, s->svc.public_url);
}

/*
 * What stands behind "BUCKET." in a host. An address has no names below it; a loopback one
 * goes by "localhost", whose every name is this machine.
 */
static void
set_s3_domain(struct service *s)
{
	const char *set = config_text(s->in.config, SET_S3_BASE_DOMAIN);
	const char *public = config_text(s->in.config, SET_PUBLIC_URL);
	const char *host = strstr(public, "://");
	size_t n;

	host = host ? host + 3 : s->host;
	n = strcspn(host, ":/");
	if (set[0] != '\0')
		(void)snprintf(s->svc.s3_domain, sizeof(s->svc.s3_domain), "%s", set);
	else if (strncmp(host, "127.", 4) == 0 || strncmp(host, "[::1]", 5) == 0 ||
		 strcmp(host, "::1") == 0)
		(void)snprintf(s->svc.s3_domain, sizeof(s->svc.s3_domain), "localhost");
	else if (n > 0 && host[0] != '[' && strspn(host, "0123456789.") < n)
		(void)snprintf(s->svc.s3_domain, sizeof(s->svc.s3_domain), "%.*s", (int)n, host);
}

/* ---- start, wait, stop ----------------------------------------------------------------- */

static enum souk_err
start_http(struct service *s, uint16_t port, struct fail *f)
{
	const struct config *c = s->in.config;
	unsigned connections = (unsigned)config_int(c, SET_HTTP_CONNECTIONS);
	struct http_app app;
	enum souk_err r = dispatcher_new(&s->svc, &s->dispatcher);

	if (r != SOUK_OK)
		return fail_set(f, r, "out_of_memory", "no memory to start the server");
	app = dispatcher_app(s->dispatcher);
	return http_server_start(
	    &(struct http_options){ .host = s->host,
		.port = port,
		.tls_cert = config_text(c, SET_TLS_CERT),
		.tls_key = config_text(c, SET_TLS_KEY),
		.threads = (unsigned)config_int(c, SET_HTTP_THREADS),
		.connections = connections,
		/* One machine must not have them all; a proxy is to. */
		.per_peer = config_bool(c, SET_BEHIND_PROXY) ? 0 : connections / 2,
		.idle_seconds = IDLE_SECONDS,
		.arena_limit =
		    ARENA_BESIDE_BODY + KEPT_PLAN_BYTES + (size_t)config_int(c, SET_BODY_MAX_BYTES),
		.memory = dispatcher_memory(),
		.memory_done = dispatcher_memory_done },
	    &app, &s->http, f);
}

/*
 * A home of objects that somebody must set right stops the start. One that is away does not:
 * a node that is restarted meanwhile waits for it, not yet ready.
 */
static enum souk_err
meet_objects(struct service *s, struct fail *f)
{
	struct fail why = { .err = SOUK_OK };
	enum souk_err r = object_store_probe(s->in.objects, &why);

	atomic_store(&s->health.objects, r == SOUK_OK);
	atomic_store(&s->health.objects_met, r == SOUK_OK);
	if (r == SOUK_E_UNAVAILABLE)
		log_fail(LOG_ERROR, "object_store_away", "-", &why);
	else if (r != SOUK_OK)
		*f = why;
	return r == SOUK_E_UNAVAILABLE ? SOUK_OK : r;
}

static enum souk_err
start(struct service *s, struct fail *f)
{
	uint16_t port;
	enum souk_err r = check_listen(s, &port, f);

	if (r != SOUK_OK)
		return r;
	s->svc = (struct services){ .config = s->in.config,
		.db = s->in.db,
		.vault = s->in.vault,
		.access = s->in.access,
		.objects = s->in.objects,
		.topics = s->in.topics,
		.health = &s->health };
	(void)snprintf(
	    s->svc.region, sizeof(s->svc.region), "%s", config_text(s->in.config, SET_REGION));
	if ((r = mail_sender_new(s->in.vault, s->in.config, &s->mail, f)) != SOUK_OK)
		return r;
	s->svc.mail = s->mail;
	s->fulfilment = fulfilment_rules_of(s->in.vault, s->in.config);
	s->requests = (struct request_job_ctx){ .vault = s->in.vault,
		.jobs = &s->jobs,
		.to = { .vault = s->in.vault,
		    .objects = s->in.objects,
		    .remotes = remote_rules_of(s->in.config),
		    .spool_dir = s->in.data_dir } };
	if ((r = reviewer_new(s->in.config, &s->svc.reviewer)) != SOUK_OK)
		return fail_set(f, r, "out_of_memory", "no memory to start the server");
	if ((r = reviewer_read_marks(s->svc.reviewer, f)) != SOUK_OK ||
	    (r = logo_fetcher_new(s->in.config, &s->logos, f)) != SOUK_OK)
		return r;
	s->changes = (struct change_job_ctx){
		.vault = s->in.vault, .reviewer = s->svc.reviewer, .logos = s->logos
	};
	s->watch = (struct watch_ctx){
		.vault = s->in.vault, .reviewer = s->svc.reviewer, .jobs = &s->jobs
	};
	if ((r = watch_new(&s->watch, &s->svc.watch)) != SOUK_OK)
		return fail_set(f, r, "out_of_memory", "no memory to start the server");
	metric_set(MET_INFO, 0, 1);
	atomic_store(&s->health.database, true);
	atomic_store(&s->health.key_ring, true);
	set_s3_domain(s);
	if ((r = meet_objects(s, f)) != SOUK_OK)
		return r;
	if ((r = start_http(s, port, f)) != SOUK_OK)
		return r;
	/* Links in messages need the port: only now may jobs send any. */
	set_urls(s);
	if ((r = start_jobs(s, f)) != SOUK_OK)
		return r;
	if ((r = beat_begin(&s->svc, dispatcher_rate(s->dispatcher), &s->beat)) == SOUK_OK)
		r = upkeep_begin(&s->svc, &s->upkeep);
	return r == SOUK_OK ? r : fail_set(f, r, "threads", "the ticker cannot be started");
}

static enum souk_err
say_ready(const struct service *s, const char *ready_file, struct fail *f)
{
	char line[sizeof(s->listen_url) + 1];

	log_event(LOG_INFO, "ready", LOG_S("url", s->listen_url), LOG_S("version", SOUK_VERSION),
	    LOG_S("data", s->in.data_dir));
	if (!ready_file)
		return SOUK_OK;
	(void)snprintf(line, sizeof(line), "%s\n", s->listen_url);
	return io_write_file(ready_file, str_c(line), 0644, f);
}

static void
stop(struct service *s)
{
	bool stopped;

	atomic_store(&s->health.stopping, true);
	http_server_stop(s->http, HTTP_STOP_MS);
	stopped = !s->jobs || job_runner_stop(s->jobs, JOBS_STOP_MS);
	upkeep_end(s->upkeep);
	beat_end(s->beat);
	dispatcher_free(s->dispatcher);
	/* A handler that waits for somebody's store still uses all of it; the process ends with it. */
	if (!stopped)
		return;
	sns_sender_free(s->sns);
	watch_free(s->svc.watch);
	reviewer_free(s->svc.reviewer);
	logo_fetcher_free(s->logos);
	logo_stop();
	mail_sender_free(s->mail);
	installation_close(&s->in);
}

/* The signals to wait for, kept away from every thread that starts from here on. */
static void
hold_signals(sigset_t *ret_waited, sigset_t *ret_before)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	(void)sigemptyset(ret_waited);
	(void)sigaddset(ret_waited, SIGTERM);
	(void)sigaddset(ret_waited, SIGINT);
	(void)pthread_sigmask(SIG_BLOCK, ret_waited, ret_before);
	(void)sigaction(SIGPIPE, &ignore, NULL);
}

enum souk_err
server_run(const struct serve_options *o, struct fail *f)
{
	struct service s = { .in = { .lock_fd = -1 } };
	sigset_t waited, before;
	enum souk_err r;
	int signal = 0;

	hold_signals(&waited, &before);
	r = installation_open(o->data_dir, o->config, true, &s.in, f);
	if (r == SOUK_OK && (r = start(&s, f)) == SOUK_OK &&
	    (r = say_ready(&s, o->ready_file, f)) == SOUK_OK) {
		(void)sigwait(&waited, &signal);
		log_event(LOG_INFO, "stopping", LOG_I("signal", signal));
	}
	stop(&s);
	if (r == SOUK_OK)
		log_event(LOG_INFO, "stopped");
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r;
}
