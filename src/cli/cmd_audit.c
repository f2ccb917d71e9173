/* SPDX-License-Identifier: Apache-2.0 */
/* souk audit verify: walks the audit chain; exit 1 when an entry was edited, removed, reordered or cut off. */
#include "audit/audit.h"
#include "base/json.h"
#include "cli/cli.h"

#include <stdlib.h>

struct options {
	struct cli_common common;
	char *anchor; /* NULL: none */
};

static error_t
option(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	if (key != 'a')
		return cli_common_option(&o->common, key, arg, state);
	if (!audit_anchor_is(arg))
		cli_usage(
		    "--anchor: is not NUMBER:HEX; give the head that an earlier verify printed");
	o->anchor = arg;
	return 0;
}

static void
print(const struct audit_report *rep, bool json)
{
	struct buf b = { 0 };
	struct jw w;

	if (!json) {
		if (rep->what == NULL)
			(void)printf(
			    "sound: %lld entries, head %s\n", (long long)rep->entries, rep->anchor);
		else if (rep->bad_chain == 0)
			(void)printf(
			    "broken: entry %lld: %s\n", (long long)rep->bad_seq, rep->what);
		else
			(void)printf("broken: chain %lld, entry %lld: %s\n",
			    (long long)rep->bad_chain, (long long)rep->bad_seq, rep->what);
		return;
	}
	jw_init(&w, &b);
	jw_open(&w, NULL, '{');
	jw_bool(&w, "sound", rep->what == NULL);
	jw_int(&w, "entries", rep->entries);
	jw_int(&w, "chains", rep->chains);
	if (rep->what != NULL) {
		jw_int(&w, "badChain", rep->bad_chain);
		jw_int(&w, "badEntry", rep->bad_seq);
		jw_c(&w, "what", rep->what);
	}
	jw_c(&w, "head", rep->anchor);
	jw_close(&w, '}');
	(void)puts(b.p != NULL ? b.p : "{}");
	buf_done(&b);
}

int
cmd_audit_verify(int argc, char **argv)
{
	static const struct argp_option options[] = { CLI_COMMON_OPTIONS,
		{ "anchor", 'a', "HEAD", 0, "A head noted earlier: it must still be there", 0 },
		{ 0 } };
	static const struct argp argp = { options, option, NULL,
		"Checks that no audit entry was changed, removed, inserted, reordered or cut off. "
		"Prints the head (NUMBER:HEX, and with several chains "
		"one of each): keep it elsewhere and give it as --anchor later.\v"
		"Example: souk audit verify --data ./data",
		NULL, NULL, NULL };
	struct options o = { 0 };
	struct installation in;
	struct audit_report rep = { 0 };
	struct stopwatch watch;
	enum souk_err r;
	int code = CLI_DONE;

	cli_parse(&argp, argc, argv, &o.common, &o);
	if (!cli_open(&o.common, false, &in, &code))
		return code;
	stopwatch_begin(&watch, "verifying, seconds:");
	r = audit_verify(in.db, in.vault, o.anchor, &rep);
	stopwatch_end(&watch);
	installation_close(&in);
	if (r != SOUK_OK)
		return cli_fail_plain(r, "audit");
	print(&rep, o.common.json);
	audit_report_done(&rep);
	return rep.what == NULL ? CLI_DONE : CLI_REFUSED;
}
