/* SPDX-License-Identifier: Apache-2.0 */
/* Statements on evidence for enrolment. No scope here: see enrol.c. */
#include "edsp/enrol_store.h"

#define ROW                                                                                        \
	"requirement, document, effective_on, terms_version, attests, given_by, given_at,"         \
	" decision, note, decided_by, decided_at"

#define ENROL_SQL(X)                                                                               \
	X(Q_PUT, "INSERT INTO enrolment_evidence (seller_id, program, requirement, document,"      \
		 " effective_on, terms_version, attests, given_by, given_at, decision, note,"      \
		 " decided_by, revision)"                                                          \
		 " VALUES ($1, 'edsp', $2, $3, $4, $5, $6, $7, $8, 'open', '', '', 1)"             \
		 " ON CONFLICT (seller_id, program, requirement) DO UPDATE SET"                    \
		 " document = excluded.document, effective_on = excluded.effective_on,"            \
		 " terms_version = excluded.terms_version, attests = excluded.attests,"            \
		 " given_by = excluded.given_by, given_at = excluded.given_at,"                    \
		 " decision = 'open', note = '', decided_by = '', decided_at = NULL,"              \
		 " revision = enrolment_evidence.revision + 1")                                    \
	X(Q_DECIDE, "UPDATE enrolment_evidence SET decision = $1, note = $2, decided_by = $3,"     \
		    " decided_at = $4, revision = revision + 1"                                    \
		    " WHERE seller_id = $5 AND program = 'edsp' AND requirement = $6")             \
	X(Q_ROWS,                                                                                  \
	    "SELECT " ROW " FROM enrolment_evidence WHERE seller_id = $1 AND program = 'edsp'")    \
	X(Q_PRODUCTS, "SELECT product_id, type, pricing FROM product"                              \
		      " WHERE seller_id = $1 AND state = 'public' ORDER BY product_id")            \
	X(Q_PARTICIPATES, "SELECT 1 FROM enrolment"                                                \
			  " WHERE seller_id = $1 AND program = 'edsp' AND state = 'enrolled'")

enum enrol_q {
#define X(id, sql) id,
	ENROL_SQL(X)
#undef X
	    Q__COUNT
};

static const char *const sql_texts[Q__COUNT] = {
#define X(id, sql) [id] = sql,
	ENROL_SQL(X)
#undef X
};

struct db_texts edsp_enrol_texts = { .component = "edsp.enrol", .sql = sql_texts, .n = Q__COUNT };

static const char *const names[EDSP_REQUIREMENTS] = {
	[EDSP_R1] = "EDSP-R1",
	[EDSP_R2] = "EDSP-R2",
	[EDSP_R3] = "EDSP-R3",
	[EDSP_R4] = "EDSP-R4",
	[EDSP_R5] = "EDSP-R5",
};

static const char *const decisions[] = {
	[EVIDENCE_OPEN] = "open",
	[EVIDENCE_ACCEPTED] = "accepted",
	[EVIDENCE_REFUSED] = "refused",
};

bool
edsp_requirement_find(struct str name, enum edsp_requirement *ret)
{
	for (int q = 0; q < EDSP_REQUIREMENTS; q++)
		if (str_eq_c(name, names[q])) {
			*ret = (enum edsp_requirement)q;
			return true;
		}
	return false;
}

enum souk_err
evidence_put(struct db_tx *tx, struct str seller_id, const struct evidence_row *row)
{
	struct db_stmt *st = db_stmt(tx, &edsp_enrol_texts, Q_PUT);

	db_bind_text(st, 1, seller_id);
	db_bind_c(st, 2, names[row->requirement]);
	db_bind_text(st, 3, row->e.document);
	db_bind_text(st, 4, row->e.effective_on);
	db_bind_text(st, 5, row->e.terms_version);
	db_bind_text(st, 6, row->e.attests);
	db_bind_text(st, 7, row->given_by);
	db_bind_int(st, 8, row->given_at);
	return db_run(st, NULL);
}

enum souk_err
evidence_decide(
    struct db_tx *tx, struct str seller_id, const struct evidence_row *row, bool *ret_found)
{
	struct db_stmt *st = db_stmt(tx, &edsp_enrol_texts, Q_DECIDE);
	int64_t rows = 0;
	enum souk_err r;

	db_bind_c(st, 1, decisions[row->decision]);
	db_bind_text(st, 2, row->note);
	db_bind_text(st, 3, row->decided_by);
	db_bind_int(st, 4, row->decided_at);
	db_bind_text(st, 5, seller_id);
	db_bind_c(st, 6, names[row->requirement]);
	if ((r = db_run(st, &rows)) == SOUK_OK)
		*ret_found = rows > 0;
	return r;
}

struct db_stmt *
evidence_rows(struct db_tx *tx, struct str seller_id)
{
	struct db_stmt *st = db_stmt(tx, &edsp_enrol_texts, Q_ROWS);

	db_bind_text(st, 1, seller_id);
	return st;
}

bool
evidence_row(struct db_stmt *st, struct evidence_row *ret)
{
	struct str decision = db_text(st, 7);
	enum edsp_requirement q;

	if (!edsp_requirement_find(db_text(st, 0), &q))
		return false;
	*ret = (struct evidence_row){
		.requirement = q,
		.e = { .document = db_text(st, 1),
		    .effective_on = db_text(st, 2),
		    .terms_version = db_text(st, 3),
		    .attests = db_text(st, 4) },
		.given_by = db_text(st, 5),
		.given_at = db_int(st, 6),
		.decision = str_eq_c(decision, "accepted")  ? EVIDENCE_ACCEPTED
			    : str_eq_c(decision, "refused") ? EVIDENCE_REFUSED
							    : EVIDENCE_OPEN,
		.note = db_text(st, 8),
		.decided_by = db_text(st, 9),
		.decided_at = db_int(st, 10),
	};
	return true;
}

struct db_stmt *
enrol_products(struct db_tx *tx, struct str seller_id)
{
	struct db_stmt *st = db_scan(tx, &edsp_enrol_texts, Q_PRODUCTS);

	db_bind_text(st, 1, seller_id);
	return st;
}

void
enrol_product_row(struct db_stmt *st, struct enrol_product *ret)
{
	*ret = (struct enrol_product){
		.id = db_guid(st, 0), .type = db_text(st, 1), .pricing = db_text(st, 2)
	};
}

enum souk_err
enrol_store_participates(struct db_tx *tx, struct str seller_id, bool *ret)
{
	struct db_stmt *st = db_stmt(tx, &edsp_enrol_texts, Q_PARTICIPATES);
	enum souk_err r;

	db_bind_text(st, 1, seller_id);
	r = db_one(st);
	db_reset(st);
	if (r == SOUK_OK || r == SOUK_E_NOT_FOUND)
		*ret = r == SOUK_OK;
	return r == SOUK_E_NOT_FOUND ? SOUK_OK : r;
}
