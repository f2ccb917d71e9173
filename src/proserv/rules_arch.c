/* SPDX-License-Identifier: Apache-2.0 */
/* Architecture: related products, and what is set up in the customer's account (PS-ARCH). */
#include "proserv/iam_policy.h"
#include "proserv/rules_int.h"

#define RELATED_MAX 4

/* Among the first few only: a longer list is at fault already. */
static bool
is_repeated(const struct texts *t, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (str_eq(t->v[k], t->v[i]))
			return true;
	return false;
}

static void
check_related(struct review *r, size_t i)
{
	const struct texts *t = &r->listing->associated_products;
	const struct context_product *p;
	const char *pointer = at(r, "/associated_products/%zu", i);

	if (utf8_is_blank(t->v[i]))
		finding_add(r, pointer, NO_EVIDENCE, "A related product has no id");
	else if (str_eq(t->v[i], r->listing->id))
		finding_add(r, pointer, t->v[i], "The listing is related to itself");
	else if (is_repeated(t, i))
		finding_add(r, pointer, t->v[i], "This related product is named twice");
	else if (!r->context->has_products)
		return;
	else if ((p = review_context_product(r->context, t->v[i])) == NULL)
		finding_add(r, pointer, t->v[i], "There is no product of this id");
	else if (p->visibility != VISIBILITY_PUBLIC)
		finding_add(r, pointer, t->v[i], "This related product is not public");
}

void
check_related_products(struct review *r)
{
	const struct listing *l = r->listing;
	size_t n = l->associated_products.n;
	bool by_service = r->edition == EDITION_G22 && l->aws_services.n > 0;

	if (n > RELATED_MAX || (n == 0 && !by_service))
		finding_add(r, "/associated_products", NO_EVIDENCE,
		    "There are %zu related products, where %s", n,
		    r->edition == EDITION_G22 ? "an AWS service or one to four products are needed"
					      : "one to four are needed");
	if (n > 0 && !r->context->has_products)
		not_checked(r, "/associated_products",
		    "whether these products are public, as the context has no products");
	for (size_t i = 0; i < n && i <= RELATED_MAX; i++)
		check_related(r, i);
}

/* Policy statements are JSON; prose about them is not enough. */
static bool
has_doc(const struct listing *l, enum doc_kind kind)
{
	for (size_t i = 0; i < l->n_docs; i++)
		if (l->docs[i].kind == kind &&
		    !utf8_is_blank(kind == DOC_IAM_POLICY ? l->docs[i].policy : l->docs[i].text))
			return true;
	return false;
}

void
check_secure_access(struct review *r)
{
	const struct listing *l = r->listing;

	if (l->needs_resources && !has_doc(l, DOC_IAM_POLICY) && !has_doc(l, DOC_ROLE_USAGE))
		finding_add(r, "/docs", NO_EVIDENCE,
		    "Resources are needed in the customer's account, and neither a policy nor a "
		    "role "
		    "says how access is given");
}

static void
check_policy(struct review *r, size_t i)
{
	struct str policy = r->listing->docs[i].policy;
	const char *pointer = at(r, "/docs/%zu/policy", i);
	bool all = false;
	enum iam_fault f = iam_policy_check(policy, &all);

	if (f != IAM_OK)
		finding_add(r, pointer, NO_EVIDENCE, "The policy %s", iam_fault_what(f));
	else if (all)
		finding_add_as(r, SEVERITY_WARNING, pointer, STR("*:*"),
		    "The policy allows every action; grant the ones that are needed");
}

void
check_resource_docs(struct review *r)
{
	static const struct {
		enum doc_kind kind;
		const char *what;
	} items[] = {
		{ DOC_PROVISIONED_SERVICES, "the AWS services that are provisioned" },
		{ DOC_IAM_POLICY, "the IAM policy statements" },
		{ DOC_ROLE_USAGE, "how the role or user is deployed and used" },
	};
	const struct listing *l = r->listing;

	for (size_t i = 0; l->needs_resources && i < sizeof(items) / sizeof(items[0]); i++)
		if (!has_doc(l, items[i].kind))
			finding_add(r, "/docs", NO_EVIDENCE, "The documentation does not tell %s",
			    items[i].what);
	for (size_t i = 0; i < l->n_docs; i++)
		if (!utf8_is_blank(l->docs[i].policy))
			check_policy(r, i);
}

void
check_agent_docs(struct review *r)
{
	if (r->listing->deploys_agent && !has_doc(r->listing, DOC_AGENT_INSTRUCTIONS))
		finding_add(r, "/docs", NO_EVIDENCE,
		    "An agent is deployed, and nothing says how in the customer's account");
}
