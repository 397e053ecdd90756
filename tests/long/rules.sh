#!/usr/bin/env bash
# The standing table's rules: our engine and rsigma over the same rules and events, in turns, on one thread; and rsigma over the
# conformance suite, where every answer that differs from ours must be explained (oracle/disagreements.yaml).
#
#   EVENTS=200000
#
# Needs SigmaHQ's rules ($WATCHKEEPER_DATA/rules/sigma) and the crates of oracle/Cargo.lock.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../lib/common.sh
. "$here/../lib/common.sh"
# shellcheck source=../lib/load.sh
. "$here/../lib/load.sh"

EVENTS=${EVENTS:-200000}
DATA=${WATCHKEEPER_DATA:-$REPO/../shared/data}
PROGRAM=$TARGET/oracle/release/watchkeeper-oracle

# rsigma declares a newer Rust than it needs.
build() {
    (cd "$REPO/oracle" && CARGO_TARGET_DIR=$TARGET/oracle cargo build -q --release --locked --ignore-rust-version)
}

fetched() {
    (cd "$REPO/oracle" && cargo fetch -q --locked) 2>/dev/null || (cd "$REPO/oracle" && cargo fetch -q --locked --offline)
}

bench() {
    local lines kind name measured must verdict
    lines=$(mktemp)
    check "both engines report the same matches" bench_into "$lines"
    while IFS=$'\t' read -r kind name measured must verdict; do
        [ "$kind" = row ] || continue
        row "$name" "$measured" "$must"
        check "$name" test "$verdict" != no
    done <"$lines"
    rm "$lines"
}

# Its output is shown where it fails.
bench_into() { WATCHKEEPER_DATA=$DATA "$PROGRAM" bench "$EVENTS" | tee "$1"; }

conformance() {
    local output
    output=$(mktemp)
    check "every disagreement of rsigma is explained" conformance_into "$output"
    row "conformance suite, cases that rsigma answers as ours does" \
        "$(awk '$1 == "all" && NF == 4 { print $3 " of " $2 }' "$output"); $(tail -n 1 "$output")" "every disagreement explained"
    rm "$output"
}

conformance_into() { "$PROGRAM" conformance | tee "$1"; }

main() {
    fetched || { skip "the crates of oracle/Cargo.lock cannot be had: no registry"; return 0; }
    build
    conformance
    if [ -d "$DATA/rules/sigma/rules" ]; then
        bench
    else
        skip "no rules at $DATA/rules/sigma/rules"
    fi
    verdict_total
}

main "$@"
exit
