/* SPDX-License-Identifier: Apache-2.0 */
/* Holidays out of an iCalendar file; see holidays.h. */
#include "base/holidays.h"

#include "base/array.h"
#include "base/utf8.h"

#include <libical/ical.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define LINE_MAX_BYTES 8192 /* of a line that is read, unfolded */
#define DEPTH_MAX 8
#define RULES_MAX 200 /* of a file: libical takes some milliseconds for one that is made for it */
#define REPEATS_MAX 50000 /* of all rules, those before the window included */
#define LISTED_MAX 500    /* EXDATEs or RDATEs of one event */
#define YEAR_FIRST 1900
#define YEAR_LAST 2200

/* A time as a property says it. */
struct moment {
	bool whole;   /* a day; `at` says nothing */
	day_t day;    /* as written, in its own zone */
	instant_t at; /* of a time */
	int minute, second;
	struct calendar *zone; /* NULL: UTC */
};

struct reader {
	struct str rest;
	unsigned line;  /* number of the line that was read last (its first, when folded) */
	unsigned below; /* lines that it was folded into, and blank ones behind */
	struct buf content;
	const struct holidays_window *w;
	struct arena *mem;
	struct calendar *home; /* of the window's zone */
	struct calendar *away; /* of the zone named last */
	char away_name[64];
	struct fail *f;
	struct holiday *days;
	size_t n, cap, n_rules, n_repeats;
	struct moment *without, *also; /* room for an event's, LISTED_MAX each */
};

static enum souk_err
bad(struct reader *r, unsigned line, const char *what, const char *fix)
{
	char field[40];

	(void)snprintf(field, sizeof(field), "icalendar line %u", line);
	return fail_field(r->f, field, what, fix);
}

static enum souk_err
too_much(struct reader *r, const char *what)
{
	return fail_set(r->f, SOUK_E_LIMIT, "icalendar_too_large",
	    "icalendar line %u: %s; give a smaller file.", r->line, what);
}

/* ---- lines ----------------------------------------------------------------------------- */

static struct str
physical_line(struct reader *r)
{
	const char *end = memchr(r->rest.p, '\n', r->rest.n);
	struct str line = { r->rest.p, end != NULL ? (size_t)(end - r->rest.p) : r->rest.n };
	size_t taken = line.n + (end != NULL);

	r->rest.p += taken;
	r->rest.n -= taken;
	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}

static bool
is_folded(const struct reader *r)
{
	return r->rest.n > 0 && (r->rest.p[0] == ' ' || r->rest.p[0] == '\t');
}

/* The next line that is not empty, unfolded, in r->content; longer ones are cut. False at the end. */
static bool
next_line(struct reader *r)
{
	struct str line;

	buf_clear(&r->content);
	do {
		if (r->rest.n == 0)
			return false;
		r->line += 1 + r->below;
		r->below = 0;
		line = physical_line(r);
	} while (str_trim(line).n == 0);
	buf_add_str(&r->content, line);
	while (is_folded(r)) {
		line = physical_line(r);
		r->below++;
		if (r->content.n <= LINE_MAX_BYTES)
			buf_add(&r->content, line.p + 1, line.n > 0 ? line.n - 1 : 0);
	}
	return true;
}

/* The name of the line's property, in upper case; "" when there is none. */
static struct str
property_name(struct reader *r, char out[32])
{
	size_t n = 0;

	while (n < r->content.n && n < 31) {
		char c = r->content.p[n];

		if (c == ':' || c == ';')
			break;
		out[n++] = (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
	}
	out[n] = '\0';
	if (n == r->content.n || (r->content.p[n] != ':' && r->content.p[n] != ';'))
		n = 0;
	return (struct str){ out, n };
}

/* The value of BEGIN or END. */
static struct str
component_name(const struct reader *r)
{
	struct str line = buf_str(&r->content);
	const char *colon = memchr(line.p, ':', line.n);

	if (colon == NULL)
		return STR("");
	return str_trim((struct str){ colon + 1, line.n - (size_t)(colon + 1 - line.p) });
}

static bool
is_wanted(struct str name)
{
	static const char *const wanted[] = { "DTSTART", "DTEND", "DURATION", "RRULE", "RDATE",
		"EXDATE", "STATUS", "SUMMARY", "RECURRENCE-ID" };

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (str_eq_c(name, wanted[i]))
			return true;
	return false;
}

/* ---- times ----------------------------------------------------------------------------- */

static bool
to_day(const struct icaltimetype *t, day_t *ret)
{
	char text[DAY_TEXT_LEN + 1];

	if (t->year < YEAR_FIRST || t->year > YEAR_LAST || t->month < 1 || t->month > 12 ||
	    t->day < 1 || t->day > 31)
		return false;
	(void)snprintf(text, sizeof(text), "%04u-%02u-%02u", (unsigned)t->year % 10000,
	    (unsigned)t->month % 100, (unsigned)t->day % 100);
	return day_parse((struct str){ text, DAY_TEXT_LEN }, ret);
}

static void
set_instant(struct moment *m)
{
	m->at = m->zone != NULL ? calendar_instant(m->zone, m->day, m->minute)
				: m->day * DAY_MS + m->minute * MINUTE_MS;
	m->at += m->second * SECOND_MS;
}

static enum souk_err
to_moment(struct reader *r, unsigned line, const struct icaltimetype *t, struct calendar *zone,
    struct moment *ret)
{
	struct moment m = { .whole = t->is_date != 0, .zone = zone };

	if (!to_day(t, &m.day))
		return bad(r, line, "is no date of the years 1900 to 2200", "correct the date");
	if (!m.whole) {
		if (t->hour < 0 || t->hour > 23 || t->minute < 0 || t->minute > 59 ||
		    t->second < 0 || t->second > 60)
			return bad(r, line, "is no time of a day", "correct the time");
		m.minute = t->hour * 60 + t->minute;
		m.second = t->second;
		set_instant(&m);
	}
	*ret = m;
	return SOUK_OK;
}

/* The zone of a property's times: its TZID, UTC, or where the calendar is. */
static enum souk_err
zone_of(struct reader *r, unsigned line, icalproperty *p, bool utc, struct calendar **ret)
{
	icalparameter *tzid = icalproperty_get_first_parameter(p, ICAL_TZID_PARAMETER);
	const char *name = tzid != NULL && !utc ? icalparameter_get_tzid(tzid) : NULL;
	struct calendar_spec spec = { .close = 24 * 60 };
	struct calendar *c = NULL;

	*ret = utc ? NULL : r->home;
	if (name == NULL)
		return SOUK_OK;
	if (r->away == NULL || strcmp(name, r->away_name) != 0) {
		spec.zone = str_c(name);
		if (strlen(name) >= sizeof(r->away_name) ||
		    calendar_new(&spec, &c, NULL) != SOUK_OK)
			return bad(r, line, "has a time zone that is not known here",
			    "write its IANA name, such as Europe/Berlin, or whole days "
			    "(VALUE=DATE)");
		calendar_free(r->away);
		r->away = c;
		(void)snprintf(r->away_name, sizeof(r->away_name), "%s", name);
	}
	*ret = r->away;
	return SOUK_OK;
}

static enum souk_err
property_moment(struct reader *r, unsigned line, icalproperty *p, const struct icaltimetype *t,
    struct moment *ret)
{
	struct calendar *zone = NULL;
	enum souk_err e = zone_of(r, line, p, icaltime_is_utc(*t) != 0, &zone);

	return e == SOUK_OK ? to_moment(r, line, t, zone, ret) : e;
}

/* ---- an event -------------------------------------------------------------------------- */

struct event {
	unsigned line; /* of its BEGIN */
	struct str name;
	struct moment start;
	bool has_start, has_end, cancelled;
	day_t days;        /* of whole days: how many */
	int64_t lasts;     /* of times: ms */
	struct moment end; /* as read */
	struct moment *without, *also;
	size_t n_without, n_also;
	bool repeats;
	struct icalrecurrencetype rule;
	struct moment until;
	bool has_until;
};

static enum souk_err
add_day(struct reader *r, day_t d, struct str name)
{
	if (d < r->w->from || d > r->w->to)
		return SOUK_OK;
	/* Twice as many, as the same day may come from several events. */
	if (r->n >= 2 * (size_t)HOLIDAYS_MAX)
		return too_much(r, "the file has too many holidays");
	if (!ARRAY_ROOM(r->days, r->n, r->cap, 64))
		return SOUK_E_NOMEM;
	r->days[r->n++] = (struct holiday){ d, name };
	return SOUK_OK;
}

/* The days whose hours lie within the times. */
static enum souk_err
add_times(struct reader *r, const struct event *e, instant_t from)
{
	int minute;
	day_t d = calendar_local(r->home, from, &minute);
	day_t last = calendar_local(r->home, from + e->lasts, &minute);
	enum souk_err err = SOUK_OK;

	if (d < r->w->from)
		d = r->w->from;
	for (; d <= last && d <= r->w->to && err == SOUK_OK; d++)
		if (calendar_instant(r->home, d, r->w->open) >= from &&
		    calendar_instant(r->home, d, r->w->close) <= from + e->lasts)
			err = add_day(r, d, e->name);
	return err;
}

static bool
is_without(const struct event *e, const struct moment *m)
{
	for (size_t i = 0; i < e->n_without; i++) {
		const struct moment *x = &e->without[i];

		if (x->whole || m->whole ? x->day == m->day : x->at == m->at)
			return true;
	}
	return false;
}

static enum souk_err
add_instance(struct reader *r, const struct event *e, const struct moment *m)
{
	enum souk_err err = SOUK_OK;

	if (is_without(e, m))
		return SOUK_OK;
	if (!m->whole)
		return add_times(r, e, m->at);
	for (day_t k = 0; k < e->days && err == SOUK_OK; k++)
		err = add_day(r, m->day + k, e->name);
	return err;
}

static bool
is_past_until(const struct event *e, const struct moment *m)
{
	if (!e->has_until)
		return false;
	return e->until.whole || m->whole ? m->day > e->until.day : m->at > e->until.at;
}

/* One that comes to no day any more although nothing ends it was searched for in vain, for thousands of years. */
static enum souk_err
repeat(struct reader *r, const struct event *e, const struct icaltimetype *start)
{
	icalrecur_iterator *i;
	enum souk_err err = SOUK_OK;
	int n = 0;

	if (r->n_rules++ == RULES_MAX)
		return too_much(r, "the file has too many events with an RRULE");
	if ((i = icalrecur_iterator_new(e->rule, *start)) == NULL)
		return bad(r, e->line, "has an RRULE that comes to no day", "correct the RRULE");
	for (; err == SOUK_OK; n++) {
		struct icaltimetype t = icalrecur_iterator_next(i);
		struct moment m = e->start;

		if (icaltime_is_null_time(t) && n > 0 && n == e->rule.count)
			break;
		if (icaltime_is_null_time(t))
			err = bad(r, e->line, "has an RRULE that comes to no further day",
			    "correct the RRULE");
		else if (r->n_repeats++ == REPEATS_MAX)
			err = too_much(r, "the events repeat too often");
		if (err != SOUK_OK || !to_day(&t, &m.day) || m.day > r->w->to + 1)
			break;
		if (!m.whole)
			set_instant(&m);
		if (is_past_until(e, &m))
			break;
		err = add_instance(r, e, &m);
	}
	icalrecur_iterator_free(i);
	return err;
}

static enum souk_err
check_rule(struct reader *r, const struct event *e)
{
	const struct icalrecurrencetype *q = &e->rule;

	if (q->freq != ICAL_YEARLY_RECURRENCE && q->freq != ICAL_MONTHLY_RECURRENCE)
		return bad(r, e->line, "repeats neither yearly nor monthly",
		    "use FREQ=YEARLY or MONTHLY; days of rest of each week belong into `weekend`");
	if (q->by_hour[0] != ICAL_RECURRENCE_ARRAY_MAX ||
	    q->by_minute[0] != ICAL_RECURRENCE_ARRAY_MAX ||
	    q->by_second[0] != ICAL_RECURRENCE_ARRAY_MAX)
		return bad(
		    r, e->line, "repeats within a day", "leave out BYHOUR, BYMINUTE, BYSECOND");
	if (q->rscale != NULL && strcasecmp(q->rscale, "GREGORIAN") != 0)
		return bad(r, e->line, "repeats by another calendar (RSCALE)",
		    "list its days by RDATE instead");
	return SOUK_OK;
}

static enum souk_err
take_rule(struct reader *r, struct event *e, icalproperty *p)
{
	enum souk_err err = SOUK_OK;

	if (e->repeats)
		return bad(r, e->line, "has more than one RRULE", "make it two events");
	e->repeats = true;
	e->rule = icalproperty_get_rrule(p);
	if (!icaltime_is_null_time(e->rule.until)) {
		bool utc = icaltime_is_utc(e->rule.until) != 0;

		err = to_moment(r, e->line, &e->rule.until, utc ? NULL : r->home, &e->until);
		e->has_until = true;
		e->rule.until = icaltime_null_time();
	}
	return err == SOUK_OK ? check_rule(r, e) : err;
}

static enum souk_err
take_listed(struct reader *r, struct event *e, icalproperty *p, const struct icaltimetype *t,
    struct moment *list, size_t *n)
{
	if (*n == LISTED_MAX)
		return too_much(r, "an event has too many EXDATE or RDATE");
	return property_moment(r, e->line, p, t, &list[(*n)++]);
}

static enum souk_err
take_duration(struct reader *r, struct event *e, icalproperty *p)
{
	struct icaldurationtype d = icalproperty_get_duration(p);
	int64_t days = (int64_t)d.weeks * 7 + d.days;

	if (d.is_neg || days > HOLIDAY_DAYS_MAX || d.hours > 24 * HOLIDAY_DAYS_MAX ||
	    d.minutes > 1440 * HOLIDAY_DAYS_MAX || d.seconds > 86400 * HOLIDAY_DAYS_MAX)
		return bad(
		    r, e->line, "does not last between a moment and a year", "correct DURATION");
	e->days = (day_t)days;
	e->lasts =
	    days * DAY_MS + d.hours * HOUR_MS + d.minutes * MINUTE_MS + d.seconds * SECOND_MS;
	return SOUK_OK;
}

/* At most so many code points, controls as blanks. */
static enum souk_err
take_name(struct reader *r, struct event *e, icalproperty *p)
{
	const char *text = icalproperty_get_summary(p);
	struct str rest = str_trim(str_c(text));
	struct buf b = { 0 };
	enum souk_err err = SOUK_OK;

	if (!utf8_valid(rest))
		return bad(r, e->line, "has a SUMMARY that is no UTF-8", "save the file as UTF-8");
	for (size_t n = 0; rest.n > 0 && n < HOLIDAY_NAME_MAX; n++) {
		uint32_t c = 0;
		size_t k = utf8_next(rest, &c);
		struct str one = { rest.p, k };

		if (utf8_has_control(one))
			buf_add_char(&b, ' ');
		else
			buf_add_str(&b, one);
		rest.p += k;
		rest.n -= k;
	}
	e->name = buf_ok(&b) ? arena_str(r->mem, buf_str(&b)) : STR("");
	if (e->name.p == NULL)
		err = SOUK_E_LIMIT;
	buf_done(&b);
	return err;
}

static enum souk_err
take_property(struct reader *r, struct event *e, icalproperty *p)
{
	struct icaltimetype t;
	struct icaldatetimeperiodtype dp;

	switch ((int)icalproperty_isa(p)) {
	case ICAL_DTSTART_PROPERTY:
		if (e->has_start)
			return bad(r, e->line, "has more than one DTSTART", "keep one");
		e->has_start = true;
		t = icalproperty_get_dtstart(p);
		return property_moment(r, e->line, p, &t, &e->start);
	case ICAL_DTEND_PROPERTY:
		e->has_end = true;
		t = icalproperty_get_dtend(p);
		return property_moment(r, e->line, p, &t, &e->end);
	case ICAL_DURATION_PROPERTY:
		return take_duration(r, e, p);
	case ICAL_RRULE_PROPERTY:
		return take_rule(r, e, p);
	case ICAL_EXDATE_PROPERTY:
		t = icalproperty_get_exdate(p);
		return take_listed(r, e, p, &t, e->without, &e->n_without);
	case ICAL_RDATE_PROPERTY:
		dp = icalproperty_get_rdate(p);
		if (icaltime_is_null_time(dp.time))
			return bad(r, e->line, "has an RDATE that is a period", "give its days");
		return take_listed(r, e, p, &dp.time, e->also, &e->n_also);
	case ICAL_STATUS_PROPERTY:
		e->cancelled = icalproperty_get_status(p) == ICAL_STATUS_CANCELLED;
		return SOUK_OK;
	case ICAL_SUMMARY_PROPERTY:
		return take_name(r, e, p);
	case ICAL_RECURRENCEID_PROPERTY:
		return bad(r, e->line, "replaces one day of another event (RECURRENCE-ID)",
		    "exclude that day with EXDATE there, and make this an event of its own");
	case ICAL_XLICERROR_PROPERTY:
		return bad(r, e->line, "has a line that cannot be read",
		    "check DTSTART, DTEND, DURATION, RRULE, RDATE, EXDATE of the event that begins "
		    "there");
	default:
		return SOUK_OK;
	}
}

static enum souk_err
set_length(struct reader *r, struct event *e)
{
	if (!e->has_start)
		return bad(r, e->line, "has no DTSTART", "say when the event is");
	if (e->has_end && e->end.whole != e->start.whole)
		return bad(r, e->line, "begins with a day and ends with a time, or the reverse",
		    "write both as days or both as times");
	if (e->has_end && e->start.whole)
		e->days = e->end.day - e->start.day;
	else if (e->has_end)
		e->lasts = e->end.at - e->start.at;
	if (e->start.whole && e->days == 0)
		e->days = 1;
	if (e->days < 0 || e->days > HOLIDAY_DAYS_MAX || e->lasts < 0 ||
	    e->lasts > HOLIDAY_DAYS_MAX * DAY_MS)
		return bad(r, e->line, "ends before it begins, or more than a year later",
		    "correct DTEND");
	return SOUK_OK;
}

static enum souk_err
add_event(struct reader *r, const struct event *e, const struct icaltimetype *start)
{
	enum souk_err err = SOUK_OK;

	if (e->cancelled)
		return SOUK_OK;
	for (size_t i = 0; i < e->n_also && err == SOUK_OK; i++)
		err = e->also[i].whole == e->start.whole
			  ? add_instance(r, e, &e->also[i])
			  : bad(r, e->line, "mixes days and times", "write RDATE as DTSTART is");
	if (err != SOUK_OK)
		return err;
	return e->repeats ? repeat(r, e, start) : add_instance(r, e, &e->start);
}

/* `text` is a VEVENT of the wanted lines. */
static enum souk_err
read_event(struct reader *r, struct buf *text, unsigned line)
{
	struct event e = { .line = line, .name = STR(""), .without = r->without, .also = r->also };
	icalcomponent *c;
	enum souk_err err = SOUK_OK;

	buf_add_c(text, "END:VEVENT\r\n");
	buf_add_char(text, '\0');
	if (!buf_ok(text))
		return SOUK_E_NOMEM;
	if ((c = icalparser_parse_string(text->p)) == NULL ||
	    icalcomponent_isa(c) != ICAL_VEVENT_COMPONENT)
		err = bad(r, line, "is no event that can be read", "check its lines");
	for (icalproperty *p =
		 err == SOUK_OK ? icalcomponent_get_first_property(c, ICAL_ANY_PROPERTY) : NULL;
	     p != NULL && err == SOUK_OK; p = icalcomponent_get_next_property(c, ICAL_ANY_PROPERTY))
		err = take_property(r, &e, p);
	if (err == SOUK_OK && (err = set_length(r, &e)) == SOUK_OK) {
		icalproperty *p = icalcomponent_get_first_property(c, ICAL_DTSTART_PROPERTY);
		struct icaltimetype start = icalproperty_get_dtstart(p);

		err = add_event(r, &e, &start);
	}
	if (c != NULL)
		icalcomponent_free(c);
	icalmemory_free_ring();
	return err;
}

/* ---- the file -------------------------------------------------------------------------- */

struct nesting {
	char name[DEPTH_MAX][32];
	size_t depth;
};

static bool
is_in_event(const struct nesting *s)
{
	return s->depth == 2 && strcmp(s->name[1], "VEVENT") == 0;
}

static enum souk_err
begin(struct reader *r, struct nesting *s)
{
	struct str name = component_name(r);

	if (s->depth == 0 && !str_eq_nocase(name, STR("VCALENDAR")))
		return bad(r, r->line, "begins something else than a VCALENDAR",
		    "give an iCalendar file (.ics)");
	if (s->depth == DEPTH_MAX || name.n >= sizeof(s->name[0]))
		return too_much(r, "components are nested too deeply");
	for (size_t i = 0; i <= name.n; i++)
		s->name[s->depth][i] =
		    i < name.n
			? (char)(name.p[i] >= 'a' && name.p[i] <= 'z' ? name.p[i] - 32 : name.p[i])
			: '\0';
	s->depth++;
	return SOUK_OK;
}

static enum souk_err
end(struct reader *r, struct nesting *s)
{
	if (s->depth == 0 || !str_eq_nocase(component_name(r), str_c(s->name[s->depth - 1])))
		return bad(r, r->line, "ends what did not begin", "check BEGIN and END");
	s->depth--;
	return SOUK_OK;
}

struct progress {
	struct nesting nesting;
	struct buf event; /* lines of the present one */
	unsigned event_line;
	size_t n_events, n_calendars;
};

static enum souk_err
take_begin(struct reader *r, struct progress *p)
{
	enum souk_err err = begin(r, &p->nesting);

	p->n_calendars += p->nesting.depth == 1;
	if (err != SOUK_OK || !is_in_event(&p->nesting))
		return err;
	if (++p->n_events > HOLIDAYS_EVENTS_MAX)
		return too_much(r, "the file has too many events");
	p->event_line = r->line;
	buf_clear(&p->event);
	buf_add_c(&p->event, "begin:vevent\r\n");
	return SOUK_OK;
}

static enum souk_err
take_end(struct reader *r, struct progress *p)
{
	bool was_event = is_in_event(&p->nesting);
	enum souk_err err = end(r, &p->nesting);

	return err == SOUK_OK && was_event ? read_event(r, &p->event, p->event_line) : err;
}

static enum souk_err
take_line(struct reader *r, struct progress *p)
{
	char upper[32];
	struct str name = property_name(r, upper);

	if (name.n == 0)
		return bad(r, r->line, "is no line of an iCalendar file", "give NAME:value lines");
	if (str_eq_nocase(name, STR("begin")))
		return take_begin(r, p);
	if (str_eq_c(name, "END"))
		return take_end(r, p);
	if (p->nesting.depth == 0)
		return bad(
		    r, r->line, "stands outside of a VCALENDAR", "begin with BEGIN:VCALENDAR");
	if (!is_in_event(&p->nesting) || !is_wanted(name))
		return SOUK_OK;
	if (r->content.n > LINE_MAX_BYTES)
		return too_much(r, "the line is longer than 8192 bytes");
	buf_add_str(&p->event, buf_str(&r->content));
	buf_add_c(&p->event, "\r\n");
	return SOUK_OK;
}

static enum souk_err
read_lines(struct reader *r)
{
	struct progress p = { 0 };
	enum souk_err err = SOUK_OK;

	if (str_starts(r->rest, STR("\xef\xbb\xbf"))) {
		r->rest.p += 3;
		r->rest.n -= 3;
	}
	while (err == SOUK_OK && next_line(r))
		err = buf_ok(&r->content) ? take_line(r, &p) : SOUK_E_NOMEM;
	if (err == SOUK_OK && p.nesting.depth > 0)
		err = bad(r, r->line, "is the last one, and a component has no END",
		    "give the whole file");
	else if (err == SOUK_OK && p.n_calendars == 0)
		err = bad(r, r->line, "is the last one, and there is no VCALENDAR",
		    "give an iCalendar file (.ics)");
	buf_done(&p.event);
	return err;
}

static int
compare(const void *a, const void *b)
{
	const struct holiday *x = a, *y = b;

	if (x->day != y->day)
		return x->day < y->day ? -1 : 1;
	return str_compare(x->name, y->name);
}

static enum souk_err
give(struct reader *r, const struct holiday **ret, size_t *ret_n)
{
	struct holiday *out;
	size_t n = 0;

	if (r->n > 0)
		qsort(r->days, r->n, sizeof(*r->days), compare);
	for (size_t i = 0; i < r->n; i++)
		if (n == 0 || r->days[n - 1].day != r->days[i].day)
			r->days[n++] = r->days[i];
	if (n > HOLIDAYS_MAX)
		return too_much(r, "the file has too many holidays");
	if ((out = arena_array(r->mem, n + 1, sizeof(*out))) == NULL)
		return SOUK_E_LIMIT;
	if (n > 0)
		memcpy(out, r->days, n * sizeof(*out));
	*ret = out;
	*ret_n = n;
	return SOUK_OK;
}

static void
set_up_libical(void)
{
	icalerror_set_errors_are_fatal(0);
}

enum souk_err
holidays_read(struct str text, const struct holidays_window *w, struct arena *mem,
    const struct holiday **ret, size_t *ret_n, struct fail *f)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct calendar_spec spec = { .zone = w->zone, .open = w->open, .close = w->close };
	struct reader r = { .rest = text, .w = w, .mem = mem, .f = f };
	enum souk_err err;

	(void)pthread_once(&once, set_up_libical);
	if (text.n > HOLIDAYS_BYTES_MAX)
		return fail_set(f, SOUK_E_LIMIT, "icalendar_too_large",
		    "The iCalendar file is longer than %zu bytes.", HOLIDAYS_BYTES_MAX);
	if (memchr(text.p, '\0', text.n) != NULL)
		return fail_field(f, "icalendar", "has a NUL byte", "give a text file (.ics)");
	r.without = arena_array(mem, LISTED_MAX, sizeof(*r.without));
	r.also = arena_array(mem, LISTED_MAX, sizeof(*r.also));
	if (r.without == NULL || r.also == NULL)
		return SOUK_E_LIMIT;
	if ((err = calendar_new(&spec, &r.home, f)) != SOUK_OK)
		return err;
	err = read_lines(&r);
	if (err == SOUK_OK)
		err = give(&r, ret, ret_n);
	calendar_free(r.home);
	calendar_free(r.away);
	buf_done(&r.content);
	free(r.days);
	return err;
}
