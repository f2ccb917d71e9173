/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sealed files in a bucket of an S3 store: PREFIXab/GUID.
 *
 * A file is written to a nameless local file first and sent when it is whole, so that
 * neither a slow client nor a slow store holds the other, and a crash leaves nothing here. A
 * reader has nothing open: object_upkeep.c keeps what is being read (object_file_row_hold).
 *
 * Other databases may live beside this one in the same place, a restored copy for one. So
 * a file that no row names goes only when every row that could name it has expired.
 */
#include "delivery/object_home.h"
#include "delivery/object_int.h"
#include "delivery/s3_client.h"

#include "base/metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PREFIX_MAX 256
#define KEY_MAX (PREFIX_MAX + 3 + GUID_TEXT_LEN + 1)
#define BLOCK ((size_t)256 * 1024)
#define PAGE 1000
#define PAGE_MEMORY ((size_t)2 << 20)
/* A writer has an hour to put its row; after two its upload is nobody's. */
#define UPLOAD_ORPHAN_MS (2 * OBJECT_ORPHAN_MS)
#define PASS_EVERY_NS (UINT64_C(3600) * 1000000000)

struct s3_home {
	struct object_home home;
	struct s3_client *client;
	int64_t stray_ms; /* a file without a row is removed when it is older */
	char prefix[PREFIX_MAX + 1];
	char spool[PATH_MAX - 64];
	pthread_mutex_t lock;
	struct s3_error last; /* S3_FINE: the store answered as it should */
	pthread_mutex_t scanning;
	struct buf after; /* where the pass through the bucket goes on; empty at its beginning */
	uint64_t next_pass_ns;
};

static struct str
key_of(const struct s3_home *s, const struct guid *id, char out[KEY_MAX])
{
	char text[GUID_TEXT_LEN + 1];
	int n;

	guid_format(id, text);
	n = snprintf(out, KEY_MAX, "%s%02x/%s", s->prefix, id->b[0], text);
	return (struct str){ .p = out, .n = (size_t)n };
}

/* Does a key name a file of ours? */
static bool
key_read(const struct s3_home *s, struct str key, struct guid *ret)
{
	char want[KEY_MAX];
	size_t n = strlen(s->prefix) + 3;

	return key.n == n + GUID_TEXT_LEN &&
	       guid_parse((struct str){ .p = key.p + n, .n = GUID_TEXT_LEN }, ret) &&
	       str_eq(key_of(s, ret, want), key);
}

/*
 * Keeps what the store said, for s3h_state. A missing object says nothing about the store.
 * Whoever wanted an object is told no more than that it cannot be had now: "denied" would be
 * a word about them, not about us.
 */
static enum souk_err
note(struct s3_home *s, const struct s3_error *e)
{
	bool fine = e->fault == S3_FINE || e->fault == S3_NO_KEY || e->fault == S3_PRECONDITION;

	(void)pthread_mutex_lock(&s->lock);
	s->last = fine ? (struct s3_error){ .fault = S3_FINE } : *e;
	(void)pthread_mutex_unlock(&s->lock);
	metric_set(MET_OBJECT_STORE_UP, 0, fine);
	if (!fine)
		metric_add(MET_OBJECT_STORE_ERRORS,
		    s3_fault_passes(e->fault) ? MSTORE_PASSING : MSTORE_LASTING, 1);
	return fine ? s3_fault_err(e->fault) : SOUK_E_UNAVAILABLE;
}

/* ---- writing ---- */

static enum souk_err
s3h_create(struct object_home *h, const struct guid *id, int *ret_fd)
{
	struct s3_home *s = (struct s3_home *)h;
	char path[PATH_MAX];
	int fd = open(s->spool, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	(void)id;
	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT)) {
		/* A file system without nameless files. */
		(void)snprintf(path, sizeof(path), "%s/spool-XXXXXX", s->spool);
		if ((fd = mkostemp(path, O_CLOEXEC)) >= 0)
			(void)unlink(path);
	}
	if (fd < 0)
		return SOUK_E_STORAGE;
	*ret_fd = fd;
	return SOUK_OK;
}

static enum souk_err
send_file(int fd, struct sink *to)
{
	uint8_t *block = malloc(BLOCK);
	enum souk_err err = block ? SOUK_OK : SOUK_E_NOMEM;
	int64_t at = 0;
	ssize_t n;

	while (err == SOUK_OK && (n = pread(fd, block, BLOCK, at)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		err = n < 0 ? SOUK_E_STORAGE : to->write(to, block, (size_t)n);
		at += n;
	}
	free(block);
	return err;
}

static enum souk_err
s3h_keep(struct object_home *h, const struct guid *id, int fd)
{
	struct s3_home *s = (struct s3_home *)h;
	struct s3_upload *u = NULL;
	struct s3_error e;
	char key[KEY_MAX];
	struct s3_put_facts facts = { .key = key_of(s, id, key) };
	enum souk_err err;

	err = s3_upload_begin(s->client, &facts, &u, &e);
	if (err == SOUK_OK) {
		err = send_file(fd, s3_upload_sink(u));
		/* An error of the local file is not in `e`; one of the store is, after closing. */
		if (s3_upload_close(u, &e) == SOUK_OK && err == SOUK_OK)
			err = s3_upload_complete(u, &e);
	}
	(void)close(fd);
	s3_upload_free(u);
	if (e.fault == S3_FINE && err != SOUK_OK)
		return err; /* of the local file: the store was not to blame */
	return note(s, &e) == SOUK_OK ? SOUK_OK : SOUK_E_UNAVAILABLE;
}

static enum souk_err
s3h_remove(struct object_home *h, const struct guid *id)
{
	struct s3_home *s = (struct s3_home *)h;
	char key[KEY_MAX];
	struct s3_error e;

	(void)!s3_delete(s->client, key_of(s, id, key), &e);
	return note(s, &e);
}

/* What had been kept has a row in object_file still: housekeeping removes it, not the caller's thread. */
static void
s3h_drop(struct object_home *h, const struct guid *id, int fd)
{
	(void)h;
	(void)id;
	if (fd >= 0)
		(void)close(fd);
}

/* ---- reading ---- */

static enum souk_err
s3h_open(struct object_home *h, const struct guid *id, int *ret_fd)
{
	(void)h;
	(void)id;
	*ret_fd = -1;
	return SOUK_OK;
}

#define PARTIAL_CONTENT 206

static enum souk_err
s3h_read(struct object_home *h, const struct guid *id, int fd, void *p, size_t n, int64_t at)
{
	struct s3_home *s = (struct s3_home *)h;
	char key[KEY_MAX];
	struct s3_error e;
	enum souk_err err;
	bool damaged;

	(void)fd;
	(void)!s3_get(s->client, key_of(s, id, key), STR(""), at, p, n, &e);
	/*
	 * The row says that it is there, and how long it is: absent or cut off is damage, for which the store is not to blame. A part (206) that is
	 * too short is the store's word for that; something else in its place may come from anybody in between.
	 */
	damaged = e.fault == S3_NO_KEY || (e.fault == S3_CHECKSUM && e.status == PARTIAL_CONTENT);
	if (damaged)
		e = (struct s3_error){ .fault = S3_FINE };
	err = note(s, &e);
	return damaged ? SOUK_E_STORAGE : err;
}

/* ---- looking through ---- */

#define PROBE "probe/"

/* What a probe left that was cut off. */
static bool
is_old_probe(const struct s3_home *s, const struct s3_listed *l)
{
	size_t n = strlen(s->prefix);

	return l->modified_at < clock_now() - DAY_MS && l->key.n > n &&
	       str_starts((struct str){ .p = l->key.p + n, .n = l->key.n - n }, STR(PROBE));
}

static enum souk_err
abort_orphans(struct s3_home *s, struct arena *mem)
{
	struct s3_page page = { .next = STR(""), .next_upload = STR("") };
	struct s3_error e = { .fault = S3_FINE };
	instant_t before = clock_now() - UPLOAD_ORPHAN_MS;
	struct guid id;

	while (page.next.p && s3_list_uploads(s->client, str_c(s->prefix), page.next,
				  page.next_upload, PAGE, mem, &page, &e) == SOUK_OK) {
		for (size_t i = 0; i < page.n && e.fault == S3_FINE; i++)
			if (page.items[i].modified_at < before &&
			    key_read(s, page.items[i].key, &id))
				(void)!s3_abort(
				    s->client, page.items[i].key, page.items[i].upload_id, &e);
		if (e.fault != S3_FINE)
			break;
	}
	return note(s, &e);
}

static enum souk_err
remove_strays(struct s3_home *s, const struct s3_page *page,
    enum souk_err (*is_known)(void *ctx, const struct guid *id, bool *ret), void *ctx)
{
	instant_t before = clock_now() - s->stray_ms;
	enum souk_err err = SOUK_OK;
	struct s3_error e;
	struct guid id;
	bool known;

	for (size_t i = 0; i < page->n && err == SOUK_OK; i++) {
		if (is_old_probe(s, &page->items[i])) {
			(void)!s3_delete(s->client, page->items[i].key, &e);
			err = note(s, &e);
			continue;
		}
		if (page->items[i].modified_at >= before || !key_read(s, page->items[i].key, &id))
			continue;
		if ((err = is_known(ctx, &id, &known)) == SOUK_OK && !known)
			err = s3h_remove(&s->home, &id);
	}
	return err;
}

static enum souk_err
scan_page(struct s3_home *s, struct arena *mem,
    enum souk_err (*is_known)(void *ctx, const struct guid *id, bool *ret), void *ctx)
{
	struct s3_page page;
	struct s3_error e;
	enum souk_err err;

	if (s->after.n == 0 && (err = abort_orphans(s, mem)) != SOUK_OK)
		return err;
	(void)!s3_list(s->client, str_c(s->prefix), buf_str(&s->after), PAGE, mem, &page, &e);
	if ((err = note(s, &e)) != SOUK_OK ||
	    (err = remove_strays(s, &page, is_known, ctx)) != SOUK_OK)
		return err;
	buf_clear(&s->after);
	if (page.next.p)
		buf_add_str(&s->after, page.next);
	else
		s->next_pass_ns = clock_mono_ns() + PASS_EVERY_NS;
	return SOUK_OK;
}

/* One page a call, one pass an hour. */
static enum souk_err
s3h_scan(struct object_home *h,
    enum souk_err (*is_known)(void *ctx, const struct guid *id, bool *ret), void *ctx)
{
	struct s3_home *s = (struct s3_home *)h;
	struct arena *mem = arena_new(PAGE_MEMORY);
	enum souk_err err = SOUK_OK;

	if (!mem)
		return SOUK_E_NOMEM;
	(void)pthread_mutex_lock(&s->scanning);
	if (s->after.n > 0 || clock_mono_ns() >= s->next_pass_ns)
		err = scan_page(s, mem, is_known, ctx);
	(void)pthread_mutex_unlock(&s->scanning);
	arena_free(mem);
	return err;
}

/* ---- its being there ---- */

static enum souk_err
s3h_probe(struct object_home *h, struct fail *f)
{
	struct s3_home *s = (struct s3_home *)h;
	struct guid id = guid_new();
	char text[GUID_TEXT_LEN + 1], key[KEY_MAX + 8];
	struct s3_error e;

	guid_format(&id, text);
	(void)snprintf(key, sizeof(key), "%s" PROBE "%s", s->prefix, text);
	(void)!s3_probe(s->client, str_c(key), &e);
	(void)note(s, &e);
	return e.fault == S3_FINE ? SOUK_OK : s3_error_fail(&e, f);
}

static enum souk_err
s3h_state(struct object_home *h, struct fail *f)
{
	struct s3_home *s = (struct s3_home *)h;
	struct s3_error e;

	(void)pthread_mutex_lock(&s->lock);
	e = s->last;
	(void)pthread_mutex_unlock(&s->lock);
	return e.fault == S3_FINE ? SOUK_OK : s3_error_fail(&e, f);
}

static void
s3h_free(struct object_home *h)
{
	struct s3_home *s = (struct s3_home *)h;

	s3_client_free(s->client);
	(void)pthread_mutex_destroy(&s->lock);
	(void)pthread_mutex_destroy(&s->scanning);
	buf_done(&s->after);
	free(s);
}

static const struct object_home_ops s3_ops = {
	.remote = true,
	.create = s3h_create,
	.keep = s3h_keep,
	.drop = s3h_drop,
	.open = s3h_open,
	.read = s3h_read,
	.remove = s3h_remove,
	.scan = s3h_scan,
	.probe = s3h_probe,
	.state = s3h_state,
	.free = s3h_free,
};

/* ---- settings ---- */

static void
target_of(const struct config *c, struct s3_target *t)
{
	const char *sse = config_text(c, SET_OBJECT_S3_SSE);

	*t = (struct s3_target){
		.endpoint = config_text(c, SET_OBJECT_S3_ENDPOINT),
		.region = config_text(c, SET_OBJECT_S3_REGION),
		.bucket = config_text(c, SET_OBJECT_S3_BUCKET),
		.path_style = config_bool(c, SET_OBJECT_S3_PATH_STYLE),
		.access_key_id = config_text(c, SET_OBJECT_S3_ACCESS_KEY_ID),
		.secret = str_c(config_text(c, SET_OBJECT_S3_SECRET_ACCESS_KEY)),
		.sse = strcmp(sse, "none") == 0 ? "" : sse,
		.kms_key_id = config_text(c, SET_OBJECT_S3_KMS_KEY_ID),
		.ca_file = config_text(c, SET_OBJECT_S3_CA_FILE),
		/* The operator's own word, and what goes there is sealed. */
		.allow_private = true,
		.allow_plain = true,
		.stall_ms = config_int(c, SET_OBJECT_S3_TIMEOUT_SECONDS) * SECOND_MS,
		.names = { .endpoint = setting_rows[SET_OBJECT_S3_ENDPOINT].name,
		    .region = setting_rows[SET_OBJECT_S3_REGION].name,
		    .bucket = setting_rows[SET_OBJECT_S3_BUCKET].name,
		    .access_key_id = setting_rows[SET_OBJECT_S3_ACCESS_KEY_ID].name,
		    .secret = setting_rows[SET_OBJECT_S3_SECRET_ACCESS_KEY].name,
		    .ca_file = setting_rows[SET_OBJECT_S3_CA_FILE].name },
	};
}

static enum souk_err
set_places(struct s3_home *s, const struct config *c, const char *data_dir, struct fail *f)
{
	const char *prefix = config_text(c, SET_OBJECT_S3_PREFIX);
	int n = snprintf(s->spool, sizeof(s->spool), "%s/objects", data_dir);

	if (strlen(prefix) > PREFIX_MAX || prefix[0] == '/')
		return fail_field(f, setting_rows[SET_OBJECT_S3_PREFIX].name,
		    "is too long or begins with a slash",
		    "give at most 256 bytes, e.g. souk/objects/");
	(void)snprintf(s->prefix, sizeof(s->prefix), "%s", prefix);
	if (n < 0 || (size_t)n >= sizeof(s->spool))
		return fail_set(f, SOUK_E_INVALID, "path_too_long",
		    "the data directory's path is too long for objects; use a shorter one");
	return io_make_dir(s->spool, 0700, f);
}

enum souk_err
object_home_s3(const struct config *c, const char *data_dir, int64_t retention_ms,
    struct object_home **ret, struct fail *f)
{
	struct s3_home *s = calloc(1, sizeof(*s));
	struct s3_target t;
	struct s3_error e;
	enum souk_err err;

	if (!s)
		return fail_set(f, SOUK_E_NOMEM, "out_of_memory", "no memory for the buckets");
	s->home.ops = &s3_ops;
	s->stray_ms = retention_ms + DAY_MS;
	(void)pthread_mutex_init(&s->lock, NULL);
	(void)pthread_mutex_init(&s->scanning, NULL);
	target_of(c, &t);
	if ((err = set_places(s, c, data_dir, f)) == SOUK_OK &&
	    s3_client_new(&t, &s->client, &e) != SOUK_OK)
		err = s3_error_fail(&e, f);
	if (err != SOUK_OK) {
		s3h_free(&s->home);
		return err;
	}
	*ret = &s->home;
	return SOUK_OK;
}
