/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A data directory, opened: what `souk serve` and the other subcommands stand on.
 *
 *   DATA/souk.ini       settings (may be missing)
 *   DATA/souk.db        the embedded database, unless the setting `database` names another
 *   DATA/keyring.json   the key ring, mode 0600 (or key-ring-command)
 *   DATA/objects/       sealed objects
 *   DATA/lock           held by `souk serve`
 */
#ifndef SOUK_SERVER_INSTALLATION_H
#define SOUK_SERVER_INSTALLATION_H

#include "access/access.h"
#include "base/config.h"
#include "delivery/object.h"
#include "delivery/topic.h"
#include "store/db.h"
#include "vault/vault.h"

struct installation {
	char data_dir[4096];
	struct config *config;
	struct db *db;
	struct vault *vault;
	struct access *access;
	struct object_store *objects;
	struct topics *topics;
	int lock_fd; /* -1 when not locked */
};

/* "DATA/NAME" into out; SOUK_E_INVALID when it is too long. */
SOUK_MUST enum souk_err installation_path(
    const char *data_dir, const char *name, char *out, size_t out_size, struct fail *f);
/* Settings of a data directory: DATA/souk.ini and the environment. The caller may config_set before opening. */
SOUK_MUST enum souk_err installation_config(
    const char *data_dir, struct config **ret, struct fail *f);
/* Where the database is: the setting's address, or `file`, which is DATA/souk.db. Lives as long as they do. */
const char *installation_database(const struct config *config, const char *file);
/* Opens it with the settings' numbers of connections; `how` says what else. */
SOUK_MUST enum souk_err installation_database_open(const struct config *config, const char *file,
    struct db_options how, struct db **ret, struct fail *f);
/*
 * Opens everything; takes over `config` (freed also on failure). `exclusive` takes the
 * data directory's lock: SOUK_E_CONFLICT names the process that has it. A missing or
 * foreign key ring, a newer schema, a directory that is no installation: each says so
 * and how to mend it. `ret` is zeroed on failure.
 */
SOUK_MUST enum souk_err installation_open(const char *data_dir, struct config *config,
    bool exclusive, struct installation *ret, struct fail *f);
void installation_close(struct installation *in);
/*
 * The data directory's lock alone, for who works on the database without opening the rest.
 * SOUK_E_CONFLICT names the process that has it. let_go takes -1, too.
 */
SOUK_MUST enum souk_err installation_hold(const char *data_dir, int *ret_fd, struct fail *f);
void installation_let_go(int fd);

/* Binds a new database to its key ring: keeps the fingerprint that installation_open compares. */
SOUK_MUST enum souk_err installation_bind(
    struct db *db, struct vault *v, const char *name, struct fail *f);

#endif
