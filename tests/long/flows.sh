#!/usr/bin/env bash
# The standing table's flows: how captures with known truth are read. Protocols against nDPI's labels by content and against
# what Arkime, tshark and Suricata's tests say of theirs; QUIC's hello against nDPI's output; JA4 and HASSH against FoxIO's own
# values. Every flow that differs is named.
#
# Needs the captures ($WATCHKEEPER_DATA/pcap).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../lib/common.sh
. "$here/../lib/common.sh"
# shellcheck source=../lib/load.sh
. "$here/../lib/load.sh"

CAPTURES=${WATCHKEEPER_DATA:-$REPO/../shared/data}/pcap
DIR=

protocols() {
    local report numbers
    report=$(WATCHKEEPER_DATA=$CAPTURES/.. "$TARGET/release/examples/accuracy")
    note "$(grep -E '^(missed|wrong|adjudicated:? [a-z])' <<<"$report")"
    row "protocols of nDPI's captures, named set, labels alone" "$(grep '^by the labels alone' <<<"$report")" "–"
    numbers=$(grep '^adjudicated: recall' <<<"$report")
    row "the same, adjudicated" "$numbers" "recall ≥ 0.98, precision ≥ 0.998, within 4 ≥ 0.93"
    at_least "recall" "$(sed -n 's/.*recall \([0-9.]*\).*/\1/p' <<<"$numbers")" 0.98
    at_least "precision" "$(sed -n 's/.*precision \([0-9.]*\).*/\1/p' <<<"$numbers")" 0.998
    at_least "within 4 payloads" "$(sed -n 's/.*payloads \([0-9.]*\).*/\1/p' <<<"$numbers")" 0.93
    numbers=$(sed -n 's/^adjudicated flows .*: \([0-9.]*\),.*/\1/p' <<<"$report")
    row "share of flows adjudicated against their label" "$numbers" "≤ 0.005"
    at_most "share of flows adjudicated" "$numbers" 0.005
}

# Other engines about their own captures.
corpora() {
    local report
    report=$(WATCHKEEPER_DATA=$CAPTURES/.. "$TARGET/release/examples/accuracy" --cross 2>/dev/null)
    note "$(grep -v ': agreement ' <<<"$report")"
    row "protocols across corpora" "$(grep ': agreement ' <<<"$report" | paste -sd ';')" "≥ 0.95"
    at_least "agreement across corpora" "$(sed -n 's/^across corpora: agreement \([0-9.]*\).*/\1/p' <<<"$report")" 0.95
    check "every disagreement has a reason" test "$(grep -cF '(not looked into)' <<<"$report")" -eq 0
}

messages() {
    local report
    report=$(WATCHKEEPER_DATA=$CAPTURES/.. "$TARGET/release/examples/accuracy" --messages 2>/dev/null)
    note "$(grep '^differs' <<<"$report")"
    row "first messages" "$(grep ' identical$' <<<"$report" | paste -sd ';')" "–"
}

# The path of a capture of FoxIO's; some are stored with Arkime's.
capture_of() { find "$CAPTURES/ja4" "$CAPTURES/arkime" -name "$1" -print -quit; }

# "CAPTURE FLOW JA4", one for each flow of which FoxIO gives one; a flow may have several.
expected_ja4() {
    local values name
    for values in "$CAPTURES"/ja4/*.json; do
        name=$(basename "$values" .json)
        [ -n "$(capture_of "$name")" ] || { note "$name is not among the captures"; continue; }
        jq -r --arg capture "$name" '
            (if type == "array" then .[] else . end)
            | "\($capture) \(.src):\(.srcport)>\(.dst):\(.dstport)" as $flow
            | to_entries[] | select(.key | startswith("JA4.")) | "\($flow) \(.value)"' "$values"
    done | sort -u
}

# The same of what `flows` says about these captures.
found_ja4() {
    local name
    while read -r name; do
        "$TARGET/release/watchkeeper" flows --format json "$(capture_of "$name")" 2>>"$DIR/messages" |
            jq -r --arg capture "$name" \
                'select(.ja4) | "\($capture) \(.src_ip):\(.src_port)>\(.dst_ip):\(.dst_port) \(.ja4)"'
    done < <(cut -d ' ' -f 1 "$DIR/expected" | sort -u) | sort -u
}

# A flow counts once, and is right where one of its values is found.
ja4() {
    local total right
    expected_ja4 >"$DIR/expected"
    found_ja4 >"$DIR/found"
    cut -d ' ' -f 1,2 "$DIR/expected" | sort -u >"$DIR/flows"
    comm -12 "$DIR/expected" "$DIR/found" | cut -d ' ' -f 1,2 | sort -u >"$DIR/right"
    note "$(comm -23 "$DIR/flows" "$DIR/right" | sed 's/^/JA4 differs or is missing: /')"
    total=$(wc -l <"$DIR/flows")
    right=$(wc -l <"$DIR/right")
    row "JA4 of FoxIO's captures" "$right of $total flows identical" "all"
    at_least "flows with FoxIO's JA4" "$right" "$total"
}

main() {
    [ -d "$CAPTURES/ndpi" ] || { skip "there are no captures at $CAPTURES"; return 0; }
    DIR=$(mktemp -d /tmp/watchkeeper-flows.XXXXXX)
    trap 'rm -rf "$DIR"' EXIT
    example watchkeeper-flow accuracy
    protocols
    corpora
    messages
    ja4
    verdict_total
}

main "$@"
exit
