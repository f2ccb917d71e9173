/* SPDX-License-Identifier: Apache-2.0 */
/* The job that sends: what it records, when it gives up, what it leaves alone; reports that come back. */
#include "delivery/mail_job.h"

#include "delivery/mail_bounce.h"
#include "delivery/mail_store.h"
#include "smtp.h"
#include "world.h"

#include <sys/stat.h>

static const struct mail_place places[] = { { .name = "date", .about = "when" } };
static const struct mail_kind kind = { .name = "test.delay",
	.about = "for the test",
	.places = places,
	.n_places = 1,
	.deflt = { STR("Delay"), STR("until {{date}}"), STR("") } };

struct run {
	struct world *w;
	struct mail_sender *sender;
	const char *to;
	struct guid id;
	struct mail_row row;
	struct mail_report report;
	struct mail_bounced bounced;
	size_t n;
	int undelivered; /* how often somebody was told of it */
	bool steal;      /* the job's lease, before the mail is settled */
};

static enum souk_err
post(struct db_tx *tx, void *arg)
{
	struct run *x = arg;
	struct mail_value v = { "date", STR("2026-03-05") };
	char event[16];

	(void)snprintf(event, sizeof(event), "e/%zu", x->n);
	return mail_post(tx, x->w->vault,
	    &(struct mail_new){ .seller_id = SELLER,
		.event = str_c(event),
		.kind = &kind,
		.to = { STR(""), str_c(x->to) },
		.values = &v,
		.n_values = 1 },
	    &x->id, NULL, NULL);
}

static enum souk_err
load(struct db_tx *tx, void *arg)
{
	struct run *x = arg;

	return mail_row_load(tx, SELLER, &x->id, x->w->mem, &x->row);
}

static enum job_outcome
run_mail(void *ctx, struct db *db, const struct job *j, struct fail *f)
{
	struct run *x = ctx;

	if (x->steal)
		world_sql(x->w, "UPDATE job SET lease = NULL, state = 0");
	return mail_job_send(x->sender, db, j, f);
}

static enum souk_err
bury(void *ctx, struct db_tx *tx, const struct job *j, const struct fail *f)
{
	(void)ctx;
	return mail_job_dead(tx, j, f);
}

static enum souk_err
finish(struct db_tx *tx, void *arg)
{
	return job_finish(tx, arg);
}

/* Who relied on the mail hears of it. */
static enum job_outcome
hear_undelivered(void *ctx, struct db *db, const struct job *j, struct fail *f)
{
	struct run *x = ctx;
	struct job ended = *j;

	(void)f;
	assert_string_equal(j->seller_id, "000000000101");
	assert_true(str_eq(j->payload, STR("{\"event\":\"e/0\"}")));
	x->undelivered++;
	assert_ok(db_write(db, finish, &ended));
	return JOB_DONE;
}

/* Runs what is due once: pauses are long. */
static void
run_due(struct run *x, int attempts)
{
	struct job_kind kinds[] = { { .kind = MAIL_JOB,
					.attempts = attempts,
					.backoff_ms = HOUR_MS,
					.backoff_max_ms = HOUR_MS,
					.run = run_mail,
					.dead = bury },
		{ .kind = MAIL_UNDELIVERED_JOB, .attempts = 1, .run = hear_undelivered } };

	assert_ok(job_run_due(x->w->db, kinds, 2, 8, x, &x->n));
	IN_READ(x->w, load, x);
}

static void
set(struct world *w, enum setting_id id, const char *value)
{
	assert_ok(config_set(w->config, id, value, NULL));
}

static void
write_password(struct world *w, const char *text)
{
	char path[128];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/password", w->dir);
	assert_non_null(f = fopen(path, "w"));
	assert_int_equal(fputs(text, f) >= 0, 1);
	assert_int_equal(fclose(f), 0);
	set(w, SET_MAIL_PASSWORD_FILE, path);
}

static struct run
with_server(struct world *w, const struct server *s)
{
	struct run x = { .w = w, .to = "ann@buyer.example" };

	set(w, SET_MAIL_SERVER, s->url);
	set(w, SET_MAIL_CA_FILE, s->cert);
	set(w, SET_MAIL_USER, "souk");
	set(w, SET_MAIL_FROM, "market@souk.example");
	write_password(w, "pw\n");
	assert_ok(mail_sender_new(w->vault, w->config, &x.sender, NULL));
	assert_true(mail_sender_has_server(x.sender));
	return x;
}

#define jobs(w, where) world_int((w), "SELECT count(*) FROM job WHERE " where)

/* ---- sending ---- */

static void
sends_once_and_records(void **state)
{
	struct world *w = *state;
	struct server s;
	struct run x;

	server_start(&s, "smtp", NULL);
	x = with_server(w, &s);
	IN_WRITE(w, post, &x);
	run_due(&x, 100);
	assert_int_equal(x.row.state, MAIL_SENT);
	assert_int_equal(x.row.status, 250);
	assert_int_equal(x.row.attempts, 1);
	assert_true(x.row.sent_at > 0 && x.row.tried_at == x.row.sent_at);
	assert_int_equal(jobs(w, "state = 2"), 1);
	/* A job that comes late, for it or for a round that is over, finds nothing to do. */
	world_sql(w, "UPDATE job SET state = 0, attempts = 0, finished_at = NULL");
	run_due(&x, 100);
	assert_int_equal(x.n, 1);
	world_sql(w, "UPDATE job SET state = 0, attempts = 0, finished_at = NULL");
	world_sql(w, "UPDATE mail SET state = 0, round = 2");
	run_due(&x, 100);
	assert_int_equal(x.row.state, MAIL_WAITING);
	assert_int_equal(x.row.attempts, 1);
	mail_sender_free(x.sender);
	assert_int_equal(server_stop(&s), 1);
}

static void
who_lost_the_lease_sends_nothing(void **state)
{
	struct world *w = *state;
	struct server s;
	struct run x;

	server_start(&s, "smtp", NULL);
	x = with_server(w, &s);
	IN_WRITE(w, post, &x);
	x.steal = true;
	world_sql(w, "UPDATE job SET attempts = 98"); /* or it would be taken again and again */
	run_due(&x, 100);
	assert_int_equal(server_mails(&s), 0);
	mail_sender_free(x.sender);
	(void)server_stop(&s);
}

static void
tries_again_until_it_has_failed(void **state)
{
	struct world *w = *state;
	struct server s;
	struct run x;

	server_start(&s, "smtp", NULL);
	x = with_server(w, &s);
	x.to = "later@buyer.example";
	IN_WRITE(w, post, &x);
	run_due(&x, 100);
	assert_int_equal(x.row.state, MAIL_WAITING);
	assert_int_equal(x.row.status, 451);
	assert_int_equal(x.row.attempts, 1);
	assert_int_equal(jobs(w, "state = 0"), 1);
	assert_int_equal(x.undelivered, 0);
	/* An hour before its time is up it is tried still. */
	world_sql(w, "UPDATE mail SET since = since - 119 * 3600000");
	world_sql(w, "UPDATE job SET run_after = 0");
	run_due(&x, 100);
	assert_int_equal(x.row.state, MAIL_WAITING);
	world_sql(w, "UPDATE mail SET since = since - 3600000");
	world_sql(w, "UPDATE job SET run_after = 0");
	run_due(&x, 100);
	assert_int_equal(x.row.state, MAIL_FAILED);
	assert_int_equal(x.row.attempts, 3);
	assert_true(x.row.reason.n > 0);
	assert_int_equal(jobs(w, "state = 3"), 1);
	assert_int_equal(x.undelivered, 1);
	mail_sender_free(x.sender);
	(void)server_stop(&s);
}

static void
refused_is_bounced_at_once(void **state)
{
	struct world *w = *state;
	struct server s;
	struct run x;

	server_start(&s, "smtp", NULL);
	x = with_server(w, &s);
	x.to = "never@buyer.example";
	IN_WRITE(w, post, &x);
	run_due(&x, 100);
	assert_int_equal(x.row.state, MAIL_BOUNCED);
	assert_int_equal(x.row.status, 550);
	assert_true(x.row.bounced_at > 0);
	assert_int_equal(x.row.sent_at, 0);
	assert_int_equal(jobs(w, "kind = 'mail' AND state = 2"), 1);
	assert_int_equal(x.undelivered, 1);
	run_due(&x, 100);
	assert_int_equal(x.undelivered, 1);
	mail_sender_free(x.sender);
	(void)server_stop(&s);
}

static void
a_job_that_dies_takes_its_mail_along(void **state)
{
	struct world *w = *state;
	struct server s;
	struct run x;

	server_start(&s, "smtp", NULL);
	x = with_server(w, &s);
	IN_WRITE(w, post, &x);
	world_sql(w, "UPDATE job SET attempts = 3");
	run_due(&x, 3);
	assert_int_equal(x.row.state, MAIL_FAILED);
	assert_non_null(memmem(x.row.reason.p, x.row.reason.n, "worker", 6));
	assert_int_equal(x.undelivered, 1);
	mail_sender_free(x.sender);
	assert_int_equal(server_stop(&s), 0);
}

static enum souk_err
erase(struct db_tx *tx, void *arg)
{
	struct run *x = arg;

	return mail_erase(tx, &x->w->seller, &x->id);
}

static void
what_is_erased_is_not_sent(void **state)
{
	struct world *w = *state;
	struct server s;
	struct run x;

	server_start(&s, "smtp", NULL);
	x = with_server(w, &s);
	IN_WRITE(w, post, &x);
	IN_WRITE(w, erase, &x);
	run_due(&x, 100);
	assert_int_equal(x.row.state, MAIL_WITHDRAWN);
	assert_int_equal(jobs(w, "state = 2"), 1);
	mail_sender_free(x.sender);
	assert_int_equal(server_stop(&s), 0);
}

/* ---- without a server ---- */

static enum souk_err
unpark(struct db_tx *tx, void *arg)
{
	struct run *x = arg;

	return mail_unpark(tx, 2, &x->n);
}

static enum souk_err
count(struct db_tx *tx, void *arg)
{
	return mail_count(tx, arg);
}

static void
waits_without_a_server(void **state)
{
	struct world *w = *state;
	struct run x = { .w = w, .to = "ann@buyer.example" };
	struct mail_counts n;

	assert_ok(mail_sender_new(w->vault, w->config, &x.sender, NULL));
	assert_false(mail_sender_has_server(x.sender));
	for (x.n = 0; x.n < 3;) {
		size_t i = x.n;

		IN_WRITE(w, post, &x);
		x.n = i + 1;
	}
	run_due(&x, 100);
	assert_int_equal(x.row.state, MAIL_WAITING);
	assert_true(x.row.parked);
	assert_int_equal(x.row.attempts, 0);
	assert_int_equal(jobs(w, "state = 2"), 3);
	IN_READ(w, count, &n);
	assert_int_equal(n.waiting, 3);
	assert_int_equal(n.parked, 3);
	/* The wait does not count as time that it could not be sent. */
	world_sql(w, "UPDATE mail SET since = 5");
	IN_WRITE(w, unpark, &x);
	assert_int_equal(x.n, 2);
	IN_WRITE(w, unpark, &x);
	assert_int_equal(x.n, 1);
	IN_WRITE(w, unpark, &x);
	assert_int_equal(x.n, 0);
	assert_int_equal(jobs(w, "state = 0"), 3);
	assert_int_equal(world_int(w, "SELECT count(*) FROM mail WHERE since > 5"), 3);
	mail_sender_free(x.sender);
}

static void
settings_that_cannot_work_are_named(void **state)
{
	static const struct {
		const char *server, *from, *user, *password, *bounces, *field;
	} bad[] = {
		{ "http://mail.example", "m@souk.example", "", "", "", "mail.server" },
		{ "smtp://mail.example", "", "", "", "", "mail.from" },
		{ "smtp://mail.example", "market", "", "", "", "mail.from" },
		{ "smtp://mail.example", "m@souk.example", "souk", "", "", "mail.password-file" },
		{ "smtp://mail.example", "m@souk.example", "", "pw", "", "mail.user" },
		{ "smtp://mail.example", "m@souk.example", "souk", "a\nb\n", "",
		    "mail.password-file" },
		{ "smtp://mail.example", "m@souk.example", "", "", "b", "mail.bounces-to" },
	};
	struct world *w = *state;
	struct mail_sender *sender;

	for (size_t i = 0; i < COUNT(bad); i++) {
		struct fail f = { .err = SOUK_OK };

		set(w, SET_MAIL_SERVER, bad[i].server);
		set(w, SET_MAIL_FROM, bad[i].from);
		set(w, SET_MAIL_USER, bad[i].user);
		set(w, SET_MAIL_BOUNCES_TO, bad[i].bounces);
		set(w, SET_MAIL_PASSWORD_FILE, "");
		if (bad[i].password[0])
			write_password(w, bad[i].password);
		assert_err(SOUK_E_INVALID, mail_sender_new(w->vault, w->config, &sender, &f));
		assert_string_equal(f.entry[0].field, bad[i].field);
	}
}

/* ---- what comes back ---- */

static enum souk_err
bounce(struct db_tx *tx, void *arg)
{
	struct run *x = arg;

	return mail_bounce(tx, &x->report, &x->bounced);
}

static enum mail_bounce
reported(struct run *x, enum mail_report_kind what, int round)
{
	x->report = (struct mail_report){
		.kind = what, .has_id = true, .id = x->id, .round = round, .status = "5.1.1"
	};
	IN_WRITE(x->w, bounce, x);
	IN_READ(x->w, load, x);
	return x->bounced.what;
}

static void
reports_change_the_mail_they_are_about(void **state)
{
	struct world *w = *state;
	struct run x = { .w = w, .to = "ann@buyer.example" };

	IN_WRITE(w, post, &x);
	assert_int_equal(reported(&x, MAIL_REPORT_NONE, 1), MAIL_BOUNCE_NO_REPORT);
	assert_int_equal(reported(&x, MAIL_REPORT_FAILED, 2), MAIL_BOUNCE_KNOWN);
	assert_int_equal(reported(&x, MAIL_REPORT_DELAYED, 1), MAIL_BOUNCE_DELAYED);
	assert_int_equal(x.row.state, MAIL_WAITING);
	assert_int_equal(jobs(w, "kind = 'mail-undelivered'"), 0);
	/* It is on its way although we never got the answer: it is not to be sent again. */
	assert_int_equal(reported(&x, MAIL_REPORT_FAILED, 1), MAIL_BOUNCE_RECORDED);
	assert_int_equal(x.row.state, MAIL_BOUNCED);
	assert_string_equal(x.bounced.seller_id, "000000000101");
	assert_int_equal(reported(&x, MAIL_REPORT_FAILED, 1), MAIL_BOUNCE_KNOWN);
	assert_int_equal(jobs(w, "kind = 'mail-undelivered'"), 1);
	x.id = guid_new();
	x.report.id = x.id;
	x.report.has_id = true;
	IN_WRITE(w, bounce, &x);
	assert_int_equal(x.bounced.what, MAIL_BOUNCE_UNKNOWN);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, world_make, world_remove)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sends_once_and_records),
		TEST(who_lost_the_lease_sends_nothing),
		TEST(tries_again_until_it_has_failed),
		TEST(refused_is_bounced_at_once),
		TEST(a_job_that_dies_takes_its_mail_along),
		TEST(what_is_erased_is_not_sent),
		TEST(waits_without_a_server),
		TEST(settings_that_cannot_work_are_named),
		TEST(reports_change_the_mail_they_are_about),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
