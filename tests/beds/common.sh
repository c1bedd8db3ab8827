# SPDX-License-Identifier: EUPL-1.2
# What every bed shares (sourced, never run): where its state lies, how its servers are started,
# waited for and stopped.
#
# A bed is a script that sets
#     servers      names of its processes, in the order in which they start
#     stop_signal  TERM unless it says otherwise
# and defines
#     bed_start    calls spawn and await for each of them
#     bed_env      prints the shell exports a client needs
# then ends with  bed_main "$@".
set -euo pipefail
umask 022

beds=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(cd "$beds/../.." && pwd)
bed=$(basename "$0")
root=$(realpath -m "${BASCULE_BEDS:-$repository/.beds}")
npm=$(realpath -m "${BASCULE_NPM:-$repository/.beds/npm}")
state=$root/$bed
servers=
stop_signal=TERM

# One line a failure: what was tried, and where to look.
fail() {
    echo "bed $bed: $*" >&2
    exit 1
}

# port OFFSET: every port is the first one (BASCULE_PORTS) and a fixed offset.
port() {
    echo $((${BASCULE_PORTS:-17100} + $1))
}

# need COMMAND...: stops with the way out when one is not installed.
need() {
    local command
    for command; do
        [ -n "$(command -v "$command")" ] || fail "$command is not installed; run tools/install-test"
    done
}

# began PID: sets $moment to when that process began, which tells it from a later one of that number.
began() {
    local line fields
    moment=
    { read -r line <"/proc/$1/stat"; } 2>/dev/null || return 1
    read -ra fields <<<"${line##*) }"
    # A zombie has ended; init may take its time to bury it.
    [ "${fields[0]}" != Z ] || return 1
    moment=${fields[19]}
}

# spawn NAME COMMAND...: starts one server in a session of its own, output to NAME.log.
spawn() {
    local name=$1
    shift
    setsid "$@" >"$state/$name.log" 2>&1 </dev/null 9>&- &
    began $! || true
    echo "$! $moment" >"$state/$name.pid"
}

alive() {
    local pid start
    [ -f "$state/$1.pid" ] && read -r pid start <"$state/$1.pid" || return 1
    began "$pid" && [ "$moment" = "$start" ]
}

# halt NAME: asks with $stop_signal, waits 10 seconds, then insists.
halt() {
    local pid start tenths
    if alive "$1"; then
        read -r pid start <"$state/$1.pid"
        kill "-$stop_signal" -- "-$pid" 2>/dev/null || true
        for ((tenths = 0; tenths < 100; tenths++)); do
            alive "$1" || break
            sleep 0.1
        done
        ! alive "$1" || kill -KILL -- "-$pid" 2>/dev/null || true
    fi
    rm -f "$state/$1.pid"
}

# await SECONDS NAME COMMAND...: until the command succeeds; a dead server ends the wait.
await() {
    local seconds=$1 name=$2 end
    shift 2
    end=$((SECONDS + seconds))
    until "$@" >/dev/null 2>&1; do
        alive "$name" || fail "$name ended at once: $(last_line "$name")"
        ((SECONDS < end)) || fail "$name not ready after $seconds s: $(last_line "$name")"
        sleep 0.1
    done
}

last_line() {
    echo "$(grep -v '^ *$' "$state/$1.log" | tail -n 1 | cut -c1-300) (see $state/$1.log)"
}

listens() {
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# answers PORT PATH STATUS: does HTTP answer this path with this status?
answers() {
    local status=
    {
        exec 3<>"/dev/tcp/127.0.0.1/$1" || return 1
        printf 'GET %s HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nConnection: close\r\n\r\n' "$2" "$1" >&3
        read -r -t 5 _ status _ <&3 || true
        exec 3>&-
    } 2>/dev/null
    [ "$status" = "$3" ]
}

# free_port PORT...: refuses before a server fails in its own words.
free_port() {
    local number
    for number; do
        ! listens "$number" ||
            fail "port $number is taken; stop what listens there or set BASCULE_PORTS to another first port"
    done
}

# export_line NAME VALUE: one line of bed_env, quoted for the shell.
export_line() {
    printf 'export %s=%q\n' "$1" "$2"
}

# Last started, first stopped.  A bed may define its own; "wipe" as the argument tells that all goes.
bed_halt() {
    local name reversed=
    for name in $servers; do reversed="$name $reversed"; done
    for name in $reversed; do halt "$name"; done
}

all_alive() {
    local name
    for name in $servers; do alive "$name" || return 1; done
}

bed_lock() {
    mkdir -p "$root"
    exec 9>"$root/$bed.lock"
    flock -w 300 9 || fail "another start or stop has been running for 5 minutes"
}

bed_main() {
    case ${1:-} in
    start)
        bed_lock
        ! all_alive || exit 0
        bed_halt
        mkdir -p "$state"
        trap bed_halt EXIT
        bed_start
        trap - EXIT
        ;;
    stop)
        bed_lock
        bed_halt
        ;;
    wipe)
        bed_lock
        bed_halt wipe
        rm -rf "${state:?}"
        ;;
    env) bed_env ;;
    *)
        echo "usage: $0 start|stop|wipe|env" >&2
        exit 2
        ;;
    esac
}
