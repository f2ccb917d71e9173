/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plan's file form: JSON to structs. Shape, types and ranges only; what the parts mean
 * together is plan_check's. Words never quote the file: pointers say where.
 */
#include "edsp/plan.h"

#include "base/json.h"

#include <stdio.h>

#define AT_SIZE 160

struct reader {
	struct arena *a;
	struct plan_faults *faults;
	bool out_of_memory;
};

/* An object of the file and its pointer. */
struct node {
	const json_t *v;
	char at[AT_SIZE];
};

static void
fault(struct reader *r, const struct node *n, const char *member, const char *what, const char *fix)
{
	char at[AT_SIZE + 64];

	(void)snprintf(at, sizeof(at), "%s%s%s", n->at, member != NULL ? "/" : "",
	    member != NULL ? member : "");
	plan_fault_add(r->faults, at, what, fix);
}

static struct node
child(const struct node *n, const char *member)
{
	struct node c = { .v = json_object_get(n->v, member) };

	(void)snprintf(c.at, sizeof(c.at), "%.*s/%s", AT_SIZE - 40, n->at, member);
	return c;
}

static struct node
element(const struct node *list, size_t i)
{
	struct node c = { .v = json_array_get(list->v, i) };

	(void)snprintf(c.at, sizeof(c.at), "%.*s/%zu", AT_SIZE - 24, list->at, i);
	return c;
}

static void *
take(struct reader *r, size_t n, size_t size)
{
	void *p = arena_array(r->a, n, size);

	if (p == NULL)
		r->out_of_memory = true;
	return p;
}

static bool
is_word_of(const char *words, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = words; (p = strstr(p, name)) != NULL; p += n)
		if ((p == words || p[-1] == ' ') && (p[n] == ' ' || p[n] == '\0') && n > 0)
			return true;
	return false;
}

/* An object with no members but `known`; says so of others. */
static bool
is_object(struct reader *r, const struct node *n, const char *known)
{
	const char *name;
	json_t *value;
	char fix[200];

	if (!json_is_object(n->v)) {
		fault(r, n, NULL, n->v != NULL ? "is no object" : "is missing",
		    "write it in braces, as docs/edsp.md shows");
		return false;
	}
	json_object_foreach((json_t *)(uintptr_t)n->v, name, value)
	{
		if (is_word_of(known, name))
			continue;
		(void)snprintf(fix, sizeof(fix), "members here are: %s", known);
		fault(r, n,
		    strlen(name) < 40 && strspn(name, "abcdefghijklmnopqrstuvwxyz"
						      "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == strlen(name)
			? name
			: NULL,
		    "has a member that is not known", fix);
	}
	return true;
}

static struct str
text(struct reader *r, const struct node *n, const char *member, bool required)
{
	const json_t *v = json_object_get(n->v, member);
	struct str s = { "", 0 };

	if (v == NULL && !required)
		return s;
	if (!json_is_string(v) || json_string_length(v) == 0) {
		fault(r, n, member, v != NULL ? "is no text, or empty" : "is missing",
		    "write a text in quotes");
		return s;
	}
	if (json_string_length(v) > 300) {
		fault(r, n, member, "is longer than 300 bytes", "shorten it");
		return s;
	}
	s = arena_str(r->a, (struct str){ json_string_value(v), json_string_length(v) });
	if (s.p == NULL)
		r->out_of_memory = true;
	return s;
}

/* Ids become parts of file names. */
static struct str
id(struct reader *r, const struct node *n, const char *member, bool required)
{
	struct str s = text(r, n, member, required);
	bool good = s.n <= 64 && (s.n == 0 || s.p[0] != '.');

	for (size_t i = 0; i < s.n && good; i++)
		good = (s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= 'A' && s.p[i] <= 'Z') ||
		       (s.p[i] >= '0' && s.p[i] <= '9') || strchr("-_.", s.p[i]) != NULL;
	if (good)
		return s;
	fault(r, n, member, "is no id",
	    "use up to 64 letters, digits, '-', '_' or '.', not '.' first");
	return (struct str){ "", 0 };
}

/* The elements of an optional list; a fault when it is something else or empty. */
static size_t
list(struct reader *r, const struct node *n, const char *member, struct node *ret)
{
	*ret = child(n, member);
	if (ret->v == NULL)
		return 0;
	if (!json_is_array(ret->v) || json_array_size(ret->v) == 0) {
		fault(r, ret, NULL, "is no list, or an empty one",
		    "write a list in brackets, or leave the member out");
		return 0;
	}
	return json_array_size(ret->v);
}

static struct plan_texts
texts(struct reader *r, const struct node *n, const char *member)
{
	struct node l;
	size_t n_texts = list(r, n, member, &l);
	struct plan_texts t = { 0 };

	if (n_texts == 0 || (t.v = take(r, n_texts, sizeof(*t.v))) == NULL)
		return t;
	for (size_t i = 0; i < n_texts; i++) {
		struct node e = element(&l, i);

		if (!json_is_string(e.v) || json_string_length(e.v) == 0 ||
		    json_string_length(e.v) > 300)
			fault(
			    r, &e, NULL, "is no text of 1 to 300 bytes", "write a text in quotes");
		else
			t.v[i] = arena_str(
			    r->a, (struct str){ json_string_value(e.v), json_string_length(e.v) });
		if (t.v[i].p == NULL)
			t.v[i] = (struct str){ "", 0 };
	}
	t.n = n_texts;
	return t;
}

static struct plan_days
days(struct reader *r, const struct node *n)
{
	static const char *const fix = "write a day of the calendar as \"2026-01-31\"";
	struct plan_days d = { DAY_FIRST, DAY_LAST };
	struct str from = text(r, n, "from", false), until = text(r, n, "until", false);

	if (from.n > 0 && !day_parse(from, &d.from))
		fault(r, n, "from", "is no date", fix);
	if (until.n > 0 && !day_parse(until, &d.until))
		fault(r, n, "until", "is no date", fix);
	if (d.from > d.until)
		fault(r, n, "until", "lies before `from`",
		    "both days belong to the time; let `until` be the last of it");
	return d;
}

/* A decimal with at most `decimals`, as text or a whole number: scaled to a whole. */
static uint32_t
decimal(struct reader *r, const struct node *n, const char *member, unsigned decimals, uint32_t max)
{
	const json_t *v = json_object_get(n->v, member);
	char what[200], digits[32];
	money_t m = 0, unit = MONEY_ONE;
	struct str s = { NULL, 0 };

	if (json_is_integer(v)) {
		(void)snprintf(digits, sizeof(digits), "%lld", (long long)json_integer_value(v));
		s = str_c(digits);
	} else if (json_is_string(v)) {
		s = (struct str){ json_string_value(v), json_string_length(v) };
	}
	for (unsigned i = 0; i < decimals; i++)
		unit /= 10;
	if (s.p != NULL && money_parse(s, &m) == MONEY_OK && m % unit == 0 && m >= 0 &&
	    m / unit <= max)
		return (uint32_t)(m / unit);
	unit = 1;
	for (unsigned i = 0; i < decimals; i++)
		unit *= 10;
	(void)snprintf(what, sizeof(what), "is %s of 0 to %u with at most %u decimals",
	    v == NULL ? "missing: a number" : "no number", (unsigned)(max / unit), decimals);
	fault(r, n, member, what, "write it as a text, such as \"2.5\", or as a whole number");
	return 0;
}

static money_t
amount(struct reader *r, const struct node *n, const char *member)
{
	const json_t *v = json_object_get(n->v, member);
	money_t m = 0;

	if (json_is_integer(v) && json_integer_value(v) >= 0 &&
	    json_integer_value(v) < 1000000000000000000)
		return (money_t)json_integer_value(v) * MONEY_ONE;
	if (!json_is_string(v) ||
	    money_parse((struct str){ json_string_value(v), json_string_length(v) }, &m) !=
		MONEY_OK ||
	    m < 0) {
		fault(r, n, member, v != NULL ? "is no amount" : "is missing",
		    "write an amount of 0 or more as a text, such as \"1000.00\"");
		return 0;
	}
	return m;
}

static unsigned
word(struct reader *r, const struct node *n, const char *member, const char *const *words,
    unsigned count, int otherwise)
{
	const json_t *v = json_object_get(n->v, member);
	char fix[200] = "write one of:";

	if (v == NULL && otherwise >= 0)
		return (unsigned)otherwise;
	for (unsigned i = 0; i < count; i++) {
		size_t used = strlen(fix);

		if (json_is_string(v) && strcmp(json_string_value(v), words[i]) == 0)
			return i;
		(void)snprintf(fix + used, sizeof(fix) - used, " \"%s\"", words[i]);
	}
	fault(r, n, member, v != NULL ? "is none of the words that can stand here" : "is missing",
	    fix);
	return 0;
}

static void
read_representative(struct reader *r, const struct node *n, struct plan_representative *p)
{
	if (!is_object(r, n, "id name team manager from until"))
		return;
	p->id = id(r, n, "id", true);
	p->name = text(r, n, "name", true);
	p->team = id(r, n, "team", false);
	p->manager_id = id(r, n, "manager", false);
	p->days = days(r, n);
}

static void
read_place(struct reader *r, const struct node *n, struct plan_place *p)
{
	struct node range;

	if (!is_object(r, n, "country state city postalCodes"))
		return;
	p->country = text(r, n, "country", true);
	p->state = text(r, n, "state", false);
	p->city = text(r, n, "city", false);
	range = child(n, "postalCodes");
	if (range.v == NULL || !is_object(r, &range, "from to"))
		return;
	p->postal_from = text(r, &range, "from", true);
	p->postal_to = text(r, &range, "to", true);
}

static void
read_credits(struct reader *r, const struct node *n, struct plan_rule *rule)
{
	struct node l;

	rule->n_credits = list(r, n, "credits", &l);
	if (l.v == NULL)
		fault(r, n, "credits", "is missing",
		    "say who is credited: [{\"representative\": ..., \"percent\": 100}]");
	if (rule->n_credits == 0 ||
	    (rule->credits = take(r, rule->n_credits, sizeof(*rule->credits))) == NULL) {
		rule->n_credits = 0;
		return;
	}
	for (size_t i = 0; i < rule->n_credits; i++) {
		struct node e = element(&l, i);

		if (!is_object(r, &e, "representative percent"))
			continue;
		rule->credits[i].representative_id = id(r, &e, "representative", true);
		rule->credits[i].percent = decimal(r, &e, "percent", 4, PERCENT_ALL);
		if (rule->credits[i].percent == 0)
			fault(r, &e, "percent", "credits nothing", "leave this one out");
	}
}

static void
read_rule(struct reader *r, const struct node *n, struct plan_rule *rule)
{
	struct node l, company, everything;

	if (!is_object(
		r, n, "id accounts company geography everything products from until credits"))
		return;
	rule->id = id(r, n, "id", true);
	rule->accounts = texts(r, n, "accounts");
	company = child(n, "company");
	if (company.v != NULL && is_object(r, &company, "domains names")) {
		rule->domains = texts(r, &company, "domains");
		rule->names = texts(r, &company, "names");
	}
	rule->n_places = list(r, n, "geography", &l);
	if (rule->n_places > 0 &&
	    (rule->places = take(r, rule->n_places, sizeof(*rule->places))) == NULL)
		rule->n_places = 0;
	for (size_t i = 0; i < rule->n_places; i++) {
		struct node e = element(&l, i);

		read_place(r, &e, &rule->places[i]);
	}
	everything = child(n, "everything");
	rule->everything = json_is_true(everything.v);
	if (everything.v != NULL && !rule->everything)
		fault(r, &everything, NULL, "is not `true`", "write `true`, or leave it out");
	rule->products = texts(r, n, "products");
	rule->days = days(r, n);
	read_credits(r, n, rule);
}

static struct plan_step *
read_steps(struct reader *r, const struct node *n, const char *member, const char *value,
    unsigned decimals, uint32_t max, size_t *ret_n)
{
	struct node l;
	size_t count = list(r, n, member, &l);
	struct plan_step *steps = count > 0 ? take(r, count, sizeof(*steps)) : NULL;
	char known[32];

	(void)snprintf(known, sizeof(known), "above %s", value);
	for (size_t i = 0; steps != NULL && i < count; i++) {
		struct node e = element(&l, i);

		if (!is_object(r, &e, known))
			continue;
		steps[i].above = amount(r, &e, "above");
		steps[i].value = decimal(r, &e, value, decimals, max);
	}
	*ret_n = steps != NULL ? count : 0;
	return steps;
}

static void
read_rate_steps(struct reader *r, const struct node *n, struct plan_rate *rate)
{
	struct node cap = child(n, "cap");

	rate->tiers = read_steps(r, n, "tiers", "percent", 4, PERCENT_MAX, &rate->n_tiers);
	rate->accelerators =
	    read_steps(r, n, "accelerators", "factor", 2, FACTOR_MAX, &rate->n_accelerators);
	if (json_object_get(n->v, "percent") != NULL) {
		if (rate->tiers != NULL)
			fault(r, n, "percent", "stands beside `tiers`", "keep one of them");
		else if ((rate->tiers = take(r, 1, sizeof(*rate->tiers))) != NULL) {
			rate->tiers[0].value = decimal(r, n, "percent", 4, PERCENT_MAX);
			rate->n_tiers = 1;
		}
	} else if (json_object_get(n->v, "tiers") == NULL) {
		fault(r, n, "percent", "is missing", "give a percent, or tiers");
	}
	rate->over = word(r, n, "over", plan_period_words, PERIOD__COUNT,
	    rate->n_tiers > 1 || rate->n_accelerators > 0 ? -1 : PERIOD_YEAR);
	if (cap.v == NULL || !is_object(r, &cap, "amount over"))
		return;
	rate->has_cap = true;
	rate->cap = amount(r, &cap, "amount");
	rate->cap_over = word(r, &cap, "over", plan_period_words, PERIOD__COUNT, -1);
}

static void
read_kinds(struct reader *r, const struct node *n, struct plan_rate *rate)
{
	struct node l;
	size_t count = list(r, n, "revenue", &l);

	if (l.v == NULL)
		fault(r, n, "revenue", "is missing",
		    "list the kinds it pays: \"hourly\", \"monthly\", \"annual\", \"metered\"");
	for (size_t i = 0; i < count; i++) {
		struct node e = element(&l, i);
		unsigned k = 0;

		while (k < REVENUE__COUNT &&
		       (!json_is_string(e.v) ||
			   strcmp(json_string_value(e.v), revenue_kind_words[k]) != 0))
			k++;
		if (k == REVENUE__COUNT)
			fault(r, &e, NULL, "is no kind of revenue",
			    "write \"hourly\", \"monthly\", \"annual\" or \"metered\"");
		else
			rate->kinds |= 1u << k;
	}
}

static void
read_clawback(struct reader *r, const struct node *n, struct plan_rate *rate)
{
	static const char *const words[] = { "refunds", "credits", "forgiven" };
	const json_t *v = json_object_get(n->v, "clawback");
	struct node c;

	if (json_is_array(v) && json_array_size(v) == 0)
		return; /* said to be none */
	if (v == NULL) {
		fault(r, n, "clawback", "is missing",
		    "list what takes commission back: \"refunds\", \"credits\", \"forgiven\"; [] "
		    "for nothing");
		return;
	}
	for (size_t i = 0, count = list(r, n, "clawback", &c); i < count; i++) {
		struct node e = element(&c, i);
		unsigned k = 0;

		while (k < 3 &&
		       (!json_is_string(e.v) || strcmp(json_string_value(e.v), words[k]) != 0))
			k++;
		if (k == 3)
			fault(r, &e, NULL, "is nothing that takes commission back",
			    "write \"refunds\", \"credits\" or \"forgiven\"");
		else
			rate->clawback |= 1u << k;
	}
}

static void
read_rate(struct reader *r, const struct node *n, struct plan_rate *rate)
{
	if (!is_object(r, n,
		"id representatives teams revenue products currency from until base payOn percent "
		"tiers accelerators over cap clawback"))
		return;
	rate->id = id(r, n, "id", true);
	rate->representative_ids = texts(r, n, "representatives");
	rate->teams = texts(r, n, "teams");
	read_kinds(r, n, rate);
	rate->products = texts(r, n, "products");
	rate->currency = text(r, n, "currency", false);
	rate->days = days(r, n);
	rate->base = (enum plan_base)word(r, n, "base", plan_base_words, BASE__COUNT, -1);
	rate->pay = (enum plan_pay)word(r, n, "payOn", plan_pay_words, PAY__COUNT, -1);
	read_rate_steps(r, n, rate);
	read_clawback(r, n, rate);
}

static void
read_rounding(struct reader *r, const struct node *root, struct plan *p)
{
	static const char *const modes[] = { "half-up" };
	struct node n = child(root, "rounding");

	if (!is_object(r, &n, "mode decimals"))
		return;
	(void)word(r, &n, "mode", modes, 1, -1);
	p->decimals = decimal(r, &n, "decimals", 0, 4);
}

static void
read_products(struct reader *r, const struct node *root, struct plan *p)
{
	struct node l;
	size_t count = list(r, root, "products", &l);

	if (count == 0 || (p->products = take(r, count, sizeof(*p->products))) == NULL)
		return;
	p->n_products = count;
	for (size_t i = 0; i < count; i++) {
		struct node e = element(&l, i);

		if (!is_object(r, &e, "product revenue"))
			continue;
		p->products[i].product = text(r, &e, "product", true);
		p->products[i].kind = (enum revenue_kind)word(
		    r, &e, "revenue", revenue_kind_words, REVENUE__COUNT, -1);
	}
}

#define READ_LIST(r, root, member, field, count, read)                                             \
	do {                                                                                       \
		struct node l_;                                                                    \
		size_t n_ = list(r, root, member, &l_);                                            \
		(field) = n_ > 0 ? take(r, n_, sizeof(*(field))) : NULL;                           \
		(count) = (field) != NULL ? n_ : 0;                                                \
		for (size_t i_ = 0; i_ < (count); i_++) {                                          \
			struct node e_ = element(&l_, i_);                                         \
			read(r, &e_, &(field)[i_]);                                                \
		}                                                                                  \
	} while (0)

static void
read_root(struct reader *r, const struct node *root, struct plan *p)
{
	static const char *const schemas[] = { "souk-plan-1" };

	if (!is_object(r, root,
		"schema name rounding representatives products territories overlays rates"))
		return;
	(void)word(r, root, "schema", schemas, 1, -1);
	p->name = text(r, root, "name", true);
	read_rounding(r, root, p);
	READ_LIST(r, root, "representatives", p->representatives, p->n_representatives,
	    read_representative);
	READ_LIST(r, root, "territories", p->territories, p->n_territories, read_rule);
	READ_LIST(r, root, "overlays", p->overlays, p->n_overlays, read_rule);
	READ_LIST(r, root, "rates", p->rates, p->n_rates, read_rate);
	read_products(r, root, p);
	if (json_object_get(root->v, "representatives") == NULL)
		fault(r, root, "representatives", "is missing", "list the people who are paid");
	if (json_object_get(root->v, "territories") == NULL)
		fault(
		    r, root, "territories", "is missing", "list who is credited for which buyers");
	if (json_object_get(root->v, "rates") == NULL)
		fault(r, root, "rates", "is missing", "list what is paid on which revenue");
}

enum souk_err
plan_read(struct str json, struct arena *a, struct plan *ret, struct plan_faults *faults)
{
	struct reader r = { .a = a, .faults = faults };
	struct node root = { 0 };
	struct fail f = { 0 };
	json_t *v = NULL;

	*ret = (struct plan){ 0 };
	if (json_read(json, &v, &f) != SOUK_OK) {
		plan_fault_add(faults, "", f.n > 0 ? f.entry[0].what : f.detail,
		    f.n > 0 ? f.entry[0].fix : "write one JSON object");
		return SOUK_E_INVALID;
	}
	root.v = v;
	read_root(&r, &root, ret);
	json_decref(v);
	if (r.out_of_memory || faults->out_of_memory)
		return SOUK_E_NOMEM;
	return faults->n_total > 0 ? SOUK_E_INVALID : SOUK_OK;
}
