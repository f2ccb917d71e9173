/* SPDX-License-Identifier: Apache-2.0 */
/* souk mail: takes delivery reports from a mail server's pipe, says how the mail fares. */
#include "audit/audit.h"
#include "cli/cli.h"
#include "delivery/mail_bounce.h"
#include "market/tenant_make.h"

#include <errno.h>
#include <unistd.h>

/* What a mail server takes for "not now" (sysexits.h, EX_TEMPFAIL): it keeps the report and comes again. */
#define EXIT_LATER 75

static enum souk_err
read_input(struct buf *b, struct fail *f)
{
	char piece[65536];
	ssize_t n;

	while ((n = read(STDIN_FILENO, piece, sizeof(piece))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_set(f, SOUK_E_STORAGE, "stdin", "the report cannot be read");
		/* Read to the end: who writes into the pipe must not meet a closed one. */
		if (b->n <= MAIL_REPORT_MAX)
			buf_add(b, piece, (size_t)n);
	}
	return buf_ok(b) ? SOUK_OK : SOUK_E_NOMEM;
}

struct bouncing {
	const struct vault *vault;
	struct mail_report report;
	struct mail_bounced done;
};

static enum souk_err
bounce(struct db_tx *tx, void *arg)
{
	struct bouncing *b = arg;
	struct tenant_scope scope = tenant_for_cli("mail-bounce");
	char resource[8 + GUID_TEXT_LEN] = "mail/";
	enum souk_err r = mail_bounce(tx, &b->report, &b->done);

	if (r != SOUK_OK || b->done.what < MAIL_BOUNCE_DELAYED)
		return r;
	guid_format(&b->done.id, resource + 5);
	return audit_append(tx, b->vault,
	    &(struct audit_entry){ .account_id = STR(""),
		.actor = tenant_actor(&scope),
		.action = "delivery:ReportMail",
		.resource = str_c(resource),
		.seller_id = str_c(b->done.seller_id),
		.purpose = STR("delivery-report"),
		.count = 1,
		.request_id = STR("") });
}

static void
say(const struct bouncing *b, bool json)
{
	char id[GUID_TEXT_LEN + 1];

	guid_format(&b->done.id, id);
	if (json && b->done.what >= MAIL_BOUNCE_KNOWN)
		(void)printf(
		    "{\"result\":\"%s\",\"mailId\":\"%s\"}\n", mail_bounce_word(b->done.what), id);
	else if (json)
		(void)printf("{\"result\":\"%s\"}\n", mail_bounce_word(b->done.what));
	else if (b->done.what >= MAIL_BOUNCE_KNOWN)
		(void)printf("%s: mail %s\n", mail_bounce_word(b->done.what), id);
	else
		(void)printf("%s\n", mail_bounce_word(b->done.what));
}

int
cmd_mail_bounce(int argc, char **argv)
{
	static const struct argp_option options[] = { CLI_COMMON_OPTIONS, { 0 } };
	static const struct argp argp = { options, cli_only_common, NULL,
		"Reads a mail that came back, as a mail server pipes it, and records what it says: "
		"a "
		"mail of souk that could not be delivered is bounced then. What is no delivery "
		"report, "
		"or about another mail, is ignored. Exits 75 when it should be tried again.\v"
		"Example, in the aliases of a mail server: bounces: \"|souk mail bounce --data "
		"/var/lib/souk\"",
		NULL, NULL, NULL };
	struct cli_common o = { 0 };
	struct installation in;
	struct bouncing b = { .vault = NULL };
	struct fail f = { .err = SOUK_OK };
	struct buf text = { 0 };
	int code = CLI_DONE;
	enum souk_err r;

	cli_parse(&argp, argc, argv, &o, &o);
	r = read_input(&text, &f);
	if (r == SOUK_OK)
		r = mail_report_read(buf_str(&text), &b.report, &f);
	buf_done(&text);
	if (r != SOUK_OK)
		return r == SOUK_E_INVALID ? cli_fail(&f, r) : (cli_fail(&f, r), EXIT_LATER);
	if (!cli_open(&o, false, &in, &code))
		return EXIT_LATER;
	b.vault = in.vault;
	r = db_write(in.db, bounce, &b);
	installation_close(&in);
	if (r != SOUK_OK)
		return cli_fail_plain(r, "the report"), EXIT_LATER;
	say(&b, o.json);
	return CLI_DONE;
}

static enum souk_err
count(struct db_tx *tx, void *arg)
{
	return mail_count(tx, arg);
}

int
cmd_mail_status(int argc, char **argv)
{
	static const struct argp_option options[] = { CLI_COMMON_OPTIONS, { 0 } };
	static const struct argp argp = { options, cli_only_common, NULL,
		"Says how many mails wait, have bounced or failed, and whether there is a server "
		"to "
		"send them through. Exits 1 when mails wait and there is none.\v"
		"Example: souk mail status --data ./data",
		NULL, NULL, NULL };
	struct cli_common o = { 0 };
	struct installation in;
	struct mail_counts n = { 0 };
	int code = CLI_DONE;
	bool server;
	enum souk_err r;

	cli_parse(&argp, argc, argv, &o, &o);
	if (!cli_open(&o, false, &in, &code))
		return code;
	server = config_text(in.config, SET_MAIL_SERVER)[0] != '\0';
	r = db_read(in.db, count, &n);
	installation_close(&in);
	if (r != SOUK_OK)
		return cli_fail_plain(r, "the mails");
	if (o.json)
		(void)printf(
		    "{\"server\":%s,\"waiting\":%lld,\"waitForServer\":%lld,\"bounced\":%lld,"
		    "\"failed\":%lld}\n",
		    server ? "true" : "false", (long long)n.waiting, (long long)n.parked,
		    (long long)n.bounced, (long long)n.failed);
	else
		(void)printf(
		    "server      %s\nwaiting     %lld\nbounced     %lld\nfailed      %lld\n",
		    server ? "configured" : "none: set mail.server in souk.ini",
		    (long long)n.waiting, (long long)n.bounced, (long long)n.failed);
	return n.waiting > 0 && !server ? CLI_REFUSED : CLI_DONE;
}
