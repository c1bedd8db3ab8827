# SPDX-License-Identifier: EUPL-1.2
"""What the end-to-end tests share: running bascule, foreign readers, the lines that count.

A test file defines functions and ends with kit.main():

    @kit.test("a second run moves nothing")
    def _():
        ...

Each function runs in an empty folder of its own that is also its HOME.  kit.expect(condition,
words...) fails it; kit.skip(why) leaves it out.  Nothing here asks bascule whether bascule was right.
"""
import contextlib
import hashlib
import json
import os
import pathlib
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
ROOT = pathlib.Path(os.environ.get("BASCULE_SOURCE", HERE.parent.parent)).resolve()
BASCULE = os.environ.get("BASCULE", str(ROOT / "build/src/cli/bascule"))
TOOLS = ROOT / "tests/tools"
PROGRAM = os.path.abspath(sys.argv[0])
MIB = 1024 * 1024
BROKEN = ("AddressSanitizer", "LeakSanitizer", "runtime error:", "Assertion", "assertion")

tests = []


class Failed(Exception):
    pass


class Skip(Exception):
    pass


def test(name):
    def add(function):
        tests.append((name, function))
        return function
    return add


def expect(condition, *words):
    if not condition:
        raise Failed(" ".join(str(word) for word in words) or "not so")


def equal(found, wanted, what=""):
    expect(found == wanted, what, "found", short(found), "instead of", short(wanted))


def short(value, most=400):
    text = repr(value)
    return text if len(text) <= most else text[:most] + "..."


def skip(why):
    raise Skip(why)


def need(*variables):
    """The values of environment variables a bed sets; without them the test is left out."""
    missing = [name for name in variables if not os.environ.get(name)]
    if missing:
        skip("%s is not set: no such bed" % missing[0])
    return [os.environ[name] for name in variables]


def main():
    """Run all, or those whose names contain an argument."""
    wanted = [word for word in sys.argv[1:] if not word.startswith("-")]
    top = pathlib.Path(tempfile.mkdtemp(prefix="e2e-"))
    failures = 0
    for number, (name, function) in enumerate(tests):
        if wanted and not any(word in name for word in wanted):
            continue
        folder = top / str(number)
        folder.mkdir()
        os.chdir(folder)
        os.environ["HOME"] = str(folder)
        began = time.monotonic()
        try:
            with contextlib.ExitStack() as stack:
                running.append(stack)
                try:
                    function()
                finally:
                    running.pop()
            line = "ok " + name
        except Skip as why:
            line = "skip %s # %s" % (name, why)
        except (Failed, subprocess.TimeoutExpired) as why:
            failures += 1
            place = traceback.extract_tb(why.__traceback__)
            where = [f for f in place if f.filename == PROGRAM]
            line = "not ok %s # line %s: %s" % (name, where[-1].lineno if where else "?",
                                                str(why).replace("\n", " | ")[:3000])
        except Exception:
            failures += 1
            line = "not ok %s # %s" % (name, traceback.format_exc().replace("\n", " | "))
        print(line, flush=True)
        print("    %.1f s" % (time.monotonic() - began), file=sys.stderr, flush=True)
        os.chdir(top)
        if not os.environ.get("E2E_KEEP"):
            shutil.rmtree(folder, ignore_errors=True)
    os.chdir("/")
    if not os.environ.get("E2E_KEEP"):
        shutil.rmtree(top, ignore_errors=True)
    sys.exit(1 if failures else 0)


running = []


def at_end(function, *arguments):
    """Call this when the running test ends, whatever its outcome."""
    running[-1].callback(function, *arguments)


# ---------------------------------------------------------------- bascule

class Result:
    def __init__(self, arguments, code, out, err):
        self.arguments, self.code, self.out, self.err = arguments, code, out, err

    @property
    def end(self):
        """The last line of JSON: how a move or verification ended."""
        lines = [line for line in self.out.splitlines() if line.startswith("{")]
        expect(lines, "no JSON on standard output of", self)
        return json.loads(lines[-1])

    def complaint(self):
        """The one line on standard error, besides those of the display."""
        lines = [line for line in self.err.splitlines()
                 if line.strip() and not re.match(r"\d+ of \d+\+? objects", line)]
        expect(len(lines) == 1 and lines[0].startswith("bascule: "),
               "not one clear line on standard error:", self)
        return lines[0][len("bascule: "):]

    def __str__(self):
        return "bascule %s: exit %s; out: %s; err: %s" % (
            " ".join(self.arguments), self.code, self.out[-700:], self.err[-1500:])


def start(*arguments, env=None, **options):
    arguments = [str(a) for a in arguments]
    process = subprocess.Popen([BASCULE] + arguments, env={**os.environ, **(env or {})},
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, **options)
    at_end(stop, process)
    return process


def stop(process):
    if process.poll() is None:
        process.kill()
        process.communicate()


def finish(process, timeout=300):
    try:
        out, err = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        raise Failed("no end after %s s: %s; err: %s" % (timeout, process.args,
                                                         err.decode(errors="replace")[-1500:]))
    result = Result(process.args[1:], process.returncode, out.decode(errors="surrogateescape"),
                    err.decode(errors="surrogateescape"))
    for word in BROKEN:
        at = result.err.find(word)
        expect(at < 0, "a fault of the program itself:", result.err[max(0, at - 200):at + 2500])
    return result


def run(*arguments, code=0, env=None, timeout=300, **options):
    """Run bascule to its end; code: what it must exit with, None for whatever."""
    result = finish(start(*arguments, env=env, **options), timeout)
    expect(code is None or result.code == code or (isinstance(code, tuple) and result.code in code),
           "exit code should be", code, "but", result)
    return result


def move(*arguments, **options):
    """bascule move --json; its end, with the identity checked.  The Result is end['result']."""
    result = run("move", "--json", *arguments, **options)
    end = result.end
    check_identity(end["objects"])
    end["result"] = result
    return end


def check_identity(objects):
    settled = sum(objects[word] for word in ("moved", "already", "vanished", "refused", "failed",
                                             "pending", "waiting"))
    equal(settled, objects["listed"], "the identity: settled")


def moved(end, **wanted):
    """Whether a move's counts are these; those not named must be 0."""
    counts = {word: n for word, n in end["objects"].items() if n and word != "listed"}
    equal(counts, {word: n for word, n in wanted.items() if n}, "counts:")


LEDGER = ".local/state/bascule/ledger.db"


def ledger(query, *values, path=None):
    """Rows of a SQLite ledger, read with Python's own SQLite."""
    base = sqlite3.connect("file:%s?mode=ro" % (path or LEDGER), uri=True, timeout=30)
    base.text_factory = bytes
    try:
        return base.execute(query, values).fetchall()
    finally:
        base.close()


def findings():
    """{kind: [text...]} of the ledger in the current folder."""
    found = {}
    for kind, text in ledger("SELECT kind, text FROM finding"):
        found.setdefault(kind.decode(), []).append(text.decode())
    return found


def configure(text, path="bascule.yaml"):
    pathlib.Path(path).write_text(text)
    return path


# ---------------------------------------------------------------- data

def noise(length, seed):
    return random.Random(str(seed)).randbytes(length)


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def sha256_of(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fill(folder, bodies):
    """{name: bytes} as ordinary files below a folder (names as they are)."""
    for name, body in bodies.items():
        path = pathlib.Path(folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body if isinstance(body, bytes) else body.encode())


# ---------------------------------------------------------------- the directory store, by its documentation

def escape(text):
    return text.replace(b"%", b"%25")


def component(segment, folder):
    """One segment of a name as docs/formats/file-store.md writes it."""
    plain = (0 < len(segment) <= 255 and segment not in (b".", b"..")
             and segment[:2] not in (b"%=", b"%-", b"%+"))
    if plain:
        return segment
    out = b""
    while len(escape(segment)) > 253:
        fit = 253
        while len(escape(segment[:fit])) > 253:
            fit -= 1
        while segment[fit] & 0xC0 == 0x80:
            fit -= 1
        out += b"%+" + escape(segment[:fit]) + b"/"
        segment = segment[fit:]
    return out + (b"%-" if folder else b"%=") + escape(segment)


def path_of(name, names=()):
    """Where a name lies in a directory store; names: the others of the container."""
    name = name.encode() if isinstance(name, str) else name
    segments = name.split(b"/")
    folders = [component(segment, True) for segment in segments[:-1]]
    leaf = component(segments[-1], False)
    beside = any((n.encode() if isinstance(n, str) else n).startswith(name + b"/") for n in names)
    if beside and leaf == segments[-1]:
        leaf = b"%=" + escape(segments[-1])
    return b"/".join(folders + [leaf])


def fill_store(root, container, bodies):
    """{name: bytes} as a directory store keeps them."""
    base = os.path.join(os.fsencode(root), container.encode())
    for name, body in bodies.items():
        path = os.path.join(base, path_of(name, bodies))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(body)


def name_of(path):
    """The name behind a path below the container."""
    name, segment = [], b""
    for part in path.split(b"/"):
        if part[:2] in (b"%=", b"%-", b"%+"):
            segment += part[2:].replace(b"%25", b"%")
            if part[:2] == b"%+":
                continue
            part = segment
        name.append(part)
        segment = b""
    return b"/".join(name)


def read_store(root, container=None):
    """{(container, name): sha256} of every object of a directory store, by walking it."""
    found = {}
    root = os.fsencode(root)
    for folder, folders, files in os.walk(root):
        if folder == root and b".bascule" in folders:
            folders.remove(b".bascule")
        for file in files:
            path = os.path.join(folder, file)
            held, _, rest = os.path.relpath(path, root).partition(b"/")
            name = name_of(rest)
            key = (held.decode(), name.decode(errors="surrogateescape"))
            expect(key not in found, "two files are", key)
            found[key] = sha256_of(path)
    return {k: v for k, v in found.items() if container in (None, k[0])}


def wanted_of(container, bodies):
    return {(container, name): sha256(body if isinstance(body, bytes) else body.encode())
            for name, body in bodies.items()}


def same(found, wanted, what=""):
    """Two {key: value} are equal; says what is missing, too much, other."""
    missing = [k for k in wanted if k not in found]
    extra = [k for k in found if k not in wanted]
    other = [(k, *differing(found[k], wanted[k])) for k in wanted
             if k in found and found[k] != wanted[k]]
    expect(not missing and not extra and not other, what, "missing:", short(missing),
           "too many:", short(extra), "different:", short(other))


def differing(found, wanted):
    """Two values, of maps only what differs."""
    if not isinstance(found, dict) or not isinstance(wanted, dict):
        return found, wanted
    keys = [k for k in {**found, **wanted} if found.get(k) != wanted.get(k)]
    return {k: found.get(k) for k in keys}, {k: wanted.get(k) for k in keys}


def no_leftovers(root, killed=False):
    """Nothing half done in a directory store: no uploads and no drafts.  A killed process may leave
    drafts and uploads that were only just begun; the store sweeps them later."""
    for kind in ("upload",) if killed else ("tmp", "upload"):
        folder = pathlib.Path(root) / ".bascule" / kind
        left = [str(p.relative_to(root)) for p in (folder.iterdir() if folder.exists() else ())
                if not (killed and (p / "body").exists() and (p / "body").stat().st_blocks == 0)]
        expect(not left, "left behind:", short(left))


def footprint(root):
    """{path: (inode, mtime)} of all files: equal means that nothing was written."""
    return {str(p.relative_to(root)): (p.stat().st_ino, p.stat().st_mtime_ns)
            for p in pathlib.Path(root).rglob("*") if p.is_file()}


# ---------------------------------------------------------------- programs beside

class Helper:
    """A test tool that says its ports in a line of JSON."""

    def __init__(self, *command):
        self.process = subprocess.Popen([sys.executable, "-B"] + [str(c) for c in command],
                                        stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        at_end(self.stop)
        line = self.process.stdout.readline()
        expect(line, "did not start:", command)
        self.ports = json.loads(line)

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Proxy(Helper):
    """tests/tools/fault-proxy in front of a server; says which faults really happened."""

    def __init__(self, upstream, rules=(), seed=1):
        self.log = pathlib.Path("faults-%d.jsonl" % time.monotonic_ns()).resolve()
        self.log.touch()
        rules_file = pathlib.Path("rules-%d.json" % time.monotonic_ns()).resolve()
        rules_file.write_text(json.dumps(list(rules)))
        super().__init__(TOOLS / "fault-proxy", "--listen", "127.0.0.1:0", "--upstream", upstream,
                         "--control", "127.0.0.1:0", "--rules", rules_file, "--log", self.log,
                         "--seed", seed)
        self.port = self.ports["listen"]

    def faults(self):
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def injected(self, fault=None):
        return sum(1 for f in self.faults() if fault in (None, f["fault"], f["rule"]))


class Fake(Helper):
    """tests/tools/fake-azure with a seed."""

    ACCOUNT = "devstoreaccount1"
    KEY = "a2V5IG9mIHRoZSBmYWtlIGFjY291bnQgZm9yIHRlc3Rz"

    def __init__(self, containers, **more):
        top = {k: more.pop(k) for k in ("clock_ahead", "crc64", "md5", "structured", "wrong_crc64")
               if k in more}
        seed = {"accounts": {self.ACCOUNT: {"keys": [self.KEY], "containers": containers, **more}},
                **top}
        path = pathlib.Path("seed-%d.json" % time.monotonic_ns()).resolve()
        path.write_text(json.dumps(seed))
        self.log = path.with_suffix(".log")
        self.log.touch()
        super().__init__(TOOLS / "fake-azure", "--seed", path, "--log", self.log)
        self.port = self.ports["listen"]

    def requests(self):
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def store(self, name="azure", port=None, more=""):
        """Its entry in bascule.yaml; the key is in the environment."""
        os.environ["FAKE_KEY"] = self.KEY
        return ("  %s:\n    driver: azure\n    account: %s\n    key: {env: FAKE_KEY}\n"
                "    endpoint: http://127.0.0.1:%d/%s\n%s") % (
                    name, self.ACCOUNT, port or self.port, self.ACCOUNT, more)


def node(script, *arguments, **options):
    """Run one of the judges (.mjs beside this file) with the official SDKs; its standard output."""
    (program,) = need("NODE")
    done = subprocess.run([program, str(HERE / script)] + [str(a) for a in arguments],
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=300, **options)
    expect(done.returncode == 0, script, "failed:", done.stderr.decode(errors="replace")[-2000:])
    return done.stdout
