/* SPDX-License-Identifier: Apache-2.0 */
/* What delivery reports change. */
#include "delivery/mail_bounce.h"

#include "delivery/mail_round.h"
#include "delivery/mail_store.h"

#define BOUNCE_ARENA ((size_t)64 << 10)

const char *
mail_bounce_word(enum mail_bounce what)
{
	static const char *const words[] = { [MAIL_BOUNCE_NO_REPORT] = "no-report",
		[MAIL_BOUNCE_UNKNOWN] = "unknown-mail",
		[MAIL_BOUNCE_KNOWN] = "known",
		[MAIL_BOUNCE_DELAYED] = "delayed",
		[MAIL_BOUNCE_RECORDED] = "recorded" };

	return words[what];
}

static void
note(struct mail_row *m, const struct mail_report *r, instant_t now)
{
	m->report = str_c(r->status);
	if (r->kind == MAIL_REPORT_DELAYED)
		return;
	m->reason = STR("a server further on could not deliver it");
	m->bounced_at = now;
	/* One that still waits was taken over, and the answer got lost. */
	if (m->state == MAIL_SENT || m->state == MAIL_WAITING)
		m->state = MAIL_BOUNCED;
	m->parked = false;
}

enum souk_err
mail_bounce(struct db_tx *tx, const struct mail_report *report, struct mail_bounced *ret)
{
	struct arena *mem = arena_new(BOUNCE_ARENA);
	struct mail_bounced b = { .id = report->id };
	struct mail_row m;
	struct str owner;
	enum souk_err r = mem ? SOUK_OK : SOUK_E_NOMEM;

	if (r == SOUK_OK && report->has_id && report->kind != MAIL_REPORT_NONE &&
	    (r = mail_row_owner(tx, &report->id, mem, &owner)) == SOUK_OK &&
	    (r = mail_lock(tx, owner, &report->id, mem, &m)) == SOUK_OK) {
		memcpy(b.seller_id, owner.p, owner.n);
		if (m.round == report->round && m.state != MAIL_BOUNCED) {
			note(&m, report, db_now(tx));
			r = mail_row_set(tx, &m);
			if (r == SOUK_OK && m.state == MAIL_BOUNCED)
				r = mail_put_undelivered(tx, &m);
			b.what = report->kind == MAIL_REPORT_FAILED ? MAIL_BOUNCE_RECORDED
								    : MAIL_BOUNCE_DELAYED;
		} else {
			b.what = MAIL_BOUNCE_KNOWN;
		}
	}
	arena_free(mem);
	if (r == SOUK_E_NOT_FOUND) {
		b.what = MAIL_BOUNCE_UNKNOWN;
		r = SOUK_OK;
	}
	if (r == SOUK_OK)
		*ret = b;
	return r;
}
