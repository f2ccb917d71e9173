/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of make share: the world that the seed decides, and the files. */
#ifndef SOUK_FEEDS_MAKE_INT_H
#define SOUK_FEEDS_MAKE_INT_H

#include "feeds/feed.h"
#include "feeds/make.h"

#include <stdio.h>

/* ---- numbers from numbers ---- */

static inline uint64_t
make_mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

/* A number for thing `a`, `b` of a kind; the kinds keep their numbers apart. */
enum make_kind {
	KIND_SELLER = 1,
	KIND_MANUFACTURER,
	KIND_RESELLER,
	KIND_ORG,
	KIND_ACCOUNT,
	KIND_ENCRYPTED,
	KIND_ADDRESS,
	KIND_PRODUCT,
	KIND_OFFER,
	KIND_TARGET,
	KIND_LEGACY,
	KIND_SALE,
	KIND_REFERENCE,
	KIND_EVENT,
	KIND_INVOICE,
	KIND_PAYOUT,
	KIND_TAX,
	KIND_LINE,
	KIND_OPPORTUNITY,
	KIND_SHUFFLE
};

static inline uint64_t
make_key(uint64_t seed, enum make_kind kind, uint64_t a, uint64_t b)
{
	return make_mix(make_mix(make_mix(seed ^ (uint64_t)kind << 56) + a) + b);
}

/* [0, n), from some bits of h that begin at `bit`. */
static inline unsigned
make_draw(uint64_t h, unsigned bit, unsigned n)
{
	return (unsigned)((make_mix(h + bit) >> 32) * n >> 32);
}

static inline bool
make_percent(uint64_t h, unsigned bit, double percent)
{
	return make_draw(h, bit, 100000) < (unsigned)(percent * 1000);
}

/* ---- the files ---- */

struct make_file {
	int fd;       /* -1: closed */
	void *gz;     /* gzFile */
	struct buf b; /* rows not yet written */
	size_t *row;  /* where they begin, for shuffling */
	size_t n_rows, cap_rows;
	int month; /* of the folder */
};

struct make_out {
	const struct make_options *o;
	char *dir; /* beside o->dir until all is written */
	struct make_file file[FEED__COUNT];
	uint64_t rows[FEED__COUNT], bytes;
	uint64_t chunks; /* written, for the order in the next one */
	enum souk_err err;
	struct fail *fail;
};

void make_out_open(struct make_out *out, const struct make_options *o, struct fail *f);
/* Opens the nine files of a month, with headers; those of a month before stay when it is the same folder. */
void make_out_month(struct make_out *out, int month);
enum souk_err make_out_close(struct make_out *out);

/* A row: make_row, then fields each with its comma, then make_row_end with the history columns. */
static inline struct buf *
make_row(struct make_out *out, enum feed feed)
{
	struct make_file *f = &out->file[feed];

	if (f->n_rows < f->cap_rows)
		f->row[f->n_rows] = f->b.n;
	f->n_rows++;
	return &f->b;
}

struct make_history {
	int64_t valid_from, insert, update, deleted; /* seconds; deleted 0: not */
};
void make_row_end(struct make_out *out, enum feed feed, const struct make_history *h);

/* Each appends a field and a comma. */
void make_id(struct buf *b, uint64_t key); /* 40 letters and digits; 0 is empty */
void make_account_number(struct buf *b, uint64_t seed, uint64_t index);
void make_text(struct buf *b, struct str s); /* quoted when needed */
void make_literal(struct buf *b, const char *s);
void make_number(struct buf *b, int64_t n);
void make_instant(struct buf *b, int64_t seconds); /* 0 is empty */
void make_uuid(struct buf *b, uint64_t key);
typedef __int128 make_money; /* units of 10^-8 */
void make_amount(struct buf *b, make_money m);
#define MAKE_ONE INT64_C(100000000)

/* ---- the world ---- */

#define MAKE_MANUFACTURERS 3
#define MAKE_RESELLERS 4
#define MAKE_MEMBERS 4 /* account 0 of an organisation pays, the others use */

struct make_place {
	const char *country, *state, *city, *postal, *street, *company;
	const char *currency; /* what they pay in */
	bool europe;          /* sold by AWS_EUROPE */
	int tax;              /* per mille; 0: none */
	bool remitted;        /* by the operator: AWS_TAX_SHARE, not SELLER_TAX_SHARE */
};
extern const struct make_place make_places[];
extern const unsigned make_n_places;
extern const char *const make_currencies[];
#define MAKE_CURRENCIES 5
extern const char *const make_titles[];
extern const unsigned make_n_titles;
extern const char *const make_manufacturers[MAKE_MANUFACTURERS];
extern const char *const make_resellers[MAKE_RESELLERS];

struct make_world {
	const struct make_options *o;
	struct make_out *out;
	uint64_t seed;
	uint64_t sales; /* in all months */
	unsigned orgs;  /* organisations that buy */
	unsigned products;
	uint64_t seller;                     /* key of its account id */
	int64_t start[MAKE_MONTHS_MAX + 16]; /* of month i, seconds */
	int days[MAKE_MONTHS_MAX + 16];
	uint64_t events;
};

/* Role of a product: the seller's own, sold on from a manufacturer, or sold on by resellers. */
enum make_role { ROLE_OWN, ROLE_RESOLD, ROLE_MADE };
static inline enum make_role
make_product_role(unsigned product)
{
	return product % 5 == 3 ? ROLE_RESOLD : product % 5 == 4 ? ROLE_MADE : ROLE_OWN;
}

/* Keys of ids. */
uint64_t make_account(const struct make_world *w, unsigned org, unsigned member);
uint64_t make_manufacturer(const struct make_world *w, unsigned product);
uint64_t make_reseller(const struct make_world *w, unsigned n);
/* The address of the organisation's payer in a month; 0 is never given. */
uint64_t make_address(const struct make_world *w, unsigned org, int month);
unsigned make_orgs_in(const struct make_world *w, int month);    /* those that exist by then */
unsigned make_members(const struct make_world *w, unsigned org); /* accounts, payer included */
const struct make_place *make_place_of(const struct make_world *w, unsigned org);
void make_product_id(struct buf *b, const struct make_world *w, unsigned product);

void make_people_month(struct make_world *w, int month);  /* accounts and addresses */
void make_catalog_month(struct make_world *w, int month); /* products, offers, targets, mappings */

/* ---- sales ---- */

#define MAKE_USERS 3
#define MAKE_BILLS 8
#define MAKE_LINES 15
#define MAKE_LAG_MAX 6 /* months after its first invoice in which something of a sale happens */

enum make_change { CHANGE_NONE, CHANGE_SAME_DAY, CHANGE_NEXT_MONTH };
enum make_bill_kind { BILL_PLAIN, BILL_REFUND, BILL_TAX_REFUND, BILL_CREDIT, BILL_ADJUSTMENT };

struct make_sale {
	uint64_t h, index;
	int month, day; /* of the first invoice; day from 1 */
	unsigned org, product, n_users, user[MAKE_USERS];
	const struct make_place *place;
	unsigned currency, slot; /* slot: which of the month's two payouts */
	enum make_role role;
	int64_t price; /* of each end user, units of 10^-8 */
	bool late, taken_back, moved, forgiven;
	enum make_change change;
	unsigned n_flex;
	int collect; /* months until paid, -1: never */
	bool parts;  /* paid in two months */
};

struct make_bill {
	unsigned no;
	enum make_bill_kind kind;
	int lag;      /* months after the sale's month */
	int num, den; /* part of the sale's amounts */
	int collect;  /* months after the sale's month, -1: never */
};

struct make_line {
	const char *type;
	uint64_t from, to, user; /* keys of account ids; to 0: AWS */
	unsigned no;             /* of the end user */
	int64_t amount, base;    /* base: what a tax is of */
	bool impacting, tax, from_payer;
	bool no_product;
};

uint64_t make_sales_before(const struct make_world *w, int month);
void make_sale(const struct make_world *w, int month, uint64_t index, struct make_sale *s);
unsigned make_bills(const struct make_sale *s, struct make_bill bills[MAKE_BILLS]);
/* `wrong`: as first recorded, before the correction. */
unsigned make_lines(const struct make_world *w, const struct make_sale *s,
    const struct make_bill *b, bool wrong, struct make_line lines[MAKE_LINES]);

enum make_event {
	EVENT_INVOICED,
	EVENT_FORGIVEN,
	EVENT_PAID,
	EVENT_PAID_REST,
	EVENT_PAID_AGAIN,
	EVENT_PAID_REST_AGAIN
};
uint64_t make_event_key(const struct make_world *w, const struct make_sale *s,
    const struct make_bill *b, unsigned line, enum make_event e);
int64_t make_bill_time(
    const struct make_world *w, const struct make_sale *s, const struct make_bill *b);

/* Writes one day of a month: what is invoiced, refunded, corrected, and so on. */
struct make_cursor {
	uint64_t at[MAKE_LAG_MAX + 1]; /* next sale of the month `lag` months before */
};
void make_events_day(struct make_world *w, int month, int day, struct make_cursor *c);

/* One DISBURSED row; `payout` is the key of the DISBURSEMENT. */
struct make_payment {
	uint64_t payout;
	int64_t time;
	enum make_event event;
	int64_t amount;
};
void make_paid_row(struct make_world *w, const struct make_sale *s, const struct make_bill *b,
    const struct make_line *l, unsigned line, const struct make_payment *p);

/* The payouts of a month, on their days. */
struct make_payouts {
	make_money total[2][MAKE_CURRENCIES][2]; /* slot, currency, Europe */
};
void make_payouts_day(struct make_world *w, int month, int day, struct make_payouts *p);

#endif
