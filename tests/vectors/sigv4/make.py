#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the SigV4 vectors beside itself, one directory per case. Run by hand; the output is committed.

The signer here is written from specs/sigv4-and-s3.md with hashlib and hmac and shares nothing with
src/access. Where the botocore of Debian's awscli can be imported, it must agree on every accepted
case it can express (--strict: fail when it cannot be imported).

A case holds request.txt (raw HTTP, CR LF) and context.json (what the server knows), and either
canonical.txt, to-sign.txt and signature.txt (accepted) or refused.txt (the word of the reason).
"""
import hashlib
import hmac
import json
import shutil
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes

HERE = Path(__file__).resolve().parent
KEY_ID, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
REGION, HOST = "us-east-1", "desk.example.com"
NOW = datetime(2015, 8, 30, 12, 36, 0, tzinfo=timezone.utc)
EMPTY = hashlib.sha256(b"").hexdigest()
ALGORITHM = "AWS4-HMAC-SHA256"
MARKET, ANALYTICS, S3 = "aws-marketplace", "marketplacecommerceanalytics", "s3"


def amz(t):
    return t.strftime("%Y%m%dT%H%M%SZ")


def enc(b, keep=""):
    return quote(b, safe="-._~" + keep)


# ---- the reference signer ----

def canonical_path(path, s3):
    if s3:
        return enc(unquote_to_bytes(path), "/") or "/"
    kept = []
    for part in path.split("/"):
        if part == "..":
            del kept[-1:]
        elif part not in ("", "."):
            kept.append(part)
    slash = "/" if path.endswith("/") and kept else ""
    return enc("/" + "/".join(kept) + slash, "/")


def canonical_query(query):
    pairs = []
    for pair in filter(None, query.split("&")):
        name, _, value = pair.replace("+", " ").partition("=")
        name, value = enc(unquote_to_bytes(name)), enc(unquote_to_bytes(value))
        if name != "X-Amz-Signature":
            pairs.append((name.encode(), value.encode()))
    return "&".join(f"{n.decode()}={v.decode()}" for n, v in sorted(pairs))


def canonical(r, signed, payload_hash, s3):
    lines = [r.method, canonical_path(r.path, s3), canonical_query(r.query)]
    for name in signed:
        values = [" ".join(v.split()) for n, v in r.headers if n.lower() == name]
        lines.append(name + ":" + ",".join(values))
    return "\n".join(lines + ["", ";".join(signed), payload_hash])


def hmac256(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def sign(text, secret, date, region, service):
    k = ("AWS4" + secret).encode()
    for part in (date, region, service, "aws4_request"):
        k = hmac256(k, part)
    return hmac256(k, text).hex()


class Request:
    def __init__(self, method="GET", path="/", query="", headers=(), body=b""):
        self.method, self.path, self.query, self.body = method, path, query, body
        self.headers = [("Host", HOST), *headers]

    def raw(self):
        target = self.path + ("?" + self.query if self.query else "")
        head = f"{self.method} {target} HTTP/1.1\r\n"
        head += "".join(f"{n}: {v}\r\n" for n, v in self.headers)
        return head.encode("utf-8") + b"\r\n" + self.body

    def set(self, name, value):
        """Changes a header's first value; None removes it."""
        i = [n.lower() for n, _ in self.headers].index(name.lower())
        self.headers[i:i + 1] = [] if value is None else [(self.headers[i][0], value)]
        return self

    def get(self, name):
        return next((v for n, v in self.headers if n.lower() == name.lower()), None)

    def swap(self, old, new):
        """Replaces text in the Authorization header or, presigned, in the query; it must be there."""
        if (auth := self.get("Authorization")) is not None:
            assert old in auth, (old, auth)
            return self.set("Authorization", auth.replace(old, new))
        assert old in self.query, (old, self.query)
        self.query = self.query.replace(old, new)
        return self


def default_hash(r, service):
    given = r.get("x-amz-content-sha256")
    return given if given is not None else hashlib.sha256(r.body).hexdigest()


def sign_header(r, service, region=REGION, at=NOW, skip=(), signed=None, payload=None, date_header="X-Amz-Date",
                date_value=None, secret=SECRET, key_id=KEY_ID, scope_date=None, layout=None, extra=()):
    """Signs in the Authorization header everything but `skip`. Returns (request, canonical, to_sign, signature)."""
    if service == S3 and r.get("x-amz-content-sha256") is None and payload is None:
        r.headers.append(("x-amz-content-sha256", hashlib.sha256(r.body).hexdigest()))
    if date_header:
        r.headers.append((date_header, date_value or amz(at)))
    never = {"user-agent", "connection", "expect", "transfer-encoding", "x-amzn-trace-id", *skip}
    signed = signed or sorted({n.lower() for n, _ in r.headers} - never)
    date = scope_date or amz(at)[:8]
    scope = f"{date}/{region}/{service}/aws4_request"
    c = canonical(r, [*signed, *extra], payload or default_hash(r, service), service == S3)
    s = "\n".join([ALGORITHM, amz(at), scope, hashlib.sha256(c.encode()).hexdigest()])
    sig = sign(s, secret, date, region, service)
    layout = layout or "{a} Credential={c}, SignedHeaders={h}, Signature={s}"
    r.headers.append(("Authorization", layout.format(a=ALGORITHM, c=f"{key_id}/{scope}", h=";".join([*signed, *extra]), s=sig)))
    return r, c, s, sig


def presign(r, service=S3, at=NOW, expires=3600, region=REGION, payload=None, skip=(), key_id=KEY_ID, extra_query=""):
    signed = sorted({n.lower() for n, _ in r.headers} - set(skip))
    scope = f"{amz(at)[:8]}/{region}/{service}/aws4_request"
    q = [r.query] if r.query else []
    q += [f"X-Amz-Algorithm={ALGORITHM}", "X-Amz-Credential=" + enc(f"{key_id}/{scope}"), f"X-Amz-Date={amz(at)}",
          f"X-Amz-Expires={expires}", "X-Amz-SignedHeaders=" + enc(";".join(signed))]
    q += [extra_query] if extra_query else []
    r.query = "&".join(q)
    if payload is None:
        payload = "UNSIGNED-PAYLOAD" if service == S3 else hashlib.sha256(r.body).hexdigest()
    c = canonical(r, signed, payload, service == S3)
    s = "\n".join([ALGORITHM, amz(at), scope, hashlib.sha256(c.encode()).hexdigest()])
    sig = sign(s, SECRET, amz(at)[:8], region, service)
    r.query += "&X-Amz-Signature=" + sig
    return r, c, s, sig


# ---- cases ----

cases = {}


def put(name, r, context, files):
    assert name not in cases, name
    ctx = {"accessKeyId": KEY_ID, "secret": SECRET, "region": REGION, "now": amz(NOW), **context}
    cases[name] = {"request.txt": r.raw(), "context.json": (json.dumps(ctx, indent=1) + "\n").encode(),
                   **{k: v.encode() for k, v in files.items()}}


def accept(name, signed, service, now=None, peer=True, payload="hashed", **context):
    r, c, s, sig = signed
    ctx = {"service": service, "s3": service == S3, "payload": payload, **context}
    if now:
        ctx["now"] = amz(now)
    put(name, r, ctx, {"canonical.txt": c, "to-sign.txt": s, "signature.txt": sig})
    if peer:
        peer_check(name, r, c, s, sig, service)


def refuse(name, why, r, now=None, **context):
    if isinstance(r, tuple):
        r = r[0]
    ctx = dict(context)
    if now:
        ctx["now"] = amz(now)
    put("refuse-" + name, r, ctx, {"refused.txt": why + "\n"})


def peer_check(name, r, c, s, sig, service):
    """botocore, where it is, makes the same texts of the same request."""
    if not peer_auth:
        return
    at = s.split("\n")[1]
    b = peer_request(method=r.method, url=f"https://{HOST}{r.path}" + ("?" + r.query if r.query else ""), data=r.body)
    b.context["timestamp"] = at
    presigned = "X-Amz-Signature" in r.query
    if presigned:
        b.url = b.url[:b.url.index("&X-Amz-Signature")]
    for n, v in r.headers:
        if n.lower() not in ("authorization", "host"):
            b.headers.add_header(n, v)
    kinds = {(True, False): "S3SigV4Auth", (True, True): "S3SigV4QueryAuth", (False, False): "SigV4Auth", (False, True): "SigV4QueryAuth"}
    auth = getattr(peer_auth, kinds[service == S3, presigned])(peer_credentials(KEY_ID, SECRET), service, REGION)
    theirs = auth.canonical_request(b)
    to_sign = auth.string_to_sign(b, theirs)
    if (theirs, to_sign, auth.signature(to_sign, b)) != (c, s, sig):
        sys.exit(f"{name}: botocore differs\n--- ours\n{c}\n--- botocore\n{theirs}")
    peer_agreed.append(name)


def json_call(**kw):
    body = kw.pop("body", b'{"dataSetType":"customer_support_contacts_data"}')
    return Request("POST", "/", headers=[
        ("Content-Type", "application/x-amz-json-1.1"),
        ("X-Amz-Target", "MarketplaceCommerceAnalytics20150701.StartSupportDataExport"),
        *kw.pop("headers", ())], body=body, **kw)


def get_object(path="/exports/2015/file.csv", query="", headers=()):
    return Request("GET", path, query, headers)


def seconds(n):
    return timedelta(seconds=n)


def accepted():
    for name, path, query in [
            ("get-vanilla", "/", ""),
            ("query-order-key", "/", "Param2=value2&Param1=value1"),
            ("query-order-value", "/", "Param1=value2&Param1=Value1&Param1=value10"),
            ("query-order-case", "/", "Param1=a&param1=b&PARAM1=c"),
            ("query-order-prefix", "/", "a-b=1&a=2&a.c=3&a%25=4"),
            ("query-unreserved", "/", "-._~0123456789ABCxyz=-._~0123456789ABCxyz"),
            ("query-utf8", "/", "%E1%88%B4=bar"),
            ("path-double-encoded", "/a%20b/%C3%BC", ""),
            ("path-dots", "/./a/../example//b/./c/", ""),
            ("path-dots-to-root", "/example/..", ""),
            ("path-dots-above-root", "/../../example", ""),
            ("path-slashes", "//example//", "")]:
        accept("market-" + name, sign_header(Request("GET", path, query), MARKET), MARKET)
    # Not as botocore would send it, but as the rules read it.
    for name, query in [("query-empty-value", "list&prefix="), ("query-plus-is-space", "a=b+c&d+e=f"),
                        ("query-raw-characters", "prefix=a/b:c@d,e&x='(*)'"), ("query-lower-hex", "k=%c3%bc%2f"),
                        ("query-equals-in-value", "a=b=c=="), ("query-needless-escapes", "%61=%62"),
                        ("query-empty-pairs", "a=1&&b=2&")]:
        accept("market-" + name, sign_header(Request("GET", "/", query), MARKET), MARKET, peer=False)
    for name, headers in [
            ("header-trim", [("My-Header1", "  value1 \t")]),
            ("header-inner-blanks", [("My-Header1", "a   b   c"), ("My-Header2", '"a   b   c"')]),
            ("header-tabs", [("My-Header1", "a\t b \t\tc")]),
            ("header-repeated", [("My-Header1", "value2"), ("my-header1", "value2"), ("MY-HEADER1", "value1")]),
            ("header-order", [("Zebra", "z"), ("My-Header1", "m"), ("Apple", "a")]),
            ("header-10k", [("My-Header1", "x" * 10240)])]:
        accept("market-" + name, sign_header(Request(headers=headers), MARKET), MARKET)
    accept("market-header-empty", sign_header(Request(headers=[("My-Header1", "")]), MARKET), MARKET)
    accept("market-header-not-signed", sign_header(Request(headers=[("User-Agent", "aws-cli/2.9"), ("X-Amzn-Trace-Id", "Root=1")]), MARKET), MARKET)
    accept("market-post-rest-json", sign_header(Request("POST", "/StartChangeSet", headers=[("Content-Type", "application/json")], body=b"{}"), MARKET), MARKET)
    accept("market-js-headers", sign_header(json_call(headers=[
        ("amz-sdk-invocation-id", "8b1c"), ("amz-sdk-request", "attempt=1; max=3"), ("content-length", "48"),
        ("x-amz-content-sha256", hashlib.sha256(json_call().body).hexdigest()), ("x-amz-user-agent", "aws-sdk-js/3.1")]), MARKET), MARKET)
    accept("analytics-post", sign_header(json_call(), ANALYTICS), ANALYTICS)
    accept("analytics-post-empty-body", sign_header(json_call(body=b""), ANALYTICS), ANALYTICS)
    accept("analytics-unsigned-payload", sign_header(json_call(headers=[("x-amz-content-sha256", "UNSIGNED-PAYLOAD")]), ANALYTICS), ANALYTICS, payload="unsigned")
    accept("analytics-host-with-port", sign_header(json_call().set("Host", "desk.example.com:8080"), ANALYTICS), ANALYTICS, peer=False)
    accept("analytics-any-region", sign_header(json_call(), ANALYTICS, region="eu-west-1"), ANALYTICS, peer=False, region="")
    for name, layout in [("no-blanks", "{a} Credential={c},SignedHeaders={h},Signature={s}"),
                         ("other-order", "{a} Signature={s},   Credential={c} , SignedHeaders={h}")]:
        accept("authorization-" + name, sign_header(Request(), MARKET, layout=layout), MARKET)
    for name, value in [("http", "Sun, 30 Aug 2015 12:36:00 GMT"), ("iso-basic", "20150830T123600Z"), ("iso", "2015-08-30T12:36:00Z")]:
        accept("date-header-" + name, sign_header(Request(), MARKET, date_header="Date", date_value=value), MARKET, peer=False)
    accept("date-header-ignored", sign_header(Request(headers=[("Date", "Mon, 31 Aug 2015 12:36:00 GMT")]), MARKET), MARKET, peer=False)
    for service, limit in ((MARKET, 300), (S3, 900)):
        for sign_, word in ((1, "old"), (-1, "ahead")):
            accept(f"skew-{service}-{word}-at-limit", sign_header(get_object(), service), service, now=NOW + seconds(sign_ * limit))

    for name, path, query in [("get", "/exports/2015/file.csv", ""), ("root", "/", ""),
                              ("path-encoded", "/exports/a%20b/%C3%BC%2B~.csv", ""),
                              ("path-dots-kept", "/exports/./a/../b//c/", ""),
                              ("list", "/exports", "delimiter=%2F&encoding-type=url&list-type=2&prefix=a%2Fb")]:
        accept("s3-" + name, sign_header(get_object(path, query), S3), S3)
    for name, path, query in [("path-lower-hex", "/exports/%c3%bc", ""), ("path-raw-characters", "/exports/a=b@c,d:e+f", ""),
                              ("path-escaped-slash", "/exports/a%2Fb", ""), ("subresource", "/exports", "location")]:
        accept("s3-" + name, sign_header(get_object(path, query), S3), S3, peer=False)
    put_ = lambda h=(): Request("PUT", "/exports/k", headers=[("Content-Type", "text/csv"), *h], body=b"a,b\r\n")
    accept("s3-put", sign_header(put_(), S3), S3)
    accept("s3-put-unsigned", sign_header(put_([("x-amz-content-sha256", "UNSIGNED-PAYLOAD")]), S3), S3, payload="unsigned")
    for word, payload in [("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "chunks-signed"), ("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", "chunks-signed-trailer"),
                          ("STREAMING-UNSIGNED-PAYLOAD-TRAILER", "chunks-unsigned-trailer")]:
        accept("s3-put-" + payload, sign_header(put_([("x-amz-content-sha256", word), ("x-amz-decoded-content-length", "5"), ("Content-Encoding", "aws-chunked")]), S3), S3, payload=payload)
    accept("presign-get", presign(get_object()), S3, payload="unsigned")
    accept("presign-with-query", presign(get_object(query="response-content-type=text%2Fplain")), S3, payload="unsigned")
    accept("presign-signed-header", presign(get_object(headers=[("Range", "bytes=0-9")])), S3, payload="unsigned")
    accept("presign-unsigned-other-header", presign(get_object(headers=[("Range", "bytes=0-9")]), skip=["range"]), S3, payload="unsigned", peer=False)
    accept("presign-hash-in-query", presign(Request("PUT", "/exports/k", body=b"abc"), extra_query="X-Amz-Content-Sha256=" + hashlib.sha256(b"abc").hexdigest(),
                                            payload=hashlib.sha256(b"abc").hexdigest()), S3, peer=False)
    accept("presign-not-s3", presign(Request("GET", "/a%20b"), MARKET), MARKET)
    accept("presign-not-s3-body", presign(json_call(), MARKET), MARKET)
    for name, at, expires in [("last-second", 3600, 3600), ("early-limit", -900, 3600), ("longest", 604800, 604800), ("shortest", 1, 1)]:
        accept("presign-" + name, presign(get_object(), expires=expires), S3, now=NOW + seconds(at), payload="unsigned")


def refused():
    head = lambda service=MARKET, **kw: sign_header(Request("GET", "/a/b", "x=1&y=2", [("My-Header1", "v")]), service, **kw)[0]
    call = lambda **kw: sign_header(json_call(), ANALYTICS, **kw)[0]
    s3 = lambda **kw: sign_header(get_object(), S3, **kw)[0]
    pre = lambda **kw: presign(get_object(), **kw)[0]

    def edit(r, **kw):
        for k, v in kw.items():
            setattr(r, k, v)
        return r

    # changed after signing
    refuse("method", "signature", edit(head(), method="HEAD"))
    refuse("method-case", "signature", edit(head(), method="get"))
    refuse("path", "signature", edit(head(), path="/a/c"))
    refuse("path-case", "signature", edit(head(), path="/A/b"))
    refuse("path-s3-slash", "signature", edit(s3(), path="/exports/2015//file.csv"))
    refuse("path-s3-dots", "signature", edit(s3(), path="/exports/x/../2015/file.csv"))
    refuse("query-value", "signature", edit(head(), query="x=1&y=3"))
    refuse("query-added", "signature", edit(head(), query="x=1&y=2&z=3"))
    refuse("query-dropped", "signature", edit(head(), query="x=1"))
    refuse("query-repeated", "signature", edit(head(), query="x=1&x=1&y=2"))
    refuse("header-value", "signature", head().set("My-Header1", "w"))
    refuse("header-value-case", "signature", head().set("My-Header1", "V"))
    refuse("header-gone", "signature", head().set("My-Header1", None))
    refuse("header-repeated", "signature", edit(head(), headers=[*head().headers, ("My-Header1", "v")]))
    refuse("header-repeat-order", "signature", (lambda r: edit(r, headers=[r.headers[0], r.headers[2], r.headers[1], *r.headers[3:]]))(
        sign_header(Request(headers=[("My-Header1", "a"), ("My-Header1", "b")]), MARKET)[0]))
    refuse("host", "signature", head().set("Host", "other.example.com"))
    refuse("host-port", "signature", head().set("Host", HOST + ":80"))
    refuse("target", "signature", call().set("X-Amz-Target", "MarketplaceCommerceAnalytics20150701.GenerateDataSet"))
    refuse("body-unhashed-header", "signature", edit(call(), body=b'{"dataSetType":"other"}'))
    refuse("body-emptied", "signature", edit(call(), body=b""))
    refuse("body-hashed-header", "body_hash", edit(sign_header(json_call(headers=[("x-amz-content-sha256", hashlib.sha256(json_call().body).hexdigest())]), ANALYTICS)[0], body=b"{}"))
    refuse("body-s3", "body_hash", edit(sign_header(Request("PUT", "/exports/k", body=b"abc"), S3)[0], body=b"abd"))
    refuse("body-s3-added", "body_hash", edit(s3(), body=b"x"))
    refuse("body-and-hash", "signature", edit(sign_header(Request("PUT", "/exports/k", body=b"abc"), S3)[0], body=b"abd").set("x-amz-content-sha256", hashlib.sha256(b"abd").hexdigest()))
    refuse("hash-to-unsigned", "signature", s3().set("x-amz-content-sha256", "UNSIGNED-PAYLOAD"))
    refuse("time", "signature", head().set("X-Amz-Date", amz(NOW + seconds(1))))
    refuse("date-header", "signature", sign_header(Request(), MARKET, date_header="Date", date_value="Sun, 30 Aug 2015 12:36:00 GMT", skip=["date"])[0].set("Date", "Sun, 30 Aug 2015 12:36:01 GMT"))
    # the claim itself changed
    refuse("secret", "signature", head(secret=SECRET[:-1] + "Z"))
    refuse("secret-empty", "signature", head(secret=""))
    refuse("key-unknown", "signature", head(key_id="AKIDUNKNOWN"))
    refuse("key-case", "signature", head(key_id="akidexample"))
    refuse("key-with-slashes", "signature", head(key_id="AK/ID/EXAMPLE"))
    refuse("key-with-date", "signature", head(key_id="AKIDEXAMPLE/20150830"))
    refuse("key-empty", "malformed", head(key_id=""))
    refuse("key-128", "signature", head(key_id="K" * 128))
    refuse("key-129", "malformed", head(key_id="K" * 129))
    refuse("key-blank", "malformed", head(key_id="AKID EXAMPLE"))
    refuse("key-control", "malformed", head(key_id="AKID\x01EXAMPLE"))
    refuse("signature-last-digit", "signature", (lambda r, c, s, g: r.swap(g, g[:-1] + ("0" if g[-1] != "0" else "1")))(*sign_header(Request(), MARKET)))
    refuse("signature-first-digit", "signature", (lambda r, c, s, g: r.swap(g, ("0" if g[0] != "0" else "1") + g[1:]))(*sign_header(Request(), MARKET)))
    refuse("signature-zero", "signature", (lambda r, c, s, g: r.swap(g, "0" * 64))(*sign_header(Request(), MARKET)))
    refuse("signature-upper-case", "malformed", (lambda r, c, s, g: r.swap(g, g.upper()))(*sign_header(Request(), MARKET)))
    refuse("signature-not-hex", "malformed", (lambda r, c, s, g: r.swap(g, "g" + g[1:]))(*sign_header(Request(), MARKET)))
    refuse("signature-short", "malformed", (lambda r, c, s, g: r.swap(g, g[:-1]))(*sign_header(Request(), MARKET)))
    refuse("signature-long", "malformed", (lambda r, c, s, g: r.swap(g, g + "0"))(*sign_header(Request(), MARKET)))
    refuse("signature-empty", "malformed", (lambda r, c, s, g: r.swap(g, ""))(*sign_header(Request(), MARKET)))
    refuse("scope-region", "scope", head(region="eu-west-1"))
    refuse("scope-region-changed", "signature", call().swap("/us-east-1/", "/eu-west-1/"), region="")
    refuse("scope-region-case", "scope", head(region="US-EAST-1"))
    refuse("scope-region-empty", "malformed", head(region=""))
    refuse("scope-region-long", "malformed", head(region="r" * 65))
    refuse("scope-service", "scope", head(service="execute-api"))
    refuse("scope-service-changed", "signature", head().swap("/aws-marketplace/", "/marketplacecommerceanalytics/"))
    refuse("scope-service-case", "scope", head(service="AWS-Marketplace"))
    refuse("scope-service-characters", "malformed", head().swap("/aws-marketplace/", "/aws<market>/"))
    refuse("scope-terminator", "scope", head().swap("aws4_request", "aws5_request"))
    refuse("scope-terminator-case", "scope", head().swap("aws4_request", "AWS4_REQUEST"))
    refuse("scope-date", "scope", head(scope_date="20150829"))
    refuse("scope-date-changed", "scope", head().swap("/20150830/", "/20150831/"))
    refuse("scope-date-shape", "malformed", head().swap("/20150830/", "/2015-08-30/"))
    refuse("scope-date-letters", "malformed", head().swap("/20150830/", "/2015083O/"))
    refuse("scope-part-missing", "malformed", head().swap("/aws-marketplace", ""))
    refuse("scope-missing", "malformed", head().swap("/20150830/us-east-1/aws-marketplace/aws4_request", ""))
    # signed headers
    refuse("signed-order", "malformed", head(signed=["my-header1", "host", "x-amz-date"]))
    refuse("signed-swapped", "malformed", head().swap("host;my-header1", "my-header1;host"))
    refuse("signed-twice", "malformed", head(signed=["host", "host", "my-header1", "x-amz-date"]))
    refuse("signed-upper-case", "malformed", head().swap("=host;", "=Host;"))
    refuse("signed-empty-name", "malformed", head().swap("host;my", "host;;my"))
    refuse("signed-last-empty", "malformed", head().swap("x-amz-date,", "x-amz-date;,"))
    refuse("signed-characters", "malformed", head().swap("=host;", "=host;my header;"))
    refuse("signed-65", "malformed", head(signed=sorted([f"h{i:03d}" for i in range(64)] + ["host"])))
    refuse("signed-without-host", "unsigned_header", head(signed=["my-header1", "x-amz-date"]))
    refuse("signed-without-date", "unsigned_header", head(signed=["host", "my-header1"]))
    refuse("signed-missing-header", "signature", head(extra=["zz-not-there"]))
    refuse("unsigned-x-amz", "unsigned_header", edit(head(), headers=[*head().headers, ("X-Amz-Acl", "public-read")]))
    refuse("unsigned-x-amz-case", "unsigned_header", edit(s3(), headers=[*s3().headers, ("x-AMZ-meta-a", "b")]))
    refuse("unsigned-target", "unsigned_header", sign_header(json_call(), ANALYTICS, skip=["x-amz-target"]))
    refuse("unsigned-x-amz-presigned", "unsigned_header", edit(pre(), headers=[("Host", HOST), ("x-amz-meta-a", "b")]))
    # the Authorization header's shape
    auth = lambda v: Request(headers=[("X-Amz-Date", amz(NOW)), ("Authorization", v)])
    good = sign_header(Request(), MARKET)[0].get("Authorization")
    refuse("none", "no_credentials", Request())
    refuse("authorization-empty", "unsupported", auth(""))
    refuse("authorization-bearer", "unsupported", auth("Bearer souk_abc"))
    refuse("authorization-basic", "unsupported", auth("Basic YTpi"))
    refuse("authorization-sigv2", "unsupported", auth("AWS AKIDEXAMPLE:frJIUN8DYpKDtOLCwo//yllqDzg="))
    refuse("authorization-sigv4a", "unsupported", auth(good.replace(ALGORITHM, "AWS4-ECDSA-P256-SHA256")))
    refuse("authorization-algorithm-case", "unsupported", auth(good.replace(ALGORITHM, ALGORITHM.lower())))
    refuse("authorization-algorithm-tail", "unsupported", auth(good.replace(ALGORITHM, ALGORITHM + "X")))
    refuse("authorization-algorithm-only", "malformed", auth(ALGORITHM))
    refuse("authorization-part-unknown", "malformed", auth(good + ", Nonce=1"))
    refuse("authorization-part-twice", "malformed", auth(good + ", " + good.split(", ")[2]))
    refuse("authorization-part-missing", "malformed", auth(good.split(", SignedHeaders")[0]))
    refuse("authorization-part-case", "malformed", auth(good.replace("Credential", "credential")))
    refuse("authorization-part-empty", "malformed", auth(good + ","))
    refuse("authorization-value-empty", "malformed", auth(good.split("Signature=")[0] + "Signature="))
    refuse("authorization-10k", "malformed", auth(good + " " + ", X=" + "y" * 10240))
    refuse("authorization-twice", "two_methods", edit(head(), headers=[*head().headers, ("Authorization", good)]))
    refuse("both-methods", "two_methods", edit(pre(), headers=[("Host", HOST), ("Authorization", good), ("X-Amz-Date", amz(NOW))]))
    refuse("both-methods-part", "two_methods", edit(s3(), query="X-Amz-Signature=" + "0" * 64))
    refuse("query-escape-broken", "malformed", edit(head(), query="x=%4"))
    refuse("query-escape-not-hex", "malformed", edit(head(), query="x=%zz"))
    refuse("query-nul", "malformed", edit(head(), query="x=%00"))
    refuse("path-escape-broken", "malformed", edit(s3(), path="/exports/%E"))
    refuse("path-nul", "malformed", edit(s3(), path="/exports/%00"))
    # time
    refuse("time-missing", "malformed", head(date_header=None))
    refuse("time-twice", "malformed", edit(head(), headers=[*head().headers, ("x-amz-date", amz(NOW))]))
    refuse("time-shape", "malformed", head(date_value="2015-08-30T12:36:00Z"))
    refuse("time-no-zone", "malformed", head(date_value="20150830T123600"))
    refuse("time-month-13", "malformed", head(date_value="20151330T123600Z"))
    refuse("time-second-61", "malformed", head(date_value="20150830T123661Z"))
    refuse("date-shape", "malformed", sign_header(Request(), MARKET, date_header="Date", date_value="yesterday"))
    for service, limit in ((MARKET, 300), (S3, 900)):
        for sign_, word in ((1, "old"), (-1, "ahead")):
            refuse(f"skew-{service}-{word}", "clock", head(service) if service == MARKET else s3(), now=NOW + seconds(sign_ * (limit + 1)))
    refuse("replay-next-day", "clock", head(), now=NOW + seconds(86400))
    # payload
    refuse("s3-hash-missing", "missing_hash", s3(payload=EMPTY))
    refuse("s3-hash-short", "malformed", sign_header(get_object(headers=[("x-amz-content-sha256", EMPTY[:-1])]), S3))
    refuse("s3-hash-not-hex", "malformed", sign_header(get_object(headers=[("x-amz-content-sha256", "x" * 64)]), S3))
    refuse("s3-hash-word", "malformed", sign_header(get_object(headers=[("x-amz-content-sha256", "unsigned-payload")]), S3))
    refuse("s3-hash-empty", "malformed", sign_header(get_object(headers=[("x-amz-content-sha256", "")]), S3))
    refuse("s3-hash-twice", "malformed", sign_header(get_object(headers=[("x-amz-content-sha256", EMPTY), ("x-amz-content-sha256", EMPTY)]), S3))
    refuse("s3-streaming-sigv4a", "unsupported", sign_header(get_object(headers=[("x-amz-content-sha256", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD")]), S3))
    refuse("s3-streaming-unknown", "unsupported", sign_header(get_object(headers=[("x-amz-content-sha256", "STREAMING-MD5")]), S3))
    refuse("analytics-streaming", "unsupported", sign_header(json_call(headers=[("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD")]), ANALYTICS))
    # session tokens
    refuse("token", "token", sign_header(json_call(headers=[("X-Amz-Security-Token", "FQoGZXIvYXdzE")]), ANALYTICS))
    refuse("token-s3", "token", sign_header(get_object(headers=[("X-Amz-Security-Token", "FQoGZXIvYXdzE")]), S3))
    refuse("token-presigned", "token", presign(get_object(query="X-Amz-Security-Token=FQoGZXIvYXdzE")))
    refuse("token-unsigned", "unsigned_header", sign_header(json_call(headers=[("X-Amz-Security-Token", "FQoGZXIvYXdzE")]), ANALYTICS, skip=["x-amz-security-token"]))
    # presigned
    refuse("presign-sigv2", "unsupported", get_object(query="AWSAccessKeyId=AKIDEXAMPLE&Signature=vjbyPxybdZaNmGa%2ByT272YEAiv4%3D&Expires=1440938160"))
    refuse("presign-sigv4a", "unsupported", pre().swap("X-Amz-Algorithm=" + ALGORITHM, "X-Amz-Algorithm=AWS4-ECDSA-P256-SHA256"))
    refuse("presign-algorithm", "query_parameters", pre().swap("X-Amz-Algorithm=" + ALGORITHM, "X-Amz-Algorithm=AWS4-HMAC-SHA1"))
    for name in ("Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature"):
        r = pre()
        refuse(f"presign-without-{name.lower()}", "query_parameters", edit(r, query="&".join(p for p in r.query.split("&") if not p.startswith(f"X-Amz-{name}="))))
        r = pre()
        refuse(f"presign-twice-{name.lower()}", "query_parameters", edit(r, query=r.query + "&" + next(p for p in r.query.split("&") if p.startswith(f"X-Amz-{name}="))))
    for name, value in [("0", "0"), ("604801", "604801"), ("negative", "-1"), ("word", "soon"), ("empty", ""), ("plus", "%2B60"), ("fraction", "60.5"),
                        ("blank", "%2060"), ("overflow", "18446744073709551676"), ("hex", "0x10")]:
        refuse("presign-expires-" + name, "query_parameters", pre(expires=value))
    refuse("presign-expires-changed", "signature", pre().swap("X-Amz-Expires=3600", "X-Amz-Expires=604800"))
    refuse("presign-date-shape", "query_parameters", pre().swap("X-Amz-Date=20150830T123600Z", "X-Amz-Date=20150830"))
    refuse("presign-date-changed", "signature", pre().swap("X-Amz-Date=20150830T123600Z", "X-Amz-Date=20150830T123601Z"))
    refuse("presign-expired", "expired", pre(), now=NOW + seconds(3601))
    refuse("presign-expired-longest", "expired", pre(expires=604800), now=NOW + seconds(604801))
    refuse("presign-not-yet", "not_yet", pre(), now=NOW - seconds(901))
    refuse("presign-credential", "query_parameters", pre().swap("%2Fs3%2Faws4_request", ""))
    refuse("presign-terminator", "scope", pre().swap("aws4_request", "aws4_response"))
    refuse("presign-region", "scope", pre(region="eu-west-1"))
    refuse("presign-key-unknown", "signature", pre(key_id="AKIDUNKNOWN"))
    refuse("presign-signature", "signature", (lambda r, c, s, g: r.swap(g, "0" * 64))(*presign(get_object())))
    refuse("presign-signature-upper-case", "query_parameters", (lambda r, c, s, g: r.swap(g, g.upper()))(*presign(get_object())))
    refuse("presign-without-host", "unsigned_header", presign(get_object(headers=[("Range", "bytes=0-1")]), skip=["host"]))
    refuse("presign-method", "signature", edit(pre(), method="PUT"))
    refuse("presign-path", "signature", edit(pre(), path="/exports/2015/other.csv"))
    refuse("presign-parameter-added", "signature", (lambda r: edit(r, query=r.query + "&response-content-type=text%2Fhtml"))(pre()))
    refuse("presign-header-not-sent", "signature", presign(get_object(headers=[("Range", "bytes=0-1")]))[0].set("Range", None))
    refuse("presign-header-changed", "signature", presign(get_object(headers=[("Range", "bytes=0-1")]))[0].set("Range", "bytes=0-2"))
    refuse("presign-not-s3-body", "signature", edit(presign(json_call(), MARKET)[0], body=b"{}"))
    refuse("presign-hash-twice", "query_parameters", edit(presign(get_object(), extra_query="X-Amz-Content-Sha256=" + EMPTY, payload=EMPTY)[0],
                                                          headers=[("Host", HOST), ("x-amz-content-sha256", EMPTY)]).swap("X-Amz-SignedHeaders=host", "X-Amz-SignedHeaders=host%3Bx-amz-content-sha256"))
    refuse("presign-body", "body_hash", edit(presign(Request("PUT", "/exports/k", body=b"abc"), extra_query="X-Amz-Content-Sha256=" + hashlib.sha256(b"abc").hexdigest(),
                                                     payload=hashlib.sha256(b"abc").hexdigest())[0], body=b"abd"))


peer_auth, peer_agreed = None, []
try:
    import awscli.botocore.awsrequest, awscli.clidriver  # noqa: E401  (imported first, it breaks a circle)
    import awscli.botocore.auth as peer_auth
    from awscli.botocore.awsrequest import AWSRequest as peer_request
    from awscli.botocore.credentials import Credentials as peer_credentials
except ImportError:
    if "--strict" in sys.argv:
        sys.exit("make.py: botocore cannot be imported; run with /usr/bin/python3 and Debian's awscli")

accepted()
refused()
for old in HERE.iterdir():
    if old.is_dir():
        shutil.rmtree(old)
for name, files in cases.items():
    (HERE / name).mkdir()
    for file, data in files.items():
        (HERE / name / file).write_bytes(data)
n_refused = sum("refused.txt" in f for f in cases.values())
print(f"{len(cases) - n_refused} accepted ({len(peer_agreed)} as botocore has them), {n_refused} refused")
