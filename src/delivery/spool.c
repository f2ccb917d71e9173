/* SPDX-License-Identifier: Apache-2.0 */
/* Nameless sealed files; see spool.h. */
#include "delivery/spool.h"

#include "base/digest.h"
#include "base/secret.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SEALED_CHUNK (VAULT_CHUNK + VAULT_CHUNK_OVERHEAD)

struct spool {
	struct sink sink; /* first: the sink is the spool */
	struct data_key key;
	int fd;
	bool closed;
	enum souk_err err; /* the first failure; nothing is written after it */
	int64_t size;
	uint64_t chunk; /* index of the chunk in `plain` */
	size_t held;    /* bytes of it so far */
	struct sha256_ctx sha;
	uint8_t sha_sum[SHA256_LEN];
	uint8_t plain[VAULT_CHUNK];
	uint8_t sealed[SEALED_CHUNK];
};

static enum souk_err
seal_out(struct spool *s, bool last)
{
	size_t n = s->held;

	vault_seal_chunk(&s->key, s->chunk++, last, s->plain, n, s->sealed);
	s->held = 0;
	return io_write_all(s->fd, s->sealed, n + VAULT_CHUNK_OVERHEAD);
}

/* A full chunk waits until more comes: only the end tells which one is the last. */
static enum souk_err
spool_write(struct sink *sink, const void *p, size_t n)
{
	struct spool *s = (struct spool *)sink;
	const uint8_t *from = p;
	size_t take;

	assert(!s->closed);
	if (s->err != SOUK_OK || n == 0)
		return s->err;
	sha256_update(&s->sha, n, from);
	s->size += (int64_t)n;
	for (; n > 0 && s->err == SOUK_OK; from += take, n -= take) {
		if (s->held == VAULT_CHUNK)
			s->err = seal_out(s, false);
		take = n < VAULT_CHUNK - s->held ? n : VAULT_CHUNK - s->held;
		memcpy(s->plain + s->held, from, take);
		s->held += take;
	}
	return s->err;
}

/* Not every file system makes files without a name: there it loses it at once. */
static int
nameless(const char *dir)
{
	char path[4096 + 16];
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT))
		return fd;
	(void)snprintf(path, sizeof(path), "%s/spool.XXXXXX", dir);
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		(void)unlink(path);
	return fd;
}

enum souk_err
spool_new(struct vault *v, const char *dir, struct spool **ret)
{
	struct spool *s = calloc(1, sizeof(*s));
	struct wrapped_key unused;

	if (!s)
		return SOUK_E_NOMEM;
	if ((s->fd = nameless(dir)) < 0) {
		free(s);
		return SOUK_E_STORAGE;
	}
	s->sink.write = spool_write;
	vault_key_new(v, STR("spool"), &s->key, &unused);
	sha256_init(&s->sha);
	*ret = s;
	return SOUK_OK;
}

void
spool_free(struct spool *s)
{
	if (!s)
		return;
	(void)close(s->fd);
	wipe(s, sizeof(*s));
	free(s);
}

struct sink *
spool_sink(struct spool *s)
{
	return &s->sink;
}

enum souk_err
spool_close(struct spool *s)
{
	if (s->err == SOUK_OK && !s->closed) {
		s->err = seal_out(s, true);
		sha256_digest(&s->sha, sizeof(s->sha_sum), s->sha_sum);
		s->closed = true;
	}
	return s->err;
}

int64_t
spool_size(const struct spool *s)
{
	return s->size;
}

void
spool_sha256(const struct spool *s, uint8_t out[32])
{
	memcpy(out, s->sha_sum, sizeof(s->sha_sum));
}

static enum souk_err
read_all(int fd, uint8_t *p, size_t n, off_t at)
{
	while (n > 0) {
		ssize_t got = pread(fd, p, n, at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return SOUK_E_STORAGE;
		p += got;
		n -= (size_t)got;
		at += got;
	}
	return SOUK_OK;
}

static enum souk_err
send_chunk(struct spool *s, uint64_t i, struct sink *out)
{
	bool last = i + 1 == s->chunk;
	size_t n = last ? (size_t)(s->size - (int64_t)i * VAULT_CHUNK) : VAULT_CHUNK;
	enum souk_err err;

	err = read_all(s->fd, s->sealed, n + VAULT_CHUNK_OVERHEAD, (off_t)i * SEALED_CHUNK);
	if (err == SOUK_OK && vault_unseal_chunk(&s->key, i, last,
				  (struct str){ (const char *)s->sealed, n + VAULT_CHUNK_OVERHEAD },
				  s->plain) != SOUK_OK)
		err = SOUK_E_STORAGE;
	return err == SOUK_OK && n > 0 ? out->write(out, s->plain, n) : err;
}

enum souk_err
spool_send(struct spool *s, struct sink *out, enum souk_err (*go_on)(void *arg), void *arg)
{
	enum souk_err err = SOUK_OK;

	assert(s->closed);
	for (uint64_t i = 0; i < s->chunk && err == SOUK_OK; i++) {
		err = go_on ? go_on(arg) : SOUK_OK;
		if (err == SOUK_OK)
			err = send_chunk(s, i, out);
	}
	wipe(s->plain, sizeof(s->plain));
	return err;
}
