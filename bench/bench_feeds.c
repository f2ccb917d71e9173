/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_feeds DIR THREADS [OUT]: sales compensation of all months of a folder of feeds, written as CSV. Prints the seconds of
 * the fold and in all, and the peak memory.
 */
#include "base/clock.h"
#include "base/csv.h"
#include "feeds/parallel.h"
#include "feeds/sales.h"

#include <stdio.h>
#include <stdlib.h>

#define AT_ONCE 4000 /* lines that a thread formats before they are written */

struct piece {
	const struct sales *sales;
	size_t from, to;
	unsigned threads;
	struct buf text[PARALLEL_MAX];
};

static void
put(struct buf *b, struct str s)
{
	csv_field(b, s);
	buf_add_char(b, ',');
}

static void
put_line(struct buf *b, const struct sales_line *l)
{
	static const enum sales_amount shown[] = { SALES_GROSS, SALES_FEE, SALES_REFUND,
		SALES_FEE_REFUND };
	char text[8];

	put(b, l->payer_account);
	put(b, l->country);
	put(b, l->state);
	put(b, l->city);
	put(b, l->postal_code);
	put(b, l->email_domain);
	put(b, l->product_code);
	put(b, l->product_title);
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
		buf_add_money(b, l->amount[shown[i]], 2);
		buf_add_char(b, ',');
	}
	buf_add_money(b, l->net, 2);
	buf_add_char(b, ',');
	currency_text(l->currency, text);
	put(b, str_c(text));
	month_text(l->month, text);
	put(b, str_c(text));
	put(b, l->reference);
	put(b, l->payer_id);
	put(b, l->end_user_account);
	put(b, l->address_id);
	put(b, l->end_user_id);
	csv_field(b, l->product_id);
	buf_add_char(b, '\n');
}

static enum souk_err
format(void *arg, unsigned which, struct fail *f)
{
	struct piece *p = arg;
	size_t n = p->to - p->from;
	struct buf *b = &p->text[which];

	(void)f;
	buf_clear(b);
	for (size_t i = p->from + n * which / p->threads;
	     i < p->from + n * (which + 1) / p->threads; i++) {
		struct sales_line l;

		sales_at(p->sales, i, &l);
		put_line(b, &l);
	}
	return buf_ok(b) ? SOUK_OK : SOUK_E_NOMEM;
}

static enum souk_err
write_lines(const struct sales *s, unsigned threads, FILE *out)
{
	struct piece p = { .sales = s, .threads = threads };
	size_t n = sales_count(s);
	enum souk_err err = SOUK_OK;

	for (; err == SOUK_OK && p.from < n; p.from = p.to) {
		p.to = p.from + AT_ONCE * threads < n ? p.from + AT_ONCE * threads : n;
		err = parallel_run(threads, format, &p, NULL);
		for (unsigned i = 0; err == SOUK_OK && i < threads; i++)
			if (fwrite(p.text[i].p, 1, p.text[i].n, out) != p.text[i].n)
				err = SOUK_E_STORAGE;
	}
	for (unsigned i = 0; i < threads; i++)
		buf_done(&p.text[i]);
	return err;
}

static void
print_peak(void)
{
	FILE *in = fopen("/proc/self/status", "r");
	char line[256];
	long kib;

	while (in && fgets(line, sizeof(line), in))
		if (sscanf(line, "VmHWM: %ld", &kib) == 1)
			(void)printf("peak %.1f MiB\n", (double)kib / 1024);
	if (in)
		(void)fclose(in);
}

int
main(int argc, char **argv)
{
	struct sales_request q = {
		.known_at = INSTANT_NONE, .month_from = MONTHS_FROM, .month_to = MONTHS_TO
	};
	uint64_t began = clock_mono_ns(), folded;
	struct sales *s = NULL;
	struct fail f = { 0 };
	char words[512];
	FILE *out;

	if (argc < 3)
		return 2;
	q.threads = (unsigned)strtoul(argv[2], NULL, 10);
	out = fopen(argc > 3 ? argv[3] : "/dev/null", "w");
	if (!out || feed_source_folder(argv[1], &q.source, &f) != SOUK_OK ||
	    sales_fold(&q, &s, &f) != SOUK_OK) {
		fail_line(&f, words, sizeof(words));
		(void)fprintf(stderr, "bench_feeds: %s\n", words);
		return 1;
	}
	folded = clock_mono_ns();
	if (write_lines(s, parallel_threads(q.threads), out) != SOUK_OK || fclose(out) != 0)
		return 1;
	(void)printf("fold %.3f s\ntotal %.3f s\nlines %zu\n", (double)(folded - began) / 1e9,
	    (double)(clock_mono_ns() - began) / 1e9, sales_count(s));
	print_peak();
	sales_free(s);
	feed_source_free(q.source);
	return 0;
}
