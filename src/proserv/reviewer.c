/* SPDX-License-Identifier: Apache-2.0 */
/* Engine and scratches of the server's reviews; see reviewer.h. */
#include "proserv/reviewer.h"

#include "proserv/text.h"

#include <pthread.h>
#include <stdlib.h>

struct spare {
	struct text_scratch *scratch;
	struct spare *next;
};

struct reviewer {
	const struct config *config;
	pthread_mutex_t lock;
	struct text_engine *engine; /* NULL: not made yet */
	struct spare *spare;        /* scratches that nobody uses now */
};

enum souk_err
reviewer_new(const struct config *config, struct reviewer **ret)
{
	struct reviewer *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return SOUK_E_NOMEM;
	r->config = config;
	(void)pthread_mutex_init(&r->lock, NULL);
	*ret = r;
	return SOUK_OK;
}

void
reviewer_free(struct reviewer *r)
{
	if (r == NULL)
		return;
	while (r->spare != NULL) {
		struct spare *s = r->spare;

		r->spare = s->next;
		text_scratch_free(s->scratch);
		free(s);
	}
	text_engine_free(r->engine);
	(void)pthread_mutex_destroy(&r->lock);
	free(r);
}

enum edition
reviewer_edition(const struct reviewer *r)
{
	return edition_of(str_c(config_text(r->config, SET_REVIEW_EDITION)));
}

const struct config *
reviewer_config(const struct reviewer *r)
{
	return r->config;
}

static struct spare *
spare_new(const struct text_engine *e)
{
	struct spare *s = calloc(1, sizeof(*s));

	if (s != NULL && text_scratch_new(e, &s->scratch) != SOUK_OK) {
		free(s);
		return NULL;
	}
	return s;
}

static enum souk_err
take(struct reviewer *r, struct spare **ret)
{
	struct fail f = { .err = SOUK_OK };
	enum souk_err err = SOUK_OK;

	(void)pthread_mutex_lock(&r->lock);
	if (r->engine == NULL)
		err = text_engine_new(&r->engine, &f);
	*ret = err == SOUK_OK ? r->spare : NULL;
	if (*ret != NULL)
		r->spare = (*ret)->next;
	(void)pthread_mutex_unlock(&r->lock);
	if (err == SOUK_OK && *ret == NULL && !(*ret = spare_new(r->engine)))
		err = SOUK_E_NOMEM;
	return err;
}

static void
give_back(struct reviewer *r, struct spare *s)
{
	(void)pthread_mutex_lock(&r->lock);
	s->next = r->spare;
	r->spare = s;
	(void)pthread_mutex_unlock(&r->lock);
}

enum souk_err
reviewer_warm(struct reviewer *r)
{
	struct spare *s;
	enum souk_err err = take(r, &s);

	if (err == SOUK_OK)
		give_back(r, s);
	return err;
}

enum souk_err
reviewer_run(struct reviewer *r, const struct listing *l, const struct review_context *context,
    enum edition edition, struct findings *out)
{
	struct review_options o = { .edition =
					edition != EDITION_NONE ? edition : reviewer_edition(r) };
	struct review_input in = { .listing = l, .context = context };
	struct spare *s;
	enum souk_err err = take(r, &s);

	if (err != SOUK_OK)
		return err;
	err = text_scan(r->engine, s->scratch, l, out->a, &in.text);
	give_back(r, s);
	return err == SOUK_OK ? review_run(&in, &o, out) : err;
}
