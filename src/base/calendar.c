/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Days and business days; see calendar.h.
 *
 * GLib reads the system's time zone data (it takes the rule for the years to come from there as well).
 * It would also take a path or an offset for a zone, so names are checked first.
 */
#include "base/calendar.h"

#include <glib.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define DAY_FIRST (-719162) /* 0001-01-01 */
#define DAY_LAST 2932896    /* 9999-12-31 */
#define MINUTES_OF_DAY (24 * 60)
#define ZONES "/usr/share/zoneinfo/"
#define ZONE_MAX 64

struct calendar {
	GTimeZone *zone;
	uint8_t weekend;
	int open, close;
	size_t n_holidays;
	day_t holidays[]; /* ordered */
};

bool
day_parse(struct str s, day_t *ret)
{
	instant_t t;

	if (s.n != DAY_TEXT_LEN || !instant_parse(s, &t))
		return false;
	*ret = day_of(t);
	return true;
}

void
day_write(day_t d, char out[DAY_TEXT_LEN + 1])
{
	char text[INSTANT_TEXT_LEN + 1];

	instant_format((instant_t)d * DAY_MS, text);
	memcpy(out, text, DAY_TEXT_LEN);
	out[DAY_TEXT_LEN] = '\0';
}

unsigned
day_weekday(day_t d)
{
	return (unsigned)((d % 7 + 7 + 4) % 7); /* 1970-01-01 was a Thursday */
}

bool
minute_parse(struct str s, int *ret)
{
	uint64_t hour = 0, minute = 0;

	if (s.n != 5 || s.p[2] != ':' || !str_to_u64((struct str){ s.p, 2 }, 24, &hour) ||
	    !str_to_u64((struct str){ s.p + 3, 2 }, 59, &minute) || (hour == 24 && minute > 0))
		return false;
	*ret = (int)(hour * 60 + minute);
	return true;
}

/* Letters, digits and "+-_/" only: no path that leads out of there. */
static bool
zone_path(struct str zone, char path[sizeof(ZONES) + ZONE_MAX])
{
	size_t n = 0;

	if (zone.n == 0 || zone.n > ZONE_MAX || zone.p[0] == '/')
		return false;
	for (; n < zone.n; n++) {
		char c = zone.p[n];

		if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
			(c != '\0' && strchr("+-_/", c) != NULL)))
			return false;
	}
	(void)snprintf(path, sizeof(ZONES) + ZONE_MAX, ZONES "%.*s", (int)zone.n, zone.p);
	return true;
}

/* GLib would take an offset such as "UTC+3" as well. */
static bool
is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static int
compare_days(const void *a, const void *b)
{
	day_t x = *(const day_t *)a, y = *(const day_t *)b;

	return (x > y) - (x < y);
}

static enum souk_err
check_spec(const struct calendar_spec *s, struct fail *f)
{
	enum souk_err err = SOUK_OK;

	if ((s->weekend & 0x7f) == 0x7f)
		err = fail_field(f, "weekend", "leaves no day open", "leave a day out of it");
	if (s->open < 0 || s->open >= MINUTES_OF_DAY)
		err = fail_field(f, "open", "is missing", "write it as \"09:00\"");
	if (s->close < 0 || s->close > MINUTES_OF_DAY)
		err = fail_field(f, "close", "is missing", "write it as \"17:00\"");
	else if (s->close <= s->open)
		err = fail_field(f, "close", "does not lie behind `open`",
		    "give hours within one day, such as \"09:00\" and \"17:00\"");
	return err;
}

/*
 * Zones that were asked for stay: reading one takes longer than all that is computed with it. There are only
 * as many as the system has files. New time zone data is seen by the next process.
 */
static pthread_mutex_t zones_lock = PTHREAD_MUTEX_INITIALIZER;
static GHashTable *zones;

static GTimeZone *
zone_open(struct str name)
{
	char path[sizeof(ZONES) + ZONE_MAX], *id = path + sizeof(ZONES) - 1;
	GTimeZone *zone;

	if (!zone_path(name, path))
		return NULL;
	(void)pthread_mutex_lock(&zones_lock);
	if (zones == NULL)
		zones = g_hash_table_new(g_str_hash, g_str_equal);
	zone = g_hash_table_lookup(zones, id);
	if (zone == NULL && is_file(path) && (zone = g_time_zone_new_identifier(id)) != NULL)
		(void)g_hash_table_insert(zones, g_strdup(id), zone);
	if (zone != NULL)
		(void)g_time_zone_ref(zone);
	(void)pthread_mutex_unlock(&zones_lock);
	return zone;
}

enum souk_err
calendar_new(const struct calendar_spec *spec, struct calendar **ret, struct fail *f)
{
	enum souk_err err = check_spec(spec, f);
	GTimeZone *zone = zone_open(spec->zone);
	struct calendar *c;

	if (zone == NULL)
		err = fail_field(f, "zone",
		    spec->zone.n > 0 ? "is no time zone that is known here" : "is missing",
		    "write its IANA name, such as \"Europe/Berlin\"");
	if (err != SOUK_OK)
		goto out;
	c = calloc(1, sizeof(*c) + spec->n_holidays * sizeof(*c->holidays));
	if (c == NULL) {
		err = fail_set(f, SOUK_E_NOMEM, "out_of_memory", "No memory for the calendar.");
		goto out;
	}
	*c = (struct calendar){ .zone = zone,
		.weekend = spec->weekend,
		.open = spec->open,
		.close = spec->close,
		.n_holidays = spec->n_holidays };
	if (spec->n_holidays > 0) {
		memcpy(c->holidays, spec->holidays, spec->n_holidays * sizeof(*c->holidays));
		qsort(c->holidays, c->n_holidays, sizeof(*c->holidays), compare_days);
	}
	zone = NULL;
	*ret = c;
out:
	if (zone != NULL)
		g_time_zone_unref(zone);
	return err;
}

void
calendar_free(struct calendar *c)
{
	if (c == NULL)
		return;
	g_time_zone_unref(c->zone);
	free(c);
}

bool
calendar_is_open_day(const struct calendar *c, day_t d)
{
	return (c->weekend >> day_weekday(d) & 1) == 0 &&
	       (c->n_holidays == 0 ||
		   bsearch(&d, c->holidays, c->n_holidays, sizeof(d), compare_days) == NULL);
}

day_t
calendar_local(const struct calendar *c, instant_t t, int *ret_minute)
{
	int64_t seconds = t / SECOND_MS - (t % SECOND_MS < 0);
	int i = g_time_zone_find_interval(c->zone, G_TIME_TYPE_UNIVERSAL, seconds);
	int64_t local = t + g_time_zone_get_offset(c->zone, i) * SECOND_MS;
	day_t d = day_of(local);

	*ret_minute = (int)((local - d * DAY_MS) / MINUTE_MS);
	return d;
}

/* A local time that is left out moves to the jump. */
static instant_t
instant_as(const struct calendar *c, GTimeType type, int64_t local)
{
	gint64 seconds = local;
	int i = g_time_zone_adjust_time(c->zone, type, &seconds);

	return (seconds - g_time_zone_get_offset(c->zone, i)) * SECOND_MS;
}

instant_t
calendar_instant(const struct calendar *c, day_t d, int minute)
{
	int64_t local = d * INT64_C(86400) + minute * 60;
	/* Which of two is the later is not the same everywhere: Dublin's standard time is summer's. */
	instant_t one = instant_as(c, G_TIME_TYPE_STANDARD, local);
	instant_t two = instant_as(c, G_TIME_TYPE_DAYLIGHT, local);

	return one > two ? one : two;
}

bool
calendar_deadline(const struct calendar *c, instant_t from, unsigned days, instant_t *ret)
{
	int minute;
	day_t d = calendar_local(c, from, &minute), end = d + CALENDAR_SEARCH_DAYS;
	bool late = calendar_instant(c, d, c->close) < from;

	if (d < DAY_FIRST || end > DAY_LAST)
		return false;
	if (late)
		d++;
	for (; d <= end; d++) {
		if (!calendar_is_open_day(c, d))
			continue;
		if (days == 0) {
			*ret = calendar_instant(c, d, c->close);
			return true;
		}
		days--;
	}
	return false;
}
