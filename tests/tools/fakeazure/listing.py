# SPDX-License-Identifier: EUPL-1.2
"""List Blobs and List Containers, as XML.

https://learn.microsoft.com/rest/api/storageservices/list-blobs
"""
import bisect
import email.utils
import re
import urllib.parse
from xml.sax.saxutils import escape

NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
HEAD = '<?xml version="1.0" encoding="utf-8"?>'
PAGE_MAX = 5000


def date(moment):
    return email.utils.formatdate(moment, usegmt=True)


def element(name, value):
    return "<%s>%s</%s>" % (name, escape(str(value)), name)


def name_element(name, tag="Name"):
    """Names that XML cannot hold go percent-encoded."""
    if NOT_XML.search(name):
        return '<%s Encoded="true">%s</%s>' % (tag, urllib.parse.quote(name, safe=""), tag)
    return element(tag, name)


def truth(value):
    return "true" if value else "false"


def metadata_element(metadata):
    inner = "".join(element(key, value) for key, value in metadata.items())
    return "<Metadata>%s</Metadata>" % inner if inner else "<Metadata />"


def tags_element(tags):
    inner = "".join("<Tag>%s%s</Tag>" % (element("Key", k), element("Value", v))
                    for k, v in tags.items())
    return "<Tags><TagSet>%s</TagSet></Tags>" % inner


def properties(state, account, include):
    parts = [element("Creation-Time", date(state.created)),
             element("Last-Modified", date(state.modified)), element("Etag", state.etag)]
    if account.hns and "permissions" in include:
        for key, tag in (("owner", "Owner"), ("group", "Group"), ("permissions", "Permissions"),
                         ("acl", "Acl")):
            if state.hns.get(key):
                parts.append(element(tag, state.hns[key]))
    if account.hns:
        parts.append(element("ResourceType", state.hns.get("resource_type", "file")))
    parts.append(element("Content-Length", len(state.body)))
    for key, tag in (("type", "Content-Type"), ("encoding", "Content-Encoding"),
                     ("language", "Content-Language")):
        parts.append(element(tag, state.content.get(key, "")))
    parts.append("<Content-CRC64 />")
    md5 = state.content.get("md5")
    parts.append(element("Content-MD5", md5) if md5 else "<Content-MD5 />")
    parts.append(element("Cache-Control", state.cache_control or ""))
    parts.append(element("Content-Disposition", state.content.get("disposition", "")))
    if state.type == "PageBlob":
        parts.append(element("x-ms-blob-sequence-number", state.sequence))
    parts.append(element("BlobType", state.type))
    if state.type == "BlockBlob":
        parts.append(element("AccessTier", state.tier))
        if state.tier_inferred:
            parts.append(element("AccessTierInferred", "true"))
        if state.archive_status:
            parts.append(element("ArchiveStatus", state.archive_status))
    leased = state.lease == "leased"
    parts.append(element("LeaseStatus", "locked" if leased else "unlocked"))
    parts.append(element("LeaseState", state.lease))
    if leased:
        parts.append(element("LeaseDuration", "infinite"))
    parts.append(element("ServerEncrypted", "true"))
    if state.key_sha256:
        parts.append(element("CustomerProvidedKeySha256", state.key_sha256))
    if state.scope:
        parts.append(element("EncryptionScope", state.scope))
    if state.deleted_at:
        parts.append(element("DeletedTime", date(state.deleted_at)))
        parts.append(element("RemainingRetentionDays", account.soft_delete_days))
    if state.tags:
        parts.append(element("TagCount", len(state.tags)))
    if "immutabilitypolicy" in include and state.immutable_until:
        parts.append(element("ImmutabilityPolicyUntilDate", state.immutable_until))
        parts.append(element("ImmutabilityPolicyMode", state.immutable_mode or "unlocked"))
    if "legalhold" in include and state.legal_hold:
        parts.append(element("LegalHold", "true"))
    return "<Properties>%s</Properties>" % "".join(parts)


def blob(name, state, account, include, is_current):
    parts = ["<Blob>", name_element(name)]
    if state.snapshot:
        parts.append(element("Snapshot", state.snapshot))
    if state.version and ("versions" in include or account.versioning):
        parts.append(element("VersionId", state.version))
        if is_current:
            parts.append(element("IsCurrentVersion", "true"))
    if state.deleted_at:
        parts.append(element("Deleted", "true"))
    parts.append(properties(state, account, include))
    if "metadata" in include:
        parts.append(metadata_element(state.metadata))
    if "tags" in include and state.tags:
        parts.append(tags_element(state.tags))
    parts.append("<OrMetadata />")
    parts.append("</Blob>")
    return "".join(parts)


def wanted(entry, include):
    """The states of a name that a listing with this include shows."""
    for state in entry.states():
        if state is entry.current:
            state.poll()
            yield state
        elif state.deleted_at and state.snapshot:
            if "deleted" in include and "snapshots" in include:
                yield state
        elif state.deleted_at:
            if "deleted" in include:
                yield state
        elif state.snapshot:
            if "snapshots" in include:
                yield state
        elif "versions" in include:
            yield state


class Page:
    """One answer; marker is the name where the next begins."""

    def __init__(self, limit):
        self.limit = limit
        self.items = []
        self.count = 0
        self.marker = None
        self.last_prefix = None

    def add_prefix(self, prefix):
        if prefix != self.last_prefix:
            self.last_prefix = prefix
            self.items.append("<BlobPrefix>%s</BlobPrefix>" % name_element(prefix))
            self.count += 1


def common_prefix(name, prefix, delimiter):
    if not delimiter:
        return None
    at = name.find(delimiter, len(prefix))
    return name[:at + len(delimiter)] if at >= 0 else None


def list_stored(account, container, query, include, page):
    prefix, delimiter = query("prefix") or "", query("delimiter") or ""
    start = max(prefix, urllib.parse.unquote(query("marker") or ""))
    skip = None
    for name in container.names[bisect.bisect_left(container.names, start):]:
        if not name.startswith(prefix):
            if name > prefix:
                break
            continue
        if skip and name.startswith(skip):
            continue
        states = list(wanted(container.entries[name], include))
        if not states:
            continue
        if page.count >= page.limit:
            page.marker = urllib.parse.quote(name, safe="")
            return
        folder = common_prefix(name, prefix, delimiter)
        if folder:
            page.add_prefix(folder)
            skip = folder
            continue
        entry = container.entries[name]
        for state in states:
            page.items.append(blob(name, state, account, include, state is entry.current))
            page.count += 1
        if entry.current:
            account.happened(container, entry, "list")


def generated_writer(made, account, include):
    """How one generated blob is written: all of them differ only in name, ETag and MD5."""
    state = made.state(0)
    state.etag = "{etag}"
    if made.with_md5:
        state.content["md5"] = "{md5}"
    form = blob("{name}", state, account, include, True).format

    def write(index, name):
        return form(name=escape(name), etag=made.etag(index),
                    md5=made.md5(index) if made.with_md5 else "")

    return write


def list_generated(account, container, query, include, page):
    """Names are numbers: nothing is kept, whatever the count."""
    made = container.generated
    write = generated_writer(made, account, include)
    prefix, delimiter = query("prefix") or "", query("delimiter") or ""
    index = made.first(max(prefix, urllib.parse.unquote(query("marker") or "")))
    while index < made.count:
        name = made.name(index)
        if not name.startswith(prefix):
            return
        if page.count >= page.limit:
            page.marker = urllib.parse.quote(name, safe="")
            return
        folder = common_prefix(name, prefix, delimiter)
        if folder:
            page.add_prefix(folder)
            index = made.first(folder + "\U0010ffff")
            continue
        page.items.append(write(index, name))
        page.count += 1
        index += 1


def limit_of(query):
    text = query("maxresults")
    return min(int(text), PAGE_MAX) if text else PAGE_MAX


def list_blobs(request, account, container):
    query = request.query
    include = set((query("include") or "").split(",")) - {""}
    page = Page(limit_of(query))
    lister = list_generated if container.generated else list_stored
    lister(account, container, query, include, page)
    echo = "".join(name_element(query(key), tag) for key, tag in
                   (("prefix", "Prefix"), ("marker", "Marker"), ("maxresults", "MaxResults"),
                    ("delimiter", "Delimiter")) if query(key))
    return ('%s<EnumerationResults ServiceEndpoint="%s" ContainerName="%s">%s<Blobs>%s</Blobs>'
            "<NextMarker>%s</NextMarker></EnumerationResults>"
            % (HEAD, escape(request.endpoint), escape(container.name), echo, "".join(page.items),
               escape(page.marker or "")))


def container_element(container, include):
    parts = ["<Container>", element("Name", container.name)]
    if container.deleted_at:
        parts += [element("Deleted", "true"), element("Version", container.version)]
    inner = [element("Last-Modified", date(container.modified)),
             element("Etag", '"%s"' % container.etag), element("LeaseStatus", "unlocked"),
             element("LeaseState", "available")]
    if container.access:
        inner.append(element("PublicAccess", container.access))
    inner.append(element("HasImmutabilityPolicy", truth(container.immutability.get("policy"))))
    inner.append(element("HasLegalHold", truth(container.immutability.get("legal_hold"))))
    if container.deleted_at:
        inner += [element("DeletedTime", date(container.deleted_at)),
                  element("RemainingRetentionDays", 7)]
    parts.append("<Properties>%s</Properties>" % "".join(inner))
    if "metadata" in include:
        parts.append(metadata_element(container.metadata))
    return "".join(parts) + "</Container>"


def list_containers(request, account):
    query = request.query
    include = set((query("include") or "").split(","))
    prefix, limit, items, marker = query("prefix") or "", limit_of(query), [], ""
    for name in sorted(account.containers):
        container = account.containers[name]
        if not name.startswith(prefix) or name < (query("marker") or ""):
            continue
        if container.deleted_at and "deleted" not in include:
            continue
        if name.startswith("$") and "system" not in include and name != "$web":
            continue
        if len(items) >= limit:
            marker = name
            break
        items.append(container_element(container, include))
    return ('%s<EnumerationResults ServiceEndpoint="%s"><Containers>%s</Containers>'
            "<NextMarker>%s</NextMarker></EnumerationResults>"
            % (HEAD, escape(request.endpoint), "".join(items), escape(marker)))
