/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ring in use: opened, read again when its file changed, rotated.
 *
 * Losing a master key loses what it wrapped. So a change is made to the file's newest
 * state under a lock, kept on disk before anything is wrapped with it, and a ring that
 * is not a later state of ours is never taken over.
 */
#include "vault/vault_ring.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define COMMAND_LIMIT_MS (10 * SECOND_MS)
#define FRESH_NS UINT64_C(500000000)
#define ASK_AGAIN_NS UINT64_C(5000000000)

/* Puts a ring in place and wipes the one before; takes over `keys`. */
static enum souk_err
publish(struct vault *v, struct ring_keys *keys)
{
	struct ring *r = ring_new(keys);

	if (!r)
		return SOUK_E_NOMEM;
	r = atomic_exchange(&v->ring, r);
	if (r)
		gate_drain(v->gate);
	ring_free(r);
	return SOUK_OK;
}

static enum souk_err
memory_fail(struct fail *f)
{
	return fail_set(f, SOUK_E_NOMEM, "out_of_memory", "no locked memory for the key ring");
}

enum souk_err
vault_ring_create(const char *path, struct fail *f)
{
	struct ring_keys *keys = ring_keys_new();
	enum souk_err r;

	if (!keys)
		return memory_fail(f);
	ring_keys_fill(keys);
	r = ring_create_file(path, keys, f);
	ring_keys_free(keys);
	return r;
}

static struct vault *
vault_new(void)
{
	struct vault *v = calloc(1, sizeof(*v));

	if (!v)
		return NULL;
	if (!(v->gate = aligned_alloc(_Alignof(struct gate), sizeof(*v->gate)))) {
		free(v);
		return NULL;
	}
	memset(v->gate, 0, sizeof(*v->gate));
	(void)pthread_mutex_init(&v->change, NULL);
	return v;
}

void
vault_close(struct vault *v)
{
	if (!v)
		return;
	ring_free(atomic_load(&v->ring));
	(void)pthread_mutex_destroy(&v->change);
	free(v->gate);
	free(v->path);
	free(v->command);
	free(v);
}

/* The ring's file by the settings; NULL when out of memory. */
static char *
path_of(const struct config *c, const char *data_dir)
{
	const char *set = config_text(c, SET_KEY_RING_FILE);
	char *path;

	if (set[0] != '\0')
		return strdup(set);
	return asprintf(&path, "%s/keyring.json", data_dir) < 0 ? NULL : path;
}

static enum souk_err
read_source(const struct vault *v, struct ring_keys *keys, struct fail *f)
{
	return v->path ? ring_read_file(v->path, keys, f)
		       : ring_read_command(v->command, COMMAND_LIMIT_MS, keys, f);
}

enum souk_err
vault_open(const struct config *c, const char *data_dir, struct vault **ret, struct fail *f)
{
	const char *command = config_text(c, SET_KEY_RING_COMMAND);
	struct vault *v = vault_new();
	struct ring_keys *keys = ring_keys_new();
	enum souk_err r = SOUK_E_NOMEM;

	if (!v || !keys ||
	    (command[0] == '\0' ? !(v->path = path_of(c, data_dir))
				: !(v->command = strdup(command)))) {
		r = memory_fail(f);
		goto out;
	}
	atomic_store(&v->looked_ns, clock_mono_ns());
	if (v->path)
		ring_stamp(v->path, &v->stamp);
	if ((r = read_source(v, keys, f)) != SOUK_OK)
		goto out;
	r = publish(v, keys);
	keys = NULL;
	if (r != SOUK_OK) {
		r = memory_fail(f);
		goto out;
	}
	*ret = v;
	v = NULL;
out:
	ring_keys_free(keys);
	vault_close(v);
	return r;
}

/* Reads the source into `keys`; refuses a ring that is not a later state of ours. */
static enum souk_err
read_again(struct vault *v, struct ring_keys *keys, struct fail *f)
{
	enum souk_err r;

	if ((r = read_source(v, keys, f)) != SOUK_OK)
		return r;
	/* The ring in place is ours to read: only the holder of `change` replaces it. */
	if (!ring_keys_akin(atomic_load(&v->ring)->keys, keys))
		return fail_set(f, SOUK_E_CONFLICT, "key_ring_other",
		    "the key ring's %s holds another ring now; put back the one this "
		    "installation was started with",
		    v->path ? "file" : "command");
	return SOUK_OK;
}

/* With `change` held. */
static enum souk_err
refresh(struct vault *v, const struct ring_stamp *now, struct fail *f)
{
	struct ring_keys *keys = ring_keys_new();
	enum souk_err r;

	if (!keys)
		return memory_fail(f);
	if ((r = read_again(v, keys, f)) != SOUK_OK) {
		ring_keys_free(keys);
		return r;
	}
	if (publish(v, keys) != SOUK_OK)
		return memory_fail(f);
	v->stamp = *now;
	return SOUK_OK;
}

enum souk_err
vault_refresh(struct vault *v, struct fail *f)
{
	struct ring_stamp now;
	enum souk_err r = SOUK_OK;

	if (!v->path)
		return SOUK_OK;
	(void)pthread_mutex_lock(&v->change);
	/* Looked at before it is read: a change in between is noticed the next time. */
	atomic_store(&v->looked_ns, clock_mono_ns());
	ring_stamp(v->path, &now);
	if (!ring_stamp_eq(&now, &v->stamp))
		r = refresh(v, &now, f);
	(void)pthread_mutex_unlock(&v->change);
	return r;
}

enum souk_err
vault_read_again(struct vault *v, struct fail *f)
{
	uint64_t now = clock_mono_ns(), asked = atomic_load(&v->asked_ns);
	struct ring_stamp none = { 0 };
	enum souk_err r;

	if (v->path)
		return vault_refresh(v, f);
	/* One asks, the others go on with what there is: the command may be slow. */
	if (now - asked < ASK_AGAIN_NS ||
	    !atomic_compare_exchange_strong(&v->asked_ns, &asked, now))
		return SOUK_OK;
	(void)pthread_mutex_lock(&v->change);
	r = refresh(v, &none, f);
	(void)pthread_mutex_unlock(&v->change);
	return r;
}

void
ring_keep_fresh(struct vault *v)
{
	enum souk_err r = SOUK_OK;

	if (v->path && clock_mono_ns() - atomic_load(&v->looked_ns) > FRESH_NS)
		r = vault_refresh(v, NULL);
	(void)
	    r; /* the ring in memory stays; what is wrong with the file, the server's ticker says */
}

/* Changes `keys`, the file's newest state. */
typedef enum souk_err ring_edit(struct vault *v, struct ring_keys *keys, struct fail *f);

static enum souk_err
add_to(struct vault *v, struct ring_keys *keys, struct fail *f)
{
	if (!ring_keys_add(keys))
		return fail_set(f, SOUK_E_LIMIT, "key_ring_full",
		    "the key ring is full; finish the rotations before");
	/* Stays when the file cannot be replaced: then vault_ring_retire refuses. */
	v->added = keys->current;
	return SOUK_OK;
}

static enum souk_err
prepare_in(struct vault *v, struct ring_keys *keys, struct fail *f)
{
	uint32_t current = keys->current;

	(void)v;
	/* What an interrupted rotation prepared will do. */
	if (ring_keys_newest(keys) > current)
		return SOUK_OK;
	if (!ring_keys_add(keys))
		return fail_set(f, SOUK_E_LIMIT, "key_ring_full",
		    "the key ring is full; finish the rotations before");
	keys->current = current;
	return SOUK_OK;
}

static enum souk_err
use_newest(struct vault *v, struct ring_keys *keys, struct fail *f)
{
	(void)f;
	keys->current = ring_keys_newest(keys);
	v->added = keys->current;
	return SOUK_OK;
}

static enum souk_err
retire_from(struct vault *v, struct ring_keys *keys, struct fail *f)
{
	uint32_t ours = v->added ? v->added : atomic_load(&v->ring)->keys->current;

	if (keys->current != ours)
		return fail_set(f, SOUK_E_CONFLICT, "key_ring_changed",
		    "somebody else rotated the keys meanwhile; rotate again when they are done");
	ring_keys_retire(keys);
	return SOUK_OK;
}

/* With `change` and the file's lock held. */
static enum souk_err
edit_locked(struct vault *v, ring_edit *edit, struct fail *f)
{
	struct ring_keys *keys = ring_keys_new();
	enum souk_err r;

	if (!keys)
		return memory_fail(f);
	if ((r = read_again(v, keys, f)) != SOUK_OK || (r = edit(v, keys, f)) != SOUK_OK ||
	    (r = ring_replace_file(v->path, keys, f)) != SOUK_OK) {
		ring_keys_free(keys);
		return r;
	}
	ring_stamp(v->path, &v->stamp);
	return publish(v, keys) == SOUK_OK ? SOUK_OK : memory_fail(f);
}

static enum souk_err
edit_file(struct vault *v, ring_edit *edit, struct fail *f)
{
	enum souk_err r;
	int lock;

	if (!v->path)
		return fail_set(f, SOUK_E_CONFLICT, "key_ring_command",
		    "key-ring-command: the key ring comes from a command; rotate its keys there");
	(void)pthread_mutex_lock(&v->change);
	if ((r = ring_lock_file(v->path, &lock, f)) == SOUK_OK) {
		r = edit_locked(v, edit, f);
		(void)close(lock);
	}
	(void)pthread_mutex_unlock(&v->change);
	return r;
}

enum souk_err
vault_ring_add(struct vault *v, struct fail *f)
{
	return edit_file(v, add_to, f);
}

enum souk_err
vault_ring_prepare(struct vault *v, struct fail *f)
{
	return edit_file(v, prepare_in, f);
}

enum souk_err
vault_ring_use(struct vault *v, struct fail *f)
{
	return edit_file(v, use_newest, f);
}

enum souk_err
vault_ring_retire(struct vault *v, struct fail *f)
{
	return edit_file(v, retire_from, f);
}

bool
vault_ring_is_file(const struct vault *v)
{
	return v->path != NULL;
}

uint32_t
vault_newest(const struct vault *v)
{
	struct inside in = ring_enter(v);
	uint32_t newest = ring_keys_newest(in.ring->keys);

	ring_leave(in);
	return newest;
}

uint32_t
vault_current(const struct vault *v)
{
	struct inside in = ring_enter(v);
	uint32_t current = in.ring->keys->current;

	ring_leave(in);
	return current;
}
