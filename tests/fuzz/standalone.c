/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a fuzz target without a fuzzer: every file of a corpus, then a bounded number of
 * mutations of them from a fixed seed, so that each run does the same.
 *
 *   fuzz_x [-n ITERATIONS] [-s SEED] [-f NAME] DIR...
 *
 * With -f only files of that name. A file in place of a directory is a corpus of one: that
 * is how a finding is looked at again.
 */
#include "base/guid.h"
#include "base/io.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SEED_MAX ((size_t)1 << 16)
#define SEEDS_MAX 4096
#define INPUT_MAX ((size_t)1 << 17)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct buf seeds[SEEDS_MAX]; /* nftw passes no argument */
static size_t n_seeds;
static const char *only; /* file name wanted, NULL: any */

static int
seed_read(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	if (kind == FTW_F && (!only || strcmp(path + ftw->base, only) == 0) &&
	    n_seeds < SEEDS_MAX && io_read_file(path, SEED_MAX, &seeds[n_seeds], NULL) == SOUK_OK)
		n_seeds++;
	return 0;
}

/* Bytes that parsers care for. */
static const char telling[] = "\r\n\t =&;,:/%+.\"'{}[]\\0123456789abcdefABCDEF-_~\x80\xff\xc3\xa4";

static uint8_t
draw_byte(struct prng *r)
{
	return prng_below(r, 3) == 0 ? (uint8_t)prng_next(r)
				     : (uint8_t)telling[prng_below(r, sizeof(telling))];
}

/* Takes `cut` bytes at `at` out and puts `n` bytes in; within INPUT_MAX. */
static void
splice(uint8_t *data, size_t *len, size_t at, size_t cut, const uint8_t *put, size_t n)
{
	if (*len - cut + n > INPUT_MAX)
		return;
	memmove(data + at + n, data + at + cut, *len - at - cut);
	if (n > 0)
		memcpy(data + at, put, n);
	*len += n - cut;
}

static void
mutate(struct prng *r, uint8_t *data, size_t *len)
{
	const struct buf *other = &seeds[prng_below(r, n_seeds)];
	size_t at = (size_t)prng_below(r, *len + 1), most = *len - at, from, n;
	uint8_t few[32];

	switch (prng_below(r, 6)) {
	case 0: /* a bit */
		if (most > 0)
			data[at] ^= (uint8_t)(1u << prng_below(r, 8));
		break;
	case 1: /* a byte */
		if (most > 0)
			data[at] = draw_byte(r);
		break;
	case 2: /* some bytes more */
		n = 1 + (size_t)prng_below(r, 8);
		for (size_t i = 0; i < n; i++)
			few[i] = draw_byte(r);
		splice(data, len, at, 0, few, n);
		break;
	case 3: /* some bytes less */
		n = (size_t)prng_below(r, 1 + (most < 64 ? most : 64));
		splice(data, len, at, n, NULL, 0);
		break;
	case 4: /* a piece of its own again */
		from = (size_t)prng_below(r, *len + 1);
		n = *len - from < sizeof(few) ? *len - from : sizeof(few);
		memcpy(few, data + from, n);
		splice(data, len, at, 0, few, n);
		break;
	default: /* a piece of another */
		from = (size_t)prng_below(r, other->n + 1);
		n = (size_t)prng_below(r, 1 + other->n - from);
		if (n > 0)
			splice(data, len, at, 0, (const uint8_t *)other->p + from, n);
		break;
	}
}

/* A copy of exactly its length, so that a sanitizer sees the first byte read too far. */
static void
run(const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);

	if (!copy)
		abort();
	if (len > 0)
		memcpy(copy, data, len);
	(void)LLVMFuzzerTestOneInput(copy, len);
	free(copy);
}

static void
run_mutated(struct prng *random, uint64_t iterations)
{
	uint8_t *data = malloc(INPUT_MAX);

	if (!data)
		abort();
	for (uint64_t i = 0; i < iterations; i++) {
		const struct buf *seed = &seeds[prng_below(random, n_seeds)];
		size_t len = seed->n;

		if (len > 0)
			memcpy(data, seed->p, len);
		for (uint64_t k = 1 + prng_below(random, 8); k > 0; k--)
			mutate(random, data, &len);
		run(data, len);
	}
	free(data);
}

int
main(int argc, char **argv)
{
	uint64_t iterations = 0;
	struct prng random = { 1 };
	int o;

	while ((o = getopt(argc, argv, "n:s:f:")) != -1) {
		if (o == 'n')
			iterations = strtoull(optarg, NULL, 10);
		else if (o == 's')
			random.s = strtoull(optarg, NULL, 10);
		else if (o == 'f')
			only = optarg;
		else
			return 2;
	}
	for (int i = optind; i < argc; i++)
		if (nftw(argv[i], seed_read, 16, FTW_PHYS) != 0)
			(void)fprintf(stderr, "cannot read %s\n", argv[i]);
	if (n_seeds == 0) {
		(void)fprintf(stderr, "no corpus: give a directory with files\n");
		return 2;
	}
	for (size_t i = 0; i < n_seeds; i++)
		run((const uint8_t *)seeds[i].p, seeds[i].n);
	run_mutated(&random, iterations);
	(void)printf("ok 1 - %zu seeds, %llu mutations\n", n_seeds, (unsigned long long)iterations);
	for (size_t i = 0; i < n_seeds; i++)
		buf_done(&seeds[i]);
	return 0;
}
