/* SPDX-License-Identifier: Apache-2.0 */
/* The checks of the table in rules.c, by file. What each asks for is the table's text. */
#ifndef SOUK_PROSERV_RULES_INT_H
#define SOUK_PROSERV_RULES_INT_H

#include "base/utf8.h"
#include "proserv/review_int.h"

/* rules_setup.c: PS-SETUP, PS-CUST */
rule_check check_paid_seller;
rule_check check_service_category;
rule_check check_known_categories;
rule_check check_data_use_terms;

/* rules_use.c: PS-USE */
rule_check check_first_contact;
rule_check check_delay_notice;
rule_check check_access_confirmation;
rule_check check_landing_page;
rule_check check_value_proposition;
rule_check check_documentation_link;
rule_check check_service_terms;

/* rules_arch.c: PS-ARCH */
rule_check check_related_products;
rule_check check_secure_access;
rule_check check_resource_docs;
rule_check check_agent_docs;

/* rules_details.c: PS-DET */
rule_check check_title;
rule_check check_title_unique;
rule_check check_sku_hidden;
rule_check check_short_description;
rule_check check_logo_url;
rule_check check_highlights;
rule_check check_categories;
rule_check check_keywords;
rule_check check_associated;
rule_check check_resources;
rule_check check_support;
rule_check check_dimension_list;
rule_check check_no_list_price;

/* rules_logo.c: PS-DET-08 to 11, PS-SETUP-06, 07 */
rule_check check_logo_format;
rule_check find_logo_ground;
rule_check check_logo_bytes;
rule_check check_logo_size;
rule_check find_aws_mark;
rule_check find_foreign_logo;

/* rules_offer.c, rules_offer_price.c: PS-OFF */
rule_check check_private_only;
rule_check check_buyers;
rule_check check_agreement_end;
rule_check check_lump_sum;
rule_check check_schedule;
rule_check check_invoice_terms;
rule_check check_zero_price;
rule_check check_agreement_documents;
rule_check check_expiry;
rule_check check_large_total;
rule_check check_not_edited;
rule_check check_product_available;
rule_check check_private_marketplace;
rule_check check_refund_policy;
rule_check check_one_price;

#endif
