/* SPDX-License-Identifier: Apache-2.0 */
/* An endpoint that speaks TLS with a certificate of its own for "localhost"; answers 200. */
#ifndef SOUK_TESTS_DELIVERY_TLS_HOOK_H
#define SOUK_TESTS_DELIVERY_TLS_HOOK_H

#include <stddef.h>

struct tls_hook;
/* Writes its certificate to `pem_path`. */
struct tls_hook *tls_hook_start(const char *pem_path);
void tls_hook_stop(struct tls_hook *h);
int tls_hook_port(const struct tls_hook *h);
size_t tls_hook_count(struct tls_hook *h); /* requests answered */

#endif
