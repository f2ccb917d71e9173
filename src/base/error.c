/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Error words and the record of a failure.
 *
 * Everything put in here may be shown to a stranger and written to a log:
 * callers pass words of ours, never a value that came from outside.
 */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>

static const char *const err_words[SOUK_E__COUNT] = {
	[SOUK_OK] = "ok",
	[SOUK_E_INTERNAL] = "internal",
	[SOUK_E_NOMEM] = "out_of_memory",
	[SOUK_E_INVALID] = "invalid",
	[SOUK_E_UNAUTHENTICATED] = "unauthenticated",
	[SOUK_E_DENIED] = "denied",
	[SOUK_E_NOT_FOUND] = "not_found",
	[SOUK_E_CONFLICT] = "conflict",
	[SOUK_E_PRECONDITION] = "precondition_failed",
	[SOUK_E_LIMIT] = "limit",
	[SOUK_E_UNAVAILABLE] = "unavailable",
	[SOUK_E_STORAGE] = "storage",
	[SOUK_E_UNCERTAIN] = "uncertain",
};

const char *
souk_err_word(enum souk_err err)
{
	return (unsigned)err < SOUK_E__COUNT ? err_words[err] : err_words[SOUK_E_INTERNAL];
}

enum souk_err
fail_set(struct fail *f, enum souk_err err, const char *code, const char *fmt, ...)
{
	va_list ap;

	if (!f)
		return err;
	f->err = err;
	f->code = code;
	va_start(ap, fmt);
	(void)vsnprintf(f->detail, sizeof(f->detail), fmt, ap);
	va_end(ap);
	return err;
}

static void
put(char *out, size_t size, const char *s)
{
	(void)snprintf(out, size, "%s", s ? s : "");
}

enum souk_err
fail_field(struct fail *f, const char *field, const char *what, const char *fix)
{
	struct fail_entry *e;

	if (!f)
		return SOUK_E_INVALID;
	if (f->err == SOUK_OK) {
		f->err = SOUK_E_INVALID;
		f->code = "invalid_field";
		put(f->detail, sizeof(f->detail),
		    "The request has fields that cannot be accepted.");
	}
	f->n_total++;
	if (f->n < FAIL_ENTRIES_MAX) {
		e = &f->entry[f->n++];
		put(e->field, sizeof(e->field), field);
		put(e->what, sizeof(e->what), what);
		put(e->fix, sizeof(e->fix), fix);
	}
	return SOUK_E_INVALID;
}

void
fail_line(const struct fail *f, char *out, size_t out_size)
{
	const struct fail_entry *e = &f->entry[0];

	if (f->n > 0)
		(void)snprintf(
		    out, out_size, "%s: %s%s%s", e->field, e->what, e->fix[0] ? "; " : "", e->fix);
	else
		put(out, out_size, f->detail[0] ? f->detail : souk_err_word(f->err));
}
