/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a logo's bytes are: format, size, ground, and what it looks like. specs/proserv.md PS-DET-08 to 11, PS-SETUP-06, 07.
 *
 * The bytes come from anybody. The format is told by content; size and frames are read from the header before anything is
 * decoded; only libvips's own readers of the three formats are ever used, and of an image that a rule refuses for its size, or
 * that would have to be held whole while it is decoded and is large, no pixel is decoded. So memory is bounded by
 * LOGO_HELD_MAX pixels and time by LOGO_EDGE_MAX squared.
 */
#ifndef SOUK_PROSERV_LOGO_H
#define SOUK_PROSERV_LOGO_H

#include "base/error.h"
#include "base/str.h"

#define LOGO_BYTES_MAX 4999999U /* under 5 MB; the unit is decimal (PS-DET-10) */
#define LOGO_EDGE_MIN 110U      /* pixels, both inclusive (PS-DET-11) */
#define LOGO_EDGE_MAX 10000U
#define LOGO_HELD_MAX                                                                              \
	16000000U /* pixels of interlaced, progressive and GIF images, which are decoded whole */

enum logo_format { LOGO_OTHER, LOGO_PNG, LOGO_JPEG, LOGO_GIF };
const char *logo_format_word(enum logo_format f); /* "PNG" ...; "no PNG, JPG or GIF" */

enum logo_ground { GROUND_UNKNOWN, GROUND_WHITE, GROUND_TRANSPARENT, GROUND_COLOURED };

/* What it looks like, whatever its size, ground, border and colours: likes differ in few bits. */
#define LOGO_HASH_WORDS 4
#define LOGO_HASH_BITS (64U * LOGO_HASH_WORDS)
#define LOGO_HASH_TEXT                                                                             \
	(LOGO_HASH_BITS / 4) /* characters of its text form: hexadecimal, lower case */
struct logo_hash {
	uint64_t bits[LOGO_HASH_WORDS];
};

struct logo_facts {
	size_t bytes;
	enum logo_format format;
	unsigned width, height; /* pixels as they are shown; 0: not known */
	unsigned frames;        /* of an animation; only the first one is looked at */
	bool damaged;           /* `trouble` is that it cannot be decoded */
	const char *trouble;    /* why no pixel was looked at: a constant text; NULL: they were */
	/* Only when trouble is NULL: */
	enum logo_ground ground;
	unsigned char colour[3]; /* red, green, blue of a corner of a coloured ground */
	bool blank;              /* nothing is to be seen on its ground: it has no hash */
	struct logo_hash hash;
};

/*
 * Opens the library; any number of times, on any thread. SOUK_E_UNAVAILABLE: it is not installed, and the text says what is. logo_inspect
 * may be called after it said SOUK_OK; logo_stop at the process's end, when no thread is in a call.
 */
SOUK_MUST enum souk_err logo_start(struct fail *f);
void logo_stop(void);
/* What a thread that has called logo_inspect does before it ends. */
void logo_thread_end(void);

/* Never fails: what is wrong is among the facts. Any number of threads at once. */
void logo_inspect(struct str bytes, struct logo_facts *ret);

/* ---- likeness ---------------------------------------------------------------------------------------------- */

/* Likes: copies that were scaled, recompressed, framed, cut by a few percent, set on another ground or greyed. */
#define LOGO_LIKE_MAX 60U /* bits that differ */

struct logo_known {
	struct str name;   /* of a mark, or a listing's id */
	struct str seller; /* empty: a mark */
	struct logo_hash hash;
};

struct logo_near {
	const struct logo_known *known; /* NULL: none is like it */
	unsigned distance;              /* bits that differ; 0 to LOGO_LIKE_MAX */
};

/* The nearest that is not of `seller` (may be empty); of equally near ones the first. Looks at each of them: 100 thousand take about a millisecond. */
struct logo_near logo_nearest(
    const struct logo_known *known, size_t n, const struct logo_hash *h, struct str seller);
unsigned logo_distance(const struct logo_hash *a, const struct logo_hash *b);

void logo_hash_write(const struct logo_hash *h, char out[LOGO_HASH_TEXT + 1]);
/* False when the text is none. */
bool logo_hash_read(struct str text, struct logo_hash *ret);

/* Of pixels of red, green, blue and alpha, row by row. False when nothing stands out of the ground. Used by logo_inspect. */
bool logo_hash_make(
    const unsigned char *rgba, unsigned width, unsigned height, struct logo_hash *ret);

#endif
