/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of the buyer-entered fields (specs/psc.md 2.1), and contacts as JSON.
 *
 * Where the specification leaves the unit open, lengths are code points; nothing is
 * trimmed or otherwise changed. What is wrong is said by field name and never quoted:
 * these are people's names and numbers.
 */
#include "psc/contact.h"

#include "base/country.h"
#include "base/email.h"
#include "base/utf8.h"
#include "psc/contact_seal.h"

#include <stdio.h>

#define ZIP_DIGITS 5

enum { F_ORGANIZATION, F_GIVEN_NAME, F_SURNAME, F_TELEPHONE, F_EMAIL, F_TITLE, F_COUNTRY, F_ZIP };

/* In the order of contact_field(). */
static const struct field_rule {
	const char *member; /* of the REST API */
	bool required;
	size_t max; /* code points */
} rules[CONTACT_FIELDS] = {
	[F_ORGANIZATION] = { "organization", true, 255 },
	[F_GIVEN_NAME] = { "givenName", true, 100 },
	[F_SURNAME] = { "surname", true, 100 },
	[F_TELEPHONE] = { "telephoneNumber", true, 25 },
	[F_EMAIL] = { "emailAddress", true, 254 },
	[F_TITLE] = { "title", false, 255 },
	[F_COUNTRY] = { "countryCode", false, 2 },
	[F_ZIP] = { "zipCode", false, ZIP_DIGITS },
};

/* What every field must be: text, not too long, there when it has to be. */
static enum souk_err
check_text(const struct field_rule *r, struct str s, struct fail *f)
{
	char fix[80];

	if (!utf8_valid(s))
		return fail_field(f, r->member, "is not valid UTF-8", "send UTF-8 text");
	if (utf8_has_control(s))
		return fail_field(f, r->member, "holds a control character",
		    "remove tabs, line breaks and other control characters");
	if (r->required && s.n == 0)
		return fail_field(f, r->member, "is missing", "add it");
	if (r->required && utf8_is_blank(s))
		return fail_field(f, r->member, "holds only blanks", "fill it in");
	if (utf8_length(s) > r->max) {
		(void)snprintf(fix, sizeof(fix), "give at most %zu characters", r->max);
		return fail_field(f, r->member, "is too long", fix);
	}
	return SOUK_OK;
}

static bool
is_zip(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n == ZIP_DIGITS;
}

static enum souk_err
check_zip(const struct contact_fields *c, struct fail *f)
{
	if (!is_zip(c->zip))
		return fail_field(f, "zipCode", "is not a US ZIP code", "give exactly five digits");
	if (c->country.n == 0)
		return fail_field(f, "zipCode", "needs a country", "set countryCode to US");
	if (!str_eq(c->country, STR("US")))
		return fail_field(f, "zipCode", "belongs to a country other than US",
		    "leave zipCode out, or set countryCode to US");
	return SOUK_OK;
}

/* What one field is beyond text; called only when it is there and is text. */
static enum souk_err
check_meaning(unsigned i, const struct contact_fields *c, struct fail *f)
{
	switch (i) {
	case F_TELEPHONE:
		return phone_plausible(c->telephone)
			   ? SOUK_OK
			   : fail_field(f, rules[i].member, "is not a usable telephone number",
				 "give one like +1 206 555 0100");
	case F_EMAIL:
		return email_plausible(c->email)
			   ? SOUK_OK
			   : fail_field(f, rules[i].member, "is not a usable e-mail address",
				 "give one like name@company.example");
	case F_COUNTRY:
		return country_known(c->country)
			   ? SOUK_OK
			   : fail_field(f, rules[i].member, "is not an ISO 3166-1 country code",
				 "give two upper-case letters, for instance US or ES");
	case F_ZIP:
		return check_zip(c, f);
	}
	return SOUK_OK;
}

/* `skip` has a bit for each field about which something was said already. */
static enum souk_err
check_fields(const struct contact_fields *c, unsigned skip, struct fail *f)
{
	struct contact_fields copy = *c;
	enum souk_err err = country_load(f);

	if (err != SOUK_OK)
		return err;
	for (unsigned i = 0; i < CONTACT_FIELDS; i++) {
		struct str s = *contact_field(&copy, i);

		if (skip & 1U << i)
			continue;
		if (check_text(&rules[i], s, f) != SOUK_OK ||
		    (s.n > 0 && check_meaning(i, c, f) != SOUK_OK))
			err = SOUK_E_INVALID;
	}
	return err;
}

enum souk_err
contact_validate(const struct contact_fields *c, struct fail *f)
{
	return check_fields(c, 0, f);
}

enum souk_err
contact_parse(const json_t *o, struct contact_fields *ret, struct fail *f)
{
	struct json_member m[CONTACT_FIELDS];
	struct contact_fields c;
	enum souk_err taken, err;
	unsigned bad = 0;

	for (unsigned i = 0; i < CONTACT_FIELDS; i++)
		m[i] = (struct json_member){
			.name = rules[i].member, .kind = JSON_K_STR, .nullable = !rules[i].required
		};
	taken = json_take(o, m, CONTACT_FIELDS, f);
	if (!json_is_object(o))
		return taken;
	for (unsigned i = 0; i < CONTACT_FIELDS; i++) {
		*contact_field(&c, i) = json_member_str(&m[i]);
		if (!m[i].got && !m[i].got_null && json_object_get(o, m[i].name))
			bad |= 1U << i;
		if (m[i].got_null && rules[i].required)
			bad |= 1U << i;
	}
	err = check_fields(&c, bad, f);
	if (taken != SOUK_OK || err != SOUK_OK)
		return err != SOUK_OK ? err : taken;
	*ret = c;
	return SOUK_OK;
}

void
contact_json(const struct contact *c, struct jw *out, const char *key)
{
	struct contact_fields fields = c->fields;

	jw_open(out, key, '{');
	jw_guid(out, "contactId", &c->id);
	jw_guid(out, "subscriptionId", &c->subscription_id);
	for (unsigned i = 0; i < CONTACT_FIELDS; i++) {
		struct str s = *contact_field(&fields, i);

		if (rules[i].required)
			jw_str(out, rules[i].member, s);
		else
			jw_str_opt(out, rules[i].member, s);
	}
	jw_instant(out, "createdAt", c->created_at);
	jw_instant(out, "changedAt", c->changed_at);
	jw_close(out, '}');
}
