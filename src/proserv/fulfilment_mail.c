/* SPDX-License-Identifier: Apache-2.0 */
/* The mails of fulfilments; see fulfilment_mail.h. */
#include "proserv/fulfilment_mail.h"

#include "market/account.h"
#include "market/product.h"
#include "proserv/business_calendar.h"

#include <stdio.h>

#define MAIL_ARENA ((size_t)4 << 20)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define PLACE_PRODUCT                                                                              \
	{                                                                                          \
		.name = "product", .about = "title of what was subscribed to",                     \
		.sample = "Migration Workshop"                                                     \
	}
#define PLACE_SELLER                                                                               \
	{                                                                                          \
		.name = "seller", .about = "name of the seller", .sample = "Example Works"         \
	}
#define PLACE_ORDER                                                                                \
	{                                                                                          \
		.name = "subscriptionId", .about = "id of the subscription",                       \
		.sample = "3f2b8c1e-6a55-4f0d-9d3a-0c6b1f7e2a90"                                   \
	}
#define PLACE_ACCEPTED                                                                             \
	{                                                                                          \
		.name = "acceptedAt", .about = "when it was accepted, in the seller's time zone",  \
		.sample = "2026-03-02 08:15 (Europe/Berlin)"                                       \
	}

static const struct mail_place delay_places[] = {
	PLACE_PRODUCT,
	PLACE_SELLER,
	PLACE_ORDER,
	PLACE_ACCEPTED,
	{ .name = "promisedAt",
	    .about = "when access will be given, in the seller's time zone",
	    .sample = "2026-03-09 17:00 (Europe/Berlin)",
	    .required = true },
	{ .name = "reason", .about = "why, if a reason was given", .sample = "" },
};
static const struct mail_place access_places[] = {
	PLACE_PRODUCT,
	PLACE_SELLER,
	PLACE_ORDER,
	PLACE_ACCEPTED,
	{ .name = "nextSteps",
	    .about = "what the buyer does next",
	    .sample = "1. Open the workspace. 2. Book the first session.",
	    .required = true },
};
static const struct mail_place undelivered_places[] = {
	PLACE_PRODUCT,
	PLACE_SELLER,
	PLACE_ORDER,
	PLACE_ACCEPTED,
	{ .name = "what",
	    .about = "what did not arrive: \"delay notice\" or \"confirmation of access\"",
	    .sample = "delay notice",
	    .required = true },
};
static const struct mail_place notice_places[] = {
	PLACE_PRODUCT,
	PLACE_SELLER,
	PLACE_ORDER,
	PLACE_ACCEPTED,
	{ .name = "dueAt",
	    .about = "when first contact, or the promised access, was due",
	    .sample = "2026-03-04 17:00 (Europe/Berlin)",
	    .required = true },
	{ .name = "what",
	    .about = "what is due: \"first contact\" or \"the promised access\"",
	    .sample = "first contact" },
};

const struct mail_kind fulfilment_delay_mail = {
	.name = "fulfilment.delay-notice",
	.about = "To the buyer, when a seller promises access for a later time.",
	.places = delay_places,
	.n_places = COUNT(delay_places),
	.deflt = { .subject = STR("{{product}}: access by {{promisedAt}}"),
	    .text = STR("Thank you for subscribing to {{product}}.\n"
			"\n"
			"{{seller}} will give you access by {{promisedAt}}.\n"
			"{{reason}}\n"
			"\n"
			"You will get another e-mail with the next steps as soon as access is "
			"given.\n"
			"\n"
			"Subscription {{subscriptionId}}, accepted {{acceptedAt}}\n"),
	    .html = STR("") },
};

const struct mail_kind fulfilment_access_mail = {
	.name = "fulfilment.access-confirmation",
	.about = "To the buyer, when access has been given: with the next steps.",
	.places = access_places,
	.n_places = COUNT(access_places),
	.deflt = { .subject = STR("{{product}}: you have access"),
	    .text = STR("{{seller}} has given you access to {{product}}.\n"
			"\n"
			"Next steps:\n"
			"{{nextSteps}}\n"
			"\n"
			"Subscription {{subscriptionId}}, accepted {{acceptedAt}}\n"),
	    .html = STR("") },
};

const struct mail_kind fulfilment_reminder_mail = {
	.name = "fulfilment.reminder",
	.about = "To the seller's addresses for notices, before first contact or a promise is due.",
	.operators = true,
	.places = notice_places,
	.n_places = COUNT(notice_places),
	.deflt = { .subject = STR("Due {{dueAt}}: {{what}} for {{product}}"),
	    .text = STR("For subscription {{subscriptionId}} to {{product}}, accepted "
			"{{acceptedAt}}, {{what}} is due by {{dueAt}}.\n"
			"\n"
			"Contact the buyer and record it, give access, or send a notice with the "
			"date of access.\n"),
	    .html = STR("") },
};

const struct mail_kind fulfilment_overdue_mail = {
	.name = "fulfilment.overdue",
	.about =
	    "To the seller's addresses for notices, when first contact or a promise is overdue.",
	.operators = true,
	.places = notice_places,
	.n_places = COUNT(notice_places),
	.deflt = { .subject = STR("Overdue: {{what}} for {{product}}"),
	    .text = STR("For subscription {{subscriptionId}} to {{product}}, accepted "
			"{{acceptedAt}}, {{what}} was due by {{dueAt}}.\n"
			"\n"
			"Contact the buyer now. The marketplace's operator is told when nothing "
			"happens.\n"),
	    .html = STR("") },
};

const struct mail_kind fulfilment_escalation_mail = {
	.name = "fulfilment.escalation",
	.about = "To the operator's and the seller's addresses for notices, when something stays "
		 "overdue.",
	.operators = true,
	.places = notice_places,
	.n_places = COUNT(notice_places),
	.deflt = { .subject = STR("Still overdue: {{what}} for {{product}} of {{seller}}"),
	    .text = STR("{{seller}} owes {{what}} for subscription {{subscriptionId}} to "
			"{{product}}, accepted {{acceptedAt}}. It was due by {{dueAt}}.\n"),
	    .html = STR("") },
};

const struct mail_kind fulfilment_undelivered_mail = {
	.name = "fulfilment.undelivered",
	.about = "To the seller's addresses for notices, when a mail to the buyer did not arrive.",
	.operators = true,
	.places = undelivered_places,
	.n_places = COUNT(undelivered_places),
	.deflt = { .subject = STR("Not delivered: {{what}} for {{product}}"),
	    .text = STR("For subscription {{subscriptionId}} to {{product}}, accepted "
			"{{acceptedAt}}, the {{what}} did not reach the buyer, so it does not "
			"count.\n"
			"\n"
			"Ask the buyer for another address and send it again, or contact the buyer "
			"in another way and record that.\n"),
	    .html = STR("") },
};

bool
fulfilment_mail_event_read(struct str event, struct guid *ret)
{
	const struct str prefix = STR("fulfilment/");

	return str_starts(event, prefix) && event.n > prefix.n + GUID_TEXT_LEN &&
	       event.p[prefix.n + GUID_TEXT_LEN] == '/' && memchr(event.p, '#', event.n) == NULL &&
	       guid_parse((struct str){ event.p + prefix.n, GUID_TEXT_LEN }, ret);
}

void
fulfilment_mail_event(
    const struct fulfilment *x, int64_t number, char out[static FULFILMENT_MAIL_EVENT_SIZE])
{
	char id[GUID_TEXT_LEN + 1];

	guid_format(&x->id, id);
	(void)snprintf(
	    out, FULFILMENT_MAIL_EVENT_SIZE, "fulfilment/%s/%lld", id, (long long)number);
}

/* What all of them tell. */
struct facts {
	struct arena *mem;
	struct str product, seller;
	struct calendar *calendar;
	struct str zone;
	char id[GUID_TEXT_LEN + 1];
};

static enum souk_err
facts_load(
    struct db_tx *tx, const struct tenant_scope *s, const struct fulfilment *x, struct facts *ret)
{
	struct business_calendar c;
	struct product p;
	struct account a;
	enum souk_err r;

	*ret = (struct facts){ .mem = arena_new(MAIL_ARENA) };
	if (ret->mem == NULL)
		return SOUK_E_NOMEM;
	if ((r = product_get(tx, s, &x->product_id, ret->mem, &p)) != SOUK_OK ||
	    (r = account_get(tx, s, str_c(x->seller_id), ret->mem, &a)) != SOUK_OK ||
	    (r = business_calendar_load_revision(
		 tx, str_c(x->seller_id), x->calendar, ret->mem, &c)) != SOUK_OK)
		return r;
	ret->product = p.title;
	ret->seller = a.name;
	ret->zone = c.times.zone;
	guid_format(&x->id, ret->id);
	return calendar_new(&(struct calendar_spec){ .zone = c.times.zone, .close = 24 * 60 },
	    &ret->calendar, NULL);
}

static void
facts_done(struct facts *k)
{
	calendar_free(k->calendar);
	arena_free(k->mem);
}

/* "2026-03-04 17:00 (Europe/Berlin)" */
static struct str
local_text(struct facts *k, instant_t t)
{
	char day[DAY_TEXT_LEN + 1];
	int minute = 0;

	day_write(calendar_local(k->calendar, t, &minute), day);
	return str_c(arena_printf(k->mem, "%s %02d:%02d (%.*s)", day, minute / 60, minute % 60,
	    (int)k->zone.n, k->zone.p));
}

enum souk_err
fulfilment_mail_buyer(struct db_tx *tx, struct vault *v, const struct tenant_scope *s,
    const struct fulfilment *x, const struct mail_kind *kind, const char *event,
    const struct fulfilment_mail_to *to, instant_t promised, struct str text, struct fail *f)
{
	bool delay = kind == &fulfilment_delay_mail;
	struct facts k;
	enum souk_err r = facts_load(tx, s, x, &k);

	if (r == SOUK_OK) {
		const struct mail_value values[] = { { "product", k.product },
			{ "seller", k.seller }, { "subscriptionId", { k.id, GUID_TEXT_LEN } },
			{ "acceptedAt", local_text(&k, x->accepted_at) },
			{ delay ? "reason" : "nextSteps", text },
			{ "promisedAt", delay ? local_text(&k, promised) : STR("") } };

		r = mail_post(tx, v,
		    &(struct mail_new){ .seller_id = str_c(x->seller_id),
			.event = str_c(event),
			.kind = kind,
			.language = to->language,
			.to = to->to,
			.reply_to = to->reply,
			.from_name = k.seller,
			.values = values,
			.n_values = COUNT(values) },
		    NULL, NULL, f);
	}
	facts_done(&k);
	return r;
}

enum souk_err
fulfilment_mail_notice(struct db_tx *tx, struct vault *v, const struct tenant_scope *s,
    const struct fulfilment *x, const struct mail_kind *kind, const char *event,
    struct str seller_id, struct fail *f)
{
	struct facts k;
	enum souk_err r = facts_load(tx, s, x, &k);

	if (r == SOUK_OK) {
		const struct mail_value values[] = { { "product", k.product },
			{ "seller", k.seller }, { "subscriptionId", { k.id, GUID_TEXT_LEN } },
			{ "acceptedAt", local_text(&k, x->accepted_at) },
			{ "dueAt", local_text(&k, x->due_at) },
			{ "what", x->state == FULFILMENT_DELAYED ? STR("the promised access")
								 : STR("first contact") } };

		r = mail_post_notice(tx, v,
		    &(struct mail_new){ .seller_id = seller_id,
			.event = str_c(event),
			.kind = kind,
			.values = values,
			.n_values = COUNT(values) },
		    NULL, f);
	}
	facts_done(&k);
	return r;
}

enum souk_err
fulfilment_mail_undelivered(struct db_tx *tx, struct vault *v, const struct tenant_scope *s,
    const struct fulfilment *x, const char *what, const char *event, struct fail *f)
{
	bool notice = strcmp(what, fulfilment_event_word(FE_DELAY_NOTICE)) == 0;
	struct facts k;
	enum souk_err r = facts_load(tx, s, x, &k);

	if (r == SOUK_OK) {
		const struct mail_value values[] = { { "product", k.product },
			{ "seller", k.seller }, { "subscriptionId", { k.id, GUID_TEXT_LEN } },
			{ "acceptedAt", local_text(&k, x->accepted_at) },
			{ "what", notice ? STR("delay notice") : STR("confirmation of access") } };

		r = mail_post_notice(tx, v,
		    &(struct mail_new){ .seller_id = str_c(x->seller_id),
			.event = str_c(event),
			.kind = &fulfilment_undelivered_mail,
			.values = values,
			.n_values = COUNT(values) },
		    NULL, f);
	}
	facts_done(&k);
	return r;
}
