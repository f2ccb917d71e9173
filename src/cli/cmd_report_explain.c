/* SPDX-License-Identifier: Apache-2.0 */
/* souk report explain: the billing events behind a line, and its arithmetic. */
#include "cli/report_args.h"
#include "feeds/report_explain.h"

#include <unistd.h>

struct out_sink {
	struct sink sink;
	struct stopwatch *watch; /* its bar ends before the first line */
};

static enum souk_err
write_out(struct sink *s, const void *p, size_t n)
{
	stopwatch_end(((struct out_sink *)s)->watch);
	((struct out_sink *)s)->watch->running = false;
	return fwrite(p, 1, n, stdout) == n ? SOUK_OK : SOUK_E_STORAGE;
}

int
cmd_report_explain(int argc, char **argv)
{
	struct report_args a = { .takes_lines = true };
	struct report_summary sum = { 0 };
	struct report_sink *s;
	struct stopwatch watch;
	struct out_sink out = { .sink = { write_out }, .watch = &watch };
	struct fail f = { 0 };
	uint64_t found;
	enum souk_err r;

	report_args_parse(&a,
	    "Prints the lines that match and the billing events behind each.\v"
	    "Example: souk report explain sales_compensation_billed_revenue --feeds ./feeds "
	    "--month 2026-01 --line 6bd9-ref --line 'Product Code=abc'",
	    argc, argv);
	if ((s = report_explain_sink(a.lines, a.n_lines, a.common.json, &out.sink)) == NULL)
		return cli_fail_plain(SOUK_E_NOMEM, "memory");
	stopwatch_begin(&watch, "reading feeds, seconds:");
	r = report_args_open(&a, &f);
	if (r == SOUK_OK)
		r = report_run(&a.request, s, &sum, &f);
	stopwatch_end(&watch);
	found = report_explain_found(s);
	report_explain_free(s);
	if (r == SOUK_OK)
		r = report_args_close(&a, true, &f);
	if (r != SOUK_OK)
		return cli_fail(&f, r);
	if (found == 0) {
		(void)fprintf(stderr,
		    "souk: --line: matches none of the %llu lines; make the "
		    "report to see them, or look in another month\n",
		    (unsigned long long)sum.lines);
		return CLI_REFUSED;
	}
	return CLI_DONE;
}
