/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages of lists: cursors in and out.
 *
 * A cursor comes back from outside: it is a key to go on from and gives no rights, the
 * list's own statement limits what is seen.
 */
#include "market/page.h"

#include "base/digest.h"

#include <assert.h>

/* What a cursor begins with: four bytes that stand for its list's name. */
#define LIST_LEN 4

struct list_mark {
	size_t n; /* LIST_LEN; 0 without a name */
	uint8_t b[SHA256_LEN];
};

static struct list_mark
list_mark(const struct page *p)
{
	struct list_mark m = { .n = 0 };

	if (p->list) {
		sha256(p->list, strlen(p->list), m.b);
		m.n = LIST_LEN;
	}
	return m;
}

/* base64url without padding (RFC 4648 5): cursors stand in URLs. */
static enum souk_err
cursor_make(const struct page *p, const void *key, size_t n, struct arena *mem, struct str *ret)
{
	struct list_mark mark = list_mark(p);
	uint8_t raw[LIST_LEN + PAGE_KEY_MAX];
	struct buf b = { 0 };
	struct str kept = { NULL, 0 };

	memcpy(raw, mark.b, mark.n);
	memcpy(raw + mark.n, key, n);
	buf_add_base64(&b, raw, mark.n + n);
	for (size_t i = 0; i < b.n; i++)
		if (b.p[i] == '+' || b.p[i] == '/')
			b.p[i] = b.p[i] == '+' ? '-' : '_';
	while (b.n > 0 && b.p[b.n - 1] == '=')
		b.n--;
	if (buf_ok(&b))
		kept = arena_str(mem, buf_str(&b));
	buf_done(&b);
	if (!kept.p)
		return SOUK_E_NOMEM;
	*ret = kept;
	return SOUK_OK;
}

static bool
cursor_decode(struct str cursor, uint8_t raw[LIST_LEN + PAGE_KEY_MAX], size_t *ret_n)
{
	char text[(LIST_LEN + PAGE_KEY_MAX) * 4 / 3 + 4];
	size_t n = cursor.n;

	if (n > (LIST_LEN + PAGE_KEY_MAX) * 4 / 3 + 1 || n % 4 == 1)
		return false;
	for (size_t i = 0; i < n; i++) {
		char c = cursor.p[i];

		if (c == '+' || c == '/' || c == '=')
			return false;
		text[i] = (char)(c == '-' ? '+' : c == '_' ? '/' : c);
	}
	while (n % 4 != 0)
		text[n++] = '=';
	return base64_decode((struct str){ text, n }, raw, LIST_LEN + PAGE_KEY_MAX, ret_n);
}

static bool
cursor_read(const struct page *p, void *key, size_t size, size_t *ret_n)
{
	struct list_mark mark = list_mark(p);
	uint8_t raw[LIST_LEN + PAGE_KEY_MAX];
	size_t n;

	if (!cursor_decode(p->cursor, raw, &n) || n <= mark.n || n - mark.n > size ||
	    memcmp(raw, mark.b, mark.n) != 0)
		return false;
	memcpy(key, raw + mark.n, n - mark.n);
	*ret_n = n - mark.n;
	return true;
}

enum souk_err
page_bad_cursor(struct fail *f)
{
	return fail_field(f, "cursor", "is not the cursor of a page of this list",
	    "give the cursor of the page before, or none for the first page");
}

enum souk_err
page_begin(const struct page *p, void *key, size_t size, size_t *ret_n, struct fail *f)
{
	size_t n = 0;

	if (p->limit < 1 || p->limit > PAGE_LIMIT_MAX)
		return fail_field(f, "limit", "is out of range", "give 1 to 200");
	if (p->cursor.n > 0 && !cursor_read(p, key, size, &n))
		return page_bad_cursor(f);
	*ret_n = n;
	return SOUK_OK;
}

enum souk_err
page_begin_guid(const struct page *p, struct guid *ret, struct fail *f)
{
	struct guid g = { 0 };
	size_t n = 0;
	enum souk_err r = page_begin(p, &g, sizeof(g), &n, f);

	if (r != SOUK_OK)
		return r;
	if (n != 0 && n != sizeof(g))
		return page_bad_cursor(f);
	*ret = g;
	return SOUK_OK;
}

enum souk_err
page_rows(struct page *p, struct db_stmt *st, page_emit *emit, struct arena *mem, struct jw *out)
{
	char key[PAGE_KEY_MAX];
	size_t key_n = 0;
	struct str next = STR("");
	bool row = false;
	enum souk_err r;

	for (size_t i = 0; (r = db_step(st, &row)) == SOUK_OK && row; i++) {
		if (i == p->limit) {
			r = cursor_make(p, key, key_n, mem, &next);
			break;
		}
		key_n = emit(st, out, key);
		assert(key_n <= sizeof(key));
	}
	db_reset(st);
	if (r == SOUK_OK)
		p->next = next;
	return r;
}
