/* SPDX-License-Identifier: Apache-2.0 */
/* Variables and files of the AWS command line; see s3_profile.h. */
#include "delivery/s3_profile.h"

#include "base/secret.h"

#include <stdio.h>
#include <stdlib.h>

#define FILE_MAX ((size_t)1 << 20)

enum value { V_KEY_ID, V_SECRET, V_TOKEN, V_REGION, V_ENDPOINT, V_CA_BUNDLE, V__COUNT };

static const char *const names[V__COUNT] = {
	[V_KEY_ID] = "aws_access_key_id",
	[V_SECRET] = "aws_secret_access_key",
	[V_TOKEN] = "aws_session_token",
	[V_REGION] = "region",
	[V_ENDPOINT] = "endpoint_url",
	[V_CA_BUNDLE] = "ca_bundle",
};

struct profile {
	const char *name;
	bool named; /* by a variable: then it must be there */
	bool found;
	char *value[V__COUNT]; /* NULL: not said */
};

static enum souk_err
out_of_memory(struct fail *f)
{
	return fail_set(f, SOUK_E_NOMEM, "out_of_memory", "No memory to read the AWS settings.");
}

/* A variable that is set and not empty, else NULL. */
static const char *
variable(const char *name)
{
	const char *v = getenv(name);

	return v && v[0] ? v : NULL;
}

static const char *
first_of(const char *a, const char *b, const char *c)
{
	return a ? a : b ? b : c;
}

/* ---- files ---- */

/* "[name]" of the credentials file; "[default]" or "[profile name]" of the other. */
static bool
is_section_of(struct str line, const char *profile)
{
	struct str word;

	line = str_trim((struct str){ .p = line.p + 1, .n = line.n - 2 });
	if (str_eq_c(line, profile))
		return true;
	return str_split(&line, ' ', &word) && str_eq(word, STR("profile")) && line.p &&
	       str_eq_c(str_trim(line), profile);
}

/* What an earlier file said stays. */
static bool
take_line(struct profile *p, struct str line)
{
	struct str name;

	(void)str_split(&line, '=', &name);
	name = str_trim(name);
	if (!line.p)
		return true;
	line = str_trim(line);
	for (unsigned i = 0; i < V__COUNT; i++)
		if (line.n > 0 && str_eq_c(name, names[i]) && !p->value[i])
			return (p->value[i] = strndup(line.p, line.n)) != NULL;
	return true;
}

static bool
take_file(struct profile *p, struct str text)
{
	bool ok = true, mine = false;
	struct str line;

	while (ok && str_split(&text, '\n', &line)) {
		bool nested = line.n > 0 && (line.p[0] == ' ' || line.p[0] == '\t');

		line = str_trim(line);
		if (line.n == 0 || line.p[0] == '#' || line.p[0] == ';' || nested)
			continue;
		if (line.p[0] == '[' && line.p[line.n - 1] == ']') {
			mine = is_section_of(line, p->name);
			p->found |= mine;
		} else if (mine) {
			ok = take_line(p, line);
		}
	}
	return ok;
}

/* The file that a variable names, or the one below the home directory; that there is none is fine. */
static enum souk_err
read_file(struct profile *p, const char *var, const char *usual, struct fail *f)
{
	const char *path = variable(var), *home = variable("HOME");
	struct buf text = { 0 }, where = { 0 };
	struct fail why = { 0 };
	enum souk_err err;

	if (!path && !home)
		return SOUK_OK;
	if (path)
		buf_add_c(&where, path);
	else
		buf_printf(&where, "%s/%s", home, usual);
	err = buf_ok(&where) ? io_read_file(where.p, FILE_MAX, &text, &why) : SOUK_E_NOMEM;
	if (err == SOUK_OK && !take_file(p, buf_str(&text)))
		err = SOUK_E_NOMEM;
	if (err == SOUK_E_NOMEM)
		err = out_of_memory(f);
	else if (err == SOUK_E_NOT_FOUND)
		err = SOUK_OK;
	else if (err != SOUK_OK)
		err = fail_set(f, err, why.code, "%s", why.detail);
	if (text.p)
		wipe(text.p, text.n);
	buf_done(&text);
	buf_done(&where);
	return err;
}

static enum souk_err
profile_read(struct profile *p, struct fail *f)
{
	const char *name = first_of(variable("AWS_PROFILE"), variable("AWS_DEFAULT_PROFILE"), NULL);
	enum souk_err err;

	*p = (struct profile){ .name = name ? name : "default", .named = name != NULL };
	err = read_file(p, "AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials", f);
	if (err == SOUK_OK)
		err = read_file(p, "AWS_CONFIG_FILE", ".aws/config", f);
	if (err == SOUK_OK && p->named && !p->found)
		err = fail_field(f, "AWS_PROFILE", "names a profile that is in no AWS file",
		    "correct it, or unset it");
	return err;
}

static void
profile_done(struct profile *p)
{
	for (unsigned i = 0; i < V__COUNT; i++) {
		if (p->value[i])
			wipe(p->value[i], strlen(p->value[i]));
		free(p->value[i]);
	}
}

/* ---- the target ---- */

/* One place gives the id, the secret and the token. */
static enum souk_err
set_credentials(const struct profile *p, struct s3_target *t, struct fail *f)
{
	bool environment = variable("AWS_ACCESS_KEY_ID") != NULL;

	t->access_key_id = environment ? variable("AWS_ACCESS_KEY_ID") : p->value[V_KEY_ID];
	t->secret = str_c(environment ? variable("AWS_SECRET_ACCESS_KEY") : p->value[V_SECRET]);
	t->session_token = environment ? variable("AWS_SESSION_TOKEN") : p->value[V_TOKEN];
	t->names.access_key_id = environment ? "AWS_ACCESS_KEY_ID" : names[V_KEY_ID];
	t->names.secret = environment ? "AWS_SECRET_ACCESS_KEY" : names[V_SECRET];
	if (t->access_key_id && t->secret.n > 0)
		return SOUK_OK;
	return fail_field(f, t->access_key_id ? t->names.secret : "AWS_ACCESS_KEY_ID",
	    t->access_key_id ? "is missing beside the access key id"
			     : "is not set, and the AWS files have no key of the profile",
	    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE; `aws configure "
	    "export-credentials --format env` prints them for other logins");
}

static enum souk_err
set_place(const struct profile *p, struct s3_target *t, char amazon[128], struct fail *f)
{
	const char *given = first_of(
	    variable("AWS_ENDPOINT_URL_S3"), variable("AWS_ENDPOINT_URL"), p->value[V_ENDPOINT]);

	t->region = first_of(variable("AWS_REGION"), variable("AWS_DEFAULT_REGION"),
	    p->value[V_REGION] ? p->value[V_REGION] : "us-east-1");
	t->ca_file = first_of(variable("AWS_CA_BUNDLE"), p->value[V_CA_BUNDLE], NULL);
	if (!t->endpoint)
		t->endpoint = given;
	t->path_style = t->endpoint != NULL || strchr(t->bucket, '.') != NULL;
	if (t->endpoint)
		return SOUK_OK;
	if (strlen(t->region) > 63)
		return fail_field(f, "AWS_REGION", "is not a region", "give one like eu-central-1");
	(void)snprintf(amazon, 128, "https://s3.%s.amazonaws.com%s", t->region,
	    strncmp(t->region, "cn-", 3) == 0 ? ".cn" : "");
	t->endpoint = amazon;
	return SOUK_OK;
}

enum souk_err
s3_profile_client(const char *bucket, const char *bucket_option, const char *endpoint,
    const char *endpoint_option, struct s3_client **ret, struct fail *f)
{
	struct s3_target t = { .bucket = bucket,
		.endpoint = endpoint,
		.allow_private = true,
		.allow_plain = true,
		.names = { .endpoint = endpoint_option,
		    .bucket = bucket_option,
		    .region = "AWS_REGION",
		    .ca_file = "AWS_CA_BUNDLE",
		    .rights = "reading and listing (s3:GetObject, s3:ListBucket)" } };
	struct profile p;
	struct s3_error e;
	char amazon[128];
	enum souk_err err = profile_read(&p, f);

	if (err == SOUK_OK && (err = set_credentials(&p, &t, f)) == SOUK_OK &&
	    (err = set_place(&p, &t, amazon, f)) == SOUK_OK &&
	    s3_client_new(&t, ret, &e) != SOUK_OK)
		err = s3_error_fail(&e, f);
	profile_done(&p);
	return err;
}
