/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time: the two clocks, and instants to and from text.
 *
 * The proleptic Gregorian calendar without leap seconds, as POSIX and the
 * marketplace's own files have it. Written out here because the C library's
 * calendar depends on the process's time zone and locale.
 */
#include "base/clock.h"

#include <errno.h>
#include <time.h>

static const char month_names[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug",
	"Sep", "Oct", "Nov", "Dec" };
static const char day_names[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };

struct civil {
	int year, month, day; /* 1..9999, 1..12, 1..31 */
	int hour, minute, second, ms;
	int weekday; /* 0 is Sunday */
};

instant_t
clock_now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (instant_t)ts.tv_sec * SECOND_MS + ts.tv_nsec / 1000000;
}

uint64_t
clock_mono_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * UINT64_C(1000000000) + (uint64_t)ts.tv_nsec;
}

static struct timespec
timespec_of_ns(uint64_t ns)
{
	return (struct timespec){ .tv_sec = (time_t)(ns / 1000000000),
		.tv_nsec = (long)(ns % 1000000000) };
}

/* The monotonic instant `ms` from now; a wait is never longer than a year. */
static struct timespec
deadline(int64_t ms)
{
	int64_t wait = ms < 0 ? 0 : ms > 365 * DAY_MS ? 365 * DAY_MS : ms;

	return timespec_of_ns(clock_mono_ns() + (uint64_t)wait * 1000000);
}

void
clock_sleep_ms(int64_t ms)
{
	struct timespec until = deadline(ms);

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
		;
}

void
clock_cond_init(pthread_cond_t *c)
{
	pthread_condattr_t attr;

	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(c, &attr);
	(void)pthread_condattr_destroy(&attr);
}

bool
clock_cond_wait_ms(pthread_cond_t *c, pthread_mutex_t *m, int64_t ms)
{
	struct timespec until = deadline(ms);

	return pthread_cond_timedwait(c, m, &until) != ETIMEDOUT;
}

/* Days since 1970-01-01; years begin in March so that the leap day comes last. */
static int64_t
days_of(int year, int month, int day)
{
	int y = month <= 2 ? year - 1 : year;
	int era = y / 400; /* y >= 0 */
	int yoe = y - era * 400;
	int doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;

	return (int64_t)era * 146097 + doe - 719468;
}

static void
date_of(int64_t days, struct civil *c)
{
	int64_t z = days + 719468; /* since 0000-03-01; never negative in our range */
	int64_t era = z / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;

	c->day = (int)(doy - (153 * mp + 2) / 5 + 1);
	c->month = (int)(mp < 10 ? mp + 3 : mp - 9);
	c->year = (int)(yoe + era * 400 + (c->month <= 2));
	c->weekday = (int)((z + 3) % 7);
}

static struct civil
civil_of(instant_t t)
{
	struct civil c = { 0 };
	int64_t days, ms;

	t = t < INSTANT_MIN ? INSTANT_MIN : t > INSTANT_MAX ? INSTANT_MAX : t;
	days = t / DAY_MS - (t % DAY_MS < 0);
	ms = t - days * DAY_MS;
	date_of(days, &c);
	c.hour = (int)(ms / HOUR_MS);
	c.minute = (int)(ms / MINUTE_MS % 60);
	c.second = (int)(ms / SECOND_MS % 60);
	c.ms = (int)(ms % SECOND_MS);
	return c;
}

/* Writes `v` as `digits` decimal digits at `p`. */
static char *
put_digits(char *p, int v, int digits)
{
	for (int i = digits - 1; i >= 0; i--, v /= 10)
		p[i] = (char)('0' + v % 10);
	return p + digits;
}

static char *
put_char(char *p, char c)
{
	*p = c;
	return p + 1;
}

/* YYYY<ds>MM<ds>DDTHH<ts>mm<ts>ss; a separator of 0 is left out. */
static char *
put_civil(char *p, const struct civil *c, char ds, char ts)
{
	p = put_digits(p, c->year, 4);
	p = ds ? put_char(p, ds) : p;
	p = put_digits(p, c->month, 2);
	p = ds ? put_char(p, ds) : p;
	p = put_digits(p, c->day, 2);
	p = put_char(p, 'T');
	p = put_digits(p, c->hour, 2);
	p = ts ? put_char(p, ts) : p;
	p = put_digits(p, c->minute, 2);
	p = ts ? put_char(p, ts) : p;
	return put_digits(p, c->second, 2);
}

void
instant_format(instant_t t, char out[INSTANT_TEXT_LEN + 1])
{
	struct civil c = civil_of(t);
	char *p = put_civil(out, &c, '-', ':');

	p = put_char(p, '.');
	p = put_digits(p, c.ms, 3);
	p = put_char(p, 'Z');
	*p = '\0';
}

void
instant_format_name(instant_t t, char out[INSTANT_NAME_LEN + 1])
{
	struct civil c = civil_of(t);
	char *p = put_civil(out, &c, '-', '-');

	p = put_char(p, 'Z');
	*p = '\0';
}

void
instant_format_amz(instant_t t, char out[INSTANT_AMZ_LEN + 1])
{
	struct civil c = civil_of(t);
	char *p = put_civil(out, &c, '\0', '\0');

	p = put_char(p, 'Z');
	*p = '\0';
}

void
instant_format_http(instant_t t, char out[INSTANT_HTTP_LEN + 1])
{
	struct civil c = civil_of(t);

	memcpy(out, "Sun, 06 Nov 1994 08:49:37 GMT", INSTANT_HTTP_LEN + 1);
	memcpy(out, day_names[c.weekday], 3);
	put_digits(out + 5, c.day, 2);
	memcpy(out + 8, month_names[c.month - 1], 3);
	put_digits(out + 12, c.year, 4);
	put_digits(out + 17, c.hour, 2);
	put_digits(out + 20, c.minute, 2);
	put_digits(out + 23, c.second, 2);
}

static bool
instant_of(const struct civil *c, instant_t *ret)
{
	static const int month_days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = c->year % 4 == 0 && (c->year % 100 != 0 || c->year % 400 == 0);
	int64_t days;

	if (c->year < 1 || c->month < 1 || c->month > 12 || c->day < 1 ||
	    c->day > month_days[c->month - 1] + (leap && c->month == 2) || c->hour > 23 ||
	    c->minute > 59 || c->second > 59)
		return false;
	days = days_of(c->year, c->month, c->day);
	*ret = days * DAY_MS + c->hour * HOUR_MS + c->minute * MINUTE_MS + c->second * SECOND_MS +
	       c->ms;
	return true;
}

/* Takes exactly `digits` decimal digits off the front. */
static bool
take_digits(struct str *s, size_t digits, int *ret)
{
	uint64_t v;

	if (s->n < digits || !str_to_u64((struct str){ s->p, digits }, INT32_MAX, &v))
		return false;
	s->p += digits;
	s->n -= digits;
	*ret = (int)v;
	return true;
}

/* Takes one character off the front if it is one of `any`. */
static bool
take_char(struct str *s, const char *any)
{
	if (s->n == 0 || s->p[0] == '\0' || !strchr(any, s->p[0]))
		return false;
	s->p++;
	s->n--;
	return true;
}

/* Takes ".123456789", keeping the milliseconds; nothing when there is no point. */
static bool
take_fraction(struct str *s, int *ret_ms)
{
	int ms = 0;
	size_t n = 0;

	if (!take_char(s, "."))
		return true;
	for (; n < s->n && s->p[n] >= '0' && s->p[n] <= '9'; n++)
		ms = n < 3 ? ms * 10 + (s->p[n] - '0') : ms;
	if (n == 0 || n > 9)
		return false;
	for (size_t i = n; i < 3; i++)
		ms *= 10;
	s->p += n;
	s->n -= n;
	*ret_ms = ms;
	return true;
}

/* Takes "Z", "+hh:mm" or nothing. */
static bool
take_offset(struct str *s, int64_t *ret_ms)
{
	int h = 0, m = 0;
	bool west = s->n > 0 && s->p[0] == '-';

	if (s->n == 0 || take_char(s, "Zz"))
		return true;
	if (!take_char(s, "+-") || !take_digits(s, 2, &h) || !take_char(s, ":") ||
	    !take_digits(s, 2, &m) || h > 23 || m > 59)
		return false;
	*ret_ms = (h * HOUR_MS + m * MINUTE_MS) * (west ? -1 : 1);
	return true;
}

bool
instant_parse(struct str s, instant_t *ret)
{
	struct civil c = { 0 };
	int64_t offset = 0;
	instant_t t;

	if (!take_digits(&s, 4, &c.year) || !take_char(&s, "-") || !take_digits(&s, 2, &c.month) ||
	    !take_char(&s, "-") || !take_digits(&s, 2, &c.day))
		return false;
	if (s.n > 0 && (!take_char(&s, "Tt ") || !take_digits(&s, 2, &c.hour) ||
			   !take_char(&s, ":") || !take_digits(&s, 2, &c.minute) ||
			   !take_char(&s, ":") || !take_digits(&s, 2, &c.second) ||
			   !take_fraction(&s, &c.ms) || !take_offset(&s, &offset) || s.n > 0))
		return false;
	if (!instant_of(&c, &t) || t - offset < INSTANT_MIN || t - offset > INSTANT_MAX)
		return false;
	*ret = t - offset;
	return true;
}

/* Fixed forms: read the digits where they must be; writing it again checks everything else. */
bool
instant_parse_http(struct str s, instant_t *ret)
{
	struct civil c = { 0 };
	char again[INSTANT_HTTP_LEN + 1];
	instant_t t;

	if (s.n != INSTANT_HTTP_LEN)
		return false;
	for (int m = 0; m < 12; m++)
		if (memcmp(s.p + 8, month_names[m], 3) == 0)
			c.month = m + 1;
	if (!take_digits(&(struct str){ s.p + 5, 2 }, 2, &c.day) ||
	    !take_digits(&(struct str){ s.p + 12, 4 }, 4, &c.year) ||
	    !take_digits(&(struct str){ s.p + 17, 2 }, 2, &c.hour) ||
	    !take_digits(&(struct str){ s.p + 20, 2 }, 2, &c.minute) ||
	    !take_digits(&(struct str){ s.p + 23, 2 }, 2, &c.second) || !instant_of(&c, &t))
		return false;
	instant_format_http(t, again);
	if (memcmp(again, s.p, INSTANT_HTTP_LEN) != 0)
		return false;
	*ret = t;
	return true;
}

bool
instant_parse_amz(struct str s, instant_t *ret)
{
	struct civil c = { 0 };

	return take_digits(&s, 4, &c.year) && take_digits(&s, 2, &c.month) &&
	       take_digits(&s, 2, &c.day) && take_char(&s, "T") && take_digits(&s, 2, &c.hour) &&
	       take_digits(&s, 2, &c.minute) && take_digits(&s, 2, &c.second) &&
	       take_char(&s, "Z") && s.n == 0 && instant_of(&c, ret);
}

/* A JSON number in parts: WHOLE.FRACTION x 10^exponent. */
struct decimal {
	bool negative;
	struct str whole, fraction;
	int64_t exponent;
};

static struct str
take_run(struct str *s)
{
	struct str run = { s->p, 0 };

	while (run.n < s->n && s->p[run.n] >= '0' && s->p[run.n] <= '9')
		run.n++;
	s->p += run.n;
	s->n -= run.n;
	return run;
}

static bool
decimal_parse(struct str s, struct decimal *ret)
{
	struct decimal d = { 0 };
	uint64_t e = 0;

	d.negative = take_char(&s, "-");
	d.whole = take_run(&s);
	if (d.whole.n == 0 || (d.whole.n > 1 && d.whole.p[0] == '0'))
		return false;
	if (take_char(&s, ".") && (d.fraction = take_run(&s)).n == 0)
		return false;
	if (take_char(&s, "eE")) {
		bool minus = s.n > 0 && s.p[0] == '-';
		struct str run;

		(void)take_char(&s, "+-");
		run = take_run(&s);
		/* An exponent of more than six digits is no instant, however the rest reads. */
		if (!str_to_u64(run, 999999, &e))
			return false;
		d.exponent = minus ? -(int64_t)e : (int64_t)e;
	}
	if (s.n > 0)
		return false;
	*ret = d;
	return true;
}

bool
instant_parse_epoch(struct str number, instant_t *ret)
{
	struct decimal d;
	int64_t ms = 0, point, digits;
	bool rest = false;

	if (!decimal_parse(number, &d))
		return false;
	digits = (int64_t)(d.whole.n + d.fraction.n);
	/* Digits that stand before the decimal point once the number counts milliseconds. */
	point = (int64_t)d.whole.n + d.exponent + 3;
	for (int64_t i = 0; i < digits || i < point; i++) {
		size_t k = (size_t)i;
		char c = k < d.whole.n                  ? d.whole.p[k]
			 : k - d.whole.n < d.fraction.n ? d.fraction.p[k - d.whole.n]
							: '0';

		if (i >= point)
			rest = rest || c != '0';
		else if ((ms = ms * 10 + (c - '0')) > INSTANT_MAX)
			return false;
		if (i >= digits && ms == 0)
			break; /* zero stays zero */
	}
	if (d.negative)
		ms = -ms - rest; /* toward the past, like every other cut */
	if (ms < INSTANT_MIN || ms > INSTANT_MAX)
		return false;
	*ret = ms;
	return true;
}
