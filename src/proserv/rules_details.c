/* SPDX-License-Identifier: Apache-2.0 */
/* Product details: what is there, how many, how long (PS-DET). */
#include "proserv/links.h"
#include "proserv/rules_int.h"
#include "proserv/title.h"

#include <stdlib.h>

#define SHORT_MAX 1000    /* code points */
#define SHORT_CONCISE 350 /* code points */
#define HIGHLIGHTS_MAX 3
#define CATEGORIES_MAX 3
#define KEYWORDS_MAX 3
#define KEYWORDS_LENGTH 250 /* code points, joined by "," */
#define RESOURCES_MAX 3
#define DIMENSIONS_MAX 24
#define SKU_FINDABLE 3 /* bytes: a shorter one is in every text */

void
check_title(struct review *r)
{
	if (utf8_is_blank(r->listing->title))
		finding_add(r, "/title", NO_EVIDENCE, "The title is missing");
}

/* The first of the ordered keys that is not before `key`. */
static size_t
first_key(const struct review_context *c, struct str key)
{
	size_t low = 0, high = c->n_keys;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (str_compare(c->keys[middle].key, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Another listing with this key, NULL: none. */
static const struct context_title *
other_of_key(const struct review *r, struct str key)
{
	const struct review_context *c = r->context;

	for (size_t i = first_key(c, key); i < c->n_keys && str_eq(c->keys[i].key, key); i++) {
		const struct context_title *t = &c->titles[c->keys[i].title];

		if (r->listing->id.n == 0 || !str_eq(t->listing, r->listing->id))
			return t;
	}
	return NULL;
}

void
check_title_unique(struct review *r)
{
	const struct context_title *other = NULL;
	struct str keys[TITLE_KEYS];
	size_t n = 0;

	if (utf8_is_blank(r->listing->title))
		return;
	if (!r->context->has_titles) {
		not_checked(r, "/title", "whether it is unique, as the context has no titles");
		return;
	}
	if (title_keys(r->listing->title, r->out->a, keys, &n) != SOUK_OK) {
		r->out->failed = true;
		return;
	}
	for (size_t i = 0; i < n && other == NULL; i++)
		other = other_of_key(r, keys[i]);
	if (other != NULL)
		finding_add(r, "/title", other->listing,
		    "The title is that of another listing, or looks like it");
}

static bool
is_word_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (unsigned char)c >= 0x80;
}

static bool
shows(struct str text, struct str sku)
{
	const char *end = text.p + text.n;

	for (const char *p = text.p; text.n > 0 && (p = memmem(p, (size_t)(end - p), sku.p, sku.n));
	     p++)
		if ((p == text.p || !is_word_byte(p[-1])) &&
		    (p + sku.n == end || !is_word_byte(p[sku.n])))
			return true;
	return false;
}

static void
sku_shown(struct review *r, const char *pointer)
{
	finding_add(r, pointer, r->listing->sku,
	    "The SKU is never shown to buyers, but stands in this text");
}

void
check_sku_hidden(struct review *r)
{
	const struct listing *l = r->listing;
	struct str sku = str_trim(l->sku);

	if (sku.n < SKU_FINDABLE)
		return;
	if (shows(l->title, sku))
		sku_shown(r, "/title");
	if (shows(l->short_description, sku))
		sku_shown(r, "/short_description");
	if (shows(l->long_description, sku))
		sku_shown(r, "/long_description");
	if (shows(l->support_description, sku))
		sku_shown(r, "/support_description");
	for (size_t i = 0; i < l->highlights.n; i++)
		if (shows(l->highlights.v[i], sku))
			sku_shown(r, at(r, "/highlights/%zu", i));
	for (size_t i = 0; i < l->keywords.n; i++)
		if (shows(l->keywords.v[i], sku))
			sku_shown(r, at(r, "/keywords/%zu", i));
	for (size_t i = 0; i < l->n_dimensions; i++) {
		if (shows(l->dimensions[i].name, sku))
			sku_shown(r, at(r, "/dimensions/%zu/name", i));
		if (shows(l->dimensions[i].description, sku))
			sku_shown(r, at(r, "/dimensions/%zu/description", i));
	}
}

void
check_short_description(struct review *r)
{
	struct str s = r->listing->short_description;
	size_t n = utf8_length(s);

	if (utf8_is_blank(s))
		finding_add(
		    r, "/short_description", NO_EVIDENCE, "The short description is missing");
	else if (n > SHORT_MAX)
		finding_add(r, "/short_description", NO_EVIDENCE,
		    "The short description has %zu characters, at most %d are allowed", n,
		    SHORT_MAX);
	else if (n > SHORT_CONCISE)
		finding_add_as(r, SEVERITY_WARNING, "/short_description", NO_EVIDENCE,
		    "The short description has %zu characters; above %d it is not concise", n,
		    SHORT_CONCISE);
}

void
check_logo_url(struct review *r)
{
	struct str url = str_trim(r->listing->logo.url);
	struct link link;

	if (url.n == 0)
		finding_add(r, "/logo/url", NO_EVIDENCE, "The logo's address is missing");
	else if (!link_parse(url, &link))
		finding_add(r, "/logo/url", url, "The logo's address is no https link");
	else if (!link_is_s3(&link))
		finding_add(r, "/logo/url", url, "The logo's address is not that of an S3 object");
	else if (link_is_signed(&link))
		finding_add(r, "/logo/url", NO_EVIDENCE,
		    "The logo's address is signed, so the object is not public");
	else if (r->logo_unreadable != NULL)
		finding_add(r, "/logo/url", url, "The logo is not publicly readable: %s",
		    r->logo_unreadable);
}

static void
check_count(
    struct review *r, const char *pointer, size_t n, size_t least, size_t most, const char *what)
{
	if (n < least || n > most)
		finding_add(r, pointer, NO_EVIDENCE,
		    "There are %zu %s, where %zu to %zu are needed", n, what, least, most);
}

static void
check_blank(struct review *r, const char *list, const struct texts *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (utf8_is_blank(t->v[i]))
			finding_add(r, at(r, "/%s/%zu", list, i), NO_EVIDENCE, "This is empty");
}

void
check_highlights(struct review *r)
{
	check_count(r, "/highlights", r->listing->highlights.n, 1, HIGHLIGHTS_MAX, "highlights");
	check_blank(r, "highlights", &r->listing->highlights);
}

void
check_categories(struct review *r)
{
	check_count(r, "/categories", r->listing->categories.n, 1, CATEGORIES_MAX, "categories");
	check_blank(r, "categories", &r->listing->categories);
}

/* A comma within a keyword makes two of it once the list is joined. */
void
check_keywords(struct review *r)
{
	const struct texts *t = &r->listing->keywords;
	size_t n = t->n, length = t->n > 0 ? t->n - 1 : 0;

	for (size_t i = 0; i < t->n; i++) {
		length += utf8_length(t->v[i]);
		for (size_t k = 0; k < t->v[i].n; k++)
			n += t->v[i].p[k] == ',';
	}
	if (n > KEYWORDS_MAX)
		finding_add(r, "/keywords", NO_EVIDENCE,
		    "There are %zu keywords, at most %d are allowed", n, KEYWORDS_MAX);
	if (length > KEYWORDS_LENGTH)
		finding_add(r, "/keywords", NO_EVIDENCE,
		    "The keywords make a list of %zu characters, at most %d are allowed", length,
		    KEYWORDS_LENGTH);
}

/* Later pages mark the member as optional and still say to include at least one. */
void
check_associated(struct review *r)
{
	if (r->listing->associated_products.n == 0)
		finding_add_as(r, r->edition == EDITION_G21 ? SEVERITY_ERROR : SEVERITY_WARNING,
		    "/associated_products", NO_EVIDENCE, "No associated product is given");
}

void
check_resources(struct review *r)
{
	const struct listing *l = r->listing;

	check_count(r, "/resources", l->n_resources, 0, RESOURCES_MAX, "resources");
	for (size_t i = 0; i < l->n_resources; i++) {
		const struct listing_resource *x = &l->resources[i];

		if (utf8_is_blank(x->name))
			finding_add(r, at(r, "/resources/%zu/name", i), NO_EVIDENCE,
			    "The resource has no name");
		if (utf8_is_blank(x->url))
			finding_add(r, at(r, "/resources/%zu/url", i), NO_EVIDENCE,
			    "The resource has no address");
		else if (!link_parse(str_trim(x->url), NULL))
			finding_add(r, at(r, "/resources/%zu/url", i), x->url,
			    "The resource's address is no https link");
	}
}

void
check_support(struct review *r)
{
	if (utf8_is_blank(r->listing->support_description))
		finding_add(r, "/support_description", NO_EVIDENCE,
		    "The description of support is missing");
}

/* Within the first ones: a longer list is at fault already. */
static bool
is_taken(const struct listing *l, size_t i, bool by_key)
{
	struct str mine = by_key ? l->dimensions[i].key : l->dimensions[i].name;

	for (size_t k = 0; k < i; k++) {
		struct str other = by_key ? l->dimensions[k].key : l->dimensions[k].name;

		if (by_key ? str_eq(mine, other) : str_eq_nocase(str_trim(mine), str_trim(other)))
			return true;
	}
	return false;
}

static void
check_dimension(struct review *r, size_t i)
{
	const struct listing *l = r->listing;
	const struct listing_dimension *d = &l->dimensions[i];

	if (utf8_is_blank(d->key))
		finding_add(
		    r, at(r, "/dimensions/%zu/key", i), NO_EVIDENCE, "The dimension has no key");
	else if (is_taken(l, i, true))
		finding_add(r, at(r, "/dimensions/%zu/key", i), d->key,
		    "An earlier dimension has the same key");
	if (utf8_is_blank(d->name))
		finding_add(
		    r, at(r, "/dimensions/%zu/name", i), NO_EVIDENCE, "The dimension has no name");
	else if (is_taken(l, i, false))
		finding_add(r, at(r, "/dimensions/%zu/name", i), d->name,
		    "An earlier dimension has the same name");
	if (utf8_is_blank(d->description))
		finding_add(r, at(r, "/dimensions/%zu/description", i), NO_EVIDENCE,
		    "The dimension has no description");
}

void
check_dimension_list(struct review *r)
{
	const struct listing *l = r->listing;

	check_count(r, "/dimensions", l->n_dimensions, 1, DIMENSIONS_MAX, "dimensions");
	for (size_t i = 0; i < l->n_dimensions && i <= DIMENSIONS_MAX; i++)
		check_dimension(r, i);
}

void
check_no_list_price(struct review *r)
{
	for (size_t i = 0; i < r->listing->n_dimensions; i++)
		if (r->listing->dimensions[i].has_price)
			finding_add(r, at(r, "/dimensions/%zu/price", i), NO_EVIDENCE,
			    "The product has a price; prices live in the private offer");
}
