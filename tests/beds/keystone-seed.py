# SPDX-License-Identifier: EUPL-1.2
"""Fills a fresh Keystone: service user, demo user with its credentials, and Swift in the catalogue.

usage: keystone-seed.py KEYSTONE-URL SWIFT-URL    prints the shell exports of the demo user
"""
import json
import shlex
import sys
import urllib.request

keystone, swift = sys.argv[1:3]


def call(method, path, body=None, token=None):
    request = urllib.request.Request(
        keystone + path, method=method, data=None if body is None else json.dumps(body).encode())
    request.add_header("Content-Type", "application/json")
    if token:
        request.add_header("X-Auth-Token", token)
    with urllib.request.urlopen(request, timeout=30) as answer:
        text = answer.read()
        return answer.headers, json.loads(text) if text else None


def log_in(user, password, project):
    identity = {"methods": ["password"], "password": {
        "user": {"name": user, "domain": {"name": "Default"}, "password": password}}}
    scope = {"project": {"name": project, "domain": {"name": "Default"}}}
    headers, _ = call("POST", "/auth/tokens", {"auth": {"identity": identity, "scope": scope}})
    return headers["X-Subject-Token"]


admin = log_in("admin", "adminpass", "admin")


def make(kind, **values):
    return call("POST", "/%ss" % kind, {kind: values}, admin)[1][kind]["id"]


def role(name):
    return call("GET", "/roles?name=" + name, token=admin)[1]["roles"][0]["id"]


def grant(project, user, name):
    call("PUT", "/projects/%s/users/%s/roles/%s" % (project, user, role(name)), token=admin)


service_project = make("project", name="service", domain_id="default")
demo_project = make("project", name="demo", domain_id="default")
service_user = make("user", name="swift", domain_id="default", password="swiftpass")
demo_user = make("user", name="demo", domain_id="default", password="demopass")
grant(service_project, service_user, "admin")
grant(demo_project, demo_user, "member")
service = make("service", name="swift", type="object-store")
# A second region that answers nobody: a client that takes the first endpoint it sees will notice.
make("region", id="RegionZero")
for interface in ("public", "internal", "admin"):
    make("endpoint", service_id=service, interface=interface, region="RegionZero",
         url="http://127.0.0.1:1/v1/AUTH_%(tenant_id)s")
    make("endpoint", service_id=service, interface=interface, region="RegionOne",
         url=swift + "/v1/AUTH_%(tenant_id)s")
ec2 = call("POST", "/users/%s/credentials/OS-EC2" % demo_user, {"tenant_id": demo_project},
           admin)[1]["credential"]
credential = call("POST", "/users/%s/application_credentials" % demo_user,
                  {"application_credential": {"name": "bascule"}},
                  log_in("demo", "demopass", "demo"))[1]["application_credential"]

for name, value in {
        "REGION": "RegionOne", "USER": "demo", "PASSWORD": "demopass", "PROJECT": "demo",
        "USER_DOMAIN": "Default", "PROJECT_DOMAIN": "Default",
        "APPLICATION_CREDENTIAL_ID": credential["id"],
        "APPLICATION_CREDENTIAL_SECRET": credential["secret"],
        "S3_ENDPOINT": swift, "S3_REGION": "us-east-1",
        "S3_ACCESS_KEY": ec2["access"], "S3_SECRET_KEY": ec2["secret"]}.items():
    print("export BED_KEYSTONE_%s=%s" % (name, shlex.quote(value)))
