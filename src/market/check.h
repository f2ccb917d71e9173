/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks of members that json_take has taken, for the _parse functions of this layer. Each
 * check writes its target only when the member is there and sound, and adds an entry to
 * the failure when it is there and not; so a parser runs them all and looks once at `err`.
 */
#ifndef SOUK_MARKET_CHECK_H
#define SOUK_MARKET_CHECK_H

#include "base/json.h"
#include "base/money.h"
#include "market/tenant.h"

struct check {
	struct fail *f;
	enum souk_err err; /* SOUK_E_INVALID once anything was wrong */
};

void check_fail(struct check *c, const char *field, const char *what, const char *fix);
/* Valid UTF-8 of min..max code points, no control characters, not blank when min > 0. null is "". */
void check_text(
    struct check *c, const struct json_member *m, size_t min, size_t max, struct str *io);
/* One of a list of words that ends with NULL: *io becomes the literal. */
void check_word(
    struct check *c, const struct json_member *m, const char *const *words, struct str *io);
/* Twelve digits; null is "". */
void check_account_id(
    struct check *c, const struct json_member *m, char io[static ACCOUNT_ID_LEN + 1]);
/* null is the zero GUID; the zero GUID itself is refused. */
void check_guid(struct check *c, const struct json_member *m, struct guid *io);
/* RFC 3339; null is 0. */
void check_instant(struct check *c, const struct json_member *m, instant_t *io);
/* `end` (0: open) comes after `start` (0: not known yet). */
void check_period(struct check *c, instant_t start, instant_t end);
/* A decimal amount as text ("12.50"), as money_parse has it. */
void check_money(struct check *c, const struct json_member *m, money_t *io);
/* An ISO 4217 code; io gets a NUL. currency_load must have succeeded. */
void check_currency(struct check *c, const struct json_member *m, char io[static 4]);
void check_bool(const struct json_member *m, bool *io);
/* A member that is given once and for all. */
void check_fixed(struct check *c, const char *field, bool same);

/* 0 writes null. */
void json_instant_opt(struct jw *out, const char *key, instant_t t);
/* "" writes null. */
void json_text_opt(struct jw *out, const char *key, struct str s);

/* SOUK_E_CONFLICT with a code word and the member to look at. */
enum souk_err fail_conflict(
    struct fail *f, const char *code, const char *field, const char *what, const char *fix);
/* SOUK_E_PRECONDITION "revision_mismatch": somebody else changed it since the caller read it. */
enum souk_err fail_revision(struct fail *f);
/* SOUK_E_NOT_FOUND in the same words for what is absent and for what is somebody else's. */
enum souk_err fail_not_found(struct fail *f);

/* The literal among `words` (ends with NULL) that equals `s`; p NULL when there is none. */
struct str word_find(const char *const *words, struct str s);

#endif
