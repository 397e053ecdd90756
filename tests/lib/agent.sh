# The agent under live test. Sourced after common.sh, and after docker.sh with Docker started where it is to see that: it is
# told of it by DOCKER_HOST.

AGENT_PID=
AGENT_DIR=
AGENT_MARK=
AGENT_COUNT=0

# await_host: waits until no other agent runs: there is one instance per host.
await_host() {
    until_true 300 flock -n /run/watchkeeper.lock true || die "another instance of Watchkeeper keeps running on this host"
}

# launch_agent ARG…: `watchkeeper watch` with these arguments and a mark in its environment, which its processes
# inherit (marked_processes). AGENT_OUT is where alerts go, if not to alerts.ndjson. A shell's background job would
# ignore SIGINT; what a terminal starts does not.
launch_agent() {
    await_host
    AGENT_MARK=$$-$((++AGENT_COUNT))
    : >"$AGENT_DIR/alerts.ndjson"
    : >"$AGENT_DIR/agent.err"
    env --default-signal=INT,QUIT WATCHKEEPER_TEST_MARK="$AGENT_MARK" "$TARGET/release/watchkeeper" watch \
        --format json --strategies "$REPO/strategies" "$@" >"${AGENT_OUT:-$AGENT_DIR/alerts.ndjson}" 2>"$AGENT_DIR/agent.err" &
    AGENT_PID=$!
}

# start_watch ARG…: launches the agent and returns once it watches. Needs no Docker.
start_watch() {
    launch_agent "$@"
    until_true 30 agent_said 'ready after' || {
        note "the agent did not start within 30 s: $(cat "$AGENT_DIR/agent.err")"
        return 1
    }
}

# agent_pids: ids of the agent's three processes.
agent_pids() { echo "$AGENT_PID" "$(pgrep -P "$AGENT_PID" | tr '\n' ' ')"; }

# agent_cpu_ms: processor time of the agent's processes so far, in ms.
agent_cpu_ms() {
    local pid sum=0 ticks
    for pid in $(agent_pids); do
        ticks=$(awk '{ sub(/.*\) /, ""); print $12 + $13 }' "/proc/$pid/stat")
        sum=$((sum + ticks * 1000 / $(getconf CLK_TCK)))
    done
    echo "$sum"
}

agent_said() { grep -qE -- "$1" "$AGENT_DIR/agent.err"; }

# marked_processes: ids of the processes of the last launch that are still there, zombies aside.
marked_processes() {
    local process
    for process in $(grep -lzxF "WATCHKEEPER_TEST_MARK=$AGENT_MARK" /proc/[0-9]*/environ 2>/dev/null); do
        process=${process#/proc/}
        echo "${process%/environ}"
    done
}

none_marked() { [ -z "$(marked_processes)" ]; }

# agent_child ROLE: the id of the agent's engine or actor.
agent_child() { pgrep -P "$AGENT_PID" -f "process $1"; }

# agent_status SECONDS: waits for the agent to end by itself and returns its status; 124 when it does not.
agent_status() {
    local status=0 pid=$AGENT_PID
    until_true "$1" process_gone "$pid" || return 124
    AGENT_PID=
    wait "$pid" || status=$?
    return "$status"
}

# ends NAME STATUS COMMAND…: a verdict on a command that waits for the agent. `check` is a shell of its own and cannot
# wait for it.
ends() {
    local name=$1 wanted=$2 status=0
    shift 2
    "$@" || status=$?
    if [ "$status" -eq "$wanted" ]; then
        pass "$name"
    else
        fail "$name: status $status instead of $wanted"
        tail -n 5 "$AGENT_DIR/agent.err" | sed 's/^/    /'
    fi
}

# start_agent ARG…: `watchkeeper watch` with these arguments added; returns once it sees a container's act.
# Leaves DIR/alerts.ndjson, DIR/events.ndjson and DIR/agent.err in Docker's folder.
start_agent() {
    AGENT_DIR=$DOCKER_DIR
    trap 'stop_agent || true; stop_docker' EXIT
    await_host
    "$TARGET/release/watchkeeper" watch --format json --strategies "$REPO/strategies" --record "$AGENT_DIR/events.ndjson" "$@" \
        >"$AGENT_DIR/alerts.ndjson" 2>"$AGENT_DIR/agent.err" &
    AGENT_PID=$!
    until_true 30 agent_sees "ready-$AGENT_PID" || {
        note "the agent saw no container within 30 s; its last messages:"
        tail -n 20 "$AGENT_DIR/agent.err" >&2
        return 1
    }
}

# agent_sees MARK: acts once with the mark in its arguments, then looks for it.
agent_sees() {
    process_gone "$AGENT_PID" && return 1
    docker run --rm watchkeeper/busybox:test sh -c ": $1"
    grep -q "$1" "$AGENT_DIR/events.ndjson"
}

# stop_agent [SIGNAL]: ends the agent and returns its status.
stop_agent() {
    local status=0 pid=$AGENT_PID
    [ -n "$pid" ] || return 0
    AGENT_PID=
    kill -s "${1:-INT}" "$pid" 2>/dev/null || true
    until_true 15 process_gone "$pid" || kill -9 "$pid"
    wait "$pid" || status=$?
    return "$status"
}

# alert_count CONDITION: distinct alerts so far for which the jq condition holds.
alert_count() {
    jq -r "select($1) | .finding_info.uid" "$AGENT_DIR/alerts.ndjson" | sort -u | wc -l
}

has_alert() { [ "$(alert_count "$1")" -gt 0 ]; }

# expect_alert NAME SECONDS CONDITION: a verdict; what came instead is shown when it fails.
expect_alert() {
    if until_true "$2" has_alert "$3"; then
        pass "$1"
    else
        fail "$1: no alert within $2 s where $3"
        jq -r '"    alert: " + .finding_info.title + ": " + .message' "$AGENT_DIR/alerts.ndjson"
    fi
}
