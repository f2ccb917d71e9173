/* SPDX-License-Identifier: Apache-2.0 */
/* Statements on evidence (enrol_store.c); no scope is applied. */
#ifndef SOUK_EDSP_ENROL_STORE_H
#define SOUK_EDSP_ENROL_STORE_H

#include "edsp/enrol.h"

extern struct db_texts edsp_enrol_texts;

enum evidence_decision { EVIDENCE_OPEN, EVIDENCE_ACCEPTED, EVIDENCE_REFUSED };

struct evidence_row {
	enum edsp_requirement requirement;
	struct edsp_evidence e;
	struct str given_by, note, decided_by;
	instant_t given_at, decided_at; /* 0: not */
	enum evidence_decision decision;
};
/* Puts or replaces what was given; the decision is open again. */
SOUK_MUST enum souk_err evidence_put(
    struct db_tx *tx, struct str seller_id, const struct evidence_row *row);
/* *ret_found false: nothing was given. */
SOUK_MUST enum souk_err evidence_decide(
    struct db_tx *tx, struct str seller_id, const struct evidence_row *row, bool *ret_found);
/* All of a seller's, in any order. Slices of a row live until the next step. */
struct db_stmt *evidence_rows(struct db_tx *tx, struct str seller_id);
/* False: of a requirement that this program does not know. */
SOUK_MUST bool evidence_row(struct db_stmt *st, struct evidence_row *ret);

/* The seller's public products in the order of their ids, as a scan. */
struct db_stmt *enrol_products(struct db_tx *tx, struct str seller_id);
struct enrol_product {
	struct guid id;
	struct str type, pricing;
};
void enrol_product_row(struct db_stmt *st, struct enrol_product *ret);

SOUK_MUST enum souk_err enrol_store_participates(struct db_tx *tx, struct str seller_id, bool *ret);

#endif
