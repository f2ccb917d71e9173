/* SPDX-License-Identifier: Apache-2.0 */
/* Waivers; see waiver.h. */
#include "proserv/waiver.h"

#include "base/utf8.h"
#include "proserv/shape.h"

#include <stdio.h>

#define WAIVERS_BYTES_MAX ((size_t)8 << 20)
#define WAIVERS_MAX 10000

#define TEXT(name, member)                                                                         \
	{                                                                                          \
		name, FIELD_TEXT, offsetof(struct waiver, member), 0, NULL, NULL, 0                \
	}
static const struct field waiver_fields[] = {
	TEXT("rule", rule),
	TEXT("listing", listing),
	TEXT("pointer", pointer),
	TEXT("owner", owner),
	TEXT("reason", reason),
	{ "until", FIELD_DAY, offsetof(struct waiver, until), 0, NULL, NULL, 0 },
};
static const struct shape waiver_shape = SHAPE(waiver_fields, struct waiver);

static enum souk_err
fault(struct fail *f, size_t i, const char *member, const char *what, const char *fix)
{
	char pointer[80];

	(void)snprintf(pointer, sizeof(pointer), "/%zu/%s", i, member);
	return fail_field(f, pointer, what, fix);
}

static enum souk_err
check(const struct waiver *w, size_t i, struct fail *f)
{
	enum souk_err err = SOUK_OK;

	if (rule_find(w->rule) == NULL)
		err = fault(f, i, "rule", "is no rule's id", "write one such as \"PS-DET-13\"");
	if (utf8_is_blank(w->owner))
		err = fault(f, i, "owner", "is missing", "name who answers for it");
	if (utf8_is_blank(w->reason))
		err = fault(f, i, "reason", "is missing", "say why it may pass");
	if (w->until == DAY_NONE)
		err = fault(
		    f, i, "until", "is missing", "give the last day it holds, as \"2026-12-31\"");
	return err;
}

enum souk_err
waivers_read(struct str text, struct arena *a, struct waivers *ret, struct fail *f)
{
	void *v = NULL;
	size_t n = 0;
	enum souk_err err =
	    shape_read_list(text, WAIVERS_BYTES_MAX, WAIVERS_MAX, &waiver_shape, a, &v, &n, f);

	if (err != SOUK_OK)
		return err;
	for (size_t i = 0; i < n; i++) {
		enum souk_err e = check((struct waiver *)v + i, i, f);

		err = e != SOUK_OK ? e : err;
	}
	if (err == SOUK_OK)
		*ret = (struct waivers){ v, n };
	return err;
}

static bool
covers(const struct waiver *w, const struct finding *f, struct str listing_id)
{
	return str_eq_c(w->rule, f->rule->id) &&
	       (w->listing.n == 0 || str_eq(w->listing, listing_id)) &&
	       (w->pointer.n == 0 || str_eq(w->pointer, f->pointer));
}

void
waivers_apply(const struct waivers *w, day_t today, struct str listing_id,
    struct findings *findings, bool *used)
{
	for (size_t k = 0; k < findings->n; k++)
		for (size_t i = 0; i < w->n; i++) {
			struct finding *f = &findings->v[k];

			if (!covers(&w->v[i], f, listing_id))
				continue;
			if (used != NULL)
				used[i] = true;
			if (f->waiver == NULL && today <= w->v[i].until)
				f->waiver = &w->v[i];
		}
}
