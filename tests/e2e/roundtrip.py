# SPDX-License-Identifier: EUPL-1.2
"""The sample account of the bed azurite, to a store and back: what the tests of each target share."""
import json
import pathlib
import subprocess
import sys

import judge
import kit
from kit import equal, expect, move, moved, run

BIG = "40"
MAPPED = {"$root": "e2e-root", "$web": "e2e-web"}
OWN = ["names", "documents", "media", "shared-with-partners", "empty-container", "e2e-root", "e2e-web"]


def sample(azure):
    """A fresh sample account: its manifest, and what the SDK reads of it."""
    azure.wipe()
    (program,) = kit.need("NODE")
    subprocess.run([program, str(kit.ROOT / "tests/beds/sample-account.mjs"), "--big", BIG,
                    "--manifest", "manifest.json"], check=True, stdout=sys.stderr)
    return json.loads(pathlib.Path("manifest.json").read_text()), azure.read()


def mapping():
    return "    containers: {%s}\n" % ", ".join('"%s": %s' % item for item in MAPPED.items())


def wanted_hashes(manifest, mapped):
    return {(mapped.get(o["container"], o["container"]), o["name"]): o["sha256"] for o in manifest}


def plain(lines, before=None):
    """What a way out and back must restore: everything but dates and snapshots.  A stored MD5 that
    was wrong comes back right; Azurite makes one up for small blobs that had none."""
    kept = {}
    for line in lines:
        line = json.loads(json.dumps(line))
        key = (line["container"], line.get("name", ""))
        if line.get("snapshot") or key[1] == ".bascule/container.json":
            continue
        if key[1] == "wrong-md5.bin" or "md5" not in (before or lines_by_key(lines)).get(
                key, {}).get("headers", {}):
            line.get("headers", {}).pop("md5", None)
        # A blob can lose its Content-Type only by a later change; a new one has at least this.
        if "headers" in line:
            line["headers"].setdefault("type", "application/octet-stream")
        kept[key] = line
    return kept


def lines_by_key(lines):
    return {(line["container"], line.get("name", "")): line for line in lines
            if not line.get("snapshot")}


def check_findings(manifest):
    found = kit.findings()
    wrong = found.get("stored_md5_wrong", [])
    equal(len(wrong), 1, "findings stored_md5_wrong %s:" % wrong)
    for text in wrong:
        expect("07" * 16 in text, text)
    rows = kit.ledger("SELECT o.name FROM finding f JOIN object o ON o.id = f.object "
                      "WHERE f.kind = 'stored_md5_wrong'")
    equal(rows, [(b"wrong-md5.bin",)])


def wipe(store):
    for name in OWN:
        store.wipe(name)


def out_and_back(store, mapped, judge_target):
    azure = judge.Azure()
    manifest, before = sample(azure)
    yaml = store.yaml(mapping() if mapped else "")
    kit.configure("stores:\n" + azure.yaml() + yaml)
    # $logs does not exist here; what is listed is what the manifest says.
    end = move("azure:", store.name + ":")
    moved(end, moved=len(manifest))
    judge_target(manifest)
    check_findings(manifest)
    moved(move("azure:", store.name + ":"), already=len(manifest))
    run("verify", "azure:", store.name + ":")
    run("verify", end["name"])
    plan = json.loads(run("plan", "--json", "azure:", store.name + ":").out)
    equal(plan["current"]["objects"], len(manifest))
    equal(plan["snapshots"]["objects"], 2)
    equal(plan["page"]["objects"], 1)
    equal(plan["append"]["objects"], 1)
    azure.wipe()
    back = "".join('"%s": "%s", ' % (b, a) for a, b in MAPPED.items()) if mapped else ""
    kit.configure("stores:\n" + azure.yaml("    containers: {%s}\n" % back) + store.yaml())
    for name in OWN if mapped else [None]:
        # Other tests' buckets are none of ours.
        if name:
            result = kit.run("move", "--json", "%s:%s" % (store.name, name), "azure:" +
                             {b: a for a, b in MAPPED.items()}.get(name, name))
            kit.check_identity(result.end["objects"])
        else:
            move(store.name + ":", "azure:")
    after = azure.read()
    wanted = plain(before)
    kit.same(plain(after, wanted), wanted, "after the way back:")


def property_faults(manifest, found, holds):
    """Headers, metadata and tags the target itself shows, against the manifest."""
    faults = []
    by_key = {(o["container"], o["name"]): o for o in found if "name" in o}
    words = {"blobContentType": "type", "blobContentEncoding": "encoding",
             "blobContentLanguage": "language", "blobContentDisposition": "disposition",
             "blobCacheControl": "cache"}
    for wanted in manifest:
        there = by_key.get((MAPPED.get(wanted["container"], wanted["container"]), wanted["name"]))
        if not there:
            faults.append((wanted["name"][:40], "is not there"))
            continue
        for key, value in (wanted.get("headers") or {}).items():
            if words[key] in holds and there["headers"].get(words[key]) != value:
                faults.append((wanted["name"], key, there["headers"].get(words[key]), value))
        for key, value in (wanted.get("metadata") or {}).items():
            # Swift's header names have no underscore, and it drops what is empty.
            held = {k.replace("_", "-"): v for k, v in there["metadata"].items()}
            if held.get(key.lower().replace("_", "-"), "") != value:
                faults.append((wanted["name"], key, there["metadata"], value))
        if "tags" in holds and (wanted.get("tags") or {}) != there["tags"]:
            faults.append((wanted["name"], there["tags"], wanted.get("tags")))
    return faults


def judge_remote(store, holds):
    def judge_target(manifest):
        found = [o for name in OWN for o in store.read(name)
                 if not o["container"].endswith("_segments")]
        kit.same(judge.hashes(found), wanted_hashes(manifest, MAPPED))
        faults = property_faults(manifest, found, holds)
        expect(not faults, faults)
        expect(not [o for o in found if "upload" in o], "uploads were left")
    return judge_target


HEADERS = {"type", "encoding", "language", "disposition", "cache"}
