/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of rules: what the marketplace requires of a professional services listing, one row each.
 *
 * A row has up to three parts. The deterministic check decides. The heuristic one gives evidence and
 * never blocks: its findings are warnings at most. The question is for a person; it is asked when the
 * deterministic check found nothing. Ids are for ever: they stand in waivers and in sellers' CI.
 */
#ifndef SOUK_PROSERV_RULE_H
#define SOUK_PROSERV_RULE_H

#include "proserv/listing.h"

enum severity { SEVERITY_INFO, SEVERITY_WARNING, SEVERITY_ERROR };
enum finding_kind { KIND_DETERMINISTIC, KIND_HEURISTIC, KIND_HUMAN };

const char *severity_letter(enum severity s); /* "I", "W", "E" */
const char *severity_word(enum severity s);   /* "note", "warning", "error", as compilers say it */
const char *finding_kind_word(enum finding_kind k); /* "deterministic" ... */

struct review;
typedef void rule_check(struct review *r);

struct rule {
	const char *id;          /* "PS-DET-13" */
	unsigned editions;       /* bits of enum edition */
	enum severity severity;  /* of what the checks find; heuristics at most SEVERITY_WARNING */
	const char *requirement; /* one sentence, as the marketplace puts it */
	const char *citation;    /* where it says so */
	const char *hint;        /* how to mend it: "keep one to three" */
	rule_check *check;       /* deterministic; NULL: none */
	rule_check *heuristic;   /* on words and pictures; NULL: none */
	const char *question;    /* for a person; NULL: none */
	const char *question_at; /* the JSON pointer it is about */
};

/* In the order of the marketplace's requirements: SETUP, CUST, USE, ARCH, DET, OFF. */
extern const struct rule rules[];
extern const size_t n_rules;
/* The largest n_rules may become: for sets of rules of fixed size. */
#define RULES_MAX 128

/* NULL: there is none of that id. */
const struct rule *rule_find(struct str id);

#endif
