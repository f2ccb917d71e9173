/* SPDX-License-Identifier: Apache-2.0 */
/* What the subcommands share; see cli.h. */
#include "cli/cli.h"

#include "base/clock.h"

#include <errno.h>
#include <stdarg.h>
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

/* What helps when the failing part did not say. */
static const char *const fixes[SOUK_E__COUNT] = {
	[SOUK_E_INTERNAL] = "this is a bug in souk, please report it",
	[SOUK_E_NOMEM] = "free some memory and try again",
	[SOUK_E_UNAVAILABLE] = "try again when the other program has ended",
	[SOUK_E_STORAGE] = "check that the disk has room and that this user may use it",
	[SOUK_E_UNCERTAIN] = "look before trying again",
};

int
cli_fail(const struct fail *f, enum souk_err err)
{
	const char *fix = fixes[err] != NULL ? fixes[err] : "docs/operators.md tells more";

	if (f->n == 0 && f->detail[0] == '\0')
		return cli_fail_plain(err, "database");
	if (f->n == 0)
		(void)fprintf(stderr, "souk: %s%s%s\n", f->detail,
		    strchr(f->detail, ';') != NULL ? "" : "; ",
		    strchr(f->detail, ';') != NULL ? "" : fix);
	for (size_t i = 0; i < f->n; i++)
		(void)fprintf(stderr, "souk: %s: %s; %s\n", f->entry[i].field, f->entry[i].what,
		    f->entry[i].fix);
	return exit_for(err);
}

int
cli_fail_plain(enum souk_err err, const char *doing)
{
	static const char *const whats[SOUK_E__COUNT] = {
		[SOUK_E_UNAVAILABLE] = "the database is busy",
		[SOUK_E_STORAGE] = "the disk is full or failing, nothing was kept",
		[SOUK_E_UNCERTAIN] = "it may or may not have been kept",
	};

	(void)fprintf(stderr, "souk: %s: %s; %s\n", doing,
	    whats[err] != NULL ? whats[err] : souk_err_word(err),
	    fixes[err] != NULL ? fixes[err] : "docs/operators.md tells more");
	return exit_for(err);
}

void
cli_usage(const char *fmt, ...)
{
	va_list ap;

	(void)fputs("souk: ", stderr);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
	exit(CLI_USAGE);
}

/* The option that a word like --name=value spells, NULL: none of the table's. */
static const struct argp_option *
spelled(const struct argp_option *table, const char *word)
{
	size_t n = strcspn(word, "=");

	for (const struct argp_option *o = table; o->name != NULL; o++)
		if ((n > 2 && strlen(o->name) == n - 2 && strncmp(word + 2, o->name, n - 2) == 0) ||
		    (n == 2 && word[1] == o->key))
			return o;
	return NULL;
}

/* getopt stopped at the word before `next`; its own message would not look like ours. */
static void
option_refused(const struct argp_state *state)
{
	const char *word = state->next > 0 ? state->argv[state->next - 1] : "";
	const struct argp_option *o = spelled(state->root_argp->options, word);
	int n = (int)strcspn(word, "=");

	if (word[0] != '-') /* within a group of short ones */
		cli_usage("OPTION: one is not known; `%s --help` lists them", state->name);
	if (o != NULL && o->arg != NULL)
		cli_usage("%.*s: is without its %s; give it behind", n, word, o->arg);
	if (o != NULL)
		cli_usage("%.*s: takes no value; leave it out", n, word);
	cli_usage(
	    "%.*s: is no option of this command; `%s --help` lists them", n, word, state->name);
}

/* argp prints help only when it may print errors too. */
static void
help(struct argp_state *state, unsigned flags)
{
	state->flags &= (unsigned)~ARGP_NO_ERRS;
	argp_state_help(state, state->out_stream, flags);
}

error_t
cli_common_option(struct cli_common *c, int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case 'd':
		c->data = arg;
		return 0;
	case CLI_OPT_JSON:
		c->json = true;
		return 0;
	case '?':
		help(state, ARGP_HELP_STD_HELP);
		return 0;
	case CLI_OPT_USAGE:
		help(state, ARGP_HELP_USAGE | ARGP_HELP_EXIT_OK);
		return 0;
	case 'V':
		(void)puts(argp_program_version);
		exit(CLI_DONE);
	case ARGP_KEY_ERROR:
		option_refused(state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

error_t
cli_only_common(int key, char *arg, struct argp_state *state)
{
	return cli_common_option(state->input, key, arg, state);
}

void
cli_parse(const struct argp *argp, int argc, char **argv, struct cli_common *c, void *input)
{
	int end = argc;

	c->data = getenv("SOUK_DATA");
	if (argp_parse(argp, argc, argv, ARGP_NO_ERRS | ARGP_NO_HELP, &end, input) != 0)
		cli_usage("OPTION: cannot be used; `%s --help` lists them", argv[0]);
	if (end < argc)
		cli_usage("ARGUMENT: `%s` is one too many; `%s --help` tells what this takes",
		    argv[end], argv[0]);
	if (c->data != NULL && c->data[0] == '\0')
		c->data = NULL;
	if (c->data == NULL && !c->optional)
		cli_usage("--data: is missing; say which data directory, as in --data ./data");
}

int
cli_finish(int code)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	(void)fprintf(stderr,
	    "souk: standard output: cannot be written (%s), so what was to be "
	    "printed is lost; make room there, or write to another place\n",
	    strerrordesc_np(errno));
	return code == CLI_DONE ? CLI_FAILED : code;
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

static void *
count_seconds(void *arg)
{
	struct stopwatch *w = arg;

	(void)pthread_mutex_lock(&w->lock);
	for (int64_t seconds = 0; !w->stop; seconds++) {
		progress_update(&w->progress, seconds);
		(void)clock_cond_wait_ms(&w->told, &w->lock, SECOND_MS);
	}
	(void)pthread_mutex_unlock(&w->lock);
	return NULL;
}

void
stopwatch_begin(struct stopwatch *w, const char *what)
{
	*w = (struct stopwatch){ .running = false };
	if (!isatty(STDERR_FILENO))
		return;
	progress_begin(&w->progress, what, 0);
	(void)pthread_mutex_init(&w->lock, NULL);
	clock_cond_init(&w->told);
	w->running = pthread_create(&w->thread, NULL, count_seconds, w) == 0;
}

void
stopwatch_end(struct stopwatch *w)
{
	if (!w->running)
		return;
	(void)pthread_mutex_lock(&w->lock);
	w->stop = true;
	(void)pthread_cond_signal(&w->told);
	(void)pthread_mutex_unlock(&w->lock);
	(void)pthread_join(w->thread, NULL);
	(void)pthread_mutex_destroy(&w->lock);
	(void)pthread_cond_destroy(&w->told);
	progress_end(&w->progress);
}
