/* SPDX-License-Identifier: Apache-2.0 */
/* The file of a window: the sixteen cases of specs/psc.md 6, boundaries, redaction, order, damage. */
#include "world.h"

#include "base/csv.h"
#include "psc/contact_store.h"
#include "psc/export_row.h"

#include <pthread.h>

#define HEADER                                                                                     \
	"Product Id,Product Code,Customer Guid,Subscription Guid,Subscription Start Date,"         \
	"Organization,AWS Customer Id,Given Name,Surname,Telephone Number,Email,Title,"            \
	"Country Code,ZIP Code,Operation Time,Operation Type\r\n"

/* What the file says of one contact; op "" when it has no record, "??" when it has two. */
struct said {
	char op[16];
	instant_t at;
	char line[2048];
};

static struct said
find(const struct buf *file, const struct guid *id)
{
	struct said s = { .op = "" };
	char text[GUID_TEXT_LEN + 1];
	const char *p = file->p, *end;

	guid_format(id, text);
	for (; p && *p; p = end + 2) {
		end = strstr(p, "\r\n");
		assert_non_null(end);
		if (!memmem(p, (size_t)(end - p), text, GUID_TEXT_LEN))
			continue;
		if (s.op[0]) {
			(void)snprintf(s.op, sizeof(s.op), "??");
			return s;
		}
		(void)snprintf(s.line, sizeof(s.line), "%.*s", (int)(end - p), p);
		(void)snprintf(s.op, sizeof(s.op), "%.6s", end - 6);
		assert_true(instant_parse(
		    (struct str){ end - 7 - INSTANT_TEXT_LEN, INSTANT_TEXT_LEN }, &s.at));
	}
	return s;
}

static size_t
records(const struct buf *file)
{
	size_t n = 0;

	for (const char *p = file->p; (p = strstr(p, "\r\n")); p += 2)
		n++;
	return n - 1;
}

/* ---- the sixteen cases ---- */

/* Hours after the world's base; 0: did not happen. The window is [20, 40). */
struct history {
	const char *what;
	int created, edited, edited_again, deleted, ended;
	const char *op; /* "" none */
	int at;
};
#define F 20
#define E 40
static const struct history histories[] = {
	{ "1 live, created inside", 25, 0, 0, 0, 0, "CREATE", 25 },
	{ "2 live, created before", 5, 0, 0, 0, 0, "", 0 },
	{ "3 created and edited inside", 25, 30, 0, 0, 0, "CREATE", 30 },
	{ "4 created before, edited inside", 5, 30, 0, 0, 0, "UPDATE", 30 },
	{ "5 created and edited before", 5, 10, 0, 0, 0, "", 0 },
	{ "6 deleted inside", 5, 0, 0, 30, 0, "DELETE", 30 },
	{ "6 edited before, deleted inside", 5, 10, 0, 30, 0, "DELETE", 30 },
	{ "6 edited and deleted inside", 5, 25, 0, 30, 0, "DELETE", 30 },
	{ "7 created and deleted inside", 25, 0, 0, 30, 0, "DELETE", 30 },
	{ "7 created, edited, deleted inside", 25, 26, 0, 30, 0, "DELETE", 30 },
	{ "8 deleted before", 5, 0, 0, 10, 0, "", 0 },
	{ "9 ended inside", 5, 0, 0, 0, 30, "DELETE", 30 },
	{ "9 created and ended inside", 25, 0, 0, 0, 30, "DELETE", 30 },
	{ "9 ended before", 5, 0, 0, 0, 10, "", 0 },
	{ "9 deleted before the end", 5, 0, 0, 10, 30, "", 0 },
	{ "10 edited twice inside", 5, 25, 30, 0, 0, "UPDATE", 30 },
	{ "10 created inside, edited twice", 21, 25, 30, 0, 0, "CREATE", 30 },
	{ "10 edited before and inside", 5, 10, 30, 0, 0, "UPDATE", 30 },
	{ "11 created after", 45, 0, 0, 0, 0, "", 0 },
	{ "11 created after, deleted after", 45, 0, 0, 50, 0, "", 0 },
	{ "12 created inside, deleted after", 25, 0, 0, 45, 0, "", 0 },
	{ "12 edited inside, deleted after", 5, 30, 0, 45, 0, "", 0 },
	{ "12 created inside, ended after", 25, 0, 0, 0, 45, "", 0 },
	{ "13 created inside, edited after", 25, 45, 0, 0, 0, "CREATE", 25 },
	{ "13 edited inside, edited after", 5, 30, 45, 0, 0, "UPDATE", 30 },
	{ "13 created before, edited after", 5, 45, 0, 0, 0, "", 0 },
	{ "tie: created at the start", F, 0, 0, 0, 0, "CREATE", F },
	{ "tie: edited at the start", 5, F, 0, 0, 0, "UPDATE", F },
	{ "tie: deleted at the start", 5, 0, 0, F, 0, "DELETE", F },
	{ "tie: created at the end", E, 0, 0, 0, 0, "", 0 },
	{ "tie: edited at the end", 25, E, 0, 0, 0, "CREATE", 25 },
	{ "tie: deleted at the end", 25, 0, 0, E, 0, "", 0 },
	{ "tie: created at the start, edited at the end", F, E, 0, 0, 0, "CREATE", F },
	{ "tie: ended at the end", 5, 0, 0, 0, E, "", 0 },
};

static instant_t
hour(const struct world *w, int h)
{
	return w->base + h * HOUR_MS;
}

static struct guid
live(struct world *w, const struct history *h, struct guid *ret_sub)
{
	struct contact c;
	struct contact_fields a = world_fields(1), b = world_fields(2), d = world_fields(3);

	*ret_sub = world_subscription(w, &w->product, SELLER, BUYER);
	assert_ok(world_add(w, ret_sub, &a, hour(w, h->created), &c, NULL));
	if (h->edited)
		assert_ok(world_edit(w, ret_sub, &c.id, &b, hour(w, h->edited), NULL));
	if (h->edited_again)
		assert_ok(world_edit(w, ret_sub, &c.id, &d, hour(w, h->edited_again), NULL));
	if (h->deleted)
		assert_ok(world_delete(w, ret_sub, &c.id, hour(w, h->deleted), NULL));
	if (h->ended)
		assert_ok(world_end(w, ret_sub, hour(w, h->ended), NULL));
	return c.id;
}

/* Which of the three values the record must show: those of the last change before the end. */
static const char *
email_of(const struct history *h)
{
	if (h->edited_again && h->edited_again < E)
		return ",person3@example.com,";
	return h->edited && h->edited < E ? ",person2@example.com," : ",person1@example.com,";
}

static void
sixteen_cases(void **state)
{
	struct world *w = world_new();
	struct guid ids[COUNT(histories)], sub;
	struct psc_export_stats stats;
	struct buf file;
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(histories); i++)
		ids[i] = live(w, &histories[i], &sub);
	file = world_export(w, hour(w, F), hour(w, E), 2, &stats);
	for (size_t i = 0; i < COUNT(histories); i++) {
		const struct history *h = &histories[i];
		struct said s = find(&file, &ids[i]);

		if (strcmp(s.op, h->op) != 0 || (h->op[0] && s.at != hour(w, h->at)))
			fail_msg("%s: wanted '%s', got '%s'", h->what, h->op, s.op);
		if (h->op[0] && h->op[0] != 'D' && !strstr(s.line, email_of(h)))
			fail_msg("%s: values of another version", h->what);
		n += h->op[0] != '\0';
	}
	assert_int_equal(records(&file), n);
	assert_int_equal(stats.rows_create + stats.rows_update + stats.rows_delete, n);
	assert_null(stats.empty_reason);
	buf_done(&file);
	world_free(w);
}

/* 15: everything from the beginning; creates for all that live, deletes for all that ever were. */
static void
full_export(void **state)
{
	struct world *w = world_new();
	struct guid ids[COUNT(histories)], sub;
	struct psc_export_stats stats;
	struct buf file;

	(void)state;
	for (size_t i = 0; i < COUNT(histories); i++)
		ids[i] = live(w, &histories[i], &sub);
	file = world_export(w, INSTANT_MIN, hour(w, E), 1, &stats);
	for (size_t i = 0; i < COUNT(histories); i++) {
		const struct history *h = &histories[i];
		int gone = h->deleted ? h->deleted : h->ended;
		const char *want = gone && gone < E          ? "DELETE"
				   : gone || h->created >= E ? ""
							     : "CREATE";

		assert_string_equal(find(&file, &ids[i]).op, want);
	}
	assert_int_equal(stats.rows_update, 0);
	buf_done(&file);
	world_free(w);
}

/* ---- form ---- */

static void
lines_are_exact(void **state)
{
	struct world *w = world_new();
	struct guid sub = world_subscription(w, &w->product, SELLER, BUYER);
	struct contact_fields c = { .organization = STR("Übergrößen, \"株式会社\""),
		.given_name = STR("=Jane"),
		.surname = STR("O'Neil \"x\""),
		.telephone = STR("+44 20 5550 102 ext. 7"),
		.email = STR("jane@example.com"),
		.title = STR("a,b"),
		.country = STR("US"),
		.zip = STR("00501") };
	struct contact made;
	char want[2048], id[37], s[37], p[37], start[25], code[26];
	struct buf file;

	(void)state;
	assert_ok(world_add(w, &sub, &c, w->base + 12345678, &made, NULL));
	guid_format(&made.id, id);
	guid_format(&sub, s);
	guid_format(&w->product, p);
	hex_encode(w->product.b, 16, want);
	(void)snprintf(code, sizeof(code), "%.25s", want);
	instant_format(w->base, start);
	file = world_export(w, w->base, w->base + DAY_MS, 1, NULL);
	(void)snprintf(want, sizeof(want),
	    HEADER "%s,%s,%s,%s,%s,\"Übergrößen, \"\"株式会社\"\"\"," BUYER
		   ",=Jane,\"O'Neil \"\"x\"\"\",+44 20 5550 102 ext. 7,jane@example.com,\"a,b\","
		   "US,00501,%.10sT03:25:45.678Z,CREATE\r\n",
	    p, code, id, s, start, start);
	assert_string_equal(file.p, want);
	buf_done(&file);
	assert_ok(world_delete(w, &sub, &made.id, w->base + DAY_MS - 1, NULL));
	file = world_export(w, w->base, w->base + DAY_MS, 1, NULL);
	(void)snprintf(want, sizeof(want),
	    HEADER "%s,%s,%s,%s,%s,," BUYER ",,,,,,,,%.10sT23:59:59.999Z,DELETE\r\n", p, code, id,
	    s, start, start);
	assert_string_equal(file.p, want);
	assert_true(str_eq(export_header, STR(HEADER)));
	buf_done(&file);
	world_free(w);
}

/* Whatever it is given: a DELETE has nobody in it. */
static void
deletes_are_redacted(void **state)
{
	struct export_prefix product;
	struct export_row row = { .product = &product, .op = EXPORT_DELETE };
	struct export_days days = { 0 };
	struct contact_fields c = world_fields(1);
	struct guid id = { 0 };
	struct buf b = { 0 };

	(void)state;
	export_prefix_make(&id, STR("4t7mzn2k9qh1xw5c8v3bdr6pj"), &product);
	memcpy(row.buyer_id, BUYER, ACCOUNT_ID_LEN);
	export_row_write(&b, &days, &row, &c);
	assert_true(buf_ok(&b));
	assert_string_equal(b.p,
	    "00000000-0000-0000-0000-000000000000,4t7mzn2k9qh1xw5c8v3bdr6pj,"
	    "00000000-0000-0000-0000-000000000000,00000000-0000-0000-0000-000000000000,"
	    "1970-01-01T00:00:00.000Z,," BUYER ",,,,,,,,1970-01-01T00:00:00.000Z,DELETE\r\n");
	buf_done(&b);
}

static void
instants_format_like_the_clock(void **state)
{
	struct export_days days = { 0 };
	struct export_prefix prefix = { "", 0 };
	struct contact_fields c = { 0 };
	struct prng r = { 7 };

	(void)state;
	for (size_t i = 0; i < 20000; i++) {
		instant_t t = (instant_t)prng_below(&r, (uint64_t)(3 * DAY_MS)) +
			      (i % 3 ? 0 : INSTANT_MIN) + (i % 7 ? 0 : 50 * 365 * DAY_MS);
		struct export_row row = { .product = &prefix,
			.operation_time = t,
			.subscription_start = t / 1000,
			.op = EXPORT_DELETE };
		struct buf b = { 0 };
		char want[INSTANT_TEXT_LEN + 1];

		export_row_write(&b, &days, &row, &c);
		instant_format(t, want);
		assert_memory_equal(b.p + b.n - 9 - INSTANT_TEXT_LEN, want, INSTANT_TEXT_LEN);
		instant_format(t / 1000, want);
		assert_memory_equal(b.p + 74, want, INSTANT_TEXT_LEN);
		buf_done(&b);
	}
}

/* Order is operation time, then Customer Guid as text. */
static void
order_and_ties(void **state)
{
	struct world *w = world_new();
	struct contact_fields c = world_fields(1);
	char last[80] = "";
	struct buf file;
	size_t n = 0;

	(void)state;
	for (int i = 0; i < 40; i++) {
		struct guid sub = world_subscription(w, &w->product, SELLER, BUYER);

		for (int k = 0; k < 5; k++)
			assert_ok(
			    world_add(w, &sub, &c, hour(w, 1 + (i * 7 + k * 3) % 10), NULL, NULL));
	}
	file = world_export(w, w->base, w->base + DAY_MS, 2, NULL);
	for (char *p = strstr(file.p, "\r\n") + 2; *p; p = strstr(p, "\r\n") + 2) {
		const char *end = strstr(p, ",CREATE");
		char key[80];

		(void)snprintf(key, sizeof(key), "%.24s %.36s", end - 24, p + 63);
		assert_true(strcmp(last, key) < 0);
		memcpy(last, key, sizeof(last));
		n++;
	}
	assert_int_equal(n, 200);
	buf_done(&file);
	world_free(w);
}

/* ---- products and enrolment ---- */

static void
products_take_part_while_enabled(void **state)
{
	static const struct {
		const char *what;
		int enabled, enrolled;       /* hours; enabled 0: not */
		const char *before, *inside; /* of a contact made at 5, and one at 25 */
		const char *gone;            /* of one made at 5 and deleted at 10 */
	} rows[] = {
		{ "enabled long before", 1, 1, "", "CREATE", "" },
		{ "disabled", 0, 1, "", "", "" },
		{ "enabled at the start", F, 1, "CREATE", "CREATE", "DELETE" },
		{ "enabled inside", 30, 1, "CREATE", "CREATE", "DELETE" },
		{ "enabled just before the start", F - 1, 1, "", "CREATE", "" },
		{ "enabled at the end", E, 1, "", "", "" },
		{ "enabled after", 45, 1, "", "", "" },
		{ "enrolled inside", 1, 30, "CREATE", "CREATE", "DELETE" },
		{ "enrolled at the start", 1, F, "CREATE", "CREATE", "DELETE" },
		{ "enrolled after", 1, 45, "CREATE", "CREATE", "DELETE" },
		{ "enrolled just before the start", 1, F - 1, "", "CREATE", "" },
	};
	struct world *w = world_new();
	struct guid other = world_product(w, SELLER, 1);
	struct history before = { .created = 5 }, inside = { .created = 25 };
	struct history gone = { .created = 5, .deleted = 10 };
	struct guid sub, b, i, g, o, os = world_subscription(w, &other, SELLER, BUYER);
	struct contact_fields c = world_fields(1);
	struct contact made;

	(void)state;
	b = live(w, &before, &sub);
	i = live(w, &inside, &sub);
	g = live(w, &gone, &sub);
	assert_ok(world_add(w, &os, &c, hour(w, 5), &made, NULL));
	o = made.id;
	for (size_t k = 0; k < COUNT(rows); k++) {
		struct buf file;

		world_enable(w, &w->product, rows[k].enabled ? hour(w, rows[k].enabled) : 0);
		world_enrol(w, SELLER, true, hour(w, rows[k].enrolled));
		file = world_export(w, hour(w, F), hour(w, E), 1, NULL);
		if (strcmp(find(&file, &b).op, rows[k].before) != 0 ||
		    strcmp(find(&file, &i).op, rows[k].inside) != 0 ||
		    strcmp(find(&file, &g).op, rows[k].gone) != 0)
			fail_msg("%s", rows[k].what);
		/* Another product of the seller is not dragged along. */
		assert_row(k, (find(&file, &o).op[0] != '\0') == (rows[k].enrolled >= F));
		buf_done(&file);
	}
	world_free(w);
}

static void
other_sellers_see_nothing_of_it(void **state)
{
	struct world *w = world_new();
	struct guid theirs = world_product(w, OTHER_SELLER, 1);
	struct guid a = world_subscription(w, &w->product, SELLER, BUYER);
	struct guid b = world_subscription(w, &theirs, OTHER_SELLER, BUYER);
	struct contact_fields c = world_fields(1);
	struct contact mine, their;
	struct buf file;

	(void)state;
	assert_ok(world_add(w, &a, &c, hour(w, 5), &mine, NULL));
	assert_ok(world_add(w, &b, &c, hour(w, 5), &their, NULL));
	file = world_export(w, 0, hour(w, 6), 1, NULL);
	assert_int_equal(records(&file), 1);
	assert_string_equal(find(&file, &mine.id).op, "CREATE");
	buf_done(&file);
	world_free(w);
}

static enum souk_err
try_export(struct world *w, const char *seller, instant_t from, instant_t end,
    struct psc_export_stats *stats, struct buf *ret, struct fail *f)
{
	struct buf_sink s = buf_sink_make();
	enum souk_err err =
	    psc_export_write(w->db, w->vault, str_c(seller), from, end, 1, &s.sink, stats, f);

	if (err == SOUK_OK && ret)
		*ret = s.buf;
	else
		buf_done(&s.buf);
	return err;
}

static void
who_is_not_enrolled_gets_nothing(void **state)
{
	struct world *w = world_new();
	static const char *const sellers[] = { OTHER_SELLER, "999999999999", SELLER };

	(void)state;
	world_enrol(w, SELLER, false, 1);
	for (size_t i = 0; i < COUNT(sellers); i++) {
		struct psc_export_stats stats;
		struct fail f = { 0 };

		assert_int_equal(
		    try_export(w, sellers[i], 0, w->base, &stats, NULL, &f), SOUK_E_DENIED);
		assert_string_equal(f.code, "not_enrolled");
	}
	world_free(w);
}

static void
empty_files_say_why(void **state)
{
	struct world *w = world_new();
	struct guid sub = world_subscription(w, &w->product, SELLER, BUYER);
	struct contact_fields c = world_fields(1);
	struct {
		int from, end;
		int enabled;
		const char *why;
	} rows[] = {
		{ 6, 7, 1, "no contact was created, changed or deleted in the window" },
		{ 7, 7, 1, "fromDate is not before the coverage end" },
		{ 8, 7, 1, "fromDate is not before the coverage end" },
		{ 1, 7, 0,
		    "no product was enabled for Product Support Connection at the coverage end" },
		{ 1, 7, 8,
		    "no product was enabled for Product Support Connection at the coverage end" },
		{ 1, 7, 1, NULL },
	};

	(void)state;
	assert_ok(world_add(w, &sub, &c, hour(w, 5), NULL, NULL));
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct psc_export_stats stats;
		struct buf file;

		world_enable(w, &w->product, rows[i].enabled ? hour(w, rows[i].enabled) : 0);
		file = world_export(w, hour(w, rows[i].from), hour(w, rows[i].end), 2, &stats);
		assert_row(i, (records(&file) == 0) == (rows[i].why != NULL));
		assert_row(i, str_eq(str_c(stats.empty_reason), str_c(rows[i].why)));
		assert_row(i, strncmp(file.p, HEADER, strlen(HEADER)) == 0);
		buf_done(&file);
	}
	world_free(w);
}

/* ---- batches and threads ---- */

/* Fields of every length up to their limits, full of quotes; row i of world_fill(large). */
static void
add_line(struct buf *b, struct world *w, unsigned i, bool large)
{
	static const char *const ops[] = { "", "CREATE", "UPDATE", "DELETE" };
	struct contact_row r = world_fill_row(w, i);
	struct contact_fields c = world_fill_fields(i, large);
	struct str personal[] = { c.given_name, c.surname, c.telephone, c.email, c.title, c.country,
		c.zip };
	char id[37], sub[37], product[37], code[33], at[25], start[25];

	guid_format(&r.id, id);
	guid_format(&r.subscription_id, sub);
	guid_format(&r.product_id, product);
	hex_encode(r.product_id.b, 16, code);
	instant_format(r.operation_time, at);
	instant_format(r.subscription_start, start);
	buf_printf(b, "%s,%.25s,%s,%s,%s,", product, code, id, sub, start);
	if (r.operation != CONTACT_DELETE)
		csv_field(b, c.organization);
	buf_printf(b, ",%s,", BUYER);
	for (size_t k = 0; k < COUNT(personal); k++) {
		if (r.operation != CONTACT_DELETE)
			csv_field(b, personal[k]);
		buf_add_char(b, ',');
	}
	buf_printf(b, "%s,%s\r\n", at, ops[r.operation]);
}

static void
any_number_of_rows(void **state)
{
	static const struct {
		unsigned n;
		bool large;
	} rows[] = { { 1, false }, { 511, false }, { 512, false }, { 513, false }, { 1024, false },
		{ 1025, false }, { 5000, false }, { 20000, false }, { 700, true }, { 3000, true } };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct world *w = world_new();
		struct buf want = { 0 };

		world_fill(w, rows[i].n, rows[i].large);
		buf_add_c(&want, HEADER);
		for (unsigned k = 0; k < rows[i].n; k++)
			add_line(&want, w, k, rows[i].large);
		for (unsigned threads = 1; threads <= 2; threads++) {
			struct buf file = world_export(w, w->base, clock_now(), threads, NULL);

			assert_row(i, file.n == want.n);
			assert_row(i, memcmp(file.p, want.p, want.n) == 0);
			buf_done(&file);
		}
		buf_done(&want);
		world_free(w);
	}
}

static void
a_failing_sink_ends_it(void **state)
{
	struct world *w = world_new();
	struct buf whole;

	(void)state;
	world_fill(w, 12000, false);
	whole = world_export(w, w->base, clock_now(), 1, NULL);
	for (unsigned threads = 1; threads <= 2; threads++)
		for (size_t at = 1; at < whole.n; at += whole.n / 23) {
			struct buf_sink s = buf_sink_make();
			struct psc_export_stats stats = { .rows_create = -1 };
			struct fail f = { 0 };

			s.fail_after = at;
			assert_int_equal(psc_export_write(w->db, w->vault, str_c(SELLER), w->base,
					     clock_now(), threads, &s.sink, &stats, &f),
			    SOUK_E_STORAGE);
			assert_int_equal(stats.rows_create, -1);
			assert_true(s.buf.n <= at);
			assert_true(s.buf.n == 0 || memcmp(s.buf.p, whole.p, s.buf.n) == 0);
			buf_done(&s.buf);
		}
	buf_done(&whole);
	world_free(w);
}

/* ---- late writers ---- */

struct writer {
	struct world *w;
	struct guid sub, id;
	_Atomic bool stop;
	int edits;
};

/* Adds and edits, now: later than the window's end. */
static void *
write_late(void *arg)
{
	struct writer *x = arg;
	struct contact_fields c = world_fields(7);
	struct guid sub = world_subscription(x->w, &x->w->product, SELLER, BUYER);

	while (!x->stop) {
		(void)world_add(x->w, &sub, &c, 0, NULL, NULL);
		x->edits += world_edit(x->w, &x->sub, &x->id, &c, 0, NULL) == SOUK_OK;
	}
	return NULL;
}

static void
late_changes_do_not_show(void **state)
{
	struct world *w = world_new();
	struct writer x = { .w = w };
	struct contact_fields c = world_fields(1);
	struct contact made;
	struct buf first;
	pthread_t thread;

	(void)state;
	world_fill(w, 6000, false);
	x.sub = world_subscription(w, &w->product, SELLER, BUYER);
	assert_ok(world_add(w, &x.sub, &c, w->base + 500, &made, NULL));
	x.id = made.id;
	first = world_export(w, w->base, w->base + DAY_MS, 2, NULL);
	assert_int_equal(pthread_create(&thread, NULL, write_late, &x), 0);
	for (int i = 0; i < 20; i++) {
		struct buf again = world_export(w, w->base, w->base + DAY_MS, 2, NULL);

		assert_int_equal(again.n, first.n);
		assert_memory_equal(again.p, first.p, first.n);
		buf_done(&again);
	}
	x.stop = true;
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(x.edits > 0);
	buf_done(&first);
	world_free(w);
}

/* ---- damage ---- */

/* Bytes of one contact put in another's place, by somebody who can write to the database. */
#define OF_SELLER "seller_id = '" SELLER "' AND contact_id"
#define FROM_ANOTHER " FROM contact_version WHERE " OF_SELLER " = $1) WHERE " OF_SELLER " = $2"
static const char *const swaps[] = {
	"UPDATE contact_version SET sealed = (SELECT sealed" FROM_ANOTHER,
	"UPDATE contact_version SET data_key = (SELECT data_key" FROM_ANOTHER,
	"UPDATE contact_version SET (sealed, data_key) = (SELECT sealed, data_key" FROM_ANOTHER,
	"INSERT INTO contact_version (seller_id, operation_time, contact_id, superseded_at,"
	" created_at, operation, slot, product_id, subscription_id, subscription_start, buyer_id,"
	" email_index, data_key, sealed) SELECT '" OTHER_SELLER "', operation_time, contact_id,"
	" superseded_at, created_at, operation, slot, product_id, subscription_id,"
	" subscription_start, buyer_id, email_index, data_key, sealed FROM contact_version "
	"WHERE " OF_SELLER " IN ($1, $2)",
	"UPDATE contact_version SET operation_time = operation_time + 1 WHERE " OF_SELLER
	" IN ($1, $2)",
	"UPDATE contact_version SET sealed = CAST('0' AS {blob}) WHERE " OF_SELLER " IN ($1, $2)",
	"UPDATE contact_version SET data_key = CAST('0' AS {blob}) WHERE " OF_SELLER " IN ($1, $2)",
};
static struct db_texts swap_texts = { .component = "psc.swap", .sql = swaps, .n = COUNT(swaps) };

struct swap {
	unsigned q;
	struct guid from, to;
};

static enum souk_err
swap_tx(struct db_tx *tx, void *arg)
{
	struct swap *s = arg;
	struct db_stmt *st = db_stmt(tx, &swap_texts, s->q);

	db_bind_guid(st, 1, &s->from);
	db_bind_guid(st, 2, &s->to);
	return db_run(st, NULL);
}

static void
does_not_open(struct world *w, unsigned q, const char *named, unsigned threads)
{
	struct buf_sink sink = buf_sink_make();
	struct psc_export_stats stats;
	struct fail f = { 0 };
	enum souk_err err;

	err = psc_export_write(w->db, w->vault, str_c(q == 3 ? OTHER_SELLER : SELLER), w->base,
	    clock_now(), threads, &sink.sink, &stats, &f);
	buf_done(&sink.buf);
	assert_row(q, err == SOUK_E_STORAGE);
	assert_string_equal(f.code, "damaged_contact");
	assert_row(q, strstr(f.detail, named) != NULL);
}

static void
moved_bytes_do_not_open(void **state)
{
	(void)state;
	for (unsigned q = 0; q < COUNT(swaps); q++) {
		struct world *w = world_new();
		struct swap s = { .q = q };
		char id[37];

		(void)world_product(w, OTHER_SELLER, 1);
		world_enrol(w, OTHER_SELLER, true, 1);
		world_fill(w, 3000, false);
		s.from = world_fill_row(w, 2000).id;
		s.to = world_fill_row(w, 2001).id;
		assert_ok(db_write(w->db, swap_tx, &s));
		if (q == 3)
			world_move(w, &w->product, OTHER_SELLER);
		guid_format(q < 3 ? &s.to : &s.from, id);
		for (unsigned threads = 1; threads <= 2; threads++)
			does_not_open(w, q, id, threads);
		world_free(w);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sixteen_cases),
		cmocka_unit_test(full_export),
		cmocka_unit_test(lines_are_exact),
		cmocka_unit_test(deletes_are_redacted),
		cmocka_unit_test(instants_format_like_the_clock),
		cmocka_unit_test(order_and_ties),
		cmocka_unit_test(products_take_part_while_enabled),
		cmocka_unit_test(other_sellers_see_nothing_of_it),
		cmocka_unit_test(who_is_not_enrolled_gets_nothing),
		cmocka_unit_test(empty_files_say_why),
		cmocka_unit_test(any_number_of_rows),
		cmocka_unit_test(a_failing_sink_ends_it),
		cmocka_unit_test(late_changes_do_not_show),
		cmocka_unit_test(moved_bytes_do_not_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
