# SPDX-License-Identifier: Apache-2.0
"""Requests as bytes for bench/load: plain, with a bearer token, or signed with SigV4."""
import datetime
import hashlib
import hmac
import json
import socket
import urllib.request

HOST = "127.0.0.1"
TARGET = "MarketplaceCommerceAnalytics20150701.StartSupportDataExport"


def raw(method, path, headers, body=b""):
    lines = [f"{method} {path} HTTP/1.1", f"Host: {HOST}", "User-Agent: bench/1", "Accept: */*"]
    lines += [f"{k}: {v}" for k, v in headers.items()]
    if body or method in ("POST", "PUT"):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines + ["", ""]).encode() + body


def bearer(method, path, token, body=None, more=None):
    headers = {"Authorization": "Bearer " + token, **(more or {})}
    if body is None:
        return raw(method, path, headers)
    return raw(method, path, {**headers, "Content-Type": "application/json"},
               json.dumps(body, ensure_ascii=False).encode())


def _mac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def signed(key, service, method, path, query, headers, body=b"", region="us-east-1"):
    """A request signed in its headers; `headers` with lower-case names, sorted as they sign."""
    at = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    covered = dict(sorted({**headers, "host": HOST, "x-amz-date": at}.items()))
    names = ";".join(covered)
    canonical = "\n".join([method, path, query, *(f"{k}:{v}" for k, v in covered.items()), "", names,
                           hashlib.sha256(body).hexdigest()])
    scope = f"{at[:8]}/{region}/{service}/aws4_request"
    to_sign = "\n".join(["AWS4-HMAC-SHA256", at, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    k = ("AWS4" + key["secretAccessKey"]).encode()
    for part in scope.split("/"):
        k = _mac(k, part)
    del covered["host"]
    covered["Authorization"] = (f"AWS4-HMAC-SHA256 Credential={key['accessKeyId']}/{scope}, "
                                f"SignedHeaders={names}, Signature={_mac(k, to_sign).hex()}")
    return raw(method, path + ("?" + query if query else ""), covered, body)


def start_export(key, members):
    """StartSupportDataExport as the AWS CLI signs it."""
    return signed(key, "marketplacecommerceanalytics", "POST", "/", "",
                  {"content-type": "application/x-amz-json-1.1", "x-amz-target": TARGET}, json.dumps(members).encode())


def list_objects(key, query):
    """ListObjectsV2 as the AWS CLI signs it; `query` sorted and encoded."""
    return signed(key, "s3", "GET", "/" + key["bucket"], query,
                  {"x-amz-content-sha256": hashlib.sha256(b"").hexdigest()})


def write(path, requests):
    with open(path, "wb") as f:
        for r in requests:
            f.write(b"%d\n" % len(r) + r)
    return path


def call(port, method, path, token, body=None):
    """A call of the REST API, as what it answers."""
    asked = urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method, headers={"Authorization": "Bearer " + token})
    if body is not None:
        asked.data = json.dumps(body).encode()
        asked.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(asked) as answer:
        return json.load(answer)


def get(port, path, token):
    """The items of a list of the REST API."""
    return call(port, "GET", path, token)["items"]


def send(port, request):
    """A request of this file's, as it is; its answer must be a success."""
    with socket.create_connection((HOST, port)) as s:
        s.sendall(request)
        status = s.recv(65536).split(b" ", 2)[1]
    if status[:1] != b"2":
        raise SystemExit(f"bench: unexpected answer {status.decode()}")


def batch_meter_usage(key, members):
    """BatchMeterUsage as the AWS CLI signs it."""
    return signed(key, "aws-marketplace", "POST", "/", "",
                  {"content-type": "application/x-amz-json-1.1", "x-amz-target": "AWSMPMeteringService.BatchMeterUsage"},
                  json.dumps(members).encode())


def generate_data_set(key, members):
    """GenerateDataSet as the AWS CLI signs it."""
    return signed(key, "marketplacecommerceanalytics", "POST", "/", "",
                  {"content-type": "application/x-amz-json-1.1", "x-amz-target": TARGET.replace("StartSupportDataExport", "GenerateDataSet")},
                  json.dumps(members).encode())
