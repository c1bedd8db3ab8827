# SPDX-License-Identifier: EUPL-1.2
"""The operations on blobs."""
import base64
import hashlib
import re
import urllib.parse
from xml.sax.saxutils import escape

from . import crc64
from .auth import Refused
from .listing import HEAD, date, element, tags_element, truth
from .model import PAGE, Bytes, Joined, State
from .service import Answer, find, metadata_of, not_found, parse_xml

RANGE_CHECKSUM_MAX = 4 * 1024 * 1024
ARCHIVE = "Archive"


def missing():
    return not_found("BlobNotFound", "The specified blob does not exist.")


# ------------------------------------------------------------------- finding


class Found:
    def __init__(self, container, entry, state):
        self.container, self.entry, self.state = container, entry, state


def find_generated(container, name):
    index = container.generated.index(name)
    if index is None:
        raise missing()
    return Found(container, None, container.generated.state(index))


def find_state(request, account):
    """The state a request means: current, a version or a snapshot."""
    container = find(account, request.container)
    if container.generated and request.blob not in container.entries:
        return find_generated(container, request.blob)
    entry = container.entries.get(request.blob)
    version, snapshot = request.query("versionid"), request.query("snapshot")
    state = entry.current if entry else None
    if entry and (version or snapshot):
        state = next((s for s in entry.states()
                      if (version and s.version == version) or
                      (snapshot and s.snapshot == snapshot)), None)
    if state is None or state.deleted_at:
        raise missing()
    return Found(container, entry, state)


def condition_failed():
    return Refused(412, "ConditionNotMet",
                   "The condition specified using HTTP conditional header(s) is not met.")


def plain_etag(text):
    return text.strip().strip('"')


def check_conditions(request, state):
    """state is None where there is no blob."""
    match, none = request.header("if-match"), request.header("if-none-match")
    if match and match != "*" and (state is None or plain_etag(match) != state.etag):
        raise condition_failed()
    if match == "*" and state is None:
        raise condition_failed()
    if none == "*" and state is not None and request.method == "PUT":
        raise Refused(409, "BlobAlreadyExists", "The specified blob already exists.")
    if none and none != "*" and state is not None and plain_etag(none) == state.etag:
        if request.method in ("GET", "HEAD"):
            raise Refused(304, "ConditionNotMet", "")
        raise condition_failed()


def check_writable(state):
    if state is None:
        return
    if state.legal_hold or (state.immutable_until and state.immutable_mode == "locked"):
        raise Refused(409, "BlobImmutableDueToPolicy",
                      "This operation is not permitted as the blob is immutable due to a policy.")
    if state.lease == "leased":
        raise Refused(412, "LeaseIdMissing",
                      "There is currently a lease on the blob and no lease ID was specified in the "
                      "request.")


# ------------------------------------------------------------------- reading


def property_headers(found, account):
    s = found.state
    headers = [("Last-Modified", date(s.modified)), ("ETag", '"%s"' % s.etag),
               ("x-ms-creation-time", date(s.created)), ("x-ms-blob-type", s.type),
               ("x-ms-lease-status", "locked" if s.lease == "leased" else "unlocked"),
               ("x-ms-lease-state", s.lease), ("x-ms-server-encrypted", "true"),
               ("Accept-Ranges", "bytes")]
    for key, name in (("type", "Content-Type"), ("encoding", "Content-Encoding"),
                      ("language", "Content-Language"), ("disposition", "Content-Disposition")):
        if s.content.get(key):
            headers.append((name, s.content[key]))
    if s.cache_control:
        headers.append(("Cache-Control", s.cache_control))
    headers += [("x-ms-meta-" + key, value) for key, value in s.metadata.items()]
    if s.version:
        headers.append(("x-ms-version-id", s.version))
        if found.entry and s is found.entry.current:
            headers.append(("x-ms-is-current-version", "true"))
    if s.tags:
        headers.append(("x-ms-tag-count", str(len(s.tags))))
    if s.type == "BlockBlob":
        headers.append(("x-ms-access-tier", s.tier))
        if s.tier_inferred:
            headers.append(("x-ms-access-tier-inferred", "true"))
        if s.archive_status:
            headers.append(("x-ms-archive-status", s.archive_status))
    if s.type == "PageBlob":
        headers.append(("x-ms-blob-sequence-number", str(s.sequence)))
    if s.type == "AppendBlob":
        headers.append(("x-ms-blob-committed-block-count", str(len(s.blocks))))
    if s.immutable_until:
        headers += [("x-ms-immutability-policy-until-date", s.immutable_until),
                    ("x-ms-immutability-policy-mode", s.immutable_mode or "unlocked")]
    if s.legal_hold:
        headers.append(("x-ms-legal-hold", "true"))
    if s.scope:
        headers.append(("x-ms-encryption-scope", s.scope))
    if s.key_sha256:
        headers.append(("x-ms-encryption-key-sha256", s.key_sha256))
    if account.hns:
        headers.append(("x-ms-resource-type", s.hns.get("resource_type", "file")))
        headers += [("x-ms-" + key, s.hns[key]) for key in ("owner", "group", "permissions", "acl")
                    if s.hns.get(key)]
    return headers


def head(request, account):
    found = find_state(request, account)
    check_conditions(request, found.state)
    found.state.poll()
    headers = property_headers(found, account)
    if found.state.content.get("md5"):
        headers.append(("Content-MD5", found.state.content["md5"]))
    headers.append(("Content-Length", str(len(found.state.body))))
    if found.entry:
        account.happened(found.container, found.entry, "head")
    return Answer(200, headers)


def asked_range(request, size):
    """(start, end, whole?) or None where the range lies outside."""
    text = request.header("x-ms-range") or request.header("range") or ""
    parts = re.fullmatch(r"bytes=(\d+)-(\d*)", text)
    if not parts:
        return 0, size, True
    start = int(parts.group(1))
    end = min(size, int(parts.group(2)) + 1) if parts.group(2) else size
    if start >= size or end <= start:
        raise Refused(416, "InvalidRange",
                      "The range specified is invalid for the current size of the resource.")
    return start, end, False


def wants(request, name):
    return (request.header(name) or "").lower() == "true"


def range_checksums(request, config, data, headers):
    crc, md5 = (wants(request, "x-ms-range-get-content-crc64"),
                wants(request, "x-ms-range-get-content-md5"))
    if not crc and not md5:
        return False
    if crc and md5:
        raise Refused(400, "BothCrc64AndMd5HeaderPresent", "Only one of both may be asked for.")
    if (crc and not config.get("crc64", True)) or (md5 and not config.get("md5", True)):
        raise Refused(400, "UnsupportedHeader", "One of the HTTP headers is not supported.")
    if len(data) > RANGE_CHECKSUM_MAX:
        raise Refused(400, "OutOfRangeInput",
                      "One of the request inputs is out of range: at most 4 MiB.")
    if crc:
        value = crc64.crc64_cached(data)
        if config.get("wrong_crc64"):
            value ^= 1
        headers.append(("x-ms-content-crc64",
                        base64.b64encode(value.to_bytes(8, "little")).decode()))
    else:
        digest = hashlib.md5(data).digest()
        headers.append(("Content-MD5", base64.b64encode(digest).decode()))
    return True


def get(request, account):
    found = find_state(request, account)
    state, config = found.state, request.config
    check_conditions(request, state)
    if state.tier == ARCHIVE:
        raise Refused(409, "BlobArchived", "This operation is not permitted on an archived blob.")
    if state.key_sha256 and not request.header("x-ms-encryption-key"):
        raise Refused(409, "BlobUsesCustomerSpecifiedEncryption",
                      "The blob is encrypted with customer specified encryption.")
    start, end, whole = asked_range(request, len(state.body))
    data = state.body.part(start, end)
    headers = property_headers(found, account)
    if not whole:
        headers.append(("Content-Range", "bytes %d-%d/%d" % (start, end - 1, len(state.body))))
    if state.content.get("md5"):
        headers.append(("Content-MD5" if whole else "x-ms-blob-content-md5", state.content["md5"]))
    range_checksums(request, config, data, headers)
    asked = request.header("x-ms-structured-body")
    if asked and config.get("structured", True):
        headers += [("x-ms-structured-body", asked),
                    ("x-ms-structured-content-length", str(len(data)))]
        data = crc64.structured(data)
    if found.entry:
        account.happened(found.container, found.entry, "get")
    type_ = dict(headers).get("Content-Type")
    answer = Answer(200 if whole else 206, headers)
    answer.body = data
    if not type_:
        answer.headers.append(("Content-Type", "application/octet-stream"))
    return answer


# ------------------------------------------------------------------- writing


def check_body(request):
    """Checksums sent along; the structured form is undone."""
    body = request.body
    if request.header("x-ms-structured-body"):
        try:
            body = crc64.unstructured(body)
        except (ValueError, IndexError):
            raise Refused(400, "Crc64Mismatch", "The structured body is damaged.") from None
    md5, crc = request.header("content-md5"), request.header("x-ms-content-crc64")
    if md5 and crc:
        raise Refused(400, "BothCrc64AndMd5HeaderPresent", "Only one of both may be sent.")
    if md5 and base64.b64encode(hashlib.md5(body).digest()).decode() != md5:
        raise Refused(400, "Md5Mismatch", "The MD5 value specified in the request did not match "
                      "with the MD5 value calculated by the server.")
    if crc and base64.b64encode(crc64.crc64(body).to_bytes(8, "little")).decode() != crc:
        raise Refused(400, "Crc64Mismatch", "The CRC64 value specified in the request did not "
                      "match with the CRC64 value calculated by the server.")
    return body


def take_properties(request, state):
    for key in ("type", "encoding", "language", "disposition", "md5"):
        value = request.header("x-ms-blob-content-" + key)
        if value is None and key in ("type", "encoding", "language"):
            value = request.header("content-" + key)
        if value:
            state.content[key] = value
    state.content.setdefault("type", "application/octet-stream")
    state.cache_control = request.header("x-ms-blob-cache-control")
    state.metadata = metadata_of(request)
    if request.header("x-ms-tags"):
        state.tags = dict(urllib.parse.parse_qsl(request.header("x-ms-tags"),
                                                 keep_blank_values=True))
    if request.header("x-ms-access-tier"):
        state.tier, state.tier_inferred = request.header("x-ms-access-tier"), False


def written(state, status=201, more=()):
    headers = [("ETag", '"%s"' % state.etag), ("Last-Modified", date(state.modified)),
               ("x-ms-request-server-encrypted", "true")]
    if state.version:
        headers.append(("x-ms-version-id", state.version))
    return Answer(status, headers + list(more))


def checksum_of(request, body):
    if request.header("content-md5"):
        return [("Content-MD5", request.header("content-md5"))]
    if len(body) > RANGE_CHECKSUM_MAX:
        return []
    value = crc64.crc64(body).to_bytes(8, "little")
    return [("x-ms-content-crc64", base64.b64encode(value).decode())]


def current(request, account):
    container = find(account, request.container)
    entry = container.entries.get(request.blob)
    return container, entry, entry.current if entry else None


def put(request, account):
    container, _, old = current(request, account)
    check_conditions(request, old)
    check_writable(old)
    kind = request.header("x-ms-blob-type")
    body = check_body(request)
    state = State(Bytes(body), account.clock.now())
    if kind == "PageBlob":
        size = int(request.header("x-ms-blob-content-length", "0"))
        if size % PAGE:
            raise Refused(400, "InvalidHeaderValue", "A page blob's size is a multiple of 512.")
        state.body = Bytes(b"\0" * size)
        state.sequence = int(request.header("x-ms-blob-sequence-number", "0"))
    elif kind not in ("BlockBlob", "AppendBlob"):
        raise Refused(400, "MissingRequiredHeader", "x-ms-blob-type is missing.")
    state.type = kind
    take_properties(request, state)
    if kind == "BlockBlob" and "md5" not in state.content:
        state.content["md5"] = base64.b64encode(hashlib.md5(body).digest()).decode()
    account.put(container, request.blob, state)
    return written(state, more=checksum_of(request, body) if kind == "BlockBlob" else ())


def put_block(request, account):
    container = find(account, request.container)
    try:
        block = base64.b64decode(request.query("blockid"), validate=True)
    except ValueError:
        raise Refused(400, "InvalidQueryParameterValue", "blockid is no base64.") from None
    entry = container.entry(request.blob)
    if any(len(other) != len(block) for other in entry.staged):
        raise Refused(400, "InvalidBlobOrBlock", "The block ids differ in length.")
    body = check_body(request)
    entry.staged[block] = Bytes(body)
    return Answer(201, checksum_of(request, body))


def put_block_list(request, account):
    container, entry, old = current(request, account)
    check_conditions(request, old)
    check_writable(old)
    check_body(request)
    known = dict(old.blocks) if old else {}
    staged = entry.staged if entry else {}
    blocks = []
    for node in parse_xml(request):
        block = base64.b64decode(node.text or "")
        pools = {"Committed": [known], "Uncommitted": [staged], "Latest": [staged, known]}
        part = next((pool[block] for pool in pools.get(node.tag, []) if block in pool), None)
        if part is None:
            raise Refused(400, "InvalidBlockList", "The specified block list is invalid.")
        blocks.append((block, part))
    state = State(Joined([part for _, part in blocks]), account.clock.now())
    state.blocks = blocks
    take_properties(request, state)
    account.put(container, request.blob, state)
    return written(state)


def get_block_list(request, account):
    container = find(account, request.container)
    entry = container.entries.get(request.blob)
    if not entry or not (entry.current or entry.staged):
        raise missing()
    which = request.query("blocklisttype") or "committed"
    parts = [HEAD, "<BlockList>"]
    groups = [("CommittedBlocks", entry.current.blocks if entry.current else [])]
    groups.append(("UncommittedBlocks", entry.staged.items()))
    for tag, blocks in groups:
        if which in ("all", tag.replace("Blocks", "").lower()):
            inner = "".join("<Block>%s%s</Block>" % (
                element("Name", base64.b64encode(b).decode()), element("Size", len(part)))
                for b, part in blocks)
            parts.append("<%s>%s</%s>" % (tag, inner, tag))
    return Answer(200, body="".join(parts) + "</BlockList>")


def put_page(request, account):
    found = find_state(request, account)
    state = found.state
    check_conditions(request, state)
    parts = re.fullmatch(r"bytes=(\d+)-(\d+)",
                         request.header("x-ms-range") or request.header("range") or "")
    if state.type != "PageBlob" or not parts:
        raise Refused(400, "InvalidPageRange", "The page range specified is invalid.")
    start, end = int(parts.group(1)), int(parts.group(2)) + 1
    if start % PAGE or end % PAGE or end > len(state.body):
        raise Refused(416, "InvalidPageRange", "The page range specified is invalid.")
    update = request.header("x-ms-page-write") == "update"
    data = check_body(request) if update else b"\0" * (end - start)
    whole = bytearray(state.body.part(0, len(state.body)))
    whole[start:end] = data
    state.body = Bytes(whole)
    pages = range(start // PAGE, end // PAGE)
    state.pages = state.pages | set(pages) if update else state.pages - set(pages)
    state.touch(account.clock.now())
    return written(state, more=[("x-ms-blob-sequence-number", str(state.sequence))])


def get_page_ranges(request, account):
    found = find_state(request, account)
    check_conditions(request, found.state)
    start, end, _ = asked_range(request, len(found.state.body))
    parts, begun = [HEAD, "<PageList>"], None
    pages = sorted(p for p in found.state.pages if start <= p * PAGE < end)
    for index, page in enumerate(pages):
        begun = page if begun is None else begun
        if index + 1 == len(pages) or pages[index + 1] != page + 1:
            parts.append("<PageRange>%s%s</PageRange>" % (
                element("Start", begun * PAGE), element("End", (page + 1) * PAGE - 1)))
            begun = None
    return Answer(200, [("ETag", '"%s"' % found.state.etag),
                        ("Last-Modified", date(found.state.modified)),
                        ("x-ms-blob-content-length", str(len(found.state.body)))],
                  "".join(parts) + "</PageList>")


def append_block(request, account):
    found = find_state(request, account)
    state = found.state
    check_conditions(request, state)
    wanted = request.header("x-ms-blob-condition-appendpos")
    if wanted is not None and int(wanted) != len(state.body):
        raise Refused(412, "AppendPositionConditionNotMet",
                      "The append position condition specified was not met.")
    offset, body = len(state.body), check_body(request)
    state.blocks.append((b"%08d" % len(state.blocks), Bytes(body)))
    state.body = Joined([state.body, Bytes(body)])
    state.touch(account.clock.now())
    return written(state, more=[("x-ms-blob-append-offset", str(offset)),
                                ("x-ms-blob-committed-block-count", str(len(state.blocks)))])


# ------------------------------------------------------------ small changes


def set_metadata(request, account):
    found = find_state(request, account)
    check_conditions(request, found.state)
    state = found.state.copy()
    state.metadata = metadata_of(request)
    state.touch(account.clock.now())
    found.entry.current = found.state
    if account.versioning:
        account.put(found.container, request.blob, state)
    else:
        found.entry.current = state
    return written(state, 200)


def set_properties(request, account):
    found = find_state(request, account)
    check_conditions(request, found.state)
    state = found.state
    for key in ("type", "encoding", "language", "disposition", "md5"):
        value = request.header("x-ms-blob-content-" + key)
        if value:
            state.content[key] = value
        else:
            state.content.pop(key, None)
    state.cache_control = request.header("x-ms-blob-cache-control")
    state.touch(account.clock.now())
    return written(state, 200)


def get_tags(request, account):
    return Answer(200, body=HEAD + tags_element(find_state(request, account).state.tags))


def set_tags(request, account):
    found = find_state(request, account)
    found.state.tags = {tag.findtext("Key"): tag.findtext("Value") or ""
                        for tag in parse_xml(request).iter("Tag")}
    return Answer(204)


def set_tier(request, account):
    state = find_state(request, account).state
    tier = request.header("x-ms-access-tier")
    if state.type != "BlockBlob":
        raise Refused(400, "InvalidBlobType", "The blob type is invalid for this operation.")
    if state.tier == ARCHIVE and tier != ARCHIVE:
        if not state.archive_status:
            state.archive_status = "rehydrate-pending-to-" + tier.lower()
            state.polls_left = state.polls_needed
        return Answer(202)
    state.tier, state.tier_inferred = tier, False
    return Answer(200)


def snapshot(request, account):
    found = find_state(request, account)
    check_conditions(request, found.state)
    state = found.state.copy()
    state.snapshot, state.version = account.clock.stamp(), None
    if metadata_of(request):
        state.metadata = metadata_of(request)
    found.entry.snapshots.append(state)
    return written(state, more=[("x-ms-snapshot", state.snapshot)])


def undelete(request, account):
    entry = find(account, request.container).entries.get(request.blob)
    if not entry or not entry.states():
        raise missing()
    account.undelete(entry)
    return Answer(200)


def remove_state(request, account, found):
    state, entry = found.state, found.entry
    for pool in (entry.versions, entry.snapshots):
        if state in pool:
            pool.remove(state)
    if account.soft_delete_days:
        state.deleted_at = account.clock.now()
        entry.deleted.append(state)
    found.container.tidy(entry)
    return Answer(202)


def delete(request, account):
    found = find_state(request, account)
    check_conditions(request, found.state)
    check_writable(found.state)
    if request.query("versionid") or request.query("snapshot"):
        if found.state is found.entry.current:
            raise Refused(403, "OperationNotAllowedOnRootBlob",
                          "This operation is not allowed on the current version.")
        return remove_state(request, account, found)
    which = request.header("x-ms-delete-snapshots")
    if which == "only":
        found.entry.snapshots = []
        return Answer(202)
    if found.entry.snapshots and which != "include":
        raise Refused(409, "SnapshotsPresent",
                      "This operation is not permitted because the blob has snapshots.")
    account.delete(found.container, found.entry)
    return Answer(202)


def set_immutability(request, account):
    state = find_state(request, account).state
    mode = (request.header("x-ms-immutability-policy-mode") or "unlocked").lower()
    if state.immutable_mode == "locked" and mode != "locked":
        raise Refused(409, "BlobImmutableDueToPolicy", "A locked policy cannot be unlocked.")
    state.immutable_until = request.header("x-ms-immutability-policy-until-date")
    state.immutable_mode = mode
    return Answer(200, [("x-ms-immutability-policy-until-date", state.immutable_until),
                        ("x-ms-immutability-policy-mode", mode)])


def delete_immutability(request, account):
    state = find_state(request, account).state
    if state.immutable_mode == "locked":
        raise Refused(409, "BlobImmutableDueToPolicy", "A locked policy cannot be deleted.")
    state.immutable_until = state.immutable_mode = None
    return Answer(200)


def set_legal_hold(request, account):
    state = find_state(request, account).state
    state.legal_hold = wants(request, "x-ms-legal-hold")
    return Answer(200, [("x-ms-legal-hold", truth(state.legal_hold))])


def copy(request, account):
    source = urllib.parse.urlsplit(request.header("x-ms-copy-source"))
    path = source.path.split("/", 3) if request.path_style else [""] + source.path.split("/", 2)
    container, _, old = current(request, account)
    check_conditions(request, old)
    origin = account.containers.get(urllib.parse.unquote(path[2])) if len(path) == 4 else None
    entry = origin.entries.get(urllib.parse.unquote(path[3])) if origin else None
    if not entry or not entry.current:
        raise not_found("CannotVerifyCopySource", "The specified blob does not exist.")
    wanted = request.header("x-ms-source-if-match")
    if wanted and plain_etag(wanted) != entry.current.etag:
        raise Refused(412, "SourceConditionNotMet", "The source condition is not met.")
    state = entry.current.copy()
    state.snapshot = None
    state.touch(account.clock.now())
    if metadata_of(request):
        state.metadata = metadata_of(request)
    account.put(container, request.blob, state)
    return written(state, 202, [("x-ms-copy-id", "11111111-2222-3333-4444-555555555555"),
                                ("x-ms-copy-status", "success")])


OPERATIONS = {
    ("GET", None): get,
    ("HEAD", None): head,
    ("PUT", None): put,
    ("DELETE", None): delete,
    ("PUT", "block"): put_block,
    ("PUT", "blocklist"): put_block_list,
    ("GET", "blocklist"): get_block_list,
    ("PUT", "page"): put_page,
    ("GET", "pagelist"): get_page_ranges,
    ("PUT", "appendblock"): append_block,
    ("PUT", "metadata"): set_metadata,
    ("GET", "metadata"): head,
    ("HEAD", "metadata"): head,
    ("PUT", "properties"): set_properties,
    ("GET", "tags"): get_tags,
    ("PUT", "tags"): set_tags,
    ("PUT", "tier"): set_tier,
    ("PUT", "snapshot"): snapshot,
    ("PUT", "undelete"): undelete,
    ("PUT", "immutabilityPolicies"): set_immutability,
    ("DELETE", "immutabilityPolicies"): delete_immutability,
    ("PUT", "legalhold"): set_legal_hold,
}


def operation(request, account):
    key = (request.method, request.query("comp"))
    if key == ("PUT", None) and request.header("x-ms-copy-source"):
        return copy(request, account)
    if key not in OPERATIONS:
        raise Refused(400, "InvalidQueryParameterValue",
                      "This fake has no such operation: %s" % escape(str(key)))
    return OPERATIONS[key](request, account)
