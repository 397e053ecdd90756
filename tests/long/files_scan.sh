#!/usr/bin/env bash
# How fast the first scan of watched files is, beside AIDE (Debian's) in turns: the same files, already read once.
#
#   FILES=200000 PAIRS=3
#
# AIDE hashes with SHA-256 alone and notes mode, owner, size and time, with two workers; ours hashes with BLAKE3 and notes
# extended attributes and capabilities besides, with two threads. Both write what they found. The best of the runs counts
# on both sides, of wall time and of processor time.
#
# Needs 3 GB in /tmp.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../lib/common.sh
. "$here/../lib/common.sh"
# shellcheck source=../lib/load.sh
. "$here/../lib/load.sh"
# shellcheck source=../lib/packages.sh
. "$here/../lib/packages.sh"

FILES=${FILES:-200000}
PAIRS=${PAIRS:-3}
LEAST=3
DIR=

# timed NAME COMMAND…: appends "wall processor" in seconds to DIR/NAME.
timed() {
    local name=$1
    shift
    (TIMEFORMAT='%R %U %S'; time "$@" >/dev/null 2>"$DIR/$name.err") 2>&1 | tail -n 1 |
        awk '{ print $1, $2 + $3 }' >>"$DIR/$name"
}

aide_scan() {
    rm -f "$DIR/aide.db"
    aide --init --config "$DIR/aide.conf"
}

our_scan() { "$TARGET/release/watchkeeper" files scan --path "$DIR/tree/**" --threads 2 --output "$DIR/ours.ndjson"; }

best() { sort -g | head -n 1; }

# compare WHAT COLUMN: a row and a verdict.
compare() {
    local theirs own ratio
    theirs=$(awk -v c="$2" '{ print $c }' "$DIR/aide" | best)
    own=$(awk -v c="$2" '{ print $c }' "$DIR/ours" | best)
    ratio=$(awk -v a="$theirs" -v b="$own" 'BEGIN { printf "%.2f", a / b }')
    row "scan of $FILES files, $1" "$own s, AIDE $theirs s: $ratio times" "$LEAST times" ||
        true
    check "scan, $1: at least $LEAST times as fast as AIDE" awk -v r="$ratio" -v l="$LEAST" 'BEGIN { exit !(r >= l) }'
}

main() {
    local _
    install_packages aide || die "AIDE cannot be had"
    [ -x "$TARGET/release/watchkeeper" ] || die "no agent: cargo build --release -p watchkeeper"
    [ -x "$TARGET/release/examples/tree" ] || (cd "$REPO" && cargo build --release -q -p watchkeeper-integrity --example tree)
    DIR=$(mktemp -d /tmp/watchkeeper-scan.XXXXXX)
    trap 'rm -rf "$DIR"' EXIT
    "$TARGET/release/examples/tree" "$DIR/tree" "$FILES"
    cat >"$DIR/aide.conf" <<CONF
database_in=file:$DIR/aide.db
database_out=file:$DIR/aide.db
gzip_dbout=no
num_workers=2
report_url=stdout
Watched = p+u+g+s+m+sha256
$DIR/tree Watched
CONF
    our_scan
    aide_scan >/dev/null
    for _ in $(seq "$PAIRS"); do
        timed aide aide_scan
        timed ours our_scan
    done
    check "both saw all files" test "$(grep -c '"blake3"' "$DIR/ours.ndjson")" -eq "$FILES" -a \
        "$(grep -c "^$DIR/tree/.*/" "$DIR/aide.db")" -ge "$FILES"
    compare "wall time" 1
    compare "processor time" 2
    verdict_total
}

main "$@"
exit
