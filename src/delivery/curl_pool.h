/* SPDX-License-Identifier: Apache-2.0 */
/* Handles of libcurl that are used again, for the sake of the connections they keep open. */
#ifndef SOUK_DELIVERY_CURL_POOL_H
#define SOUK_DELIVERY_CURL_POOL_H

#include <curl/curl.h>
#include <pthread.h>

/* A handle; `curl` is its user's between take and give back. */
struct curl_handle {
	CURL *curl;
	struct curl_handle *next; /* the pool's */
};

/* May be used by several threads at once. */
struct curl_pool {
	pthread_mutex_t lock;
	struct curl_handle *idle; /* the last used first: its connections are warm */
};

void curl_pool_init(struct curl_pool *p);
/* All handles must have been given back. */
void curl_pool_done(struct curl_pool *p);
/* With every option as new; NULL when out of memory. */
struct curl_handle *curl_pool_take(struct curl_pool *p);
void curl_pool_give_back(struct curl_pool *p, struct curl_handle *h);
/* Instead of giving it back: its connections are not to be used again. */
void curl_pool_drop(struct curl_handle *h);

#endif
