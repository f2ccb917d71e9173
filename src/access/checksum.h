/* SPDX-License-Identifier: Apache-2.0 */
/* The checksums that S3 clients send and ask for (specs/sigv4-and-s3.md 2), behind one face. */
#ifndef SOUK_ACCESS_CHECKSUM_H
#define SOUK_ACCESS_CHECKSUM_H

#include "base/digest.h"

enum checksum_kind {
	CHECKSUM_NONE,
	CHECKSUM_CRC32,
	CHECKSUM_CRC32C,
	CHECKSUM_CRC64NVME,
	CHECKSUM_SHA1,
	CHECKSUM_SHA256,
	CHECKSUM__COUNT
};

#define CHECKSUM_MAX 32      /* bytes of the longest */
#define CHECKSUM_TEXT_MAX 44 /* characters of the longest, in base64 */

const char *checksum_name(enum checksum_kind k);   /* "CRC32", for what is stored; "" for none */
const char *checksum_header(enum checksum_kind k); /* "x-amz-checksum-crc32"; "" for none */
size_t checksum_size(enum checksum_kind k);        /* bytes; 0 for none */
/* Any case; CHECKSUM_NONE when it is none. */
enum checksum_kind checksum_of_header(struct str header);
enum checksum_kind checksum_of_name(struct str name);
/* Base64 of as many bytes as the kind has? `out` gets them. */
SOUK_MUST bool checksum_parse(enum checksum_kind k, struct str text, uint8_t out[CHECKSUM_MAX]);

struct checksum {
	enum checksum_kind kind;
	union {
		uint32_t crc32;
		uint64_t crc64;
		struct sha1_ctx sha1;
		struct sha256_ctx sha256;
	} state;
};

void checksum_init(struct checksum *c, enum checksum_kind k);
void checksum_update(struct checksum *c, const void *p, size_t n);
/* checksum_size bytes as they go over the wire; CRCs big-endian. Ends `c`. */
void checksum_digest(struct checksum *c, uint8_t out[CHECKSUM_MAX]);

#endif
