/* SPDX-License-Identifier: Apache-2.0 */
/*
 * souk review: the marketplace's own review, without the marketplace.
 *
 * Files are taken by as many threads as there are processors and printed in their order. What one of them is
 * at fault for does not keep the others from being reviewed.
 */
#include "base/io.h"
#include "base/utf8.h"
#include "cli/cli.h"
#include "cli/review_files.h"
#include "cli/review_logo.h"
#include "cli/review_out.h"
#include "feeds/parallel.h"
#include "proserv/logo_kept.h"
#include "proserv/text.h"

#include <search.h>
#include <stdatomic.h>
#include <stdlib.h>

#define OPT_CONTEXT 0x201
#define OPT_FORMAT 0x202
#define OPT_RULES 0x203
#define OPT_EXPLAIN 0x204
#define OPT_WAIVERS 0x205
#define OPT_DIFF 0x206
#define OPT_THREADS 0x207
#define OPT_MARKS 0x208

#define CONTEXT_FILE_MAX ((size_t)256 << 20)
#define WAIVERS_FILE_MAX ((size_t)8 << 20)
#define SAME_IDS_TOLD 10

struct review_command {
	struct cli_common common;
	const char *context_path, *waivers_path, *marks_path;
	const struct rule *explained;
	enum review_format format;
	bool has_format, diff;
	enum edition edition, old_edition; /* old_edition: of --rules-diff */
	unsigned threads;
	char **asked; /* FILE... */
	size_t n_asked;
	struct review_files files;
};

/* What a file became: printed once all before it are. */
struct outcome {
	struct buf out, err;
	char *id;
	struct review_counts counts;
	bool done, blocks;
};

struct run {
	const struct review_command *c;
	struct arena *a; /* of context and waivers */
	struct review_context context;
	struct waivers waivers;
	struct text_engine *engine;
	day_t today;
	struct outcome *outcomes;
	atomic_size_t next;
	/* Of printing: */
	pthread_mutex_t lock;
	size_t printed;
	bool anything; /* an object was printed: the next one keeps its comma */
	bool blocks;
	void *ids; /* tree of struct seen */
	size_t same_ids;
	bool *used; /* waivers */
	struct review_counts counts;
	struct progress progress;
};

static void
format_option(struct review_command *c, const char *arg)
{
	static const char *const names[] = { "text", "json", "sarif", "junit" };

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(arg, names[i]) == 0) {
			c->format = (enum review_format)i;
			c->has_format = true;
			return;
		}
	cli_usage("--format: `%s` is none; give text, json, sarif or junit", arg);
}

static enum edition
edition_option(const char *name, struct str word)
{
	enum edition e = edition_of(word);

	if (e == EDITION_NONE)
		cli_usage(
		    "%s: `%.*s` is no edition; there are G21 and G22", name, (int)word.n, word.p);
	return e;
}

/* "G21:G22"; "G22" alone is what it would change for listings of G21. */
static void
diff_option(struct review_command *c, const char *arg)
{
	struct str rest = str_c(arg), first = { "", 0 };

	(void)str_split(&rest, ':', &first);
	c->old_edition = rest.p != NULL ? edition_option("--rules-diff", first) : EDITION_G21;
	c->edition = edition_option("--rules-diff", rest.p != NULL ? rest : first);
	c->diff = true;
}

static void
check_options(struct review_command *c)
{
	if (c->common.json && c->has_format && c->format != REVIEW_JSON)
		cli_usage("--json: goes with no other format; leave it or --format out");
	if (c->common.json)
		c->format = REVIEW_JSON;
	if (c->explained != NULL && c->n_asked > 0)
		cli_usage("--explain: reviews nothing; leave the files out");
	if (c->explained == NULL && c->n_asked == 0)
		cli_usage("FILE: is missing; say which listing, as in `souk review listing.json`");
	if (c->diff && c->format != REVIEW_TEXT && c->format != REVIEW_JSON)
		cli_usage("--rules-diff: is printed as text or json; give one of these formats");
}

static void
threads_option(struct review_command *c, const char *arg)
{
	uint64_t n = 0;

	if (!str_to_u64(str_c(arg), PARALLEL_MAX, &n) || n == 0)
		cli_usage("--threads: is not a number from 1 to %u", PARALLEL_MAX);
	c->threads = (unsigned)n;
}

static error_t
review_option(int key, char *arg, struct argp_state *state)
{
	struct review_command *c = state->input;

	switch (key) {
	case OPT_CONTEXT:
		c->context_path = arg;
		return 0;
	case OPT_WAIVERS:
		c->waivers_path = arg;
		return 0;
	case OPT_MARKS:
		c->marks_path = arg;
		return 0;
	case OPT_FORMAT:
		format_option(c, arg);
		return 0;
	case OPT_RULES:
		if (c->diff)
			cli_usage("--rules: goes not with --rules-diff; leave one of them out");
		c->edition = edition_option("--rules", str_c(arg));
		return 0;
	case OPT_DIFF:
		if (c->edition != EDITION_NONE)
			cli_usage("--rules-diff: goes not with --rules; leave one of them out");
		diff_option(c, arg);
		return 0;
	case OPT_THREADS:
		threads_option(c, arg);
		return 0;
	case OPT_EXPLAIN:
		c->explained = rule_find(str_c(arg));
		if (c->explained == NULL)
			cli_usage(
			    "--explain: `%s` is no rule's id; docs/proserv.md lists them", arg);
		return 0;
	case ARGP_KEY_ARG:
		c->asked[c->n_asked++] = arg;
		return 0;
	case ARGP_KEY_END:
		check_options(c);
		return 0;
	default:
		return cli_common_option(&c->common, key, arg, state);
	}
}

/* What is wrong with a file, each fault a line. */
static void
tell_faults(struct buf *err, struct str file, const struct fail *f)
{
	for (size_t i = 0; i < f->n; i++) {
		bool whole = strcmp(f->entry[i].field, "body") == 0;

		buf_add_c(err, "souk: ");
		add_visible(err, file);
		buf_printf(err, ":%s%s %s; %s\n", whole ? "" : f->entry[i].field,
		    whole || f->entry[i].field[0] == '\0' ? "" : ":", f->entry[i].what,
		    f->entry[i].fix);
	}
	if (f->n_total > f->n)
		buf_printf(err, "souk: %zu more; mend these first\n", f->n_total - f->n);
	if (f->n == 0) {
		buf_add_c(err, "souk: ");
		add_visible(err, str_c(f->detail));
		buf_printf(err, "%s\n",
		    strchr(f->detail, ';') != NULL ? "" : "; give a file that can be read");
	}
}

/* Standard input may be what cannot be opened by a name: a socket. */
static enum souk_err
read_stdin(size_t max, struct buf *text, struct fail *f)
{
	char piece[8192];
	size_t n;

	while ((n = fread(piece, 1, sizeof(piece), stdin)) > 0) {
		if (text->n + n > max)
			return fail_set(f, SOUK_E_LIMIT, "file_too_large",
			    "standard input: is longer than %zu bytes; shorten it", max);
		buf_add(text, piece, n);
	}
	return !ferror(stdin) && buf_ok(text)
		   ? SOUK_OK
		   : fail_set(f, SOUK_E_STORAGE, "unreadable", "standard input: cannot be read");
}

static enum souk_err
read_document(const char *path, size_t max, struct buf *text, struct fail *f)
{
	return strcmp(path, "-") == 0 ? read_stdin(max, text, f) : io_read_file(path, max, text, f);
}

/* A path as it is shown: what is not UTF-8 in it is replaced. */
static struct str
shown_path(const char *path, struct arena *a)
{
	struct buf b = { 0 };
	struct str s = str_c(path);

	if (utf8_valid(s))
		return s;
	for (; s.n > 0; s.p++, s.n--) {
		if ((unsigned char)*s.p < 0x80)
			buf_add_char(&b, *s.p);
		else
			buf_add_c(&b, "\xef\xbf\xbd");
	}
	s = arena_str(a, buf_str(&b));
	buf_done(&b);
	return s.p != NULL ? s : STR("?");
}

/* What a thread works with. */
struct desk {
	struct arena *a; /* of one file at a time */
	struct buf text;
	struct text_scratch *scratch;
	bool *used; /* waivers */
};

static enum souk_err
review_with(struct run *run, const struct review_input *in, enum edition edition,
    const struct desk *d, struct review_piece *p, struct findings *found)
{
	const struct listing *l = in->listing;
	struct review_options o = { .edition = edition };
	enum souk_err r;

	findings_init(found, d->a);
	r = review_run(in, &o, found);
	waivers_apply(&run->waivers, run->today, l->id, found, d->used);
	p->findings = found;
	p->edition = edition != EDITION_NONE      ? edition
		     : l->edition != EDITION_NONE ? l->edition
						  : EDITION_G21;
	return r;
}

static enum souk_err
review_listing(struct run *run, const struct desk *d, const char *path, struct review_piece *p,
    struct outcome *x, struct fail *f)
{
	struct listing l;
	struct logo_facts facts;
	struct review_input in = { .listing = &l, .context = &run->context };
	struct findings found, earlier;
	struct review_piece old = *p;
	enum souk_err r = listing_read(buf_str(&d->text), d->a, &l, f);

	if (r == SOUK_OK && l.logo.file.n > 0 && strcmp(path, "-") != 0)
		r = review_logo_read(path, l.logo.file, &facts, f);
	if (r != SOUK_OK)
		return r;
	p->listing = old.listing = l.id;
	if (l.logo.file.n > 0 && strcmp(path, "-") != 0)
		in.logo = &facts;
	r = text_scan(run->engine, d->scratch, &l, d->a, &in.text);
	if (r == SOUK_OK)
		r = review_with(run, &in, run->c->edition, d, p, &found);
	if (r == SOUK_OK && run->c->diff)
		r = review_with(run, &in, run->c->old_edition, d, &old, &earlier);
	if (r != SOUK_OK) {
		p->findings = NULL;
		return fail_set(
		    f, r, "out_of_memory", "%.150s: no memory for its review", p->file.p);
	}
	review_count(&x->counts, p);
	if (run->c->diff) {
		x->blocks = review_out_diff(&old, p, run->c->format == REVIEW_JSON, &x->out);
	} else {
		x->blocks = findings_block(&found);
		review_out_piece(run->c->format, p, &x->out);
	}
	p->findings = NULL;
	x->id = l.id.n > 0 ? strndup(l.id.p, l.id.n) : NULL;
	return SOUK_OK;
}

static void
review_file(struct run *run, size_t i, struct desk *d)
{
	const char *path = run->c->files.path[i];
	struct outcome *x = &run->outcomes[i];
	struct fail f = { 0 };
	struct review_piece p = { .file = shown_path(path, d->a), .why = &f };
	enum souk_err r;

	buf_clear(&d->text);
	r = read_document(path, LISTING_BYTES_MAX, &d->text, &f);
	if (r == SOUK_OK)
		r = review_listing(run, d, path, &p, x, &f);
	if (r == SOUK_OK)
		return;
	review_count(&x->counts, &p);
	tell_faults(&x->err, p.file, &f);
	review_out_piece(run->c->format, &p, &x->out);
}

struct seen {
	char *id;
	size_t file;
};

static int
compare_seen(const void *a, const void *b)
{
	return strcmp(((const struct seen *)a)->id, ((const struct seen *)b)->id);
}

static void
free_seen(void *p)
{
	free(((struct seen *)p)->id);
	free(p);
}

/* An id is unique in a run: waivers and findings go by it. */
static void
note_id(struct run *run, size_t i)
{
	struct seen *s = malloc(sizeof(*s)), **found;
	struct buf err = { 0 };

	if (s == NULL)
		return;
	*s = (struct seen){ run->outcomes[i].id, i };
	found = s->id != NULL ? tsearch(s, &run->ids, compare_seen) : NULL;
	run->outcomes[i].id = NULL;
	if (found != NULL && *found == s)
		return;
	if (found != NULL && run->same_ids++ < SAME_IDS_TOLD) {
		buf_add_c(&err, "souk: ");
		add_visible(&err, str_c(run->c->files.path[i]));
		buf_add_c(&err, ":/id: is that of ");
		add_visible(&err, str_c(run->c->files.path[(*found)->file]));
		buf_add_c(&err, " as well; give each listing an id of its own\n");
		(void)fputs(err.p != NULL ? err.p : "", stderr);
	}
	buf_done(&err);
	free_seen(s);
}

static void
add_counts(struct review_counts *to, const struct review_counts *n)
{
	to->files += n->files;
	to->unreadable += n->unreadable;
	to->errors += n->errors;
	to->warnings += n->warnings;
	to->notes += n->notes;
	to->waived += n->waived;
}

static void
print_outcome(struct run *run, size_t i)
{
	struct outcome *x = &run->outcomes[i];
	struct str out = buf_str(&x->out);
	bool joined = run->c->format == REVIEW_JSON || run->c->format == REVIEW_SARIF;

	if (out.n > 0 && joined && !run->anything) {
		out.p++;
		out.n--;
		run->anything = true;
	}
	if (x->err.n > 0)
		(void)fwrite(x->err.p, 1, x->err.n, stderr);
	(void)fwrite(out.p, 1, out.n, stdout);
	note_id(run, i);
	add_counts(&run->counts, &x->counts);
	run->blocks |= x->blocks;
	buf_done(&x->out);
	buf_done(&x->err);
}

static void
desk_done(struct desk *d)
{
	buf_done(&d->text);
	arena_free(d->a);
	text_scratch_free(d->scratch);
	free(d->used);
}

static bool
desk_init(struct desk *d, const struct run *run)
{
	*d = (struct desk){ .a = arena_new(LISTING_ARENA(LISTING_BYTES_MAX) +
					   TEXT_ARENA(LISTING_BYTES_MAX) + 2 * FINDINGS_ARENA),
		.used = calloc(run->waivers.n + 1, sizeof(*d->used)) };
	return d->a != NULL && d->used != NULL &&
	       text_scratch_new(run->engine, &d->scratch) == SOUK_OK;
}

static enum souk_err
work(void *arg, unsigned which, struct fail *f)
{
	struct run *run = arg;
	struct desk d;

	(void)which;
	if (!desk_init(&d, run)) {
		desk_done(&d);
		return fail_set(f, SOUK_E_NOMEM, "out_of_memory", "no memory to review");
	}
	for (size_t i; (i = atomic_fetch_add(&run->next, 1)) < run->c->files.n;) {
		arena_reset(d.a);
		review_file(run, i, &d);
		(void)pthread_mutex_lock(&run->lock);
		run->outcomes[i].done = true;
		while (run->printed < run->c->files.n && run->outcomes[run->printed].done)
			print_outcome(run, run->printed++);
		progress_update(&run->progress, (int64_t)run->printed);
		(void)pthread_mutex_unlock(&run->lock);
	}
	logo_thread_end();
	desk_done(&d);
	return SOUK_OK;
}

/* Context and waivers; without them nothing is worth reviewing, so what is wrong with them ends the command. */
static enum souk_err
read_side_files(struct run *run)
{
	const struct review_command *c = run->c;
	struct buf text = { 0 }, err = { 0 };
	struct fail f = { 0 };
	const char *path = c->context_path;
	enum souk_err r = SOUK_OK;

	if (path != NULL && (r = read_document(path, CONTEXT_FILE_MAX, &text, &f)) == SOUK_OK)
		r = review_context_read(buf_str(&text), run->a, &run->context, &f);
	if (r == SOUK_OK && (path = c->waivers_path) != NULL) {
		buf_clear(&text);
		r = read_document(path, WAIVERS_FILE_MAX, &text, &f);
		if (r == SOUK_OK)
			r = waivers_read(buf_str(&text), run->a, &run->waivers, &f);
	}
	if (r == SOUK_OK && (path = c->marks_path) != NULL)
		r = logo_marks_read("--marks", path, run->a, &run->context, &f);
	if (r != SOUK_OK) {
		tell_faults(&err, shown_path(path, run->a), &f);
		(void)fputs(err.p != NULL ? err.p : "", stderr);
	}
	buf_done(&text);
	buf_done(&err);
	return r;
}

static void
tell_expired(const struct run *run)
{
	for (size_t i = 0; i < run->waivers.n; i++) {
		char until[DAY_TEXT_LEN + 1];

		if (run->waivers.v[i].until >= run->today)
			continue;
		day_write(run->waivers.v[i].until, until);
		(void)fprintf(stderr,
		    "souk: %s:/%zu/until: was %s, so this waiver waives nothing any more; renew "
		    "it, or mend what it was for\n",
		    run->c->waivers_path, i, until);
	}
}

static void
print_buf(struct buf *b)
{
	if (b->n > 0)
		(void)fwrite(b->p, 1, b->n, stdout);
	buf_clear(b);
}

static void
print_tail(struct run *run)
{
	const struct review_counts *n = &run->counts;
	struct buf b = { 0 };

	if (run->c->diff && run->c->format == REVIEW_TEXT)
		buf_printf(&b, "%zu file%s, from %s to %s; + is new, - is gone\n", n->files,
		    n->files == 1 ? "" : "s", edition_word(run->c->old_edition),
		    edition_word(run->c->edition));
	else
		review_out_tail(run->c->format, n, &b);
	print_buf(&b);
	buf_done(&b);
}

/* All files, on all threads. */
static enum souk_err
review_all(struct run *run, struct fail *f)
{
	unsigned threads = parallel_threads(run->c->threads);
	struct buf b = { 0 };
	enum souk_err r;

	r = text_engine_new(&run->engine, f);
	if (r != SOUK_OK)
		return r;
	run->outcomes = calloc(run->c->files.n + 1, sizeof(*run->outcomes));
	if (run->outcomes == NULL)
		return fail_set(f, SOUK_E_NOMEM, "out_of_memory", "no memory to review");
	(void)pthread_mutex_init(&run->lock, NULL);
	review_out_head(run->c->format, &b);
	print_buf(&b);
	buf_done(&b);
	progress_begin(&run->progress, "reviewing", (int64_t)run->c->files.n);
	r = parallel_run(
	    threads < run->c->files.n ? threads : (unsigned)run->c->files.n, work, run, f);
	progress_end(&run->progress);
	(void)pthread_mutex_destroy(&run->lock);
	tdestroy(run->ids, free_seen);
	free(run->outcomes);
	return r;
}

static void
list_files(struct review_command *c, struct run *run)
{
	for (size_t i = 0; i < c->n_asked; i++) {
		struct buf err = { 0 };
		struct fail f = { 0 };

		if (review_files_add(&c->files, c->asked[i], &f) == SOUK_OK)
			continue;
		run->counts.unreadable++;
		tell_faults(&err, str_c(c->asked[i]), &f);
		(void)fputs(err.p != NULL ? err.p : "", stderr);
		buf_done(&err);
	}
	review_files_sort(&c->files);
}

static int
review(struct review_command *c)
{
	struct run run = { .c = c, .a = arena_new((size_t)4 << 30), .context = { .n_titles = 0 } };
	struct fail f = { 0 };
	enum souk_err r = SOUK_OK;
	int code = CLI_FAILED;

	if (run.a == NULL)
		return cli_fail_plain(SOUK_E_NOMEM, "review");
	if (read_side_files(&run) != SOUK_OK)
		goto out;
	run.today = day_of(run.context.has_as_of ? run.context.as_of : clock_now());
	tell_expired(&run);
	list_files(c, &run);
	if (c->files.n > 0)
		r = review_all(&run, &f);
	if (r == SOUK_OK && c->files.n > 0)
		print_tail(&run);
	if (r != SOUK_OK)
		(void)cli_fail(&f, r);
	else if (run.counts.unreadable == 0)
		code = run.blocks ? CLI_REFUSED : CLI_DONE;
out:
	logo_stop();
	text_engine_free(run.engine);
	arena_free(run.a);
	return code;
}

static int
explain(const struct review_command *c)
{
	struct buf b = { 0 };

	review_out_rule(c->explained, c->common.json || c->format == REVIEW_JSON, &b);
	print_buf(&b);
	buf_done(&b);
	return CLI_DONE;
}

int
cmd_review(int argc, char **argv)
{
	static const struct argp_option options[] = { { "help", '?', NULL, 0, "Print this", -1 },
		{ "usage", CLI_OPT_USAGE, NULL, 0, "Print the options only", 0 },
		{ "version", 'V', NULL, 0, "Print the version", 0 },
		{ "format", OPT_FORMAT, "FORM", 0, "text (default), json, sarif or junit", 1 },
		{ "json", CLI_OPT_JSON, NULL, 0, "The same as --format json", 0 },
		{ "context", OPT_CONTEXT, "FILE", 0,
		    "What the marketplace knows: products, titles, categories, now", 0 },
		{ "waivers", OPT_WAIVERS, "FILE", 0,
		    "Findings that somebody answers for: rule, owner, reason, until", 0 },
		{ "marks", OPT_MARKS, "DIR", 0,
		    "Images of reserved marks that no logo may look like", 0 },
		{ "rules", OPT_RULES, "EDITION", 0,
		    "G21 or G22 (default: what the listing says, else G21)", 0 },
		{ "rules-diff", OPT_DIFF, "OLD:NEW", 0,
		    "Print only what another edition would change; exit 1 if it would block", 0 },
		{ "explain", OPT_EXPLAIN, "RULE", 0, "Print what a rule asks for and why", 0 },
		{ "threads", OPT_THREADS, "N", 0, "Use so many (default: one a processor)", 0 },
		{ 0 } };
	static const struct argp argp = { options, review_option, "FILE...",
		"Reviews professional services listings as the marketplace does. FILE is a listing "
		"in JSON, a folder of them, or - for standard input. Exit status 1 when a finding "
		"blocks, 3 when a file cannot be read."
		"\vExample: souk review listings/ --context context.json --format sarif",
		NULL, NULL, NULL };
	struct review_command c = { .common = { .optional = true },
		.asked = calloc((size_t)argc + 1, sizeof(char *)) };
	int code;

	if (c.asked == NULL)
		return cli_fail_plain(SOUK_E_NOMEM, "review");
	cli_parse(&argp, argc, argv, &c.common, &c);
	code = c.explained != NULL ? explain(&c) : review(&c);
	review_files_done(&c.files);
	free(c.asked);
	return code;
}
