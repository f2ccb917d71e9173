/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Posting, reading, sending again and erasing mails.
 *
 * The danger is a second mail for one event: whoever changes a mail's state locks it first, and a job
 * names the round that it is for, so that a late one finds nothing to do.
 */
#include "delivery/mail.h"

#include "base/utf8.h"
#include "delivery/mail_message.h"
#include "delivery/mail_round.h"
#include "delivery/mail_store.h"
#include "delivery/scope.h"
#include "store/job.h"

#include <assert.h>
#include <stdio.h>

#define TEMPLATE_ARENA ((size_t)2 << 20)
#define MAIL_TEXTS 8 /* that are sealed */
#define MAIL_SCRATCH ((size_t)64 << 10)

/* ---- posting ---- */

static bool
event_fits(struct str event, size_t max)
{
	if (event.n == 0 || event.n > max)
		return false;
	for (size_t i = 0; i < event.n; i++)
		if (event.p[i] <= ' ' || event.p[i] > '~')
			return false;
	return true;
}

/* What a caller gets wrong shows with the first mail of its kind, not with the first template that needs it. */
static enum souk_err
check_values(const struct mail_new *m, struct fail *f)
{
	for (size_t i = 0; i < m->kind->n_places; i++) {
		const char *name = m->kind->places[i].name;
		size_t k = 0;

		while (k < m->n_values && strcmp(m->values[k].name, name) != 0)
			k++;
		if (k == m->n_values)
			return fail_set(f, SOUK_E_INVALID, "place_without_value",
			    "a mail of the kind %s needs a value for %s", m->kind->name, name);
		if (m->values[k].value.n > MAIL_VALUE_MAX || !utf8_valid(m->values[k].value))
			return fail_field(f, name, "is too long for a mail, or not UTF-8",
			    "give at most 4096 bytes of UTF-8");
	}
	return SOUK_OK;
}

static enum souk_err
check_new(const struct mail_new *m, struct fail *f)
{
	const struct mail_party from = { .name = m->from_name, .mailbox = STR("a@b.example") };
	enum souk_err r;

	if ((r = mail_party_check(&m->to, "to", f)) != SOUK_OK ||
	    (m->reply_to.mailbox.n > 0 &&
		(r = mail_party_check(&m->reply_to, "replyTo", f)) != SOUK_OK) ||
	    (r = mail_party_check(&from, "fromName", f)) != SOUK_OK)
		return r;
	return check_values(m, f);
}

/* One that was saved for an earlier edition of its kind may not fit any more: it is passed over. */
static enum souk_err
find_own(struct db_tx *tx, const struct mail_new *m, struct str owner, struct str language,
    struct arena *mem, struct mail_parts *ret)
{
	struct mail_parts own;
	enum souk_err r = mail_template_best(tx, owner, m->kind->name, language, mem, &own);

	if (r == SOUK_OK && mail_template_check(m->kind, &own, NULL) != SOUK_OK)
		r = SOUK_E_NOT_FOUND;
	if (r == SOUK_OK)
		*ret = own;
	return r;
}

static enum souk_err
find_template(struct db_tx *tx, const struct mail_new *m, struct arena *mem, struct mail_parts *ret)
{
	char language[MAIL_LANGUAGE_MAX + 1];
	enum souk_err r = SOUK_E_NOT_FOUND;

	if (!mail_language(m->language, language))
		language[0] = '\0';
	if (m->seller_id.n > 0 && !m->kind->operators)
		r = find_own(tx, m, m->seller_id, str_c(language), mem, ret);
	if (r == SOUK_E_NOT_FOUND)
		r = find_own(tx, m, STR(""), str_c(language), mem, ret);
	if (r != SOUK_E_NOT_FOUND)
		return r;
	*ret = m->kind->deflt;
	return SOUK_OK;
}

static enum souk_err
seal_new(struct vault *v, const struct mail_new *m, const struct mail_text *t,
    const struct guid *id, struct mail_sealed *ret)
{
	const struct mail_place_of at = mail_place(m->seller_id, id);
	const struct str texts[MAIL_TEXTS] = { m->to.name, m->to.mailbox, m->reply_to.name,
		m->reply_to.mailbox, m->from_name, buf_str(&t->subject), buf_str(&t->text),
		buf_str(&t->html) };

	return mail_seal(v, &at, texts, MAIL_TEXTS, ret);
}

enum souk_err
mail_put_job(struct db_tx *tx, struct str seller_id, const struct guid *id, int round)
{
	char payload[32];

	(void)snprintf(payload, sizeof(payload), "{\"round\":%d}", round);
	return job_put(tx,
	    &(struct job_new){ .kind = MAIL_JOB,
		.seller_id = seller_id,
		.request_id = id,
		.payload = str_c(payload) },
	    NULL);
}

enum souk_err
mail_put_undelivered(struct db_tx *tx, const struct mail_row *m)
{
	struct buf payload = { 0 };
	struct jw w;
	enum souk_err r;

	jw_init(&w, &payload);
	jw_open(&w, NULL, '{');
	jw_str(&w, "event", m->event);
	jw_close(&w, '}');
	r = buf_ok(&payload) ? job_put(tx,
				   &(struct job_new){ .kind = MAIL_UNDELIVERED_JOB,
				       .seller_id = m->seller_id,
				       .payload = buf_str(&payload) },
				   NULL)
			     : SOUK_E_NOMEM;
	buf_done(&payload);
	return r;
}

static enum souk_err
post_filled(struct db_tx *tx, struct vault *v, const struct mail_new *m, const struct mail_text *t,
    struct guid *ret_id, bool *ret_new)
{
	uint8_t index[VAULT_BLIND_LEN];
	struct mail_sealed sealed = { 0 };
	struct mail_put put = { .id = guid_new(),
		.seller_id = m->seller_id,
		.event = m->event,
		.kind = m->kind->name,
		.to_index = index,
		.sealed = &sealed };
	bool is_new = false;
	enum souk_err r;

	if ((r = mail_address_index(v, m->to.mailbox, index)) == SOUK_OK &&
	    (r = seal_new(v, m, t, &put.id, &sealed)) == SOUK_OK &&
	    (r = mail_row_put(tx, &put, &put.id, &is_new)) == SOUK_OK && is_new)
		r = mail_put_job(tx, m->seller_id, &put.id, 1);
	buf_done(&sealed.bytes);
	if (r == SOUK_OK && ret_id)
		*ret_id = put.id;
	if (r == SOUK_OK && ret_new)
		*ret_new = is_new;
	return r;
}

enum souk_err
mail_post(struct db_tx *tx, struct vault *v, const struct mail_new *m, struct guid *ret_id,
    bool *ret_new, struct fail *f)
{
	struct mail_text text = { 0 };
	struct mail_parts parts;
	struct arena *mem;
	enum souk_err r;

	assert(m->seller_id.n == 0 || m->seller_id.n == ACCOUNT_ID_LEN);
	assert(event_fits(m->event, MAIL_EVENT_MAX));
	if ((r = check_new(m, f)) != SOUK_OK)
		return r;
	if (!(mem = arena_new(TEMPLATE_ARENA)))
		return SOUK_E_NOMEM;
	if ((r = find_template(tx, m, mem, &parts)) == SOUK_OK &&
	    (r = mail_template_fill(&parts, m->values, m->n_values, &text, f)) == SOUK_OK)
		r = post_filled(tx, v, m, &text, ret_id, ret_new);
	mail_text_done(&text);
	arena_free(mem);
	return r;
}

enum souk_err
mail_post_notice(
    struct db_tx *tx, struct vault *v, const struct mail_new *m, size_t *ret_n, struct fail *f)
{
	struct mail_address a[MAIL_ADDRESSES_MAX];
	struct arena *mem = arena_new(MAIL_SCRATCH);
	struct mail_new one = *m;
	char event[MAIL_EVENT_MAX + 1];
	size_t n = 0, n_new = 0;
	bool is_new = false;
	enum souk_err r;

	assert(event_fits(m->event, MAIL_EVENT_MAX - 2));
	r = mem ? mail_addresses_get(tx, v, m->seller_id, mem, a, &n) : SOUK_E_NOMEM;
	for (size_t i = 0; i < n && r == SOUK_OK; i++) {
		int len =
		    snprintf(event, sizeof(event), "%.*s#%zu", (int)m->event.n, m->event.p, i + 1);

		one.event = (struct str){ event, (size_t)len };
		one.to = a[i].party;
		one.language = a[i].language;
		r = mail_post(tx, v, &one, NULL, &is_new, f);
		n_new += is_new;
	}
	arena_free(mem);
	if (r == SOUK_OK && ret_n)
		*ret_n = n_new;
	return r;
}

/* ---- reading ---- */

const char *
mail_state_word(enum mail_state s)
{
	static const char *const words[] = { [MAIL_WAITING] = "waiting",
		[MAIL_SENT] = "sent",
		[MAIL_BOUNCED] = "bounced",
		[MAIL_FAILED] = "failed",
		[MAIL_WITHDRAWN] = "withdrawn" };

	return words[s];
}

enum souk_err
mail_of_event(struct db_tx *tx, struct str seller_id, struct str event, struct arena *mem,
    struct mail_row *ret)
{
	return mail_row_of_event(tx, seller_id, event, mem, ret);
}

enum souk_err
mail_get(struct db_tx *tx, const struct tenant_scope *s, const struct guid *id, struct arena *mem,
    struct mail_row *ret)
{
	struct str owner = tenant_account(s);
	enum souk_err r = SOUK_OK;

	if (tenant_is_operator(s))
		r = mail_row_owner(tx, id, mem, &owner);
	else if (!scope_owns(s, owner) || owner.n == 0)
		return SOUK_E_NOT_FOUND;
	return r == SOUK_OK ? mail_row_load(tx, owner, id, mem, ret) : r;
}

enum souk_err
mail_open(struct db_tx *tx, struct vault *v, struct str seller_id, const struct guid *id,
    struct arena *mem, struct mail_content *ret)
{
	struct mail_place_of at = mail_place(seller_id, id);
	struct str key, sealed, t[MAIL_TEXTS];
	enum souk_err r = mail_row_sealed(tx, seller_id, id, mem, &key, &sealed);

	if (r != SOUK_OK || (r = mail_unseal(v, &at, key, sealed, mem, t, MAIL_TEXTS)) != SOUK_OK)
		return r;
	*ret = (struct mail_content){ .to = { t[0], t[1] },
		.reply_to = { t[2], t[3] },
		.from_name = t[4],
		.parts = { t[5], t[6], t[7] } };
	return SOUK_OK;
}

enum souk_err
mail_list(struct db_tx *tx, const struct tenant_scope *s, const struct mail_filter *q,
    struct page *p, struct arena *mem, struct jw *out, struct fail *f)
{
	struct mail_filter own = *q;

	if (!tenant_is_operator(s)) {
		struct str account = tenant_account(s);

		if (!tenant_is_seller(s) || account.n == 0 ||
		    (q->seller_id.p && !str_eq(q->seller_id, account)))
			return SOUK_E_NOT_FOUND;
		own.seller_id = account;
	}
	return mail_rows_list(tx, &own, p, mem, out, f);
}

static void
time_json(struct jw *out, const char *name, instant_t t)
{
	if (t != 0)
		jw_instant(out, name, t);
	else
		jw_null(out, name);
}

void
mail_row_json(const struct mail_row *m, struct jw *out)
{
	jw_guid(out, "mailId", &m->id);
	jw_str(out, "sellerId", m->seller_id);
	jw_str(out, "event", m->event);
	jw_str(out, "kind", m->kind);
	jw_c(out, "state", mail_state_word(m->state));
	jw_bool(out, "waitsForServer", m->parked);
	jw_int(out, "round", m->round);
	jw_int(out, "attempts", m->attempts);
	if (m->status != 0)
		jw_int(out, "smtpStatus", m->status);
	jw_str_opt(out, "reason", m->reason);
	jw_str_opt(out, "reportStatus", m->report);
	jw_instant(out, "createdAt", m->created_at);
	time_json(out, "triedAt", m->tried_at);
	time_json(out, "sentAt", m->sent_at);
	time_json(out, "bouncedAt", m->bounced_at);
	time_json(out, "erasedAt", m->erased_at);
}

enum souk_err
mail_count(struct db_tx *tx, struct mail_counts *ret)
{
	return mail_rows_count(tx, ret);
}

/* ---- changing ---- */

enum souk_err
mail_lock(struct db_tx *tx, struct str seller_id, const struct guid *id, struct arena *mem,
    struct mail_row *ret)
{
	enum souk_err r = lock_subject(tx, id->b, sizeof(id->b));

	return r == SOUK_OK ? mail_row_load(tx, seller_id, id, mem, ret) : r;
}

enum souk_err
mail_resend(struct db_tx *tx, const struct tenant_scope *s, const struct guid *id, struct fail *f)
{
	struct arena *mem = arena_new(MAIL_SCRATCH);
	struct mail_row m;
	enum souk_err r = mem ? mail_get(tx, s, id, mem, &m) : SOUK_E_NOMEM;

	if (r == SOUK_OK)
		r = mail_lock(tx, m.seller_id, id, mem, &m);
	if (r == SOUK_OK && m.erased_at != 0)
		r = fail_set(f, SOUK_E_CONFLICT, "mail_erased", "The mail is erased.");
	if (r == SOUK_OK && m.state == MAIL_WAITING)
		r = fail_set(
		    f, SOUK_E_CONFLICT, "mail_waiting", "The mail still waits to be sent.");
	if (r == SOUK_OK) {
		m.state = MAIL_WAITING;
		m.round++;
		m.attempts = m.status = 0;
		m.reason = m.report = STR("");
		m.since = db_now(tx);
		m.bounced_at = 0;
		if ((r = mail_row_set(tx, &m)) == SOUK_OK)
			r = mail_put_job(tx, m.seller_id, id, m.round);
	}
	arena_free(mem);
	return r;
}

static enum souk_err
erase(struct db_tx *tx, struct str seller_id, const struct guid *id, struct arena *mem)
{
	struct mail_row m;
	enum souk_err r = mail_lock(tx, seller_id, id, mem, &m);

	if (r != SOUK_OK || m.erased_at != 0)
		return r;
	if (m.state == MAIL_WAITING)
		m.state = MAIL_WITHDRAWN;
	m.parked = false;
	m.erased_at = db_now(tx);
	db_scrub(tx);
	r = mail_row_set(tx, &m);
	return r == SOUK_OK ? mail_row_erase(tx, seller_id, id) : r;
}

enum souk_err
mail_erase(struct db_tx *tx, const struct tenant_scope *s, const struct guid *id)
{
	struct arena *mem = arena_new(MAIL_SCRATCH);
	struct mail_row m;
	enum souk_err r = mem ? mail_get(tx, s, id, mem, &m) : SOUK_E_NOMEM;

	if (r == SOUK_OK)
		r = erase(tx, m.seller_id, id, mem);
	arena_free(mem);
	return r;
}

enum souk_err
mail_erase_address(struct db_tx *tx, const struct vault *v, const struct tenant_scope *s,
    struct str address, int64_t *ret_n, struct fail *f)
{
	struct str owner = tenant_is_operator(s) ? (struct str){ NULL, 0 } : tenant_account(s);
	struct arena *mem = arena_new(MAIL_SCRATCH);
	uint8_t index[VAULT_BLIND_LEN];
	struct str seller;
	struct guid id;
	int64_t n = 0;
	enum souk_err r = mem ? mail_address_index(v, address, index) : SOUK_E_NOMEM;

	if (r == SOUK_E_INVALID)
		r = fail_field(f, "address", "is not an address that mail can go to",
		    "give one like a@b.example");
	while (r == SOUK_OK &&
	       (r = mail_row_next_to(tx, owner, index, &id, mem, &seller)) == SOUK_OK &&
	       (r = erase(tx, seller, &id, mem)) == SOUK_OK) {
		n++;
		arena_reset(mem);
	}
	arena_free(mem);
	if (r != SOUK_E_NOT_FOUND)
		return r;
	*ret_n = n;
	return SOUK_OK;
}

enum souk_err
mail_erase_old(struct db_tx *tx, instant_t before, int64_t max, int64_t *ret_n)
{
	struct arena *mem = arena_new(MAIL_SCRATCH);
	struct str seller;
	struct guid id;
	int64_t n = 0;
	enum souk_err r = mem ? SOUK_OK : SOUK_E_NOMEM;

	for (; n < max && r == SOUK_OK; n++) {
		if ((r = mail_row_next_old(tx, before, &id, mem, &seller)) != SOUK_OK ||
		    (r = erase(tx, seller, &id, mem)) != SOUK_OK)
			break;
		arena_reset(mem);
	}
	arena_free(mem);
	if (r != SOUK_OK && r != SOUK_E_NOT_FOUND)
		return r;
	*ret_n = n;
	return SOUK_OK;
}

enum souk_err
mail_unpark(struct db_tx *tx, size_t max, size_t *ret_n)
{
	struct arena *mem = arena_new(MAIL_SCRATCH);
	struct mail_row m;
	struct str seller;
	struct guid id;
	size_t n = 0;
	enum souk_err r = mem ? SOUK_OK : SOUK_E_NOMEM;

	for (; n < max && r == SOUK_OK; n++) {
		if ((r = mail_row_next_parked(tx, &id, mem, &seller)) != SOUK_OK ||
		    (r = mail_lock(tx, seller, &id, mem, &m)) != SOUK_OK)
			break;
		if (!m.parked) /* another node was faster */
			continue;
		m.parked = false;
		/* The time that it waited for the operator is not time that it could not be sent. */
		m.since = db_now(tx);
		if ((r = mail_row_set(tx, &m)) == SOUK_OK)
			r = mail_put_job(tx, seller, &id, m.round);
		arena_reset(mem);
	}
	arena_free(mem);
	if (r != SOUK_OK && r != SOUK_E_NOT_FOUND)
		return r;
	*ret_n = n;
	return SOUK_OK;
}

/* ---- rotation ---- */

static enum souk_err
rewrap(struct db_tx *tx, struct vault *v, bool address, struct buf *cursor, size_t max,
    int64_t *ret_changed, bool *ret_done)
{
	struct mail_key k = { .slot = 0 };
	struct wrapped_key fresh;
	int64_t n = 0;
	enum souk_err r = SOUK_OK;

	if (cursor->n == sizeof(k))
		memcpy(&k, cursor->p, sizeof(k));
	for (size_t i = 0; i < max; i++) {
		struct mail_place_of at;
		bool is_new = false;

		if ((r = mail_key_after(tx, address, &k, &k)) != SOUK_OK)
			break;
		at = address ? mail_address_place(str_c(k.seller_id), (int)k.slot)
			     : mail_place(str_c(k.seller_id), &k.id);
		if ((r = vault_key_rewrap(v, (struct str){ at.b, sizeof(at.b) },
			 (struct str){ (const char *)k.wrapped, k.n }, &fresh, &is_new)) !=
			SOUK_OK ||
		    (is_new && (r = mail_key_set(tx, address, &k, &fresh)) != SOUK_OK))
			break;
		n += is_new;
	}
	if (r != SOUK_OK && r != SOUK_E_NOT_FOUND)
		return r;
	buf_clear(cursor);
	buf_add(cursor, &k, sizeof(k));
	if (!buf_ok(cursor))
		return SOUK_E_NOMEM;
	*ret_done = r == SOUK_E_NOT_FOUND;
	*ret_changed = n;
	return SOUK_OK;
}

enum souk_err
mail_rewrap(struct db_tx *tx, struct vault *v, struct buf *cursor, size_t max, int64_t *ret_changed,
    bool *ret_done)
{
	return rewrap(tx, v, false, cursor, max, ret_changed, ret_done);
}

enum souk_err
mail_address_rewrap(struct db_tx *tx, struct vault *v, struct buf *cursor, size_t max,
    int64_t *ret_changed, bool *ret_done)
{
	return rewrap(tx, v, true, cursor, max, ret_changed, ret_done);
}
