/* SPDX-License-Identifier: Apache-2.0 */
/* Writing a mail with GMime. */
#include "delivery/mail_message.h"

#include "base/email.h"
#include "base/utf8.h"
#include "delivery/mail_int.h"

#include <stdlib.h>

/* Texts travel as base64 or quoted-printable, whichever is shorter: no line is too long for SMTP. */
static GMimeObject *
text_part(const char *subtype, struct str s)
{
	GMimeTextPart *part = g_mime_text_part_new_with_subtype(subtype);
	char *text = strndup(s.p, s.n);

	g_mime_text_part_set_charset(part, "utf-8");
	g_mime_text_part_set_text(part, text ? text : "");
	g_mime_part_set_content_encoding(
	    (GMimePart *)part, g_mime_part_get_best_content_encoding(
				   (GMimePart *)part, GMIME_ENCODING_CONSTRAINT_7BIT));
	free(text);
	return (GMimeObject *)part;
}

static GMimeObject *
body_of(const struct mail_message *m)
{
	char boundary[GUID_TEXT_LEN + 8] = "souk-";
	GMimeMultipart *both;
	GMimeObject *part;

	if (m->parts.html.n == 0)
		return text_part("plain", m->parts.text);
	both = g_mime_multipart_new_with_subtype("alternative");
	guid_format(&m->id, boundary + 5);
	g_mime_multipart_set_boundary(both, boundary);
	part = text_part("plain", m->parts.text);
	g_mime_multipart_add(both, part);
	g_object_unref(part);
	part = text_part("html", m->parts.html);
	g_mime_multipart_add(both, part);
	g_object_unref(part);
	return (GMimeObject *)both;
}

static bool
is_ascii(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 0x80)
			return false;
	return true;
}

enum souk_err
mail_wire_address(struct str mailbox, struct buf *ret, bool *ret_utf8)
{
	char domain[DOMAIN_MAX + 1];
	const char *at = NULL;
	struct str host;

	for (size_t i = mailbox.n; i > 0 && !at; i--)
		if (mailbox.p[i - 1] == '@')
			at = mailbox.p + i - 1;
	if (!at || !email_plausible(mailbox) || utf8_has_control(mailbox))
		return SOUK_E_INVALID;
	host = (struct str){ .p = at + 1, .n = (size_t)(mailbox.p + mailbox.n - at) - 1 };
	if (!domain_plausible(host, domain))
		return SOUK_E_INVALID;
	if (!is_ascii((struct str){ .p = mailbox.p, .n = (size_t)(at - mailbox.p) }))
		*ret_utf8 = true;
	buf_clear(ret);
	buf_add(ret, mailbox.p, (size_t)(at - mailbox.p) + 1);
	buf_add_c(ret, domain);
	return buf_ok(ret) ? SOUK_OK : SOUK_E_NOMEM;
}

enum souk_err
mail_party_check(const struct mail_party *p, const char *field, struct fail *f)
{
	struct buf address = { 0 };
	bool utf8;
	enum souk_err r = mail_wire_address(p->mailbox, &address, &utf8);

	buf_done(&address);
	if (r == SOUK_E_INVALID || p->name.n > MAIL_NAME_MAX || !utf8_valid(p->name) ||
	    utf8_has_control(p->name))
		r = fail_field(f, field, "is not an address that mail can go to",
		    "give one like a@b.example, the name on one line of at most 200 bytes");
	return r;
}

static enum souk_err
add_party(GMimeMessage *out, GMimeAddressType type, const char *field, const struct mail_party *p,
    bool *ret_utf8, struct fail *f)
{
	struct buf address = { 0 };
	char *name = NULL;
	enum souk_err r = mail_party_check(p, field, f);

	if (r == SOUK_OK)
		r = mail_wire_address(p->mailbox, &address, ret_utf8);
	if (r == SOUK_OK && !(name = strndup(p->name.p ? p->name.p : "", p->name.n)))
		r = SOUK_E_NOMEM;
	if (r == SOUK_OK)
		g_mime_message_add_mailbox(out, type, p->name.n ? name : NULL, address.p);
	free(name);
	buf_done(&address);
	return r;
}

static void
set_head(GMimeMessage *out, const struct mail_message *m)
{
	char id[GUID_TEXT_LEN + 12 + 1 + DOMAIN_MAX + 1], round[12] = "",
							  domain[DOMAIN_MAX + 1] = "localhost";
	struct str rest = m->from.mailbox, user;
	GDateTime *date = g_date_time_new_from_unix_utc(m->date / 1000);
	char *subject = strndup(m->parts.subject.p, m->parts.subject.n);

	(void)str_split(&rest, '@', &user);
	(void)!domain_plausible(rest, domain);
	guid_format(&m->id, id);
	if (m->round > 1)
		(void)snprintf(round, sizeof(round), ".%d", m->round);
	(void)snprintf(id + GUID_TEXT_LEN, sizeof(id) - GUID_TEXT_LEN, "%s@%s", round, domain);
	g_mime_message_set_message_id(out, id);
	g_mime_message_set_date(out, date);
	g_mime_message_set_subject(out, subject ? subject : "", "utf-8");
	g_mime_object_set_header((GMimeObject *)out, "Auto-Submitted", "auto-generated", NULL);
	g_mime_object_set_header((GMimeObject *)out, "MIME-Version", "1.0", NULL);
	g_date_time_unref(date);
	free(subject);
}

static enum souk_err
write_out(GMimeMessage *m, struct buf *ret)
{
	GMimeFormatOptions *o = g_mime_format_options_new();
	GMimeStream *mem = g_mime_stream_mem_new();
	GByteArray *bytes;
	enum souk_err r = SOUK_E_NOMEM;

	g_mime_format_options_set_newline_format(o, GMIME_NEWLINE_FORMAT_DOS);
	if (g_mime_object_write_to_stream((GMimeObject *)m, o, mem) >= 0) {
		bytes = g_mime_stream_mem_get_byte_array((GMimeStreamMem *)mem);
		buf_clear(ret);
		buf_add(ret, bytes->data, bytes->len);
		r = buf_ok(ret) ? SOUK_OK : SOUK_E_NOMEM;
	}
	g_object_unref(mem);
	g_mime_format_options_free(o);
	return r;
}

enum souk_err
mail_message_build(const struct mail_message *m, struct buf *ret, bool *ret_utf8, struct fail *f)
{
	GMimeMessage *out;
	GMimeObject *body;
	enum souk_err r;

	mail_gmime();
	*ret_utf8 = false;
	out = g_mime_message_new(FALSE);
	if ((r = add_party(out, GMIME_ADDRESS_TYPE_FROM, "from", &m->from, ret_utf8, f)) ==
		SOUK_OK &&
	    (r = add_party(out, GMIME_ADDRESS_TYPE_TO, "to", &m->to, ret_utf8, f)) == SOUK_OK &&
	    (m->reply_to.mailbox.n == 0 ||
		(r = add_party(out, GMIME_ADDRESS_TYPE_REPLY_TO, "replyTo", &m->reply_to, ret_utf8,
		     f)) == SOUK_OK)) {
		set_head(out, m);
		body = body_of(m);
		g_mime_message_set_mime_part(out, body);
		g_object_unref(body);
		r = write_out(out, ret);
	}
	g_object_unref(out);
	return r;
}
