/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clock of a fulfilment (specs/proserv.md 4, PS-USE-01 to 03): when first contact is due, whether it came in
 * time, whether delays were told and accesses confirmed.
 *
 * Pure: the rules of a review and the server's fulfilments both go by it, so that a seller's own
 * check of a document and the marketplace's clock cannot disagree.
 */
#ifndef SOUK_PROSERV_FIRST_CONTACT_H
#define SOUK_PROSERV_FIRST_CONTACT_H

#include "proserv/listing.h"

#define FIRST_CONTACT_DAYS 2 /* business days */

/*
 * The close of business day 2. SOUK_E_INVALID names the members of the calendar that cannot be used; with none
 * named, the calendar has no two business days within CALENDAR_SEARCH_DAYS.
 */
SOUK_MUST enum souk_err first_contact_deadline(
    const struct fulfilment_calendar *c, instant_t accepted, instant_t *ret, struct fail *f);

enum first_contact {
	FIRST_CONTACT_UNKNOWN, /* none yet, and no time to hold it against */
	FIRST_CONTACT_OPEN,    /* none yet, and it is not due */
	FIRST_CONTACT_MET,     /* the earliest contact or access came at the deadline or before */
	FIRST_CONTACT_MISSED   /* it came later, or the deadline has passed without any */
};
enum delay_notice {
	DELAY_NOTICE_NOT_DUE,
	DELAY_NOTICE_SENT,     /* with a promised date, at the deadline or before */
	DELAY_NOTICE_UNUSABLE, /* there are some, all without a date or late */
	DELAY_NOTICE_MISSING
};

struct fulfilment_verdict {
	enum first_contact contact;
	instant_t contact_at; /* when it came; 0: it has not */
	int64_t late_ms;      /* of FIRST_CONTACT_MISSED: up to the contact, or so far */
	enum delay_notice notice;
};

/* `as_of` is used as now; NULL: not known. */
struct fulfilment_verdict fulfilment_judge(
    const struct listing_fulfilment *f, instant_t deadline, const instant_t *as_of);
/* Event k is an access. From it on, are there as many confirmations as accesses? */
bool fulfilment_confirmed(const struct listing_fulfilment *f, size_t k);

#endif
