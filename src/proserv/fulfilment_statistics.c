/* SPDX-License-Identifier: Apache-2.0 */
/* What a seller's fulfilments come to. */
#include "proserv/fulfilment_evidence.h"
#include "proserv/fulfilment_int.h"

#include "base/array.h"
#include "market/check.h"
#include "market/scope.h"

#include <stdio.h>
#include <stdlib.h>

struct sums {
	char seller_id[ACCOUNT_ID_LEN + 1];
	int64_t all, open, met, missed, empty, granted, overdue;
	int64_t *minutes; /* to first contact */
	size_t n, cap;
};

static int
compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* Of minutes, as hours with two digits: exact, no floating point. */
static void
median_json(struct sums *u, struct jw *out)
{
	char text[40];
	int64_t twice, hundredths;

	if (u->n == 0) {
		jw_null(out, "medianHours");
		return;
	}
	qsort(u->minutes, u->n, sizeof(*u->minutes), compare);
	twice = u->minutes[(u->n - 1) / 2] + u->minutes[u->n / 2];
	hundredths = (twice * 100 + 60) / 120;
	(void)snprintf(text, sizeof(text), "%lld.%02lld", (long long)(hundredths / 100),
	    (long long)(hundredths % 100));
	jw_raw(out, "medianHours", str_c(text));
}

static void
share_json(const struct sums *u, struct jw *out)
{
	int64_t all = u->met + u->missed;
	char text[40];

	if (all == 0) {
		jw_null(out, "metPercent");
		return;
	}
	(void)snprintf(text, sizeof(text), "%lld.%lld", (long long)(u->met * 1000 / all / 10),
	    (long long)(u->met * 1000 / all % 10));
	jw_raw(out, "metPercent", str_c(text));
}

/* Writes one seller's and begins anew. */
static void
put(struct sums *u, struct jw *out)
{
	if (u->all > 0) {
		jw_open(out, NULL, '{');
		jw_c(out, "sellerId", u->seller_id);
		jw_int(out, "fulfilments", u->all);
		jw_int(out, "open", u->open);
		jw_int(out, "met", u->met);
		jw_int(out, "missed", u->missed);
		jw_int(out, "void", u->empty);
		jw_int(out, "granted", u->granted);
		jw_int(out, "overdue", u->overdue);
		share_json(u, out);
		median_json(u, out);
		jw_close(out, '}');
	}
	*u = (struct sums){ .minutes = u->minutes, .cap = u->cap };
}

static enum souk_err
count(struct sums *u, const struct fulfilment *x, instant_t now)
{
	struct fulfilment_verdict v = fulfilment_verdict(x, now);
	const char *word = fulfilment_verdict_word(x, &v);

	memcpy(u->seller_id, x->seller_id, sizeof(u->seller_id));
	u->all++;
	u->open += word[0] == 'o';
	u->met += v.contact == FIRST_CONTACT_MET;
	u->missed += v.contact == FIRST_CONTACT_MISSED;
	u->empty += word[0] == 'v';
	u->granted += x->state == FULFILMENT_GRANTED;
	u->overdue += x->due_at != 0 && now > x->due_at;
	if (x->first_contact_at == 0)
		return SOUK_OK;
	if (!ARRAY_ROOM(u->minutes, u->n, u->cap, 256))
		return SOUK_E_NOMEM;
	u->minutes[u->n++] = (x->first_contact_at - x->accepted_at) / MINUTE_MS;
	return SOUK_OK;
}

enum souk_err
fulfilment_statistics(struct db_tx *tx, const struct tenant_scope *s, struct str seller_id,
    instant_t from, instant_t to, struct jw *out, struct fail *f)
{
	struct sums u = { .all = 0 };
	struct db_stmt *st;
	bool row = false;
	enum souk_err r = SOUK_OK;

	if (!tenant_is_operator(s) && seller_id.n == 0 && tenant_is_seller(s))
		seller_id = tenant_account(s);
	if (!tenant_is_operator(s) && (seller_id.n == 0 || !scope_sells(s, seller_id)))
		return fail_not_found(f);
	st = fulfilment_rows_accepted(tx, seller_id, from, to);
	while (r == SOUK_OK && (r = db_step(st, &row)) == SOUK_OK && row) {
		struct fulfilment x;

		fulfilment_row(st, &x);
		if (u.all > 0 && strcmp(u.seller_id, x.seller_id) != 0)
			put(&u, out);
		r = count(&u, &x, db_now(tx));
	}
	if (row)
		db_reset(st);
	if (r == SOUK_OK)
		put(&u, out);
	free(u.minutes);
	return r;
}
