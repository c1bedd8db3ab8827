# SPDX-License-Identifier: EUPL-1.2
"""The fault proxy against a small server: each fault must be seen by a plain client."""
import http.client
import http.server
import importlib.machinery
import importlib.util
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))


def load(name):
    loader = importlib.machinery.SourceFileLoader(name.replace("-", "_"), os.path.join(HERE, name))
    module = importlib.util.module_from_spec(
        importlib.util.spec_from_loader(loader.name, loader))
    sys.dont_write_bytecode = True
    loader.exec_module(module)
    return module


fault_proxy = load("fault-proxy")
BODY = bytes(range(256)) * 1024


class Upstream(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def reply(self, body, status=200, chunked=False):
        self.send_response(status)
        if chunked:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if chunked:
            for at in range(0, len(body), 1000):
                piece = body[at:at + 1000]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")
        else:
            self.wfile.write(body)

    def do_GET(self):
        server = self.server
        if self.path == "/sloppy":
            # As eventlet does: a body's end where there can be no body.
            server.seen.append((self.command, self.path, {}, b""))
            self.wfile.write(b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n")
            self.wfile.flush()
            time.sleep(0.05)
            self.wfile.write(b"0\r\n\r\n")
            return
        server.seen.append((self.command, self.path, dict(self.headers), b""))
        if self.path.startswith("/list"):
            server.pages += 1
            self.reply(b"page %d" % server.pages)
        else:
            self.reply(server.store.get(self.path, BODY), chunked="chunked" in self.path)

    do_HEAD = do_GET

    def do_PUT(self):
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            body = b""
            while True:
                count = int(self.rfile.readline(), 16)
                body += self.rfile.read(count)
                self.rfile.readline()
                if not count:
                    break
        else:
            body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append((self.command, self.path, dict(self.headers), body))
        self.server.store[self.path] = body
        self.reply(b"", 201)

    def log_message(self, *_):
        pass


class QuietServer(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass


class FaultProxyTest(unittest.TestCase):
    def setUp(self):
        self.upstream = QuietServer(("127.0.0.1", 0), Upstream)
        self.upstream.seen, self.upstream.store, self.upstream.pages = [], {}, 0
        threading.Thread(target=self.upstream.serve_forever, args=(0.02,), daemon=True).start()
        self.proxy = fault_proxy.Proxy(("127.0.0.1", 0), self.upstream.server_address, 7).start()
        self.connection = http.client.HTTPConnection("127.0.0.1", self.proxy.port, timeout=10)

    def tearDown(self):
        self.connection.close()
        self.proxy.close()
        self.upstream.shutdown()
        self.upstream.server_close()

    def rules(self, *specs):
        self.proxy.state.set_rules(list(specs))

    def ask(self, method="GET", path="/x", body=None, headers=None):
        self.connection.request(method, path, body, headers or {})
        answer = self.connection.getresponse()
        return answer.status, answer.read(), answer

    def faults(self):
        return [entry["fault"] for entry in self.proxy.state.faults]

    def test_passes_everything_as_it_came(self):
        raw = (b"GET /a//b/../%2e?x=1&x=%20 HTTP/1.1\r\nhOsT: signed.example:1\r\n"
               b"X-B: 2\r\nx-a:  1\r\n\r\n")
        with socket.create_connection(("127.0.0.1", self.proxy.port)) as sock:
            sock.sendall(raw)
            self.assertTrue(sock.recv(100).startswith(b"HTTP/1.1 200"))
        _, path, headers, _ = self.upstream.seen[0]
        self.assertEqual(path, "/a//b/../%2e?x=1&x=%20")
        self.assertEqual(list(headers), ["hOsT", "X-B", "x-a"])
        self.assertEqual(headers["hOsT"], "signed.example:1")

    def test_bodies_pass(self):
        self.assertEqual(self.ask()[1], BODY)
        self.assertEqual(self.ask(path="/chunked")[1], BODY)
        self.assertEqual(self.ask("HEAD")[1], b"")
        self.assertEqual(self.ask("PUT", "/p", BODY)[0], 201)
        self.assertEqual(self.upstream.store["/p"], BODY)
        self.ask("PUT", "/q", iter([b"ab", b"cd"]))
        self.assertEqual(self.upstream.store["/q"], b"abcd")
        self.assertEqual(self.faults(), [])

    def test_sloppy_servers(self):
        self.assertEqual(self.ask("HEAD", "/sloppy")[0], 204)
        self.assertEqual(self.ask()[1], BODY)
        self.assertEqual(self.ask("HEAD", "/sloppy")[0], 204)
        time.sleep(0.1)
        self.assertEqual(self.ask()[1], BODY)
        self.assertEqual(len(self.upstream.seen), 4)

    def test_reset_in_the_answer(self):
        self.rules({"fault": "reset", "at": 1000, "times": 1})
        with self.assertRaises((ConnectionResetError, http.client.IncompleteRead)):
            self.ask()
        self.connection.close()
        self.assertEqual(self.ask()[1], BODY)
        self.assertEqual(self.faults(), ["reset"])

    def test_reset_in_the_request_reaches_nobody(self):
        self.rules({"fault": "reset", "at": 1000, "side": "request", "times": 1})
        with self.assertRaises((OSError, http.client.HTTPException)):
            self.ask("PUT", "/p", BODY)
        self.assertNotIn("/p", {path for path, body in self.upstream.store.items() if body == BODY})
        self.assertEqual(self.faults(), ["reset"])

    def test_lost_answer(self):
        self.rules({"fault": "reset", "at": "head", "method": "PUT", "times": 1})
        with self.assertRaises((OSError, http.client.HTTPException)):
            self.ask("PUT", "/p", b"done")
        self.assertEqual(self.upstream.store["/p"], b"done")

    def test_truncate(self):
        self.rules({"fault": "truncate", "at": 100, "times": 1})
        with self.assertRaises(http.client.IncompleteRead) as caught:
            self.ask()
        self.assertEqual(len(caught.exception.partial), 100)
        self.connection.close()
        self.rules({"fault": "truncate", "at": 100, "length": "right", "times": 1})
        self.assertEqual(self.ask()[1], BODY[:100])
        self.assertEqual(self.ask()[1], BODY)

    def test_truncate_chunked(self):
        self.rules({"fault": "truncate", "at": 1500, "times": 1})
        with self.assertRaises(http.client.IncompleteRead):
            self.ask(path="/chunked")
        self.connection.close()
        self.rules({"fault": "truncate", "at": 1500, "length": "right", "times": 1})
        self.assertEqual(self.ask(path="/chunked")[1], BODY[:1500])

    def test_truncated_request(self):
        self.rules({"fault": "truncate", "side": "request", "at": 10, "length": "right"})
        self.assertEqual(self.ask("PUT", "/p", BODY)[0], 201)
        self.assertEqual(self.upstream.store["/p"], BODY[:10])

    def test_flip(self):
        self.rules({"fault": "flip", "at": 70000, "mask": 128, "times": 1})
        changed = self.ask()[1]
        self.assertEqual([i for i in range(len(BODY)) if changed[i] != BODY[i]], [70000])
        self.rules({"fault": "flip", "at": 3, "side": "request"})
        self.ask("PUT", "/p", b"abcdef")
        self.assertEqual(self.upstream.store["/p"], b"abceef")

    def test_wrong_length(self):
        self.rules({"fault": "length", "add": 5, "times": 1})
        with self.assertRaises(http.client.IncompleteRead):
            self.ask()
        self.connection.close()
        self.rules({"fault": "length", "add": -5, "times": 1})
        self.assertEqual(self.ask()[1], BODY[:-5])

    def test_status(self):
        self.rules({"fault": "status", "status": 503, "retry_after": 2, "method": "PUT",
                    "body": "<Error/>", "headers": {"x-ms-error-code": "ServerBusy"}, "times": 1})
        status, body, answer = self.ask("PUT", "/p", BODY)
        self.assertEqual((status, body), (503, b"<Error/>"))
        self.assertEqual(answer.headers["Retry-After"], "2")
        self.assertEqual(answer.headers["x-ms-error-code"], "ServerBusy")
        self.assertNotIn("/p", self.upstream.store)
        self.assertEqual(self.ask("PUT", "/p", BODY)[0], 201)

    def test_status_after_the_deed(self):
        self.rules({"fault": "status", "status": 500, "ask": True, "method": "PUT", "times": 1})
        self.assertEqual(self.ask("PUT", "/p", b"done")[0], 500)
        self.assertEqual(self.upstream.store["/p"], b"done")

    def test_delay_and_hang(self):
        self.rules({"fault": "delay", "seconds": 0.3, "times": 1})
        start = time.monotonic()
        self.ask()
        self.assertGreater(time.monotonic() - start, 0.29)
        self.rules({"fault": "hang", "at": 10, "seconds": 0.3, "times": 1})
        start = time.monotonic()
        with self.assertRaises((OSError, http.client.HTTPException)):
            self.ask()
        self.assertGreater(time.monotonic() - start, 0.29)
        self.assertEqual(self.faults(), ["delay", "hang"])

    def test_stale_listing(self):
        self.rules({"fault": "stale", "path": "^/list", "skip": 2, "times": 1})
        self.assertEqual([self.ask(path="/list")[1] for _ in range(4)],
                         [b"page 1", b"page 2", b"page 2", b"page 3"])
        self.assertEqual(self.faults(), ["stale"])

    def test_overwrite_while_reading(self):
        self.rules({"fault": "overwrite", "method": "GET", "at": 1000, "times": 1,
                    "put": {"size": len(BODY), "headers": {"x-ms-blob-type": "BlockBlob"}}})
        with self.assertRaises((OSError, http.client.HTTPException)):
            self.ask(path="/blob")
        self.assertEqual(self.upstream.store["/blob"], b"X" * len(BODY))
        self.assertEqual(self.upstream.seen[-1][2]["x-ms-blob-type"], "BlockBlob")
        self.assertEqual(self.proxy.state.faults[0]["detail"], {"at": 1000, "status": 201})
        self.connection.close()
        self.rules({"fault": "overwrite", "method": "GET", "at": 5, "times": 1,
                    "put": {"target": "/other", "body": "new"}, "drop": False})
        self.assertEqual(self.ask(path="/blob")[1], b"X" * len(BODY))
        self.assertEqual(self.upstream.store["/other"], b"new")

    def test_choice(self):
        self.rules({"fault": "status", "status": 500, "path": "/y", "every": 3, "skip": 1})
        got = [self.ask(path="/y")[0] for _ in range(8)]
        self.assertEqual(got, [200, 500, 200, 200, 500, 200, 200, 500])
        self.rules({"fault": "status", "status": 500, "header": {"range": "=5-"}})
        self.assertEqual(self.ask()[0], 200)
        self.assertEqual(self.ask(headers={"Range": "bytes=5-"})[0], 500)
        self.rules({"fault": "status", "status": 500, "probability": 0.5})
        got = [self.ask()[0] for _ in range(40)]
        self.assertGreater(got.count(500), 8)
        self.assertGreater(got.count(200), 8)

    def test_a_body_too_short_leaves_the_fault(self):
        self.upstream.store["/short"] = b"abc"
        self.rules({"fault": "reset", "at": 1000, "times": 1})
        self.assertEqual(self.ask(path="/short")[1], b"abc")
        with self.assertRaises((OSError, http.client.HTTPException)):
            self.ask()
        self.assertEqual(len(self.faults()), 1)

    def test_bad_rules_are_refused(self):
        for spec in ({}, {"fault": "nonsense"}, {"fault": "reset", "path": "("}):
            with self.assertRaises(Exception):
                self.rules(spec)

    def test_program(self):
        with tempfile.TemporaryDirectory() as folder:
            log = os.path.join(folder, "log")
            rules = os.path.join(folder, "rules")
            with open(rules, "w", encoding="utf-8") as file:
                json.dump([{"fault": "status", "status": 429, "times": 1}], file)
            host, port = self.upstream.server_address
            process = subprocess.Popen(
                [os.path.join(HERE, "fault-proxy"), "--upstream", "%s:%d" % (host, port),
                 "--rules", rules, "--log", log], stdout=subprocess.PIPE)
            try:
                ports = json.loads(process.stdout.readline())
                url = "http://127.0.0.1:%d" % ports["listen"]
                control = "http://127.0.0.1:%d" % ports["control"]
                with self.assertRaises(urllib.error.HTTPError):
                    urllib.request.urlopen(url)
                self.assertEqual(urllib.request.urlopen(url).read(), BODY)
                with open(log, encoding="utf-8") as file:
                    self.assertEqual(json.loads(file.readline())["detail"], {"status": 429})
                request = urllib.request.Request(
                    control + "/rules", b'[{"fault": "delay", "seconds": 0}]', method="PUT")
                urllib.request.urlopen(request)
                urllib.request.urlopen(url)
                counts = json.load(urllib.request.urlopen(control + "/counts"))
                self.assertEqual(counts["rules"][0]["injected"], 1)
                self.assertEqual(counts["faults"], 2)
                bad = urllib.request.Request(control + "/rules", b"[{}]", method="PUT")
                with self.assertRaises(urllib.error.HTTPError):
                    urllib.request.urlopen(bad)
            finally:
                process.terminate()
                process.wait()
                process.stdout.close()


if __name__ == "__main__":
    unittest.main()
