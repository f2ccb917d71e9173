/* SPDX-License-Identifier: Apache-2.0 */
/* Logos that are fetched: which, how, what an answer means; and how they come into force. */
#include "unit/delivery/tls_hook.h"
#include "unit/delivery/world.h"

#include "market/market.h"
#include "proserv/catalog_store.h"
#include "proserv/logo_fetch.h"
#include "proserv/logo_kept.h"
#include "proserv/review_task.h"

#include <unistd.h>

#define URL "https://" TLS_HOOK_NAME "/acme/l.png"

/* ---- fetching -------------------------------------------------------------------------- */

static void
urls(void **state)
{
	static const struct {
		const char *url;
		bool fits;
	} t[] = {
		{ URL, true },
		{ "https://s3.amazonaws.com/bucket/l.png", true },
		{ "https://s3.amazonaws.com/bucket", false },
		{ "https://bucket.s3.amazonaws.com/", false },
		{ "https://bucket.s3.cn-north-1.amazonaws.com.cn/l.png", true },
		{ "http://bucket.s3.amazonaws.com/l.png", false },
		{ "https://bucket.s3.amazonaws.com/l.png?X-Amz-Signature=0", false },
		{ "https://bucket.s3.amazonaws.com.example.com/l.png", false },
		{ "https://www.example.com/l.png", false },
		{ "https://127.0.0.1/l.png", false },
		{ "", false },
	};
	struct buf b = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(t); i++)
		if (logo_url_fits(str_c(t[i].url)) != t[i].fits)
			fail_msg("%s", t[i].url);
	buf_add_c(&b, URL "/");
	while (b.n < LOGO_URL_MAX)
		buf_add_char(&b, 'a');
	assert_true(logo_url_fits(buf_str(&b)));
	buf_add_char(&b, 'a');
	assert_false(logo_url_fits(buf_str(&b)));
	buf_done(&b);
}

/* With settings of its own; NULL: none is fetched. */
static struct logo_fetcher *
fetcher(struct world *w, const char *ini)
{
	static struct config *c; /* it must outlive the fetcher */
	struct logo_fetcher *f;
	char path[128];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/logo.ini", w->dir);
	assert_non_null(file = fopen(path, "w"));
	(void)fputs(ini, file);
	assert_int_equal(fclose(file), 0);
	config_free(c);
	assert_ok(config_load(path, &c, NULL));
	assert_ok(logo_fetcher_new(c, &f, NULL));
	return f;
}

static enum logo_fetched
fetched(struct logo_fetcher *f, const char *url, size_t *ret_n, char reason[LOGO_REASON_MAX])
{
	struct buf out = { 0 };
	enum logo_fetched r = logo_fetch(f, url, &out, reason);

	*ret_n = out.n;
	buf_done(&out);
	return r;
}

static const struct {
	const char *head;
	size_t body;
	enum logo_fetched want;
	const char *reason;
} answers[] = {
	{ "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", 5, LOGO_FETCHED, "HTTP status 200" },
	{ "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n", 0, LOGO_UNREADABLE,
	    "HTTP status 403" },
	{ "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n", 0, LOGO_UNREADABLE,
	    "HTTP status 404" },
	{ "HTTP/1.1 301 Moved\r\nLocation: " URL "2\r\nContent-Length: 0\r\n", 0, LOGO_UNREADABLE,
	    "HTTP status 301, redirects are not followed" },
	{ "HTTP/1.1 429 Slow Down\r\nContent-Length: 0\r\n", 0, LOGO_LATER, "HTTP status 429" },
	{ "HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\n", 0, LOGO_LATER, "HTTP status 503" },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n", 5, LOGO_LATER, "connection broken" },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 4999999\r\n", LOGO_BYTES_MAX, LOGO_FETCHED,
	    "HTTP status 200" },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 30000000\r\n", 30000000, LOGO_FETCHED,
	    "HTTP status 200" },
};

static void
fetching(void **state)
{
	struct world *w = *state;
	char pem[128], ini[256], reason[LOGO_REASON_MAX];
	struct tls_hook *h;
	struct logo_fetcher *f;
	size_t n;

	(void)snprintf(pem, sizeof(pem), "%s/ca.pem", w->dir);
	h = tls_hook_start(pem);
	(void)snprintf(ini, sizeof(ini),
	    "review.logo-gateway = 127.0.0.1:%d\nreview.logo-ca-file = %s\n", tls_hook_port(h),
	    pem);
	f = fetcher(w, ini);
	for (size_t i = 0; i < COUNT(answers); i++) {
		char *body = calloc(1, answers[i].body + 1);
		struct buf all = { 0 };
		enum logo_fetched r;

		buf_printf(&all, "%sConnection: close\r\n\r\n", answers[i].head);
		buf_add(&all, body, answers[i].body);
		tls_hook_answer(h, buf_str(&all));
		r = fetched(f, URL, &n, reason);
		if (r != answers[i].want || strcmp(reason, answers[i].reason) != 0)
			fail_msg("%s: %d %s", answers[i].head, (int)r, reason);
		if (r == LOGO_FETCHED && answers[i].body <= LOGO_BYTES_MAX)
			assert_int_equal(n, answers[i].body);
		else if (r == LOGO_FETCHED)
			assert_true(n > LOGO_BYTES_MAX && n < LOGO_BYTES_MAX + 100000);
		assert_int_equal(tls_hook_count(h), i + 1);
		assert_memory_equal(tls_hook_seen(h), "GET /acme/l.png HTTP/1.1\r\n", 26);
		assert_non_null(strstr(tls_hook_seen(h), "Host: " TLS_HOOK_NAME "\r\n"));
		assert_null(strcasestr(tls_hook_seen(h), "authorization"));
		assert_null(strcasestr(tls_hook_seen(h), "cookie"));
		buf_done(&all);
		free(body);
	}
	/* In another's name than the gateway's certificate has. */
	assert_int_equal(fetched(f, "https://other.s3.amazonaws.com/l", &n, reason), LOGO_LATER);
	assert_string_equal(reason, "the host's certificate is not trusted");
	logo_fetcher_free(f);
	tls_hook_stop(h);
	assert_null(f = fetcher(w, "review.fetch-logos = false\n"));
	/* Without a gateway nothing that is not public is asked. */
	f = fetcher(w, "");
	assert_int_equal(fetched(f, "https://127.0.0.1/l", &n, reason), LOGO_UNREADABLE);
	assert_string_equal(reason, "the address is not public and not allowed");
	logo_fetcher_free(f);
	(void)fetcher(w, "review.fetch-logos = false\n");
}

/* ---- keeping --------------------------------------------------------------------------- */

static struct guid
id_of(unsigned n)
{
	return (struct guid){ { (uint8_t)n, 1 } };
}

static struct logo_row
row_of(struct str seller, unsigned product, unsigned set, const char *url)
{
	struct logo_row l = { .product_id = id_of(product),
		.change_set_id = id_of(100 + set),
		.url = str_c(url),
		.facts = { .bytes = 77,
		    .format = LOGO_JPEG,
		    .width = 300,
		    .height = 200,
		    .frames = 1,
		    .ground = GROUND_COLOURED,
		    .colour = { 1, 2, 0xfe },
		    .hash = { { 1, 2, 3, UINT64_MAX } } },
		.fetched_at = 7 };

	memcpy(l.seller_id, seller.p, seller.n);
	memset(l.digest, (int)set, sizeof(l.digest));
	return l;
}

static enum souk_err
put_tx(struct db_tx *tx, void *arg)
{
	return logo_row_put(tx, arg);
}

struct finding_logo {
	struct arena *mem;
	unsigned product, set; /* set 0: in force */
	struct logo_row row;
	enum souk_err err;
};

static enum souk_err
find_tx(struct db_tx *tx, void *arg)
{
	struct finding_logo *x = arg;
	struct guid product = id_of(x->product), set = id_of(100 + x->set);

	x->err = logo_row_find(tx, SELLER, &product, x->set != 0 ? &set : NULL, x->mem, &x->row);
	return SOUK_OK;
}

/* The URL of it; "" none. */
static const char *
url_of(struct world *w, unsigned product, unsigned set)
{
	struct finding_logo x = { .mem = w->mem, .product = product, .set = set };

	IN_READ(w, find_tx, &x);
	if (x.err == SOUK_E_NOT_FOUND)
		return "";
	assert_ok(x.err);
	return arena_strndup(w->mem, x.row.url.p, x.row.url.n);
}

static enum souk_err
enforce_tx(struct db_tx *tx, void *arg)
{
	struct guid set = id_of(100 + *(unsigned *)arg);

	return logo_rows_enforce(tx, SELLER, &set);
}

static enum souk_err
forget_tx(struct db_tx *tx, void *arg)
{
	struct guid set = id_of(100 + *(unsigned *)arg);

	return logo_rows_forget(tx, SELLER, &set);
}

static void
put(struct world *w, struct str seller, unsigned product, unsigned set, const char *url)
{
	struct logo_row l = row_of(seller, product, set, url);

	IN_WRITE(w, put_tx, &l);
}

static void
in_force(void **state)
{
	struct world *w = *state;
	unsigned one = 1, two = 2, three = 3;

	put(w, SELLER, 1, 1, "a");
	put(w, SELLER, 1, 1, "b"); /* the set's second try */
	put(w, SELLER, 2, 1, "c");
	put(w, OTHER, 1, 1, "foreign");
	assert_string_equal(url_of(w, 1, 1), "b");
	assert_string_equal(url_of(w, 1, 0), "");
	IN_WRITE(w, enforce_tx, &one);
	assert_string_equal(url_of(w, 1, 0), "b");
	assert_string_equal(url_of(w, 2, 0), "c");
	/* Another set that ends without, and one that ends well: of its own listing alone. */
	put(w, SELLER, 1, 2, "d");
	IN_WRITE(w, forget_tx, &two);
	assert_string_equal(url_of(w, 1, 2), "");
	assert_string_equal(url_of(w, 1, 0), "b");
	put(w, SELLER, 1, 3, "e");
	IN_WRITE(w, enforce_tx, &three);
	assert_string_equal(url_of(w, 1, 0), "e");
	assert_string_equal(url_of(w, 1, 1), "");
	assert_string_equal(url_of(w, 2, 0), "c");
	/* What is in force is not a set's to drop any more. */
	IN_WRITE(w, forget_tx, &three);
	assert_string_equal(url_of(w, 1, 0), "e");
	assert_int_equal(
	    world_int(w, "SELECT COUNT(*) FROM listing_logo WHERE url = 'foreign'"), 1);
	assert_int_equal(world_int(w, "SELECT COUNT(*) FROM listing_logo WHERE in_force = 1"), 2);
}

static void
facts(void **state)
{
	struct world *w = *state;
	struct logo_row l = row_of(SELLER, 1, 1, URL);
	struct finding_logo x = { .mem = w->mem, .product = 1, .set = 1 };
	const struct logo_facts *f = &x.row.facts;

	IN_WRITE(w, put_tx, &l);
	IN_READ(w, find_tx, &x);
	assert_ok(x.err);
	assert_memory_equal(x.row.digest, l.digest, SHA256_LEN);
	assert_memory_equal(&f->hash, &l.facts.hash, sizeof(f->hash));
	assert_memory_equal(f->colour, l.facts.colour, 3);
	assert_true(f->bytes == 77 && f->format == LOGO_JPEG && f->width == 300 &&
		    f->height == 200 && f->frames == 1 && f->ground == GROUND_COLOURED &&
		    !f->damaged && !f->blank && f->trouble == NULL);
	l.facts = (struct logo_facts){
		.bytes = 3, .format = LOGO_PNG, .damaged = true, .trouble = "it is cut off"
	};
	IN_WRITE(w, put_tx, &l);
	IN_READ(w, find_tx, &x);
	assert_ok(x.err);
	assert_true(f->damaged && f->ground == GROUND_UNKNOWN && f->blank);
	assert_string_equal(f->trouble, "it is cut off");
}

/* ---- for reviews ----------------------------------------------------------------------- */

static enum souk_err
listing_tx(struct db_tx *tx, void *arg)
{
	struct product *p = arg;
	struct tenant_scope op = tenant_for_cli("test");
	struct listing_row l = { .document = STR("{}"),
		.data_use = STR(""),
		.targeting = STR("[]"),
		.revision = 1,
		.edition = EDITION_G21,
		.due_at = 1,
		.created_at = 1,
		.changed_at = 1 };
	enum souk_err r = product_create(tx, &op, p, NULL);

	memcpy(l.seller_id, p->seller_id, sizeof(l.seller_id));
	l.product_id = p->id;
	return r == SOUK_OK ? listing_row_insert(tx, &l) : r;
}

static void
listing(struct world *w, struct str seller, unsigned id, const char *product_state)
{
	struct product p = { .id = id_of(id),
		.title = STR("T"),
		.type = STR("services"),
		.pricing = STR("[\"contract\"]"),
		.dimensions = STR(""),
		.solution_id = STR(""),
		.solution_title = STR(""),
		.support_email = STR(""),
		.support_phone = STR(""),
		.support_url = STR(""),
		.state = str_c(product_state) };
	struct logo_row l = row_of(seller, id, 1, URL);

	memcpy(p.seller_id, seller.p, seller.n);
	IN_WRITE(w, listing_tx, &p);
	IN_WRITE(w, put_tx, &l);
}

struct seen {
	struct logo_index *index;
	size_t n_due;
};

static enum souk_err
see_tx(struct db_tx *tx, void *arg)
{
	struct seen *x = arg;
	struct db_stmt *st = logo_rows_due(tx, 100, 500);
	enum souk_err r;
	bool row;

	while ((r = db_step(st, &row)) == SOUK_OK && row)
		x->n_due++;
	return r == SOUK_OK ? logo_index_refresh(x->index, tx) : r;
}

/* The product whose logo is the nearest for somebody else; 0: none is like it. */
static unsigned
nearest(struct seen *x, struct str seller)
{
	struct logo_search s = { .hash = row_of(SELLER, 1, 1, URL).facts.hash,
		.seller_id = seller };

	logo_index_search(x->index, &s, 1);
	return s.found ? s.nearest.product_id.b[0] : 0;
}

static enum souk_err
touch_tx(struct db_tx *tx, void *arg)
{
	struct guid id = id_of(*(unsigned *)arg);

	return logo_row_touch(tx, SELLER, &id);
}

/* Nothing of it is of the last few minutes, which are looked at again and again. */
static void
grow_old(struct world *w)
{
	world_sql(w, "UPDATE product SET changed_at = 1");
	world_sql(w, "UPDATE listing_logo SET changed_at = 1");
}

/* Drafts are nobody's to compare with; nor is what is not in force, or removed. What changes is read, the rest is not. */
static void
known(void **state)
{
	struct world *w = *state;
	struct seen x = { .n_due = 0 };
	unsigned one = 1, two = 2;

	assert_ok(logo_index_new(&x.index));
	listing(w, SELLER, 1, "limited");
	listing(w, SELLER, 2, "draft");
	listing(w, SELLER, 3, "public");
	listing(w, OTHER, 4, "public");
	IN_READ(w, see_tx, &x);
	assert_true(x.n_due == 0 && nearest(&x, OTHER) == 0);
	IN_WRITE(w, enforce_tx, &one);
	IN_READ(w, see_tx, &x);
	assert_int_equal(x.n_due, 3);
	assert_true(nearest(&x, OTHER) == 1 && nearest(&x, SELLER) == 0);
	grow_old(w);
	world_sql(w, "UPDATE product SET state = 'draft', changed_at = changed_at + 1"
		     " WHERE state = 'limited'");
	IN_READ(w, see_tx, &x);
	assert_int_equal(nearest(&x, OTHER), 1); /* old news */
	world_sql(w, "UPDATE product SET changed_at = 4000000000000 WHERE state = 'draft'");
	IN_READ(w, see_tx, &x);
	assert_int_equal(nearest(&x, OTHER), 3);
	/* Another logo of the third comes into force, without likeness; then of the first. */
	grow_old(w);
	{
		struct logo_row l = row_of(SELLER, 3, 2, URL);

		l.facts.blank = true;
		IN_WRITE(w, put_tx, &l);
		IN_WRITE(w, enforce_tx, &two);
	}
	world_sql(w, "UPDATE product SET state = 'public', changed_at = 4000000000000"
		     " WHERE state = 'draft'");
	IN_READ(w, see_tx, &x);
	assert_int_equal(nearest(&x, OTHER), 1);
	/* Removed. */
	grow_old(w);
	world_sql(w, "UPDATE listing SET removed_at = 5");
	IN_READ(w, see_tx, &x);
	assert_int_equal(nearest(&x, OTHER), 1);
	IN_WRITE(w, touch_tx, &one);
	IN_READ(w, see_tx, &x);
	assert_int_equal(nearest(&x, OTHER), 2);
	IN_WRITE(w, touch_tx, &two);
	IN_READ(w, see_tx, &x);
	assert_int_equal(nearest(&x, OTHER), 0);
	logo_index_free(x.index);
}

/* Other bytes at the same address are asked about anew. */
static void
taken(void **state)
{
	struct world *w = *state;
	struct logo_row a = row_of(SELLER, 1, 1, URL), b = row_of(SELLER, 1, 2, URL);
	struct listing l = { .logo = { .url = STR(URL) } }, m = l, other = l;
	struct review_input in = { .listing = &l }, none = { .listing = &other };
	const struct finding f = { .rule = rule_find(STR("PS-SETUP-07")),
		.kind = KIND_HUMAN,
		.pointer = STR("/logo"),
		.evidence = STR("") };
	uint8_t plain[SHA256_LEN], first[SHA256_LEN], second[SHA256_LEN];

	task_digest(&f, &l, plain);
	assert_ok(logo_take(&a, w->mem, &l, &in));
	assert_ptr_equal(in.logo, &a.facts);
	assert_true(logo_has_likeness(&in));
	task_digest(&f, &l, first);
	assert_ok(logo_take(&b, w->mem, &m, &in));
	task_digest(&f, &m, second);
	assert_memory_not_equal(plain, first, SHA256_LEN);
	assert_memory_not_equal(first, second, SHA256_LEN);
	other.logo.url = STR(URL "2");
	assert_ok(logo_take(&a, w->mem, &other, &none));
	assert_true(none.logo == NULL && other.logo.digest.n == 0 && !logo_has_likeness(&none));
}

int
main(void)
{
#define IN_WORLD(name) cmocka_unit_test_setup_teardown(name, world_make, world_remove)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urls),
		IN_WORLD(fetching),
		IN_WORLD(in_force),
		IN_WORLD(facts),
		IN_WORLD(known),
		IN_WORLD(taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
