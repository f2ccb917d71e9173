/* SPDX-License-Identifier: Apache-2.0 */
/* souk nodes: the processes that serve this installation. */
#include "base/json.h"
#include "cli/cli.h"
#include "store/node.h"

struct listing {
	struct db *db;
	struct db_tx *tx;
	bool json;
	struct jw w;
	struct buf out;
	int64_t running;
};

static void
row_json(struct listing *l, const struct node *n, bool running)
{
	jw_open(&l->w, NULL, '{');
	jw_guid(&l->w, "nodeId", &n->id);
	jw_c(&l->w, "host", n->host);
	jw_c(&l->w, "version", n->version);
	jw_int(&l->w, "schemaVersion", n->schema);
	jw_int(&l->w, "masterKey", n->ring_current);
	jw_int(&l->w, "newestMasterKey", n->ring_newest);
	jw_instant(&l->w, "startedAt", n->started_at);
	jw_instant(&l->w, "seenAt", n->seen_at);
	jw_bool(&l->w, "running", running);
	jw_close(&l->w, '}');
}

static enum souk_err
row(const struct node *n, struct str used, void *arg)
{
	struct listing *l = arg;
	bool running = db_now(l->tx) - n->seen_at <= node_gone_ms(l->db);
	char id[GUID_TEXT_LEN + 1], started[INSTANT_TEXT_LEN + 1];

	(void)used;
	l->running += running;
	if (l->json) {
		row_json(l, n, running);
		return SOUK_OK;
	}
	guid_format(&n->id, id);
	instant_format(n->started_at, started);
	buf_printf(&l->out,
	    "%s  %-16s %-10s schema %lld, master key %lld, since %s, %s %lld s ago\n", id, n->host,
	    n->version, (long long)n->schema, (long long)n->ring_current, started,
	    running ? "seen" : "GONE, seen", (long long)((db_now(l->tx) - n->seen_at) / SECOND_MS));
	return SOUK_OK;
}

static enum souk_err
list(struct db_tx *tx, void *arg)
{
	struct listing *l = arg;
	enum souk_err r;

	l->tx = tx;
	l->running = 0;
	buf_clear(&l->out);
	if (l->json) {
		jw_init(&l->w, &l->out);
		jw_open(&l->w, NULL, '{');
		jw_open(&l->w, "nodes", '[');
	}
	r = node_each(tx, row, l);
	if (l->json) {
		jw_close(&l->w, ']');
		jw_int(&l->w, "running", l->running);
		jw_close(&l->w, '}');
		buf_add_char(&l->out, '\n');
	}
	return r;
}

int
cmd_nodes(int argc, char **argv)
{
	static const struct argp_option options[] = { CLI_COMMON_OPTIONS, { 0 } };
	static const struct argp argp = { options, cli_only_common, NULL,
		"Lists the processes that serve this installation, with the schema version that "
		"each "
		"program knows and the master key that it seals with. One that was killed is "
		"listed as gone for ten minutes.\v"
		"Example: souk nodes --data ./data",
		NULL, NULL, NULL };
	struct cli_common o = { 0 };
	struct installation in;
	struct listing l = { 0 };
	enum souk_err r;
	int code = CLI_DONE;

	cli_parse(&argp, argc, argv, &o, &o);
	if (!cli_open(&o, false, &in, &code))
		return code;
	l.db = in.db;
	l.json = o.json;
	r = db_read(in.db, list, &l);
	installation_close(&in);
	if (r == SOUK_OK && !buf_ok(&l.out))
		r = SOUK_E_NOMEM;
	if (r == SOUK_OK)
		(void)fputs(l.out.n > 0 ? l.out.p : "no node runs\n", stdout);
	buf_done(&l.out);
	return r == SOUK_OK ? CLI_DONE : cli_fail_plain(r, "nodes");
}
