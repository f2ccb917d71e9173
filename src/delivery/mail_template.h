/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Templates of mails: text with places that are filled when a mail is written.
 *
 * A place is {{name}}; blanks inside of the braces do not matter. A kind of mail says which
 * places there are and which of them a template must have: one that lacks them is refused when
 * it is saved, not when the mail should go (proserv 4: a delay notice without its date is none).
 */
#ifndef SOUK_DELIVERY_MAIL_TEMPLATE_H
#define SOUK_DELIVERY_MAIL_TEMPLATE_H

#include "base/str.h"

#define MAIL_SUBJECT_MAX 200 /* code points */
#define MAIL_SUBJECT_FILLED_MAX                                                                    \
	400                  /* bytes; what values make longer is cut, and ends with an ellipsis */
#define MAIL_TEXT_MAX 65536  /* bytes */
#define MAIL_HTML_MAX 262144 /* bytes */

#define MAIL_PLACES_MAX 100 /* in one part of a template */
#define MAIL_VALUE_MAX 4096 /* bytes */
#define MAIL_KIND_PLACES_MAX 32

struct mail_parts {
	struct str subject, text, html; /* html "": the mail is text only */
};

struct mail_place {
	const char *name;
	const char *about;  /* for who edits the template */
	const char *sample; /* for trying it */
	bool required;      /* in the text, and in the HTML when there is one */
};

/* Who is written to, and who sends it. */
struct mail_party {
	struct str name;    /* shown; "" none */
	struct str mailbox; /* email_plausible() */
};

/* A kind of mail; the programs have constant tables of them. */
struct mail_kind {
	const char *name;  /* "fulfilment.delay-notice" */
	const char *about; /* when it is sent, to whom */
	bool operators; /* written in the operator's name: sellers have no template of their own */
	const struct mail_place *places;
	size_t n_places;
	struct mail_parts deflt;
};

struct mail_value {
	const char *name;
	struct str value; /* valid UTF-8 */
};

/* A filled template; mail_text_done frees it. */
struct mail_text {
	struct buf subject, text, html;
};
void mail_text_done(struct mail_text *t);

#define MAIL_LANGUAGE_MAX 35
/* A BCP 47 tag like "pt-BR" in lower case, or "": `out` is untouched when it is false. */
SOUK_MUST bool mail_language(struct str tag, char out[MAIL_LANGUAGE_MAX + 1]);

/*
 * Can this template be saved? Names the fields "subject", "text", "html": empty, too long, not UTF-8,
 * control characters (line breaks and tabs are text's own), an open {{, a place that the kind does
 * not have, a required one that is missing.
 */
SOUK_MUST enum souk_err mail_template_check(
    const struct mail_kind *k, const struct mail_parts *t, struct fail *f);

/*
 * Fills every place. Values are escaped in the HTML; in the subject, what breaks or controls
 * a line becomes a blank, so that no value adds a header. SOUK_E_INVALID names a place without a value.
 * The buffers are cleared first.
 */
SOUK_MUST enum souk_err mail_template_fill(const struct mail_parts *t,
    const struct mail_value *values, size_t n_values, struct mail_text *ret, struct fail *f);

#endif
