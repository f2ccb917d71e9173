/* SPDX-License-Identifier: Apache-2.0 */
/* Buckets: names and owners. */
#include "delivery/object_int.h"

#include "delivery/scope.h"

#define BUCKETS_MAX 100 /* of one seller, as S3 has it */

static bool
is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Digits and three dots: an IPv4 address in a virtual host would be taken for a host. */
static bool
looks_like_address(struct str name)
{
	size_t dots = 0;

	for (size_t i = 0; i < name.n; i++) {
		if (name.p[i] == '.')
			dots++;
		else if (name.p[i] < '0' || name.p[i] > '9')
			return false;
	}
	return dots == 3;
}

/* Prefixes and endings that S3 keeps for itself. */
static bool
is_reserved(struct str name)
{
	static const char *const prefixes[] = { "xn--", "sthree-", "amzn-s3-demo-" };
	static const char *const ends[] = { "-s3alias", "--ol-s3", ".mrap", "--x-s3",
		"--table-s3" };

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (str_starts(name, str_c(prefixes[i])))
			return true;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (str_ends(name, str_c(ends[i])))
			return true;
	return false;
}

bool
bucket_is_own(struct str name)
{
	return name.n > 0 && name.p[0] == '.';
}

bool
bucket_name_valid(struct str name)
{
	if (name.n < 3 || name.n > 63 || !is_alnum(name.p[0]) || !is_alnum(name.p[name.n - 1]))
		return false;
	for (size_t i = 1; i < name.n; i++) {
		char c = name.p[i];

		if (c != '.' && c != '-' && !is_alnum(c))
			return false;
		/* each label is a DNS label: it begins and ends with a letter or digit */
		if ((c == '.' && !is_alnum(name.p[i - 1])) || (c == '-' && name.p[i - 1] == '.'))
			return false;
	}
	return !looks_like_address(name) && !is_reserved(name);
}

/* May a bucket of this name and seller be made? */
static enum souk_err
check_new(struct db_tx *tx, struct str seller_id, struct str name, struct fail *f)
{
	struct bucket b;
	int64_t n;
	enum souk_err err;

	if (!bucket_name_valid(name))
		return fail_field(f, "name", "is not a bucket name",
		    "use 3 to 63 lower-case letters, digits, hyphens and dots between them");
	err = bucket_owner(tx, name, &b);
	if (err == SOUK_OK)
		return fail_set(f, SOUK_E_CONFLICT,
		    str_eq_c(seller_id, b.seller_id) ? "bucket_owned" : "bucket_exists",
		    "a bucket of this name exists already; choose another name");
	if (err != SOUK_E_NOT_FOUND || (err = bucket_row_count(tx, seller_id, &n)) != SOUK_OK)
		return err;
	if (n >= BUCKETS_MAX)
		return fail_set(f, SOUK_E_LIMIT, "bucket_limit", "a seller has at most %d buckets",
		    BUCKETS_MAX);
	return SOUK_OK;
}

static enum souk_err
no_such_seller(struct fail *f)
{
	return fail_set(f, SOUK_E_NOT_FOUND, "no_such_seller", "there is no such seller");
}

enum souk_err
bucket_create(struct db_tx *tx, const struct tenant_scope *s, struct str seller_id, struct str name,
    struct fail *f)
{
	bool inserted = false;
	enum souk_err err;

	if (!scope_manages(s, seller_id))
		return no_such_seller(f);
	if ((err = lock_subject(tx, name.p, name.n)) != SOUK_OK ||
	    (err = lock_owner(tx, seller_id)) != SOUK_OK ||
	    (err = check_new(tx, seller_id, name, f)) != SOUK_OK ||
	    (err = bucket_row_insert(tx, seller_id, name, &inserted)) != SOUK_OK)
		return err;
	return inserted ? SOUK_OK : no_such_seller(f);
}

enum souk_err
bucket_get(struct db_tx *tx, const struct tenant_scope *s, struct str name, struct bucket *ret)
{
	struct bucket b;
	enum souk_err err;

	if ((err = bucket_owner(tx, name, &b)) != SOUK_OK)
		return err;
	if (!scope_manages(s, str_c(b.seller_id)))
		return SOUK_E_NOT_FOUND;
	*ret = b;
	return SOUK_OK;
}

enum souk_err
bucket_delete(struct db_tx *tx, const struct tenant_scope *s, struct str name, struct fail *f)
{
	struct bucket b;
	bool used;
	enum souk_err err;

	if ((err = bucket_get(tx, s, name, &b)) != SOUK_OK)
		return err == SOUK_E_NOT_FOUND
			   ? fail_set(f, err, "no_such_bucket", "there is no such bucket")
			   : err;
	if ((err = lock_owner(tx, str_c(b.seller_id))) != SOUK_OK ||
	    (err = bucket_row_used(tx, str_c(b.seller_id), name, &used)) != SOUK_OK)
		return err;
	if (used)
		return fail_set(f, SOUK_E_CONFLICT, "bucket_not_empty",
		    "the bucket holds objects; delete them first or wait until they expire");
	return bucket_row_delete(tx, str_c(b.seller_id), name);
}

enum souk_err
bucket_list(struct db_tx *tx, const struct tenant_scope *s, struct str seller_id, struct arena *mem,
    struct bucket **ret, size_t *ret_n)
{
	if (!scope_manages(s, seller_id))
		return SOUK_E_NOT_FOUND;
	return bucket_rows(tx, seller_id, mem, ret, ret_n);
}
