/* SPDX-License-Identifier: Apache-2.0 */
/* The heuristic checks on words of the table in rules.c. Each needs review.text and is silent without it. */
#ifndef SOUK_PROSERV_RULES_TEXT_H
#define SOUK_PROSERV_RULES_TEXT_H

#include "proserv/review_int.h"
#include "proserv/text.h"

/* rules_text_conduct.c: what must not be there */
rule_check find_dimension_billing; /* PS-SETUP-03 */
rule_check find_offence;           /* PS-SETUP-08 */
rule_check find_abuse;             /* PS-SETUP-09 */
rule_check find_outside_billing;   /* PS-CUST-01 */
rule_check find_payment_data;      /* PS-CUST-02 */
rule_check find_credentials;       /* PS-ARCH-03 */
rule_check find_personal_data;     /* PS-OFF-03 */

/* rules_text_overview.c: what must be there */
rule_check find_unexplained_dimension; /* PS-SETUP-02 */
rule_check find_unrelated_category;    /* PS-SETUP-05 */
rule_check find_scope;                 /* PS-SETUP-10 */
rule_check find_next_steps;            /* PS-USE-03 */
rule_check find_help_topics;           /* PS-USE-04 */
rule_check find_support_level;         /* PS-USE-06 */
rule_check find_feature_list;          /* PS-USE-08 */
rule_check find_support_phases;        /* PS-USE-10 */
rule_check find_product_relation;      /* PS-ARCH-02 */
rule_check find_cost_notice;           /* PS-ARCH-05 */
rule_check find_placeholder_title;     /* PS-DET-01 */
rule_check find_missing_notions;       /* PS-DET-05 */
rule_check find_formatting;            /* PS-DET-06 */

/* The JSON pointer of a field. */
const char *text_pointer(struct review *r, const struct text_field *f);
/* The listing's field, NULL when it has none or it is empty. */
const struct text_field *text_field_of(const struct review *r, enum text_member member);

#endif
