/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One error enum for the whole program, and the words that go with it.
 *
 * The code decides what happens next (HTTP status, exit status, retry or
 * not); the words are for the person who has to mend it. Words are written by
 * us and never quote input: personal data must not reach an error text.
 */
#ifndef SOUK_BASE_ERROR_H
#define SOUK_BASE_ERROR_H

#include <stddef.h>

#define SOUK_MUST __attribute__((warn_unused_result))
#define SOUK_PRINTF(f, a) __attribute__((format(printf, f, a)))

enum souk_err {
	SOUK_OK = 0,
	SOUK_E_INTERNAL, /* a bug of ours, or a library that failed without a reason */
	SOUK_E_NOMEM,
	SOUK_E_INVALID,         /* the input is wrong: names the field and the fix */
	SOUK_E_UNAUTHENTICATED, /* we do not know who is calling */
	SOUK_E_DENIED,          /* we know, and the caller may not */
	SOUK_E_NOT_FOUND,       /* absent, or somebody else's: the two look alike */
	SOUK_E_CONFLICT,        /* the state does not allow it (sixth contact, ended, duplicate) */
	SOUK_E_PRECONDITION,    /* If-Match did not match: a lost update refused */
	SOUK_E_LIMIT,           /* too large, too many, too fast */
	SOUK_E_UNAVAILABLE,     /* try again later: busy, full, peer away */
	SOUK_E_STORAGE,         /* disk or database failed; nothing was kept */
	SOUK_E_UNCERTAIN,       /* a commit may or may not have happened: never auto-retry */
	SOUK_E__COUNT
};

/* A stable lower-case word for a code, e.g. "not_found"; never NULL. */
const char *souk_err_word(enum souk_err err);

#define FAIL_ENTRIES_MAX 16

/* One offending field: "emailAddress", "is not a usable address", "give one like a@b.example". */
struct fail_entry {
	char field[80]; /* member, column, option or JSON pointer */
	char what[160]; /* what is wrong with it */
	char fix[160];  /* what to do about it */
};

/*
 * Why a call failed. The caller owns it (usually on the stack, zeroed) and
 * passes it down; a callee fills it at most once per failure. A callee that
 * fails always sets `err`; NULL may be passed by who does not want the words.
 */
struct fail {
	enum souk_err err;
	const char *code; /* stable word for programs, static storage, e.g. "contact_limit" */
	char detail[256]; /* one sentence for people */
	size_t n;         /* offending fields kept (later ones are counted, not kept) */
	size_t n_total;
	struct fail_entry entry[FAIL_ENTRIES_MAX];
};

/* Sets err, code and the sentence; keeps the entries. Returns `err`. `f` may be NULL. */
enum souk_err fail_set(struct fail *f, enum souk_err err, const char *code, const char *fmt, ...)
    SOUK_PRINTF(4, 5);

/*
 * Adds an offending field and makes the failure SOUK_E_INVALID with code
 * "invalid_field" unless an error was set before. Returns SOUK_E_INVALID.
 */
enum souk_err fail_field(struct fail *f, const char *field, const char *what, const char *fix);

/* Writes "FIELD: what; fix" (first entry) or the sentence, for stderr: `souk: ` comes from the caller. */
void fail_line(const struct fail *f, char *out, size_t out_size);

#endif
