/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Canonical request, string to sign, key and signature (specs/sigv4-and-s3.md 1.1, 1.2).
 *
 * Everything here comes from a caller who is not known yet. Text is written through
 * `struct out`, which knows its end, into memory whose size follows from the request's.
 */
#include "access/sigv4_int.h"

#include "base/digest.h"
#include "base/secret.h"

#include <stdlib.h>

/* A piece of the arena being filled; `full` instead of one byte too many. */
struct out {
	char *p;
	size_t n, cap;
	bool full;
};

static bool
out_init(struct out *o, struct arena *mem, size_t cap)
{
	*o = (struct out){ .p = arena_alloc(mem, cap), .cap = cap };
	return o->p != NULL;
}

static inline void
out_char(struct out *o, char c)
{
	if (o->n < o->cap)
		o->p[o->n++] = c;
	else
		o->full = true;
}

static inline void
out_str(struct out *o, struct str s)
{
	if (s.n > o->cap - o->n) {
		o->full = true;
	} else if (s.n > 0) {
		memcpy(o->p + o->n, s.p, s.n);
		o->n += s.n;
	}
}

/* A-Z a-z 0-9 - . _ ~ */
static const bool unreserved[256] = {
	['-'] = true,
	['.'] = true,
	['_'] = true,
	['~'] = true,
	['0' ... '9'] = true,
	['A' ... 'Z'] = true,
	['a' ... 'z'] = true,
};

static inline void
out_encoded(struct out *o, unsigned char c, bool keep_slash)
{
	static const char hex[] = "0123456789ABCDEF";

	if (unreserved[c] || (keep_slash && c == '/'))
		out_char(o, (char)c);
	else
		out_str(o, (struct str){ (char[]){ '%', hex[c >> 4], hex[c & 15] }, 3 });
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Decodes once and encodes once. False on a broken escape or a NUL. */
static bool
out_reencoded(struct out *o, struct str s, bool path)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '%') {
			int hi = s.n - i > 2 ? hex_digit(s.p[i + 1]) : -1;
			int lo = hi >= 0 ? hex_digit(s.p[i + 2]) : -1;

			if (lo < 0)
				return false;
			c = (char)(hi * 16 + lo);
			i += 2;
		} else if (c == '+' && !path) {
			c = ' ';
		}
		if (c == '\0')
			return false;
		out_encoded(o, (unsigned char)c, path);
	}
	return true;
}

/* Takes the last segment off. */
static void
out_drop_segment(struct out *o, size_t from)
{
	while (o->n > from && o->p[o->n - 1] != '/')
		o->n--;
	o->n -= o->n > from;
}

/*
 * Paths of all services but S3: dot segments and empty ones removed, then encoded on top
 * of the encoding they came in. A final slash stays when anything is left before it.
 */
static void
out_path_normal(struct out *o, struct str path)
{
	struct str rest = path, part;
	size_t from = o->n;

	while (str_split(&rest, '/', &part)) {
		if (part.n == 0 || str_eq(part, STR(".")))
			continue;
		if (str_eq(part, STR(".."))) {
			out_drop_segment(o, from);
			continue;
		}
		out_char(o, '/');
		for (size_t i = 0; i < part.n; i++)
			out_encoded(o, (unsigned char)part.p[i], false);
	}
	if (o->n == from || path.p[path.n - 1] == '/')
		out_char(o, '/');
}

static bool
out_path(struct out *o, struct str path, bool s3)
{
	if (path.n == 0) {
		out_char(o, '/');
		return true;
	}
	if (path.p[0] != '/')
		return false;
	if (s3)
		return out_reencoded(o, path, true);
	out_path_normal(o, path);
	return true;
}

enum souk_err
sigv4_query_parse(struct arena *mem, struct str query, struct query_params *ret)
{
	struct str rest = query, part;
	size_t max = 1;
	struct query_param *list;
	struct query_params got = { .n = 0 };
	struct out o;

	*ret = got;
	if (query.n == 0)
		return SOUK_OK;
	for (size_t i = 0; i < query.n; i++)
		max += query.p[i] == '&';
	list = arena_array(mem, max, sizeof(*list));
	if (!list || query.n > SIZE_MAX / 4 || !out_init(&o, mem, 3 * query.n))
		return SOUK_E_LIMIT;
	while (str_split(&rest, '&', &part)) {
		struct str name = part, value = part;
		size_t from = o.n;

		if (part.n == 0)
			continue;
		(void)str_split(&value, '=', &name);
		if (!out_reencoded(&o, name, false))
			return SOUK_E_INVALID;
		list[got.n].name = (struct str){ o.p + from, o.n - from };
		from = o.n;
		if (!out_reencoded(&o, value, false))
			return SOUK_E_INVALID;
		list[got.n++].value = (struct str){ o.p + from, o.n - from };
	}
	got.p = list;
	*ret = got;
	return o.full ? SOUK_E_INTERNAL : SOUK_OK;
}

static int
str_cmp(struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n > 0 ? memcmp(a.p, b.p, n) : 0;

	return c != 0 ? c : (a.n > b.n) - (a.n < b.n);
}

static int
param_cmp(const void *a, const void *b)
{
	const struct query_param *x = a, *y = b;
	int c = str_cmp(x->name, y->name);

	return c != 0 ? c : str_cmp(x->value, y->value);
}

/* Few parameters, often sorted already; qsort would allocate for many and call for each. */
static void
params_sort(struct query_params q)
{
	if (q.n > 24) {
		qsort(q.p, q.n, sizeof(q.p[0]), param_cmp);
		return;
	}
	for (size_t i = 1; i < q.n; i++) {
		struct query_param one = q.p[i];
		size_t k = i;

		for (; k > 0 && param_cmp(&q.p[k - 1], &one) > 0; k--)
			q.p[k] = q.p[k - 1];
		q.p[k] = one;
	}
}

static void
out_query(struct out *o, struct query_params q)
{
	bool first = true;

	params_sort(q);
	for (size_t i = 0; i < q.n; i++) {
		if (str_eq(q.p[i].name, STR("X-Amz-Signature")))
			continue;
		if (!first)
			out_char(o, '&');
		first = false;
		out_str(o, q.p[i].name);
		out_char(o, '=');
		out_str(o, q.p[i].value);
	}
}

static bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Trimmed, inner runs of blanks to one space. */
static void
out_value(struct out *o, struct str v)
{
	bool plain = true;

	v = str_trim(v);
	for (size_t i = 0; i < v.n && plain; i++)
		plain = !is_blank(v.p[i]) || (v.p[i] == ' ' && !is_blank(v.p[i + 1]));
	if (plain) {
		out_str(o, v);
		return;
	}
	for (size_t i = 0; i < v.n; i++) {
		if (!is_blank(v.p[i]))
			out_char(o, v.p[i]);
		else if (!is_blank(v.p[i - 1]))
			out_char(o, ' ');
	}
}

/* "name:value[,value...]"; false when there is none of that name. */
static bool
out_header(struct out *o, const struct sigv4_req *r, struct str name)
{
	bool found = false;

	out_str(o, name);
	out_char(o, ':');
	for (size_t i = 0; i < r->n_headers; i++) {
		if (!str_eq_nocase(r->headers[i].name, name))
			continue;
		if (found)
			out_char(o, ',');
		out_value(o, r->headers[i].value);
		found = true;
	}
	out_char(o, '\n');
	return found;
}

bool
sigv4_signed_headers_parse(struct str list, struct str names[SIGNED_HEADERS_MAX], size_t *ret_n)
{
	struct str rest = list, name;
	size_t n = 0;

	while (str_split(&rest, ';', &name)) {
		if (n == SIGNED_HEADERS_MAX || name.n == 0)
			return false;
		for (size_t i = 0; i < name.n; i++) {
			char c = name.p[i];

			/* What a field name may hold (RFC 9110 5.1), lower case. */
			if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
				(c != '\0' && strchr("-_.!#$%&'*+^`|~", c))))
				return false;
		}
		if (n > 0 && str_cmp(names[n - 1], name) >= 0)
			return false;
		names[n++] = name;
	}
	*ret_n = n;
	return n > 0;
}

/* No canonical request of this input is longer. */
static size_t
canonical_bound(const struct canonical_input *in)
{
	const struct sigv4_req *r = in->req;
	size_t n = r->method.n + 3 * r->path.n + 2 * in->signed_headers.n + in->payload_hash.n + 16;

	for (size_t i = 0; i < in->query.n; i++)
		n += in->query.p[i].name.n + in->query.p[i].value.n + 2;
	for (size_t i = 0; i < r->n_headers; i++)
		n += r->headers[i].value.n + 1;
	return n + 3 * in->n_names;
}

enum souk_err
sigv4_canonical_build(
    struct arena *mem, const struct canonical_input *in, struct str *ret, struct str *ret_missing)
{
	struct str missing = { NULL, 0 };
	struct out o;

	if (!out_init(&o, mem, canonical_bound(in)))
		return SOUK_E_LIMIT;
	out_str(&o, in->req->method);
	out_char(&o, '\n');
	if (!out_path(&o, in->req->path, in->s3))
		return SOUK_E_INVALID;
	out_char(&o, '\n');
	out_query(&o, in->query);
	out_char(&o, '\n');
	for (size_t i = 0; i < in->n_names; i++)
		if (!out_header(&o, in->req, in->names[i]))
			missing = in->names[i];
	out_char(&o, '\n');
	out_str(&o, in->signed_headers);
	out_char(&o, '\n');
	out_str(&o, in->payload_hash);
	if (o.full)
		return SOUK_E_INTERNAL;
	*ret = (struct str){ o.p, o.n };
	*ret_missing = missing;
	return SOUK_OK;
}

enum souk_err
sigv4_canonical(const struct sigv4_req *r, bool s3, struct str signed_headers,
    struct str payload_hash, struct buf *ret)
{
	struct str names[SIGNED_HEADERS_MAX], text, missing;
	struct canonical_input in = { .req = r,
		.s3 = s3,
		.signed_headers = signed_headers,
		.names = names,
		.payload_hash = payload_hash };
	struct arena *mem = arena_new(SIZE_MAX);
	enum souk_err err = SOUK_E_INVALID;

	if (!mem)
		return SOUK_E_NOMEM;
	if (!sigv4_signed_headers_parse(signed_headers, names, &in.n_names) ||
	    (err = sigv4_query_parse(mem, r->query, &in.query)) != SOUK_OK ||
	    (err = sigv4_canonical_build(mem, &in, &text, &missing)) != SOUK_OK)
		goto out;
	err = SOUK_E_INVALID;
	if (missing.p)
		goto out;
	buf_add_str(ret, text);
	err = buf_ok(ret) ? SOUK_OK : SOUK_E_NOMEM;
out:
	arena_free(mem);
	return err;
}

void
sigv4_to_sign(struct str amz_date, struct str scope, struct str canonical, struct buf *ret)
{
	uint8_t hash[SHA256_LEN];

	sha256(canonical.p, canonical.n, hash);
	buf_add_c(ret, "AWS4-HMAC-SHA256\n");
	buf_add_str(ret, amz_date);
	buf_add_char(ret, '\n');
	buf_add_str(ret, scope);
	buf_add_char(ret, '\n');
	buf_add_hex(ret, hash, sizeof(hash));
}

void
sigv4_signing_key(
    struct str secret, struct str date, struct str region, struct str service, uint8_t ret[32])
{
	uint8_t first[64] = "AWS4", k[SHA256_LEN];
	size_t n = 4 + secret.n;
	const struct str rest[] = { region, service, STR("aws4_request") };

	if (n <= sizeof(first)) {
		if (secret.n > 0)
			memcpy(first + 4, secret.p, secret.n);
	} else {
		/* What HMAC does with a key longer than its block. */
		struct sha256_ctx c;

		sha256_init(&c);
		sha256_update(&c, 4, first);
		sha256_update(&c, secret.n, (const uint8_t *)secret.p);
		sha256_digest(&c, n = SHA256_LEN, first);
		wipe(&c, sizeof(c));
	}
	hmac_sha256(first, n, date.p, date.n, k);
	for (size_t i = 0; i < sizeof(rest) / sizeof(rest[0]); i++)
		hmac_sha256(k, sizeof(k), rest[i].p, rest[i].n, k);
	memcpy(ret, k, sizeof(k));
	wipe(first, sizeof(first));
	wipe(k, sizeof(k));
}

void
sigv4_signature(const uint8_t key[32], struct str to_sign, char ret[65])
{
	uint8_t mac[SHA256_LEN];

	hmac_sha256(key, SHA256_LEN, to_sign.p, to_sign.n, mac);
	hex_encode(mac, sizeof(mac), ret);
}
