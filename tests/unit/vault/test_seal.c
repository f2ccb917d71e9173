/* SPDX-License-Identifier: Apache-2.0 */
/* Data keys, records, chunks and keyed indexes: what opens, and all that must not. */
#include "check.h"

#define CONTEXT STR("contact:0123456789abcdef")

static void
test_key_round_trip(void **state)
{
	struct world *w = *state;
	struct data_key k, back, second;
	struct wrapped_key wrapped, other;

	vault_key_new(w->vault, CONTEXT, &k, &wrapped);
	vault_key_new(w->vault, CONTEXT, &second, &other);
	assert_memory_not_equal(k.b, second.b, VAULT_KEY_LEN);
	assert_memory_not_equal(wrapped.b, other.b, VAULT_WRAPPED_LEN);
	assert_int_equal(vault_wrapped_number(wrapped_str(&wrapped)), 1);
	assert_int_equal(
	    vault_key_unwrap(w->vault, CONTEXT, wrapped_str(&wrapped), &back), SOUK_OK);
	assert_memory_equal(k.b, back.b, VAULT_KEY_LEN);
}

static void
test_key_refuses_every_flipped_bit(void **state)
{
	struct world *w = *state;
	struct data_key k, out;
	static const struct data_key untouched = { .b = { 0xaa } };
	struct wrapped_key wrapped;

	vault_key_new(w->vault, CONTEXT, &k, &wrapped);
	out = untouched;
	for (size_t bit = 0; bit < VAULT_WRAPPED_LEN * 8; bit++) {
		wrapped.b[bit / 8] ^= (uint8_t)(1u << (bit % 8));
		assert_int_equal(vault_key_unwrap(w->vault, CONTEXT, wrapped_str(&wrapped), &out),
		    SOUK_E_INTERNAL);
		wrapped.b[bit / 8] ^= (uint8_t)(1u << (bit % 8));
	}
	assert_memory_equal(out.b, untouched.b, VAULT_KEY_LEN);
	assert_int_equal(vault_key_unwrap(w->vault, CONTEXT, wrapped_str(&wrapped), &out), SOUK_OK);
}

static void
test_key_refuses_other_context_and_length(void **state)
{
	struct world *w = *state;
	struct data_key k, out;
	struct wrapped_key wrapped;
	uint8_t longer[VAULT_WRAPPED_LEN + 1] = { 0 };
	struct str s = wrapped_str(&wrapped);

	vault_key_new(w->vault, CONTEXT, &k, &wrapped);
	memcpy(longer, wrapped.b, VAULT_WRAPPED_LEN);
	assert_int_equal(
	    vault_key_unwrap(w->vault, STR("contact:0123456789abcdee"), s, &out), SOUK_E_INTERNAL);
	assert_int_equal(vault_key_unwrap(w->vault, STR(""), s, &out), SOUK_E_INTERNAL);
	for (size_t n = 0; n < VAULT_WRAPPED_LEN; n++)
		assert_int_equal(vault_key_unwrap(w->vault, CONTEXT, (struct str){ s.p, n }, &out),
		    SOUK_E_INTERNAL);
	s = (struct str){ (const char *)longer, sizeof(longer) };
	assert_int_equal(vault_key_unwrap(w->vault, CONTEXT, s, &out), SOUK_E_INTERNAL);
	assert_int_equal(vault_wrapped_number(s), 0);
	assert_int_equal(vault_wrapped_number(STR("")), 0);
}

static void
test_record_round_trip(void **state)
{
	struct world *w = *state;
	struct data_key k;
	struct wrapped_key wrapped;
	uint8_t plain[300], sealed[300 + VAULT_OVERHEAD], again[300 + VAULT_OVERHEAD], out[300];

	vault_key_new(w->vault, CONTEXT, &k, &wrapped);
	for (size_t i = 0; i < sizeof(plain); i++)
		plain[i] = (uint8_t)(i * 7);
	for (size_t n = 0; n <= sizeof(plain); n++) {
		struct str s = { (const char *)sealed, n + VAULT_OVERHEAD };

		vault_seal(&k, CONTEXT, plain, n, sealed);
		memset(out, 0xee, sizeof(out));
		assert_int_equal(vault_unseal(&k, CONTEXT, s, out), SOUK_OK);
		assert_memory_equal(out, plain, n);
		if (n < sizeof(plain))
			assert_int_equal(out[n], 0xee);
	}
	/* Equal plaintexts do not show: every seal has a nonce of its own. */
	vault_seal(&k, CONTEXT, plain, sizeof(plain), again);
	assert_memory_not_equal(sealed, again, 12);
	assert_memory_not_equal(sealed + 12, again + 12, sizeof(plain));
}

static void
test_record_refuses_every_flipped_bit(void **state)
{
	struct world *w = *state;
	struct data_key k, wrong;
	struct wrapped_key wrapped;
	uint8_t sealed[40 + VAULT_OVERHEAD], out[40];
	static const uint8_t plain[40] = "someone@example.com +1 202 555 0100";
	struct str s = { (const char *)sealed, sizeof(sealed) };

	vault_key_new(w->vault, CONTEXT, &k, &wrapped);
	vault_seal(&k, CONTEXT, plain, sizeof(plain), sealed);
	for (size_t bit = 0; bit < sizeof(sealed) * 8; bit++) {
		sealed[bit / 8] ^= (uint8_t)(1u << (bit % 8));
		assert_int_equal(vault_unseal(&k, CONTEXT, s, out), SOUK_E_INTERNAL);
		sealed[bit / 8] ^= (uint8_t)(1u << (bit % 8));
	}
	for (size_t bit = 0; bit < VAULT_KEY_LEN * 8; bit++) {
		wrong = k;
		wrong.b[bit / 8] ^= (uint8_t)(1u << (bit % 8));
		assert_int_equal(vault_unseal(&wrong, CONTEXT, s, out), SOUK_E_INTERNAL);
	}
	for (size_t n = 0; n < sizeof(sealed); n++)
		assert_int_equal(
		    vault_unseal(&k, CONTEXT, (struct str){ s.p, n }, out), SOUK_E_INTERNAL);
	assert_int_equal(vault_unseal(&k, STR("contact:another"), s, out), SOUK_E_INTERNAL);
	assert_int_equal(vault_unseal(&k, CONTEXT, s, out), SOUK_OK);
}

/* A wrapped key is no record, a record no chunk, and the other way round. */
static void
test_uses_are_separate(void **state)
{
	struct world *w = *state;
	struct data_key k;
	struct wrapped_key wrapped;
	uint8_t nonce_first[12 + 32 + 16], out[64];

	vault_key_new(w->vault, STR(""), &k, &wrapped);
	vault_seal_chunk(&k, 0, true, "0123456789abcdef0123456789abcdef", 32, nonce_first + 12);
	memset(nonce_first, 0, 12);
	nonce_first[8] = 1;
	assert_int_equal(vault_unseal(&k, STR(""),
			     (struct str){ (const char *)nonce_first, sizeof(nonce_first) }, out),
	    SOUK_E_INTERNAL);
	assert_int_equal(vault_unseal_chunk(
			     &k, 0, true, (struct str){ (const char *)nonce_first + 12, 48 }, out),
	    SOUK_OK);
	memcpy(nonce_first, wrapped.b + 4, sizeof(nonce_first));
	assert_int_equal(vault_unseal(&k, STR(""),
			     (struct str){ (const char *)nonce_first, sizeof(nonce_first) }, out),
	    SOUK_E_INTERNAL);
}

static void
test_wrong_ring(void **state)
{
	struct world *w = *state;
	struct world *other;
	struct data_key k, out;
	struct wrapped_key wrapped;
	char print[33], print_other[33];

	assert_int_equal(world_setup((void **)&other), 0);
	vault_key_new(w->vault, CONTEXT, &k, &wrapped);
	assert_int_equal(
	    vault_key_unwrap(other->vault, CONTEXT, wrapped_str(&wrapped), &out), SOUK_E_INTERNAL);
	vault_fingerprint(w->vault, print);
	vault_fingerprint(other->vault, print_other);
	assert_int_equal(strlen(print), 32);
	assert_string_not_equal(print, print_other);
	assert_int_equal(world_teardown((void **)&other), 0);
}

/* ---- chunks ---- */

#define CHUNKS 3
#define TAIL 100

struct object {
	struct data_key k;
	uint8_t sealed[CHUNKS][VAULT_CHUNK + VAULT_CHUNK_OVERHEAD];
	uint8_t plain[CHUNKS][VAULT_CHUNK];
	uint8_t out[VAULT_CHUNK];
};

static size_t
chunk_len(size_t i)
{
	return i == CHUNKS - 1 ? TAIL : VAULT_CHUNK;
}

static struct str
chunk_str(const struct object *o, size_t i)
{
	return (struct str){ (const char *)o->sealed[i], chunk_len(i) + VAULT_CHUNK_OVERHEAD };
}

static struct object *
object_new(struct vault *v)
{
	struct object *o = calloc(1, sizeof(*o));
	struct wrapped_key wrapped;

	assert_non_null(o);
	vault_key_new(v, CONTEXT, &o->k, &wrapped);
	for (size_t i = 0; i < CHUNKS; i++) {
		for (size_t j = 0; j < VAULT_CHUNK; j++)
			o->plain[i][j] = (uint8_t)(j * 3 + i);
		vault_seal_chunk(
		    &o->k, i, i == CHUNKS - 1, o->plain[i], chunk_len(i), o->sealed[i]);
	}
	return o;
}

static void
test_chunks_open_alone(void **state)
{
	struct world *w = *state;
	struct object *o = object_new(w->vault);

	for (size_t i = CHUNKS; i-- > 0;) {
		assert_int_equal(
		    vault_unseal_chunk(&o->k, i, i == CHUNKS - 1, chunk_str(o, i), o->out),
		    SOUK_OK);
		assert_memory_equal(o->out, o->plain[i], chunk_len(i));
	}
	free(o);
}

static void
test_chunks_refuse_order_cut_and_mix(void **state)
{
	struct world *w = *state;
	struct object *o = object_new(w->vault), *p = object_new(w->vault);
	struct str s;

	/* Reordered: every chunk at every other place. */
	for (size_t i = 0; i < CHUNKS; i++)
		for (size_t at = 0; at < CHUNKS; at++)
			for (int last = 0; last <= 1; last++)
				assert_int_equal(
				    vault_unseal_chunk(&o->k, at, last, chunk_str(o, i), o->out),
				    i == at && last == (i == CHUNKS - 1) ? SOUK_OK
									 : SOUK_E_INTERNAL);
	/* An index that differs in its highest byte only. */
	assert_int_equal(
	    vault_unseal_chunk(&o->k, UINT64_C(1) << 56, false, chunk_str(o, 0), o->out),
	    SOUK_E_INTERNAL);
	/* Cut: the chunk before the last is not the last, and half a chunk is none. */
	assert_int_equal(
	    vault_unseal_chunk(&o->k, 1, true, chunk_str(o, 1), o->out), SOUK_E_INTERNAL);
	s = chunk_str(o, 1);
	s.n--;
	assert_int_equal(vault_unseal_chunk(&o->k, 1, false, s, o->out), SOUK_E_INTERNAL);
	s.n = VAULT_CHUNK_OVERHEAD - 1;
	assert_int_equal(vault_unseal_chunk(&o->k, 1, false, s, o->out), SOUK_E_INTERNAL);
	s.n = VAULT_CHUNK + VAULT_CHUNK_OVERHEAD + 1;
	assert_int_equal(vault_unseal_chunk(&o->k, 1, false, s, o->out), SOUK_E_INTERNAL);
	/* Mixed: the same place of another object. */
	assert_int_equal(
	    vault_unseal_chunk(&o->k, 1, false, chunk_str(p, 1), o->out), SOUK_E_INTERNAL);
	free(o);
	free(p);
}

static void
test_chunk_refuses_flipped_bytes(void **state)
{
	struct world *w = *state;
	struct object *o = object_new(w->vault);
	struct str s = chunk_str(o, CHUNKS - 1);

	for (size_t i = 0; i < s.n; i++) {
		o->sealed[CHUNKS - 1][i] ^= 0x40;
		assert_int_equal(
		    vault_unseal_chunk(&o->k, CHUNKS - 1, true, s, o->out), SOUK_E_INTERNAL);
		o->sealed[CHUNKS - 1][i] ^= 0x40;
	}
	/* An empty object is one empty last chunk. */
	vault_seal_chunk(&o->k, 0, true, "", 0, o->sealed[0]);
	s = (struct str){ (const char *)o->sealed[0], VAULT_CHUNK_OVERHEAD };
	assert_int_equal(vault_unseal_chunk(&o->k, 0, true, s, o->out), SOUK_OK);
	assert_int_equal(vault_unseal_chunk(&o->k, 0, false, s, o->out), SOUK_E_INTERNAL);
	free(o);
}

/* ---- keyed indexes ---- */

static void
test_blind_and_mac(void **state)
{
	struct world *w = *state;
	uint8_t a[VAULT_BLIND_LEN], b[VAULT_BLIND_LEN], m[32], n[32];

	vault_blind(w->vault, "psc.email", STR("a@example.com"), a);
	vault_blind(w->vault, "psc.email", STR("a@example.com"), b);
	assert_memory_equal(a, b, sizeof(a));
	vault_blind(w->vault, "psc.email", STR("b@example.com"), b);
	assert_memory_not_equal(a, b, sizeof(a));
	vault_blind(w->vault, "psc.phone", STR("a@example.com"), b);
	assert_memory_not_equal(a, b, sizeof(a));
	/* The border between domain and value counts. */
	vault_blind(w->vault, "psc.emaila", STR("@example.com"), b);
	assert_memory_not_equal(a, b, sizeof(a));
	vault_mac(w->vault, "psc.email", STR("a@example.com"), m);
	assert_memory_not_equal(a, m, sizeof(a));
	vault_mac(w->vault, "psc.email", STR("a@example.com"), n);
	assert_memory_equal(m, n, sizeof(m));
	vault_mac(w->vault, "psc.email", STR(""), n);
	assert_memory_not_equal(m, n, sizeof(m));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_key_round_trip),
		cmocka_unit_test(test_key_refuses_every_flipped_bit),
		cmocka_unit_test(test_key_refuses_other_context_and_length),
		cmocka_unit_test(test_record_round_trip),
		cmocka_unit_test(test_record_refuses_every_flipped_bit),
		cmocka_unit_test(test_uses_are_separate),
		cmocka_unit_test(test_wrong_ring),
		cmocka_unit_test(test_chunks_open_alone),
		cmocka_unit_test(test_chunks_refuse_order_cut_and_mix),
		cmocka_unit_test(test_chunk_refuses_flipped_bytes),
		cmocka_unit_test(test_blind_and_mac),
	};

	return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
