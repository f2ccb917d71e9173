/* SPDX-License-Identifier: Apache-2.0 */
/* Saving and trying templates. */
#include "delivery/mail_own.h"

#include "base/utf8.h"
#include "delivery/mail_store.h"

#include <stdio.h>

enum souk_err
mail_own_get(struct db_tx *tx, struct str seller_id, struct str kind, struct str language,
    struct arena *mem, struct mail_own *ret)
{
	return mail_template_row_get(tx, seller_id, kind, language, mem, ret);
}

enum souk_err
mail_own_list(struct db_tx *tx, struct str seller_id, struct str kind, struct arena *mem,
    struct mail_own *out, size_t *ret_n)
{
	return mail_template_rows(tx, seller_id, kind, mem, out, MAIL_OWN_MAX, ret_n);
}

static enum souk_err
check_room(struct db_tx *tx, struct str seller_id, const struct mail_kind *k, struct fail *f)
{
	int64_t n = 0;
	enum souk_err r = mail_template_count(tx, seller_id, k->name, &n);

	if (r != SOUK_OK || n < MAIL_OWN_MAX)
		return r;
	return fail_set(f, SOUK_E_LIMIT, "template_limit",
	    "There are templates in 50 languages already; delete one first.");
}

static enum souk_err
check_seen(int64_t seen, int64_t revision, struct fail *f)
{
	if (seen == 0 || seen == revision)
		return SOUK_OK;
	return fail_set(
	    f, SOUK_E_PRECONDITION, "precondition_failed", "The template was changed meanwhile.");
}

enum souk_err
mail_own_put(struct db_tx *tx, const struct tenant_scope *s, struct str seller_id,
    const struct mail_kind *k, struct str language, const struct mail_parts *parts, int64_t seen,
    int64_t *ret_revision, struct fail *f)
{
	struct mail_own row = { .kind = str_c(k->name), .language = language, .parts = *parts };
	int64_t revision = 0;
	enum souk_err r;

	if (k->operators && seller_id.n > 0)
		return fail_set(f, SOUK_E_DENIED, "operator_only",
		    "Mails of this kind are the operator's; only it writes their templates.");
	if ((r = mail_template_check(k, parts, f)) != SOUK_OK ||
	    (r = lock_owner(tx, seller_id)) != SOUK_OK)
		return r;
	r = mail_template_revision(tx, seller_id, k->name, language, &revision);
	if (r == SOUK_E_NOT_FOUND)
		r = check_room(tx, seller_id, k, f);
	if (r != SOUK_OK || (r = check_seen(seen, revision, f)) != SOUK_OK)
		return r;
	row.changed_by = tenant_actor(s);
	row.changed_at = db_now(tx);
	row.revision = revision + 1;
	if ((r = mail_template_row_put(tx, seller_id, &row)) == SOUK_OK)
		*ret_revision = row.revision;
	return r;
}

enum souk_err
mail_own_drop(struct db_tx *tx, struct str seller_id, struct str kind, struct str language)
{
	enum souk_err r = lock_owner(tx, seller_id);

	return r == SOUK_OK ? mail_template_row_drop(tx, seller_id, kind, language) : r;
}

/* ---- trying ---- */

static size_t
place_of(const struct mail_kind *k, const char *name)
{
	size_t i = 0;

	while (i < k->n_places && strcmp(k->places[i].name, name) != 0)
		i++;
	return i;
}

static enum souk_err
take_values(const struct mail_kind *k, const json_t *given, struct mail_value *out, struct fail *f)
{
	json_t *o = json_incref((json_t *)(uintptr_t)given), *value;
	const char *name;
	char field[80];
	enum souk_err r = SOUK_OK;

	json_object_foreach(o, name, value)
	{
		struct str s = { json_string_value(value), json_string_length(value) };
		size_t i = place_of(k, name);

		if (i == k->n_places) {
			r = fail_field(f, "values", "has a member that mails of this kind do not",
			    "give those that the kind lists");
			break;
		}
		if (!s.p || s.n > MAIL_VALUE_MAX) {
			(void)snprintf(field, sizeof(field), "values/%s", k->places[i].name);
			r = fail_field(
			    f, field, "is no text or too long", "give text of at most 4096 bytes");
			break;
		}
		out[i].value = s;
	}
	json_decref(o);
	return r;
}

enum souk_err
mail_own_preview(const struct mail_kind *k, const struct mail_parts *parts, const json_t *values,
    struct mail_text *ret, struct fail *f)
{
	struct mail_value all[MAIL_KIND_PLACES_MAX];
	enum souk_err r;

	if ((r = mail_template_check(k, parts, f)) != SOUK_OK)
		return r;
	for (size_t i = 0; i < k->n_places; i++)
		all[i] = (struct mail_value){ k->places[i].name, str_c(k->places[i].sample) };
	if (values && (r = take_values(k, values, all, f)) != SOUK_OK)
		return r;
	return mail_template_fill(parts, all, k->n_places, ret, f);
}
