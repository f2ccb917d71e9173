/* SPDX-License-Identifier: Apache-2.0 */
/* Engine and scratches of the server's reviews; see reviewer.h. */
#include "proserv/reviewer.h"

#include "proserv/logo_kept.h"
#include "proserv/text.h"

#include <pthread.h>
#include <stdlib.h>

#define MARKS_ARENA ((size_t)64 << 20)

struct spare {
	struct text_scratch *scratch;
	struct spare *next;
};

struct reviewer {
	const struct config *config;
	pthread_mutex_t lock;
	struct text_engine *engine; /* NULL: not made yet */
	struct spare *spare;        /* scratches that nobody uses now */
	struct arena *marks_mem;
	struct review_context marks; /* only its marks */
	struct logo_index *logos;
};

enum souk_err
reviewer_new(const struct config *config, struct reviewer **ret)
{
	struct reviewer *r = calloc(1, sizeof(*r));

	if (r == NULL || logo_index_new(&r->logos) != SOUK_OK) {
		free(r);
		return SOUK_E_NOMEM;
	}
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
	arena_free(r->marks_mem);
	logo_index_free(r->logos);
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

enum souk_err
reviewer_read_marks(struct reviewer *r, struct fail *f)
{
	const char *folder = config_text(r->config, SET_REVIEW_MARKS);

	if (folder[0] == '\0')
		return SOUK_OK;
	r->marks_mem = arena_new(MARKS_ARENA);
	if (r->marks_mem == NULL)
		return fail_set(f, SOUK_E_NOMEM, "out_of_memory", "no memory for the marks");
	return logo_marks_read("review.marks", folder, r->marks_mem, &r->marks, f);
}

const struct logo_known *
reviewer_marks(const struct reviewer *r, size_t *ret_n)
{
	*ret_n = r->marks.n_marks;
	return r->marks.marks;
}

struct logo_index *
reviewer_logos(struct reviewer *r)
{
	return r->logos;
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
reviewer_run(
    struct reviewer *r, const struct review_input *in, enum edition edition, struct findings *out)
{
	struct review_options o = { .edition =
					edition != EDITION_NONE ? edition : reviewer_edition(r) };
	struct review_context context = { .has_as_of = false };
	struct review_input all = *in;
	struct spare *s;
	enum souk_err err = take(r, &s);

	if (err != SOUK_OK)
		return err;
	if (in->context != NULL)
		context = *in->context;
	context.marks = r->marks.marks;
	context.n_marks = r->marks.n_marks;
	all.context = &context;
	err = text_scan(r->engine, s->scratch, in->listing, out->a, &all.text);
	give_back(r, s);
	return err == SOUK_OK ? review_run(&all, &o, out) : err;
}
