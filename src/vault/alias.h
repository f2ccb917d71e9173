/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names for ids that tell nothing and can be taken back to the id by who has the key ring:
 * one block of AES-256 under a key of the domain and the owner. The same for ever (key rotation keeps
 * the derivation keys), different for every owner. No row and no look-up is needed for one.
 */
#ifndef SOUK_VAULT_ALIAS_H
#define SOUK_VAULT_ALIAS_H

#include "vault/vault.h"

#define ALIAS_VALUE_LEN 12 /* bytes of an id, no more and no less */
#define ALIAS_TEXT_LEN 32

void vault_alias(const struct vault *v, const char *domain, struct str owner,
    const char value[static ALIAS_VALUE_LEN], char out[static ALIAS_TEXT_LEN + 1]);
/* False for what no vault_alias of this domain and owner gave; out is then untouched. Ends with a NUL. */
SOUK_MUST bool vault_alias_open(const struct vault *v, const char *domain, struct str owner,
    struct str alias, char out[static ALIAS_VALUE_LEN + 1]);

#endif
