/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `souk review` prints: for people, for scripts, for code scanning, for test reports.
 *
 * A document is a head, then one piece a file in their order, then a tail. Pieces are written by any thread.
 */
#ifndef SOUK_CLI_REVIEW_OUT_H
#define SOUK_CLI_REVIEW_OUT_H

#include "proserv/review.h"
#include "proserv/waiver.h"

enum review_format { REVIEW_TEXT, REVIEW_JSON, REVIEW_SARIF, REVIEW_JUNIT };

/* One file, reviewed or not. */
struct review_piece {
	struct str file;    /* as it is shown: valid UTF-8 */
	struct str listing; /* its id */
	enum edition edition;
	const struct findings *findings; /* NULL: it could not be read */
	const struct fail *why;          /* then this is why */
};

struct review_counts {
	size_t files, unreadable, errors, warnings, notes, waived;
};

void review_count(struct review_counts *n, const struct review_piece *p);

void review_out_head(enum review_format format, struct buf *out);
/* Of JSON and SARIF each finding begins with ",\n": whoever joins the pieces leaves the first one's comma out. */
void review_out_piece(enum review_format format, const struct review_piece *p, struct buf *out);
void review_out_tail(enum review_format format, const struct review_counts *n, struct buf *out);

/*
 * What `p_new` (of a newer edition) found that `p_old` did not, and the other way round, as lines or, with `json`,
 * as objects, each beginning with ",\n". Returns whether the new one has an error that blocks and the old one has not.
 */
bool review_out_diff(
    const struct review_piece *p_old, const struct review_piece *p_new, bool json, struct buf *out);

/* A row of the table, for people or as an object. */
void review_out_rule(const struct rule *r, bool json, struct buf *out);

/* Text that a terminal cannot be fooled by: control characters and marks of direction are spelled out. */
void add_visible(struct buf *out, struct str s);

#endif
