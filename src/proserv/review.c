/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the rules over a listing and keeps what they find; see review.h. */
#include "proserv/review.h"

#include "proserv/review_int.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

const char *
at(struct review *r, const char *fmt, ...)
{
	char text[128];
	va_list ap;
	const char *p;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	p = arena_strdup(r->out->a, text);
	if (p == NULL)
		r->out->failed = true;
	return p != NULL ? p : "";
}

/* What fits, cut at a character. */
static struct str
clip(struct str s)
{
	size_t n = s.n < EVIDENCE_MAX ? s.n : EVIDENCE_MAX;

	while (n > 0 && n < s.n && ((unsigned char)s.p[n] & 0xc0) == 0x80)
		n--;
	return (struct str){ s.p, n };
}

static struct finding *
next(struct findings *f)
{
	size_t cap = f->cap > 0 ? 2 * f->cap : 16;
	struct finding *v;

	if (f->n < f->cap)
		return &f->v[f->n++];
	v = arena_array(f->a, cap, sizeof(*v));
	if (v == NULL) {
		f->failed = true;
		return NULL;
	}
	if (f->n > 0)
		memcpy(v, f->v, f->n * sizeof(*v));
	f->v = v;
	f->cap = cap;
	return &f->v[f->n++];
}

static void
add(struct review *r, enum severity s, const char *pointer, struct str evidence, const char *hint,
    const char *text)
{
	struct finding *f;

	if (r->n_of_rule > FINDINGS_PER_RULE)
		return;
	if (r->n_of_rule++ == FINDINGS_PER_RULE) {
		text = "There are more places like these";
		evidence = NO_EVIDENCE;
	}
	f = next(r->out);
	if (f == NULL)
		return;
	*f = (struct finding){ .rule = r->rule,
		.severity = s,
		.kind = r->kind,
		.pointer = arena_str(r->out->a, str_c(pointer)),
		.message = arena_str(r->out->a, str_c(text)),
		.evidence = evidence.n > 0 ? arena_str(r->out->a, clip(evidence)) : NO_EVIDENCE,
		.hint = hint };
	if (f->pointer.p == NULL || f->message.p == NULL || f->evidence.p == NULL)
		r->out->failed = true;
}

void
finding_add(struct review *r, const char *pointer, struct str evidence, const char *fmt, ...)
{
	enum severity s = r->rule->severity;
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (r->kind == KIND_HEURISTIC && s > SEVERITY_WARNING)
		s = SEVERITY_WARNING;
	add(r, s, pointer, evidence, r->rule->hint, text);
}

void
finding_add_as(struct review *r, enum severity s, const char *pointer, struct str evidence,
    const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	add(r, s, pointer, evidence, r->rule->hint, text);
}

void
not_checked(struct review *r, const char *pointer, const char *what)
{
	char text[256];

	(void)snprintf(text, sizeof(text), NOT_CHECKED "%s", what);
	add(r, SEVERITY_INFO, pointer, NO_EVIDENCE, "give what is missing, see --context", text);
}

static int
compare(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;
	int c = str_compare(x->pointer, y->pointer);

	if (c == 0)
		c = strcmp(x->rule->id, y->rule->id);
	return c != 0 ? c : str_compare(x->message, y->message);
}

static void
run_rule(struct review *r, const struct rule *rule)
{
	r->rule = rule;
	r->n_of_rule = 0;
	r->kind = KIND_DETERMINISTIC;
	if (rule->check != NULL)
		rule->check(r);
	if (rule->question != NULL && r->n_of_rule == 0) {
		r->kind = KIND_HUMAN;
		add(r, SEVERITY_INFO, rule->question_at, NO_EVIDENCE, "a person decides",
		    rule->question);
	}
	r->kind = KIND_HEURISTIC;
	if (rule->heuristic != NULL)
		rule->heuristic(r);
}

enum souk_err
review_run(const struct review_input *in, const struct review_options *o, struct findings *out)
{
	static const struct review_context nothing = { .as_of = 0 };
	struct review r = { .listing = in->listing,
		.context = in->context != NULL ? in->context : &nothing,
		.text = in->text,
		.logo = in->logo,
		.logo_unreadable = in->logo_unreadable,
		.edition = o != NULL ? o->edition : EDITION_NONE,
		.out = out };
	size_t before = out->n;

	if (r.edition == EDITION_NONE)
		r.edition =
		    in->listing->edition != EDITION_NONE ? in->listing->edition : EDITION_G21;
	for (size_t i = 0; i < n_rules; i++)
		if ((rules[i].editions & (unsigned)r.edition) != 0 &&
		    (o == NULL || o->skip == NULL || !o->skip[i]))
			run_rule(&r, &rules[i]);
	if (out->failed)
		return SOUK_E_NOMEM;
	if (out->n > before + 1)
		qsort(out->v + before, out->n - before, sizeof(*out->v), compare);
	return SOUK_OK;
}
