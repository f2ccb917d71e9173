/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opens and closes a data directory, in order: settings, lock, database, key ring,
 * access, objects, topics. The danger here is to go on with a key ring that is not the
 * database's: new records would be sealed with keys that the old ones do not share.
 */
#include "server/installation.h"

#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define META_NAME "marketplace_name"
#define META_INSTALLATION "installation_id"

enum souk_err
installation_path(
    const char *data_dir, const char *name, char *out, size_t out_size, struct fail *f)
{
	int n = snprintf(out, out_size, "%s/%s", data_dir, name);

	if (n < 0 || (size_t)n >= out_size)
		return fail_field(f, "--data", "is too long a path", "use a shorter one");
	return SOUK_OK;
}

enum souk_err
installation_config(const char *data_dir, struct config **ret, struct fail *f)
{
	char path[4096];
	enum souk_err r = installation_path(data_dir, "souk.ini", path, sizeof(path), f);

	return r == SOUK_OK ? config_load(path, ret, f) : r;
}

/* Takes the lock, or says which process has it. The file holds the holder's pid. */
static enum souk_err
take_lock(const char *data_dir, int *ret_fd, struct fail *f)
{
	char path[4096], pid[32] = "";
	enum souk_err r = installation_path(data_dir, "lock", path, sizeof(path), f);
	int fd;

	if (r != SOUK_OK)
		return r;
	/* It is written to: never through a link to a file of somebody else's choice. */
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return fail_set(f, SOUK_E_STORAGE, "lock", "%s cannot be opened (%s)", path,
		    strerrordesc_np(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		ssize_t n = read(fd, pid, sizeof(pid) - 1);

		(void)close(fd);
		pid[n > 0 ? n : 0] = '\0';
		pid[strspn(pid, "0123456789")] = '\0';
		return fail_set(f, SOUK_E_CONFLICT, "data_in_use",
		    "--data: directory %s is in use by process %s; stop that one, or serve another "
		    "directory",
		    data_dir, pid[0] != '\0' ? pid : "(unknown)");
	}
	(void)snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
	if (ftruncate(fd, 0) != 0 || io_write_all(fd, pid, strlen(pid)) != SOUK_OK) {
		(void)close(fd);
		return fail_set(
		    f, SOUK_E_STORAGE, "lock", "%s cannot be written: is the disk full?", path);
	}
	*ret_fd = fd;
	return SOUK_OK;
}

enum souk_err
installation_hold(const char *data_dir, int *ret_fd, struct fail *f)
{
	return take_lock(data_dir, ret_fd, f);
}

void
installation_let_go(int fd)
{
	if (fd >= 0)
		(void)close(fd);
}

struct ring_check {
	char fingerprint[33];
	bool same;
};

const char *
installation_database(const struct config *config, const char *file)
{
	const char *url = config_text(config, SET_DATABASE);

	return url[0] != '\0' ? url : file;
}

enum souk_err
installation_database_open(const struct config *config, const char *file, struct db_options how,
    struct db **ret, struct fail *f)
{
	how.path = installation_database(config, file);
	how.readers = (unsigned)config_int(config, SET_DATABASE_READERS);
	how.writers = (unsigned)config_int(config, SET_DATABASE_WRITERS);
	return db_open(&how, ret, f);
}

static enum souk_err
compare_fingerprint(struct db_tx *tx, void *arg)
{
	struct ring_check *c = arg;
	struct buf kept = { 0 };
	enum souk_err r = db_meta_get(tx, VAULT_FINGERPRINT_META, &kept);

	if (r == SOUK_OK)
		c->same = str_eq_c(buf_str(&kept), c->fingerprint);
	buf_done(&kept);
	return r;
}

static enum souk_err
check_ring(struct installation *in, struct fail *f)
{
	struct ring_check c = { .same = false };
	enum souk_err r;

	vault_fingerprint(in->vault, c.fingerprint);
	r = db_read(in->db, compare_fingerprint, &c);
	if (r == SOUK_E_NOT_FOUND)
		return fail_set(f, SOUK_E_CONFLICT, "not_initialised",
		    "--data: %s was not finished by `souk init`; remove it and run init again",
		    in->data_dir);
	if (r != SOUK_OK)
		return fail_set(
		    f, r, "database", "the database of %s cannot be read", in->data_dir);
	if (!c.same)
		return fail_set(f, SOUK_E_CONFLICT, "foreign_key_ring",
		    "keyring.json: this key ring is not the one that %s was made with; restore the "
		    "right one",
		    in->data_dir);
	return SOUK_OK;
}

enum souk_err
installation_open(const char *data_dir, struct config *config, bool exclusive,
    struct installation *ret, struct fail *f)
{
	struct installation in = { .config = config, .lock_fd = -1 };
	char path[4096];
	struct stat st;
	enum souk_err r;

	(void)snprintf(in.data_dir, sizeof(in.data_dir), "%s", data_dir);
	r = installation_path(data_dir, "souk.db", path, sizeof(path), f);
	if (r != SOUK_OK)
		goto out;
	if (!db_is_url(installation_database(config, path)) && stat(path, &st) != 0) {
		r = errno == ENOENT || errno == ENOTDIR
			? fail_set(f, SOUK_E_NOT_FOUND, "no_installation",
			      "--data: %s holds no souk database; make one with `souk init --data "
			      "%s`",
			      data_dir, data_dir)
			: fail_set(f, SOUK_E_STORAGE, "no_installation",
			      "--data: %s cannot be used (%s); run souk as the user who owns it",
			      data_dir, strerrordesc_np(errno));
		goto out;
	}
	if (exclusive && (r = take_lock(data_dir, &in.lock_fd, f)) != SOUK_OK)
		goto out;
	/* The ring before the database: a missing ring must not even migrate a schema. */
	if ((r = vault_open(config, data_dir, &in.vault, f)) != SOUK_OK ||
	    (r = installation_database_open(
		 config, path, (struct db_options){ .create = false }, &in.db, f)) != SOUK_OK ||
	    (r = check_ring(&in, f)) != SOUK_OK ||
	    (r = object_store_open_set(in.db, in.vault, config, data_dir, &in.objects, f)) !=
		SOUK_OK ||
	    (r = topics_open(in.db, in.vault, config, &in.topics, f)) != SOUK_OK)
		goto out;
	r = access_new(in.db, in.vault, &in.access);
	if (r != SOUK_OK) {
		(void)fail_set(f, r, "access", "access keys cannot be read");
		goto out;
	}
	*ret = in;
	return SOUK_OK;
out:
	installation_close(&in);
	*ret = (struct installation){ .lock_fd = -1 };
	return r;
}

void
installation_close(struct installation *in)
{
	access_free(in->access);
	topics_close(in->topics);
	object_store_close(in->objects);
	db_close(in->db);
	vault_close(in->vault);
	config_free(in->config);
	if (in->lock_fd >= 0)
		(void)close(in->lock_fd);
	*in = (struct installation){ .lock_fd = -1 };
}

struct binding {
	char fingerprint[33];
	char id[GUID_TEXT_LEN + 1];
	const char *name;
};

static enum souk_err
keep_binding(struct db_tx *tx, void *arg)
{
	const struct binding *b = arg;
	enum souk_err r;

	if ((r = db_meta_put(tx, VAULT_FINGERPRINT_META, str_c(b->fingerprint))) != SOUK_OK ||
	    (r = db_meta_put(tx, META_INSTALLATION, str_c(b->id))) != SOUK_OK)
		return r;
	return db_meta_put(tx, META_NAME, str_c(b->name));
}

enum souk_err
installation_bind(struct db *db, struct vault *v, const char *name, struct fail *f)
{
	struct binding b = { .name = name };
	struct guid id = guid_new();
	enum souk_err r;

	vault_fingerprint(v, b.fingerprint);
	guid_format(&id, b.id);
	r = db_write(db, keep_binding, &b);
	return r == SOUK_OK ? r : fail_set(f, r, "database", "the new database cannot be written");
}
