/* SPDX-License-Identifier: Apache-2.0 */
/* Records of an import file; see import_source.h. */
#include "cli/import_source.h"

#include "base/csv.h"

#include <stdlib.h>

#define RECORD_MAX 65536
#define COLUMNS_MAX 64

struct import_source {
	FILE *in;
	const struct import_column *columns;
	size_t n_columns;
	struct csv_reader *csv; /* NULL: NDJSON */
	const struct import_column *header[COLUMNS_MAX];
	size_t n_header;
	struct buf line; /* NDJSON */
	size_t line_no;  /* NDJSON: of the last record; CSV: empty lines before the header */
	bool broken;     /* nothing behind the last record can be read */
};

static const struct import_column *
column_named(const struct import_source *s, struct str name)
{
	for (size_t i = 0; i < s->n_columns; i++)
		if (str_eq_c(name, s->columns[i].name))
			return &s->columns[i];
	return NULL;
}

/* A heading that is none, in the words of the mistake that people make. */
static enum souk_err
unknown_heading(const char *field, struct str heading, struct fail *f)
{
	if (memchr(heading.p, ';', heading.n) != NULL || memchr(heading.p, '\t', heading.n) != NULL)
		return fail_field(f, "header",
		    "separates its columns with something else than commas",
		    "save the file as CSV with commas");
	return fail_field(f, field, "has a heading that this kind does not have",
	    "remove it; docs/operators.md lists the columns of each kind");
}

/* The header must name known columns, each once. */
static enum souk_err
read_header(struct import_source *s, struct fail *f)
{
	struct str *fields;
	size_t n;
	bool more;
	enum souk_err r = csv_read(s->csv, &fields, &n, &more, f);

	if (r != SOUK_OK)
		return r;
	if (!more)
		return SOUK_OK;
	if (n > COLUMNS_MAX)
		return fail_field(
		    f, "header", "has too many columns", "keep the columns that souk knows");
	for (size_t i = 0; i < n; i++) {
		char field[80];

		(void)snprintf(field, sizeof(field), "column %zu", i + 1);
		s->header[i] = column_named(s, str_trim(fields[i]));
		if (s->header[i] == NULL)
			return unknown_heading(field, fields[i], f);
		for (size_t k = 0; k < i; k++)
			if (s->header[k] == s->header[i])
				return fail_field(f, s->header[i]->name, "is there twice",
				    "keep one such column");
	}
	s->n_header = n;
	return SOUK_OK;
}

/* Behind a byte order mark and empty lines: the first character that counts, EOF when there is none. */
static int
first_character(struct import_source *s)
{
	static const unsigned char bom[3] = { 0xef, 0xbb, 0xbf };
	size_t n = 0;
	int c = getc(s->in);

	while (n < sizeof(bom) && c == bom[n]) {
		n++;
		c = getc(s->in);
	}
	if (n > 0 && n < sizeof(bom))
		return bom[0]; /* no mark; no JSON and no heading either */
	while (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
		s->line_no += c == '\n';
		c = getc(s->in);
	}
	return c;
}

/* Which of the two it is; a CSV header is read at once. */
static enum souk_err
begin(struct import_source *s, struct fail *f)
{
	int c = first_character(s);
	enum souk_err r;

	if (ferror(s->in) || (c != EOF && ungetc(c, s->in) == EOF))
		return fail_set(f, SOUK_E_STORAGE, "read", "the file cannot be read");
	if (c == '[')
		return fail_field(f, "file", "is a JSON array",
		    "write one JSON object a line, as `jq -c '.[]'` does");
	if (c == EOF || c == '{')
		return SOUK_OK;
	r = csv_reader_new(s->in, RECORD_MAX, &s->csv);
	return r == SOUK_OK ? read_header(s, f) : r;
}

enum souk_err
import_source_new(FILE *in, const struct import_column *columns, size_t n_columns,
    struct import_source **ret, struct fail *f)
{
	struct import_source *s = calloc(1, sizeof(*s));
	enum souk_err r;

	if (s == NULL)
		return fail_set(f, SOUK_E_NOMEM, "memory", "out of memory");
	s->in = in;
	s->columns = columns;
	s->n_columns = n_columns;
	r = begin(s, f);
	s->broken = r != SOUK_OK;
	*ret = s;
	return r;
}

void
import_source_free(struct import_source *s)
{
	if (s == NULL)
		return;
	csv_reader_free(s->csv);
	buf_done(&s->line);
	free(s);
}

size_t
import_source_line(const struct import_source *s)
{
	if (s->csv != NULL)
		return s->line_no + csv_line(s->csv);
	return s->line_no > 0 ? s->line_no : 1;
}

bool
import_source_broken(const struct import_source *s)
{
	return s->broken;
}

static json_t *
list_value(struct str text)
{
	json_t *list = json_array();
	struct str part;

	while (list != NULL && str_split(&text, '|', &part))
		(void)json_array_append_new(list, json_stringn(part.p, part.n));
	return list;
}

/* One cell as its column's type; the words for a wrong one come from here. */
static enum souk_err
cell_value(const struct import_column *c, struct str text, json_t **ret, struct fail *f)
{
	int64_t n;

	switch (c->kind) {
	case JSON_K_INT:
		if (!str_to_i64(text, &n))
			return fail_field(
			    f, c->name, "is not a whole number", "write digits only, as in 12");
		*ret = json_integer(n);
		return SOUK_OK;
	case JSON_K_BOOL:
		if (!str_eq_c(text, "true") && !str_eq_c(text, "false"))
			return fail_field(
			    f, c->name, "is neither true nor false", "write true or false");
		*ret = json_boolean(str_eq_c(text, "true"));
		return SOUK_OK;
	case JSON_K_ARR:
		*ret = list_value(text);
		return SOUK_OK;
	case JSON_K_ANY:
		if (json_read(text, ret, NULL) != SOUK_OK)
			return fail_field(f, c->name, "is not JSON",
			    "write the cell as in NDJSON, in quotes, with doubled quotes inside");
		return SOUK_OK;
	case JSON_K_STR:
	case JSON_K_OBJ:
		break;
	}
	*ret = json_stringn(text.p, text.n);
	if (*ret == NULL)
		return fail_field(f, c->name, "is not valid UTF-8", "save the file as UTF-8");
	return SOUK_OK;
}

static enum souk_err
wrong_columns(size_t n, size_t header, struct fail *f)
{
	char what[80];

	(void)snprintf(what, sizeof(what), "are %zu, the header has %zu", n, header);
	return fail_field(f, "columns", what, "make them the same; quote cells that hold a comma");
}

static enum souk_err
next_csv(struct import_source *s, json_t **ret, struct fail *f)
{
	struct str *fields;
	size_t n;
	bool more;
	json_t *o, *value = NULL;
	enum souk_err r;

	do {
		r = csv_read(s->csv, &fields, &n, &more, f);
	} while (r == SOUK_OK && more && n == 1 && fields[0].n == 0); /* an empty line */
	if (r != SOUK_OK) {
		s->broken = true; /* where the next record begins is not known */
		return r;
	}
	*ret = NULL;
	if (!more)
		return SOUK_OK;
	if (n != s->n_header)
		return wrong_columns(n, s->n_header, f);
	o = json_object();
	for (size_t i = 0; i < n && r == SOUK_OK; i++) {
		if (fields[i].n == 0)
			continue; /* an empty cell is an absent member */
		r = cell_value(s->header[i], fields[i], &value, f);
		if (r == SOUK_OK && json_object_set_new(o, s->header[i]->name, value) != 0)
			r = fail_set(f, SOUK_E_NOMEM, "memory", "out of memory");
	}
	if (r != SOUK_OK) {
		json_decref(o);
		return r;
	}
	*ret = o;
	return SOUK_OK;
}

/* One line without its end into s->line; *ret_n is its length, of which at most RECORD_MAX is kept. */
static bool
read_line(struct import_source *s, size_t *ret_n)
{
	size_t n = 0;
	int c;

	buf_clear(&s->line);
	while ((c = getc_unlocked(s->in)) != EOF && c != '\n')
		if (n++ < RECORD_MAX)
			buf_add_char(&s->line, (char)c);
	*ret_n = n;
	s->line_no += n > 0 || c != EOF;
	return n > 0 || c != EOF;
}

/* The JSON reader speaks of a request's body; here it is a line. */
static enum souk_err
bad_line(const struct fail *why, struct fail *f)
{
	char what[160];
	const char *line = why->n > 0 ? strstr(why->entry[0].what, " (line") : NULL;

	if (why->n == 0)
		return fail_set(f, why->err, why->code, "%s", why->detail);
	(void)snprintf(what, sizeof(what), "%.*s",
	    line != NULL ? (int)(line - why->entry[0].what) : (int)sizeof(what),
	    why->entry[0].what);
	return fail_field(f, "line", what, "write one JSON object a line, in UTF-8");
}

static enum souk_err
next_line(struct import_source *s, json_t **ret, struct fail *f)
{
	struct fail why = { 0 };
	struct str text = STR("");
	size_t n = 0;

	*ret = NULL;
	while (text.n == 0) {
		if (!read_line(s, &n)) {
			s->broken = true;
			return ferror(s->in)
				   ? fail_set(f, SOUK_E_STORAGE, "read", "the file cannot be read")
				   : SOUK_OK;
		}
		if (n > RECORD_MAX)
			return fail_field(f, "line", "is longer than 65536 bytes",
			    "write one JSON object a line; look for a missing line end");
		if (!buf_ok(&s->line))
			return fail_set(f, SOUK_E_NOMEM, "memory", "out of memory");
		text = str_trim(buf_str(&s->line));
	}
	if (json_read(text, ret, &why) != SOUK_OK)
		return bad_line(&why, f);
	if (json_is_object(*ret))
		return SOUK_OK;
	json_decref(*ret);
	*ret = NULL;
	return fail_field(f, "line", "is no JSON object", "write one JSON object a line, in UTF-8");
}

enum souk_err
import_source_next(struct import_source *s, json_t **ret, struct fail *f)
{
	return s->csv != NULL ? next_csv(s, ret, f) : next_line(s, ret, f);
}
