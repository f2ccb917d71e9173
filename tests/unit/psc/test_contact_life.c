/* SPDX-License-Identifier: Apache-2.0 */
/* Adding, editing, deleting: limits, races, times, who may, and that erased means gone. */
#include "world.h"

#include "unit/database.h"

#include "access/idempotency.h"
#include "audit/audit.h"
#include "psc/contact_store.h"

#include <pthread.h>

/* ---- calls in a transaction of their own, as some scope ---- */

struct call {
	struct world *w;
	const struct tenant_scope *s;
	struct guid sub, id;
	struct contact_fields c;
	struct contact_preset preset;
	instant_t seen;
	enum opt_out_scope what;
	struct str seller;
	struct arena *mem;
	struct fail f;
	/* out */
	struct contact contact, list[CONTACTS_MAX];
	struct subscription subscription;
	struct contact_place *places;
	size_t n;
	int64_t deleted;
	bool done;
	struct buf cursor;
};

static enum souk_err
add_tx(struct db_tx *tx, void *arg)
{
	struct call *c = arg;

	return contact_add(tx, c->w->vault, c->s, &c->sub, &c->c, &c->preset, &c->contact, &c->f);
}

static enum souk_err
edit_tx(struct db_tx *tx, void *arg)
{
	struct call *c = arg;

	return contact_edit(
	    tx, c->w->vault, c->s, &c->sub, &c->id, c->seen, &c->c, &c->preset, &c->contact, &c->f);
}

static enum souk_err
delete_tx(struct db_tx *tx, void *arg)
{
	struct call *c = arg;

	return contact_delete(tx, c->w->vault, c->s, &c->sub, &c->id, c->seen, &c->preset, &c->f);
}

static enum souk_err
list_tx(struct db_tx *tx, void *arg)
{
	struct call *c = arg;

	return contact_list(
	    tx, c->w->vault, c->s, &c->sub, c->mem, &c->subscription, c->list, &c->n);
}

static enum souk_err
get_tx(struct db_tx *tx, void *arg)
{
	struct call *c = arg;

	return contact_get(tx, c->w->vault, c->s, &c->sub, &c->id, c->mem, &c->contact);
}

static enum souk_err
opt_out_tx(struct db_tx *tx, void *arg)
{
	struct call *c = arg;

	return contact_opt_out(
	    tx, c->w->vault, c->s, c->what, &c->sub, c->seller, &c->deleted, &c->f);
}

static enum souk_err
end_tx(struct db_tx *tx, void *arg)
{
	struct call *c = arg;

	return psc_end_subscription(tx, c->w->vault, c->s, &c->sub, c->preset.at, &c->subscription,
	    &c->deleted, c->mem, &c->f);
}

static enum souk_err
search_tx(struct db_tx *tx, void *arg)
{
	struct call *c = arg;

	return contact_search(tx, c->w->vault, c->s, c->c.email, c->mem, &c->places, &c->n);
}

static struct call
call_as(struct world *w, const struct tenant_scope *s, const struct guid *sub)
{
	struct call c = { .w = w, .s = s, .c = world_fields(1), .mem = arena_new(1 << 20) };

	if (sub)
		c.sub = *sub;
	assert_non_null(c.mem);
	return c;
}

static void
call_done(struct call *c)
{
	arena_free(c->mem);
	buf_done(&c->cursor);
}

static enum souk_err
write_as(struct world *w, db_fn *fn, struct call *c)
{
	c->f = (struct fail){ 0 };
	return db_write(w->db, fn, c);
}

/* ---- rows as they are stored ---- */

struct raw {
	struct guid id;
	struct contact_row newest; /* without slices */
	uint8_t wrapped[VAULT_WRAPPED_LEN];
	char sealed[CONTACT_SEALED_MAX];
	size_t sealed_n;
};
static const char *const raw_sql[] = {
	"SELECT operation, operation_time, created_at, slot, data_key, sealed, email_index "
	"FROM contact_version WHERE contact_id = $1 ORDER BY operation_time DESC LIMIT 1",
};
static struct db_texts raw_texts = { .component = "psc.raw", .sql = raw_sql, .n = 1 };

static enum souk_err
raw_tx(struct db_tx *tx, void *arg)
{
	struct raw *r = arg;
	struct db_stmt *st = db_stmt(tx, &raw_texts, 0);
	struct str key, sealed;
	enum souk_err err;

	db_bind_guid(st, 1, &r->id);
	if ((err = db_one(st)) != SOUK_OK)
		return err;
	r->newest = (struct contact_row){ .operation = (enum contact_operation)db_int(st, 0),
		.operation_time = db_int(st, 1),
		.created_at = db_int(st, 2),
		.slot = db_is_null(st, 3) ? -1 : (int)db_int(st, 3) };
	key = db_blob(st, 4);
	sealed = db_blob(st, 5);
	r->sealed_n = sealed.n;
	if (key.n == sizeof(r->wrapped))
		memcpy(r->wrapped, key.p, key.n);
	memcpy(r->sealed, sealed.n ? sealed.p : "", sealed.n);
	assert_int_equal(db_is_null(st, 6), r->newest.operation == CONTACT_DELETE);
	db_reset(st);
	return SOUK_OK;
}

static struct raw
raw_of(struct world *w, const struct guid *id)
{
	struct raw r = { .id = *id };

	assert_ok(db_read(w->db, raw_tx, &r));
	return r;
}

/* ---- limits ---- */

static void
five_and_never_a_sixth(void **state)
{
	struct world *w = world_new();
	struct guid sub = world_subscription(w, &w->product, SELLER, BUYER);
	struct call c = call_as(w, &w->buyer, &sub);
	struct guid first;

	(void)state;
	for (unsigned i = 0; i < CONTACTS_MAX; i++) {
		c.c = world_fields(i);
		assert_ok(write_as(w, add_tx, &c));
		if (i == 2)
			first = c.contact.id;
	}
	assert_int_equal(write_as(w, add_tx, &c), SOUK_E_CONFLICT);
	assert_string_equal(c.f.code, "contact_limit");
	assert_int_equal(world_count(w, "live"), 5);
	/* One deleted makes room for one, under a new id. */
	c.id = first;
	assert_ok(write_as(w, delete_tx, &c));
	assert_ok(write_as(w, add_tx, &c));
	assert_false(guid_eq(&c.contact.id, &first));
	assert_int_equal(write_as(w, add_tx, &c), SOUK_E_CONFLICT);
	/* Editing needs no room. */
	c.id = c.contact.id;
	assert_ok(db_read(w->db, list_tx, &c));
	assert_int_equal(c.n, 5);
	c.id = c.list[4].id;
	assert_ok(write_as(w, edit_tx, &c));
	call_done(&c);
	world_free(w);
}

#define CLIENTS 20
struct client {
	struct world *w;
	struct guid sub;
	enum souk_err err;
	const char *code;
};

static void *
client(void *arg)
{
	struct client *k = arg;
	struct call c = call_as(k->w, &k->w->buyer, &k->sub);

	k->err = write_as(k->w, add_tx, &c);
	k->code = c.f.code;
	call_done(&c);
	return NULL;
}

static void
twenty_clients_add_five(void **state)
{
	struct world *w = world_new();
	struct guid sub = world_subscription(w, &w->product, SELLER, BUYER);
	struct client k[CLIENTS];
	pthread_t threads[CLIENTS];
	unsigned added = 0;

	(void)state;
	for (size_t i = 0; i < CLIENTS; i++) {
		k[i] = (struct client){ .w = w, .sub = sub };
		assert_int_equal(pthread_create(&threads[i], NULL, client, &k[i]), 0);
	}
	for (size_t i = 0; i < CLIENTS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		added += k[i].err == SOUK_OK;
		if (k[i].err != SOUK_OK) {
			assert_int_equal(k[i].err, SOUK_E_CONFLICT);
			assert_string_equal(k[i].code, "contact_limit");
		}
	}
	assert_int_equal(added, 5);
	assert_int_equal(world_count(w, "live"), 5);
	assert_int_equal(world_count(w, "versions"), 5);
	world_free(w);
}

/* ---- who may ---- */

static void
others_find_nothing(void **state)
{
	struct world *w = world_new();
	struct guid sub = world_subscription(w, &w->product, SELLER, BUYER);
	struct guid theirs = world_subscription(w, &w->product, SELLER, OTHER_BUYER);
	struct guid nowhere = guid_new();
	const struct tenant_scope *strangers[] = { &w->other_buyer, &w->seller };
	struct call c = call_as(w, &w->buyer, &sub);
	db_fn *const calls[] = { add_tx, edit_tx, delete_tx, list_tx, get_tx, opt_out_tx, end_tx };

	(void)state;
	assert_ok(write_as(w, add_tx, &c));
	c.id = c.contact.id;
	c.what = OPT_OUT_SUBSCRIPTION;
	for (size_t i = 0; i < COUNT(calls); i++) {
		for (size_t k = 0; k < COUNT(strangers); k++) {
			c.s = strangers[k];
			c.sub = sub;
			assert_row(i, write_as(w, calls[i], &c) == SOUK_E_NOT_FOUND);
		}
		c.s = &w->op;
		c.sub = nowhere;
		assert_row(i, write_as(w, calls[i], &c) == SOUK_E_NOT_FOUND);
	}
	/* Through a subscription of one's own, somebody else's contact is not there either. */
	c.s = &w->other_buyer;
	c.sub = theirs;
	assert_int_equal(write_as(w, edit_tx, &c), SOUK_E_NOT_FOUND);
	assert_int_equal(write_as(w, delete_tx, &c), SOUK_E_NOT_FOUND);
	assert_int_equal(db_read(w->db, get_tx, &c), SOUK_E_NOT_FOUND);
	assert_ok(db_read(w->db, list_tx, &c));
	assert_int_equal(c.n, 0);
	assert_int_equal(world_count(w, "live"), 1);
	call_done(&c);
	world_free(w);
}

static void
adding_needs_an_active_psc_subscription(void **state)
{
	struct world *w = world_new();
	struct guid plain = world_product(w, SELLER, 0);
	struct guid sub = world_subscription(w, &w->product, SELLER, BUYER);
	struct guid other = world_subscription(w, &plain, SELLER, BUYER);
	struct call c = call_as(w, &w->buyer, &other);
	struct guid id;

	(void)state;
	assert_int_equal(write_as(w, add_tx, &c), SOUK_E_CONFLICT);
	assert_string_equal(c.f.code, "product_not_psc");
	c.sub = sub;
	assert_ok(write_as(w, add_tx, &c));
	id = c.contact.id;
	/* A product that left the program: what is shared can still be mended and withdrawn. */
	world_enable(w, &w->product, 0);
	c.id = id;
	assert_ok(write_as(w, edit_tx, &c));
	assert_int_equal(write_as(w, add_tx, &c), SOUK_E_CONFLICT);
	assert_ok(write_as(w, end_tx, &c));
	world_enable(w, &w->product, 1);
	assert_int_equal(write_as(w, add_tx, &c), SOUK_E_CONFLICT);
	assert_string_equal(c.f.code, "subscription_ended");
	call_done(&c);
	world_free(w);
}

/* ---- versions ---- */

static void
edits_are_versions(void **state)
{
	struct world *w = world_new();
	struct guid sub = world_subscription(w, &w->product, SELLER, BUYER);
	struct call c = call_as(w, &w->buyer, &sub);
	struct contact first, second;

	(void)state;
	assert_ok(write_as(w, add_tx, &c));
	first = c.contact;
	assert_int_equal(first.created_at, first.changed_at);
	c.id = first.id;
	c.seen = first.changed_at;
	c.c = world_fields(2);
	assert_ok(write_as(w, edit_tx, &c));
	second = c.contact;
	assert_true(second.changed_at > first.changed_at);
	assert_int_equal(second.created_at, first.created_at);
	assert_true(guid_eq(&second.id, &first.id));
	/* Who saw the first version must look again. */
	assert_int_equal(write_as(w, edit_tx, &c), SOUK_E_PRECONDITION);
	assert_int_equal(write_as(w, delete_tx, &c), SOUK_E_PRECONDITION);
	assert_ok(db_read(w->db, get_tx, &c));
	assert_true(str_eq(c.contact.fields.email, STR("person2@example.com")));
	assert_int_equal(c.contact.changed_at, second.changed_at);
	assert_int_equal(world_count(w, "versions"), 2);
	assert_int_equal(world_count(w, "live"), 1);
	c.seen = second.changed_at;
	assert_ok(write_as(w, delete_tx, &c));
	c.seen = 0;
	assert_int_equal(write_as(w, delete_tx, &c), SOUK_E_NOT_FOUND);
	assert_int_equal(write_as(w, edit_tx, &c), SOUK_E_NOT_FOUND);
	assert_int_equal(db_read(w->db, get_tx, &c), SOUK_E_NOT_FOUND);
	call_done(&c);
	world_free(w);
}

static void
lists_in_the_order_of_adding(void **state)
{
	struct world *w = world_new();
	struct guid sub = world_subscription(w, &w->product, SELLER, BUYER);
	struct call c = call_as(w, &w->buyer, &sub);

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		c.c = world_fields(i);
		c.preset.at = w->base + i * HOUR_MS;
		assert_ok(world_add(w, &sub, &c.c, c.preset.at, &c.contact, NULL));
		if (i == 1)
			c.id = c.contact.id;
	}
	c.c = world_fields(9);
	c.preset.at = 0;
	assert_ok(write_as(w, edit_tx, &c));
	assert_ok(db_read(w->db, list_tx, &c));
	assert_int_equal(c.n, 4);
	for (unsigned i = 0; i < 4; i++) {
		struct contact_fields want = world_fields(i == 1 ? 9 : i);

		assert_int_equal(c.list[i].created_at, w->base + i * HOUR_MS);
		assert_true(str_eq(c.list[i].fields.email, want.email));
		assert_true(str_eq(c.list[i].fields.surname, want.surname));
		assert_true(str_eq(c.list[i].fields.zip, want.zip));
	}
	assert_true(guid_eq(&c.subscription.id, &sub));
	call_done(&c);
	world_free(w);
}

static void
times_keep_behind_exports(void **state)
{
	struct world *w = world_new();
	struct guid sub = world_subscription(w, &w->product, SELLER, BUYER);
	struct call c = call_as(w, &w->op, &sub);
	instant_t ahead =
	    clock_now() + 2 * HOUR_MS; /* an export by a node whose clock runs ahead */

	(void)state;
	world_cover(w, ahead);
	assert_ok(write_as(w, add_tx, &c));
	assert_int_equal(c.contact.changed_at, ahead);
	c.id = c.contact.id;
	assert_ok(write_as(w, edit_tx, &c));
	assert_int_equal(c.contact.changed_at, ahead + 1);
	assert_ok(write_as(w, edit_tx, &c));
	assert_int_equal(c.contact.changed_at, ahead + 2);
	assert_ok(write_as(w, delete_tx, &c));
	assert_int_equal(raw_of(w, &c.id).newest.operation_time, ahead + 3);
	call_done(&c);
	world_free(w);
}

static void
preset_times_are_kept_or_refused(void **state)
{
	struct world *w = world_new();
	struct guid sub = world_subscription(w, &w->product, SELLER, BUYER);
	struct call c = call_as(w, &w->op, &sub);
	instant_t t = w->base;

	(void)state;
	world_cover(w, t);
	c.preset = (struct contact_preset){ .id = guid_new(), .at = t };
	assert_ok(write_as(w, add_tx, &c));
	assert_true(guid_eq(&c.contact.id, &c.preset.id));
	assert_int_equal(c.contact.changed_at, t);
	/* The same id once more, live or deleted. */
	c.preset.at = t + 5;
	assert_int_equal(write_as(w, add_tx, &c), SOUK_E_CONFLICT);
	assert_string_equal(c.f.code, "contact_exists");
	c.id = c.preset.id;
	c.preset.id = (struct guid){ { 0 } };
	c.preset.at = t - 1;
	assert_int_equal(write_as(w, add_tx, &c), SOUK_E_CONFLICT);
	assert_string_equal(c.f.code, "operation_time");
	c.preset.at = t;
	assert_int_equal(write_as(w, edit_tx, &c), SOUK_E_CONFLICT);
	c.preset.at = clock_now() + HOUR_MS;
	assert_int_equal(write_as(w, edit_tx, &c), SOUK_E_INVALID);
	c.preset.at = t + 1;
	assert_ok(write_as(w, edit_tx, &c));
	c.preset.at = t + 1;
	assert_int_equal(write_as(w, delete_tx, &c), SOUK_E_CONFLICT);
	c.preset.at = t + 2;
	assert_ok(write_as(w, delete_tx, &c));
	c.preset = (struct contact_preset){ .id = c.id, .at = t + 9 };
	assert_int_equal(write_as(w, add_tx, &c), SOUK_E_CONFLICT);
	call_done(&c);
	world_free(w);
}

/* ---- erasing ---- */

static bool
database_holds(struct world *w, const void *p, size_t n)
{
	return test_database_holds(w->dir, p, n);
}

static void
deleting_erases(void **state)
{
	struct world *w = world_new();
	struct guid sub = world_subscription(w, &w->product, SELLER, BUYER);
	struct call c = call_as(w, &w->buyer, &sub);
	struct raw first, second, tombstone;

	(void)state;
	for (unsigned i = 0; i < 3; i++) /* neighbours that stay */
		assert_ok(write_as(w, add_tx, &c));
	assert_ok(write_as(w, add_tx, &c));
	c.id = c.contact.id;
	first = raw_of(w, &c.id);
	assert_ok(write_as(w, edit_tx, &c));
	second = raw_of(w, &c.id);
	assert_memory_equal(first.wrapped, second.wrapped, sizeof(first.wrapped));
	assert_true(database_holds(w, first.wrapped, sizeof(first.wrapped)));
	assert_true(database_holds(w, first.sealed, first.sealed_n));
	assert_true(database_holds(w, second.sealed, second.sealed_n));
	assert_false(database_holds(w, SECRET_MARK, strlen(SECRET_MARK)));
	assert_ok(write_as(w, delete_tx, &c));
	tombstone = raw_of(w, &c.id);
	assert_int_equal(tombstone.newest.operation, CONTACT_DELETE);
	assert_int_equal(tombstone.newest.created_at, first.newest.created_at);
	assert_int_equal(tombstone.newest.slot, -1);
	assert_int_equal(tombstone.sealed_n, 0);
	assert_int_equal(world_count(w, "versions"), 4);
	assert_true(db_scrub_wait(w->db, 10000));
	assert_false(database_holds(w, first.wrapped, sizeof(first.wrapped)));
	assert_false(database_holds(w, first.sealed, first.sealed_n));
	assert_false(database_holds(w, second.sealed, second.sealed_n));
	call_done(&c);
	world_free(w);
}

static enum souk_err
prune_tx(struct db_tx *tx, void *arg)
{
	return contact_prune(tx, 100, arg);
}

/* What an edit replaced is gone once no export needs it, though the contact and its key live on. */
static void
pruning_erases(void **state)
{
	struct world *w = world_new();
	struct guid sub = world_subscription(w, &w->product, SELLER, BUYER);
	struct contact_fields c = world_fields(1);
	struct contact made;
	struct raw first;
	int64_t n = 0;

	(void)state;
	assert_ok(world_add(w, &sub, &c, w->base, &made, NULL));
	first = raw_of(w, &made.id);
	assert_ok(world_edit(w, &sub, &made.id, &c, w->base + 1000, NULL));
	assert_true(database_holds(w, first.sealed, first.sealed_n));
	assert_ok(db_write(w->db, prune_tx, &n));
	assert_int_equal(n, 1);
	assert_true(db_scrub_wait(w->db, 10000));
	assert_false(database_holds(w, first.sealed, first.sealed_n));
	world_free(w);
}

/* An answer kept for Idempotency-Key shows the contact too: it is erased with it. */
struct kept {
	struct world *w;
	struct guid subject;
	bool found;
	struct fail f;
};

static enum souk_err
idempotency_of(const struct kept *k, struct idempotency *ret)
{
	return idempotency_make(
	    k->w->vault, STR("key-1"), STR("POST"), STR("/x"), STR("{}"), ret, NULL);
}

static enum souk_err
keep_tx(struct db_tx *tx, void *arg)
{
	struct kept *k = arg;
	struct idempotency i;

	assert_ok(idempotency_of(k, &i));
	return idempotency_keep(tx, k->w->vault, &k->w->buyer, &i, &k->subject, 201, STR("answer"));
}

static enum souk_err
kept_tx(struct db_tx *tx, void *arg)
{
	struct kept *k = arg;
	struct idempotency i;
	struct buf answer = { 0 };
	int status;
	enum souk_err err;

	assert_ok(idempotency_of(k, &i));
	err =
	    idempotency_find(tx, k->w->vault, &k->w->buyer, &i, &k->found, &status, &answer, &k->f);
	buf_done(&answer);
	return err;
}

static void
kept_answers_go_with_the_contact(void **state)
{
	struct world *w = world_new();
	struct guid sub = world_subscription(w, &w->product, SELLER, BUYER);
	struct call c = call_as(w, &w->buyer, &sub);
	struct kept k = { .w = w };

	(void)state;
	assert_ok(write_as(w, add_tx, &c));
	c.id = k.subject = c.contact.id;
	assert_ok(db_write(w->db, keep_tx, &k));
	assert_ok(db_write(w->db, kept_tx, &k));
	assert_true(k.found);
	assert_ok(write_as(w, delete_tx, &c));
	assert_int_equal(db_write(w->db, kept_tx, &k), SOUK_E_CONFLICT);
	assert_string_equal(k.f.code, "subject_erased");
	call_done(&c);
	world_free(w);
}

static void
adds(struct world *w, const struct guid *sub, unsigned n, const struct tenant_scope *s)
{
	struct call c = call_as(w, s, sub);

	for (unsigned i = 0; i < n; i++)
		assert_ok(write_as(w, add_tx, &c));
	call_done(&c);
}

static void
opting_out_reaches_as_far_as_asked(void **state)
{
	struct world *w = world_new();
	struct guid theirs = world_product(w, OTHER_SELLER, 1);
	struct guid a = world_subscription(w, &w->product, SELLER, BUYER);
	struct guid b = world_subscription(w, &w->product, SELLER, BUYER);
	struct guid x = world_subscription(w, &theirs, OTHER_SELLER, BUYER);
	struct guid other = world_subscription(w, &w->product, SELLER, OTHER_BUYER);
	struct call c = call_as(w, &w->buyer, &a);

	(void)state;
	adds(w, &a, 3, &w->buyer);
	adds(w, &b, 2, &w->buyer);
	adds(w, &x, 4, &w->buyer);
	adds(w, &other, 5, &w->other_buyer);
	c.what = OPT_OUT_SUBSCRIPTION;
	assert_ok(write_as(w, opt_out_tx, &c));
	assert_int_equal(c.deleted, 3);
	c.what = OPT_OUT_SELLER;
	c.seller = STR(SELLER);
	assert_ok(write_as(w, opt_out_tx, &c));
	assert_int_equal(c.deleted, 2);
	c.seller = STR("seller");
	assert_int_equal(write_as(w, opt_out_tx, &c), SOUK_E_INVALID);
	c.seller = STR("999999999999");
	assert_ok(write_as(w, opt_out_tx, &c));
	assert_int_equal(c.deleted, 0);
	c.what = OPT_OUT_EVERYWHERE;
	assert_ok(write_as(w, opt_out_tx, &c));
	assert_int_equal(c.deleted, 4);
	assert_ok(write_as(w, opt_out_tx, &c));
	assert_int_equal(c.deleted, 0);
	assert_int_equal(world_count(w, "live"), 5);
	assert_int_equal(world_count(w, "tombstones"), 9);
	call_done(&c);
	world_free(w);
}

static void
opting_out_of_many_takes_several_rounds(void **state)
{
	struct world *w = world_new();
	struct call c = call_as(w, &w->buyer, NULL);

	(void)state;
	for (unsigned i = 0; i < 27; i++) { /* 135 contacts: more than two chunks of 64 */
		struct guid sub = world_subscription(w, &w->product, SELLER, BUYER);

		adds(w, &sub, 5, &w->buyer);
	}
	c.what = OPT_OUT_EVERYWHERE;
	assert_ok(write_as(w, opt_out_tx, &c));
	assert_int_equal(c.deleted, 135);
	assert_int_equal(world_count(w, "live"), 0);
	call_done(&c);
	world_free(w);
}

static void
ending_deletes_at_one_instant(void **state)
{
	struct world *w = world_new();
	struct guid sub = world_subscription(w, &w->product, SELLER, BUYER);
	struct call c = call_as(w, &w->buyer, &sub);
	struct guid ids[3];
	struct guid gone;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		assert_ok(write_as(w, add_tx, &c));
		if (i < 3)
			ids[i] = c.contact.id;
	}
	gone = c.contact.id;
	c.id = gone;
	assert_ok(write_as(w, delete_tx, &c));
	assert_ok(write_as(w, end_tx, &c));
	assert_int_equal(c.deleted, 3);
	assert_false(c.subscription.active);
	for (unsigned i = 0; i < 3; i++) {
		struct raw r = raw_of(w, &ids[i]);

		assert_int_equal(r.newest.operation, CONTACT_DELETE);
		assert_int_equal(r.newest.operation_time, c.subscription.ended_at);
	}
	/* Ending again changes nothing; who was deleted before has one tombstone. */
	assert_ok(write_as(w, end_tx, &c));
	assert_int_equal(c.deleted, 0);
	assert_int_equal(world_count(w, "versions"), 4);
	call_done(&c);
	world_free(w);
}

static void
ending_refuses_times_that_break_history(void **state)
{
	struct world *w = world_new();
	struct guid sub = world_subscription(w, &w->product, SELLER, BUYER);
	struct call c = call_as(w, &w->op, &sub);

	(void)state;
	assert_ok(world_add(w, &sub, &c.c, w->base + DAY_MS, NULL, NULL));
	c.preset.at = clock_now() + DAY_MS;
	assert_int_equal(write_as(w, end_tx, &c), SOUK_E_INVALID);
	c.preset.at = w->base + DAY_MS;
	assert_int_equal(write_as(w, end_tx, &c), SOUK_E_CONFLICT);
	world_cover(w, w->base + 3 * DAY_MS);
	c.preset.at = w->base + 2 * DAY_MS;
	assert_int_equal(write_as(w, end_tx, &c), SOUK_E_CONFLICT);
	c.preset.at = w->base + 3 * DAY_MS;
	assert_ok(write_as(w, end_tx, &c));
	assert_int_equal(c.subscription.ended_at, w->base + 3 * DAY_MS);
	call_done(&c);
	world_free(w);
}

/* ---- finding, upkeep, audit ---- */

static void
search_finds_live_contacts_only(void **state)
{
	struct world *w = world_new();
	struct guid a = world_subscription(w, &w->product, SELLER, BUYER);
	struct guid b = world_subscription(w, &w->product, SELLER, OTHER_BUYER);
	struct call c = call_as(w, &w->op, &a);
	struct guid old;

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		assert_ok(write_as(w, add_tx, &c));
	old = c.contact.id;
	c.sub = b;
	assert_ok(write_as(w, add_tx, &c));
	c.sub = a;
	c.id = old;
	c.c = world_fields(5);
	assert_ok(write_as(w, edit_tx, &c)); /* has another address now */
	c.c.email = STR("PERSON1@Example.com");
	assert_ok(write_as(w, search_tx, &c));
	assert_int_equal(c.n, 3);
	for (size_t i = 0; i < c.n; i++) {
		bool is_b = guid_eq(&c.places[i].subscription_id, &b);

		assert_string_equal(c.places[i].seller_id, SELLER);
		assert_string_equal(c.places[i].buyer_id, is_b ? OTHER_BUYER : BUYER);
		assert_false(guid_eq(&c.places[i].contact_id, &old));
	}
	c.c.email = STR("nobody@example.com");
	assert_ok(write_as(w, search_tx, &c));
	assert_int_equal(c.n, 0);
	c.s = &w->buyer;
	assert_int_equal(write_as(w, search_tx, &c), SOUK_E_DENIED);
	c.s = &w->seller;
	assert_int_equal(write_as(w, search_tx, &c), SOUK_E_DENIED);
	call_done(&c);
	world_free(w);
}

struct rewrap {
	struct world *w;
	struct buf cursor;
	int64_t changed;
	bool done;
};

static enum souk_err
rewrap_tx(struct db_tx *tx, void *arg)
{
	struct rewrap *r = arg;

	return contact_rewrap(tx, r->w->vault, &r->cursor, 3, &r->changed, &r->done);
}

static void
rewrapping_lets_the_old_key_go(void **state)
{
	struct world *w = world_new();
	struct guid sub = world_subscription(w, &w->product, SELLER, BUYER);
	struct call c = call_as(w, &w->buyer, &sub);
	struct rewrap r = { .w = w };
	int64_t changed = 0;
	unsigned rounds = 0;

	(void)state;
	adds(w, &sub, 5, &w->buyer);
	assert_ok(db_read(w->db, list_tx, &c));
	c.id = c.list[0].id;
	assert_ok(write_as(w, edit_tx, &c));
	c.id = c.list[1].id;
	assert_ok(write_as(w, delete_tx, &c));
	assert_ok(vault_ring_add(w->vault, &c.f));
	for (; !r.done; rounds++) {
		assert_true(rounds < 10);
		assert_ok(db_write(w->db, rewrap_tx, &r));
		changed += r.changed;
	}
	assert_int_equal(changed, 5); /* four live, one superseded version */
	assert_ok(vault_ring_retire(w->vault, &c.f));
	assert_ok(db_read(w->db, list_tx, &c));
	assert_int_equal(c.n, 4);
	buf_done(&r.cursor);
	call_done(&c);
	world_free(w);
}

static void
every_change_is_audited(void **state)
{
	struct world *w = world_new();
	struct guid sub = world_subscription(w, &w->product, SELLER, BUYER);
	struct call c = call_as(w, &w->buyer, &sub);
	struct audit_report report;
	int64_t before = world_count(w, "audit");

	(void)state;
	adds(w, &sub, 5, &w->buyer);
	assert_int_equal(world_count(w, "audit"), before + 5);
	assert_int_equal(write_as(w, add_tx, &c), SOUK_E_CONFLICT); /* undone, with its entry */
	assert_int_equal(world_count(w, "audit"), before + 5);
	assert_ok(db_read(w->db, list_tx, &c));
	c.id = c.list[0].id;
	assert_ok(write_as(w, edit_tx, &c));
	assert_ok(write_as(w, delete_tx, &c));
	assert_int_equal(world_count(w, "audit"), before + 7);
	c.id = c.list[1].id;
	c.what = OPT_OUT_SUBSCRIPTION;
	assert_ok(write_as(w, opt_out_tx, &c)); /* four deletions and the wish */
	assert_int_equal(world_count(w, "audit"), before + 12);
	assert_ok(write_as(w, end_tx, &c));
	assert_int_equal(world_count(w, "audit"), before + 13);
	assert_ok(audit_verify(w->db, w->vault, NULL, &report));
	audit_report_done(&report);
	assert_null(report.what);
	call_done(&c);
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(five_and_never_a_sixth),
		cmocka_unit_test(twenty_clients_add_five),
		cmocka_unit_test(others_find_nothing),
		cmocka_unit_test(adding_needs_an_active_psc_subscription),
		cmocka_unit_test(edits_are_versions),
		cmocka_unit_test(lists_in_the_order_of_adding),
		cmocka_unit_test(times_keep_behind_exports),
		cmocka_unit_test(preset_times_are_kept_or_refused),
		cmocka_unit_test(deleting_erases),
		cmocka_unit_test(pruning_erases),
		cmocka_unit_test(kept_answers_go_with_the_contact),
		cmocka_unit_test(opting_out_reaches_as_far_as_asked),
		cmocka_unit_test(opting_out_of_many_takes_several_rounds),
		cmocka_unit_test(ending_deletes_at_one_instant),
		cmocka_unit_test(ending_refuses_times_that_break_history),
		cmocka_unit_test(search_finds_live_contacts_only),
		cmocka_unit_test(rewrapping_lets_the_old_key_go),
		cmocka_unit_test(every_change_is_audited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
