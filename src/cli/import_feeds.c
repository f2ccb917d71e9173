/* SPDX-License-Identifier: Apache-2.0 */
/*
 * souk import feeds. What data sets would stumble over is refused here, where somebody can mend
 * it, with every finding named.
 */
#include "cli/import_feeds.h"

#include "cli/cli.h"
#include "cli/feeds_where.h"
#include "edsp/feed_objects.h"
#include "feeds/check.h"
#include "market/account.h"
#include "market/tenant_make.h"

#include <stdlib.h>

#define SHOWN_MAX 20

struct seller_look {
	const char *id;
	struct fail *f;
};

static enum souk_err
look_tx(struct db_tx *tx, void *arg)
{
	struct seller_look *l = arg;
	struct tenant_scope scope = tenant_for_cli("import");
	struct arena *mem = arena_new(65536);
	struct account a;
	enum souk_err r = mem ? account_get(tx, &scope, str_c(l->id), mem, &a) : SOUK_E_NOMEM;

	if (r == SOUK_OK && !a.is_seller)
		r = SOUK_E_NOT_FOUND;
	arena_free(mem);
	if (r == SOUK_E_NOT_FOUND)
		return fail_field(
		    l->f, "--seller", "is no seller's account", "create the account first");
	return r;
}

static int
say(enum souk_err r, const struct fail *f, const char *what)
{
	char line[512];

	if (f->err == SOUK_OK)
		return cli_fail_plain(r, what);
	fail_line(f, line, sizeof(line));
	(void)fprintf(stderr, "souk: %s\n", line);
	return r == SOUK_E_INVALID || r == SOUK_E_LIMIT || r == SOUK_E_NOT_FOUND ? CLI_REFUSED
										 : CLI_FAILED;
}

static void
show_findings(const struct check_result *x)
{
	for (size_t i = 0; i < x->n; i++)
		(void)fprintf(stderr, "souk: %s:%llu: %s: %s; %s\n", x->findings[i].file,
		    (unsigned long long)x->findings[i].line, x->findings[i].column,
		    x->findings[i].what, x->findings[i].fix);
}

static const char *
findings(uint64_t n)
{
	return n == 1 ? "finding" : "findings";
}

/* CLI_DONE when the feeds can be kept. *ret_told: findings that they are kept with. */
static int
check(const struct import_feeds_options *o, uint64_t *ret_told)
{
	struct check_options how = { .dir = o->where,
		.limit = SHOWN_MAX,
		.open = feeds_where_open,
		.open_arg = o->endpoint };
	struct check_result x = { 0 };
	struct fail f = { 0 };
	enum souk_err r = feeds_check(&how, &x, &f);
	int code = r == SOUK_OK ? CLI_DONE : say(r, &f, o->where);

	if (r == SOUK_OK)
		show_findings(&x);
	if (r == SOUK_OK && x.total > 0 && (!o->lenient || x.count[CHECK_FILE] > 0)) {
		(void)fprintf(stderr, "souk: %s: %llu %s; nothing of these feeds was kept\n",
		    o->where, (unsigned long long)x.total, findings(x.total));
		code = CLI_REFUSED;
	}
	*ret_told = r == SOUK_OK ? x.total - x.count[CHECK_ROW] : 0;
	feeds_check_free(&x);
	return code;
}

/* Counts what it sets aside, and keeps nothing. */
static enum souk_err
only_count(struct fault_sink *s, const struct feed_fault *fault, struct str row, struct fail *f)
{
	(void)s;
	(void)fault;
	(void)row;
	(void)f;
	return SOUK_OK;
}

/* What was kept, and what was not. */
struct kept {
	size_t files;
	uint64_t rejected;
};

static enum souk_err
keep(
    struct installation *in, const struct import_feeds_options *o, struct kept *ret, struct fail *f)
{
	struct feed_source *source = NULL;
	struct reject_file rejects = { .sink.take = only_count };
	struct fault_sink *faults = o->lenient ? &rejects.sink : NULL;
	enum souk_err r = feeds_where_open(o->where, o->endpoint, &source, f), closed = SOUK_OK;

	if (r != SOUK_OK)
		return r;
	if (o->rejects != NULL)
		reject_file_init(&rejects, o->rejects);
	r = feed_objects_put(in->db, in->objects, str_c(o->seller), source, faults, f);
	if (o->rejects != NULL)
		closed = reject_file_close(&rejects, r == SOUK_OK, r == SOUK_OK ? f : NULL);
	*ret = (struct kept){ .files = source->n, .rejected = rejects.sink.n };
	feed_source_free(source);
	return r == SOUK_OK ? closed : r;
}

static void
report(const struct import_feeds_options *o, const struct kept *k, uint64_t told)
{
	if (o->json && o->lenient)
		(void)printf(
		    "{\"kind\":\"feeds\",\"files\":%zu,\"rejectedRows\":%llu,\"findings\":%llu}\n",
		    k->files, (unsigned long long)k->rejected, (unsigned long long)told);
	else if (o->json)
		(void)printf("{\"kind\":\"feeds\",\"files\":%zu}\n", k->files);
	else
		(void)printf("%s: %zu files of data feeds\n", o->where, k->files);
	if (k->rejected > 0)
		(void)fprintf(stderr,
		    "souk: --lenient: %llu bad rows were set aside and count for nothing%s%s\n",
		    (unsigned long long)k->rejected, o->rejects != NULL ? ": " : "",
		    o->rejects != NULL ? o->rejects : "");
	if (told > 0)
		(void)fprintf(stderr, "souk: --lenient: the feeds are kept with %llu other %s\n",
		    (unsigned long long)told, findings(told));
}

int
import_feeds(struct installation *in, const struct import_feeds_options *o)
{
	struct fail f = { 0 };
	struct seller_look look = { .id = o->seller, .f = &f };
	enum souk_err r = db_read(in->db, look_tx, &look);
	struct kept kept = { 0 };
	uint64_t told = 0;
	int code;

	if (r != SOUK_OK)
		return say(r, &f, "--seller");
	if ((code = check(o, &told)) != CLI_DONE)
		return code;
	if ((r = keep(in, o, &kept, &f)) != SOUK_OK)
		return say(r, &f, o->where);
	report(o, &kept, told);
	return CLI_DONE;
}
