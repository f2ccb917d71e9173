/* SPDX-License-Identifier: Apache-2.0 */
/* Formats records of the support data file. Runs once per contact of a full export. */
#include "psc/export_row.h"

#include "base/csv.h"
#include "psc/contact_seal.h"

const struct str export_header =
    STR("Product Id,Product Code,Customer Guid,Subscription Guid,Subscription Start Date,"
	"Organization,AWS Customer Id,Given Name,Surname,Telephone Number,Email,Title,"
	"Country Code,ZIP Code,Operation Time,Operation Type\r\n");

#define FIXED_ROOM                                                                                 \
	(sizeof(struct export_prefix) + 2 * GUID_TEXT_LEN + 2 * INSTANT_TEXT_LEN +                 \
	    ACCOUNT_ID_LEN + 64)

size_t
export_row_room(size_t plain)
{
	/* A field at worst: every byte a quote, doubled, and two around it. */
	return FIXED_ROOM + 2 * plain + (size_t)CONTACT_FIELDS * 3;
}

void
export_prefix_make(const struct guid *product_id, struct str code, struct export_prefix *ret)
{
	struct buf b = { 0 };
	char id[GUID_TEXT_LEN + 1];

	guid_format(product_id, id);
	buf_add(&b, id, GUID_TEXT_LEN);
	buf_add_char(&b, ',');
	csv_field(&b, code);
	buf_add_char(&b, ',');
	ret->n = b.n < sizeof(ret->text) ? b.n : 0;
	memcpy(ret->text, b.p ? b.p : "", ret->n);
	buf_done(&b);
}

static char *
put(char *p, const void *s, size_t n)
{
	memcpy(p, s, n);
	return p + n;
}

static char *
put_hex(char *p, const uint8_t *b, size_t n)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		*p++ = digits[b[i] >> 4];
		*p++ = digits[b[i] & 15];
	}
	return p;
}

static char *
put_guid(char *p, const struct guid *g)
{
	p = put_hex(p, g->b, 4);
	*p++ = '-';
	p = put_hex(p, g->b + 4, 2);
	*p++ = '-';
	p = put_hex(p, g->b + 6, 2);
	*p++ = '-';
	p = put_hex(p, g->b + 8, 2);
	*p++ = '-';
	return put_hex(p, g->b + 10, 6);
}

static void
put_two(char *p, unsigned v)
{
	p[0] = (char)('0' + v / 10);
	p[1] = (char)('0' + v % 10);
}

/* "YYYY-MM-DDTHH:mm:ss.nnnZ": the date anew only on another day than the last call's. */
static char *
put_instant(char *p, instant_t t, int64_t *day, char text[INSTANT_TEXT_LEN + 1])
{
	int64_t d = t / DAY_MS - (t % DAY_MS < 0);
	unsigned ms = (unsigned)(t - d * DAY_MS);

	if (d != *day || text[0] == '\0') {
		instant_format(t, text);
		*day = d;
	} else {
		unsigned s = ms / 1000;

		ms %= 1000;
		put_two(text + 11, s / 3600);
		put_two(text + 14, s / 60 % 60);
		put_two(text + 17, s % 60);
		text[20] = (char)('0' + ms / 100);
		put_two(text + 21, ms % 100);
	}
	return put(p, text, INSTANT_TEXT_LEN);
}

/* Fields of the personal part, each with the comma behind it. */
static void
add_fields(struct buf *b, const struct str *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		csv_field(b, s[i]);
		buf_add_char(b, ',');
	}
}

void
export_row_write(struct buf *b, struct export_days *days, const struct export_row *r,
    const struct contact_fields *c)
{
	static const struct contact_fields redacted;
	static const struct str ops[] = { STR("CREATE\r\n"), STR("UPDATE\r\n"), STR("DELETE\r\n") };
	char fixed[FIXED_ROOM];
	char *p = fixed;

	if (r->op == EXPORT_DELETE)
		c = &redacted;
	p = put(p, r->product->text, r->product->n);
	p = put_guid(p, &r->contact_id);
	*p++ = ',';
	p = put_guid(p, &r->subscription_id);
	*p++ = ',';
	p = put_instant(p, r->subscription_start, &days->start.day, days->start.text);
	*p++ = ',';
	buf_add(b, fixed, (size_t)(p - fixed));
	add_fields(b, &c->organization, 1);
	buf_add(b, r->buyer_id, ACCOUNT_ID_LEN);
	buf_add_char(b, ',');
	add_fields(b,
	    (const struct str[]){
		c->given_name, c->surname, c->telephone, c->email, c->title, c->country, c->zip },
	    CONTACT_FIELDS - 1);
	p = put_instant(fixed, r->operation_time, &days->operation.day, days->operation.text);
	*p++ = ',';
	p = put(p, ops[r->op].p, ops[r->op].n);
	buf_add(b, fixed, (size_t)(p - fixed));
}
