/* SPDX-License-Identifier: Apache-2.0 */
/* A seller's business calendar; see business_calendar.h. */
#include "proserv/business_calendar.h"

#include "base/holidays.h"
#include "base/utf8.h"
#include "market/account.h"
#include "market/check.h"
#include "market/scope.h"
#include "proserv/business_calendar_store.h"
#include "proserv/shape_int.h"

#include <stdio.h>
#include <stdlib.h>

#define READ_ARENA ((size_t)48 << 20) /* a ceiling: a usual document takes some kilobytes */

struct input {
	struct str zone, icalendar;
	bool has_weekend;
	uint8_t weekend;
	int open, close;
	const struct holiday *days;
	size_t n_days;
};

static const struct field day_fields[] = {
	{ "date", FIELD_DAY, offsetof(struct holiday, day), 0, NULL, NULL, 0 },
	{ "name", FIELD_TEXT, offsetof(struct holiday, name), 0, NULL, NULL, 0 },
};
static const struct shape day_shape = SHAPE(day_fields, struct holiday);

static const struct field input_fields[] = {
	{ "zone", FIELD_TEXT, offsetof(struct input, zone), 0, NULL, NULL, 0 },
	{ "weekend", FIELD_WEEKDAYS, offsetof(struct input, weekend),
	    offsetof(struct input, has_weekend), NULL, NULL, 0 },
	{ "open", FIELD_MINUTE, offsetof(struct input, open), 0, NULL, NULL, 0 },
	{ "close", FIELD_MINUTE, offsetof(struct input, close), 0, NULL, NULL, 0 },
	{ "holidays", FIELD_LIST, offsetof(struct input, days), offsetof(struct input, n_days),
	    NULL, &day_shape, 0 },
	{ "icalendar", FIELD_TEXT, offsetof(struct input, icalendar), 0, NULL, NULL, 0 },
};
static const struct shape input_shape = SHAPE(input_fields, struct input);

/* Members of a request are named without the slash that a pointer begins with. */
static void
name_members(struct fail *f)
{
	for (size_t i = 0; f != NULL && i < f->n; i++)
		if (f->entry[i].field[0] == '/')
			memmove(
			    f->entry[i].field, f->entry[i].field + 1, strlen(f->entry[i].field));
}

static enum souk_err
check_days(const struct input *in, struct fail *f)
{
	enum souk_err err = SOUK_OK;
	char field[48];

	for (size_t i = 0; i < in->n_days; i++) {
		struct str name = in->days[i].name;

		if (in->days[i].day == DAY_NONE) {
			(void)snprintf(field, sizeof(field), "holidays/%zu/date", i);
			err = fail_field(f, field, "is missing", "write it as \"2026-12-25\"");
		}
		if (utf8_length(name) > HOLIDAY_NAME_MAX || utf8_has_control(name)) {
			(void)snprintf(field, sizeof(field), "holidays/%zu/name", i);
			err = fail_field(f, field,
			    "is longer than 100 characters, or has line breaks",
			    "give a short name, or none");
		}
	}
	return err;
}

/* A calendar that calendar_new takes; weekend may be empty, but is said. */
static enum souk_err
check_times(const struct input *in, struct fail *f)
{
	struct calendar_spec spec = {
		.zone = in->zone, .weekend = in->weekend, .open = in->open, .close = in->close
	};
	struct calendar *c = NULL;
	enum souk_err err = calendar_new(&spec, &c, f);

	calendar_free(c);
	if (!in->has_weekend)
		err = fail_field(f, "weekend", "is missing",
		    "list the days of rest, such as [\"Sat\",\"Sun\"]; [] for none");
	return err;
}

static int
compare(const void *a, const void *b)
{
	const struct holiday *x = a, *y = b;

	return x->day != y->day ? (x->day > y->day) - (x->day < y->day)
				: str_compare(y->name, x->name); /* one with a name first */
}

/* What is listed and what is in the file, in order, each day once. */
static enum souk_err
merge(struct input *in, day_t today, struct arena *mem, struct fail *f)
{
	struct holidays_window w = { .from = today - 366,
		.to = today + CALENDAR_SEARCH_DAYS,
		.zone = in->zone,
		.open = in->open,
		.close = in->close };
	const struct holiday *more = NULL;
	struct holiday *all;
	size_t n_more = 0, n = 0;
	enum souk_err err = SOUK_OK;

	if (in->icalendar.n > 0)
		err = holidays_read(in->icalendar, &w, mem, &more, &n_more, f);
	if (err != SOUK_OK)
		return err;
	if ((all = arena_array(mem, in->n_days + n_more + 1, sizeof(*all))) == NULL)
		return SOUK_E_LIMIT;
	if (in->n_days > 0)
		memcpy(all, in->days, in->n_days * sizeof(*all));
	if (n_more > 0)
		memcpy(all + in->n_days, more, n_more * sizeof(*all));
	qsort(all, in->n_days + n_more, sizeof(*all), compare);
	for (size_t i = 0; i < in->n_days + n_more; i++)
		if (n == 0 || all[n - 1].day != all[i].day)
			all[n++] = all[i];
	if (n > HOLIDAYS_MAX)
		return fail_set(f, SOUK_E_LIMIT, "too_many_holidays",
		    "The calendar has more than %d holidays; leave out those that are over.",
		    HOLIDAYS_MAX);
	in->days = all;
	in->n_days = n;
	return SOUK_OK;
}

static void
minute_json(struct jw *w, const char *key, int minute)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%02d:%02d", minute / 60, minute % 60);
	jw_c(w, key, text);
}

static void
document_json(const struct input *in, struct jw *w)
{
	char day[DAY_TEXT_LEN + 1];

	jw_open(w, NULL, '{');
	jw_str(w, "zone", in->zone);
	jw_open(w, "weekend", '[');
	for (unsigned d = 1; d <= 7; d++) /* Monday first: "Sat", "Sun" */
		if (in->weekend >> d % 7 & 1)
			jw_c(w, NULL, shape_weekday_words[d % 7]);
	jw_close(w, ']');
	minute_json(w, "open", in->open);
	minute_json(w, "close", in->close);
	jw_open(w, "holidays", '[');
	for (size_t i = 0; i < in->n_days; i++) {
		day_write(in->days[i].day, day);
		jw_open(w, NULL, '{');
		jw_c(w, "date", day);
		jw_str_opt(w, "name", in->days[i].name);
		jw_close(w, '}');
	}
	jw_close(w, ']');
	jw_close(w, '}');
}

static enum souk_err
give(const struct input *in, struct arena *mem, struct business_calendar *ret)
{
	struct business_calendar c = { .times = { .given = true,
					   .has_weekend = true,
					   .weekend = in->weekend,
					   .n_holidays = in->n_days,
					   .open = in->open,
					   .close = in->close } };
	day_t *days = arena_array(mem, in->n_days + 1, sizeof(*days));
	struct buf b = { 0 };
	struct jw w;

	jw_init(&w, &b);
	document_json(in, &w);
	c.times.zone = arena_str(mem, in->zone);
	if (buf_ok(&b))
		c.document = arena_str(mem, buf_str(&b));
	buf_done(&b);
	if (days == NULL || c.times.zone.p == NULL || c.document.p == NULL)
		return SOUK_E_LIMIT;
	for (size_t i = 0; i < in->n_days; i++)
		days[i] = in->days[i].day;
	c.times.holidays = days;
	*ret = c;
	return SOUK_OK;
}

enum souk_err
business_calendar_read(
    struct str text, day_t today, struct arena *mem, struct business_calendar *ret, struct fail *f)
{
	struct arena *own = arena_new(READ_ARENA);
	struct input in = { 0 };
	enum souk_err err;

	if (own == NULL)
		return SOUK_E_NOMEM;
	err = shape_read(text, BUSINESS_CALENDAR_BODY_MAX, HOLIDAYS_MAX, &input_shape, own, &in, f);
	name_members(f);
	if (err == SOUK_OK) {
		enum souk_err times = check_times(&in, f);

		err = check_days(&in, f);
		err = err == SOUK_OK ? times : err;
	}
	if (err == SOUK_OK && (err = merge(&in, today, own, f)) == SOUK_OK)
		err = give(&in, mem, ret);
	arena_free(own);
	return err;
}

/* ---- saving ---------------------------------------------------------------------------- */

static bool
may_see(const struct tenant_scope *s, struct str seller_id)
{
	return seller_id.n == ACCOUNT_ID_LEN && scope_sells(s, seller_id);
}

static enum souk_err
built_in(struct arena *mem, struct business_calendar *ret)
{
	return business_calendar_read(STR("{\"zone\":\"UTC\",\"weekend\":[\"Sat\",\"Sun\"],"
					  "\"open\":\"09:00\",\"close\":\"17:00\"}"),
	    0, mem, ret, NULL);
}

enum souk_err
business_calendar_load_revision(struct db_tx *tx, struct str seller_id, int64_t revision,
    struct arena *mem, struct business_calendar *ret)
{
	struct business_calendar c;
	struct str document;
	instant_t changed_at = 0;
	enum souk_err err;

	if (revision == 0)
		return built_in(mem, ret);
	err = business_calendar_find(tx, seller_id, &revision, mem, &document, &changed_at);
	if (err != SOUK_OK)
		return err;
	/* It was read when it was saved; a zone that the system has lost since must not stop a clock. */
	err = business_calendar_read(document, 0, mem, &c, NULL);
	if (err == SOUK_E_INVALID)
		return built_in(mem, ret);
	c.revision = revision;
	c.changed_at = changed_at;
	if (err == SOUK_OK)
		*ret = c;
	return err;
}

enum souk_err
business_calendar_load(
    struct db_tx *tx, struct str seller_id, struct arena *mem, struct business_calendar *ret)
{
	enum souk_err err =
	    business_calendar_load_revision(tx, seller_id, BUSINESS_CALENDAR_NEWEST, mem, ret);

	return err == SOUK_E_NOT_FOUND ? built_in(mem, ret) : err;
}

static enum souk_err
check_seller(struct db_tx *tx, const struct tenant_scope *s, struct str seller_id)
{
	struct arena *mem = arena_new(65536);
	struct account a;
	enum souk_err err = mem != NULL ? account_get(tx, s, seller_id, mem, &a) : SOUK_E_NOMEM;

	if (err == SOUK_OK && !a.is_seller)
		err = SOUK_E_NOT_FOUND;
	arena_free(mem);
	return err;
}

enum souk_err
business_calendar_get(struct db_tx *tx, const struct tenant_scope *s, struct str seller_id,
    struct arena *mem, struct business_calendar *ret)
{
	enum souk_err err =
	    may_see(s, seller_id) ? check_seller(tx, s, seller_id) : SOUK_E_NOT_FOUND;

	return err == SOUK_OK ? business_calendar_load(tx, seller_id, mem, ret) : err;
}

/* Days on end that are closed, from today on; SOUK_E_INVALID says from when. */
static enum souk_err
check_opens(const struct business_calendar *c, day_t today, struct fail *f)
{
	const struct calendar_spec spec = { .zone = c->times.zone,
		.weekend = c->times.weekend,
		.holidays = c->times.holidays,
		.n_holidays = c->times.n_holidays,
		.open = c->times.open,
		.close = c->times.close };
	struct calendar *calendar = NULL;
	char day[DAY_TEXT_LEN + 1], what[100];
	int closed = 0;
	day_t d = today;
	enum souk_err err = calendar_new(&spec, &calendar, f);

	if (err != SOUK_OK)
		return err;
	for (; d <= today + CALENDAR_SEARCH_DAYS && closed <= BUSINESS_CALENDAR_CLOSED_MAX; d++)
		closed = calendar_is_open_day(calendar, d) ? 0 : closed + 1;
	calendar_free(calendar);
	if (closed <= BUSINESS_CALENDAR_CLOSED_MAX)
		return SOUK_OK;
	day_write(d - closed, day);
	(void)snprintf(what, sizeof(what), "leave no day open for more than %d days from %s on",
	    BUSINESS_CALENDAR_CLOSED_MAX, day);
	return fail_field(f, "holidays", what, "leave some of these days out");
}

enum souk_err
business_calendar_set(struct db_tx *tx, const struct tenant_scope *s, struct str seller_id,
    int64_t seen, struct business_calendar *io, struct fail *f)
{
	int64_t newest = 0;
	enum souk_err err;

	if (!may_see(s, seller_id))
		return fail_not_found(f);
	if ((err = lock_owner(tx, seller_id)) != SOUK_OK)
		return err;
	if ((err = check_seller(tx, s, seller_id)) != SOUK_OK)
		return err == SOUK_E_NOT_FOUND ? fail_not_found(f) : err;
	if ((err = business_calendar_newest(tx, seller_id, &newest)) != SOUK_OK)
		return err;
	if (seen != 0 && seen != newest)
		return fail_revision(f);
	if ((err = check_opens(io, day_of(db_now(tx)), f)) != SOUK_OK)
		return err;
	io->revision = newest + 1;
	io->changed_at = db_now(tx);
	if ((err = business_calendar_insert(
		 tx, seller_id, io->revision, io->document, tenant_actor(s))) != SOUK_OK)
		return err;
	return business_calendar_drop_unused(tx, seller_id, io->revision);
}

void
business_calendar_json(struct str seller_id, const struct business_calendar *c, struct jw *out)
{
	jw_open(out, NULL, '{');
	jw_str(out, "sellerId", seller_id);
	jw_raw(out, "calendar", c->document);
	jw_bool(out, "builtIn", c->revision == 0);
	jw_int(out, "revision", c->revision);
	json_instant_opt(out, "changedAt", c->changed_at);
	jw_close(out, '}');
}
