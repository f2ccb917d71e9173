/* SPDX-License-Identifier: Apache-2.0 */
/* An endpoint that speaks TLS with a certificate of its own for "localhost" and TLS_HOOK_NAME; answers 200. */
#ifndef SOUK_TESTS_DELIVERY_TLS_HOOK_H
#define SOUK_TESTS_DELIVERY_TLS_HOOK_H

#include "base/str.h"

#define TLS_HOOK_NAME "logos.s3.eu-central-1.amazonaws.com"

struct tls_hook;
/* Writes its certificate to `pem_path`. */
struct tls_hook *tls_hook_start(const char *pem_path);
void tls_hook_stop(struct tls_hook *h);
/* What it answers from now on: a whole HTTP answer, which must live on; `n` 0: it hangs. */
void tls_hook_answer(struct tls_hook *h, struct str answer);
/* The last request's head; nobody may be asking. */
const char *tls_hook_seen(const struct tls_hook *h);
int tls_hook_port(const struct tls_hook *h);
size_t tls_hook_count(struct tls_hook *h); /* requests answered */

#endif
