#!/usr/bin/env bash
# How fast captures become flows, on one core, beside nDPI's reader (Debian's libndpi-bin) in turns.
#
#   PAIRS=5
#
# Both read the same two files, made of the test captures with other addresses in each copy: nDPI's 20 times, Zeek's 16
# times. nDPI counts by its own timer, which leaves out its start and its end; ours counts from opening the file to the last
# flow. The best of the runs counts on both sides. Processor time of the whole process stands beside it, since a machine that
# others use stretches both timers.
#
# Needs the captures ($WATCHKEEPER_DATA/pcap) and 400 MB in /tmp.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../lib/common.sh
. "$here/../lib/common.sh"
# shellcheck source=../lib/load.sh
. "$here/../lib/load.sh"
# shellcheck source=../lib/packages.sh
. "$here/../lib/packages.sh"

CAPTURES=${WATCHKEEPER_DATA:-$REPO/../shared/data}/pcap
PAIRS=${PAIRS:-5}
DIR=
CORE=0

# field NAME: the value behind NAME in a line of `throughput read`.
field() { sed -n "s/.*\\b$1 \\([0-9.]*\\).*/\\1/p"; }

# One line: ms by its own timer, processor ms of the whole process.
ndpi() {
    local out
    out=$( (TIMEFORMAT='processor %U %S'; time taskset -c "$CORE" ndpiReader -i "$1" -v 0) 2>&1 )
    awk '/Packet Processing Time/ { own = $4 } /^processor/ { all = ($2 + $3) * 1000 } END { print own, all }' <<<"$out"
}

ours() {
    local out
    out=$(taskset -c "$CORE" "$TARGET/release/examples/throughput" read "$1")
    printf '%s %s\n' "$(field wall_s <<<"$out")" "$(field processor_s <<<"$out")" | awk '{ print $1 * 1000, $2 * 1000 }'
    printf '%s\n' "$out" >"$DIR/last"
}

smallest() { sort -g | head -n 1; }

# compare NAME FOLDER COPIES LEAST
compare() {
    local file=$DIR/$1.pcap number theirs own packets by_timer by_processor
    "$TARGET/release/examples/throughput" merge "$CAPTURES/$2" "$3" "$file"
    : >"$DIR/theirs" && : >"$DIR/own"
    for number in $(seq "$PAIRS"); do
        ndpi "$file" >>"$DIR/theirs"
        ours "$file" >>"$DIR/own"
    done
    theirs=$(cut -d ' ' -f 1 "$DIR/theirs" | smallest)
    own=$(cut -d ' ' -f 1 "$DIR/own" | smallest)
    packets=$(field packets <"$DIR/last")
    by_timer=$(awk -v a="$theirs" -v b="$own" 'BEGIN { printf "%.2f", a / b }')
    by_processor=$(awk -v a="$(cut -d ' ' -f 2 "$DIR/theirs" | smallest)" -v b="$(cut -d ' ' -f 2 "$DIR/own" | smallest)" \
        'BEGIN { printf "%.2f", a / b }')
    row "flows of merged $2 ×$3, one core, $packets packets, best of $PAIRS" \
        "ours $(awk -v p="$packets" -v ms="$own" 'BEGIN { printf "%.2f", p / ms / 1000 }') Mpps, ndpiReader $(awk -v p="$packets" -v ms="$theirs" 'BEGIN { printf "%.2f", p / ms / 1000 }') Mpps: $by_timer times by the timers, $by_processor times by processor time; $(field peak_kb <"$DIR/last") kB at most; $(field bytes_per_flow <"$DIR/last") bytes a flow" \
        "≥ $4 times; ≤ 256 bytes a flow"
    at_least "times ndpiReader, $2" "$by_timer" "$4"
    at_most "bytes a flow" "$(field bytes_per_flow <"$DIR/last")" 256
    rm "$file"
}

main() {
    [ -d "$CAPTURES/ndpi" ] || { skip "there are no captures at $CAPTURES"; return 0; }
    install_packages libndpi-bin || { skip "libndpi-bin cannot be had"; return 0; }
    DIR=$(mktemp -d /tmp/watchkeeper-flows-speed.XXXXXX)
    trap 'rm -rf "$DIR"' EXIT
    example watchkeeper-flow throughput
    compare a ndpi 20 5
    compare b zeek-traces 16 2.4
    verdict_total
}

main "$@"
exit
