/* SPDX-License-Identifier: Apache-2.0 */
/* Folders: what is a feed file, what is refused, files that shrink, compressed ones. */
#include "folder.h"

#include "feeds/source.h"

#include <sys/stat.h>
#include <zlib.h>

#define EVENTS "billing_event_v1/year=2024/month=05/data.csv"

static enum souk_err
open_folder(const char *dir, struct fail *f)
{
	struct feed_source *s = NULL;
	enum souk_err err;

	memset(f, 0, sizeof(*f));
	err = feed_source_folder(dir, &s, f);
	feed_source_free(s);
	return err;
}

static void
test_layout(void **state)
{
	const char *dir = *state;
	struct feed_source *s;
	size_t first, n;

	folder_text(dir, "piifeed/year=2023/month=12/data.csv", "a\n");
	folder_text(dir, "billingeventfeed_v1/year=2024/month=11/data.csv", "a\n");
	folder_text(dir, "billingeventfeed_v1/year=2024/month=02/part-2.csv", "a\n");
	folder_text(dir, "billingeventfeed_v1/year=2024/month=02/part-1.csv", "a\n");
	folder_text(dir, "billingeventfeed_v1/year=2010/month=01/data.csv", "a\n");
	folder_text(dir, "billingeventfeed_v1/year=2010/month=01/README.txt", "no feed\n");
	folder_text(dir, "billingeventfeed_v1/year=2010/month=01/.hidden.csv", "no feed\n");
	folder_text(dir, "other/year=2010/month=01/data.csv", "no feed\n");
	folder_text(dir, "notes.csv", "no feed\n");
	s = folder_source(dir);
	assert_int_equal(s->n, 5);
	feed_source_of(s, FEED_ADDRESS, &first, &n);
	assert_int_equal(n, 1);
	feed_source_of(s, FEED_BILLING_EVENT, &first, &n);
	assert_int_equal(n, 4);
	assert_string_equal(
	    s->files[first].name, "billingeventfeed_v1/year=2010/month=01/data.csv");
	assert_string_equal(
	    s->files[first + 1].name, "billingeventfeed_v1/year=2024/month=02/part-1.csv");
	assert_string_equal(
	    s->files[first + 2].name, "billingeventfeed_v1/year=2024/month=02/part-2.csv");
	assert_int_equal(s->files[first + 3].month, 11);
	feed_source_free(s);
}

static void
test_refused(void **state)
{
	static const struct {
		const char *paths[2];
		const char *field;
	} rows[] = {
		{ { "offer_v1/year=24/month=05/data.csv" }, "offer_v1/year=24/month=05/data.csv" },
		{ { "offer_v1/year=2024/month=13/data.csv" },
		    "offer_v1/year=2024/month=13/data.csv" },
		{ { "offer_v1/year=2024/month=00/data.csv" },
		    "offer_v1/year=2024/month=00/data.csv" },
		{ { "offer_v1/year=2024/month=01/data.csv",
		      "offer_v1/year=2024/month=01/data.csv.gz" },
		    "offer_v1/year=2024/month=01/data.csv" },
		{ { "offer_v1/year=2024/month=01/data.csv",
		      "offerfeed_v1/year=2024/month=02/data.csv" },
		    "offerfeed_v1/year=2024/month=02/data.csv" },
	};
	const char *dir = *state;
	struct fail f;

	for (size_t i = 0; i < COUNT(rows); i++) {
		folder_clear(dir);
		for (size_t k = 0; k < 2 && rows[i].paths[k]; k++)
			folder_text(dir, rows[i].paths[k], "a\n");
		assert_row(i, open_folder(dir, &f) == SOUK_E_INVALID);
		assert_row(i, strncmp(f.entry[0].field, rows[i].field, strlen(rows[i].field)) == 0);
		assert_row(i, f.entry[0].what[0] && f.entry[0].fix[0]);
	}
	folder_clear(dir);
	assert_int_equal(open_folder(dir, &f), SOUK_E_INVALID);
	assert_string_equal(f.code, "no_feeds");
	assert_int_equal(open_folder("/nowhere/at/all", &f), SOUK_E_INVALID);
	folder_text(dir, "offer_v1/year=2024/month=01/data.csv", "a\n");
	{
		char path[128];

		(void)snprintf(path, sizeof(path), "%s/offer_v1/year=2024/month=02", dir);
		assert_int_equal(mkdir(path, 0700), 0);
		(void)snprintf(path, sizeof(path), "%s/offer_v1/year=2024/month=02/data.csv", dir);
		assert_int_equal(mkfifo(path, 0600), 0);
		assert_int_equal(open_folder(dir, &f), SOUK_E_INVALID);
	}
}

static void
test_shrinks(void **state)
{
	const char *dir = *state;
	struct feed_source *s;
	struct fail f = { 0 };
	char bytes[16];

	folder_clear(dir);
	folder_text(dir, EVENTS, "0123456789");
	s = folder_source(dir);
	assert_int_equal(feed_source_open(s, 0, &f), SOUK_OK);
	assert_int_equal(feed_source_read(s, 0, 3, bytes, 5, &f), SOUK_OK);
	assert_memory_equal(bytes, "34567", 5);
	folder_text(dir, EVENTS, "0123");
	assert_int_equal(feed_source_read(s, 0, 3, bytes, 5, &f), SOUK_E_INVALID);
	assert_string_equal(f.entry[0].what, "shrank while it was read");
	feed_source_free(s);
}

/* `text` as a gzip member. */
static size_t
compress_text(const char *text, unsigned char *out, size_t size)
{
	z_stream z = { 0 };

	assert_int_equal(
	    deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = (unsigned char *)(uintptr_t)text;
	z.avail_in = (unsigned)strlen(text);
	z.next_out = out;
	z.avail_out = (unsigned)size;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	size = z.total_out;
	(void)deflateEnd(&z);
	return size;
}

static void
test_compressed(void **state)
{
	const char *dir = *state;
	unsigned char bytes[400];
	struct feed_source *s;
	struct fail f = { 0 };
	char text[32] = { 0 };
	size_t n = compress_text("hello,", bytes, sizeof(bytes)), m;

	folder_clear(dir);
	m = n + compress_text("world\n", bytes + n, sizeof(bytes) - n); /* two members */
	folder_write(dir, EVENTS ".gz", bytes, m);
	s = folder_source(dir);
	assert_int_equal(feed_source_open(s, 0, &f), SOUK_OK);
	assert_int_equal(feed_source_open(s, 0, &f), SOUK_OK);
	assert_int_equal(s->files[0].size, 12);
	assert_int_equal(feed_source_read(s, 0, 4, text, 8, &f), SOUK_OK);
	assert_string_equal(text, "o,world\n");
	feed_source_free(s);
	folder_write(dir, EVENTS ".gz", bytes, m - 5);
	s = folder_source(dir);
	assert_int_equal(feed_source_open(s, 0, &f), SOUK_E_INVALID);
	assert_string_equal(f.entry[0].what, "ends early");
	feed_source_free(s);
	memset(&f, 0, sizeof(f));
	folder_text(dir, EVENTS ".gz", "billing_event_id,this is no gzip file\n");
	s = folder_source(dir);
	assert_int_equal(feed_source_open(s, 0, &f), SOUK_E_INVALID);
	assert_string_equal(f.entry[0].what, "is not a sound gzip file");
	feed_source_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_shrinks),
		cmocka_unit_test(test_compressed),
	};

	return cmocka_run_group_tests_name("feeds.source", tests, folder_make, folder_remove);
}
