/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sending.
 *
 * The danger is a mail that goes out twice. The server's answer and our commit cannot be one step; between
 * them is nothing but the commit itself.
 */
#include "delivery/mail_job.h"

#include "base/email.h"
#include "base/io.h"
#include "base/secret.h"
#include "delivery/mail_int.h"
#include "delivery/mail_message.h"
#include "delivery/mail_round.h"
#include "delivery/mail_smtp.h"
#include "delivery/mail_store.h"

#include <stdio.h>
#include <stdlib.h>

#define PASSWORD_MAX 1024
#define RUN_ARENA (3 * MAIL_SEALED_MAX)
#define DEAD_ARENA ((size_t)64 << 10)

struct mail_sender {
	struct vault *vault;
	struct mailer *mailer; /* NULL: no server */
	struct mail_party from;
	struct buf envelope; /* where reports go */
	int64_t give_up_ms;
};

/* ---- the settings ---- */

static enum souk_err
read_password(const char *path, char out[PASSWORD_MAX], struct fail *f)
{
	struct buf b = { 0 };
	struct str s;
	enum souk_err r = SOUK_OK;

	out[0] = '\0';
	if (path[0] != '\0' && (r = io_read_file(path, PASSWORD_MAX - 1, &b, f)) == SOUK_OK) {
		s = str_trim(buf_str(&b));
		if (s.n == 0 || memchr(s.p, '\0', s.n) || memchr(s.p, '\n', s.n))
			r = fail_field(f, "mail.password-file", "does not hold one line",
			    "write the password into it and nothing else");
		else
			*(char *)mempcpy(out, s.p, s.n) = '\0';
	}
	if (b.n > 0)
		wipe(b.p, b.n);
	buf_done(&b);
	return r;
}

static enum souk_err
check_from(struct mail_sender *s, const struct config *c, struct fail *f)
{
	struct str to = str_c(config_text(c, SET_MAIL_BOUNCES_TO));
	bool utf8 = false;
	enum souk_err r;

	s->from = (struct mail_party){ str_c(config_text(c, SET_MAIL_FROM_NAME)),
		str_c(config_text(c, SET_MAIL_FROM)) };
	if ((r = mail_party_check(&s->from, "mail.from", f)) != SOUK_OK)
		return r;
	r = mail_wire_address(to.n > 0 ? to : s->from.mailbox, &s->envelope, &utf8);
	return r == SOUK_E_INVALID ? fail_field(f, "mail.bounces-to", "is no address",
					 "give one like bounces@market.example")
				   : r;
}

static enum souk_err
open_server(struct mail_sender *s, const struct config *c, struct fail *f)
{
	char password[PASSWORD_MAX];
	struct mail_rules rules = { .url = config_text(c, SET_MAIL_SERVER),
		.user = config_text(c, SET_MAIL_USER),
		.password = password,
		.ca_file = config_text(c, SET_MAIL_CA_FILE),
		.plain = config_bool(c, SET_MAIL_PLAIN),
		.timeout_ms = config_int(c, SET_MAIL_TIMEOUT_SECONDS) * SECOND_MS };
	enum souk_err r;

	if ((r = mail_rules_check(&rules, f)) != SOUK_OK || (r = check_from(s, c, f)) != SOUK_OK ||
	    (r = read_password(config_text(c, SET_MAIL_PASSWORD_FILE), password, f)) != SOUK_OK)
		return r;
	if ((rules.user[0] != '\0') != (password[0] != '\0'))
		r = fail_field(f, rules.user[0] ? "mail.password-file" : "mail.user", "is missing",
		    "give both, or neither");
	else
		r = mailer_new(&rules, &s->mailer);
	wipe(password, sizeof(password));
	return r;
}

enum souk_err
mail_sender_new(struct vault *v, const struct config *c, struct mail_sender **ret, struct fail *f)
{
	struct mail_sender *s = calloc(1, sizeof(*s));
	enum souk_err r = SOUK_OK;

	if (!s)
		return fail_set(f, SOUK_E_NOMEM, "out_of_memory", "no memory for mails");
	s->vault = v;
	s->give_up_ms = config_int(c, SET_MAIL_GIVE_UP_HOURS) * HOUR_MS;
	if (config_text(c, SET_MAIL_SERVER)[0] != '\0')
		r = open_server(s, c, f);
	if (r != SOUK_OK) {
		mail_sender_free(s);
		return r;
	}
	*ret = s;
	return SOUK_OK;
}

void
mail_sender_free(struct mail_sender *s)
{
	if (!s)
		return;
	mailer_free(s->mailer);
	buf_done(&s->envelope);
	free(s);
}

bool
mail_sender_has_server(const struct mail_sender *s)
{
	return s && s->mailer;
}

/* ---- one run ---- */

struct sending {
	const struct mail_sender *sender;
	const struct job *job;
	struct arena *mem;
	int round;  /* that the job is for */
	bool idle;  /* nothing is left to be sent */
	bool again; /* `settle`: not now */
	struct mail_row row;
	struct mail_content content;
	struct mail_answer answer;
	struct fail *fail;
};

static bool
read_round(const struct job *j, int *ret)
{
	struct json_member m = { .name = "round", .kind = JSON_K_INT, .required = true };
	json_t *o = NULL;
	bool ok =
	    json_read(j->payload, &o, NULL) == SOUK_OK && json_take(o, &m, 1, NULL) == SOUK_OK;

	if (ok)
		*ret = (int)json_integer_value(m.got);
	json_decref(o);
	return ok;
}

static enum souk_err
load(struct db_tx *tx, void *arg)
{
	struct sending *x = arg;
	struct str seller = str_c(x->job->seller_id);
	enum souk_err r;

	arena_reset(x->mem);
	x->idle = false;
	if ((r = job_check(tx, x->job)) != SOUK_OK)
		return r;
	r = mail_row_load(tx, seller, &x->job->request_id, x->mem, &x->row);
	if (r == SOUK_OK && x->row.state == MAIL_WAITING && x->row.round == x->round) {
		r = mail_open(
		    tx, x->sender->vault, seller, &x->job->request_id, x->mem, &x->content);
		/* Erased right now: NOT_FOUND. */
	} else if (r == SOUK_OK) {
		x->idle = true;
	}
	if (r == SOUK_E_NOT_FOUND) {
		x->idle = true;
		r = SOUK_OK;
	}
	return r;
}

static enum souk_err
finish(struct db_tx *tx, void *arg)
{
	const struct sending *x = arg;

	return job_finish(tx, x->job);
}

/* There is no server here: the mail waits without a job. */
static enum souk_err
park(struct db_tx *tx, void *arg)
{
	struct sending *x = arg;
	struct mail_row m;
	enum souk_err r;

	r = mail_lock(tx, str_c(x->job->seller_id), &x->job->request_id, x->mem, &m);
	if (r == SOUK_OK && m.state == MAIL_WAITING && m.round == x->round) {
		m.parked = true;
		r = mail_row_set(tx, &m);
	}
	if (r != SOUK_OK && r != SOUK_E_NOT_FOUND)
		return r;
	return job_finish(tx, x->job);
}

static void
send_it(struct sending *x)
{
	const struct mail_sender *s = x->sender;
	struct buf bytes = { 0 }, to = { 0 };
	struct mail_message m = { .id = x->row.id,
		.round = x->row.round,
		.date = x->row.created_at,
		.from = s->from,
		.to = x->content.to,
		.reply_to = x->content.reply_to,
		.parts = x->content.parts };
	struct mail_envelope e = { .from = buf_str(&s->envelope) };
	struct fail why = { .err = SOUK_OK };
	bool to_utf8 = false;

	if (x->content.from_name.n > 0)
		m.from.name = x->content.from_name;
	if (mail_message_build(&m, &bytes, &e.utf8, &why) != SOUK_OK ||
	    mail_wire_address(x->content.to.mailbox, &to, &to_utf8) != SOUK_OK) {
		x->answer = (struct mail_answer){ .outcome = MAIL_LATER };
		(void)snprintf(x->answer.reason, sizeof(x->answer.reason),
		    "the mail could not be written (%.40s)",
		    why.n > 0 ? why.entry[0].field : souk_err_word(why.err));
	} else {
		e.message = buf_str(&bytes);
		e.to = buf_str(&to);
		mailer_send(s->mailer, &e, &x->answer);
	}
	if (bytes.n > 0)
		wipe(bytes.p, bytes.n);
	buf_done(&bytes);
	buf_done(&to);
}

/* What came of it. A report or an erasure may have been faster than this record. */
static enum souk_err
note(struct sending *x, struct mail_row *m, instant_t now)
{
	m->attempts++;
	m->tried_at = now;
	m->status = (int)x->answer.status;
	m->reason = str_c(x->answer.outcome == MAIL_DONE ? "" : x->answer.reason);
	if (x->answer.outcome == MAIL_DONE) {
		m->sent_at = now;
		if (m->state == MAIL_WAITING || m->state == MAIL_WITHDRAWN)
			m->state = MAIL_SENT;
	} else if (m->state != MAIL_WAITING) {
		return SOUK_OK;
	} else if (x->answer.outcome == MAIL_REFUSED) {
		m->state = MAIL_BOUNCED;
		m->bounced_at = now;
	} else if (now - m->since >= x->sender->give_up_ms) {
		m->state = MAIL_FAILED;
	} else {
		x->again = true;
	}
	return SOUK_OK;
}

static enum souk_err
settle(struct db_tx *tx, void *arg)
{
	struct sending *x = arg;
	struct mail_row m;
	enum souk_err r;

	x->again = false;
	if ((r = mail_lock(tx, x->row.seller_id, &x->row.id, x->mem, &m)) != SOUK_OK)
		return r;
	if (m.round == x->round) {
		bool waited = m.state == MAIL_WAITING;

		if ((r = note(x, &m, db_now(tx))) != SOUK_OK ||
		    (r = mail_row_set(tx, &m)) != SOUK_OK)
			return r;
		if (waited && (m.state == MAIL_BOUNCED || m.state == MAIL_FAILED) &&
		    (r = mail_put_undelivered(tx, &m)) != SOUK_OK)
			return r;
	}
	if (x->again)
		return job_check(tx, x->job);
	return m.state == MAIL_FAILED ? job_kill(tx, x->job, x->answer.reason)
				      : job_finish(tx, x->job);
}

static enum job_outcome
end_with(struct sending *x, enum souk_err r)
{
	if (r == SOUK_OK)
		return JOB_DONE;
	(void)fail_set(x->fail, r, "mail_not_recorded", "the mail could not be read or recorded");
	return JOB_RETRY;
}

static enum job_outcome
run(struct sending *x, struct db *db)
{
	enum souk_err r;

	if (!x->sender->mailer)
		return end_with(x, db_write(db, park, x));
	if ((r = db_read(db, load, x)) != SOUK_OK)
		return end_with(x, r);
	if (x->idle)
		return end_with(x, db_write(db, finish, x));
	send_it(x);
	if ((r = db_write(db, settle, x)) != SOUK_OK || !x->again)
		return end_with(x, r);
	(void)fail_set(x->fail, SOUK_E_UNAVAILABLE, "mail_later", "%s", x->answer.reason);
	return JOB_RETRY;
}

enum job_outcome
mail_job_send(void *sender, struct db *db, const struct job *j, struct fail *f)
{
	struct sending x = { .sender = sender, .job = j, .fail = f };
	enum job_outcome outcome;

	if (!read_round(j, &x.round)) {
		(void)fail_set(f, SOUK_E_INTERNAL, "bad_payload", "the job names no mail");
		return JOB_DEAD;
	}
	if (!(x.mem = arena_new(RUN_ARENA))) {
		(void)fail_set(f, SOUK_E_NOMEM, "out_of_memory", "no memory for the mail");
		return JOB_RETRY;
	}
	outcome = run(&x, db);
	arena_free(x.mem);
	return outcome;
}

enum souk_err
mail_job_dead(struct db_tx *tx, const struct job *j, const struct fail *f)
{
	struct arena *mem = arena_new(DEAD_ARENA);
	struct mail_row m;
	char reason[sizeof(f->detail)];
	int round;
	enum souk_err r;

	r = mem ? mail_lock(tx, str_c(j->seller_id), &j->request_id, mem, &m) : SOUK_E_NOMEM;
	if (r == SOUK_OK && m.state == MAIL_WAITING && read_round(j, &round) && round == m.round) {
		(void)snprintf(reason, sizeof(reason), "%s", f->detail);
		m.state = MAIL_FAILED;
		m.reason = str_c(reason);
		if ((r = mail_row_set(tx, &m)) == SOUK_OK)
			r = mail_put_undelivered(tx, &m);
	}
	arena_free(mem);
	return r == SOUK_E_NOT_FOUND ? SOUK_OK : r;
}
