/* SPDX-License-Identifier: Apache-2.0 */
/* Statements on fetched logos; see logo_store.h. */
#include "proserv/logo_store.h"

#define ROW                                                                                        \
	"g.seller_id, g.product_id, g.change_set_id, g.url, g.digest, g.bytes, g.format, g.width," \
	" g.height, g.frames, g.damaged, g.trouble, g.ground, g.colour, g.hash, g.fetched_at"

#define SHOWN                                                                                      \
	"g.seller_id, g.product_id, g.hash,"                                                       \
	" CASE WHEN l.removed_at IS NULL AND p.state <> 'draft' THEN 1 ELSE 0 END"
#define OF_LISTING                                                                                 \
	" JOIN listing l ON l.seller_id = g.seller_id AND l.product_id = g.product_id"             \
	" JOIN product p ON p.seller_id = g.seller_id AND p.product_id = g.product_id"

#define LOGO_SQL(X)                                                                                \
	X(Q_PUT, "INSERT INTO listing_logo (seller_id, product_id, change_set_id, url, digest,"    \
		 " bytes, format, width, height, frames, damaged, trouble, ground, colour, hash,"  \
		 " fetched_at, changed_at, in_force) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9,"  \
		 " $10, $11, $12, $13, $14, $15, $16, $16, 0)")                                    \
	X(Q_DROP, "DELETE FROM listing_logo WHERE seller_id = $1 AND product_id = $2"              \
		  " AND change_set_id = $3 AND in_force = 0")                                      \
	X(Q_OF_SET, "SELECT " ROW " FROM listing_logo g WHERE g.seller_id = $1"                    \
		    " AND g.product_id = $2 AND g.change_set_id = $3")                             \
	X(Q_IN_FORCE, "SELECT " ROW " FROM listing_logo g WHERE g.seller_id = $1"                  \
		      " AND g.product_id = $2 AND g.in_force = 1")                                 \
	X(Q_OUT_OF_FORCE,                                                                          \
	    "DELETE FROM listing_logo WHERE seller_id = $1 AND in_force = 1 AND product_id IN"     \
	    " (SELECT product_id FROM listing_logo WHERE seller_id = $1 AND change_set_id = $2"    \
	    " AND in_force = 0)")                                                                  \
	X(Q_ENFORCE, "UPDATE listing_logo SET in_force = 1, changed_at = $1"                       \
		     " WHERE seller_id = $2 AND change_set_id = $3")                               \
	X(Q_FORGET, "DELETE FROM listing_logo"                                                     \
		    " WHERE seller_id = $1 AND change_set_id = $2 AND in_force = 0")               \
	/* fan-out: everybody's, for who reviews them */                                           \
	X(Q_DUE, "SELECT " ROW " FROM (SELECT seller_id, product_id FROM listing_review"           \
		 " WHERE due_at IS NOT NULL AND due_at <= $1 ORDER BY due_at, product_id LIMIT $2" \
		 ") d JOIN listing_logo g ON g.seller_id = d.seller_id"                            \
		 " AND g.product_id = d.product_id AND g.in_force = 1")                            \
	X(Q_TOUCH, "UPDATE listing_logo SET changed_at = $1"                                       \
		   " WHERE seller_id = $2 AND product_id = $3 AND in_force = 1")                   \
	/* fan-out: a logo is compared with those of all sellers */                                \
	X(Q_CHANGED, "SELECT " SHOWN " FROM listing_logo g" OF_LISTING                             \
		     " WHERE g.in_force = 1 AND g.changed_at > $1 UNION ALL SELECT " SHOWN         \
		     " FROM product c JOIN listing_logo g ON g.seller_id = c.seller_id"            \
		     " AND g.product_id = c.product_id" OF_LISTING                                 \
		     " WHERE c.changed_at > $1 AND g.in_force = 1 AND g.changed_at + 0 <= $1")

enum logo_q {
#define X(id, sql) id,
	LOGO_SQL(X)
#undef X
	    Q__COUNT
};

static const char *const sql_texts[Q__COUNT] = {
#define X(id, sql) [id] = sql,
	LOGO_SQL(X)
#undef X
};

struct db_texts logo_texts = { .component = "logo", .sql = sql_texts, .n = Q__COUNT };

static const char *const formats[] = {
	[LOGO_OTHER] = "", [LOGO_PNG] = "PNG", [LOGO_JPEG] = "JPG", [LOGO_GIF] = "GIF"
};
static const char *const grounds[] = { [GROUND_UNKNOWN] = "",
	[GROUND_WHITE] = "white",
	[GROUND_TRANSPARENT] = "transparent",
	[GROUND_COLOURED] = "coloured" };

static struct db_stmt *
of_set(struct db_tx *tx, enum logo_q q, struct str seller_id, const struct guid *change_set_id)
{
	struct db_stmt *st = db_stmt(tx, &logo_texts, q);

	db_bind_text(st, 1, seller_id);
	db_bind_guid(st, 2, change_set_id);
	return st;
}

static struct db_stmt *
of_product(struct db_tx *tx, enum logo_q q, struct str seller_id, const struct guid *product_id,
    const struct guid *change_set_id)
{
	struct db_stmt *st = of_set(tx, q, seller_id, product_id);

	if (change_set_id)
		db_bind_guid(st, 3, change_set_id);
	return st;
}

enum souk_err
logo_row_put(struct db_tx *tx, const struct logo_row *l)
{
	const struct logo_facts *x = &l->facts;
	bool looked = x->trouble == NULL;
	char hash[LOGO_HASH_TEXT + 1] = "";
	struct db_stmt *st;
	enum souk_err r = db_run(
	    of_product(tx, Q_DROP, str_c(l->seller_id), &l->product_id, &l->change_set_id), NULL);

	if (r != SOUK_OK)
		return r;
	if (looked && !x->blank)
		logo_hash_write(&x->hash, hash);
	st = of_product(tx, Q_PUT, str_c(l->seller_id), &l->product_id, &l->change_set_id);
	db_bind_text(st, 4, l->url);
	db_bind_blob(st, 5, l->digest, SHA256_LEN);
	db_bind_int(st, 6, (int64_t)x->bytes);
	db_bind_c(st, 7, formats[x->format]);
	db_bind_int(st, 8, x->width);
	db_bind_int(st, 9, x->height);
	db_bind_int(st, 10, x->frames);
	db_bind_int(st, 11, x->damaged);
	db_bind_c(st, 12, looked ? "" : x->trouble);
	db_bind_c(st, 13, looked ? grounds[x->ground] : "");
	db_bind_int(st, 14, looked ? x->colour[0] << 16 | x->colour[1] << 8 | x->colour[2] : 0);
	db_bind_c(st, 15, hash);
	db_bind_int(st, 16, l->fetched_at);
	return db_run(st, NULL);
}

static unsigned
word_of(struct str s, const char *const *words, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (str_eq_c(s, words[i]))
			return i;
	return 0;
}

void
logo_row(struct db_stmt *st, struct logo_row *ret)
{
	struct str seller = db_text(st, 0), digest = db_blob(st, 4);
	unsigned colour = (unsigned)db_int(st, 13);
	struct logo_facts *x = &ret->facts;

	*ret = (struct logo_row){ .product_id = db_guid(st, 1),
		.change_set_id = db_guid(st, 2),
		.url = db_text(st, 3),
		.facts = { .bytes = (size_t)db_int(st, 5),
		    .format = (enum logo_format)word_of(db_text(st, 6), formats, 4),
		    .width = (unsigned)db_int(st, 7),
		    .height = (unsigned)db_int(st, 8),
		    .frames = (unsigned)db_int(st, 9),
		    .damaged = db_int(st, 10) != 0,
		    .ground = (enum logo_ground)word_of(db_text(st, 12), grounds, 4),
		    .colour = { (unsigned char)(colour >> 16), (unsigned char)(colour >> 8),
			(unsigned char)colour } },
		.trouble = db_text(st, 11),
		.fetched_at = db_int(st, 15) };
	if (seller.n == ACCOUNT_ID_LEN)
		memcpy(ret->seller_id, seller.p, seller.n);
	if (digest.n == SHA256_LEN)
		memcpy(ret->digest, digest.p, digest.n);
	x->blank = !logo_hash_read(db_text(st, 14), &x->hash);
}

enum souk_err
logo_row_keep(struct logo_row *io, struct arena *mem)
{
	char *trouble = arena_strndup(mem, io->trouble.p, io->trouble.n);

	io->url = arena_str(mem, io->url);
	if (trouble == NULL)
		return SOUK_E_NOMEM;
	io->trouble = str_c(trouble);
	io->facts.trouble = io->trouble.n > 0 ? trouble : NULL;
	return io->url.p != NULL ? SOUK_OK : SOUK_E_NOMEM;
}

enum souk_err
logo_row_find(struct db_tx *tx, struct str seller_id, const struct guid *product_id,
    const struct guid *change_set_id, struct arena *mem, struct logo_row *ret)
{
	struct db_stmt *st = of_product(
	    tx, change_set_id ? Q_OF_SET : Q_IN_FORCE, seller_id, product_id, change_set_id);
	enum souk_err r = db_one(st);

	if (r == SOUK_OK) {
		logo_row(st, ret);
		r = logo_row_keep(ret, mem);
	}
	db_reset(st);
	return r;
}

static enum souk_err
changed(struct db_tx *tx, enum logo_q q, struct str seller_id, const struct guid *of)
{
	struct db_stmt *st = db_stmt(tx, &logo_texts, q);

	db_bind_int(st, 1, db_now(tx));
	db_bind_text(st, 2, seller_id);
	db_bind_guid(st, 3, of);
	return db_run(st, NULL);
}

enum souk_err
logo_rows_enforce(struct db_tx *tx, struct str seller_id, const struct guid *change_set_id)
{
	enum souk_err r = db_run(of_set(tx, Q_OUT_OF_FORCE, seller_id, change_set_id), NULL);

	return r == SOUK_OK ? changed(tx, Q_ENFORCE, seller_id, change_set_id) : r;
}

enum souk_err
logo_rows_forget(struct db_tx *tx, struct str seller_id, const struct guid *change_set_id)
{
	return db_run(of_set(tx, Q_FORGET, seller_id, change_set_id), NULL);
}

struct db_stmt *
logo_rows_due(struct db_tx *tx, instant_t now, size_t limit)
{
	struct db_stmt *st = db_stmt(tx, &logo_texts, Q_DUE);

	db_bind_int(st, 1, now);
	db_bind_int(st, 2, (int64_t)limit);
	return st;
}

enum souk_err
logo_row_touch(struct db_tx *tx, struct str seller_id, const struct guid *product_id)
{
	return changed(tx, Q_TOUCH, seller_id, product_id);
}

/* By the index of products' changes: without + 0 all logos would be read by that of their own. */
struct db_stmt *
logo_rows_changed(struct db_tx *tx, instant_t since)
{
	struct db_stmt *st = db_scan(tx, &logo_texts, Q_CHANGED);

	db_bind_int(st, 1, since);
	return st;
}
