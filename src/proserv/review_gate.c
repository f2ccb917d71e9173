/* SPDX-License-Identifier: Apache-2.0 */
/* The gate before a listing goes public; see review_gate.h. */
#include "proserv/review_gate.h"

enum souk_err
review_gate_waive(struct db_tx *tx, struct str seller_id, const struct guid *product_id,
    struct arena *mem, struct findings *io)
{
	(void)tx;
	(void)seller_id;
	(void)product_id;
	(void)mem;
	(void)io;
	return SOUK_OK;
}

enum souk_err
review_gate(struct db_tx *tx, const struct gate_request *q, struct arena *mem, enum gate *ret,
    struct buf *reasons)
{
	(void)tx;
	(void)mem;
	(void)reasons;
	*ret = GATE_PASS;
	for (size_t i = 0; i < q->findings->n; i++) {
		const struct finding *f = &q->findings->v[i];

		if (f->waiver == NULL &&
		    (f->severity == SEVERITY_ERROR || f->kind != KIND_DETERMINISTIC))
			*ret = GATE_WAIT;
	}
	return SOUK_OK;
}
