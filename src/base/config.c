/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Settings: the table, and who may say what (command line over environment over
 * souk.ini over default).
 *
 * Error texts name places and settings but never repeat a value: one of them may
 * be a secret put on the wrong line.
 */
#include "base/config.h"

#include "base/io.h"
#include "base/utf8.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define INI_MAX ((size_t)256 * 1024)

#define TEXT(n, d, h)                                                                              \
	{                                                                                          \
		.name = (n), .kind = SETTING_TEXT, .deflt = (d), .help = (h)                       \
	}
#define WORD(n, d, c, h)                                                                           \
	{                                                                                          \
		.name = (n), .kind = SETTING_TEXT, .deflt = (d), .choices = (c), .help = (h)       \
	}
#define BOOL(n, d, h)                                                                              \
	{                                                                                          \
		.name = (n), .kind = SETTING_BOOL, .deflt = (d), .choices = "true|false",          \
		.help = (h)                                                                        \
	}
#define SECRET(n, h)                                                                               \
	{                                                                                          \
		.name = (n), .kind = SETTING_TEXT, .deflt = "", .secret = true, .help = (h)        \
	}
#define INT(n, d, lo, hi, h)                                                                       \
	{                                                                                          \
		.name = (n), .kind = SETTING_INT, .deflt = (d), .min = (lo), .max = (hi),          \
		.help = (h)                                                                        \
	}

const struct setting_row setting_rows[SET__COUNT] = {
	[SET_LISTEN] = TEXT("listen", "127.0.0.1:8080",
	    "Address and port to listen on, as HOST:PORT or [IPv6]:PORT; port 0 picks a free one."),
	[SET_PUBLIC_URL] = TEXT("public-url", "",
	    "What links in messages begin with, e.g. https://souk.example; default: the listen "
	    "address."),
	[SET_TLS_CERT] = TEXT("tls-cert", "", "PEM file with the certificate chain."),
	[SET_TLS_KEY] = TEXT("tls-key", "", "PEM file with the private key."),
	[SET_BEHIND_PROXY] = BOOL("behind-proxy", "false",
	    "A proxy in front ends TLS, so listening beyond loopback without it is fine."),
	[SET_DATABASE] = { .name = "database",
	    .kind = SETTING_TEXT,
	    .deflt = "",
	    .secret = true, /* a password may stand in it */
	    .help = "PostgreSQL database of a fleet, as postgresql://USER@HOST,HOST/DATABASE?...; "
		    "default: the embedded one, DATA/souk.db." },
	[SET_DATABASE_WRITERS] = INT("database.writers", "16", 1, 256,
	    "PostgreSQL: connections of this node that write; as many writes run at once."),
	[SET_DATABASE_READERS] =
	    INT("database.readers", "8", 1, 64, "Most connections of this node that read."),
	[SET_REGION] = TEXT("region", "us-east-1", "Region of the embedded buckets and topics."),
	[SET_S3_BASE_DOMAIN] = TEXT("s3-base-domain", "",
	    "Answers BUCKET.DOMAIN as well; default: the host of the public URL, localhost for a "
	    "loopback address."),
	[SET_KEY_RING_FILE] = TEXT("key-ring-file", "",
	    "File with the master keys; default: keyring.json in the data directory."),
	[SET_KEY_RING_COMMAND] = { .name = "key-ring-command",
	    .kind = SETTING_TEXT,
	    .deflt = "",
	    .secret = true,
	    .help = "Command that prints the key ring; used instead of the file." },
	[SET_OBJECT_RETENTION_DAYS] = INT("object-retention-days", "30", 1, 36500,
	    "Days until an object in an embedded bucket expires."),
	[SET_OBJECT_HOME] = WORD("object.home", "directory", "directory|s3",
	    "Where sealed objects are: objects/ in the data directory, or a bucket of an S3 "
	    "store."),
	[SET_OBJECT_S3_ENDPOINT] = TEXT("object.s3-endpoint", "",
	    "Address of the S3 store of object.home, e.g. https://s3.eu-central-1.amazonaws.com."),
	[SET_OBJECT_S3_REGION] =
	    TEXT("object.s3-region", "us-east-1", "Region of the bucket of object.home."),
	[SET_OBJECT_S3_BUCKET] =
	    TEXT("object.s3-bucket", "", "Bucket of object.home; it must be there."),
	[SET_OBJECT_S3_PREFIX] = TEXT("object.s3-prefix", "objects/",
	    "What souk's keys in the bucket begin with; one of its own for each installation."),
	[SET_OBJECT_S3_PATH_STYLE] = BOOL(
	    "object.s3-path-style", "false", "Ask for ENDPOINT/BUCKET instead of BUCKET.ENDPOINT."),
	[SET_OBJECT_S3_ACCESS_KEY_ID] =
	    TEXT("object.s3-access-key-id", "", "Access key for the bucket of object.home."),
	[SET_OBJECT_S3_SECRET_ACCESS_KEY] = { .name = "object.s3-secret-access-key",
	    .kind = SETTING_TEXT,
	    .deflt = "",
	    .secret = true,
	    .help = "Its secret; better in the environment than in the file." },
	[SET_OBJECT_S3_SSE] = WORD("object.s3-sse", "none", "none|AES256|aws:kms",
	    "Encryption to ask the store for, on top of souk's own."),
	[SET_OBJECT_S3_KMS_KEY_ID] =
	    TEXT("object.s3-kms-key-id", "", "Key for aws:kms; default: the store's own."),
	[SET_OBJECT_S3_CA_FILE] = TEXT(
	    "object.s3-ca-file", "", "PEM file with further certificates to trust at the store."),
	[SET_OBJECT_S3_TIMEOUT_SECONDS] =
	    INT("object.s3-timeout-seconds", "10", 1, 300, "How long the store may be silent."),
	[SET_TOPIC_PRIVATE_ADDRESSES] = BOOL("topic.private-addresses", "false",
	    "Allow topic endpoints on private, loopback and link-local addresses."),
	[SET_TOPIC_CA_FILE] = TEXT(
	    "topic.ca-file", "", "PEM file with further certificates to trust at topic endpoints."),
	[SET_TOPIC_RETRIES] = INT("topic.retries", "3", 0, 100,
	    "How often a message is sent again to an endpoint that failed."),
	[SET_TOPIC_RETRY_SECONDS] =
	    INT("topic.retry-seconds", "20", 1, 86400, "Seconds between two attempts."),
	[SET_DELIVERY_PRIVATE_ADDRESSES] = BOOL("delivery.private-addresses", "false",
	    "Allow sellers' stores and SNS services on private, loopback and link-local "
	    "addresses."),
	[SET_DELIVERY_CA_FILE] = TEXT("delivery.ca-file", "",
	    "PEM file with further certificates to trust at stores and SNS services."),
	[SET_DELIVERY_S3_KEY_ID] = TEXT("delivery.s3-access-key-id", "",
	    "Access key id of the operator, for the S3 stores of roles it lends it to."),
	[SET_DELIVERY_S3_SECRET] =
	    SECRET("delivery.s3-secret-access-key", "The secret that belongs to it."),
	[SET_DELIVERY_SNS_KEY_ID] = TEXT("delivery.sns-access-key-id", "",
	    "Access key id of the operator, for the SNS topics of roles it lends it to."),
	[SET_DELIVERY_SNS_SECRET] =
	    SECRET("delivery.sns-secret-access-key", "The secret that belongs to it."),
	[SET_MAIL_SERVER] = TEXT("mail.server", "",
	    "SMTP server for mails, as smtp://HOST:PORT (STARTTLS) or smtps://HOST:PORT; without "
	    "one mails wait."),
	[SET_MAIL_PLAIN] =
	    BOOL("mail.plain", "false", "Send without TLS; only to a server on this machine."),
	[SET_MAIL_USER] = TEXT("mail.user", "", "Login at the SMTP server."),
	[SET_MAIL_PASSWORD_FILE] =
	    TEXT("mail.password-file", "", "File that holds its password, and nothing else."),
	[SET_MAIL_CA_FILE] = TEXT(
	    "mail.ca-file", "", "PEM file with further certificates to trust at the SMTP server."),
	[SET_MAIL_FROM] =
	    TEXT("mail.from", "", "Address that mails are from; needed with mail.server."),
	[SET_MAIL_FROM_NAME] = TEXT("mail.from-name", "", "Name shown with it."),
	[SET_MAIL_BOUNCES_TO] = TEXT("mail.bounces-to", "",
	    "Address that delivery reports go to (piped to `souk mail bounce`); default: "
	    "mail.from."),
	[SET_MAIL_TIMEOUT_SECONDS] =
	    INT("mail.timeout-seconds", "30", 1, 600, "How long sending one mail may take."),
	[SET_MAIL_RETRY_SECONDS] = INT("mail.retry-seconds", "30", 1, 3600,
	    "Pause before a mail that was put off is sent again; it doubles, up to half an hour."),
	[SET_MAIL_GIVE_UP_HOURS] = INT(
	    "mail.give-up-hours", "120", 1, 8760, "How long a mail is tried until it has failed."),
	[SET_MAIL_KEEP_DAYS] = INT("mail.keep-days", "730", 1, 36500,
	    "Days until recipient and text of a mail are erased; that it was sent stays known."),
	[SET_FULFILMENT_REMINDER_HOURS] = INT("fulfilment.reminder-hours", "24", 0, 720,
	    "Hours before first contact, or a promised access, is due at which the seller is "
	    "reminded; 0: never."),
	[SET_FULFILMENT_ESCALATION_HOURS] = INT("fulfilment.escalation-hours", "24", 0, 720,
	    "Hours after which the operator is told of a fulfilment that is overdue."),
	[SET_JOB_WORKERS] = INT("job.workers", "4", 1, 64, "Threads that run jobs."),
	[SET_JOB_ATTEMPTS] = INT(
	    "job.attempts", "8", 1, 100, "Runs of a job until it is put aside with its reason."),
	[SET_HTTP_THREADS] = INT("http.threads", "2", 1, 64, "Threads that answer requests."),
	[SET_HTTP_CONNECTIONS] = INT("http.connections", "4096", 16, 1000000,
	    "Connections open at a time; more are refused."),
	[SET_BODY_MAX_BYTES] = INT("http.body-max-bytes", "1048576", 1024, INT64_C(1) << 30,
	    "Largest request body; longer ones are refused."),
	[SET_CLOCK_SKEW_SECONDS] =
	    INT("sigv4.skew-seconds", "300", 1, 86400, "How far a signature's time may be off."),
	[SET_CLOCK_SKEW_S3_SECONDS] =
	    INT("sigv4.skew-s3-seconds", "900", 1, 86400, "The same for S3 requests."),
	[SET_METERING_LATE_HOURS] =
	    INT("metering.late-hours", "6", 1, 744, "How long after it usage may be told."),
	[SET_DATA_SET_DEPRECATED] = WORD("data-set.deprecated", "answer", "answer|refuse",
	    "Asked for a data set that is no longer published: take the request and say so in its "
	    "notification, or refuse the call."),
	[SET_REVIEW_EDITION] = WORD("review.edition", "G21", "G21|G22",
	    "Edition of the rules that listings of professional services are reviewed by."),
	[SET_REVIEW_CATEGORIES] = TEXT("review.categories", "",
	    "Categories of the marketplace, with commas between them; default: any may be named."),
	[SET_REVIEW_DATA_USE_TERMS] = TEXT("review.data-use-terms", "",
	    "Current version of the terms on the use of customer data; default: any may be "
	    "accepted."),
	[SET_REVIEW_TWO_PEOPLE] = BOOL("review.two-people", "false",
	    "What people decide before a listing goes public needs the approval of two."),
	[SET_REVIEW_EVERY_DAYS] = INT("review.every-days", "7", 1, 366,
	    "How often a listing is reviewed again though nothing changed."),
	[SET_REVIEW_GRACE_DAYS] = INT("review.grace-days", "10", 0, 366,
	    "How long a seller has to mend a listing that others can see, before new subscriptions "
	    "are refused."),
	[SET_REVIEW_THREADS] =
	    INT("review.threads", "2", 1, 64, "Threads that review many listings at once."),
	[SET_REVIEW_TOPIC] = TEXT("review.topic", "listing-reviews",
	    "Name of the seller's topic that is told when a listing's standing changes; a seller "
	    "without one is told by mail alone."),
	[SET_REVIEW_FETCH_LOGOS] = BOOL("review.fetch-logos", "true",
	    "Fetch the logo that a change request sets from its public S3 address, and review it."),
	[SET_REVIEW_LOGO_GATEWAY] = TEXT("review.logo-gateway", "",
	    "HOST:PORT that logos are fetched from in the place of the hosts that their addresses "
	    "name; it answers in their names. Default: those hosts."),
	[SET_REVIEW_LOGO_CA_FILE] = TEXT("review.logo-ca-file", "",
	    "PEM file with further certificates to trust where logos are fetched."),
	[SET_REVIEW_MARKS] = TEXT("review.marks", "",
	    "Folder of images of reserved marks that no logo may look like, read when the server "
	    "starts. Default: none."),
	[SET_CATALOG_OPEN_CHANGE_SETS] = INT("catalog.open-change-sets", "20", 1, 10000,
	    "Change sets of a seller under way at a time; more are refused."),
	[SET_REQUESTS_PER_SECOND] = INT("requests-per-second", "0", 0, 1000000,
	    "Requests a second per access key or token; 0: no limit."),
	[SET_LOG_LEVEL] = WORD(
	    "log.level", "info", "debug|info|warn|error|off", "The least important events to log."),
	[SET_LOG_FORMAT] = WORD("log.format", "text", "text|json", "How log lines are written."),
};

struct config {
	struct value {
		char *text;
		int64_t number; /* of SETTING_INT and SETTING_BOOL */
		char source[48];
	} value[SET__COUNT];
};

/* Is `s` one of the words in "a|b|c"? */
static bool
is_choice(const char *choices, struct str s)
{
	struct str rest = str_c(choices), word;

	while (str_split(&rest, '|', &word))
		if (str_eq(word, s))
			return true;
	return false;
}

/* HOST:PORT or [IPv6]:PORT. */
static bool
is_listen(struct str s)
{
	const char *colon = s.n > 0 ? memrchr(s.p, ':', s.n) : NULL;
	size_t host = colon ? (size_t)(colon - s.p) : 0;
	uint64_t port;

	if (host == 0 || !str_to_u64((struct str){ colon + 1, s.n - host - 1 }, 65535, &port))
		return false;
	if (s.p[0] == '[')
		return host > 2 && s.p[host - 1] == ']';
	return !memchr(s.p, ':', host);
}

static bool
is_url(struct str s)
{
	return s.n == 0 || str_starts(s, STR("http://")) || str_starts(s, STR("https://"));
}

/* Is `s` a value for the setting? If not, the fix in words. Numbers go to *ret_number. */
static bool
value_fits(enum setting_id id, struct str s, int64_t *ret_number, char fix[160])
{
	const struct setting_row *r = &setting_rows[id];
	int64_t number = str_eq(s, STR("true"));

	if (r->kind == SETTING_INT &&
	    (!str_to_i64(s, &number) || number < r->min || number > r->max))
		(void)snprintf(
		    fix, 160, "give a whole number from %" PRId64 " to %" PRId64, r->min, r->max);
	else if (r->choices && !is_choice(r->choices, s))
		(void)snprintf(fix, 160, "give one of %s", r->choices);
	else if (id == SET_LISTEN && !is_listen(s))
		(void)snprintf(fix, 160, "give HOST:PORT, e.g. %s", r->deflt);
	else if (id == SET_DATABASE && s.n > 0 && !str_starts(s, STR("postgresql://")) &&
		 !str_starts(s, STR("postgres://")))
		(void)snprintf(fix, 160, "begin it with postgresql://, or leave it out");
	else if (id == SET_PUBLIC_URL && !is_url(s))
		(void)snprintf(fix, 160, "begin it with https:// or http://");
	else if (!utf8_valid(s) || utf8_has_control(s))
		(void)snprintf(fix, 160, "write it as UTF-8 text without control characters");
	else {
		*ret_number = number;
		return true;
	}
	return false;
}

/* `place` is the error's field: where the value stands, with the setting's name. */
static enum souk_err
assign(struct config *c, enum setting_id id, struct str s, const char *source, const char *place,
    struct fail *f)
{
	struct value *v = &c->value[id];
	char fix[160], *text;
	int64_t number;

	if (!value_fits(id, s, &number, fix))
		return fail_field(f, place, "has a value that cannot be used", fix);
	if (!(text = strndup(s.p, s.n)))
		return fail_set(f, SOUK_E_NOMEM, "out_of_memory", "No memory for the settings.");
	free(v->text);
	v->text = text;
	v->number = number;
	(void)snprintf(v->source, sizeof(v->source), "%s", source);
	return SOUK_OK;
}

static bool
setting_find(struct str name, enum setting_id *ret)
{
	for (unsigned i = 0; i < SET__COUNT; i++)
		if (str_eq_c(name, setting_rows[i].name)) {
			*ret = (enum setting_id)i;
			return true;
		}
	return false;
}

struct ini {
	struct config *c;
	const char *file; /* last part of its path */
	size_t line;
	size_t seen[SET__COUNT]; /* line on which a setting stood, 0 when it did not */
};

static enum souk_err
ini_assign(struct ini *ini, struct str name, struct str v, const char *source, struct fail *f)
{
	char place[80], what[160];
	enum setting_id id;

	if (!utf8_valid(name) || utf8_has_control(name))
		return fail_field(
		    f, source, "has a name that is not text", "write the file in UTF-8");
	(void)snprintf(
	    place, sizeof(place), "%s: %.*s", source, name.n < 40 ? (int)name.n : 40, name.p);
	if (!setting_find(name, &id))
		return fail_field(
		    f, place, "is not a setting", "see `souk config show` for the names");
	if (ini->seen[id] > 0) {
		(void)snprintf(what, sizeof(what), "was set before, on line %zu", ini->seen[id]);
		return fail_field(f, place, what, "keep one of the two");
	}
	ini->seen[id] = ini->line;
	return assign(ini->c, id, v, source, place, f);
}

/* One line: blank, a comment, or NAME = VALUE. */
static enum souk_err
ini_line(struct ini *ini, struct str line, struct fail *f)
{
	struct str name, rest = str_trim(line);
	char source[48];

	if (rest.n == 0 || rest.p[0] == '#' || rest.p[0] == ';')
		return SOUK_OK;
	(void)snprintf(source, sizeof(source), "%.24s:%zu", ini->file, ini->line);
	if (!memchr(rest.p, '=', rest.n))
		return fail_field(
		    f, source, "is neither a setting nor a comment", "write NAME = VALUE");
	(void)str_split(&rest, '=', &name);
	return ini_assign(ini, str_trim(name), str_trim(rest), source, f);
}

static enum souk_err
read_ini(struct config *c, const char *path, struct fail *f)
{
	const char *slash = strrchr(path, '/');
	struct ini ini = { .c = c, .file = slash ? slash + 1 : path };
	struct fail io = { 0 };
	struct buf text = { 0 };
	struct str rest, line;
	enum souk_err err = io_read_file(path, INI_MAX, &text, &io);

	if (err == SOUK_E_NOT_FOUND)
		err = SOUK_OK;
	else if (err != SOUK_OK)
		(void)fail_set(f, err, io.code, "%s", io.detail);
	rest = buf_str(&text);
	while (err == SOUK_OK && str_split(&rest, '\n', &line)) {
		ini.line++;
		err = ini_line(&ini, line, f);
	}
	buf_done(&text);
	return err;
}

/* Other SOUK_ variables are not ours to judge: Kubernetes makes some for a service called souk. */
static enum souk_err
read_environment(struct config *c, struct fail *f)
{
	for (unsigned i = 0; i < SET__COUNT; i++) {
		char name[48];
		const char *v;
		enum souk_err err;
		int n = snprintf(name, sizeof(name), "SOUK_%s", setting_rows[i].name);

		for (int k = 0; k < n; k++)
			name[k] = (char)(name[k] == '-' || name[k] == '.'
					     ? '_'
					     : toupper((unsigned char)name[k]));
		v = getenv(name);
		if (v && (err = assign(c, (enum setting_id)i, str_c(v), name, name, f)) != SOUK_OK)
			return err;
	}
	return SOUK_OK;
}

static enum souk_err
read_defaults(struct config *c, struct fail *f)
{
	enum souk_err err = SOUK_OK;

	for (unsigned i = 0; i < SET__COUNT && err == SOUK_OK; i++)
		err = assign(c, (enum setting_id)i, str_c(setting_rows[i].deflt), "default",
		    setting_rows[i].name, f);
	return err;
}

enum souk_err
config_load(const char *ini_path, struct config **ret, struct fail *f)
{
	struct config *c = calloc(1, sizeof(*c));
	enum souk_err err;

	if (!c)
		return fail_set(f, SOUK_E_NOMEM, "out_of_memory", "No memory for the settings.");
	if ((err = read_defaults(c, f)) == SOUK_OK && (err = read_ini(c, ini_path, f)) == SOUK_OK &&
	    (err = read_environment(c, f)) == SOUK_OK) {
		*ret = c;
		c = NULL;
	}
	config_free(c);
	return err;
}

void
config_free(struct config *c)
{
	if (!c)
		return;
	for (unsigned i = 0; i < SET__COUNT; i++)
		free(c->value[i].text);
	free(c);
}

enum souk_err
config_set(struct config *c, enum setting_id id, const char *value, struct fail *f)
{
	return assign(c, id, str_c(value), "command line", setting_rows[id].name, f);
}

const char *
config_text(const struct config *c, enum setting_id id)
{
	return c->value[id].text;
}

int64_t
config_int(const struct config *c, enum setting_id id)
{
	return c->value[id].number;
}

bool
config_bool(const struct config *c, enum setting_id id)
{
	return c->value[id].number != 0;
}

const char *
config_source(const struct config *c, enum setting_id id)
{
	return c->value[id].source;
}
