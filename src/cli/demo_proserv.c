/* SPDX-License-Identifier: Apache-2.0 */
/* See demo_proserv.h. */
#include "cli/demo_proserv.h"

#include "proserv/catalog.h"

#include <string.h>

/* Without what the server knows better (proserv/catalog.h); the title and the associated product are put in. */
static const char document[] =
    "{\"title\":\"%s\",\"sku\":\"MW-01\","
    "\"short_description\":\"We move a data warehouse to the Columnar Warehouse Appliance and "
    "compare "
    "every table.\","
    "\"long_description\":\"## What you gain\\n\\nYour reports run on the appliance within eight "
    "weeks, "
    "and every figure is compared before you switch over.\\n\\n## Key features\\n\\n- inventory of "
    "tables, jobs and reports\\n- conversion of jobs, reviewed by your team\\n- comparison of "
    "every "
    "table, by row and by sum\\n\\n## How it works\\n\\nAn engineer works in your account through "
    "a role "
    "that you create and can withdraw at any time. Additional infrastructure charges are the "
    "responsibility of the customer.\\n\\nBefore purchase, write to us with questions about scope. "
    "After "
    "purchase, support answers within one business day.\","
    "\"support_description\":\"Support by e-mail and phone, on business days from 9 to 17 h "
    "Pacific "
    "Time, first response within four hours. It covers use, troubleshooting and refunds.\","
    "\"logo\":{\"url\":\"https://meridian-logos.s3.us-east-1.amazonaws.com/workshop.png\"},"
    "\"highlights\":[\"Every table compared before the switch\",\"Fixed price per source system\"],"
    "\"categories\":[\"Implementation\"],\"keywords\":[\"migration\",\"warehouse\"],"
    "\"associated_products\":[{\"id\":\"%s\"}],"
    "\"resources\":[{\"name\":\"Handbook\",\"url\":\"https://seller.example/workshop/handbook\"}],"
    "\"dimensions\":[{\"key\":\"assess\",\"name\":\"Assessment of one system\",\"description\":"
    "\"Inventory, plan and fixed price for the move of one source system.\"},"
    "{\"key\":\"move\",\"name\":\"Move of one system\",\"description\":"
    "\"Conversion, comparison and switch of one source system.\"}],"
    "\"needs_resources\":false,\"deploys_agent\":false,"
    "\"landing_page\":{\"contacts\":[{\"kind\":\"email\",\"value\":\"workshop@seller.example\"}]},"
    "\"terms\":{\"kind\":\"url\",\"value\":\"https://seller.example/workshop/terms\"}}";

enum souk_err
demo_listing(
    struct db_tx *tx, const struct product *of, const struct product *with, struct arena *mem)
{
	struct listing_row l = { .product_id = of->id,
		.data_use = STR("{\"accepted\":true,\"date\":\"2025-01-01\",\"version\":\"1\"}"),
		.targeting = STR("[]"),
		.revision = 1,
		.edition = EDITION_G21,
		.due_at = db_now(tx),
		.created_at = of->created_at,
		.changed_at = of->created_at };
	char associated[ENTITY_ID_MAX];
	char *text;
	enum souk_err r;

	entity_id_write(PRODUCT_PREFIX, &with->id, associated);
	if (!(text = arena_printf(mem, document, of->title.p, associated)))
		return SOUK_E_NOMEM;
	memcpy(l.seller_id, of->seller_id, sizeof(l.seller_id));
	l.document = str_c(text);
	r = listing_set_title(&l, of->title, mem);
	return r == SOUK_OK ? listing_row_insert(tx, &l) : r;
}
