# SPDX-License-Identifier: EUPL-1.2
"""Who may do what: Shared Key and shared access signatures, verified as Azure documents them.

https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key
https://learn.microsoft.com/rest/api/storageservices/create-account-sas, create-service-sas
"""
import base64
import datetime
import email.utils
import hashlib
import hmac
import urllib.parse

STANDARD = ["content-encoding", "content-language", "content-length", "content-md5",
            "content-type", "date", "if-modified-since", "if-match", "if-none-match",
            "if-unmodified-since", "range"]
SKEW = 15 * 60


class Refused(Exception):
    def __init__(self, status, code, message, detail=""):
        super().__init__(code)
        self.status, self.code, self.message, self.detail = status, code, message, detail


def failed(detail):
    return Refused(403, "AuthenticationFailed",
                   "Server failed to authenticate the request. Make sure the value of "
                   "Authorization header is formed correctly including the signature.", detail)


def mac(key, text):
    return base64.b64encode(
        hmac.new(base64.b64decode(key), text.encode("utf-8"), hashlib.sha256).digest()).decode()


def shared_key_text(request):
    """What is signed under Shared Key."""
    values = {name: request.header(name, "") for name in STANDARD}
    if values["content-length"] == "0":
        values["content-length"] = ""
    if request.header("x-ms-date"):
        values["date"] = ""
    lines = [request.method] + [values[name] for name in STANDARD]
    own = sorted((name.lower(), value) for name, value in request.headers
                 if name.lower().startswith("x-ms-"))
    lines += ["%s:%s" % (name, value.strip()) for name, value in own]
    resource = "/%s%s" % (request.account, request.raw_path)
    query = {}
    for name, value in request.query_pairs:
        query.setdefault(name.lower(), []).append(value)
    lines.append(resource)
    lines += ["%s:%s" % (name, ",".join(sorted(query[name]))) for name in sorted(query)]
    return "\n".join(lines)


def check_clock(request, now):
    text = request.header("x-ms-date") or request.header("date")
    try:
        told = email.utils.parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError):
        raise failed("The Date header in the request is incorrect.") from None
    if abs(told - now) > SKEW:
        raise failed("Request date header too old: '%s'" % text)


def check_shared_key(request, keys, now):
    account, _, signature = request.header("authorization")[len("SharedKey "):].partition(":")
    if account != request.account:
        raise failed("The account named in Authorization is not the one of the URL.")
    check_clock(request, now)
    text = shared_key_text(request)
    # On the secondary, clients sign the path with "-secondary" or without it.
    texts = [text, text.replace("-secondary/", "/", 1)]
    if not any(hmac.compare_digest(mac(key, t), signature) for key in keys for t in texts):
        raise failed("The MAC signature found in the HTTP request '%s' is not the same as any "
                     "computed signature. Server used following string to sign: '%s'."
                     % (signature, text))


def sas_time(text):
    for form in ("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%MZ", "%Y-%m-%d"):
        try:
            return datetime.datetime.strptime(text, form).replace(
                tzinfo=datetime.timezone.utc).timestamp()
        except ValueError:
            continue
    raise failed("Signature not valid: '%s' is no time" % text)


def account_sas_text(q, account):
    fields = [account, q.get("sp", ""), q.get("ss", ""), q.get("srt", ""), q.get("st", ""),
              q.get("se", ""), q.get("sip", ""), q.get("spr", ""), q.get("sv", "")]
    if q.get("sv", "") >= "2020-12-06":
        fields.append(q.get("ses", ""))
    return "\n".join(fields) + "\n"


def service_sas_text(q, request):
    path = "/blob/%s/%s" % (request.account, request.container)
    if q.get("sr") in ("b", "bs", "bv"):
        path += "/" + (request.blob or "")
    fields = [q.get("sp", ""), q.get("st", ""), q.get("se", ""), path, q.get("si", ""),
              q.get("sip", ""), q.get("spr", ""), q.get("sv", "")]
    version = q.get("sv", "")
    if version >= "2018-11-09":
        fields += [q.get("sr", ""), q.get("snapshot", "") if q.get("sr") == "bs" else ""]
    if version >= "2020-12-06":
        fields.append(q.get("ses", ""))
    fields += [q.get(name, "") for name in ("rscc", "rscd", "rsce", "rscl", "rsct")]
    return "\n".join(fields)


def apply_policy(q, policies):
    """A signature may leave time and permissions to a stored policy."""
    policy = policies.get(q["si"])
    if policy is None:
        raise failed("Signature did not match: no such stored access policy.")
    for short, long in (("st", "start"), ("se", "expiry"), ("sp", "permission")):
        if long in policy:
            q[short] = policy[long]


def check_sas(request, keys, now, policies):
    """The permissions the signature gives."""
    q = dict(request.query_pairs)
    is_account = "ss" in q
    text = account_sas_text(q, request.account) if is_account else service_sas_text(q, request)
    if not any(hmac.compare_digest(mac(key, text), q["sig"]) for key in keys):
        raise failed("Signature did not match. String to sign used was %s" % text)
    if not is_account and q.get("si"):
        apply_policy(q, policies)
    if "se" not in q:
        raise failed("Signature fields not well formed.")
    if now > sas_time(q["se"]):
        raise failed("Signature not valid in the specified time frame: Start [%s] - Expiry [%s] - "
                     "Current [%s]" % (q.get("st", ""), q["se"], email.utils.formatdate(
                         now, usegmt=True)))
    if q.get("st") and now < sas_time(q["st"]):
        raise failed("Signature not valid in the specified time frame: it begins later")
    if is_account:
        check_types(q, request)
    return q.get("sp", "")


def check_types(q, request):
    needed = "s" if not request.container else "o" if request.blob else "c"
    if request.container and not request.blob and request.query("comp") == "list":
        needed = "c"
    if "b" not in q.get("ss", ""):
        raise Refused(403, "AuthorizationServiceMismatch",
                      "This request is not authorized to perform this operation using this "
                      "service.")
    if needed not in q.get("srt", ""):
        raise Refused(403, "AuthorizationResourceTypeMismatch",
                      "This request is not authorized to perform this operation using this "
                      "resource type.")


def permission_needed(request):
    """The letters of which a SAS must give one."""
    comp, method = request.query("comp"), request.method
    if comp == "list":
        return "l"
    if comp == "tags":
        return "t"
    if comp in ("immutabilityPolicies", "legalhold"):
        return "i"
    if method in ("GET", "HEAD"):
        return "r"
    if method == "DELETE":
        return "x" if request.query("versionid") else "d"
    if comp == "undelete":
        return "w"
    if comp == "appendblock":
        return "aw"
    return "wc"


def check(request, keys, now, policies, access):
    """Raise Refused unless the request is allowed."""
    authorization = request.header("authorization", "")
    if authorization.startswith("SharedKey "):
        check_shared_key(request, keys, now)
    elif request.query("sig"):
        given, needed = check_sas(request, keys, now, policies), permission_needed(request)
        if not set(given) & set(needed):
            raise Refused(403, "AuthorizationPermissionMismatch",
                          "This request is not authorized to perform this operation using this "
                          "permission.")
    elif authorization:
        raise Refused(401, "InvalidAuthenticationInfo",
                      "Authentication information is not given in the correct format.")
    elif request.method not in ("GET", "HEAD") or not (
            access == "container" or (access == "blob" and request.blob)):
        raise Refused(401, "NoAuthenticationInformation",
                      "Server failed to authenticate the request. Please refer to the information "
                      "in the www-authenticate header.")


def unquoted(text):
    return urllib.parse.unquote(text, errors="surrogateescape")
