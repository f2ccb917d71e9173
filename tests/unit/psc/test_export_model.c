/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random histories against a trivially simple model (invariants 1, 2, 3).
 *
 * The model keeps every event for ever and looks at all of them each time. Every file is
 * compared byte for byte; exports applied in order, each from the previous one's end, must
 * give exactly the contacts that live at the last end.
 *
 *   SOUK_MODEL_RUNS (3)   SOUK_MODEL_SEED (1)   SOUK_MODEL_STEPS (250)
 */
#include "world.h"

#include "base/csv.h"

#define SUBS 12
#define PRODUCTS 3
#define CONTACTS 16384
#define EVENTS 64

struct event {
	instant_t at;
	char op;    /* 'C', 'U', 'D' */
	unsigned n; /* of world_fields */
};

struct person {
	struct guid id, sub_id;
	size_t sub; /* the place of its subscription, which another one takes once it has ended */
	struct event events[EVENTS];
	size_t n;
	/* the replica's copy */
	bool copied;
	unsigned copy;
};

struct model {
	struct world *w;
	struct prng r;
	instant_t t; /* no event lies behind it */
	struct guid product[PRODUCTS];
	instant_t enabled[PRODUCTS]; /* since; 0: not */
	instant_t enrolled;          /* since; 0: not */
	struct guid sub[SUBS];
	size_t sub_product[SUBS];
	bool ended[SUBS];
	struct person people[CONTACTS];
	size_t n;
	unsigned fields;
	instant_t chain; /* end of the last export of the chain */
	size_t files, lines;
};

static uint64_t
below(struct model *m, uint64_t n)
{
	return prng_below(&m->r, n);
}

static const struct event *
last_before(const struct person *p, instant_t end)
{
	const struct event *last = NULL;

	for (size_t i = 0; i < p->n; i++)
		if (p->events[i].at < end)
			last = &p->events[i];
	return last;
}

static bool
is_deleted(const struct person *p)
{
	return p->events[p->n - 1].op == 'D';
}

/* ---- history ---- */

static void
event(struct model *m, struct person *p, char op, unsigned n)
{
	assert_true(p->n < EVENTS);
	p->events[p->n++] = (struct event){ m->t, op, n };
}

static size_t
live_in(const struct model *m, size_t sub)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n; i++)
		n += m->people[i].sub == sub && !is_deleted(&m->people[i]);
	return n;
}

static void
do_add(struct model *m)
{
	size_t sub = below(m, SUBS);
	struct contact_fields c = world_fields(++m->fields);
	struct person *p = &m->people[m->n];
	struct contact made;
	struct fail f = { 0 };
	enum souk_err err = world_add(m->w, &m->sub[sub], &c, m->t, &made, &f);

	if (m->ended[sub] || m->enabled[m->sub_product[sub]] == 0 ||
	    live_in(m, sub) == CONTACTS_MAX) {
		assert_int_equal(err, SOUK_E_CONFLICT);
		return;
	}
	assert_ok(err);
	assert_true(m->n < CONTACTS);
	*p = (struct person){ .id = made.id, .sub_id = m->sub[sub], .sub = sub };
	m->n++;
	event(m, p, 'C', m->fields);
}

/* A live contact whose last change was before now; NULL when luck has none. */
static struct person *
pick(struct model *m)
{
	for (int tries = 0; tries < 20 && m->n > 0; tries++) {
		struct person *p = &m->people[below(m, m->n)];

		if (!is_deleted(p) && p->events[p->n - 1].at < m->t && p->n < EVENTS - 1)
			return p;
	}
	return NULL;
}

static void
do_edit(struct model *m)
{
	struct person *p = pick(m);
	struct contact_fields c = world_fields(++m->fields);

	if (!p)
		return;
	assert_ok(world_edit(m->w, &m->sub[p->sub], &p->id, &c, m->t, NULL));
	event(m, p, 'U', m->fields);
}

static void
do_delete(struct model *m)
{
	struct person *p = pick(m);

	if (!p)
		return;
	assert_ok(world_delete(m->w, &m->sub[p->sub], &p->id, m->t, NULL));
	event(m, p, 'D', 0);
}

/* Ends a subscription. */
static void
do_end(struct model *m)
{
	size_t sub = below(m, SUBS);

	for (size_t i = 0; i < m->n; i++)
		if (m->people[i].sub == sub && !is_deleted(&m->people[i]) &&
		    m->people[i].events[m->people[i].n - 1].at >= m->t)
			return;
	if (m->ended[sub])
		return;
	assert_ok(world_end(m->w, &m->sub[sub], m->t, NULL));
	for (size_t i = 0; i < m->n; i++)
		if (m->people[i].sub == sub && !is_deleted(&m->people[i]))
			event(m, &m->people[i], 'D', 0);
	m->ended[sub] = true;
}

/* A new subscription takes the place of an ended one. */
static void
do_subscribe(struct model *m)
{
	size_t sub = below(m, SUBS);

	if (!m->ended[sub])
		return;
	m->sub[sub] = world_subscription(m->w, &m->product[m->sub_product[sub]], SELLER, BUYER);
	m->ended[sub] = false;
}

static void
do_product(struct model *m)
{
	size_t p = below(m, PRODUCTS);

	m->enabled[p] = m->enabled[p] ? 0 : m->t;
	world_enable(m->w, &m->product[p], m->enabled[p]);
}

static void
do_enrol(struct model *m)
{
	m->enrolled = m->enrolled ? 0 : m->t;
	world_enrol(m->w, SELLER, m->enrolled != 0, m->t);
}

/* ---- the model's file ---- */

struct line {
	const struct person *p;
	const struct event *e;
	char op;
};

static int
by_time(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	if (x->e->at != y->e->at)
		return x->e->at < y->e->at ? -1 : 1;
	return guid_cmp(&x->p->id, &y->p->id);
}

static void
add_line(const struct model *m, const struct line *l, struct buf *b)
{
	struct contact_fields c = world_fields(l->e->n);
	const struct guid *product = &m->product[m->sub_product[l->p->sub]];
	struct str personal[] = { c.given_name, c.surname, c.telephone, c.email, c.title, c.country,
		c.zip };
	bool gone = l->op == 'D';
	char id[37], sub[37], prod[37], code[33], start[25], at[25];

	guid_format(&l->p->id, id);
	guid_format(&l->p->sub_id, sub);
	guid_format(product, prod);
	hex_encode(product->b, 16, code);
	instant_format(m->w->base, start);
	instant_format(l->e->at, at);
	buf_printf(b, "%s,%.25s,%s,%s,%s,", prod, code, id, sub, start);
	csv_field(b, gone ? STR("") : c.organization);
	buf_printf(b, ",%s", BUYER);
	for (size_t i = 0; i < COUNT(personal); i++) {
		buf_add_char(b, ',');
		csv_field(b, gone ? STR("") : personal[i]);
	}
	buf_printf(b, ",%s,%s\r\n", at,
	    l->op == 'C'   ? "CREATE"
	    : l->op == 'U' ? "UPDATE"
			   : "DELETE");
}

static bool
takes_part(const struct model *m, const struct person *p, instant_t end)
{
	instant_t since = m->enabled[m->sub_product[p->sub]];

	return since != 0 && since < end;
}

/* psc 6, contact by contact. Marks what a receiver does with the line. */
static size_t
model_lines(struct model *m, instant_t from, instant_t end, struct line *out)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n && from < end; i++) {
		const struct person *p = &m->people[i];
		const struct event *e = last_before(p, end);
		instant_t since = m->enabled[m->sub_product[p->sub]];
		instant_t start = since >= from || m->enrolled >= from ? INSTANT_MIN : from;

		if (!e || e->at < start || !takes_part(m, p, end) ||
		    (is_deleted(p) && e->op != 'D'))
			continue;
		out[n++] = (struct line){ p, e,
			e->op == 'D'               ? 'D'
			: p->events[0].at >= start ? 'C'
						   : 'U' };
	}
	qsort(out, n, sizeof(*out), by_time);
	return n;
}

static void
compare(struct model *m, instant_t from, instant_t end, bool chained)
{
	static struct line lines[CONTACTS];
	struct psc_export_stats stats;
	struct buf want = { 0 }, got;
	size_t n = model_lines(m, from, end, lines);

	buf_add_c(&want,
	    "Product Id,Product Code,Customer Guid,Subscription Guid,Subscription Start Date,"
	    "Organization,AWS Customer Id,Given Name,Surname,Telephone Number,Email,Title,"
	    "Country Code,ZIP Code,Operation Time,Operation Type\r\n");
	for (size_t i = 0; i < n; i++)
		add_line(m, &lines[i], &want);
	got = world_export(m->w, from, end, 1 + (unsigned)below(m, 2), &stats);
	assert_string_equal(got.p, want.p);
	assert_int_equal(stats.rows_create + stats.rows_update + stats.rows_delete, n);
	assert_int_equal(stats.empty_reason == NULL, n > 0);
	m->files++;
	m->lines += n;
	for (size_t i = 0; i < n && chained; i++) {
		struct person *p = &m->people[lines[i].p - m->people];

		p->copied = lines[i].op != 'D';
		p->copy = lines[i].e->n;
	}
	buf_done(&want);
	buf_done(&got);
}

/* What the receiver has is what lives at the end, for products that take part. */
static void
check_convergence(const struct model *m, instant_t end)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct person *p = &m->people[i];
		const struct event *e = last_before(p, end);

		if (!takes_part(m, p, end))
			continue;
		if (is_deleted(p) && (!e || e->op != 'D'))
			continue; /* deleted since: left out, its DELETE comes next */
		assert_int_equal(p->copied, e && e->op != 'D');
		assert_true(!p->copied || p->copy == e->n);
	}
}

struct prune {
	instant_t before;
	int64_t n;
};

static enum souk_err
prune_tx(struct db_tx *tx, void *arg)
{
	struct prune *p = arg;

	return contact_store_prune(tx, p->before, 1 + p->before % 7, &p->n);
}

static void step(struct model *m);

/* An instant in [from, t], more often than not one at which something happened. */
static instant_t
some_instant(struct model *m, instant_t from)
{
	if (m->n > 0 && below(m, 3) > 0) {
		const struct person *p = &m->people[m->n - 1 - below(m, m->n < 20 ? m->n : 20)];
		instant_t at = p->events[below(m, p->n)].at;

		if (at >= from)
			return at;
	}
	return below(m, 3) ? from + (instant_t)below(m, (uint64_t)(m->t - from + 1)) : m->t;
}

/* The next export of the chain: fixes its end, lets things happen, then runs. */
static void
do_chain(struct model *m)
{
	instant_t from = m->chain, end = some_instant(m, m->chain);
	struct prune p = { .before = end };

	world_cover(m->w, end);
	m->chain = end;
	for (uint64_t late = below(m, 4); late > 0; late--)
		step(m);
	if (!m->enrolled) { /* refused: the chain goes on where it was */
		m->chain = from;
		return;
	}
	compare(m, from, end, true);
	check_convergence(m, end);
	if (below(m, 3) == 0)
		compare(m, INSTANT_MIN, end, false);
	if (below(m, 3) == 0)
		compare(m, some_instant(m, m->w->base), end, false);
	if (below(m, 2))
		assert_ok(db_write(m->w->db, prune_tx, &p));
}

/* One thing happens. Instants often stand still, so that ties are common. */
static void
step(struct model *m)
{
	uint64_t dice = below(m, 100);

	m->t += below(m, 3) ? (instant_t)below(m, 3) : (instant_t)below(m, (uint64_t)HOUR_MS);
	if (dice < 40)
		do_add(m);
	else if (dice < 70)
		do_edit(m);
	else if (dice < 84)
		do_delete(m);
	else if (dice < 90)
		do_end(m);
	else if (dice < 93)
		do_subscribe(m);
	else if (dice < 98)
		do_product(m);
	else
		do_enrol(m);
}

static void
run(uint64_t seed, uint64_t steps)
{
	struct model *m = calloc(1, sizeof(*m));

	assert_non_null(m);
	m->w = world_new();
	m->r.s = seed;
	m->t = m->chain = m->w->base;
	m->enrolled = 1;
	for (size_t i = 0; i < PRODUCTS; i++) {
		m->enabled[i] = 1;
		m->product[i] = world_product(m->w, SELLER, 1);
	}
	for (size_t i = 0; i < SUBS; i++) {
		m->sub_product[i] = i % PRODUCTS;
		m->sub[i] = world_subscription(m->w, &m->product[i % PRODUCTS], SELLER, BUYER);
	}
	for (uint64_t i = 0; i < steps; i++) {
		step(m);
		if (below(m, 8) == 0)
			do_chain(m);
	}
	/* All comes to rest; one more export, and the receiver has everything. */
	if (!m->enrolled)
		do_enrol(m);
	for (size_t i = 0; i < PRODUCTS; i++)
		if (!m->enabled[i])
			world_enable(m->w, &m->product[i], m->enabled[i] = m->t);
	compare(m, m->chain, m->t + 1, true);
	check_convergence(m, m->t + 1);
	assert_true(m->files > 3 && m->lines > 3);
	world_free(m->w);
	free(m);
}

static uint64_t
setting(const char *name, uint64_t deflt)
{
	const char *text = getenv(name);
	uint64_t v = deflt;

	return text && str_to_u64(str_c(text), INT64_MAX, &v) ? v : deflt;
}

static void
random_histories(void **state)
{
	uint64_t seed = setting("SOUK_MODEL_SEED", 1), runs = setting("SOUK_MODEL_RUNS", 3);

	(void)state;
	for (uint64_t i = 0; i < runs; i++) {
		print_message("seed %llu\n", (unsigned long long)(seed + i));
		run(seed + i, setting("SOUK_MODEL_STEPS", 250));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(random_histories) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
