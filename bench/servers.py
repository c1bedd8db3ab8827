# SPDX-License-Identifier: EUPL-1.2
"""What bench/serve and bench/s3 share: servers under the load of bench/load, and what they cost.

What counts is a server's own CPU, from /proc, so that other work on the machine blurs it little.
"""
import argparse
import base64
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

MIB = 1 << 20
TICK = os.sysconf("SC_CLK_TCK")


def fail(text):
    sys.exit("%s: %s" % (os.path.basename(sys.argv[0]), text))


def children(pid):
    with open("/proc/%d/task/%d/children" % (pid, pid), encoding="ascii") as file:
        return [int(child) for child in file.read().split()]


def memory_of(pid):
    """The most memory a process ever had resident, in MiB."""
    with open("/proc/%d/status" % pid, encoding="ascii") as file:
        return int(re.search(r"VmHWM:\s+(\d+)", file.read()).group(1)) / 1024


def cpu_of(pid):
    """User and system seconds of a process and its children that live."""
    with open("/proc/%d/stat" % pid, encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK + sum(cpu_of(child) for child in children(pid))


class Server:
    """A server under load; load() says what one run of bench/load cost it."""
    key = account = "-"
    region = None  # of a server that is spoken to in S3
    settle = 1.5  # seconds until it answers

    def __init__(self, bench, name, port, command):
        self.bench, self.name, self.url = bench, name, "http://127.0.0.1:%d" % port
        self.folder = os.path.join(bench.work, name)
        os.makedirs(self.folder, exist_ok=True)
        self.command = command
        self.process = None

    def start(self):
        with open(os.path.join(self.folder, "log"), "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, cwd=self.folder)
        time.sleep(self.settle)
        if self.process.poll() is not None:
            fail("%s did not start: see %s/log" % (self.name, self.folder))

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait()

    def cpu(self):
        return cpu_of(self.process.pid)

    def memory(self):
        return memory_of(self.process.pid)

    def arguments(self, path):
        return [self.url + (path or self.path), self.account, self.key,
                *(["-r", self.region] if self.region else [])]

    def load(self, mode, *options, path=None):
        before = self.cpu()
        result = self.bench.load(mode, *self.arguments(path), *options)
        result["server"] = self.cpu() - before
        return result

    def make(self, path=None):
        for _ in range(50):
            done = subprocess.run([self.bench.client, "make", *self.arguments(path)], capture_output=True,
                                  check=False)
            if done.returncode == 0:
                return
            time.sleep(0.2)
        fail("%s makes no container" % self.name)


class Bascule(Server):
    """The gateway over a directory and SQLite, as Azure or, with an S3 port, as S3."""

    def __init__(self, bench, name, port, tls=False, s3=None):
        super().__init__(bench, name, port, None)
        self.account, self.path, listen = "bench", "/bench/load", port
        self.key = base64.b64encode(bytes(range(64))).decode()
        self.configuration = os.path.join(self.folder, "bascule.yaml")
        keys = ""
        if tls:
            self.url = self.url.replace("http", "https")
            keys = "  tls: {certificate: %s/cert.pem, key: %s/key.pem}\n" % (self.folder, self.folder)
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                            "-nodes", "-subj", "/CN=localhost", "-keyout", self.folder + "/key.pem",
                            "-out", self.folder + "/cert.pem", "-days", "2"], check=True, capture_output=True)
        if s3:
            self.url, self.path, self.region = "http://127.0.0.1:%d" % s3, "/load", "eu-1"
            keys += "  s3: {listen: 127.0.0.1:%d, region: eu-1}\n" % s3
        with open(self.configuration, "w", encoding="utf-8") as out:
            out.write("""stores:
  local: {driver: file, path: "%s/bodies"}
serve:
  listen: 127.0.0.1:%d
  index: sqlite:%s/index.db
  bodies: [{store: local, container: objects}]
  access_log: %s/access.log
  limits: {connections: 300}
%s""" % (self.folder, listen, self.folder, self.folder, keys))
        self.command = [bench.options.bascule, "serve", "--config", self.configuration]

    def start(self):
        super().start()
        keyfile = os.path.join(self.folder, "key")
        with open(keyfile, "w", encoding="ascii") as out:
            out.write(self.key + "\n")
        subprocess.run([self.bench.options.bascule, "account", "add", "bench", "--key-file", keyfile,
                        "--config", self.configuration], check=True, capture_output=True)


class Bench:
    """Where a benchmark works, its client, and what it found."""

    def __init__(self, options):
        self.options = options
        self.work = tempfile.mkdtemp(prefix="bascule-bench.", dir=options.tmp)
        self.client = os.path.join(options.build, "bench", "load")
        self.found = {}

    def load(self, mode, *arguments):
        done = subprocess.run([self.client, mode, *[str(a) for a in arguments]], capture_output=True,
                              check=False, text=True)
        if done.returncode != 0:
            print("not ok %s: %s %s" % (mode, done.stdout.strip(), done.stderr.strip()), file=sys.stderr)
        return json.loads(done.stdout)

    def note(self, case, who, result, cpu="server"):
        each = {"rate": result["done"] / result["wall"], "cpu": result[cpu] / max(result["done"], 1)}
        self.found.setdefault((case, who), []).append(each)
        print("ok %s: %s: %.0f a second, %.3f ms of CPU each" % (case, who, each["rate"], 1000 * each["cpu"]),
              file=sys.stderr, flush=True)

    def remember_memory(self, who, mebibytes):
        print("ok most memory resident: %s: %.0f MiB" % (who, mebibytes), file=sys.stderr, flush=True)
        self.found.setdefault(("memory", who), []).append({"rate": mebibytes, "cpu": 0})

    def table(self):
        print("| load | server | a second | CPU ms each |")
        print("|---|---|---|---|")
        for (case, who), runs in self.found.items():
            if case == "memory":
                print("| most memory resident, MiB | %s | %.0f | |" % (who, max(r["rate"] for r in runs)))
                continue
            print("| %s | %s | %.0f | %.3f |" % (case, who, statistics.median(r["rate"] for r in runs),
                                                1000 * statistics.median(r["cpu"] for r in runs)))


def parser_of(text, first_port):
    """The options every benchmark has."""
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(description=text.split("\n", maxsplit=1)[0])
    parser.add_argument("--build", default=os.path.join(here, "..", "build-release"))
    parser.add_argument("--bascule", help="the program, where it is not that of the build")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--port", type=int, default=first_port, help="the first of five")
    parser.add_argument("--only", type=lambda text: text.split(","), help="small, large, list, memory ...")
    parser.add_argument("--quick", action="store_true", help="a little of everything: does it work?")
    parser.add_argument("--tmp", help="where to work; a disk that matters, not memory")
    return parser


def options_of(parser):
    options = parser.parse_args()
    options.build = os.path.abspath(options.build)
    options.bascule = options.bascule or os.path.join(options.build, "src", "cli", "bascule")
    for program in (options.bascule, os.path.join(options.build, "bench", "load")):
        if not os.access(program, os.X_OK):
            fail(program + " is not there")
    if options.quick:
        options.rounds = 1
    return options
