/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Terms that the scanner looks for, by class (terms.txt, offensive.txt).
 *
 * A class is a notion, such as "asks the reader for something" or "data of a means of payment". Rules put them
 * together within a sentence (text_patterns.c): asking and payment data, without a negation and without
 * words that show that a service for others' payment data is meant.
 */
#ifndef SOUK_PROSERV_TEXT_TERMS_H
#define SOUK_PROSERV_TEXT_TERMS_H

#include <stddef.h>
#include <stdint.h>

enum term_class {
	TERM_NEG,     /* not, never, without */
	TERM_WITHOUT, /* with TERM_UNABLE a demand: "without it we cannot begin" */
	TERM_UNABLE,
	TERM_SHADOW, /* takes the meaning from the terms within it: "do not hesitate" is no negation */
	TERM_BILL,      /* invoices, fees, paying */
	TERM_OUTSIDE,   /* not through the marketplace */
	TERM_DIRECT,    /* an invitation to pay elsewhere, by itself */
	TERM_EXPENSE,   /* of travelling */
	TERM_PAYWAY,    /* bank transfers, cheques, purchase orders */
	TERM_CONTRACT,  /* signing, ordering, contracts */
	TERM_WITHUS,    /* with the seller directly */
	TERM_MARKETFEE, /* what the marketplace takes of the price */
	TERM_EVADE,     /* avoiding that */
	TERM_PRICE,     /* what makes an amount a price: per hour, costs, only */
	TERM_SAVING,    /* what makes an amount something else: savings, losses, budgets */
	TERM_AWSBILL,   /* billed by AWS or through the marketplace */
	TERM_BUILD,     /* a thing that is built for the customer */
	TERM_SECURE,    /* data that are protected, searched for, audited */
	TERM_TRAIN,     /* taught, exercised, an example */
	TERM_ASKUS,     /* asks the reader to give something to the seller */
	TERM_ASK,       /* asks for something */
	TERM_PAYDATA,   /* cards, accounts */
	TERM_IDCTX,     /* the number of an order, device, version */
	TERM_ROUTING,   /* a bank's number in the United States */
	TERM_CRED,      /* passwords, keys */
	TERM_SAFECRED,  /* credentials that are managed, found, replaced */
	TERM_INSTALL,
	TERM_TARGET,   /* an agent, a stack, the customer's account */
	TERM_NOTARGET, /* agents who are people */
	TERM_COST,
	TERM_INFRA,   /* AWS infrastructure */
	TERM_RESP,    /* the customer pays it */
	TERM_NOCOST,  /* there are none, or they fall */
	TERM_ABUSE,   /* against the acceptable use policy */
	TERM_FOUL,    /* an offer of that, whatever else is said */
	TERM_FORGED,  /* fake; hacking, getting around: with what follows against it, too */
	TERM_PAPERS,  /* what that is done to: reviews, passports, accounts, captchas */
	TERM_PROTECT, /* against that */
	TERM_LEVEL,   /* levels of support */
	TERM_HELPUSE,
	TERM_TROUBLE,
	TERM_REFUND,
	TERM_PRE, /* before the purchase */
	TERM_POST,
	TERM_NEXT,     /* what to do next, one step */
	TERM_NEXTHEAD, /* says that steps follow */
	TERM_FEATURE,
	TERM_BENEFIT,
	TERM_USAGE,
	TERM_PWORD,   /* a text of nothing but these is a placeholder */
	TERM_PANY,    /* a placeholder wherever it stands */
	TERM_AWSNAME, /* AWS and its services */
	TERM_OFFEND,
	TERM_EXPLICIT, /* of these: what is also a topic of those who keep it away */
	TERM_MODERATE, /* keeps it away */
	TERM_HONOR,    /* a person's name follows (in Japanese: went before) */
	TERM_STREET,
	TERM_ORG, /* an organisation's name; "&", too, which the scanner finds itself */
	/* Found by the scanner itself: */
	TERM_AMOUNT, /* of money */
	TERM_CARD,   /* a number of a payment card that holds its check digit */
	TERM_IBAN,
	TERM_BANK, /* a routing number that holds its check digit */
	TERM__COUNT
};

#define TERM(c) (UINT64_C(1) << TERM_##c)
_Static_assert(TERM__COUNT <= 64, "a set of classes is 64 bits");

/* Languages as bits, in the order of embed_terms.py. */
enum language {
	LANG_EN = 1,
	LANG_DE = 2,
	LANG_FR = 4,
	LANG_ES = 8,
	LANG_PT = 16,
	LANG_JA = 32,
	LANG_IT = 64,
	LANG_NL = 128
};
#define LANG_ALL 255

#define TERM_OPEN_BEFORE 1 /* a word may go on in front */
#define TERM_OPEN_AFTER 2  /* and behind */

struct term {
	const char *text; /* as in the list, not folded */
	uint64_t classes;
	uint8_t valid;     /* in listings of these languages */
	uint8_t languages; /* it is of these; 0: of any */
	uint8_t flags;
};

extern const struct term terms[];
extern const size_t n_terms;

#endif
