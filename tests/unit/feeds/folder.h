/* SPDX-License-Identifier: Apache-2.0 */
/* A folder of feeds that a test writes. */
#ifndef SOUK_TESTS_FEEDS_FOLDER_H
#define SOUK_TESTS_FEEDS_FOLDER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "feeds/events.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define assert_row(row, condition)                                                                 \
	do {                                                                                       \
		if (!(condition))                                                                  \
			fail_msg("row %zu: %s", (size_t)(row), #condition);                        \
	} while (0)

#define EVENT_HEADER                                                                               \
	"billing_event_id,from_account_id,to_account_id,end_user_account_id,product_id,action,"    \
	"transaction_type,parent_billing_event_id,disbursement_billing_event_id,amount,currency,"  \
	"balance_impacting,invoice_date,payment_due_date,usage_period_start_date,"                 \
	"usage_period_end_date,invoice_id,billing_address_id,transaction_reference_id,"            \
	"bank_trace_id,broker_id,valid_from,insert_date,update_date,delete_date\n"
#define ACCOUNT_HEADER                                                                             \
	"account_id,aws_account_id,encrypted_account_id,mailing_address_id,tax_address_id,"        \
	"tax_registration_number,tax_legal_name,valid_from,insert_date,update_date,delete_date\n"
#define ADDRESS_HEADER                                                                             \
	"address_id,aws_account_id,email_domain,company_name,country,state_or_region,city,"        \
	"postal_code,address_line_1,address_line_2,address_line_3,valid_from,valid_to,"            \
	"insert_date,update_date,delete_date\n"
#define PRODUCT_HEADER                                                                             \
	"product_id,manufacturer_account_id,product_code,title,valid_from,insert_date,"            \
	"update_date,delete_date\n"

/* Setup and teardown of cmocka: *state is the folder's path. */
int folder_make(void **state);
int folder_remove(void **state);
/* Empties it. */
void folder_clear(const char *dir);
/* A file at `path` below it, folders too. */
void folder_write(const char *dir, const char *path, const void *bytes, size_t n);
void folder_text(const char *dir, const char *path, const char *text);
/* Fails the test when it cannot be opened. */
struct feed_source *folder_source(const char *dir);

/* A sink that keeps what it was told as "LINE:COLUMN:what|" texts, and rows apart. */
struct told {
	struct fault_sink sink;
	struct buf text;
	struct buf rows; /* each followed by '|' */
};
/* What a buffer holds, "" for nothing. */
static inline const char *
text_of(const struct buf *b)
{
	return b->p ? b->p : "";
}

void told_init(struct told *t);
void told_done(struct told *t);

#endif
