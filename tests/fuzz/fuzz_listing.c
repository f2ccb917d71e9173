/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listing documents: every refusal names its place and a fix; what is accepted is reviewed within bounds, with
 * pointers that resolve in the document or name a member that is missing, and in order.
 */
#include "proserv/review.h"
#include "proserv/waiver.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char *const context_text =
    "{\"as_of\":\"2026-03-02T12:00:00Z\",\"data_use_terms_current_version\":\"2025-11\","
    "\"known_categories\":[\"Training\"],\"products\":[{\"id\":\"prod-lake\",\"visibility\":"
    "\"Public\"}],"
    "\"catalogue_titles\":[{\"listing\":\"a\",\"title\":\"PayPal\"}]}";

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

static void
review_it(const struct listing *l, const struct review_context *c, enum edition e, struct arena *a)
{
	struct review_input in = { .listing = l, .context = c };
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
	struct arena *a = arena_new(LISTING_ARENA(n) + 4 * FINDINGS_ARENA);
	struct review_context context;
	struct fail f = { 0 };
	struct listing l;
	struct waivers w;
	enum souk_err r;

	assert(a != NULL);
	r = review_context_read(str_c(context_text), a, &context, NULL);
	assert(r == SOUK_OK);
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
