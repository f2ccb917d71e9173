/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of a chunk are parsed into a batch; when the chunk is confirmed the batch goes into the store. */
#include "feeds/events_scan.h"

#include "feeds/event_parse.h"
#include "feeds/parallel.h"
#include "feeds/scan.h"

#include <stdatomic.h>
#include <stdlib.h>

/* Ids met last that the feeds of accounts, addresses and products do not know, by hash. */
#define CACHE 1024U

enum text {
	TEXT_FROM,
	TEXT_TO,
	TEXT_END_USER,
	TEXT_PRODUCT,
	TEXT_ADDRESS,
	TEXT_REFERENCE,
	TEXT_INVOICE,
	TEXT_BANK_TRACE,
	TEXT_BROKER,
	TEXT__COUNT
};

static const unsigned column_of[TEXT__COUNT] = {
	[TEXT_FROM] = BE_FROM_ACCOUNT_ID,
	[TEXT_END_USER] = BE_END_USER_ACCOUNT_ID,
	[TEXT_PRODUCT] = BE_PRODUCT_ID,
	[TEXT_ADDRESS] = BE_BILLING_ADDRESS_ID,
	[TEXT_REFERENCE] = BE_TRANSACTION_REFERENCE_ID,
	[TEXT_TO] = BE_TO_ACCOUNT_ID,
	[TEXT_INVOICE] = BE_INVOICE_ID,
	[TEXT_BANK_TRACE] = BE_BANK_TRACE_ID,
	[TEXT_BROKER] = BE_BROKER_ID,
};

/* Whose texts come again and again, from a feed of their own. */
enum cache { CACHE_ACCOUNT, CACHE_ADDRESS, CACHE_PRODUCT, CACHE__COUNT };

static const enum cache cache_of[TEXT__COUNT] = {
	[TEXT_FROM] = CACHE_ACCOUNT,
	[TEXT_END_USER] = CACHE_ACCOUNT,
	[TEXT_TO] = CACHE_ACCOUNT,
	[TEXT_ADDRESS] = CACHE_ADDRESS,
	[TEXT_PRODUCT] = CACHE_PRODUCT,
	[TEXT_REFERENCE] = CACHE__COUNT,
	[TEXT_INVOICE] = CACHE__COUNT,
	[TEXT_BANK_TRACE] = CACHE__COUNT,
	[TEXT_BROKER] = CACHE__COUNT,
};

struct texts {
	struct str s[TEXT__COUNT];
	struct text_hash h[TEXT__COUNT];
};

/* What many texts of one kind are put with. */
struct many {
	struct str *s;
	struct text_hash *h;
	uint32_t *row, *order, *id;
	size_t n;
};

struct batch {
	struct event_parser parser;
	struct put_context put;
	struct event_in *in;
	struct texts *texts;
	size_t n, cap;
	struct many many;
	struct hash_slot *cache[CACHE__COUNT]; /* CACHE each */
	uint64_t rows;
	bool out_of_memory;
};

/*
 * Which rows a pass is for. With EVENTS_PAID of some months: first those that the query wants, so that their references are known;
 * then the payments of these, and the rows that compete with either.
 */
enum stage { STAGE_ALL, STAGE_WANTED, STAGE_PAYMENTS };

struct pass {
	const struct events_query *q;
	struct feeds *fs;
	enum stage stage;
	/* Numbers of the ids in the feeds that were loaded before: read by all threads, without a lock. */
	struct hash_table known[CACHE__COUNT];
	atomic_uint_fast64_t rows;
	unsigned n_texts;
	unsigned threads;
	struct batch batch[PARALLEL_MAX];
};

static enum souk_err
out_of_memory(struct fail *f)
{
	return fail_set(f, SOUK_E_NOMEM, "out_of_memory", "No memory for the billing events.");
}

static bool
grow(struct batch *b)
{
	size_t cap = b->cap ? 2 * b->cap : 1024;
	struct event_in *in = reallocarray(b->in, cap, sizeof(*in));
	struct texts *texts;

	if (!in)
		return false;
	b->in = in;
	if (!(texts = reallocarray(b->texts, cap, sizeof(*texts))))
		return false;
	b->texts = texts;
	b->cap = cap;
	return true;
}

/* Is the row of this pass? Then it has its `kept`, and a payment its reference. */
static bool
in_stage(const struct pass *p, struct event *e, struct str reference)
{
	switch (p->stage) {
	case STAGE_WANTED:
		return e->kept;
	case STAGE_PAYMENTS:
		if (e->kept)
			return false;
		if (e->extra)
			e->reference = intern_peek(p->fs->references, text_hash(reference));
		e->kept = e->extra = e->extra && e->reference != INTERN_NONE;
		return true;
	case STAGE_ALL:
	default:
		e->kept |= e->extra;
		return true;
	}
}

static struct value_fault
take_row(void *arg, unsigned thread, const struct scan_row *row, unsigned *ret_column)
{
	struct pass *p = arg;
	struct batch *b = &p->batch[thread];
	struct value_fault fault;
	struct event_in *in;
	bool seen;

	if (b->n == b->cap && !grow(b)) {
		b->out_of_memory = true;
		return (struct value_fault){ NULL, NULL };
	}
	in = &b->in[b->n];
	in->e = (struct event){ .file = (uint16_t)row->file,
		.offset = row->offset & ((UINT64_C(1) << 48) - 1) };
	fault = event_parse(&b->parser, row->cell, in, &seen, ret_column);
	if (fault.what)
		return fault;
	b->rows++;
	if (!seen || !in_stage(p, &in->e, row->cell[BE_TRANSACTION_REFERENCE_ID]))
		return fault;
	in->id = text_hash(row->cell[BE_BILLING_EVENT_ID]);
	if (in->e.kept) {
		struct texts *t = &b->texts[b->n];

		for (unsigned k = 0; k < p->n_texts; k++) {
			t->s[k] = row->cell[column_of[k]];
			if (t->s[k].n > 0)
				t->h[k] = text_hash(t->s[k]);
		}
	}
	b->n++;
	return fault;
}

static void
forget(void *arg, unsigned thread)
{
	struct pass *p = arg;

	p->batch[thread].n = 0;
	p->batch[thread].rows = 0;
}

static uint32_t *
number_of(struct event_in *in, enum text t)
{
	switch (t) {
	case TEXT_FROM:
		return &in->e.from;
	case TEXT_END_USER:
		return &in->e.end_user;
	case TEXT_PRODUCT:
		return &in->e.product;
	case TEXT_ADDRESS:
		return &in->e.address;
	case TEXT_REFERENCE:
		return &in->e.reference;
	case TEXT_TO:
		return &in->e.to;
	case TEXT_INVOICE:
		return &in->more.invoice;
	case TEXT_BANK_TRACE:
		return &in->more.bank_trace;
	case TEXT_BROKER:
	case TEXT__COUNT:
	default:
		return &in->more.broker;
	}
}

static struct intern *
intern_of(const struct feeds *fs, enum text t)
{
	switch (t) {
	case TEXT_FROM:
	case TEXT_END_USER:
	case TEXT_TO:
		return fs->accounts;
	case TEXT_PRODUCT:
		return fs->products;
	case TEXT_ADDRESS:
		return fs->addresses;
	case TEXT_REFERENCE:
		return fs->references;
	case TEXT_INVOICE:
	case TEXT_BANK_TRACE:
	case TEXT_BROKER:
	case TEXT__COUNT:
	default:
		return fs->others;
	}
}

static bool
from_cache(struct batch *b, struct intern *in, enum text t, const struct texts *x, uint32_t *ret)
{
	struct text_hash h = x->h[t];
	struct hash_slot *slot = &b->cache[cache_of[t]][(h.a >> 20) % CACHE];

	if (slot->a == h.a && slot->b == h.b) {
		*ret = slot->value;
		return true;
	}
	if (!intern_put(in, x->s[t], h, ret, NULL))
		return false;
	*slot = (struct hash_slot){ h.a, h.b, *ret };
	return true;
}

/* One kind of text of the batch's kept rows, those of equal neighbours once. */
static bool
put_many(struct pass *p, struct batch *b, enum text t)
{
	struct many *m = &b->many;
	struct intern *in = intern_of(p->fs, t);

	m->n = 0;
	for (size_t i = 0; i < b->n; i++) {
		const struct texts *x = &b->texts[i];

		*number_of(&b->in[i], t) = INTERN_NONE;
		if (!b->in[i].e.kept || x->s[t].n == 0)
			continue;
		if (m->n == 0 || m->h[m->n - 1].a != x->h[t].a || m->h[m->n - 1].b != x->h[t].b) {
			m->s[m->n] = x->s[t];
			m->h[m->n++] = x->h[t];
		}
		m->row[i] = (uint32_t)m->n - 1;
	}
	if (!intern_put_many(in, m->n, m->s, m->h, m->order, m->id, NULL))
		return false;
	for (size_t i = 0; i < b->n; i++)
		if (b->in[i].e.kept && b->texts[i].s[t].n > 0)
			*number_of(&b->in[i], t) = m->id[m->row[i]];
	return true;
}

/* One kind of text that the feeds of accounts, addresses or products mostly know. */
static bool
put_known(struct pass *p, struct batch *b, enum text t)
{
	const struct hash_table *known = &p->known[cache_of[t]];
	struct intern *in = intern_of(p->fs, t);

	for (size_t i = 0; i < b->n; i++)
		if (b->in[i].e.kept)
			hash_table_prefetch(known, b->texts[i].h[t]);
	for (size_t i = 0; i < b->n; i++) {
		const struct texts *x = &b->texts[i];
		uint32_t *to = number_of(&b->in[i], t);

		*to = INTERN_NONE;
		if (!b->in[i].e.kept || x->s[t].n == 0)
			continue;
		if (known->slot)
			*to = hash_table_at(known, x->h[t])->value;
		if (*to == INTERN_NONE && !from_cache(b, in, t, x, to))
			return false;
	}
	return true;
}

static bool
put_texts(struct pass *p, struct batch *b)
{
	for (enum text t = 0; t < p->n_texts; t++) {
		if (t == TEXT_REFERENCE && p->stage == STAGE_PAYMENTS)
			continue; /* known, and others ask for them */
		if (!(cache_of[t] == CACHE__COUNT ? put_many(p, b, t) : put_known(p, b, t)))
			return false;
	}
	return true;
}

static void
many_done(struct many *m)
{
	free(m->s);
	free(m->h);
	free(m->row);
	free(m->order);
	free(m->id);
	*m = (struct many){ 0 };
}

/* As many as the batch has room for. */
static bool
many_grow(struct many *m, size_t cap)
{
	many_done(m);
	m->s = calloc(cap, sizeof(*m->s));
	m->h = calloc(cap, sizeof(*m->h));
	m->row = calloc(cap, sizeof(*m->row));
	m->order = calloc(cap, sizeof(*m->order));
	m->id = calloc(cap, sizeof(*m->id));
	return m->s && m->h && m->row && m->order && m->id;
}

static enum souk_err
commit(void *arg, unsigned thread, struct fail *f)
{
	struct pass *p = arg;
	struct batch *b = &p->batch[thread];

	if (b->out_of_memory || (b->put.cap < b->cap && !many_grow(&b->many, b->cap)))
		return out_of_memory(f);
	atomic_fetch_add(&p->rows, b->rows);
	if (!put_texts(p, b))
		return out_of_memory(f);
	return events_store_put(p->fs->store, &b->put, b->in, b->n, b->cap, f);
}

static enum souk_err
no_fault(struct fault_sink *s, const struct feed_fault *fault, struct str row, struct fail *f)
{
	(void)s;
	(void)fault;
	(void)row;
	(void)f;
	return SOUK_OK; /* told in the first pass */
}

static enum souk_err
run_passes(struct pass *p, struct fail *f)
{
	struct fault_sink told = { .take = no_fault };
	struct scan scan = { .source = p->q->source,
		.feed = FEED_BILLING_EVENT,
		.columns = event_columns(p->q),
		.faults = p->q->faults,
		.threads = p->threads,
		.chunk = p->q->chunk,
		.row = take_row,
		.reset = forget,
		.commit = commit,
		.arg = p };
	enum souk_err err = scan_run(&scan, f);
	bool more = err == SOUK_OK;

	p->fs->rows = p->rows;
	scan.faults = &told;
	if (err == SOUK_OK && p->stage == STAGE_WANTED)
		p->stage = STAGE_PAYMENTS;
	else if (err == SOUK_OK)
		err = events_store_end_pass(p->fs->store, p->threads, &more, f);
	while (err == SOUK_OK && more && (err = scan_run(&scan, f)) == SOUK_OK)
		err = events_store_end_pass(p->fs->store, p->threads, &more, f);
	return err;
}

/* Numbers for the ids that a feed's keys begin with. */
static bool
know(struct intern *in, const struct history *h, enum feed feed, struct hash_table *t)
{
	if (!h)
		return true;
	if (!hash_table_reserve(t, history_keys(h)))
		return false;
	for (uint32_t k = 0; k < history_keys(h); k++) {
		size_t n;
		const struct version *v = history_versions(h, k, &n);
		struct str id = v ? history_cell(h, v, feed_info(feed)->key[0]) : STR("");
		struct text_hash hash = text_hash(id);
		struct hash_slot *slot = hash_table_at(t, hash);
		uint32_t number;

		if (id.n == 0 || slot->value != INTERN_NONE)
			continue;
		if (!intern_put(in, id, hash, &number, NULL))
			return false;
		*slot = (struct hash_slot){ hash.a, hash.b, number };
		t->n++;
	}
	return true;
}

static bool
pass_init(struct pass *p)
{
	const struct events_query *q = p->q;
	bool ok = know(p->fs->accounts, p->fs->account, FEED_ACCOUNT, &p->known[CACHE_ACCOUNT]) &&
		  know(p->fs->addresses, p->fs->address, FEED_ADDRESS, &p->known[CACHE_ADDRESS]) &&
		  know(p->fs->products, p->fs->product, FEED_PRODUCT, &p->known[CACHE_PRODUCT]);

	p->threads = parallel_threads(q->threads);
	p->n_texts = q->flags & EVENTS_MORE ? TEXT__COUNT : TEXT_INVOICE;
	for (unsigned i = 0; i < p->threads; i++) {
		event_parser_init(&p->batch[i].parser, q);
		for (unsigned k = 0; k < CACHE__COUNT; k++)
			ok = (p->batch[i].cache[k] = calloc(CACHE, sizeof(struct hash_slot))) && ok;
	}
	if ((q->flags & EVENTS_PAID) && p->batch[0].parser.months_limited)
		p->stage = STAGE_WANTED;
	return ok;
}

static void
pass_done(struct pass *p)
{
	for (unsigned i = 0; i < p->threads; i++) {
		struct batch *b = &p->batch[i];

		for (unsigned k = 0; k < CACHE__COUNT; k++)
			free(b->cache[k]);
		many_done(&b->many);
		put_context_done(&b->put);
		free(b->in);
		free(b->texts);
	}
	for (unsigned k = 0; k < CACHE__COUNT; k++)
		hash_table_done(&p->known[k]);
	free(p);
}

enum souk_err
events_scan(const struct events_query *q, struct feeds *fs, struct fail *f)
{
	struct pass *p = calloc(1, sizeof(*p));
	enum souk_err err;

	if (!p)
		return out_of_memory(f);
	p->q = q;
	p->fs = fs;
	err = pass_init(p) ? run_passes(p, f) : out_of_memory(f);
	pass_done(p);
	if (err == SOUK_OK)
		events_store_settle(fs->store);
	return err;
}
