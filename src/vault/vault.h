/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sealing personal data: key ring, data keys, erasure, blind indexes.
 *
 * A record is sealed with a data key of its own; the data key is wrapped by the key
 * ring's current master key and stored beside the record. Destroying the wrapped key
 * erases the record, wherever copies of its sealed bytes may be (design 4, invariant 4).
 *
 * Cipher: AES-256-GCM of nettle with random nonces; chosen by measurement (see
 * docs/architecture.md). Every seal binds a context, so that sealed bytes cannot be
 * moved to another record.
 *
 * The ring is a JSON file, mode 0600, or what a command prints: master keys by number,
 * the current one, and two derivation keys (blind index, audit) that rotation keeps.
 *
 * Every function may be called from any thread, except vault_open and vault_close.
 * A context is not secret; two uses of one key need different contexts. Where opening
 * fails, `out` is zeroed: no byte of a forged message leaves.
 */
#ifndef SOUK_VAULT_VAULT_H
#define SOUK_VAULT_VAULT_H

#include "base/config.h"
#include "base/guid.h"
#include "base/str.h"

#define VAULT_KEY_LEN 32
#define VAULT_WRAPPED_LEN 64 /* format 1, ring key number 3, nonce 12, key 32, tag 16 */
#define VAULT_OVERHEAD 28    /* nonce 12, tag 16 */
#define VAULT_BLIND_LEN 16

struct vault;

/* A data key in the open. Ordinary memory: wipe() it as soon as it was used. */
struct data_key {
	uint8_t b[VAULT_KEY_LEN];
};

struct wrapped_key {
	uint8_t b[VAULT_WRAPPED_LEN];
};

/* Makes a new ring file; SOUK_E_CONFLICT when `path` exists. */
SOUK_MUST enum souk_err vault_ring_create(const char *path, struct fail *f);
/*
 * Opens the ring (setting key-ring-command if set, else key-ring-file, else DATA/keyring.json).
 * Missing, readable by others, malformed: says path and fix.
 */
SOUK_MUST enum souk_err vault_open(
    const struct config *c, const char *data_dir, struct vault **ret, struct fail *f);
void vault_close(struct vault *v);
/*
 * A ring's fingerprint (of its blind index key), kept in the database (table meta) as the last
 * step of making an installation: another ring is noticed at start, not at the first unreadable
 * record. souk opens no database without it.
 */
#define VAULT_FINGERPRINT_META "key_ring_fingerprint"
/* In the same table: the highest master key number that a rotation wants every node to have. */
#define VAULT_NEWEST_META "key_ring_newest"
void vault_fingerprint(const struct vault *v, char out[33]);
/*
 * Reads the ring again when its file changed (called once a second by the server; a ring
 * from a command: vault_read_again). A file that is missing, damaged, open to others or
 * another installation's ring fails, on every call until it is mended, and the ring in
 * memory stays. vault_key_unwrap does the same by itself for a number it does not know, and
 * what wraps a key when the last look was half a second ago: a program that only sits there
 * with an old ring (souk import, waiting for its input) must not wrap with a key dropped since.
 */
SOUK_MUST enum souk_err vault_refresh(struct vault *v, struct fail *f);
/*
 * The same also for a ring from a command, which is run again, every five seconds at most (sooner: SOUK_OK,
 * nothing done). For when somebody has a key that this ring lacks; vault_key_unwrap does it by itself.
 */
SOUK_MUST enum souk_err vault_read_again(struct vault *v, struct fail *f);

/* A new random data key, wrapped for `context` (the record's identity). Thread-safe. */
void vault_key_new(
    struct vault *v, struct str context, struct data_key *ret_key, struct wrapped_key *ret_wrapped);
/* SOUK_E_INTERNAL when the bytes are damaged, of another context, or the ring lacks the key. */
SOUK_MUST enum souk_err vault_key_unwrap(
    struct vault *v, struct str context, struct str wrapped, struct data_key *ret);
/* Wraps the same data key with the ring's current master key. *ret_changed: it was an older one. */
SOUK_MUST enum souk_err vault_key_rewrap(struct vault *v, struct str context, struct str wrapped,
    struct wrapped_key *ret, bool *ret_changed);

/* Seals into out (n + VAULT_OVERHEAD bytes). */
void vault_seal(
    const struct data_key *k, struct str context, const void *plain, size_t n, uint8_t *out);
/* Opens into out (sealed.n - VAULT_OVERHEAD bytes). SOUK_E_INTERNAL when damaged or moved. */
SOUK_MUST enum souk_err vault_unseal(
    const struct data_key *k, struct str context, struct str sealed, uint8_t *out);

/*
 * Objects: chunks of `VAULT_CHUNK` plain bytes, each sealed with the object's key and its
 * index (nonce from the index; the last chunk is marked), so that ranges open alone and
 * cutting, reordering or mixing shows. A key seals one object, once: writing the object again,
 * even after a failure half-way, takes a new key, and the key seals nothing else.
 */
#define VAULT_CHUNK 65536
#define VAULT_CHUNK_OVERHEAD 16
void vault_seal_chunk(
    const struct data_key *k, uint64_t index, bool last, const void *plain, size_t n, uint8_t *out);
SOUK_MUST enum souk_err vault_unseal_chunk(
    const struct data_key *k, uint64_t index, bool last, struct str sealed, uint8_t *out);

/* Keyed one-way index of `value` in `domain` ("psc.email"): equal values, equal indexes. */
void vault_blind(
    const struct vault *v, const char *domain, struct str value, uint8_t out[VAULT_BLIND_LEN]);
/* Keyed MAC for the audit chain and for request hashes (domain separates uses). */
void vault_mac(const struct vault *v, const char *domain, struct str data, uint8_t out[32]);

/*
 * ---- rotation (souk keys rotate) ----
 *
 * 1. vault_ring_add. 2. Wait two seconds: by then every process has noticed, or will before it
 * wraps the next key. 3. vault_key_rewrap everything, again and again until a pass changes nothing.
 * 4. vault_ring_retire. A crash in between loses nothing: start over.
 *
 * Where other nodes have files of their own, or the same one a moment later, the first step is two, so that
 * nobody meets a key that it has not: vault_ring_prepare, wait until all have that key (store/node.h),
 * vault_ring_use, wait until all wrap with it.
 */
/* Adds a new master key and makes it current in the ring file, durably. Not with key-ring-command. */
SOUK_MUST enum souk_err vault_ring_add(struct vault *v, struct fail *f);
/* Adds a new master key that nothing is wrapped with yet; one that is there already will do. */
SOUK_MUST enum souk_err vault_ring_prepare(struct vault *v, struct fail *f);
/* Makes the newest master key current. */
SOUK_MUST enum souk_err vault_ring_use(struct vault *v, struct fail *f);
bool vault_ring_is_file(const struct vault *v); /* can it be changed here? */
/*
 * Removes every master key but the current one from the ring file and from memory: what only
 * they open is gone. SOUK_E_CONFLICT when somebody else made another key current since we did.
 */
SOUK_MUST enum souk_err vault_ring_retire(struct vault *v, struct fail *f);
uint32_t vault_current(const struct vault *v); /* number of the current master key */
uint32_t vault_newest(const struct vault *v);  /* highest number in the ring */
uint32_t vault_wrapped_number(
    struct str wrapped); /* which master key wrapped it; 0 when malformed */

#endif
