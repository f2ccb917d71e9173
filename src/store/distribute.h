/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The schema on a PostgreSQL with the Citus extension: where each table's rows live.
 *
 * The migrations are the source: a comment `-- distribute: KIND` stands before each
 * CREATE TABLE. docs/fleet.md tells operators what follows from it.
 */
#ifndef SOUK_STORE_DISTRIBUTE_H
#define SOUK_STORE_DISTRIBUTE_H

#include "base/error.h"
#include "base/str.h"

enum table_kind {
	TABLE_SELLER,    /* in shards by seller_id, all such tables of one seller on one node */
	TABLE_REFERENCE, /* a copy on every node */
	TABLE_LOCAL,     /* on the coordinator alone, yet part of distributed transactions */
	TABLE_KINDS
};

struct table_place {
	struct str name; /* slice of the migration's text */
	enum table_kind kind;
};

/*
 * Reads on from *io_text, a migration's text, to its next CREATE TABLE and moves *io_text
 * behind its name. SOUK_E_NOT_FOUND: there is none. SOUK_E_INTERNAL: no line before it
 * says of which kind it is, or the word is none of the kinds.
 */
SOUK_MUST enum souk_err table_place_next(const char **io_text, struct table_place *ret);

/*
 * Before tables are made that will be distributed, in the same transaction. Else those that refer to a
 * copied table become local ones by themselves, which may not refer to a distributed one; and
 * after a change of a distributed table a new one could not refer to a copied one.
 */
#define DISTRIBUTE_BEFORE                                                                          \
	"SET LOCAL citus.enable_local_reference_table_foreign_keys = off;"                         \
	" SET LOCAL citus.multi_shard_modify_mode = 'sequential'"

/* Runs one text of SQL that gives at most one row of no interest. */
typedef enum souk_err distribute_exec(void *arg, const char *sql);

/*
 * Distributes the tables that the migrations number `from` to `to` made, by
 * calling `exec` for each text in order; stops at its first failure and returns that.
 *
 * To be run on the coordinator, in the transaction that made the tables or in a later one,
 * but while they are empty: rows that are there already would stay behind, unseen, in the
 * coordinator's own copy. All in one transaction, so that a failure leaves nothing half
 * distributed. The extension must have been created, and the workers added, before; the
 * number of shards is what citus.shard_count says at the time.
 */
SOUK_MUST enum souk_err distribute_schema(int from, int to, distribute_exec *exec, void *arg);

#endif
