/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operations: health, readiness, metrics, and what is here for who asks without being
 * anybody's client. None of it holds personal data or tells what a marketplace holds, so
 * it needs no login; a proxy keeps /metrics from the outside (docs/operators.md).
 */
#include "server/families.h"

#include "base/log.h"
#include "server/health.h"

static enum souk_err
healthz(struct call *c, struct db_tx *tx)
{
	(void)tx;
	buf_add_c(&c->out, "{\"status\":\"ok\"}\n");
	return SOUK_OK;
}

/* Looks at what the ticker and the listener found: a probe must not wait for the disk. */
static enum souk_err
readyz(struct call *c, struct db_tx *tx)
{
	struct health_state s = health_ask(c->svc->health, c->svc->db);
	struct jw w;

	(void)tx;
	jw_init(&w, &c->out);
	jw_open(&w, NULL, '{');
	jw_c(&w, "status", s.ready ? "ready" : "not ready");
	jw_c(&w, "database", s.database);
	jw_c(&w, "keyRing", s.key_ring ? "ok" : "cannot be read");
	jw_c(&w, "objects", s.objects ? "ok" : "cannot be reached");
	jw_bool(&w, "stopping", s.stopping);
	jw_close(&w, '}');
	buf_add_char(&c->out, '\n');
	c->response.status = s.ready ? 200 : 503;
	return SOUK_OK;
}

/* Without the database: it must tell how things are while that is away. */
static enum souk_err
metrics(struct call *c, struct db_tx *tx)
{
	(void)tx;
	metric_set(MET_DB_UP, 0, health_database(c->svc->health, c->svc->db));
	metrics_write(&c->out);
	c->content_type = "text/plain; version=0.0.4; charset=utf-8";
	return SOUK_OK;
}

static enum souk_err
front(struct call *c, struct db_tx *tx)
{
	(void)tx;
	buf_add_c(&c->out,
	    "souk " SOUK_VERSION ", the seller data desk of a software marketplace.\n\n"
	    "  /api/v1/   REST API (docs/openapi.yaml), bearer token\n"
	    "  /          AWS JSON 1.1 and S3 for AWS clients: set AWS_ENDPOINT_URL to this\n"
	    "  /healthz   /readyz   /metrics\n");
	c->content_type = "text/plain; charset=utf-8";
	return SOUK_OK;
}

#define OPEN OP_PUBLIC | OP_NO_BODY
static const struct op ops[] = {
	{ "GET", "/", NULL, 0, OPEN | OP_NO_DB, NULL, front },
	{ "GET", "/healthz", NULL, 0, OPEN | OP_NO_DB, NULL, healthz },
	{ "GET", "/readyz", NULL, 0, OPEN | OP_NO_DB, NULL, readyz },
	{ "GET", "/metrics", NULL, 0, OPEN | OP_NO_DB, NULL, metrics },
};

static const struct op *
ops_find(struct call *c)
{
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		if (!call_match(c, ops[i].pattern))
			continue;
		if (call_method_is(c, "GET"))
			return &ops[i];
		(void)fail_set(&c->fail, SOUK_E_INVALID, "method_not_allowed", "Only GET is here.");
		return NULL;
	}
	(void)fail_set(&c->fail, SOUK_E_NOT_FOUND, "not_found", "There is nothing here.");
	return NULL;
}

static void
ops_fail(struct call *c, enum souk_err err)
{
	bool method = c->fail.code && strcmp(c->fail.code, "method_not_allowed") == 0;

	c->response.status = method ? 405 : err == SOUK_E_NOT_FOUND ? 404 : 503;
	if (method)
		http_response_header(&c->response, "Allow", "GET, HEAD");
	buf_add_c(&c->out, method                    ? "Only GET is here.\n"
			   : err == SOUK_E_NOT_FOUND ? "There is nothing here.\n"
						     : "Try again later.\n");
	c->content_type = "text/plain; charset=utf-8";
}

const struct api_family api_ops = {
	.name = "ops",
	.metric = FAM_OPS,
	.id_header = "X-Request-Id",
	.content_type = "application/json",
	.find = ops_find,
	.fail = ops_fail,
};
