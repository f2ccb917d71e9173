/* SPDX-License-Identifier: Apache-2.0 */
/* The marketplace of the market tests. */
#include "market_test.h"

#include "unit/database.h"

#include <unistd.h>

static struct tenant_scope
scope(const char *account, bool buyer, bool seller)
{
	struct tenant_scope s = { .is_buyer = buyer, .is_seller = seller, .actor = "test" };

	(void)snprintf(s.account_id, sizeof(s.account_id), "%s", account);
	return s;
}

int
world_setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct db_options o = {
		.create = true, .distribute = test_distributes(), .writers = TEST_WRITERS
	};

	(void)snprintf(w->dir, sizeof(w->dir), "/tmp/souk-market-XXXXXX");
	if (!mkdtemp(w->dir))
		return -1;
	(void)snprintf(w->path, sizeof(w->path), "%s", test_database(w->dir));
	o.path = w->path;
	if (db_open(&o, &w->db, &w->f) != SOUK_OK) {
		print_error("%s\n", w->f.detail);
		return -1;
	}
	w->mem = arena_new(8 << 20);
	w->op = tenant_for_cli("test");
	w->seller = scope(SELLER, false, true);
	w->seller_b = scope(SELLER_B, false, true);
	w->buyer = scope(BUYER, true, false);
	w->buyer_b = scope(BUYER_B, true, false);
	w->both = scope(BOTH, true, true);
	*state = w;
	return 0;
}

int
world_teardown(void **state)
{
	static const char *const suffixes[] = { "", "-wal", "-shm", "-lock" };
	struct world *w = *state;
	char path[1100];

	for (size_t i = 0; i < w->n_kept; i++)
		json_decref(w->kept[i]);
	buf_done(&w->out);
	arena_free(w->mem);
	if (!w->inside) { /* else the transaction of a failed test is still open */
		db_close(w->db);
		test_database_drop(w->dir);
		for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
			(void)snprintf(path, sizeof(path), "%s%s", w->path, suffixes[i]);
			(void)unlink(path);
		}
		(void)rmdir(w->dir);
	}
	free(w);
	return 0;
}

json_t *
world_json(struct world *w, const char *text)
{
	char *copy = arena_strdup(w->mem, text);
	json_t *o = NULL;

	assert_non_null(copy);
	for (char *p = copy; *p; p++)
		if (*p == '\'')
			*p = '"';
	assert_int_equal(json_read(str_c(copy), &o, world_fail(w)), SOUK_OK);
	assert_true(w->n_kept < sizeof(w->kept) / sizeof(w->kept[0]));
	w->kept[w->n_kept++] = o;
	return o;
}

struct fail *
world_fail(struct world *w)
{
	memset(&w->f, 0, sizeof(w->f));
	return &w->f;
}

void
assert_field(const struct world *w, const char *field)
{
	for (size_t i = 0; i < w->f.n; i++)
		if (strcmp(w->f.entry[i].field, field) == 0) {
			assert_true(w->f.entry[i].what[0] != '\0');
			assert_true(w->f.entry[i].fix[0] != '\0');
			return;
		}
	fail_msg("no word of field %s (%zu fields, %s)", field, w->f.n, w->f.detail);
}

void
assert_code(const struct world *w, const char *code)
{
	assert_non_null(w->f.code);
	assert_string_equal(w->f.code, code);
	assert_true(w->f.detail[0] != '\0');
}

void
assert_out(const struct world *w, const char *text, bool want)
{
	bool has = w->out.n > 0 && memmem(w->out.p, w->out.n, text, strlen(text));

	if (has != want)
		fail_msg("%s: %s in %s", text, want ? "not" : "found", w->out.p ? w->out.p : "");
}

struct guid
world_guid(const char *text)
{
	struct guid g;

	assert_true(guid_parse(str_c(text), &g));
	return g;
}

const char *
letters(struct world *w, size_t n)
{
	char *p = arena_alloc(w->mem, n + 1);

	assert_non_null(p);
	memset(p, 'a', n);
	return p;
}

static void
expect(struct world *w, enum souk_err r)
{
	char line[512];

	if (r == SOUK_OK)
		return;
	fail_line(&w->f, line, sizeof(line));
	fail_msg("%s: %s", souk_err_word(r), line);
}

struct account
world_account(struct world *w, const char *text)
{
	struct account a;

	expect(w, account_parse(world_json(w, text), NULL, w->mem, &a, world_fail(w)));
	expect(w, account_create(w->tx, &w->op, &a, world_fail(w)));
	return a;
}

struct product
world_product(struct world *w, const char *text)
{
	struct product p;

	expect(w, product_parse(world_json(w, text), NULL, w->mem, &p, world_fail(w)));
	expect(w, product_create(w->tx, &w->op, &p, world_fail(w)));
	return p;
}

struct offer
world_offer(struct world *w, const char *text)
{
	struct offer o;

	expect(w, offer_parse(world_json(w, text), NULL, &o, world_fail(w)));
	expect(w, offer_create(w->tx, &w->op, &o, world_fail(w)));
	return o;
}

struct subscription
world_subscription(struct world *w, const char *text)
{
	struct subscription s;

	expect(w, subscription_parse(world_json(w, text), NULL, &s, world_fail(w)));
	expect(w, subscription_create(w->tx, &w->op, &s, world_fail(w)));
	return s;
}

struct jw
world_list_begin(struct world *w)
{
	struct jw out;

	buf_clear(&w->out);
	jw_init(&out, &w->out);
	jw_open(&out, NULL, '[');
	return out;
}

size_t
world_list_end(struct world *w, struct jw *out)
{
	json_t *o = NULL;

	jw_close(out, ']');
	assert_true(buf_ok(&w->out));
	assert_int_equal(json_read(buf_str(&w->out), &o, world_fail(w)), SOUK_OK);
	assert_true(w->n_kept < sizeof(w->kept) / sizeof(w->kept[0]));
	w->kept[w->n_kept++] = o;
	return json_array_size(o);
}

static void
populate(struct world *w)
{
	(void)world_account(
	    w, "{'accountId':'" SELLER "','name':'Seller','country':'US','seller':true}");
	(void)world_account(
	    w, "{'accountId':'" SELLER_B "','name':'Seller B','country':'US','seller':true}");
	(void)world_account(
	    w, "{'accountId':'" BUYER "','name':'Buyer','country':'ES','buyer':true}");
	(void)world_account(
	    w, "{'accountId':'" BUYER_B "','name':'Buyer B','country':'JP','buyer':true}");
	(void)world_account(
	    w, "{'accountId':'" BOTH "','name':'Both','country':'DE','buyer':true,'seller':true}");
	(void)world_product(w,
	    "{'productId':'" PRODUCT_ID "','sellerId':'" SELLER "','productCode':'" CODE "',"
	    "'title':'Image','type':'ami','pricing':['hourly','annual'],'state':'limited',"
	    "'supportEmail':'support@example.com','pscEnabled':true}");
	(void)world_subscription(w,
	    "{'subscriptionId':'" SUB_ID "','productId':'" PRODUCT_ID "','buyerId':'" BUYER "',"
	    "'kind':'hourly'}");
}

static enum souk_err
run(struct db_tx *tx, void *arg)
{
	struct world *w = arg;

	w->tx = tx;
	w->inside = true;
	if (!w->populated)
		populate(w);
	w->populated = true;
	w->body(w);
	w->inside = false;
	w->populated = w->populated || !w->undone;
	return w->undone ? SOUK_E_CONFLICT : SOUK_OK;
}

void
world_run(void **state, void (*body)(struct world *w))
{
	struct world *w = *state;
	enum souk_err err;

	w->body = body;
	w->undone = false;
	err = db_bulk(w->db, run, w);
	assert_int_equal(err, w->undone ? SOUK_E_CONFLICT : SOUK_OK);
}

static const char *const texts_sql[] = {
	"INSERT INTO psc_coverage (seller_id, exported_until) VALUES ($1, $2)"
};
static struct db_texts texts = { .component = "market.world", .sql = texts_sql, .n = 1 };

void
world_exported(struct world *w, const char *seller, instant_t until)
{
	struct db_stmt *st = db_stmt(w->tx, &texts, 0);

	db_bind_c(st, 1, seller);
	db_bind_int(st, 2, until);
	assert_int_equal(db_run(st, NULL), SOUK_OK);
}
