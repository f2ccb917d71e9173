/* SPDX-License-Identifier: Apache-2.0 */
/* Which company a buyer is of; see company.h. */
#include "edsp/company.h"

#include "base/utf8.h"
#include "edsp/company_int.h"
#include "edsp/text_map.h"

#include <ctype.h>
#include <libpsl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

static pthread_mutex_t load_lock = PTHREAD_MUTEX_INITIALIZER;
static const psl_ctx_t *suffixes;
static struct text_map free_mail;

static enum souk_err
load_free_mail(void)
{
	enum souk_err r = text_map_init(&free_mail, n_free_mail_names);

	for (size_t i = 0; i < n_free_mail_names && r == SOUK_OK; i++) {
		struct str name = str_c(free_mail_names[i]);

		if (text_map_put(&free_mail, name, text_map_hash(name), 0) == TEXT_MAP_NONE)
			r = SOUK_E_NOMEM;
	}
	return r;
}

enum souk_err
company_load(struct fail *f)
{
	enum souk_err r = SOUK_OK;

	(void)pthread_mutex_lock(&load_lock);
	if (suffixes == NULL)
		r = load_free_mail();
	if (suffixes == NULL && r == SOUK_OK)
		suffixes = psl_latest(NULL);
	(void)pthread_mutex_unlock(&load_lock);
	if (r != SOUK_OK)
		return fail_set(f, r, "memory", "the list of free mail does not fit into memory");
	if (suffixes != NULL)
		return SOUK_OK;
	return fail_set(f, SOUK_E_STORAGE, "public_suffix_list",
	    "the public suffix list cannot be read; install the package publicsuffix");
}

static bool
is_free_mail(const char *domain)
{
	return text_map_find(&free_mail, str_c(domain), text_map_hash(str_c(domain))) !=
	       TEXT_MAP_NONE;
}

/* Lower-case letters, digits, hyphens and dots only: what needs no mapping. */
static bool
is_plain_host(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.'))
			return false;
	}
	return s.n > 0 && s.n <= DOMAIN_MAX && s.p[0] != '.' && s.p[s.n - 1] != '.';
}

enum domain_kind
company_domain(struct str host, char out[DOMAIN_MAX + 1])
{
	char ascii[DOMAIN_MAX + 1];
	const char *at, *registrable;

	host = str_trim(host);
	at = host.n > 0 ? memrchr(host.p, '@', host.n) : NULL;
	if (at != NULL)
		host = (struct str){ at + 1, (size_t)(host.p + host.n - at - 1) };
	if (host.n > 1 && host.p[host.n - 1] == '.')
		host.n--;
	if (is_plain_host(host) && memchr(host.p, '.', host.n) != NULL) {
		memcpy(ascii, host.p, host.n);
		ascii[host.n] = '\0';
	} else if (!domain_plausible(host, ascii)) {
		return DOMAIN_UNUSABLE;
	}
	registrable = psl_registrable_domain(suffixes, ascii);
	if (is_free_mail(ascii) ||
	    (registrable != NULL && registrable != ascii && is_free_mail(registrable)))
		return DOMAIN_FREE;
	if (registrable == NULL)
		return DOMAIN_SUFFIX;
	memmove(out, registrable, strlen(registrable) + 1);
	return DOMAIN_COMPANY;
}

/* Letters that have no decomposition but a plain spelling that people use for them. */
static const struct {
	uint32_t letter;
	char plain[3];
} plain_letters[] = {
	{ 0xe6, "ae" },
	{ 0xf0, "d" },
	{ 0xf8, "o" },
	{ 0xfe, "th" },
	{ 0x111, "d" },
	{ 0x127, "h" },
	{ 0x131, "i" },
	{ 0x142, "l" },
	{ 0x153, "oe" },
	{ 0x167, "t" },
};

static size_t
add_folded(uint32_t c, char *out, size_t n)
{
	for (size_t i = 0; i < sizeof(plain_letters) / sizeof(plain_letters[0]); i++)
		if (plain_letters[i].letter == c) {
			size_t k = strlen(plain_letters[i].plain);

			if (n + k <= FOLDED_MAX)
				memcpy(out + n, plain_letters[i].plain, k);
			return n + k <= FOLDED_MAX ? n + k : n;
		}
	if (n + 4 > FOLDED_MAX)
		return n;
	if (c < 0x80)
		out[n++] = (char)c;
	else
		n += (size_t)u8_uctomb((uint8_t *)out + n, c, 4);
	return n;
}

static size_t
add_blank(char *out, size_t n)
{
	if (n > 0 && n < FOLDED_MAX && out[n - 1] != ' ')
		out[n++] = ' ';
	return n;
}

static size_t
fold_unicode(struct str text, char out[FOLDED_MAX + 1])
{
	size_t folded_n = 0, n = 0;
	uint8_t *folded;

	if (text.n > 4 * (size_t)FOLDED_MAX)
		text.n = 4 * (size_t)FOLDED_MAX;
	while (text.n > 0 && !utf8_valid(text))
		text.n--; /* the rest of a name that is broken says nothing */
	folded = u8_casefold((const uint8_t *)text.p, text.n, NULL, UNINORM_NFKD, NULL, &folded_n);
	for (size_t i = 0; folded != NULL && i < folded_n;) {
		struct str rest = { (const char *)folded + i, folded_n - i };
		uint32_t c = 0;
		size_t k = utf8_next(rest, &c);

		if (k == 0)
			break;
		i += k;
		if (uc_is_general_category(c, UC_MARK))
			continue;
		if (uc_is_general_category(c, UC_LETTER) || uc_is_general_category(c, UC_NUMBER))
			n = add_folded(c, out, n);
		else if (c != '\'' && c != 0x2019)
			n = add_blank(out, n);
	}
	free(folded);
	return n;
}

/*
 * What the letters below U+0250 fold to, asked of the library once: they make up nearly all names, and
 * none of them depends on its neighbours.
 */
#define LATIN_END 0x250
static struct latin_letter {
	char out[7]; /* a blank: it separates; nothing: it is dropped */
	uint8_t n;
} latin[LATIN_END];
static char ascii[256]; /* the same for ASCII; 0: dropped, or no ASCII */
static pthread_once_t latin_once = PTHREAD_ONCE_INIT;

static void
fold_latin(void)
{
	for (int c = 0; c < 0x80; c++)
		ascii[c] = (char)(isalnum(c) ? tolower(c) : c == '\'' ? 0 : ' ');
	for (uint32_t c = 0x80; c < LATIN_END; c++) {
		uint8_t one[4];
		char out[FOLDED_MAX + 1];
		size_t n = fold_unicode(
		    (struct str){ (const char *)one, (size_t)u8_uctomb(one, c, 4) }, out);
		bool word = uc_is_general_category(c, UC_LETTER) ||
			    uc_is_general_category(c, UC_NUMBER) ||
			    uc_is_general_category(c, UC_MARK);

		latin[c].n = (uint8_t)(n < sizeof(latin[c].out) ? n : 0);
		memcpy(latin[c].out, out, latin[c].n);
		if (n == 0 && !word)
			latin[c].out[latin[c].n++] = ' ';
	}
}

/* Has any of eight bytes a value of 0xc9 or more (which leads U+0240 and above)? */
static bool
leads_beyond_latin(uint64_t eight)
{
	const uint64_t high = UINT64_C(0x8080808080808080);

	return (eight & ((eight & ~high) + UINT64_C(0x3737373737373737)) & high) != 0;
}

bool
text_is_latin(struct str text)
{
	bool beyond = false;
	uint64_t eight = 0;
	size_t i = 0;

	for (; i + 8 <= text.n; i += 8) {
		memcpy(&eight, text.p + i, 8);
		beyond |= leads_beyond_latin(eight);
	}
	if (text.n >= 8) /* the rest, and some once more */
		memcpy(&eight, text.p + text.n - 8, 8);
	else
		for (; i < text.n; i++)
			eight = eight << 8 | (unsigned char)text.p[i];
	return !beyond && !leads_beyond_latin(eight);
}

static size_t
add_latin(const struct latin_letter *l, char *out, size_t n)
{
	for (uint8_t k = 0; k < l->n; k++) {
		if (l->out[k] == ' ')
			n = add_blank(out, n);
		else if (n < FOLDED_MAX)
			out[n++] = l->out[k];
	}
	return n;
}

size_t
text_fold(struct str text, char out[FOLDED_MAX + 1])
{
	size_t n = 0;

	(void)pthread_once(&latin_once, fold_latin);
	for (size_t i = 0; i < text.n && n < FOLDED_MAX; i++) {
		unsigned char c = (unsigned char)text.p[i];
		char folded = ascii[c];

		if (folded > ' ') {
			out[n++] = folded;
		} else if (folded == ' ') {
			n = add_blank(out, n);
		} else if (c >= 0xc2 && c < 0xc9 && i + 1 < text.n &&
			   ((unsigned char)text.p[i + 1] & 0xc0) == 0x80) {
			const struct latin_letter *l =
			    &latin[(c & 0x1fU) << 6 | ((unsigned char)text.p[++i] & 0x3fU)];

			if (l->n == 1 && l->out[0] != ' ')
				out[n++] = l->out[0];
			else
				n = add_latin(l, out, n);
		} else if (c >= 0x80) {
			n = fold_unicode(text, out);
			break;
		}
	}
	if (n > 0 && out[n - 1] == ' ')
		n--;
	out[n] = '\0';
	return n;
}

/* By their first letter. */
static const char *const legal_forms[26] = {
	['a' - 'a'] = " ab ag aps as asa ",
	['b' - 'a'] = " bhd bv bvba ",
	['c' - 'a'] = " co company corp corporation cv cyf ",
	['d' - 'a'] = " de dd doo ",
	['e' - 'a'] = " eg eirl eireli eood ev ",
	['g' - 'a'] = " gie gk gmbh ",
	['h' - 'a'] = " hf ",
	['i' - 'a'] = " inc incorporated ",
	['j' - 'a'] = " jsc ",
	['k' - 'a'] = " kft kg kgaa kk ",
	['l' - 'a'] = " lda limited limitada llc llp lp ltd ltda ",
	['m' - 'a'] = " mbh ",
	['n' - 'a'] = " nv nyrt ",
	['o' - 'a'] = " od oe og ohg ood ooo oy oyj ",
	['p' - 'a'] = " pc plc pjsc private pt pte pty pvt ",
	['r' - 'a'] = " rt ",
	['s' - 'a'] = (" sa sab sapi sarl sas sasu sca scs sdn se sia sl slu snc sp spa spk "
		       "spol spolka srl sro "),
	['t' - 'a'] = " tbk ",
	['u' - 'a'] = " uab ug unlimited ",
	['v' - 'a'] = " vof ",
	['y' - 'a'] = " yk ",
	['z' - 'a'] = " zoo zrt ",
};

static bool
is_legal_form(const char *word, size_t n)
{
	const char *forms;
	char key[24];

	if (n < 2 || n + 3 > sizeof(key) || word[0] < 'a' || word[0] > 'z')
		return false;
	forms = legal_forms[word[0] - 'a'];
	key[0] = ' ';
	memcpy(key + 1, word, n);
	key[n + 1] = ' ';
	key[n + 2] = '\0';
	return forms != NULL && strstr(forms, key) != NULL;
}

/* Where the first word of one letter begins; n: nowhere. */
static size_t
first_single(const char *s, size_t n)
{
	for (size_t i = 0; i < n;) {
		const char *blank = memchr(s + i, ' ', n - i);
		size_t end = blank != NULL ? (size_t)(blank - s) : n;

		if (end == i + 1)
			return i;
		i = end + 1;
	}
	return n;
}

/* "s a" becomes "sa", "g m b h" becomes "gmbh", "z o o" "zoo", from the word at `at` on. */
static size_t
join_single_letters(char *s, size_t at, size_t n)
{
	size_t k = at;
	bool was_single = false, single;

	for (size_t i = at, end; i < n; i = end + 1) {
		for (end = i + 1; end < n && s[end] != ' ';)
			end++;
		single = end == i + 1 && s[i] >= 'a';
		if (i > at && !(single && was_single))
			s[k++] = ' ';
		memmove(s + k, s + i, end - i);
		k += end - i;
		was_single = single;
	}
	return k;
}

/* Where the last word begins. */
static size_t
last_word(const char *s, size_t n)
{
	const char *blank = n > 0 ? memrchr(s, ' ', n) : NULL;

	return blank != NULL ? (size_t)(blank - s) + 1 : 0;
}

static size_t
spell_out_and(struct str name, char out[FOLDED_MAX + 1])
{
	size_t n = 0;

	for (size_t i = 0; i < name.n && n + 5 < FOLDED_MAX; i++) {
		bool amp = name.p[i] == '&';

		memcpy(out + n, amp ? " and " : name.p + i, amp ? 5 : 1);
		n += amp ? 5 : 1;
	}
	return n;
}

size_t
company_fold(struct str name, char out[FOLDED_MAX + 1])
{
	char other[FOLDED_MAX + 1];
	size_t n, single, begin = 0;
	bool stripped = false;

	if (name.n > 0 && memchr(name.p, '&', name.n) != NULL)
		name = (struct str){ other, spell_out_and(name, other) };
	n = text_fold(name, out);
	single = first_single(out, n);
	if (single < n)
		n = join_single_letters(out, single, n);
	for (;;) {
		size_t at = last_word(out, n), len = n - at;
		bool joins = stripped && ((len == 3 && memcmp(out + at, "and", 3) == 0) ||
					     (len == 1 && (out[at] == 'e' || out[at] == 'y')));

		if (at == 0 || (!is_legal_form(out + at, len) && !joins))
			break;
		n = at - 1;
		stripped = true;
	}
	if (n > 4 && memcmp(out, "the ", 4) == 0) {
		begin = 4;
		memmove(out, out + begin, n - begin);
	}
	out[n - begin] = '\0';
	return n - begin;
}

size_t
postal_fold(struct str code, char out[POSTAL_MAX + 1])
{
	size_t n = 0;

	for (size_t i = 0; i < code.n && n < POSTAL_MAX; i++) {
		unsigned char c = (unsigned char)code.p[i];
		bool letter = (unsigned char)((c | 0x20) - 'a') < 26;

		if (letter || (unsigned char)(c - '0') < 10)
			out[n++] = (char)(letter ? c & ~0x20 : c);
	}
	out[n] = '\0';
	return n;
}
