/* SPDX-License-Identifier: Apache-2.0 */
/*
 * souk import: facts and contacts from NDJSON or CSV files. A file is taken whole or not
 * at all; every bad line (the first twenty) is named with file, line, field and fix.
 */
#include "cli/cli.h"
#include "cli/feeds_where.h"
#include "cli/import_feeds.h"
#include "cli/import_source.h"
#include "market/fee.h"
#include "market/market.h"
#include "market/rate.h"
#include "market/tenant_make.h"
#include "market/usage.h"
#include "psc/contact.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#define SHOWN_MAX 20
#define OPT_SELLER 0x201
#define OPT_LENIENT 0x202
#define OPT_REJECTS 0x203

struct import;

struct import_kind {
	const char *name;
	enum souk_err (*take)(struct import *im, struct db_tx *tx, json_t *o, struct fail *f);
	const struct import_column *columns;
	size_t n_columns;
};

struct import {
	const struct import_kind *kind;
	const char *path; /* "-" is standard input */
	FILE *in;
	struct vault *vault;
	struct tenant_scope scope;
	struct contact_home home; /* of the last contact */
	struct arena *arena;      /* of one record */
	struct progress progress;
	int64_t taken, bad;
	int runs;
};

/* ---- one record of each kind ---- */

static enum souk_err
take_account(struct import *im, struct db_tx *tx, json_t *o, struct fail *f)
{
	struct account a = { 0 };
	enum souk_err r = account_parse(o, NULL, im->arena, &a, f);

	return r == SOUK_OK ? account_create(tx, &im->scope, &a, f) : r;
}

static enum souk_err
take_product(struct import *im, struct db_tx *tx, json_t *o, struct fail *f)
{
	struct product p = { 0 };
	enum souk_err r = product_parse(o, NULL, im->arena, &p, f);

	return r == SOUK_OK ? product_create(tx, &im->scope, &p, f) : r;
}

static enum souk_err
take_offer(struct import *im, struct db_tx *tx, json_t *o, struct fail *f)
{
	struct offer offer = { 0 };
	enum souk_err r = offer_parse(o, NULL, &offer, f);

	return r == SOUK_OK ? offer_create(tx, &im->scope, &offer, f) : r;
}

static enum souk_err
take_subscription(struct import *im, struct db_tx *tx, json_t *o, struct fail *f)
{
	struct subscription s = { 0 };
	enum souk_err r = subscription_parse(o, NULL, &s, f);

	return r == SOUK_OK ? subscription_create(tx, &im->scope, &s, f) : r;
}

static enum souk_err
take_usage(struct import *im, struct db_tx *tx, json_t *o, struct fail *f)
{
	return usage_import(tx, &im->scope, o, im->arena, f);
}

static enum souk_err
take_rate(struct import *im, struct db_tx *tx, json_t *o, struct fail *f)
{
	struct rate v = { .price = 0 };
	enum souk_err r = rate_parse(o, NULL, &v, f);

	return r == SOUK_OK ? rate_create(tx, &im->scope, &v, im->arena, f) : r;
}

static enum souk_err
take_fee(struct import *im, struct db_tx *tx, json_t *o, struct fail *f)
{
	struct fee v = { .amount = 0 };
	enum souk_err r = fee_parse(o, NULL, &v, f);

	return r == SOUK_OK ? fee_create(tx, &im->scope, &v, im->arena, f) : r;
}

/* The members that place a contact; taken out, the rest is the REST API's contact. */
static enum souk_err
take_place(json_t *o, struct guid *subscription, struct contact_preset *preset, struct fail *f)
{
	const json_t *sub = json_object_get(o, "subscriptionId");
	const json_t *id = json_object_get(o, "contactId");
	const json_t *at = json_object_get(o, "createdAt");
	enum souk_err r = SOUK_OK;

	if (!json_is_string(sub) || !guid_parse(str_c(json_string_value(sub)), subscription))
		r = fail_field(
		    f, "subscriptionId", "is missing or not a GUID", "give the subscription's id");
	if (id != NULL &&
	    (!json_is_string(id) || !guid_parse(str_c(json_string_value(id)), &preset->id)))
		r = fail_field(f, "contactId", "is not a GUID", "leave it out to have one made");
	if (at != NULL &&
	    (!json_is_string(at) || !instant_parse(str_c(json_string_value(at)), &preset->at)))
		r = fail_field(
		    f, "createdAt", "is not an instant", "write it as 2026-01-31T12:00:00Z");
	(void)json_object_del(o, "subscriptionId");
	(void)json_object_del(o, "contactId");
	(void)json_object_del(o, "createdAt");
	return r;
}

/* Refusals that need more than the contact's own fields to see: which column to look at, and what to do. */
static enum souk_err
place_refused(enum souk_err r, struct fail *f)
{
	static const struct {
		const char *code, *field, *what, *fix;
	} rows[] = {
		{ "contact_limit", "subscriptionId", "has five contacts, the most it may have",
		    "leave this one out, or delete one first" },
		{ "subscription_ended", "subscriptionId", "has ended",
		    "leave this contact out: only active subscriptions have some" },
		{ "product_not_psc", "subscriptionId",
		    "is for a product without Product Support Connection",
		    "set the product's pscEnabled first" },
		{ "contact_exists", "contactId", "is, or was, another contact's",
		    "leave it out to have one made" },
		{ "operation_time", "createdAt",
		    "lies in the future, or in a window that the seller has exported already",
		    "leave it out to have it count as made now" },
	};

	if (r == SOUK_E_NOT_FOUND)
		(void)fail_field(
		    f, "subscriptionId", "is no subscription", "create the subscription first");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && f->code != NULL; i++)
		if (strcmp(f->code, rows[i].code) == 0)
			(void)fail_field(f, rows[i].field, rows[i].what, rows[i].fix);
	return r;
}

static enum souk_err
take_contact(struct import *im, struct db_tx *tx, json_t *o, struct fail *f)
{
	struct contact_preset preset = { .home = &im->home };
	struct contact_fields fields = { 0 };
	struct contact made;
	struct guid subscription;
	enum souk_err r;

	if ((r = take_place(o, &subscription, &preset, f)) != SOUK_OK ||
	    (r = contact_parse(o, &fields, f)) != SOUK_OK)
		return r;
	r = contact_add(tx, im->vault, &im->scope, &subscription, &fields, &preset, &made, f);
	return r == SOUK_OK ? r : place_refused(r, f);
}

static const struct import_column account_columns[] = { { "accountId", JSON_K_STR },
	{ "name", JSON_K_STR }, { "buyer", JSON_K_BOOL }, { "seller", JSON_K_BOOL },
	{ "paidSeller", JSON_K_BOOL }, { "country", JSON_K_STR }, { "address", JSON_K_STR },
	{ "city", JSON_K_STR }, { "region", JSON_K_STR }, { "postalCode", JSON_K_STR },
	{ "emailDomain", JSON_K_STR }, { "state", JSON_K_STR } };
static const struct import_column product_columns[] = { { "productId", JSON_K_STR },
	{ "sellerId", JSON_K_STR }, { "productCode", JSON_K_STR }, { "title", JSON_K_STR },
	{ "type", JSON_K_STR }, { "pricing", JSON_K_ARR }, { "dimensions", JSON_K_ARR },
	{ "solutionId", JSON_K_STR }, { "solutionTitle", JSON_K_STR },
	{ "supportEmail", JSON_K_STR }, { "supportPhone", JSON_K_STR },
	{ "supportUrl", JSON_K_STR }, { "pscEnabled", JSON_K_BOOL }, { "state", JSON_K_STR } };
static const struct import_column offer_columns[] = { { "offerId", JSON_K_STR },
	{ "sellerId", JSON_K_STR }, { "productId", JSON_K_STR }, { "name", JSON_K_STR },
	{ "visibility", JSON_K_STR }, { "buyerId", JSON_K_STR }, { "program", JSON_K_STR },
	{ "resellerId", JSON_K_STR }, { "startsAt", JSON_K_STR }, { "endsAt", JSON_K_STR },
	{ "state", JSON_K_STR } };
static const struct import_column subscription_columns[] = { { "subscriptionId", JSON_K_STR },
	{ "sellerId", JSON_K_STR }, { "productId", JSON_K_STR }, { "offerId", JSON_K_STR },
	{ "buyerId", JSON_K_STR }, { "kind", JSON_K_STR }, { "quantity", JSON_K_INT },
	{ "startsAt", JSON_K_STR }, { "trialEndsAt", JSON_K_STR }, { "endsAt", JSON_K_STR } };
static const struct import_column rate_columns[] = { { "rateId", JSON_K_STR },
	{ "offerId", JSON_K_STR }, { "dimension", JSON_K_STR }, { "price", JSON_K_STR },
	{ "currency", JSON_K_STR }, { "startsAt", JSON_K_STR } };
static const struct import_column fee_columns[] = { { "feeId", JSON_K_STR },
	{ "subscriptionId", JSON_K_STR }, { "kind", JSON_K_STR }, { "description", JSON_K_STR },
	{ "amount", JSON_K_STR }, { "currency", JSON_K_STR }, { "dimension", JSON_K_STR },
	{ "quantity", JSON_K_INT }, { "periodStart", JSON_K_STR }, { "periodEnd", JSON_K_STR },
	{ "postedAt", JSON_K_STR } };
static const struct import_column contact_columns[] = { { "subscriptionId", JSON_K_STR },
	{ "contactId", JSON_K_STR }, { "createdAt", JSON_K_STR }, { "organization", JSON_K_STR },
	{ "givenName", JSON_K_STR }, { "surname", JSON_K_STR }, { "telephoneNumber", JSON_K_STR },
	{ "emailAddress", JSON_K_STR }, { "title", JSON_K_STR }, { "countryCode", JSON_K_STR },
	{ "zipCode", JSON_K_STR } };
static const struct import_column usage_columns[] = { { "productCode", JSON_K_STR },
	{ "buyerId", JSON_K_STR }, { "dimension", JSON_K_STR }, { "timestamp", JSON_K_STR },
	{ "quantity", JSON_K_INT }, { "usageAllocations", JSON_K_ANY } };
#define COLUMNS(table) (table), sizeof(table) / sizeof((table)[0])

static const struct import_kind kinds[] = {
	{ "accounts", take_account, COLUMNS(account_columns) },
	{ "products", take_product, COLUMNS(product_columns) },
	{ "offers", take_offer, COLUMNS(offer_columns) },
	{ "subscriptions", take_subscription, COLUMNS(subscription_columns) },
	{ "rates", take_rate, COLUMNS(rate_columns) },
	{ "usage", take_usage, COLUMNS(usage_columns) },
	{ "fees", take_fee, COLUMNS(fee_columns) },
	{ "contacts", take_contact, COLUMNS(contact_columns) },
};

/* ---- one file ---- */

static void
show_bad(const struct import *im, size_t line, const struct fail *f)
{
	if (im->bad > SHOWN_MAX)
		return;
	if (f->n == 0)
		(void)fprintf(stderr, "souk: %s:%zu: %s\n", im->path, line,
		    f->detail[0] != '\0' ? f->detail : souk_err_word(f->err));
	for (size_t i = 0; i < f->n; i++)
		(void)fprintf(stderr, "souk: %s:%zu: %s: %s; %s\n", im->path, line,
		    f->entry[i].field, f->entry[i].what, f->entry[i].fix);
}

/* Is it the line's fault (go on, to name the others too), or the machine's? */
static bool
is_input_fault(enum souk_err r)
{
	return r == SOUK_E_INVALID || r == SOUK_E_CONFLICT || r == SOUK_E_NOT_FOUND ||
	       r == SOUK_E_DENIED || r == SOUK_E_LIMIT;
}

static enum souk_err
take_one(struct import *im, struct import_source *source, struct db_tx *tx, bool *ret_more,
    struct fail *f)
{
	json_t *o = NULL;
	enum souk_err r = import_source_next(source, &o, f);

	*ret_more = o != NULL;
	if (r != SOUK_OK || o == NULL)
		return r;
	arena_reset(im->arena);
	r = im->kind->take(im, tx, o, f);
	json_decref(o);
	im->taken += r == SOUK_OK;
	return r;
}

static enum souk_err
take_records(struct import *im, struct import_source *source, struct db_tx *tx)
{
	while (im->bad < SHOWN_MAX && !import_source_broken(source)) {
		struct fail f = { 0 };
		bool more;
		enum souk_err r = take_one(im, source, tx, &more, &f);

		if (r != SOUK_OK && !is_input_fault(r))
			return r;
		if (r != SOUK_OK) {
			im->bad++;
			show_bad(im, import_source_line(source), &f);
			/* Of the lines behind it nothing can be said before this one is mended. */
			if (db_is_over(tx))
				break;
		} else if (!more) {
			break;
		}
		if ((im->taken + im->bad) % 1024 == 0)
			progress_update(
			    &im->progress, im->progress.total > 0 ? ftell(im->in) : im->taken);
	}
	return im->bad > 0 ? SOUK_E_INVALID : SOUK_OK;
}

static enum souk_err
take_file(struct db_tx *tx, void *arg)
{
	struct import *im = arg;
	struct import_source *source = NULL;
	struct fail f = { 0 };
	enum souk_err r;

	if (im->runs++ > 0 && fseek(im->in, 0, SEEK_SET) != 0)
		return SOUK_E_UNAVAILABLE; /* a pipe cannot be read twice */
	im->taken = im->bad = 0;
	im->home = (struct contact_home){ .slots = 0 };
	r = import_source_new(im->in, im->kind->columns, im->kind->n_columns, &source, &f);
	if (r == SOUK_OK) {
		r = take_records(im, source, tx);
	} else if (is_input_fault(r)) {
		im->bad++;
		show_bad(im, import_source_line(source), &f);
		r = SOUK_E_INVALID;
	}
	import_source_free(source);
	return r;
}

static FILE *
open_file(const char *path)
{
	struct stat st;
	FILE *in = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");

	if (in == NULL) {
		(void)fprintf(stderr, "souk: %s: cannot be opened (%s); check the path\n", path,
		    strerrordesc_np(errno));
		return NULL;
	}
	if (fstat(fileno(in), &st) == 0 && S_ISDIR(st.st_mode)) {
		(void)fprintf(stderr, "souk: %s: is a directory; name the files in it\n", path);
		if (in != stdin)
			(void)fclose(in);
		return NULL;
	}
	return in;
}

static int
import_file(struct import *im, struct db *db)
{
	struct stat st;
	enum souk_err r;

	im->in = open_file(im->path);
	if (im->in == NULL)
		return CLI_REFUSED;
	im->runs = 0;
	progress_begin(&im->progress, im->path, fstat(fileno(im->in), &st) == 0 ? st.st_size : 0);
	r = db_bulk(db, take_file, im);
	progress_end(&im->progress);
	if (im->in != stdin)
		(void)fclose(im->in);
	if (r == SOUK_OK)
		return CLI_DONE;
	if (im->bad == 0)
		return cli_fail_plain(r, im->path);
	(void)fprintf(stderr, "souk: %s: %s%lld bad %s; nothing of this file was kept\n", im->path,
	    im->bad >= SHOWN_MAX ? "at least " : "", (long long)im->bad,
	    im->bad == 1 ? "line" : "lines");
	return CLI_REFUSED;
}

/* ---- the command ---- */

struct options {
	struct cli_common common;
	const struct import_kind *kind;
	bool feeds; /* folders of them, and no records: `kind` is NULL */
	struct import_feeds_options of_feeds;
	char **files;
	int n_files;
};

static void
check_feed_options(const struct options *o)
{
	const struct import_feeds_options *f = &o->of_feeds;

	if (!o->feeds && f->seller != NULL)
		cli_usage("--seller: is of feeds only; leave it out");
	if (!o->feeds && (f->lenient || f->rejects != NULL || f->endpoint != NULL))
		cli_usage("--lenient: is of feeds only, as --rejects and --endpoint-url are; leave "
			  "them out");
	if (f->rejects != NULL && !f->lenient)
		cli_usage("--rejects: is for --lenient; give both, or neither");
	if (f->rejects != NULL && o->n_files > 1)
		cli_usage("--rejects: is a file for one folder; import the folders one by one");
}

static error_t
option(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		if (o->kind != NULL || o->feeds) {
			o->files = &state->argv[state->next - 1];
			o->n_files = state->argc - state->next + 1;
			state->next = state->argc;
			return 0;
		}
		o->feeds = strcmp(arg, "feeds") == 0;
		for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
			if (strcmp(arg, kinds[i].name) == 0)
				o->kind = &kinds[i];
		if (o->kind == NULL && !o->feeds)
			cli_usage("KIND: `%s` is none; there are accounts, products, offers, "
				  "subscriptions, rates, usage, fees, contacts, feeds",
			    arg);
		return 0;
	case OPT_SELLER:
		o->of_feeds.seller = arg;
		return 0;
	case OPT_LENIENT:
		o->of_feeds.lenient = true;
		return 0;
	case OPT_REJECTS:
		o->of_feeds.rejects = arg;
		return 0;
	case OPT_ENDPOINT_URL:
		o->of_feeds.endpoint = arg;
		return 0;
	case ARGP_KEY_END:
		check_feed_options(o);
		if (o->feeds && (o->of_feeds.seller == NULL || o->n_files == 0))
			cli_usage("--seller: is missing, or the folder is; say whose feeds, as in: "
				  "souk import --data DIR feeds --seller 000000700100 ./feeds");
		if (o->kind == NULL && !o->feeds)
			cli_usage("KIND: is missing; say what to import, as in: souk "
				  "import --data DIR accounts FILE");
		return 0;
	default:
		return cli_common_option(&o->common, key, arg, state);
	}
}

static int
import_folders(const struct options *o)
{
	struct import_feeds_options f = o->of_feeds;
	struct installation in;
	int code = CLI_DONE;

	if (!cli_open(&o->common, false, &in, &code))
		return code;
	f.json = o->common.json;
	for (int i = 0; i < o->n_files && code == CLI_DONE; i++) {
		f.where = o->files[i];
		code = import_feeds(&in, &f);
	}
	installation_close(&in);
	return code;
}

int
cmd_import(int argc, char **argv)
{
	static const struct argp_option options[] = { CLI_COMMON_OPTIONS,
		{ "seller", OPT_SELLER, "ID", 0, "Of feeds: whose they are", 0 },
		{ "lenient", OPT_LENIENT, NULL, 0,
		    "Of feeds: set rows aside that cannot be read, and tell what else is wrong",
		    0 },
		{ "rejects", OPT_REJECTS, "FILE", 0, "With --lenient: where to write them", 0 },
		CLI_ENDPOINT_OPTION, { 0 } };
	static const struct argp argp = { options, option, "KIND [FILE...]",
		"Takes in accounts, products, offers, subscriptions, rates, usage, fees or "
		"contacts from NDJSON "
		"or CSV "
		"files (told by "
		"their first character), or from standard input. All or nothing per file.\v"
		"Example: souk import --data ./data accounts accounts.csv\n"
		"Columns and members are those of the REST API (docs/openapi.yaml), of usage: "
		"productCode, buyerId, dimension, timestamp, quantity, and usageAllocations as "
		"JSON. Other "
		"lists in CSV cells are "
		"separated by |.\nOf feeds, FILE is a folder or s3://BUCKET/PREFIX: souk import "
		"--data ./data --seller "
		"000000700100 feeds ./feeds",
		NULL, NULL, NULL };
	static char dash[] = "-";
	static char *standard_input[] = { dash };
	struct options o = { 0 };
	struct installation in;
	struct import im = { .scope = tenant_for_cli("import") };
	int code = CLI_DONE, i;

	cli_parse(&argp, argc, argv, &o.common, &o);
	if (o.feeds)
		return import_folders(&o);
	if (o.n_files == 0) {
		o.files = standard_input;
		o.n_files = 1;
	}
	if (!cli_open(&o.common, false, &in, &code))
		return code;
	im.kind = o.kind;
	im.vault = in.vault;
	im.arena = arena_new(1 << 20);
	for (i = 0; i < o.n_files && code == CLI_DONE && im.arena != NULL; i++) {
		im.path = o.files[i];
		code = import_file(&im, in.db);
		if (code == CLI_DONE && o.common.json)
			(void)printf("{\"file\":%d,\"kind\":\"%s\",\"taken\":%lld}\n", i + 1,
			    o.kind->name, (long long)im.taken);
		else if (code == CLI_DONE)
			(void)printf("%s: %lld %s\n", im.path, (long long)im.taken, o.kind->name);
	}
	if (im.arena == NULL)
		code = cli_fail_plain(SOUK_E_NOMEM, "import");
	else if (i < o.n_files)
		(void)fprintf(stderr, "souk: FILE: %d further %s not read; give %s again\n",
		    o.n_files - i, o.n_files - i == 1 ? "file was" : "files were",
		    o.n_files - i == 1 ? "it" : "them");
	arena_free(im.arena);
	installation_close(&in);
	return code;
}
