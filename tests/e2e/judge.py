# SPDX-License-Identifier: EUPL-1.2
"""The stores of the beds as the tests use them: their lines in bascule.yaml, and what a foreign
reader (official SDKs, plain HTTP) finds in them."""
import hashlib
import json
import os
import pathlib
import urllib.error
import urllib.parse
import urllib.request

import kit
from kit import expect, need


def lines(output):
    return [json.loads(line) for line in output.decode().splitlines()]


class Azure:
    """The bed azurite."""
    name = "azure"

    def __init__(self):
        need("BED_AZURE_ENDPOINT", "NODE")

    def yaml(self, more="", name=None, endpoint=None):
        return ("  %s:\n    driver: azure\n    account: %s\n    key: {env: BED_AZURE_KEY}\n"
                "    endpoint: %s\n%s") % (name or self.name, os.environ["BED_AZURE_ACCOUNT"],
                                           endpoint or os.environ["BED_AZURE_ENDPOINT"], more)

    def upstream(self):
        return urllib.parse.urlsplit(os.environ["BED_AZURE_ENDPOINT"]).netloc

    def read(self, prefix=""):
        return lines(kit.node("judge.mjs", "azure-read", prefix))

    def fill(self, containers):
        """{container: [{name, body|size+seed, ...}]}; gives {(container, name): sha256}."""
        path = pathlib.Path("fill.json")
        path.write_text(json.dumps(containers))
        return {(o["container"], o["name"]): o["sha256"]
                for o in lines(kit.node("judge.mjs", "azure-fill", path))}

    def page(self, container, name, mib):
        return lines(kit.node("judge.mjs", "azure-page", container, name, mib))[0]

    def sas(self, permissions="rl", seconds=3600):
        """The account's URL with a SAS."""
        return lines(kit.node("judge.mjs", "azure-sas", permissions, seconds))[0]["url"]

    def wipe(self, prefix=""):
        kit.node("judge.mjs", "azure-wipe", prefix)


class S3:
    """The bed rgw, or the S3 face of Swift."""
    name = "s3"

    def __init__(self, bed="S3"):
        values = need(*["BED_%s_%s" % (bed, word) for word in
                        ("ENDPOINT", "REGION", "ACCESS_KEY", "SECRET_KEY")], "NODE")
        self.endpoint, self.region, self.access, self.secret = values[:4]
        os.environ.update(S3_ENDPOINT=self.endpoint, S3_REGION=self.region,
                          S3_ACCESS_KEY=self.access, S3_SECRET_KEY=self.secret)

    def yaml(self, more="", name=None, endpoint=None):
        return ("  %s:\n    driver: s3\n    endpoint: %s\n    region: %s\n"
                "    access_key: {env: S3_ACCESS_KEY}\n    secret_key: {env: S3_SECRET_KEY}\n%s") % (
                    name or self.name, endpoint or self.endpoint, self.region, more)

    def upstream(self):
        return urllib.parse.urlsplit(self.endpoint).netloc

    def read(self, prefix=""):
        return lines(kit.node("judge.mjs", "s3-read", prefix))

    def wipe(self, prefix):
        kit.node("judge.mjs", "s3-wipe", prefix)

    def make_versioned(self, bucket):
        kit.node("judge.mjs", "s3-versioned", bucket)

    def versions(self, bucket):
        """{name: [sha256 of each version, the oldest first]}; the last one must be the latest."""
        found = {}
        for line in lines(kit.node("judge.mjs", "s3-versions", bucket)):
            expect(not line.get("marker"), "a delete marker:", line)
            expect(line["latest"] == (line["name"] not in found), "not newest first:", line)
            found.setdefault(line["name"], []).insert(0, line["sha256"])
        return found

    def website(self, bucket):
        return lines(kit.node("judge.mjs", "s3-website", bucket))[0]


class Swift:
    """The bed swift (tempauth) or keystone, read over plain HTTP."""

    def __init__(self, keystone=False):
        self.keystone = keystone
        self.name = "keystone" if keystone else "swift"
        if keystone:
            need("BED_KEYSTONE_AUTH_URL")
        else:
            need("BED_SWIFT_AUTH_URL")

    def yaml(self, more="", name=None):
        if self.keystone:
            keys = {"auth_url": "AUTH_URL", "region": "REGION", "user": "USER", "project": "PROJECT",
                    "user_domain": "USER_DOMAIN", "project_domain": "PROJECT_DOMAIN"}
            text = "".join("    %s: %s\n" % (key, os.environ["BED_KEYSTONE_" + word])
                           for key, word in keys.items())
            text += "    password: {env: BED_KEYSTONE_PASSWORD}\n"
        else:
            text = ("    tempauth: true\n    auth_url: %s\n    user: %s\n"
                    "    password: {env: BED_SWIFT_KEY}\n") % (
                        os.environ["BED_SWIFT_AUTH_URL"], os.environ["BED_SWIFT_USER"])
        return "  %s:\n    driver: swift\n%s%s" % (name or self.name, text, more)

    def login(self):
        if not self.keystone:
            answer = urllib.request.urlopen(urllib.request.Request(
                os.environ["BED_SWIFT_AUTH_URL"], headers={
                    "X-Auth-User": os.environ["BED_SWIFT_USER"],
                    "X-Auth-Key": os.environ["BED_SWIFT_KEY"]}))
            return answer.headers["X-Storage-Url"], answer.headers["X-Auth-Token"]
        word = {key: os.environ["BED_KEYSTONE_" + key] for key in
                ("AUTH_URL", "REGION", "USER", "PASSWORD", "PROJECT", "USER_DOMAIN", "PROJECT_DOMAIN")}
        body = {"auth": {
            "identity": {"methods": ["password"], "password": {"user": {
                "name": word["USER"], "password": word["PASSWORD"],
                "domain": {"name": word["USER_DOMAIN"]}}}},
            "scope": {"project": {"name": word["PROJECT"], "domain": {"name": word["PROJECT_DOMAIN"]}}}}}
        answer = urllib.request.urlopen(urllib.request.Request(
            word["AUTH_URL"] + "/auth/tokens", json.dumps(body).encode(),
            {"Content-Type": "application/json"}))
        for service in json.load(answer)["token"]["catalog"]:
            for endpoint in service["endpoints"]:
                if (service["type"], endpoint["interface"], endpoint["region"]) == \
                        ("object-store", "public", word["REGION"]):
                    return endpoint["url"], answer.headers["X-Subject-Token"]
        raise kit.Failed("no object store in Keystone's catalogue")

    def ask(self, method, path="", query=""):
        url, token = self.session
        return urllib.request.urlopen(urllib.request.Request(
            url + path + query, method=method, headers={"X-Auth-Token": token}))

    def read(self, prefix=""):
        """Container lines and object lines, segments of large objects left out."""
        self.session = self.login()
        found = []
        for container in json.load(self.ask("GET", "", "?format=json&limit=9999&prefix=" + prefix)):
            held = container["name"]
            found.append({"container": held})
            marker = ""
            while True:
                page = json.load(self.ask("GET", "/" + urllib.parse.quote(held, safe=""),
                                          "?format=json&limit=1000&marker=" +
                                          urllib.parse.quote(marker, safe="")))
                if not page:
                    break
                found += [self.object(held, entry["name"]) for entry in page if "name" in entry]
                marker = page[-1]["name"]
        return found

    def object(self, container, name):
        answer = self.ask("GET", "/%s/%s" % (urllib.parse.quote(container, safe=""),
                                             urllib.parse.quote(name, safe="")))
        hash_, size = hashlib.sha256(), 0
        while piece := answer.read(1 << 20):
            hash_.update(piece)
            size += len(piece)
        expect(size == int(answer.headers["Content-Length"]), name, size, "bytes were read")
        words = {"type": "Content-Type", "encoding": "Content-Encoding",
                 "language": "Content-Language", "disposition": "Content-Disposition",
                 "cache": "Cache-Control"}
        return {"container": container, "name": name, "size": size, "sha256": hash_.hexdigest(),
                "headers": {k: answer.headers[v] for k, v in words.items() if answer.headers[v]},
                "metadata": {k[len("X-Object-Meta-"):].lower(): v for k, v in answer.headers.items()
                             if k.lower().startswith("x-object-meta-")},
                "slo": answer.headers.get("X-Static-Large-Object") is not None}

    def wipe(self, prefix):
        self.session = self.login()
        for container in json.load(self.ask("GET", "", "?format=json&limit=9999&prefix=" + prefix)):
            path = "/" + urllib.parse.quote(container["name"], safe="")
            while page := json.load(self.ask("GET", path, "?format=json&limit=1000")):
                for entry in page:
                    try:
                        self.ask("DELETE", path + "/" + urllib.parse.quote(entry["name"], safe=""))
                    except urllib.error.HTTPError as why:
                        expect(why.code == 404, "delete", entry["name"], why)
            self.ask("DELETE", path)


def hashes(found, own=False):
    """{(container, name): sha256} of what read() gave; own: bascule's reserved names as well."""
    return {(o["container"], o["name"]): o["sha256"] for o in found
            if "sha256" in o and (own or not o["name"].startswith(".bascule/")) and not o.get("snapshot")}
