/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service, from a data directory to the last answered request.
 *
 * Opens the installation (and holds its lock), starts jobs, upkeep and the HTTP server,
 * then waits for SIGTERM or SIGINT. Stopping is graceful: no new connections, running
 * requests end, jobs keep their lease, the database is closed.
 */
#ifndef SOUK_SERVER_SERVE_H
#define SOUK_SERVER_SERVE_H

#include "base/config.h"

struct serve_options {
	const char *data_dir;
	struct config *config;  /* owned by server_run from the call on, also when it fails */
	const char *ready_file; /* NULL: none; gets the URL once the server answers */
};

/* Returns when it was told to stop (SOUK_OK) or cannot start. */
SOUK_MUST enum souk_err server_run(const struct serve_options *o, struct fail *f);

#endif
