/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one verification costs (1 KB body, signed header form), as `name value unit` lines:
 * with the signing key cached, without (the secret is), and cached from several threads.
 * Then what a refusal costs for a wrong signature and for an unknown key: the two must not
 * be told apart by it.
 */
#include "../tests/unit/access/raw.h"
#include "base/clock.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define ROUNDS 2000 /* of a batch: a few milliseconds, less than a time slice */
#define BATCHES 200
#define THREADS 2

static const char secret[] = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
static const char amz_date[] = "20150830T123600Z";
static char body[1024];

struct call {
	struct sigv4_header headers[6];
	struct sigv4_req req;
	char authorization[512];
};

/* As the AWS CLI sends it: four signed headers, and some that are not. */
static void
call_make(struct call *c, const char *key_id, const char *region)
{
	const struct str names = STR("content-type;host;x-amz-date;x-amz-target");
	struct buf canonical = { 0 }, to_sign = { 0 }, hash = { 0 }, scope = { 0 };
	uint8_t key[32], sum[SHA256_LEN];
	char signature[65];

	*c = (struct call){ .headers = { { STR("Host"), STR("127.0.0.1:8080") },
				{ STR("Content-Type"), STR("application/x-amz-json-1.1") },
				{ STR("X-Amz-Date"), str_c(amz_date) },
				{ STR("X-Amz-Target"), STR("MarketplaceCommerceAnalytics20150701."
							   "StartSupportDataExport") },
				{ STR("User-Agent"), STR("aws-cli/2.9.19 Python/3.11.2") } },
		.req = { .method = STR("POST"),
		    .path = STR("/"),
		    .query = STR(""),
		    .n_headers = 6,
		    .body = { body, sizeof(body) } } };
	c->req.headers = c->headers;
	sha256(body, sizeof(body), sum);
	buf_add_hex(&hash, sum, sizeof(sum));
	buf_printf(&scope, "20150830/%s/marketplacecommerceanalytics/aws4_request", region);
	if (sigv4_canonical(&c->req, false, names, buf_str(&hash), &canonical) != SOUK_OK)
		abort();
	sigv4_to_sign(str_c(amz_date), buf_str(&scope), buf_str(&canonical), &to_sign);
	sigv4_signing_key(str_c(secret), STR("20150830"), str_c(region),
	    STR("marketplacecommerceanalytics"), key);
	sigv4_signature(key, buf_str(&to_sign), signature);
	(void)snprintf(c->authorization, sizeof(c->authorization),
	    "AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s", key_id, scope.p,
	    names.p, signature);
	c->headers[5] = (struct sigv4_header){ STR("Authorization"), str_c(c->authorization) };
	buf_done(&canonical);
	buf_done(&to_sign);
	buf_done(&hash);
	buf_done(&scope);
}

/* Nanoseconds of `n` verifications of the calls in turn, all of which end with `why`. */
static uint64_t
run(struct access *a, const struct call *calls, size_t n_calls, size_t n, enum sigv4_why why)
{
	struct sigv4_rules rules = { .region = "", .skew_ms = 300000, .skew_s3_ms = 900000 };
	struct arena *mem = arena_new(65536);
	struct sigv4_result res;
	uint64_t from;

	if (!mem || !instant_parse_amz(str_c(amz_date), &rules.now))
		abort();
	from = clock_mono_ns();
	for (size_t i = 0; i < n; i++) {
		sigv4_verify(a, &rules, &calls[i % n_calls].req, mem, &res);
		if (res.why != why)
			abort();
		principal_release(res.who);
		arena_reset(mem);
	}
	from = clock_mono_ns() - from;
	arena_free(mem);
	return from;
}

/* The quickest of many batches: what else the machine did meanwhile is not ours to count. */
static double
best_us(struct access *a, const struct call *calls, size_t n_calls, enum sigv4_why why)
{
	uint64_t best = UINT64_MAX;

	for (size_t i = 0; i < BATCHES; i++) {
		size_t from = i * ROUNDS % n_calls;
		uint64_t ns = run(a, calls + from, n_calls - from, ROUNDS, why);

		best = ns < best ? ns : best;
	}
	return (double)best / ROUNDS / 1000;
}

struct worker {
	pthread_t thread;
	struct access *access;
	const struct call *call;
	uint64_t ns;
};

static void *
work(void *arg)
{
	struct worker *w = arg;

	w->ns = run(w->access, w->call, 1, ROUNDS, SIGV4_OK);
	return NULL;
}

/* All threads use one key: the worst case for the cache's lock. */
static double
shared_us(struct access *a, const struct call *call)
{
	struct worker w[THREADS];
	double best = 1e18;

	for (size_t k = 0; k < BATCHES; k++) {
		double sum = 0;

		for (size_t i = 0; i < THREADS; i++) {
			w[i] = (struct worker){ .access = a, .call = call };
			if (pthread_create(&w[i].thread, NULL, work, &w[i]) != 0)
				abort();
		}
		for (size_t i = 0; i < THREADS; i++) {
			(void)pthread_join(w[i].thread, NULL);
			sum += (double)w[i].ns;
		}
		best = sum < best ? sum : best;
	}
	return best / THREADS / ROUNDS / 1000;
}

/* More regions than the cache has entries: each verification derives its key anew. */
#define REGIONS 20000

int
main(void)
{
	struct one_key key = { STR("AKIDEXAMPLE"), str_c(secret), 0 };
	struct call *calls = calloc(REGIONS, sizeof(*calls));
	struct access *a = NULL;

	memset(body, 'x', sizeof(body));
	if (!calls || one_key_access(&key, &a) != SOUK_OK)
		abort();
	for (size_t i = 0; i < REGIONS; i++) {
		char region[32];

		(void)snprintf(region, sizeof(region), "us-east-%zu", i);
		call_make(&calls[i], "AKIDEXAMPLE", region);
	}
	(void)printf("sigv4_cached %.3f us\n", best_us(a, calls, 1, SIGV4_OK));
	(void)printf("sigv4_uncached %.3f us\n", best_us(a, calls, REGIONS, SIGV4_OK));
	(void)printf("sigv4_cached_%d_threads %.3f us\n", THREADS, shared_us(a, calls));
	call_make(&calls[1], "AKIDUNKNOWN", "us-east-0");
	memset(strstr(calls[0].authorization, "Signature=") + 10, '0', 64);
	(void)printf("sigv4_wrong_signature %.3f us\n", best_us(a, calls, 1, SIGV4_SIGNATURE));
	(void)printf("sigv4_unknown_key %.3f us\n", best_us(a, calls + 1, 1, SIGV4_SIGNATURE));
	access_free(a);
	free(calls);
	return 0;
}
