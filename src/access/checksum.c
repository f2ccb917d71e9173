/* SPDX-License-Identifier: Apache-2.0 */
/* Names and sums in one table each, so that a sixth kind is one row and one case. */
#include "access/checksum.h"

static const struct {
	const char *name, *header;
	size_t size;
} kinds[CHECKSUM__COUNT] = {
	[CHECKSUM_NONE] = { "", "", 0 },
	[CHECKSUM_CRC32] = { "CRC32", "x-amz-checksum-crc32", 4 },
	[CHECKSUM_CRC32C] = { "CRC32C", "x-amz-checksum-crc32c", 4 },
	[CHECKSUM_CRC64NVME] = { "CRC64NVME", "x-amz-checksum-crc64nvme", 8 },
	[CHECKSUM_SHA1] = { "SHA1", "x-amz-checksum-sha1", SHA1_DIGEST_SIZE },
	[CHECKSUM_SHA256] = { "SHA256", "x-amz-checksum-sha256", SHA256_LEN },
};

const char *
checksum_name(enum checksum_kind k)
{
	return kinds[k].name;
}

const char *
checksum_header(enum checksum_kind k)
{
	return kinds[k].header;
}

size_t
checksum_size(enum checksum_kind k)
{
	return kinds[k].size;
}

enum checksum_kind
checksum_of_header(struct str header)
{
	for (unsigned k = CHECKSUM_NONE + 1; k < CHECKSUM__COUNT; k++)
		if (str_eq_nocase(header, str_c(kinds[k].header)))
			return (enum checksum_kind)k;
	return CHECKSUM_NONE;
}

enum checksum_kind
checksum_of_name(struct str name)
{
	for (unsigned k = CHECKSUM_NONE + 1; k < CHECKSUM__COUNT; k++)
		if (str_eq_nocase(name, str_c(kinds[k].name)))
			return (enum checksum_kind)k;
	return CHECKSUM_NONE;
}

bool
checksum_parse(enum checksum_kind k, struct str text, uint8_t out[CHECKSUM_MAX])
{
	size_t n;

	return k != CHECKSUM_NONE && base64_decode(text, out, CHECKSUM_MAX, &n) &&
	       n == kinds[k].size;
}

void
checksum_init(struct checksum *c, enum checksum_kind k)
{
	*c = (struct checksum){ .kind = k };
	if (k == CHECKSUM_SHA1)
		sha1_init(&c->state.sha1);
	else if (k == CHECKSUM_SHA256)
		sha256_init(&c->state.sha256);
}

void
checksum_update(struct checksum *c, const void *p, size_t n)
{
	switch (c->kind) {
	case CHECKSUM_CRC32:
		c->state.crc32 = crc32_update(c->state.crc32, p, n);
		break;
	case CHECKSUM_CRC32C:
		c->state.crc32 = crc32c_update(c->state.crc32, p, n);
		break;
	case CHECKSUM_CRC64NVME:
		c->state.crc64 = crc64nvme_update(c->state.crc64, p, n);
		break;
	case CHECKSUM_SHA1:
		sha1_update(&c->state.sha1, n, p);
		break;
	case CHECKSUM_SHA256:
		sha256_update(&c->state.sha256, n, p);
		break;
	case CHECKSUM_NONE:
	case CHECKSUM__COUNT:
		break;
	}
}

static void
big_endian(uint64_t v, size_t n, uint8_t *out)
{
	for (size_t i = n; i > 0; i--, v >>= 8)
		out[i - 1] = (uint8_t)v;
}

void
checksum_digest(struct checksum *c, uint8_t out[CHECKSUM_MAX])
{
	switch (c->kind) {
	case CHECKSUM_CRC32:
	case CHECKSUM_CRC32C:
		big_endian(c->state.crc32, 4, out);
		break;
	case CHECKSUM_CRC64NVME:
		big_endian(c->state.crc64, 8, out);
		break;
	case CHECKSUM_SHA1:
		sha1_digest(&c->state.sha1, SHA1_DIGEST_SIZE, out);
		break;
	case CHECKSUM_SHA256:
		sha256_digest(&c->state.sha256, SHA256_LEN, out);
		break;
	case CHECKSUM_NONE:
	case CHECKSUM__COUNT:
		break;
	}
}
