/* SPDX-License-Identifier: Apache-2.0 */
/*
 * souk export contacts: a seller's support contact file, the one StartSupportDataExport
 * delivers, without the wire. The read is audited before the first byte leaves.
 */
#include "audit/audit.h"
#include "base/io.h"
#include "cli/cli.h"
#include "market/tenant_make.h"
#include "psc/export.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

struct options {
	struct cli_common common;
	const char *seller, *output;
	instant_t from;
	bool has_from;
};

static error_t
option(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 's':
		if (!account_id_valid(str_c(arg)))
			cli_usage("--seller: is not an account id; give its 12 digits");
		o->seller = arg;
		return 0;
	case 'f':
		if (!instant_parse(str_c(arg), &o->from))
			cli_usage("--from: is not an instant; write it as 2026-01-31T00:00:00Z");
		o->has_from = true;
		return 0;
	case 'o':
		o->output = arg;
		return 0;
	case ARGP_KEY_END:
		if (o->seller == NULL)
			cli_usage("--seller: is missing; give the seller's 12 digits");
		if (!o->has_from)
			cli_usage("--from: is missing; give the end of the last export, or "
				  "2000-01-01T00:00:00Z for everything");
		return 0;
	default:
		return cli_common_option(&o->common, key, arg, state);
	}
}

struct fd_sink {
	struct sink sink;
	int fd;
	bool failed;
};

static enum souk_err
write_fd(struct sink *s, const void *p, size_t n)
{
	struct fd_sink *out = (struct fd_sink *)s;
	enum souk_err r = io_write_all(out->fd, p, n);

	out->failed = r != SOUK_OK;
	return r;
}

struct note {
	const struct vault *vault;
	struct audit_entry entry;
	instant_t end; /* of the window */
};

static enum souk_err
append_note(struct db_tx *tx, void *arg)
{
	struct note *n = arg;

	return audit_append(tx, n->vault, &n->entry);
}

/* Like an export over the wire: what is changed from now on belongs to the next one. */
static enum souk_err
begin_export(struct db_tx *tx, void *arg)
{
	struct note *n = arg;
	enum souk_err r = psc_export_window(tx, n->entry.seller_id, &n->end);

	return r == SOUK_OK ? append_note(tx, n) : r;
}

struct result {
	struct psc_export_stats stats;
	instant_t end;
};

static enum souk_err
audited_export(struct installation *in, const struct options *o, struct fd_sink *out,
    struct result *ret, struct fail *f)
{
	struct note n = { .vault = in->vault,
		.entry = { .actor = STR("cli:export"),
		    .action = "psc:Export",
		    .resource = STR("contacts"),
		    .seller_id = str_c(o->seller),
		    .purpose = STR("operator-export") } };
	enum souk_err r = db_write(in->db, begin_export, &n);

	if (r != SOUK_OK)
		return fail_set(
		    f, r, "audit", "the audit entry cannot be written, so nothing was read");
	r = psc_export_write(
	    in->db, in->vault, str_c(o->seller), o->from, n.end, 2, &out->sink, &ret->stats, f);
	if (r != SOUK_OK && out->failed)
		return fail_set(f, r, "output",
		    "--output: the file cannot be written; make room on its disk and run it again");
	if (r == SOUK_E_DENIED)
		return fail_set(f, r, "not_enrolled",
		    "--seller: is not enrolled in Product Support Connection; enrol it first "
		    "(PUT /api/v1/sellers/ID/enrolments/psc)");
	if (r != SOUK_OK)
		return r;
	n.entry.action = "psc:ExportDone";
	ret->end = n.end;
	n.entry.count = ret->stats.rows_create + ret->stats.rows_update + ret->stats.rows_delete;
	r = db_write(in->db, append_note, &n);
	return r == SOUK_OK ? r : fail_set(f, r, "audit", "the audit entry cannot be written");
}

/* Into a file: beside it first, so that an interrupted export leaves the old file alone. */
static enum souk_err
export_to_file(struct installation *in, const struct options *o, struct result *ret, struct fail *f)
{
	struct fd_sink out = { .sink = { write_fd } };
	char *part = NULL;
	enum souk_err r;

	if (asprintf(&part, "%s.part", o->output) < 0)
		return fail_set(f, SOUK_E_NOMEM, "memory", "out of memory");
	/* A new file of ours: in a directory for all, somebody may have put his own or a link there. */
	(void)unlink(part);
	out.fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out.fd < 0) {
		r = fail_set(f, SOUK_E_INVALID, "output", "--output: %s cannot be written (%s)",
		    part, strerrordesc_np(errno));
		free(part);
		return r;
	}
	r = audited_export(in, o, &out, ret, f);
	if (r == SOUK_OK && fsync(out.fd) != 0)
		r = fail_set(f, SOUK_E_STORAGE, "output",
		    "--output: %s cannot be written: is the disk full?", part);
	if (close(out.fd) != 0 && r == SOUK_OK)
		r = fail_set(f, SOUK_E_STORAGE, "output", "--output: %s cannot be written", part);
	if (r == SOUK_OK && rename(part, o->output) != 0)
		r = fail_set(f, SOUK_E_STORAGE, "output", "--output: %s cannot be replaced (%s)",
		    o->output, strerrordesc_np(errno));
	if (r != SOUK_OK)
		(void)unlink(part);
	free(part);
	return r;
}

static void
report(const struct options *o, const struct result *x)
{
	const struct psc_export_stats *s = &x->stats;
	char end[INSTANT_TEXT_LEN + 1];

	instant_format(x->end, end);
	if (o->common.json)
		(void)printf("{\"create\":%lld,\"update\":%lld,\"delete\":%lld,\"end\":\"%s\"}\n",
		    (long long)s->rows_create, (long long)s->rows_update, (long long)s->rows_delete,
		    end);
	else
		(void)printf("%s: %lld created, %lld updated, %lld deleted%s%s; "
			     "the next export goes --from %s\n",
		    o->output, (long long)s->rows_create, (long long)s->rows_update,
		    (long long)s->rows_delete, s->empty_reason != NULL ? "; no rows because " : "",
		    s->empty_reason != NULL ? s->empty_reason : "", end);
}

int
cmd_export_contacts(int argc, char **argv)
{
	static const struct argp_option options[] = { CLI_COMMON_OPTIONS,
		{ "seller", 's', "ID", 0, "The seller's account id", 0 },
		{ "from", 'f', "INSTANT", 0,
		    "Start of the window; its end is 15 minutes ago, and with -o it is printed",
		    0 },
		{ "output", 'o', "FILE", 0, "Write here (default: standard output)", 0 }, { 0 } };
	static const struct argp argp = { options, option, NULL,
		"Writes a seller's support contact file as StartSupportDataExport delivers it. The "
		"read is audited.\v"
		"Example: souk export contacts --data ./data --seller 000000700100 --from "
		"2000-01-01T00:00:00Z -o contacts.csv",
		NULL, NULL, NULL };
	struct options o = { 0 };
	struct installation in;
	struct result result = { 0 };
	struct fd_sink standard = { .sink = { write_fd }, .fd = STDOUT_FILENO };
	struct fail f = { 0 };
	struct stopwatch watch;
	enum souk_err r;
	int code = CLI_DONE;

	cli_parse(&argp, argc, argv, &o.common, &o);
	if (!cli_open(&o.common, false, &in, &code))
		return code;
	stopwatch_begin(&watch, "exporting, seconds:");
	r = o.output != NULL ? export_to_file(&in, &o, &result, &f)
			     : audited_export(&in, &o, &standard, &result, &f);
	stopwatch_end(&watch);
	installation_close(&in);
	if (r != SOUK_OK)
		return cli_fail(&f, r);
	if (o.output != NULL)
		report(&o, &result);
	return CLI_DONE;
}
