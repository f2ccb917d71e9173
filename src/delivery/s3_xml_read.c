/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the XML of stores with expat: no document types, so no entities of theirs. */
#include "delivery/s3_client_int.h"

#include <expat.h>

#define DEPTH_MAX 16
#define NAME_MAX_LEN 63
#define TEXT_MAX ((size_t)64 << 10)

struct reading {
	const struct s3_leaf *what;
	void *ctx;
	XML_Parser parser;
	char name[DEPTH_MAX][NAME_MAX_LEN + 1];
	size_t depth;
	bool leaf; /* the innermost element has held no other so far */
	struct buf text;
};

static void XMLCALL
on_start(void *arg, const XML_Char *name, const XML_Char **attributes)
{
	struct reading *r = arg;
	const char *colon = strrchr(name, ':');
	size_t n;

	(void)attributes;
	name = colon ? colon + 1 : name;
	n = strlen(name);
	if (r->depth == DEPTH_MAX || n > NAME_MAX_LEN) {
		(void)XML_StopParser(r->parser, XML_FALSE);
		return;
	}
	memcpy(r->name[r->depth++], name, n + 1);
	r->leaf = true;
	buf_clear(&r->text);
}

static void XMLCALL
on_end(void *arg, const XML_Char *name)
{
	struct reading *r = arg;

	(void)name;
	r->depth--;
	if (r->leaf)
		r->what->text(r->ctx, r->depth > 0 ? r->name[r->depth - 1] : "", r->name[r->depth],
		    buf_str(&r->text));
	else if (r->what->end)
		r->what->end(r->ctx, r->name[r->depth]);
	r->leaf = false;
}

static void XMLCALL
on_text(void *arg, const XML_Char *p, int n)
{
	struct reading *r = arg;

	if (r->text.n + (size_t)n > TEXT_MAX)
		(void)XML_StopParser(r->parser, XML_FALSE);
	else
		buf_add(&r->text, p, (size_t)n);
}

static void XMLCALL
on_doctype(void *arg, const XML_Char *a, const XML_Char *b, const XML_Char *c, int internal)
{
	struct reading *r = arg;

	(void)a;
	(void)b;
	(void)c;
	(void)internal;
	(void)XML_StopParser(r->parser, XML_FALSE);
}

bool
s3_xml_read(struct str xml, const struct s3_leaf *what, void *ctx)
{
	struct reading r = { .what = what, .ctx = ctx, .parser = XML_ParserCreate(NULL) };
	bool ok;

	if (!r.parser || xml.n > S3_ANSWER_MAX)
		return false;
	XML_SetUserData(r.parser, &r);
	XML_SetElementHandler(r.parser, on_start, on_end);
	XML_SetCharacterDataHandler(r.parser, on_text);
	XML_SetStartDoctypeDeclHandler(r.parser, on_doctype);
	ok = XML_Parse(r.parser, xml.p, (int)xml.n, 1) == XML_STATUS_OK && buf_ok(&r.text);
	XML_ParserFree(r.parser);
	buf_done(&r.text);
	return ok;
}
