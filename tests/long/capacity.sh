#!/usr/bin/env bash
# The standing table's sense + decode + filter: mix M from 20 cgroups against one reader that decodes and drops. Nothing
# may be lost at the rate that must be reached where no strategy wants files; when all is wanted, the generators are let loose
# and the reader is starved, what was generated must equal what was seen and counted as lost.
#
#   RATE=250000 SECONDS_EACH=30
#
# Generators and reader share the machine, so a rate is reached only where there are cores for both: the processor time
# per record of either is printed beside it, and what one core of reader could take.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../lib/common.sh
. "$here/../lib/common.sh"
# shellcheck source=../lib/load.sh
. "$here/../lib/load.sh"

RATE=${RATE:-250000}
SECONDS_EACH=${SECONDS_EACH:-30}
DIR=

# run_mix RATE NAME PRIORITY [no-files]: leaves NAME.mix and NAME.seen, the reports of both sides.
run_mix() {
    local reader
    : >"$DIR/run"
    nice -n "$3" "$TARGET/release/examples/capacity" "$DIR/run" ${4:+"$4"} >"$DIR/$2.out" &
    reader=$!
    until_true 30 grep -q ready "$DIR/$2.out" || die "the sensor did not load"
    "$DIR/mix" "$1" "$SECONDS_EACH" >"$DIR/$2.mix" || die "the generator failed"
    rm "$DIR/run"
    wait "$reader"
    tail -n 1 "$DIR/$2.out" >"$DIR/$2.seen"
}

# of NAME FILTER: a number of both reports: .mix and .seen.
of() { jq -rn --slurpfile mix "$DIR/$1.mix" --slurpfile seen "$DIR/$1.seen" "{mix: \$mix[0], seen: \$seen[0]} | $2"; }

# Each kind of the mix against what was seen of it, and the records that its ring lost: GENERATED SEEN LOST.
FILES='"\(.mix.opens) \([.seen.seen | to_entries[] | select(.key | startswith("file_event/")) | .value] | add // 0) \(.seen.lost[1])"'
PROCESSES='"\(.mix.execs + 2 * .mix.forks) \([.seen.seen | .["process_creation/exec"], .["process_fork/fork"], .["process_termination/exit"]] | add // 0) \(.seen.lost[0])"'

# exact NAME WHAT FILTER SLACK: generated = seen + lost. SLACK: workers and their cgroups are seen too.
exact() {
    local generated seen lost
    read -r generated seen lost < <(of "$1" "$3")
    check "$2 of $1: $generated generated = $seen seen + $lost lost" \
        test $((seen + lost - generated)) -ge 0 -a $((seen + lost - generated)) -le "$4"
}

main() {
    [ "$(id -u)" -eq 0 ] || { skip "sensing needs root"; return 0; }
    DIR=$(mktemp -d /tmp/watchkeeper-capacity.XXXXXX)
    trap 'rm -rf "$DIR"' EXIT
    example watchkeeper-sense capacity
    build_load "$DIR"
    local name reached lost per_core
    # The priority of the agent's reading thread.
    run_mix "$RATE" paced -15 no-files
    run_mix 0 overload 19
    exact overload files "$FILES" 0
    check "the overload loses records" test "$(of overload '.seen.lost | add')" -gt 0
    for name in paced overload; do
        exact "$name" "process records" "$PROCESSES" 100
        reached=$(of "$name" '.mix.records_per_s')
        lost=$(of "$name" '.seen.lost | add')
        per_core=$(of "$name" '.seen.records * 100 / (.seen.cpu_ticks_user + .seen.cpu_ticks_system + 0.001) | floor')
        row "sense + decode + filter, mix M, $([ "$name" = paced ] && echo "no strategy wanting files" || echo "all wanted, unpaced, reader at nice 19"), $SECONDS_EACH s on $(nproc) cores" \
            "$reached/s generated, $lost lost; one core of reader takes $per_core/s; generator $(of "$name" '.mix.cpu_us_per_record') µs a record" \
            "$([ "$name" = paced ] && echo "250,000/s, 0 lost" || echo "loss counted exactly")"
        [ "$name" = overload ] || at_most "records lost" "$lost" 0
        [ "$name" = overload ] || at_least "records a second generated" "$reached" $((RATE * 99 / 100))
    done
    verdict_total
}

main "$@"
exit
