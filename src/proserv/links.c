/* SPDX-License-Identifier: Apache-2.0 */
/* Links; see links.h. */
#include "proserv/links.h"

#include "base/utf8.h"

static const struct str https = { "https://", 8 };

static inline bool
is_one_of(char c, const char *set)
{
	while (*set != '\0' && *set != c)
		set++;
	return *set != '\0';
}

/* How many bytes of `s` stand before one of `ends`. */
static size_t
span_until(struct str s, const char *ends)
{
	size_t n = 0;

	while (n < s.n && !is_one_of(s.p[n], ends))
		n++;
	return n;
}

static struct str
rest_of(struct str s, size_t n)
{
	return (struct str){ s.p + n, s.n - n };
}

static bool
has_blank(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' || is_one_of(s.p[i], "<>\"\\^`{|}"))
			return true;
	return utf8_has_control(s);
}

static bool
is_port(struct str s)
{
	uint64_t port = 0;

	return str_to_u64(s, 65535, &port) && port > 0;
}

bool
link_parse(struct str s, struct link *ret)
{
	struct link l = { .path = { "", 0 }, .query = { "", 0 } };
	struct str authority, host;
	size_t n;

	if (s.n > LINK_MAX || s.n <= https.n ||
	    !str_eq_nocase((struct str){ s.p, https.n }, https) || has_blank(s))
		return false;
	s = rest_of(s, https.n);
	n = span_until(s, "/?#");
	authority = (struct str){ s.p, n };
	s = rest_of(s, n);
	n = span_until(authority, ":");
	host = (struct str){ authority.p, n };
	if ((n < authority.n && !is_port(rest_of(authority, n + 1))) ||
	    !domain_plausible(host, l.host))
		return false;
	n = span_until(s, "?#");
	l.path = (struct str){ s.p, n };
	s = rest_of(s, n);
	if (s.n > 0 && s.p[0] == '?')
		l.query = (struct str){ s.p + 1, span_until(rest_of(s, 1), "#") };
	if (ret != NULL)
		*ret = l;
	return true;
}

/* Not memmem: with the sanitizer it looks at the whole text each time. */
size_t
link_mark(struct str text)
{
	const char *p = text.p, *end = text.p + text.n;

	for (; end - p >= 3 && (p = memchr(p, ':', (size_t)(end - p))) != NULL; p++)
		if (end - p >= 3 && p[1] == '/' && p[2] == '/')
			return (size_t)(p - text.p);
	return text.n;
}

bool
link_within(struct str text)
{
	while (text.n > https.n) {
		size_t n = link_mark(text);

		if (n == text.n)
			return false;
		if (n >= 5) {
			struct str from = rest_of(text, n - 5);

			/* A longer one is none, and looking for its end each time would take for ever. */
			if (from.n > LINK_MAX + 1)
				from.n = LINK_MAX + 1;
			from.n = span_until(from, " \t\r\n)<>\"'`]|");
			/* A sentence's stop behind a link is not the link's. */
			while (from.n > 0 && strchr(".,;:!?", from.p[from.n - 1]) != NULL)
				from.n--;
			if (link_parse(from, NULL))
				return true;
		}
		text = rest_of(text, n + 3);
	}
	return false;
}

bool
link_is_s3(const struct link *link)
{
	struct str host = str_c(link->host), part, service = STR("");
	bool bucket_in_host = false, found = false;
	struct str slash = { "/", 1 };

	if (str_ends(host, STR(".amazonaws.com.cn")))
		host.n -= sizeof(".amazonaws.com.cn") - 1;
	else if (str_ends(host, STR(".amazonaws.com")))
		host.n -= sizeof(".amazonaws.com") - 1;
	else
		return false;
	while (!found && str_split(&host, '.', &part)) {
		service = part;
		found = str_eq(service, STR("s3")) || str_starts(service, STR("s3-"));
		bucket_in_host |= !found;
	}
	if (!found || !str_starts(link->path, slash))
		return false;
	/* An object's key, and before it the bucket's name where the host has none. */
	return bucket_in_host
		   ? link->path.n > 1
		   : link->path.n > 3 && memchr(link->path.p + 2, '/', link->path.n - 3) != NULL;
}

bool
link_is_signed(const struct link *link)
{
	return memmem(link->query.p, link->query.n, "X-Amz-Signature", 15) != NULL ||
	       memmem(link->query.p, link->query.n, "Signature=", 10) != NULL;
}
