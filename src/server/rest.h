/* SPDX-License-Identifier: Apache-2.0 */
/* The REST API's tables, one per noun family, and what their handlers share. Inside server/ only. */
#ifndef SOUK_SERVER_REST_H
#define SOUK_SERVER_REST_H

#include "server/dispatch.h"

#define REST_BODY ((size_t)65536) /* more than any document of this API needs */

struct rest_table {
	const struct op *ops;
	size_t n;
};
/* In the order in which routes are looked for. */
#define REST_TABLES 13
extern const struct rest_table rest_access;   /* accounts' users, keys, tokens; whoami; audit */
extern const struct rest_table rest_market;   /* accounts, products, offers, subscriptions */
extern const struct rest_table rest_charges;  /* rates, fees, registration tokens */
extern const struct rest_table rest_review;   /* tasks of reviews, standing of listings */
extern const struct rest_table rest_psc;      /* contacts, opt-outs, searches, enrolments */
extern const struct rest_table rest_edsp;     /* requirements of enhanced data sharing */
extern const struct rest_table rest_listings; /* professional services: listings, change requests */
extern const struct rest_table rest_commissions;   /* plans, runs, statements, grants */
extern const struct rest_table rest_delivery;      /* roles, buckets, deliveries */
extern const struct rest_table rest_fulfilment;    /* business calendars, fulfilments */
extern const struct rest_table rest_mail;          /* mails and delivery reports */
extern const struct rest_table rest_mail_template; /* templates, addresses for notices */
extern const struct rest_table rest_topic;         /* topics and their endpoints */
extern const struct rest_table *const rest_tables[REST_TABLES];

/* {"items":[ ... ],"next":CURSOR}; `next` only when there is a next page. */
void rest_list_open(struct call *c, struct jw *w);
void rest_list_close(struct jw *w, struct str next);
/* 201 with Location PREFIX + ID. */
void rest_created(struct call *c, const char *prefix, struct str id);
void rest_created_guid(struct call *c, const char *prefix, const struct guid *id);
/* 201 with Location: this path and the id. */
void rest_created_here(struct call *c, struct str id);

/* A seller's account id in the path: the caller's own, or any for the operator; else SOUK_E_NOT_FOUND. */
SOUK_MUST enum souk_err rest_seller(struct call *c, unsigned i, struct str *ret);
/* A filter of twelve digits; "" when absent. */
SOUK_MUST enum souk_err rest_query_account(struct call *c, const char *name, struct str *ret);
/* The body must be there: SOUK_E_INVALID "body_missing". For `parse`. */
SOUK_MUST enum souk_err rest_need_body(struct call *c);
/* The body, if any, is an empty object. For `parse`. */
SOUK_MUST enum souk_err rest_no_members(struct call *c);
/* The body has one member, a text: c->input is its struct str. For `parse`. */
SOUK_MUST enum souk_err rest_read_text(struct call *c, const char *member);
SOUK_MUST enum souk_err rest_read_name(struct call *c); /* the member `name` */
/* Names what a change or read was about, for the audit: "account/000000000042". */
void rest_audit(struct call *c, const char *kind, struct str id, struct str seller_id);
void rest_audit_guid(struct call *c, const char *kind, const struct guid *id, struct str seller_id);
/* A policy document: SOUK_E_INVALID names the place, "policy.Statement[3].Action". "" is fine. */
SOUK_MUST enum souk_err rest_check_policy(struct call *c, struct str policy);
/* Compact text of a JSON value, in the arena. */
SOUK_MUST enum souk_err rest_text(struct call *c, const json_t *v, struct str *ret);

#endif
