/* SPDX-License-Identifier: Apache-2.0 */
/* Logos: what their bytes are, what is refused unseen, what is alike. The images are drawn here. */
#include "check.h"

#include "proserv/logo_index.h"
#include "proserv/review.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <vips/vips.h>

struct picture {
	unsigned w, h;
	unsigned char *rgba;
};

static struct picture
blank(unsigned w, unsigned h, uint32_t colour)
{
	struct picture p = { w, h, malloc((size_t)4 * w * h) };

	assert_non_null(p.rgba);
	for (size_t i = 0; i < (size_t)w * h; i++)
		for (unsigned k = 0; k < 4; k++)
			p.rgba[4 * i + k] = (unsigned char)(colour >> (24 - 8 * k));
	return p;
}

static void
dot(const struct picture *p, unsigned x, unsigned y, uint32_t colour)
{
	for (unsigned k = 0; k < 4; k++)
		p->rgba[4 * ((size_t)y * p->w + x) + k] = (unsigned char)(colour >> (24 - 8 * k));
}

static uint32_t
next(uint32_t *seed)
{
	*seed = *seed * 1664525U + 1013904223U;
	return *seed >> 8;
}

/* A mark of its own for every seed: some discs, bars and rings, in a box that leaves `margin` percent free on each side. */
static struct picture
mark(uint32_t seed, unsigned w, unsigned h, uint32_t ground, unsigned margin, bool grey)
{
	struct picture p = blank(w, h, ground);
	float left = (float)(w * margin) / 100, top = (float)(h * margin) / 100;
	float across = (float)w - 2 * left, down = (float)h - 2 * top;

	for (unsigned n = 0; n < 7; n++) {
		float cx = (float)(next(&seed) % 1000) / 1000,
		      cy = (float)(next(&seed) % 1000) / 1000;
		float r = 0.08F + (float)(next(&seed) % 1000) / 5000;
		unsigned kind = next(&seed) % 3;
		uint32_t c = next(&seed) % 100, colour = grey     ? 0x30303000U
							 : c < 50 ? 0x1030a000U
								  : 0x90102000U;

		for (unsigned y = 0; y < h; y++)
			for (unsigned x = 0; x < w; x++) {
				float u = ((float)x + 0.5F - left) / across,
				      v = ((float)y + 0.5F - top) / down;
				float d = (u - cx) * (u - cx) + (v - cy) * (v - cy);
				bool in = kind == 0   ? d < r * r
					  : kind == 1 ? d < r * r && d > r * r / 3
						      : (u > cx - r && u < cx + r &&
							    v > cy - r / 4 && v < cy + r / 4);

				if (in && u >= 0 && u <= 1 && v >= 0 && v <= 1)
					dot(&p, x, y, colour | 0xff);
			}
	}
	return p;
}

static VipsImage *
image_of(const struct picture *p)
{
	VipsImage *i = vips_image_new_from_memory_copy(
	    p->rgba, (size_t)4 * p->w * p->h, (int)p->w, (int)p->h, 4, VIPS_FORMAT_UCHAR);

	assert_non_null(i);
	i->Type = VIPS_INTERPRETATION_sRGB;
	free(p->rgba);
	return i;
}

/* Takes the image; the bytes are to be freed with g_free. */
static struct str
encoded(VipsImage *i, const char *suffix)
{
	void *bytes = NULL;
	size_t n = 0;

	if (vips_image_write_to_buffer(i, suffix, &bytes, &n, NULL) != 0)
		fail_msg("%s: %s", suffix, vips_error_buffer());
	g_object_unref(i);
	return (struct str){ bytes, n };
}

static struct logo_facts
facts_of(VipsImage *i, const char *suffix)
{
	struct str bytes = encoded(i, suffix);
	struct logo_facts l;

	logo_inspect(bytes, &l);
	g_free((void *)(uintptr_t)bytes.p);
	return l;
}

static struct logo_facts
inspected(struct picture p, const char *suffix)
{
	return facts_of(image_of(&p), suffix);
}

static void
test_formats(void **state)
{
	struct logo_facts l;

	(void)state;
	l = inspected(mark(1, 300, 200, 0xffffffff, 10, false), ".png");
	assert_true(l.format == LOGO_PNG && l.trouble == NULL && l.frames == 1);
	assert_true(l.width == 300 && l.height == 200);
	assert_int_equal(
	    inspected(mark(1, 300, 200, 0xffffffff, 10, false), ".jpg").format, LOGO_JPEG);
	l = inspected(mark(1, 300, 200, 0xffffffff, 10, false), ".gif");
	assert_true(l.format == LOGO_GIF && l.trouble == NULL);
	/* Other formats are not even opened, whatever they are called. */
	l = inspected(mark(1, 300, 200, 0xffffffff, 10, false), ".tif");
	assert_true(l.format == LOGO_OTHER && l.width == 0 && l.trouble != NULL);
	l = inspected(mark(1, 300, 200, 0xffffffff, 10, false), ".webp");
	assert_int_equal(l.format, LOGO_OTHER);
	logo_inspect(
	    STR("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"200\" height=\"200\"/>"), &l);
	assert_int_equal(l.format, LOGO_OTHER);
	logo_inspect(STR(""), &l);
	assert_true(l.format == LOGO_OTHER && l.bytes == 0);
}

static void
test_ground(void **state)
{
	struct logo_facts l;

	(void)state;
	assert_int_equal(
	    inspected(mark(2, 200, 200, 0xffffffff, 10, false), ".png").ground, GROUND_WHITE);
	assert_int_equal(
	    inspected(mark(2, 200, 200, 0xf2f2f2ff, 10, false), ".jpg").ground, GROUND_WHITE);
	assert_int_equal(
	    inspected(mark(2, 200, 200, 0x00000000, 10, false), ".png").ground, GROUND_TRANSPARENT);
	assert_int_equal(
	    inspected(mark(2, 200, 200, 0xe8ffffff, 10, false), ".png").ground, GROUND_COLOURED);
	l = inspected(mark(2, 200, 200, 0x202020ff, 10, false), ".png");
	assert_int_equal(l.ground, GROUND_COLOURED);
	assert_true(l.colour[0] == 0x20 && l.colour[1] == 0x20 && l.colour[2] == 0x20);
	/* One corner is enough. */
	{
		struct picture p = blank(200, 200, 0xffffffff);

		for (unsigned y = 0; y < 20; y++)
			for (unsigned x = 180; x < 200; x++)
				dot(&p, x, y, 0x0000ffff);
		assert_int_equal(inspected(p, ".png").ground, GROUND_COLOURED);
	}
	assert_true(inspected(blank(200, 200, 0x334455ff), ".png").blank);
	assert_true(inspected(blank(200, 200, 0), ".png").blank);
}

/* Both limits of both edges; outside of them no pixel is decoded. */
static void
test_sizes(void **state)
{
	(void)state;
	assert_null(inspected(blank(110, 110, 0xffffffff), ".png").trouble);
	assert_non_null(inspected(blank(109, 200, 0xffffffff), ".png").trouble);
	assert_non_null(inspected(blank(200, 109, 0xffffffff), ".png").trouble);
	assert_null(inspected(blank(10000, 110, 0xffffffff), ".png").trouble);
	assert_non_null(inspected(blank(10001, 110, 0xffffffff), ".png").trouble);
	assert_non_null(inspected(blank(1, 1, 0xffffffff), ".png").trouble);
	assert_int_equal(inspected(blank(10001, 110, 0xffffffff), ".png").width, 10001);
}

/* Colours are what the profile makes of the samples: this red is another one of Display P3. */
static void
test_profile(VipsImage *flat)
{
	VipsImage *red, *p3;
	struct logo_facts l, wide;
	double times[] = { 1, 0.25, 0.25 }, plus[] = { 0, 0, 0 };

	assert_int_equal(vips_linear(flat, &red, times, plus, 3, "uchar", TRUE, NULL), 0);
	assert_int_equal(vips_icc_transform(red, &p3, "p3", "input_profile", "srgb", NULL), 0);
	l = facts_of(red, ".png");
	wide = facts_of(p3, ".png");
	assert_true(l.ground == GROUND_COLOURED && wide.ground == GROUND_COLOURED);
	assert_true(l.colour[0] == 255 && abs(wide.colour[0] - 255) <= 2);
	assert_true(abs(wide.colour[1] - l.colour[1]) <= 2);
	assert_true(logo_distance(&l.hash, &wide.hash) <= 4);
}

/* Colour models, depths, turned photographs: as they are shown. */
static void
test_kinds_of_pixels(void **state)
{
	struct picture p = mark(3, 400, 200, 0xffffffff, 10, false);
	struct logo_facts plain = inspected(mark(3, 400, 200, 0xffffffff, 10, false), ".png"), l;
	VipsImage *i = image_of(&p), *grey, *deep, *flat, *cmyk;
	double white[] = { 255, 255, 255 };
	VipsArrayDouble *ground = vips_array_double_new(white, 3);

	(void)state;
	assert_int_equal(vips_colourspace(i, &grey, VIPS_INTERPRETATION_B_W, NULL), 0);
	l = facts_of(grey, ".png");
	assert_true(l.trouble == NULL && logo_distance(&plain.hash, &l.hash) <= LOGO_LIKE_MAX);
	assert_int_equal(vips_colourspace(i, &deep, VIPS_INTERPRETATION_RGB16, NULL), 0);
	l = facts_of(deep, ".png");
	assert_true(l.trouble == NULL && l.ground == GROUND_WHITE);
	assert_true(logo_distance(&plain.hash, &l.hash) <= 8);
	assert_int_equal(vips_flatten(i, &flat, "background", ground, NULL), 0);
	assert_int_equal(vips_colourspace(flat, &cmyk, VIPS_INTERPRETATION_CMYK, NULL), 0);
	l = facts_of(cmyk, ".jpg");
	assert_true(l.trouble == NULL && l.format == LOGO_JPEG);
	test_profile(flat);
	vips_image_set_int(flat, VIPS_META_ORIENTATION, 6);
	l = facts_of(flat, ".jpg");
	assert_true(l.width == 200 && l.height == 400);
	vips_area_unref(VIPS_AREA(ground));
	g_object_unref(i);
}

static void
test_frames(void **state)
{
	struct picture p = mark(4, 200, 400, 0xffffffff, 10, false);
	VipsImage *i = image_of(&p);
	struct str png;
	struct logo_facts l;
	char *bytes;

	(void)state;
	vips_image_set_int(i, VIPS_META_PAGE_HEIGHT, 200);
	l = facts_of(i, ".gif");
	assert_true(l.frames == 2 && l.height == 200 && l.trouble == NULL);
	/* An animated PNG says so in a chunk before its pixels, here put behind the header. */
	p = mark(4, 200, 200, 0xffffffff, 10, false);
	png = encoded(image_of(&p), ".png");
	bytes = malloc(png.n + 20);
	memcpy(bytes, png.p, 33);
	memcpy(bytes + 33, "\0\0\0\10acTL\0\0\0\7\0\0\0\0\0\0\0\0", 20);
	memcpy(bytes + 53, png.p + 33, png.n - 33);
	logo_inspect((struct str){ bytes, png.n + 20 }, &l);
	assert_int_equal(l.frames, 7);
	free(bytes);
	g_free((void *)(uintptr_t)png.p);
}

/* Cut anywhere, it is damaged or its header is; never anything else. */
static void
test_damage(void **state)
{
	static const char *const suffix[] = { ".png", ".jpg", ".gif" };

	(void)state;
	for (size_t k = 0; k < 3; k++) {
		struct picture p = mark(5, 300, 300, 0xffffffff, 10, false);
		struct str whole = encoded(image_of(&p), suffix[k]);

		for (size_t n = 0; n + 40 < whole.n; n += whole.n / 37 + 1) {
			char *cut = malloc(n + 1); /* of its own size, for the sanitizer */
			struct logo_facts l;

			memcpy(cut, whole.p, n);
			logo_inspect((struct str){ cut, n }, &l);
			free(cut);
			if (l.trouble == NULL || (!l.damaged && l.format != LOGO_OTHER))
				fail_msg(
				    "%s of %zu bytes, cut at %zu, passes", suffix[k], whole.n, n);
		}
		g_free((void *)(uintptr_t)whole.p);
	}
}

static long
peak_kib(void)
{
	struct rusage u;

	assert_int_equal(getrusage(RUSAGE_SELF, &u), 0);
	return u.ru_maxrss;
}

/* A few kilobytes that say they are 100 million pixels, or are: decoded a strip at a time, or not at all. */
static void
test_bombs(void **state)
{
	VipsImage *large;
	struct str plain, interlaced;
	struct logo_facts l;
	long before;

	(void)state;
	assert_int_equal(vips_black(&large, 10000, 10000, "bands", 1, NULL), 0);
	g_object_ref(large);
	plain = encoded(large, ".png");
	assert_true(plain.n < 200000);
	before = peak_kib();
	logo_inspect(plain, &l);
	assert_true(l.trouble == NULL && l.width == 10000 && l.ground == GROUND_COLOURED);
	/* The bomb as one that must be held whole: the header's last byte but its checksum. */
	g_object_unref(large);
	assert_int_equal(vips_black(&large, 5000, 5000, "bands", 1, NULL), 0);
	interlaced = encoded(large, ".png[interlace]");
	logo_inspect(interlaced, &l);
	assert_true(l.trouble != NULL && !l.damaged && l.width == 5000);
	assert_true(peak_kib() - before < 64 * 1024);
	g_free((void *)(uintptr_t)plain.p);
	g_free((void *)(uintptr_t)interlaced.p);
	/* Too many bytes: not looked into at all. */
	{
		char *many = calloc(1, LOGO_BYTES_MAX + 1);

		memcpy(many, "\x89PNG\r\n\x1a\n", 8);
		logo_inspect((struct str){ many, LOGO_BYTES_MAX + 1 }, &l);
		assert_true(
		    l.format == LOGO_PNG && l.width == 0 && l.trouble != NULL && !l.damaged);
		free(many);
	}
}

/* Copies of one mark are alike; marks of a hundred others are not. */
static void
test_likeness(void **state)
{
	enum { OTHERS = 100 };
	struct logo_known known[OTHERS];
	unsigned nearest = LOGO_HASH_BITS;

	(void)state;
	for (uint32_t s = 0; s < OTHERS; s++) {
		struct logo_facts l =
		    inspected(mark(1000 + s, 200, 200, 0xffffffff, 10, false), ".png");

		assert_true(l.trouble == NULL && !l.blank);
		known[s] = (struct logo_known){ .hash = l.hash };
		for (uint32_t k = 0; k < s; k++) {
			unsigned d = logo_distance(&known[k].hash, &l.hash);

			nearest = d < nearest ? d : nearest;
		}
	}
	print_message("nearest of different marks: %u bits\n", nearest);
	assert_true(nearest > LOGO_LIKE_MAX + 10);
	for (uint32_t s = 0; s < OTHERS; s += 9) {
		const struct logo_facts copies[] = {
			inspected(mark(1000 + s, 640, 640, 0xffffffff, 10, false), ".png"),
			inspected(mark(1000 + s, 200, 200, 0xffffffff, 10, false), ".jpg[Q=30]"),
			inspected(mark(1000 + s, 300, 300, 0xffffffff, 25, false), ".png"),
			inspected(mark(1000 + s, 300, 200, 0xffffffff, 5, false), ".gif"),
			inspected(mark(1000 + s, 200, 200, 0x00000000, 10, false), ".png"),
			inspected(mark(1000 + s, 200, 200, 0xffe0a0ff, 10, false), ".png"),
			inspected(mark(1000 + s, 200, 200, 0xffffffff, 10, true), ".jpg"),
		};

		for (size_t i = 0; i < sizeof(copies) / sizeof(copies[0]); i++) {
			struct logo_near n = logo_nearest(known, OTHERS, &copies[i].hash, STR(""));

			if (n.known != &known[s])
				fail_msg("mark %u, copy %zu: %u bits", s, i,
				    logo_distance(&known[s].hash, &copies[i].hash));
		}
	}
}

static void
test_own_logos_count_not(void **state)
{
	struct logo_known known[] = { { STR("l1"), STR("s1"), { { 1, 2, 3, 4 } } },
		{ STR("l2"), STR("s2"), { { 1, 2, 3, 7 } } },
		{ STR("mark"), STR(""), { { 9, 9, 9, UINT64_MAX } } } };
	struct logo_hash h = { { 1, 2, 3, 4 } }, far = { { UINT64_MAX, 2, 3, 4 } };

	(void)state;
	assert_ptr_equal(logo_nearest(known, 3, &h, STR("")).known, &known[0]);
	assert_ptr_equal(logo_nearest(known, 3, &h, STR("s1")).known, &known[1]);
	assert_int_equal(logo_nearest(known, 3, &h, STR("s1")).distance, 2);
	assert_null(logo_nearest(known, 3, &far, STR("")).known);
	assert_null(logo_nearest(NULL, 0, &h, STR("")).known);
}

/* As a look at each of them finds it: of the lowest product id, where several are equally near. */
static struct logo_search
searched_slowly(const struct logo_shown *v, size_t n, struct logo_search s)
{
	unsigned best = LOGO_LIKE_MAX + 1;

	for (size_t i = 0; i < n; i++) {
		unsigned d = logo_distance(&v[i].hash, &s.hash);

		if (!v[i].shown || str_eq_c(s.seller_id, v[i].seller_id) || d > best ||
		    (d == best && guid_cmp(&v[i].product_id, &s.nearest.product_id) > 0) ||
		    d > LOGO_LIKE_MAX)
			continue;
		best = d;
		s.nearest = v[i];
		s.found = true;
	}
	return s;
}

static void
test_search(void **state)
{
	enum { LISTINGS = 3001, SEARCHES = 100 };
	struct logo_shown *v = calloc(LISTINGS, sizeof(*v));
	struct logo_search *s = calloc(SEARCHES, sizeof(*s));
	struct logo_index *x;
	uint32_t seed = 1;
	size_t found = 0;

	(void)state;
	assert_int_equal(logo_index_new(&x), SOUK_OK);
	s[0].seller_id = STR("");
	logo_index_search(x, s, 1);
	assert_false(s[0].found);
	/* In families of some that are alike, a few the same; each is put twice, at first as something else. */
	for (size_t i = 0; i < LISTINGS; i++) {
		uint32_t family = next(&seed) % 200, own = next(&seed) % 4;

		for (size_t k = 0; k < LOGO_HASH_WORDS; k++)
			v[i].hash.bits[k] = (family + 1) * 0x9e3779b97f4a7c15U * (2 * k + 1);
		for (; own > 0; own--)
			v[i].hash.bits[next(&seed) % 4] ^= (uint64_t)next(&seed)
							   << next(&seed) % 40;
		for (size_t k = 0; k < sizeof(v[i].product_id); k++)
			v[i].product_id.b[k] = (uint8_t)(next(&seed) >> 16);
		(void)snprintf(v[i].seller_id, sizeof(v[i].seller_id), "%012u", next(&seed) % 9);
		v[i].shown = i % 3 != 0;
	}
	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < LISTINGS; i++) {
			struct logo_shown y = v[i];

			if (round == 0) {
				y.shown = true;
				y.hash = v[(i + 1) % LISTINGS].hash;
			}
			assert_int_equal(logo_index_put(x, &y, 1), SOUK_OK);
		}
	for (size_t i = 0; i < SEARCHES; i++)
		s[i] = (struct logo_search){ .hash = v[30 * i].hash,
			.seller_id = str_c(i % 5 == 0 ? "" : v[30 * i].seller_id) };
	logo_index_search(x, s, SEARCHES);
	for (size_t i = 0; i < SEARCHES; i++) {
		struct logo_search want = searched_slowly(v, LISTINGS,
		    (struct logo_search){ .hash = s[i].hash, .seller_id = s[i].seller_id });

		assert_true(s[i].found == want.found);
		found += s[i].found;
		assert_true(!want.found ||
			    (guid_eq(&s[i].nearest.product_id, &want.nearest.product_id) &&
				strcmp(s[i].nearest.seller_id, want.nearest.seller_id) == 0 &&
				logo_distance(&s[i].nearest.hash, &want.nearest.hash) == 0));
	}
	assert_true(found > 80);
	logo_index_free(x);
	free(s);
	free(v);
}

static void
test_text(void **state)
{
	struct logo_hash h = { { 0x0123456789abcdefU, 0, UINT64_MAX, 0x8000000000000001U } }, back;
	char text[LOGO_HASH_TEXT + 1];

	(void)state;
	logo_hash_write(&h, text);
	assert_string_equal(
	    text, "0123456789abcdef0000000000000000ffffffffffffffff8000000000000001");
	assert_true(logo_hash_read(str_c(text), &back) && logo_distance(&h, &back) == 0);
	assert_false(logo_hash_read(STR(""), &back));
	text[5] = 'A';
	assert_false(logo_hash_read(str_c(text), &back));
}

static void
expect(const struct listing *l, const struct review_context *c, const struct logo_facts *logo,
    const char *rule, const char *want)
{
	struct arena *a = arena_new(FINDINGS_ARENA);
	struct findings found;
	struct review_input in = { .listing = l, .context = c, .logo = logo };
	char got[200] = "";

	findings_init(&found, a);
	assert_int_equal(review_run(&in, NULL, &found), SOUK_OK);
	for (size_t i = 0; i < found.n; i++)
		if (found.v[i].kind == KIND_HEURISTIC && strcmp(found.v[i].rule->id, rule) == 0)
			(void)snprintf(got + strlen(got), sizeof(got) - strlen(got), "%.*s|%.*s ",
			    (int)found.v[i].pointer.n, found.v[i].pointer.p,
			    (int)found.v[i].evidence.n, found.v[i].evidence.p);
	assert_string_equal(got, want);
	arena_free(a);
}

static void
test_rules(void **state)
{
	struct logo_facts one = inspected(mark(7, 200, 200, 0xffffffff, 10, false), ".png");
	struct logo_facts red = inspected(mark(7, 200, 200, 0xc00000ff, 10, false), ".png");
	struct logo_known logos[] = { { STR("prod-theirs"), STR("222222222222"), one.hash } };
	struct logo_known marks[] = { { STR("aws-cloud"), STR(""), one.hash },
		{ STR("rocket"), STR(""),
		    inspected(mark(8, 200, 200, 0xffffffff, 10, false), ".png").hash } };
	struct review_context c = { .logos = logos, .n_logos = 1 };
	struct listing l = { .id = STR("prod-mine"), .seller.id = STR("111111111111") };

	(void)state;
	expect(&l, &c, &one, "PS-SETUP-07", "/logo|prod-theirs, 256 of 256 alike ");
	expect(&l, &c, &one, "PS-SETUP-06", "");
	expect(&l, &c, NULL, "PS-SETUP-07", "");
	l.seller.id = STR("222222222222");
	expect(&l, &c, &one, "PS-SETUP-07", "");
	c = (struct review_context){ .marks = marks, .n_marks = 2 };
	expect(&l, &c, &one, "PS-SETUP-06", "/logo|aws-cloud, 256 of 256 alike ");
	expect(&l, &c, &one, "PS-SETUP-07", "");
	marks[0].name = STR("lawsuit"); /* no mark of AWS */
	expect(&l, &c, &one, "PS-SETUP-06", "");
	expect(&l, &c, &one, "PS-SETUP-07", "/logo|lawsuit, 256 of 256 alike ");
	l.logo.url = STR("https://b.s3.amazonaws.com/x/AWS_partner.png?v=1");
	expect(&l, NULL, &one, "PS-SETUP-06", "/logo/url|AWS_partner.png ");
	l.logo.url = STR("https://b.s3.amazonaws.com/x/drawstring.png?aws");
	expect(&l, NULL, &one, "PS-SETUP-06", "");
	expect(&l, NULL, &one, "PS-DET-09", "");
	expect(&l, NULL, &red, "PS-DET-09", "/logo|#c00000 ");
}

static int
set_up(void **state)
{
	struct fail f = { 0 };

	(void)state;
	return logo_start(&f) == SOUK_OK ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	logo_stop();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_ground),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_kinds_of_pixels),
		cmocka_unit_test(test_frames),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_bombs),
		cmocka_unit_test(test_likeness),
		cmocka_unit_test(test_own_logos_count_not),
		cmocka_unit_test(test_search),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_rules),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
