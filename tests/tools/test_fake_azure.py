# SPDX-License-Identifier: EUPL-1.2
"""The fake Azure, asked by a client that signs by itself."""
import base64
import email.utils
import hashlib
import hmac
import http.client
import importlib.machinery
import importlib.util
import os
import resource
import sys
import time
import unittest
import urllib.parse
import xml.etree.ElementTree as tree

HERE = os.path.dirname(os.path.abspath(__file__))
KEY = base64.b64encode(b"k" * 64).decode()
OTHER = base64.b64encode(b"o" * 64).decode()


def load(name):
    loader = importlib.machinery.SourceFileLoader(name.replace("-", "_"), os.path.join(HERE, name))
    module = importlib.util.module_from_spec(
        importlib.util.spec_from_loader(loader.name, loader))
    sys.dont_write_bytecode = True
    loader.exec_module(module)
    return module


fake_azure = load("fake-azure")
from fakeazure import crc64, model  # noqa: E402

SEED = {
    "accounts": {"acct": {
        "keys": [KEY], "versioning": False, "soft_delete_days": 7,
        "cors": [{"origins": "*", "methods": "GET", "headers": "", "exposed": "", "max_age": 60}],
        "website": {"index": "index.html"},
        "containers": {
            "c": {"metadata": {"Owner": "me"}, "policies": [
                {"id": "p1", "expiry": "2100-01-01T00:00:00Z", "permission": "r"}],
                "immutability": {"policy": True, "legal_hold": True},
                "blobs": [
                    {"name": "plain", "body": "hello world", "metadata": {"Key_A": "1"},
                     "tags": {"t": "v"}, "content": {"type": "text/plain", "md5": "right"}},
                    {"name": "wrong", "body": "hello", "content": {"md5": "wrong"}},
                    {"name": "cold", "body": "ice", "tier": "Archive", "wakes_after_polls": 2},
                    {"name": "odd\x01\ufffe&<", "body": "x"},
                    {"name": "dir/a", "body": "1"}, {"name": "dir/b", "body": "2"},
                    {"name": "gone", "body": "was", "deleted": True},
                    {"name": "held", "body": "h", "legal_hold": True,
                     "immutable_until": "Fri, 01 Jan 2100 00:00:00 GMT",
                     "immutable_mode": "locked"},
                    {"name": "shifty", "body": "first",
                     "script": [{"after": {"list": 1}, "change": {"body": "second"}},
                                {"after": {"get": 2}, "delete": True}]},
                    {"name": "pages", "size": 4096, "type": "PageBlob",
                     "pages": [[0, 512], [1024, 2048]]},
                    {"name": "big", "size": 6 * 1024 * 1024, "fill": "abc"}]},
            "open": {"access": "blob", "blobs": [{"name": "x", "body": "public"}]},
            "many": {"generate": {"count": 1000000, "size": 64, "md5": True}}}},
        "hist": {"keys": [KEY], "versioning": True, "hns": True, "containers": {"c": {"blobs": [
            {"name": "v", "body": "three", "versions": [{"body": "one"}, {"body": "two"}],
             "hns": {"owner": "o", "group": "g", "permissions": "rwxr-x---",
                     "acl": "user::rwx,group::r-x,other::---"}},
            {"name": "d", "versions_only": True, "versions": [{"body": "old"}]}]}}}}}


class FakeAzureTest(unittest.TestCase):
    def setUp(self):
        self.fake = fake_azure.Fake(SEED).start()
        self.connection = http.client.HTTPConnection("127.0.0.1", self.fake.port, timeout=20)

    def tearDown(self):
        self.connection.close()
        self.fake.close()

    def sign(self, method, target, headers, body, key, account):
        path, _, query = target.partition("?")
        standard = {"content-length": str(len(body)) if body else ""}
        standard.update({k.lower(): v for k, v in headers.items() if k.lower()[:5] != "x-ms-"})
        order = ["content-encoding", "content-language", "content-length", "content-md5",
                 "content-type", "date", "if-modified-since", "if-match", "if-none-match",
                 "if-unmodified-since", "range"]
        own = sorted((k.lower(), v) for k, v in headers.items() if k.lower()[:5] == "x-ms-")
        text = "\n".join([method] + [standard.get(name, "") for name in order]
                         + ["%s:%s" % pair for pair in own])
        text += "\n/%s%s" % (account, path)
        pairs = urllib.parse.parse_qsl(query, keep_blank_values=True)
        for name, value in sorted((k.lower(), v) for k, v in pairs):
            text += "\n%s:%s" % (name, value)
        mac = hmac.new(base64.b64decode(key), text.encode(), hashlib.sha256).digest()
        return "SharedKey %s:%s" % (account, base64.b64encode(mac).decode())

    def ask(self, method, target, body=b"", headers=None, key=KEY, account="acct", ahead=0):
        headers = dict(headers or {})
        headers.setdefault("x-ms-version", "2021-12-02")
        headers.setdefault("x-ms-date", email.utils.formatdate(time.time() + ahead, usegmt=True))
        target = "/%s%s" % (account, target)
        if key:
            headers["Authorization"] = self.sign(method, target, headers, body, key, account)
        self.connection.request(method, target, body or None, headers)
        answer = self.connection.getresponse()
        return answer, answer.read()

    def expect(self, status, *arguments, **named):
        answer, body = self.ask(*arguments, **named)
        self.assertEqual(answer.status, status, body)
        return answer, body

    def listing(self, more="", account="acct", container="c"):
        _, body = self.expect(200, "GET", "/%s?restype=container&comp=list%s" % (container, more),
                              account=account)
        return tree.fromstring(body)

    def names(self, root):
        return [node.findtext("Name") for node in root.iter("Blob")]

    # ------------------------------------------------------------------ auth

    def test_signatures(self):
        self.expect(200, "GET", "/c/plain")
        answer, body = self.expect(403, "GET", "/c/plain", key=OTHER)
        self.assertEqual(answer.headers["x-ms-error-code"], "AuthenticationFailed")
        self.assertIn(b"<Code>AuthenticationFailed</Code>", body)
        self.expect(403, "GET", "/c/plain", ahead=-20 * 60)
        self.expect(401, "GET", "/c/plain", key=None)
        self.expect(200, "GET", "/open/x", key=None)
        self.expect(401, "PUT", "/open/y", b"1", {"x-ms-blob-type": "BlockBlob"}, key=None)

    def sas(self, **fields):
        q = {"sv": "2021-12-02", "ss": "b", "srt": "sco", "sp": "rl",
             "se": "2100-01-01T00:00:00Z"}
        q.update(fields)
        text = "\n".join(["acct", q["sp"], q["ss"], q["srt"], q.get("st", ""), q["se"], "", "",
                          q["sv"], ""]) + "\n"
        mac = hmac.new(base64.b64decode(KEY), text.encode(), hashlib.sha256).digest()
        q["sig"] = base64.b64encode(mac).decode()
        return urllib.parse.urlencode(q)

    def test_account_sas(self):
        self.expect(200, "GET", "/c/plain?" + self.sas(), key=None)
        _, body = self.expect(403, "GET", "/c/plain?" + self.sas(se="2020-01-01"), key=None)
        self.assertIn(b"Signature not valid in the specified time frame", body)
        answer, _ = self.expect(403, "PUT", "/c/p?" + self.sas(), b"1",
                                {"x-ms-blob-type": "BlockBlob"}, key=None)
        self.assertEqual(answer.headers["x-ms-error-code"], "AuthorizationPermissionMismatch")
        self.expect(403, "GET", "/c/plain?" + self.sas().replace("sp=rl", "sp=rwl"), key=None)
        self.expect(403, "GET", "/c/plain?" + self.sas(srt="c"), key=None)

    def test_service_sas_with_policy(self):
        fields = ["", "", "", "/blob/acct/c/plain", "p1", "", "", "2021-12-02", "b", "", "", "",
                  "", "", "", ""]
        mac = hmac.new(base64.b64decode(KEY), "\n".join(fields).encode(), hashlib.sha256).digest()
        query = urllib.parse.urlencode({"sv": "2021-12-02", "sr": "b", "si": "p1",
                                        "sig": base64.b64encode(mac).decode()})
        self.expect(200, "GET", "/c/plain?" + query, key=None)
        self.expect(403, "DELETE", "/c/plain?" + query, key=None)

    # --------------------------------------------------------------- reading

    def test_get_and_conditions(self):
        answer, body = self.expect(200, "GET", "/c/plain")
        self.assertEqual(body, b"hello world")
        self.assertEqual(answer.headers["x-ms-meta-Key_A"], "1")
        self.assertEqual(answer.headers["x-ms-tag-count"], "1")
        md5 = base64.b64encode(hashlib.md5(b"hello world").digest()).decode()
        self.assertEqual(answer.headers["Content-MD5"], md5)
        etag = answer.headers["ETag"]
        answer, body = self.expect(206, "GET", "/c/plain", headers={
            "x-ms-range": "bytes=6-", "If-Match": etag})
        self.assertEqual((body, answer.headers["Content-Range"]), (b"world", "bytes 6-10/11"))
        self.expect(412, "GET", "/c/plain", headers={"If-Match": '"0x1"'})
        self.expect(416, "GET", "/c/plain", headers={"x-ms-range": "bytes=99-"})
        answer, body = self.expect(404, "HEAD", "/c/none")
        self.assertEqual((body, answer.headers["x-ms-error-code"]), (b"", "BlobNotFound"))
        self.assertIsNone(answer.headers["Content-Type"])

    def test_checksums(self):
        self.assertEqual(crc64.crc64(b"123456789"), 0xAE8B14860A799888)
        self.assertEqual(base64.b64encode(crc64.crc64(b"Hello World").to_bytes(8, "little")),
                         b"YeJLfssylmU=")
        answer, body = self.expect(206, "GET", "/c/big", headers={
            "x-ms-range": "bytes=1-1000", "x-ms-range-get-content-crc64": "true"})
        self.assertEqual(base64.b64decode(answer.headers["x-ms-content-crc64"]),
                         crc64.crc64(body).to_bytes(8, "little"))
        answer, body = self.expect(206, "GET", "/c/big", headers={
            "x-ms-range": "bytes=1-1000", "x-ms-range-get-content-md5": "true"})
        self.assertEqual(base64.b64decode(answer.headers["Content-MD5"]),
                         hashlib.md5(body).digest())
        self.expect(400, "GET", "/c/big", headers={
            "x-ms-range": "bytes=0-4194304", "x-ms-range-get-content-crc64": "true"})

    def test_structured_body(self):
        answer, body = self.expect(206, "GET", "/c/big", headers={
            "x-ms-range": "bytes=0-99999", "x-ms-structured-body": "XSM/1.0; properties=crc64"})
        self.assertEqual(answer.headers["x-ms-structured-content-length"], "100000")
        self.assertEqual(crc64.unstructured(body), (b"abc" * 40000)[:100000])
        with self.assertRaises(ValueError):
            crc64.unstructured(body[:50] + b"!" + body[51:])
        self.expect(201, "PUT", "/c/s", crc64.structured(b"framed"), {
            "x-ms-blob-type": "BlockBlob", "x-ms-structured-body": "XSM/1.0; properties=crc64",
            "x-ms-structured-content-length": "6"})
        self.assertEqual(self.ask("GET", "/c/s")[1], b"framed")

    def test_wrong_stored_md5(self):
        answer, body = self.expect(200, "GET", "/c/wrong")
        self.assertEqual(body, b"hello")
        self.assertEqual(base64.b64decode(answer.headers["Content-MD5"]), b"\xff" * 16)

    def test_secondary(self):
        self.expect(200, "GET", "/c/plain", account="acct")
        target = "/acct-secondary/c/plain"
        headers = {"x-ms-version": "2021-12-02",
                   "x-ms-date": email.utils.formatdate(usegmt=True)}
        headers["Authorization"] = self.sign("GET", target, headers, b"", KEY, "acct")
        self.connection.request("GET", target, headers=headers)
        answer = self.connection.getresponse()
        self.assertEqual((answer.status, answer.read()), (200, b"hello world"))

    # --------------------------------------------------------------- listing

    def test_listing(self):
        root = self.listing("&include=metadata,tags")
        names = self.names(root)
        self.assertIn("plain", names)
        self.assertNotIn("gone", names)
        odd = [n for n in root.iter("Name") if n.get("Encoded") == "true"]
        self.assertEqual(urllib.parse.unquote(odd[0].text), "odd\x01\ufffe&<")
        plain = next(b for b in root.iter("Blob") if b.findtext("Name") == "plain")
        self.assertEqual(plain.findtext("Metadata/Key_A"), "1")
        self.assertEqual(plain.findtext("Tags/TagSet/Tag/Value"), "v")
        self.assertFalse(plain.findtext("Properties/Etag").startswith('"'))
        root = self.listing("&delimiter=%2F")
        self.assertEqual([n.findtext("Name") for n in root.iter("BlobPrefix")], ["dir/"])

    def test_pages_of_a_listing(self):
        seen, marker = [], ""
        while True:
            root = self.listing("&maxresults=3&marker=" + urllib.parse.quote(marker, safe=""))
            seen += [urllib.parse.unquote(n.text) for n in root.iter("Name")]
            marker = root.findtext("NextMarker") or ""
            if not marker:
                break
        self.assertEqual(len(seen), len(set(seen)))
        self.assertEqual(seen, sorted(seen))
        self.assertEqual(len(seen), 10)

    def test_generated_listing_needs_no_memory(self):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        root = self.listing("&marker=000500%2Fobject-000500000&maxresults=5000", container="many")
        names = self.names(root)
        self.assertEqual((len(names), names[0]), (5000, "000500/object-000500000"))
        root = self.listing("&delimiter=%2F&maxresults=10", container="many")
        self.assertEqual(len(list(root.iter("BlobPrefix"))), 10)
        root = self.listing("&prefix=000999%2F", container="many")
        self.assertEqual(self.names(root)[-1], "000999/object-000999999")
        self.assertEqual(root.findtext("NextMarker"), "")
        answer, body = self.expect(200, "GET", "/many/000999/object-000999999")
        self.assertEqual(body, b"000000000999999\n" * 4)
        self.assertEqual(base64.b64decode(answer.headers["Content-MD5"]),
                         hashlib.md5(body).digest())
        self.expect(404, "GET", "/many/000999/object-001000000")
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        self.assertLess(after - before, 100 * 1024)

    # --------------------------------------------------------------- history

    def test_versions(self):
        root = self.listing("&include=versions", account="hist")
        states = [(b.findtext("Name"), b.findtext("IsCurrentVersion")) for b in root.iter("Blob")]
        self.assertEqual(states, [("d", None), ("v", None), ("v", None), ("v", "true")])
        first = [b.findtext("VersionId") for b in root.iter("Blob")][1]
        _, body = self.expect(200, "GET", "/c/v?versionid=" + urllib.parse.quote(first),
                              account="hist")
        self.assertEqual(body, b"one")
        self.expect(404, "GET", "/c/d", account="hist")
        self.expect(201, "PUT", "/c/v", b"four", {"x-ms-blob-type": "BlockBlob"}, account="hist")
        self.expect(202, "DELETE", "/c/v", account="hist")
        root = self.listing("&include=versions", account="hist")
        self.assertEqual(self.names(root), ["d", "v", "v", "v", "v"])

    def test_soft_delete(self):
        root = self.listing("&include=deleted")
        gone = next(b for b in root.iter("Blob") if b.findtext("Name") == "gone")
        self.assertEqual(gone.findtext("Deleted"), "true")
        self.assertEqual(gone.findtext("Properties/RemainingRetentionDays"), "7")
        self.expect(404, "GET", "/c/gone")
        self.expect(200, "PUT", "/c/gone?comp=undelete")
        self.assertEqual(self.expect(200, "GET", "/c/gone")[1], b"was")

    def test_snapshots(self):
        answer, _ = self.expect(201, "PUT", "/c/plain?comp=snapshot")
        stamp = answer.headers["x-ms-snapshot"]
        self.expect(201, "PUT", "/c/plain", b"new", {"x-ms-blob-type": "BlockBlob"})
        _, body = self.expect(200, "GET", "/c/plain?snapshot=" + urllib.parse.quote(stamp))
        self.assertEqual(body, b"hello world")
        answer, _ = self.expect(409, "DELETE", "/c/plain")
        self.assertEqual(answer.headers["x-ms-error-code"], "SnapshotsPresent")
        self.expect(202, "DELETE", "/c/plain", headers={"x-ms-delete-snapshots": "include"})

    def test_immutability(self):
        answer, _ = self.expect(200, "HEAD", "/c/held")
        self.assertEqual(answer.headers["x-ms-legal-hold"], "true")
        self.assertEqual(answer.headers["x-ms-immutability-policy-mode"], "locked")
        self.expect(409, "DELETE", "/c/held")
        root = self.listing("&prefix=held&include=immutabilitypolicy,legalhold")
        self.assertEqual(next(root.iter("LegalHold")).text, "true")
        self.assertEqual(next(root.iter("ImmutabilityPolicyMode")).text, "locked")
        answer, _ = self.expect(200, "HEAD", "/c?restype=container")
        self.assertEqual(answer.headers["x-ms-has-legal-hold"], "true")

    def test_archive_wakes(self):
        answer, _ = self.expect(409, "GET", "/c/cold")
        self.assertEqual(answer.headers["x-ms-error-code"], "BlobArchived")
        self.expect(202, "PUT", "/c/cold?comp=tier", headers={"x-ms-access-tier": "Hot"})
        answer, _ = self.expect(200, "HEAD", "/c/cold")
        self.assertEqual(answer.headers["x-ms-archive-status"], "rehydrate-pending-to-hot")
        self.expect(409, "GET", "/c/cold")
        answer, _ = self.expect(200, "HEAD", "/c/cold")
        self.assertIsNone(answer.headers["x-ms-archive-status"])
        self.assertEqual(self.expect(200, "GET", "/c/cold")[1], b"ice")

    def test_script(self):
        root = self.listing("&prefix=shifty")
        listed = root.findtext("Blobs/Blob/Properties/Etag")
        self.expect(412, "GET", "/c/shifty", headers={"If-Match": '"%s"' % listed})
        self.assertEqual(self.expect(200, "GET", "/c/shifty")[1], b"second")
        self.assertEqual(self.expect(200, "GET", "/c/shifty")[1], b"second")
        self.expect(404, "GET", "/c/shifty")

    def test_hierarchical(self):
        answer, _ = self.expect(200, "HEAD", "/c/v", account="hist")
        self.assertEqual(answer.headers["x-ms-acl"], "user::rwx,group::r-x,other::---")
        root = self.listing("&include=permissions", account="hist")
        self.assertEqual(next(root.iter("Acl")).text, "user::rwx,group::r-x,other::---")

    # --------------------------------------------------------------- writing

    def test_blocks(self):
        ids = [base64.b64encode(b"%04d" % i).decode() for i in range(3)]
        for number, block in enumerate(ids):
            self.expect(201, "PUT", "/c/b?comp=block&blockid=" + urllib.parse.quote(block),
                        b"part%d" % number)
        self.expect(404, "GET", "/c/b")
        xml = "<BlockList>%s</BlockList>" % "".join("<Latest>%s</Latest>" % i for i in ids)
        self.expect(201, "PUT", "/c/b?comp=blocklist", xml.encode(), {"x-ms-meta-A_b": "1"})
        answer, body = self.expect(200, "GET", "/c/b")
        self.assertEqual((body, answer.headers["x-ms-meta-A_b"]), (b"part0part1part2", "1"))
        self.assertEqual(self.expect(206, "GET", "/c/b", headers={"x-ms-range": "bytes=3-7"})[1],
                         b"t0par")
        answer, _ = self.expect(400, "PUT", "/c/b?comp=blocklist",
                                b"<BlockList><Latest>bm9uZQ==</Latest></BlockList>")
        self.assertEqual(answer.headers["x-ms-error-code"], "InvalidBlockList")

    def test_damaged_bodies_are_refused(self):
        headers = {"x-ms-blob-type": "BlockBlob", "Content-MD5": "AAAAAAAAAAAAAAAAAAAAAA=="}
        answer, _ = self.expect(400, "PUT", "/c/n", b"x", headers)
        self.assertEqual(answer.headers["x-ms-error-code"], "Md5Mismatch")
        headers = {"x-ms-blob-type": "BlockBlob", "x-ms-content-crc64": "AAAAAAAAAAA="}
        answer, _ = self.expect(400, "PUT", "/c/n", b"x", headers)
        self.assertEqual(answer.headers["x-ms-error-code"], "Crc64Mismatch")
        answer, _ = self.expect(409, "PUT", "/c/plain", b"x", {
            "x-ms-blob-type": "BlockBlob", "If-None-Match": "*"})
        self.assertEqual(answer.headers["x-ms-error-code"], "BlobAlreadyExists")

    def test_pages_and_appends(self):
        _, body = self.expect(200, "GET", "/c/pages?comp=pagelist")
        ranges = [(int(n.findtext("Start")), int(n.findtext("End")))
                  for n in tree.fromstring(body).iter("PageRange")]
        self.assertEqual(ranges, [(0, 511), (1024, 2047)])
        self.expect(201, "PUT", "/c/pages?comp=page", b"p" * 512, {
            "x-ms-page-write": "update", "x-ms-range": "bytes=512-1023"})
        _, body = self.expect(200, "GET", "/c/pages?comp=pagelist")
        self.assertEqual(body.count(b"<PageRange>"), 1)
        self.expect(201, "PUT", "/c/log", b"", {"x-ms-blob-type": "AppendBlob"})
        self.expect(201, "PUT", "/c/log?comp=appendblock", b"one")
        self.expect(201, "PUT", "/c/log?comp=appendblock", b"two",
                    {"x-ms-blob-condition-appendpos": "3"})
        self.expect(412, "PUT", "/c/log?comp=appendblock", b"two",
                    {"x-ms-blob-condition-appendpos": "3"})
        self.assertEqual(self.expect(200, "GET", "/c/log")[1], b"onetwo")

    def test_account_and_container_settings(self):
        _, body = self.expect(200, "GET", "/?restype=service&comp=properties")
        self.assertIn(b"<AllowedOrigins>*</AllowedOrigins>", body)
        self.assertIn(b"<IndexDocument>index.html</IndexDocument>", body)
        _, body = self.expect(200, "GET", "/c?restype=container&comp=acl")
        self.assertIn(b"<Id>p1</Id>", body)
        answer, _ = self.expect(200, "GET", "/c?restype=container")
        self.assertEqual(answer.headers["x-ms-meta-Owner"], "me")
        _, body = self.expect(200, "GET", "/?comp=list&include=metadata")
        self.assertEqual([n.findtext("Name") for n in tree.fromstring(body).iter("Container")],
                         ["c", "many", "open"])
        self.expect(201, "PUT", "/new?restype=container")
        self.expect(409, "PUT", "/new?restype=container")
        self.expect(202, "DELETE", "/new?restype=container")
        self.expect(404, "GET", "/new?restype=container&comp=list")
        _, body = self.expect(200, "GET", "/c/plain?comp=tags")
        self.assertIn(b"<Key>t</Key><Value>v</Value>", body)

    def test_wrong_clock(self):
        fake = fake_azure.Fake(dict(SEED, clock_ahead=3600)).start()
        connection = http.client.HTTPConnection("127.0.0.1", fake.port, timeout=20)
        self.connection, old = connection, self.connection
        answer, _ = self.expect(403, "GET", "/c/plain")
        there = email.utils.parsedate_to_datetime(answer.headers["Date"]).timestamp()
        self.assertGreater(there - time.time(), 3500)
        self.expect(200, "GET", "/c/plain", ahead=3600)
        connection.close()
        fake.close()
        self.connection = old


class BodyTest(unittest.TestCase):
    def test_joined_bodies(self):
        whole = b"".join(bytes([i]) * i for i in range(1, 30))
        body = model.Joined([model.Bytes(bytes([i]) * i) for i in range(1, 30)])
        self.assertEqual(len(body), len(whole))
        for start in range(0, len(whole), 13):
            for end in (start, start + 1, start + 50, len(whole)):
                end = min(end, len(whole))
                self.assertEqual(body.part(start, end), whole[start:end])

    def test_pattern(self):
        body = model.Pattern(1000, "abc")
        self.assertEqual(body.part(1, 8), b"bcabcab")


if __name__ == "__main__":
    unittest.main()
