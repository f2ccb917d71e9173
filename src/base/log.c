/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log's lines. One write(2) a line, so that lines of several threads never
 * mix; every value is escaped, so that none can begin a line of its own.
 */
#include "base/log.h"

#include "base/clock.h"
#include "base/io.h"
#include "base/json.h"

#include <inttypes.h>
#include <unistd.h>

static enum log_level log_least = LOG_INFO;
static int log_json;

static const char *const level_words[] = {
	[LOG_DEBUG] = "debug",
	[LOG_INFO] = "info",
	[LOG_WARN] = "warn",
	[LOG_ERROR] = "error",
	[LOG_OFF] = "off",
};

void
log_setup(enum log_level least, int json)
{
	log_least = least;
	log_json = json;
}

enum log_level
log_level_now(void)
{
	return log_least;
}

/* Can a logfmt value stand without quotes? */
static bool
is_bare(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~' || s.p[i] == '"' || s.p[i] == '=' ||
		    s.p[i] == '\\')
			return false;
	return s.n > 0;
}

static void
add_text(struct jw *w, const char *key, struct str v)
{
	if (log_json) {
		jw_str(w, key, v);
		return;
	}
	if (w->out->n > 0)
		buf_add_char(w->out, ' ');
	buf_add_c(w->out, key);
	buf_add_char(w->out, '=');
	if (is_bare(v))
		buf_add_str(w->out, v);
	else
		json_add_quoted(w->out, v);
}

static void
add_pair(struct jw *w, const struct log_pair *p)
{
	if (p->is_text)
		add_text(w, p->key, p->s ? str_c(p->s) : STR("-"));
	else if (log_json)
		jw_int(w, p->key, p->i);
	else
		buf_printf(w->out, " %s=%" PRId64, p->key, p->i);
}

void
log_pairs(enum log_level level, const char *event, const struct log_pair *pairs, size_t n)
{
	struct buf line = { 0 };
	struct jw w;
	char ts[INSTANT_TEXT_LEN + 1];

	if (level < log_least || level >= LOG_OFF)
		return;
	jw_init(&w, &line);
	instant_format(clock_now(), ts);
	if (log_json)
		jw_open(&w, NULL, '{');
	add_text(&w, "ts", str_c(ts));
	add_text(&w, "level", str_c(level_words[level]));
	add_text(&w, "event", str_c(event));
	for (size_t i = 0; i < n; i++)
		add_pair(&w, &pairs[i]);
	if (log_json)
		jw_close(&w, '}');
	buf_add_char(&line, '\n');
	/* A log that cannot be written must not stop the work it tells of. */
	if (buf_ok(&line) && io_write_all(STDERR_FILENO, line.p, line.n) != SOUK_OK)
		buf_clear(&line);
	buf_done(&line);
}

void
log_fail(enum log_level level, const char *event, const char *id, const struct fail *f)
{
	struct buf fields = { 0 };

	for (size_t i = 0; i < f->n; i++) {
		if (i > 0)
			buf_add_char(&fields, ',');
		buf_add_c(&fields, f->entry[i].field);
	}
	log_event(level, event, LOG_S("id", id), LOG_S("error", souk_err_word(f->err)),
	    LOG_S("code", f->code), LOG_S("detail", f->detail), LOG_S("fields", fields.p));
	buf_done(&fields);
}
