#!/usr/bin/env bash
# Fuzzing: each target of fuzz/ runs for SECONDS on made-up input, guided by coverage, from the corpus of earlier runs.
#
#   tests/fuzz.sh [SECONDS [TARGET…]]      5 seconds of every target, if nothing is said
#
# A crash, an answer that is wrong, an input that takes longer than 5 s or more than 1 GiB fails; the input that did it is kept in
# .cache/fuzz/found/, and `TARGET=name PROGRAM FILE` repeats it. Stable Rust, as `cargo fuzz -s none` builds.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=lib/common.sh
. "$here/lib/common.sh"
# shellcheck source=lib/packages.sh
. "$here/lib/packages.sh"

# Names, and the longest input of each in bytes.
TARGETS=(document:16384 rule:16384 falco:16384 condition:512 event_line:8192 json_event:8192 link:16384 record:4096 audit:8192 logs:8192 protocol:4096 message:4096 http2:4096 capture:4096 traffic:4096 zeek:4096 intel:4096)
INPUT_SECONDS=5
INPUT_MEBIBYTES=1024
# The part of `cargo fuzz` that gives libFuzzer its view of the code.
FLAGS="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares"
CORPUS=$CACHE/fuzz
PROGRAM=

build() {
    local triple
    # A target of its own keeps the flags from build scripts, which have no libFuzzer to answer them.
    triple=$(rustc -vV | sed -n 's/^host: //p')
    (cd "$REPO/fuzz" && RUSTFLAGS=$FLAGS CARGO_TARGET_DIR=$TARGET/fuzz cargo build -q --release --locked --target "$triple")
    PROGRAM=$TARGET/fuzz/$triple/release/watchkeeper-fuzz
}

# run NAME LONGEST SECONDS: one verdict.
run() {
    local corpus=$CORPUS/$1 log
    mkdir -p "$corpus" "$CORPUS/found"
    log=$(mktemp)
    if TARGET=$1 SEEDS=$corpus/seeds "$PROGRAM" "$corpus" "$corpus/seeds" -max_len="$2" -max_total_time="$3" \
        -timeout="$INPUT_SECONDS" -rss_limit_mb="$INPUT_MEBIBYTES" -artifact_prefix="$CORPUS/found/$1-" \
        -print_final_stats=1 >"$log" 2>&1; then
        pass "fuzz $1: $(awk '/^stat::number_of_executed_units/ { print $2 }' "$log") inputs in $3 s, $(grep -o 'cov: [0-9]*' "$log" | tail -n 1)"
    else
        fail "fuzz $1"
        grep -v '^#' "$log" | tail -n 40 | sed 's/^/    /'
        note "again: TARGET=$1 $PROGRAM $(ls -t "$CORPUS/found/$1-"* 2>/dev/null | head -n 1)"
    fi
    rm "$log"
}

main() {
    local seconds=${1:-5} entry name
    [ $# -eq 0 ] || shift
    install_packages "${BUILD_PACKAGES[@]}" "${FUZZ_PACKAGES[@]}" || { skip "packages for fuzzing are missing"; return 0; }
    build
    for entry in "${TARGETS[@]}"; do
        name=${entry%%:*}
        if [ $# -eq 0 ] || [[ " $* " == *" $name "* ]]; then
            run "$name" "${entry##*:}" "$seconds"
        fi
    done
    verdict_total
}

main "$@"
exit
