/* SPDX-License-Identifier: Apache-2.0 */
/* An evidence file as one HTML page. Names and mails are escaped, always. */
#include "proserv/fulfilment_evidence.h"

#include <stdlib.h>

static const char head[] =
    "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
    "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none';style-src "
    "'unsafe-inline'\"><meta name=\"referrer\" content=\"no-referrer\">"
    "<title>Evidence of fulfilment</title><style>\n"
    ":root{--ink:#16191f;--soft:#5f6b7a;--line:#d5dbdb;--back:#fff}\n"
    "@media (prefers-color-scheme:dark){:root{--ink:#e6e8eb;--soft:#a5afbb;--line:#3a4351;"
    "--back:#12161c}}\n"
    "body{margin:0 auto;max-width:60rem;padding:2rem 1.25rem;background:var(--back);"
    "color:var(--ink);font:15px/1.5 system-ui,sans-serif}\n"
    "h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}"
    "table{border-collapse:collapse;width:100%}th{text-align:left;color:var(--soft);"
    "font-weight:600;width:12rem}th,td{padding:.3rem .5rem;border-bottom:1px solid var(--line);"
    "vertical-align:top;overflow-wrap:anywhere}pre{white-space:pre-wrap;margin:0;font:inherit}"
    "section{break-inside:avoid}\n"
    "@media print{@page{size:A4;margin:15mm}body{max-width:none;padding:0;font-size:10pt;"
    "background:#fff;color:#000}}\n"
    "</style></head><body>\n<h1>Evidence of fulfilment</h1>\n";

static void
value(struct buf *b, const json_t *v)
{
	char *text;

	if (json_is_string(v)) {
		buf_add_xml(b, (struct str){ json_string_value(v), json_string_length(v) });
		return;
	}
	if (json_is_null(v)) {
		buf_add_c(b, "&ndash;");
		return;
	}
	text = json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT);
	if (text != NULL)
		buf_add_xml(b, str_c(text));
	free(text);
}

static void
row(struct buf *b, const char *key, const json_t *v)
{
	buf_add_c(b, "<tr><th>");
	buf_add_xml(b, str_c(key));
	buf_add_c(b, "</th><td><pre>");
	value(b, v);
	buf_add_c(b, "</pre></td></tr>\n");
}

/* Members that are neither a list of mails nor a list of holidays, a row each. */
static void
table(struct buf *b, const char *title, json_t *o)
{
	const char *key;
	json_t *v;

	buf_add_c(b, "<section><h2>");
	buf_add_xml(b, str_c(title));
	buf_add_c(b, "</h2>\n<table>");
	json_object_foreach(o, key, v)
	{
		if (strcmp(key, "mails") != 0)
			row(b, key, v);
	}
	buf_add_c(b, "</table></section>\n");
}

enum souk_err
fulfilment_evidence_html(struct str evidence, struct buf *out)
{
	json_t *o = NULL, *event, *mail;
	size_t i, k;
	enum souk_err r = json_read(evidence, &o, NULL);

	if (r != SOUK_OK)
		return r;
	buf_add_c(out, head);
	table(out, "Order", json_object_get(o, "order"));
	table(out, "Verdict", json_object_get(o, "verdict"));
	table(out, "Business calendar", json_object_get(o, "calendar"));
	json_array_foreach(json_object_get(o, "events"), i, event)
	{
		table(out, json_string_value(json_object_get(event, "kind")), event);
		json_array_foreach(json_object_get(event, "mails"), k, mail)
		{
			table(out, "E-mail", mail);
		}
	}
	buf_add_c(out, "<p>Made at ");
	value(out, json_object_get(o, "madeAt"));
	buf_add_c(out, "</p></body></html>\n");
	json_decref(o);
	return buf_ok(out) ? SOUK_OK : SOUK_E_NOMEM;
}
