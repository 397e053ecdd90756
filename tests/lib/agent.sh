# The agent under live test. Sourced after docker.sh, with Docker started: the agent is told of it by DOCKER_HOST.

AGENT_PID=
AGENT_DIR=

# start_agent ARG…: `watchkeeper watch` with these arguments added; returns once it sees a container's act.
# Leaves DIR/alerts.ndjson, DIR/events.ndjson and DIR/agent.err in Docker's folder.
start_agent() {
    AGENT_DIR=$DOCKER_DIR
    trap 'stop_agent || true; stop_docker' EXIT
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
