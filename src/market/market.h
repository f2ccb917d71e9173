/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The facts all programs share, one header per noun: accounts, users, products, offers,
 * subscriptions, enrolments.
 *
 * Each noun has: a struct, _parse (JSON object of the REST API, of an NDJSON line or of
 * a CSV record to a validated struct; every offending member is named), _create, _change
 * (with the revision the caller saw, 0: any), _get, _list, _json.
 *
 * _parse is the only place where a field's form is checked; _create and _change check
 * what needs the database. `base` (NULL: a new one) is for PATCH: the present values,
 * which absent members keep; a member that cannot change may be repeated unchanged.
 * Slices in the structs borrow from the parsed JSON or from the arena named in the call.
 *
 * All take the scope and apply it: what the scope may not see is SOUK_E_NOT_FOUND, like
 * what does not exist. Facts are made and changed by the operator (SOUK_E_DENIED for
 * others, whatever exists), users also by their own account.
 *
 * For import and the demo, a struct given to _create may carry an id and created_at of
 * its own; zero ones are made.
 */
#ifndef SOUK_MARKET_MARKET_H
#define SOUK_MARKET_MARKET_H

#include "market/account.h"
#include "market/enrolment.h"
#include "market/offer.h"
#include "market/product.h"
#include "market/subscription.h"
#include "market/user.h"

#endif
