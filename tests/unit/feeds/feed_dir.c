/* SPDX-License-Identifier: Apache-2.0 */
/* See feed_dir.h. What fails here is the test's surroundings: it ends the program. */
#include "feed_dir.h"

#include "base/io.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAMES 4

static _Noreturn void
give_up(const char *what)
{
	perror(what);
	abort();
}

const char *
feed_dir_new(void)
{
	static char names[NAMES][64];
	static unsigned next;
	char *dir = names[next++ % NAMES];
	const char *tmp = getenv("TMPDIR");

	(void)snprintf(
	    dir, sizeof(names[0]), "%.30s/souk_feeds.XXXXXX", tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(dir) == NULL)
		give_up(dir);
	return dir;
}

const char *
feed_dir_made(uint64_t events, uint64_t seed)
{
	const char *dir = feed_dir_new();
	struct make_options o = { .dir = dir,
		.events = events,
		.seed = seed,
		.from_month = FEED_YEAR * 12,
		.months = FEED_MONTHS };
	struct make_result result;
	struct fail f = { 0 };

	if (feeds_make(&o, &result, &f) != SOUK_OK)
		give_up(f.detail);
	return dir;
}

void
feed_dir_run(const char *dir, const char *command)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		if (chdir(dir) == 0)
			(void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
		give_up(command);
}

void
feed_dir_remove(const char *dir)
{
	feed_dir_run(dir, "rm -rf \"$PWD\"");
}

const char *
feed_path(enum feed feed, int month)
{
	static char path[256];

	(void)snprintf(path, sizeof(path), "%s/year=%d/month=%02d/data.csv",
	    feed_info(feed)->folder, FEED_YEAR, month);
	return path;
}

void
feed_load(const char *dir, enum feed feed, int month, struct feed_text *ret)
{
	char path[512];
	FILE *in;
	char *line = NULL;
	size_t room = 0;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, feed_path(feed, month));
	in = fopen(path, "r");
	if (in == NULL)
		give_up(path);
	*ret = (struct feed_text){ 0 };
	while (getline(&line, &room, in) > 0)
		feed_insert(ret, ret->n, line);
	free(line);
	(void)fclose(in);
}

void
feed_save(const char *dir, enum feed feed, int month, struct feed_text *t)
{
	char path[512];
	FILE *out;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, feed_path(feed, month));
	out = fopen(path, "w");
	if (out == NULL)
		give_up(path);
	for (size_t i = 0; i < t->n; i++)
		if (fputs(t->line[i], out) < 0)
			give_up(path);
	if (fclose(out) != 0)
		give_up(path);
	feed_text_free(t);
}

void
feed_text_free(struct feed_text *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->line[i]);
	free(t->line);
	*t = (struct feed_text){ 0 };
}

/* Where a column begins; its length in *ret_n. */
static const char *
find_cell(const char *line, unsigned column, size_t *ret_n)
{
	bool quoted = false;
	const char *p = line;

	for (; column > 0 && *p != '\0' && *p != '\n'; p++) {
		if (*p == '"')
			quoted = !quoted;
		column -= *p == ',' && !quoted;
	}
	line = p;
	for (; *p != '\0' && *p != '\n' && (*p != ',' || quoted); p++)
		if (*p == '"')
			quoted = !quoted;
	*ret_n = (size_t)(p - line);
	return line;
}

const char *
feed_cell(const char *line, unsigned column)
{
	static char cells[NAMES][256];
	static unsigned next;
	char *cell = cells[next++ % NAMES];
	size_t n;
	const char *p = find_cell(line, column, &n);

	(void)snprintf(cell, sizeof(cells[0]), "%.*s", (int)n, p);
	return cell;
}

void
feed_set(struct feed_text *t, size_t line, unsigned column, const char *value)
{
	size_t n;
	const char *old = t->line[line], *p = find_cell(old, column, &n);
	char *new = NULL;

	if (asprintf(&new, "%.*s%s%s", (int)(p - old), old, value, p + n) < 0)
		give_up("memory");
	free(t->line[line]);
	t->line[line] = new;
}

void
feed_insert(struct feed_text *t, size_t line, const char *text)
{
	char *copy = strdup(text);
	char **more = realloc(t->line, (t->n + 1) * sizeof(*more));

	if (copy == NULL || more == NULL)
		give_up("memory");
	t->line = more;
	memmove(t->line + line + 1, t->line + line, (t->n - line) * sizeof(*t->line));
	t->line[line] = copy;
	t->n++;
}

void
feed_delete(struct feed_text *t, size_t line)
{
	free(t->line[line]);
	t->n--;
	memmove(t->line + line, t->line + line + 1, (t->n - line) * sizeof(*t->line));
}

size_t
feed_find(const struct feed_text *t, size_t from, const struct feed_want *want)
{
	for (size_t i = from > 0 ? from : 1; i < t->n; i++) {
		bool all = true;

		for (const struct feed_want *w = want; w->column != FEED_COLUMNS_MAX; w++) {
			const char *cell = feed_cell(t->line[i], w->column);

			all = all &&
			      (w->value == NULL ? cell[0] != '\0' : strcmp(cell, w->value) == 0);
		}
		if (all)
			return i;
	}
	return 0;
}
