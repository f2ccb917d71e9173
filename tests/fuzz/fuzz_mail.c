/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people and servers give to mails: a template that is accepted can be filled, whatever the values, and makes a
 * message that holds its head together; a returned mail is read or refused.
 */
#include "delivery/mail_message.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const struct mail_place places[] = { { .name = "date", .required = true },
	{ .name = "product" } };
static const struct mail_kind kind = { .name = "fuzz", .places = places, .n_places = 2 };

/* The head has the fields that we wrote, in lines of our own. */
static void
check_head(const char *p)
{
	size_t froms = 0;

	for (const char *line = p; *line != '\r'; line = strchr(line, '\n') + 1) {
		assert(strchr(line, '\n') && strchr(line, '\n')[-1] == '\r');
		froms += strncmp(line, "From:", 5) == 0;
		assert(strncmp(line, "Bcc:", 4) != 0);
	}
	assert(froms == 1);
}

static void
write_mail(struct str text)
{
	struct mail_parts t = { text, text, text };
	struct mail_value values[] = { { "date", text },
		{ "product", STR("\r\nBcc: x@y.example") } };
	struct mail_message m = { .round = 1,
		.from = { STR("Market"), STR("market@souk.example") },
		.to = { STR(""), STR("buyer@example.com") } };
	struct mail_text out = { 0 };
	struct buf bytes = { 0 };
	bool utf8;

	if (mail_template_check(&kind, &t, NULL) == SOUK_OK) {
		assert(mail_template_fill(&t, values, 2, &out, NULL) == SOUK_OK);
		m.parts = (struct mail_parts){ buf_str(&out.subject), buf_str(&out.text),
			buf_str(&out.html) };
		assert(mail_message_build(&m, &bytes, &utf8, NULL) == SOUK_OK);
		check_head(bytes.p);
	}
	mail_text_done(&out);
	buf_done(&bytes);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str s = { (const char *)data, n };
	struct mail_report r;

	write_mail(s);
	if (mail_report_read(s, &r, NULL) == SOUK_OK)
		assert(!r.has_id || r.round >= 0);
	return 0;
}
