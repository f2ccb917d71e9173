/* SPDX-License-Identifier: Apache-2.0 */
/* A raw HTTP request as the verifier wants it, and an access layer that knows one key. For tests and fuzzing. */
#ifndef SOUK_TESTS_ACCESS_RAW_H
#define SOUK_TESTS_ACCESS_RAW_H

#include "access/access_int.h"
#include "access/sigv4.h"

#define RAW_HEADERS_MAX 200

struct raw {
	struct sigv4_req req;
	struct sigv4_header headers[RAW_HEADERS_MAX];
};

/* The line in front of the next LF, without its CR. */
static inline bool
raw_line(struct str *rest, struct str *ret)
{
	if (!str_split(rest, '\n', ret))
		return false;
	ret->n -= ret->n > 0 && ret->p[ret->n - 1] == '\r';
	return true;
}

/* Lenient: what is missing stays empty. Slices borrow from `text`. */
static inline void
raw_parse(struct str text, struct raw *r)
{
	struct str rest = text, line = STR(""), target = STR("");

	*r = (struct raw){ .req = { .headers = r->headers } };
	(void)raw_line(&rest, &line);
	(void)str_split(&line, ' ', &r->req.method);
	(void)str_split(&line, ' ', &target);
	r->req.query = target;
	(void)str_split(&r->req.query, '?', &r->req.path);
	if (!r->req.query.p)
		r->req.query = STR("");
	while (r->req.n_headers < RAW_HEADERS_MAX && raw_line(&rest, &line) && line.n > 0) {
		struct sigv4_header *h = &r->headers[r->req.n_headers++];

		h->value = line;
		(void)str_split(&h->value, ':', &h->name);
		h->value = str_trim(h->value);
		if (!h->value.p)
			h->value = STR("");
	}
	r->req.body = rest.p ? rest : STR("");
}

/* The one key there is. */
struct one_key {
	struct str id, secret;
	unsigned asked;
};

static inline enum souk_err
one_key_find(void *ctx, struct str id, struct principal **ret, uint8_t ret_secret[SECRET_KEY_LEN])
{
	struct one_key *k = ctx;
	const struct principal_facts facts = { .user_name = STR("tester"),
		.account_id = STR("012345678901"),
		.actor = STR("key:test"),
		.is_seller = true };

	k->asked++;
	if (!str_eq(id, k->id) || k->secret.n != SECRET_KEY_LEN)
		return SOUK_E_UNAUTHENTICATED;
	memcpy(ret_secret, k->secret.p, SECRET_KEY_LEN);
	return principal_new(&facts, ret);
}

static inline enum souk_err
one_key_no_token(void *ctx, const uint8_t hash[SHA256_LEN], struct principal **ret)
{
	(void)ctx;
	(void)hash;
	(void)ret;
	return SOUK_E_UNAUTHENTICATED;
}

static inline enum souk_err
one_key_generation(void *ctx, int64_t *ret)
{
	(void)ctx;
	*ret = 0;
	return SOUK_OK;
}

static inline enum souk_err
one_key_access(struct one_key *k, struct access **ret)
{
	const struct access_source source = { .by_token = one_key_no_token,
		.by_key = one_key_find,
		.generation = one_key_generation,
		.ctx = k };

	return access_new_from(&source, ret);
}

#endif
