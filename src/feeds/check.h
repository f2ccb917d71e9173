/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Are feeds what they should be? The consistency rules of data-feeds 7 and what must hold
 * before them: files that can be read, rows of their month, ids that lead somewhere.
 *
 * Versions count as reports count them: of rows with one key and one valid_from the latest,
 * and none that was taken back (data-feeds 2). What is wrong with a row does not end the check;
 * the row is set aside, and rules that need it may then be found broken too.
 *
 * Memory: about 90 bytes for each row of the feeds, 60 more for each tax row while DF-6 is
 * checked; nothing for a finding beyond the limit. Ids are compared by a keyed hash of 64 bits:
 * with ten million of them, two different ones look alike with a chance of 3 in a million.
 */
#ifndef SOUK_FEEDS_CHECK_H
#define SOUK_FEEDS_CHECK_H

#include "feeds/source.h"

enum check_rule {
	CHECK_FILE,  /* a file as a whole: header, columns, encoding, the same rows twice */
	CHECK_ROW,   /* a row that cannot be read: CSV, number of cells, values */
	CHECK_MONTH, /* a row that was recorded in another month than its folder's */
	CHECK_VALUE, /* a value that the feeds do not know, an account number without 12 digits */
	CHECK_LINK,  /* an id that leads nowhere */
	CHECK_CYCLE, /* events that are each other's parents */
	CHECK_DF1,   /* a DISBURSED line settles an event of its type, no more than all of it */
	CHECK_DF2,   /* the lines of a disbursement make up its payout, per currency */
	CHECK_DF3,   /* FORGIVEN takes an INVOICED event back, wholly */
	CHECK_DF4,   /* DISBURSEMENT_FAILURE takes a DISBURSEMENT back, wholly */
	CHECK_DF5, /* balance_impacting is 0 for AWS_TAX_SHARE* and 1 else; payouts are not judged */
	CHECK_DF6, /* tax items make up the tax events of invoice and product, from 2021-08-05 */
	CHECK_DF7, /* (key, valid_from, update_date) is unique */
	CHECK_DF8, /* months have one header; files only grow */
	CHECK__COUNT
};

const char *check_rule_id(enum check_rule r);   /* "DF-1", "link" */
const char *check_rule_what(enum check_rule r); /* one line for people */

struct check_finding {
	enum check_rule rule;
	const char *file;         /* below the folder */
	uint64_t line;            /* 0: the file as a whole */
	const char *column;       /* "" for the row as a whole */
	char what[160], fix[160]; /* never quote the input; differences of sums are told */
};

struct check_options {
	const char *dir;
	const char *before; /* an earlier copy that `dir` may only have grown from, or NULL */
	feed_opener *open;  /* of both; NULL: they are folders */
	void *open_arg;
	uint64_t limit; /* findings kept for each rule; all are counted */
	void (*progress)(void *arg, uint64_t bytes); /* read so far; may be NULL */
	void *progress_arg;
};

struct check_result {
	struct check_finding *findings; /* by file, line, rule */
	size_t n;
	uint64_t count[CHECK__COUNT]; /* of all */
	uint64_t total;               /* their sum */
	uint64_t files, rows, bytes;
	unsigned absent; /* 1u << feed: no file of it, so links to it were not followed */
	struct feed_source *source, *before; /* own the names of files */
	char refused[80];                    /* the name of a file that kept all from being read */
};

/*
 * SOUK_OK also when there are findings. Errors: SOUK_E_INVALID when there are no feeds at all,
 * SOUK_E_STORAGE, SOUK_E_NOMEM. feeds_check_free in any case; `ret` may be anything before.
 */
SOUK_MUST enum souk_err feeds_check(
    const struct check_options *o, struct check_result *ret, struct fail *f);
void feeds_check_free(struct check_result *r);

#endif
