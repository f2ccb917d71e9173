/* SPDX-License-Identifier: Apache-2.0 */
/* The members of a listing document, and where each goes; see listing.h. */
#include "proserv/listing.h"

#include "proserv/listing_int.h"

#define NO_MARK SIZE_MAX

static const char *const edition_words[] = { "G21", "G22", NULL };
static const char *const status_words[] = { "paid", "free", "none", NULL };
static const char *const visibility_words[] = { "Draft", "Limited", "Public", "Restricted", NULL };
static const char *const product_state_words[] = { "Draft", "Active", NULL };
static const char *const doc_words[] = { "provisioned_services", "iam_policy", "role_usage",
	"agent_instructions", NULL };
static const char *const contact_words[] = { "email", "phone", "url", NULL };
static const char *const terms_words[] = { "url", "document", NULL };
static const char *const pricing_words[] = { "lump_sum", "schedule", NULL };
static const char *const offer_state_words[] = { "Draft", "Released", "Accepted", "Expired", NULL };
static const char *const event_words[] = { "contact", "delay_notice", "access_granted",
	"access_confirmation", NULL };

#define TEXT(type, name, member)                                                                   \
	{                                                                                          \
		name, FIELD_TEXT, offsetof(type, member), 0, NULL, NULL, 0                         \
	}
#define BOOL(type, name, member)                                                                   \
	{                                                                                          \
		name, FIELD_BOOL, offsetof(type, member), 0, NULL, NULL, 0                         \
	}
#define DAY(type, name, member)                                                                    \
	{                                                                                          \
		name, FIELD_DAY, offsetof(type, member), 0, NULL, NULL, 0                          \
	}
#define MINUTE(type, name, member)                                                                 \
	{                                                                                          \
		name, FIELD_MINUTE, offsetof(type, member), 0, NULL, NULL, 0                       \
	}
#define INSTANT(type, name, member, has)                                                           \
	{                                                                                          \
		name, FIELD_INSTANT, offsetof(type, member), offsetof(type, has), NULL, NULL, 0    \
	}
#define AMOUNT(type, name, member)                                                                 \
	{                                                                                          \
		name, FIELD_AMOUNT, offsetof(type, member.value), offsetof(type, member.given),    \
		    NULL, NULL, 0                                                                  \
	}
#define WORD(type, name, member, words)                                                            \
	{                                                                                          \
		name, FIELD_WORD, offsetof(type, member), 0, words, NULL, 0                        \
	}
#define TEXTS(type, name, member)                                                                  \
	{                                                                                          \
		name, FIELD_TEXTS, offsetof(type, member.v), offsetof(type, member.n), NULL, NULL, \
		    0                                                                              \
	}
#define LIST(type, name, member, count, shape)                                                     \
	{                                                                                          \
		name, FIELD_LIST, offsetof(type, member), offsetof(type, count), NULL, shape, 0    \
	}
#define OBJECT(name, offset, shape)                                                                \
	{                                                                                          \
		name, FIELD_OBJECT, offset, NO_MARK, NULL, shape, 0                                \
	}

#define TERMS_OF_USE(member) offsetof(struct listing_seller, data_use_terms.member)
static const struct field data_use_fields[] = {
	{ "accepted", FIELD_BOOL, TERMS_OF_USE(accepted), 0, NULL, NULL, 0 },
	{ "date", FIELD_DAY, TERMS_OF_USE(date), 0, NULL, NULL, 0 },
	{ "version", FIELD_TEXT, TERMS_OF_USE(version), 0, NULL, NULL, 0 },
};
static const struct shape data_use_shape = SHAPE(data_use_fields, struct listing_seller);

static const struct field seller_fields[] = {
	TEXT(struct listing_seller, "id", id),
	TEXT(struct listing_seller, "name", name),
	TEXT(struct listing_seller, "country", country),
	WORD(struct listing_seller, "account_status", account_status, status_words),
	OBJECT("data_use_terms", 0, &data_use_shape),
};
static const struct shape seller_shape = SHAPE(seller_fields, struct listing_seller);

static const struct field logo_fields[] = {
	TEXT(struct listing, "url", logo.url),
	TEXT(struct listing, "file", logo.file),
};
static const struct shape logo_shape = SHAPE(logo_fields, struct listing);

static const struct field associated_fields[] = {
	{ "id", FIELD_TEXT, 0, 0, NULL, NULL, 0 },
};
static const struct shape associated_shape = SHAPE(associated_fields, struct str);

static const struct field resource_fields[] = {
	TEXT(struct listing_resource, "name", name),
	TEXT(struct listing_resource, "url", url),
};
static const struct shape resource_shape = SHAPE(resource_fields, struct listing_resource);

static const struct field dimension_fields[] = {
	TEXT(struct listing_dimension, "key", key),
	TEXT(struct listing_dimension, "name", name),
	TEXT(struct listing_dimension, "description", description),
	{ "price", FIELD_PRESENT, offsetof(struct listing_dimension, has_price), 0, NULL, NULL, 0 },
};
static const struct shape dimension_shape = SHAPE(dimension_fields, struct listing_dimension);

static const struct field doc_fields[] = {
	WORD(struct listing_doc, "kind", kind, doc_words),
	TEXT(struct listing_doc, "text", text),
	TEXT(struct listing_doc, "policy", policy),
};
static const struct shape doc_shape = SHAPE(doc_fields, struct listing_doc);

static const struct field contact_fields[] = {
	WORD(struct listing_contact, "kind", kind, contact_words),
	TEXT(struct listing_contact, "value", value),
};
static const struct shape contact_shape = SHAPE(contact_fields, struct listing_contact);

static const struct field landing_page_fields[] = {
	LIST(struct listing, "contacts", contacts, n_contacts, &contact_shape),
};
static const struct shape landing_page_shape = SHAPE(landing_page_fields, struct listing);

static const struct field terms_fields[] = {
	WORD(struct listing_terms, "kind", kind, terms_words),
	TEXT(struct listing_terms, "value", value),
};
static const struct shape terms_shape = SHAPE(terms_fields, struct listing_terms);

static const struct field buyer_fields[] = {
	TEXT(struct offer_buyer, "account", account),
	BOOL(struct offer_buyer, "invoice_terms", invoice_terms),
	BOOL(struct offer_buyer, "private_marketplace", private_marketplace),
};
static const struct shape buyer_shape = SHAPE(buyer_fields, struct offer_buyer);

static const struct field price_fields[] = {
	TEXT(struct offer_price, "dimension", dimension),
	AMOUNT(struct offer_price, "price", price),
};
static const struct shape price_shape = SHAPE(price_fields, struct offer_price);

static const struct field instalment_fields[] = {
	DAY(struct offer_instalment, "date", date),
	AMOUNT(struct offer_instalment, "amount", amount),
};
static const struct shape instalment_shape = SHAPE(instalment_fields, struct offer_instalment);

static const struct field document_fields[] = {
	TEXT(struct offer_document, "name", name),
	TEXT(struct offer_document, "type", type),
};
static const struct shape document_shape = SHAPE(document_fields, struct offer_document);

static const struct field offer_fields[] = {
	TEXT(struct listing_offer, "id", id),
	BOOL(struct listing_offer, "public", is_public),
	TEXT(struct listing_offer, "name", name),
	LIST(struct listing_offer, "buyers", buyers, n_buyers, &buyer_shape),
	DAY(struct listing_offer, "agreement_end", agreement_end),
	DAY(struct listing_offer, "expires", expires),
	WORD(struct listing_offer, "pricing", pricing, pricing_words),
	TEXT(struct listing_offer, "currency", currency),
	LIST(struct listing_offer, "prices", prices, n_prices, &price_shape),
	AMOUNT(struct listing_offer, "total", total),
	BOOL(struct listing_offer, "zero_price_confirmed", zero_price_confirmed),
	LIST(struct listing_offer, "schedule", schedule, n_schedule, &instalment_shape),
	LIST(struct listing_offer, "documents", documents, n_documents, &document_shape),
	{ "approval", FIELD_TRUTH, offsetof(struct listing_offer, approval), 0, NULL, NULL, 0 },
	TEXT(struct listing_offer, "refund_policy", refund_policy),
	WORD(struct listing_offer, "state", state, offer_state_words),
	INSTANT(struct listing_offer, "accepted_at", accepted_at, has_accepted_at),
	INSTANT(struct listing_offer, "edited_at", edited_at, has_edited_at),
};
static const struct shape offer_shape = SHAPE(offer_fields, struct listing_offer);

static const struct field calendar_fields[] = {
	TEXT(struct fulfilment_calendar, "zone", zone),
	{ "weekend", FIELD_WEEKDAYS, offsetof(struct fulfilment_calendar, weekend),
	    offsetof(struct fulfilment_calendar, has_weekend), NULL, NULL, 0 },
	{ "holidays", FIELD_DAYS, offsetof(struct fulfilment_calendar, holidays),
	    offsetof(struct fulfilment_calendar, n_holidays), NULL, NULL, 0 },
	MINUTE(struct fulfilment_calendar, "open", open),
	MINUTE(struct fulfilment_calendar, "close", close),
};
static const struct shape calendar_shape = SHAPE(calendar_fields, struct fulfilment_calendar);

static const struct field event_fields[] = {
	WORD(struct fulfilment_event, "kind", kind, event_words),
	INSTANT(struct fulfilment_event, "at", at, has_at),
	INSTANT(struct fulfilment_event, "promised", promised, has_promised),
	TEXT(struct fulfilment_event, "text", text),
};
static const struct shape event_shape = SHAPE(event_fields, struct fulfilment_event);

static const struct field fulfilment_fields[] = {
	INSTANT(struct listing_fulfilment, "accepted", accepted, has_accepted),
	{ "calendar", FIELD_OBJECT, offsetof(struct listing_fulfilment, calendar),
	    offsetof(struct listing_fulfilment, calendar.given), NULL, &calendar_shape, 0 },
	LIST(struct listing_fulfilment, "events", events, n_events, &event_shape),
};
static const struct shape fulfilment_shape = SHAPE(fulfilment_fields, struct listing_fulfilment);

static const struct field listing_fields[] = {
	TEXT(struct listing, "id", id),
	WORD(struct listing, "edition", edition, edition_words),
	TEXT(struct listing, "language", language),
	OBJECT("seller", offsetof(struct listing, seller), &seller_shape),
	TEXT(struct listing, "title", title),
	TEXT(struct listing, "sku", sku),
	TEXT(struct listing, "short_description", short_description),
	TEXT(struct listing, "long_description", long_description),
	TEXT(struct listing, "support_description", support_description),
	OBJECT("logo", 0, &logo_shape),
	TEXTS(struct listing, "highlights", highlights),
	TEXTS(struct listing, "categories", categories),
	TEXTS(struct listing, "keywords", keywords),
	LIST(struct listing, "associated_products", associated_products.v, associated_products.n,
	    &associated_shape),
	TEXTS(struct listing, "aws_services", aws_services),
	LIST(struct listing, "resources", resources, n_resources, &resource_shape),
	LIST(struct listing, "dimensions", dimensions, n_dimensions, &dimension_shape),
	WORD(struct listing, "visibility", visibility, visibility_words),
	WORD(struct listing, "product_state", product_state, product_state_words),
	BOOL(struct listing, "needs_resources", needs_resources),
	BOOL(struct listing, "deploys_agent", deploys_agent),
	LIST(struct listing, "docs", docs, n_docs, &doc_shape),
	OBJECT("landing_page", 0, &landing_page_shape),
	OBJECT("terms", offsetof(struct listing, terms), &terms_shape),
	LIST(struct listing, "offers", offers, n_offers, &offer_shape),
	LIST(struct listing, "fulfilments", fulfilments, n_fulfilments, &fulfilment_shape),
};
const struct shape listing_shape = SHAPE(listing_fields, struct listing);

_Static_assert(sizeof(enum edition) == sizeof(int), "shape writes words as int");

enum edition
edition_of(struct str word)
{
	return str_eq(word, STR("G21"))   ? EDITION_G21
	       : str_eq(word, STR("G22")) ? EDITION_G22
					  : EDITION_NONE;
}

const char *
edition_word(enum edition e)
{
	return e == EDITION_NONE ? "" : edition_words[e - 1];
}

enum souk_err
listing_read(struct str text, struct arena *a, struct listing *ret, struct fail *f)
{
	struct listing l;
	enum souk_err err =
	    shape_read(text, LISTING_BYTES_MAX, LISTING_ITEMS_MAX, &listing_shape, a, &l, f);

	if (err == SOUK_OK)
		*ret = l;
	return err;
}
