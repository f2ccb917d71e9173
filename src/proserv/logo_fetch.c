/* SPDX-License-Identifier: Apache-2.0 */
/* Fetching logos; see logo_fetch.h. */
#include "proserv/logo_fetch.h"

#include "proserv/links.h"

#include <stdio.h>
#include <stdlib.h>

struct logo_fetcher {
	struct poster *poster;
	const char *gateway; /* NULL: none */
};

enum souk_err
logo_fetcher_new(const struct config *c, struct logo_fetcher **ret, struct fail *f)
{
	const struct post_rules rules = { .ca_file = config_text(c, SET_REVIEW_LOGO_CA_FILE),
		.timeout_ms = LOGO_FETCH_MS };
	const char *gateway = config_text(c, SET_REVIEW_LOGO_GATEWAY);
	struct logo_fetcher *x;

	*ret = NULL;
	if (!config_bool(c, SET_REVIEW_FETCH_LOGOS))
		return SOUK_OK;
	if (!(x = calloc(1, sizeof(*x))) || poster_new(&rules, &x->poster) != SOUK_OK) {
		free(x);
		return fail_set(f, SOUK_E_NOMEM, "out_of_memory", "no memory to fetch logos");
	}
	x->gateway = gateway[0] != '\0' ? gateway : NULL;
	*ret = x;
	return SOUK_OK;
}

void
logo_fetcher_free(struct logo_fetcher *f)
{
	if (f == NULL)
		return;
	poster_free(f->poster);
	free(f);
}

bool
logo_url_fits(struct str url)
{
	struct link link;

	return url.n <= LOGO_URL_MAX && link_parse(url, &link) && link_is_s3(&link) &&
	       !link_is_signed(&link);
}

enum logo_fetched
logo_fetch(
    struct logo_fetcher *f, const char *url, struct buf *out, char reason[static LOGO_REASON_MAX])
{
	static const char *const headers[] = { "Accept: image/png, image/jpeg, image/gif", NULL };
	const struct post what = { .url = url,
		.headers = headers,
		.user_agent = "souk",
		.get = true,
		.answer_max = LOGO_BYTES_MAX,
		/* The operator chose it, so it may stand anywhere. */
		.connect_to = f->gateway,
		.allow_private = f->gateway != NULL,
		.ret_body = out };
	struct post_answer a;

	poster_send(f->poster, &what, &a);
	(void)snprintf(reason, LOGO_REASON_MAX, "%s", a.reason);
	if (a.outcome == POST_DONE)
		return buf_ok(out) ? LOGO_FETCHED : LOGO_LATER;
	/* What is asked for elsewhere is not there. */
	return a.outcome == POST_NEVER || (a.status >= 300 && a.status < 400) ? LOGO_UNREADABLE
									      : LOGO_LATER;
}
