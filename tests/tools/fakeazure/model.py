# SPDX-License-Identifier: EUPL-1.2
"""What the fake account holds: containers, blobs with their versions, and generated ones."""
import base64
import bisect
import datetime
import functools
import hashlib
import itertools
import re
import threading
import time

CONTENT = ["type", "encoding", "language", "disposition", "md5"]
PAGE = 512


class Pattern:
    """A body made from its size and a word: costs no memory."""

    def __init__(self, size, word="x"):
        self.size = size
        self.unit = (word.encode() or b"x")

    def __len__(self):
        return self.size

    def part(self, start, end):
        unit = self.unit
        first = start % len(unit)
        count = (end - start + first) // len(unit) + 1
        return (unit * count)[first:first + end - start]


class Bytes:
    def __init__(self, data):
        self.data = bytes(data)

    def __len__(self):
        return len(self.data)

    def part(self, start, end):
        return self.data[start:end]


class Joined:
    """Several bodies in a row: a committed block list."""

    def __init__(self, parts):
        self.parts = parts
        self.ends = list(itertools.accumulate(len(part) for part in parts))

    def __len__(self):
        return self.ends[-1] if self.ends else 0

    def part(self, start, end):
        out = []
        index = bisect.bisect_right(self.ends, start)
        while start < end and index < len(self.parts):
            begin = self.ends[index] - len(self.parts[index])
            stop = min(end, self.ends[index])
            out.append(self.parts[index].part(start - begin, stop - begin))
            start, index = stop, index + 1
        return b"".join(out)


def body_of(spec):
    """The body a seed describes: "body" (text), "base64", or "size" with "fill"."""
    if "base64" in spec:
        return Bytes(base64.b64decode(spec["base64"]))
    if "size" in spec:
        return Pattern(spec["size"], spec.get("fill", "x"))
    return Bytes(spec.get("body", "").encode())


def md5_of(body):
    digest = hashlib.md5()
    for at in range(0, len(body), 1 << 20):
        digest.update(body.part(at, min(len(body), at + (1 << 20))))
    return base64.b64encode(digest.digest()).decode()


class Clock:
    """The server's time; ahead is how wrong it shall be, in seconds."""

    def __init__(self, ahead=0):
        self.ahead = ahead
        self.last = 0
        self.lock = threading.Lock()

    def now(self):
        return time.time() + self.ahead

    def stamp(self):
        """A time that no other call gets: version ids and snapshots, 100 ns apart."""
        with self.lock:
            self.last = max(self.last + 1, int(self.now() * 10000000))
            return stamp_text(self.last)


def stamp_text(ticks):
    moment = datetime.datetime.fromtimestamp(ticks // 10000000, datetime.timezone.utc)
    return "%s.%07dZ" % (moment.strftime("%Y-%m-%dT%H:%M:%S"), ticks % 10000000)


class State:
    """One state of a blob: what a version or snapshot keeps."""

    numbers = itertools.count(0x8DC000000000000)
    lock = threading.Lock()

    def __init__(self, body, now):
        self.body = body
        self.type = "BlockBlob"
        self.created = now
        self.content = {}
        self.cache_control = None
        self.metadata = {}
        self.tags = {}
        self.tier = "Hot"
        self.tier_inferred = True
        self.archive_status = None
        self.polls_left = 0
        self.polls_needed = 1
        self.version = None
        self.snapshot = None
        self.deleted_at = None
        self.immutable_until = None
        self.immutable_mode = None
        self.legal_hold = False
        self.sequence = 0
        self.pages = set()
        self.blocks = []
        self.hns = {}
        self.lease = "available"
        self.scope = None
        self.key_sha256 = None
        self.touch(now)

    def touch(self, now):
        with State.lock:
            self.etag = "0x%X" % next(State.numbers)
        self.modified = now

    def copy(self):
        other = State.__new__(State)
        other.__dict__.update(self.__dict__)
        other.content, other.metadata = dict(self.content), dict(self.metadata)
        other.tags, other.hns = dict(self.tags), dict(self.hns)
        other.pages, other.blocks = set(self.pages), list(self.blocks)
        return other

    def poll(self):
        """Somebody looked: an archived blob that is being woken comes nearer to it."""
        if not self.archive_status:
            return
        self.polls_left -= 1
        if self.polls_left <= 0:
            self.tier = self.archive_status.rsplit("-", 1)[1].capitalize()
            self.archive_status = None


class Entry:
    """All that has one name."""

    def __init__(self, name):
        self.name = name
        self.current = None
        self.versions = []
        self.snapshots = []
        self.deleted = []
        self.staged = {}
        self.script = []
        self.counts = {}

    def states(self):
        """Everything, the oldest first and the current one last."""
        older = sorted(self.versions + self.snapshots + self.deleted,
                       key=lambda s: s.version or s.snapshot or "")
        return older + ([self.current] if self.current else [])

    def is_empty(self):
        return not (self.current or self.versions or self.snapshots or self.deleted or self.staged)


class Generated:
    """Blobs by the million that exist only as numbers."""

    def __init__(self, spec, now):
        self.count = spec["count"]
        self.size = spec.get("size", 4096)
        self.per_folder = spec.get("per_folder", 1000)
        self.prefix = spec.get("prefix", "")
        self.with_md5 = spec.get("md5", False)
        self.now = now
        self.form = re.compile(re.escape(self.prefix) + r"(\d{6})/object-(\d{9})\Z")

    def name(self, index):
        return "%s%06d/object-%09d" % (self.prefix, index // self.per_folder, index)

    def index(self, name):
        found = self.form.match(name)
        index = int(found.group(2)) if found else self.count
        return index if index < self.count and self.name(index) == name else None

    def body(self, index):
        return Pattern(self.size, "%015d\n" % index)

    @staticmethod
    def etag(index):
        return "0x8DB%012X" % index

    def md5(self, index):
        return md5_of(self.body(index))

    def first(self, at_least):
        """The first index whose name is not less (names are in the order of indexes)."""
        low, high = 0, self.count
        while low < high:
            middle = (low + high) // 2
            if self.name(middle) < at_least:
                low = middle + 1
            else:
                high = middle
        return low

    def state(self, index):
        state = State.__new__(State)
        state.__dict__.update(generated_template(self.now).__dict__)
        state.body = self.body(index)
        state.etag = self.etag(index)
        state.content = {"type": "application/octet-stream"}
        if self.with_md5:
            state.content["md5"] = self.md5(index)
        return state


@functools.lru_cache(maxsize=4)
def generated_template(now):
    return State(Bytes(b""), now)


class Container:
    def __init__(self, name, now, spec=None):
        spec = spec or {}
        self.name = name
        self.metadata = dict(spec.get("metadata", {}))
        self.access = spec.get("access")
        self.policies = {p["id"]: p for p in spec.get("policies", [])}
        self.immutability = spec.get("immutability", {})
        self.scope = spec.get("encryption_scope")
        self.entries = {}
        self.names = []
        self.modified = now
        self.number = next(State.numbers)
        self.deleted_at = None
        self.version = None
        self.generated = Generated(spec["generate"], now) if "generate" in spec else None

    @property
    def etag(self):
        return "0x%X" % self.number

    def touch(self, now):
        self.number = next(State.numbers)
        self.modified = now

    def entry(self, name):
        """The entry of a name, made when there is none."""
        if name not in self.entries:
            self.entries[name] = Entry(name)
            bisect.insort(self.names, name)
        return self.entries[name]

    def tidy(self, entry):
        if entry.is_empty() and entry.name in self.entries:
            del self.entries[entry.name]
            del self.names[bisect.bisect_left(self.names, entry.name)]


class Account:
    def __init__(self, name, spec, clock):
        self.name = name
        self.clock = clock
        self.keys = spec["keys"]
        self.versioning = spec.get("versioning", False)
        self.soft_delete_days = spec.get("soft_delete_days", 0)
        self.hns = spec.get("hns", False)
        self.properties = {"cors": spec.get("cors", []), "website": spec.get("website"),
                           "logging": spec.get("logging")}
        self.containers = {}
        for container, settings in spec.get("containers", {}).items():
            self.containers[container] = Container(container, clock.now(), settings)
            for blob in settings.get("blobs", []):
                self.seed(self.containers[container], blob)

    def seed(self, container, spec):
        entry = container.entry(spec["name"])
        for older in spec.get("versions", []):
            state = self.state_of(older)
            state.version = self.clock.stamp()
            entry.versions.append(state)
        for older in spec.get("snapshots", []):
            state = self.state_of(older)
            state.snapshot = self.clock.stamp()
            entry.snapshots.append(state)
        state = self.state_of(spec)
        if spec.get("deleted"):
            state.deleted_at = self.clock.now()
            state.version = self.clock.stamp() if self.versioning else None
            entry.deleted.append(state)
        elif not spec.get("versions_only"):
            state.version = self.clock.stamp() if self.versioning else None
            entry.current = state
        entry.script = list(spec.get("script", []))

    def state_of(self, spec):
        now = self.clock.now()
        state = State(body_of(spec), now)
        for key, value in spec.get("content", {}).items():
            if key == "cache_control":
                state.cache_control = value
            else:
                state.content[key] = value
        state.content.setdefault("type", "application/octet-stream")
        if state.content.get("md5") == "right":
            state.content["md5"] = md5_of(state.body)
        elif state.content.get("md5") == "wrong":
            state.content["md5"] = base64.b64encode(b"\xff" * 16).decode()
        state.metadata = dict(spec.get("metadata", {}))
        state.tags = dict(spec.get("tags", {}))
        if "tier" in spec:
            state.tier, state.tier_inferred = spec["tier"], False
        state.polls_needed = spec.get("wakes_after_polls", 1)
        state.type = spec.get("type", "BlockBlob")
        for start, end in spec.get("pages", []):
            state.pages.update(range(start // PAGE, -(-end // PAGE)))
        state.hns = dict(spec.get("hns", {}))
        state.immutable_until = spec.get("immutable_until")
        state.immutable_mode = spec.get("immutable_mode")
        state.legal_hold = spec.get("legal_hold", False)
        state.scope = spec.get("encryption_scope")
        state.key_sha256 = spec.get("key_sha256")
        state.lease = spec.get("lease", "available")
        if "created" in spec:
            state.created = spec["created"]
        if "modified" in spec:
            state.modified = spec["modified"]
        return state

    # ------------------------------------------------------------- changes

    def put(self, container, name, state):
        """state becomes the current one; what was there is kept where the account says so."""
        entry = container.entry(name)
        old = entry.current
        if old and self.versioning:
            entry.versions.append(old)
        elif old and self.soft_delete_days:
            kept = old.copy()
            kept.snapshot, kept.deleted_at = self.clock.stamp(), self.clock.now()
            entry.deleted.append(kept)
        if self.versioning:
            state.version = self.clock.stamp()
        entry.current = state
        entry.staged = {}
        return entry

    def delete(self, container, entry, snapshots=True):
        old, entry.current = entry.current, None
        if old and self.versioning:
            entry.versions.append(old)
        elif old and self.soft_delete_days:
            old.deleted_at = self.clock.now()
            entry.deleted.append(old)
        if snapshots:
            for state in entry.snapshots:
                state.deleted_at = self.clock.now()
            if self.soft_delete_days:
                entry.deleted += entry.snapshots
            entry.snapshots = []
        container.tidy(entry)

    def undelete(self, entry):
        for state in entry.deleted:
            state.deleted_at = None
            if state.snapshot:
                entry.snapshots.append(state)
            elif state.version and self.versioning:
                entry.versions.append(state)
            elif not entry.current:
                entry.current = state
        entry.deleted = []

    def happened(self, container, entry, what):
        """Count an operation on a blob, and do what its script says comes after it."""
        entry.counts[what] = entry.counts.get(what, 0) + 1
        due = [step for step in entry.script
               if all(entry.counts.get(k, 0) >= n for k, n in step["after"].items())]
        for step in due:
            entry.script.remove(step)
            if step.get("delete"):
                self.delete(container, entry)
                continue
            change = step.get("change", {})
            state = entry.current.copy() if entry.current else State(Bytes(b""), self.clock.now())
            if {"body", "size", "base64"} & set(change):
                state.body = body_of(change)
                state.content.pop("md5", None)
            state.metadata.update(change.get("metadata", {}))
            state.touch(self.clock.now())
            self.put(container, entry.name, state)
