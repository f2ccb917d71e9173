/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signs SNS messages: RSA-2048, PKCS#1 v1.5 with SHA-256 (SignatureVersion 2).
 *
 * The key is made once, sealed by the vault and kept in the database with its
 * self-signed certificate, so that receivers who pinned the certificate need not
 * change anything when the server restarts or moves.
 */
#ifndef SOUK_DELIVERY_SIGNER_H
#define SOUK_DELIVERY_SIGNER_H

#include "store/db.h"
#include "vault/vault.h"

struct signer;

/* Loads key and certificate; makes them (subject sns.REGION.souk) when there are none. */
SOUK_MUST enum souk_err signer_open(
    struct db *db, struct vault *v, const char *region, struct signer **ret, struct fail *f);
void signer_close(struct signer *s); /* accepts NULL */
const char *signer_cert_pem(const struct signer *s);
const char *signer_cert_name(const struct signer *s); /* changes with the certificate */
/* Appends the signature in base64. Thread-safe. */
SOUK_MUST enum souk_err signer_sign(struct signer *s, struct str text, struct buf *ret);
SOUK_MUST enum souk_err signer_rewrap(struct db_tx *tx, struct vault *v, bool *ret_changed);

#endif
