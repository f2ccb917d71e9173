/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Structured log: one line per event on stderr, logfmt or JSON.
 *
 * Only the request dispatcher, the job runner and the command line write log lines;
 * libraries return errors (style H22). Values are ids, codes, counts and words of
 * ours: never a field a buyer typed, never SQL values, never a body, query or token.
 */
#ifndef SOUK_BASE_LOG_H
#define SOUK_BASE_LOG_H

#include "base/error.h"

#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_OFF };

void log_setup(enum log_level least, int json); /* not thread-safe: once, at start */
enum log_level log_level_now(void);

/* Key-value pairs: log_event(LOG_INFO, "job_done", LOG_S("id", id), LOG_I("rows", n)); */
struct log_pair {
	const char *key;
	const char *s; /* NULL writes "-" */
	int64_t i;
	int is_text;
};
#define LOG_S(k, v) ((struct log_pair){ .key = (k), .s = (v), .is_text = 1 })
#define LOG_I(k, v) ((struct log_pair){ .key = (k), .i = (int64_t)(v) })

void log_pairs(enum log_level level, const char *event, const struct log_pair *pairs, size_t n);
#define log_event(level, event, ...)                                                               \
	do {                                                                                       \
		const struct log_pair log_p_[] = { __VA_ARGS__ };                                  \
		log_pairs((level), (event), log_p_, sizeof(log_p_) / sizeof(log_p_[0]));           \
	} while (0)
/* The failure in words: code, sentence and field names. */
void log_fail(enum log_level level, const char *event, const char *id, const struct fail *f);

#endif
