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
	X(vips_image_get_blob)                                                                     \
	X(vips_image_set_blob_copy)                                                                \
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

static bool
has_profile(VipsImage *image)
{
	return v.vips_image_get_typeof(image, VIPS_META_ICC_NAME) != 0;
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

/* Of columns over the rows of a box. */
_Static_assert(((LOGO_EDGE_MAX + LOOK - 1) / LOOK) * 255 <= UINT16_MAX, "a sum fits");
#define PIECE 64 /* samples; a constant number of them is added many at a time */

static void
add_row(const unsigned char *restrict p, size_t n, uint16_t *restrict sum)
{
	for (; n >= PIECE; n -= PIECE, p += PIECE, sum += PIECE)
		for (size_t i = 0; i < PIECE; i++)
			sum[i] = (uint16_t)(sum[i] + p[i]);
	for (size_t i = 0; i < n; i++)
		sum[i] = (uint16_t)(sum[i] + p[i]);
}

/* Of the boxes of a row of boxes, `across` pixels each; the last one may have fewer. */
static void
put_means(const uint16_t *sum, int w, int across, int rows, int bands, unsigned char *out)
{
	for (int x = 0; x < w; x += across) {
		int pixels = w - x < across ? w - x : across;
		uint32_t n = (uint32_t)rows * (uint32_t)pixels;

		for (int b = 0; b < bands; b++) {
			uint32_t all = 0;

			for (int i = 0; i < pixels; i++)
				all += sum[(x + i) * bands + b];
			*out++ = (unsigned char)((all + n / 2) / n);
		}
	}
}

static bool
shrink_rows(VipsRegion *r, int across, int down, uint16_t *sum, unsigned char *out)
{
	int w = r->im->Xsize, h = r->im->Ysize, bands = r->im->Bands;
	size_t n = (size_t)w * (size_t)bands;

	for (int y = 0; y < h; y++) {
		VipsRect strip = { 0, y, w, h - y < STRIP ? h - y : STRIP };
		int rows = y % down + 1;

		if (y % STRIP == 0 && v.vips_region_prepare(r, &strip) != 0)
			return false;
		if (rows == 1)
			memset(sum, 0, n * sizeof(*sum));
		add_row(r->data + (ptrdiff_t)(y - r->valid.top) * r->bpl, n, sum);
		if (rows == down || y == h - 1) {
			put_means(sum, w, across, rows, bands, out);
			out += (w + across - 1) / across * bands;
		}
	}
	return true;
}

/* Pixels of 8 bits a sample. */
struct small {
	int w, h, bands;
	unsigned char *p;
};

/* As vips_shrink, which takes longer for this than all the rest does. The caller frees *ret; false: it cannot be decoded. */
static bool
shrink_bytes(VipsImage *image, int across, int down, struct small *ret)
{
	struct small s = { (image->Xsize + across - 1) / across, (image->Ysize + down - 1) / down,
		image->Bands, NULL };
	uint16_t *sum = calloc((size_t)image->Xsize * (size_t)s.bands, sizeof(*sum));
	VipsRegion *region = v.vips_region_new(image);
	bool ok;

	s.p = malloc((size_t)s.w * (size_t)s.h * (size_t)s.bands);
	ok = sum && s.p && region && shrink_rows(region, across, down, sum, s.p);
	if (region)
		v.g_object_unref(region);
	free(sum);
	if (ok)
		*ret = s;
	else
		free(s.p);
	return ok;
}

/* The small one as an image of the library's, with the colours of the large one. */
static VipsImage *
as_image(const struct small *s, VipsImage *like)
{
	VipsImage *ret =
	    v.vips_image_new_from_memory_copy(s->p, (size_t)s->w * (size_t)s->h * (size_t)s->bands,
		s->w, s->h, s->bands, VIPS_FORMAT_UCHAR);
	const void *profile;
	size_t n;

	if (!ret)
		return NULL;
	ret->Type = like->Type;
	if (has_profile(like) && v.vips_image_get_blob(like, VIPS_META_ICC_NAME, &profile, &n) == 0)
		v.vips_image_set_blob_copy(ret, VIPS_META_ICC_NAME, profile, n);
	return ret;
}

/* A profile that says nothing is passed over. */
static int
to_srgb(VipsImage *image, VipsImage **ret)
{
	if (has_profile(image) &&
	    v.vips_icc_transform(image, ret, "srgb", "embedded", TRUE, NULL) == 0)
		return 0;
	return v.vips_colourspace(image, ret, VIPS_INTERPRETATION_sRGB, NULL);
}

/* Takes the image (NULL: none); the caller frees the pixels with g_free. */
static unsigned char *
to_rgba(VipsImage *small, unsigned *ret_w, unsigned *ret_h)
{
	VipsImage *colours = NULL, *four = NULL, *eight = NULL;
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

/* The same of samples that are red, green and blue, or grey, as they stand. */
static unsigned char *
spread(const struct small *s, unsigned *ret_w, unsigned *ret_h)
{
	size_t n = (size_t)s->w * (size_t)s->h;
	unsigned char *pixels = g_try_malloc(4 * n), *out = pixels;
	const unsigned char *p = s->p;
	int colours = s->bands < 3 ? 1 : 3;

	if (!pixels)
		return NULL;
	for (size_t i = 0; i < n; i++, p += s->bands, out += 4) {
		for (int k = 0; k < 3; k++)
			out[k] = p[k % colours];
		out[3] = s->bands > colours ? p[colours] : 255;
	}
	*ret_w = (unsigned)s->w;
	*ret_h = (unsigned)s->h;
	return pixels;
}

static bool
is_plain(VipsImage *image)
{
	return !has_profile(image) &&
	       ((image->Type == VIPS_INTERPRETATION_sRGB &&
		    (image->Bands == 3 || image->Bands == 4)) ||
		   (image->Type == VIPS_INTERPRETATION_B_W && image->Bands <= 2));
}

/*
 * At most LOOK by LOOK pixels of red, green, blue and alpha: shrunk each way for itself, as the hash stretches them anyway.
 * The caller frees them with g_free; NULL: it cannot be decoded.
 */
static unsigned char *
decode(VipsImage *image, unsigned *ret_w, unsigned *ret_h)
{
	int across = (image->Xsize + LOOK - 1) / LOOK, down = (image->Ysize + LOOK - 1) / LOOK;
	VipsImage *shrunk = NULL, *held = NULL;
	unsigned char *pixels = NULL;
	struct small small;

	if (image->BandFmt != VIPS_FORMAT_UCHAR) {
		if (v.vips_shrink(image, &shrunk, (double)across, (double)down, NULL) == 0)
			held = v.vips_image_copy_memory(shrunk);
		drop(shrunk);
		return to_rgba(held, ret_w, ret_h);
	}
	if (shrink_bytes(image, across, down, &small)) {
		pixels = is_plain(image) ? spread(&small, ret_w, ret_h)
					 : to_rgba(as_image(&small, image), ret_w, ret_h);
		free(small.p);
	}
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
