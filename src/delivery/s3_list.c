/* SPDX-License-Identifier: Apache-2.0 */
/* Listings of objects and of uploads under way, a page a call. */
#include "delivery/s3_client_int.h"

#include <stdio.h>

struct listing {
	struct arena *mem;
	struct s3_page *page;
	size_t max;
	const char *item; /* "Contents", "Upload" */
	struct s3_listed one;
	struct str next, next_upload;
	bool truncated, is_list, failed;
};

static void
take_item(struct listing *l, const char *name, struct str text)
{
	uint64_t size;

	if (strcmp(name, "Key") == 0) {
		l->one.key = arena_str(l->mem, text);
		l->failed |= !l->one.key.p;
	} else if (strcmp(name, "UploadId") == 0) {
		l->one.upload_id = arena_str(l->mem, text);
		l->failed |= !l->one.upload_id.p;
	} else if (strcmp(name, "ETag") == 0) {
		if (text.n >= 2 && text.p[0] == '"' && text.p[text.n - 1] == '"')
			text = (struct str){ .p = text.p + 1, .n = text.n - 2 };
		l->one.etag = arena_str(l->mem, text);
		l->failed |= !l->one.etag.p;
	} else if (strcmp(name, "Size") == 0) {
		l->failed |= !str_to_u64(text, INT64_MAX, &size);
		l->one.size = l->failed ? 0 : (int64_t)size;
	} else if (strcmp(name, "LastModified") == 0 || strcmp(name, "Initiated") == 0) {
		l->failed |= !instant_parse(text, &l->one.modified_at);
	}
}

static void
list_text(void *ctx, const char *parent, const char *name, struct str text)
{
	struct listing *l = ctx;

	if (strcmp(parent, l->item) == 0)
		take_item(l, name, text);
	else if (strcmp(name, "IsTruncated") == 0)
		l->truncated = str_eq_nocase(text, STR("true"));
	else if (strcmp(name, "NextKeyMarker") == 0)
		l->next = arena_str(l->mem, text);
	else if (strcmp(name, "NextUploadIdMarker") == 0)
		l->next_upload = arena_str(l->mem, text);
}

static void
list_end(void *ctx, const char *name)
{
	struct listing *l = ctx;

	if (strcmp(name, l->item) == 0) {
		if (l->page->n == l->max || !l->one.key.p)
			l->failed = true;
		else
			l->page->items[l->page->n++] = l->one;
		l->one = (struct s3_listed){ .size = 0 };
	} else if (strcmp(name, "ListBucketResult") == 0 ||
		   strcmp(name, "ListMultipartUploadsResult") == 0) {
		l->is_list = true;
	}
}

static enum souk_err
list_page(struct s3_client *c, struct listing *l, const struct buf *query, struct s3_error *e)
{
	static const struct s3_leaf what = { .text = list_text, .end = list_end };
	struct s3_call q = { .method = "GET", .query = query->p };
	enum souk_err err;

	l->page->n = 0;
	l->page->items = arena_array(l->mem, l->max, sizeof(l->page->items[0]));
	if (!l->page->items || !buf_ok(query))
		return s3_fault_set(c, e, S3_MEMORY, "");
	if ((err = s3_run(c, &q, e)) == SOUK_OK &&
	    (!s3_xml_read(buf_str(&q.text), &what, l) || !l->is_list || l->failed))
		err = s3_strange(c, e, "a listing cannot be read");
	else if (err == SOUK_OK && l->truncated && l->page->n == 0)
		err = s3_strange(c, e, "a page of a listing is empty but not the last");
	buf_done(&q.text);
	return err;
}

static void
query_add(struct buf *b, const char *name, struct str value)
{
	buf_add_c(b, name);
	buf_add_percent(b, value, "");
}

enum souk_err
s3_list(struct s3_client *c, struct str prefix, struct str after, size_t max, struct arena *mem,
    struct s3_page *ret, struct s3_error *e)
{
	struct s3_page page = { .n = 0 };
	struct listing l = { .mem = mem, .page = &page, .max = max, .item = "Contents" };
	struct buf query = { 0 };
	enum souk_err err;

	buf_printf(&query, "list-type=2&max-keys=%zu", max);
	query_add(&query, "&prefix=", prefix);
	if (after.n > 0)
		query_add(&query, "&start-after=", after);
	err = list_page(c, &l, &query, e);
	buf_done(&query);
	if (err != SOUK_OK)
		return err;
	if (l.truncated)
		page.next = page.items[page.n - 1].key;
	*ret = page;
	return SOUK_OK;
}

enum souk_err
s3_list_uploads(struct s3_client *c, struct str prefix, struct str after, struct str after_upload,
    size_t max, struct arena *mem, struct s3_page *ret, struct s3_error *e)
{
	struct s3_page page = { .n = 0 };
	struct listing l = { .mem = mem, .page = &page, .max = max, .item = "Upload" };
	struct buf query = { 0 };
	enum souk_err err;

	buf_printf(&query, "uploads=&max-uploads=%zu", max);
	query_add(&query, "&prefix=", prefix);
	if (after.n > 0)
		query_add(&query, "&key-marker=", after);
	if (after.n > 0 && after_upload.n > 0)
		query_add(&query, "&upload-id-marker=", after_upload);
	err = list_page(c, &l, &query, e);
	buf_done(&query);
	if (err != SOUK_OK)
		return err;
	if (l.truncated) {
		page.next = l.next.n > 0 ? l.next : page.items[page.n - 1].key;
		page.next_upload = l.next.n > 0 ? l.next_upload : page.items[page.n - 1].upload_id;
	}
	*ret = page;
	return SOUK_OK;
}

enum souk_err
s3_abort(struct s3_client *c, struct str key, struct str upload_id, struct s3_error *e)
{
	struct s3_call q = { .method = "DELETE", .key = key };
	struct buf query = { 0 };
	enum souk_err err;

	query_add(&query, "uploadId=", upload_id);
	q.query = query.p;
	err = buf_ok(&query) ? s3_run(c, &q, e) : s3_fault_set(c, e, S3_MEMORY, "");
	if (err != SOUK_OK && e->fault == S3_NO_KEY) {
		*e = (struct s3_error){ .fault = S3_FINE };
		err = SOUK_OK;
	}
	buf_done(&q.text);
	buf_done(&query);
	return err;
}
