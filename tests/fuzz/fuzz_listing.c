/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listing documents: every refusal names its place and a fix; what is accepted is reviewed within bounds, with
 * pointers that resolve in the document or name a member that is missing, and in order.
 */
#include "proserv/listing_int.h"
#include "proserv/review.h"
#include "proserv/shape_int.h"
#include "proserv/text.h"
#include "proserv/waiver.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char *const context_text =
    "{\"as_of\":\"2026-03-02T12:00:00Z\",\"data_use_terms_current_version\":\"2025-11\","
    "\"known_categories\":[\"Training\"],\"products\":[{\"id\":\"prod-lake\",\"visibility\":"
    "\"Public\"}],"
    "\"catalogue_titles\":[{\"listing\":\"a\",\"title\":\"PayPal\"}]}";

static void same_struct(const struct shape *s, const char *x, const char *y);

static void
same_list(const struct field *d, const char *x, const char *y)
{
	const char *a, *b;
	size_t n;

	memcpy(&a, x + d->at, sizeof(a));
	memcpy(&b, y + d->at, sizeof(b));
	memcpy(&n, x + d->also, sizeof(n));
	assert(memcmp(x + d->also, y + d->also, sizeof(n)) == 0);
	for (size_t i = 0; i < n; i++) {
		if (d->type == FIELD_LIST)
			same_struct(d->shape, a + i * d->shape->size, b + i * d->shape->size);
		else if (d->type == FIELD_TEXTS)
			assert(str_eq(((const struct str *)(const void *)a)[i],
			    ((const struct str *)(const void *)b)[i]));
		else
			assert(((const day_t *)(const void *)a)[i] ==
			       ((const day_t *)(const void *)b)[i]);
	}
}

static void
same_field(const struct field *d, const char *x, const char *y)
{
	static const size_t sizes[] = { [FIELD_PRESENT] = sizeof(bool),
		[FIELD_BOOL] = sizeof(bool),
		[FIELD_DAY] = sizeof(day_t),
		[FIELD_INSTANT] = sizeof(instant_t),
		[FIELD_MINUTE] = sizeof(int),
		[FIELD_AMOUNT] = sizeof(money_t),
		[FIELD_WORD] = sizeof(int),
		[FIELD_WEEKDAYS] = 1,
		[FIELD_LIST] = 0 };

	if (d->type == FIELD_TEXT || d->type == FIELD_TRUTH)
		assert(str_eq(*(const struct str *)(const void *)(x + d->at),
		    *(const struct str *)(const void *)(y + d->at)));
	else if (d->type == FIELD_OBJECT)
		same_struct(d->shape, x + d->at, y + d->at);
	else if (d->type == FIELD_LIST || d->type == FIELD_TEXTS || d->type == FIELD_DAYS)
		same_list(d, x, y);
	else
		assert(memcmp(x + d->at, y + d->at, sizes[d->type]) == 0);
	if (d->type == FIELD_INSTANT || d->type == FIELD_AMOUNT || d->type == FIELD_WEEKDAYS ||
	    (d->type == FIELD_OBJECT && d->also != SIZE_MAX))
		assert(x[d->also] == y[d->also]);
	if (d->marks != 0)
		assert(x[d->marks] == y[d->marks]);
}

static void
same_struct(const struct shape *s, const char *x, const char *y)
{
	for (size_t i = 0; i < s->n; i++)
		same_field(&s->fields[i], x, y);
}

/* What the straight way takes, the exact way takes, too, and for the same. */
static void
compare_ways(struct str text, const struct shape *s, struct arena *a)
{
	char *straight = arena_alloc(a, s->size), *tree = arena_alloc(a, s->size);
	enum souk_err r;

	assert(straight != NULL && tree != NULL);
	shape_set_absent(s, straight);
	if (!shape_read_straight(text, LISTING_ITEMS_MAX, s, a, straight))
		return;
	r = shape_read_by_tree(text, LISTING_ITEMS_MAX, s, a, tree, NULL);
	assert(r == SOUK_OK);
	same_struct(s, straight, tree);
}

static void
check_findings(const struct findings *f)
{
	struct buf b = { 0 };
	struct jw w;

	for (size_t i = 0; i < f->n; i++) {
		json_t *v = NULL;

		assert(f->v[i].pointer.n > 0 && f->v[i].pointer.p[0] == '/');
		assert(f->v[i].message.n > 0 && f->v[i].hint[0] != '\0');
		assert(f->v[i].evidence.n <= EVIDENCE_MAX);
		assert(i == 0 || str_compare(f->v[i - 1].pointer, f->v[i].pointer) <= 0);
		buf_clear(&b);
		jw_init(&w, &b);
		finding_json(&w, &f->v[i], STR("f"), STR("l"));
		assert(json_read(buf_str(&b), &v, NULL) == SOUK_OK);
		json_decref(v);
	}
	buf_done(&b);
}

/* What the scanner finds: every place lies in its field's text. NULL when the arena is full. */
static const struct text_hits *
scan_it(const struct listing *l, struct arena *a)
{
	static struct text_engine *engine;
	static struct text_scratch *scratch;
	const struct text_hits *h = NULL;

	if (engine == NULL && (text_engine_new(&engine, NULL) != SOUK_OK ||
				  text_scratch_new(engine, &scratch) != SOUK_OK))
		assert(false);
	if (text_scan(engine, scratch, l, a, &h) != SOUK_OK)
		return NULL;
	for (size_t i = 0; i < h->n_suspicions; i++) {
		const struct suspicion *s = &h->suspicions[i];

		assert(s->field < h->n_fields && s->start <= s->end);
		assert(s->end <= h->fields[s->field].text.n);
	}
	return h;
}

static void
review_it(const struct listing *l, const struct review_context *c, enum edition e, struct arena *a)
{
	struct review_input in = { .listing = l, .context = c, .text = scan_it(l, a) };
	struct review_options o = { .edition = e };
	struct findings one, two;

	findings_init(&one, a);
	findings_init(&two, a);
	if (review_run(&in, &o, &one) != SOUK_OK || review_run(&in, &o, &two) != SOUK_OK)
		return; /* the arena is full */
	assert(one.n == two.n);
	check_findings(&one);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str text = { (const char *)data, n };
	struct arena *a = arena_new(LISTING_ARENA(n) + 2 * TEXT_ARENA(n) + 4 * FINDINGS_ARENA);
	struct review_context context;
	struct fail f = { 0 };
	struct listing l;
	struct waivers w;
	enum souk_err r;

	assert(a != NULL);
	r = review_context_read(str_c(context_text), a, &context, NULL);
	assert(r == SOUK_OK);
	compare_ways(text, &listing_shape, a);
	r = listing_read(text, a, &l, &f);
	if (r == SOUK_OK) {
		review_it(&l, &context, EDITION_G21, a);
		review_it(&l, NULL, EDITION_G22, a);
	} else {
		assert(r == SOUK_E_INVALID && f.n > 0);
	}
	for (size_t i = 0; i < f.n; i++)
		assert(f.entry[i].what[0] != '\0' && f.entry[i].fix[0] != '\0');
	r = review_context_read(text, a, &context, NULL);
	assert(r != SOUK_E_INTERNAL);
	r = waivers_read(text, a, &w, NULL);
	assert(r != SOUK_E_INTERNAL);
	arena_free(a);
	return 0;
}
