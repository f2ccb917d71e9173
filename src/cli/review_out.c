/* SPDX-License-Identifier: Apache-2.0 */
/* The four forms of a review; see review_out.h. */
#include "cli/review_out.h"

#include "base/utf8.h"

#define SARIF_SCHEMA "https://json.schemastore.org/sarif-2.1.0.json"

void
add_visible(struct buf *out, struct str s)
{
	while (s.n > 0) {
		uint32_t c = 0;
		size_t n = utf8_next(s, &c);
		struct str one = { s.p, n > 0 ? n : 1 };
		bool hidden = utf8_has_control(one) || (c != ' ' && utf8_is_blank(one)) ||
			      (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);

		if (n == 0)
			buf_add_c(out, "\xef\xbf\xbd");
		else if (hidden)
			buf_printf(out, "\\u{%x}", (unsigned)c);
		else
			buf_add_str(out, one);
		s = (struct str){ s.p + one.n, s.n - one.n };
	}
}

void
review_count(struct review_counts *n, const struct review_piece *p)
{
	n->files++;
	n->unreadable += p->findings == NULL;
	for (size_t i = 0; p->findings != NULL && i < p->findings->n; i++) {
		const struct finding *f = &p->findings->v[i];

		if (f->waiver != NULL)
			n->waived++;
		else if (f->severity == SEVERITY_ERROR)
			n->errors++;
		else if (f->severity == SEVERITY_WARNING)
			n->warnings++;
		else
			n->notes++;
	}
}

static void
add_waiver_text(struct buf *out, const struct waiver *w)
{
	char until[DAY_TEXT_LEN + 1];

	day_write(w->until, until);
	buf_add_c(out, " {waived by ");
	add_visible(out, w->owner);
	buf_printf(out, " until %s: ", until);
	add_visible(out, w->reason);
	buf_add_char(out, '}');
}

/* "listing.json:/categories: error: PS-DET-13 There are 4 ... [evidence] (fix)" */
static void
finding_text(struct buf *out, struct str file, const char *change, const struct finding *f)
{
	add_visible(out, file);
	buf_add_char(out, ':');
	add_visible(out, f->pointer);
	buf_printf(out, ": %s%s: %s ", change,
	    f->waiver != NULL       ? "note"
	    : f->kind == KIND_HUMAN ? "question"
				    : severity_word(f->severity),
	    f->rule->id);
	add_visible(out, f->message);
	if (f->evidence.n > 0) {
		buf_add_c(out, " [");
		add_visible(out, f->evidence);
		buf_add_char(out, ']');
	}
	buf_printf(out, " (%s)", f->hint);
	if (f->waiver != NULL)
		add_waiver_text(out, f->waiver);
	buf_add_char(out, '\n');
}

static void
jw_format(struct jw *w, const char *key, const char *a, struct str b, const char *c)
{
	struct buf text = { 0 };

	buf_add_c(&text, a);
	buf_add_str(&text, b);
	buf_add_c(&text, c);
	jw_str(w, key, buf_str(&text));
	buf_done(&text);
}

/* SARIF wants a URI: a path is one once its bytes are escaped. */
static void
sarif_location(struct jw *w, struct str file, struct str pointer)
{
	struct buf uri = { 0 };

	if (file.n > 0 && file.p[0] == '/')
		buf_add_c(&uri, "file://");
	buf_add_percent(&uri, file, "/");
	jw_open(w, "locations", '[');
	jw_open(w, NULL, '{');
	jw_open(w, "physicalLocation", '{');
	jw_open(w, "artifactLocation", '{');
	jw_str(w, "uri", buf_str(&uri));
	jw_close(w, '}');
	jw_close(w, '}');
	if (pointer.n > 0) {
		jw_open(w, "logicalLocations", '[');
		jw_open(w, NULL, '{');
		jw_str(w, "fullyQualifiedName", pointer);
		jw_c(w, "kind", "member");
		jw_close(w, '}');
		jw_close(w, ']');
	}
	jw_close(w, '}');
	jw_close(w, ']');
	buf_done(&uri);
}

static void
sarif_suppression(struct jw *w, const struct waiver *x)
{
	char until[DAY_TEXT_LEN + 1];

	day_write(x->until, until);
	jw_open(w, "suppressions", '[');
	jw_open(w, NULL, '{');
	jw_c(w, "kind", "external");
	jw_c(w, "status", "accepted");
	jw_str(w, "justification", x->reason);
	jw_open(w, "properties", '{');
	jw_str(w, "owner", x->owner);
	jw_c(w, "until", until);
	jw_close(w, '}');
	jw_close(w, '}');
	jw_close(w, ']');
}

static void
sarif_result(struct buf *out, const struct review_piece *p, const struct finding *f)
{
	struct jw w;

	buf_add_c(out, ",\n");
	jw_init(&w, out);
	jw_open(&w, NULL, '{');
	jw_c(&w, "ruleId", f->rule->id);
	jw_int(&w, "ruleIndex", f->rule - rules);
	/* A question to a person is neither passed nor failed; the format allows no level then. */
	jw_c(&w, "kind", f->kind == KIND_HUMAN ? "review" : "fail");
	jw_c(&w, "level", f->kind == KIND_HUMAN ? "none" : severity_word(f->severity));
	jw_open(&w, "message", '{');
	jw_str(&w, "text", f->message);
	jw_close(&w, '}');
	sarif_location(&w, p->file, f->pointer);
	if (f->waiver != NULL)
		sarif_suppression(&w, f->waiver);
	jw_open(&w, "properties", '{');
	jw_str(&w, "listing", p->listing);
	jw_c(&w, "kind", finding_kind_word(f->kind));
	jw_str(&w, "evidence", f->evidence);
	jw_c(&w, "hint", f->hint);
	jw_close(&w, '}');
	jw_close(&w, '}');
}

static void
sarif_rule(struct jw *w, const struct rule *r)
{
	jw_open(w, NULL, '{');
	jw_c(w, "id", r->id);
	jw_open(w, "shortDescription", '{');
	jw_c(w, "text", r->requirement);
	jw_close(w, '}');
	jw_open(w, "help", '{');
	jw_format(w, "text", "Fix: ", str_c(r->hint), ".");
	jw_close(w, '}');
	jw_open(w, "defaultConfiguration", '{');
	jw_c(w, "level", severity_word(r->severity));
	jw_close(w, '}');
	jw_open(w, "properties", '{');
	jw_c(w, "citation", r->citation);
	jw_close(w, '}');
	jw_close(w, '}');
}

static void
sarif_head(struct buf *out)
{
	struct jw w;

	jw_init(&w, out);
	jw_open(&w, NULL, '{');
	jw_c(&w, "$schema", SARIF_SCHEMA);
	jw_c(&w, "version", "2.1.0");
	jw_open(&w, "runs", '[');
	jw_open(&w, NULL, '{');
	jw_open(&w, "tool", '{');
	jw_open(&w, "driver", '{');
	jw_c(&w, "name", "souk");
	jw_c(&w, "version", SOUK_VERSION);
	jw_open(&w, "rules", '[');
	for (size_t i = 0; i < n_rules; i++)
		sarif_rule(&w, &rules[i]);
	jw_close(&w, ']');
	jw_close(&w, '}');
	jw_close(&w, '}');
	jw_open(&w, "results", '[');
}

static void
add_attribute(struct buf *out, const char *name, struct str value)
{
	buf_printf(out, " %s=\"", name);
	buf_add_xml(out, value);
	buf_add_char(out, '"');
}

static const char *
junit_element(const struct finding *f)
{
	return f->waiver != NULL               ? "skipped"
	       : f->severity == SEVERITY_ERROR ? "failure"
					       : "system-out";
}

static void
junit_finding(struct buf *out, const struct review_piece *p, const struct finding *f)
{
	const char *element = junit_element(f);
	struct buf text = { 0 };

	finding_text(&text, p->file, "", f);
	buf_printf(out, "   <%s", element);
	if (strcmp(element, "failure") == 0)
		add_attribute(out, "type", str_c(f->rule->id));
	if (strcmp(element, "system-out") != 0)
		add_attribute(out, "message", f->message);
	buf_add_char(out, '>');
	buf_add_xml(out, buf_str(&text));
	buf_printf(out, "</%s>\n", element);
	buf_done(&text);
}

/* Failures first, then what was waived, then the rest: the order that the format's schemas want. */
static void
junit_rule(struct buf *out, const struct review_piece *p, const struct rule *r)
{
	static const char *const order[] = { "skipped", "failure", "system-out" };
	bool any = false;

	buf_add_c(out, "  <testcase");
	add_attribute(out, "name", str_c(r->id));
	add_attribute(out, "classname", p->file);
	for (size_t k = 0; k < sizeof(order) / sizeof(order[0]); k++)
		for (size_t i = 0; i < p->findings->n; i++) {
			const struct finding *f = &p->findings->v[i];

			if (f->rule != r || strcmp(junit_element(f), order[k]) != 0)
				continue;
			if (!any)
				buf_add_c(out, ">\n");
			any = true;
			junit_finding(out, p, f);
		}
	buf_add_c(out, any ? "  </testcase>\n" : "/>\n");
}

struct junit_counts {
	size_t tests, failures, skipped;
};

/* A test case is a rule: it failed when one of its findings blocks, and was skipped when all that would were waived. */
static struct junit_counts
junit_count(const struct review_piece *p)
{
	struct junit_counts n = { 0 };

	for (size_t k = 0; k < n_rules; k++) {
		bool failed = false, waived = false;

		if ((rules[k].editions & (unsigned)p->edition) == 0)
			continue;
		for (size_t i = 0; i < p->findings->n; i++) {
			const struct finding *f = &p->findings->v[i];

			failed |= f->rule == &rules[k] && f->waiver == NULL &&
				  f->severity == SEVERITY_ERROR;
			waived |= f->rule == &rules[k] && f->waiver != NULL;
		}
		n.tests++;
		n.failures += failed;
		n.skipped += waived && !failed;
	}
	return n;
}

static void
junit_piece(struct buf *out, const struct review_piece *p)
{
	struct junit_counts n =
	    p->findings != NULL ? junit_count(p) : (struct junit_counts){ .tests = 1 };
	char line[512];

	buf_add_c(out, " <testsuite");
	add_attribute(out, "name", p->file);
	buf_printf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"%d\" skipped=\"%zu\">\n", n.tests,
	    n.failures, p->findings == NULL, n.skipped);
	if (p->findings == NULL) {
		fail_line(p->why, line, sizeof(line));
		buf_add_c(out, "  <testcase name=\"document\"");
		add_attribute(out, "classname", p->file);
		buf_add_c(out, "><error type=\"unreadable\"");
		add_attribute(out, "message", str_c(line));
		buf_add_c(out, "/></testcase>\n");
	}
	for (size_t i = 0; p->findings != NULL && i < n_rules; i++)
		if ((rules[i].editions & (unsigned)p->edition) != 0)
			junit_rule(out, p, &rules[i]);
	buf_add_c(out, " </testsuite>\n");
}

void
review_out_head(enum review_format format, struct buf *out)
{
	switch (format) {
	case REVIEW_TEXT:
		return;
	case REVIEW_JSON:
		buf_add_char(out, '[');
		return;
	case REVIEW_SARIF:
		sarif_head(out);
		return;
	case REVIEW_JUNIT:
		buf_add_c(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
			       "<testsuites name=\"souk review\">\n");
		return;
	}
}

void
review_out_piece(enum review_format format, const struct review_piece *p, struct buf *out)
{
	struct jw w;

	if (format == REVIEW_JUNIT) {
		junit_piece(out, p);
		return;
	}
	for (size_t i = 0; p->findings != NULL && i < p->findings->n; i++) {
		const struct finding *f = &p->findings->v[i];

		if (format == REVIEW_TEXT) {
			finding_text(out, p->file, "", f);
		} else if (format == REVIEW_SARIF) {
			sarif_result(out, p, f);
		} else {
			buf_add_c(out, ",\n");
			jw_init(&w, out);
			finding_json(&w, f, p->file, p->listing);
		}
	}
}

static const char *
plural(size_t n)
{
	return n == 1 ? "" : "s";
}

void
review_out_tail(enum review_format format, const struct review_counts *n, struct buf *out)
{
	switch (format) {
	case REVIEW_TEXT:
		buf_printf(out, "%zu file%s, %zu error%s, %zu warning%s, %zu note%s", n->files,
		    plural(n->files), n->errors, plural(n->errors), n->warnings,
		    plural(n->warnings), n->notes, plural(n->notes));
		if (n->waived > 0)
			buf_printf(out, ", %zu waived", n->waived);
		if (n->unreadable > 0)
			buf_printf(out, ", %zu unreadable", n->unreadable);
		buf_add_char(out, '\n');
		return;
	case REVIEW_JSON:
		buf_add_c(out, "\n]\n");
		return;
	case REVIEW_SARIF:
		buf_printf(out, "\n],\"invocations\":[{\"executionSuccessful\":%s}]}]}\n",
		    n->unreadable == 0 ? "true" : "false");
		return;
	case REVIEW_JUNIT:
		buf_add_c(out, "</testsuites>\n");
		return;
	}
}

static bool
has_same(const struct findings *l, const struct finding *f)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].rule == f->rule && l->v[i].severity == f->severity &&
		    l->v[i].kind == f->kind && str_eq(l->v[i].pointer, f->pointer) &&
		    str_eq(l->v[i].message, f->message))
			return true;
	return false;
}

static void
diff_finding(
    const struct review_piece *p, const struct finding *f, bool added, bool json, struct buf *out)
{
	struct buf one = { 0 };
	struct jw w, w_one;

	if (!json) {
		finding_text(out, p->file, added ? "+ " : "- ", f);
		return;
	}
	buf_add_c(out, ",\n");
	jw_init(&w, out);
	jw_open(&w, NULL, '{');
	jw_c(&w, "change", added ? "added" : "removed");
	jw_c(&w, "edition", edition_word(p->edition));
	jw_init(&w_one, &one);
	finding_json(&w_one, f, p->file, p->listing);
	jw_raw(&w, "finding", buf_str(&one));
	jw_close(&w, '}');
	buf_done(&one);
}

bool
review_out_diff(
    const struct review_piece *p_old, const struct review_piece *p_new, bool json, struct buf *out)
{
	for (size_t i = 0; i < p_old->findings->n; i++)
		if (!has_same(p_new->findings, &p_old->findings->v[i]))
			diff_finding(p_old, &p_old->findings->v[i], false, json, out);
	for (size_t i = 0; i < p_new->findings->n; i++)
		if (!has_same(p_old->findings, &p_new->findings->v[i]))
			diff_finding(p_new, &p_new->findings->v[i], true, json, out);
	return findings_block(p_new->findings) && !findings_block(p_old->findings);
}

static const char *
editions_text(unsigned editions)
{
	return editions == EDITION_ALL ? "G21, G22" : editions == EDITION_G21 ? "G21" : "G22";
}

static const char *
checks_text(const struct rule *r)
{
	static const char *const words[] = { "", "deterministic", "heuristic",
		"deterministic, heuristic", "human", "deterministic, human", "heuristic, human",
		"deterministic, heuristic, human" };

	return words[(r->check != NULL) + 2 * (r->heuristic != NULL) + 4 * (r->question != NULL)];
}

static void
rule_json(const struct rule *r, struct buf *out)
{
	struct jw w;

	jw_init(&w, out);
	jw_open(&w, NULL, '{');
	jw_c(&w, "rule", r->id);
	jw_c(&w, "severity", severity_letter(r->severity));
	jw_c(&w, "checks", checks_text(r));
	jw_c(&w, "editions", editions_text(r->editions));
	jw_c(&w, "requirement", r->requirement);
	jw_c(&w, "citation", r->citation);
	jw_c(&w, "hint", r->hint);
	if (r->question != NULL)
		jw_c(&w, "question", r->question);
	jw_close(&w, '}');
	buf_add_char(out, '\n');
}

void
review_out_rule(const struct rule *r, bool json, struct buf *out)
{
	if (json) {
		rule_json(r, out);
		return;
	}
	buf_printf(out, "%s (%s)\n\n%s\n\n", r->id, severity_word(r->severity), r->requirement);
	buf_printf(out, "fix:      %s\n", r->hint);
	buf_printf(out, "checks:   %s\n", checks_text(r));
	if (r->question != NULL)
		buf_printf(out, "question: %s (%s)\n", r->question, r->question_at);
	buf_printf(out, "editions: %s\n", editions_text(r->editions));
	buf_printf(out, "source:   %s\n", r->citation);
}
