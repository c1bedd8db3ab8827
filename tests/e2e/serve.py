# SPDX-License-Identifier: EUPL-1.2
"""Gateways under load: starting and killing them, and clients of both doors over Python's own HTTP that
say whether a request was answered, refused, or never answered."""
import base64
import datetime
import hashlib
import hmac
import http.client
import pathlib
import re
import shutil
import socket
import subprocess
import threading
import time
import urllib.parse

import kit
from kit import expect, run

ACCOUNT = "bascule"
VERSION = "2023-11-03"


NGINX = """
daemon off; worker_processes 1; pid nginx.pid; error_log error.log;
events {}
http {
    access_log off; client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5;
%s}
"""
FRONT = """    upstream gateways%d {
%s        keepalive 32;
    }
    server {
        listen 127.0.0.1:%d;
        client_max_body_size 0;
        underscores_in_headers on;
        ignore_invalid_headers off;
        large_client_header_buffers 8 16k;
        location / {
            proxy_pass http://gateways%d;
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header Connection "";
            proxy_set_header Forwarded "";
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_request_buffering off;
            proxy_buffering off;
            proxy_read_timeout 300s;
        }
    }
"""


def nginx(*fronts):
    """As docs/serve.md has it: a port for each list of ports behind it."""
    program = shutil.which("nginx") or shutil.which("/usr/sbin/nginx") or kit.skip("no nginx")
    ports = [free_port() for _ in fronts]
    pathlib.Path("nginx.conf").write_text(NGINX % "".join(
        FRONT % (port, "".join("        server 127.0.0.1:%d;\n" % one for one in behind), port, port)
        for port, behind in zip(ports, fronts)))
    process = subprocess.Popen([program, "-p", str(pathlib.Path.cwd()), "-c", "nginx.conf"], stderr=subprocess.DEVNULL)
    kit.at_end(process.wait)
    kit.at_end(process.terminate)
    for port in ports:
        wait_for(lambda: answers(port), "nginx")
    return ports


def answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Unknown(Exception):
    """No answer: the request was done, or it was not."""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(condition, what, seconds=30):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise kit.Failed("waited in vain for " + what)


def complained(text):
    """A fault of the program itself in what it wrote."""
    for word in kit.BROKEN:
        at = text.find(word)
        expect(at < 0, "a fault of the program itself:", text[max(0, at - 200):at + 2500])


class Gateway:
    """One process of bascule serve.  section: lines below "serve:"; stores: those below "stores:";
    wrapper: words of the command that starts it; s3: with that door, too."""

    def __init__(self, name="a", section="", stores="", wrapper=(), s3=False, **options):
        self.name, self.wrapper, self.options = name, wrapper, options
        self.port, self.status, self.s3 = free_port(), free_port(), free_port() if s3 else None
        if s3:
            section += "  s3: {listen: '127.0.0.1:%d'}\n" % self.s3
        self.config = kit.configure(
            "%sserve:\n  gateway: %s\n  listen: '127.0.0.1:%d'\n  metrics: {listen: '127.0.0.1:%d'}\n%s" % (
                "stores:\n" + stores if stores else "", name, self.port, self.status, section), name + ".yaml")
        self.errors = pathlib.Path(name + ".err").resolve()
        self.process = None

    def start(self, wait=True):
        with open(self.errors, "ab") as errors, open("/dev/null", "wb") as null:
            self.process = subprocess.Popen([*self.wrapper, kit.BASCULE, "serve", "-c", self.config],
                                            stdin=subprocess.DEVNULL, stdout=null, stderr=errors, **self.options)
        kit.at_end(self.kill)
        if wait:
            wait_for(lambda: self.process.poll() is not None or self.status_of("/readyz") == 200, "readiness", 60)
            expect(self.process.poll() is None, "it ended:", self.said()[-1500:])
        return self

    def said(self):
        return self.errors.read_text(errors="replace")

    def status_of(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.status, timeout=5)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def end(self):
        """As an operator ends it; what it said must be without faults."""
        self.process.terminate()
        try:
            code = self.process.wait(60)
        except Exception:
            raise kit.Failed("no end 60 s after SIGTERM: " + self.said()[-1000:])
        complained(self.said())
        expect(code == 0, "it ended with", code, self.said()[-1500:])

    def key(self, account=ACCOUNT):
        return run("key", "show", account, "key1", "-c", self.config).out.strip()


class Client:
    """Shared Key after the REST reference.  A connection for each thread, which stays open."""
    CREATED, DELETED, EXISTS, META = 201, 202, 409, "x-ms-meta-"

    def __init__(self, gateway, key, account=ACCOUNT, timeout=60, port=None):
        self.gateway, self.key, self.account, self.timeout = gateway, base64.b64decode(key), account, timeout
        self.port = port or gateway.port
        self.local = threading.local()

    def head(self, method, path, query, body, headers):
        length = len(body)
        date = datetime.datetime.now(datetime.timezone.utc).strftime("%a, %d %b %Y %H:%M:%S GMT")
        headers = {"x-ms-date": date, "x-ms-version": VERSION, **headers}
        low = {key.lower(): value for key, value in headers.items()}
        usual = [low.get(name, "") for name in ("content-encoding", "content-language")] + [
            str(length) if length else ""] + [low.get(name, "") for name in (
                "content-md5", "content-type", "date", "if-modified-since", "if-match", "if-none-match",
                "if-unmodified-since", "range")]
        more = ["%s:%s" % (key, low[key]) for key in sorted(low) if key.startswith("x-ms-")]
        path = urllib.parse.quote(path)
        resource = "/%s/%s%s" % (self.account, self.account, path)
        resource += "".join("\n%s:%s" % (key, query[key]) for key in sorted(query))
        digest = hmac.new(self.key, "\n".join([method] + usual + more + [resource]).encode(), hashlib.sha256)
        headers["Authorization"] = "SharedKey %s:%s" % (self.account, base64.b64encode(digest.digest()).decode())
        return "/" + self.account + path + ("?" + urllib.parse.urlencode(query) if query else ""), headers

    def connect(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout)
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def drop(self):
        connection = getattr(self.local, "connection", None)
        if connection:
            connection.close()
        self.local.connection = None

    def do(self, method, path, body=b"", query=None, **headers):
        """Status, headers, body; Unknown when the answer did not come whole.  Names of headers are
        written with _ for - (x_ms_blob_type) unless they have one already."""
        headers = {key if "-" in key else key.replace("_", "-"): str(value)
                   for key, value in headers.items() if value is not None}
        target, headers = self.head(method, path, query or {}, body, headers)
        if method in ("PUT", "POST"):
            headers["Content-Length"] = str(len(body))
        try:
            if not getattr(self.local, "connection", None):
                self.local.connection = self.connect()
            connection = self.local.connection
            connection.request(method, target, body or None, headers)
            answer = connection.getresponse()
            got = answer.read()
            if answer.will_close:
                self.drop()
            return answer.status, answer.headers, got
        except (OSError, http.client.HTTPException) as why:
            self.drop()
            raise Unknown("%s %s: %r" % (method, path, why)) from None

    def ok(self, wanted, method, path, *arguments, **headers):
        status, answer, body = self.do(method, path, *arguments, **headers)
        expect(status == wanted, method, path, "answered", status, "instead of", wanted, body[:500])
        return answer, body

    def container(self, name):
        self.ok(201, "PUT", "/" + name, b"", {"restype": "container"})

    def put(self, path, body, **headers):
        return self.do("PUT", path, body, x_ms_blob_type="BlockBlob", **headers)

    def get(self, path, **headers):
        return self.do("GET", path, **headers)

    def upload(self, path, parts, others=()):
        """In blocks; others: clients of the same door that send some of them.  As put()."""
        senders, ids = [self, *others], ["%04d" % n for n in range(len(parts))]
        for n, part in enumerate(parts):
            senders[n % len(senders)].ok(201, "PUT", path, part, {"comp": "block", "blockid": ids[n]})
        text = "<BlockList>%s</BlockList>" % "".join("<Latest>%s</Latest>" % one for one in ids)
        return senders[-1].do("PUT", path, text.encode(), {"comp": "blocklist"})

    def names(self, container, prefix):
        _, body = self.ok(200, "GET", "/" + container, b"", {"restype": "container", "comp": "list", "prefix": prefix})
        return set(re.findall(r"<Blob><Name>([^<]*)</Name>", body.decode()))


class S3Client(Client):
    """Signature Version 4 after Amazon's description; the same words for the same things."""
    CREATED, DELETED, EXISTS, META = 200, 204, 412, "x-amz-meta-"

    def __init__(self, gateway, key, account=ACCOUNT, timeout=60, port=None):
        super().__init__(gateway, key, account, timeout, port or gateway.s3)
        self.secret = key.encode()

    def head(self, method, path, query, body, headers):
        time_ = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        path = urllib.parse.quote(path)
        question = "&".join("%s=%s" % (urllib.parse.quote(k, safe=""), urllib.parse.quote(str(query[k]), safe=""))
                            for k in sorted(query))
        headers = {"host": "127.0.0.1:%d" % self.port, "x-amz-date": time_,
                   "x-amz-content-sha256": hashlib.sha256(body).hexdigest(),
                   **{k.lower(): v for k, v in headers.items()}}
        names = ";".join(sorted(headers))
        asked = "\n".join([method, path, question] + ["%s:%s" % (k, headers[k].strip()) for k in sorted(headers)]
                          + ["", names, headers["x-amz-content-sha256"]])
        scope = "%s/eu-test/s3/aws4_request" % time_[:8]
        text = "\n".join(["AWS4-HMAC-SHA256", time_, scope, hashlib.sha256(asked.encode()).hexdigest()])
        key = b"AWS4" + self.secret
        for word in scope.split("/") + [text]:
            key = hmac.new(key, word.encode(), hashlib.sha256).digest()
        headers["authorization"] = "AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s" % (
            self.account, scope, names, key.hex())
        return path + ("?" + question if question else ""), headers

    def container(self, name):
        self.ok(200, "PUT", "/" + name)

    def put(self, path, body, **headers):
        return self.do("PUT", path, body, **headers)

    def upload(self, path, parts, others=()):
        senders, tags = [self, *others], []
        _, body = self.ok(200, "POST", path, b"", {"uploads": ""})
        one = re.search(r"<UploadId>([^<]+)", body.decode())[1]
        for n, part in enumerate(parts):
            headers, _ = senders[n % len(senders)].ok(200, "PUT", path, part, {"partNumber": n + 1, "uploadId": one})
            tags.append(headers["ETag"])
        text = "<CompleteMultipartUpload>%s</CompleteMultipartUpload>" % "".join(
            "<Part><PartNumber>%d</PartNumber><ETag>%s</ETag></Part>" % (n + 1, tag) for n, tag in enumerate(tags))
        return senders[-1].do("POST", path, text.encode(), {"uploadId": one})

    def names(self, container, prefix):
        _, body = self.ok(200, "GET", "/" + container, b"", {"list-type": 2, "prefix": prefix})
        return set(re.findall(r"<Contents><Key>([^<]*)</Key>", body.decode()))


def together(functions):
    """Run each in a thread of its own; the first failure of any is raised here."""
    failures = []

    def run_one(function):
        try:
            function()
        except BaseException as why:
            failures.append(why)

    threads = [threading.Thread(target=run_one, args=(f,)) for f in functions]
    for thread in threads:
        thread.start()
    return threads, failures


def all_done(threads, failures, seconds=300):
    until = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0, until - time.monotonic()))
        expect(not thread.is_alive(), "a client still waits after %s s" % seconds)
    if failures:
        raise failures[0]
