/* SPDX-License-Identifier: Apache-2.0 */
/* What `souk report` and its second words share: options, opening feeds, what to do with bad rows. */
#ifndef SOUK_CLI_REPORT_ARGS_H
#define SOUK_CLI_REPORT_ARGS_H

#include "cli/cli.h"
#include "feeds/fault.h"
#include "feeds/report_out.h"

struct report_args {
	struct cli_common common;
	const char *data_set, *feeds, *output, *rejects;
	char *endpoint; /* of an s3:// bucket, NULL */
	enum report_format format;
	struct report_request request; /* its source and faults are set by report_args_open */
	bool has_month, lenient;
	const char **lines; /* --line of explain */
	size_t n_lines;
	instant_t from_known_at, to_known_at; /* of diff */
	bool takes_lines, takes_output, takes_known_at, takes_diff;
	struct reject_file reject_file;
	struct fault_sink counter; /* lenient without a reject file */
	struct feed_source *source;
};

/* Options and DATASET; usage mistakes end the program. The takes_... say which command it is. */
void report_args_parse(struct report_args *a, const char *doc, int argc, char **argv);
/* Opens the feeds; the exit code when that fails, else CLI_DONE. */
SOUK_MUST enum souk_err report_args_open(struct report_args *a, struct fail *f);
/* Closes; `keep`: the reject file stays. */
SOUK_MUST enum souk_err report_args_close(struct report_args *a, bool keep, struct fail *f);

#endif
