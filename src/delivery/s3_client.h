/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client of S3 and of stores that speak it (Ceph, Swift, MinIO), for one bucket of one
 * target: put, streamed upload, ranged get, head, delete, list.
 *
 * Nothing is followed silently: no redirects, no proxies. What may be sent again safely is
 * sent again a few times within a call (S3_TRIES, jittered pauses): all but completing an upload,
 * whose outcome is looked up instead. What fails for longer is the caller's to try later
 * (s3_fault_passes). Words in errors are ours, name the setting and the fix and hold no
 * secret, key, URL or text of the store.
 */
#ifndef SOUK_DELIVERY_S3_CLIENT_H
#define SOUK_DELIVERY_S3_CLIENT_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/str.h"

#define S3_TRIES 3
#define S3_KEY_MAX 1024
/* Bytes held for an upload: parts are this large ... */
#define S3_PART ((size_t)8 << 20)
/* ... up to this many of them, and S3_PART_LARGE after: 10,000 parts make 570 GiB at most. */
#define S3_PARTS_SMALL 1000
#define S3_PART_LARGE ((size_t)64 << 20)
#define S3_PARTS_MAX 10000

/* How error words call what a target was made of; NULL: the member's plain name. */
struct s3_names {
	const char *endpoint, *region, *bucket, *access_key_id, *secret, *ca_file;
	const char
	    *rights; /* what the key's policy must allow; NULL: all that the calls below do */
};

/* All text is copied by s3_client_new; "" or NULL when not given. */
struct s3_target {
	const char *endpoint; /* https://host[:port], http only as said below; no path */
	const char *region;   /* "" us-east-1 */
	const char *bucket;
	bool path_style; /* host/bucket/key, else bucket.host/key */
	const char *access_key_id;
	struct str secret; /* kept in locked memory */
	const char *session_token;
	const char *sse; /* "", "AES256", "aws:kms" */
	const char *kms_key_id;
	const char *ca_file;
	bool allow_private; /* private and loopback addresses too, and http on loopback */
	bool allow_plain;   /* with allow_private: http to any address that is not public */
	int64_t connect_ms; /* 0: 5 s */
	/* Longest silence of a transfer, to which less than 1 KiB/s counts, too. 0: 30 s. */
	int64_t stall_ms;
	struct s3_names names;
};

enum s3_fault {
	S3_FINE,
	S3_BAD_TARGET,  /* a member of the target cannot be used */
	S3_CREDENTIALS, /* key unknown, signature wrong, token expired */
	S3_DENIED,      /* 403 otherwise: the policy does not allow it */
	S3_NO_BUCKET,
	S3_NO_KEY, /* no such object, or no such upload */
	S3_REGION,
	S3_CLOCK,        /* this machine's clock or the store's is off */
	S3_PRECONDITION, /* 412 */
	S3_REFUSED,      /* any other 4xx; `code` says what the store called it */
	S3_REDIRECT,     /* 3xx: not followed */
	S3_BUSY,         /* 429, 5xx */
	S3_TIMEOUT,
	S3_CONNECTION, /* refused, reset, cut off in the middle */
	S3_NAME,       /* host name not found */
	S3_TLS,
	S3_ADDRESS,  /* private or useless address, not allowed */
	S3_CHECKSUM, /* what is there is not what was sent, or came damaged */
	S3_PROTOCOL, /* the answer is not S3's */
	S3_TOO_LARGE,
	S3_MEMORY,
	S3_FAULT__COUNT
};
const char *s3_fault_word(enum s3_fault f); /* "no_bucket"; a stable word, never NULL */
/* May it work another time without anybody mending anything? */
bool s3_fault_passes(enum s3_fault f);
enum souk_err s3_fault_err(enum s3_fault f);

/* Why a call failed. Zeroed by the caller or by the call; `fault` S3_FINE on success. */
struct s3_error {
	enum s3_fault fault;
	long status;     /* HTTP; 0 without an answer */
	char code[48];   /* the store's word (NoSuchBucket), letters and digits only; "" none */
	char words[240]; /* one sentence for people: what is wrong, the setting, the fix */
};
/* err, code "s3_WORD" and the sentence into `f`. Returns s3_fault_err. */
enum souk_err s3_error_fail(const struct s3_error *e, struct fail *f);

/*
 * Thread-safe; keeps connections open between calls. Checks the target's text only
 * (S3_BAD_TARGET); s3_probe asks the store.
 */
struct s3_client;
SOUK_MUST enum souk_err s3_client_new(
    const struct s3_target *t, struct s3_client **ret, struct s3_error *e);
void s3_client_free(struct s3_client *c); /* nobody may be calling; accepts NULL */

/*
 * All calls below return SOUK_OK or s3_fault_err(e->fault); `e` must be given. Keys are
 * UTF-8 without NUL, 1..S3_KEY_MAX bytes, sent as they are ("a//b" stays).
 */

/* Are bucket and credentials good? Puts, reads and deletes a small object under `key`. */
SOUK_MUST enum souk_err s3_probe(struct s3_client *c, struct str key, struct s3_error *e);

struct s3_put_facts {
	struct str key;
	struct str content_type; /* "" application/octet-stream */
	const char *const
	    *headers; /* further ones, "x-amz-meta-a: b" with lower-case names; NULL */
	bool if_none; /* If-None-Match: * ; not every store knows it */
};
/* From memory, in one request (at most 5 GiB). Hashed, and the store's ETag compared. */
SOUK_MUST enum souk_err s3_put(
    struct s3_client *c, const struct s3_put_facts *o, struct str body, struct s3_error *e);

/*
 * An object whose size is not known before. Up to one part is held in memory and becomes one
 * PutObject; more becomes a multipart upload, sent part by part while it is written.
 * begin, write..., close, complete, free. One thread at a time.
 */
struct s3_upload;
/* Sends nothing yet. */
SOUK_MUST enum souk_err s3_upload_begin(
    struct s3_client *c, const struct s3_put_facts *o, struct s3_upload **ret, struct s3_error *e);
/* The first failure of a write stays; s3_upload_close says what it was. */
struct sink *s3_upload_sink(struct s3_upload *u);
/* Ends the data: all parts are there, nothing is visible. Size and hashes are known from here on. */
SOUK_MUST enum souk_err s3_upload_close(struct s3_upload *u, struct s3_error *e);
int64_t s3_upload_size(const struct s3_upload *u);
void s3_upload_md5(const struct s3_upload *u, uint8_t out[16]);
void s3_upload_sha256(const struct s3_upload *u, uint8_t out[32]);
/*
 * Makes the object visible, whole and at once. Of a multipart upload size and ETag are
 * compared by HEAD after, if the key may. May be called again after a failure, whether it had happened or not.
 */
SOUK_MUST enum souk_err s3_upload_complete(struct s3_upload *u, struct s3_error *e);
/* The store's ETag without quotes, after completion. */
const char *s3_upload_etag(const struct s3_upload *u);
/*
 * Aborts what was not completed, if the store can be reached. What stays (also an upload
 * without parts, whose beginning was answered too late) s3_list_uploads finds. Accepts NULL.
 */
void s3_upload_free(struct s3_upload *u);

struct s3_head {
	int64_t size;
	char etag[80]; /* without quotes; "" when the store gives none */
	instant_t modified_at;
};
SOUK_MUST enum souk_err s3_head(
    struct s3_client *c, struct str key, struct s3_head *ret, struct s3_error *e);
/*
 * Exactly n bytes from `offset` (n > 0); fewer, or more, is S3_CHECKSUM. `if_match`: ETag that
 * the object must still have, "" any.
 */
SOUK_MUST enum souk_err s3_get(struct s3_client *c, struct str key, struct str if_match,
    int64_t offset, void *p, size_t n, struct s3_error *e);
/* SOUK_OK also when it is not there. */
SOUK_MUST enum souk_err s3_delete(struct s3_client *c, struct str key, struct s3_error *e);

/* One page in byte order of keys, in the arena; texts are copies. */
struct s3_listed {
	struct str key;
	int64_t size;          /* of objects */
	struct str etag;       /* of objects, without quotes; "" when the store gives none */
	struct str upload_id;  /* of uploads */
	instant_t modified_at; /* of uploads: when they began */
};
struct s3_page {
	struct s3_listed *items;
	size_t n;
	struct str next, next_upload; /* give them back to go on; next.p NULL: that was all */
};
/* Objects whose key begins with `prefix`; `after` "" or the last page's `next`. */
SOUK_MUST enum souk_err s3_list(struct s3_client *c, struct str prefix, struct str after,
    size_t max, struct arena *mem, struct s3_page *ret, struct s3_error *e);
/* Multipart uploads under way; `after`, `after_upload` "" or the last page's. */
SOUK_MUST enum souk_err s3_list_uploads(struct s3_client *c, struct str prefix, struct str after,
    struct str after_upload, size_t max, struct arena *mem, struct s3_page *ret,
    struct s3_error *e);
/* SOUK_OK also when it is not there. */
SOUK_MUST enum souk_err s3_abort(
    struct s3_client *c, struct str key, struct str upload_id, struct s3_error *e);

#endif
