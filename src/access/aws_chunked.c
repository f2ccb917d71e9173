/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aws-chunked bodies (specs/sigv4-and-s3.md 2), read as a machine that takes bytes in
 * pieces of any size.
 *
 * Sizes and lines come from the other side: a size is compared with what was declared
 * before a byte of it is taken, a line is kept in a buffer that does not grow.
 */
#include "access/sigv4.h"

#include "access/checksum.h"
#include "base/io.h"
#include "base/secret.h"

#include <assert.h>
#include <stdlib.h>

#define LINE_MAX_LEN 256 /* the longest of ours: a trailer with a SHA-256 in base64 */
#define SIGNATURE_LEN 64
#define CHUNK_MIN 8192 /* of signed chunks but the last */

enum state {
	ST_HEAD,        /* "<hex>[;chunk-signature=...]" */
	ST_DATA,        /* chunk_left bytes */
	ST_DATA_END,    /* the empty line behind them */
	ST_TRAILER,     /* "name:value" */
	ST_TRAILER_SIG, /* "x-amz-trailer-signature:..." */
	ST_END,         /* the last, empty line */
	ST_DONE
};

struct aws_chunked {
	enum state state;
	bool is_signed, has_trailer;
	struct sink *out;
	uint64_t declared, decoded, chunk_left;
	bool short_chunk; /* one below CHUNK_MIN was there: it must have been the last */
	char line[LINE_MAX_LEN];
	size_t line_n;
	struct sha256_ctx chunk_hash;
	char chunk_signature[SIGNATURE_LEN];
	char previous[SIGNATURE_LEN];
	uint8_t key[SHA256_LEN];
	char date[INSTANT_AMZ_LEN];
	char scope[160];
	size_t scope_n;
	struct checksum checksum;
	uint8_t wanted[CHECKSUM_MAX];     /* the trailer's checksum */
	uint8_t trailer_hash[SHA256_LEN]; /* of the trailer's line, for its signature */
	enum souk_err failed;
	const char *code, *what; /* why it failed */
};

/* ---- life ---- */

static enum souk_err
invalid(struct fail *f, const char *what)
{
	return fail_set(f, SOUK_E_INVALID, "InvalidRequest", "%s", what);
}

static void
seed_take(struct aws_chunked *c, const struct sigv4_result *seed)
{
	memcpy(c->key, seed->signing_key, sizeof(c->key));
	memcpy(c->previous, seed->signature, sizeof(c->previous));
	memcpy(c->date, seed->amz_date.p, sizeof(c->date));
	memcpy(c->scope, seed->scope.p, seed->scope.n);
	c->scope_n = seed->scope.n;
}

enum souk_err
aws_chunked_new(const struct sigv4_result *seed, uint64_t decoded_length, struct str trailer_name,
    struct sink *out, struct aws_chunked **ret, struct fail *f)
{
	struct aws_chunked *c;
	enum checksum_kind kind = checksum_of_header(str_trim(trailer_name));
	bool trailer = seed->payload != SIGV4_BODY_CHUNKS_SIGNED;

	assert(seed->payload >= SIGV4_BODY_CHUNKS_SIGNED);
	trailer_name = str_trim(trailer_name);
	if (trailer_name.n > 0 && kind == CHECKSUM_NONE)
		return invalid(
		    f, "The value specified in the x-amz-trailer header is not supported.");
	if (trailer_name.n > 0 && !trailer)
		return invalid(f, "This form of body has no trailer.");
	if (trailer_name.n == 0 && seed->payload == SIGV4_BODY_CHUNKS_SIGNED_TRAILER)
		return invalid(f, "The header x-amz-trailer is missing.");
	if (!(c = calloc(1, sizeof(*c))))
		return fail_set(f, SOUK_E_NOMEM, "InternalError", "No memory for the body.");
	c->is_signed = seed->payload != SIGV4_BODY_CHUNKS_UNSIGNED_TRAILER;
	c->has_trailer = trailer_name.n > 0;
	c->out = out;
	c->declared = decoded_length;
	checksum_init(&c->checksum, kind);
	if (c->is_signed) {
		assert(seed->scope.n <= sizeof(c->scope) && seed->amz_date.n == sizeof(c->date));
		seed_take(c, seed);
	}
	*ret = c;
	return SOUK_OK;
}

void
aws_chunked_free(struct aws_chunked *c)
{
	if (!c)
		return;
	wipe(c, sizeof(*c));
	free(c);
}

static enum souk_err
stop(struct aws_chunked *c, enum souk_err err, const char *code, const char *what)
{
	c->failed = err;
	c->code = code;
	c->what = what;
	return err;
}

static enum souk_err
stop_invalid(struct aws_chunked *c, const char *what)
{
	return stop(c, SOUK_E_INVALID, "InvalidRequest", what);
}

/* ---- signatures ---- */

/*
 * The string `algorithm`, time, scope, previous signature, [hash of nothing,] hash; compared
 * with `claimed`, which becomes the previous one.
 */
static enum souk_err
signature_check(struct aws_chunked *c, struct str algorithm, bool with_empty,
    const uint8_t hash[SHA256_LEN], const char *claimed)
{
	char room[512], made[SIGNATURE_LEN + 1];
	struct buf b = { .p = room, .cap = sizeof(room) }; /* holds the longest: never grows */
	uint8_t empty[SHA256_LEN];

	buf_add_str(&b, algorithm);
	buf_add_char(&b, '\n');
	buf_add(&b, c->date, sizeof(c->date));
	buf_add_char(&b, '\n');
	buf_add(&b, c->scope, c->scope_n);
	buf_add_char(&b, '\n');
	buf_add(&b, c->previous, sizeof(c->previous));
	buf_add_char(&b, '\n');
	if (with_empty) {
		sha256("", 0, empty);
		buf_add_hex(&b, empty, sizeof(empty));
		buf_add_char(&b, '\n');
	}
	buf_add_hex(&b, hash, SHA256_LEN);
	assert(b.p == room);
	sigv4_signature(c->key, buf_str(&b), made);
	if (!secret_equal(made, SIGNATURE_LEN, claimed, SIGNATURE_LEN))
		return stop(c, SOUK_E_DENIED, "SignatureDoesNotMatch",
		    "The signature of a part of the body does not match.");
	memcpy(c->previous, claimed, sizeof(c->previous));
	return SOUK_OK;
}

static enum souk_err
chunk_check(struct aws_chunked *c)
{
	uint8_t hash[SHA256_LEN];

	if (!c->is_signed)
		return SOUK_OK;
	sha256_digest(&c->chunk_hash, sizeof(hash), hash);
	return signature_check(c, STR("AWS4-HMAC-SHA256-PAYLOAD"), true, hash, c->chunk_signature);
}

/* ---- lines ---- */

static bool
size_parse(struct str s, uint64_t *ret)
{
	uint64_t v = 0;

	if (s.n == 0 || s.n > 16)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c >= '0' && c <= '9')
			v = v << 4 | (uint64_t)(c - '0');
		else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))
			v = v << 4 | (uint64_t)((c | 0x20) - 'a' + 10);
		else
			return false;
	}
	*ret = v;
	return true;
}

static enum souk_err
on_head(struct aws_chunked *c, struct str line)
{
	const struct str mark = STR("chunk-signature=");
	struct str size = line, rest = line;
	uint64_t n;
	enum souk_err err;

	if (!str_split(&rest, ';', &size) || !size_parse(size, &n) ||
	    c->is_signed != (rest.p != NULL))
		return stop_invalid(c, "A chunk does not begin with its size as it should.");
	if (c->is_signed) {
		if (rest.n != mark.n + SIGNATURE_LEN || !str_starts(rest, mark))
			return stop_invalid(
			    c, "A chunk does not carry its signature as it should.");
		memcpy(c->chunk_signature, rest.p + mark.n, SIGNATURE_LEN);
		sha256_init(&c->chunk_hash);
	}
	if (n > 0) {
		if (n > c->declared - c->decoded)
			return stop_invalid(
			    c, "The body is longer than x-amz-decoded-content-length.");
		if (c->short_chunk && c->is_signed)
			return stop_invalid(
			    c, "Only the last chunk may be smaller than 8192 bytes.");
		c->short_chunk = n < CHUNK_MIN;
		c->chunk_left = n;
		c->state = ST_DATA;
		return SOUK_OK;
	}
	if ((err = chunk_check(c)) != SOUK_OK)
		return err;
	c->state = c->has_trailer ? ST_TRAILER : ST_END;
	return SOUK_OK;
}

static enum souk_err
on_trailer(struct aws_chunked *c, struct str line)
{
	struct str known = str_c(checksum_header(c->checksum.kind));
	struct str name = { NULL, 0 }, value = line;
	struct sha256_ctx h;

	(void)str_split(&value, ':', &name);
	value = str_trim(value);
	if (!str_eq_nocase(name, known))
		return stop_invalid(c, "The trailer is not the one that x-amz-trailer names.");
	if (!checksum_parse(c->checksum.kind, value, c->wanted))
		return stop_invalid(c, "The trailer's checksum is not base64 of the right length.");
	if (!c->is_signed) {
		c->state = ST_END;
		return SOUK_OK;
	}
	sha256_init(&h);
	sha256_update(&h, known.n, (const uint8_t *)known.p);
	sha256_update(&h, 1, (const uint8_t *)":");
	sha256_update(&h, value.n, (const uint8_t *)value.p);
	sha256_update(&h, 1, (const uint8_t *)"\n");
	sha256_digest(&h, sizeof(c->trailer_hash), c->trailer_hash);
	c->state = ST_TRAILER_SIG;
	return SOUK_OK;
}

static enum souk_err
on_trailer_signature(struct aws_chunked *c, struct str line)
{
	const struct str mark = STR("x-amz-trailer-signature:");
	struct str value;

	if (line.n < mark.n || !str_eq_nocase((struct str){ line.p, mark.n }, mark))
		return stop_invalid(c, "The trailer's signature is missing.");
	value = str_trim((struct str){ line.p + mark.n, line.n - mark.n });
	if (value.n != SIGNATURE_LEN)
		return stop_invalid(c, "The trailer's signature is not 64 digits long.");
	c->state = ST_END;
	return signature_check(c, STR("AWS4-HMAC-SHA256-TRAILER"), false, c->trailer_hash, value.p);
}

static enum souk_err
on_end(struct aws_chunked *c)
{
	uint8_t made[CHECKSUM_MAX];

	if (c->decoded != c->declared)
		return stop(c, SOUK_E_INVALID, "IncompleteBody",
		    "The body is shorter than x-amz-decoded-content-length.");
	checksum_digest(&c->checksum, made);
	if (memcmp(made, c->wanted, checksum_size(c->checksum.kind)) != 0)
		return stop(c, SOUK_E_INVALID, "BadDigest",
		    "The checksum in the trailer does not match what was computed of the body.");
	c->state = ST_DONE;
	return SOUK_OK;
}

static enum souk_err
on_line(struct aws_chunked *c, struct str line)
{
	switch (c->state) {
	case ST_HEAD:
		return on_head(c, line);
	case ST_DATA_END:
		if (line.n > 0)
			return stop_invalid(c, "A chunk is longer than its size says.");
		c->state = ST_HEAD;
		return chunk_check(c);
	case ST_TRAILER:
		return on_trailer(c, line);
	case ST_TRAILER_SIG:
		return on_trailer_signature(c, line);
	case ST_END:
		return line.n > 0 ? stop_invalid(c, "The body goes on where it should end.")
				  : on_end(c);
	case ST_DATA:
	case ST_DONE:
		break;
	}
	return stop(c, SOUK_E_INTERNAL, "InternalError", "A line where none is read.");
}

/* ---- bytes ---- */

/* Adds bytes to the line; when its end is among them, acts on it. *ret_n is what was taken. */
static enum souk_err
take_line(struct aws_chunked *c, const char *p, size_t n, size_t *ret_n)
{
	const char *lf = memchr(p, '\n', n);
	size_t take = lf ? (size_t)(lf - p) + 1 : n;
	struct str line;

	if (take > sizeof(c->line) - c->line_n)
		return stop_invalid(c, "A line of the body's framing is too long.");
	memcpy(c->line + c->line_n, p, take);
	c->line_n += take;
	*ret_n = take;
	if (!lf)
		return SOUK_OK;
	if (c->line_n < 2 || c->line[c->line_n - 2] != '\r')
		return stop_invalid(c, "A line of the body's framing does not end in CR LF.");
	line = (struct str){ c->line, c->line_n - 2 };
	c->line_n = 0;
	return on_line(c, line);
}

static enum souk_err
take_data(struct aws_chunked *c, const char *p, size_t n, size_t *ret_n)
{
	size_t take = n < c->chunk_left ? n : (size_t)c->chunk_left;
	enum souk_err err;

	if (c->is_signed)
		sha256_update(&c->chunk_hash, take, (const uint8_t *)p);
	checksum_update(&c->checksum, p, take);
	if ((err = c->out->write(c->out, p, take)) != SOUK_OK)
		return stop(c, err, "InternalError", "The body could not be kept.");
	c->decoded += take;
	c->chunk_left -= take;
	if (c->chunk_left == 0)
		c->state = ST_DATA_END;
	*ret_n = take;
	return SOUK_OK;
}

static enum souk_err
tell(const struct aws_chunked *c, struct fail *f)
{
	return fail_set(f, c->failed, c->code, "%s", c->what);
}

enum souk_err
aws_chunked_feed(struct aws_chunked *c, const void *p, size_t n, struct fail *f)
{
	const char *at = p;

	while (c->failed == SOUK_OK && n > 0) {
		size_t took = 0;
		enum souk_err err;

		if (c->state == ST_DONE)
			err = stop_invalid(c, "There is data behind the end of the body.");
		else if (c->state == ST_DATA)
			err = take_data(c, at, n, &took);
		else
			err = take_line(c, at, n, &took);
		if (err != SOUK_OK)
			break;
		at += took;
		n -= took;
	}
	return c->failed == SOUK_OK ? SOUK_OK : tell(c, f);
}

enum souk_err
aws_chunked_end(struct aws_chunked *c, struct fail *f)
{
	if (c->failed == SOUK_OK && c->state != ST_DONE)
		(void)stop(
		    c, SOUK_E_INVALID, "IncompleteBody", "The body ended before its last chunk.");
	return c->failed == SOUK_OK ? SOUK_OK : tell(c, f);
}
