#!/usr/bin/env bash
# The standing table's whole pipeline with all strategies: live under mix M, then a recording of it from memory.
#
#   RATE=100000 SECONDS_EACH=30; RECORD_RATE=20000 RECORD_SECONDS=10: what the replay runs over
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../lib/common.sh
. "$here/../lib/common.sh"
# shellcheck source=../lib/agent.sh
. "$here/../lib/agent.sh"
# shellcheck source=../lib/load.sh
. "$here/../lib/load.sh"

RATE=${RATE:-100000}
SECONDS_EACH=${SECONDS_EACH:-30}
RECORD_RATE=${RECORD_RATE:-20000}
RECORD_SECONDS=${RECORD_SECONDS:-10}
DIR=

# watch ARG…: the agent without Docker; returns once it says that it is ready.
watch() { start_watch "$@" || die "no agent"; }

# The last of the agent's messages says what it saw.
end_watch() {
    stop_agent || true
    read -r EVENTS LOST < <(
        sed -n 's/.*from \([0-9]*\) events, \([0-9]*\) observations lost.*/\1 \2/p' "$AGENT_DIR/agent.err" | tail -n 1
    ) || die "the agent did not say what it saw: $(cat "$AGENT_DIR/agent.err")"
}

tidy() {
    stop_agent || true
    rm -rf "$DIR"
}

live() {
    local before after reached
    watch
    before=$(agent_cpu_ms)
    "$DIR/mix" "$RATE" "$SECONDS_EACH" >"$DIR/mix.json"
    after=$(agent_cpu_ms)
    end_watch
    reached=$(jq .records_per_s "$DIR/mix.json")
    row "whole pipeline, all strategies, live, mix M, $SECONDS_EACH s on $(nproc) cores" \
        "$reached/s generated, $EVENTS events, $LOST lost; agent $(jq -n "($after - $before) * 1000 / $(jq .records "$DIR/mix.json") | . * 100 | floor / 100") µs a record, generator $(jq .cpu_us_per_record "$DIR/mix.json") µs" \
        "100,000/s, 0 lost"
    at_least "records a second generated" "$reached" $((RATE * 99 / 100))
    at_most "observations lost" "$LOST" 0
}

replay() {
    local report
    watch --record "$DIR/recording"
    "$DIR/mix" "$RECORD_RATE" "$RECORD_SECONDS" >/dev/null
    end_watch
    report=$("$TARGET/release/examples/pipeline" "$REPO/strategies" "$DIR/recording")
    row "whole pipeline, replay from memory, $(jq .events <<<"$report") events, $(jq .strategies <<<"$report") strategies" \
        "$(jq .events_per_s <<<"$report") events/s/core (median of passes $(jq '.passes_per_s | sort | .[length / 2 | floor]' <<<"$report"))" \
        "≥ 500,000 events/s/core"
    at_least "events a second and core" "$(jq .events_per_s <<<"$report")" 500000
}

main() {
    [ "$(id -u)" -eq 0 ] || { skip "sensing needs root"; return 0; }
    DIR=$(mktemp -d /tmp/watchkeeper-pipeline.XXXXXX)
    AGENT_DIR=$DIR
    trap tidy EXIT
    example watchkeeper-detect pipeline
    build_load "$DIR"
    live
    replay
    verdict_total
}

main "$@"
exit
