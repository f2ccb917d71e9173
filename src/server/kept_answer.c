/* SPDX-License-Identifier: Apache-2.0 */
/* Headers are ours (ETag, Location) and hold no line breaks: the format needs no escapes. */
#include "server/kept_answer.h"

void
kept_answer_write(const struct http_response *r, struct str body, struct buf *out)
{
	for (size_t i = 0; i < r->n_headers; i++) {
		buf_add_c(out, r->headers[i].name);
		buf_add_char(out, ':');
		buf_add_c(out, r->headers[i].value);
		buf_add_char(out, '\n');
	}
	buf_add_char(out, '\n');
	buf_add_str(out, body);
}

enum souk_err
kept_answer_read(
    struct str kept, int status, struct arena *mem, struct http_response *r, struct buf *body)
{
	struct str rest = kept, line, name;
	char *n, *v;

	while (str_split(&rest, '\n', &line) && line.n > 0) {
		if (!str_split(&line, ':', &name) || !line.p)
			return SOUK_E_INTERNAL;
		n = arena_strndup(mem, name.p, name.n);
		v = arena_strndup(mem, line.p, line.n);
		if (!n || !v)
			return SOUK_E_LIMIT;
		http_response_header(r, n, v);
	}
	if (!rest.p)
		return SOUK_E_INTERNAL;
	r->status = status;
	buf_add_str(body, rest);
	return SOUK_OK;
}
