/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policy documents: Version, Statement[] of Sid, Effect, Action (one or list), Resource
 * (one or list); wildcards * and ? ; explicit deny wins; nothing said means no.
 * Unknown members, NotAction, NotResource, Principal and Condition are refused when a
 * document is saved: a rule we would not honour must not look as if we did.
 */
#ifndef SOUK_ACCESS_POLICY_H
#define SOUK_ACCESS_POLICY_H

#include "base/error.h"
#include "base/str.h"

#include <stdbool.h>

struct policy;

/* Fields are named with their place in a request: "policy.Statement[3].Action". */
SOUK_MUST enum souk_err policy_parse(struct str json, struct policy **ret, struct fail *f);
void policy_free(struct policy *p);
enum policy_verdict { POLICY_SILENT, POLICY_ALLOW, POLICY_DENY };
/* Action names compare without case, resources with. */
enum policy_verdict policy_decide(const struct policy *p, struct str action, struct str resource);
/*
 * Does `outer` allow all that `inner` allows? Either NULL: everything is allowed. Says no
 * when it cannot tell: then somebody is refused who need not be, and nobody gains a right.
 */
bool policy_within(const struct policy *inner, const struct policy *outer);
/* '*' any run, '?' one byte. */
bool policy_match(struct str pattern, struct str text, bool nocase);

#endif
