#!/usr/bin/env bash
# The standing table's latency: from just before the act's system call to the alert's line on the agent's standard output,
# read by a program that stamps it. Both times are CLOCK_BOOTTIME. In a container that is known: idle, and under mix M;
# then the first alert of new containers.
#
#   ACTS=300 EVERY_MS=50 RATE=50000 NEW=200
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
# shellcheck source=../lib/load.sh
. "$here/../lib/load.sh"

ACTS=${ACTS:-300}
EVERY_MS=${EVERY_MS:-50}
RATE=${RATE:-50000}
NEW=${NEW:-200}
# The container must be known: its first acts do not count.
SETTLE=20
DIR=

# The agent as in start_agent, with its alerts stamped into DIR/stamped.
start_stamped_agent() {
    mkfifo "$DIR/alerts"
    "$DIR/load/stamp" <"$DIR/alerts" >"$DIR/stamped" &
    AGENT_DIR=$DIR
    trap 'stop_agent || true; stop_docker' EXIT
    "$TARGET/release/watchkeeper" watch --format json --strategies "$REPO/strategies" >"$DIR/alerts" 2>"$DIR/agent.err" &
    AGENT_PID=$!
    until_true 30 grep -q 'ready after' "$DIR/agent.err" || { cat "$DIR/agent.err" >&2; die "the agent is not ready after 30 s"; }
}

# latencies TEXT FIRST: milliseconds from act to the first line about it, of the acts TEXT-N-NANOSECONDS from N = FIRST on.
latencies() {
    awk -v text="$1" -v first="$2" '
        match($0, text "-[0-9]+-[0-9]+\\.act\\.test") {
            split(substr($0, RSTART + length(text) + 1, RLENGTH - length(text) - 10), part, "-")
            if (part[1] >= first && !seen[part[1]]++) printf "%.3f\n", ($1 - part[2]) / 1e6
        }' "$DIR/stamped"
}

# acts NAME: a container that does the acts and ends.
acts() {
    docker run --name "$1" --network none watchkeeper/act:test /bin/act alerts "$1" "$ACTS" "$EVERY_MS"
    arrived "$1" "$ACTS" || note "not all alerts of $1 came within 10 s"
}

arrived() { until_true 10 all_there "$1" "$2"; }
all_there() { [ "$(latencies "$1" 0 | wc -l)" -ge "$2" ]; }

# measured NAME TEXT FIRST EXPECTED MUST: the row; leaves P50 and P99.
measured() {
    local count
    latencies "$2" "$3" >"$DIR/$2.ms"
    count=$(wc -l <"$DIR/$2.ms")
    P50=$(quantile 0.5 <"$DIR/$2.ms")
    P99=$(quantile 0.99 <"$DIR/$2.ms")
    row "$1 ($count acts)" "p50 $P50 ms, p99 $P99 ms, worst $(quantile 1 <"$DIR/$2.ms") ms" "$5"
    at_least "$1: acts with an alert" "$count" "$4"
}

main() {
    [ "$(id -u)" -eq 0 ] || { skip "the live tests need root"; return 0; }
    install_packages "${LIVE_PACKAGES[@]}" curl gcc libc6-dev || { skip "the live tests' packages are missing"; return 0; }
    start_docker "$(mktemp -d /tmp/watchkeeper-live.XXXXXX)"
    DIR=$DOCKER_DIR
    mkdir "$DIR/out"
    build_load "$DIR/load"
    import_image watchkeeper/act:test '["/bin/act"]' "$DIR/load/act=bin/act"
    start_stamped_agent
    acts idle
    measured "act to printed alert, container known, idle" idle "$SETTLE" $((ACTS - SETTLE)) "p50 ≤ 5 ms, p99 ≤ 50 ms"
    at_most "idle p50, ms" "$P50" 5
    at_most "idle p99, ms" "$P99" 50
    new_containers
    measured "act to printed alert, first of a new container" new 0 "$NEW" "p99 ≤ 300 ms"
    at_most "new container p99, ms" "$P99" 300
    under_load
    verdict_total
}

new_containers() {
    local body='{"Image":"watchkeeper/act:test","Cmd":["/bin/act","alert","new-@"],"HostConfig":{"NetworkMode":"none"}}'
    api_all 4 POST '/containers/create?name=new-@' "$body" "$DIR/out/create.@" 1 "$NEW"
    api_all 2 POST '/containers/new-@/start' '' "$DIR/out/start.@" 1 "$NEW"
    arrived new "$NEW" || note "not all alerts of new containers came within 10 s"
}

under_load() {
    local mix
    "$DIR/load/mix" "$RATE" $((ACTS * (EVERY_MS + 20) / 1000 + 10)) >"$DIR/mix.json" &
    mix=$!
    acts loaded
    kill "$mix" 2>/dev/null || true
    wait "$mix" || true
    measured "act to printed alert, container known, at $(jq .records_per_s "$DIR/mix.json") events/s" loaded "$SETTLE" \
        $((ACTS - SETTLE)) "p99 ≤ 250 ms"
    at_most "loaded p99, ms" "$P99" 250
    at_least "records a second generated" "$(jq .records_per_s "$DIR/mix.json")" $((RATE * 95 / 100))
}

main "$@"
exit
