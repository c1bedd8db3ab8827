# SPDX-License-Identifier: EUPL-1.2
# What the beds swift and keystone share (sourced after common.sh): ports and the proxy's pipeline.
swift_proxy=$(port 20)
swift_memcached=$(port 24)
keystone_proxy=$(port 30)
keystone_api=$(port 35)
swift_state=$root/swift
python=/usr/bin/python3

# Debian's swift-proxy, swift-account... packages add services to the machine; all they hold that is
# needed here is this line, so python3-swift is enough.
spawn_swift() {
    local name=$1 kind=$2 file=$3 code
    code="import sys; from swift.common.wsgi import run_wsgi; sys.exit(run_wsgi(sys.argv[1], '$kind-server'"
    [ "$kind" != object ] ||
        code="import swift.obj.server; $code, global_conf_callback=swift.obj.server.global_conf_callback"
    spawn "$name" "$python" -c "$code))" "$file"
}

# swift_pipeline PORT AUTH...: the middleware in the order the real services use.  s3token must stand
# between s3api and keystoneauth, with service credentials of its own.
swift_pipeline() {
    local number=$1
    shift
    cat <<CONF
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = $number
workers = 0
user = $(id -un)
swift_dir = $swift_state/etc
log_level = ERROR
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck cache listing_formats bulk tempurl $* copy container-quotas account-quotas slo dlo versioned_writes symlink proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
allow_account_management = true
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:$swift_memcached
[filter:s3api]
use = egg:swift#s3api
s3_acl = false
check_bucket_owner = false
location = us-east-1
[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_versioned_writes = true
allow_object_versioning = true
CONF
    local filter
    for filter in catch_errors gatekeeper healthcheck listing_formats bulk tempurl copy \
        container-quotas account-quotas slo dlo symlink; do
        printf '[filter:%s]\nuse = egg:swift#%s\n' "$filter" "${filter/-/_}"
    done
}
