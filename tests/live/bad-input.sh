#!/usr/bin/env bash
# What the host lacks, and what breaks in mid-run: each is said, with what still works; nothing is left behind.
# Needs no Docker: the agent is pointed at a socket that is not there.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../lib/common.sh
. "$here/../lib/common.sh"
# shellcheck source=../lib/packages.sh
. "$here/../lib/packages.sh"
# shellcheck source=../lib/docker.sh
. "$here/../lib/docker.sh"
# shellcheck source=../lib/agent.sh
. "$here/../lib/agent.sh"

WATCHKEEPER=$TARGET/release/watchkeeper
ENGINE_ID=61313

# says STATUS PATTERN… -- COMMAND…: ends with this status, and its output has all the patterns.
says() {
    local wanted=$1 patterns=() output status=0 pattern
    shift
    while [ "$1" != -- ]; do
        patterns+=("$1")
        shift
    done
    shift
    output=$("$@" 2>&1) || status=$?
    printf '%s\nstatus %s\n' "$output" "$status"
    for pattern in "${patterns[@]}"; do
        grep -qE -- "$pattern" <<<"$output" || { echo "not said: $pattern"; return 1; }
    done
    [ "$status" -eq "$wanted" ]
}

without_root() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }

# The kernel's description of its types is hidden in a mount namespace of our own.
without_btf() { unshare --mount sh -c 'mount -t tmpfs none /sys/kernel/btf && exec "$@"' sh "$@"; }

lacks() {
    check "without root: said, status 3" says 3 'error: .*needs root' 'hint: .*sudo' -- without_root "$WATCHKEEPER" watch
    check "doctor without root: says so, status 3" says 3 'MISSING +rights +not root' 'mend: .*sudo' -- \
        without_root "$WATCHKEEPER" doctor
    await_host
    check "without BTF: said, with what still works, status 3" says 3 'error: .*/sys/kernel/btf/vmlinux' \
        'hint: .*CONFIG_DEBUG_INFO_BTF' -- without_btf "$WATCHKEEPER" watch --duration 1s
    check "doctor without BTF: says so, status 3" says 3 'MISSING +BTF' 'unseen: everything' 'mend: .*CONFIG_DEBUG_INFO_BTF' -- \
        without_btf "$WATCHKEEPER" doctor
    check "doctor without Docker: says what is unseen, status 0" says 0 'partial +Docker' 'unseen: names, images' 'mend: ' -- \
        "$WATCHKEEPER" doctor
    check "doctor --json is one JSON list" eval '"$WATCHKEEPER" doctor --json | jq -e "type == \"array\" and length > 5"'
}

# Tests that share one agent which records.
one_agent() {
    start_watch --record "$AGENT_DIR/events.ndjson"
    check "without Docker: runs and says so" until_true 10 agent_said 'Docker: .*none.sock'
    until_true 10 test -s "$AGENT_DIR/events.ndjson" || true
    check "a second instance: status 3 and the first one's pid" \
        says 3 "another instance .*\(pid $AGENT_PID\)" 'hint: ' -- "$WATCHKEEPER" watch --record "$AGENT_DIR/events.ndjson"
    check "a second instance leaves the first one's recording alone" \
        eval 'head -n 1 "$AGENT_DIR/events.ndjson" | grep -q "\"watchkeeper\":\"events\""'
    check "the engine has another user, no capabilities, no new privileges and seccomp" confined "$(agent_child engine)"
    check "the sensor process can neither administer the system, load modules nor make raw sockets" \
        lacks_capabilities "$AGENT_PID" 21 16 13
    check "the actor has no capabilities" lacks_capabilities "$(agent_child actor)" $(seq 0 40)
    kill -9 "$(agent_child actor)"
    check "the actor killed: said" until_true 5 agent_said 'the actor ended'
    local before
    before=$(stat -c %s "$AGENT_DIR/events.ndjson")
    check "the actor killed: the watch goes on" until_true 5 grows "$before"
    check "the recording says that Docker is not seen" grep -q '"health":{"signal":"docker","state":"down"' "$AGENT_DIR/events.ndjson"
    ends "SIGINT ends it with 130" 130 stop_agent INT
    check "the recording replays, and has the attack on the actor" says 1 'Monitoring or runtime is ended' \
        'Docker no longer reports' -- "$WATCHKEEPER" replay "$AGENT_DIR/events.ndjson"
}

grows() { [ "$(stat -c %s "$AGENT_DIR/events.ndjson")" -gt "$1" ]; }

# confined PID: as /proc/PID/status says.
confined() {
    local status
    status=$(tr -s '\t ' ' ' <"/proc/$1/status")
    echo "$status"
    grep -q "^Uid: $ENGINE_ID $ENGINE_ID $ENGINE_ID $ENGINE_ID" <<<"$status" &&
        grep -q "^Gid: $ENGINE_ID $ENGINE_ID $ENGINE_ID $ENGINE_ID" <<<"$status" &&
        grep -qE '^Groups: *$' <<<"$status" &&
        grep -qE '^CapPrm: 0+$' <<<"$status" && grep -qE '^CapEff: 0+$' <<<"$status" &&
        grep -q '^NoNewPrivs: 1' <<<"$status" && grep -q '^Seccomp: 2' <<<"$status"
}

# lacks_capabilities PID NUMBER…: of those that the process has and those that what it executes can get.
lacks_capabilities() {
    local set number
    for set in CapEff CapPrm CapBnd; do
        set=$(awk -v name="$set:" '$1 == name { print $2 }' "/proc/$1/status")
        for number in "${@:2}"; do
            [ $((0x$set >> number & 1)) -eq 0 ] || { echo "capability $number is there: $set"; return 1; }
        done
    done
}

deaths() {
    start_watch
    kill -9 "$(agent_child engine)"
    ends "the engine killed: status 255" 255 agent_status 10
    check "the engine killed: said" agent_said 'error: the engine ended: signal: 9'
    check "the engine killed: the actor goes too" until_true 5 none_marked
    start_watch
    kill -9 "$AGENT_PID"
    agent_status 5 || true
    check "the sensor killed: engine and actor go too" until_true 5 none_marked
}

# 8 KiB last some seconds at most: a tick is recorded every 100 ms, after what runs at the start.
full_disk() {
    mkdir "$AGENT_DIR/small"
    mount -t tmpfs -o size=8k none "$AGENT_DIR/small"
    start_watch --record "$AGENT_DIR/small/events.ndjson"
    until_true 60 agent_said 'the recording ended' || true
    check "a full disk: said, and the watch goes on" agent_said 'the recording ended: No space left.*the watch goes on'
    check "a full disk: the agent still runs" kill -0 "$AGENT_PID"
    ends "a full disk: ends well" 130 stop_agent INT
    check "a full disk: what is missing is counted" agent_said ' [1-9][0-9]* observations lost'
    check "a full disk: what fitted replays" says 0 -- "$WATCHKEEPER" replay "$AGENT_DIR/small/events.ndjson"
    umount "$AGENT_DIR/small"
}

unwritable() {
    check "a recording that cannot be made: status 2" says 2 'cannot write the recording /nowhere' 'hint: ' -- \
        "$WATCHKEEPER" watch --record /nowhere/events.ndjson
}

clean() {
    stop_agent || true
    umount "$AGENT_DIR/small" 2>/dev/null || true
    rm -rf "$AGENT_DIR"
}

main() {
    [ "$(id -u)" -eq 0 ] || { skip "the live tests need root"; return 0; }
    install_packages jq procps util-linux || { skip "the live tests' packages are missing"; return 0; }
    mount_cgroups
    AGENT_DIR=$(mktemp -d /tmp/watchkeeper-live.XXXXXX)
    trap clean EXIT
    chmod 755 "$AGENT_DIR"
    export DOCKER_HOST=unix://$AGENT_DIR/none.sock
    lacks
    await_host
    unwritable
    one_agent
    deaths
    full_disk
    verdict_total
}

main "$@"
exit
