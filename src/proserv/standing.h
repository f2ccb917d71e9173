/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a listing stands after a review, and what follows from it.
 *
 * A listing that others can see and that is at fault gets a time of grace; what is not mended by then stops new
 * subscriptions, until it is. Who has subscribed is not touched.
 */
#ifndef SOUK_PROSERV_STANDING_H
#define SOUK_PROSERV_STANDING_H

#include "delivery/mail.h"
#include "proserv/catalog_store.h"
#include "proserv/review_task.h"

enum standing_step {
	STEP_NONE,
	STEP_GRACE,   /* at fault since now */
	STEP_SUSPEND, /* the time of grace is over */
	STEP_LIFT     /* mended */
};

struct standing_rules {
	int64_t grace_ms, every_ms;
};

struct standing_change {
	enum standing to;
	instant_t grace_until; /* 0 none */
	instant_t due_at;      /* of the next review; 0: at a change */
	enum standing_step step;
};

/* Can others see it: is it limited, public or restricted? */
bool standing_is_live(const struct listing_row *l);
/* Pure: from how `l` stood to what a review at `now` makes of it. */
void standing_next(const struct listing_row *l, const struct judged *j,
    const struct standing_rules *times, instant_t now, struct standing_change *ret);

struct standing_ctx {
	struct vault *vault;
	const struct tenant_scope *operator;
	struct str topic; /* of sellers; "" none */
};

/*
 * What follows from the change, in the transaction that keeps it: the product's suspension, the audit entry, the mail to the
 * seller (once for each state of faults), the message to its topic.
 */
SOUK_MUST enum souk_err standing_follow(struct db_tx *tx, const struct standing_ctx *ctx,
    const struct listing_row *l, const struct judged *j, const struct standing_change *c);

/* The mails of this file. */
#define STANDING_MAILS 3
extern const struct mail_kind standing_mails[STANDING_MAILS];

#endif
