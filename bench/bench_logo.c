/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logos of a million pixels, and the nearest of 100 thousand known ones: bench_logo SECONDS
 *
 * Prints one line of JSON: images a second of one thread by format, milliseconds a look-up: of a list one by one, of what
 * the server keeps in memory, and of that for each of twenty at once.
 */
#include "proserv/logo_index.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <vips/vips.h>

#define EDGE 1000
#define KNOWN 100000

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
		fprintf(stderr, "bench_logo: %s\n", what);
		exit(1);
	}
}

/* Flat colours with soft edges and a shaded disc, as logos are. */
static void
draw(unsigned char *rgb)
{
	for (int y = 0; y < EDGE; y++)
		for (int x = 0; x < EDGE; x++) {
			unsigned char *p = rgb + 3 * ((size_t)y * EDGE + (size_t)x);
			int u = x - 400, v = y - 450, d = u * u + v * v;

			p[0] = p[1] = p[2] = 255;
			if (d < 300 * 300) {
				p[0] = (unsigned char)(d / 600);
				p[1] = (unsigned char)(y / 5);
				p[2] = 160;
			} else if (x > 750 && x < 930 && y % 120 < 60 && y > 100 && y < 900) {
				p[0] = 200;
				p[1] = p[2] = 40;
			}
		}
}

static double
images_a_second(VipsImage *image, const char *suffix, double seconds)
{
	void *bytes = NULL;
	size_t n = 0, done = 0;
	double from, took;

	require(vips_image_write_to_buffer(image, suffix, &bytes, &n, NULL) == 0, suffix);
	from = now();
	do {
		struct logo_facts l;

		logo_inspect((struct str){ bytes, n }, &l);
		require(l.trouble == NULL && !l.blank, "a logo was not looked at");
		done++;
		took = now() - from;
	} while (took < seconds);
	g_free(bytes);
	return (double)done / took;
}

static double
look_up_ms(double seconds)
{
	struct logo_known *known = calloc(KNOWN, sizeof(*known));
	struct logo_hash h = { { 1, 2, 3, 4 } };
	uint64_t x = 88172645463325252U;
	size_t done = 0, found = 0;
	double from, took;

	require(known != NULL, "no memory");
	for (size_t i = 0; i < KNOWN; i++)
		for (size_t k = 0; k < LOGO_HASH_WORDS; k++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			known[i].hash.bits[k] = x;
		}
	from = now();
	do {
		h.bits[0]++;
		found += logo_nearest(known, KNOWN, &h, STR("")).known != NULL;
		done++;
		took = now() - from;
	} while (took < seconds);
	require(found == 0, "unlike logos are alike");
	free(known);
	return 1000 * took / (double)done;
}

static double
search_ms(size_t at_once, double seconds)
{
	struct logo_shown *known = calloc(KNOWN, sizeof(*known));
	struct logo_search s[20] = { { .seller_id = STR("") } };
	struct logo_index *index;
	uint64_t x = 88172645463325252U;
	size_t done = 0, found = 0;
	double from, took;

	require(known != NULL && logo_index_new(&index) == SOUK_OK, "no memory");
	for (size_t i = 0; i < KNOWN; i++) {
		known[i] = (struct logo_shown){ .seller_id = "111111111111", .shown = true };
		memcpy(known[i].product_id.b, &i, sizeof(i));
		for (size_t k = 0; k < LOGO_HASH_WORDS; k++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			known[i].hash.bits[k] = x;
		}
	}
	require(logo_index_put(index, known, KNOWN) == SOUK_OK, "no memory");
	from = now();
	do {
		for (size_t i = 0; i < at_once; i++)
			s[i].hash.bits[i % LOGO_HASH_WORDS] += i + done;
		logo_index_search(index, s, at_once);
		found += s[at_once - 1].found;
		done += at_once;
		took = now() - from;
	} while (took < seconds);
	require(found == 0, "unlike logos are alike");
	logo_index_free(index);
	free(known);
	return 1000 * took / (double)done;
}

int
main(int argc, char **argv)
{
	double seconds = argc > 1 ? strtod(argv[1], NULL) : 2;
	unsigned char *rgb = malloc((size_t)3 * EDGE * EDGE);
	struct fail f = { 0 };
	VipsImage *image;

	require(rgb != NULL && logo_start(&f) == SOUK_OK, "does not start");
	draw(rgb);
	image = vips_image_new_from_memory(
	    rgb, (size_t)3 * EDGE * EDGE, EDGE, EDGE, 3, VIPS_FORMAT_UCHAR);
	require(image != NULL, "no image");
	image->Type = VIPS_INTERPRETATION_sRGB;
	printf("{\"png\": %.1f, \"jpg\": %.1f, \"gif\": %.1f, \"look_up_ms\": %.3f, "
	       "\"search_ms\": %.3f, \"search_many_ms\": %.3f}\n",
	    images_a_second(image, ".png", seconds), images_a_second(image, ".jpg", seconds),
	    images_a_second(image, ".gif", seconds), look_up_ms(seconds), search_ms(1, seconds),
	    search_ms(20, seconds));
	g_object_unref(image);
	free(rgb);
	logo_stop();
	return 0;
}
