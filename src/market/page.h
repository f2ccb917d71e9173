/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One page of a list. Lists go by key, not by position: what is added or removed meanwhile
 * makes no other entry appear twice or go missing.
 */
#ifndef SOUK_MARKET_PAGE_H
#define SOUK_MARKET_PAGE_H

#include "base/arena.h"
#include "base/json.h"
#include "store/db.h"

#define PAGE_LIMIT_MAX 200

/*
 * What was asked for, and where the next page begins. A _list function writes its entries
 * as elements of the array that the caller has opened in `out`. A limit outside 1..200 or
 * a cursor that no page gave is SOUK_E_INVALID, field "limit" or "cursor".
 */
struct page {
	size_t limit;
	const char *list;  /* as its route has it: cursors of others are refused; NULL: any */
	struct str cursor; /* as given by an earlier page, "" for the first; opaque */
	struct str next;   /* out: cursor of the next page, "" at the end; in the arena */
};

/* ---- for the lists of this layer ---- */

/* Decodes the cursor into at most `size` bytes; *ret_n 0 for the first page. */
SOUK_MUST enum souk_err page_begin(
    const struct page *p, void *key, size_t size, size_t *ret_n, struct fail *f);
/* A cursor that decodes, but to no key of the list. */
enum souk_err page_bad_cursor(struct fail *f);
/* The same for lists ordered by a GUID: the zero one for the first page. */
SOUK_MUST enum souk_err page_begin_guid(const struct page *p, struct guid *ret, struct fail *f);
/*
 * Steps `st`, whose LIMIT is p->limit + 1: calls `emit` for each row of the page, which
 * writes it and gives the row's key; sets p->next when there is a row more. PAGE_KEY_MAX is
 * the most `emit` may write to `key`.
 */
typedef size_t page_emit(struct db_stmt *st, struct jw *out, void *key);
#define PAGE_KEY_MAX 64
SOUK_MUST enum souk_err page_rows(
    struct page *p, struct db_stmt *st, page_emit *emit, struct arena *mem, struct jw *out);

#endif
