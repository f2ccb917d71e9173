/* SPDX-License-Identifier: Apache-2.0 */
#include "delivery/curl_pool.h"

#include <stdlib.h>

void
curl_pool_init(struct curl_pool *p)
{
	(void)pthread_mutex_init(&p->lock, NULL);
	p->idle = NULL;
}

void
curl_pool_done(struct curl_pool *p)
{
	struct curl_handle *h;

	while ((h = p->idle)) {
		p->idle = h->next;
		curl_pool_drop(h);
	}
	(void)pthread_mutex_destroy(&p->lock);
}

struct curl_handle *
curl_pool_take(struct curl_pool *p)
{
	struct curl_handle *h;

	(void)pthread_mutex_lock(&p->lock);
	if ((h = p->idle))
		p->idle = h->next;
	(void)pthread_mutex_unlock(&p->lock);
	if (h) {
		curl_easy_reset(h->curl);
		return h;
	}
	if (!(h = calloc(1, sizeof(*h))))
		return NULL;
	if (!(h->curl = curl_easy_init())) {
		free(h);
		return NULL;
	}
	return h;
}

void
curl_pool_give_back(struct curl_pool *p, struct curl_handle *h)
{
	(void)pthread_mutex_lock(&p->lock);
	h->next = p->idle;
	p->idle = h;
	(void)pthread_mutex_unlock(&p->lock);
}

void
curl_pool_drop(struct curl_handle *h)
{
	curl_easy_cleanup(h->curl);
	free(h);
}
