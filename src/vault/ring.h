/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The key ring: its text, its keys ready for use, and where it is kept. The layer's own.
 *
 *   {"version":1,"current":2,"keys":{"1":"base64","2":"base64"},"blind":"base64","audit":"base64"}
 *
 * Each base64 text holds 32 bytes. Numbers are 1 to 16777215 and are never used again
 * for other bytes. Key bytes live in locked memory only, from read(2) to write(2): so the
 * text is scanned here and not by jansson, which leaves copies in freed memory.
 */
#ifndef SOUK_VAULT_RING_H
#define SOUK_VAULT_RING_H

#include "base/secret.h"
#include "base/str.h"
#include "vault/box.h"

#include <nettle/hmac.h>
#include <sys/stat.h>

#define RING_KEY_LEN 32
#define RING_KEYS_MAX 64
#define RING_NUMBER_MAX 0xffffffu
#define RING_TEXT_MAX 65536

struct ring_master {
	uint32_t number;
	uint8_t key[RING_KEY_LEN];
};

/* What the text says. Lives in locked memory (ring_keys_new). */
struct ring_keys {
	uint32_t current; /* one of master[0..n) */
	size_t n;
	struct ring_master master[RING_KEYS_MAX];
	uint8_t blind[RING_KEY_LEN];
	uint8_t audit[RING_KEY_LEN];
};

/* NULL when out of memory. */
struct ring_keys *ring_keys_new(void);
void ring_keys_free(struct ring_keys *k); /* wipes, accepts NULL */
/* Fresh derivation keys and a first master key. */
void ring_keys_fill(struct ring_keys *k);
/* Adds a random master key under the next number and makes it current; false when full. */
SOUK_MUST bool ring_keys_add(struct ring_keys *k);
/* The highest number there is. */
uint32_t ring_keys_newest(const struct ring_keys *k);
/* Drops every master key but the current one. */
void ring_keys_retire(struct ring_keys *k);
/* Same derivation keys, and the same bytes under every number both have? */
bool ring_keys_akin(const struct ring_keys *a, const struct ring_keys *b);

/* NULL when `text` is a key ring, else what is wrong with it (ours, never quotes the text). */
SOUK_MUST const char *ring_parse(struct str text, struct ring_keys *ret);
/* The text of a ring, in locked memory; ret->n is what is allocated, *ret_n the text's length. */
SOUK_MUST enum souk_err ring_format(const struct ring_keys *k, struct secret *ret, size_t *ret_n);

/* A ring ready for use: immutable, in locked memory. */
struct ring {
	struct ring_keys *keys;       /* owned */
	struct hmac_sha256_ctx blind; /* keyed, nothing hashed yet: copy, then use */
	struct hmac_sha256_ctx audit;
	struct box_key box[]; /* of keys->master[i] */
};

/* Takes over `keys`; NULL when out of memory (keys is freed then, too). */
struct ring *ring_new(struct ring_keys *keys);
void ring_free(struct ring *r); /* wipes, accepts NULL */
/* The index of a master key, or -1. */
int ring_find(const struct ring *r, uint32_t number);

/* ---- where it is kept (ring_source.c) ---- */

/* Tells whether a file may have changed; all zero: it cannot be looked at. */
struct ring_stamp {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtime, ctime; /* ctime: mending the mode counts as a change */
};

void ring_stamp(const char *path, struct ring_stamp *ret);
bool ring_stamp_eq(const struct ring_stamp *a, const struct ring_stamp *b);
/* Refuses a file that others may read, that is not ours, or that is no key ring. */
SOUK_MUST enum souk_err ring_read_file(const char *path, struct ring_keys *ret, struct fail *f);
/* Runs a shell command for at most `limit_ms` and parses what it prints. */
SOUK_MUST enum souk_err ring_read_command(
    const char *command, int64_t limit_ms, struct ring_keys *ret, struct fail *f);
/* Makes a new file; SOUK_E_CONFLICT when it is there. */
SOUK_MUST enum souk_err ring_create_file(
    const char *path, const struct ring_keys *k, struct fail *f);
/*
 * Replaces the file, durably and whole; the caller holds its lock. A crash may leave PATH.part,
 * which the next call removes.
 */
SOUK_MUST enum souk_err ring_replace_file(
    const char *path, const struct ring_keys *k, struct fail *f);
/* Takes the lock of whoever changes the file; *ret_fd is closed to give it back. */
SOUK_MUST enum souk_err ring_lock_file(const char *path, int *ret_fd, struct fail *f);

#endif
