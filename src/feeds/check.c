/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the rules over all files and keeps what they find; see check.h. */
#include "feeds/check_int.h"

#include "base/array.h"
#include "base/utf8.h"
#include "feeds/intern.h"

#include <stdio.h>
#include <stdlib.h>

static const struct {
	const char *id, *what;
} rules[CHECK__COUNT] = {
	[CHECK_FILE] = { "file", "files can be read and are there once" },
	[CHECK_ROW] = { "row", "rows and values can be read" },
	[CHECK_MONTH] = { "month", "rows were recorded in the month of their folder" },
	[CHECK_VALUE] = { "value", "values are those that feeds have" },
	[CHECK_LINK] = { "link", "ids lead to a row" },
	[CHECK_CYCLE] = { "cycle", "no event is its own ancestor" },
	[CHECK_DF1] = { "DF-1", "disbursed lines settle an event of their type, or a part of it" },
	[CHECK_DF2] = { "DF-2", "the lines of a disbursement make up its payout" },
	[CHECK_DF3] = { "DF-3", "forgiven charges take an invoiced event back" },
	[CHECK_DF4] = { "DF-4", "failures take a disbursement back" },
	[CHECK_DF5] = { "DF-5", "all but the operator's taxes count for the balance" },
	[CHECK_DF6] = { "DF-6", "tax items make up the tax events" },
	[CHECK_DF7] = { "DF-7", "key, valid_from and update_date are unique" },
	[CHECK_DF8] = { "DF-8", "months have one header, and files only grow" },
};

const char *
check_rule_id(enum check_rule r)
{
	return rules[r].id;
}

const char *
check_rule_what(enum check_rule r)
{
	return rules[r].what;
}

void
check_found(struct check *c, enum check_rule rule, const char *file, uint64_t line,
    const char *column, const char *what, const char *fix)
{
	struct check_result *r = c->result;
	struct check_finding *x;

	r->count[rule]++;
	r->total++;
	if (c->kept[rule] >= c->o->limit)
		return;
	if (!ARRAY_ROOM(r->findings, r->n, c->cap, 64)) {
		c->no_memory = true;
		return;
	}
	c->kept[rule]++;
	x = &r->findings[r->n++];
	*x = (struct check_finding){ .rule = rule, .file = file, .line = line, .column = column };
	(void)snprintf(x->what, sizeof(x->what), "%s", what);
	(void)snprintf(x->fix, sizeof(x->fix), "%s", fix);
}

void
check_found_row(struct check *c, enum check_rule rule, const struct check_row *r,
    const char *column, const char *what, const char *fix)
{
	check_found(c, rule, c->source->files[r->file].name, r->line, column, what, fix);
}

static enum souk_err
no_memory(struct check *c)
{
	return fail_set(c->fail, SOUK_E_NOMEM, "memory",
	    "out of memory; a check takes about 90 bytes for each row of the feeds");
}

/* ---- what the reader finds ---- */

/* A column's name that lives as long as the result does. */
static const char *
column_name(enum feed feed, struct str name)
{
	const struct feed_info *info = feed_info(feed);
	unsigned i = feed_column_named(feed, name);

	return i < info->n_columns ? info->columns[i].name : "";
}

/* The reader's "FILE:LINE:COLUMN: what; fix" about a file as a whole, as a finding. */
static void
found_by_reader(struct check *c, size_t file, const struct fail *why)
{
	const struct feed_file *it = &c->source->files[file];
	struct str rest = str_c(why->n > 0 ? why->entry[0].field : ""), part;
	const char *column = "";
	uint64_t line = 0;

	while (str_split(&rest, ':', &part)) {
		if (!str_to_u64(part, UINT32_MAX, &line))
			column = column_name(it->feed, part);
	}
	if (why->n > 0)
		check_found(
		    c, CHECK_FILE, it->name, line, column, why->entry[0].what, why->entry[0].fix);
	else
		check_found(c, CHECK_FILE, it->name, 0, "", why->detail, "fetch the file again");
}

struct row_faults {
	struct fault_sink sink;
	struct check *c;
	size_t file;
};

static enum souk_err
take_fault(struct fault_sink *s, const struct feed_fault *fault, struct str row, struct fail *f)
{
	struct row_faults *faults = (struct row_faults *)s;
	struct check *c = faults->c;
	const struct feed_file *it = &c->source->files[faults->file];

	(void)row;
	(void)f;
	check_found(c, CHECK_ROW, it->name, fault->line,
	    column_name(it->feed, str_c(fault->column)), fault->what, fault->fix);
	return SOUK_OK;
}

/* ---- one file after the other ---- */

static void
check_month(struct check *c, const struct feed_row *row, const struct check_row *r)
{
	if (c->month.until != 0 && (r->update < c->month.from || r->update >= c->month.until))
		check_found_row(c, CHECK_MONTH, r, row->info->columns[row->info->update_date].name,
		    "is not in the month of the file's folder",
		    "keep rows in the file of the month in which they were recorded; were two "
		    "months put into one file?");
}

static enum souk_err
take_row(void *arg, const struct feed_row *row, struct fail *f)
{
	struct check *c = arg;
	enum feed feed = c->source->files[row->file].feed;
	struct check_row r, id;
	bool good;

	(void)f;
	c->result->rows++;
	c->contents[row->file] =
	    (c->contents[row->file] ^ text_hash(row->raw).a) * 0x9e3779b97f4a7c15;
	if (!utf8_valid(row->raw))
		check_found(c, CHECK_ROW, c->source->files[row->file].name, row->line, "",
		    "is not UTF-8", "write the file as UTF-8");
	check_values(c, row);
	check_remember(c, row, &r);
	check_month(c, row, &r);
	good = check_table_add(&c->table[feed], &r);
	id = r;
	if (feed == FEED_ACCOUNT) {
		id.key = check_key(&row->cell[ACC_AWS_ACCOUNT_ID], 1);
		good = good && check_table_add(&c->numbers, &id);
	}
	if (feed == FEED_ADDRESS) {
		id.key = check_key(&row->cell[ADR_ADDRESS_ID], 1);
		good = good && check_table_add(&c->addresses, &id);
	}
	if (c->o->progress != NULL && c->result->rows % 4096 == 0)
		c->o->progress(c->o->progress_arg, c->result->bytes + row->offset);
	return good ? SOUK_OK : no_memory(c);
}

static instant_t
month_begin(unsigned year, unsigned month)
{
	char text[16];
	instant_t t = INSTANT_MAX;

	(void)snprintf(text, sizeof(text), "%04u-%02u-01", (year + (month - 1) / 12) % 10000,
	    (month - 1) % 12 + 1);
	return instant_parse(str_c(text), &t) ? t : INSTANT_MAX;
}

static enum souk_err
read_file(struct check *c, size_t file)
{
	const struct feed_file *it = &c->source->files[file];
	struct row_faults faults = { .sink = { .take = take_fault }, .c = c, .file = file };
	struct feed_reading reading = { .source = c->source,
		.feed = it->feed,
		.columns = COLUMNS_ALL(feed_info(it->feed)->n_columns),
		.faults = &faults.sink,
		.row = take_row,
		.arg = c };
	struct fail why = { 0 };
	enum souk_err r;

	/* A day's rows come at the midnight behind it; the first folder holds all until April 2020. */
	c->month = (struct check_month){ month_begin(it->year, it->month) - DAY_MS,
		month_begin(it->year, it->month + 1) + DAY_MS };
	if (it->year == 2010 && it->month == 1)
		c->month = (struct check_month){ 0, 0 };
	r = feed_read_file(&reading, file, &why);
	c->result->bytes += it->size;
	if (r == SOUK_E_INVALID) {
		found_by_reader(c, file, &why);
		return SOUK_OK;
	}
	if (r != SOUK_OK && c->fail != NULL && c->fail->err == SOUK_OK)
		*c->fail = why;
	return r;
}

/* The same rows in two files of a feed. */
static void
check_copies(struct check *c, size_t file)
{
	const struct feed_file *it = &c->source->files[file];
	size_t first, n;

	feed_source_of(c->source, it->feed, &first, &n);
	for (size_t i = first; i < file; i++)
		if (c->contents[file] != 0 && c->contents[i] == c->contents[file]) {
			check_found(c, CHECK_FILE, it->name, 0, "",
			    "has the rows of another month's file, all of them",
			    "remove the copy, and fetch this month's file again");
			return;
		}
}

static enum souk_err
read_feed(struct check *c, enum feed feed)
{
	struct buf header = { 0 };
	size_t first, n;
	enum souk_err r = SOUK_OK;

	feed_source_of(c->source, feed, &first, &n);
	c->table[feed].present = n > 0;
	c->result->absent |= n > 0 ? 0 : 1u << feed;
	for (size_t i = first; i < first + n && r == SOUK_OK; i++) {
		r = check_file(c, i, &header);
		if (r == SOUK_OK)
			r = read_file(c, i);
		if (r == SOUK_OK)
			check_copies(c, i);
	}
	buf_done(&header);
	return r;
}

static enum souk_err
read_all(struct check *c)
{
	enum souk_err r = SOUK_OK;
	bool good = true;

	for (enum feed feed = 0; feed < FEED__COUNT && r == SOUK_OK && good; feed++) {
		/* What events name is known before they are read. */
		if (feed == FEED_BILLING_EVENT)
			good = check_table_settle(&c->numbers, false) &&
			       check_table_settle(&c->addresses, false);
		r = good ? read_feed(c, feed) : SOUK_OK;
		if (r == SOUK_OK)
			good = good && check_table_settle(&c->table[feed],
					   feed == FEED_BILLING_EVENT || feed == FEED_TAX_ITEM);
	}
	return r == SOUK_OK && !good ? no_memory(c) : r;
}

/* ---- all of it ---- */

static int
by_place(const void *va, const void *vb)
{
	const struct check_finding *a = va, *b = vb;
	int order = strcmp(a->file, b->file);

	if (order != 0)
		return order;
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	if (a->rule != b->rule)
		return a->rule < b->rule ? -1 : 1;
	order = strcmp(a->column, b->column);
	return order != 0 ? order : strcmp(a->what, b->what);
}

/* The source's own refusals (one month twice, a month that is none) are findings too. */
static enum souk_err
open_source(struct check *c, const char *dir, struct feed_source **ret)
{
	struct fail why = { 0 };
	enum souk_err r = c->o->open != NULL ? c->o->open(dir, c->o->open_arg, ret, &why)
					     : feed_source_folder(dir, ret, &why);

	if (r != SOUK_E_INVALID || why.n == 0) {
		if (r != SOUK_OK && c->fail != NULL)
			*c->fail = why;
		return r;
	}
	(void)snprintf(c->result->refused, sizeof(c->result->refused), "%s", why.entry[0].field);
	check_found(c, CHECK_FILE, c->result->refused, 0, "", why.entry[0].what, why.entry[0].fix);
	return SOUK_OK;
}

static enum souk_err
run(struct check *c)
{
	enum souk_err r = open_source(c, c->o->dir, &c->result->source);

	if (r == SOUK_OK && c->o->before != NULL && c->result->source != NULL)
		r = open_source(c, c->o->before, &c->result->before);
	c->source = c->result->source;
	if (r != SOUK_OK || c->source == NULL ||
	    (c->o->before != NULL && c->result->before == NULL))
		return r;
	c->result->files = c->source->n;
	c->contents = calloc(c->source->n, sizeof(*c->contents));
	if (c->contents == NULL)
		return no_memory(c);
	r = read_all(c);
	if (r == SOUK_OK && c->result->before != NULL)
		r = check_before(c, c->result->before);
	if (r != SOUK_OK)
		return r;
	check_links(c);
	check_events(c);
	check_taxes(c);
	return c->no_memory ? no_memory(c) : SOUK_OK;
}

enum souk_err
feeds_check(const struct check_options *o, struct check_result *ret, struct fail *f)
{
	struct check c = { .o = o, .result = ret, .fail = f };
	enum souk_err r;

	*ret = (struct check_result){ 0 };
	r = currency_load(f);
	if (r == SOUK_OK)
		r = run(&c);
	if (ret->n > 0)
		qsort(ret->findings, ret->n, sizeof(*ret->findings), by_place);
	for (unsigned i = 0; i < FEED__COUNT; i++)
		check_table_done(&c.table[i]);
	check_table_done(&c.numbers);
	check_table_done(&c.addresses);
	free(c.contents);
	return r;
}

void
feeds_check_free(struct check_result *r)
{
	free(r->findings);
	feed_source_free(r->source);
	feed_source_free(r->before);
	*r = (struct check_result){ 0 };
}
