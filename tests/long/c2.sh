#!/usr/bin/env bash
# The standing table's command and control: which of the known connections of captures raise an alert, and how many
# benign flows do. Strategies judge behaviour: none of them names a family.
#
# A flow counts as alerted where an alert of the same capture has its addresses and the port that was opened. Each benign
# alert is named. Captures under data/pcap/ndpi hold attacks too: those of tests/data/ndpi_not_benign.txt are left out, each
# for the reason that stands there; the number with them is printed beside.
#
# Needs the captures ($WATCHKEEPER_DATA/pcap) and jq.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../lib/common.sh
. "$here/../lib/common.sh"
# shellcheck source=../lib/load.sh
. "$here/../lib/load.sh"

CAPTURES=${WATCHKEEPER_DATA:-$REPO/../shared/data}/pcap
NOT_BENIGN=$REPO/tests/data/ndpi_not_benign.txt
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
    local zeek tunnel ndpi all files=() with=()
    mapfile -t files < <(find "$CAPTURES/zeek-traces" -type f \( -name '*.pcap' -o -name '*.pcapng' -o -name '*.trace' \) | sort)
    read -ra zeek < <(benign_of zeek-traces "${files[@]}")
    mapfile -t files < <(find "$CAPTURES/graphtunnel-dns" -name 'normal*.pcap' | sort)
    read -ra tunnel < <(benign_of graphtunnel "${files[@]}")
    files=()
    while read -r all; do
        if grep -q "^$(basename "$all")[[:space:]]" "$NOT_BENIGN"; then with+=("$all"); else files+=("$all"); fi
    done < <(find "$CAPTURES/ndpi" -name '*.pcap' -o -name '*.pcapng' -o -name '*.cap' | sort)
    read -ra ndpi < <(benign_of ndpi "${files[@]}")
    local flows=$((zeek[0] + tunnel[0] + ndpi[0])) alerted=$((zeek[1] + tunnel[1] + ndpi[1]))
    row "benign flows alerted (zeek-traces, graphtunnel normal, ndpi without ${#with[@]} captures)" \
        "$alerted of $flows, $(share "$alerted" "$flows") %" "≤ 0.5 %"
    at_most "percent of benign flows with an alert" "$(share "$alerted" "$flows")" 0.5
    read -ra all < <(benign_of "left out" "${with[@]}")
    row "the same with those captures" \
        "$((alerted + all[1])) of $((flows + all[0])), $(share "$((alerted + all[1]))" "$((flows + all[0]))") %" "–"
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
