/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Delivery roles. A role is asked each time something is delivered, so that what a
 * seller takes back holds for deliveries already waiting.
 */
#include "delivery/role_int.h"

#include "access/policy.h"
#include "delivery/remote.h"
#include "delivery/scope.h"
#include "market/account.h"

#define ROLES_MAX 100 /* of one seller */
#define ROLE_NAME_MAX 64

static bool
role_name_valid(struct str name)
{
	if (name.n == 0 || name.n > ROLE_NAME_MAX)
		return false;
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
		    (c == '\0' || !strchr("+=,.@_-", c)))
			return false;
	}
	return true;
}

bool
role_arn_parse(struct str arn, struct str *ret_seller, struct str *ret_name)
{
	struct str rest, seller, part = { 0 };

	if (!str_starts(arn, STR("arn:aws:iam::")))
		return false;
	rest = (struct str){ .p = arn.p + 13, .n = arn.n - 13 };
	if (!str_split(&rest, ':', &seller) || !account_id_valid(seller) || !rest.p ||
	    !str_starts(rest, STR("role/")))
		return false;
	while (str_split(&rest, '/', &part))
		;
	if (!role_name_valid(part))
		return false;
	*ret_seller = seller;
	*ret_name = part;
	return true;
}

/* ---- keeping ---- */

static enum souk_err
check_policy(struct str policy, struct fail *f)
{
	struct policy *p = NULL;
	enum souk_err err = policy_parse(policy, &p, f);

	policy_free(p);
	return err;
}

static enum souk_err
no_such_role(struct fail *f)
{
	return fail_set(f, SOUK_E_NOT_FOUND, "no_such_role", "there is no such delivery role");
}

static enum souk_err
create_role(struct db_tx *tx, struct str seller_id, struct str name, struct str policy, bool exists,
    struct fail *f)
{
	bool inserted;
	int64_t n;
	enum souk_err err;

	if (exists)
		return fail_set(f, SOUK_E_CONFLICT, "role_exists", "the role exists already");
	if ((err = role_row_count(tx, seller_id, &n)) != SOUK_OK)
		return err;
	if (n >= ROLES_MAX)
		return fail_set(
		    f, SOUK_E_LIMIT, "role_limit", "a seller has at most %d roles", ROLES_MAX);
	if ((err = role_row_insert(tx, seller_id, name, policy, &inserted)) != SOUK_OK)
		return err;
	return inserted
		   ? SOUK_OK
		   : fail_set(f, SOUK_E_NOT_FOUND, "no_such_seller", "there is no such seller");
}

enum souk_err
role_put(struct db_tx *tx, const struct tenant_scope *s, struct str seller_id, struct str name,
    struct str policy, int64_t seen_revision, bool create, int64_t *ret_revision, struct fail *f)
{
	struct role old = { 0 };
	bool exists;
	enum souk_err err;

	if (!scope_manages(s, seller_id))
		return no_such_role(f);
	if (!role_name_valid(name))
		return fail_field(f, "name", "is not a role name",
		    "use 1 to 64 letters, digits and characters of +=,.@_-");
	if ((err = check_policy(policy, f)) != SOUK_OK ||
	    (err = lock_owner(tx, seller_id)) != SOUK_OK)
		return err;
	err = role_row_load(tx, seller_id, name, &old);
	exists = err == SOUK_OK;
	buf_done(&old.text);
	if (err != SOUK_OK && err != SOUK_E_NOT_FOUND)
		return err;
	if (create)
		err = create_role(tx, seller_id, name, policy, exists, f);
	else if (!exists)
		err = no_such_role(f);
	else if (seen_revision != 0 && seen_revision != old.revision)
		err = fail_set(f, SOUK_E_PRECONDITION, "role_changed",
		    "the role was changed meanwhile; read it again");
	else
		err = role_row_update(tx, seller_id, name, policy, old.revision + 1);
	if (err == SOUK_OK)
		*ret_revision = create ? 1 : old.revision + 1;
	return err;
}

enum souk_err
role_delete(struct db_tx *tx, const struct tenant_scope *s, struct str seller_id, struct str name)
{
	bool was_there;
	enum souk_err err;

	if (!scope_manages(s, seller_id))
		return SOUK_E_NOT_FOUND;
	if ((err = lock_owner(tx, seller_id)) != SOUK_OK ||
	    (err = remote_remove(tx, seller_id, name, REMOTE_S3)) != SOUK_OK ||
	    (err = remote_remove(tx, seller_id, name, REMOTE_SNS)) != SOUK_OK ||
	    (err = role_row_delete(tx, seller_id, name, &was_there)) != SOUK_OK)
		return err;
	return was_there ? SOUK_OK : SOUK_E_NOT_FOUND;
}

static enum souk_err
role_json(struct db_tx *tx, const struct role *r, struct str seller_id, struct jw *out)
{
	struct buf arn = { 0 };
	enum souk_err err;

	buf_add_c(&arn, "arn:aws:iam::");
	buf_add_str(&arn, seller_id);
	buf_add_c(&arn, ":role/");
	buf_add_str(&arn, r->name);
	jw_open(out, NULL, '{');
	jw_str(out, "name", r->name);
	jw_str(out, "roleArn", buf_str(&arn));
	jw_raw(out, "policy", r->policy);
	err = remotes_json(tx, seller_id, r->name, out);
	jw_instant(out, "createdAt", r->created_at);
	jw_instant(out, "changedAt", r->changed_at);
	jw_int(out, "revision", r->revision);
	jw_close(out, '}');
	buf_done(&arn);
	return err;
}

enum souk_err
role_get(struct db_tx *tx, const struct tenant_scope *s, struct str seller_id, struct str name,
    struct jw *out, int64_t *ret_revision)
{
	struct role r;
	enum souk_err err;

	if (!scope_manages(s, seller_id))
		return SOUK_E_NOT_FOUND;
	if ((err = role_row_load(tx, seller_id, name, &r)) != SOUK_OK)
		return err;
	if ((err = role_json(tx, &r, seller_id, out)) == SOUK_OK)
		*ret_revision = r.revision;
	buf_done(&r.text);
	return err;
}

enum souk_err
role_list(struct db_tx *tx, const struct tenant_scope *s, struct str seller_id, struct jw *out)
{
	if (!scope_manages(s, seller_id))
		return SOUK_E_NOT_FOUND;
	return role_rows_each(tx, seller_id, role_json, out);
}

enum souk_err
role_revision(struct db_tx *tx, struct str seller_id, struct str name, int64_t *ret)
{
	struct role r;
	enum souk_err err = role_row_load(tx, seller_id, name, &r);

	if (err != SOUK_OK)
		return err;
	*ret = r.revision;
	buf_done(&r.text);
	return SOUK_OK;
}

/* ---- asking ---- */

enum souk_err
role_may(struct db_tx *tx, struct str seller_id, struct str role_arn, const char *action,
    struct str resource, struct fail *f)
{
	struct str owner, name;
	struct policy *p = NULL;
	struct role r = { 0 };
	enum souk_err err = SOUK_E_NOT_FOUND;

	if (role_arn_parse(role_arn, &owner, &name) && str_eq(owner, seller_id))
		err = role_row_load(tx, seller_id, name, &r);
	if (err == SOUK_E_NOT_FOUND)
		return fail_set(
		    f, err, "no_such_role", "The delivery role does not exist in your account.");
	if (err != SOUK_OK)
		return err;
	err = policy_parse(r.policy, &p, NULL);
	if (err == SOUK_OK && policy_decide(p, str_c(action), resource) != POLICY_ALLOW)
		err = fail_set(f, SOUK_E_DENIED, "role_denied",
		    "The delivery role's policy does not allow %s on the destination.", action);
	policy_free(p);
	buf_done(&r.text);
	return err;
}
