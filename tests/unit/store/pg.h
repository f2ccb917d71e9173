/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the tests of the PostgreSQL engine itself: a database of its own on the server that SOUK_TEST_DATABASE and
 * SOUK_TEST_POSTGRES (the server's directory, tests/services/postgres) name, and what a superuser does to it.
 */
#ifndef SOUK_TESTS_STORE_PG_H
#define SOUK_TESTS_STORE_PG_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

struct pg_place {
	char name[32];   /* of the database */
	char url[1024];  /* of its owner */
	char root[1024]; /* of the superuser */
};

/* cmocka's set-up and tear-down: an empty database, gone afterwards with whoever is connected. */
int pg_set_up(void **state);
int pg_tear_down(void **state);

/* The address with "&words" behind. Valid until the next call. */
const char *pg_with(const char *url, const char *words);
/* A connection; fails the test when there is none. */
PGconn *pg_session(const char *url);
/* Runs texts of which each must work. */
void pg_do(PGconn *c, const char *sql);
/* The one number that a text gives. */
int64_t pg_number(PGconn *c, const char *sql);
/* Waits until the text gives this number; fails the test after ten seconds. */
void pg_until(PGconn *c, const char *sql, int64_t want);

#endif
