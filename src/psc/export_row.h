/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One record of the file (specs/psc.md 5): inside psc/ only.
 *
 * Records go into a buffer that the caller made large enough (export_row_room), because
 * a buffer that grows leaves plain text behind in freed memory.
 */
#ifndef SOUK_PSC_EXPORT_ROW_H
#define SOUK_PSC_EXPORT_ROW_H

#include "psc/contact.h"

/* Header variant A (psc 5.1), with its CRLF. */
extern const struct str export_header;

/* "PRODUCT-GUID,PRODUCTCODE," written once for each product. */
struct export_prefix {
	char text[GUID_TEXT_LEN + 4 * PRODUCT_CODE_LEN + 8];
	size_t n;
};
void export_prefix_make(const struct guid *product_id, struct str code, struct export_prefix *ret);

enum export_op { EXPORT_CREATE, EXPORT_UPDATE, EXPORT_DELETE };

struct export_row {
	const struct export_prefix *product;
	struct guid contact_id, subscription_id;
	instant_t subscription_start, operation_time;
	char buyer_id[ACCOUNT_ID_LEN];
	enum export_op op;
};

/* Instants of one day differ in their last 14 characters only; zero-initialised. */
struct export_days {
	struct {
		int64_t day;
		char text[INSTANT_TEXT_LEN + 1];
	} start, operation;
};

/* Bytes that a record of fields with `plain` bytes in all takes at most. */
size_t export_row_room(size_t plain);
/* Appends the record. `c` is not looked at for a DELETE: it carries no personal data (psc 5.2). */
void export_row_write(struct buf *b, struct export_days *days, const struct export_row *r,
    const struct contact_fields *c);

#endif
