/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scanning and reviewing listings of about 3 KB: bench_text LISTING.json SECONDS THREADS
 *
 * Prints one line of JSON: megabytes a second that are folded and searched for all terms, the same with all that
 * the scanner makes of them (sentences, patterns, names, links), and listings a second that are read, scanned and
 * reviewed with every rule but images.
 */
#include "base/io.h"
#include "proserv/review.h"
#include "proserv/text.h"
#include "proserv/text_engine.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define THREADS_MAX 64

enum task {
	SEARCH, /* fold and find terms */
	SCAN,
	REVIEW /* read and review, too */
};

struct worker {
	pthread_t thread;
	const struct text_engine *engine;
	struct str document;
	double seconds;
	enum task task;
	size_t done;
	double took;
};

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
require(bool ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "bench_text: %s\n", what);
		exit(1);
	}
}

static size_t
text_bytes(const struct text_hits *h)
{
	size_t n = 0;

	for (size_t i = 0; i < h->n_fields; i++)
		n += h->fields[i].text.n;
	return n;
}

/* The title is what names the listing. */
static size_t
search(const struct text_engine *e, struct text_scratch *s, const struct text_hits *texts)
{
	struct text_folded *f = text_scratch_folded(s);
	struct term_hits found;
	size_t names = 0;

	text_fold_clear(f);
	for (uint32_t i = 0; i < texts->n_fields; i++) {
		text_fold_add(text_engine_table(e), texts->fields[i].text, i, f);
		if (i == 0)
			names = f->out.n;
	}
	require(text_engine_find(e, s, TERMS_NAMES, f, names, 0, &found) == SOUK_OK &&
		    text_engine_find(e, s, TERMS_PROSE, f, f->out.n, 0, &found) == SOUK_OK,
	    "the texts cannot be searched");
	return text_bytes(texts);
}

static size_t
scan(const struct text_engine *e, struct text_scratch *s, struct arena *a, const struct listing *l)
{
	const struct text_hits *texts;

	require(text_scan(e, s, l, a, &texts) == SOUK_OK, "the texts cannot be scanned");
	return text_bytes(texts);
}

static size_t
review(const struct text_engine *e, struct text_scratch *s, struct arena *a, struct str document)
{
	struct listing read;
	struct review_input in = { .listing = &read };
	struct findings found;

	require(listing_read(document, a, &read, NULL) == SOUK_OK, "the listing cannot be read");
	require(text_scan(e, s, &read, a, &in.text) == SOUK_OK, "the texts cannot be scanned");
	findings_init(&found, a);
	require(review_run(&in, NULL, &found) == SOUK_OK, "the listing cannot be reviewed");
	return 1;
}

static void *
work(void *context)
{
	struct worker *w = context;
	struct text_scratch *s = NULL;
	struct arena *kept = arena_new((size_t)64 << 20), *a = arena_new((size_t)64 << 20);
	const struct text_hits *texts;
	struct listing l;
	double from;

	require(kept != NULL && a != NULL && text_scratch_new(w->engine, &s) == SOUK_OK,
	    "out of memory");
	require(listing_read(w->document, kept, &l, NULL) == SOUK_OK, "the listing cannot be read");
	require(
	    text_scan(w->engine, s, &l, kept, &texts) == SOUK_OK, "the texts cannot be scanned");
	from = now();
	while ((w->took = now() - from) < w->seconds)
		for (int i = 0; i < 50; i++) {
			arena_reset(a);
			w->done += w->task == SEARCH ? search(w->engine, s, texts)
				   : w->task == SCAN ? scan(w->engine, s, a, &l)
						     : review(w->engine, s, a, w->document);
		}
	text_scratch_free(s);
	arena_free(a);
	arena_free(kept);
	return NULL;
}

static double
rate(const struct text_engine *e, struct str document, double seconds, size_t threads,
    enum task task)
{
	struct worker w[THREADS_MAX];
	double all = 0;

	for (size_t i = 0; i < threads; i++) {
		w[i] = (struct worker){
			.engine = e, .document = document, .seconds = seconds, .task = task
		};
		require(pthread_create(&w[i].thread, NULL, work, &w[i]) == 0, "no thread");
	}
	for (size_t i = 0; i < threads; i++) {
		(void)pthread_join(w[i].thread, NULL);
		all += (double)w[i].done / w[i].took;
	}
	return all;
}

int
main(int argc, char **argv)
{
	struct buf b = { .p = NULL };
	struct fail f = { .err = SOUK_OK };
	struct text_engine *e = NULL;
	double seconds, from = now(), start;
	size_t threads;

	require(argc == 4, "bench_text LISTING.json SECONDS THREADS");
	seconds = strtod(argv[2], NULL);
	threads = (size_t)strtoul(argv[3], NULL, 10);
	require(threads >= 1 && threads <= THREADS_MAX, "1 to 64 threads");
	require(io_read_file(argv[1], (size_t)8 << 20, &b, &f) == SOUK_OK, f.detail);
	require(text_engine_new(&e, &f) == SOUK_OK, f.detail);
	start = now() - from;
	printf("{\"bytes\": %zu, \"threads\": %zu, \"start_s\": %.3f, \"search_mb_s\": %.1f, "
	       "\"scan_mb_s\": %.1f, \"reviews_s\": %.0f}\n",
	    b.n, threads, start, rate(e, buf_str(&b), seconds, threads, SEARCH) / 1e6,
	    rate(e, buf_str(&b), seconds, threads, SCAN) / 1e6,
	    rate(e, buf_str(&b), seconds, threads, REVIEW));
	text_engine_free(e);
	buf_done(&b);
	return 0;
}
