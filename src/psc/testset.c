/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The static test data set (specs/psc.md 10): what a seller's importer has to cope with,
 * before any real buyer's data reach it.
 *
 * One record per trap: a create with all fields, one with only the required ones, quotes
 * and commas, letters beyond ASCII, leading zeroes in account and ZIP, an update, deletes
 * of contacts never seen, text that a spreadsheet would take for a formula. Nobody's data: example domains, 555 numbers.
 */
#include "psc/export.h"

#include "psc/export_row.h"

#define PRODUCT_A "5f3e2d1c-8a7b-4c6d-9e0f-1a2b3c4d5e6f,4t7mzn2k9qh1xw5c8v3bdr6pj"
#define PRODUCT_B "c0ffee00-1234-4abc-8def-0123456789ab,a1b2c3d4e5f6g7h8i9j0k1l2m"

static const struct str rows[] = {
	STR(PRODUCT_A
	    ",11111111-aaaa-4111-8111-000000000001,21111111-bbbb-4111-8111-000000000001,"
	    "2026-01-01T00:00:00.000Z,Example Corp,000000000042,Jane,Roe,+1 206 555 0100,"
	    "jane.roe@example.com,Support Lead,US,02201,2026-01-05T08:30:00.001Z,CREATE\r\n"),
	STR(PRODUCT_A ",11111111-aaaa-4111-8111-000000000002,21111111-bbbb-4111-8111-000000000001,"
		      "2026-01-01T00:00:00.000Z,Example Corp,000000000042,Richard,Miles,555-0101,"
		      "richard@example.com,,,,2026-01-05T08:31:12.250Z,CREATE\r\n"),
	STR(PRODUCT_B ",11111111-aaaa-4111-8111-000000000003,21111111-bbbb-4111-8111-000000000002,"
		      "2026-01-10T00:00:00.000Z,\"Quotes \"\"R\"\" Us, Inc.\",123456789012,"
		      "\"Martha, Dr.\",O'Neil,+44 20 5550 102 ext 7,"
		      "martha.oneil@example.org,\"Manager, \"\"Tier 1\"\"\",GB,,"
		      "2026-01-12T23:59:59.999Z,CREATE\r\n"),
	STR(PRODUCT_A ",11111111-aaaa-4111-8111-000000000004,21111111-bbbb-4111-8111-000000000003,"
		      "2025-12-15T00:00:00.000Z,Übergrößen 株式会社,001002003004,José,Núñez-Åström,"
		      "+34 955 550 103,jose@example.net,Jefe de sección,ES,,"
		      "2026-02-01T00:00:00.000Z,UPDATE\r\n"),
	STR(PRODUCT_A
	    ",11111111-aaaa-4111-8111-000000000005,21111111-bbbb-4111-8111-000000000001,"
	    "2026-01-01T00:00:00.000Z,,000000000042,,,,,,,,2026-02-02T10:00:00.000Z,DELETE\r\n"),
	STR(PRODUCT_B ",11111111-aaaa-4111-8111-000000000006,21111111-bbbb-4111-8111-000000000004,"
		      "2026-01-20T00:00:00.000Z,=Sum Example Ltd,999999999999,+Anna,-Smith,"
		      "(425) 555-0104,\"\"\"anna smith\"\"@example.com\",@Desk,US,00501,"
		      "2026-02-03T12:00:00.100Z,CREATE\r\n"),
	STR(PRODUCT_B
	    ",11111111-aaaa-4111-8111-000000000007,21111111-bbbb-4111-8111-000000000004,"
	    "2026-01-20T00:00:00.000Z,,999999999999,,,,,,,,2026-02-04T00:00:00.000Z,DELETE\r\n"),
};

enum souk_err
psc_test_set_write(struct sink *out, struct psc_export_stats *ret)
{
	enum souk_err err = out->write(out, export_header.p, export_header.n);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && err == SOUK_OK; i++)
		err = out->write(out, rows[i].p, rows[i].n);
	if (err != SOUK_OK)
		return err;
	*ret = (struct psc_export_stats){ .rows_create = 4, .rows_update = 1, .rows_delete = 2 };
	return SOUK_OK;
}
