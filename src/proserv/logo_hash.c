/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Likeness of logos; see logo.h.
 *
 * What counts is what stands out of the ground: how far each pixel's lightness is from that of the corners, whichever way.
 * Its frame is cut away, the rest stretched to a square, and the signs of the square's lowest frequencies are the hash.
 */
#include "proserv/logo.h"

#include <math.h>
#include <stdlib.h>

#define SIDE 32  /* of the square */
#define WAVES 16 /* frequencies each way */
#define LEAST 12 /* lightness of 255 that something must stand out by */

_Static_assert(WAVES *WAVES == LOGO_HASH_BITS, "a bit a frequency");

struct box {
	unsigned left, top, right, bottom; /* right and bottom are outside */
};

/* Lightness on white. */
static float
lightness(const unsigned char *p)
{
	float l = 0.299F * (float)p[0] + 0.587F * (float)p[1] + 0.114F * (float)p[2];

	return 255.0F + (l - 255.0F) * (float)p[3] / 255.0F;
}

static int
compare_floats(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

/* The lower middle of the four corners. */
static float
ground_of(const float *l, unsigned w, unsigned h)
{
	float c[4] = { l[0], l[w - 1], l[(size_t)(h - 1) * w], l[(size_t)h * w - 1] };

	qsort(c, 4, sizeof(c[0]), compare_floats);
	return (c[1] + c[2]) / 2;
}

/* Turns lightness into how much stands out, 0 to 1. Parts that do so by half of the most count as much as it. */
static bool
stand_out(float *l, unsigned w, unsigned h)
{
	float ground = ground_of(l, w, h), most = 0;
	size_t n = (size_t)w * h;

	for (size_t i = 0; i < n; i++) {
		l[i] = fabsf(l[i] - ground);
		most = fmaxf(most, l[i]);
	}
	if (most < LEAST)
		return false;
	for (size_t i = 0; i < n; i++)
		l[i] = fminf(1, 2 * l[i] / most);
	return true;
}

/* What is left without the frame in which hardly anything stands out. */
static struct box
inner(const float *v, unsigned w, unsigned h)
{
	struct box b = { w, h, 0, 0 };

	for (unsigned y = 0; y < h; y++)
		for (unsigned x = 0; x < w; x++) {
			if (v[(size_t)y * w + x] < 0.5F)
				continue;
			b.left = x < b.left ? x : b.left;
			b.right = x + 1 > b.right ? x + 1 : b.right;
			b.top = y < b.top ? y : b.top;
			b.bottom = y + 1;
		}
	return b;
}

/* How much of the pixel `at` lies between `from` and `to`. */
static float
share(unsigned at, float from, float to)
{
	float low = fmaxf((float)at, from), high = fminf((float)at + 1, to);

	return high > low ? high - low : 0;
}

/* Means over the box's parts. */
static void
stretch(const float *v, unsigned w, struct box b, float out[SIDE][SIDE])
{
	float step_x = (float)(b.right - b.left) / SIDE, step_y = (float)(b.bottom - b.top) / SIDE;

	for (unsigned j = 0; j < SIDE; j++)
		for (unsigned i = 0; i < SIDE; i++) {
			float x0 = (float)b.left + (float)i * step_x;
			float y0 = (float)b.top + (float)j * step_y, sum = 0;

			for (unsigned y = (unsigned)y0; y < b.bottom && (float)y < y0 + step_y; y++)
				for (unsigned x = (unsigned)x0;
				     x < b.right && (float)x < x0 + step_x; x++)
					sum += v[(size_t)y * w + x] * share(x, x0, x0 + step_x) *
					       share(y, y0, y0 + step_y);
			out[j][i] = sum / (step_x * step_y);
		}
}

static void
cosines(float c[WAVES][SIDE])
{
	for (unsigned k = 0; k < WAVES; k++)
		for (unsigned i = 0; i < SIDE; i++)
			c[k][i] = cosf((float)M_PI * ((float)i + 0.5F) * (float)k / SIDE);
}

static void
transform(float in[SIDE][SIDE], float out[WAVES * WAVES])
{
	float c[WAVES][SIDE], rows[SIDE][WAVES] = { { 0 } };

	cosines(c);
	for (unsigned y = 0; y < SIDE; y++)
		for (unsigned k = 0; k < WAVES; k++)
			for (unsigned x = 0; x < SIDE; x++)
				rows[y][k] += in[y][x] * c[k][x];
	for (unsigned j = 0; j < WAVES; j++)
		for (unsigned k = 0; k < WAVES; k++) {
			float sum = 0;

			for (unsigned y = 0; y < SIDE; y++)
				sum += rows[y][k] * c[j][y];
			out[j * WAVES + k] = sum;
		}
}

bool
logo_hash_make(const unsigned char *rgba, unsigned width, unsigned height, struct logo_hash *ret)
{
	size_t n = (size_t)width * height;
	float *v = n > 0 ? malloc(n * sizeof(*v)) : NULL, square[SIDE][SIDE], wave[WAVES * WAVES];
	float order[WAVES * WAVES], middle;

	*ret = (struct logo_hash){ { 0 } };
	if (!v)
		return false;
	for (size_t i = 0; i < n; i++)
		v[i] = lightness(rgba + 4 * i);
	if (!stand_out(v, width, height)) {
		free(v);
		return false;
	}
	stretch(v, width, inner(v, width, height), square);
	free(v);
	transform(square, wave);
	memcpy(order, wave, sizeof(order));
	qsort(order, WAVES * WAVES, sizeof(order[0]), compare_floats);
	middle = (order[WAVES * WAVES / 2 - 1] + order[WAVES * WAVES / 2]) / 2;
	for (unsigned i = 0; i < WAVES * WAVES; i++)
		if (wave[i] > middle)
			ret->bits[i / 64] |= UINT64_C(1) << i % 64;
	return true;
}

unsigned
logo_distance(const struct logo_hash *a, const struct logo_hash *b)
{
	unsigned d = 0;

	for (size_t i = 0; i < LOGO_HASH_WORDS; i++)
		d += (unsigned)__builtin_popcountll(a->bits[i] ^ b->bits[i]);
	return d;
}

struct logo_near
logo_nearest(const struct logo_known *known, size_t n, const struct logo_hash *h, struct str seller)
{
	struct logo_near near = { NULL, LOGO_LIKE_MAX + 1 };

	for (size_t i = 0; i < n; i++) {
		unsigned d = logo_distance(&known[i].hash, h);

		if (d < near.distance && (seller.n == 0 || !str_eq(known[i].seller, seller)))
			near = (struct logo_near){ &known[i], d };
	}
	return near;
}

void
logo_hash_write(const struct logo_hash *h, char out[LOGO_HASH_TEXT + 1])
{
	static const char digits[] = "0123456789abcdef";

	for (unsigned i = 0; i < LOGO_HASH_TEXT; i++)
		out[i] = digits[h->bits[i / 16] >> (60 - 4 * (i % 16)) & 15];
	out[LOGO_HASH_TEXT] = '\0';
}

bool
logo_hash_read(struct str text, struct logo_hash *ret)
{
	*ret = (struct logo_hash){ { 0 } };
	if (text.n != LOGO_HASH_TEXT)
		return false;
	for (unsigned i = 0; i < LOGO_HASH_TEXT; i++) {
		char c = text.p[i];
		unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
				 : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
							: 16;

		if (digit > 15)
			return false;
		ret->bits[i / 16] |= (uint64_t)digit << (60 - 4 * (i % 16));
	}
	return true;
}
