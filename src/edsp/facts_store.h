/* SPDX-License-Identifier: Apache-2.0 */
/* Statements behind data sets from facts (facts_store.c): a seller's rows, in the order of the file. */
#ifndef SOUK_EDSP_FACTS_STORE_H
#define SOUK_EDSP_FACTS_STORE_H

#include "edsp/facts.h"

extern struct db_texts edsp_facts_texts;

/* NULL: of this set there are no facts. */
struct db_stmt *facts_scan(struct db_tx *tx, const struct facts_request *q);

/* A row; slices live until the next step. What a set has not is empty or zero. */
struct fact_row {
	struct str buyer_id, country, region, city, postal_code, email_domain;
	struct guid product_id, offer_id, subscription_id, previous_offer_id;
	bool is_renewal;
	struct str product_code, product_title, visibility, kind, dimension;
	int64_t quantity; /* of the subscription, or units of usage */
	instant_t starts_at;
};
void facts_read(struct db_stmt *st, struct fact_row *ret);

#endif
