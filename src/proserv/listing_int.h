/* SPDX-License-Identifier: Apache-2.0 */
/* The table that listing_read goes by. For listing.c and its tests. */
#ifndef SOUK_PROSERV_LISTING_INT_H
#define SOUK_PROSERV_LISTING_INT_H

#include "proserv/shape.h"

extern const struct shape listing_shape; /* of struct listing */

#endif
