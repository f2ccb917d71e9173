/* SPDX-License-Identifier: Apache-2.0 */
/* Product set-up and customer information: the deterministic part of PS-SETUP and PS-CUST. */
#include "proserv/rules_int.h"

void
check_paid_seller(struct review *r)
{
	if (r->listing->seller.account_status != STATUS_PAID)
		finding_add(r, "/seller/account_status", NO_EVIDENCE,
		    "The seller's account is not that of a registered paid seller");
}

/* One spelling of the five is singular in the marketplace's own pages. */
static bool
is_service_category(struct str category)
{
	static const char *const names[] = { "Assessments", "Assessment", "Implementation",
		"Managed services", "Premium support", "Training" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (str_eq_nocase(str_trim(category), str_c(names[i])))
			return true;
	return false;
}

void
check_service_category(struct review *r)
{
	for (size_t i = 0; i < r->listing->categories.n; i++)
		if (is_service_category(r->listing->categories.v[i]))
			return;
	finding_add(
	    r, "/categories", NO_EVIDENCE, "No category of professional services is chosen");
}

static bool
is_known_category(const struct review_context *c, struct str category)
{
	for (size_t i = 0; i < c->categories.n; i++)
		if (str_eq_nocase(str_trim(category), str_trim(c->categories.v[i])))
			return true;
	return is_service_category(category);
}

void
check_known_categories(struct review *r)
{
	const struct texts *t = &r->listing->categories;

	if (t->n > 0 && !r->context->has_categories) {
		not_checked(r, "/categories", "the context has no list of known categories");
		return;
	}
	for (size_t i = 0; i < t->n; i++)
		if (!is_known_category(r->context, t->v[i]))
			finding_add(r, at(r, "/categories/%zu", i), t->v[i],
			    "This is no category of the marketplace");
}

void
check_data_use_terms(struct review *r)
{
	const struct listing_seller *s = &r->listing->seller;
	const struct review_context *c = r->context;

	if (!s->data_use_terms.accepted) {
		finding_add(r, "/seller/data_use_terms/accepted", NO_EVIDENCE,
		    "The terms on the use of customer data are not accepted");
		return;
	}
	if (s->data_use_terms.date == DAY_NONE)
		finding_add(r, "/seller/data_use_terms/date", NO_EVIDENCE,
		    "The acceptance of the data-use terms has no date");
	else if (c->has_as_of && s->data_use_terms.date > day_of(c->as_of))
		finding_add(r, "/seller/data_use_terms/date", NO_EVIDENCE,
		    "The data-use terms are accepted at a day that is yet to come");
	if (s->data_use_terms.version.n == 0)
		finding_add(r, "/seller/data_use_terms/version", NO_EVIDENCE,
		    "The acceptance does not say of which version of the data-use terms");
	else if (c->data_use_terms_version.n == 0)
		not_checked(r, "/seller/data_use_terms/version",
		    "the context does not name the current version of the data-use terms");
	else if (!str_eq(s->data_use_terms.version, c->data_use_terms_version))
		finding_add(r, "/seller/data_use_terms/version", s->data_use_terms.version,
		    "The accepted version of the data-use terms is not the current one");
}
