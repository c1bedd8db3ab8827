# SPDX-License-Identifier: EUPL-1.2
# Installs Debian packages where they are missing (sourced by the install scripts).

fail() {
    echo "$(basename "$0"): $*" >&2
    exit 1
}

missing_packages() {
    comm -23 <(printf '%s\n' "$@" | sort) \
        <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^installed //p' | sort)
}

# Debian starts a package's daemon as it installs it and again with every boot.  Here only the programs
# are wanted: the first is held back while installing (unless the machine has a rule of its own), the
# second switched off for what was not there before.
hold_daemons() {
    local rule=/usr/sbin/policy-rc.d
    [ ! -e "$rule" ] || return 0
    # shellcheck disable=SC2064
    trap "${become[*]} rm -f $rule" EXIT
    printf '#!/bin/sh\nexit 101\n' | "${become[@]}" tee "$rule" >/dev/null
    "${become[@]}" chmod 755 "$rule"
}

disable_daemons() {
    local package
    [ -d /run/systemd/system ] || return 0
    for package; do
        case $package in
        memcached) "${become[@]}" systemctl disable --quiet memcached || true ;;
        nginx-light) "${become[@]}" systemctl disable --quiet nginx || true ;;
        postgresql-15) "${become[@]}" systemctl disable --quiet postgresql || true ;;
        radosgw) "${become[@]}" systemctl disable --quiet ceph-radosgw.target || true ;;
        esac
    done
}

# apt_install PACKAGE...: nothing at all when everything is there.
apt_install() {
    local missing log
    [ -n "$(command -v dpkg-query)" ] || fail "this script knows Debian's packages only; wanted: $*"
    mapfile -t missing < <(missing_packages "$@")
    [ "${#missing[@]}" -gt 0 ] || return 0
    become=()
    if [ "$(id -u)" != 0 ]; then
        [ -n "$(command -v sudo)" ] ||
            fail "neither root nor sudo; have an administrator run: apt-get install ${missing[*]}"
        sudo -v || fail "sudo refused; have an administrator run: apt-get install ${missing[*]}"
        become=(sudo)
    fi
    echo "installing ${#missing[@]} packages: ${missing[*]}"
    hold_daemons
    log=$(mktemp)
    if ! { "${become[@]}" apt-get -o DPkg::Lock::Timeout=300 update &&
        "${become[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 \
            install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
        fail "apt-get failed: $(grep -m 1 '^E: ' "$log" || tail -n 1 "$log") (see $log)"
    fi
    rm -f "$log"
    disable_daemons "${missing[@]}"
}
