/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Explaining a line: a sink that prints nothing but the lines that are asked for, each with the billing
 * events behind it (file and line of the row) and how its amounts come about.
 */
#ifndef SOUK_FEEDS_REPORT_EXPLAIN_H
#define SOUK_FEEDS_REPORT_EXPLAIN_H

#include "base/io.h"
#include "feeds/report.h"

/*
 * `keys`: "COLUMN=VALUE", or a value that some cell has; a line must match all. Text for people, or JSON, an object
 * a line: {"line":{column:value},"events":[{file,line,billingEventId,invoiceDate,action,type,amount,adds,columns}],
 * "amounts":[{column,value,exact}]}. `keys` and `to` must outlive the sink. NULL when out of memory.
 */
struct report_sink *report_explain_sink(
    const char *const *keys, size_t n_keys, bool json, struct sink *to);
uint64_t report_explain_found(const struct report_sink *s); /* lines that matched */
void report_explain_free(struct report_sink *s);

#endif
