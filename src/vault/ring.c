/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The key ring's text and its keys.
 *
 * The text is outside bytes that hold our most secret ones: every byte is checked, and
 * no word about it ever quotes it.
 */
#include "vault/ring.h"

#include "base/digest.h"
#include "base/guid.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>

/* sodium_malloc aligns to what the size is a multiple of. */
#define LOCKED_ALIGN ((size_t)64)

static void *
locked_new(size_t n)
{
	void *p;

	if (sodium_init() < 0)
		return NULL;
	if ((p = sodium_malloc((n + LOCKED_ALIGN - 1) / LOCKED_ALIGN * LOCKED_ALIGN)))
		memset(p, 0, n);
	return p;
}

struct ring_keys *
ring_keys_new(void)
{
	return locked_new(sizeof(struct ring_keys));
}

void
ring_keys_free(struct ring_keys *k)
{
	sodium_free(k);
}

void
ring_keys_fill(struct ring_keys *k)
{
	bool added;

	random_bytes(k->blind, sizeof(k->blind));
	random_bytes(k->audit, sizeof(k->audit));
	k->n = 0;
	k->current = 0;
	added = ring_keys_add(k);
	assert(added);
}

uint32_t
ring_keys_newest(const struct ring_keys *k)
{
	uint32_t newest = 0;

	for (size_t i = 0; i < k->n; i++)
		if (k->master[i].number > newest)
			newest = k->master[i].number;
	return newest;
}

bool
ring_keys_add(struct ring_keys *k)
{
	uint32_t newest = ring_keys_newest(k);

	if (k->n == RING_KEYS_MAX || newest == RING_NUMBER_MAX)
		return false;
	k->current = newest + 1;
	k->master[k->n].number = k->current;
	random_bytes(k->master[k->n].key, RING_KEY_LEN);
	k->n++;
	return true;
}

void
ring_keys_retire(struct ring_keys *k)
{
	for (size_t i = 0; i < k->n; i++)
		if (k->master[i].number == k->current)
			k->master[0] = k->master[i];
	wipe(k->master + 1, sizeof(k->master) - sizeof(k->master[0]));
	k->n = 1;
}

bool
ring_keys_akin(const struct ring_keys *a, const struct ring_keys *b)
{
	if (!secret_equal(a->blind, RING_KEY_LEN, b->blind, RING_KEY_LEN) ||
	    !secret_equal(a->audit, RING_KEY_LEN, b->audit, RING_KEY_LEN))
		return false;
	for (size_t i = 0; i < a->n; i++)
		for (size_t j = 0; j < b->n; j++)
			if (a->master[i].number == b->master[j].number &&
			    !secret_equal(
				a->master[i].key, RING_KEY_LEN, b->master[j].key, RING_KEY_LEN))
				return false;
	return true;
}

/* ---- reading the text ---- */

static void
skip_blanks(struct str *s)
{
	while (s->n > 0 && strchr(" \t\r\n", s->p[0]) && s->p[0] != '\0') {
		s->p++;
		s->n--;
	}
}

static bool
eat(struct str *s, char c)
{
	skip_blanks(s);
	if (s->n == 0 || s->p[0] != c)
		return false;
	s->p++;
	s->n--;
	return true;
}

/* A string without escapes: neither numbers nor base64 need any. */
static bool
eat_string(struct str *s, struct str *ret)
{
	const char *start;

	if (!eat(s, '"'))
		return false;
	start = s->p;
	for (; s->n > 0 && s->p[0] != '"'; s->p++, s->n--)
		if ((unsigned char)s->p[0] < ' ' || s->p[0] == '\\')
			return false;
	*ret = (struct str){ start, (size_t)(s->p - start) };
	return eat(s, '"');
}

static bool
number_of(struct str digits, uint32_t *ret)
{
	uint64_t v;

	if (!str_to_u64(digits, RING_NUMBER_MAX, &v) || v == 0 || digits.p[0] == '0')
		return false;
	*ret = (uint32_t)v;
	return true;
}

static bool
eat_number(struct str *s, uint32_t *ret)
{
	struct str digits;

	skip_blanks(s);
	digits = (struct str){ s->p, 0 };
	for (; s->n > 0 && s->p[0] >= '0' && s->p[0] <= '9'; s->p++, s->n--)
		digits.n++;
	return number_of(digits, ret);
}

static bool
eat_key(struct str *s, uint8_t ret[RING_KEY_LEN])
{
	struct str text;
	size_t n;

	return eat_string(s, &text) && base64_decode(text, ret, RING_KEY_LEN, &n) &&
	       n == RING_KEY_LEN;
}

/* A number doubled, or one key under two numbers (a rotation that was none)? */
static bool
is_doubled(const struct ring_keys *k, const struct ring_master *m)
{
	for (size_t i = 0; i < k->n; i++)
		if (k->master[i].number == m->number ||
		    secret_equal(k->master[i].key, RING_KEY_LEN, m->key, RING_KEY_LEN))
			return true;
	return false;
}

static const char *
eat_masters(struct str *s, struct ring_keys *k)
{
	struct ring_master *m;
	struct str number;

	if (!eat(s, '{'))
		return "its keys are no object";
	do {
		if (k->n == RING_KEYS_MAX)
			return "it has more than 64 master keys";
		m = &k->master[k->n];
		if (!eat_string(s, &number) || !number_of(number, &m->number) || !eat(s, ':'))
			return "a master key has no number from 1 to 16777215";
		if (!eat_key(s, m->key))
			return "a master key is not the base64 of 32 bytes";
		if (is_doubled(k, m))
			return "a master key is there twice";
		k->n++;
	} while (eat(s, ','));
	return eat(s, '}') ? NULL : "its keys do not end";
}

enum member { M_VERSION, M_CURRENT, M_KEYS, M_BLIND, M_AUDIT, M__COUNT };

static const char *const member_names[M__COUNT] = { "version", "current", "keys", "blind",
	"audit" };
static const char *const member_missing[M__COUNT] = { "version is missing", "current is missing",
	"keys is missing", "blind is missing", "audit is missing" };

static const char *
eat_value(struct str *s, enum member m, struct ring_keys *k)
{
	uint32_t version;

	switch (m) {
	case M_VERSION:
		return eat_number(s, &version) && version == 1 ? NULL : "its version is not 1";
	case M_CURRENT:
		return eat_number(s, &k->current) ? NULL
						  : "current is no number from 1 to 16777215";
	case M_KEYS:
		return eat_masters(s, k);
	case M_BLIND:
		return eat_key(s, k->blind) ? NULL : "blind is not the base64 of 32 bytes";
	case M_AUDIT:
		return eat_key(s, k->audit) ? NULL : "audit is not the base64 of 32 bytes";
	case M__COUNT:
		break;
	}
	return "it has an unknown member";
}

static const char *
eat_member(struct str *s, struct ring_keys *k, bool seen[M__COUNT])
{
	struct str name;
	unsigned m = 0;

	if (!eat_string(s, &name) || !eat(s, ':'))
		return "it is not a JSON object without escapes";
	while (m < M__COUNT && !str_eq_c(name, member_names[m]))
		m++;
	if (m < M__COUNT && seen[m])
		return "a member is there twice";
	if (m < M__COUNT)
		seen[m] = true;
	return eat_value(s, (enum member)m, k);
}

/* What a reader of one member at a time does not see. */
static const char *
check_whole(const struct ring_keys *k, const bool seen[M__COUNT])
{
	for (unsigned m = 0; m < M__COUNT; m++)
		if (!seen[m])
			return member_missing[m];
	for (size_t i = 0; i < k->n; i++)
		if (k->master[i].number == k->current)
			return NULL;
	return "the current master key is missing";
}

static const char *
parse(struct str s, struct ring_keys *k)
{
	bool seen[M__COUNT] = { false };
	const char *wrong;

	if (!eat(&s, '{'))
		return "it is not a JSON object without escapes";
	do {
		if ((wrong = eat_member(&s, k, seen)))
			return wrong;
	} while (eat(&s, ','));
	if (!eat(&s, '}'))
		return "it does not end";
	skip_blanks(&s);
	return s.n > 0 ? "something follows its end" : check_whole(k, seen);
}

const char *
ring_parse(struct str text, struct ring_keys *ret)
{
	const char *wrong;

	wipe(ret, sizeof(*ret));
	if ((wrong = parse(text, ret)))
		wipe(ret, sizeof(*ret));
	return wrong;
}

/* ---- writing it ---- */

#define KEY_TEXT_MAX 64 /* "16777215":"44 characters of base64", with its comma */

enum souk_err
ring_format(const struct ring_keys *k, struct secret *ret, size_t *ret_n)
{
	struct secret room;
	struct buf b;
	enum souk_err r;

	if ((r = secret_init(&room, (RING_KEYS_MAX + 4) * KEY_TEXT_MAX)) != SOUK_OK)
		return r;
	/* Locked memory as a buffer: large enough that it never asks for more. */
	b = (struct buf){ .p = (char *)room.p, .cap = room.n };
	buf_printf(&b, "{\"version\":1,\"current\":%u,\"keys\":{", k->current);
	for (size_t i = 0; i < k->n; i++) {
		buf_printf(&b, "%s\"%u\":\"", i > 0 ? "," : "", k->master[i].number);
		buf_add_base64(&b, k->master[i].key, RING_KEY_LEN);
		buf_add_c(&b, "\"");
	}
	buf_add_c(&b, "},\"blind\":\"");
	buf_add_base64(&b, k->blind, RING_KEY_LEN);
	buf_add_c(&b, "\",\"audit\":\"");
	buf_add_base64(&b, k->audit, RING_KEY_LEN);
	buf_add_c(&b, "\"}\n");
	assert(buf_ok(&b) && b.p == (char *)room.p);
	*ret = room;
	*ret_n = b.n;
	return SOUK_OK;
}

/* ---- ready for use ---- */

struct ring *
ring_new(struct ring_keys *keys)
{
	struct ring *r = locked_new(sizeof(*r) + keys->n * sizeof(r->box[0]));

	if (!r) {
		ring_keys_free(keys);
		return NULL;
	}
	r->keys = keys;
	hmac_sha256_set_key(&r->blind, RING_KEY_LEN, keys->blind);
	hmac_sha256_set_key(&r->audit, RING_KEY_LEN, keys->audit);
	for (size_t i = 0; i < keys->n; i++)
		box_key_set(&r->box[i], keys->master[i].key);
	return r;
}

void
ring_free(struct ring *r)
{
	if (!r)
		return;
	ring_keys_free(r->keys);
	sodium_free(r);
}

int
ring_find(const struct ring *r, uint32_t number)
{
	for (size_t i = 0; i < r->keys->n; i++)
		if (r->keys->master[i].number == number)
			return (int)i;
	return -1;
}
