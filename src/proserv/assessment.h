/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Assessments of the Catalog API: what a review found, as results of its rules.
 *
 * There is one of each listing, by its last review, and one of each entity of a change set that was reviewed. They are
 * put together from what is kept anyway, so they go when that goes: with the next review, 60 days after the end of the set.
 */
#ifndef SOUK_PROSERV_ASSESSMENT_H
#define SOUK_PROSERV_ASSESSMENT_H

#include "proserv/entity.h"

#define ASSESSMENT_FRAMEWORK                                                                       \
	"ProfessionalServicesGuidelines" /* "@" and the edition are its version */
#define ASSESSMENT_ID_MAX 96
/* Change sets that a list takes into account: the newest. */
#define ASSESSMENT_SETS_MAX 2000

enum assessment_result {
	ASSESSMENT_UNDECIDED, /* people have to decide */
	ASSESSMENT_PASS,
	ASSESSMENT_FAIL
};

struct assessment {
	char id[ASSESSMENT_ID_MAX];
	char entity_id[ENTITY_ID_MAX];         /* what was reviewed */
	char change_set_id[GUID_TEXT_LEN + 1]; /* "": of the listing as it is kept */
	enum edition edition;                  /* of a set: the setting's */
	enum assessment_result result;
	instant_t created_at, expires_at; /* expires_at 0: with the next change */
};

enum control_result {
	CONTROL_PASS,
	CONTROL_FAIL,
	CONTROL_NOT_EXECUTED,  /* something to go by is missing, or people have to decide */
	CONTROL_EXEMPTION_PASS /* somebody answers for it until a day */
};
const char *control_result_word(enum control_result r); /* "PASS" ... */

struct control_error {
	struct str code, message;               /* code as of change errors: "PS_DET_13" */
	struct str severity, pointer, evidence; /* "" not known */
};

struct control {
	struct str id; /* "PS-DET-13"; of an error that is no rule's, its code */
	enum control_result result;
	struct control_error *errors;
	size_t n_errors, cap;
};

struct controls {
	struct control *v;
	size_t n, cap;
};

/* False: enough. */
typedef bool assessment_each(void *arg, const struct assessment *a);
/* Of what the scope owns (the operator: of everybody), in no order. Each filter may be "". */
SOUK_MUST enum souk_err assessment_all(struct db_tx *tx, const struct tenant_scope *s,
    enum edition edition, struct str entity_id, struct str change_set_id, assessment_each *each,
    void *arg);
/*
 * One, with its controls, all in the arena. Of a listing: each rule that its review asks (those on offers and on fulfilments
 * are not among them). Of a set: what stopped it, and while it waits, what people decide about. SOUK_E_NOT_FOUND: not there,
 * not the scope's, or gone.
 */
SOUK_MUST enum souk_err assessment_get(struct db_tx *tx, const struct tenant_scope *s,
    enum edition edition, struct str id, struct arena *mem, struct assessment *ret,
    struct controls *ret_controls);

#endif
