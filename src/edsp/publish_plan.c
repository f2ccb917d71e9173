/* SPDX-License-Identifier: Apache-2.0 */
/* Publication plans: what is published to a seller without asking, and where. */
#include "edsp/publish.h"

#include "delivery/request_start.h"
#include "edsp/publish_store.h"
#include "market/account.h"
#include "market/check.h"

#define ARN_MAX 2048
#define BUCKET_MAX 255

enum { M_ROLE, M_BUCKET, M_PREFIX, M_TOPIC, M_SETS, M_FEEDS, M__COUNT };

/* Each once. */
static void
check_sets(struct check *c, const struct json_member *m, struct arena *mem, struct str *io)
{
	bool there[DS_LIVE_COUNT] = { false };
	struct buf b = { 0 };
	struct jw w;

	jw_init(&w, &b);
	jw_open(&w, NULL, '[');
	for (size_t i = 0; i < json_array_size(m->got); i++) {
		const json_t *v = json_array_get(m->got, i);
		enum data_set d = DS__COUNT;

		if (!json_is_string(v) || !data_set_find(str_c(json_string_value(v)), &d) ||
		    data_set_deprecated(d) || there[d]) {
			check_fail(c, m->name,
			    "has what is no data set that is published, or one twice",
			    "list types such as daily_business_usage_by_instance_type, each once");
			break;
		}
		there[d] = true;
		jw_c(&w, NULL, data_set_info(d)->name);
	}
	jw_close(&w, ']');
	*io = buf_ok(&b) ? arena_str(mem, buf_str(&b)) : (struct str){ NULL, 0 };
	if (!io->p)
		c->err = SOUK_E_NOMEM;
	buf_done(&b);
}

enum souk_err
publication_plan_parse(
    const json_t *o, struct arena *mem, struct publication_plan *ret, struct fail *f)
{
	struct json_member m[M__COUNT] = {
		[M_ROLE] = { .name = "roleArn", .kind = JSON_K_STR, .required = true },
		[M_BUCKET] = { .name = "bucket", .kind = JSON_K_STR, .required = true },
		[M_PREFIX] = { .name = "prefix", .kind = JSON_K_STR, .nullable = true },
		[M_TOPIC] = { .name = "topicArn", .kind = JSON_K_STR, .required = true },
		[M_SETS] = { .name = "dataSets", .kind = JSON_K_ARR, .required = true },
		[M_FEEDS] = { .name = "feeds", .kind = JSON_K_BOOL },
	};
	struct publication_plan p = { .prefix = { NULL, 0 } };
	struct check c = { .f = f };

	c.err = json_take(o, m, M__COUNT, f);
	check_text(&c, &m[M_ROLE], 1, ARN_MAX, &p.role_arn);
	check_text(&c, &m[M_BUCKET], 1, BUCKET_MAX, &p.bucket);
	check_text(&c, &m[M_TOPIC], 1, ARN_MAX, &p.topic_arn);
	if (m[M_PREFIX].got)
		check_text(&c, &m[M_PREFIX], 1, REQUEST_PREFIX_MAX, &p.prefix);
	if (p.prefix.n > REQUEST_PREFIX_MAX)
		check_fail(&c, "prefix", "is longer than 900 bytes", "give a shorter one");
	check_sets(&c, &m[M_SETS], mem, &p.data_sets);
	check_bool(&m[M_FEEDS], &p.feeds);
	if (c.err == SOUK_OK)
		*ret = p;
	return c.err;
}

static bool
may_see(const struct tenant_scope *s, struct str seller_id)
{
	return tenant_is_operator(s) || (tenant_is_seller(s) && seller_id.n == ACCOUNT_ID_LEN &&
					    str_eq(tenant_account(s), seller_id));
}

enum souk_err
publication_plan_set(struct db_tx *tx, const struct tenant_scope *s, struct str seller_id,
    int64_t seen, struct publication_plan *io, struct fail *f)
{
	struct arena *mem;
	struct publication_plan old = { .revision = 0 };
	struct account a;
	bool found = false;
	enum souk_err r;

	if (!may_see(s, seller_id))
		return fail_not_found(f);
	if ((r = lock_owner(tx, seller_id)) != SOUK_OK)
		return r;
	if (!(mem = arena_new(65536)))
		return SOUK_E_NOMEM;
	if ((r = account_get(tx, s, seller_id, mem, &a)) == SOUK_OK && !a.is_seller)
		r = SOUK_E_NOT_FOUND;
	if (r == SOUK_OK && (r = plan_store_load(tx, seller_id, mem, &old)) == SOUK_E_NOT_FOUND)
		r = SOUK_OK;
	else if (r == SOUK_E_NOT_FOUND)
		(void)fail_not_found(f);
	arena_free(mem);
	if (r != SOUK_OK)
		return r;
	if (seen != 0 && seen != old.revision)
		return fail_revision(f);
	io->revision = old.revision + 1;
	return plan_store_put(tx, seller_id, io, tenant_actor(s), &found);
}

enum souk_err
publication_plan_get(struct db_tx *tx, const struct tenant_scope *s, struct str seller_id,
    struct arena *mem, struct publication_plan *ret)
{
	return may_see(s, seller_id) ? plan_store_load(tx, seller_id, mem, ret) : SOUK_E_NOT_FOUND;
}

enum souk_err
publication_plan_remove(struct db_tx *tx, const struct tenant_scope *s, struct str seller_id)
{
	return may_see(s, seller_id) ? plan_store_remove(tx, seller_id) : SOUK_E_NOT_FOUND;
}

void
publication_plan_json(struct str seller_id, const struct publication_plan *p, struct jw *out)
{
	jw_open(out, NULL, '{');
	jw_str(out, "sellerId", seller_id);
	jw_str(out, "roleArn", p->role_arn);
	jw_str(out, "bucket", p->bucket);
	if (p->prefix.p)
		jw_str(out, "prefix", p->prefix);
	else
		jw_null(out, "prefix");
	jw_str(out, "topicArn", p->topic_arn);
	jw_raw(out, "dataSets", p->data_sets);
	jw_bool(out, "feeds", p->feeds);
	jw_int(out, "revision", p->revision);
	jw_close(out, '}');
}
