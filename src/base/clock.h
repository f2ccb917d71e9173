/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only source of time (design 7). Nothing else calls time() or clock_gettime().
 *
 * Instants are milliseconds since 1970-01-01T00:00:00Z. What users see comes from
 * CLOCK_REALTIME (tests move it from outside); waiting uses CLOCK_MONOTONIC.
 */
#ifndef SOUK_BASE_CLOCK_H
#define SOUK_BASE_CLOCK_H

#include "base/str.h"

#include <pthread.h>
#include <stdint.h>

typedef int64_t instant_t; /* milliseconds since the epoch, UTC */

#define INSTANT_MIN INT64_C(-62135596800000) /* 0001-01-01T00:00:00.000Z */
#define INSTANT_MAX INT64_C(253402300799999) /* 9999-12-31T23:59:59.999Z */
#define SECOND_MS INT64_C(1000)
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)

instant_t clock_now(void);
uint64_t clock_mono_ns(void);    /* for durations and waiting only */
void clock_sleep_ms(int64_t ms); /* relative, survives signals */

/* A condition variable that waits on the monotonic clock. */
void clock_cond_init(pthread_cond_t *c);
/* Waits at most `ms`; false when the time ran out. Spurious wake-ups return true. */
bool clock_cond_wait_ms(pthread_cond_t *c, pthread_mutex_t *m, int64_t ms);

/* Formatting takes an instant out of range for the nearest one in range. */
/* "YYYY-MM-DDTHH:mm:ss.nnnZ", always three fraction digits (psc 2.2). */
#define INSTANT_TEXT_LEN 24
void instant_format(instant_t t, char out[INSTANT_TEXT_LEN + 1]);
/* "YYYY-MM-DDTHH-mm-ssZ", for object names (psc 7). */
#define INSTANT_NAME_LEN 20
void instant_format_name(instant_t t, char out[INSTANT_NAME_LEN + 1]);
/* "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110). */
#define INSTANT_HTTP_LEN 29
void instant_format_http(instant_t t, char out[INSTANT_HTTP_LEN + 1]);
/* "YYYYMMDDTHHMMSSZ" (sigv4-and-s3 1). */
#define INSTANT_AMZ_LEN 16
void instant_format_amz(instant_t t, char out[INSTANT_AMZ_LEN + 1]);

/*
 * RFC 3339, lenient where psc 3.3 asks for it: fraction of 0..9 digits (cut to
 * milliseconds, never rounded), 'T' or blank, offset "Z", "+hh:mm" or absent (UTC);
 * a date alone is its midnight. False on anything else or out of range.
 */
SOUK_MUST bool instant_parse(struct str s, instant_t *ret);
SOUK_MUST bool instant_parse_http(struct str s, instant_t *ret); /* RFC 1123 form only */
SOUK_MUST bool instant_parse_amz(struct str s, instant_t *ret);
/*
 * Any JSON number as epoch seconds ("1470366890.334", "1.470366890E9"): cut to
 * milliseconds, computed on the text, never through a double (psc 3.3).
 */
SOUK_MUST bool instant_parse_epoch(struct str number, instant_t *ret);

#endif
