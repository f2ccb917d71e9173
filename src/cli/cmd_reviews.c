/* SPDX-License-Identifier: Apache-2.0 */
/* souk reviews: how the kept listings stand, and what another edition of the rules would do to them. */
#include "base/json.h"
#include "cli/cli.h"
#include "proserv/review_effect.h"

#define PAGE 500 /* listings looked at in one transaction */
#define ARENA ((size_t)64 << 20)

struct options {
	struct cli_common common;
	enum edition edition; /* EDITION_NONE: how they stand */
};

static error_t
option(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	if (key != 'e')
		return cli_common_option(&o->common, key, arg, state);
	if ((o->edition = edition_of(str_c(arg))) == EDITION_NONE)
		cli_usage("--edition: is none of them; give G21 or G22");
	return 0;
}

/* ---- how they stand -------------------------------------------------------------------- */

struct summary {
	bool json;
	struct buf out;
};

static enum souk_err
counts(struct db_stmt *st, const char *what, struct summary *s, struct jw *w)
{
	char word[16];
	enum souk_err r;
	bool row;

	if (s->json)
		jw_open(w, what, '{');
	while ((r = db_step(st, &row)) == SOUK_OK && row) {
		struct str text = db_text(st, 0);

		(void)snprintf(word, sizeof(word), "%.*s", (int)text.n, text.p);
		if (s->json)
			jw_int(w, word, db_int(st, 1));
		else
			buf_printf(
			    &s->out, "%-10s %-12s %lld\n", what, word, (long long)db_int(st, 1));
	}
	if (s->json)
		jw_close(w, '}');
	return r;
}

static enum souk_err
summary_tx(struct db_tx *tx, void *arg)
{
	struct summary *s = arg;
	struct jw w;
	enum souk_err r;

	buf_clear(&s->out);
	jw_init(&w, &s->out);
	if (s->json)
		jw_open(&w, NULL, '{');
	if ((r = counts(standing_counts(tx), "listings", s, &w)) == SOUK_OK)
		r = counts(task_counts(tx), "tasks", s, &w);
	if (s->json) {
		jw_close(&w, '}');
		buf_add_char(&s->out, '\n');
	}
	return r;
}

static enum souk_err
print_summary(struct installation *in, bool json)
{
	struct summary s = { .json = json };
	enum souk_err r = db_read(in->db, summary_tx, &s);

	if (r == SOUK_OK)
		(void)fputs(s.out.n > 0 ? s.out.p : "no listing is kept\n", stdout);
	buf_done(&s.out);
	return r;
}

/* ---- another edition ------------------------------------------------------------------- */

struct effect {
	struct reviewer *reviewer;
	struct effect_page page;
	struct arena *mem;
	struct buf items; /* elements of an array */
	size_t looked, changed, stopped, freed;
};

static enum souk_err
page_tx(struct db_tx *tx, void *arg)
{
	struct effect *e = arg;
	struct jw w;

	buf_clear(&e->items);
	jw_init(&w, &e->items);
	return review_effect(tx, e->reviewer, &e->page, e->mem, &w);
}

static void
print_finding(const json_t *f, char sign)
{
	(void)printf("  %c %s %s %s: %s\n", sign, json_string_value(json_object_get(f, "severity")),
	    json_string_value(json_object_get(f, "rule")),
	    json_string_value(json_object_get(f, "pointer")),
	    json_string_value(json_object_get(f, "message")));
}

/* Elements of an array, for people. */
static enum souk_err
print_items(const struct buf *items)
{
	struct buf text = { 0 };
	json_t *list = NULL, *x, *f;
	size_t i, k;
	enum souk_err r;

	buf_add_char(&text, '[');
	buf_add_str(&text, buf_str(items));
	buf_add_char(&text, ']');
	r = buf_ok(&text) ? json_read(buf_str(&text), &list, NULL) : SOUK_E_NOMEM;
	json_array_foreach(list, i, x)
	{
		(void)printf("%s %s: %s -> %s\n", json_string_value(json_object_get(x, "listing")),
		    json_string_value(json_object_get(x, "visibility")),
		    json_string_value(json_object_get(x, "before")),
		    json_string_value(json_object_get(x, "after")));
		json_array_foreach(json_object_get(x, "added"), k, f) print_finding(f, '+');
		json_array_foreach(json_object_get(x, "gone"), k, f) print_finding(f, '-');
	}
	json_decref(list);
	buf_done(&text);
	return r;
}

static enum souk_err
print_pages(struct effect *e, struct db *db, bool json)
{
	enum souk_err r;

	do {
		e->page.limit = PAGE;
		if ((r = db_read(db, page_tx, e)) != SOUK_OK)
			return r;
		if (json && e->items.n > 0)
			(void)printf("%s%s", e->changed > 0 ? "," : "", e->items.p);
		if (!json && (r = print_items(&e->items)) != SOUK_OK)
			return r;
		e->looked += e->page.looked;
		e->changed += e->page.changed;
		e->stopped += e->page.stopped;
		e->freed += e->page.freed;
	} while (e->page.more);
	return SOUK_OK;
}

static enum souk_err
print_effect(struct installation *in, enum edition to, bool json, bool *ret_stops, struct fail *f)
{
	struct effect e = { .page = { .to = to }, .mem = arena_new(ARENA) };
	enum souk_err r = e.mem ? reviewer_new(in->config, &e.reviewer) : SOUK_E_NOMEM;

	if (r == SOUK_OK)
		r = reviewer_read_marks(e.reviewer, f);
	if (r == SOUK_OK) {
		if (json)
			(void)fputs("{\"items\":[", stdout);
		r = print_pages(&e, in->db, json);
	}
	if (r == SOUK_OK)
		(void)printf(
		    json ? "],\"looked\":%zu,\"changed\":%zu,\"stopped\":%zu,\"freed\":%zu}\n"
			 : "%zu listings: %zu are judged otherwise, %zu would be at fault, "
			   "%zu would no longer be\n",
		    e.looked, e.changed, e.stopped, e.freed);
	*ret_stops = e.stopped > 0;
	reviewer_free(e.reviewer);
	arena_free(e.mem);
	buf_done(&e.items);
	return r;
}

int
cmd_reviews(int argc, char **argv)
{
	static const struct argp_option options[] = { CLI_COMMON_OPTIONS,
		{ "edition", 'e', "EDITION", 0,
		    "Tell what this edition of the rules would do to the listings that others can "
		    "see",
		    0 },
		{ 0 } };
	static const struct argp argp = { options, option, NULL,
		"Tells how the listings of professional services stand and how many tasks there "
		"are, or what another edition of the rules would do before it is switched on: exit "
		"status 1 when a listing would be at fault. Changes nothing.\v"
		"Example: souk reviews --data ./data --edition G22",
		NULL, NULL, NULL };
	struct options o = { .edition = EDITION_NONE };
	struct installation in;
	struct fail f = { .err = SOUK_OK };
	enum souk_err r;
	bool stops = false;
	int code = CLI_DONE;

	cli_parse(&argp, argc, argv, &o.common, &o);
	if (!cli_open(&o.common, false, &in, &code))
		return code;
	r = o.edition == EDITION_NONE ? print_summary(&in, o.common.json)
				      : print_effect(&in, o.edition, o.common.json, &stops, &f);
	installation_close(&in);
	if (r != SOUK_OK)
		return f.err != SOUK_OK ? cli_fail(&f, r) : cli_fail_plain(r, "reviews");
	return stops ? CLI_REFUSED : CLI_DONE;
}
