/* SPDX-License-Identifier: Apache-2.0 */
/*
 * souk import feeds. What data sets would stumble over is refused here, where somebody can mend
 * it, with every finding named.
 */
#include "cli/import_feeds.h"

#include "cli/cli.h"
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

/* CLI_DONE when nothing is wrong. */
static int
check(const char *dir)
{
	struct check_options o = { .dir = dir, .limit = SHOWN_MAX };
	struct check_result x = { 0 };
	struct fail f = { 0 };
	enum souk_err r = feeds_check(&o, &x, &f);
	int code = r == SOUK_OK ? CLI_DONE : say(r, &f, dir);

	for (size_t i = 0; r == SOUK_OK && i < x.n; i++)
		(void)fprintf(stderr, "souk: %s:%llu: %s: %s; %s\n", x.findings[i].file,
		    (unsigned long long)x.findings[i].line, x.findings[i].column,
		    x.findings[i].what, x.findings[i].fix);
	if (r == SOUK_OK && x.total > 0) {
		(void)fprintf(stderr, "souk: %s: %llu %s; nothing of these feeds was kept\n", dir,
		    (unsigned long long)x.total, x.total == 1 ? "finding" : "findings");
		code = CLI_REFUSED;
	}
	feeds_check_free(&x);
	return code;
}

int
import_feeds(struct installation *in, const char *seller, const char *dir, bool json)
{
	struct fail f = { 0 };
	struct seller_look look = { .id = seller, .f = &f };
	struct feed_source *source = NULL;
	enum souk_err r = db_read(in->db, look_tx, &look);
	size_t n;
	int code;

	if (r != SOUK_OK)
		return say(r, &f, "--seller");
	if ((code = check(dir)) != CLI_DONE)
		return code;
	if ((r = feed_source_folder(dir, &source, &f)) != SOUK_OK)
		return say(r, &f, dir);
	n = source->n;
	r = feed_objects_put(in->db, in->objects, str_c(seller), source, &f);
	feed_source_free(source);
	if (r != SOUK_OK)
		return say(r, &f, dir);
	if (json)
		(void)printf("{\"kind\":\"feeds\",\"files\":%zu}\n", n);
	else
		(void)printf("%s: %zu files of data feeds\n", dir, n);
	return CLI_DONE;
}
