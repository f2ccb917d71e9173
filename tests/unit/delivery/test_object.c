/* SPDX-License-Identifier: Apache-2.0 */
/* Objects: what was written is read, one version at a time, until its key is gone. */
#include "base/digest.h"
#include "world.h"

#include "unit/database.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static enum souk_err
make_bucket(struct db_tx *tx, void *arg)
{
	struct world *w = arg;

	return bucket_create(tx, &w->seller, SELLER, STR("exports"), NULL);
}

/* ---- putting and getting, from the test's point of view ---- */

struct put {
	struct object_writer *writer;
	struct object_facts facts;
	bool if_none;
	struct str if_match;
	struct fail f;
};

static enum souk_err
put_row(struct db_tx *tx, void *arg)
{
	struct put *p = arg;

	memset(&p->f, 0, sizeof(p->f));
	return object_commit(tx, p->writer, &p->facts, p->if_none, p->if_match, &p->f);
}

static struct object_writer *
written(struct object_store *os, const void *p, size_t n, size_t piece)
{
	struct object_writer *wr;
	size_t take;

	assert_ok(object_writer_new(os, SELLER, &wr));
	for (size_t at = 0; at < n; at += take) {
		take = n - at < piece ? n - at : piece;
		assert_ok(object_writer_sink(wr)->write(
		    object_writer_sink(wr), (const char *)p + at, take));
	}
	assert_ok(object_writer_close(wr));
	return wr;
}

static enum souk_err
put_if(struct world *w, struct object_store *os, const char *key, struct str data, bool if_none,
    const char *if_match)
{
	struct put p = { .writer = written(os, data.p, data.n, 100000),
		.facts = { .bucket = STR("exports"), .key = str_c(key) },
		.if_none = if_none,
		.if_match = str_c(if_match) };
	enum souk_err err = db_write(w->db, put_row, &p);

	object_writer_free(p.writer);
	return err;
}

static void
put(struct world *w, struct object_store *os, const char *key, struct str data)
{
	assert_ok(put_if(w, os, key, data, false, NULL));
}

struct get {
	struct world *w;
	struct object_store *os;
	const struct tenant_scope *scope;
	struct str bucket, key;
	struct object o;
	struct object_reader *reader;
};

static enum souk_err
open_row(struct db_tx *tx, void *arg)
{
	struct get *g = arg;
	enum souk_err err;

	g->reader = NULL;
	err = object_get(tx, g->scope, g->bucket, g->key, g->w->mem, &g->o);
	return err == SOUK_OK ? object_reader_open(g->os, &g->o, &g->reader) : err;
}

static struct get
open_object(struct world *w, struct object_store *os, const char *key)
{
	struct get g = {
		.w = w, .os = os, .scope = &w->seller, .bucket = STR("exports"), .key = str_c(key)
	};

	assert_ok(db_read(w->db, open_row, &g));
	return g;
}

static enum souk_err
look(struct world *w, struct object_store *os, const char *key)
{
	struct get g = {
		.w = w, .os = os, .scope = &w->seller, .bucket = STR("exports"), .key = str_c(key)
	};
	enum souk_err err = db_read(w->db, open_row, &g);

	object_reader_free(g.reader);
	return err;
}

static void
fill(uint8_t *p, size_t n, uint64_t seed)
{
	struct prng r = { seed };

	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)prng_next(&r);
}

static void
assert_content(struct object_reader *r, const uint8_t *want, size_t n)
{
	uint8_t *got = malloc(n + 1);
	size_t got_n;

	assert_ok(object_read(r, 0, got, n + 1, &got_n));
	assert_int_equal(got_n, n);
	assert_true(n == 0 || memcmp(got, want, n) == 0);
	free(got);
}

/* ---- tests ---- */

static const size_t sizes[] = { 0, 1, 15, 16, 17, 65519, 65520, 65535, 65536, 65537, 131071, 131072,
	131073, 10 << 20 };

static void
test_round_trip(void **state)
{
	struct world *w = *state;
	struct object_store *os = world_objects(w, DAY_MS);
	uint8_t *data = malloc(10 << 20), sum[32], md5[16];
	char hex[33];

	IN_WRITE(w, make_bucket, w);
	fill(data, 10 << 20, 1);
	for (size_t i = 0; i < COUNT(sizes); i++) {
		struct put p = { .facts = { .bucket = STR("exports"), .key = STR("a/b.csv") } };
		struct md5_ctx ctx;
		struct get g;

		p.writer = written(os, data, sizes[i], i % 2 ? 65536 : 7777);
		assert_int_equal(object_writer_size(p.writer), sizes[i]);
		IN_WRITE(w, put_row, &p);
		object_writer_free(p.writer);
		g = open_object(w, os, "a/b.csv");
		assert_int_equal(g.o.size, sizes[i]);
		assert_content(g.reader, data, sizes[i]);
		sha256(data, sizes[i], sum);
		assert_memory_equal(g.o.sha256, sum, 32);
		md5_init(&ctx);
		md5_update(&ctx, sizes[i], data);
		md5_digest(&ctx, 16, md5);
		hex_encode(md5, 16, hex);
		assert_true(str_eq_c(g.o.etag, hex));
		assert_true(str_eq_c(g.o.content_type, "binary/octet-stream"));
		assert_int_equal(g.o.expires_at - g.o.modified_at, DAY_MS);
		object_reader_free(g.reader);
	}
	free(data);
	object_store_close(os);
}

static void
test_ranges(void **state)
{
	enum { SIZE = 3 * 65536 + 100 };
	struct world *w = *state;
	struct object_store *os = world_objects(w, DAY_MS);
	static uint8_t data[SIZE], got[SIZE];
	struct prng r = { 7 };
	struct get g;
	size_t n;

	IN_WRITE(w, make_bucket, w);
	fill(data, SIZE, 2);
	put(w, os, "k", (struct str){ (char *)data, SIZE });
	g = open_object(w, os, "k");
	for (int i = 0; i < 2000; i++) {
		size_t at = prng_below(&r, SIZE + 1), want = prng_below(&r, SIZE);
		size_t rest = SIZE - at < want ? SIZE - at : want;

		if (i % 3 == 0)
			at -= at % 65536, rest = SIZE - at < want ? SIZE - at : want;
		assert_ok(object_read(g.reader, (int64_t)at, got, want, &n));
		assert_int_equal(n, rest);
		assert_true(rest == 0 || memcmp(got, data + at, rest) == 0);
	}
	assert_ok(object_read(g.reader, SIZE + 5, got, 10, &n));
	assert_int_equal(n, 0);
	object_reader_free(g.reader);
	object_store_close(os);
}

static void
test_facts(void **state)
{
	struct world *w = *state;
	struct object_store *os = world_objects(w, DAY_MS);
	struct put p = { .writer = written(os, "x", 1, 1),
		.facts = { .bucket = STR("exports"),
		    .key = STR("\xc3\xbc \xe2\x82\xac+~.csv"),
		    .content_type = STR("text/csv"),
		    .headers = STR("{\"x-amz-meta-a\":\"b\"}"),
		    .checksum = STR("CRC32:AAAAAA==") } };
	struct get g;

	IN_WRITE(w, make_bucket, w);
	IN_WRITE(w, put_row, &p);
	object_writer_free(p.writer);
	g = open_object(w, os, "\xc3\xbc \xe2\x82\xac+~.csv");
	assert_true(str_eq_c(g.o.content_type, "text/csv"));
	assert_true(str_eq_c(g.o.headers, "{\"x-amz-meta-a\":\"b\"}"));
	assert_true(str_eq_c(g.o.checksum, "CRC32:AAAAAA=="));
	assert_true(str_eq_c(g.o.bucket, "exports"));
	object_reader_free(g.reader);
	object_store_close(os);
}

static void
test_keys_refused(void **state)
{
	static char longest[OBJECT_KEY_MAX + 2];
	struct world *w = *state;
	struct object_store *os = world_objects(w, DAY_MS);

	IN_WRITE(w, make_bucket, w);
	memset(longest, 'k', OBJECT_KEY_MAX + 1);
	assert_err(SOUK_E_LIMIT, put_if(w, os, longest, STR("x"), false, NULL));
	longest[OBJECT_KEY_MAX] = '\0';
	put(w, os, longest, STR("x"));
	assert_err(SOUK_E_INVALID, put_if(w, os, "", STR("x"), false, NULL));
	assert_err(SOUK_E_INVALID, put_if(w, os, "\xff", STR("x"), false, NULL));
	assert_int_equal(world_files(w), 1); /* what was refused is not left on disk */
	object_store_close(os);
}

static void
test_sealed_on_disk(void **state)
{
	struct world *w = *state;
	struct object_store *os = world_objects(w, DAY_MS);
	struct buf b = { 0 };
	struct stat st;

	IN_WRITE(w, make_bucket, w);
	put(w, os, "k", STR("Given Name,Surname,Email\r\n"));
	assert_ok(io_read_file(world_file(w), 4096, &b, NULL));
	assert_int_equal(b.n, 26 + VAULT_CHUNK_OVERHEAD);
	assert_null(memmem(b.p, b.n, "Name", 4));
	assert_int_equal(stat(world_file(w), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	buf_done(&b);
	object_store_close(os);
}

static void
test_damage_shows(void **state)
{
	enum { SIZE = 2 * 65536 };
	static uint8_t data[SIZE], got[SIZE];
	struct world *w = *state;
	struct object_store *os = world_objects(w, DAY_MS);
	struct get g;
	size_t n;
	char byte;
	int fd;

	IN_WRITE(w, make_bucket, w);
	put(w, os, "k", (struct str){ (char *)data, SIZE });
	fd = open(world_file(w), O_RDWR);
	assert_int_equal(pread(fd, &byte, 1, 70000), 1);
	byte ^= 1;
	assert_int_equal(pwrite(fd, &byte, 1, 70000), 1);
	g = open_object(w, os, "k");
	assert_ok(object_read(g.reader, 0, got, 65536, &n));
	assert_err(SOUK_E_STORAGE, object_read(g.reader, 65536, got, 65536, &n));
	assert_err(SOUK_E_STORAGE, object_read(g.reader, 65530, got, 10, &n));
	object_reader_free(g.reader);
	byte ^= 1;
	assert_int_equal(pwrite(fd, &byte, 1, 70000), 1);
	assert_int_equal(ftruncate(fd, 65552), 0); /* cut at a chunk's end */
	g = open_object(w, os, "k");
	assert_err(SOUK_E_STORAGE, object_read(g.reader, 65536, got, 65536, &n));
	object_reader_free(g.reader);
	(void)close(fd);
	object_store_close(os);
}

static void
test_replacing_does_not_disturb_readers(void **state)
{
	enum { SIZE = 200000 };
	static uint8_t one[SIZE], two[SIZE], got[SIZE];
	struct world *w = *state;
	struct object_store *os = world_objects(w, DAY_MS);
	struct get before, after;
	int64_t expired;
	size_t n;

	IN_WRITE(w, make_bucket, w);
	fill(one, SIZE, 3);
	fill(two, SIZE, 4);
	put(w, os, "k", (struct str){ (char *)one, SIZE });
	before = open_object(w, os, "k");
	assert_ok(object_read(before.reader, 0, got, 1000, &n));
	put(w, os, "k", (struct str){ (char *)two, SIZE });
	after = open_object(w, os, "k");
	/* even once housekeeping took the old file away */
	world_sql(w, "UPDATE object_file SET remove_after = 1");
	assert_ok(object_expire(os, &expired));
	assert_int_equal(expired, 0);
	assert_int_equal(world_files(w), 1);
	assert_content(before.reader, one, SIZE);
	assert_content(after.reader, two, SIZE);
	object_reader_free(before.reader);
	object_reader_free(after.reader);
	object_store_close(os);
}

/* A snapshot taken before a replacement still names the old file: it must be there. */
struct race {
	struct world *w;
	struct object_store *os;
	struct get g;
	enum souk_err opened;
};

static enum souk_err
read_then_lose(struct db_tx *tx, void *arg)
{
	struct race *r = arg;
	int64_t n;
	enum souk_err err;

	err = object_get(tx, &r->w->seller, STR("exports"), STR("k"), r->w->mem, &r->g.o);
	put(r->w, r->os, "k", STR("two"));
	assert_ok(object_expire(r->os, &n));
	r->opened = object_reader_open(r->os, &r->g.o, &r->g.reader);
	return err;
}

static void
test_old_snapshot_opens(void **state)
{
	struct world *w = *state;
	struct race r = { .w = w, .os = world_objects(w, DAY_MS) };

	IN_WRITE(w, make_bucket, w);
	put(w, r.os, "k", STR("one"));
	IN_READ(w, read_then_lose, &r);
	assert_ok(r.opened);
	assert_content(r.g.reader, (const uint8_t *)"one", 3);
	object_reader_free(r.g.reader);
	object_store_close(r.os);
}

static void
test_preconditions(void **state)
{
	struct world *w = *state;
	struct object_store *os = world_objects(w, DAY_MS);

	IN_WRITE(w, make_bucket, w);
	assert_err(SOUK_E_PRECONDITION,
	    put_if(w, os, "k", STR("a"), false, "0cc175b9c0f1b6a831c399e269772661"));
	assert_ok(put_if(w, os, "k", STR("a"), true, NULL));
	assert_err(SOUK_E_PRECONDITION, put_if(w, os, "k", STR("b"), true, NULL));
	assert_err(SOUK_E_PRECONDITION,
	    put_if(w, os, "k", STR("b"), false, "92eb5ffee6ae2fec3ad71c777531578f"));
	assert_ok(put_if(w, os, "k", STR("b"), false, "0cc175b9c0f1b6a831c399e269772661"));
	assert_int_equal(world_int(w, "SELECT count(*) FROM object"), 1);
	assert_int_equal(world_files(w), 2); /* the present one, and the one just replaced */
	object_store_close(os);
}

static void
test_foreign_buckets(void **state)
{
	struct world *w = *state;
	struct object_store *os = world_objects(w, DAY_MS);
	struct get g = { .w = w, .os = os, .bucket = STR("exports"), .key = STR("k") };
	struct put p = { .facts = { .bucket = STR("exports"), .key = STR("k") } };
	const struct tenant_scope *strangers[] = { &w->other, &w->buyer, &w->operator_ };

	IN_WRITE(w, make_bucket, w);
	put(w, os, "k", STR("a"));
	/* contents are the seller's alone, also for the operator */
	for (size_t i = 0; i < COUNT(strangers); i++) {
		g.scope = strangers[i];
		assert_err(SOUK_E_NOT_FOUND, db_read(w->db, open_row, &g));
	}
	g.scope = &w->seller;
	g.bucket = STR("nowhere");
	assert_err(SOUK_E_NOT_FOUND, db_read(w->db, open_row, &g));
	assert_ok(object_writer_new(os, OTHER, &p.writer));
	assert_ok(object_writer_close(p.writer));
	assert_err(SOUK_E_NOT_FOUND, db_write(w->db, put_row, &p));
	assert_string_equal(p.f.code, "no_such_bucket");
	object_writer_free(p.writer);
	object_store_close(os);
}

static enum souk_err
undone(struct db_tx *tx, void *arg)
{
	enum souk_err err = put_row(tx, arg);

	return err == SOUK_OK ? SOUK_E_CONFLICT : err;
}

static void
test_commit_again_after_undoing(void **state)
{
	struct world *w = *state;
	struct object_store *os = world_objects(w, DAY_MS);
	struct put p = { .writer = written(os, "x", 1, 1),
		.facts = { .bucket = STR("exports"), .key = STR("k") } };

	IN_WRITE(w, make_bucket, w);
	assert_err(SOUK_E_CONFLICT, db_write(w->db, undone, &p));
	assert_err(SOUK_E_NOT_FOUND, look(w, os, "k"));
	IN_WRITE(w, put_row, &p);
	object_writer_free(p.writer);
	assert_ok(look(w, os, "k"));
	object_store_close(os);
}

/* Whether the commit happened is not known to the writer: its file must not go. */
static void
test_undone_file_is_left_to_housekeeping(void **state)
{
	struct world *w = *state;
	struct object_store *os = world_objects(w, DAY_MS);
	struct put p = { .writer = written(os, "x", 1, 1),
		.facts = { .bucket = STR("exports"), .key = STR("k") } };
	int64_t n;

	IN_WRITE(w, make_bucket, w);
	assert_err(SOUK_E_CONFLICT, db_write(w->db, undone, &p));
	object_writer_free(p.writer);
	assert_int_equal(world_files(w), 1);
	world_sql(w, "UPDATE object_file SET remove_after = 1");
	assert_ok(object_expire(os, &n));
	assert_int_equal(world_files(w), 0);
	object_store_close(os);
}

static void
die_while_writing(struct object_store *os)
{
	struct object_writer *wr = written(os, "half an export", 14, 3);

	(void)wr;
	_exit(0);
}

static void
test_crash_leaves_nothing(void **state)
{
	struct world *w = *state;
	struct object_store *os;
	int64_t n;
	pid_t pid;

	db_close(w->db); /* the child has the database to itself */
	w->db = NULL;
	if ((pid = fork()) == 0) {
		struct db_options o = { .path = test_database(w->dir) };

		if (db_open(&o, &w->db, NULL) == SOUK_OK)
			die_while_writing(world_objects(w, DAY_MS));
		_exit(1);
	}
	assert_true(pid > 0 && waitpid(pid, NULL, 0) == pid);
	world_reopen(w);
	os = world_objects(w, DAY_MS);
	assert_int_equal(world_files(w), 1);
	assert_int_equal(world_int(w, "SELECT count(*) FROM object_file"), 1);
	assert_ok(object_expire(os, &n));
	assert_int_equal(world_files(w), 1); /* it could still be being written */
	world_sql(w, "UPDATE object_file SET remove_after = remove_after - 3600000");
	assert_ok(object_expire(os, &n));
	assert_int_equal(world_files(w), 0);
	assert_int_equal(world_int(w, "SELECT count(*) FROM object_file"), 0);
	object_store_close(os);
}

static void
test_too_slow_an_upload(void **state)
{
	struct world *w = *state;
	struct object_store *os = world_objects(w, DAY_MS);
	struct put p = { .writer = written(os, "x", 1, 1),
		.facts = { .bucket = STR("exports"), .key = STR("k") } };
	int64_t n;

	IN_WRITE(w, make_bucket, w);
	world_sql(w, "UPDATE object_file SET remove_after = 1");
	assert_ok(object_expire(os, &n));
	assert_err(SOUK_E_UNAVAILABLE, db_write(w->db, put_row, &p));
	assert_string_equal(p.f.code, "upload_too_slow");
	object_writer_free(p.writer);
	assert_err(SOUK_E_NOT_FOUND, look(w, os, "k"));
	object_store_close(os);
}

/* Files whose rows were lost (an older database restored) go, young ones stay. */
static void
test_files_without_a_row(void **state)
{
	struct world *w = *state;
	struct object_store *os = world_objects(w, DAY_MS);
	const struct timespec old[2] = { { .tv_sec = 1000000000 }, { .tv_sec = 1000000000 } };
	int64_t n;

	IN_WRITE(w, make_bucket, w);
	put(w, os, "lost", STR("x"));
	put(w, os, "kept", STR("x"));
	world_sql(w, "DELETE FROM object WHERE object_key = 'lost'");
	for (int i = 0; i < 256; i++)
		assert_ok(object_expire(os, &n));
	assert_int_equal(world_files(w), 2);
	while (world_files(w) == 2) {
		/* make both look old: only the one without a row may go */
		char first[512];

		(void)snprintf(first, sizeof(first), "%s", world_file(w));
		assert_int_equal(utimensat(AT_FDCWD, first, old, 0), 0);
		for (int i = 0; i < 256; i++)
			assert_ok(object_expire(os, &n));
		if (world_files(w) == 2) {
			assert_int_equal(unlink(first), 0); /* it was the kept one: it stayed */
			break;
		}
		assert_ok(look(w, os, "kept"));
	}
	assert_int_equal(world_files(w), 1);
	object_store_close(os);
}

static void
test_expiry_destroys_the_key(void **state)
{
	struct world *w = *state;
	struct object_store *os = world_objects(w, 50), *longer;
	struct get g;
	int64_t n;

	IN_WRITE(w, make_bucket, w);
	put(w, os, "k", STR("personal"));
	longer = world_objects(w, DAY_MS);
	put(w, longer, "stays", STR("other"));
	g = open_object(w, longer, "stays");
	object_reader_free(g.reader);
	assert_true(world_db_holds(w, g.o.wrapped_key, sizeof(g.o.wrapped_key)));
	clock_sleep_ms(60);
	assert_err(SOUK_E_NOT_FOUND, look(w, os, "k")); /* before housekeeping, too */
	assert_ok(object_expire(os, &n));
	assert_int_equal(n, 1);
	assert_int_equal(world_int(w, "SELECT count(*) FROM object"), 1);
	assert_ok(look(w, longer, "stays"));
	assert_int_equal(world_files(w), 2);
	world_sql(w, "UPDATE object_file SET remove_after = 1");
	assert_ok(object_expire(os, &n));
	assert_int_equal(world_files(w), 1);
	object_store_close(os);
	object_store_close(longer);
}

#define SOON_MS 2000 /* long enough to open it first on a busy server */

static void
assert_key_gone(struct world *w, const struct object *o)
{
	/* past format byte and key number: nonce, sealed key and tag */
	assert_true(db_scrub_wait(w->db, 5000));
	assert_false(world_db_holds(w, o->wrapped_key + 4, VAULT_WRAPPED_LEN - 4));
}

static enum souk_err
delete_row(struct db_tx *tx, void *arg)
{
	struct get *g = arg;

	return object_delete(tx, g->scope, g->bucket, g->key);
}

static void
test_no_trace_of_the_key(void **state)
{
	struct world *w = *state;
	struct object_store *os = world_objects(w, SOON_MS), *longer = world_objects(w, DAY_MS);
	struct get expired, replaced, deleted;
	int64_t n;

	IN_WRITE(w, make_bucket, w);
	put(w, longer, "replaced", STR("one"));
	replaced = open_object(w, longer, "replaced");
	put(w, longer, "replaced", STR("two"));
	assert_key_gone(w, &replaced.o);
	put(w, longer, "deleted", STR("one"));
	deleted = open_object(w, longer, "deleted");
	assert_true(world_db_holds(w, deleted.o.wrapped_key + 4, VAULT_WRAPPED_LEN - 4));
	deleted.scope = &w->other;
	assert_err(SOUK_E_NOT_FOUND, db_write(w->db, delete_row, &deleted));
	deleted.scope = &w->seller;
	IN_WRITE(w, delete_row, &deleted);
	assert_err(SOUK_E_NOT_FOUND, db_write(w->db, delete_row, &deleted));
	assert_key_gone(w, &deleted.o);
	put(w, os, "expired", STR("one"));
	expired = open_object(w, os, "expired");
	for (n = 0; n == 0; clock_sleep_ms(50))
		assert_ok(object_expire(os, &n));
	assert_int_equal(n, 1);
	assert_key_gone(w, &expired.o);
	object_reader_free(expired.reader);
	object_reader_free(replaced.reader);
	object_reader_free(deleted.reader);
	object_store_close(os);
	object_store_close(longer);
}

static void
test_expiry_in_batches(void **state)
{
	struct world *w = *state;
	struct object_store *os = world_objects(w, 1);
	char key[16];
	int64_t n;

	IN_WRITE(w, make_bucket, w);
	for (int i = 0; i < 150; i++) {
		(void)snprintf(key, sizeof(key), "k%d", i);
		put(w, os, key, STR("x"));
	}
	clock_sleep_ms(5);
	assert_ok(object_expire(os, &n));
	assert_int_equal(n, 150);
	world_sql(w, "UPDATE object_file SET remove_after = 1");
	assert_ok(object_expire(os, &n));
	assert_int_equal(n, 0);
	assert_int_equal(world_files(w), 0);
	object_store_close(os);
}

struct rewrap {
	struct world *w;
	struct buf cursor, start;
	int64_t changed;
	bool done;
};

static enum souk_err
rewrap_some(struct db_tx *tx, void *arg)
{
	struct rewrap *r = arg;

	return object_rewrap(tx, r->w->vault, &r->cursor, 2, &r->changed, &r->done);
}

static void
test_rotation(void **state)
{
	struct world *w = *state;
	struct object_store *os = world_objects(w, DAY_MS);
	struct rewrap r = { .w = w };
	struct put p = { .facts = { .bucket = STR("exports"), .key = STR("late") } };
	int64_t total = 0;
	char key[16];
	struct get g;

	IN_WRITE(w, make_bucket, w);
	for (int i = 0; i < 5; i++) {
		(void)snprintf(key, sizeof(key), "k%d", i);
		put(w, os, key, str_c(key));
	}
	p.writer = written(os, "late", 4, 4); /* its key is wrapped by the old master key */
	assert_ok(vault_ring_add(w->vault, NULL));
	IN_WRITE(w, put_row, &p);
	object_writer_free(p.writer);
	while (!r.done) {
		IN_WRITE(w, rewrap_some, &r);
		total += r.changed;
	}
	assert_int_equal(total, 5);
	buf_done(&r.cursor);
	assert_ok(vault_ring_retire(w->vault, NULL));
	for (int i = 0; i < 5; i++) {
		(void)snprintf(key, sizeof(key), "k%d", i);
		g = open_object(w, os, key);
		assert_content(g.reader, (const uint8_t *)key, strlen(key));
		object_reader_free(g.reader);
	}
	g = open_object(w, os, "late");
	assert_content(g.reader, (const uint8_t *)"late", 4);
	object_reader_free(g.reader);
	object_store_close(os);
}

static enum souk_err
drop_bucket(struct db_tx *tx, void *arg)
{
	struct put *p = arg;

	memset(&p->f, 0, sizeof(p->f));
	return bucket_delete(
	    tx, (const struct tenant_scope *)(const void *)p->if_match.p, STR("exports"), &p->f);
}

static void
test_bucket_with_objects_stays(void **state)
{
	struct world *w = *state;
	struct object_store *os = world_objects(w, DAY_MS);
	struct put p = { .if_match = { (const char *)&w->seller, 0 } };

	IN_WRITE(w, make_bucket, w);
	put(w, os, "k", STR("x"));
	assert_err(SOUK_E_CONFLICT, db_write(w->db, drop_bucket, &p));
	assert_string_equal(p.f.code, "bucket_not_empty");
	world_sql(w, "DELETE FROM object");
	assert_ok(db_write(w->db, drop_bucket, &p));
	object_store_close(os);
}

/* Once removing has begun, on this node or another, the file may go any moment. */
static void
test_a_doomed_file_is_not_put(void **state)
{
	struct world *w = *state;
	struct object_store *os = world_objects(w, DAY_MS);
	struct put p = { .writer = written(os, "x", 1, 1),
		.facts = { .bucket = STR("exports"), .key = STR("k") } };

	IN_WRITE(w, make_bucket, w);
	world_sql(w, "UPDATE object_file SET remove_after = 0");
	assert_err(SOUK_E_UNAVAILABLE, db_write(w->db, put_row, &p));
	assert_string_equal(p.f.code, "upload_too_slow");
	object_writer_free(p.writer);
	object_store_close(os);
}

/* What cannot be removed now stays known, and goes when it can. */
static void
test_removing_is_tried_again(void **state)
{
	struct world *w = *state;
	struct object_store *os = world_objects(w, DAY_MS);
	char path[512];
	int64_t n;
	int fd;

	IN_WRITE(w, make_bucket, w);
	put(w, os, "k", STR("old"));
	(void)snprintf(path, sizeof(path), "%s", world_file(w));
	put(w, os, "k", STR("new"));
	world_sql(w, "UPDATE object_file SET remove_after = 1");
	/* In the file's place something that unlink refuses. */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_err(SOUK_E_STORAGE, object_expire(os, &n));
	assert_int_equal(
	    world_int(w, "SELECT count(*) FROM object_file WHERE remove_after = 0"), 1);
	assert_int_equal(rmdir(path), 0);
	assert_true((fd = open(path, O_CREAT | O_WRONLY, 0600)) >= 0);
	(void)close(fd);
	assert_ok(object_expire(os, &n));
	assert_int_equal(world_int(w, "SELECT count(*) FROM object_file"), 0);
	assert_int_equal(access(path, F_OK), -1);
	object_store_close(os);
}

#define WORLD_TEST(fn) cmocka_unit_test_setup_teardown(fn, world_make, world_remove)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(test_round_trip),
		WORLD_TEST(test_ranges),
		WORLD_TEST(test_facts),
		WORLD_TEST(test_keys_refused),
		WORLD_TEST(test_sealed_on_disk),
		WORLD_TEST(test_damage_shows),
		WORLD_TEST(test_replacing_does_not_disturb_readers),
		WORLD_TEST(test_old_snapshot_opens),
		WORLD_TEST(test_preconditions),
		WORLD_TEST(test_foreign_buckets),
		WORLD_TEST(test_commit_again_after_undoing),
		WORLD_TEST(test_undone_file_is_left_to_housekeeping),
		WORLD_TEST(test_crash_leaves_nothing),
		WORLD_TEST(test_too_slow_an_upload),
		WORLD_TEST(test_files_without_a_row),
		WORLD_TEST(test_expiry_destroys_the_key),
		WORLD_TEST(test_no_trace_of_the_key),
		WORLD_TEST(test_expiry_in_batches),
		WORLD_TEST(test_rotation),
		WORLD_TEST(test_bucket_with_objects_stays),
		WORLD_TEST(test_a_doomed_file_is_not_put),
		WORLD_TEST(test_removing_is_tried_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
