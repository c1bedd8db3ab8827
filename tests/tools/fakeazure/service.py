# SPDX-License-Identifier: EUPL-1.2
"""The operations on the account and on containers."""
import urllib.parse
import xml.etree.ElementTree as tree
from xml.sax.saxutils import escape

from . import listing
from .auth import Refused
from .listing import HEAD, date, element, truth
from .model import Container


class Answer:
    def __init__(self, status=200, headers=None, body=b"", type_="application/xml"):
        self.status = status
        self.headers = list(headers or [])
        self.body = body.encode("utf-8") if isinstance(body, str) else body
        if self.body:
            self.headers.append(("Content-Type", type_))


def not_found(code, message):
    return Refused(404, code, message)


def parse_xml(request):
    try:
        return tree.fromstring(request.body)
    except tree.ParseError:
        raise Refused(400, "InvalidXmlDocument", "XML specified is not syntactically valid.") \
            from None


def metadata_of(request):
    return {name[len("x-ms-meta-"):]: value for name, value in request.headers
            if name.lower().startswith("x-ms-meta-")}


# ------------------------------------------------------------------- account


def cors_xml(rules):
    parts = []
    for rule in rules:
        parts.append("<CorsRule>%s</CorsRule>" % "".join(
            element(tag, rule.get(key, "")) for key, tag in
            (("origins", "AllowedOrigins"), ("methods", "AllowedMethods"),
             ("headers", "AllowedHeaders"), ("exposed", "ExposedHeaders"),
             ("max_age", "MaxAgeInSeconds"))))
    return "<Cors>%s</Cors>" % "".join(parts)


def retention_xml(days, tag):
    inner = element("Enabled", truth(days)) + (element("Days", days) if days else "")
    return "<%s>%s</%s>" % (tag, inner, tag)


def website_xml(site):
    if not site:
        return "<StaticWebsite><Enabled>false</Enabled></StaticWebsite>"
    parts = [element("Enabled", "true")]
    for key, tag in (("index", "IndexDocument"), ("default_index", "DefaultIndexDocumentPath"),
                     ("error", "ErrorDocument404Path")):
        if site.get(key):
            parts.append(element(tag, site[key]))
    return "<StaticWebsite>%s</StaticWebsite>" % "".join(parts)


def logging_xml(logging):
    logging = logging or {}
    return "<Logging>%s%s</Logging>" % (
        element("Version", "1.0") + "".join(
            element(tag, truth(tag.lower() in logging.get("operations", [])))
            for tag in ("Delete", "Read", "Write")),
        retention_xml(logging.get("days", 0), "RetentionPolicy"))


def service_properties(_request, account):
    p = account.properties
    return Answer(200, body="%s<StorageServiceProperties>%s%s%s%s</StorageServiceProperties>" % (
        HEAD, logging_xml(p["logging"]), cors_xml(p["cors"]),
        retention_xml(account.soft_delete_days, "DeleteRetentionPolicy"),
        website_xml(p["website"])))


def set_service_properties(request, account):
    root = parse_xml(request)
    if root.find("Cors") is not None:
        account.properties["cors"] = [
            {key: rule.findtext(tag) or "" for key, tag in
             (("origins", "AllowedOrigins"), ("methods", "AllowedMethods"),
              ("headers", "AllowedHeaders"), ("exposed", "ExposedHeaders"),
              ("max_age", "MaxAgeInSeconds"))} for rule in root.iter("CorsRule")]
    site = root.find("StaticWebsite")
    if site is not None:
        account.properties["website"] = {
            key: site.findtext(tag) for key, tag in
            (("index", "IndexDocument"), ("default_index", "DefaultIndexDocumentPath"),
             ("error", "ErrorDocument404Path"))
        } if site.findtext("Enabled") == "true" else None
    return Answer(202)


def account_information(_request, account):
    return Answer(200, [("x-ms-sku-name", "Standard_RAGRS"), ("x-ms-account-kind", "StorageV2"),
                        ("x-ms-is-hns-enabled", truth(account.hns))])


def account_operation(request, account):
    key = (request.method, request.query("restype"), request.query("comp"))
    if key == ("GET", None, "list"):
        return Answer(200, body=listing.list_containers(request, account))
    if key == ("GET", "service", "properties"):
        return service_properties(request, account)
    if key == ("PUT", "service", "properties"):
        return set_service_properties(request, account)
    if key in (("GET", "account", "properties"), ("HEAD", "account", "properties")):
        return account_information(request, account)
    raise Refused(400, "InvalidQueryParameterValue", "This fake has no such operation.")


# ---------------------------------------------------------------- containers


def find(account, name):
    container = account.containers.get(name)
    if not container or container.deleted_at:
        raise not_found("ContainerNotFound", "The specified container does not exist.")
    return container


def tags_of(container):
    return [("ETag", '"%s"' % container.etag), ("Last-Modified", date(container.modified))]


def create(request, account):
    if request.container in account.containers:
        raise Refused(409, "ContainerAlreadyExists", "The specified container already exists.")
    container = Container(request.container, account.clock.now())
    container.metadata = metadata_of(request)
    container.access = request.header("x-ms-blob-public-access")
    account.containers[request.container] = container
    return Answer(201, tags_of(container))


def delete(request, account):
    container = find(account, request.container)
    if container.immutability.get("policy") or container.immutability.get("legal_hold"):
        raise Refused(409, "ContainerImmutableStorage", "The container is under a policy.")
    if account.soft_delete_days:
        container.deleted_at, container.version = account.clock.now(), "01D%013X" % container.number
    else:
        del account.containers[request.container]
    return Answer(202)


def get_properties(request, account):
    container = find(account, request.container)
    headers = tags_of(container) + [
        ("x-ms-lease-status", "unlocked"), ("x-ms-lease-state", "available"),
        ("x-ms-has-immutability-policy", truth(container.immutability.get("policy"))),
        ("x-ms-has-legal-hold", truth(container.immutability.get("legal_hold"))),
        ("x-ms-immutable-storage-with-versioning-enabled",
         truth(container.immutability.get("versions"))),
        ("x-ms-default-encryption-scope", container.scope or "$account-encryption-key"),
        ("x-ms-deny-encryption-scope-override", "false")]
    if container.access:
        headers.append(("x-ms-blob-public-access", container.access))
    headers += [("x-ms-meta-" + key, value) for key, value in container.metadata.items()]
    return Answer(200, headers)


def get_acl(request, account):
    container = find(account, request.container)
    parts = []
    for policy in container.policies.values():
        inner = "".join(element(tag, policy[key]) for key, tag in
                        (("start", "Start"), ("expiry", "Expiry"), ("permission", "Permission"))
                        if policy.get(key))
        parts.append("<SignedIdentifier>%s<AccessPolicy>%s</AccessPolicy></SignedIdentifier>"
                     % (element("Id", policy["id"]), inner))
    headers = tags_of(container)
    if container.access:
        headers.append(("x-ms-blob-public-access", container.access))
    return Answer(200, headers, "%s<SignedIdentifiers>%s</SignedIdentifiers>"
                  % (HEAD, "".join(parts)))


def set_acl(request, account):
    container = find(account, request.container)
    policies = {}
    if request.body:
        for node in parse_xml(request).iter("SignedIdentifier"):
            policy = {"id": node.findtext("Id")}
            for key, tag in (("start", "Start"), ("expiry", "Expiry"),
                             ("permission", "Permission")):
                if node.findtext("AccessPolicy/" + tag):
                    policy[key] = node.findtext("AccessPolicy/" + tag)
            policies[policy["id"]] = policy
    if len(policies) > 5:
        raise Refused(400, "InvalidXmlDocument", "At most five policies.")
    container.access, container.policies = request.header("x-ms-blob-public-access"), policies
    container.touch(account.clock.now())
    return Answer(200, tags_of(container))


def set_metadata(request, account):
    container = find(account, request.container)
    container.metadata = metadata_of(request)
    container.touch(account.clock.now())
    return Answer(200, tags_of(container))


def list_blobs(request, account):
    return Answer(200, body=listing.list_blobs(request, account, find(account, request.container)))


def restore(request, account):
    container = account.containers.get(request.container)
    if not container or not container.deleted_at:
        raise not_found("ContainerNotFound", "The specified container does not exist.")
    container.deleted_at = None
    return Answer(201, tags_of(container))


CONTAINER = {
    ("PUT", None): create,
    ("DELETE", None): delete,
    ("GET", None): get_properties,
    ("HEAD", None): get_properties,
    ("GET", "list"): list_blobs,
    ("GET", "acl"): get_acl,
    ("HEAD", "acl"): get_acl,
    ("PUT", "acl"): set_acl,
    ("PUT", "metadata"): set_metadata,
    ("GET", "metadata"): get_properties,
    ("PUT", "undelete"): restore,
}


def container_operation(request, account):
    operation = CONTAINER.get((request.method, request.query("comp")))
    if not operation:
        raise Refused(400, "InvalidQueryParameterValue", "This fake has no such operation.")
    return operation(request, account)


def error_body(refused, request_id, now):
    message = "%s\nRequestId:%s\nTime:%s" % (refused.message, request_id, date(now))
    detail = element("AuthenticationErrorDetail", refused.detail) if refused.detail else ""
    return "%s<Error>%s%s%s</Error>" % (HEAD, element("Code", refused.code),
                                        "<Message>%s</Message>" % escape(message), detail)


def unquote_path(text):
    return urllib.parse.unquote(text, errors="surrogateescape")
