/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a product's usage is metered in, as the product lists it: a JSON array text in one spelling,
 * [{"key":"users","type":"metered","name":"Users","description":"...","unit":"Users"}, ...].
 *
 * A product that lists nothing takes any dimension: most are sold by the hour of an instance type.
 */
#ifndef SOUK_MARKET_DIMENSION_H
#define SOUK_MARKET_DIMENSION_H

#include "base/arena.h"
#include "market/check.h"

#define DIMENSIONS_MAX 200 /* of a product */
#define DIMENSION_KEY_MAX 255
#define DIMENSION_UNIT_MAX 64

/*
 * The member's list, in the arena; "" for null and for an empty one. An element is an object with key
 * (visible ASCII, each once), and maybe name (else the key), description, type (metered, else entitled) and
 * unit (else Units), or the key alone.
 */
void check_dimensions(
    struct check *c, const struct json_member *m, struct arena *mem, struct str *io);

/* May usage be told in it? Of a product that lists any, only in those that are metered. */
SOUK_MUST bool dimension_metered(struct str dimensions, struct str key);
/* May it have a price? Any that is listed, whatever its type. */
SOUK_MUST bool dimension_listed(struct str dimensions, struct str key);

#endif
