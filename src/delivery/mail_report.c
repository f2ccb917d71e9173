/* SPDX-License-Identifier: Apache-2.0 */
/* Reading what came back (RFC 3464): the kind, the status and which mail it is about. */
#include "delivery/mail_int.h"
#include "delivery/mail_message.h"

#include <pthread.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
start(void)
{
	g_mime_init();
}

void
mail_gmime(void)
{
	(void)pthread_once(&once, start);
}

/* "<GUID@DOMAIN>" or "<GUID.ROUND@DOMAIN>", with or without the angle brackets. */
static bool
take_id(struct str s, struct mail_report *ret)
{
	struct str local;
	uint64_t round = 1;

	s = str_trim(s);
	if (s.n > 0 && s.p[0] == '<')
		s = (struct str){ .p = s.p + 1, .n = s.n - 1 };
	if (!str_split(&s, '@', &local) || !s.p || local.n < GUID_TEXT_LEN)
		return false;
	if (local.n > GUID_TEXT_LEN &&
	    (local.p[GUID_TEXT_LEN] != '.' || !str_to_u64((struct str){ local.p + GUID_TEXT_LEN + 1,
							      local.n - GUID_TEXT_LEN - 1 },
						  INT32_MAX, &round)))
		return false;
	local.n = GUID_TEXT_LEN;
	ret->round = (int)round;
	return ret->has_id = guid_parse(local, &ret->id);
}

/* "5.1.1" */
static bool
is_status(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((s.p[i] < '0' || s.p[i] > '9') && s.p[i] != '.')
			return false;
	return s.n > 0 && s.n < sizeof(((struct mail_report *)NULL)->status);
}

/* The fields of message/delivery-status: blocks of "Name: value", of which the worst counts. */
static void
read_status(struct str text, struct mail_report *ret)
{
	struct str line, name, value, code;

	while (text.p && str_split(&text, '\n', &line)) {
		value = line;
		if (!str_split(&value, ':', &name) || !value.p)
			continue;
		value = str_trim(value);
		if (str_eq_nocase(name, STR("Action"))) {
			if (str_eq_nocase(value, STR("failed")))
				ret->kind = MAIL_REPORT_FAILED;
			else if (str_eq_nocase(value, STR("delayed")) &&
				 ret->kind == MAIL_REPORT_NONE)
				ret->kind = MAIL_REPORT_DELAYED;
		}
		if (str_eq_nocase(name, STR("Original-Envelope-Id")) && !ret->has_id)
			(void)take_id(value, ret);
		/* A comment may follow: "5.1.1 (nobody of that name)". */
		if (str_eq_nocase(name, STR("Status")) && str_split(&value, ' ', &code) &&
		    is_status(code))
			*(char *)mempcpy(ret->status, code.p, code.n) = '\0';
	}
}

static void
read_content(GMimeObject *part, struct mail_report *ret)
{
	GMimeStream *mem = g_mime_stream_mem_new();
	GMimeDataWrapper *content =
	    GMIME_IS_PART(part) ? g_mime_part_get_content((GMimePart *)part) : NULL;
	GByteArray *bytes;

	if (content && g_mime_data_wrapper_write_to_stream(content, mem) >= 0) {
		bytes = g_mime_stream_mem_get_byte_array((GMimeStreamMem *)mem);
		read_status((struct str){ .p = (const char *)bytes->data, .n = bytes->len }, ret);
	}
	g_object_unref(mem);
}

/* The head of the mail that came back, whole (message/rfc822) or alone (text/rfc822-headers). */
static void
read_returned(GMimeObject *part, struct mail_report *ret)
{
	GMimeMessage *inner = GMIME_IS_MESSAGE_PART(part)
				  ? g_mime_message_part_get_message((GMimeMessagePart *)part)
				  : NULL;

	if (inner && !ret->has_id)
		(void)take_id(str_c(g_mime_message_get_message_id(inner)), ret);
}

static void
read_returned_head(GMimeObject *part, struct mail_report *ret)
{
	GMimeStream *mem = g_mime_stream_mem_new();
	GMimeDataWrapper *content =
	    GMIME_IS_PART(part) ? g_mime_part_get_content((GMimePart *)part) : NULL;
	GMimeParser *p;
	GMimeMessage *m;

	if (content && g_mime_data_wrapper_write_to_stream(content, mem) >= 0) {
		(void)g_mime_stream_reset(mem);
		p = g_mime_parser_new_with_stream(mem);
		if ((m = g_mime_parser_construct_message(p, NULL))) {
			if (!ret->has_id)
				(void)take_id(str_c(g_mime_message_get_message_id(m)), ret);
			g_object_unref(m);
		}
		g_object_unref(p);
	}
	g_object_unref(mem);
}

static void
read_part(GMimeObject *part, struct mail_report *ret)
{
	GMimeContentType *t = g_mime_object_get_content_type(part);

	if (g_mime_content_type_is_type(t, "message", "delivery-status") ||
	    g_mime_content_type_is_type(t, "message", "global-delivery-status"))
		read_content(part, ret);
	else if (g_mime_content_type_is_type(t, "text", "rfc822-headers") ||
		 g_mime_content_type_is_type(t, "message", "global-headers"))
		read_returned_head(part, ret);
	else
		read_returned(part, ret);
}

enum souk_err
mail_report_read(struct str message, struct mail_report *ret, struct fail *f)
{
	GMimeStream *in;
	GMimeParser *p;
	GMimeMessage *m;
	GMimePartIter *i;

	*ret = (struct mail_report){ .kind = MAIL_REPORT_NONE };
	if (message.n > MAIL_REPORT_MAX)
		return fail_field(f, "message", "is too long", "send at most 1 MiB");
	mail_gmime();
	in = g_mime_stream_mem_new_with_buffer(message.p, message.n);
	p = g_mime_parser_new_with_stream(in);
	m = message.n ? g_mime_parser_construct_message(p, NULL) : NULL;
	g_object_unref(p);
	g_object_unref(in);
	if (!m ||
	    g_mime_header_list_get_count(g_mime_object_get_header_list((GMimeObject *)m)) == 0) {
		if (m)
			g_object_unref(m);
		return fail_field(
		    f, "message", "is not a mail", "send it as it came, head and all");
	}
	i = g_mime_part_iter_new((GMimeObject *)m);
	for (bool more = g_mime_part_iter_is_valid(i); more; more = g_mime_part_iter_next(i))
		read_part(g_mime_part_iter_get_current(i), ret);
	g_mime_part_iter_free(i);
	if (!ret->has_id)
		(void)take_id(
		    str_c(g_mime_object_get_header((GMimeObject *)m, "In-Reply-To")), ret);
	g_object_unref(m);
	return SOUK_OK;
}
