/* SPDX-License-Identifier: Apache-2.0 */
/* JSON Web Tokens (RFC 7515, RS256) under the key that signs messages: texts of messages never begin like one. */
#include "delivery/topic_int.h"

#include "base/json.h"
#include "delivery/signer.h"

/* Base64 as addresses have it, without padding. */
static void
to_url(struct buf *b, size_t from)
{
	while (b->n > from && b->p[b->n - 1] == '=')
		b->n--;
	for (size_t i = from; i < b->n; i++)
		b->p[i] = b->p[i] == '+' ? '-' : b->p[i] == '/' ? '_' : b->p[i];
}

static void
add_part(struct buf *to, struct str text)
{
	size_t from = to->n;

	buf_add_base64(to, text.p, text.n);
	if (buf_ok(to))
		to_url(to, from);
}

enum souk_err
topics_jwt(struct topics *t, struct str claims, struct buf *ret)
{
	struct buf header = { 0 }, url = { 0 };
	size_t begin = ret->n, from;
	struct jw w;
	enum souk_err err = SOUK_E_NOMEM;

	buf_printf(&url, "%s/sns/%s.pem", t->public_url, signer_cert_name(t->signer));
	jw_init(&w, &header);
	jw_open(&w, NULL, '{');
	jw_c(&w, "alg", "RS256");
	jw_c(&w, "typ", "JWT");
	jw_str(&w, "x5u", buf_str(&url));
	jw_close(&w, '}');
	if (buf_ok(&url) && buf_ok(&header)) {
		add_part(ret, buf_str(&header));
		buf_add_char(ret, '.');
		add_part(ret, claims);
	}
	if (buf_ok(&url) && buf_ok(&header) && buf_ok(ret)) {
		struct buf signature = { 0 };

		err = signer_sign(
		    t->signer, (struct str){ ret->p + begin, ret->n - begin }, &signature);
		buf_add_char(ret, '.');
		from = ret->n;
		buf_add_str(ret, buf_str(&signature));
		if (err == SOUK_OK && buf_ok(ret))
			to_url(ret, from);
		buf_done(&signature);
	}
	buf_done(&header);
	buf_done(&url);
	return err == SOUK_OK && !buf_ok(ret) ? SOUK_E_NOMEM : err;
}
