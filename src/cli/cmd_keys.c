/* SPDX-License-Identifier: Apache-2.0 */
/*
 * souk keys rotate: a new master key, everything rewrapped with it, the old one dropped.
 *
 * What was erased before is then beyond recovery even in older copies of the database,
 * because the key that wrapped it is gone. The danger is to drop the old key while a
 * running server still wraps with it: passes are repeated, with pauses longer than the
 * server's refresh, until one finds nothing left to do.
 */
#include "access/idempotency.h"
#include "cli/cli.h"
#include "delivery/object.h"
#include "delivery/remote.h"
#include "delivery/topic.h"
#include "psc/contact.h"

#define BATCH 1000
#define SERVER_REFRESH_MS 2500 /* souk serve looks at the ring once a second */
#define PASSES_MAX 100

typedef enum souk_err rewrap_fn(struct db_tx *tx, struct vault *v, struct buf *cursor, size_t max,
    int64_t *ret_changed, bool *ret_done);

static enum souk_err
rewrap_topics(struct db_tx *tx, struct vault *v, struct buf *cursor, size_t max,
    int64_t *ret_changed, bool *ret_done)
{
	(void)cursor;
	(void)max;
	*ret_done = true;
	return topics_rewrap(tx, v, ret_changed);
}

/* Everything that is stored under a wrapped key. */
static rewrap_fn *const stores[] = { contact_rewrap, access_rewrap, object_rewrap,
	idempotency_rewrap, rewrap_topics, remote_rewrap };

struct batch {
	rewrap_fn *fn;
	struct vault *vault;
	struct buf cursor; /* where the next batch begins */
	struct buf next;   /* the same, while a transaction may still be undone */
	int64_t changed;
	bool done;
};

static enum souk_err
run_batch(struct db_tx *tx, void *arg)
{
	struct batch *b = arg;

	buf_clear(&b->next);
	buf_add_str(&b->next, buf_str(&b->cursor));
	b->changed = 0;
	b->done = false;
	db_scrub(tx);
	return b->fn(tx, b->vault, &b->next, BATCH, &b->changed, &b->done);
}

static enum souk_err
one_pass(struct installation *in, int64_t *ret_changed, struct progress *p)
{
	int64_t changed = 0;
	enum souk_err r = SOUK_OK;

	for (size_t i = 0; i < sizeof(stores) / sizeof(stores[0]) && r == SOUK_OK; i++) {
		struct batch b = { .fn = stores[i], .vault = in->vault };

		do {
			r = db_write(in->db, run_batch, &b);
			if (r != SOUK_OK)
				break;
			changed += b.changed;
			buf_clear(&b.cursor);
			buf_add_str(&b.cursor, buf_str(&b.next));
			progress_update(p, changed);
		} while (!b.done);
		buf_done(&b.cursor);
		buf_done(&b.next);
	}
	*ret_changed = changed;
	return r;
}

static enum souk_err
rotate(struct installation *in, int64_t *ret_total, struct fail *f)
{
	struct progress p;
	int64_t changed, total = 0;
	int passes = 0;
	enum souk_err r = vault_ring_add(in->vault, f);

	/* Full of what interrupted rotations added: the newest of them will do. */
	if (r != SOUK_OK && r != SOUK_E_LIMIT)
		return r;
	progress_begin(&p, "records rewrapped:", 0);
	do {
		r = one_pass(in, &changed, &p);
		if (r != SOUK_OK)
			return fail_set(f, r, "rewrap",
			    "rewrapping stopped; both keys stay in the ring, run it again");
		total += changed;
		/* A server that has not yet read the new ring may have wrapped with the old key meanwhile. */
		if (changed > 0 || passes == 0)
			clock_sleep_ms(SERVER_REFRESH_MS);
	} while ((changed > 0 || passes == 0) && ++passes < PASSES_MAX);
	progress_end(&p);
	if (changed > 0)
		return fail_set(f, SOUK_E_UNAVAILABLE, "rewrap",
		    "a running server keeps using the old key; check that it can read the key "
		    "ring, then run it again");
	if (!db_scrub_wait(in->db, 30 * SECOND_MS))
		return fail_set(f, SOUK_E_UNAVAILABLE, "scrub",
		    "old pages could not be overwritten while a reader is busy; both keys stay, "
		    "run it again");
	*ret_total = total;
	return vault_ring_retire(in->vault, f);
}

int
cmd_keys_rotate(int argc, char **argv)
{
	static const struct argp_option options[] = { CLI_COMMON_OPTIONS, { 0 } };
	static const struct argp argp = { options, cli_only_common, NULL,
		"Adds a master key to the key ring, rewraps every stored key with it, then drops "
		"the old one. Works "
		"while souk runs. Back up the key ring file afterwards: earlier copies open "
		"nothing new.\v"
		"Example: souk keys rotate --data ./data",
		NULL, NULL, NULL };
	struct cli_common o = { 0 };
	struct installation in;
	struct fail f = { 0 };
	int64_t total = 0;
	uint32_t current;
	enum souk_err r;
	int code = CLI_DONE;

	cli_parse(&argp, argc, argv, &o, &o);
	if (!cli_open(&o, false, &in, &code))
		return code;
	r = rotate(&in, &total, &f);
	current = vault_current(in.vault);
	installation_close(&in);
	if (r != SOUK_OK)
		return cli_fail(&f, r);
	if (o.json)
		(void)printf("{\"current\":%u,\"rewrapped\":%lld}\n", current, (long long)total);
	else
		(void)printf(
		    "master key %u is in force, %lld records rewrapped, older keys dropped\n",
		    current, (long long)total);
	return CLI_DONE;
}
