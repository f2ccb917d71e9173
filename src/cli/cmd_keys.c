/* SPDX-License-Identifier: Apache-2.0 */
/*
 * souk keys rotate: a new master key, everything rewrapped with it, the old one dropped.
 *
 * What was erased before is then beyond recovery even in older copies of the database,
 * because the key that wrapped it is gone. The dangers are to use the new key before a node has it,
 * and to drop the old one while a running server still wraps with it: the nodes say which keys they have
 * (store/node.h), and passes are repeated, with pauses longer than the server's refresh, until one finds
 * nothing left to do.
 */
#include "access/idempotency.h"
#include "cli/cli.h"
#include "delivery/mail.h"
#include "delivery/object.h"
#include "delivery/remote.h"
#include "delivery/topic.h"
#include "edsp/kept_plan.h"
#include "psc/contact.h"
#include "store/node.h"

#define BATCH 1000
#define SERVER_REFRESH_MS 2500 /* souk serve looks at the ring once a second */
#define PASSES_MAX 100
/* A node that was killed counts for 15 s: longer than that. */
#define NODES_WAIT_MS (20 * SECOND_MS)
/* What a node wrapped before it used the new key is in a transaction after this, which may last as long. */
#define QUEUE_MS (6 * SECOND_MS)
#define SETTLE_MS (150 * SECOND_MS)

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
	idempotency_rewrap, rewrap_topics, remote_rewrap, kept_plan_rewrap, mail_rewrap,
	mail_address_rewrap };

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

/* ---- the other nodes ------------------------------------------------------------------- */

struct nodes {
	struct db *db;
	struct db_tx *tx;
	int64_t current, newest; /* ours */
	bool use;                /* they must wrap with our current key, not only have our newest */
	int64_t behind;
	char host[65]; /* of one that is behind */
};

static enum souk_err
look_at(const struct node *n, struct str used, void *arg)
{
	struct nodes *all = arg;

	(void)used;
	if (db_now(all->tx) - n->seen_at > node_gone_ms(all->db) ||
	    (all->use ? n->ring_current == all->current : n->ring_newest >= all->newest))
		return SOUK_OK;
	all->behind++;
	(void)snprintf(all->host, sizeof(all->host), "%s", n->host);
	return SOUK_OK;
}

static enum souk_err
look(struct db_tx *tx, void *arg)
{
	struct nodes *all = arg;

	all->tx = tx;
	all->behind = 0;
	return node_each(tx, look_at, all);
}

/* Nodes whose ring comes from a command ask for it again when they see this. */
static enum souk_err
announce(struct db_tx *tx, void *arg)
{
	char number[16];

	(void)snprintf(number, sizeof(number), "%lld", (long long)((struct nodes *)arg)->newest);
	return db_meta_put(tx, VAULT_NEWEST_META, str_c(number));
}

/* Waits until all nodes have our newest key, or (use) wrap with our current one. */
static enum souk_err
await_nodes(struct installation *in, bool use, const char *next, struct fail *f)
{
	struct nodes all = { .db = in->db,
		.current = vault_current(in->vault),
		.newest = vault_newest(in->vault),
		.use = use };
	enum souk_err r = SOUK_OK;

	/* Who serves an embedded database has our ring file. */
	if (!db_is_shared(in->db))
		return SOUK_OK;
	if ((r = db_write(in->db, announce, &all)) != SOUK_OK)
		return fail_set(f, r, "nodes", "the database cannot be written");
	for (int64_t ms = 0; ms <= NODES_WAIT_MS; ms += 500) {
		if ((r = db_read(in->db, look, &all)) != SOUK_OK)
			return fail_set(f, r, "nodes", "the list of nodes cannot be read");
		if (all.behind == 0)
			return SOUK_OK;
		clock_sleep_ms(500);
	}
	return fail_set(f, SOUK_E_CONFLICT, "nodes_behind",
	    "node %s (%lld in all) %s; give every node this key ring, then go on with `souk keys "
	    "rotate %s`",
	    all.host, (long long)all.behind,
	    use ? "still seals with an older master key" : "has not got the new master key", next);
}

/* ---- the steps ------------------------------------------------------------------------- */

static enum souk_err
rewrap(struct installation *in, int64_t *ret_total, struct fail *f)
{
	struct progress p;
	int64_t changed, total = 0;
	int passes = 0;
	enum souk_err r;

	if (db_is_shared(in->db)) {
		clock_sleep_ms(QUEUE_MS);
		if (!db_settle(in->db, SETTLE_MS))
			return fail_set(f, SOUK_E_UNAVAILABLE, "transactions_running",
			    "transactions from before the new key do not end; run it again");
	}
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
	return SOUK_OK;
}

enum step { STEP_ALL, STEP_ADD, STEP_USE, STEP_DROP };

static enum souk_err
add(struct installation *in, struct fail *f)
{
	enum souk_err r = vault_ring_prepare(in->vault, f);

	/* Full of what interrupted rotations added: the newest of them will do. */
	return r == SOUK_E_LIMIT ? SOUK_OK : r;
}

static enum souk_err
use(struct installation *in, struct fail *f)
{
	enum souk_err r = await_nodes(in, false, "--use", f);

	return r == SOUK_OK ? vault_ring_use(in->vault, f) : r;
}

static enum souk_err
drop(struct installation *in, int64_t *ret_total, struct fail *f)
{
	enum souk_err r;

	if ((r = await_nodes(in, true, "--drop", f)) != SOUK_OK ||
	    (r = rewrap(in, ret_total, f)) != SOUK_OK ||
	    (r = await_nodes(in, true, "--drop", f)) != SOUK_OK)
		return r;
	/* Where a command gives the ring, whoever runs it takes the older keys out. */
	return vault_ring_is_file(in->vault) ? vault_ring_retire(in->vault, f) : SOUK_OK;
}

static enum souk_err
rotate(struct installation *in, enum step step, int64_t *ret_total, struct fail *f)
{
	enum souk_err r = SOUK_OK;

	if (step == STEP_ALL || step == STEP_ADD)
		r = add(in, f);
	if (r == SOUK_OK && (step == STEP_ALL || step == STEP_USE))
		r = use(in, f);
	if (r == SOUK_OK && (step == STEP_ALL || step == STEP_DROP))
		r = drop(in, ret_total, f);
	return r;
}

struct options {
	struct cli_common common;
	enum step step;
};

static error_t
option(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;
	enum step step = key == 'a'   ? STEP_ADD
			 : key == 'u' ? STEP_USE
			 : key == 'D' ? STEP_DROP
				      : STEP_ALL;

	if (step == STEP_ALL)
		return cli_common_option(&o->common, key, arg, state);
	if (o->step != STEP_ALL && o->step != step)
		cli_usage("--add, --use, --drop: are steps of their own; give one at a time");
	o->step = step;
	return 0;
}

static void
print(enum step step, bool json, uint32_t current, uint32_t newest, int64_t total)
{
	if (json)
		(void)printf("{\"current\":%u,\"newest\":%u,\"rewrapped\":%lld}\n", current, newest,
		    (long long)total);
	else if (step == STEP_ADD)
		(void)printf(
		    "master key %u is in the ring and not used yet; give every node this key "
		    "ring, then `souk keys rotate --use`\n",
		    newest);
	else if (step == STEP_USE)
		(void)printf("master key %u is in force here; give every node this key ring, then "
			     "`souk keys rotate --drop`\n",
		    current);
	else
		(void)printf(
		    "master key %u is in force, %lld records rewrapped, older keys dropped\n",
		    current, (long long)total);
}

int
cmd_keys_rotate(int argc, char **argv)
{
	static const struct argp_option options[] = { CLI_COMMON_OPTIONS,
		{ "add", 'a', NULL, 0, "Only add a master key, which nothing is sealed with yet",
		    0 },
		{ "use", 'u', NULL, 0, "Only begin to seal with the newest one", 0 },
		{ "drop", 'D', NULL, 0, "Only rewrap everything and drop the older ones", 0 },
		{ 0 } };
	static const struct argp argp = { options, option, NULL,
		"Adds a master key to the key ring, rewraps every stored key with it, then drops "
		"the old one. Works "
		"while souk runs. Back up the key ring file afterwards: earlier copies open "
		"nothing new. Where nodes have key ring files of their own, do it in steps and "
		"copy "
		"the file to all of them after each: --add, --use, --drop.\v"
		"Example: souk keys rotate --data ./data",
		NULL, NULL, NULL };
	struct options o = { .step = STEP_ALL };
	struct installation in;
	struct fail f = { 0 };
	int64_t total = 0;
	uint32_t current, newest;
	enum souk_err r;
	int code = CLI_DONE;

	cli_parse(&argp, argc, argv, &o.common, &o);
	if (!cli_open(&o.common, false, &in, &code))
		return code;
	r = rotate(&in, o.step, &total, &f);
	current = vault_current(in.vault);
	newest = vault_newest(in.vault);
	installation_close(&in);
	if (r != SOUK_OK)
		return cli_fail(&f, r);
	print(o.step, o.common.json, current, newest, total);
	return CLI_DONE;
}
