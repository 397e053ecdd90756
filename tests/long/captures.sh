#!/usr/bin/env bash
# The standing table's bad input: every capture, those made to break readers included, through `replay` with all strategies.
#
#   LIMIT_SECONDS=120 LIMIT_MIB=256
#
# Each capture must end by itself within the time and the memory with an exit status of the contract, write nothing that acts
# on a terminal, and say what it could not read: a hint where it is refused, and a sentence where tcpdump finds that it is
# cut. Captures run side by side, one on each core.
#
# Needs the captures ($WATCHKEEPER_DATA/pcap).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../lib/common.sh
. "$here/../lib/common.sh"
# shellcheck source=../lib/load.sh
. "$here/../lib/load.sh"
# shellcheck source=../lib/packages.sh
. "$here/../lib/packages.sh"

CAPTURES=${WATCHKEEPER_DATA:-$REPO/../shared/data}/pcap
LIMIT_SECONDS=${LIMIT_SECONDS:-120}
LIMIT_MIB=${LIMIT_MIB:-256}
DIR=

# replay FILE: "STATUS KIB CUT SAID HARMFUL FILE", separated by tabs. CUT: tcpdump finds the end inside a packet; SAID: whether
# and how the file is spoken of; HARMFUL: control characters among the messages.
replay() {
    local status=0 cut=whole said=nothing harmful=no here
    here=$(mktemp -d "$DIR/one.XXXXXX")
    timeout --signal=KILL "$LIMIT_SECONDS" /usr/bin/time --quiet --format '%M' --output "$here/peak" \
        "$TARGET/release/watchkeeper" replay --format json --strategies "$REPO/strategies" "$1" \
        >/dev/null 2>"$here/said" </dev/null || status=$?
    tcpdump -r "$1" -w /dev/null 2>&1 | grep -q 'truncated dump file' && cut="cut"
    grep -qF -- "$1" "$here/said" && said=named
    grep -q '^hint: ' "$here/said" && said=hint
    LC_ALL=C grep -q '[[:cntrl:]]' "$here/said" && harmful=yes
    printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$status" "$(tail -n 1 "$here/peak")" "$cut" "$said" "$harmful" "$1"
    rm -r "$here"
}

# none_of NAME CONDITION: a verdict: no capture for which awk's condition over the columns holds.
none_of() {
    local found
    found=$(awk -F '\t' "$2" "$DIR/all" | cut -f 6)
    if [ -z "$found" ]; then pass "$1"; else fail "$1: $(wc -l <<<"$found"): $(head -n 5 <<<"$found" | paste -sd ' ')"; fi
}

count() { awk -F '\t' "$1" "$DIR/all" | wc -l; }

main() {
    [ -d "$CAPTURES" ] || { skip "there are no captures at $CAPTURES"; return 0; }
    install_packages tcpdump time || { skip "tcpdump cannot be had"; return 0; }
    DIR=$(mktemp -d /tmp/watchkeeper-captures.XXXXXX)
    trap 'rm -rf "$DIR"' EXIT
    export -f replay
    export DIR TARGET REPO LIMIT_SECONDS
    find "$CAPTURES" -type f -regextype posix-extended -regex '.*\.(pcap|pcapng|cap)' -print0 | sort -z |
        xargs -0 -P "$(nproc)" -I '{}' bash -c 'replay "$1"' replay '{}' >"$DIR/all"
    row "captures replayed, among them those made to break readers" \
        "$(wc -l <"$DIR/all"): $(count '$4 == "nothing"') whole, $(count '$4 == "named"') read as far as said, $(count '$4 == "hint"') refused; at most $(cut -f 2 "$DIR/all" | quantile 1 | awk '{ printf "%.0f", $1 / 1024 }') MiB, $LIMIT_SECONDS s each" \
        "no panic, no hang, bounded memory, what is not read is said"
    none_of "every capture ends with a status of the contract" '$1 > 2'
    none_of "memory stays below $LIMIT_MIB MiB" "\$2 > $LIMIT_MIB * 1024"
    none_of "what is refused is refused with a hint" '$1 == 2 && $4 != "hint"'
    none_of "what tcpdump finds cut is spoken of" '$3 == "cut" && $4 == "nothing"'
    none_of "no message acts on a terminal" '$5 == "yes"'
    at_least "captures" "$(wc -l <"$DIR/all")" 1000
    verdict_total
}

main "$@"
exit
