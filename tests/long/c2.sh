#!/usr/bin/env bash
# The standing table's command and control: which of the known connections of captures raise an alert, and how many
# benign flows do. Strategies judge behaviour: none of them names a family.
#
# A flow counts as alerted where an alert of the same capture has its addresses and the port that was opened. Each benign
# alert is named. Captures under data/pcap/ndpi hold attacks too, which count as benign here.
#
# Needs the captures ($WATCHKEEPER_DATA/pcap) and jq.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../lib/common.sh
. "$here/../lib/common.sh"
# shellcheck source=../lib/load.sh
. "$here/../lib/load.sh"

CAPTURES=${WATCHKEEPER_DATA:-$REPO/../shared/data}/pcap
DIR=

# "SRC DST DPORT", one for each flow of a capture, who opened first.
flows_of() {
    "$TARGET/release/watchkeeper" flows --format json "$1" 2>/dev/null |
        jq -r '"\(.src_ip) \(.dst_ip) \(.dst_port)"' || true
}

# "SRC DST DPORT STRATEGY RULE" of each alert: from the own end to the peer, and the other way for what came from outside.
alerts_of() {
    "$TARGET/release/watchkeeper" replay --format json --strategies "$REPO/strategies" "$1" 2>/dev/null | jq -r '
        select(.activity_id == 1) | (.finding_info | "\(.analytic.name)\t\(.title)") as $what
        | .evidences[] | select(.dst_endpoint)
        | "\(.src_endpoint.ip) \(.dst_endpoint.ip) \(.dst_endpoint.port)\t\($what)",
          "\(.dst_endpoint.ip) \(.src_endpoint.ip) \(.src_endpoint.port)\t\($what)"' | sort -u || true
}

known() {
    local capture src dst port what rules total=0 found=0
    while IFS=$'\t' read -r capture src dst port what; do
        total=$((total + 1))
        rules=$(alerts_of "$CAPTURES/$capture" | awk -F'\t' -v ends="$src $dst $port" '$1 == ends { print $3 }' | sort -u | paste -sd ';')
        if [ -n "$rules" ]; then found=$((found + 1)); else rules="NO ALERT"; fi
        note "$what, $src > $dst:$port: $rules"
    done < <(tail -n +2 "$CAPTURES/c2_truth.tsv")
    row "known command and control connections" "$found of $total alerted" "all"
    at_least "known connections with an alert" "$found" "$total"
}

# benign_of NAME FILE…: "FLOWS ALERTED" of captures; names what alerts.
benign_of() {
    local name=$1 file flows=0 alerted=0 here_flows here_alerted
    shift
    for file in "$@"; do
        flows_of "$file" >"$DIR/flows"
        here_flows=$(wc -l <"$DIR/flows")
        alerts_of "$file" >"$DIR/alerts"
        cut -f 1 "$DIR/alerts" | sort -u >"$DIR/ends"
        here_alerted=$(grep -cxFf "$DIR/ends" "$DIR/flows" || true)
        [ -s "$DIR/ends" ] || here_alerted=0
        if [ "$here_alerted" -gt 0 ]; then
            note "$name: $(basename "$file"): $here_alerted of $here_flows flows: $(
                sort -u "$DIR/flows" | join -t $'\t' - <(sort "$DIR/alerts") | cut -f 3 | sort | uniq -c | sort -rn | paste -sd ';'
            )"
        fi
        flows=$((flows + here_flows)) alerted=$((alerted + here_alerted))
    done
    printf '%s %s\n' "$flows" "$alerted"
}

share() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.3f", b ? 100 * a / b : 0 }'; }

benign() {
    local name folder pattern files counts flows=0 alerted=0
    while read -r name folder pattern; do
        mapfile -t files < <(find "$CAPTURES/$folder" -type f -regextype posix-extended -regex "$pattern" | sort)
        read -ra counts < <(benign_of "$name" "${files[@]}")
        note "$name: ${counts[1]} of ${counts[0]} flows in ${#files[@]} captures"
        flows=$((flows + counts[0])) alerted=$((alerted + counts[1]))
    done <<'SETS'
zeek-traces zeek-traces .*\.(pcap|pcapng|trace|cap)
graphtunnel graphtunnel-dns .*/normal[^/]*\.pcap
ndpi ndpi .*\.(pcap|pcapng|cap)
SETS
    row "benign flows alerted (zeek-traces, graphtunnel normal, ndpi whole)" "$alerted of $flows, $(share "$alerted" "$flows") %" "≤ 0.5 %"
    at_most "percent of benign flows with an alert" "$(share "$alerted" "$flows")" 0.5
}

main() {
    [ -f "$CAPTURES/c2_truth.tsv" ] || { skip "there are no captures at $CAPTURES"; return 0; }
    DIR=$(mktemp -d /tmp/watchkeeper-c2.XXXXXX)
    trap 'rm -rf "$DIR"' EXIT
    known
    benign
    verdict_total
}

main "$@"
exit
