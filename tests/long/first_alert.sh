#!/usr/bin/env bash
# The standing table's clone to first alert: a fresh clone of this commit, its one command, and the time until its first
# alert is there to read. Nothing is built before; packages and downloaded crates that are there already are not
# fetched again, and the row says so.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../lib/common.sh
. "$here/../lib/common.sh"
# shellcheck source=../lib/load.sh
. "$here/../lib/load.sh"

DIR=

tidy() {
    # The command ends itself after the time it watches.
    wait 2>/dev/null || true
    rm -rf "$DIR"
}

main() {
    [ "$(id -u)" -eq 0 ] || { skip "sensing needs root"; return 0; }
    DIR=$(mktemp -d /tmp/watchkeeper-clone.XXXXXX)
    trap tidy EXIT
    local begin=$SECONDS took command
    git clone -q "$REPO" "$DIR/watchkeeper"
    (cd "$DIR/watchkeeper" && env -u CARGO_TARGET_DIR ./try.sh) >"$DIR/alert" 2>"$DIR/messages" &
    command=$!
    until_true 1200 alert_or_end "$command" || true
    took=$((SECONDS - begin))
    check "an alert came" grep -q . "$DIR/alert"
    [ -s "$DIR/alert" ] || tail -n 20 "$DIR/messages" >&2
    row "clone to first alert, crates downloaded before" "$((took / 60)) min $((took % 60)) s" "one command, time stated"
    wait "$command" || true
    cat "$DIR/alert"
    verdict_total
}

alert_or_end() { [ -s "$DIR/alert" ] || ! kill -0 "$1"; }

main "$@"
exit
