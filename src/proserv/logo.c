/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking into images through libvips; see logo.h.
 *
 * The library is opened when it is first needed and not linked: with all that it links in turn, every command would take four
 * times as long to start.
 */
#include "proserv/logo.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <vips/vips.h>

#define LIBRARY "libvips.so.42"

/* What is used of it, called as v.NAME. */
#define FUNCTIONS(X)                                                                               \
	X(vips_init)                                                                               \
	X(vips_shutdown)                                                                           \
	X(vips_thread_shutdown)                                                                    \
	X(vips_concurrency_set)                                                                    \
	X(vips_cache_set_max)                                                                      \
	X(vips_operation_block_set)                                                                \
	X(vips_pngload_buffer)                                                                     \
	X(vips_jpegload_buffer)                                                                    \
	X(vips_gifload_buffer)                                                                     \
	X(vips_image_get_typeof)                                                                   \
	X(vips_image_get_int)                                                                      \
	X(vips_image_get_width)                                                                    \
	X(vips_image_get_height)                                                                   \
	X(vips_image_get_bands)                                                                    \
	X(vips_image_hasalpha)                                                                     \
	X(vips_image_copy_memory)                                                                  \
	X(vips_image_write_to_memory)                                                              \
	X(vips_image_new_from_memory_copy)                                                         \
	X(vips_region_new)                                                                         \
	X(vips_region_prepare)                                                                     \
	X(vips_shrink)                                                                             \
	X(vips_icc_transform)                                                                      \
	X(vips_colourspace)                                                                        \
	X(vips_copy)                                                                               \
	X(vips_addalpha)                                                                           \
	X(vips_cast)                                                                               \
	X(vips_error_clear)                                                                        \
	X(g_object_unref)

static struct {
#define MEMBER(f) __typeof__(f) *f;
	FUNCTIONS(MEMBER)
} v;

#define LOOK 128 /* pixels: as large as an image is looked at */
#define STRIP 16 /* rows that are read at once */
#define NEARLY_WHITE 240
#define NEARLY_CLEAR 16 /* alpha of 255 */

const char *
logo_format_word(enum logo_format f)
{
	static const char *const words[] = { "no PNG, JPG or GIF", "PNG", "JPG", "GIF" };

	return words[f];
}

/* What it says of an image says nothing to whoever reads the log, and there may be a line a row of pixels. */
static void
pass_over(const char *domain, GLogLevelFlags level, const char *message, void *arg)
{
	(void)domain;
	(void)level;
	(void)message;
	(void)arg;
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool started;

static bool
find_functions(void *library)
{
	bool all = true;

#define FIND(f) all = (v.f = (__typeof__(v.f))dlsym(library, #f)) != NULL && all;
	FUNCTIONS(FIND)
	return all;
}

static void
start(void)
{
	void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);

	(void)g_log_set_handler("VIPS", G_LOG_LEVEL_WARNING, pass_over, NULL);
	if (!library || !find_functions(library) || v.vips_init("souk") != 0)
		return;
	v.vips_concurrency_set(1);
	v.vips_cache_set_max(0);
	v.vips_operation_block_set("VipsForeignLoad", TRUE);
	v.vips_operation_block_set("VipsForeignLoadPng", FALSE);
	v.vips_operation_block_set("VipsForeignLoadJpeg", FALSE);
	v.vips_operation_block_set("VipsForeignLoadNsgif", FALSE);
	started = true;
}

enum souk_err
logo_start(struct fail *f)
{
	(void)pthread_once(&once, start);
	if (started)
		return SOUK_OK;
	return fail_set(f, SOUK_E_UNAVAILABLE, "no_image_library",
	    "The library that reads images is not there; install libvips42, 8.13 or newer.");
}

void
logo_stop(void)
{
	if (started)
		v.vips_shutdown();
}

void
logo_thread_end(void)
{
	if (started)
		v.vips_thread_shutdown();
}

static void
drop(VipsImage *image)
{
	if (image)
		v.g_object_unref(image);
}

static bool
begins(struct str s, const char *with, size_t n)
{
	return s.n >= n && memcmp(s.p, with, n) == 0;
}

static enum logo_format
format_of(struct str bytes)
{
	if (begins(bytes, "\x89PNG\r\n\x1a\n", 8))
		return LOGO_PNG;
	if (begins(bytes, "\xff\xd8\xff", 3))
		return LOGO_JPEG;
	if (begins(bytes, "GIF87a", 6) || begins(bytes, "GIF89a", 6))
		return LOGO_GIF;
	return LOGO_OTHER;
}

/* `shrink`: a JPG is read at so small a part of its size, 1, 2, 4 or 8. */
static int
open_image(struct str bytes, enum logo_format format, unsigned shrink, VipsImage **ret)
{
	/* Not const in the interface; it is only read. */
	void *p = (void *)(uintptr_t)bytes.p;

	*ret = NULL;
	switch (format) {
	case LOGO_PNG:
		return v.vips_pngload_buffer(p, bytes.n, ret, "access", VIPS_ACCESS_SEQUENTIAL,
		    "fail_on", VIPS_FAIL_ON_TRUNCATED, NULL);
	case LOGO_JPEG:
		return v.vips_jpegload_buffer(p, bytes.n, ret, "access", VIPS_ACCESS_SEQUENTIAL,
		    "fail_on", VIPS_FAIL_ON_TRUNCATED, "shrink", (int)shrink, NULL);
	case LOGO_GIF:
		return v.vips_gifload_buffer(p, bytes.n, ret, "access", VIPS_ACCESS_SEQUENTIAL,
		    "fail_on", VIPS_FAIL_ON_TRUNCATED, NULL);
	case LOGO_OTHER:
		break;
	}
	return -1;
}

static unsigned
number_of(VipsImage *image, const char *name, unsigned otherwise)
{
	int n = 0;

	if (v.vips_image_get_typeof(image, name) == 0 ||
	    v.vips_image_get_int(image, name, &n) != 0 || n < 0)
		return otherwise;
	return (unsigned)n;
}

static uint32_t
big_endian(const char *p)
{
	const unsigned char *b = (const unsigned char *)p;

	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* What a PNG says of its animation, before its pixels: libvips passes it over. */
static unsigned
png_frames(struct str bytes)
{
	for (size_t i = 8; i + 12 <= bytes.n;) {
		size_t n = big_endian(bytes.p + i);

		if (memcmp(bytes.p + i + 4, "IDAT", 4) == 0)
			break;
		if (memcmp(bytes.p + i + 4, "acTL", 4) == 0 && n >= 8 && i + 20 <= bytes.n)
			return big_endian(bytes.p + i + 8);
		if (n > bytes.n - i - 12)
			break;
		i += n + 12;
	}
	return 1;
}

static bool
is_held_whole(VipsImage *image, enum logo_format format)
{
	return format == LOGO_GIF || number_of(image, "interlaced", 0) != 0 ||
	       number_of(image, "jpeg-multiscan", 0) != 0;
}

/* NULL when that is all there is to be known. */
static VipsImage *
read_header(struct str bytes, struct logo_facts *l)
{
	VipsImage *image;
	unsigned turned, w, h;

	if (open_image(bytes, l->format, 1, &image) != 0) {
		l->damaged = true;
		l->trouble = "its header cannot be read";
		return NULL;
	}
	turned = number_of(image, VIPS_META_ORIENTATION, 1);
	w = (unsigned)v.vips_image_get_width(image);
	h = (unsigned)v.vips_image_get_height(image);
	l->width = turned >= 5 && turned <= 8 ? h : w;
	l->height = turned >= 5 && turned <= 8 ? w : h;
	l->frames = l->format == LOGO_PNG ? png_frames(bytes) : number_of(image, "n-pages", 1);
	if (l->width < LOGO_EDGE_MIN || l->height < LOGO_EDGE_MIN || l->width > LOGO_EDGE_MAX ||
	    l->height > LOGO_EDGE_MAX)
		l->trouble = "its size is not allowed";
	else if (is_held_whole(image, l->format) && (uint64_t)w * h > LOGO_HELD_MAX)
		l->trouble = "it is interlaced, progressive or a GIF, and large";
	if (!l->trouble)
		return image;
	drop(image);
	return NULL;
}

/* Takes the image. A JPG is read at a part of its size, as far as that leaves LOOK pixels each way. */
static VipsImage *
smaller(VipsImage *image, struct str bytes, enum logo_format format)
{
	int w = v.vips_image_get_width(image), h = v.vips_image_get_height(image);
	int times = (w < h ? w : h) / LOOK;
	VipsImage *other;

	if (format != LOGO_JPEG || times < 2)
		return image;
	if (open_image(bytes, format, times >= 8 ? 8 : times >= 4 ? 4 : 2, &other) != 0)
		return image;
	drop(image);
	return other;
}

/* Adds a row to the sums of its boxes, `across` pixels each. */
static inline void
add_row(const unsigned char *p, int w, int across, int bands, uint32_t *sum)
{
	for (int x = 0; x < w; x += across, sum += bands) {
		int n = w - x < across ? w - x : across;

		for (; n > 0; n--, p += bands)
			for (int b = 0; b < bands; b++)
				sum[b] += p[b];
	}
}

/* Of the boxes of a row of boxes; sums begin anew. The last box may have fewer pixels. */
static void
put_means(uint32_t *sum, int w, int across, int rows, int bands, unsigned char *out)
{
	for (int x = 0; x < w; x += across)
		for (int b = 0; b < bands; b++, sum++) {
			uint32_t n = (uint32_t)rows * (uint32_t)(w - x < across ? w - x : across);

			*out++ = (unsigned char)((*sum + n / 2) / n);
			*sum = 0;
		}
}

static bool
sum_rows(VipsRegion *r, int across, int down, uint32_t *sum, unsigned char *out)
{
	int w = r->im->Xsize, h = r->im->Ysize, bands = r->im->Bands;

	for (int y = 0; y < h; y++) {
		VipsRect strip = { 0, y, w, h - y < STRIP ? h - y : STRIP };
		int rows = y % down + 1;
		const unsigned char *p;

		if (y % STRIP == 0 && v.vips_region_prepare(r, &strip) != 0)
			return false;
		p = r->data + (ptrdiff_t)(y - r->valid.top) * r->bpl;
		/* The usual numbers of bands, for the compiler. */
		if (bands == 3)
			add_row(p, w, across, 3, sum);
		else if (bands == 4)
			add_row(p, w, across, 4, sum);
		else
			add_row(p, w, across, bands, sum);
		if (rows == down || y == h - 1) {
			put_means(sum, w, across, rows, bands, out);
			out += (w + across - 1) / across * bands;
		}
	}
	return true;
}

/* As vips_shrink, which takes longer for this than all the rest does. */
static VipsImage *
shrink_bytes(VipsImage *image, int across, int down)
{
	int w = (image->Xsize + across - 1) / across, h = (image->Ysize + down - 1) / down;
	size_t n = (size_t)w * (size_t)h * (size_t)image->Bands;
	uint32_t *sum = calloc((size_t)w * (size_t)image->Bands, sizeof(*sum));
	unsigned char *out = malloc(n);
	VipsRegion *region = v.vips_region_new(image);
	VipsImage *ret = NULL;

	if (sum && out && region && sum_rows(region, across, down, sum, out))
		ret = v.vips_image_new_from_memory_copy(
		    out, n, w, h, image->Bands, VIPS_FORMAT_UCHAR);
	if (ret)
		ret->Type = image->Type;
	if (region)
		v.g_object_unref(region);
	free(sum);
	free(out);
	return ret;
}

/* To at most LOOK by LOOK, each way for itself, as the hash stretches them anyway. In memory; NULL: it cannot be decoded. */
static VipsImage *
shrink(VipsImage *image)
{
	int across = (image->Xsize + LOOK - 1) / LOOK, down = (image->Ysize + LOOK - 1) / LOOK;
	VipsImage *small = NULL, *held = NULL;

	if (image->BandFmt == VIPS_FORMAT_UCHAR &&
	    v.vips_image_get_typeof(image, VIPS_META_ICC_NAME) == 0)
		return shrink_bytes(image, across, down);
	if (v.vips_shrink(image, &small, (double)across, (double)down, NULL) == 0)
		held = v.vips_image_copy_memory(small);
	drop(small);
	return held;
}

/* A profile that says nothing is passed over. */
static int
to_srgb(VipsImage *image, VipsImage **ret)
{
	if (v.vips_image_get_typeof(image, VIPS_META_ICC_NAME) != 0 &&
	    v.vips_icc_transform(image, ret, "srgb", "embedded", TRUE, NULL) == 0)
		return 0;
	return v.vips_colourspace(image, ret, VIPS_INTERPRETATION_sRGB, NULL);
}

/* At most LOOK by LOOK pixels of red, green, blue and alpha. Caller frees with g_free; NULL: it cannot be decoded. */
static unsigned char *
decode(VipsImage *image, unsigned *ret_w, unsigned *ret_h)
{
	VipsImage *small = shrink(image), *colours = NULL, *four = NULL, *eight = NULL;
	unsigned char *pixels = NULL;
	size_t size = 0;

	if (small && to_srgb(small, &colours) == 0 &&
	    (v.vips_image_hasalpha(colours) ? v.vips_copy(colours, &four, NULL)
					    : v.vips_addalpha(colours, &four, NULL)) == 0 &&
	    v.vips_image_get_bands(four) == 4 &&
	    v.vips_cast(four, &eight, VIPS_FORMAT_UCHAR, NULL) == 0)
		pixels = v.vips_image_write_to_memory(eight, &size);
	if (pixels) {
		*ret_w = (unsigned)v.vips_image_get_width(eight);
		*ret_h = (unsigned)v.vips_image_get_height(eight);
	}
	drop(eight);
	drop(four);
	drop(colours);
	drop(small);
	return pixels;
}

static void
look_at_ground(const unsigned char *rgba, unsigned w, unsigned h, struct logo_facts *l)
{
	const size_t corner[4] = { 0, w - 1, (size_t)(h - 1) * w, (size_t)h * w - 1 };
	unsigned clear = 0;

	for (size_t i = 0; i < 4; i++) {
		const unsigned char *p = rgba + 4 * corner[i];

		if (p[3] < NEARLY_CLEAR) {
			clear++;
		} else if (p[0] < NEARLY_WHITE || p[1] < NEARLY_WHITE || p[2] < NEARLY_WHITE) {
			l->ground = GROUND_COLOURED;
			memcpy(l->colour, p, sizeof(l->colour));
			return;
		}
	}
	l->ground = clear > 0 ? GROUND_TRANSPARENT : GROUND_WHITE;
}

void
logo_inspect(struct str bytes, struct logo_facts *ret)
{
	struct logo_facts l = { .bytes = bytes.n, .format = format_of(bytes), .frames = 1 };
	VipsImage *image = NULL;
	unsigned w = 0, h = 0;
	unsigned char *rgba;

	if (l.format == LOGO_OTHER)
		l.trouble = "it is no PNG, JPG or GIF";
	else if (bytes.n > LOGO_BYTES_MAX)
		l.trouble = "it is too large";
	else
		image = read_header(bytes, &l);
	if (image) {
		image = smaller(image, bytes, l.format);
		rgba = decode(image, &w, &h);
		l.damaged = !rgba;
		l.trouble = rgba ? NULL : "its pixels cannot be read";
		if (rgba) {
			look_at_ground(rgba, w, h, &l);
			l.blank = !logo_hash_make(rgba, w, h, &l.hash);
		}
		g_free(rgba);
	}
	drop(image);
	v.vips_error_clear();
	*ret = l;
}
