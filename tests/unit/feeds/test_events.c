/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Billing events: collapsed, as known at an instant, of some months; whatever the order of rows and files, the chunks and
 * the threads. A model that keeps every row says what is right.
 */
#include "folder.h"

#include "feeds/events.h"

#define ROWS_MAX 400

struct row {
	char id[8], ref[8], address[8];
	enum event_action action;
	enum event_type type;
	int amount;                 /* whole units */
	int invoice, valid, update; /* days since 2024-01-01 */
	bool impacting, deleted;
};

static instant_t
day(int d)
{
	return INT64_C(1704067200000) + d * DAY_MS;
}

static void
day_text(int d, char out[INSTANT_TEXT_LEN + 1])
{
	instant_format(day(d), out);
	memcpy(out + 19, "Z", 2);
}

static void
row_text(struct buf *b, const struct row *r)
{
	char invoice[INSTANT_TEXT_LEN + 1], valid[INSTANT_TEXT_LEN + 1],
	    update[INSTANT_TEXT_LEN + 1];

	day_text(r->invoice, invoice);
	day_text(r->valid, valid);
	day_text(r->update, update);
	buf_printf(b, "%s,payer,seller,user,prod,%s,%s,,,%d,USD,%d,%s,,,,,%s,%s,,,%s,%s,%s,%s\n",
	    r->id, event_action_name(r->action), event_type_name(r->type), r->amount, r->impacting,
	    invoice, r->address, r->ref, valid, update, update, r->deleted ? update : "");
}

static uint64_t
draw(uint64_t *seed, uint64_t n)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return (*seed >> 20) % n;
}

/* Few ids and few days, so that rows collide in every way; ties included. */
static size_t
make_rows(struct row *rows, uint64_t *seed)
{
	size_t n = 1 + draw(seed, ROWS_MAX - 1), ids = 1 + draw(seed, n);

	for (size_t i = 0; i < n; i++) {
		struct row *r = &rows[i];
		int id = (int)draw(seed, ids);

		*r = (struct row){ .action = draw(seed, 3)
						 ? ACTION_INVOICED
						 : (enum event_action)draw(seed, ACTION__COUNT),
			.type = (enum event_type)draw(seed, TYPE__COUNT),
			.amount = (int)draw(seed, 3),
			.invoice = (int)draw(seed, 90),
			.valid = draw(seed, 8) ? 0 : (int)draw(seed, 3),
			.update = (int)draw(seed, 120),
			.impacting = draw(seed, 4) != 0,
			.deleted = draw(seed, 10) == 0 };
		(void)snprintf(r->id, sizeof(r->id), "e%d", id);
		(void)snprintf(r->ref, sizeof(r->ref), "t%d", (int)draw(seed, ids));
		if (draw(seed, 2))
			(void)snprintf(r->address, sizeof(r->address), "a%d", (int)draw(seed, 3));
	}
	return n;
}

static void
write_rows(const char *dir, const struct row *rows, size_t n, uint64_t *seed)
{
	static const char *const paths[] = { "billing_event_v1/year=2024/month=01/data.csv",
		"billing_event_v1/year=2024/month=02/data.csv",
		"billing_event_v1/year=2024/month=03/data.csv" };
	struct buf b[3] = { { 0 }, { 0 }, { 0 } };
	size_t order[ROWS_MAX];

	for (size_t i = 0; i < 3; i++)
		buf_add_c(&b[i], EVENT_HEADER);
	for (size_t i = 0; i < n; i++)
		order[i] = i;
	for (size_t i = n; i > 1; i--) {
		size_t k = draw(seed, i), t = order[k];

		order[k] = order[i - 1];
		order[i - 1] = t;
	}
	for (size_t i = 0; i < n; i++)
		row_text(&b[draw(seed, 3)], &rows[order[i]]);
	for (size_t i = 0; i < 3; i++) {
		folder_write(dir, paths[i], b[i].p, b[i].n);
		buf_done(&b[i]);
	}
}

/* ---- the model ------------------------------------------------------------------------------------------- */

struct asked {
	int known_at; /* a day, -1: none */
	int month_from, month_to;
	bool paid;
};

static int
compare_rows(const struct row *a, const struct row *b)
{
	struct buf x = { 0 }, y = { 0 };
	int c;

	/* Cells hold neither quotes nor what sorts before a comma. */
	row_text(&x, a);
	row_text(&y, b);
	for (size_t i = 0; i < x.n; i++)
		x.p[i] = x.p[i] == ',' ? '\x01' : x.p[i];
	for (size_t i = 0; i < y.n; i++)
		y.p[i] = y.p[i] == ',' ? '\x01' : y.p[i];
	c = str_compare(buf_str(&x), buf_str(&y));
	buf_done(&x);
	buf_done(&y);
	return c;
}

static bool
wins(const struct row *rows, size_t n, size_t i, const struct asked *q)
{
	if (q->known_at >= 0 && rows[i].update > q->known_at)
		return false;
	for (size_t k = 0; k < n; k++) {
		if (k == i || strcmp(rows[k].id, rows[i].id) != 0 ||
		    rows[k].valid != rows[i].valid ||
		    (q->known_at >= 0 && rows[k].update > q->known_at))
			continue;
		if (rows[k].update != rows[i].update) {
			if (rows[k].update > rows[i].update)
				return false;
			continue;
		}
		if (compare_rows(&rows[k], &rows[i]) > 0 ||
		    (compare_rows(&rows[k], &rows[i]) == 0 && k < i))
			return false;
	}
	return true;
}

static bool
in_months(const struct row *r, const struct asked *q)
{
	int m = month_of_instant(day(r->invoice));

	return m >= q->month_from && m <= q->month_to && r->impacting &&
	       (r->action == ACTION_INVOICED || r->action == ACTION_FORGIVEN);
}

static void
say(struct buf *b, const char *id, instant_t valid, long amount, bool current, bool extra)
{
	buf_printf(b, "%s@%lld=%ld%s%s\n", id, (long long)(valid - day(0)) / DAY_MS, amount,
	    current ? " current" : "", extra ? " extra" : "");
}

/* Every line of `b`, sorted. */
static void
sort_lines(struct buf *b)
{
	size_t n = 0, cap = 0;
	const char **line = NULL;
	struct buf sorted = { 0 };

	for (char *p = b->p, *next; p && *p; p = next) {
		next = strchr(p, '\n') + 1;
		next[-1] = '\0';
		if (n == cap)
			line = reallocarray(line, cap = 2 * cap + 16, sizeof(*line));
		line[n++] = p;
	}
	for (size_t i = 1; i < n; i++)
		for (size_t k = i; k > 0 && strcmp(line[k - 1], line[k]) > 0; k--) {
			const char *t = line[k];

			line[k] = line[k - 1];
			line[k - 1] = t;
		}
	for (size_t i = 0; i < n; i++) {
		buf_add_c(&sorted, line[i]);
		buf_add_char(&sorted, '\n');
	}
	free(line);
	buf_done(b);
	*b = sorted;
}

static void
model(const struct row *rows, size_t n, const struct asked *q, struct buf *b)
{
	bool *won = calloc(n, sizeof(*won));

	for (size_t i = 0; i < n; i++)
		won[i] = wins(rows, n, i, q);
	for (size_t i = 0; i < n; i++) {
		bool current = true, kept = in_months(&rows[i], q), extra = false;
		const struct row *r = &rows[i];

		if (!won[i] || r->deleted)
			continue;
		for (size_t k = 0; k < n; k++)
			if (won[k] && !rows[k].deleted && strcmp(rows[k].id, r->id) == 0 &&
			    rows[k].valid > r->valid)
				current = false;
		/* Rows of a month's references tell what they are paid with, superseded or not. */
		for (size_t k = 0; k < n && q->paid && !kept && !extra; k++)
			extra = r->action == ACTION_DISBURSED && event_type_is_seller(r->type) &&
				r->impacting && *r->address && won[k] && !rows[k].deleted &&
				in_months(&rows[k], q) && strcmp(rows[k].ref, r->ref) == 0;
		if (kept || extra)
			say(b, r->id, day(r->valid), r->amount, current, extra);
	}
	free(won);
	sort_lines(b);
}

/* ---- against it ------------------------------------------------------------------------------------------ */

static void
ask(const char *dir, const struct asked *q, unsigned threads, size_t chunk, struct buf *b)
{
	struct events_query e = { .known_at = q->known_at < 0 ? INSTANT_NONE : day(q->known_at),
		.month_from = q->month_from,
		.month_to = q->month_to,
		.actions = 1U << ACTION_INVOICED | 1U << ACTION_FORGIVEN,
		.types = TYPES_ALL,
		.flags = EVENTS_BALANCE | (q->paid ? EVENTS_PAID : 0U),
		.threads = threads,
		.chunk = chunk };
	struct feeds *fs = NULL;
	struct event_row *row = NULL;
	struct fail f = { 0 };
	bool *wanted;

	e.source = folder_source(dir);
	if (feeds_load(&e, &fs, &f) != SOUK_OK)
		fail_msg("%s %s %s", f.detail, f.entry[0].field, f.entry[0].what);
	wanted = calloc((size_t)intern_bound(fs->references) + 1, sizeof(*wanted));
	for (uint32_t i = events_next(fs, 0); i != EVENT_NONE; i = events_next(fs, i + 1))
		if (!event_at(fs, i)->extra)
			wanted[event_at(fs, i)->reference] = true;
	for (uint32_t i = events_next(fs, 0); i != EVENT_NONE; i = events_next(fs, i + 1)) {
		const struct event *v = event_at(fs, i);
		const struct str *cell;
		instant_t valid_from;
		char id[16];
		uint64_t line;

		/* A payment may be kept whose reference a superseded row named; nobody sees those. */
		if (v->extra && !wanted[v->reference])
			continue;
		assert_int_equal(event_row_read(fs, i, &row, &cell, &line, &f), SOUK_OK);
		(void)snprintf(id, sizeof(id), "%.*s", (int)cell[BE_BILLING_EVENT_ID].n,
		    cell[BE_BILLING_EVENT_ID].p);
		assert_null(value_instant(cell[BE_VALID_FROM], &valid_from).what);
		say(b, id, valid_from, (long)(v->amount / MONEY_ONE), v->current, v->extra);
	}
	free(wanted);
	event_row_done(row);
	feeds_free(fs);
	feed_source_free(e.source);
	sort_lines(b);
}

/* cmocka cuts long messages: only from where they differ. */
static void
tell(int round, size_t n, const struct asked *q, const char *want, const char *got)
{
	size_t i = 0;

	while (want[i] && want[i] == got[i])
		i++;
	while (i > 0 && want[i - 1] != '\n')
		i--;
	fail_msg("round %d, %zu rows, months %d to %d, known at %d, paid %d:\n%.200s\n-- instead "
		 "of\n%.200s",
	    round, n, q->month_from, q->month_to, q->known_at, q->paid, got + i, want + i);
}

static void
test_model(void **state)
{
	static struct row rows[ROWS_MAX];
	const char *dir = *state;
	uint64_t seed = 20240517;

	for (int round = 0; round < 200; round++) {
		size_t n = make_rows(rows, &seed);
		struct asked q = { .known_at = draw(&seed, 2) ? -1 : (int)draw(&seed, 120),
			.month_from = MONTHS_FROM,
			.month_to = MONTHS_TO,
			.paid = draw(&seed, 2) };
		struct buf want = { 0 }, got = { 0 };

		if (round % 3)
			q.month_from = q.month_to = MONTH_OF(2024, 1 + (int)draw(&seed, 3));
		write_rows(dir, rows, n, &seed);
		model(rows, n, &q, &want);
		ask(dir, &q, 1 + (unsigned)draw(&seed, 3),
		    draw(&seed, 2) ? 0 : 1 + draw(&seed, 3000), &got);
		if (strcmp(text_of(&want), text_of(&got)) != 0)
			tell(round, n, &q, text_of(&want), text_of(&got));
		buf_done(&want);
		buf_done(&got);
	}
}

#define assert_text(s, want) assert_true(str_eq_c((s), (want)))

/* Billing events with links, dangling ones and one to an event that was taken back. */
static const char linked[] =
    EVENT_HEADER "i0,payer,seller,,p,INVOICED,SELLER_REV_SHARE,,,100,USD,1,2024-01-01,2024-"
		 "02-01,2024-01-01,2024-01-31T23:59:59Z,inv,,t,,"
		 "AWS_INC,2024-01-01,,2024-01-01,\n"
		 "d0,payer,seller,,p,DISBURSED,SELLER_REV_SHARE,i0,pay,-100,USD,1,2024-02-"
		 "02,,,,,,t,trace,,2024-02-02,,2024-02-02,\n"
		 "d1,payer,seller,,p,DISBURSED,SELLER_REV_SHARE,nobody,gone,-1,USD,1,2024-"
		 "02-02,,,,,,t,,,2024-02-02,,2024-02-02,\n"
		 "pay,AWS,seller,,,DISBURSED,DISBURSEMENT,,,100,USD,0,2024-02-02,,,,,,,"
		 "trace,,2024-02-02,,2024-02-02,\n"
		 "gone,AWS,seller,,,DISBURSED,DISBURSEMENT,,,1,USD,0,2024-02-02,,,,,,,,,"
		 "2024-02-02,,2024-02-02,2024-02-03\n";

static void
check_linked(const struct feeds *fs, uint64_t skip)
{
	const uint64_t texts =
	    COLUMN(BE_INVOICE_ID) | COLUMN(BE_BANK_TRACE_ID) | COLUMN(BE_BROKER_ID);
	bool named = (skip & texts) != texts, due = (skip & COLUMN(BE_PAYMENT_DUE_DATE)) == 0;
	bool usage = (skip & COLUMN(BE_USAGE_PERIOD_START_DATE)) == 0;
	size_t seen = 0;

	for (uint32_t i = events_next(fs, 0); i != EVENT_NONE; i = events_next(fs, i + 1), seen++) {
		const struct event *e = event_at(fs, i);
		const struct event_more *m = event_more_at(fs, i);

		if (e->type == TYPE_DISBURSEMENT) {
			assert_text(intern_text(fs->others, m->bank_trace), named ? "trace" : "");
			assert_false(m->parent_dangling);
		} else if (e->amount == -100 * MONEY_ONE) {
			assert_int_equal(event_at(fs, m->parent)->amount / MONEY_ONE, 100);
			assert_int_equal(event_at(fs, m->disbursement)->type, TYPE_DISBURSEMENT);
		} else if (e->amount == -MONEY_ONE) {
			assert_true(m->parent == EVENT_NONE && m->parent_dangling);
			assert_true(m->disbursement == EVENT_NONE && m->disbursement_dangling);
		} else {
			assert_true(m->parent == EVENT_NONE);
			assert_text(intern_text(fs->accounts, e->to), "seller");
			assert_text(intern_text(fs->others, m->invoice), named ? "inv" : "");
			if (due)
				assert_int_equal(m->payment_due - e->invoice_date, 31 * DAY_MS);
			if (usage)
				assert_int_equal(m->usage_end - m->usage_start, 31 * DAY_MS - 1000);
		}
	}
	assert_int_equal(seen, 4);
}

/* "amount, or amount+ when it is not current" of every event kept, sorted. */
static void
expect(const char *dir, const struct row *rows, size_t n, const struct asked *q, const char *want)
{
	struct events_query e = { .known_at = INSTANT_NONE,
		.month_from = q->month_from,
		.month_to = q->month_to,
		.actions = 1U << ACTION_INVOICED,
		.types = TYPES_ALL,
		.flags = EVENTS_BALANCE | (q->paid ? EVENTS_PAID : 0U),
		.threads = 2,
		.chunk = 100 };
	struct feeds *fs = NULL;
	struct buf text = { 0 };

	buf_add_c(&text, EVENT_HEADER);
	for (size_t i = 0; i < n; i++)
		row_text(&text, &rows[i]);
	folder_clear(dir);
	folder_write(dir, "billing_event_v1/year=2024/month=01/data.csv", text.p, text.n);
	buf_clear(&text);
	e.source = folder_source(dir);
	assert_int_equal(feeds_load(&e, &fs, NULL), SOUK_OK);
	for (uint32_t i = events_next(fs, 0); i != EVENT_NONE; i = events_next(fs, i + 1))
		buf_printf(&text, "%ld%s\n", (long)(event_at(fs, i)->amount / MONEY_ONE),
		    event_at(fs, i)->current ? "" : "+");
	sort_lines(&text);
	assert_string_equal(text_of(&text), want);
	buf_done(&text);
	feeds_free(fs);
	feed_source_free(e.source);
}

#define ROW(i, r, act, amt, day)                                                                   \
	{                                                                                          \
		.id = (i), .ref = (r), .address = "adr", .action = (act),                          \
		.type = TYPE_SELLER_REV_SHARE, .amount = (amt), .invoice = (day), .valid = (day),  \
		.update = (day), .impacting = true                                                 \
	}

/* Every row is wanted, so one pass must do. */
static void
test_versions(void **state)
{
	static const struct row rows[] = { ROW("e0", "t", ACTION_INVOICED, 1, 0),
		ROW("e1", "t", ACTION_INVOICED, 2, 9), ROW("e0", "t", ACTION_INVOICED, 3, 40),
		ROW("e0", "t", ACTION_INVOICED, 4, 20) };

	expect(*state, rows, COUNT(rows),
	    &(struct asked){ .month_from = MONTHS_FROM, .month_to = MONTHS_TO }, "1+\n2\n3\n4+\n");
}

/* Of a month only the payments of its references take memory, wherever they stand. */
static void
test_payments(void **state)
{
	static const struct row rows[] = { ROW("p0", "t0", ACTION_DISBURSED, 10, 50),
		ROW("p1", "t1", ACTION_DISBURSED, 11, 50), ROW("e0", "t0", ACTION_INVOICED, 1, 0),
		ROW("e1", "t1", ACTION_INVOICED, 2, 40),
		ROW("p2", "t0", ACTION_DISBURSED, 12, 70) };
	struct asked q = {
		.month_from = MONTH_OF(2024, 1), .month_to = MONTH_OF(2024, 1), .paid = true
	};

	expect(*state, rows, COUNT(rows), &q, "1\n10\n12\n");
	q.month_to = MONTH_OF(2024, 2);
	expect(*state, rows, COUNT(rows), &q, "1\n10\n11\n12\n2\n");
	q.paid = false;
	expect(*state, rows, COUNT(rows), &q, "1\n2\n");
}

static void
test_links(void **state)
{
	const uint64_t texts =
	    COLUMN(BE_INVOICE_ID) | COLUMN(BE_BANK_TRACE_ID) | COLUMN(BE_BROKER_ID);
	const uint64_t usage =
	    COLUMN(BE_USAGE_PERIOD_START_DATE) | COLUMN(BE_USAGE_PERIOD_END_DATE);
	const uint64_t skips[] = { 0, usage, texts, texts | usage, COLUMN(BE_PAYMENT_DUE_DATE),
		texts | usage | COLUMN(BE_PAYMENT_DUE_DATE) };
	const char *dir = *state;
	struct events_query q = { .known_at = INSTANT_NONE,
		.month_from = MONTHS_FROM,
		.month_to = MONTHS_TO,
		.actions = ACTIONS_ALL,
		.types = TYPES_ALL,
		.flags = EVENTS_MORE,
		.threads = 2,
		.chunk = 300 };

	folder_clear(dir);
	folder_text(dir, "billing_event_v1/year=2024/month=01/data.csv", linked);
	for (size_t i = 0; i < COUNT(skips); i++) {
		struct feeds *fs = NULL;

		q.source = folder_source(dir);
		q.skip = skips[i];
		assert_int_equal(feeds_load(&q, &fs, NULL), SOUK_OK);
		check_linked(fs, skips[i]);
		feeds_free(fs);
		feed_source_free(q.source);
	}
}

/* What is skipped may be missing or wrong; its cells are empty. */
static void
test_skipped(void **state)
{
	static const char text[] = "billing_event_id,from_account_id,to_account_id,action,"
				   "transaction_type,amount,currency,"
				   "balance_impacting,invoice_date,payment_due_date,billing_"
				   "address_id,transaction_reference_id,"
				   "end_user_account_id,valid_from,update_date\n"
				   "i0,payer,seller,INVOICED,SELLER_REV_SHARE,100,USD,1,2024-01-01,"
				   "never,a,r,u,2024-01-01,2024-01-01\n";
	const char *dir = *state;
	struct events_query q = { .known_at = INSTANT_NONE,
		.month_from = MONTHS_FROM,
		.month_to = MONTHS_TO,
		.actions = ACTIONS_ALL,
		.types = TYPES_ALL,
		.skip = COLUMN(BE_PRODUCT_ID) | COLUMN(BE_TRANSACTION_REFERENCE_ID),
		.threads = 1 };
	struct feeds *fs = NULL;
	struct fail fail = { 0 };
	const struct event *e;

	folder_clear(dir);
	folder_text(dir, "billing_event_v1/year=2024/month=01/data.csv", text);
	q.source = folder_source(dir);
	assert_int_equal(feeds_load(&q, &fs, NULL), SOUK_OK);
	e = event_at(fs, events_next(fs, 0));
	assert_true(e->reference == INTERN_NONE && e->product == INTERN_NONE);
	assert_text(intern_text(fs->addresses, e->address), "a");
	feeds_free(fs);
	q.skip = COLUMN(BE_TRANSACTION_REFERENCE_ID);
	assert_int_equal(feeds_load(&q, &fs, &fail), SOUK_E_INVALID);
	assert_non_null(strstr(fail.entry[0].field, "product_id"));
	feed_source_free(q.source);
}

/* Values that a billing event may not have: where, what, and the others read all the same. */
static void
test_faults(void **state)
{
	static const struct {
		unsigned column;
		const char *value;
		const char *want;
	} rows[] = {
		{ BE_AMOUNT, "1.12345678901", "3:amount:has more than 10 decimals|" },
		{ BE_AMOUNT, "1e5", "3:amount:is not an amount|" },
		{ BE_AMOUNT, "1000000000000000000", "3:amount:is out of range|" },
		{ BE_AMOUNT, "", "3:amount:is empty|" },
		{ BE_CURRENCY, "XQQ", "3:currency:is not a currency of ISO 4217|" },
		{ BE_CURRENCY, "usd", "3:currency:is not a currency of ISO 4217|" },
		{ BE_ACTION, "INVOICE", "3:action:is not an action|" },
		{ BE_TRANSACTION_TYPE, "SELLER_REV",
		    "3:transaction_type:is not a transaction type|" },
		{ BE_BALANCE_IMPACTING, "true", "3:balance_impacting:is neither 0 nor 1|" },
		{ BE_INVOICE_DATE, "1969-12-31T23:59:59Z", "3:invoice_date:is out of range|" },
		{ BE_INVOICE_DATE, "2024-05-01T23:60:59Z", "3:invoice_date:is not an instant|" },
		{ BE_INVOICE_DATE, "", "3:invoice_date:is empty|" },
		{ BE_UPDATE_DATE, "10000-01-01T00:00:00Z", "3:update_date:is not an instant|" },
		{ BE_DELETE_DATE, "soon", "3:delete_date:is not an instant|" },
		{ BE_BILLING_EVENT_ID, "", "3:billing_event_id:is empty|" },
	};
	static const char *const fine[BE__COUNT] = { "e", "f", "t", "u", "p", "INVOICED",
		"SELLER_REV_SHARE", "", "", "1.5", "USD", "1", "2024-05-01T00:00:00Z", "", "", "",
		"", "", "ref", "", "", "2024-05-01T00:00:00Z", "", "2024-05-01T00:00:00Z", "" };
	static const char *const number[] = { "0", "1", "2" };
	const char *dir = *state;

	folder_clear(dir);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct events_query q = { .known_at = INSTANT_NONE,
			.month_from = MONTHS_FROM,
			.month_to = MONTHS_TO,
			.actions = ACTIONS_ALL,
			.types = TYPES_ALL,
			.threads = 2,
			.chunk = i % 2 ? 100 : 0 };
		struct buf text = { 0 };
		struct feeds *fs = NULL;
		struct fail f = { 0 };
		struct told told;

		buf_add_c(&text, EVENT_HEADER);
		for (int row = 0; row < 3; row++)
			for (unsigned c = 0; c < BE__COUNT; c++)
				buf_printf(&text, "%s%s%s",
				    row == 1 && c == rows[i].column ? rows[i].value : fine[c],
				    c == BE_BILLING_EVENT_ID && !(row == 1 && rows[i].column == c)
					? number[row]
					: "",
				    c + 1 < BE__COUNT ? "," : "\n");
		folder_write(dir, "billing_event_v1/year=2024/month=05/data.csv", text.p, text.n);
		q.source = folder_source(dir);
		assert_int_equal(feeds_load(&q, &fs, &f), SOUK_E_INVALID);
		assert_non_null(strstr(f.entry[0].field, "data.csv:3:"));
		told_init(&told);
		q.faults = &told.sink;
		memset(&f, 0, sizeof(f));
		assert_int_equal(feeds_load(&q, &fs, &f), SOUK_OK);
		assert_string_equal(text_of(&told.text), rows[i].want);
		assert_int_equal(fs->rows, 2);
		told_done(&told);
		feeds_free(fs);
		feed_source_free(q.source);
		buf_done(&text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_model),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_payments),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_skipped),
		cmocka_unit_test(test_faults),
	};

	return cmocka_run_group_tests_name("feeds.events", tests, folder_make, folder_remove);
}
