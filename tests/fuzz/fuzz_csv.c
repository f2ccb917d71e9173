/* SPDX-License-Identifier: Apache-2.0 */
/* CSV: whatever can be read, reads the same once it was written by csv_field. */
#include "base/csv.h"

#include <assert.h>

#define RECORD_MAX ((size_t)1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct csv_reader *
reader_on(const void *p, size_t n, FILE **ret)
{
	union {
		const void *in;
		void *out; /* opened for reading only */
	} bytes = { .in = p };
	struct csv_reader *r = NULL;
	enum souk_err err;

	*ret = n > 0 ? fmemopen(bytes.out, n, "r") : NULL;
	if (!*ret)
		return NULL;
	err = csv_reader_new(*ret, RECORD_MAX, &r);
	assert(err == SOUK_OK);
	return r;
}

/* Reads all and writes it anew; the records in front of a mistake count. */
static size_t
rewrite(struct csv_reader *r, struct buf *out)
{
	struct fail f = { .err = SOUK_OK };
	struct str *fields;
	size_t n, records = 0;
	bool more = true;

	/* A BOM of ours, so that one that is data stays data. */
	buf_add(out, "\xef\xbb\xbf", 3);
	while (csv_read(r, &fields, &n, &more, &f) == SOUK_OK && more) {
		for (size_t i = 0; i < n; i++) {
			assert(fields[i].p[fields[i].n] == '\0');
			if (i > 0)
				buf_add_char(out, ',');
			csv_field(out, fields[i]);
		}
		buf_add_c(out, "\r\n");
		records++;
	}
	assert(!more || f.n > 0);
	return records;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct buf first = { 0 }, second = { 0 };
	FILE *in;
	struct csv_reader *r = reader_on(data, n, &in);
	size_t records;

	if (!r)
		return 0;
	records = rewrite(r, &first);
	csv_reader_free(r);
	(void)fclose(in);
	r = reader_on(first.p, first.n, &in);
	assert(r);
	assert(rewrite(r, &second) == records);
	assert(str_eq(buf_str(&first), buf_str(&second)));
	csv_reader_free(r);
	(void)fclose(in);
	buf_done(&first);
	buf_done(&second);
	return 0;
}
