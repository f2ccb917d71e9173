/* SPDX-License-Identifier: Apache-2.0 */
/* The key ring's text, its file and its command: what is taken, and each refusal's words. */
#include "check.h"

#include "base/clock.h"
#include "base/io.h"
#include "vault/ring.h"

#define K1 "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=" /* 32 bytes of 1 */
#define K2 "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI="
#define K3 "AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM="
#define K4 "BAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ="
#define GOOD                                                                                       \
	"{\"version\":1,\"current\":2,\"keys\":{\"1\":\"" K1 "\",\"2\":\"" K2                      \
	"\"},\"blind\":\"" K3 "\",\"audit\":\"" K4 "\"}"

static void
test_text_taken(void **state)
{
	static const char spaced[] = " {\n\t\"audit\" : \"" K4 "\" , \"blind\":\"" K3
				     "\",\r\n\"keys\": { \"16777215\" : \"" K1
				     "\" }, \"current\": 16777215, \"version\" : 1 } \n";
	struct ring_keys *k = ring_keys_new();

	(void)state;
	assert_non_null(k);
	assert_null(ring_parse(STR(GOOD), k));
	assert_int_equal(k->current, 2);
	assert_int_equal(k->n, 2);
	assert_int_equal(k->master[0].number, 1);
	assert_int_equal(k->master[1].key[31], 2);
	assert_int_equal(k->blind[0], 3);
	assert_int_equal(k->audit[31], 4);
	assert_null(ring_parse(str_c(spaced), k));
	assert_int_equal(k->current, RING_NUMBER_MAX);
	assert_int_equal(k->n, 1);
	ring_keys_free(k);
}

static const struct {
	const char *text, *wrong;
} refused[] = {
	{ "", "not a JSON object" },
	{ "[]", "not a JSON object" },
	{ "{}", "not a JSON object" },
	{ "{\"version\":2}", "version is not 1" },
	{ "{\"version\":\"1\"}", "version is not 1" },
	{ "{\"version\":1}", "current is missing" },
	{ "{\"version\":1,\"version\":1}", "there twice" },
	{ "{\"version\":1,\"extra\":1}", "unknown member" },
	{ "{\"vers\\u0069on\":1}", "without escapes" },
	{ "{\"current\":0}", "current is no number" },
	{ "{\"current\":01}", "current is no number" },
	{ "{\"current\":-1}", "current is no number" },
	{ "{\"current\":16777216}", "current is no number" },
	{ "{\"current\":99999999999999999999999}", "current is no number" },
	{ "{\"current\":", "current is no number" },
	{ "{\"keys\":[]}", "no object" },
	{ "{\"keys\":{}}", "no number" },
	{ "{\"keys\":{\"0\":\"" K1 "\"}}", "no number" },
	{ "{\"keys\":{\"a\":\"" K1 "\"}}", "no number" },
	{ "{\"keys\":{\"1\":\"\"}}", "base64 of 32 bytes" },
	{ "{\"keys\":{\"1\":\"AQEB\"}}", "base64 of 32 bytes" },
	{ "{\"keys\":{\"1\":\"" K1 "AAAA\"}}", "base64 of 32 bytes" },
	{ "{\"keys\":{\"1\":\"?" K1 "\"}}", "base64 of 32 bytes" },
	{ "{\"keys\":{\"1\":\"" K1 "\",\"1\":\"" K2 "\"}}", "there twice" },
	{ "{\"keys\":{\"1\":\"" K1 "\",\"2\":\"" K1 "\"}}", "there twice" },
	{ "{\"keys\":{\"1\":\"" K1 "\"", "do not end" },
	{ "{\"version\":1,\"current\":3,\"keys\":{\"1\":\"" K1 "\",\"2\":\"" K2
	  "\"},\"blind\":\"" K3 "\",\"audit\":\"" K4 "\"}",
	    "current master key is missing" },
	{ "{\"version\":1,\"current\":1,\"blind\":\"" K3 "\",\"audit\":\"" K4 "\"}",
	    "keys is missing" },
	{ "{\"version\":1,\"current\":1,\"keys\":{\"1\":\"" K1 "\"},\"audit\":\"" K4 "\"}",
	    "blind is missing" },
	{ "{\"version\":1,\"current\":1,\"keys\":{\"1\":\"" K1 "\"},\"blind\":\"" K4 "\"}",
	    "audit is missing" },
	{ "{\"current\":1,\"keys\":{\"1\":\"" K1 "\"},\"blind\":\"" K3 "\",\"audit\":\"" K4 "\"}",
	    "version is missing" },
	{ GOOD "x", "follows its end" },
	{ GOOD GOOD, "follows its end" },
};

static void
test_text_refused(void **state)
{
	struct ring_keys *k = ring_keys_new();
	const char *wrong;

	(void)state;
	for (size_t i = 0; i < COUNT(refused); i++) {
		wrong = ring_parse(str_c(refused[i].text), k);
		if (!wrong || !strstr(wrong, refused[i].wrong))
			fail_msg("row %zu: %s", i, wrong ? wrong : "taken");
		assert_int_equal(k->n, 0);
	}
	/* Every beginning of a ring is refused, and none is read past its end. */
	for (size_t n = 0; n < sizeof(GOOD) - 1; n++) {
		char *exact = n > 0 ? malloc(n) : NULL;

		if (exact)
			memcpy(exact, GOOD, n);
		assert_non_null(ring_parse((struct str){ exact, n }, k));
		free(exact);
	}
	ring_keys_free(k);
}

static void
test_text_round_trip_when_full(void **state)
{
	struct ring_keys *k = ring_keys_new(), *back = ring_keys_new();
	struct secret text;
	size_t n;

	(void)state;
	ring_keys_fill(k);
	while (ring_keys_add(k))
		;
	assert_int_equal(k->n, RING_KEYS_MAX);
	assert_int_equal(k->current, RING_KEYS_MAX);
	for (size_t i = 0; i < k->n; i++)
		k->master[i].number += RING_NUMBER_MAX - RING_KEYS_MAX;
	k->current = RING_NUMBER_MAX;
	assert_int_equal(ring_format(k, &text, &n), SOUK_OK);
	assert_null(ring_parse((struct str){ (const char *)text.p, n }, back));
	assert_int_equal(back->n, k->n);
	assert_int_equal(back->current, k->current);
	assert_memory_equal(back->master, k->master, sizeof(k->master));
	assert_true(ring_keys_akin(k, back));
	ring_keys_retire(back);
	assert_int_equal(back->n, 1);
	assert_int_equal(back->master[0].number, RING_NUMBER_MAX);
	assert_true(ring_keys_akin(k, back));
	/* The last number is used: no further one, and none twice. */
	assert_false(ring_keys_add(back));
	back->master[0].key[5] ^= 1;
	assert_false(ring_keys_akin(k, back));
	secret_done(&text);
	ring_keys_free(k);
	ring_keys_free(back);
}

/* ---- file ---- */

static enum souk_err
try_open(struct world *w, struct fail *f)
{
	struct vault *v = NULL;
	enum souk_err r;

	memset(f, 0, sizeof(*f));
	r = vault_open(w->config, w->dir, &v, f);
	assert_true((r == SOUK_OK) == (v != NULL));
	vault_close(v);
	return r;
}

/* Every refusal has its code, says where and, after a semicolon, how to mend it. */
static void
assert_words(const struct fail *f, enum souk_err err, const char *code, const char *place)
{
	assert_int_equal(f->err, err);
	assert_string_equal(f->code, code);
	assert_non_null(strstr(f->detail, place));
	assert_non_null(strstr(f->detail, "; "));
}

static void
put_file(const struct world *w, const char *text, mode_t mode)
{
	FILE *out = fopen(w->path, "w");

	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(chmod(w->path, mode), 0);
}

static void
test_file_made_private_and_once(void **state)
{
	struct world *w = *state;
	struct fail f = { 0 };
	struct buf before = { 0 }, after = { 0 };
	struct stat st;

	assert_int_equal(vault_ring_create(w->path, &f), SOUK_OK);
	assert_int_equal(stat(w->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(io_read_file(w->path, 4096, &before, &f), SOUK_OK);
	assert_int_equal(vault_ring_create(w->path, &f), SOUK_E_CONFLICT);
	assert_words(&f, SOUK_E_CONFLICT, "key_ring_exists", w->path);
	assert_int_equal(io_read_file(w->path, 4096, &after, &f), SOUK_OK);
	assert_true(str_eq(buf_str(&before), buf_str(&after)));
	assert_int_equal(try_open(w, &f), SOUK_OK);
	buf_done(&before);
	buf_done(&after);
	assert_int_equal(vault_ring_create("/nonexistent/keyring.json", &f), SOUK_E_STORAGE);
	assert_words(&f, SOUK_E_STORAGE, "key_ring_unwritable", "/nonexistent/keyring.json");
}

static void
test_file_missing(void **state)
{
	struct world *w = *state;
	struct fail f;

	assert_int_equal(try_open(w, &f), SOUK_E_NOT_FOUND);
	assert_words(&f, SOUK_E_NOT_FOUND, "key_ring_missing", w->path);
}

static void
test_file_modes(void **state)
{
	static const mode_t open_to_others[] = { 0640, 0604, 0620, 0602, 0610, 0601, 0666, 0644 };
	struct world *w = *state;
	struct fail f;

	for (size_t i = 0; i < COUNT(open_to_others); i++) {
		put_file(w, GOOD, open_to_others[i]);
		assert_int_equal(try_open(w, &f), SOUK_E_DENIED);
		assert_words(&f, SOUK_E_DENIED, "key_ring_mode", w->path);
		assert_non_null(strstr(f.detail, "chmod 600"));
	}
	put_file(w, GOOD, 0600);
	assert_int_equal(try_open(w, &f), SOUK_OK);
	put_file(w, GOOD, 0400);
	assert_int_equal(try_open(w, &f), SOUK_OK);
}

static void
test_file_of_another_user(void **state)
{
	struct world *w = *state;
	struct fail f;

	if (geteuid() != 0)
		skip(); /* only root can give a file away */
	put_file(w, GOOD, 0600);
	assert_int_equal(chown(w->path, 65534, 65534), 0);
	assert_int_equal(try_open(w, &f), SOUK_E_DENIED);
	assert_words(&f, SOUK_E_DENIED, "key_ring_owner", w->path);
}

static void
test_file_damaged(void **state)
{
	struct world *w = *state;
	struct fail f;
	char *large;

	put_file(w, "{\"version\":1,\"keys\":{\"1\":\"" K1 "\",\"1\":\"" K2 "\"}}", 0600);
	assert_int_equal(try_open(w, &f), SOUK_E_INVALID);
	assert_words(&f, SOUK_E_INVALID, "key_ring_malformed", w->path);
	assert_null(strstr(f.detail, "AQEB"));
	put_file(w, "", 0600);
	assert_int_equal(try_open(w, &f), SOUK_E_INVALID);
	large = malloc(RING_TEXT_MAX + 1);
	assert_non_null(large);
	memset(large, ' ', RING_TEXT_MAX);
	large[RING_TEXT_MAX] = '\0';
	put_file(w, large, 0600);
	free(large);
	assert_int_equal(try_open(w, &f), SOUK_E_INVALID);
	assert_non_null(strstr(f.detail, "too large"));
}

/* Neither a directory nor a named pipe without a writer holds the opening up. */
static void
test_file_is_none(void **state)
{
	struct world *w = *state;
	struct fail f;

	assert_int_equal(mkfifo(w->path, 0600), 0);
	assert_int_equal(try_open(w, &f), SOUK_E_INVALID);
	assert_words(&f, SOUK_E_INVALID, "key_ring_malformed", w->path);
	assert_int_equal(unlink(w->path), 0);
	assert_int_equal(mkdir(w->path, 0700), 0);
	assert_int_equal(try_open(w, &f), SOUK_E_INVALID);
	assert_int_equal(rmdir(w->path), 0);
}

static void
test_file_elsewhere(void **state)
{
	struct world *w = *state;
	struct fail f = { 0 };
	char deep[300];

	put_file(w, GOOD, 0600);
	assert_int_equal(config_set(w->config, SET_KEY_RING_FILE, w->path, &f), SOUK_OK);
	assert_int_equal(try_open(w, &f), SOUK_OK);
	/* A long path keeps its end, and the fix is not cut off. */
	memset(deep, 'd', sizeof(deep));
	memcpy(deep, "/tmp/", 5);
	memcpy(deep + 200, "/keyring.json", 14);
	assert_int_equal(config_set(w->config, SET_KEY_RING_FILE, deep, &f), SOUK_OK);
	assert_int_equal(try_open(w, &f), SOUK_E_NOT_FOUND);
	assert_words(&f, SOUK_E_NOT_FOUND, "key_ring_missing", "ddd/keyring.json: ");
	assert_non_null(strstr(f.detail, "opens"));
}

/* ---- command ---- */

static enum souk_err
try_command(const char *command, int64_t limit_ms, struct fail *f)
{
	struct ring_keys *k = ring_keys_new();
	enum souk_err r;

	assert_non_null(k);
	memset(f, 0, sizeof(*f));
	r = ring_read_command(command, limit_ms, k, f);
	if (r == SOUK_OK)
		assert_int_equal(k->current, 2);
	ring_keys_free(k);
	return r;
}

#define PRINT_GOOD "printf '%s' '" GOOD "'"

static void
test_command_taken(void **state)
{
	struct fail f;

	(void)state;
	assert_int_equal(try_command(PRINT_GOOD, 10000, &f), SOUK_OK);
	/* In pieces, and with an end that comes after the output's. */
	assert_int_equal(
	    try_command("printf '{'; sleep 0.05; " PRINT_GOOD " | tail -c +2; exec >&-; sleep 0.05",
		10000, &f),
	    SOUK_OK);
	/* It reads nothing of ours. */
	assert_int_equal(try_command("cat; " PRINT_GOOD, 10000, &f), SOUK_OK);
}

static const struct {
	const char *command, *code, *words;
} failing[] = {
	{ "exit 3", "key_ring_command", "status 3" },
	{ PRINT_GOOD "; exit 1", "key_ring_command", "status 1" },
	{ "/nonexistent/program 2>/dev/null", "key_ring_command", "status 127" },
	{ "kill -TERM $$", "key_ring_command", "signal 15" },
	{ "true", "key_ring_malformed", "not a JSON object" },
	{ "echo " K1, "key_ring_malformed", "not a JSON object" },
	{ "yes", "key_ring_malformed", "too large" },
};

static void
test_command_refused(void **state)
{
	struct fail f;

	(void)state;
	for (size_t i = 0; i < COUNT(failing); i++) {
		assert_int_not_equal(try_command(failing[i].command, 10000, &f), SOUK_OK);
		assert_string_equal(f.code, failing[i].code);
		if (!strstr(f.detail, failing[i].words))
			fail_msg("row %zu: %s", i, f.detail);
		assert_non_null(strstr(f.detail, "key-ring-command: "));
		assert_non_null(strstr(f.detail, "; run it by hand"));
		assert_null(strstr(f.detail, "AQEB"));
	}
}

static void
test_command_time_limit(void **state)
{
	static const char *const slow[] = { "sleep 60", "sleep 60 & wait",
		PRINT_GOOD "; exec >&-; sleep 60", "trap '' TERM; sleep 60" };
	struct fail f;
	uint64_t start;

	(void)state;
	for (size_t i = 0; i < COUNT(slow); i++) {
		start = clock_mono_ns();
		assert_int_equal(try_command(slow[i], 100, &f), SOUK_E_UNAVAILABLE);
		assert_non_null(strstr(f.detail, "time limit"));
		assert_true(clock_mono_ns() - start < UINT64_C(5000000000));
	}
}

static void
test_command_instead_of_file(void **state)
{
	struct world *w = *state;
	struct vault *v;
	struct fail f = { 0 };

	assert_int_equal(config_set(w->config, SET_KEY_RING_COMMAND, PRINT_GOOD, &f), SOUK_OK);
	assert_int_equal(vault_open(w->config, w->dir, &v, &f), SOUK_OK);
	assert_int_equal(vault_current(v), 2);
	assert_int_equal(vault_refresh(v, &f), SOUK_OK);
	assert_int_equal(vault_ring_add(v, &f), SOUK_E_CONFLICT);
	assert_words(&f, SOUK_E_CONFLICT, "key_ring_command", "key-ring-command");
	assert_int_equal(vault_ring_retire(v, &f), SOUK_E_CONFLICT);
	assert_int_equal(vault_current(v), 2);
	vault_close(v);
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, world_setup_empty, world_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_taken),
		cmocka_unit_test(test_text_refused),
		cmocka_unit_test(test_text_round_trip_when_full),
		IN_WORLD(test_file_made_private_and_once),
		IN_WORLD(test_file_missing),
		IN_WORLD(test_file_modes),
		IN_WORLD(test_file_of_another_user),
		IN_WORLD(test_file_damaged),
		IN_WORLD(test_file_is_none),
		IN_WORLD(test_file_elsewhere),
		cmocka_unit_test(test_command_taken),
		cmocka_unit_test(test_command_refused),
		cmocka_unit_test(test_command_time_limit),
		IN_WORLD(test_command_instead_of_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
