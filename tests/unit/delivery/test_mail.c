/* SPDX-License-Identifier: Apache-2.0 */
/* Mails in the database: one for an event, sealed, whose, erased; which template serves. */
#include "delivery/mail_own.h"

#include "world.h"

#include "delivery/mail_store.h"

#define ANN STR("ann.secret@buyer.example")
#define TITLE STR("Very Secret Consulting")

static const struct mail_place places[] = {
	{ .name = "product", .about = "its title", .sample = "Sample product" },
	{ .name = "date", .about = "when", .sample = "2026-03-02", .required = true },
};
static const struct mail_kind kind = { .name = "test.delay",
	.about = "for the test",
	.places = places,
	.n_places = 2,
	.deflt = { STR("Delay of {{product}}"), STR("{{product}}: until {{date}}."), STR("") } };
static const struct mail_kind operators_kind = { .name = "test.notice",
	.operators = true,
	.places = places,
	.n_places = 2,
	.deflt = { STR("Notice"), STR("{{date}}"), STR("") } };

struct call {
	struct world *w;
	const struct tenant_scope *scope;
	struct mail_new n;
	struct mail_value values[2];
	struct guid id;
	bool is_new;
	struct mail_row row;
	struct mail_content content;
	struct mail_parts parts;
	struct str language;
	int64_t seen, revision, count;
	size_t n_new;
	bool undo;
	struct buf out;
	struct fail f;
};

static struct call
call_of(struct world *w)
{
	return (struct call){ .w = w,
		.scope = &w->seller,
		.n = { .seller_id = SELLER,
		    .event = STR("delay/1"),
		    .kind = &kind,
		    .language = STR("de-AT"),
		    .to = { STR("Ann"), ANN },
		    .n_values = 2 },
		.values = { { "date", STR("2026-03-05") }, { "product", TITLE } } };
}

static enum souk_err
post(struct db_tx *tx, void *arg)
{
	struct call *c = arg;
	enum souk_err r;

	memset(&c->f, 0, sizeof(c->f));
	c->n.values = c->values;
	r = mail_post(tx, c->w->vault, &c->n, &c->id, &c->is_new, &c->f);
	return r == SOUK_OK && c->undo ? SOUK_E_CONFLICT : r;
}

static enum souk_err
get(struct db_tx *tx, void *arg)
{
	struct call *c = arg;

	return mail_get(tx, c->scope, &c->id, c->w->mem, &c->row);
}

static enum souk_err
open_it(struct db_tx *tx, void *arg)
{
	struct call *c = arg;

	return mail_open(tx, c->w->vault, c->n.seller_id, &c->id, c->w->mem, &c->content);
}

static enum souk_err
resend(struct db_tx *tx, void *arg)
{
	struct call *c = arg;

	memset(&c->f, 0, sizeof(c->f));
	return mail_resend(tx, c->scope, &c->id, &c->f);
}

static enum souk_err
erase(struct db_tx *tx, void *arg)
{
	struct call *c = arg;

	return mail_erase(tx, c->scope, &c->id);
}

static void
assert_text(struct str got, const char *want)
{
	assert_int_equal(got.n, strlen(want));
	assert_memory_equal(got.p, want, got.n);
}

static void
one_for_an_event(void **state)
{
	struct world *w = *state;
	struct call c = call_of(w), again = call_of(w), other = call_of(w), next = call_of(w);

	IN_WRITE(w, post, &c);
	assert_true(c.is_new);
	again.values[0].value = STR("2027-01-01");
	again.n.to.mailbox = STR("bob@buyer.example");
	IN_WRITE(w, post, &again);
	assert_false(again.is_new);
	assert_true(guid_eq(&again.id, &c.id));
	assert_int_equal(world_int(w, "SELECT count(*) FROM mail"), 1);
	assert_int_equal(world_int(w, "SELECT count(*) FROM job WHERE kind = 'mail'"), 1);
	IN_READ(w, open_it, &c);
	assert_text(c.content.to.mailbox, "ann.secret@buyer.example");
	assert_text(c.content.parts.subject, "Delay of Very Secret Consulting");
	assert_text(c.content.parts.text, "Very Secret Consulting: until 2026-03-05.");
	/* Another seller's event of the same words is another event. */
	other.n.seller_id = OTHER;
	IN_WRITE(w, post, &other);
	assert_true(other.is_new);
	next.n.event = STR("delay/2");
	next.undo = true;
	assert_err(SOUK_E_CONFLICT, db_write(w->db, post, &next));
	assert_int_equal(world_int(w, "SELECT count(*) FROM mail"), 2);
	assert_int_equal(world_int(w, "SELECT count(*) FROM job WHERE kind = 'mail'"), 2);
	next.undo = false;
	IN_WRITE(w, post, &next);
	assert_true(next.is_new);
}

static void *
post_one(void *arg)
{
	struct call *c = arg;

	c->count = db_write(c->w->db, post, c) == SOUK_OK;
	return NULL;
}

static void
one_for_an_event_that_many_tell_of(void **state)
{
	struct world *w = *state;
	struct call c[8];
	pthread_t threads[COUNT(c)];
	int made = 0;

	for (size_t i = 0; i < COUNT(c); i++) {
		c[i] = call_of(w);
		assert_int_equal(pthread_create(&threads[i], NULL, post_one, &c[i]), 0);
	}
	for (size_t i = 0; i < COUNT(c); i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_true(c[i].count);
		made += c[i].is_new;
	}
	assert_int_equal(made, 1);
	for (size_t i = 1; i < COUNT(c); i++)
		assert_true(guid_eq(&c[i].id, &c[0].id));
	assert_int_equal(world_int(w, "SELECT count(*) FROM job"), 1);
}

static void
sealed_and_bound(void **state)
{
	struct world *w = *state;
	struct call c = call_of(w), d = call_of(w);

	c.n.reply_to = (struct mail_party){ STR("Desk"), STR("desk.secret@seller.example") };
	IN_WRITE(w, post, &c);
	d.n.event = STR("delay/2");
	IN_WRITE(w, post, &d);
	assert_false(world_db_holds(w, ANN.p, ANN.n));
	assert_false(world_db_holds(w, TITLE.p, TITLE.n));
	assert_false(world_db_holds(w, "desk.secret", 11));
	assert_false(world_db_holds(w, "2026-03-05", 10));
	/* What is sealed for one mail does not open in another's row. */
	world_sql(w,
	    "UPDATE mail SET data_key = (SELECT data_key FROM mail WHERE event = 'delay/2'),"
	    " sealed = (SELECT sealed FROM mail WHERE event = 'delay/2')"
	    " WHERE event = 'delay/1'");
	assert_err(SOUK_E_STORAGE, db_read(w->db, open_it, &c));
	IN_READ(w, open_it, &d);
}

static void
refuses_what_no_mail_can_be(void **state)
{
	static const struct {
		struct str to, name, reply, from;
		const char *field;
	} bad[] = {
		{ STR("ann"), STR(""), STR(""), STR(""), "to" },
		{ STR(""), STR(""), STR(""), STR(""), "to" },
		{ STR("a@b.example\r\nBcc: x@y.example"), STR(""), STR(""), STR(""), "to" },
		{ STR("a@b.example"), STR("Ann\r\nBcc: x@y.example"), STR(""), STR(""), "to" },
		{ STR("a@b.example"), STR("Ann\xff"), STR(""), STR(""), "to" },
		{ STR("a@b.example"), STR(""), STR("b@"), STR(""), "replyTo" },
		{ STR("a@b.example"), STR(""), STR(""), STR("x\ny"), "fromName" },
	};
	struct world *w = *state;
	struct call c;
	char *longest = malloc(MAIL_VALUE_MAX + 1);

	for (size_t i = 0; i < COUNT(bad); i++) {
		c = call_of(w);
		c.n.to = (struct mail_party){ bad[i].name, bad[i].to };
		c.n.reply_to.mailbox = bad[i].reply;
		c.n.from_name = bad[i].from;
		assert_err(SOUK_E_INVALID, db_write(w->db, post, &c));
		assert_string_equal(c.f.entry[0].field, bad[i].field);
	}
	c = call_of(w);
	c.n.n_values = 1;
	assert_err(SOUK_E_INVALID, db_write(w->db, post, &c));
	assert_non_null(strstr(c.f.detail, "product"));
	c = call_of(w);
	memset(longest, 'x', MAIL_VALUE_MAX + 1);
	c.values[1].value = (struct str){ longest, MAIL_VALUE_MAX + 1 };
	assert_err(SOUK_E_INVALID, db_write(w->db, post, &c));
	assert_string_equal(c.f.entry[0].field, "product");
	assert_int_equal(world_int(w, "SELECT count(*) FROM mail"), 0);
	c.values[1].value.n--;
	IN_WRITE(w, post, &c);
	free(longest);
}

/* ---- templates ---- */

static enum souk_err
put(struct db_tx *tx, void *arg)
{
	struct call *c = arg;

	memset(&c->f, 0, sizeof(c->f));
	return mail_own_put(tx, c->scope, c->n.seller_id, c->n.kind, c->language, &c->parts,
	    c->seen, &c->revision, &c->f);
}

static struct call
own(struct world *w, struct str seller, struct str language, struct str text)
{
	struct call c = call_of(w);

	c.n.seller_id = seller;
	c.language = language;
	c.parts = (struct mail_parts){ STR("own"), text, STR("") };
	IN_WRITE(w, put, &c);
	return c;
}

static void
assert_written(struct world *w, const char *event, const char *language, const char *text)
{
	struct call c = call_of(w);

	c.n.event = str_c(event);
	c.n.language = str_c(language);
	IN_WRITE(w, post, &c);
	IN_READ(w, open_it, &c);
	assert_text(c.content.parts.text, text);
}

static void
own_templates_serve(void **state)
{
	struct world *w = *state;
	struct call c = own(w, STR(""), STR("de"), STR("operator de {{date}}"));

	assert_int_equal(c.revision, 1);
	(void)own(w, OTHER, STR("de"), STR("other {{date}}"));
	assert_written(w, "1", "de-AT", "operator de 2026-03-05");
	assert_written(w, "2", "fr", "Very Secret Consulting: until 2026-03-05.");
	(void)own(w, SELLER, STR(""), STR("any {{date}}"));
	assert_written(w, "3", "de-AT", "any 2026-03-05");
	(void)own(w, SELLER, STR("de"), STR("de {{date}}"));
	assert_written(w, "4", "DE-at", "de 2026-03-05");
	assert_written(w, "5", "fr", "any 2026-03-05");
	assert_written(w, "6", "no language!", "any 2026-03-05");
	(void)own(w, SELLER, STR("de-at"), STR("at {{date}}"));
	assert_written(w, "7", "de-AT", "at 2026-03-05");
	/* One that an older program saved and this one would refuse is passed over. */
	world_sql(w, "UPDATE mail_template SET body = 'no date'");
	assert_written(w, "8", "de-AT", "Very Secret Consulting: until 2026-03-05.");
}

static void
templates_are_checked_and_counted(void **state)
{
	struct world *w = *state;
	struct call c = call_of(w);
	char language[4];

	c.language = STR("de");
	c.parts = (struct mail_parts){ STR("x"), STR("{{product}}"), STR("") };
	assert_err(SOUK_E_INVALID, db_write(w->db, put, &c));
	assert_non_null(strstr(c.f.entry[0].what, "{{date}}"));
	c.parts.text = STR("{{date}} {{dat}}");
	assert_err(SOUK_E_INVALID, db_write(w->db, put, &c));
	c.parts.text = STR("{{date}}");
	c.n.kind = &operators_kind;
	assert_err(SOUK_E_DENIED, db_write(w->db, put, &c));
	c.n.seller_id = STR("");
	IN_WRITE(w, put, &c);
	c = own(w, SELLER, STR("de"), STR("{{date}}"));
	c.seen = 2;
	assert_err(SOUK_E_PRECONDITION, db_write(w->db, put, &c));
	c.seen = 1;
	IN_WRITE(w, put, &c);
	assert_int_equal(c.revision, 2);
	for (int i = 1; i < MAIL_OWN_MAX; i++) {
		(void)snprintf(language, sizeof(language), "x%c%c", 'a' + i / 26, 'a' + i % 26);
		(void)own(w, SELLER, str_c(language), STR("{{date}}"));
	}
	c.language = STR("zz");
	c.seen = 0;
	assert_err(SOUK_E_LIMIT, db_write(w->db, put, &c));
	c.language = STR("de");
	IN_WRITE(w, put, &c);
}

/* ---- whose ---- */

static void
foreign_looks_absent(void **state)
{
	struct world *w = *state;
	struct call c = call_of(w), inner = call_of(w);
	struct tenant_scope past = w->seller, nobody = { .is_seller = true };

	IN_WRITE(w, post, &c);
	IN_READ(w, get, &c);
	c.scope = &w->operator_;
	IN_READ(w, get, &c);
	c.scope = &w->other;
	assert_err(SOUK_E_NOT_FOUND, db_read(w->db, get, &c));
	assert_err(SOUK_E_NOT_FOUND, db_write(w->db, resend, &c));
	assert_err(SOUK_E_NOT_FOUND, db_write(w->db, erase, &c));
	c.scope = &w->buyer;
	assert_err(SOUK_E_NOT_FOUND, db_read(w->db, get, &c));
	/* An account that sells no more, and a scope without one. */
	past.is_seller = false;
	c.scope = &past;
	assert_err(SOUK_E_NOT_FOUND, db_read(w->db, get, &c));
	inner.scope = &nobody;
	inner.n.seller_id = STR("");
	IN_WRITE(w, post, &inner);
	assert_err(SOUK_E_NOT_FOUND, db_read(w->db, get, &inner));
	inner.scope = &w->operator_;
	IN_READ(w, get, &inner);
}

struct listing {
	struct world *w;
	const struct tenant_scope *scope;
	struct mail_filter q;
	struct page p;
	struct buf out;
	struct fail f;
};

static enum souk_err
list(struct db_tx *tx, void *arg)
{
	struct listing *l = arg;
	struct jw out;
	enum souk_err r;

	buf_clear(&l->out);
	jw_init(&out, &l->out);
	jw_open(&out, NULL, '[');
	r = mail_list(tx, l->scope, &l->q, &l->p, l->w->mem, &out, &l->f);
	jw_close(&out, ']');
	return r;
}

static size_t
listed(struct listing *l)
{
	json_t *a = NULL;
	size_t n;

	IN_READ(l->w, list, l);
	assert_ok(json_read(buf_str(&l->out), &a, NULL));
	n = json_array_size(a);
	json_decref(a);
	return n;
}

static void
lists_by_page(void **state)
{
	struct world *w = *state;
	struct listing l = {
		.w = w, .scope = &w->seller, .q = { .state = -1 }, .p = { .limit = 4 }
	};
	char event[8];
	size_t n = 0;

	for (int i = 0; i < 10; i++) {
		struct call c = call_of(w);

		(void)snprintf(event, sizeof(event), "e%d", i);
		c.n.event = str_c(event);
		c.n.seller_id = i % 5 == 4 ? OTHER : SELLER;
		IN_WRITE(w, post, &c);
	}
	do {
		n += listed(&l);
		assert_null(strstr(l.out.p, "secret"));
		l.p.cursor = l.p.next;
	} while (l.p.next.n > 0);
	assert_int_equal(n, 8);
	l.p.cursor = STR("");
	l.q.state = MAIL_BOUNCED;
	assert_int_equal(listed(&l), 0);
	l.q.state = MAIL_WAITING;
	l.p.limit = 200;
	l.scope = &w->operator_;
	assert_int_equal(listed(&l), 10);
	l.q.seller_id = OTHER;
	assert_int_equal(listed(&l), 2);
	l.scope = &w->seller;
	assert_err(SOUK_E_NOT_FOUND, db_read(w->db, list, &l));
	buf_done(&l.out);
}

/* ---- erasing, sending again ---- */

static enum souk_err
erase_address(struct db_tx *tx, void *arg)
{
	struct call *c = arg;

	return mail_erase_address(tx, c->w->vault, c->scope, c->n.to.mailbox, &c->count, &c->f);
}

static enum souk_err
erase_old(struct db_tx *tx, void *arg)
{
	struct call *c = arg;

	return mail_erase_old(tx, db_now(tx) + c->seen, 10, &c->count);
}

static void
erased_is_gone_and_not_sent(void **state)
{
	struct world *w = *state;
	struct call c = call_of(w), d = call_of(w), o = call_of(w);

	IN_WRITE(w, post, &c);
	IN_WRITE(w, erase, &c);
	IN_READ(w, get, &c);
	assert_int_equal(c.row.state, MAIL_WITHDRAWN);
	assert_true(c.row.erased_at > 0);
	assert_err(SOUK_E_NOT_FOUND, db_read(w->db, open_it, &c));
	assert_int_equal(world_int(w, "SELECT count(*) FROM mail WHERE data_key IS NOT NULL"
				      " OR sealed IS NOT NULL OR to_index IS NOT NULL"),
	    0);
	IN_WRITE(w, erase, &c);
	assert_err(SOUK_E_CONFLICT, db_write(w->db, resend, &c));
	/* Its event stays: it does not come back. */
	IN_WRITE(w, post, &c);
	assert_false(c.is_new);
	d.n.event = STR("d");
	d.n.to.mailbox = STR("Ann@B\xc3\xbc"
			     "cher.example");
	IN_WRITE(w, post, &d);
	o.n.event = STR("o");
	o.n.seller_id = OTHER;
	o.n.to.mailbox = STR("ann@xn--bcher-kva.EXAMPLE");
	IN_WRITE(w, post, &o);
	IN_WRITE(w, erase_address, &o); /* the seller's scope: not the other's */
	assert_int_equal(o.count, 1);
	assert_err(SOUK_E_NOT_FOUND, db_read(w->db, open_it, &d));
	IN_READ(w, open_it, &o);
	o.scope = &w->operator_;
	IN_WRITE(w, erase_address, &o);
	assert_int_equal(o.count, 1);
	o.n.to.mailbox = STR("nobody");
	assert_err(SOUK_E_INVALID, db_write(w->db, erase_address, &o));
	c.n.event = STR("old");
	IN_WRITE(w, post, &c);
	c.seen = -1000;
	IN_WRITE(w, erase_old, &c);
	assert_int_equal(c.count, 0);
	c.seen = 1000;
	IN_WRITE(w, erase_old, &c);
	assert_int_equal(c.count, 1);
}

static void
sent_again_is_a_round_of_its_own(void **state)
{
	struct world *w = *state;
	struct call c = call_of(w);

	IN_WRITE(w, post, &c);
	assert_err(SOUK_E_CONFLICT, db_write(w->db, resend, &c));
	assert_string_equal(c.f.code, "mail_waiting");
	world_sql(w, "UPDATE mail SET state = 2, attempts = 3, reason = 'x', report = '5.1.1',"
		     " bounced_at = 5, status = 550");
	IN_WRITE(w, resend, &c);
	IN_READ(w, get, &c);
	assert_int_equal(c.row.state, MAIL_WAITING);
	assert_int_equal(c.row.round, 2);
	assert_int_equal(c.row.attempts + c.row.status, 0);
	assert_int_equal(c.row.reason.n + c.row.report.n, 0);
	assert_int_equal(c.row.bounced_at, 0);
	assert_int_equal(world_int(w, "SELECT count(*) FROM job WHERE payload LIKE '%2}'"), 1);
}

/* ---- notices ---- */

static enum souk_err
set_addresses(struct db_tx *tx, void *arg)
{
	static const struct mail_address a[] = {
		{ { STR("Desk"), STR("desk.secret@seller.example") }, STR("de") },
		{ { STR(""), STR("night.secret@seller.example") }, STR("") },
	};
	struct call *c = arg;

	return mail_addresses_set(tx, c->w->vault, SELLER, a, c->n_new, &c->f);
}

static enum souk_err
notice(struct db_tx *tx, void *arg)
{
	struct call *c = arg;

	c->n.values = c->values;
	return mail_post_notice(tx, c->w->vault, &c->n, &c->n_new, &c->f);
}

static void
notices_go_where_the_account_says(void **state)
{
	struct world *w = *state;
	struct call c = call_of(w);

	IN_WRITE(w, notice, &c);
	assert_int_equal(c.n_new, 0);
	c.n_new = 2;
	IN_WRITE(w, set_addresses, &c);
	assert_false(world_db_holds(w, ".secret@", 8));
	(void)own(w, SELLER, STR("de"), STR("deutsch {{date}}"));
	IN_WRITE(w, notice, &c);
	assert_int_equal(c.n_new, 2);
	IN_WRITE(w, notice, &c);
	assert_int_equal(c.n_new, 0);
	c.n.event = STR("delay/1#1");
	IN_WRITE(w, post, &c); /* is there: gives its id */
	assert_false(c.is_new);
	IN_READ(w, open_it, &c);
	assert_text(c.content.to.mailbox, "desk.secret@seller.example");
	assert_text(c.content.parts.text, "deutsch 2026-03-05");
	c.n_new = 1;
	IN_WRITE(w, set_addresses, &c);
	assert_int_equal(world_int(w, "SELECT count(*) FROM mail_address"), 1);
}

static enum souk_err
set_bad(struct db_tx *tx, void *arg)
{
	struct call *c = arg;
	struct mail_address a[MAIL_ADDRESSES_MAX + 1];

	memset(&c->f, 0, sizeof(c->f));
	for (size_t i = 0; i < COUNT(a); i++)
		a[i] = (struct mail_address){ { STR(""), STR("a@b.example") }, STR("") };
	if (c->n_new == 1)
		a[1].party.mailbox = STR("b");
	if (c->n_new == 2)
		a[2].language = STR("d");
	return mail_addresses_set(
	    tx, c->w->vault, SELLER, a, c->n_new ? MAIL_ADDRESSES_MAX : COUNT(a), &c->f);
}

static void
bad_addresses_are_named(void **state)
{
	static const char *const fields[] = { "addresses", "addresses/1/address",
		"addresses/2/language" };
	struct world *w = *state;
	struct call c = call_of(w);

	for (c.n_new = 0; c.n_new < 3; c.n_new++) {
		assert_err(SOUK_E_INVALID, db_write(w->db, set_bad, &c));
		assert_string_equal(c.f.entry[0].field, fields[c.n_new]);
	}
	assert_int_equal(world_int(w, "SELECT count(*) FROM mail_address"), 0);
}

/* ---- rotation ---- */

static enum souk_err
rewrap(struct db_tx *tx, void *arg)
{
	struct call *c = arg;
	struct buf cursor = { 0 };
	int64_t changed;
	enum souk_err r = SOUK_OK;

	c->count = 0;
	for (int i = 0; i < 2 && r == SOUK_OK; i++) {
		bool done = false;

		buf_clear(&cursor);
		while (!done && r == SOUK_OK) {
			r = (i ? mail_address_rewrap : mail_rewrap)(
			    tx, c->w->vault, &cursor, 1, &changed, &done);
			c->count += changed;
		}
	}
	buf_done(&cursor);
	return r;
}

static void
survives_rotation(void **state)
{
	struct world *w = *state;
	struct call c = call_of(w), d = call_of(w), inner = call_of(w);

	IN_WRITE(w, post, &c);
	d.n.event = STR("delay/2");
	IN_WRITE(w, post, &d);
	IN_WRITE(w, erase, &d);
	inner.n.seller_id = STR("");
	IN_WRITE(w, post, &inner);
	c.n_new = 2;
	IN_WRITE(w, set_addresses, &c);
	assert_ok(vault_ring_add(w->vault, NULL));
	IN_WRITE(w, rewrap, &c);
	assert_int_equal(c.count, 4);
	IN_WRITE(w, rewrap, &c);
	assert_int_equal(c.count, 0);
	assert_ok(vault_ring_retire(w->vault, NULL));
	IN_READ(w, open_it, &c);
	IN_READ(w, open_it, &inner);
	IN_WRITE(w, notice, &c);
	assert_int_equal(c.n_new, 2);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, world_make, world_remove)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_for_an_event),
		TEST(one_for_an_event_that_many_tell_of),
		TEST(sealed_and_bound),
		TEST(refuses_what_no_mail_can_be),
		TEST(own_templates_serve),
		TEST(templates_are_checked_and_counted),
		TEST(foreign_looks_absent),
		TEST(lists_by_page),
		TEST(erased_is_gone_and_not_sent),
		TEST(sent_again_is_a_round_of_its_own),
		TEST(notices_go_where_the_account_says),
		TEST(bad_addresses_are_named),
		TEST(survives_rotation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
