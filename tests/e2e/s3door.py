# SPDX-License-Identifier: EUPL-1.2
"""An S3 client byte by byte, after the SigV4 reference, on Python's own HTTP: what it sends may be wrong in any way."""
import base64
import datetime
import hashlib
import hmac
import http.client
import re
import urllib.parse
import zlib

from kit import equal

REGION, ACCOUNT, BUCKET = "eu-test", "bascule", "wire"
NOW = datetime.datetime.now(datetime.timezone.utc)


def b64(data):
    return base64.b64encode(data).decode()


def md5(data):
    return b64(hashlib.md5(data).digest())


def crc32(data):
    return b64(zlib.crc32(data).to_bytes(4, "big"))


def sha256(data):
    return b64(hashlib.sha256(data).digest())


class Answer:
    def __init__(self, response):
        self.status, self.body = response.status, response.read()
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.text = self.body.decode("utf-8", "replace")
        self.code, self.message = self.element("Code"), self.element("Message")

    def element(self, name):
        found = re.search("<%s>(.*?)</%s>" % (name, name), self.text, re.S)
        return found and found.group(1)

    def elements(self, name):
        return re.findall("<%s>(.*?)</%s>" % (name, name), self.text, re.S)


class Door:
    """A client after the SigV4 reference, on one connection that must stay usable."""

    def __init__(self, port, secret):
        self.port, self.secret = port, secret
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def key(self, day, region=REGION, service="s3", secret=None):
        key = ("AWS4" + (secret or self.secret)).encode()
        for part in (day, region, service, "aws4_request"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        return key

    def signature(self, method, path, query, headers, names, payload, date, **scope):
        pairs = sorted((urllib.parse.quote(k, safe="~"), urllib.parse.quote(v, safe="~"))
                       for k, v in urllib.parse.parse_qsl(query, keep_blank_values=True))
        lines = [method, path, "&".join("%s=%s" % pair for pair in pairs)]
        lines += ["%s:%s" % (name, headers[name]) for name in names] + ["", ";".join(names), payload]
        text = "AWS4-HMAC-SHA256\n%s\n%s/%s/%s/aws4_request\n%s" % (
            date, date[:8], scope.get("region", REGION), scope.get("service", "s3"),
            hashlib.sha256("\n".join(lines).encode()).hexdigest())
        return hmac.new(self.key(date[:8], **scope), text.encode(), hashlib.sha256).hexdigest()

    def signed(self, method, target, headers, body, payload=None, date=None, access=ACCOUNT, **scope):
        path, _, query = target.partition("?")
        date = date or datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        payload = payload or hashlib.sha256(body).hexdigest()
        all_headers = {k.lower(): v for k, v in headers.items()}
        all_headers.update({"host": "127.0.0.1:%d" % self.port, "x-amz-date": date, "x-amz-content-sha256": payload})
        names = sorted(all_headers)
        signature = self.signature(method, path, query, all_headers, names, payload, date, **scope)
        all_headers["authorization"] = "AWS4-HMAC-SHA256 Credential=%s/%s/%s/%s/aws4_request, SignedHeaders=%s, Signature=%s" % (
            access, date[:8], scope.get("region", REGION), scope.get("service", "s3"), ";".join(names), signature)
        return all_headers

    def presigned(self, method, target, expires=60, date=None, **query):
        path = target
        date = date or datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        query = {"X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-Credential": "%s/%s/%s/s3/aws4_request" % (ACCOUNT, date[:8], REGION),
                 "X-Amz-Date": date, "X-Amz-Expires": str(expires), "X-Amz-SignedHeaders": "host", **query}
        text = urllib.parse.urlencode(query, quote_via=urllib.parse.quote)
        signature = self.signature(method, path, text, {"host": "127.0.0.1:%d" % self.port}, ["host"], "UNSIGNED-PAYLOAD", date)
        return "%s?%s&X-Amz-Signature=%s" % (path, text, signature)

    def send(self, method, target, headers, body=b""):
        """As it stands, unsigned."""
        self.connection.request(method, target, body=body or (b"" if method in ("PUT", "POST") else None), headers=headers)
        return Answer(self.connection.getresponse())

    def ask(self, method, target, body=b"", headers=None, change=None, **options):
        body = body.encode() if isinstance(body, str) else body
        headers = self.signed(method, target, headers or {}, body, **options)
        for name, value in (change or {}).items():
            headers.pop(name, None)
            if value is not None:
                headers[name] = value
        return self.send(method, target, headers, body)

    def good(self, method, target, body=b"", headers=None, status=200, **options):
        answer = self.ask(method, target, body, headers, **options)
        equal(answer.status, status, "%s %s: %s" % (method, target, answer.text[:300]))
        return answer

    def refused(self, status, code, method, target, body=b"", headers=None, **options):
        answer = self.ask(method, target, body, headers, **options)
        equal((answer.status, answer.code), (status, code), "%s %s: %s" % (method, target, answer.text[:400]))
        return answer

    def put(self, key, body=b"hello", headers=None, bucket=BUCKET):
        return self.good("PUT", "/%s/%s" % (bucket, key), body, headers)
