#!/usr/bin/env bash
# The standing table's footprint: memory with 100 running containers, processor time when idle, time to ready, and the size
# of the stripped binary. With BUILD=1 also a release build from nothing on two cores.
#
#   CONTAINERS=100 IDLE_SECONDS=60 STARTS=5 BUILD=
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

CONTAINERS=${CONTAINERS:-100}
IDLE_SECONDS=${IDLE_SECONDS:-60}
STARTS=${STARTS:-5}
DIR=

# Resident memory of each process, kB, without the pages of maps that it has mapped: those are counted with the maps.
# "NAME RSS ANONYMOUS FILE"; file pages are the program itself, which the three processes share.
memory() {
    local pid
    for pid in $(agent_pids); do
        awk -v name="$(tr '\0' ' ' <"/proc/$pid/cmdline" | awk '{ print ($2 == "process") ? $3 : "sensor" }')" '
            /^[0-9a-f]+-[0-9a-f]+ / { map = /anon_inode:bpf-map|bpf_ringbuf|bpf-map/ }
            /^Rss:/ && !map { rss += $2 }
            /^Anonymous:/ && !map { anonymous += $2 }
            END { print name, rss, anonymous, rss - anonymous }' "/proc/$pid/smaps"
    done
}

# plain BYTES: VmRSS as the kernel gives it, plus the maps, MiB: the pages of the rings are in it several times.
plain() {
    local pid
    for pid in $(agent_pids); do cat "/proc/$pid/status"; done |
        awk -v maps="$1" '/^VmRSS/ { rss += $2 } END { printf "%.1f MiB", rss / 1024 + maps / 1048576 }'
}

# Bytes of kernel memory of the maps that the agent holds: "MAPS BYTES".
map_memory() {
    local fd
    for fd in "/proc/$AGENT_PID"/fdinfo/*; do
        awk '/^map_type/ { m = 1 } /^memlock/ { b = $2 } /^map_id/ { i = $2 } END { if (m) print i, b }' "$fd" 2>/dev/null || true
    done | sort -u | awk '{ n++; s += $2 } END { print n + 0, s + 0 }'
}

start_timed_agent() {
    local begin
    # The redirection below is the child's: until then the file of the last start would be there to read.
    : >"$DIR/agent.err"
    begin=$(date +%s%N)
    "$TARGET/release/watchkeeper" watch --format json --strategies "$REPO/strategies" >"$DIR/alerts.ndjson" 2>"$DIR/agent.err" &
    AGENT_PID=$!
    AGENT_DIR=$DIR
    while ! grep -q 'ready after' "$DIR/agent.err"; do
        ! process_gone "$AGENT_PID" || { cat "$DIR/agent.err" >&2; die "the agent ended"; }
        sleep 0.01
    done
    READY_MS=$((($(date +%s%N) - begin) / 1000000))
}

ready_time() {
    local i
    for i in $(seq "$STARTS"); do
        start_timed_agent
        echo "$READY_MS" >>"$DIR/ready"
        stop_agent || true
    done
    row "start to ready, median of $STARTS" "$(quantile 0.5 <"$DIR/ready") ms" "≤ 500 ms"
    at_most "ready, ms" "$(quantile 0.5 <"$DIR/ready")" 500
}

resident() {
    local rss maps bytes total
    api_all 8 POST '/containers/create?name=idle-@' \
        '{"Image":"watchkeeper/act:test","Cmd":["/bin/act","sleep"],"HostConfig":{"NetworkMode":"none","LogConfig":{"Type":"none"}}}' \
        "$DIR/out/create.@" 1 "$CONTAINERS"
    start_timed_agent
    api_all 4 POST '/containers/idle-@/start' '' "$DIR/out/start.@" 1 "$CONTAINERS"
    check "$CONTAINERS containers run" test "$(docker ps -q | wc -l)" -eq "$CONTAINERS"
    memory >"$DIR/memory"
    note "$(cat "$DIR/memory")"
    rss=$(awk '{ s += $2 } END { print s }' "$DIR/memory")
    read -r maps bytes < <(map_memory)
    total=$(awk -v a="$rss" -v b="$bytes" 'BEGIN { printf "%.1f", a / 1024 + b / 1048576 }')
    row "RSS of $(wc -l <"$DIR/memory") processes + $maps BPF maps, $CONTAINERS containers" \
        "$total MiB: $(awk '{ printf "%s %.1f, ", $1, $2 / 1024 }' "$DIR/memory")maps $(awk -v b="$bytes" 'BEGIN { printf "%.1f", b / 1048576 }'); with mapped ring pages counted in the engine too: $(plain "$bytes")" "≤ 96 MiB"
    at_most "RSS and maps, MiB" "$total" 96
}

idle() {
    local before after share
    before=$(agent_cpu_ms)
    sleep "$IDLE_SECONDS"
    after=$(agent_cpu_ms)
    share=$(awk -v ms=$((after - before)) -v s="$IDLE_SECONDS" 'BEGIN { printf "%.2f", ms / s / 10 }')
    row "idle over $IDLE_SECONDS s, $CONTAINERS containers that sleep" "$share % of a core" "≤ 0.3 %"
    at_most "idle, percent of a core" "$share" 0.3
}

binary() {
    local bytes
    bytes=$(stat -c %s "$TARGET/release/watchkeeper")
    row "stripped binary" "$(awk -v b="$bytes" 'BEGIN { printf "%.1f", b / 1e6 }') MB" "≤ 15 MB"
    at_most "bytes of the binary" "$bytes" 15000000
}

build() {
    local begin=$SECONDS took
    (cd "$REPO" && CARGO_TARGET_DIR=$DIR/target cargo build -q --release --locked -p watchkeeper)
    took=$((SECONDS - begin))
    row "release build from nothing on $(nproc) cores" "$((took / 60)) min $((took % 60)) s" "≤ 6 min"
    at_most "seconds of the build" "$took" 360
}

main() {
    [ "$(id -u)" -eq 0 ] || { skip "sensing needs root"; return 0; }
    install_packages "${LIVE_PACKAGES[@]}" curl gcc libc6-dev || { skip "the live tests' packages are missing"; return 0; }
    start_docker "$(mktemp -d /tmp/watchkeeper-live.XXXXXX)"
    DIR=$DOCKER_DIR
    trap 'stop_agent || true; stop_docker' EXIT
    mkdir "$DIR/out"
    build_load "$DIR/load"
    import_image watchkeeper/act:test '["/bin/act"]' "$DIR/load/act=bin/act"
    binary
    ready_time
    resident
    idle
    stop_agent || true
    [ -z "${BUILD:-}" ] || build
    verdict_total
}

main "$@"
exit
