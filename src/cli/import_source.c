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
	char *line; /* NDJSON: getline's */
	size_t line_cap, line_no;
};

static const struct import_column *
column_named(const struct import_source *s, struct str name)
{
	for (size_t i = 0; i < s->n_columns; i++)
		if (str_eq_c(name, s->columns[i].name))
			return &s->columns[i];
	return NULL;
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
			return fail_field(f, field, "has a heading that this kind does not have",
			    "remove it; docs/operators.md lists the columns of each kind");
		for (size_t k = 0; k < i; k++)
			if (s->header[k] == s->header[i])
				return fail_field(f, s->header[i]->name, "is there twice",
				    "keep one such column");
	}
	s->n_header = n;
	return SOUK_OK;
}

enum souk_err
import_source_new(FILE *in, const struct import_column *columns, size_t n_columns,
    struct import_source **ret, struct fail *f)
{
	struct import_source *s = calloc(1, sizeof(*s));
	enum souk_err r = SOUK_OK;
	int c;

	if (s == NULL)
		return fail_set(f, SOUK_E_NOMEM, "memory", "out of memory");
	s->in = in;
	s->columns = columns;
	s->n_columns = n_columns;
	c = getc(in);
	if (c != EOF && ungetc(c, in) == EOF)
		r = fail_set(f, SOUK_E_STORAGE, "read", "the file cannot be read");
	if (r == SOUK_OK && c != EOF && c != '{') {
		r = csv_reader_new(in, RECORD_MAX, &s->csv);
		if (r == SOUK_OK)
			r = read_header(s, f);
	}
	if (r != SOUK_OK) {
		import_source_free(s);
		return r;
	}
	*ret = s;
	return SOUK_OK;
}

void
import_source_free(struct import_source *s)
{
	if (s == NULL)
		return;
	csv_reader_free(s->csv);
	free(s->line);
	free(s);
}

size_t
import_source_line(const struct import_source *s)
{
	return s->csv != NULL ? csv_line(s->csv) : s->line_no;
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
	case JSON_K_STR:
	case JSON_K_OBJ:
	case JSON_K_ANY:
		break;
	}
	*ret = json_stringn(text.p, text.n);
	if (*ret == NULL)
		return fail_field(f, c->name, "is not valid UTF-8", "save the file as UTF-8");
	return SOUK_OK;
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
	if (r != SOUK_OK)
		return r;
	*ret = NULL;
	if (!more)
		return SOUK_OK;
	if (n != s->n_header)
		return fail_set(f, SOUK_E_INVALID, "columns",
		    "the record has %zu columns, the header %zu; make them the same", n,
		    s->n_header);
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

static enum souk_err
next_line(struct import_source *s, json_t **ret, struct fail *f)
{
	struct str text;
	ssize_t n;

	do {
		n = getline(&s->line, &s->line_cap, s->in);
		s->line_no++;
		if (n < 0) {
			*ret = NULL;
			return ferror(s->in)
				   ? fail_set(f, SOUK_E_STORAGE, "read", "the file cannot be read")
				   : SOUK_OK;
		}
		text = str_trim((struct str){ .p = s->line, .n = (size_t)n });
	} while (text.n == 0);
	if (text.n > RECORD_MAX)
		return fail_set(
		    f, SOUK_E_INVALID, "length", "the line is longer than %d bytes", RECORD_MAX);
	return json_read(text, ret, f);
}

enum souk_err
import_source_next(struct import_source *s, json_t **ret, struct fail *f)
{
	return s->csv != NULL ? next_csv(s, ret, f) : next_line(s, ret, f);
}
