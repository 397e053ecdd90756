#!/usr/bin/env bash
# SIGINT and SIGTERM at any time, from the first moment to past the end: the agent ends in order, its processes are
# gone and no kernel program of its stays.
#
#   SEED=N repeats the moments of an earlier run; ROUNDS=20 (default)
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

SEED=${SEED:-$((SRANDOM % 32768))}
ROUNDS=${ROUNDS:-20}
# The agent watches this long in seconds; a signal comes within this many milliseconds of its start.
DURATION=1
LAST=2500

programs() { bpftool -j prog list | jq -r '.[] | "\(.id) \(.name)"' | sort; }

# Names of the kernel programs of a running agent.
program_names() {
    programs >"$AGENT_DIR/before"
    start_watch
    programs | join -v 2 "$AGENT_DIR/before" - | cut -d' ' -f2 | sort -u >"$AGENT_DIR/names"
    stop_agent || true
    [ "$(wc -l <"$AGENT_DIR/names")" -gt 10 ]
}

# Nobody else's agent runs while we hold its lock.
none_loaded() { ! flock /run/watchkeeper.lock bpftool -j prog list | jq -r '.[].name' | grep -qxFf "$AGENT_DIR/names"; }

# round NUMBER: the moment is what is tested, so this sleeps.
round() {
    local signal moment second status=0
    signal=$([ $(($1 % 2)) -eq 0 ] && echo INT || echo TERM)
    moment=$((RANDOM % LAST))
    second=$((RANDOM % 3))
    launch_agent --duration "${DURATION}s"
    sleep "$(printf '%d.%03d' $((moment / 1000)) $((moment % 1000)))"
    kill -s "$signal" "$AGENT_PID" 2>/dev/null || true
    # An impatient user.
    [ "$second" -gt 0 ] || kill -s TERM "$AGENT_PID" 2>/dev/null || true
    agent_status 10 || status=$?
    ended_well "SIG$signal after $moment ms" "$status" "$moment"
}

# 130, but: a signal may come after the agent's own end (0), and before its first instruction (128 + signal).
ended_well() {
    local early=0 late=0
    [ "$3" -ge 50 ] || early=1
    ! agent_said 'alerts from' || late=1
    if ! until_true 5 none_marked; then
        fail "$1: processes are left: $(marked_processes | tr '\n' ' ')"
    elif [ "$2" -eq 130 ] || { [ "$2" -eq 0 ] && [ "$late" = 1 ]; } || { [ "$2" -eq 143 ] && [ "$early" = 1 ]; }; then
        pass "$1: status $2, processes gone"
    else
        fail "$1: status $2"
        sed 's/^/    /' "$AGENT_DIR/agent.err"
    fi
}

main() {
    [ "$(id -u)" -eq 0 ] || { skip "the live tests need root"; return 0; }
    install_packages jq procps util-linux bpftool || { skip "the live tests' packages are missing"; return 0; }
    local number
    mount_cgroups
    AGENT_DIR=$(mktemp -d /tmp/watchkeeper-live.XXXXXX)
    trap 'stop_agent || true; rm -rf "$AGENT_DIR"' EXIT
    export DOCKER_HOST=unix://$AGENT_DIR/none.sock
    note "SEED=$SEED"
    RANDOM=$SEED
    check "a running agent's kernel programs are found" program_names
    for number in $(seq "$ROUNDS"); do
        round "$number"
    done
    check "none of its kernel programs is left" until_true 10 none_loaded
    verdict_total
}

main "$@"
exit
