/* SPDX-License-Identifier: Apache-2.0 */
/* What the subcommands share; see cli.h. */
#include "cli/cli.h"

#include "base/clock.h"

#include <stdlib.h>
#include <unistd.h>

static int
exit_for(enum souk_err err)
{
	switch (err) {
	case SOUK_OK:
		return CLI_DONE;
	case SOUK_E_INVALID:
	case SOUK_E_UNAUTHENTICATED:
	case SOUK_E_DENIED:
	case SOUK_E_NOT_FOUND:
	case SOUK_E_CONFLICT:
	case SOUK_E_PRECONDITION:
	case SOUK_E_LIMIT:
		return CLI_REFUSED;
	case SOUK_E_INTERNAL:
	case SOUK_E_NOMEM:
	case SOUK_E_UNAVAILABLE:
	case SOUK_E_STORAGE:
	case SOUK_E_UNCERTAIN:
	case SOUK_E__COUNT:
		break;
	}
	return CLI_FAILED;
}

int
cli_fail(const struct fail *f, enum souk_err err)
{
	if (f->n == 0)
		(void)fprintf(
		    stderr, "souk: %s\n", f->detail[0] != '\0' ? f->detail : souk_err_word(err));
	for (size_t i = 0; i < f->n; i++)
		(void)fprintf(stderr, "souk: %s: %s; %s\n", f->entry[i].field, f->entry[i].what,
		    f->entry[i].fix);
	return exit_for(err);
}

int
cli_fail_plain(enum souk_err err, const char *doing)
{
	static const char *const hints[SOUK_E__COUNT] = {
		[SOUK_E_UNAVAILABLE] =
		    "the database is busy; try again when the other program has ended",
		[SOUK_E_STORAGE] = "the disk is full or failing; nothing was kept",
		[SOUK_E_UNCERTAIN] = "it may or may not have been kept; look before trying again",
	};

	(void)fprintf(
	    stderr, "souk: %s: %s\n", doing, hints[err] != NULL ? hints[err] : souk_err_word(err));
	return exit_for(err);
}

error_t
cli_common_option(struct cli_common *c, int key, char *arg)
{
	switch (key) {
	case 'd':
		c->data = arg;
		return 0;
	case CLI_OPT_JSON:
		c->json = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

error_t
cli_only_common(int key, char *arg, struct argp_state *state)
{
	return cli_common_option(state->input, key, arg);
}

void
cli_parse(const struct argp *argp, int argc, char **argv, struct cli_common *c, void *input)
{
	argp_err_exit_status = CLI_USAGE;
	c->data = getenv("SOUK_DATA");
	if (argp_parse(argp, argc, argv, 0, NULL, input) != 0)
		exit(CLI_USAGE);
	if (c->data == NULL || c->data[0] == '\0') {
		(void)fprintf(stderr,
		    "souk: --data: is missing; say which data directory, as in --data ./data\n");
		exit(CLI_USAGE);
	}
}

bool
cli_open(const struct cli_common *c, bool exclusive, struct installation *ret, int *ret_exit)
{
	struct fail f = { 0 };
	struct config *config = NULL;
	enum souk_err r = installation_config(c->data, &config, &f);

	if (r == SOUK_OK)
		r = installation_open(c->data, config, exclusive, ret, &f);
	if (r == SOUK_OK)
		return true;
	*ret_exit = cli_fail(&f, r);
	return false;
}

#define PROGRESS_AFTER_NS UINT64_C(1000000000)
#define PROGRESS_EVERY_NS UINT64_C(100000000)

void
progress_begin(struct progress *p, const char *what, int64_t total)
{
	*p = (struct progress){ .what = what, .total = total, .began = clock_mono_ns() };
}

void
progress_update(struct progress *p, int64_t done)
{
	uint64_t now = clock_mono_ns();

	if (now - p->began < PROGRESS_AFTER_NS || now - p->shown < PROGRESS_EVERY_NS || !isatty(2))
		return;
	p->shown = now;
	p->visible = true;
	if (p->total > 0) {
		int percent = (int)(done >= p->total ? 100 : done * 100 / p->total);
		int bar = percent * 30 / 100;

		(void)fprintf(stderr, "\r%s [%.*s%*s] %3d%%", p->what, bar,
		    "##############################", 30 - bar, "", percent);
	} else {
		(void)fprintf(stderr, "\r%s %lld", p->what, (long long)done);
	}
}

void
progress_end(struct progress *p)
{
	if (p->visible)
		(void)fprintf(stderr, "\r\033[K");
}
