/* SPDX-License-Identifier: Apache-2.0 */
/* The marketplace that the tests of psc/ stand on. */
#include "world.h"

#include "base/secret.h"
#include "unit/database.h"
#include "market/id_owner.h"
#include "psc/contact_seal.h"
#include "store/db.h"

#include <sys/wait.h>

enum {
	W_ACCOUNT,
	W_PRODUCT,
	W_OWNER,
	W_ENABLE,
	W_ENROL,
	W_SUBSCRIPTION,
	W_COVER,
	W_MOVE,
	W_AGREE,
	W_COUNT_VERSIONS,
	W_COUNT_LIVE,
	W_COUNT_TOMBSTONES,
	W_COUNT_AUDIT,
	W_COUNT_MESSAGES,
	W_COUNT_OBJECTS,
	W_COVERED,
	W__COUNT
};
static const char *const sql[W__COUNT] = {
	[W_ACCOUNT] =
	    "INSERT INTO account (account_id, name, is_operator, is_buyer, is_seller, "
	    "paid_seller, country, address, city, region, postal_code, email_domain, state, "
	    "created_at, changed_at, revision) "
	    "VALUES ($1, 'Account', 0, $2, $3, 0, 'US', '', '', '', '', '', 'active', 0, 0, 1)",
	[W_PRODUCT] =
	    "INSERT INTO product (seller_id, product_id, product_code, title, type, pricing, "
	    "support_email, support_phone, support_url, psc_enabled, psc_enabled_since, state, "
	    "created_at, changed_at, revision) VALUES ($1, $2, $3, 'Product', 'ami', "
	    "'[\"hourly\"]', 'support@example.com', '', '', $4, $5, 'public', 0, 0, 1)",
	[W_OWNER] = "INSERT INTO id_owner (kind, id, seller_id) VALUES ($1, $2, $3)",
	[W_ENABLE] =
	    "UPDATE product SET psc_enabled = $1, psc_enabled_since = $2 WHERE product_id = $3",
	[W_ENROL] =
	    "INSERT INTO enrolment (seller_id, program, state, since, changed_at, revision) "
	    "VALUES ($1, 'psc', $2, $3, 0, 1) ON CONFLICT (seller_id, program) DO UPDATE SET "
	    "state = excluded.state, since = excluded.since",
	[W_SUBSCRIPTION] =
	    "INSERT INTO subscription (seller_id, subscription_id, product_id, offer_id, buyer_id, "
	    "kind, "
	    "quantity, starts_at, ends_at, ended_at, state, created_at, changed_at, revision) "
	    "VALUES ($1, $2, $3, NULL, $4, 'hourly', 1, $5, NULL, NULL, 'active', 0, 0, 1)",
	[W_COVER] =
	    "INSERT INTO psc_coverage (seller_id, exported_until) VALUES ($1, $2) "
	    "ON CONFLICT (seller_id) DO UPDATE SET exported_until = excluded.exported_until",
	[W_AGREE] = "UPDATE subscription SET ends_at = $1 WHERE subscription_id = $2",
	[W_MOVE] = "INSERT INTO product (seller_id, product_id, product_code, title, type, pricing,"
		   " support_email, support_phone, support_url, psc_enabled, psc_enabled_since,"
		   " state, created_at, changed_at, revision) SELECT $1, product_id, product_code,"
		   " title, type, pricing, support_email, support_phone, support_url, psc_enabled,"
		   " psc_enabled_since, state, created_at, changed_at, revision FROM product"
		   " WHERE product_id = $2",
	[W_COUNT_VERSIONS] = "SELECT count(*) FROM contact_version",
	[W_COUNT_LIVE] = "SELECT count(*) FROM contact_version "
			 "WHERE superseded_at = 9223372036854775807 AND operation < 3",
	[W_COUNT_TOMBSTONES] = "SELECT count(*) FROM contact_version WHERE operation = 3",
	[W_COUNT_AUDIT] = "SELECT count(*) FROM audit_entry WHERE action <> 'audit:BeginChain'",
	[W_COUNT_MESSAGES] = "SELECT count(*) FROM message",
	[W_COUNT_OBJECTS] = "SELECT count(*) FROM object",
	[W_COVERED] = "SELECT coalesce(max(exported_until), 0) FROM psc_coverage",
};
static struct db_texts texts = { .component = "psc.world", .sql = sql, .n = W__COUNT };

/* One statement with up to six parameters, each a text, a guid or a number. */
struct put {
	unsigned q;
	int n;
	struct {
		const char *text;
		const struct guid *guid;
		int64_t number;
		bool null;
	} p[6];
};

static enum souk_err
put_tx(struct db_tx *tx, void *arg)
{
	const struct put *x = arg;
	struct db_stmt *st = db_stmt(tx, &texts, x->q);

	for (int i = 0; i < x->n; i++) {
		if (x->p[i].text)
			db_bind_c(st, i + 1, x->p[i].text);
		else if (x->p[i].guid)
			db_bind_guid(st, i + 1, x->p[i].guid);
		else if (x->p[i].null)
			db_bind_null(st, i + 1);
		else
			db_bind_int(st, i + 1, x->p[i].number);
	}
	return db_run(st, NULL);
}

static void
put(struct world *w, struct put x)
{
	assert_ok(db_write(w->db, put_tx, &x));
}

static void
own(struct world *w, enum id_kind kind, const struct guid *id, const char *seller)
{
	put(w,
	    (struct put){ W_OWNER, 3, { { .number = kind }, { .guid = id }, { .text = seller } } });
}

static void
put_account(struct world *w, const char *id, bool buyer, bool seller)
{
	put(w, (struct put){
		   W_ACCOUNT, 3, { { .text = id }, { .number = buyer }, { .number = seller } } });
}

static struct tenant_scope
scope(const char *account, bool buyer, bool seller)
{
	struct tenant_scope s = { .is_buyer = buyer, .is_seller = seller };

	(void)snprintf(s.account_id, sizeof(s.account_id), "%s", account);
	(void)snprintf(s.actor, sizeof(s.actor), "token:test");
	return s;
}

const char *
world_path(const struct world *w, const char *name)
{
	static char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", w->dir, name);
	return path;
}

void
world_open(struct world *w, bool create)
{
	struct fail f = { 0 };

	assert_ok(vault_open(w->config, w->dir, &w->vault, &f));
	assert_ok(db_open(
	    &(struct db_options){
		.path = test_database(w->dir),
		.create = create,
		.distribute = test_distributes(),
		.writers = TEST_WRITERS,
	    },
	    &w->db, &f));
	assert_ok(object_store_open(w->db, w->vault, w->dir, 30 * DAY_MS, &w->objects, &f));
}

void
world_close(struct world *w)
{
	object_store_close(w->objects);
	db_close(w->db);
	vault_close(w->vault);
}

struct world *
world_new(void)
{
	struct world *w = calloc(1, sizeof(*w));
	struct fail f = { 0 };

	assert_non_null(w);
	assert_ok(secret_process_init());
	(void)snprintf(w->dir, sizeof(w->dir), "/tmp/souk-psc-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	assert_ok(config_load(world_path(w, "souk.ini"), &w->config, &f));
	assert_ok(vault_ring_create(world_path(w, "keyring.json"), &f));
	world_open(w, true);
	w->base = (clock_now() / DAY_MS - 100) * DAY_MS;
	w->op = tenant_for_cli("test");
	w->buyer = scope(BUYER, true, false);
	w->other_buyer = scope(OTHER_BUYER, true, false);
	w->seller = scope(SELLER, false, true);
	put_account(w, SELLER, false, true);
	put_account(w, OTHER_SELLER, false, true);
	put_account(w, BUYER, true, false);
	put_account(w, OTHER_BUYER, true, false);
	world_enrol(w, SELLER, true, 1);
	w->product = world_product(w, SELLER, 1);
	return w;
}

void
world_free(struct world *w)
{
	pid_t rm;

	world_close(w);
	test_database_drop(w->dir);
	config_free(w->config);
	if ((rm = fork()) == 0) {
		(void)execlp("rm", "rm", "-rf", w->dir, (char *)NULL);
		_exit(1);
	}
	(void)waitpid(rm, NULL, 0);
	free(w);
}

struct guid
world_product(struct world *w, const char *seller, instant_t enabled_since)
{
	struct guid id = guid_new();
	char code[33];

	hex_encode(id.b, 16, code);
	code[25] = '\0';
	put(w, (struct put){ W_PRODUCT, 5,
		   { { .text = seller }, { .guid = &id }, { .text = code },
		       { .number = enabled_since != 0 },
		       { .number = enabled_since, .null = enabled_since == 0 } } });
	own(w, ID_PRODUCT, &id, seller);
	return id;
}

void
world_enable(struct world *w, const struct guid *product, instant_t since)
{
	put(w, (struct put){ W_ENABLE, 3,
		   { { .number = since != 0 }, { .number = since, .null = since == 0 },
		       { .guid = product } } });
}

void
world_enrol(struct world *w, const char *seller, bool enrolled, instant_t since)
{
	put(w, (struct put){ W_ENROL, 3,
		   { { .text = seller }, { .text = enrolled ? "enrolled" : "withdrawn" },
		       { .number = since } } });
}

struct guid
world_subscription(
    struct world *w, const struct guid *product, const char *seller, const char *buyer)
{
	struct guid id = guid_new();

	put(w, (struct put){ W_SUBSCRIPTION, 5,
		   { { .text = seller }, { .guid = &id }, { .guid = product }, { .text = buyer },
		       { .number = w->base } } });
	own(w, ID_SUBSCRIPTION, &id, seller);
	return id;
}

void
world_agree_end(struct world *w, const struct guid *sub, instant_t ends_at)
{
	put(w, (struct put){ W_AGREE, 2, { { .number = ends_at }, { .guid = sub } } });
}

void
world_cover(struct world *w, instant_t until)
{
	put(w, (struct put){ W_COVER, 2, { { .text = SELLER }, { .number = until } } });
}

struct counting {
	unsigned q;
	int64_t n;
};

static enum souk_err
count_tx(struct db_tx *tx, void *arg)
{
	struct counting *c = arg;
	struct db_stmt *st = db_stmt(tx, &texts, c->q);
	enum souk_err err = db_one(st);

	if (err == SOUK_OK)
		c->n = db_int(st, 0);
	db_reset(st);
	return err;
}

int64_t
world_count(struct world *w, const char *what)
{
	static const char *const words[] = { "versions", "live", "tombstones", "audit", "messages",
		"objects", "covered" };
	struct counting c = { .q = W__COUNT };

	for (unsigned i = 0; i < COUNT(words); i++)
		if (strcmp(words[i], what) == 0)
			c.q = W_COUNT_VERSIONS + i;
	assert_true(c.q < W__COUNT);
	assert_ok(db_read(w->db, count_tx, &c));
	return c.n;
}

instant_t
world_covered(struct world *w)
{
	return world_count(w, "covered");
}

struct contact_fields
world_fields(unsigned n)
{
	static _Thread_local char email[64][48], phone[64][24];
	static _Thread_local unsigned next;
	unsigned k = next++ % 64;

	(void)snprintf(email[k], sizeof(email[k]), "person%u@example.com", n);
	(void)snprintf(phone[k], sizeof(phone[k]), "+1 206 555 %04u", n % 10000);
	return (struct contact_fields){ .organization = STR("Example Corp " SECRET_MARK),
		.given_name = STR("Jane " SECRET_MARK),
		.surname = n % 2 ? STR("Roe, \"Dr\" " SECRET_MARK) : STR("Roe " SECRET_MARK),
		.telephone = str_c(phone[k]),
		.email = str_c(email[k]),
		.title = n % 3 ? STR("") : STR("Lead " SECRET_MARK),
		.country = n % 3 ? STR("") : STR("US"),
		.zip = n % 3 ? STR("") : STR("02201") };
}

/* ---- changes ---- */

enum change_kind { ADD, EDIT, DELETE, END };
struct change {
	struct world *w;
	enum change_kind kind;
	const struct guid *sub, *id;
	const struct contact_fields *c;
	instant_t at;
	struct contact *ret;
	struct fail *f;
};

static enum souk_err
change_tx(struct db_tx *tx, void *arg)
{
	struct change *x = arg;
	struct contact_preset preset = { .at = x->at };
	struct contact made;
	struct arena *mem;
	enum souk_err err = SOUK_E_INTERNAL;

	switch (x->kind) {
	case ADD:
		return contact_add(tx, x->w->vault, &x->w->op, x->sub, x->c, &preset,
		    x->ret ? x->ret : &made, x->f);
	case EDIT:
		return contact_edit(
		    tx, x->w->vault, &x->w->op, x->sub, x->id, 0, x->c, &preset, &made, x->f);
	case DELETE:
		return contact_delete(tx, x->w->vault, &x->w->op, x->sub, x->id, 0, &preset, x->f);
	case END:
		mem = arena_new(65536);
		err = psc_end_subscription(
		    tx, x->w->vault, &x->w->op, x->sub, x->at, NULL, NULL, mem, x->f);
		arena_free(mem);
		break;
	}
	return err;
}

enum souk_err
world_add(struct world *w, const struct guid *sub, const struct contact_fields *c, instant_t at,
    struct contact *ret, struct fail *f)
{
	struct change x = { .w = w, .kind = ADD, .sub = sub, .c = c, .at = at, .ret = ret, .f = f };

	return db_write(w->db, change_tx, &x);
}

enum souk_err
world_edit(struct world *w, const struct guid *sub, const struct guid *id,
    const struct contact_fields *c, instant_t at, struct fail *f)
{
	struct change x = { .w = w, .kind = EDIT, .sub = sub, .id = id, .c = c, .at = at, .f = f };

	return db_write(w->db, change_tx, &x);
}

enum souk_err
world_delete(
    struct world *w, const struct guid *sub, const struct guid *id, instant_t at, struct fail *f)
{
	struct change x = { .w = w, .kind = DELETE, .sub = sub, .id = id, .at = at, .f = f };

	return db_write(w->db, change_tx, &x);
}

enum souk_err
world_end(struct world *w, const struct guid *sub, instant_t at, struct fail *f)
{
	struct change x = { .w = w, .kind = END, .sub = sub, .at = at, .f = f };

	return db_write(w->db, change_tx, &x);
}

/* ---- many at once ---- */

void
world_move(struct world *w, const struct guid *product, const char *seller)
{
	put(w, (struct put){ W_MOVE, 2, { { .text = seller }, { .guid = product } } });
}

struct contact_row
world_fill_row(const struct world *w, unsigned i)
{
	struct prng r = { 1000 + i }, s = { 5000000 + i / CONTACTS_MAX };
	struct contact_row row = { .seller_id = SELLER,
		.buyer_id = BUYER,
		.product_id = w->product,
		.id = prng_guid(&r),
		.subscription_id = prng_guid(&s),
		.subscription_start = w->base - (instant_t)prng_below(&s, 3000) * DAY_MS,
		.operation_time = w->base + (instant_t)i * 1000,
		.slot = 1 + (int)(i % CONTACTS_MAX) };

	row.operation = i % 10 == 9 ? CONTACT_DELETE : i % 7 == 6 ? CONTACT_UPDATE : CONTACT_CREATE;
	row.created_at = i % 7 == 6 ? w->base - DAY_MS : row.operation_time;
	return row;
}

struct contact_fields
world_fill_fields(unsigned i, bool large)
{
	static char quotes[256];
	struct contact_fields c = world_fields(i);

	memset(quotes, '"', sizeof(quotes));
	if (large) {
		c.organization = (struct str){ quotes, 1 + i % 255 };
		c.given_name = (struct str){ quotes, 1 + i % 100 };
		c.surname = (struct str){ quotes, 1 + i % 100 };
		c.title = (struct str){ quotes, i % 256 };
	}
	return c;
}

struct fill {
	struct world *w;
	unsigned n;
	bool large;
};

static enum souk_err
fill_tx(struct db_tx *tx, void *arg)
{
	struct fill *x = arg;
	enum souk_err err = SOUK_OK;

	for (unsigned i = 0; i < x->n && err == SOUK_OK; i++) {
		struct contact_row row = world_fill_row(x->w, i);
		struct contact_fields c = world_fill_fields(i, x->large);
		struct data_key key;
		struct wrapped_key wrapped;
		struct contact_binding to = contact_row_binding(&row);
		uint8_t sealed[CONTACT_SEALED_MAX];

		vault_key_new(x->w->vault, (struct str){ (char *)row.id.b, 16 }, &key, &wrapped);
		row.wrapped = (struct str){ (char *)wrapped.b, sizeof(wrapped.b) };
		row.sealed = (struct str){ (char *)sealed, contact_seal(&key, &to, &c, sealed) };
		err = contact_store_insert(tx, &row);
	}
	return err;
}

void
world_fill(struct world *w, unsigned n, bool large)
{
	struct fill x = { w, n, large };

	assert_ok(db_write(w->db, fill_tx, &x));
}

/* ---- exports ---- */

static enum souk_err
buf_sink_write(struct sink *s, const void *p, size_t n)
{
	struct buf_sink *b = (struct buf_sink *)s;

	if (b->fail_after > 0 && b->buf.n + n > b->fail_after)
		return SOUK_E_STORAGE;
	buf_add(&b->buf, p, n);
	return buf_ok(&b->buf) ? SOUK_OK : SOUK_E_NOMEM;
}

struct buf_sink
buf_sink_make(void)
{
	return (struct buf_sink){ .sink = { buf_sink_write } };
}

struct buf
world_export(
    struct world *w, instant_t from, instant_t end, unsigned threads, struct psc_export_stats *ret)
{
	struct buf_sink s = buf_sink_make();
	struct psc_export_stats stats;
	struct fail f = { 0 };

	assert_ok(psc_export_write(
	    w->db, w->vault, str_c(SELLER), from, end, threads, &s.sink, &stats, &f));
	if (ret)
		*ret = stats;
	return s.buf;
}
