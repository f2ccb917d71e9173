/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the scanner makes of a listing's texts: places that a person should look at, and notions that are there.
 *
 * Terms are found in all texts at once (text_engine.h), then put together sentence by sentence
 * (text_patterns.c). Bounded: time and memory grow with the text, not with what it says.
 */
#ifndef SOUK_PROSERV_TEXT_H
#define SOUK_PROSERV_TEXT_H

#include "proserv/listing.h"
#include "proserv/text_engine.h"

enum text_member {
	MEMBER_TITLE,
	MEMBER_DIMENSION_NAME,
	MEMBER_OFFER_NAME, /* up to here: names, looked through for TERMS_NAMES, too */
	MEMBER_SHORT,
	MEMBER_LONG,
	MEMBER_SUPPORT,
	MEMBER_HIGHLIGHT,
	MEMBER_KEYWORD,
	MEMBER_RESOURCE_NAME,
	MEMBER_DIMENSION_TEXT,
	MEMBER_DOC_TEXT,
	MEMBER_EVENT_TEXT
};

/* One text of the listing. */
struct text_field {
	enum text_member member;
	uint16_t index, inner; /* of its array; of the inner array (events of a fulfilment) */
	struct str text;       /* borrowed from the listing */
	struct str folded;     /* in the arena */
	uint64_t classes;      /* of the terms in it */
	unsigned next_steps;   /* terms of TERM_NEXT, up to 255 */
	bool placeholder;      /* of names: nothing but words of placeholders and numbers */
};

enum suspicion_kind {
	SUSPECT_BILLING,     /* payment outside the marketplace */
	SUSPECT_PAY_DATA,    /* asks for cards or accounts, or gives one */
	SUSPECT_CREDENTIALS, /* asks for keys or passwords */
	SUSPECT_DEPLOYS,     /* puts something into the customer's account */
	SUSPECT_ABUSE,
	SUSPECT_OFFENCE,
	SUSPECT_HIDING, /* characters that hide words */
	SUSPECT_LINK,   /* a shortened link, or one to a bare address */
	SUSPECT_HONOR,  /* of names: a form of address */
	SUSPECT_STREET, /* of names: a word of postal addresses */
	SUSPECT_ORG,    /* of names: a word of organisations' names */
	NOTICE_COST     /* none: the notice that AWS infrastructure costs extra */
};

/* A place in a field's text, and how sure the scanner is. */
struct suspicion {
	enum suspicion_kind kind;
	uint8_t score; /* percent */
	uint32_t field;
	uint32_t start, end; /* bytes of the field's text */
	uint64_t classes;    /* which it rests on */
	uint32_t code;       /* of SUSPECT_HIDING: the code point */
};

struct text_hits {
	unsigned language; /* bit of the listing's; 0: none of ours, or not told */
	bool cut;          /* more terms than are looked at, or more places than are kept */
	const struct text_field *fields;
	size_t n_fields;
	const struct suspicion
	    *suspicions; /* by field and place, but those of SUSPECT_HIDING at the end */
	size_t n_suspicions;
};

#define SUSPICIONS_MAX 1000

/* What text_scan needs of the arena for the listing of a document of so many bytes. */
#define TEXT_ARENA(bytes) (((size_t)64 << 10) + 8 * (size_t)(bytes))

/* Scans the listing's texts. *ret and what it points to are in `a`. SOUK_E_NOMEM when it is full. */
SOUK_MUST enum souk_err text_scan(const struct text_engine *e, struct text_scratch *s,
    const struct listing *l, struct arena *a, const struct text_hits **ret);

/* The bit of a BCP 47 tag; 0 for a language that is none of ours. */
unsigned text_language(struct str tag);

#endif
