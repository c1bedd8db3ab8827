# SPDX-License-Identifier: EUPL-1.2
"""A gateway for one foreign client, and running its program: everything is judged by bytes that come back."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))
import kit  # noqa: E402
from kit import expect  # noqa: E402
from serve import Gateway  # noqa: E402

MIB = kit.MIB


class Served:
    """A gateway with both doors, and what clients want to know of it."""

    def __init__(self, section=""):
        self.gateway = Gateway("a", section, s3=True).start()
        self.account, self.key = "bascule", self.gateway.key()
        self.blob = "http://127.0.0.1:%d/%s" % (self.gateway.port, self.account)
        self.s3 = "http://127.0.0.1:%d" % self.gateway.s3
        self.connection = "DefaultEndpointsProtocol=http;AccountName=%s;AccountKey=%s;BlobEndpoint=%s;" % (
            self.account, self.key, self.blob)

    def end(self):
        self.gateway.end()


def program(name):
    """Debian's, where the path has another in front of it."""
    found = "/usr/bin/" + name
    return found if os.path.exists(found) else shutil.which(name) or kit.skip("no " + name)


def run(*command, env=None, refused=None, timeout=300):
    """What it prints.  refused: it must fail, and say this (a pattern)."""
    done = subprocess.run([str(word) for word in command], env={**os.environ, **(env or {})}, capture_output=True,
                          text=True, stdin=subprocess.DEVNULL, timeout=timeout)
    said = done.stdout + done.stderr
    if refused:
        expect(done.returncode != 0 and re.search(refused, said), command, "should be refused with", refused, said[-1500:])
    else:
        expect(done.returncode == 0, command, "exit", done.returncode, said[-2500:])
    return done.stdout


def fetch(url, data=None, method=None, headers=None):
    """Status and bytes."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, headers or {}, method=method)) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as why:
        return why.code, why.read()


def file(name, body):
    path = pathlib.Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)
    return path


def tree(top):
    """Files of odd sizes and names; {name: digest}."""
    bodies = {"small.txt": b"small", "empty": b"", "sub/sp ace/\u00fc+%.bin": kit.noise(70000, 1),
              "sub/large.bin": kit.noise(17 * MIB, 2)}
    for name, body in bodies.items():
        file(os.path.join(top, name), body)
    return held(top)


def held(top):
    return {str(path.relative_to(top)): kit.sha256_of(path) for path in pathlib.Path(top).rglob("*") if path.is_file()}
