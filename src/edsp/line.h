/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What commissions are computed from: a transaction's product and end user in an invoice month, as
 * sales_compensation_billed_revenue has it, with what was paid out of it. Amounts are signed from
 * the seller's view (revenue +, fee -, refund -, fee refund +); texts are borrowed.
 */
#ifndef SOUK_EDSP_LINE_H
#define SOUK_EDSP_LINE_H

#include "base/clock.h"
#include "base/money.h"
#include "edsp/plan.h"

/* fee: the operator's, and what the seller passes on to a manufacturer (cost of goods). */
struct line_amounts {
	money_t gross, fee, refund, fee_refund, credit, fee_credit;
};

struct line_payout {
	instant_t date;
	struct line_amounts amounts; /* what was paid, signs as when billed */
};

struct commission_line {
	struct str transaction;
	struct str payer_number, payer_id; /* the account's 12 digits; its opaque id */
	struct str country, state, city, postal_code, email_domain, company;
	struct str product_id, product_code, product_title, offer_id;
	struct str end_user, end_user_number;
	struct str currency;
	instant_t invoice_date;
	enum revenue_kind kind;     /* a plan's products may say otherwise */
	struct line_amounts billed; /* a charge that was forgiven later: negative gross */
	const struct line_payout *payouts;
	size_t n_payouts;
};

#endif
