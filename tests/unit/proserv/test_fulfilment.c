/* SPDX-License-Identifier: Apache-2.0 */
/* Fulfilments in the database: opened once for each subscription to services, looked at once for each end. */
#include "unit/market/market_test.h"

#include "base/secret.h"
#include "delivery/mail_bounce.h"
#include "proserv/business_calendar.h"
#include "proserv/fulfilment_evidence.h"
#include "proserv/fulfilment_int.h"
#include "proserv/fulfilment_mail.h"

#include <unistd.h>

#define SERVICES_ID "33333333-3333-4333-8333-333333333333"
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct fulfilment_rules rules = { .remind_ms = 24 * HOUR_MS, .escalate_ms = HOUR_MS };
static const struct job_kind kinds[] = {
	{ .kind = FULFILMENT_JOB,
	    .metric = 0,
	    .backoff_ms = 1,
	    .backoff_max_ms = 1,
	    .lease_ms = MINUTE_MS,
	    .run = fulfilment_job },
	{ .kind = FULFILMENT_TIMER_JOB,
	    .metric = 0,
	    .backoff_ms = 1,
	    .backoff_max_ms = 1,
	    .lease_ms = MINUTE_MS,
	    .run = fulfilment_job_timer },
	{ .kind = MAIL_UNDELIVERED_JOB,
	    .metric = 0,
	    .backoff_ms = 1,
	    .backoff_max_ms = 1,
	    .lease_ms = MINUTE_MS,
	    .run = fulfilment_job_undelivered },
};

static size_t
run_jobs(struct world *w)
{
	size_t n = 0;

	assert_int_equal(job_run_due(w->db, kinds, COUNT(kinds), 1, &rules, &n), SOUK_OK);
	return n;
}

/* Ids from one body to the next. */
static struct guid noted;

static void
make_services(struct world *w)
{
	(void)world_product(w, "{'productId':'" SERVICES_ID "','sellerId':'" SELLER
			       "','title':'Workshop','type':'services','pricing':['contract'],"
			       "'state':'public'}");
}

static struct subscription
subscribe(struct world *w, instant_t created_at)
{
	struct subscription s = { .quantity = 1,
		.active = true,
		.kind = STR("contract"),
		.product_id = world_guid(SERVICES_ID),
		.created_at = created_at };

	memcpy(s.buyer_id, BUYER, sizeof(s.buyer_id));
	assert_int_equal(subscription_create(w->tx, &w->op, &s, world_fail(w)), SOUK_OK);
	noted = s.id;
	return s;
}

static void
new_one(struct world *w)
{
	make_services(w);
	(void)subscribe(w, 0);
}

static void
old_one(struct world *w)
{
	make_services(w);
	(void)subscribe(w, db_now(w->tx) - 20 * DAY_MS);
}

static void
carried_over(struct world *w)
{
	make_services(w);
	(void)subscribe(w, db_now(w->tx) - SUBSCRIPTION_CARRIED_OVER_MS - 1);
}

static void
barely_new(struct world *w)
{
	make_services(w);
	(void)subscribe(w, db_now(w->tx) - SUBSCRIPTION_CARRIED_OVER_MS);
}

static void
another_type(struct world *w)
{
	(void)world_product(w, "{'productId':'" SERVICES_ID "','sellerId':'" SELLER
			       "','title':'App','type':'saas','pricing':['contract'],"
			       "'state':'public'}");
	(void)subscribe(w, 0);
}

static struct fulfilment
got(struct world *w)
{
	struct fulfilment x = { .revision = 0 };

	assert_int_equal(fulfilment_get(w->tx, &w->seller, &noted, &x), SOUK_OK);
	return x;
}

static void
is_open(struct world *w)
{
	struct fulfilment x = got(w);

	assert_int_equal(x.events, 1);
	assert_int_equal(x.state, FULFILMENT_WAITING);
	assert_true(x.due_at == x.deadline && x.deadline > db_now(w->tx));
	assert_true(x.timer_at == x.deadline - rules.remind_ms);
	assert_int_equal(x.calendar, 0);
	assert_int_equal(fulfilment_get(w->tx, &w->buyer, &noted, &x), SOUK_OK);
	assert_int_equal(fulfilment_get(w->tx, &w->buyer_b, &noted, &x), SOUK_E_NOT_FOUND);
	assert_int_equal(fulfilment_get(w->tx, &w->seller_b, &noted, &x), SOUK_E_NOT_FOUND);
}

static void
is_none(struct world *w)
{
	struct fulfilment x;

	assert_int_equal(fulfilment_get(w->tx, &w->op, &noted, &x), SOUK_E_NOT_FOUND);
}

static void
put_again(struct world *w)
{
	char id[GUID_TEXT_LEN + 1], payload[120];

	guid_format(&noted, id);
	(void)snprintf(payload, sizeof(payload), "{\"subscriptionId\":\"%s\"}", id);
	for (int i = 0; i < 3; i++)
		assert_int_equal(job_put(w->tx,
				     &(struct job_new){ .kind = FULFILMENT_JOB,
					 .seller_id = STR(SELLER),
					 .payload = str_c(payload) },
				     NULL),
		    SOUK_OK);
}

static void
each_new_one_is_opened_once(void **state)
{
	struct world *w = *state;

	world_run(state, new_one);
	assert_int_equal(run_jobs(w), 1);
	world_run(state, is_open);
	world_run(state, put_again);
	assert_int_equal(run_jobs(w), 3);
	world_run(state, is_open);
	assert_int_equal(run_jobs(w), 0);
}

static void
history_has_none(void **state)
{
	world_run(state, carried_over);
	assert_int_equal(run_jobs(*state), 0);
	world_run(state, is_none);
}

static void
is_there(struct world *w)
{
	(void)got(w);
}

static void
what_is_barely_new_has_one(void **state)
{
	world_run(state, barely_new);
	assert_true(run_jobs(*state) > 0);
	world_run(state, is_there);
}

static void
other_products_have_none(void **state)
{
	world_run(state, another_type);
	assert_int_equal(run_jobs(*state), 0);
	world_run(state, is_none);
}

static void
end_it(struct world *w)
{
	struct subscription s = { .id = noted };
	bool already = true;

	assert_int_equal(
	    subscription_mark_ended(w->tx, &w->op, &s, db_now(w->tx), &already), SOUK_OK);
	assert_false(already);
}

static void
is_closed(struct world *w)
{
	struct fulfilment x = got(w);

	assert_true(x.closed_at != 0);
	assert_int_equal(x.due_at, 0);
	assert_int_equal(x.timer_at, 0);
	assert_int_equal(x.events, 2);
}

static void
an_end_closes_it(void **state)
{
	world_run(state, new_one);
	(void)run_jobs(*state);
	world_run(state, end_it);
	assert_int_equal(run_jobs(*state), 1);
	world_run(state, is_closed);
}

static void
ended_before_it_was_opened_it_is_none(void **state)
{
	world_run(state, new_one);
	world_run(state, end_it);
	assert_int_equal(run_jobs(*state), 2);
	world_run(state, is_none);
}

/* "opened overdue escalation" */
static void
kinds_of(struct world *w, char *out, size_t size)
{
	struct fulfilment x = got(w);
	struct db_stmt *st = fulfilment_event_rows(w->tx, &x);
	bool row = false;
	size_t n = 0;

	out[0] = '\0';
	while (db_step(st, &row) == SOUK_OK && row) {
		struct fulfilment_record e;

		fulfilment_event_row(st, &e);
		assert_true(n < size);
		n += (size_t)snprintf(
		    out + n, size - n, "%s%s", n > 0 ? " " : "", fulfilment_event_word(e.kind));
	}
}

static void
is_escalated(struct world *w)
{
	struct fulfilment x = got(w);
	char words[200];

	kinds_of(w, words, sizeof(words));
	assert_string_equal(words, "opened overdue escalation");
	assert_int_equal(x.reminded_at, 0); /* a reminder that comes too late is none */
	assert_int_equal(x.timer_at, 0);
}

/* A timer that another one has replaced. */
static void
put_stale_timer(struct world *w)
{
	char id[GUID_TEXT_LEN + 1], payload[120];

	guid_format(&noted, id);
	(void)snprintf(payload, sizeof(payload), "{\"subscriptionId\":\"%s\",\"at\":12345}", id);
	assert_int_equal(job_put(w->tx,
			     &(struct job_new){ .kind = FULFILMENT_TIMER_JOB,
				 .seller_id = STR(SELLER),
				 .payload = str_c(payload) },
			     NULL),
	    SOUK_OK);
}

static void
each_end_is_told_once(void **state)
{
	struct world *w = *state;

	world_run(state, old_one);
	while (run_jobs(w) > 0)
		;
	world_run(state, is_escalated);
	world_run(state, put_stale_timer);
	assert_int_equal(run_jobs(w), 1);
	world_run(state, is_escalated);
}

static void
tell(struct world *w)
{
	const struct fulfilment_contact now = { .channel = STR("phone") };
	struct fulfilment_contact at = now;
	struct fulfilment x = got(w), after;

	assert_int_equal(x.state, FULFILMENT_WAITING);
	assert_int_equal(
	    fulfilment_contact(w->tx, &rules, &w->buyer, &noted, 0, &now, &after, world_fail(w)),
	    SOUK_E_DENIED);
	assert_int_equal(
	    fulfilment_contact(w->tx, &rules, &w->seller_b, &noted, 0, &now, &after, world_fail(w)),
	    SOUK_E_NOT_FOUND);
	assert_int_equal(fulfilment_contact(w->tx, &rules, &w->seller, &noted, x.revision + 1, &now,
			     &after, world_fail(w)),
	    SOUK_E_PRECONDITION);
	/* It is overdue: one in time is the operator's to tell, to the millisecond. */
	at.at = x.deadline;
	assert_int_equal(
	    fulfilment_contact(w->tx, &rules, &w->seller, &noted, 0, &at, &after, world_fail(w)),
	    SOUK_E_INVALID);
	assert_field(w, "at");
	at.at = x.deadline + 1;
	assert_int_equal(fulfilment_contact(w->tx, &rules, &w->seller, &noted, x.revision, &at,
			     &after, world_fail(w)),
	    SOUK_OK);
	assert_int_equal(after.state, FULFILMENT_CONTACTED);
	assert_int_equal(after.due_at, 0);
	assert_int_equal(after.first_contact_at, x.deadline + 1);
	at.at = x.deadline;
	assert_int_equal(
	    fulfilment_contact(w->tx, &rules, &w->op, &noted, 0, &at, &after, world_fail(w)),
	    SOUK_OK);
	assert_int_equal(after.first_contact_at, x.deadline);
}

/* 1 millisecond late is missed; at the deadline is met: the last word of the statistics. */
static void
is_met(struct world *w)
{
	struct jw out = world_list_begin(w);

	assert_int_equal(
	    fulfilment_statistics(w->tx, &w->seller, STR(""), 0, INSTANT_MAX, &out, world_fail(w)),
	    SOUK_OK);
	assert_int_equal(world_list_end(w, &out), 1);
	assert_out(w, "\"met\":1", true);
	assert_out(w, "\"missed\":0", true);
}

static void
contacts_count_from_the_deadline_on(void **state)
{
	world_run(state, old_one);
	while (run_jobs(*state) > 0)
		;
	world_run(state, tell);
	world_run(state, is_met);
	assert_int_equal(run_jobs(*state), 0);
}

/* ---- mails that do not arrive ------------------------------------------------------------ */

static const struct fulfilment_mail_to buyer_desk = {
	.to = { .name = { "", 0 }, .mailbox = { "order@buyer.example", 19 } },
};

static void
delay(struct world *w)
{
	struct fulfilment_delay in = {
		.mail = buyer_desk, .promised = db_now(w->tx) + 9 * DAY_MS, .promised_day = DAY_NONE
	};
	struct fulfilment x;

	assert_int_equal(
	    fulfilment_delay(w->tx, &rules, &w->seller, &noted, 0, &in, &x, world_fail(w)),
	    SOUK_OK);
	assert_int_equal(x.state, FULFILMENT_DELAYED);
	assert_true(x.first_contact_at != 0);
}

static enum souk_err
grant(struct world *w, struct fulfilment *ret)
{
	const struct fulfilment_grant in = { .mail = buyer_desk, .next_steps = STR("Begin.") };

	return fulfilment_grant(w->tx, &rules, &w->seller, &noted, 0, &in, ret, world_fail(w));
}

/* A report says that the mail of event `number` did not arrive. */
static void
bounce(struct world *w, int64_t number)
{
	struct fulfilment x = got(w);
	char event[FULFILMENT_MAIL_EVENT_SIZE];
	struct mail_row m;
	struct mail_report report = {
		.kind = MAIL_REPORT_FAILED, .has_id = true, .round = 1, .status = "5.1.1"
	};
	struct mail_bounced b;

	fulfilment_mail_event(&x, number, event);
	assert_int_equal(mail_of_event(w->tx, STR(SELLER), str_c(event), w->mem, &m), SOUK_OK);
	report.id = m.id;
	assert_int_equal(mail_bounce(w->tx, &report, &b), SOUK_OK);
}

static void
bounce_3(struct world *w)
{
	bounce(w, 3);
}

static void
waits_again(struct world *w)
{
	struct fulfilment x = got(w);
	char words[200];

	kinds_of(w, words, sizeof(words));
	assert_string_equal(words, "opened contact delay_notice undelivered");
	assert_int_equal(x.state, FULFILMENT_WAITING);
	assert_int_equal(x.first_contact_at, 0);
	assert_int_equal(x.promised_at, 0);
	assert_int_equal(x.due_at, x.deadline);
	assert_true(x.timer_at != 0);
}

/* Told twice by those who put the job, or of a mail that is none of a fulfilment's. */
static void
tell_again(struct world *w)
{
	static const char *const events[] = { "fulfilment/%s/3", "fulfilment/%s/4#1",
		"fulfilment/%s/1", "else/%s/3" };
	char id[GUID_TEXT_LEN + 1], payload[120], event[80];

	guid_format(&noted, id);
	for (size_t i = 0; i < COUNT(events); i++) {
		size_t at = strcspn(events[i], "%");

		(void)snprintf(
		    event, sizeof(event), "%.*s%s%s", (int)at, events[i], id, events[i] + at + 2);
		(void)snprintf(payload, sizeof(payload), "{\"event\":\"%s\"}", event);
		assert_int_equal(job_put(w->tx,
				     &(struct job_new){ .kind = MAIL_UNDELIVERED_JOB,
					 .seller_id = STR(SELLER),
					 .payload = str_c(payload) },
				     NULL),
		    SOUK_OK);
	}
}

static void
a_notice_that_does_not_arrive_is_none(void **state)
{
	struct world *w = *state;

	world_run(state, new_one);
	(void)run_jobs(w);
	world_run(state, delay);
	world_run(state, bounce_3);
	assert_true(run_jobs(w) > 0);
	world_run(state, waits_again);
	world_run(state, tell_again);
	assert_int_equal(run_jobs(w), 4);
	world_run(state, waits_again);
}

static void
is_delayed_by_the_second(struct world *w)
{
	struct fulfilment x = got(w);
	struct fulfilment_records *all = ARENA_NEW(w->mem, struct fulfilment_records);

	assert_int_equal(fulfilment_records(w->tx, &x, w->mem, all), SOUK_OK);
	assert_int_equal(all->n, 5);
	assert_int_equal(x.state, FULFILMENT_DELAYED);
	assert_int_equal(x.first_contact_at, all->v[3].at);
	assert_int_equal(x.promised_at, all->v[3].promised);
	assert_int_equal(x.due_at, x.promised_at);
	assert_true(all->v[1].undelivered && all->v[2].undelivered && !all->v[3].undelivered);
}

static void
another_notice_goes_on_counting(void **state)
{
	world_run(state, new_one);
	(void)run_jobs(*state);
	world_run(state, delay);
	world_run(state, delay);
	world_run(state, bounce_3);
	assert_true(run_jobs(*state) > 0);
	world_run(state, is_delayed_by_the_second);
}

static void
grant_once(struct world *w)
{
	struct fulfilment x;

	assert_int_equal(grant(w, &x), SOUK_OK);
	assert_int_equal(grant(w, &x), SOUK_E_CONFLICT);
}

static void
grant_again(struct world *w)
{
	struct fulfilment before = got(w), x;
	char words[200];

	assert_int_equal(before.state, FULFILMENT_GRANTED);
	assert_int_equal(grant(w, &x), SOUK_OK);
	assert_int_equal(x.granted_at, before.granted_at);
	kinds_of(w, words, sizeof(words));
	assert_string_equal(
	    words, "opened access_granted access_confirmation undelivered access_confirmation");
	assert_int_equal(grant(w, &x), SOUK_E_CONFLICT);
}

static void
a_confirmation_that_does_not_arrive_is_sent_again(void **state)
{
	world_run(state, new_one);
	(void)run_jobs(*state);
	world_run(state, grant_once);
	world_run(state, bounce_3);
	assert_true(run_jobs(*state) > 0);
	world_run(state, grant_again);
}

/* ---- calendars ------------------------------------------------------------------------- */

#define TIMES                                                                                      \
	"\"zone\":\"Europe/"                                                                       \
	"Berlin\",\"weekend\":[\"Sat\",\"Sun\"],\"open\":\"09:00\",\"close\":\"17:00\""

/* Closed for `days` days from tomorrow's Monday on, weekends between them counted. */
static enum souk_err
set_closed(struct world *w, int days, struct business_calendar *c)
{
	day_t from = day_of(db_now(w->tx)) + 1;
	char text[DAY_TEXT_LEN + 1];
	struct buf b = { 0 };
	enum souk_err r;

	from += 7; /* the weekend before it lies ahead as well */
	while (day_weekday(from) != 1)
		from++;
	buf_add_c(&b, "{" TIMES ",\"holidays\":[");
	for (int i = 0; i < days; i++) {
		day_write(from + i, text);
		buf_printf(&b, "%s{\"date\":\"%s\"}", i > 0 ? "," : "", text);
	}
	buf_add_c(&b, "]}");
	r = business_calendar_read(buf_str(&b), day_of(db_now(w->tx)), w->mem, c, world_fail(w));
	buf_done(&b);
	assert_int_equal(r, SOUK_OK);
	return business_calendar_set(w->tx, &w->seller, STR(SELLER), 0, c, world_fail(w));
}

/* With the weekend before Monday: 58 days and 2 are 60, on a Tuesday. */
static void
may_close_for_sixty_days(struct world *w)
{
	struct business_calendar c;

	assert_int_equal(set_closed(w, 58, &c), SOUK_OK);
	assert_int_equal(c.revision, 1);
	assert_int_equal(set_closed(w, 59, &c), SOUK_E_INVALID);
	assert_field(w, "holidays");
	assert_int_equal(set_closed(w, 3600, &c), SOUK_E_INVALID);
}

static void
keeps_what_is_gone_by(struct world *w)
{
	struct business_calendar c;
	struct fulfilment x = got(w);

	assert_int_equal(x.calendar, 1);
	for (int i = 0; i < 3; i++)
		assert_int_equal(set_closed(w, 1, &c), SOUK_OK);
	assert_int_equal(c.revision, 4);
	assert_int_equal(
	    business_calendar_load_revision(w->tx, STR(SELLER), 1, w->mem, &c), SOUK_OK);
	assert_int_equal(c.revision, 1);
	assert_int_equal(
	    business_calendar_load_revision(w->tx, STR(SELLER), 3, w->mem, &c), SOUK_OK);
	assert_int_equal(c.revision, 1); /* 2 and 3 served nobody */
	assert_int_equal(business_calendar_get(w->tx, &w->op, STR(SELLER), w->mem, &c), SOUK_OK);
	assert_int_equal(c.revision, 4);
	assert_int_equal(
	    business_calendar_get(w->tx, &w->seller_b, STR(SELLER), w->mem, &c), SOUK_E_NOT_FOUND);
	assert_int_equal(
	    business_calendar_get(w->tx, &w->op, STR(BUYER), w->mem, &c), SOUK_E_NOT_FOUND);
	assert_int_equal(
	    business_calendar_set(w->tx, &w->seller, STR(SELLER), 3, &c, world_fail(w)),
	    SOUK_E_PRECONDITION);
}

static void
calendars_have_revisions(void **state)
{
	world_run(state, may_close_for_sixty_days);
	world_run(state, new_one);
	(void)run_jobs(*state);
	world_run(state, keeps_what_is_gone_by);
}

static void
calendars_are_read_strictly(void **state)
{
	static const struct {
		const char *text, *field;
	} wrong[] = {
		{ "{" TIMES ",\"holidays\":[{\"name\":\"x\"}]}", "holidays/0/date" },
		{ "{" TIMES ",\"holidays\":[{\"date\":\"2026-12-25\"},{\"date\":\"x\"}]}",
		    "holidays/1/date" },
		{ "{" TIMES ",\"holidays\":[{\"date\":\"2026-12-25\",\"name\":\"a\\nb\"}]}",
		    "holidays/0/name" },
		{ "{" TIMES ",\"icalendar\":\"nonsense\"}", "icalendar line 1" },
		{ "{\"zone\":\"UTC\",\"open\":\"09:00\",\"close\":\"17:00\"}", "weekend" },
		{ "{\"zone\":\"UTC\",\"weekend\":[\"Someday\"],\"open\":\"09:00\",\"close\":\"17:"
		  "00\"}",
		    "weekend/0" },
		{ "{\"zone\":\"UTC\",\"weekend\":[],\"open\":\"17:00\",\"close\":\"17:00\"}",
		    "close" },
		{ "{\"zone\":\"UTC\",\"weekend\":[],\"close\":\"17:00\"}", "open" },
		{ "{\"weekend\":[],\"open\":\"09:00\",\"close\":\"17:00\"}", "zone" },
	};
	struct arena *mem = arena_new((size_t)1 << 20);

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct fail f = { .err = SOUK_OK };
		struct business_calendar c;

		if (business_calendar_read(str_c(wrong[i].text), 20000, mem, &c, &f) !=
			SOUK_E_INVALID ||
		    strcmp(f.entry[0].field, wrong[i].field) != 0)
			fail_msg("row %zu: %s", i, f.entry[0].field);
	}
	arena_free(mem);
}

/* ---- the clock ------------------------------------------------------------------------- */

static void
a_verdict_is_exact(void **state)
{
	const instant_t deadline = 1000, before = 1000, after = 1001;
	struct fulfilment_event e[] = { { .kind = EVENT_CONTACT, .has_at = true, .at = 1001 },
		{ .kind = EVENT_ACCESS_GRANTED, .has_at = true, .at = 1000 },
		{ .kind = EVENT_DELAY_NOTICE,
		    .has_at = true,
		    .at = 1000,
		    .has_promised = true,
		    .promised = 5000 } };
	struct listing_fulfilment f = { .has_accepted = true, .events = e };
	struct fulfilment_verdict v;

	(void)state;
	assert_int_equal(fulfilment_judge(&f, deadline, &before).contact, FIRST_CONTACT_OPEN);
	assert_int_equal(fulfilment_judge(&f, deadline, NULL).contact, FIRST_CONTACT_UNKNOWN);
	v = fulfilment_judge(&f, deadline, &after);
	assert_int_equal(v.contact, FIRST_CONTACT_MISSED);
	assert_int_equal(v.late_ms, 1);
	assert_int_equal(v.notice, DELAY_NOTICE_MISSING);
	f.n_events = 1;
	assert_int_equal(fulfilment_judge(&f, deadline, NULL).contact, FIRST_CONTACT_MISSED);
	f.n_events = 2; /* access counts as contact */
	v = fulfilment_judge(&f, deadline, NULL);
	assert_int_equal(v.contact, FIRST_CONTACT_MET);
	assert_int_equal(v.contact_at, 1000);
	assert_int_equal(v.notice, DELAY_NOTICE_MISSING);
	assert_false(fulfilment_confirmed(&f, 1));
	f.n_events = 3;
	assert_int_equal(fulfilment_judge(&f, deadline, NULL).notice, DELAY_NOTICE_SENT);
	e[2].at = 1001;
	assert_int_equal(fulfilment_judge(&f, deadline, NULL).notice, DELAY_NOTICE_UNUSABLE);
}

/* What mails are sealed with. */
static char keys[] = "/tmp/souk-fulfilment-XXXXXX";
static struct config *config;

static int
make_vault(void **state)
{
	char path[80];

	(void)state;
	assert_int_equal(secret_process_init(), SOUK_OK);
	assert_non_null(mkdtemp(keys));
	(void)snprintf(path, sizeof(path), "%s/souk.ini", keys);
	assert_int_equal(config_load(path, &config, NULL), SOUK_OK);
	(void)snprintf(path, sizeof(path), "%s/keyring.json", keys);
	assert_int_equal(vault_ring_create(path, NULL), SOUK_OK);
	assert_int_equal(vault_open(config, keys, &rules.vault, NULL), SOUK_OK);
	return 0;
}

static int
drop_vault(void **state)
{
	char path[80];

	(void)state;
	vault_close(rules.vault);
	config_free(config);
	(void)snprintf(path, sizeof(path), "%s/keyring.json", keys);
	(void)unlink(path);
	return rmdir(keys);
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_WORLD(each_new_one_is_opened_once),
		IN_WORLD(history_has_none),
		IN_WORLD(what_is_barely_new_has_one),
		IN_WORLD(other_products_have_none),
		IN_WORLD(an_end_closes_it),
		IN_WORLD(ended_before_it_was_opened_it_is_none),
		IN_WORLD(each_end_is_told_once),
		IN_WORLD(contacts_count_from_the_deadline_on),
		IN_WORLD(a_notice_that_does_not_arrive_is_none),
		IN_WORLD(another_notice_goes_on_counting),
		IN_WORLD(a_confirmation_that_does_not_arrive_is_sent_again),
		IN_WORLD(calendars_have_revisions),
		cmocka_unit_test(calendars_are_read_strictly),
		cmocka_unit_test(a_verdict_is_exact),
	};

	return cmocka_run_group_tests(tests, make_vault, drop_vault);
}
