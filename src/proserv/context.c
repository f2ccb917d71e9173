/* SPDX-License-Identifier: Apache-2.0 */
/* What the marketplace knows, for a review; see review.h. */
#include "proserv/review.h"
#include "proserv/shape.h"
#include "proserv/title.h"

#include <stdlib.h>

#define CONTEXT_BYTES_MAX ((size_t)256 << 20)
#define CONTEXT_ITEMS_MAX 2000000

static const char *const visibility_words[] = { "Draft", "Limited", "Public", "Restricted", NULL };

static const struct field product_fields[] = {
	{ "id", FIELD_TEXT, offsetof(struct context_product, id), 0, NULL, NULL, 0 },
	{ "title", FIELD_TEXT, offsetof(struct context_product, title), 0, NULL, NULL, 0 },
	{ "maker", FIELD_TEXT, offsetof(struct context_product, maker), 0, NULL, NULL, 0 },
	{ "visibility", FIELD_WORD, offsetof(struct context_product, visibility), 0,
	    visibility_words, NULL, 0 },
};
static const struct shape product_shape = SHAPE(product_fields, struct context_product);

static const struct field title_fields[] = {
	{ "listing", FIELD_TEXT, offsetof(struct context_title, listing), 0, NULL, NULL, 0 },
	{ "title", FIELD_TEXT, offsetof(struct context_title, title), 0, NULL, NULL, 0 },
};
static const struct shape title_shape = SHAPE(title_fields, struct context_title);

static const struct field logo_fields[] = {
	{ "listing", FIELD_TEXT, offsetof(struct context_logo, listing), 0, NULL, NULL, 0 },
	{ "seller", FIELD_TEXT, offsetof(struct context_logo, seller), 0, NULL, NULL, 0 },
	{ "hash", FIELD_TEXT, offsetof(struct context_logo, hash), 0, NULL, NULL, 0 },
};
static const struct shape logo_shape = SHAPE(logo_fields, struct context_logo);

#define IN(member) offsetof(struct review_context, member)
static const struct field context_fields[] = {
	{ "as_of", FIELD_INSTANT, IN(as_of), IN(has_as_of), NULL, NULL, 0 },
	{ "data_use_terms_current_version", FIELD_TEXT, IN(data_use_terms_version), 0, NULL, NULL,
	    0 },
	{ "known_categories", FIELD_TEXTS, IN(categories.v), IN(categories.n), NULL, NULL,
	    IN(has_categories) },
	{ "products", FIELD_LIST, IN(products), IN(n_products), NULL, &product_shape,
	    IN(has_products) },
	{ "catalogue_titles", FIELD_LIST, IN(titles), IN(n_titles), NULL, &title_shape,
	    IN(has_titles) },
	{ "logos", FIELD_LIST, IN(logo_texts), IN(n_logo_texts), NULL, &logo_shape, 0 },
};
static const struct shape context_shape = SHAPE(context_fields, struct review_context);

static int
compare_products(const void *a, const void *b)
{
	return str_compare(
	    ((const struct context_product *)a)->id, ((const struct context_product *)b)->id);
}

static int
compare_keys(const void *a, const void *b)
{
	const struct context_key *x = a, *y = b;
	int c = str_compare(x->key, y->key);

	return c != 0 ? c : (x->title > y->title) - (x->title < y->title);
}

enum souk_err
review_context_order(struct review_context *c, struct arena *a)
{
	if (c->n_products > 1)
		qsort(c->products, c->n_products, sizeof(*c->products), compare_products);
	c->n_keys = 0;
	c->keys = arena_array(a, c->n_titles * TITLE_KEYS + 1, sizeof(*c->keys));
	if (c->keys == NULL)
		return SOUK_E_NOMEM;
	for (size_t i = 0; i < c->n_titles; i++) {
		struct str key[TITLE_KEYS];
		size_t n = 0;
		enum souk_err err = title_keys(c->titles[i].title, a, key, &n);

		if (err != SOUK_OK)
			return err;
		for (size_t k = 0; k < n; k++)
			c->keys[c->n_keys++] = (struct context_key){ key[k], i };
	}
	if (c->n_keys > 1)
		qsort(c->keys, c->n_keys, sizeof(*c->keys), compare_keys);
	return SOUK_OK;
}

static enum souk_err
read_logos(struct review_context *c, struct arena *a, struct fail *f)
{
	enum souk_err err = SOUK_OK;

	c->logos = arena_array(a, c->n_logo_texts + 1, sizeof(*c->logos));
	if (c->logos == NULL)
		return fail_set(f, SOUK_E_NOMEM, "out_of_memory", "No memory for the context.");
	for (size_t i = 0; i < c->n_logo_texts; i++) {
		const struct context_logo *l = &c->logo_texts[i];
		char field[64];

		c->logos[i] = (struct logo_known){ .name = l->listing, .seller = l->seller };
		if (logo_hash_read(l->hash, &c->logos[i].hash))
			continue;
		(void)snprintf(field, sizeof(field), "/logos/%zu/hash", i);
		err = fail_field(f, field, "is no logo's hash",
		    "give 64 hexadecimal digits in lower case, or leave the logo out");
	}
	c->n_logos = c->n_logo_texts;
	return err;
}

enum souk_err
review_context_read(struct str text, struct arena *a, struct review_context *ret, struct fail *f)
{
	struct review_context c;
	enum souk_err err =
	    shape_read(text, CONTEXT_BYTES_MAX, CONTEXT_ITEMS_MAX, &context_shape, a, &c, f);

	if (err == SOUK_OK)
		err = read_logos(&c, a, f);
	if (err == SOUK_OK && (err = review_context_order(&c, a)) != SOUK_OK)
		err = fail_set(f, err, "out_of_memory", "No memory for the context.");
	if (err == SOUK_OK)
		*ret = c;
	return err;
}

const struct context_product *
review_context_product(const struct review_context *c, struct str id)
{
	struct context_product key = { .id = id };

	return c->n_products > 0
		   ? bsearch(&key, c->products, c->n_products, sizeof(key), compare_products)
		   : NULL;
}
