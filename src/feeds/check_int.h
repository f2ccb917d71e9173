/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of check share: the rows they remember, and where findings go. */
#ifndef SOUK_FEEDS_CHECK_INT_H
#define SOUK_FEEDS_CHECK_INT_H

#include "feeds/check.h"
#include "feeds/read.h"

enum check_flag {
	ROW_DELETED = 1 << 0,
	ROW_DOUBLE = 1 << 1, /* another row has its key, valid_from and update_date */
	ROW_ALIVE = 1 << 2,  /* neither superseded nor taken back */
	ROW_IMPACTING = 1 << 3,
	ROW_EUROPE = 1 << 4, /* its broker has other rules for parents */
	ROW_TAX_DUE = 1 << 5 /* invoiced when tax items were complete already */
};

/* A row as the rules need it. Ids are hashes, 0 for an empty one. */
struct check_row {
	uint64_t key;
	int64_t valid_from, update; /* instant_t */
	uint64_t link[2]; /* billing event: parent, disbursement; others: see the table of links */
	uint64_t tax;     /* (invoice, product); of a DISBURSEMENT its number */
	uint64_t amount[2]; /* money_t, low half first */
	uint32_t line, file;
	currency_t currency;
	uint8_t action, type; /* enum event_action, enum event_type */
	uint8_t flags;
	uint8_t
	    broken; /* billing event: 1 << column of accounts, product, address that are unknown */
};
_Static_assert(sizeof(struct check_row) == 80, "check.h tells what a row costs");

static inline money_t
row_amount(const struct check_row *r)
{
	return (money_t)((unsigned __int128)r->amount[1] << 64 | r->amount[0]);
}

#define CHECK_NONE UINT32_MAX

/* Rows in the order of files and lines; once settled, found by key. */
struct check_table {
	struct check_row *row;
	size_t n, cap;
	uint32_t *order;  /* the latest living row of each key, by key */
	uint32_t *bucket; /* where those with the same first bits of their key begin */
	unsigned shift;
	bool present; /* the feed has files */
};

SOUK_MUST bool check_table_add(struct check_table *t, const struct check_row *r);
/* Sorts, marks doubles and the living. With `latest` a key has one living row at most. */
SOUK_MUST bool check_table_settle(struct check_table *t, bool latest);
/* A living row of the key, the latest; CHECK_NONE. */
uint32_t check_table_find(const struct check_table *t, uint64_t key);
void check_table_done(struct check_table *t);

struct check_month {
	int64_t from, until; /* update_date of a file's rows; both 0: any */
};

struct check {
	const struct check_options *o;
	struct check_result *result;
	struct fail *fail;
	struct feed_source *source;
	struct check_table table[FEED__COUNT];
	struct check_table numbers;   /* by aws_account_id, of accounts */
	struct check_table addresses; /* by address_id alone, which is what others name */
	struct check_month month;     /* of the file being read */
	uint64_t *contents;           /* by file: of its rows together */
	uint64_t kept[CHECK__COUNT];
	size_t cap;
	bool no_memory;
};

/* `what` and `fix` are copied and may be cut. */
void check_found(struct check *c, enum check_rule rule, const char *file, uint64_t line,
    const char *column, const char *what, const char *fix);
/* The same for a remembered row. */
void check_found_row(struct check *c, enum check_rule rule, const struct check_row *r,
    const char *column, const char *what, const char *fix);

/* Hash of one or more ids; 0 when the first is empty. */
uint64_t check_key(const struct str *part, size_t n);

/* What stands in a row, beyond what the reader checks; and the row as the table has it. */
void check_values(struct check *c, const struct feed_row *row);
void check_remember(struct check *c, const struct feed_row *row, struct check_row *ret);

/* What a file shows before its rows: encoding, header (of the feed's first file in *first), line ends. */
SOUK_MUST enum souk_err check_file(struct check *c, size_t file, struct buf *first);
/* Each file of `before` must be the beginning of its successor. */
SOUK_MUST enum souk_err check_before(struct check *c, struct feed_source *before);

void check_links(struct check *c);  /* links of all feeds, cycles, doubles */
void check_events(struct check *c); /* DF-1 to DF-5 */
void check_taxes(struct check *c);  /* DF-6 */

#endif
