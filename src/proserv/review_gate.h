/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate before a listing goes public: do people have to decide first, and what did they decide?
 */
#ifndef SOUK_PROSERV_REVIEW_GATE_H
#define SOUK_PROSERV_REVIEW_GATE_H

#include "market/tenant.h"
#include "proserv/finding.h"
#include "store/db.h"

enum gate {
	GATE_PASS,
	GATE_WAIT, /* somebody has to decide: the change set goes on by change_set_resume (change.h) */
	GATE_REJECTED /* somebody decided against it; `reasons` says why, for the seller */
};

struct gate_request {
	struct str seller_id;
	struct guid product_id;
	struct guid change_set_id;       /* what waits for the decision */
	const struct listing *listing;   /* as it would be public */
	const struct findings *findings; /* of it; none blocks */
	enum edition edition;
	bool two_people; /* the setting review.two-people */
	instant_t now;
};

/*
 * Has the findings waived that somebody answers for, in the arena: an error that is waived does not block.
 */
SOUK_MUST enum souk_err review_gate_waive(struct db_tx *tx, struct str seller_id,
    const struct guid *product_id, struct arena *mem, struct findings *io);
/*
 * In the caller's write transaction, which is kept whatever the answer; asked again when the change set
 * goes on. `reasons` gets text when *ret is GATE_REJECTED.
 */
SOUK_MUST enum souk_err review_gate(struct db_tx *tx, const struct gate_request *q,
    struct arena *mem, enum gate *ret, struct buf *reasons);
/* The change set does not wait any more (it was cancelled): nobody is asked for its sake. */
SOUK_MUST enum souk_err review_gate_forget(
    struct db_tx *tx, struct str seller_id, const struct guid *change_set_id, struct arena *mem);

#endif
