/* SPDX-License-Identifier: Apache-2.0 */
/* Plans and lines that tests make: texts live in the arena of the maker. */
#ifndef SOUK_TESTS_EDSP_MADE_H
#define SOUK_TESTS_EDSP_MADE_H

#include "edsp/locked.h"

#include "check.h"

struct made {
	struct arena *a;
	struct plan plan;
	struct plan_faults faults;
	struct territory_index *index;
	struct commission_line *lines;
	size_t n, cap;
	struct commission_run run;
};

/* Reads, checks and indexes; fails the test with the first fault when the plan is refused. */
void made_plan(struct made *m, const char *json);
/* Reads and checks only: *m holds the faults. */
enum souk_err made_refused(struct made *m, const char *json);
struct commission_line *made_line(
    struct made *m, const char *transaction, const char *day, const char *gross);
void made_compute(struct made *m);
void made_done(struct made *m);

money_t money(const char *text);
struct str keep(struct made *m, const char *text);
/* The fault at a pointer whose words contain `what`; fails the test when there is none. */
void assert_fault(const struct made *m, const char *at, const char *what);

/* A whole plan of the given parts (JSON lists, without the brackets). */
const char *plan_text(struct made *m, const char *representatives, const char *territories,
    const char *overlays, const char *rates);
#define FLAT                                                                                       \
	"{\"id\":\"flat\",\"revenue\":[\"hourly\",\"monthly\",\"annual\",\"metered\"],\"base\":"   \
	"\"gross\","                                                                               \
	"\"payOn\":\"billed\",\"percent\":\"10\",\"clawback\":[\"refunds\",\"credits\","           \
	"\"forgiven\"]}"
#define ANA "{\"id\":\"ana\",\"name\":\"Ana Example\"}"
#define BEN "{\"id\":\"ben\",\"name\":\"Ben Example\"}"
#define TO(who) "\"credits\":[{\"representative\":\"" who "\",\"percent\":100}]"

/* Pseudo-random, the same everywhere. */
struct dice {
	uint64_t state;
};
unsigned throw_dice(struct dice *d, unsigned n);
/*
 * A plan with splits, an overlay, tiers, an accelerator, a cap and a rate on disbursed funds; `order` shuffles the
 * rules of the file, 0: as they are.
 */
void made_world_plan(struct made *m, uint64_t order);
/* Lines of 2026-01 to 2026-04 with refunds, credits, forgiven charges and payouts. */
void made_world_lines(struct made *m, uint64_t seed, size_t n);

#endif
