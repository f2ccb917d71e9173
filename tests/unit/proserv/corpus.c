/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "corpus.h"

#include "base/io.h"
#include "proserv/review.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

/* The member that a rule's snippets are put into. */
static const struct {
	const char *rule, *member;
} members[] = {
	{ "PS-USE-03", "event" },
	{ "PS-USE-04", "support_description" },
	{ "PS-USE-06", "support_description" },
	{ "PS-USE-10", "support_description" },
	{ "PS-DET-01", "title" },
	{ "PS-OFF-03", "offer" },
	{ "PS-SETUP-03", "dimension" },
};

void
corpus_open(struct corpus *c)
{
	struct fail f = { .err = SOUK_OK };

	if (text_engine_new(&c->engine, &f) != SOUK_OK)
		fail_msg("%s", f.detail);
	assert_int_equal(text_scratch_new(c->engine, &c->scratch), SOUK_OK);
}

void
corpus_close(struct corpus *c)
{
	text_scratch_free(c->scratch);
	text_engine_free(c->engine);
}

static void
put(struct listing *l, const char *rule, struct str text)
{
	static struct listing_dimension dimension;
	static struct listing_offer offer;
	static struct fulfilment_event event;
	static struct listing_fulfilment fulfilment;
	const char *member = "long_description";

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		if (strcmp(members[i].rule, rule) == 0)
			member = members[i].member;
	l->needs_resources = strcmp(rule, "PS-ARCH-05") == 0;
	if (strcmp(member, "title") == 0) {
		l->title = text;
	} else if (strcmp(member, "support_description") == 0) {
		l->support_description = text;
	} else if (strcmp(member, "dimension") == 0) {
		dimension =
		    (struct listing_dimension){ .name = STR("Package"), .description = text };
		l->dimensions = &dimension;
		l->n_dimensions = 1;
	} else if (strcmp(member, "offer") == 0) {
		offer = (struct listing_offer){ .name = text };
		l->offers = &offer;
		l->n_offers = 1;
	} else if (strcmp(member, "event") == 0) {
		event =
		    (struct fulfilment_event){ .kind = EVENT_ACCESS_CONFIRMATION, .text = text };
		fulfilment = (struct listing_fulfilment){ .events = &event, .n_events = 1 };
		l->fulfilments = &fulfilment;
		l->n_fulfilments = 1;
	} else {
		l->long_description = text;
	}
}

/* Does the rule, and its check on words, find something? */
static bool
finds(struct corpus *c, const char *rule, const char *language, struct str text)
{
	struct arena *a = arena_new((size_t)4 << 20);
	struct listing l = { .id = STR("snippet"), .language = str_c(language) };
	struct review_input in = { .listing = &l };
	struct findings found;
	bool ret = false;

	put(&l, rule, text);
	assert_int_equal(text_scan(c->engine, c->scratch, &l, a, &in.text), SOUK_OK);
	findings_init(&found, a);
	assert_int_equal(review_run(&in, NULL, &found), SOUK_OK);
	for (size_t i = 0; i < found.n; i++)
		ret |= found.v[i].kind == KIND_HEURISTIC && strcmp(found.v[i].rule->id, rule) == 0;
	arena_free(a);
	return ret;
}

static struct corpus_score *
score_of(struct corpus_score *v, size_t *n, size_t max, const char *rule)
{
	for (size_t i = 0; i < *n; i++)
		if (strcmp(v[i].rule, rule) == 0)
			return &v[i];
	assert_true(*n < max);
	v[*n] = (struct corpus_score){ .right = 0 };
	(void)snprintf(v[*n].rule, sizeof(v[*n].rule), "%s", rule);
	return &v[(*n)++];
}

static void
run_line(
    struct corpus *c, struct str line, bool tell, struct corpus_score *v, size_t *n, size_t max)
{
	json_t *o = json_loadb(line.p, line.n, 0, NULL);
	const char *rule, *language, *text;
	int want = 0;
	struct corpus_score *s;
	bool got;

	assert_non_null(o);
	assert_int_equal(json_unpack(o, "{s:s,s:b,s:s,s:s!}", "rule", &rule, "finding", &want,
			     "language", &language, "text", &text),
	    0);
	got = finds(c, rule, language, str_c(text));
	s = score_of(v, n, max, rule);
	*(want ? (got ? &s->right : &s->missed) : (got ? &s->wrong : &s->clean)) += 1;
	if (tell && got != (want != 0))
		printf("%s %s %s: %s\n", rule, got ? "WRONG" : "missed", language, text);
	json_decref(o);
}

size_t
corpus_run(struct corpus *c, bool held_out, bool tell, struct corpus_score *ret, size_t max)
{
	glob_t files;
	size_t n = 0;

	assert_int_equal(glob(SOUK_SOURCE "/tests/corpus/proserv/*.jsonl", 0, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		struct buf b = { .p = NULL };
		struct str rest, line;
		struct fail f;

		if ((strstr(files.gl_pathv[i], "/held-out-") != NULL) != held_out)
			continue;
		assert_int_equal(io_read_file(files.gl_pathv[i], (size_t)1 << 20, &b, &f), SOUK_OK);
		rest = buf_str(&b);
		while (str_split(&rest, '\n', &line))
			if (line.n > 0)
				run_line(c, line, tell, ret, &n, max);
		buf_done(&b);
	}
	globfree(&files);
	return n;
}
