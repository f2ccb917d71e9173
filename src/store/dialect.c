/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One SQL text, two engines: what differs is a word in braces.
 *
 * PostgreSQL sorts TEXT by the database's locale unless told otherwise; cursors, lists and
 * ranges need the order of bytes, which is the only one SQLite has. So there TEXT of a
 * migration gets a collation.
 */
#include "store/engine.h"

struct word {
	const char *word, *meaning[2]; /* by enum dialect */
};

static const struct word words[] = {
	/* migrations */
	{ "{guid}", { "BLOB", "BYTEA" } },
	{ "{blob}", { "BLOB", "BYTEA" } },
	{ "{text}", { "TEXT", "TEXT COLLATE \"C\"" } },
	{ "{clustered}", { "WITHOUT ROWID", "" } },
	{ "{hot}", { "", "WITH (fillfactor = 50)" } },
	{ "{of other chains}", { "WHERE chain > 0", "" } },
	/* statements */
	{ "{for update}", { "", "FOR UPDATE" } },
	{ "{for share}", { "", "FOR SHARE" } },
	{ "{skip locked}", { "", "FOR UPDATE SKIP LOCKED" } },
};

static const char *
meaning_of(enum dialect d, struct str word)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (str_eq_c(word, words[i].word))
			return words[i].meaning[d];
	return NULL;
}

enum souk_err
dialect_text(enum dialect d, const char *sql, struct buf *out)
{
	const char *p = sql, *open, *close, *meaning;

	while ((open = strchr(p, '{'))) {
		close = strchr(open, '}');
		meaning =
		    close ? meaning_of(d, (struct str){ open, (size_t)(close - open) + 1 }) : NULL;
		buf_add(out, p, (size_t)(open - p));
		if (meaning) {
			buf_add_c(out, meaning);
			p = close + 1;
		} else { /* a brace of the text itself, or a mistake that the engine will name */
			buf_add_char(out, '{');
			p = open + 1;
		}
	}
	buf_add_c(out, p);
	return buf_ok(out) ? SOUK_OK : SOUK_E_NOMEM;
}
