/* SPDX-License-Identifier: Apache-2.0 */
/* What findings come to once people have decided, and keeping what they are asked; see review_task.h. */
#include "proserv/review_task.h"

#include "proserv/waiver.h"

#define EXCERPT_MAX 4000 /* bytes */

/* ---- evidence ---- */

static void
add_line(struct buf *out, struct str s)
{
	buf_add_str(out, s);
	buf_add_char(out, '\n');
}

static void
add_texts(struct buf *out, const struct texts *t, size_t at)
{
	for (size_t i = 0; i < t->n; i++)
		if (at == SIZE_MAX || at == i)
			add_line(out, t->v[i]);
}

static void
add_dimensions(struct buf *out, const struct listing *l, size_t at)
{
	for (size_t i = 0; i < l->n_dimensions; i++)
		if (at == SIZE_MAX || at == i) {
			add_line(out, l->dimensions[i].name);
			add_line(out, l->dimensions[i].description);
		}
}

static void
add_others(struct buf *out, const struct listing *l, struct str member, size_t at)
{
	for (size_t i = 0; str_eq_c(member, "resources") && i < l->n_resources; i++)
		if (at == SIZE_MAX || at == i) {
			add_line(out, l->resources[i].name);
			add_line(out, l->resources[i].url);
		}
	for (size_t i = 0; str_eq_c(member, "docs") && i < l->n_docs; i++)
		if (at == SIZE_MAX || at == i) {
			add_line(out, l->docs[i].text);
			add_line(out, l->docs[i].policy);
		}
	for (size_t i = 0; str_eq_c(member, "landing_page") && i < l->n_contacts; i++)
		add_line(out, l->contacts[i].value);
	if (str_eq_c(member, "terms"))
		add_line(out, l->terms.value);
	if (str_eq_c(member, "logo")) {
		add_line(out, l->logo.url);
		/* Other bytes at the same address are another logo. */
		if (l->logo.digest.n > 0)
			add_line(out, l->logo.digest);
	}
}

void
listing_part(const struct listing *l, struct str pointer, struct buf *out)
{
	const struct {
		const char *name;
		const struct str *text;
		const struct texts *texts;
	} parts[] = {
		{ "title", &l->title, NULL },
		{ "sku", &l->sku, NULL },
		{ "short_description", &l->short_description, NULL },
		{ "long_description", &l->long_description, NULL },
		{ "support_description", &l->support_description, NULL },
		{ "highlights", NULL, &l->highlights },
		{ "categories", NULL, &l->categories },
		{ "keywords", NULL, &l->keywords },
		{ "associated_products", NULL, &l->associated_products },
		{ "aws_services", NULL, &l->aws_services },
	};
	struct str rest = pointer, member = { 0 }, index = { 0 };
	uint64_t n;
	size_t at = SIZE_MAX;

	if (!str_starts(rest, STR("/")))
		return;
	rest = (struct str){ rest.p + 1, rest.n - 1 };
	if (!str_split(&rest, '/', &member))
		return;
	if (str_split(&rest, '/', &index) && str_to_u64(index, LISTING_ITEMS_MAX, &n))
		at = (size_t)n;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (!str_eq_c(member, parts[i].name))
			continue;
		if (parts[i].text != NULL)
			buf_add_str(out, *parts[i].text);
		else
			add_texts(out, parts[i].texts, at);
		return;
	}
	if (str_eq_c(member, "dimensions"))
		add_dimensions(out, l, at);
	else
		add_others(out, l, member, at);
}

static void
hash_text(struct sha256_ctx *h, struct str s)
{
	uint8_t n[8];

	for (size_t i = 0; i < sizeof(n); i++)
		n[i] = (uint8_t)((uint64_t)s.n >> (8 * i));
	sha256_update(h, sizeof(n), n);
	sha256_update(h, s.n, (const uint8_t *)(s.p ? s.p : ""));
}

void
task_digest(const struct finding *f, const struct listing *l, uint8_t ret[static SHA256_LEN])
{
	struct buf part = { 0 };
	struct sha256_ctx h;

	sha256_init(&h);
	hash_text(&h, str_c(f->rule->id));
	hash_text(&h, f->pointer);
	hash_text(&h, str_c(finding_kind_word(f->kind)));
	hash_text(&h, f->evidence);
	if (f->kind == KIND_DETERMINISTIC) {
		hash_text(&h, f->message);
	} else if (f->evidence.n == 0 && l != NULL) {
		/* What is missing is asked again when the text is another. */
		listing_part(l, f->pointer, &part);
		hash_text(&h, buf_str(&part));
		buf_done(&part);
	}
	sha256_digest(&h, SHA256_LEN, ret);
}

/* ---- judging ---- */

static bool
is_about_listing(const struct finding *f)
{
	return !str_starts(f->pointer, STR("/offers")) &&
	       !str_starts(f->pointer, STR("/fulfilments"));
}

static bool
is_fault(const struct finding *f)
{
	return f->kind == KIND_DETERMINISTIC && f->severity == SEVERITY_ERROR;
}

static bool
is_question(const struct finding *f)
{
	return f->kind == KIND_HUMAN ||
	       (f->kind == KIND_HEURISTIC && f->severity >= SEVERITY_WARNING);
}

static struct review_task *
task_of(struct review_task *tasks, size_t n, const uint8_t digest[SHA256_LEN])
{
	for (size_t i = 0; i < n; i++)
		if (memcmp(tasks[i].digest, digest, SHA256_LEN) == 0)
			return &tasks[i];
	return NULL;
}

static bool
holds(const struct review_task *t, instant_t now)
{
	return t != NULL && t->state == TASK_WAIVED && t->waived_until > now;
}

static enum judgement
judge_one(const struct finding *f, const struct review_task *t, const struct judge *how)
{
	if (is_fault(f))
		return holds(t, how->now) ? JUDGED_FINE : JUDGED_BLOCKS;
	if (t == NULL)
		return JUDGED_OPEN;
	if (t->state == TASK_REJECTED)
		return JUDGED_BLOCKS;
	if (t->state == TASK_OPEN || (how->two_people && guid_is_zero(&t->second_by)))
		return JUDGED_OPEN;
	return t->state == TASK_APPROVED || holds(t, how->now) ? JUDGED_FINE : JUDGED_OPEN;
}

static enum souk_err
note_waiver(struct finding *f, const struct review_task *t, instant_t *io_first, struct arena *mem)
{
	struct waiver *w = ARENA_NEW(mem, struct waiver);

	if (w == NULL)
		return SOUK_E_NOMEM;
	*w = (struct waiver){ .rule = t->rule,
		.listing = STR(""),
		.pointer = t->pointer,
		.owner = STR("operator"),
		.reason = t->reason,
		.until = day_of(t->waived_until - 1) };
	f->waiver = w;
	if (*io_first == 0 || t->waived_until < *io_first)
		*io_first = t->waived_until;
	return SOUK_OK;
}

enum souk_err
review_judge(struct findings *found, const struct listing *l, struct review_task *tasks,
    size_t n_tasks, const struct judge *how, struct arena *mem, struct judged *ret)
{
	struct judged j = { .n = found->n };

	if (!(j.v = arena_array(mem, found->n + 1, sizeof(*j.v))))
		return SOUK_E_NOMEM;
	for (size_t i = 0; i < found->n; i++) {
		struct finding *f = &found->v[i];
		struct judged_finding *x = &j.v[i];

		*x = (struct judged_finding){ .finding = f, .is = JUDGED_NOTE };
		if (!is_about_listing(f) || !(is_fault(f) || is_question(f)))
			continue;
		task_digest(f, l, x->digest);
		x->task = task_of(tasks, n_tasks, x->digest);
		if (!is_fault(f) && !how->people)
			continue;
		x->is = judge_one(f, x->task, how);
		if (x->is == JUDGED_FINE && x->task->state == TASK_WAIVED &&
		    note_waiver(f, x->task, &j.waived_until, mem) != SOUK_OK)
			return SOUK_E_NOMEM;
		j.blocks |= x->is == JUDGED_BLOCKS;
		j.open |= x->is == JUDGED_OPEN;
	}
	*ret = j;
	return SOUK_OK;
}

void
judged_reason(const struct judged *j, size_t max, struct buf *out)
{
	const struct rule *last = NULL;
	struct buf one = { 0 };

	for (size_t i = 0; i < j->n; i++) {
		const struct judged_finding *x = &j->v[i];
		bool decided = x->task != NULL && x->task->state == TASK_REJECTED;

		if (x->is != JUDGED_BLOCKS || (x->finding->rule == last && !decided))
			continue;
		last = x->finding->rule;
		buf_clear(&one);
		buf_printf(&one, "%s%s ", out->n > 0 ? "; " : "", last->id);
		if (decided)
			buf_add_str(&one, x->task->reason);
		else
			buf_add_c(&one, x->finding->hint);
		if (out->n + one.n <= max || out->n == 0)
			buf_add_str(out, buf_str(&one));
	}
	buf_done(&one);
}

/* ---- keeping ---- */

enum souk_err
tasks_read(struct db_stmt *st, struct arena *mem, struct review_task **ret, size_t *ret_n)
{
	struct review_task *v = NULL, t;
	struct str *const slices[] = { &t.rule, &t.pointer, &t.message, &t.evidence, &t.excerpt,
		&t.reason };
	size_t n = 0, cap = 0;
	enum souk_err r;
	bool row;

	while ((r = db_step(st, &row)) == SOUK_OK && row) {
		if (n == cap) {
			struct review_task *more =
			    arena_array(mem, cap > 0 ? 2 * cap : 16, sizeof(*v));

			if (more == NULL)
				break;
			if (n > 0)
				memcpy(more, v, n * sizeof(*v));
			v = more;
			cap = cap > 0 ? 2 * cap : 16;
		}
		task_row(st, &t);
		t.excerpt = STR("");
		for (size_t i = 0; i < sizeof(slices) / sizeof(slices[0]); i++)
			if (!(*slices[i] = arena_str(mem, *slices[i])).p)
				goto full;
		v[n++] = t;
	}
	if (r == SOUK_OK && row)
		goto full;
	if (r == SOUK_OK) {
		*ret = v;
		*ret_n = n;
	}
	return r;
full:
	db_reset(st);
	return SOUK_E_NOMEM;
}

static struct str
clip(struct str s)
{
	size_t n = s.n < EXCERPT_MAX ? s.n : EXCERPT_MAX;

	while (n > 0 && n < s.n && ((unsigned char)s.p[n] & 0xc0) == 0x80)
		n--;
	return (struct str){ s.p, n };
}

static enum souk_err
open_task(struct db_tx *tx, struct str seller_id, const struct guid *product_id,
    const struct listing *l, const struct judged_finding *x, const struct guid *change_set_id)
{
	const struct finding *f = x->finding;
	struct buf part = { 0 };
	struct review_task t = { .product_id = *product_id,
		.rule = str_c(f->rule->id),
		.kind = f->kind,
		.severity = f->kind == KIND_HEURISTIC ? f->rule->severity : f->severity,
		.pointer = f->pointer,
		.message = f->message,
		.evidence = f->evidence,
		.state = TASK_OPEN,
		.present = true,
		.opened_at = db_now(tx),
		.revision = 1 };
	enum souk_err r;
	bool is_new;

	t.id = guid_new();
	memcpy(t.digest, x->digest, SHA256_LEN);
	memcpy(t.seller_id, seller_id.p, ACCOUNT_ID_LEN);
	if (change_set_id != NULL)
		t.change_set_id = *change_set_id;
	listing_part(l, f->pointer, &part);
	t.excerpt = clip(buf_str(&part));
	r = task_row_insert(tx, &t, &is_new);
	buf_done(&part);
	return r;
}

/* A task that is there, as the listing has it now. */
static enum souk_err
keep_task(struct db_tx *tx, const struct judged_finding *x, const struct guid *change_set_id)
{
	struct review_task t = *x->task;
	bool open = x->is == JUDGED_OPEN ||
		    (x->is == JUDGED_BLOCKS && t.state == TASK_WAIVED); /* its waiver is over */
	bool found;

	if (x->is == JUDGED_NOTE) /* as it was when somebody was asked */
		return SOUK_OK;
	t.present = true;
	if (open && t.state != TASK_OPEN) {
		if (t.state == TASK_WAIVED)
			t.first_by = t.second_by = (struct guid){ 0 };
		t.state = TASK_OPEN;
		t.opened_at = db_now(tx);
		t.revision++;
	}
	if (open && change_set_id != NULL)
		t.change_set_id = *change_set_id;
	if (t.present == x->task->present && t.state == x->task->state &&
	    guid_eq(&t.change_set_id, &x->task->change_set_id))
		return SOUK_OK;
	return task_row_update(tx, &t, x->task->revision, &found);
}

static bool
is_among(const struct judged *j, const struct review_task *t)
{
	for (size_t i = 0; i < j->n; i++)
		if (j->v[i].task == t)
			return true;
	return false;
}

static enum souk_err
put_away(struct db_tx *tx, const struct review_task *task)
{
	struct review_task t = *task;
	bool found;

	t.present = false;
	return task_row_update(tx, &t, task->revision, &found);
}

enum souk_err
tasks_settle(struct db_tx *tx, struct str seller_id, const struct guid *product_id,
    const struct listing *l, const struct judged *j, struct review_task *tasks, size_t n_tasks,
    const struct guid *change_set_id)
{
	enum souk_err r = SOUK_OK;

	for (size_t i = 0; r == SOUK_OK && i < j->n; i++) {
		const struct judged_finding *x = &j->v[i];

		if (x->task != NULL)
			r = keep_task(tx, x, change_set_id);
		else if (x->is == JUDGED_OPEN || x->is == JUDGED_BLOCKS)
			r = open_task(tx, seller_id, product_id, l, x, change_set_id);
	}
	for (size_t i = 0; r == SOUK_OK && change_set_id == NULL && i < n_tasks; i++)
		if (tasks[i].present && guid_is_zero(&tasks[i].change_set_id) &&
		    !is_among(j, &tasks[i]))
			r = put_away(tx, &tasks[i]);
	return r;
}
