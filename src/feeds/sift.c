/* SPDX-License-Identifier: Apache-2.0 */
/* Twice through a file: what is wrong with it, then what is left of it. */
#include "feeds/sift.h"

#include "base/utf8.h"
#include "feeds/read.h"

#include <stdlib.h>

#define COPY ((size_t)256 * 1024)

struct sifting {
	struct feed_reading reading;
	struct fault_sink counter;
	struct sink *out; /* NULL: only looking */
};

static enum souk_err
cannot_write(enum souk_err err, struct fail *f)
{
	return err == SOUK_OK ? err
			      : fail_set(f, err, "write_failed", "A feed file cannot be kept.");
}

static enum souk_err
take_row(void *arg, const struct feed_row *row, struct fail *f)
{
	struct sifting *x = arg;
	enum souk_err err;

	if (!utf8_valid(row->raw))
		return feed_row_fault(&x->reading, row, row->info->n_columns, "is not UTF-8",
		    "write the file as UTF-8", f);
	if (!x->out)
		return SOUK_OK;
	err = x->out->write(x->out, row->raw.p, row->raw.n);
	if (err == SOUK_OK)
		err = x->out->write(x->out, "\n", 1);
	return cannot_write(err, f);
}

/* The text from its beginning to `end`. */
static enum souk_err
copy(struct feed_source *s, size_t file, uint64_t end, struct sink *out, struct fail *f)
{
	char *block = malloc(COPY);
	enum souk_err err = SOUK_OK;

	if (!block)
		return fail_set(f, SOUK_E_NOMEM, "out_of_memory", "No memory to copy the feeds.");
	for (uint64_t at = 0; err == SOUK_OK && at < end; at += COPY) {
		size_t n = end - at < COPY ? (size_t)(end - at) : COPY;

		if ((err = feed_source_read(s, file, at, block, n, f)) == SOUK_OK)
			err = cannot_write(out->write(out, block, n), f);
	}
	free(block);
	return err;
}

static enum souk_err
copy_good(struct sifting *x, size_t file, struct sink *out, struct fail *f)
{
	struct feed_header h;
	enum souk_err err = feed_header_read(x->reading.source, file, x->reading.columns, &h, f);

	if (err == SOUK_OK)
		err = copy(x->reading.source, file, h.begins, out, f);
	x->reading.faults = &x->counter; /* they were told */
	x->out = out;
	return err == SOUK_OK ? feed_read_file(&x->reading, file, f) : err;
}

enum souk_err
feed_sift(struct feed_source *s, size_t file, struct fault_sink *faults, struct sink *out,
    uint64_t *ret_set_aside, struct fail *f)
{
	enum feed feed = s->files[file].feed;
	struct sifting x = { .reading = { .source = s,
				 .feed = feed,
				 .columns = COLUMNS_ALL(feed_info(feed)->n_columns),
				 .faults = faults,
				 .row = take_row } };
	uint64_t before = faults ? faults->n : 0;
	enum souk_err err;

	x.reading.arg = &x;
	if ((err = feed_read_file(&x.reading, file, f)) != SOUK_OK)
		return err;
	*ret_set_aside = faults ? faults->n - before : 0;
	return *ret_set_aside > 0 ? copy_good(&x, file, out, f)
				  : copy(s, file, s->files[file].size, out, f);
}
