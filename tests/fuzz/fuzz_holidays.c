/* SPDX-License-Identifier: Apache-2.0 */
/* iCalendar files: what comes out is ordered, within the window and bounded; what is refused is named. */
#include "base/holidays.h"
#include "base/utf8.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct holidays_window w = { .from = 20454, /* 2026-01-01 */
		.to = 20454 + 730,
		.zone = STR("America/New_York"),
		.open = 9 * 60,
		.close = 17 * 60 };
	struct arena *mem = arena_new(HOLIDAYS_ARENA);
	const struct holiday *h = NULL;
	struct fail f = { 0 };
	size_t days = 0;
	enum souk_err r;

	assert(mem != NULL);
	r = holidays_read((struct str){ (const char *)data, n }, &w, mem, &h, &days, &f);
	assert(r == SOUK_OK || r == SOUK_E_LIMIT || (r == SOUK_E_INVALID && f.n > 0));
	assert(days <= HOLIDAYS_MAX);
	for (size_t i = 0; i < days; i++) {
		assert(h[i].day >= w.from && h[i].day <= w.to);
		assert(i == 0 || h[i - 1].day < h[i].day);
		assert(utf8_valid(h[i].name) && !utf8_has_control(h[i].name));
		assert(utf8_length(h[i].name) <= HOLIDAY_NAME_MAX);
	}
	for (size_t i = 0; i < f.n; i++)
		assert(f.entry[i].what[0] != '\0' && f.entry[i].fix[0] != '\0');
	arena_free(mem);
	return 0;
}
