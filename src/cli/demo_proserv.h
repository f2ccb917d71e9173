/* SPDX-License-Identifier: Apache-2.0 */
/* What `souk demo` has of professional services: the listing of one product. */
#ifndef SOUK_CLI_DEMO_PROSERV_H
#define SOUK_CLI_DEMO_PROSERV_H

#include "market/product.h"

/*
 * A listing of the services product `of`, which supports the product `with`; never reviewed, and due, so that the server
 * reviews it when it starts. Nothing blocks; people are asked. SOUK_E_NOMEM, or what the store fails by.
 */
SOUK_MUST enum souk_err demo_listing(
    struct db_tx *tx, const struct product *of, const struct product *with, struct arena *mem);

#endif
