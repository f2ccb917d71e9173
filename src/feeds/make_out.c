/* SPDX-License-Identifier: Apache-2.0 */
/* The files of made-up feeds, and how their fields look. */
#include "feeds/make_int.h"

#include "base/csv.h"
#include "base/io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define FLUSH_BYTES ((size_t)1 << 20)
#define SHUFFLE_BYTES ((size_t)16 << 20)
/* All until April 2020 stands in one file (data-feeds 1, backfill). */
#define BACKFILL_LAST (2020 * 12 + 3)
#define BACKFILL_FOLDER (2010 * 12)

static void
out_failed(struct make_out *out, const char *path)
{
	if (out->err == SOUK_OK)
		out->err = fail_set(out->fail, SOUK_E_STORAGE, "output",
		    "%s: cannot be written (%s); make room there and run it again in an empty "
		    "directory",
		    path, strerrordesc_np(errno));
}

static void
write_bytes(struct make_out *out, struct make_file *f, const char *p, size_t n)
{
	bool good;

	if (n == 0 || out->err != SOUK_OK)
		return;
	good = f->gz != NULL ? gzwrite(f->gz, p, (unsigned)n) == (int)n
			     : io_write_all(f->fd, p, n) == SOUK_OK;
	if (!good)
		out_failed(out, out->o->dir);
	out->bytes += n;
}

/* The rows of the buffer in an order that the seed decides. */
static void
write_shuffled(struct make_out *out, struct make_file *f)
{
	struct buf mixed = { 0 };
	uint64_t h = make_key(out->o->seed, KIND_SHUFFLE, out->chunks, 0);
	size_t *end = malloc(f->n_rows * sizeof(*end));

	if (end == NULL || f->n_rows > f->cap_rows || !buf_reserve(&mixed, f->b.n)) {
		out->err = fail_set(out->fail, SOUK_E_NOMEM, "memory", "out of memory");
		free(end);
		return;
	}
	for (size_t i = 0; i < f->n_rows; i++)
		end[i] = i + 1 < f->n_rows ? f->row[i + 1] : f->b.n;
	for (size_t left = f->n_rows; left > 0; left--) {
		size_t i = (size_t)((h = make_mix(h)) % left);

		buf_add(&mixed, f->b.p + f->row[i], end[i] - f->row[i]);
		f->row[i] = f->row[left - 1];
		end[i] = end[left - 1];
	}
	write_bytes(out, f, mixed.p, mixed.n);
	buf_done(&mixed);
	free(end);
}

static void
flush(struct make_out *out, struct make_file *f)
{
	if (!buf_ok(&f->b) && out->err == SOUK_OK)
		out->err = fail_set(out->fail, SOUK_E_NOMEM, "memory", "out of memory");
	if (out->err == SOUK_OK && f->n_rows > 0 && out->o->shuffle)
		write_shuffled(out, f);
	else
		write_bytes(out, f, f->b.p, f->b.n);
	out->chunks++;
	buf_clear(&f->b);
	f->n_rows = 0;
}

static void
close_file(struct make_out *out, struct make_file *f)
{
	if (f->fd < 0)
		return;
	flush(out, f);
	if (f->gz != NULL ? gzclose(f->gz) != Z_OK : close(f->fd) != 0)
		out_failed(out, out->o->dir);
	f->fd = -1;
	f->gz = NULL;
}

static void
write_header(struct make_out *out, struct make_file *f, const struct feed_info *info)
{
	struct buf b = { 0 };

	for (unsigned c = 0; c < info->n_columns; c++)
		buf_printf(&b, "%s%c", info->columns[c].name, c + 1 < info->n_columns ? ',' : '\n');
	write_bytes(out, f, b.p, b.n);
	buf_done(&b);
}

static void
open_file(struct make_out *out, enum feed feed, int month)
{
	struct make_file *f = &out->file[feed];
	char path[4096];
	int n = snprintf(path, sizeof(path), "%s/%s/year=%04d/month=%02d", out->dir,
	    feed_info(feed)->folder, month / 12, month % 12 + 1);

	if (n < 0 || (size_t)n + 16 > sizeof(path)) {
		out->err = fail_set(out->fail, SOUK_E_INVALID, "output",
		    "DIR: the name is too long; give a shorter one");
		return;
	}
	out->err = io_make_dir(path, 0755, out->fail);
	if (out->err != SOUK_OK)
		return;
	(void)snprintf(path + n, 16, out->o->gzip ? "/data.csv.gz" : "/data.csv");
	f->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (f->fd < 0) {
		out_failed(out, path);
		return;
	}
	if (out->o->gzip)
		f->gz = gzdopen(f->fd, "wb1");
	if (out->o->gzip && f->gz == NULL)
		out_failed(out, path);
	f->month = month;
	write_header(out, f, feed_info(feed));
}

static bool
dir_is_empty(const char *path)
{
	DIR *d = opendir(path);
	bool empty = true;

	if (d == NULL)
		return false;
	for (struct dirent *e = readdir(d); e != NULL && empty; e = readdir(d))
		empty = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
	(void)closedir(d);
	return empty;
}

/* A neighbour of the directory to write in, so that what is interrupted never looks whole. */
static enum souk_err
begin_beside(struct make_out *out)
{
	int n = (int)strlen(out->o->dir);

	while (n > 1 && out->o->dir[n - 1] == '/')
		n--;
	if (asprintf(&out->dir, "%.*s.XXXXXX", n, out->o->dir) < 0) {
		out->dir = NULL;
		return fail_set(out->fail, SOUK_E_NOMEM, "memory", "out of memory");
	}
	if (mkdtemp(out->dir) == NULL || chmod(out->dir, 0755) != 0)
		out_failed(out, out->o->dir);
	return out->err;
}

void
make_out_open(struct make_out *out, const struct make_options *o, struct fail *f)
{
	*out = (struct make_out){ .o = o, .fail = f };
	for (unsigned i = 0; i < FEED__COUNT; i++)
		out->file[i].fd = -1;
	out->err = io_make_dir(o->dir, 0755, f);
	if (out->err == SOUK_OK && !dir_is_empty(o->dir))
		out->err = fail_set(f, SOUK_E_CONFLICT, "not_empty",
		    "%s: is not an empty directory; give a new one, so that no feeds are mixed",
		    o->dir);
	if (out->err == SOUK_OK)
		out->err = begin_beside(out);
	for (unsigned i = 0; i < FEED__COUNT && o->shuffle && out->err == SOUK_OK; i++) {
		/* No row is shorter than its three instants. */
		out->file[i].cap_rows = SHUFFLE_BYTES / 64 + 64;
		out->file[i].row = malloc(out->file[i].cap_rows * sizeof(size_t));
		if (out->file[i].row == NULL)
			out->err = fail_set(f, SOUK_E_NOMEM, "memory", "out of memory");
	}
}

void
make_out_month(struct make_out *out, int month)
{
	int folder = month <= BACKFILL_LAST ? BACKFILL_FOLDER : month;

	for (unsigned i = 0; i < FEED__COUNT && out->err == SOUK_OK; i++) {
		if (out->file[i].fd >= 0 && out->file[i].month == folder)
			continue;
		close_file(out, &out->file[i]);
		if (out->err == SOUK_OK)
			open_file(out, (enum feed)i, folder);
	}
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

enum souk_err
make_out_close(struct make_out *out)
{
	for (unsigned i = 0; i < FEED__COUNT; i++) {
		close_file(out, &out->file[i]);
		buf_done(&out->file[i].b);
		free(out->file[i].row);
	}
	/* The directory is empty, and so can be replaced. */
	if (out->err == SOUK_OK && rename(out->dir, out->o->dir) != 0)
		out_failed(out, out->o->dir);
	if (out->err != SOUK_OK && out->dir != NULL)
		(void)nftw(out->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(out->dir);
	return out->err;
}

void
make_row_end(struct make_out *out, enum feed feed, const struct make_history *h)
{
	struct make_file *f = &out->file[feed];
	struct buf *b = &f->b;

	make_instant(b, h->valid_from);
	if (feed == FEED_ADDRESS)
		buf_add_char(b, ',');
	make_instant(b, h->insert);
	make_instant(b, h->update);
	make_instant(b, h->deleted);
	if (buf_ok(b))
		b->p[b->n - 1] = '\n';
	out->rows[feed]++;
	if (b->n >= (out->o->shuffle ? SHUFFLE_BYTES : FLUSH_BYTES))
		flush(out, f);
}

void
make_id(struct buf *b, uint64_t key)
{
	static const char digits[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ab";
	char *p;

	if (!buf_reserve(b, 41))
		return;
	p = b->p + b->n;
	for (unsigned i = 0; i < 4 && key != 0; i++) {
		uint64_t h = make_mix(key + i);

		for (unsigned k = 0; k < 10; k++, h >>= 6)
			*p++ = digits[h & 63];
	}
	*p++ = ',';
	b->n = (size_t)(p - b->p);
}

void
make_account_number(struct buf *b, uint64_t seed, uint64_t index)
{
	/* Odd and not a multiple of five, so no two indices share a number. */
	uint64_t n =
	    (index * UINT64_C(618033988777) + make_mix(seed) % 1000000000000) % 1000000000000;
	char digits[13];

	for (unsigned i = 12; i-- > 0; n /= 10)
		digits[i] = (char)('0' + n % 10);
	digits[12] = ',';
	buf_add(b, digits, 13);
}

void
make_text(struct buf *b, struct str s)
{
	csv_field(b, s);
	buf_add_char(b, ',');
}

void
make_literal(struct buf *b, const char *s)
{
	buf_add_c(b, s);
	buf_add_char(b, ',');
}

void
make_number(struct buf *b, int64_t n)
{
	buf_add_i64(b, n);
	buf_add_char(b, ',');
}

static void
two_digits(char *p, unsigned v)
{
	p[0] = (char)('0' + v / 10);
	p[1] = (char)('0' + v % 10);
}

/* The Gregorian calendar, years from March on. */
static void
date_text(int64_t days, char *p)
{
	int64_t z = days + 719468;
	int64_t era = z / 146097;
	unsigned doe = (unsigned)(z - era * 146097);
	unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	unsigned mp = (5 * doy + 2) / 153;
	unsigned month = mp < 10 ? mp + 3 : mp - 9;
	unsigned year = (unsigned)(era * 400) + yoe + (month <= 2);

	two_digits(p, year / 100);
	two_digits(p + 2, year % 100);
	p[4] = '-';
	two_digits(p + 5, month);
	p[7] = '-';
	two_digits(p + 8, doy - (153 * mp + 2) / 5 + 1);
}

void
make_instant(struct buf *b, int64_t seconds)
{
	unsigned rest = (unsigned)(seconds % 86400);
	char text[21];

	if (seconds == 0) {
		buf_add_char(b, ',');
		return;
	}
	date_text(seconds / 86400, text);
	text[10] = 'T';
	two_digits(text + 11, rest / 3600);
	text[13] = ':';
	two_digits(text + 14, rest / 60 % 60);
	text[16] = ':';
	two_digits(text + 17, rest % 60);
	text[19] = 'Z';
	text[20] = ',';
	buf_add(b, text, sizeof(text));
}

void
make_uuid(struct buf *b, uint64_t key)
{
	char hex[33];

	(void)snprintf(hex, sizeof(hex), "%016llx%016llx", (unsigned long long)key,
	    (unsigned long long)make_mix(key));
	buf_printf(b, "%.8s-%.4s-4%.3s-a%.3s-%.12s,", hex, hex + 8, hex + 13, hex + 17, hex + 20);
}

void
make_amount(struct buf *b, make_money m)
{
	char text[48], *p = text + sizeof(text);
	unsigned __int128 v = m < 0 ? -(unsigned __int128)m : (unsigned __int128)m;
	uint64_t whole = (uint64_t)(v / (unsigned __int128)MAKE_ONE);
	uint32_t part = (uint32_t)(v % (unsigned __int128)MAKE_ONE);

	*--p = ',';
	if (part != 0) {
		unsigned digits = 8;

		for (; part % 10 == 0; digits--)
			part /= 10;
		for (; digits > 0; digits--, part /= 10)
			*--p = (char)('0' + part % 10);
		*--p = '.';
	}
	do
		*--p = (char)('0' + whole % 10);
	while ((whole /= 10) != 0);
	if (m < 0)
		*--p = '-';
	buf_add(b, p, (size_t)(text + sizeof(text) - p));
}
