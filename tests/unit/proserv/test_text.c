/* SPDX-License-Identifier: Apache-2.0 */
/* Folding, numbers of cards and accounts, where findings point, and texts made to do harm. */
#include "check.h"

#include "corpus.h"

#include "proserv/review.h"
#include "proserv/text_number.h"
#include "proserv/text_person.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static struct corpus corpus;

static int
set_up(void **state)
{
	(void)state;
	corpus_open(&corpus);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	corpus_close(&corpus);
	return 0;
}

static const struct {
	const char *text, *folded;
} foldings[] = {
	{ "Credit  CARD", "credit card" },
	{ "cre\u200bdit c\u202eard", "credit card" },
	{ "**credit** _card_ `x`", "credit card x" },
	{ "<b>cre</b>dit<br>card<!-- no -->s", "credit cards" },
	{ "cre&shy;dit&nbsp;c&#97;rd &amp; &#x41;", "credit card & a" },
	{ "R\u00e9glez \u00dcberweisung stra\u00dfe \u0141\u00f3d\u017a",
	    "reglez uberweisung strasse lodz" },
	{ "re\u0301glez", "reglez" },
	{ "\uff23\uff41\uff52\uff44 \U0001d41b\U0001d41a\U0001d427\U0001d424", "card bank" },
	{ "\u0441redit \u0421\u0410RD", "credit card" }, /* Cyrillic es, a */
	{ "off-platform 4111-1111", "off platform 4111-1111" },
	{ "one\ntwo\n\nthree\n- four\n# five\nsix", "one two\nthree\n- four\n# five\nsix" },
	{ "\uff76\uff70\uff84\uff9e\u3002\u3042", "\u30ab\u30fc\u30c8\u3099. \u3042" },
	{ "\u30c9", "\u30c8\u3099" },
	{ "\u20ac 5 \u00a3", "\u20ac 5 \u00a3" },
	{ "a < b && c", "a b && c" },
	{ "\xff\xc3x", "x" },
};

static void
test_folding(void **state)
{
	struct text_folded f = { .steps = NULL };

	(void)state;
	for (size_t i = 0; i < sizeof(foldings) / sizeof(foldings[0]); i++) {
		char want[128];

		text_fold_clear(&f);
		text_fold_add(text_engine_table(corpus.engine), str_c(foldings[i].text), 0, &f);
		(void)snprintf(want, sizeof(want), "%s\n", foldings[i].folded);
		assert_false(f.failed);
		assert_string_equal(f.out.p, want);
	}
	text_fold_done(&f);
}

/* Every folded byte of a long text with everything in it leads back to where it was. */
static void
test_folding_leads_back(void **state)
{
	static const char text[] =
	    "Plain text of more than sixteen bytes, **then** r\u00e9gl\u00e9 x\u200by  z <b>q</b> "
	    "&amp; and once more plain text that is copied in blocks";
	struct text_folded f = { .steps = NULL };
	const char *p;

	(void)state;
	text_fold_add(text_engine_table(corpus.engine), str_c("another field first"), 0, &f);
	text_fold_add(text_engine_table(corpus.engine), str_c(text), 1, &f);
	for (const char *const *w = (const char *const[]){ "plain", "sixteen", "then", "regle",
		 "xy", "q ", "and", "once", "blocks", NULL };
	     *w != NULL; w++) {
		p = strstr(f.out.p, *w);
		assert_non_null(p);
		assert_int_equal(
		    text[text_fold_origin(&f, (uint32_t)(p - f.out.p))] | 0x20, (*w)[0]);
	}
	assert_int_equal(f.n_hidden, 1);
	assert_int_equal(f.hidden[0].kind, HIDDEN_WIDTH);
	assert_int_equal(f.hidden[0].field, 1);
	assert_int_equal(text[f.hidden[0].at - 1], 'x');
	text_fold_done(&f);
}

static const struct {
	const char *text;
	size_t n;
} hidings[] = {
	{ "a\u200bb", 1 },
	{ "a\u200b\u200b\u200bb c\u2060d", 2 },
	{ "\ufeffstart and end\u200b", 0 },
	{ "\U0001f469\u200d\U0001f4bb engineers", 0 },
	{ "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", 0 }, /* Persian has a use for it */
	{ "total\u202egnitekram", 1 },
	{ "p\u0430ypal", 1 }, /* Cyrillic a */
	{ "\u041c\u043e\u0441\u043a\u0432\u0430 AWS", 0 },
	{ "soft\u00adhyphen", 0 },
};

static void
test_hiding(void **state)
{
	struct text_folded f = { .steps = NULL };

	(void)state;
	for (size_t i = 0; i < sizeof(hidings) / sizeof(hidings[0]); i++) {
		text_fold_clear(&f);
		text_fold_add(text_engine_table(corpus.engine), str_c(hidings[i].text), 0, &f);
		if (f.n_hidden != hidings[i].n)
			fail_msg("row %zu: %zu", i, f.n_hidden);
	}
	text_fold_done(&f);
}

static const struct {
	const char *text;
	int kind; /* -1: none */
	const char *found;
} numbers[] = {
	{ "card 4111 1111 1111 1111, 12/27", NUMBER_CARD, "4111 1111 1111 1111" },
	{ "card 4111111111111111 12 27", NUMBER_CARD, "4111111111111111" },
	{ "378282246310005", NUMBER_CARD, "378282246310005" },
	{ "4111 1111 1111 1112", -1, "" },   /* check digit */
	{ "9111111111111115", -1, "" },      /* no scheme */
	{ "4111-1111-1111-1111-2", -1, "" }, /* goes on */
	{ "x4111111111111111", -1, "" },
	{ "0000000000000000", -1, "" },
	{ "41111111-1111-4111-8111-111111111111", -1, "" },
	{ "iban de89 3704 0044 0532 0130 00.", NUMBER_IBAN, "de89 3704 0044 0532 0130 00" },
	{ "de89370400440532013000", NUMBER_IBAN, "de89370400440532013000" },
	{ "de88370400440532013000", -1, "" }, /* check digits */
	{ "de8937040044053201300", -1, "" },  /* too short for Germany */
	{ "gb82 west 1234 5698 7654 32", NUMBER_IBAN, "gb82 west 1234 5698 7654 32" },
	{ "routing 011401533 x", NUMBER_BANK, "011401533" },
	{ "routing 011401534 x", -1, "" },
	{ "only $4,900.50 now", NUMBER_AMOUNT, "$4,900.50" },
	{ "4.900 \u20ac zzgl", NUMBER_AMOUNT, "4.900 \u20ac" },
	{ "usd 180 each", NUMBER_AMOUNT, "usd 180" },
	{ "150 dollars", NUMBER_AMOUNT, "150 dollars" },
	{ "r$ 5.000", NUMBER_AMOUNT, "$ 5.000" },
	{ "250 servers", -1, "" },
	{ "plus180 x", -1, "" },
};

static void
test_numbers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct number n = { .start = 0 };
		size_t at = 0;
		struct str text = str_c(numbers[i].text);
		bool found = text_number_next(text, &at, &n);

		if (found != (numbers[i].kind >= 0) ||
		    (found && ((int)n.kind != numbers[i].kind ||
				  !str_eq_c((struct str){ text.p + n.start, n.end - n.start },
				      numbers[i].found))))
			fail_msg(
			    "row %zu: %d %zu %zu", i, found ? (int)n.kind : -1, n.start, n.end);
	}
}

/* Reviews; returns the rule's first finding on words, or NULL. */
static const struct finding *
review(const struct listing *l, const struct review_context *context, enum edition edition,
    struct arena *a, const char *rule)
{
	struct review_input in = { .listing = l, .context = context };
	struct review_options o = { .edition = edition };
	struct findings *found = ARENA_NEW(a, struct findings);

	assert_int_equal(text_scan(corpus.engine, corpus.scratch, l, a, &in.text), SOUK_OK);
	findings_init(found, a);
	assert_int_equal(review_run(&in, &o, found), SOUK_OK);
	for (size_t i = 0; i < found->n; i++)
		if (found->v[i].kind == KIND_HEURISTIC && strcmp(found->v[i].rule->id, rule) == 0)
			return &found->v[i];
	return NULL;
}

static void
test_place_and_evidence(void **state)
{
	struct arena *a = arena_new((size_t)4 << 20);
	struct listing_dimension d[2] = { { .name = STR("Kick-off"),
					      .description = STR("Two days on site.") },
		{ .name = STR("More"),
		    .description = STR("On top. Please pay us by wire transfer, soon.") } };
	struct str highlights[2] = { STR("Fast"), STR("Send us your credit card number") };
	struct listing l = { .id = STR("x"),
		.language = STR("en"),
		.dimensions = d,
		.n_dimensions = 2,
		.highlights = { highlights, 2 },
		.long_description = STR("Wire to 4111 1111 1111 1111."),
		.needs_resources = false };
	const struct finding *f = review(&l, NULL, EDITION_G21, a, "PS-SETUP-03");

	(void)state;
	assert_non_null(f);
	assert_true(str_eq_c(f->pointer, "/dimensions/1/description"));
	assert_true(str_eq_c(f->evidence, "pay us by wire transfer"));
	assert_int_equal(f->severity, SEVERITY_WARNING);
	assert_null(review(&l, NULL, EDITION_G21, a, "PS-CUST-01"));
	f = review(&l, NULL, EDITION_G21, a, "PS-CUST-02");
	assert_non_null(f);
	assert_true(str_eq_c(f->pointer, "/highlights/1"));
	assert_true(str_eq_c(f->evidence, "Send us your credit card number"));
	/* A number of a card is not repeated. */
	l.highlights.n = 1;
	f = review(&l, NULL, EDITION_G21, a, "PS-CUST-02");
	assert_non_null(f);
	assert_int_equal(f->evidence.n, 0);
	assert_null(memmem(f->message.p, f->message.n, "4111", 4));
	arena_free(a);
}

/* Rules that compare texts with other parts of the listing. */
static void
test_relations(void **state)
{
	struct arena *a = arena_new((size_t)4 << 20);
	struct listing_dimension d = { .name = STR("Database migration"),
		.description = STR("One database.") };
	struct str categories[2] = { STR("Training"), STR("Machine Learning") },
		   products[1] = { STR("p1") };
	struct context_product product = {
		.id = STR("p1"), .title = STR("Example Lake"), .maker = STR("Example Software")
	};
	struct review_context context = {
		.has_products = true, .products = &product, .n_products = 1
	};
	struct listing l = { .id = STR("x"),
		.language = STR("en"),
		.dimensions = &d,
		.n_dimensions = 1,
		.categories = { categories, 2 },
		.associated_products = { products, 1 } };

	(void)state;
	l.long_description =
	    STR("We migrate databases to Example Lake with models made by machines that learn.");
	assert_null(review(&l, &context, EDITION_G21, a, "PS-SETUP-02"));
	assert_null(review(&l, &context, EDITION_G21, a, "PS-SETUP-05"));
	assert_null(review(&l, &context, EDITION_G21, a, "PS-ARCH-02"));
	l.long_description = STR("We advise boards.");
	assert_non_null(review(&l, &context, EDITION_G21, a, "PS-SETUP-02"));
	assert_non_null(review(&l, &context, EDITION_G21, a, "PS-SETUP-05"));
	assert_non_null(review(&l, &context, EDITION_G21, a, "PS-ARCH-02"));
	d.name = STR("TBD");
	l.long_description = STR("The TBD is for boards.");
	assert_non_null(review(&l, &context, EDITION_G21, a, "PS-SETUP-02"));
	/* Scope is a rule of the later edition, and related products are enough. */
	assert_null(review(&l, &context, EDITION_G22, a, "PS-SETUP-10"));
	l.associated_products.n = 0;
	assert_non_null(review(&l, &context, EDITION_G22, a, "PS-SETUP-10"));
	assert_null(review(&l, &context, EDITION_G21, a, "PS-SETUP-10"));
	l.long_description = STR("We run your Amazon EC2 fleet.");
	assert_null(review(&l, &context, EDITION_G22, a, "PS-SETUP-10"));
	/* Deploying is news only where the listing denies it. */
	l.long_description = STR("We install an agent on every server.");
	assert_non_null(review(&l, &context, EDITION_G21, a, "PS-ARCH-03"));
	l.needs_resources = true;
	assert_null(review(&l, &context, EDITION_G21, a, "PS-ARCH-03"));
	arena_free(a);
}

static void
test_languages(void **state)
{
	struct arena *a = arena_new((size_t)4 << 20);
	struct listing l = { .id = STR("x"), .long_description = STR("Le con est l\u00e0.") };

	(void)state;
	assert_int_equal(text_language(STR("de-AT")), LANG_DE);
	assert_int_equal(text_language(STR("den")), 0);
	assert_int_equal(text_language(STR("")), 0);
	/* A Spanish cone is no insult; with its accent it is. */
	l.language = STR("es");
	l.long_description = STR("El cono de luz.");
	assert_null(review(&l, NULL, EDITION_G21, a, "PS-SETUP-08"));
	l.long_description = STR("El co\u00f1o de luz.");
	assert_non_null(review(&l, NULL, EDITION_G21, a, "PS-SETUP-08"));
	l.language = STR("ja");
	assert_null(review(&l, NULL, EDITION_G21, a, "PS-SETUP-08"));
	arena_free(a);
}

/* What a rule makes of one sentence, by what the sentence does. */
static const struct {
	const char *rule, *language, *text;
	bool finds;
} sentences[] = {
	/* A demand in the shape of two negations; with one it is none. */
	{ "PS-CUST-02", "en", "Without your IBAN we cannot start.", true },
	{ "PS-CUST-02", "de", "Ohne Ihre IBAN k\u00f6nnen wir nicht beginnen.", true },
	{ "PS-CUST-02", "en", "We start without your IBAN.", false },
	{ "PS-ARCH-03", "es", "Sin su contrase\u00f1a no podemos empezar.", true },
	/* Nobody asks, but the data are the reader's; those of others are not. */
	{ "PS-CUST-02", "en", "Your corporate credit card number will do.", true },
	{ "PS-CUST-02", "en", "A credit card number will do.", false },
	{ "PS-CUST-02", "en", "You know which credit card number will do.", false },
	{ "PS-ARCH-03", "en", "Your shiny new admin password will do.", true },
	{ "PS-ARCH-03", "en", "Your staff is happy: an admin password will do.", false },
	/* A way of paying, with the seller beside it, far from it, and within the term. */
	{ "PS-CUST-01", "en", "A cheque to us will do.", true },
	{ "PS-CUST-01", "en", "A cheque will do.", false },
	{ "PS-CUST-01", "en", "A cheque will do in the world that they showed to us.", false },
	{ "PS-CUST-01", "de", "Es folgt unsere Rechnung.", true },
	{ "PS-CUST-01", "ja", "\u5f0a\u793e\u3078\u5c0f\u5207\u624b\u3067\u3002", true },
	{ "PS-CUST-01", "es", "Un ingreso en nuestra cuenta basta.", true },
	/* Around the marketplace. */
	{ "PS-CUST-01", "en", "You avoid the marketplace fee.", true },
	{ "PS-CUST-01", "en", "The marketplace fee is known.", false },
	{ "PS-CUST-01", "en", "Sign the contract directly with us.", true },
	/* Who travels at whose expense; what AWS takes is another matter. */
	{ "PS-CUST-01", "en", "Hotels are at your expense.", true },
	{ "PS-CUST-01", "en", "Hotels run on AWS infrastructure at your expense.", false },
	/* Signs in the place of letters; emphasis is none. */
	{ "PS-SETUP-08", "en", "Get that sh*t done.", true },
	{ "PS-SETUP-08", "en", "No b******t here.", true },
	{ "PS-SETUP-08", "en", "A$$hole!", true }, { "PS-SETUP-08", "en", "Get that s**t**", true },
	{ "PS-SETUP-08", "en", "Get **sh**ips done, and sh*p.", false },
	{ "PS-SETUP-08", "en", "s*** is too little, h**t is no word of ours", false },
	{ "PS-SETUP-08", "ja", "Arsch*och", false },
	/* Who keeps it away has to name it; that does not excuse other words. */
	{ "PS-SETUP-08", "en", "Our filter blocks porn.", false },
	{ "PS-SETUP-08", "en", "Our filter blocks porn and shit.", true },
	{ "PS-SETUP-08", "en", "We stream porn.", true },
	/* Languages. */
	{ "PS-SETUP-08", "it", "Che stronzata.", true },
	{ "PS-SETUP-08", "nl", "Wat een klootzak.", true },
	{ "PS-SETUP-08", "en", "The Kut and Lul rivers.", false },
	{ "PS-SETUP-08", "nl", "De kut.", true },
	{ "PS-SETUP-08", "ja", "\u30d5\u30a1\u30c3\u30af\u30b9\u53d7\u6ce8", false }, /* fax */
};

static void
test_sentences(void **state)
{
	size_t wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++) {
		struct arena *a = arena_new((size_t)4 << 20);
		struct listing l = { .id = STR("x"),
			.language = str_c(sentences[i].language),
			.long_description = str_c(sentences[i].text) };

		if ((review(&l, NULL, EDITION_G21, a, sentences[i].rule) != NULL) !=
		    sentences[i].finds) {
			wrong++;
			print_error("%s, %s: %s\n", sentences[i].rule,
			    sentences[i].finds ? "missed" : "found", sentences[i].text);
		}
		arena_free(a);
	}
	assert_int_equal(wrong, 0);
}

#define HOSTILE ((size_t)256 << 10)

static double
cpu(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Processor time, in seconds, of a review of a text of the pieces, as every kind of text at once. */
static double
review_of(const char *piece, char *text, size_t size)
{
	size_t n = strlen(piece);
	struct arena *a = arena_new(24 * HOSTILE);
	struct str t = { text, size - size % n };
	struct listing_dimension d = { .name = t, .description = t };
	struct listing_offer o = { .name = t };
	struct listing l = { .id = STR("x"),
		.title = t,
		.long_description = t,
		.dimensions = &d,
		.n_dimensions = 1,
		.offers = &o,
		.n_offers = 1,
		.categories = { &t, 1 } };
	double from = cpu();

	for (size_t k = 0; k + n <= size; k += n)
		memcpy(text + k, piece, n);
	(void)review(&l, NULL, EDITION_G21, a, "PS-NONE");
	arena_free(a);
	return cpu() - from;
}

/* Time and memory grow with the text only: a quadratic step would make it sixteen times as long. */
static void
test_hostile(void **state)
{
	static const char *const pieces[] = { "a", "A ", " ", "\n", "\n- ", ".", "no ", "not only ",
		"<", "<a", "<a><b>", "<!--", "&", "&#x200b;", "&amp;", "\u200b", "a\u200b",
		"\u202e", "\u0430a", "\ufdfa", "\u0301", "*", "_a", "1", "1.", "1 ",
		"4111 1111 1111 1111 ", "sh*p ", "s**t", "our card ", "de89 3704 ", "$1 ", "://",
		"://bit.ly", "@", "a@", "+1 ", "send us your credit card ", "fuck ", "mr ",
		"mr Smith ", "Street 1 ", "John Smith for John ", "xxx",
		"\xe3\x82\xab\xe3\x83\xbc\xe3\x83\x89", "database " };
	char *text = malloc(HOSTILE + 1);

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		double quarter = review_of(pieces[i], text, HOSTILE / 4);
		double whole = review_of(pieces[i], text, HOSTILE);

		if (whole > 8 * quarter + 0.1)
			fail_msg("%s: %.2f s, a quarter of it %.2f s", pieces[i], whole, quarter);
	}
	free(text);
}

#define CHUNK 40 /* terms in one text */

static bool
is_listed(const struct term_hits *h, size_t start, size_t end, size_t term)
{
	for (size_t i = 0; i < h->n; i++)
		if (h->v[i].start == start && h->v[i].end == end && h->v[i].term == term)
			return true;
	return false;
}

static bool
is_word_of_its_own(struct str text, size_t start, size_t end, unsigned flags)
{
	if (!(flags & TERM_OPEN_BEFORE) && start > 0 && folded_is_word(text, start) &&
	    folded_is_word(text, start - 1))
		return false;
	return (flags & TERM_OPEN_AFTER) || !folded_is_word(text, end) ||
	       !folded_is_word(text, end - 1);
}

/* Every place of the term in the text, one by one: the engine has it if it is a word there. Returns how many. */
static size_t
expect_term(
    struct str text, size_t term, struct str folded, enum term_set set, const struct term_hits *h)
{
	uint64_t of_set = set == TERMS_NAMES ? NAME_CLASSES : ~NAME_CLASSES;
	size_t n = 0;

	for (const char *p = text.p;
	     (terms[term].classes & of_set) &&
	     (p = memmem(p, (size_t)(text.p + text.n - p), folded.p, folded.n)) != NULL;
	     p++) {
		size_t start = (size_t)(p - text.p), end = start + folded.n;

		if (!is_word_of_its_own(text, start, end, terms[term].flags))
			continue;
		n++;
		if (!is_listed(h, start, end, term))
			fail_msg("%s at %zu of: %s", terms[term].text, start, text.p);
	}
	return n;
}

static struct term_hits
find(struct str text, enum term_set set)
{
	struct text_folded *folded = text_scratch_folded(corpus.scratch);
	struct term_hits h;

	text_fold_clear(folded);
	text_fold_add(text_engine_table(corpus.engine), text, 0, folded);
	assert_int_equal(
	    text_engine_find(corpus.engine, corpus.scratch, set, folded, folded->out.n, 0, &h),
	    SOUK_OK);
	return h;
}

/* The engine finds in the text what looking for each term by itself finds, in order. */
static void
compare_with_each(struct str text, enum term_set set, const struct str *folded)
{
	struct term_hits h = find(text, set);
	struct str all = buf_str(&text_scratch_folded(corpus.scratch)->out);
	size_t expected = 0, found = 0;

	for (size_t i = 0; i < n_terms; i++)
		expected += expect_term(all, i, folded[i], set, &h);
	for (size_t i = 0; i < h.n; i++) {
		found += h.v[i].term != TERM_MADE;
		assert_true(i == 0 || h.v[i - 1].end < h.v[i].end ||
			    (h.v[i - 1].end == h.v[i].end && h.v[i - 1].start <= h.v[i].start));
	}
	assert_int_equal(found, expected);
}

/* Whatever the terms stand beside. */
static void
test_every_term(void **state)
{
	static const char *const between[] = { " ", ", ", "", "_", "\u20ac", "(", "x", "\u00a3",
		".\n\n", "\u754c", "/", "7" };
	struct text_folded all = { .steps = NULL };
	struct str *folded = calloc(n_terms, sizeof(*folded));
	struct buf b = { .p = NULL };
	const char *p;

	(void)state;
	assert_non_null(folded);
	for (size_t i = 0; i < n_terms; i++)
		text_fold_add(text_engine_table(corpus.engine), str_c(terms[i].text), 0, &all);
	p = all.out.p;
	for (size_t i = 0; i < n_terms; p += folded[i++].n + 1)
		folded[i] = (struct str){ p, (size_t)(strchr(p, '\n') - p) };
	for (size_t i = 0; i < n_terms; i++) {
		buf_add_str(&b, str_c(terms[i].text));
		buf_add_str(&b, str_c(between[i * 7 % (sizeof(between) / sizeof(between[0]))]));
		if (i % CHUNK != CHUNK - 1 && i != n_terms - 1)
			continue;
		compare_with_each(buf_str(&b), TERMS_PROSE, folded);
		compare_with_each(buf_str(&b), TERMS_NAMES, folded);
		buf_clear(&b);
	}
	buf_done(&b);
	text_fold_done(&all);
	free(folded);
}

/* What is beyond the most that are looked at is not, and the rest is in order. */
static void
test_too_many_terms(void **state)
{
	static const char piece[] = "do not hesitate 5 $ ";
	static const size_t starts[] = { 3, 0, 16 }; /* "not" ends first, and is the last of all */
	struct buf b = { .p = NULL };
	struct term_hits h;

	(void)state;
	for (size_t i = 0; i < TERM_HITS_MAX / 2; i++)
		buf_add_str(&b, str_c(piece));
	h = find(buf_str(&b), TERMS_PROSE);
	assert_true(h.cut);
	assert_int_equal(h.n, TERM_HITS_MAX);
	for (size_t i = 0; i < h.n; i++)
		assert_int_equal(h.v[i].start, i / 3 * strlen(piece) + starts[i % 3]);
	buf_done(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_folding),
		cmocka_unit_test(test_folding_leads_back),
		cmocka_unit_test(test_hiding),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_place_and_evidence),
		cmocka_unit_test(test_relations),
		cmocka_unit_test(test_languages),
		cmocka_unit_test(test_every_term),
		cmocka_unit_test(test_too_many_terms),
		cmocka_unit_test(test_sentences),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
