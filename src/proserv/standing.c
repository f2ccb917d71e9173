/* SPDX-License-Identifier: Apache-2.0 */
/* How a listing stands, and what follows; see standing.h. */
#include "proserv/standing.h"

#include "audit/audit.h"
#include "delivery/topic.h"
#include "market/product.h"
#include "proserv/catalog.h"

#include <stdio.h>

#define REASONS_MAX 3000 /* bytes, in mails and messages */

static const struct mail_place places[] = {
	{ "title", "the listing's title", "Lift and shift", false },
	{ "listing", "its id", "prod-5f0c7a52-6e0e-4f57-8d8a-0c3a8b0f6a11", false },
	{ "reasons", "the rules that it breaks, each with what to mend",
	    "PS-DET-13 keep one to three categories", true },
	{ "until", "the last day to mend it", "2026-03-31", true },
};
static const struct mail_place places_after[] = {
	{ "title", "the listing's title", "Lift and shift", false },
	{ "listing", "its id", "prod-5f0c7a52-6e0e-4f57-8d8a-0c3a8b0f6a11", false },
	{ "reasons", "the rules that it breaks, each with what to mend",
	    "PS-DET-13 keep one to three categories", false },
};

const struct mail_kind standing_mails[STANDING_MAILS] = {
	{ .name = "review.grace",
	    .about = "To the seller: a listing breaks rules and has to be mended by a day.",
	    .operators = true,
	    .places = places,
	    .n_places = sizeof(places) / sizeof(places[0]),
	    .deflt = { STR("Please mend your listing {{title}}"),
		STR("Your listing {{title}} ({{listing}}) does not comply with the requirements "
		    "any "
		    "more:\n\n"
		    "{{reasons}}\n\n"
		    "Please mend it by {{until}}. After that day nobody can subscribe to it anew "
		    "until it is mended. Those who have subscribed are not affected.\n"),
		STR("") } },
	{ .name = "review.suspended",
	    .about = "To the seller: nobody can subscribe to a listing until it is mended.",
	    .operators = true,
	    .places = places_after,
	    .n_places = sizeof(places_after) / sizeof(places_after[0]),
	    .deflt = { STR("New subscriptions to {{title}} are suspended"),
		STR("Your listing {{title}} ({{listing}}) was not mended in time:\n\n"
		    "{{reasons}}\n\n"
		    "Nobody can subscribe to it anew until it is mended. Those who have subscribed "
		    "are not affected.\n"),
		STR("") } },
	{ .name = "review.mended",
	    .about = "To the seller: a listing complies with the requirements again.",
	    .operators = true,
	    .places = places_after,
	    .n_places = sizeof(places_after) / sizeof(places_after[0]),
	    .deflt = { STR("Your listing {{title}} complies again"),
		STR("Your listing {{title}} ({{listing}}) complies with the requirements again. "
		    "Nothing keeps buyers from subscribing to it.\n"),
		STR("") } },
};

static const struct {
	const char *word, *action;
	const struct mail_kind *mail;
} steps[] = {
	[STEP_NONE] = { "fault", "review:TellFault", &standing_mails[0] },
	[STEP_GRACE] = { "grace", "review:BeginGrace", &standing_mails[0] },
	[STEP_SUSPEND] = { "suspended", "review:SuspendSubscriptions", &standing_mails[1] },
	[STEP_LIFT] = { "mended", "review:LiftSuspension", &standing_mails[2] },
};

bool
standing_is_live(const struct listing_row *l)
{
	enum visibility v = visibility_of_state(l->product.state);

	return v != VISIBILITY_UNKNOWN && v != VISIBILITY_DRAFT;
}

static void
at_fault(const struct listing_row *l, const struct standing_rules *times, instant_t now,
    struct standing_change *c)
{
	if (l->standing == STANDING_SUSPENDED) {
		c->to = STANDING_SUSPENDED;
		return;
	}
	c->grace_until = l->standing == STANDING_GRACE ? l->grace_until : now + times->grace_ms;
	if (now < c->grace_until) {
		c->to = STANDING_GRACE;
		c->step = l->standing == STANDING_GRACE ? STEP_NONE : STEP_GRACE;
		return;
	}
	c->to = STANDING_SUSPENDED;
	c->step = STEP_SUSPEND;
	c->grace_until = 0;
}

void
standing_next(const struct listing_row *l, const struct judged *j,
    const struct standing_rules *times, instant_t now, struct standing_change *ret)
{
	struct standing_change c = { .to = j->open ? STANDING_PENDING : STANDING_PASSED };

	if (!standing_is_live(l)) {
		c.to = j->blocks ? STANDING_BLOCKED : STANDING_PASSED;
		*ret = c;
		return;
	}
	if (j->blocks)
		at_fault(l, times, now, &c);
	else if (l->standing == STANDING_GRACE || l->standing == STANDING_SUSPENDED)
		c.step = STEP_LIFT;
	c.due_at = now + times->every_ms;
	if (c.grace_until != 0 && c.grace_until < c.due_at)
		c.due_at = c.grace_until;
	if (j->waived_until != 0 && j->waived_until < c.due_at)
		c.due_at = j->waived_until;
	*ret = c;
}

/* ---- what follows ---- */

static enum souk_err
suspend(struct db_tx *tx, const struct standing_ctx *ctx, const struct listing_row *l,
    struct str reason)
{
	struct fail f = { .err = SOUK_OK };

	if (str_eq(l->product.suspended, reason))
		return SOUK_OK;
	return product_set_suspended(tx, ctx->operator, & l->product_id, reason, &f);
}

static enum souk_err
audit(struct db_tx *tx, const struct standing_ctx *ctx, const struct listing_row *l,
    enum standing_step step)
{
	char id[ENTITY_ID_MAX], resource[ENTITY_ID_MAX + 16];

	entity_id_write(PRODUCT_PREFIX, &l->product_id, id);
	(void)snprintf(resource, sizeof(resource), "listing/%s", id);
	return audit_append(tx, ctx->vault,
	    &(struct audit_entry){ .account_id = STR(""),
		.actor = STR("job:review"),
		.action = steps[step].action,
		.resource = str_c(resource),
		.seller_id = str_c(l->seller_id),
		.purpose = STR("review"),
		.count = 1,
		.request_id = STR("") });
}

/* The same faults in the same time of grace are told once. */
static void
event_name(const struct listing_row *l, const struct judged *j, const struct standing_change *c,
    instant_t now, char *out, size_t size)
{
	char id[ENTITY_ID_MAX], faults[17];
	uint8_t sum[SHA256_LEN];
	struct sha256_ctx h;

	sha256_init(&h);
	for (size_t i = 0; i < j->n; i++)
		if (j->v[i].is == JUDGED_BLOCKS)
			sha256_update(&h, SHA256_LEN, j->v[i].digest);
	sha256_digest(&h, SHA256_LEN, sum);
	hex_encode(sum, 8, faults);
	entity_id_write(PRODUCT_PREFIX, &l->product_id, id);
	(void)snprintf(out, size, "review/%s/%s/%lld/%s", id,
	    c->to == STANDING_GRACE ? "grace" : steps[c->step].word,
	    (long long)(c->grace_until != 0 ? c->grace_until : now), faults);
}

static enum souk_err
mail(struct db_tx *tx, const struct standing_ctx *ctx, const struct listing_row *l,
    const struct judged *j, const struct standing_change *c, struct str reasons, size_t *ret_n)
{
	char event[MAIL_EVENT_MAX], id[ENTITY_ID_MAX], until[DAY_TEXT_LEN + 1] = "";
	struct mail_value values[] = { { "title", l->product.title }, { "listing", STR("") },
		{ "reasons", reasons }, { "until", STR("") } };
	struct fail f = { .err = SOUK_OK };

	event_name(l, j, c, db_now(tx), event, sizeof(event));
	if (c->grace_until != 0)
		day_write(day_of(c->grace_until), until);
	entity_id_write(PRODUCT_PREFIX, &l->product_id, id);
	values[1].value = str_c(id);
	values[3].value = str_c(until);
	return mail_post_notice(tx, ctx->vault,
	    &(struct mail_new){ .seller_id = str_c(l->seller_id),
		.event = str_c(event),
		.kind = steps[c->step].mail,
		.language = STR(""),
		.from_name = STR(""),
		.values = values,
		.n_values = steps[c->step].mail->n_places },
	    ret_n, &f);
}

static enum souk_err
tell_topic(struct db_tx *tx, const struct standing_ctx *ctx, const struct listing_row *l,
    const struct standing_change *c, struct str reasons)
{
	struct buf body = { 0 };
	char id[ENTITY_ID_MAX];
	struct guid message;
	struct jw w;
	enum souk_err r = topic_exists(tx, str_c(l->seller_id), ctx->topic);

	if (r != SOUK_OK)
		return r == SOUK_E_NOT_FOUND ? SOUK_OK : r;
	entity_id_write(PRODUCT_PREFIX, &l->product_id, id);
	jw_init(&w, &body);
	jw_open(&w, NULL, '{');
	jw_c(&w, "event", steps[c->step].word);
	jw_c(&w, "listing", id);
	jw_c(&w, "standing", standing_word(c->to));
	jw_str_opt(&w, "reasons", reasons);
	if (c->grace_until != 0)
		jw_instant(&w, "graceUntil", c->grace_until);
	jw_close(&w, '}');
	r = buf_ok(&body) ? topic_publish(tx, str_c(l->seller_id), ctx->topic, &l->product_id,
				buf_str(&body), &message)
			  : SOUK_E_NOMEM;
	buf_done(&body);
	return r;
}

static enum souk_err
tell(struct db_tx *tx, const struct standing_ctx *ctx, const struct listing_row *l,
    const struct judged *j, const struct standing_change *c)
{
	struct buf reasons = { 0 };
	size_t mails = 0;
	enum souk_err r;

	judged_reason(j, REASONS_MAX, &reasons);
	r = mail(tx, ctx, l, j, c, buf_str(&reasons), &mails);
	/* Faults that came later, within the time of grace. */
	if (r == SOUK_OK && (c->step != STEP_NONE || mails > 0)) {
		r = audit(tx, ctx, l, c->step);
		if (r == SOUK_OK && ctx->topic.n > 0)
			r = tell_topic(tx, ctx, l, c, buf_str(&reasons));
	}
	buf_done(&reasons);
	return r;
}

enum souk_err
standing_follow(struct db_tx *tx, const struct standing_ctx *ctx, const struct listing_row *l,
    const struct judged *j, const struct standing_change *c)
{
	struct buf reason = { 0 };
	enum souk_err r = SOUK_OK;

	if (c->to == STANDING_SUSPENDED) {
		judged_reason(j, SUSPENDED_MAX, &reason);
		r = suspend(tx, ctx, l, buf_str(&reason));
		buf_done(&reason);
	} else if (l->standing == STANDING_SUSPENDED) {
		r = suspend(tx, ctx, l, STR(""));
	}
	if (r == SOUK_OK && (c->step != STEP_NONE || c->to == STANDING_GRACE))
		r = tell(tx, ctx, l, j, c);
	return r;
}
