/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A professional services listing, as its document says it (docs/proserv.md, "The listing document").
 *
 * Reading is strict about form: an unknown member, a wrong type, a word that is none of those
 * that can stand there, a date that is none are errors, all of them told at once, each with the
 * JSON pointer of its place and a fix. What the parts mean is the rules' business. A member that
 * is absent, null or empty leaves its field zero: an empty text, no elements, false.
 */
#ifndef SOUK_PROSERV_LISTING_H
#define SOUK_PROSERV_LISTING_H

#include "base/arena.h"
#include "base/calendar.h"
#include "base/money.h"
#include "base/str.h"

#include <stdbool.h>

#define LISTING_BYTES_MAX ((size_t)8 << 20) /* of a document; longer ones are SOUK_E_LIMIT */
#define LISTING_ITEMS_MAX 1000              /* elements of any one array; more are an error */
/* What the arena of listing_read needs to be for a document of `bytes`, at most. */
#define LISTING_ARENA(bytes) (((size_t)1 << 20) + 64 * (size_t)(bytes))

/* Rule editions, as bits. */
enum edition { EDITION_NONE = 0, EDITION_G21 = 1, EDITION_G22 = 2 };
#define EDITION_ALL (EDITION_G21 | EDITION_G22)

/* "G21" or "G22" exactly; EDITION_NONE for anything else. */
enum edition edition_of(struct str word);
const char *edition_word(enum edition e); /* "" for EDITION_NONE */

/* In each of these, 0 is: the member was absent. */
enum account_status { STATUS_UNKNOWN, STATUS_PAID, STATUS_FREE, STATUS_NONE };
enum visibility {
	VISIBILITY_UNKNOWN,
	VISIBILITY_DRAFT,
	VISIBILITY_LIMITED,
	VISIBILITY_PUBLIC,
	VISIBILITY_RESTRICTED
};
enum product_state { PRODUCT_UNKNOWN, PRODUCT_DRAFT, PRODUCT_ACTIVE };
enum doc_kind {
	DOC_UNKNOWN,
	DOC_PROVISIONED_SERVICES,
	DOC_IAM_POLICY,
	DOC_ROLE_USAGE,
	DOC_AGENT_INSTRUCTIONS
};
enum contact_kind { CONTACT_UNKNOWN, CONTACT_EMAIL, CONTACT_PHONE, CONTACT_URL };
enum terms_kind { TERMS_UNKNOWN, TERMS_URL, TERMS_DOCUMENT };
enum pricing { PRICING_UNKNOWN, PRICING_LUMP_SUM, PRICING_SCHEDULE };
enum offer_state { OFFER_UNKNOWN, OFFER_DRAFT, OFFER_RELEASED, OFFER_ACCEPTED, OFFER_EXPIRED };
enum event_kind {
	EVENT_UNKNOWN,
	EVENT_CONTACT,
	EVENT_DELAY_NOTICE,
	EVENT_ACCESS_GRANTED,
	EVENT_ACCESS_CONFIRMATION
};

/* Texts are valid UTF-8; those that are there are NUL-terminated behind their end. */
struct texts {
	const struct str *v;
	size_t n;
};

struct listing_seller {
	struct str id, name, country;
	enum account_status account_status;
	struct {
		bool accepted;
		day_t date; /* DAY_NONE: absent */
		struct str version;
	} data_use_terms;
};

struct listing_resource {
	struct str name, url;
};

struct listing_dimension {
	struct str key, name, description;
	bool has_price; /* whatever it was */
};

struct listing_doc {
	enum doc_kind kind;
	struct str text, policy;
};

struct listing_contact {
	enum contact_kind kind;
	struct str value;
};

struct listing_terms {
	enum terms_kind kind;
	struct str value;
};

struct offer_buyer {
	struct str account;
	bool invoice_terms, private_marketplace;
};

/* An amount that may be absent. */
struct offer_amount {
	bool given;
	money_t value;
};

struct offer_price {
	struct str dimension;
	struct offer_amount price;
};

struct offer_instalment {
	day_t date; /* DAY_NONE: absent */
	struct offer_amount amount;
};

struct offer_document {
	struct str name, type;
};

struct listing_offer {
	struct str id, name, currency, approval, refund_policy;
	bool is_public, zero_price_confirmed;
	enum pricing pricing;
	enum offer_state state;
	day_t agreement_end, expires; /* DAY_NONE: absent */
	struct offer_amount total;
	const struct offer_buyer *buyers;
	size_t n_buyers;
	const struct offer_price *prices;
	size_t n_prices;
	const struct offer_instalment *schedule;
	size_t n_schedule;
	const struct offer_document *documents;
	size_t n_documents;
	bool has_accepted_at, has_edited_at;
	instant_t accepted_at, edited_at;
};

struct fulfilment_event {
	enum event_kind kind;
	bool has_at, has_promised;
	instant_t at, promised; /* promised: a date alone is its midnight, UTC */
	struct str text;
};

/* As the document says it; base/calendar makes a calendar of it. */
struct fulfilment_calendar {
	bool given;
	struct str zone;
	bool has_weekend;
	uint8_t weekend; /* bit 0 is Sunday */
	const day_t *holidays;
	size_t n_holidays;
	int open, close; /* minutes of the day; -1: absent */
};

struct listing_fulfilment {
	bool has_accepted;
	instant_t accepted;
	struct fulfilment_calendar calendar;
	const struct fulfilment_event *events;
	size_t n_events;
};

struct listing {
	struct str id, language;
	enum edition edition; /* EDITION_NONE: the document does not say */
	struct listing_seller seller;
	struct str title, sku, short_description, long_description, support_description;
	struct {
		struct str url, file;
		struct str
		    digest; /* not of the document: of what was fetched, as hexadecimal; "" nothing was */
	} logo;
	struct texts highlights, categories, keywords, aws_services;
	struct texts associated_products; /* their ids */
	const struct listing_resource *resources;
	size_t n_resources;
	const struct listing_dimension *dimensions;
	size_t n_dimensions;
	enum visibility visibility;
	enum product_state product_state;
	bool needs_resources, deploys_agent;
	const struct listing_doc *docs;
	size_t n_docs;
	const struct listing_contact *contacts; /* /landing_page/contacts */
	size_t n_contacts;
	struct listing_terms terms;
	const struct listing_offer *offers;
	size_t n_offers;
	const struct listing_fulfilment *fulfilments;
	size_t n_fulfilments;
};

/*
 * Reads a document into `a`, which must outlive *ret; nothing of `text` is kept. *ret is untouched on
 * failure. SOUK_E_INVALID: `f` has one entry a fault (the first FAIL_ENTRIES_MAX; all counted), fields
 * are JSON pointers ("" is the document) and no word quotes the document; SOUK_E_LIMIT: longer than
 * LISTING_BYTES_MAX; SOUK_E_NOMEM: the arena is full.
 */
SOUK_MUST enum souk_err listing_read(
    struct str text, struct arena *a, struct listing *ret, struct fail *f);

#endif
