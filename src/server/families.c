/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which family a request is for. Nothing is verified here: a request that claims to be
 * another family's meets that family's authentication.
 */
#include "server/families.h"

static const struct api_family *const families[FAM__COUNT] = {
	[FAM_REST] = &api_rest,
	[FAM_JSON] = &api_json,
	[FAM_S3] = &api_s3,
	[FAM_SNS] = &api_sns,
	[FAM_OPS] = &api_ops,
};

struct str
bucket_host(const struct services *svc, const struct http_request *r)
{
	struct str host = http_header(r, "Host"), domain = str_c(svc->s3_domain);
	const char *colon = host.n ? memrchr(host.p, ':', host.n) : NULL;

	if (colon && !memchr(colon, ']', host.n - (size_t)(colon - host.p)))
		host.n = (size_t)(colon - host.p);
	if (domain.n == 0 || host.n <= domain.n + 1 || host.p[host.n - domain.n - 1] != '.' ||
	    !str_eq_nocase((struct str){ host.p + host.n - domain.n, domain.n }, domain))
		return STR("");
	return (struct str){ host.p, host.n - domain.n - 1 };
}

static bool
is_under(struct str path, struct str first)
{
	return str_starts(path, first) && (path.n == first.n || path.p[first.n] == '/');
}

static bool
is_for_operations(struct str path)
{
	return str_eq(path, STR("/")) || str_eq(path, STR("/healthz")) ||
	       str_eq(path, STR("/readyz")) || str_eq(path, STR("/metrics"));
}

/* Bearer calls are most of all, and no signature needs to be looked for. */
static bool
is_signed(const struct http_request *r)
{
	struct str a = http_header(r, "Authorization");

	return a.p ? str_starts(a, STR("AWS"))
		   : r->query.n > 0 && memmem(r->query.p, r->query.n, "Signature=", 10);
}

static enum met_family
choose(const struct services *svc, const struct http_request *r)
{
	struct str service;

	if (is_signed(r)) {
		service = sigv4_claimed_service(&(struct sigv4_req){ .method = r->method,
		    .path = r->path,
		    .query = r->query,
		    .headers = r->headers,
		    .n_headers = r->n_headers });
		if (str_eq(service, STR("s3")))
			return FAM_S3;
		/* A broken scope: the target says which words the client understands. */
		if (service.n > 0 || http_header(r, "X-Amz-Target").p)
			return FAM_JSON;
		return str_eq(r->method, STR("POST")) && str_eq(r->path, STR("/")) ? FAM_JSON
										   : FAM_S3;
	}
	if (http_header(r, "X-Amz-Target").p)
		return FAM_JSON;
	if (bucket_host(svc, r).n > 0)
		return FAM_S3;
	if (is_under(r->path, STR("/api")))
		return FAM_REST;
	if (is_under(r->path, STR("/sns")))
		return FAM_SNS;
	return is_for_operations(r->path) ? FAM_OPS : FAM_S3;
}

const struct api_family *
family_of(const struct services *svc, const struct http_request *r)
{
	/* No bucket's name has capitals. A target is another service's of the same scope. */
	if (catalog_path(r->path) && !http_header(r, "X-Amz-Target").p)
		return &api_catalog;
	return families[choose(svc, r)];
}
