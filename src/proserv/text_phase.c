/* SPDX-License-Identifier: Apache-2.0 */
/* What is before a purchase, and after it; see text_phase.h. */
#include "proserv/text_phase.h"

#include "proserv/text_engine.h"

#define BUYING_NEAR 6 /* words behind */
#define ENDING_NEAR 4
#define N(words) (sizeof(words) / sizeof((words)[0]))

/* Folded: English, German, French, Spanish, Portuguese, Italian, Dutch; "fois", "vez" and "volta" of "once". */
static const char *const before[] = { "before", "prior", "ahead", "vor", "bevor", "ehe", "avant",
	"antes", "anterior", "previo", "previa", "prima", "voor", "voordat", "alvorens" };
static const char *const after[] = { "after", "once", "following", "soon", "nach", "nachdem",
	"sobald", "seit", "apres", "fois", "despues", "tras", "vez", "apos", "depois", "dopo",
	"volta", "nadat", "zodra", "posterior" };

/* What follows a thing before the purchase is behind it. */
static const char *const then[] = { "afterwards", "afterward", "thereafter", "danach",
	"anschliessend", "ensuite", "luego", "posteriormente", "successivamente", "daarna",
	"nadien" };

/* How words for buying begin, and others that begin so, too. */
static const char *const buying[] = { "purchas", "buy", "bought", "order", "subscri", "signing",
	"signed", "signatu", "booking", "booked", "accept", "contract", "kauf", "gekauft", "erwerb",
	"bestel", "beauftrag", "auftrag", "vertrag", "abonn", "buchung", "annahme", "annehm",
	"achat", "achet", "commande", "souscri", "contrat", "compra", "compre", "adquir", "suscri",
	"pedido", "firmar", "firmad", "firmat", "firme", "acept", "assinat", "assinar", "aceit",
	"acquist", "ordine", "sottoscri", "abbon", "accett", "aankoop", "aanschaf", "koop", "kopen",
	"gekocht", "aanvaard" };
static const char *const not_buying[] = { "compreh", "compren", "contractor", "commandement" };

/* That what was bought is over, or changes: words, and how others begin. */
static const char *const end[] = { "end", "ende", "fin", "fine", "fim", "einde" };
static const char *const ending[] = { "ends", "ended", "ending", "expir", "renew", "laps", "runs",
	"cancel", "endet", "ablauf", "auslauf", "verlanger", "kundig", "renouv", "resili", "venc",
	"caduc", "renov", "termin", "rinnov", "scad", "afloop", "verloopt", "verleng", "aflopen" };

struct words {
	struct str text;
	size_t at;
};

/* The next word; false at the end, and at a sign that parts what is before it from what follows. */
static bool
next_word(struct words *w, struct str *ret)
{
	size_t start;

	while (w->at < w->text.n && !folded_is_word(w->text, w->at)) {
		if (memchr(".,;:!?\n", w->text.p[w->at], 7) != NULL)
			return false;
		w->at++;
	}
	for (start = w->at; w->at < w->text.n && folded_is_word(w->text, w->at); w->at++)
		;
	*ret = (struct str){ w->text.p + start, w->at - start };
	return ret->n > 0;
}

static bool
is_one(struct str word, const char *const *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (word.p[0] == v[i][0] && str_eq(word, str_c(v[i])))
			return true;
	return false;
}

static bool
begins_as_one(struct str word, const char *const *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (word.p[0] == v[i][0] && str_starts(word, str_c(v[i])))
			return true;
	return false;
}

static bool
is_ending(struct str word)
{
	return is_one(word, end, N(end)) || begins_as_one(word, ending, N(ending));
}

static bool
ending_follows(struct words w)
{
	struct str word;

	for (size_t i = 0; i < ENDING_NEAR && next_word(&w, &word); i++)
		if (is_ending(word))
			return true;
	return false;
}

/* Is a word for buying, and none for its end before or behind that, close behind? */
static bool
buying_follows(struct words w)
{
	struct str word, last = { NULL, 0 };

	for (size_t i = 0; i < BUYING_NEAR && next_word(&w, &word); last = word, i++) {
		if (str_eq(last, STR("in")) && str_eq(word, STR("order")))
			continue;
		if (is_one(word, before, N(before)) || is_one(word, after, N(after)) ||
		    is_ending(word))
			return false;
		if (begins_as_one(word, buying, N(buying)) &&
		    !begins_as_one(word, not_buying, N(not_buying)))
			return !ending_follows(w);
	}
	return false;
}

bool
text_tells_phase(struct str folded, enum purchase_phase phase)
{
	struct words w = { folded, 0 };
	struct str word;
	bool was_before = false;

	while (w.at < folded.n) {
		if (!next_word(&w, &word)) {
			w.at++;
		} else if (is_one(word, before, N(before))) {
			was_before = was_before || buying_follows(w);
			if (was_before && phase == BEFORE_PURCHASE)
				return true;
		} else if (phase == AFTER_PURCHASE) {
			if ((was_before && is_one(word, then, N(then))) ||
			    (is_one(word, after, N(after)) && buying_follows(w)))
				return true;
		}
	}
	return false;
}
