/* SPDX-License-Identifier: Apache-2.0 */
/* souk report diff: what later corrections changed in a data set, and why. */
#include "cli/report_args.h"
#include "feeds/report_diff.h"

static enum souk_err
write_out(struct sink *s, const void *p, size_t n)
{
	(void)s;
	return fwrite(p, 1, n, stdout) == n ? SOUK_OK : SOUK_E_STORAGE;
}

int
cmd_report_diff(int argc, char **argv)
{
	struct report_args a = { .takes_diff = true };
	struct report_diff_counts n = { 0 };
	struct sink out = { write_out };
	struct stopwatch watch;
	struct fail f = { 0 };
	enum souk_err r;

	report_args_parse(&a,
	    "Compares a data set as known at two instants, line by line, with the reason for each "
	    "change.\v"
	    "Example: souk report diff sales_compensation_billed_revenue --feeds ./feeds --month "
	    "2026-01 --from-known-at 2026-02-15T00:00:00Z --to-known-at 2026-03-15T00:00:00Z",
	    argc, argv);
	stopwatch_begin(&watch, "reading feeds, seconds:");
	r = report_args_open(&a, &f);
	if (r == SOUK_OK)
		r = report_diff(
		    &a.request, a.from_known_at, a.to_known_at, a.common.json, &out, &n, &f);
	stopwatch_end(&watch);
	if (r == SOUK_OK)
		r = report_args_close(&a, true, &f);
	if (r != SOUK_OK)
		return cli_fail(&f, r);
	if (!a.common.json)
		(void)printf("%llu lines, then %llu: %llu added, %llu removed, %llu changed\n",
		    (unsigned long long)n.before, (unsigned long long)n.after,
		    (unsigned long long)n.added, (unsigned long long)n.removed,
		    (unsigned long long)n.changed);
	return CLI_DONE;
}
