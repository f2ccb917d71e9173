/* SPDX-License-Identifier: Apache-2.0 */
/* Statements behind data sets from facts (facts_store.c): a seller's rows, in the order of the file. */
#ifndef SOUK_EDSP_FACTS_STORE_H
#define SOUK_EDSP_FACTS_STORE_H

#include "edsp/facts.h"

extern struct db_texts edsp_facts_texts;

/* NULL: the set is not made from facts. */
struct db_stmt *facts_scan(struct db_tx *tx, const struct facts_request *q);

/* A row; slices live until the next step. What a set has not is empty or zero. */
struct fact_trials {
	int64_t fresh, present, converted, lapsed;
};
struct fact_row {
	struct str buyer_id, country, region, city, postal_code, email_domain;
	struct guid product_id, offer_id, subscription_id, previous_offer_id;
	bool is_renewal;
	struct str product_code, product_title, dimensions, solution_id, solution_title;
	struct str visibility, program, reseller_id, reseller_name, kind, dimension;
	int64_t quantity; /* of the subscription or the fee, or units of usage */
	instant_t starts_at;
	/* Of a fee its amount; of usage the price of a unit, and how many are billed. "" and 0: none is known. */
	struct str amount, currency;
	int64_t billed;
	struct str description;             /* of a fee */
	instant_t period_start, period_end; /* of a fee; 0: none */
	struct fact_trials trials;
};
void facts_read(struct db_stmt *st, const struct facts_request *q, struct fact_row *ret);

#endif
