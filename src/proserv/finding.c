/* SPDX-License-Identifier: Apache-2.0 */
/* Findings: keeping and writing them; see finding.h. */
#include "proserv/finding.h"

#include "proserv/waiver.h"

void
findings_init(struct findings *f, struct arena *a)
{
	*f = (struct findings){ .a = a };
}

bool
findings_block(const struct findings *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].severity == SEVERITY_ERROR && f->v[i].waiver == NULL)
			return true;
	return false;
}

static void
waiver_json(struct jw *w, const struct waiver *x)
{
	char until[DAY_TEXT_LEN + 1];

	day_write(x->until, until);
	jw_open(w, "waived", '{');
	jw_str(w, "owner", x->owner);
	jw_str(w, "reason", x->reason);
	jw_c(w, "until", until);
	jw_close(w, '}');
}

void
finding_json(struct jw *w, const struct finding *f, struct str file, struct str listing_id)
{
	jw_open(w, NULL, '{');
	jw_str_opt(w, "file", file);
	jw_str(w, "listing", listing_id);
	jw_c(w, "rule", f->rule->id);
	jw_c(w, "severity", severity_letter(f->severity));
	jw_c(w, "kind", finding_kind_word(f->kind));
	jw_str(w, "pointer", f->pointer);
	jw_str(w, "message", f->message);
	jw_str(w, "evidence", f->evidence);
	jw_c(w, "hint", f->hint);
	if (f->waiver != NULL)
		waiver_json(w, f->waiver);
	jw_close(w, '}');
}
