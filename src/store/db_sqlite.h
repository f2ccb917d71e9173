/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the SQLite engine share. Private to db_sqlite*.c. */
#ifndef SOUK_STORE_DB_SQLITE_H
#define SOUK_STORE_DB_SQLITE_H

#include "store/engine.h"

#include <sqlite3.h>

#define SQLITE_PAGE 4096

/*
 * A page's first byte tells its kind; on overflow and free pages it is the top byte of a
 * page number instead. Below this many pages (128 GiB) the two cannot be confused.
 */
#define SQLITE_PAGES_MAX 0x01ffffff

enum stmt_state {
	STMT_IDLE,  /* ended or never handed out */
	STMT_READY, /* handed out, parameters being bound */
	STMT_ROWS   /* stands on a row; on the connection's list */
};

struct lite_stmt {
	struct db_stmt base; /* first: callers hold it */
	struct lite_conn *conn;
	sqlite3_stmt *h;   /* NULL when it could not be prepared */
	enum souk_err err; /* why not, or what went wrong while binding */
	enum stmt_state state;
	struct lite_stmt *next, **back; /* list of statements on a row */
};

enum conn_text {
	TEXT_BEGIN,
	TEXT_BEGIN_WRITE,
	TEXT_COMMIT,
	TEXT_ROLLBACK,
	TEXT_PART_BEGIN,
	TEXT_PART_KEEP,
	TEXT_PART_UNDO,
	TEXT__COUNT
};

struct lite_conn {
	struct conn base; /* first: callers hold it */
	sqlite3 *h;
	sqlite3_stmt *text[TEXT__COUNT];
	struct stmt_table {
		unsigned n;
		struct lite_stmt *stmt; /* n of them */
	} table[DB_SLOTS_MAX];
	struct lite_stmt *open; /* statements on a row */
	_Atomic int *log_frames;
	char message[256];
};

/* Keeps the engine's words and says what a result code means to us. */
enum souk_err lite_fail(struct lite_conn *c, int rc);
/* Ends a statement and lets go of what was bound to it. */
void stmt_end(struct lite_stmt *st);
/* Of the connection's table (db_sqlite_stmt.c). */
struct db_stmt *lite_stmt_of(
    struct conn *base, unsigned slot, const struct db_texts *t, unsigned q, bool scan);
void lite_reset_open(struct conn *base);

static inline struct lite_conn *
lite(struct conn *c)
{
	return (struct lite_conn *)c;
}

/* The name of the file layer that leaves no erased bytes in the unused part of a page. */
const char *sqlite_clean_vfs(void);
/* Zeroes the unused middle of a b-tree page. False when nothing had to be done. For tests too. */
bool sqlite_page_clean(unsigned char *page, size_t n, bool first);

#endif
