/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Enrolment in enhanced data sharing: its requirements, what a seller brought forward for
 * each, and the operator's decision (specs/edsp.md 1.1).
 *
 * R1 is looked up among the seller's public products. The others are a document, a date, terms or
 * attestations that the seller gives and the operator accepts or refuses. Who changes what was accepted
 * has it decided anew. Nobody is enrolled before all are met.
 */
#ifndef SOUK_EDSP_ENROL_H
#define SOUK_EDSP_ENROL_H

#include "base/arena.h"
#include "market/enrolment.h"

#define EDSP_PROGRAM "edsp"

enum edsp_requirement { EDSP_R1, EDSP_R2, EDSP_R3, EDSP_R4, EDSP_R5, EDSP_REQUIREMENTS };

/* "EDSP-R1" ... ; false: none. */
SOUK_MUST bool edsp_requirement_find(struct str name, enum edsp_requirement *ret);

/* What a seller gives; slices are borrowed. */
struct edsp_evidence {
	struct str document;      /* a link or a name, up to 1024 */
	struct str effective_on;  /* YYYY-MM-DD */
	struct str terms_version; /* up to 64 */
	struct str attests;       /* JSON array of words, as the requirement lists them */
};
/* From a JSON object; every offending member is named. R1 takes none: SOUK_E_CONFLICT "computed". */
SOUK_MUST enum souk_err edsp_evidence_parse(const json_t *o, enum edsp_requirement q,
    struct arena *mem, struct edsp_evidence *ret, struct fail *f);
/* The seller's own, or the operator's for it. Opens the decision again. */
SOUK_MUST enum souk_err edsp_evidence_give(struct db_tx *tx, const struct tenant_scope *s,
    struct str seller_id, enum edsp_requirement q, const struct edsp_evidence *e, struct fail *f);
/*
 * The operator's. SOUK_E_CONFLICT "nothing_given": nothing was brought forward. For R1 it decides
 * about the products that cannot carry an annual price; it cannot excuse those that could.
 */
SOUK_MUST enum souk_err edsp_evidence_decide(struct db_tx *tx, const struct tenant_scope *s,
    struct str seller_id, enum edsp_requirement q, bool accepted, struct str note, struct fail *f);
/* An array of all requirements with their states, into *out. SOUK_E_NOT_FOUND: not the scope's to see. */
SOUK_MUST enum souk_err edsp_requirements_json(
    struct db_tx *tx, const struct tenant_scope *s, struct str seller_id, struct jw *out);

/*
 * enrolment_set for this program. SOUK_E_CONFLICT "requirements_unmet" names each that is not met.
 * Withdrawing asks for nothing, and ends deliveries: they look (edsp_participates) before each file is shown.
 */
SOUK_MUST enum souk_err edsp_enrolment_set(struct db_tx *tx, const struct tenant_scope *s,
    struct str seller_id, bool enrolled, struct enrolment *ret, struct fail *f);
/* Is the seller enrolled now? For deliveries. */
SOUK_MUST enum souk_err edsp_participates(struct db_tx *tx, struct str seller_id, bool *ret);

#endif
