/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What durable writes cost without a server: the peers of PUT .../contacts/{contactId}.
 *
 *   bench_write edits DATA FILE SECONDS   edits contacts one after the other, a commit each;
 *                                         FILE has `SUBSCRIPTION CONTACT` lines
 *   bench_write sync DIR SECONDS          appends 4 KiB to a file and waits for the disk
 *
 * Prints `name value unit` lines.
 */
#include "base/secret.h"
#include "market/tenant_make.h"
#include "psc/contact.h"
#include "server/installation.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define BLOCK 4096
#define TIMES_MAX 1000000

struct times {
	uint64_t began, ends;
	uint64_t ns[TIMES_MAX];
	size_t n;
};

struct place {
	struct guid subscription, contact;
};

struct edits {
	struct installation in;
	struct tenant_scope scope;
	struct place *places;
	size_t n_places, next;
};

static void
die(const char *what)
{
	(void)fprintf(stderr, "bench_write: %s\n", what);
	exit(3);
}

static int
by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static struct times *
times_new(const char *seconds)
{
	struct times *t = calloc(1, sizeof(*t));

	if (!t)
		die("out of memory");
	t->began = clock_mono_ns();
	t->ends = t->began + (uint64_t)(strtod(seconds, NULL) * 1e9);
	return t;
}

/* Notes what began at `from`; false when the time is over. */
static bool
times_add(struct times *t, uint64_t from)
{
	uint64_t now = clock_mono_ns();

	t->ns[t->n++] = now - from;
	return now < t->ends && t->n < TIMES_MAX;
}

static void
times_print(struct times *t)
{
	double seconds = (double)(clock_mono_ns() - t->began) / 1e9;

	qsort(t->ns, t->n, sizeof(t->ns[0]), by_value);
	(void)printf("writes %zu count\nrate %.1f 1/s\np50 %.3f ms\np99 %.3f ms\n", t->n,
	    (double)t->n / seconds, (double)t->ns[t->n / 2] / 1e6,
	    (double)t->ns[t->n * 99 / 100] / 1e6);
	free(t);
}

static void
read_places(struct edits *e, const char *path)
{
	FILE *in = fopen(path, "re");
	char sub[64], contact[64];
	size_t cap = 0;

	if (!in)
		die(path);
	while (fscanf(in, "%63s %63s", sub, contact) == 2) {
		if (e->n_places == cap) {
			cap = cap ? 2 * cap : 1024;
			e->places = reallocarray(e->places, cap, sizeof(*e->places));
			if (!e->places)
				die("out of memory");
		}
		if (!guid_parse(str_c(sub), &e->places[e->n_places].subscription) ||
		    !guid_parse(str_c(contact), &e->places[e->n_places].contact))
			die("a line is not two GUIDs");
		e->n_places++;
	}
	(void)fclose(in);
	if (e->n_places == 0)
		die("nothing to edit");
}

/* The transaction of a PUT, without HTTP. */
static enum souk_err
edit(struct db_tx *tx, void *arg)
{
	struct edits *e = arg;
	const struct place *p = &e->places[e->next % e->n_places];
	char email[64];
	struct contact_fields c = { .organization = STR("Example Ltd"),
		.given_name = STR("Zoë"),
		.surname = STR("Quist"),
		.telephone = STR("+1 206 555 0100"),
		.title = STR("Engineer"),
		.country = STR("US"),
		.zip = STR("98101") };
	struct contact made;

	(void)snprintf(email, sizeof(email), "zoe%zu@example.com", e->next % e->n_places);
	c.email = str_c(email);
	return contact_edit(
	    tx, e->in.vault, &e->scope, &p->subscription, &p->contact, 0, &c, NULL, &made, NULL);
}

static void
run_edits(const char *data, const char *places, const char *seconds)
{
	struct edits e = { .scope = tenant_for_cli("bench") };
	struct fail f = { 0 };
	struct config *config;
	struct times *t;
	uint64_t from;

	read_places(&e, places);
	if (installation_config(data, &config, &f) != SOUK_OK ||
	    installation_open(data, config, false, &e.in, &f) != SOUK_OK)
		die(f.detail);
	t = times_new(seconds);
	do {
		from = clock_mono_ns();
		if (db_write(e.in.db, edit, &e) != SOUK_OK)
			die("an edit failed");
		e.next++;
	} while (times_add(t, from));
	times_print(t);
	installation_close(&e.in);
	free(e.places);
}

static void
run_sync(const char *dir, const char *seconds)
{
	static const char block[BLOCK] = "x";
	char path[4096];
	struct times *t;
	uint64_t from;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/appended", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		die(path);
	t = times_new(seconds);
	do {
		from = clock_mono_ns();
		if (write(fd, block, BLOCK) != BLOCK || fdatasync(fd) != 0)
			die("the disk refused");
	} while (times_add(t, from));
	times_print(t);
	(void)close(fd);
	(void)unlink(path);
}

int
main(int argc, char **argv)
{
	if (secret_process_init() != SOUK_OK)
		die("no random numbers");
	if (argc == 5 && strcmp(argv[1], "edits") == 0)
		run_edits(argv[2], argv[3], argv[4]);
	else if (argc == 4 && strcmp(argv[1], "sync") == 0)
		run_sync(argv[2], argv[3]);
	else
		die("usage: bench_write edits DATA FILE SECONDS | sync DIR SECONDS");
	return 0;
}
