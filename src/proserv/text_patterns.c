/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which terms together are suspicious. The first pattern of a kind that fits a sentence is taken, so the
 * surest stand first.
 */
#include "proserv/text_int.h"

#define SERVICE (TERM(BUILD) | TERM(SECURE) | TERM(TRAIN))

const struct text_pattern text_patterns[] = {
	{ SUSPECT_BILLING, 95, true, { TERM(DIRECT), TERM(BILL) | TERM(OUTSIDE) }, TERM(AWSBILL) },
	{ SUSPECT_BILLING, 85, true, { TERM(DIRECT) }, TERM(AWSBILL) },
	{ SUSPECT_BILLING, 80, true, { TERM(OUTSIDE), TERM(BILL) }, SERVICE | TERM(AWSBILL) },
	{ SUSPECT_BILLING, 75, false, { TERM(AMOUNT), TERM(PRICE) },
	    TERM(SAVING) | TERM(AWSBILL) | TERM(TRAIN) },

	{ SUSPECT_PAY_DATA, 95, false, { TERM(CARD) }, TERM(IDCTX) | TERM(TRAIN) },
	{ SUSPECT_PAY_DATA, 95, false, { TERM(IBAN) }, TERM(TRAIN) },
	{ SUSPECT_PAY_DATA, 90, false, { TERM(BANK), TERM(ROUTING) }, TERM(TRAIN) },
	{ SUSPECT_PAY_DATA, 90, true, { TERM(ASKUS), TERM(PAYDATA) }, SERVICE },
	{ SUSPECT_PAY_DATA, 75, true, { TERM(ASK), TERM(PAYDATA) }, SERVICE },

	{ SUSPECT_CREDENTIALS, 90, true, { TERM(ASKUS), TERM(CRED) },
	    TERM(SAFECRED) | TERM(TRAIN) },
	{ SUSPECT_CREDENTIALS, 75, true, { TERM(ASK), TERM(CRED) },
	    TERM(SAFECRED) | TERM(TRAIN) | TERM(BUILD) },

	{ SUSPECT_DEPLOYS, 70, true, { TERM(INSTALL), TERM(TARGET) },
	    TERM(NOTARGET) | TERM(TRAIN) },

	{ SUSPECT_ABUSE, 80, true, { TERM(ABUSE) }, TERM(PROTECT) },

	{ NOTICE_COST, 80, false, { TERM(COST), TERM(INFRA), TERM(RESP) }, TERM(NOCOST) },
};
const size_t n_text_patterns = sizeof(text_patterns) / sizeof(text_patterns[0]);
