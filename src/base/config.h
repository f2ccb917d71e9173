/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Settings are rows (style H21): the file DATA/souk.ini, the environment
 * (SOUK_LISTEN for `listen`), `souk config show` and the manual come from one table.
 */
#ifndef SOUK_BASE_CONFIG_H
#define SOUK_BASE_CONFIG_H

#include "base/error.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum setting_id {
	SET_LISTEN,     /* host:port */
	SET_PUBLIC_URL, /* what links in messages begin with; default: the listen address */
	SET_TLS_CERT,
	SET_TLS_KEY,
	SET_BEHIND_PROXY,
	SET_DATABASE, /* postgresql://...; default DATA/souk.db */
	SET_DATABASE_WRITERS,
	SET_DATABASE_READERS,
	SET_REGION,         /* region of the embedded buckets and topics, us-east-1 */
	SET_S3_BASE_DOMAIN, /* virtual-host style: bucket.DOMAIN; default: the public URL's host */
	SET_KEY_RING_FILE,  /* default DATA/keyring.json */
	SET_KEY_RING_COMMAND, /* prints the key ring instead of the file */
	SET_OBJECT_RETENTION_DAYS,
	SET_OBJECT_HOME, /* directory, s3; the next ones are of s3 */
	SET_OBJECT_S3_ENDPOINT,
	SET_OBJECT_S3_REGION,
	SET_OBJECT_S3_BUCKET,
	SET_OBJECT_S3_PREFIX,
	SET_OBJECT_S3_PATH_STYLE,
	SET_OBJECT_S3_ACCESS_KEY_ID,
	SET_OBJECT_S3_SECRET_ACCESS_KEY,
	SET_OBJECT_S3_SSE, /* none, AES256, aws:kms */
	SET_OBJECT_S3_KMS_KEY_ID,
	SET_OBJECT_S3_CA_FILE,
	SET_OBJECT_S3_TIMEOUT_SECONDS, /* silence of the store */
	SET_TOPIC_PRIVATE_ADDRESSES, /* allow endpoints on private, loopback and link-local addresses */
	SET_TOPIC_CA_FILE,           /* extra trusted certificates for endpoints */
	SET_TOPIC_RETRIES,
	SET_TOPIC_RETRY_SECONDS,
	SET_DELIVERY_PRIVATE_ADDRESSES, /* allow sellers' stores on private and loopback addresses */
	SET_DELIVERY_CA_FILE,           /* extra trusted certificates for stores and SNS services */
	SET_DELIVERY_S3_KEY_ID,         /* the operator's credentials, for roles it lends them to */
	SET_DELIVERY_S3_SECRET,
	SET_DELIVERY_SNS_KEY_ID,
	SET_DELIVERY_SNS_SECRET,
	SET_MAIL_SERVER, /* smtp://HOST[:PORT], smtps://HOST[:PORT]; "": mails wait */
	SET_MAIL_PLAIN,  /* without TLS; only on this machine */
	SET_MAIL_USER,
	SET_MAIL_PASSWORD_FILE,
	SET_MAIL_CA_FILE,
	SET_MAIL_FROM,
	SET_MAIL_FROM_NAME,
	SET_MAIL_BOUNCES_TO, /* default: mail.from */
	SET_MAIL_TIMEOUT_SECONDS,
	SET_MAIL_RETRY_SECONDS, /* first pause; doubles up to half an hour */
	SET_MAIL_GIVE_UP_HOURS,
	SET_MAIL_KEEP_DAYS,              /* then whom to and what is erased */
	SET_FULFILMENT_REMINDER_HOURS,   /* before a deadline; 0: none */
	SET_FULFILMENT_ESCALATION_HOURS, /* after it */
	SET_JOB_WORKERS,
	SET_JOB_ATTEMPTS,
	SET_HTTP_THREADS,
	SET_HTTP_CONNECTIONS,
	SET_BODY_MAX_BYTES,
	SET_CLOCK_SKEW_SECONDS, /* SigV4, services other than S3 */
	SET_CLOCK_SKEW_S3_SECONDS,
	SET_METERING_LATE_HOURS, /* how long after it usage may be told */
	SET_DATA_SET_DEPRECATED, /* answer, refuse */
	SET_REVIEW_EDITION,      /* G21, G22 */
	SET_REVIEW_CATEGORIES,
	SET_REVIEW_DATA_USE_TERMS,
	SET_REVIEW_TWO_PEOPLE,
	SET_REVIEW_EVERY_DAYS,
	SET_REVIEW_GRACE_DAYS,
	SET_REVIEW_THREADS,
	SET_REVIEW_TOPIC, /* of each seller */
	SET_REVIEW_FETCH_LOGOS,
	SET_REVIEW_LOGO_GATEWAY, /* HOST:PORT; "" the addresses' own hosts */
	SET_REVIEW_LOGO_CA_FILE,
	SET_REVIEW_MARKS, /* a folder; "" none */
	SET_CATALOG_OPEN_CHANGE_SETS,
	SET_REQUESTS_PER_SECOND, /* per access key or token; 0: no limit */
	SET_LOG_LEVEL,
	SET_LOG_FORMAT, /* text, json */
	SET__COUNT
};

enum setting_kind { SETTING_TEXT, SETTING_INT, SETTING_BOOL };

struct setting_row {
	const char *name; /* in souk.ini: listen, topic.private-addresses ... */
	enum setting_kind kind;
	const char *deflt;   /* as text; "" when none */
	const char *choices; /* SETTING_TEXT: "a|b|c", NULL when anything goes */
	int64_t min, max;    /* SETTING_INT */
	bool secret;         /* masked by config show */
	const char *help;
};

extern const struct setting_row setting_rows[SET__COUNT];

struct config; /* immutable once loaded; share freely between threads */

/*
 * Reads `ini_path` (a missing file is an empty one), then the environment. An unknown
 * name, a bad value or a doubled name fails and says line and fix. SOUK_ variables that
 * name no setting are ignored; a variable that is set but empty is a value.
 */
SOUK_MUST enum souk_err config_load(const char *ini_path, struct config **ret, struct fail *f);
void config_free(struct config *c);
/* Before sharing: a command-line option wins over everything. */
SOUK_MUST enum souk_err config_set(
    struct config *c, enum setting_id id, const char *value, struct fail *f);
const char *config_text(const struct config *c, enum setting_id id);
int64_t config_int(const struct config *c, enum setting_id id);
bool config_bool(const struct config *c, enum setting_id id);
/* Where the value came from: "default", "souk.ini:12", "SOUK_LISTEN", "command line". */
const char *config_source(const struct config *c, enum setting_id id);

#endif
