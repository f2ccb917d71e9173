/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each engine's catalog says of keys and references, in the same columns:
 *
 *   tables       name
 *   keys         table, key, is the primary key, has seller_id among its columns; unique ones only
 *   references   table, table referred to, pairs seller_id with seller_id
 */
#ifndef SOUK_TESTS_STORE_CATALOG_H
#define SOUK_TESTS_STORE_CATALOG_H

enum { CATALOG_TABLES, CATALOG_KEYS, CATALOG_REFERENCES, CATALOG_TEXTS };

#define CATALOG_SQLITE                                                                             \
	{                                                                                          \
		[CATALOG_TABLES] = "SELECT name FROM sqlite_schema WHERE type = 'table'"           \
				   " AND name NOT LIKE 'sqlite_%'",                                \
		[CATALOG_KEYS] =                                                                   \
		    "SELECT t.name, i.name, i.origin = 'pk', EXISTS (SELECT 1"                     \
		    " FROM pragma_index_info(i.name) AS c WHERE c.name = 'seller_id')"             \
		    " FROM sqlite_schema AS t JOIN pragma_index_list(t.name) AS i"                 \
		    " WHERE t.type = 'table' AND i.\"unique\" = 1",                                \
		[CATALOG_REFERENCES] =                                                             \
		    "SELECT t.name, f.\"table\","                                                  \
		    " max(coalesce(f.\"from\" = 'seller_id' AND f.\"to\" = 'seller_id', 0))"       \
		    " FROM sqlite_schema AS t JOIN pragma_foreign_key_list(t.name) AS f"           \
		    " WHERE t.type = 'table' GROUP BY t.name, f.id",                               \
	}

/* Of the schema that an unqualified CREATE TABLE goes to; shards are hidden or none of ours. */
#define CATALOG_POSTGRESQL                                                                         \
	{                                                                                          \
		[CATALOG_TABLES] = "SELECT t.relname::text FROM pg_class AS t"                     \
				   " JOIN pg_namespace AS n ON n.oid = t.relnamespace"             \
				   " WHERE n.nspname = current_schema() AND t.relkind = 'r'",      \
		[CATALOG_KEYS] =                                                                   \
		    "SELECT t.relname::text, i.relname::text, x.indisprimary::int::bigint,"        \
		    " (EXISTS (SELECT 1 FROM pg_attribute AS a WHERE a.attrelid = x.indexrelid"    \
		    " AND a.attnum <= x.indnkeyatts AND a.attname = 'seller_id'))::int::bigint"    \
		    " FROM pg_index AS x JOIN pg_class AS t ON t.oid = x.indrelid"                 \
		    " JOIN pg_class AS i ON i.oid = x.indexrelid"                                  \
		    " JOIN pg_namespace AS n ON n.oid = t.relnamespace"                            \
		    " WHERE n.nspname = current_schema() AND x.indisunique",                       \
		[CATALOG_REFERENCES] =                                                             \
		    "SELECT t.relname::text, r.relname::text, (EXISTS (SELECT 1"                   \
		    " FROM unnest(k.conkey, k.confkey) AS p (f, t)"                                \
		    " JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = p.f"        \
		    " JOIN pg_attribute AS b ON b.attrelid = k.confrelid AND b.attnum = p.t"       \
		    " WHERE a.attname = 'seller_id' AND b.attname = 'seller_id'))::int::bigint"    \
		    " FROM pg_constraint AS k JOIN pg_class AS t ON t.oid = k.conrelid"            \
		    " JOIN pg_class AS r ON r.oid = k.confrelid"                                   \
		    " JOIN pg_namespace AS n ON n.oid = t.relnamespace"                            \
		    " WHERE n.nspname = current_schema() AND k.contype = 'f'",                     \
	}

#endif
