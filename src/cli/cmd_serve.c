/* SPDX-License-Identifier: Apache-2.0 */
/* souk serve: the marketplace's service; see server/serve.h for its course. */
#include "server/serve.h"

#include "base/log.h"
#include "cli/cli.h"

struct options {
	struct cli_common common;
	const char *listen, *tls_cert, *tls_key, *ready_file;
	bool behind_proxy;
};

enum { OPT_TLS_CERT = 0x201, OPT_TLS_KEY, OPT_BEHIND_PROXY, OPT_READY_FILE };

static error_t
option(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'l':
		o->listen = arg;
		return 0;
	case OPT_TLS_CERT:
		o->tls_cert = arg;
		return 0;
	case OPT_TLS_KEY:
		o->tls_key = arg;
		return 0;
	case OPT_BEHIND_PROXY:
		o->behind_proxy = true;
		return 0;
	case OPT_READY_FILE:
		o->ready_file = arg;
		return 0;
	default:
		return cli_common_option(&o->common, key, arg, state);
	}
}

/* The command line wins over environment and file. */
static enum souk_err
apply(struct config *c, const struct options *o, struct fail *f)
{
	const struct {
		enum setting_id id;
		const char *value;
	} given[] = { { SET_LISTEN, o->listen }, { SET_TLS_CERT, o->tls_cert },
		{ SET_TLS_KEY, o->tls_key },
		{ SET_BEHIND_PROXY, o->behind_proxy ? "true" : NULL } };
	enum souk_err r = SOUK_OK;

	for (size_t i = 0; i < sizeof(given) / sizeof(given[0]) && r == SOUK_OK; i++)
		if (given[i].value != NULL)
			r = config_set(c, given[i].id, given[i].value, f);
	return r;
}

static void
set_log(const struct config *c)
{
	static const char *const levels[] = { "debug", "info", "warn", "error", "off" };
	enum log_level least = LOG_INFO;

	for (unsigned i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		if (strcmp(config_text(c, SET_LOG_LEVEL), levels[i]) == 0)
			least = (enum log_level)i;
	log_setup(least, strcmp(config_text(c, SET_LOG_FORMAT), "json") == 0);
}

int
cmd_serve(int argc, char **argv)
{
	static const struct argp_option options[] = { CLI_COMMON_OPTIONS,
		{ "listen", 'l', "HOST:PORT", 0,
		    "Where to listen; port 0 picks one (default 127.0.0.1:8080)", 0 },
		{ "tls-cert", OPT_TLS_CERT, "FILE", 0, "Certificate chain, PEM", 0 },
		{ "tls-key", OPT_TLS_KEY, "FILE", 0, "Its private key, PEM", 0 },
		{ "behind-proxy", OPT_BEHIND_PROXY, NULL, 0,
		    "A proxy in front ends TLS: plain HTTP is allowed", 0 },
		{ "ready-file", OPT_READY_FILE, "FILE", 0, "Write the URL here once souk answers",
		    0 },
		{ 0 } };
	static const struct argp argp = { options, option, NULL,
		"Serves the marketplace: REST API, AWS Commerce Analytics, S3, notifications. "
		"SIGTERM and Ctrl-C end it "
		"when running requests are answered.\v"
		"Example: souk serve --data ./data --listen 127.0.0.1:8080",
		NULL, NULL, NULL };
	struct options o = { 0 };
	struct serve_options serve = { 0 };
	struct fail f = { 0 };
	enum souk_err r;

	cli_parse(&argp, argc, argv, &o.common, &o);
	serve.data_dir = o.common.data;
	serve.ready_file = o.ready_file;
	r = installation_config(o.common.data, &serve.config, &f);
	if (r == SOUK_OK && (r = apply(serve.config, &o, &f)) != SOUK_OK) {
		config_free(serve.config);
		(void)cli_fail(&f, r);
		return CLI_USAGE;
	}
	if (r == SOUK_OK) {
		set_log(serve.config);
		r = server_run(&serve, &f);
	}
	return r == SOUK_OK ? CLI_DONE : cli_fail(&f, r);
}
