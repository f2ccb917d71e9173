/* SPDX-License-Identifier: Apache-2.0 */
/* Embedded buckets and S3 stores behind one face. */
#include "delivery/destination.h"

#include "base/clock.h"
#include "delivery/role.h"
#include "delivery/s3_client.h"
#include "delivery/spool.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

/* A store that drips must not hold a worker for ever. */
#define SEND_MAX_NS (UINT64_C(3600) * 1000000000)
#define LEFT_PAGE 100

struct destination_file {
	struct destination *of;
	struct str key;
	const char *content_type;
	struct object_writer *embedded; /* or */
	struct spool *spool;
	struct s3_upload *upload;
};

struct destination {
	const struct destinations *ds;
	struct destination_request q;
	struct str role;  /* slice of q.role_arn; "" embedded, and no role asked */
	int64_t revision; /* of the role, when the remote was read */
	bool away;
	struct remote remote;
	struct s3_client *client;
	struct destination_file file[DESTINATION_FILES_MAX];
	size_t n;
};

/* ---- opening ---- */

static enum souk_err
check_embedded(struct db_tx *tx, const struct destination_request *q, struct fail *f)
{
	struct bucket b;
	enum souk_err err = bucket_owner(tx, q->bucket, &b);

	if (err == SOUK_E_NOT_FOUND || (err == SOUK_OK && !str_eq_c(q->seller_id, b.seller_id)))
		return fail_set(f, SOUK_E_NOT_FOUND, "bucket",
		    "The bucket does not exist, or belongs to another account.");
	return err;
}

static enum souk_err
load_remote(struct destination *d, struct db_tx *tx, struct fail *f)
{
	struct str owner;
	enum souk_err err;

	if (!role_arn_parse(d->q.role_arn, &owner, &d->role) || !str_eq(owner, d->q.seller_id))
		return SOUK_E_NOT_FOUND;
	if ((err = role_revision(tx, owner, d->role, &d->revision)) != SOUK_OK)
		return err;
	return remote_load(tx, d->ds->vault, &d->ds->remotes, owner, d->role, REMOTE_S3,
	    d->q.bucket, &d->remote, f);
}

enum souk_err
destination_open(const struct destinations *ds, struct db_tx *tx,
    const struct destination_request *q, struct destination **ret, struct fail *f)
{
	struct destination *d = calloc(1, sizeof(*d));
	enum souk_err err;

	if (!d)
		return SOUK_E_NOMEM;
	d->ds = ds;
	d->q = *q;
	if ((err = load_remote(d, tx, f)) == SOUK_OK)
		d->away = true;
	else if (err == SOUK_E_NOT_FOUND)
		err = check_embedded(tx, q, f);
	if (err != SOUK_OK) {
		destination_free(d);
		return err;
	}
	*ret = d;
	return SOUK_OK;
}

void
destination_free(struct destination *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < d->n; i++) {
		object_writer_free(d->file[i].embedded);
		spool_free(d->file[i].spool);
		s3_upload_free(d->file[i].upload);
	}
	s3_client_free(d->client);
	remote_done(&d->remote);
	free(d);
}

enum souk_err
destination_check(struct destination *d, struct db_tx *tx, struct fail *f)
{
	int64_t revision;
	enum souk_err err;

	if (!d->away) {
		err = d->role.n > 0
			  ? remote_check(tx, d->q.seller_id, d->role, REMOTE_S3, d->q.bucket, NULL)
			  : SOUK_E_NOT_FOUND;
		if (err == SOUK_E_NOT_FOUND)
			return check_embedded(tx, &d->q, f);
	} else {
		err = role_revision(tx, d->q.seller_id, d->role, &revision);
		if (err == SOUK_OK && revision == d->revision)
			return SOUK_OK;
	}
	if (err != SOUK_OK && err != SOUK_E_NOT_FOUND && err != SOUK_E_DENIED)
		return err;
	return fail_set(f, SOUK_E_PRECONDITION, "role_changed",
	    "The delivery role was changed while the data set was being made.");
}

const char *
destination_store(const struct destination *d)
{
	return d->away ? d->remote.endpoint : "";
}

/* ---- files ---- */

enum souk_err
destination_add(
    struct destination *d, struct str key, const char *content_type, struct destination_file **ret)
{
	struct destination_file *x = &d->file[d->n];
	enum souk_err err;

	assert(d->n < DESTINATION_FILES_MAX);
	*x = (struct destination_file){ .of = d, .key = key, .content_type = content_type };
	err = d->away ? spool_new(d->ds->vault, d->ds->spool_dir, &x->spool)
		      : object_writer_new(d->ds->objects, d->q.seller_id, &x->embedded);
	if (err != SOUK_OK)
		return err;
	d->n++;
	*ret = x;
	return SOUK_OK;
}

struct sink *
destination_sink(struct destination_file *x)
{
	return x->spool ? spool_sink(x->spool) : object_writer_sink(x->embedded);
}

enum souk_err
destination_close(struct destination_file *x)
{
	return x->spool ? spool_close(x->spool) : object_writer_close(x->embedded);
}

int64_t
destination_size(const struct destination_file *x)
{
	return x->spool ? spool_size(x->spool) : object_writer_size(x->embedded);
}

void
destination_sha256(const struct destination_file *x, uint8_t out[32])
{
	if (x->spool)
		spool_sha256(x->spool, out);
	else
		object_writer_sha256(x->embedded, out);
}

/* ---- handing over ---- */

/* Whether it may pass is what a job asks; the words are for the seller. */
static enum souk_err
told(const struct s3_error *e, struct fail *f)
{
	bool later = s3_fault_passes(e->fault) || e->fault == S3_NO_KEY;

	(void)s3_error_fail(e, f);
	if (f)
		f->err = later ? SOUK_E_UNAVAILABLE : SOUK_E_DENIED;
	return later ? SOUK_E_UNAVAILABLE : SOUK_E_DENIED;
}

static enum souk_err
connect_store(struct destination *d, struct fail *f)
{
	const struct remote *r = &d->remote;
	char bucket[256];
	struct s3_error e = { 0 };
	struct s3_target t = {
		.endpoint = r->endpoint,
		.region = r->region,
		.bucket = bucket,
		.path_style = r->path_style,
		.access_key_id = r->access_key_id,
		.secret = { (const char *)r->secret.p, r->secret.n },
		.sse = strcmp(r->encryption, "none") == 0 ? "" : r->encryption,
		.kms_key_id = r->kms_key_id,
		.ca_file = d->ds->remotes.ca_file,
		.allow_private = d->ds->remotes.allow_private || r->by_operator,
		.names = { .endpoint = "s3.endpoint",
		    .region = "s3.region",
		    .bucket = "destinationS3BucketName",
		    .access_key_id =
			r->by_operator ? "delivery.s3-access-key-id" : "s3.accessKeyId",
		    .secret =
			r->by_operator ? "delivery.s3-secret-access-key" : "s3.secretAccessKey",
		    .ca_file = "delivery.ca-file" },
	};

	if (d->client)
		return SOUK_OK;
	(void)snprintf(bucket, sizeof(bucket), "%.*s", (int)d->q.bucket.n, d->q.bucket.p);
	return s3_client_new(&t, &d->client, &e) == SOUK_OK ? SOUK_OK : told(&e, f);
}

/*
 * What a try that died left of its uploads. A store that does not say, or a key that may not
 * ask, leaves it to the bucket's own rules.
 */
static void
abort_left(struct destination *d, struct str key)
{
	struct arena *mem = arena_new((size_t)1 << 20);
	struct s3_page page = { 0 };
	struct s3_error e = { 0 };

	if (mem &&
	    s3_list_uploads(d->client, key, STR(""), STR(""), LEFT_PAGE, mem, &page, &e) == SOUK_OK)
		for (size_t i = 0; i < page.n; i++)
			if (str_eq(page.items[i].key, key) &&
			    s3_abort(d->client, key, page.items[i].upload_id, &e) != SOUK_OK)
				break;
	arena_free(mem);
}

struct sending {
	const struct hand_over *h;
	uint64_t began;
	enum souk_err stopped; /* why the sending was ended from our side */
};

static enum souk_err
go_on(void *arg)
{
	struct sending *s = arg;

	s->stopped = s->h->go_on(s->h->arg);
	if (s->stopped == SOUK_OK && clock_mono_ns() - s->began >= SEND_MAX_NS)
		s->stopped = SOUK_E_LIMIT;
	return s->stopped;
}

static enum souk_err
send_file(struct destination_file *x, const struct hand_over *h, struct fail *f)
{
	struct destination *d = x->of;
	struct s3_put_facts facts = { .key = x->key, .content_type = str_c(x->content_type) };
	struct s3_error e = { 0 };
	struct sending s = { .h = h, .began = clock_mono_ns() };
	enum souk_err err;

	if (s3_upload_begin(d->client, &facts, &x->upload, &e) != SOUK_OK)
		return told(&e, f);
	err = spool_send(x->spool, s3_upload_sink(x->upload), go_on, &s);
	if (s.stopped == SOUK_E_LIMIT)
		return fail_set(f, SOUK_E_UNAVAILABLE, "s3_slow",
		    "The store took more than an hour for one file.");
	if (s.stopped != SOUK_OK)
		return fail_set(f, s.stopped, "stopped", "souk was stopped while it was sending.");
	if (err == SOUK_E_STORAGE)
		return err;
	/* Says what a write failed of, too. */
	return s3_upload_close(x->upload, &e) == SOUK_OK ? SOUK_OK : told(&e, f);
}

enum souk_err
destination_hand_over(struct destination *d, const struct hand_over *h, struct fail *f)
{
	struct s3_error e = { 0 };
	enum souk_err err = SOUK_OK;

	if (!d->away)
		return SOUK_OK;
	if ((err = connect_store(d, f)) != SOUK_OK)
		return err;
	for (size_t i = 0; i < d->n && d->q.again; i++)
		abort_left(d, d->file[i].key);
	for (size_t i = 0; i < d->n && err == SOUK_OK; i++)
		err = send_file(&d->file[i], h, f);
	for (size_t i = 0; i < d->n && err == SOUK_OK; i++)
		if ((err = h->may_show(h->arg)) == SOUK_OK &&
		    s3_upload_complete(d->file[i].upload, &e) != SOUK_OK)
			err = told(&e, f);
	return err;
}

enum souk_err
destination_look(struct destination *d, struct str key, int64_t size, struct fail *f)
{
	struct s3_error e = { 0 };
	struct s3_head h = { 0 };
	enum souk_err err;

	assert(d->away);
	if ((err = connect_store(d, f)) != SOUK_OK)
		return err;
	err = s3_head(d->client, key, &h, &e);
	if (err != SOUK_OK && e.fault == S3_DENIED)
		return SOUK_OK;
	if (err != SOUK_OK && e.fault != S3_NO_KEY)
		return told(&e, f);
	if (err != SOUK_OK || (size >= 0 && h.size != size))
		return fail_set(f, SOUK_E_NOT_FOUND, "expired",
		    "The bucket no longer holds the files that were delivered; start a new "
		    "export.");
	return SOUK_OK;
}

enum souk_err
destination_commit(struct destination *d, struct db_tx *tx, struct fail *f)
{
	enum souk_err err = SOUK_OK;

	for (size_t i = 0; i < d->n && err == SOUK_OK && !d->away; i++) {
		struct object_facts facts = { .bucket = d->q.bucket,
			.key = d->file[i].key,
			.content_type = str_c(d->file[i].content_type) };

		err = object_commit(tx, d->file[i].embedded, &facts, false, STR(""), f);
	}
	return err;
}
