/* SPDX-License-Identifier: Apache-2.0 */
/* The made-up people, places and products of `souk demo`. Nobody lives here: example domains, 555 numbers. */
#ifndef SOUK_CLI_DEMO_DATA_H
#define SOUK_CLI_DEMO_DATA_H

#include <stddef.h>

struct demo_place {
	const char *country, *city, *region, *postal_code, *calling_code;
	const char *company;
	const char *given[3], *surname[3], *title;
};
extern const struct demo_place demo_places[];
extern const size_t demo_n_places;

struct demo_product {
	const char *title, *type, *pricing /* JSON */, *kind /* of its subscriptions */;
	int psc;                       /* enabled for Product Support Connection */
	const char *dimension, *price; /* of usage, in USD; NULL: none is metered */
	const char *dimensions; /* JSON, as market/dimension.h spells it; NULL: none is listed */
};
extern const struct demo_product demo_products[];
extern const size_t demo_n_products;

extern const char *const demo_sellers[];
extern const size_t demo_n_sellers;

extern const char demo_plan[]; /* JSON: commissions of the first seller (docs/edsp.md) */

#endif
