#!/usr/bin/env bash
# The standing table's emulations: all that the documents hold and this host offers, before a running agent. The times
# begin with the act's first command, so starting its container is in them.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../lib/common.sh
. "$here/../lib/common.sh"
# shellcheck source=../lib/load.sh
. "$here/../lib/load.sh"

main() {
    local log status=0
    log=$(mktemp)
    ALL=1 "$here/../live/emulations.sh" | tee "$log" || status=$?
    row "emulations of all documents, live: acts detected, benign controls silent" \
        "$(grep -c '^PASS' "$log" || true) right, $(grep -c '^FAIL' "$log" || true) wrong, $(grep -c '^SKIPPED' "$log" || true) skipped; from the act's begin p50 $(quantile "$log" 50) ms, p99 $(quantile "$log" 99) ms" \
        "all"
    rm "$log"
    return "$status"
}

# quantile FILE PERCENT: of the times to alerts.
quantile() {
    grep -oE 'after [0-9]+ ms' "$1" | awk '{ print $2 }' | sort -n |
        awk -v p="$2" '{ t[NR] = $1 } END { at = int((NR - 1) * p / 100 + 0.5) + 1; print (NR ? t[at] : "-") }'
}

main "$@"
exit
