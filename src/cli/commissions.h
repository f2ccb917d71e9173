/* SPDX-License-Identifier: Apache-2.0 */
/* souk commissions: what its parts share (cmd_commissions.c runs, commissions_out.c prints). */
#ifndef SOUK_CLI_COMMISSIONS_H
#define SOUK_CLI_COMMISSIONS_H

#include "cli/cli.h"
#include "edsp/line_feeds.h"
#include "edsp/locked.h"

#define LOCKED_MAX 240 /* files of --locked: twenty years of months */

enum statement_format { FORMAT_CSV, FORMAT_XLSX, FORMAT_HTML, FORMAT_JSON };

struct commissions {
	struct cli_common common;
	/* what was asked for */
	const char *feeds, *plan, *other_plan, *representative, *output, *lock, *approve,
	    *approved_by, *rejects;
	char *endpoint; /* of an s3:// bucket, NULL */
	const char *known_at_text, *seller, *team;
	const char *locked_paths[LOCKED_MAX];
	size_t n_locked;
	bool all_months, has_month, simulate, lenient;
	struct fault_sink counter; /* lenient without a reject file */
	int32_t month;
	instant_t known_at;
	enum sales_variant variant;
	enum statement_format format;
	unsigned threads;
	/* what it came to */
	struct arena *arena;
	struct plan p;
	uint32_t manager; /* of the team asked for; NO_INDEX: everybody */
	struct buf plan_bytes;
	struct territory_index *index;
	struct line_set set;
	struct commission_run run;
	struct month_range months;
	struct locked_run *locked;
	struct settlement settlement;
	char plan_digest[DIGEST_TEXT_SIZE], lines_digest[DIGEST_TEXT_SIZE],
	    digest[DIGEST_TEXT_SIZE];
	bool is_locked;
};

/* "2026-01", or "2025-03_2026-01": part of the files' names. */
void commissions_period(const struct commissions *c, char out[2 * MONTH_TEXT_SIZE + 2]);
/* The statements, the summary and the queue; or the one statement asked for. Prints what is wrong itself. */
int commissions_print(struct commissions *c);

#endif
