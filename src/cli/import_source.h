/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records of an import file, one JSON object each: NDJSON lines as they are, CSV records
 * by their header. So one set of rules (the REST API's) checks both.
 */
#ifndef SOUK_CLI_IMPORT_SOURCE_H
#define SOUK_CLI_IMPORT_SOURCE_H

#include "base/json.h"

#include <stdio.h>

/* A column: its name in header and JSON, and the type its text becomes. */
struct import_column {
	const char *name;
	enum json_kind kind; /* JSON_K_ARR: texts separated by '|' */
};

struct import_source;

/*
 * Finds out by the first character behind a byte order mark and empty lines: '{' is NDJSON,
 * anything else a CSV header. *ret is the caller's also on failure, for the line, unless memory
 * ran out and it is NULL.
 */
SOUK_MUST enum souk_err import_source_new(FILE *in, const struct import_column *columns,
    size_t n_columns, struct import_source **ret, struct fail *f);
void import_source_free(struct import_source *s);
/* The next record; *ret is NULL at the end, else the caller's to json_decref. A record that fails is
 * skipped: the next call gives the one behind it, unless the source is broken. */
SOUK_MUST enum souk_err import_source_next(struct import_source *s, json_t **ret, struct fail *f);
size_t import_source_line(const struct import_source *s); /* of the last record, from 1 */
bool import_source_broken(const struct import_source *s);

#endif
