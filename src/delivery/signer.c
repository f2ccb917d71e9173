/* SPDX-License-Identifier: Apache-2.0 */
/* The signing key of topics: made once, sealed, loaded; see signer.h. */
#include "delivery/signer.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/secret.h"

#include <gnutls/abstract.h>
#include <gnutls/x509.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define META_KEY "sns.signing-key"  /* base64 of the wrapped data key and the sealed DER */
#define META_CERT "sns.certificate" /* PEM */
#define KEY_CONTEXT STR("sns:signing-key")
#define CERT_DAYS 3650
#define KEY_BITS 2048
#define SEALED_MAX 4096

struct signer {
	gnutls_privkey_t key;
	pthread_mutex_t lock; /* GnuTLS promises nothing about one key in two threads */
	struct buf pem;
	char name[64];
};

/* What the database holds. */
struct kept {
	struct buf key, cert;
};

static void
kept_done(struct kept *k)
{
	buf_done(&k->key);
	buf_done(&k->cert);
}

static enum souk_err
load(struct db_tx *tx, void *arg)
{
	struct kept *k = arg;
	enum souk_err err;

	buf_clear(&k->key);
	buf_clear(&k->cert);
	if ((err = db_meta_get(tx, META_KEY, &k->key)) != SOUK_OK)
		return err;
	return db_meta_get(tx, META_CERT, &k->cert);
}

/* ---- sealing ---- */

static enum souk_err
seal_key(struct vault *v, const gnutls_datum_t *der, struct buf *ret)
{
	uint8_t sealed[SEALED_MAX];
	struct wrapped_key wrapped;
	struct data_key k;
	struct buf both = { 0 };

	if (der->size + VAULT_OVERHEAD > sizeof(sealed))
		return SOUK_E_INTERNAL;
	vault_key_new(v, KEY_CONTEXT, &k, &wrapped);
	vault_seal(&k, KEY_CONTEXT, der->data, der->size, sealed);
	wipe(&k, sizeof(k));
	buf_add(&both, wrapped.b, sizeof(wrapped.b));
	buf_add(&both, sealed, der->size + VAULT_OVERHEAD);
	buf_add_base64(ret, buf_str(&both).p, both.n);
	buf_done(&both);
	return buf_ok(ret) ? SOUK_OK : SOUK_E_NOMEM;
}

/* Wrapped key and sealed bytes apart. */
static enum souk_err
decode(struct str text, uint8_t out[SEALED_MAX], struct str *ret_wrapped, struct str *ret_sealed)
{
	size_t n;

	if (!base64_decode(text, out, SEALED_MAX, &n) || n < VAULT_WRAPPED_LEN + VAULT_OVERHEAD)
		return SOUK_E_STORAGE;
	*ret_wrapped = (struct str){ .p = (char *)out, .n = VAULT_WRAPPED_LEN };
	*ret_sealed =
	    (struct str){ .p = (char *)out + VAULT_WRAPPED_LEN, .n = n - VAULT_WRAPPED_LEN };
	return SOUK_OK;
}

static enum souk_err
unseal_key(struct vault *v, struct str text, gnutls_x509_privkey_t *ret)
{
	uint8_t raw[SEALED_MAX], plain[SEALED_MAX];
	struct str wrapped, sealed;
	struct data_key k = { 0 };
	gnutls_datum_t der = { .data = plain };
	gnutls_x509_privkey_t key = NULL;
	enum souk_err err;

	if ((err = decode(text, raw, &wrapped, &sealed)) != SOUK_OK ||
	    (err = vault_key_unwrap(v, KEY_CONTEXT, wrapped, &k)) != SOUK_OK ||
	    (err = vault_unseal(&k, KEY_CONTEXT, sealed, plain)) != SOUK_OK)
		goto out;
	der.size = (unsigned)(sealed.n - VAULT_OVERHEAD);
	if (gnutls_x509_privkey_init(&key) != 0 ||
	    gnutls_x509_privkey_import(key, &der, GNUTLS_X509_FMT_DER) != 0) {
		gnutls_x509_privkey_deinit(key);
		err = SOUK_E_STORAGE;
		goto out;
	}
	*ret = key;
out:
	wipe(&k, sizeof(k));
	wipe(plain, sizeof(plain));
	return err;
}

/* ---- making ---- */

static int
describe(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key, const char *region)
{
	char dn[160];
	uint8_t serial[16];
	const char *bad;
	time_t now = (time_t)(clock_now() / SECOND_MS);
	int rc;

	random_bytes(serial, sizeof(serial));
	serial[0] = (uint8_t)((serial[0] & 0x7f) | 0x40); /* positive, never shorter */
	(void)snprintf(dn, sizeof(dn), "CN=sns.%s.souk", region);
	if ((rc = gnutls_x509_crt_set_version(crt, 3)) != 0 ||
	    (rc = gnutls_x509_crt_set_serial(crt, serial, sizeof(serial))) != 0 ||
	    (rc = gnutls_x509_crt_set_activation_time(crt, now - DAY_MS / SECOND_MS)) != 0 ||
	    (rc = gnutls_x509_crt_set_expiration_time(
		 crt, now + CERT_DAYS * (DAY_MS / SECOND_MS))) != 0 ||
	    (rc = gnutls_x509_crt_set_dn(crt, dn, &bad)) != 0 ||
	    (rc = gnutls_x509_crt_set_key(crt, key)) != 0 ||
	    (rc = gnutls_x509_crt_set_basic_constraints(crt, 0, -1)) != 0 ||
	    (rc = gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_DIGITAL_SIGNATURE)) != 0)
		return rc;
	return gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0);
}

static enum souk_err
make(struct vault *v, const char *region, struct kept *ret)
{
	gnutls_x509_privkey_t key = NULL;
	gnutls_x509_crt_t crt = NULL;
	gnutls_datum_t der = { 0 }, pem = { 0 };
	enum souk_err err = SOUK_E_INTERNAL;

	if (gnutls_x509_privkey_init(&key) != 0 || gnutls_x509_crt_init(&crt) != 0 ||
	    gnutls_x509_privkey_generate(key, GNUTLS_PK_RSA, KEY_BITS, 0) != 0 ||
	    describe(crt, key, region) != 0 ||
	    gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &pem) != 0 ||
	    gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_DER, &der) != 0)
		goto out;
	buf_clear(&ret->key);
	buf_clear(&ret->cert);
	buf_add(&ret->cert, pem.data, pem.size);
	err = buf_ok(&ret->cert) ? seal_key(v, &der, &ret->key) : SOUK_E_NOMEM;
out:
	if (der.data)
		wipe(der.data, der.size);
	gnutls_free(der.data);
	gnutls_free(pem.data);
	gnutls_x509_crt_deinit(crt);
	gnutls_x509_privkey_deinit(key);
	return err;
}

struct keeping {
	struct kept *fresh; /* put when there is none yet */
	struct kept *now;   /* what is there afterwards */
};

static enum souk_err
keep(struct db_tx *tx, void *arg)
{
	struct keeping *k = arg;
	enum souk_err err = lock_subject(tx, "signer", sizeof("signer"));

	if (err != SOUK_OK || (err = load(tx, k->now)) != SOUK_E_NOT_FOUND)
		return err;
	if ((err = db_meta_put(tx, META_KEY, buf_str(&k->fresh->key))) != SOUK_OK ||
	    (err = db_meta_put(tx, META_CERT, buf_str(&k->fresh->cert))) != SOUK_OK)
		return err;
	return load(tx, k->now);
}

static enum souk_err
make_and_keep(struct db *db, struct vault *v, const char *region, struct kept *ret)
{
	struct kept fresh = { 0 };
	struct keeping k = { .fresh = &fresh, .now = ret };
	enum souk_err err;

	if ((err = make(v, region, &fresh)) == SOUK_OK)
		err = db_write(db, keep, &k);
	kept_done(&fresh);
	return err;
}

/* ---- opening ---- */

static enum souk_err
name_cert(struct signer *s)
{
	gnutls_datum_t pem = { .data = (unsigned char *)s->pem.p, .size = (unsigned)s->pem.n };
	gnutls_x509_crt_t crt = NULL;
	uint8_t print[SHA256_LEN];
	char hex[2 * SHA256_LEN + 1];
	size_t n = sizeof(print);
	enum souk_err err = SOUK_E_STORAGE;

	if (gnutls_x509_crt_init(&crt) == 0 &&
	    gnutls_x509_crt_import(crt, &pem, GNUTLS_X509_FMT_PEM) == 0 &&
	    gnutls_x509_crt_get_fingerprint(crt, GNUTLS_DIG_SHA256, print, &n) == 0) {
		hex_encode(print, sizeof(print), hex);
		(void)snprintf(s->name, sizeof(s->name), "SimpleNotificationService-%.32s", hex);
		err = SOUK_OK;
	}
	gnutls_x509_crt_deinit(crt);
	return err;
}

static enum souk_err
adopt(struct signer *s, struct vault *v, const struct kept *k)
{
	gnutls_x509_privkey_t key = NULL;
	enum souk_err err;

	buf_add_str(&s->pem, buf_str(&k->cert));
	if (!buf_ok(&s->pem))
		return SOUK_E_NOMEM;
	if ((err = name_cert(s)) != SOUK_OK ||
	    (err = unseal_key(v, buf_str(&k->key), &key)) != SOUK_OK)
		return err;
	if (gnutls_privkey_init(&s->key) != 0 ||
	    gnutls_privkey_import_x509(s->key, key, GNUTLS_PRIVKEY_IMPORT_COPY) != 0)
		err = SOUK_E_INTERNAL;
	gnutls_x509_privkey_deinit(key);
	return err;
}

enum souk_err
signer_open(struct db *db, struct vault *v, const char *region, struct signer **ret, struct fail *f)
{
	struct kept k = { 0 };
	struct signer *s;
	enum souk_err err;

	if (!(s = calloc(1, sizeof(*s))))
		return fail_set(f, SOUK_E_NOMEM, "out_of_memory", "no memory for topics");
	(void)pthread_mutex_init(&s->lock, NULL);
	if ((err = db_read(db, load, &k)) == SOUK_E_NOT_FOUND)
		err = make_and_keep(db, v, region, &k);
	if (err == SOUK_OK)
		err = adopt(s, v, &k);
	kept_done(&k);
	if (err != SOUK_OK) {
		signer_close(s);
		return fail_set(f, err, "signing_key",
		    "the signing key of topics cannot be opened; is this the key ring it was made "
		    "with?");
	}
	*ret = s;
	return SOUK_OK;
}

void
signer_close(struct signer *s)
{
	if (!s)
		return;
	gnutls_privkey_deinit(s->key);
	(void)pthread_mutex_destroy(&s->lock);
	buf_done(&s->pem);
	free(s);
}

const char *
signer_cert_pem(const struct signer *s)
{
	return s->pem.p;
}

const char *
signer_cert_name(const struct signer *s)
{
	return s->name;
}

enum souk_err
signer_sign(struct signer *s, struct str text, struct buf *ret)
{
	/* GnuTLS does not write to what it signs; its type has no const. */
	union {
		const char *in;
		unsigned char *out;
	} data = { .in = text.p };
	gnutls_datum_t d = { .data = data.out, .size = (unsigned)text.n }, signature = { 0 };
	int rc;

	(void)pthread_mutex_lock(&s->lock);
	rc = gnutls_privkey_sign_data2(s->key, GNUTLS_SIGN_RSA_SHA256, 0, &d, &signature);
	(void)pthread_mutex_unlock(&s->lock);
	if (rc != 0)
		return SOUK_E_INTERNAL;
	buf_add_base64(ret, signature.data, signature.size);
	gnutls_free(signature.data);
	return buf_ok(ret) ? SOUK_OK : SOUK_E_NOMEM;
}

enum souk_err
signer_rewrap(struct db_tx *tx, struct vault *v, bool *ret_changed)
{
	uint8_t raw[SEALED_MAX];
	struct kept k = { 0 };
	struct str wrapped, sealed;
	struct wrapped_key fresh;
	struct buf text = { 0 };
	bool changed = false;
	enum souk_err err;

	if ((err = load(tx, &k)) == SOUK_E_NOT_FOUND) {
		err = SOUK_OK; /* no topic was ever served */
		goto out;
	}
	if (err != SOUK_OK || (err = decode(buf_str(&k.key), raw, &wrapped, &sealed)) != SOUK_OK ||
	    (err = vault_key_rewrap(v, KEY_CONTEXT, wrapped, &fresh, &changed)) != SOUK_OK)
		goto out;
	if (changed) {
		memcpy(raw, fresh.b, sizeof(fresh.b));
		buf_add_base64(&text, raw, VAULT_WRAPPED_LEN + sealed.n);
		err = buf_ok(&text) ? db_meta_put(tx, META_KEY, buf_str(&text)) : SOUK_E_NOMEM;
	}
out:
	if (err == SOUK_OK)
		*ret_changed = changed;
	buf_done(&text);
	kept_done(&k);
	return err;
}
