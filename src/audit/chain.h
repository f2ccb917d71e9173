/* SPDX-License-Identifier: Apache-2.0 */
/* What the chain's MACs cover: inside audit/ only. */
#ifndef SOUK_AUDIT_CHAIN_H
#define SOUK_AUDIT_CHAIN_H

#include "audit/audit_store.h"
#include "vault/vault.h"

/*
 * An entry's fields in one unambiguous text: numbers in 8 bytes, every text behind its
 * length. Starts empty, is used again from entry to entry, ends with buf_done.
 */
void chain_text(const struct audit_row *r, struct buf *ret);
/*
 * The MAC the entry of `text` has as number `seq` after an entry with MAC `prev`.
 * SOUK_E_NOMEM when the text could not be made.
 */
SOUK_MUST enum souk_err chain_mac(const struct vault *v, struct buf *text, int64_t seq,
    const uint8_t prev[AUDIT_MAC_LEN], uint8_t ret[AUDIT_MAC_LEN]);
void chain_seal(const struct vault *v, const struct audit_head *h, uint8_t ret[AUDIT_MAC_LEN]);
/*
 * Must there be entries? In an installation that was made there are: its maker wrote the first
 * ones before it kept the ring's fingerprint, without which nobody opens the database.
 */
SOUK_MUST enum souk_err chain_was_begun(struct db_tx *tx, bool *ret);
bool chain_seal_fits(const struct vault *v, const struct audit_head *h);

#endif
