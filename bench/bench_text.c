/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scanning and reviewing listings of about 3 KB: bench_text LISTING.json SECONDS THREADS
 *
 * Prints one line of JSON: megabytes a second through the scanner (all terms, texts that are folded anew
 * each time), and listings a second that are read, scanned and reviewed with every rule but images.
 */
#include "base/io.h"
#include "proserv/review.h"
#include "proserv/text.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define THREADS_MAX 64

struct worker {
	pthread_t thread;
	const struct text_engine *engine;
	struct str document;
	double seconds;
	bool whole; /* read and review, too */
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

static void
work_once(struct worker *w, struct text_scratch *s, struct arena *a, const struct listing *l)
{
	struct listing read;
	struct review_input in = { .listing = l };
	struct findings found;

	if (w->whole) {
		require(listing_read(w->document, a, &read, NULL) == SOUK_OK,
		    "the listing cannot be read");
		in.listing = &read;
	}
	require(text_scan(w->engine, s, in.listing, a, &in.text) == SOUK_OK,
	    "the texts cannot be scanned");
	if (w->whole) {
		findings_init(&found, a);
		require(review_run(&in, NULL, &found) == SOUK_OK, "the listing cannot be reviewed");
		w->done++;
	} else {
		w->done += text_bytes(in.text);
	}
}

static void *
work(void *context)
{
	struct worker *w = context;
	struct text_scratch *s = NULL;
	struct arena *kept = arena_new((size_t)64 << 20), *a = arena_new((size_t)64 << 20);
	struct listing l;
	double from;

	require(kept != NULL && a != NULL && text_scratch_new(w->engine, &s) == SOUK_OK,
	    "out of memory");
	require(listing_read(w->document, kept, &l, NULL) == SOUK_OK, "the listing cannot be read");
	from = now();
	while ((w->took = now() - from) < w->seconds)
		for (int i = 0; i < 50; i++) {
			arena_reset(a);
			work_once(w, s, a, &l);
		}
	text_scratch_free(s);
	arena_free(a);
	arena_free(kept);
	return NULL;
}

static double
rate(const struct text_engine *e, struct str document, double seconds, size_t threads, bool whole)
{
	struct worker w[THREADS_MAX];
	double all = 0;

	for (size_t i = 0; i < threads; i++) {
		w[i] = (struct worker){
			.engine = e, .document = document, .seconds = seconds, .whole = whole
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
	printf("{\"bytes\": %zu, \"threads\": %zu, \"start_s\": %.3f, \"scan_mb_s\": %.1f, "
	       "\"reviews_s\": %.0f}\n",
	    b.n, threads, start, rate(e, buf_str(&b), seconds, threads, false) / 1e6,
	    rate(e, buf_str(&b), seconds, threads, true));
	text_engine_free(e);
	buf_done(&b);
	return 0;
}
