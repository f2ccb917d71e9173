/* SPDX-License-Identifier: Apache-2.0 */
/* An answer as it is kept for a repeated Idempotency-Key: headers, an empty line, the body. */
#ifndef SOUK_SERVER_KEPT_ANSWER_H
#define SOUK_SERVER_KEPT_ANSWER_H

#include "base/arena.h"
#include "server/http.h"

void kept_answer_write(const struct http_response *r, struct str body, struct buf *out);
/* Into `r` (headers in the arena) and `body`. SOUK_E_INTERNAL when it is none. */
SOUK_MUST enum souk_err kept_answer_read(
    struct str kept, int status, struct arena *mem, struct http_response *r, struct buf *body);

#endif
