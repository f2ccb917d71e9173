/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of the REST API, and docs/openapi.yaml beside them: a row without a
 * permission, with a body nobody bounds, or that nobody documented must not get far.
 */
#include "edsp/kept_plan.h"
#include "server/rest.h"

#include "check.h"
#include "server/families.h"

#include <stdio.h>
#include <stdlib.h>

static const struct op *
each_op(size_t i)
{
	for (size_t t = 0; t < REST_TABLES; t++) {
		if (i < rest_tables[t]->n)
			return &rest_tables[t]->ops[i];
		i -= rest_tables[t]->n;
	}
	return NULL;
}

static void
rows_are_consistent(void **state)
{
	static const unsigned ways = OP_READ | OP_WRITE | OP_NO_DB;
	const struct op *op;

	(void)state;
	for (size_t i = 0; (op = each_op(i)); i++) {
		bool get = strcmp(op->method, "GET") == 0;

		if (strncmp(op->pattern, "/api/v1/", 8) != 0 || !op->run)
			fail_msg("%s %s", op->method, op->pattern);
		/* Nothing in this API is public, and every permission is a word of a service. */
		if ((op->flags & OP_PUBLIC) || !op->action || !strchr(op->action, ':'))
			fail_msg("%s %s: action", op->method, op->pattern);
		if (__builtin_popcount(op->flags & ways) != 1)
			fail_msg("%s %s: one of read, write, no database", op->method, op->pattern);
		/* Plans of many rules are the one thing that is large. */
		bool plan = strstr(op->pattern, "/commission-plan") != NULL;

		if ((op->body_cap == 0) != ((op->flags & OP_NO_BODY) != 0) ||
		    op->body_cap > (plan ? KEPT_PLAN_BYTES : (size_t)1 << 20))
			fail_msg("%s %s: body", op->method, op->pattern);
		if (get && (op->flags & (OP_WRITE | OP_IDEMPOTENT)))
			fail_msg("%s %s: a GET that writes", op->method, op->pattern);
		if ((op->flags & OP_IDEMPOTENT) && strcmp(op->method, "POST") != 0)
			fail_msg(
			    "%s %s: key on what is idempotent anyway", op->method, op->pattern);
		if (op->body_cap > 0 && !op->parse)
			fail_msg("%s %s: a body that nobody parses", op->method, op->pattern);
		if ((op->flags & OP_AUDIT) && !(op->flags & OP_READ))
			fail_msg("%s %s: audited reads are reads", op->method, op->pattern);
		if ((op->flags & OP_AUDIT_ABSENT) && !(op->flags & OP_AUDIT))
			fail_msg("%s %s: audited when absent, but not when there", op->method,
			    op->pattern);
	}
}

static void
no_two_rows_are_for_one_request(void **state)
{
	const struct op *a, *b;

	(void)state;
	for (size_t i = 0; (a = each_op(i)); i++)
		for (size_t j = i + 1; (b = each_op(j)); j++)
			if (strcmp(a->method, b->method) == 0 &&
			    strcmp(a->pattern, b->pattern) == 0)
				fail_msg("%s %s", a->method, a->pattern);
}

static void
contacts_are_read_audited_only(void **state)
{
	const struct op *op;
	unsigned n = 0;

	(void)state;
	for (size_t i = 0; (op = each_op(i)); i++)
		if (strcmp(op->action, "psc:ReadContacts") == 0 ||
		    strcmp(op->action, "psc:SearchContacts") == 0) {
			n++;
			if (!(op->flags & OP_AUDIT))
				fail_msg("%s %s", op->method, op->pattern);
		}
	assert_int_equal(n, 3);
}

/*
 * "GET /whoami\n" for every method of every path of docs/openapi.yaml, with " key" behind
 * it where it honours Idempotency-Key.
 */
static struct buf
documented_routes(void)
{
	static const char *const methods[] = { "get", "post", "put", "patch", "delete" };
	struct buf text = { 0 }, out = { 0 };
	struct str rest, line, path = STR("");
	struct fail f = { .err = SOUK_OK };

	assert_int_equal(
	    io_read_file(SOUK_SOURCE "/docs/openapi.yaml", (size_t)4 << 20, &text, &f), SOUK_OK);
	rest = buf_str(&text);
	while (str_split(&rest, '\n', &line)) {
		if (str_starts(line, STR("components:")))
			break;
		if (str_starts(line, STR("  /")) && str_ends(line, STR(":")))
			path = (struct str){ line.p + 2, line.n - 3 };
		if (str_ends(line, STR("/IdempotencyKey'"))) {
			out.n--; /* the line's end */
			buf_add_c(&out, " key\n");
		}
		for (size_t i = 0; i < COUNT(methods); i++) {
			char want[16];
			int n = snprintf(want, sizeof(want), "    %s:", methods[i]);

			if (line.n != (size_t)n || memcmp(line.p, want, line.n) != 0)
				continue;
			for (const char *m = methods[i]; *m; m++)
				buf_add_char(&out, (char)(*m - 'a' + 'A'));
			buf_add_char(&out, ' ');
			buf_add_str(&out, path);
			buf_add_char(&out, '\n');
		}
	}
	buf_done(&text);
	return out;
}

static void
every_row_is_documented_and_nothing_else_is(void **state)
{
	struct buf routes = documented_routes();
	const struct op *op;
	size_t documented = 0, rows = 0;

	(void)state;
	for (size_t i = 0; i < routes.n; i++)
		documented += routes.p[i] == '\n';
	for (; (op = each_op(rows)); rows++) {
		char want[200];

		(void)snprintf(want, sizeof(want), "%s %s%s\n", op->method,
		    op->pattern + sizeof("/api/v1") - 1, op->flags & OP_IDEMPOTENT ? " key" : "");
		if (!strstr(routes.p, want))
			fail_msg("not in docs/openapi.yaml: %s", want);
	}
	assert_int_equal(documented, rows);
	buf_done(&routes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_consistent),
		cmocka_unit_test(no_two_rows_are_for_one_request),
		cmocka_unit_test(contacts_are_read_audited_only),
		cmocka_unit_test(every_row_is_documented_and_nothing_else_is),
	};

	return cmocka_run_group_tests_name("server.routes", tests, NULL, NULL);
}
