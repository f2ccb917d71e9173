/* SPDX-License-Identifier: Apache-2.0 */
/* What the operations of the Catalog API share. For api_catalog.c and json_catalog*.c only. */
#ifndef SOUK_SERVER_CATALOG_INT_H
#define SOUK_SERVER_CATALOG_INT_H

#include "server/dispatch.h"

#include "proserv/entity.h"

#define CATALOG_ACTION "aws-marketplace:"
#define CATALOG_BODY ((size_t)1 << 20)
#define CATALOG_PAGE 20 /* of change sets at most, and when nothing is said */

struct catalog_table {
	const struct op *ops;
	size_t n;
};
extern const struct catalog_table catalog_assessments, catalog_changes, catalog_entities,
    catalog_policies, catalog_tagging;

/* "2026-01-31T12:00:00Z", without fractions. */
void catalog_time(struct jw *w, const char *key, instant_t t);
/* The text of one; false when it is none. */
SOUK_MUST bool catalog_time_parse(struct str s, instant_t *ret);
/* A member that must be AWSMarketplace. */
SOUK_MUST enum souk_err catalog_check(struct call *c, struct str catalog);
/* The query's catalog and id (changeSetId, entityId). For `parse`: c->input is its struct str. */
SOUK_MUST enum souk_err catalog_query_id(struct call *c, const char *name);

/* ---- what ARNs name ---- */

#define CATALOG_ARN_MAX 255

struct catalog_arn {
	struct str arn;
	struct str account, type, id;
	struct str resource; /* "AWSMarketplace/TYPE/ID" */
};
/* "arn:aws:aws-marketplace:REGION:ACCOUNT:AWSMarketplace/TYPE/ID"; SOUK_E_INVALID names ResourceArn. */
SOUK_MUST enum souk_err catalog_arn_take(struct call *c, struct str arn, struct catalog_arn *ret);
/*
 * Whose it is: the ARN says so, and it must be there and the scope's. What is only shared with the
 * scope is not found.
 */
SOUK_MUST enum souk_err catalog_arn_owner(struct call *c, struct db_tx *tx,
    const struct catalog_arn *a, char ret[static ACCOUNT_ID_LEN + 1]);

/* ---- lists ---- */

/* An asked-for condition: one of the values, or a time between. */
struct catalog_filter {
	struct str name;
	const json_t *values;    /* array of texts; NULL: none */
	struct str wild;         /* part of a text; "" none */
	instant_t after, before; /* 0: none; both exclusive */
};
#define CATALOG_FILTERS 16
struct catalog_list {
	struct catalog_filter filters[CATALOG_FILTERS];
	size_t n_filters;
	struct str sort_by; /* "" none */
	bool ascending;
	size_t limit, offset;
	enum entity_kind kind; /* of entities */
	bool shared;           /* what others share with the caller */
};
/* FilterList, a list of {Name, ValueList}, whose names are among `names` (NULL-terminated). */
SOUK_MUST enum souk_err catalog_filters(
    struct call *c, const json_t *list, const char *const *names, struct catalog_list *io);
/* Sort; NULL when absent. */
SOUK_MUST enum souk_err catalog_sort(
    struct call *c, const json_t *sort, const char *const *names, struct catalog_list *io);
/* MaxResults (1..most), NextToken; NULL each when absent. io->limit is what holds when nothing is said. */
SOUK_MUST enum souk_err catalog_page(struct call *c, const json_t *max_results,
    const json_t *next_token, int64_t most, struct catalog_list *io);
/* Is the value one of the filter's? */
SOUK_MUST bool catalog_matches(const struct catalog_filter *f, struct str value);
SOUK_MUST bool catalog_in_time(const struct catalog_filter *f, instant_t t);
void catalog_next(struct jw *w, const struct catalog_list *l, size_t n_all);

#endif
