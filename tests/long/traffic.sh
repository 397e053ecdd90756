#!/usr/bin/env bash
# The standing table's traffic: what watching costs bulk transfer between two containers, in throughput, and the agent in
# processor time at 1 Gb/s.
#
#   PAIRS=10 SECONDS_EACH=5 RATE_SECONDS=20
#
# The two containers are control groups named as such, each in a network namespace of its own, joined by a veth pair: the path
# of a packet between containers without the bridge, which would only dilute the cost. iperf3 of Debian sends one TCP stream,
# interleaved with and without the agent in turning order; the loss of each pair counts, as median with its 95 % interval.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../lib/common.sh
. "$here/../lib/common.sh"
# shellcheck source=../lib/agent.sh
. "$here/../lib/agent.sh"
# shellcheck source=../lib/packages.sh
. "$here/../lib/packages.sh"
# shellcheck source=../lib/load.sh
. "$here/../lib/load.sh"

PAIRS=${PAIRS:-10}
SECONDS_EACH=${SECONDS_EACH:-5}
RATE_SECONDS=${RATE_SECONDS:-20}
RATE=1G
NAME=wk-traffic-$$
CLIENT=10.213.0.1
SERVER=10.213.0.2
PORT=5201
DIR=
GROUPS_DIR=
IPERF=

cgroup_root() { if [ -e /sys/fs/cgroup/cgroup.controllers ]; then echo /sys/fs/cgroup; else echo /sys/fs/cgroup/unified; fi; }

# group client|server: the control group of that container; its name is a container's id.
group() { printf '%s/%s\n' "$GROUPS_DIR" "$(printf '%s' "$NAME-$1" | sha256sum | cut -d ' ' -f 1)"; }

# inside client|server COMMAND…: becomes the command in that container. For subshells only.
inside() {
    local who=$1
    shift
    echo "$BASHPID" >"$(group "$who")/cgroup.procs"
    exec nsenter --net="/run/netns/$NAME-$who" "$@"
}

make_containers() {
    local who
    GROUPS_DIR=$(cgroup_root)/$NAME
    mkdir "$GROUPS_DIR"
    for who in client server; do
        mkdir "$(group "$who")"
        ip netns add "$NAME-$who"
        nsenter --net="/run/netns/$NAME-$who" ip link set lo up
    done
    ip -n "$NAME-client" link add eth0 type veth peer name eth0 netns "$NAME-server"
    ip -n "$NAME-client" address add "$CLIENT/24" dev eth0
    ip -n "$NAME-server" address add "$SERVER/24" dev eth0
    for who in client server; do ip -n "$NAME-$who" link set eth0 up; done
}

start_server() {
    (inside server iperf3 --server --bind "$SERVER" --port "$PORT" >"$DIR/server" 2>&1) &
    IPERF=$!
    until_true 10 transfer 1 || { cat "$DIR/server" >&2; die "iperf3's server does not answer"; }
}

# transfer SECONDS ARG…: bits that arrived in a second.
transfer() {
    local seconds=$1 report
    shift
    report=$( (inside client iperf3 --client "$SERVER" --port "$PORT" --time "$seconds" --json "$@") 2>"$DIR/client") || return 1
    jq -e '.end.sum_received.bits_per_second | floor' <<<"$report"
}

# round with|without: one transfer, into DIR/NAME.
round() {
    [ "$1" = without ] || start_watch || die "no agent"
    transfer "$SECONDS_EACH" >>"$DIR/$1" || die "no transfer: $(cat "$DIR/client")"
    stop_agent || true
}

throughput() {
    local pair one losses
    for pair in $(seq "$PAIRS"); do
        note "pair $pair of $PAIRS"
        # The order turns, so that a drift of the machine favours nobody.
        case $((pair % 2)) in
            0) set -- with without ;;
            1) set -- without with ;;
        esac
        for one in "$@"; do round "$one"; done
    done
    losses=$(paste "$DIR/with" "$DIR/without" | awk '{ printf "%.3f\n", (1 - $1 / $2) * 100 }' | interval)
    # shellcheck disable=SC2086 # three numbers
    row "throughput lost, one TCP stream between two containers, $PAIRS pairs of $SECONDS_EACH s; without: $(interval <"$DIR/without" | awk '{ printf "%.2f", $1 / 1e9 }') Gb/s" \
        "$(printf '%+.2f %% [%+.2f, %+.2f]' $losses)" "≤ 2 %"
    at_most "throughput lost, median, percent" "${losses%% *}" 2
}

processor() {
    local before after bits share
    start_watch || die "no agent"
    before=$(agent_cpu_ms)
    bits=$(transfer "$RATE_SECONDS" --bitrate "$RATE") || die "no transfer: $(cat "$DIR/client")"
    after=$(agent_cpu_ms)
    stop_agent || true
    share=$(awk -v ms=$((after - before)) -v s="$RATE_SECONDS" 'BEGIN { printf "%.2f", ms / s / 10 }')
    row "processor time of the agent at $(awk -v b="$bits" 'BEGIN { printf "%.2f", b / 1e9 }') Gb/s of bulk, $RATE_SECONDS s" \
        "$share % of a core" "≤ 2 %"
    at_least "bits a second" "$bits" 900000000
    at_most "processor time, percent of a core" "$share" 2
}

tidy() {
    local who
    stop_agent || true
    if [ -n "$IPERF" ]; then
        kill "$IPERF" 2>/dev/null || true
        wait "$IPERF" 2>/dev/null || true
    fi
    for who in client server; do
        ip netns del "$NAME-$who" 2>/dev/null || true
        [ -z "$GROUPS_DIR" ] || until_true 5 rmdir "$(group "$who")" || note "$(group "$who") stays"
    done
    [ -z "$GROUPS_DIR" ] || rmdir "$GROUPS_DIR" || note "$GROUPS_DIR stays"
    rm -rf "$DIR"
}

main() {
    [ "$(id -u)" -eq 0 ] || { skip "sensing needs root"; return 0; }
    install_packages iperf3 iproute2 jq procps util-linux || { skip "iperf3 cannot be had"; return 0; }
    DIR=$(mktemp -d /tmp/watchkeeper-traffic.XXXXXX)
    AGENT_DIR=$DIR
    trap tidy EXIT
    make_containers
    start_server
    throughput
    processor
    verdict_total
}

main "$@"
exit
